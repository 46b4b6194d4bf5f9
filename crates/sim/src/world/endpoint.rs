//! The consumer's calls: an endpoint's life, its zones and its security groups.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::call::{EndpointChange, EndpointForm, ZoneForm};
use super::id::{EndpointId, GroupId, InterfaceId, RegionId, SwitchId, VpcId, ZoneId};
use super::object::{
    BalancerKind, Connection, ConnectionStatus, ConsumerRegion, Endpoint, EndpointKind, EndpointStatus, IpVersion, Leg,
    LegStatus, Membership, Service, ServiceStatus, TrafficControl,
};
use super::service::{MAX_TAGS, allows, resource_group};
use super::variant::Variant;
use super::{Actor, Answer, Refusal, State};

/// Zones of one endpoint at the most.
const MAX_ZONES: usize = 10;
/// Security groups of one endpoint at the most.
const MAX_GROUPS: usize = 10;
/// Addresses at the start of a vSwitch that endpoint interfaces never get: network address and gateways.
const RESERVED_ADDRESSES: u32 = 4;

pub(super) fn create(state: &mut State, actor: Actor, at: RegionId, form: &EndpointForm) -> Result<Answer, Refusal> {
    let account = state.accounts.get(&actor.account).ok_or(Refusal::ProductNotOpen)?;
    if !account.product_open {
        return Err(Refusal::ProductNotOpen);
    }
    state.land.vpc(form.vpc).filter(|vpc| vpc.account == actor.account && vpc.region == at).ok_or(Refusal::NoVpc)?;
    let service_region = form.service_region.unwrap_or(at);
    let service = reachable_service(state, form, at, service_region)?;
    if !allows(service, actor.account) {
        return Err(Refusal::NotAuthorized);
    }
    let kind = form.kind.unwrap_or(EndpointKind::Interface);
    require_kind(state, service, kind)?;
    if form.policy.is_some() && !is_vendors(state, service) {
        return Err(Refusal::PolicyUnsupported);
    }
    if form.cross_region_bandwidth_mbps.is_some() && service_region == at {
        return Err(Refusal::NotCrossRegion);
    }
    let ip_version = form.ip_version.unwrap_or(IpVersion::V4);
    if ip_version > service.ip_version {
        return Err(Refusal::NoIpv6);
    }
    let in_vpc = || state.endpoints.values().filter(|endpoint| endpoint.vpc == form.vpc);
    if in_vpc().count() >= usize::from(account.max_endpoints_per_vpc) {
        return Err(Refusal::TooManyEndpoints);
    }
    let one_per_vpc = state.variants.value(Variant::OneEndpointPer) == "vpc";
    if one_per_vpc && in_vpc().any(|endpoint| endpoint.service == form.service) {
        return Err(Refusal::EndpointDuplicated);
    }
    if form.tags.len() > MAX_TAGS {
        return Err(Refusal::TooManyTags);
    }
    let groups = memberships(state, kind, form)?;
    let id = EndpointId { maker: actor.account, number: account.endpoints_made + 1 };
    let mut endpoint = Endpoint {
        id,
        owner: actor.account,
        creator: actor.identity,
        region: at,
        service: form.service,
        service_region,
        kind,
        vpc: form.vpc,
        status: EndpointStatus::Creating,
        name: form.name.clone(),
        description: form.description.clone(),
        policy: form.policy.clone(),
        protected: form.protected && actor.session,
        ip_version,
        zone_affinity: form.zone_affinity,
        cross_region_bandwidth_mbps: form.cross_region_bandwidth_mbps,
        resource_group: resource_group(account, form.resource_group.as_ref())?,
        tags: form.tags.clone(),
        has_groups: !groups.is_empty(),
        groups,
        connection: new_connection(service),
        zones: BTreeMap::new(),
        interfaces_made: 0,
    };
    for zone in &form.zones {
        add_leg(state, service, &mut endpoint, zone)?;
    }
    if let Some(account) = state.accounts.get_mut(&actor.account) {
        account.endpoints_made = id.number;
    }
    state.endpoints.insert(id, endpoint);
    Ok(Answer::Endpoint(id))
}

