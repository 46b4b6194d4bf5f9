//! What is true in every state that the world can reach, whoever calls what in which order.

use std::collections::BTreeSet;

use super::State;
use super::object::{ConnectionStatus, Endpoint, EndpointStatus, LegStatus, Membership, Service, ServiceStatus};
use super::variant::Variant;

/// The invariants that do not hold, each said in one sentence; empty in every state that calls and
/// progress lead to.
#[must_use]
pub fn broken(state: &State) -> Vec<String> {
    let mut found = Vec::new();
    for service in state.services.values() {
        check_service(state, service, &mut found);
    }
    for endpoint in state.endpoints.values() {
        check_endpoint(state, endpoint, &mut found);
    }
    check_addresses(state, &mut found);
    check_addresses_v6(state, &mut found);
    check_counters(state, &mut found);
    found
}

fn check_service(state: &State, service: &Service, found: &mut Vec<String>) {
    let id = service.id;
    for (balancer, zone) in service.resources.keys() {
        let in_zone = || service.resources.iter().filter(|((_, at), _)| at == zone);
        if !in_zone().any(|(_, resource)| resource.auto_allocate) {
            found.push(format!("{id:?} has no automatically allocated resource in {zone:?}"));
        }
        let fits = state
            .land
            .balancer(*balancer)
            .is_some_and(|one| one.kind == service.kind && one.account == service.owner && one.zones.contains(zone));
        if !fits {
            found.push(format!("{id:?} holds {balancer:?}, which is not a load balancer of its kind, owner and zone"));
        }
    }
    let replacing = super::service::migrates(state, id);
    if replacing && service.status != ServiceStatus::Pending {
        found.push(format!("a leg of {id:?} is being replaced while the service is {:?}", service.status));
    }
    if service.status == ServiceStatus::Deleting
        && state.endpoints_of(id).any(|one| one.zones.values().any(super::Leg::carries))
    {
        found.push(format!("{id:?} is being deleted and still serves an endpoint"));
    }
}

fn check_endpoint(state: &State, endpoint: &Endpoint, found: &mut Vec<String>) {
    let id = endpoint.id;
    let service = state.services.get(&endpoint.service);
    let orphaned = matches!(endpoint.connection.status, ConnectionStatus::ServiceDeleted | ConnectionStatus::Deleting);
    if service.is_none() && !orphaned {
        found.push(format!("{id:?} is {:?} to a service that does not exist", endpoint.connection.status));
    }
    let members = endpoint.groups.values().filter(|membership| **membership != Membership::Detaching).count();
    if endpoint.has_groups && members == 0 {
        found.push(format!("{id:?} is in no security group"));
    }
    if endpoint.status == EndpointStatus::Deleting && !endpoint.zones.is_empty() {
        found.push(format!("{id:?} is being deleted with zones"));
    }
    for (zone, leg) in &endpoint.zones {
        let of_leg = format!("zone {zone:?} of {id:?}, {:?},", leg.status);
        let attached = |key| service.is_some_and(|one| one.resources.contains_key(&key));
        if leg.served_by(*zone).is_some_and(|key| !attached(key)) {
            found.push(format!("{of_leg} has a resource that is not attached to the service"));
        }
        if leg.replaced.is_some_and(|side| !attached(side.served_by(*zone))) {
            found.push(format!("{of_leg} has a replaced side whose resource is not attached to the service"));
        }
        let from_afar = leg.served_in.is_some() || leg.replaced.is_some_and(|side| side.served_in.is_some());
        if from_afar && !endpoint.is_cross_region() {
            found.push(format!("{of_leg} is served from another zone of its own region"));
        }
        if leg.carries() && leg.resource.is_none() {
            found.push(format!("{of_leg} carries without a resource"));
        }
        let stands = matches!(
            endpoint.connection.status,
            ConnectionStatus::Connecting | ConnectionStatus::Connected | ConnectionStatus::Pending
        );
        if leg.carries() && !stands {
            found.push(format!("{of_leg} carries on a connection that is {:?}", endpoint.connection.status));
        }
        let may_have_old_side = match leg.status {
            LegStatus::Migrating | LegStatus::Migrated | LegStatus::Closing => leg.replaced.is_some(),
            LegStatus::Disconnecting | LegStatus::Replacing => true,
            _ => leg.replaced.is_none(),
        };
        if !may_have_old_side {
            found.push(format!("{of_leg} and its replaced side {:?} do not belong together", leg.replaced));
        }
        let same_interface = leg.replaced_apart().is_some_and(|side| side.interface == leg.interface);
        if same_interface || leg.replaced.is_some_and(|side| Some(side.resource) == leg.resource) {
            found.push(format!("{of_leg} has the same resource or interface on both sides"));
        }
        if state.land.switch(leg.switch).is_none_or(|one| one.zone != *zone || one.vpc != endpoint.vpc) {
            found.push(format!("{of_leg} lies in a vSwitch of another zone or VPC"));
        }
    }
}

fn check_addresses(state: &State, found: &mut Vec<String>) {
    let mut taken = BTreeSet::new();
    for leg in state.endpoints.values().flat_map(|endpoint| endpoint.zones.values()) {
        for ip in std::iter::once(leg.ip).chain(leg.replaced_apart().map(|side| side.ip)) {
            if !taken.insert((leg.switch, ip)) {
                found.push(format!("{ip} is taken twice in {:?}", leg.switch));
            }
        }
    }
}

fn check_addresses_v6(state: &State, found: &mut Vec<String>) {
    let mut taken = BTreeSet::new();
    for leg in state.endpoints.values().flat_map(|endpoint| endpoint.zones.values()) {
        if let Some(ip) = leg.ipv6.filter(|ip| !taken.insert((leg.switch, *ip))) {
            found.push(format!("{ip} is taken twice in {:?}", leg.switch));
        }
    }
}

fn check_counters(state: &State, found: &mut Vec<String>) {
    for (id, account) in &state.accounts {
        let services = state.services.keys().filter(|one| one.maker == *id);
        let endpoints = state.endpoints.keys().filter(|one| one.maker == *id);
        if services.map(|one| one.number).max() > Some(account.services_made)
            || endpoints.map(|one| one.number).max() > Some(account.endpoints_made)
        {
            found.push(format!("{id:?} has made more than it has counted"));
        }
    }
    let joined = || state.endpoints.values().map(|endpoint| (endpoint.vpc, endpoint.service));
    let zones = state.endpoints.values().flat_map(|one| one.zones.keys().map(|zone| (one.vpc, one.service, *zone)));
    let twice = match state.variants.value(Variant::OneEndpointPer) {
        "vpc" => joined().count() != joined().collect::<BTreeSet<_>>().len(),
        "zone" => zones.clone().count() != zones.collect::<BTreeSet<_>>().len(),
        _ => false,
    };
    if twice {
        found.push("a VPC or one of its zones holds two endpoints of one service".to_owned());
    }
}
