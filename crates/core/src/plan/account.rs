//! What an account's own turn changes in its cloud: the product is switched on, where the spec asks for it.
//!
//! Where it does not ask, nothing is read and nothing is said: objects say by themselves what the cloud refuses them.

use crate::condition::{ConditionType, Reason};
use crate::error::{Failure, Meaning};
use crate::moment::Moment;
use crate::observed::Facet;
use crate::plan::case::LONGEST_CALL;
use crate::plan::{Next, Plan, Planned, Refused, Tries, Truth, ready, say};
use crate::read::Answer;
use crate::requeue;
use crate::step::Step;
use crate::wire::Malformed;

/// What is known of an account's product.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// The spec asks to switch it on.
    pub asked: bool,
    /// Whether it is on, as the last read of [`crate::read::Read::Product`] has it by [`is_open`]; unseen again after
    /// each step that was answered.
    pub open: &'a Facet<bool>,
    /// What became of earlier steps.
    pub tries: &'a Tries,
    /// Generation of the spec.
    pub generation: i64,
    /// Uid of the account's object: its pauses differ from others'.
    pub uid: &'a str,
    /// Now.
    pub now: Moment,
}

/// What is done about the product in one turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing, and nothing is said.
    Nothing,
    /// It is read, and then decided upon.
    Look,
    /// The step is made if there is one, and this is said beside, or in place of, what the account says otherwise.
    Plan(Box<Plan>),
}

/// Whether the product is on, from what its read was answered: that it is not, is a refusal.
///
/// # Errors
/// The read failed for another reason, and nothing is known.
pub fn is_open(answer: Result<Answer, Failure>) -> Result<bool, Failure> {
    match answer {
        Ok(Answer::Product(open)) => Ok(open),
        Ok(_) => Err(Malformed { what: "the answer is not about the product".to_owned() }.failure()),
        Err(failure) if failure.meaning == Meaning::UserMustAct(Reason::FeatureNotEnabled) => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// What is done now.
///
/// A step is made only upon a fresh look: somebody may have switched the product on by hand meanwhile.
#[must_use]
pub fn plan(product: &Product<'_>) -> Opening {
    if !product.asked {
        return Opening::Nothing;
    }
    let seen = match product.open {
        Facet::Unseen => return Opening::Look,
        Facet::Seen { value: true, .. } => return Opening::Nothing,
        Facet::Seen { at, value: false } => *at,
    };
    let (step, now) = (Step::OpenProduct, product.now);
    let fresh = now.since(seen) < LONGEST_CALL;
    let Some(refused) = product.tries.refusal(&step, product.generation, now) else {
        if !fresh {
            return Opening::Look;
        }
        let doing =
            say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, "the product is being switched on");
        return Opening::Plan(Box::new(Plan::doing(step, None, vec![doing], None)));
    };
    let failure = &refused.failure;
    let pause = requeue::pause(failure.meaning, refused.attempts, failure.retry_after, product.uid);
    let due = refused.at + pause;
    // A call without an answer may have switched it on.
    if (now >= due && !fresh) || (failure.maybe_done && seen < refused.at) {
        return Opening::Look;
    }
    let mut plan = refusal(&step, refused);
    if now >= due {
        plan.steps = vec![Planned { step, token: None }];
    } else if plan.next != Next::Person {
        plan.next = Next::At(due);
    }
    Opening::Plan(Box::new(plan))
}

/// What the last refusal means for the account.
fn refusal(step: &Step, refused: &Refused) -> Plan {
    let failure = &refused.failure;
    let told = format!("{} of {}: {failure}", step.verb(), step.subject());
    let passing = |reason| {
        let moving = say(ConditionType::Reconciling, Truth::True, reason, told.clone());
        Plan::saying(Next::Moving { since: Some(refused.at) }, [moving])
    };
    match failure.meaning {
        // Whatever has to be done, the product stays off until then, which is what the account's objects say too.
        Meaning::UserMustAct(_) | Meaning::Waiting(_) => Plan::stuck(Reason::FeatureNotEnabled, told),
        Meaning::Credentials(reason) => Plan::saying(Next::Moving { since: None }, [ready(Truth::False, reason, told)]),
        Meaning::Unexpected => {
            Plan::saying(Next::Moving { since: None }, [ready(Truth::False, Reason::UnexpectedError, told)])
        }
        Meaning::Throttled => passing(Reason::Throttled),
        Meaning::Unavailable => passing(Reason::CloudUnavailable),
        Meaning::InTransition | Meaning::Gone | Meaning::Done | Meaning::DryRun | Meaning::TokenReused => {
            passing(Reason::Provisioning)
        }
    }
}
