//! The model check.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, clippy::print_stdout, reason = "a test prints what it explored and shares what is proven")]

#[path = "../it"]
#[allow(dead_code, unused_imports, reason = "the walks and storms use the rest")]
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

use check::Checked;
use plant::Plant;
use privatelink_sim::world::Variants;
use scene::Scene;

/// Explores a scene, and finds nothing.
fn holds(mut scene: Scene) {
    if let Ok(faults) = std::env::var("FAULTS") { scene.faults = faults.parse().unwrap(); }
    if let Ok(n) = std::env::var("HAPPEN") { scene.happenings = &scene.happenings[..n.parse::<usize>().unwrap().min(scene.happenings.len())]; }
    let begun = std::time::Instant::now();
    let found = Checked::new(scene, Variants::default(), None).explore();
    println!("{}: {} unique states, {} transitions, depth {}, {:?}", scene.name, found.unique, found.transitions, found.depth, begun.elapsed());
    if let Some(trace) = found.trace {
        panic!("{trace}");
    }
}

fn is_found(plant: Plant) {
    let found = Checked::new(plant.scene, Variants::default(), Some(plant)).explore();
    let trace = found.trace.unwrap_or_default();
    println!("planted: {}: found after {} unique states", plant.name, found.unique);
    println!("{trace}");
    assert!(trace.contains(plant.says), "{}: not found: {trace}", plant.name);
}

#[test]
fn a_service_by_itself() { holds(scene::SERVICE); }
#[test]
fn one_connection() { holds(scene::ONE_CONNECTION); }
#[test]
fn both_sides() { holds(scene::BOTH_SIDES); }
#[test]
fn pinned() { holds(scene::PINNED); }
#[test]
fn two_connections() { holds(scene::TWO_CONNECTIONS); }
#[test]
fn two_entries() { holds(scene::TWO_ENTRIES); }
#[test]
fn endpoint() { holds(scene::ENDPOINT); }
#[test]
fn teardown() { holds(scene::TEARDOWN); }
#[test]
fn planted() { for plant in plant::ALL { is_found(plant); } }
