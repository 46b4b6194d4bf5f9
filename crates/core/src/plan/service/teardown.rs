//! Deleting a service in the cloud's own order: its connections, its load balancers, then itself; or leaving
//! it, without our tags. A deletion that is blocked says by whom.

use crate::condition::Reason;
use crate::desired::{Deletion, DesiredService, OnDelete};
use crate::id::{CloudId, ServiceId};
use crate::observed::Connection;
use crate::plan::attempt::attempt;
use crate::plan::case::{ANY, FRESH, moving, stale};
use crate::plan::leave::{self, deleting};
use crate::plan::service::{Input, detachable, resources, view};
use crate::plan::{Next, Plan, Planned, Saying, Truth, ready};
use crate::read::FacetKey;
use crate::state::{ConnectionState, LifeState};
use crate::step::Step;

/// What is done while the object is being deleted.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    leave::plan(input, |input, id| match id {
        CloudId::Service(service) => of_service(input, service),
        CloudId::Endpoint(_) => leave::retain(input, id),
    })
}

fn of_service(input: &Input<'_>, id: &ServiceId) -> Plan {
    let service = view(input, id).and_then(|view| view.service.value()).and_then(Option::as_ref);
    let Some(service) = service else { return Plan::looking(stale(input, &[FacetKey::Services], input.ground.now)) };
    if input.desired.common.deletion == Deletion::Retain {
        return leave::retain(input, &id.clone().into());
    }
    match service.state {
        LifeState::Deleting => {
            // Only a read by id says that it is gone.
            let facet = FacetKey::Service(id.clone());
            return moving(
                input,
                &[facet],
                &format!("{id} is being deleted"),
                deleting(&format!("{id} is being deleted")),
            );
        }
        LifeState::Creating | LifeState::Modifying => {
            let message = format!("{id} is being changed and is deleted after that");
            return moving(input, &[FacetKey::Services], &message, deleting(&message));
        }
        _ => {}
    }
    let live = view(input, id).and_then(|view| view.connections.value());
    let Some(connections) = live else {
        return Plan::looking(stale(input, &[FacetKey::Connections(id.clone())], ANY));
    };
    if let Some(plan) = cut(input, id, connections) {
        return plan;
    }
    let Some(held) = resources(input, id) else {
        return Plan::looking(stale(input, &[FacetKey::Resources(id.clone())], ANY));
    };
    let said = |message: &str| deleting(message);
    if let Some((key, resource)) = held.iter().find(|(key, _)| detachable(held, key)) {
        // One may have come since the last sweep; whatever comes later, the cloud refuses the call, and it is
        // looked for again.
        let looks = stale(input, &[FacetKey::Connections(id.clone())], input.ground.now - FRESH);
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
        ConnectionState::AwaitingAcceptance => !input.ground.tries.has_rejected(&connection.endpoint),
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
        let others = steps[1..].iter().filter(|step| {
            input.ground.tries.refusal(step, input.desired.common.generation, input.ground.now).is_none()
        });
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
    plan.looks = stale(input, &facets, input.ground.now - std::time::Duration::from_mins(1));
    Some(plan)
}

fn blocked(desired: &DesiredService, id: &ServiceId, live: &[&Connection]) -> Vec<Saying> {
    let names: Vec<&str> = live.iter().take(5).map(|connection| connection.endpoint.as_str()).collect();
    let more = if live.len() > names.len() { format!(" and {} more", live.len() - names.len()) } else { String::new() };
    let remedy = match desired.on_delete {
        OnDelete::Wait => "delete the endpoints first, or set connectionsOnDelete: Reject to cut them",
        OnDelete::Reject => "they are being cut",
    };
    let noun = if live.len() == 1 { "connection" } else { "connections" };
    let message = format!("deletion of {id} is blocked by {} {noun}: {}{more}; {remedy}", live.len(), names.join(", "));
    vec![ready(Truth::False, Reason::BlockedByConnections, message)]
}
