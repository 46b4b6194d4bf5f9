//! A tenant from manifest to traffic, step by step, in sentences: let in, accepted, held, kept, waiting.

use privatelink_core::claims::Assignment;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Allocation, Management, Policy, Revocation};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::report::entry::newly_held;
use privatelink_core::state::{ClaimState, ConnectionState, Decision};
use privatelink_core::status::EntryStatus;
use privatelink_sim::world::call::{ResourceForm, Side};
use privatelink_sim::world::object::{ConnectionStatus, Leg, Principal, TrafficControl};
use privatelink_sim::world::{Call, Variants};

use crate::stage::{Tenants, ZONES, entry};

/// Connections of `at` that stand, with all their zones.
fn is_up(tenants: &Tenants, key: privatelink_sim::world::call::ConnectionKey) -> bool {
    let endpoint = tenants.connection(key);
    endpoint.connection.status == ConnectionStatus::Connected && endpoint.zones.values().all(Leg::carries)
}

fn is_ready(tenants: &Tenants, name: &str, reason: Reason) {
    let (truth, said, message) = tenants.ready(name);
    assert_eq!((truth, said), (Truth::True, reason), "{message}");
}

fn says(tenants: &Tenants, name: &str, reason: Reason) -> String {
    let (truth, said, message) = tenants.ready(name);
    assert_eq!((truth, said), (Truth::False, reason), "{message}");
    message
}

#[test]
fn an_entry_that_cannot_be_acted_on_tells_of_no_decision() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    assert_eq!(tenants.decision("tenant").0, Decision::Accept);
    tenants.edit("tenant", |entry| {
        let Policy::Accept(acceptance) = &mut entry.policy else { panic!("it accepts") };
        acceptance.bandwidth_mbps = Some(1);
    });
    tenants.rest();
    let message = says(&tenants, "tenant", Reason::InvalidSpec);
    let (decision, reason) = tenants.decision("tenant");
    assert_eq!((decision, reason), (Decision::Leave, &*format!("the entry cannot be acted on: {message}")));
    let unclaimed = &tenants.service.status.service.unclaimed;
    let reasons: Vec<&str> = unclaimed.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [format!("WhitelistEntry tenant cannot be acted on: {message}")],
        "nobody decides, and that is told"
    );
    tenants.accept("tenant", |one| one.bandwidth_mbps = None);
    tenants.rest();
    assert!(tenants.service.status.service.unclaimed.is_empty());
}

/// What was decided last stands, and what came since is told as it is.
#[test]
fn while_nothing_can_be_done_no_decision_is_told_that_nobody_has_made() {
    for stop in ["entry", "service", "account"] {
        let mut tenants = Tenants::at_rest(entry("2"));
        let (known, _) = tenants.join(0, &[0]);
        tenants.sweep_and_rest();
        match stop {
            "entry" => tenants.touch("tenant", |entry| entry.paused = true),
            "service" => tenants.edit_service(|service| service.common.annotations.paused = true),
            _ => tenants.service.status.service.creation.account = Some("999".into()),
        }
        let (new, _) = tenants.join(1, &[0]);
        tenants.by_hand(Call::RejectConnection(known));
        tenants.sweep_and_rest();
        let (.., why) = tenants.ready("tenant");
        let told = |tenants: &Tenants| -> Vec<_> {
            let shown = tenants.status("tenant").connections.iter();
            shown.map(|one| (one.state.clone(), one.decision.clone(), one.reason.clone())).collect()
        };
        let expected = [
            (ConnectionState::Disconnected, Decision::Accept, "it is connected".to_owned()),
            (ConnectionState::AwaitingAcceptance, Decision::Leave, format!("nothing is decided on it: {why}")),
        ];
        assert_eq!(told(&tenants), expected, "{stop}");
        assert_eq!(tenants.status("tenant").counts.map(|counts| (counts.held, counts.awaiting)), Some((0, 1)));
        assert!(!is_up(&tenants, new), "{stop}");
        // Deleted meanwhile, it cuts nothing yet either.
        tenants.touch("tenant", |entry| {
            entry.revocation = Revocation::Disconnect;
            entry.deleting = true;
        });
        tenants.turn("tenant");
        assert_eq!(told(&tenants)[0], expected[0], "{stop}");
    }
}

