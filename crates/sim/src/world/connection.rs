//! The provider's calls on a connection: accept, cut, bandwidth, and the resource behind each zone.

use super::call::{AcceptForm, Assignment, ConnectionKey, ResourceForm, Side};
use super::endpoint::free_address;
use super::id::{BalancerId, InterfaceId, RegionId, ZoneId};
use super::object::{
    BalancerKind, Connection, ConnectionStatus, Endpoint, EndpointStatus, Leg, LegStatus, ReplacedSide, Service,
    ServiceStatus, TrafficControl,
};
use super::service::{attached, owned, pick, require_active, solvent};
use super::variant::Variant;
use super::{Actor, Answer, Refusal, State};

pub(super) fn accept(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    key: ConnectionKey,
    form: &AcceptForm,
) -> Result<Answer, Refusal> {
    let (service, endpoint) = find(state, actor, at, key)?;
    solvent(state, service)?;
    if matches!(service.status, ServiceStatus::Creating | ServiceStatus::Deleting) {
        return Err(Refusal::ServiceNotActive);
    }
    match endpoint.connection.status {
        ConnectionStatus::Disconnected => {}
        ConnectionStatus::Connected if state.variants.is_on(Variant::AcceptConnectedRefused) => {
            return Err(Refusal::ConnectionState);
        }
        ConnectionStatus::Connected => return Ok(Answer::Done),
        _ => return Err(Refusal::ConnectionInTransition),
    }
    takes_calls(state, endpoint)?;
    if endpoint.zones.values().any(Leg::in_transition) {
        return Err(Refusal::ConnectionInTransition);
    }
    let connection = with_traffic(state, service, endpoint.connection, form)?;
    let mut zones = endpoint.zones.clone();
    for (zone, leg) in &mut zones {
        if leg.resource.is_none() && state.variants.is_on(Variant::AutoAssignOnEnable) {
            *leg = leg.given(*zone, pick(state, service, endpoint, *zone));
        }
        if leg.resource.is_none() {
            return Err(Refusal::NoAvailableResource);
        }
        leg.status = LegStatus::Connecting;
    }
    change(state, key, |endpoint| {
        endpoint.zones = zones;
        endpoint.connection = Connection { status: ConnectionStatus::Connecting, ..connection };
    });
    Ok(Answer::Done)
}

pub(super) fn reject(state: &mut State, actor: Actor, at: RegionId, key: ConnectionKey) -> Result<Answer, Refusal> {
    let (_, endpoint) = find(state, actor, at, key)?;
    if endpoint.connection.status.in_transition() || endpoint.zones.values().any(Leg::in_transition) {
        return Err(Refusal::ConnectionInTransition);
    }
    let connected = endpoint.connection.status == ConnectionStatus::Connected;
    let waiting = endpoint.zones.values().any(|leg| leg.status == LegStatus::Wait);
    if !connected && !waiting && state.variants.is_on(Variant::RejectDisconnectedRefused) {
        return Err(Refusal::ConnectionState);
    }
    let marks = connected || state.variants.is_on(Variant::RefusalMarksZones);
    change(state, key, |endpoint| {
        for leg in endpoint.zones.values_mut() {
            match leg.status {
                LegStatus::Connected | LegStatus::Migrated => leg.status = LegStatus::Disconnecting,
                LegStatus::Wait if marks => leg.status = LegStatus::Disconnected,
                _ => {}
            }
        }
        if connected {
            endpoint.connection.status = ConnectionStatus::Disconnecting;
        }
    });
    Ok(Answer::Done)
}

pub(super) fn update(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    key: ConnectionKey,
    form: AcceptForm,
) -> Result<Answer, Refusal> {
    let (service, endpoint) = find(state, actor, at, key)?;
    require_connected(endpoint)?;
    let connection = with_traffic(state, service, endpoint.connection, &form)?;
    change(state, key, |endpoint| {
        endpoint.connection = Connection { status: ConnectionStatus::Pending, ..connection };
    });
    Ok(Answer::Done)
}

pub(super) fn connect_zone(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    key: ConnectionKey,
    zone: ZoneId,
) -> Result<Answer, Refusal> {
    let (service, endpoint) = zone_call(state, actor, at, key)?;
    let leg = endpoint.zones.get(&zone).ok_or(Refusal::NoZone)?;
    let takes_wait = state.variants.is_on(Variant::ConnectZoneTakesWait);
    if !(leg.status == LegStatus::Disconnected || takes_wait && leg.status == LegStatus::Wait) {
        return Err(Refusal::ZoneState);
    }
    let resource =
        leg.served_by(zone).or_else(|| pick(state, service, endpoint, zone)).ok_or(Refusal::NoAvailableResource)?;
    change_leg(state, key, zone, |leg| {
        *leg = Leg { status: LegStatus::Connecting, ..leg.given(zone, Some(resource)) };
    });
    Ok(Answer::Done)
}

