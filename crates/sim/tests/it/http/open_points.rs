//! What the vendor's documents leave open and a caller can notice on the wire: each world keeps to its choice.

use jiff::SignedDuration;
use privatelink_sim::control;
use privatelink_sim::fault::{Fault, Rule};
use privatelink_sim::inbound::Inbound;
use privatelink_sim::world::Variants;
use serde_json::json;

use super::client::Client;
use super::scene::{CONSUMER, Scene, options, text};

fn world(name: &str, value: &str) -> Scene {
    Scene::with(Variants::default().with(name, value).expect("a value of the table"), options())
}

#[tokio::test]
async fn the_mode_of_a_chosen_resource_is_spelt_one_way_or_both() {
    for (value, taken, refused) in [
        ("Manual", vec!["Manual"], vec!["Mannual"]),
        ("both", vec!["Manual", "Mannual"], vec![]),
        ("Mannual", vec!["Mannual"], vec!["Manual"]),
    ] {
        let scene = world("manualSpelling", value);
        let service = scene.service(&[]).await;
        let endpoint = scene.endpoint(&service, &[]).await;
        let assign = async |mode: &str, resource: &str| {
            let call = [
                ("ServiceId", service.as_str()),
                ("EndpointId", endpoint.as_str()),
                ("ZoneId", "cn-hangzhou-f"),
                ("ResourceAllocateMode", mode),
                ("ResourceId", resource),
                ("ResourceType", "slb"),
            ];
            scene.provider.call("UpdateVpcEndpointZoneConnectionResourceAttribute", &call).await
        };
        for mode in refused {
            let answered = assign(mode, "lb-spare").await;
            assert_eq!(answered.refused(), (400, "IllegalParam.ResourceAllocateMode"), "{value}");
        }
        for (mode, resource) in taken.into_iter().zip(["lb-spare", "lb-hot"]) {
            assign(mode, resource).await.ok();
            scene.settle();
            assert_eq!(scene.leg(&service, &endpoint, "cn-hangzhou-f").await["ResourceId"], resource, "{value}");
        }
    }
}

#[tokio::test]
async fn a_call_may_be_dated_as_far_off_as_the_world_says() {
    for (minutes, near, far) in [
        ("15", "2026-01-02T02:50:05Z", "2026-01-02T02:48:05Z"),
        ("5", "2026-01-02T03:00:05Z", "2026-01-02T02:58:05Z"),
        ("60", "2026-01-02T04:03:05Z", "2026-01-02T04:05:05Z"),
    ] {
        let scene = world("clockSkewMinutes", minutes);
        let dated = |date: &str| Client { date: date.to_owned(), ..scene.provider.clone() };
        dated(near).call("DescribeRegions", &[]).await.ok();
        let refused = dated(far).call("DescribeRegions", &[]).await;
        assert_eq!(refused.refused(), (400, "InvalidTimeStamp.Expired"), "{minutes}");
    }
}

#[tokio::test]
async fn a_dry_run_spends_its_token_or_shares_it_or_leaves_it() {
    let create = "CreateVpcEndpointService";
    for (value, then) in
        [("spent", Err("IdempotenceSignatureMismatch")), ("shared", Err("DryRunOperation")), ("apart", Ok(()))]
    {
        let scene = world("dryRunToken", value);
        let call = [("ClientToken", "t")];
        let dry = scene.provider.call(create, &[("ClientToken", "t"), ("DryRun", "true")]).await;
        assert_eq!(dry.refused(), (400, "DryRunOperation"));
        let made = scene.provider.call(create, &call).await;
        match then {
            Ok(()) => assert!(text(&made.ok(), "ServiceId").starts_with("epsrv-")),
            Err(code) => assert_eq!(made.refused(), (400, code), "{value}"),
        }
        let expected = usize::from(then.is_ok());
        assert_eq!(scene.simulator.with(|cloud| cloud.state().services.len()), expected, "{value}");
    }
}

#[tokio::test]
async fn a_client_token_is_remembered_for_ever_or_for_a_day() {
    for (value, services) in [("forever", 1), ("24h", 2)] {
        let scene = world("tokenLifetime", value);
        let create = async || {
            scene.provider.call("CreateVpcEndpointService", &[("ClientToken", "t")]).await.ok();
            scene.simulator.with(|cloud| cloud.state().services.len())
        };
        let pass = |seconds| scene.simulator.with(|cloud| cloud.advance(SignedDuration::from_secs(seconds)));
        assert_eq!(create().await, 1);
        pass(24 * 3_600 - 1);
        assert_eq!(create().await, 1, "{value}");
        pass(1);
        assert_eq!(create().await, services, "{value}");
    }
}

