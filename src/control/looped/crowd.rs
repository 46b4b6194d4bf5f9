//! Many tenants who ask one service at once to be let in, while the cloud takes its time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::Api;
use privatelink_sim::alibaba::name;
use privatelink_sim::fixture::{BUILT_IN, Fixture};
use privatelink_sim::journal;
use privatelink_sim::world::object::Principal;
use privatelink_sim::world::{AccountId, Answer, Call, EndpointId, Request, apply};
use serde_json::{Value, json};

use super::stage::Stage;
use super::subject::{NAME, Standing as _, Subject as _, endpoint_in, is_settled};
use crate::api::{EndpointService, WhitelistEntry};

/// Tenants of the test.
const MANY: usize = 500;
/// The one that is let out again while it waits to be let in.
const REVOKED: usize = MANY - 1;
/// How long the cloud takes to answer.
const ANSWER: Duration = Duration::from_millis(100);

fn account(number: usize) -> AccountId {
    AccountId(2_000_000_000_000_000 + u64::try_from(number).expect("it is small"))
}

/// The built-in world with an account for each tenant, which has a VPC.
fn crowded_world() -> Fixture {
    let tenants = (0..MANY).map(|number| {
        format!(
            "
  - uid: {}
    keys: [{{id: tenant-{number}-key, secret: tenant-{number}-secret}}]
    vpcs:
      - id: vpc-{number}
        region: cn-hangzhou
        switches: [{{id: vsw-{number}-f, zone: cn-hangzhou-f, range: 10.4.0.0/29}}]
        groups: [{{id: sg-{number}}}]",
            account(number).0
        )
    });
    let accounts = "accounts:";
    assert!(BUILT_IN.contains(accounts));
    let tenants: String = tenants.collect();
    let world = BUILT_IN.replacen(accounts, &format!("{accounts}{tenants}"), 1);
    Fixture::parse(&world).expect("the built-in world with more of the same")
}

/// Each tenant stands on the list and has an endpoint that waits to be accepted, all past the operator.
fn all_ask(stage: &Stage, service: &EndpointService) -> Vec<EndpointId> {
    let id = name::service(service.id().expect("it has an id"));
    stage.cloud.with(|cloud| {
        cloud.catch_up();
        let mut world = cloud.state().clone();
        let region = world.land.region_named("cn-hangzhou");
        let mut endpoints = Vec::new();
        for number in 0..MANY {
            let principal = Principal::Account(account(number));
            let calls = [
                ("provider-key", Call::AllowPrincipal(id, principal)),
                (&*format!("tenant-{number}-key"), endpoint_in(&world, id, &number.to_string())),
            ];
            for (key, call) in calls {
                let request = Request { region, token: None, call };
                let (next, answer) = apply(&world, cloud.keys[key].actor, &request).expect("it may");
                endpoints.extend(if let Answer::Endpoint(made) = answer { Some(made) } else { None });
                world = next;
            }
        }
        cloud.set_state(world);
        cloud.settle();
        endpoints
    })
}

fn entry(number: usize) -> Value {
    json!({
        "serviceRef": {"name": NAME},
        "principal": account(number).0.to_string(),
        "connections": {"action": "Accept"},
        "revocation": "Disconnect",
    })
}

fn called(stage: &Stage) -> Vec<journal::Call> {
    stage.cloud.with(|cloud| cloud.journal.calls().cloned().collect())
}

fn counted(calls: &[journal::Call]) -> BTreeMap<&str, usize> {
    calls.iter().fold(BTreeMap::new(), |mut counted, call| {
        *counted.entry(call.action.as_str()).or_default() += 1;
        counted
    })
}

