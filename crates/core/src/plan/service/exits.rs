//! Which connections hang on a load balancer that is to be left, and how far each is from having left it.

use std::collections::BTreeMap;

use crate::claims::Pin;
use crate::desired::{Departure, Management};
use crate::id::{EndpointId, ResourceId, ServiceId, Zone};
use crate::limit;
use crate::moment::Moment;
use crate::observed::{Connection, Resource, ResourceKey, ZoneLeg};
use crate::plan::assignment::{course, is_assignable};
use crate::plan::service::{Input, resources, view};
use crate::state::ZoneState;
use crate::status::{InFlight, Leaving};
use crate::step::MigrationMode;

/// One zone of one connection.
#[derive(Clone, Copy)]
pub(crate) struct Leg<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) zone: &'a Zone,
    /// What is shown of it.
    pub(crate) shown: &'a ZoneLeg,
    /// The assignment that decides on it.
    pub(crate) pin: Option<&'a Pin>,
    /// Its endpoint is in another region, whose zones are none of the service's.
    is_afar: bool,
}

impl<'a> Leg<'a> {
    pub(crate) fn endpoint(&self) -> &'a EndpointId {
        &self.connection.endpoint
    }

    /// It is the zone that this row is about.
    pub(crate) fn is(&self, row: &InFlight) -> bool {
        (&self.connection.endpoint, self.zone) == (&row.endpoint, &row.zone)
    }

    /// The side that serves now leads to this load balancer.
    pub(crate) fn is_on(&self, key: &ResourceKey) -> bool {
        self.leads_to(key, self.shown.resource.as_ref())
    }

    /// The side that a migration left behind leads to this load balancer.
    pub(crate) fn was_on(&self, key: &ResourceKey) -> bool {
        self.leads_to(key, self.shown.replaced_resource.as_ref())
    }

    fn leads_to(&self, key: &ResourceKey, resource: Option<&ResourceId>) -> bool {
        resource == Some(&key.id) && self.may_be_in(key)
    }

    /// A load balancer of that zone can serve it.
    pub(crate) fn may_be_in(&self, key: &ResourceKey) -> bool {
        self.is_afar || *self.zone == key.zone
    }
}

/// Every zone of every connection, as far as the list shows them.
pub(crate) fn legs<'a>(input: &Input<'a>, id: &ServiceId) -> Vec<Leg<'a>> {
    let (claims, here) = (input.claims, &input.ground.place.region);
    let service = view(input, id).and_then(|view| view.service.value()?.as_ref());
    // Where the cloud lets nobody assign them, no assignment decides.
    let pins = service.and_then(|service| service.kind).is_none_or(is_assignable);
    let connections = view(input, id).and_then(|view| view.connections.value()).into_iter().flatten();
    let of = |connection: &'a Connection| {
        let is_afar = connection.region.as_ref().is_some_and(|region| region != here);
        connection.zones.iter().map(move |(zone, shown)| {
            let pin = claims.pin(&connection.endpoint, zone).filter(|_| pins);
            Leg { connection, zone, shown, pin, is_afar }
        })
    };
    connections.flat_map(of).collect()
}

/// The load balancer was taken off the spec.
pub(crate) fn is_left(input: &Input<'_>, key: &ResourceKey) -> bool {
    !input.desired.resources.is_empty() && !input.desired.resources.contains_key(key)
}

/// How connections leave a load balancer of this service.
pub(crate) fn departure(input: &Input<'_>, resource: &Resource) -> Departure {
    let by_kind = if is_assignable(resource.kind) { Departure::Move(MigrationMode::Smooth) } else { Departure::Wait };
    input.desired.removal.departure.unwrap_or(by_kind)
}

/// The load balancers that connections leave, each with how far it has come: what was written down, and what is seen.
pub(crate) fn rows(input: &Input<'_>, id: &ServiceId) -> Vec<Leaving> {
    let Some(held) = resources(input, id) else { return input.status.leaving.clone() };
    if !concerns(input, id, held) {
        return Vec::new();
    }
    let known: BTreeMap<&ResourceKey, &Leaving> = input.status.leaving.iter().map(|row| (&row.resource, row)).collect();
    let seen = view(input, id).is_some_and(|view| view.connections.value().is_some());
    let legs = legs(input, id);
    let most = usize::try_from(limit::RESOURCES).unwrap_or(usize::MAX);
    let row = |(key, resource): (&ResourceKey, &Resource)| {
        let known = known.get(key).copied();
        let remaining = resource.connections + resource.deprecated_connections;
        let left = is_left(input, key);
        let before = known.map(|row| row.in_flight.as_slice()).unwrap_or_default();
        let in_flight = if seen { in_flight(input, key, &legs, before) } else { before.to_vec() };
        let used = left && (remaining > 0 || legs.iter().any(|leg| leg.is_on(key) && holds(leg)));
        (used || !in_flight.is_empty()).then(|| Leaving {
            resource: key.clone(),
            remaining,
            moved: known.map_or(0, |row| row.moved) + moved(key, &legs, before, &in_flight),
            blocked_by: if left { blockers(key, &legs) } else { Vec::new() },
            in_flight,
        })
    };
    held.iter().filter_map(row).take(most).collect()
}

