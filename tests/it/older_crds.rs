//! An operator that is newer than the CRDs of the cluster: what it would write is not known there. It says what they lack,
//! leaves the Lease to the one before it, and begins by itself once they are upgraded.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_NAMESPACE, PATIENCE};
use crate::operator::Operator;

/// Where the API server tells what it knows of our kinds.
const SCHEMAS: &str = "/openapi/v3/apis/privatelink.dev/v1alpha1";
/// Where the status of an `EndpointService` is in a CRD.
const STATUS: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
/// Fields of it that an older version does not have.
const NEWER: [&str; 2] = ["evacuation", "unclaimed"];

/// Waits until the API server tells that it does not know the newer fields: it does so some time after it has taken a
/// CRD.
async fn forgets(client: &Client) {
    let path = "/components/schemas/dev.privatelink.v1alpha1.EndpointService/properties/status/properties";
    let mut asks = tokio::time::interval(Duration::from_millis(100));
    let forgotten = async {
        loop {
            asks.tick().await;
            let request = http::Request::get(SCHEMAS).body(Vec::new()).expect("a request");
            let told: Value = client.request(request).await.expect("an answer");
            let fields = told.pointer(path).expect("it tells of the status");
            if NEWER.iter().all(|newer| fields.get(newer).is_none()) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.expect("it tells of the older CRD");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_newer_than_the_crds_says_so_and_waits_until_they_are_upgraded() {
    let mut operator = Operator::apart("older CRDs").await;
    operator.cluster.install().expect("it is installed");
    let admin = operator.admin().await;
    let removals: Vec<Value> =
        NEWER.iter().map(|newer| json!({"op": "remove", "path": format!("{STATUS}/{newer}")})).collect();
    let older = Patch::Json::<()>(serde_json::from_value(json!(removals)).expect("a patch"));
    let definitions = Api::<CustomResourceDefinition>::all(admin.clone());
    let changed = definitions.patch("endpointservices.privatelink.dev", &PatchParams::default(), &older).await;
    changed.expect("the CRD is an older one");
    forgets(&admin).await;

    operator.begin(&[]).await;
    let lacking = "the CRDs of the cluster are older than this operator, and do not have \
                   EndpointService.status.evacuation, EndpointService.status.unclaimed: apply those of this version";
    let says = |line: &Value| line["message"].as_str().is_some_and(|message| message.starts_with(lacking));
    operator.logs("what the CRDs lack", |lines| lines.iter().any(says)).await;
    let (status, text) = operator.answers("/readyz").await;
    assert!(status == 503 && text.contains("CRDs of this version"), "{status} {text}");

    let upgraded = Timestamp::now();
    operator.cluster.install().expect("the CRDs are upgraded");
    operator.makes_turns().await;
    let lease = Api::<Lease>::namespaced(admin, OPERATOR_NAMESPACE).get("privatelink-operator").await;
    let acquired = lease.expect("it is held").spec.and_then(|spec| spec.acquire_time).expect("a time");
    assert!(acquired.0 > upgraded, "the Lease was left to others until then: {acquired:?}");
    assert_eq!(operator.answers("/readyz").await.0, 200);
    assert!(operator.end().await.success());
}
