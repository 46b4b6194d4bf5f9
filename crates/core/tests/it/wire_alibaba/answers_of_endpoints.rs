//! Answers about endpoints in the shapes that the vendor documents, in grown and in shrunken ones.

use std::collections::BTreeMap;

use privatelink_core::observed::{AddressFamily, Endpoint, EndpointKind, Groups, Interface, Interfaces};
use privatelink_core::read::{Answer, Done, Page, Read};
use privatelink_core::state::{ConnectionState, GroupState, LifeState, ZoneState};
use privatelink_core::step::{EndpointForm, Step};
use privatelink_core::wire::alibaba::decode;
use serde_json::{Value, json};

use super::{bare_endpoint_form, full_endpoint_form};

fn read(read: &Read, body: &Value) -> Answer {
    decode::read(read, body.to_string().as_bytes()).expect("an answer")
}

fn refused(read: &Read, body: &Value) -> String {
    decode::read(read, body.to_string().as_bytes()).expect_err("malformed").to_string()
}

fn endpoints(body: &Value) -> (Vec<Endpoint>, Page) {
    match read(&Read::Endpoints(None), body) {
        Answer::Endpoints(endpoints, next) => (endpoints, next),
        other => panic!("{other:?}"),
    }
}

fn one(item: &Value) -> Endpoint {
    endpoints(&json!({ "Endpoints": [item] })).0.remove(0)
}

fn interfaces(body: &Value) -> (Interfaces, Page) {
    match read(&Read::Interfaces("ep-1".into(), None), body) {
        Answer::Interfaces(interfaces, next) => (interfaces, next),
        other => panic!("{other:?}"),
    }
}

fn groups(body: &Value) -> (Groups, Page) {
    match read(&Read::Groups("ep-1".into(), None), body) {
        Answer::Groups(groups, next) => (groups, next),
        other => panic!("{other:?}"),
    }
}

fn whole() -> Value {
    json!({
        "EndpointId": "ep-1",
        "EndpointStatus": "Active",
        "EndpointBusinessStatus": "Normal",
        "EndpointType": "Interface",
        "EndpointName": "db",
        "EndpointDescription": "d",
        "EndpointDomain": "ep-1.epsrv-1.cn-hangzhou.privatelink.aliyuncs.com",
        "ConnectionStatus": "Connected",
        "Bandwidth": 1024,
        "CrossRegionBandwidth": "200",
        "AddressIpVersion": "DualStack",
        "ZoneAffinityEnabled": "True",
        "PolicyDocument": "{\"Version\":\"1\"}",
        "ProtectedEnabled": true,
        "ResourceGroupId": "rg-1",
        "ResourceOwner": false,
        "RegionId": "cn-hangzhou",
        "ServiceId": "epsrv-1",
        "ServiceName": "com.aliyuncs.privatelink.cn-shanghai.epsrv-1",
        "ServiceRegionId": "cn-shanghai",
        "VpcId": "vpc-1",
        "CreateTime": "2026-01-02T03:04:05Z",
        "Tags": [{"Key": "owner", "Value": "a"}, {"Key": "empty"}],
        "SomethingNew": {"of": ["any", "shape"]},
    })
}

