//! Taking over an endpoint that exists, looking at one without a write, and leaving one behind.

use std::collections::BTreeMap;

use privatelink_sim::alibaba::name;
use privatelink_sim::world::{
    Answer, Call,
    call::{EndpointChange, EndpointForm, ZoneForm},
};
use serde_json::{Value, json};

use crate::link::{Link, second_tenant, tenant, with};
use crate::objects::{id, is_settled};
use crate::past::calls;
use crate::story::RETAINED;

const TAG: &str = "TagResources";
const UNTAG: &str = "UntagResources";

/// An endpoint that somebody made in the console, with an interface in each of these zones.
fn made_by_hand(link: &Link, service: &str, zones: &[&str]) -> String {
    let service = name::service(service);
    let answer = link.as_consumer(|state| {
        let one = |zone: &&str| {
            let switch = state.land.switch_named(&format!("vsw-tenant-{zone}"));
            ZoneForm { zone: None, switch, ip: None, ipv6: None }
        };
        Call::CreateEndpoint(EndpointForm {
            service,
            service_region: None,
            kind: None,
            vpc: state.land.vpc_named("vpc-tenant"),
            zones: zones.iter().map(one).collect(),
            groups: vec![state.land.group_named("sg-tenant")],
            name: Some("by-hand".into()),
            description: Some("by hand".into()),
            policy: None,
            protected: false,
            ip_version: None,
            zone_affinity: false,
            cross_region_bandwidth_mbps: None,
            resource_group: None,
            tags: BTreeMap::from([("by".into(), "hand".into())]),
        })
    });
    let Answer::Endpoint(made) = answer else { panic!("{answer:?} is no endpoint") };
    name::of_endpoint(made)
}

