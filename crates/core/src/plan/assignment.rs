//! The planner of assignments: what is to be done so that one zone of one connection is served by the load balancer
//! that is declared, with no moment without one unless that is declared too.
//!
//! One turn: may anything be done for this service at all, is it this assignment that decides on the zone, does it go;
//! else what is decided on the zone in the state it is in ([`decide`]), by what of a migration is open ([`course`]) and
//! what stands in its way ([`hurdle`]), and what is done and said of it ([`settle`]).

pub(crate) mod course;
pub(crate) mod decide;
mod hurdle;
mod settle;

use std::collections::BTreeSet;

use crate::claims::Claims;
use crate::condition::{ConditionType, Reason};
use crate::desired::{DesiredAssignment, Parent, ParentService, Served};
use crate::id::EndpointId;
use crate::moment::Moment;
use crate::observed::{Connection, ResourceKind, Service, ServiceView, ZoneLeg};
use crate::plan::case::{ANY, FRESH, Subject, doubtful, moving, stale, with_valid};
use crate::plan::parent::{self, Home, Ward};
use crate::plan::{Ground, Next, Plan, Truth, ready, say};
use crate::read::FacetKey;
use crate::state::ClaimState;
use crate::status::{self, AssignmentStatus};
use crate::step::Part;

/// What the planner is told.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is true of the turn, whatever is planned; the place is the service's.
    pub ground: Ground<'a>,
    /// What is declared.
    pub desired: &'a DesiredAssignment,
    /// What the last turns wrote down.
    pub status: &'a AssignmentStatus,
    /// Who decides on what touches the service.
    pub claims: &'a Claims,
}

impl Subject for Input<'_> {
    fn ground(&self) -> &Ground<'_> {
        &self.ground
    }

    fn uid(&self) -> &str {
        &self.desired.uid
    }

    fn generation(&self) -> i64 {
        self.desired.generation
    }

    fn declared_fields(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    fn status(&self) -> &status::Common {
        &self.status.common
    }
}

impl Ward for Input<'_> {
    const HINGES: ConditionType = ConditionType::Assigned;
    const NOWHERE: &'static str = "there is no service whose load balancers could be assigned";
    const STAYS: &'static str = "its connections stay as they are";

    fn parent(&self) -> &Parent {
        &self.desired.parent
    }

    fn deleting(&self) -> bool {
        self.desired.deleting
    }

    /// Its deletion ends nothing in the cloud.
    fn has_acted(&self) -> bool {
        false
    }
}

/// Why an assignment that is deleted goes without a call, where the object of its service is enough to say so.
#[must_use]
pub fn left_alone(parent: &Parent) -> Option<String> {
    parent::left_alone::<Input<'_>>(parent, false)
}

/// A turn in which the service is there, and the endpoint is known.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) parent: &'a ParentService,
    pub(crate) service: &'a Service,
    pub(crate) view: &'a ServiceView,
    pub(crate) endpoint: &'a EndpointId,
}

impl<'a> Scene<'a> {
    /// The scene, as far as it can be seen: the report tells of it even where nothing may be done.
    pub(crate) fn of(input: &'a Input<'a>) -> Option<Self> {
        let Home { parent, service, view } = parent::shown(&input.desired.parent, &input.ground.laid.snapshot)?;
        Some(Self { input, parent, service, view, endpoint: input.desired.endpoint()? })
    }

    /// The connection, as far as the list shows it.
    pub(crate) fn connection(&self) -> Option<&'a Connection> {
        self.view.connections.value()?.iter().find(|one| one.endpoint == *self.endpoint)
    }

    /// The zone of the connection, as far as the list shows it.
    pub(crate) fn leg(&self) -> Option<&'a ZoneLeg> {
        self.connection()?.zones.get(&self.input.desired.zone)
    }

    /// Since when a read confirms what we did to the zone or its connection, where none has yet.
    pub(crate) fn unconfirmed(&self) -> Option<Moment> {
        let (id, endpoint) = (self.parent.id.clone(), self.endpoint.clone());
        let leg = Part::Leg(id.clone(), endpoint.clone(), self.input.desired.zone.clone());
        let parts = &self.input.ground.laid.unconfirmed_parts;
        [leg, Part::Connection(id, endpoint)].iter().filter_map(|part| parts.get(part)).max().copied()
    }
}

/// Who decides on the zone, as far as the endpoint is known.
pub(crate) fn claim(input: &Input<'_>) -> Option<ClaimState> {
    let pin = input.claims.pin(input.desired.endpoint()?, &input.desired.zone)?;
    Some(if pin.uid == input.desired.uid { ClaimState::Held } else { ClaimState::Waiting })
}

