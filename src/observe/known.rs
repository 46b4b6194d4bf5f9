//! What is known of a place, as a value: what reads showed, and our own writes over it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use privatelink_core::id::{CloudId, EndpointId, ServiceId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{Connection, Endpoint, Facet, Service, Snapshot, Tags};
use privatelink_core::overlay::{Effect, Laid, Overlay, read_at};
use privatelink_core::read::FacetKey;
use privatelink_core::state::LifeState;
use privatelink_core::step::Step;

use super::list::Shown;
use super::news::{Glimpse, News};

/// What is known of a place.
#[derive(Debug, Default)]
pub struct Known {
    snapshot: Snapshot,
    overlay: Overlay,
    managed: BTreeSet<CloudId>,
    /// Objects of which a person has said that they may be gone.
    given_up: BTreeSet<CloudId>,
    /// When the tags of an object were read last, and when we wrote them last.
    tags_read: BTreeMap<CloudId, Moment>,
    tags_written: BTreeMap<CloudId, Moment>,
    /// When what no list shows of an endpoint was asked for last in its turn.
    deepened: BTreeMap<EndpointId, Moment>,
    laid: Option<Arc<Laid>>,
}

/// What a read has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// What is new.
    pub touched: BTreeSet<News>,
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
        read_at(&self.snapshot, part)
    }

    /// Whether it would be news that a list shows nothing: it is then read a second time. That a place holds no
    /// object of a sort at all is news at first, too, since something is made where nothing is.
    pub fn would_empty(&self, shown: &Shown) -> bool {
        let known = match shown.part() {
            FacetKey::Services => self.snapshot.listed_services.value().is_none_or(|listed| !listed.is_empty()),
            FacetKey::Endpoints => self.snapshot.listed_endpoints.value().is_none_or(|listed| !listed.is_empty()),
            FacetKey::Resources(id) => holds(self.snapshot.service(&id).map(|view| &view.resources), BTreeMap::len),
            FacetKey::Connections(id) => holds(self.snapshot.service(&id).map(|view| &view.connections), Vec::len),
            FacetKey::Principals(id) => holds(self.snapshot.service(&id).map(|view| &view.principals), BTreeSet::len),
            FacetKey::Interfaces(id) => holds(self.snapshot.endpoint(&id).map(|view| &view.interfaces), BTreeMap::len),
            FacetKey::Groups(id) => holds(self.snapshot.endpoint(&id).map(|view| &view.groups), BTreeMap::len),
            FacetKey::Service(_) | FacetKey::Endpoint(_) => false,
        };
        known && shown.is_empty()
    }

    /// The cloud objects that objects manage.
    pub const fn managed(&self) -> &BTreeSet<CloudId> {
        &self.managed
    }

    /// How many objects of a sort the last list showed.
    pub fn listed(&self, sort: Sort) -> usize {
        match sort {
            Sort::Service => self.snapshot.listed_services.value().map_or(0, BTreeSet::len),
            Sort::Endpoint => self.snapshot.listed_endpoints.value().map_or(0, BTreeSet::len),
        }
    }

    /// Sets the cloud objects that objects manage.
    pub fn manage(&mut self, managed: BTreeSet<CloudId>) {
        self.deepened.retain(|id, _| managed.contains(&id.clone().into()));
        self.managed = managed;
    }

    /// The managed endpoint of which what no list shows was read, or tried to be read, longest ago; it counts as
    /// tried at `now`.
    pub fn next_deep(&mut self, now: Moment) -> Option<EndpointId> {
        let endpoints = self.managed.iter().filter_map(|id| match id {
            CloudId::Endpoint(id) => Some(id),
            CloudId::Service(_) => None,
        });
        let last = |id: &&EndpointId| {
            let read = self.snapshot.endpoint(id).and_then(|view| view.interfaces.at());
            read.max(self.deepened.get(*id).copied())
        };
        let next = endpoints.min_by_key(last).cloned()?;
        self.deepened.insert(next.clone(), now);
        Some(next)
    }

    /// Something was seen elsewhere that may have changed the interfaces of an endpoint.
    pub fn stir(&mut self, id: &EndpointId, at: Moment) {
        if self.snapshot.endpoints.contains_key(id) {
            self.snapshot.endpoint_mut(id).stirred = Some(at);
            self.laid = None;
        }
    }

    /// Lays a write of ours over what is known.
    pub fn record(&mut self, effect: Effect) {
        if let (Step::Tag(..) | Step::Untag(..), Some(id)) = (&effect.step, effect.object()) {
            self.tags_written.insert(id, effect.at);
        }
        self.overlay.add(effect);
        self.laid = None;
    }

    /// What vanished all at once is believed to be gone.
    pub fn believe_vanished(&mut self) {
        for sort in std::mem::take(&mut self.snapshot.vanished) {
            let counted = self.counted(sort, Moment(i64::MAX));
            self.given_up.extend(counted);
            self.laid = None;
        }
    }

    /// Takes in what a read showed whose first request left at `at`.
    pub fn apply(&mut self, at: Moment, shown: Shown, now: Moment) -> Changed {
        let part = shown.part();
        let listed_before = self.listed_of(&part);
        let ids: BTreeSet<CloudId> = match &shown {
            Shown::Services(all) => ids(all.iter().map(|one| one.id.clone())).chain(listed_before.clone()).collect(),
            Shown::Endpoints(all) => ids(all.iter().map(|one| one.id.clone())).chain(listed_before.clone()).collect(),
            _ => part.object().into_iter().collect(),
        };
        let before = self.glimpse(&ids);
        let mut legs = BTreeSet::new();
        match shown {
            Shown::Services(all) => self.take_list(at, Sort::Service, all.into_iter().map(Whole::Service).collect()),
            Shown::Endpoints(all) => self.take_list(at, Sort::Endpoint, all.into_iter().map(Whole::Endpoint).collect()),
            Shown::Service(id, one) => self.take_whole(at, id.into(), one.map(|one| Whole::Service(*one))),
            Shown::Endpoint(id, one) => self.take_whole(at, id.into(), one.map(|one| Whole::Endpoint(*one))),
            Shown::Resources(id, resources) => newer(&mut self.snapshot.service_mut(&id).resources, at, resources),
            Shown::Connections(id, connections) => legs = self.take_connections(at, &id, connections),
            Shown::Principals(id, principals) => newer(&mut self.snapshot.service_mut(&id).principals, at, principals),
            Shown::Interfaces(id, interfaces) => newer(&mut self.snapshot.endpoint_mut(&id).interfaces, at, interfaces),
            Shown::Groups(id, groups) => newer(&mut self.snapshot.endpoint_mut(&id).groups, at, groups),
        }
        let unshown = self.overlay.prune(&self.snapshot, now);
        self.laid = None;
        let mut touched = before.news(&self.glimpse(&ids), ids);
        let listed = self.listed_of(&part);
        let listing = listed_before.symmetric_difference(&listed).cloned();
        touched.extend(listing.chain(legs).map(News::Object));
        Changed { touched, unshown }
    }

    /// What the last list of these showed, where the part is a list.
    fn listed_of(&self, part: &FacetKey) -> BTreeSet<CloudId> {
        match part {
            FacetKey::Services => ids(self.snapshot.listed_services.value().into_iter().flatten().cloned()).collect(),
            FacetKey::Endpoints => ids(self.snapshot.listed_endpoints.value().into_iter().flatten().cloned()).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// A list shows what exists. What it does not show keeps what was known of it: that it is absent is concluded
    /// from a read by its id alone.
    fn take_list(&mut self, at: Moment, sort: Sort, all: Vec<Whole>) {
        if self.snapshot.listed_at(sort).is_some_and(|last| at < last) {
            return;
        }
        let counted = self.counted(sort, at);
        let listed: BTreeSet<CloudId> = all.iter().map(Whole::id).collect();
        self.given_up.retain(|id| !listed.contains(id));
        if counted.len() >= 2 && counted.is_disjoint(&listed) {
            self.snapshot.vanished.insert(sort);
        } else {
            self.snapshot.vanished.remove(&sort);
        }
        for whole in all {
            self.take_whole(at, whole.id(), Some(whole));
        }
        if !self.snapshot.vanished.contains(&sort) {
            self.forget_strangers(sort, &listed);
        }
        match sort {
            Sort::Service => self.snapshot.listed_services = Facet::seen(at, services(&listed)),
            Sort::Endpoint => self.snapshot.listed_endpoints = Facet::seen(at, endpoints(&listed)),
        }
    }

    fn take_whole(&mut self, at: Moment, id: CloudId, mut whole: Option<Whole>) {
        let known = self.snapshot.whole(&id);
        if known.at().is_some_and(|last| at < last) {
            return;
        }
        let tags_hold = self.tags_read.get(&id) >= self.tags_written.get(&id);
        match whole.as_mut().map(Whole::tags) {
            Some(Some(_)) => {
                self.tags_read.insert(id.clone(), at);
            }
            // A read by id shows no tags. Those that the last list showed hold, unless we have written them since.
            Some(unread) if tags_hold => {
                *unread = known.value().and_then(|known| known.as_ref()?.tags.cloned());
            }
            Some(None) => {}
            None => {
                self.tags_read.remove(&id);
                self.tags_written.remove(&id);
            }
        }
        match (id, whole) {
            (CloudId::Service(id), whole) => {
                let service = whole.and_then(Whole::service);
                self.snapshot.service_mut(&id).service = Facet::seen(at, service);
            }
            (CloudId::Endpoint(id), whole) => {
                let endpoint = whole.and_then(Whole::endpoint);
                let view = self.snapshot.endpoint_mut(&id);
                let known = view.endpoint.value().and_then(Option::as_ref);
                if known.zip(endpoint.as_ref()).is_some_and(|(before, after)| stirs(before, after)) {
                    view.stirred = Some(at);
                }
                view.endpoint = Facet::seen(at, endpoint);
            }
        }
    }

    /// Takes in the connections of a service; gives the endpoints whose legs show something else than before.
    fn take_connections(&mut self, at: Moment, id: &ServiceId, connections: Vec<Connection>) -> BTreeSet<CloudId> {
        let view = self.snapshot.service_mut(id);
        let legs = |connections: &[Connection]| -> BTreeMap<EndpointId, _> {
            connections.iter().map(|one| (one.endpoint.clone(), (one.state.clone(), one.zones.clone()))).collect()
        };
        let before = view.connections.value().map(|known| legs(known));
        let after = legs(&connections);
        newer(&mut view.connections, at, connections);
        let Some(before) = before else { return BTreeSet::new() };
        let changed: Vec<EndpointId> =
            after.into_iter().filter(|(id, leg)| before.get(id) != Some(leg)).map(|(id, _)| id).collect();
        for endpoint in &changed {
            self.stir(endpoint, at);
        }
        ids(changed.into_iter()).collect()
    }

    /// Objects that nobody manages and no list shows any more are of no interest.
    fn forget_strangers(&mut self, sort: Sort, listed: &BTreeSet<CloudId>) {
        let Self { snapshot, managed, tags_read, tags_written, .. } = self;
        let stays = |id: CloudId| listed.contains(&id) || managed.contains(&id);
        match sort {
            Sort::Service => snapshot.services.retain(|id, _| stays(id.clone().into())),
            Sort::Endpoint => snapshot.endpoints.retain(|id, _| stays(id.clone().into())),
        }
        tags_read.retain(|id, _| id.sort() != sort || stays(id.clone()));
        tags_written.retain(|id, _| id.sort() != sort || stays(id.clone()));
    }

    /// The objects that a list whose first request left at `at` is expected to show: those that were seen and
    /// those that objects manage, but none that is gone or on its way, and none that may be younger than the list.
    fn counted(&self, sort: Sort, at: Moment) -> BTreeSet<CloudId> {
        let laid = self.overlay.lay(&self.snapshot);
        let expected = |id: &CloudId| {
            let part = FacetKey::whole(id);
            let exists = match laid.snapshot.whole(id) {
                Facet::Seen { value: Some(whole), .. } => *whole.state != LifeState::Deleting,
                Facet::Seen { value: None, .. } => false,
                Facet::Unseen => true,
            };
            exists
                && !self.given_up.contains(id)
                && !laid.unconfirmed.contains_key(&part)
                && self.read_at(&part).is_none_or(|read| read < at)
        };
        let managed = self.managed.iter().filter(|id| id.sort() == sort).cloned();
        let seen = self.snapshot.wholes(sort).into_iter().map(|whole| whole.id);
        seen.chain(managed).filter(expected).collect()
    }

    /// What is known of some objects now.
    fn glimpse(&self, ids: &BTreeSet<CloudId>) -> Glimpse {
        let mut snapshot = Snapshot::default();
        for id in ids {
            match id {
                CloudId::Service(id) => {
                    snapshot.services.extend(self.snapshot.services.get(id).map(|view| (id.clone(), Arc::clone(view))));
                }
                CloudId::Endpoint(id) => {
                    let view = self.snapshot.endpoints.get(id);
                    snapshot.endpoints.extend(view.map(|view| (id.clone(), Arc::clone(view))));
                }
            }
        }
        Glimpse::new(snapshot, &self.overlay)
    }
}

/// A whole object as a read showed it.
enum Whole {
    Service(Service),
    Endpoint(Endpoint),
}

impl Whole {
    fn id(&self) -> CloudId {
        match self {
            Self::Service(service) => service.id.clone().into(),
            Self::Endpoint(endpoint) => endpoint.id.clone().into(),
        }
    }

    const fn tags(&mut self) -> &mut Option<Tags> {
        match self {
            Self::Service(service) => &mut service.tags,
            Self::Endpoint(endpoint) => &mut endpoint.tags,
        }
    }

    fn service(self) -> Option<Service> {
        match self {
            Self::Service(service) => Some(service),
            Self::Endpoint(_) => None,
        }
    }

    fn endpoint(self) -> Option<Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Service(_) => None,
        }
    }
}