#[test]
fn a_principal_is_listed_by_one_call_and_its_connection_accepted_by_another() {
    let mut tenants = Tenants::new();
    tenants.add("tenant", entry("2"));
    tenants.turn("tenant");
    assert_eq!(says(&tenants, "tenant", Reason::WaitingForService), "the EndpointService does not exist yet");
    tenants.rest();
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    assert_eq!(tenants.stage.calls, ["CreateService", "AllowPrincipal"]);
    assert_eq!(tenants.status("tenant").allowed, Some(true));
    assert_eq!(tenants.status("tenant").claim, Some(ClaimState::Held));

    tenants.stage.calls.clear();
    let (key, endpoint) = tenants.join(0, &[0, 1]);
    tenants.sweep_and_rest();
    assert_eq!(tenants.stage.calls, ["AcceptConnection"]);
    assert!(is_up(&tenants, key));
    is_ready(&tenants, "tenant", Reason::Ready);
    let shown = tenants.only("tenant");
    assert_eq!(
        (&shown.endpoint, &shown.state, &shown.decision),
        (&endpoint, &ConnectionState::Connected, &Decision::Accept)
    );
    assert_eq!(shown.vpc, Some("vpc-one".into()));
    let counts = tenants.status("tenant").counts.expect("counted");
    assert_eq!((counts.total, counts.connected, counts.awaiting, counts.held, counts.other), (1, 1, 0, 0, 0));
}

#[test]
fn what_is_settled_costs_no_call_and_changes_no_status() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let (calls, status) = (tenants.stage.calls.len(), tenants.status("tenant").clone());
    for _ in 0..2 {
        tenants.stage.sweep();
        assert_eq!(tenants.turn("tenant").next, Next::Settled);
        tenants.restart();
        tenants.turn("tenant");
    }
    assert_eq!((tenants.stage.calls.len(), tenants.status("tenant")), (calls, &status));
}

/// Where accepting alone picks no load balancers, the cloud is asked to pick one for each zone first.
#[test]
fn allow_and_auto_assign_is_done_in_both_ways_that_the_cloud_may_have() {
    for (variant, calls) in
        [("true", vec!["AcceptConnection"]), ("false", vec!["PickResource", "PickResource", "AcceptConnection"])]
    {
        let variants = Variants::default().with("autoAssignOnEnable", variant).expect("a variant");
        let mut tenants = Tenants::with(variants);
        tenants.add("tenant", entry("2"));
        tenants.rest();
        tenants.stage.calls.clear();
        let (key, _) = tenants.join(0, &[0, 1]);
        tenants.sweep_and_rest();
        assert_eq!(tenants.stage.calls, calls, "{variant}");
        assert!(is_up(&tenants, key));
        is_ready(&tenants, "tenant", Reason::Ready);
        assert_eq!(tenants.stage.refusals, usize::from(variant == "false"), "one refused call tells which it is");
    }
}

#[test]
fn the_same_account_in_another_form_is_listed_already() {
    let mut tenants = Tenants::new();
    tenants.rest();
    let service = *tenants.stage.world.services.keys().next().expect("made");
    tenants.by_hand(Call::AllowPrincipal(service, Principal::Arn("acs:ram:*:2".into())));
    tenants.add("tenant", entry("2"));
    tenants.stage.calls.clear();
    tenants.rest();
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    assert_eq!(tenants.stage.calls, Vec::<&str>::new(), "read before it is written");
    tenants.touch("tenant", |entry| entry.deleting = true);
    tenants.rest();
    assert_eq!(tenants.listed(), ["1"], "or it would be let in all the same");
}