fn adopts(theirs: &str, service: &str, zones: &[&str], fields: Value) -> Value {
    let adopt = json!({"adopt": {"id": theirs}, "endpointName": "by-hand"});
    with(with(tenant(&json!({"id": service}), zones), adopt), fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_endpoint_gets_our_tags_and_stays_when_its_object_goes() {
    let mut link = Link::start("adopt endpoint").await;
    let service = link.offered(&["lb-hot", "lb-hot-g"], true);
    let theirs = made_by_hand(&link, &service, &["f", "g"]);
    let before = link.the_endpoint();

    // The first look takes nothing away before a person agrees.
    link.consumer.apply("db", &adopts(&theirs, &service, &["f"], json!({}))).await;
    let message = link.consumer.says("db", "AdoptionApprovalNeeded").await;
    for named in ["remove the interface in vsw-tenant-g", "privatelink.dev/adoption-approved", &theirs] {
        assert!(message.contains(named), "{named}: {message}");
    }
    assert_eq!(link.spent(), calls([]));
    assert_eq!(link.the_endpoint(), before);
    let adopted = link.consumer.settled("db", &adopts(&theirs, &service, &["f", "g"], json!({}))).await;
    assert_eq!(id(&adopted), theirs);
    assert_eq!(link.spent(), calls([(TAG, 1)]));
    link.is_true(&adopted);

    // From here on it is as declared, what is taken off the list included.
    link.consumer.settled("db", &adopts(&theirs, &service, &["f"], json!({}))).await;
    assert_eq!(link.spent(), calls([("RemoveZoneFromVpcEndpoint", 1)]));
    link.consumer.settled("db", &adopts(&theirs, &service, &["f", "g"], json!({}))).await;
    assert_eq!(link.spent(), calls([("AddZoneToVpcEndpoint", 1)]));

    link.consumer.goes("db").await;
    assert_eq!(link.spent(), calls([(TAG, 1), (UNTAG, 1)]));
    let mut kept = link.the_endpoint();
    assert_eq!(kept["tags"], json!({"by": "hand", RETAINED: "true"}));
    assert_eq!(kept["connection"]["status"], "Connected");
    for other in ["tags", "zones"] {
        kept[other] = before[other].clone();
    }
    assert_eq!(kept, before);

    // A person agrees beforehand; with deletionPolicy: Delete it goes with its object.
    link.consumer.apply("again", &adopts(&theirs, &service, &["f"], json!({"deletionPolicy": "Delete"}))).await;
    link.consumer.says("again", "AdoptionApprovalNeeded").await;
    link.consumer.annotate("again", "privatelink.dev/adoption-approved", Some(&theirs)).await;
    link.consumer.becomes("again", "settled", is_settled).await;
    assert_eq!(link.spent(), calls([(TAG, 1), (UNTAG, 1), ("RemoveZoneFromVpcEndpoint", 1)]));
    link.consumer.goes("again").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_observed_is_reported_and_never_written_and_what_is_retained_goes_on_serving() {
    let mut link = Link::start("observe endpoint").await;
    let service = link.offered(&["lb-hot", "lb-hot-g"], true);
    let theirs = made_by_hand(&link, &service, &["f"]);
    let before = link.the_endpoint();
    let observes = json!({
        "managementPolicy": "Observe", "adopt": {"id": theirs}, "service": {"id": service}, "vpcId": "vpc-tenant",
        "endpointName": "by-hand",
    });
    let seen = link.consumer.settled("db", &observes).await;
    assert_eq!(id(&seen), theirs);
    link.is_true(&seen);

    // What it would write is said.
    let differs = with(
        adopts(&theirs, &service, &["f", "g"], json!({"managementPolicy": "Observe"})),
        json!({"description": "ours", "tags": {"team": "a"}}),
    );
    link.consumer.apply("db", &differs).await;
    let message = link.consumer.says("db", "Degraded").await;
    for named in ["vsw-tenant-g", "change attributes", "change tags"] {
        assert!(message.contains(named), "{named}: {message}");
    }
    // What others change is seen.
    let endpoint = name::endpoint(&theirs);
    let described = with(observes.clone(), json!({"description": "by hand"}));
    link.consumer.settled("db", &described).await;
    let change = |text: &str| EndpointChange { description: Some(text.into()), ..EndpointChange::default() };
    link.as_consumer(|_| Call::UpdateEndpoint(endpoint, change("theirs")));
    link.consumer.is_looked_at("db", "it was changed").await;
    link.consumer.says("db", "Degraded").await;
    link.as_consumer(|_| Call::UpdateEndpoint(endpoint, change("by hand")));
    link.consumer.goes("db").await;
    assert_eq!(link.spent(), calls([]), "from beginning to end");
    assert_eq!(link.the_endpoint(), before);

    // One of ours that is to be retained goes on serving, and its VPC has no room for another of its service.
    let spec = second_tenant(&json!({"id": service}), &["g"]);
    let ours = link.consumer.settled("cache", &spec).await;
    link.consumer.patch("cache", &json!({"deletionPolicy": "Retain"})).await;
    link.spent();
    link.consumer.goes("cache").await;
    assert_eq!(link.spent(), calls([(TAG, 1), (UNTAG, 1)]));
    let retained = |link: &Link| {
        let world = link.operator.world();
        let kept = world["endpoints"].as_array().expect("endpoints").iter().find(|one| one["id"] == id(&ours));
        kept.expect("it stays").clone()
    };
    let kept = retained(&link);
    assert_eq!((&kept["tags"], &kept["connection"]["status"]), (&json!({RETAINED: "true"}), &json!("Connected")));
    link.consumer.apply("cache", &spec).await;
    link.consumer.says_where("cache", "OwnershipConflict", |message| message.contains("adopt")).await;
    assert_eq!(link.spent(), calls([]));
    let taken = link.consumer.settled("cache", &with(spec, json!({"adopt": {"id": id(&ours)}}))).await;
    assert_eq!(id(&taken), id(&ours));
    assert_eq!(link.spent(), calls([(TAG, 1), (UNTAG, 1)]));
    assert_eq!(retained(&link)["tags"].get(RETAINED), None);
    link.consumer.goes("cache").await;
    assert_eq!(link.endpoints_in_the_cloud(), 2);
    link.stop().await;
}
