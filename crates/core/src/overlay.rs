//! Our own writes laid over what was read, until a later read shows them: reading one's own writes without
//! waiting.
//!
//! The law: an effect covers any read whose first request left before the effect's answer came, and the first
//! later read drops it. Age alone does not: that would bring back what the older read said, and have the call
//! made again. It never confirms itself: what an effect touches is marked as unconfirmed, and an object that
//! needs it read again is not ready.

mod endpoint;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::CloudId;
use crate::moment::Moment;
use crate::observed::{Facet, Snapshot};
use crate::read::{Done, FacetKey};
use crate::step::{Part, Step};

/// How long an effect usually waits for a read that shows it; older ones are counted.
pub const LONGEST: Duration = Duration::from_mins(1);

/// A step that the cloud carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// When its answer came.
    pub at: Moment,
    /// What was done.
    pub step: Step,
    /// What was answered.
    pub done: Done,
}

/// The effects of one place that no read has shown yet, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    effects: Vec<Effect>,
}

impl Effect {
    /// The cloud object that was changed or made.
    #[must_use]
    pub fn object(&self) -> Option<CloudId> {
        match &self.done {
            Done::CreatedService(service) => Some(service.id.clone().into()),
            Done::CreatedEndpoint(endpoint) => Some(endpoint.id.clone().into()),
            Done::Accepted => self.step.object(),
        }
    }

    /// The parts of a snapshot whose read may drop the effect.
    #[must_use]
    pub fn touches(&self) -> Vec<FacetKey> {
        touches(&self.step, self.object().as_ref())
    }

    fn lay(&self, facet: &FacetKey, snapshot: &mut Snapshot) {
        match facet {
            FacetKey::Services | FacetKey::Endpoints => {}
            FacetKey::Service(id) => service::lay_on_whole(self, snapshot.service_mut(id)),
            FacetKey::Resources(id) => service::lay_on_resources(self, snapshot.service_mut(id)),
            FacetKey::Connections(id) => service::lay_on_connections(self, snapshot.service_mut(id)),
            FacetKey::Principals(id) => service::lay_on_principals(self, snapshot.service_mut(id)),
            FacetKey::Endpoint(id) => endpoint::lay_on_whole(self, snapshot.endpoint_mut(id)),
            FacetKey::Interfaces(id) => endpoint::lay_on_interfaces(self, snapshot.endpoint_mut(id)),
            FacetKey::Groups(id) => endpoint::lay_on_groups(self, snapshot.endpoint_mut(id)),
        }
    }

    /// What only our own word says is older than any read that could confirm it.
    fn before_answer(&self) -> Moment {
        self.at - Duration::from_millis(1)
    }
}

/// Tags as they are once a step has changed them.
fn lay_on_tags(step: &Step, tags: &mut Option<crate::observed::Tags>) {
    let Some(shown) = tags else { return };
    match step {
        Step::Tag(_, tags) => shown.extend(tags.clone()),
        Step::Untag(_, keys) => shown.retain(|key, _| !keys.contains(key)),
        _ => {}
    }
}

/// The parts of a snapshot that a step on this object changes.
#[must_use]
pub fn touches(step: &Step, object: Option<&CloudId>) -> Vec<FacetKey> {
    let whole = object.map(FacetKey::whole);
    let of_service = |part: fn(crate::id::ServiceId) -> FacetKey| match object {
        Some(CloudId::Service(id)) => Some(part(id.clone())),
        _ => None,
    };
    let of_endpoint = |part: fn(crate::id::EndpointId) -> FacetKey| match object {
        Some(CloudId::Endpoint(id)) => Some(part(id.clone())),
        _ => None,
    };
    let parts = match step {
        Step::OpenProduct => [None, None, None],
        Step::UpdateService(..)
        | Step::DeleteService(_)
        | Step::UpdateEndpoint(..)
        | Step::DeleteEndpoint(_)
        | Step::Tag(..)
        | Step::Untag(..)
        | Step::Move(..) => [whole, None, None],
        Step::CreateService(_) | Step::AttachResource(..) | Step::DetachResource(..) => {
            [whole, of_service(FacetKey::Resources), None]
        }
        Step::SetAutoAllocate(..) => [of_service(FacetKey::Resources), None, None],
        Step::AllowPrincipal(..) | Step::DisallowPrincipal(..) => [of_service(FacetKey::Principals), None, None],
        Step::AcceptConnection(..)
        | Step::RejectConnection(..)
        | Step::SetTraffic(..)
        | Step::CloseReplaced(..)
        | Step::ConnectZone(..)
        | Step::DisconnectZone(..) => [of_service(FacetKey::Connections), None, None],
        Step::PickResource(..) | Step::AssignResource(..) | Step::ReplaceResource(..) => {
            [whole, of_service(FacetKey::Connections), None]
        }
        Step::CreateEndpoint(_) => [whole, of_endpoint(FacetKey::Interfaces), of_endpoint(FacetKey::Groups)],
        Step::AddZone(..) | Step::RemoveZone(..) => [of_endpoint(FacetKey::Interfaces), None, None],
        Step::AttachSecurityGroup(..) | Step::DetachSecurityGroup(..) => [whole, of_endpoint(FacetKey::Groups), None],
    };
    parts.into_iter().flatten().collect()
}

