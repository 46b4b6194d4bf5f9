//! From checked parameters to a call in the world's words.
//!
//! A text that names nothing becomes an id that nothing has, so that the world refuses in its own order.

use super::gateway::Failure;
use super::params::{Item, Params};
use super::{name, word};
use crate::world::call::{
    AcceptForm, Assignment, ConnectionKey, EndpointChange, EndpointForm, ObjectId, ResourceForm, ServiceChange,
    ServiceForm, Side, UntagKeys, ZoneForm,
};
use crate::world::object::{Principal, Tags};
use crate::world::{AccountId, Call, EndpointId, Land, RegionId, Request, ServiceId, Text, ZoneId};

/// The change that the action `action` asks for; `None`: the action changes nothing.
///
/// # Errors
/// The vendor's refusal of parameters that do not go together.
pub fn request(land: &Land, region: RegionId, action: &str, params: &Params<'_>) -> Result<Option<Request>, Failure> {
    let reader = Reader { land, params };
    let token = params.text("ClientToken").map(Text::from);
    Ok(reader.call(action, region)?.map(|call| Request { region, token, call }))
}

struct Reader<'r, 'a> {
    land: &'r Land,
    params: &'r Params<'a>,
}

impl Reader<'_, '_> {
    fn call(&self, action: &str, region: RegionId) -> Result<Option<Call>, Failure> {
        Ok(Some(match action {
            "OpenPrivateLinkService" => Call::OpenProduct,
            "CreateVpcEndpointService" => Call::CreateService(self.service_form()?),
            "UpdateVpcEndpointServiceAttribute" => Call::UpdateService(self.service()?, self.service_change()?),
            "DeleteVpcEndpointService" => Call::DeleteService(self.service()?),
            "AttachResourceToVpcEndpointService" => Call::AttachResource(self.service()?, self.resource()?),
            "DetachResourceFromVpcEndpointService" => Call::DetachResource(self.service()?, self.resource()?),
            "UpdateVpcEndpointServiceResourceAttribute" => {
                let on = self.params.flag("AutoAllocatedEnabled") == Some(true);
                Call::SetAutoAllocate(self.service()?, self.resource()?, on)
            }
            "AddUserToVpcEndpointService" => Call::AllowPrincipal(self.service()?, self.principal()?),
            "RemoveUserFromVpcEndpointService" => Call::DisallowPrincipal(self.service()?, self.principal()?),
            "EnableVpcEndpointConnection" => Call::AcceptConnection(self.connection()?, self.traffic()?),
            "DisableVpcEndpointConnection" => Call::RejectConnection(self.connection()?),
            "UpdateVpcEndpointConnectionAttribute" => Call::UpdateConnection(self.connection()?, self.traffic()?),
            "EnableVpcEndpointZoneConnection" => Call::ConnectZone(self.connection()?, self.zone()?),
            "DisableVpcEndpointZoneConnection" => {
                let replaced = self.params.flag("ReplacedResource") == Some(true);
                let side = if replaced { Side::Replaced } else { Side::Current };
                Call::DisconnectZone(self.connection()?, self.zone()?, side)
            }
            "UpdateVpcEndpointZoneConnectionResourceAttribute" => {
                let zone = self.zone()?;
                Call::AssignZoneResource(self.connection()?, zone, self.assignment(zone)?)
            }
            "CreateVpcEndpoint" => Call::CreateEndpoint(self.endpoint_form(region)?),
            "UpdateVpcEndpointAttribute" => Call::UpdateEndpoint(self.endpoint()?, self.endpoint_change()?),
            "DeleteVpcEndpoint" => Call::DeleteEndpoint(self.endpoint()?),
            "AddZoneToVpcEndpoint" => Call::AddZone(self.endpoint()?, self.zone_form()?),
            "RemoveZoneFromVpcEndpoint" => Call::RemoveZone(self.endpoint()?, self.zone()?),
            "AttachSecurityGroupToVpcEndpoint" => {
                Call::AttachGroup(self.endpoint()?, self.land.group_named(self.params.need("SecurityGroupId")?))
            }
            "DetachSecurityGroupFromVpcEndpoint" => {
                Call::DetachGroup(self.endpoint()?, self.land.group_named(self.params.need("SecurityGroupId")?))
            }
            "TagResources" => Call::Tag(self.tagged()?, self.tags()?),
            "UntagResources" => Call::Untag(self.tagged()?, self.untagged()?),
            "ChangeResourceGroup" => {
                let service = self.params.text("ResourceType") == Some("VpcEndpointService");
                let object = object(self.params.need("ResourceId")?, service);
                Call::ChangeResourceGroup(object, self.params.need("ResourceGroupId")?.into())
            }
            _ => return Ok(None),
        }))
    }

    fn service(&self) -> Result<ServiceId, Failure> {
        self.params.need("ServiceId").map(name::service)
    }

    fn endpoint(&self) -> Result<EndpointId, Failure> {
        self.params.need("EndpointId").map(name::endpoint)
    }

