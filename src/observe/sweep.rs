//! Looking without being asked: everything every few minutes, and what moves more often.
//!
//! All reads here keep to the polls' half of the place's rate, because every read of a place does.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use futures::stream;
use futures::{FutureExt as _, StreamExt as _};
use privatelink_core::place::Place;
use privatelink_core::read::{FacetKey, Look};
use tokio::time::Instant;

use super::Observer;

/// How often a place is swept.
pub(super) const PERIOD: Duration = Duration::from_mins(5);
/// Pause between two polls of what has just begun to move.
pub(super) const FIRST: Duration = Duration::from_secs(1);
/// Longest pause between two polls while anything moves.
pub(super) const LONGEST: Duration = Duration::from_secs(15);
/// A pause is at least so many times as long as the poll before it took.
const COST: u32 = 4;
/// Reads of one sweep that are on their way together.
const TOGETHER: usize = 4;
/// Services that one page of the list shows at least: so many reads by id cost as much as a page.
const PAGE: usize = 50;

impl Observer {
    /// Sweeps for ever, at moments that differ from place to place.
    pub(super) async fn sweep(&self) {
        let mut next = Instant::now() + offset(&self.0.place);
        loop {
            tokio::time::sleep_until(next).await;
            self.sweep_once().await;
            next = (next + PERIOD).max(Instant::now());
        }
    }

    pub(super) async fn sweep_once(&self) {
        let began = self.lock().depart();
        let look = |facet| Look { facet, not_older_than: began };
        if !self.read(look(FacetKey::Services)).await {
            // Where the list cannot be read, nothing else is asked for: one failure, not one for each service.
            return;
        }
        let managed = self.lock().known.managed().clone();
        let parts = managed.into_iter().flat_map(|id| [FacetKey::Resources(id.clone()), FacetKey::Connections(id)]);
        stream::iter(parts).map(look).for_each_concurrent(TOGETHER, |look| self.read(look).map(drop)).await;
    }

    /// Polls for ever what objects follow. What begins to move is asked for soon, and what moves already with it.
    pub(super) async fn poll(&self) {
        let (mut last, mut pause, mut floor) = (Instant::now(), FIRST, Duration::ZERO);
        let mut polls = 0_u64;
        loop {
            if self.followed().is_empty() {
                self.0.followed.notified().await;
                (last, pause) = (Instant::now(), FIRST);
            }
            let due = last + jittered(pause.max(floor), &self.0.place, polls);
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = self.0.followed.notified() => {
                    pause = FIRST;
                    continue;
                }
            }
            let began = Instant::now();
            self.poll_once().await;
            polls += 1;
            last = Instant::now();
            floor = began.elapsed() * COST;
            pause = (pause + pause / 2).min(LONGEST);
        }
    }

    /// Reads what is followed once. Where reading services one by one would cost more than the pages of the list,
    /// the list is read, and only those that it does not show by their ids.
    pub(super) async fn poll_once(&self) {
        let began = self.lock().depart();
        let look = |facet| Look { facet, not_older_than: began };
        let parts = self.followed();
        let services = parts.iter().filter(|part| matches!(part, FacetKey::Service(_))).count();
        let pages = self.lock().known.listed() / PAGE + 1;
        if services > pages {
            self.read(look(FacetKey::Services)).await;
        }
        stream::iter(parts).map(look).for_each_concurrent(TOGETHER, |look| self.read(look).map(drop)).await;
    }

    /// A read of which nobody awaits the failure, because the next one tells; says whether it succeeded.
    async fn read(&self, look: Look) -> bool {
        let read = self.look_at(&look).await;
        if let Err(failure) = &read {
            tracing::debug!(place = %self.0.place, part = ?look.facet, %failure, "could not be read");
        }
        read.is_ok()
    }

    fn followed(&self) -> BTreeSet<FacetKey> {
        self.lock().followed.values().flatten().cloned().collect()
    }
}

/// When a place is swept first, so that places are not swept together.
fn offset(place: &Place) -> Duration {
    spread(place, 0, PERIOD)
}

/// Up to a quarter longer, differently for each place and each time.
fn jittered(pause: Duration, place: &Place, count: u64) -> Duration {
    pause + spread(place, count, pause / 4)
}

fn spread(place: &Place, count: u64, range: Duration) -> Duration {
    let mut hash = DefaultHasher::new();
    (place, count).hash(&mut hash);
    let millis = u64::try_from(range.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(hash.finish() % millis)
}