#[test]
fn the_services_own_account_needs_no_call_and_is_never_removed() {
    let mut tenants = Tenants::at_rest(entry("1"));
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    let (.., message) = tenants.said("tenant", ConditionType::Allowed).expect("said");
    assert!(message.contains("own account"), "{message}");
    tenants.touch("tenant", |entry| entry.deleting = true);
    tenants.rest();
    assert_eq!((tenants.stage.calls.len(), tenants.listed()), (0, vec!["1".to_owned()]));
    assert!(tenants.entries.is_empty());
}

#[test]
fn only_endpoints_and_vpcs_that_are_named_are_accepted() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.accept("tenant", |one| one.vpcs = Some(["vpc-two".into()].into()));
    let (one, _) = tenants.join(0, &[0]);
    let (two, endpoint) = tenants.join(1, &[0]);
    tenants.sweep_and_rest();
    assert_eq!((is_up(&tenants, one), is_up(&tenants, two)), (false, true));
    is_ready(&tenants, "tenant", Reason::Ready);
    let of = |tenants: &Tenants, at: usize| {
        let shown = &tenants.status("tenant").connections[at];
        (shown.decision.clone(), shown.reason.clone())
    };
    assert_eq!(of(&tenants, 0), (Decision::Leave, "connections.vpcIds does not name vpc-one".to_owned()));

    tenants.accept("tenant", |one| {
        one.vpcs = None;
        one.endpoints = Some(["ep-none".into()].into());
    });
    tenants.rest();
    assert!(is_up(&tenants, two), "filters never cut");
    let (decision, reason) = of(&tenants, 1);
    assert_eq!(decision, Decision::Kept);
    assert_eq!(
        reason,
        format!("connections.endpointIds does not name {endpoint}; it is connected, and filters never cut")
    );
    is_ready(&tenants, "tenant", Reason::Ready);
}

#[test]
fn free_places_go_to_those_that_came_first() {
    let mut tenants = Tenants::new();
    tenants.add("everybody", entry("acs:ram:*:*"));
    tenants.accept("everybody", |one| one.max = Some(1));
    tenants.rest();
    let (first, _) = tenants.join(2, &[0]);
    tenants.sweep_and_rest();
    let (second, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let (third, _) = tenants.join(1, &[0]);
    tenants.sweep_and_rest();
    assert_eq!([first, second, third].map(|key| is_up(&tenants, key)), [true, false, false]);
    is_ready(&tenants, "everybody", Reason::Ready);
    let waiting = &tenants.status("everybody").connections[0];
    assert_eq!(waiting.decision, Decision::Wait);
    assert_eq!(waiting.reason, "connections.max is 1, and so many are connected");

    tenants.by_hand(Call::RejectConnection(first));
    tenants.sweep_and_rest();
    assert_eq!([first, second, third].map(|key| is_up(&tenants, key)), [false, true, false]);
    // What is held takes no place, and another than the one that was cut has it now.
    assert_eq!(tenants.status("everybody").held.len(), 1);
}

#[test]
fn with_manual_assignment_every_zone_waits_for_its_assignment() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.accept("tenant", |one| one.allocation = Allocation::Manual);
    let (key, endpoint) = tenants.join(0, &[0, 1]);
    tenants.sweep_and_rest();
    let message = says(&tenants, "tenant", Reason::WaitingForAssignment);
    assert!(message.contains("no ZoneResourceAssignment of ep-1 is for cn-hangzhou-f, cn-hangzhou-g"), "{message}");
    for (at, balancer) in [(0, "lb-hot"), (1, "lb-g")] {
        tenants.assignments.push(Assignment {
            uid: balancer.into(),
            name: format!("pin-{balancer}"),
            created: tenants.stage.now,
            endpoint: endpoint.clone(),
            zone: ZONES[at].into(),
            resource: balancer.into(),
            holds: false,
            deleting: false,
        });
    }
    tenants.rest();
    let message = says(&tenants, "tenant", Reason::WaitingForAssignment);
    assert!(
        message.contains("ZoneResourceAssignment pin-lb-hot has not assigned lb-hot to cn-hangzhou-f yet"),
        "{message}"
    );
    for (at, balancer) in [(0, "lb-hot"), (1, "lb-g")] {
        let balancer = tenants.stage.world.land.balancer_named(balancer);
        let zone = tenants.stage.world.land.zone_named(ZONES[at]);
        let form = ResourceForm { balancer, kind: None, zone: None };
        tenants.by_hand(Call::AssignZoneResource(key, zone, privatelink_sim::world::call::Assignment::Manual(form)));
    }
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
    is_ready(&tenants, "tenant", Reason::Ready);
}

