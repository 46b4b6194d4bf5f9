//! What may never be: of a state, and of the calls that an object decides on.
//!
//! Calls are judged when they are decided on, by what had been read then: nobody can see what happens between a look
//! and a call.

use std::collections::BTreeSet;

use privatelink_core::desired::{Allocation, Deletion, DesiredEndpoint, DesiredEntry, DesiredService, Policy};
use privatelink_core::id::ServiceId;
use privatelink_core::observed::{Connection, Snapshot};
use privatelink_core::owner;
use privatelink_core::plan::Planned;
use privatelink_core::principal::Principal;
use privatelink_core::state::ZoneState;
use privatelink_core::step::{Replacement, Step};
use privatelink_sim::world::object::{ConnectionStatus, Tags};
use privatelink_sim::world::{State, invariant};

use crate::it::stage::tenants::Tenant;
use crate::it::stage::{Role, Stage};
use crate::play::Play;

/// What an object of one kind may not decide on, by what it has read.
pub trait Lawful: Role {
    fn breaks(&self, step: &Step, seen: &Snapshot) -> Option<&'static str>;
}

/// The law that a plan breaks, with the call.
pub fn broken_by<R: Lawful>(stage: &Stage<R>, steps: &[Planned]) -> Option<String> {
    let seen = stage.overlay.lay(&stage.snapshot).snapshot;
    let mut told = BTreeSet::new();
    steps.iter().find_map(|Planned { step, .. }| {
        let twice = (!told.insert(format!("{step:?}"))).then_some("a plan asks for one call twice");
        let broken =
            twice.or_else(|| stage.desired.forbids(step, stage.now)).or_else(|| stage.desired.breaks(step, &seen));
        broken.map(|broken| format!("{} of {}: {broken}", step.verb(), step.subject()))
    })
}

impl Lawful for Tenant {
    fn breaks(&self, step: &Step, seen: &Snapshot) -> Option<&'static str> {
        let own = match self {
            Self::Service(service, _) => of_service(service, step, seen),
            Self::Entry(entry, _) => of_entry(self, entry, step, seen),
            Self::Assignment(..) => None,
        };
        own.or_else(|| of_zone(step, seen))
    }
}

fn of_service(service: &DesiredService, step: &Step, seen: &Snapshot) -> Option<&'static str> {
    let deleting = service.common.deleting;
    let attached =
        |id: &ServiceId| seen.service(id).and_then(|view| view.resources.value()).is_some_and(|all| !all.is_empty());
    match step {
        Step::CreateService(_) if deleting => Some("a service is made for an object that is being deleted"),
        Step::DeleteService(_) if !deleting => Some("a service that is declared is deleted"),
        Step::DeleteService(id) if attached(id) => Some("a service is deleted before its load balancers are detached"),
        Step::DetachResource(_, key, _) if !deleting && service.resources.contains_key(key) => {
            Some("a load balancer that is declared is detached")
        }
        Step::RejectConnection(..) if !deleting => Some("a service that lives cuts a connection"),
        Step::AllowPrincipal(..) | Step::DisallowPrincipal(..) | Step::AcceptConnection(..) => {
            Some("a service decides what its entries decide")
        }
        _ => None,
    }
}

fn of_entry(this: &Tenant, entry: &DesiredEntry, step: &Step, seen: &Snapshot) -> Option<&'static str> {
    let Tenant::Entry(_, claims) = this else { return None };
    let whom = entry.principal.whom();
    let listed = |id: &ServiceId| {
        let principals = seen.service(id).and_then(|view| view.principals.value());
        principals.is_none_or(|all: &BTreeSet<Principal>| all.iter().any(|one| one.whom() == whom))
    };
    match step {
        Step::RejectConnection(id, _) if entry.deleting && listed(id) => {
            Some("a connection is cut while its principal is still let in")
        }
        Step::AcceptConnection(id, endpoint, _) => {
            let connections = seen.service(id).and_then(|view| view.connections.value());
            let one: Option<&Connection> = connections.into_iter().flatten().find(|one| one.endpoint == *endpoint);
            let by_hand = matches!(&entry.policy, Policy::Accept(one) if one.allocation == Allocation::Manual);
            let open = one.into_iter().flat_map(|one| &one.zones).any(|(zone, leg)| match claims.pin(endpoint, zone) {
                Some(pin) => leg.resource.as_ref() != Some(&pin.resource),
                None => by_hand,
            });
            open.then_some("a connection is accepted before its zones are assigned")
        }
        _ => None,
    }
}

