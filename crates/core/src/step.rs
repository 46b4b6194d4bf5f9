//! The mutations of a cloud: one step is one call, and sequences are the planner's.

mod form;

use std::collections::BTreeSet;

use crate::id::{CloudId, EndpointId, GroupId, ResourceId, ServiceId, Sort, SubnetId, Zone};
use crate::observed::{ResourceKey, ResourceKind, Tags};
use crate::principal::Principal;

pub use form::{
    EndpointChange, EndpointForm, InterfaceForm, MigrationMode, Replacement, ServiceChange, ServiceForm, Traffic,
};

/// One mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Switch the product on for the account.
    OpenProduct,
    /// Make a service.
    CreateService(ServiceForm),
    /// Change attributes of a service.
    UpdateService(ServiceId, ServiceChange),
    /// Delete a service.
    DeleteService(ServiceId),
    /// Attach a load balancer.
    AttachResource(ServiceId, ResourceKey, ResourceKind),
    /// Detach a load balancer.
    DetachResource(ServiceId, ResourceKey, ResourceKind),
    /// Allow or forbid that the cloud gives a load balancer to new connections.
    SetAutoAllocate(ServiceId, ResourceKey, bool),
    /// Put a principal on a service's list.
    AllowPrincipal(ServiceId, Principal),
    /// Take a principal off a service's list, as it is written there.
    DisallowPrincipal(ServiceId, Principal),
    /// Accept a connection; what is left open of its traffic stays as the cloud has it.
    AcceptConnection(ServiceId, EndpointId, Traffic),
    /// Refuse or cut a connection.
    RejectConnection(ServiceId, EndpointId),
    /// Change the traffic rules of a connection.
    SetTraffic(ServiceId, EndpointId, Traffic),
    /// Have the cloud pick a load balancer for one zone of a connection that is not connected.
    PickResource(ServiceId, EndpointId, Zone),
    /// Give one zone of a connection that is not connected this load balancer, of this kind.
    AssignResource(ServiceId, EndpointId, Zone, ResourceId, ResourceKind),
    /// Give one zone of a connection that stands another load balancer.
    ReplaceResource(ServiceId, EndpointId, Zone, Replacement),
    /// Close the side of one zone that a smooth migration left behind.
    CloseReplaced(ServiceId, EndpointId, Zone),
    /// Connect one zone of a connection that stands.
    ConnectZone(ServiceId, EndpointId, Zone),
    /// Cut the side of one zone that serves now.
    DisconnectZone(ServiceId, EndpointId, Zone),
    /// Make an endpoint.
    CreateEndpoint(EndpointForm),
    /// Change attributes of an endpoint.
    UpdateEndpoint(EndpointId, EndpointChange),
    /// Delete an endpoint.
    DeleteEndpoint(EndpointId),
    /// Make an interface in a subnet.
    AddZone(EndpointId, SubnetId, InterfaceForm),
    /// Remove the interface in a subnet, which is in this zone.
    RemoveZone(EndpointId, SubnetId, Zone),
    /// Join a security group.
    AttachSecurityGroup(EndpointId, GroupId),
    /// Leave a security group.
    DetachSecurityGroup(EndpointId, GroupId),
    /// Set tags.
    Tag(CloudId, Tags),
    /// Remove tags.
    Untag(CloudId, BTreeSet<String>),
    /// Move to another resource group.
    Move(CloudId, String),
}

/// What the cloud lets through one call at a time.
///
/// The vendor documents exclusion action by action, and leaves open whether different actions of one
/// scope exclude each other; a queue of one for each scope is right either way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// One call of the account in the region.
    Account,
    /// One call on this service.
    Service(ServiceId),
    /// One call on this endpoint.
    Endpoint(EndpointId),
    /// Nothing is excluded.
    None,
}

/// Which steps go first when they wait for the same exclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Ends exposure: nobody waits for a tenant to be let in while another is to be let out.
    EndsExposure,
    /// Everything else.
    Ordinary,
}

impl Lane {
    /// The lane's word, for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndsExposure => "ends_exposure",
            Self::Ordinary => "ordinary",
        }
    }
}

/// What several objects may speak of on one service, each of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A principal on its list.
    Principal(ServiceId, Principal),
    /// The connection of an endpoint as a whole.
    Connection(ServiceId, EndpointId),
    /// One zone of the connection of an endpoint.
    Leg(ServiceId, EndpointId, Zone),
}

