//! One state: the world, the objects with what Kubernetes holds of each, what the processes remember, the calls that
//! are on their way; and what can happen in it.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use privatelink_core::desired::{DesiredEndpoint, DesiredEntry, Revocation};
use privatelink_core::error::Failure;
use privatelink_core::moment::Moment;
use privatelink_core::plan::{Next, Plan, Planned};
use privatelink_core::read::Done;
use privatelink_core::step::{MigrationMode, Step};
use privatelink_sim::world::{Progress, State, advance, progress};

use crate::it::stage::{Led, Role, Stage, Tenants, lost};
use crate::{key, law};

/// Longest that a call of a process that died can be on its way.
const LONGEST_CALL: Duration = Duration::from_mins(1);
/// What is due within this time is awaited in a turn; what is due later is found by the next one.
const SOON: Duration = Duration::from_mins(6);
/// After this time a look is not fresh any more.
const NOT_FRESH: Duration = Duration::from_millis(1_001);

/// An object that has turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The service.
    Service,
    /// The entry of this name.
    Entry(&'static str),
    /// The assignment of this name.
    Zone(&'static str),
    /// The consumer's endpoint.
    Endpoint,
}

impl Who {
    /// Its name among the provider's objects; none for the service.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Entry(name) | Self::Zone(name) => Some(name),
            Self::Service | Self::Endpoint => None,
        }
    }

    pub const fn process(self) -> Process {
        if matches!(self, Self::Endpoint) { Process::Consumer } else { Process::Provider }
    }
}

/// A process that serves the objects of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Process {
    Provider,
    Consumer,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An object has a turn, until it rests or has calls to make.
    Turn(Who),
    /// A turn in which every read shows the world as it was before its last change.
    StaleTurn(Who),
    /// The object's next call is carried out and answered.
    Call(Who),
    /// It is carried out, and its answer is lost.
    Lose(Who),
    /// It is lost on its way.
    Drop(Who),
    /// It is carried out, and its answer takes its time.
    Delay(Who),
    /// The answer that took its time comes.
    Answer(Who),
    /// A process ends, and another begins with what is written.
    Crash(Process),
    /// A call of a process that died reaches the cloud.
    Straggle(usize),
    /// Something that moves by itself has moved.
    Moves(Progress),
    /// The lists are read, as they are every few minutes.
    Sweep(Process),
    /// Ten minutes pass.
    Pass,
    /// One of the scene's happenings.
    Happen(usize),
}

impl Action {
    /// The process that does it, where it is one's own.
    const fn process(self) -> Option<Process> {
        match self {
            Self::Turn(who)
            | Self::StaleTurn(who)
            | Self::Call(who)
            | Self::Lose(who)
            | Self::Drop(who)
            | Self::Delay(who)
            | Self::Answer(who) => Some(who.process()),
            Self::Crash(process) | Self::Sweep(process) => Some(process),
            Self::Straggle(_) | Self::Moves(_) | Self::Pass | Self::Happen(_) => None,
        }
    }
}

/// A call that an object has decided on.
#[derive(Clone, Debug)]
pub struct Flight {
    pub who: Who,
    pub step: Step,
    token: Option<String>,
    generation: i64,
    /// What the cloud has answered, while the answer is on its way.
    result: Option<Result<Done, Failure>>,
}

impl Flight {
    /// The cloud has answered it.
    pub const fn is_answered(&self) -> bool {
        self.result.is_some()
    }

    /// Hashes what matters of it: an answer that is on its way carries what the cloud made.
    pub fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.who, &self.token, self.generation).hash(hasher);
        hasher.write(format!("{:?}{:?}", self.step, self.result).as_bytes());
    }

    /// The call in words.
    pub fn words(&self) -> String {
        format!("{} of {}", self.step.verb(), self.step.subject())
    }
}

/// A call that outlives its process.
#[derive(Clone, Debug)]
pub struct Straggler {
    step: Step,
    token: Option<String>,
    process: Process,
    sent: Moment,
}

/// One state.
#[derive(Clone)]
pub struct Play {
    pub tenants: Tenants,
    pub consumer: Option<Stage<DesiredEndpoint>>,
    pub flights: Vec<Flight>,
    pub stragglers: Vec<Straggler>,
    /// Faults that may still happen.
    pub faults: u8,
    /// Happenings of the scene that have happened, by their number.
    pub happened: BTreeSet<usize>,
    /// The world before its last change, while a read may still show it.
    pub before: Option<State>,
    /// Entries that are gone, and should have cut what was connected.
    pub revoked: Vec<DesiredEntry>,
    /// What has been done against the rules.
    pub wrong: Option<String>,
    /// Calls that the cloud has carried out; not part of what tells states apart.
    pub carried: Vec<String>,
    parts: key::Parts,
    key: u64,
}

