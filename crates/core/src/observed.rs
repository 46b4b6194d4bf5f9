//! What a cloud holds in one place, as far as it has been looked at.
//!
//! A [`Facet`] that was never read is `Unseen`, which is not the same as absent: a planner that needs it
//! asks for a look and concludes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::id::{AccountId, EndpointId, InterfaceId, Region, ResourceId, ServiceId, VpcId, Zone};
use crate::moment::Moment;
use crate::state::{ConnectionState, ServiceState, ZoneState};

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

/// Kinds of what stands behind a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Classic load balancer.
    Clb,
    /// Application load balancer.
    Alb,
    /// Network load balancer.
    Nlb,
    /// Gateway load balancer.
    Gwlb,
}

impl ResourceKind {
    /// The word that specs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clb => "CLB",
            Self::Alb => "ALB",
            Self::Nlb => "NLB",
            Self::Gwlb => "GWLB",
        }
    }
}

/// Who pays for the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// Each consumer.
    Consumer,
    /// The provider.
    Provider,
}

/// Internet protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// IPv4.
    V4,
    /// Both.
    DualStack,
}

/// An endpoint service as the cloud has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
    /// Full name.
    pub name: String,
    /// Domain.
    pub domain: Option<String>,
    /// State.
    pub state: ServiceState,
    /// The cloud's own word for the state.
    pub cloud_state: String,
    /// Money is owed and the cloud has locked it.
    pub locked: bool,
    /// Kind of all its resources, where it says.
    pub kind: Option<ResourceKind>,
    /// Free text.
    pub description: Option<String>,
    /// The cloud accepts connections by itself.
    pub auto_accept: bool,
    /// Who pays.
    pub payer: Payer,
    /// Domains answer with the nearest zone.
    pub zone_affinity: bool,
    /// Bandwidth of new connections, Mbit/s, where the kind has one.
    pub default_bandwidth_mbps: Option<u32>,
    /// Lowest and highest bandwidth of a connection, Mbit/s, where the cloud says.
    pub bandwidth_mbps: Option<(u32, u32)>,
    /// Protocols.
    pub family: AddressFamily,
    /// Consumer regions that are open or being opened, beside its own.
    pub regions: BTreeSet<Region>,
    /// Resource group.
    pub resource_group: Option<String>,
    /// Tags; `None`: not read. A service without tags is nobody's, so tags that were not read must never pass
    /// for none: Alibaba's read by id does not show them, its list does.
    pub tags: Option<Tags>,
}

/// A resource of a service: a load balancer in a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceKey {
    /// Load balancer.
    pub id: ResourceId,
    /// Zone in which it serves.
    pub zone: Zone,
}

/// A load balancer as it stands on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Kind.
    pub kind: ResourceKind,
    /// May be given to new connections by the cloud.
    pub auto_allocate: bool,
    /// Connections it carries.
    pub connections: u32,
    /// Replaced sides that are still open on it.
    pub deprecated_connections: u32,
}

/// One zone of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneLeg {
    /// State.
    pub state: ZoneState,
    /// Load balancer of the current side.
    pub resource: Option<ResourceId>,
    /// Interface of the current side.
    pub interface: Option<InterfaceId>,
    /// Load balancer that a smooth migration left behind.
    pub replaced_resource: Option<ResourceId>,
    /// Interface that a smooth migration left behind.
    pub replaced_interface: Option<InterfaceId>,
}

/// A connection as its provider sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Endpoint on the other side.
    pub endpoint: EndpointId,
    /// Account of the endpoint.
    pub owner: Option<AccountId>,
    /// VPC of the endpoint.
    pub vpc: Option<VpcId>,
    /// State.
    pub state: ConnectionState,
    /// The cloud's own word for the state.
    pub cloud_state: String,
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// Zones.
    pub zones: BTreeMap<Zone, ZoneLeg>,
}

impl Connection {
    /// Traffic may flow, or is about to, or has not stopped yet: what keeps a service from being deleted.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(
            self.state,
            ConnectionState::Connecting
                | ConnectionState::Connected
                | ConnectionState::Modifying
                | ConnectionState::Disconnecting
                | ConnectionState::Unknown(_)
        )
    }
}

/// What has been seen of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceView {
    /// The service itself; `None`: the cloud says that it does not exist.
    pub service: Facet<Option<Service>>,
    /// Its resources.
    pub resources: Facet<BTreeMap<ResourceKey, Resource>>,
    /// Its connections.
    pub connections: Facet<Vec<Connection>>,
}

/// What a cloud holds in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The services that the last list of all of them showed.
    pub listed: Facet<BTreeSet<ServiceId>>,
    /// What has been seen of each service; shared, since a place has thousands, and a copy is made of all of them
    /// whenever one changes.
    pub services: BTreeMap<ServiceId, Arc<ServiceView>>,
    /// All of two or more known services were missing from the last list: nothing is concluded from it.
    pub all_vanished: bool,
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

    /// The services that exist as far as is known.
    pub fn present(&self) -> impl Iterator<Item = &Service> {
        self.services.values().filter_map(|view| view.service.value()?.as_ref())
    }
}
