//! Every field of an `EndpointService`, set, changed and removed again: each costs the fewest calls and stands
//! in the cloud as the manifest says; what Alibaba Cloud lacks is refused by its name.

use k8s_openapi::api::{
    core::v1::ConfigMap,
    rbac::v1::{ClusterRoleBinding, RoleRef, Subject},
};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use privatelink_sim::fixture::{BUILT_IN, Fixture};
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::operator::apply;
use crate::story::{Story, calls, id, said};

const CREATE: &str = "CreateVpcEndpointService";
const UPDATE: &str = "UpdateVpcEndpointServiceAttribute";
const ATTACH: &str = "AttachResourceToVpcEndpointService";
const DETACH: &str = "DetachResourceFromVpcEndpointService";
const ALLOCATE: &str = "UpdateVpcEndpointServiceResourceAttribute";
const GROUP: &str = "ChangeResourceGroup";
const TAG: &str = "TagResources";
const UNTAG: &str = "UntagResources";

/// A spec with one classic load balancer, and these fields.
fn clb(fields: Value) -> Value {
    with(json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]), fields)
}

fn with(resources: Value, fields: Value) -> Value {
    let mut spec = fields;
    spec["resources"] = resources;
    spec
}

/// The load balancers of a service in the world: id, zone, and whether the cloud may allocate it.
fn attached(service: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let one = |one: &Value| (text(&one["resourceId"]), text(&one["zone"]), one["autoAllocated"] == true);
    let mut all: Vec<_> = service["resources"].as_array().expect("resources").iter().map(one).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_changed_by_one_call_and_returns_to_the_default_when_it_is_removed() {
    let mut story = Story::start("fields").await;
    let made = story.services.settled("gateway", &clb(json!({}))).await;
    assert_eq!(story.spent(), calls([(CREATE, 1)]));
    let id = id(&made).to_owned();

    // What is declared, the one call that it costs, and what the cloud holds then.
    let steps = [
        (json!({"description": "for tenants"}), vec![(UPDATE, 1)], "/description", json!("for tenants")),
        (json!({"description": "for all"}), vec![(UPDATE, 1)], "/description", json!("for all")),
        (json!({}), vec![], "/description", json!("for all")),
        (json!({"acceptance": "Automatic"}), vec![(UPDATE, 1)], "/autoAccept", json!(true)),
        (json!({"acceptance": "Manual"}), vec![(UPDATE, 1)], "/autoAccept", json!(false)),
        (json!({}), vec![], "/autoAccept", json!(false)),
        (json!({"defaultBandwidthMbps": 200}), vec![(UPDATE, 1)], "/connectBandwidthMbps", json!(200)),
        (json!({"defaultBandwidthMbps": 300}), vec![(UPDATE, 1)], "/connectBandwidthMbps", json!(300)),
        (json!({}), vec![(UPDATE, 1)], "/connectBandwidthMbps", json!(3072)),
        (json!({"zoneAffinity": true}), vec![(UPDATE, 1)], "/zoneAffinity", json!(true)),
        (json!({}), vec![(UPDATE, 1)], "/zoneAffinity", json!(false)),
        (json!({"zoneAffinity": false}), vec![], "/zoneAffinity", json!(false)),
        (
            json!({"supportedRegions": ["cn-shanghai"]}),
            vec![(UPDATE, 1)],
            "/consumerRegions",
            json!({"cn-shanghai": "Available"}),
        ),
        (json!({}), vec![(UPDATE, 1)], "/consumerRegions", json!({"cn-shanghai": "Closed"})),
        (json!({"addressFamily": "IPv4"}), vec![], "/ipVersion", json!("IPv4")),
        (
            json!({"resourceGroupId": "rg-provider-second"}),
            vec![(GROUP, 1)],
            "/resourceGroup",
            json!("rg-provider-second"),
        ),
        (json!({}), vec![], "/resourceGroup", json!("rg-provider-second")),
        (json!({"tags": {"team": "a"}}), vec![(TAG, 1)], "/tags/team", json!("a")),
        (json!({"tags": {"team": "b", "cost": "c"}}), vec![(TAG, 1)], "/tags/team", json!("b")),
        (json!({"tags": {"cost": "c"}}), vec![(UNTAG, 1)], "/tags/cost", json!("c")),
        (json!({}), vec![(UNTAG, 1)], "/tags/cost", Value::Null),
        // These speak of this cluster, or of a time to come: the cloud is not told.
        (json!({"consumerNamespaces": {"from": "All"}}), vec![], "/status", json!("Active")),
        (json!({"connectionsOnDelete": "Reject"}), vec![], "/status", json!("Active")),
        (json!({"removal": {"migration": "Wait"}}), vec![], "/status", json!("Active")),
        (json!({"handover": {"notes": "ask us"}}), vec![], "/status", json!("Active")),
        (json!({}), vec![], "/status", json!("Active")),
    ];
    for (fields, expected, path, value) in steps {
        let is = story.services.settled("gateway", &clb(fields.clone())).await;
        let expected = expected.into_iter().map(|(action, count)| (action.to_owned(), count)).collect();
        assert_eq!(story.spent(), expected, "{fields}");
        let service = story.the_service();
        assert_eq!(service.pointer(path).unwrap_or(&Value::Null), &value, "{fields}: {service:#}");
        assert_eq!(service["id"], id.as_str());
        let declared = is.status.expect("a status").common.declared_fields;
        let set = fields.as_object().expect("fields");
        let stays = ["description", "defaultBandwidthMbps", "zoneAffinity", "supportedRegions", "resourceGroupId"];
        for field in stays {
            assert_eq!(declared.iter().any(|one| one == field), set.contains_key(field), "{fields}: {declared:?}");
        }
    }

    story.services.goes("gateway").await;
    assert_eq!(story.spent(), calls([(DETACH, 1), ("DeleteVpcEndpointService", 1)]));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_fields_at_once_are_one_create_and_all_changed_at_once_are_one_call_for_each_kind_of_action() {
    let mut story = Story::start("all fields").await;
    let all = json!({
        "description": "for tenants", "acceptance": "Automatic", "defaultBandwidthMbps": 200, "zoneAffinity": true,
        "payer": "Provider", "addressFamily": "IPv4", "supportedRegions": ["cn-shanghai"],
        "resourceGroupId": "rg-provider-second", "tags": {"team": "a"}, "connectionsOnDelete": "Reject",
    });
    let made = story.services.settled("gateway", &clb(all)).await;
    // A create call has no bandwidth.
    assert_eq!(story.spent(), calls([(CREATE, 1), (UPDATE, 1)]));
    let service = story.the_service();
    assert_eq!(service["description"], "for tenants");
    assert_eq!(service["autoAccept"], true);
    assert_eq!(service["connectBandwidthMbps"], 200);
    assert_eq!(service["zoneAffinity"], true);
    assert_eq!(service["payer"], "EndpointService");
    assert_eq!(service["consumerRegions"], json!({"cn-shanghai": "Available"}));
    assert_eq!(service["resourceGroup"], "rg-provider-second");
    assert_eq!(service["tags"]["team"], "a");

    let printed = story.operator.cluster.kubectl(&["get", "pls", "gateway", "-n", &story.namespace]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "SERVICE-ID", "STATE", "CONNECTED", "AWAITING", "REASON", "AGE"]);
    assert_eq!(lines[1][..7], ["gateway", "True", id(&made), "Active", "0", "0", "Ready"]);

    // What no call can change is refused where it is written.
    let other = json!({"spec": {"payer": "Consumer"}});
    let patch = kube::api::Patch::Merge(&other);
    let refused = story.services.api.patch("gateway", &kube::api::PatchParams::default(), &patch).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("payer is immutable")));

    let changed = json!({
        "description": "for some", "acceptance": "Manual", "defaultBandwidthMbps": 400, "zoneAffinity": false,
        "payer": "Provider", "resourceGroupId": "rg-provider", "tags": {"team": "b"},
    });
    story.services.settled("gateway", &clb(changed)).await;
    assert_eq!(story.spent(), calls([(UPDATE, 1), (GROUP, 1), (TAG, 1)]));
    let service = story.the_service();
    assert_eq!((&service["description"], &service["autoAccept"]), (&json!("for some"), &json!(false)));
    assert_eq!((&service["connectBandwidthMbps"], &service["zoneAffinity"]), (&json!(400), &json!(false)));
    assert_eq!(service["consumerRegions"], json!({"cn-shanghai": "Closed"}));
    assert_eq!((&service["resourceGroup"], &service["tags"]["team"]), (&json!("rg-provider"), &json!("b")));

    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_come_go_and_swap_automatic_allocation_one_call_each() {
    let mut story = Story::start("resources").await;
    let one = |id: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": "cn-hangzhou-f", "autoAllocate": auto});
    let g = json!({"id": "lb-hot-g", "type": "CLB", "zone": "cn-hangzhou-g"});
    let stands = |story: &Story, wanted: &[(&str, &str, bool)]| {
        let wanted: Vec<_> = wanted.iter().map(|(id, zone, auto)| ((*id).into(), (*zone).into(), *auto)).collect();
        assert_eq!(attached(&story.the_service()), wanted);
    };
    let (f, in_g) = ("cn-hangzhou-f", "cn-hangzhou-g");

    story.services.settled("gateway", &with(json!([one("lb-hot", true)]), json!({}))).await;
    assert_eq!(story.spent(), calls([(CREATE, 1)]));
    story.services.settled("gateway", &with(json!([one("lb-hot", true), one("lb-spare", true), g]), json!({}))).await;
    assert_eq!(story.spent(), calls([(ATTACH, 2)]));
    stands(&story, &[("lb-hot", f, true), ("lb-hot-g", in_g, true), ("lb-spare", f, true)]);

    story.services.settled("gateway", &with(json!([one("lb-hot", true), one("lb-spare", false), g]), json!({}))).await;
    assert_eq!(story.spent(), calls([(ALLOCATE, 1)]));
    stands(&story, &[("lb-hot", f, true), ("lb-hot-g", in_g, true), ("lb-spare", f, false)]);
    // The zone keeps one that may be allocated at every moment: one is allowed before the other is forbidden.
    story.services.settled("gateway", &with(json!([one("lb-hot", false), one("lb-spare", true), g]), json!({}))).await;
    assert_eq!(story.spent(), calls([(ALLOCATE, 2)]));
    stands(&story, &[("lb-hot", f, false), ("lb-hot-g", in_g, true), ("lb-spare", f, true)]);

    let left = story.services.settled("gateway", &with(json!([one("lb-spare", true)]), json!({}))).await;
    assert_eq!(story.spent(), calls([(DETACH, 2)]));
    stands(&story, &[("lb-spare", f, true)]);
    assert_eq!(left.status.expect("a status").zones, [f]);
    // All that there were go, and others come: the new ones first.
    story.services.settled("gateway", &with(json!([one("lb-third", true)]), json!({}))).await;
    assert_eq!(story.spent(), calls([(ATTACH, 1), (DETACH, 1)]));
    stands(&story, &[("lb-third", f, true)]);

    story.services.goes("gateway").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_load_balancers_than_a_create_call_takes_are_attached_after_it() {
    let more: Vec<String> = (0..13)
        .map(|at| {
            format!(
                "          - {{id: lb-more-{at}, kind: slb, zones: [cn-hangzhou-f], address: 10.1.1.{}}}\n",
                50 + at
            )
        })
        .collect();
    let place = "          - {id: lb-public,";
    assert!(BUILT_IN.contains(place));
    let world = Fixture::parse(&BUILT_IN.replacen(place, &format!("{}{place}", more.concat()), 1)).expect("a world");
    let mut story = Story::start_with("many resources", world).await;
    let resources: Vec<Value> = (0..13)
        .map(|at| json!({"id": format!("lb-more-{at}"), "type": "CLB", "zone": "cn-hangzhou-f", "autoAllocate": at == 0}))
        .collect();
    let made = story.services.settled("gateway", &with(json!(resources), json!({}))).await;
    assert_eq!(story.spent(), calls([(CREATE, 1), (ATTACH, 3), (ALLOCATE, 12)]));
    assert_eq!(attached(&story.the_service()).len(), 13);
    assert_eq!(made.status.expect("a status").resources.len(), 13);
    story.services.goes("gateway").await;
    assert_eq!(story.spent().get(DETACH), Some(&13));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn application_and_network_and_gateway_load_balancers_are_offered_zone_by_zone() {
    let mut story = Story::start("kinds").await;
    let zones = |id: &str, kind: &str, zones: &[&str]| -> Value {
        zones.iter().map(|zone| json!({"id": id, "type": kind, "zone": format!("cn-hangzhou-{zone}")})).collect()
    };
    story
        .services
        .settled("alb", &with(zones("alb-hot", "ALB", &["f", "g"]), json!({"defaultBandwidthMbps": 100})))
        .await;
    assert_eq!(story.spent(), calls([(CREATE, 1), (UPDATE, 1)]));
    assert_eq!(story.the_service()["kind"], "alb");
    story.services.settled("alb", &with(zones("alb-hot", "ALB", &["g"]), json!({"defaultBandwidthMbps": 100}))).await;
    assert_eq!(story.spent(), calls([(DETACH, 1)]));
    assert_eq!(attached(&story.the_service()), [("alb-hot".into(), "cn-hangzhou-g".into(), true)]);
    story.services.goes("alb").await;
    story.spent();

    let family = |family: &str| json!({"addressFamily": family});
    story.services.settled("nlb", &with(zones("nlb-hot", "NLB", &["f", "g"]), json!({}))).await;
    assert_eq!(story.spent(), calls([(CREATE, 1)]));
    story.services.settled("nlb", &with(zones("nlb-hot", "NLB", &["f", "g"]), family("DualStack"))).await;
    assert_eq!(story.spent(), calls([(UPDATE, 1)]));
    assert_eq!(story.the_service()["ipVersion"], "DualStack");
    story.services.settled("nlb", &with(zones("nlb-hot", "NLB", &["f", "g", "h"]), family("DualStack"))).await;
    assert_eq!(story.spent(), calls([(ATTACH, 1)]));
    // The cloud has no way back: nothing is tried, and who asks for it is told.
    story.services.settled("nlb", &with(zones("nlb-hot", "NLB", &["f", "g", "h"]), json!({}))).await;
    story.services.apply("nlb", &with(zones("nlb-hot", "NLB", &["f", "g", "h"]), family("IPv4"))).await;
    story
        .services
        .says_where("nlb", "InvalidSpec", |message| {
            message.starts_with("addressFamily: ") && message.contains("declare DualStack")
        })
        .await;
    assert_eq!(story.spent(), calls([]));
    story.services.goes("nlb").await;
    story.spent();

    let spec = with(zones("gwlb-hot", "GWLB", &["f"]), json!({"type": "GatewayLoadBalancer"}));
    story.services.settled("gwlb", &spec).await;
    assert_eq!(story.spent(), calls([(CREATE, 1)]));
    assert_eq!(story.the_service()["kind"], "gwlb");
    story.services.goes("gwlb").await;
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alibaba_lacks_is_refused_by_its_name_and_nothing_is_made() {
    let mut story = Story::start("refused").await;
    let only = |resource: Value, fields: Value| with(json!([resource]), fields);
    let (long_key, long_value) = ("k".repeat(65), "v".repeat(129));
    let cases = [
        ("service-name", clb(json!({"serviceName": "gateway"})), "UnsupportedByCloud", "serviceName: "),
        ("vpc", clb(json!({"vpcId": "vpc-provider"})), "UnsupportedByCloud", "vpcId: "),
        ("dns-name", clb(json!({"privateDnsName": "a.example.com"})), "UnsupportedByCloud", "privateDnsName: "),
        (
            "dns",
            clb(json!({"privateDnsName": "a.example.com", "dns": {"zone": {"name": "example.com"}}})),
            "UnsupportedByCloud",
            "privateDnsName: ",
        ),
        ("family", clb(json!({"addressFamily": "IPv6"})), "UnsupportedByCloud", "addressFamily: IPv6: "),
        ("cdb", only(json!({"id": "cdb-1", "type": "CDB"}), json!({})), "UnsupportedByCloud", "resources[0].type: "),
        ("crs", only(json!({"id": "crs-1", "type": "CRS"}), json!({})), "UnsupportedByCloud", "resources[0].type: "),
        (
            "bandwidth",
            only(
                json!({"id": "nlb-hot", "type": "NLB", "zone": "cn-hangzhou-f"}),
                json!({"defaultBandwidthMbps": 200}),
            ),
            "UnsupportedByCloud",
            "defaultBandwidthMbps: ",
        ),
        // Fields that it has, with values that it does not take.
        ("zone", only(json!({"id": "alb-hot", "type": "ALB"}), json!({})), "InvalidSpec", "resources[0].zone: "),
        ("tag-key", clb(json!({"tags": {long_key: "a"}})), "InvalidSpec", "tags["),
        ("tag-value", clb(json!({"tags": {"team": long_value}})), "InvalidSpec", "tags[\"team\"]: "),
        ("tag-word", clb(json!({"tags": {"aliyun-team": "a"}})), "InvalidSpec", "tags[\"aliyun-team\"]: "),
    ];
    for (name, spec, _, _) in &cases {
        story.services.apply(name, spec).await;
    }
    for (name, _, reason, start) in &cases {
        let message = story.services.says_of(name, "Valid", reason).await;
        assert!(message.starts_with(start), "{name}: {message}");
        let object = story.services.api.get(name).await.expect("it is there");
        assert_eq!(said(&object, "Valid").map(|(status, ..)| status), Some("False"), "{name}");
        assert_eq!(said(&object, "Ready"), Some(("False", *reason, message.as_str())), "{name}");
        assert_eq!(said(&object, "Stalled").map(|(_, why, _)| why), Some(*reason), "{name}");
    }
    assert_eq!(story.spent(), calls([]));

    // One that is put right goes on; one that was never made goes without a call.
    story.services.settled("vpc", &clb(json!({}))).await;
    assert_eq!(story.spent(), calls([(CREATE, 1)]));
    // A field that comes later is refused as well, and what exists stays as it is.
    story.services.apply("vpc", &clb(json!({"vpcId": "vpc-provider", "description": "for tenants"}))).await;
    story.services.says_of("vpc", "Valid", "UnsupportedByCloud").await;
    assert_eq!(story.the_service()["description"], Value::Null);
    for (name, ..) in &cases {
        story.services.goes(name).await;
    }
    assert_eq!(story.spent(), calls([(DETACH, 1), ("DeleteVpcEndpointService", 1)]));
    story.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_must_know_is_published_under_stable_keys_and_goes_with_its_service() {
    let mut story = Story::start("publish").await;
    let asks = |name: &str, notes: &str| {
        clb(json!({
            "publish": {"configMap": {"name": name}},
            "handover": {
                "ports": [{"name": "mqtt", "port": 1883}, {"name": "coap", "port": 5683, "protocol": "UDP"}],
                "notes": notes,
            },
        }))
    };
    // An operator that does not publish says so; the service is made all the same.
    story.services.apply("gateway", &asks("tenant-gateway", "ask us")).await;
    let message = story.services.says_of("gateway", "Valid", "InvalidSpec").await;
    assert!(message.starts_with("publish: ") && message.contains("--publish"), "{message}");

    let admin = story.operator.admin().await;
    let bindings = Api::<ClusterRoleBinding>::all(admin.clone());
    let role = "privatelink-operator-publishing";
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta { name: Some(story.account.clone()), ..ObjectMeta::default() },
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "ClusterRole".to_owned(),
            name: role.to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: OPERATOR_ACCOUNT.to_owned(),
            namespace: Some(OPERATOR_NAMESPACE.to_owned()),
            ..Subject::default()
        }]),
    };
    bindings.create(&PostParams::default(), &binding).await.expect("it is bound");
    assert!(story.operator.end().await.success());
    story.operator.run(&["--publish"]).await;
    let made = story
        .services
        .becomes("gateway", "settled", |one| said(one, "Valid").is_some_and(|(is, ..)| is == "True"))
        .await;

    let maps = Api::<ConfigMap>::namespaced(admin, &story.namespace);
    let published = story.operator.becomes(maps.clone(), "tenant-gateway", "published", |one| one.is_some()).await;
    let published = published.expect("it is there");
    let data = published.data.expect("it holds something");
    let keys: Vec<&str> = data.keys().map(String::as_str).collect();
    let stable =
        ["accountId", "cloud", "notes", "ports", "region", "serviceDomain", "serviceId", "serviceName", "zones"];
    assert_eq!(keys, stable);
    assert_eq!(data["serviceId"], id(&made));
    assert_eq!((data["cloud"].as_str(), data["region"].as_str()), ("alibaba", "cn-hangzhou"));
    assert_eq!((data["accountId"].as_str(), data["zones"].as_str()), ("1001000000000001", "cn-hangzhou-f"));
    assert_eq!((data["ports"].as_str(), data["notes"].as_str()), ("mqtt:1883/TCP\ncoap:5683/UDP", "ask us"));
    let status = made.status.as_ref().expect("a status");
    assert_eq!(Some(data["serviceName"].as_str()), status.service_name.as_deref());
    assert_eq!(Some(data["serviceDomain"].as_str()), status.service_domain.as_deref());

    // Changed, put right after a deletion, moved to another name; another's ConfigMap is not touched.
    story.spent();
    story.services.settled("gateway", &asks("tenant-gateway", "ask them")).await;
    let holds = |notes: &'static str| {
        move |one: Option<&ConfigMap>| {
            one.and_then(|one| one.data.as_ref()).is_some_and(|data| data.get("notes").is_some_and(|is| is == notes))
        }
    };
    story.operator.becomes(maps.clone(), "tenant-gateway", "changed", holds("ask them")).await;
    maps.delete("tenant-gateway", &DeleteParams::default()).await.expect("it is deleted");
    story.operator.becomes(maps.clone(), "tenant-gateway", "put right", holds("ask them")).await;
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "foreign", "namespace": story.namespace}, "data": {"theirs": "yes"},
    });
    apply(&maps, "foreign", &foreign).await;
    story.services.apply("gateway", &asks("foreign", "ask them")).await;
    let message = story.services.says_of("gateway", "Valid", "OwnershipConflict").await;
    assert!(message.contains("foreign"), "{message}");
    let kept = maps.get("foreign").await.expect("it is there").data.expect("it holds something");
    assert_eq!(kept.get("theirs").map(String::as_str), Some("yes"));
    story.services.settled("gateway", &asks("another", "ask them")).await;
    story.operator.becomes(maps.clone(), "another", "moved", holds("ask them")).await;
    story.operator.becomes(maps.clone(), "tenant-gateway", "gone", |one| one.is_none()).await;
    story.services.settled("gateway", &clb(json!({}))).await;
    story.operator.becomes(maps.clone(), "another", "gone", |one| one.is_none()).await;
    assert_eq!(story.spent(), calls([]), "none of it is the cloud's");

    story.services.goes("gateway").await;
    bindings.delete(&story.account, &DeleteParams::default()).await.expect("it is unbound");
    story.stop().await;
}
