//! How an object goes as far as all sorts are alike: what was only observed or is not ours stays as it is, and
//! what is retained stays without our tags.

use std::collections::BTreeSet;

use crate::condition::{ConditionType, Reason};
use crate::desired::Management;
use crate::error::Meaning;
use crate::id::CloudId;
use crate::observed::{Facet, Whole};
use crate::owner::{self, Ownership};
use crate::plan::attempt::attempt;
use crate::plan::case::{Case, stale};
use crate::plan::identity::{Identity, identify};
use crate::plan::{Plan, Saying, Truth, ready};
use crate::read::FacetKey;
use crate::step::Step;

/// What is done while the object is being deleted; `of` says how what is ours goes.
pub(crate) fn plan<C: Case>(case: &C, of: impl FnOnce(&C, &CloudId) -> Plan) -> Plan {
    let noun = C::SORT.noun();
    if case.desired().management == Management::Observe {
        let message = format!("the {noun} was observed only and stays as it is");
        return Plan::released(Reason::Deleting, message);
    }
    match identify(case) {
        Ok(Identity::Nothing) => Plan::released(Reason::Deleting, format!("the {noun} no longer exists")),
        Ok(Identity::Known(id)) => Plan { identity: Some(id.clone()), ..of(case, &id) },
        Err(plan) => left_to_others(*plan),
    }
}

/// What cannot be told to be ours is not deleted, and does not keep the object.
fn left_to_others(plan: Plan) -> Plan {
    let conflict = plan.sayings.iter().find(|saying| {
        saying.condition == ConditionType::Ready
            && matches!(
                saying.reason,
                Reason::OwnershipConflict | Reason::ReferenceNotFound | Reason::AccountNotPermitted
            )
    });
    match conflict {
        Some(saying) => Plan::released(saying.reason, format!("left as it is: {}", saying.message)),
        None => plan,
    }
}

/// The cloud object stays: our tags are replaced by one that says so.
pub(crate) fn retain<C: Case>(case: &C, id: &CloudId) -> Plan {
    let ground = case.ground();
    let seen = ground.laid.snapshot.whole(id);
    let Facet::Seen { value: Some(Whole { tags: Some(tags), .. }), .. } = seen else {
        return Plan::looking(stale(case, &[FacetKey::all(C::SORT)], ground.now));
    };
    let kept = format!("{id} stays in the cloud, as deletionPolicy: Retain asks");
    let ours = matches!(case.desired().owner.of(tags), Ownership::Ours | Ownership::Namesake(_));
    let held: BTreeSet<String> =
        owner::KEYS.iter().filter(|key| tags.contains_key(**key)).map(|key| (*key).to_owned()).collect();
    let step = if !ours {
        None
    } else if !tags.contains_key(owner::RETAINED) {
        Some(Step::Tag(id.clone(), [(owner::RETAINED.to_owned(), "true".to_owned())].into()))
    } else if !held.is_empty() {
        Some(Step::Untag(id.clone(), held))
    } else {
        None
    };
    let Some(step) = step else { return Plan::released(Reason::Deleting, kept) };
    let refused = ground.tries.refusal(&step, case.desired().generation, ground.now);
    match refused.filter(|refused| matches!(refused.failure.meaning, Meaning::UserMustAct(_) | Meaning::Credentials(_)))
    {
        // Where it may not be written, it is said, and the object goes.
        Some(refused) => {
            Plan::released(Reason::Deleting, format!("{kept}; its tags could not be changed: {}", refused.failure))
        }
        None => attempt(case, step, None, deleting(&kept), &kept),
    }
}

/// What is said while something goes.
pub(crate) fn deleting(message: &str) -> Vec<Saying> {
    vec![ready(Truth::False, Reason::Deleting, message)]
}