#[tokio::test]
async fn a_fresh_object_is_shown_at_once_or_half_a_second_later() {
    for (value, lags) in [("false", false), ("true", true)] {
        let scene = world("freshObjectsLag", value);
        let pass = |millis| scene.simulator.with(|cloud| cloud.advance(SignedDuration::from_millis(millis)));
        let service = text(&scene.provider.call("CreateVpcEndpointService", &[]).await.ok(), "ServiceId");
        let get = async || {
            scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &service)]).await.status.as_u16()
        };
        let listed = async || {
            let listed = scene.provider.call("ListVpcEndpointServices", &[]).await.ok();
            listed["TotalCount"].as_u64().expect("a number")
        };
        let hidden = u64::from(!lags);
        assert_eq!((get().await, listed().await), (if lags { 400 } else { 200 }, hidden), "{value}");
        pass(499);
        assert_eq!(listed().await, hidden, "{value}");
        pass(1);
        assert_eq!((get().await, listed().await), (200, 1), "{value}");

        scene.settle();
        let user = [("ServiceId", service.as_str()), ("UserId", CONSUMER)];
        scene.provider.call("AddUserToVpcEndpointService", &user).await.ok();
        let form = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant"), ("SecurityGroupId.1", "sg-tenant")];
        let made = scene.consumer.call("CreateVpcEndpoint", &form).await.ok();
        let endpoint = text(&made, "EndpointId");
        let read = async || {
            let shown = scene.consumer.call("GetVpcEndpointAttribute", &[("EndpointId", &endpoint)]).await;
            let listed = scene.provider.call("ListVpcEndpointConnections", &[]).await.ok();
            (shown.status.as_u16(), text(&listed, "TotalCount"))
        };
        assert_eq!(read().await, if lags { (400, "0".to_owned()) } else { (200, "1".to_owned()) }, "{value}");
        pass(500);
        assert_eq!(read().await, (200, "1".to_owned()), "{value}");
    }
}

#[tokio::test]
async fn a_provider_reads_the_endpoints_of_its_services_or_not() {
    for (value, reads) in [("false", false), ("true", true)] {
        let scene = world("providerReadsEndpoints", value);
        let (_, endpoint) = scene.connected().await;
        for action in ["GetVpcEndpointAttribute", "ListVpcEndpointZones"] {
            let shown = scene.provider.call(action, &[("EndpointId", &endpoint)]).await;
            if reads {
                shown.ok();
            } else {
                assert_eq!(shown.refused(), (400, "EndpointNotFound"));
            }
            let strangers = scene.vendor.call(action, &[("EndpointId", &endpoint)]).await;
            assert_eq!(strangers.refused(), (400, "EndpointNotFound"), "{value}");
        }
    }
}

#[tokio::test]
async fn both_regions_of_a_connection_answer_or_each_its_own_side() {
    for (value, both) in [("false", false), ("true", true)] {
        let scene = world("eitherRegionServes", value);
        let service = scene.service(&[("SupportedRegionList.1", "cn-shanghai")]).await;
        let far = scene.consumer.in_region("cn-shanghai");
        let form = [
            ("ServiceId", service.as_str()),
            ("ServiceRegionId", "cn-hangzhou"),
            ("VpcId", "vpc-tenant-shanghai"),
            ("Zone.1.VSwitchId", "vsw-tenant-b"),
        ];
        let endpoint = text(&far.call("CreateVpcEndpoint", &form).await.ok(), "EndpointId");
        scene.settle();
        let named = [("ServiceId", service.as_str()), ("EndpointId", endpoint.as_str())];
        let provider = scene.provider.in_region("cn-shanghai");
        let shown = scene.consumer.call("GetVpcEndpointAttribute", &[("EndpointId", &endpoint)]).await;
        let listed = provider.call("ListVpcEndpointConnections", &named).await;
        let accepted = provider.call("EnableVpcEndpointConnection", &named).await;
        if both {
            assert_eq!(shown.ok()["RegionId"], "cn-shanghai");
            assert_eq!(listed.ok()["TotalCount"], "1");
            accepted.ok();
        } else {
            assert_eq!(shown.refused(), (400, "EndpointNotFound"));
            assert_eq!(listed.refused(), (400, "EndpointServiceNotFound"));
            assert_eq!(accepted.refused(), (400, "EndpointServiceNotFound"));
        }
        far.call("GetVpcEndpointAttribute", &[("EndpointId", &endpoint)]).await.ok();
        let listed = scene.provider.call("ListVpcEndpointConnections", &named).await.ok();
        assert_eq!(listed["TotalCount"], "1", "{value}");
    }
}

