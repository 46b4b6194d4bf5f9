//! What is decided on one zone, and which call is next, in each state and behind each hurdle: a table over what was
//! read, without a world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use privatelink_core::claims::settle;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{DesiredAssignment, MigrationRules, Parent, ParentService, Served};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Connection, Facet, Payer, Resource, ResourceKey, ResourceKind, Service, ServiceView, Snapshot,
    ZoneLeg,
};
use privatelink_core::overlay::Laid;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::plan::assignment::{Input, plan};
use privatelink_core::plan::{Ground, Next, Plan, Tries, Truth};
use privatelink_core::report::assignment::report;
use privatelink_core::state::{ClaimState, ConnectionState, LifeState, MigrationOutcome, ZoneState};
use privatelink_core::status::{AssignmentStatus, Migration};
use privatelink_core::step::{MigrationMode, Replacement, Step};
use privatelink_core::wire::Response;
use privatelink_core::wire::alibaba::decode;

use crate::stage::assignment;

const NOW: Moment = Moment(9_000_000);

/// One service with `lb-a`, which is given to no new connection, `lb-b` and `lb-c` in zone z, `lb-far` in another, and
/// one connection with an interface in zone z that `lb-a` serves; an assignment wants `lb-b`.
pub struct Row {
    pub service: Service,
    pub resources: BTreeMap<ResourceKey, Resource>,
    pub connection: Option<Connection>,
    pub desired: DesiredAssignment,
    pub status: AssignmentStatus,
    pub tries: Tries,
    pub rival: Option<DesiredAssignment>,
}

pub fn at(id: &str, zone: &str) -> ResourceKey {
    ResourceKey { id: id.into(), zone: zone.into() }
}

fn parent() -> ParentService {
    ParentService {
        id: "epsrv-1".into(),
        account: "1".into(),
        region: "here".into(),
        observed: false,
        paused: false,
        deleting: false,
        disowned: None,
        unapproved: None,
    }
}

pub fn row(connection: ConnectionState, zone: ZoneState) -> Row {
    let resource =
        |auto_allocate| Resource { kind: ResourceKind::Clb, auto_allocate, connections: 1, deprecated_connections: 0 };
    let leg = ZoneLeg {
        state: zone,
        resource: Some("lb-a".into()),
        interface: Some("eni-1".into()),
        replaced_resource: None,
        replaced_interface: None,
    };
    let mut desired = assignment(&"ep-1".into(), "lb-cool");
    desired.uid = "uid-zone".into();
    desired.name = "zone".into();
    desired.parent = Parent::Service(parent());
    desired.zone = "z".into();
    desired.resource = "lb-b".into();
    Row {
        service: Service {
            id: "epsrv-1".into(),
            name: "name".into(),
            domain: None,
            state: LifeState::Active,
            cloud_state: "Active".into(),
            locked: false,
            kind: Some(ResourceKind::Clb),
            description: None,
            auto_accept: false,
            payer: Payer::Consumer,
            zone_affinity: false,
            default_bandwidth_mbps: None,
            bandwidth_mbps: None,
            family: AddressFamily::V4,
            regions: BTreeMap::new(),
            resource_group: None,
            tags: None,
        },
        resources: [
            (at("lb-a", "z"), resource(false)),
            (at("lb-b", "z"), resource(true)),
            (at("lb-c", "z"), resource(false)),
            (at("lb-far", "y"), resource(true)),
        ]
        .into(),
        connection: Some(Connection {
            endpoint: "ep-1".into(),
            owner: Some("2".into()),
            vpc: None,
            region: Some("here".into()),
            state: connection,
            cloud_state: String::new(),
            bandwidth_mbps: None,
            traffic: None,
            zones: [("z".into(), leg)].into(),
        }),
        desired,
        status: AssignmentStatus::default(),
        tries: Tries::default(),
        rival: None,
    }
}

pub fn up() -> Row {
    row(ConnectionState::Connected, ZoneState::Connected)
}

