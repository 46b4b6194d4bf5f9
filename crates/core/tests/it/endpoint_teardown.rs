//! How an endpoint goes: in the cloud's order, waiting for what, and never leaving one behind.

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Deletion, DesiredEndpoint};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::status::EndpointStatus;
use privatelink_sim::world::call::{AcceptForm, ZoneForm};
use privatelink_sim::world::object::{EndpointStatus as Life, LegStatus};
use privatelink_sim::world::{Call, advance, progress};

use crate::stage::{CONSUMER, PROVIDER, Stage, Trouble, declared, form, says};

const BOTH: [&str; 2] = ["lb-hot", "lb-g"];

fn deleting(mut stage: Stage<DesiredEndpoint>) -> Stage<DesiredEndpoint> {
    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage
}

fn goes(stage: &mut Stage<DesiredEndpoint>) {
    stage.rest();
    assert!(stage.released && stage.world.endpoints.is_empty(), "{:?} {:?}", stage.ready(), stage.world.endpoints);
}

#[test]
fn interfaces_go_before_their_endpoint() {
    let mut stage = deleting(Stage::standing(&["vsw-f", "vsw-g"]));
    stage.turn();
    let message = says(&stage, Reason::Deleting);
    assert_eq!(message, "the interfaces of ep-1 are being removed");
    goes(&mut stage);
    assert_eq!(stage.calls, ["RemoveZone", "RemoveZone", "DeleteEndpoint"]);
    assert_eq!(stage.refusals, 0);
}

#[test]
fn one_that_nobody_accepted_goes_as_well() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f", "vsw-g"]));
    stage.rest();
    let mut stage = deleting(stage);
    goes(&mut stage);
    assert_eq!(stage.calls, ["RemoveZone", "RemoveZone", "DeleteEndpoint"]);
}

#[test]
fn one_that_is_being_made_is_waited_for() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f", "vsw-g"]));
    stage.turn();
    let mut stage = deleting(stage);
    let plan = stage.turn();
    assert_eq!(says(&stage, Reason::Deleting), "ep-1 is being changed and is deleted after that");
    assert!(matches!(plan.next, Next::Moving { .. }) && stage.calls.is_empty());
    // It exists, and its interfaces are still being made.
    let due = progress(&stage.world)[0];
    stage.world = advance(&stage.world, due);
    assert_eq!(stage.the_endpoint().status, Life::Active);
    stage.turn();
    assert_eq!(says(&stage, Reason::Deleting), "the interfaces of ep-1 are being removed");
    assert!(stage.calls.is_empty(), "what is being made cannot be removed yet");
    let due = progress(&stage.world)[0];
    stage.world = advance(&stage.world, due);
    stage.turn();
    assert_eq!(stage.calls, ["RemoveZone"]);
    goes(&mut stage);
    assert_eq!(stage.refusals, 0);
}

#[test]
fn a_connection_that_is_changing_is_waited_for() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.rest();
    let key = stage.connection();
    stage.elsewhere(PROVIDER, Call::AcceptConnection(key, AcceptForm::default())).expect("accepted");
    let mut stage = deleting(stage);
    stage.sweep();
    stage.turn();
    assert_eq!(says(&stage, Reason::Deleting), "the connection of ep-1 is changing, and ep-1 is deleted after that");
    assert!(stage.calls.is_empty());
    goes(&mut stage);
}

#[test]
fn an_interface_that_another_hand_adds_goes_too() {
    let mut stage = deleting(Stage::standing(&["vsw-f"]));
    stage.turn();
    stage.settle_world();
    let id = stage.the_endpoint().id;
    let switch = stage.world.land.switch_named("vsw-g");
    let add = Call::AddZone(id, ZoneForm { zone: None, switch, ip: None, ipv6: None });
    stage.turn();
    assert_eq!(stage.calls, ["RemoveZone", "DeleteEndpoint"]);
    // The same, added between the last look and the call.
    let mut stage = deleting(Stage::standing(&["vsw-f"]));
    stage.turn();
    stage.settle_world();
    stage.look_deep();
    stage.elsewhere(CONSUMER, add).expect("added");
    goes(&mut stage);
    assert_eq!(stage.refusals, 1, "the cloud keeps what has interfaces, and it is looked at again");
    assert_eq!(stage.calls, ["RemoveZone", "RemoveZone", "DeleteEndpoint"]);
}

#[test]
fn a_call_without_an_answer_is_looked_for() {
    for trouble in [Trouble::LostAnswer, Trouble::CrashAfter, Trouble::CrashBefore] {
        for call in 0..3 {
            let mut stage = deleting(Stage::standing(&["vsw-f", "vsw-g"]));
            for _ in 0..call {
                stage.turn();
                stage.settle_world();
            }
            stage.turn_with((0, trouble));
            goes(&mut stage);
        }
    }
}

#[test]
fn deleted_before_anything_was_made() {
    let mut stage = deleting(Stage::offered(&BOTH, declared(&["vsw-f"])));
    goes(&mut stage);
    assert!(stage.calls.is_empty());
}

