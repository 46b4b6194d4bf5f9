//! What our own writes make of an endpoint and its parts.

use super::{Effect, lay_on_tags};
use crate::observed::{EndpointView, Facet, Interface};
use crate::read::Done;
use crate::state::{ConnectionState, GroupState, LifeState, ZoneState};
use crate::step::{InterfaceForm, Step};

pub(super) fn lay_on_whole(effect: &Effect, view: &mut EndpointView) {
    if let Done::CreatedEndpoint(made) = &effect.done
        && view.endpoint.value().is_none_or(Option::is_none)
    {
        view.endpoint = Facet::seen(effect.before_answer(), Some((**made).clone()));
    }
    let Some(Some(endpoint)) = view.endpoint.value_mut() else { return };
    match &effect.step {
        Step::UpdateEndpoint(_, change) => {
            if change.name.is_some() {
                endpoint.name.clone_from(&change.name);
            }
            if change.description.is_some() {
                endpoint.description.clone_from(&change.description);
            }
            if change.reset_policy {
                endpoint.policy = None;
            } else if change.policy.is_some() {
                endpoint.policy.clone_from(&change.policy);
            }
            endpoint.family = change.family.unwrap_or(endpoint.family);
            endpoint.zone_affinity = change.zone_affinity.unwrap_or(endpoint.zone_affinity);
            endpoint.cross_region_bandwidth_mbps =
                change.cross_region_bandwidth_mbps.or(endpoint.cross_region_bandwidth_mbps);
        }
        Step::DeleteEndpoint(_) => {
            endpoint.state = LifeState::Deleting;
            endpoint.connection = ConnectionState::Deleting;
        }
        Step::AttachSecurityGroup(..) | Step::DetachSecurityGroup(..) => endpoint.state = LifeState::Modifying,
        Step::Tag(..) | Step::Untag(..) => lay_on_tags(&effect.step, &mut endpoint.tags),
        Step::Move(_, group) => endpoint.resource_group = Some(group.clone()),
        _ => {}
    }
}

pub(super) fn lay_on_interfaces(effect: &Effect, view: &mut EndpointView) {
    if let Step::CreateEndpoint(form) = &effect.step {
        if view.interfaces.value().is_none() {
            let made = form.zones.iter().map(|(subnet, zone)| (subnet.clone(), fresh(zone)));
            view.interfaces = Facet::seen(effect.before_answer(), made.collect());
        }
        return;
    }
    let Some(interfaces) = view.interfaces.value_mut() else { return };
    match &effect.step {
        Step::AddZone(_, subnet, zone) => {
            interfaces.entry(subnet.clone()).or_insert_with(|| fresh(zone));
        }
        Step::RemoveZone(_, subnet, _) => {
            if let Some(interface) = interfaces.get_mut(subnet) {
                interface.state = ZoneState::Deleting;
            }
        }
        _ => {}
    }
}

pub(super) fn lay_on_groups(effect: &Effect, view: &mut EndpointView) {
    if let Step::CreateEndpoint(form) = &effect.step {
        if view.groups.value().is_none() {
            let joined = form.groups.iter().map(|group| (group.clone(), GroupState::Attached));
            view.groups = Facet::seen(effect.before_answer(), joined.collect());
        }
        return;
    }
    let Some(groups) = view.groups.value_mut() else { return };
    match &effect.step {
        Step::AttachSecurityGroup(_, group) => {
            groups.insert(group.clone(), GroupState::Attaching);
        }
        Step::DetachSecurityGroup(_, group) => {
            groups.insert(group.clone(), GroupState::Detaching);
        }
        _ => {}
    }
}

/// An interface that is being made: its addresses are seen once the cloud has picked them.
fn fresh(form: &InterfaceForm) -> Interface {
    let state = ZoneState::Creating;
    Interface { zone: form.zone.clone(), id: None, ip: form.ip, ipv6: form.ipv6, domain: None, state }
}