/// The zone has moved to `lb-b`, and `lb-a` is still open.
pub fn both() -> Row {
    row(ConnectionState::Connected, ZoneState::Migrated).with(|one| {
        one.leg().resource = Some("lb-b".into());
        one.leg().replaced_resource = Some("lb-a".into());
        one.status.migration = Some(record(MigrationMode::Smooth));
        one.status.state = Some(ZoneState::Migrated);
    })
}

/// From `lb-a` to `lb-b`; it has moved five minutes ago.
fn record(mode: MigrationMode) -> Migration {
    Migration {
        id: "the-id".to_owned(),
        from: "lb-a".into(),
        to: "lb-b".into(),
        mode,
        started_at: NOW - Duration::from_mins(6),
        migrated_at: Some(NOW - Duration::from_mins(5)),
        drain_until: Some(NOW + Duration::from_mins(5)),
        completed_at: None,
        outcome: None,
        gap_seconds: None,
    }
}

impl Row {
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn leg(&mut self) -> &mut ZoneLeg {
        let connection = self.connection.as_mut().expect("a connection");
        connection.zones.get_mut(&"z".into()).expect("a zone")
    }

    pub fn parent(&mut self) -> &mut ParentService {
        match &mut self.desired.parent {
            Parent::Service(parent) => parent,
            _ => panic!("a service"),
        }
    }

    /// The migration stands in the status, and the call is next.
    pub fn written(self) -> Self {
        let (_, status) = self.turn();
        self.with(|one| one.status = status)
    }

    /// The next call was refused so.
    fn refused(self, meaning: Meaning) -> Self {
        let step = self.step().expect("a call");
        let failure = Failure {
            meaning,
            code: "Refused".into(),
            message: "no".into(),
            request_id: None,
            retry_after: None,
            maybe_done: false,
        };
        self.with(|one| drop(one.tries.settle(&step, Err(failure), NOW, one.desired.generation)))
    }

