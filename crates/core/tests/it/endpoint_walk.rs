//! The consumer's side from manifest to traffic, and what becomes of it when the provider changes its mind, in
//! sentences.

use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{DesiredEndpoint, Target};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::read::FacetKey;
use privatelink_core::state::{ConnectionState, LifeState};
use privatelink_sim::world::call::{EndpointChange, ResourceForm, ServiceChange};
use privatelink_sim::world::{Call, Variants};

use crate::stage::{CONSUMER, PROVIDER, Stage, Trouble, ZONES, declared, form, is_ready, says};

const BOTH: [&str; 2] = ["lb-hot", "lb-g"];

fn waiting() -> Stage<DesiredEndpoint> {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f", "vsw-g"]));
    stage.rest();
    stage
}

#[test]
fn a_declared_endpoint_is_made_by_one_call_and_waits_for_acceptance() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f", "vsw-g"]));
    let first = stage.turn();
    assert_eq!(stage.calls, ["CreateEndpoint"]);
    assert!(matches!(first.next, Next::Moving { .. }));
    assert_eq!(says(&stage, Reason::Provisioning), "ep-1 is being created");
    stage.rest();
    assert_eq!(stage.calls, ["CreateEndpoint"]);
    let message = says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(message, "ep-1 asks for a connection that its provider has not accepted: give the id to the provider");
    assert_eq!(stage.status.endpoint_id, Some("ep-1".into()));
    assert_eq!(stage.status.service_id, Some("epsrv-1-1".into()));
    assert_eq!(stage.status.connection, Some(ConnectionState::AwaitingAcceptance));
    assert_eq!(stage.status.creation.creating, None);
    assert_eq!(stage.status.zones.len(), 2);
    assert_eq!(stage.said(ConditionType::Stalled), None);
    assert_eq!(stage.said(ConditionType::Reconciling), None, "a wait on others is not reconciling");
    let (truth, ..) = stage.said(ConditionType::Provisioned).expect("said");
    assert_eq!(truth, Truth::True, "it exists as declared");
}

#[test]
fn it_becomes_ready_by_itself_once_the_provider_accepts() {
    let mut stage = waiting();
    stage.accept();
    let plan = stage.rest();
    is_ready(&stage);
    assert_eq!(plan.next, Next::Settled);
    assert_eq!(stage.calls, ["CreateEndpoint"]);
    assert_eq!(stage.status.connection, Some(ConnectionState::Connected));
    for condition in [ConditionType::Connected, ConditionType::ZonesReady, ConditionType::Provisioned] {
        let (truth, ..) = stage.said(condition).expect("said");
        assert_eq!(truth, Truth::True, "{condition:?}");
    }
    assert!(stage.status.zones.values().all(|one| one.ip.is_some() && one.id.is_some() && one.domain.is_some()));
}

#[test]
fn a_service_that_accepts_by_itself_makes_it_ready_without_anybody() {
    for zones_wait in ["true", "false"] {
        let variants = Variants::default().with("addedZoneWaits", zones_wait).expect("a variant");
        let mut stage = Stage::offered_with(&BOTH, declared(&["vsw-f", "vsw-g"]), variants);
        let service = stage.the_service().id;
        stage.provide(Call::UpdateService(
            service,
            ServiceChange { auto_accept: Some(true), ..ServiceChange::default() },
        ));
        stage.rest();
        is_ready(&stage);
        assert_eq!(stage.calls, ["CreateEndpoint"]);
    }
}

#[test]
fn ready_is_never_said_before_a_read_that_follows_the_last_write() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.edit(|desired| desired.description = Some("for the team".into()));
    stage.reads.clear();
    let plan = stage.turn();
    assert_eq!(stage.calls, ["UpdateEndpoint"]);
    assert!(matches!(plan.next, Next::Settled));
    assert_eq!(stage.reads, [FacetKey::Endpoints], "it was read after the call, in the same turn");
    is_ready(&stage);
}

#[test]
fn an_endpoint_that_is_settled_costs_no_call_and_changes_no_status() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.sweep();
    stage.turn();
    let status = stage.status.clone();
    stage.reads.clear();
    for _ in 0..3 {
        stage.sweep();
        let plan = stage.turn();
        assert_eq!(plan.next, Next::Settled);
    }
    assert_eq!(stage.reads, [FacetKey::Endpoints, FacetKey::Endpoints, FacetKey::Endpoints], "the sweeps'");
    assert_eq!(stage.status, status);
    assert!(stage.calls.is_empty());
}

#[test]
fn an_endpoint_that_waits_changes_no_status_while_it_waits() {
    let mut stage = waiting();
    let status = stage.status.clone();
    for _ in 0..3 {
        stage.sweep();
        stage.turn();
        assert_eq!(stage.status, status);
    }
}

