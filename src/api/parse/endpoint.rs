//! `Endpoint`: from a manifest to what core calls desired.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use privatelink_core::desired::{DesiredEndpoint, Target};
use privatelink_core::id::{GroupId, SubnetId, VpcId, Zone};
use privatelink_core::limit;
use privatelink_core::observed::EndpointKind;
use privatelink_core::step::InterfaceForm;

use super::{Invalid, Surroundings, common, family, refuse_ipv6_alone, refuse_other_clouds, refuse_other_tags};
use crate::api::endpoint::{Endpoint, EndpointType, EndpointZone};

/// An `Endpoint` as core takes it, that is to reach `target`. One that is being deleted is never refused: what its
/// cloud lacks was never made, and must not keep it.
///
/// # Errors
/// With the field, why it cannot be acted on, and what to write instead.
pub fn parse(object: &Endpoint, around: Surroundings, target: Target) -> Result<DesiredEndpoint, Invalid> {
    let deleting = object.metadata.deletion_timestamp.is_some();
    let spec = &object.spec;
    refuse_other_clouds(&around, "endpoints")?;
    if !deleting {
        refuse_what_alibaba_lacks(object)?;
    }
    let zones = spec.zones.as_ref().map(|zones| self::zones(zones, deleting)).transpose()?;
    let groups = spec.security_group_ids.as_ref();
    Ok(DesiredEndpoint {
        target,
        kind: match spec.endpoint_type {
            EndpointType::Interface => EndpointKind::Interface,
            EndpointType::GatewayLoadBalancer => EndpointKind::GatewayLoadBalancer,
            EndpointType::Reverse => EndpointKind::Reverse,
        },
        name: spec.endpoint_name.clone().or_else(|| {
            // What is taken over keeps the name it has.
            spec.placement.adopt.is_none().then(|| fitting_name(&object.name_any())).flatten()
        }),
        description: spec.description.clone(),
        vpc: VpcId::from(spec.vpc_id.as_str()),
        zones,
        groups: groups.map(|groups| groups.iter().map(|group| GroupId::from(group.as_str())).collect()),
        family: family(spec.address_family),
        zone_affinity: spec.zone_affinity,
        policy: spec.policy.as_ref().map(|policy| serde_json::Value::Object(policy.clone()).to_string()),
        protected: spec.protected,
        cross_region_bandwidth_mbps: spec.cross_region_bandwidth_mbps,
        common: common("Endpoint", object, &spec.placement, spec.resource_group_id.as_ref(), around),
    })
}

/// The object's own name, where it can be an endpoint's.
fn fitting_name(name: &str) -> Option<String> {
    let count = u32::try_from(name.chars().count()).unwrap_or(u32::MAX);
    let first = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let others = name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '_');
    let fits = first && others && (limit::ENDPOINT_NAME_MIN..=limit::ENDPOINT_NAME).contains(&count);
    fits.then(|| name.to_owned())
}

fn zones(given: &[EndpointZone], deleting: bool) -> Result<BTreeMap<SubnetId, InterfaceForm>, Invalid> {
    let mut zones = BTreeMap::new();
    for (at, one) in given.iter().enumerate() {
        let zone = match &one.zone {
            Some(zone) => Zone::from(zone.as_str()),
            None if deleting => continue,
            None => {
                let why = "Alibaba Cloud needs it: write the zone of the vSwitch, such as cn-hangzhou-f";
                return Err(Invalid::value(&format!("zones[{at}].zone"), why));
            }
        };
        let form = InterfaceForm {
            zone,
            ip: address(one.ip.as_deref().filter(|_| !deleting), &format!("zones[{at}].ip"))?,
            ipv6: address(one.ipv6.as_deref().filter(|_| !deleting), &format!("zones[{at}].ipv6"))?,
        };
        zones.insert(SubnetId::from(one.subnet_id.as_str()), form);
    }
    Ok(zones)
}

/// An address as the schema lets it through; one from before its rule may be none.
fn address<A: std::str::FromStr>(text: Option<&str>, field: &str) -> Result<Option<A>, Invalid> {
    text.map(|text| text.parse().map_err(|_| Invalid::value(field, "this is no address: write one of the subnet's")))
        .transpose()
}

fn refuse_what_alibaba_lacks(object: &Endpoint) -> Result<(), Invalid> {
    let spec = &object.spec;
    if spec.private_dns.is_some() {
        let why = "Alibaba Cloud's API has no such field: remove it, and use status.domain or publish.service";
        return Err(Invalid::unsupported("privateDns", why));
    }
    if spec.dns.is_some() {
        let why =
            "this version writes no records on Alibaba Cloud: remove it, and use status.domain or publish.service";
        return Err(Invalid::unsupported("dns", why));
    }
    if spec.service.region.is_none() && spec.service.reference.is_none() && spec.cross_region_bandwidth_mbps.is_some() {
        let why = "it is for a service in another region: write service.region, or remove it";
        return Err(Invalid::value("crossRegionBandwidthMbps", why));
    }
    refuse_ipv6_alone(spec.address_family)?;
    refuse_other_tags(&spec.placement)
}

