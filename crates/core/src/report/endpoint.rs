//! The status of an endpoint: what was planned and what is seen, in one value.

use crate::condition::ConditionType;
use crate::id::CloudId;
use crate::observed::EndpointView;
use crate::plan::Plan;
use crate::plan::endpoint::Input;
use crate::report::{common_of, made, pinned};
use crate::state::ConnectionState;
use crate::status::EndpointStatus;

/// The status after this turn. What was not looked at keeps its last word.
#[must_use]
pub fn report(input: &Input<'_>, plan: &Plan) -> EndpointStatus {
    let mut status = input.status.clone();
    status.common = common_of(input, plan);
    if let Some(pin) = &plan.pin
        && pinned(&mut status.creation, pin)
    {
        // Everything that spoke of the lost endpoint.
        status = EndpointStatus { common: status.common, creation: status.creation, ..EndpointStatus::default() };
        let of_traffic = [ConditionType::Connected, ConditionType::ZonesReady];
        status.common.conditions.retain(|condition| !of_traffic.contains(&condition.condition));
    }
    let found = match &plan.identity {
        Some(CloudId::Endpoint(id)) => Some(id.clone()),
        _ => None,
    };
    if let Some(id) = found.or_else(|| status.endpoint_id.clone()) {
        made(&mut status.creation, input.ground.place);
        if let Some(view) = input.ground.laid.snapshot.endpoint(&id) {
            describe(&mut status, view);
        }
        status.endpoint_id = Some(id);
    }
    status
}

fn describe(status: &mut EndpointStatus, view: &EndpointView) {
    let Some(endpoint) = view.endpoint.value() else { return };
    let Some(endpoint) = endpoint else {
        // Its id and its last state stay: they say what was lost.
        status.connection = None;
        status.domain = None;
        status.zones.clear();
        return;
    };
    status.service_id.clone_from(&endpoint.service);
    status.service_name.clone_from(&endpoint.service_name);
    status.state = Some(endpoint.state.clone());
    status.cloud_state = Some(endpoint.cloud_state.clone());
    status.domain.clone_from(&endpoint.domain);
    // Where only the interfaces tell what the cloud's one word means, and they were not looked at, the last word
    // stays.
    let untold = endpoint.connection == ConnectionState::Disconnected && view.interfaces.value().is_none();
    let kept = status.connection.take().filter(|last| untold && *last == ConnectionState::AwaitingAcceptance);
    status.connection = kept.or_else(|| view.connection());
    if let Some(interfaces) = view.interfaces.value() {
        status.zones.clone_from(interfaces);
    }
}
