//! The shipped planner and the simulated cloud's rules on one stage, without sockets, clocks or threads: one
//! service, its provider's turns, and whatever else happens in the world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Adoption, Annotations, Common, Deletion, DesiredService, Management, OnDelete};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{CloudId, ResourceId, ServiceId, Sort, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Connection, Facet, Payer, Resource, ResourceKey, ResourceKind, Service, Snapshot, ZoneLeg,
};
use privatelink_core::overlay::Overlay;
use privatelink_core::owner::Owner;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::plan::service::{Input, plan};
use privatelink_core::plan::{Ground, Plan, Tries, Truth};
use privatelink_core::read::{Done, FacetKey};
use privatelink_core::report::service::report;
use privatelink_core::state::{ConnectionState, LifeState, ZoneState};
use privatelink_core::status::ServiceStatus;
use privatelink_core::step::{ServiceForm, Step};
use privatelink_sim::world::call::{
    AcceptForm, ConnectionKey, EndpointForm, ObjectId, ResourceForm, ServiceChange, UntagKeys, ZoneForm,
};
use privatelink_sim::world::land::{Balancer, Region, Switch, Vpc};
use privatelink_sim::world::object::{BalancerKind, ConnectionStatus, LegStatus, Principal, ServiceStatus as Status};
use privatelink_sim::world::{
    self, Account, AccountId, Actor, Call, Land, Refusal, RegionId, Request, State, SwitchId, Variants, VpcId, ZoneId,
    advance, apply, progress,
};

pub const PROVIDER: Actor = Actor { account: AccountId(1), identity: 0, session: false };
pub const CONSUMER: Actor = Actor { account: AccountId(2), identity: 0, session: true };
const HERE: RegionId = RegionId(0);

/// Names of the load balancers on the land; the first three serve zone f, the last zone g.
pub const BALANCERS: [&str; 4] = ["lb-hot", "lb-cool", "lb-spare", "lb-g"];

fn zone_of(balancer: &str) -> &'static str {
    if balancer == "lb-g" { "cn-hangzhou-g" } else { "cn-hangzhou-f" }
}

pub fn key(balancer: &str) -> ResourceKey {
    ResourceKey { id: balancer.into(), zone: zone_of(balancer).into() }
}

fn land() -> Land {
    let zone = |name: &str| world::land::Zone { name: name.into(), region: HERE };
    let vpc = |name: &str, account| Vpc { name: name.into(), account, region: HERE };
    let balancer = |name: &&str| Balancer {
        name: (*name).into(),
        account: PROVIDER.account,
        vpc: VpcId(0),
        kind: BalancerKind::Clb,
        zones: vec![if zone_of(name).ends_with('g') { ZoneId(1) } else { ZoneId(0) }],
        supports_private_link: true,
        ipv6: false,
        address: Ipv4Addr::new(172, 16, 0, 1),
    };
    let switch = Switch {
        name: "vsw-f".into(),
        vpc: VpcId(1),
        zone: ZoneId(0),
        base: Ipv4Addr::new(10, 0, 1, 0),
        prefix: 24,
        base_v6: None,
        free: 200,
        available: true,
    };
    Land {
        regions: vec![Region { name: "cn-hangzhou".into() }, Region { name: "cn-shanghai".into() }],
        zones: vec![zone("cn-hangzhou-f"), zone("cn-hangzhou-g")],
        vpcs: vec![vpc("vpc-provider", PROVIDER.account), vpc("vpc-consumer", CONSUMER.account)],
        switches: vec![switch],
        groups: Vec::new(),
        balancers: BALANCERS.iter().map(balancer).collect(),
    }
}

fn account() -> Account {
    Account {
        product_open: true,
        may_not_open: None,
        locked: false,
        vendor: false,
        may_assign_resources: true,
        may_pay_for_consumers: true,
        resource_groups: vec!["rg-default".into(), "rg-other".into()],
        max_services: 20,
        max_resources: 10,
        max_resources_per_zone: 10,
        max_endpoints_per_vpc: 10,
        services_made: 0,
        endpoints_made: 0,
    }
}