pub(super) fn disconnect_zone(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    key: ConnectionKey,
    zone: ZoneId,
    side: Side,
) -> Result<Answer, Refusal> {
    let (_, endpoint) = zone_call(state, actor, at, key)?;
    let leg = endpoint.zones.get(&zone).ok_or(Refusal::NoZone)?;
    let next = match (side, leg.status) {
        (Side::Replaced, LegStatus::Migrated) => LegStatus::Closing,
        (Side::Current, LegStatus::Connected) => LegStatus::Disconnecting,
        (Side::Current, LegStatus::Migrated) if state.variants.is_on(Variant::CutOfMigratedHitsCurrent) => {
            LegStatus::Disconnecting
        }
        _ => return Err(Refusal::ZoneState),
    };
    change_leg(state, key, zone, |leg| leg.status = next);
    Ok(Answer::Done)
}

pub(super) fn assign(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    key: ConnectionKey,
    zone: ZoneId,
    assignment: &Assignment,
) -> Result<Answer, Refusal> {
    let (service, endpoint) = find(state, actor, at, key)?;
    let leg = *endpoint.zones.get(&zone).ok_or(Refusal::NoZone)?;
    if !state.accounts.get(&actor.account).is_some_and(|account| account.may_assign_resources) {
        return Err(Refusal::AssignmentNotGranted);
    }
    solvent(state, service)?;
    require_active(state, service).map_err(|_| Refusal::ServiceBusy)?;
    takes_calls(state, endpoint)?;
    let next = match assignment {
        Assignment::Automatic => {
            require_disconnected(endpoint)?;
            require_still(leg)?;
            leg.given(zone, pick(state, service, endpoint, zone))
        }
        Assignment::Manual(form) => {
            require_disconnected(endpoint)?;
            require_still(leg)?;
            leg.given(zone, Some(target(state, service, endpoint, zone, form)?))
        }
        Assignment::ReplaceGracefully(form) => replaced(state, service, endpoint, zone, form, LegStatus::Migrating)?,
        Assignment::ReplaceForcibly(form) => replaced(state, service, endpoint, zone, form, LegStatus::Replacing)?,
    };
    if next.resource.is_none() {
        return Err(Refusal::ZoneNotReplaceable);
    }
    change(state, key, |endpoint| {
        endpoint.interfaces_made = endpoint.interfaces_made.max(next.interface.0);
        endpoint.zones.insert(zone, next);
    });
    if let Some(service) = state.services.get_mut(&key.service) {
        service.status = ServiceStatus::Pending;
    }
    Ok(Answer::Done)
}

/// The leg as it is once its replacement has begun.
fn replaced(
    state: &State,
    service: &Service,
    endpoint: &Endpoint,
    zone: ZoneId,
    form: &ResourceForm,
    status: LegStatus,
) -> Result<Leg, Refusal> {
    require_connected(endpoint)?;
    let leg = *endpoint.zones.get(&zone).ok_or(Refusal::NoZone)?;
    let takes_cut = state.variants.is_on(Variant::ReplaceTakesDisconnected);
    if !(leg.status == LegStatus::Connected || takes_cut && leg.status == LegStatus::Disconnected) {
        return Err(Refusal::ZoneNotReplaceable);
    }
    let to = target(state, service, endpoint, zone, form)?;
    let from = leg.served_by(zone).filter(|from| from.0 != to.0).ok_or(Refusal::ZoneNotReplaceable)?;
    if service.resources.get(&from).is_some_and(|resource| resource.auto_allocate) {
        return Err(Refusal::StillAutoAllocated);
    }
    let next = leg.given(zone, Some(to));
    if leg.status == LegStatus::Disconnected {
        return Ok(next);
    }
    let side = ReplacedSide { interface: leg.interface, ip: leg.ip, resource: from.0, served_in: leg.served_in };
    if status == LegStatus::Replacing {
        let named = state.variants.is_on(Variant::ForceShowsReplaced).then_some(side);
        return Ok(Leg { status, replaced: named, ..next });
    }
    let ip = free_address(state, leg.switch, &[]).ok_or(Refusal::ZoneNotReplaceable)?;
    Ok(Leg { status, ip, interface: InterfaceId(endpoint.interfaces_made + 1), replaced: Some(side), ..next })
}

