//! The story of both sides: an `Endpoint` comes, carries traffic, is changed, and goes, with no call more than that
//! needs.

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, api::DeleteParams};
use privatelink_sim::alibaba::name;
use privatelink_sim::world::{Call, call::EndpointChange};
use serde_json::{Value, json};

use crate::link::{Link, gateway, tenant, with};
use crate::objects::{id, said};
use crate::operator::becomes;
use crate::past::calls;

const CREATE: &str = "CreateVpcEndpoint";
const UPDATE: &str = "UpdateVpcEndpointAttribute";
const ADD_ZONE: &str = "AddZoneToVpcEndpoint";
const REMOVE_ZONE: &str = "RemoveZoneFromVpcEndpoint";
const JOIN: &str = "AttachSecurityGroupToVpcEndpoint";
const LEAVE: &str = "DetachSecurityGroupFromVpcEndpoint";
const DELETE: &str = "DeleteVpcEndpoint";

/// An endpoint in the provider's own VPC.
fn inside(zones: &[&str], group: &str, fields: Value) -> Value {
    let zone = |zone: &&str| json!({"subnetId": format!("vsw-provider-{zone}"), "zone": format!("cn-hangzhou-{zone}")});
    let spec = json!({
        "service": {"ref": {"name": "gateway"}}, "vpcId": "vpc-provider",
        "zones": zones.iter().map(zone).collect::<Vec<_>>(), "securityGroupIds": [group],
    });
    with(spec, fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_made_changed_and_deleted_with_the_fewest_calls() {
    let mut link = Link::in_one_account("endpoint life").await;
    let service = link.provider.settled("gateway", &gateway(&["f", "g", "h"], "Automatic")).await;
    link.lists(id(&service));
    link.spent();

    let made = link.consumer.settled("db", &inside(&["f", "g"], "sg-provider", json!({"tags": {"team": "a"}}))).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    let endpoint = link.the_endpoint();
    let status = made.status.clone().expect("a status");
    assert_eq!(endpoint["id"], id(&made));
    assert_eq!(endpoint["service"], id(&service));
    assert_eq!(endpoint["name"], "db");
    assert_eq!(endpoint["connection"]["status"], "Connected");
    assert_eq!(endpoint["tags"]["team"], "a");
    assert_eq!(endpoint["tags"]["privatelink.dev/name"], "db");
    assert_eq!(endpoint["tags"]["privatelink.dev/namespace"], link.consumer.namespace);
    assert_eq!(status.creation.account_id.as_deref(), Some("1001000000000001"));
    assert_eq!(status.service_id.as_deref(), Some(id(&service)));
    assert_eq!(status.zones.len(), 2);
    link.is_true(&made);
    for condition in ["Ready", "Connected", "ZonesReady", "Provisioned", "Valid"] {
        assert_eq!(said(&made, condition).map(|(status, ..)| status), Some("True"), "{condition}");
    }

    let printed = link.operator.cluster.kubectl(&["get", "ple", "db", "-n", &link.consumer.namespace]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "ENDPOINT-ID", "CONNECTION", "ZONES", "REASON", "AGE"]);
    assert_eq!(lines[1][..6], ["db", "True", id(&made), "Connected", "True", "Ready"]);

    // A zone more, and one less.
    let tags = json!({"tags": {"team": "a"}});
    let wider = link.consumer.settled("db", &inside(&["f", "g", "h"], "sg-provider", tags.clone())).await;
    assert_eq!(link.spent(), calls([(ADD_ZONE, 1)]));
    assert_eq!(wider.status.as_ref().map(|status| status.zones.len()), Some(3));
    link.is_true(&wider);
    let narrower = link.consumer.settled("db", &inside(&["g", "h"], "sg-provider", tags.clone())).await;
    assert_eq!(link.spent(), calls([(REMOVE_ZONE, 1)]));
    assert_eq!(narrower.status.as_ref().map(|status| status.zones.len()), Some(2));
    link.is_true(&narrower);

    // Another security group: it is joined before the other is left, since one must always stay.
    link.consumer.settled("db", &inside(&["g", "h"], "sg-provider-second", tags.clone())).await;
    assert_eq!(link.actions(), [JOIN, LEAVE]);
    assert_eq!(link.the_endpoint()["groups"], json!({"sg-provider-second": "Attached"}));

    // What somebody else changes is put right when it is looked at.
    let described = json!({"tags": {"team": "a"}, "description": "of team a"});
    link.consumer.settled("db", &inside(&["g", "h"], "sg-provider-second", described)).await;
    assert_eq!(link.spent(), calls([(UPDATE, 1)]));
    let ours = name::endpoint(id(&made));
    link.as_provider(|_| {
        Call::UpdateEndpoint(ours, EndpointChange { description: Some("theirs".into()), ..EndpointChange::default() })
    });
    link.consumer.looks_again("db", "it was changed").await;
    assert_eq!(link.spent(), calls([(UPDATE, 1)]));
    assert_eq!(link.the_endpoint()["description"], "of team a");
    link.consumer.looks_again("db", "nothing was changed").await;
    assert_eq!(link.spent(), calls([]));

    // Its interfaces first, then itself; the service after it.
    link.consumer.goes("db").await;
    assert_eq!(link.actions(), [REMOVE_ZONE, REMOVE_ZONE, DELETE]);
    link.provider.goes("gateway").await;
    let world = link.operator.world();
    assert_eq!((&world["services"], &world["endpoints"]), (&json!([]), &json!([])));
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_applied_at_once_and_deleted_at_once_find_each_other_and_end_clean() {
    let mut link = Link::in_one_account("both at once").await;
    // The endpoint first: there is no service yet, and nothing is made.
    link.consumer.apply("db", &inside(&["f"], "sg-provider", json!({}))).await;
    link.consumer
        .says_where("db", "WaitingForService", |message| message.contains("there is no EndpointService gateway"))
        .await;
    assert_eq!(link.spent(), calls([]));
    let service = link.provider.settled("gateway", &gateway(&["f"], "Automatic")).await;
    link.lists(id(&service));
    let made = link.consumer.is_looked_at("db", "it is there now").await;
    let made = match made.status.as_ref().and_then(|status| status.endpoint_id.as_ref()) {
        Some(_) => made,
        None => link.consumer.becomes("db", "settled", crate::objects::is_settled).await,
    };
    assert_eq!(link.spent().get(CREATE), Some(&1));

    // The service waits for the endpoint, which needs no service to go.
    link.provider.delete("gateway").await;
    link.provider.says("gateway", "BlockedByConnections").await;
    let still = link.consumer.looks_again("db", "its service is being deleted").await;
    assert_eq!(id(&still), id(&made), "what serves goes on");
    link.consumer.goes("db").await;
    link.provider.is_gone("gateway").await;
    let world = link.operator.world();
    assert_eq!((&world["services"], &world["endpoints"]), (&json!([]), &json!([])));
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_both_sides_is_deleted_and_leaves_nothing_in_the_cloud() {
    let mut link = Link::in_one_account("both in a namespace").await;
    let service = link.provider.settled("gateway", &gateway(&["f"], "Automatic")).await;
    link.lists(id(&service));
    link.consumer.settled("db", &inside(&["f"], "sg-provider", json!({}))).await;
    link.spent();

    link.operator.cluster.needs_controller_manager();
    let namespaces = Api::<Namespace>::all(link.operator.admin().await);
    let namespace = link.consumer.namespace.clone();
    namespaces.delete(&namespace, &DeleteParams::default()).await.expect("it is deleted");
    becomes(namespaces, &namespace, "gone", |namespace: Option<&Namespace>| namespace.is_none()).await;
    let world = link.operator.world();
    assert_eq!((&world["services"], &world["endpoints"]), (&json!([]), &json!([])));
    assert_eq!(
        link.actions(),
        [REMOVE_ZONE, DELETE, "DetachResourceFromVpcEndpointService", "DeleteVpcEndpointService"]
    );
    let bad: Vec<Value> =
        link.operator.log().into_iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_gives_way_to_another_of_its_zone_and_the_last_one_stays_until_then() {
    let mut link = Link::start("give way").await;
    let service = link.offered(&["lb-hot", "lb-hot-g"], true);
    let first = link.consumer.settled("db", &tenant(&json!({"id": service}), &["f"])).await;
    link.spent();

    // All that there are go, and others come: the new ones first.
    let moved = link.consumer.settled("db", &tenant(&json!({"id": service}), &["g"])).await;
    assert_eq!(link.actions(), [ADD_ZONE, REMOVE_ZONE]);
    assert_eq!(id(&moved), id(&first));
    link.is_true(&moved);

    // An address of the consumer's choice: the item is removed and added again.
    link.consumer.settled("db", &tenant(&json!({"id": service}), &["f", "g"])).await;
    link.consumer.settled("db", &tenant(&json!({"id": service}), &["g"])).await;
    link.spent();
    let mut chosen = tenant(&json!({"id": service}), &["f", "g"]);
    chosen["zones"][0]["ip"] = json!("192.168.1.77");
    let chosen = link.consumer.settled("db", &chosen).await;
    assert_eq!(link.spent(), calls([(ADD_ZONE, 1)]));
    assert_eq!(chosen.status.as_ref().and_then(|status| status.zones[0].ip.as_deref()), Some("192.168.1.77"));
    link.is_true(&chosen);
    link.consumer.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}
