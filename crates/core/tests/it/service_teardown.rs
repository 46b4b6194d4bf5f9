//! How a service goes: in the cloud's order, waiting for whom, and never leaving one behind.

use privatelink_core::condition::Reason;
use privatelink_core::desired::OnDelete;
use privatelink_core::observed::ResourceKey;
use privatelink_core::plan::Truth;
use privatelink_sim::world::Call;

use crate::stage::{CONSUMER, Stage, Trouble, desired, is_ready, key, says};

#[test]
fn a_paused_object_does_nothing_not_even_go() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.desired.common.annotations.paused = true;
    stage.rest();
    assert!(stage.calls.is_empty());
    stage.desired.common.annotations.paused = false;
    stage.rest();
    stage.desired.common.annotations.paused = true;
    stage.desired.common.deleting = true;
    stage.rest();
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::Paused));
    assert!(message.contains("deletion waits"), "{message}");
    assert!(!stage.released);
    assert_eq!(stage.world.services.len(), 1);
}

#[test]
fn a_deleted_service_goes_in_the_clouds_order() {
    let mut stage = Stage::new(desired(&["lb-hot", "lb-g"]));
    stage.rest();
    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released);
    assert!(stage.world.services.is_empty());
    assert_eq!(stage.calls, ["DetachResource", "DetachResource", "DeleteService"]);
}

#[test]
fn a_deletion_waits_for_connections_and_names_them() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let consumer = stage.connected();
    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage.sweep();
    stage.rest();
    let message = says(&stage, Reason::BlockedByConnections);
    assert!(message.contains("1 connection: ep-1") && message.contains("connectionsOnDelete: Reject"), "{message}");
    assert_eq!(stage.status.blocked_by, Some((vec!["ep-1".into()], 1)));
    assert!(stage.calls.is_empty() && !stage.released);
    for call in [
        Call::RemoveZone(consumer.endpoint, privatelink_sim::world::ZoneId(0)),
        Call::DeleteEndpoint(consumer.endpoint),
    ] {
        stage.elsewhere(CONSUMER, call).expect("the consumer leaves");
        stage.settle_world();
    }
    stage.sweep();
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn a_deletion_begins_with_a_look_at_the_connections_of_now() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.sweep();
    stage.connected();
    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage.rest();
    says(&stage, Reason::BlockedByConnections);
    assert_eq!(stage.status.blocked_by, Some((vec!["ep-1".into()], 1)));
    assert!(stage.calls.is_empty() && !stage.released, "{:?}", stage.calls);
}

#[test]
fn a_deletion_may_cut_connections() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.connected();
    stage.calls.clear();
    stage.desired.on_delete = OnDelete::Reject;
    stage.desired.common.deleting = true;
    stage.sweep();
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
    assert_eq!(stage.calls, ["RejectConnection", "DetachResource", "DeleteService"]);
}

#[test]
fn connections_that_nobody_accepted_do_not_block_a_deletion() {
    for value in ["true", "false"] {
        let variants = privatelink_sim::world::Variants::default().with("refusalMarksZones", value).expect("a variant");
        let mut stage = Stage::with(desired(&["lb-hot"]), variants);
        stage.rest();
        stage.endpoint();
        stage.calls.clear();
        stage.desired.common.deleting = true;
        stage.sweep();
        stage.rest();
        assert!(stage.released && stage.world.services.is_empty());
        assert_eq!(stage.calls, ["RejectConnection", "DetachResource", "DeleteService"]);
    }
}

#[test]
fn deleted_before_anything_was_made() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.calls.is_empty());
}

#[test]
fn deleted_while_a_create_call_may_be_on_its_way() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn deleted_after_a_create_call_got_no_answer() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.turn_with((0, Trouble::LostAnswer));
    stage.desired.common.deleting = true;
    let (_, reason, message) = {
        stage.turn();
        stage.ready().expect("said")
    };
    assert_eq!(reason, Reason::Deleting);
    assert!(message.contains("may still be on its way"), "{message}");
    assert!(!stage.released);
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn the_one_that_allows_automatic_allocation_goes_last_from_its_zone() {
    let mut stage = Stage::new(desired(&["lb-cool", "lb-hot", "lb-spare"]));
    stage.edit(|desired| {
        desired.resources.insert(key("lb-hot"), false);
        desired.resources.insert(key("lb-spare"), false);
    });
    stage.rest();
    is_ready(&stage);
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn deleted_after_its_status_was_lost_it_is_found_by_tag_and_goes() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.status = privatelink_core::status::ServiceStatus::default();
    stage.restart();
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn deleted_after_a_create_call_was_refused_it_goes_at_once() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.edit(|desired| {
        desired.resources.insert(ResourceKey { id: "lb-none".into(), zone: "cn-hangzhou-f".into() }, true);
    });
    stage.turn();
    stage.desired.common.deleting = true;
    stage.turn();
    assert!(stage.released);
}
