//! A provider's service and the entries of its tenants, each an object of its own with turns of its own, in one
//! account and one process; and the tenants, who come and go.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use privatelink_core::claims::{Assignment, Claims, settle};
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{
    Acceptance, Adoption, Allocation, Deletion, DesiredAssignment, DesiredEntry, DesiredService, Management, Parent,
    ParentService, Policy, Revocation,
};
use privatelink_core::id::{CloudId, EndpointId};
use privatelink_core::moment::Moment;
use privatelink_core::observed::Snapshot;
use privatelink_core::plan::{Ground, Plan, Tries, Truth, assignment, entry as planner, service};
use privatelink_core::principal::{self, Whom};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::state::{ClaimState, Decision};
use privatelink_core::status::{self, AssignmentStatus, EntryConnection, EntryStatus, ServiceStatus};
use privatelink_core::step::Step;
use privatelink_sim::world::call::{AcceptForm, ConnectionKey, EndpointForm, ZoneForm};
use privatelink_sim::world::land::{Group, Switch, Vpc};
use privatelink_sim::world::object::Principal;
use privatelink_sim::world::{
    self, AccountId, Actor, Answer, Call, State, SwitchId, Variants, VpcId, advance, progress,
};

use super::eyes::endpoint_id;
use super::land::{HERE, account, land};
use super::provider::{PROVIDER, desired};
use super::{CONSUMER, Role, Stage, Trouble, ZONES};

/// The tenants: two accounts, the first of which has two VPCs.
pub const HOMES: [(Actor, &str); 3] = [(CONSUMER, "vpc-one"), (CONSUMER, "vpc-two"), (OTHER, "vpc-other")];
const OTHER: Actor = Actor { account: AccountId(3), identity: 0, session: true };

/// A service, an entry or an assignment.
#[derive(Clone, Debug)]
pub enum Tenant {
    Service(Box<DesiredService>, Claims),
    Entry(Box<DesiredEntry>, Claims),
    Assignment(Box<DesiredAssignment>, Claims),
}

/// Which of the statuses counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Kind {
    Service,
    #[default]
    Entry,
    Assignment,
}

/// The status of one of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    kind: Kind,
    pub service: ServiceStatus,
    pub entry: EntryStatus,
    pub assignment: AssignmentStatus,
}

impl Role for Tenant {
    type Status = Written;
    const ACTOR: Actor = PROVIDER;

    fn uid(&self) -> &str {
        match self {
            Self::Service(service, _) => service.uid(),
            Self::Entry(entry, _) => &entry.uid,
            Self::Assignment(assignment, _) => &assignment.uid,
        }
    }

    fn deleting(&self) -> bool {
        match self {
            Self::Service(service, _) => service.deleting(),
            Self::Entry(entry, _) => entry.deleting,
            Self::Assignment(assignment, _) => assignment.deleting,
        }
    }

    fn generation(&self) -> i64 {
        match self {
            Self::Service(service, _) => service.generation(),
            Self::Entry(entry, _) => entry.generation,
            Self::Assignment(assignment, _) => assignment.generation,
        }
    }

    fn generation_mut(&mut self) -> &mut i64 {
        match self {
            Self::Service(service, _) => service.generation_mut(),
            Self::Entry(entry, _) => &mut entry.generation,
            Self::Assignment(assignment, _) => &mut assignment.generation,
        }
    }

    fn said(status: &Written) -> &status::Common {
        match status.kind {
            Kind::Service => &status.service.common,
            Kind::Entry => &status.entry.common,
            Kind::Assignment => &status.assignment.common,
        }
    }

    fn id(status: &Written) -> Option<CloudId> {
        status.service.service_id.clone().map(CloudId::from)
    }

    fn plan(&self, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
        let mut next = status.clone();
        let plan = match self {
            Self::Service(desired, claims) => {
                let input = service::Input { ground, desired, status: &status.service, claims };
                let plan = service::plan(&input);
                next.service = report::service::report(&input, &plan);
                plan
            }
            Self::Entry(desired, claims) => {
                let input = planner::Input { ground, desired, status: &status.entry, claims };
                let plan = planner::plan(&input);
                next.entry = report::entry::report(&input, &plan);
                plan
            }
            Self::Assignment(desired, claims) => {
                let input = assignment::Input { ground, desired, status: &status.assignment, claims };
                let plan = assignment::plan(&input);
                next.assignment = report::assignment::report(&input, &plan);
                plan
            }
        };
        (plan, next)
    }

