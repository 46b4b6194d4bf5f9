//! Which cloud object is this object's: by the id it knows, by adoption, or by ownership tag.
//! An empty or missing read is never an answer.

use crate::condition::Reason;
use crate::desired::Adoption;
use crate::id::CloudId;
use crate::moment::Moment;
use crate::observed::{Facet, Whole};
use crate::owner::Ownership;
use crate::plan::case::{ANY, Case, FRESH, LONGEST_CALL, YOUNG, moving, moving_since, stale};
use crate::plan::{Next, Plan, Truth, ready};
use crate::read::FacetKey;
use crate::state::LifeState;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// This one.
    Known(CloudId),
    /// There is none, for certain.
    Nothing,
}

type Found = Result<Identity, Box<Plan>>;

fn end<T>(plan: Plan) -> Result<T, Box<Plan>> {
    Err(Box::new(plan))
}

fn look<C: Case, T>(case: &C, facet: FacetKey, since: Moment) -> Result<T, Box<Plan>> {
    end(Plan::looking(stale(case, &[facet], since)))
}

/// Which one is it?
pub(crate) fn identify<C: Case>(case: &C) -> Found {
    if case.ground().laid.snapshot.vanished.contains(&C::SORT) {
        let message = format!(
            "every {} that was known in this account and region has vanished at once: nothing is concluded from it; check the account, then request a reconcile of the CloudAccount",
            C::SORT.noun()
        );
        return end(Plan::saying(Next::Person, [ready(Truth::Unknown, Reason::CloudUnavailable, message)]));
    }
    match (case.id(), &case.desired().adoption) {
        (Some(id), _) => known(case, &id),
        (None, Adoption::No) => by_tag(case),
        (None, Adoption::Yes(id)) => adopted(case, id),
        (None, Adoption::NotPermitted(id)) => end(Plan::stuck(
            Reason::AccountNotPermitted,
            format!(
                "the account does not let this namespace adopt, so {id} is left alone: add the namespace to the CloudAccount's adoption"
            ),
        )),
        (None, Adoption::ClaimedBy(id, holder)) => end(Plan::stuck(
            Reason::OwnershipConflict,
            format!("{id} is adopted by {holder}, which was first: delete one of the two"),
        )),
    }
}

/// The one whose id the status holds.
fn known<C: Case>(case: &C, id: &CloudId) -> Found {
    let snapshot = &case.ground().laid.snapshot;
    let Some(listed_at) = snapshot.listed_at(C::SORT) else { return look(case, FacetKey::all(C::SORT), ANY) };
    match (snapshot.whole(id), snapshot.lists(id)) {
        (Facet::Unseen, _) => look(case, FacetKey::whole(id), ANY),
        // Absence is concluded only from a read by id and a list, one of which comes after the other: a read by id
        // may also miss a part of what is there.
        (Facet::Seen { at, value: None }, true) => look(case, FacetKey::all(C::SORT), at),
        (Facet::Seen { value: None, .. }, false) => lost(case, id),
        (Facet::Seen { at, .. }, false) if at < listed_at => look(case, FacetKey::whole(id), listed_at),
        (Facet::Seen { value: Some(whole), .. }, _) => believed(case, &whole),
    }
}

/// A confirmed absence of a known id.
fn lost<C: Case>(case: &C, id: &CloudId) -> Found {
    let (desired, now) = (case.desired(), case.ground().now);
    let shown = !matches!(case.shown(), None | Some(LifeState::Creating));
    // What no read has shown yet is as old as the wait for it, however old the object that asks for it.
    let born = if shown { Some(desired.created) } else { moving_since(case) };
    let concluded = case.status().conditions.iter().any(|one| one.reason == Reason::ExternallyDeleted);
    let grown = born.filter(|_| !concluded).map(|born| born + YOUNG);
    let young = !concluded && grown.is_none_or(|grown| now < grown);
    if desired.deleting && shown {
        return Ok(Identity::Nothing);
    }
    // Nothing may have been read for as long as it has grown: what was missed before says nothing.
    let read_at = case.ground().laid.snapshot.whole(id).at();
    if let Some(grown) = grown.filter(|grown| !young && read_at.is_none_or(|at| at < *grown)) {
        return look(case, FacetKey::whole(id), grown);
    }
    if desired.deleting && !young {
        return Ok(Identity::Nothing);
    }
    if desired.annotations.allow_recreate.as_deref() == Some(id.as_str()) {
        return Ok(Identity::Nothing);
    }
    if young && !(shown && missed_twice(case, id)) {
        // A fresh id is not seen by every reader at once.
        return end(moving(case, &[FacetKey::whole(id)], &format!("{id} is not visible yet"), Vec::new()));
    }
    end(Plan::stuck(
        Reason::ExternallyDeleted,
        format!(
            "{id} no longer exists and was not deleted by us; it is not made again by itself: set the annotation privatelink.dev/allow-recreate to {id}, or delete this object"
        ),
    ))
}

