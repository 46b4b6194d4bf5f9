//! How a tenant is let out: when its time is over, with its connections or without; and what an entry does whose
//! service is paused, only observed, or goes itself.

use jiff::{SignedDuration, Timestamp};
use privatelink_operator::api::{Endpoint, EndpointService, WhitelistEntry};
use serde_json::{Value, json};

use crate::link::{Link, lets_in, offer, tenant, with};
use crate::objects::{id, is_settled, said};
use crate::past::{PROVIDER, calls};

const ALLOW: &str = "AddUserToVpcEndpointService";
const DISALLOW: &str = "RemoveUserFromVpcEndpointService";
const ACCEPT: &str = "EnableVpcEndpointConnection";
const CUT: &str = "DisableVpcEndpointConnection";
const DETACH: &str = "DetachResourceFromVpcEndpointService";
const DELETE: &str = "DeleteVpcEndpointService";
const PAUSED: &str = "privatelink.dev/paused";

/// An entry of the consumer that accepts, with these fields too.
fn accepting(fields: Value) -> Value {
    with(lets_in(json!({"connections": {"action": "Accept"}})), fields)
}

/// A service, a tenant of it with these fields, and the tenant's endpoint, which is connected.
async fn connected(what: &str, fields: Value) -> (Link, EndpointService, Endpoint) {
    let mut link = Link::start(what).await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &accepting(fields)).await;
    let endpoint = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    link.entries.becomes("tenant", "settled", is_settled).await;
    link.spent();
    (link, service, endpoint)
}

