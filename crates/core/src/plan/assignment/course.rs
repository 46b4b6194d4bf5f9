//! The course of a migration: which one is open by what was written down and what the cloud shows, how long its replaced
//! side stays open, and how it ended.
//!
//! A migration is written down before its call is made. Whatever is lost after that is found again in what the cloud
//! shows: a zone with two sides is one that has moved.

use crate::desired::MigrationRules;
use crate::id::ResourceId;
use crate::limit;
use crate::moment::Moment;
use crate::observed::ZoneLeg;
use crate::plan::assignment::{Scene, hurdle};
use crate::state::{ConnectionState, MigrationOutcome, ZoneState};
use crate::status::Migration;
use crate::step::MigrationMode;
use crate::wire::utc;

/// Stands for the load balancer that a zone has left, where neither the cloud nor the status says which.
const UNKNOWN: &str = "unknown";

/// The migrations of a zone as of this turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    /// The one that is open.
    pub(crate) open: Option<Migration>,
    /// Those that have ended, the latest first.
    pub(crate) history: Vec<Migration>,
}

/// How it stands with the replaced side of a zone that has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    /// It is closed now.
    Over,
    /// It stays open until then.
    Until(Moment),
    /// It stays open until a person agrees.
    Approval,
}

/// A migration that begins now.
pub(crate) fn begun(from: &ResourceId, to: &ResourceId, mode: MigrationMode, now: Moment) -> Migration {
    let started_at = now.whole_second();
    Migration {
        id: id(from, to, started_at),
        from: from.clone(),
        to: to.clone(),
        mode,
        started_at,
        migrated_at: None,
        drain_until: None,
        completed_at: None,
        outcome: None,
        gap_seconds: None,
    }
}

fn id(from: &ResourceId, to: &ResourceId, at: Moment) -> String {
    format!("{from}-{to}-{}", stamp(at))
}

