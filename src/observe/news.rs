//! What a read has shown to be new, and whom that concerns: what is known before it and after it, compared.
//!
//! A service may have a thousand tenants. What is new of one of them is told of that one alone, so that a
//! connection that changes costs one turn and not a thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use privatelink_core::id::{AccountId, CloudId, EndpointId, ServiceId};
use privatelink_core::observed::{Connection, Facet, ResourceKey, ResourceKind, ServiceView, Snapshot};
use privatelink_core::overlay::{Laid, Overlay};
use privatelink_core::owner;
use privatelink_core::principal::{Principal, Whom};
use privatelink_core::state::LifeState;
use privatelink_core::step::Part;

/// What a read has shown to be new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Something of a cloud object, or that it has come or gone. An endpoint is told of also where a service shows
    /// another state of its legs, wherever the endpoint itself lives.
    Object(CloudId),
    /// The connection of this endpoint of this account to the service has come, gone or changed, or a write of ours
    /// to it was confirmed. No account: the cloud does not say whose.
    Connection(ServiceId, EndpointId, Option<AccountId>),
    /// A principal has come onto the service's list or left it, or a write of ours of it was confirmed.
    Principal(ServiceId, Whom),
    /// Something of the service that all its tenants depend on.
    Tenants(ServiceId),
}

/// What is known of some objects at one time.
#[derive(Debug)]
pub struct Glimpse {
    /// What reads showed.
    read: Snapshot,
    /// The same with our own writes over it.
    laid: Laid,
}

impl Glimpse {
    /// What reads showed, and our own writes that no read has shown yet.
    pub fn new(read: Snapshot, overlay: &Overlay) -> Self {
        let laid = overlay.lay(&read);
        Self { read, laid }
    }

    /// What is new of these objects by the time of `after`.
    pub fn news(&self, after: &Self, ids: BTreeSet<CloudId>) -> BTreeSet<News> {
        let (unconfirmed, still) = (self.unconfirmed(), after.unconfirmed());
        let mut written: BTreeMap<&ServiceId, Written<'_>> = BTreeMap::new();
        for part in unconfirmed.symmetric_difference(&still) {
            match part {
                Part::Principal(id, principal) => written.entry(id).or_default().principals.push(principal),
                Part::Connection(id, endpoint) | Part::Leg(id, endpoint, _) => {
                    written.entry(id).or_default().connections.push(endpoint);
                }
            }
        }
        let mut news = BTreeSet::new();
        for id in ids {
            if let CloudId::Service(id) = &id {
                let written = written.remove(id).unwrap_or_default();
                let (was, is) = (view(&self.laid.snapshot, id), view(&after.laid.snapshot, id));
                news.extend(connections(id, &was, &is, &written.connections));
                news.extend(principals(id, &was, &is, &written.principals));
                // A write of ours that is confirmed changes only what was read, one that did not last only what
                // was laid over it.
                let (was_read, is_read) = (view(&self.read, id), view(&after.read, id));
                if Common::of(&was) != Common::of(&is) || Common::of(&was_read) != Common::of(&is_read) {
                    news.insert(News::Tenants(id.clone()));
                }
            }
            if differ(&self.laid, &after.laid, &id) {
                news.insert(News::Object(id));
            }
        }
        news
    }

    /// The principals and connections that only our own writes speak of.
    fn unconfirmed(&self) -> BTreeSet<&Part> {
        self.laid.unconfirmed_parts.keys().collect()
    }
}

/// What of one service was written by us, where a read has confirmed it.
#[derive(Default)]
struct Written<'a> {
    principals: Vec<&'a Principal>,
    connections: Vec<&'a EndpointId>,
}

/// What the decision on any tenant of a service depends on, whoever that is. How many connections a load balancer
/// carries does not belong here: it changes with each that is accepted.
#[derive(PartialEq)]
struct Common<'a> {
    /// Which parts were ever read: the service, its load balancers, its connections, its list. A list that is read
    /// for the first time is news to every tenant, and not only to those that it shows: whoever is not on it has to
    /// be put there, and whoever has no connection is done. All of them wait for it.
    read: [bool; 4],
    service: Option<Terms<'a>>,
    /// The load balancers, and whether the cloud may give each to new connections.
    resources: Option<BTreeMap<&'a ResourceKey, bool>>,
}

