//! One connection: a service, the entry of one tenant, and the tenant.

use privatelink_core::desired::{OnDelete, Revocation};
use privatelink_sim::world::{Call, Variants};

use super::{Happening, Scene, by_hand, delete_endpoint, delete_service, delete_tenant, join, key_of, leave, up_to};
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
    brief: up_to(3, 1),
    worlds: up_to(3, 1),
    whole: &[up_to(4, 1), up_to(1, 2)],
    settled: rest::as_declared,
};

/// The tenant has an object too.
pub const BOTH_SIDES: Scene = Scene {
    name: "one connection, both sides",
    start: with_consumer,
    happenings: &[
        Happening { words: "the entry is deleted", act: delete_tenant },
        Happening { words: "the endpoint is deleted", act: delete_endpoint },
        Happening { words: "the service is deleted", act: delete_service },
    ],
    brief: up_to(1, 0),
    worlds: up_to(1, 0),
    whole: &[up_to(1, 1)],
    settled: rest::as_declared,
};

/// A service in zone f with an entry that cuts when it goes.
pub fn offered(variants: Variants) -> Tenants {
    let mut tenants = Tenants::with(variants);
    let mut one = entry("2");
    one.revocation = Revocation::Disconnect;
    tenants.add("tenant", one);
    tenants.edit_service(|service| {
        service.resources.retain(|key, _| key.id.as_str() == "lb-hot");
        service.on_delete = OnDelete::Reject;
    });
    tenants.rest();
    tenants
}

fn at_rest(variants: Variants) -> Play {
    Play::new(offered(variants), None)
}

fn with_consumer(variants: Variants) -> Play {
    Play::new(offered(variants), Some(Stage::with(declared(&["vsw-f"]), variants)))
}

fn cut(play: &mut Play) -> bool {
    let Some(key) = key_of(&play.tenants, 0) else { return false };
    by_hand(play, Call::RejectConnection(key))
}
