//! The process dies at every request of a smooth migration and of an evacuation, before it leaves or before it is
//! answered: whoever starts after it comes to the same end, by the same calls, and no traffic stops.

use serde_json::Value;

use super::door::{Asked, Fate, Way};
use super::stage::Stage;
use super::subject::{NAME, is_settled};
use super::zoned::{assignment, entry, service, told};
use crate::api::EndpointService;

/// More requests than a move takes: a loop that comes so far does not end.
const MOST: usize = 120;

/// How the process dies, and at which requests.
type Ways = [(Fate, fn(&Asked) -> bool); 2];

/// What moves the zone from `lb-hot` to `lb-spare`.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// Its assignment names the other one.
    Assigned,
    /// The service is left with the other one.
    Evacuated,
}

impl Move {
    /// A stage on which `lb-hot` serves the zone.
    async fn prepared(self) -> Stage {
        match self {
            Self::Assigned => Stage::with_assignment(&assignment("lb-hot")).await,
            Self::Evacuated => {
                let both = service(&[("lb-hot", true), ("lb-spare", false)]);
                Stage::with_connection(&both, &entry("Automatic")).await
            }
        }
    }

    /// It is declared.
    async fn begins(self, stage: &Stage) {
        match self {
            Self::Assigned => stage.assigns(&assignment("lb-spare")).await,
            Self::Evacuated => stage.apply(&stage.of::<EndpointService>(), NAME, &service(&[("lb-spare", true)])).await,
        }
    }

    /// Waits until it is over, by what the objects say.
    async fn ends(self, stage: &Stage) {
        match self {
            Self::Assigned => drop(stage.zone_becomes("True", "Ready").await),
            Self::Evacuated => {
                let left = |one: Option<&EndpointService>| {
                    let status = one.and_then(|one| one.status.as_ref());
                    is_settled(one)
                        && status.is_some_and(|status| status.evacuation.is_empty() && status.resources.len() == 2)
                };
                stage.until(&stage.of(), NAME, "left", left).await;
            }
        }
        stage.connection_is_settled().await;
    }

    /// What it has come to: the world, the calls, and how often no traffic could flow.
    async fn outcome(self, stage: &Stage) -> (Value, Vec<String>, (u32, i128)) {
        if let Self::Assigned = self {
            let status = stage.zone_becomes("True", "Ready").await;
            let records: Vec<_> = status.history.iter().map(told).collect();
            assert_eq!(records, [("lb-hot", "lb-spare", "Smooth", Some("Succeeded"), Some(0))]);
            assert_eq!(status.migration, None);
        }
        (stage.whole_world(), stage.effects(), stage.gaps())
    }
}

/// One move for each request at which it can be interrupted, `least` of them at least.
async fn dies_everywhere(by: Move, ways: Ways, least: usize) {
    let stage = by.prepared().await;
    by.begins(&stage).await;
    by.ends(&stage).await;
    let undisturbed = by.outcome(&stage).await;
    assert_eq!(stage.leg(), ("Connected".to_owned(), Some("lb-spare".to_owned()), None));
    assert_eq!(undisturbed.2, (0, 0));
    for (fate, test) in ways {
        let mut deaths = 0;
        for nth in 1..=MOST {
            let mut stage = by.prepared().await;
            stage.dies_at(nth, fate, test);
            by.begins(&stage).await;
            let died = stage.dies_before(async |stage| by.ends(stage).await).await;
            by.ends(&stage).await;
            assert_eq!(by.outcome(&stage).await, undisturbed, "{by:?}: {fate:?} at {nth}");
            if !died {
                break;
            }
            deaths += 1;
            assert!(nth < MOST, "there is no end to its requests");
        }
        println!("{by:?}: {fate:?} at {deaths} requests");
        assert!(deaths >= least, "{deaths}");
    }
}

fn writes_to_kube(asked: &Asked) -> bool {
    asked.way == Way::Kube && asked.writes
}

fn calls_the_cloud(asked: &Asked) -> bool {
    asked.way == Way::Cloud
}

fn writes_to_the_cloud(asked: &Asked) -> bool {
    asked.way == Way::Cloud && asked.writes
}

/// Around each write.
const KUBE: Ways = [(Fate::DieBefore, writes_to_kube), (Fate::DieAfter, writes_to_kube)];
/// After each call, and before those that write: a read that has not left leaves no more behind than one whose answer
/// nobody heard.
const CLOUD: Ways = [(Fate::DieBefore, writes_to_the_cloud), (Fate::DieAfter, calls_the_cloud)];

#[tokio::test(start_paused = true)]
async fn a_smooth_migration_outlives_deaths_around_writes_to_kubernetes() {
    // It begins, it moves, it drains, it has ended.
    dies_everywhere(Move::Assigned, KUBE, 4).await;
}

#[tokio::test(start_paused = true)]
async fn a_smooth_migration_outlives_deaths_around_calls_to_the_cloud() {
    // It moves, it closes.
    dies_everywhere(Move::Assigned, CLOUD, 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_evacuation_outlives_deaths_around_writes_to_kubernetes() {
    dies_everywhere(Move::Evacuated, KUBE, 4).await;
}

#[tokio::test(start_paused = true)]
async fn an_evacuation_outlives_deaths_around_calls_to_the_cloud() {
    // Another is given to new connections, it moves, it closes, the old one is detached.
    dies_everywhere(Move::Evacuated, CLOUD, 4).await;
}