/// What a service itself says to all its tenants. That the cloud is changing it is nothing that they have to be told:
/// whoever waits for the end of that looks at it.
#[derive(PartialEq)]
struct Terms<'a> {
    state: &'a LifeState,
    /// Its tags name an owner, as far as they were read: before that nobody is let out of one that is adopted.
    owned: bool,
    locked: bool,
    auto_accept: bool,
    kind: Option<ResourceKind>,
    bandwidth_mbps: Option<(u32, u32)>,
    default_bandwidth_mbps: Option<u32>,
}

impl<'a> Common<'a> {
    fn of(view: &'a ServiceView) -> Self {
        let ServiceView { service, resources, connections, principals } = view;
        let read = [service.at(), resources.at(), connections.at(), principals.at()].map(|at| at.is_some());
        let service = service.value().and_then(Option::as_ref).map(|service| Terms {
            state: if service.state == LifeState::Modifying { &LifeState::Active } else { &service.state },
            owned: service.tags.as_ref().is_none_or(|tags| tags.contains_key(owner::UID)),
            locked: service.locked,
            auto_accept: service.auto_accept,
            kind: service.kind,
            bandwidth_mbps: service.bandwidth_mbps,
            default_bandwidth_mbps: service.default_bandwidth_mbps,
        });
        let resources = resources.value().map(|all| all.iter().map(|(key, one)| (key, one.auto_allocate)).collect());
        Self { read, service, resources }
    }
}

/// Which connections are new. All are that are read for the first time.
fn connections(id: &ServiceId, was: &ServiceView, is: &ServiceView, written: &[&EndpointId]) -> BTreeSet<News> {
    if written.is_empty() && was.connections.value() == is.connections.value() {
        return BTreeSet::new();
    }
    let (was, is) = (by_endpoint(&was.connections), by_endpoint(&is.connections));
    let endpoints: BTreeSet<&EndpointId> = was.keys().chain(is.keys()).copied().collect();
    let differs = |endpoint: &&EndpointId| was.get(endpoint) != is.get(endpoint);
    let mut news = BTreeSet::new();
    for endpoint in endpoints.into_iter().filter(differs).chain(written.iter().copied()) {
        // One that is known by now to be another's concerns both. Nobody decides on what is known neither before
        // nor after.
        let both = [was.get(endpoint), is.get(endpoint)];
        let owners = both.into_iter().flatten().map(|connection| connection.owner.clone());
        news.extend(owners.map(|owner| News::Connection(id.clone(), endpoint.clone(), owner)));
    }
    news
}

fn by_endpoint(connections: &Facet<Vec<Connection>>) -> BTreeMap<&EndpointId, &Connection> {
    connections.value().into_iter().flatten().map(|one| (&one.endpoint, one)).collect()
}

/// Who has come onto the list or left it, in whatever form, and of whom a write of ours was confirmed.
fn principals(id: &ServiceId, was: &ServiceView, is: &ServiceView, written: &[&Principal]) -> BTreeSet<News> {
    let none = BTreeSet::new();
    let (was, is) = (was.principals.value().unwrap_or(&none), is.principals.value().unwrap_or(&none));
    let changed = was.symmetric_difference(is).chain(written.iter().copied());
    changed.map(|principal| News::Principal(id.clone(), principal.whom())).collect()
}

fn view(snapshot: &Snapshot, id: &ServiceId) -> Arc<ServiceView> {
    snapshot.services.get(id).cloned().unwrap_or_default()
}

/// Whether two looks at an object differ in more than in when they were taken.
fn differ(before: &Laid, after: &Laid, id: &CloudId) -> bool {
    let unconfirmed = before.unconfirmed_of(id) != after.unconfirmed_of(id);
    unconfirmed
        || match id {
            CloudId::Service(id) => {
                let (before, after) = (view(&before.snapshot, id), view(&after.snapshot, id));
                (
                    before.service.value(),
                    before.resources.value(),
                    before.connections.value(),
                    before.principals.value(),
                ) != (
                    after.service.value(),
                    after.resources.value(),
                    after.connections.value(),
                    after.principals.value(),
                )
            }
            CloudId::Endpoint(id) => {
                let view = |laid: &Laid| laid.snapshot.endpoints.get(id).cloned().unwrap_or_default();
                let (before, after) = (view(before), view(after));
                (before.endpoint.value(), before.interfaces.value(), before.groups.value())
                    != (after.endpoint.value(), after.interfaces.value(), after.groups.value())
            }
        }
}
