//! What our own writes make of a service and its parts.

use super::{Effect, lay_on_tags};
use crate::observed::{Facet, Resource, ResourceKind, ServiceView};
use crate::read::Done;
use crate::state::{ConnectionState, LifeState};
use crate::step::Step;

pub(super) fn lay_on_whole(effect: &Effect, view: &mut ServiceView) {
    if let Done::CreatedService(made) = &effect.done
        && view.service.value().is_none_or(Option::is_none)
    {
        view.service = Facet::seen(effect.before_answer(), Some((**made).clone()));
    }
    let Some(Some(service)) = view.service.value_mut() else { return };
    match &effect.step {
        Step::UpdateService(_, change) => {
            if change.description.is_some() {
                service.description.clone_from(&change.description);
            }
            service.auto_accept = change.auto_accept.unwrap_or(service.auto_accept);
            service.zone_affinity = change.zone_affinity.unwrap_or(service.zone_affinity);
            service.default_bandwidth_mbps = change.default_bandwidth_mbps.or(service.default_bandwidth_mbps);
            service.family = change.family.unwrap_or(service.family);
            service.regions.extend(change.open_regions.iter().cloned());
            service.regions.retain(|region| !change.close_regions.contains(region));
        }
        Step::DeleteService(_) => service.state = LifeState::Deleting,
        Step::AttachResource(..) | Step::DetachResource(..) => service.state = LifeState::Modifying,
        Step::Tag(..) | Step::Untag(..) => lay_on_tags(&effect.step, &mut service.tags),
        Step::Move(_, group) => service.resource_group = Some(group.clone()),
        _ => {}
    }
}

pub(super) fn lay_on_resources(effect: &Effect, view: &mut ServiceView) {
    if let Step::CreateService(form) = &effect.step {
        let attached = form.resources.iter().map(|key| (key.clone(), fresh(form.kind)));
        if view.resources.value().is_none() {
            view.resources = Facet::seen(effect.before_answer(), attached.collect());
        }
        return;
    }
    let Some(resources) = view.resources.value_mut() else { return };
    match &effect.step {
        Step::AttachResource(_, key, kind) => {
            resources.entry(key.clone()).or_insert(fresh(*kind));
        }
        Step::DetachResource(_, key, _) => {
            resources.remove(key);
        }
        Step::SetAutoAllocate(_, key, on) => {
            if let Some(resource) = resources.get_mut(key) {
                resource.auto_allocate = *on;
            }
        }
        _ => {}
    }
}

pub(super) fn lay_on_connections(effect: &Effect, view: &mut ServiceView) {
    let Step::RejectConnection(_, endpoint) = &effect.step else { return };
    let Some(connections) = view.connections.value_mut() else { return };
    for connection in connections.iter_mut().filter(|connection| connection.endpoint == *endpoint) {
        connection.state =
            if connection.is_live() { ConnectionState::Disconnecting } else { ConnectionState::Rejected };
    }
}

const fn fresh(kind: ResourceKind) -> Resource {
    Resource { kind, auto_allocate: true, connections: 0, deprecated_connections: 0 }
}
