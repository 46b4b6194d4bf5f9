//! What moves by itself. The world has no clock: a transition is open, and whoever drives the world (a
//! timetable, a test, a model checker) says which one is due.

use super::State;
use super::call::ObjectId;
use super::id::{EndpointId, RegionId, ServiceId, ZoneId};
use super::object::{
    ConnectionStatus, ConsumerRegion, Endpoint, EndpointStatus, Leg, LegStatus, Membership, Service, ServiceStatus,
};
use super::service::{migrates, pick};
use super::variant::Variant;

/// One transition that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// A service that is made, changed or deleted settles.
    Service(ServiceId),
    /// A consumer region opens or closes.
    ConsumerRegion(ServiceId, RegionId),
    /// An endpoint that is made, changed or deleted settles.
    Endpoint(EndpointId),
    /// A connection that is made, changed or cut settles.
    Connection(EndpointId),
    /// A zone that is made, connected, replaced, cut or removed settles.
    Zone(EndpointId, ZoneId),
}

/// Every transition that is open, in the order of their ids.
#[must_use]
pub fn progress(state: &State) -> Vec<Progress> {
    let services = state.services.values().flat_map(|service| of_service(state, service));
    services.chain(state.endpoints.values().flat_map(of_endpoint)).collect()
}

impl Progress {
    /// What it is a transition of.
    #[must_use]
    pub fn object(self) -> ObjectId {
        match self {
            Self::Service(id) | Self::ConsumerRegion(id, _) => ObjectId::Service(id),
            Self::Endpoint(id) | Self::Connection(id) | Self::Zone(id, _) => ObjectId::Endpoint(id),
        }
    }

    /// The transitions of one object that are open.
    #[must_use]
    pub fn of(state: &State, object: ObjectId) -> Vec<Self> {
        match object {
            ObjectId::Service(id) => state.services.get(&id).map(|service| of_service(state, service)),
            ObjectId::Endpoint(id) => state.endpoints.get(&id).map(of_endpoint),
        }
        .unwrap_or_default()
    }
}

fn of_service(state: &State, service: &Service) -> Vec<Progress> {
    // A replacement ends before its service is active again.
    let settles = match service.status {
        ServiceStatus::Creating | ServiceStatus::Deleting => true,
        ServiceStatus::Pending => !migrates(state, service.id),
        ServiceStatus::Active => false,
    };
    let mut open = Vec::new();
    if settles {
        open.push(Progress::Service(service.id));
    }
    for (region, standing) in &service.consumer_regions {
        if matches!(standing, ConsumerRegion::Pending | ConsumerRegion::Deleting) {
            open.push(Progress::ConsumerRegion(service.id, *region));
        }
    }
    open
}

fn of_endpoint(endpoint: &Endpoint) -> Vec<Progress> {
    let mut open = Vec::new();
    if endpoint.status != EndpointStatus::Active {
        open.push(Progress::Endpoint(endpoint.id));
    }
    let connection = endpoint.connection.status;
    if connection.in_transition() && connection != ConnectionStatus::Deleting {
        open.push(Progress::Connection(endpoint.id));
    }
    for (zone, leg) in &endpoint.zones {
        // Interfaces are made once their endpoint is.
        let waits = leg.status == LegStatus::Creating && endpoint.status == EndpointStatus::Creating;
        if leg.in_transition() && !waits {
            open.push(Progress::Zone(endpoint.id, *zone));
        }
    }
    open
}

/// The world once the transition `due` is over; unchanged where it is not open.
#[must_use]
pub fn advance(state: &State, due: Progress) -> State {
    let mut next = state.clone();
    settle(&mut next, due);
    next
}

/// The same, in place: for whoever drives a large world and needs no copy of it.
pub fn settle(state: &mut State, due: Progress) {
    if !Progress::of(state, due.object()).contains(&due) {
        return;
    }
    match due {
        Progress::Service(id) => settle_service(state, id),
        Progress::ConsumerRegion(id, region) => settle_region(state, id, region),
        Progress::Endpoint(id) => settle_endpoint(state, id),
        Progress::Connection(id) => settle_connection(state, id),
        Progress::Zone(id, zone) => settle_zone(state, id, zone),
    }
}

fn settle_service(state: &mut State, id: ServiceId) {
    let Some(service) = state.services.get_mut(&id) else { return };
    if service.status != ServiceStatus::Deleting {
        service.status = ServiceStatus::Active;
        return;
    }
    state.services.remove(&id);
    let orphans: Vec<EndpointId> = state.endpoints_of(id).map(|endpoint| endpoint.id).collect();
    for orphan in orphans {
        let Some(endpoint) = state.endpoints.get_mut(&orphan) else { continue };
        if endpoint.connection.status != ConnectionStatus::Deleting {
            endpoint.connection.status = ConnectionStatus::ServiceDeleted;
        }
        for leg in endpoint.zones.values_mut().filter(|leg| !leg.in_transition()) {
            leg.status = LegStatus::Disconnected;
        }
    }
}

