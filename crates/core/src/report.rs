//! Statuses computed from what was planned and seen: one function a kind, and what they have in common.
//!
//! A condition's time moves only when its truth does, so two turns that find the same write the same status.

pub mod assignment;
pub mod endpoint;
pub mod entry;
pub mod service;

use std::collections::BTreeSet;

use crate::condition::ConditionType;
use crate::limit;
use crate::moment::Moment;
use crate::place::Place;
use crate::plan::case::Subject;
use crate::plan::{Next, Pin, Plan, Saying, Tries, Truth};
use crate::status::{Common, Condition, Creation, LastError};

/// Conditions that are there only while they hold.
const ONLY_WHILE_TRUE: [ConditionType; 3] =
    [ConditionType::Reconciling, ConditionType::Stalled, ConditionType::Evacuating];

/// What every status has, after this turn. A plan that says nothing leaves all as it was.
#[must_use]
pub fn common(previous: &Common, generation: i64, plan: &Plan, tries: &Tries, now: Moment) -> Common {
    let mut common = previous.clone();
    if let Some(error) = last_error(previous, tries) {
        common.last_error = Some(error);
    }
    if plan.sayings.is_empty() {
        return common;
    }
    common.observed_generation = generation;
    let stalled = plan.says(ConditionType::Stalled, Truth::True);
    let dropped = |condition: ConditionType| {
        let said = plan.sayings.iter().any(|saying| saying.condition == condition);
        ONLY_WHILE_TRUE.contains(&condition) && (!said || stalled && condition == ConditionType::Reconciling)
    };
    common.conditions.retain(|condition| !dropped(condition.condition));
    for saying in plan.sayings.iter().filter(|saying| !dropped(saying.condition)) {
        set(&mut common.conditions, saying, generation, now);
    }
    common.conditions.sort_by_key(|condition| condition.condition);
    common
}

/// What every status has, after a turn of an object of any kind.
fn common_of<S: Subject>(case: &S, plan: &Plan) -> Common {
    let ground = case.ground();
    let mut after = common(case.status(), case.generation(), plan, ground.tries, ground.now);
    if !plan.sayings.is_empty() {
        after.declared_fields = declared(case, plan);
    }
    after
}

/// The fields that are declared, and those that were and have not been returned to the cloud's default yet.
fn declared<S: Subject>(case: &S, plan: &Plan) -> BTreeSet<String> {
    let declared = case.declared_fields();
    // A wait for others is watched as closely as what moves, and yet nothing of ours is awaited.
    let at_rest = match plan.next {
        Next::Settled | Next::Others => true,
        Next::Moving { .. } => !plan.says(ConditionType::Reconciling, Truth::True),
        Next::At(_) | Next::Person => false,
    };
    let done =
        plan.steps.is_empty() && plan.looks.is_empty() && at_rest && plan.says(ConditionType::Provisioned, Truth::True);
    if done { declared } else { declared.union(&case.status().declared_fields).cloned().collect() }
}

/// Writes down what is about to be made; says whether another incarnation begins with it.
fn pinned(creation: &mut Creation, pin: &Pin) -> bool {
    let anew = pin.incarnation != creation.incarnation;
    *creation = Creation {
        account: Some(pin.account.clone()),
        region: Some(pin.region.clone()),
        incarnation: pin.incarnation,
        creating: pin.creating.clone(),
    };
    anew
}

/// Writes down that it was made, here.
fn made(creation: &mut Creation, place: &Place) {
    creation.account.get_or_insert_with(|| place.account.clone());
    creation.region.get_or_insert_with(|| place.region.clone());
    creation.creating = None;
}

fn set(conditions: &mut Vec<Condition>, saying: &Saying, generation: i64, now: Moment) {
    let before = conditions.iter().position(|condition| condition.condition == saying.condition);
    let since = before
        .map(|place| &conditions[place])
        .filter(|condition| condition.truth == saying.truth)
        .map_or_else(|| now.whole_second(), |condition| condition.since);
    let condition = Condition {
        condition: saying.condition,
        truth: saying.truth,
        reason: saying.reason,
        message: bounded(&saying.message),
        generation,
        since,
    };
    match before {
        Some(place) => conditions[place] = condition,
        None => conditions.push(condition),
    }
}

/// The newest refusal, written once for each distinct error.
fn last_error(previous: &Common, tries: &Tries) -> Option<LastError> {
    let refused = tries.latest()?;
    let failure = &refused.failure;
    let message = bounded(&failure.message);
    let same = previous.last_error.as_ref().is_some_and(|last| last.code == failure.code && last.message == message);
    (!same).then(|| LastError {
        code: failure.code.clone(),
        message,
        request_id: failure.request_id.clone(),
        at: refused.at.whole_second(),
    })
}

/// A message as long as a status takes.
fn bounded(message: &str) -> String {
    message.chars().take(usize::try_from(limit::MESSAGE).unwrap_or(usize::MAX)).collect()
}
