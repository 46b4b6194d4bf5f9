//! Answers in the shapes that the vendor documents, in grown and in shrunken ones.

use std::collections::BTreeMap;

use privatelink_core::id::Zone;
use privatelink_core::observed::{AddressFamily, Connection, Payer, RegionState, ResourceKind, Service};
use privatelink_core::read::{Answer, Done, Page, Read};
use privatelink_core::state::{ConnectionState, LifeState, ZoneState};
use privatelink_core::step::Step;
use privatelink_core::wire::alibaba::decode;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{full_form, key, reads, steps};

fn read(read: &Read, body: &Value) -> Answer {
    decode::read(read, body.to_string().as_bytes()).expect("an answer")
}

fn refused(read: &Read, body: &Value) -> String {
    decode::read(read, body.to_string().as_bytes()).expect_err("malformed").to_string()
}

fn services(body: &Value) -> (Vec<Service>, Page) {
    match read(&Read::Services(None), body) {
        Answer::Services(services, next) => (services, next),
        other => panic!("{other:?}"),
    }
}

fn connections(items: &Value) -> Vec<Connection> {
    match read(&Read::Connections("epsrv-1".into(), None), &json!({ "Connections": items, "TotalCount": "1" })) {
        Answer::Connections(connections, _) => connections,
        other => panic!("{other:?}"),
    }
}

fn whole() -> Value {
    json!({
        "ServiceId": "epsrv-1",
        "ServiceName": "com.aliyuncs.privatelink.cn-hangzhou.epsrv-1",
        "ServiceDomain": "epsrv-1.cn-hangzhou.privatelink.aliyuncs.com",
        "ServiceStatus": "Active",
        "ServiceBusinessStatus": "Normal",
        "ServiceResourceType": "slb",
        "ServiceDescription": "d",
        "AutoAcceptEnabled": true,
        "Payer": "EndpointService",
        "ZoneAffinityEnabled": "True",
        "ConnectBandwidth": 1024,
        "MinBandwidth": "100",
        "MaxBandwidth": 10240,
        "AddressIpVersion": "DualStack",
        "RegionId": "cn-hangzhou",
        "ResourceGroupId": "rg-1",
        "SupportedRegionSet": [
            {"SupportedRegionId": "cn-hangzhou", "RegionServiceStatus": "Available"},
            {"SupportedRegionId": "cn-shanghai", "RegionServiceStatus": "Available"},
            {"SupportedRegionId": "cn-beijing", "RegionServiceStatus": "Pending"},
            {"SupportedRegionId": "cn-x", "RegionServiceStatus": "Closed"},
            {"SupportedRegionId": "cn-y", "RegionServiceStatus": "Deleting"},
            {"SupportedRegionId": "cn-z", "RegionServiceStatus": "Failed"},
        ],
        "Tags": [{"Key": "owner", "Value": "a"}, {"Key": "empty"}],
        "SomethingNew": {"of": ["any", "shape"]},
    })
}

#[test]
fn a_list_shows_services_whole() {
    let (shown, next) = services(&json!({"Services": [whole()], "NextToken": "n", "TotalCount": "17"}));
    assert_eq!(next.as_deref(), Some("n"));
    let expected = Service {
        id: "epsrv-1".into(),
        name: "com.aliyuncs.privatelink.cn-hangzhou.epsrv-1".into(),
        domain: Some("epsrv-1.cn-hangzhou.privatelink.aliyuncs.com".into()),
        state: LifeState::Active,
        cloud_state: "Active".into(),
        locked: false,
        kind: Some(ResourceKind::Clb),
        description: Some("d".into()),
        auto_accept: true,
        payer: Payer::Provider,
        zone_affinity: true,
        default_bandwidth_mbps: Some(1024),
        bandwidth_mbps: Some((100, 10240)),
        family: AddressFamily::DualStack,
        regions: [
            ("cn-shanghai".into(), RegionState::Open),
            ("cn-beijing".into(), RegionState::Opening),
            ("cn-y".into(), RegionState::Closing),
            ("cn-z".into(), RegionState::Failed),
        ]
        .into(),
        resource_group: Some("rg-1".into()),
        tags: Some([("owner".to_owned(), "a".to_owned()), ("empty".to_owned(), String::new())].into()),
    };
    assert_eq!(shown, [expected]);
}

