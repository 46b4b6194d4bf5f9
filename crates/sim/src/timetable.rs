//! When each open transition is due: a while after it first shows, by its kind.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::fixture::Durations;
use crate::world::object::LegStatus;
use crate::world::{Progress, State, progress};

/// The due times of all open transitions.
#[derive(Clone, Debug)]
pub struct Timetable {
    durations: Durations,
    due: BTreeMap<Progress, Timestamp>,
}

impl Timetable {
    /// An empty one; transitions will take as long as `durations` say.
    #[must_use]
    pub fn new(durations: Durations) -> Self {
        Self { durations, due: BTreeMap::new() }
    }

    /// Takes up what has opened in `state` since the last time, and forgets what is not open any more.
    pub fn update(&mut self, state: &State, now: Timestamp) {
        let open = progress(state);
        self.due.retain(|transition, _| open.binary_search(transition).is_ok());
        for transition in open {
            let takes = self.duration(state, transition);
            self.due.entry(transition).or_insert_with(|| now.checked_add(takes).unwrap_or(Timestamp::MAX));
        }
    }

    /// The transition that is due first, and when.
    #[must_use]
    pub fn next(&self) -> Option<(Timestamp, Progress)> {
        self.due.iter().map(|(transition, at)| (*at, *transition)).min()
    }

    /// Takes the first transition off the table: it is carried out, and what is open of its object afterwards
    /// is a transition of its own.
    pub fn take(&mut self, until: Timestamp) -> Option<(Timestamp, Progress)> {
        let (at, transition) = self.next().filter(|(at, _)| *at <= until)?;
        self.due.remove(&transition);
        Some((at, transition))
    }

    /// How many transitions are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.due.len()
    }

    fn duration(&self, state: &State, transition: Progress) -> SignedDuration {
        match transition {
            Progress::Service(_) => self.durations.service,
            Progress::ConsumerRegion(..) => self.durations.consumer_region,
            Progress::Endpoint(_) => self.durations.endpoint,
            Progress::Connection(_) => self.durations.connection,
            Progress::Zone(endpoint, zone) => {
                let leg = state.endpoints.get(&endpoint).and_then(|endpoint| endpoint.zones.get(&zone));
                let replaced = leg.is_some_and(|leg| matches!(leg.status, LegStatus::Migrating | LegStatus::Replacing));
                if replaced { self.durations.replacement } else { self.durations.zone }
            }
        }
    }
}
