//! What is there once all is at rest: what is declared, or a wait for others who are named.

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::Policy;
use privatelink_core::plan::Truth;
use privatelink_core::principal::Principal;
use privatelink_core::state::Decision;
use privatelink_core::status::Common;
use privatelink_sim::world::object::{ConnectionStatus, EndpointStatus, LegStatus, Membership, ServiceStatus};
use privatelink_sim::world::{Endpoint, Variant};

use crate::it::stage::endpoint_id;
use crate::it::stage::tenants::Tenant;
use crate::play::Play;

/// Nothing else is missing.
///
/// # Errors
/// What is not as declared, and waits for nobody.
pub fn as_declared(play: &Play) -> Result<(), String> {
    service(play)?;
    for name in play.tenants.entries.keys() {
        entry(play, name)?;
    }
    for name in play.tenants.zones.keys() {
        zone(play, name)?;
    }
    endpoint(play)
}

fn readiness(common: &Common) -> Option<(Truth, Reason, String)> {
    let one = common.conditions.iter().find(|one| one.condition == ConditionType::Ready)?;
    Some((one.truth, one.reason, one.message.clone()))
}

fn is(common: &Common, truth: Truth, reasons: &[Reason]) -> bool {
    readiness(common).is_some_and(|(is, reason, _)| is == truth && reasons.contains(&reason))
}

fn service(play: &Play) -> Result<(), String> {
    let slot = &play.tenants.service;
    let (desired, common) = (play.tenants.the_service(), &slot.status.service.common);
    let says = || format!("the service says {:?}", readiness(common));
    if slot.released {
        return Ok(());
    }
    if desired.common.deleting {
        let held = play.world().endpoints.values().any(|one| one.connection.status == ConnectionStatus::Connected);
        let kept =
            play.world().variants.is_on(Variant::EndpointBlocksServiceDelete) && !play.world().endpoints.is_empty();
        let waits = is(common, Truth::False, &[Reason::BlockedByConnections]) && held;
        return if waits || kept { Ok(()) } else { Err(format!("it is being deleted and stays: {}", says())) };
    }
    let Some(made) = play.world().services.values().next() else {
        // Who has lost it is told so, and asked.
        let lost = is(common, Truth::False, &[Reason::ExternallyDeleted]);
        return if lost { Ok(()) } else { Err(format!("there is no service: {}", says())) };
    };
    let name = |id| play.world().land.balancer(id).map(|one| one.name.as_str()).unwrap_or_default();
    for (key, auto) in &desired.resources {
        let held = made.resources.iter().find(|((id, _), _)| name(*id) == key.id.as_str());
        if held.map(|(_, one)| one.auto_allocate) != Some(*auto) {
            return Err(format!("{} is not attached as declared: {}", key.id, says()));
        }
    }
    let undeclared =
        made.resources.keys().find(|(id, _)| !desired.resources.keys().any(|key| key.id.as_str() == name(*id)));
    let evacuating = common.conditions.iter().find(|one| one.condition == ConditionType::Evacuating);
    if let Some((id, _)) = undeclared
        && evacuating.is_none_or(|one| !waits_for_others(one.reason) && one.reason != Reason::BlockedByConnections)
    {
        return Err(format!("{} is attached and not declared: {evacuating:?}", name(*id)));
    }
    let team = made.tags.get("team").map(ToString::to_string);
    if made.status != ServiceStatus::Active || team.as_ref() != desired.common.tags.get("team") {
        return Err(format!("the service is {:?} with {:?}: {}", made.status, made.tags, says()));
    }
    if is(common, Truth::True, &[Reason::Ready]) { Ok(()) } else { Err(says()) }
}

/// The entry is live, and so is its service.
fn serves(play: &Play) -> bool {
    let slot = &play.tenants.service;
    !slot.released && !play.tenants.the_service().common.deleting && !play.world().services.is_empty()
}