impl fmt::Debug for Play {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&key::told(self))
    }
}

impl PartialEq for Play {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Hash for Play {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.key);
    }
}

/// What the object on the stage does, whichever it is.
macro_rules! on_stage {
    ($play:expr, $who:expr, |$stage:ident| $act:expr) => {
        if $who == Who::Endpoint {
            $play.on_consumer(|$stage| $act)
        } else {
            $play.tenants.on_stage($who.name(), |$stage| $act)
        }
    };
}

impl Play {
    pub fn new(tenants: Tenants, consumer: Option<Stage<DesiredEndpoint>>) -> Self {
        let mut play = Self {
            tenants,
            consumer,
            flights: Vec::new(),
            stragglers: Vec::new(),
            faults: 0,
            happened: BTreeSet::new(),
            before: None,
            revoked: Vec::new(),
            wrong: None,
            carried: Vec::new(),
            parts: key::Parts::default(),
            key: 0,
        };
        play.forget_how();
        play
    }

    /// What tells this state from others.
    pub const fn key(&self) -> u64 {
        self.key
    }

    pub const fn world(&self) -> &State {
        &self.tenants.stage.world
    }

    /// The objects that have not gone.
    pub fn objects(&self) -> Vec<Who> {
        let service = (!self.tenants.service.released).then_some(Who::Service);
        let entries = self.tenants.entries.keys().map(|name| Who::Entry(named(name)));
        let zones = self.tenants.zones.keys().map(|name| Who::Zone(named(name)));
        let endpoint = self.consumer.iter().filter(|one| !one.released).map(|_| Who::Endpoint);
        service.into_iter().chain(entries).chain(zones).chain(endpoint).collect()
    }

    /// The object's next call.
    pub fn next_call(&self, who: Who) -> Option<&Flight> {
        self.flights.iter().find(|flight| flight.who == who)
    }

    /// Everything that can happen now, but for the scene's own happenings.
    pub fn open(&self) -> Vec<Action> {
        let mut open = Vec::new();
        for who in self.objects() {
            match self.next_call(who) {
                None => {
                    open.push(Action::Turn(who));
                    if self.faults > 0 && self.before.is_some() {
                        open.push(Action::StaleTurn(who));
                    }
                }
                Some(Flight { result: Some(_), .. }) => open.push(Action::Answer(who)),
                Some(_) => {
                    open.push(Action::Call(who));
                    if self.faults > 0 {
                        open.extend([Action::Lose(who), Action::Drop(who), Action::Delay(who)]);
                    }
                }
            }
        }
        open.extend((0..self.stragglers.len()).map(Action::Straggle));
        open.extend(progress(self.world()).into_iter().map(Action::Moves));
        let processes: BTreeSet<Process> = self.objects().into_iter().map(Who::process).collect();
        for process in processes {
            // While something moves, a sweep shows what is neither here nor there.
            if self.faults > 0 || progress(self.world()).is_empty() {
                open.push(Action::Sweep(process));
            }
            if self.faults > 0 {
                open.push(Action::Crash(process));
            }
        }
        if self.faults > 0 && self.flights.is_empty() {
            open.push(Action::Pass);
        }
        open
    }

    /// The state after `action`; nothing, where it cannot happen.
    pub fn after(&self, action: Action) -> Option<Self> {
        let mut next = self.clone();
        next.carried.clear();
        let was = next.world().clone();
        next.act(action)?;
        if next.before.is_some() && *next.world() != was {
            next.before = Some(was);
        }
        match action {
            Action::Moves(_) | Action::Straggle(_) => next.settle(&[]),
            _ => match action.process() {
                Some(process) => next.settle(&[process]),
                None => next.settle_all(),
            },
        }
        Some(next)
    }

    /// The same, in a run in which no more faults happen.
    pub fn without_faults(&self) -> Self {
        let mut calm = self.clone();
        calm.faults = 0;
        calm.settle(&[]);
        calm
    }

    /// To be called when anything has been changed from outside.
    pub fn settle_all(&mut self) {
        self.settle(&[Process::Provider, Process::Consumer]);
    }

    fn settle(&mut self, changed: &[Process]) {
        let now = self.now();
        self.stragglers.retain(|one| now.since(one.sent) < LONGEST_CALL);
        self.forget_how();
        if self.faults == 0 {
            self.before = None;
        }
        if self.wrong.is_none() {
            self.wrong = law::broken(self);
        }
        let mut parts = self.parts;
        for process in changed {
            parts.renew(self, *process);
        }
        self.parts = parts;
        self.key = parts.together(self);
    }

