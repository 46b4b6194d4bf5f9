//! The process dies at every request of an object's making and of its deletion, before it leaves or before it is
//! answered: whoever starts after it comes to the same end, with one thing in the world, and none after the object.

use serde_json::Value;

use super::door::{Asked, Fate, Way};
use super::stage::Stage;
use super::subject::{NAME, Subject};
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

/// More requests than either part of a life takes: a loop that comes so far does not end.
const MOST: usize = 80;

fn writes_to_kube(asked: &Asked) -> bool {
    asked.way == Way::Kube && asked.writes
}

fn calls_the_cloud(asked: &Asked) -> bool {
    asked.way == Way::Cloud
}

/// A life in which nothing goes wrong.
struct Undisturbed {
    /// What exists when the object is settled.
    world: Value,
    /// The calls that had an effect until then.
    makes: Vec<String>,
    /// And until the object is gone.
    makes_and_deletes: Vec<String>,
}

async fn undisturbed<S: Subject>() -> Undisturbed {
    let (stage, api, _) = Stage::with_settled::<S>().await;
    let (world, makes) = (stage.whole_world(), stage.effects());
    stage.delete(&api, NAME).await;
    stage.gone(&api, NAME).await;
    Undisturbed { world, makes, makes_and_deletes: stage.effects() }
}

/// One life for each request at which it can be interrupted.
async fn dies_everywhere<S: Subject>(test: fn(&Asked) -> bool, fate: Fate) {
    let undisturbed = undisturbed::<S>().await;
    let (mut makings, mut deletions) = (0, 0);
    for nth in 1..=MOST {
        let (mut stage, api, spec) = Stage::ready_for::<S>().await;
        let when = format!("{fate:?} at {nth}");
        stage.dies_at(nth, fate, test);
        stage.apply(&api, NAME, &spec).await;
        let making = stage.dies_before(async |stage| drop(stage.settled(&api).await)).await;
        let ready = stage.settled(&api).await;
        ready.is_there(&stage, &when);
        assert_eq!(stage.whole_world(), undisturbed.world, "{when}");
        assert_eq!(stage.effects(), undisturbed.makes, "{when}: nothing has an effect twice");

        stage.dies_at(nth, fate, test);
        stage.delete(&api, NAME).await;
        let deletion = stage.dies_before(async |stage| stage.gone(&api, NAME).await).await;
        stage.gone(&api, NAME).await;
        S::is_gone(&stage, &format!("{when} of its deletion"));
        assert_eq!(stage.effects(), undisturbed.makes_and_deletes, "{when} of its deletion");
        makings += usize::from(making);
        deletions += usize::from(deletion);
        if !making && !deletion {
            break;
        }
        assert!(nth < MOST, "there is no end to its requests");
    }
    println!("{}: {fate:?} at {makings} requests of a making and {deletions} of a deletion", S::kind(&()));
    // The fewest that it takes: finalizer, pin, id and Ready; deleting, finalizer off. Or the calls.
    assert!(makings >= 4 && deletions >= 2, "{makings} {deletions}");
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_deaths_before_writes_to_kubernetes() {
    dies_everywhere::<EndpointService>(writes_to_kube, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_deaths_after_writes_to_kubernetes() {
    dies_everywhere::<EndpointService>(writes_to_kube, Fate::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_deaths_before_calls_to_the_cloud() {
    dies_everywhere::<EndpointService>(calls_the_cloud, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_deaths_after_calls_to_the_cloud() {
    dies_everywhere::<EndpointService>(calls_the_cloud, Fate::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_deaths_before_writes_to_kubernetes() {
    dies_everywhere::<Endpoint>(writes_to_kube, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_deaths_after_writes_to_kubernetes() {
    dies_everywhere::<Endpoint>(writes_to_kube, Fate::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_deaths_before_calls_to_the_cloud() {
    dies_everywhere::<Endpoint>(calls_the_cloud, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_deaths_after_calls_to_the_cloud() {
    dies_everywhere::<Endpoint>(calls_the_cloud, Fate::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_deaths_before_writes_to_kubernetes() {
    dies_everywhere::<WhitelistEntry>(writes_to_kube, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_deaths_after_writes_to_kubernetes() {
    dies_everywhere::<WhitelistEntry>(writes_to_kube, Fate::DieAfter).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_deaths_before_calls_to_the_cloud() {
    dies_everywhere::<WhitelistEntry>(calls_the_cloud, Fate::DieBefore).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_deaths_after_calls_to_the_cloud() {
    dies_everywhere::<WhitelistEntry>(calls_the_cloud, Fate::DieAfter).await;
}

/// Each process makes one write, to Kubernetes or to the cloud, and dies without its answer.
async fn lives_one_write_at_a_time<S: Subject>() {
    let undisturbed = undisturbed::<S>().await;
    // Events are news, which a process that begins anew may tell again.
    let writes = |asked: &Asked| asked.writes && !asked.tells();
    let (mut stage, api, spec) = Stage::ready_for::<S>().await;
    stage.apply(&api, NAME, &spec).await;
    let mut lives = 1;
    stage.dies_at(1, Fate::DieAfter, writes);
    while stage.dies_before(async |stage| drop(stage.settled(&api).await)).await {
        stage.dies_at(1, Fate::DieAfter, writes);
        lives += 1;
        assert!(lives < MOST, "there is no end to its writes");
    }
    // Finalizer, pin, the call, id and Ready, and the last one has nothing to write.
    assert!(lives >= 6, "{lives}");
    assert_eq!(stage.whole_world(), undisturbed.world);
    assert_eq!(stage.effects(), undisturbed.makes);
    stage.delete(&api, NAME).await;
    stage.dies_at(1, Fate::DieAfter, writes);
    while stage.dies_before(async |stage| stage.gone(&api, NAME).await).await {
        stage.dies_at(1, Fate::DieAfter, writes);
        lives += 1;
        assert!(lives < 2 * MOST, "there is no end to its writes");
    }
    S::is_gone(&stage, "deleted");
    assert_eq!(stage.effects(), undisturbed.makes_and_deletes);
}

#[tokio::test(start_paused = true)]
async fn a_service_comes_and_goes_by_processes_that_make_one_write_each() {
    lives_one_write_at_a_time::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_comes_and_goes_by_processes_that_make_one_write_each() {
    lives_one_write_at_a_time::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_comes_and_goes_by_processes_that_make_one_write_each() {
    lives_one_write_at_a_time::<WhitelistEntry>().await;
}
