//! The shipped roles give what is needed and nothing else, tried with the tokens of those who hold
//! them: every verb on every kind of thing that matters, each expected to pass or to be refused.

use std::fmt::Write as _;

use futures::TryStreamExt;
use k8s_openapi::api::{authentication::v1::TokenRequest, rbac::v1::ClusterRole};
use kube::{
    Api, Client, ResourceExt,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
        WatchParams,
    },
    runtime::wait::await_condition,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cluster::{self, Cluster, OPERATOR_NAMESPACE, PATIENCE};

/// What can be asked of a thing. `Status` writes its status, `Replace` is the verb `update`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get,
    List,
    Watch,
    Create,
    Replace,
    Patch,
    Status,
    Delete,
    DeleteAll,
}

use Verb::{Create, Delete, DeleteAll, Get, List, Patch as PatchIt, Replace, Status, Watch};

const ALL_VERBS: [Verb; 9] = [Get, List, Watch, Create, Replace, PatchIt, Status, Delete, DeleteAll];
const READ: &[Verb] = &[Get, List, Watch];
/// What a user may do with the declared kinds.
const EDIT: &[Verb] = &[Get, List, Watch, Create, Replace, PatchIt, Delete, DeleteAll];
/// What the operator may do with the declared kinds.
const OPERATE: &[Verb] = &[List, Watch, PatchIt, Status];

/// A kind by its names.
#[derive(Debug, Clone, Copy)]
struct Kind {
    group: &'static str,
    version: &'static str,
    name: &'static str,
    plural: &'static str,
}

const fn kind(group: &'static str, version: &'static str, name: &'static str, plural: &'static str) -> Kind {
    Kind { group, version, name, plural }
}

const GROUP: &str = "privatelink.dev";
const ACCOUNT: Kind = kind(GROUP, "v1alpha1", "CloudAccount", "cloudaccounts");
/// The kinds that belong to a namespace.
const DECLARED: [Kind; 4] = [
    kind(GROUP, "v1alpha1", "EndpointService", "endpointservices"),
    kind(GROUP, "v1alpha1", "Endpoint", "privateendpoints"),
    kind(GROUP, "v1alpha1", "WhitelistEntry", "whitelistentries"),
    kind(GROUP, "v1alpha1", "ZoneResourceAssignment", "zoneresourceassignments"),
];
const NAMESPACE: Kind = kind("", "v1", "Namespace", "namespaces");
const SECRET: Kind = kind("", "v1", "Secret", "secrets");
const LEASE: Kind = kind("coordination.k8s.io", "v1", "Lease", "leases");
const EVENT: Kind = kind("events.k8s.io", "v1", "Event", "events");
/// Kinds of a namespace of which the operator is given nothing.
const WITHHELD: [Kind; 6] = [
    kind("", "v1", "ConfigMap", "configmaps"),
    kind("", "v1", "Service", "services"),
    kind("", "v1", "ServiceAccount", "serviceaccounts"),
    kind("", "v1", "Pod", "pods"),
    kind("apps", "v1", "Deployment", "deployments"),
    kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
];
/// Kinds of the cluster of which the operator is given nothing.
const WITHHELD_IN_CLUSTER: [Kind; 4] = [
    kind("", "v1", "Node", "nodes"),
    kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles"),
    kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings"),
    kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions"),
];

impl Kind {
    fn resource(self) -> ApiResource {
        let gvk = GroupVersionKind::gvk(self.group, self.version, self.name);
        ApiResource::from_gvk_with_plural(&gvk, self.plural)
    }

    /// In a namespace, or in the whole cluster.
    fn api(self, client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.resource()),
            None => Api::all_with(client.clone(), &self.resource()),
        }
    }

    /// An object that the API server takes, as small as can be.
    fn object(self, name: &str, spec: &Value) -> DynamicObject {
        let mut object = DynamicObject::new(name, &self.resource());
        if !spec.is_null() {
            object.data = json!({ "spec": spec });
        }
        object
    }

    /// A spec that the CRD takes.
    fn spec(self) -> Value {
        match self.name {
            "CloudAccount" => json!({
                "alibaba": {}, "region": "cn-hangzhou", "credentials": { "environment": {} },
            }),
            "EndpointService" => json!({ "resources": [
                { "id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f", "autoAllocate": true },
            ]}),
            "Endpoint" => json!({
                "service": { "id": "epsrv-1" }, "vpcId": "vpc-1",
                "zones": [{ "subnetId": "vsw-1", "zone": "cn-hangzhou-f" }],
            }),
            "WhitelistEntry" => json!({
                "serviceRef": { "name": "it" }, "principal": "1234567890123456",
            }),
            "ZoneResourceAssignment" => json!({
                "serviceRef": { "name": "it" }, "endpoint": { "id": "ep-1" },
                "zone": "cn-hangzhou-f", "resourceId": "lb-1",
            }),
            _ => Value::Null,
        }
    }
}

