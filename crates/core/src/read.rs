//! The reads of a cloud: what is asked, and what an answer says in our words.

use std::collections::BTreeMap;

use crate::id::{AccountId, ServiceId};
use crate::moment::Moment;
use crate::observed::{Connection, Resource, ResourceKey, Service};

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
    /// One page of all services.
    Services(Page),
    /// One service.
    Service(ServiceId),
    /// One page of a service's resources.
    Resources(ServiceId, Page),
    /// One page of a service's connections.
    Connections(ServiceId, Page),
}

/// Which page of a list: the first, or the one after a cursor.
pub type Page = Option<String>;

/// What one read answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The account that the credentials belong to.
    CallerIdentity(AccountId),
    /// Services, and the next page if there is one.
    Services(Vec<Service>, Page),
    /// The service.
    Service(Box<Service>),
    /// Resources, and the next page if there is one.
    Resources(BTreeMap<ResourceKey, Resource>, Page),
    /// Connections, and the next page if there is one.
    Connections(Vec<Connection>, Page),
}

/// What a step that succeeded answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing but success.
    Accepted,
    /// The service that was made, as the answer shows it.
    Created(Box<Service>),
}
