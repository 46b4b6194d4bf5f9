//! What others do to an endpoint behind its object's back: what carries traffic is called ready, what does not is
//! told why, and what was deleted is never made again by itself.

use privatelink_sim::alibaba::name;
use privatelink_sim::world::{
    Call, State,
    call::{EndpointChange, ObjectId, ResourceForm, UntagKeys},
};
use serde_json::json;

use crate::link::{Link, gateway, second_tenant, tenant, with};
use crate::objects::{id, is_settled, said};
use crate::past::calls;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_cuts_is_said_and_what_it_connects_again_serves_again() {
    let mut link = Link::start("provider cuts").await;
    let lets_in = json!({"consumerNamespaces": {"from": "All"}});
    let service = link.provider.settled("gateway", &with(gateway(&["f", "g"], "Manual"), lets_in)).await;
    link.lists(id(&service));
    let reference = json!({"ref": {"name": "gateway", "namespace": link.provider.namespace}});
    link.consumer.apply("db", &tenant(&reference, &["f", "g"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let made = link.consumer.api.get("db").await.expect("it is there");
    link.accepts(&made);
    link.consumer.becomes("db", "settled", is_settled).await;
    link.provider.looks_again("gateway", "it is accepted").await;
    link.spent();

    // No list of endpoints shows one zone; the provider's own side does, and its look is enough for both.
    link.cuts_zone(&made, "cn-hangzhou-g");
    link.provider.looks_again("gateway", "a zone is cut").await;
    link.consumer.says("db", "Degraded").await;
    let degraded = link.consumer.api.get("db").await.expect("it is there");
    let (truth, _, message) = said(&degraded, "Ready").expect("it is said");
    assert_eq!(truth, "True", "one zone serves");
    assert!(message.contains("cn-hangzhou-g") && message.contains("provider"), "{message}");
    assert_eq!(
        said(&degraded, "ZonesReady").map(|(status, why, _)| (status, why)),
        Some(("False", "RejectedByProvider"))
    );
    link.connects_zone(&made, "cn-hangzhou-g");
    link.provider.looks_again("gateway", "it is connected again").await;
    let whole =
        |one: &privatelink_operator::api::Endpoint| said(one, "Ready").is_some_and(|(_, why, _)| why == "Ready");
    link.consumer.becomes("db", "whole again", whole).await;

    link.cuts(&made);
    link.provider.looks_again("gateway", "all is cut").await;
    link.consumer
        .says_where("db", "RejectedByProvider", |message| {
            message.contains(id(&made)) && message.contains("ask the provider")
        })
        .await;
    let cut = link.consumer.api.get("db").await.expect("it is there");
    assert_eq!(said(&cut, "Stalled").map(|(_, why, _)| why), Some("RejectedByProvider"));
    link.accepts(&made);
    link.provider.looks_again("gateway", "accepted again").await;
    let again = link.consumer.becomes("db", "settled", is_settled).await;
    assert_eq!(said(&again, "Stalled"), None);
    assert_eq!(link.spent(), calls([]), "from beginning to end nothing was called");

    link.consumer.goes("db").await;
    link.provider.is_looked_at("gateway", "it has left").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_whose_service_is_deleted_says_that_it_leads_nowhere() {
    let mut link = Link::start("service deleted").await;
    let service = link.offered(&["lb-hot"], true);
    let made = link.consumer.settled("db", &tenant(&json!({"id": service}), &["f"])).await;
    link.spent();
    link.cuts(&made);
    let gone = name::service(&service);
    link.as_provider(|state| {
        let balancer = state.land.balancer_named("lb-hot");
        Call::DetachResource(gone, ResourceForm { balancer, kind: None, zone: None })
    });
    link.as_provider(|_| Call::DeleteService(gone));
    link.consumer.is_looked_at("db", "its service is gone").await;
    link.consumer
        .says_where("db", "ReferenceNotFound", |message| {
            message.contains(id(&made)) && message.contains("delete this object")
        })
        .await;
    let lost = link.consumer.api.get("db").await.expect("it is there");
    assert_eq!(said(&lost, "Connected").map(|(status, ..)| status), Some("False"));
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

/// What somebody does.
type Drift = Box<dyn Fn(&State) -> Call>;

#[tokio::test(flavor = "multi_thread")]
async fn each_drift_is_put_right_by_one_call_when_a_look_is_asked_for() {
    let mut link = Link::start("endpoint drift").await;
    let service = link.offered(&["lb-hot", "lb-hot-g"], true);
    let fields = json!({
        "description": "of team a", "resourceGroupId": "rg-consumer", "zoneAffinity": true, "tags": {"team": "a"},
    });
    let made = link.consumer.settled("db", &with(tenant(&json!({"id": service}), &["f", "g"]), fields)).await;
    let endpoint = name::endpoint(id(&made));
    let interfaces = |story: &Link| story.the_endpoint()["zones"].as_array().map(Vec::len);
    let before = link.the_endpoint();
    link.spent();

    let update =
        move |change: EndpointChange| -> Drift { Box::new(move |_| Call::UpdateEndpoint(endpoint, change.clone())) };
    let drifts: [(&str, Drift, &str); 8] = [
        (
            "name",
            update(EndpointChange { name: Some("theirs".into()), ..EndpointChange::default() }),
            "UpdateVpcEndpointAttribute",
        ),
        (
            "description",
            update(EndpointChange { description: Some("theirs".into()), ..EndpointChange::default() }),
            "UpdateVpcEndpointAttribute",
        ),
        (
            "affinity",
            update(EndpointChange { zone_affinity: Some(false), ..EndpointChange::default() }),
            "UpdateVpcEndpointAttribute",
        ),
        (
            "group joined",
            Box::new(move |state| Call::AttachGroup(endpoint, state.land.group_named("sg-tenant-second"))),
            "DetachSecurityGroupFromVpcEndpoint",
        ),
        (
            "resource group",
            Box::new(move |_| Call::ChangeResourceGroup(ObjectId::Endpoint(endpoint), "rg-consumer-second".into())),
            "ChangeResourceGroup",
        ),
        (
            "tag",
            Box::new(move |_| Call::Tag(vec![ObjectId::Endpoint(endpoint)], [("team".into(), "b".into())].into())),
            "TagResources",
        ),
        (
            "untagged",
            Box::new(move |_| Call::Untag(vec![ObjectId::Endpoint(endpoint)], UntagKeys::These(vec!["team".into()]))),
            "TagResources",
        ),
        (
            "zone removed",
            Box::new(move |state| Call::RemoveZone(endpoint, state.land.zone_named("cn-hangzhou-g"))),
            "AddZoneToVpcEndpoint",
        ),
    ];
    for (what, drift, remedy) in drifts {
        link.as_consumer(drift);
        let drifted = link.the_endpoint();
        assert_ne!(drifted, before, "{what} is a drift");
        let looked = link.consumer.looks_again("db", what).await;
        assert_eq!(link.spent(), calls([(remedy, 1)]), "{what}");
        link.is_true(&looked);
        let mut after = link.the_endpoint();
        assert_eq!(interfaces(&link), Some(2), "{what}");
        // An interface that is made again is another one.
        after["zones"] = before["zones"].clone();
        assert_eq!(after, before, "{what}");
    }

    // What nobody declared is nobody's drift.
    link.as_consumer(|_| Call::Tag(vec![ObjectId::Endpoint(endpoint)], [("bill".into(), "x".into())].into()));
    link.consumer.looks_again("db", "a tag of others").await;
    assert_eq!(link.spent(), calls([]));

    // Without our tags it is left alone until it is given them back.
    let tags = link.operator.sim.with(|cloud| cloud.state().endpoints[&endpoint].tags.clone());
    link.as_consumer(|_| Call::Untag(vec![ObjectId::Endpoint(endpoint)], UntagKeys::All));
    link.consumer.is_looked_at("db", "without tags").await;
    link.consumer
        .says_where("db", "OwnershipConflict", |message| {
            message.contains(id(&made)) && message.contains("ownership tags")
        })
        .await;
    assert_eq!(link.spent(), calls([]), "nothing is changed on what is not known to be ours");
    link.as_consumer(|_| Call::Tag(vec![ObjectId::Endpoint(endpoint)], tags));
    link.consumer.looks_again("db", "with them again").await;
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_deleted_behind_its_back_is_made_again_only_when_its_id_is_named() {
    let mut link = Link::start("endpoint lost").await;
    let service = link.offered(&["lb-hot"], true);
    let spec = tenant(&json!({"id": service}), &["f"]);
    // Others that stay: were all known endpoints gone at once, nothing would be concluded from it.
    let stays = link.offered(&["lb-spare"], true);
    link.consumer.apply("other", &tenant(&json!({"id": stays}), &["f"])).await;
    link.consumer.apply("db", &spec).await;
    link.consumer.apply("cache", &second_tenant(&json!({"id": service}), &["f"])).await;
    for name in ["other", "cache"] {
        link.consumer.becomes(name, "settled", is_settled).await;
    }
    let made = link.consumer.becomes("db", "settled", is_settled).await;
    let cache = link.consumer.api.get("cache").await.expect("it is there");
    link.spent();
    link.loses(&made);
    link.loses(&cache);
    assert_eq!(link.endpoints_in_the_cloud(), 1);
    link.consumer.is_looked_at("db", "it is lost").await;
    link.consumer
        .says_where("db", "ExternallyDeleted", |message| {
            message.contains(id(&made)) && message.contains("allow-recreate")
        })
        .await;
    let lost = link.consumer.api.get("db").await.expect("it is there");
    for condition in ["Ready", "Connected", "ZonesReady"] {
        assert_eq!(said(&lost, condition).map(|(status, ..)| status), Some("False"), "{condition}");
    }

    // Not by itself: not by a look, not by an edit, not by another id's name.
    link.consumer.apply("db", &with(spec.clone(), json!({"description": "for all"}))).await;
    link.consumer.annotate("db", "privatelink.dev/allow-recreate", Some("ep-another")).await;
    link.consumer.is_looked_at("db", "and now").await;
    link.consumer.says("db", "ExternallyDeleted").await;
    assert_eq!(link.spent(), calls([]));
    // The object of one that was lost goes without a call.
    link.consumer.goes("cache").await;
    assert_eq!(link.spent(), calls([]));

    link.consumer.annotate("db", "privatelink.dev/allow-recreate", Some(id(&made))).await;
    let again = link.consumer.becomes("db", "made again", is_settled).await;
    assert_ne!(id(&again), id(&made));
    link.is_true(&again);
    assert_eq!(link.spent(), calls([("CreateVpcEndpoint", 1)]));
    assert_eq!(said(&again, "Stalled"), None);
    link.consumer.looks_again("db", "and it stays").await;
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("db").await;
    link.consumer.goes("other").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}