    /// How a state came about is not part of it.
    fn forget_how(&mut self) {
        self.tenants.stage.calls.clear();
        self.tenants.stage.reads.clear();
        self.tenants.stage.refusals = 0;
        self.tenants.stage.gaps.clear();
        if let Some(consumer) = &mut self.consumer {
            consumer.calls.clear();
            consumer.reads.clear();
            consumer.refusals = 0;
        }
    }

    pub fn now(&self) -> Moment {
        self.tenants.stage.now
    }

    pub fn pass(&mut self, time: Duration) {
        self.tenants.stage.pass(time);
    }

    pub fn act(&mut self, action: Action) -> Option<()> {
        let faulty = matches!(
            action,
            Action::StaleTurn(_)
                | Action::Lose(_)
                | Action::Drop(_)
                | Action::Delay(_)
                | Action::Crash(_)
                | Action::Pass
        );
        let untimely = matches!(action, Action::Sweep(_)) && !progress(self.world()).is_empty();
        if faulty || untimely {
            self.faults = self.faults.checked_sub(1)?;
        }
        match action {
            Action::Turn(who) => drop(self.turn(who, None)),
            Action::StaleTurn(who) => {
                let before = self.before.take()?;
                self.turn(who, Some(before));
            }
            Action::Call(who) => {
                let result = self.carry_out(who)?;
                self.hear(who, result);
            }
            Action::Lose(who) => {
                let _ = self.carry_out(who)?;
                self.hear(who, Err(lost()));
            }
            Action::Drop(who) => self.hear(who, Err(lost())),
            Action::Delay(who) => {
                let result = self.carry_out(who)?;
                self.flights.iter_mut().find(|flight| flight.who == who)?.result = Some(result);
            }
            Action::Answer(who) => {
                let result = self.flights.iter_mut().find(|flight| flight.who == who)?.result.take()?;
                self.hear(who, result);
            }
            Action::Crash(process) => self.crash(process),
            Action::Straggle(number) => {
                let Straggler { step, token, process, .. } = self.stragglers.remove(number);
                let who = if process == Process::Consumer { Who::Endpoint } else { Who::Service };
                // Whatever the cloud says, nobody hears it.
                on_process(self, process, |play| {
                    on_stage!(play, who, |stage| stage.carry_out(&step, token.as_deref()).is_ok())
                })?;
            }
            Action::Moves(due) => self.tenants.stage.world = advance(self.world(), due),
            Action::Sweep(process) => self.sweep(process),
            Action::Pass => {
                self.pass(Duration::from_mins(10));
                // No read is that late.
                if self.before.is_some() {
                    self.before = Some(self.world().clone());
                }
            }
            Action::Happen(_) => return None,
        }
        Some(())
    }

    /// One turn: decisions and looks, until the object rests or has calls to make.
    pub fn turn(&mut self, who: Who, shown: Option<State>) -> Option<Plan> {
        let alone = self.flights.is_empty();
        let turned = on_stage!(self, who, |stage| turn(stage, shown, alone))?;
        let Turned { plan, led, generation, wrong } = turned;
        if self.wrong.is_none() {
            self.wrong = wrong.map(|wrong| format!("{who:?}: {wrong}"));
        }
        if led == Led::Steps {
            let flights = plan.steps.iter().map(|Planned { step, token }| Flight {
                who,
                step: step.clone(),
                token: token.clone(),
                generation,
                result: None,
            });
            self.flights.extend(flights);
        }
        match who {
            Who::Entry(name) if led == Led::Released => self.let_go(name),
            Who::Zone(name) if led == Led::Released => drop(self.tenants.zones.remove(name)),
            _ => {}
        }
        Some(plan)
    }

    fn let_go(&mut self, name: &str) {
        if self.wrong.is_none() {
            self.wrong = self.tenants.still_in(name).map(|left| format!("the entry {name} is gone, but {left}"));
        }
        let one = self.tenants.desired(name);
        let claims = self.tenants.claims();
        let held = claims.holder(&one.principal.whom()).is_some_and(|holder| holder.uid == one.uid);
        if held && one.revocation == Revocation::Disconnect && !self.tenants.the_service().deleting() {
            self.revoked.push(one.clone());
        }
        self.tenants.entries.remove(name);
    }

    fn carry_out(&mut self, who: Who) -> Option<Result<Done, Failure>> {
        let Flight { step, token, .. } = self.next_call(who)?.clone();
        let result = on_stage!(self, who, |stage| stage.carry_out(&step, token.as_deref()))?;
        if result.is_ok() {
            self.carried.push(format!("{} of {}", step.verb(), step.subject()));
        }
        // Whether it may move by force is judged when it decides so.
        let by_force = matches!(&step, Step::ReplaceResource(.., how) if how.mode == MigrationMode::Forced);
        if !self.tenants.stage.gaps.is_empty() && !by_force && self.wrong.is_none() {
            self.wrong = Some(format!("{} of {}: a zone stops to carry traffic", step.verb(), step.subject()));
        }
        Some(result)
    }

