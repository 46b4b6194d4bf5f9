//! The calls that change the world, in its own words; a dialect turns a wire request into one of them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Text;
use super::id::{AccountId, BalancerId, EndpointId, GroupId, RegionId, ServiceId, SwitchId, VpcId, ZoneId};
use super::object::{BalancerKind, EndpointKind, IpVersion, Payer, Principal, Tags, TrafficControl};
use super::variant::{Variant, Variants};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// Account that the key belongs to.
    pub account: AccountId,
    /// Identity within the account: protection of endpoints asks for it.
    pub identity: u8,
    /// The key is a role's session; protection of endpoints takes effect only for what a session makes.
    pub session: bool,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Region that it was sent to.
    pub region: RegionId,
    /// Client token, where one was sent.
    pub token: Option<Text>,
    /// What is asked.
    pub call: Call,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Open the product for the account.
    OpenProduct,
    /// Make a service.
    CreateService(ServiceForm),
    /// Change a service.
    UpdateService(ServiceId, ServiceChange),
    /// Delete a service.
    DeleteService(ServiceId),
    /// Add a load balancer to a service.
    AttachResource(ServiceId, ResourceForm),
    /// Remove a load balancer from a service.
    DetachResource(ServiceId, ResourceForm),
    /// Allow or forbid that the cloud picks a resource.
    SetAutoAllocate(ServiceId, ResourceForm, bool),
    /// Put a principal on the allow-list.
    AllowPrincipal(ServiceId, Principal),
    /// Take a principal off the allow-list.
    DisallowPrincipal(ServiceId, Principal),
    /// Accept a connection.
    AcceptConnection(ConnectionKey, AcceptForm),
    /// Refuse or cut a connection.
    RejectConnection(ConnectionKey),
    /// Change a connection's bandwidth or traffic control.
    UpdateConnection(ConnectionKey, AcceptForm),
    /// Connect one zone.
    ConnectZone(ConnectionKey, ZoneId),
    /// Cut one side of one zone.
    DisconnectZone(ConnectionKey, ZoneId, Side),
    /// Choose or replace the resource behind one zone.
    AssignZoneResource(ConnectionKey, ZoneId, Assignment),
    /// Make an endpoint.
    CreateEndpoint(EndpointForm),
    /// Change an endpoint.
    UpdateEndpoint(EndpointId, EndpointChange),
    /// Delete an endpoint.
    DeleteEndpoint(EndpointId),
    /// Add an interface in a zone.
    AddZone(EndpointId, ZoneForm),
    /// Remove the interface of a zone.
    RemoveZone(EndpointId, ZoneId),
    /// Join a security group.
    AttachGroup(EndpointId, GroupId),
    /// Leave a security group.
    DetachGroup(EndpointId, GroupId),
    /// Set tags.
    Tag(Vec<ObjectId>, Tags),
    /// Remove tags.
    Untag(Vec<ObjectId>, UntagKeys),
    /// Move an object to another resource group.
    ChangeResourceGroup(ObjectId, Text),
}

/// The connection of `endpoint`, as its provider names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionKey {
    /// Service.
    pub service: ServiceId,
    /// Endpoint.
    pub endpoint: EndpointId,
}

/// Something that has tags and a resource group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    /// Endpoint service.
    Service(ServiceId),
    /// Endpoint.
    Endpoint(EndpointId),
}

/// A load balancer as a call names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceForm {
    /// Load balancer.
    pub balancer: BalancerId,
    /// Kind that the caller says it has.
    pub kind: Option<BalancerKind>,
    /// Zone; a CLB needs none.
    pub zone: Option<ZoneId>,
}

/// A service to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServiceForm {
    /// Kind of all resources; unset: the first resource's, or CLB.
    pub kind: Option<BalancerKind>,
    /// Resources to attach at once.
    pub resources: Vec<ResourceForm>,
    /// Who is billed; unset: the consumer.
    pub payer: Option<Payer>,
    /// Accept new connections without a call.
    pub auto_accept: bool,
    /// Answer with the nearest zone.
    pub zone_affinity: bool,
    /// Protocols; unset: IPv4.
    pub ip_version: Option<IpVersion>,
    /// Offer IPv6.
    pub support_ipv6: bool,
    /// Free text.
    pub description: Option<Text>,
    /// Resource group; unset: the account's default one.
    pub resource_group: Option<Text>,
    /// Consumer regions.
    pub consumer_regions: Vec<RegionId>,
    /// Tags.
    pub tags: Tags,
}

