//! The objects whose health is read in tests/controlplane/health: one of each kind in each phase, as the real API server
//! gives them while the real operator looks after them. Written anew by `make recordings`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    api::{DeleteParams, DynamicObject},
};
use privatelink_operator::api::CloudAccount;
use privatelink_operator::release::choice;
use privatelink_sim::fixture::Fixture;
use serde_json::{Value, json};

use crate::cluster::{self, repository};
use crate::link::{Link, lets_in, offer, second_tenant, tenant};
use crate::objects::{InNamespace, Objects, id, is_settled, looked_at, said};
use crate::past::{Key, PROVIDER};
use crate::terminal::Terminal;
use crate::zone_life::is_in;

/// Set, the recordings are written; not set, they are compared.
const RECORD: &str = "PRIVATELINK_RECORD";
/// The zone of all that has one.
const ZONE: &str = "cn-hangzhou-f";
/// An account whose key is wrong.
const WRONG_ACCOUNT: &str = "recorded-wrong";
/// What stands for every time in them.
const THEN: &str = "2026-01-01T00:00:00Z";
/// The same within ids.
const THEN_IN_IDS: &str = "20260101T000000Z";

/// The recordings of one test.
struct Recorder {
    cluster: &'static cluster::Cluster,
    /// What is called otherwise the next time, and how it is called in the recordings.
    masks: Vec<(String, &'static str)>,
    made: BTreeMap<String, Value>,
}

impl Recorder {
    fn new(cluster: &'static cluster::Cluster, masks: Vec<(String, &'static str)>) -> Self {
        Self { cluster, masks, made: BTreeMap::new() }
    }

    /// Records an object as it is.
    async fn takes(&mut self, kind: &str, phase: &str, namespace: Option<&str>, name: &str) {
        let client = self.cluster.admin_client().await;
        let resource = choice::kinds().into_iter().find(|one| one.resource.kind == kind).expect("one of ours").resource;
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let mut object = api.get(name).await.expect("it is there");
        object.metadata.managed_fields = None;
        object.metadata.resource_version = Some("1".to_owned());
        let mut text = serde_json::to_string_pretty(&object).expect("it is plain data");
        for uid in
            object.metadata.uid.iter().chain(object.metadata.owner_references.iter().flatten().map(|one| &one.uid))
        {
            text = text.replace(uid.as_str(), "00000000-0000-4000-8000-000000000001");
        }
        for (now, always) in &self.masks {
            text = text.replace(now, always);
        }
        let text = undated(&text);
        let file = format!("{}-{phase}", kind.to_lowercase());
        let object: Value = serde_json::from_str(&text).expect("it is JSON still");
        if std::env::var_os(RECORD).is_some() {
            fs::create_dir_all(recordings()).expect("a folder");
            let text = serde_json::to_string_pretty(&object).expect("it is plain data");
            fs::write(recordings().join(format!("{file}.json")), text + "\n").expect("it is written");
        }
        assert!(self.made.insert(file, object).is_none(), "{kind} {phase}");
    }

    /// Compares what was recorded with what is there.
    fn ends(self) {
        let folder = recordings();
        for (file, object) in &self.made {
            let path = folder.join(format!("{file}.json"));
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}; `make recordings` writes it", path.display()));
            let there: Value = serde_json::from_str(&text).expect("a recording is JSON");
            assert_eq!(shape(&there), shape(object), "{file} is otherwise now: see to it, then `make recordings`");
        }
    }
}

fn recordings() -> PathBuf {
    repository().join("tests/controlplane/health/recorded")
}

/// All that health is read from.
fn shape(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let told = |one: &Value| json!([one["type"], one["status"], one["reason"], one["observedGeneration"]]);
    json!({
        "kind": object["kind"],
        "generation": object["metadata"]["generation"],
        "deleting": object["metadata"]["deletionTimestamp"].is_string(),
        "observed": object["status"]["observedGeneration"],
        "conditions": conditions.iter().map(told).collect::<Vec<_>>(),
    })
}

