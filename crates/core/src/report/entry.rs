//! The status of a whitelist entry: what was planned and what is seen, in one value.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::ConditionType;
use crate::desired::Policy;
use crate::id::EndpointId;
use crate::limit;
use crate::plan::entry::decide::{self, Decided};
use crate::plan::entry::{Input, Scene, ended};
use crate::plan::outcome::Stand;
use crate::plan::{Plan, Truth};
use crate::report::{bounded, common};
use crate::state::{ClaimState, ConnectionState, Decision};
use crate::status::{Counts, EntryConnection, EntryStatus};

/// The status after this turn. What was not looked at keeps its last word.
#[must_use]
pub fn report(input: &Input<'_>, plan: &Plan) -> EntryStatus {
    let mut status = input.status.clone();
    status.common = common(&input.status.common, input.desired.generation, plan, input.ground.tries, input.ground.now);
    if plan.says(ConditionType::ConnectionsSettled, Truth::True) {
        status.common.declared_fields = input.desired.declared_fields();
    } else if !plan.sayings.is_empty() {
        status.common.declared_fields.extend(input.desired.declared_fields());
    }
    status.claim = claim(input).or(status.claim);
    if status.claim == Some(ClaimState::Waiting) {
        // What another entry decides on is told there.
        return EntryStatus { common: status.common, claim: status.claim, ..EntryStatus::default() };
    }
    let Some(scene) = Scene::of(input).filter(Scene::holds) else { return status };
    status.allowed = scene.is_listed().or(status.allowed);
    if scene.view.connections.value().is_some() {
        describe(&mut status, &scene, plan);
    }
    status
}

/// The endpoints of which `after` says, and `before` did not, that someone else has cut their connection: an Event for
/// each.
pub fn newly_held<'s>(before: &'s EntryStatus, after: &'s EntryStatus) -> impl Iterator<Item = &'s EndpointId> {
    after.held.difference(&before.held)
}

fn claim(input: &Input<'_>) -> Option<ClaimState> {
    let holder = input.claims.holder(&input.desired.principal.whom())?;
    Some(if holder.uid == input.desired.uid { ClaimState::Held } else { ClaimState::Waiting })
}

fn describe(status: &mut EntryStatus, scene: &Scene<'_>, plan: &Plan) {
    let ends = ended(scene.input);
    let refused = plan.sayings.iter().find(|one| one.condition == ConditionType::Valid && one.truth == Truth::False);
    let has_decided = plan.sayings.iter().any(|saying| saying.condition == ConditionType::ConnectionsSettled);
    let decided = match refused {
        Some(refused) if !ends => decide::none(scene, &format!("the entry cannot be acted on: {}", refused.message)),
        _ if !has_decided => decide::kept(scene, &undecided(plan)),
        _ if ends => scene.revoked(),
        _ => decide::all(scene),
    };
    // Where nothing was decided, because the service is paused for instance, nothing is forgotten.
    if has_decided {
        let connections: Vec<_> = decided.iter().map(|one| one.connection).collect();
        status.reconnect = match scene.input.desired.policy {
            Policy::Accept(_) if !ends => decide::reconnect(scene, &connections),
            _ => BTreeSet::new(),
        };
    }
    status.counts = Some(counts(&decided));
    let held = decided.iter().filter(|one| one.decision == Decision::Held);
    status.held = held.map(|one| one.connection.endpoint.clone()).take(most(limit::HELD)).collect();
    status.truncated = decided.len() > most(limit::STATUS_CONNECTIONS);
    status.connections = shown(status, scene, &decided);
}

/// Why nothing was decided in this turn.
fn undecided(plan: &Plan) -> String {
    let ready = plan.sayings.iter().find(|one| one.condition == ConditionType::Ready);
    let why = ready.map_or("the cloud has to be read first", |ready| ready.message.as_str());
    format!("nothing is decided on it: {why}")
}

/// Those that are not as declared, or wait, come first, as many as a status holds; of these the oldest, since the time
/// that each was first seen decides on free places and is remembered here alone.
fn shown(status: &EntryStatus, scene: &Scene<'_>, decided: &[Decided<'_>]) -> Vec<EntryConnection> {
    let known: BTreeMap<&EndpointId, _> = status.connections.iter().map(|one| (&one.endpoint, one.since)).collect();
    let now = scene.input.ground.now.whole_second();
    let mut order: Vec<&Decided<'_>> = decided.iter().collect();
    let since = |one: &Decided<'_>| known.get(&one.connection.endpoint).copied().unwrap_or(now);
    let is_done = |one: &Decided<'_>| one.stand == Stand::Settled && one.decision != Decision::Wait;
    order.sort_by_key(|one| (is_done(one), since(one), &one.connection.endpoint));
    let told = |one: &Decided<'_>| {
        let connection = one.connection;
        let zones = connection.zones.iter().take(most(limit::STATUS_ZONES));
        EntryConnection {
            endpoint: connection.endpoint.clone(),
            vpc: connection.vpc.clone(),
            state: connection.state.clone(),
            bandwidth_mbps: connection.bandwidth_mbps,
            since: since(one),
            decision: one.decision.clone(),
            reason: bounded(&one.reason),
            zones: zones.map(|(zone, leg)| (zone.clone(), leg.clone())).collect(),
        }
    };
    order.into_iter().take(most(limit::STATUS_CONNECTIONS)).map(told).collect()
}

fn counts(decided: &[Decided<'_>]) -> Counts {
    let mut counts = Counts::default();
    for one in decided {
        counts.total += 1;
        match (&one.decision, &one.connection.state) {
            (Decision::Held, _) => counts.held += 1,
            (_, ConnectionState::Connected | ConnectionState::Modifying) => counts.connected += 1,
            (_, ConnectionState::AwaitingAcceptance) => counts.awaiting += 1,
            _ => counts.other += 1,
        }
    }
    counts
}

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
