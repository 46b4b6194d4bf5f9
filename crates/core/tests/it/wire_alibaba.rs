//! Alibaba's wire: what is sent fits the vendor's description, what is answered is understood, and every code has
//! its class.

mod actions;
mod answers;
mod answers_of_endpoints;
mod codes;
mod dialect;
mod dialect_of_connections;
mod dialect_of_endpoints;
mod dialect_of_zones;
mod product;
mod refusals;
mod requests;

use std::collections::BTreeMap;

use privatelink_core::id::{CloudId, EndpointId, Region, ServiceId};
use privatelink_core::observed::{AddressFamily, EndpointKind, Payer, ResourceKey, ResourceKind, TrafficControl};
use privatelink_core::read::Read;
use privatelink_core::step::{
    EndpointChange, EndpointForm, InterfaceForm, MigrationMode, Replacement, ServiceChange, ServiceForm, Step, Traffic,
};
use privatelink_core::wire::alibaba::{Unsigned, encode};
use serde_json::Value;

const TOKEN: &str = "0123456789abcdef";

/// The vendor's description of the product, and of the token service.
fn descriptions() -> BTreeMap<&'static str, Value> {
    [
        ("privatelink", include_str!("../../../sim/data/alibaba-privatelink.json")),
        ("sts", include_str!("../../../sim/data/alibaba-sts.json")),
    ]
    .map(|(product, text)| (product, serde_json::from_str(text).expect("JSON")))
    .into()
}

fn region() -> Region {
    Region::from("cn-hangzhou")
}

fn key(id: &str, zone: &str) -> ResourceKey {
    ResourceKey { id: id.into(), zone: zone.into() }
}

/// A form that says all there is to say.
fn full_form(kind: ResourceKind) -> ServiceForm {
    ServiceForm {
        kind,
        resources: [key("x-1", "cn-hangzhou-f"), key("x-2", "cn-hangzhou-g")].into(),
        description: Some("of all".into()),
        auto_accept: true,
        payer: Some(Payer::Provider),
        zone_affinity: Some(true),
        family: Some(AddressFamily::DualStack),
        regions: ["cn-shanghai".into(), "cn-beijing".into()].into(),
        resource_group: Some("rg-1".into()),
        tags: [("owner".to_owned(), "team a".to_owned()), ("empty".to_owned(), String::new())].into(),
    }
}

/// A form that leaves open what may be left open.
fn bare_form(kind: ResourceKind) -> ServiceForm {
    ServiceForm {
        kind,
        resources: [].into(),
        description: None,
        auto_accept: false,
        payer: None,
        zone_affinity: None,
        family: None,
        regions: [].into(),
        resource_group: None,
        tags: [].into(),
    }
}

