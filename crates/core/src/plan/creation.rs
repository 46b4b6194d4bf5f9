//! Making something: first it is written down what is about to be made, then it is made, and whoever repeats the
//! call repeats its token.

use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::error::Meaning;
use crate::plan::attempt::attempt;
use crate::plan::case::{Case, stale};
use crate::plan::identity::creates_over;
use crate::plan::{Creating, Next, Pin, Plan, Refused, Saying, Truth, ready, say};
use crate::read::FacetKey;
use crate::step::Step;
use crate::token::create_token;

/// What is done while there is nothing: `step` makes it, and `hash` tells its form from others.
pub(crate) fn plan<C: Case>(case: &C, step: Step, hash: String) -> Plan {
    let creation = case.creation();
    // A lost id that may be replaced is still in the status: the next incarnation begins.
    let same_life = case.id().is_none();
    let incarnation = creation.incarnation + u32::from(!same_life);
    match creation.creating.as_ref().filter(|_| same_life) {
        None => pin(case, incarnation, hash),
        Some(creating) if creating.form == hash => make(case, step, creating),
        Some(creating) => {
            // The spec was edited while a create call of the old form may have been on its way.
            let over = creates_over(case, creating.at);
            if case.ground().now < over {
                return Plan { next: Next::At(over), ..Plan::saying(Next::Settled, provisioning::<C>()) };
            }
            let looks = stale(case, &[FacetKey::all(C::SORT)], over);
            if looks.is_empty() { pin(case, incarnation, hash) } else { Plan::looking(looks) }
        }
    }
}

fn make<C: Case>(case: &C, step: Step, creating: &Creating) -> Plan {
    let (owner, ground) = (&case.desired().owner, case.ground());
    let incarnation = case.creation().incarnation;
    let refused = ground.tries.refusal(&step, case.desired().generation, ground.now);
    // One that is older than what is written down now met an earlier token.
    let spent = |refused: &&Refused| refused.failure.meaning == Meaning::TokenReused && refused.at >= creating.at;
    if let Some(refused) = refused.filter(spent) {
        // The token belongs to another form, which was sent and forgotten: what it made is found by tag.
        let looks = stale(case, &[FacetKey::all(C::SORT)], refused.at);
        if !looks.is_empty() {
            return Plan::looking(looks);
        }
        // What is written down counts whole seconds: the next one is younger than the refusal.
        let after = refused.at.whole_second() + Duration::from_secs(1);
        if ground.now < after {
            return Plan { next: Next::At(after), ..Plan::saying(Next::Settled, provisioning::<C>()) };
        }
        return pin(case, incarnation + 1, creating.form.clone());
    }
    let token = create_token(&owner.kind, &owner.uid, incarnation, &creating.form);
    attempt(case, step, Some(token), provisioning::<C>(), &being_created::<C>())
}

fn pin<C: Case>(case: &C, incarnation: u32, form: String) -> Plan {
    let ground = case.ground();
    let creating = Some(Creating { at: ground.now.whole_second(), form });
    let (account, region) = (ground.place.account.clone(), ground.place.region.clone());
    let mut sayings = provisioning::<C>();
    sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, being_created::<C>()));
    let pin = Some(Pin { account, region, incarnation, creating });
    Plan { pin, ..Plan::saying(Next::Moving { since: None }, sayings) }
}

fn being_created<C: Case>() -> String {
    format!("the {} is being created", C::SORT.noun())
}

/// What is said while there is nothing.
pub(crate) fn provisioning<C: Case>() -> Vec<Saying> {
    let message = format!("the {} does not exist yet", C::SORT.noun());
    vec![
        ready(Truth::False, Reason::Provisioning, message.clone()),
        say(ConditionType::Provisioned, Truth::False, Reason::Provisioning, message),
    ]
}
