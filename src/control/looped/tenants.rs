//! Letting a tenant in and out: a service, its entries, and the tenant's endpoint.

use std::time::Duration;

use jiff::Timestamp;
use kube::Api;
use privatelink_core::state::ClaimState;
use serde_json::{Value, json};

use super::door::{Fate, Way};
use super::stage::{Stage, now};
use super::subject::{CONSUMER, NAME, Subject, is_settled, said};
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

/// The entry's name.
const ENTRY: &str = "tenant";
/// More calls than all three take.
const MOST: usize = 80;

/// What lets a tenant in, one after the other.
const IN: [&str; 4] =
    ["CreateVpcEndpointService", "AddUserToVpcEndpointService", "CreateVpcEndpoint", "EnableVpcEndpointConnection"];
/// What lets it out again: it must not come back while it is being cut.
const OUT: [&str; 2] = ["RemoveUserFromVpcEndpointService", "DisableVpcEndpointConnection"];

/// Whether an entry says this of the spec of now.
fn says(entry: Option<&WhitelistEntry>, truth: &str, reason: &str) -> bool {
    entry.is_some_and(|entry| {
        entry.common().map(|common| common.observed_generation) == entry.metadata.generation
            && said(entry, "Ready") == Some((truth, reason))
    })
}

async fn becomes(stage: &Stage, name: &str, truth: &str, reason: &str) -> WhitelistEntry {
    let what = format!("{truth} for {reason}");
    stage.until(&stage.of(), name, &what, |entry| says(entry, truth, reason)).await.expect("it is there")
}

fn entry() -> Value {
    json!({
        "serviceRef": {"name": NAME},
        "principal": CONSUMER.0.to_string(),
        "connections": {"action": "Accept"},
        "revocation": "Disconnect",
    })
}

fn endpoint() -> Value {
    json!({
        "accountRef": {"name": "consumer"},
        "service": {"ref": {"name": NAME}},
        "type": "Interface",
        "vpcId": "vpc-tenant",
        "zones": [{"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"}],
        "securityGroupIds": ["sg-tenant"],
    })
}

fn within(by: Duration) -> Value {
    let end = now() + by;
    json!(Timestamp::from_second(end.as_second()).expect("a moment of this century").to_string())
}

/// A stage on which a service, an entry that says this and the tenant's endpoint are settled.
async fn let_in(entry: &Value) -> Stage {
    let mut stage = Stage::dark().await;
    stage.start();
    stage.accounts_are_ready().await;
    declares_all(&stage, entry).await;
    all_are_settled(&stage).await;
    stage
}

async fn declares_all(stage: &Stage, entry: &Value) {
    stage.apply(&stage.of::<WhitelistEntry>(), ENTRY, entry).await;
    stage.apply(&stage.of::<Endpoint>(), NAME, &endpoint()).await;
    stage.apply(&stage.of::<EndpointService>(), NAME, &EndpointService::declared(stage)).await;
}

async fn all_are_settled(stage: &Stage) {
    stage.until(&stage.of(), NAME, "settled", is_settled::<EndpointService>).await;
    stage.until(&stage.of(), NAME, "settled", is_settled::<Endpoint>).await;
    becomes(stage, ENTRY, "True", "Ready").await;
}

fn is_connected(stage: &Stage) -> bool {
    stage.world("endpoints")[0]["connection"]["status"] == "Connected"
}

