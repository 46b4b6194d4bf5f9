//! `EndpointService` in the loop: what it refers to, and the way to core and back.

use kube::runtime::reflector::Store;
use std::sync::Arc;

use privatelink_core::claims::Claims;
use privatelink_core::desired::{Deletion, DesiredService};
use privatelink_core::id::{CloudId, ServiceId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::overlay::Laid;
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::status::{Common, Creation, ServiceStatus};

use crate::api::memory::service as memory;
use crate::api::parse::{self, Invalid, Surroundings};
use crate::api::service::{EndpointService, EndpointServiceStatus};

use super::context::{Context, name};
use super::events::Happening;
use super::kind::{self, Kind, Made, Turn, Unmet};
use super::own::Own;
use super::publish::{self, Unpublished};
use super::reach::{Reached, reach};
use super::tenancy;
use super::watch::Guarded;

/// The kind.
#[derive(Debug)]
pub struct Service;

/// What a service refers to.
#[derive(Debug)]
pub struct Around {
    reached: Reached,
    surroundings: Surroundings,
    claims: Arc<Claims>,
}

impl Kind for Service {
    type Object = EndpointService;
    type Around = Around;
    type Desired = DesiredService;
    type Memory = ServiceStatus;
    type Status = EndpointServiceStatus;

    const STANDS_FOR: Option<Sort> = Some(Sort::Service);
    const SEEN_AMONG: Sort = Sort::Service;

    fn store(context: &Context) -> &Store<Guarded<EndpointService>> {
        &context.stores.services
    }

    fn own(context: &Context) -> &Own<EndpointService> {
        &context.own.services
    }

    fn dereference(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<Around, Unmet> {
        let (reached, surroundings) = reach::<Self>(context, object, memory)?;
        Ok(Around { reached, surroundings, claims: tenancy::of(context, &name(object)) })
    }

    fn reached(around: &Around) -> &Reached {
        &around.reached
    }

    fn parse(object: &EndpointService, around: &Around) -> Result<DesiredService, Invalid> {
        parse::service::parse(object, around.surroundings.clone())
    }

    fn memory(object: &EndpointService) -> ServiceStatus {
        match &object.status {
            Some(status) => memory::remembered(status),
            None => memory::remembered(&EndpointServiceStatus::default()),
        }
    }

    fn common(memory: &mut ServiceStatus) -> &mut Common {
        &mut memory.common
    }

    fn id(memory: &ServiceStatus) -> Option<CloudId> {
        memory.service_id.clone().map(CloudId::from)
    }

    fn may_exist(_: &EndpointService, memory: &ServiceStatus) -> bool {
        memory.service_id.is_some() || memory.creation.has_begun()
    }

    fn deletion(object: &EndpointService) -> Deletion {
        parse::deletion(&object.spec.placement)
    }

    fn left_behind(_: &EndpointService, memory: &ServiceStatus) -> String {
        kind::left_tagged(memory.service_id.as_ref())
    }

    fn plan(turn: &Turn<'_, Self>) -> Plan {
        plan::service::plan(&input(turn))
    }

    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> ServiceStatus {
        report::service::report(&input(turn), plan)
    }

    fn untold(memory: &ServiceStatus, laid: &Laid) -> Vec<FacetKey> {
        let unseen = |id: &&ServiceId| {
            laid.snapshot.service(id).is_some_and(|view| {
                view.connections.at().is_none() && view.service.value().is_some_and(Option::is_some)
            })
        };
        memory.service_id.iter().filter(unseen).map(|id| FacetKey::Connections(id.clone())).collect()
    }

    fn parts(_: &Around, memory: &ServiceStatus) -> Vec<FacetKey> {
        let of = |id: &ServiceId| {
            [FacetKey::Service(id.clone()), FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]
        };
        memory.service_id.iter().flat_map(of).chain([FacetKey::Services]).collect()
    }

    fn status(memory: &ServiceStatus, object: &EndpointService) -> EndpointServiceStatus {
        memory::written(memory, object.status.as_ref())
    }

    fn current(object: &EndpointService) -> Option<&EndpointServiceStatus> {
        object.status.as_ref()
    }

    fn without_counts(status: &EndpointServiceStatus) -> EndpointServiceStatus {
        let mut status = status.clone();
        status.connection_counts = None;
        status.unclaimed.clear();
        for resource in &mut status.resources {
            resource.connections = None;
            resource.deprecated_connections = None;
        }
        for evacuation in &mut status.evacuation {
            evacuation.remaining = 0;
        }
        if let Some(deletion) = &mut status.deletion {
            deletion.total = 0;
            deletion.blocked_by.clear();
        }
        status
    }

    fn happenings(before: &ServiceStatus, after: &ServiceStatus) -> Vec<Happening> {
        let waited = report::service::newly_long(before, after);
        waited
            .map(|one| Happening {
                normal: false,
                reason: "ConnectionUndecided",
                note: format!("the connection of {} waits to be accepted: {}", one.endpoint, one.reason),
            })
            .collect()
    }

    fn due(memory: &ServiceStatus, now: Moment) -> Option<Moment> {
        report::service::next_long(memory, now)
    }

    async fn publish(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<(), Unpublished> {
        let name = object.spec.publish.as_ref().map(|publish| publish.config_map.name.as_str());
        let place = context.place_of(&object.spec.placement);
        let data = place.and_then(|place| publish::handover::of_service(place.cloud, &object.spec, memory));
        publish::config_map(context, object, name, data).await
    }
}

impl Made for Service {
    fn creation(memory: &ServiceStatus) -> &Creation {
        &memory.creation
    }
}

fn input<'t>(turn: &'t Turn<'_, Service>) -> plan::service::Input<'t> {
    plan::service::Input {
        ground: turn.ground(),
        desired: turn.desired,
        status: turn.memory,
        claims: &turn.around.claims,
    }
}
