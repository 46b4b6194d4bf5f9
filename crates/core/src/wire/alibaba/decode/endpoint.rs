//! The consumer's answers: endpoints, their interfaces and their security groups.

use super::{family, life_state, zone_state};
use crate::id::{EndpointId, GroupId, InterfaceId, Region, ServiceId, SubnetId, VpcId, Zone};
use crate::observed::{Endpoint, EndpointKind, Interface};
use crate::state::{ConnectionState, GroupState};
use crate::step::EndpointForm;
use crate::wire::Malformed;
use crate::wire::alibaba::fields::Fields;

/// An endpoint as reads show it. Reads by id do not show its tags, so none are taken from here.
pub(super) fn whole(from: &Fields<'_>) -> Result<Endpoint, Malformed> {
    let cloud_state = from.text("EndpointStatus").unwrap_or_default();
    Ok(Endpoint {
        id: EndpointId::from(from.id("EndpointId")?),
        state: life_state(&cloud_state),
        cloud_state,
        connection: connection(&from.text("ConnectionStatus").unwrap_or_default()),
        locked: from.text("EndpointBusinessStatus").is_some_and(|status| status != "Normal"),
        kind: from.text("EndpointType").and_then(|word| kind(&word)),
        name: from.text("EndpointName"),
        description: from.text("EndpointDescription"),
        vpc: from.text("VpcId").map(VpcId::from),
        service: from.text("ServiceId").map(ServiceId::from),
        service_name: from.text("ServiceName"),
        service_region: from.text("ServiceRegionId").map(Region::from),
        domain: from.text("EndpointDomain"),
        family: family(from.text("AddressIpVersion").as_deref()),
        zone_affinity: from.truth("ZoneAffinityEnabled"),
        cross_region_bandwidth_mbps: from.number("CrossRegionBandwidth"),
        policy: from.text("PolicyDocument"),
        protected: from.truth("ProtectedEnabled"),
        resource_group: from.text("ResourceGroupId"),
        tags: None,
    })
}

/// The answer to a create; what it lacks is as the form asked for it.
pub(super) fn created(from: &Fields<'_>, form: &EndpointForm) -> Result<Endpoint, Malformed> {
    let shown = whole(from)?;
    Ok(Endpoint {
        kind: Some(form.kind),
        name: shown.name.or_else(|| form.name.clone()),
        description: shown.description.or_else(|| form.description.clone()),
        vpc: Some(form.vpc.clone()),
        service: shown.service.or_else(|| form.service.clone()),
        service_name: shown.service_name.or_else(|| form.service_name.clone()),
        service_region: shown.service_region.or_else(|| form.service_region.clone()),
        family: form.family.unwrap_or(shown.family),
        zone_affinity: form.zone_affinity.unwrap_or(shown.zone_affinity),
        cross_region_bandwidth_mbps: form.cross_region_bandwidth_mbps.or(shown.cross_region_bandwidth_mbps),
        policy: shown.policy.or_else(|| form.policy.clone()),
        protected: form.protected.unwrap_or(shown.protected),
        resource_group: shown.resource_group.or_else(|| form.resource_group.clone()),
        tags: Some(form.tags.clone()),
        ..shown
    })
}

/// One interface. Its address is read where it is one; what is none is not there yet.
pub(super) fn interface(from: &Fields<'_>) -> Result<(SubnetId, Interface), Malformed> {
    let interface = Interface {
        zone: Zone::from(from.id("ZoneId")?),
        id: from.text("EniId").map(InterfaceId::from),
        ip: from.text("EniIp").and_then(|text| text.parse().ok()),
        ipv6: from.text("ZoneIpv6Address").and_then(|text| text.parse().ok()),
        domain: from.text("ZoneDomain"),
        state: zone_state(from),
    };
    Ok((SubnetId::from(from.id("VSwitchId")?), interface))
}

pub(super) fn group(from: &Fields<'_>) -> Result<(GroupId, GroupState), Malformed> {
    // The state is not in older answers, which show settled groups alone.
    let state = from.text("SecurityGroupStatus").map_or(GroupState::Attached, |word| GroupState::from(word.as_str()));
    Ok((GroupId::from(from.id("SecurityGroupId")?), state))
}

/// The cloud's word alone: whether a connection that is Disconnected was ever accepted, the interfaces tell.
fn connection(word: &str) -> ConnectionState {
    match word {
        "Pending" => ConnectionState::Modifying,
        other => ConnectionState::from(other),
    }
}

fn kind(word: &str) -> Option<EndpointKind> {
    match word {
        "Interface" => Some(EndpointKind::Interface),
        "GatewayLoadBalancer" => Some(EndpointKind::GatewayLoadBalancer),
        "Reverse" => Some(EndpointKind::Reverse),
        _ => None,
    }
}