/// Sends one request. What matters is whether it is let through.
async fn attempt(api: &Api<DynamicObject>, kind: Kind, verb: Verb, name: &str) -> kube::Result<()> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let dry_patch = PatchParams { dry_run: true, ..PatchParams::default() };
    let dry_delete = DeleteParams { dry_run: true, ..DeleteParams::default() };
    let label = Patch::Merge(json!({ "metadata": { "labels": { "it": "tried" } } }));
    match verb {
        Get => api.get(name).await.map(drop),
        List => api.list(&ListParams::default()).await.map(drop),
        Watch => {
            let brief = WatchParams::default().timeout(1);
            let mut events = std::pin::pin!(api.watch(&brief, "0").await?);
            events.try_next().await.map(drop)
        }
        Create => api.create(&dry, &kind.object("created", &kind.spec())).await.map(drop),
        Replace => api.replace(name, &dry, &kind.object(name, &kind.spec())).await.map(drop),
        PatchIt => api.patch(name, &dry_patch, &label).await.map(drop),
        Status => api.patch_status(name, &dry_patch, &label).await.map(drop),
        Delete => api.delete(name, &dry_delete).await.map(drop),
        DeleteAll => api.delete_collection(&dry_delete, &ListParams::default()).await.map(drop),
    }
}

/// Everything that was answered otherwise than expected, for one message at the end.
#[derive(Default)]
struct Verdict {
    tried: usize,
    wrong: String,
}

impl Verdict {
    /// Tries all verbs: those in `granted` are not refused, all others are refused with 403.
    async fn matrix(&mut self, client: &Client, kind: Kind, namespace: Option<&str>, name: &str, granted: &[Verb]) {
        let api = kind.api(client, namespace);
        for verb in ALL_VERBS {
            let answer = attempt(&api, kind, verb, name).await;
            let refused = matches!(&answer, Err(kube::Error::Api(status)) if status.code == 403);
            let expected = granted.contains(&verb);
            // A replaced object lacks its resourceVersion: past the guard, that is what is wrong.
            let passed = match &answer {
                Ok(()) => true,
                Err(kube::Error::Api(status)) => verb == Replace && status.code == 422,
                Err(_) => false,
            };
            self.tried += 1;
            if (expected && !passed) || (!expected && !refused) {
                let want = if expected { "let through" } else { "refused with 403" };
                let place = namespace.unwrap_or("the cluster");
                writeln!(self.wrong, "{verb:?} {}/{name} in {place}: want {want}, got {answer:?}", kind.plural)
                    .expect("a String takes it");
            }
        }
    }

    fn conclude(&self, at_least: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong);
        assert!(self.tried >= at_least, "only {} requests were tried", self.tried);
        println!("{} requests answered as the roles say", self.tried);
    }
}

/// Makes one object of each declared kind in a namespace, as its tenant.
async fn declare_all(cluster: &Cluster, namespace: &str) {
    let tenant = cluster.tenant_client(namespace).await;
    for kind in DECLARED {
        let api = kind.api(&tenant, Some(namespace));
        let made = api.create(&PostParams::default(), &kind.object("it", &kind.spec())).await;
        made.unwrap_or_else(|error| panic!("a tenant creates {}: {error}", kind.plural));
    }
}

/// Removes it again: it belongs to no namespace that could take it along.
async fn remove_account(cluster: &Cluster, account: &str) {
    let accounts = ACCOUNT.api(&cluster.admin_client().await, None);
    accounts.delete(account, &DeleteParams::default()).await.expect("nothing holds it");
}

/// Makes a `CloudAccount` that nothing uses, as administrator, and returns its name.
async fn account_of(cluster: &Cluster, namespace: &str) -> String {
    let admin = cluster.admin_client().await;
    let wanted = ACCOUNT.object(namespace, &ACCOUNT.spec());
    let made = ACCOUNT.api(&admin, None).create(&PostParams::default(), &wanted).await;
    made.unwrap_or_else(|error| panic!("an administrator creates an account: {error}")).name_any()
}

