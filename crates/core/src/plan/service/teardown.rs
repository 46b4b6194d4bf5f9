//! Deleting a service in the cloud's own order: its connections, its load balancers, then itself; or leaving
//! it, without our tags. A deletion that is blocked says by whom.

use std::collections::BTreeSet;

use crate::condition::{ConditionType, Reason};
use crate::desired::{Deletion, DesiredService, Management, OnDelete};
use crate::error::Meaning;
use crate::id::ServiceId;
use crate::observed::{Connection, Service};
use crate::owner::{self, Ownership};
use crate::plan::service::identity::{Identity, identify};
use crate::plan::service::{FRESH, Input, attempt, detachable, moving, resources, stale, view};
use crate::plan::{Next, Plan, Planned, Saying, Truth, ready};
use crate::read::FacetKey;
use crate::state::{ConnectionState, ServiceState};
use crate::step::Step;

/// What is done while the object is being deleted.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    let desired = input.desired;
    if desired.management == Management::Observe {
        return Plan::released(Reason::Deleting, "the service was observed only and stays as it is");
    }
    match identify(input) {
        Ok(Identity::Nothing) => Plan::released(Reason::Deleting, "the service no longer exists"),
        Ok(Identity::Known(id)) => Plan { identity: Some(id.clone()), ..of_service(input, &id) },
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

fn of_service(input: &Input<'_>, id: &ServiceId) -> Plan {
    let service = view(input, id).and_then(|view| view.service.value()).and_then(Option::as_ref);
    let Some(service) = service else { return Plan::looking(stale(input, &[FacetKey::Services], input.now)) };
    if input.desired.deletion == Deletion::Retain {
        return retain(input, service);
    }
    match service.state {
        ServiceState::Deleting => {
            // Only a read by id says that it is gone.
            let facet = FacetKey::Service(id.clone());
            return moving(
                input,
                &[facet],
                &format!("{id} is being deleted"),
                deleting(&format!("{id} is being deleted")),
            );
        }
        ServiceState::Creating | ServiceState::Modifying => {
            let message = format!("{id} is being changed and is deleted after that");
            return moving(input, &[FacetKey::Services], &message, deleting(&message));
        }
        _ => {}
    }
    let live = view(input, id).and_then(|view| view.connections.value());
    let Some(connections) = live else {
        return Plan::looking(stale(input, &[FacetKey::Connections(id.clone())], crate::moment::Moment(i64::MIN)));
    };
    if let Some(plan) = cut(input, id, connections) {
        return plan;
    }
    let Some(held) = resources(input, id) else {
        return Plan::looking(stale(input, &[FacetKey::Resources(id.clone())], crate::moment::Moment(i64::MIN)));
    };
    let said = |message: &str| deleting(message);
    if let Some((key, resource)) = held.iter().find(|(key, _)| detachable(held, key)) {
        // One may have come since the last sweep; whatever comes later, the cloud refuses the call, and it is
        // looked for again.
        let looks = stale(input, &[FacetKey::Connections(id.clone())], input.now - FRESH);
        if !looks.is_empty() {
            return Plan::looking(looks);
        }
        let message = format!("{} is being detached before {id} is deleted", key.id);
        return attempt(
            input,
            Step::DetachResource(id.clone(), key.clone(), resource.kind),
            None,
            said(&message),
            &message,
        );
    }
    if !held.is_empty() {
        // The last legs end a little after their connections.
        let message = "the last connections are leaving the load balancers";
        return moving(input, &[FacetKey::Resources(id.clone())], message, said(message));
    }
    let message = format!("{id} is being deleted");
    attempt(input, Step::DeleteService(id.clone()), None, said(&message), &message)
}

/// Connections end first: those that nobody accepted are refused, live ones are waited for or cut.
fn cut(input: &Input<'_>, id: &ServiceId, connections: &[Connection]) -> Option<Plan> {
    let live: Vec<&Connection> = connections.iter().filter(|connection| connection.is_live()).collect();
    let wanted = |connection: &&Connection| match connection.state {
        ConnectionState::AwaitingAcceptance => !input.tries.has_rejected(&connection.endpoint),
        ConnectionState::Connected => input.desired.on_delete == OnDelete::Reject,
        _ => false,
    };
    let sayings = || {
        if live.is_empty() {
            deleting("connections that nobody accepted are being refused")
        } else {
            blocked(input.desired, id, &live)
        }
    };
    let steps: Vec<Step> = connections
        .iter()
        .filter(wanted)
        .map(|connection| Step::RejectConnection(id.clone(), connection.endpoint.clone()))
        .collect();
    if let Some(first) = steps.first() {
        let mut plan =
            attempt(input, first.clone(), None, sayings(), &format!("{} connections are being cut", steps.len()));
        // Connections do not touch each other: each that is not held back by a refusal goes now.
        let others =
            steps[1..].iter().filter(|step| input.tries.refusal(step, input.desired.generation, input.now).is_none());
        plan.steps.extend(others.map(|step| Planned { step: step.clone(), token: None }));
        return Some(plan);
    }
    if live.is_empty() {
        return None;
    }
    let transient = live.iter().any(|connection| connection.state != ConnectionState::Connected);
    let facets = [FacetKey::Connections(id.clone())];
    if transient || input.desired.on_delete == OnDelete::Reject {
        return Some(moving(input, &facets, "connections are ending", sayings()));
    }
    let mut plan = Plan::saying(Next::Others, sayings());
    plan.looks = stale(input, &facets, input.now - std::time::Duration::from_mins(1));
    Some(plan)
}

fn blocked(desired: &DesiredService, id: &ServiceId, live: &[&Connection]) -> Vec<Saying> {
    let names: Vec<&str> = live.iter().take(5).map(|connection| connection.endpoint.as_str()).collect();
    let more = if live.len() > names.len() { format!(" and {} more", live.len() - names.len()) } else { String::new() };
    let remedy = match desired.on_delete {
        OnDelete::Wait => "delete the endpoints first, or set connectionsOnDelete: Reject to cut them",
        OnDelete::Reject => "they are being cut",
    };
    let message =
        format!("deletion of {id} is blocked by {} connections: {}{more}; {remedy}", live.len(), names.join(", "));
    vec![ready(Truth::False, Reason::BlockedByConnections, message)]
}

/// The service stays: our tags are replaced by one that says so.
fn retain(input: &Input<'_>, service: &Service) -> Plan {
    let id = &service.id;
    let Some(tags) = &service.tags else { return Plan::looking(stale(input, &[FacetKey::Services], input.now)) };
    let kept = format!("{id} stays in the cloud, as deletionPolicy: Retain asks");
    let ours = matches!(input.desired.owner.of(tags), Ownership::Ours | Ownership::Namesake(_));
    let held: BTreeSet<String> =
        owner::KEYS.iter().filter(|key| tags.contains_key(**key)).map(|key| (*key).to_owned()).collect();
    let step = if !ours && tags.contains_key(owner::RETAINED) || held.is_empty() && tags.contains_key(owner::RETAINED) {
        None
    } else if !tags.contains_key(owner::RETAINED) && ours {
        Some(Step::TagService(id.clone(), [(owner::RETAINED.to_owned(), "true".to_owned())].into()))
    } else if ours && !held.is_empty() {
        Some(Step::UntagService(id.clone(), held))
    } else {
        None
    };
    let Some(step) = step else { return Plan::released(Reason::Deleting, kept) };
    let refused = input.tries.refusal(&step, input.desired.generation, input.now);
    match refused.filter(|refused| matches!(refused.failure.meaning, Meaning::UserMustAct(_) | Meaning::Credentials(_)))
    {
        // Where it may not be written, it is said, and the object goes.
        Some(refused) => {
            Plan::released(Reason::Deleting, format!("{kept}; its tags could not be changed: {}", refused.failure))
        }
        None => attempt(input, step, None, deleting(&kept), &kept),
    }
}

fn deleting(message: &str) -> Vec<Saying> {
    vec![ready(Truth::False, Reason::Deleting, message)]
}
