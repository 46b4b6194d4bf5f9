//! Faults planted at the planners' boundary: what the shipped planner is told, or what it decides, is tampered with.
//! Each has to be found.
//!
//! A fault of a planner that is not there yet is one more row, with the scene that shows it.

use privatelink_core::id::ServiceId;
use privatelink_core::moment::Moment;
use privatelink_core::plan::{Ground, Plan, Planned};
use privatelink_core::state::{ConnectionState, ZoneState};
use privatelink_core::step::{Step, Traffic};

use crate::it::stage::Role;
use crate::it::stage::tenants::{Tenant, Written};
use crate::play::Play;
use crate::scene::{ASSIGNMENT, EVACUATION, MIGRATION, ONE_CONNECTION, SERVICE, Scene};

/// One planted fault.
#[derive(Clone, Copy)]
pub struct Plant {
    pub name: &'static str,
    /// Where it shows.
    pub scene: Scene,
    /// A part of what the counterexample has to say.
    pub says: &'static str,
    planner: fn(&Tenant, &Written, Ground<'_>) -> (Plan, Written),
}

pub const DELETES_FIRST: Plant = Plant {
    name: "deleting the service before detaching",
    scene: SERVICE,
    says: "a service is deleted before its load balancers are detached",
    planner: deletes_first,
};

pub const BELIEVES: Plant =
    Plant { name: "believing an empty list", scene: SERVICE, says: "has two services", planner: believes };

pub const CUTS_FIRST: Plant = Plant {
    name: "disconnecting before the principal is removed",
    scene: ONE_CONNECTION,
    says: "a connection is cut while its principal is still let in",
    planner: cuts_first,
};

pub const UNDOES: Plant =
    Plant { name: "two steps that undo each other for ever", scene: SERVICE, says: "UntagService", planner: undoes };

pub const ACCEPTS_FIRST: Plant = Plant {
    name: "accepting before assignment",
    scene: ASSIGNMENT,
    says: "a connection is accepted before its zones are assigned",
    planner: accepts_first,
};

pub const GOES_FIRST: Plant = Plant {
    name: "letting the entry go before its connections are cut",
    scene: ONE_CONNECTION,
    says: "the entry tenant is gone, but",
    planner: goes_first,
};

pub const DROPS_THE_FLAG: Plant = Plant {
    name: "closing without saying which side",
    scene: EVACUATION,
    says: "a zone stops to carry traffic",
    planner: drops_the_flag,
};

pub const CLOSES_EARLY: Plant = Plant {
    name: "cleaning up before Migrated",
    scene: EVACUATION,
    says: "a replaced side is closed before its zone has moved",
    planner: closes_early,
};

pub const LEADS_ASTRAY: Plant = Plant {
    name: "migrating to another zone's load balancer",
    scene: MIGRATION,
    says: "a zone is moved to a load balancer that does not serve it",
    planner: leads_astray,
};

impl Plant {
    /// Puts the planner that was tampered with in the shipped one's place.
    pub fn into_ground(self, play: &mut Play) {
        play.tenants.stage.planner = self.planner;
    }
}

fn planned(step: Step) -> Planned {
    Planned { step, token: None }
}

fn deletes_first(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    for planned in &mut plan.steps {
        if let (true, Step::DetachResource(id, ..)) = (one.deleting(), &planned.step) {
            planned.step = Step::DeleteService(id.clone());
        }
    }
    (plan, next)
}

/// What a list does not show does not exist, and is made again.
fn believes(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let mut laid = ground.laid.clone();
    let list = laid.snapshot.listed_services.clone();
    let gone = |id: &ServiceId, at: Option<Moment>| list.at() > at && list.value().is_some_and(|all| !all.contains(id));
    laid.snapshot.services.retain(|id, view| !gone(id, view.service.at()));
    let mut forgetful = status.clone();
    let forgotten = status.service.service_id.as_ref().is_some_and(|id| !laid.snapshot.services.contains_key(id));
    if forgotten && list.value().is_some() && !one.deleting() {
        forgetful.service.service_id = None;
        forgetful.service.creation.creating = None;
        forgetful.service.creation.incarnation += 1;
    }
    one.plan(&forgetful, Ground { laid: &laid, ..ground })
}

fn cuts_first(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    let removed = plan.steps.iter().find_map(|planned| match &planned.step {
        Step::DisallowPrincipal(id, _) => Some(id.clone()),
        _ => None,
    });
    let Some(id) = removed else { return (plan, next) };
    let connections = ground.laid.snapshot.service(&id).and_then(|view| view.connections.value());
    let live = connections.into_iter().flatten().filter(|one| one.state == ConnectionState::Connected);
    let cuts: Vec<Planned> =
        live.map(|one| planned(Step::RejectConnection(id.clone(), one.endpoint.clone()))).collect();
    if !cuts.is_empty() {
        plan.steps = cuts;
    }
    (plan, next)
}

fn undoes(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    let rests = plan.steps.is_empty() && plan.looks.is_empty() && plan.pin.is_none() && !one.deleting();
    if let (true, Some(id)) = (rests && plan.identity == Tenant::id(status), plan.identity.clone()) {
        plan.steps = vec![planned(Step::Untag(id, ["team".to_owned()].into()))];
    }
    (plan, next)
}

fn accepts_first(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    let Tenant::Entry(entry, _) = one else { return (plan, next) };
    if entry.deleting || !plan.steps.is_empty() {
        return (plan, next);
    }
    for (id, view) in &ground.laid.snapshot.services {
        let waiting = view.connections.value().into_iter().flatten();
        let waiting = waiting.filter(|one| one.state == ConnectionState::AwaitingAcceptance);
        let accept = |endpoint| planned(Step::AcceptConnection(id.clone(), endpoint, Traffic::default()));
        plan.steps.extend(waiting.map(|one| accept(one.endpoint.clone())));
    }
    if !plan.steps.is_empty() {
        plan.looks.clear();
    }
    (plan, next)
}

fn goes_first(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    if one.deleting() && plan.steps.iter().any(|planned| matches!(planned.step, Step::RejectConnection(..))) {
        let is_entry = matches!(one, Tenant::Entry(..));
        plan.steps.retain(|_| !is_entry);
        plan.released = is_entry;
    }
    (plan, next)
}

fn drops_the_flag(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    for planned in &mut plan.steps {
        if let Step::CloseReplaced(id, endpoint, zone) = &planned.step {
            planned.step = Step::DisconnectZone(id.clone(), endpoint.clone(), zone.clone());
        }
    }
    (plan, next)
}

fn closes_early(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    if !matches!(one, Tenant::Service(..)) || !plan.steps.is_empty() {
        return (plan, next);
    }
    for (id, view) in &ground.laid.snapshot.services {
        for one in view.connections.value().into_iter().flatten() {
            let moving = one.zones.iter().filter(|(_, leg)| leg.state == ZoneState::Migrating);
            let close = |zone| planned(Step::CloseReplaced(id.clone(), one.endpoint.clone(), zone));
            plan.steps.extend(moving.map(|(zone, _)| close(zone.clone())));
        }
    }
    (plan, next)
}

fn leads_astray(one: &Tenant, status: &Written, ground: Ground<'_>) -> (Plan, Written) {
    let (mut plan, next) = one.plan(status, ground);
    for planned in &mut plan.steps {
        if let Step::ReplaceResource(_, _, _, replacement) = &mut planned.step {
            replacement.to = "lb-g".into();
        }
    }
    (plan, next)
}
