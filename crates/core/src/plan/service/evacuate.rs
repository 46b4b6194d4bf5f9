//! Moving connections away from load balancers that were taken off the spec, a few at a time, and closing the sides
//! that they leave behind. What an assignment decides on is left to it, and named.

use std::collections::BTreeMap;

use crate::condition::{ConditionType, Reason};
use crate::desired::Departure;
use crate::id::{ResourceId, ServiceId};
use crate::limit;
use crate::moment::Moment;
use crate::observed::{Resource, ResourceKey, Service};
use crate::plan::assignment::{course, is_assignable};
use crate::plan::case::{ANY, FRESH, confirmed, moving_since, stale};
use crate::plan::outcome::{self, Outcome, Stand};
use crate::plan::service::converge::region_moves;
use crate::plan::service::exits::{self, Leg};
use crate::plan::service::{Input, view};
use crate::plan::{Next, Plan, Planned, Saying, Truth, say};
use crate::read::{FacetKey, Look};
use crate::state::{ConnectionState, LifeState, ZoneState};
use crate::status::{InFlight, Leaving};
use crate::step::{MigrationMode, Part, Replacement, Step};

type Held = BTreeMap<ResourceKey, Resource>;

/// What comes of the connections that leave load balancers; nothing, where none does.
pub(super) fn plan(input: &Input<'_>, service: &Service, held: &Held, facts: &[Saying]) -> Option<Plan> {
    let id = &service.id;
    let seen = view(input, id).and_then(|view| view.connections.at());
    let in_use =
        held.iter().any(|(key, one)| exits::is_left(input, key) && one.connections + one.deprecated_connections > 0);
    if seen.is_none() && in_use {
        return Some(Plan::looking(stale(input, &[FacetKey::Connections(id.clone())], ANY)));
    }
    let rows = exits::rows(input, id);
    if rows.is_empty() {
        return None;
    }
    let legs = exits::legs(input, id);
    let scene = Scene { input, service, held, legs: &legs, rows: &rows };
    let mut tally = scene.tally();
    tally.moves |= scene.is_changing();
    if let Some(pending) = confirmed(input, &id.clone().into(), facts) {
        // What our own word alone says is read before more is done.
        tally.step = None;
        tally.looks.extend(pending.looks);
        tally.moves = true;
    }
    let mut sayings: Vec<Saying> =
        facts.iter().filter(|one| one.condition != ConditionType::Evacuating).cloned().collect();
    if is_unconfirmed(input, id) {
        sayings.retain(|saying| saying.condition != ConditionType::Ready);
    }
    Some(tally.plan(&scene, sayings))
}

#[derive(Clone, Copy)]
struct Scene<'a> {
    input: &'a Input<'a>,
    service: &'a Service,
    held: &'a Held,
    legs: &'a [Leg<'a>],
    rows: &'a [Leaving],
}

/// All that comes of the connections that leave.
#[derive(Default)]
struct Tally {
    step: Option<Step>,
    looks: Vec<Look>,
    /// Something moves that no time is known for.
    moves: bool,
    due: Option<Moment>,
    /// Why a connection does not leave, the gravest first.
    told: Vec<(Rank, Reason, String)>,
}

/// Whose business it is that a connection has not left; what comes first is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Person,
    Others,
    Cloud,
    Drain,
    Wait,
}

impl Tally {
    fn due(&mut self, due: Option<Moment>) {
        self.due = [self.due, due].into_iter().flatten().min();
    }

    fn tell(&mut self, rank: Rank, reason: Reason, told: impl Into<String>) {
        self.told.push((rank, reason, told.into()));
    }

    /// A call that is due now, or what its refusal means. Says whether another may be tried in its place.
    fn attempt(&mut self, scene: &Scene<'_>, step: Step, reason: Reason, why: String) -> bool {
        match outcome::of(scene.input, scene.service, &Stand::needs(step), &why) {
            Outcome::Step(step) => {
                self.step = Some(*step);
                self.tell(Rank::Cloud, reason, why);
                false
            }
            Outcome::Looks(looks) => {
                self.looks.extend(looks);
                self.moves = true;
                false
            }
            Outcome::Moves { told, due, .. } => {
                self.due(due);
                self.moves |= due.is_none();
                self.tell(Rank::Cloud, reason, told.unwrap_or(why));
                false
            }
            Outcome::Waits(reason, told, due) => {
                self.due(due);
                // It may be of this zone alone, a full subnet of its consumer for instance: the next one is tried.
                self.tell(Rank::Others, reason, told);
                true
            }
            Outcome::Person(reason, told) => {
                self.tell(Rank::Person, reason, told);
                // What credentials may not do, they may do for none of them.
                reason != Reason::FeatureNotEnabled
            }
            Outcome::Settled => true,
        }
    }

