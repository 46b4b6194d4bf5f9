//! What is decided on the zone, in each state that it and its connection can be in, and why.

use crate::condition::Reason;
use crate::error::Meaning;
use crate::id::ResourceId;
use crate::moment::Moment;
use crate::observed::{Connection, ResourceKind, ZoneLeg};
use crate::plan::assignment::course::{self, Course, Drain};
use crate::plan::assignment::{Scene, hurdle};
use crate::plan::outcome::Stand;
use crate::plan::parent;
use crate::state::{ConnectionState, MigrationOutcome, ZoneState};
use crate::status::Migration;
use crate::step::{MigrationMode, Replacement, Step};

/// How long a migration that the cloud has ended on the old load balancer is not tried again.
const AFTER_FAILURE: std::time::Duration = std::time::Duration::from_mins(15);

/// What was decided on the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) stand: Stand,
    /// What it is that is not as declared, where the stand says nothing of it.
    pub(crate) reason: Reason,
    /// Why, for a person.
    pub(crate) why: String,
    /// Until when nothing is to be done.
    pub(crate) until: Option<Moment>,
    /// A migration that has to be written down before the call is made.
    pub(crate) begins: Option<Migration>,
}

impl Verdict {
    fn new(stand: Stand, reason: Reason, why: impl Into<String>) -> Self {
        Self { stand, reason, why: why.into(), until: None, begins: None }
    }

    fn settled(why: impl Into<String>) -> Self {
        Self::new(Stand::Settled, Reason::Ready, why)
    }

    fn moves(reason: Reason, why: impl Into<String>) -> Self {
        Self::new(Stand::Moves, reason, why)
    }

    fn needs(step: Step, reason: Reason, why: impl Into<String>) -> Self {
        Self::new(Stand::needs(step), reason, why)
    }

    fn waits(reason: Reason, why: impl Into<String>) -> Self {
        Self::new(Stand::Waits(reason), reason, why)
    }

    fn person(reason: Reason, why: impl Into<String>) -> Self {
        Self::new(Stand::Person(reason), reason, why)
    }

    fn hindered((stand, why): hurdle::Hurdle) -> Self {
        let reason = match stand {
            Stand::Waits(reason) | Stand::Person(reason) => reason,
            _ => Reason::Provisioning,
        };
        Self::new(stand, reason, why)
    }
}

/// What is decided on the zone.
pub(crate) fn on(scene: &Scene<'_>, course: &Course) -> Verdict {
    let verdict = decided(scene, course);
    let waits = matches!(&verdict.stand, Stand::Needs(step) if takes_away(step));
    if !waits || !parent::is_unapproved(scene.parent, scene.service) {
        return verdict;
    }
    let why = format!(
        "{} is being adopted: no zone is cut or moved by force, and no replaced side closed, before its EndpointService has taken it over, and its Ready condition says what that waits for",
        scene.parent.id
    );
    Verdict::waits(Reason::AdoptionApprovalNeeded, why)
}

/// The call ends traffic.
const fn takes_away(step: &Step) -> bool {
    match step {
        Step::DisconnectZone(..) | Step::CloseReplaced(..) => true,
        Step::ReplaceResource(_, _, _, replacement) => matches!(replacement.mode, MigrationMode::Forced),
        _ => false,
    }
}

fn decided(scene: &Scene<'_>, course: &Course) -> Verdict {
    let (endpoint, zone, id) = (scene.endpoint, &scene.input.desired.zone, &scene.parent.id);
    let Some(one) = scene.connection() else {
        return Verdict::waits(Reason::WaitingForConsumer, format!("{endpoint} has no connection to {id}"));
    };
    if scene.unconfirmed().is_some() {
        let reason = if course.open.is_some() { Reason::Migrating } else { Reason::Provisioning };
        return Verdict::moves(reason, format!("what was done to {zone} of {endpoint} is being confirmed"));
    }
    let Some(leg) = one.zones.get(zone) else {
        return Verdict::waits(Reason::WaitingForConsumer, format!("{endpoint} has no interface in {zone}"));
    };
    match &one.state {
        ConnectionState::Connected => connected(scene, course, leg),
        ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting => {
            Verdict::moves(Reason::Provisioning, format!("the cloud is changing the connection of {endpoint}"))
        }
        ConnectionState::AwaitingAcceptance | ConnectionState::Disconnected | ConnectionState::Rejected => {
            disconnected(scene, one, leg)
        }
        ConnectionState::Deleting => {
            Verdict::waits(Reason::WaitingForConsumer, format!("the consumer deletes {endpoint}"))
        }
        ConnectionState::ServiceDeleted | ConnectionState::Failed | ConnectionState::Expired => Verdict::waits(
            Reason::WaitingForConsumer,
            format!("the connection of {endpoint} is {}: the consumer has to make its endpoint again", one.state),
        ),
        ConnectionState::Unknown(word) => Verdict::waits(
            Reason::UnexpectedError,
            format!("the connection of {endpoint} is in a state that this version does not know: {word}"),
        ),
    }
}

