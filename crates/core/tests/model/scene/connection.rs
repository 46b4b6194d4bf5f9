//! One connection: a service, the entry of one tenant, and the tenant.

use privatelink_core::claims::Assignment;
use privatelink_core::desired::{Allocation, OnDelete, Revocation};
use privatelink_sim::world::call::{Assignment as Wish, ResourceForm};
use privatelink_sim::world::{Call, Variants};

use super::{Happening, Scene, by_hand, delete_tenant, join, key_of, leave};
use crate::it::stage::{Stage, Tenants, declared, entry};
use crate::play::Play;
use crate::rest;

/// The tenant comes and goes by hand.
pub const ONE_CONNECTION: Scene = Scene {
    name: "one connection",
    start: at_rest,
    happenings: &[
        Happening { words: "the tenant makes an endpoint", act: |play| join(play, 0) },
        Happening { words: "the entry is deleted", act: delete_tenant },
        Happening { words: "somebody cuts the connection", act: cut },
        Happening { words: "the tenant deletes its endpoint", act: |play| leave(play, 0) },
    ],
    faults: 1,
    faults_in_all: 2,
    settled: rest::as_declared,
};

/// The tenant has an object too.
pub const BOTH_SIDES: Scene = Scene {
    name: "one connection, both sides",
    start: with_consumer,
    happenings: &[Happening { words: "the entry is deleted", act: delete_tenant }],
    faults: 0,
    faults_in_all: 1,
    settled: rest::as_declared,
};

/// The entry accepts once an assignment has been carried out, which is done by hand here.
pub const PINNED: Scene = Scene {
    name: "one connection, assigned by hand",
    start: pinned,
    happenings: &[
        Happening { words: "somebody carries the assignment out", act: assign },
        Happening { words: "the entry is deleted", act: delete_tenant },
    ],
    faults: 1,
    faults_in_all: 2,
    settled: rest::as_declared,
};

/// A service in zone f with an entry that cuts when it goes.
pub fn offered(variants: Variants, manual: bool) -> Tenants {
    let mut tenants = Tenants::with(variants);
    let mut one = entry("2");
    one.revocation = Revocation::Disconnect;
    tenants.add("tenant", one);
    tenants.edit_service(|service| {
        service.resources.retain(|key, _| key.id.as_str() == "lb-hot");
        service.on_delete = OnDelete::Reject;
    });
    if manual {
        tenants.accept("tenant", |acceptance| acceptance.allocation = Allocation::Manual);
    }
    tenants.rest();
    tenants
}

fn at_rest(variants: Variants) -> Play {
    Play::new(offered(variants, false), None)
}

pub fn with_consumer(variants: Variants) -> Play {
    Play::new(offered(variants, false), Some(Stage::with(declared(&["vsw-f"]), variants)))
}

fn pinned(variants: Variants) -> Play {
    let mut tenants = offered(variants, true);
    let (_, endpoint) = tenants.join(0, &[0]);
    tenants.assignments.push(Assignment {
        uid: "uid-pin".to_owned(),
        name: "pin".to_owned(),
        created: tenants.stage.now,
        endpoint,
        zone: "cn-hangzhou-f".into(),
        resource: "lb-hot".into(),
        holds: true,
        deleting: false,
    });
    Play::new(tenants, None)
}

fn assign(play: &mut Play) -> bool {
    let Some(key) = key_of(&play.tenants, 0) else { return false };
    let land = &play.world().land;
    let form = ResourceForm { balancer: land.balancer_named("lb-hot"), kind: None, zone: None };
    let zone = land.zone_named("cn-hangzhou-f");
    by_hand(play, Call::AssignZoneResource(key, zone, Wish::Manual(form)))
}

fn cut(play: &mut Play) -> bool {
    let Some(key) = key_of(&play.tenants, 0) else { return false };
    by_hand(play, Call::RejectConnection(key))
}
