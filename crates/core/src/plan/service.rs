//! The provider's planner: what is to be done so that a service is as declared.
//!
//! One turn: is there a place, may anything be done at all, which service is it ([`identity`]), is there none
//! yet ([`create`]), is it as declared ([`converge`]), or does it go ([`teardown`]).

mod converge;
mod create;
mod identity;
mod teardown;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::desired::{DesiredService, Management};
use crate::error::Meaning;
use crate::id::ServiceId;
use crate::moment::Moment;
use crate::observed::{Resource, ResourceKey, ServiceView};
use crate::overlay::{Laid, read_at};
use crate::place::Place;
use crate::plan::{Next, Plan, Planned, Refused, Saying, Tries, Truth, ready, say, was_ready};
use crate::read::{FacetKey, Look};
use crate::requeue;
use crate::status::ServiceStatus;
use crate::step::Step;

pub(crate) use identity::Identity;

/// How old a look may be while something moves: younger ones are shared by all that wait.
const FRESH: Duration = Duration::from_secs(1);
/// An object younger than this may not be seen by every reader of the cloud yet.
const YOUNG: Duration = Duration::from_mins(5);
/// Longest that a call can be on its way, the client's time-out included.
const LONGEST_CALL: Duration = Duration::from_mins(1);

/// What the planner is told.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is declared.
    pub desired: &'a DesiredService,
    /// What the last turns wrote down.
    pub status: &'a ServiceStatus,
    /// Where the account of the object is.
    pub place: &'a Place,
    /// What the cloud holds, our own writes laid over it.
    pub laid: &'a Laid,
    /// What became of earlier steps.
    pub tries: &'a Tries,
    /// Uids of all objects of this kind that live.
    pub living: &'a BTreeSet<String>,
    /// Principals that a whitelist entry of this service names.
    pub principals: &'a BTreeSet<String>,
    /// Since when this process is the one that writes: an earlier one may have made calls until then.
    pub started: Moment,
    /// Now.
    pub now: Moment,
}

/// One turn of one object.
#[must_use]
pub fn plan(input: &Input<'_>) -> Plan {
    let plan = if input.desired.annotations.paused {
        Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, paused_message(input))])
    } else if let Some(plan) = misplaced(input) {
        plan
    } else if let Some(plan) = doubtful(input) {
        plan
    } else if input.desired.deleting {
        teardown::plan(input)
    } else {
        live(input)
    };
    with_valid(plan)
}

/// What a call without an answer may have changed is read again before anything is concluded from it.
fn doubtful(input: &Input<'_>) -> Option<Plan> {
    let doubts = input.tries.doubts();
    let looks: Vec<Look> = doubts.flat_map(|(facet, since)| stale(input, &[converge::shared(facet)], since)).collect();
    (!looks.is_empty()).then(|| Plan::looking(looks))
}

fn live(input: &Input<'_>) -> Plan {
    match identity::identify(input) {
        Err(plan) => *plan,
        Ok(Identity::Known(id)) => Plan { identity: Some(id.clone()), ..converge::plan(input, &id) },
        Ok(Identity::Nothing) if input.desired.management == Management::Observe => {
            // The schema asks for `adopt` beside Observe; an object from before that rule has none.
            Plan::stuck(
                Reason::InvalidSpec,
                "managementPolicy: Observe needs adopt: set adopt.id to the service to observe",
            )
        }
        Ok(Identity::Nothing) => create::plan(input),
    }
}

/// The account now leads elsewhere than where the object was made: no read of that place speaks of it.
fn misplaced(input: &Input<'_>) -> Option<Plan> {
    let status = input.status;
    let account = status.account.as_ref().filter(|pinned| **pinned != input.place.account);
    let region = status.region.as_ref().filter(|pinned| **pinned != input.place.region);
    if account.is_none() && region.is_none() {
        return None;
    }
    let pinned = status.account.as_ref().map_or("an account", |account| account.as_str());
    let at = status.region.as_ref().map_or("a region", |region| region.as_str());
    Some(Plan::stuck(
        Reason::AccountMismatch,
        format!(
            "the service lives in account {pinned}, {at}, but the CloudAccount leads to {}: restore the CloudAccount; nothing is read or written until then",
            input.place
        ),
    ))
}

fn paused_message(input: &Input<'_>) -> String {
    let what = if input.desired.deleting { "deletion waits" } else { "nothing is changed" };
    format!("paused by the annotation privatelink.dev/paused: {what} until it is removed")
}

/// What is known of a service's two parts that decide.
pub(crate) fn view<'a>(input: &Input<'a>, id: &ServiceId) -> Option<&'a ServiceView> {
    input.laid.snapshot.service(id)
}

pub(crate) fn resources<'a>(input: &Input<'a>, id: &ServiceId) -> Option<&'a BTreeMap<ResourceKey, Resource>> {
    view(input, id).and_then(|view| view.resources.value())
}

