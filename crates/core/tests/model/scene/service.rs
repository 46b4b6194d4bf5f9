//! A service by itself, from nothing.

use privatelink_core::desired::OnDelete;
use privatelink_sim::world::call::{ObjectId, ResourceForm, UntagKeys};
use privatelink_sim::world::{Call, Variants};

use super::{Happening, Scene, by_hand, delete_service, up_to};
use crate::it::stage::Tenants;
use crate::play::Play;
use crate::rest;

pub const SERVICE: Scene = Scene {
    name: "a service by itself",
    start,
    happenings: &[
        Happening { words: "the service is deleted", act: delete_service },
        Happening { words: "somebody detaches lb-g", act: detach },
        Happening { words: "somebody takes the tag off", act: untag },
        Happening { words: "lb-g is taken off the spec", act: shrink },
    ],
    brief: up_to(1, 1),
    worlds: up_to(1, 1),
    whole: &[up_to(4, 1), up_to(1, 2)],
    settled: rest::as_declared,
};

fn start(variants: Variants) -> Play {
    let mut tenants = Tenants::with(variants);
    tenants.edit_service(|service| {
        service.on_delete = OnDelete::Reject;
        service.common.tags = [("team".to_owned(), "blue".to_owned())].into();
    });
    Play::new(tenants, None)
}

fn detach(play: &mut Play) -> bool {
    let world = play.world();
    let Some(id) = world.services.keys().next().copied() else { return false };
    let form = ResourceForm { balancer: world.land.balancer_named("lb-g"), kind: None, zone: None };
    by_hand(play, Call::DetachResource(id, form))
}

fn untag(play: &mut Play) -> bool {
    let Some(id) = play.world().services.keys().next().copied() else { return false };
    by_hand(play, Call::Untag(vec![ObjectId::Service(id)], UntagKeys::These(vec!["team".into()])))
}

fn shrink(play: &mut Play) -> bool {
    play.tenants.edit_service(|service| service.resources.retain(|key, _| key.id.as_str() != "lb-g"));
    true
}
