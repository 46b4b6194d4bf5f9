//! Steps and reads as calls: parameters by the names of the vendor's description, flattened.
//!
//! What a step leaves open is not sent, so that the cloud's own default holds.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Product, Unsigned, sts};
use crate::id::{CloudId, EndpointId, Region, ResourceId, ServiceId, Sort, SubnetId, Zone};
use crate::observed::{AddressFamily, Payer, ResourceKey, ResourceKind, Tags, TrafficControl};
use crate::principal::Principal;
use crate::read::{Page, Read};
use crate::step::{
    EndpointChange, EndpointForm, InterfaceForm, MigrationMode, ServiceChange, ServiceForm, Step, Traffic,
};

/// Largest documented page of services, connections, endpoints and interfaces.
const PAGE: u32 = 1_000;
/// Largest documented page of a service's resources.
const PAGE_OF_RESOURCES: u32 = 50;
/// Largest documented page of an endpoint's security groups.
const PAGE_OF_GROUPS: u32 = 50;

/// Largest documented page of a service's principals.
const PAGE_OF_PRINCIPALS: u32 = 50;
/// The list of principals that are account numbers; the first part of a cursor says which list it is of.
pub(super) const ACCOUNTS: &str = "Users";
/// The list of principals that are ARNs.
pub(super) const ARNS: &str = "UserARNs";
/// How the cloud writes everybody.
const EVERYBODY: &str = "acs:ram:*:*";

/// The call that a step is, under `token`, the client token.
///
/// `OpenPrivateLinkService` and `ChangeResourceGroup` take no token: repeating them changes nothing.
#[must_use]
pub fn step(step: &Step, region: &Region, token: &str) -> Unsigned {
    match step {
        Step::OpenProduct => call("OpenPrivateLinkService", region),
        Step::CreateService(form) => create(form, region, token),
        Step::UpdateService(id, change) => update(id, change, region, token),
        Step::DeleteService(id) => write("DeleteVpcEndpointService", id, region, token),
        Step::AttachResource(id, key, kind) => {
            write("AttachResourceToVpcEndpointService", id, region, token).resource("", key, *kind)
        }
        Step::DetachResource(id, key, kind) => {
            write("DetachResourceFromVpcEndpointService", id, region, token).resource("", key, *kind)
        }
        Step::SetAutoAllocate(id, key, on) => write("UpdateVpcEndpointServiceResourceAttribute", id, region, token)
            .with("ResourceId", &key.id)
            .with("ZoneId", &key.zone)
            .with("AutoAllocatedEnabled", on),
        Step::AllowPrincipal(id, principal) => {
            write("AddUserToVpcEndpointService", id, region, token).principal(principal)
        }
        Step::DisallowPrincipal(id, principal) => {
            write("RemoveUserFromVpcEndpointService", id, region, token).principal(principal)
        }
        Step::AcceptConnection(id, endpoint, asked) => {
            write("EnableVpcEndpointConnection", id, region, token).with("EndpointId", endpoint).traffic(asked)
        }
        Step::RejectConnection(id, endpoint) => {
            write("DisableVpcEndpointConnection", id, region, token).with("EndpointId", endpoint)
        }
        Step::SetTraffic(id, endpoint, asked) => {
            write("UpdateVpcEndpointConnectionAttribute", id, region, token).with("EndpointId", endpoint).traffic(asked)
        }
        Step::PickResource(id, endpoint, zone) => {
            write("UpdateVpcEndpointZoneConnectionResourceAttribute", id, region, token)
                .zone_of(endpoint, zone)
                .with("ResourceAllocateMode", "Auto")
        }
        Step::AssignResource(id, endpoint, zone, to, kind) => {
            write("UpdateVpcEndpointZoneConnectionResourceAttribute", id, region, token)
                .zone_of(endpoint, zone)
                .with("ResourceAllocateMode", "Manual")
                .balancer("", to, *kind)
        }
        Step::ReplaceResource(id, endpoint, zone, replacement) => {
            write("UpdateVpcEndpointZoneConnectionResourceAttribute", id, region, token)
                .zone_of(endpoint, zone)
                .with("ResourceReplaceMode", replace_mode(replacement.mode))
                .balancer("", &replacement.to, replacement.kind)
        }
        // Without the last word the same call would cut the side that serves.
        Step::CloseReplaced(id, endpoint, zone) => write("DisableVpcEndpointZoneConnection", id, region, token)
            .zone_of(endpoint, zone)
            .with("ReplacedResource", &true),
        Step::ConnectZone(id, endpoint, zone) => {
            write("EnableVpcEndpointZoneConnection", id, region, token).zone_of(endpoint, zone)
        }
        // The default is this side, too; what cuts traffic leaves nothing to a default.
        Step::DisconnectZone(id, endpoint, zone) => write("DisableVpcEndpointZoneConnection", id, region, token)
            .zone_of(endpoint, zone)
            .with("ReplacedResource", &false),
        Step::CreateEndpoint(form) => create_endpoint(form, region, token),
        Step::UpdateEndpoint(id, change) => update_endpoint(id, change, region, token),
        Step::DeleteEndpoint(id) => change("DeleteVpcEndpoint", id, region, token),
        Step::AddZone(id, subnet, form) => {
            change("AddZoneToVpcEndpoint", id, region, token).interface("", subnet, form)
        }
        Step::RemoveZone(id, _, zone) => change("RemoveZoneFromVpcEndpoint", id, region, token).with("ZoneId", zone),
        Step::AttachSecurityGroup(id, group) => {
            change("AttachSecurityGroupToVpcEndpoint", id, region, token).with("SecurityGroupId", group)
        }
        Step::DetachSecurityGroup(id, group) => {
            change("DetachSecurityGroupFromVpcEndpoint", id, region, token).with("SecurityGroupId", group)
        }
        Step::Tag(id, tags) => form("TagResources", id, region, token).tags(tags),
        Step::Untag(id, keys) => form("UntagResources", id, region, token).list("TagKey", keys),
        Step::Move(id, group) => call("ChangeResourceGroup", region)
            .with("ResourceId", id)
            .with("ResourceType", moved_as(id.sort()))
            .with("ResourceGroupId", group),
    }
}