/// One turn of one object.
#[must_use]
pub fn plan(input: &Input<'_>) -> Plan {
    with_valid(turn(input))
}

fn turn(input: &Input<'_>) -> Plan {
    let deleting = input.desired.deleting;
    if input.desired.paused {
        let what = if deleting { "deletion waits" } else { "nothing is changed" };
        let message = format!("paused by the annotation privatelink.dev/paused: {what} until it is removed");
        return Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, message)]);
    }
    if let Some(plan) = parent::unusable(input) {
        return plan;
    }
    if let Some(plan) = doubtful(input) {
        return plan;
    }
    let Home { parent, service, view } = match parent::seen(input, &input.desired.parent, &input.ground.laid.snapshot) {
        Ok(home) => home,
        Err(plan) => return *plan,
    };
    let endpoint = match &input.desired.endpoint {
        Served::Known(endpoint) => endpoint,
        Served::Awaited(_) | Served::Missing(_) if deleting => return released("it decides on no connection"),
        Served::Awaited(message) => return Plan::waiting(Reason::WaitingForConsumer, message.clone()),
        Served::Missing(message) => return unreferred(message),
    };
    if claim(input) == Some(ClaimState::Waiting) {
        return behind(input, endpoint);
    }
    let scene = Scene { input, parent, service, view, endpoint };
    if let Some(plan) = unassignable(&scene).filter(|_| !deleting) {
        return plan;
    }
    let facets = [FacetKey::Resources(parent.id.clone()), FacetKey::Connections(parent.id.clone())];
    let looks = stale(input, &facets, ANY);
    if !looks.is_empty() {
        return Plan::looking(looks);
    }
    if deleting { leaves(&scene) } else { settle::plan(&scene) }
}

fn released(why: &str) -> Plan {
    Plan::released(Reason::Deleting, format!("nothing is changed in the cloud: {why}"))
}

fn unreferred(message: &str) -> Plan {
    let mut plan = Plan::waiting(Reason::ReferenceNotFound, message);
    plan.sayings.push(say(ConditionType::Valid, Truth::False, Reason::ReferenceNotFound, message));
    plan
}

/// Another assignment decides on the zone.
fn behind(input: &Input<'_>, endpoint: &EndpointId) -> Plan {
    let zone = &input.desired.zone;
    let holder = input.claims.pin(endpoint, zone).map_or("another", |pin| pin.name.as_str());
    if input.desired.deleting {
        return released(&format!("ZoneResourceAssignment {holder} decides on {zone} of {endpoint}"));
    }
    let message = format!(
        "ZoneResourceAssignment {holder} decides on {zone} of {endpoint}, and this one takes over when that one goes: delete one of the two"
    );
    Plan::stuck(Reason::OwnershipConflict, message)
}

/// The load balancers of the service are of a kind whose zones the cloud lets nobody assign.
fn unassignable(scene: &Scene<'_>) -> Option<Plan> {
    let kind = scene.service.kind.filter(|kind| !is_assignable(*kind))?;
    let message = format!(
        "{} has load balancers of type {}, and the cloud lets those of type CLB and ALB alone be assigned to zones: delete this object",
        scene.service.id,
        kind.as_str()
    );
    let mut plan = Plan::stuck(Reason::UnsupportedByCloud, message.clone());
    plan.sayings.push(say(ConditionType::Valid, Truth::False, Reason::UnsupportedByCloud, message));
    Some(plan)
}

/// The cloud lets load balancers of this kind be assigned and replaced.
pub(crate) const fn is_assignable(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Clb | ResourceKind::Alb)
}

/// What runs ends first; what is left of it then is the service's to clean up.
fn leaves(scene: &Scene<'_>) -> Plan {
    let (id, zone, endpoint) = (&scene.parent.id, &scene.input.desired.zone, scene.endpoint);
    let moves = scene.leg().is_some_and(ZoneLeg::is_moving) || scene.unconfirmed().is_some();
    if moves {
        let message = format!("the cloud is changing {zone} of {endpoint}, and this object goes after that");
        let sayings = vec![ready(Truth::False, Reason::Deleting, message.clone())];
        let mut plan = moving(scene.input, &[], &message, sayings);
        let since = scene.unconfirmed().unwrap_or(scene.input.ground.now - FRESH);
        plan.looks = stale(scene.input, &[FacetKey::Connections(id.clone())], since);
        return plan;
    }
    Plan::released(
        Reason::Deleting,
        format!("{zone} of {endpoint} stays as it is, and others decide on it from now on"),
    )
}
