//! Connections away from a load balancer that was taken off the spec, step by step, in sentences: replaced, cleaned
//! up and detached as one declared change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use privatelink_core::claims::Claims;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Departure, OnDelete, Removal};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Connection, Facet, Payer, Resource, ResourceKind, Service, ServiceView, Snapshot, ZoneLeg,
};
use privatelink_core::overlay::Laid;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::plan::service::{Input, plan};
use privatelink_core::plan::{Ground, Tries, Truth};
use privatelink_core::report::service::report;
use privatelink_core::state::{ConnectionState, LifeState, ZoneState};
use privatelink_core::status::{Leaving, ServiceStatus};
use privatelink_core::step::{MigrationMode, Step};
use privatelink_sim::world::call::ConnectionKey;
use privatelink_sim::world::object::LegStatus;
use privatelink_sim::world::{Variants, advance, progress};

use crate::stage::{Tenants, Trouble, ZONES, assignment, desired, endpoint_id, entry, key};

const DRAIN: Duration = Duration::from_mins(10);

/// Connections are moved so.
fn moved(mode: MigrationMode) -> Removal {
    Removal { departure: Some(Departure::Move(mode)), ..Removal::WAIT }
}

/// A service whose one load balancer in zone f serves the connections of three tenants.
fn hot(variants: Variants) -> (Tenants, [ConnectionKey; 3]) {
    let mut tenants = Tenants::with(variants);
    tenants.add("two", entry("2"));
    tenants.add("three", entry("3"));
    tenants.edit_service(|one| one.removal = moved(MigrationMode::Smooth));
    tenants.rest();
    let keys = [0, 1, 2].map(|home| tenants.join(home, &[0]).0);
    tenants.sweep_and_rest();
    for one in keys {
        assert_eq!(tenants.leg(one, ZONES[0]).1, Some("lb-hot"));
    }
    tenants.stage.calls.clear();
    tenants.stage.refusals = 0;
    (tenants, keys)
}

/// The first load balancer goes, and these come.
fn instead(tenants: &mut Tenants, balancers: &[&str]) {
    tenants.edit_service(|one| {
        one.resources.remove(&key("lb-hot"));
        one.resources.extend(balancers.iter().map(|balancer| (key(balancer), true)));
    });
    tenants.rest();
}

fn said(tenants: &Tenants, condition: ConditionType) -> Option<(Truth, Reason, String)> {
    let conditions = &tenants.service.status.service.common.conditions;
    let one = conditions.iter().find(|one| one.condition == condition)?;
    Some((one.truth, one.reason, one.message.clone()))
}

fn evacuating(tenants: &Tenants, reason: Reason) -> String {
    let (truth, said, message) = said(tenants, ConditionType::Evacuating).expect("connections leave");
    assert_eq!((truth, said), (Truth::True, reason), "{message}");
    message
}

fn is_ready(tenants: &Tenants) {
    let (truth, reason, message) = said(tenants, ConditionType::Ready).expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Ready), "{message}");
}

fn row(tenants: &Tenants) -> &Leaving {
    let [row] = tenants.service.status.service.leaving.as_slice() else {
        panic!("{:?}", tenants.service.status.service.leaving)
    };
    row
}