    fn plan(mut self, scene: &Scene<'_>, mut sayings: Vec<Saying>) -> Plan {
        let input = scene.input;
        self.told.sort_by_key(|(rank, ..)| *rank);
        let (reason, why) = match self.told.first() {
            Some((_, reason, told)) => (*reason, told.clone()),
            None => (Reason::BlockedByConnections, "connections are leaving".to_owned()),
        };
        let names: Vec<&str> = scene.rows.iter().map(|row| row.resource.id.as_str()).collect();
        let message = format!("connections leave {}: {why}; status.evacuation counts them", names.join(", "));
        sayings.push(say(ConditionType::Evacuating, Truth::True, reason, message));
        let since = moving_since(input);
        if self.step.is_some() || self.moves {
            let ours = self
                .told
                .iter()
                .find(|(rank, ..)| *rank == Rank::Cloud)
                .map(|(_, reason, told)| (*reason, told.clone()));
            let (reason, told) =
                ours.unwrap_or((Reason::Provisioning, format!("{} is being changed", scene.service.id)));
            sayings.push(say(ConditionType::Reconciling, Truth::True, reason, told));
        }
        let next = match self.due {
            _ if self.step.is_some() || self.moves => Next::Moving { since },
            Some(due) => Next::At(due),
            None => Next::Others,
        };
        let mut plan = Plan::saying(next, sayings);
        if let Some(step) = self.step {
            plan.steps.push(Planned { step, token: None });
            return plan;
        }
        plan.looks = self.looks;
        plan.looks.extend(if self.moves { scene.looks() } else { scene.counts() });
        plan.looks.sort();
        plan.looks.dedup();
        plan
    }
}

