//! Liveness, from one state: with no more faults, whoever goes first, all comes to rest as declared and stays so.
//!
//! A run without faults has one course, so whatever it comes through is proven with it: a state that an earlier run
//! came through ends this one.

use std::collections::BTreeSet;
use std::time::Duration;

use privatelink_sim::world::progress;

use crate::play::{Action, Play, Process, Who};
use crate::scene::Scene;

/// Who goes first in a fair run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The planners, until they have nothing to do; then the world takes one step.
    Planners,
    /// The world, until nothing moves; then each planner makes one call.
    World,
}

impl First {
    pub const BOTH: [Self; 2] = [Self::Planners, Self::World];
}

/// Rounds without a call that was carried out, after which nothing is left to do.
const QUIET: usize = 2;
/// Most rounds of one run.
const ROUNDS: usize = 150;
/// A pause in which everything that is tried again from time to time is tried again.
const REST: Duration = Duration::from_mins(70);

/// A pause after which nothing is young any more.
const GROWN: Duration = Duration::from_mins(6);

/// What a run has come through.
pub struct Run {
    pub keys: Vec<u64>,
    /// What was carried out, round by round: for people.
    pub told: Vec<String>,
}

/// Runs from a state without faults until all is at rest, or until a state that is known to lead there.
///
/// # Errors
/// It never comes to rest, or not as declared.
pub fn run(scene: &Scene, from: &Play, first: First, proven: &BTreeSet<u64>, run: &mut Run) -> Result<(), String> {
    let mut play = from.clone();
    let (mut quiet, mut rests) = (0, 0);
    let mut since_rest = BTreeSet::new();
    for _ in 0..ROUNDS {
        if rests < 2 && proven.contains(&play.key()) {
            return Ok(());
        }
        run.keys.push(play.key());
        let still = match first {
            First::Planners => planners_first(&mut play, run),
            First::World => world_first(&mut play, run),
        };
        play.settle_all();
        if let Some(wrong) = &play.wrong {
            return Err(format!("on the way to rest: {wrong}"));
        }
        if !play.carried.is_empty() {
            since_rest.extend(play.carried.drain(..));
            if rests > 1 {
                return Err(format!("what was at rest is changed again: {}", listed(&since_rest)));
            }
        }
        quiet = if still { quiet + 1 } else { 0 };
        play.pass(Duration::from_secs(20));
        if quiet <= QUIET {
            continue;
        }
        rests += 1;
        quiet = 0;
        since_rest.clear();
        match rests {
            // What is too young to be believed is old enough afterwards.
            1 => play.pass(GROWN),
            2 => {
                (scene.settled)(&play)?;
                play.pass(REST);
            }
            _ => return (scene.settled)(&play),
        }
    }
    Err(format!("it never comes to rest; what was carried out: {}", listed(&since_rest)))
}

fn listed(all: &BTreeSet<String>) -> String {
    all.iter().cloned().collect::<Vec<_>>().join(", ")
}

/// All objects have their turns and make their calls, until none has another; then the world takes a step, or the
/// lists are read. Gives whether nothing happened.
fn planners_first(play: &mut Play, run: &mut Run) -> bool {
    for who in play.objects() {
        for _ in 0..40 {
            if !one_call(play, who, run) {
                break;
            }
        }
    }
    let called = !play.carried.is_empty();
    if let Some(due) = progress(play.world()).first() {
        play.act(Action::Moves(*due));
        return false;
    }
    sweep(play);
    !called
}

/// Nothing moves in the world whenever an object has its turn.
fn world_first(play: &mut Play, run: &mut Run) -> bool {
    play.tenants.stage.settle_world();
    for who in play.objects() {
        one_call(play, who, run);
        play.tenants.stage.settle_world();
    }
    sweep(play);
    play.carried.is_empty() && play.flights.is_empty()
}

fn sweep(play: &mut Play) {
    play.sweep(Process::Provider);
    if play.consumer.is_some() {
        play.sweep(Process::Consumer);
    }
}

/// A turn, and the calls that it leads to; says whether the cloud carried one out.
fn one_call(play: &mut Play, who: Who, run: &mut Run) -> bool {
    let before = play.carried.len();
    if play.next_call(who).is_none() {
        play.turn(who, None);
    }
    while let Some(flight) = play.next_call(who) {
        let answers = flight.is_answered();
        play.act(if answers { Action::Answer(who) } else { Action::Call(who) });
    }
    run.told.extend(play.carried[before..].iter().map(|call| format!("{who:?}: {call}")));
    play.carried.len() > before
}
