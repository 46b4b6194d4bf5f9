//! The provider's story: an `EndpointService` comes, is ready, and goes, with no call more than it needs.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
    runtime::{WatchStreamExt as _, watcher},
};
use privatelink_operator::api::{CloudAccount, EndpointService};
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_NAMESPACE, PATIENCE};
use crate::operator::{Operator, apply, is_ready};

pub fn service(namespace: &str, name: &str, account: &str, resources: &Value) -> Value {
    json!({
        "apiVersion": "privatelink.dev/v1alpha1",
        "kind": "EndpointService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accountRef": {"name": account}, "resources": resources, "tags": {"team": "a"}},
    })
}

pub fn counted(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
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

    // It is told after it is written.
    let events = Api::<Event>::namespaced(operator.admin().await, &namespace);
    let told = watcher(events, watcher::Config::default())
        .applied_objects()
        .any(|event| async move { event.is_ok_and(|event| event.reason.as_deref() == Some("Ready")) });
    assert!(tokio::time::timeout(PATIENCE, told).await.expect("it is told that it is ready"));

    services.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(services.clone(), "gateway", "gone", |service| service.is_none()).await;
    assert_eq!(operator.world()["services"], json!([]));
    let expected =
        [("CreateVpcEndpointService", 1), ("DetachResourceFromVpcEndpointService", 2), ("DeleteVpcEndpointService", 1)];
    assert_eq!(operator.writes(), counted(&expected));
    measures_what_it_has_asked_for(&operator).await;
    tells_of_its_calls(&operator);

    let leases = Api::<Lease>::namespaced(operator.admin().await, OPERATOR_NAMESPACE);
    operator.stop().await;
    let lease = leases.get("privatelink-operator").await.expect("there is a Lease");
    let holder = lease.spec.and_then(|spec| spec.holder_identity);
    assert_eq!(holder.filter(|holder| !holder.is_empty()), None, "it is given back");
}

/// A line of the log leads from an object to the calls that were made for it, and by their ids to the cloud's support.
fn tells_of_its_calls(operator: &Operator) {
    let (log, of_gateway) = (operator.log(), |line: &&Value| line["span"]["object"] == "gateway");
    let ids = operator.sim.with(|cloud| {
        let creates = cloud.journal.calls().filter(|call| call.action == "CreateVpcEndpointService");
        creates.map(|call| call.request_id.clone()).collect::<Vec<_>>()
    });
    let accepted =
        |line: &&Value| line["message"] == "the cloud has accepted it" && line["call"] == "CreateVpcEndpointService";
    let told: Vec<&Value> = log.iter().filter(of_gateway).filter(accepted).map(|line| &line["request_id"]).collect();
    assert_eq!(json!(told), json!(ids));
    let done = |line: &&Value| line["step"] == "CreateService" && line["message"] == "done";
    let done: Vec<&Value> = log.iter().filter(of_gateway).filter(done).collect();
    assert_eq!(done.len(), 1, "{done:#?}");
    assert_eq!(done[0]["account"], "service-life");
    assert_eq!(done[0]["span"]["kind"], "EndpointService");
}