    /// The cloud has answered the next call with this code.
    pub fn answered(self, code: &str) -> Self {
        let body = format!(r#"{{"Code":"{code}","Message":"no"}}"#).into_bytes();
        let response = Response { status: 400, headers: Vec::new(), body };
        let failure = decode::failure("UpdateVpcEndpointZoneConnectionResourceAttribute", &response);
        let step = self.step().expect("a call");
        self.with(|one| drop(one.tries.settle(&step, Err(failure), NOW, one.desired.generation)))
    }

    pub fn turn(&self) -> (Plan, AssignmentStatus) {
        let view = ServiceView {
            service: Facet::seen(NOW, Some(self.service.clone())),
            resources: Facet::seen(NOW, self.resources.clone()),
            connections: Facet::seen(NOW, self.connection.clone().into_iter().collect()),
            principals: Facet::Unseen,
        };
        let id = self.service.id.clone();
        let snapshot = Snapshot {
            listed_services: Facet::seen(NOW, [id.clone()].into()),
            services: [(id, Arc::new(view))].into(),
            ..Snapshot::default()
        };
        let laid = Laid { snapshot, ..Laid::default() };
        let place = Place { cloud: Cloud::Alibaba, account: "1".into(), region: "here".into() };
        let living = BTreeSet::new();
        let ground =
            Ground { place: &place, laid: &laid, tries: &self.tries, living: &living, started: Moment(0), now: NOW };
        let holds = self.status.claim == Some(ClaimState::Held);
        let rival = self.rival.as_ref().and_then(|one| one.claim(false));
        let claims = settle(&[], &self.desired.claim(holds).into_iter().chain(rival).collect::<Vec<_>>());
        let input = Input { ground, desired: &self.desired, status: &self.status, claims: &claims };
        let plan = plan(&input);
        let status = report(&input, &plan);
        (plan, status)
    }

    fn step(&self) -> Option<Step> {
        let (plan, _) = self.turn();
        assert!(plan.pin.is_none() && plan.steps.len() < 2, "{plan:?}");
        plan.steps.into_iter().next().map(|planned| planned.step)
    }

    fn says(&self) -> (Truth, Reason, String) {
        let (plan, _) = self.turn();
        assert_eq!(plan.steps, []);
        let ready = plan.sayings.iter().find(|one| one.condition == ConditionType::Ready).expect("said");
        let stalled = plan.says(ConditionType::Stalled, Truth::True);
        let person = matches!(plan.next, Next::Person);
        assert!(stalled || !person, "who waits for a person says so: {plan:?}");
        (ready.truth, ready.reason, ready.message.clone())
    }

    fn ended(&self) -> Option<MigrationOutcome> {
        let (_, status) = self.turn();
        assert_eq!(status.migration.is_some(), status.history.is_empty());
        status.history.first().and_then(|last| last.outcome.clone())
    }
}

fn replaced(to: &str, mode: MigrationMode) -> Step {
    let replacement = Replacement { to: to.into(), kind: ResourceKind::Clb, mode };
    Step::ReplaceResource("epsrv-1".into(), "ep-1".into(), "z".into(), replacement)
}

fn closed() -> Step {
    Step::CloseReplaced("epsrv-1".into(), "ep-1".into(), "z".into())
}

fn connected() -> Step {
    Step::ConnectZone("epsrv-1".into(), "ep-1".into(), "z".into())
}

fn cut() -> Step {
    Step::DisconnectZone("epsrv-1".into(), "ep-1".into(), "z".into())
}

fn assigned(to: &str) -> Step {
    Step::AssignResource("epsrv-1".into(), "ep-1".into(), "z".into(), to.into(), ResourceKind::Clb)
}

#[test]
fn which_call_is_next_in_each_state() {
    use ConnectionState::{AwaitingAcceptance, Connected, Disconnected, Rejected};
    let served = |one: &mut Row| one.leg().resource = Some("lb-b".into());
    let off = |one: &mut Row| one.desired.connected = false;
    let forced = |one: &mut Row| one.desired.migration.mode = MigrationMode::Forced;
    for (told, row, expected) in vec![
        ("before it is accepted", row(AwaitingAcceptance, ZoneState::Waiting), Some(assigned("lb-b"))),
        ("after it was cut", row(Disconnected, ZoneState::Disconnected), Some(assigned("lb-b"))),
        ("after it was refused", row(Rejected, ZoneState::Disconnected), Some(assigned("lb-b"))),
        ("assigned already", row(AwaitingAcceptance, ZoneState::Waiting).with(served), None),
        ("connected on another", up().written(), Some(replaced("lb-b", MigrationMode::Smooth))),
        ("and by force", up().with(forced).written(), Some(replaced("lb-b", MigrationMode::Forced))),
        ("connected on it", up().with(served), None),
        ("to be cut", up().with(served).with(off), Some(cut())),
        ("to be cut, on another", up().with(off), Some(cut())),
        ("is cut", row(Connected, ZoneState::Disconnected).with(served), Some(connected())),
        ("is cut, as declared", row(Connected, ZoneState::Disconnected).with(served).with(off), None),
        ("is cut, on another", row(Connected, ZoneState::Disconnected), Some(replaced("lb-b", MigrationMode::Smooth))),
        ("waits", row(Connected, ZoneState::Waiting), Some(connected())),
        ("is drained", both().with(|one| one.desired.migration.drain = Duration::ZERO), Some(closed())),
        ("drains", both(), None),
        ("moves", row(Connected, ZoneState::Migrating), None),
        ("is paused", up().with(|one| one.desired.paused = true), None),
        ("its service is paused", up().with(|one| one.parent().paused = true), None),
        ("its service is observed", up().with(|one| one.parent().observed = true), None),
        ("its service is being changed", up().written().with(|one| one.service.state = LifeState::Modifying), None),
    ] {
        assert_eq!(row.step(), expected, "{told}");
    }
}

/// What was written down is lost, and the cloud does not say where the zone came from: it is drained like any other.
#[test]
fn a_zone_that_came_from_nobody_knows_where_is_drained() {
    let row = both().with(|one| {
        one.leg().replaced_resource = None;
        one.status = AssignmentStatus::default();
    });
    let (plan, status) = row.turn();
    assert_eq!(plan.steps, []);
    let open = status.migration.clone().expect("it is open");
    assert_eq!(open.from.as_str(), "unknown");
    assert!(open.drain_until.is_some_and(|until| until > NOW), "{open:?}");
    let shown = both().with(|one| one.status = status);
    assert_eq!(shown.turn().1.migration, Some(open), "and is the same one once the cloud says it");
}

/// A service that was adopted and that nobody has approved yet loses nothing by an assignment.
#[test]
fn an_adopted_service_that_nobody_has_approved_loses_no_zone() {
    let forced = |one: &mut Row| one.desired.migration.mode = MigrationMode::Forced;
    let off = |one: &mut Row| one.desired.connected = false;
    let over = |one: &mut Row| one.desired.drain_approved = Some("the-id".to_owned());
    let adopted = |one: &mut Row| one.parent().unapproved = Some("uid-service".to_owned());
    let cases = || [up().with(forced).written(), up().with(off), both().with(over), both().with(off)];
    for row in cases() {
        assert!(row.step().is_some());
    }
    for row in cases().map(|row| row.with(adopted)) {
        let (truth, reason, message) = row.says();
        assert_eq!((truth, reason), (Truth::False, Reason::AdoptionApprovalNeeded), "{message}");
    }
    assert!(up().written().with(adopted).step().is_some(), "smoothly, nothing is taken away");
}

/// A migration is written down before its call is made, and a second time only where something else is declared.
#[test]
fn a_migration_is_written_down_first() {
    let (plan, status) = up().turn();
    assert!(plan.pin.is_some() && plan.steps.is_empty());
    let open = status.migration.clone().expect("written");
    assert_eq!(open.id, "lb-a-lb-b-19700101T023000Z");
    assert_eq!((open.started_at, open.migrated_at, open.outcome), (NOW, None, None));
    let row = up().with(|one| one.status = status);
    assert!(row.step().is_some());
    let other = row.with(|one| one.desired.resource = "lb-c".into());
    let (plan, status) = other.turn();
    assert!(plan.pin.is_some(), "another is declared");
    assert_eq!(status.migration.expect("written").to, "lb-c".into());
    assert_eq!(status.history, [], "what never began is not history");
}

/// Each hurdle is told before the cloud is asked: its reason, and what is to be changed where.
#[test]
fn what_stands_in_the_way_is_told_by_name() {
    use ConnectionState::{AwaitingAcceptance, Connected, Deleting, Disconnected, Failed, Unknown};
    let auto = |id: &'static str, on: bool| {
        move |one: &mut Row| one.resources.get_mut(&at(id, "z")).expect("held").auto_allocate = on
    };
    let to = |id: &'static str| move |one: &mut Row| one.desired.resource = id.into();
    let served = |one: &mut Row| one.leg().resource = Some("lb-b".into());
    let waiting = || row(AwaitingAcceptance, ZoneState::Waiting);
    let of = |kind: ResourceKind| move |one: &mut Row| one.service.kind = Some(kind);
    let rows: Vec<(Row, Reason, &str)> = vec![
        (
            up().with(auto("lb-a", true)),
            Reason::ResourceStillAutoAllocated,
            "lb-a is still given to new connections, and the cloud replaces no such load balancer: set autoAllocate: false on it in spec.resources of the EndpointService",
        ),
        (
            up().with(auto("lb-a", true)).with(auto("lb-b", false)),
            Reason::LastAutoAllocatedInZone,
            "set autoAllocate: true on another there in spec.resources of the EndpointService, then false on lb-a",
        ),
        (
            row(Connected, ZoneState::Disconnected).with(auto("lb-a", true)),
            Reason::ResourceStillAutoAllocated,
            "set autoAllocate: false on it",
        ),
        (
            up().with(to("lb-none")),
            Reason::ReferenceNotFound,
            "lb-none is not one of the load balancers of epsrv-1: add it to spec.resources of the EndpointService, or correct resourceId",
        ),
        (waiting().with(to("lb-none")), Reason::ReferenceNotFound, "spec.resources of the EndpointService"),
        (
            up().with(to("lb-far")),
            Reason::InvalidSpec,
            "lb-far does not serve z: set resourceId to one of that zone: lb-a, lb-b, lb-c",
        ),
        (waiting().with(to("lb-far")), Reason::InvalidSpec, "set resourceId to one of that zone"),
        (
            up().with(of(ResourceKind::Nlb)),
            Reason::UnsupportedByCloud,
            "load balancers of type NLB, and the cloud lets those of type CLB and ALB alone be assigned to zones: delete this object",
        ),
        (waiting().with(of(ResourceKind::Gwlb)), Reason::UnsupportedByCloud, "type GWLB"),
        (waiting().with(served), Reason::WaitingForAcceptance, "has not been accepted yet"),
        (
            row(Disconnected, ZoneState::Disconnected).with(served),
            Reason::RejectedByProvider,
            "its WhitelistEntry says why",
        ),
        (up().with(|one| one.connection = None), Reason::WaitingForConsumer, "ep-1 has no connection to epsrv-1"),
        (up().with(|one| one.desired.zone = "x".into()), Reason::WaitingForConsumer, "ep-1 has no interface in x"),
        (row(Deleting, ZoneState::Connected), Reason::WaitingForConsumer, "the consumer deletes ep-1"),
        (row(Failed, ZoneState::Disconnected), Reason::WaitingForConsumer, "has to make its endpoint again"),
        (row(Unknown("Odd".into()), ZoneState::Connected), Reason::UnexpectedError, "does not know: Odd"),
        (
            row(Connected, ZoneState::Unknown("Odd".into())),
            Reason::UnexpectedError,
            "z of ep-1 is in a state that this version does not know: Odd",
        ),
        (
            up().with(|one| one.parent().deleting = true),
            Reason::WaitingForService,
            "nothing is assigned on it any more",
        ),
        (
            row(Connected, ZoneState::Disconnected).with(served).with(|one| one.parent().deleting = true),
            Reason::WaitingForService,
            "nothing is connected on it any more",
        ),
        (up().with(|one| one.service.locked = true).written(), Reason::BillingLocked, "settle the bill"),
        (
            up().with(|one| one.parent().observed = true),
            Reason::ParentNotManaged,
            "set managementPolicy: Manage on its EndpointService",
        ),
        (
            up().with(|one| one.desired.endpoint = Served::Awaited("endpoint.ref: it has no id yet".into())),
            Reason::WaitingForConsumer,
            "endpoint.ref",
        ),
        (
            up().with(|one| one.desired.endpoint = Served::Missing("endpoint.ref: there is none".into())),
            Reason::ReferenceNotFound,
            "endpoint.ref",
        ),
        (
            up().with(|one| one.desired.parent = Parent::Awaited("serviceRef: there is none".into())),
            Reason::WaitingForService,
            "serviceRef",
        ),
    ];
    for (row, reason, told) in rows {
        let (truth, said, message) = row.says();
        assert_eq!((truth, said), (Truth::False, reason), "{message}");
        assert!(message.contains(told), "{message}");
    }
}

