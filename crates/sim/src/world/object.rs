//! What clients make: services with their resources and principals, endpoints with their connection and zones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Text;
use super::id::{
    AccountId, BalancerId, EndpointId, GroupId, InterfaceId, RegionId, ServiceId, SwitchId, VpcId, ZoneId,
};
use super::variant::{Variant, Variants};

/// Tags of one object.
pub type Tags = BTreeMap<Text, Text>;

/// An account: what it may do, how much of it, and how much it has made.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, set by itself")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The product has been opened.
    pub product_open: bool,
    /// Why the product cannot be opened, if it cannot.
    pub may_not_open: Option<OpenBlock>,
    /// Owes money: everything it pays for is locked.
    pub locked: bool,
    /// The cloud's own account: its services take reverse endpoints and endpoint policies.
    pub vendor: bool,
    /// Allow-listed to choose and replace the resource behind a zone (`svc_res_mgt_uat`).
    pub may_assign_resources: bool,
    /// Allow-listed to pay for its consumers (`Payer=EndpointService`).
    pub may_pay_for_consumers: bool,
    /// Resource groups that exist; the first is the default one.
    pub resource_groups: Vec<Text>,
    /// Most services it may own.
    pub max_services: u16,
    /// Most resources on one of its services.
    pub max_resources: u16,
    /// Most resources in one zone of one of its services.
    pub max_resources_per_zone: u16,
    /// Most endpoints in one of its VPCs.
    pub max_endpoints_per_vpc: u16,
    /// Number of the last service it made.
    pub services_made: u32,
    /// Number of the last endpoint it made.
    pub endpoints_made: u32,
}

/// Why an account cannot open the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenBlock {
    /// This kind of account may not.
    AccountType,
    /// Not enough money.
    Balance,
}

/// Kinds of load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BalancerKind {
    /// Classic load balancer (`slb` on the wire).
    Clb,
    /// Application load balancer.
    Alb,
    /// Network load balancer.
    Nlb,
    /// Gateway load balancer.
    Gwlb,
}

impl BalancerKind {
    /// Bandwidth that a connection to it may be given, in Mbit/s.
    #[must_use]
    pub fn bandwidth_mbps(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::Clb => 100..=10_240,
            Self::Alb | Self::Gwlb => 100..=25_000,
            Self::Nlb => 100..=50_000,
        }
    }

    /// What a CLB or ALB service may give its new connections, in Mbit/s: one range for both.
    pub const CONNECT_BANDWIDTH_MBPS: std::ops::RangeInclusive<u32> = 100..=10_240;

    /// Bandwidth of a connection that nobody gave one, in Mbit/s.
    pub const DEFAULT_BANDWIDTH_MBPS: u32 = 3072;
}

/// Life of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceStatus {
    /// Being made.
    Creating,
    /// Takes calls.
    Active,
    /// Being changed.
    Pending,
    /// Being deleted.
    Deleting,
}

/// Who is billed for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// The consumer.
    Endpoint,
    /// The provider.
    Service,
}

/// Internet protocols that a service or an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpVersion {
    /// IPv4 only.
    V4,
    /// IPv4 and IPv6.
    DualStack,
}

/// An entry of the allow-list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// By account number.
    Account(AccountId),
    /// By ARN, such as `acs:ram:*:*`.
    Arn(Text),
}

/// A service's standing in one consumer region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsumerRegion {
    /// Being opened.
    Pending,
    /// Endpoints can be made there.
    Available,
    /// Being closed.
    Deleting,
    /// Was closed; stays listed.
    Closed,
}

/// A load balancer attached to a service in one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// May be picked by the cloud for a zone that has none.
    pub auto_allocate: bool,
}

/// An endpoint service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
    /// Owner.
    pub owner: AccountId,
    /// Region.
    pub region: RegionId,
    /// Kind of all its resources.
    pub kind: BalancerKind,
    /// Where it is in its life.
    pub status: ServiceStatus,
    /// New connections are accepted by the cloud.
    pub auto_accept: bool,
    /// Bandwidth of new connections, Mbit/s; CLB and ALB services only.
    pub connect_bandwidth_mbps: Option<u32>,
    /// Who is billed.
    pub payer: Payer,
    /// Free text.
    pub description: Option<Text>,
    /// Endpoint domains answer with the nearest zone.
    pub zone_affinity: bool,
    /// Protocols.
    pub ip_version: IpVersion,
    /// IPv6 is offered.
    pub support_ipv6: bool,
    /// Resource group.
    pub resource_group: Text,
    /// Consumer regions beside its own.
    pub consumer_regions: BTreeMap<RegionId, ConsumerRegion>,
    /// Attached load balancers, by balancer and zone.
    pub resources: BTreeMap<(BalancerId, ZoneId), Resource>,
    /// Allow-list.
    pub principals: BTreeSet<Principal>,
    /// Tags.
    pub tags: Tags,
}