fn served_by(tenants: &Tenants, keys: &[ConnectionKey]) -> Vec<String> {
    keys.iter().map(|key| tenants.leg(*key, ZONES[0]).1.unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_load_balancer_is_replaced_cleaned_up_and_detached_by_one_declared_change() {
    let (mut tenants, keys) = hot(Variants::default());
    instead(&mut tenants, &["lb-cool"]);
    let moves = ["AttachResource", "SetAutoAllocate", "ReplaceResource", "ReplaceResource", "ReplaceResource"];
    assert_eq!(tenants.stage.calls, moves);
    assert_eq!(served_by(&tenants, &keys), ["lb-cool"; 3]);
    is_ready(&tenants);
    let message = evacuating(&tenants, Reason::Draining);
    assert!(message.starts_with("connections leave lb-hot: ") && message.contains("removal.drainSeconds"), "{message}");
    assert_eq!(said(&tenants, ConditionType::Reconciling), None, "a drain is a wait");
    let open = row(&tenants).clone();
    assert_eq!((open.resource.clone(), open.in_flight.len(), open.moved), (key("lb-hot"), 3, 0));
    for flight in &open.in_flight {
        let migrated = flight.migrated_at.expect("it has moved");
        assert_eq!((flight.to.as_str(), flight.drain_until), ("lb-cool", Some(migrated + DRAIN)));
    }
    tenants.stage.pass(DRAIN);
    tenants.rest();
    let closes = ["CloseReplaced", "CloseReplaced", "CloseReplaced", "DetachResource"];
    assert_eq!(tenants.stage.calls[moves.len()..], closes);
    assert_eq!(said(&tenants, ConditionType::Evacuating), None);
    assert_eq!(tenants.service.status.service.leaving, []);
    is_ready(&tenants);
    assert_eq!((tenants.stage.gaps.len(), tenants.stage.refusals), (0, 0));
}

#[test]
fn by_force_it_takes_no_clean_up() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| one.removal = moved(MigrationMode::Forced));
    instead(&mut tenants, &["lb-cool"]);
    let replaced = ["ReplaceResource"; 3];
    let calls = [&["AttachResource", "SetAutoAllocate"][..], &replaced[..], &["DetachResource"]].concat();
    assert_eq!(tenants.stage.calls, calls);
    assert_eq!((tenants.stage.gaps.as_slice(), tenants.stage.refusals), (&replaced[..], 0));
    assert_eq!(served_by(&tenants, &keys), ["lb-cool"; 3]);
}

#[test]
fn without_a_word_it_is_smooth_and_with_wait_nothing_is_moved() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| one.removal = Removal::WAIT);
    instead(&mut tenants, &["lb-cool"]);
    assert_eq!(tenants.stage.calls, ["AttachResource", "SetAutoAllocate"]);
    assert!(evacuating(&tenants, Reason::BlockedByConnections).contains("they are waited for"));
    assert_eq!((row(&tenants).remaining, &row(&tenants).in_flight), (3, &vec![]));
    tenants.edit_service(|one| one.removal.departure = None);
    tenants.rest();
    assert_eq!(served_by(&tenants, &keys), ["lb-cool"; 3]);
}

/// Each connection goes to the load balancer that serves the fewest then.
#[test]
fn the_least_loaded_one_is_the_next_target() {
    let (mut tenants, keys) = hot(Variants::default());
    instead(&mut tenants, &["lb-cool", "lb-spare"]);
    let served = served_by(&tenants, &keys);
    let on = |name: &str| served.iter().filter(|one| *one == name).count();
    assert_eq!((on("lb-cool"), on("lb-spare")), (2, 1), "{served:?}");
}

/// No more move at once than are allowed; those that drain do not count.
#[test]
fn as_many_move_at_once_as_are_allowed() {
    for blocks in ["true", "false"] {
        let variants = Variants::default().with("migrationBlocksService", blocks).expect("a variant");
        let (mut tenants, keys) = hot(variants);
        tenants.edit_service(|one| {
            one.resources.remove(&key("lb-hot"));
            one.resources.insert(key("lb-cool"), true);
        });
        let mut together = 0;
        for _ in 0..60 {
            tenants.turn_of(None, (0, Trouble::None));
            let status = |of: &ConnectionKey| tenants.leg(*of, ZONES[0]).0.status;
            together = together.max(keys.iter().filter(|of| status(of) == LegStatus::Migrating).count());
            if let Some(due) = progress(&tenants.stage.world).last().copied() {
                tenants.stage.world = advance(&tenants.stage.world, due);
            }
            tenants.stage.pass(Duration::from_secs(5));
        }
        assert_eq!(together, 1);
        assert_eq!(row(&tenants).in_flight.len(), 3, "all drain at once");
        assert_eq!(tenants.stage.refusals, 0);
    }
}

