//! The consumer's planner: what is to be done so that an endpoint is as declared and traffic can flow.
//!
//! One turn: may anything be done at all, which endpoint is it, is there none yet ([`create`]), is it as declared
//! ([`converge`]) with the interfaces that are ([`zones`]), which of the calls that this takes is made now
//! ([`choice`]), what does its connection say ([`connection`]), or does it go ([`teardown`]).

mod choice;
mod connection;
mod converge;
mod create;
mod teardown;
mod zones;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::desired::{self, DesiredEndpoint, Management};
use crate::id::{CloudId, EndpointId, Sort};
use crate::observed::EndpointView;
use crate::plan::case::{self, ANY, Case, Subject, stale};
use crate::plan::identity::{Identity, identify};
use crate::plan::{Ground, Plan, Saying};
use crate::read::{FacetKey, Look};
use crate::state::LifeState;
use crate::status::{self, Creation, EndpointStatus};

/// What the planner is told.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is true of the turn, whatever is planned.
    pub ground: Ground<'a>,
    /// What is declared.
    pub desired: &'a DesiredEndpoint,
    /// What the last turns wrote down.
    pub status: &'a EndpointStatus,
}

impl Subject for Input<'_> {
    fn ground(&self) -> &Ground<'_> {
        &self.ground
    }

    fn uid(&self) -> &str {
        &self.desired.common.owner.uid
    }

    fn generation(&self) -> i64 {
        self.desired.common.generation
    }

    fn declared_fields(&self) -> BTreeSet<String> {
        self.desired.declared_fields()
    }

    fn status(&self) -> &status::Common {
        &self.status.common
    }
}

impl Case for Input<'_> {
    const SORT: Sort = Sort::Endpoint;

    fn desired(&self) -> &desired::Common {
        &self.desired.common
    }

    fn creation(&self) -> &Creation {
        &self.status.creation
    }

    fn id(&self) -> Option<CloudId> {
        self.status.endpoint_id.clone().map(CloudId::from)
    }

    fn shown(&self) -> Option<&LifeState> {
        self.status.state.as_ref()
    }
}

/// One turn of one object.
#[must_use]
pub fn plan(input: &Input<'_>) -> Plan {
    case::turn(input, teardown::plan, live)
}

fn live(input: &Input<'_>) -> Plan {
    match identify(input) {
        Err(plan) => unidentified(*plan),
        Ok(Identity::Known(CloudId::Endpoint(id))) => {
            Plan { identity: Some(id.clone().into()), ..converge::plan(input, &id) }
        }
        Ok(Identity::Known(CloudId::Service(_)) | Identity::Nothing)
            if input.desired.common.management == Management::Observe =>
        {
            case::observes_nothing::<Input<'_>>()
        }
        Ok(Identity::Known(CloudId::Service(_)) | Identity::Nothing) => create::plan(input),
    }
}

/// Of an endpoint that is gone nothing stays true.
fn unidentified(plan: Plan) -> Plan {
    let lost =
        |saying: &&Saying| saying.condition == ConditionType::Ready && saying.reason == Reason::ExternallyDeleted;
    match plan.sayings.iter().find(lost) {
        Some(saying) => connection::stuck(saying.reason, &saying.message.clone()),
        None => plan,
    }
}

/// What is known of the endpoint.
fn view<'a>(input: &Input<'a>, id: &EndpointId) -> Option<&'a EndpointView> {
    input.ground.laid.snapshot.endpoint(id)
}

/// How old may be what is known of an endpoint that no list shows. It is read in turn much more often than that; if
/// it cannot be, that is noticed here.
const DEEP: Duration = Duration::from_hours(6);

/// Looks at those parts of an endpoint that no list shows, where they were not read since something stirred them.
fn deep(input: &Input<'_>, id: &EndpointId, view: &EndpointView) -> Vec<Look> {
    let parts = [FacetKey::Interfaces(id.clone()), FacetKey::Groups(id.clone())];
    stale(input, &parts, view.stirred.unwrap_or(ANY).max(input.ground.now - DEEP))
}
