//! Scenes under the model checker: every order of everything that can happen, depth first.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use privatelink_sim::world::variant::{self, Variant, Variants};
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::fair::{self, First, Run};
use crate::key;
use crate::plant::Plant;
use crate::play::{Action, Flight, Play, Who};
use crate::scene::{Extent, Happening, Scene};

const SAFE: &str = "nothing is done against the rules";
const LIVE: &str = "all comes to rest as declared, and stays so";

/// A scene in one world, with the shipped planners or some that were tampered with.
pub struct Checked {
    scene: Scene,
    extent: Extent,
    variants: Variants,
    plant: Option<Plant>,
    proven: [Mutex<BTreeSet<u64>>; 2],
    /// A state has been found that does not come to rest.
    found: AtomicBool,
    /// Statements that the world was asked for.
    asked: Mutex<BTreeSet<Variant>>,
}

/// What came of it.
pub struct Found {
    pub unique: usize,
    pub transitions: usize,
    pub depth: usize,
    /// Statements of the vendor that the world was asked for on the way.
    pub asked: BTreeSet<Variant>,
    /// The counterexample, as a trace in words.
    pub trace: Option<String>,
}

impl Checked {
    pub fn new(scene: Scene, extent: Extent, variants: Variants, plant: Option<Plant>) -> Self {
        Self {
            scene,
            extent,
            variants,
            plant,
            proven: [Mutex::default(), Mutex::default()],
            found: AtomicBool::default(),
            asked: Mutex::default(),
        }
    }

