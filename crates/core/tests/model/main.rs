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
//! vendor otherwise; without it a part is played, in less than a minute. `docs/model-check.md` tells how to read a
//! counterexample.
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

use std::io::Write as _;

use check::{Checked, Found};
use plant::Plant;
use privatelink_sim::world::Variants;
use scene::Scene;

/// Says something whether the test passes or not.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// All of it is explored, not only as much as fits into a minute.
fn is_whole() -> bool {
    std::env::var("MODEL").is_ok_and(|said| said == "whole")
}

/// Explores a scene, and finds nothing.
fn holds(scene: Scene) {
    if !is_whole() {
        return holds_in(&scene, scene.brief(), "", Variants::default());
    }
    holds_in(&scene, scene.whole(), "", Variants::default());
    for (name, value, variants) in Variants::each_flipped() {
        holds_in(&scene, scene.brief(), &format!(", {name}={value}"), variants);
    }
}

fn holds_in(scene: &Scene, played: Scene, world: &str, variants: Variants) {
    let Found { unique, transitions, depth, trace } = Checked::new(played, variants, None).explore();
    let (faults, happenings) = (played.faults, played.happenings.len());
    tell(&format!(
        "{}{world}: {unique} unique states, {transitions} transitions, {depth} deep; {faults} faults, {happenings} happenings",
        scene.name
    ));
    assert!(trace.is_none(), "{}", trace.unwrap_or_default());
}

/// A planner that was tampered with is found out, by this law.
fn is_found(plant: &Plant) {
    let found = Checked::new(plant.scene, Variants::default(), Some(*plant)).explore();
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
