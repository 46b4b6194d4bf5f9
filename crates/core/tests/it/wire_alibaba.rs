//! Alibaba's wire: what is sent fits the vendor's description, what is answered is understood, and every code has
//! its class.

mod answers;
mod codes;
mod dialect;
mod refusals;
mod requests;

use std::collections::BTreeMap;

use privatelink_core::id::Region;
use privatelink_core::observed::{AddressFamily, Payer, ResourceKey, ResourceKind};
use privatelink_core::read::Read;
use privatelink_core::step::{ServiceChange, ServiceForm, Step};
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
        Step::RejectConnection(id(), "ep-1".into()),
        Step::Tag(id().into(), full_form(ResourceKind::Nlb).tags),
        Step::Untag(id().into(), ["owner".to_owned(), "empty".to_owned()].into()),
        Step::Move(id().into(), "rg-1".into()),
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
    steps
}

/// Every read there is: first pages and later ones.
fn reads() -> Vec<Read> {
    let mut reads = vec![Read::CallerIdentity, Read::Service("epsrv-1".into())];
    for page in [None, Some("a/b+c==".to_owned())] {
        reads.extend([
            Read::Services(page.clone()),
            Read::Resources("epsrv-1".into(), page.clone()),
            Read::Connections("epsrv-1".into(), page),
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
