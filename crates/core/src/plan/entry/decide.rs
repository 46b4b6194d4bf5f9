//! What is decided on each of a principal's connections, and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::Pin;
use crate::condition::{ConditionType, Reason};
use crate::desired::{Acceptance, Allocation, BANDWIDTH, Policy};
use crate::error::Meaning;
use crate::id::{EndpointId, ResourceId, Zone};
use crate::limit;
use crate::moment::Moment;
use crate::observed::{Connection, ResourceKind, TrafficControl, ZoneLeg};
use crate::plan::entry::Scene;
use crate::plan::outcome::Stand;
use crate::principal::Whom;
use crate::state::{ConnectionState, Decision, ZoneState};
use crate::step::{Part, Step, Traffic};

/// A bandwidth that was declared once returns to this where the service says none of its own.
const CLOUD_DEFAULT_BANDWIDTH_MBPS: u32 = 3_072;

/// What was decided on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decided<'a> {
    pub(crate) connection: &'a Connection,
    /// When it was first seen.
    pub(crate) since: Moment,
    pub(crate) decision: Decision,
    pub(crate) stand: Stand,
    /// Why, for a person.
    pub(crate) reason: String,
}

/// The connections that the entry, which holds its principal, decides on.
pub(crate) fn own<'a>(scene: &Scene<'a>) -> Vec<&'a Connection> {
    let claims = scene.input.claims;
    let all = scene.view.connections.value().into_iter().flatten();
    match scene.input.desired.principal.whom() {
        Whom::Account(account) => all.filter(|one| one.owner.as_ref() == Some(&account)).collect(),
        // Everybody else's.
        Whom::Everybody => all
            .filter(|one| claims.decider(one.owner.as_ref()).is_some_and(|one| one.uid == scene.input.desired.uid))
            .collect(),
        Whom::Part(..) | Whom::Unknown(_) => Vec::new(),
    }
}

/// Nothing is decided on any of them, and why.
pub(crate) fn none<'a>(scene: &Scene<'a>, why: &str) -> Vec<Decided<'a>> {
    let since = Moment::default();
    own(scene)
        .into_iter()
        .map(|connection| {
            let (decision, stand, reason) = left(why);
            Decided { connection, since, decision, stand, reason }
        })
        .collect()
}

/// What was decided on each of them last, in a turn that decides nothing: as far as the status knows, and else why.
pub(crate) fn kept<'a>(scene: &Scene<'a>, why: &str) -> Vec<Decided<'a>> {
    let status = scene.input.status;
    let known: BTreeMap<_, _> = status.connections.iter().map(|one| (&one.endpoint, one)).collect();
    let mut all = none(scene, why);
    for one in &mut all {
        let endpoint = &one.connection.endpoint;
        if let Some(last) = known.get(endpoint) {
            (one.decision, one.reason) = (last.decision.clone(), last.reason.clone());
        } else if status.held.contains(endpoint) {
            one.decision = Decision::Held;
        }
    }
    all
}

/// What is decided on each of them while the entry is live.
pub(crate) fn all<'a>(scene: &Scene<'a>) -> Vec<Decided<'a>> {
    let connections = own(scene);
    let known: BTreeMap<&EndpointId, Moment> =
        scene.input.status.connections.iter().map(|one| (&one.endpoint, one.since)).collect();
    let reconnect = reconnect(scene, &connections);
    let since = |one: &Connection| known.get(&one.endpoint).copied().unwrap_or(scene.input.ground.now.whole_second());
    let mut decided: Vec<Decided<'a>> = connections
        .into_iter()
        .map(|connection| {
            let (decision, stand, reason) = match &scene.input.desired.policy {
                Policy::Leave => left("connections.action is Leave"),
                Policy::Reject => reject(scene, connection),
                Policy::Accept(acceptance) => accept(scene, acceptance, connection, &reconnect),
            };
            Decided { connection, since: since(connection), decision, stand, reason }
        })
        .collect();
    if let Policy::Accept(Acceptance { max: Some(max), .. }) = scene.input.desired.policy {
        within(scene, max, &mut decided);
    }
    decided
}

type Verdict = (Decision, Stand, String);

fn left(reason: &str) -> Verdict {
    (Decision::Leave, Stand::Settled, reason.to_owned())
}

