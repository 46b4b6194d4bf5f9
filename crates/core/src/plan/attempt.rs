//! Making a step, or saying what its last refusal means for the object.

use crate::condition::{ConditionType, Reason};
use crate::error::Meaning;
use crate::id::CloudId;
use crate::moment::Moment;
use crate::plan::case::{Case, Subject, moving_since, stale};
use crate::plan::{GRACE, Next, Plan, Planned, Refused, Saying, Truth, ready, say, was_ready};
use crate::read::{FacetKey, Look};
use crate::requeue;
use crate::step::Step;

/// How a step stands.
pub(crate) enum Standing<'a> {
    /// Nothing stands in its way.
    Free,
    /// What it speaks of may not be as it was thought to be: it is looked at before anything is concluded.
    Looks(Vec<Look>),
    /// It was refused.
    Refused {
        /// How.
        refused: &'a Refused,
        /// What that means for the step.
        meaning: Meaning,
        /// When it may be tried again.
        due: Moment,
    },
}

/// How a step stands by its last refusal.
pub(crate) fn standing<'a, S: Subject>(case: &'a S, step: &Step) -> Standing<'a> {
    let ground = case.ground();
    let Some(refused) = ground.tries.refusal(step, case.generation(), ground.now) else { return Standing::Free };
    let failure = &refused.failure;
    let meaning = meaning_for(step, failure.meaning);
    let looks = stale(case, &in_question(step, meaning), refused.at);
    if !looks.is_empty() {
        return Standing::Looks(looks);
    }
    let due = refused.at + requeue::pause(meaning, refused.attempts, failure.retry_after, case.uid());
    Standing::Refused { refused, meaning, due }
}

/// A step, unless its last refusal still stands; then what the refusal means for the object.
pub(crate) fn attempt<C: Case>(case: &C, step: Step, token: Option<String>, sayings: Vec<Saying>, doing: &str) -> Plan {
    let (refused, meaning, due) = match standing(case, &step) {
        Standing::Free => {
            let mut sayings = sayings;
            sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, doing));
            return Plan::doing(step, token, sayings, moving_since(case));
        }
        Standing::Looks(looks) => return Plan::looking(looks),
        Standing::Refused { refused, meaning, due } => (refused, meaning, due),
    };
    let mut plan = refusal_plan(case, &step, refused, sayings);
    if case.ground().now >= due {
        plan.steps = vec![Planned { step, token }];
    } else if !matches!(meaning, Meaning::UserMustAct(_)) {
        plan.next = Next::At(due);
    }
    plan
}

/// The part of the cloud that a refusal puts in question.
fn in_question(step: &Step, meaning: Meaning) -> Vec<FacetKey> {
    match (meaning, step) {
        (Meaning::Gone | Meaning::Waiting(Reason::BlockedByConnections | Reason::BlockedByDependents), _) => {
            spoken_of(step)
        }
        // The cloud has one code for a connection that is being changed and for one in another state, and none for
        // a principal that is listed already.
        (Meaning::InTransition | Meaning::Unexpected, step) if step.part().is_some() => spoken_of(step),
        // What is the last group may be told from what was read long ago.
        (
            Meaning::UserMustAct(_) | Meaning::Waiting(_),
            Step::AttachSecurityGroup(id, _) | Step::DetachSecurityGroup(id, _),
        ) => vec![FacetKey::Groups(id.clone())],
        _ => Vec::new(),
    }
}

/// What a refusal means for the step that met it. What is missing when something is to be made cannot be the thing
/// itself: it is what others have to bring.
pub(crate) const fn meaning_for(step: &Step, meaning: Meaning) -> Meaning {
    match (step, meaning) {
        (Step::CreateService(_) | Step::CreateEndpoint(_), Meaning::Gone) => {
            Meaning::Waiting(Reason::ReferenceNotFound)
        }
        // Asked for only where it was read to be otherwise: what was read is old, or the cloud is still closing it.
        (Step::CloseReplaced(..), Meaning::Waiting(Reason::Degraded))
        | (Step::ReplaceResource(..), Meaning::UserMustAct(Reason::ResourceStillAutoAllocated)) => {
            Meaning::InTransition
        }
        _ => meaning,
    }
}