#[test]
fn an_assignment_that_keeps_a_connection_is_a_blocker_by_name() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.assign("keeps", assignment(&endpoint_id(keys[0].endpoint), "lb-hot"));
    instead(&mut tenants, &["lb-cool"]);
    let message = evacuating(&tenants, Reason::BlockedByDependents);
    assert!(message.contains("ZoneResourceAssignment keeps keeps connections on lb-hot"), "{message}");
    assert_eq!(row(&tenants).blocked_by, ["keeps"]);
    assert_eq!(served_by(&tenants, &keys), ["lb-hot", "lb-cool", "lb-cool"]);
    tenants.stage.pass(DRAIN);
    tenants.rest();
    let left = row(&tenants);
    assert_eq!((left.moved, left.remaining), (2, 1), "the others have left meanwhile, and none of them is counted");
    tenants.edit_zone("keeps", |one| one.resource = "lb-cool".into());
    tenants.rest();
    assert_eq!(row(&tenants).blocked_by, Vec::<String>::new());
    tenants.stage.pass(DRAIN);
    tenants.rest();
    assert_eq!(tenants.stage.calls.last(), Some(&"DetachResource"));
    assert_eq!(tenants.stage.gaps.len(), 0);
}

#[test]
fn back_on_the_list_it_stops_cleanly() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| {
        one.resources.remove(&key("lb-hot"));
        one.resources.insert(key("lb-cool"), true);
    });
    while !tenants.stage.calls.contains(&"ReplaceResource") {
        tenants.turn_of(None, (0, Trouble::None));
        tenants.stage.settle_world();
        tenants.stage.pass(Duration::from_secs(5));
    }
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-hot"), true);
    });
    tenants.rest();
    let served = served_by(&tenants, &keys);
    assert_eq!(served.iter().filter(|one| *one == "lb-cool").count(), 1, "what had begun is brought to its end");
    assert_eq!(tenants.stage.calls.iter().filter(|call| **call == "ReplaceResource").count(), 1);
    evacuating(&tenants, Reason::Draining);
    is_ready(&tenants);
    tenants.stage.pass(DRAIN);
    tenants.rest();
    assert_eq!(tenants.stage.calls.last(), Some(&"CloseReplaced"));
    assert_eq!(said(&tenants, ConditionType::Evacuating), None);
    assert_eq!(served_by(&tenants, &keys), served);
    assert_eq!(tenants.stage.gaps.len(), 0);
}

#[test]
fn an_approval_covers_what_has_left_and_nothing_that_leaves_later() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| one.removal.approval = true);
    tenants.assign("keeps", assignment(&endpoint_id(keys[2].endpoint), "lb-hot"));
    instead(&mut tenants, &["lb-cool"]);
    tenants.stage.pass(DRAIN * 10);
    tenants.rest();
    let approval = |tenants: &Tenants| {
        let message = evacuating(tenants, Reason::DrainApprovalNeeded);
        let (_, named) = message.split_once("privatelink.dev/drain-approved is ").expect("it says what approves");
        named.split(';').next().unwrap_or_default().to_owned()
    };
    let open = |tenants: &Tenants| row(tenants).in_flight.iter().filter(|one| one.drain_until.is_none()).count();
    let first = approval(&tenants);
    assert!(first.starts_with("lb-hot-"), "{first}");
    let approve = |tenants: &mut Tenants, approved: &str| {
        tenants.edit_service(|one| one.common.annotations.drain_approved = Some(approved.to_owned()));
        tenants.rest();
    };
    let cool = first.replace("lb-hot", "lb-cool");
    for other in ["lb-hot", "lb-hot-", "lb-hot-99991231T235959Z", "lb-hot-19700101T000000Z", cool.as_str()] {
        approve(&mut tenants, other);
        assert_eq!(open(&tenants), 2, "{other}");
    }
    approve(&mut tenants, &first);
    assert_eq!((open(&tenants), row(&tenants).moved), (0, 2));
    tenants.touch_zone("keeps", |one| one.deleting = true);
    tenants.rest();
    let second = approval(&tenants);
    assert_eq!((open(&tenants), second > first), (1, true), "what moves later was approved by nobody");
    approve(&mut tenants, &second);
    assert_eq!(said(&tenants, ConditionType::Evacuating), None);
    assert_eq!(tenants.stage.calls.last(), Some(&"DetachResource"));
}

/// What the account lacks, it lacks for each connection: one refused call tells, and they are waited for.
#[test]
fn without_the_feature_they_are_waited_for() {
    let (mut tenants, keys) = hot(Variants::default());
    let owner = keys[0].service.maker;
    tenants.stage.world.accounts.get_mut(&owner).expect("the provider's").may_assign_resources = false;
    instead(&mut tenants, &["lb-cool"]);
    evacuating(&tenants, Reason::FeatureNotEnabled);
    is_ready(&tenants);
    assert_eq!(tenants.stage.refusals, 1);
    assert_eq!(served_by(&tenants, &keys), ["lb-hot"; 3]);
}

