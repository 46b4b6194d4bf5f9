//! Every request that can be made is valid against the vendor's description: known names, types, words, all that is
//! required, in the query or in a form as it must be.

use std::collections::BTreeSet;

use privatelink_core::observed::ResourceKind;
use privatelink_core::step::Step;
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
    assert_eq!(actions.len(), 16, "{actions:?}");
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

#[test]
fn what_is_left_open_is_not_sent() {
    let call = encode::step(&Step::CreateService(super::bare_form(ResourceKind::Nlb)), &region(), TOKEN);
    let names: Vec<&str> = call.parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["AutoAcceptEnabled", "ClientToken", "RegionId", "ServiceResourceType"]);
}
