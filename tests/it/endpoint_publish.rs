//! What an endpoint hands over to applications: a ConfigMap and a Service that say what the cloud has, as an
//! application reads them; kept true, never written over another's, and gone when nobody asks for them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use privatelink_operator::api::Endpoint;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::link::{Link, tenant, with};
use crate::objects::{id, said};
use crate::operator::{apply, becomes};
use crate::past::calls;

/// The `ClusterRole` that publishing needs.
const PUBLISHING: &str = "privatelink-operator-publishing";
/// The label of what is published.
const LABEL: &str = "privatelink.dev/published-by";
/// Who an application runs as; it may read what is in its namespace, as what mounts a ConfigMap does for it.
const APPLICATION: &str = "application";

/// What an application reads.
struct Application {
    maps: Api<ConfigMap>,
    services: Api<Service>,
}

impl Application {
    async fn start(cluster: &Cluster, namespace: &str) -> Self {
        cluster.bind(namespace, APPLICATION, "view").await;
        Self::of(cluster.account_client(namespace, APPLICATION).await, namespace)
    }

    fn of(client: Client, namespace: &str) -> Self {
        let maps = Api::namespaced(client.clone(), namespace);
        Self { maps, services: Api::namespaced(client, namespace) }
    }

    /// Waits until the ConfigMap holds exactly what the cloud has.
    async fn reads(&self, link: &Link, name: &str, endpoint: &Endpoint) {
        let wanted = told(link, endpoint);
        let holds = |map: Option<&ConfigMap>| map.and_then(|map| map.data.as_ref()) == Some(&wanted);
        becomes(self.maps.clone(), name, "true", holds).await;
    }

    /// Waits until the Service leads to the endpoint's domain.
    async fn is_led(&self, link: &Link, name: &str, endpoint: &Endpoint) {
        let (domain, _) = link.truth(endpoint);
        let leads = |service: Option<&Service>| {
            let spec = service.and_then(|service| service.spec.as_ref());
            let kind = spec.and_then(|spec| spec.type_.as_deref());
            kind == Some("ExternalName") && spec.and_then(|spec| spec.external_name.as_ref()) == Some(&domain)
        };
        becomes(self.services.clone(), name, "leading there", leads).await;
    }

    async fn reads_nothing(&self, name: &str) {
        becomes(self.maps.clone(), name, "gone", |map: Option<&ConfigMap>| map.is_none()).await;
        becomes(self.services.clone(), name, "gone", |service: Option<&Service>| service.is_none()).await;
    }
}