    fn zone(&self) -> Result<ZoneId, Failure> {
        self.params.need("ZoneId").map(|zone| self.land.zone_named(zone))
    }

    fn connection(&self) -> Result<ConnectionKey, Failure> {
        Ok(ConnectionKey { service: self.service()?, endpoint: self.endpoint()? })
    }

    fn word<T>(&self, name: &str, means: fn(&str) -> Option<T>) -> Option<T> {
        self.params.text(name).and_then(means)
    }

    fn optional(&self, name: &str) -> Option<Text> {
        self.params.text(name).map(Text::from)
    }

    fn regions(&self, list: &str) -> Vec<RegionId> {
        self.params.list(list).into_iter().map(|name| self.land.region_named(name)).collect()
    }

    fn resource(&self) -> Result<ResourceForm, Failure> {
        Ok(ResourceForm {
            balancer: self.land.balancer_named(self.params.need("ResourceId")?),
            kind: self.word("ResourceType", word::balancer),
            zone: self.params.text("ZoneId").map(|zone| self.land.zone_named(zone)),
        })
    }

    fn service_form(&self) -> Result<ServiceForm, Failure> {
        let resources = self.params.items("Resource").into_iter().map(|item| {
            Ok(ResourceForm {
                balancer: self.land.balancer_named(item.need("ResourceId")?),
                kind: word::balancer(item.need("ResourceType")?),
                zone: item.text("ZoneId").map(|zone| self.land.zone_named(zone)),
            })
        });
        Ok(ServiceForm {
            kind: self.word("ServiceResourceType", word::balancer),
            resources: resources.collect::<Result<_, Failure>>()?,
            payer: self.word("Payer", word::payer),
            auto_accept: self.params.flag("AutoAcceptEnabled") == Some(true),
            zone_affinity: self.params.flag("ZoneAffinityEnabled") == Some(true),
            ip_version: self.word("AddressIpVersion", word::ip_version),
            support_ipv6: self.params.flag("ServiceSupportIPv6") == Some(true),
            description: self.optional("ServiceDescription"),
            resource_group: self.optional("ResourceGroupId"),
            consumer_regions: self.regions("SupportedRegionList"),
            tags: self.tags()?,
        })
    }

    fn service_change(&self) -> Result<ServiceChange, Failure> {
        Ok(ServiceChange {
            auto_accept: self.params.flag("AutoAcceptEnabled"),
            connect_bandwidth_mbps: self.params.number("ConnectBandwidth")?,
            zone_affinity: self.params.flag("ZoneAffinityEnabled"),
            ip_version: self.word("AddressIpVersion", word::ip_version),
            support_ipv6: self.params.flag("ServiceSupportIPv6"),
            description: self.optional("ServiceDescription"),
            open_regions: self.regions("AddSupportedRegionSet"),
            close_regions: self.regions("DeleteSupportedRegionSet"),
        })
    }

    fn principal(&self) -> Result<Principal, Failure> {
        let account: Option<u64> = self.params.number("UserId")?;
        match (account, self.params.text("UserARN")) {
            (None, None) => Err(Failure::missing(self.params.action, "UserARN")),
            (Some(account), None) => Ok(Principal::Account(AccountId(account))),
            (None, Some(arn)) => Ok(Principal::Arn(arn.into())),
            (Some(account), Some(arn)) if arn.split(':').nth(3) == Some(&account.to_string()) => {
                Ok(Principal::Arn(arn.into()))
            }
            (Some(_), Some(_)) => Err(Failure::new(
                400,
                "Mismatch.UserIdAndUserArn",
                "UserId and UserARN name different accounts; give one of them.",
            )),
        }
    }

    fn traffic(&self) -> Result<AcceptForm, Failure> {
        Ok(AcceptForm {
            bandwidth_mbps: self.params.number("Bandwidth")?,
            traffic_control: self.word("TrafficControlMode", word::traffic),
        })
    }

    fn assignment(&self, zone: ZoneId) -> Result<Assignment, Failure> {
        let target = || {
            self.params.need("ResourceId")?;
            self.params.need("ResourceType")?;
            Ok::<_, Failure>(ResourceForm { zone: Some(zone), ..self.resource()? })
        };
        match (self.params.text("ResourceAllocateMode"), self.params.text("ResourceReplaceMode")) {
            (None, None) => Err(Failure::missing(self.params.action, "ResourceAllocateMode")),
            (Some(_), Some(_)) => {
                Err(self.params.illegal("ResourceReplaceMode", "it is not given together with ResourceAllocateMode"))
            }
            (Some("Auto"), None) => Ok(Assignment::Automatic),
            (Some(_), None) => Ok(Assignment::Manual(target()?)),
            (None, Some("Force")) => Ok(Assignment::ReplaceForcibly(target()?)),
            (None, Some(_)) => Ok(Assignment::ReplaceGracefully(target()?)),
        }
    }

