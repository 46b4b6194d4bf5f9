//! What is decided on one connection, and which call is next, for each kind of service and each state: a table over
//! what was read, without a world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use privatelink_core::claims::{Assignment, Entry, settle};
use privatelink_core::condition::Reason;
use privatelink_core::desired::{Acceptance, Allocation, DesiredEntry, Parent, ParentService, Policy};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Connection, Facet, Payer, Resource, ResourceKey, ResourceKind, Service, ServiceView, Snapshot,
    TrafficControl, ZoneLeg,
};
use privatelink_core::overlay::Laid;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::plan::entry::{Input, plan};
use privatelink_core::plan::{Ground, Plan, Tries, Truth};
use privatelink_core::principal::Whom;
use privatelink_core::read::Done;
use privatelink_core::report::entry::report;
use privatelink_core::state::{ConnectionState, Decision, LifeState, ZoneState};
use privatelink_core::status::{EntryConnection, EntryStatus};
use privatelink_core::step::{Part, Step, Traffic};

use crate::stage::entry;

const NOW: Moment = Moment(9_000_000);

/// One service with one connection of account 2, in zone z, and an entry that accepts it.
struct Row {
    service: Service,
    resources: BTreeMap<ResourceKey, Resource>,
    connection: Connection,
    desired: DesiredEntry,
    status: EntryStatus,
    pins: Vec<Assignment>,
    /// Other connections of the account.
    more: Vec<Connection>,
    /// What was done and no read has shown yet.
    written: Vec<Part>,
}

fn row(kind: ResourceKind, state: ConnectionState) -> Row {
    let leg =
        |state| ZoneLeg { state, resource: None, interface: None, replaced_resource: None, replaced_interface: None };
    let zone = if state == ConnectionState::Connected { ZoneState::Connected } else { ZoneState::Waiting };
    let balancer = Resource { kind, auto_allocate: true, connections: 0, deprecated_connections: 0 };
    let mut desired = entry("2");
    desired.uid = "uid".into();
    desired.parent = Parent::Service(ParentService {
        id: "epsrv-1".into(),
        account: "1".into(),
        region: "here".into(),
        observed: false,
        paused: false,
        deleting: false,
        disowned: None,
        unapproved: None,
    });
    Row {
        service: Service {
            id: "epsrv-1".into(),
            name: String::new(),
            domain: None,
            state: LifeState::Active,
            cloud_state: "Active".into(),
            locked: false,
            kind: Some(kind),
            description: None,
            auto_accept: false,
            payer: Payer::Consumer,
            zone_affinity: false,
            default_bandwidth_mbps: (kind == ResourceKind::Clb).then_some(1_024),
            bandwidth_mbps: Some((100, 50_000)),
            family: AddressFamily::V4,
            regions: BTreeMap::new(),
            resource_group: None,
            tags: None,
        },
        resources: [(ResourceKey { id: "lb".into(), zone: "z".into() }, balancer)].into(),
        connection: Connection {
            endpoint: "ep-1".into(),
            owner: Some("2".into()),
            vpc: None,
            region: Some("here".into()),
            state,
            cloud_state: String::new(),
            bandwidth_mbps: Some(3_072),
            traffic: Some(if kind == ResourceKind::Nlb { TrafficControl::Elastic } else { TrafficControl::Limited }),
            zones: [("z".into(), leg(zone))].into(),
        },
        desired,
        status: EntryStatus::default(),
        pins: Vec::new(),
        more: Vec::new(),
        written: Vec::new(),
    }
}

impl Row {
    fn acceptance(&mut self) -> &mut Acceptance {
        match &mut self.desired.policy {
            Policy::Accept(acceptance) => acceptance,
            other => panic!("{other:?}"),
        }
    }

