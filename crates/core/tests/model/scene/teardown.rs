//! A connection that stands; its service and entry are deleted at any time and in any order, and the tenant goes.

use privatelink_sim::world::Variants;

use super::connection::offered;
use super::{Happening, Scene, delete_service, delete_tenant, leave, up_to};
use crate::play::Play;
use crate::rest;

pub const TEARDOWN: Scene = Scene {
    name: "teardown from any point",
    start,
    happenings: &[
        Happening { words: "the service is deleted", act: delete_service },
        Happening { words: "the entry is deleted", act: delete_tenant },
        Happening { words: "the tenant deletes its endpoint", act: |play| leave(play, 0) },
    ],
    brief: up_to(2, 0),
    worlds: up_to(2, 0),
    whole: &[up_to(3, 0), up_to(1, 1)],
    settled: rest::as_declared,
};

/// Everything is made, and at rest.
fn start(variants: Variants) -> Play {
    let mut tenants = offered(variants);
    if tenants.try_join(0, &[0]).is_some() {
        tenants.stage.settle_world();
        tenants.sweep_and_rest();
    }
    Play::new(tenants, None)
}
