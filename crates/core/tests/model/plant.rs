//! Faults planted at the planners' boundary: what the shipped planner is told, or what it decides, is tampered with.
//! Each has to be found.
//!
//! A fault of a planner that is not there yet is one more row, with the scene that shows it.

use privatelink_core::plan::{Ground, Plan, Planned};
use privatelink_core::state::ConnectionState;
use privatelink_core::step::{Step, Traffic};

use crate::it::stage::Role;
use crate::it::stage::tenants::{Tenant, Written};
use crate::play::Play;
use crate::scene::{ONE_CONNECTION, PINNED, SERVICE, Scene};

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

/// Every planted fault.
pub const ALL: [Plant; 6] = [
    Plant {
        name: "deleting the service before detaching",
        scene: SERVICE,
        says: "a service is deleted before its load balancers are detached",
        planner: deletes_first,
    },
    Plant { name: "believing an empty list", scene: SERVICE, says: "has two services", planner: believes },
    Plant {
        name: "disconnecting before the principal is removed",
        scene: ONE_CONNECTION,
        says: "a connection is cut while its principal is still let in",
        planner: cuts_first,
    },
    Plant {
        name: "two steps that undo each other for ever",
        scene: SERVICE,
        says: "UntagService",
        planner: undoes,
    },
    Plant {
        name: "accepting before assignment",
        scene: PINNED,
        says: "a connection is accepted before its zones are assigned",
        planner: accepts_first,
    },
    Plant {
        name: "letting the entry go before its connections are cut",
        scene: ONE_CONNECTION,
        says: "the entry tenant is gone, but",
        planner: goes_first,
    },
];

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
    let listed = ground.laid.snapshot.listed_services.value();
    let lost = status.service.service_id.as_ref().filter(|id| listed.is_some_and(|all| !all.contains(*id)));
    let Some(id) = lost.filter(|_| !one.deleting()) else { return one.plan(status, ground) };
    let mut laid = ground.laid.clone();
    laid.snapshot.services.remove(id);
    let mut forgetful = status.clone();
    forgetful.service.service_id = None;
    forgetful.service.creation.incarnation += 1;
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
    let cuts: Vec<Planned> = live.map(|one| planned(Step::RejectConnection(id.clone(), one.endpoint.clone()))).collect();
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