async fn all_are_settled(stage: &Stage, entries: &Api<WhitelistEntry>) {
    for number in (0..MANY).filter(|number| *number != REVOKED) {
        stage.until(entries, &format!("tenant-{number}"), "settled", is_settled::<WhitelistEntry>).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_let_out_does_not_wait_behind_five_hundred_who_are_let_in() {
    let began = Instant::now();
    let mut stage = Stage::dark_in(crowded_world()).await;
    stage.start();
    stage.accounts_are_ready().await;
    let (services, entries) = (stage.of::<EndpointService>(), stage.of::<WhitelistEntry>());
    stage.apply(&services, NAME, &EndpointService::declared(&stage)).await;
    let service = stage.settled(&services).await;
    let asking = all_ask(&stage, &service);
    // A sweep shows who asks.
    stage.later(Duration::from_mins(6)).await;
    println!("{MANY} ask within {:.1} s", began.elapsed().as_secs_f64());

    stage.cloud.with(|cloud| cloud.latency = ANSWER);
    let (before, virtually) = (Instant::now(), tokio::time::Instant::now());
    let asked = called(&stage).len();
    for number in 0..MANY {
        stage.apply(&entries, &format!("tenant-{number}"), &entry(number)).await;
    }
    stage.until(&entries, "tenant-20", "settled", is_settled::<WhitelistEntry>).await;
    let revoked = format!("tenant-{REVOKED}");
    stage.delete(&entries, &revoked).await;
    let deleted = called(&stage).len();
    stage.gone(&entries, &revoked).await;
    let (gone, gone_after) = (called(&stage).len(), virtually.elapsed());
    all_are_settled(&stage, &entries).await;
    let calls = called(&stage);
    println!(
        "settled within {:.1} s, which were {:.1} s for the cloud, by {:?}; gone after {:.1} s",
        before.elapsed().as_secs_f64(),
        virtually.elapsed().as_secs_f64(),
        counted(&calls[asked..]),
        gone_after.as_secs_f64()
    );

    // What lets it out leaves next, and then what cuts it.
    let accepts =
        |calls: &[journal::Call]| calls.iter().filter(|call| call.action == "EnableVpcEndpointConnection").count();
    let removal =
        calls.iter().position(|call| call.action == "RemoveUserFromVpcEndpointService").expect("it is let out");
    println!(
        "{} accepted before it was deleted, {} until it was off the list",
        accepts(&calls[..deleted]),
        accepts(&calls[deleted..removal])
    );
    assert!(accepts(&calls[..deleted]) < MANY / 2, "the queue was long: {}", accepts(&calls[..deleted]));
    assert!(accepts(&calls[deleted..removal]) <= 3, "it overtakes the queue: {}", accepts(&calls[deleted..removal]));
    assert!(
        accepts(&calls[gone..]) > MANY / 4,
        "and is gone long before the last is let in: {}",
        accepts(&calls[gone..])
    );

    // It was never accepted, and each of the others once.
    let endpoint = asking[REVOKED];
    let ever_stood = stage.cloud.with(|cloud| {
        cloud.journal.witness().of(endpoint, None).is_some_and(|track| track.changes().any(|(_, up)| *up))
    });
    assert!(!ever_stood, "its connection has never stood");
    let effects = stage.effects();
    let times = |action: &str| effects.iter().filter(|effect| *effect == action).count();
    assert_eq!((times("EnableVpcEndpointConnection"), times("AddUserToVpcEndpointService")), (MANY - 1, 0));
    assert_eq!(times("RemoveUserFromVpcEndpointService"), 1);
    assert_eq!(stage.let_in().len(), MANY - 1);
    let refused: Vec<_> =
        calls.iter().filter(|call| call.code != "OK").map(|call| (&call.action, &call.code)).collect();
    assert_eq!(refused, [], "nobody is in anybody's way");
    let ends = |call: &journal::Call| call.at + Duration::from_millis(call.latency_ms);
    let writes = |call: &&journal::Call| call.action.ends_with("ableVpcEndpointConnection");
    let queued: Vec<&journal::Call> = calls.iter().filter(writes).collect();
    let overlap = queued.windows(2).find(|two| ends(two[0]) > two[1].at);
    assert!(overlap.is_none(), "one at a time: {overlap:?}");
}
