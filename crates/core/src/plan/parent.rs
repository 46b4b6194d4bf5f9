//! The service that an entry or an assignment is for: whether anything may be done for it.

use crate::condition::{ConditionType, Reason};
use crate::desired::{Parent, ParentService};
use crate::id::Sort;
use crate::observed::{Facet, Service, ServiceView, Snapshot};
use crate::owner;
use crate::plan::case::{ANY, Subject, moving, stale};
use crate::plan::{Next, Plan, Truth, ready, say};
use crate::read::FacetKey;
use crate::state::LifeState;

/// An object that stands under a service of this cluster.
pub(crate) trait Ward: Subject {
    /// The condition that does not hold while there is no service.
    const HINGES: ConditionType;
    /// Why it goes without a call where there is no service.
    const NOWHERE: &'static str;
    /// What stays as it is where it may change nothing.
    const STAYS: &'static str;

    /// The service.
    fn parent(&self) -> &Parent;

    /// It is being deleted.
    fn deleting(&self) -> bool;

    /// It has something in the cloud that its deletion would have to end, as far as its status says.
    fn has_acted(&self) -> bool;
}

/// A service that can be acted on, as its object says and as it was seen.
#[derive(Clone, Copy)]
pub(crate) struct Home<'a> {
    pub(crate) parent: &'a ParentService,
    pub(crate) service: &'a Service,
    pub(crate) view: &'a ServiceView,
}

/// The service, where it exists.
pub(crate) const fn of(parent: &Parent) -> Option<&ParentService> {
    match parent {
        Parent::Service(service) => Some(service),
        Parent::Absent(_) | Parent::Awaited(_) => None,
    }
}

/// Why an object that is deleted goes without a call, where the object of its service is enough to say so. One that
/// `has_acted` waits for an object that has lost its status.
pub(crate) fn left_alone<W: Ward>(parent: &Parent, has_acted: bool) -> Option<String> {
    let service = match parent {
        Parent::Awaited(_) if has_acted => return None,
        Parent::Absent(_) | Parent::Awaited(_) => return Some(W::NOWHERE.to_owned()),
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
    Some(format!("{} {why}, and {}", service.id, W::STAYS))
}

/// The service was adopted, and its own object has not taken it over: nothing is taken away from its connections yet.
pub(crate) fn is_unapproved(parent: &ParentService, service: &Service) -> bool {
    let tag = service.tags.as_ref().and_then(|tags| tags.get(owner::UID));
    parent.unapproved.as_ref().is_some_and(|uid| tag != Some(uid))
}

/// The service as far as it can be seen, whether or not anything may be done for it.
pub(crate) fn shown<'a>(parent: &'a Parent, snapshot: &'a Snapshot) -> Option<Home<'a>> {
    let parent = of(parent)?;
    let view = snapshot.service(&parent.id)?;
    Some(Home { parent, service: view.service.value()?.as_ref()?, view })
}

/// What is said and done where nothing may be done for the service, as its own object says.
pub(crate) fn unusable<W: Ward>(ward: &W) -> Option<Plan> {
    let (deleting, parent) = (ward.deleting(), ward.parent());
    if deleting && let Some(why) = left_alone::<W>(parent, ward.has_acted()) {
        return Some(left(&why));
    }
    let waits = waits::<W>;
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
    let place = ward.ground().place;
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
pub(crate) fn seen<'a, W: Ward>(ward: &W, parent: &'a Parent, snapshot: &'a Snapshot) -> Result<Home<'a>, Box<Plan>> {
    let end = |plan| Err(Box::new(plan));
    let waits = waits::<W>;
    let Some(parent) = of(parent) else { return end(waits("there is no service yet".to_owned())) };
    let id = &parent.id;
    let facet =
        if snapshot.listed_services.at().is_none() { FacetKey::Services } else { FacetKey::Service(id.clone()) };
    let looks = || Plan::looking(stale(ward, &[facet], ANY));
    let Some(view) = snapshot.service(id) else { return end(looks()) };
    let service = match &view.service {
        Facet::Unseen => return end(looks()),
        Facet::Seen { value: Some(service), .. } => service,
        Facet::Seen { value: None, .. } if snapshot.vanished.contains(&Sort::Service) => {
            let message = "every service of the account has vanished at once: nothing is concluded from it";
            return end(Plan::saying(Next::Others, [ready(Truth::Unknown, Reason::CloudUnavailable, message)]));
        }
        Facet::Seen { value: None, .. } if ward.deleting() => {
            return end(left(&format!("{id} no longer exists")));
        }
        Facet::Seen { value: None, .. } => {
            return end(waits(format!("{id} no longer exists: see its EndpointService")));
        }
    };
    match service.state {
        LifeState::Deleting if ward.deleting() => end(left(&format!("{id} is being deleted"))),
        LifeState::Deleting => end(waits(format!("{id} is being deleted"))),
        LifeState::Creating => {
            let message = format!("{id} is being created");
            let sayings = waits(message.clone()).sayings;
            end(moving(ward, &[FacetKey::Services], &message, sayings))
        }
        _ => Ok(Home { parent, service, view }),
    }
}

fn left(why: &str) -> Plan {
    Plan::released(Reason::Deleting, format!("nothing is changed in the cloud: {why}"))
}

fn waits<W: Ward>(message: String) -> Plan {
    let mut plan = Plan::waiting(Reason::WaitingForService, message.clone());
    plan.sayings.push(say(W::HINGES, Truth::False, Reason::WaitingForService, message));
    plan
}
