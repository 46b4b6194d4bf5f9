//! Two connections of one tenant, of which one may be.

use privatelink_sim::world::Variants;

use super::connection::offered;
use super::{Happening, Scene, delete_tenant, join, key_of, leave, up_to};
use crate::play::Play;
use crate::rest;

/// The two are alike: the one that comes first is called the first.
pub const TWO_CONNECTIONS: Scene = Scene {
    name: "two connections",
    start,
    happenings: &[
        Happening { words: "the tenant makes an endpoint", act: |play| join(play, 0) },
        Happening { words: "the tenant makes another", act: second },
        Happening { words: "the tenant deletes the first", act: |play| leave(play, 0) },
        Happening { words: "the entry is deleted", act: delete_tenant },
    ],
    brief: up_to(2, 1),
    worlds: up_to(2, 1),
    whole: &[up_to(4, 0), up_to(3, 1)],
    settled: rest::as_declared,
};

fn start(variants: Variants) -> Play {
    let mut tenants = offered(variants);
    tenants.accept("tenant", |acceptance| acceptance.max = Some(1));
    tenants.rest();
    Play::new(tenants, None)
}

fn second(play: &mut Play) -> bool {
    key_of(&play.tenants, 0).is_some() && join(play, 1)
}
