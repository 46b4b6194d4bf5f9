//! Client tokens. A create carries one that is derived from what is created, so that whoever repeats it,
//! even after a crash, repeats the token; every other write has one that is new for each decision.

use sha2::{Digest, Sha256};

use crate::observed::Payer;
use crate::step::ServiceForm;

/// Longest token that is sent; the vendor documents no limit.
const LENGTH: usize = 64;

/// What a form says, in 16 hexadecimal digits: two forms that differ have different ones.
#[must_use]
pub fn form_hash(form: &ServiceForm) -> String {
    let mut digest = Sha256::new();
    let mut part = |name: &str, value: &str| {
        // Lengths keep the parts apart, whatever is in them.
        digest.update(format!("{name}={}:{value};", value.len()));
    };
    part("kind", form.kind.as_str());
    for key in &form.resources {
        part("resource", key.id.as_str());
        part("zone", key.zone.as_str());
    }
    part("description", form.description.as_deref().unwrap_or_default());
    part("auto_accept", if form.auto_accept { "true" } else { "false" });
    part(
        "payer",
        match form.payer {
            None => "",
            Some(Payer::Consumer) => "consumer",
            Some(Payer::Provider) => "provider",
        },
    );
    part("zone_affinity", form.zone_affinity.map_or("", |on| if on { "true" } else { "false" }));
    part("family", &form.family.map(|family| format!("{family:?}")).unwrap_or_default());
    for region in &form.regions {
        part("region", region.as_str());
    }
    part("resource_group", form.resource_group.as_deref().unwrap_or_default());
    for (key, value) in &form.tags {
        part("tag", key);
        part("value", value);
    }
    hex(&digest.finalize(), 16)
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
