//! A door that counts what goes through it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::error::{Failure, Meaning};
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

/// Turns that were waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// How long the longest took.
    pub longest: Duration,
}

#[derive(Debug, Default)]
struct Counts {
    calls: BTreeMap<Call, u64>,
    waits: BTreeMap<(Cloud, Lane), Waits>,
    unshown: BTreeMap<Place, usize>,
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

    /// How many of our own writes no read has shown in time, as of the last read of each place.
    #[must_use]
    pub fn unshown(&self) -> BTreeMap<Place, usize> {
        self.with(|counts| counts.unshown.clone())
    }

    pub(super) fn called(&self, cloud: Cloud, action: &'static str, outcome: &'static str) {
        self.with(|counts| *counts.calls.entry(Call { cloud, action, outcome }).or_default() += 1);
    }

    pub(super) fn waited(&self, cloud: Cloud, lane: Lane, wait: Duration) {
        self.with(|counts| {
            let waits = counts.waits.entry((cloud, lane)).or_default();
            waits.count += 1;
            waits.total += wait;
            waits.longest = waits.longest.max(wait);
        });
    }

    pub(crate) fn left_unshown(&self, place: &Place, writes: usize) {
        self.with(|counts| match counts.unshown.get_mut(place) {
            Some(known) => *known = writes,
            None => drop(counts.unshown.insert(place.clone(), writes)),
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
                place = %self.place, action, outcome, code = failure.code, request = failure.request_id, "refused"
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

/// What came of a call that failed, as one word.
const fn class(meaning: Meaning) -> &'static str {
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
