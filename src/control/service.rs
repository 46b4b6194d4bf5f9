//! `EndpointService` in the loop: what it refers to, and the way to core and back.

use kube::runtime::reflector::Store;
use privatelink_core::claims::{self, Claims};
use privatelink_core::desired::DesiredService;
use privatelink_core::id::{CloudId, ServiceId};
use privatelink_core::overlay::Laid;
use privatelink_core::place::Place;
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::status::{Common, Creation, ServiceStatus};

use crate::api::memory::service as memory;
use crate::api::parse::{self, Invalid};
use crate::api::service::{EndpointService, EndpointServiceStatus};

use super::context::Context;
use super::kind::{Kind, Turn, Unmet};
use super::own::Own;
use super::publish::{self, Unpublished};
use super::reach::{Reached, reach};
use super::relate;
use super::watch::{Guarded, Stores};

/// The kind.
#[derive(Debug)]
pub struct Service;

/// What a service refers to.
#[derive(Debug)]
pub struct Around {
    reached: Reached,
    claims: Claims,
}

impl Kind for Service {
    type Object = EndpointService;
    type Around = Around;
    type Desired = DesiredService;
    type Memory = ServiceStatus;
    type Status = EndpointServiceStatus;

    fn store(context: &Context) -> &Store<Guarded<EndpointService>> {
        &context.stores.services
    }

    fn own(context: &Context) -> &Own<EndpointService> {
        &context.own.services
    }

    fn dereference(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<Around, Unmet> {
        let entries = Stores::each(&context.stores.entries, |entry| relate::claim(object, entry));
        Ok(Around { reached: reach::<Self>(context, object, memory)?, claims: claims::settle(&entries, &[]) })
    }

    fn place(around: &Around) -> &Place {
        &around.reached.place
    }

    fn epoch(around: &Around) -> u64 {
        around.reached.epoch
    }

    fn parse(object: &EndpointService, around: &Around) -> Result<DesiredService, Invalid> {
        parse::service::parse(object, around.reached.surroundings.clone())
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

    fn creation(memory: &ServiceStatus) -> &Creation {
        &memory.creation
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

    fn parts(memory: &ServiceStatus) -> Vec<FacetKey> {
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

    async fn publish(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<(), Unpublished> {
        let name = object.spec.publish.as_ref().map(|publish| publish.config_map.name.as_str());
        let place = context.place_of(&object.spec.placement);
        let data = place.and_then(|place| publish::handover::of_service(place.cloud, &object.spec, memory));
        publish::config_map(context, object, name, data).await
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