/// Anything is to be left, or was: a service may have thousands of connections, and most of the time nothing leaves.
fn concerns(input: &Input<'_>, id: &ServiceId, held: &BTreeMap<ResourceKey, Resource>) -> bool {
    let mut connections = view(input, id).and_then(|view| view.connections.value()).into_iter().flatten();
    !input.status.leaving.is_empty()
        || held.keys().any(|key| is_left(input, key))
        || connections.any(|one| one.zones.values().any(|leg| leg.replaced_resource.is_some()))
}

/// A connection is served by the load balancer, or has not closed its side on it yet, whatever the counts say: these
/// may have been read at another time.
pub(crate) fn is_used(legs: &[Leg<'_>], key: &ResourceKey) -> bool {
    legs.iter().any(|leg| leg.connection.is_live() && holds(leg) && (leg.is_on(key) || leg.was_on(key)))
}

/// The zone keeps its load balancer on the service.
fn holds(leg: &Leg<'_>) -> bool {
    !leg.shown.state.is_untouched() && !matches!(leg.shown.state, ZoneState::Disconnected | ZoneState::Deleting)
}

/// What moves away from the load balancer, or has moved and drains. A row that is known is never dropped for another
/// one.
fn in_flight(input: &Input<'_>, key: &ResourceKey, legs: &[Leg<'_>], before: &[InFlight]) -> Vec<InFlight> {
    if input.desired.common.management == Management::Observe {
        return Vec::new();
    }
    let known: BTreeMap<(&EndpointId, &Zone), &InFlight> =
        before.iter().map(|row| ((&row.endpoint, &row.zone), row)).collect();
    let mut rows: Vec<InFlight> = Vec::new();
    for leg in legs.iter().filter(|leg| leg.pin.is_none() && leg.may_be_in(key)) {
        let known = known.get(&(leg.endpoint(), leg.zone)).copied();
        let goes_on = |row: &InFlight| leg.shown.is_moving() && leg.shown.resource.as_ref() == Some(&row.to);
        let Some(to) = &leg.shown.resource else { continue };
        if !leg.was_on(key) && !known.is_some_and(goes_on) {
            continue;
        }
        let has_moved = leg.shown.state == ZoneState::Migrated;
        // What was seen of one migration is nothing of the next; the side that closes may be shown as being cut.
        let has_arrived = has_moved || leg.shown.state == ZoneState::Disconnecting;
        let migrated_at = known
            .filter(|row| row.to == *to && has_arrived)
            .and_then(|row| row.migrated_at)
            .or_else(|| has_moved.then(|| course::next_second(input.ground.now)));
        let drain_until = migrated_at.and_then(|at| drain_until(input, at));
        let (endpoint, zone) = (leg.endpoint().clone(), leg.zone.clone());
        rows.push(InFlight { endpoint, zone, to: to.clone(), migrated_at, drain_until });
    }
    rows.sort_by(|one, other| {
        let of =
            |row: &InFlight| (!known.contains_key(&(&row.endpoint, &row.zone)), row.endpoint.clone(), row.zone.clone());
        of(one).cmp(&of(other))
    });
    rows.truncate(usize::try_from(limit::IN_FLIGHT).unwrap_or(usize::MAX));
    // Always in one order: that a row is known by now is no news.
    rows.sort_by(|one, other| one.endpoint.cmp(&other.endpoint));
    rows
}

fn drain_until(input: &Input<'_>, at: Moment) -> Option<Moment> {
    let removal = &input.desired.removal;
    (!removal.approval).then(|| at + removal.drain)
}

/// How many of those that were moving have left the load balancer since.
fn moved(key: &ResourceKey, legs: &[Leg<'_>], before: &[InFlight], after: &[InFlight]) -> u32 {
    let has_left = |row: &&InFlight| {
        let of_it = |leg: &&Leg<'_>| leg.is(row) && leg.may_be_in(key) && leg.pin.is_none();
        let mut of_it = legs.iter().filter(of_it).peekable();
        let there = of_it.peek().is_some();
        there
            && of_it.all(|leg| !leg.is_on(key))
            && !after.iter().any(|one| (&one.endpoint, &one.zone) == (&row.endpoint, &row.zone))
    };
    u32::try_from(before.iter().filter(has_left).count()).unwrap_or(u32::MAX)
}

/// The assignments that keep a connection on the load balancer.
fn blockers(key: &ResourceKey, legs: &[Leg<'_>]) -> Vec<String> {
    let of_it = legs.iter().filter(|leg| leg.may_be_in(key)).filter_map(|leg| leg.pin);
    names(of_it.filter(|pin| pin.resource == key.id))
}

/// The assignments that move a connection away from the load balancer, and have one on it yet.
pub(crate) fn going(key: &ResourceKey, legs: &[Leg<'_>]) -> Vec<String> {
    let of_it = legs.iter().filter(|leg| leg.is_on(key) || leg.was_on(key)).filter_map(|leg| leg.pin);
    names(of_it.filter(|pin| pin.resource != key.id))
}

fn names<'p>(pins: impl Iterator<Item = &'p Pin>) -> Vec<String> {
    let mut names: Vec<String> = pins.map(|pin| pin.name.clone()).collect();
    names.sort();
    names.dedup();
    names.truncate(usize::try_from(limit::BLOCKERS).unwrap_or(usize::MAX));
    names
}