    fn swept(snapshot: &Snapshot) -> Vec<FacetKey> {
        let parts = snapshot.present_services().flat_map(|one| {
            let id = || one.id.clone();
            [FacetKey::Resources(id()), FacetKey::Connections(id()), FacetKey::Principals(id())]
        });
        std::iter::once(FacetKey::Services).chain(parts).collect()
    }

    fn forbids(&self, step: &Step, now: Moment) -> Option<&'static str> {
        let (entry, claims) = match self {
            Self::Service(service, claims) => return super::zones::forbidden_to_service(service, claims, step),
            Self::Assignment(assignment, claims) => return super::zones::forbidden(assignment, claims, step),
            Self::Entry(entry, claims) => (entry, claims),
        };
        let Parent::Service(parent) = &entry.parent else { return Some("there is no service") };
        let holds = claims.holder(&entry.principal.whom()).is_some_and(|holder| holder.uid == entry.uid);
        let ended = entry.deleting || entry.is_expired(now);
        if entry.paused || parent.paused || parent.observed || !holds {
            return Some("it may write nothing");
        }
        match step {
            Step::AllowPrincipal(..) if ended || parent.deleting => Some("nobody is let in any more"),
            Step::DisallowPrincipal(..) if !ended => Some("a live entry removes nobody"),
            Step::RejectConnection(..) if ended && entry.revocation == Revocation::KeepConnections => {
                Some("connections are kept")
            }
            Step::RejectConnection(..) if !ended && entry.policy != Policy::Reject => Some("nothing is refused"),
            Step::AcceptConnection(..) | Step::ConnectZone(..) | Step::SetTraffic(..) | Step::PickResource(..)
                if ended || parent.deleting || !matches!(entry.policy, Policy::Accept(_)) =>
            {
                Some("nothing is accepted")
            }
            _ => None,
        }
    }
}

/// One object that is not on the stage now.
#[derive(Clone, Debug)]
pub struct Slot {
    pub desired: Tenant,
    pub status: Written,
    pub released: bool,
    pub tries: Tries,
}

impl Slot {
    pub(super) fn new(desired: Tenant) -> Self {
        let kind = match desired {
            Tenant::Service(..) => Kind::Service,
            Tenant::Entry(..) => Kind::Entry,
            Tenant::Assignment(..) => Kind::Assignment,
        };
        let status = Written { kind, ..Written::default() };
        Self { desired, status, released: false, tries: Tries::default() }
    }
}

/// The service, its entries by name, and all that is around them.
#[derive(Clone, Debug)]
pub struct Tenants {
    pub stage: Stage<Tenant>,
    pub service: Slot,
    pub entries: BTreeMap<String, Slot>,
    /// Assignments by name.
    pub zones: BTreeMap<String, Slot>,
    /// What others pin, without an object of their own.
    pub assignments: Vec<Assignment>,
    pub(super) made: u32,
}

/// An entry that says little: this principal may connect, and is accepted.
pub fn entry(principal: &str) -> DesiredEntry {
    DesiredEntry {
        uid: String::new(),
        name: String::new(),
        generation: 1,
        created: Moment(0),
        deleting: false,
        paused: false,
        asked: false,
        parent: Parent::Awaited("the EndpointService does not exist yet".to_owned()),
        principal: principal.into(),
        everybody_permitted: true,
        policy: Policy::Accept(Acceptance {
            allocation: Allocation::Automatic,
            bandwidth_mbps: None,
            endpoints: None,
            vpcs: None,
            max: None,
        }),
        expires_at: None,
        revocation: Revocation::KeepConnections,
        deletion: Deletion::Delete,
    }
}

impl Tenants {
    pub fn new() -> Self {
        Self::with(Variants::default())
    }

    /// A service with a load balancer in zone f and one in zone g, which nobody has made yet.
    pub fn with(variants: Variants) -> Self {
        let service = Tenant::Service(Box::new(desired(&["lb-hot", "lb-g"])), Claims::default());
        let mut stage = Stage::with(service.clone(), variants);
        let actors = [PROVIDER, CONSUMER, OTHER];
        let accounts = actors.into_iter().map(|actor| (actor.account, account())).collect();
        stage.world = State::new(homes(), accounts, variants);
        Self {
            stage,
            service: Slot::new(service),
            entries: BTreeMap::new(),
            zones: BTreeMap::new(),
            assignments: Vec::new(),
            made: 0,
        }
    }

    /// The service is made, with this entry, and both are at rest.
    pub fn at_rest(one: DesiredEntry) -> Self {
        let mut tenants = Self::new();
        tenants.add("tenant", one);
        tenants.rest();
        tenants.stage.calls.clear();
        tenants
    }

