//! The status of an assignment: what was planned and what is seen, in one value.

use crate::observed::ZoneLeg;
use crate::plan::Plan;
use crate::plan::assignment::{Input, Scene, claim, course, decide};
use crate::report::common;
use crate::state::ClaimState;
use crate::status::{AssignmentStatus, Migration, Side};

/// The status after this turn. What was not looked at keeps its last word.
#[must_use]
pub fn report(input: &Input<'_>, plan: &Plan) -> AssignmentStatus {
    let mut status = input.status.clone();
    status.common = common(&input.status.common, input.desired.generation, plan, input.ground.tries, input.ground.now);
    status.claim = claim(input).or(status.claim);
    status.endpoint = input.desired.endpoint().cloned().or(status.endpoint);
    if status.claim == Some(ClaimState::Waiting) {
        // What another assignment decides on is told there; what this one did is not forgotten.
        return AssignmentStatus {
            common: status.common,
            claim: status.claim,
            endpoint: status.endpoint,
            history: status.history,
            ..AssignmentStatus::default()
        };
    }
    let Some(scene) = Scene::of(input) else { return status };
    if scene.view.connections.value().is_none() {
        return status;
    }
    // Where nothing was decided, because the service is paused for instance, what was open stays so.
    if !input.desired.paused && !scene.parent.paused && !scene.parent.observed {
        let course = course::of(&scene);
        let begins = plan.pin.as_ref().and_then(|_| decide::on(&scene, &course).begins);
        status.migration = begins.or(course.open);
        status.history = course.history;
    }
    let leg = scene.leg();
    status.state = leg.map(|leg| leg.state.clone());
    status.current = leg.map(current);
    status.replaced = leg.and_then(replaced);
    status
}

/// The migrations that have ended by `after`, and had not by `before`: an Event for each.
pub fn newly_ended<'s>(
    before: &'s AssignmentStatus,
    after: &'s AssignmentStatus,
) -> impl Iterator<Item = &'s Migration> {
    after.history.iter().filter(|one| !before.history.contains(one))
}

fn current(leg: &ZoneLeg) -> Side {
    Side { resource: leg.resource.clone(), interface: leg.interface.clone() }
}

fn replaced(leg: &ZoneLeg) -> Option<Side> {
    let side = Side { resource: leg.replaced_resource.clone(), interface: leg.replaced_interface.clone() };
    (side != Side::default()).then_some(side)
}
