//! The mutations of a cloud: one step is one call, and sequences are the planner's.

use std::collections::BTreeSet;

use crate::id::{EndpointId, Region, ServiceId};
use crate::observed::{AddressFamily, Payer, ResourceKey, ResourceKind, Tags};

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
    /// Refuse or cut a connection.
    RejectConnection(ServiceId, EndpointId),
    /// Set tags on a service.
    TagService(ServiceId, Tags),
    /// Remove tags from a service.
    UntagService(ServiceId, BTreeSet<String>),
    /// Move a service to another resource group.
    MoveService(ServiceId, String),
}

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

impl Step {
    /// The service that the step changes; none while it does not exist yet.
    #[must_use]
    pub const fn service(&self) -> Option<&ServiceId> {
        match self {
            Self::OpenProduct | Self::CreateService(_) => None,
            Self::UpdateService(id, _)
            | Self::DeleteService(id)
            | Self::AttachResource(id, ..)
            | Self::DetachResource(id, ..)
            | Self::SetAutoAllocate(id, ..)
            | Self::RejectConnection(id, _)
            | Self::TagService(id, _)
            | Self::UntagService(id, _)
            | Self::MoveService(id, _) => Some(id),
        }
    }

    /// What the call excludes while it is on its way.
    #[must_use]
    pub fn exclusion(&self) -> Exclusion {
        match self {
            Self::UpdateService(..) | Self::DeleteService(_) | Self::RejectConnection(..) => Exclusion::Account,
            Self::AttachResource(id, ..) | Self::DetachResource(id, ..) | Self::SetAutoAllocate(id, ..) => {
                Exclusion::Service(id.clone())
            }
            Self::OpenProduct
            | Self::CreateService(_)
            | Self::TagService(..)
            | Self::UntagService(..)
            | Self::MoveService(..) => Exclusion::None,
        }
    }

    /// Which lane the step waits in.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::RejectConnection(..) => Lane::EndsExposure,
            _ => Lane::Ordinary,
        }
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
            Self::RejectConnection(..) => "RejectConnection",
            Self::TagService(..) => "TagService",
            Self::UntagService(..) => "UntagService",
            Self::MoveService(..) => "MoveService",
        }
    }

    /// What the step is about, in words for a person: the load balancer, the endpoint, or the service.
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
            Self::AttachResource(_, key, _) | Self::DetachResource(_, key, _) | Self::SetAutoAllocate(_, key, _) => {
                format!("{} in {}", key.id, key.zone)
            }
            Self::RejectConnection(_, endpoint) => endpoint.to_string(),
            Self::UpdateService(id, _)
            | Self::DeleteService(id)
            | Self::TagService(id, _)
            | Self::UntagService(id, _)
            | Self::MoveService(id, _) => id.to_string(),
        }
    }
}