#[test]
fn after_a_restart_a_settled_endpoint_is_not_read_deeply() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    let status = stage.status.clone();
    let deep = |stage: &Stage<DesiredEndpoint>| {
        stage.reads.iter().filter(|part| matches!(part, FacetKey::Interfaces(_) | FacetKey::Groups(_))).count()
    };
    stage.restart();
    stage.reads.clear();
    let plan = stage.turn();
    assert_eq!(plan.next, Next::Settled);
    assert_eq!(stage.reads, [FacetKey::Endpoints], "the list alone");
    assert_eq!(stage.status, status);

    // Something stirs it.
    stage.cut(ZONES[1]);
    stage.look_deep();
    stage.turn();
    let (truth, reason, _) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded), "what was read for another reason counts");
    stage.connect(ZONES[1]);
    stage.look_deep();
    stage.rest();
    is_ready(&stage);

    // The spec has changed meanwhile.
    stage.restart();
    stage.edit(|desired| desired.groups = Some(["sg-a".into(), "sg-b".into()].into()));
    stage.reads.clear();
    stage.rest();
    assert!(deep(&stage) > 0);
    assert_eq!(stage.groups(), ["sg-a", "sg-b"]);
    is_ready(&stage);

    // What lists show differs.
    stage.restart();
    stage.reject();
    stage.reads.clear();
    stage.rest();
    assert!(deep(&stage) > 0);
    says(&stage, Reason::RejectedByProvider);
    assert!(!stage.calls.iter().any(|call| *call == "AddZone" || *call == "RemoveZone"));
}

#[test]
fn an_attribute_that_drifts_is_seen_without_a_deep_read() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.restart();
    let id = stage.the_endpoint().id;
    let change = EndpointChange { name: Some("other".into()), ..EndpointChange::default() };
    stage.elsewhere(CONSUMER, Call::UpdateEndpoint(id, change)).expect("renamed");
    stage.rest();
    assert_eq!(stage.the_endpoint().name.as_deref(), Some("db"));
    is_ready(&stage);
}

#[test]
fn what_is_to_be_made_is_written_down_before_it_is_made() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    assert!(stage.turn_with((0, Trouble::CrashBefore)).is_none());
    assert!(stage.world.endpoints.is_empty());
    let creating = stage.status.creation.creating.clone().expect("written before the call");
    assert_eq!(stage.status.creation.account, Some("2".into()));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    assert_eq!(stage.world.endpoints.len(), 1);
    assert_eq!(stage.status.creation.creating, Some(creating), "the same attempt goes on");
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.world.endpoints.len(), 1);
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.turn_with((0, Trouble::LostAnswer));
    assert_eq!(stage.world.endpoints.len(), 1);
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.world.endpoints.len(), 1);
}

#[test]
fn a_spec_edited_after_a_lost_create_finds_what_was_made() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.edit(|desired| desired.description = Some("another form".into()));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.the_endpoint().description.as_deref(), Some("another form"));
}

#[test]
fn a_token_that_was_used_for_something_else_is_followed_by_one_of_the_next_incarnation() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    assert!(stage.turn_with((0, Trouble::CrashBefore)).is_none());
    // Something else was sent with the token that the next call carries.
    let mut ahead = stage.clone();
    ahead.turn();
    let (token, (_, answer)) = ahead.world.tokens.iter().next().expect("a token");
    stage.world.tokens.insert(token.clone(), (Call::OpenProduct, *answer));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!((stage.refusals, stage.status.creation.incarnation), (1, 1));
}

#[test]
fn after_an_hour_of_waiting_somebody_has_to_be_asked() {
    let mut stage = waiting();
    stage.pass(Duration::from_mins(30));
    stage.rest();
    assert_eq!(stage.said(ConditionType::Stalled), None);
    stage.pass(Duration::from_mins(31));
    let plan = stage.rest();
    let message = says(&stage, Reason::WaitingForAcceptance);
    let (truth, reason, stalled) = stage.said(ConditionType::Stalled).expect("stalled");
    assert_eq!((truth, reason, stalled), (Truth::True, Reason::WaitingForAcceptance, message));
    assert_eq!(plan.next, Next::Others);
    stage.accept();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.said(ConditionType::Stalled), None);
}

#[test]
fn an_acceptance_that_shows_in_the_interfaces_first_is_no_refusal() {
    let mut stage = waiting();
    stage.accept();
    stage.settle_world();
    stage.look_deep();
    stage.turn();
    is_ready(&stage);
    assert_eq!(stage.status.connection, Some(ConnectionState::Connected));
}

