//! The status of an endpoint service: what was planned and what is seen, in one value.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::ConditionType;
use crate::id::{EndpointId, ServiceId};
use crate::limit;
use crate::observed::{Connection, Resource, ResourceKey, ServiceView};
use crate::plan::service::Input;
use crate::plan::{Next, Plan, Truth};
use crate::report::common;
use crate::state::{ConnectionState, ResourceState};
use crate::status::{Counts, Leaving, ServiceStatus, Unclaimed};

/// The status after this turn. What was not looked at keeps its last word.
#[must_use]
pub fn report(input: &Input<'_>, plan: &Plan) -> ServiceStatus {
    let mut status = input.status.clone();
    let desired = input.desired;
    status.common = common(&input.status.common, desired.generation, plan, input.tries, input.now);
    if !plan.sayings.is_empty() {
        status.common.declared_fields = declared(input, plan);
    }
    if let Some(pin) = &plan.pin {
        status.account = Some(pin.account.clone());
        status.region = Some(pin.region.clone());
        if pin.incarnation != status.incarnation {
            forget_lost(&mut status);
        }
        status.incarnation = pin.incarnation;
        status.creating.clone_from(&pin.creating);
    }
    let id = plan.identity.clone().or_else(|| status.service_id.clone());
    if let Some(id) = id {
        status.account.get_or_insert_with(|| input.place.account.clone());
        status.region.get_or_insert_with(|| input.place.region.clone());
        status.creating = None;
        if let Some(view) = input.laid.snapshot.service(&id) {
            describe(&mut status, input, view);
        }
        status.service_id = Some(id);
    }
    status.blocked_by = blocked_by(input, status.service_id.as_ref());
    status
}

/// Everything that spoke of the lost service.
fn forget_lost(status: &mut ServiceStatus) {
    let kept = ServiceStatus {
        common: status.common.clone(),
        account: status.account.clone(),
        region: status.region.clone(),
        incarnation: status.incarnation,
        ..ServiceStatus::default()
    };
    *status = kept;
}

/// The fields that are declared, and those that were and have not been returned to the cloud's default yet.
fn declared(input: &Input<'_>, plan: &Plan) -> BTreeSet<String> {
    let declared = input.desired.declared_fields();
    let done = plan.steps.is_empty()
        && plan.looks.is_empty()
        && matches!(plan.next, Next::Settled | Next::Others)
        && plan.says(ConditionType::Provisioned, Truth::True);
    if done { declared } else { declared.union(&input.status.common.declared_fields).cloned().collect() }
}

fn describe(status: &mut ServiceStatus, input: &Input<'_>, view: &ServiceView) {
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
        let leaves = |key: &ResourceKey, one: &Resource| {
            !input.desired.resources.contains_key(key) && one.connections + one.deprecated_connections > 0
        };
        status.leaving = held
            .iter()
            .filter(|(key, one)| !input.desired.resources.is_empty() && leaves(key, one))
            .map(|(key, one)| Leaving {
                resource: key.clone(),
                remaining: one.connections + one.deprecated_connections,
            })
            .collect();
    }
    if let Some(connections) = view.connections.value() {
        status.counts = Some(counts(connections));
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

fn counts(connections: &[Connection]) -> Counts {
    let mut counts = Counts::default();
    for connection in connections {
        counts.total += 1;
        match connection.state {
            ConnectionState::Connected | ConnectionState::Modifying => counts.connected += 1,
            ConnectionState::AwaitingAcceptance => counts.awaiting += 1,
            _ => counts.other += 1,
        }
    }
    counts
}

/// Connections that no entry decides on, those that wait first; each keeps the time at which it was first seen.
fn unclaimed(input: &Input<'_>, connections: &[Connection]) -> Vec<Unclaimed> {
    let known: BTreeMap<&EndpointId, &Unclaimed> =
        input.status.unclaimed.iter().map(|one| (&one.endpoint, one)).collect();
    let mut found: Vec<Unclaimed> = connections
        .iter()
        .filter(|connection| connection.owner.as_ref().is_none_or(|owner| !input.principals.contains(owner.as_str())))
        .map(|connection| Unclaimed {
            endpoint: connection.endpoint.clone(),
            owner: connection.owner.clone(),
            vpc: connection.vpc.clone(),
            state: connection.state.clone(),
            since: known.get(&connection.endpoint).map_or_else(|| input.now.whole_second(), |one| one.since),
            reason: match &connection.owner {
                Some(owner) => format!("no WhitelistEntry of this service names account {owner}"),
                None => "the cloud does not say whose it is".to_owned(),
            },
        })
        .collect();
    found.sort_by(|a, b| {
        let waits = |one: &Unclaimed| one.state != ConnectionState::AwaitingAcceptance;
        (waits(a), a.since, &a.endpoint).cmp(&(waits(b), b.since, &b.endpoint))
    });
    found.truncate(usize::try_from(limit::UNCLAIMED).unwrap_or(usize::MAX));
    found
}

fn blocked_by(input: &Input<'_>, id: Option<&ServiceId>) -> Option<(Vec<EndpointId>, u32)> {
    if !input.desired.deleting {
        return None;
    }
    let connections = input.laid.snapshot.service(id?)?.connections.value()?;
    let live: Vec<EndpointId> =
        connections.iter().filter(|one| one.is_live()).map(|one| one.endpoint.clone()).collect();
    let total = u32::try_from(live.len()).unwrap_or(u32::MAX);
    let most = usize::try_from(limit::BLOCKERS).unwrap_or(usize::MAX);
    (total > 0).then(|| (live.into_iter().take(most).collect(), total))
}