/// The load balancer can be detached now: nothing uses it, and its zone keeps one that allows automatic
/// allocation as long as others are there.
pub(crate) fn detachable(held: &BTreeMap<ResourceKey, Resource>, key: &ResourceKey) -> bool {
    let Some(resource) = held.get(key) else { return false };
    let mut others = held.iter().filter(|(other, _)| *other != key && other.zone == key.zone).peekable();
    let alone = others.peek().is_none();
    let unused = resource.connections + resource.deprecated_connections == 0;
    unused && (!resource.auto_allocate || alone || others.any(|(_, other)| other.auto_allocate))
}

/// A spec that came this far fits its cloud, unless the plan itself says otherwise.
fn with_valid(mut plan: Plan) -> Plan {
    if !plan.sayings.is_empty() && !plan.sayings.iter().any(|saying| saying.condition == ConditionType::Valid) {
        plan.sayings.push(say(ConditionType::Valid, Truth::True, Reason::Ready, "the spec fits the account's cloud"));
    }
    plan
}

/// Since when the object has been waiting for the cloud.
pub(crate) fn moving_since(input: &Input<'_>) -> Option<Moment> {
    let conditions = &input.status.common.conditions;
    conditions
        .iter()
        .find(|condition| condition.condition == ConditionType::Reconciling && condition.truth == Truth::True)
        .map(|condition| condition.since)
}

/// Something moves: what is said, and a read of it once the last one is not fresh any more.
pub(crate) fn moving(input: &Input<'_>, facets: &[FacetKey], message: &str, mut sayings: Vec<Saying>) -> Plan {
    sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, message));
    let mut plan = Plan::saying(Next::Moving { since: moving_since(input) }, sayings);
    plan.looks = stale(input, facets, input.now - FRESH);
    plan
}

/// Looks at those parts that were not read at `since` or later.
pub(crate) fn stale(input: &Input<'_>, facets: &[FacetKey], since: Moment) -> Vec<Look> {
    let old = |facet: &&FacetKey| read_at(&input.laid.snapshot, facet).is_none_or(|at| at < since);
    facets.iter().filter(old).map(|facet| Look { facet: facet.clone(), not_older_than: since }).collect()
}

/// A step, unless its last refusal still stands; then what the refusal means for the object.
pub(crate) fn attempt(input: &Input<'_>, step: Step, token: Option<String>, sayings: Vec<Saying>, doing: &str) -> Plan {
    let refused = input.tries.refusal(&step, input.desired.generation, input.now);
    let Some(refused) = refused else {
        let mut sayings = sayings;
        sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, doing));
        return Plan::doing(step, token, sayings, moving_since(input));
    };
    let failure = &refused.failure;
    if matches!(failure.meaning, Meaning::Gone | Meaning::Waiting(Reason::BlockedByConnections)) {
        // What the step speaks of is not as it was thought to be: look before it is concluded, or tried again.
        let looks = stale(input, &spoken_of(&step), refused.at);
        if !looks.is_empty() {
            return Plan::looking(looks);
        }
    }
    let due =
        refused.at + requeue::pause(failure.meaning, refused.attempts, failure.retry_after, &input.desired.owner.uid);
    let mut plan = refusal_plan(input, &step, refused, sayings);
    if input.now >= due {
        plan.steps = vec![Planned { step, token }];
    } else if !matches!(failure.meaning, Meaning::UserMustAct(_)) {
        plan.next = Next::At(due);
    }
    plan
}

/// The part of the cloud that a step speaks of.
fn spoken_of(step: &Step) -> Vec<FacetKey> {
    match (step, step.service()) {
        (Step::RejectConnection(id, _), _) => vec![FacetKey::Connections(id.clone())],
        (Step::DetachResource(id, ..) | Step::DeleteService(id), _) => {
            vec![FacetKey::Service(id.clone()), FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]
        }
        (_, Some(id)) => vec![FacetKey::Service(id.clone())],
        (_, None) => Vec::new(),
    }
}

/// What a refusal means for the object.
fn refusal_plan(input: &Input<'_>, step: &Step, refused: &Refused, mut sayings: Vec<Saying>) -> Plan {
    let failure = &refused.failure;
    let told = format!("{} of {}: {failure}", step.verb(), step.subject());
    let mut replace_ready = |saying: Saying| {
        sayings.retain(|other| other.condition != ConditionType::Ready);
        sayings.push(saying);
    };
    match failure.meaning {
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
            if was_ready(&input.status.common) {
                sayings.retain(|other| other.condition != ConditionType::Ready);
            } else {
                replace_ready(ready(Truth::False, reason, format!("{told}; see the CloudAccount")));
            }
            Plan::saying(Next::Person, sayings)
        }
        Meaning::Throttled | Meaning::Unavailable => {
            let reason =
                if failure.meaning == Meaning::Throttled { Reason::Throttled } else { Reason::CloudUnavailable };
            let lasting = refused.attempts > 1 && input.now.since(first_refusal(input, refused)) >= super::GRACE;
            if lasting || !was_ready(&input.status.common) {
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

fn first_refusal(input: &Input<'_>, refused: &Refused) -> Moment {
    moving_since(input).unwrap_or(refused.at)
}
