//! The status of an endpoint service: what was planned and what is seen, in one value.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::desired::Management;
use crate::id::{CloudId, EndpointId, ServiceId};
use crate::limit;
use crate::moment::Moment;
use crate::observed::{Connection, Resource, ResourceKey, ServiceView};
use crate::plan::Plan;
use crate::plan::service::{Input, exits};
use crate::report::{common_of, made, pinned};
use crate::state::{ConnectionState, ResourceState};
use crate::status::{Counts, ServiceStatus, Unclaimed};

/// The status after this turn. What was not looked at keeps its last word.
#[must_use]
pub fn report(input: &Input<'_>, plan: &Plan) -> ServiceStatus {
    let mut status = input.status.clone();
    status.common = common_of(input, plan);
    if let Some(pin) = &plan.pin
        && pinned(&mut status.creation, pin)
    {
        // Everything that spoke of the lost service.
        status = ServiceStatus { common: status.common, creation: status.creation, ..ServiceStatus::default() };
    }
    let found = match &plan.identity {
        Some(CloudId::Service(id)) => Some(id.clone()),
        _ => None,
    };
    if let Some(id) = found.or_else(|| status.service_id.clone()) {
        made(&mut status.creation, input.ground.place);
        if let Some(view) = input.ground.laid.snapshot.service(&id) {
            describe(&mut status, input, &id, view);
        }
        status.service_id = Some(id);
    }
    status.blocked_by = blocked_by(input, status.service_id.as_ref());
    status
}

fn describe(status: &mut ServiceStatus, input: &Input<'_>, id: &ServiceId, view: &ServiceView) {
    if let Some(Some(service)) = view.service.value() {
        status.service_name = Some(service.name.clone());
        status.service_domain.clone_from(&service.domain);
        status.state = Some(service.state.clone());
        status.cloud_state = Some(service.cloud_state.clone());
        status.bandwidth_mbps = service.bandwidth_mbps;
    }
    if let Some(held) = view.resources.value() {
        status.zones = held.keys().map(|key| key.zone.clone()).collect();
        status.resources = resources(input, held);
        status.leaving = exits::rows(input, id);
    }
    if let Some(connections) = view.connections.value() {
        status.counts = Some(counts(input, connections));
        status.unclaimed = unclaimed(input, connections);
    }
}

fn resources(input: &Input<'_>, held: &BTreeMap<ResourceKey, Resource>) -> Vec<(ResourceKey, Resource, ResourceState)> {
    let state = |key: &ResourceKey, one: &Resource| {
        let declared = input.desired.resources.is_empty() || input.desired.resources.contains_key(key);
        match (declared, one.connections + one.deprecated_connections) {
            (true, _) => ResourceState::Attached,
            (false, 0) => ResourceState::Detaching,
            (false, _) => ResourceState::Evacuating,
        }
    };
    let most = usize::try_from(limit::RESOURCES).unwrap_or(usize::MAX);
    held.iter().take(most).map(|(key, one)| (key.clone(), *one, state(key, one))).collect()
}

fn counts(input: &Input<'_>, connections: &[Connection]) -> Counts {
    let mut counts = Counts::default();
    for connection in connections {
        counts.total += 1;
        match connection.state {
            ConnectionState::Connected | ConnectionState::Modifying => counts.connected += 1,
            ConnectionState::AwaitingAcceptance => counts.awaiting += 1,
            _ if input.claims.is_held(&connection.endpoint) => counts.held += 1,
            _ => counts.other += 1,
        }
    }
    counts
}

/// How long an unclaimed connection waits before that is told.
pub const LONG_WAIT: Duration = Duration::from_hours(1);
/// What is told then.
const WAITED: &str = "; it has waited for more than an hour";

/// Connections that no entry decides on, those that wait first; each keeps the time at which it was first seen.
fn unclaimed(input: &Input<'_>, connections: &[Connection]) -> Vec<Unclaimed> {
    let known: BTreeMap<&EndpointId, &Unclaimed> =
        input.status.unclaimed.iter().map(|one| (&one.endpoint, one)).collect();
    let now = input.ground.now;
    let mut found: Vec<Unclaimed> = connections
        .iter()
        .filter_map(|connection| {
            let mut reason = undecided(input, connection)?;
            let since = known.get(&connection.endpoint).map_or_else(|| now.whole_second(), |one| one.since);
            if waits_long(&connection.state, since, now) {
                reason.push_str(WAITED);
            }
            Some(Unclaimed {
                endpoint: connection.endpoint.clone(),
                owner: connection.owner.clone(),
                vpc: connection.vpc.clone(),
                state: connection.state.clone(),
                since,
                reason,
            })
        })
        .collect();
    found.sort_by(|a, b| {
        let waits = |one: &Unclaimed| one.state != ConnectionState::AwaitingAcceptance;
        (waits(a), a.since, &a.endpoint).cmp(&(waits(b), b.since, &b.endpoint))
    });
    found.truncate(usize::try_from(limit::UNCLAIMED).unwrap_or(usize::MAX));
    found
}

/// Why nobody decides on a connection; nothing, if somebody does.
fn undecided(input: &Input<'_>, connection: &Connection) -> Option<String> {
    let common = &input.desired.common;
    if common.management == Management::Observe {
        return Some("the EndpointService is only observed: set managementPolicy: Manage".to_owned());
    }
    if common.annotations.paused {
        return Some("the EndpointService is paused".to_owned());
    }
    if common.deleting {
        return Some("the EndpointService is being deleted, and accepts nothing".to_owned());
    }
    input.claims.undecided(connection.owner.as_ref())
}

/// A connection in this state, of those that no entry decides on and first seen `since`, has waited for long.
#[must_use]
pub fn waits_long(state: &ConnectionState, since: Moment, now: Moment) -> bool {
    *state == ConnectionState::AwaitingAcceptance && now.since(since) >= LONG_WAIT
}

/// The unclaimed connections of which `after` says, and `before` did not, that they have waited for long: an Event for
/// each.
pub fn newly_long<'s>(before: &'s ServiceStatus, after: &'s ServiceStatus) -> impl Iterator<Item = &'s Unclaimed> {
    let told = |one: &Unclaimed| one.reason.ends_with(WAITED);
    let known: BTreeSet<&EndpointId> =
        before.unclaimed.iter().filter(|one| told(one)).map(|one| &one.endpoint).collect();
    after.unclaimed.iter().filter(move |one| told(one) && !known.contains(&one.endpoint))
}

/// When the next of the unclaimed connections that `status` shows will have waited for long: the service is looked at
/// again then.
#[must_use]
pub fn next_long(status: &ServiceStatus, now: Moment) -> Option<Moment> {
    let waiting = status.unclaimed.iter().filter(|one| one.state == ConnectionState::AwaitingAcceptance);
    waiting.map(|one| one.since + LONG_WAIT).filter(|due| *due > now).min()
}

fn blocked_by(input: &Input<'_>, id: Option<&ServiceId>) -> Option<(Vec<EndpointId>, u32)> {
    if !input.desired.common.deleting {
        return None;
    }
    let connections = input.ground.laid.snapshot.service(id?)?.connections.value()?;
    let live: Vec<EndpointId> =
        connections.iter().filter(|one| one.is_live()).map(|one| one.endpoint.clone()).collect();
    let total = u32::try_from(live.len()).unwrap_or(u32::MAX);
    let most = usize::try_from(limit::BLOCKERS).unwrap_or(usize::MAX);
    (total > 0).then(|| (live.into_iter().take(most).collect(), total))
}