/// The part of the cloud that a step speaks of.
fn spoken_of(step: &Step) -> Vec<FacetKey> {
    match (step, step.object()) {
        (Step::AllowPrincipal(id, _) | Step::DisallowPrincipal(id, _), _) => {
            vec![FacetKey::Service(id.clone()), FacetKey::Principals(id.clone())]
        }
        (
            Step::AcceptConnection(id, ..)
            | Step::RejectConnection(id, _)
            | Step::SetTraffic(id, ..)
            | Step::PickResource(id, ..)
            | Step::CloseReplaced(id, ..)
            | Step::ConnectZone(id, ..)
            | Step::DisconnectZone(id, ..),
            _,
        ) => vec![FacetKey::Connections(id.clone())],
        (Step::AssignResource(id, ..) | Step::ReplaceResource(id, ..), _) => {
            vec![FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]
        }
        (Step::DetachResource(id, ..) | Step::DeleteService(id), _) => {
            vec![FacetKey::Service(id.clone()), FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]
        }
        (Step::AddZone(id, ..) | Step::RemoveZone(id, ..) | Step::DeleteEndpoint(id), _) => {
            vec![FacetKey::Endpoint(id.clone()), FacetKey::Interfaces(id.clone())]
        }
        (Step::AttachSecurityGroup(id, _) | Step::DetachSecurityGroup(id, _), _) => {
            vec![FacetKey::Endpoint(id.clone()), FacetKey::Groups(id.clone())]
        }
        (_, Some(CloudId::Service(id))) => vec![FacetKey::Service(id)],
        (_, Some(CloudId::Endpoint(id))) => vec![FacetKey::Endpoint(id)],
        (_, None) => Vec::new(),
    }
}

/// What a refusal means for the object.
fn refusal_plan<C: Case>(case: &C, step: &Step, refused: &Refused, mut sayings: Vec<Saying>) -> Plan {
    let failure = &refused.failure;
    let told = told(case, step, refused);
    let mut replace_ready = |saying: Saying| {
        sayings.retain(|other| other.condition != ConditionType::Ready);
        sayings.push(saying);
    };
    match meaning_for(step, failure.meaning) {
        Meaning::UserMustAct(reason) => {
            replace_ready(ready(Truth::False, reason, told.clone()));
            sayings.push(say(ConditionType::Stalled, Truth::True, reason, told));
            Plan::saying(Next::Person, sayings)
        }
        Meaning::Waiting(reason) => {
            replace_ready(ready(Truth::False, reason, told));
            Plan::saying(Next::Others, sayings)
        }
        Meaning::Credentials(reason) => {
            // The account says it once; what was ready stays so.
            if was_ready(case.status()) {
                sayings.retain(|other| other.condition != ConditionType::Ready);
            } else {
                replace_ready(ready(Truth::False, reason, format!("{told}; see the CloudAccount")));
            }
            Plan::saying(Next::Person, sayings)
        }
        Meaning::Throttled | Meaning::Unavailable => {
            let reason =
                if failure.meaning == Meaning::Throttled { Reason::Throttled } else { Reason::CloudUnavailable };
            let lasting = refused.attempts > 1 && case.ground().now.since(first_refusal(case, refused)) >= GRACE;
            if lasting || !was_ready(case.status()) {
                replace_ready(ready(Truth::False, reason, told.clone()));
            } else {
                sayings.retain(|other| other.condition != ConditionType::Ready);
            }
            sayings.push(say(ConditionType::Reconciling, Truth::True, reason, told));
            Plan::saying(Next::Moving { since: None }, sayings)
        }
        Meaning::InTransition | Meaning::Gone | Meaning::Done | Meaning::DryRun | Meaning::TokenReused => {
            sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, told));
            Plan::saying(Next::Moving { since: None }, sayings)
        }
        Meaning::Unexpected => {
            replace_ready(ready(Truth::False, Reason::UnexpectedError, told));
            Plan::saying(Next::Moving { since: None }, sayings)
        }
    }
}

/// The refusal in a sentence. Who is to be let in is named where that is what is missing.
fn told<C: Case>(case: &C, step: &Step, refused: &Refused) -> String {
    let failure = &refused.failure;
    let told = format!("{} of {}: {failure}", step.verb(), step.subject());
    if failure.meaning == Meaning::Waiting(Reason::NotWhitelisted) {
        return format!("the account to be listed is {}: {told}", case.ground().place.account);
    }
    told
}

fn first_refusal<C: Case>(case: &C, refused: &Refused) -> Moment {
    moving_since(case).unwrap_or(refused.at)
}