#[test]
fn automatic_waits_for_those_assignments_that_exist() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let (key, endpoint) = tenants.join(0, &[0, 1]);
    let mut pin = Assignment {
        uid: "pin".into(),
        name: "pin".into(),
        created: tenants.stage.now,
        endpoint,
        zone: ZONES[0].into(),
        resource: "lb-spare".into(),
        holds: false,
        deleting: false,
    };
    tenants.assignments = vec![pin.clone()];
    tenants.sweep_and_rest();
    says(&tenants, "tenant", Reason::WaitingForAssignment);
    assert!(!is_up(&tenants, key));
    pin.deleting = true;
    tenants.assignments = vec![pin];
    tenants.rest();
    assert!(is_up(&tenants, key), "one that goes pins nothing");
}

#[test]
fn nothing_is_accepted_to_a_zone_without_a_load_balancer() {
    let mut tenants = Tenants::new();
    tenants.add("tenant", entry("2"));
    tenants.rest();
    let (key, _) = tenants.join(0, &[1]);
    // Its load balancer leaves before anybody has looked.
    tenants.edit_service(|service| drop(service.resources.pop_first()));
    tenants.stage.calls.clear();
    tenants.sweep_and_rest();
    let message = says(&tenants, "tenant", Reason::NoResourceInZone);
    assert!(message.contains("in cn-hangzhou-g: add one to spec.resources of the EndpointService"), "{message}");
    assert_eq!(tenants.decision("tenant").0, Decision::Wait);
    assert_eq!((tenants.stage.calls.as_slice(), tenants.stage.refusals), (&["DetachResource"][..], 0));
    tenants.edit_service(|service| {
        service.resources.insert(crate::stage::key("lb-g"), true);
    });
    tenants.sweep_and_rest();
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
}

#[test]
fn zones_that_wait_or_were_cut_are_connected() {
    let variants = Variants::default().with("addedZoneWaits", "true").expect("a variant");
    let mut tenants = Tenants::with(variants);
    tenants.add("tenant", entry("2"));
    tenants.rest();
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    tenants.stage.calls.clear();
    tenants.add_zone(0, key, 1);
    tenants.stage.settle_world();
    assert!(!is_up(&tenants, key));
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
    let zone = tenants.stage.world.land.zone_named(ZONES[0]);
    tenants.by_hand(Call::DisconnectZone(key, zone, Side::Current));
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
    assert_eq!(tenants.stage.calls, ["ConnectZone", "ConnectZone"]);
}

/// Where the cloud connects no zone that waits, that is said, and the others carry on.
#[test]
fn a_zone_that_the_cloud_does_not_connect_is_told() {
    let variants = Variants::default().with("addedZoneWaits", "true").expect("a variant");
    let variants = variants.with("connectZoneTakesWait", "false").expect("a variant");
    let mut tenants = Tenants::with(variants);
    tenants.add("tenant", entry("2"));
    tenants.rest();
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    tenants.add_zone(0, key, 1);
    tenants.stage.settle_world();
    tenants.stage.sweep();
    tenants.turn("tenant");
    let message = says(&tenants, "tenant", Reason::Degraded);
    assert!(message.contains("ConnectZone of ep-1 in cn-hangzhou-g"), "{message}");
    assert!(matches!(tenants.turn("tenant").next, Next::At(_)));
}