/// What a spec asks for when it says little: these load balancers, by hand accepted.
pub fn desired(balancers: &[&str]) -> DesiredService {
    DesiredService {
        common: Common {
            owner: Owner {
                cluster: "test".into(),
                kind: "EndpointService".into(),
                namespace: "team".into(),
                name: "gateway".into(),
                uid: "uid-1".into(),
            },
            generation: 1,
            created: Moment(0),
            deleting: false,
            management: Management::Manage,
            deletion: Deletion::Delete,
            adoption: Adoption::No,
            annotations: Annotations::default(),
            resource_group: None,
            tags: BTreeMap::new(),
        },
        kind: ResourceKind::Clb,
        resources: balancers.iter().map(|name| (key(name), true)).collect(),
        description: None,
        auto_accept: false,
        default_bandwidth_mbps: None,
        zone_affinity: None,
        payer: None,
        family: None,
        regions: None,
        on_delete: OnDelete::Wait,
    }
}

/// What may go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The call has its effect; the answer is lost.
    LostAnswer,
    /// The call has its effect; the process dies before anything is written down.
    CrashAfter,
    /// The process dies before the call.
    CrashBefore,
}

/// One service object, the world, and the process between them.
#[derive(Clone, Debug)]
pub struct Stage {
    pub world: State,
    pub desired: DesiredService,
    /// What Kubernetes holds.
    pub status: ServiceStatus,
    /// The finalizer is gone.
    pub released: bool,
    pub living: BTreeSet<String>,
    pub now: Moment,
    started: Moment,
    /// Verbs of the calls that the cloud carried out for us.
    pub calls: Vec<&'static str>,
    snapshot: Snapshot,
    overlay: Overlay,
    tries: Tries,
}

impl Stage {
    pub fn new(desired: DesiredService) -> Self {
        Self::with(desired, Variants::default())
    }

    pub fn with(desired: DesiredService, variants: Variants) -> Self {
        let accounts = [PROVIDER, CONSUMER].into_iter().map(|actor| (actor.account, account())).collect();
        let living = [desired.common.owner.uid.clone()].into();
        Self {
            world: State::new(land(), accounts, variants),
            desired,
            status: ServiceStatus::default(),
            released: false,
            living,
            now: Moment(1_000_000_000),
            started: Moment(1_000_000_000),
            calls: Vec::new(),
            snapshot: Snapshot::default(),
            overlay: Overlay::default(),
            tries: Tries::default(),
        }
    }

