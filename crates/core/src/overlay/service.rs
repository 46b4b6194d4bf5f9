//! What our own writes make of a service and its parts.

use super::{Effect, lay_on_tags};
use crate::observed::{Connection, Facet, RegionState, Resource, ResourceKind, ServiceView, ZoneLeg};
use crate::read::Done;
use crate::state::{ConnectionState, LifeState, ZoneState};
use crate::step::{Part, Replacement, Step, Traffic};

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
            let opening = change.open_regions.iter().map(|region| (region.clone(), RegionState::Opening));
            let closing = change.close_regions.iter().map(|region| (region.clone(), RegionState::Closing));
            service.regions.extend(opening.chain(closing));
        }
        Step::DeleteService(_) => service.state = LifeState::Deleting,
        Step::AttachResource(..)
        | Step::DetachResource(..)
        | Step::PickResource(..)
        | Step::AssignResource(..)
        | Step::ReplaceResource(..) => service.state = LifeState::Modifying,
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
    let Some(Part::Connection(_, endpoint) | Part::Leg(_, endpoint, _)) = effect.step.part() else { return };
    let Some(connections) = view.connections.value_mut() else { return };
    for connection in connections.iter_mut().filter(|connection| connection.endpoint == endpoint) {
        lay_on_connection(&effect.step, connection);
    }
}

fn lay_on_connection(step: &Step, connection: &mut Connection) {
    let leg = |connection: &mut Connection, zone, state| {
        if let Some(leg) = connection.zones.get_mut(zone) {
            leg.state = state;
        }
    };
    let traffic = |connection: &mut Connection, asked: &Traffic| {
        connection.bandwidth_mbps = asked.bandwidth_mbps.or(connection.bandwidth_mbps);
        connection.traffic = asked.control.or(connection.traffic);
    };
    match step {
        Step::AcceptConnection(_, _, asked) => {
            connection.state = ConnectionState::Connecting;
            connection.zones.values_mut().for_each(|leg| leg.state = ZoneState::Connecting);
            traffic(connection, asked);
        }
        Step::RejectConnection(..) => {
            connection.state =
                if connection.is_live() { ConnectionState::Disconnecting } else { ConnectionState::Rejected };
        }
        Step::SetTraffic(_, _, asked) => {
            connection.state = ConnectionState::Modifying;
            traffic(connection, asked);
        }
        Step::AssignResource(_, _, zone, to, _) => {
            if let Some(leg) = connection.zones.get_mut(zone) {
                leg.resource = Some(to.clone());
            }
        }
        Step::ReplaceResource(_, _, zone, replacement) => {
            if let Some(leg) = connection.zones.get_mut(zone) {
                lay_on_replaced(leg, replacement);
            }
        }
        Step::ConnectZone(_, _, zone) => leg(connection, zone, ZoneState::Connecting),
        Step::DisconnectZone(_, _, zone) => leg(connection, zone, ZoneState::Disconnecting),
        _ => {}
    }
}

/// A zone that carries traffic moves, and has two sides from now on; in one that is cut, the load balancer is another.
fn lay_on_replaced(leg: &mut ZoneLeg, replacement: &Replacement) {
    let from = leg.resource.replace(replacement.to.clone());
    if leg.state == ZoneState::Connected {
        leg.state = ZoneState::Migrating;
        leg.replaced_resource = from;
        leg.replaced_interface = leg.interface.take();
    }
}

pub(super) fn lay_on_principals(effect: &Effect, view: &mut ServiceView) {
    let Some(principals) = view.principals.value_mut() else { return };
    match &effect.step {
        Step::AllowPrincipal(_, principal) => drop(principals.insert(principal.clone())),
        Step::DisallowPrincipal(_, principal) => drop(principals.remove(principal)),
        _ => {}
    }
}

const fn fresh(kind: ResourceKind) -> Resource {
    Resource { kind, auto_allocate: true, connections: 0, deprecated_connections: 0 }
}