/// The call that a read is.
#[must_use]
pub fn read(read: &Read, region: &Region) -> Unsigned {
    match read {
        Read::CallerIdentity => Unsigned {
            product: Product::Sts,
            host: sts::host(region, false),
            action: "GetCallerIdentity",
            version: Product::Sts.version(),
            parameters: BTreeMap::new(),
            form: false,
        },
        Read::Product => call("CheckProductOpen", region),
        Read::Services(page) => regional("ListVpcEndpointServices", region).page(PAGE, page),
        Read::Service(id) => regional("GetVpcEndpointServiceAttribute", region).with("ServiceId", id),
        Read::Resources(id, page) => {
            regional("ListVpcEndpointServiceResources", region).with("ServiceId", id).page(PAGE_OF_RESOURCES, page)
        }
        Read::Connections(id, page) => {
            regional("ListVpcEndpointConnections", region).with("ServiceId", id).page(PAGE, page)
        }
        Read::Principals(id, page) => principals(id, page, region),
        Read::Endpoints(page) => regional("ListVpcEndpoints", region).page(PAGE, page),
        Read::Endpoint(id) => regional("GetVpcEndpointAttribute", region).with("EndpointId", id),
        Read::Interfaces(id, page) => regional("ListVpcEndpointZones", region).with("EndpointId", id).page(PAGE, page),
        Read::Groups(id, page) => {
            regional("ListVpcEndpointSecurityGroups", region).with("EndpointId", id).page(PAGE_OF_GROUPS, page)
        }
    }
}

/// Account numbers and ARNs are two lists of the cloud, one of which is asked for at a time; here the second one's
/// pages follow the first one's.
fn principals(id: &ServiceId, page: &Page, region: &Region) -> Unsigned {
    let call = regional("ListVpcEndpointServiceUsers", region).with("ServiceId", id);
    let (list, token) = match page {
        None => (ACCOUNTS, None),
        Some(cursor) => cursor.split_once(':').map_or((ACCOUNTS, None), |(list, token)| {
            (if list == ARNS { ARNS } else { ACCOUNTS }, Some(token.to_owned()).filter(|token| !token.is_empty()))
        }),
    };
    call.with("UserListType", list).page(PAGE_OF_PRINCIPALS, &token)
}

