//! What others do to a service behind its object's back: it is put right when a look shows it, and what was
//! deleted is never made again by itself.

use privatelink_sim::alibaba::name;
use privatelink_sim::world::{
    Call, State,
    call::{ObjectId, ResourceForm, ServiceChange, UntagKeys},
};
use serde_json::{Value, json};

use crate::story::{Story, calls, handled, id, is_settled, said};

fn spec() -> Value {
    json!({
        "resources": [
            {"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"},
            {"id": "lb-hot-g", "type": "CLB", "zone": "cn-hangzhou-g"},
        ],
        "description": "for tenants", "defaultBandwidthMbps": 200, "resourceGroupId": "rg-provider",
        "supportedRegions": ["cn-shanghai"], "tags": {"team": "a"},
    })
}

/// What somebody does.
type Drift = Box<dyn Fn(&State) -> Call>;

fn balancer(state: &State, name: &str) -> ResourceForm {
    ResourceForm { balancer: state.land.balancer_named(name), kind: None, zone: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_drift_is_put_right_by_one_call_when_a_look_is_asked_for() {
    let mut story = Story::start("drift").await;
    let made = story.services.settled("gateway", &spec()).await;
    let service = name::service(id(&made));
    let before = story.the_service();
    story.spent();

    let update =
        move |change: ServiceChange| -> Drift { Box::new(move |_| Call::UpdateService(service, change.clone())) };
    let drifts: [(&str, Drift, &str); 9] = [
        (
            "acceptance",
            update(ServiceChange { auto_accept: Some(true), ..ServiceChange::default() }),
            "UpdateVpcEndpointServiceAttribute",
        ),
        (
            "description",
            update(ServiceChange { description: Some("theirs".into()), ..ServiceChange::default() }),
            "UpdateVpcEndpointServiceAttribute",
        ),
        (
            "bandwidth",
            update(ServiceChange { connect_bandwidth_mbps: Some(500), ..ServiceChange::default() }),
            "UpdateVpcEndpointServiceAttribute",
        ),
        (
            "regions",
            Box::new(move |state| {
                let closed = vec![state.land.region_named("cn-shanghai")];
                Call::UpdateService(service, ServiceChange { close_regions: closed, ..ServiceChange::default() })
            }),
            "UpdateVpcEndpointServiceAttribute",
        ),
        (
            "detached",
            Box::new(move |state| Call::DetachResource(service, balancer(state, "lb-hot-g"))),
            "AttachResourceToVpcEndpointService",
        ),
        (
            "attached",
            Box::new(move |state| Call::AttachResource(service, balancer(state, "lb-spare"))),
            "DetachResourceFromVpcEndpointService",
        ),
        (
            "group",
            Box::new(move |_| Call::ChangeResourceGroup(ObjectId::Service(service), "rg-provider-second".into())),
            "ChangeResourceGroup",
        ),
        (
            "tag",
            Box::new(move |_| Call::Tag(vec![ObjectId::Service(service)], [("team".into(), "b".into())].into())),
            "TagResources",
        ),
        (
            "untagged",
            Box::new(move |_| Call::Untag(vec![ObjectId::Service(service)], UntagKeys::These(vec!["team".into()]))),
            "TagResources",
        ),
    ];
    for (what, drift, remedy) in drifts {
        story.provider(drift);
        assert_ne!(story.the_service(), before, "{what} is a drift");
        let looked = story.services.looks_again("gateway", what).await;
        assert_eq!(story.spent(), calls([(remedy, 1)]), "{what}");
        assert_eq!(story.the_service(), before, "{what}");
        assert_eq!(handled(&looked), Some(what));
    }
    let corrected = story.operator.measured().await[r#"privatelink_drift_corrected_total{kind="EndpointService"}"#];
    assert_eq!(corrected.to_string(), "8", "all but the load balancer that somebody has added");

    // What nobody declared is nobody's drift.
    story.provider(|_| Call::Tag(vec![ObjectId::Service(service)], [("bill".into(), "x".into())].into()));
    story.services.looks_again("gateway", "a tag of others").await;
    assert_eq!(story.spent(), calls([]));
    assert_eq!(story.the_service()["tags"]["bill"], "x");
    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_loses_its_ownership_tags_is_left_alone_until_it_is_given_them_back() {
    let mut story = Story::start("lost tags").await;
    let made = story.services.settled("gateway", &spec()).await;
    let service = name::service(id(&made));
    story.spent();
    let tags = story.operator.sim.with(|cloud| cloud.state().services[&service].tags.clone());
    story.provider(|_| Call::Untag(vec![ObjectId::Service(service)], UntagKeys::All));
    story.services.is_looked_at("gateway", "without tags").await;
    story
        .services
        .says_where("gateway", "OwnershipConflict", |message| {
            message.contains(id(&made)) && message.contains("ownership tags")
        })
        .await;
    assert_eq!(story.spent(), calls([]), "nothing is changed on what is not known to be ours");
    story.provider(|_| Call::Tag(vec![ObjectId::Service(service)], tags));
    story.services.looks_again("gateway", "with them again").await;
    assert_eq!(story.spent(), calls([]));
    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_deleted_behind_its_back_is_made_again_only_when_its_id_is_named() {
    let mut story = Story::start("lost").await;
    // Another that stays: were all known services gone at once, nothing would be concluded from it.
    let other = json!({"resources": [{"id": "lb-third", "type": "CLB", "zone": "cn-hangzhou-f"}]});
    story.services.settled("other", &other).await;
    let made = story.services.settled("gateway", &spec()).await;
    let service = name::service(id(&made));
    story.spent();
    for gone in ["lb-hot", "lb-hot-g"] {
        story.provider(|state| Call::DetachResource(service, balancer(state, gone)));
    }
    story.provider(|_| Call::DeleteService(service));
    assert_eq!(story.services_in_the_cloud(), 1);
    story.services.is_looked_at("gateway", "it is lost").await;
    story
        .services
        .says_where("gateway", "ExternallyDeleted", |message| {
            message.contains(id(&made)) && message.contains("allow-recreate")
        })
        .await;

    // Not by itself: not by a look, not by an edit, not by another id's name.
    story.services.is_looked_at("gateway", "is it still lost").await;
    let mut edited = spec();
    edited["description"] = json!("for all");
    story.services.apply("gateway", &edited).await;
    story.services.annotate("gateway", "privatelink.dev/allow-recreate", Some("epsrv-another")).await;
    story.services.is_looked_at("gateway", "and now").await;
    story.services.says("gateway", "ExternallyDeleted").await;
    assert_eq!(story.spent(), calls([]));
    assert_eq!(story.services_in_the_cloud(), 1);

    story.services.annotate("gateway", "privatelink.dev/allow-recreate", Some(id(&made))).await;
    let again = story.services.becomes("gateway", "made again", is_settled).await;
    assert_ne!(id(&again), id(&made));
    assert_eq!(story.spent().get("CreateVpcEndpointService"), Some(&1));
    assert_eq!(story.services_in_the_cloud(), 2);
    assert_eq!(said(&again, "Stalled"), None);
    // The annotation names what is gone; it does not speak of the new one.
    story.services.looks_again("gateway", "and it stays").await;
    assert_eq!(story.spent().get("CreateVpcEndpointService"), None);
    story.services.goes("gateway").await;
    story.services.goes("other").await;
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_object_of_a_service_deleted_behind_its_back_goes_without_a_call() {
    let mut story = Story::start("lost and deleted").await;
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let made = story.services.settled("gateway", &json!({"resources": resources})).await;
    let service = name::service(id(&made));
    story.spent();
    story.provider(|state| Call::DetachResource(service, balancer(state, "lb-hot")));
    story.provider(|_| Call::DeleteService(service));
    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([]));
    story.stop().await;
}