    /// The process ends and another begins: only the world and the written status remain.
    pub fn restart(&mut self) {
        self.started = self.now;
        self.snapshot = Snapshot::default();
        self.overlay = Overlay::default();
        self.tries = Tries::default();
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut DesiredService)) {
        change(&mut self.desired);
        self.desired.common.generation += 1;
    }

    /// One turn of the object, in which the call number `trouble.0` meets `trouble.1`. `None`: the process died.
    pub fn turn_with(&mut self, trouble: (usize, Trouble)) -> Option<Plan> {
        self.now = self.now + Duration::from_secs(2);
        let mut made = 0;
        for _ in 0..12 {
            let laid = self.overlay.lay(&self.snapshot);
            let place = place();
            let principals = BTreeSet::new();
            let ground = Ground {
                place: &place,
                laid: &laid,
                tries: &self.tries,
                living: &self.living,
                started: self.started,
                now: self.now,
            };
            let input = Input { ground, desired: &self.desired, status: &self.status, principals: &principals };
            let plan = plan(&input);
            let next = report(&input, &plan);
            assert!(plan.pin.is_none() || plan.steps.is_empty(), "a plan that pins makes no step");
            if plan.released {
                assert!(self.desired.common.deleting, "only what is deleted is released");
                self.released = true;
                self.status = next;
                return Some(plan);
            }
            if plan.pin.is_some() {
                self.status = next;
                continue;
            }
            if !plan.looks.is_empty() {
                for look in plan.looks.clone() {
                    self.read(&look.facet);
                }
                continue;
            }
            if plan.steps.is_empty() {
                self.status = next;
                return Some(plan);
            }
            for planned in plan.steps {
                let trouble = if made == trouble.0 { trouble.1 } else { Trouble::None };
                made += 1;
                if trouble == Trouble::CrashBefore {
                    self.restart();
                    return None;
                }
                let result = self.execute(&planned.step, planned.token.as_deref());
                if trouble == Trouble::CrashAfter {
                    self.restart();
                    return None;
                }
                let result = if trouble == Trouble::LostAnswer { Err(lost()) } else { result };
                self.now = self.now + Duration::from_millis(10);
                if let Some(effect) = self.tries.settle(&planned.step, result, self.now, self.desired.common.generation)
                {
                    self.overlay.add(effect);
                }
            }
        }
        panic!("a turn does not end: {:?}", self.status);
    }

    pub fn turn(&mut self) -> Plan {
        self.turn_with((0, Trouble::None)).expect("nothing kills this turn")
    }

    /// Turns, and everything that moves by itself, until nothing is left to do; gives the last plan.
    pub fn rest(&mut self) -> Plan {
        let mut quiet = 0;
        for _ in 0..400 {
            let before = (self.calls.len(), self.status.clone());
            let plan = self.turn();
            if self.released {
                self.settle_world();
                return plan;
            }
            let still = progress(&self.world).is_empty();
            if let Some(due) = progress(&self.world).first() {
                self.world = advance(&self.world, *due);
            }
            quiet = if still && before == (self.calls.len(), self.status.clone()) { quiet + 1 } else { 0 };
            if quiet > 3 {
                return plan;
            }
            // Retries become due, and refusals that passed are tried again.
            self.now = self.now + Duration::from_secs(20);
        }
        panic!("never at rest: {:?} {:?}", self.status, self.world.services);
    }

    pub fn settle_world(&mut self) {
        while let Some(due) = progress(&self.world).first() {
            self.world = advance(&self.world, *due);
        }
    }

    /// A sweep: everything is read again.
    pub fn sweep(&mut self) {
        self.now = self.now + Duration::from_mins(5);
        self.read(&FacetKey::Services);
        let ids: Vec<ServiceId> = self.snapshot.present_services().map(|service| service.id.clone()).collect();
        for id in ids {
            self.read(&FacetKey::Resources(id.clone()));
            self.read(&FacetKey::Connections(id));
        }
    }

    pub fn ready(&self) -> Option<(Truth, Reason, String)> {
        self.said(ConditionType::Ready)
    }

    pub fn said(&self, condition: ConditionType) -> Option<(Truth, Reason, String)> {
        let conditions = &self.status.common.conditions;
        let found = conditions.iter().find(|one| one.condition == condition)?;
        Some((found.truth, found.reason, found.message.clone()))
    }

    pub fn the_service(&self) -> &world::Service {
        assert_eq!(self.world.services.len(), 1, "{:?}", self.world.services.keys());
        self.world.services.values().next().expect("one service")
    }

    /// Somebody else's call.
    pub fn elsewhere(&mut self, actor: Actor, call: Call) -> Result<world::Answer, Refusal> {
        let (next, answer) = apply(&self.world, actor, &Request { region: HERE, token: None, call })?;
        self.world = next;
        Ok(answer)
    }

    /// An endpoint of the consumer on the service, in zone f.
    pub fn endpoint(&mut self) -> ConnectionKey {
        let service = self.the_service().id;
        self.elsewhere(PROVIDER, Call::AllowPrincipal(service, Principal::Account(CONSUMER.account))).expect("allowed");
        let form = EndpointForm {
            service,
            service_region: None,
            kind: None,
            vpc: VpcId(1),
            zones: vec![ZoneForm { zone: None, switch: SwitchId(0), ip: None, ipv6: None }],
            groups: Vec::new(),
            name: None,
            description: None,
            policy: None,
            protected: false,
            ip_version: None,
            zone_affinity: false,
            cross_region_bandwidth_mbps: None,
            resource_group: None,
            tags: BTreeMap::new(),
        };
        let Ok(world::Answer::Endpoint(endpoint)) = self.elsewhere(CONSUMER, Call::CreateEndpoint(form)) else {
            panic!("no endpoint")
        };
        self.settle_world();
        ConnectionKey { service, endpoint }
    }

    pub fn connected(&mut self) -> ConnectionKey {
        let key = self.endpoint();
        self.elsewhere(PROVIDER, Call::AcceptConnection(key, AcceptForm::default())).expect("accepted");
        self.settle_world();
        key
    }

    fn read(&mut self, facet: &FacetKey) {
        let at = self.now;
        match facet {
            FacetKey::Services => {
                let shown: Vec<Service> =
                    self.world.services.values().map(|one| service(&self.world, one, true)).collect();
                let ids: BTreeSet<ServiceId> = shown.iter().map(|one| one.id.clone()).collect();
                let known: Vec<ServiceId> = self.snapshot.present_services().map(|one| one.id.clone()).collect();
                self.snapshot.vanished = Sort::ALL
                    .into_iter()
                    .filter(|sort| *sort == Sort::Service && known.len() >= 2 && ids.is_empty())
                    .collect();
                for one in shown {
                    let view = self.snapshot.service_mut(&one.id);
                    view.service = Facet::seen(at, Some(one));
                }
                self.snapshot.listed_services = Facet::seen(at, ids);
            }
            FacetKey::Service(id) => {
                let found = self.find(id).map(|one| service(&self.world, one, false));
                let view = self.snapshot.service_mut(id);
                view.service = Facet::seen(at, found);
            }
            FacetKey::Resources(id) => {
                let found = self.find(id).map(|one| resources(&self.world, one)).unwrap_or_default();
                self.snapshot.service_mut(id).resources = Facet::seen(at, found);
            }
            FacetKey::Connections(id) => {
                let found = self.find(id).map(|one| connections(&self.world, one)).unwrap_or_default();
                self.snapshot.service_mut(id).connections = Facet::seen(at, found);
            }
            other => panic!("a provider looks at no endpoint: {other:?}"),
        }
        self.overlay.prune(&self.snapshot, self.now);
    }

    fn find(&self, id: &ServiceId) -> Option<&world::Service> {
        self.world.services.values().find(|one| wire_id(one.id) == *id)
    }

    fn execute(&mut self, step: &Step, token: Option<&str>) -> Result<Done, Failure> {
        let call = self.call(step)?;
        let request = Request { region: HERE, token: token.map(Into::into), call };
        match apply(&self.world, PROVIDER, &request) {
            Ok((next, answer)) => {
                self.world = next;
                self.calls.push(step.verb());
                Ok(match answer {
                    world::Answer::Service(id) => {
                        let made = self.world.services.get(&id).map(|one| service(&self.world, one, true));
                        made.map_or(Done::Accepted, |made| Done::CreatedService(Box::new(made)))
                    }
                    _ => Done::Accepted,
                })
            }
            Err(refusal) => Err(failure(refusal)),
        }
    }

    fn call(&self, step: &Step) -> Result<Call, Failure> {
        let id = |id: &ServiceId| self.find(id).map(|one| one.id).ok_or_else(|| failure(Refusal::NoService));
        let object = |object: &CloudId| match object {
            CloudId::Service(service) => id(service).map(ObjectId::Service),
            CloudId::Endpoint(_) => Err(failure(Refusal::NoObject)),
        };
        Ok(match step {
            Step::OpenProduct => Call::OpenProduct,
            Step::CreateService(form) => Call::CreateService(self.form(form)),
            Step::UpdateService(service, change) => Call::UpdateService(id(service)?, self.change(change)),
            Step::DeleteService(service) => Call::DeleteService(id(service)?),
            Step::AttachResource(service, key, _) => Call::AttachResource(id(service)?, self.resource(key)),
            Step::DetachResource(service, key, _) => Call::DetachResource(id(service)?, self.resource(key)),
            Step::SetAutoAllocate(service, key, on) => Call::SetAutoAllocate(id(service)?, self.resource(key), *on),
            Step::RejectConnection(service, endpoint) => {
                let service = id(service)?;
                let found = self.world.endpoints.keys().find(|one| endpoint.as_str() == format!("ep-{}", one.number));
                let endpoint = *found.ok_or_else(|| failure(Refusal::NoConnection))?;
                Call::RejectConnection(ConnectionKey { service, endpoint })
            }
            Step::Tag(of, tags) => {
                let tags = tags.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
                Call::Tag(vec![object(of)?], tags)
            }
            Step::Untag(of, keys) => {
                let keys = keys.iter().map(|key| key.as_str().into()).collect();
                Call::Untag(vec![object(of)?], UntagKeys::These(keys))
            }
            Step::Move(of, group) => Call::ChangeResourceGroup(object(of)?, group.as_str().into()),
            Step::CreateEndpoint(_)
            | Step::UpdateEndpoint(..)
            | Step::DeleteEndpoint(_)
            | Step::AddZone(..)
            | Step::RemoveZone(..)
            | Step::AttachSecurityGroup(..)
            | Step::DetachSecurityGroup(..) => panic!("a provider makes no endpoint: {step:?}"),
        })
    }

    fn resource(&self, key: &ResourceKey) -> ResourceForm {
        let balancer = self.world.land.balancer_named(key.id.as_str());
        ResourceForm { balancer, kind: Some(BalancerKind::Clb), zone: None }
    }

    fn form(&self, form: &ServiceForm) -> world::call::ServiceForm {
        world::call::ServiceForm {
            kind: Some(BalancerKind::Clb),
            resources: form.resources.iter().map(|key| self.resource(key)).collect(),
            payer: form.payer.map(|payer| match payer {
                Payer::Consumer => world::object::Payer::Endpoint,
                Payer::Provider => world::object::Payer::Service,
            }),
            auto_accept: form.auto_accept,
            zone_affinity: form.zone_affinity.unwrap_or_default(),
            ip_version: None,
            support_ipv6: false,
            description: form.description.as_deref().map(Into::into),
            resource_group: form.resource_group.as_deref().map(Into::into),
            consumer_regions: form.regions.iter().map(|one| self.world.land.region_named(one.as_str())).collect(),
            tags: form.tags.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        }
    }

    fn change(&self, change: &privatelink_core::step::ServiceChange) -> ServiceChange {
        let region = |one: &privatelink_core::id::Region| self.world.land.region_named(one.as_str());
        ServiceChange {
            auto_accept: change.auto_accept,
            connect_bandwidth_mbps: change.default_bandwidth_mbps,
            zone_affinity: change.zone_affinity,
            ip_version: None,
            support_ipv6: None,
            description: change.description.as_deref().map(Into::into),
            open_regions: change.open_regions.iter().map(region).collect(),
            close_regions: change.close_regions.iter().map(region).collect(),
        }
    }
}