    /// An entry is applied.
    pub fn add(&mut self, name: &str, mut one: DesiredEntry) {
        self.made += 1;
        one.uid = format!("uid-{name}-{}", self.made);
        name.clone_into(&mut one.name);
        one.created = self.stage.now.whole_second();
        self.entries.insert(name.to_owned(), Slot::new(Tenant::Entry(Box::new(one), Claims::default())));
    }

    pub fn desired(&self, name: &str) -> &DesiredEntry {
        match &self.entries[name].desired {
            Tenant::Entry(entry, _) => entry,
            _ => panic!("an entry"),
        }
    }

    pub fn touch(&mut self, name: &str, change: impl FnOnce(&mut DesiredEntry)) {
        let Some(slot) = self.entries.get_mut(name) else { return };
        if let Tenant::Entry(entry, _) = &mut slot.desired {
            change(entry);
        }
    }

    /// The spec of an entry is edited.
    pub fn edit(&mut self, name: &str, change: impl FnOnce(&mut DesiredEntry)) {
        self.touch(name, |entry| {
            change(entry);
            entry.generation += 1;
        });
    }

    /// The spec of the entry accepts, so.
    pub fn accept(&mut self, name: &str, change: impl FnOnce(&mut Acceptance)) {
        self.edit(name, |entry| {
            let Policy::Accept(acceptance) = &mut entry.policy else { panic!("it accepts") };
            change(acceptance);
        });
    }

    pub fn edit_service(&mut self, change: impl FnOnce(&mut DesiredService)) {
        if let Tenant::Service(service, _) = &mut self.service.desired {
            change(service);
            service.common.generation += 1;
        }
    }

    pub fn the_service(&self) -> &DesiredService {
        match &self.service.desired {
            Tenant::Service(service, _) => service,
            _ => panic!("a service"),
        }
    }

    pub fn status(&self, name: &str) -> &EntryStatus {
        &self.entries[name].status.entry
    }

    pub fn said(&self, name: &str, condition: ConditionType) -> Option<(Truth, Reason, String)> {
        let one = self.status(name).common.conditions.iter().find(|one| one.condition == condition)?;
        Some((one.truth, one.reason, one.message.clone()))
    }

    pub fn ready(&self, name: &str) -> (Truth, Reason, String) {
        self.said(name, ConditionType::Ready).expect("something is said")
    }

    /// What the status tells of the only connection.
    pub fn only(&self, name: &str) -> &EntryConnection {
        let all = &self.status(name).connections;
        assert_eq!(all.len(), 1, "{all:?}");
        &all[0]
    }

    pub fn decision(&self, name: &str) -> (Decision, &str) {
        let one = self.only(name);
        (one.decision.clone(), &one.reason)
    }

    pub fn parent(&self) -> Parent {
        let (desired, status) = (self.the_service(), &self.service.status.service);
        match &status.service_id {
            Some(id) if !self.service.released => Parent::Service(ParentService {
                id: id.clone(),
                account: status.creation.account.clone().expect("pinned"),
                region: status.creation.region.clone().expect("pinned"),
                observed: desired.common.management == Management::Observe,
                paused: desired.common.annotations.paused,
                deleting: desired.common.deleting,
                disowned: None,
                unapproved: match &desired.common.adoption {
                    Adoption::Yes(adopted) => {
                        let approved = desired.common.annotations.adoption_approved.as_deref();
                        (approved != Some(adopted.as_str())).then(|| desired.common.owner.uid.clone())
                    }
                    _ => None,
                },
            }),
            _ if self.service.released => Parent::Absent("there is no EndpointService".to_owned()),
            _ => Parent::Awaited("the EndpointService does not exist yet".to_owned()),
        }
    }

    pub fn claims(&self) -> Claims {
        let claim = |slot: &Slot| match &slot.desired {
            Tenant::Entry(entry, _) => {
                let status = &slot.status.entry;
                let refuses =
                    |one: &&status::Condition| one.condition == ConditionType::Valid && one.truth == Truth::False;
                let why = status.common.conditions.iter().find(refuses).map(|one| one.message.as_str());
                Some(entry.claim(status.claim == Some(ClaimState::Held), self.stage.now).refused(why))
            }
            _ => None,
        };
        let entries: Vec<_> = self.entries.values().filter_map(claim).collect();
        let assignments: Vec<_> = self.zones.values().filter_map(Slot::pins).collect();
        settle(&entries, &[assignments, self.assignments.clone()].concat())
    }