/// The tenant is off the list, and nothing of it is connected.
fn is_out(stage: &Stage, when: &str) {
    assert_eq!(stage.let_in(), [] as [&str; 0], "{when}");
    assert_eq!(stage.world("endpoints")[0]["connection"]["status"], "Disconnected", "{when}");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_let_in_and_out() {
    let mut stage = Stage::dark().await;
    stage.start();
    stage.accounts_are_ready().await;
    let entries = stage.of::<WhitelistEntry>();
    stage.apply(&entries, ENTRY, &entry()).await;
    becomes(&stage, ENTRY, "False", "WaitingForService").await;
    stage.apply(&stage.of::<EndpointService>(), NAME, &EndpointService::declared(&stage)).await;
    becomes(&stage, ENTRY, "True", "WaitingForConsumer").await;
    assert_eq!(stage.let_in(), [CONSUMER.0.to_string()]);
    stage.apply(&stage.of::<Endpoint>(), NAME, &endpoint()).await;
    stage.until(&stage.of(), NAME, "settled", is_settled::<Endpoint>).await;
    let ready = becomes(&stage, ENTRY, "True", "Ready").await;
    let status = ready.status.expect("it has one");
    assert_eq!((status.allowed, status.claim), (Some(true), Some(ClaimState::Held)));
    let endpoint = &stage.world("endpoints")[0];
    assert_eq!((status.connections.len(), &*status.connections[0].endpoint_id), (1, endpoint["id"].as_str().unwrap()));
    assert_eq!(stage.effects(), IN);
    stage.delete(&entries, ENTRY).await;
    stage.gone(&entries, ENTRY).await;
    assert_eq!(stage.effects(), [&IN[..], &OUT].concat());
    is_out(&stage, "the entry is gone");
}

#[tokio::test(start_paused = true)]
async fn a_service_its_entry_and_an_endpoint_come_and_go_though_the_process_dies_after_any_call() {
    let (mut makings, mut revocations) = (0, 0);
    for nth in 1..=MOST {
        let when = format!("at {nth}");
        let mut stage = Stage::dark().await;
        stage.start();
        stage.accounts_are_ready().await;
        stage.dies_at(nth, Fate::DieAfter, |asked| asked.way == Way::Cloud);
        declares_all(&stage, &entry()).await;
        let making = stage.dies_before(async |stage| all_are_settled(stage).await).await;
        all_are_settled(&stage).await;
        assert!(is_connected(&stage), "{when}");
        assert_eq!(stage.effects(), IN, "{when}");

        stage.dies_at(nth, Fate::DieAfter, |asked| asked.way == Way::Cloud);
        stage.delete(&stage.of::<WhitelistEntry>(), ENTRY).await;
        let gone = async |stage: &Stage| stage.gone(&stage.of::<WhitelistEntry>(), ENTRY).await;
        let revocation = stage.dies_before(gone).await;
        gone(&stage).await;
        is_out(&stage, &when);
        assert_eq!(stage.effects(), [&IN[..], &OUT].concat(), "{when}");
        makings += usize::from(making);
        revocations += usize::from(revocation);
        if !making && !revocation {
            break;
        }
        assert!(nth < MOST, "there is no end to its calls");
    }
    println!("died at {makings} calls of letting in and {revocations} of letting out");
    assert!(makings >= 8 && revocations >= 4, "{makings} {revocations}");
}

/// Waits until the time of an entry is over, and all is done that this asks for.
async fn is_over(stage: &Stage, name: &str) {
    let over = |entry: Option<&WhitelistEntry>| {
        let status = entry.and_then(|one| one.status.as_ref());
        let decides = status.and_then(|status| status.claim.as_ref()) == Some(&ClaimState::Held);
        decides && entry.and_then(|one| said(one, "Stalled")) == Some(("True", "Expired"))
    };
    stage.until(&stage.of(), name, "over", over).await;
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_time_is_over_is_let_out_then_and_no_sooner() {
    let mut expiring = entry();
    expiring["expiresAt"] = within(Duration::from_mins(10));
    let end: Timestamp = expiring["expiresAt"].as_str().unwrap().parse().unwrap();
    let stage = let_in(&expiring).await;
    is_over(&stage, ENTRY).await;
    assert!(now().duration_since(end).as_secs() <= 10, "{}", now());
    let calls = stage.cloud.with(|cloud| cloud.journal.calls().cloned().collect::<Vec<_>>());
    let removal = calls.iter().find(|call| call.action == OUT[0]).expect("it is taken off the list");
    assert!(removal.at >= end && removal.at.duration_since(end).as_secs() < 5, "{} is not {end}", removal.at);
    is_out(&stage, "expired");
    assert_eq!(stage.effects(), [&IN[..], &OUT].concat());
    // Nothing more comes of it, and a later end lets the tenant in again.
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.effects(), [&IN[..], &OUT].concat());
    expiring["expiresAt"] = within(Duration::from_hours(1));
    stage.apply(&stage.of::<WhitelistEntry>(), ENTRY, &expiring).await;
    becomes(&stage, ENTRY, "True", "Ready").await;
    assert!(is_connected(&stage));
    assert_eq!(stage.effects(), [&IN[..], &OUT, &[IN[1], IN[3]]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_time_ends_while_nobody_looks_is_let_out_as_soon_as_somebody_does() {
    for (revocation, out) in [("Disconnect", &OUT[..]), ("KeepConnections", &OUT[..1])] {
        let mut expiring = entry();
        expiring["expiresAt"] = within(Duration::from_mins(10));
        expiring["revocation"] = revocation.into();
        let mut stage = let_in(&expiring).await;
        stage.kill().await;
        stage.later(Duration::from_hours(1)).await;
        assert_eq!(stage.effects(), IN);
        stage.start();
        is_over(&stage, ENTRY).await;
        assert_eq!(stage.effects(), [&IN[..], out].concat());
        assert_eq!(is_connected(&stage), revocation == "KeepConnections");
        assert_eq!(stage.let_in(), [] as [&str; 0]);
        // What has ended costs nothing more, also when it is deleted.
        stage.delete(&stage.of::<WhitelistEntry>(), ENTRY).await;
        stage.gone(&stage.of::<WhitelistEntry>(), ENTRY).await;
        assert_eq!(stage.effects(), [&IN[..], out].concat());
    }
}

async fn has(stage: &Stage, name: &str, claim: &ClaimState) {
    let entries: Api<WhitelistEntry> = stage.of();
    let has = |entry: Option<&WhitelistEntry>| entry.and_then(|one| one.status.as_ref()?.claim.as_ref()) == Some(claim);
    stage.until(&entries, name, "in its place", has).await;
}

#[tokio::test(start_paused = true)]
async fn who_decides_on_a_tenant_is_handed_on_without_a_call() {
    let mut stage = let_in(&entry()).await;
    let entries = stage.of::<WhitelistEntry>();
    let mut again = entry();
    again["principal"] = format!("acs:ram:*:{}", CONSUMER.0).into();
    for name in ["second", "third"] {
        stage.apply(&entries, name, &again).await;
        becomes(&stage, name, "False", "OwnershipConflict").await;
        has(&stage, name, &ClaimState::Waiting).await;
        // Creation times are whole seconds: the second is older than the third.
        stage.later(Duration::from_secs(2)).await;
    }

    // The holder is deleted: the next one decides, in whatever form it names the tenant.
    stage.delete(&entries, ENTRY).await;
    stage.gone(&entries, ENTRY).await;
    becomes(&stage, "second", "True", "Ready").await;
    has(&stage, "third", &ClaimState::Waiting).await;

    // Its time is over: it yields.
    let mut ending = again.clone();
    ending["expiresAt"] = within(Duration::from_mins(5));
    stage.apply(&entries, "second", &ending).await;
    becomes(&stage, "third", "True", "Ready").await;
    becomes(&stage, "second", "False", "Expired").await;
    has(&stage, "second", &ClaimState::Waiting).await;

    // Nobody looks while the holder goes, and the next one has come.
    stage.kill().await;
    stage.delete(&entries, "third").await;
    stage.apply(&entries, "fourth", &entry()).await;
    stage.start();
    stage.gone(&entries, "third").await;
    becomes(&stage, "fourth", "True", "Ready").await;
    assert!(is_connected(&stage));
    assert_eq!(stage.effects(), IN, "none of that costs a call");

    // The last one that is live goes, and what is left is over.
    stage.delete(&entries, "fourth").await;
    stage.gone(&entries, "fourth").await;
    is_over(&stage, "second").await;
    is_out(&stage, "nobody lets it in");
    assert_eq!(stage.effects(), [&IN[..], &OUT].concat());
}

#[tokio::test(start_paused = true)]
async fn whoever_came_since_the_last_look_is_seen_by_a_new_entry() {
    let (stage, services, spec) = Stage::ready_for::<EndpointService>().await;
    stage.apply(&services, NAME, &spec).await;
    let service = stage.settled(&services).await;
    stage.later(Duration::from_secs(30)).await;
    stage.asks_to_be_let_in(&service, CONSUMER, "consumer", "tenant");
    let began = now();
    stage.apply(&stage.of::<WhitelistEntry>(), ENTRY, &entry()).await;
    becomes(&stage, ENTRY, "True", "Ready").await;
    let waited = now().duration_since(began);
    assert!(waited.as_secs() < 30, "{waited}: no sweep was waited for");
}

#[tokio::test(start_paused = true)]
async fn of_two_entries_that_are_deleted_at_once_one_lets_the_tenant_out() {
    let mut stage = let_in(&entry()).await;
    stage.apply(&stage.of::<WhitelistEntry>(), "twin", &entry()).await;
    becomes(&stage, "twin", "False", "OwnershipConflict").await;
    let (first, second) = (stage.of::<WhitelistEntry>(), stage.of::<WhitelistEntry>());
    tokio::join!(stage.delete(&first, ENTRY), stage.delete(&second, "twin"));
    stage.gone(&first, ENTRY).await;
    stage.gone(&second, "twin").await;
    is_out(&stage, "both are gone");
    stage.end().await;
}
