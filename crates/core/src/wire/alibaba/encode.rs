//! Steps and reads as calls: parameters by the names of the vendor's description, flattened.
//!
//! What a step leaves open is not sent, so that the cloud's own default holds.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Product, Unsigned};
use crate::id::{Region, ServiceId};
use crate::observed::{AddressFamily, Payer, ResourceKey, ResourceKind, Tags};
use crate::read::{Page, Read};
use crate::step::{ServiceChange, ServiceForm, Step};

/// Largest documented page of services and of connections.
const PAGE: u32 = 1_000;
/// Largest documented page of a service's resources.
const PAGE_OF_RESOURCES: u32 = 50;

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
        Step::RejectConnection(id, endpoint) => {
            write("DisableVpcEndpointConnection", id, region, token).with("EndpointId", endpoint)
        }
        Step::TagService(id, tags) => form("TagResources", id, region, token).tags(tags),
        Step::UntagService(id, keys) => form("UntagResources", id, region, token).list("TagKey", keys),
        Step::MoveService(id, group) => call("ChangeResourceGroup", region)
            .with("ResourceId", id)
            .with("ResourceType", "VpcEndpointService")
            .with("ResourceGroupId", group),
    }
}

/// The call that a read is.
#[must_use]
pub fn read(read: &Read, region: &Region) -> Unsigned {
    match read {
        Read::CallerIdentity => Unsigned {
            product: Product::Sts,
            host: host(Product::Sts, region),
            action: "GetCallerIdentity",
            version: Product::Sts.version(),
            parameters: BTreeMap::new(),
            form: false,
        },
        Read::Services(page) => regional("ListVpcEndpointServices", region).page(PAGE, page),
        Read::Service(id) => regional("GetVpcEndpointServiceAttribute", region).with("ServiceId", id),
        Read::Resources(id, page) => {
            regional("ListVpcEndpointServiceResources", region).with("ServiceId", id).page(PAGE_OF_RESOURCES, page)
        }
        Read::Connections(id, page) => {
            regional("ListVpcEndpointConnections", region).with("ServiceId", id).page(PAGE, page)
        }
    }
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

fn host(product: Product, region: &Region) -> String {
    format!("{}.{region}.aliyuncs.com", product.as_str())
}

fn call(action: &'static str, region: &Region) -> Unsigned {
    let product = Product::PrivateLink;
    Unsigned {
        product,
        host: host(product, region),
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

fn form(action: &'static str, id: &ServiceId, region: &Region, token: &str) -> Unsigned {
    let call = regional(action, region)
        .with("ResourceType", "vpcendpointservice")
        .with("ResourceId.1", id.as_str())
        .with("ClientToken", token);
    Unsigned { form: true, ..call }
}

impl Unsigned {
    fn with(mut self, name: &str, value: &(impl Display + ?Sized)) -> Self {
        self.parameters.insert(name.to_owned(), value.to_string());
        self
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
        self.with(&format!("{prefix}ResourceId"), &key.id)
            .with(&format!("{prefix}ResourceType"), kind(of))
            .maybe(&format!("{prefix}ZoneId"), zone)
    }

    fn page(self, size: u32, after: &Page) -> Self {
        self.with("MaxResults", &size).maybe("NextToken", after.as_ref())
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