pub(super) fn update(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: EndpointId,
    change: &EndpointChange,
) -> Result<Answer, Refusal> {
    let endpoint = changeable(state, actor, at, id)?;
    let service = state.services.get(&endpoint.service).ok_or(Refusal::ServiceDeleted)?;
    if endpoint.connection.status.in_transition() {
        return Err(Refusal::ConnectionInTransition);
    }
    if change.policy.is_some() && !is_vendors(state, service) {
        return Err(Refusal::PolicyUnsupported);
    }
    if change.cross_region_bandwidth_mbps.is_some() && endpoint.service_region == endpoint.region {
        return Err(Refusal::NotCrossRegion);
    }
    if change.ip_version.is_some_and(|version| version > service.ip_version) {
        return Err(Refusal::NoIpv6);
    }
    if change.ip_version.is_some_and(|version| version < endpoint.ip_version) {
        return Err(Refusal::Downgrade);
    }
    let endpoint = state.endpoints.get_mut(&id).ok_or(Refusal::NoEndpoint)?;
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
    endpoint.ip_version = change.ip_version.unwrap_or(endpoint.ip_version);
    endpoint.zone_affinity = change.zone_affinity.unwrap_or(endpoint.zone_affinity);
    if change.cross_region_bandwidth_mbps.is_some() {
        endpoint.cross_region_bandwidth_mbps = change.cross_region_bandwidth_mbps;
    }
    Ok(Answer::Done)
}

pub(super) fn delete(state: &mut State, actor: Actor, at: RegionId, id: EndpointId) -> Result<Answer, Refusal> {
    let endpoint = guarded(state, actor, at, id)?;
    if endpoint.status != EndpointStatus::Active || endpoint.connection.status.in_transition() {
        return Err(Refusal::EndpointNotActive);
    }
    if !endpoint.zones.is_empty() {
        return Err(Refusal::EndpointHasZones);
    }
    if let Some(endpoint) = state.endpoints.get_mut(&id) {
        endpoint.status = EndpointStatus::Deleting;
        endpoint.connection.status = ConnectionStatus::Deleting;
    }
    Ok(Answer::Done)
}

pub(super) fn add_zone(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: EndpointId,
    form: &ZoneForm,
) -> Result<Answer, Refusal> {
    let mut endpoint = changeable(state, actor, at, id)?.clone();
    let service = live_service(state, &endpoint)?;
    if endpoint.connection.status.in_transition() {
        return Err(Refusal::ConnectionInTransition);
    }
    add_leg(state, service, &mut endpoint, form)?;
    state.endpoints.insert(id, endpoint);
    Ok(Answer::Done)
}

pub(super) fn remove_zone(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: EndpointId,
    zone: ZoneId,
) -> Result<Answer, Refusal> {
    let endpoint = guarded(state, actor, at, id)?;
    if endpoint.status != EndpointStatus::Active {
        return Err(Refusal::EndpointNotActive);
    }
    if endpoint.connection.status.in_transition() {
        return Err(Refusal::ConnectionInTransition);
    }
    let leg = endpoint.zones.get(&zone).filter(|leg| leg.status != LegStatus::Deleting).ok_or(Refusal::NoZone)?;
    if leg.in_transition() {
        return Err(Refusal::EndpointNotActive);
    }
    if let Some(leg) = state.endpoints.get_mut(&id).and_then(|endpoint| endpoint.zones.get_mut(&zone)) {
        *leg = Leg { status: LegStatus::Deleting, replaced: None, ..leg.given(zone, None) };
    }
    Ok(Answer::Done)
}