#[test]
fn a_refusal_by_the_provider_is_told_apart_from_waiting() {
    let mut stage = waiting();
    stage.reject();
    stage.look_deep();
    stage.rest();
    let message = says(&stage, Reason::RejectedByProvider);
    assert!(message.contains("refused or cut the connection of ep-1"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    stage.accept();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
}

#[test]
fn an_account_that_is_not_listed_is_named_and_goes_on_by_itself_once_it_is() {
    let mut stage = Stage::new(declared(&["vsw-f"]));
    stage.offer(&BOTH);
    let plan = stage.rest();
    let message = says(&stage, Reason::NotWhitelisted);
    assert_eq!(
        message,
        "the account to be listed is 2: CreateEndpoint of an endpoint of epsrv-1-1 in vpc-consumer: NotAuthorized: NotAuthorized"
    );
    assert!(matches!(plan.next, Next::At(_)), "{:?}", plan.next);
    assert_eq!(stage.said(ConditionType::Stalled), None, "others have to act, and then it goes on");
    stage.allow();
    stage.pass(Duration::from_mins(3));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.calls, ["CreateEndpoint"]);
}

#[test]
fn a_service_that_does_not_exist_yet_is_waited_for() {
    let mut stage = Stage::new(declared(&["vsw-f"]));
    stage.desired.target = Target::Awaited("EndpointService team/gateway has no service yet".into());
    let plan = stage.rest();
    assert_eq!(says(&stage, Reason::WaitingForService), "EndpointService team/gateway has no service yet");
    assert_eq!(plan.next, Next::Others);
    assert_eq!(stage.status.creation.account, None, "nothing is pinned for nothing");
    assert!(stage.calls.is_empty());
    stage.offer(&BOTH);
    stage.allow();
    stage.desired.target = Target::Known { id: Some("epsrv-1-1".into()), name: None, region: None };
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
}

#[test]
fn a_service_that_the_cloud_does_not_know_is_asked_for_slowly() {
    let mut stage = Stage::new(declared(&["vsw-f"]));
    let plan = stage.rest();
    let message = says(&stage, Reason::ReferenceNotFound);
    assert!(message.contains("epsrv-1-1"), "{message}");
    let Next::At(due) = plan.next else { panic!("{:?}", plan.next) };
    assert!(due.since(stage.now) <= Duration::from_mins(3));
    let refusals = stage.refusals;
    for _ in 0..30 {
        stage.turn();
    }
    assert!(stage.refusals <= refusals + 1, "a minute holds one call at most");
    stage.offer(&BOTH);
    stage.allow();
    stage.pass(Duration::from_mins(3));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
}

#[test]
fn a_service_can_be_named_instead() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    let named = |name: &str| Target::Known { id: None, name: Some(name.into()), region: None };
    stage.desired.target = named("name-of-epsrv-1-1");
    stage.rest();
    stage.accept();
    stage.rest();
    is_ready(&stage);
    stage.desired.target = named("name-of-another");
    stage.rest();
    says(&stage, Reason::ServiceReplaced);
}

#[test]
fn a_reference_that_leads_to_another_service_now_is_said_and_nothing_is_done() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let target = std::mem::replace(
        &mut stage.desired.target,
        Target::Known { id: Some("epsrv-1-2".into()), name: None, region: None },
    );
    stage.edit(|desired| desired.description = Some("later".into()));
    stage.rest();
    let message = says(&stage, Reason::ServiceReplaced);
    assert_eq!(
        message,
        "ep-1 belongs to epsrv-1-1, but the reference now leads to epsrv-1-2: delete this object and create it again to join epsrv-1-2"
    );
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert!(stage.calls.is_empty());
    stage.desired.target = target;
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateEndpoint"]);
}

#[test]
fn a_reference_that_leads_nowhere_for_a_while_changes_nothing_for_an_endpoint_that_stands() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.desired.target = Target::Awaited("EndpointService team/gateway has no service yet".into());
    stage.rest();
    is_ready(&stage);
}

#[test]
fn a_service_deleted_by_its_provider_leaves_an_endpoint_that_leads_nowhere() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.reject();
    let service = stage.the_service().id;
    for name in BOTH {
        let balancer = stage.world.land.balancer_named(name);
        stage.provide(Call::DetachResource(service, ResourceForm { balancer, kind: None, zone: None }));
    }
    stage.provide(Call::DeleteService(service));
    stage.sweep();
    stage.rest();
    let message = says(&stage, Reason::ReferenceNotFound);
    assert!(message.contains("the service of ep-1 was deleted by its provider"), "{message}");
    for condition in [ConditionType::Connected, ConditionType::ZonesReady] {
        assert_eq!(stage.said(condition).expect("said").0, Truth::False, "{condition:?}");
    }
    assert!(stage.calls.is_empty());
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.world.endpoints.is_empty());
}