fn entry(play: &Play, name: &str) -> Result<(), String> {
    let (desired, status) = (play.tenants.desired(name), play.tenants.status(name));
    let says = || format!("the entry {name} says {:?}", readiness(&status.common));
    if desired.deleting {
        return Err(format!("the entry {name} is being deleted and stays: {}", says()));
    }
    if !serves(play) {
        let waits = is(&status.common, Truth::False, &[Reason::WaitingForService]);
        return if waits { Ok(()) } else { Err(format!("there is no service: {}", says())) };
    }
    let whom = desired.principal.whom();
    let claims = play.tenants.claims();
    if claims.holder(&whom).is_none_or(|holder| holder.uid != desired.uid) {
        let waits = is(&status.common, Truth::False, &[Reason::OwnershipConflict]);
        return if waits { Ok(()) } else { Err(format!("another entry decides: {}", says())) };
    }
    if !play.tenants.listed().into_iter().any(|text| Principal::from(text).whom() == whom) {
        return Err(format!("the principal of {name} is not listed: {}", says()));
    }
    let mut waits = Vec::new();
    for one in play.tenants.of_entry(name) {
        let id = endpoint_id(one.id);
        let shown = status.connections.iter().find(|shown| shown.endpoint == id);
        let Some(shown) = shown else { return Err(format!("the entry {name} does not know of {id}")) };
        let (is, up) = (one.connection.status, is_up(one));
        let fits = match (&desired.policy, &shown.decision) {
            (Policy::Leave, _) => true,
            (Policy::Reject, _) => !matches!(is, ConnectionStatus::Connected | ConnectionStatus::Connecting),
            (Policy::Accept(_), Decision::Accept) if up => true,
            // It waits as the spec asks: so many are let in and no more.
            (Policy::Accept(one), Decision::Wait) if one.max.is_some() => !up,
            (Policy::Accept(_), Decision::Accept | Decision::Held | Decision::Wait) => {
                waits.push(id.clone());
                !up
            }
            (Policy::Accept(_), Decision::Leave) => {
                matches!(is, ConnectionStatus::Deleting | ConnectionStatus::ServiceDeleted)
            }
            _ => false,
        };
        if !fits {
            return Err(format!(
                "the entry {name} has decided {:?} on {id}, which is {is:?}: {}",
                shown.decision,
                says()
            ));
        }
    }
    match readiness(&status.common) {
        Some((Truth::True, ..)) if waits.is_empty() => Ok(()),
        // Who waits names what for; nothing of it is the operator's own to do.
        Some((Truth::False, reason, message))
            if waits.iter().any(|id| message.contains(id.as_str())) && waits_for_others(reason) =>
        {
            Ok(())
        }
        _ => Err(format!("{waits:?} wait: {}", says())),
    }
}

/// Reasons that name somebody else.
const fn waits_for_others(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::DisconnectedOutside
            | Reason::NoResourceInZone
            | Reason::WaitingForAssignment
            | Reason::WaitingForConsumer
            | Reason::LastAutoAllocatedInZone
            | Reason::WaitingForService
            | Reason::WaitingForAcceptance
            | Reason::RejectedByProvider
            | Reason::ReferenceNotFound
            | Reason::NotWhitelisted
            | Reason::ExternallyDeleted
            | Reason::FeatureNotEnabled
            | Reason::InvalidSpec
            | Reason::OwnershipConflict
    )
}

fn zone(play: &Play, name: &str) -> Result<(), String> {
    let (slot, status) = (&play.tenants.zones[name], play.tenants.zone_status(name));
    let Tenant::Assignment(desired, _) = &slot.desired else { return Ok(()) };
    let says = || format!("the assignment {name} says {:?}", readiness(&status.common));
    if desired.deleting {
        return Err(format!("the assignment {name} is being deleted and stays: {}", says()));
    }
    let land = &play.world().land;
    let mut endpoints = play.world().endpoints.values();
    let one = endpoints.find(|one| desired.endpoint().is_some_and(|id| *id == endpoint_id(one.id)));
    let leg = one.and_then(|one| one.zones.get(&land.zone_named(desired.zone.as_str())));
    let served = leg.is_some_and(|leg| {
        leg.resource == Some(land.balancer_named(desired.resource.as_str())) && leg.replaced.is_none()
    });
    let up = served && one.is_some_and(is_up);
    match readiness(&status.common) {
        Some((Truth::True, ..)) if up => Ok(()),
        Some((Truth::False, reason, _)) if !up && waits_for_others(reason) => Ok(()),
        _ => Err(format!("the zone of {name} is {leg:?}: {}", says())),
    }
}