impl Step {
    /// The cloud object that the step changes; none while it does not exist yet.
    #[must_use]
    pub fn object(&self) -> Option<CloudId> {
        match self {
            Self::OpenProduct | Self::CreateService(_) | Self::CreateEndpoint(_) => None,
            Self::UpdateService(id, _)
            | Self::DeleteService(id)
            | Self::AttachResource(id, ..)
            | Self::DetachResource(id, ..)
            | Self::SetAutoAllocate(id, ..)
            | Self::AllowPrincipal(id, _)
            | Self::DisallowPrincipal(id, _)
            | Self::AcceptConnection(id, ..)
            | Self::RejectConnection(id, _)
            | Self::SetTraffic(id, ..)
            | Self::PickResource(id, ..)
            | Self::AssignResource(id, ..)
            | Self::ReplaceResource(id, ..)
            | Self::CloseReplaced(id, ..)
            | Self::ConnectZone(id, ..)
            | Self::DisconnectZone(id, ..) => Some(id.clone().into()),
            Self::UpdateEndpoint(id, _)
            | Self::DeleteEndpoint(id)
            | Self::AddZone(id, ..)
            | Self::RemoveZone(id, ..)
            | Self::AttachSecurityGroup(id, _)
            | Self::DetachSecurityGroup(id, _) => Some(id.clone().into()),
            Self::Tag(id, _) | Self::Untag(id, _) | Self::Move(id, _) => Some(id.clone()),
        }
    }

