//! Taking over a service that exists, looking at one without a write, and leaving one behind.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use privatelink_operator::api::CloudAccount;
use privatelink_sim::alibaba::name;
use privatelink_sim::world::{
    Answer, Call,
    call::{ResourceForm, ServiceChange, ServiceForm},
};
use serde_json::{Value, json};

use crate::story::{RETAINED, Story, calls, id, is_settled, said};

/// A service that somebody made in the console, with these load balancers.
fn made_by_hand(story: &Story, balancers: &[&str]) -> String {
    let answer = story.provider(|state| {
        let one = |name: &&str| ResourceForm { balancer: state.land.balancer_named(name), kind: None, zone: None };
        Call::CreateService(ServiceForm {
            resources: balancers.iter().map(one).collect(),
            description: Some("by hand".into()),
            tags: [("by".into(), "hand".into())].into(),
            ..ServiceForm::default()
        })
    });
    let Answer::Service(made) = answer else { panic!("{answer:?} is no service") };
    name::of_service(made)
}

fn adopts(id: &str, balancers: &[(&str, &str)], fields: Value) -> Value {
    let one = |(id, zone): &(&str, &str)| json!({"id": id, "type": "CLB", "zone": zone});
    let mut spec = fields;
    spec["adopt"] = json!({"id": id});
    if !balancers.is_empty() {
        spec["resources"] = balancers.iter().map(one).collect();
    }
    spec
}

