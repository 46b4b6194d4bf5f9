//! What is known of a place, as a value: what reads showed, and our own writes over it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use privatelink_core::id::ServiceId;
use privatelink_core::moment::Moment;
use privatelink_core::observed::{Facet, Service, ServiceView, Snapshot};
use privatelink_core::overlay::{Effect, Laid, Overlay};
use privatelink_core::read::FacetKey;
use privatelink_core::state::LifeState;
use privatelink_core::step::Step;

use super::list::Shown;

/// What is known of a place.
#[derive(Debug, Default)]
pub struct Known {
    snapshot: Snapshot,
    overlay: Overlay,
    managed: BTreeSet<ServiceId>,
    /// Services of which a person has said that they may be gone.
    given_up: BTreeSet<ServiceId>,
    /// When the tags of a service were read last, and when we wrote them last.
    tags_read: BTreeMap<ServiceId, Moment>,
    tags_written: BTreeMap<ServiceId, Moment>,
    laid: Option<Arc<Laid>>,
}

/// What a read has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Services of which something is new.
    pub touched: BTreeSet<ServiceId>,
    /// Writes of ours that no read has shown in time.
    pub unshown: usize,
}

impl Known {
    /// What reads showed with our own writes over it.
    pub fn laid(&mut self) -> Arc<Laid> {
        let Self { laid, overlay, snapshot, .. } = self;
        Arc::clone(laid.get_or_insert_with(|| Arc::new(overlay.lay(snapshot))))
    }

    /// When a part was read last: when the first request of that read left.
    pub fn read_at(&self, part: &FacetKey) -> Option<Moment> {
        let view = |id: &ServiceId| self.snapshot.services.get(id);
        match part {
            FacetKey::Services => self.snapshot.listed.at(),
            FacetKey::Service(id) => view(id).and_then(|view| view.service.at()),
            FacetKey::Resources(id) => view(id).and_then(|view| view.resources.at()),
            FacetKey::Connections(id) => view(id).and_then(|view| view.connections.at()),
        }
    }

    /// Whether it would be news that a list shows nothing: it is then read a second time. That a place holds no
    /// service at all is news at first, too, since something is made where nothing is.
    pub fn would_empty(&self, shown: &Shown) -> bool {
        let view = |id: &ServiceId| self.snapshot.services.get(id);
        match shown {
            Shown::Services(services) => {
                services.is_empty() && self.snapshot.listed.value().is_none_or(|listed| !listed.is_empty())
            }
            Shown::Service(..) => false,
            Shown::Resources(id, resources) => {
                resources.is_empty()
                    && view(id).and_then(|view| view.resources.value()).is_some_and(|known| !known.is_empty())
            }
            Shown::Connections(id, connections) => {
                connections.is_empty()
                    && view(id).and_then(|view| view.connections.value()).is_some_and(|known| !known.is_empty())
            }
        }
    }

    /// The services that objects manage.
    pub const fn managed(&self) -> &BTreeSet<ServiceId> {
        &self.managed
    }

    /// How many services the last list showed.
    pub fn listed(&self) -> usize {
        self.snapshot.listed.value().map_or(0, BTreeSet::len)
    }

    /// Sets the services that objects manage.
    pub fn manage(&mut self, managed: BTreeSet<ServiceId>) {
        self.managed = managed;
    }

    /// Lays a write of ours over what is known.
    pub fn record(&mut self, effect: Effect) {
        if let (Step::TagService(..) | Step::UntagService(..), Some(id)) = (&effect.step, effect.service()) {
            self.tags_written.insert(id.clone(), effect.at);
        }
        self.overlay.add(effect);
        self.laid = None;
    }

    /// What vanished all at once is believed to be gone.
    pub fn believe_vanished(&mut self) {
        if self.snapshot.all_vanished {
            self.given_up = self.counted(Moment(i64::MAX));
            self.snapshot.all_vanished = false;
            self.laid = None;
        }
    }

    /// Takes in what a read showed whose first request left at `at`.
    pub fn apply(&mut self, at: Moment, shown: Shown, now: Moment) -> Changed {
        let listed_before = self.snapshot.listed.value().cloned().unwrap_or_default();
        let ids: BTreeSet<ServiceId> = match &shown {
            Shown::Services(services) => {
                services.iter().map(|service| service.id.clone()).chain(listed_before.iter().cloned()).collect()
            }
            Shown::Service(id, _) | Shown::Resources(id, _) | Shown::Connections(id, _) => [id.clone()].into(),
        };
        let before = self.glimpse(&ids);
        match shown {
            Shown::Services(services) => self.take_list(at, services),
            Shown::Service(id, service) => self.take_service(at, id, service.map(|service| *service)),
            Shown::Resources(id, resources) => newer(&mut self.view(&id).resources, at, resources),
            Shown::Connections(id, connections) => newer(&mut self.view(&id).connections, at, connections),
        }
        let unshown = self.overlay.prune(&self.snapshot, now);
        self.laid = None;
        let after = self.glimpse(&ids);
        let listed = self.snapshot.listed.value().cloned().unwrap_or_default();
        let mut touched: BTreeSet<ServiceId> = listed_before.symmetric_difference(&listed).cloned().collect();
        touched.extend(ids.into_iter().filter(|id| differ(&before, &after, id)));
        Changed { touched, unshown }
    }

