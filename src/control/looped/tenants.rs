//! A service, the entry that lets a tenant in, and the tenant's endpoint.

use serde_json::{Value, json};

use super::stage::Stage;
use super::subject::{NAME, Subject as _, is_settled};
use crate::api::shared::CommonStatus;
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

fn status(entry: &WhitelistEntry) -> Option<&CommonStatus> {
    Some(&entry.status.as_ref()?.common)
}

fn says(entry: &WhitelistEntry, truth: &str, reason: &str) -> bool {
    let current = |one: &&CommonStatus| Some(one.observed_generation) == entry.metadata.generation;
    let conditions = status(entry).filter(current).into_iter().flat_map(|common| &common.conditions);
    conditions.into_iter().any(|one| one.type_ == "Ready" && one.status == truth && one.reason == reason)
}

fn accepted() -> Value {
    json!({
        "serviceRef": {"name": NAME},
        "principal": "1002000000000002",
        "connections": {"action": "Accept"},
        "revocation": "Disconnect",
    })
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_let_in_and_out() {
    let mut stage = Stage::dark().await;
    stage.start();
    stage.accounts_are_ready().await;
    let (services, entries, endpoints) =
        (stage.of::<EndpointService>(), stage.of::<WhitelistEntry>(), stage.of::<Endpoint>());
    stage.apply(&entries, "tenant", &accepted()).await;
    stage
        .until(&entries, "tenant", "waiting", |one| one.is_some_and(|one| says(one, "False", "WaitingForService")))
        .await;
    stage.apply(&services, NAME, &EndpointService::declared(&stage)).await;
    stage
        .until(&entries, "tenant", "ready", |one| one.is_some_and(|one| says(one, "True", "WaitingForConsumer")))
        .await;
    let mut endpoint = json!({
        "accountRef": {"name": "consumer"},
        "service": {"ref": {"name": NAME}},
        "type": "Interface",
        "vpcId": "vpc-tenant",
        "zones": [{"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"}],
        "securityGroupIds": ["sg-tenant"],
    });
    stage.apply(&endpoints, NAME, &endpoint.take()).await;
    stage.until(&endpoints, NAME, "settled", is_settled::<Endpoint>).await;
    let entry = stage.until(&entries, "tenant", "ready", |one| one.is_some_and(|one| says(one, "True", "Ready"))).await;
    println!("{:#?}", entry.unwrap().status);
    println!("{:?}", stage.effects());
    stage.delete(&entries, "tenant").await;
    stage.gone(&entries, "tenant").await;
    println!("{:?}", stage.effects());
    println!("{:#}", stage.whole_world());
}