/// The text with every time, and every time within an id, as one that is always the same.
fn undated(text: &str) -> String {
    let (mut undated, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        if let Some(long) = (THEN.len()..=30).find(|&end| rest.get(..end).is_some_and(is_a_time)) {
            undated.push_str(THEN);
            rest = &rest[long..];
        } else if rest.get(..THEN_IN_IDS.len()).is_some_and(is_a_time_of_an_id) {
            undated.push_str(THEN_IN_IDS);
            rest = &rest[THEN_IN_IDS.len()..];
        } else {
            undated.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    undated
}

fn is_a_time(text: &str) -> bool {
    text.starts_with("20") && text.ends_with('Z') && text.contains('-') && text.parse::<Timestamp>().is_ok()
}

fn is_a_time_of_an_id(text: &str) -> bool {
    let like = |one: char, other: char| one == other || one.is_ascii_digit() && other.is_ascii_digit();
    text.chars().count() == THEN_IN_IDS.len()
        && text.chars().zip(THEN_IN_IDS.chars()).all(|(one, other)| like(one, other))
}

#[test]
fn times_are_found_wherever_they_stand() {
    let text = "at 2026-11-23T16:30:58.847422Z, lb-a-lb-b-20261123T163058Z and 2026-11-23T16:30:58Z: 20 of 2026-1Z";
    let expected = format!("at {THEN}, lb-a-lb-b-{THEN_IN_IDS} and {THEN}: 20 of 2026-1Z");
    assert_eq!(undated(text), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_looked_at_is_recorded() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("recorded").await;
    let terminal = Terminal::bare(cluster, "recorded");
    let mut objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"kind": "CloudAccount", "metadata": {"name": namespace},
         "spec": {"alibaba": {}, "region": "cn-hangzhou", "credentials": {"environment": {}}}},
        {"kind": "EndpointService", "metadata": {"name": "gateway", "namespace": namespace},
         "spec": {"resources": [{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]}},
        {"kind": "Endpoint", "metadata": {"name": "db", "namespace": namespace},
         "spec": {"service": {"ref": {"name": "gateway"}}, "vpcId": "vpc-tenant", "zones": [{"subnetId": "vsw-tenant-f"}]}},
        {"kind": "WhitelistEntry", "metadata": {"name": "tenant", "namespace": namespace},
         "spec": {"serviceRef": {"name": "gateway"}, "principal": "1002000000000002"}},
        {"kind": "ZoneResourceAssignment", "metadata": {"name": "db-f", "namespace": namespace},
         "spec": {"serviceRef": {"name": "gateway"}, "endpoint": {"ref": {"name": "db"}}, "zone": "cn-hangzhou-f",
                  "resourceId": "lb-hot"}},
    ]});
    for one in objects["items"].as_array_mut().expect("a list") {
        one["apiVersion"] = json!("privatelink.dev/v1alpha1");
    }
    terminal.does(&format!("echo '{objects}' | kubectl apply -f -")).await;
    let mut recorder = Recorder::new(cluster, vec![(namespace.clone(), "team-a")]);
    recorder.takes("CloudAccount", "created", None, &namespace).await;
    for (kind, name) in [
        ("EndpointService", "gateway"),
        ("Endpoint", "db"),
        ("WhitelistEntry", "tenant"),
        ("ZoneResourceAssignment", "db-f"),
    ] {
        recorder.takes(kind, "created", Some(&namespace), name).await;
    }
    recorder.ends();
    terminal.does(&format!("kubectl delete cloudaccount {namespace}")).await;
}

/// The story of all phases.
struct Phases {
    link: Link,
    recorder: Recorder,
}

impl Phases {
    /// Records an object of either side.
    async fn takes(&mut self, kind: &str, phase: &str, name: &str) {
        let namespace = match kind {
            "CloudAccount" => None,
            "Endpoint" => Some(self.link.consumer.namespace.as_str()),
            _ => Some(self.link.provider.namespace.as_str()),
        };
        self.recorder.takes(kind, phase, namespace, name).await;
    }

    /// Waits until something of its own is on its way, which ends when the story says so.
    async fn moves<K: InNamespace>(objects: &Objects<K>, name: &str) {
        let moves = |one: &K| said(one, "Reconciling").is_some() && looked_at(one);
        objects.becomes(name, "moving", moves).await;
    }

    /// What this call has begun arrives. What a status says is under way may not have been asked for yet.
    async fn arrives(&self, call: &str) {
        self.link.operator.has_written(call).await;
        self.link.settles();
    }

    /// Waits until a person has to act.
    async fn stalls<K: InNamespace>(objects: &Objects<K>, name: &str) {
        objects.becomes(name, "stalled", |one| said(one, "Stalled").is_some()).await;
    }

