//! Every field of an `Endpoint` that Alibaba Cloud has, set, changed and removed again: each costs the fewest calls
//! and stands in the cloud as the manifest says; what Alibaba Cloud lacks is refused by its name.

use privatelink_sim::alibaba::name;
use privatelink_sim::world::{
    Answer, Call,
    call::{ResourceForm, ServiceForm},
    object::{BalancerKind, IpVersion},
};
use serde_json::{Value, json};

use crate::link::{self, Link, REGION, second_tenant, tenant, with};
use crate::objects::{Objects, id, said};
use crate::past::{CONSUMER, CONSUMER_SESSION, VENDOR, calls};

const CREATE: &str = "CreateVpcEndpoint";
const UPDATE: &str = "UpdateVpcEndpointAttribute";
const GROUP: &str = "ChangeResourceGroup";
const TAG: &str = "TagResources";
const UNTAG: &str = "UntagResources";

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_changed_by_one_call_and_stays_or_returns_when_it_is_removed_as_its_page_says() {
    let mut link = Link::start_as("endpoint fields", CONSUMER_SESSION).await;
    let service = offered_with_both_families(&link);
    let plain = |fields: Value| {
        let spec = tenant(&json!({"id": service}), &["f", "g"]);
        with(with(spec, json!({"protected": true})), fields)
    };
    let made = link.consumer.settled("db", &plain(json!({}))).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    assert_eq!(link.the_endpoint()["protected"], true);
    let id = id(&made).to_owned();

    // What is declared, the one call that it costs, and what the cloud holds then.
    let steps = [
        (json!({"description": "of team a"}), vec![(UPDATE, 1)], "/description", json!("of team a")),
        (json!({"description": "of all"}), vec![(UPDATE, 1)], "/description", json!("of all")),
        (json!({}), vec![], "/description", json!("of all")),
        (json!({"endpointName": "db_prod"}), vec![(UPDATE, 1)], "/name", json!("db_prod")),
        (json!({}), vec![(UPDATE, 1)], "/name", json!("db")),
        (json!({"zoneAffinity": true}), vec![(UPDATE, 1)], "/zoneAffinity", json!(true)),
        (json!({}), vec![(UPDATE, 1)], "/zoneAffinity", json!(false)),
        (json!({"zoneAffinity": false}), vec![], "/zoneAffinity", json!(false)),
        (json!({"addressFamily": "IPv4"}), vec![], "/ipVersion", json!("IPv4")),
        (json!({"addressFamily": "DualStack"}), vec![(UPDATE, 1)], "/ipVersion", json!("DualStack")),
        (json!({}), vec![], "/ipVersion", json!("DualStack")),
        (
            json!({"resourceGroupId": "rg-consumer-second"}),
            vec![(GROUP, 1)],
            "/resourceGroup",
            json!("rg-consumer-second"),
        ),
        (json!({}), vec![], "/resourceGroup", json!("rg-consumer-second")),
        (json!({"tags": {"team": "a"}}), vec![(TAG, 1)], "/tags/team", json!("a")),
        (json!({"tags": {"team": "b", "cost": "c"}}), vec![(TAG, 1)], "/tags/team", json!("b")),
        (json!({"tags": {"cost": "c"}}), vec![(UNTAG, 1)], "/tags/cost", json!("c")),
        (json!({}), vec![(UNTAG, 1)], "/tags/cost", Value::Null),
    ];
    for (fields, expected, path, value) in steps {
        let is = link.consumer.settled("db", &plain(fields.clone())).await;
        let expected = expected.into_iter().map(|(action, count)| (action.to_owned(), count)).collect();
        assert_eq!(link.spent(), expected, "{fields}");
        let endpoint = link.the_endpoint();
        assert_eq!(endpoint.pointer(path).unwrap_or(&Value::Null), &value, "{fields}: {endpoint:#}");
        assert_eq!(endpoint["id"], id.as_str());
        let declared = is.status.expect("a status").common.declared_fields;
        let set = fields.as_object().expect("fields");
        for field in ["description", "zoneAffinity", "addressFamily", "resourceGroupId"] {
            assert_eq!(declared.iter().any(|one| one == field), set.contains_key(field), "{fields}: {declared:?}");
        }
    }
    // The cloud has no way back: nothing is tried, and who asks for it is told.
    link.consumer.apply("db", &plain(json!({"addressFamily": "IPv4"}))).await;
    link.consumer
        .says_where("db", "InvalidSpec", |message| {
            message.starts_with("addressFamily: ") && message.contains("declare DualStack")
        })
        .await;
    assert_eq!(link.spent(), calls([]));

    // All at once: one call for each kind of action.
    let all = json!({
        "description": "of some", "endpointName": "db_all", "zoneAffinity": true, "addressFamily": "DualStack",
        "resourceGroupId": "rg-consumer", "tags": {"team": "a"},
    });
    link.consumer.settled("db", &plain(all)).await;
    assert_eq!(link.spent(), calls([(UPDATE, 1), (GROUP, 1), (TAG, 1)]));

    // What no call can change is refused where it is written.
    for (field, value) in
        [("vpcId", json!("vpc-tenant-second")), ("protected", json!(false)), ("type", json!("Reverse"))]
    {
        let patch = json!({"spec": {field: value}});
        let patch = kube::api::Patch::Merge(&patch);
        let refused = link.consumer.api.patch("db", &kube::api::PatchParams::default(), &patch).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("immutable")), "{field}");
    }
    link.consumer.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

