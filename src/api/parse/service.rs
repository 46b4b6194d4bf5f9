//! `EndpointService`: from a manifest to what core calls desired.

use std::collections::{BTreeMap, BTreeSet};

use privatelink_core::desired::{Departure, DesiredService, OnDelete, Removal};
use privatelink_core::id::{Region, ResourceId, Zone};
use privatelink_core::observed::{self, ResourceKey, ResourceKind};
use privatelink_core::step::MigrationMode;

use super::{Invalid, Surroundings, common, drain, family, refuse_ipv6_alone, refuse_other_clouds, refuse_other_tags};
use crate::api::service::{
    self as api, Acceptance, ConnectionsOnDelete, EndpointService, Payer, RemovalMigration, ResourceType,
    ServiceResource,
};
use crate::api::shared::Approval;

/// An `EndpointService` as core takes it. One that is being deleted is never refused: what its cloud lacks was
/// never made, and must not keep it.
///
/// # Errors
/// With the field, why it cannot be acted on, and what to write instead.
pub fn parse(object: &EndpointService, around: Surroundings) -> Result<DesiredService, Invalid> {
    let deleting = object.metadata.deletion_timestamp.is_some();
    let spec = &object.spec;
    refuse_other_clouds(&around, "services")?;
    let resources = resources(spec.resources.as_deref().unwrap_or_default(), deleting)?;
    let kind = spec.resources.as_deref().unwrap_or_default().first().and_then(|first| kind(first.resource_type));
    if !deleting {
        refuse_what_alibaba_lacks(object)?;
    }
    let regions = spec.supported_regions.as_ref().map(|regions| {
        let others = regions.iter().filter(|region| **region != around.region.as_str());
        others.map(|region| Region::from(region.as_str())).collect::<BTreeSet<_>>()
    });
    Ok(DesiredService {
        common: common("EndpointService", object, &spec.placement, spec.resource_group_id.as_ref(), around),
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
        family: family(spec.address_family),
        regions,
        on_delete: match spec.connections_on_delete {
            None | Some(ConnectionsOnDelete::Wait) => OnDelete::Wait,
            Some(ConnectionsOnDelete::Reject) => OnDelete::Reject,
        },
        removal: removal(spec.removal.as_ref()),
    })
}

fn removal(given: Option<&api::Removal>) -> Removal {
    let field = |pick: fn(&api::Removal) -> Option<u32>| given.and_then(pick);
    Removal {
        departure: given.and_then(|given| given.migration).map(|migration| match migration {
            RemovalMigration::Wait => Departure::Wait,
            RemovalMigration::Smooth => Departure::Move(MigrationMode::Smooth),
            RemovalMigration::Forced => Departure::Move(MigrationMode::Forced),
        }),
        drain: drain(field(|given| given.drain_seconds)),
        approval: given.is_some_and(|given| given.approval == Some(Approval::Required)),
        max_migrating: field(|given| given.max_migrating).unwrap_or(1),
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
    refuse_ipv6_alone(spec.address_family)?;
    let kind = spec.resources.as_deref().unwrap_or_default().first().map(|first| first.resource_type);
    if spec.default_bandwidth_mbps.is_some() && matches!(kind, Some(ResourceType::NLB | ResourceType::GWLB)) {
        let why = "Alibaba Cloud has it for load balancers of type CLB and ALB alone: remove it";
        return Err(Invalid::unsupported("defaultBandwidthMbps", why));
    }
    refuse_other_tags(&spec.placement)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use privatelink_core::condition::Reason;
    use privatelink_core::desired::{Adoption, Deletion};
    use privatelink_core::moment::Moment;
    use privatelink_core::place::Cloud;

    use super::*;
    use crate::api::parse::{ADOPTION_APPROVED, ALLOW_RECREATE, PAUSED};
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
        parse(&object, around)
    }

    fn with(field: &str, value: Value) -> Value {
        let mut spec = json!({"resources": [{"id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f"}]});
        spec[field] = value;
        spec
    }

    #[test]
    fn a_load_balancer_is_taken_off_as_the_spec_says() {
        let removal = |given: Value| parsed(&with("removal", given), false).expect("fits").removal;
        let waits = removal(json!({"migration": "Wait"}));
        assert_eq!(waits, Removal::WAIT);
        let unset = parsed(&with("description", json!("for tenants")), false).expect("fits").removal;
        assert_eq!(unset, Removal { departure: None, ..Removal::WAIT });
        let all = json!({"migration": "Smooth", "drainSeconds": 30, "approval": "Required", "maxMigrating": 5});
        let smooth = Removal {
            departure: Some(Departure::Move(MigrationMode::Smooth)),
            drain: Duration::from_secs(30),
            approval: true,
            max_migrating: 5,
        };
        assert_eq!(removal(all), smooth);
        let forced = removal(json!({"migration": "Forced"}));
        assert_eq!(forced.departure, Some(Departure::Move(MigrationMode::Forced)));
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
        assert_eq!(
            (desired.common.owner.uid.as_str(), desired.common.generation, desired.common.deleting),
            ("u1", 3, false)
        );
        assert_eq!(desired.common.created, Moment(1_767_323_045_000));
        assert_eq!(desired.regions, Some([Region::from("cn-shanghai")].into()));
        assert_eq!(desired.payer, Some(observed::Payer::Provider));
        assert_eq!(desired.family, Some(observed::AddressFamily::DualStack));
        assert_eq!((desired.default_bandwidth_mbps, desired.zone_affinity), (Some(1024), Some(true)));
        assert_eq!((desired.on_delete, desired.common.deletion), (OnDelete::Reject, Deletion::Retain));
        assert!(desired.auto_accept && desired.common.annotations.paused);
        assert_eq!(desired.common.annotations.allow_recreate.as_deref(), Some("epsrv-lost"));
        assert_eq!(desired.common.annotations.adoption_approved, None);
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
}