#[test]
fn the_last_one_that_is_given_to_new_connections_stays() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), true);
    });
    tenants.rest();
    tenants.edit_service(|one| {
        one.resources.remove(&key("lb-hot"));
        one.resources.remove(&key("lb-cool"));
    });
    tenants.rest();
    evacuating(&tenants, Reason::LastAutoAllocatedInZone);
    assert_eq!(served_by(&tenants, &keys), ["lb-hot"; 3]);
    assert_eq!((tenants.stage.gaps.len(), tenants.stage.refusals), (0, 0));
}

/// The next is allowed before the last is forbidden, however the two are declared, and also where the first is held back.
#[test]
fn a_swap_leaves_each_zone_one_that_is_given_to_new_connections() {
    let (mut tenants, _) = hot(Variants::default());
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), false);
    });
    tenants.rest();
    tenants.stage.calls.clear();
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), true);
        one.resources.insert(key("lb-hot"), false);
    });
    for (call, trouble) in [(0, Trouble::LostAnswer), (0, Trouble::CrashBefore), (1, Trouble::CrashBefore)] {
        tenants.turn_of(None, (call, trouble));
        let service = tenants.stage.the_service();
        let zone = tenants.stage.world.land.zone_named(ZONES[0]);
        assert!(service.resources.iter().any(|((_, at), one)| *at == zone && one.auto_allocate));
    }
    tenants.rest();
    assert_eq!((tenants.stage.calls.len(), tenants.stage.refusals), (2, 0), "{:?}", tenants.stage.calls);
    is_ready(&tenants);
}

/// What an assignment that was deleted on the way leaves behind is closed by the service, once it is drained.
#[test]
fn a_replaced_side_that_nobody_else_closes_is_cleaned_up() {
    let (mut tenants, keys) = hot(Variants::default());
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), true);
        one.resources.insert(key("lb-hot"), false);
    });
    tenants.rest();
    tenants.assign("zone", assignment(&endpoint_id(keys[0].endpoint), "lb-cool"));
    tenants.turn("zone");
    tenants.touch_zone("zone", |one| one.deleting = true);
    tenants.turn("zone");
    assert!(tenants.zones.contains_key("zone"), "it waits until the zone has moved");
    tenants.stage.settle_world();
    tenants.rest();
    assert!(tenants.zones.is_empty());
    assert_eq!(tenants.leg(keys[0], ZONES[0]).0.status, LegStatus::Migrated);
    assert_eq!((row(&tenants).resource.clone(), row(&tenants).in_flight.len()), (key("lb-hot"), 1));
    tenants.stage.pass(DRAIN);
    tenants.rest();
    assert_eq!(tenants.leg(keys[0], ZONES[0]).0.status, LegStatus::Connected);
    assert_eq!(served_by(&tenants, &keys[..1]), ["lb-cool"]);
    assert_eq!(tenants.stage.calls.last(), Some(&"CloseReplaced"));
    assert_eq!(tenants.stage.gaps.len(), 0);
}

/// What cannot be done of something else keeps nobody from closing what was left open.
#[test]
fn a_refusal_of_something_else_holds_nothing_back() {
    let (mut tenants, keys) = hot(Variants::default());
    instead(&mut tenants, &["lb-cool"]);
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), false);
    });
    tenants.rest();
    let (_, reason, message) = said(&tenants, ConditionType::Ready).expect("said");
    assert_eq!(reason, Reason::LastAutoAllocatedInZone, "{message}");
    evacuating(&tenants, Reason::Draining);
    tenants.stage.pass(DRAIN);
    tenants.rest();
    assert_eq!(tenants.leg(keys[0], ZONES[0]).2, None);
    assert_eq!(tenants.stage.calls.iter().filter(|call| **call == "CloseReplaced").count(), 3);
}

