//! What is to be made or changed: the contents of steps, in words of ours.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::{BTreeMap, BTreeSet};

use crate::id::{GroupId, Region, ResourceId, ServiceId, SubnetId, VpcId, Zone};
use crate::observed::{AddressFamily, EndpointKind, Payer, ResourceKey, ResourceKind, Tags, TrafficControl};

/// A service to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceForm {
    /// Kind of all resources.
    pub kind: ResourceKind,
    /// Load balancers to attach at once, at most [`ServiceForm::MAX_RESOURCES`].
    pub resources: BTreeSet<ResourceKey>,
    /// Free text.
    pub description: Option<String>,
    /// The cloud accepts connections by itself.
    pub auto_accept: bool,
    /// Who pays.
    pub payer: Option<Payer>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// Consumer regions.
    pub regions: BTreeSet<Region>,
    /// Resource group.
    pub resource_group: Option<String>,
    /// Tags, ours among them: a service that was made is found again by them.
    pub tags: Tags,
}

impl ServiceForm {
    /// Load balancers that one create call takes; the others are attached afterwards.
    pub const MAX_RESOURCES: usize = 10;
}

/// Attributes of a service to be changed; what is unset stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceChange {
    /// Free text.
    pub description: Option<String>,
    /// The cloud accepts connections by itself.
    pub auto_accept: Option<bool>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Bandwidth of new connections, Mbit/s.
    pub default_bandwidth_mbps: Option<u32>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// Consumer regions to open.
    pub open_regions: BTreeSet<Region>,
    /// Consumer regions to close.
    pub close_regions: BTreeSet<Region>,
}

/// Traffic rules of a connection; what is unset stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// How traffic is held back.
    pub control: Option<TrafficControl>,
}

/// An endpoint to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointForm {
    /// Kind.
    pub kind: EndpointKind,
    /// Service to join; one of this and `service_name` is set.
    pub service: Option<ServiceId>,
    /// Full name of the service to join.
    pub service_name: Option<String>,
    /// Region of the service, where it is another than the endpoint's.
    pub service_region: Option<Region>,
    /// VPC of the interfaces.
    pub vpc: VpcId,
    /// Interfaces to make at once, at most [`EndpointForm::MAX_ZONES`].
    pub zones: BTreeMap<SubnetId, InterfaceForm>,
    /// Security groups to join at once.
    pub groups: BTreeSet<GroupId>,
    /// Name for people.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Policy document, as text.
    pub policy: Option<String>,
    /// Let only the identity that makes it change it.
    pub protected: Option<bool>,
    /// Bandwidth to a service in another region, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
    /// Resource group.
    pub resource_group: Option<String>,
    /// Tags, ours among them: an endpoint that was made is found again by them.
    pub tags: Tags,
}

impl EndpointForm {
    /// Interfaces that one create call takes, and an endpoint has.
    pub const MAX_ZONES: usize = 10;
}

/// An interface to be made in a subnet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceForm {
    /// Zone of the subnet.
    pub zone: Zone,
    /// IPv4 address; unset: the cloud picks one.
    pub ip: Option<Ipv4Addr>,
    /// IPv6 address; unset: the cloud picks one where the endpoint has IPv6.
    pub ipv6: Option<Ipv6Addr>,
}

/// Attributes of an endpoint to be changed; what is unset stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Name for people.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Policy document, as text.
    pub policy: Option<String>,
    /// Return to the cloud's own policy.
    pub reset_policy: bool,
    /// Bandwidth to a service in another region, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
}

/// How a zone moves to another load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MigrationMode {
    /// Both sides stay until the old one is closed.
    Smooth,
    /// At once, with a gap in traffic.
    Forced,
}

impl MigrationMode {
    /// The word that specs and statuses use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smooth => "Smooth",
            Self::Forced => "Forced",
        }
    }
}

/// Another load balancer for a zone that has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The load balancer that serves from then on.
    pub to: ResourceId,
    /// Its kind.
    pub kind: ResourceKind,
    /// How the zone moves.
    pub mode: MigrationMode,
}
