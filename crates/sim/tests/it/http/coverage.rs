//! One rich life of services and endpoints: every action answers, and every described field is shown.

use std::collections::{BTreeMap, BTreeSet};

use privatelink_sim::alibaba::description::{PRIVATELINK, paths};

use super::client::Client;
use super::scene::{CONSUMER, Scene, text};

#[tokio::test]
async fn every_action_answers_and_every_described_field_is_shown() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    account(&scene).await;
    providers_life(&scene, &service, &endpoint).await;
    consumers_life(&scene, &service, &endpoint).await;
    far_and_wide(&scene).await;
    tags_and_groups(&scene, &service, &endpoint).await;
    migration(&scene, &service, &endpoint).await;
    pages(&scene, &service, &endpoint).await;
    the_end(&scene, &service, &endpoint).await;

    let seen = scene.provider.seen.lock().expect("no test panicked with it").clone();
    let answered: BTreeSet<_> = seen.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(answered, PRIVATELINK.actions.keys().map(String::as_str).collect());
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, action) in &PRIVATELINK.actions {
        for path in paths(&action.response) {
            if !seen.contains(&(name.clone(), path.clone())) {
                missing.entry(name).or_default().push(path);
            }
        }
    }
    assert_eq!(missing, BTreeMap::new());
}

async fn account(scene: &Scene) {
    let restricted = &scene.restricted;
    assert_eq!(restricted.call("CheckProductOpen", &[]).await.refused(), (400, "NeedOpenProduct"));
    restricted.call("OpenPrivateLinkService", &[]).await.ok();
    assert_eq!(restricted.call("OpenPrivateLinkService", &[]).await.refused(), (400, "OrderOpend"));
    assert_eq!(restricted.call("CheckProductOpen", &[]).await.ok()["Success"], true);
    let regions = scene.provider.call("DescribeRegions", &[]).await.ok();
    assert_eq!(regions["Regions"]["Region"][1]["RegionId"], "cn-shanghai");
    let zones = scene.provider.in_region("cn-shanghai").call("DescribeZones", &[]).await.ok();
    assert_eq!(zones["Zones"]["Zone"].as_array().map(Vec::len), Some(2));
}

async fn providers_life(scene: &Scene, service: &str, endpoint: &str) {
    let provider = &scene.provider;
    let of_service = ("ServiceId", service);
    let change = [
        of_service,
        ("ServiceDescription", "hot"),
        ("ConnectBandwidth", "5000"),
        ("AddSupportedRegionSet.1", "cn-shanghai"),
    ];
    provider.call("UpdateVpcEndpointServiceAttribute", &change).await.ok();
    scene.settle();
    let shown = provider.call("GetVpcEndpointServiceAttribute", &[of_service]).await.ok();
    assert_eq!((&shown["ServiceDescription"], &shown["ConnectBandwidth"]), (&"hot".into(), &5000.into()));
    assert_eq!(shown["SupportedRegionSet"][0]["RegionServiceStatus"], "Available");
    assert_eq!(shown["Zones"], serde_json::json!(["cn-hangzhou-f", "cn-hangzhou-g"]));

    let third = [of_service, ("ResourceId", "lb-third"), ("ResourceType", "slb"), ("ZoneId", "cn-hangzhou-f")];
    provider.call("AttachResourceToVpcEndpointService", &third).await.ok();
    scene.settle();
    provider.call("DetachResourceFromVpcEndpointService", &third).await.ok();
    scene.settle();
    for user in [("UserARN", "acs:ram:*:1003000000000003"), ("UserARN", "acs:ram:*:1004000000000004"), ("UserId", "7")]
    {
        provider.call("AddUserToVpcEndpointService", &[of_service, user]).await.ok();
    }
    let arns = provider.call("ListVpcEndpointServiceUsers", &[of_service, ("UserListType", "UserARNs")]).await.ok();
    assert_eq!(arns["UserARNs"].as_array().map(Vec::len), Some(2));
    provider.call("RemoveUserFromVpcEndpointService", &[of_service, ("UserId", "7")]).await.ok();
    let users = provider.call("ListVpcEndpointServiceUsers", &[of_service]).await.ok();
    assert_eq!(users["Users"].as_array().map(Vec::len), Some(2));

    let connection = [of_service, ("EndpointId", endpoint)];
    let wider = [of_service, ("EndpointId", endpoint), ("Bandwidth", "200")];
    provider.call("UpdateVpcEndpointConnectionAttribute", &wider).await.ok();
    scene.settle();
    let listed = provider.call("ListVpcEndpointConnections", &connection).await.ok();
    assert_eq!(listed["Connections"][0]["Bandwidth"], 200);
    provider.call("DisableVpcEndpointConnection", &connection).await.ok();
    scene.settle();
    provider.call("EnableVpcEndpointConnection", &connection).await.ok();
    scene.settle();
    for action in ["DisableVpcEndpointZoneConnection", "EnableVpcEndpointZoneConnection"] {
        let zone = [of_service, ("EndpointId", endpoint), ("ZoneId", "cn-hangzhou-g")];
        provider.call(action, &zone).await.ok();
        scene.settle();
    }
    assert_eq!(scene.leg(service, endpoint, "cn-hangzhou-g").await["ZoneStatus"], "Connected");
}