    /// A list shows what exists. What it does not show keeps what was known of it: that it is absent is concluded
    /// from a read by its id alone.
    fn take_list(&mut self, at: Moment, services: Vec<Service>) {
        if self.snapshot.listed.at().is_some_and(|last| at < last) {
            return;
        }
        let counted = self.counted(at);
        let listed: BTreeSet<ServiceId> = services.iter().map(|service| service.id.clone()).collect();
        self.given_up.retain(|id| !listed.contains(id));
        self.snapshot.all_vanished = counted.len() >= 2 && counted.is_disjoint(&listed);
        for service in services {
            self.take_service(at, service.id.clone(), Some(service));
        }
        if !self.snapshot.all_vanished {
            self.forget_strangers(&listed);
        }
        self.snapshot.listed = Facet::seen(at, listed);
    }

    fn take_service(&mut self, at: Moment, id: ServiceId, service: Option<Service>) {
        let tags_hold = self.tags_read.get(&id) >= self.tags_written.get(&id);
        let view = self.snapshot.service_mut(&id);
        if view.service.at().is_some_and(|last| at < last) {
            return;
        }
        let mut service = service;
        match &mut service {
            Some(service) if service.tags.is_some() => {
                self.tags_read.insert(id, at);
            }
            // A read by id shows no tags. Those that the last list showed hold, unless we have written them since.
            Some(service) if tags_hold => {
                service.tags = view.service.value().and_then(|known| known.as_ref()?.tags.clone());
            }
            Some(_) => {}
            None => {
                self.tags_read.remove(&id);
                self.tags_written.remove(&id);
            }
        }
        view.service = Facet::seen(at, service);
    }

    /// Services that nobody manages and no list shows any more are of no interest.
    fn forget_strangers(&mut self, listed: &BTreeSet<ServiceId>) {
        let Self { snapshot, managed, tags_read, tags_written, .. } = self;
        snapshot.services.retain(|id, _| listed.contains(id) || managed.contains(id));
        tags_read.retain(|id, _| snapshot.services.contains_key(id));
        tags_written.retain(|id, _| snapshot.services.contains_key(id));
    }

    /// The services that a list whose first request left at `at` is expected to show: those that were seen and
    /// those that objects manage, but none that is gone or on its way, and none that may be younger than the list.
    fn counted(&self, at: Moment) -> BTreeSet<ServiceId> {
        let laid = self.overlay.lay(&self.snapshot);
        let expected = |id: &&ServiceId| {
            let part = FacetKey::Service((*id).clone());
            let exists = match laid.snapshot.services.get(*id).and_then(|view| view.service.value()) {
                Some(Some(service)) => service.state != LifeState::Deleting,
                Some(None) => false,
                None => true,
            };
            exists
                && !self.given_up.contains(*id)
                && !laid.unconfirmed.contains_key(&part)
                && self.read_at(&part).is_none_or(|read| read < at)
        };
        let seen = self.snapshot.services.iter().filter(|(_, view)| view.service.value().is_some());
        seen.map(|(id, _)| id).chain(&self.managed).filter(expected).cloned().collect()
    }

    fn view(&mut self, id: &ServiceId) -> &mut ServiceView {
        self.snapshot.service_mut(id)
    }

    /// What is known of some services, with our own writes over it.
    fn glimpse(&self, ids: &BTreeSet<ServiceId>) -> Laid {
        let services = ids.iter().filter_map(|id| Some((id.clone(), self.snapshot.services.get(id)?.clone())));
        self.overlay.lay(&Snapshot { services: services.collect(), ..Snapshot::default() })
    }
}

/// What was read is taken in, unless a younger read is there already.
fn newer<T>(facet: &mut Facet<T>, at: Moment, value: T) {
    if facet.at().is_none_or(|last| last <= at) {
        *facet = Facet::seen(at, value);
    }
}

/// Whether two looks at a service differ in more than in when they were taken.
fn differ(before: &Laid, after: &Laid, id: &ServiceId) -> bool {
    fn parts(laid: &Laid, id: &ServiceId) -> impl PartialEq {
        let view = laid.snapshot.services.get(id).cloned().unwrap_or_default();
        let seen = (view.service.value().cloned(), view.resources.value().cloned(), view.connections.value().cloned());
        (seen, laid.unconfirmed_of(id).into_iter().cloned().collect::<Vec<_>>())
    }
    parts(before, id) != parts(after, id)
}
