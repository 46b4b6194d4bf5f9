//! An endpoint with two zones and two security groups, whose provider acts by hand.

use privatelink_core::desired::Deletion;
use privatelink_sim::world::call::{AcceptForm, Assignment};
use privatelink_sim::world::{Call, Variant, Variants};

use super::{Happening, Scene, by_hand, delete_endpoint, up_to};
use crate::it::stage::{Stage, Tenants, declared, form};
use crate::play::Play;
use crate::rest;

pub const ENDPOINT: Scene = Scene {
    name: "an endpoint with zones and groups",
    start,
    happenings: &[
        Happening { words: "the provider accepts", act: accept },
        Happening { words: "zone f is taken off the spec, and group b", act: shrink },
        Happening { words: "zone f is put back", act: grow },
        Happening { words: "the provider cuts the connection", act: cut },
        Happening { words: "the endpoint is deleted", act: delete_endpoint },
    ],
    brief: up_to(1, 1),
    worlds: up_to(3, 0),
    whole: &[up_to(3, 0), up_to(1, 2)],
    settled: rest::as_declared,
};

fn start(variants: Variants) -> Play {
    let mut desired = declared(&["vsw-f", "vsw-g"]);
    desired.groups = Some(["sg-a".into(), "sg-b".into()].into());
    let mut consumer = Stage::offered_with(&["lb-hot", "lb-g"], desired, variants);
    let mut tenants = Tenants::with(variants);
    tenants.edit_service(|service| service.common.deletion = Deletion::Retain);
    // The service belongs to nobody here.
    tenants.service.released = true;
    std::mem::swap(&mut tenants.stage.world, &mut consumer.world);
    Play::new(tenants, Some(consumer))
}

fn connection(play: &Play) -> Option<privatelink_sim::world::call::ConnectionKey> {
    let one = play.world().endpoints.values().next()?;
    Some(privatelink_sim::world::call::ConnectionKey { service: one.service, endpoint: one.id })
}

fn accept(play: &mut Play) -> bool {
    let Some(key) = connection(play) else { return false };
    if !play.world().variants.is_on(Variant::AutoAssignOnEnable) {
        let legs = &play.tenants.connection(key).zones;
        let open: Vec<_> = legs.iter().filter(|(_, leg)| leg.resource.is_none()).map(|(zone, _)| *zone).collect();
        for zone in open {
            by_hand(play, Call::AssignZoneResource(key, zone, Assignment::Automatic));
        }
    }
    by_hand(play, Call::AcceptConnection(key, AcceptForm::default()))
}

fn cut(play: &mut Play) -> bool {
    let Some(key) = connection(play) else { return false };
    by_hand(play, Call::RejectConnection(key))
}

fn shrink(play: &mut Play) -> bool {
    let Some(consumer) = play.consumer.as_mut().filter(|one| !one.released) else { return false };
    consumer.edit(|desired| {
        desired.zones = Some([("vsw-g".into(), form("vsw-g"))].into());
        desired.groups = Some(["sg-a".into()].into());
    });
    true
}

fn grow(play: &mut Play) -> bool {
    let Some(consumer) = play.consumer.as_mut().filter(|one| !one.released) else { return false };
    let gone = consumer.desired.zones.as_ref().is_some_and(|all| !all.contains_key(&"vsw-f".into()));
    if gone {
        consumer
            .edit(|desired| desired.zones.iter_mut().for_each(|all| drop(all.insert("vsw-f".into(), form("vsw-f")))));
    }
    gone
}