/// The object is missing from a second read, which left a while after the first was reported.
fn missed_twice<C: Case>(case: &C, id: &CloudId) -> bool {
    let read_at = case.ground().laid.snapshot.whole(id).at();
    moving_since(case).zip(read_at).is_some_and(|(since, at)| at >= since + FRESH)
}

/// An id is believed only if the ownership tags agree, or if it was adopted.
fn believed<C: Case>(case: &C, whole: &Whole<'_>) -> Found {
    let id = whole.id.clone();
    let adopted = matches!(&case.desired().adoption, Adoption::Yes(adopted) if *adopted == id);
    let Some(tags) = whole.tags else {
        // A read by id shows no tags; a list that is as young does.
        let read_at = case.ground().laid.snapshot.whole(&id).at().unwrap_or(ANY);
        return look(case, FacetKey::all(C::SORT), read_at);
    };
    match case.desired().owner.of(tags) {
        Ownership::Ours => Ok(Identity::Known(id)),
        Ownership::Nobodys if adopted => Ok(Identity::Known(id)),
        Ownership::Namesake(uid) if !case.ground().living.contains(&uid) => Ok(Identity::Known(id)),
        Ownership::Namesake(uid) => end(conflict(&id, &format!("an object of the same name with uid {uid}"))),
        Ownership::Foreign(owner) => end(conflict(&id, &owner)),
        Ownership::Nobodys => end(Plan::stuck(
            Reason::OwnershipConflict,
            format!(
                "{id} has lost its ownership tags, so nothing is changed on it: set adopt.id to {id} to take it over again"
            ),
        )),
    }
}

/// The one that the object asks to take over.
fn adopted<C: Case>(case: &C, id: &CloudId) -> Found {
    let ground = case.ground();
    match ground.laid.snapshot.whole(id) {
        Facet::Unseen => look(case, FacetKey::whole(id), ANY),
        Facet::Seen { value: Some(whole), .. } => believed(case, &whole),
        Facet::Seen { value: None, .. } => end(Plan::stuck(
            Reason::ReferenceNotFound,
            format!("adopt.id: {id} does not exist in {}: correct the id, or the account", ground.place),
        )),
    }
}

/// The one that carries our ownership tags.
fn by_tag<C: Case>(case: &C) -> Found {
    let (desired, ground) = (case.desired(), case.ground());
    let since = match &case.creation().creating {
        // A live object repeats its create call with the token it had, whatever became of the first.
        Some(creating) if !desired.deleting => creating.at,
        // Nothing repeats it any more: it must have ended before a list can say that there is nothing.
        Some(creating) => creates_over(case, creating.at),
        None => ANY,
    };
    if ground.now < since {
        let message = "a create call may still be on its way: what it makes is looked for and deleted";
        let waits = Plan::saying(Next::At(since), [ready(Truth::False, Reason::Deleting, message)]);
        return end(waits);
    }
    let snapshot = &ground.laid.snapshot;
    if snapshot.listed_at(C::SORT).is_none_or(|at| at < since) {
        return look(case, FacetKey::all(C::SORT), since);
    }
    let mut matches = Vec::new();
    for whole in snapshot.wholes(C::SORT) {
        let Some(tags) = whole.tags else {
            // A read by id shows no tags; a list that is as young does, unless it is gone.
            let read_at = snapshot.whole(&whole.id).at().unwrap_or(ANY);
            if snapshot.listed_at(C::SORT).is_none_or(|at| at < read_at) {
                return look(case, FacetKey::all(C::SORT), read_at);
            }
            continue;
        };
        match desired.owner.of(tags) {
            Ownership::Ours => matches.push((whole.id, None)),
            Ownership::Namesake(uid) if *whole.state != LifeState::Deleting => matches.push((whole.id, Some(uid))),
            Ownership::Namesake(_) | Ownership::Foreign(_) | Ownership::Nobodys => {}
        }
    }
    match matches.as_slice() {
        [] => Ok(Identity::Nothing),
        [(id, Some(uid))] if ground.living.contains(uid) => {
            end(conflict(id, &format!("an object of the same name with uid {uid}")))
        }
        [(id, _)] => Ok(Identity::Known(id.clone())),
        several => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            end(Plan::stuck(
                Reason::AmbiguousMatch,
                format!(
                    "several {}s carry this object's ownership tags: {}; nothing is done until all but one are deleted or lose the tags",
                    C::SORT.noun(),
                    ids.join(", ")
                ),
            ))
        }
    }
}

fn conflict(id: &CloudId, owner: &str) -> Plan {
    Plan::stuck(
        Reason::OwnershipConflict,
        format!(
            "{id} belongs to {owner} by its ownership tags: nothing is changed on it; delete the object that should not have it"
        ),
    )
}

/// When the last create call that may have been on its way has certainly ended. One that was written down
/// before this process began may have been made until then; one of our own is over with its answer.
pub(crate) fn creates_over<C: Case>(case: &C, written: Moment) -> Moment {
    let ground = case.ground();
    let others = (written < ground.started.whole_second()).then_some(ground.started);
    let last = others.max(ground.tries.lost_create());
    last.map_or(written, |last| last + LONGEST_CALL)
}