#[test]
fn a_connection_that_the_provider_cuts_is_not_ready_until_it_is_restored() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.elsewhere(PROVIDER, Call::RejectConnection(stage.connection())).expect("cut");
    stage.sweep();
    stage.turn();
    let message = says(&stage, Reason::RejectedByProvider);
    assert_eq!(message, "the provider is cutting the connection of ep-1");
    stage.rest();
    let message = says(&stage, Reason::RejectedByProvider);
    assert!(message.contains("ask the provider to accept it"), "{message}");
    assert_eq!(stage.said(ConditionType::Connected).expect("said").0, Truth::False);
    assert_eq!(stage.said(ConditionType::ZonesReady).expect("said").0, Truth::False);
    assert_eq!(stage.status.connection, Some(ConnectionState::Disconnected));
    stage.accept();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
    assert!(stage.calls.is_empty());
}

#[test]
fn a_cut_that_shows_in_the_interfaces_first_is_called_a_cut() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.reject();
    stage.settle_world();
    stage.look_deep();
    stage.turn();
    let message = says(&stage, Reason::RejectedByProvider);
    assert!(message.contains("refused or cut the connection of ep-1"), "{message}");
    assert_eq!(stage.status.connection, Some(ConnectionState::Disconnected));
}

#[test]
fn a_zone_that_the_provider_cuts_is_degraded_until_it_is_restored() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.cut(ZONES[1]);
    stage.look_deep();
    let plan = stage.rest();
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded));
    assert_eq!(
        message,
        "traffic can flow, but not through every zone: cn-hangzhou-g (vsw-g) was disconnected by its provider"
    );
    let (truth, reason, _) = stage.said(ConditionType::ZonesReady).expect("said");
    assert_eq!((truth, reason), (Truth::False, Reason::RejectedByProvider));
    assert_eq!(plan.next, Next::Others);
    assert!(stage.calls.is_empty(), "what the provider has cut is the provider's to connect");
    // No list shows it: it is looked for now and then.
    stage.connect(ZONES[1]);
    stage.pass(Duration::from_mins(6));
    stage.rest();
    is_ready(&stage);
}

#[test]
fn a_zone_that_the_provider_cuts_is_seen_at_once_where_both_are_in_one_account() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.watch_provider();
    stage.cut(ZONES[1]);
    stage.watch_provider();
    stage.reads.clear();
    stage.turn();
    let (truth, reason, _) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded));
    assert_eq!(stage.reads, [FacetKey::Interfaces("ep-1".into()), FacetKey::Groups("ep-1".into())]);
}

#[test]
fn without_any_zone_no_traffic_flows() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.cut(ZONES[0]);
    stage.look_deep();
    stage.rest();
    let message = says(&stage, Reason::RejectedByProvider);
    assert!(message.starts_with("no zone of ep-1 carries traffic: cn-hangzhou-f (vsw-f)"), "{message}");
    let (truth, ..) = stage.said(ConditionType::Connected).expect("said");
    assert_eq!(truth, Truth::True);
}

#[test]
fn a_zone_without_a_load_balancer_keeps_an_endpoint_from_being_made_and_is_said() {
    let mut stage = Stage::offered(&["lb-hot"], declared(&["vsw-f", "vsw-g"]));
    let plan = stage.rest();
    let message = says(&stage, Reason::NoResourceInZone);
    assert!(message.contains("ZoneWithoutResource"), "{message}");
    assert!(matches!(plan.next, Next::At(_)));
    let service = stage.the_service().id;
    let balancer = stage.world.land.balancer_named("lb-g");
    stage.provide(Call::AttachResource(service, ResourceForm { balancer, kind: None, zone: None }));
    stage.pass(Duration::from_mins(3));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
}