/// What the process says of its writes is what the cloud has seen; reads go on meanwhile.
async fn measures_what_it_has_asked_for(operator: &Operator) {
    let measured = operator.measured().await;
    let writes = operator.writes();
    for (action, asked_for) in [
        ("CreateService", "CreateVpcEndpointService"),
        ("DetachResource", "DetachResourceFromVpcEndpointService"),
        ("DeleteService", "DeleteVpcEndpointService"),
    ] {
        let family = format!(r#"privatelink_cloud_requests_total{{cloud="alibaba",action="{action}","#);
        let of_action = measured.iter().filter(|(sample, _)| sample.starts_with(&family));
        let requests: f64 = of_action.map(|(_, requests)| requests).sum();
        assert_eq!(requests.to_string(), operator.asked_for(asked_for).to_string(), "{action}: {measured:#?}");
        let answered = measured.get(&format!(r#"{family}outcome="ok"}}"#)).copied().unwrap_or_default();
        assert_eq!(answered.to_string(), writes[asked_for].to_string(), "{action}: {measured:#?}");
    }
    let ends = measured.keys().find(|sample| sample.starts_with("privatelink_credentials"));
    assert_eq!(ends, None, "the keys of a Secret have no end that is known");
}

/// A tenant's services, and one of them applied.
pub async fn offered(operator: &Operator, namespace: &str, account: &str, name: &str) -> Api<EndpointService> {
    let tenant = operator.cluster.tenant_client(namespace).await;
    let services = Api::<EndpointService>::namespaced(tenant, namespace);
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    apply(&services, name, &service(namespace, name, account, &resources)).await;
    services
}

pub async fn becomes_ready(operator: &Operator, services: &Api<EndpointService>, name: &str) -> EndpointService {
    let ready = operator.becomes(services.clone(), name, "Ready", |service| {
        service.is_some_and(|service| is_ready(service.status.as_ref().map(|status| &status.common)))
    });
    ready.await.expect("it is there")
}

pub async fn goes(operator: &Operator, services: &Api<EndpointService>, name: &str) {
    services.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(services.clone(), name, "gone", |service| service.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_create_call_is_on_its_way_it_makes_no_second_service() {
    let mut operator = Operator::start("killed in create").await;
    let namespace = operator.cluster.namespace("killed").await;
    operator.account("killed-in-create", &[&namespace]).await;
    operator.fault(json!({"action": "CreateVpcEndpointService", "nth": 1, "do": "loseAnswer"}));
    let services = offered(&operator, &namespace, "killed-in-create", "gateway").await;
    operator.has_written("CreateVpcEndpointService").await;
    operator.kill();
    operator.run(&[]).await;
    let ready = becomes_ready(&operator, &services, "gateway").await;
    let world = operator.world();
    assert_eq!(world["services"].as_array().map(Vec::len), Some(1));
    assert_eq!(world["services"][0]["id"].as_str(), ready.status.and_then(|status| status.service_id).as_deref());
    assert_eq!(operator.writes(), counted(&[("CreateVpcEndpointService", 1)]));
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_left_alone_by_a_restart_and_found_again_when_its_status_is_lost() {
    let mut operator = Operator::start("restart").await;
    let namespace = operator.cluster.namespace("restart").await;
    operator.account("restart", &[&namespace]).await;
    let services = offered(&operator, &namespace, "restart", "gateway").await;
    let ready = becomes_ready(&operator, &services, "gateway").await;
    let writes = operator.writes();
    // The first count of its connections comes with the first look at them.
    let counted = |service: &EndpointService| service.status.as_ref()?.connection_counts;
    let settled =
        operator.becomes(services.clone(), "gateway", "counted", |service| service.and_then(counted).is_some());
    let settled = settled.await.expect("it is there");

    operator.kill();
    operator.run(&[]).await;
    operator.has_looked_at("gateway").await;
    assert_eq!(operator.writes(), writes, "nothing is written in the cloud");
    let after = services.get("gateway").await.expect("it is there");
    assert_eq!(after.metadata.resource_version, settled.metadata.resource_version, "nor in Kubernetes");

    operator.kill();
    lose_status(&operator, &namespace, "gateway").await;
    operator.run(&[]).await;
    let found = becomes_ready(&operator, &services, "gateway").await;
    let id = |service: EndpointService| service.status.and_then(|status| status.service_id);
    assert_eq!(id(found), id(ready));
    assert_eq!(operator.writes(), writes, "nothing is made again");
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}

/// Takes an object's whole status away, as a restore without statuses does.
pub async fn lose_status(operator: &Operator, namespace: &str, name: &str) {
    let services = Api::<EndpointService>::namespaced(operator.admin().await, namespace);
    let nothing = json!([{"op": "remove", "path": "/status"}]);
    let patch = Patch::Json::<()>(serde_json::from_value(nothing).expect("a patch"));
    services.patch_status(name, &PatchParams::default(), &patch).await.expect("the status is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_an_account_and_a_service_deleted_at_once_and_a_namespace_end_clean() {
    let mut operator = Operator::start("all at once").await;
    let [one, other] = ["folder", "namespace"].map(|name| operator.cluster.namespace(name));
    let (one, other) = (one.await, other.await);
    operator.account("all-at-once", &[&one, &other]).await;
    let services = offered(&operator, &one, "all-at-once", "gateway").await;
    let others = offered(&operator, &other, "all-at-once", "gateway").await;
    becomes_ready(&operator, &services, "gateway").await;
    becomes_ready(&operator, &others, "gateway").await;

    let namespaces = Api::<Namespace>::all(operator.admin().await);
    namespaces.delete(&other, &DeleteParams::default()).await.expect("the namespace is deleted");
    operator.becomes(namespaces, &other, "gone", |namespace| namespace.is_none()).await;
    assert_eq!(operator.world()["services"].as_array().map(Vec::len), Some(1));

    operator.forget_account("all-at-once").await;
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    accounts.delete("all-at-once", &DeleteParams::default()).await.expect("the account is deleted");
    goes(&operator, &services, "gateway").await;
    operator.becomes(accounts, "all-at-once", "gone", |account| account.is_none()).await;
    assert_eq!(operator.world()["services"], json!([]));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_kept_true_and_never_written_over_anothers() {
    let mut operator = Operator::start("publish").await;
    let namespace = operator.cluster.namespace("publish").await;
    operator.account("publish", &[&namespace]).await;
    operator.cluster.bind_operator("privatelink-operator-publishing").await;
    let tenant = operator.cluster.tenant_client(&namespace).await;
    let services = Api::<EndpointService>::namespaced(tenant.clone(), &namespace);
    let maps = Api::<ConfigMap>::namespaced(tenant, &namespace);
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken", "namespace": namespace},
        "data": {"serviceId": "mine"},
    });
    apply(&maps, "taken", &foreign).await;

    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let mut wanted = service(&namespace, "gateway", "publish", &resources);
    wanted["spec"]["publish"] = json!({"configMap": {"name": "gateway"}});
    wanted["spec"]["handover"] = json!({"ports": [{"name": "mqtt", "port": 1883}]});
    apply(&services, "gateway", &wanted).await;
    let ready = becomes_ready(&operator, &services, "gateway").await;
    assert!(is_invalid(&ready, "publish: the operator does not publish: "), "{:#?}", ready.status);

    operator.end().await;
    operator.run(&["--publish"]).await;
    let id = ready.status.and_then(|status| status.service_id);
    let holds = |map: Option<&ConfigMap>| {
        data(map, "serviceId") == id && data(map, "ports").as_deref() == Some("mqtt:1883/TCP")
    };
    operator.becomes(maps.clone(), "gateway", "published", holds).await;
    maps.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(maps.clone(), "gateway", "published again", holds).await;

    wanted["spec"]["publish"] = json!({"configMap": {"name": "taken"}});
    apply(&services, "gateway", &wanted).await;
    operator.becomes(maps.clone(), "gateway", "no longer published", |map| map.is_none()).await;
    let refused = |service: Option<&EndpointService>| {
        service.is_some_and(|service| is_invalid(service, "publish.configMap.name: there is a ConfigMap taken "))
    };
    operator.becomes(services.clone(), "gateway", "refused", refused).await;
    let untouched = maps.get("taken").await.expect("it is there");
    assert_eq!(data(Some(&untouched), "serviceId").as_deref(), Some("mine"));
    goes(&operator, &services, "gateway").await;
    operator.cluster.unbind_operator("privatelink-operator-publishing").await;
    operator.stop().await;
}

fn data(map: Option<&ConfigMap>, key: &str) -> Option<String> {
    map?.data.as_ref()?.get(key).cloned()
}

/// Whether the spec is refused with a message that begins so.
fn is_invalid(service: &EndpointService, wanted: &str) -> bool {
    let conditions = service.status.iter().flat_map(|status| &status.common.conditions);
    let mut valid = conditions.filter(|condition| condition.type_ == "Valid");
    valid.any(|condition| condition.status == "False" && condition.message.starts_with(wanted))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_is_left_alone_until_it_is_not_and_a_request_is_acknowledged() {
    let mut operator = Operator::start("paused").await;
    let namespace = operator.cluster.namespace("paused").await;
    operator.account("paused", &[&namespace]).await;
    let tenant = operator.cluster.tenant_client(&namespace).await;
    let services = Api::<EndpointService>::namespaced(tenant, &namespace);
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let mut wanted = service(&namespace, "gateway", "paused", &resources);
    wanted["metadata"]["annotations"] = json!({"privatelink.dev/paused": "true"});
    apply(&services, "gateway", &wanted).await;
    let says = |reason: &'static str| {
        move |service: Option<&EndpointService>| {
            let conditions =
                service.and_then(|service| service.status.as_ref()).map(|status| &status.common.conditions);
            conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.reason == reason)
        }
    };
    let paused = operator.becomes(services.clone(), "gateway", "Paused", says("Paused")).await.expect("it is there");
    assert_eq!(paused.metadata.finalizers, None, "nothing is kept for nothing");
    assert!(operator.writes().is_empty());
    wanted["metadata"]["annotations"] = json!({"privatelink.dev/reconcile-requested-at": "one"});
    apply(&services, "gateway", &wanted).await;
    becomes_ready(&operator, &services, "gateway").await;
    wanted["metadata"]["annotations"] = json!({"privatelink.dev/reconcile-requested-at": "two"});
    apply(&services, "gateway", &wanted).await;
    let acknowledged = |service: Option<&EndpointService>| {
        let status = service.and_then(|service| service.status.as_ref());
        status.and_then(|status| status.common.last_handled_reconcile_at.as_deref()) == Some("two")
    };
    operator.becomes(services.clone(), "gateway", "acknowledged", acknowledged).await;
    wanted["metadata"]["annotations"] = json!({"privatelink.dev/paused": "true"});
    apply(&services, "gateway", &wanted).await;
    services.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(services.clone(), "gateway", "Paused", says("Paused")).await;
    assert_eq!(operator.writes(), counted(&[("CreateVpcEndpointService", 1)]));
    wanted["metadata"]["annotations"] = json!({});
    apply(&services, "gateway", &wanted).await;
    operator.becomes(services.clone(), "gateway", "gone", |service| service.is_none()).await;
    operator.stop().await;
}
