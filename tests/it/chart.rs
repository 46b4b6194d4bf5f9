//! What Helm installs on the real API server with its default values: a tenant is let in by an operator that has the
//! rights of the chart alone and uses each of them, and what was declared outlives the release.

use std::collections::BTreeSet;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace, Pod, Service, ServiceAccount},
    rbac::v1::{ClusterRole, PolicyRule, Role},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use privatelink_operator::api::Endpoint;
use serde_json::{Value, json};

use crate::cluster::{self, Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::link::{Link, tenant, with};
use crate::objects::is_settled;
use crate::operator::becomes;
use crate::past::calls;
use crate::zone_life::accepted;

/// How to install, as people are told.
const HOW_TO: &str = "docs/how-to/install.md";

/// The words of the command in [`HOW_TO`] that begins like this, without the program.
fn documented(command: &str) -> Vec<String> {
    let page = std::fs::read_to_string(cluster::repository().join(HOW_TO)).expect("the page is there");
    let page = page.replace("\\\n", " ");
    let line = page.lines().find(|line| line.starts_with(command));
    let line = line.unwrap_or_else(|| panic!("{HOW_TO} has no line that begins with {command:?}"));
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

/// Runs a command of [`HOW_TO`] as it stands there, as the cluster's administrator.
async fn done_as_documented(cluster: &'static Cluster, command: &'static str, more: &'static [&str]) {
    let done = tokio::task::spawn_blocking(move || {
        let words = documented(command);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        if command.starts_with("helm ") {
            return cluster.helm(&words).map(drop);
        }
        let output = cluster.kubectl(&words);
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    });
    done.await.expect("it is waited for").unwrap_or_else(|why| panic!("{command}: {why}"));
}

/// A right that was used or given: the role that gives it, the resource with its group, and the verb.
type Right = (String, String, String);

fn rights(role: &str, rules: &[PolicyRule]) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    rights.insert((role.to_owned(), format!("{group}/{resource}"), verb.clone()));
                }
            }
        }
    }
    rights
}

/// What the roles of the release give the operator.
async fn given(admin: &Client, publishing: bool) -> BTreeSet<Right> {
    let everywhere = Api::<ClusterRole>::all(admin.clone());
    let here = Api::<Role>::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    let mut given = BTreeSet::new();
    let names: &[&str] =
        if publishing { &[OPERATOR_ACCOUNT, "privatelink-operator-publishing"] } else { &[OPERATOR_ACCOUNT] };
    for name in names {
        given.extend(rights(name, &everywhere.get(name).await.expect("it is installed").rules.unwrap_or_default()));
    }
    for name in ["privatelink-operator-lease", "privatelink-operator-credentials"] {
        given.extend(rights(name, &here.get(name).await.expect("it is installed").rules.unwrap_or_default()));
    }
    given
}

/// The rights that the operator's requests were allowed by; a request that was forbidden, or allowed by a role that is
/// not the chart's, fails.
fn used(cluster: &Cluster) -> BTreeSet<Right> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut used = BTreeSet::new();
    for request in cluster.audited() {
        let (of, why) = (&request["objectRef"], &request["annotations"]);
        assert_eq!(why["authorization.k8s.io/decision"], "allow", "{request:#}");
        if of["resource"].is_null() {
            continue;
        }
        let reason = text(&why["authorization.k8s.io/reason"]);
        let role = reason.split("Role \"").nth(1).and_then(|rest| rest.split('"').next());
        let role = role.unwrap_or_else(|| panic!("{reason:?} names no role: {request:#}"));
        let sub = of["subresource"].as_str().map(|sub| format!("/{sub}")).unwrap_or_default();
        let resource = format!("{}/{}{sub}", text(&of["apiGroup"]), text(&of["resource"]));
        used.insert((role.to_owned(), resource, text(&request["verb"])));
    }
    used
}

