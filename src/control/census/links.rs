//! Links that are declared, have been refused or cut, and carry nothing, or not in every zone.

use std::collections::BTreeMap;

use privatelink_core::condition::Reason;
use privatelink_core::state::{ClaimState, ConnectionState, ZoneState};

use crate::api::endpoint::EndpointStatus;
use crate::api::zone::ZoneResourceAssignmentStatus;
use crate::control::relate::{self, Ward as _};
use crate::control::watch::Stores;

use super::{Accounts, objects};

/// Objects that declare a link which is down, by `CloudAccount` and kind.
pub fn down(stores: &Stores, accounts: &Accounts) -> BTreeMap<(String, &'static str), usize> {
    let endpoints = Stores::each(&stores.endpoints, |endpoint| {
        let lives = endpoint.metadata.deletion_timestamp.is_none();
        let down = lives && endpoint.status.as_ref().is_some_and(endpoint_is_down);
        Some((relate::account_of(&endpoint.spec.placement).to_owned(), "Endpoint", down))
    });
    let assignments = Stores::each(&stores.assignments, |assignment| {
        let wanted = assignment.metadata.deletion_timestamp.is_none() && assignment.spec.connected != Some(false);
        let down = wanted && assignment.status.as_ref().is_some_and(zone_is_down);
        Some((accounts.get(&assignment.service())?.clone(), "ZoneResourceAssignment", down))
    });
    let mut sums = BTreeMap::new();
    for (account, kind, down) in endpoints.into_iter().chain(assignments) {
        *sums.entry((account, kind)).or_default() += usize::from(down);
    }
    sums
}

/// What has never been accepted is not down: somebody waits for somebody.
fn endpoint_is_down(status: &EndpointStatus) -> bool {
    let cut = matches!(
        status.connection,
        Some(
            ConnectionState::Disconnecting
                | ConnectionState::Disconnected
                | ConnectionState::Rejected
                | ConnectionState::Failed
                | ConnectionState::Expired
                | ConnectionState::ServiceDeleted
        )
    );
    let in_part = status.connection == Some(ConnectionState::Connected)
        && status.zones.iter().any(|zone| zone.state.as_ref().is_some_and(is_cut));
    cut || in_part || objects::reason(&status.common) == Some(Reason::ExternallyDeleted)
}

fn zone_is_down(status: &ZoneResourceAssignmentStatus) -> bool {
    // Where another assignment decides, that one tells.
    status.claim != Some(ClaimState::Waiting) && status.state.as_ref().is_some_and(is_cut)
}

const fn is_cut(state: &ZoneState) -> bool {
    matches!(state, ZoneState::Disconnecting | ZoneState::Disconnected)
}