/// A service that goes while a zone migrates cuts its connections once the zone has moved, and asks for nothing before.
#[test]
fn a_service_that_is_deleted_meanwhile_waits_until_the_zone_has_moved() {
    let (mut tenants, _) = hot(Variants::default());
    tenants.edit_service(|one| {
        one.resources.remove(&key("lb-hot"));
        one.resources.insert(key("lb-cool"), true);
    });
    while !tenants.stage.calls.contains(&"ReplaceResource") {
        tenants.stage.settle_world();
        tenants.stage.pass(Duration::from_secs(5));
        tenants.turn_of(None, (0, Trouble::None));
    }
    tenants.edit_service(|one| {
        one.common.deleting = true;
        one.on_delete = OnDelete::Reject;
    });
    for _ in 0..6 {
        tenants.turn_of(None, (0, Trouble::None));
        tenants.stage.pass(Duration::from_secs(20));
    }
    let moving = tenants.stage.world.endpoints.values().flat_map(|one| one.zones.values());
    assert_eq!(moving.filter(|leg| leg.status == LegStatus::Migrating).count(), 1);
    assert_eq!(tenants.stage.refusals, 0);
    tenants.rest();
    assert!(tenants.service.released && tenants.stage.world.services.is_empty());
    assert_eq!(tenants.stage.refusals, 0);
}

/// From wherever the process dies it goes on; each call has its effect once, and no drain is shortened.
#[test]
fn an_evacuation_is_resumed_from_wherever_it_was() {
    let mut deaths = 0;
    for at in (0..70).step_by(2) {
        for trouble in [Trouble::CrashBefore, Trouble::CrashAfter, Trouble::LostAnswer] {
            let (mut tenants, keys) = hot(Variants::default());
            tenants.edit_service(|one| {
                one.resources.remove(&key("lb-hot"));
                one.resources.insert(key("lb-cool"), true);
            });
            for turn in 0..70 {
                let trouble = if turn == at { (0, trouble) } else { (0, Trouble::None) };
                deaths += usize::from(tenants.turn_of(None, trouble).is_none());
                if turn % 2 == 1
                    && let Some(due) = progress(&tenants.stage.world).first()
                {
                    tenants.stage.world = advance(&tenants.stage.world, *due);
                }
                tenants.stage.pass(Duration::from_secs(20));
            }
            tenants.stage.pass(DRAIN);
            tenants.rest();
            tenants.stage.pass(DRAIN);
            tenants.rest();
            let mut calls = tenants.stage.calls.clone();
            calls.sort_unstable();
            let expected = [
                &["AttachResource"][..],
                &["CloseReplaced"; 3],
                &["DetachResource"],
                &["ReplaceResource"; 3],
                &["SetAutoAllocate"],
            ];
            assert_eq!(calls, expected.concat(), "{at} {trouble:?}");
            assert_eq!(served_by(&tenants, &keys), ["lb-cool"; 3]);
            assert_eq!(tenants.stage.gaps.len(), 0);
        }
    }
    assert!(deaths > 8, "{deaths}");
}

/// One zone that these sides serve.
fn leg(state: ZoneState, resource: &str, replaced: Option<&str>) -> ZoneLeg {
    ZoneLeg {
        state,
        resource: Some(resource.into()),
        interface: None,
        replaced_resource: replaced.map(Into::into),
        replaced_interface: None,
    }
}

fn connection<const N: usize>(endpoint: &str, region: &str, zones: [(&str, ZoneLeg); N]) -> Connection {
    Connection {
        endpoint: endpoint.into(),
        owner: Some("2".into()),
        vpc: None,
        region: Some(region.into()),
        state: ConnectionState::Connected,
        cloud_state: String::new(),
        bandwidth_mbps: None,
        traffic: None,
        zones: zones.into_iter().map(|(zone, leg)| (zone.into(), leg)).collect(),
    }
}

/// One turn of a service that `lb-hot` was taken off, with these connections: the first call, and what is written down.
fn turn(now: Moment, connections: Vec<Connection>, status: &ServiceStatus) -> (Option<Step>, ServiceStatus) {
    turn_after(now, connections, status, &Tries::default(), 60)
}

