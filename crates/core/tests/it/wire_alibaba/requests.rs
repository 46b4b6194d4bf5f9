//! Every request that can be made is valid against the vendor's description: known names, types, words, all that is
//! required, in the query or in a form as it must be.

use std::collections::BTreeSet;

use privatelink_core::observed::{AddressFamily, EndpointKind, ResourceKind};
use privatelink_core::step::{EndpointChange, InterfaceForm, MigrationMode, Replacement, ServiceChange, Step};
use privatelink_core::wire::alibaba::{Unsigned, encode};
use serde_json::Value;

use super::{TOKEN, calls, descriptions, region, steps};

/// What is wrong with a value of this type.
fn fault(field: &Value, value: &str) -> Option<String> {
    let fits = match field["type"].as_str().expect("a type") {
        "string" => true,
        "boolean" => matches!(value, "true" | "false"),
        "integer" => value.parse::<i64>().is_ok(),
        other => return Some(format!("no single value is of type {other}")),
    };
    if !fits {
        return Some(format!("{value:?} is no {}", field["type"]));
    }
    let words = field["values"].as_array()?;
    (!words.iter().any(|word| word == value)).then(|| format!("{value:?} is none of {words:?}"))
}

fn named<'a>(fields: &'a Value, name: &str) -> Option<&'a Value> {
    fields.as_array()?.iter().find(|field| field["name"] == name)
}

/// What is wrong with one parameter, `Name`, `Name.1` or `Name.1.Field`; notes its name as seen.
fn parameter(request: &Value, form: bool, name: &str, value: &str, seen: &mut BTreeSet<String>) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let Some(field) = named(request, parts[0]) else { return Some("is not known".into()) };
    seen.insert(parts[0].to_owned());
    if field["in"] != if form { "form" } else { "query" } {
        return Some(format!("belongs into the {}", field["in"]));
    }
    let is_number = |text: &str| text.parse::<u32>().is_ok_and(|number| number > 0 && number.to_string() == text);
    match (parts.as_slice(), field["type"] == "array") {
        ([_], false) => fault(field, value),
        ([_, number], true) if is_number(number) && field["items"].is_string() => None,
        ([_, number, inner], true) if is_number(number) => match named(&field["fields"], inner) {
            Some(inner) => fault(inner, value),
            None => Some("is not known".into()),
        },
        _ => Some("is flattened in another way".into()),
    }
}

fn faults(call: &Unsigned, action: &Value) -> Vec<String> {
    let request = &action["request"];
    let mut seen = BTreeSet::new();
    let mut faults: Vec<String> = call
        .parameters
        .iter()
        .filter_map(|(name, value)| {
            parameter(request, call.form, name, value, &mut seen).map(|fault| format!("{name} {fault}"))
        })
        .collect();
    let required = request.as_array().expect("parameters").iter().filter(|field| field["required"] == true);
    let missing = required.filter(|field| !seen.contains(field["name"].as_str().expect("a name")));
    faults.extend(missing.map(|field| format!("{} is missing", field["name"])));
    faults
}

#[test]
fn every_request_is_valid_against_the_description() {
    let descriptions = descriptions();
    let mut actions = BTreeSet::new();
    for call in calls() {
        let description = &descriptions[call.product.as_str()];
        assert_eq!(call.version, description["version"], "{}", call.action);
        assert_eq!(call.host, format!("{}.cn-hangzhou.aliyuncs.com", call.product.as_str()));
        let action = &description["actions"][call.action];
        assert!(action.is_object(), "no action {}", call.action);
        assert_eq!(faults(&call, action), Vec::<String>::new(), "{} {:?}", call.action, call.parameters);
        actions.insert(call.action);
    }
    assert_eq!(actions.len(), 36, "{actions:?}");
}

#[test]
fn a_request_that_does_not_fit_is_noticed() {
    let descriptions = descriptions();
    let actions = &descriptions["privatelink"]["actions"];
    let attach = Step::AttachResource("epsrv-1".into(), super::key("nlb-1", "z"), ResourceKind::Nlb);
    let good = encode::step(&attach, &region(), TOKEN);
    let spoilt = |spoil: &dyn Fn(&mut Unsigned)| {
        let mut call = good.clone();
        spoil(&mut call);
        faults(&call, &actions[call.action])
    };
    let set = |call: &mut Unsigned, name: &str, value: &str| {
        call.parameters.insert(name.into(), value.into());
    };
    assert!(spoilt(&|_| {}).is_empty());
    for (spoil, says) in [
        (&(|call: &mut Unsigned| set(call, "Resourceid", "x")) as &dyn Fn(&mut Unsigned), "Resourceid is not known"),
        (&|call| set(call, "ResourceType", "NLB"), "is none of"),
        (&|call| drop(call.parameters.remove("RegionId")), "is missing"),
        (&|call| set(call, "DryRun", "True"), "is no"),
        (&|call| set(call, "ZoneId.1", "z"), "is flattened in another way"),
        (&|call| call.form = true, "belongs into"),
    ] {
        let faults = spoilt(spoil);
        assert!(faults.iter().any(|fault| fault.contains(says)), "{says}: {faults:?}");
    }
}