fn expected() -> Endpoint {
    Endpoint {
        id: "ep-1".into(),
        state: LifeState::Active,
        cloud_state: "Active".into(),
        connection: ConnectionState::Connected,
        locked: false,
        kind: Some(EndpointKind::Interface),
        name: Some("db".into()),
        description: Some("d".into()),
        vpc: Some("vpc-1".into()),
        service: Some("epsrv-1".into()),
        service_name: Some("com.aliyuncs.privatelink.cn-shanghai.epsrv-1".into()),
        service_region: Some("cn-shanghai".into()),
        domain: Some("ep-1.epsrv-1.cn-hangzhou.privatelink.aliyuncs.com".into()),
        family: AddressFamily::DualStack,
        zone_affinity: true,
        cross_region_bandwidth_mbps: Some(200),
        policy: Some(r#"{"Version":"1"}"#.into()),
        protected: true,
        resource_group: Some("rg-1".into()),
        tags: Some([("owner".to_owned(), "a".to_owned()), ("empty".to_owned(), String::new())].into()),
    }
}

#[test]
fn a_list_shows_endpoints_whole() {
    let (shown, next) = endpoints(&json!({"Endpoints": [whole()], "NextToken": "n", "TotalCount": "17"}));
    assert_eq!((shown, next.as_deref()), (vec![expected()], Some("n")));
}

#[test]
fn a_read_by_id_shows_no_tags_and_never_another_endpoint() {
    let asked = Read::Endpoint("ep-1".into());
    let Answer::Endpoint(endpoint) = read(&asked, &whole()) else { panic!("an endpoint") };
    assert_eq!(*endpoint, Endpoint { tags: None, ..expected() });
    let mut other = whole();
    other["EndpointId"] = "ep-2".into();
    assert_eq!(refused(&asked, &other), "EndpointId is ep-2, not ep-1");
    assert_eq!(refused(&asked, &json!({"RequestId": "r"})), "EndpointId is missing");
}

#[test]
fn an_answer_may_lack_all_but_ids() {
    let (shown, next) = endpoints(&json!({"Endpoints": [{"EndpointId": "ep-1"}], "NextToken": ""}));
    assert_eq!(next, None);
    let bare = Endpoint {
        id: "ep-1".into(),
        state: LifeState::Unknown(String::new()),
        cloud_state: String::new(),
        connection: ConnectionState::Unknown(String::new()),
        locked: false,
        kind: None,
        name: None,
        description: None,
        vpc: None,
        service: None,
        service_name: None,
        service_region: None,
        domain: None,
        family: AddressFamily::V4,
        zone_affinity: false,
        cross_region_bandwidth_mbps: None,
        policy: None,
        protected: false,
        resource_group: None,
        tags: Some(BTreeMap::new()),
    };
    assert_eq!(shown, [bare], "a list shows tags: none are none");
    let empty = json!({"EndpointId": "ep-1", "EndpointName": "", "EndpointDescription": null, "ServiceRegionId": ""});
    assert_eq!(one(&empty), shown[0], "what is empty is not there");
}

#[test]
fn words_are_ours_and_new_ones_are_kept() {
    for (word, state) in [
        ("Creating", LifeState::Creating),
        ("Active", LifeState::Active),
        ("Pending", LifeState::Modifying),
        ("Deleting", LifeState::Deleting),
        ("Inactive", LifeState::Unknown("Inactive".into())),
    ] {
        let shown = one(&json!({"EndpointId": "e", "EndpointStatus": word}));
        assert_eq!((shown.state, shown.cloud_state.as_str()), (state, word));
    }
    for (word, state) in [
        ("Pending", ConnectionState::Modifying),
        ("Connecting", ConnectionState::Connecting),
        ("Connected", ConnectionState::Connected),
        ("Disconnecting", ConnectionState::Disconnecting),
        // Whether it was ever accepted, only the interfaces tell.
        ("Disconnected", ConnectionState::Disconnected),
        ("Deleting", ConnectionState::Deleting),
        ("ServiceDeleted", ConnectionState::ServiceDeleted),
        ("Paused", ConnectionState::Unknown("Paused".into())),
    ] {
        assert_eq!(one(&json!({"EndpointId": "e", "ConnectionStatus": word})).connection, state);
    }
    for (status, locked) in [("Normal", false), ("FinancialLocked", true), ("SecurityLocked", true)] {
        assert_eq!(one(&json!({"EndpointId": "e", "EndpointBusinessStatus": status})).locked, locked, "{status}");
    }
    for (word, kind) in [
        ("Interface", Some(EndpointKind::Interface)),
        ("GatewayLoadBalancer", Some(EndpointKind::GatewayLoadBalancer)),
        ("Reverse", Some(EndpointKind::Reverse)),
        ("Resource", None),
    ] {
        assert_eq!(one(&json!({"EndpointId": "e", "EndpointType": word})).kind, kind, "{word}");
    }
    for (number, mbps) in [(json!(100), Some(100)), (json!("100"), Some(100)), (json!(-1), None), (json!("x"), None)] {
        let shown = one(&json!({"EndpointId": "e", "CrossRegionBandwidth": number}));
        assert_eq!(shown.cross_region_bandwidth_mbps, mbps, "{number}");
    }
}

#[test]
fn a_missing_id_is_named_with_its_place() {
    let list = Read::Endpoints(None);
    assert_eq!(refused(&list, &json!({"Endpoints": [{"EndpointId": "a"}, {}]})), "Endpoints[1].EndpointId is missing");
    assert_eq!(refused(&list, &json!({"Endpoints": [null]})), "Endpoints[0] is not an object");
    assert_eq!(refused(&list, &json!({"Endpoints": "none"})), "Endpoints is not a list");
    let tagged = json!({"Endpoints": [{"EndpointId": "a", "Tags": [{"Value": "v"}]}]});
    assert_eq!(refused(&list, &tagged), "Endpoints[0].Tags[0].Key is missing");
    let zones = Read::Interfaces("ep-1".into(), None);
    assert_eq!(refused(&zones, &json!({"Zones": [{"VSwitchId": "vsw-1"}]})), "Zones[0].ZoneId is missing");
    assert_eq!(refused(&zones, &json!({"Zones": [{"ZoneId": "f"}]})), "Zones[0].VSwitchId is missing");
    let groups = Read::Groups("ep-1".into(), None);
    assert_eq!(refused(&groups, &json!({"SecurityGroups": [{}]})), "SecurityGroups[0].SecurityGroupId is missing");
}

/// Something else read as a list must not look as if there were no endpoint, no interface and no group.
#[test]
fn a_page_without_its_list_is_empty_only_if_it_counts_nothing() {
    for (list, name) in [
        (Read::Endpoints(None), "Endpoints"),
        (Read::Interfaces("ep-1".into(), None), "Zones"),
        (Read::Groups("ep-1".into(), None), "SecurityGroups"),
    ] {
        for body in [json!({"RequestId": "r"}), json!({"TotalCount": 3}), json!({"TotalCount": "3", "MaxResults": 50})]
        {
            assert_eq!(refused(&list, &body), format!("{name} is missing"));
        }
        for body in [json!({"TotalCount": 0}), json!({"TotalCount": "0"}), json!({ name: [] })] {
            assert!(decode::read(&list, body.to_string().as_bytes()).is_ok(), "{name} {body}");
        }
    }
    assert_eq!(endpoints(&json!({"TotalCount": 0})), (vec![], None));
    assert_eq!(interfaces(&json!({"TotalCount": "0"})), (BTreeMap::new(), None));
    assert_eq!(groups(&json!({"SecurityGroups": [], "NextToken": "n"})), (BTreeMap::new(), Some("n".into())));
}

#[test]
fn interfaces_are_keyed_by_subnet_and_show_their_addresses() {
    let (shown, next) = interfaces(&json!({"NextToken": "n", "Zones": [
        {"ZoneId": "f", "VSwitchId": "vsw-1", "EniId": "eni-1", "EniIp": "10.0.0.9", "ZoneIpv6Address": "2408::9",
         "ZoneDomain": "ep-1-f.example", "ZoneStatus": "Connected", "RegionId": "cn-hangzhou", "New": 1},
        {"ZoneId": "g", "VSwitchId": "vsw-2", "EniId": "", "EniIp": "", "ZoneIpv6Address": null, "ZoneStatus": "Wait"},
        {"ZoneId": "h", "VSwitchId": "vsw-3", "EniIp": "pending", "ZoneIpv6Address": 7, "ZoneStatus": "Moving"},
    ]}));
    assert_eq!(next.as_deref(), Some("n"));
    let open = |zone: &str, state| Interface { zone: zone.into(), id: None, ip: None, ipv6: None, domain: None, state };
    let connected = Interface {
        id: Some("eni-1".into()),
        ip: Some("10.0.0.9".parse().expect("an address")),
        ipv6: Some("2408::9".parse().expect("an address")),
        domain: Some("ep-1-f.example".into()),
        ..open("f", ZoneState::Connected)
    };
    let expected = [
        ("vsw-1".into(), connected),
        ("vsw-2".into(), open("g", ZoneState::Waiting)),
        ("vsw-3".into(), open("h", ZoneState::Unknown("Moving".into()))),
    ];
    assert_eq!(shown, expected.into());
    for (word, state) in [
        ("Creating", ZoneState::Creating),
        ("Connecting", ZoneState::Connecting),
        ("Disconnecting", ZoneState::Disconnecting),
        ("Disconnected", ZoneState::Disconnected),
        ("Deleting", ZoneState::Deleting),
        // Documented for providers alone.
        ("Migrating", ZoneState::Migrating),
        ("Migrated", ZoneState::Migrated),
    ] {
        let body = json!({"Zones": [{"ZoneId": "f", "VSwitchId": "v", "ZoneStatus": word}]});
        assert_eq!(interfaces(&body).0[&"v".into()].state, state);
    }
}

#[test]
fn groups_show_whether_they_are_joined_yet() {
    let (shown, _) = groups(&json!({"SecurityGroups": [
        {"SecurityGroupId": "sg-1", "SecurityGroupStatus": "Attaching"},
        {"SecurityGroupId": "sg-2", "SecurityGroupStatus": "Attached"},
        {"SecurityGroupId": "sg-3", "SecurityGroupStatus": "Detaching"},
        {"SecurityGroupId": "sg-4"},
        {"SecurityGroupId": "sg-5", "SecurityGroupStatus": "Frozen"},
    ]}));
    let expected = [
        ("sg-1".into(), GroupState::Attaching),
        ("sg-2".into(), GroupState::Attached),
        ("sg-3".into(), GroupState::Detaching),
        ("sg-4".into(), GroupState::Attached),
        ("sg-5".into(), GroupState::Unknown("Frozen".into())),
    ];
    assert_eq!(shown, expected.into());
}

fn created(form: &EndpointForm, body: &Value) -> Endpoint {
    match decode::step(&Step::CreateEndpoint(form.clone()), body.to_string().as_bytes()).expect("created") {
        Done::CreatedEndpoint(made) => *made,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_create_does_not_answer_is_as_the_form_asked() {
    let form = full_endpoint_form(EndpointKind::GatewayLoadBalancer);
    let sparse = json!({"RequestId": "r", "EndpointId": "ep-1", "EndpointStatus": "Creating", "ConnectionStatus": "Disconnected"});
    let asked = Endpoint {
        id: "ep-1".into(),
        state: LifeState::Creating,
        cloud_state: "Creating".into(),
        connection: ConnectionState::Disconnected,
        locked: false,
        kind: Some(form.kind),
        name: form.name.clone(),
        description: form.description.clone(),
        vpc: Some(form.vpc.clone()),
        service: form.service.clone(),
        service_name: form.service_name.clone(),
        service_region: form.service_region.clone(),
        domain: None,
        family: AddressFamily::DualStack,
        zone_affinity: true,
        cross_region_bandwidth_mbps: Some(200),
        policy: form.policy.clone(),
        protected: true,
        resource_group: form.resource_group.clone(),
        tags: Some(form.tags.clone()),
    };
    assert_eq!(created(&form, &sparse), asked);

    // What the form leaves open is as the answer says.
    let open = created(&bare_endpoint_form(), &whole());
    let tags = Some(BTreeMap::new());
    assert_eq!(open, Endpoint { tags, ..expected() });

    let nameless = decode::step(&Step::CreateEndpoint(form), br#"{"RequestId":"r"}"#);
    assert_eq!(nameless.expect_err("no id").to_string(), "EndpointId is missing");
}
