//! A zone of a tenant's connection, moved from one load balancer to another.

use serde_json::json;

use super::stage::Stage;
use super::subject::{NAME, is_settled};
use crate::api::zone::MigrationRecord;
use crate::api::{Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

fn says(zone: &ZoneResourceAssignment, truth: &str, reason: &str) -> bool {
    let status = zone.status.as_ref().filter(|one| Some(one.common.observed_generation) == zone.metadata.generation);
    let conditions = status.into_iter().flat_map(|status| &status.common.conditions);
    conditions.into_iter().any(|one| one.type_ == "Ready" && one.status == truth && one.reason == reason)
}

#[tokio::test(start_paused = true)]
async fn a_zone_moves_smoothly() {
    let mut stage = Stage::dark().await;
    stage.start();
    stage.accounts_are_ready().await;
    let (services, entries, endpoints, zones) = (
        stage.of::<EndpointService>(),
        stage.of::<WhitelistEntry>(),
        stage.of::<Endpoint>(),
        stage.of::<ZoneResourceAssignment>(),
    );
    let service = json!({
        "accountRef": {"name": "provider"},
        "resources": [
            {"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f", "autoAllocate": false},
            {"id": "lb-spare", "type": "CLB", "zone": "cn-hangzhou-f"},
        ],
    });
    stage.apply(&services, NAME, &service).await;
    let entry = json!({
        "serviceRef": {"name": NAME}, "principal": "1002000000000002", "connections": {"action": "Accept"},
    });
    stage.apply(&entries, "tenant", &entry).await;
    let mut zone = json!({
        "serviceRef": {"name": NAME}, "endpoint": {"ref": {"name": NAME}}, "zone": "cn-hangzhou-f",
        "resourceId": "lb-hot", "migration": {"drainSeconds": 30},
    });
    stage.apply(&zones, "f", &zone).await;
    let endpoint = json!({
        "accountRef": {"name": "consumer"}, "service": {"ref": {"name": NAME}}, "type": "Interface",
        "vpcId": "vpc-tenant", "zones": [{"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"}],
        "securityGroupIds": ["sg-tenant"],
    });
    stage.apply(&endpoints, NAME, &endpoint).await;
    stage.until(&endpoints, NAME, "settled", is_settled::<Endpoint>).await;
    stage.until(&zones, "f", "ready", |one| one.is_some_and(|one| says(one, "True", "Ready"))).await;
    zone["resourceId"] = "lb-spare".into();
    stage.apply(&zones, "f", &zone).await;
    let zone = stage.until(&zones, "f", "ready", |one| one.is_some_and(|one| says(one, "True", "Ready"))).await;
    let status = zone.and_then(|zone| zone.status).expect("a status");
    let told = |one: &MigrationRecord| (one.from.clone(), one.to.clone(), one.mode.clone(), one.gap_seconds);
    let moved = ("lb-hot".to_owned(), "lb-spare".to_owned(), "Smooth".to_owned(), Some(0));
    assert_eq!(status.history.iter().map(told).collect::<Vec<_>>(), [moved]);
    assert_eq!((status.migration, status.replaced), (None, None));
    let of_zones = stage.effects().into_iter().filter(|call| call.contains("Zone")).collect::<Vec<_>>();
    let (changes, closes) = ("UpdateVpcEndpointZoneConnectionResourceAttribute", "DisableVpcEndpointZoneConnection");
    assert_eq!(of_zones, [changes, changes, closes], "assigned, replaced, closed");
    stage.delete(&zones, "f").await;
    stage.gone(&zones, "f").await;
}