fn place() -> Place {
    Place { cloud: Cloud::Alibaba, account: "1".into(), region: "cn-hangzhou".into() }
}

fn lost() -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        code: "<timeout>".into(),
        message: "no answer".into(),
        request_id: None,
        retry_after: None,
        maybe_done: true,
    }
}

fn failure(refusal: Refusal) -> Failure {
    let meaning = match refusal {
        Refusal::NoService | Refusal::NoConnection | Refusal::NoObject => Meaning::Gone,
        Refusal::ResourceAttached | Refusal::ResourceNotAttached | Refusal::NoTag => Meaning::Done,
        Refusal::ServiceNotActive | Refusal::ConcurrentCall | Refusal::ConnectionInTransition => Meaning::InTransition,
        Refusal::TokenReused => Meaning::TokenReused,
        Refusal::ServiceHasConnections | Refusal::ResourceInUse => Meaning::Waiting(Reason::BlockedByConnections),
        Refusal::LastAutoAllocated => Meaning::UserMustAct(Reason::LastAutoAllocatedInZone),
        Refusal::NoBalancer { .. } => Meaning::UserMustAct(Reason::ReferenceNotFound),
        Refusal::ProductNotOpen => Meaning::UserMustAct(Reason::FeatureNotEnabled),
        _ => Meaning::Unexpected,
    };
    let code = format!("{refusal:?}");
    Failure { meaning, message: code.clone(), code, request_id: None, retry_after: None, maybe_done: false }
}