/// The provider's calls after this one, each with the wall's time at which it came.
fn calls_since(link: &Link, sequence: u64) -> Vec<(String, Timestamp)> {
    link.operator.sim.with(|cloud| {
        // The world's time runs by a multiple of the wall's.
        let (world, wall) = (cloud.clock.now(), cloud.clock.wall());
        let scale = f64::from(crate::operator::TIME_SCALE);
        let came = |at: Timestamp| {
            let before = SignedDuration::from_secs_f64((world - at).total(jiff::Unit::Second).expect("a time") / scale);
            wall - before
        };
        let all = cloud.journal.calls().filter(|call| call.sequence > sequence && call.account == PROVIDER.account.0);
        all.map(|call| (call.action.clone(), came(call.at))).collect()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_time_is_over_is_let_out_at_that_time_without_anybody_asking_before() {
    for (revocation, expected, state) in
        [("Disconnect", &[DISALLOW, CUT][..], "Disconnected"), ("KeepConnections", &[DISALLOW], "Connected")]
    {
        let what = format!("expires {}", revocation.to_lowercase());
        let (mut link, _, endpoint) = connected(&what, json!({"revocation": revocation})).await;
        let end = Timestamp::now() + SignedDuration::from_secs(6);
        let end = end - SignedDuration::from_nanos(end.subsec_nanosecond().into());
        let entry = accepting(json!({"revocation": revocation, "expiresAt": end.to_string()}));
        link.entries.settled("tenant", &entry).await;
        let sequence = link.operator.sim.with(|cloud| cloud.journal.next_sequence() - 1);
        assert!(Timestamp::now() < end, "there is time left to be seen to pass");

        link.entries.says("tenant", "Expired").await;
        let over = |one: &WhitelistEntry| {
            let why = |condition| said(one, condition).map(|(status, why, _)| (status, why));
            (why("Ready"), why("Stalled")) == (Some(("False", "Expired")), Some(("True", "Expired")))
        };
        let entry = link.entries.becomes("tenant", "over", over).await;
        assert_eq!(entry.status.expect("a status").allowed, Some(false));
        let came = calls_since(&link, sequence);
        let (action, at) = came.first().expect("it is let out");
        assert_eq!(action, DISALLOW, "nobody looks before: {came:?}");
        let late = at.duration_since(end);
        println!("{what}: let out {:.3} s after its time", late.as_secs_f64());
        assert!(!late.is_negative() && late <= SignedDuration::from_secs(2), "{late:?} after its time");
        assert_eq!(link.actions(), expected);
        assert_eq!(link.state_of(id(&endpoint)), state);

        // More time: it is let in again, and what we have cut is connected again.
        link.entries.apply("tenant", &accepting(json!({"revocation": revocation}))).await;
        link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
        link.entries.becomes("tenant", "settled", is_settled).await;
        let again = if state == "Connected" { calls([(ALLOW, 1)]) } else { calls([(ALLOW, 1), (ACCEPT, 1)]) };
        assert_eq!(link.spent(), again);
        link.consumer.goes("db").await;
        link.entries.goes("tenant").await;
        link.provider.goes("gateway").await;
        link.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_retains_goes_without_a_call() {
    let (mut link, _, endpoint) =
        connected("retains", json!({"revocation": "Disconnect", "deletionPolicy": "Retain"})).await;
    link.entries.goes("tenant").await;
    assert_eq!(link.spent(), calls([]));
    assert_eq!((link.listed().len(), link.state_of(id(&endpoint))), (1, "Connected".to_owned()));
    let note = link.operator.tells(&link.entries.namespace, "tenant", "Released").await;
    assert_eq!(note, "1002000000000002 stays on the list, as deletionPolicy: Retain asks");
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_paused_holds_for_its_entries_until_it_is_not() {
    let (mut link, service, endpoint) = connected("parent paused", json!({"revocation": "Disconnect"})).await;
    link.provider.annotate("gateway", PAUSED, Some("true")).await;
    let message = link.entries.says("tenant", "Paused").await;
    assert_eq!(
        message,
        format!("the EndpointService of {} is paused: nothing is changed until it is not", id(&service))
    );
    link.entries.apply("tenant", &lets_in(json!({"connections": {"action": "Reject"}}))).await;
    link.entries.says("tenant", "Paused").await;
    link.entries.apply("tenant", &accepting(json!({"revocation": "Disconnect"}))).await;
    link.entries.delete("tenant").await;
    let waits = |one: &WhitelistEntry| {
        said(one, "Ready").is_some_and(|(_, why, message)| why == "Paused" && message.contains("deletion waits"))
    };
    link.entries.becomes("tenant", "waiting to go", waits).await;
    assert_eq!((link.spent(), link.state_of(id(&endpoint))), (calls([]), "Connected".to_owned()));

    link.provider.annotate("gateway", PAUSED, None).await;
    link.entries.is_gone("tenant").await;
    assert_eq!(link.actions(), [DISALLOW, CUT]);
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_paused_itself_changes_nothing_and_does_not_go() {
    let (mut link, _, endpoint) = connected("entry paused", json!({"revocation": "Disconnect"})).await;
    link.entries.annotate("tenant", PAUSED, Some("true")).await;
    link.entries.says("tenant", "Paused").await;
    link.cuts(&endpoint);
    link.entries.delete("tenant").await;
    let waits = |one: &WhitelistEntry| {
        said(one, "Ready").is_some_and(|(_, why, message)| why == "Paused" && message.contains("deletion waits"))
    };
    link.entries.becomes("tenant", "waiting to go", waits).await;
    let paused = |service: &EndpointService| {
        let unclaimed = service.status.iter().flat_map(|status| &status.unclaimed);
        unclaimed.map(|one| one.reason.as_deref()).eq([Some("WhitelistEntry tenant is paused")])
    };
    link.provider.becomes("gateway", "saying who would decide", paused).await;
    assert_eq!((link.spent(), link.listed().len()), (calls([]), 1));
    link.entries.annotate("tenant", PAUSED, None).await;
    link.entries.is_gone("tenant").await;
    assert_eq!(link.actions(), [DISALLOW], "what somebody else has cut is cut already");
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_only_observed_keeps_its_list_as_it_is() {
    let mut link = Link::start("parent observed").await;
    let service = link.offered(&["lb-hot"], false);
    let observed = json!({"adopt": {"id": service}, "managementPolicy": "Observe"});
    link.provider.settled("gateway", &offer(&["f"], observed)).await;
    link.spent();
    link.entries.apply("tenant", &accepting(json!({"revocation": "Disconnect"}))).await;
    let message = link.entries.says("tenant", "ParentNotManaged").await;
    let expected = format!("{service} is observed only: set managementPolicy: Manage on its EndpointService");
    assert_eq!(message, expected);
    let listed = link.listed();
    assert_eq!(listed.len(), 1, "somebody else has put it there");
    link.entries.goes("tenant").await;
    assert_eq!((link.spent(), link.listed()), (calls([]), listed));
    let note = link.operator.tells(&link.entries.namespace, "tenant", "Released").await;
    assert!(note.contains("is observed only, and its list stays as it is"), "{note}");
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_waits_for_its_consumers_accepts_nothing_more_and_leaves_its_entries_free_to_go() {
    let (mut link, service, endpoint) = connected("parent waits", json!({"revocation": "Disconnect"})).await;
    link.provider.delete("gateway").await;
    link.provider.says("gateway", "BlockedByConnections").await;
    let goes = format!("{} is being deleted: nothing is accepted on it any more", id(&service));
    link.entries.says_where("tenant", "WaitingForService", |message| message == goes).await;
    assert_eq!(link.state_of(id(&endpoint)), "Connected", "what serves goes on");
    link.entries.goes("tenant").await;
    assert_eq!((link.spent(), link.listed().len()), (calls([]), 1), "the list goes with the service");
    assert_eq!(link.state_of(id(&endpoint)), "Connected");
    link.consumer.goes("db").await;
    link.provider.is_gone("gateway").await;
    link.spent();
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cuts_its_consumers_goes_and_no_entry_connects_them_again() {
    let (mut link, _, endpoint) = connected("parent rejects", json!({})).await;
    link.provider.settled("gateway", &offer(&["f"], json!({"connectionsOnDelete": "Reject"}))).await;
    link.provider.goes("gateway").await;
    assert_eq!(link.spent(), calls([(CUT, 1), (DETACH, 1), (DELETE, 1)]));
    link.entries
        .says_where("tenant", "WaitingForService", |message| {
            message.contains("there is no EndpointService gateway yet")
        })
        .await;
    assert_eq!(link.state_of(id(&endpoint)), "ServiceDeleted");
    link.entries.goes("tenant").await;
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    link.stop().await;
}
