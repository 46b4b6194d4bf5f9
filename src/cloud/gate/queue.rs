//! Who waits for one exclusion, in order: lanes, then namespaces in turn, then first come first served.

use std::collections::{BTreeMap, VecDeque};

use privatelink_core::step::Lane;
use tokio::time::Instant;

use crate::object::ObjectKey;

/// One place in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Whose it is.
    pub object: ObjectKey,
    /// Since when it waits.
    pub since: Instant,
}

/// The tickets for one exclusion.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: BTreeMap<Lane, VecDeque<(String, VecDeque<Ticket>)>>,
}

impl Queue {
    /// Gives the object a ticket in this lane; one that it has in this lane stays where it is, one of another lane
    /// is moved with the time that it has waited.
    pub fn take_ticket(&mut self, object: &ObjectKey, lane: Lane, now: Instant) {
        if self.namespaces(lane).flat_map(|(_, tickets)| tickets).any(|ticket| ticket.object == *object) {
            return;
        }
        let since = self.drop_ticket(object).map_or(now, |ticket| ticket.since);
        let ticket = Ticket { object: object.clone(), since };
        let namespaces = self.lanes.entry(lane).or_default();
        match namespaces.iter_mut().find(|(namespace, _)| *namespace == object.namespace) {
            Some((_, tickets)) => tickets.push_back(ticket),
            None => namespaces.push_back((object.namespace.clone(), [ticket].into())),
        }
    }

    /// Takes the object's ticket away, in whatever lane it is.
    pub fn drop_ticket(&mut self, object: &ObjectKey) -> Option<Ticket> {
        let mut dropped = None;
        for namespaces in self.lanes.values_mut() {
            for (_, tickets) in namespaces.iter_mut() {
                if let Some(at) = tickets.iter().position(|ticket| ticket.object == *object) {
                    dropped = tickets.remove(at);
                }
            }
            namespaces.retain(|(_, tickets)| !tickets.is_empty());
        }
        dropped
    }

    /// Takes the first ticket; its namespace then comes after all others of the lane.
    pub fn next(&mut self) -> Option<Ticket> {
        for namespaces in self.lanes.values_mut() {
            let Some((namespace, mut tickets)) = namespaces.pop_front() else { continue };
            let first = tickets.pop_front();
            if !tickets.is_empty() {
                namespaces.push_back((namespace, tickets));
            }
            return first;
        }
        None
    }

    /// How many tickets there are.
    pub fn len(&self) -> usize {
        self.lanes.values().flatten().map(|(_, tickets)| tickets.len()).sum()
    }

    fn namespaces(&self, lane: Lane) -> impl Iterator<Item = &(String, VecDeque<Ticket>)> {
        self.lanes.get(&lane).into_iter().flatten()
    }
}
