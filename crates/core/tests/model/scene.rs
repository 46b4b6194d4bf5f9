//! What is played: who is there at first, what people and other hands may do, and what is to be there in the end.

mod claim;
mod connection;
mod endpoint;
mod migration;
mod pair;
mod service;
mod teardown;

use privatelink_sim::world::call::{ConnectionKey, ObjectId};
use privatelink_sim::world::{Call, Progress, Variants, advance};

use crate::it::stage::{HOMES, PROVIDER, Tenants};
use crate::play::Play;

pub use claim::TWO_ENTRIES;
pub use connection::{BOTH_SIDES, ONE_CONNECTION};
pub use endpoint::ENDPOINT;
pub use migration::{ASSIGNMENT, EVACUATION, FORCED, MIGRATION};
pub use pair::TWO_CONNECTIONS;
pub use service::SERVICE;
pub use teardown::TEARDOWN;

/// Something that people or other hands do, at most once in a run.
#[derive(Clone, Copy)]
pub struct Happening {
    /// In words.
    pub words: &'static str,
    /// Does it; says whether it could be done.
    pub act: fn(&mut Play) -> bool,
}

/// One scene.
#[derive(Clone, Copy)]
pub struct Scene {
    pub name: &'static str,
    /// Who is there at first.
    pub start: fn(Variants) -> Play,
    pub happenings: &'static [Happening],
    /// As much of it as takes seconds.
    pub brief: Extent,
    /// As much as is played in every other world that it may hang on.
    pub worlds: Extent,
    /// All of it: each of these is explored, to its end.
    pub whole: &'static [Extent],
    /// All is as declared, or waits for others, who are named.
    pub settled: fn(&Play) -> Result<(), String>,
}

impl Scene {
    /// Every happening, with as many faults as where seconds count.
    pub const fn with_all(&self) -> Extent {
        Extent { happenings: self.happenings.len(), ..self.brief }
    }
}

/// How much of a scene is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many of its happenings may happen, from the first on.
    pub happenings: usize,
    /// Faults in one run: lost calls and answers, answers that take their time, deaths of processes, reads that show
    /// what was, sweeps at odd times, long pauses.
    pub faults: u8,
}

const fn up_to(happenings: usize, faults: u8) -> Extent {
    Extent { happenings, faults }
}

/// The object of an entry is deleted.
fn delete_entry(play: &mut Play, name: &str) -> bool {
    let there = play.tenants.entries.contains_key(name);
    play.tenants.touch(name, |entry| entry.deleting = true);
    there
}

fn delete_tenant(play: &mut Play) -> bool {
    delete_entry(play, "tenant")
}

fn delete_service(play: &mut Play) -> bool {
    let there = !play.tenants.service.released;
    play.tenants.edit_service(|service| service.common.deleting = true);
    there
}

fn delete_endpoint(play: &mut Play) -> bool {
    let Some(consumer) = play.consumer.as_mut().filter(|one| !one.released) else { return false };
    consumer.desired.common.deleting = true;
    true
}

/// The connection of the tenant of this home.
fn key_of(tenants: &Tenants, home: usize) -> Option<ConnectionKey> {
    let (actor, vpc) = HOMES[home];
    let vpc = tenants.stage.world.land.vpc_named(vpc);
    let mut all = tenants.stage.world.endpoints.values();
    let found = all.find(|one| one.owner == actor.account && one.vpc == vpc)?;
    Some(ConnectionKey { service: found.service, endpoint: found.id })
}

/// Somebody at the provider does by hand; the cloud may refuse.
fn by_hand(play: &mut Play, call: Call) -> bool {
    play.tenants.stage.elsewhere(PROVIDER, call).is_ok()
}

/// The tenant of this home makes an endpoint in zone f.
fn join(play: &mut Play, home: usize) -> bool {
    key_of(&play.tenants, home).is_none() && play.tenants.try_join(home, &[0]).is_some()
}

/// The tenant of this home deletes its endpoint, interfaces first.
fn leave(play: &mut Play, home: usize) -> bool {
    let Some(key) = key_of(&play.tenants, home) else { return false };
    let actor = HOMES[home].0;
    let zones: Vec<_> = play.tenants.connection(key).zones.keys().copied().collect();
    let mut tenants = play.tenants.clone();
    for zone in zones {
        if tenants.stage.elsewhere(actor, Call::RemoveZone(key.endpoint, zone)).is_err() {
            return false;
        }
        while let Some(due) = Progress::of(&tenants.stage.world, ObjectId::Endpoint(key.endpoint)).first() {
            tenants.stage.world = advance(&tenants.stage.world, *due);
        }
    }
    let gone = tenants.stage.elsewhere(actor, Call::DeleteEndpoint(key.endpoint)).is_ok();
    if gone {
        play.tenants = tenants;
    }
    gone
}