/// An endpoint's form that says all there is to say.
fn full_endpoint_form(kind: EndpointKind) -> EndpointForm {
    EndpointForm {
        kind,
        service: Some("epsrv-1".into()),
        service_name: Some("com.aliyuncs.privatelink.cn-shanghai.epsrv-1".into()),
        service_region: Some("cn-shanghai".into()),
        vpc: "vpc-1".into(),
        zones: [
            ("vsw-1".into(), interface("cn-hangzhou-f")),
            ("vsw-2".into(), InterfaceForm { ip: None, ipv6: None, ..interface("cn-hangzhou-g") }),
        ]
        .into(),
        groups: ["sg-1".into(), "sg-2".into()].into(),
        name: Some("db".into()),
        description: Some("of all".into()),
        family: Some(AddressFamily::DualStack),
        zone_affinity: Some(true),
        policy: Some(r#"{"Version":"1"}"#.into()),
        protected: Some(true),
        cross_region_bandwidth_mbps: Some(200),
        resource_group: Some("rg-1".into()),
        tags: [("owner".to_owned(), "team a".to_owned()), ("empty".to_owned(), String::new())].into(),
    }
}

/// An endpoint's form that leaves open what may be left open.
fn bare_endpoint_form() -> EndpointForm {
    EndpointForm {
        kind: EndpointKind::Interface,
        service: Some("epsrv-1".into()),
        service_name: None,
        service_region: None,
        vpc: "vpc-1".into(),
        zones: [].into(),
        groups: [].into(),
        name: None,
        description: None,
        family: None,
        zone_affinity: None,
        policy: None,
        protected: None,
        cross_region_bandwidth_mbps: None,
        resource_group: None,
        tags: [].into(),
    }
}

/// An interface with addresses of its own.
fn interface(zone: &str) -> InterfaceForm {
    let ip = Some("10.0.0.9".parse().expect("an address"));
    InterfaceForm { zone: zone.into(), ip, ipv6: Some("2408::9".parse().expect("an address")) }
}

const KINDS: [ResourceKind; 4] = [ResourceKind::Clb, ResourceKind::Alb, ResourceKind::Nlb, ResourceKind::Gwlb];

/// Every step there is, with everything and with nothing that is optional.
fn steps() -> Vec<Step> {
    let id = || "epsrv-1".into();
    let of = || key("x-1", "cn-hangzhou-f");
    let full = ServiceChange {
        description: Some("of all".into()),
        auto_accept: Some(false),
        zone_affinity: Some(true),
        default_bandwidth_mbps: Some(1024),
        family: Some(AddressFamily::V4),
        open_regions: ["cn-shanghai".into(), "cn-beijing".into()].into(),
        close_regions: ["cn-chengdu".into()].into(),
    };
    let mut steps = vec![
        Step::OpenProduct,
        Step::UpdateService(id(), full),
        Step::UpdateService(id(), ServiceChange::default()),
        Step::DeleteService(id()),
        Step::SetAutoAllocate(id(), of(), true),
        Step::SetAutoAllocate(id(), of(), false),
        Step::Tag(service("epsrv-1"), full_form(ResourceKind::Nlb).tags),
        Step::Untag(service("epsrv-1"), ["owner".to_owned(), "empty".to_owned()].into()),
        Step::Move(service("epsrv-1"), "rg-1".into()),
    ];
    for kind in KINDS {
        steps.extend([
            Step::CreateService(ServiceForm { payer: Some(Payer::Consumer), ..full_form(kind) }),
            Step::CreateService(full_form(kind)),
            Step::CreateService(bare_form(kind)),
            Step::AttachResource(id(), of(), kind),
            Step::DetachResource(id(), of(), kind),
        ]);
    }
    steps.extend(steps_of_connections());
    steps.extend(steps_of_endpoints());
    steps
}

/// What a provider does with principals and connections.
fn steps_of_connections() -> Vec<Step> {
    let (id, of) = (|| "epsrv-1".into(), || "ep-1".into());
    let zone = || "cn-hangzhou-f".into();
    let limited = Traffic { bandwidth_mbps: Some(200), control: Some(TrafficControl::Limited) };
    let elastic = Traffic { bandwidth_mbps: None, control: Some(TrafficControl::Elastic) };
    let mut steps = vec![Step::RejectConnection(id(), of())];
    for principal in ["1234567890123456", "acs:ram:*:1234567890123456", "*"] {
        steps.push(Step::AllowPrincipal(id(), principal.into()));
        steps.push(Step::DisallowPrincipal(id(), principal.into()));
    }
    for traffic in [limited, elastic, Traffic::default()] {
        steps.push(Step::AcceptConnection(id(), of(), traffic));
        steps.push(Step::SetTraffic(id(), of(), traffic));
    }
    steps.push(Step::PickResource(id(), of(), zone()));
    for kind in [ResourceKind::Clb, ResourceKind::Alb] {
        steps.push(Step::AssignResource(id(), of(), zone(), "x-1".into(), kind));
        for mode in [MigrationMode::Smooth, MigrationMode::Forced] {
            steps.push(Step::ReplaceResource(id(), of(), zone(), Replacement { to: "x-1".into(), kind, mode }));
        }
    }
    steps.push(Step::CloseReplaced(id(), of(), zone()));
    steps.push(Step::ConnectZone(id(), of(), zone()));
    steps.push(Step::DisconnectZone(id(), of(), zone()));
    steps
}

fn steps_of_endpoints() -> Vec<Step> {
    let id = || "ep-1".into();
    let open = InterfaceForm { ip: None, ipv6: None, ..interface("cn-hangzhou-f") };
    let full = EndpointChange {
        name: Some("db".into()),
        description: Some("of all".into()),
        family: Some(AddressFamily::DualStack),
        zone_affinity: Some(false),
        policy: Some("{}".into()),
        reset_policy: false,
        cross_region_bandwidth_mbps: Some(100),
    };
    vec![
        Step::CreateEndpoint(full_endpoint_form(EndpointKind::Interface)),
        Step::CreateEndpoint(full_endpoint_form(EndpointKind::GatewayLoadBalancer)),
        Step::CreateEndpoint(full_endpoint_form(EndpointKind::Reverse)),
        Step::CreateEndpoint(bare_endpoint_form()),
        Step::UpdateEndpoint(id(), full),
        Step::UpdateEndpoint(id(), EndpointChange { reset_policy: true, ..EndpointChange::default() }),
        Step::UpdateEndpoint(id(), EndpointChange::default()),
        Step::DeleteEndpoint(id()),
        Step::AddZone(id(), "vsw-1".into(), interface("cn-hangzhou-f")),
        Step::AddZone(id(), "vsw-1".into(), open),
        Step::RemoveZone(id(), "vsw-1".into(), "cn-hangzhou-f".into()),
        Step::AttachSecurityGroup(id(), "sg-1".into()),
        Step::DetachSecurityGroup(id(), "sg-1".into()),
        Step::Tag(endpoint("ep-1"), full_form(ResourceKind::Nlb).tags),
        Step::Untag(endpoint("ep-1"), ["owner".to_owned(), "empty".to_owned()].into()),
        Step::Move(endpoint("ep-1"), "rg-1".into()),
    ]
}

fn service(id: &str) -> CloudId {
    ServiceId::from(id).into()
}

fn endpoint(id: &str) -> CloudId {
    EndpointId::from(id).into()
}

/// Every read there is: first pages and later ones.
fn reads() -> Vec<Read> {
    let mut reads =
        vec![Read::CallerIdentity, Read::Product, Read::Service("epsrv-1".into()), Read::Endpoint("ep-1".into())];
    for page in [None, Some("a/b+c==".to_owned())] {
        reads.extend([
            Read::Services(page.clone()),
            Read::Resources("epsrv-1".into(), page.clone()),
            Read::Connections("epsrv-1".into(), page.clone()),
            Read::Principals("epsrv-1".into(), page.as_ref().map(|token| format!("Users:{token}"))),
            Read::Principals("epsrv-1".into(), Some(format!("UserARNs:{}", page.as_deref().unwrap_or_default()))),
            Read::Endpoints(page.clone()),
            Read::Interfaces("ep-1".into(), page.clone()),
            Read::Groups("ep-1".into(), page),
        ]);
    }
    reads
}

/// Every call that can be made.
fn calls() -> Vec<Unsigned> {
    let steps = steps();
    let writes = steps.iter().map(|step| encode::step(step, &region(), TOKEN));
    writes.chain(reads().iter().map(|read| encode::read(read, &region()))).collect()
}