/// A service with IPv4 and IPv6.
fn offered_with_both_families(link: &Link) -> String {
    let made = link.as_provider(|state| {
        let balancer = state.land.balancer_named("nlb-hot");
        let kind = Some(BalancerKind::Nlb);
        let one = |zone| ResourceForm { balancer, kind, zone: Some(state.land.zone_named(zone)) };
        Call::CreateService(ServiceForm {
            kind,
            resources: ["cn-hangzhou-f", "cn-hangzhou-g"].map(one).into(),
            auto_accept: true,
            ip_version: Some(IpVersion::DualStack),
            ..ServiceForm::default()
        })
    });
    let Answer::Service(made) = made else { panic!("{made:?} is no service") };
    let id = name::of_service(made);
    link.lists(&id);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_set_changed_and_returned_to_the_clouds_own_on_the_services_that_take_them() {
    let mut link = Link::start("endpoint policy").await;
    let service = link::offered(&link.operator, VENDOR, CONSUMER.account, &["lb-vendor"], true);
    let spec = |fields: Value| with(tenant(&json!({"id": service}), &["f"]), fields);
    let allow =
        |action: &str| json!({"policy": {"Version": "1", "Statement": [{"Effect": "Allow", "Action": action}]}});
    link.consumer.settled("db", &spec(json!({}))).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    let held = |link: &Link| -> Value {
        let text = link.the_endpoint()["policy"].as_str().map(str::to_owned);
        text.map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"))
    };
    for action in ["oss:Get*", "oss:*"] {
        link.consumer.settled("db", &spec(allow(action))).await;
        assert_eq!(link.spent(), calls([(UPDATE, 1)]));
        assert_eq!(held(&link)["Statement"][0]["Action"], action);
    }
    link.consumer.settled("db", &spec(json!({}))).await;
    assert_eq!(link.spent(), calls([(UPDATE, 1)]));
    assert_eq!(held(&link), Value::Null);
    link.consumer.looks_again("db", "it stays so").await;
    assert_eq!(link.spent(), calls([]));

    // A service connects back; it has a type of its own.
    let reverse = with(second_tenant(&json!({"id": service}), &["f"]), json!({"type": "Reverse"}));
    link.consumer.settled("back", &reverse).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    let kinds: Vec<Value> = link.operator.world()["endpoints"].as_array().expect("endpoints").clone();
    let kinds: Vec<&Value> = kinds.iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["Interface", "Reverse"]);

    // Nobody else's service takes a policy; the endpoint is not made, and who asks for it is told.
    let other = link.offered(&["lb-hot"], true);
    link.consumer.apply("other", &with(tenant(&json!({"id": other}), &["f"]), allow("*"))).await;
    let refused = link.consumer.becomes("other", "refused", |one| said(one, "Stalled").is_some()).await;
    let (_, _, message) = said(&refused, "Ready").expect("it says so");
    assert!(message.contains("policy"), "{message}");
    assert_eq!(link.spent(), calls([]));
    for name in ["other", "back", "db"] {
        link.consumer.goes(name).await;
    }
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_another_region_has_a_bandwidth_that_stays_when_it_is_removed() {
    let mut link = Link::start("cross region").await;
    let balancers: &[&str] = &["lb-hot"];
    let made = link.as_provider(|state| {
        let one = |name: &&str| ResourceForm { balancer: state.land.balancer_named(name), kind: None, zone: None };
        Call::CreateService(ServiceForm {
            resources: balancers.iter().map(one).collect(),
            auto_accept: true,
            consumer_regions: vec![state.land.region_named("cn-shanghai")],
            ..ServiceForm::default()
        })
    });
    let Answer::Service(made) = made else { panic!("{made:?} is no service") };
    let service = name::of_service(made);
    link.lists(&service);
    let account = format!("{}-shanghai", link.consumer.account);
    let namespace = link.consumer.namespace.clone();
    link.operator.account_with(&account, &[&namespace], CONSUMER, "cn-shanghai").await;
    let tenant = link.operator.cluster.tenant_client(&namespace).await;
    let far = Objects::<privatelink_operator::api::Endpoint>::of(tenant, &namespace, &account);

    let spec = |fields: Value| {
        let spec = json!({
            "service": {"id": service, "region": REGION}, "vpcId": "vpc-tenant-shanghai",
            "zones": [{"subnetId": "vsw-tenant-b", "zone": "cn-shanghai-b"}], "securityGroupIds": ["sg-tenant-shanghai"],
        });
        with(spec, fields)
    };
    let endpoint = far.settled("db", &spec(json!({"crossRegionBandwidthMbps": 200}))).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    assert_eq!(link.the_endpoint()["crossRegionBandwidthMbps"], 200);
    assert_eq!(link.the_endpoint()["serviceRegion"], REGION);
    link.is_true(&endpoint);
    far.settled("db", &spec(json!({"crossRegionBandwidthMbps": 300}))).await;
    assert_eq!(link.spent(), calls([(UPDATE, 1)]));
    far.settled("db", &spec(json!({}))).await;
    assert_eq!(link.spent(), calls([]));
    assert_eq!(link.the_endpoint()["crossRegionBandwidthMbps"], 300);
    far.goes("db").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_endpoint_needs_no_group_and_what_alibaba_lacks_is_refused_by_its_name() {
    let mut link = Link::start("gateway endpoint").await;
    let service = link.offered(&["gwlb-hot"], true);
    let mut spec = with(tenant(&json!({"id": service}), &["f"]), json!({"type": "GatewayLoadBalancer"}));
    spec.as_object_mut().expect("a spec").remove("securityGroupIds");
    let made = link.consumer.settled("gate", &spec).await;
    assert_eq!(link.spent(), calls([(CREATE, 1)]));
    assert_eq!(link.the_endpoint()["kind"], "GatewayLoadBalancer");
    link.is_true(&made);

    let dns = json!({"zone": {"id": "Z1"}, "records": [{"name": "db", "type": "CNAME"}]});
    let cases = [
        ("private-dns", json!({"privateDns": true}), "UnsupportedByCloud", "privateDns: "),
        ("dns", json!({"dns": dns}), "UnsupportedByCloud", "dns: "),
        ("ipv6", json!({"addressFamily": "IPv6"}), "UnsupportedByCloud", "addressFamily: "),
        ("zone", json!({"zones": [{"subnetId": "vsw-tenant-f"}]}), "InvalidSpec", "zones[0].zone: "),
        ("bandwidth", json!({"crossRegionBandwidthMbps": 200}), "InvalidSpec", "crossRegionBandwidthMbps: "),
    ];
    for (name, fields, reason, field) in cases {
        link.consumer.apply(name, &with(second_tenant(&json!({"id": service}), &["f"]), fields)).await;
        link.consumer.says_where(name, reason, |message| message.starts_with(field)).await;
        link.consumer.goes(name).await;
    }
    assert_eq!(link.spent(), calls([]));
    link.consumer.goes("gate").await;
    assert_eq!(link.endpoints_in_the_cloud(), 0);
    link.stop().await;
}
