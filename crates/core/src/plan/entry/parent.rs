//! The service that an entry is for: whether anything may be done for it.

use crate::condition::{ConditionType, Reason};
use crate::desired::{Parent, ParentService};
use crate::id::Sort;
use crate::observed::Facet;
use crate::plan::case::{ANY, moving, stale};
use crate::plan::entry::{Input, Scene};
use crate::plan::{Next, Plan, Truth, ready, say};
use crate::read::FacetKey;
use crate::state::LifeState;
use crate::status::EntryStatus;

/// The service, where it exists.
pub(super) fn of<'a>(input: &Input<'a>) -> Option<&'a ParentService> {
    match &input.desired.parent {
        Parent::Service(service) => Some(service),
        Parent::Absent(_) | Parent::Awaited(_) => None,
    }
}

/// Why an entry that is deleted goes without a call, where the object of its service is enough to say so. One that has
/// acted waits for an object that has lost its status.
#[must_use]
pub fn left_alone(parent: &Parent, status: &EntryStatus) -> Option<String> {
    let has_acted = status.allowed.is_some() || status.common.observed_generation < 0;
    let service = match parent {
        Parent::Awaited(_) if has_acted => return None,
        Parent::Absent(_) | Parent::Awaited(_) => {
            return Some("there is no service whose list could hold the principal".to_owned());
        }
        Parent::Service(service) => service,
    };
    let why = if service.deleting {
        "is being deleted"
    } else if service.observed {
        "is observed only"
    } else if service.disowned.is_some() {
        "is not its EndpointService's"
    } else {
        return None;
    };
    Some(format!("{} {why}, and its list stays as it is", service.id))
}

/// What is said and done where nothing may be done for the service, as its own object says.
pub(super) fn unusable(input: &Input<'_>) -> Option<Plan> {
    let (deleting, parent) = (input.desired.deleting, &input.desired.parent);
    if deleting && let Some(why) = left_alone(parent, input.status) {
        return Some(left(&why));
    }
    let service = match parent {
        Parent::Service(service) => service,
        Parent::Absent(message) | Parent::Awaited(message) => return Some(waits(message.clone())),
    };
    let id = &service.id;
    if service.paused {
        let what = if deleting { "deletion waits" } else { "nothing is changed" };
        let message = format!("the EndpointService of {id} is paused: {what} until it is not");
        return Some(Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, message)]));
    }
    if service.observed {
        let message = format!("{id} is observed only: set managementPolicy: Manage on its EndpointService");
        return Some(Plan::stuck(Reason::ParentNotManaged, message));
    }
    let place = input.ground.place;
    if service.account != place.account || service.region != place.region {
        let message = format!(
            "{id} lives in account {}, {}, but the CloudAccount leads to {place}: restore the CloudAccount; nothing is read or written until then",
            service.account, service.region
        );
        return Some(Plan::stuck(Reason::AccountMismatch, message));
    }
    service.disowned.as_ref().map(|why| waits(format!("nothing is done for {id}, as its EndpointService says: {why}")))
}

/// The service as it was seen, if it is one that can be acted on.
pub(super) fn seen<'a>(input: &'a Input<'a>) -> Result<Scene<'a>, Box<Plan>> {
    let end = |plan| Err(Box::new(plan));
    let Some(parent) = of(input) else { return end(waits("there is no service yet".to_owned())) };
    let (id, snapshot) = (&parent.id, &input.ground.laid.snapshot);
    let facet =
        if snapshot.listed_services.at().is_none() { FacetKey::Services } else { FacetKey::Service(id.clone()) };
    let looks = || Plan::looking(stale(input, &[facet], ANY));
    let Some(view) = snapshot.service(id) else { return end(looks()) };
    let service = match &view.service {
        Facet::Unseen => return end(looks()),
        Facet::Seen { value: Some(service), .. } => service,
        Facet::Seen { value: None, .. } if snapshot.vanished.contains(&Sort::Service) => {
            let message = "every service of the account has vanished at once: nothing is concluded from it";
            return end(Plan::saying(Next::Others, [ready(Truth::Unknown, Reason::CloudUnavailable, message)]));
        }
        Facet::Seen { value: None, .. } if input.desired.deleting => {
            return end(left(&format!("{id} no longer exists")));
        }
        Facet::Seen { value: None, .. } => {
            return end(waits(format!("{id} no longer exists: see its EndpointService")));
        }
    };
    match service.state {
        LifeState::Deleting if input.desired.deleting => end(left(&format!("{id} is being deleted"))),
        LifeState::Deleting => end(waits(format!("{id} is being deleted"))),
        LifeState::Creating => {
            let message = format!("{id} is being created");
            let sayings = waits(message.clone()).sayings;
            end(moving(input, &[FacetKey::Services], &message, sayings))
        }
        _ => Ok(Scene { input, parent, service, view }),
    }
}

fn left(why: &str) -> Plan {
    Plan::released(Reason::Deleting, format!("nothing is changed in the cloud: {why}"))
}

fn waits(message: String) -> Plan {
    let mut plan = Plan::waiting(Reason::WaitingForService, message.clone());
    plan.sayings.push(say(ConditionType::Allowed, Truth::False, Reason::WaitingForService, message));
    plan
}
