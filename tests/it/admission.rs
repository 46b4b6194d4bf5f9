//! The chart's admission policy: a tenant is told at once which accounts are not for its namespace, on the oldest
//! Kubernetes that is served; and nobody is held up by it where the kind of the accounts is gone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_operator::control::finalizer;
use serde_json::{Value, json};

use crate::cluster::{self, Cluster, PATIENCE};
use crate::link::with;
use crate::operator::{Operator, apply, becomes};

/// The policy and its binding, as everybody installs them.
const POLICY: &str = "deploy/base/admission-policy.yaml";

/// Applies these policies.
fn applied(cluster: &Cluster, policies: impl AsRef<Path>) {
    is_done(cluster, &["apply", "--server-side", "--force-conflicts"], policies);
}

/// Does this with the file.
fn is_done(cluster: &Cluster, words: &[&str], file: impl AsRef<Path>) {
    let file = cluster::repository().join(file).display().to_string();
    let done = cluster.kubectl(&[words, &["-f", &file]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The fields of a service that names this account.
fn named(account: &str) -> Value {
    json!({"accountRef": {"name": account}})
}

/// A namespace with these labels.
async fn labelled(cluster: &Cluster, labels: &Value) -> String {
    let namespace = cluster.namespace("admission").await;
    let labels = Patch::Merge(json!({"metadata": {"labels": labels}}));
    let namespaces = Api::<Namespace>::all(cluster.admin_client().await);
    namespaces.patch(&namespace, &PatchParams::default(), &labels).await.expect("it is labelled");
    namespace
}

/// A `CloudAccount` of an administrator's, with these fields too.
async fn account(cluster: &Cluster, name: &str, fields: &Value) {
    let spec = json!({"alibaba": {}, "region": "cn-hangzhou", "credentials": {"environment": {}}});
    let account = json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": name},
        "spec": with(spec, fields.clone()),
    });
    apply(&Api::<CloudAccount>::all(cluster.admin_client().await), name, &account).await;
}

/// A service of a tenant, with these fields too.
fn service(fields: &Value) -> EndpointService {
    let spec = json!({"resources": [{"id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f"}]});
    let metadata = json!({"name": "it"});
    let object = json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService", "metadata": metadata,
        "spec": with(spec, fields.clone()),
    });
    serde_json::from_value(object).expect("a service")
}

/// Why it may not be created; nothing, if it may. Nothing is kept of it.
async fn refused(services: &Api<EndpointService>, service: &EndpointService) -> Option<String> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    match services.create(&dry, service).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if status.code == 403 => Some(status.message),
        Err(error) => panic!("{error}"),
    }
}