/// The endpoints whose connection was cut before the entry asked for it anew: since its spec was changed, or since a
/// person asked. Any other that is cut was cut by someone else's hand.
pub(crate) fn reconnect(scene: &Scene<'_>, connections: &[&Connection]) -> BTreeSet<EndpointId> {
    let (desired, status) = (scene.input.desired, scene.input.status);
    if !matches!(desired.policy, Policy::Accept(_)) {
        return BTreeSet::new();
    }
    let settled = |one: &&crate::status::Condition| one.condition == ConditionType::ConnectionsSettled;
    let decided = status.common.conditions.iter().find(settled).map(|one| one.generation);
    let anew = desired.asked || decided.is_some_and(|generation| generation < desired.generation);
    let due = |one: &&&Connection| {
        let known = anew || status.reconnect.contains(&one.endpoint);
        known && (is_cut(&one.state) || unconfirmed(scene, &one.endpoint).is_some() && !anew)
    };
    let most = usize::try_from(limit::HELD).unwrap_or(usize::MAX);
    connections.iter().filter(due).map(|one| one.endpoint.clone()).take(most).collect()
}

const fn is_cut(state: &ConnectionState) -> bool {
    matches!(state, ConnectionState::Disconnected | ConnectionState::Rejected | ConnectionState::Disconnecting)
}

/// Since when a read confirms what we did to the connection, or to a zone that no assignment decides on, where none
/// has yet.
pub(crate) fn unconfirmed(scene: &Scene<'_>, endpoint: &EndpointId) -> Option<Moment> {
    unconfirmed_parts(scene, endpoint, |zone| scene.pin(endpoint, zone).is_none())
}

fn unconfirmed_parts(scene: &Scene<'_>, endpoint: &EndpointId, counts: impl Fn(&Zone) -> bool) -> Option<Moment> {
    let of_it = |part: &Part| match part {
        Part::Connection(id, one) => *id == scene.parent.id && one == endpoint,
        Part::Leg(id, one, zone) => *id == scene.parent.id && one == endpoint && counts(zone),
        Part::Principal(..) => false,
    };
    let parts = &scene.input.ground.laid.unconfirmed_parts;
    parts.iter().filter(|(part, _)| of_it(part)).map(|(_, since)| *since).max()
}

/// Cutting or refusing, until it is neither connected nor waits.
pub(super) fn reject(scene: &Scene<'_>, one: &Connection) -> Verdict {
    let (id, endpoint) = (&scene.parent.id, &one.endpoint);
    let verdict = |stand, reason: &str| (Decision::Reject, stand, reason.to_owned());
    let is_changing = unconfirmed_parts(scene, endpoint, |_| true).is_some();
    if is_changing || one.zones.values().any(ZoneLeg::is_moving) {
        return verdict(Stand::Moves, "it is cut once the cloud has stopped changing it");
    }
    let needs_cut = match one.state {
        ConnectionState::Connected => true,
        ConnectionState::AwaitingAcceptance => !scene.input.ground.tries.has_rejected(endpoint),
        _ => false,
    };
    if needs_cut && let Some(why) = scene.unapproved() {
        return verdict(Stand::Waits(Reason::AdoptionApprovalNeeded), &why);
    }
    let cut = || Stand::needs(Step::RejectConnection(id.clone(), endpoint.clone()));
    match one.state {
        ConnectionState::Connected => verdict(cut(), "it is being cut"),
        ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting => {
            verdict(Stand::Moves, "it is cut once the cloud has stopped changing it")
        }
        ConnectionState::AwaitingAcceptance if needs_cut => verdict(cut(), "it is being refused"),
        ConnectionState::Unknown(_) => {
            verdict(Stand::Waits(Reason::UnexpectedError), "it is in a state that this version does not know")
        }
        _ => verdict(Stand::Settled, "it is refused"),
    }
}