#[tokio::test]
async fn a_principal_twice_and_none_go_well_or_not() {
    let (add, remove) = ("AddUserToVpcEndpointService", "RemoveUserFromVpcEndpointService");
    for (name, action, user, code) in [
        ("presentPrincipal", add, CONSUMER, "success"),
        ("presentPrincipal", add, CONSUMER, "EndpointServiceUserExist"),
        ("presentPrincipal", add, CONSUMER, "EndpointServiceOperationDenied"),
        ("absentPrincipal", remove, "77", "success"),
        ("absentPrincipal", remove, "77", "EndpointServiceUserNotFound"),
        ("absentPrincipal", remove, "77", "EndpointServiceOperationDenied"),
    ] {
        let scene = world(name, code);
        let service = scene.service(&[]).await;
        let answered = scene.provider.call(action, &[("ServiceId", &service), ("UserId", user)]).await;
        if code == "success" {
            answered.ok();
        } else {
            assert_eq!(answered.refused(), (400, code));
        }
        let users = scene.provider.call("ListVpcEndpointServiceUsers", &[("ServiceId", &service)]).await.ok();
        assert_eq!(users["TotalCount"], "2", "nothing came of it");
    }
}

#[tokio::test]
async fn a_zone_twice_in_a_vpc_is_a_duplicate_or_not() {
    for (value, refused) in [("zone", true), ("nothing", false)] {
        let scene = world("oneEndpointPer", value);
        let service = scene.service(&[]).await;
        scene.endpoint(&service, &[]).await;
        let form = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant"), ("SecurityGroupId.1", "sg-tenant")];
        let second = text(&scene.consumer.call("CreateVpcEndpoint", &form).await.ok(), "EndpointId");
        scene.settle();
        let zone = [("EndpointId", second.as_str()), ("ZoneId", "cn-hangzhou-f"), ("VSwitchId", "vsw-tenant-f")];
        let added = scene.consumer.call("AddZoneToVpcEndpoint", &zone).await;
        if refused {
            assert_eq!(added.refused(), (400, "EndpointDuplicated"));
        } else {
            added.ok();
        }
    }
}

#[tokio::test]
async fn a_forced_replacement_names_the_old_resource_or_not() {
    for (value, named) in [("false", false), ("true", true)] {
        let scene = world("forceShowsReplaced", value);
        let (service, endpoint) = scene.connected().await;
        let zone = "cn-hangzhou-f";
        let old = text(&scene.leg(&service, &endpoint, zone).await, "ResourceId");
        let new = if old == "lb-hot" { "lb-spare" } else { "lb-hot" };
        let off = [("ServiceId", service.as_str()), ("ResourceId", &old), ("AutoAllocatedEnabled", "false")];
        scene.provider.call("UpdateVpcEndpointServiceResourceAttribute", &off).await.ok();
        let replace = [
            ("ServiceId", service.as_str()),
            ("EndpointId", &endpoint),
            ("ZoneId", zone),
            ("ResourceReplaceMode", "Force"),
            ("ResourceId", new),
            ("ResourceType", "slb"),
        ];
        scene.provider.call("UpdateVpcEndpointZoneConnectionResourceAttribute", &replace).await.ok();
        let leg = scene.leg(&service, &endpoint, zone).await;
        assert_eq!(leg["ReplacedResourceId"].as_str(), named.then_some(old.as_str()), "{value}");
        assert!(leg.get("ReplacedEniId").is_none(), "the interface stays: {leg}");
        scene.settle();
        assert!(scene.leg(&service, &endpoint, zone).await.get("ReplacedResourceId").is_none());
    }
}

