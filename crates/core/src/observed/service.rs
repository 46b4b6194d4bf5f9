//! A service as its provider sees it: itself, its load balancers and its connections.

use std::collections::{BTreeMap, BTreeSet};

use super::{AddressFamily, Facet, Tags};
use crate::id::{AccountId, EndpointId, InterfaceId, Region, ResourceId, ServiceId, VpcId, Zone};
use crate::principal::Principal;
use crate::state::{ConnectionState, LifeState, ZoneState};

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

/// How far a consumer region is open, of those that are not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionState {
    /// It is being opened, and no endpoint can be made there yet.
    Opening,
    /// Endpoints can be made there.
    Open,
    /// It is being closed.
    Closing,
    /// The cloud could not open it.
    Failed,
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
    pub state: LifeState,
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
    /// Consumer regions beside its own, but for those that are closed.
    pub regions: BTreeMap<Region, RegionState>,
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

impl ZoneLeg {
    /// The cloud is changing it: calls on the connection are refused until it has settled.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.state.is_moving()
    }
}

/// How traffic of a connection is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrafficControl {
    /// By nothing but the load balancer: a bandwidth is ignored.
    Elastic,
    /// At its bandwidth.
    Limited,
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
    /// Region of the endpoint, where the cloud says.
    pub region: Option<Region>,
    /// State.
    pub state: ConnectionState,
    /// The cloud's own word for the state.
    pub cloud_state: String,
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// How traffic is held back, where the cloud says.
    pub traffic: Option<TrafficControl>,
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
    /// The principals on its list, as they are written there.
    pub principals: Facet<BTreeSet<Principal>>,
}
