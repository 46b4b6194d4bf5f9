//! The situations that alerts are about, made with the real binary: what it measures in each is what
//! `tests/alerts/recorded` holds, from which `tests/alerts` lets the alerts fire. `make record-alerts` records anew.
//!
//! A recording is some scrapes, each behind a line with its moment. A run that does not record compares: the same
//! samples are there, those that are states with the same value.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use kube::Api;
use privatelink_operator::api::CloudAccount;
use privatelink_sim::fixture::Fixture;
use serde_json::{Value, json};

use crate::link::{Link, lets_in, offer, tenant};
use crate::objects::{id, is_settled};
use crate::operator::{Operator, apply};
use crate::past::{Key, PROVIDER};
use crate::service::{becomes_ready, offered};
use crate::zone_life::{is_in, pinned, two_balancers};

/// Set, what is measured is written down instead of compared.
const RECORD: &str = "PRIVATELINK_RECORD_ALERTS";
/// Families of which a run like the recorded one has the same samples, with the same values.
const STATES: [&str; 6] = [
    "privatelink_leader",
    "privatelink_credentials_renewal_failing",
    "privatelink_connections_undecided",
    "privatelink_connections_held",
    "privatelink_links_down",
    "privatelink_migrations",
];
/// Families of which it has the same samples: their values are moments.
const MOMENTS: [&str; 4] = [
    "privatelink_snapshot_timestamp_seconds",
    "privatelink_credentials_expiry_timestamp_seconds",
    "privatelink_connections_pending_since_timestamp_seconds",
    "privatelink_migrations_oldest_timestamp_seconds",
];
/// What refusals are counted in, and which refusals.
const REQUESTS: &str = "privatelink_cloud_requests_total";
const REFUSALS: [&str; 2] = ["throttled", "unavailable"];

/// The scrapes of one situation.
struct Recording {
    name: &'static str,
    text: String,
}

impl Recording {
    fn of(name: &'static str) -> Self {
        let text = format!("# What the operator has measured in the situation {name}: make record-alerts.\n");
        Self { name, text }
    }

    /// One more scrape.
    fn add(&mut self, scrape: &str) {
        let at = Timestamp::now().as_millisecond();
        let samples: Vec<&str> = scrape.lines().filter(|line| !line.starts_with('#')).collect();
        self.text.extend([format!("# scraped at {at}\n"), samples.join("\n"), "\n".to_owned()]);
    }

    async fn scrape(&mut self, operator: &Operator) {
        self.add(&operator.scraped().await);
    }

    /// Written down, or like what is written down.
    fn ends(self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/recorded").join(self.name);
        let path = path.with_extension("txt");
        if std::env::var_os(RECORD).is_some() {
            std::fs::write(&path, &self.text).expect("it is written");
            return;
        }
        let recorded = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run make record-alerts", path.display()));
        assert_eq!(facts(&self.text), facts(&recorded), "{}: if it is to be so, run make record-alerts", self.name);
    }
}

/// Of each scrape what another run of the same situation shows as well.
fn facts(text: &str) -> Vec<BTreeMap<String, String>> {
    let scrapes = text.split("# scraped at ").skip(1);
    scrapes.map(|scrape| scrape.lines().skip(1).filter_map(fact).collect()).collect()
}

fn fact(line: &str) -> Option<(String, String)> {
    let (sample, value) = line.rsplit_once(' ')?;
    let family = sample.split('{').next().unwrap_or_default();
    if STATES.contains(&family) {
        return Some((sample.to_owned(), value.to_owned()));
    }
    if MOMENTS.contains(&family) {
        return Some((sample.to_owned(), "a moment".to_owned()));
    }
    let refusal = REFUSALS.iter().find(|outcome| sample.contains(&format!("outcome=\"{outcome}\"")));
    refusal.filter(|_| family == REQUESTS).map(|outcome| ((*outcome).to_owned(), "some".to_owned()))
}