impl Overlay {
    /// Remembers an effect.
    pub fn add(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Forgets the effects that no read is covered by any more: each part they touch has been read by requests
    /// that left after their answers, or the service they touch was found to be gone by one. Gives how many have
    /// waited for that longer than [`LONGEST`].
    pub fn prune(&mut self, snapshot: &Snapshot, now: Moment) -> usize {
        self.effects.retain(|effect| {
            effect.touches().iter().any(|facet| covers(effect, read_at(snapshot, facet)))
                && !is_of_what_is_gone(effect, snapshot)
        });
        self.effects.iter().filter(|effect| now.since(effect.at) > LONGEST).count()
    }

    /// The snapshot as it is once our own writes show, and the parts that no read has confirmed.
    #[must_use]
    pub fn lay(&self, snapshot: &Snapshot) -> Laid {
        let mut laid = Laid { snapshot: snapshot.clone(), ..Laid::default() };
        for effect in &self.effects {
            for facet in effect.touches() {
                if covers(effect, read_at(snapshot, &facet)) {
                    effect.lay(&facet, &mut laid.snapshot);
                    let since = laid.unconfirmed.entry(facet).or_insert(effect.at);
                    *since = (*since).max(effect.at);
                    if let Some(part) = effect.step.part() {
                        let since = laid.unconfirmed_parts.entry(part).or_insert(effect.at);
                        *since = (*since).max(effect.at);
                    }
                }
            }
        }
        laid
    }
}

/// A snapshot with our own writes laid over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    /// What is, as far as reads and our own writes say.
    pub snapshot: Snapshot,
    /// Parts that say so only by our own writes, with the moment since which a read confirms them.
    pub unconfirmed: BTreeMap<FacetKey, Moment>,
    /// The same of single principals, connections and their zones: who speaks of another one of the same service need
    /// not wait.
    pub unconfirmed_parts: BTreeMap<Part, Moment>,
}

impl Laid {
    /// The parts of this object that no read has confirmed.
    #[must_use]
    pub fn unconfirmed_of(&self, id: &CloudId) -> BTreeSet<&FacetKey> {
        self.unconfirmed.keys().filter(|facet| facet.object().as_ref() == Some(id)).collect()
    }
}

fn covers(effect: &Effect, read: Option<Moment>) -> bool {
    read.is_none_or(|at| at < effect.at)
}

/// The parts of an object that is gone are never read again: what was done to them must not outlive it, or the
/// object would be there again once the snapshot forgets it.
fn is_of_what_is_gone(effect: &Effect, snapshot: &Snapshot) -> bool {
    effect.object().is_some_and(|id| match snapshot.whole(&id) {
        Facet::Seen { at, value: None } => !covers(effect, Some(at)),
        _ => false,
    })
}

/// When a part was read.
#[must_use]
pub fn read_at(snapshot: &Snapshot, facet: &FacetKey) -> Option<Moment> {
    match facet {
        FacetKey::Services => snapshot.listed_services.at(),
        FacetKey::Service(id) => snapshot.service(id)?.service.at(),
        FacetKey::Resources(id) => snapshot.service(id)?.resources.at(),
        FacetKey::Connections(id) => snapshot.service(id)?.connections.at(),
        FacetKey::Principals(id) => snapshot.service(id)?.principals.at(),
        FacetKey::Endpoints => snapshot.listed_endpoints.at(),
        FacetKey::Endpoint(id) => snapshot.endpoint(id)?.endpoint.at(),
        FacetKey::Interfaces(id) => snapshot.endpoint(id)?.interfaces.at(),
        FacetKey::Groups(id) => snapshot.endpoint(id)?.groups.at(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ServiceId;
    use crate::observed::{ResourceKey, ResourceKind, ServiceView};
    use std::sync::Arc;

    #[test]
    fn what_was_done_to_a_service_ends_with_it() {
        let (id, at) = (ServiceId::from("epsrv-1"), Moment(1_000));
        let key = ResourceKey { id: "lb-1".into(), zone: "zone-a".into() };
        let step = Step::AttachResource(id.clone(), key, ResourceKind::Clb);
        let mut overlay = Overlay::default();
        overlay.add(Effect { at, step, done: Done::Accepted });

        let gone = |read| {
            let view = ServiceView { service: Facet::seen(read, None), ..ServiceView::default() };
            Snapshot { services: [(id.clone(), Arc::new(view))].into(), ..Snapshot::default() }
        };
        let later = at + LONGEST * 2;
        assert_eq!(overlay.prune(&gone(at - Duration::from_millis(1)), later), 1, "an earlier read says nothing of it");
        // Its load balancers were never read, and never will be.
        assert_eq!(overlay.prune(&gone(at), later), 0);
        assert_eq!(overlay.lay(&Snapshot::default()), Laid::default());
    }
}
