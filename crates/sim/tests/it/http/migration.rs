//! A smooth and a forced replacement on the wire: what each side sees at each step, and the witness beside.

use privatelink_sim::alibaba::name;
use privatelink_sim::cloud::Cloud;
use privatelink_sim::world::Variants;
use serde_json::Value;

use super::scene::{Scene, options, text};

const ZONE: &str = "cn-hangzhou-f";

async fn prepare(scene: &Scene) -> (String, String, String) {
    let (service, endpoint) = scene.connected().await;
    let old = text(&scene.leg(&service, &endpoint, ZONE).await, "ResourceId");
    let switch = [("ServiceId", service.as_str()), ("ResourceId", &old), ("AutoAllocatedEnabled", "false")];
    scene.provider.call("UpdateVpcEndpointServiceResourceAttribute", &switch).await.ok();
    (service, endpoint, old)
}

async fn replace(scene: &Scene, service: &str, endpoint: &str, old: &str, mode: &str) {
    let call = [
        ("ServiceId", service),
        ("EndpointId", endpoint),
        ("ZoneId", ZONE),
        ("ResourceReplaceMode", mode),
        ("ResourceId", if old == "lb-hot" { "lb-spare" } else { "lb-hot" }),
        ("ResourceType", "slb"),
    ];
    scene.provider.call("UpdateVpcEndpointZoneConnectionResourceAttribute", &call).await.ok();
}

async fn consumers_zone(scene: &Scene, endpoint: &str) -> Value {
    let zones = scene.consumer.call("ListVpcEndpointZones", &[("EndpointId", endpoint)]).await.ok();
    zones["Zones"][0].clone()
}

fn gap(scene: &Scene, endpoint: &str) -> (u32, f64) {
    scene.simulator.with(|cloud| {
        let zone = cloud.state().land.zone_named(ZONE);
        let track = cloud.journal.witness().of(name::endpoint(endpoint), Some(zone)).expect("a watched leg");
        assert!(track.is_up());
        (track.gaps(), track.gap(cloud.clock.now()).as_secs_f64())
    })
}

#[tokio::test]
async fn a_smooth_migration_keeps_both_sides_until_the_old_one_is_closed() {
    let scene = Scene::new();
    let (service, endpoint, old) = prepare(&scene).await;
    let before = consumers_zone(&scene, &endpoint).await;
    replace(&scene, &service, &endpoint, &old, "Graceful").await;
    assert_eq!(scene.leg(&service, &endpoint, ZONE).await["ZoneStatus"], "Migrating");
    assert_eq!(consumers_zone(&scene, &endpoint).await["ZoneStatus"], "Connected");
    let blocked = scene.provider.call("AddUserToVpcEndpointService", &[("ServiceId", &service), ("UserId", "9")]).await;
    assert_eq!(blocked.refused(), (400, "EndpointServiceOperationDenied"));
    scene.settle();
    let leg = scene.leg(&service, &endpoint, ZONE).await;
    assert_eq!((&leg["ZoneStatus"], &leg["ReplacedResourceId"]), (&"Migrated".into(), &old.as_str().into()));
    assert_eq!(leg["ReplacedEniId"], before["EniId"]);
    let filter = [("ServiceId", service.as_str()), ("ReplacedResourceId", &old)];
    let found = scene.provider.call("ListVpcEndpointConnections", &filter).await.ok();
    assert_eq!(found["TotalCount"], "1");
    let resources = scene.provider.call("ListVpcEndpointServiceResources", &[("ServiceId", &service)]).await.ok();
    let of_old =
        resources["Resources"].as_array().expect("a list").iter().find(|one| one["ResourceId"] == old.as_str());
    let of_old = of_old.expect("the old resource is attached");
    assert_eq!((&of_old["RelatedEndpointCount"], &of_old["RelatedDeprecatedEndpointCount"]), (&0.into(), &1.into()));
    let detach = [("ServiceId", service.as_str()), ("ResourceId", &old), ("ResourceType", "slb")];
    let refused = scene.provider.call("DetachResourceFromVpcEndpointService", &detach).await;
    assert_eq!(refused.refused(), (400, "EndpointServiceConnectionDependence"));

    let after = consumers_zone(&scene, &endpoint).await;
    assert_eq!(after["ZoneStatus"], "Connected");
    assert_ne!((&after["EniId"], &after["EniIp"]), (&before["EniId"], &before["EniIp"]));
    let close =
        [("ServiceId", service.as_str()), ("EndpointId", &endpoint), ("ZoneId", ZONE), ("ReplacedResource", "True")];
    scene.provider.call("DisableVpcEndpointZoneConnection", &close).await.ok();
    scene.settle();
    let leg = scene.leg(&service, &endpoint, ZONE).await;
    assert_eq!(leg["ZoneStatus"], "Connected");
    assert!(leg.get("ReplacedResourceId").is_none());
    scene.provider.call("DetachResourceFromVpcEndpointService", &detach).await.ok();
    assert_eq!(gap(&scene, &endpoint), (0, 0.0));
}

#[tokio::test]
async fn a_forced_replacement_is_a_gap_that_the_witness_sees() {
    for (shows, word) in [("true", "Migrating"), ("false", "Connecting")] {
        let variants = Variants::default().with("forceShowsMigrating", shows).expect("a variant");
        let scene = Scene::with(variants, options());
        let (service, endpoint, old) = prepare(&scene).await;
        replace(&scene, &service, &endpoint, &old, "Force").await;
        assert_eq!(scene.leg(&service, &endpoint, ZONE).await["ZoneStatus"], word);
        scene.settle();
        let leg = scene.leg(&service, &endpoint, ZONE).await;
        assert_eq!(leg["ZoneStatus"], "Connected");
        assert!(leg["ResourceId"] != old.as_str() && leg.get("ReplacedResourceId").is_none());
        assert_eq!(gap(&scene, &endpoint), (1, 3.0));
    }
}

#[tokio::test]
async fn closing_shows_as_the_world_says() {
    for (shows, word) in [("true", "Disconnecting"), ("false", "Migrated")] {
        let variants = Variants::default().with("cleanUpShowsDisconnecting", shows).expect("a variant");
        let scene = Scene::with(variants, options());
        let (service, endpoint, old) = prepare(&scene).await;
        replace(&scene, &service, &endpoint, &old, "Graceful").await;
        scene.settle();
        let close = [
            ("ServiceId", service.as_str()),
            ("EndpointId", &endpoint),
            ("ZoneId", ZONE),
            ("ReplacedResource", "true"),
        ];
        scene.provider.call("DisableVpcEndpointZoneConnection", &close).await.ok();
        assert_eq!(scene.leg(&service, &endpoint, ZONE).await["ZoneStatus"], word);
    }
}

#[tokio::test]
async fn cutting_the_wrong_side_is_a_gap_too() {
    let scene = Scene::new();
    let (service, endpoint, old) = prepare(&scene).await;
    replace(&scene, &service, &endpoint, &old, "Graceful").await;
    scene.settle();
    let zone = [("ServiceId", service.as_str()), ("EndpointId", &endpoint), ("ZoneId", ZONE)];
    scene.provider.call("DisableVpcEndpointZoneConnection", &zone).await.ok();
    scene.simulator.with(|cloud| cloud.advance(jiff::SignedDuration::from_secs(10)));
    assert_eq!(scene.leg(&service, &endpoint, ZONE).await["ZoneStatus"], "Disconnected");
    scene.provider.call("EnableVpcEndpointZoneConnection", &zone).await.ok();
    scene.simulator.with(Cloud::settle);
    assert_eq!(gap(&scene, &endpoint), (1, 11.0));
}