#[test]
fn every_write_that_can_carries_its_token_and_every_list_its_largest_page() {
    let descriptions = descriptions();
    for step in steps() {
        let call = encode::step(&step, &region(), TOKEN);
        let request = &descriptions["privatelink"]["actions"][call.action]["request"];
        let takes_token = named(request, "ClientToken").is_some();
        let token = call.parameters.get("ClientToken").map(String::as_str);
        assert_eq!(token, takes_token.then_some(TOKEN), "{}", call.action);
    }
    for call in calls() {
        let action = &descriptions[call.product.as_str()]["actions"][call.action];
        let largest = action["page"]["max"].as_u64().map(|size| size.to_string());
        assert_eq!(call.parameters.get("MaxResults"), largest.as_ref(), "{}", call.action);
    }
}

#[test]
fn the_zone_of_a_classic_load_balancer_is_not_sent() {
    for (kind, zone) in [(ResourceKind::Clb, None), (ResourceKind::Nlb, Some("z"))] {
        let of = || super::key("x-1", "z");
        let create = super::ServiceForm { resources: [of()].into(), ..super::bare_form(kind) };
        for (step, name) in [
            (Step::AttachResource("epsrv-1".into(), of(), kind), "ZoneId"),
            (Step::DetachResource("epsrv-1".into(), of(), kind), "ZoneId"),
            (Step::CreateService(create), "Resource.1.ZoneId"),
        ] {
            let call = encode::step(&step, &region(), TOKEN);
            assert_eq!(call.parameters.get(name).map(String::as_str), zone, "{} of {kind:?}", call.action);
        }
    }
}

/// Names and values of what is sent.
fn sent(step: &Step) -> Vec<(String, String)> {
    encode::step(step, &region(), TOKEN).parameters.into_iter().collect()
}

