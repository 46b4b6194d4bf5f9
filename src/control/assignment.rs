//! `ZoneResourceAssignment` in the loop: what it refers to, and the way to core and back.

use std::sync::Arc;

use kube::runtime::reflector::Store;
use privatelink_core::claims::Claims;
use privatelink_core::desired::{Deletion, DesiredAssignment, Parent};
use privatelink_core::id::{CloudId, Sort};
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::state::MigrationOutcome;
use privatelink_core::status::{AssignmentStatus, Common};

use crate::api::memory::assignment as memory;
use crate::api::parse::{self, Invalid};
use crate::api::{ZoneResourceAssignment, ZoneResourceAssignmentStatus};

use super::context::Context;
use super::events::Happening;
use super::finalizer;
use super::kind::{Kind, Turn, Unmet};
use super::own::Own;
use super::reach::Reached;
use super::relate::Ward as _;
use super::tenancy;
use super::ward;
use super::watch::Guarded;

/// The kind.
#[derive(Debug)]
pub struct Assignment;

/// What an assignment refers to.
#[derive(Debug)]
pub struct Around {
    reached: Reached,
    parent: Parent,
    claims: Arc<Claims>,
    endpoint: privatelink_core::desired::Served,
}

impl Kind for Assignment {
    type Object = ZoneResourceAssignment;
    type Around = Around;
    type Desired = DesiredAssignment;
    type Memory = AssignmentStatus;
    type Status = ZoneResourceAssignmentStatus;

    const STANDS_FOR: Option<Sort> = None;
    const SEEN_AMONG: Sort = Sort::Service;

    fn store(context: &Context) -> &Store<Guarded<ZoneResourceAssignment>> {
        &context.stores.assignments
    }

    fn own(context: &Context) -> &Own<ZoneResourceAssignment> {
        &context.own.assignments
    }

    fn dereference(context: &Context, object: &ZoneResourceAssignment, _: &AssignmentStatus) -> Result<Around, Unmet> {
        // Its endpoint may have got its id since it was seen last.
        tenancy::assigns(context, object);
        let name = object.service();
        let claims = tenancy::of(context, &name);
        let (reached, parent) = ward::home(context, object, &name, plan::assignment::left_alone)?;
        Ok(Around { reached, parent, claims, endpoint: tenancy::served(context, object) })
    }

    fn reached(around: &Around) -> &Reached {
        &around.reached
    }

    fn parse(object: &ZoneResourceAssignment, around: &Around) -> Result<DesiredAssignment, Invalid> {
        Ok(parse::assignment::parse(object, around.parent.clone(), around.endpoint.clone()))
    }

    fn memory(object: &ZoneResourceAssignment) -> AssignmentStatus {
        match &object.status {
            Some(status) => memory::remembered(status),
            None => memory::remembered(&ZoneResourceAssignmentStatus::default()),
        }
    }

    fn common(memory: &mut AssignmentStatus) -> &mut Common {
        &mut memory.common
    }

    fn id(_: &AssignmentStatus) -> Option<CloudId> {
        None
    }

    fn stands(memory: &AssignmentStatus) -> bool {
        memory.current.is_some()
    }

    fn may_exist(object: &ZoneResourceAssignment, _: &AssignmentStatus) -> bool {
        // See `ward::home`.
        finalizer::is_on(object)
    }

    fn deletion(_: &ZoneResourceAssignment) -> Deletion {
        // Whatever it has assigned stays so.
        Deletion::Retain
    }

    fn left_behind(object: &ZoneResourceAssignment, _: &AssignmentStatus) -> String {
        format!("{} of its endpoint stays as it is", object.spec.zone)
    }

    fn plan(turn: &Turn<'_, Self>) -> Plan {
        plan::assignment::plan(&input(turn))
    }

    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> AssignmentStatus {
        report::assignment::report(&input(turn), plan)
    }

    fn parts(around: &Around, _: &AssignmentStatus) -> Vec<FacetKey> {
        let Parent::Service(service) = &around.parent else { return Vec::new() };
        let parts = [FacetKey::Service, FacetKey::Connections, FacetKey::Resources];
        parts.map(|part| part(service.id.clone())).into()
    }

    fn status(memory: &AssignmentStatus, _: &ZoneResourceAssignment) -> ZoneResourceAssignmentStatus {
        memory::written(memory)
    }

    fn current(object: &ZoneResourceAssignment) -> Option<&ZoneResourceAssignmentStatus> {
        object.status.as_ref()
    }

    fn happenings(before: &AssignmentStatus, after: &AssignmentStatus) -> Vec<Happening> {
        let ended = report::assignment::newly_ended(before, after);
        ended
            .map(|one| {
                let outcome = one.outcome.clone().unwrap_or(MigrationOutcome::Failed);
                let gap = one.gap_seconds.map(|gap| format!(", with a gap of {gap} s")).unwrap_or_default();
                Happening {
                    normal: outcome == MigrationOutcome::Succeeded,
                    reason: "MigrationEnded",
                    note: format!("migration {} ({}): {outcome}{gap}", one.id, one.mode.as_str()),
                }
            })
            .collect()
    }
}

fn input<'t>(turn: &'t Turn<'_, Assignment>) -> plan::assignment::Input<'t> {
    plan::assignment::Input {
        ground: turn.ground(),
        desired: turn.desired,
        status: turn.memory,
        claims: &turn.around.claims,
    }
}