/// The same after these calls, with so many connections that the cloud counts on each.
fn turn_after(
    now: Moment,
    connections: Vec<Connection>,
    status: &ServiceStatus,
    tries: &Tries,
    count: u32,
) -> (Option<Step>, ServiceStatus) {
    let mut declared = desired(&["lb-cool"]);
    declared.removal = Removal { max_migrating: 50, ..moved(MigrationMode::Smooth) };
    let resource = |auto_allocate| Resource {
        kind: ResourceKind::Clb,
        auto_allocate,
        connections: count,
        deprecated_connections: 0,
    };
    let service = Service {
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
        tags: Some(declared.common.owner.tags()),
    };
    let view = ServiceView {
        service: Facet::seen(now, Some(service)),
        resources: Facet::seen(now, [(key("lb-hot"), resource(false)), (key("lb-cool"), resource(true))].into()),
        connections: Facet::seen(now, connections),
        principals: Facet::Unseen,
    };
    let snapshot = Snapshot {
        listed_services: Facet::seen(now, ["epsrv-1".into()].into()),
        services: [("epsrv-1".into(), Arc::new(view))].into(),
        ..Snapshot::default()
    };
    let laid = Laid { snapshot, ..Laid::default() };
    let place = Place { cloud: Cloud::Alibaba, account: "1".into(), region: "here".into() };
    let (living, claims) = (["uid-1".to_owned()].into(), Claims::default());
    let ground = Ground { place: &place, laid: &laid, tries, living: &living, started: Moment(0), now };
    let input = Input { ground, desired: &declared, status, claims: &claims };
    let plan = plan(&input);
    let status = report(&input, &plan);
    (plan.steps.into_iter().map(|one| one.step).next(), status)
}

fn made() -> ServiceStatus {
    ServiceStatus { service_id: Some("epsrv-1".into()), ..ServiceStatus::default() }
}

/// One consumer, whose zone the cloud does not move, holds up nobody else.
#[test]
fn a_zone_that_the_cloud_does_not_move_holds_back_no_other() {
    let now = Moment(9_000_000);
    let both = || {
        let of = |endpoint| connection(endpoint, "here", [(ZONES[0], leg(ZoneState::Connected, "lb-hot", None))]);
        vec![of("ep-1"), of("ep-2")]
    };
    let (step, status) = turn(now, both(), &made());
    let step = step.expect("the first one moves");
    assert!(matches!(&step, Step::ReplaceResource(_, endpoint, ..) if endpoint.as_str() == "ep-1"), "{step:?}");
    let failure = Failure {
        meaning: Meaning::Waiting(Reason::FeatureNotEnabled),
        code: "Refused".into(),
        message: "no".into(),
        request_id: None,
        retry_after: None,
        maybe_done: false,
    };
    let mut tries = Tries::default();
    drop(tries.settle(&step, Err(failure), now, desired(&["lb-cool"]).common.generation));
    let (step, status) = turn_after(now, both(), &status, &tries, 60);
    assert!(matches!(&step, Some(Step::ReplaceResource(_, two, ..)) if two.as_str() == "ep-2"), "{step:?}");
    let told = status.common.conditions.iter().find(|one| one.condition == ConditionType::Evacuating);
    assert!(told.is_some_and(|one| one.message.contains("ep-1")), "{told:?}");
}

/// Counts that were read before or after the connections end no drain.
#[test]
fn nothing_is_detached_that_a_connection_is_seen_to_use() {
    let now = Moment(9_000_000);
    let turn = |leg| {
        let one = connection("ep-1", "here", [(ZONES[0], leg)]);
        turn_after(now, vec![one], &made(), &Tries::default(), 0).0
    };
    let is_detached = |step: &Option<Step>| matches!(step, Some(Step::DetachResource(..)));
    for used in [
        leg(ZoneState::Migrated, "lb-cool", Some("lb-hot")),
        leg(ZoneState::Migrating, "lb-cool", Some("lb-hot")),
        leg(ZoneState::Connected, "lb-hot", None),
    ] {
        let step = turn(used.clone());
        assert!(!is_detached(&step), "{used:?} {step:?}");
    }
    let step = turn(leg(ZoneState::Connected, "lb-cool", None));
    assert!(is_detached(&step), "{step:?}");
}