    /// One turn of one entry, or of the service where no entry is named so; an entry that is released is gone.
    pub fn turn_of(&mut self, name: Option<&str>, trouble: (usize, Trouble)) -> Option<Plan> {
        let plan = self.on_stage(name, |stage| stage.turn_with(trouble))?;
        if plan.is_none() {
            self.forget_all();
        } else if let Some(name) = name {
            // A request is handled once the status says so.
            self.touch(name, |entry| entry.asked = false);
        }
        if self.stage.released
            && let Some(name) = name
            && self.zones.remove(name).is_none()
        {
            let kept = self.still_in(name);
            assert_eq!(kept, None, "{name} is released");
            self.entries.remove(name);
        }
        plan
    }

    /// One entry or assignment, or the service where neither is named, on the stage with what it is told of the others.
    pub fn on_stage<T>(&mut self, name: Option<&str>, act: impl FnOnce(&mut Stage<Tenant>) -> T) -> Option<T> {
        // The time that a turn takes is over before the claims are settled.
        let (claims, parent) = (self.claims(), self.parent());
        let slot = match name {
            None => &mut self.service,
            Some(name) if self.entries.contains_key(name) => self.entries.get_mut(name)?,
            Some(name) => self.zones.get_mut(name)?,
        };
        if slot.released {
            return None;
        }
        match &mut slot.desired {
            Tenant::Service(_, known) => *known = claims,
            Tenant::Entry(entry, known) => {
                *known = claims;
                entry.parent = parent;
            }
            Tenant::Assignment(assignment, known) => {
                *known = claims;
                assignment.parent = parent;
            }
        }
        let stage = &mut self.stage;
        stage.desired = slot.desired.clone();
        stage.released = false;
        stage.living = [slot.desired.uid().to_owned()].into();
        std::mem::swap(&mut stage.status, &mut slot.status);
        std::mem::swap(&mut stage.tries, &mut slot.tries);
        let done = act(stage);
        std::mem::swap(&mut stage.status, &mut slot.status);
        std::mem::swap(&mut stage.tries, &mut slot.tries);
        slot.released = stage.released;
        Some(done)
    }

    pub fn turn(&mut self, name: &str) -> Plan {
        self.turn_of(Some(name), (0, Trouble::None)).expect("nothing kills this turn")
    }

    fn forget_all(&mut self) {
        self.service.tries = Tries::default();
        self.entries.values_mut().chain(self.zones.values_mut()).for_each(|slot| slot.tries = Tries::default());
    }

    /// The process ends and another begins.
    pub fn restart(&mut self) {
        self.stage.restart();
        self.forget_all();
    }

    /// What is left of a principal whose entry goes, unless others decide or nothing may be changed.
    pub fn still_in(&self, name: &str) -> Option<String> {
        let one = self.desired(name);
        let Parent::Service(parent) = &one.parent else { return None };
        let holds = self.claims().holder(&one.principal.whom()).is_some_and(|holder| holder.uid == one.uid);
        let service = self.stage.world.services.values().next()?;
        let whom = one.principal.whom();
        let own = whom == Whom::Account(service.owner.0.to_string().into());
        if !holds || own || parent.deleting || parent.observed || one.deletion == Deletion::Retain {
            return None;
        }
        if self.listed().into_iter().any(|text| principal::Principal::from(text).whom() == whom) {
            return Some(format!("its principal is listed: {:?}", service.principals));
        }
        let live = |endpoint: &&world::Endpoint| {
            use world::object::ConnectionStatus::{Connected, Connecting};
            matches!(endpoint.connection.status, Connected | Connecting)
        };
        if one.revocation != Revocation::Disconnect {
            return None;
        }
        self.of_entry(name).into_iter().find(live).map(|one| format!("{:?} is {:?}", one.id, one.connection.status))
    }

    /// The endpoints on whose connections an entry decides.
    pub fn of_entry(&self, name: &str) -> Vec<&world::Endpoint> {
        let (claims, uid) = (self.claims(), &self.desired(name).uid);
        let decides = |one: &&world::Endpoint| {
            let owner = one.owner.0.to_string().into();
            claims.decider(Some(&owner)).is_some_and(|decider| decider.uid == *uid)
        };
        self.stage.world.endpoints.values().filter(decides).collect()
    }

    /// The list of the service, as the cloud writes it.
    pub fn listed(&self) -> Vec<String> {
        let service = self.stage.world.services.values().next();
        let written = |one: &Principal| match one {
            Principal::Account(account) => account.0.to_string(),
            Principal::Arn(arn) => arn.to_string(),
        };
        service.into_iter().flat_map(|one| &one.principals).map(written).collect()
    }