/// Before it is accepted, and while it is cut: the zone is given its load balancer.
fn disconnected(scene: &Scene<'_>, one: &Connection, leg: &ZoneLeg) -> Verdict {
    let desired = scene.input.desired;
    let (endpoint, zone, to) = (scene.endpoint, &desired.zone, &desired.resource);
    if one.zones.values().any(ZoneLeg::is_moving) {
        return Verdict::moves(Reason::Provisioning, format!("the cloud is changing zones of {endpoint}"));
    }
    if leg.resource.as_ref() != Some(to) {
        if let Some(hurdle) = hurdle::of_target(scene) {
            return Verdict::hindered(hurdle);
        }
        let id = scene.parent.id.clone();
        let step = Step::AssignResource(id, endpoint.clone(), zone.clone(), to.clone(), kind(scene));
        return Verdict::needs(step, Reason::Provisioning, format!("{to} is being assigned to {zone} of {endpoint}"));
    }
    if !desired.connected {
        return Verdict::settled(format!("{to} is assigned to {zone} of {endpoint}, which is not connected"));
    }
    if one.state == ConnectionState::AwaitingAcceptance {
        let why = format!("{to} is assigned, and the connection of {endpoint} has not been accepted yet");
        return Verdict::waits(Reason::WaitingForAcceptance, why);
    }
    let why = format!("{to} is assigned, and the connection of {endpoint} is cut: its WhitelistEntry says why");
    Verdict::waits(Reason::RejectedByProvider, why)
}

/// The connection stands: what the zone is in it.
fn connected(scene: &Scene<'_>, course: &Course, leg: &ZoneLeg) -> Verdict {
    let (endpoint, zone) = (scene.endpoint, &scene.input.desired.zone);
    match &leg.state {
        ZoneState::Migrating => migrating(scene, course),
        ZoneState::Connecting if course.open.is_some() => migrating(scene, course),
        ZoneState::Creating | ZoneState::Connecting | ZoneState::Disconnecting | ZoneState::Deleting => {
            let reason = if course.open.is_some() { Reason::Migrating } else { Reason::Provisioning };
            Verdict::moves(reason, format!("the cloud is changing {zone} of {endpoint}"))
        }
        ZoneState::Migrated => migrated(scene, course, leg),
        ZoneState::Connected => up(scene, course, leg),
        ZoneState::Waiting | ZoneState::Disconnected => down(scene, leg),
        ZoneState::Unknown(word) => Verdict::waits(
            Reason::UnexpectedError,
            format!("{zone} of {endpoint} is in a state that this version does not know: {word}"),
        ),
    }
}

fn migrating(scene: &Scene<'_>, course: &Course) -> Verdict {
    let (endpoint, zone) = (scene.endpoint, &scene.input.desired.zone);
    let why = match &course.open {
        Some(open) => format!("{zone} of {endpoint} is moving from {} to {}", open.from, open.to),
        None => format!("{zone} of {endpoint} is moving to another load balancer"),
    };
    Verdict::moves(Reason::Migrating, why)
}

/// Both sides are open.
fn migrated(scene: &Scene<'_>, course: &Course, leg: &ZoneLeg) -> Verdict {
    let (endpoint, zone) = (scene.endpoint, &scene.input.desired.zone);
    let from = leg.replaced_resource.as_ref().map_or("the old load balancer", ResourceId::as_str);
    let close = || {
        let why = format!("the connections of {zone} of {endpoint} to {from} are being closed");
        if scene.input.ground.tries.is_closing(endpoint, zone, scene.input.ground.now) {
            return Verdict::moves(Reason::Draining, why);
        }
        let step = Step::CloseReplaced(scene.parent.id.clone(), endpoint.clone(), zone.clone());
        Verdict::needs(step, Reason::Draining, why)
    };
    let Some(open) = &course.open else {
        return Verdict::moves(
            Reason::Draining,
            format!("the cloud does not say yet what serves {zone} of {endpoint}"),
        );
    };
    match course::drain(scene, open) {
        Drain::Over => close(),
        Drain::Until(until) => {
            let why = format!(
                "{zone} of {endpoint} is served by {}; its connections to {from} stay open until drainSeconds have passed, or the annotation privatelink.dev/drain-approved is {}",
                open.to, open.id
            );
            let verdict = Verdict::new(Stand::Waits(Reason::Draining), Reason::Draining, why);
            Verdict { until: Some(until), ..verdict }
        }
        Drain::Approval => Verdict::person(
            Reason::DrainApprovalNeeded,
            format!(
                "{zone} of {endpoint} is served by {}; its connections to {from} stay open until the annotation privatelink.dev/drain-approved is {}",
                open.to, open.id
            ),
        ),
    }
}

