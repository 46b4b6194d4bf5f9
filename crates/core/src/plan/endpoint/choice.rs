//! Which of the calls that can be made is made now. One that is refused because others have to act keeps none of
//! the others waiting, and stops no traffic: it is said beside what else is true.

use std::time::Duration;

use crate::condition::ConditionType;
use crate::condition::Reason;
use crate::error::Meaning;
use crate::plan::attempt::{attempt, meaning_for};
use crate::plan::case::{Case, stale};
use crate::plan::endpoint::Input;
use crate::plan::{Next, Plan, Saying, Truth, ready, say};
use crate::read::{FacetKey, Look};
use crate::step::Step;

/// How old a look at the interfaces may be when one is taken away: no list shows in time whether the provider has
/// accepted it since, or has cut another.
const SURE: Duration = Duration::from_secs(5);

/// What is done now.
pub(super) enum Choice {
    /// This.
    Made(Plan),
    /// Nothing: all that could be done was refused, and waits.
    Refused(Refused),
    /// Nothing is to be done.
    Nothing,
}

/// The first of the calls that were refused.
pub(super) struct Refused {
    plan: Plan,
    /// The condition that it keeps from being true.
    condition: ConditionType,
    /// Readiness as it would be without it.
    ready: Option<Saying>,
}

/// The first call that no refusal holds back.
pub(super) fn choose(input: &Input<'_>, steps: Vec<Step>, facts: &[Saying]) -> Choice {
    let mut first: Option<Refused> = None;
    for step in steps {
        let looks = before(input, &step);
        if !looks.is_empty() {
            return Choice::Made(Plan::looking(looks));
        }
        let condition = condition(&step);
        let meaning = input.ground.tries.refusal(&step, input.desired().generation, input.ground.now);
        let meaning = meaning.map(|refused| meaning_for(&step, refused.failure.meaning));
        let doing = message(&step);
        let plan = attempt(input, step, None, facts.to_vec(), &doing);
        if plan.steps.is_empty() && !plan.looks.is_empty() {
            return Choice::Made(plan);
        }
        let refused = Refused { plan, condition, ready: readiness(facts).cloned() };
        if !refused.plan.steps.is_empty() {
            let steps = refused.plan.steps.clone();
            let next = refused.plan.next;
            let base = Plan { steps, ..Plan::saying(next, facts.to_vec()) };
            return Choice::Made(refused.laid_over(base));
        }
        let holds_all = !matches!(meaning, Some(Meaning::Waiting(_) | Meaning::UserMustAct(_)));
        first = Some(match first {
            None => refused,
            Some(mut first) => {
                first.plan.next = sooner(first.plan.next, refused.plan.next);
                first
            }
        });
        if holds_all {
            break;
        }
    }
    first.map_or(Choice::Nothing, Choice::Refused)
}

/// What must be read before the step may be made.
fn before(input: &Input<'_>, step: &Step) -> Vec<Look> {
    match step {
        Step::RemoveZone(id, ..) => stale(input, &[FacetKey::Interfaces(id.clone())], input.ground.now - SURE),
        _ => Vec::new(),
    }
}

impl Refused {
    /// What is true beside the refusal, with the refusal.
    pub(super) fn laid_over(self, mut base: Plan) -> Plan {
        base.next = sooner(base.next, self.plan.next);
        let said = |condition| self.plan.sayings.iter().find(|saying| saying.condition == condition);
        for only_while_true in [ConditionType::Reconciling, ConditionType::Stalled] {
            if let Some(saying) = said(only_while_true)
                && !base.says(only_while_true, Truth::True)
            {
                base.sayings.push(saying.clone());
            }
        }
        let Some(refusal) = said(ConditionType::Ready).filter(|saying| Some(*saying) != self.ready.as_ref()) else {
            return base;
        };
        let without = readiness(&base.sayings).cloned();
        base.sayings.retain(|saying| saying.condition != ConditionType::Ready && saying.condition != self.condition);
        base.sayings.push(say(self.condition, Truth::False, refusal.reason, refusal.message.clone()));
        base.sayings.extend(without.map(|without| match (without.truth, without.reason) {
            (Truth::True, Reason::Degraded) => {
                ready(Truth::True, Reason::Degraded, format!("{}; {}", without.message, refusal.message))
            }
            (Truth::True, _) => {
                ready(Truth::True, Reason::Degraded, format!("traffic can flow, but: {}", refusal.message))
            }
            _ => refusal.clone(),
        }));
        base
    }
}

fn readiness(sayings: &[Saying]) -> Option<&Saying> {
    sayings.iter().find(|saying| saying.condition == ConditionType::Ready)
}

/// What is not true as long as the step is not made.
const fn condition(step: &Step) -> ConditionType {
    match step {
        Step::AddZone(..) | Step::RemoveZone(..) => ConditionType::ZonesReady,
        _ => ConditionType::Provisioned,
    }
}

/// The one of the two that comes first.
fn sooner(one: Next, other: Next) -> Next {
    const fn rank(next: Next) -> u8 {
        match next {
            Next::Moving { .. } => 0,
            Next::At(_) => 1,
            Next::Others => 2,
            Next::Person => 3,
            Next::Settled => 4,
        }
    }
    match (one, other) {
        (Next::At(one), Next::At(other)) => Next::At(one.min(other)),
        _ if rank(other) < rank(one) => other,
        _ => one,
    }
}

fn message(step: &Step) -> String {
    let subject = step.subject();
    match step {
        Step::AttachSecurityGroup(..) => format!("{subject} is being joined"),
        Step::DetachSecurityGroup(..) => format!("{subject} is being left"),
        Step::AddZone(..) => format!("an interface is being made in {subject}"),
        Step::RemoveZone(..) => format!("the interface in {subject} is being removed"),
        Step::Tag(..) | Step::Untag(..) => format!("tags of {subject} are being changed"),
        _ => format!("attributes of {subject} are being changed"),
    }
}