/// Each right of the roles was used, and none of another role.
fn is_used_up(given: &BTreeSet<Right>, used: &BTreeSet<Right>) {
    assert_eq!(given.difference(used).collect::<Vec<_>>(), [] as [&Right; 0], "given and not used");
    assert_eq!(used.difference(given).collect::<Vec<_>>(), [] as [&Right; 0], "used and not given by the chart");
}

/// The variables of the operator's own that its Deployment sets.
async fn told_by_the_deployment(admin: &Client) -> Vec<(&'static str, String)> {
    let deployments = Api::<Deployment>::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    let deployment = deployments.get(OPERATOR_ACCOUNT).await.expect("it is installed");
    let pod = deployment.spec.expect("a spec").template.spec.expect("a spec");
    let variables = pod.containers.into_iter().flat_map(|container| container.env.unwrap_or_default());
    // How it logs is the test's own business.
    let own = variables
        .filter(|variable| variable.name.starts_with("PRIVATELINK_") && variable.name != "PRIVATELINK_LOG_FORMAT");
    own.map(|variable| {
        let name: &'static str = String::leak(variable.name);
        (name, variable.value.expect("it is said in the Deployment"))
    })
    .collect()
}

/// The pods of the release may run where only restricted ones do, and nothing of that is by chance.
async fn pods_are_restricted(admin: &Client) {
    let restricted =
        Patch::Merge(json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}));
    let namespaces = Api::<Namespace>::all(admin.clone());
    namespaces.patch(OPERATOR_NAMESPACE, &PatchParams::default(), &restricted).await.expect("it is labelled");
    let deployments = Api::<Deployment>::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    let template = deployments.get(OPERATOR_ACCOUNT).await.expect("it is installed").spec.expect("a spec").template;
    let metadata = ObjectMeta { name: Some("tried".to_owned()), ..template.metadata.unwrap_or_default() };
    let pod = Pod { metadata, spec: template.spec, status: None };
    let pods = Api::<Pod>::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    pods.create(&dry, &pod).await.expect("a restricted namespace takes it");

    let container = pod.spec.as_ref().expect("a spec").containers[0].security_context.as_ref().expect("it is confined");
    assert_eq!(container.read_only_root_filesystem, Some(true));
    let mut loose = pod.clone();
    loose.spec.as_mut().expect("a spec").containers[0].security_context = None;
    let refused = pods.create(&dry, &loose).await.expect_err("a restricted namespace takes no other").to_string();
    assert!(refused.contains("allowPrivilegeEscalation != false"), "{refused}");
}