#[tokio::test]
async fn a_protected_endpoint_obeys_its_session_its_role_or_its_account() {
    let key = |scene: &Scene, id: &str, identity: &str| {
        let body = json!({"id": id, "secret": "s", "account": 1_002_000_000_000_002_u64, "identity": identity});
        let inbound = Inbound {
            method: "POST".to_owned(),
            path: "/_sim/key".to_owned(),
            body: body.to_string().into(),
            ..Inbound::default()
        };
        assert_eq!(scene.simulator.with(|cloud| control::answer(cloud, &inbound)), (200, json!({})));
        Client::new(&scene.simulator, id, "s")
    };
    for (value, obeys) in [("session", 1), ("role", 2), ("account", 3)] {
        let scene = world("protectedFor", value);
        let service = scene.service(&[]).await;
        let callers = [("one", "role/made/one"), ("two", "role/made/two"), ("three", "role/another/one")]
            .map(|(id, identity)| key(&scene, id, identity));
        let form = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant"), ("ProtectedEnabled", "true")];
        let endpoint = text(&callers[0].call("CreateVpcEndpoint", &form).await.ok(), "EndpointId");
        scene.settle();
        for (number, caller) in callers.iter().enumerate() {
            let rename = [("EndpointId", endpoint.as_str()), ("EndpointName", "renamed")];
            let answered = caller.call("UpdateVpcEndpointAttribute", &rename).await;
            if number < obeys {
                answered.ok();
            } else {
                assert_eq!(answered.refused(), (400, "OperationDenied.EndpointProtected"), "{value} {number}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_is_json_or_json_in_lower_case_or_xml() {
    for (value, kind, begins) in [
        ("json", "application/json;charset=utf-8", "{\"Code\":\"EndpointServiceNotFound\",\"HostId\":"),
        ("lowerCase", "application/json;charset=utf-8", "{\"code\":\"EndpointServiceNotFound\",\"hostId\":"),
        (
            "xml",
            "text/xml;charset=utf-8",
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>EndpointServiceNotFound<",
        ),
    ] {
        let scene = world("errorShape", value);
        let get = [("ServiceId", "epsrv-1")];
        let answered = scene.provider.call("GetVpcEndpointServiceAttribute", &get).await;
        assert_eq!(answered.refused(), (400, "EndpointServiceNotFound"));
        assert_eq!(answered.headers["content-type"], kind);
        assert_eq!(answered.headers["x-acs-request-id"], text(&answered.body, "RequestId").as_str());
        assert!(answered.text.starts_with(begins), "{}", answered.text);
        scene.provider.call("DescribeRegions", &[]).await.ok();
        // What a caller made up stays text.
        let strange = scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", "x"), ("<&>", "1")]).await;
        assert_eq!(strange.refused(), (400, "InvalidParameter.<&>"));
    }
}

#[tokio::test]
async fn throttling_has_the_status_and_code_of_the_world() {
    for (name, value, refused) in [
        ("throttlingStatus", "400", (400, "Throttling.User")),
        ("throttlingStatus", "429", (429, "Throttling.User")),
        ("throttlingStatus", "503", (503, "Throttling.User")),
        ("throttlingCode", "Rejected.Throttling", (400, "Rejected.Throttling")),
    ] {
        let scene = world(name, value);
        let rule = Rule { action: None, nth: 1, times: 1, fault: Fault::Throttle };
        scene.simulator.with(|cloud| cloud.faults.add(rule));
        assert_eq!(scene.provider.call("DescribeRegions", &[]).await.refused(), refused, "{name}={value}");
    }
}

#[tokio::test]
async fn a_network_load_balancers_connection_takes_a_bandwidth_or_not() {
    for (value, takes) in [("true", true), ("false", false)] {
        let scene = world("nlbTakesBandwidth", value);
        let form = [
            ("ServiceResourceType", "nlb"),
            ("Resource.1.ResourceId", "nlb-hot"),
            ("Resource.1.ResourceType", "nlb"),
            ("Resource.1.ZoneId", "cn-hangzhou-f"),
        ];
        let service = text(&scene.provider.call("CreateVpcEndpointService", &form).await.ok(), "ServiceId");
        scene.settle();
        let user = [("ServiceId", service.as_str()), ("UserId", CONSUMER)];
        scene.provider.call("AddUserToVpcEndpointService", &user).await.ok();
        let form = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant"), ("Zone.1.VSwitchId", "vsw-tenant-f")];
        let endpoint = text(&scene.consumer.call("CreateVpcEndpoint", &form).await.ok(), "EndpointId");
        scene.settle();
        let connection = [("ServiceId", service.as_str()), ("EndpointId", endpoint.as_str())];
        scene.provider.call("EnableVpcEndpointConnection", &connection).await.ok();
        scene.settle();
        let faster = [connection[0], connection[1], ("Bandwidth", "40000"), ("TrafficControlMode", "BandwidthLimit")];
        let answered = scene.provider.call("UpdateVpcEndpointConnectionAttribute", &faster).await;
        if takes {
            answered.ok();
        } else {
            assert_eq!(answered.refused(), (400, "UpdateBandWidthUnSupported"));
        }
    }
}