fn create(form: &ServiceForm, region: &Region, token: &str) -> Unsigned {
    let mut call = regional("CreateVpcEndpointService", region)
        .with("ClientToken", token)
        .with("ServiceResourceType", kind(form.kind))
        .with("AutoAcceptEnabled", &form.auto_accept)
        .maybe("ServiceDescription", form.description.as_ref())
        .maybe("Payer", form.payer.map(payer))
        .maybe("ZoneAffinityEnabled", form.zone_affinity.as_ref())
        .maybe("AddressIpVersion", form.family.map(family))
        .maybe("ResourceGroupId", form.resource_group.as_ref())
        .list("SupportedRegionList", &form.regions)
        .tags(&form.tags);
    for (number, key) in (1..).zip(&form.resources) {
        call = call.resource(&format!("Resource.{number}."), key, form.kind);
    }
    call
}

fn update(id: &ServiceId, change: &ServiceChange, region: &Region, token: &str) -> Unsigned {
    write("UpdateVpcEndpointServiceAttribute", id, region, token)
        .maybe("ServiceDescription", change.description.as_ref())
        .maybe("AutoAcceptEnabled", change.auto_accept.as_ref())
        .maybe("ZoneAffinityEnabled", change.zone_affinity.as_ref())
        .maybe("ConnectBandwidth", change.default_bandwidth_mbps.as_ref())
        .maybe("AddressIpVersion", change.family.map(family))
        .list("AddSupportedRegionSet", &change.open_regions)
        .list("DeleteSupportedRegionSet", &change.close_regions)
}

fn create_endpoint(form: &EndpointForm, region: &Region, token: &str) -> Unsigned {
    let mut call = regional("CreateVpcEndpoint", region)
        .with("ClientToken", token)
        .with("EndpointType", form.kind.as_str())
        .maybe("ServiceId", form.service.as_ref())
        .maybe("ServiceName", form.service_name.as_ref())
        .maybe("ServiceRegionId", form.service_region.as_ref())
        .with("VpcId", &form.vpc)
        .maybe("EndpointName", form.name.as_ref())
        .maybe("EndpointDescription", form.description.as_ref())
        .maybe("AddressIpVersion", form.family.map(family))
        .maybe("ZoneAffinityEnabled", form.zone_affinity.as_ref())
        .maybe("PolicyDocument", form.policy.as_ref())
        .maybe("ProtectedEnabled", form.protected.as_ref())
        .maybe("CrossRegionBandwidth", form.cross_region_bandwidth_mbps.as_ref())
        .maybe("ResourceGroupId", form.resource_group.as_ref())
        .list("SecurityGroupId", &form.groups)
        .tags(&form.tags);
    for (number, (subnet, interface)) in (1..).zip(&form.zones) {
        call = call.interface(&format!("Zone.{number}."), subnet, interface);
    }
    call
}

fn update_endpoint(id: &EndpointId, update: &EndpointChange, region: &Region, token: &str) -> Unsigned {
    change("UpdateVpcEndpointAttribute", id, region, token)
        .maybe("EndpointName", update.name.as_ref())
        .maybe("EndpointDescription", update.description.as_ref())
        .maybe("AddressIpVersion", update.family.map(family))
        .maybe("ZoneAffinityEnabled", update.zone_affinity.as_ref())
        .maybe("PolicyDocument", update.policy.as_ref())
        .maybe("ResetPolicy", update.reset_policy.then_some(&true))
        .maybe("CrossRegionBandwidth", update.cross_region_bandwidth_mbps.as_ref())
}

fn call(action: &'static str, region: &Region) -> Unsigned {
    let product = Product::PrivateLink;
    Unsigned {
        product,
        host: format!("{}.{region}.aliyuncs.com", product.as_str()),
        action,
        version: product.version(),
        parameters: BTreeMap::new(),
        form: false,
    }
}

/// Nearly every action wants the region once more, although the host is regional.
fn regional(action: &'static str, region: &Region) -> Unsigned {
    call(action, region).with("RegionId", region)
}

fn write(action: &'static str, id: &ServiceId, region: &Region, token: &str) -> Unsigned {
    regional(action, region).with("ServiceId", id).with("ClientToken", token)
}