    fn endpoint_form(&self, region: RegionId) -> Result<EndpointForm, Failure> {
        let zones = self.params.items("Zone").into_iter().map(|item| {
            Ok(ZoneForm {
                zone: item.text("ZoneId").map(|zone| self.land.zone_named(zone)),
                switch: self.land.switch_named(item.need("VSwitchId")?),
                ip: address(&item, "ip"),
                ipv6: address(&item, "Ipv6Address"),
            })
        });
        let (service, named_region) = self.service_to_join()?;
        let service_region = self.params.text("ServiceRegionId").map(|name| self.land.region_named(name));
        Ok(EndpointForm {
            service,
            service_region: service_region.or(named_region.filter(|named| *named != region)),
            kind: self.word("EndpointType", word::endpoint_kind),
            vpc: self.land.vpc_named(self.params.need("VpcId")?),
            zones: zones.collect::<Result<_, Failure>>()?,
            groups: self.params.list("SecurityGroupId").into_iter().map(|group| self.land.group_named(group)).collect(),
            name: self.optional("EndpointName"),
            description: self.optional("EndpointDescription"),
            policy: self.optional("PolicyDocument"),
            protected: self.params.flag("ProtectedEnabled") == Some(true),
            ip_version: self.word("AddressIpVersion", word::ip_version),
            zone_affinity: self.params.flag("ZoneAffinityEnabled") == Some(true),
            cross_region_bandwidth_mbps: self.params.number("CrossRegionBandwidth")?,
            resource_group: self.optional("ResourceGroupId"),
            tags: self.tags()?,
        })
    }

    /// The service named by id or by name, and the region that the name holds.
    fn service_to_join(&self) -> Result<(ServiceId, Option<RegionId>), Failure> {
        let by_name = self.params.text("ServiceName").map(|text| {
            let (region, service) = name::service_named(text).unwrap_or(("", ServiceId::NOWHERE));
            (service, Some(self.land.region_named(region)))
        });
        match (self.params.text("ServiceId").map(name::service), by_name) {
            (None, None) => Err(Failure::missing(self.params.action, "ServiceId")),
            (None, Some(named)) => Ok(named),
            (Some(id), None) => Ok((id, None)),
            (Some(id), Some((named, region))) if id == named => Ok((id, region)),
            (Some(_), Some(_)) => Err(self.params.illegal("ServiceName", "it names the service of ServiceId")),
        }
    }

    fn endpoint_change(&self) -> Result<EndpointChange, Failure> {
        Ok(EndpointChange {
            name: self.optional("EndpointName"),
            description: self.optional("EndpointDescription"),
            policy: self.optional("PolicyDocument"),
            reset_policy: self.params.flag("ResetPolicy") == Some(true),
            ip_version: self.word("AddressIpVersion", word::ip_version),
            zone_affinity: self.params.flag("ZoneAffinityEnabled"),
            cross_region_bandwidth_mbps: self.params.number("CrossRegionBandwidth")?,
        })
    }

    fn zone_form(&self) -> Result<ZoneForm, Failure> {
        Ok(ZoneForm {
            zone: Some(self.zone()?),
            switch: self.land.switch_named(self.params.need("VSwitchId")?),
            ip: self.params.text("ip").and_then(|text| text.parse().ok()),
            ipv6: self.params.text("Ipv6Address").and_then(|text| text.parse().ok()),
        })
    }

    fn tags(&self) -> Result<Tags, Failure> {
        let mut tags = Tags::new();
        for item in self.params.items("Tag") {
            let value = item.text("Value").unwrap_or_default();
            if tags.insert(item.need("Key")?.into(), value.into()).is_some() {
                return Err(duplicated_key());
            }
        }
        Ok(tags)
    }

    fn tagged(&self) -> Result<Vec<ObjectId>, Failure> {
        let service = self.params.need("ResourceType")?.eq_ignore_ascii_case("vpcendpointservice");
        Ok(self.params.list("ResourceId").into_iter().map(|text| object(text, service)).collect())
    }

    fn untagged(&self) -> Result<UntagKeys, Failure> {
        let mut keys: Vec<Text> = self.params.list("TagKey").into_iter().map(Text::from).collect();
        if keys.is_empty() {
            let all = self.params.flag("All") == Some(true);
            return if all { Ok(UntagKeys::All) } else { Err(Failure::missing(self.params.action, "TagKey")) };
        }
        let asked = keys.len();
        keys.sort();
        keys.dedup();
        if keys.len() == asked { Ok(UntagKeys::These(keys)) } else { Err(duplicated_key()) }
    }
}

fn duplicated_key() -> Failure {
    Failure::new(400, "DuplicatedTagKey", "The tag keys are not unique; give each once.")
}

fn address<A: std::str::FromStr>(item: &Item<'_, '_>, field: &str) -> Option<A> {
    item.text(field).and_then(|text| text.parse().ok())
}

/// The object of this id; one of the other kind names nothing.
#[must_use]
pub fn object(text: &str, is_service: bool) -> ObjectId {
    if is_service { ObjectId::Service(name::service(text)) } else { ObjectId::Endpoint(name::endpoint(text)) }
}