#[test]
fn a_zone_without_a_load_balancer_degrades_an_endpoint_that_stands_and_keeps_no_other_zone_waiting() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| {
        let zones = desired.zones.as_mut().expect("zones");
        zones.insert("vsw-h".into(), form("vsw-h"));
        zones.insert("vsw-g".into(), form("vsw-g"));
    });
    let service = stage.the_service().id;
    let balancer = stage.world.land.balancer_named("lb-g");
    let lb_g = ResourceForm { balancer, kind: None, zone: None };
    stage.provide(Call::DetachResource(service, lb_g));
    let plan = stage.rest();
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded), "{message}");
    assert!(message.contains("AddZone of vsw-g in cn-hangzhou-g: ZoneWithoutResource"), "{message}");
    let (truth, reason, _) = stage.said(ConditionType::ZonesReady).expect("said");
    assert_eq!((truth, reason), (Truth::False, Reason::NoResourceInZone));
    assert!(matches!(plan.next, Next::At(_)), "{:?}", plan.next);
    // Zone h has none either, and does not keep zone g waiting; nor the other way round.
    stage.provide(Call::AttachResource(service, lb_g));
    stage.pass(Duration::from_mins(3));
    stage.rest();
    assert_eq!(stage.subnets(), ["vsw-f", "vsw-g"]);
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded), "{message}");
    assert!(message.contains("AddZone of vsw-h"), "{message}");
    stage.edit(|desired| {
        desired.zones.as_mut().expect("zones").remove(&"vsw-h".into());
    });
    stage.rest();
    is_ready(&stage);
}

#[test]
fn an_endpoint_deleted_by_someone_else_is_not_made_again_by_itself() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.world.endpoints.clear();
    stage.sweep();
    stage.rest();
    let message = says(&stage, Reason::ExternallyDeleted);
    assert!(message.contains("privatelink.dev/allow-recreate"), "{message}");
    for condition in [ConditionType::Connected, ConditionType::ZonesReady, ConditionType::Provisioned] {
        let (truth, reason, _) = stage.said(condition).expect("said");
        assert_eq!((truth, reason), (Truth::False, Reason::ExternallyDeleted), "{condition:?}");
    }
    assert_eq!(stage.status.endpoint_id, Some("ep-1".into()), "the lost id stays for the annotation");
    assert_eq!(stage.status.connection, None);
    assert!(stage.status.zones.is_empty());
    assert!(stage.world.endpoints.is_empty());
    stage.desired.common.annotations.allow_recreate = Some("ep-other".into());
    stage.rest();
    assert!(stage.world.endpoints.is_empty());
    stage.desired.common.annotations.allow_recreate = Some("ep-1".into());
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.status.endpoint_id, Some("ep-2".into()));
    assert_eq!(stage.status.creation.incarnation, 1);
    stage.accept();
    stage.rest();
    is_ready(&stage);
}

#[test]
fn an_endpoint_that_someone_else_deletes_is_not_called_connected_meanwhile() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let (id, zone) = (stage.the_endpoint().id, stage.zone(ZONES[0]));
    stage.elsewhere(CONSUMER, Call::RemoveZone(id, zone)).expect("removed");
    stage.settle_world();
    stage.elsewhere(CONSUMER, Call::DeleteEndpoint(id)).expect("deleted");
    stage.sweep();
    stage.turn();
    says(&stage, Reason::Provisioning);
    assert_eq!(stage.status.state, Some(LifeState::Deleting));
    for condition in [ConditionType::Connected, ConditionType::ZonesReady] {
        assert_eq!(stage.said(condition).expect("said").0, Truth::False, "{condition:?}");
    }
    stage.rest();
    says(&stage, Reason::ExternallyDeleted);
}

#[test]
fn nothing_is_concluded_when_everything_vanishes_at_once() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let mut other = stage.the_endpoint().clone();
    other.id.number = 9;
    other.tags.clear();
    stage.world.endpoints.insert(other.id, other);
    stage.sweep();
    stage.world.endpoints.clear();
    stage.sweep();
    stage.turn();
    let (truth, reason, _) = stage.ready().expect("something is said");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::CloudUnavailable));
    assert!(stage.calls.is_empty());
}

#[test]
fn a_locked_account_is_told_to_pay_and_goes_on_once_it_has() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.world.accounts.get_mut(&CONSUMER.account).expect("the consumer").locked = true;
    stage.sweep();
    stage.turn();
    let message = says(&stage, Reason::BillingLocked);
    assert!(message.starts_with("ep-1 is locked"), "{message}");
    stage.world.accounts.get_mut(&CONSUMER.account).expect("the consumer").locked = false;
    stage.sweep();
    stage.rest();
    is_ready(&stage);
}

#[test]
fn a_paused_object_does_nothing() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.desired.common.annotations.paused = true;
    stage.rest();
    assert!(stage.calls.is_empty());
    let (truth, reason, _) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::Paused));
    stage.desired.common.annotations.paused = false;
    stage.rest();
    assert_eq!(stage.calls, ["CreateEndpoint"]);
}

#[test]
fn another_account_under_the_same_name_is_noticed() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.status.creation.account = Some("999".into());
    stage.rest();
    let message = says(&stage, Reason::AccountMismatch);
    assert!(message.contains("account 999"), "{message}");
}
