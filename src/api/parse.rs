//! From a manifest to what core calls desired: what the account's cloud lacks is refused by name, and from here
//! on nothing is checked again.

pub mod assignment;
pub mod endpoint;
pub mod entry;
pub mod parent;
pub mod service;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use kube::core::NamespaceResourceScope;
use kube::{Resource, ResourceExt as _};
use privatelink_core::condition::Reason;
use privatelink_core::desired::{Adoption, Annotations, Common, Deletion, Management, MigrationRules};
use privatelink_core::id::Region;
use privatelink_core::moment::Moment;
use privatelink_core::observed;
use privatelink_core::owner::Owner;
use privatelink_core::place::Cloud;

use super::shared::{AddressFamily, DeletionPolicy, ManagementPolicy, Placement};

/// Nothing is done to an object that carries this annotation with the value `true`.
pub const PAUSED: &str = "privatelink.dev/paused";
/// A new value asks for a look at once, whatever was refused before.
pub const RECONCILE_REQUESTED_AT: &str = "privatelink.dev/reconcile-requested-at";
/// The annotation by which a person lets replaced sides be closed: the id of the migration, or the load balancer.
pub const DRAIN_APPROVED: &str = "privatelink.dev/drain-approved";
/// Lets the first differences of the adopted id that it names be acted on.
pub const ADOPTION_APPROVED: &str = "privatelink.dev/adoption-approved";
/// Lets another object be made in the place of the lost id that it names.
pub const ALLOW_RECREATE: &str = "privatelink.dev/allow-recreate";
/// Longest key of a tag on Alibaba Cloud, in characters.
const ALIBABA_TAG_KEY: usize = 64;
/// Longest value of a tag on Alibaba Cloud, in characters.
const ALIBABA_TAG_VALUE: usize = 128;

/// A spec that cannot be acted on, with the field and the remedy in its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Why.
    pub reason: Reason,
    /// Field, what is wrong with it, and what to write instead.
    pub message: String,
}

impl Invalid {
    /// A field that the account's cloud does not have.
    #[must_use]
    pub fn unsupported(field: &str, why: &str) -> Self {
        Self { reason: Reason::UnsupportedByCloud, message: format!("{field}: {why}") }
    }

    /// A value that cannot be.
    #[must_use]
    pub fn value(field: &str, why: &str) -> Self {
        Self { reason: Reason::InvalidSpec, message: format!("{field}: {why}") }
    }
}

/// What a manifest alone does not say.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The cluster's id, for ownership tags.
    pub cluster: String,
    /// Cloud of the account.
    pub cloud: Cloud,
    /// Region of the account.
    pub region: Region,
    /// Whether `adopt` may be acted on.
    pub adoption: Adoption,
}

/// The moment that a time of Kubernetes names.
#[must_use]
pub fn moment(time: Timestamp) -> Moment {
    Moment(time.as_millisecond())
}

/// What people have said by annotation.
#[must_use]
pub fn annotations(given: &BTreeMap<String, String>) -> Annotations {
    let one = |key: &str| given.get(key).filter(|value| !value.is_empty()).cloned();
    Annotations {
        paused: given.get(PAUSED).is_some_and(|value| value == "true"),
        adoption_approved: one(ADOPTION_APPROVED),
        allow_recreate: one(ALLOW_RECREATE),
        drain_approved: one(DRAIN_APPROVED),
    }
}

/// What happens to the cloud object: unless it says so itself, one that was adopted stays.
#[must_use]
pub fn deletion(placement: &Placement) -> Deletion {
    match (placement.deletion_policy, &placement.adopt) {
        (Some(DeletionPolicy::Retain), _) | (None, Some(_)) => Deletion::Retain,
        (Some(DeletionPolicy::Delete), _) | (None, None) => Deletion::Delete,
    }
}

/// What every object in a cloud declares.
fn common<K>(kind: &str, object: &K, placement: &Placement, group: Option<&String>, around: Surroundings) -> Common
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Common {
        owner: Owner {
            cluster: around.cluster,
            kind: kind.to_owned(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
        },
        generation: object.meta().generation.unwrap_or_default(),
        created: object.creation_timestamp().map_or(Moment::default(), |time| moment(time.0)),
        deleting: object.meta().deletion_timestamp.is_some(),
        management: match placement.management_policy {
            ManagementPolicy::Manage => Management::Manage,
            ManagementPolicy::Observe => Management::Observe,
        },
        deletion: deletion(placement),
        adoption: around.adoption,
        annotations: annotations(object.annotations()),
        resource_group: group.cloned(),
        tags: placement.tags.clone().unwrap_or_default(),
    }
}

/// How long a replaced side stays open; unset as the documentation of the field says.
fn drain(seconds: Option<u32>) -> Duration {
    seconds.map_or(MigrationRules::DRAIN, |seconds| Duration::from_secs(seconds.into()))
}

/// Protocols as core has them; Alibaba Cloud has no IPv6 alone.
const fn family(family: Option<AddressFamily>) -> Option<observed::AddressFamily> {
    match family {
        None | Some(AddressFamily::IPv6) => None,
        Some(AddressFamily::IPv4) => Some(observed::AddressFamily::V4),
        Some(AddressFamily::DualStack) => Some(observed::AddressFamily::DualStack),
    }
}

fn refuse_other_clouds(around: &Surroundings, what: &str) -> Result<(), Invalid> {
    if around.cloud == Cloud::Alibaba {
        return Ok(());
    }
    let why = format!("this version makes {what} on Alibaba Cloud only: use a CloudAccount with alibaba");
    Err(Invalid::unsupported("accountRef", &why))
}

fn refuse_ipv6_alone(family: Option<AddressFamily>) -> Result<(), Invalid> {
    if family == Some(AddressFamily::IPv6) {
        let why = "Alibaba Cloud has IPv4 and DualStack: write one of those";
        return Err(Invalid::unsupported("addressFamily: IPv6", why));
    }
    Ok(())
}

fn refuse_other_tags(placement: &Placement) -> Result<(), Invalid> {
    placement.tags.iter().flatten().try_for_each(|(key, value)| tag(key, value))
}

/// What Alibaba Cloud takes as a tag.
fn tag(key: &str, value: &str) -> Result<(), Invalid> {
    let field = format!("tags[{key:?}]");
    let reserved = |text: &str| text.starts_with("aliyun") || text.starts_with("acs:");
    let link = |text: &str| text.contains("http://") || text.contains("https://");
    if key.chars().count() > ALIBABA_TAG_KEY {
        return Err(Invalid::value(&field, "a key has at most 64 characters on Alibaba Cloud: shorten it"));
    }
    if value.chars().count() > ALIBABA_TAG_VALUE {
        return Err(Invalid::value(&field, "a value has at most 128 characters on Alibaba Cloud: shorten it"));
    }
    if reserved(key) || reserved(value) || link(key) || link(value) {
        let why = "on Alibaba Cloud neither key nor value starts with aliyun or acs: or holds a link: choose another";
        return Err(Invalid::value(&field, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_adopted_stays_unless_the_spec_says_otherwise() {
        let placement = |adopt: bool, policy| Placement {
            adopt: adopt.then(|| crate::api::shared::Adopt { id: "epsrv-1".to_owned() }),
            deletion_policy: policy,
            ..Placement::default()
        };
        assert_eq!(deletion(&placement(false, None)), Deletion::Delete);
        assert_eq!(deletion(&placement(true, None)), Deletion::Retain);
        assert_eq!(deletion(&placement(true, Some(DeletionPolicy::Delete))), Deletion::Delete);
    }
}