fn change(action: &'static str, id: &EndpointId, region: &Region, token: &str) -> Unsigned {
    regional(action, region).with("EndpointId", id).with("ClientToken", token)
}

fn form(action: &'static str, id: &CloudId, region: &Region, token: &str) -> Unsigned {
    let call = regional(action, region)
        .with("ResourceType", tagged_as(id.sort()))
        .with("ResourceId.1", id.as_str())
        .with("ClientToken", token);
    Unsigned { form: true, ..call }
}

impl Unsigned {
    fn with(mut self, name: &str, value: &(impl Display + ?Sized)) -> Self {
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }

    fn principal(self, principal: &Principal) -> Self {
        match principal.number() {
            Some(number) => self.with("UserId", number),
            None if principal.as_str() == "*" => self.with("UserARN", EVERYBODY),
            None => self.with("UserARN", principal),
        }
    }

    fn traffic(self, traffic: &Traffic) -> Self {
        let control = traffic.control.map(|control| match control {
            TrafficControl::Elastic => "Scalability",
            TrafficControl::Limited => "BandwidthLimit",
        });
        self.maybe("Bandwidth", traffic.bandwidth_mbps.as_ref()).maybe("TrafficControlMode", control)
    }

    fn zone_of(self, endpoint: &EndpointId, zone: &Zone) -> Self {
        self.with("EndpointId", endpoint).with("ZoneId", zone)
    }

    fn maybe(self, name: &str, value: Option<&(impl Display + ?Sized)>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn list<'a, T: Display + 'a>(self, name: &str, values: impl IntoIterator<Item = &'a T>) -> Self {
        (1..).zip(values).fold(self, |call, (number, value)| call.with(&format!("{name}.{number}"), value))
    }

    fn tags(self, tags: &Tags) -> Self {
        (1..).zip(tags).fold(self, |call, (number, (key, value))| {
            call.with(&format!("Tag.{number}.Key"), key).with(&format!("Tag.{number}.Value"), value)
        })
    }

    /// A classic load balancer is in one zone, so only the other kinds must say which.
    fn resource(self, prefix: &str, key: &ResourceKey, of: ResourceKind) -> Self {
        let zone = (of != ResourceKind::Clb).then_some(&key.zone);
        self.balancer(prefix, &key.id, of).maybe(&format!("{prefix}ZoneId"), zone)
    }

    fn balancer(self, prefix: &str, id: &ResourceId, of: ResourceKind) -> Self {
        self.with(&format!("{prefix}ResourceId"), id).with(&format!("{prefix}ResourceType"), kind(of))
    }

    /// The vendor writes `ip` small, and everything beside it with a capital.
    fn interface(self, prefix: &str, subnet: &SubnetId, form: &InterfaceForm) -> Self {
        self.with(&format!("{prefix}VSwitchId"), subnet)
            .with(&format!("{prefix}ZoneId"), &form.zone)
            .maybe(&format!("{prefix}ip"), form.ip.as_ref())
            .maybe(&format!("{prefix}Ipv6Address"), form.ipv6.as_ref())
    }

    fn page(self, size: u32, after: &Page) -> Self {
        self.with("MaxResults", &size).maybe("NextToken", after.as_ref())
    }
}

/// The vendor names one thing in two ways: for tags, and for resource groups.
const fn tagged_as(sort: Sort) -> &'static str {
    match sort {
        Sort::Service => "vpcendpointservice",
        Sort::Endpoint => "vpcendpoint",
    }
}

const fn moved_as(sort: Sort) -> &'static str {
    match sort {
        Sort::Service => "VpcEndpointService",
        Sort::Endpoint => "VpcEndpoint",
    }
}

const fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Clb => "slb",
        ResourceKind::Alb => "alb",
        ResourceKind::Nlb => "nlb",
        ResourceKind::Gwlb => "gwlb",
    }
}

const fn replace_mode(mode: MigrationMode) -> &'static str {
    match mode {
        MigrationMode::Smooth => "Graceful",
        MigrationMode::Forced => "Force",
    }
}

const fn payer(payer: Payer) -> &'static str {
    match payer {
        Payer::Consumer => "Endpoint",
        Payer::Provider => "EndpointService",
    }
}

const fn family(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::V4 => "IPv4",
        AddressFamily::DualStack => "DualStack",
    }
}