#[test]
fn a_read_by_id_shows_no_tags_and_never_another_service() {
    let asked = Read::Service("epsrv-1".into());
    let Answer::Service(service) = read(&asked, &whole()) else { panic!("a service") };
    assert_eq!((service.tags, service.state), (None, LifeState::Active));
    let mut other = whole();
    other["ServiceId"] = "epsrv-2".into();
    assert_eq!(refused(&asked, &other), "ServiceId is epsrv-2, not epsrv-1");
}

#[test]
fn an_answer_may_lack_all_but_ids() {
    let (shown, next) = services(&json!({"Services": [{"ServiceId": "epsrv-1"}], "NextToken": ""}));
    assert_eq!(next, None);
    let service = &shown[0];
    assert_eq!((service.payer, service.family, service.kind), (Payer::Consumer, AddressFamily::V4, None));
    assert_eq!((&service.state, service.locked), (&LifeState::Unknown(String::new()), false));
    assert_eq!(service.tags, Some(BTreeMap::new()), "a list shows tags: none are none");
}

#[test]
fn words_are_ours_and_new_ones_are_kept() {
    let state = |word: &str| {
        let (shown, _) = services(&json!({"Services": [{"ServiceId": "s", "ServiceStatus": word}]}));
        assert_eq!(shown[0].cloud_state, word);
        shown[0].state.clone()
    };
    assert_eq!(state("Creating"), LifeState::Creating);
    assert_eq!(state("Pending"), LifeState::Modifying);
    assert_eq!(state("Deleting"), LifeState::Deleting);
    assert_eq!(state("Quarantined"), LifeState::Unknown("Quarantined".into()));
    for (status, locked) in [("Normal", false), ("FinancialLocked", true), ("SecurityLocked", true)] {
        let (shown, _) = services(&json!({"Services": [{"ServiceId": "s", "ServiceBusinessStatus": status}]}));
        assert_eq!(shown[0].locked, locked, "{status}");
    }
    for (kind, bandwidth) in [("slb", Some(9)), ("alb", Some(9)), ("nlb", None), ("gwlb", None), ("vpcNat", None)] {
        let item = json!({"ServiceId": "s", "ServiceResourceType": kind, "ConnectBandwidth": "9"});
        assert_eq!(services(&json!({ "Services": [item] })).0[0].default_bandwidth_mbps, bandwidth, "{kind}");
    }
}

#[test]
fn a_missing_id_is_named_with_its_place() {
    let list = Read::Services(None);
    assert_eq!(refused(&list, &json!({"Services": [{"ServiceId": "a"}, {}]})), "Services[1].ServiceId is missing");
    assert_eq!(refused(&list, &json!({"Services": [7]})), "Services[0] is not an object");
    assert_eq!(refused(&list, &json!({"Services": {}})), "Services is not a list");
    assert_eq!(refused(&list, &json!([])), "the answer is not a JSON object");
    let tagged = json!({"Services": [{"ServiceId": "a", "Tags": [{"Value": "v"}]}]});
    assert_eq!(refused(&list, &tagged), "Services[0].Tags[0].Key is missing");
    let resources = Read::Resources("epsrv-1".into(), None);
    let item = json!({"Resources": [{"ResourceId": "lb-1", "ResourceType": "slb"}]});
    assert_eq!(refused(&resources, &item), "Resources[0].ZoneId is missing");
    let leg = json!({"Connections": [{"EndpointId": "ep-1", "Zones": [{}]}]});
    assert_eq!(refused(&Read::Connections("s".into(), None), &leg), "Connections[0].Zones[0].ZoneId is missing");
    assert_eq!(refused(&Read::CallerIdentity, &json!({"Arn": "a"})), "AccountId is missing");
    assert_eq!(refused(&Read::Product, &json!({"RequestId": "r"})), "Success is missing");
    assert!(decode::read(&list, b"<html>").is_err());
}