    /// What can be said of accounts, and what a person has to mend.
    async fn stalled(&mut self) {
        let account = self.link.provider.account.clone();
        self.takes("CloudAccount", "ready", &account).await;
        let wrong = Key { secret: "wrong", ..PROVIDER };
        let cloud = self.link.operator.cloud();
        let alibaba = json!({"endpoints": {"privatelink": cloud, "sts": cloud}});
        let here = self.link.provider.namespace.clone();
        self.link.operator.declare(WRONG_ACCOUNT, &[&here], wrong, "cn-hangzhou", &alibaba).await;
        let accounts = Api::<CloudAccount>::all(self.link.operator.admin().await);
        let stalls = |one: Option<&CloudAccount>| one.is_some_and(|one| said(one, "Stalled").is_some());
        self.link.operator.becomes(accounts, WRONG_ACCOUNT, "stalled", stalls).await;
        self.takes("CloudAccount", "stalled", WRONG_ACCOUNT).await;

        let nobodys = json!({"resources": [{"id": "lb-nobodys", "type": "CLB", "zone": ZONE}]});
        self.link.provider.apply("wrong", &nobodys).await;
        Self::stalls(&self.link.provider, "wrong").await;
        self.takes("EndpointService", "stalled", "wrong").await;
    }

    /// A service is made, and a consumer comes who waits to be let in; the endpoint's id.
    async fn comes(&mut self) -> String {
        let one = |id: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": ZONE, "autoAllocate": auto});
        let two = offer(&[], json!({"resources": [one("lb-hot", false), one("lb-spare", true)]}));
        self.link.provider.apply("gateway", &two).await;
        Self::moves(&self.link.provider, "gateway").await;
        self.takes("EndpointService", "reconciling", "gateway").await;
        let by_hand = lets_in(json!({"connections": {"action": "Accept", "assignment": "Manual"}}));
        self.link.entries.apply("tenant", &by_hand).await;
        self.arrives("CreateVpcEndpointService").await;
        let service = self.link.provider.becomes("gateway", "settled", is_settled).await;
        self.takes("EndpointService", "ready", "gateway").await;
        self.link.entries.says("tenant", "WaitingForConsumer").await;
        self.takes("WhitelistEntry", "ready", "tenant").await;
        let of_aws = json!({"serviceRef": {"name": "gateway"}, "principal": "arn:aws:iam::123456789012:root"});
        self.link.entries.apply("wrong", &of_aws).await;
        Self::stalls(&self.link.entries, "wrong").await;
        self.takes("WhitelistEntry", "stalled", "wrong").await;

        self.link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
        Self::moves(&self.link.consumer, "db").await;
        self.takes("Endpoint", "reconciling", "db").await;
        self.arrives("CreateVpcEndpoint").await;
        self.link.consumer.says("db", "WaitingForAcceptance").await;
        self.takes("Endpoint", "waiting-for-acceptance", "db").await;
        self.link.entries.says("tenant", "WaitingForAssignment").await;
        self.takes("WhitelistEntry", "waiting-for-assignment", "tenant").await;
        let mut nowhere = second_tenant(&json!({"id": id(&service)}), &["f"]);
        nowhere["zones"][0]["subnetId"] = json!("vsw-nobodys");
        self.link.consumer.apply("wrong", &nowhere).await;
        Self::stalls(&self.link.consumer, "wrong").await;
        self.takes("Endpoint", "stalled", "wrong").await;
        id(&self.link.consumer.api.get("db").await.expect("it is there")).to_owned()
    }

