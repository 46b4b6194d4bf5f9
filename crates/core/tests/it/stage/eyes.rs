//! What the process sees of the world: reads as the observer makes them, and the world's words in core's.

use std::collections::{BTreeMap, BTreeSet};

use privatelink_core::id::{EndpointId, GroupId, ResourceId, ServiceId, Sort, SubnetId, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Connection, Endpoint, EndpointKind, EndpointView, Facet, Interface, Interfaces, Payer, RegionState,
    Resource, ResourceKey, ResourceKind, Service, ServiceView, TrafficControl, ZoneLeg,
};
use privatelink_core::principal::Principal;
use privatelink_core::read::FacetKey;
use privatelink_core::state::{ConnectionState, GroupState, LifeState, ZoneState};
use privatelink_sim::world::object::{
    BalancerKind, ConnectionStatus, ConsumerRegion, EndpointStatus, IpVersion, LegStatus, Membership,
    ServiceStatus as Status,
};
use privatelink_sim::world::variant::Variant;
use privatelink_sim::world::{self, RegionId, State};

use super::land::key;
use super::{Role, Stage};

impl<R: Role> Stage<R> {
    pub fn read(&mut self, facet: &FacetKey) {
        let at = self.now;
        self.reads.push(facet.clone());
        match facet {
            FacetKey::Services => self.list_services(at),
            FacetKey::Service(id) => {
                let found = self.service_of(id).map(|one| service(&self.world, one, false));
                self.snapshot.service_mut(id).service = Facet::seen(at, found);
            }
            FacetKey::Resources(id) => match self.service_of(id).map(|one| resources(&self.world, one)) {
                Some(found) => self.snapshot.service_mut(id).resources = Facet::seen(at, found),
                None => self.service_is_gone(id, at),
            },
            FacetKey::Connections(id) => match self.service_of(id).map(|one| connections(&self.world, one)) {
                Some(found) => self.see_connections(id, at, found),
                None => self.service_is_gone(id, at),
            },
            FacetKey::Principals(id) => match self.service_of(id).map(principals) {
                Some(found) => self.snapshot.service_mut(id).principals = Facet::seen(at, found),
                None => self.service_is_gone(id, at),
            },
            FacetKey::Endpoints => self.list_endpoints(at),
            FacetKey::Endpoint(id) => {
                let found = self.endpoint_of(id).map(|one| endpoint(&self.world, one, false));
                self.see_endpoint(id, at, found);
            }
            FacetKey::Interfaces(id) => match self.endpoint_of(id).map(|one| interfaces(&self.world, one)) {
                Some(found) => self.snapshot.endpoint_mut(id).interfaces = Facet::seen(at, found),
                None => self.see_endpoint(id, at, None),
            },
            FacetKey::Groups(id) => match self.endpoint_of(id).map(|one| groups(&self.world, one)) {
                Some(found) => self.snapshot.endpoint_mut(id).groups = Facet::seen(at, found),
                None => self.see_endpoint(id, at, None),
            },
        }
        self.overlay.prune(&self.snapshot, self.now);
    }

    fn list_services(&mut self, at: Moment) {
        let own = self.world.services.values().filter(|one| one.owner == R::ACTOR.account);
        let shown: Vec<Service> = own.map(|one| service(&self.world, one, true)).collect();
        let ids: BTreeSet<ServiceId> = shown.iter().map(|one| one.id.clone()).collect();
        let known = self.snapshot.present_services().count();
        self.vanished(Sort::Service, known >= 2 && ids.is_empty());
        for one in shown {
            let view = self.snapshot.service_mut(&one.id);
            view.service = Facet::seen(at, Some(one));
        }
        self.snapshot.listed_services = Facet::seen(at, ids);
    }

    fn list_endpoints(&mut self, at: Moment) {
        let own = self.world.endpoints.values().filter(|one| one.owner == R::ACTOR.account);
        let shown: Vec<Endpoint> = own.map(|one| endpoint(&self.world, one, true)).collect();
        let ids: BTreeSet<EndpointId> = shown.iter().map(|one| one.id.clone()).collect();
        let known = self.snapshot.wholes(Sort::Endpoint).len();
        self.vanished(Sort::Endpoint, known >= 2 && ids.is_empty());
        for one in shown {
            self.see_endpoint(&one.id.clone(), at, Some(one));
        }
        self.snapshot.listed_endpoints = Facet::seen(at, ids);
    }

    /// All that were known are missing from a list at once.
    fn vanished(&mut self, sort: Sort, all: bool) {
        if all {
            self.snapshot.vanished.insert(sort);
        } else {
            self.snapshot.vanished.remove(&sort);
        }
    }

