//! The stories of a provider and its tenants: a tenant is let in before or after its endpoint comes, carries traffic
//! with the bandwidth that was declared, and is let out, with no call more than that needs.

use privatelink_operator::api::WhitelistEntry;
use privatelink_sim::fixture::{BUILT_IN, Fixture};
use serde_json::json;

use crate::link::{Link, counted, lets_in, of_connection, offer, tenant, with};
use crate::objects::{id, is_settled, said};
use crate::past::{CONSUMER, calls};

const ALLOW: &str = "AddUserToVpcEndpointService";
const DISALLOW: &str = "RemoveUserFromVpcEndpointService";
const ACCEPT: &str = "EnableVpcEndpointConnection";
const CUT: &str = "DisableVpcEndpointConnection";
const SET: &str = "UpdateVpcEndpointConnectionAttribute";
const PICK: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
const CREATE: &str = "CreateVpcEndpoint";

/// The entry has let one connection in, and says so.
fn carries_one(entry: &WhitelistEntry) -> bool {
    is_settled(entry) && counted(entry) == Some([1, 1, 0, 0, 0])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_let_in_before_it_comes_is_accepted_once_and_let_out_list_first() {
    let mut link = Link::start("tenant first").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({"payer": "Provider"}))).await;
    link.spent();

    let entry = lets_in(json!({"connections": {"action": "Accept"}, "revocation": "Disconnect"}));
    let entry = link.entries.settled("tenant", &entry).await;
    assert_eq!(link.spent(), calls([(ALLOW, 1)]));
    assert_eq!(said(&entry, "Ready").map(|(_, why, _)| why), Some("WaitingForConsumer"));
    assert_eq!(said(&entry, "Allowed").map(|(status, ..)| status), Some("True"));
    let status = entry.status.as_ref().expect("a status");
    assert_eq!((status.allowed, json!(status.claim)), (Some(true), json!("Held")));
    assert_eq!(link.listed(), [CONSUMER.account.0.to_string()]);

    // The tenant has nothing of the provider's but the id of its service.
    let endpoint = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.is_true(&endpoint);
    let accepted = link.entries.becomes("tenant", "carrying one", carries_one).await;
    assert_eq!(link.spent(), calls([(CREATE, 1), (ACCEPT, 1)]));
    let connection = of_connection(&accepted, id(&endpoint)).expect("it is shown");
    assert_eq!((json!(connection.decision), json!(connection.state)), (json!("Accept"), json!("Connected")));
    assert_eq!(connection.reason.as_deref(), Some("it is connected"));
    assert_eq!(connection.vpc_id.as_deref(), Some("vpc-tenant"));
    assert_eq!(connection.zones.len(), 1);
    assert_eq!(connection.zones[0].resource_id.as_deref(), Some("lb-hot"));
    let printed = link.operator.cluster.kubectl(&["get", "plw", "tenant", "-n", &link.entries.namespace]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "PRINCIPAL", "SERVICE", "CONNECTED", "AWAITING", "REASON", "AGE"]);
    assert_eq!(lines[1][..7], ["tenant", "True", "1002000000000002", "gateway", "1", "0", "Ready"]);
    let served = link.provider.looks_again("gateway", "a tenant has come").await;
    assert_eq!(served.status.expect("a status").unclaimed, []);

    link.deletes_by_hand("tenant").await;
    assert_eq!(link.actions(), [DISALLOW, CUT], "off the list before it is cut, or it could come back");
    assert_eq!(link.listed(), [] as [&str; 0]);
    assert_eq!(link.state_of(id(&endpoint)), "Disconnected");
    link.consumer.says("db", "RejectedByProvider").await;
    // Whoever comes again is not let in.
    link.consumer.goes("db").await;
    link.spent();
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.consumer.says_where("db", "NotWhitelisted", |message| message.contains("1002000000000002")).await;
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_has_come_already_gets_in_with_its_bandwidth_once_an_entry_names_it() {
    let mut link = Link::start("tenant after").await;
    link.provider.settled("gateway", &offer(&["f", "g"], json!({"defaultBandwidthMbps": 1_024}))).await;
    let reference = json!({"ref": {"name": "gateway", "namespace": link.provider.namespace}});
    link.consumer.apply("db", &tenant(&reference, &["f", "g"])).await;
    link.consumer.says("db", "NotWhitelisted").await;
    link.spent();

    let fast = |fields| lets_in(json!({"connections": with(json!({"action": "Accept"}), fields)}));
    link.entries.settled("tenant", &fast(json!({"bandwidthMbps": 200}))).await;
    let endpoint = link.consumer.becomes("db", "settled", is_settled).await;
    link.is_true(&endpoint);
    assert_eq!(endpoint.status.as_ref().map(|status| status.zones.len()), Some(2));
    let entry = link.entries.becomes("tenant", "carrying one", carries_one).await;
    let connection = of_connection(&entry, id(&endpoint)).expect("it is shown");
    assert_eq!(connection.bandwidth_mbps, Some(200));
    assert_eq!(connection.zones.len(), 2);
    assert_eq!(link.spent(), calls([(ALLOW, 1), (CREATE, 1), (ACCEPT, 1)]), "the bandwidth is set as it is accepted");
    assert_eq!(link.the_endpoint()["connection"]["bandwidthMbps"], 200);

    // Another bandwidth, and none: then it has the service's own again.
    for (fields, mbps) in [(json!({"bandwidthMbps": 300}), 300), (json!({}), 1_024)] {
        link.entries.apply("tenant", &fast(fields)).await;
        let has = |one: &WhitelistEntry| {
            carries_one(one) && of_connection(one, id(&endpoint)).is_some_and(|one| one.bandwidth_mbps == Some(mbps))
        };
        link.entries.becomes("tenant", &format!("at {mbps}"), has).await;
        assert_eq!(link.spent(), calls([(SET, 1)]));
        assert_eq!(link.the_endpoint()["connection"]["bandwidthMbps"], mbps);
    }
    link.entries.looks_again("tenant", "nothing was changed").await;
    assert_eq!(link.spent(), calls([]));

    link.entries.goes("tenant").await;
    assert_eq!(link.spent(), calls([(DISALLOW, 1)]));
    assert_eq!(link.state_of(id(&endpoint)), "Connected", "connections are kept where nothing else is asked for");
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nobody_decides_on_is_shown_at_the_service_until_an_entry_names_its_account() {
    let mut link = Link::start("unclaimed").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.lists(id(&service));
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let unclaimed = |reason: &'static str| {
        move |service: &privatelink_operator::api::EndpointService| {
            let all = service.status.iter().flat_map(|status| &status.unclaimed);
            let told: Vec<_> = all.map(|one| (one.owner.as_deref(), one.reason.as_deref())).collect();
            told == [(Some("1002000000000002"), Some(reason))]
        }
    };
    let nobody = "no WhitelistEntry of this service names account 1002000000000002";
    link.provider.becomes("gateway", nobody, unclaimed(nobody)).await;

    // An entry that only lists leaves it to others, and that is said too.
    link.spent();
    let listed = link.entries.settled("tenant", &lets_in(json!({}))).await;
    assert_eq!(said(&listed, "Ready").map(|(_, why, _)| why), Some("Ready"));
    let endpoint = link.the_endpoint()["id"].as_str().expect("an id").to_owned();
    let left = link.decides("tenant", &endpoint, "Leave", "AwaitingAcceptance").await;
    assert_eq!(left.reason.as_deref(), Some("connections.action is Leave"));
    let entry = link.entries.api.get("tenant").await.expect("it is there");
    assert_eq!(counted(&entry), Some([1, 0, 1, 0, 0]));
    let leaves = "WhitelistEntry tenant leaves its connections to others: set connections.action";
    link.provider.becomes("gateway", leaves, unclaimed(leaves)).await;
    assert_eq!(link.spent(), calls([]), "whom somebody else has listed is listed");

    link.entries.apply("tenant", &lets_in(json!({"connections": {"action": "Accept"}}))).await;
    link.decides("tenant", &endpoint, "Accept", "Connected").await;
    link.consumer.becomes("db", "settled", is_settled).await;
    assert_eq!(link.spent(), calls([(ACCEPT, 1)]));
    let claimed = |service: &privatelink_operator::api::EndpointService| {
        service.status.as_ref().is_some_and(|status| status.unclaimed.is_empty())
    };
    link.provider.becomes("gateway", "claimed", claimed).await;

    link.entries.goes("tenant").await;
    assert_eq!(link.spent(), calls([(DISALLOW, 1)]));
    link.provider.becomes("gateway", nobody, unclaimed(nobody)).await;
    link.consumer.goes("db").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

/// The built-in world, in which accepting alone picks load balancers or does not.
fn world(picks: bool) -> Fixture {
    Fixture::parse(&format!("{BUILT_IN}\nvariants: {{autoAssignOnEnable: '{picks}'}}\n")).expect("a world")
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_are_picked_by_the_cloud_whether_accepting_alone_does_so_or_not() {
    for (picks, expected) in
        [(true, calls([(CREATE, 1), (ACCEPT, 1)])), (false, calls([(CREATE, 1), (PICK, 2), (ACCEPT, 1)]))]
    {
        let mut link = Link::start_with(&format!("picks {picks}"), world(picks)).await;
        let service = link.provider.settled("gateway", &offer(&["f", "g"], json!({}))).await;
        let entry = lets_in(json!({"connections": {"action": "Accept", "assignment": "Automatic"}}));
        link.entries.settled("tenant", &entry).await;
        link.spent();
        let endpoint = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f", "g"])).await;
        link.is_true(&endpoint);
        let accepted = link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
        let served: Vec<_> = accepted.zones.iter().map(|zone| zone.resource_id.as_deref()).collect();
        assert_eq!(served, [Some("lb-hot"), Some("lb-hot-g")], "picks: {picks}");
        assert_eq!(link.spent(), expected, "picks: {picks}");
        assert_eq!(link.operator.asked_for(ACCEPT), if picks { 1 } else { 2 }, "refused once at most");
        link.consumer.goes("db").await;
        link.entries.goes("tenant").await;
        link.provider.goes("gateway").await;
        link.stop().await;
    }
}
