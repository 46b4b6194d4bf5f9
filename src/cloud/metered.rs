//! A door that counts what goes through it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::{Lane, Step};

use super::Door;

/// What one counter counts; every part is one of a closed list, so that the counters are few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Cloud.
    pub cloud: Cloud,
    /// What was called, in the project's words.
    pub action: &'static str,
    /// What came of it, in the project's words.
    pub outcome: &'static str,
}

/// Turns that were waited for; one that was free at once counts as a wait of no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many took no longer than each of [`Waits::UP_TO`] and longer than the one before it.
    pub within: [u64; Self::UP_TO.len()],
    /// How many took longer than that.
    pub longer: u64,
    /// How long they took together.
    pub total: Duration,
}

impl Waits {
    /// Bounds of what is counted together, from a call that was free at once to a queue that does not move.
    pub const UP_TO: [Duration; 9] = [
        Duration::from_millis(100),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_secs(5),
        Duration::from_secs(15),
        Duration::from_secs(30),
        Duration::from_mins(1),
        Duration::from_mins(5),
        Duration::from_mins(15),
    ];

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.within.iter().sum::<u64>() + self.longer
    }

    fn add(&mut self, wait: Duration) {
        match Self::UP_TO.iter().position(|bound| wait <= *bound) {
            Some(bucket) => self.within[bucket] += 1,
            None => self.longer += 1,
        }
        self.total += wait;
    }
}

#[derive(Debug, Default)]
struct Counts {
    calls: BTreeMap<Call, u64>,
    waits: BTreeMap<(Cloud, Lane), Waits>,
    unshown: BTreeMap<Place, usize>,
    whole: BTreeMap<Place, Moment>,
}

/// The counters of a process; clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counts>>);

impl Meter {
    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<Call, u64> {
        self.with(|counts| counts.calls.clone())
    }

    /// How long turns were waited for.
    #[must_use]
    pub fn waits(&self) -> BTreeMap<(Cloud, Lane), Waits> {
        self.with(|counts| counts.waits.clone())
    }

    /// How many of our own writes no read has shown in time, as of the last read of each place that is observed.
    #[must_use]
    pub fn unshown(&self) -> BTreeMap<Place, usize> {
        self.with(|counts| counts.unshown.clone())
    }

    /// From when the oldest is of the lists that are read of each place, where one was read.
    #[must_use]
    pub fn whole(&self) -> BTreeMap<Place, Moment> {
        self.with(|counts| counts.whole.clone())
    }

    pub(super) fn called(&self, cloud: Cloud, action: &'static str, outcome: &'static str) {
        self.with(|counts| *counts.calls.entry(Call { cloud, action, outcome }).or_default() += 1);
    }

    pub(crate) fn waited(&self, cloud: Cloud, lane: Lane, wait: Duration) {
        self.with(|counts| counts.waits.entry((cloud, lane)).or_default().add(wait));
    }

    /// A place begins to be observed.
    pub(super) fn begins(&self, place: &Place) {
        self.with(|counts| counts.unshown.insert(place.clone(), 0));
    }

    /// A place is no longer observed.
    pub(super) fn ends(&self, place: &Place) {
        self.with(|counts| (counts.unshown.remove(place), counts.whole.remove(place)));
    }

    /// What a read of a place has left; one that lands after its place was given up says nothing any more.
    pub(crate) fn left_unshown(&self, place: &Place, writes: usize) {
        self.with(|counts| {
            if let Some(known) = counts.unshown.get_mut(place) {
                *known = writes;
            }
        });
    }

