//! What tells two states apart, as one number; and a state in words.
//!
//! The world is hashed as it is; it has no clock. What a process remembers is hashed by its `Debug` text, so that no
//! field, private or new, can be forgotten; in that text each moment is replaced by what a planner can learn from it:
//!
//! - planners compare moments of calls, answers and refusals with each other and with those of reads, so of events the
//!   order counts, and of a read the events that it came after; reads are compared with each other in three places
//!   (a list and the object it shows, the list of principals and that of connections, an endpoint and its interfaces);
//! - they compare the age of a moment with constants, so its class counts: a refusal or a side that was told to close
//!   that has lost its meaning, a create call that has certainly ended, an object that is not young any more, patience
//!   that has ended. Whether a look is fresh need not be told: each turn begins when none is.
//! - how often a step was refused counts as once or more often.
//!
//! Moments of one process are never compared with those of another. Of statuses what planners read again is taken;
//! what is written for people (messages, counts, what was last seen of connections) leads to nothing.
//!
//! Two states of one key differ by how much a moment is older than another, and by nothing else. The states that are
//! explored keep their real moments: every run is a run of the shipped planners at times that can be, and no
//! counterexample is a false one. What is left out is other times of the same order and class.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use privatelink_core::moment::Moment;
use privatelink_core::status::{AssignmentStatus, Common, EndpointStatus, EntryStatus, ServiceStatus};

use privatelink_sim::world::Leg;

use crate::it::stage::tenants::Tenant;
use crate::it::stage::{Role, Stage};
use crate::play::{Play, Process};

/// Ages of what a status says since when, in milliseconds, at which a planner thinks otherwise: an object is not young
/// any more, patience ends.
const SAID: &[i64] = &[300_000, 3_600_000];
/// Ages of what is remembered at which it has lost its meaning: a side that was told to close, a refusal.
const REMEMBERED: &[i64] = &[120_000, 3_600_000];
/// The age of a create call at which it has certainly ended.
const SENT: &[i64] = &[60_000];

/// The number of a state, in parts: what a process remembers changes only when it does something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    provider: u64,
    consumer: u64,
}

impl Parts {
    /// What the process remembers is looked at again.
    pub fn renew(&mut self, play: &Play, process: Process) {
        let now = play.now();
        let mut hasher = DefaultHasher::new();
        match process {
            Process::Provider => {
                timed(&of_provider(play), now, REMEMBERED, true, &mut hasher);
                timed(&seen(play), now, &[], true, &mut hasher);
                let creating = play.tenants.service.status.service.creation.creating.as_ref();
                if let Some(creating) = creating {
                    let (stage, tries) = (&play.tenants.stage, &play.tenants.service.tries);
                    let text = format!("{:?}{:?}{:?}", creating.at, stage.started, tries.lost_create());
                    timed(&text, now, SENT, false, &mut hasher);
                }
                self.provider = hasher.finish();
            }
            Process::Consumer => {
                timed(&of_consumer(play), now, REMEMBERED, true, &mut hasher);
                if let Some(consumer) = &play.consumer
                    && let Some(creating) = &consumer.status.creation.creating
                {
                    let text = format!("{:?}{:?}{:?}", creating.at, consumer.started, consumer.tries.lost_create());
                    timed(&text, now, SENT, false, &mut hasher);
                }
                self.consumer = hasher.finish();
            }
        }
    }