    /// The bandwidth is declared, and that stands in the status.
    fn bandwidth(mut self, mbps: Option<u32>) -> Self {
        self.acceptance().bandwidth_mbps = mbps;
        self.status.common.declared_fields = ["connections.bandwidthMbps".to_owned()].into();
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn turn(&self) -> (Plan, EntryStatus) {
        self.among(0, |input| {
            let plan = plan(input);
            let status = report(input, &plan);
            (plan, status)
        })
    }

    /// The same with so many other tenants, each with an entry, a place on the list and a connection alike, and
    /// each written to since anything was read.
    fn among<T>(&self, others: u32, of: impl FnOnce(&Input<'_>) -> T) -> T {
        let others: Vec<String> = (0..others).map(|number| (1_000_000 + number).to_string()).collect();
        let alike = others.iter().map(|account| Connection {
            endpoint: format!("ep-{account}").as_str().into(),
            owner: Some(account.as_str().into()),
            ..self.connection.clone()
        });
        let listed = others.iter().map(|account| account.as_str().into()).chain(["2".into()]);
        let view = ServiceView {
            service: Facet::seen(NOW, Some(self.service.clone())),
            resources: Facet::seen(NOW, self.resources.clone()),
            connections: Facet::seen(NOW, alike.chain([self.connection.clone()]).chain(self.more.clone()).collect()),
            principals: Facet::seen(NOW, listed.collect()),
        };
        let id = self.service.id.clone();
        let snapshot = Snapshot {
            listed_services: Facet::seen(NOW, [id.clone()].into()),
            services: [(id.clone(), Arc::new(view))].into(),
            ..Snapshot::default()
        };
        let written = others.iter().flat_map(|account| {
            let endpoint = format!("ep-{account}").as_str().into();
            [Part::Principal(id.clone(), account.as_str().into()), Part::Connection(id.clone(), endpoint)]
        });
        let unconfirmed_parts = written.chain(self.written.clone()).map(|part| (part, NOW)).collect();
        let laid = Laid { snapshot, unconfirmed_parts, ..Laid::default() };
        let place = Place { cloud: Cloud::Alibaba, account: "1".into(), region: "here".into() };
        let (tries, living) = (Tries::default(), BTreeSet::new());
        let ground =
            Ground { place: &place, laid: &laid, tries: &tries, living: &living, started: Moment(0), now: NOW };
        let claim = |account: &String| Entry {
            uid: account.clone(),
            name: format!("entry-{account}"),
            whom: Whom::Account(account.as_str().into()),
            ..self.desired.claim(true, NOW)
        };
        let entries: Vec<Entry> = others.iter().map(claim).chain([self.desired.claim(true, NOW)]).collect();
        let claims = settle(&entries, &self.pins);
        of(&Input { ground, desired: &self.desired, status: &self.status, claims: &claims })
    }

    fn step(&self) -> Option<Step> {
        let (plan, _) = self.turn();
        assert!(plan.pin.is_none() && plan.steps.len() < 2, "{plan:?}");
        plan.steps.into_iter().next().map(|planned| planned.step)
    }

    fn says(&self) -> (Truth, Reason, Decision, String) {
        let (plan, status) = self.turn();
        assert_eq!(plan.steps, []);
        let ready = plan.sayings.iter().find(|one| one.condition.as_str() == "Ready").expect("said");
        let shown = &status.connections[0];
        (ready.truth, ready.reason, shown.decision.clone(), shown.reason.clone())
    }
}

fn accepted(bandwidth_mbps: Option<u32>, control: Option<TrafficControl>) -> Step {
    Step::AcceptConnection("epsrv-1".into(), "ep-1".into(), Traffic { bandwidth_mbps, control })
}

fn set(bandwidth_mbps: Option<u32>, control: Option<TrafficControl>) -> Step {
    Step::SetTraffic("epsrv-1".into(), "ep-1".into(), Traffic { bandwidth_mbps, control })
}

/// Only a network load balancer is asked to limit what it carries, and it is set free again.
#[test]
fn traffic_for_each_kind_of_load_balancer() {
    use ConnectionState::{AwaitingAcceptance, Connected};
    use ResourceKind::{Alb, Clb, Gwlb, Nlb};
    use TrafficControl::{Elastic, Limited};
    let limited = |one: &mut Row| {
        one.connection.traffic = Some(Limited);
        one.connection.bandwidth_mbps = Some(200);
    };
    let at_200 = |one: &mut Row| one.connection.bandwidth_mbps = Some(200);
    let rows = vec![
        ("nothing is asked for", row(Clb, AwaitingAcceptance), Some(accepted(None, None))),
        ("a CLB takes a bandwidth", row(Clb, AwaitingAcceptance).bandwidth(Some(200)), Some(accepted(Some(200), None))),
        ("so does an ALB", row(Alb, AwaitingAcceptance).bandwidth(Some(200)), Some(accepted(Some(200), None))),
        ("and a GWLB", row(Gwlb, AwaitingAcceptance).bandwidth(Some(200)), Some(accepted(Some(200), None))),
        (
            "an NLB is limited",
            row(Nlb, AwaitingAcceptance).bandwidth(Some(200)),
            Some(accepted(Some(200), Some(Limited))),
        ),
        ("it differs", row(Clb, Connected).bandwidth(Some(200)), Some(set(Some(200), None))),
        ("it is so", row(Clb, Connected).bandwidth(Some(200)).with(at_200), None),
        (
            "an NLB that is not limited",
            row(Nlb, Connected).bandwidth(Some(200)).with(at_200),
            Some(set(Some(200), Some(Limited))),
        ),
        ("an NLB that is", row(Nlb, Connected).bandwidth(Some(200)).with(limited), None),
        ("returned to the service's", row(Clb, Connected).bandwidth(None).with(at_200), Some(set(Some(1_024), None))),
        ("to the cloud's", row(Alb, Connected).bandwidth(None).with(at_200), Some(set(Some(3_072), None))),
        ("an NLB is set free", row(Nlb, Connected).bandwidth(None).with(limited), Some(set(None, Some(Elastic)))),
        ("never declared", row(Clb, Connected).with(at_200), None),
    ];
    for (told, row, expected) in rows {
        assert_eq!(row.step(), expected, "{told}");
    }
}

#[test]
fn a_state_that_no_call_can_mend_is_told() {
    use ConnectionState::{Deleting, Expired, Failed, Rejected, ServiceDeleted, Unknown};
    for (state, truth, reason, decision, told) in [
        (Deleting, Truth::True, Reason::Ready, Decision::Leave, "the consumer deletes its endpoint"),
        (ServiceDeleted, Truth::True, Reason::Ready, Decision::Leave, "its service is gone"),
        (Failed, Truth::True, Reason::Ready, Decision::Leave, "the consumer has to make its endpoint again"),
        (Expired, Truth::True, Reason::Ready, Decision::Leave, "the consumer has to make its endpoint again"),
        (Rejected, Truth::False, Reason::DisconnectedOutside, Decision::Held, "someone else has cut it"),
        (Unknown("Odd".into()), Truth::False, Reason::UnexpectedError, Decision::Leave, "does not know: Odd"),
    ] {
        let said = row(ResourceKind::Clb, state.clone()).says();
        assert_eq!((said.0, said.1, said.2), (truth, reason, decision), "{state:?}");
        assert!(said.3.contains(told), "{state:?}: {}", said.3);
    }
}

#[test]
fn what_stands_in_the_way_of_accepting_is_told() {
    let waiting = || row(ResourceKind::Clb, ConnectionState::AwaitingAcceptance);
    let unserved = |one: &mut Row| drop(one.resources.pop_first());
    let manual = |one: &mut Row| one.acceptance().allocation = Allocation::Manual;
    let unknown_vpc = |one: &mut Row| one.acceptance().vpcs = Some(["vpc-1".into()].into());
    for (row, reason, decision, told) in [
        (waiting().with(unserved), Reason::NoResourceInZone, Decision::Wait, "autoAllocate: true in z"),
        (
            waiting().with(manual),
            Reason::WaitingForAssignment,
            Decision::Wait,
            "no ZoneResourceAssignment of ep-1 is for z",
        ),
        (waiting().with(unknown_vpc), Reason::Ready, Decision::Leave, "does not say where it comes from"),
    ] {
        let said = row.says();
        assert_eq!((said.1, said.2), (reason, decision));
        assert!(said.3.contains(told), "{}", said.3);
    }
    let locked = waiting().with(|one| one.service.locked = true);
    assert_eq!(locked.says().1, Reason::BillingLocked);
    let cut = locked.with(|one| {
        one.desired.policy = Policy::Reject;
        one.connection.state = ConnectionState::Connected;
    });
    assert!(cut.turn().0.pin.is_some(), "what ends exposure is never locked: first it is written down that we decide");
}

/// One more connection of the account, alike, and when it was first seen.
fn another(endpoint: &str, since: Moment) -> impl FnOnce(&mut Row) {
    move |one: &mut Row| {
        one.more.push(Connection { endpoint: endpoint.into(), ..one.connection.clone() });
        one.status.connections.push(EntryConnection {
            endpoint: endpoint.into(),
            vpc: None,
            state: one.connection.state.clone(),
            bandwidth_mbps: None,
            since,
            decision: Decision::Wait,
            reason: String::new(),
            zones: BTreeMap::new(),
        });
    }
}

/// The time that each was first seen is in the status alone, and that is cut.
#[test]
fn the_oldest_of_many_that_wait_for_a_free_place_are_not_forgotten() {
    let mut many =
        row(ResourceKind::Clb, ConnectionState::AwaitingAcceptance).with(|one| one.acceptance().max = Some(1));
    for number in 0..50 {
        many = many.with(another(&format!("ep-old-{number}"), NOW - Duration::from_hours(1)));
    }
    // Others came later, and their names come first; one of all is connected.
    for number in 0..150 {
        many = many.with(another(&format!("ep-new-{number}"), NOW));
    }
    many.connection.state = ConnectionState::Connected;
    many.status.connections.truncate(100);
    for _ in 0..2 {
        let (_, status) = many.turn();
        assert_eq!((status.connections.len(), status.truncated), (100, true));
        let old = status.connections.iter().filter(|one| one.since == NOW - Duration::from_hours(1)).count();
        assert_eq!(old, 50);
        many.status = status;
    }
}

/// Where the cloud picks load balancers one by one, the place that they are picked for is not given away meanwhile.
#[test]
fn a_connection_that_load_balancers_are_picked_for_keeps_its_place() {
    let two = || {
        let one = row(ResourceKind::Clb, ConnectionState::AwaitingAcceptance);
        one.with(|one| one.acceptance().max = Some(1)).with(another("ep-2", NOW - Duration::from_hours(1)))
    };
    let step = |endpoint: &str| Step::AcceptConnection("epsrv-1".into(), endpoint.into(), Traffic::default());
    assert_eq!(two().step(), Some(step("ep-2")), "it was seen first");
    let picked = two().with(|one| {
        let leg = one.connection.zones.values_mut().next().expect("one");
        leg.resource = Some("lb".into());
    });
    assert_eq!(picked.step(), Some(step("ep-1")), "it was begun");
    let picking = two().with(|one| one.written = vec![Part::Leg("epsrv-1".into(), "ep-1".into(), "z".into())]);
    assert_eq!(picking.step(), None, "no read has shown yet what became of it");
}

#[test]
fn a_refusal_of_yesterday_is_forgotten_once_more_is_refused() {
    let mut tries = Tries::default();
    let known = |tries: &Tries| ["ep-1", "ep-2", "ep-3"].map(|endpoint| tries.has_rejected(&endpoint.into()));
    let mut refuse = |endpoint: &str, at| {
        let step = Step::RejectConnection("epsrv-1".into(), endpoint.into());
        assert!(tries.settle(&step, Ok(Done::Accepted), at, 1).is_some());
        known(&tries)
    };
    refuse("ep-1", NOW - Duration::from_hours(24));
    assert_eq!(refuse("ep-2", NOW - Duration::from_mins(1)), [true, true, false]);
    assert_eq!(refuse("ep-3", NOW), [false, true, true]);
}

fn pinned_to(resource: &str) -> impl FnOnce(&mut Row) {
    let pin = Assignment {
        uid: "pin".into(),
        name: "pin".into(),
        created: NOW,
        endpoint: "ep-1".into(),
        zone: "z".into(),
        resource: resource.into(),
        holds: true,
        deleting: false,
    };
    |one: &mut Row| one.pins = vec![pin]
}

/// The assignment itself says that it can do nothing there.
#[test]
fn an_assignment_that_the_cloud_does_not_take_holds_no_connection_back() {
    use ConnectionState::{AwaitingAcceptance, Connected};
    use ResourceKind::{Alb, Clb, Gwlb, Nlb};
    for (kind, assignable) in [(Clb, true), (Alb, true), (Nlb, false), (Gwlb, false)] {
        let waiting = row(kind, AwaitingAcceptance).with(pinned_to("lb"));
        assert_eq!(waiting.step(), (!assignable).then(|| accepted(None, None)), "{kind:?}");
        let cut = row(kind, Connected).with(pinned_to("lb")).with(|one| {
            let leg = one.connection.zones.values_mut().next().expect("one");
            leg.state = ZoneState::Disconnected;
        });
        let connects = Step::ConnectZone("epsrv-1".into(), "ep-1".into(), "z".into());
        assert_eq!(cut.step(), (!assignable).then_some(connects), "{kind:?}");
    }
}

#[test]
fn an_assignment_of_what_is_not_the_services_is_named() {
    let said = |resource| row(ResourceKind::Clb, ConnectionState::AwaitingAcceptance).with(pinned_to(resource)).says();
    let (_, reason, decision, why) = said("lb-else");
    assert_eq!((reason, decision), (Reason::WaitingForAssignment, Decision::Wait));
    assert_eq!(
        why,
        "ZoneResourceAssignment pin is to assign lb-else to z, which is not one of the load balancers of epsrv-1: correct or delete it"
    );
    assert_eq!(said("lb").3, "ZoneResourceAssignment pin has not assigned lb to z yet");
}

/// The zones of an endpoint in another region are none of the service's: any of its load balancers serves them.
#[test]
fn a_zone_of_another_region_is_served_by_any() {
    let afar = row(ResourceKind::Clb, ConnectionState::AwaitingAcceptance).with(|one| {
        let leg = one.connection.zones.pop_first().expect("one").1;
        one.connection.zones.insert("elsewhere-a".into(), leg);
    });
    assert_eq!(afar.says().1, Reason::NoResourceInZone, "a zone of this region that has none");
    let afar = afar.with(|one| one.connection.region = Some("elsewhere".into()));
    assert_eq!(afar.step(), Some(accepted(None, None)));
}

#[test]
fn a_tenant_among_a_thousand_is_decided_on_as_if_it_were_alone() {
    for state in [ConnectionState::AwaitingAcceptance, ConnectionState::Connected] {
        let row = row(ResourceKind::Clb, state);
        let (alone, told) = row.turn();
        row.among(1_000, |input| {
            let plan = plan(input);
            assert_eq!(plan, alone);
            assert_eq!(report(input, &plan), told);
        });
    }
}