    fn hear(&mut self, who: Who, result: Result<Done, Failure>) {
        let Some(at) = self.flights.iter().position(|flight| flight.who == who) else { return };
        let Flight { step, generation, .. } = self.flights.remove(at);
        on_stage!(self, who, |stage| stage.hear(&step, result, generation));
    }

    fn crash(&mut self, process: Process) {
        let now = self.now();
        let (dead, alive): (Vec<Flight>, Vec<Flight>) =
            std::mem::take(&mut self.flights).into_iter().partition(|flight| flight.who.process() == process);
        self.flights = alive;
        // Of several calls one has left at most. What makes something may reach the cloud yet; any other call comes
        // too late to be told from somebody else's hand.
        let first = dead.into_iter().next().filter(|flight| flight.result.is_none() && flight.step.makes().is_some());
        self.stragglers.extend(first.map(|Flight { step, token, .. }| Straggler { step, token, process, sent: now }));
        self.pass(NOT_FRESH);
        match process {
            Process::Provider => self.tenants.restart(),
            Process::Consumer => drop(self.on_consumer(Stage::restart)),
        }
    }

    pub fn sweep(&mut self, process: Process) {
        self.pass(NOT_FRESH);
        match process {
            Process::Provider => read_lists(&mut self.tenants.stage),
            Process::Consumer => drop(self.on_consumer(read_lists)),
        }
    }

    /// The consumer's object on its stage, in the world that all share.
    pub fn on_consumer<T>(&mut self, act: impl FnOnce(&mut Stage<DesiredEndpoint>) -> T) -> Option<T> {
        let consumer = self.consumer.as_mut().filter(|one| !one.released)?;
        let shared = &mut self.tenants.stage;
        std::mem::swap(&mut consumer.world, &mut shared.world);
        consumer.now = shared.now;
        let done = act(consumer);
        shared.now = consumer.now;
        std::mem::swap(&mut consumer.world, &mut shared.world);
        Some(done)
    }
}

/// A straggler's object may have gone, its account is still there.
fn on_process(play: &mut Play, process: Process, act: impl FnOnce(&mut Play) -> Option<bool>) -> Option<bool> {
    let released = match process {
        Process::Provider => std::mem::replace(&mut play.tenants.service.released, false),
        Process::Consumer => std::mem::replace(&mut play.consumer.as_mut()?.released, false),
    };
    let done = act(play);
    match process {
        Process::Provider => play.tenants.service.released = released,
        Process::Consumer => play.consumer.as_mut()?.released = released,
    }
    done
}

fn read_lists<R: Role>(stage: &mut Stage<R>) {
    let mut read = BTreeSet::new();
    while let Some(facet) = R::swept(&stage.snapshot).into_iter().find(|facet| !read.contains(facet)) {
        stage.read(&facet);
        read.insert(facet);
    }
}

/// What came of one turn.
struct Turned {
    plan: Plan,
    led: Led,
    generation: i64,
    wrong: Option<String>,
}

fn turn<R: law::Lawful>(stage: &mut Stage<R>, mut shown: Option<State>, alone: bool) -> Turned {
    stage.pass(NOT_FRESH);
    let mut waited = false;
    for _ in 0..16 {
        let (plan, led) = stage.decide();
        match led {
            Led::Written => continue,
            Led::Looks => {
                if let Some(shown) = &mut shown {
                    std::mem::swap(&mut stage.world, shown);
                }
                for look in &plan.looks {
                    stage.read(&look.facet);
                }
                if let Some(shown) = &mut shown {
                    std::mem::swap(&mut stage.world, shown);
                }
                continue;
            }
            Led::Released | Led::Steps | Led::Rests => {}
        }
        if let Next::At(due) = plan.next
            && led == Led::Rests
            && alone
            && !waited
            && due > stage.now
            && due.since(stage.now) <= SOON
        {
            stage.now = due;
            waited = true;
            // What a read shows late it shows within seconds: minutes later nothing is hidden any more.
            shown = None;
            continue;
        }
        let wrong = if led == Led::Steps { law::broken_by(stage, &plan.steps) } else { None };
        return Turned { plan, led, generation: stage.desired.generation(), wrong };
    }
    let (plan, led) = stage.decide();
    let wrong = Some("a turn does not end".to_owned());
    Turned { plan, led, generation: stage.desired.generation(), wrong }
}

/// Entries have few names, which live as long as the program.
pub fn named(name: &str) -> &'static str {
    NAMES.into_iter().find(|one| *one == name).unwrap_or("another")
}

const NAMES: [&str; 3] = ["tenant", "second", "pin"];