/// The zones of an endpoint in another region are none of the service's: any of its load balancers serves them.
#[test]
fn a_zone_of_another_region_is_served_by_any() {
    let afar = up().with(|one| one.desired.resource = "lb-far".into());
    assert_eq!(afar.says().1, Reason::InvalidSpec);
    let afar = afar.with(|one| one.connection.as_mut().expect("one").region = Some("elsewhere".into())).written();
    assert_eq!(afar.step(), Some(replaced("lb-far", MigrationMode::Smooth)));
}

/// The vendor does not say which code an account gets that lacks the feature: each of them names it, and what to ask
/// for; no other call is made meanwhile.
#[test]
fn a_feature_that_is_off_is_told_whatever_the_code() {
    for code in ["NoPermission", "QuotaMisMatched", "OperationDenied.Whatever", "ZoneOperationDenied"] {
        for row in [row(ConnectionState::AwaitingAcceptance, ZoneState::Waiting), up().written()] {
            let row = row.answered(code);
            let (_, reason, message) = row.says();
            assert_eq!(reason, Reason::FeatureNotEnabled, "{code}: {message}");
            assert!(message.contains("privatelink_whitelist/svc_res_mgt_uat"), "{message}");
        }
    }
}

/// What was read to be otherwise is read again, and asked for again, without a word of error.
#[test]
fn a_refusal_that_contradicts_what_was_read_is_looked_into() {
    for (row, meaning) in [
        (both().with(|one| one.desired.connected = false), Meaning::Waiting(Reason::Degraded)),
        (up().written(), Meaning::UserMustAct(Reason::ResourceStillAutoAllocated)),
    ] {
        let row = row.refused(meaning);
        let (plan, _) = row.turn();
        assert!(plan.says(ConditionType::Reconciling, Truth::True), "{plan:?}");
        assert!(matches!(plan.next, Next::At(due) if due <= NOW + Duration::from_secs(20)), "{plan:?}");
    }
}

