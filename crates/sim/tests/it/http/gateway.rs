//! Before an action sees a call: signatures, sessions, versions, parameters, rates, rights.

use privatelink_sim::cloud::Cloud;
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::Variants;
use serde_json::json;

use super::client::{Client, Style};
use super::scene::{Scene, options, text};

#[tokio::test]
async fn every_style_of_signature_carries_a_create() {
    let scene = Scene::new();
    for style in [Style::Acs3, Style::Acs3Form, Style::RpcGet, Style::RpcForm] {
        let caller = scene.provider.styled(style);
        let description = format!("made by {style:?}: ä + / & = *~");
        let made = caller.call("CreateVpcEndpointService", &[("ServiceDescription", &description)]).await.ok();
        assert_eq!(made["ServiceDescription"], description.as_str());
        let service = text(&made, "ServiceId");
        scene.settle();
        let shown = caller.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &service)]).await.ok();
        assert_eq!(shown["ServiceStatus"], "Active");
    }
}

#[tokio::test]
async fn a_wrong_signature_is_refused_in_both_styles() {
    let scene = Scene::new();
    for style in [Style::Acs3, Style::RpcForm] {
        let right = scene.provider.styled(style);
        let cases = [
            (Client { secret: "other".into(), ..right.clone() }, (400, "SignatureDoesNotMatch")),
            (Client { id: "nobody".into(), ..right.clone() }, (404, "InvalidAccessKeyId.NotFound")),
            (Client { date: "2026-01-02T02:48:00Z".into(), ..right.clone() }, (400, "InvalidTimeStamp.Expired")),
            (Client { date: "yesterday".into(), ..right.clone() }, (400, "InvalidTimeStamp.Expired")),
            (Client { token: Some("t".into()), ..right.clone() }, (400, "InvalidSecurityToken.MismatchWithAccessKey")),
        ];
        for (caller, refusal) in cases {
            assert_eq!(caller.call("DescribeRegions", &[]).await.refused(), refusal, "{style:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_signed_does_not_say_what_is_called() {
    let scene = Scene::new();
    let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    scene.settle();
    let named = || vec![("ServiceId".to_owned(), text(&made, "ServiceId")), ("RegionId".into(), "cn-hangzhou".into())];
    for style in [Style::RpcGet, Style::RpcForm] {
        let caller = scene.provider.styled(style);
        let mut added = caller.request("GetVpcEndpointServiceAttribute", "2020-04-15", named());
        added.headers_mut().insert("x-acs-action", "DeleteVpcEndpointService".parse().expect("a value"));
        added.headers_mut().insert("x-acs-version", "2015-04-01".parse().expect("a value"));
        let shown = caller.send(added).await.expect("an answer").ok();
        assert_eq!(shown["ServiceStatus"], "Active", "the signed action is what runs, by {style:?}");
    }
    for style in [Style::Acs3, Style::Acs3Form] {
        let caller = scene.provider.styled(style);
        for (name, value) in [("Action", "DeleteVpcEndpointService"), ("Version", "2015-04-01")] {
            let mut pairs = named();
            pairs.push((name.to_owned(), value.to_owned()));
            let two = caller.request("GetVpcEndpointServiceAttribute", "2020-04-15", pairs);
            let code = format!("InvalidParameter.{name}");
            assert_eq!(caller.send(two).await.expect("an answer").refused(), (400, code.as_str()), "{style:?}");
        }
    }
    let shown = scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &named()[0].1)]).await.ok();
    assert_eq!(shown["ServiceStatus"], "Active");
}

#[tokio::test]
async fn the_older_style_goes_to_the_path_it_is_signed_for() {
    let scene = Scene::new();
    let caller = scene.provider.styled(Style::RpcGet);
    let mut elsewhere = caller.request("DescribeRegions", "2020-04-15", vec![]);
    let moved = elsewhere.uri().to_string().replacen("/?", "/elsewhere?", 1);
    *elsewhere.uri_mut() = moved.parse().expect("a target");
    assert_eq!(caller.send(elsewhere).await.expect("an answer").refused(), (400, "SignatureDoesNotMatch"));
}

