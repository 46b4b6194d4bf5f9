//! Connections that move from one load balancer to another: all of them, because their service gives it up, or one
//! zone, because its assignment says so.

use std::time::Duration;

use privatelink_core::desired::{Allocation, Departure, MigrationRules, Removal};
use privatelink_core::step::MigrationMode;
use privatelink_sim::world::Variants;

use super::connection::offered;
use super::{Happening, Scene, delete_tenant, join, leave, up_to};
use crate::it::stage::{Tenants, assignment, key};
use crate::play::Play;
use crate::rest;

/// Short, so that a drain is over within the time that a turn waits for.
const DRAIN: Duration = Duration::from_mins(1);

/// Two connections leave a load balancer that was taken off the spec, one after the other.
pub const EVACUATION: Scene = Scene {
    name: "evacuation of two legs",
    start: evacuating,
    happenings: &[
        Happening { words: "lb-hot is put back", act: put_back },
        Happening { words: "a tenant deletes its endpoint", act: |play| leave(play, 0) },
        Happening { words: "the entry is deleted", act: delete_tenant },
    ],
    brief: up_to(1, 0),
    worlds: up_to(1, 0),
    whole: &[up_to(2, 0), up_to(1, 1)],
    settled: rest::as_declared,
};

/// One zone moves as its assignment says.
pub const MIGRATION: Scene = Scene {
    name: "migration of one zone",
    start: migrating,
    happenings: &[
        Happening { words: "the assignment is deleted", act: delete_pin },
        Happening { words: "the assignment names lb-hot again", act: back },
        Happening { words: "the entry is deleted", act: delete_tenant },
    ],
    brief: up_to(1, 1),
    worlds: up_to(1, 1),
    whole: &[up_to(2, 0), up_to(1, 2)],
    settled: rest::as_declared,
};

/// One zone moves by force, as its assignment says.
pub const FORCED: Scene = Scene {
    name: "forced migration of one zone",
    start: forcing,
    happenings: MIGRATION.happenings,
    brief: up_to(1, 0),
    worlds: up_to(1, 0),
    whole: &[up_to(3, 0), up_to(2, 1), up_to(1, 2)],
    settled: rest::as_declared,
};

/// A connection is accepted once its assignment has given its zone a load balancer.
pub const ASSIGNMENT: Scene = Scene {
    name: "acceptance after assignment",
    start: assigning,
    happenings: &[
        Happening { words: "the tenant makes an endpoint", act: |play| join(play, 0) },
        Happening { words: "the entry is deleted", act: delete_tenant },
        Happening { words: "the assignment is deleted", act: delete_pin },
    ],
    brief: up_to(2, 0),
    worlds: up_to(2, 0),
    whole: &[up_to(3, 0), up_to(1, 1)],
    settled: rest::as_declared,
};

fn evacuating(variants: Variants) -> Play {
    let mut tenants = offered(variants);
    tenants.edit_service(|service| {
        service.removal =
            Removal { departure: Some(Departure::Move(MigrationMode::Smooth)), drain: DRAIN, ..Removal::WAIT };
    });
    tenants.rest();
    connected(&mut tenants, &[0, 1]);
    tenants.edit_service(|service| service.resources = [(key("lb-cool"), true)].into());
    Play::new(tenants, None)
}

fn migrating(variants: Variants) -> Play {
    let mut tenants = offered(variants);
    connected(&mut tenants, &[0]);
    // The cloud lets nobody leave the last one that it gives to new connections.
    tenants.edit_service(|service| service.resources = [(key("lb-hot"), false), (key("lb-cool"), true)].into());
    tenants.rest();
    tenants.assign("pin", of_first("lb-cool"));
    Play::new(tenants, None)
}

fn forcing(variants: Variants) -> Play {
    let mut play = migrating(variants);
    play.tenants.edit_zone("pin", |one| one.migration.mode = MigrationMode::Forced);
    play
}

fn assigning(variants: Variants) -> Play {
    let mut tenants = offered(variants);
    tenants.edit_service(|service| service.resources.extend([(key("lb-cool"), false)]));
    tenants.accept("tenant", |acceptance| acceptance.allocation = Allocation::Manual);
    tenants.rest();
    tenants.assign("pin", of_first("lb-cool"));
    Play::new(tenants, None)
}

fn of_first(balancer: &str) -> privatelink_core::desired::DesiredAssignment {
    let mut one = assignment(&"ep-1".into(), balancer);
    one.migration = MigrationRules { drain: DRAIN, ..MigrationRules::default() };
    one
}

fn connected(tenants: &mut Tenants, homes: &[usize]) {
    for home in homes {
        // Some worlds do not take a second one, or none without more.
        if tenants.try_join(*home, &[0]).is_some() {
            tenants.stage.settle_world();
        }
    }
    tenants.sweep_and_rest();
}

fn put_back(play: &mut Play) -> bool {
    play.tenants.edit_service(|service| service.resources.extend([(key("lb-hot"), true)]));
    true
}

fn delete_pin(play: &mut Play) -> bool {
    let there = play.tenants.zones.contains_key("pin");
    play.tenants.touch_zone("pin", |one| one.deleting = true);
    there
}

fn back(play: &mut Play) -> bool {
    let there = play.tenants.zones.contains_key("pin");
    play.tenants.edit_zone("pin", |one| one.resource = "lb-hot".into());
    there
}