/// The zones of an endpoint in another region are all left for one load balancer, and each has a drain of its own.
#[test]
fn each_zone_of_an_endpoint_afar_drains_for_itself() {
    let begin = Moment(9_000_000);
    let stays = || leg(ZoneState::Connected, "lb-hot", None);
    let moves = || leg(ZoneState::Migrating, "lb-cool", Some("lb-hot"));
    let drains = || leg(ZoneState::Migrated, "lb-cool", Some("lb-hot"));
    let gone = || leg(ZoneState::Connected, "lb-cool", None);
    let at = |minutes, a: ZoneLeg, b: ZoneLeg, status: &ServiceStatus| {
        turn(begin + Duration::from_mins(minutes), vec![connection("ep-1", "afar", [("a", a), ("b", b)])], status)
    };
    let closed = |step: Option<Step>| match step {
        Some(Step::CloseReplaced(_, _, zone)) => Some(zone),
        None => None,
        other => panic!("{other:?}"),
    };
    let (step, status) = at(0, drains(), stays(), &made());
    assert!(matches!(&step, Some(Step::ReplaceResource(_, _, zone, _)) if zone.as_str() == "b"), "{step:?}");
    let (step, status) = at(9, drains(), moves(), &status);
    assert_eq!(closed(step), None);
    let (step, status) = at(9, drains(), drains(), &status);
    assert_eq!(closed(step), None);
    let until: Vec<_> = status.leaving[0].in_flight.iter().map(|row| (row.zone.as_str(), row.drain_until)).collect();
    let after = |minutes| Some(begin + Duration::from_mins(minutes));
    assert_eq!(until, [("a", after(10)), ("b", after(19))]);
    let (step, status) = at(11, drains(), drains(), &status);
    assert_eq!(closed(step), Some("a".into()));
    let (step, status) = at(12, gone(), drains(), &status);
    assert_eq!((closed(step), status.leaving[0].moved), (None, 1));
    let (step, status) = at(20, gone(), drains(), &status);
    assert_eq!(closed(step), Some("b".into()));
    let (_, status) = at(21, gone(), gone(), &status);
    assert_eq!((status.leaving[0].moved, status.leaving[0].in_flight.len()), (2, 0));
}

/// When the zone had moved is nothing of a migration that comes after it.
#[test]
fn a_zone_that_moves_once_more_drains_from_then_on() {
    let begin = Moment(9_000_000);
    let at = |minutes, state, status: &ServiceStatus| {
        let one = connection("ep-1", "here", [(ZONES[0], leg(state, "lb-cool", Some("lb-hot")))]);
        turn(begin + Duration::from_mins(minutes), vec![one], status)
    };
    let (_, status) = at(0, ZoneState::Migrated, &made());
    let (_, status) = at(8, ZoneState::Migrating, &status);
    let (_, status) = at(9, ZoneState::Migrated, &status);
    let (step, _) = at(11, ZoneState::Migrated, &status);
    assert_eq!(step, None);
    let (step, _) = at(19, ZoneState::Migrated, &status);
    assert!(matches!(step, Some(Step::CloseReplaced(..))), "{step:?}");
}

/// What is remembered is never cut: who would need one more row waits until another is free.
#[test]
fn no_more_are_in_flight_than_are_remembered() {
    let turn = |draining: usize, status: &ServiceStatus| {
        let drains = || leg(ZoneState::Migrated, "lb-cool", Some("lb-hot"));
        let stays = || leg(ZoneState::Connected, "lb-hot", None);
        let of = |number| {
            let leg = if number < draining { drains() } else { stays() };
            connection(&format!("ep-{number:03}"), "here", [(ZONES[0], leg)])
        };
        turn(Moment(9_000_000), (0..60).map(of).collect(), status)
    };
    let (step, after) = turn(49, &made());
    assert!(matches!(step, Some(Step::ReplaceResource(_, endpoint, ..)) if endpoint.as_str() == "ep-049"));
    assert_eq!(after.leaving[0].in_flight.len(), 49);
    let (step, after) = turn(50, &made());
    assert_eq!((step, after.leaving[0].in_flight.len()), (None, 50));
    // Somebody else has moved more than are remembered: those that are known keep their rows.
    let mut known = after.clone();
    known.leaving[0].in_flight.remove(0);
    let (step, after) = turn(60, &known);
    assert_eq!(step, None);
    let kept = |row: &privatelink_core::status::InFlight| after.leaving[0].in_flight.contains(row);
    assert!(known.leaving[0].in_flight.iter().all(kept));
    let names = after.leaving[0].in_flight.iter().map(|row| &row.endpoint);
    assert!(names.is_sorted(), "a row that comes moves no other, or each would be written twice");
    assert_eq!(after.leaving[0].in_flight.len(), 50);
}