fn is_up(one: &Endpoint) -> bool {
    one.connection.status == ConnectionStatus::Connected
        && one.zones.values().all(|leg| leg.status == LegStatus::Connected)
}

fn endpoint(play: &Play) -> Result<(), String> {
    let Some(consumer) = play.consumer.as_ref().filter(|one| !one.released) else { return Ok(()) };
    let (desired, common) = (&consumer.desired, &consumer.status.common);
    let says = || format!("the endpoint says {:?}", readiness(common));
    if desired.common.deleting {
        return Err(format!("the endpoint is being deleted and stays: {}", says()));
    }
    let uid = &desired.common.owner.uid;
    let made = play.world().endpoints.values().find(|one| one.tags.values().any(|value| **value == **uid));
    let Some(made) = made.filter(|one| one.connection.status == ConnectionStatus::Connected) else {
        // Whoever decides has to let it in: then it waits for nobody.
        let own = Principal::from(play_account(consumer)).whom();
        let claims = play.tenants.claims();
        let decider = claims.holder(&own).and_then(|holder| {
            play.tenants.entries.iter().find(|(name, _)| *play.tenants.desired(name).uid == holder.uid)
        });
        let said = decider.and_then(|(name, _)| {
            let shown = &play.tenants.status(name).connections;
            made.and_then(|made| shown.iter().find(|one| one.endpoint == endpoint_id(made.id)))
                .map(|one| one.decision.clone())
        });
        let would = decider.is_some() && serves(play) && said.is_none_or(|said| said == Decision::Accept);
        let waits =
            readiness(common).is_some_and(|(truth, reason, _)| truth == Truth::False && waits_for_others(reason));
        let (_, reason, _) = readiness(common).unwrap_or((Truth::Unknown, Reason::Ready, String::new()));
        let told = waits
            && (!would
                || reason == Reason::ExternallyDeleted
                || reason == Reason::NoResourceInZone
                || reason == Reason::InvalidSpec);
        return if told { Ok(()) } else { Err(format!("it is not connected, and nobody is waited for: {}", says())) };
    };
    let switch = |subnet: &str| play.world().land.switch_named(subnet);
    let subnets = desired
        .zones
        .iter()
        .flatten()
        .all(|(subnet, _)| made.zones.values().any(|leg| leg.switch == switch(subnet.as_str())));
    let more = desired.zones.as_ref().is_some_and(|all| made.zones.len() > all.len());
    let groups = desired.groups.as_ref().is_none_or(|all| {
        let joined = |name: &str| made.groups.get(&play.world().land.group_named(name)) == Some(&Membership::Attached);
        all.len() == made.groups.len() && all.iter().all(|one| joined(one.as_str()))
    });
    let settled = made.status == EndpointStatus::Active && subnets && !more && groups;
    let up = settled && is_up(made) && is(common, Truth::True, &[Reason::Ready]);
    let degraded = is(common, Truth::True, &[Reason::Degraded]) && !is_up(made)
        || readiness(common).is_some_and(|(truth, reason, _)| truth == Truth::False && waits_for_others(reason));
    if up || degraded { Ok(()) } else { Err(format!("zones {subnets}, more {more}, groups {groups}: {}", says())) }
}

fn play_account(_: &crate::it::stage::Stage<privatelink_core::desired::DesiredEndpoint>) -> String {
    crate::it::stage::CONSUMER.account.0.to_string()
}