fn accept(scene: &Scene<'_>, acceptance: &Acceptance, one: &Connection, reconnect: &BTreeSet<EndpointId>) -> Verdict {
    let endpoint = &one.endpoint;
    if unconfirmed(scene, endpoint).is_some() {
        return (Decision::Accept, Stand::Moves, "what was done is being confirmed".to_owned());
    }
    match &one.state {
        ConnectionState::Connected => undisturbed(scene, one, connected(scene, acceptance, one)),
        ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting => {
            (Decision::Accept, Stand::Moves, "the cloud is changing it".to_owned())
        }
        ConnectionState::Disconnected | ConnectionState::Rejected
            if !reconnect.contains(endpoint) && filtered(acceptance, one).is_none() =>
        (
            Decision::Held,
            Stand::Person(Reason::DisconnectedOutside),
            "someone else has cut it: change this entry, or set the annotation privatelink.dev/reconcile-requested-at to a new value, to connect it again".to_owned(),
        ),
        ConnectionState::AwaitingAcceptance | ConnectionState::Disconnected | ConnectionState::Rejected => {
            disconnected(scene, acceptance, one)
        }
        ConnectionState::Deleting => left("the consumer deletes its endpoint"),
        ConnectionState::ServiceDeleted => left("its service is gone"),
        ConnectionState::Failed => left("the cloud could not set it up: the consumer has to make its endpoint again"),
        ConnectionState::Expired => left("nobody accepted it in time: the consumer has to make its endpoint again"),
        ConnectionState::Unknown(word) => (
            Decision::Leave,
            Stand::Waits(Reason::UnexpectedError),
            format!("it is in a state that this version does not know: {word}"),
        ),
    }
}

/// Why a connection is not one that the spec lets in.
fn filtered(acceptance: &Acceptance, one: &Connection) -> Option<String> {
    if acceptance.endpoints.as_ref().is_some_and(|all| !all.contains(&one.endpoint)) {
        return Some(format!("connections.endpointIds does not name {}", one.endpoint));
    }
    let vpcs = acceptance.vpcs.as_ref()?;
    match &one.vpc {
        Some(vpc) if vpcs.contains(vpc) => None,
        Some(vpc) => Some(format!("connections.vpcIds does not name {vpc}")),
        None => Some("connections.vpcIds is set, and the cloud does not say where it comes from".to_owned()),
    }
}

/// Accepting, once all is there that it takes.
fn disconnected(scene: &Scene<'_>, acceptance: &Acceptance, one: &Connection) -> Verdict {
    if scene.parent.deleting {
        return left("the service is being deleted, and nothing is accepted on it any more");
    }
    if let Some(why) = filtered(acceptance, one) {
        return left(&why);
    }
    let wait = |stand, reason: String| (Decision::Wait, stand, reason);
    if one.zones.values().any(ZoneLeg::is_moving) {
        return wait(Stand::Moves, "the cloud is changing its zones".to_owned());
    }
    if let Some(why) = unassigned(scene, acceptance, one) {
        return wait(Stand::Waits(Reason::WaitingForAssignment), why);
    }
    let missing: Vec<&str> = free_legs(scene, one)
        .filter(|(zone, leg)| !is_served(scene, one, zone, leg))
        .map(|(zone, _)| zone.as_str())
        .collect();
    if !missing.is_empty() {
        let why = format!(
            "the service has no load balancer with autoAllocate: true in {}: add one to spec.resources of the EndpointService",
            missing.join(", ")
        );
        return wait(Stand::Waits(Reason::NoResourceInZone), why);
    }
    let (id, endpoint) = (&scene.parent.id, &one.endpoint);
    let step = Step::AcceptConnection(id.clone(), endpoint.clone(), first_traffic(scene, acceptance));
    // Where accepting alone picks no load balancers, the cloud picks one for each zone, and then it is accepted.
    let refused = scene.input.ground.tries.refusal(&step, scene.input.desired.generation, scene.input.ground.now);
    let for_want = refused.is_some_and(|refused| refused.failure.meaning == Meaning::Waiting(Reason::NoResourceInZone));
    let bare = for_want.then(|| free_legs(scene, one).find(|(_, leg)| leg.resource.is_none())).flatten();
    let step = match bare {
        Some((zone, _)) => Step::PickResource(id.clone(), endpoint.clone(), zone.clone()),
        None => step,
    };
    (Decision::Accept, Stand::needs(step), "it is being accepted".to_owned())
}

/// The zones that no assignment pins.
fn free_legs<'a>(scene: &Scene<'a>, one: &'a Connection) -> impl Iterator<Item = (&'a Zone, &'a ZoneLeg)> {
    let scene = *scene;
    one.zones.iter().filter(move |(zone, _)| scene.pin(&one.endpoint, zone).is_none())
}