/// Something else read as a list must not look like an empty world.
#[test]
fn a_page_without_its_list_is_empty_only_if_it_counts_nothing() {
    let list = Read::Services(None);
    assert_eq!(refused(&list, &json!({"RequestId": "r"})), "Services is missing");
    assert_eq!(refused(&list, &json!({"TotalCount": 3})), "Services is missing");
    assert_eq!(refused(&list, &json!({"TotalCount": "3", "MaxResults": 50})), "Services is missing");
    assert!(services(&json!({"TotalCount": 0})).0.is_empty());
    assert!(services(&json!({"TotalCount": "0"})).0.is_empty());
    let uncounted = read(&Read::Resources("s".into(), None), &json!({"MaxResults": 50}));
    assert_eq!(uncounted, Answer::Resources(BTreeMap::new(), None));
}

#[test]
fn resources_are_keyed_by_load_balancer_and_zone() {
    let item = |zone: &str, kind: &str| json!({"ResourceId": "alb-1", "ZoneId": zone, "ResourceType": kind, "AutoAllocatedEnabled": true, "RelatedEndpointCount": 3, "RelatedDeprecatedEndpointCount": "1"});
    let body = json!({"Resources": [item("f", "alb"), item("g", "alb"), item("h", "vpcNat")], "NextToken": "n"});
    let Answer::Resources(shown, next) = read(&Read::Resources("s".into(), None), &body) else { panic!("resources") };
    assert_eq!(next.as_deref(), Some("n"));
    let keys: Vec<_> = shown.keys().cloned().collect();
    assert_eq!(keys, [key("alb-1", "f"), key("alb-1", "g")], "what no spec can declare is left out");
    let resource = shown[&key("alb-1", "f")];
    assert_eq!((resource.kind, resource.auto_allocate), (ResourceKind::Alb, true));
    assert_eq!((resource.connections, resource.deprecated_connections), (3, 1));
}

#[test]
fn a_connection_shows_its_zones() {
    let shown = connections(&json!([{
        "ServiceId": "epsrv-1", "EndpointId": "ep-1", "EndpointOwnerId": 1_002_000_000_000_002_u64,
        "EndpointVpcId": "vpc-1", "ConnectionStatus": "Connected", "Bandwidth": 1024,
        "Zones": [{
            "ZoneId": "f", "ZoneStatus": "Migrated", "ResourceId": "lb-new", "EniId": "eni-new",
            "ReplacedResourceId": "lb-old", "ReplacedEniId": "eni-old",
        }],
    }, {"ServiceId": "epsrv-other", "EndpointId": "ep-2"}]));
    assert_eq!(shown.len(), 1, "a connection of another service is none of this one's");
    let connection = &shown[0];
    assert_eq!(connection.owner.as_ref().expect("an owner").as_str(), "1002000000000002");
    assert_eq!((&connection.state, connection.bandwidth_mbps), (&ConnectionState::Connected, Some(1024)));
    let leg = &connection.zones[&Zone::from("f")];
    assert_eq!(leg.state, ZoneState::Migrated);
    assert_eq!(leg.resource.as_ref().expect("a resource").as_str(), "lb-new");
    assert_eq!(leg.replaced_resource.as_ref().expect("the old one").as_str(), "lb-old");
    assert_eq!(leg.interface.as_ref().expect("an interface").as_str(), "eni-new");
    assert_eq!(leg.replaced_interface.as_ref().expect("the old one").as_str(), "eni-old");
}