    /// Turns, and everything that moves by itself, until nothing is left to do.
    pub fn rest(&mut self) {
        let mut quiet = 0;
        for _ in 0..400 {
            let before = (self.stage.calls.len(), self.statuses());
            self.turn_of(None, (0, Trouble::None));
            for name in self.entries.keys().chain(self.zones.keys()).cloned().collect::<Vec<_>>() {
                self.turn_of(Some(&name), (0, Trouble::None));
            }
            let still = progress(&self.stage.world).is_empty();
            if let Some(due) = progress(&self.stage.world).first() {
                self.stage.world = advance(&self.stage.world, *due);
            }
            let same = before == (self.stage.calls.len(), self.statuses());
            quiet = if still && same { quiet + 1 } else { 0 };
            if quiet > 3 {
                return;
            }
            // Retries become due.
            self.stage.pass(Duration::from_secs(20));
        }
        panic!("never at rest: {:#?} {:?}", self.statuses(), self.stage.world.endpoints);
    }

    fn statuses(&self) -> (ServiceStatus, BTreeMap<String, Written>) {
        let of = |(name, slot): (&String, &Slot)| (name.clone(), slot.status.clone());
        (self.service.status.service.clone(), self.entries.iter().chain(&self.zones).map(of).collect())
    }

    /// A sweep, and what follows from it.
    pub fn sweep_and_rest(&mut self) {
        self.stage.sweep();
        self.rest();
    }

    /// A tenant's endpoint on the service, in the subnets of these zones, if the cloud lets it in.
    pub fn try_join(&mut self, home: usize, zones: &[usize]) -> Option<ConnectionKey> {
        let service = *self.stage.world.services.keys().next()?;
        let (actor, vpc) = HOMES[home];
        let vpc = self.stage.world.land.vpc_named(vpc);
        let subnet = |zone: &usize| ZoneForm { zone: None, switch: switch_of(home, *zone), ip: None, ipv6: None };
        let form = EndpointForm {
            service,
            service_region: None,
            kind: None,
            vpc,
            zones: zones.iter().map(subnet).collect(),
            groups: vec![self.stage.world.land.group_named(&format!("sg-{}", HOMES[home].1))],
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
        match self.stage.elsewhere(actor, Call::CreateEndpoint(form)) {
            Ok(Answer::Endpoint(endpoint)) => Some(ConnectionKey { service, endpoint }),
            _ => None,
        }
    }

    /// The same, once it is made.
    pub fn join(&mut self, home: usize, zones: &[usize]) -> (ConnectionKey, EndpointId) {
        let key = self.try_join(home, zones).expect("let in");
        self.stage.settle_world();
        (key, endpoint_id(key.endpoint))
    }

    /// The tenant makes one more interface.
    pub fn add_zone(&mut self, home: usize, key: ConnectionKey, zone: usize) {
        let form = ZoneForm { zone: None, switch: switch_of(home, zone), ip: None, ipv6: None };
        let _ = self.stage.elsewhere(HOMES[home].0, Call::AddZone(key.endpoint, form));
    }

    /// Somebody at the provider does by hand.
    pub fn by_hand(&mut self, call: Call) {
        self.stage.elsewhere(PROVIDER, call).expect("carried out");
        self.stage.settle_world();
    }

    pub fn accepted_by_hand(&mut self, key: ConnectionKey) {
        self.by_hand(Call::AcceptConnection(key, AcceptForm::default()));
    }

    pub fn connection(&self, key: ConnectionKey) -> &world::Endpoint {
        &self.stage.world.endpoints[&key.endpoint]
    }
}

/// Each home has a subnet in each zone.
fn switch_of(home: usize, zone: usize) -> SwitchId {
    let first = super::SUBNETS.len();
    SwitchId(u16::try_from(first + home * ZONES.len() + zone).expect("few"))
}

fn homes() -> world::Land {
    let mut land = land();
    for (at, (actor, name)) in HOMES.iter().enumerate() {
        let vpc = VpcId(u16::try_from(land.vpcs.len()).expect("few"));
        land.vpcs.push(Vpc { name: (*name).into(), account: actor.account, region: HERE });
        land.groups.push(Group { name: format!("sg-{name}").as_str().into(), vpc, enterprise: false, managed: false });
        for (zone, named) in ZONES.iter().enumerate() {
            let net = u8::try_from(at * ZONES.len() + zone).expect("few");
            land.switches.push(Switch {
                name: format!("vsw-{name}-{named}").as_str().into(),
                vpc,
                zone: land.zone_named(named),
                base: Ipv4Addr::new(10, 1, net, 0),
                prefix: 24,
                base_v6: None,
                free: 200,
                available: true,
            });
        }
    }
    land
}
