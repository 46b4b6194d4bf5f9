//! The world and its journal as JSON, for people and tests: wire ids, the world's own states, a stable order.

use serde_json::{Value, json};

use crate::alibaba::{name, word};
use crate::cloud::Cloud;
use crate::journal::witness::Track;
use crate::world::object::{Principal, Tags};
use crate::world::variant::TABLE;
use crate::world::{BalancerId, Endpoint, Leg, Loads, Service, State, ZoneId};

/// All that exists now.
#[must_use]
pub fn world(cloud: &Cloud) -> Value {
    let state = cloud.state();
    let accounts = state.accounts.iter().map(|(id, account)| {
        json!({
            "uid": id.0,
            "productOpen": account.product_open,
            "locked": account.locked,
            "vendor": account.vendor,
            "mayAssignResources": account.may_assign_resources,
            "mayPayForConsumers": account.may_pay_for_consumers,
            "resourceGroups": account.resource_groups.iter().map(|group| &**group).collect::<Vec<_>>(),
            "servicesMade": account.services_made,
            "endpointsMade": account.endpoints_made,
        })
    });
    let loads = state.loads();
    let variants = TABLE.iter().map(|row| (row.name.to_owned(), state.variants.value(row.variant).into()));
    json!({
        "now": cloud.clock.now().to_string(),
        "openTransitions": cloud.open_transitions(),
        "accounts": accounts.collect::<Vec<_>>(),
        "services": state.services.values().map(|service| of_service(state, &loads, service)).collect::<Vec<_>>(),
        "endpoints": state.endpoints.values().map(|endpoint| of_endpoint(state, endpoint)).collect::<Vec<_>>(),
        "callsInFlight": state.in_flight.len(),
        "variants": Value::Object(variants.collect()),
    })
}

fn of_service(state: &State, loads: &Loads, service: &Service) -> Value {
    let resources = service.resources.iter().map(|((balancer, zone), resource)| {
        let load = loads.get(&(service.id, (*balancer, *zone))).copied().unwrap_or_default();
        json!({
            "resourceId": balancer_name(state, *balancer),
            "zone": name::zone(state, *zone),
            "autoAllocated": resource.auto_allocate,
            "endpoints": load.current,
            "replacedEndpoints": load.replaced,
        })
    });
    let principals = service.principals.iter().map(|principal| match principal {
        Principal::Account(account) => account.0.to_string(),
        Principal::Arn(arn) => arn.to_string(),
    });
    let regions = service.consumer_regions.iter().map(|(region, standing)| {
        (name::region(state, *region).to_owned(), word::of_consumer_region(*standing).into())
    });
    json!({
        "id": name::of_service(service.id),
        "owner": service.owner.0,
        "region": name::region(state, service.region),
        "kind": word::of_balancer(service.kind),
        "status": word::of_service(service.status),
        "autoAccept": service.auto_accept,
        "connectBandwidthMbps": service.connect_bandwidth_mbps,
        "payer": word::of_payer(service.payer),
        "description": service.description.as_deref(),
        "zoneAffinity": service.zone_affinity,
        "ipVersion": word::of_ip_version(service.ip_version),
        "supportIpv6": service.support_ipv6,
        "resourceGroup": &*service.resource_group,
        "consumerRegions": Value::Object(regions.collect()),
        "resources": resources.collect::<Vec<_>>(),
        "principals": principals.collect::<Vec<_>>(),
        "tags": of_tags(&service.tags),
    })
}

fn of_endpoint(state: &State, endpoint: &Endpoint) -> Value {
    let groups = endpoint.groups.iter().map(|(group, membership)| {
        let name = state.land.group(*group).map_or_else(String::new, |group| group.name.clone());
        (name, word::of_membership(*membership).into())
    });
    let zones = endpoint.zones.iter().map(|(zone, leg)| of_leg(state, endpoint, *zone, leg));
    json!({
        "id": name::of_endpoint(endpoint.id),
        "owner": endpoint.owner.0,
        "region": name::region(state, endpoint.region),
        "service": name::of_service(endpoint.service),
        "serviceRegion": name::region(state, endpoint.service_region),
        "kind": word::of_endpoint_kind(endpoint.kind),
        "vpc": state.land.vpc(endpoint.vpc).map(|vpc| &vpc.name),
        "status": word::of_endpoint(endpoint.status),
        "name": endpoint.name.as_deref(),
        "description": endpoint.description.as_deref(),
        "policy": endpoint.policy.as_deref(),
        "protected": endpoint.protected,
        "ipVersion": word::of_ip_version(endpoint.ip_version),
        "zoneAffinity": endpoint.zone_affinity,
        "crossRegionBandwidthMbps": endpoint.cross_region_bandwidth_mbps,
        "resourceGroup": &*endpoint.resource_group,
        "groups": Value::Object(groups.collect()),
        "connection": {
            "status": word::of_connection(endpoint.connection.status),
            "bandwidthMbps": endpoint.connection.bandwidth_mbps,
            "trafficControl": word::of_traffic(endpoint.connection.traffic_control),
        },
        "zones": zones.collect::<Vec<_>>(),
        "tags": of_tags(&endpoint.tags),
    })
}

fn of_leg(state: &State, endpoint: &Endpoint, zone: ZoneId, leg: &Leg) -> Value {
    let replaced = leg.replaced.map(|side| {
        json!({
            "eni": name::of_interface(endpoint.id, side.interface),
            "ip": side.ip.to_string(),
            "resourceId": balancer_name(state, side.resource),
        })
    });
    json!({
        "zone": name::zone(state, zone),
        "status": format!("{:?}", leg.status),
        "switch": state.land.switch(leg.switch).map(|switch| &switch.name),
        "eni": name::of_interface(endpoint.id, leg.interface),
        "ip": leg.ip.to_string(),
        "ipv6": leg.ipv6.map(|address| address.to_string()),
        "resourceId": leg.resource.map(|resource| balancer_name(state, resource)),
        "carries": leg.carries(),
        "replaced": replaced,
    })
}

fn of_tags(tags: &Tags) -> Value {
    Value::Object(tags.iter().map(|(key, value)| (key.to_string(), (&**value).into())).collect())
}

fn balancer_name(state: &State, id: BalancerId) -> &str {
    state.land.balancer(id).map_or("", |balancer| balancer.name.as_str())
}

/// What happened so far.
#[must_use]
pub fn journal(cloud: &Cloud) -> Value {
    let (state, now) = (cloud.state(), cloud.clock.now());
    let counters = cloud.journal.counters();
    let counters = counters.map(|(action, code, count)| json!({"action": action, "code": code, "count": count}));
    let tracks = cloud.journal.witness().tracks().map(|((endpoint, zone), track)| {
        json!({
            "endpoint": name::of_endpoint(*endpoint),
            "zone": zone.map(|zone| name::zone(state, zone)),
            "up": track.is_up(),
            "gaps": track.gaps(),
            "gapSeconds": track.gap(now).as_secs_f64(),
            "changes": of_changes(track),
        })
    });
    json!({
        "now": now.to_string(),
        "calls": cloud.journal.calls().map(|call| json!(call)).collect::<Vec<_>>(),
        "counters": counters.collect::<Vec<_>>(),
        "witness": tracks.collect::<Vec<_>>(),
    })
}

fn of_changes(track: &Track) -> Vec<Value> {
    track.changes().map(|(at, up)| json!({"at": at.to_string(), "up": up})).collect()
}
