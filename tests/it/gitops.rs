//! The page on Flux and Argo CD: its commands work on the real API server, and its manifests are what they say.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _, api::PostParams};
use privatelink_operator::api::{ZoneResourceAssignment, crd};
use serde_json::{Value, json};

use crate::cluster;
use crate::operator::apply;
use crate::terminal::{Terminal, blocks};

/// The page.
const PAGE: &str = "docs/how-to/gitops.md";

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_is_told_of_each_kind_and_of_nothing_else_anew() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("argocd").await;
    let terminal = Terminal::bare(cluster, "argocd");
    let maps = Api::<ConfigMap>::namespaced(cluster.admin_client().await, &namespace);
    let before: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "argocd-cm"}, "data": {"timeout.reconciliation": "3m"}}))
            .expect("a ConfigMap");
    maps.create(&PostParams::default(), &before).await.expect("Argo CD is there");
    let [patch] = &blocks(PAGE, "Argo CD", "sh")[..] else { panic!("one command") };
    terminal.does(&patch.replace("--namespace argocd", &format!("--namespace {namespace}"))).await;
    let data = maps.get("argocd-cm").await.expect("it is there").data.unwrap_or_default();
    let kinds = crd::definitions().into_iter().map(|one| one.spec.names.kind);
    let expected = kinds.map(|kind| format!("resource.customizations.health.privatelink.dev_{kind}"));
    let expected: BTreeSet<String> = expected.chain(["timeout.reconciliation".to_owned()]).collect();
    assert_eq!(data.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_s_approval_and_manifests_are_taken() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("gitops").await;
    let terminal = Terminal::bare(cluster, "gitops");
    let assignments = Api::<ZoneResourceAssignment>::namespaced(cluster.admin_client().await, &namespace);
    let one = json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "ZoneResourceAssignment",
        "metadata": {"name": "tenant-f", "namespace": namespace},
        "spec": {"serviceRef": {"name": "gateway"}, "endpoint": {"id": "ep-1"}, "zone": "cn-hangzhou-f", "resourceId": "lb-1"},
    });
    apply(&assignments, "tenant-f", &one).await;
    let [approve] = &blocks(PAGE, "What each phase looks like", "sh")[..] else { panic!("one command") };
    terminal.does(&approve.replace("team-a", &namespace)).await;
    let approved = assignments.get("tenant-f").await.expect("it is there");
    assert_eq!(approved.annotations()["privatelink.dev/drain-approved"], "MIGRATION");

    let [locked] = &blocks(PAGE, "Pruning", "yaml")[..] else { panic!("one manifest") };
    let locked = locked.replace("team-a", &namespace);
    terminal.does(&format!("kubectl apply --dry-run=server -f - <<'YAML'\n{locked}\nYAML")).await;
    // Of the tools' own kinds the API server knows nothing here.
    for (heading, kind) in [("Flux", "Kustomization"), ("Argo CD", "Application")] {
        let [manifest] = &blocks(PAGE, heading, "yaml")[..] else { panic!("one manifest") };
        let manifest: Value = serde_saphyr::from_str(manifest).expect("it is YAML");
        assert_eq!((&manifest["kind"], manifest["spec"].is_object()), (&json!(kind), true), "{manifest}");
    }
}
