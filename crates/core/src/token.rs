//! Client tokens. A create carries one that is derived from what is created, so that whoever repeats it,
//! even after a crash, repeats the token; every other write has one that is new for each decision.

use sha2::{Digest, Sha256};

use crate::observed::{AddressFamily, Payer, Tags};
use crate::step::{EndpointForm, ServiceForm};

/// Longest token that is sent; the vendor documents no limit.
const LENGTH: usize = 64;

/// The parts of a form, one after the other.
struct Parts(Sha256);

impl Parts {
    fn new() -> Self {
        Self(Sha256::new())
    }

    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = value.to_string();
        // Lengths keep the parts apart, whatever is in them.
        self.0.update(format!("{name}={}:{value};", value.len()));
    }

    fn maybe(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.add(name, value),
            None => self.add(name, ""),
        }
    }

    fn tags(&mut self, tags: &Tags) {
        for (key, value) in tags {
            self.add("tag", key);
            self.add("value", value);
        }
    }

    fn hash(self) -> String {
        hex(&self.0.finalize(), 16)
    }
}

/// What a form says, in 16 hexadecimal digits: two forms that differ have different ones.
#[must_use]
pub fn service_form_hash(form: &ServiceForm) -> String {
    let mut parts = Parts::new();
    parts.add("kind", form.kind.as_str());
    for key in &form.resources {
        parts.add("resource", &key.id);
        parts.add("zone", &key.zone);
    }
    parts.maybe("description", form.description.as_ref());
    parts.add("auto_accept", form.auto_accept);
    let payer = form.payer.map(|payer| match payer {
        Payer::Consumer => "consumer",
        Payer::Provider => "provider",
    });
    parts.maybe("payer", payer);
    parts.maybe("zone_affinity", form.zone_affinity);
    parts.maybe("family", form.family.map(family));
    for region in &form.regions {
        parts.add("region", region);
    }
    parts.maybe("resource_group", form.resource_group.as_ref());
    parts.tags(&form.tags);
    parts.hash()
}

/// What a form says, in 16 hexadecimal digits: two forms that differ have different ones.
#[must_use]
pub fn endpoint_form_hash(form: &EndpointForm) -> String {
    let mut parts = Parts::new();
    parts.add("kind", form.kind.as_str());
    parts.maybe("service", form.service.as_ref());
    parts.maybe("service_name", form.service_name.as_ref());
    parts.maybe("service_region", form.service_region.as_ref());
    parts.add("vpc", &form.vpc);
    for (subnet, zone) in &form.zones {
        parts.add("subnet", subnet);
        parts.add("zone", &zone.zone);
        parts.maybe("ip", zone.ip);
        parts.maybe("ipv6", zone.ipv6);
    }
    for group in &form.groups {
        parts.add("group", group);
    }
    parts.maybe("name", form.name.as_ref());
    parts.maybe("description", form.description.as_ref());
    parts.maybe("family", form.family.map(family));
    parts.maybe("zone_affinity", form.zone_affinity);
    parts.maybe("policy", form.policy.as_ref());
    parts.maybe("protected", form.protected);
    parts.maybe("cross_region_bandwidth", form.cross_region_bandwidth_mbps);
    parts.maybe("resource_group", form.resource_group.as_ref());
    parts.tags(&form.tags);
    parts.hash()
}

const fn family(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::V4 => "V4",
        AddressFamily::DualStack => "DualStack",
    }
}

/// The token of a create: the same for the same object, incarnation and form, and for nothing else.
#[must_use]
pub fn create_token(kind: &str, uid: &str, incarnation: u32, form: &str) -> String {
    let mut digest = Sha256::new();
    for part in [kind, uid, &incarnation.to_string(), form] {
        digest.update(format!("{}:{part};", part.len()));
    }
    hex(&digest.finalize(), LENGTH)
}

fn hex(bytes: &[u8], digits: usize) -> String {
    let all: String = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).map(digit).collect();
    all.chars().take(digits).collect()
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}
