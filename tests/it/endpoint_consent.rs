//! What an endpoint needs of others: that its namespace may refer to the service, that its account is on the
//! service's list, that its provider accepts. What is missing is said with its remedy, and once it is there the
//! endpoint goes on.

use serde_json::json;

use crate::link::{Link, gateway, second_tenant, tenant, with};
use crate::objects::{id, is_settled, said};
use crate::past::calls;

const CREATE: &str = "CreateVpcEndpoint";

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_may_not_refer_and_an_account_that_is_not_listed_are_told_what_to_ask_for() {
    let mut link = Link::start("consent").await;
    let service = link.provider.settled("gateway", &gateway(&["f"], "Automatic")).await;
    let service = id(&service).to_owned();
    link.spent();

    // By reference, and by the id that the cloud gave it: neither is a way around the owner.
    let reference = json!({"ref": {"name": "gateway", "namespace": link.provider.namespace}});
    link.consumer.apply("db", &tenant(&reference, &["f"])).await;
    link.consumer.apply("cache", &second_tenant(&json!({"id": service}), &["f"])).await;
    for name in ["db", "cache"] {
        let message = link.consumer.says(name, "ReferenceNotPermitted").await;
        let owner = format!("EndpointService {}/gateway", link.provider.namespace);
        for named in [&owner, &link.consumer.namespace, &"consumerNamespaces".to_owned()] {
            assert!(message.contains(named.as_str()), "{named}: {message}");
        }
    }
    assert_eq!(link.spent(), calls([]), "nothing is made");

    // The owner lets it in, and it goes on by itself; now its account is not on the list.
    let lets_in = json!({"consumerNamespaces": {"from": "Names", "names": [link.consumer.namespace]}});
    link.provider.settled("gateway", &with(gateway(&["f"], "Automatic"), lets_in)).await;
    for name in ["db", "cache"] {
        link.consumer
            .says_where(name, "NotWhitelisted", |message| {
                message.contains("the account to be listed is 1002000000000002")
            })
            .await;
    }
    assert_eq!(link.endpoints_in_the_cloud(), 0);

    // Listed, who asks goes on at once, and who does not a little later.
    link.lists(&service);
    let db = link.consumer.looks_again("db", "it is listed").await;
    link.is_true(&db);
    let cache = link.consumer.becomes("cache", "settled", is_settled).await;
    link.is_true(&cache);
    assert_eq!(link.spent(), calls([(CREATE, 2)]));

    // What was made while the namespace might refer stays as it is, and says that it may not any more.
    link.provider.settled("gateway", &gateway(&["f"], "Automatic")).await;
    link.consumer.says("db", "ReferenceNotPermitted").await;
    assert_eq!(link.endpoints_in_the_cloud(), 2);
    assert_eq!(link.spent(), calls([]));

    // And what was never made goes without a call.
    link.consumer.apply("never", &tenant(&reference, &["f"])).await;
    link.consumer.says("never", "ReferenceNotPermitted").await;
    link.consumer.goes("never").await;
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    link.consumer.goes("cache").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_waits_for_its_provider_and_carries_traffic_once_it_is_accepted() {
    let mut link = Link::start("acceptance").await;
    let service = link.offered(&["lb-hot", "lb-hot-g"], false);
    link.consumer.apply("db", &tenant(&json!({"id": service}), &["f", "g"])).await;
    let message = link.consumer.says("db", "WaitingForAcceptance").await;
    let waiting = link.consumer.api.get("db").await.expect("it is there");
    assert!(message.contains(id(&waiting)) && message.contains("provider"), "{message}");
    assert_eq!(said(&waiting, "Ready").map(|(status, ..)| status), Some("False"));
    assert_eq!(said(&waiting, "Connected").map(|(_, why, _)| why), Some("WaitingForAcceptance"));
    assert_eq!(said(&waiting, "Provisioned").map(|(status, ..)| status), Some("True"));
    let status = waiting.status.as_ref().expect("a status");
    assert_eq!(json!(status.connection), json!("AwaitingAcceptance"));
    link.is_true(&waiting);

    link.accepts(&waiting);
    let accepted = link.consumer.becomes("db", "settled", is_settled).await;
    link.is_true(&accepted);
    assert_eq!(link.spent(), calls([(CREATE, 1)]), "nobody is asked twice");

    // One that nobody accepts goes as well as any other.
    link.consumer.apply("cache", &second_tenant(&json!({"id": service}), &["f"])).await;
    link.consumer.says("cache", "WaitingForAcceptance").await;
    link.consumer.goes("cache").await;
    link.consumer.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_leads_to_another_service_changes_nothing_of_what_is_there() {
    let mut link = Link::start("replaced").await;
    let lets_in = json!({"consumerNamespaces": {"from": "All"}});
    let first = link.provider.settled("gateway", &with(gateway(&["f"], "Automatic"), lets_in.clone())).await;
    link.lists(id(&first));
    let reference = json!({"ref": {"name": "gateway", "namespace": link.provider.namespace}});
    let made = link.consumer.settled("db", &tenant(&reference, &["f"])).await;
    let before = link.the_endpoint();

    // The object of the service goes and leaves it; another of its name makes one of its own.
    link.provider.patch("gateway", &json!({"deletionPolicy": "Retain"})).await;
    link.provider.goes("gateway").await;
    let still = link.consumer.looks_again("db", "there is no such object").await;
    assert_eq!(id(&still), id(&made), "its service is known");
    let spare = json!({"resources": [{"id": "lb-spare", "type": "CLB", "zone": "cn-hangzhou-f"}]});
    let second = link.provider.settled("gateway", &with(spare, lets_in)).await;
    link.spent();
    link.consumer
        .says_where("db", "ServiceReplaced", |message| {
            [id(&first), id(&second), id(&made)].iter().all(|named| message.contains(named))
        })
        .await;
    link.consumer.is_looked_at("db", "and again").await;
    assert_eq!(link.spent(), calls([]));
    assert_eq!(link.the_endpoint(), before);

    link.consumer.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.provider.goes("gateway").await;
    link.stop().await;
}