/// Something that lists show of an endpoint has changed that its interfaces may have changed with.
fn stirs(before: &Endpoint, after: &Endpoint) -> bool {
    (&before.state, &before.connection, &before.domain, before.family)
        != (&after.state, &after.connection, &after.domain, after.family)
}

fn ids<I: Into<CloudId>>(ids: impl Iterator<Item = I>) -> impl Iterator<Item = CloudId> {
    ids.map(Into::into)
}

fn services(ids: &BTreeSet<CloudId>) -> BTreeSet<ServiceId> {
    let of = |id: &CloudId| if let CloudId::Service(id) = id { Some(id.clone()) } else { None };
    ids.iter().filter_map(of).collect()
}

fn endpoints(ids: &BTreeSet<CloudId>) -> BTreeSet<EndpointId> {
    let of = |id: &CloudId| if let CloudId::Endpoint(id) = id { Some(id.clone()) } else { None };
    ids.iter().filter_map(of).collect()
}

fn holds<T>(facet: Option<&Facet<T>>, count: impl Fn(&T) -> usize) -> bool {
    facet.and_then(Facet::value).is_some_and(|known| count(known) > 0)
}

/// What was read is taken in, unless a younger read is there already.
fn newer<T>(facet: &mut Facet<T>, at: Moment, value: T) {
    if facet.at().is_none_or(|last| last <= at) {
        *facet = Facet::seen(at, value);
    }
}