    /// The consumer is let in, and its zone moves, waits for a person, and drains.
    async fn is_served(&mut self, endpoint: &str) {
        let pinned = |resource: &str, migration: Value| {
            json!({
                "serviceRef": {"name": "gateway"}, "endpoint": {"id": endpoint}, "zone": ZONE, "resourceId": resource,
                "migration": migration,
            })
        };
        let asks = json!({"mode": "Smooth", "approval": "Required"});
        self.link.assignments.apply("db-f", &pinned("lb-hot", asks.clone())).await;
        Self::moves(&self.link.entries, "tenant").await;
        self.takes("WhitelistEntry", "reconciling", "tenant").await;
        self.arrives("EnableVpcEndpointConnection").await;
        self.link.assignments.becomes("db-f", "settled", is_settled).await;
        self.takes("ZoneResourceAssignment", "ready", "db-f").await;
        self.link.consumer.becomes("db", "settled", is_settled).await;
        self.takes("Endpoint", "ready", "db").await;

        self.link.assignments.apply("db-f", &pinned("lb-spare", asks)).await;
        Self::moves(&self.link.assignments, "db-f").await;
        self.takes("ZoneResourceAssignment", "reconciling", "db-f").await;
        // The cloud shows it: the zone has set out.
        self.link.assignments.becomes("db-f", "migrating", is_in("Migrating")).await;
        self.link.settles();
        self.link.assignments.says("db-f", "DrainApprovalNeeded").await;
        self.takes("ZoneResourceAssignment", "approval-needed", "db-f").await;
        let drains = json!({"mode": "Smooth", "drainSeconds": 3_600});
        self.link.assignments.apply("db-f", &pinned("lb-spare", drains)).await;
        self.link.assignments.says("db-f", "Draining").await;
        self.takes("ZoneResourceAssignment", "draining", "db-f").await;
        self.link.assignments.apply("wrong", &pinned("lb-hot", json!({"mode": "Smooth"}))).await;
        Self::stalls(&self.link.assignments, "wrong").await;
        self.takes("ZoneResourceAssignment", "stalled", "wrong").await;
    }

    /// Something is in the way of what is being deleted; and then nobody looks any more.
    async fn goes(&mut self) {
        self.link.consumer.annotate("db", "privatelink.dev/paused", Some("true")).await;
        self.link.consumer.says("db", "Paused").await;
        self.takes("Endpoint", "paused", "db").await;
        self.link.provider.delete("gateway").await;
        self.link.provider.says("gateway", "BlockedByConnections").await;
        self.takes("EndpointService", "deleting", "gateway").await;
        let accounts = Api::<CloudAccount>::all(self.link.operator.admin().await);
        let account = self.link.provider.account.clone();
        accounts.delete(&account, &DeleteParams::default()).await.expect("it is deleted");
        let blocked = |one: Option<&CloudAccount>| {
            one.and_then(|one| said(one, "Ready")).is_some_and(|(_, why, _)| why == "BlockedByDependents")
        };
        self.link.operator.becomes(accounts, &account, "blocked", blocked).await;
        self.takes("CloudAccount", "deleting", &account).await;

        self.link.operator.kill();
        self.link.provider.patch("wrong", &json!({"description": "another one"})).await;
        self.takes("EndpointService", "changed", "wrong").await;
        self.link.entries.delete("tenant").await;
        self.takes("WhitelistEntry", "deleting", "tenant").await;
        self.link.assignments.delete("db-f").await;
        self.takes("ZoneResourceAssignment", "deleting", "db-f").await;
        self.link.consumer.delete("db").await;
        self.takes("Endpoint", "deleting", "db").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_phase_of_every_kind_is_recorded() {
    // Whatever the cloud begins is over when the story says so.
    let mut world = Fixture::built_in();
    let day = SignedDuration::from_hours(24);
    world.durations.service = day;
    world.durations.endpoint = day;
    world.durations.connection = day;
    world.durations.replacement = day;
    let link = Link::start_with("recorded phases", world).await;
    let masks = vec![
        (link.provider.account.clone(), "provider"),
        (link.consumer.account.clone(), "consumer"),
        (link.provider.namespace.clone(), "team-a"),
        (link.consumer.namespace.clone(), "team-b"),
        (link.operator.cloud(), "https://cloud.example.com"),
    ];
    let recorder = Recorder::new(link.operator.cluster, masks);
    let mut phases = Phases { link, recorder };
    phases.stalled().await;
    let endpoint = phases.comes().await;
    phases.is_served(&endpoint).await;
    phases.goes().await;
    let Phases { link, recorder } = phases;
    recorder.ends();

    // What the story has made goes without the operator.
    let terminal = Terminal::open(link.operator.cluster, "recorded phases");
    for namespace in [&link.provider.namespace, &link.consumer.namespace] {
        terminal.does(&format!("kubectl delete plz,plw,ple,pls --all -n {namespace} --wait=false")).await;
        terminal.does(&format!("kubectl privatelink release -n {namespace} --yes --force")).await;
    }
    let accounts = format!("{} {} {WRONG_ACCOUNT}", link.provider.account, link.consumer.account);
    terminal.does(&format!("kubectl delete pla {accounts} --wait=false --ignore-not-found")).await;
    terminal.does("kubectl privatelink release pla --yes --force").await;
}