    /// What a read finds to be gone has no parts any more.
    fn service_is_gone(&mut self, id: &ServiceId, at: Moment) {
        self.snapshot.service_mut(id).service = Facet::seen(at, None);
    }

    /// Where a state that lists show has changed, what no list shows may have, too.
    fn see_endpoint(&mut self, id: &EndpointId, at: Moment, seen: Option<Endpoint>) {
        let view = self.snapshot.endpoint_mut(id);
        if let (Some(Some(before)), Some(now)) = (view.endpoint.value(), &seen) {
            let telling = |one: &Endpoint| (one.state.clone(), one.connection.clone(), one.domain.clone());
            if telling(before) != telling(now) {
                view.stirred = Some(at);
            }
        }
        view.endpoint = Facet::seen(at, seen);
    }

    /// Legs of connections are the interfaces of endpoints, which may be in the same place.
    fn see_connections(&mut self, id: &ServiceId, at: Moment, seen: Vec<Connection>) {
        let legs = |connections: &[Connection]| -> BTreeMap<EndpointId, BTreeMap<Zone, ZoneLeg>> {
            connections.iter().map(|one| (one.endpoint.clone(), one.zones.clone())).collect()
        };
        let now = legs(&seen);
        let view: &mut ServiceView = self.snapshot.service_mut(id);
        let before = view.connections.value().map(|known| legs(known));
        view.connections = Facet::seen(at, seen);
        for (endpoint, legs) in before.into_iter().flatten() {
            if now.get(&endpoint) != Some(&legs) && self.snapshot.endpoints.contains_key(&endpoint) {
                let view: &mut EndpointView = self.snapshot.endpoint_mut(&endpoint);
                view.stirred = Some(at);
            }
        }
    }

    pub(super) fn service_of(&self, id: &ServiceId) -> Option<&world::Service> {
        self.world.services.values().find(|one| wire_id(one.id) == *id)
    }

    pub(super) fn endpoint_of(&self, id: &EndpointId) -> Option<&world::Endpoint> {
        self.world.endpoints.values().find(|one| endpoint_id(one.id) == *id)
    }
}

pub fn wire_id(id: world::ServiceId) -> ServiceId {
    format!("epsrv-{}-{}", id.maker.0, id.number).into()
}

/// The world's own id, whether there is such a service or not.
pub(super) fn world_id(id: &ServiceId) -> Option<world::ServiceId> {
    let (maker, number) = id.as_str().strip_prefix("epsrv-")?.split_once('-')?;
    Some(world::ServiceId { maker: world::AccountId(maker.parse().ok()?), number: number.parse().ok()? })
}

/// Most endpoints are the consumer's.
pub fn endpoint_id(id: world::EndpointId) -> EndpointId {
    if id.maker == super::CONSUMER.account {
        format!("ep-{}", id.number).into()
    } else {
        format!("ep-{}-{}", id.maker.0, id.number).into()
    }
}

const fn standing_of(standing: ConsumerRegion) -> Option<RegionState> {
    match standing {
        ConsumerRegion::Pending => Some(RegionState::Opening),
        ConsumerRegion::Available => Some(RegionState::Open),
        ConsumerRegion::Deleting => Some(RegionState::Closing),
        ConsumerRegion::Closed => None,
    }
}

pub(super) fn service(state: &State, one: &world::Service, with_tags: bool) -> Service {
    let (known, word) = match one.status {
        Status::Creating => (LifeState::Creating, "Creating"),
        Status::Active => (LifeState::Active, "Active"),
        Status::Pending => (LifeState::Modifying, "Pending"),
        Status::Deleting => (LifeState::Deleting, "Deleting"),
    };
    let region = |id: &RegionId| state.land.region(*id).map(|one| one.name.as_str().into());
    Service {
        id: wire_id(one.id),
        name: service_name(one.id),
        domain: None,
        state: known,
        cloud_state: word.into(),
        locked: state.accounts[&one.owner].locked,
        kind: Some(kind(one.kind)),
        description: one.description.as_deref().map(str::to_owned),
        auto_accept: one.auto_accept,
        payer: if one.payer == world::object::Payer::Endpoint { Payer::Consumer } else { Payer::Provider },
        zone_affinity: one.zone_affinity,
        default_bandwidth_mbps: Some(one.connect_bandwidth_mbps.unwrap_or(BalancerKind::DEFAULT_BANDWIDTH_MBPS)),
        bandwidth_mbps: Some((100, 10_240)),
        family: AddressFamily::V4,
        regions: one
            .consumer_regions
            .iter()
            .filter_map(|(id, standing)| Some((region(id)?, standing_of(*standing)?)))
            .collect(),
        resource_group: Some(one.resource_group.to_string()),
        tags: with_tags.then(|| tags(&one.tags)),
    }
}