#[test]
fn a_bandwidth_is_given_with_the_acceptance_changed_later_and_returned() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.accept("tenant", |one| one.bandwidth_mbps = Some(200));
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let bandwidth = |tenants: &Tenants| tenants.connection(key).connection.bandwidth_mbps;
    assert_eq!((bandwidth(&tenants), tenants.stage.calls.as_slice()), (200, &["AcceptConnection"][..]));
    tenants.accept("tenant", |one| one.bandwidth_mbps = Some(300));
    tenants.rest();
    assert_eq!(bandwidth(&tenants), 300);
    assert_eq!(tenants.status("tenant").common.declared_fields, ["connections.bandwidthMbps".to_owned()].into());
    tenants.accept("tenant", |one| one.bandwidth_mbps = None);
    tenants.restart();
    tenants.rest();
    assert_eq!(bandwidth(&tenants), 3_072, "the service's own");
    assert!(tenants.status("tenant").common.declared_fields.is_empty());
    assert_eq!(tenants.stage.calls, ["AcceptConnection", "SetTraffic", "SetTraffic"]);
    tenants.accept("tenant", |one| one.bandwidth_mbps = Some(20_000));
    tenants.rest();
    let message = says(&tenants, "tenant", Reason::InvalidSpec);
    assert!(message.contains("connections.bandwidthMbps: epsrv-1-1 can give 100 to 10240, not 20000"), "{message}");
    assert_eq!(tenants.said("tenant", ConditionType::Valid).map(|said| said.0), Some(Truth::False));
    assert_eq!(tenants.connection(key).connection.traffic_control, TrafficControl::BandwidthLimit);
}

/// One that someone else has cut stays cut, until a person says otherwise.
#[test]
fn what_someone_else_has_cut_is_held_until_the_entry_changes_or_a_person_asks() {
    for by_request in [false, true] {
        let mut tenants = Tenants::at_rest(entry("2"));
        let (key, endpoint) = tenants.join(0, &[0]);
        tenants.sweep_and_rest();
        assert!(is_up(&tenants, key));
        tenants.by_hand(Call::RejectConnection(key));
        tenants.sweep_and_rest();
        tenants.restart();
        tenants.rest();
        assert!(!is_up(&tenants, key));
        let message = says(&tenants, "tenant", Reason::DisconnectedOutside);
        assert!(message.contains("ep-1: someone else has cut it"), "{message}");
        assert!(tenants.said("tenant", ConditionType::Stalled).is_some());
        let held = tenants.status("tenant");
        assert_eq!(held.held, [endpoint.clone()].into());
        assert_eq!(newly_held(&EntryStatus::default(), held).collect::<Vec<_>>(), [&endpoint]);
        assert_eq!(newly_held(held, held).count(), 0);
        assert_eq!(tenants.status("tenant").counts.expect("counted").held, 1);
        if by_request {
            tenants.touch("tenant", |entry| entry.asked = true);
        } else {
            tenants.edit("tenant", |_| {});
        }
        tenants.rest();
        assert!(is_up(&tenants, key));
        is_ready(&tenants, "tenant", Reason::Ready);
        assert!(tenants.status("tenant").held.is_empty() && tenants.status("tenant").reconnect.is_empty());
    }
}

/// No request would connect it again, so none is asked for.
#[test]
fn what_someone_else_has_cut_is_not_held_where_no_filter_lets_it_in() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    tenants.accept("tenant", |one| one.vpcs = Some(["vpc-two".into()].into()));
    tenants.rest();
    tenants.by_hand(Call::RejectConnection(key));
    tenants.sweep_and_rest();
    assert_eq!(tenants.decision("tenant"), (Decision::Leave, "connections.vpcIds does not name vpc-one"));
    assert!(tenants.status("tenant").held.is_empty());
    is_ready(&tenants, "tenant", Reason::Ready);
    // It is somebody's cut all the same.
    tenants.touch("tenant", |entry| {
        if let Policy::Accept(acceptance) = &mut entry.policy {
            acceptance.vpcs = None;
        }
    });
    tenants.rest();
    says(&tenants, "tenant", Reason::DisconnectedOutside);
}