pub(super) fn attach_group(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: EndpointId,
    group: GroupId,
) -> Result<Answer, Refusal> {
    let endpoint = changeable(state, actor, at, id)?;
    live_service(state, endpoint)?;
    if endpoint.connection.status.in_transition() {
        return Err(Refusal::ConnectionInTransition);
    }
    let enterprise = joinable(state, endpoint.vpc, group)?;
    if !endpoint.has_groups {
        return Err(Refusal::NoGroupsEver);
    }
    if endpoint.groups.contains_key(&group) {
        return Err(Refusal::GroupJoined);
    }
    if endpoint.groups.keys().any(|member| state.land.group(*member).is_some_and(|one| one.enterprise != enterprise)) {
        return Err(Refusal::GroupKindsMixed);
    }
    if endpoint.groups.len() >= MAX_GROUPS {
        return Err(Refusal::TooManyGroups);
    }
    set_membership(state, id, group, Membership::Attaching);
    Ok(Answer::Done)
}

pub(super) fn detach_group(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: EndpointId,
    group: GroupId,
) -> Result<Answer, Refusal> {
    let endpoint = changeable(state, actor, at, id)?;
    live_service(state, endpoint)?;
    if endpoint.connection.status.in_transition() {
        return Err(Refusal::ConnectionInTransition);
    }
    if !endpoint.groups.contains_key(&group) {
        return Err(Refusal::NoGroup);
    }
    if endpoint.groups.len() == 1 {
        return Err(Refusal::LastGroup);
    }
    set_membership(state, id, group, Membership::Detaching);
    Ok(Answer::Done)
}

/// A free IPv4 address of the vSwitch that is not in `also_taken` either: the lowest.
pub(super) fn free_address(state: &State, id: SwitchId, also_taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let switch = state.land.switch(id)?;
    let taken: BTreeSet<Ipv4Addr> = addresses_in(state, id).chain(also_taken.iter().copied()).collect();
    if taken.len() >= usize::from(switch.free) {
        return None;
    }
    (RESERVED_ADDRESSES..hosts(switch.prefix))
        .map(|host| host_address(switch.base, host))
        .find(|one| !taken.contains(one))
}

/// IPv4 addresses of endpoint interfaces in a vSwitch, replaced ones included.
pub(super) fn addresses_in(state: &State, id: SwitchId) -> impl Iterator<Item = Ipv4Addr> {
    state
        .endpoints
        .values()
        .flat_map(|endpoint| endpoint.zones.values())
        .filter(move |leg| leg.switch == id)
        .flat_map(|leg| std::iter::once(leg.ip).chain(leg.replaced_apart().map(|side| side.ip)))
}

/// IPv6 addresses of endpoint interfaces in a vSwitch; a smooth migration keeps its zone's.
fn addresses_v6_in(state: &State, id: SwitchId) -> impl Iterator<Item = Ipv6Addr> {
    let legs = state.endpoints.values().flat_map(|endpoint| endpoint.zones.values());
    legs.filter(move |leg| leg.switch == id).filter_map(|leg| leg.ipv6)
}

/// The IPv6 address of `host` in the vSwitch, or the lowest free one.
fn free_address_v6(state: &State, id: SwitchId, base: Ipv6Addr, host: u32) -> Option<Ipv6Addr> {
    let taken: BTreeSet<Ipv6Addr> = addresses_v6_in(state, id).collect();
    let hosts = std::iter::once(host).chain(RESERVED_ADDRESSES..=0xffff);
    hosts.map(|host| Ipv6Addr::from(u128::from(base) + u128::from(host))).find(|one| !taken.contains(one))
}

fn hosts(prefix: u8) -> u32 {
    // The last address of the range is the broadcast address.
    (1_u32 << u32::from(32_u8.saturating_sub(prefix)).min(16)) - 1
}

fn host_address(base: Ipv4Addr, host: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(base).wrapping_add(host))
}

fn reachable_service<'a>(
    state: &'a State,
    form: &EndpointForm,
    at: RegionId,
    service_region: RegionId,
) -> Result<&'a Service, Refusal> {
    let service = state
        .services
        .get(&form.service)
        .filter(|service| service.region == service_region)
        .filter(|service| service_region == at || service.consumer_regions.get(&at) == Some(&ConsumerRegion::Available))
        .ok_or(Refusal::NoService)?;
    match service.status {
        ServiceStatus::Active => Ok(service),
        ServiceStatus::Deleting => Err(Refusal::ServiceDeleted),
        ServiceStatus::Creating | ServiceStatus::Pending => Err(Refusal::ServiceNotActive),
    }
}

