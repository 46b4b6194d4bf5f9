//! Zones of connections on their way from one load balancer to another: of assignments, and of services that are rid of
//! a load balancer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use privatelink_core::condition::Reason;
use privatelink_core::moment::Moment;

use crate::api::parse::moment;
use crate::api::service::{EndpointService, LegInFlight};
use crate::api::zone::MigrationRecord;
use crate::control::context::{self, Name};
use crate::control::relate::{self, Ward as _};
use crate::control::watch::Stores;

use super::{Accounts, objects};

/// Of each account and state how many there are, and since when the oldest is in it.
pub type Migrations = BTreeMap<(String, &'static str), (usize, Moment)>;

/// A zone that leaves a load balancer: service, endpoint, zone.
type Leg = (Name, String, Option<String>);

/// In which state a leg is since when, where the status says so.
type Dated = Option<(&'static str, Moment)>;

/// What no status dates: since when legs have been seen to move, as far as scrapes have shown it.
#[derive(Debug, Default)]
pub struct Seen(Mutex<BTreeMap<Leg, Moment>>);

/// What is moving, drains, is still open after that, or waits for a person.
pub fn open(stores: &Stores, accounts: &Accounts, seen: &Seen, now: Moment) -> Migrations {
    let assigned = Stores::each(&stores.assignments, |assignment| {
        let (account, status) = (accounts.get(&assignment.service())?.clone(), assignment.status.as_ref()?);
        let record = status.migration.as_ref().filter(|record| record.completed_at.is_none())?;
        let awaits = objects::reason(&status.common) == Some(Reason::DrainApprovalNeeded);
        let (state, since) = of_record(record, awaits, now);
        Some((account, state, since))
    });
    let moving: BTreeMap<Leg, (String, Dated)> = Stores::each(&stores.services, |service| {
        let account = relate::account_of(&service.spec.placement);
        Some(legs(service).map(|(leg, one)| (leg, (account.to_owned(), dated(one, now)))).collect::<Vec<_>>())
    })
    .into_iter()
    .flatten()
    .collect();
    let mut known = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|leg, _| moving.get(leg).is_some_and(|(_, dated)| dated.is_none()));
    let evacuated = moving.into_iter().map(|(leg, (account, dated))| {
        let (state, since) = dated.unwrap_or_else(|| ("moving", *known.entry(leg).or_insert(now)));
        (account, state, since)
    });
    let mut all = Migrations::new();
    for (account, state, since) in assigned.into_iter().chain(evacuated) {
        let (count, oldest) = all.entry((account, state)).or_insert((0, since));
        *count += 1;
        *oldest = (*oldest).min(since);
    }
    all
}

fn of_record(record: &MigrationRecord, awaits: bool, now: Moment) -> (&'static str, Moment) {
    let Some(migrated) = &record.migrated_at else { return ("moving", moment(record.started_at.0)) };
    let drained = record.drain_until.as_ref().map(|until| moment(until.0));
    drains(moment(migrated.0), drained, awaits, now)
}

fn legs(service: &EndpointService) -> impl Iterator<Item = (Leg, &LegInFlight)> {
    let evacuations = service.status.iter().flat_map(|status| &status.evacuation);
    evacuations.flat_map(|from| {
        from.in_flight.iter().map(|one| {
            let zone = one.zone.clone().or_else(|| from.zone.clone());
            ((context::name(service), one.endpoint_id.clone(), zone), one)
        })
    })
}

fn dated(one: &LegInFlight, now: Moment) -> Dated {
    let migrated = moment(one.migrated_at.as_ref()?.0);
    Some(drains(migrated, one.drain_until.as_ref().map(|until| moment(until.0)), false, now))
}

fn drains(migrated: Moment, until: Option<Moment>, awaits: bool, now: Moment) -> (&'static str, Moment) {
    match until {
        Some(_) if awaits => ("awaiting_approval", migrated),
        Some(until) if until <= now => ("overdue", until),
        Some(_) => ("draining", migrated),
        // Without an end it drains until a person agrees.
        None => ("awaiting_approval", migrated),
    }
}
