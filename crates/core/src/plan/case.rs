//! What the planners of all sorts have in common: what they are told, when nothing may be done, what is waited
//! for, and what must be read again.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::desired;
use crate::id::{CloudId, Sort};
use crate::moment::Moment;
use crate::observed::Facet;
use crate::overlay::{Laid, read_at};
use crate::place::Place;
use crate::plan::{Next, Pin, Plan, Saying, Tries, Truth, ready, say};
use crate::read::{FacetKey, Look};
use crate::state::LifeState;
use crate::status::{self, Creation};

/// How old a look may be while something moves: younger ones are shared by all that wait.
pub(crate) const FRESH: Duration = Duration::from_secs(1);
/// An object younger than this may not be seen by every reader of the cloud yet.
pub(crate) const YOUNG: Duration = Duration::from_mins(5);
/// Longest that a call can be on its way, the client's time-out included.
pub(crate) const LONGEST_CALL: Duration = Duration::from_mins(1);
/// A read of any age.
pub(crate) const ANY: Moment = Moment(i64::MIN);

/// What every planner is told, whatever it plans for.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Where the account of the object is.
    pub place: &'a Place,
    /// What the cloud holds, our own writes laid over it.
    pub laid: &'a Laid,
    /// What became of earlier steps.
    pub tries: &'a Tries,
    /// Uids of all objects of this kind that live.
    pub living: &'a BTreeSet<String>,
    /// Since when this process is the one that writes: an earlier one may have made calls until then.
    pub started: Moment,
    /// Now.
    pub now: Moment,
}

/// One object in one turn, as far as all kinds are alike.
pub(crate) trait Subject {
    fn ground(&self) -> &Ground<'_>;

    /// Its uid: pauses of objects that failed together differ by it.
    fn uid(&self) -> &str;

    /// Generation of its spec.
    fn generation(&self) -> i64;

    /// The optional fields that it declares.
    fn declared_fields(&self) -> BTreeSet<String>;

    /// What was written down, of what all statuses have.
    fn status(&self) -> &status::Common;
}

/// One object of one sort of cloud objects in one turn, as far as all sorts are alike.
pub(crate) trait Case: Subject {
    /// Its sort.
    const SORT: Sort;

    /// What it declares.
    fn desired(&self) -> &desired::Common;

    /// What was written down of its making.
    fn creation(&self) -> &Creation;

    /// The cloud object that was written down.
    fn id(&self) -> Option<CloudId>;

    /// The state that was written down.
    fn shown(&self) -> Option<&LifeState>;
}

/// One turn: nothing may be done at all, or what was done must be read again, or it goes, or it lives.
pub(crate) fn turn<C: Case>(case: &C, teardown: impl FnOnce(&C) -> Plan, live: impl FnOnce(&C) -> Plan) -> Plan {
    let plan = if case.desired().annotations.paused {
        Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, paused_message(case))])
    } else if let Some(plan) = misplaced(case) {
        plan
    } else if let Some(plan) = doubtful(case) {
        plan
    } else if case.desired().deleting {
        teardown(case)
    } else {
        live(case)
    };
    with_valid(plan)
}

/// What a call without an answer may have changed is read again before anything is concluded from it. What has been
/// found to be gone since has no parts that could be read.
pub(crate) fn doubtful<S: Subject>(case: &S) -> Option<Plan> {
    let snapshot = &case.ground().laid.snapshot;
    let gone = |facet: &FacetKey, since: Moment| {
        let seen = facet.object().map(|id| snapshot.whole(&id));
        seen.is_some_and(|seen| matches!(seen, Facet::Seen { at, value: None } if at >= since))
    };
    let doubts = case.ground().tries.doubts().filter(|(facet, since)| !gone(facet, *since));
    let looks: Vec<Look> = doubts.flat_map(|(facet, since)| stale(case, &[facet.shared()], since)).collect();
    (!looks.is_empty()).then(|| Plan::looking(looks))
}

/// The account now leads elsewhere than where the object was made: no read of that place speaks of it.
fn misplaced<C: Case>(case: &C) -> Option<Plan> {
    let (creation, place) = (case.creation(), case.ground().place);
    let account = creation.account.as_ref().filter(|pinned| **pinned != place.account);
    let region = creation.region.as_ref().filter(|pinned| **pinned != place.region);
    if account.is_none() && region.is_none() {
        return None;
    }
    let pinned = creation.account.as_ref().map_or("an account", |account| account.as_str());
    let at = creation.region.as_ref().map_or("a region", |region| region.as_str());
    Some(Plan::stuck(
        Reason::AccountMismatch,
        format!(
            "the {} lives in account {pinned}, {at}, but the CloudAccount leads to {place}: restore the CloudAccount; nothing is read or written until then",
            C::SORT.noun()
        ),
    ))
}

