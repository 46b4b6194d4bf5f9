//! What is known of one place: lists and looks that all who wait share, with our own writes laid over them.
//!
//! Everything is dated by when the first request of a read left. The dates order our own writes and reads even
//! within one tick of the clock: a write that was answered while a read was on its way is younger than that
//! read, and a read that leaves after it is not older than the write.

mod known;
mod list;
mod news;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, join_all};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{CloudId, EndpointId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::overlay::{Effect, Laid};
use privatelink_core::place::Place;
use privatelink_core::read::{FacetKey, Look};
use tokio::sync::Notify;

use self::known::{Changed, Known};
pub use self::news::News;
use crate::cloud::Door;
use crate::cloud::metered::Meter;
use crate::cloud::pace::Pace;
use crate::object::ObjectKey;
use crate::runtime::clock;
use crate::wakes::{Wakes, Woken};

/// Shortest difference between two moments.
const TICK: Duration = Duration::from_millis(1);

/// What is known of one place; clones are the same observer.
#[derive(Clone)]
pub struct Observer(Arc<Inner>);

struct Inner {
    place: Place,
    door: Arc<dyn Door>,
    meter: Meter,
    rate: Pace,
    state: Mutex<State>,
    touched: Wakes<News>,
    /// Somebody begins to follow what nobody followed before.
    followed: Notify,
}

#[derive(Default)]
struct State {
    known: Known,
    flights: BTreeMap<FacetKey, Flight>,
    followed: BTreeMap<ObjectKey, BTreeSet<FacetKey>>,
    last_departure: Moment,
    last_effect: Moment,
    /// Since when sweeps fail to read what, and how the last one did.
    failing: BTreeMap<Sort, Failing>,
}

/// Sweeps cannot read objects of a sort.
#[derive(Debug)]
struct Failing {
    /// Since when.
    since: Moment,
    /// How the last one did.
    failure: Failure,
    /// It has lasted so long that those whom it concerns have been told.
    told: bool,
}

/// A read that is on its way.
#[derive(Clone)]
struct Flight {
    departed: Moment,
    landing: Shared<BoxFuture<'static, Result<(), Failure>>>,
}

impl Observer {
    /// Knows nothing yet, and reads through `door`, which keeps to `rate`.
    #[must_use]
    pub fn new(place: Place, door: Arc<dyn Door>, meter: Meter, rate: Pace) -> Self {
        let (state, touched, followed) = (Mutex::default(), Wakes::default(), Notify::new());
        Self(Arc::new(Inner { place, door, meter, rate, state, touched, followed }))
    }

    /// What is known, with our own writes laid over it.
    #[must_use]
    pub fn laid(&self) -> Arc<Laid> {
        self.lock().known.laid()
    }

    /// Reads what is asked for unless it is known from then or later; readers of one part share one flight. That
    /// an object is gone is no error but an answer: its view then says so.
    ///
    /// # Errors
    /// The first failure; the others were read all the same.
    pub async fn look(&self, looks: &[Look]) -> Result<(), Failure> {
        join_all(looks.iter().map(|look| self.look_at(look))).await.into_iter().collect()
    }

    /// The moment of a write that has just been answered, or has been given up: later than all reads that have left,
    /// and not later than any that leaves from now on.
    #[must_use]
    pub fn written(&self) -> Moment {
        self.lock().written(clock::now())
    }

    /// Lays a write of ours over what is known, until a read that left later shows it.
    pub fn record(&self, effect: Effect) {
        let mut state = self.lock();
        let mut effect = effect;
        effect.at = state.written(effect.at);
        state.known.record(effect);
    }

    /// Sets the cloud objects that objects manage: sweeps read their parts too.
    pub fn manage(&self, managed: BTreeSet<CloudId>) {
        self.lock().known.manage(managed);
    }

    /// The provider's side of an endpoint was seen to change in another place: what is known of its interfaces
    /// says nothing any more.
    pub fn stir(&self, id: &EndpointId) {
        let mut state = self.lock();
        let now = state.depart();
        state.known.stir(id, now);
    }

