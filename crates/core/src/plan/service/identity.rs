//! Which service in the cloud is this object's: by the id it knows, by adoption, or by ownership tag.
//! An empty or missing read is never an answer.

use crate::condition::Reason;
use crate::desired::Adoption;
use crate::id::ServiceId;
use crate::moment::Moment;
use crate::observed::Service;
use crate::owner::Ownership;
use crate::plan::service::{FRESH, Input, LONGEST_CALL, YOUNG, moving, moving_since, stale, view};
use crate::plan::{Next, Plan, Truth, ready};
use crate::read::FacetKey;
use crate::state::ServiceState;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// This service.
    Known(ServiceId),
    /// There is none, for certain.
    Nothing,
}

type Found = Result<Identity, Box<Plan>>;

fn end<T>(plan: Plan) -> Result<T, Box<Plan>> {
    Err(Box::new(plan))
}

fn look<T>(input: &Input<'_>, facet: FacetKey, since: Moment) -> Result<T, Box<Plan>> {
    end(Plan::looking(stale(input, &[facet], since)))
}

/// A read of any age.
const ANY: Moment = Moment(i64::MIN);

/// Which service is it?
pub(crate) fn identify(input: &Input<'_>) -> Found {
    if input.laid.snapshot.all_vanished {
        let message = "every service that was known in this account and region has vanished at once: nothing is concluded from it; check the account, then request a reconcile of the CloudAccount";
        return end(Plan::saying(Next::Person, [ready(Truth::Unknown, Reason::CloudUnavailable, message)]));
    }
    match (&input.status.service_id, &input.desired.adoption) {
        (Some(id), _) => known(input, id),
        (None, Adoption::No) => by_tag(input),
        (None, Adoption::Yes(id)) => adopted(input, id),
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

/// The service whose id the status holds.
fn known(input: &Input<'_>, id: &ServiceId) -> Found {
    let listed = &input.laid.snapshot.listed;
    let Some(services) = listed.value() else { return look(input, FacetKey::Services, ANY) };
    let seen = view(input, id).map(|view| &view.service);
    let unseen = seen.is_none_or(|facet| facet.value().is_none());
    let missed = !services.contains(id);
    let listed_at = listed.at().unwrap_or_default();
    let older = seen.and_then(crate::observed::Facet::at).is_none_or(|at| at < listed_at);
    if missed && older {
        // Absence is concluded only from a read by id after a list has missed it.
        return look(input, FacetKey::Service(id.clone()), listed_at);
    }
    if unseen {
        return look(input, FacetKey::Service(id.clone()), ANY);
    }
    match seen.and_then(crate::observed::Facet::value) {
        Some(Some(service)) => believed(input, service),
        _ => lost(input, id),
    }
}

/// A confirmed absence of a known id.
fn lost(input: &Input<'_>, id: &ServiceId) -> Found {
    let young = input.now.since(input.desired.created) < YOUNG;
    let shown = !matches!(input.status.state, None | Some(ServiceState::Creating));
    if input.desired.deleting && (shown || !young) {
        return Ok(Identity::Nothing);
    }
    if input.desired.annotations.allow_recreate.as_deref() == Some(id.as_str()) {
        return Ok(Identity::Nothing);
    }
    if young && !(shown && missed_twice(input, id)) {
        // A fresh id is not seen by every reader at once.
        return end(moving(input, &[FacetKey::Service(id.clone())], &format!("{id} is not visible yet"), Vec::new()));
    }
    end(Plan::stuck(
        Reason::ExternallyDeleted,
        format!(
            "{id} no longer exists and was not deleted by us; it is not made again by itself: set the annotation privatelink.dev/allow-recreate to {id}, or delete this object"
        ),
    ))
}

/// The service is missing from a second read, which left a while after the first was reported.
fn missed_twice(input: &Input<'_>, id: &ServiceId) -> bool {
    let read_at = view(input, id).and_then(|view| view.service.at());
    moving_since(input).zip(read_at).is_some_and(|(since, at)| at >= since + FRESH)
}

/// An id is believed only if the ownership tags agree, or if it was adopted.
fn believed(input: &Input<'_>, service: &Service) -> Found {
    let id = service.id.clone();
    let adopted = matches!(&input.desired.adoption, Adoption::Yes(adopted) if *adopted == id);
    let Some(tags) = &service.tags else {
        // A read by id shows no tags; a list that is as young does.
        let read_at = view(input, &id).and_then(|view| view.service.at()).unwrap_or(ANY);
        return look(input, FacetKey::Services, read_at);
    };
    match input.desired.owner.of(tags) {
        Ownership::Ours => Ok(Identity::Known(id)),
        Ownership::Nobodys if adopted => Ok(Identity::Known(id)),
        Ownership::Namesake(uid) if !input.living.contains(&uid) => Ok(Identity::Known(id)),
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

/// The service that the object asks to take over.
fn adopted(input: &Input<'_>, id: &ServiceId) -> Found {
    let seen = view(input, id).and_then(|view| view.service.value());
    match seen {
        None => look(input, FacetKey::Service(id.clone()), ANY),
        Some(Some(service)) => believed(input, service),
        Some(None) => end(Plan::stuck(
            Reason::ReferenceNotFound,
            format!("adopt.id: {id} does not exist in {}: correct the id, or the account", input.place),
        )),
    }
}

/// The service that carries our ownership tags.
fn by_tag(input: &Input<'_>) -> Found {
    let since = match &input.status.creating {
        // A live object repeats its create call with the token it had, whatever became of the first.
        Some(creating) if !input.desired.deleting => creating.at,
        // Nothing repeats it any more: it must have ended before a list can say that there is nothing.
        Some(creating) => creates_over(input, creating.at),
        None => ANY,
    };
    if input.now < since {
        let message = "a create call may still be on its way: what it makes is looked for and deleted";
        let waits = Plan::saying(Next::At(since), [ready(Truth::False, Reason::Deleting, message)]);
        return end(waits);
    }
    if input.laid.snapshot.listed.not_older_than(since).is_none() {
        return look(input, FacetKey::Services, since);
    }
    let mut matches = Vec::new();
    for service in input.laid.snapshot.present() {
        let Some(tags) = &service.tags else { continue };
        match input.desired.owner.of(tags) {
            Ownership::Ours => matches.push((service, None)),
            Ownership::Namesake(uid) if service.state != ServiceState::Deleting => matches.push((service, Some(uid))),
            Ownership::Namesake(_) | Ownership::Foreign(_) | Ownership::Nobodys => {}
        }
    }
    match matches.as_slice() {
        [] => Ok(Identity::Nothing),
        [(service, Some(uid))] if input.living.contains(uid) => {
            end(conflict(&service.id, &format!("an object of the same name with uid {uid}")))
        }
        [(service, _)] => Ok(Identity::Known(service.id.clone())),
        several => {
            let ids: Vec<&str> = several.iter().map(|(service, _)| service.id.as_str()).collect();
            end(Plan::stuck(
                Reason::AmbiguousMatch,
                format!(
                    "several services carry this object's ownership tags: {}; nothing is done until all but one are deleted or lose the tags",
                    ids.join(", ")
                ),
            ))
        }
    }
}

fn conflict(id: &ServiceId, owner: &str) -> Plan {
    Plan::stuck(
        Reason::OwnershipConflict,
        format!(
            "{id} belongs to {owner} by its ownership tags: nothing is changed on it; delete the object that should not have it"
        ),
    )
}

/// When the last create call that may have been on its way has certainly ended. One that was written down
/// before this process began may have been made until then; one of our own is over with its answer.
pub(crate) fn creates_over(input: &Input<'_>, written: Moment) -> Moment {
    let others = (written < input.started.whole_second()).then_some(input.started);
    let last = others.max(input.tries.lost_create());
    last.map_or(written, |last| last + LONGEST_CALL)
}