fn pairs(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn what_is_left_open_is_not_sent() {
    let common = [("ClientToken", TOKEN), ("RegionId", "cn-hangzhou")];
    let bare = |own: &[(&str, &str)]| {
        let mut all = pairs(&[common.as_slice(), own].concat());
        all.sort();
        all
    };
    let subnet = || "vsw-1".into();
    let open = InterfaceForm { ip: None, ipv6: None, ..super::interface("f") };
    for (step, own) in [
        (
            Step::CreateService(super::bare_form(ResourceKind::Nlb)),
            &[("AutoAcceptEnabled", "false"), ("ServiceResourceType", "nlb")][..],
        ),
        (Step::UpdateService("epsrv-1".into(), ServiceChange::default()), &[("ServiceId", "epsrv-1")]),
        (
            Step::CreateEndpoint(super::bare_endpoint_form()),
            &[("EndpointType", "Interface"), ("ServiceId", "epsrv-1"), ("VpcId", "vpc-1")],
        ),
        (Step::UpdateEndpoint("ep-1".into(), EndpointChange::default()), &[("EndpointId", "ep-1")]),
        (
            Step::AddZone("ep-1".into(), subnet(), open),
            &[("EndpointId", "ep-1"), ("VSwitchId", "vsw-1"), ("ZoneId", "f")],
        ),
    ] {
        assert_eq!(sent(&step), bare(own), "{step:?}");
    }
}

#[test]
fn an_endpoint_is_asked_for_with_all_that_its_form_says() {
    let step = Step::CreateEndpoint(super::full_endpoint_form(EndpointKind::GatewayLoadBalancer));
    let expected = [
        ("AddressIpVersion", "DualStack"),
        ("ClientToken", TOKEN),
        ("CrossRegionBandwidth", "200"),
        ("EndpointDescription", "of all"),
        ("EndpointName", "db"),
        ("EndpointType", "GatewayLoadBalancer"),
        ("PolicyDocument", r#"{"Version":"1"}"#),
        ("ProtectedEnabled", "true"),
        ("RegionId", "cn-hangzhou"),
        ("ResourceGroupId", "rg-1"),
        ("SecurityGroupId.1", "sg-1"),
        ("SecurityGroupId.2", "sg-2"),
        ("ServiceId", "epsrv-1"),
        ("ServiceName", "com.aliyuncs.privatelink.cn-shanghai.epsrv-1"),
        ("ServiceRegionId", "cn-shanghai"),
        ("Tag.1.Key", "empty"),
        ("Tag.1.Value", ""),
        ("Tag.2.Key", "owner"),
        ("Tag.2.Value", "team a"),
        ("VpcId", "vpc-1"),
        ("Zone.1.Ipv6Address", "2408::9"),
        ("Zone.1.VSwitchId", "vsw-1"),
        ("Zone.1.ZoneId", "cn-hangzhou-f"),
        ("Zone.1.ip", "10.0.0.9"),
        ("Zone.2.VSwitchId", "vsw-2"),
        ("Zone.2.ZoneId", "cn-hangzhou-g"),
        ("ZoneAffinityEnabled", "true"),
    ];
    assert_eq!(sent(&step), pairs(&expected));
    for (kind, word) in [(EndpointKind::Interface, "Interface"), (EndpointKind::Reverse, "Reverse")] {
        let call = encode::step(&Step::CreateEndpoint(super::full_endpoint_form(kind)), &region(), TOKEN);
        assert_eq!(call.parameters["EndpointType"], word);
    }
}

#[test]
fn an_endpoint_is_changed_in_what_the_change_says_and_nothing_else() {
    let one = |change: EndpointChange| {
        let mut parameters = encode::step(&Step::UpdateEndpoint("ep-1".into(), change), &region(), TOKEN).parameters;
        parameters.retain(|name, _| !["ClientToken", "EndpointId", "RegionId"].contains(&name.as_str()));
        parameters.into_iter().collect::<Vec<_>>()
    };
    let open = EndpointChange::default;
    for (change, name, value) in [
        (EndpointChange { name: Some("db".into()), ..open() }, "EndpointName", "db"),
        (EndpointChange { description: Some("d".into()), ..open() }, "EndpointDescription", "d"),
        (EndpointChange { family: Some(AddressFamily::V4), ..open() }, "AddressIpVersion", "IPv4"),
        (EndpointChange { zone_affinity: Some(false), ..open() }, "ZoneAffinityEnabled", "false"),
        (EndpointChange { policy: Some("{}".into()), ..open() }, "PolicyDocument", "{}"),
        (EndpointChange { reset_policy: true, ..open() }, "ResetPolicy", "true"),
        (EndpointChange { cross_region_bandwidth_mbps: Some(100), ..open() }, "CrossRegionBandwidth", "100"),
    ] {
        assert_eq!(one(change), pairs(&[(name, value)]));
    }
}

/// What is closed is never the side that serves, by no default.
#[test]
fn a_zone_is_assigned_replaced_and_closed_by_the_vendors_words() {
    let (id, of, zone) = (|| "epsrv-1".into(), || "ep-1".into(), || "f".into());
    let replacement = |mode| Replacement { to: "lb-2".into(), kind: ResourceKind::Clb, mode };
    let of_balancer = [("ResourceId", "lb-2"), ("ResourceType", "slb")];
    for (step, own) in [
        (
            Step::AssignResource(id(), of(), zone(), "lb-2".into(), ResourceKind::Clb),
            [&of_balancer[..], &[("ResourceAllocateMode", "Manual")]].concat(),
        ),
        (
            Step::ReplaceResource(id(), of(), zone(), replacement(MigrationMode::Smooth)),
            [&of_balancer[..], &[("ResourceReplaceMode", "Graceful")]].concat(),
        ),
        (
            Step::ReplaceResource(id(), of(), zone(), replacement(MigrationMode::Forced)),
            [&of_balancer[..], &[("ResourceReplaceMode", "Force")]].concat(),
        ),
        (Step::CloseReplaced(id(), of(), zone()), vec![("ReplacedResource", "true")]),
        (Step::DisconnectZone(id(), of(), zone()), vec![("ReplacedResource", "false")]),
    ] {
        let common = [
            ("ClientToken", TOKEN),
            ("EndpointId", "ep-1"),
            ("RegionId", "cn-hangzhou"),
            ("ServiceId", "epsrv-1"),
            ("ZoneId", "f"),
        ];
        let mut all = pairs(&[&common[..], &own].concat());
        all.sort();
        assert_eq!(sent(&step), all, "{step:?}");
    }
}

/// Tags and resource groups name one thing in two ways, and a wrong one finds nothing.
#[test]
fn tags_and_resource_groups_say_of_what_they_are() {
    for (object, tagged, moved) in [
        (super::service("epsrv-1"), "vpcendpointservice", "VpcEndpointService"),
        (super::endpoint("ep-1"), "vpcendpoint", "VpcEndpoint"),
    ] {
        let tags = super::full_form(ResourceKind::Nlb).tags;
        for step in [Step::Tag(object.clone(), tags), Step::Untag(object.clone(), ["owner".to_owned()].into())] {
            let call = encode::step(&step, &region(), TOKEN);
            assert!(call.form, "{}", call.action);
            assert_eq!(call.parameters["ResourceType"], tagged, "{}", call.action);
            assert_eq!(call.parameters["ResourceId.1"], object.as_str(), "{}", call.action);
        }
        let call = encode::step(&Step::Move(object.clone(), "rg-1".into()), &region(), TOKEN);
        assert_eq!(call.parameters["ResourceType"], moved);
        assert_eq!(call.parameters["ResourceId"], object.as_str());
    }
}

/// The consumer's calls go where the endpoint is, whatever the region of its service.
#[test]
fn calls_go_to_the_region_of_the_endpoint() {
    for step in super::steps_of_endpoints() {
        let call = encode::step(&step, &"cn-beijing".into(), TOKEN);
        assert_eq!(call.host, "privatelink.cn-beijing.aliyuncs.com", "{}", call.action);
        let named = call.parameters.get("RegionId").map(String::as_str);
        assert_eq!(named, (call.action != "ChangeResourceGroup").then_some("cn-beijing"), "{}", call.action);
    }
}