const HOT: (&str, &str) = ("lb-hot", "cn-hangzhou-f");
const SPARE: (&str, &str) = ("lb-spare", "cn-hangzhou-f");
const IN_G: (&str, &str) = ("lb-hot-g", "cn-hangzhou-g");

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_service_gets_our_tags_and_stays_when_its_object_goes() {
    let mut story = Story::start("adopt").await;
    let theirs = made_by_hand(&story, &["lb-hot"]);
    let before = story.the_service();
    let adopted = story.services.settled("gateway", &adopts(&theirs, &[HOT], json!({}))).await;
    assert_eq!(id(&adopted), theirs);
    assert_eq!(story.spent(), calls([("TagResources", 1)]));
    let service = story.the_service();
    assert_eq!(service["tags"]["privatelink.dev/name"], "gateway");
    assert_eq!((&service["tags"]["by"], &service["description"]), (&json!("hand"), &json!("by hand")));

    // From here on it is as declared; adding takes nothing away and needs nobody.
    story.services.settled("gateway", &adopts(&theirs, &[HOT, IN_G], json!({"description": "for tenants"}))).await;
    let expected = [("UpdateVpcEndpointServiceAttribute", 1), ("AttachResourceToVpcEndpointService", 1)];
    assert_eq!(story.spent(), calls(expected));
    // Nor does what is taken off the list later: only the first look is careful.
    story.services.settled("gateway", &adopts(&theirs, &[HOT], json!({"description": "by hand"}))).await;
    let expected = [("UpdateVpcEndpointServiceAttribute", 1), ("DetachResourceFromVpcEndpointService", 1)];
    assert_eq!(story.spent(), calls(expected));

    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([("TagResources", 1), ("UntagResources", 1)]));
    let mut kept = story.the_service();
    assert_eq!(
        kept["tags"],
        json!({"by": "hand", RETAINED: "true"}),
        "of ours it has nothing but the word that it stays"
    );
    kept["tags"] = before["tags"].clone();
    assert_eq!(kept, before);

    // Whoever takes it over again takes the word off; with deletionPolicy: Delete it goes.
    story.services.settled("again", &adopts(&theirs, &[HOT], json!({"deletionPolicy": "Delete"}))).await;
    assert_eq!(story.spent(), calls([("TagResources", 1), ("UntagResources", 1)]));
    assert_eq!(story.the_service()["tags"].get(RETAINED), None);
    story.services.goes("again").await;
    assert_eq!(story.services_in_the_cloud(), 0);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_to_be_retained_stays_with_the_word_that_it_was() {
    let mut story = Story::start("retain").await;
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let made = story.services.settled("gateway", &json!({"resources": resources, "tags": {"team": "a"}})).await;
    let connected = story.connected(id(&made));
    story.services.patch("gateway", &json!({"deletionPolicy": "Retain"})).await;
    story.spent();
    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([("TagResources", 1), ("UntagResources", 1)]));
    let kept = story.the_service();
    assert_eq!(kept["id"], id(&made));
    assert_eq!(kept["tags"], json!({"team": "a", RETAINED: "true"}));
    let world = story.operator.world();
    assert_eq!(world["endpoints"][0]["connection"]["status"], "Connected", "{connected:?}");

    // The same name makes a service of its own: what was retained is nobody's.
    let resources = json!([{"id": "lb-spare", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let other = story.services.settled("gateway", &json!({"resources": resources})).await;
    assert_ne!(id(&other), id(&made));
    assert_eq!(story.spent(), calls([("CreateVpcEndpointService", 1)]));
    story.services.goes("gateway").await;
    assert_eq!(story.the_service()["id"], id(&made));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_look_at_an_adopted_service_takes_nothing_away_before_a_person_agrees() {
    let mut story = Story::start("first look").await;
    let theirs = made_by_hand(&story, &["lb-hot", "lb-hot-g"]);
    let before = story.the_service();
    story.services.apply("gateway", &adopts(&theirs, &[HOT, SPARE], json!({"description": "ours"}))).await;
    let message = story.services.says("gateway", "AdoptionApprovalNeeded").await;
    for named in ["detach lb-hot-g", "attach lb-spare", "privatelink.dev/adoption-approved", &theirs] {
        assert!(message.contains(named), "{named}: {message}");
    }
    let waiting = story.services.api.get("gateway").await.expect("it is there");
    assert_eq!(said(&waiting, "Stalled").map(|(_, why, _)| why), Some("AdoptionApprovalNeeded"));
    story.services.annotate("gateway", "privatelink.dev/adoption-approved", Some("epsrv-another")).await;
    story.services.is_looked_at("gateway", "not for another's name").await;
    story.services.says("gateway", "AdoptionApprovalNeeded").await;
    assert_eq!(story.spent(), calls([]));
    assert_eq!(story.the_service(), before);

    story.services.annotate("gateway", "privatelink.dev/adoption-approved", Some(&theirs)).await;
    story.services.becomes("gateway", "settled", is_settled).await;
    let expected = [
        ("TagResources", 1),
        ("UpdateVpcEndpointServiceAttribute", 1),
        ("AttachResourceToVpcEndpointService", 1),
        ("DetachResourceFromVpcEndpointService", 1),
    ];
    assert_eq!(story.spent(), calls(expected));
    let held = story.the_service()["resources"].as_array().expect("resources").len();
    assert_eq!(held, 2);
    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_observed_is_reported_and_never_written() {
    let mut story = Story::start("observe").await;
    let theirs = made_by_hand(&story, &["lb-hot"]);
    let key = story.connected(&theirs);
    let before = story.the_service();
    let observes = |fields: Value| {
        let mut fields = fields;
        fields["managementPolicy"] = json!("Observe");
        fields
    };
    let seen = story.services.settled("gateway", &adopts(&theirs, &[], observes(json!({})))).await;
    let status = seen.status.expect("a status");
    assert_eq!(status.service_id.as_deref(), Some(theirs.as_str()));
    assert_eq!(status.zones, ["cn-hangzhou-f"]);
    assert_eq!(status.connection_counts.map(|counts| (counts.total, counts.connected)), Some((1, 1)), "{key:?}");
    assert_eq!(status.unclaimed.len(), 1);

    // What it would write is said.
    let differs = observes(json!({"description": "ours", "tags": {"team": "a"}, "acceptance": "Automatic"}));
    story.services.apply("gateway", &adopts(&theirs, &[SPARE], differs)).await;
    let message = story.services.says("gateway", "Degraded").await;
    for named in ["attach lb-spare", "lb-hot", "change attributes", "change tags"] {
        assert!(message.contains(named), "{named}: {message}");
    }
    story.services.is_looked_at("gateway", "and again").await;
    // What others change is seen.
    let service = name::service(&theirs);
    story.services.apply("gateway", &adopts(&theirs, &[], observes(json!({"acceptance": "Manual"})))).await;
    story.services.becomes("gateway", "settled", is_settled).await;
    story.provider(|_| {
        Call::UpdateService(service, ServiceChange { auto_accept: Some(true), ..ServiceChange::default() })
    });
    story.services.is_looked_at("gateway", "it was changed").await;
    story.services.says("gateway", "Degraded").await;
    story.provider(|_| {
        Call::UpdateService(service, ServiceChange { auto_accept: Some(false), ..ServiceChange::default() })
    });

    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([]), "from beginning to end");
    assert_eq!(story.the_service(), before);
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_adopts_only_where_the_account_lets_it() {
    let mut story = Story::start("not let in").await;
    let theirs = made_by_hand(&story, &["lb-hot"]);
    let accounts = Api::<CloudAccount>::all(story.operator.admin().await);
    let lets = |names: Value| Patch::Merge(json!({"spec": {"adoption": names}}));
    let parameters = PatchParams::default();
    let none = lets(json!({"from": "None", "names": null}));
    accounts.patch(&story.account, &parameters, &none).await.expect("it is patched");

    story.services.apply("gateway", &adopts(&theirs, &[HOT], json!({}))).await;
    story
        .services
        .says_where("gateway", "AccountNotPermitted", |message| {
            message.contains(&theirs) && message.contains("adoption")
        })
        .await;
    story.services.apply("observer", &adopts(&theirs, &[], json!({"managementPolicy": "Observe"}))).await;
    story.services.says("observer", "AccountNotPermitted").await;
    assert_eq!(story.spent(), calls([]));
    story.services.goes("observer").await;
    assert_eq!(story.spent(), calls([]));

    let ours = lets(json!({"from": "Names", "names": [story.namespace]}));
    accounts.patch(&story.account, &parameters, &ours).await.expect("it is patched");
    story.services.becomes("gateway", "settled", is_settled).await;
    assert_eq!(story.spent(), calls([("TagResources", 1)]));
    // What was adopted while it was let stays so.
    accounts.patch(&story.account, &parameters, &none).await.expect("it is patched");
    story.services.settled("gateway", &adopts(&theirs, &[HOT], json!({"description": "ours"}))).await;
    assert_eq!(story.spent(), calls([("UpdateVpcEndpointServiceAttribute", 1)]));

    // A service that is not there is adopted by nobody, and none is made in its stead.
    accounts.patch(&story.account, &parameters, &ours).await.expect("it is patched");
    story.services.apply("nothing", &adopts("epsrv-nothing", &[SPARE], json!({}))).await;
    story
        .services
        .says_where("nothing", "ReferenceNotFound", |message| message.starts_with("adopt.id: epsrv-nothing"))
        .await;
    story.services.goes("nothing").await;
    assert_eq!(story.spent(), calls([]));
    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_adopt_one_service_the_second_waits_and_takes_over_when_the_first_goes() {
    let mut story = Story::start("two adopt").await;
    let theirs = made_by_hand(&story, &["lb-hot"]);
    story.services.settled("first", &adopts(&theirs, &[HOT], json!({}))).await;
    assert_eq!(story.spent(), calls([("TagResources", 1)]));
    story.services.apply("second", &adopts(&theirs, &[HOT], json!({"description": "of the second"}))).await;
    story
        .services
        .says_where("second", "OwnershipConflict", |message| {
            message.contains(&theirs) && message.contains(&format!("{}/first", story.namespace))
        })
        .await;
    story.services.is_looked_at("second", "still").await;
    story.services.says("second", "OwnershipConflict").await;
    assert_eq!(story.spent(), calls([]));

    story.services.goes("first").await;
    let second = story.services.becomes("second", "settled", is_settled).await;
    assert_eq!(id(&second), theirs);
    let service = story.the_service();
    assert_eq!(service["tags"]["privatelink.dev/name"], "second");
    assert_eq!(service["description"], "of the second");
    assert_eq!(service["resources"].as_array().map(Vec::len), Some(1), "nothing was taken away in between");
    assert_eq!(story.spent().get("DetachResourceFromVpcEndpointService"), None);

    // A service that an object of this cluster made is not adopted by another one.
    let resources = json!([{"id": "lb-spare", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let made = story.services.settled("made", &json!({"resources": resources})).await;
    story.spent();
    story.services.apply("thief", &adopts(id(&made), &[SPARE], json!({}))).await;
    story
        .services
        .says_where("thief", "OwnershipConflict", |message| message.contains(&format!("{}/made", story.namespace)))
        .await;
    story.services.goes("thief").await;
    assert_eq!(story.spent(), calls([]));
    story.services.goes("made").await;
    story.services.goes("second").await;
    story.stop().await;
}