impl Lawful for DesiredEndpoint {
    fn breaks(&self, step: &Step, seen: &Snapshot) -> Option<&'static str> {
        let deleting = self.common.deleting;
        let held = |id| seen.endpoint(id).and_then(|view| view.interfaces.value());
        match step {
            Step::CreateEndpoint(_) if deleting => Some("an endpoint is made for an object that is being deleted"),
            Step::DeleteEndpoint(_) if !deleting => Some("an endpoint that is declared is deleted"),
            Step::DeleteEndpoint(id) if held(id).is_some_and(|all| !all.is_empty()) => {
                Some("an endpoint is deleted before its interfaces are removed")
            }
            Step::RemoveZone(_, subnet, _)
                if !deleting && self.zones.as_ref().is_some_and(|all| all.contains_key(subnet)) =>
            {
                Some("an interface that is declared is removed")
            }
            Step::RemoveZone(id, subnet, _) if !deleting => {
                let mut connected = held(id).into_iter().flatten().filter(|(_, one)| one.is_connected()).peekable();
                let only = connected.peek().is_some() && connected.all(|(one, _)| one == subnet);
                only.then_some("the only connected interface is taken away")
            }
            Step::DetachSecurityGroup(_, group)
                if !deleting && self.groups.as_ref().is_some_and(|all| all.contains(group)) =>
            {
                Some("a security group that is declared is left")
            }
            _ => None,
        }
    }
}

/// What nobody may do to a zone.
fn of_zone(step: &Step, seen: &Snapshot) -> Option<&'static str> {
    match step {
        Step::CloseReplaced(id, endpoint, zone) => {
            let connections = seen.service(id)?.connections.value()?;
            let leg = connections.iter().find(|one| one.endpoint == *endpoint)?.zones.get(zone)?;
            (leg.state != ZoneState::Migrated).then_some("a replaced side is closed before its zone has moved")
        }
        Step::ReplaceResource(id, _, zone, Replacement { to, .. }) => {
            let mut held = seen.service(id)?.resources.value()?.keys();
            (!held.any(|key| key.id == *to && key.zone == *zone))
                .then_some("a zone is moved to a load balancer that does not serve it")
        }
        _ => None,
    }
}

/// The law that a state breaks.
pub fn broken(play: &Play) -> Option<String> {
    let world = play.world();
    let of_cloud = invariant::broken(world).into_iter().next();
    of_cloud.or_else(|| twice(world)).or_else(|| left_behind(play)).or_else(|| let_in(play))
}

fn owners<'t>(all: impl Iterator<Item = &'t Tags>) -> Option<String> {
    let uid = owner::KEYS.iter().find(|key| key.ends_with("/uid")).copied().unwrap_or_default();
    let mut seen = BTreeSet::new();
    all.filter_map(|tags| tags.get(uid)).find(|one| !seen.insert((*one).clone())).map(ToString::to_string)
}

/// No object has two of what it asks for.
fn twice(world: &State) -> Option<String> {
    let services = owners(world.services.values().map(|one| &one.tags));
    let endpoints = owners(world.endpoints.values().map(|one| &one.tags));
    let two = |what, uid: String| format!("the object {uid} has two {what}");
    services.map(|uid| two("services", uid)).or(endpoints.map(|uid| two("endpoints", uid)))
}

/// What is gone in Kubernetes is gone in the cloud, unless it was to stay.
fn left_behind(play: &Play) -> Option<String> {
    let world = play.world();
    let service = &play.tenants.service;
    let retained = play.tenants.the_service().common.deletion == Deletion::Retain;
    if service.released && !retained && !world.services.is_empty() {
        return Some("the service object is gone, and its service is left in the cloud".to_owned());
    }
    let gone =
        play.consumer.as_ref().is_some_and(|one| one.released && one.desired.common.deletion == Deletion::Delete);
    let uid = play.consumer.as_ref().map(|one| one.desired.common.owner.uid.clone()).unwrap_or_default();
    let ours = |tags: &Tags| tags.values().any(|value| **value == *uid);
    (gone && world.endpoints.values().any(|one| ours(&one.tags)))
        .then(|| "the endpoint object is gone, and its endpoint is left in the cloud".to_owned())
}

/// Whose entry is gone with its connections has none, unless another entry lets it in.
fn let_in(play: &Play) -> Option<String> {
    let claims = play.tenants.claims();
    play.revoked.iter().find_map(|gone| {
        if claims.holder(&gone.principal.whom()).is_some() {
            return None;
        }
        let mut endpoints = play.world().endpoints.values();
        let live = endpoints.find(|one| {
            let account = Principal::from(one.owner.0.to_string());
            account.whom() == gone.principal.whom()
                && matches!(one.connection.status, ConnectionStatus::Connected | ConnectionStatus::Connecting)
        });
        live.map(|one| format!("{} is let out, and endpoint {} is connected", gone.principal, one.id.number))
    })
}
