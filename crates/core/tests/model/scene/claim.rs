//! Two entries that claim one principal, in two forms.

use privatelink_core::desired::{OnDelete, Revocation};
use privatelink_sim::world::Variants;

use super::{Happening, Scene, delete_entry, delete_tenant, join, up_to};
use crate::it::stage::{Tenants, entry};
use crate::play::Play;
use crate::rest;

pub const TWO_ENTRIES: Scene = Scene {
    name: "two entries, one principal",
    start,
    happenings: &[
        Happening { words: "the tenant makes an endpoint", act: |play| join(play, 0) },
        Happening { words: "the first entry is deleted", act: delete_tenant },
        Happening { words: "the second entry is deleted", act: |play| delete_entry(play, "second") },
    ],
    brief: up_to(3, 0),
    worlds: up_to(3, 0),
    whole: &[up_to(3, 0), up_to(1, 1)],
    settled: rest::as_declared,
};

fn start(variants: Variants) -> Play {
    let mut tenants = Tenants::with(variants);
    tenants.edit_service(|service| {
        service.resources.retain(|key, _| key.id.as_str() == "lb-hot");
        service.on_delete = OnDelete::Reject;
    });
    tenants.rest();
    for (name, principal) in [("tenant", "2"), ("second", "acs:ram:*:2")] {
        let mut one = entry(principal);
        one.revocation = Revocation::Disconnect;
        tenants.add(name, one);
    }
    Play::new(tenants, None)
}