    fn happenings(&self) -> &'static [Happening] {
        &self.scene.happenings[..self.extent.happenings]
    }

    /// Explores all of it, or until something is found.
    pub fn explore(self) -> Found {
        let checker = self.checker().threads(1).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
        let discovery = checker.discoveries().into_iter().next();
        // Before the way to what was found is gone again, on which the world is asked too.
        let asked = checker.model().asked.lock().expect("nobody dies with it").clone();
        Found {
            unique: checker.unique_state_count(),
            transitions: checker.state_count(),
            depth: checker.max_depth(),
            asked,
            trace: discovery.map(|(law, path)| checker.model().trace(law, &path.into_vec())),
        }
    }

    /// The faults and happenings of a run, its calls and moves, one a line, and what is wrong in the end.
    fn trace(&self, law: &str, path: &[(Play, Option<Action>)]) -> String {
        let mut lines = vec![format!("scene {}: not so: {law}", self.scene.name)];
        for (number, (play, action)) in path.iter().enumerate() {
            if let Some(action) = action {
                lines.push(format!("{:3}. {}", number + 1, self.words(play, *action)));
                continue;
            }
            let wrong = play.wrong.clone().or_else(|| self.why_not(play)).unwrap_or_default();
            lines.push(format!("in the end:\n{}wrong: {wrong}", key::told(play)));
        }
        lines.join("\n")
    }

    fn words(&self, play: &Play, action: Action) -> String {
        let call = |who| play.next_call(who).map_or_else(String::new, Flight::words);
        match action {
            Action::Turn(who) => format!("{who:?} has a turn{}", self.leads_to(play, action, who)),
            Action::StaleTurn(who) => {
                format!("{who:?} has a turn and is shown what was before{}", self.leads_to(play, action, who))
            }
            Action::Call(who) => format!("{who:?}: {} is carried out and answered", call(who)),
            Action::Lose(who) => format!("{who:?}: {} is carried out, the answer is lost", call(who)),
            Action::Drop(who) => format!("{who:?}: {} is lost on its way", call(who)),
            Action::Delay(who) => format!("{who:?}: {} is carried out, the answer takes its time", call(who)),
            Action::Answer(who) => format!("{who:?}: the answer to {} comes", call(who)),
            Action::Crash(process) => format!("the {process:?}'s process dies, another begins"),
            Action::Straggle(_) => "a call of the process that died reaches the cloud".to_owned(),
            Action::Moves(due) => format!("the cloud moves: {due:?}"),
            Action::Sweep(process) => format!("the {process:?}'s lists are read"),
            Action::Pass => "ten minutes pass".to_owned(),
            Action::Happen(number) => self.scene.happenings[number].words.to_owned(),
        }
    }

    fn leads_to(&self, play: &Play, action: Action, who: Who) -> String {
        let Some(next) = self.next_state(play, action) else { return String::new() };
        let calls: Vec<String> = next.flights.iter().filter(|flight| flight.who == who).map(Flight::words).collect();
        if calls.is_empty() { String::new() } else { format!(", and decides on {}", calls.join(", ")) }
    }

    /// Why a state does not lead to rest.
    fn why_not(&self, play: &Play) -> Option<String> {
        First::BOTH.into_iter().find_map(|first| {
            let mut run = Run { keys: Vec::new(), told: Vec::new() };
            let ended = fair::run(&self.scene, &play.without_faults(), first, &BTreeSet::new(), &mut run);
            let tail = run.told.iter().rev().take(12).rev().cloned().collect::<Vec<_>>().join("; ");
            ended.err().map(|why| format!("with {first:?} first: {why}\n  calls on the way: {tail}"))
        })
    }

    fn after_happening(&self, play: &Play, number: usize) -> Option<Play> {
        let mut next = play.clone();
        next.pass(Duration::from_secs(6));
        next.happened.insert(number);
        if !(self.happenings()[number].act)(&mut next) {
            return None;
        }
        if next.before.is_some() && next.world() != play.world() {
            next.before = Some(play.world().clone());
        }
        next.carried.clear();
        next.settle_all();
        Some(next)
    }

    /// Remembers what the world was asked for since the last time, in this thread.
    fn note_asked(&self) {
        let asked = variant::asked();
        if !asked.is_empty() {
            self.asked.lock().expect("nobody dies with it").extend(asked);
        }
    }

    fn comes_to_rest(&self, play: &Play) -> bool {
        if self.found.load(Ordering::Relaxed) {
            // One counterexample is enough; the checker looks up only now and then.
            return true;
        }
        let rests = self.rests(play);
        self.note_asked();
        self.found.fetch_or(!rests, Ordering::Relaxed);
        rests
    }

    fn rests(&self, play: &Play) -> bool {
        let from = play.without_faults();
        First::BOTH.into_iter().zip(&self.proven).all(|(first, proven)| {
            let mut proven = proven.lock().expect("nobody dies with it");
            if proven.contains(&from.key()) {
                return true;
            }
            let mut run = Run { keys: Vec::new(), told: Vec::new() };
            let ended = fair::run(&self.scene, &from, first, &proven, &mut run);
            if ended.is_ok() {
                proven.extend(run.keys);
            }
            ended.is_ok()
        })
    }
}

impl Model for Checked {
    type State = Play;
    type Action = Action;

    fn init_states(&self) -> Vec<Play> {
        // What this thread has asked for before is no concern of this scene.
        let _ = variant::asked();
        let mut play = (self.scene.start)(self.variants);
        self.note_asked();
        play.faults = self.extent.faults;
        if self.extent.faults > 0 {
            play.before = Some(play.world().clone());
        }
        if let Some(plant) = self.plant {
            plant.into_ground(&mut play);
        }
        play.settle_all();
        vec![play]
    }

    fn actions(&self, play: &Play, actions: &mut Vec<Action>) {
        // What has gone wrong is not followed further.
        if play.wrong.is_some() {
            return;
        }
        actions.extend(play.open());
        let open = (0..self.happenings().len()).filter(|number| !play.happened.contains(number));
        actions.extend(open.map(Action::Happen));
    }

    fn next_state(&self, play: &Play, action: Action) -> Option<Play> {
        let next = match action {
            Action::Happen(number) => self.after_happening(play, number),
            _ => play.after(action),
        };
        self.note_asked();
        next
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SAFE, |_, play: &Play| play.wrong.is_none()),
            Property::always(LIVE, |this: &Self, play: &Play| play.wrong.is_some() || this.comes_to_rest(play)),
        ]
    }
}
