//! What a manifest asks for, parsed: from here on nothing is checked again.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{Region, ServiceId};
use crate::moment::Moment;
use crate::observed::{AddressFamily, Payer, ResourceKey, ResourceKind, Tags};
use crate::owner::Owner;

/// Whether the cloud is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Management {
    /// The cloud is made equal to the object.
    Manage,
    /// Nothing is written.
    Observe,
}

/// What happens to the cloud object when the Kubernetes object goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It goes too.
    Delete,
    /// It stays, without our ownership tags.
    Retain,
}

/// What happens to live connections when a service goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// They are waited for.
    Wait,
    /// They are cut.
    Reject,
}

/// Who may decide on the cloud object that `adopt` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// Nothing is adopted.
    No,
    /// This object may take over this service.
    Yes(ServiceId),
    /// The account does not let this namespace adopt.
    NotPermitted(ServiceId),
    /// Another object, named here, has claimed the service first.
    ClaimedBy(ServiceId, String),
}

/// What people have said by annotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// Nothing is done, deletion included.
    pub paused: bool,
    /// The id whose destructive first differences may be acted on.
    pub adoption_approved: Option<String>,
    /// The lost id in whose place another object may be made.
    pub allow_recreate: Option<String>,
}

/// An endpoint service as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredService {
    /// Who declares it.
    pub owner: Owner,
    /// Generation of the spec.
    pub generation: i64,
    /// When the object was created.
    pub created: Moment,
    /// The object is being deleted.
    pub deleting: bool,
    /// Whether the cloud is written to.
    pub management: Management,
    /// What happens to the service when the object goes.
    pub deletion: Deletion,
    /// Adoption.
    pub adoption: Adoption,
    /// Annotations.
    pub annotations: Annotations,
    /// Kind of all resources.
    pub kind: ResourceKind,
    /// Resources, and whether each may be given to new connections by the cloud; empty only under `Observe`.
    pub resources: BTreeMap<ResourceKey, bool>,
    /// Free text; not compared where unset.
    pub description: Option<String>,
    /// The cloud accepts connections by itself.
    pub auto_accept: bool,
    /// Bandwidth of new connections, Mbit/s; not compared where unset and never set.
    pub default_bandwidth_mbps: Option<u32>,
    /// Domains answer with the nearest zone; not compared where unset and never set.
    pub zone_affinity: Option<bool>,
    /// Who pays.
    pub payer: Option<Payer>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// Consumer regions; not compared where unset and never set.
    pub regions: Option<BTreeSet<Region>>,
    /// Resource group; not compared where unset.
    pub resource_group: Option<String>,
    /// Declared tags.
    pub tags: Tags,
    /// What happens to live connections when the service goes.
    pub on_delete: OnDelete,
}

impl DesiredService {
    /// The optional fields that are set, by their names in the spec; a declared tag is `tags.<key>`.
    #[must_use]
    pub fn declared_fields(&self) -> BTreeSet<String> {
        let fields = [
            ("defaultBandwidthMbps", self.default_bandwidth_mbps.is_some()),
            ("zoneAffinity", self.zone_affinity.is_some()),
            ("supportedRegions", self.regions.is_some()),
            ("description", self.description.is_some()),
            ("resourceGroupId", self.resource_group.is_some()),
            ("addressFamily", self.family.is_some()),
        ];
        let set = fields.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
        set.chain(self.tags.keys().map(|key| format!("tags.{key}"))).collect()
    }
}