/// A service to be changed; what is unset stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ServiceChange {
    /// Accept new connections without a call.
    pub auto_accept: Option<bool>,
    /// Bandwidth of new connections, Mbit/s.
    pub connect_bandwidth_mbps: Option<u32>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Protocols.
    pub ip_version: Option<IpVersion>,
    /// Offer IPv6.
    pub support_ipv6: Option<bool>,
    /// Free text.
    pub description: Option<Text>,
    /// Consumer regions to open.
    pub open_regions: Vec<RegionId>,
    /// Consumer regions to close.
    pub close_regions: Vec<RegionId>,
}

/// What an acceptance or a change of a connection says about traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AcceptForm {
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// Traffic control.
    pub traffic_control: Option<TrafficControl>,
}

/// Which side of a zone is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that serves now.
    Current,
    /// The one that a smooth migration left behind.
    Replaced,
}

/// How the resource behind a zone is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignment {
    /// The cloud picks; a chosen one is forgotten. Only while the connection is disconnected.
    Automatic,
    /// This one. Only while the connection is disconnected.
    Manual(ResourceForm),
    /// This one instead, the old side kept until it is closed. Only while the connection is connected.
    ReplaceGracefully(ResourceForm),
    /// This one instead, at once. Only while the connection is connected.
    ReplaceForcibly(ResourceForm),
}

/// An interface to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneForm {
    /// Zone; unset: the vSwitch's.
    pub zone: Option<ZoneId>,
    /// vSwitch.
    pub switch: SwitchId,
    /// IPv4 address; unset: a free one.
    pub ip: Option<Ipv4Addr>,
    /// IPv6 address; unset: a free one, where the endpoint has IPv6.
    pub ipv6: Option<Ipv6Addr>,
}

/// An endpoint to be made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointForm {
    /// Service to join.
    pub service: ServiceId,
    /// Region of that service; unset: the call's.
    pub service_region: Option<RegionId>,
    /// Kind; unset: interface.
    pub kind: Option<EndpointKind>,
    /// VPC.
    pub vpc: VpcId,
    /// Interfaces to make at once.
    pub zones: Vec<ZoneForm>,
    /// Security groups.
    pub groups: Vec<GroupId>,
    /// Name.
    pub name: Option<Text>,
    /// Free text.
    pub description: Option<Text>,
    /// Policy document.
    pub policy: Option<Text>,
    /// Only its maker may change or delete it.
    pub protected: bool,
    /// Protocols; unset: IPv4.
    pub ip_version: Option<IpVersion>,
    /// Answer with the nearest zone.
    pub zone_affinity: bool,
    /// Bandwidth between regions, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
    /// Resource group; unset: the account's default one.
    pub resource_group: Option<Text>,
    /// Tags.
    pub tags: Tags,
}

/// An endpoint to be changed; what is unset stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EndpointChange {
    /// Name.
    pub name: Option<Text>,
    /// Free text.
    pub description: Option<Text>,
    /// Policy document.
    pub policy: Option<Text>,
    /// Back to the default policy.
    pub reset_policy: bool,
    /// Protocols.
    pub ip_version: Option<IpVersion>,
    /// Answer with the nearest zone.
    pub zone_affinity: Option<bool>,
    /// Bandwidth between regions, Mbit/s.
    pub cross_region_bandwidth_mbps: Option<u32>,
}

/// Which tags are removed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UntagKeys {
    /// Every one.
    All,
    /// These.
    These(Vec<Text>),
}

/// What the cloud answers to a call that it carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done, or begun.
    Done,
    /// This service was made.
    Service(ServiceId),
    /// This endpoint was made.
    Endpoint(EndpointId),
    /// A dry run: the call would have been carried out.
    Rehearsed,
}

/// What a call excludes while it is on its way: the cloud takes one call of a scope at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One action of one account; in one region, or in all (`None`).
    Account(AccountId, Option<RegionId>, Action),
    /// One action on one service.
    Service(ServiceId, Action),
    /// One action on one endpoint.
    Endpoint(EndpointId, Action),
}