#[tokio::test]
async fn a_session_key_needs_its_token() {
    let scene = Scene::new();
    for style in [Style::Acs3, Style::RpcGet] {
        let bare = Client { style, ..Client::new(&scene.simulator, "provider-role-key", "provider-role-secret") };
        assert_eq!(bare.call("DescribeRegions", &[]).await.refused(), (400, "MissingSecurityToken"));
        let session = Client { token: Some("provider-role-token".into()), ..bare };
        session.call("DescribeRegions", &[]).await.ok();
    }
    scene.simulator.with(|cloud| {
        let key = cloud.keys.get_mut("provider-role-key").expect("a key of the built-in world");
        key.expires = "2026-01-02T03:04:05Z".parse().ok();
    });
    let late = Client {
        token: Some("provider-role-token".into()),
        ..Client::new(&scene.simulator, "provider-role-key", "provider-role-secret")
    };
    assert_eq!(late.call("DescribeRegions", &[]).await.refused(), (400, "InvalidSecurityToken.Expired"));
}

#[tokio::test]
async fn the_same_request_serves_once() {
    let scene = Scene::new();
    for style in [Style::Acs3, Style::RpcGet] {
        let caller = scene.provider.styled(style);
        let region = vec![("RegionId".to_owned(), "cn-hangzhou".to_owned())];
        let request = caller.request("DescribeZones", "2020-04-15", region);
        let again = request.clone();
        caller.send(request).await.expect("an answer").ok();
        assert_eq!(caller.send(again).await.expect("an answer").refused(), (400, "SignatureNonceUsed"));
    }
}

#[tokio::test]
async fn what_the_gateway_does_not_know_is_refused() {
    let scene = Scene::new();
    let caller = &scene.provider;
    assert_eq!(caller.call("GetVpcEndpointServiceTemplate", &[]).await.refused(), (404, "InvalidAction.NotFound"));
    let other_version = caller.request("DescribeRegions", "2019-01-01", vec![]);
    assert_eq!(caller.send(other_version).await.expect("an answer").refused(), (400, "InvalidVersion"));
    let mut put = caller.request("DescribeRegions", "2020-04-15", vec![]);
    *put.method_mut() = http::Method::PUT;
    assert_eq!(caller.send(put).await.expect("an answer").refused(), (405, "UnsupportedHTTPMethod"));
    let mut unsigned = caller.request("DescribeRegions", "2020-04-15", vec![]);
    unsigned.headers_mut().remove("authorization");
    assert_eq!(caller.send(unsigned).await.expect("an answer").refused(), (400, "IncompleteSignature"));
    let moon = [("RegionId", "moon-1")];
    assert_eq!(caller.call("DescribeZones", &moon).await.refused(), (400, "RegionNotFound"));
    let xml = [("Format", "XML")];
    assert_eq!(caller.call("DescribeRegions", &xml).await.refused(), (400, "InvalidParameter.Format"));
}

#[tokio::test]
async fn parameters_are_checked_by_the_description() {
    let scene = Scene::new();
    let refusals = [
        ("GetVpcEndpointServiceAttribute", vec![], "MissingServiceId"),
        ("CreateVpcEndpointService", vec![("Colour", "red")], "InvalidParameter.Colour"),
        ("CreateVpcEndpointService", vec![("AutoAcceptEnabled", "yes")], "IllegalParamFormat.AutoAcceptEnabled"),
        ("CreateVpcEndpointService", vec![("Resource.1.ResourceType", "slb")], "MissingParam.ResourceId"),
        ("CreateVpcEndpointService", vec![("Resource.2.ResourceId", "lb-hot")], "IllegalParamFormat.Resource"),
        ("ListVpcEndpoints", vec![("MaxResults", "0")], "InvalidParameter.MaxResults"),
        ("AddUserToVpcEndpointService", vec![("ServiceId", "epsrv-1")], "MissingParam.UserArn"),
        (
            "AddUserToVpcEndpointService",
            vec![("ServiceId", "epsrv-1"), ("UserId", "1"), ("UserARN", "acs:ram:*:2")],
            "Mismatch.UserIdAndUserArn",
        ),
    ];
    for (action, parameters, code) in refusals {
        assert_eq!(scene.provider.call(action, &parameters).await.refused(), (400, code), "{action} {parameters:?}");
    }
}

