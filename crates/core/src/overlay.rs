//! Our own writes laid over what was read, until a later read shows them: reading one's own writes without
//! waiting.
//!
//! The law: an effect covers any read whose first request left before the effect's answer came, and the first
//! later read drops it. Age alone does not: that would bring back what the older read said, and have the call
//! made again. It never confirms itself: what an effect touches is marked as unconfirmed, and an object that
//! needs it read again is not ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::ServiceId;
use crate::moment::Moment;
use crate::observed::{Facet, Resource, ServiceView, Snapshot};
use crate::read::{Done, FacetKey};
use crate::state::{ConnectionState, ServiceState};
use crate::step::Step;

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
    /// The service that was changed or made.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceId> {
        match &self.done {
            Done::Created(service) => Some(&service.id),
            Done::Accepted => self.step.service(),
        }
    }

    /// The parts of a snapshot whose read may drop the effect.
    #[must_use]
    pub fn touches(&self) -> Vec<FacetKey> {
        touches(&self.step, self.service())
    }

    fn lay(&self, facet: &FacetKey, view: &mut ServiceView) {
        match facet {
            FacetKey::Services => {}
            FacetKey::Service(_) => self.lay_on_service(view),
            FacetKey::Resources(_) => self.lay_on_resources(view),
            FacetKey::Connections(_) => self.lay_on_connections(view),
        }
    }

    /// What only our own word says is older than any read that could confirm it.
    fn before_answer(&self) -> Moment {
        self.at - Duration::from_millis(1)
    }

    fn lay_on_service(&self, view: &mut ServiceView) {
        if let Done::Created(made) = &self.done
            && view.service.value().is_none_or(Option::is_none)
        {
            view.service = Facet::seen(self.before_answer(), Some((**made).clone()));
        }
        let Some(Some(service)) = view.service.value_mut() else { return };
        match &self.step {
            Step::UpdateService(_, change) => {
                if change.description.is_some() {
                    service.description.clone_from(&change.description);
                }
                service.auto_accept = change.auto_accept.unwrap_or(service.auto_accept);
                service.zone_affinity = change.zone_affinity.unwrap_or(service.zone_affinity);
                service.default_bandwidth_mbps = change.default_bandwidth_mbps.or(service.default_bandwidth_mbps);
                service.family = change.family.unwrap_or(service.family);
                service.regions.extend(change.open_regions.iter().cloned());
                service.regions.retain(|region| !change.close_regions.contains(region));
            }
            Step::DeleteService(_) => service.state = ServiceState::Deleting,
            Step::AttachResource(..) | Step::DetachResource(..) => service.state = ServiceState::Modifying,
            Step::TagService(_, tags) => {
                if let Some(shown) = &mut service.tags {
                    shown.extend(tags.clone());
                }
            }
            Step::UntagService(_, keys) => {
                if let Some(shown) = &mut service.tags {
                    shown.retain(|key, _| !keys.contains(key));
                }
            }
            Step::MoveService(_, group) => service.resource_group = Some(group.clone()),
            Step::OpenProduct | Step::CreateService(_) | Step::SetAutoAllocate(..) | Step::RejectConnection(..) => {}
        }
    }

    fn lay_on_resources(&self, view: &mut ServiceView) {
        if let Step::CreateService(form) = &self.step {
            let attached = form.resources.iter().map(|key| (key.clone(), fresh(form.kind)));
            if view.resources.value().is_none() {
                view.resources = Facet::seen(self.before_answer(), attached.collect());
            }
            return;
        }
        let Some(resources) = view.resources.value_mut() else { return };
        match &self.step {
            Step::AttachResource(_, key, kind) => {
                resources.entry(key.clone()).or_insert(fresh(*kind));
            }
            Step::DetachResource(_, key, _) => {
                resources.remove(key);
            }
            Step::SetAutoAllocate(_, key, on) => {
                if let Some(resource) = resources.get_mut(key) {
                    resource.auto_allocate = *on;
                }
            }
            _ => {}
        }
    }

    fn lay_on_connections(&self, view: &mut ServiceView) {
        let Step::RejectConnection(_, endpoint) = &self.step else { return };
        let Some(connections) = view.connections.value_mut() else { return };
        for connection in connections.iter_mut().filter(|connection| connection.endpoint == *endpoint) {
            connection.state =
                if connection.is_live() { ConnectionState::Disconnecting } else { ConnectionState::Rejected };
        }
    }
}

/// The parts of a snapshot that a step on this service changes.
#[must_use]
pub fn touches(step: &Step, service: Option<&ServiceId>) -> Vec<FacetKey> {
    let Some(id) = service else { return Vec::new() };
    let service = || FacetKey::Service(id.clone());
    match step {
        Step::OpenProduct => Vec::new(),
        Step::UpdateService(..)
        | Step::DeleteService(_)
        | Step::TagService(..)
        | Step::UntagService(..)
        | Step::MoveService(..) => vec![service()],
        Step::CreateService(_) | Step::AttachResource(..) | Step::DetachResource(..) => {
            vec![service(), FacetKey::Resources(id.clone())]
        }
        Step::SetAutoAllocate(..) => vec![FacetKey::Resources(id.clone())],
        Step::RejectConnection(..) => vec![FacetKey::Connections(id.clone())],
    }
}

const fn fresh(kind: crate::observed::ResourceKind) -> Resource {
    Resource { kind, auto_allocate: true, connections: 0, deprecated_connections: 0 }
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
        let mut laid = Laid { snapshot: snapshot.clone(), unconfirmed: BTreeMap::new() };
        for effect in &self.effects {
            let Some(id) = effect.service() else { continue };
            for facet in effect.touches() {
                if covers(effect, read_at(snapshot, &facet)) {
                    effect.lay(&facet, laid.snapshot.service_mut(id));
                    let since = laid.unconfirmed.entry(facet).or_insert(effect.at);
                    *since = (*since).max(effect.at);
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
}

impl Laid {
    /// The parts of this service that no read has confirmed.
    #[must_use]
    pub fn unconfirmed_of(&self, id: &ServiceId) -> BTreeSet<&FacetKey> {
        self.unconfirmed
            .keys()
            .filter(|facet| match facet {
                FacetKey::Service(of) | FacetKey::Resources(of) | FacetKey::Connections(of) => of == id,
                FacetKey::Services => false,
            })
            .collect()
    }
}

fn covers(effect: &Effect, read: Option<Moment>) -> bool {
    read.is_none_or(|at| at < effect.at)
}

/// The parts of a service that is gone are never read again: what was done to them must not outlive it, or the
/// service would be there again once the snapshot forgets it.
fn is_of_what_is_gone(effect: &Effect, snapshot: &Snapshot) -> bool {
    let service = effect.service().and_then(|id| snapshot.services.get(id)).map(|view| &view.service);
    service.is_some_and(|read| matches!(read.value(), Some(None)) && !covers(effect, read.at()))
}

/// When a part was read.
pub(crate) fn read_at(snapshot: &Snapshot, facet: &FacetKey) -> Option<Moment> {
    let view = |id: &ServiceId| snapshot.services.get(id);
    match facet {
        FacetKey::Services => snapshot.listed.at(),
        FacetKey::Service(id) => view(id).and_then(|view| view.service.at()),
        FacetKey::Resources(id) => view(id).and_then(|view| view.resources.at()),
        FacetKey::Connections(id) => view(id).and_then(|view| view.connections.at()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{ResourceKey, ResourceKind};
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