fn settle_region(state: &mut State, id: ServiceId, region: RegionId) {
    let standing = state.services.get_mut(&id).and_then(|service| service.consumer_regions.get_mut(&region));
    if let Some(standing) = standing {
        *standing = match *standing {
            ConsumerRegion::Deleting => ConsumerRegion::Closed,
            _ => ConsumerRegion::Available,
        };
    }
}

fn settle_endpoint(state: &mut State, id: EndpointId) {
    let Some(endpoint) = state.endpoints.get(&id) else { return };
    match endpoint.status {
        EndpointStatus::Deleting => {
            state.endpoints.remove(&id);
        }
        EndpointStatus::Creating => {
            let accepted = is_accepted_by_cloud(state, endpoint);
            if let Some(endpoint) = state.endpoints.get_mut(&id) {
                endpoint.status = EndpointStatus::Active;
                if accepted {
                    // Its interfaces are made from now on, and join a connection that stands.
                    endpoint.connection.status = ConnectionStatus::Connecting;
                }
            }
        }
        EndpointStatus::Pending | EndpointStatus::Active => {
            if let Some(endpoint) = state.endpoints.get_mut(&id) {
                endpoint.status = EndpointStatus::Active;
                endpoint.groups.retain(|_, membership| *membership != Membership::Detaching);
                endpoint.groups.values_mut().for_each(|membership| *membership = Membership::Attached);
            }
        }
    }
}

/// The service of a fresh endpoint accepts by itself and can.
fn is_accepted_by_cloud(state: &State, endpoint: &Endpoint) -> bool {
    let service = state.services.get(&endpoint.service);
    service.is_some_and(|service| service.auto_accept && service.status != ServiceStatus::Deleting)
}

fn settle_connection(state: &mut State, id: EndpointId) {
    if let Some(endpoint) = state.endpoints.get_mut(&id) {
        let connection = &mut endpoint.connection;
        connection.status = match connection.status {
            ConnectionStatus::Connecting | ConnectionStatus::Pending => ConnectionStatus::Connected,
            ConnectionStatus::Disconnecting => ConnectionStatus::Disconnected,
            settled => settled,
        };
    }
}

fn settle_zone(state: &mut State, id: EndpointId, zone: ZoneId) {
    let Some(endpoint) = state.endpoints.get(&id) else { return };
    let Some(leg) = endpoint.zones.get(&zone) else { return };
    let next = match leg.status {
        LegStatus::Creating => Some(made(state, endpoint, zone, leg)),
        LegStatus::Connecting => Some(Leg { status: LegStatus::Connected, ..*leg }),
        LegStatus::Replacing | LegStatus::Closing => Some(Leg { status: LegStatus::Connected, replaced: None, ..*leg }),
        LegStatus::Migrating => Some(Leg { status: LegStatus::Migrated, ..*leg }),
        LegStatus::Disconnecting => Some(Leg { status: LegStatus::Disconnected, replaced: None, ..*leg }),
        LegStatus::Deleting => None,
        LegStatus::Wait | LegStatus::Connected | LegStatus::Migrated | LegStatus::Disconnected => Some(*leg),
    };
    if let Some(endpoint) = state.endpoints.get_mut(&id) {
        match next {
            Some(leg) => endpoint.zones.insert(zone, leg),
            None => endpoint.zones.remove(&zone),
        };
    }
}

/// A zone whose interface has just been made: it waits, or joins a connection that stands.
fn made(state: &State, endpoint: &Endpoint, zone: ZoneId, leg: &Leg) -> Leg {
    let waiting = Leg { status: LegStatus::Wait, ..*leg };
    let stands = matches!(
        endpoint.connection.status,
        ConnectionStatus::Connecting | ConnectionStatus::Connected | ConnectionStatus::Pending
    );
    let Some(service) = state.services.get(&endpoint.service) else {
        return Leg { status: LegStatus::Disconnected, ..*leg };
    };
    let joins = stands && (service.auto_accept || !state.variants.is_on(Variant::AddedZoneWaits));
    match pick(state, service, endpoint, zone) {
        Some(resource) if joins => Leg { status: LegStatus::Connecting, ..leg.given(zone, Some(resource)) },
        _ => waiting,
    }
}
