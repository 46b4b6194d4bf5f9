//! What is there before the first call and never changes: regions, zones, VPCs, vSwitches, security groups
//! and load balancers. States share it.

use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::id::{AccountId, BalancerId, GroupId, RegionId, SwitchId, VpcId, ZoneId};
use super::object::BalancerKind;

/// The fixtures, each list indexed by the id of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Land {
    /// Regions.
    pub regions: Vec<Region>,
    /// Zones of all regions.
    pub zones: Vec<Zone>,
    /// VPCs of all accounts.
    pub vpcs: Vec<Vpc>,
    /// vSwitches of all VPCs.
    pub switches: Vec<Switch>,
    /// Security groups of all VPCs.
    pub groups: Vec<Group>,
    /// Load balancers of all VPCs.
    pub balancers: Vec<Balancer>,
}

/// Two states of one run always share their land, so hashing it would cost much and tell nothing; equality
/// still compares it.
impl Hash for Land {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A region of the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Such as `cn-hangzhou`.
    pub name: String,
}

/// An availability zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Such as `cn-hangzhou-f`.
    pub name: String,
    /// Region it belongs to.
    pub region: RegionId,
}

/// A VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Such as `vpc-tenant`.
    pub name: String,
    /// Owner.
    pub account: AccountId,
    /// Region.
    pub region: RegionId,
}

/// A vSwitch: the part of a VPC that lies in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Such as `vsw-tenant-f`.
    pub name: String,
    /// VPC it is part of.
    pub vpc: VpcId,
    /// Zone it lies in.
    pub zone: ZoneId,
    /// First address of its IPv4 range.
    pub base: Ipv4Addr,
    /// Length of the range's prefix in bits, 16 to 29.
    pub prefix: u8,
    /// First address of its IPv6 range of 64 bits, where it has one.
    pub base_v6: Option<Ipv6Addr>,
    /// How many IPv4 addresses are free for endpoint interfaces.
    pub free: u16,
    /// `false`: still being made, and refused.
    pub available: bool,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Such as `sg-tenant`.
    pub name: String,
    /// VPC it belongs to.
    pub vpc: VpcId,
    /// An enterprise group; basic and enterprise groups do not mix on one endpoint.
    pub enterprise: bool,
    /// Managed by another cloud product: endpoints may not join it.
    pub managed: bool,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Such as `lb-hot`.
    pub name: String,
    /// Owner.
    pub account: AccountId,
    /// VPC whose addresses it has.
    pub vpc: VpcId,
    /// Kind.
    pub kind: BalancerKind,
    /// Zones it serves; a CLB has one, its primary zone.
    pub zones: Vec<ZoneId>,
    /// Intranet, pay-as-you-go and of a series that PrivateLink takes.
    pub supports_private_link: bool,
    /// Has IPv6 addresses too.
    pub ipv6: bool,
    /// Address inside its VPC.
    pub address: Ipv4Addr,
}

macro_rules! look_up {
    ($($(#[$doc:meta])* $name:ident: $id:ident in $list:ident -> $item:ident),* $(,)?) => {
        impl Land {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self, id: $id) -> Option<&$item> {
                self.$list.get(usize::from(id.0))
            }
        )*}
    };
}

look_up! {
    /// The region of this id.
    region: RegionId in regions -> Region,
    /// The zone of this id.
    zone: ZoneId in zones -> Zone,
    /// The VPC of this id.
    vpc: VpcId in vpcs -> Vpc,
    /// The vSwitch of this id.
    switch: SwitchId in switches -> Switch,
    /// The security group of this id.
    group: GroupId in groups -> Group,
    /// The load balancer of this id.
    balancer: BalancerId in balancers -> Balancer,
}

macro_rules! find_by_name {
    ($($(#[$doc:meta])* $name:ident in $list:ident -> $id:ident),* $(,)?) => {
        impl Land {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self, name: &str) -> $id {
                self.$list
                    .iter()
                    .position(|item| item.name == name)
                    .and_then(|place| u16::try_from(place).ok())
                    .map_or($id::NOWHERE, $id)
            }
        )*}
    };
}

find_by_name! {
    /// The region of this name, or [`RegionId::NOWHERE`].
    region_named in regions -> RegionId,
    /// The zone of this name, or [`ZoneId::NOWHERE`].
    zone_named in zones -> ZoneId,
    /// The VPC of this name, or [`VpcId::NOWHERE`].
    vpc_named in vpcs -> VpcId,
    /// The vSwitch of this name, or [`SwitchId::NOWHERE`].
    switch_named in switches -> SwitchId,
    /// The security group of this name, or [`GroupId::NOWHERE`].
    group_named in groups -> GroupId,
    /// The load balancer of this name, or [`BalancerId::NOWHERE`].
    balancer_named in balancers -> BalancerId,
}