/// What is published of the consumer's endpoint is made, put right, and taken away.
async fn is_published(link: &Link, spec: &Value) {
    let tenant = link.operator.cluster.tenant_client(&link.consumer.namespace).await;
    let maps = Api::<ConfigMap>::namespaced(tenant.clone(), &link.consumer.namespace);
    let services = Api::<Service>::namespaced(tenant, &link.consumer.namespace);
    let published = json!({"publish": {"configMap": {"name": "db"}, "service": {"name": "db"}}});
    link.consumer.settled("db", &with(spec.clone(), published)).await;
    let holds = |map: Option<&ConfigMap>| {
        map.and_then(|map| map.data.as_ref()?.get("connection")).map(String::as_str) == Some("Connected")
    };
    let leads = |service: Option<&Service>| {
        let to = service.and_then(|service| service.spec.as_ref()?.external_name.as_deref());
        to.is_some_and(|to| to.starts_with("ep-"))
    };
    becomes(maps.clone(), "db", "made", holds).await;
    becomes(services.clone(), "db", "made", leads).await;
    let wrong = Patch::Merge(json!({"data": {"connection": "Gone"}}));
    maps.patch("db", &PatchParams::default(), &wrong).await.expect("it is changed");
    becomes(maps.clone(), "db", "put right", holds).await;
    let wrong = Patch::Merge(json!({"spec": {"externalName": "elsewhere.example.com"}}));
    services.patch("db", &PatchParams::default(), &wrong).await.expect("it is changed");
    becomes(services.clone(), "db", "put right", leads).await;
    link.consumer.settled("db", spec).await;
    becomes(maps, "db", "gone", |map: Option<&ConfigMap>| map.is_none()).await;
    becomes(services, "db", "gone", |service: Option<&Service>| service.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_let_in_with_the_rights_of_the_chart_and_what_was_declared_outlives_the_release() {
    let mut link = Link::charted("chart").await;
    let cluster = link.operator.cluster;
    let admin = cluster.admin_client().await;
    pods_are_restricted(&admin).await;
    // By default the chart tells it nothing that it would not do by itself.
    assert_eq!(told_by_the_deployment(&admin).await, []);

    accepted(&mut link).await;
    is_used_up(&given(&admin, false).await, &used(cluster));

    // An upgrade that enables publishing gives the rights that this needs.
    done_as_documented(cluster, "helm upgrade", &["--set", "publish.enabled=true"]).await;
    assert!(link.operator.end().await.success(), "the old replica ends well");
    for (variable, value) in told_by_the_deployment(&admin).await {
        link.operator.set(variable, value);
    }
    link.operator.run(&[]).await;
    let db = link.consumer.becomes("db", "settled", is_settled).await;
    let service = db.status.as_ref().and_then(|status| status.service_id.clone()).expect("its service");
    let spec = tenant(&json!({"id": service}), &["f", "g"]);
    is_published(&link, &spec).await;
    is_used_up(&given(&admin, true).await, &used(cluster));
    assert_eq!(link.spent(), calls([]), "nothing of it concerns the cloud");

    // Without the release, all that was declared is still there.
    assert!(link.operator.end().await.success(), "it ends well");
    done_as_documented(cluster, "helm uninstall", &[]).await;
    let accounts = Api::<ServiceAccount>::namespaced(admin.clone(), OPERATOR_NAMESPACE);
    assert!(
        accounts.get_opt(OPERATOR_ACCOUNT).await.expect("it is asked").is_none(),
        "the operator's identity is gone"
    );
    let roles = Api::<ClusterRole>::all(admin.clone());
    assert!(roles.get_opt(OPERATOR_ACCOUNT).await.expect("it is asked").is_none(), "and so are its rights");
    let crds = Api::<CustomResourceDefinition>::all(admin.clone());
    let ours = crds.list(&ListParams::default()).await.expect("they are listed");
    let ours = ours.items.iter().filter(|crd| crd.spec.group == "privatelink.dev").map(ResourceExt::name_any);
    assert_eq!(ours.count(), 5, "the CRDs stay");
    let left = Api::<Endpoint>::namespaced(admin.clone(), &link.consumer.namespace).get("db").await;
    assert_eq!(left.expect("it stays").metadata.uid, db.metadata.uid);

    // Installed again, it goes on where it was, and everything can be taken away in the right order.
    done_as_documented(cluster, "helm install", &[]).await;
    done_as_documented(cluster, "kubectl label namespace", &["--overwrite"]).await;
    link.operator.set("PRIVATELINK_PUBLISH", "false");
    link.operator.run(&[]).await;
    link.provider.looks_again("gateway", "it is installed again").await;
    link.consumer.looks_again("db", "it is installed again").await;
    assert_eq!(link.spent(), calls([]), "all of it is as it was declared");
    done_as_documented(cluster, "kubectl delete zoneresourceassignments", &["--timeout=80s"]).await;
    link.stop().await;
    done_as_documented(cluster, "kubectl delete cloudaccounts", &[]).await;
    done_as_documented(cluster, "helm uninstall", &[]).await;
    done_as_documented(cluster, "kubectl delete crd", &["--timeout=80s"]).await;
    let crds = crds.list(&ListParams::default()).await.expect("they are listed");
    assert!(crds.items.iter().all(|crd| crd.spec.group != "privatelink.dev"), "nothing is left");
}