impl Scene<'_> {
    /// The cloud is changing the service, beside its connections.
    fn is_changing(&self) -> bool {
        self.service.state == LifeState::Modifying || region_moves(self.input, self.service)
    }

    /// What has to be read again while something moves.
    fn looks(&self) -> Vec<Look> {
        let (input, id) = (self.input, &self.service.id);
        let fresh = input.ground.now - FRESH;
        let mut looks = stale(
            input,
            &[FacetKey::Connections(id.clone())],
            self.unconfirmed_legs().map_or(fresh, |at| at.max(fresh)),
        );
        if self.service.state != LifeState::Active || region_moves(input, self.service) {
            looks.extend(stale(input, &[FacetKey::Services], fresh));
        }
        looks
    }

    /// What has to be read again before anything is left as it is: the counts may be older than what is seen of the
    /// connections, and whoever waits goes by them.
    fn counts(&self) -> Vec<Look> {
        let (input, id) = (self.input, &self.service.id);
        let since = view(input, id).and_then(|view| view.connections.at()).unwrap_or(ANY);
        stale(input, &[FacetKey::Resources(id.clone())], since)
    }

    /// Since when a read confirms what was done to any zone of a connection, where none has yet.
    fn unconfirmed_legs(&self) -> Option<Moment> {
        let ours = |part: &Part| matches!(part, Part::Leg(id, ..) if *id == self.service.id);
        self.input.ground.laid.unconfirmed_parts.iter().filter(|(part, _)| ours(part)).map(|(_, at)| *at).max()
    }

    fn is_unconfirmed(&self, leg: &Leg<'_>) -> bool {
        let (id, endpoint) = (self.service.id.clone(), leg.endpoint().clone());
        let parts = &self.input.ground.laid.unconfirmed_parts;
        let of_leg = Part::Leg(id.clone(), endpoint.clone(), leg.zone.clone());
        parts.contains_key(&of_leg) || parts.contains_key(&Part::Connection(id, endpoint))
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        // What was opened is closed first: it makes room.
        for row in self.rows {
            self.close(row, &mut tally);
        }
        for row in self.rows.iter().filter(|row| exits::is_left(self.input, &row.resource)) {
            self.leave(row, &mut tally);
        }
        tally
    }

    /// Replaced sides on the load balancer that nobody else closes: each is closed once it is drained.
    fn close(&self, row: &Leaving, tally: &mut Tally) {
        for leg in self.legs.iter().filter(|leg| leg.pin.is_none() && leg.was_on(&row.resource)) {
            let Some(flight) = row.in_flight.iter().find(|flight| leg.is(flight)) else { continue };
            let (zone, endpoint) = (leg.zone, leg.endpoint());
            if leg.shown.state != ZoneState::Migrated
                || leg.connection.state != ConnectionState::Connected
                || self.is_unconfirmed(leg)
            {
                tally.moves = true;
                tally.tell(Rank::Cloud, Reason::Migrating, format!("{zone} of {endpoint} is moving to {}", flight.to));
                continue;
            }
            if !self.is_drained(row, flight, tally) {
                continue;
            }
            let why = format!("the connections of {zone} of {endpoint} to {} are being closed", row.resource.id);
            if self.input.ground.tries.is_closing(endpoint, zone, self.input.ground.now) {
                tally.moves = true;
                tally.tell(Rank::Cloud, Reason::Draining, why);
            } else if tally.step.is_none() {
                let step = Step::CloseReplaced(self.service.id.clone(), endpoint.clone(), zone.clone());
                tally.attempt(self, step, Reason::Draining, why);
            }
        }
    }

    fn is_drained(&self, row: &Leaving, flight: &InFlight, tally: &mut Tally) -> bool {
        let from = &row.resource.id;
        let approval = self.approval(from);
        let approved = self.is_approved(from, flight);
        let (zone, endpoint) = (&flight.zone, &flight.endpoint);
        match flight.drain_until {
            _ if approved => true,
            Some(until) if self.input.ground.now >= until => true,
            Some(until) => {
                tally.due(Some(until));
                let told = format!(
                    "{zone} of {endpoint} has moved to {}, and its connections to {from} stay open until removal.drainSeconds have passed, or the annotation privatelink.dev/drain-approved is {approval}",
                    flight.to
                );
                tally.tell(Rank::Drain, Reason::Draining, told);
                false
            }
            None => {
                let told = format!(
                    "connections of {zone} of {endpoint} to {from} stay open until the annotation privatelink.dev/drain-approved is {approval}"
                );
                tally.tell(Rank::Person, Reason::DrainApprovalNeeded, told);
                false
            }
        }
    }

    /// What approves that all sides which have left the load balancer by now are closed, and none that leaves it later.
    fn approval(&self, from: &ResourceId) -> String {
        let of_it = self.rows.iter().filter(|row| row.resource.id == *from);
        let latest = of_it.flat_map(|row| &row.in_flight).filter_map(|flight| flight.migrated_at).max();
        format!("{from}-{}", course::stamp(latest.unwrap_or(self.input.ground.now)))
    }

    /// A person has agreed by a time at which this had moved.
    fn is_approved(&self, from: &ResourceId, flight: &InFlight) -> bool {
        let annotations = &self.input.desired.common.annotations;
        let said = annotations.drain_approved.as_deref().and_then(|said| said.strip_prefix(from.as_str()));
        let (Some(until), Some(at)) = (said.and_then(|said| said.strip_prefix('-')), flight.migrated_at) else {
            return false;
        };
        let (at, now) = (course::stamp(at), course::stamp(course::next_second(self.input.ground.now)));
        // Of the same form, and of no time to come: that would approve what has not begun.
        until.len() == at.len() && (at.as_str()..=now.as_str()).contains(&until)
    }

    /// Connections that the load balancer serves: each is moved, as far as that can be done now.
    fn leave(&self, row: &Leaving, tally: &mut Tally) {
        let (key, from) = (&row.resource, &row.resource.id);
        if !row.blocked_by.is_empty() {
            let told = format!(
                "ZoneResourceAssignment {} keeps connections on {from}: set another resourceId",
                row.blocked_by.join(", ")
            );
            tally.tell(Rank::Others, Reason::BlockedByDependents, told);
        }
        let going = exits::going(key, self.legs);
        if !going.is_empty() {
            let told = format!(
                "ZoneResourceAssignment {} moves connections away from {from}, and has not ended: its own Ready condition says why",
                going.join(", ")
            );
            tally.tell(Rank::Others, Reason::BlockedByDependents, told);
        }
        let mut staying: Vec<&Leg<'_>> = self.legs.iter().filter(|leg| leg.pin.is_none() && leg.is_on(key)).collect();
        staying.retain(|leg| !row.in_flight.iter().any(|flight| leg.is(flight)));
        let Some(resource) = self.held.get(key) else { return };
        let Departure::Move(mode) = exits::departure(self.input, resource) else {
            return tally.tell(Rank::Wait, Reason::BlockedByConnections, "they are waited for");
        };
        let carries = |leg: &&&Leg<'_>| {
            matches!(leg.shown.state, ZoneState::Connected) && leg.connection.state == ConnectionState::Connected
        };
        let up: Vec<&Leg<'_>> = staying.iter().filter(carries).copied().collect();
        if up.is_empty() {
            return self.empty(row, &staying, tally);
        }
        if let Some((reason, told)) = hurdle(self.input, key, resource) {
            return tally.tell(Rank::Person, reason, told);
        }
        if self.migrating() >= self.input.desired.removal.max_migrating {
            // Whoever migrates is told of already; more than is allowed at once may be another's.
            tally.moves = true;
            return tally.tell(Rank::Cloud, Reason::Migrating, "others move first, as removal.maxMigrating says");
        }
        if row.in_flight.len() >= usize::try_from(limit::IN_FLIGHT).unwrap_or(usize::MAX) {
            return tally.tell(
                Rank::Drain,
                Reason::Draining,
                "as many as can be remembered drain, and the rest moves after them",
            );
        }
        for leg in up {
            if tally.step.is_some() {
                return;
            }
            if self.is_unconfirmed(leg) {
                tally.moves = true;
                continue;
            }
            let Some(to) = self.target(leg, key) else {
                let told = format!(
                    "no other load balancer with autoAllocate: true serves {}: add one to spec.resources",
                    leg.zone
                );
                tally.tell(Rank::Person, Reason::NoResourceInZone, told);
                continue;
            };
            if !self.moves_to(leg, to, resource, mode, from, tally) {
                return;
            }
        }
    }

    fn moves_to(
        &self,
        leg: &Leg<'_>,
        to: &ResourceId,
        resource: &Resource,
        mode: MigrationMode,
        from: &ResourceId,
        tally: &mut Tally,
    ) -> bool {
        let (zone, endpoint) = (leg.zone, leg.endpoint());
        let replacement = Replacement { to: to.clone(), kind: resource.kind, mode };
        let step = Step::ReplaceResource(self.service.id.clone(), endpoint.clone(), zone.clone(), replacement);
        let why = format!("{zone} of {endpoint} moves from {from} to {to}");
        tally.attempt(self, step, Reason::Migrating, why)
    }

    /// Nothing that could be moved is on the load balancer.
    fn empty(&self, row: &Leaving, staying: &[&Leg<'_>], tally: &mut Tally) {
        let changing = |leg: &&Leg<'_>| {
            leg.shown.is_moving()
                || matches!(
                    leg.connection.state,
                    ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting
                )
        };
        if staying.iter().any(changing) {
            tally.moves = true;
            return tally.tell(Rank::Cloud, Reason::Provisioning, "the cloud is changing some of them");
        }
        let pinned =
            self.legs.iter().any(|leg| leg.pin.is_some() && (leg.is_on(&row.resource) || leg.was_on(&row.resource)));
        if !row.in_flight.is_empty() {
            return;
        }
        // It may be detached while others move.
        tally.looks.extend(self.counts());
        if pinned {
            return;
        }
        tally.tell(Rank::Wait, Reason::BlockedByConnections, "the last ones are waited for");
    }

    /// How many zones of connections migrate now, whoever moves them.
    fn migrating(&self) -> u32 {
        let moving =
            self.legs.iter().filter(|leg| leg.pin.is_none() && leg.shown.state == ZoneState::Migrating).count();
        u32::try_from(moving).unwrap_or(u32::MAX)
    }

    /// The least loaded of those that may take the zone.
    fn target(&self, leg: &Leg<'_>, from: &ResourceKey) -> Option<&ResourceId> {
        let load = |key: &ResourceKey| self.legs.iter().filter(|leg| leg.is_on(key)).count();
        let declared = |key: &ResourceKey| self.input.desired.resources.contains_key(key);
        self.held
            .iter()
            .filter(|(key, one)| key.id != from.id && one.auto_allocate && declared(key) && leg.may_be_in(key))
            .map(|(key, _)| key)
            .min_by_key(|key| (load(key), *key))
            .map(|key| &key.id)
    }
}