/// The actions that exclude themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Any action of the scope (`Variant::ScopeCoversAllActions`).
    Any,
    /// `Call::UpdateService`
    UpdateService,
    /// `Call::DeleteService`
    DeleteService,
    /// `Call::AllowPrincipal`
    AllowPrincipal,
    /// `Call::AcceptConnection`
    AcceptConnection,
    /// `Call::RejectConnection`
    RejectConnection,
    /// `Call::UpdateConnection`
    UpdateConnection,
    /// `Call::UpdateEndpoint`
    UpdateEndpoint,
    /// `Call::DisallowPrincipal`
    DisallowPrincipal,
    /// `Call::AttachResource`
    AttachResource,
    /// `Call::DetachResource`
    DetachResource,
    /// `Call::SetAutoAllocate`
    SetAutoAllocate,
    /// `Call::AddZone`
    AddZone,
    /// `Call::RemoveZone`
    RemoveZone,
    /// `Call::AttachGroup`
    AttachGroup,
    /// `Call::DetachGroup`
    DetachGroup,
    /// `Call::ConnectZone`
    ConnectZone,
    /// `Call::DisconnectZone`
    DisconnectZone,
    /// `Call::AssignZoneResource`
    AssignZoneResource,
}

impl Request {
    /// What this call excludes while it is on its way, if anything.
    #[must_use]
    pub fn scope(&self, actor: Actor, variants: &Variants) -> Option<Scope> {
        let region = variants.is_on(Variant::AccountScopeIsRegional).then_some(self.region);
        let account = |action| Some(Scope::Account(actor.account, region, action));
        let scope = match &self.call {
            Call::UpdateService(..) => account(Action::UpdateService),
            Call::DeleteService(..) => account(Action::DeleteService),
            Call::AllowPrincipal(..) => account(Action::AllowPrincipal),
            Call::AcceptConnection(..) => account(Action::AcceptConnection),
            Call::RejectConnection(..) => account(Action::RejectConnection),
            Call::UpdateConnection(..) => account(Action::UpdateConnection),
            Call::UpdateEndpoint(..) => account(Action::UpdateEndpoint),
            Call::DisallowPrincipal(id, _) => Some(Scope::Service(*id, Action::DisallowPrincipal)),
            Call::AttachResource(id, _) => Some(Scope::Service(*id, Action::AttachResource)),
            Call::DetachResource(id, _) => Some(Scope::Service(*id, Action::DetachResource)),
            Call::SetAutoAllocate(id, ..) => Some(Scope::Service(*id, Action::SetAutoAllocate)),
            Call::AddZone(id, _) => Some(Scope::Endpoint(*id, Action::AddZone)),
            Call::RemoveZone(id, _) => Some(Scope::Endpoint(*id, Action::RemoveZone)),
            Call::AttachGroup(id, _) => Some(Scope::Endpoint(*id, Action::AttachGroup)),
            Call::DetachGroup(id, _) => Some(Scope::Endpoint(*id, Action::DetachGroup)),
            Call::ConnectZone(key, _) => Some(Scope::Endpoint(key.endpoint, Action::ConnectZone)),
            Call::DisconnectZone(key, ..) => Some(Scope::Endpoint(key.endpoint, Action::DisconnectZone)),
            Call::AssignZoneResource(key, ..) => Some(Scope::Endpoint(key.endpoint, Action::AssignZoneResource)),
            Call::OpenProduct
            | Call::CreateService(_)
            | Call::CreateEndpoint(_)
            | Call::DeleteEndpoint(_)
            | Call::Tag(..)
            | Call::Untag(..)
            | Call::ChangeResourceGroup(..) => None,
        };
        if !variants.is_on(Variant::ScopeCoversAllActions) {
            return scope;
        }
        scope.map(|scope| match scope {
            Scope::Account(account, region, _) => Scope::Account(account, region, Action::Any),
            Scope::Service(id, _) => Scope::Service(id, Action::Any),
            Scope::Endpoint(id, _) => Scope::Endpoint(id, Action::Any),
        })
    }
}