fn paused_message<C: Case>(case: &C) -> String {
    let what = if case.desired().deleting { "deletion waits" } else { "nothing is changed" };
    format!("paused by the annotation privatelink.dev/paused: {what} until it is removed")
}

/// A spec that came this far fits its cloud, unless the plan itself says otherwise.
pub(crate) fn with_valid(mut plan: Plan) -> Plan {
    if !plan.sayings.is_empty() && !plan.sayings.iter().any(|saying| saying.condition == ConditionType::Valid) {
        plan.sayings.push(say(ConditionType::Valid, Truth::True, Reason::Ready, "the spec fits the account's cloud"));
    }
    plan
}

/// An object that is only observed names what it observes; the schema asks for it, and one from before that rule
/// may have nothing.
pub(crate) fn observes_nothing<C: Case>() -> Plan {
    let noun = C::SORT.noun();
    let message = format!("managementPolicy: Observe needs adopt: set adopt.id to the {noun} to observe");
    Plan::stuck(Reason::InvalidSpec, message)
}

/// Since when the object has been waiting for the cloud.
pub(crate) fn moving_since<S: Subject>(case: &S) -> Option<Moment> {
    since(case, ConditionType::Reconciling, Truth::True)
}

/// Since when a condition has had this truth.
pub(crate) fn since<S: Subject>(case: &S, condition: ConditionType, truth: Truth) -> Option<Moment> {
    let conditions = &case.status().conditions;
    conditions.iter().find(|one| one.condition == condition && one.truth == truth).map(|one| one.since)
}

/// Something moves: what is said, and a read of it once the last one is not fresh any more.
pub(crate) fn moving<S: Subject>(case: &S, facets: &[FacetKey], message: &str, mut sayings: Vec<Saying>) -> Plan {
    sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, message));
    let mut plan = Plan::saying(Next::Moving { since: moving_since(case) }, sayings);
    plan.looks = stale(case, facets, case.ground().now - FRESH);
    plan
}

/// Looks at those parts that were not read at `since` or later.
pub(crate) fn stale<S: Subject>(case: &S, facets: &[FacetKey], since: Moment) -> Vec<Look> {
    let old = |facet: &&FacetKey| read_at(&case.ground().laid.snapshot, facet).is_none_or(|at| at < since);
    facets.iter().filter(old).map(|facet| Look { facet: facet.clone(), not_older_than: since }).collect()
}

/// Before a field that is declared for the first time is set in the cloud, it is written down: should the
/// process die in between, its removal from the spec is still seen.
pub(crate) fn written_first<C: Case>(case: &C, facts: &[Saying]) -> Option<Plan> {
    if case.declared_fields().is_subset(&case.status().declared_fields) {
        return None;
    }
    let place = case.ground().place;
    let pin = Pin {
        account: place.account.clone(),
        region: place.region.clone(),
        incarnation: case.creation().incarnation,
        creating: None,
    };
    let mut plan = moving(case, &[], "newly declared fields are written down", facts.to_vec());
    plan.pin = Some(pin);
    Some(plan)
}

/// What our own word alone says of the object is read before it counts: ready needs a read that left after the
/// last write's answer.
pub(crate) fn confirmed<C: Case>(case: &C, id: &CloudId, facts: &[Saying]) -> Option<Plan> {
    let laid = case.ground().laid;
    // Who is let in and what becomes of connections is written and confirmed by others.
    let own = |facet: &FacetKey| !matches!(facet, FacetKey::Connections(_) | FacetKey::Principals(_));
    let unconfirmed = laid.unconfirmed.iter().filter(|(facet, _)| own(facet) && facet.object().as_ref() == Some(id));
    let unconfirmed: Vec<(FacetKey, Moment)> = unconfirmed.map(|(facet, since)| (facet.shared(), *since)).collect();
    if unconfirmed.is_empty() {
        return None;
    }
    let facts = facts.iter().filter(|saying| saying.condition != ConditionType::Ready).cloned().collect();
    let looks = unconfirmed.iter().flat_map(|(facet, since)| stale(case, std::slice::from_ref(facet), *since));
    Some(Plan {
        looks: looks.collect(),
        ..moving(case, &[], &format!("the changes of {id} are being confirmed"), facts)
    })
}
