//! Deleting an endpoint in the cloud's own order: its interfaces, then itself; or leaving it, without our tags.

use crate::condition::{ConditionType, Reason};
use crate::desired::Deletion;
use crate::id::{CloudId, EndpointId};
use crate::plan::attempt::attempt;
use crate::plan::case::{ANY, moving, stale};
use crate::plan::endpoint::{Input, view};
use crate::plan::leave::{self, deleting};
use crate::plan::{Plan, Saying, Truth, say};
use crate::read::FacetKey;
use crate::state::{ConnectionState, LifeState, ZoneState};
use crate::step::Step;

/// What is done while the object is being deleted.
pub(super) fn plan(input: &Input<'_>) -> Plan {
    leave::plan(input, |input, id| match id {
        CloudId::Endpoint(endpoint) => of_endpoint(input, endpoint),
        CloudId::Service(_) => leave::retain(input, id),
    })
}

fn of_endpoint(input: &Input<'_>, id: &EndpointId) -> Plan {
    if input.desired.common.deletion == Deletion::Retain {
        return leave::retain(input, &id.clone().into());
    }
    let seen = view(input, id).and_then(|view| Some((view, view.endpoint.value()?.as_ref()?)));
    let Some((view, endpoint)) = seen else {
        return Plan::looking(stale(input, &[FacetKey::Endpoints], input.ground.now));
    };
    let waits = |facet: FacetKey, message: String| {
        let said = deleting(&message);
        moving(input, &[facet], &message, said)
    };
    match endpoint.state {
        // Only a read by id says that it is gone.
        LifeState::Deleting => {
            let message = format!("{id} is being deleted");
            return moving(input, &[FacetKey::Endpoint(id.clone())], &message, going(&message));
        }
        LifeState::Creating | LifeState::Modifying => {
            return waits(FacetKey::Endpoints, format!("{id} is being changed and is deleted after that"));
        }
        _ => {}
    }
    let looks = stale(input, &[FacetKey::Interfaces(id.clone())], view.stirred.unwrap_or(ANY));
    let Some(held) = view.interfaces.value().filter(|_| looks.is_empty()) else { return Plan::looking(looks) };
    let in_transition = matches!(
        endpoint.connection,
        ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting
    );
    if in_transition {
        return waits(
            FacetKey::Endpoints,
            format!("the connection of {id} is changing, and {id} is deleted after that"),
        );
    }
    if let Some((subnet, one)) = held.iter().find(|(_, one)| one.state != ZoneState::Deleting && !one.is_moving()) {
        let message = format!("the interface in {} is being removed before {id} is deleted", one.zone);
        let step = Step::RemoveZone(id.clone(), subnet.clone(), one.zone.clone());
        return attempt(input, step, None, deleting(&message), &message);
    }
    if !held.is_empty() {
        return waits(FacetKey::Interfaces(id.clone()), format!("the interfaces of {id} are being removed"));
    }
    let message = format!("{id} is being deleted");
    attempt(input, Step::DeleteEndpoint(id.clone()), None, going(&message), &message)
}

/// What is said once there is no interface left.
fn going(message: &str) -> Vec<Saying> {
    let mut sayings = deleting(message);
    let parts = [ConditionType::Connected, ConditionType::ZonesReady];
    sayings.extend(parts.map(|part| say(part, Truth::False, Reason::Deleting, message)));
    sayings
}