#[test]
fn a_disconnected_connection_awaits_acceptance_until_a_zone_has_got_further() {
    let state = |word: &str, zones: &[&str]| {
        let zones: Vec<Value> = zones
            .iter()
            .enumerate()
            .map(|(at, status)| json!({"ZoneId": format!("z{at}"), "ZoneStatus": status}))
            .collect();
        connections(&json!([{"EndpointId": "ep-1", "ConnectionStatus": word, "Zones": zones}]))[0].state.clone()
    };
    assert_eq!(state("Disconnected", &[]), ConnectionState::AwaitingAcceptance);
    assert_eq!(state("Disconnected", &["Wait", "Creating"]), ConnectionState::AwaitingAcceptance);
    assert_eq!(state("Disconnected", &["Wait", "Disconnected"]), ConnectionState::Disconnected);
    assert_eq!(state("Disconnected", &["Deleting"]), ConnectionState::Disconnected);
    assert_eq!(state("Pending", &["Connected"]), ConnectionState::Modifying);
    assert_eq!(state("Connecting", &["Wait"]), ConnectionState::Connecting);
    assert_eq!(state("Disconnecting", &[]), ConnectionState::Disconnecting);
    assert_eq!(state("ServiceDeleted", &[]), ConnectionState::ServiceDeleted);
    assert_eq!(state("Paused", &[]), ConnectionState::Unknown("Paused".into()));
}

#[test]
fn what_a_create_does_not_answer_is_as_the_form_asked() {
    let form = full_form(ResourceKind::Nlb);
    let body = br#"{"RequestId":"r","ServiceId":"epsrv-1","ServiceName":"n","ServiceStatus":"Creating","ServiceDescription":"d"}"#;
    let Done::CreatedService(made) = decode::step(&Step::CreateService(form.clone()), body).expect("created") else {
        panic!("a service")
    };
    assert_eq!((made.id.as_str(), &made.state), ("epsrv-1", &LifeState::Creating));
    assert_eq!((made.kind, made.payer), (Some(ResourceKind::Nlb), Payer::Provider));
    assert_eq!(made.tags, Some(form.tags.clone()));
    assert_eq!(made.description.as_deref(), Some("d"));
    let nameless = decode::step(&Step::CreateService(form), br#"{"RequestId":"r"}"#);
    assert_eq!(nameless.expect_err("no id").to_string(), "ServiceId is missing");
}

#[test]
fn a_step_is_accepted_by_an_object_and_by_nothing_else() {
    let step = Step::DeleteService("epsrv-1".into());
    assert_eq!(decode::step(&step, br#"{"RequestId":"r"}"#), Ok(Done::Accepted));
    for body in ["", "<html>Sign in</html>", "[]", "null"] {
        assert!(decode::step(&step, body.as_bytes()).is_err(), "{body:?}");
    }
}

/// JSON of any shape, with the names that answers have.
fn any_json() -> impl Strategy<Value = Value> {
    let names = "(Services|Resources|Connections|Endpoints|Zones|SecurityGroups|Tags|Key|Value|ServiceId|EndpointId\
                 |ZoneId|VSwitchId|SecurityGroupId|ResourceId|ResourceType|AccountId|NextToken|TotalCount|MaxResults\
                 |SupportedRegionSet|ConnectBandwidth|CrossRegionBandwidth|EniIp|ZoneIpv6Address|Code|Message)";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(|slb|epsrv-1|Disconnected|99999999999|-1|ü)".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_is_too_strange(value in any_json(), noise in prop::collection::vec(any::<u8>(), 0..100)) {
        for body in [value.to_string().into_bytes(), noise] {
            for read in reads() {
                // Nobody panics; whatever is understood is an answer to what was asked.
                let _ = decode::read(&read, &body);
            }
            for step in steps() {
                let _ = decode::step(&step, &body);
            }
        }
    }
}
