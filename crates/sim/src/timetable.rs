//! When each open transition is due: a while after it first shows, by its kind.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::fixture::Durations;
use crate::world::call::ObjectId;
use crate::world::{Leg, Progress, State};

/// The due times of all open transitions.
#[derive(Clone, Debug)]
pub struct Timetable {
    durations: Durations,
    open: BTreeMap<ObjectId, BTreeMap<Progress, Timestamp>>,
    order: BTreeSet<(Timestamp, Progress)>,
}

impl Timetable {
    /// An empty one; transitions will take as long as `durations` say.
    #[must_use]
    pub fn new(durations: Durations) -> Self {
        Self { durations, open: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Takes up what has opened in one object since the last time, and forgets what is not open any more.
    pub fn update(&mut self, state: &State, object: ObjectId, now: Timestamp) {
        let before = self.open.remove(&object).unwrap_or_default();
        let mut after = BTreeMap::new();
        for transition in Progress::of(state, object) {
            let due = before
                .get(&transition)
                .copied()
                .unwrap_or_else(|| now.checked_add(self.duration(state, transition)).unwrap_or(Timestamp::MAX));
            after.insert(transition, due);
        }
        for (transition, due) in before {
            self.order.remove(&(due, transition));
        }
        self.order.extend(after.iter().map(|(transition, due)| (*due, *transition)));
        if !after.is_empty() {
            self.open.insert(object, after);
        }
    }

    /// Takes off the table the transition that is due first, if that is by `until`: it is carried out, and
    /// what is open of its object afterwards is a transition of its own.
    pub fn take(&mut self, until: Timestamp) -> Option<(Timestamp, Progress)> {
        let (due, transition) = self.order.first().copied().filter(|(due, _)| *due <= until)?;
        self.order.pop_first();
        if let Some(open) = self.open.get_mut(&transition.object()) {
            open.remove(&transition);
        }
        Some((due, transition))
    }

    /// How many transitions are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.order.len()
    }

    fn duration(&self, state: &State, transition: Progress) -> SignedDuration {
        match transition {
            Progress::Service(_) => self.durations.service,
            Progress::ConsumerRegion(..) => self.durations.consumer_region,
            Progress::Endpoint(_) => self.durations.endpoint,
            Progress::Connection(_) => self.durations.connection,
            Progress::Zone(endpoint, zone) => {
                let leg = state.endpoints.get(&endpoint).and_then(|endpoint| endpoint.zones.get(&zone));
                let replaced = leg.is_some_and(Leg::is_moving);
                if replaced { self.durations.replacement } else { self.durations.zone }
            }
        }
    }
}