/// What has to be assigned before the connection may be accepted.
fn unassigned(scene: &Scene<'_>, acceptance: &Acceptance, one: &Connection) -> Option<String> {
    let pin = |zone: &Zone| scene.pin(&one.endpoint, zone);
    let is_attached = |resource: &ResourceId| {
        let held = scene.view.resources.value();
        held.is_none_or(|held| held.keys().any(|key| key.id == *resource))
    };
    if acceptance.allocation == Allocation::Manual {
        let unpinned: Vec<&str> = free_legs(scene, one).map(|(zone, _)| zone.as_str()).collect();
        if !unpinned.is_empty() {
            return Some(format!(
                "connections.assignment is Manual, and no ZoneResourceAssignment of {} is for {}",
                one.endpoint,
                unpinned.join(", ")
            ));
        }
    }
    let open = |(zone, leg): (&Zone, &ZoneLeg)| -> Option<String> {
        let Pin { name, resource, .. } = pin(zone).filter(|pin| leg.resource.as_ref() != Some(&pin.resource))?;
        if !is_attached(resource) {
            return Some(format!(
                "ZoneResourceAssignment {name} is to assign {resource} to {zone}, which is not one of the load balancers of {}: correct or delete it",
                scene.parent.id
            ));
        }
        Some(format!("ZoneResourceAssignment {name} has not assigned {resource} to {zone} yet"))
    };
    let open: Vec<String> = one.zones.iter().filter_map(open).collect();
    (!open.is_empty()).then(|| open.join("; "))
}

/// The zone has a load balancer, or the cloud can give it one. Zones of another region are not the service's own:
/// any of its load balancers can serve them.
fn is_served(scene: &Scene<'_>, one: &Connection, zone: &Zone, leg: &ZoneLeg) -> bool {
    let afar = one.region.as_ref().is_some_and(|region| *region != scene.place().region);
    let held = scene.view.resources.value().into_iter().flatten();
    let mut held = held.filter(|(key, _)| afar || key.zone == *zone);
    // One that was assigned and detached since serves no more.
    held.any(|(key, resource)| resource.auto_allocate || leg.resource.as_ref() == Some(&key.id))
}

/// Nothing is asked of a connection while one of its zones moves; what is as declared stays so meanwhile. A zone that
/// migrates carries traffic, and whose business it is waits for it.
fn undisturbed(scene: &Scene<'_>, one: &Connection, verdict: Verdict) -> Verdict {
    let pinned = |zone: &Zone| scene.pin(&one.endpoint, zone).is_some();
    let free_moves =
        |(zone, leg): (&Zone, &ZoneLeg)| leg.is_moving() && leg.state != ZoneState::Migrating && !pinned(zone);
    let (decision, stand, reason) = verdict;
    if decision != Decision::Accept || scene.parent.deleting {
        return (decision, stand, reason);
    }
    let needs = matches!(stand, Stand::Needs(_));
    let moves =
        one.zones.values().any(ZoneLeg::is_moving) || unconfirmed_parts(scene, &one.endpoint, |_| true).is_some();
    if needs && moves || one.zones.iter().any(free_moves) {
        return (decision, Stand::Moves, "the cloud is changing its zones".to_owned());
    }
    (decision, stand, reason)
}

/// A connection that stands: its zones, then its traffic.
fn connected(scene: &Scene<'_>, acceptance: &Acceptance, one: &Connection) -> Verdict {
    let (id, endpoint) = (&scene.parent.id, &one.endpoint);
    if let Some(why) = filtered(acceptance, one) {
        return (Decision::Kept, Stand::Settled, format!("{why}; it is connected, and filters never cut"));
    }
    let verdict = |stand, reason: String| (Decision::Accept, stand, reason);
    if scene.parent.deleting {
        return verdict(Stand::Settled, "the service is being deleted, and nothing is changed on it".to_owned());
    }
    let down = |leg: &ZoneLeg| matches!(leg.state, ZoneState::Waiting | ZoneState::Disconnected);
    let mut unserved = Vec::new();
    let mut refused = None;
    for (zone, leg) in free_legs(scene, one).filter(|(_, leg)| down(leg)) {
        if !is_served(scene, one, zone, leg) {
            unserved.push(zone.as_str());
            continue;
        }
        let step = Step::ConnectZone(id.clone(), endpoint.clone(), zone.clone());
        // One zone that cannot be connected keeps no other from it.
        let held = scene.input.ground.tries.refusal(&step, scene.input.desired.generation, scene.input.ground.now);
        if held.is_none() {
            return verdict(Stand::needs(step), format!("{zone} is being connected"));
        }
        refused.get_or_insert((step, format!("{zone} is being connected")));
    }
    if let Some(change) = traffic_change(scene, acceptance, one) {
        let step = Step::SetTraffic(id.clone(), endpoint.clone(), change);
        return verdict(Stand::needs(step), "its bandwidth is being changed".to_owned());
    }
    if let Some((step, reason)) = refused {
        return verdict(Stand::needs(step), reason);
    }
    if unserved.is_empty() {
        return verdict(Stand::Settled, "it is connected".to_owned());
    }
    let why = format!(
        "it is connected, but not in {}: add a load balancer with autoAllocate: true there to spec.resources of the EndpointService",
        unserved.join(", ")
    );
    verdict(Stand::Waits(Reason::NoResourceInZone), why)
}

