//! What a cloud holds in one place, as far as it has been looked at.
//!
//! A [`Facet`] that was never read is `Unseen`, which is not the same as absent: a planner that needs it
//! asks for a look and concludes nothing.

mod endpoint;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::id::{CloudId, EndpointId, ServiceId, Sort};
use crate::moment::Moment;
use crate::state::LifeState;

pub use endpoint::{Endpoint, EndpointKind, EndpointView, Groups, Interface, Interfaces};
pub use service::{
    Connection, Payer, RegionState, Resource, ResourceKey, ResourceKind, Service, ServiceView, TrafficControl, ZoneLeg,
};

/// Tags of a cloud object.
pub type Tags = BTreeMap<String, String>;

/// One part of what a cloud holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Facet<T> {
    /// Not read yet.
    #[default]
    Unseen,
    /// Read.
    Seen {
        /// When the first request of the read left.
        at: Moment,
        /// What was read.
        value: T,
    },
}

impl<T> Facet<T> {
    /// A part that was read at `at`.
    pub const fn seen(at: Moment, value: T) -> Self {
        Self::Seen { at, value }
    }

    /// What was read, if anything was.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Unseen => None,
            Self::Seen { value, .. } => Some(value),
        }
    }

    /// What was read, to be changed by an effect of our own.
    pub const fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Unseen => None,
            Self::Seen { value, .. } => Some(value),
        }
    }

    /// When it was read.
    pub const fn at(&self) -> Option<Moment> {
        match self {
            Self::Unseen => None,
            Self::Seen { at, .. } => Some(*at),
        }
    }

    /// What was read, if it was read at `moment` or later.
    pub fn not_older_than(&self, moment: Moment) -> Option<&T> {
        match self {
            Self::Seen { at, value } if *at >= moment => Some(value),
            _ => None,
        }
    }
}

impl<T> Facet<Option<T>> {
    /// The same part, seen through a function of what was read.
    fn map<'a, U>(&'a self, of: impl FnOnce(&'a T) -> U) -> Facet<Option<U>> {
        match self {
            Self::Unseen => Facet::Unseen,
            Self::Seen { at, value } => Facet::seen(*at, value.as_ref().map(of)),
        }
    }
}

/// Internet protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// IPv4.
    V4,
    /// Both.
    DualStack,
}

/// What a cloud holds in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The services that the last list of all of them showed.
    pub listed_services: Facet<BTreeSet<ServiceId>>,
    /// What has been seen of each service; shared, since a place has thousands, and a copy is made of all of them
    /// whenever one changes.
    pub services: BTreeMap<ServiceId, Arc<ServiceView>>,
    /// The endpoints that the last list of all of them showed.
    pub listed_endpoints: Facet<BTreeSet<EndpointId>>,
    /// What has been seen of each endpoint; shared as the services are.
    pub endpoints: BTreeMap<EndpointId, Arc<EndpointView>>,
    /// Sorts of which all of two or more known objects were missing from the last list: nothing is concluded
    /// from it.
    pub vanished: BTreeSet<Sort>,
}

/// What a cloud object of any sort has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole<'a> {
    /// Which one it is.
    pub id: CloudId,
    /// State.
    pub state: &'a LifeState,
    /// Tags; `None`: not read.
    pub tags: Option<&'a Tags>,
}

impl<'a> From<&'a Service> for Whole<'a> {
    fn from(service: &'a Service) -> Self {
        Self { id: service.id.clone().into(), state: &service.state, tags: service.tags.as_ref() }
    }
}

impl<'a> From<&'a Endpoint> for Whole<'a> {
    fn from(endpoint: &'a Endpoint) -> Self {
        Self { id: endpoint.id.clone().into(), state: &endpoint.state, tags: endpoint.tags.as_ref() }
    }
}

impl Snapshot {
    /// What has been seen of the service, if anything.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&ServiceView> {
        self.services.get(id).map(Arc::as_ref)
    }

    /// What has been seen of the service, to be changed; nothing, at first.
    pub fn service_mut(&mut self, id: &ServiceId) -> &mut ServiceView {
        Arc::make_mut(self.services.entry(id.clone()).or_default())
    }

    /// What has been seen of the endpoint, if anything.
    #[must_use]
    pub fn endpoint(&self, id: &EndpointId) -> Option<&EndpointView> {
        self.endpoints.get(id).map(Arc::as_ref)
    }

    /// What has been seen of the endpoint, to be changed; nothing, at first.
    pub fn endpoint_mut(&mut self, id: &EndpointId) -> &mut EndpointView {
        Arc::make_mut(self.endpoints.entry(id.clone()).or_default())
    }

    /// When the list of all objects of a sort was read last.
    #[must_use]
    pub const fn listed_at(&self, sort: Sort) -> Option<Moment> {
        match sort {
            Sort::Service => self.listed_services.at(),
            Sort::Endpoint => self.listed_endpoints.at(),
        }
    }

    /// Whether the last list of its sort showed the object.
    #[must_use]
    pub fn lists(&self, id: &CloudId) -> bool {
        match id {
            CloudId::Service(id) => self.listed_services.value().is_some_and(|listed| listed.contains(id)),
            CloudId::Endpoint(id) => self.listed_endpoints.value().is_some_and(|listed| listed.contains(id)),
        }
    }

    /// When the object itself was read last, and what was read: `None`, where the cloud says that it does not
    /// exist.
    #[must_use]
    pub fn whole(&self, id: &CloudId) -> Facet<Option<Whole<'_>>> {
        match id {
            CloudId::Service(id) => self.service(id).map(|view| view.service.map(Whole::from)),
            CloudId::Endpoint(id) => self.endpoint(id).map(|view| view.endpoint.map(Whole::from)),
        }
        .unwrap_or_default()
    }

    /// The objects of a sort that exist as far as is known.
    #[must_use]
    pub fn wholes(&self, sort: Sort) -> Vec<Whole<'_>> {
        match sort {
            Sort::Service => self.present_services().map(Whole::from).collect(),
            Sort::Endpoint => {
                self.endpoints.values().filter_map(|view| view.endpoint.value()?.as_ref()).map(Whole::from).collect()
            }
        }
    }

    /// The services that exist as far as is known.
    pub fn present_services(&self) -> impl Iterator<Item = &Service> {
        self.services.values().filter_map(|view| view.service.value()?.as_ref())
    }
}