mod in_motion {
    //! What happens to a migration when something else is declared, or happens, meanwhile.

    use super::*;

    #[test]
    fn deleted_in_flight_it_waits_until_the_zone_has_moved_and_hands_it_over() {
        let deleted = |one: &mut Row| one.desired.deleting = true;
        let (plan, _) = row(ConnectionState::Connected, ZoneState::Migrating).with(deleted).turn();
        assert!(!plan.released && plan.steps.is_empty() && matches!(plan.next, Next::Moving { .. }), "{plan:?}");
        let ready = plan.sayings.iter().find(|one| one.condition == ConditionType::Ready).expect("said");
        assert_eq!(ready.reason, Reason::Deleting);
        let (plan, _) = both().with(deleted).turn();
        assert!(plan.released && plan.steps.is_empty(), "what is left is the service's to clean up: {plan:?}");
        let (plan, _) = up().with(deleted).turn();
        assert!(plan.released, "{plan:?}");
        let (plan, _) = both().with(deleted).with(|one| one.desired.paused = true).turn();
        assert!(!plan.released, "{plan:?}");
    }

    #[test]
    fn another_load_balancer_declared_in_flight_waits_for_the_drain_and_is_next() {
        let changed = |one: &mut Row| one.desired.resource = "lb-c".into();
        let row = both().with(changed);
        let (_, reason, _) = row.says();
        assert_eq!(reason, Reason::Draining, "the migration that runs ends first");
        let (plan, status) = row.turn();
        assert_eq!(plan.next, Next::At(NOW + Duration::from_mins(5)));
        assert_eq!(status.migration.expect("open").to, "lb-b".into());
        let approved = row.with(|one| one.desired.drain_approved = Some("the-id".to_owned()));
        assert_eq!(approved.step(), Some(closed()), "an approval shortens it");
        // It is closed: the next one begins.
        let next = approved.with(|one| {
            one.leg().state = ZoneState::Connected;
            one.leg().replaced_resource = None;
            one.resources.get_mut(&at("lb-b", "z")).expect("held").auto_allocate = false;
            one.resources.get_mut(&at("lb-c", "z")).expect("held").auto_allocate = true;
        });
        let (plan, status) = next.turn();
        assert!(plan.pin.is_some());
        let open = status.migration.expect("open");
        assert_eq!((open.from, open.to), ("lb-b".into(), "lb-c".into()));
        assert_eq!(status.history[0].outcome, Some(MigrationOutcome::Succeeded));
    }