/// What is said of traffic when a connection is accepted: one that was cut keeps what it had.
fn first_traffic(scene: &Scene<'_>, acceptance: &Acceptance) -> Traffic {
    Traffic {
        bandwidth_mbps: acceptance.bandwidth_mbps,
        control: acceptance.bandwidth_mbps.and_then(|_| limited(scene)),
    }
}

/// A network load balancer has a bandwidth only where its traffic is limited; the others always are.
fn limited(scene: &Scene<'_>) -> Option<TrafficControl> {
    (scene.service.kind == Some(ResourceKind::Nlb)).then_some(TrafficControl::Limited)
}

/// What is to be changed of a connection's traffic. A bandwidth that was declared once and is not any more returns to
/// the service's own.
fn traffic_change(scene: &Scene<'_>, acceptance: &Acceptance, one: &Connection) -> Option<Traffic> {
    let service = scene.service;
    let network = service.kind == Some(ResourceKind::Nlb);
    let removed = scene.input.status.common.declared_fields.contains(BANDWIDTH);
    let wanted = match acceptance.bandwidth_mbps {
        Some(mbps) => Traffic { bandwidth_mbps: Some(mbps), control: limited(scene) },
        None if !removed => return None,
        None if network => Traffic { bandwidth_mbps: None, control: Some(TrafficControl::Elastic) },
        None => {
            let own = service.default_bandwidth_mbps.unwrap_or(CLOUD_DEFAULT_BANDWIDTH_MBPS);
            Traffic { bandwidth_mbps: Some(own), control: None }
        }
    };
    let bandwidth = wanted.bandwidth_mbps.is_some() && wanted.bandwidth_mbps != one.bandwidth_mbps;
    let control = wanted.control.is_some() && one.traffic.is_some() && wanted.control != one.traffic;
    (bandwidth || control).then_some(wanted)
}

/// The connection waits to be accepted, and the cloud picks, or has picked, load balancers for it.
fn is_begun(scene: &Scene<'_>, one: &Decided<'_>) -> bool {
    let picks = one.decision == Decision::Accept && one.stand == Stand::Moves;
    let picked = || free_legs(scene, one.connection).any(|(_, leg)| leg.resource.is_some());
    one.connection.state == ConnectionState::AwaitingAcceptance && (picks || picked())
}

/// Free places go to those that were begun, then to those that were seen first; what has none waits, as the spec asks.
fn within(scene: &Scene<'_>, max: u32, decided: &mut [Decided<'_>]) {
    let is_begun = |one: &Decided<'_>| is_begun(scene, one);
    let fills = |one: &&Decided<'_>| one.connection.is_live() || is_begun(one) && one.stand == Stand::Moves;
    let taken = decided.iter().filter(fills).count();
    let mut free = usize::try_from(max).unwrap_or(usize::MAX).saturating_sub(taken);
    let opens = |one: &Decided<'_>| match &one.stand {
        Stand::Needs(step) => matches!(**step, Step::AcceptConnection(..) | Step::PickResource(..)),
        _ => false,
    };
    let mut asking: Vec<&mut Decided<'_>> = decided.iter_mut().filter(|one| opens(one)).collect();
    asking.sort_by_key(|one| (!is_begun(one), one.since, one.connection.endpoint.clone()));
    for one in asking {
        if free > 0 {
            free -= 1;
            continue;
        }
        one.decision = Decision::Wait;
        one.stand = Stand::Settled;
        one.reason = format!("connections.max is {max}, and so many are connected");
    }
}
