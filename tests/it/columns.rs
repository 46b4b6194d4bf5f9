//! What `kubectl get` prints of the five kinds, under each of their names, and what is said of an
//! object that nobody has looked at.

use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use privatelink_operator::api::{CloudAccount, EndpointService};
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};

/// The lines that kubectl prints, each as its columns; fails when kubectl does.
fn printed(cluster: &Cluster, arguments: &[&str]) -> Vec<Vec<String>> {
    let output = cluster.kubectl(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("kubectl prints text");
    text.lines().map(|line| line.split_whitespace().map(ToOwned::to_owned).collect()).collect()
}

/// The line of the object whose name ends so, without its age.
fn row<'a>(lines: &'a [Vec<String>], name: &str) -> &'a [String] {
    let line = lines.iter().find(|line| line.first().is_some_and(|first| first == name));
    let line = line.unwrap_or_else(|| panic!("no line of {name} in {lines:#?}"));
    &line[1..line.len() - 1]
}

/// A status with a Ready condition, as the operator would write it.
fn ready(reason: &str, rest: &Value) -> Value {
    let mut status = json!({
        "observedGeneration": 1,
        "conditions": [
            { "type": "Ready", "status": "True", "reason": reason, "message": "It is.", "lastTransitionTime": "2026-01-01T00:00:00Z" },
            { "type": "ZonesReady", "status": "False", "reason": "Degraded", "message": "One is down.", "lastTransitionTime": "2026-01-01T00:00:00Z" },
        ],
    });
    let object = status.as_object_mut().expect("an object");
    object.extend(rest.as_object().expect("an object").clone());
    json!({ "status": status })
}

