//! An endpoint as its consumer sees it: itself, its interfaces and its security groups.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;

use super::{AddressFamily, Facet, Tags};
use crate::id::{EndpointId, GroupId, InterfaceId, Region, ServiceId, SubnetId, VpcId, Zone};
use crate::moment::Moment;
use crate::state::{ConnectionState, GroupState, LifeState, ZoneState};

/// Kinds of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointKind {
    /// Addresses in subnets.
    Interface,
    /// A next hop for routes.
    GatewayLoadBalancer,
    /// For the cloud's own services that connect back.
    Reverse,
}

impl EndpointKind {
    /// The word that specs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interface => "Interface",
            Self::GatewayLoadBalancer => "GatewayLoadBalancer",
            Self::Reverse => "Reverse",
        }
    }
}

/// An endpoint as the cloud has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Id.
    pub id: EndpointId,
    /// State, apart from the connection.
    pub state: LifeState,
    /// The cloud's own word for the state.
    pub cloud_state: String,
    /// State of the connection, as far as it can be told without the interfaces.
    pub connection: ConnectionState,
    /// Money is owed and the cloud has locked it.
    pub locked: bool,
    /// Kind, where it is one that specs know.
    pub kind: Option<EndpointKind>,
    /// Name for people.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// VPC of its interfaces.
    pub vpc: Option<VpcId>,
    /// Service that it belongs to.
    pub service: Option<ServiceId>,
    /// Full name of that service.
    pub service_name: Option<String>,
    /// Region of that service, where the cloud says.
    pub service_region: Option<Region>,
    /// Domain that answers with its addresses.
    pub domain: Option<String>,
    /// Protocols.
    pub family: AddressFamily,
    /// The domain answers with the nearest zone.
    pub zone_affinity: bool,
    /// Bandwidth to a service in another region, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
    /// Policy document, as text.
    pub policy: Option<String>,
    /// Only the identity that made it may change it.
    pub protected: bool,
    /// Resource group.
    pub resource_group: Option<String>,
    /// Tags; `None`: not read, which is not the same as none.
    pub tags: Option<Tags>,
}

/// One interface of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Zone of its subnet.
    pub zone: Zone,
    /// Id, once the cloud has made it.
    pub id: Option<InterfaceId>,
    /// IPv4 address.
    pub ip: Option<Ipv4Addr>,
    /// IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Domain that answers with this interface alone.
    pub domain: Option<String>,
    /// State.
    pub state: ZoneState,
}

impl Interface {
    /// Traffic flows through it.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self.state, ZoneState::Connected | ZoneState::Migrating | ZoneState::Migrated)
    }

    /// The cloud is changing it: what it will be is not seen yet.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        self.state.is_moving() || matches!(self.state, ZoneState::Unknown(_))
    }
}

/// The interfaces of an endpoint, one in each subnet.
pub type Interfaces = BTreeMap<SubnetId, Interface>;

/// The security groups of an endpoint.
pub type Groups = BTreeMap<GroupId, GroupState>;

/// What has been seen of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointView {
    /// The endpoint itself; `None`: the cloud says that it does not exist.
    pub endpoint: Facet<Option<Endpoint>>,
    /// Its interfaces. No list shows those of many endpoints, so they are read for each and not often.
    pub interfaces: Facet<Interfaces>,
    /// Its security groups; read as the interfaces are.
    pub groups: Facet<Groups>,
    /// When something was seen that may have changed the interfaces: what was read of them before says nothing.
    pub stirred: Option<Moment>,
}

impl EndpointView {
    /// The state of the connection. Where the cloud has one word for a connection that was never accepted and for
    /// one that was cut, the interfaces tell which: none of them has got beyond waiting.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionState> {
        let endpoint = self.endpoint.value()?.as_ref()?;
        let untouched = |one: &Interface| one.state.is_untouched();
        match (&endpoint.connection, self.interfaces.value()) {
            (ConnectionState::Disconnected, Some(interfaces)) if interfaces.values().all(untouched) => {
                Some(ConnectionState::AwaitingAcceptance)
            }
            (state, _) => Some(state.clone()),
        }
    }
}
