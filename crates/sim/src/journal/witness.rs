//! The witness of legs: when each zone of an endpoint carried traffic, when an endpoint carried none, and
//! how long that lasted while its connection stood.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::world::object::ConnectionStatus;
use crate::world::{Endpoint, EndpointId, Leg, State, ZoneId};

/// Changes that are kept of one track; older ones are forgotten, sums are not.
pub const CHANGES_KEPT: usize = 64;

/// Tracks that are kept; beyond, those of endpoints that are gone are forgotten.
pub const TRACKS_KEPT: usize = 50_000;

/// What is watched: one zone, or the endpoint as a whole.
pub type Watched = (EndpointId, Option<ZoneId>);

/// All tracks.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    tracks: BTreeMap<Watched, Track>,
}

/// The history of one zone, or of one endpoint as a whole.
#[derive(Clone, Debug, Default)]
pub struct Track {
    up: bool,
    was_up: bool,
    changes: VecDeque<(Timestamp, bool)>,
    gap_since: Option<Timestamp>,
    gaps: u32,
    gone: SignedDuration,
}

impl Track {
    /// Traffic can flow now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// The last changes: when, and whether traffic could flow from then on.
    pub fn changes(&self) -> impl Iterator<Item = &(Timestamp, bool)> {
        self.changes.iter()
    }

    /// How often no traffic could flow while the connection stood, since it first could.
    #[must_use]
    pub fn gaps(&self) -> u32 {
        self.gaps
    }

    /// How long that lasted in sum, up to `now` where it still lasts.
    #[must_use]
    pub fn gap(&self, now: Timestamp) -> SignedDuration {
        self.gone + self.gap_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since))
    }

    fn observe(&mut self, up: bool, wanted: bool, at: Timestamp) {
        if up != self.up {
            if self.changes.len() == CHANGES_KEPT {
                self.changes.pop_front();
            }
            self.changes.push_back((at, up));
        }
        self.up = up;
        self.was_up |= up;
        let in_gap = !up && wanted && self.was_up;
        match self.gap_since {
            None if in_gap => {
                self.gap_since = Some(at);
                self.gaps += 1;
            }
            Some(since) if !in_gap => {
                self.gone += at.duration_since(since);
                self.gap_since = None;
            }
            _ => {}
        }
    }
}

impl Witness {
    /// Writes down what `state` shows of one endpoint at `at`.
    pub(super) fn observe(&mut self, state: &State, id: EndpointId, at: Timestamp) {
        let endpoint = state.endpoints.get(&id);
        if let Some(endpoint) = endpoint {
            let wanted = stands(endpoint);
            let any = wanted && endpoint.zones.values().any(Leg::carries);
            self.track((id, None)).observe(any, wanted, at);
            for (zone, leg) in &endpoint.zones {
                self.track((id, Some(*zone))).observe(wanted && leg.carries(), wanted, at);
            }
        }
        for ((_, zone), track) in self.tracks.range_mut((id, None)..=(id, Some(ZoneId::NOWHERE))) {
            let is_there = endpoint.is_some_and(|one| zone.is_none_or(|zone| one.zones.contains_key(&zone)));
            if !is_there {
                track.observe(false, false, at);
            }
        }
        if self.tracks.len() > TRACKS_KEPT {
            self.tracks.retain(|(id, _), _| state.endpoints.contains_key(id));
        }
    }

    /// The track of one zone, or of a whole endpoint (`None`).
    #[must_use]
    pub fn of(&self, endpoint: EndpointId, zone: Option<ZoneId>) -> Option<&Track> {
        self.tracks.get(&(endpoint, zone))
    }

    /// Every track.
    pub fn tracks(&self) -> impl Iterator<Item = (&Watched, &Track)> {
        self.tracks.iter()
    }

    fn track(&mut self, watched: Watched) -> &mut Track {
        self.tracks.entry(watched).or_default()
    }
}

fn stands(endpoint: &Endpoint) -> bool {
    matches!(endpoint.connection.status, ConnectionStatus::Connected | ConnectionStatus::Pending)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{CHANGES_KEPT, Track};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000 + seconds).expect("a time")
    }

    #[test]
    fn a_gap_counts_only_after_the_first_traffic_and_while_the_connection_stands() {
        let mut track = Track::default();
        track.observe(false, true, at(0));
        assert_eq!((track.gaps(), track.gap(at(1))), (0, SignedDuration::ZERO));
        track.observe(true, true, at(1));
        track.observe(false, true, at(5));
        assert_eq!((track.gaps(), track.gap(at(7))), (1, SignedDuration::from_secs(2)));
        track.observe(true, true, at(8));
        track.observe(false, false, at(9));
        assert_eq!((track.gaps(), track.gap(at(99))), (1, SignedDuration::from_secs(3)));
        assert_eq!(track.changes().count(), 4);
    }

    #[test]
    fn old_changes_are_forgotten_and_sums_are_not() {
        let mut track = Track::default();
        for second in 0..1_000 {
            track.observe(second % 2 == 0, true, at(second));
        }
        assert_eq!(track.changes().count(), CHANGES_KEPT);
        assert_eq!(track.gaps(), 500);
        assert_eq!(track.gap(at(1_000)), SignedDuration::from_secs(500));
    }
}