/// A moment as ids have it, such as `20260102T030405Z`: what is later sorts after it.
pub(crate) fn stamp(at: Moment) -> String {
    utc::iso(at).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The course after what is seen now.
pub(crate) fn of(scene: &Scene<'_>) -> Course {
    let status = scene.input.status;
    let mut course = Course { open: status.migration.clone(), history: status.history.clone() };
    if scene.view.connections.value().is_none() {
        return course;
    }
    let stands = scene.connection().map(|one| &one.state);
    let leg = match (stands, scene.leg()) {
        (Some(ConnectionState::Unknown(_)), _) => return course,
        (Some(ConnectionState::Connected | ConnectionState::Modifying), Some(leg)) => leg,
        // It was cut, or its zone or endpoint is gone.
        _ => {
            course.end(MigrationOutcome::Aborted, scene.input.ground.now);
            return course;
        }
    };
    course.follow(scene, leg);
    course
}

impl Course {
    fn follow(&mut self, scene: &Scene<'_>, leg: &ZoneLeg) {
        let now = scene.input.ground.now;
        match leg.state {
            ZoneState::Migrating => {
                self.adopt(scene, leg);
                self.set_out(scene);
            }
            ZoneState::Migrated => {
                self.adopt(scene, leg);
                self.arrive(scene);
            }
            ZoneState::Connecting => self.set_out(scene),
            // What our own word alone says ends nothing.
            _ if scene.unconfirmed().is_some() => {}
            ZoneState::Connected => self.conclude(scene, leg),
            ZoneState::Disconnected | ZoneState::Waiting => self.end(MigrationOutcome::Aborted, now),
            // A replaced side that closes may be shown so.
            ZoneState::Disconnecting | ZoneState::Creating | ZoneState::Deleting | ZoneState::Unknown(_) => {}
        }
    }

    /// A migration that is not the one that was written down: nobody wrote it, or what was written is lost.
    fn adopt(&mut self, scene: &Scene<'_>, leg: &ZoneLeg) {
        let now = scene.input.ground.now;
        let Some(to) = &leg.resource else { return };
        let from = leg.replaced_resource.as_ref();
        let is_it = |one: &Migration| {
            let leaves = from.is_none_or(|from| *from == one.from || one.from.as_str() == UNKNOWN);
            // While it moves, the cloud may show either.
            *to == one.to && leaves || leg.state == ZoneState::Migrating && *to == one.from && from.is_none()
        };
        if self.open.as_ref().is_some_and(is_it) {
            return;
        }
        self.end(MigrationOutcome::Failed, now);
        let known = scene.input.status.current.as_ref().and_then(|side| side.resource.as_ref());
        let unknown = ResourceId::from(UNKNOWN);
        let from = match from.or(known).filter(|from| *from != to) {
            Some(from) => from,
            // It drains, wherever it came from.
            None if leg.state == ZoneState::Migrated => &unknown,
            None => return,
        };
        let two = leg.replaced_resource.is_some() || leg.state == ZoneState::Migrated;
        let mode = if two { MigrationMode::Smooth } else { MigrationMode::Forced };
        self.open = Some(begun(from, to, mode, now));
    }

    /// The gap of a forced migration is counted from when it was first seen to move.
    fn set_out(&mut self, scene: &Scene<'_>) {
        let moved = |state: &ZoneState| matches!(state, ZoneState::Migrating | ZoneState::Connecting);
        let seen = scene.input.status.state.as_ref().is_some_and(moved);
        let Some(open) = self.open.as_mut().filter(|open| open.mode == MigrationMode::Forced && !seen) else { return };
        open.started_at = open.started_at.max(scene.input.ground.now.whole_second());
        open.id = id(&open.from, &open.to, open.started_at);
    }

    /// The drain begins when the zone is seen to have moved, and what was written down of that counts.
    fn arrive(&mut self, scene: &Scene<'_>) {
        let Some(open) = &mut self.open else { return };
        let at = *open.migrated_at.get_or_insert_with(|| next_second(scene.input.ground.now));
        let rules = scene.input.desired.migration;
        open.drain_until = match (rules.mode, rules.approval) {
            (MigrationMode::Smooth, true) => None,
            (MigrationMode::Smooth, false) => Some(at + rules.drain),
            // What is to be forced from now on has begun smoothly, and its drain is kept.
            (MigrationMode::Forced, _) => open.drain_until.or(Some(at + MigrationRules::DRAIN)),
        };
    }

    /// The zone has one side again.
    fn conclude(&mut self, scene: &Scene<'_>, leg: &ZoneLeg) {
        let (status, now) = (scene.input.status, scene.input.ground.now);
        let Some(open) = &self.open else { return };
        if leg.resource.as_ref() == Some(&open.to) {
            return self.end(MigrationOutcome::Succeeded, now);
        }
        let moving = |state: &ZoneState| !matches!(state, ZoneState::Connected);
        let moved = open.migrated_at.is_some() || status.state.as_ref().is_some_and(moving);
        if leg.resource.as_ref() != Some(&open.from) || moved {
            return self.end(MigrationOutcome::Failed, now);
        }
        // It has not set out yet: what is declared now counts, and what stands in its way.
        let desired = scene.input.desired;
        let other = desired.resource != open.to || desired.migration.mode != open.mode || !desired.connected;
        if other || hurdle::of_target(scene).or_else(|| hurdle::of_source(scene, &open.from)).is_some() {
            self.open = None;
        }
    }

    fn end(&mut self, outcome: MigrationOutcome, now: Moment) {
        let Some(mut ended) = self.open.take() else { return };
        if outcome == MigrationOutcome::Succeeded {
            let gap = now.since(ended.started_at).as_millis().div_ceil(1_000);
            ended.gap_seconds = Some(match ended.mode {
                MigrationMode::Smooth => 0,
                MigrationMode::Forced => u32::try_from(gap).unwrap_or(u32::MAX),
            });
        }
        ended.completed_at = Some(now.whole_second());
        ended.outcome = Some(outcome);
        self.history.insert(0, ended);
        self.history.truncate(usize::try_from(limit::HISTORY).unwrap_or(usize::MAX));
    }
}

/// How it stands with the replaced side of the migration that is open; it is closed at once where the zone is to be
/// disconnected, since the cloud wants it closed first.
pub(crate) fn drain(scene: &Scene<'_>, open: &Migration) -> Drain {
    let desired = scene.input.desired;
    if !desired.connected || desired.drain_approved.as_deref() == Some(open.id.as_str()) {
        return Drain::Over;
    }
    match open.drain_until {
        None => Drain::Approval,
        Some(until) if scene.input.ground.now >= until => Drain::Over,
        Some(until) => Drain::Until(until),
    }
}

/// The end of this second: what is written in whole seconds shortens no drain.
pub(crate) fn next_second(now: Moment) -> Moment {
    Moment(now.0.saturating_add(999)).whole_second()
}
