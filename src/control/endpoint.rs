//! `Endpoint` in the loop: what it refers to, and the way to core and back.

use kube::ResourceExt as _;
use kube::runtime::reflector::Store;
use privatelink_core::condition::Reason;
use privatelink_core::desired::{Deletion, DesiredEndpoint, Target};
use privatelink_core::id::{CloudId, EndpointId, Sort};
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::status::{self, Common, Creation};

use crate::api::EndpointService;
use crate::api::endpoint::{Endpoint as Object, EndpointStatus};
use crate::api::memory::endpoint as memory;
use crate::api::parse::{self, Invalid, Surroundings};

use super::context::Context;
use super::kind::{self, Fault, Kind, Made, Turn, Unmet};
use super::own::Own;
use super::publish::{self, Unpublished};
use super::reach::{Reached, reach};
use super::relate;
use super::watch::{Guarded, Stores};

/// The kind.
#[derive(Debug)]
pub struct Endpoint;

/// What an endpoint refers to.
#[derive(Debug)]
pub struct Around {
    reached: Reached,
    surroundings: Surroundings,
    target: Target,
}

impl Kind for Endpoint {
    type Object = Object;
    type Around = Around;
    type Desired = DesiredEndpoint;
    type Memory = status::EndpointStatus;
    type Status = EndpointStatus;

    const STANDS_FOR: Option<Sort> = Some(Sort::Endpoint);
    const SEEN_AMONG: Sort = Sort::Endpoint;

    fn store(context: &Context) -> &Store<Guarded<Object>> {
        &context.stores.endpoints
    }

    fn own(context: &Context) -> &Own<Object> {
        &context.own.endpoints
    }

    fn dereference(context: &Context, object: &Object, memory: &status::EndpointStatus) -> Result<Around, Unmet> {
        let (reached, surroundings) = reach::<Self>(context, object, memory)?;
        let target = target(context, object, &reached)?;
        Ok(Around { reached, surroundings, target })
    }

    fn reached(around: &Around) -> &Reached {
        &around.reached
    }

    fn parse(object: &Object, around: &Around) -> Result<DesiredEndpoint, Invalid> {
        parse::endpoint::parse(object, around.surroundings.clone(), around.target.clone())
    }

    fn memory(object: &Object) -> status::EndpointStatus {
        match &object.status {
            Some(status) => memory::remembered(status),
            None => memory::remembered(&EndpointStatus::default()),
        }
    }

    fn common(memory: &mut status::EndpointStatus) -> &mut Common {
        &mut memory.common
    }

    fn id(memory: &status::EndpointStatus) -> Option<CloudId> {
        memory.endpoint_id.clone().map(CloudId::from)
    }

    fn may_exist(_: &Object, memory: &status::EndpointStatus) -> bool {
        memory.endpoint_id.is_some() || memory.creation.has_begun()
    }

    fn deletion(object: &Object) -> Deletion {
        parse::deletion(&object.spec.placement)
    }

    fn left_behind(_: &Object, memory: &status::EndpointStatus) -> String {
        kind::left_tagged(memory.endpoint_id.as_ref())
    }

    fn plan(turn: &Turn<'_, Self>) -> Plan {
        plan::endpoint::plan(&input(turn))
    }

    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> status::EndpointStatus {
        report::endpoint::report(&input(turn), plan)
    }

    fn parts(_: &Around, memory: &status::EndpointStatus) -> Vec<FacetKey> {
        let of = |id: &EndpointId| {
            [FacetKey::Endpoint(id.clone()), FacetKey::Interfaces(id.clone()), FacetKey::Groups(id.clone())]
        };
        memory.endpoint_id.iter().flat_map(of).chain([FacetKey::Endpoints]).collect()
    }

    fn status(memory: &status::EndpointStatus, object: &Object) -> EndpointStatus {
        memory::written(memory, object.status.as_ref())
    }

    fn current(object: &Object) -> Option<&EndpointStatus> {
        object.status.as_ref()
    }

    async fn publish(context: &Context, object: &Object, memory: &status::EndpointStatus) -> Result<(), Unpublished> {
        let asked = object.spec.publish.as_ref();
        let map = asked.and_then(|publish| publish.config_map.as_ref()).map(|map| map.name.as_str());
        let alias = asked.and_then(|publish| publish.service.as_ref()).map(|service| service.name.as_str());
        let place = context.place_of(&object.spec.placement);
        let data = place.and_then(|place| publish::handover::of_endpoint(place.cloud, memory));
        publish::config_map(context, object, map, data).await?;
        publish::external_name(context, object, alias, memory.domain.as_deref()).await
    }
}

impl Made for Endpoint {
    fn creation(memory: &status::EndpointStatus) -> &Creation {
        &memory.creation
    }
}

fn input<'t>(turn: &'t Turn<'_, Endpoint>) -> plan::endpoint::Input<'t> {
    plan::endpoint::Input { ground: turn.ground(), desired: turn.desired, status: turn.memory }
}

/// The service that the endpoint is to reach, if its owner lets this namespace; what is being deleted reaches
/// nothing any more. Where several objects of this cluster stand for it, each of them has to.
fn target(context: &Context, object: &Object, reached: &Reached) -> Result<Target, Unmet> {
    let meant: Vec<EndpointService> = match &object.spec.service.reference {
        Some(reference) => {
            let namespace = reference.namespace.clone().or_else(|| object.namespace()).unwrap_or_default();
            let stored = Stores::get(&context.stores.services, &namespace, &reference.name);
            stored.map(|service| context.own.services.latest(service)).into_iter().collect()
        }
        None => Stores::each(&context.stores.services, |service| {
            // Who has no id yet may have got one by our own last write.
            let known = service.status.as_ref().is_some_and(|status| status.service_id.is_some());
            if known && !relate::refers_to(object, service) {
                return None;
            }
            let service = context.own.services.latest(service.clone());
            relate::refers_to(object, &service).then_some(service)
        }),
    };
    let namespace = object.namespace().unwrap_or_default();
    let shut = |service: &&EndpointService| !relate::lets_in(service, &namespace, &context.labels(&namespace));
    if object.metadata.deletion_timestamp.is_none()
        && let Some(service) = meant.iter().find(shut)
    {
        let message = format!(
            "service: EndpointService {}/{} does not let namespace {namespace} refer to it: ask its owner to add it to \
             consumerNamespaces",
            service.namespace().unwrap_or_default(),
            service.name_any()
        );
        return Err(Unmet { reason: Reason::ReferenceNotPermitted, message, fault: Fault::Own });
    }
    Ok(relate::target(&object.spec.service, meant.first(), &reached.place.region))
}