/// The attached resource that an assignment names, if it can serve this zone of `endpoint`.
fn target(
    state: &State,
    service: &Service,
    endpoint: &Endpoint,
    zone: ZoneId,
    form: &ResourceForm,
) -> Result<(BalancerId, ZoneId), Refusal> {
    let kind = state.land.balancer(form.balancer).map_or(service.kind, |balancer| balancer.kind);
    if !matches!(kind, BalancerKind::Clb | BalancerKind::Alb) || form.kind.is_some_and(|named| named != kind) {
        return Err(Refusal::KindNotAssignable);
    }
    if endpoint.is_cross_region() && service.kind == kind {
        // The call names the endpoint's zone: of the load balancer's own, the least loaded one serves.
        let attached = service.resources.keys().filter(|(balancer, _)| *balancer == form.balancer).copied();
        let least = attached.min_by_key(|key| (state.load_of(service.id, *key).current, *key));
        return least.ok_or(Refusal::ResourceNotAttached);
    }
    let in_zone = ResourceForm { zone: Some(zone), ..*form };
    attached(service, &in_zone).map_err(|refusal| {
        let elsewhere = service.resources.keys().any(|(balancer, _)| *balancer == form.balancer);
        if elsewhere { Refusal::ResourceInOtherZone } else { refusal }
    })
}

fn find(state: &State, actor: Actor, at: RegionId, key: ConnectionKey) -> Result<(&Service, &Endpoint), Refusal> {
    let endpoint = state.endpoints.get(&key.endpoint).filter(|endpoint| endpoint.service == key.service);
    let from_its_end = endpoint.filter(|endpoint| endpoint.answers_in(at, &state.variants));
    let home = from_its_end.map_or(at, |endpoint| endpoint.service_region);
    let service = owned(state, actor, home, key.service)?;
    Ok((service, endpoint.ok_or(Refusal::NoConnection)?))
}

/// What connecting and cutting a zone ask for alike.
fn zone_call(state: &State, actor: Actor, at: RegionId, key: ConnectionKey) -> Result<(&Service, &Endpoint), Refusal> {
    let (service, endpoint) = find(state, actor, at, key)?;
    solvent(state, service)?;
    require_active(state, service)?;
    require_connected(endpoint)?;
    takes_calls(state, endpoint)?;
    Ok((service, endpoint))
}

fn takes_calls(state: &State, endpoint: &Endpoint) -> Result<(), Refusal> {
    if endpoint.status != EndpointStatus::Active {
        return Err(Refusal::EndpointNotActive);
    }
    match state.accounts.get(&endpoint.owner) {
        Some(account) if account.locked => Err(Refusal::EndpointLocked),
        _ => Ok(()),
    }
}

fn require_connected(endpoint: &Endpoint) -> Result<(), Refusal> {
    match endpoint.connection.status {
        ConnectionStatus::Connected => Ok(()),
        status if status.in_transition() => Err(Refusal::ConnectionInTransition),
        _ => Err(Refusal::ConnectionState),
    }
}

fn require_disconnected(endpoint: &Endpoint) -> Result<(), Refusal> {
    match endpoint.connection.status {
        ConnectionStatus::Disconnected => Ok(()),
        status if status.in_transition() => Err(Refusal::ConnectionInTransition),
        _ => Err(Refusal::ConnectionState),
    }
}

fn require_still(leg: Leg) -> Result<(), Refusal> {
    if leg.in_transition() { Err(Refusal::ZoneNotReplaceable) } else { Ok(()) }
}

/// The connection with the traffic rules that `form` asks for, where the service's kind takes them.
fn with_traffic(
    state: &State,
    service: &Service,
    connection: Connection,
    form: &AcceptForm,
) -> Result<Connection, Refusal> {
    let is_nlb = service.kind == BalancerKind::Nlb;
    if is_nlb && form.bandwidth_mbps.is_some() && !state.variants.is_on(Variant::NlbTakesBandwidth) {
        return Err(Refusal::BandwidthUnsupported);
    }
    if form.bandwidth_mbps.is_some_and(|asked| !service.kind.bandwidth_mbps().contains(&asked)) {
        return Err(Refusal::BandwidthOutOfRange);
    }
    let takes = |asked| match service.kind {
        BalancerKind::Nlb => true,
        BalancerKind::Gwlb => asked == TrafficControl::Scalability,
        BalancerKind::Clb | BalancerKind::Alb => asked == TrafficControl::BandwidthLimit,
    };
    if form.traffic_control.is_some_and(|asked| !takes(asked)) {
        return Err(Refusal::BandwidthUnsupported);
    }
    Ok(Connection {
        bandwidth_mbps: form.bandwidth_mbps.unwrap_or(connection.bandwidth_mbps),
        traffic_control: form.traffic_control.unwrap_or(connection.traffic_control),
        ..connection
    })
}

fn change(state: &mut State, key: ConnectionKey, by: impl FnOnce(&mut Endpoint)) {
    if let Some(endpoint) = state.endpoints.get_mut(&key.endpoint) {
        by(endpoint);
    }
}

fn change_leg(state: &mut State, key: ConnectionKey, zone: ZoneId, by: impl FnOnce(&mut Leg)) {
    change(state, key, |endpoint| {
        if let Some(leg) = endpoint.zones.get_mut(&zone) {
            by(leg);
        }
    });
}
