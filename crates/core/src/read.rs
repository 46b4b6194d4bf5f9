//! The reads of a cloud: what is asked, and what an answer says in our words.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AccountId, CloudId, EndpointId, ServiceId, Sort};
use crate::moment::Moment;
use crate::observed::{Connection, Endpoint, Groups, Interfaces, Resource, ResourceKey, Service};
use crate::principal::Principal;

/// Part of a snapshot that can be looked at on its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetKey {
    /// All services of the place.
    Services,
    /// One service, by its id: the only read from which its absence may be concluded.
    Service(ServiceId),
    /// The resources of a service.
    Resources(ServiceId),
    /// The connections of a service.
    Connections(ServiceId),
    /// The principals on a service's list.
    Principals(ServiceId),
    /// All endpoints of the place.
    Endpoints,
    /// One endpoint, by its id: the only read from which its absence may be concluded.
    Endpoint(EndpointId),
    /// The interfaces of an endpoint.
    Interfaces(EndpointId),
    /// The security groups of an endpoint.
    Groups(EndpointId),
}

impl FacetKey {
    /// The list of all objects of a sort.
    #[must_use]
    pub const fn all(sort: Sort) -> Self {
        match sort {
            Sort::Service => Self::Services,
            Sort::Endpoint => Self::Endpoints,
        }
    }

    /// The object itself, by its id.
    #[must_use]
    pub fn whole(id: &CloudId) -> Self {
        match id {
            CloudId::Service(id) => Self::Service(id.clone()),
            CloudId::Endpoint(id) => Self::Endpoint(id.clone()),
        }
    }

    /// The object that it is a part of; none for a list.
    #[must_use]
    pub fn object(&self) -> Option<CloudId> {
        match self {
            Self::Services | Self::Endpoints => None,
            Self::Service(id) | Self::Resources(id) | Self::Connections(id) | Self::Principals(id) => {
                Some(id.clone().into())
            }
            Self::Endpoint(id) | Self::Interfaces(id) | Self::Groups(id) => Some(id.clone().into()),
        }
    }

    /// The cheapest read that shows this part: a list of all objects is shared by all that wait.
    #[must_use]
    pub fn shared(&self) -> Self {
        match self {
            Self::Service(_) => Self::Services,
            Self::Endpoint(_) => Self::Endpoints,
            other => other.clone(),
        }
    }
}

/// A wish for a read: this part, read at this moment or later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// Part.
    pub facet: FacetKey,
    /// Moment.
    pub not_older_than: Moment,
}

/// One call that reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Whose credentials these are.
    CallerIdentity,
    /// Whether the product is switched on for the account.
    Product,
    /// One page of all services.
    Services(Page),
    /// One service.
    Service(ServiceId),
    /// One page of a service's resources.
    Resources(ServiceId, Page),
    /// One page of a service's connections.
    Connections(ServiceId, Page),
    /// One page of the principals on a service's list.
    Principals(ServiceId, Page),
    /// One page of all endpoints.
    Endpoints(Page),
    /// One endpoint.
    Endpoint(EndpointId),
    /// One page of an endpoint's interfaces.
    Interfaces(EndpointId, Page),
    /// One page of an endpoint's security groups.
    Groups(EndpointId, Page),
}

/// Which page of a list: the first, or the one after a cursor.
pub type Page = Option<String>;

/// What one read answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The account that the credentials belong to.
    CallerIdentity(AccountId),
    /// The product is switched on; that it is not, comes as a refusal.
    Product(bool),
    /// Services, and the next page if there is one.
    Services(Vec<Service>, Page),
    /// The service.
    Service(Box<Service>),
    /// Resources, and the next page if there is one.
    Resources(BTreeMap<ResourceKey, Resource>, Page),
    /// Connections, and the next page if there is one.
    Connections(Vec<Connection>, Page),
    /// Principals, and the next page if there is one.
    Principals(BTreeSet<Principal>, Page),
    /// Endpoints, and the next page if there is one.
    Endpoints(Vec<Endpoint>, Page),
    /// The endpoint.
    Endpoint(Box<Endpoint>),
    /// Interfaces, and the next page if there is one.
    Interfaces(Interfaces, Page),
    /// Security groups, and the next page if there is one.
    Groups(Groups, Page),
}

/// What a step that succeeded answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing but success.
    Accepted,
    /// The service that was made, as the answer shows it.
    CreatedService(Box<Service>),
    /// The endpoint that was made, as the answer shows it.
    CreatedEndpoint(Box<Endpoint>),
}