    /// What of a service the step is about, where it is about one principal, one connection or one zone of it alone.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::AllowPrincipal(id, principal) | Self::DisallowPrincipal(id, principal) => {
                Some(Part::Principal(id.clone(), principal.clone()))
            }
            Self::AcceptConnection(id, endpoint, _)
            | Self::RejectConnection(id, endpoint)
            | Self::SetTraffic(id, endpoint, _) => Some(Part::Connection(id.clone(), endpoint.clone())),
            Self::PickResource(id, endpoint, zone)
            | Self::AssignResource(id, endpoint, zone, ..)
            | Self::ReplaceResource(id, endpoint, zone, _)
            | Self::CloseReplaced(id, endpoint, zone)
            | Self::ConnectZone(id, endpoint, zone)
            | Self::DisconnectZone(id, endpoint, zone) => Some(Part::Leg(id.clone(), endpoint.clone(), zone.clone())),
            _ => None,
        }
    }

    /// The sort of what the step makes, if it makes something.
    #[must_use]
    pub const fn makes(&self) -> Option<Sort> {
        match self {
            Self::CreateService(_) => Some(Sort::Service),
            Self::CreateEndpoint(_) => Some(Sort::Endpoint),
            _ => None,
        }
    }

    /// What the call excludes while it is on its way.
    #[must_use]
    pub fn exclusion(&self) -> Exclusion {
        match self {
            // Of an account that is switched on twice at once, nothing is documented.
            Self::OpenProduct
            | Self::UpdateService(..)
            | Self::DeleteService(_)
            | Self::AllowPrincipal(..)
            | Self::AcceptConnection(..)
            | Self::RejectConnection(..)
            | Self::SetTraffic(..)
            | Self::UpdateEndpoint(..) => Exclusion::Account,
            Self::AttachResource(id, ..)
            | Self::DetachResource(id, ..)
            | Self::SetAutoAllocate(id, ..)
            | Self::DisallowPrincipal(id, _) => Exclusion::Service(id.clone()),
            Self::PickResource(_, id, _)
            | Self::AssignResource(_, id, ..)
            | Self::ReplaceResource(_, id, ..)
            | Self::CloseReplaced(_, id, _)
            | Self::ConnectZone(_, id, _)
            | Self::DisconnectZone(_, id, _)
            | Self::AddZone(id, ..)
            | Self::RemoveZone(id, ..)
            | Self::AttachSecurityGroup(id, _)
            | Self::DetachSecurityGroup(id, _) => Exclusion::Endpoint(id.clone()),
            Self::CreateService(_)
            | Self::CreateEndpoint(_)
            | Self::DeleteEndpoint(_)
            | Self::Tag(..)
            | Self::Untag(..)
            | Self::Move(..) => Exclusion::None,
        }
    }

    /// Which lane the step waits in.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::RejectConnection(..) | Self::DisallowPrincipal(..) | Self::DisconnectZone(..) => Lane::EndsExposure,
            _ => Lane::Ordinary,
        }
    }

    /// Whether the step gives back to an object what somebody has taken from it or changed of it, where nothing new was
    /// declared: what also comes with others' connections, or ends what was declared before, does not count.
    #[must_use]
    pub const fn restores(&self) -> bool {
        matches!(
            self,
            Self::UpdateService(..)
                | Self::AttachResource(..)
                | Self::SetAutoAllocate(..)
                | Self::AllowPrincipal(..)
                | Self::UpdateEndpoint(..)
                | Self::AddZone(..)
                | Self::RemoveZone(..)
                | Self::AttachSecurityGroup(..)
                | Self::DetachSecurityGroup(..)
                | Self::Tag(..)
                | Self::Untag(..)
                | Self::Move(..)
        )
    }

    /// The step's verb, for logs, metrics and messages: one of a closed list.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::OpenProduct => "OpenProduct",
            Self::CreateService(_) => "CreateService",
            Self::UpdateService(..) => "UpdateService",
            Self::DeleteService(_) => "DeleteService",
            Self::AttachResource(..) => "AttachResource",
            Self::DetachResource(..) => "DetachResource",
            Self::SetAutoAllocate(..) => "SetAutoAllocate",
            Self::AllowPrincipal(..) => "AllowPrincipal",
            Self::DisallowPrincipal(..) => "DisallowPrincipal",
            Self::AcceptConnection(..) => "AcceptConnection",
            Self::RejectConnection(..) => "RejectConnection",
            Self::SetTraffic(..) => "SetTraffic",
            Self::PickResource(..) => "PickResource",
            Self::AssignResource(..) => "AssignResource",
            Self::ReplaceResource(..) => "ReplaceResource",
            Self::CloseReplaced(..) => "CloseReplaced",
            Self::ConnectZone(..) => "ConnectZone",
            Self::DisconnectZone(..) => "DisconnectZone",
            Self::CreateEndpoint(_) => "CreateEndpoint",
            Self::UpdateEndpoint(..) => "UpdateEndpoint",
            Self::DeleteEndpoint(_) => "DeleteEndpoint",
            Self::AddZone(..) => "AddZone",
            Self::RemoveZone(..) => "RemoveZone",
            Self::AttachSecurityGroup(..) => "AttachSecurityGroup",
            Self::DetachSecurityGroup(..) => "DetachSecurityGroup",
            Self::Tag(CloudId::Service(_), _) => "TagService",
            Self::Tag(CloudId::Endpoint(_), _) => "TagEndpoint",
            Self::Untag(CloudId::Service(_), _) => "UntagService",
            Self::Untag(CloudId::Endpoint(_), _) => "UntagEndpoint",
            Self::Move(CloudId::Service(_), _) => "MoveService",
            Self::Move(CloudId::Endpoint(_), _) => "MoveEndpoint",
        }
    }

    /// What the step is about, in words for a person: the load balancer, the subnet, the group, the service or
    /// the endpoint.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::OpenProduct => "the product".to_owned(),
            Self::CreateService(form) if form.resources.is_empty() => "the service".to_owned(),
            Self::CreateService(form) => {
                // One load balancer may have several zones.
                let balancers: BTreeSet<&str> = form.resources.iter().map(|key| key.id.as_str()).collect();
                format!("the service with {}", balancers.into_iter().collect::<Vec<_>>().join(", "))
            }
            Self::CreateEndpoint(form) => match (&form.service, &form.service_name) {
                (Some(service), _) => format!("an endpoint of {service} in {}", form.vpc),
                (None, name) => format!("an endpoint of {} in {}", name.as_deref().unwrap_or("a service"), form.vpc),
            },
            Self::AttachResource(_, key, _) | Self::DetachResource(_, key, _) | Self::SetAutoAllocate(_, key, _) => {
                format!("{} in {}", key.id, key.zone)
            }
            Self::AllowPrincipal(id, principal) | Self::DisallowPrincipal(id, principal) => {
                format!("{principal} on {id}")
            }
            Self::AcceptConnection(_, endpoint, _)
            | Self::RejectConnection(_, endpoint)
            | Self::SetTraffic(_, endpoint, _) => endpoint.to_string(),
            Self::PickResource(_, endpoint, zone)
            | Self::AssignResource(_, endpoint, zone, ..)
            | Self::ReplaceResource(_, endpoint, zone, _)
            | Self::CloseReplaced(_, endpoint, zone)
            | Self::ConnectZone(_, endpoint, zone)
            | Self::DisconnectZone(_, endpoint, zone) => format!("{endpoint} in {zone}"),
            Self::AddZone(_, subnet, form) => format!("{subnet} in {}", form.zone),
            Self::RemoveZone(_, subnet, zone) => format!("{subnet} in {zone}"),
            Self::AttachSecurityGroup(_, group) | Self::DetachSecurityGroup(_, group) => group.to_string(),
            Self::UpdateService(id, _) | Self::DeleteService(id) => id.to_string(),
            Self::UpdateEndpoint(id, _) | Self::DeleteEndpoint(id) => id.to_string(),
            Self::Tag(id, _) | Self::Untag(id, _) | Self::Move(id, _) => id.to_string(),
        }
    }
}