    #[test]
    fn the_old_load_balancer_declared_again_waits_for_the_drain_too() {
        let row = both().with(|one| one.desired.resource = "lb-a".into());
        assert_eq!(row.says().1, Reason::Draining);
    }

    #[test]
    fn a_forced_move_declared_in_flight_keeps_the_drain_that_has_begun() {
        let row = both().with(|one| {
            one.desired.resource = "lb-c".into();
            one.desired.migration = MigrationRules { mode: MigrationMode::Forced, ..MigrationRules::default() };
        });
        let (plan, _) = row.turn();
        assert_eq!(plan.next, Next::At(NOW + Duration::from_mins(5)));
    }

    #[test]
    fn a_drain_that_is_declared_otherwise_counts_from_when_the_zone_had_moved() {
        for (drain, expected) in [(60, Some(closed())), (301, None)] {
            let row = both().with(|one| one.desired.migration.drain = Duration::from_secs(drain));
            assert_eq!(row.step(), expected, "{drain}");
        }
    }

    #[test]
    fn to_be_disconnected_while_it_migrates_it_is_cleaned_up_without_drain_and_then_cut() {
        let off = |one: &mut Row| one.desired.connected = false;
        let moving = row(ConnectionState::Connected, ZoneState::Migrating).with(off);
        assert_eq!((moving.step(), moving.says().1), (None, Reason::Migrating));
        for approval in [false, true] {
            let moved = both().with(off).with(|one| one.desired.migration.approval = approval);
            assert_eq!(moved.step(), Some(closed()), "the cloud wants the old side closed first");
        }
        let clean = up().with(off).with(|one| one.leg().resource = Some("lb-b".into()));
        assert_eq!(clean.step(), Some(cut()));
        // It is told how the migration ended before the zone is in another state.
        let closed = both().with(off).with(|one| {
            one.leg().state = ZoneState::Connected;
            one.leg().replaced_resource = None;
        });
        let (plan, status) = closed.turn();
        assert!(plan.pin.is_some() && plan.steps.is_empty(), "{plan:?}");
        assert_eq!(status.migration, None);
        assert_eq!(status.history[0].outcome, Some(MigrationOutcome::Succeeded));
        assert_eq!(closed.with(|one| one.status = status).step(), Some(cut()));
    }