/// After a lost status nobody knows whose hand it was.
#[test]
fn what_is_cut_when_it_is_first_seen_is_held() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let (key, _) = tenants.join(0, &[0]);
    tenants.accepted_by_hand(key);
    tenants.by_hand(Call::RejectConnection(key));
    tenants.entries.get_mut("tenant").expect("there").status.entry = EntryStatus::default();
    tenants.restart();
    tenants.rest();
    says(&tenants, "tenant", Reason::DisconnectedOutside);
}

#[test]
fn reject_and_accept_follow_each_other_from_any_state() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let accept = tenants.desired("tenant").policy.clone();
    let (key, _) = tenants.join(0, &[0]);
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.sweep_and_rest();
    assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnected);
    assert_eq!(tenants.decision("tenant").0, Decision::Reject);
    tenants.edit("tenant", |entry| entry.policy = accept.clone());
    tenants.rest();
    assert!(is_up(&tenants, key), "we refused it ourselves, under an earlier spec");
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.turn("tenant");
    assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnecting);
    tenants.edit("tenant", |entry| entry.policy = accept.clone());
    tenants.turn("tenant");
    tenants.restart();
    tenants.rest();
    assert!(is_up(&tenants, key), "it was on its way down when the spec changed");
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.turn("tenant");
    tenants.edit("tenant", |entry| entry.policy = accept.clone());
    tenants.turn("tenant");
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.rest();
    assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnected);
    is_ready(&tenants, "tenant", Reason::Ready);
}

/// What was decided while nothing could be done is not taken for someone else's hand.
#[test]
fn an_edit_that_is_seen_while_the_service_is_paused_counts_afterwards() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let accept = tenants.desired("tenant").policy.clone();
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.rest();
    tenants.edit_service(|service| service.common.annotations.paused = true);
    tenants.edit("tenant", |entry| entry.policy = accept);
    tenants.rest();
    assert_eq!(tenants.ready("tenant").1, Reason::Paused);
    assert!(!is_up(&tenants, key));
    tenants.edit_service(|service| service.common.annotations.paused = false);
    tenants.restart();
    tenants.rest();
    assert!(is_up(&tenants, key));
}

#[test]
fn what_is_left_to_others_is_left_as_it_is() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.edit("tenant", |entry| entry.policy = Policy::Leave);
    let (key, endpoint) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    is_ready(&tenants, "tenant", Reason::Ready);
    assert_eq!(tenants.decision("tenant"), (Decision::Leave, "connections.action is Leave"));
    let unclaimed = &tenants.service.status.service.unclaimed;
    assert_eq!(unclaimed.iter().map(|one| &one.endpoint).collect::<Vec<_>>(), [&endpoint]);
    assert_eq!(unclaimed[0].reason, "WhitelistEntry tenant leaves its connections to others: set connections.action");
    tenants.accepted_by_hand(key);
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
}

#[test]
fn a_service_that_accepts_by_itself_takes_no_filters() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.edit_service(|service| service.auto_accept = true);
    tenants.rest();
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    assert!(is_up(&tenants, key));
    tenants.accept("tenant", |one| one.max = Some(1));
    tenants.rest();
    let message = says(&tenants, "tenant", Reason::NeedsManualAcceptance);
    assert!(message.starts_with("connections.max: epsrv-1-1 accepts connections by itself"), "{message}");
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.rest();
    assert!(!is_up(&tenants, key), "refusing still works");
    is_ready(&tenants, "tenant", Reason::Ready);
}

