//! The model check: every order in which the turns of the shipped planners, their calls, what befalls these, the
//! cloud's own moves and other people's hands can follow each other, scene by scene.
//!
//! A state ([`play`]) is the simulated cloud's world, what Kubernetes holds of each object, what the processes remember
//! and the calls on their way. `stateright` walks through all states of a scene, depth first; what tells two states
//! apart, and why that is enough, is in [`key`]. In each state the laws hold ([`law`]), and from each of them, without
//! more faults and whoever goes first, all comes to rest as declared or waiting for others ([`fair`], [`rest`]).
//! Planners that were tampered with are caught ([`plant`]).
//!
//! `MODEL=whole` plays every happening of a scene with more faults, and every world that settles a statement of the
//! vendor otherwise ([`world`]); without it a part is played, in less than a minute. `docs/model-check.md` tells how to
//! read a counterexample.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a model check shares what is proven, tells what it has explored, and is told how much to explore"
)]

// Walks and storms are on the same stage.
#[path = "../it"]
#[expect(dead_code, unused_imports, reason = "walks and storms use the rest")]
mod it {
    pub mod stage;
}

mod check;
mod fair;
mod key;
mod law;
mod plant;
mod play;
mod rest;
mod scene;
mod world;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Instant;

use check::{Checked, Found};
use plant::Plant;
use privatelink_sim::world::{Variant, Variants};
use scene::{Extent, Scene};
use world::{Asked, World};

/// Says something whether the test passes or not.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Explores a scene, and finds nothing.
fn holds(scene: Scene) {
    let mut explored = Explored::of(&scene);
    match Asked::by_environment() {
        Asked::Brief => drop(explored.add(scene.brief, World::default())),
        Asked::One(world) => drop(explored.add(scene.worlds, world)),
        Asked::Whole => {
            for extent in scene.whole {
                let _ = explored.add(*extent, World::default());
            }
            // What the default world is not asked for cannot make a difference.
            let asked = explored.add(scene.worlds, World::default());
            for world in world::settled_otherwise(&asked) {
                let _ = explored.add(scene.worlds, world);
            }
            tell(&format!("{}: does not hang on {}", scene.name, world::others(&asked)));
        }
    }
    assert!(explored.traces.is_empty(), "{}", explored.traces.join("\n\n"));
}

/// A scene, and the counterexamples that were found in it.
struct Explored<'s> {
    scene: &'s Scene,
    traces: Vec<String>,
}

impl<'s> Explored<'s> {
    const fn of(scene: &'s Scene) -> Self {
        Self { scene, traces: Vec::new() }
    }

    /// Explores this much of the scene in one world, and tells how much there was; gives the statements of the vendor
    /// that the world was asked for.
    fn add(&mut self, extent: Extent, world: World) -> BTreeSet<Variant> {
        let begun = Instant::now();
        let Found { unique, transitions, depth, asked, trace } =
            Checked::new(*self.scene, extent, world.variants, None).explore();
        let (name, seconds) = (self.scene.name, begun.elapsed().as_secs());
        let Extent { happenings, faults } = extent;
        let more = if trace.is_some() { "; it does not hold" } else { "" };
        tell(&format!(
            "{name}{world}: {unique} unique states, {transitions} transitions, {depth} deep; \
             {faults} faults, {happenings} happenings; {seconds} s{more}"
        ));
        self.traces.extend(trace.map(|trace| format!("{name}{world}: {trace}")));
        asked
    }
}

/// A planner that was tampered with is found out, by this law.
fn is_found(plant: &Plant) {
    let found = Checked::new(plant.scene, plant.scene.with_all(), Variants::default(), Some(*plant)).explore();
    let trace = found.trace.unwrap_or_default();
    let last = trace.lines().find(|line| line.starts_with("wrong: ")).unwrap_or("nothing is wrong");
    tell(&format!("planted: {}: {last}", plant.name));
    assert!(trace.contains(plant.says), "{}: not found: {trace}", plant.name);
}

#[test]
fn a_service_by_itself() {
    holds(scene::SERVICE);
}

#[test]
fn one_connection() {
    holds(scene::ONE_CONNECTION);
}

#[test]
fn one_connection_both_sides() {
    holds(scene::BOTH_SIDES);
}

#[test]
fn two_connections() {
    holds(scene::TWO_CONNECTIONS);
}

#[test]
fn two_entries_that_claim_one_principal() {
    holds(scene::TWO_ENTRIES);
}

#[test]
fn an_endpoint_with_zones_and_groups() {
    holds(scene::ENDPOINT);
}

#[test]
fn teardown_from_any_point() {
    holds(scene::TEARDOWN);
}

#[test]
fn evacuation_of_two_legs() {
    holds(scene::EVACUATION);
}

#[test]
fn migration_of_one_zone() {
    holds(scene::MIGRATION);
}

#[test]
fn forced_migration_of_one_zone() {
    holds(scene::FORCED);
}

#[test]
fn acceptance_after_assignment() {
    holds(scene::ASSIGNMENT);
}

#[test]
fn deleting_the_service_before_detaching_is_found() {
    is_found(&plant::DELETES_FIRST);
}

#[test]
fn believing_an_empty_list_is_found() {
    is_found(&plant::BELIEVES);
}

#[test]
fn disconnecting_before_the_principal_is_removed_is_found() {
    is_found(&plant::CUTS_FIRST);
}

#[test]
fn two_steps_that_undo_each_other_for_ever_are_found() {
    is_found(&plant::UNDOES);
}

#[test]
fn accepting_before_assignment_is_found() {
    is_found(&plant::ACCEPTS_FIRST);
}

#[test]
fn letting_an_entry_go_before_its_connections_are_cut_is_found() {
    is_found(&plant::GOES_FIRST);
}

#[test]
fn dropping_the_flag_of_the_replaced_side_is_found() {
    is_found(&plant::DROPS_THE_FLAG);
}

#[test]
fn cleaning_up_before_migrated_is_found() {
    is_found(&plant::CLOSES_EARLY);
}

#[test]
fn migrating_to_another_zones_load_balancer_is_found() {
    is_found(&plant::LEADS_ASTRAY);
}