/// What stands in the way of moving anything away from the load balancer.
fn hurdle(input: &Input<'_>, key: &ResourceKey, resource: &Resource) -> Option<(Reason, String)> {
    let id = &key.id;
    if !is_assignable(resource.kind) {
        let told = format!(
            "the cloud lets nobody replace a load balancer of type {}: set removal.migration to Wait",
            resource.kind.as_str()
        );
        return Some((Reason::UnsupportedByCloud, told));
    }
    if !resource.auto_allocate {
        return None;
    }
    let last = format!("{id} is the last load balancer in {} that is given to new connections", key.zone);
    let instead = input.desired.resources.iter().filter(|(other, auto)| **auto && other.zone == key.zone);
    let instead: Vec<&str> = instead.map(|(other, _)| other.id.as_str()).collect();
    let told = if instead.is_empty() {
        format!("{last}: declare another there with autoAllocate: true")
    } else {
        format!("{last} until {} is: the Ready condition says why it is not yet", instead.join(", "))
    };
    Some((Reason::LastAutoAllocatedInZone, told))
}

/// A call was made on the service whose effect no read has shown.
fn is_unconfirmed(input: &Input<'_>, id: &ServiceId) -> bool {
    let unconfirmed = &input.ground.laid.unconfirmed;
    [FacetKey::Service(id.clone()), FacetKey::Resources(id.clone())].iter().any(|facet| unconfirmed.contains_key(facet))
}