#[test]
fn an_entry_for_a_role_lists_it_and_leaves_its_connections() {
    let mut tenants = Tenants::at_rest(entry("acs:ram:*:2:role/reader"));
    let message = says(&tenants, "tenant", Reason::InvalidSpec);
    assert!(message.contains("can only Leave"), "{message}");
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    tenants.edit("tenant", |entry| entry.policy = Policy::Leave);
    tenants.rest();
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    assert_eq!(tenants.listed(), ["1", "acs:ram:*:2:role/reader"]);
    tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let reason = &tenants.service.status.service.unclaimed[0].reason;
    assert!(reason.contains("WhitelistEntry tenant names a user or role of account 2"), "{reason}");
}

/// Its account's connections are not its own: that it cuts none is said, and not that none is left.
#[test]
fn an_entry_for_a_role_cannot_promise_to_cut() {
    let mut tenants = Tenants::at_rest({
        let mut one = entry("acs:ram:*:2:role/reader");
        one.policy = Policy::Leave;
        one.revocation = Revocation::Disconnect;
        one
    });
    let message = says(&tenants, "tenant", Reason::InvalidSpec);
    assert!(message.starts_with("revocation: a connection shows its account alone"), "{message}");
    assert!(message.ends_with("set KeepConnections, or name the account instead"), "{message}");
    assert_eq!(tenants.listed(), ["1"]);
    tenants.edit("tenant", |entry| entry.revocation = Revocation::KeepConnections);
    tenants.rest();
    is_ready(&tenants, "tenant", Reason::WaitingForConsumer);
    // One from before that rule.
    tenants.edit("tenant", |entry| entry.revocation = Revocation::Disconnect);
    tenants.touch("tenant", |entry| entry.deleting = true);
    let plan = loop {
        let plan = tenants.turn("tenant");
        if plan.released {
            break plan;
        }
    };
    assert_eq!(
        plan.sayings[0].message,
        "acs:ram:*:2:role/reader is off the list of epsrv-1-1; connections show their account alone, so none of a user or role was cut"
    );
    assert_eq!(tenants.listed(), ["1"]);
}

#[test]
fn everybody_is_named_only_where_the_account_lets_it() {
    let mut tenants = Tenants::at_rest({
        let mut one = entry("acs:ram:*:*");
        one.everybody_permitted = false;
        one
    });
    let message = says(&tenants, "tenant", Reason::AccountNotPermitted);
    assert!(message.contains("allow.wildcardPrincipals"), "{message}");
    assert_eq!(tenants.listed(), ["1"]);
    tenants.touch("tenant", |entry| entry.everybody_permitted = true);
    tenants.rest();
    assert_eq!(tenants.listed(), ["1", "acs:ram:*:*"]);
    let (key, _) = tenants.join(2, &[0]);
    tenants.add("specific", {
        let mut one = entry("2");
        one.policy = Policy::Reject;
        one
    });
    let (specific, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    assert_eq!((is_up(&tenants, key), is_up(&tenants, specific)), (true, false), "the specific one comes first");
    assert_eq!(tenants.status("tenant").counts.expect("counted").total, 1);
}

#[test]
fn a_service_that_is_only_observed_or_goes_lets_nobody_in() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let (key, _) = tenants.join(0, &[0]);
    tenants.edit_service(|service| service.common.management = Management::Observe);
    tenants.sweep_and_rest();
    says(&tenants, "tenant", Reason::ParentNotManaged);
    assert!(!is_up(&tenants, key));
    tenants.edit_service(|service| service.common.management = Management::Manage);
    tenants.rest();
    assert!(is_up(&tenants, key));
    tenants.stage.calls.clear();
    let (late, _) = tenants.join(1, &[0]);
    tenants.edit_service(|service| service.common.deleting = true);
    tenants.stage.sweep();
    for _ in 0..5 {
        tenants.turn("tenant");
    }
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    assert!(!is_up(&tenants, late) && is_up(&tenants, key));
    let waiting =
        tenants.status("tenant").connections.iter().find(|one| one.state == ConnectionState::AwaitingAcceptance);
    assert!(waiting.expect("shown").reason.contains("being deleted"));
    assert_eq!(Revocation::KeepConnections, tenants.desired("tenant").revocation);
}