/// Kinds of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointKind {
    /// Interfaces in vSwitches.
    Interface,
    /// A cloud service reaches into the VPC.
    Reverse,
    /// Next hop of routes, in one zone.
    GatewayLoadBalancer,
}

/// Life of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointStatus {
    /// Being made.
    Creating,
    /// Takes calls.
    Active,
    /// Being changed.
    Pending,
    /// Being deleted.
    Deleting,
}

/// An endpoint's standing in a security group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Membership {
    /// Joining.
    Attaching,
    /// Member.
    Attached,
    /// Leaving.
    Detaching,
}

/// An endpoint, with the one connection it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Id.
    pub id: EndpointId,
    /// Owner.
    pub owner: AccountId,
    /// Identity that made it: protection asks for it.
    pub creator: u8,
    /// Region.
    pub region: RegionId,
    /// Service it is joined to, for ever.
    pub service: ServiceId,
    /// That service's region.
    pub service_region: RegionId,
    /// Kind.
    pub kind: EndpointKind,
    /// VPC.
    pub vpc: VpcId,
    /// Where it is in its life.
    pub status: EndpointStatus,
    /// Name.
    pub name: Option<Text>,
    /// Free text.
    pub description: Option<Text>,
    /// Policy document, where one was given.
    pub policy: Option<Text>,
    /// Only its maker may change or delete it.
    pub protected: bool,
    /// Protocols.
    pub ip_version: IpVersion,
    /// Its domain answers with the nearest zone.
    pub zone_affinity: bool,
    /// Bandwidth between regions, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
    /// Resource group.
    pub resource_group: Text,
    /// Tags.
    pub tags: Tags,
    /// Security groups.
    pub groups: BTreeMap<GroupId, Membership>,
    /// Was made with security groups; one without can never join any.
    pub has_groups: bool,
    /// The connection to the service.
    pub connection: Connection,
    /// Zones, one interface each.
    pub zones: BTreeMap<ZoneId, Leg>,
    /// Number of the last interface it made.
    pub interfaces_made: u16,
}

/// Life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionStatus {
    /// Not accepted yet, refused, or cut.
    Disconnected,
    /// Accepted, being made.
    Connecting,
    /// Stands.
    Connected,
    /// Being changed.
    Pending,
    /// Being cut.
    Disconnecting,
    /// The endpoint is being deleted.
    Deleting,
    /// The service is gone.
    ServiceDeleted,
}

/// How traffic of a connection is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrafficControl {
    /// Elastic; bandwidth is ignored.
    Scalability,
    /// Capped at the bandwidth.
    BandwidthLimit,
}

/// The connection between an endpoint and its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Connection {
    /// Where it is in its life.
    pub status: ConnectionStatus,
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: u32,
    /// Traffic control; NLB has `Scalability` unless told.
    pub traffic_control: TrafficControl,
}

impl Endpoint {
    /// Lies in another region than its service: zones of the two do not correspond, so that any resource of
    /// the service can serve any of its zones.
    #[must_use]
    pub fn is_cross_region(&self) -> bool {
        self.region != self.service_region
    }

    /// `at` is the region of one end of its connection, in a world where the calls of both sides may be sent to
    /// either end; otherwise each side calls its own.
    #[must_use]
    pub fn answers_in(&self, at: RegionId, variants: &Variants) -> bool {
        variants.is_on(Variant::EitherRegionServes) && (at == self.region || at == self.service_region)
    }
}

impl ConnectionStatus {
    /// Moves by itself, and takes no call until it has.
    #[must_use]
    pub fn in_transition(self) -> bool {
        matches!(self, Self::Connecting | Self::Pending | Self::Disconnecting | Self::Deleting)
    }
}

