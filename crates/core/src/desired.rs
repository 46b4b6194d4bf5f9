//! What a manifest asks for, parsed: from here on nothing is checked again.

mod assignment;
mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{CloudId, GroupId, Region, ServiceId, SubnetId, VpcId};
use crate::moment::Moment;
use crate::observed::{AddressFamily, EndpointKind, Payer, ResourceKey, ResourceKind, Tags};
use crate::owner::Owner;
use crate::step::{InterfaceForm, MigrationMode};

pub use assignment::{DesiredAssignment, MigrationRules, Served};
pub(crate) use entry::BANDWIDTH;
pub use entry::{Acceptance, Allocation, DesiredEntry, Parent, ParentService, Policy, Revocation};

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

/// How connections leave a load balancer that was taken off the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// They are waited for.
    Wait,
    /// They are moved.
    Move(MigrationMode),
}

/// What happens to a load balancer that was taken off the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// How connections leave it; unset: moved smoothly where the cloud lets load balancers of their kind be replaced,
    /// waited for elsewhere.
    pub departure: Option<Departure>,
    /// How long a replaced side stays open after a smooth migration.
    pub drain: Duration,
    /// A person must agree before a replaced side is closed.
    pub approval: bool,
    /// How many zones of connections move at once; those that drain are not counted.
    pub max_migrating: u32,
}

impl Removal {
    /// Connections are waited for.
    pub const WAIT: Self =
        Self { departure: Some(Departure::Wait), drain: MigrationRules::DRAIN, approval: false, max_migrating: 1 };
}

/// Who may decide on the cloud object that `adopt` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// Nothing is adopted.
    No,
    /// This object may take over this one.
    Yes(CloudId),
    /// The account does not let this namespace adopt.
    NotPermitted(CloudId),
    /// Another object, named here, has claimed it first.
    ClaimedBy(CloudId, String),
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
    /// The load balancer whose replaced sides may be closed now.
    pub drain_approved: Option<String>,
}

/// What every object in a cloud declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
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
    /// What happens to the cloud object when this one goes.
    pub deletion: Deletion,
    /// Adoption.
    pub adoption: Adoption,
    /// Annotations.
    pub annotations: Annotations,
    /// Resource group; not compared where unset.
    pub resource_group: Option<String>,
    /// Declared tags.
    pub tags: Tags,
}

impl Common {
    /// The optional fields that are set, by their names in the spec; a declared tag is `tags.<key>`.
    fn declared_fields(&self) -> impl Iterator<Item = String> {
        let group = self.resource_group.as_ref().map(|_| "resourceGroupId".to_owned());
        self.tags.keys().map(|key| format!("tags.{key}")).chain(group)
    }
}

/// An endpoint service as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredService {
    /// What every object declares.
    pub common: Common,
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
    /// What happens to live connections when the service goes.
    pub on_delete: OnDelete,
    /// What happens to a load balancer that was taken off the spec.
    pub removal: Removal,
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
            ("addressFamily", self.family.is_some()),
        ];
        set(&fields).chain(self.common.declared_fields()).collect()
    }
}

fn set<'f>(fields: &'f [(&str, bool)]) -> impl Iterator<Item = String> + use<'f> {
    fields.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned())
}

/// The service that an endpoint is to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Known {
        /// Id, where it is known: the reference leads to a service of this cluster, or the spec names it so.
        id: Option<ServiceId>,
        /// Full name, where the spec names it so.
        name: Option<String>,
        /// Region of the service, where it is another than the endpoint's.
        region: Option<Region>,
    },
    /// The reference leads to a service that does not exist in the cloud yet; with a sentence that says which.
    Awaited(String),
}

/// An endpoint as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredEndpoint {
    /// What every object declares.
    pub common: Common,
    /// Service to reach.
    pub target: Target,
    /// Kind.
    pub kind: EndpointKind,
    /// Name for people; not compared where unset.
    pub name: Option<String>,
    /// Free text; not compared where unset.
    pub description: Option<String>,
    /// VPC of the interfaces.
    pub vpc: VpcId,
    /// Interfaces, one in each subnet; unset only under `Observe`, and then not compared.
    pub zones: Option<BTreeMap<SubnetId, InterfaceForm>>,
    /// Security groups; not compared where unset.
    pub groups: Option<BTreeSet<GroupId>>,
    /// Protocols.
    pub family: Option<AddressFamily>,
    /// The domain answers with the nearest zone; not compared where unset and never set.
    pub zone_affinity: Option<bool>,
    /// Policy document, as text; not compared where unset and never set.
    pub policy: Option<String>,
    /// Let only the identity that makes it change it.
    pub protected: Option<bool>,
    /// Bandwidth to a service in another region, Mbit/s; not compared where unset and never set.
    pub cross_region_bandwidth_mbps: Option<u32>,
}

impl DesiredEndpoint {
    /// The optional fields that are set, by their names in the spec; a declared tag is `tags.<key>`.
    #[must_use]
    pub fn declared_fields(&self) -> BTreeSet<String> {
        let fields = [
            ("description", self.description.is_some()),
            ("securityGroupIds", self.groups.is_some()),
            ("addressFamily", self.family.is_some()),
            ("zoneAffinity", self.zone_affinity.is_some()),
            ("policy", self.policy.is_some()),
            ("crossRegionBandwidthMbps", self.cross_region_bandwidth_mbps.is_some()),
        ];
        set(&fields).chain(self.common.declared_fields()).collect()
    }
}