    /// The number of all of it.
    pub fn together(self, play: &Play) -> u64 {
        let mut hasher = DefaultHasher::new();
        let world = play.world();
        (&world.services, &world.endpoints, &world.tokens, &world.accounts).hash(&mut hasher);
        if let Some(before) = &play.before {
            (&before.services, &before.endpoints).hash(&mut hasher);
        }
        (play.faults, &play.happened, play.wrong.is_some(), play.revoked.len()).hash(&mut hasher);
        (self.provider, self.consumer).hash(&mut hasher);
        timed(&written(play), play.now(), SAID, false, &mut hasher);
        timed(&format!("{:?}", play.stragglers), play.now(), SENT, false, &mut hasher);
        for flight in &play.flights {
            flight.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// Since when connections are known: those that came first go first.
fn seen(play: &Play) -> String {
    let mut text = String::new();
    for slot in play.tenants.entries.values() {
        for one in &slot.status.entry.connections {
            let _ = write!(text, "{:?}{:?}", one.endpoint, one.since);
        }
    }
    text
}

/// What the provider's process remembers.
fn of_provider(play: &Play) -> String {
    let mut text = String::with_capacity(1 << 14);
    tell(&mut text, &play.tenants.stage);
    let slots = std::iter::once(&play.tenants.service).chain(play.tenants.entries.values());
    for slot in slots.chain(play.tenants.zones.values()) {
        let _ = write!(text, "{:?}", slot.tries);
    }
    let _ = write!(text, "{:?}", play.tenants.service.status.service.creation);
    text
}

/// What the consumer's process remembers.
fn of_consumer(play: &Play) -> String {
    let mut text = String::with_capacity(1 << 13);
    if let Some(consumer) = &play.consumer {
        tell(&mut text, consumer);
        let _ = write!(text, "{:?}{:?}", consumer.tries, consumer.status.creation);
    }
    text
}

fn tell<R: Role>(text: &mut String, stage: &Stage<R>) {
    let snapshot = &stage.snapshot;
    for view in snapshot.services.values() {
        let (whole, list) = (view.service.at(), snapshot.listed_services.at());
        let _ = write!(text, "{:?}{:?}", whole.cmp(&list), view.connections.at().cmp(&view.principals.at()));
    }
    for view in snapshot.endpoints.values() {
        let (whole, list) = (view.endpoint.at(), snapshot.listed_endpoints.at());
        let _ = write!(text, "{:?}{:?}", whole.cmp(&list), view.interfaces.at().cmp(&whole));
    }
    let _ = write!(text, "{:?}{:?}", stage.snapshot, stage.overlay);
}

/// What is declared and what is written in Kubernetes.
fn written(play: &Play) -> String {
    let mut text = String::with_capacity(1 << 12);
    let service = &play.tenants.service;
    let _ = write!(text, "{}", service.released);
    declared(&mut text, &service.desired);
    of_service(&mut text, &service.status.service);
    for slot in play.tenants.entries.values() {
        declared(&mut text, &slot.desired);
        of_entry(&mut text, &slot.status.entry);
    }
    for slot in play.tenants.zones.values() {
        declared(&mut text, &slot.desired);
        of_assignment(&mut text, &slot.status.assignment);
    }
    if let Some(consumer) = &play.consumer {
        let desired = &consumer.desired;
        let _ = write!(text, "{}{}", consumer.released, desired.common.deleting);
        let _ = write!(text, "{}{:?}{:?}", desired.common.generation, desired.zones, desired.groups);
        of_endpoint(&mut text, &consumer.status);
    }
    text
}

fn declared(text: &mut String, one: &Tenant) {
    // What they are told of each other is computed for each turn.
    let _ = match one {
        Tenant::Service(service, _) => {
            let common = &service.common;
            write!(
                text,
                "{:?}",
                (common.generation, common.deleting, &common.tags, &service.resources, service.on_delete)
            )
        }
        Tenant::Assignment(one, _) => {
            write!(text, "{:?}", (one.generation, one.deleting, &one.resource, one.connected, &one.drain_approved))
        }
        Tenant::Entry(entry, _) => {
            write!(text, "{:?}", (entry.generation, entry.deleting, entry.asked, entry.paused, &entry.policy))
        }
    };
}

fn of_service(text: &mut String, status: &ServiceStatus) {
    common(text, &status.common);
    let _ = write!(text, "{:?}{:?}", status.service_id, status.state);
    for one in &status.leaving {
        let _ = write!(text, "{:?}{:?}", one.resource, one.in_flight);
    }
}

fn of_assignment(text: &mut String, status: &AssignmentStatus) {
    common(text, &status.common);
    let _ = write!(text, "{:?}{:?}{:?}{:?}", status.state, status.claim, status.current, status.replaced);
    if let Some(one) = &status.migration {
        let _ = write!(text, "{:?}{:?}{:?}{:?}{:?}", one.from, one.to, one.migrated_at, one.drain_until, one.outcome);
    }
}

fn of_entry(text: &mut String, status: &EntryStatus) {
    common(text, &status.common);
    let _ = write!(text, "{:?}{:?}{:?}", status.allowed, status.claim, status.reconnect);
}

fn of_endpoint(text: &mut String, status: &EndpointStatus) {
    common(text, &status.common);
    let _ = write!(text, "{:?}{:?}{:?}{:?}", status.endpoint_id, status.state, status.connection, status.domain);
}

fn common(text: &mut String, common: &Common) {
    for one in &common.conditions {
        let _ = write!(text, "{:?}", (one.condition, one.truth, one.reason, one.generation, one.since));
    }
    let _ = write!(text, "{}{:?}", common.observed_generation, common.declared_fields);
}

const MOMENT: &str = "Moment(";
/// What stands before the moment of a read.
const READ: &str = "Seen { at: ";
const ATTEMPTS: &str = "attempts: ";

/// Hashes a text with its moments as ages; how often a step was refused counts as once or more often.
///
/// Of calls and refusals the order counts, and of reads which of them they came after.
fn timed(text: &str, now: Moment, ages: &[i64], ordered: bool, hasher: &mut DefaultHasher) {
    let is_read = |at: usize| text[..at].ends_with(READ);
    let mut events = BTreeSet::new();
    if ordered {
        let found = text.match_indices(MOMENT).filter(|(at, _)| !is_read(*at));
        events.extend(found.map(|(at, _)| number(&text[at + MOMENT.len()..]).0));
    }
    let mut from = 0;
    for (at, _) in text.match_indices(MOMENT) {
        let begin = at + MOMENT.len();
        counted(&text[from..begin], hasher);
        let (moment, length) = number(&text[begin..]);
        let age = ages.iter().filter(|age| now.0.saturating_sub(moment) >= **age).count();
        (age, moment > now.0, events.range(moment..).count(), events.contains(&moment)).hash(hasher);
        from = begin + length;
    }
    counted(&text[from..], hasher);
}

fn counted(text: &str, hasher: &mut DefaultHasher) {
    let mut rest = text;
    while let Some(at) = rest.find(ATTEMPTS) {
        let (before, after) = rest.split_at(at + ATTEMPTS.len());
        hasher.write(before.as_bytes());
        let (attempts, length) = number(after);
        hasher.write_i64(attempts.min(2));
        rest = &after[length..];
    }
    hasher.write(rest.as_bytes());
}

/// The number at the beginning of a text, and how long it is.
fn number(text: &str) -> (i64, usize) {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count();
    (text[..length].parse().unwrap_or_default(), length)
}

/// A state in words: what is in the cloud, and what each object says.
pub fn told(play: &Play) -> String {
    let mut text = String::new();
    let world = play.world();
    for service in world.services.values() {
        let resources: Vec<_> = service
            .resources
            .keys()
            .map(|(id, _)| world.land.balancer(*id).map(|one| one.name.as_str()).unwrap_or_default())
            .collect();
        let _ = writeln!(
            text,
            "  cloud: service {} {:?}, attached {resources:?}, listed {:?}",
            service.id.number, service.status, service.principals
        );
    }
    for endpoint in world.endpoints.values() {
        let side = |id| world.land.balancer(id).map(|one| one.name.as_str());
        let shown =
            |leg: &Leg| (leg.status, leg.resource.and_then(side), leg.replaced.and_then(|one| side(one.resource)));
        let legs: Vec<_> = endpoint.zones.values().map(shown).collect();
        let _ = writeln!(
            text,
            "  cloud: endpoint {} of {} {:?}, connection {:?}, zones {legs:?}, groups {:?}",
            endpoint.id.number, endpoint.owner.0, endpoint.status, endpoint.connection.status, endpoint.groups
        );
    }
    let said = |common: &Common| -> String {
        let told = common
            .conditions
            .iter()
            .map(|one| format!("{:?}={:?} {:?} ({})", one.condition, one.truth, one.reason, one.message));
        told.collect::<Vec<_>>().join("; ")
    };
    let service = &play.tenants.service;
    let _ = writeln!(
        text,
        "  service{}: {}",
        if service.released { " (gone)" } else { "" },
        said(&service.status.service.common)
    );
    for (name, slot) in &play.tenants.entries {
        let _ = writeln!(text, "  entry {name}: {}", said(&slot.status.entry.common));
    }
    for (name, slot) in &play.tenants.zones {
        let _ = writeln!(text, "  assignment {name}: {}", said(&slot.status.assignment.common));
    }
    if let Some(consumer) = &play.consumer {
        let _ = writeln!(
            text,
            "  endpoint{}: {}",
            if consumer.released { " (gone)" } else { "" },
            said(&consumer.status.common)
        );
    }
    for flight in &play.flights {
        let _ =
            writeln!(text, "  on its way: {} of {} for {:?}", flight.step.verb(), flight.step.subject(), flight.who);
    }
    text
}