#[tokio::test]
async fn sts_says_who_calls() {
    let scene = Scene::new();
    let identity = async |id: &str, secret: &str, token: Option<&str>| {
        let caller = Client { token: token.map(str::to_owned), ..Client::new(&scene.simulator, id, secret) };
        let answered = caller.send(caller.request("GetCallerIdentity", "2015-04-01", vec![])).await;
        let mut body = answered.expect("an answer").ok();
        body.as_object_mut().expect("an object").remove("RequestId").expect("an id");
        body
    };
    assert_eq!(
        identity("provider-key", "provider-secret", None).await,
        json!({
            "AccountId": "1001000000000001",
            "Arn": "acs:ram::1001000000000001:root",
            "IdentityType": "Account",
            "PrincipalId": "1001000000000001",
            "UserId": "1001000000000001",
        })
    );
    let user = identity("consumer-user-key", "consumer-user-secret", None).await;
    assert_eq!(user["Arn"], "acs:ram::1002000000000002:user/operator");
    assert_eq!(user["IdentityType"], "RAMUser");
    let role = identity("provider-role-key", "provider-role-secret", Some("provider-role-token")).await;
    assert_eq!(role["Arn"], "acs:ram::1001000000000001:assumed-role/operator/pod");
    assert_eq!(role["IdentityType"], "AssumedRoleUser");
    assert!(role["PrincipalId"].as_str().is_some_and(|id| id.ends_with(":pod")));
    assert!(role.get("RoleId").is_some() && role.get("UserId").is_none());
}

#[tokio::test]
async fn a_key_without_the_right_is_refused_by_the_worlds_code() {
    for (code, refusal) in [("NoPermission", (400, "NoPermission")), ("Forbidden.RAM", (403, "Forbidden.RAM"))] {
        let variants = Variants::default().with("permissionCode", code).expect("a variant");
        let scene = Scene::with(variants, options());
        let reader = Client::new(&scene.simulator, "provider-read-key", "provider-read-secret");
        assert_eq!(reader.call("CreateVpcEndpointService", &[]).await.refused(), refusal);
        reader.call("ListVpcEndpointServices", &[]).await.ok();
    }
}

#[tokio::test]
async fn too_many_calls_are_throttled_with_a_hint() {
    for code in ["Throttling.User", "Throttling", "Throttling.Api", "Rejected.Throttling"] {
        let mut fixture = Fixture::built_in();
        fixture.state.variants = Variants::default().with("throttlingCode", code).expect("a variant");
        let slow = privatelink_sim::fixture::Limits { requests_per_second: 0.5, burst: 3 };
        fixture.limits = slow;
        let simulator = Simulator::new(Cloud::new(fixture, options()));
        let caller = Client::new(&simulator, "provider-key", "provider-secret");
        for _ in 0..3 {
            caller.call("DescribeRegions", &[]).await.ok();
        }
        let throttled = caller.call("DescribeRegions", &[]).await;
        assert_eq!(throttled.refused(), (400, code));
        let hint = throttled.headers["x-acs-retry-after"].to_str().expect("text").parse::<u64>().expect("a number");
        assert!((1_000..=2_000).contains(&hint), "{hint}");
        Client::new(&simulator, "consumer-key", "consumer-secret").call("DescribeRegions", &[]).await.ok();
    }
}