/// One object of each kind, in a namespace of its own; the account has the namespace's name.
async fn declare(cluster: &Cluster) -> String {
    let namespace = cluster.namespace("columns").await;
    let objects = json!([
        { "kind": "CloudAccount", "metadata": { "name": namespace },
          "spec": { "alibaba": {}, "region": "cn-hangzhou", "credentials": { "environment": {} } } },
        { "kind": "EndpointService", "metadata": { "name": "gateway" },
          "spec": { "resources": [{ "id": "lb-1", "type": "CLB" }] } },
        { "kind": "Endpoint", "metadata": { "name": "db" },
          "spec": { "service": { "ref": { "name": "gateway" } }, "vpcId": "vpc-1", "zones": [{ "subnetId": "vsw-1" }] } },
        { "kind": "WhitelistEntry", "metadata": { "name": "tenant" },
          "spec": { "serviceRef": { "name": "gateway" }, "principal": "1234567890123456" } },
        { "kind": "ZoneResourceAssignment", "metadata": { "name": "by-id" },
          "spec": { "serviceRef": { "name": "gateway" }, "endpoint": { "id": "ep-1" }, "zone": "cn-hangzhou-f", "resourceId": "lb-1" } },
        { "kind": "ZoneResourceAssignment", "metadata": { "name": "by-ref" },
          "spec": { "serviceRef": { "name": "gateway" }, "endpoint": { "ref": { "name": "db" } }, "zone": "cn-hangzhou-f", "resourceId": "lb-1" } },
    ]);
    for object in objects.as_array().expect("a list") {
        let mut object = object.clone();
        object["apiVersion"] = json!("privatelink.dev/v1alpha1");
        let output = cluster.kubectl_with(&["create", "-n", &namespace, "-f", "-"], &object.to_string());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    namespace
}

/// Writes a status as administrator, in the operator's stead.
fn report(cluster: &Cluster, namespace: &str, name: &str, status: &Value) {
    let output = cluster.kubectl(&[
        "patch",
        "--subresource=status",
        "--type=merge",
        "-n",
        namespace,
        name,
        "-p",
        &status.to_string(),
    ]);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn each_kind_prints_its_columns_under_its_short_name() {
    let cluster = cluster::shared();
    let namespace = declare(cluster).await;
    let counts = json!({ "total": 3, "connected": 2, "awaiting": 1, "held": 0, "other": 0 });
    let reports = [
        (format!("pla/{namespace}"), ready("Ready", &json!({ "accountId": "1234567890123456" }))),
        (
            "pls/gateway".into(),
            ready("Ready", &json!({ "serviceId": "epsrv-1", "state": "Active", "connectionCounts": counts })),
        ),
        ("ple/db".into(), ready("Degraded", &json!({ "endpointId": "ep-1", "connection": "Connected" }))),
        ("plw/tenant".into(), ready("WaitingForConsumer", &json!({ "connectionCounts": counts }))),
        ("plz/by-id".into(), ready("Draining", &json!({ "state": "Migrated" }))),
        ("plz/by-ref".into(), ready("Ready", &json!({ "state": "Connected" }))),
    ];
    for (name, status) in &reports {
        report(cluster, &namespace, name, status);
    }
    let expected: [(&str, &str, &str, &str); 6] = [
        ("pla", &namespace, "READY ACCOUNT-ID REGION REASON", "True 1234567890123456 cn-hangzhou Ready"),
        ("pls", "gateway", "READY SERVICE-ID STATE CONNECTED AWAITING REASON", "True epsrv-1 Active 2 1 Ready"),
        ("ple", "db", "READY ENDPOINT-ID CONNECTION ZONES REASON", "True ep-1 Connected False Degraded"),
        (
            "plw",
            "tenant",
            "READY PRINCIPAL SERVICE CONNECTED AWAITING REASON",
            "True 1234567890123456 gateway 2 1 WaitingForConsumer",
        ),
        ("plz", "by-id", "READY ENDPOINT ZONE RESOURCE STATE REASON", "True ep-1 cn-hangzhou-f lb-1 Migrated Draining"),
        ("plz", "by-ref", "READY ENDPOINT ZONE RESOURCE STATE REASON", "True db cn-hangzhou-f lb-1 Connected Ready"),
    ];
    for (short, name, header, cells) in expected {
        let lines = printed(cluster, &["get", short, "-n", &namespace]);
        assert_eq!(lines[0].join(" "), format!("NAME {header} AGE"), "{short}");
        assert_eq!(row(&lines, name).join(" "), cells, "{short}");
    }
}

#[tokio::test]
async fn the_category_and_the_other_names_find_every_kind() {
    let cluster = cluster::shared();
    let namespace = declare(cluster).await;
    let lines = printed(cluster, &["get", "privatelink", "-n", &namespace, "-o", "name"]);
    let mut names: Vec<_> = lines.concat();
    // Accounts are the cluster's: those of other tests are there too.
    names.retain(|name| !name.starts_with("cloudaccount") || name.ends_with(&namespace));
    names.sort();
    assert_eq!(
        names,
        [
            format!("cloudaccount.privatelink.dev/{namespace}"),
            // kubectl writes the kind here, and takes it back with the group behind it.
            "endpoint.privatelink.dev/db".into(),
            "endpointservice.privatelink.dev/gateway".into(),
            "whitelistentry.privatelink.dev/tenant".into(),
            "zoneresourceassignment.privatelink.dev/by-id".into(),
            "zoneresourceassignment.privatelink.dev/by-ref".into(),
        ]
    );
    // The plain word stays Kubernetes' own.
    let core = printed(cluster, &["get", "endpoints", "-n", &namespace, "-o", "name"]);
    assert!(core.concat().iter().all(|name| !name.contains("privatelink.dev")), "{core:?}");
    for word in ["privateendpoints", "privateendpoint", "ple", "endpoint.privatelink.dev"] {
        let lines = printed(cluster, &["get", word, "-n", &namespace, "-o", "name"]);
        assert_eq!(lines.concat().len(), 1, "{word}: {lines:?}");
    }
}

#[tokio::test]
async fn an_object_that_nobody_has_looked_at_says_so() {
    let cluster = cluster::shared();
    let namespace = declare(cluster).await;
    let admin = cluster.admin_client().await;
    let services = Api::<EndpointService>::namespaced(admin.clone(), &namespace);
    let service = services.get("gateway").await.expect("it was made");
    let status = service.status.as_ref().expect("a status stands there from the start");
    assert_eq!(status.common.observed_generation, -1);
    assert_eq!(service.metadata.generation, Some(1));
    let listed = services.list(&ListParams::default()).await.expect("a list");
    assert_eq!(listed.items[0].status.as_ref().map(|status| status.common.observed_generation), Some(-1));
    for kind in ["pla", "pls", "ple", "plw", "plz"] {
        let arguments = [
            "get",
            kind,
            "-n",
            &namespace,
            "-o",
            "jsonpath={range .items[*]}{.metadata.name}={.status.observedGeneration} {end}",
        ];
        let said = printed(cluster, &arguments).concat();
        let ours = said.iter().filter(|pair| kind != "pla" || pair.starts_with(&format!("{namespace}=")));
        let values: Vec<_> = ours.map(|pair| pair.split_once('=').expect("name=value").1).collect();
        assert!(!values.is_empty() && values.iter().all(|value| *value == "-1"), "{kind}: {said:?}");
    }
    // A tool that waits as kstatus does waits: the generation is not the observed one.
    let waited = cluster.kubectl(&["wait", "pls/gateway", "-n", &namespace, "--for=condition=Ready", "--timeout=0"]);
    assert!(!waited.status.success());
}

#[tokio::test]
async fn a_status_cannot_be_written_with_the_spec() {
    let cluster = cluster::shared();
    let namespace = declare(cluster).await;
    let accounts = Api::<CloudAccount>::all(cluster.admin_client().await);
    let patch =
        json!({ "spec": { "limits": { "burst": 5 } }, "status": { "accountId": "1", "observedGeneration": 9 } });
    let patched = accounts.patch(&namespace, &PatchParams::default(), &Patch::Merge(&patch)).await.expect("patched");
    assert_eq!(patched.spec.limits.and_then(|limits| limits.burst), Some(5));
    let status = patched.status.as_ref().expect("the status from the start");
    assert_eq!((status.account_id.as_ref(), status.common.observed_generation), (None, -1), "{}", patched.name_any());
}