#[test]
fn deleted_while_a_create_call_may_be_on_its_way() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.pass(std::time::Duration::from_secs(5));
    stage.restart();
    let mut stage = deleting(stage);
    stage.turn();
    let message = says(&stage, Reason::Deleting);
    assert!(message.contains("may still be on its way"), "{message}");
    goes(&mut stage);
}

#[test]
fn deleted_after_a_create_call_got_no_answer() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.turn_with((0, Trouble::LostAnswer));
    let mut stage = deleting(stage);
    stage.turn();
    assert!(!stage.released);
    goes(&mut stage);
}

#[test]
fn deleted_while_its_create_call_waits_for_the_whitelist() {
    let mut stage = Stage::new(declared(&["vsw-f"]));
    stage.offer(&BOTH);
    stage.rest();
    let mut stage = deleting(stage);
    stage.turn();
    assert!(stage.released);
}

#[test]
fn deleted_after_its_status_was_lost_it_is_found_by_tag_and_goes() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.status = EndpointStatus::default();
    stage.restart();
    goes(&mut deleting(stage));
}

#[test]
fn deleted_after_its_service_was() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let service = stage.the_service().id;
    stage.world.services.remove(&service);
    let id = *stage.world.endpoints.keys().next().expect("one");
    let endpoint = stage.world.endpoints.get_mut(&id).expect("it is there");
    endpoint.connection.status = privatelink_sim::world::object::ConnectionStatus::ServiceDeleted;
    endpoint.zones.values_mut().for_each(|leg| leg.status = LegStatus::Disconnected);
    goes(&mut deleting(stage));
}

/// Deleted right after it was made, before any read shows it.
fn unseen(old: bool) {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.turn();
    if !old {
        stage.desired.common.created = stage.now;
    }
    let made = std::mem::take(&mut stage.world.endpoints);
    stage.restart();
    let mut stage = deleting(stage);
    stage.pass(std::time::Duration::from_secs(10));
    let plan = stage.turn();
    assert!(matches!(plan.next, Next::Moving { .. }) && !stage.released, "{plan:?}");
    stage.world.endpoints = made;
    goes(&mut stage);
}

#[test]
fn one_that_no_read_has_shown_yet_is_not_left_behind() {
    unseen(false);
}

#[test]
fn one_of_an_object_that_has_waited_for_long_is_not_left_behind_either() {
    unseen(true);
}

#[test]
fn one_that_is_gone_already_is_let_go() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.world.endpoints.clear();
    stage.sweep();
    goes(&mut deleting(stage));
}

#[test]
fn a_protected_one_that_another_identity_made_is_said_to_stay() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.desired.protected = Some(true);
    stage.rest();
    assert!(stage.the_endpoint().protected);
    let id = stage.the_endpoint().id;
    stage.world.endpoints.get_mut(&id).expect("there").creator = 7;
    let mut stage = deleting(stage);
    let plan = stage.rest();
    let message = says(&stage, Reason::PermissionDenied);
    assert!(message.starts_with("RemoveZone of vsw-f in cn-hangzhou-f: EndpointProtected"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert_eq!(plan.next, Next::Person);
    assert!(!stage.released);
    // The way out.
    stage.desired.common.deletion = Deletion::Retain;
    stage.rest();
    assert!(stage.released);
    assert_eq!(stage.world.endpoints.len(), 1);
}

#[test]
fn a_protected_one_of_our_own_goes() {
    let mut stage = Stage::offered(&BOTH, declared(&["vsw-f"]));
    stage.desired.protected = Some(true);
    stage.rest();
    goes(&mut deleting(stage));
}

#[test]
fn one_of_a_locked_account_goes() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.world.accounts.get_mut(&CONSUMER.account).expect("the consumer").locked = true;
    stage.sweep();
    stage.rest();
    says(&stage, Reason::BillingLocked);
    goes(&mut deleting(stage));
}

#[test]
fn one_that_may_no_longer_be_as_declared_goes_all_the_same() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| {
        desired.zones.as_mut().expect("zones").insert("vsw-h".into(), form("vsw-h"));
    });
    stage.rest();
    goes(&mut deleting(stage));
}

#[test]
fn a_paused_object_does_not_even_go() {
    let mut stage = deleting(Stage::standing(&["vsw-f"]));
    stage.desired.common.annotations.paused = true;
    stage.rest();
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::Paused));
    assert!(message.contains("deletion waits"), "{message}");
    assert!(!stage.released && stage.calls.is_empty());
}

#[test]
fn what_was_deleted_is_not_called_connected_meanwhile() {
    let mut stage = deleting(Stage::standing(&["vsw-f"]));
    stage.turn();
    stage.settle_world();
    stage.turn();
    assert_eq!(stage.calls, ["RemoveZone", "DeleteEndpoint"]);
    for condition in [ConditionType::Connected, ConditionType::ZonesReady] {
        assert_eq!(stage.said(condition).expect("said").0, Truth::False, "{condition:?}");
    }
}
