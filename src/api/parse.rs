//! From a manifest to what core calls desired: what the account's cloud lacks is refused by name, and from here
//! on nothing is checked again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kube::ResourceExt as _;
use privatelink_core::condition::Reason;
use privatelink_core::desired::{Adoption, Annotations, Deletion, DesiredService, Management, OnDelete};
use privatelink_core::id::{Region, ResourceId, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{self, ResourceKey, ResourceKind};
use privatelink_core::owner::Owner;
use privatelink_core::place::Cloud;

use super::service::{
    Acceptance, ConnectionsOnDelete, EndpointService, Payer, RemovalMigration, ResourceType, ServiceResource,
};
use super::shared::{AddressFamily, DeletionPolicy, ManagementPolicy, Placement};

/// Nothing is done to an object that carries this annotation with the value `true`.
pub const PAUSED: &str = "privatelink.dev/paused";
/// A new value asks for a look at once, whatever was refused before.
pub const RECONCILE_REQUESTED_AT: &str = "privatelink.dev/reconcile-requested-at";
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

/// An `EndpointService` as core takes it. One that is being deleted is never refused: what its cloud lacks was
/// never made, and must not keep it.
///
/// # Errors
/// With the field, why it cannot be acted on, and what to write instead.
pub fn service(object: &EndpointService, around: Surroundings) -> Result<DesiredService, Invalid> {
    let deleting = object.metadata.deletion_timestamp.is_some();
    let spec = &object.spec;
    if around.cloud != Cloud::Alibaba {
        return Err(Invalid::unsupported(
            "accountRef",
            "this version makes services on Alibaba Cloud only: use a CloudAccount with alibaba",
        ));
    }
    let resources = resources(spec.resources.as_deref().unwrap_or_default(), deleting)?;
    let kind = spec.resources.as_deref().unwrap_or_default().first().and_then(|first| kind(first.resource_type));
    if !deleting {
        refuse_what_alibaba_lacks(object)?;
    }
    let family = match spec.address_family {
        None | Some(AddressFamily::IPv6) => None,
        Some(AddressFamily::IPv4) => Some(observed::AddressFamily::V4),
        Some(AddressFamily::DualStack) => Some(observed::AddressFamily::DualStack),
    };
    let regions = spec.supported_regions.as_ref().map(|regions| {
        let others = regions.iter().filter(|region| **region != around.region.as_str());
        others.map(|region| Region::from(region.as_str())).collect::<BTreeSet<_>>()
    });
    Ok(DesiredService {
        owner: owner(object, around.cluster),
        generation: object.metadata.generation.unwrap_or_default(),
        created: object.creation_timestamp().map_or(Moment::default(), |time| moment(time.0)),
        deleting,
        management: match spec.placement.management_policy {
            ManagementPolicy::Manage => Management::Manage,
            ManagementPolicy::Observe => Management::Observe,
        },
        deletion: deletion(&spec.placement),
        adoption: around.adoption,
        annotations: annotations(object.annotations()),
        kind: kind.unwrap_or(ResourceKind::Clb),
        resources,
        description: spec.description.clone(),
        auto_accept: spec.acceptance == Acceptance::Automatic,
        default_bandwidth_mbps: spec.default_bandwidth_mbps,
        zone_affinity: spec.zone_affinity,
        payer: spec.payer.map(|payer| match payer {
            Payer::Consumer => observed::Payer::Consumer,
            Payer::Provider => observed::Payer::Provider,
        }),
        family,
        regions,
        resource_group: spec.resource_group_id.clone(),
        tags: spec.placement.tags.clone().unwrap_or_default(),
        on_delete: match spec.connections_on_delete {
            None | Some(ConnectionsOnDelete::Wait) => OnDelete::Wait,
            Some(ConnectionsOnDelete::Reject) => OnDelete::Reject,
        },
    })
}

fn owner(object: &EndpointService, cluster: String) -> Owner {
    Owner {
        cluster,
        kind: "EndpointService".to_owned(),
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
    }
}

fn kind(resource: ResourceType) -> Option<ResourceKind> {
    match resource {
        ResourceType::CLB => Some(ResourceKind::Clb),
        ResourceType::ALB => Some(ResourceKind::Alb),
        ResourceType::NLB => Some(ResourceKind::Nlb),
        ResourceType::GWLB => Some(ResourceKind::Gwlb),
        ResourceType::CDB | ResourceType::CRS => None,
    }
}

fn resources(given: &[ServiceResource], deleting: bool) -> Result<BTreeMap<ResourceKey, bool>, Invalid> {
    let mut resources = BTreeMap::new();
    for (at, resource) in given.iter().enumerate() {
        if kind(resource.resource_type).is_none() && !deleting {
            let why = "Alibaba Cloud has CLB, ALB, NLB and GWLB: offer one of those";
            return Err(Invalid::unsupported(&format!("resources[{at}].type"), why));
        }
        match &resource.zone {
            Some(zone) => {
                let key = ResourceKey { id: ResourceId::from(resource.id.as_str()), zone: Zone::from(zone.as_str()) };
                resources.insert(key, resource.auto_allocate.unwrap_or(true));
            }
            None if deleting => {}
            None => {
                let why =
                    "Alibaba Cloud needs it: write the zone in which the load balancer serves, such as cn-hangzhou-f";
                return Err(Invalid::value(&format!("resources[{at}].zone"), why));
            }
        }
    }
    Ok(resources)
}

fn refuse_what_alibaba_lacks(object: &EndpointService) -> Result<(), Invalid> {
    let spec = &object.spec;
    let lacking = [
        ("serviceName", spec.service_name.is_some()),
        ("vpcId", spec.vpc_id.is_some()),
        ("privateDnsName", spec.private_dns_name.is_some()),
        ("dns", spec.dns.is_some()),
    ];
    if let Some((field, _)) = lacking.iter().find(|(_, set)| *set) {
        return Err(Invalid::unsupported(field, "Alibaba Cloud's services have no such field: remove it"));
    }
    if spec.address_family == Some(AddressFamily::IPv6) {
        let why = "Alibaba Cloud has IPv4 and DualStack: write one of those";
        return Err(Invalid::unsupported("addressFamily: IPv6", why));
    }
    let kind = spec.resources.as_deref().unwrap_or_default().first().map(|first| first.resource_type);
    if spec.default_bandwidth_mbps.is_some() && matches!(kind, Some(ResourceType::NLB | ResourceType::GWLB)) {
        let why = "Alibaba Cloud has it for load balancers of type CLB and ALB alone: remove it";
        return Err(Invalid::unsupported("defaultBandwidthMbps", why));
    }
    let removal = spec.removal.and_then(|removal| removal.migration);
    if matches!(removal, Some(RemovalMigration::Smooth | RemovalMigration::Forced)) {
        let why = "this version waits until connections have left a load balancer: write Wait, or leave it out";
        return Err(Invalid::unsupported("removal.migration", why));
    }
    for (key, value) in spec.placement.tags.iter().flatten() {
        tag(key, value)?;
    }
    Ok(())
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
    use privatelink_core::id::ServiceId;
    use serde_json::{Value, json};

    fn parsed(spec: &Value, deleting: bool) -> Result<DesiredService, Invalid> {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {
                "name": "gateway", "namespace": "team", "uid": "u1", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z",
                "annotations": {PAUSED: "true", ALLOW_RECREATE: "epsrv-lost", ADOPTION_APPROVED: ""},
            },
            "spec": spec,
        });
        if deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:06Z");
        }
        let object: EndpointService = serde_json::from_value(object).expect("a manifest");
        let around = Surroundings {
            cluster: "c".to_owned(),
            cloud: Cloud::Alibaba,
            region: Region::from("cn-hangzhou"),
            adoption: Adoption::No,
        };
        service(&object, around)
    }

    fn with(field: &str, value: Value) -> Value {
        let mut spec = json!({"resources": [{"id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f"}]});
        spec[field] = value;
        spec
    }

    #[test]
    fn every_field_of_alibaba_reaches_the_planner() {
        let desired = parsed(
            &json!({
                "resources": [
                    {"id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f"},
                    {"id": "lb-2", "type": "CLB", "zone": "cn-hangzhou-f", "autoAllocate": false},
                ],
                "description": "for tenants", "acceptance": "Automatic", "defaultBandwidthMbps": 1024,
                "zoneAffinity": true, "payer": "Provider", "addressFamily": "DualStack",
                "supportedRegions": ["cn-shanghai", "cn-hangzhou"], "resourceGroupId": "rg-1",
                "tags": {"team": "a"}, "connectionsOnDelete": "Reject", "deletionPolicy": "Retain",
            }),
            false,
        )
        .expect("fits");
        let key = |id: &str| ResourceKey { id: id.into(), zone: "cn-hangzhou-f".into() };
        assert_eq!(desired.resources, [(key("lb-1"), true), (key("lb-2"), false)].into());
        assert_eq!((desired.owner.uid.as_str(), desired.generation, desired.deleting), ("u1", 3, false));
        assert_eq!(desired.created, Moment(1_767_323_045_000));
        assert_eq!(desired.regions, Some([Region::from("cn-shanghai")].into()));
        assert_eq!(desired.payer, Some(observed::Payer::Provider));
        assert_eq!(desired.family, Some(observed::AddressFamily::DualStack));
        assert_eq!((desired.default_bandwidth_mbps, desired.zone_affinity), (Some(1024), Some(true)));
        assert_eq!((desired.on_delete, desired.deletion), (OnDelete::Reject, Deletion::Retain));
        assert!(desired.auto_accept && desired.annotations.paused);
        assert_eq!(desired.annotations.allow_recreate.as_deref(), Some("epsrv-lost"));
        assert_eq!(desired.annotations.adoption_approved, None);
        assert_eq!(desired.declared_fields().len(), 7, "{:?}", desired.declared_fields());
    }

    #[test]
    fn what_alibaba_lacks_is_refused_by_name_and_never_keeps_a_deletion() {
        let zones = json!([{"id": "lb-1", "type": "CLB"}]);
        for (spec, reason, field) in [
            (with("serviceName", json!("a name")), Reason::UnsupportedByCloud, "serviceName: "),
            (with("vpcId", json!("vpc-1")), Reason::UnsupportedByCloud, "vpcId: "),
            (with("privateDnsName", json!("a.example.com")), Reason::UnsupportedByCloud, "privateDnsName: "),
            (with("addressFamily", json!("IPv6")), Reason::UnsupportedByCloud, "addressFamily: IPv6: "),
            (
                json!({"resources": [{"id": "cdb-1", "type": "CDB", "zone": "z"}]}),
                Reason::UnsupportedByCloud,
                "resources[0].type: ",
            ),
            (
                json!({"resources": [{"id": "nlb-1", "type": "NLB", "zone": "z"}], "defaultBandwidthMbps": 100}),
                Reason::UnsupportedByCloud,
                "defaultBandwidthMbps: ",
            ),
            (with("removal", json!({"migration": "Smooth"})), Reason::UnsupportedByCloud, "removal.migration: "),
            (with("resources", zones), Reason::InvalidSpec, "resources[0].zone: "),
            (with("tags", json!({"aliyun-x": "a"})), Reason::InvalidSpec, "tags[\"aliyun-x\"]: "),
            (with("tags", json!({"k".repeat(65): "a"})), Reason::InvalidSpec, "tags["),
        ] {
            let refused = parsed(&spec, false).expect_err("refused");
            assert_eq!(refused.reason, reason, "{refused:?}");
            assert!(refused.message.starts_with(field), "{refused:?}");
            assert!(parsed(&spec, true).is_ok(), "{field}");
        }
    }

    #[test]
    fn what_was_adopted_stays_unless_the_spec_says_otherwise() {
        let placement = |adopt: bool, policy| Placement {
            adopt: adopt.then(|| super::super::shared::Adopt { id: "epsrv-1".to_owned() }),
            deletion_policy: policy,
            ..Placement::default()
        };
        assert_eq!(deletion(&placement(false, None)), Deletion::Delete);
        assert_eq!(deletion(&placement(true, None)), Deletion::Retain);
        assert_eq!(deletion(&placement(true, Some(DeletionPolicy::Delete))), Deletion::Delete);
        assert_eq!(ServiceId::from("epsrv-1").as_str(), "epsrv-1");
    }
}
