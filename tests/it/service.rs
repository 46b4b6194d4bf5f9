//! The provider's story: an `EndpointService` comes, is ready, and goes, with no call more than it needs.

use std::collections::BTreeMap;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use privatelink_operator::api::EndpointService;
use serde_json::{Value, json};

use crate::cluster::OPERATOR_NAMESPACE;
use crate::operator::{Operator, apply, is_ready};

fn service(namespace: &str, name: &str, account: &str, resources: &Value) -> Value {
    json!({
        "apiVersion": "privatelink.dev/v1alpha1",
        "kind": "EndpointService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accountRef": {"name": account}, "resources": resources, "tags": {"team": "a"}},
    })
}

fn counted(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(action, count)| ((*action).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_made_ready_and_deleted_with_the_fewest_calls() {
    let mut operator = Operator::start("service life").await;
    let namespace = operator.cluster.namespace("service").await;
    let account = operator.account("service-life", &[&namespace]).await;
    assert_eq!(account.status.expect("a status").account_id.as_deref(), Some("1001000000000001"));

    let tenant = operator.cluster.tenant_client(&namespace).await;
    let services = Api::<EndpointService>::namespaced(tenant.clone(), &namespace);
    let resources = json!([
        {"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"},
        {"id": "lb-hot-g", "type": "CLB", "zone": "cn-hangzhou-g"},
    ]);
    apply(&services, "gateway", &service(&namespace, "gateway", "service-life", &resources)).await;
    let ready = operator
        .becomes(services.clone(), "gateway", "Ready", |service| {
            service.is_some_and(|service| is_ready(service.status.as_ref().map(|status| &status.common)))
        })
        .await
        .expect("it is there");

    let status = ready.status.expect("a status");
    let world = operator.world();
    let made = world["services"].as_array().expect("services");
    assert_eq!(made.len(), 1, "{made:#?}");
    assert_eq!(made[0]["id"].as_str(), status.service_id.as_deref());
    assert_eq!(made[0]["status"], "Active");
    assert_eq!(made[0]["tags"]["team"], "a");
    assert_eq!(made[0]["tags"]["privatelink.dev/namespace"], namespace);
    assert_eq!(made[0]["tags"]["privatelink.dev/name"], "gateway");
    assert_eq!(made[0]["resources"].as_array().map(Vec::len), Some(2));
    assert_eq!(status.creation.account_id.as_deref(), Some("1001000000000001"));
    assert_eq!(status.zones, ["cn-hangzhou-f", "cn-hangzhou-g"]);
    assert_eq!(operator.writes(), counted(&[("CreateVpcEndpointService", 1)]));

    let events = Api::<Event>::namespaced(operator.admin().await, &namespace);
    let told = events.list(&ListParams::default()).await.expect("events are listed");
    let reasons: Vec<_> = told.items.iter().filter_map(|event| event.reason.as_deref()).collect();
    assert!(reasons.contains(&"Ready"), "{reasons:?}");

    services.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(services.clone(), "gateway", "gone", |service| service.is_none()).await;
    assert_eq!(operator.world()["services"], json!([]));
    let expected =
        [("CreateVpcEndpointService", 1), ("DetachResourceFromVpcEndpointService", 2), ("DeleteVpcEndpointService", 1)];
    assert_eq!(operator.writes(), counted(&expected));

    let leases = Api::<Lease>::namespaced(operator.admin().await, OPERATOR_NAMESPACE);
    operator.stop().await;
    let lease = leases.get("privatelink-operator").await.expect("there is a Lease");
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.filter(|holder| !holder.is_empty()), None, "it is given back");
}