/// Waits until a scrape has this sample; gives the scrape.
async fn measures(operator: &Operator, sample: &str) -> String {
    let shows = async {
        loop {
            let scrape = operator.scraped().await;
            if scrape.lines().any(|line| line.starts_with(sample)) {
                return scrape;
            }
            // A scrape shows what is the case: it is asked for again, as Prometheus does.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let in_time = tokio::time::timeout(crate::cluster::PATIENCE, shows).await;
    in_time.unwrap_or_else(|_| panic!("no scrape has {sample}"))
}

/// A link that serves, its provider's service `gateway` and its consumer's endpoint `db`.
async fn serving(what: &str) -> (Link, String) {
    let link = Link::start(what).await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    link.entries.settled("tenant", &lets_in(json!({"connections": {"action": "Accept"}}))).await;
    let endpoint = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.decides("tenant", id(&endpoint), "Accept", "Connected").await;
    (link, id(&endpoint).to_owned())
}

/// All of it goes.
async fn ends(link: Link) {
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_quiet() {
    let (link, _) = serving("recorded quiet").await;
    let mut recording = Recording::of("quiet");
    for _ in 0..2 {
        let connected = r#"privatelink_connections{account="recorded-quiet-provider",state="connected"} 1"#;
        recording.add(&measures(&link.operator, connected).await);
        link.provider.looks_again("gateway", "a look in between").await;
    }
    recording.ends();
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_waits() {
    let link = Link::start("recorded waits").await;
    let service = link.provider.settled("gateway", &offer(&["f"], json!({}))).await;
    // It is let in to ask, and nobody decides on its connection.
    link.entries.settled("tenant", &lets_in(json!({}))).await;
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let mut recording = Recording::of("tenant-waits");
    let pending = r#"privatelink_connections_pending_since_timestamp_seconds{account="recorded-waits-provider"} "#;
    recording.add(&measures(&link.operator, pending).await);
    recording.ends();
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_cut() {
    let (link, _) = serving("recorded cut").await;
    let db = link.consumer.api.get("db").await.expect("it is there");
    link.cuts(&db);
    link.provider.looks_again("gateway", "somebody has cut it").await;
    link.entries.says("tenant", "DisconnectedOutside").await;
    link.consumer.says("db", "RejectedByProvider").await;
    let mut recording = Recording::of("link-down");
    measures(&link.operator, r#"privatelink_connections_held{account="recorded-cut-provider"} 1"#).await;
    let down = r#"privatelink_links_down{account="recorded-cut-consumer",kind="Endpoint"} 1"#;
    recording.add(&measures(&link.operator, down).await);
    recording.ends();
    ends(link).await;
}

/// A link whose zone an assignment moves to another load balancer; `more` of its spec says how.
async fn moving(what: &str, world: Fixture, more: &Value) -> Link {
    let link = Link::start_with(what, world).await;
    let service = link.provider.settled("gateway", &two_balancers()).await;
    let by_hand = json!({"connections": {"action": "Accept", "assignment": "Manual"}});
    link.entries.settled("tenant", &lets_in(by_hand)).await;
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let endpoint = id(&link.consumer.api.get("db").await.expect("it is there")).to_owned();
    let of_zone = |balancer: &str| pinned(&endpoint, "cn-hangzhou-f", balancer, more.clone());
    link.assignments.apply("db-f", &of_zone("lb-hot")).await;
    link.assignments.becomes("db-f", "settled", is_settled).await;
    link.assignments.apply("db-f", &of_zone("lb-spare")).await;
    link
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_does_not_end() {
    let mut world = Fixture::built_in();
    world.durations.replacement = SignedDuration::from_hours(24);
    let link = moving("recorded move", world, &json!({})).await;
    link.assignments.says("db-f", "Migrating").await;
    let mut recording = Recording::of("migration-stuck");
    let moving = r#"privatelink_migrations{account="recorded-move-provider",state="moving"} 1"#;
    recording.add(&measures(&link.operator, moving).await);
    recording.ends();
    // The cloud shows it: the zone has set out.
    link.assignments.becomes("db-f", "migrating", is_in("Migrating")).await;
    link.settles();
    link.assignments.goes("db-f").await;
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_forgotten() {
    let link = moving("recorded approval", Fixture::built_in(), &json!({"migration": {"approval": "Required"}})).await;
    link.assignments.says("db-f", "DrainApprovalNeeded").await;
    let mut recording = Recording::of("approval-forgotten");
    let waits = r#"privatelink_migrations{account="recorded-approval-provider",state="awaiting_approval"} 1"#;
    recording.add(&measures(&link.operator, waits).await);
    recording.ends();
    link.assignments.goes("db-f").await;
    ends(link).await;
}

/// A service that is asked for again and again while its place is throttled, or silent.
async fn refused(what: &'static str, name: &'static str, fault: &Value, outcome: &str) {
    let mut operator = Operator::start(what).await;
    let account = what.replace(' ', "-");
    let namespace = operator.cluster.namespace(&account).await;
    operator.account(&account, &[&namespace]).await;
    let services = offered(&operator, &namespace, &account, "gateway").await;
    becomes_ready(&operator, &services, "gateway").await;
    let mut recording = Recording::of(name);
    recording.scrape(&operator).await;
    operator.fault(json!({"times": 1_000_000, "do": fault}));
    offered(&operator, &namespace, &account, "another").await;
    let refused = |line: &Value| line["message"] == "refused" && line["outcome"] == *outcome;
    operator.logs(outcome, |lines| lines.iter().filter(|line| refused(line)).count() > 2).await;
    recording.scrape(&operator).await;
    recording.ends();
    operator.sim.with(|cloud| {
        cloud.faults = privatelink_sim::fault::Faults::new(privatelink_sim::fault::Rates::default(), 0);
    });
    for name in ["another", "gateway"] {
        crate::service::goes(&operator, &services, name).await;
    }
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_throttles() {
    refused("recorded throttled", "throttled", &json!("throttle"), "throttled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_is_silent() {
    let away = json!({"refuse": {"code": "ServiceUnavailable", "status": 503}});
    refused("recorded silent", "cloud-silent", &away, "unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cannot_be_renewed() {
    const USER: Key =
        Key { id: "provider-user-key", secret: "provider-user-secret", token: None, account: PROVIDER.account };
    let mut world = Fixture::built_in();
    world.durations.session = SignedDuration::from_secs(40);
    let mut operator = Operator::start_with("recorded session", world).await;
    let namespace = operator.cluster.namespace("recorded-session").await;
    operator.account_with("recorded-session", &[&namespace], USER, "cn-hangzhou").await;
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let cloud = operator.cloud();
    let alibaba = json!({
        "endpoints": {"privatelink": cloud, "sts": cloud},
        "assumeRole": {"arn": crate::federation::ROLE},
    });
    let mut account = json!(accounts.get("recorded-session").await.expect("it is there"));
    account["spec"]["alibaba"] = alibaba;
    account["metadata"] = json!({"name": "recorded-session"});
    account.as_object_mut().expect("an object").remove("status");
    apply(&accounts, "recorded-session", &account).await;
    let ends = r#"privatelink_credentials_expiry_timestamp_seconds{account="recorded-session"} "#;
    measures(&operator, ends).await;
    let refuse = json!({"refuse": {"code": "ServiceUnavailable", "status": 503}});
    operator.fault(json!({"action": "AssumeRole", "times": 1_000_000, "do": refuse}));
    let mut recording = Recording::of("credentials-end");
    let failing = r#"privatelink_credentials_renewal_failing{account="recorded-session"} 1"#;
    let failing = measures(&operator, failing).await;
    assert!(failing.contains(ends), "the session has not ended yet: {failing}");
    recording.add(&failing);
    recording.ends();
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes() {
    let mut operator = Operator::start("recorded nobody").await;
    operator.stand_by("recorded-standby").await;
    let mut recording = Recording::of("nobody-writes");
    let before = operator.scraped().await;
    assert!(before.contains("privatelink_leader 1\n"), "{before}");
    operator.kill();
    recording.add(&operator.scraped_of_standby().await);
    recording.ends();
    operator.is_taken_over().await;
    let after = operator.scraped().await;
    assert!(after.contains("privatelink_leader 1\n"), "{after}");
    operator.stop().await;
}
