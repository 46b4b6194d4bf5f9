//! Looking without being asked: everything every few minutes, and what moves more often.
//!
//! All reads here keep to the polls' half of the place's rate, because every read of a place does.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use privatelink_core::error::Failure;
use privatelink_core::id::{CloudId, Sort};
use privatelink_core::place::Place;
use privatelink_core::read::{FacetKey, Look};
use tokio::time::Instant;

use super::{Failing, News, Observer};
use crate::runtime::clock;

/// How often a place is swept.
pub(super) const PERIOD: Duration = Duration::from_mins(5);
/// When a sweep that failed is tried again.
const AGAIN: Duration = Duration::from_mins(1);
/// How long sweeps fail before what is known of a place counts for nothing more.
pub(super) const BLIND: Duration = Duration::from_mins(2);
/// Pause between two polls of what has just begun to move.
pub(super) const FIRST: Duration = Duration::from_secs(1);
/// Longest pause between two polls while anything moves.
pub(super) const LONGEST: Duration = Duration::from_secs(15);
/// A pause is at least so many times as long as the poll before it took.
const COST: u32 = 4;
/// Reads of one sweep that are on their way together.
const TOGETHER: usize = 4;
/// Reads that show what no list shows of an endpoint.
const DEEP_READS: u32 = 2;
/// They take one in so many of the calls that the place's rate allows.
const DEEP_PART: u32 = 10;
/// Objects that one page of a list shows at least: so many reads by id cost as much as a page.
const PAGE: usize = 50;

impl Observer {
    /// Sweeps for ever, at moments that differ from place to place.
    pub(super) async fn sweep(&self) {
        let mut next = Instant::now() + offset(&self.0.place);
        loop {
            tokio::time::sleep_until(next).await;
            let failed = self.sweep_once().await;
            let pause = if failed.is_empty() { PERIOD } else { AGAIN };
            self.note(failed);
            next = (next + pause).max(Instant::now());
        }
    }

    /// Objects that have nothing to ask are told when what they stand for can be seen no more, and when it can
    /// again.
    fn note(&self, mut failed: BTreeMap<Sort, Failure>) {
        for sort in Sort::ALL {
            let failure = failed.remove(&sort);
            if let Some(failure) = &failure {
                let what = sort.noun();
                tracing::warn!(place = %self.0.place, what, %failure, "what the cloud holds could not be read");
            }
            let now = clock::now();
            let changed = {
                let mut state = self.lock();
                let before = state.failing.remove(&sort);
                let was_told = before.as_ref().is_some_and(|failing| failing.told);
                let failing = failure.map(|failure| {
                    let since = before.map_or(now, |failing| failing.since);
                    Failing { since, failure, told: now.since(since) >= BLIND }
                });
                let is_told = failing.as_ref().is_some_and(|failing| failing.told);
                state.failing.extend(failing.map(|failing| (sort, failing)));
                was_told != is_told
            };
            if changed {
                let managed = self.lock().known.managed().clone();
                let concerned = managed.into_iter().filter(|id| id.sort() == sort);
                // The tenants of a service have nothing else to stand on either.
                self.0.touched.wake(concerned.flat_map(|id| match &id {
                    CloudId::Service(service) => vec![News::Tenants(service.clone()), News::Object(id)],
                    CloudId::Endpoint(_) => vec![News::Object(id)],
                }));
            }
        }
    }

    /// Reads everything once; gives what could not be read.
    pub(super) async fn sweep_once(&self) -> BTreeMap<Sort, Failure> {
        let began = self.lock().depart();
        let look = |facet| Look { facet, not_older_than: began };
        let managed = self.lock().known.managed().clone();
        let mut failed = BTreeMap::new();
        for sort in Sort::ALL {
            // A place of which nobody has ever wanted to know anything of a sort is not asked for it.
            let wanted =
                managed.iter().any(|id| id.sort() == sort) || self.lock().known.read_at(&FacetKey::all(sort)).is_some();
            if wanted && let Err(failure) = self.look_at(&look(FacetKey::all(sort))).await {
                failed.insert(sort, failure);
            }
        }
        // Where a list cannot be read, nothing else of its sort is asked for: one failure, not one for each object.
        let mut parts = Vec::new();
        for id in managed.into_iter().filter(|id| !failed.contains_key(&id.sort())) {
            // What no list shows of endpoints is read in turn, not with every sweep.
            let CloudId::Service(id) = id else { continue };
            parts.extend([FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]);
            // Its list may take many calls: nobody wants to know it of whom nobody has ever asked for it.
            let list = FacetKey::Principals(id);
            parts.extend(self.lock().known.read_at(&list).map(|_| list));
        }
        stream::iter(parts).map(look).for_each_concurrent(TOGETHER, |look| self.read(look)).await;
        failed
    }

    /// Reads for ever, endpoint after endpoint, what no list shows of them. A tenth of the place's rate is enough
    /// for that, and no endpoint is read more often than a sweep reads everything else.
    pub(super) async fn deepen(&self) {
        loop {
            tokio::time::sleep(self.deep_pause()).await;
            let (began, next) = {
                let mut state = self.lock();
                let began = state.depart();
                (began, state.known.next_deep(began))
            };
            let Some(id) = next else { continue };
            let parts = [FacetKey::Interfaces(id.clone()), FacetKey::Groups(id.clone())];
            let looks = parts.map(|facet| Look { facet, not_older_than: began });
            if let Err(failure) = self.look(&looks).await {
                tracing::debug!(place = %self.0.place, endpoint = %id, %failure, "could not be read in its turn");
                // Its own turn reads again once what is known is too old, and says why it cannot.
                self.0.touched.wake([News::Object(id.into())]);
            }
        }
    }

    /// Between two endpoints.
    fn deep_pause(&self) -> Duration {
        let managed = self.lock().known.managed().iter().filter(|id| id.sort() == Sort::Endpoint).count();
        let count = u32::try_from(managed).unwrap_or(u32::MAX).max(1);
        let per_second = self.0.rate.limits().per_second.max(1);
        (PERIOD / count).max(Duration::from_secs(1) * DEEP_READS * DEEP_PART / per_second)
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

    /// Reads what is followed once. Where reading objects one by one would cost more than the pages of their list,
    /// the list is read, and only those that it does not show by their ids.
    pub(super) async fn poll_once(&self) {
        let began = self.lock().depart();
        let look = |facet| Look { facet, not_older_than: began };
        let parts = self.followed();
        for sort in Sort::ALL {
            let is_whole =
                |part: &&FacetKey| part.object().is_some_and(|id| id.sort() == sort && FacetKey::whole(&id) == **part);
            let wholes = parts.iter().filter(is_whole).count();
            let pages = self.lock().known.listed(sort) / PAGE + 1;
            if wholes > pages {
                self.read(look(FacetKey::all(sort))).await;
            }
        }
        stream::iter(parts).map(look).for_each_concurrent(TOGETHER, |look| self.read(look)).await;
    }

    /// Reads a part anew because something seen elsewhere says that it has changed; nobody waits for it, and whom it
    /// concerns is touched.
    pub fn renew(&self, part: FacetKey) {
        let observer = self.clone();
        let look = Look { facet: part, not_older_than: self.lock().depart() };
        drop(tokio::spawn(async move { observer.read(look).await }));
    }

    /// A read of which nobody awaits the failure, because the next one tells.
    async fn read(&self, look: Look) {
        if let Err(failure) = self.look_at(&look).await {
            tracing::debug!(place = %self.0.place, part = ?look.facet, %failure, "could not be read");
        }
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
