//! How a service goes: at once where nobody uses it, after its consumers where some do, cut where that is asked
//! for, and not at all while it is paused.

use privatelink_operator::api::EndpointService;
use privatelink_sim::world::{
    Call,
    call::{AcceptForm, ConnectionKey},
};
use serde_json::{Value, json};

use crate::story::{Story, calls, endpoint_id, id, is_settled, said};

const DETACH: &str = "DetachResourceFromVpcEndpointService";
const DELETE: &str = "DeleteVpcEndpointService";
const REJECT: &str = "DisableVpcEndpointConnection";

fn spec(fields: Value) -> Value {
    let mut spec = fields;
    spec["resources"] = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    spec
}

/// A connection's state in the world.
fn state_of(story: &Story, key: ConnectionKey) -> Value {
    let world = story.operator.world();
    let mut endpoints = world["endpoints"].as_array().expect("endpoints").iter();
    endpoints.find(|one| one["id"] == endpoint_id(key)).expect("it is there")["connection"]["status"].clone()
}

fn blockers(service: &EndpointService) -> Option<(u32, Vec<String>)> {
    let deletion = service.status.as_ref()?.deletion.as_ref()?;
    Some((deletion.total, deletion.blocked_by.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_uses_goes_with_two_calls() {
    let mut story = Story::start("unused").await;
    story.services.settled("gateway", &spec(json!({}))).await;
    story.spent();
    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), (DELETE, 1)]));
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_nobody_accepted_are_refused_and_do_not_block() {
    let mut story = Story::start("waiting").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let key = story.awaiting(id(&made));
    let seen = story.services.looks_again("gateway", "a consumer has come").await;
    let status = seen.status.expect("a status");
    assert_eq!(status.connection_counts.map(|counts| (counts.total, counts.awaiting)), Some((1, 1)));
    let unclaimed = &status.unclaimed[0];
    assert_eq!(unclaimed.endpoint_id, endpoint_id(key));
    assert_eq!(unclaimed.owner.as_deref(), Some("1002000000000002"));
    story.spent();
    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([(REJECT, 1), (DETACH, 1), (DELETE, 1)]));
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_came_after_the_last_look_is_seen_before_anything_is_taken_from_it() {
    let mut story = Story::start("unseen").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let live = story.connected(id(&made));
    story.spent();
    story.services.delete("gateway").await;
    story.services.says_where("gateway", "BlockedByConnections", |message| message.contains(&endpoint_id(live))).await;
    assert_eq!(story.spent(), calls([]));
    story.leaves(live);
    story.services.is_gone_soon("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), (DELETE, 1)]));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_connections_are_waited_for_by_name_and_the_service_goes_when_the_last_has_left() {
    let mut story = Story::start("live").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let (first, second) = (story.connected(id(&made)), story.connected(id(&made)));
    let seen = story.services.looks_again("gateway", "consumers have come").await;
    let counts = seen.status.as_ref().and_then(|status| status.connection_counts).expect("they are counted");
    assert_eq!((counts.total, counts.connected, counts.awaiting), (2, 2, 0));
    story.spent();

    story.services.delete("gateway").await;
    let message = story.services.says("gateway", "BlockedByConnections").await;
    for named in [endpoint_id(first), endpoint_id(second), "connectionsOnDelete: Reject".to_owned()] {
        assert!(message.contains(&named), "{named}: {message}");
    }
    let blocked =
        story.services.becomes("gateway", "blocked by two", |one| blockers(one).is_some_and(|(total, _)| total == 2));
    let (_, mut named) = blockers(&blocked.await).expect("they are named");
    named.sort();
    let mut expected = [endpoint_id(first), endpoint_id(second)];
    expected.sort();
    assert_eq!(named, expected);
    assert_eq!(story.spent(), calls([]));
    assert_eq!((state_of(&story, first), state_of(&story, second)), (json!("Connected"), json!("Connected")));

    story.leaves(first);
    story.services.is_looked_at("gateway", "one has left").await;
    let left =
        story.services.becomes("gateway", "blocked by one", |one| blockers(one).is_some_and(|(total, _)| total == 1));
    assert_eq!(blockers(&left.await).expect("it is named").1, [endpoint_id(second)]);
    assert_eq!(story.spent(), calls([]));
    story.leaves(second);
    story.services.is_gone_soon("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), (DELETE, 1)]));
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_connections_are_cut_where_that_is_asked_for_while_deleting() {
    let mut story = Story::start("cut").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let key = story.connected(id(&made));
    story.services.looks_again("gateway", "a consumer has come").await;
    story.spent();
    story.services.delete("gateway").await;
    story.services.says("gateway", "BlockedByConnections").await;
    assert_eq!(story.spent(), calls([]));
    story.services.patch("gateway", &json!({"connectionsOnDelete": "Reject"})).await;
    story.services.is_gone("gateway").await;
    assert_eq!(story.spent(), calls([(REJECT, 1), (DETACH, 1), (DELETE, 1)]));
    assert_ne!(state_of(&story, key), "Connected");
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_live_connection_one_that_nobody_accepted_is_refused_at_once() {
    let mut story = Story::start("live and waiting").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let (live, waiting) = (story.connected(id(&made)), story.awaiting(id(&made)));
    story.services.looks_again("gateway", "consumers have come").await;
    story.spent();
    story.services.delete("gateway").await;
    let blocked = story.services.becomes("gateway", "blocked", |one| blockers(one).is_some());
    assert_eq!(blockers(&blocked.await), Some((1, vec![endpoint_id(live)])));
    story.services.is_looked_at("gateway", "is it alone now").await;
    assert_eq!((state_of(&story, live), state_of(&story, waiting)), (json!("Connected"), json!("Disconnected")));
    assert_eq!(story.spent(), calls([(REJECT, 1)]));
    story.leaves(live);
    story.services.is_gone_soon("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), (DELETE, 1)]));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_cut_from_the_start_goes_without_a_wait_each_connection_by_one_call() {
    let mut story = Story::start("reject").await;
    let made = story.services.settled("gateway", &spec(json!({"connectionsOnDelete": "Reject"}))).await;
    let (live, waiting) = (story.connected(id(&made)), story.awaiting(id(&made)));
    story.services.looks_again("gateway", "consumers have come").await;
    assert_eq!(state_of(&story, live), "Connected", "not while it lives");
    story.spent();
    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([(REJECT, 2), (DETACH, 1), (DELETE, 1)]));
    assert_eq!((state_of(&story, live), state_of(&story, waiting)), (json!("ServiceDeleted"), json!("ServiceDeleted")));
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_in_use_that_is_taken_off_the_list_is_waited_for() {
    let mut story = Story::start("in use").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let key = story.connected(id(&made));
    story.services.looks_again("gateway", "a consumer has come").await;
    story.spent();
    let other = json!({
        "resources": [{"id": "lb-spare", "type": "CLB", "zone": "cn-hangzhou-f"}], "removal": {"migration": "Wait"},
    });
    let waits = story.services.settled("gateway", &other).await;
    assert_eq!(
        story.spent(),
        calls([("AttachResourceToVpcEndpointService", 1), ("UpdateVpcEndpointServiceResourceAttribute", 1)])
    );
    let message = said(&waits, "Evacuating").expect("it says so").2;
    assert!(message.contains("lb-hot"), "{message}");
    let status = waits.status.as_ref().expect("a status");
    assert_eq!((status.evacuation[0].resource_id.as_str(), status.evacuation[0].remaining), ("lb-hot", 1));
    story.services.is_looked_at("gateway", "still there").await;
    assert_eq!(state_of(&story, key), "Connected");
    assert_eq!(story.spent(), calls([]));

    story.leaves(key);
    story.services.annotate("gateway", crate::objects::RECONCILE, Some("it has left")).await;
    let left = story
        .services
        .becomes("gateway", "evacuated", |one| is_settled(one) && said(one, "Evacuating").is_none())
        .await;
    assert_eq!(story.spent(), calls([(DETACH, 1)]));
    assert_eq!(left.status.expect("a status").resources.len(), 1);
    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paused_is_neither_changed_nor_deleted_and_says_so() {
    let mut story = Story::start("paused").await;
    story.services.settled("gateway", &spec(json!({}))).await;
    story.spent();
    story.services.annotate("gateway", "privatelink.dev/paused", Some("true")).await;
    story.services.apply("gateway", &spec(json!({"description": "for tenants"}))).await;
    story.services.says_where("gateway", "Paused", |message| message.contains("nothing is changed")).await;
    story.services.delete("gateway").await;
    let waits = story.services.becomes("gateway", "waiting", |one| {
        said(one, "Ready").is_some_and(|(_, why, message)| why == "Paused" && message.contains("deletion waits"))
    });
    waits.await;
    story.services.is_looked_at("gateway", "still paused").await;
    assert_eq!(story.spent(), calls([]));
    assert_eq!(story.the_service()["description"], Value::Null);
    story.services.annotate("gateway", "privatelink.dev/paused", None).await;
    story.services.is_gone("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), (DELETE, 1)]));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_accepted_while_the_service_is_being_deleted_blocks_it_too() {
    let mut story = Story::start("accepted late").await;
    let made = story.services.settled("gateway", &spec(json!({}))).await;
    let first = story.connected(id(&made));
    story.services.looks_again("gateway", "a consumer has come").await;
    story.services.delete("gateway").await;
    story.services.says("gateway", "BlockedByConnections").await;
    story.spent();
    // Another consumer comes, and a person accepts it in the console.
    let second = story.awaiting(id(&made));
    story.provider(|_| Call::AcceptConnection(second, AcceptForm::default()));
    story.leaves(first);
    story.services.is_looked_at("gateway", "others have come and gone").await;
    story
        .services
        .says_where("gateway", "BlockedByConnections", |message| {
            message.contains(&endpoint_id(second)) && !message.contains(&endpoint_id(first))
        })
        .await;
    assert_eq!(story.spent(), calls([]));
    story.services.patch("gateway", &json!({"connectionsOnDelete": "Reject"})).await;
    story.services.is_gone("gateway").await;
    assert_eq!(story.spent(), calls([(REJECT, 1), (DETACH, 1), (DELETE, 1)]));
    story.stop().await;
}