#[cfg(test)]
mod tests {
    use privatelink_core::condition::Reason;
    use privatelink_core::desired::Adoption;
    use privatelink_core::id::Region;
    use privatelink_core::observed::AddressFamily;
    use privatelink_core::place::Cloud;
    use serde_json::{Value, json};

    use super::*;

    fn parsed(name: &str, spec: &Value, deleting: bool) -> Result<DesiredEndpoint, Invalid> {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "Endpoint",
            "metadata": {
                "name": name, "namespace": "team", "uid": "u1", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z",
            },
            "spec": spec,
        });
        if deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:06Z");
        }
        let object: Endpoint = serde_json::from_value(object).expect("a manifest");
        let around = Surroundings {
            cluster: "c".to_owned(),
            cloud: Cloud::Alibaba,
            region: Region::from("cn-hangzhou"),
            adoption: Adoption::No,
        };
        parse(&object, around, Target::Awaited("not yet".to_owned()))
    }

    fn with(field: &str, value: Value) -> Value {
        let mut spec = json!({
            "service": {"id": "epsrv-1"}, "vpcId": "vpc-1",
            "zones": [{"subnetId": "vsw-1", "zone": "cn-hangzhou-f"}],
        });
        spec[field] = value;
        spec
    }

    #[test]
    fn every_field_of_alibaba_reaches_the_planner() {
        let spec = json!({
            "service": {"id": "epsrv-1", "region": "cn-shanghai"}, "type": "Reverse", "endpointName": "db_prod",
            "description": "for tenants", "vpcId": "vpc-1",
            "zones": [
                {"subnetId": "vsw-1", "zone": "cn-hangzhou-f", "ip": "10.0.0.9"},
                {"subnetId": "vsw-2", "zone": "cn-hangzhou-g", "ipv6": "2001:db8::9"},
            ],
            "securityGroupIds": ["sg-2", "sg-1"], "addressFamily": "DualStack", "zoneAffinity": true,
            "policy": {"Version": "1", "Statement": []}, "protected": true, "resourceGroupId": "rg-1",
            "crossRegionBandwidthMbps": 200, "tags": {"team": "a"},
        });
        let desired = parsed("db", &spec, false).expect("fits");
        assert_eq!(desired.kind, EndpointKind::Reverse);
        assert_eq!(desired.name.as_deref(), Some("db_prod"));
        assert_eq!(desired.family, Some(AddressFamily::DualStack));
        let zones = desired.zones.expect("zones");
        assert_eq!(zones[&SubnetId::from("vsw-1")].ip, "10.0.0.9".parse().ok());
        assert_eq!(zones[&SubnetId::from("vsw-2")].ipv6, "2001:db8::9".parse().ok());
        assert_eq!(desired.groups, Some(["sg-1".into(), "sg-2".into()].into()));
        let policy: Value = serde_json::from_str(&desired.policy.expect("a policy")).expect("JSON");
        assert_eq!(policy, json!({"Version": "1", "Statement": []}));
        assert_eq!((desired.zone_affinity, desired.protected), (Some(true), Some(true)));
        assert_eq!(desired.cross_region_bandwidth_mbps, Some(200));
        assert_eq!((desired.vpc.as_str(), desired.description.as_deref()), ("vpc-1", Some("for tenants")));
        assert_eq!(desired.common.resource_group.as_deref(), Some("rg-1"));
        assert_eq!(desired.common.tags, [("team".to_owned(), "a".to_owned())].into());
        assert_eq!((desired.common.owner.kind.as_str(), desired.common.generation), ("Endpoint", 3));
    }

    #[test]
    fn the_objects_name_is_the_endpoints_where_it_can_be() {
        let name = |name: &str| parsed(name, &with("vpcId", json!("vpc-1")), false).expect("fits").name;
        assert_eq!(name("db").as_deref(), Some("db"));
        for unfit in ["d", "4db", "db.prod"] {
            assert_eq!(name(unfit), None, "{unfit}");
        }
    }

    #[test]
    fn what_alibaba_lacks_is_refused_by_name_unless_the_object_goes() {
        let zone = json!([{"subnetId": "vsw-1"}]);
        let dns = json!({"zone": {"id": "Z1"}, "records": [{"name": "db", "type": "CNAME"}]});
        for (spec, reason, field) in [
            (with("privateDns", json!(true)), Reason::UnsupportedByCloud, "privateDns: "),
            (with("dns", dns), Reason::UnsupportedByCloud, "dns: "),
            (with("addressFamily", json!("IPv6")), Reason::UnsupportedByCloud, "addressFamily: IPv6: "),
            (with("zones", zone), Reason::InvalidSpec, "zones[0].zone: "),
            (with("crossRegionBandwidthMbps", json!(200)), Reason::InvalidSpec, "crossRegionBandwidthMbps: "),
            (with("tags", json!({"acs:x": "a"})), Reason::InvalidSpec, "tags[\"acs:x\"]: "),
        ] {
            let refused = parsed("db", &spec, false).expect_err("refused");
            assert_eq!(refused.reason, reason, "{refused:?}");
            assert!(refused.message.starts_with(field), "{refused:?}");
            assert!(parsed("db", &spec, true).is_ok(), "{field}");
        }
    }
}