    #[test]
    fn one_that_was_written_down_and_cannot_set_out_any_more_is_not_open() {
        let given = |one: &mut Row| one.resources.get_mut(&at("lb-a", "z")).expect("held").auto_allocate = true;
        let row = up().written();
        assert!(row.turn().1.migration.is_some());
        let row = row.with(given);
        assert_eq!(row.says().1, Reason::ResourceStillAutoAllocated);
        let (_, status) = row.turn();
        assert_eq!((status.migration, status.history), (None, Vec::new()), "it never was one");
    }

    #[test]
    fn a_connection_that_is_cut_meanwhile_aborts_it() {
        for (state, zone) in [
            (ConnectionState::Disconnected, ZoneState::Disconnected),
            (ConnectionState::Disconnecting, ZoneState::Disconnecting),
            (ConnectionState::Deleting, ZoneState::Deleting),
            (ConnectionState::Connected, ZoneState::Disconnected),
        ] {
            let row = row(state.clone(), zone).with(|one| one.status = both().status);
            assert_eq!(row.ended(), Some(MigrationOutcome::Aborted), "{state:?}");
        }
        let gone = both().with(|one| one.connection = None);
        assert_eq!(gone.ended(), Some(MigrationOutcome::Aborted));
    }

    #[test]
    fn a_migration_that_the_cloud_ends_on_the_old_load_balancer_has_failed_and_is_tried_again_later() {
        let row = up().with(|one| {
            one.status = both().status;
            one.status.state = Some(ZoneState::Migrating);
            one.status.migration.as_mut().expect("open").migrated_at = None;
        });
        assert_eq!(row.ended(), Some(MigrationOutcome::Failed));
        let (plan, status) = row.turn();
        assert_eq!(plan.next, Next::At(NOW + Duration::from_mins(15)));
        assert_eq!(row.says().1, Reason::Degraded);
        let later = row.with(|one| {
            one.status = status;
            one.status.history[0].completed_at = Some(NOW - Duration::from_mins(15));
        });
        assert!(later.turn().0.pin.is_some(), "it begins anew");
    }

