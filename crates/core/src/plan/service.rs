//! The provider's planner: what is to be done so that a service is as declared.
//!
//! One turn: is there a place, may anything be done at all, which service is it, is there none yet ([`create`]),
//! is it as declared ([`converge`]), do connections leave a load balancer ([`evacuate`]), or does it go ([`teardown`]).

mod converge;
mod create;
mod evacuate;
pub(crate) mod exits;
mod teardown;

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::Claims;
use crate::desired::{self, DesiredService, Management};
use crate::id::{CloudId, ServiceId, Sort};
use crate::observed::{Resource, ResourceKey, ServiceView};
use crate::plan::case::{self, Case, Subject};
use crate::plan::identity::{Identity, identify};
use crate::plan::{Ground, Plan};
use crate::state::LifeState;
use crate::status::{self, Creation, ServiceStatus};

/// What the planner is told.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is true of the turn, whatever is planned.
    pub ground: Ground<'a>,
    /// What is declared.
    pub desired: &'a DesiredService,
    /// What the last turns wrote down.
    pub status: &'a ServiceStatus,
    /// Who decides on its connections.
    pub claims: &'a Claims,
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
    const SORT: Sort = Sort::Service;

    fn desired(&self) -> &desired::Common {
        &self.desired.common
    }

    fn creation(&self) -> &Creation {
        &self.status.creation
    }

    fn id(&self) -> Option<CloudId> {
        self.status.service_id.clone().map(CloudId::from)
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
        Err(plan) => *plan,
        Ok(Identity::Known(CloudId::Service(id))) => {
            Plan { identity: Some(id.clone().into()), ..converge::plan(input, &id) }
        }
        Ok(Identity::Known(CloudId::Endpoint(_)) | Identity::Nothing)
            if input.desired.common.management == Management::Observe =>
        {
            case::observes_nothing::<Input<'_>>()
        }
        Ok(Identity::Known(CloudId::Endpoint(_)) | Identity::Nothing) => create::plan(input),
    }
}

/// What is known of a service's two parts that decide.
pub(crate) fn view<'a>(input: &Input<'a>, id: &ServiceId) -> Option<&'a ServiceView> {
    input.ground.laid.snapshot.service(id)
}

pub(crate) fn resources<'a>(input: &Input<'a>, id: &ServiceId) -> Option<&'a BTreeMap<ResourceKey, Resource>> {
    view(input, id).and_then(|view| view.resources.value())
}

/// The load balancer can be detached now: nothing uses it, and its zone keeps one that allows automatic
/// allocation as long as others are there.
pub(crate) fn detachable(held: &BTreeMap<ResourceKey, Resource>, key: &ResourceKey) -> bool {
    let Some(resource) = held.get(key) else { return false };
    let mut others = held.iter().filter(|(other, _)| *other != key && other.zone == key.zone).peekable();
    let alone = others.peek().is_none();
    let unused = resource.connections + resource.deprecated_connections == 0;
    unused && (!resource.auto_allocate || alone || others.any(|(_, other)| other.auto_allocate))
}