#[tokio::test]
async fn the_operator_reads_declared_objects_and_writes_finalizers_and_status_only() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("operator").await;
    declare_all(cluster, &namespace).await;
    let account = account_of(cluster, &namespace).await;
    let operator = cluster.operator_client().await;
    let mut verdict = Verdict::default();
    for kind in DECLARED {
        verdict.matrix(&operator, kind, Some(&namespace), "it", OPERATE).await;
        for verb in [List, Watch] {
            let everywhere = attempt(&kind.api(&operator, None), kind, verb, "").await;
            everywhere.unwrap_or_else(|error| panic!("{verb:?} all {}: {error}", kind.plural));
        }
    }
    verdict.matrix(&operator, ACCOUNT, None, &account, OPERATE).await;
    remove_account(cluster, &account).await;
    verdict.conclude(5 * ALL_VERBS.len());
}

#[tokio::test]
async fn the_operator_reads_secrets_in_its_own_namespace_only() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("secrets").await;
    let admin = cluster.admin_client().await;
    for place in [OPERATOR_NAMESPACE, &namespace] {
        let wanted = SECRET.object("it-credentials", &Value::Null);
        let api = SECRET.api(&admin, Some(place));
        let applied = PatchParams::apply("it").force();
        api.patch("it-credentials", &applied, &Patch::Apply(&wanted)).await.expect("a Secret");
    }
    let operator = cluster.operator_client().await;
    let mut verdict = Verdict::default();
    verdict.matrix(&operator, SECRET, Some(OPERATOR_NAMESPACE), "it-credentials", READ).await;
    verdict.matrix(&operator, SECRET, Some(&namespace), "it-credentials", &[]).await;
    verdict.matrix(&operator, SECRET, Some("kube-system"), "it-credentials", &[]).await;
    for verb in [List, Watch, DeleteAll] {
        let answer = attempt(&SECRET.api(&operator, None), SECRET, verb, "").await;
        assert!(forbidden(&answer), "{verb:?} Secrets of all namespaces: {answer:?}");
    }
    verdict.conclude(3 * ALL_VERBS.len());
}

#[tokio::test]
async fn the_operator_holds_its_own_lease_only() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("lease").await;
    let operator = cluster.operator_client().await;
    let own = LEASE.api(&operator, Some(OPERATOR_NAMESPACE));
    let lease = LEASE.object("privatelink-operator", &json!({ "holderIdentity": "it" }));
    match own.create(&PostParams::default(), &lease).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        made => drop(made.expect("the operator makes its Lease")),
    }
    let held = own.get("privatelink-operator").await.expect("it reads it");
    let renewed = own.replace("privatelink-operator", &PostParams::default(), &held).await;
    renewed.expect("it renews it");

    let admin = cluster.admin_client().await;
    let other = LEASE.object("another", &json!({ "holderIdentity": "it" }));
    let applied = PatchParams::apply("it").force();
    for place in [OPERATOR_NAMESPACE, &namespace] {
        let api = LEASE.api(&admin, Some(place));
        api.patch("another", &applied, &Patch::Apply(&other)).await.expect("a Lease of others");
    }
    let mut verdict = Verdict::default();
    let place = Some(OPERATOR_NAMESPACE);
    verdict.matrix(&operator, LEASE, place, "another", &[Create]).await;
    verdict.matrix(&operator, LEASE, Some(&namespace), "another", &[]).await;
    verdict.conclude(2 * ALL_VERBS.len());
}