    /// From when the oldest list of a place is, after a read of it.
    pub(crate) fn listed(&self, place: &Place, from: Option<Moment>) {
        self.with(|counts| {
            if let Some(from) = from.filter(|_| counts.unshown.contains_key(place)) {
                counts.whole.insert(place.clone(), from);
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Counts) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A door whose calls are counted and logged.
pub struct Metered<D> {
    door: D,
    place: Place,
    meter: Meter,
}

impl<D> Metered<D> {
    /// Counts what goes through `door` to `place`.
    pub const fn new(door: D, place: Place, meter: Meter) -> Self {
        Self { door, place, meter }
    }

    fn note<T>(&self, action: &'static str, result: Result<T, Failure>) -> Result<T, Failure> {
        let outcome = result.as_ref().map_or_else(|failure| class(failure.meaning), |_| "ok");
        self.meter.called(self.place.cloud, action, outcome);
        match &result {
            Ok(_) => tracing::debug!(place = %self.place, action, "answered"),
            Err(failure) => tracing::debug!(
                place = %self.place, action, outcome, code = failure.code, request_id = failure.request_id, "refused"
            ),
        }
        result
    }
}

impl<D: Door> Door for Metered<D> {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        let action = verb(&read);
        async move { self.note(action, self.door.read(read).await) }.boxed()
    }

    fn execute<'a>(&'a self, step: &'a Step, token: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        async move { self.note(step.verb(), self.door.execute(step, token).await) }.boxed()
    }
}

/// The read's verb, for logs and metrics.
const fn verb(read: &Read) -> &'static str {
    match read {
        Read::CallerIdentity => "ReadCallerIdentity",
        Read::Product => "ReadProduct",
        Read::Services(_) => "ReadServices",
        Read::Service(_) => "ReadService",
        Read::Resources(..) => "ReadResources",
        Read::Connections(..) => "ReadConnections",
        Read::Principals(..) => "ReadPrincipals",
        Read::Endpoints(_) => "ReadEndpoints",
        Read::Endpoint(_) => "ReadEndpoint",
        Read::Interfaces(..) => "ReadInterfaces",
        Read::Groups(..) => "ReadGroups",
    }
}

/// What came of a call that failed, as one word of a closed list.
pub(crate) const fn class(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Gone => "gone",
        Meaning::Done => "done",
        Meaning::InTransition => "in_transition",
        Meaning::Throttled => "throttled",
        Meaning::Unavailable => "unavailable",
        Meaning::TokenReused => "token_reused",
        Meaning::Waiting(_) => "waiting",
        Meaning::UserMustAct(_) => "user_must_act",
        Meaning::Credentials(_) => "credentials",
        Meaning::DryRun => "dry_run",
        Meaning::Unexpected => "unexpected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_counted_once_with_those_that_took_as_long() {
        let mut waits = Waits::default();
        for wait in [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(101), Duration::from_hours(1)] {
            waits.add(wait);
        }
        assert_eq!((waits.within, waits.longer), ([2, 1, 0, 0, 0, 0, 0, 0, 0], 1));
        assert_eq!((waits.count(), waits.total), (4, Duration::from_millis(3_600_201)));
        assert!(Waits::UP_TO.is_sorted(), "a wait is counted with the first bound that it keeps to");
    }

    #[test]
    fn only_places_that_are_observed_have_unshown_writes() {
        let (meter, place) =
            (Meter::default(), Place { cloud: Cloud::Alibaba, account: "1001".into(), region: "cn-hangzhou".into() });
        meter.begins(&place);
        assert_eq!(meter.unshown(), [(place.clone(), 0)].into());
        meter.left_unshown(&place, 2);
        meter.listed(&place, Some(Moment(5)));
        meter.listed(&place, None);
        assert_eq!(meter.unshown(), [(place.clone(), 2)].into());
        assert_eq!(meter.whole(), [(place.clone(), Moment(5))].into());
        meter.ends(&place);
        meter.left_unshown(&place, 2);
        meter.listed(&place, Some(Moment(7)));
        assert_eq!(meter.unshown(), BTreeMap::new(), "a read that was on its way brings it back");
        assert_eq!(meter.whole(), BTreeMap::new(), "or that one");
    }
}
