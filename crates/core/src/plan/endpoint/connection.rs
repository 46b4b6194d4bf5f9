//! What the connection and the interfaces of an endpoint mean for traffic, in conditions.

use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::id::EndpointId;
use crate::observed::{EndpointView, Interface, Interfaces};
use crate::plan::endpoint::Input;
use crate::plan::{Next, Plan, Saying, Truth, ready, say};
use crate::state::{ConnectionState, ZoneState};

/// How long a provider may leave a consumer waiting before somebody has to be asked.
pub(super) const PATIENCE: Duration = Duration::from_hours(1);

/// Why traffic does not flow.
pub(super) struct Down {
    /// Why.
    pub(super) reason: Reason,
    /// What has happened, and who can do what.
    pub(super) message: String,
    /// It passes by itself.
    pub(super) passes: bool,
}

/// What the connection says, whatever the interfaces do.
pub(super) fn of_connection(id: &EndpointId, state: &ConnectionState) -> Option<Down> {
    let down = |reason, message: String, passes| Some(Down { reason, message, passes });
    match state {
        ConnectionState::Connected | ConnectionState::Modifying => None,
        ConnectionState::AwaitingAcceptance => down(
            Reason::WaitingForAcceptance,
            format!("{id} asks for a connection that its provider has not accepted: give the id to the provider"),
            false,
        ),
        ConnectionState::Connecting => {
            down(Reason::Provisioning, format!("the connection of {id} is being set up"), true)
        }
        ConnectionState::Disconnecting => {
            down(Reason::RejectedByProvider, format!("the provider is cutting the connection of {id}"), true)
        }
        ConnectionState::Disconnected | ConnectionState::Rejected => down(
            Reason::RejectedByProvider,
            format!("the provider has refused or cut the connection of {id}: ask the provider to accept it"),
            false,
        ),
        ConnectionState::Expired => down(
            Reason::RejectedByProvider,
            format!(
                "nobody has accepted {id} in the time that the cloud gives: ask the provider, then delete this object and create it again"
            ),
            false,
        ),
        ConnectionState::ServiceDeleted => down(
            Reason::ReferenceNotFound,
            format!("the service of {id} was deleted by its provider, and it leads nowhere: delete this object"),
            false,
        ),
        ConnectionState::Deleting => down(Reason::Provisioning, format!("{id} is being deleted by someone else"), true),
        ConnectionState::Failed => down(
            Reason::UnexpectedError,
            format!("the cloud could not set up the connection of {id}: ask the cloud's support"),
            false,
        ),
        ConnectionState::Unknown(word) => down(
            Reason::UnexpectedError,
            format!("the connection of {id} is in a state that this version does not know: {word}"),
            true,
        ),
    }
}

/// What keeps one interface from carrying traffic although the connection stands.
fn of_interface(one: &Interface) -> Option<(Reason, &'static str)> {
    match one.state {
        ZoneState::Connected | ZoneState::Migrating | ZoneState::Migrated => None,
        ZoneState::Creating | ZoneState::Connecting | ZoneState::Disconnecting | ZoneState::Deleting => {
            Some((Reason::Provisioning, "is changing"))
        }
        ZoneState::Waiting => Some((Reason::WaitingForAcceptance, "waits for its provider")),
        ZoneState::Disconnected => Some((Reason::RejectedByProvider, "was disconnected by its provider")),
        ZoneState::Unknown(_) => Some((Reason::UnexpectedError, "is in a state that this version does not know")),
    }
}

/// The declared interfaces that carry no traffic, each with why, and the gravest reason; an interface that is
/// missing counts as one that is being made.
pub(super) fn of_zones(input: &Input<'_>, held: &Interfaces) -> Option<(Reason, String)> {
    let mut found: Vec<(Reason, String)> = Vec::new();
    let declared = input.desired.zones.as_ref();
    for (subnet, one) in held.iter().filter(|(subnet, _)| declared.is_none_or(|all| all.contains_key(*subnet))) {
        if let Some((reason, what)) = of_interface(one) {
            found.push((reason, format!("{} ({subnet}) {what}", one.zone)));
        }
    }
    for (subnet, form) in declared.into_iter().flatten().filter(|(subnet, _)| !held.contains_key(*subnet)) {
        found.push((Reason::Provisioning, format!("{} ({subnet}) has no interface yet", form.zone)));
    }
    let gravest = found.iter().map(|(reason, _)| *reason).find(|reason| *reason != Reason::Provisioning);
    let reason = gravest.or_else(|| found.first().map(|(reason, _)| *reason))?;
    let texts: Vec<String> = found.into_iter().map(|(_, text)| text).collect();
    Some((reason, texts.join("; ")))
}

/// What is true of traffic now: Connected, `ZonesReady` and Ready.
pub(super) fn sayings(input: &Input<'_>, id: &EndpointId, view: &EndpointView, held: &Interfaces) -> Vec<Saying> {
    let connection = view.connection().unwrap_or(ConnectionState::Unknown(String::new()));
    let zones = of_zones(input, held);
    let of_zones = match &zones {
        None => say(ConditionType::ZonesReady, Truth::True, Reason::Ready, zones_ready(held)),
        Some((reason, message)) => say(ConditionType::ZonesReady, Truth::False, *reason, message.clone()),
    };
    if let Some(down) = of_connection(id, &connection) {
        let of_zones = Saying { reason: down.reason, ..of_zones };
        let of_zones = if of_zones.truth == Truth::True {
            Saying { truth: Truth::False, message: "the connection does not stand".to_owned(), ..of_zones }
        } else {
            of_zones
        };
        return vec![
            say(ConditionType::Connected, Truth::False, down.reason, down.message.clone()),
            of_zones,
            ready(Truth::False, down.reason, down.message),
        ];
    }
    let connected = say(ConditionType::Connected, Truth::True, Reason::Ready, format!("{id} is connected"));
    let flows = held.values().any(Interface::is_connected);
    let readiness = match zones {
        None => ready(Truth::True, Reason::Ready, format!("traffic can flow through every declared zone of {id}")),
        Some((_, message)) if flows => {
            ready(Truth::True, Reason::Degraded, format!("traffic can flow, but not through every zone: {message}"))
        }
        Some((reason, message)) => ready(Truth::False, reason, format!("no zone of {id} carries traffic: {message}")),
    };
    vec![connected, of_zones, readiness]
}

fn zones_ready(held: &Interfaces) -> String {
    let zones: Vec<&str> = held.values().map(|one| one.zone.as_str()).collect();
    format!("connected: {}", zones.join(", "))
}

/// No traffic can flow, whatever the interfaces do, and nothing of the endpoint is as declared.
pub(super) fn nothing_flows(reason: Reason, message: &str) -> Vec<Saying> {
    let parts = [ConditionType::Provisioned, ConditionType::Connected, ConditionType::ZonesReady];
    let mut sayings = vec![ready(Truth::False, reason, message)];
    sayings.extend(parts.map(|part| say(part, Truth::False, reason, message)));
    sayings
}

/// No traffic can flow until a person acts.
pub(super) fn stuck(reason: Reason, message: &str) -> Plan {
    let mut sayings = nothing_flows(reason, message);
    sayings.push(say(ConditionType::Stalled, Truth::True, reason, message));
    Plan::saying(Next::Person, sayings)
}