    /// Polls these parts for the object until it says otherwise, together with all that other objects follow: for
    /// an object whose plan says that something moves. An empty set ends it.
    pub fn follow(&self, object: &ObjectKey, parts: BTreeSet<FacetKey>) {
        let mut state = self.lock();
        if parts.is_empty() {
            state.followed.remove(object);
        } else {
            let known: BTreeSet<&FacetKey> = state.followed.values().flatten().collect();
            let news = parts.iter().any(|part| !known.contains(part));
            state.followed.insert(object.clone(), parts);
            if news {
                self.0.followed.notify_one();
            }
        }
    }

    /// Sweeps have failed to read objects of this sort for so long that what is known of them may be wrong: since
    /// when, and how.
    #[must_use]
    pub fn blind(&self, sort: Sort) -> Option<(Moment, Failure)> {
        let state = self.lock();
        let failing = state.failing.get(&sort).filter(|failing| failing.told)?;
        Some((failing.since, failing.failure.clone()))
    }

    /// A person has asked to look again: what has vanished all at once is believed to be gone.
    pub fn believe_vanished(&self) {
        self.lock().known.believe_vanished();
    }

    /// What reads show to be new from now on, and what of our own writes they confirm. Endpoints of other places
    /// are among it where a service of this one shows that their legs have changed.
    #[must_use]
    pub fn touched(&self) -> Woken<News> {
        self.0.touched.listen()
    }

    /// Sweeps and polls until it is dropped. The pool runs it.
    pub async fn run(self) {
        futures::join!(self.sweep(), self.poll(), self.deepen());
    }

    async fn look_at(&self, look: &Look) -> Result<(), Failure> {
        loop {
            let (flight, ours) = {
                let mut state = self.lock();
                if state.known.read_at(&look.facet).is_some_and(|at| at >= look.not_older_than) {
                    return Ok(());
                }
                match state.flights.get(&look.facet) {
                    Some(flight) => (flight.clone(), flight.departed >= look.not_older_than),
                    None => (self.depart(&mut state, &look.facet), true),
                }
            };
            let landed = flight.landing.await;
            // A flight that left too early for us says nothing to us; the next one is ours.
            if ours {
                return landed;
            }
        }
    }

    /// Sends off a read that lands whether or not anybody still waits for it.
    fn depart(&self, state: &mut State, part: &FacetKey) -> Flight {
        let departed = state.depart();
        let (observer, facet) = (self.clone(), part.clone());
        let task = tokio::spawn(async move { observer.fly(departed, &facet).await });
        let landing = task.map(|ended| ended.unwrap_or_else(|error| Err(ended_early(&error)))).boxed().shared();
        let flight = Flight { departed, landing };
        state.flights.insert(part.clone(), flight.clone());
        flight
    }

    async fn fly(&self, departed: Moment, part: &FacetKey) -> Result<(), Failure> {
        let landing = Landing { observer: self, part };
        let mut departed = departed;
        let mut shown = list::read(&*self.0.door, part).await?;
        if self.lock().known.would_empty(&shown) {
            // Nothing where there was something: clouds answer so when they stumble. The second answer counts.
            departed = self.lock().depart();
            shown = list::read(&*self.0.door, part).await?;
        }
        let Changed { touched, unshown } = self.lock().known.apply(departed, shown, clock::now());
        self.0.meter.left_unshown(&self.0.place, unshown);
        let listed = Sort::ALL.iter().filter_map(|sort| self.lock().known.read_at(&FacetKey::all(*sort))).min();
        self.0.meter.listed(&self.0.place, listed);
        drop(landing);
        self.0.touched.wake(touched);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The moment of a request that leaves now: not before any write that has been answered.
    fn depart(&mut self) -> Moment {
        self.last_departure = clock::now().max(self.last_effect).max(self.last_departure);
        self.last_departure
    }

    /// The moment of a write that ended at `at`: later than any read that has left.
    fn written(&mut self, at: Moment) -> Moment {
        let at = at.max(self.last_departure + TICK);
        self.last_effect = self.last_effect.max(at);
        at
    }
}

/// Takes the flight off the board, however it ends.
struct Landing<'a> {
    observer: &'a Observer,
    part: &'a FacetKey,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.observer.lock().flights.remove(self.part);
    }
}

/// The process is ending, or a read has panicked.
fn ended_early(error: &tokio::task::JoinError) -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        code: "<ended early>".to_owned(),
        message: if error.is_cancelled() { "the read was given up" } else { "the read has failed inside" }.to_owned(),
        request_id: None,
        retry_after: None,
        maybe_done: false,
    }
}
