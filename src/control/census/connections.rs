//! Connections, as the statuses of services and of their entries tell of them, by `CloudAccount`.

use std::collections::BTreeMap;

use privatelink_core::moment::Moment;
use privatelink_core::report::service::waits_long;
use privatelink_core::state::ConnectionState;

use crate::api::parse::moment;
use crate::control::relate::{self, Ward as _};
use crate::control::watch::Stores;

use super::{Accounts, summed};

/// Connections by account and what they are doing.
pub fn by_state(stores: &Stores) -> BTreeMap<(String, &'static str), usize> {
    let mut sums = BTreeMap::new();
    for (account, counts) in Stores::each(&stores.services, |service| {
        Some((relate::account_of(&service.spec.placement).to_owned(), service.status.as_ref()?.connection_counts?))
    }) {
        let states = [
            ("connected", counts.connected),
            ("awaiting", counts.awaiting),
            ("held", counts.held),
            ("other", counts.other),
        ];
        for (state, count) in states {
            *sums.entry((account.clone(), state)).or_default() += usize::try_from(count).unwrap_or(usize::MAX);
        }
    }
    sums
}

/// Since when the connection has waited to be accepted that has waited the longest, where one does.
pub fn pending_since(stores: &Stores, accounts: &Accounts) -> BTreeMap<String, Moment> {
    let unclaimed = Stores::each(&stores.services, |service| {
        let waiting = service.status.as_ref()?.unclaimed.iter().filter(|one| awaits(&one.state));
        let since = waiting.filter_map(|one| one.since.as_ref()).map(|since| moment(since.0)).min()?;
        Some((relate::account_of(&service.spec.placement).to_owned(), since))
    });
    let claimed = Stores::each(&stores.entries, |entry| {
        let waiting = entry.status.as_ref()?.connections.iter().filter(|one| awaits(&one.state));
        let since = waiting.filter_map(|one| one.since.as_ref()).map(|since| moment(since.0)).min()?;
        Some((accounts.get(&entry.service())?.clone(), since))
    });
    super::earliest(unclaimed.into_iter().chain(claimed))
}

fn awaits(state: &ConnectionState) -> bool {
    *state == ConnectionState::AwaitingAcceptance
}

/// Connections that nobody decides on and that have waited for long.
pub fn undecided(stores: &Stores, now: Moment) -> BTreeMap<String, usize> {
    let waiting = Stores::each(&stores.services, |service| {
        let unclaimed = &service.status.as_ref()?.unclaimed;
        let since = |one: &crate::api::service::UnclaimedConnection| {
            one.since.as_ref().is_some_and(|since| waits_long(&one.state, moment(since.0), now))
        };
        let count = unclaimed.iter().filter(|one| since(one)).count();
        Some((relate::account_of(&service.spec.placement).to_owned(), count))
    });
    summed(waiting)
}

/// Connections that someone else has cut, and that are left so.
pub fn held(stores: &Stores, accounts: &Accounts) -> BTreeMap<String, usize> {
    summed(Stores::each(&stores.entries, |entry| {
        Some((accounts.get(&entry.service())?.clone(), entry.status.as_ref()?.held.len()))
    }))
}
