//! What an entry decides on each connection, as its status tells it: refused and accepted again, in the midst of a
//! change too; filtered, limited, and kept; held after somebody else's cut; handed over; and who is never let in.

use jiff::SignedDuration;
use kube::Api;
use kube::api::{Patch, PatchParams};
use privatelink_operator::api::{CloudAccount, EndpointService, WhitelistEntry};
use privatelink_sim::fixture::Fixture;
use serde_json::{Value, json};

use crate::link::{Link, counted, lets_in, of_connection, offer, second_tenant, tenant, with};
use crate::objects::{id, is_settled, said};
use crate::past::calls;

const ALLOW: &str = "AddUserToVpcEndpointService";
const DISALLOW: &str = "RemoveUserFromVpcEndpointService";
const ACCEPT: &str = "EnableVpcEndpointConnection";
const CUT: &str = "DisableVpcEndpointConnection";

/// An entry of the consumer that accepts, with these fields in `connections` too.
fn accepting(fields: Value) -> Value {
    lets_in(json!({"connections": with(json!({"action": "Accept"}), fields)}))
}

fn rejecting() -> Value {
    lets_in(json!({"connections": {"action": "Reject"}}))
}

/// The service as a tenant names it, who knows its id alone.
fn by_id(service: &EndpointService) -> Value {
    json!({"id": id(service)})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_cut_and_what_is_accepted_again_is_connected_again() {
    let mut link = Link::start("refused").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &accepting(json!({}))).await;
    let endpoint = link.consumer.settled("db", &tenant(&by_id(&service), &["f"])).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    link.spent();

    link.entries.apply("tenant", &rejecting()).await;
    let refused = link.decides("tenant", id(&endpoint), "Reject", "Disconnected").await;
    assert_eq!(refused.reason.as_deref(), Some("it is refused"));
    let entry = link.entries.becomes("tenant", "settled", is_settled).await;
    assert_eq!((counted(&entry), link.spent()), (Some([1, 0, 0, 0, 1]), calls([(CUT, 1)])));
    assert_eq!(link.listed().len(), 1, "it is listed all the same");
    link.consumer.says("db", "RejectedByProvider").await;

    link.entries.apply("tenant", &accepting(json!({}))).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    link.consumer.becomes("db", "settled", is_settled).await;
    assert_eq!(link.spent(), calls([(ACCEPT, 1)]));

    // One that comes while its account is refused is never accepted.
    link.consumer.goes("db").await;
    link.entries.settled("tenant", &rejecting()).await;
    link.spent();
    link.consumer.apply("db", &tenant(&by_id(&service), &["f"])).await;
    link.consumer.says("db", "RejectedByProvider").await;
    assert_eq!(link.spent(), calls([("CreateVpcEndpoint", 1), (CUT, 1)]));
    link.entries.becomes("tenant", "settled", is_settled).await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

/// A world in which what is done to a connection takes longer than any story.
fn slow() -> Fixture {
    let mut world = Fixture::built_in();
    world.durations.connection = SignedDuration::from_hours(24);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mind_that_changes_while_the_cloud_is_at_work_waits_for_it_and_ends_as_declared() {
    let mut link = Link::start_with("mind changes", slow()).await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &accepting(json!({}))).await;
    link.consumer.apply("db", &tenant(&by_id(&service), &["f"])).await;
    let made = link.consumer.becomes("db", "made", |one| one.status.as_ref().is_some_and(|s| s.endpoint_id.is_some()));
    let endpoint = id(&made.await).to_owned();
    link.decides("tenant", &endpoint, "Accept", "Connecting").await;
    link.spent();

    for (entry, decision) in [(rejecting(), "Reject"), (accepting(json!({})), "Accept"), (rejecting(), "Reject")] {
        link.entries.apply("tenant", &entry).await;
        link.decides("tenant", &endpoint, decision, "Connecting").await;
        assert_eq!(link.spent(), calls([]), "{decision}: what moves is waited for");
    }
    link.settles();
    link.decides("tenant", &endpoint, "Reject", "Disconnecting").await;
    assert_eq!(link.spent(), calls([(CUT, 1)]));
    link.entries.apply("tenant", &accepting(json!({}))).await;
    link.decides("tenant", &endpoint, "Accept", "Disconnecting").await;
    assert_eq!(link.spent(), calls([]));
    // What was being cut as it was asked for anew is not somebody else's cut.
    link.settles();
    link.decides("tenant", &endpoint, "Accept", "Connecting").await;
    link.settles();
    link.decides("tenant", &endpoint, "Accept", "Connected").await;
    assert_eq!(link.spent(), calls([(ACCEPT, 1)]));
    link.entries.becomes("tenant", "settled", is_settled).await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_a_limit_decide_who_is_accepted_and_never_cut() {
    let mut link = Link::start("filters").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    let db = async |link: &Link| {
        link.consumer.apply("db", &tenant(&by_id(&service), &["f"])).await;
        link.consumer.says("db", "WaitingForAcceptance").await;
        id(&link.consumer.api.get("db").await.expect("it is there")).to_owned()
    };
    link.entries.settled("tenant", &accepting(json!({"vpcIds": ["vpc-tenant-second"]}))).await;
    let first = db(&link).await;
    let left = link.decides("tenant", &first, "Leave", "AwaitingAcceptance").await;
    assert_eq!(left.reason.as_deref(), Some("connections.vpcIds does not name vpc-tenant"));
    let second = link.consumer.settled("cache", &second_tenant(&by_id(&service), &["f"])).await;
    let second = id(&second).to_owned();
    link.decides("tenant", &second, "Accept", "Connected").await;
    link.entries.becomes("tenant", "settled", is_settled).await;

    link.entries.apply("tenant", &accepting(json!({"endpointIds": [first]}))).await;
    link.decides("tenant", &first, "Accept", "Connected").await;
    let kept = link.decides("tenant", &second, "Kept", "Connected").await;
    let why = format!("connections.endpointIds does not name {second}; it is connected, and filters never cut");
    assert_eq!(kept.reason, Some(why));
    link.entries.becomes("tenant", "settled", is_settled).await;

    // Fewer than there are: all of them stay, and one that comes anew waits until there is room.
    link.entries.settled("tenant", &accepting(json!({"max": 1}))).await;
    for endpoint in [&first, &second] {
        link.decides("tenant", endpoint, "Accept", "Connected").await;
    }
    link.consumer.goes("db").await;
    let again = db(&link).await;
    link.lets_wait("tenant", &again, "connections.max is 1, and so many are connected").await;
    let entry = link.entries.becomes("tenant", "settled", is_settled).await;
    assert_eq!(counted(&entry), Some([2, 1, 1, 0, 0]));
    link.consumer.goes("cache").await;
    link.decides("tenant", &again, "Accept", "Connected").await;
    link.consumer.becomes("db", "settled", is_settled).await;
    let spent = link.spent();
    assert_eq!((spent.get(ACCEPT), spent.get(CUT)), (Some(&3), None), "{spent:?}");
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_has_cut_is_held_until_a_person_asks_or_the_entry_changes() {
    let mut link = Link::start("held").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &accepting(json!({}))).await;
    let endpoint = link.consumer.settled("db", &tenant(&by_id(&service), &["f"])).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    link.spent();

    link.cuts(&endpoint);
    link.provider.looks_again("gateway", "somebody has cut it").await;
    let held = link.decides("tenant", id(&endpoint), "Held", "Disconnected").await;
    assert!(held.reason.expect("a reason").contains("someone else has cut it"));
    link.entries
        .says_where("tenant", "DisconnectedOutside", |message| {
            message.contains(id(&endpoint)) && message.contains("reconcile-requested-at")
        })
        .await;
    let entry = link.entries.api.get("tenant").await.expect("it is there");
    assert_eq!(said(&entry, "Stalled").map(|(status, ..)| status), Some("True"));
    assert_eq!(counted(&entry), Some([1, 0, 0, 1, 0]));
    assert_eq!(entry.status.expect("a status").held, [id(&endpoint)]);
    let note = link.operator.tells(&link.entries.namespace, "tenant", "DisconnectedOutside").await;
    assert!(note.contains(id(&endpoint)), "{note}");

    // Neither a restart nor a look at its service connects it.
    link.operator.kill();
    link.operator.run(&[]).await;
    link.provider.looks_again("gateway", "after a restart").await;
    link.operator.has_looked_at("tenant").await;
    link.decides("tenant", id(&endpoint), "Held", "Disconnected").await;
    assert_eq!(link.spent(), calls([]));

    link.entries.looks_again("tenant", "it may come back").await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    assert_eq!(link.spent(), calls([(ACCEPT, 1)]));
    link.consumer.becomes("db", "settled", is_settled).await;

    link.cuts(&endpoint);
    link.provider.looks_again("gateway", "somebody has cut it again").await;
    link.decides("tenant", id(&endpoint), "Held", "Disconnected").await;
    link.entries.apply("tenant", &with(accepting(json!({})), json!({"description": "it may come back"}))).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    assert_eq!(link.spent(), calls([(ACCEPT, 1)]));
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_entry_of_the_same_account_takes_over_without_a_call() {
    let mut link = Link::start("hand over").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    let older = with(accepting(json!({})), json!({"revocation": "Disconnect"}));
    link.entries.settled("older", &older).await;
    let endpoint = link.consumer.settled("db", &tenant(&by_id(&service), &["f"])).await;
    link.decides("older", id(&endpoint), "Accept", "Connected").await;
    // The same account, as an ARN.
    let newer = with(accepting(json!({})), json!({"principal": "acs:ram:*:1002000000000002"}));
    link.entries.apply("newer", &newer).await;
    link.entries
        .says_where("newer", "OwnershipConflict", |message| {
            message.contains("WhitelistEntry older decides on acs:ram:*:1002000000000002")
        })
        .await;
    let waiting = link.entries.api.get("newer").await.expect("it is there").status.expect("a status");
    assert_eq!((json!(waiting.claim), waiting.connections), (json!("Waiting"), vec![]));
    link.spent();

    link.entries.goes("older").await;
    link.decides("newer", id(&endpoint), "Accept", "Connected").await;
    let newer = link.entries.becomes("newer", "settled", is_settled).await;
    assert_eq!(json!(newer.status.expect("a status").claim), json!("Held"));
    assert_eq!(link.spent(), calls([]));
    assert_eq!((link.operator.asked_for(DISALLOW), link.operator.asked_for(CUT)), (0, 0), "nobody was asked");
    assert_eq!(link.listed(), ["1002000000000002"]);

    // It is taken off in the form in which it stands there.
    link.entries.goes("newer").await;
    assert_eq!((link.spent(), link.listed()), (calls([(DISALLOW, 1)]), vec![]));
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_let_in_only_where_the_account_allows_it_and_whoever_is_named_is_another_matter() {
    let mut link = Link::start("everybody").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.spent();
    let everybody = with(accepting(json!({})), json!({"principal": "acs:ram:*:*"}));
    link.entries.apply("everybody", &everybody).await;
    link.entries
        .says_where("everybody", "AccountNotPermitted", |message| message.contains("allow.wildcardPrincipals"))
        .await;
    assert_eq!(link.spent(), calls([]));

    let accounts = Api::<CloudAccount>::all(link.operator.admin().await);
    let allow = json!({"spec": {"allow": {"wildcardPrincipals": true}}});
    accounts
        .patch(&link.provider.account, &PatchParams::default(), &Patch::Merge(&allow))
        .await
        .expect("it is allowed");
    link.entries.becomes("everybody", "settled", is_settled).await;
    assert_eq!((link.spent(), link.listed()), (calls([(ALLOW, 1)]), vec!["acs:ram:*:*".to_owned()]));
    let endpoint = link.consumer.settled("db", &tenant(&by_id(&service), &["f"])).await;
    link.decides("everybody", id(&endpoint), "Accept", "Connected").await;

    link.entries.apply("tenant", &rejecting()).await;
    link.decides("tenant", id(&endpoint), "Reject", "Disconnected").await;
    let decides_on_none = |one: &WhitelistEntry| is_settled(one) && of_connection(one, id(&endpoint)).is_none();
    link.entries.becomes("everybody", "deciding on nobody", decides_on_none).await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.entries.goes("everybody").await;
    assert_eq!(link.listed(), [] as [&str; 0]);
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_without_a_load_balancer_is_waited_for_by_name_and_accepted_once_it_has_one() {
    let mut link = Link::start("no resource").await;
    let service = link.provider.settled("gateway", &offer(&["f", "g"], json!({}))).await;
    link.entries.settled("tenant", &lets_in(json!({}))).await;
    link.consumer.apply("db", &tenant(&by_id(&service), &["f", "g"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let endpoint = link.the_endpoint()["id"].as_str().expect("an id").to_owned();
    link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.spent();

    link.entries.apply("tenant", &accepting(json!({}))).await;
    let why = "the service has no load balancer with autoAllocate: true in cn-hangzhou-g: add one to spec.resources of the EndpointService";
    link.lets_wait("tenant", &endpoint, why).await;
    let expected = format!("{endpoint}: {why}");
    link.entries.says_where("tenant", "NoResourceInZone", |message| message == expected).await;
    assert_eq!(link.spent(), calls([]));

    link.provider.settled("gateway", &offer(&["f", "g"], json!({}))).await;
    link.decides("tenant", &endpoint, "Accept", "Connected").await;
    link.consumer.becomes("db", "settled", is_settled).await;
    assert_eq!(link.spent().get(ACCEPT), Some(&1));
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}