#[tokio::test]
async fn the_operator_tells_events_and_reads_none() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("events").await;
    let operator = cluster.operator_client().await;
    for place in [&namespace, "default"] {
        let mut event = EVENT.object("it-told", &Value::Null);
        event.data = json!({
            "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "reason": "Tried",
            "action": "Try", "note": "tried", "reportingController": "privatelink-operator",
            "reportingInstance": "it",
            "regarding": { "apiVersion": "v1", "kind": "Namespace", "name": place, "namespace": place },
        });
        let api = EVENT.api(&operator, Some(place));
        match api.create(&PostParams::default(), &event).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            told => drop(told.expect("the operator tells an event")),
        }
        for verb in [Get, List, Watch, Replace, PatchIt, Delete, DeleteAll] {
            let answer = attempt(&api, EVENT, verb, "it-told").await;
            assert!(forbidden(&answer), "{verb:?} events in {place}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_operator_reads_namespaces_and_changes_none() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("namespaces").await;
    let operator = cluster.operator_client().await;
    let mut verdict = Verdict::default();
    verdict.matrix(&operator, NAMESPACE, None, &namespace, READ).await;
    verdict.matrix(&operator, NAMESPACE, None, OPERATOR_NAMESPACE, READ).await;
    verdict.conclude(2 * ALL_VERBS.len());
}

#[tokio::test]
async fn the_operator_is_given_nothing_else() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("withheld").await;
    let operator = cluster.operator_client().await;
    let mut verdict = Verdict::default();
    for kind in WITHHELD {
        for place in [&namespace, OPERATOR_NAMESPACE, "kube-system"] {
            verdict.matrix(&operator, kind, Some(place), "it", &[]).await;
        }
    }
    for kind in WITHHELD_IN_CLUSTER {
        verdict.matrix(&operator, kind, None, "it", &[]).await;
    }
    verdict.conclude(22 * ALL_VERBS.len());
    // Nor does it get a token of an account that may more than itself.
    let accounts = Api::namespaced(operator, "kube-system");
    let token =
        accounts.create_token_request("namespace-controller", &PostParams::default(), &TokenRequest::default()).await;
    assert!(forbidden(&token.map(drop)), "a token of another account");
}

#[tokio::test]
async fn a_tenant_declares_in_its_own_namespace_and_decides_on_no_account() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("tenant").await;
    let neighbour = cluster.namespace("neighbour").await;
    declare_all(cluster, &namespace).await;
    declare_all(cluster, &neighbour).await;
    let account = account_of(cluster, &namespace).await;
    let tenant = cluster.tenant_client(&namespace).await;
    let mut verdict = Verdict::default();
    for kind in DECLARED {
        verdict.matrix(&tenant, kind, Some(&namespace), "it", EDIT).await;
        verdict.matrix(&tenant, kind, Some(&neighbour), "it", &[]).await;
    }
    verdict.matrix(&tenant, ACCOUNT, None, &account, &[]).await;
    verdict.matrix(&tenant, SECRET, Some(OPERATOR_NAMESPACE), "it", &[]).await;
    remove_account(cluster, &account).await;
    verdict.conclude(10 * ALL_VERBS.len());
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("viewer").await;
    declare_all(cluster, &namespace).await;
    cluster.bind(&namespace, "viewer", "privatelink-view").await;
    let viewer = cluster.account_client(&namespace, "viewer").await;
    let mut verdict = Verdict::default();
    for kind in DECLARED {
        verdict.matrix(&viewer, kind, Some(&namespace), "it", READ).await;
    }
    verdict.conclude(4 * ALL_VERBS.len());
}

/// The verbs that a role has on a resource, sorted.
fn verbs(role: &ClusterRole, resource: &str) -> Vec<String> {
    let rules = role.rules.iter().flatten().filter(|rule| {
        rule.api_groups.iter().flatten().any(|group| group == GROUP)
            && rule.resources.iter().flatten().any(|name| name == resource)
    });
    let mut verbs: Vec<_> = rules.flat_map(|rule| rule.verbs.iter().cloned()).collect();
    verbs.sort();
    verbs.dedup();
    verbs
}

#[tokio::test]
async fn kubernetes_own_roles_hold_the_shipped_ones() {
    let cluster = cluster::shared();
    cluster.needs_controller_manager();
    let roles = Api::<ClusterRole>::all(cluster.admin_client().await);
    let read = ["get", "list", "watch"];
    let write = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    for (role, declared, accounts) in
        [("view", &read[..], &read[..]), ("edit", &write, &read), ("admin", &write, &write)]
    {
        // Aggregation runs behind the creation of the roles.
        let holds = |resource: &'static str, wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&verb| verb.to_owned()).collect();
            await_condition(roles.clone(), role, move |found: Option<&ClusterRole>| {
                found.is_some_and(|found| verbs(found, resource) == wanted)
            })
        };
        for kind in DECLARED {
            let done = timeout(PATIENCE, holds(kind.plural, declared)).await;
            assert!(done.is_ok(), "{role} on {} is not {declared:?}", kind.plural);
        }
        let done = timeout(PATIENCE, holds(ACCOUNT.plural, accounts)).await;
        assert!(done.is_ok(), "{role} on {} is not {accounts:?}", ACCOUNT.plural);
    }
}

fn forbidden(answer: &kube::Result<()>) -> bool {
    matches!(answer, Err(kube::Error::Api(status)) if status.code == 403)
}