pub fn wire_id(id: world::ServiceId) -> ServiceId {
    format!("epsrv-{}-{}", id.maker.0, id.number).into()
}

fn service(state: &State, one: &world::Service, with_tags: bool) -> Service {
    let (known, word) = match one.status {
        Status::Creating => (LifeState::Creating, "Creating"),
        Status::Active => (LifeState::Active, "Active"),
        Status::Pending => (LifeState::Modifying, "Pending"),
        Status::Deleting => (LifeState::Deleting, "Deleting"),
    };
    let open = |standing: &world::object::ConsumerRegion| {
        matches!(standing, world::object::ConsumerRegion::Pending | world::object::ConsumerRegion::Available)
    };
    let region = |id: &RegionId| state.land.region(*id).map(|one| one.name.as_str().into());
    Service {
        id: wire_id(one.id),
        name: format!("name-of-{}", wire_id(one.id)),
        domain: None,
        state: known,
        cloud_state: word.into(),
        locked: state.accounts[&one.owner].locked,
        kind: Some(ResourceKind::Clb),
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
            .filter(|(_, standing)| open(standing))
            .filter_map(|(id, _)| region(id))
            .collect(),
        resource_group: Some(one.resource_group.to_string()),
        tags: with_tags.then(|| one.tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()),
    }
}