/// Life of a zone of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegStatus {
    /// The interface is being made.
    Creating,
    /// Waits for acceptance.
    Wait,
    /// Being connected.
    Connecting,
    /// Connected.
    Connected,
    /// Smooth migration runs: the old side carries.
    Migrating,
    /// Forced replacement runs: nothing carries.
    Replacing,
    /// Smooth migration is done: both sides carry.
    Migrated,
    /// The old side is being closed; the current one carries.
    Closing,
    /// Being cut.
    Disconnecting,
    /// Cut.
    Disconnected,
    /// The interface is being removed.
    Deleting,
}

/// The old side that a smooth migration leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplacedSide {
    /// Old interface.
    pub interface: InterfaceId,
    /// Its IPv4 address.
    pub ip: Ipv4Addr,
    /// Old load balancer.
    pub resource: BalancerId,
    /// As [`Leg::served_in`], of the old load balancer.
    pub served_in: Option<ZoneId>,
}

impl ReplacedSide {
    /// The resource of the service that the old side of a leg in `zone` leans on.
    #[must_use]
    pub fn served_by(&self, zone: ZoneId) -> (BalancerId, ZoneId) {
        (self.resource, self.served_in.unwrap_or(zone))
    }
}

/// One zone of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leg {
    /// Where it is in its life.
    pub status: LegStatus,
    /// vSwitch of the interface.
    pub switch: SwitchId,
    /// Interface of the current side.
    pub interface: InterfaceId,
    /// IPv4 address.
    pub ip: Ipv4Addr,
    /// IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// Load balancer of the current side, once one is assigned.
    pub resource: Option<BalancerId>,
    /// The service's zone that it serves from, where that is not the leg's own: in a leg of another region.
    pub served_in: Option<ZoneId>,
    /// Old side, from the start of a smooth migration until it is closed; in some worlds also while a forced
    /// replacement runs.
    pub replaced: Option<ReplacedSide>,
}

impl Leg {
    /// Traffic can flow through one of its sides.
    #[must_use]
    pub fn carries(&self) -> bool {
        matches!(self.status, LegStatus::Connected | LegStatus::Migrating | LegStatus::Migrated | LegStatus::Closing)
    }

    /// Moves by itself, and takes no call until it has.
    #[must_use]
    pub fn in_transition(&self) -> bool {
        !matches!(self.status, LegStatus::Wait | LegStatus::Connected | LegStatus::Migrated | LegStatus::Disconnected)
    }

    /// The resource of the service that the current side of this leg, which lies in `zone`, leans on.
    #[must_use]
    pub fn served_by(&self, zone: ZoneId) -> Option<(BalancerId, ZoneId)> {
        self.resource.map(|balancer| (balancer, self.served_in.unwrap_or(zone)))
    }

    /// The same leg, served by `resource` from now on.
    #[must_use]
    pub(super) fn given(self, zone: ZoneId, resource: Option<(BalancerId, ZoneId)>) -> Self {
        let served_in = resource.map(|(_, at)| at).filter(|at| *at != zone);
        Self { resource: resource.map(|(balancer, _)| balancer), served_in, ..self }
    }

    /// Its resource is being replaced.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        matches!(self.status, LegStatus::Migrating | LegStatus::Replacing)
    }

    /// `resource` serves the replaced side of this leg, which lies in `zone`.
    #[must_use]
    pub fn leaves(&self, zone: ZoneId, resource: (BalancerId, ZoneId)) -> bool {
        self.replaced.is_some_and(|side| side.served_by(zone) == resource)
    }

    /// The replaced side where it stands beside the current one, with an interface of its own: not that of a
    /// forced replacement, of which only the old resource is still named.
    #[must_use]
    pub fn replaced_apart(&self) -> Option<ReplacedSide> {
        self.replaced.filter(|_| self.status != LegStatus::Replacing)
    }

    /// The same leg once its replaced side has gone with its resource.
    #[must_use]
    pub(super) fn without_replaced_side(self) -> Self {
        let status = match self.status {
            LegStatus::Migrated | LegStatus::Closing => LegStatus::Connected,
            status => status,
        };
        Self { status, replaced: None, ..self }
    }

    /// Its current side, in `zone`, keeps `resource` on the service.
    #[must_use]
    pub fn depends_on(&self, zone: ZoneId, resource: (BalancerId, ZoneId)) -> bool {
        self.served_by(zone) == Some(resource)
            && !matches!(
                self.status,
                LegStatus::Creating | LegStatus::Wait | LegStatus::Disconnected | LegStatus::Deleting
            )
    }
}