    #[test]
    fn an_approval_names_the_migration() {
        let required = |one: &mut Row| one.desired.migration.approval = true;
        let approved = |id: &'static str| move |one: &mut Row| one.desired.drain_approved = Some(id.to_owned());
        let row = both().with(required);
        let (_, reason, message) = row.says();
        assert_eq!(reason, Reason::DrainApprovalNeeded);
        assert!(message.contains("privatelink.dev/drain-approved is the-id"), "{message}");
        assert_eq!(row.turn().1.migration.expect("open").drain_until, None);
        assert_eq!(row.with(approved("another")).says().1, Reason::DrainApprovalNeeded);
        assert_eq!(both().with(required).with(approved("the-id")).step(), Some(closed()));
    }

    #[test]
    fn no_more_than_ten_are_remembered_the_latest_first() {
        let row = both().with(|one| {
            one.connection = None;
            one.status.history = (0..10).map(|_| record(MigrationMode::Forced)).collect();
        });
        let (_, status) = row.turn();
        assert_eq!(status.history.len(), 10);
        assert_eq!(status.history[0].outcome, Some(MigrationOutcome::Aborted));
    }
}

/// The older of two decides, and the other takes over when that one goes.
#[test]
fn one_assignment_decides_on_a_zone() {
    let rival = |created: i64| {
        move |one: &mut Row| {
            let mut rival = one.desired.clone();
            rival.uid = "uid-rival".to_owned();
            rival.name = "rival".to_owned();
            rival.created = Moment(created);
            rival.resource = "lb-c".into();
            one.desired.created = Moment(5);
            one.rival = Some(rival);
        }
    };
    let behind = up().with(rival(1));
    let (_, reason, message) = behind.says();
    assert_eq!(reason, Reason::OwnershipConflict);
    assert!(message.starts_with("ZoneResourceAssignment rival decides on z of ep-1"), "{message}");
    assert_eq!(behind.turn().1.claim, Some(ClaimState::Waiting));
    let goes = behind.with(|one| one.desired.deleting = true);
    assert!(goes.turn().0.released);
    let ahead = up().with(rival(9));
    assert_eq!(ahead.turn().1.claim, Some(ClaimState::Held));
    let over = up().with(rival(1)).with(|one| one.rival.as_mut().expect("one").deleting = true);
    assert!(over.turn().0.pin.is_some(), "it takes over in the turn in which the other goes");
    let kept = up().with(rival(1)).with(|one| {
        let rival = one.rival.as_mut().expect("one");
        rival.deleting = true;
        rival.paused = true;
    });
    assert_eq!(kept.says().1, Reason::OwnershipConflict, "one that is paused keeps what it holds");
}

/// Nothing is done in the cloud for one that goes with its service, or whose endpoint is not known.
#[test]
fn one_that_is_deleted_goes_without_a_call() {
    let deleted = |one: &mut Row| one.desired.deleting = true;
    for row in [
        up().with(|one| one.parent().deleting = true),
        up().with(|one| one.parent().observed = true),
        up().with(|one| one.desired.parent = Parent::Awaited(String::new())),
        up().with(|one| one.desired.endpoint = Served::Missing(String::new())),
        up().with(|one| one.service.kind = Some(ResourceKind::Nlb)),
        up().with(|one| one.service.state = LifeState::Deleting),
    ] {
        let (plan, _) = row.with(deleted).turn();
        assert!(plan.released && plan.steps.is_empty(), "{plan:?}");
    }
}