fn resources(state: &State, one: &world::Service) -> BTreeMap<ResourceKey, Resource> {
    let count = |number: usize| u32::try_from(number).expect("few");
    one.resources
        .iter()
        .filter_map(|(at, resource)| {
            let load = state.load_of(one.id, *at);
            let held = Resource {
                kind: ResourceKind::Clb,
                auto_allocate: resource.auto_allocate,
                connections: count(load.current),
                deprecated_connections: count(load.replaced),
            };
            Some((key(&state.land.balancer(at.0)?.name), held))
        })
        .collect()
}

fn connections(state: &State, one: &world::Service) -> Vec<Connection> {
    state.endpoints_of(one.id).map(|endpoint| connection(state, endpoint)).collect()
}

fn connection(state: &State, endpoint: &world::Endpoint) -> Connection {
    let zones: BTreeMap<Zone, ZoneLeg> = endpoint
        .zones
        .iter()
        .filter_map(|(id, leg)| {
            let shown = match leg.status {
                LegStatus::Wait | LegStatus::Creating => ZoneState::Waiting,
                LegStatus::Connected => ZoneState::Connected,
                LegStatus::Disconnected => ZoneState::Disconnected,
                _ => ZoneState::Connecting,
            };
            let resource: Option<ResourceId> =
                leg.resource.and_then(|id| state.land.balancer(id)).map(|one| one.name.as_str().into());
            let leg =
                ZoneLeg { state: shown, resource, interface: None, replaced_resource: None, replaced_interface: None };
            Some((state.land.zone(*id)?.name.as_str().into(), leg))
        })
        .collect();
    let cut = zones.values().any(|leg| leg.state == ZoneState::Disconnected);
    let (known, word) = match endpoint.connection.status {
        ConnectionStatus::Disconnected if cut => (ConnectionState::Disconnected, "Disconnected"),
        ConnectionStatus::Disconnected => (ConnectionState::AwaitingAcceptance, "Disconnected"),
        ConnectionStatus::Connecting => (ConnectionState::Connecting, "Connecting"),
        ConnectionStatus::Connected => (ConnectionState::Connected, "Connected"),
        ConnectionStatus::Pending => (ConnectionState::Modifying, "Pending"),
        ConnectionStatus::Disconnecting => (ConnectionState::Disconnecting, "Disconnecting"),
        ConnectionStatus::Deleting => (ConnectionState::Deleting, "Deleting"),
        ConnectionStatus::ServiceDeleted => (ConnectionState::ServiceDeleted, "ServiceDeleted"),
    };
    Connection {
        endpoint: format!("ep-{}", endpoint.id.number).into(),
        owner: Some(endpoint.owner.0.to_string().into()),
        vpc: None,
        state: known,
        cloud_state: word.into(),
        bandwidth_mbps: Some(endpoint.connection.bandwidth_mbps),
        zones,
    }
}

/// The status says that the service is ready.
pub fn is_ready(stage: &Stage) {
    let (truth, reason, message) = stage.ready().expect("something is said");
    assert_eq!((truth, reason), (Truth::True, Reason::Ready), "{message}");
}

/// The status says that the service is not ready, for this reason; gives the message.
pub fn says(stage: &Stage, reason: Reason) -> String {
    let (truth, said, message) = stage.ready().expect("something is said");
    assert_eq!((truth, said), (Truth::False, reason), "{message}");
    message
}