async fn consumers_life(scene: &Scene, service: &str, endpoint: &str) {
    let consumer = &scene.consumer;
    let of_endpoint = ("EndpointId", endpoint);
    let change = [of_endpoint, ("EndpointName", "named"), ("EndpointDescription", "described")];
    consumer.call("UpdateVpcEndpointAttribute", &change).await.ok();
    let shown = consumer.call("GetVpcEndpointAttribute", &[of_endpoint]).await.ok();
    assert_eq!((&shown["EndpointName"], &shown["ServiceId"]), (&"named".into(), &service.into()));
    assert_eq!(shown["ConnectionStatus"], "Connected");
    for action in ["RemoveZoneFromVpcEndpoint", "AddZoneToVpcEndpoint"] {
        let mut zone = vec![of_endpoint, ("ZoneId", "cn-hangzhou-g")];
        if action == "AddZoneToVpcEndpoint" {
            zone.extend([("VSwitchId", "vsw-tenant-g"), ("ip", "192.168.2.77")]);
        }
        consumer.call(action, &zone).await.ok();
        scene.settle();
    }
    let zones = consumer.call("ListVpcEndpointZones", &[of_endpoint]).await.ok();
    assert_eq!(
        (&zones["Zones"][1]["EniIp"], &zones["Zones"][1]["ZoneStatus"]),
        (&"192.168.2.77".into(), &"Connected".into())
    );
    for action in
        ["AttachSecurityGroupToVpcEndpoint", "DetachSecurityGroupFromVpcEndpoint", "AttachSecurityGroupToVpcEndpoint"]
    {
        consumer.call(action, &[of_endpoint, ("SecurityGroupId", "sg-tenant-second")]).await.ok();
        scene.settle();
    }
}

