//! What stands in the way of giving a zone another load balancer, told before the cloud is asked.

use crate::condition::Reason;
use crate::id::ResourceId;
use crate::observed::{Resource, ResourceKey};
use crate::plan::assignment::Scene;
use crate::plan::outcome::Stand;

/// Why a call is not made now, and whose turn it is.
pub(super) type Hurdle = (Stand, String);

/// What stands in the way of giving the zone the declared load balancer.
pub(super) fn of_target(scene: &Scene<'_>) -> Option<Hurdle> {
    let desired = scene.input.desired;
    let (id, to, zone) = (&scene.parent.id, &desired.resource, &desired.zone);
    if scene.parent.deleting {
        let why = format!("{id} is being deleted, and nothing is assigned on it any more");
        return Some((Stand::Waits(Reason::WaitingForService), why));
    }
    let mut of_it = held(scene).filter(|(key, _)| key.id == *to).peekable();
    if of_it.peek().is_none() {
        let why = format!(
            "{to} is not one of the load balancers of {id}: add it to spec.resources of the EndpointService, or correct resourceId"
        );
        return Some((Stand::Waits(Reason::ReferenceNotFound), why));
    }
    if is_afar(scene) || of_it.any(|(key, _)| key.zone == *zone) {
        return None;
    }
    let there: Vec<&str> = held(scene).filter(|(key, _)| key.zone == *zone).map(|(key, _)| key.id.as_str()).collect();
    let instead = if there.is_empty() {
        "add one of that zone to spec.resources of the EndpointService".to_owned()
    } else {
        format!("set resourceId to one of that zone: {}", there.join(", "))
    };
    Some((Stand::Person(Reason::InvalidSpec), format!("{to} does not serve {zone}: {instead}")))
}

/// What stands in the way of taking the zone away from the load balancer that it has.
pub(super) fn of_source(scene: &Scene<'_>, from: &ResourceId) -> Option<Hurdle> {
    let zone = &scene.input.desired.zone;
    let is_it = |key: &ResourceKey| key.id == *from && (is_afar(scene) || key.zone == *zone);
    let (key, _) = held(scene).find(|(key, resource)| is_it(key) && resource.auto_allocate)?;
    let others = held(scene).any(|(other, resource)| other != key && other.zone == key.zone && resource.auto_allocate);
    if others {
        let why = format!(
            "{from} is still given to new connections, and the cloud replaces no such load balancer: set autoAllocate: false on it in spec.resources of the EndpointService"
        );
        return Some((Stand::Person(Reason::ResourceStillAutoAllocated), why));
    }
    let why = format!(
        "{from} is the last load balancer in {} that is given to new connections, and the cloud replaces no such one: set autoAllocate: true on another there in spec.resources of the EndpointService, then false on {from}",
        key.zone
    );
    Some((Stand::Person(Reason::LastAutoAllocatedInZone), why))
}

fn held<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (&'a ResourceKey, &'a Resource)> + use<'a> {
    scene.view.resources.value().into_iter().flatten()
}

/// The zones of an endpoint in another region are none of the service's: any of its load balancers serves them.
fn is_afar(scene: &Scene<'_>) -> bool {
    let region = scene.connection().and_then(|one| one.region.as_ref());
    region.is_some_and(|region| *region != scene.input.ground.place.region)
}