fn require_kind(state: &State, service: &Service, kind: EndpointKind) -> Result<(), Refusal> {
    let fits = match kind {
        EndpointKind::GatewayLoadBalancer => service.kind == BalancerKind::Gwlb,
        EndpointKind::Interface => service.kind != BalancerKind::Gwlb,
        EndpointKind::Reverse => is_vendors(state, service),
    };
    if fits { Ok(()) } else { Err(Refusal::EndpointKindMismatch) }
}

fn is_vendors(state: &State, service: &Service) -> bool {
    state.accounts.get(&service.owner).is_some_and(|owner| owner.vendor)
}

fn memberships(
    state: &State,
    kind: EndpointKind,
    form: &EndpointForm,
) -> Result<BTreeMap<GroupId, Membership>, Refusal> {
    let wanted = kind != EndpointKind::GatewayLoadBalancer && state.variants.is_on(Variant::GroupsRequired);
    if form.groups.is_empty() && wanted {
        return Err(Refusal::LastGroup);
    }
    if form.groups.len() > MAX_GROUPS {
        return Err(Refusal::TooManyGroups);
    }
    let mut kinds = form.groups.iter().map(|group| joinable(state, form.vpc, *group)).collect::<Result<Vec<_>, _>>()?;
    kinds.dedup();
    if kinds.len() > 1 {
        return Err(Refusal::GroupKindsMixed);
    }
    Ok(form.groups.iter().map(|group| (*group, Membership::Attached)).collect())
}

/// Whether the group is an enterprise one, if an endpoint of that VPC may join it.
fn joinable(state: &State, vpc: VpcId, group: GroupId) -> Result<bool, Refusal> {
    let group = state.land.group(group).filter(|one| one.vpc == vpc).ok_or(Refusal::NoGroup)?;
    if group.managed { Err(Refusal::GroupUnsupported) } else { Ok(group.enterprise) }
}

fn set_membership(state: &mut State, id: EndpointId, group: GroupId, membership: Membership) {
    if let Some(endpoint) = state.endpoints.get_mut(&id) {
        endpoint.groups.insert(group, membership);
        endpoint.status = EndpointStatus::Pending;
    }
}

fn new_connection(service: &Service) -> Connection {
    Connection {
        status: ConnectionStatus::Disconnected,
        bandwidth_mbps: service.connect_bandwidth_mbps.unwrap_or(BalancerKind::DEFAULT_BANDWIDTH_MBPS),
        traffic_control: match service.kind {
            BalancerKind::Nlb | BalancerKind::Gwlb => TrafficControl::Scalability,
            BalancerKind::Clb | BalancerKind::Alb => TrafficControl::BandwidthLimit,
        },
    }
}

