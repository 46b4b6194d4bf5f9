//! What is done and said of what was decided on the zone.

use crate::condition::{ConditionType, Reason};
use crate::moment::Moment;
use crate::observed::ZoneLeg;
use crate::plan::assignment::course::{self, Course};
use crate::plan::assignment::decide::{self, Verdict};
use crate::plan::assignment::{Input, Scene};
use crate::plan::case::{FRESH, moving_since, stale};
use crate::plan::outcome::{self, Outcome};
use crate::plan::{Next, Pin, Plan, Saying, Truth, ready, say, was_ready};
use crate::read::{FacetKey, Look};
use crate::state::{ConnectionState, LifeState, ZoneState};

/// One turn of an assignment that is live and decides.
pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    let course = course::of(scene);
    let verdict = decide::on(scene, &course);
    let facts = facts(scene, &course, &verdict);
    let input = scene.input;
    let since = moving_since(input);
    match outcome::of(input, scene.service, &verdict.stand, &verdict.why) {
        Outcome::Settled => {
            let mut plan = Plan::saying(Next::Settled, facts);
            plan.sayings.push(ready(Truth::True, Reason::Ready, verdict.why));
            plan
        }
        Outcome::Step(step) => {
            let sayings = reconciling(facts, verdict.reason, &verdict.why);
            // What is done next shows the zone in another state, by which nobody could tell how the last one ended.
            let has_ended = input.status.migration.is_some() && course.open.is_none();
            if verdict.begins.is_some() || has_ended {
                return Plan { pin: Some(pin(input)), ..Plan::saying(Next::Moving { since }, sayings) };
            }
            Plan::doing(*step, None, sayings, since)
        }
        Outcome::Looks(looks) => Plan::looking(looks),
        Outcome::Moves { reason, told, due, silent } => {
            let (reason, why) = match told {
                Some(told) => (if reason == Reason::Provisioning { verdict.reason } else { reason }, told),
                None => (verdict.reason, verdict.why),
            };
            let mut sayings = reconciling(facts, reason, &why);
            if silent && was_ready(&input.status.common) {
                sayings.retain(|saying| saying.condition != ConditionType::Ready);
            }
            let next = due.map_or(Next::Moving { since }, Next::At);
            Plan { looks: looks(scene), ..Plan::saying(next, sayings) }
        }
        Outcome::Waits(reason, why, due) => {
            let next = earliest(due, verdict.until).map_or(Next::Others, Next::At);
            let mut plan = Plan::saying(next, facts);
            plan.sayings.push(ready(Truth::False, reason, why));
            plan
        }
        Outcome::Person(reason, why) => {
            // What is to be changed on another object shows in what is read of the service.
            let lifted = matches!(reason, Reason::ResourceStillAutoAllocated | Reason::LastAutoAllocatedInZone);
            let mut plan = Plan::saying(if lifted { Next::Others } else { Next::Person }, facts);
            plan.sayings.push(ready(Truth::False, reason, why.clone()));
            if reason == Reason::InvalidSpec {
                plan.sayings.push(say(ConditionType::Valid, Truth::False, reason, why.clone()));
            }
            plan.sayings.push(say(ConditionType::Stalled, Truth::True, reason, why));
            plan
        }
    }
}

fn earliest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    [one, other].into_iter().flatten().min()
}

/// What must stand in the status before anything else is done: that a migration begins, or that one has ended.
fn pin(input: &Input<'_>) -> Pin {
    let place = input.ground.place;
    Pin { account: place.account.clone(), region: place.region.clone(), incarnation: 0, creating: None }
}

fn reconciling(mut facts: Vec<Saying>, reason: Reason, why: &str) -> Vec<Saying> {
    facts.push(ready(Truth::False, reason, why));
    facts.push(say(ConditionType::Reconciling, Truth::True, reason, why));
    facts
}

/// What has to be read again while something moves; one read serves all that wait.
fn looks(scene: &Scene<'_>) -> Vec<Look> {
    let (input, id) = (scene.input, &scene.parent.id);
    let fresh = input.ground.now - FRESH;
    let mut looks =
        stale(input, &[FacetKey::Connections(id.clone())], scene.unconfirmed().map_or(fresh, |at| at.max(fresh)));
    if scene.service.state != LifeState::Active {
        looks.extend(stale(input, &[FacetKey::Services], fresh));
    }
    looks
}

/// What is true of the zone now.
fn facts(scene: &Scene<'_>, course: &Course, verdict: &Verdict) -> Vec<Saying> {
    let desired = scene.input.desired;
    let (endpoint, zone, to) = (scene.endpoint, &desired.zone, &desired.resource);
    let said = |condition, holds: bool, is: String, is_not: String| {
        if holds {
            say(condition, Truth::True, Reason::Ready, is)
        } else {
            say(condition, Truth::False, verdict.reason, is_not)
        }
    };
    let leg = scene.leg();
    let assigned = leg.is_some_and(|leg| leg.resource.as_ref() == Some(to));
    let has = leg.and_then(|leg| leg.resource.as_ref()).map_or("none", |has| has.as_str());
    let stands = scene
        .connection()
        .is_some_and(|one| matches!(one.state, ConnectionState::Connected | ConnectionState::Modifying));
    let carries = stands && leg.is_some_and(carries);
    let moved = course.open.is_none() && (assigned || !carries);
    let open = match &course.open {
        Some(open) => format!("the migration {} is open", open.id),
        None => format!("{zone} of {endpoint} has not moved to {to} yet"),
    };
    vec![
        said(
            ConditionType::Assigned,
            assigned,
            format!("{to} is assigned to {zone} of {endpoint}"),
            format!("{zone} of {endpoint} is to have {to} and has {has}"),
        ),
        said(
            ConditionType::Connected,
            carries,
            format!("{zone} of {endpoint} carries traffic"),
            format!("{zone} of {endpoint} carries no traffic"),
        ),
        said(ConditionType::Migrated, moved, format!("no migration of {zone} of {endpoint} is open"), open),
    ]
}

const fn carries(leg: &ZoneLeg) -> bool {
    matches!(leg.state, ZoneState::Connected | ZoneState::Migrating | ZoneState::Migrated)
}