/// Waits until an object is judged like this: the API server learns of policies and accounts after they are made.
async fn is_judged(services: &Api<EndpointService>, service: &EndpointService, allowed: bool) -> Option<String> {
    let judged = async {
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        loop {
            looks.tick().await;
            let said = refused(services, service).await;
            if said.is_none() == allowed {
                return said;
            }
        }
    };
    let judged = tokio::time::timeout(PATIENCE, judged).await;
    judged.unwrap_or_else(|_| panic!("allowed: want {allowed} for {:?}", service.spec))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_names_the_accounts_alone_that_let_its_namespace_in() {
    let cluster = cluster::oldest();
    applied(cluster, POLICY);
    let namespace = labelled(cluster, &json!({"tier": "gold", "team": "a"})).await;
    let services = Api::<EndpointService>::namespaced(cluster.tenant_client(&namespace).await, &namespace);
    let label = |key: &str, operator: &str, values: &[&str]| {
        let expression = if values.is_empty() { json!({}) } else { json!({"values": values}) };
        let expression = with(json!({"key": key, "operator": operator}), expression);
        json!({"from": "Selector", "selector": {"matchExpressions": [expression]}})
    };
    let labels = |labels: Value| json!({"from": "Selector", "selector": {"matchLabels": labels}});
    // As the operator itself decides it: one account each, and whether the namespace may use it.
    let rules = [
        (json!({"from": "All"}), true),
        (json!({"from": "None"}), false),
        (json!({"from": "Names", "names": ["other", namespace]}), true),
        (json!({"from": "Names", "names": ["other"]}), false),
        (labels(json!({"tier": "gold"})), true),
        (labels(json!({"tier": "gold", "team": "a"})), true),
        (labels(json!({"tier": "gold", "team": "b"})), false),
        (labels(json!({"absent": "x"})), false),
        (label("tier", "In", &["silver", "gold"]), true),
        (label("tier", "In", &["silver"]), false),
        (label("absent", "In", &["x"]), false),
        (label("tier", "NotIn", &["silver"]), true),
        (label("tier", "NotIn", &["gold"]), false),
        (label("absent", "NotIn", &["x"]), true),
        (label("tier", "Exists", &[]), true),
        (label("absent", "Exists", &[]), false),
        (label("absent", "DoesNotExist", &[]), true),
        (label("tier", "DoesNotExist", &[]), false),
    ];
    for (at, (rule, _)) in rules.iter().enumerate() {
        // May somebody use it, and may somebody adopt with it?
        account(cluster, &format!("admission-{at}"), &json!({"allowedNamespaces": rule})).await;
        let adoption = json!({"allowedNamespaces": {"from": "All"}, "adoption": rule});
        account(cluster, &format!("adoption-{at}"), &adoption).await;
    }
    account(cluster, "admission-of-nobody", &json!({})).await;
    let why = is_judged(&services, &service(&named("admission-of-nobody")), false).await.unwrap_or_default();
    let remedy = format!(
        "spec.accountRef: CloudAccount admission-of-nobody does not let namespace {namespace} in: name another account, \
         or ask its administrator to add the namespace to allowedNamespaces"
    );
    assert!(why.contains(&remedy), "{why}");
    let adopts = |name: &str| with(named(name), json!({"adopt": {"id": "epsrv-1"}}));
    for (at, (_, allowed)) in rules.iter().enumerate() {
        is_judged(&services, &service(&named(&format!("admission-{at}"))), *allowed).await;
        let name = format!("adoption-{at}");
        let why = is_judged(&services, &service(&adopts(&name)), *allowed).await;
        let remedy =
            format!("spec.adopt: CloudAccount {name} does not let namespace {namespace} adopt: leave adopt out");
        assert!(why.is_none_or(|why| why.contains(&remedy)));
        // It may be used without.
        is_judged(&services, &service(&named(&name)), true).await;
    }

    // What does not exist yet forbids nothing, be it named or the default.
    assert_eq!(refused(&services, &service(&named("of-tomorrow"))).await, None);
    assert_eq!(refused(&services, &service(&json!({}))).await, None);
    account(cluster, "default", &json!({})).await;
    let why = is_judged(&services, &service(&json!({})), false).await.unwrap_or_default();
    assert!(why.contains("CloudAccount default does not let"), "{why}");
    let accounts = Api::<CloudAccount>::all(cluster.admin_client().await);
    accounts.delete("default", &DeleteParams::default()).await.expect("nothing holds it");
    is_judged(&services, &service(&json!({})), true).await;

    // What is there already can be changed and deleted when its account lets nobody in any more; it adopts nothing new.
    services.create(&PostParams::default(), &service(&named("admission-0"))).await.expect("it is let in");
    account(cluster, "admission-0", &json!({"allowedNamespaces": {"from": "None"}})).await;
    is_judged(&services, &service(&named("admission-0")), false).await;
    let change = |spec: Value| Patch::Merge(json!({"spec": spec}));
    let patch = PatchParams::default();
    services.patch("it", &patch, &change(json!({"description": "still mine"}))).await.expect("it is changed");
    let adopting = services.patch("it", &patch, &change(json!({"adopt": {"id": "epsrv-1"}}))).await;
    let why = adopting.expect_err("the account lets nobody adopt").to_string();
    assert!(why.contains("CloudAccount admission-0 does not let"), "{why}");
    services.delete("it", &DeleteParams::default()).await.expect("it is deleted");
}

/// A policy that takes no parameters and refuses services of this name.
fn refuses(name: &str) -> Value {
    let group = "admissionregistration.k8s.io/v1";
    let rule = json!({
        "apiGroups": ["privatelink.dev"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["endpointservices"],
    });
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": format!("object.metadata.name != '{name}'"), "reason": "Forbidden"}],
            },
        },
        {
            "apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]})
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_kind_of_the_accounts_is_gone_objects_can_be_let_go_of() {
    let operator = Operator::apart("admission without accounts").await;
    let cluster = operator.cluster;
    cluster.install().expect("it is installed");
    let namespace = labelled(cluster, &json!({})).await;
    let admin = cluster.admin_client().await;
    let services = Api::<EndpointService>::namespaced(admin.clone(), &namespace);
    let mut kept = service(&named("of-everybody"));
    kept.metadata.finalizers = Some(vec![finalizer::NAME.to_owned()]);
    services.create(&PostParams::default(), &kept).await.expect("nothing forbids it");

    let definitions = Api::<CustomResourceDefinition>::all(admin);
    let accounts = "cloudaccounts.privatelink.dev";
    definitions.delete(accounts, &DeleteParams::default()).await.expect("it is deleted");
    becomes(definitions, accounts, "gone", |one: Option<&CustomResourceDefinition>| one.is_none()).await;
    // As for an API server that starts now. It takes policies in the order in which they came: once one refuses that has
    // come later, ours is in force.
    applied(cluster, POLICY);
    let mark = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mark.json");
    std::fs::write(&mark, refuses("mark").to_string()).expect("it is written");
    applied(cluster, &mark);
    let mut marked = service(&named("of-everybody"));
    marked.metadata.name = Some("mark".to_owned());
    let why = is_judged(&services, &marked, false).await.unwrap_or_default();
    assert!(why.contains("'mark' denied"), "{why}");

    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    services.patch("it", &PatchParams::default(), &free).await.expect("its finalizer is taken off");
    services.delete("it", &DeleteParams::default()).await.expect("it is deleted");
    becomes(services, "it", "gone", |one: Option<&EndpointService>| one.is_none()).await;

    for policies in [Path::new(POLICY), &mark] {
        is_done(cluster, &["delete"], policies);
    }
    cluster.install().expect("the CRD is there again");
}