const fn kind(of: BalancerKind) -> ResourceKind {
    match of {
        BalancerKind::Clb => ResourceKind::Clb,
        BalancerKind::Alb => ResourceKind::Alb,
        BalancerKind::Nlb => ResourceKind::Nlb,
        BalancerKind::Gwlb => ResourceKind::Gwlb,
    }
}

pub(super) fn service_name(id: world::ServiceId) -> String {
    format!("name-of-{}", wire_id(id))
}

fn tags(held: &world::object::Tags) -> privatelink_core::observed::Tags {
    held.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn resources(state: &State, one: &world::Service) -> BTreeMap<ResourceKey, Resource> {
    let count = |number: usize| u32::try_from(number).expect("few");
    one.resources
        .iter()
        .filter_map(|(at, resource)| {
            let load = state.load_of(one.id, *at);
            let held = Resource {
                kind: kind(one.kind),
                auto_allocate: resource.auto_allocate,
                connections: count(load.current),
                deprecated_connections: count(load.replaced),
            };
            Some((key(&state.land.balancer(at.0)?.name), held))
        })
        .collect()
}

/// As the list of accounts and the list of ARNs show them together.
fn principals(one: &world::Service) -> BTreeSet<Principal> {
    let shown = |principal: &world::object::Principal| match principal {
        world::object::Principal::Account(account) => Principal::from(account.0.to_string()),
        world::object::Principal::Arn(arn) => Principal::from(arn.to_string()),
    };
    one.principals.iter().map(shown).collect()
}

/// As the wire writes a principal.
pub fn world_principal(principal: &Principal) -> world::object::Principal {
    match principal.number() {
        Some(number) => world::object::Principal::Account(world::AccountId(number.parse().expect("a number"))),
        None => world::object::Principal::Arn(principal.as_str().into()),
    }
}

/// As the provider is shown it; the world settles what the vendor leaves open.
fn leg_state(state: &State, status: LegStatus) -> ZoneState {
    match status {
        LegStatus::Replacing if state.variants.is_on(Variant::ForceShowsMigrating) => ZoneState::Migrating,
        LegStatus::Closing if state.variants.is_on(Variant::CleanUpShowsDisconnecting) => ZoneState::Disconnecting,
        LegStatus::Closing => ZoneState::Migrated,
        other => zone_state(other),
    }
}

const fn zone_state(status: LegStatus) -> ZoneState {
    match status {
        LegStatus::Creating => ZoneState::Creating,
        LegStatus::Wait => ZoneState::Waiting,
        LegStatus::Connecting | LegStatus::Replacing => ZoneState::Connecting,
        LegStatus::Connected | LegStatus::Closing => ZoneState::Connected,
        LegStatus::Migrating => ZoneState::Migrating,
        LegStatus::Migrated => ZoneState::Migrated,
        LegStatus::Disconnecting => ZoneState::Disconnecting,
        LegStatus::Disconnected => ZoneState::Disconnected,
        LegStatus::Deleting => ZoneState::Deleting,
    }
}

fn connections(state: &State, one: &world::Service) -> Vec<Connection> {
    state.endpoints_of(one.id).map(|endpoint| connection(state, endpoint)).collect()
}

fn connection(state: &State, endpoint: &world::Endpoint) -> Connection {
    let zones: BTreeMap<Zone, ZoneLeg> = endpoint
        .zones
        .iter()
        .filter_map(|(id, leg)| {
            let named = |id| state.land.balancer(id).map(|one| ResourceId::from(one.name.as_str()));
            let leg = ZoneLeg {
                state: leg_state(state, leg.status),
                resource: leg.resource.and_then(named),
                interface: None,
                replaced_resource: leg.replaced.and_then(|side| named(side.resource)),
                replaced_interface: None,
            };
            Some((state.land.zone(*id)?.name.as_str().into(), leg))
        })
        .collect();
    let cut = zones.values().any(|leg| !leg.state.is_untouched());
    let (known, word) = match endpoint.connection.status {
        ConnectionStatus::Disconnected if !cut => (ConnectionState::AwaitingAcceptance, "Disconnected"),
        status => connection_state(status),
    };
    Connection {
        endpoint: endpoint_id(endpoint.id),
        owner: Some(endpoint.owner.0.to_string().into()),
        vpc: state.land.vpc(endpoint.vpc).map(|vpc| vpc.name.as_str().into()),
        region: state.land.region(endpoint.region).map(|one| one.name.as_str().into()),
        state: known,
        cloud_state: word.into(),
        bandwidth_mbps: Some(endpoint.connection.bandwidth_mbps),
        traffic: Some(match endpoint.connection.traffic_control {
            world::object::TrafficControl::Scalability => TrafficControl::Elastic,
            world::object::TrafficControl::BandwidthLimit => TrafficControl::Limited,
        }),
        zones,
    }
}

/// The cloud's word alone, which is one for what was never accepted and what was cut.
fn connection_state(status: ConnectionStatus) -> (ConnectionState, &'static str) {
    match status {
        ConnectionStatus::Disconnected => (ConnectionState::Disconnected, "Disconnected"),
        ConnectionStatus::Connecting => (ConnectionState::Connecting, "Connecting"),
        ConnectionStatus::Connected => (ConnectionState::Connected, "Connected"),
        ConnectionStatus::Pending => (ConnectionState::Modifying, "Pending"),
        ConnectionStatus::Disconnecting => (ConnectionState::Disconnecting, "Disconnecting"),
        ConnectionStatus::Deleting => (ConnectionState::Deleting, "Deleting"),
        ConnectionStatus::ServiceDeleted => (ConnectionState::ServiceDeleted, "ServiceDeleted"),
    }
}

pub(super) fn endpoint(state: &State, one: &world::Endpoint, with_tags: bool) -> Endpoint {
    let (known, word) = match one.status {
        EndpointStatus::Creating => (LifeState::Creating, "Creating"),
        EndpointStatus::Active => (LifeState::Active, "Active"),
        EndpointStatus::Pending => (LifeState::Modifying, "Pending"),
        EndpointStatus::Deleting => (LifeState::Deleting, "Deleting"),
    };
    Endpoint {
        id: endpoint_id(one.id),
        state: known,
        cloud_state: word.into(),
        connection: connection_state(one.connection.status).0,
        locked: state.accounts[&one.owner].locked,
        kind: Some(EndpointKind::Interface),
        name: one.name.as_deref().map(str::to_owned),
        description: one.description.as_deref().map(str::to_owned),
        vpc: state.land.vpc(one.vpc).map(|vpc| vpc.name.as_str().into()),
        service: Some(wire_id(one.service)),
        service_name: Some(service_name(one.service)),
        service_region: None,
        domain: Some(format!("{}.privatelink", endpoint_id(one.id))),
        family: if one.ip_version == IpVersion::V4 { AddressFamily::V4 } else { AddressFamily::DualStack },
        zone_affinity: one.zone_affinity,
        cross_region_bandwidth_mbps: one.cross_region_bandwidth_mbps,
        // Where nobody gave one, the cloud shows its own.
        policy: Some(one.policy.as_deref().unwrap_or(OWN_POLICY).to_owned()),
        protected: one.protected,
        resource_group: Some(one.resource_group.to_string()),
        tags: with_tags.then(|| tags(&one.tags)),
    }
}

const OWN_POLICY: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*"}]}"#;

fn interfaces(state: &State, one: &world::Endpoint) -> Interfaces {
    one.zones
        .iter()
        .filter_map(|(zone, leg)| {
            let subnet: SubnetId = state.land.switch(leg.switch)?.name.as_str().into();
            let zone: Zone = state.land.zone(*zone)?.name.as_str().into();
            let shown = zone_state(leg.status);
            let made = leg.status != LegStatus::Creating;
            let id = made.then(|| format!("eni-{}-{}", one.id.number, leg.interface.0).into());
            let domain = made.then(|| format!("{}-{zone}.privatelink", endpoint_id(one.id)));
            let ip = made.then_some(leg.ip);
            Some((subnet, Interface { zone, id, ip, ipv6: leg.ipv6, domain, state: shown }))
        })
        .collect()
}

fn groups(state: &State, one: &world::Endpoint) -> BTreeMap<GroupId, GroupState> {
    let shown = |membership: &Membership| match membership {
        Membership::Attaching => GroupState::Attaching,
        Membership::Attached => GroupState::Attached,
        Membership::Detaching => GroupState::Detaching,
    };
    one.groups
        .iter()
        .filter_map(|(id, membership)| Some((state.land.group(*id)?.name.as_str().into(), shown(membership))))
        .collect()
}
