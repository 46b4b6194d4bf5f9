//! Which objects a change can have touched, so that what stands beside the world looks at those alone.

use crate::world::call::ObjectId;
use crate::world::{Answer, Call, EndpointId, Progress, ServiceId, State};

/// Every object that exists.
#[must_use]
pub fn everything(state: &State) -> Vec<ObjectId> {
    let services = state.services.keys().map(|id| ObjectId::Service(*id));
    services.chain(state.endpoints.keys().map(|id| ObjectId::Endpoint(*id))).collect()
}

/// What a call that was carried out, and led to `state`, can have touched.
#[must_use]
pub fn by_call(state: &State, call: &Call, answer: Answer) -> Vec<ObjectId> {
    let service = |id: &ServiceId| vec![ObjectId::Service(*id)];
    let endpoint = |id: &EndpointId| vec![ObjectId::Endpoint(*id)];
    match (call, answer) {
        (_, Answer::Service(id)) => service(&id),
        (_, Answer::Endpoint(id)) => endpoint(&id),
        (
            Call::UpdateService(id, _)
            | Call::DeleteService(id)
            | Call::AttachResource(id, _)
            | Call::SetAutoAllocate(id, ..)
            | Call::AllowPrincipal(id, _)
            | Call::DisallowPrincipal(id, _),
            _,
        ) => service(id),
        // Its endpoints forget a resource that leaves.
        (Call::DetachResource(id, _), _) => of_service(state, *id),
        (
            Call::UpdateEndpoint(id, _)
            | Call::DeleteEndpoint(id)
            | Call::AddZone(id, _)
            | Call::RemoveZone(id, _)
            | Call::AttachGroup(id, _)
            | Call::DetachGroup(id, _),
            _,
        ) => endpoint(id),
        (
            Call::AcceptConnection(key, _)
            | Call::RejectConnection(key)
            | Call::UpdateConnection(key, _)
            | Call::ConnectZone(key, _)
            | Call::DisconnectZone(key, ..)
            | Call::AssignZoneResource(key, ..),
            _,
        ) => vec![ObjectId::Service(key.service), ObjectId::Endpoint(key.endpoint)],
        (Call::Tag(objects, _) | Call::Untag(objects, _), _) => objects.clone(),
        (Call::ChangeResourceGroup(object, _), _) => vec![*object],
        (Call::OpenProduct | Call::CreateService(_) | Call::CreateEndpoint(_), _) => Vec::new(),
    }
}

/// A service and its endpoints.
fn of_service(state: &State, id: ServiceId) -> Vec<ObjectId> {
    let endpoints = state.endpoints_of(id).map(|endpoint| ObjectId::Endpoint(endpoint.id));
    std::iter::once(ObjectId::Service(id)).chain(endpoints).collect()
}

/// What a transition that is about to be carried out on `state` can touch.
#[must_use]
pub fn by_progress(state: &State, transition: Progress) -> Vec<ObjectId> {
    let object = transition.object();
    match object {
        // A service that is deleted cuts its endpoints.
        ObjectId::Service(id) => of_service(state, id),
        // A migration that ends lets its service settle.
        ObjectId::Endpoint(id) => {
            let service = state.endpoints.get(&id).map(|endpoint| ObjectId::Service(endpoint.service));
            std::iter::once(object).chain(service).collect()
        }
    }
}