/// What only some endpoints have: IPv6, another region, a policy.
async fn far_and_wide(scene: &Scene) {
    let made = scene
        .provider
        .call(
            "CreateVpcEndpointService",
            &[
                ("ServiceResourceType", "nlb"),
                ("AddressIpVersion", "DualStack"),
                ("ServiceSupportIPv6", "true"),
                ("Resource.1.ResourceId", "nlb-hot"),
                ("Resource.1.ResourceType", "nlb"),
                ("Resource.1.ZoneId", "cn-hangzhou-f"),
                ("SupportedRegionList.1", "cn-shanghai"),
                ("Tag.1.Key", "a"),
                ("Tag.1.Value", "b"),
            ],
        )
        .await
        .ok();
    let service = text(&made, "ServiceId");
    scene.settle();
    scene.provider.call("AddUserToVpcEndpointService", &[("ServiceId", &service), ("UserId", CONSUMER)]).await.ok();
    let wide = [
        ("ServiceId", service.as_str()),
        ("VpcId", "vpc-tenant"),
        ("AddressIpVersion", "DualStack"),
        ("SecurityGroupId.1", "sg-tenant"),
        ("Zone.1.VSwitchId", "vsw-tenant-f"),
    ];
    let wide = text(&scene.consumer.call("CreateVpcEndpoint", &wide).await.ok(), "EndpointId");
    let far = scene.consumer.in_region("cn-shanghai");
    let crossing = [
        ("ServiceName", format!("com.aliyuncs.privatelink.cn-hangzhou.{service}")),
        ("ServiceRegionId", "cn-hangzhou".to_owned()),
        ("CrossRegionBandwidth", "100".to_owned()),
        ("VpcId", "vpc-tenant-shanghai".to_owned()),
        ("Zone.1.VSwitchId", "vsw-tenant-b".to_owned()),
        ("Tag.1.Key", "a".to_owned()),
    ];
    let crossing: Vec<_> = crossing.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let crossing = text(&far.call("CreateVpcEndpoint", &crossing).await.ok(), "EndpointId");
    scene.settle();
    let zones = scene.consumer.call("ListVpcEndpointZones", &[("EndpointId", &wide)]).await.ok();
    assert_eq!(zones["Zones"][0]["ZoneIpv6Address"], "2408:4005:2:1::105");
    let shown = far.call("GetVpcEndpointAttribute", &[("EndpointId", &crossing)]).await.ok();
    assert_eq!((&shown["RegionId"], &shown["ServiceRegionId"]), (&"cn-shanghai".into(), &"cn-hangzhou".into()));
    far.call("ListVpcEndpoints", &[]).await.ok();

    let vendors = [("Resource.1.ResourceId", "lb-vendor"), ("Resource.1.ResourceType", "slb")];
    let vendors = text(&scene.vendor.call("CreateVpcEndpointService", &vendors).await.ok(), "ServiceId");
    scene.settle();
    scene.vendor.call("AddUserToVpcEndpointService", &[("ServiceId", &vendors), ("UserARN", "acs:ram:*:*")]).await.ok();
    let guarded = [("ServiceId", vendors.as_str()), ("VpcId", "vpc-tenant"), ("PolicyDocument", r#"{"Version":"1"}"#)];
    let guarded = text(&scene.consumer.call("CreateVpcEndpoint", &guarded).await.ok(), "EndpointId");
    scene.settle();
    let shown = scene.consumer.call("GetVpcEndpointAttribute", &[("EndpointId", &guarded)]).await.ok();
    assert_eq!(shown["PolicyDocument"], r#"{"Version":"1"}"#);
    scene.consumer.call("ListVpcEndpoints", &[]).await.ok();
}

async fn tags_and_groups(scene: &Scene, service: &str, endpoint: &str) {
    for (caller, kind, id) in
        [(&scene.provider, "vpcendpointservice", service), (&scene.consumer, "VpcEndpoint", endpoint)]
    {
        let keys: Vec<(String, String)> = (1..=20).map(|n| (format!("Tag.{n}.Key"), format!("key-{n}"))).collect();
        let values: Vec<(String, String)> = (1..=20).map(|n| (format!("Tag.{n}.Value"), "v".to_owned())).collect();
        let mut call = vec![("ResourceType", kind), ("ResourceId.1", id)];
        call.extend(keys.iter().chain(&values).map(|(name, value)| (name.as_str(), value.as_str())));
        caller.styled(super::client::Style::Acs3Form).call("TagResources", &call).await.ok();
        let removed = [("ResourceType", kind), ("ResourceId.1", id), ("TagKey.1", "key-20")];
        caller.call("UntagResources", &removed).await.ok();
        let listed = caller.call("ListTagResources", &[("ResourceType", kind), ("ResourceId.1", id)]).await.ok();
        assert_eq!(listed["TagResources"].as_array().map(Vec::len), Some(19));
        let named =
            ("ResourceGroupId", if kind == "VpcEndpoint" { "rg-consumer-second" } else { "rg-provider-second" });
        let kind = if kind == "VpcEndpoint" { "VpcEndpoint" } else { "VpcEndpointService" };
        caller.call("ChangeResourceGroup", &[("ResourceId", id), ("ResourceType", kind), named]).await.ok();
    }
}

async fn migration(scene: &Scene, service: &str, endpoint: &str) {
    let leg = scene.leg(service, endpoint, "cn-hangzhou-f").await;
    let old = text(&leg, "ResourceId");
    let new = if old == "lb-hot" { "lb-spare" } else { "lb-hot" };
    let switch = [("ServiceId", service), ("ResourceId", &old), ("AutoAllocatedEnabled", "false")];
    scene.provider.call("UpdateVpcEndpointServiceResourceAttribute", &switch).await.ok();
    let replace = [
        ("ServiceId", service),
        ("EndpointId", endpoint),
        ("ZoneId", "cn-hangzhou-f"),
        ("ResourceReplaceMode", "Graceful"),
        ("ResourceId", new),
        ("ResourceType", "slb"),
    ];
    scene.provider.call("UpdateVpcEndpointZoneConnectionResourceAttribute", &replace).await.ok();
    scene.settle();
    let leg = scene.leg(service, endpoint, "cn-hangzhou-f").await;
    assert_eq!((&leg["ResourceId"], &leg["ReplacedResourceId"]), (&new.into(), &old.as_str().into()));
    let resources = scene.provider.call("ListVpcEndpointServiceResources", &[("ServiceId", service)]).await.ok();
    assert_eq!(resources["Resources"].as_array().map(Vec::len), Some(4));
}

type List<'l> = (&'l Client, &'l str, Vec<(&'l str, &'l str)>);

/// The second page of every list.
async fn pages(scene: &Scene, service: &str, endpoint: &str) {
    let second = [
        ("ServiceId", service),
        ("VpcId", "vpc-tenant-second"),
        ("Zone.1.VSwitchId", "vsw-tenant-second-f"),
        ("SecurityGroupId.1", "sg-tenant-other"),
    ];
    scene.consumer.call("CreateVpcEndpoint", &second).await.ok();
    scene.settle();
    let of_service = vec![("ServiceId", service)];
    let of_endpoint = vec![("EndpointId", endpoint)];
    let arns = vec![("ServiceId", service), ("UserListType", "UserARNs")];
    let lists: Vec<List<'_>> = vec![
        (&scene.provider, "ListVpcEndpointServices", vec![]),
        (&scene.provider, "ListVpcEndpointServiceResources", of_service.clone()),
        (&scene.provider, "ListVpcEndpointServiceUsers", of_service.clone()),
        (&scene.provider, "ListVpcEndpointServiceUsers", arns),
        (&scene.provider, "ListVpcEndpointServicesByEndUser", vec![]),
        (&scene.provider, "ListVpcEndpointConnections", of_service),
        (&scene.consumer, "ListVpcEndpoints", vec![]),
        (&scene.consumer, "ListVpcEndpointZones", of_endpoint.clone()),
        (&scene.consumer, "ListVpcEndpointSecurityGroups", of_endpoint),
    ];
    for (caller, action, call) in lists {
        let mut first = call.clone();
        first.push(("MaxResults", "1"));
        let page = caller.call(action, &first).await.ok();
        let cursor = text(&page, "NextToken");
        first.push(("NextToken", &cursor));
        caller.call(action, &first).await.ok();
    }
    let mut tagged = 0;
    for _ in 0..3 {
        let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
        scene.settle();
        let id = text(&made, "ServiceId");
        let keys: Vec<(String, String)> = (1..=20).map(|n| (format!("Tag.{n}.Key"), format!("key-{n}"))).collect();
        let values: Vec<(String, String)> = (1..=20).map(|n| (format!("Tag.{n}.Value"), String::new())).collect();
        let mut call = vec![("ResourceType", "vpcendpointservice"), ("ResourceId.1", id.as_str())];
        call.extend(keys.iter().chain(&values).map(|(name, value)| (name.as_str(), value.as_str())));
        scene.provider.call("TagResources", &call).await.ok();
        tagged += 1;
    }
    assert_eq!(tagged, 3);
    let call = [("ResourceType", "vpcendpointservice"), ("Tag.1.Key", "key-1")];
    let page = scene.provider.call("ListTagResources", &call).await.ok();
    assert_eq!(page["TagResources"].as_array().map(Vec::len), Some(50));
    text(&page, "NextToken");
}

async fn the_end(scene: &Scene, service: &str, endpoint: &str) {
    let zone =
        [("ServiceId", service), ("EndpointId", endpoint), ("ZoneId", "cn-hangzhou-f"), ("ReplacedResource", "true")];
    scene.provider.call("DisableVpcEndpointZoneConnection", &zone).await.ok();
    scene.settle();
    for zone in ["cn-hangzhou-f", "cn-hangzhou-g"] {
        scene.consumer.call("RemoveZoneFromVpcEndpoint", &[("EndpointId", endpoint), ("ZoneId", zone)]).await.ok();
        scene.settle();
    }
    scene.consumer.call("DeleteVpcEndpoint", &[("EndpointId", endpoint)]).await.ok();
    scene.settle();
    let gone = scene.consumer.call("GetVpcEndpointAttribute", &[("EndpointId", endpoint)]).await;
    assert_eq!(gone.refused(), (400, "EndpointNotFound"));
    let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    scene.settle();
    let of_service = [("ServiceId", made["ServiceId"].as_str().expect("an id"))];
    scene.provider.call("DeleteVpcEndpointService", &of_service).await.ok();
    let shown = scene.provider.call("GetVpcEndpointServiceAttribute", &of_service).await.ok();
    assert_eq!(shown["ServiceStatus"], "Deleting");
    scene.settle();
    let gone = scene.provider.call("GetVpcEndpointServiceAttribute", &of_service).await;
    assert_eq!(gone.refused(), (400, "EndpointServiceNotFound"));
}
