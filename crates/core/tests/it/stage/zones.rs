//! The assignments of a provider: objects of their own beside its service and its entries, and what they and the
//! service may never ask for.

use privatelink_core::claims::{self, Claims};
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{DesiredAssignment, DesiredService, MigrationRules, Parent, Served};
use privatelink_core::id::EndpointId;
use privatelink_core::moment::Moment;
use privatelink_core::plan::Truth;
use privatelink_core::state::ClaimState;
use privatelink_core::status::AssignmentStatus;
use privatelink_core::step::Step;
use privatelink_sim::world::call::ConnectionKey;
use privatelink_sim::world::{Leg, ZoneId};

use super::tenants::{Slot, Tenant};
use super::{Tenants, key};

/// An assignment that says little: this zone of the connection is served by that load balancer of its zone.
pub fn assignment(endpoint: &EndpointId, balancer: &str) -> DesiredAssignment {
    DesiredAssignment {
        uid: String::new(),
        name: String::new(),
        generation: 1,
        created: Moment(0),
        deleting: false,
        paused: false,
        drain_approved: None,
        parent: Parent::Awaited("the EndpointService does not exist yet".to_owned()),
        endpoint: Served::Known(endpoint.clone()),
        zone: key(balancer).zone,
        resource: balancer.into(),
        connected: true,
        migration: MigrationRules::default(),
    }
}

/// What an assignment may never ask for.
pub(super) fn forbidden(one: &DesiredAssignment, claims: &Claims, step: &Step) -> Option<&'static str> {
    let Parent::Service(parent) = &one.parent else { return Some("there is no service") };
    let (Step::AssignResource(_, endpoint, zone, ..)
    | Step::ReplaceResource(_, endpoint, zone, _)
    | Step::CloseReplaced(_, endpoint, zone)
    | Step::ConnectZone(_, endpoint, zone)
    | Step::DisconnectZone(_, endpoint, zone)) = step
    else {
        return Some("it is no business of an assignment");
    };
    if Some(endpoint) != one.endpoint() || *zone != one.zone {
        return Some("it is another zone");
    }
    if one.paused || one.deleting || parent.paused || parent.observed {
        return Some("it may write nothing");
    }
    if claims.pin(endpoint, zone).is_none_or(|pin| pin.uid != one.uid) {
        return Some("another decides on the zone");
    }
    match step {
        Step::AssignResource(..) | Step::ReplaceResource(..) | Step::ConnectZone(..) if parent.deleting => {
            Some("nothing is opened on a service that goes")
        }
        Step::ReplaceResource(_, _, _, replacement) if replacement.mode != one.migration.mode => {
            Some("it moves in another way than is declared")
        }
        Step::ConnectZone(..) if !one.connected => Some("it is to be disconnected"),
        Step::DisconnectZone(..) if one.connected => Some("it is to be connected"),
        _ => None,
    }
}

/// What a service may never ask for of a zone.
pub(super) fn forbidden_to_service(one: &DesiredService, claims: &Claims, step: &Step) -> Option<&'static str> {
    let (Step::ReplaceResource(_, endpoint, zone, _) | Step::CloseReplaced(_, endpoint, zone)) = step else {
        return None;
    };
    if one.common.annotations.paused {
        return Some("it may write nothing");
    }
    claims.pin(endpoint, zone).map(|_| "an assignment decides on the zone")
}

impl Slot {
    /// What the assignment claims, if it is one.
    pub(super) fn pins(&self) -> Option<claims::Assignment> {
        match &self.desired {
            Tenant::Assignment(one, _) => one.claim(self.status.assignment.claim == Some(ClaimState::Held)),
            _ => None,
        }
    }
}

impl Tenants {
    /// An assignment is applied.
    pub fn assign(&mut self, name: &str, mut one: DesiredAssignment) {
        self.made += 1;
        one.uid = format!("uid-{name}-{}", self.made);
        name.clone_into(&mut one.name);
        one.created = self.stage.now.whole_second();
        self.zones.insert(name.to_owned(), Slot::new(Tenant::Assignment(Box::new(one), Claims::default())));
    }

    pub fn assigned(&self, name: &str) -> &DesiredAssignment {
        match &self.zones[name].desired {
            Tenant::Assignment(one, _) => one,
            _ => panic!("an assignment"),
        }
    }

    pub fn touch_zone(&mut self, name: &str, change: impl FnOnce(&mut DesiredAssignment)) {
        let Some(slot) = self.zones.get_mut(name) else { return };
        if let Tenant::Assignment(one, _) = &mut slot.desired {
            change(one);
        }
    }

    /// The spec of an assignment is edited.
    pub fn edit_zone(&mut self, name: &str, change: impl FnOnce(&mut DesiredAssignment)) {
        self.touch_zone(name, |one| {
            change(one);
            one.generation += 1;
        });
    }

    pub fn zone_status(&self, name: &str) -> &AssignmentStatus {
        &self.zones[name].status.assignment
    }

    pub fn zone_said(&self, name: &str, condition: ConditionType) -> Option<(Truth, Reason, String)> {
        let one = self.zone_status(name).common.conditions.iter().find(|one| one.condition == condition)?;
        Some((one.truth, one.reason, one.message.clone()))
    }

    pub fn zone_ready(&self, name: &str) -> (Truth, Reason, String) {
        self.zone_said(name, ConditionType::Ready).expect("something is said")
    }

    /// A zone of a connection in the world, and the load balancers of its two sides.
    pub fn leg(&self, of: ConnectionKey, zone: &str) -> (&Leg, Option<&str>, Option<&str>) {
        let land = &self.stage.world.land;
        let zone: ZoneId = land.zone_named(zone);
        let leg = &self.connection(of).zones[&zone];
        let name = |id| land.balancer(id).map(|one| one.name.as_str());
        (leg, leg.resource.and_then(name), leg.replaced.and_then(|side| name(side.resource)))
    }
}