/// What is to be published of an endpoint that is connected, as the cloud has it.
fn told(link: &Link, endpoint: &Endpoint) -> BTreeMap<String, String> {
    let (domain, legs) = link.truth(endpoint);
    let service = endpoint.status.as_ref().and_then(|status| status.service_id.clone()).expect("its service");
    let zones: Vec<&str> = legs.iter().map(|leg| leg.zone.as_str()).collect();
    let mut told: BTreeMap<String, String> = [
        ("accountId", "1002000000000002".to_owned()),
        ("cloud", "alibaba".to_owned()),
        ("connection", "Connected".to_owned()),
        ("domain", domain),
        ("endpointId", id(endpoint).to_owned()),
        ("region", "cn-hangzhou".to_owned()),
        ("serviceId", service.clone()),
        ("serviceName", format!("com.aliyuncs.privatelink.cn-hangzhou.{service}")),
        ("zones", zones.join(",")),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    for leg in legs {
        told.insert(format!("zone.{}.ip", leg.zone), leg.ip);
        told.insert(format!("zone.{}.domain", leg.zone), leg.domain);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_reads_what_the_cloud_has_and_nobody_elses_objects_are_touched() {
    let mut link = Link::start("publish endpoint").await;
    let namespace = link.consumer.namespace.clone();
    let application = Application::start(link.operator.cluster, &namespace).await;
    // What the tenant has itself, under a name that the endpoint will ask for.
    let theirs = Application::of(link.operator.cluster.tenant_client(&namespace).await, &namespace);
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken", "namespace": namespace},
        "data": {"endpointId": "mine"},
    });
    apply(&theirs.maps, "taken", &map).await;
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "taken", "namespace": namespace},
        "spec": {"type": "ExternalName", "externalName": "mine.example.com"},
    });
    apply(&theirs.services, "taken", &service).await;

    // Where publishing is not enabled, it is said, and the endpoint serves all the same.
    let offered = link.offered(&["lb-hot", "lb-hot-g"], true);
    let published =
        |map: &str, service: &str| json!({"publish": {"configMap": {"name": map}, "service": {"name": service}}});
    let spec = |zones: &[&str], fields: Value| with(tenant(&json!({"id": offered}), zones), fields);
    let made = link.consumer.settled("db", &spec(&["f", "g"], published("db", "db"))).await;
    let (valid, why, message) = said(&made, "Valid").expect("it is said");
    assert_eq!((valid, why), ("False", "InvalidSpec"));
    assert!(message.starts_with("publish: the operator does not publish"), "{message}");
    link.spent();

    // Enabled without the right to write, that is said, and nothing else waits for it.
    link.operator.end().await;
    link.operator.run(&["--publish"]).await;
    let denied = |one: &Endpoint| said(one, "Valid").is_some_and(|(_, why, _)| why == "PermissionDenied");
    let refused = link.consumer.becomes("db", "denied", denied).await;
    let (_, _, message) = said(&refused, "Valid").expect("it is said");
    assert!(message.contains(PUBLISHING), "{message}");
    assert_eq!(said(&refused, "Ready").map(|(status, ..)| status), Some("True"));

    // With it, it is there.
    link.operator.cluster.bind_operator(PUBLISHING).await;
    link.consumer.is_looked_at("db", "it is bound").await;
    application.reads(&link, "db", &made).await;
    application.is_led(&link, "db", &made).await;
    let map = application.maps.get("db").await.expect("it is there");
    assert_eq!(map.metadata.labels.and_then(|labels| labels.get(LABEL).cloned()).as_deref(), Some("db"));
    let owner = map.metadata.owner_references.expect("it is owned").remove(0);
    assert_eq!((owner.kind.as_str(), Some(owner.uid)), ("Endpoint", made.metadata.uid.clone()));
    let valid = |one: &Endpoint| said(one, "Valid").is_some_and(|(status, ..)| status == "True");
    link.consumer.becomes("db", "valid", valid).await;

    // It stays true: when the cloud changes, when somebody changes it, and when somebody removes it.
    let narrower = link.consumer.settled("db", &spec(&["f"], published("db", "db"))).await;
    application.reads(&link, "db", &narrower).await;
    let changed = json!({"data": {"endpointId": "ep-another", "more": "x"}});
    theirs.maps.patch("db", &PatchParams::default(), &Patch::Merge(&changed)).await.expect("it is patched");
    application.reads(&link, "db", &narrower).await;
    let changed = json!({"spec": {"externalName": "another.example.com"}});
    theirs.services.patch("db", &PatchParams::default(), &Patch::Merge(&changed)).await.expect("it is patched");
    application.is_led(&link, "db", &narrower).await;
    theirs.maps.delete("db", &DeleteParams::default()).await.expect("it is deleted");
    theirs.services.delete("db", &DeleteParams::default()).await.expect("it is deleted");
    application.reads(&link, "db", &narrower).await;
    application.is_led(&link, "db", &narrower).await;

    // Another's name: what is there stays, it is said, and what was published before is taken away.
    for (fields, named) in [
        (published("taken", "db"), "publish.configMap.name: there is a ConfigMap taken "),
        (published("db", "taken"), "publish.service.name: there is a Service taken "),
    ] {
        link.consumer.apply("db", &spec(&["f"], fields)).await;
        let says = |one: &Endpoint| {
            said(one, "Valid").is_some_and(|(_, why, message)| why == "OwnershipConflict" && message.starts_with(named))
        };
        let refused = link.consumer.becomes("db", named, says).await;
        assert_eq!(said(&refused, "Ready").map(|(status, ..)| status), Some("True"), "traffic flows all the same");
    }
    becomes(application.services.clone(), "db", "gone", |service: Option<&Service>| service.is_none()).await;
    let map = application.maps.get("taken").await.expect("it is there");
    assert_eq!(map.data, Some([("endpointId".to_owned(), "mine".to_owned())].into()));
    let service = application.services.get("taken").await.expect("it is there");
    assert_eq!(service.spec.and_then(|spec| spec.external_name).as_deref(), Some("mine.example.com"));

    // Gone when it is no longer asked for, and with the object.
    link.consumer.settled("db", &spec(&["f"], json!({}))).await;
    application.reads_nothing("db").await;
    link.consumer.settled("db", &spec(&["f"], published("db", "db"))).await;
    application.reads(&link, "db", &narrower).await;
    application.is_led(&link, "db", &narrower).await;
    link.consumer.goes("db").await;
    link.operator.cluster.needs_controller_manager();
    application.reads_nothing("db").await;
    assert_eq!(link.spent(), calls([("RemoveZoneFromVpcEndpoint", 2), ("DeleteVpcEndpoint", 1)]));
    assert_eq!(application.maps.get("taken").await.expect("it is there").data.map(|data| data.len()), Some(1));
    link.operator.cluster.unbind_operator(PUBLISHING).await;
    link.stop().await;
}
