//! What goes wrong with an account or a service, and what a person then reads: each row is a way to go wrong, and
//! the condition that says so.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::DeleteParams};
use privatelink_operator::api::{CloudAccount, EndpointService, shared::CommonStatus};
use serde_json::{Value, json};

use crate::cluster::OPERATOR_NAMESPACE;
use crate::operator::{Operator, apply, is_ready};

/// The condition of this type, as `status reason: message`.
fn said(status: Option<&CommonStatus>, condition: &str) -> String {
    let found = status.and_then(|status| status.conditions.iter().find(|one| one.type_ == condition));
    found.map_or_else(String::new, |one| format!("{} {}: {}", one.status, one.reason, one.message))
}

async fn account_says(operator: &Operator, name: &str, condition: &str, wanted: &str) {
    let api = Api::<CloudAccount>::all(operator.admin().await);
    let says = |account: Option<&CloudAccount>| {
        account.is_some_and(|account| {
            said(account.status.as_ref().map(|status| &status.common), condition).starts_with(wanted)
        })
    };
    operator.becomes(api, name, wanted, says).await;
}

async fn service_says(operator: &Operator, services: &Api<EndpointService>, name: &str, wanted: &str) {
    let says = |service: Option<&EndpointService>| {
        service.is_some_and(|service| {
            said(service.status.as_ref().map(|status| &status.common), "Ready").starts_with(wanted)
        })
    };
    operator.becomes(services.clone(), name, wanted, says).await;
}

fn service(namespace: &str, name: &str, account: &str, resource: &Value, more: &Value) -> Value {
    let mut service = json!({
        "apiVersion": "privatelink.dev/v1alpha1",
        "kind": "EndpointService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"accountRef": {"name": account}, "resources": [resource]},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        service["spec"][field] = value.clone();
    }
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_fail_are_said_once_and_mended_at_once() {
    let mut operator = Operator::start("credentials").await;
    let namespace = operator.cluster.namespace("credentials").await;
    let name = "credentials";
    operator.account(name, &[&namespace]).await;
    let secrets = Api::<Secret>::namespaced(operator.admin().await, OPERATOR_NAMESPACE);

    operator.secret(name, "provider-key", "wrong").await;
    account_says(&operator, name, "Ready", "False CredentialsInvalid: the cloud refuses the credentials: ").await;
    operator.secret(name, "nobodys-key", "wrong").await;
    account_says(&operator, name, "Ready", "False CredentialsInvalid: the cloud refuses the credentials: ").await;
    operator.secret(name, "consumer-key", "consumer-secret").await;
    account_says(
        &operator,
        name,
        "Ready",
        "False AccountMismatch: the credentials belong to account 1002000000000002, and status.accountId is \
         1001000000000001: ",
    )
    .await;
    operator.secret(name, "", "provider-secret").await;
    account_says(
        &operator,
        name,
        "Ready",
        "False CredentialsInvalid: Secret privatelink-system/credentials: key accessKeyId is empty: ",
    )
    .await;
    secrets.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    account_says(
        &operator,
        name,
        "Ready",
        "False CredentialsInvalid: credentials.secretRef: there is no Secret privatelink-system/credentials: create it",
    )
    .await;

    // A service that comes meanwhile says where to look, makes nothing, and is ready once the Secret is back.
    let tenant = operator.cluster.tenant_client(&namespace).await;
    let services = Api::<EndpointService>::namespaced(tenant, &namespace);
    let hot = json!({"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"});
    apply(&services, "gateway", &service(&namespace, "gateway", name, &hot, &Value::Null)).await;
    service_says(&operator, &services, "gateway", "False CredentialsInvalid: CloudAccount credentials is not usable: ")
        .await;
    assert!(operator.writes().is_empty(), "{:?}", operator.writes());
    operator.secret(name, "provider-key", "provider-secret").await;
    let ready = |service: Option<&EndpointService>| {
        service.is_some_and(|service| is_ready(service.status.as_ref().map(|status| &status.common)))
    };
    operator.becomes(services.clone(), "gateway", "Ready", ready).await;
    services.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    operator.becomes(services, "gateway", "gone", |service| service.is_none()).await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_service_from_being_ready_is_said_by_field_or_code() {
    let mut operator = Operator::start("refusals").await;
    let [inside, outside] = ["inside", "outside"].map(|name| operator.cluster.namespace(name));
    let (inside, outside) = (inside.await, outside.await);
    operator.account("refusals", &[&inside]).await;
    let hot = json!({"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"});
    let cases = [
        ("no-account", &inside, "nobodys", hot.clone(), json!({}), "False ReferenceNotFound: accountRef: there is no "),
        (
            "not-allowed",
            &outside,
            "refusals",
            hot.clone(),
            json!({}),
            "False AccountNotPermitted: accountRef: CloudAccount refusals does not let namespace ",
        ),
        (
            "field-of-another-cloud",
            &inside,
            "refusals",
            hot.clone(),
            json!({"vpcId": "vpc-1"}),
            "False UnsupportedByCloud: vpcId: ",
        ),
        (
            "no-load-balancer",
            &inside,
            "refusals",
            json!({"id": "lb-nowhere", "type": "CLB", "zone": "cn-hangzhou-f"}),
            json!({}),
            "False ReferenceNotFound: CreateService of the service with lb-nowhere: LoadBalancerNotFound: ",
        ),
        (
            "wrong-kind",
            &inside,
            "refusals",
            json!({"id": "lb-hot", "type": "NLB", "zone": "cn-hangzhou-f"}),
            json!({}),
            "False InvalidSpec: CreateService of the service with lb-",
        ),
        (
            "adopt-nothing",
            &inside,
            "refusals",
            hot,
            json!({"adopt": {"id": "epsrv-nowhere"}}),
            "False ReferenceNotFound: adopt.id: epsrv-nowhere does not exist in alibaba/1001000000000001/cn-hangzhou",
        ),
    ];
    let admin = operator.admin().await;
    for (name, namespace, account, resource, more, wanted) in &cases {
        let services = Api::<EndpointService>::namespaced(admin.clone(), namespace);
        apply(&services, name, &service(namespace, name, account, resource, more)).await;
        service_says(&operator, &services, name, wanted).await;
    }
    for (name, namespace, ..) in &cases {
        let services = Api::<EndpointService>::namespaced(admin.clone(), namespace);
        services.delete(name, &DeleteParams::default()).await.expect("it is deleted");
        operator.becomes(services, name, "gone", |service| service.is_none()).await;
    }
    assert!(operator.writes().is_empty(), "nothing was made: {:?}", operator.writes());
    operator.stop().await;
}
