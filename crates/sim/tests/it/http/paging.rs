//! Lists in pages, and their filters.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Client;
use super::scene::{Scene, text};

async fn all(caller: &Client, action: &str, list: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut parameters = parameters.to_vec();
        if !cursor.is_empty() {
            parameters.push(("NextToken", &cursor));
        }
        let page = caller.call(action, &parameters).await.ok();
        items.extend(page[list].as_array().expect("a list").iter().cloned());
        match page["NextToken"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return items,
        }
    }
}

#[tokio::test]
async fn more_than_a_hundred_of_each_come_in_pages() {
    let scene = Scene::new();
    let mut services = BTreeSet::new();
    for number in 0..120 {
        let tag = [("Tag.1.Key", "number"), ("Tag.1.Value", &number.to_string())];
        let made = scene.provider.call("CreateVpcEndpointService", &tag).await.ok();
        services.insert(text(&made, "ServiceId"));
    }
    scene.settle();
    for size in ["7", "50", "1000"] {
        let listed = all(&scene.provider, "ListVpcEndpointServices", "Services", &[("MaxResults", size)]).await;
        let ids: Vec<_> = listed.iter().map(|service| text(service, "ServiceId")).collect();
        assert_eq!((ids.len(), ids.into_iter().collect::<BTreeSet<_>>()), (120, services.clone()), "{size}");
    }
    let first = scene.provider.call("ListVpcEndpointServices", &[]).await.ok();
    assert_eq!((&first["TotalCount"], &first["MaxResults"]), (&Value::from(120), &Value::from(50)));
    let filtered = [("Tag.1.Key", "number"), ("Tag.1.Value", "77")];
    assert_eq!(all(&scene.provider, "ListVpcEndpointServices", "Services", &filtered).await.len(), 1);

    let service = services.first().expect("a service").as_str();
    for account in 0..130 {
        let user = (5_000 + account).to_string();
        let call = [("ServiceId", service), ("UserId", user.as_str())];
        scene.provider.call("AddUserToVpcEndpointService", &call).await.ok();
    }
    let users = all(&scene.provider, "ListVpcEndpointServiceUsers", "Users", &[("ServiceId", service)]).await;
    assert_eq!(users.len(), 131, "the owner is on its own list");
    let one = [("ServiceId", service), ("UserId", "5077")];
    assert_eq!(all(&scene.provider, "ListVpcEndpointServiceUsers", "Users", &one).await.len(), 1);
}

#[tokio::test]
async fn connections_and_endpoints_come_in_pages_too() {
    let variants = privatelink_sim::world::Variants::default().with("oneEndpointPer", "nothing").expect("a variant");
    let scene = Scene::with(variants, super::scene::options());
    let service = scene.service(&[]).await;
    for _ in 0..110 {
        let call = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant"), ("SecurityGroupId.1", "sg-tenant")];
        scene.consumer.call("CreateVpcEndpoint", &call).await.ok();
    }
    scene.settle();
    let call = [("ServiceId", service.as_str()), ("MaxResults", "20")];
    let connections = all(&scene.provider, "ListVpcEndpointConnections", "Connections", &call).await;
    let endpoints = all(&scene.consumer, "ListVpcEndpoints", "Endpoints", &[]).await;
    let ids = |items: &[Value]| items.iter().map(|item| text(item, "EndpointId")).collect::<BTreeSet<_>>();
    assert_eq!((connections.len(), endpoints.len()), (110, 110));
    assert_eq!(ids(&connections), ids(&endpoints));
}

/// Caller, action, the answer's list, filters, and how many items are left.
type Case<'c> = (&'c Client, &'c str, &'c str, Vec<(&'c str, &'c str)>, usize);

#[tokio::test]
async fn every_filter_keeps_what_matches_and_nothing_else() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    let other = text(
        &scene
            .provider
            .call(
                "CreateVpcEndpointService",
                &[
                    ("ServiceResourceType", "nlb"),
                    ("AutoAcceptEnabled", "true"),
                    ("ResourceGroupId", "rg-provider-second"),
                ],
            )
            .await
            .ok(),
        "ServiceId",
    );
    let leg = scene.leg(&service, &endpoint, "cn-hangzhou-f").await;
    let (eni, resource) = (text(&leg, "EniId"), text(&leg, "ResourceId"));
    let name = format!("com.aliyuncs.privatelink.cn-hangzhou.{service}");
    let cases: Vec<Case<'_>> = vec![
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![], 2),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ServiceId", &service)], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ServiceId", "epsrv-1")], 0),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ServiceName", &name)], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ServiceStatus", "Creating")], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ServiceResourceType", "nlb")], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("AutoAcceptEnabled", "True")], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ResourceGroupId", "rg-provider")], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("ResourceId", "lb-hot")], 1),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("AddressIpVersion", "DualStack")], 0),
        (&scene.provider, "ListVpcEndpointServices", "Services", vec![("Tag.1.Key", "none")], 0),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![], 1),
        (
            &scene.provider,
            "ListVpcEndpointConnections",
            "Connections",
            vec![("EndpointOwnerId", "1002000000000002")],
            1,
        ),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("EndpointOwnerId", "1")], 0),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("ConnectionStatus", "Connected")], 1),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("ConnectionStatus", "Pending")], 0),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("EniId", &eni)], 1),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("EniId", "eni-1")], 0),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("ResourceId", &resource)], 1),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("ReplacedResourceId", &resource)], 0),
        (&scene.provider, "ListVpcEndpointConnections", "Connections", vec![("ServiceId", &other)], 0),
        (&scene.consumer, "ListVpcEndpointConnections", "Connections", vec![], 0),
        (&scene.consumer, "ListVpcEndpoints", "Endpoints", vec![("EndpointId", &endpoint)], 1),
        (&scene.consumer, "ListVpcEndpoints", "Endpoints", vec![("VpcId", "vpc-tenant-second")], 0),
        (&scene.consumer, "ListVpcEndpoints", "Endpoints", vec![("ServiceName", &name)], 1),
        (&scene.consumer, "ListVpcEndpoints", "Endpoints", vec![("EndpointType", "Reverse")], 0),
        (&scene.consumer, "ListVpcEndpoints", "Endpoints", vec![("EndpointStatus", "Active")], 1),
        (&scene.provider, "ListVpcEndpoints", "Endpoints", vec![], 0),
        (&scene.consumer, "ListVpcEndpointServicesByEndUser", "Services", vec![], 1),
        (&scene.consumer, "ListVpcEndpointServicesByEndUser", "Services", vec![("ServiceId", &other)], 0),
        (
            &scene.consumer,
            "ListVpcEndpointServicesByEndUser",
            "Services",
            vec![("ServiceType", "GatewayLoadBalancer")],
            0,
        ),
        (&scene.provider, "ListVpcEndpointServicesByEndUser", "Services", vec![], 2),
    ];
    for (caller, action, list, filters, count) in cases {
        let found = caller.call(action, &filters).await.ok();
        assert_eq!(found[list].as_array().map(Vec::len), Some(count), "{action} {filters:?}");
    }
}