/// The zone carries traffic on one side.
fn up(scene: &Scene<'_>, course: &Course, leg: &ZoneLeg) -> Verdict {
    let desired = scene.input.desired;
    let (endpoint, zone, to) = (scene.endpoint, &desired.zone, &desired.resource);
    if !desired.connected {
        let step = Step::DisconnectZone(scene.parent.id.clone(), endpoint.clone(), zone.clone());
        return Verdict::needs(step, Reason::Provisioning, format!("{zone} of {endpoint} is being disconnected"));
    }
    let Some(from) = leg.resource.as_ref().filter(|from| *from != to) else {
        return Verdict::settled(format!("{zone} of {endpoint} is connected and served by {to}"));
    };
    if let Some(hurdle) = hurdle::of_target(scene).or_else(|| hurdle::of_source(scene, from)) {
        return Verdict::hindered(hurdle);
    }
    if let Some(again) = after_failure(scene, course, from) {
        let why = format!(
            "the cloud has ended the migration of {zone} of {endpoint} to {to} on {from}: it is tried again after a while"
        );
        let verdict = Verdict::new(Stand::Waits(Reason::Degraded), Reason::Degraded, why);
        return Verdict { until: Some(again), ..verdict };
    }
    let mode = desired.migration.mode;
    let same = |open: &Migration| open.from == *from && open.to == *to && open.mode == mode;
    let written = course.open.as_ref().is_some_and(same) && scene.input.status.migration == course.open;
    let begins = (!written).then(|| course::begun(from, to, mode, scene.input.ground.now));
    let how = if mode == MigrationMode::Smooth { "smoothly" } else { "with a gap in traffic" };
    let why = format!("{zone} of {endpoint} moves from {from} to {to}, {how}");
    Verdict { begins, ..Verdict::needs(replacement(scene), Reason::Migrating, why) }
}

/// When a migration that the cloud ended on the old load balancer is tried again.
fn after_failure(scene: &Scene<'_>, course: &Course, from: &ResourceId) -> Option<Moment> {
    let desired = scene.input.desired;
    let last = course.history.first().filter(|last| last.outcome == Some(MigrationOutcome::Failed))?;
    let again = last.completed_at? + AFTER_FAILURE;
    (last.to == desired.resource && last.from == *from && again > scene.input.ground.now).then_some(again)
}

/// The connection stands without the zone.
fn down(scene: &Scene<'_>, leg: &ZoneLeg) -> Verdict {
    let desired = scene.input.desired;
    let (id, endpoint, zone, to) = (&scene.parent.id, scene.endpoint, &desired.zone, &desired.resource);
    let other = leg.resource.as_ref().filter(|from| *from != to && leg.state == ZoneState::Disconnected);
    if let Some(from) = other {
        if let Some(hurdle) = hurdle::of_target(scene).or_else(|| hurdle::of_source(scene, from)) {
            return Verdict::hindered(hurdle);
        }
        let step = replacement(scene);
        let ground = &scene.input.ground;
        let refused = ground.tries.refusal(&step, desired.generation, ground.now);
        let not_so = refused.is_some_and(|one| one.failure.meaning == Meaning::Waiting(Reason::FeatureNotEnabled));
        // Where the cloud replaces nothing in a zone that is cut, the zone is connected first, and moves then.
        if !(not_so && desired.connected) {
            let why = format!("{to} is being assigned to {zone} of {endpoint} in place of {from}");
            return Verdict::needs(step, Reason::Provisioning, why);
        }
    }
    if !desired.connected {
        return Verdict::settled(format!("{zone} of {endpoint} is not connected, as is declared"));
    }
    if scene.parent.deleting {
        let why = format!("{id} is being deleted, and nothing is connected on it any more");
        return Verdict::waits(Reason::WaitingForService, why);
    }
    let step = Step::ConnectZone(id.clone(), endpoint.clone(), zone.clone());
    Verdict::needs(step, Reason::Provisioning, format!("{zone} of {endpoint} is being connected"))
}

fn replacement(scene: &Scene<'_>) -> Step {
    let desired = scene.input.desired;
    let replacement = Replacement { to: desired.resource.clone(), kind: kind(scene), mode: desired.migration.mode };
    Step::ReplaceResource(scene.parent.id.clone(), scene.endpoint.clone(), desired.zone.clone(), replacement)
}

/// The kind of the declared load balancer, as it is attached.
fn kind(scene: &Scene<'_>) -> ResourceKind {
    let held = scene.view.resources.value().into_iter().flatten();
    let found =
        held.filter(|(key, _)| key.id == scene.input.desired.resource).map(|(_, resource)| resource.kind).next();
    found.or(scene.service.kind).unwrap_or(ResourceKind::Clb)
}