fn add_leg(state: &State, service: &Service, endpoint: &mut Endpoint, form: &ZoneForm) -> Result<(), Refusal> {
    let most = if endpoint.kind == EndpointKind::GatewayLoadBalancer { 1 } else { MAX_ZONES };
    let switch = state.land.switch(form.switch).filter(|one| one.vpc == endpoint.vpc).ok_or(Refusal::NoSwitch)?;
    let zone = form.zone.unwrap_or(switch.zone);
    if switch.zone != zone {
        return Err(Refusal::NoSwitch);
    }
    if !switch.available {
        return Err(Refusal::SwitchNotAvailable);
    }
    if endpoint.zones.contains_key(&zone) {
        return Err(Refusal::ZoneDuplicated);
    }
    let twin = |other: &Endpoint| {
        let alike = (other.vpc, other.service) == (endpoint.vpc, endpoint.service) && other.id != endpoint.id;
        alike && other.zones.contains_key(&zone)
    };
    if state.variants.value(Variant::OneEndpointPer) == "zone" && state.endpoints.values().any(twin) {
        return Err(Refusal::EndpointDuplicated);
    }
    if endpoint.zones.len() >= most {
        return Err(Refusal::TooManyZones);
    }
    // Zones have names of their own in each region: a cross-region leg ends in any zone of the service.
    let served = service.resources.keys().any(|(_, at)| endpoint.is_cross_region() || *at == zone);
    if !served {
        return Err(Refusal::ZoneWithoutResource);
    }
    let beside: Vec<Ipv4Addr> =
        endpoint.zones.values().filter(|leg| leg.switch == form.switch).map(|leg| leg.ip).collect();
    let ip = match form.ip {
        None => free_address(state, form.switch, &beside).ok_or(Refusal::NoFreeAddress)?,
        Some(asked) => {
            let host = u32::from(asked).wrapping_sub(u32::from(switch.base));
            let in_range = (RESERVED_ADDRESSES..hosts(switch.prefix)).contains(&host);
            let taken = addresses_in(state, form.switch).any(|one| one == asked) || beside.contains(&asked);
            if !in_range || taken {
                return Err(Refusal::AddressUnavailable);
            }
            free_address(state, form.switch, &beside).map(|_| asked).ok_or(Refusal::NoFreeAddress)?
        }
    };
    let ipv6 = match (endpoint.ip_version, switch.base_v6, form.ipv6) {
        (IpVersion::V4, _, None) => None,
        (IpVersion::DualStack, Some(base), None) => {
            let host = u32::from(ip) & 0xffff;
            Some(free_address_v6(state, form.switch, base, host).ok_or(Refusal::NoFreeAddress)?)
        }
        (IpVersion::DualStack, Some(base), Some(asked)) => {
            let of_switch = u128::from(asked) >> 64 == u128::from(base) >> 64;
            if !of_switch || addresses_v6_in(state, form.switch).any(|taken| taken == asked) {
                return Err(Refusal::AddressUnavailable);
            }
            Some(asked)
        }
        (IpVersion::V4, _, Some(_)) | (IpVersion::DualStack, None, _) => return Err(Refusal::AddressUnavailable),
    };
    endpoint.interfaces_made += 1;
    let interface = InterfaceId(endpoint.interfaces_made);
    let leg = Leg {
        status: LegStatus::Creating,
        switch: form.switch,
        interface,
        ip,
        ipv6,
        resource: None,
        served_in: None,
        replaced: None,
    };
    endpoint.zones.insert(zone, leg);
    Ok(())
}

fn live_service<'a>(state: &'a State, endpoint: &Endpoint) -> Result<&'a Service, Refusal> {
    state
        .services
        .get(&endpoint.service)
        .filter(|service| service.status != ServiceStatus::Deleting)
        .ok_or(Refusal::ServiceDeleted)
}

/// The endpoint that `actor` owns in the call's region.
pub(super) fn owned(state: &State, actor: Actor, at: RegionId, id: EndpointId) -> Result<&Endpoint, Refusal> {
    state
        .endpoints
        .get(&id)
        .filter(|endpoint| endpoint.owner == actor.account)
        .filter(|endpoint| endpoint.region == at || endpoint.answers_in(at, &state.variants))
        .ok_or(Refusal::NoEndpoint)
}

/// The endpoint, if this caller is let past its protection.
fn guarded(state: &State, actor: Actor, at: RegionId, id: EndpointId) -> Result<&Endpoint, Refusal> {
    let endpoint = owned(state, actor, at, id)?;
    let stranger = endpoint.creator != actor.identity && state.variants.value(Variant::ProtectedFor) != "account";
    if endpoint.protected && stranger { Err(Refusal::EndpointProtected) } else { Ok(endpoint) }
}

/// The endpoint, if a call may change it now.
fn changeable(state: &State, actor: Actor, at: RegionId, id: EndpointId) -> Result<&Endpoint, Refusal> {
    let endpoint = guarded(state, actor, at, id)?;
    if state.accounts.get(&endpoint.owner).is_some_and(|account| account.locked) {
        return Err(Refusal::EndpointLocked);
    }
    if endpoint.status != EndpointStatus::Active {
        return Err(Refusal::EndpointNotActive);
    }
    Ok(endpoint)
}
