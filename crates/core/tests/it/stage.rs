//! The shipped planners and the simulated cloud's rules on one stage, without sockets, clocks or threads: one
//! object, its account's turns, and whatever else happens in the world.

mod cloud;
mod consumer;
mod eyes;
mod land;
mod provider;
pub mod tenants;
mod zones;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::CloudId;
use privatelink_core::moment::Moment;
use privatelink_core::observed::Snapshot;
use privatelink_core::overlay::Overlay;
use privatelink_core::place::{Cloud, Place};
use privatelink_core::plan::{Ground, Plan, Tries, Truth};
use privatelink_core::read::{Done, FacetKey};
use privatelink_core::status;
use privatelink_core::step::Step;
use privatelink_sim::world::{
    self, AccountId, Actor, Call, Refusal, Request, State, Variants, advance, apply, progress,
};

pub use consumer::{CONSUMER, GROUPS, SUBNETS, ZONES, declared, form};
pub use eyes::{endpoint_id, wire_id};
pub use land::{BALANCERS, key, variants};
pub use provider::{PROVIDER, desired};
pub use tenants::{HOMES, Tenants, entry};
pub use zones::assignment;

use land::{HERE, account, land};

/// What an object of one kind declares, and what the stage has to know of its kind.
pub trait Role: Clone + Debug {
    /// Its status.
    type Status: Clone + Debug + Default + PartialEq;
    /// Whose turns are played.
    const ACTOR: Actor;

    fn uid(&self) -> &str;
    fn deleting(&self) -> bool;
    fn generation(&self) -> i64;
    fn generation_mut(&mut self) -> &mut i64;
    fn said(status: &Self::Status) -> &status::Common;
    fn id(status: &Self::Status) -> Option<CloudId>;
    /// One turn of the shipped planner, and the status after it.
    fn plan(&self, status: &Self::Status, ground: Ground<'_>) -> (Plan, Self::Status);
    /// What a sweep reads, the lists first.
    fn swept(snapshot: &Snapshot) -> Vec<FacetKey>;
    /// What may not be asked for, whatever has happened before.
    fn forbids(&self, _step: &Step, _now: Moment) -> Option<&'static str> {
        None
    }
}

/// What may go wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// The call has its effect; the answer is lost.
    LostAnswer,
    /// The answer is lost, and what the call spoke of is gone when it is looked for.
    LostForEver,
    /// The call has its effect; the process dies before anything is written down.
    CrashAfter,
    /// The process dies before the call.
    CrashBefore,
}

/// What one decision led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Led {
    /// The finalizer is gone.
    Released,
    /// The status was written, and it is decided anew.
    Written,
    /// Something has to be looked at.
    Looks,
    /// Calls have to be made.
    Steps,
    /// The status was written, and nothing is left to do now.
    Rests,
}

/// A planner at its boundary: one turn, and the status after it.
pub type Planner<R> = fn(&R, &<R as Role>::Status, Ground<'_>) -> (Plan, <R as Role>::Status);

/// One object, the world, and the process between them.
#[derive(Clone, Debug)]
pub struct Stage<R: Role = privatelink_core::desired::DesiredService> {
    pub world: State,
    pub desired: R,
    /// What Kubernetes holds.
    pub status: R::Status,
    /// The finalizer is gone.
    pub released: bool,
    pub living: BTreeSet<String>,
    pub now: Moment,
    pub started: Moment,
    /// Verbs of the calls that the cloud carried out for us.
    pub calls: Vec<&'static str>,
    /// How many calls the cloud refused us.
    pub refusals: usize,
    /// Verbs of those of our calls by which a zone stopped to carry traffic while its connection stood.
    pub gaps: Vec<&'static str>,
    /// Parts that were read.
    pub reads: Vec<FacetKey>,
    pub snapshot: Snapshot,
    pub overlay: Overlay,
    pub tries: Tries,
    /// The shipped planner, or one that was tampered with.
    pub planner: Planner<R>,
}

impl<R: Role> Stage<R> {
    pub fn new(desired: R) -> Self {
        Self::with(desired, Variants::default())
    }

    pub fn with(desired: R, variants: Variants) -> Self {
        let accounts = [PROVIDER, CONSUMER].into_iter().map(|actor| (actor.account, account())).collect();
        let living = [desired.uid().to_owned()].into();
        Self {
            world: State::new(land(), accounts, variants),
            desired,
            status: R::Status::default(),
            released: false,
            living,
            now: Moment(1_000_000_000),
            started: Moment(1_000_000_000),
            calls: Vec::new(),
            refusals: 0,
            gaps: Vec::new(),
            reads: Vec::new(),
            snapshot: Snapshot::default(),
            overlay: Overlay::default(),
            tries: Tries::default(),
            planner: R::plan,
        }
    }

    /// The process ends and another begins: only the world and the written status remain.
    pub fn restart(&mut self) {
        self.started = self.now;
        self.snapshot = Snapshot::default();
        self.overlay = Overlay::default();
        self.tries = Tries::default();
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut R)) {
        change(&mut self.desired);
        *self.desired.generation_mut() += 1;
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// One decision of the planner; what it writes is written, what it looks at or asks for is left to be done.
    pub fn decide(&mut self) -> (Plan, Led) {
        let laid = self.overlay.lay(&self.snapshot);
        let place = place(R::ACTOR.account);
        let ground = Ground {
            place: &place,
            laid: &laid,
            tries: &self.tries,
            living: &self.living,
            started: self.started,
            now: self.now,
        };
        let (plan, next) = (self.planner)(&self.desired, &self.status, ground);
        assert!(plan.pin.is_none() || plan.steps.is_empty(), "a plan that pins makes no step");
        let found = plan.identity.is_some() && plan.identity != R::id(&self.status);
        let led = if plan.released {
            assert!(self.desired.deleting(), "only what is deleted is released");
            self.released = true;
            Led::Released
        } else if plan.pin.is_some() || found {
            Led::Written
        } else if !plan.looks.is_empty() {
            return (plan, Led::Looks);
        } else if plan.steps.is_empty() {
            Led::Rests
        } else {
            return (plan, Led::Steps);
        };
        self.status = next;
        (plan, led)
    }

    /// An answer, or that none came, reaches the process.
    pub fn hear(&mut self, step: &Step, result: Result<Done, Failure>, generation: i64) {
        self.pass(Duration::from_millis(10));
        if let Some(effect) = self.tries.settle(step, result, self.now, generation) {
            self.overlay.add(effect);
        }
    }

    /// One turn of the object, in which the call number `trouble.0` meets `trouble.1`. `None`: the process died.
    pub fn turn_with(&mut self, trouble: (usize, Trouble)) -> Option<Plan> {
        self.pass(Duration::from_secs(2));
        let mut made = 0;
        for _ in 0..16 {
            let (plan, led) = self.decide();
            match led {
                Led::Released | Led::Rests => return Some(plan),
                Led::Written => continue,
                Led::Looks => {
                    for look in plan.looks {
                        self.read(&look.facet);
                    }
                    continue;
                }
                Led::Steps => {}
            }
            for planned in plan.steps {
                let trouble = if made == trouble.0 { trouble.1 } else { Trouble::None };
                made += 1;
                if trouble == Trouble::CrashBefore {
                    self.restart();
                    return None;
                }
                let result = self.execute(&planned.step, planned.token.as_deref());
                if trouble == Trouble::CrashAfter {
                    self.restart();
                    return None;
                }
                let result = match trouble {
                    Trouble::LostAnswer => Err(lost()),
                    Trouble::LostForEver => {
                        self.world.endpoints.clear();
                        self.world.services.clear();
                        Err(lost())
                    }
                    _ => result,
                };
                let generation = self.desired.generation();
                self.hear(&planned.step, result, generation);
            }
        }
        panic!("a turn does not end: {:?}", self.status);
    }

    pub fn turn(&mut self) -> Plan {
        self.turn_with((0, Trouble::None)).expect("nothing kills this turn")
    }

    /// Turns, and everything that moves by itself, until nothing is left to do; gives the last plan.
    pub fn rest(&mut self) -> Plan {
        let mut quiet = 0;
        for _ in 0..400 {
            let before = (self.calls.len(), self.status.clone());
            let plan = self.turn();
            if self.released {
                self.settle_world();
                return plan;
            }
            let still = progress(&self.world).is_empty();
            if let Some(due) = progress(&self.world).first() {
                self.world = advance(&self.world, *due);
            }
            quiet = if still && before == (self.calls.len(), self.status.clone()) { quiet + 1 } else { 0 };
            if quiet > 3 {
                return plan;
            }
            // Retries become due, and refusals that passed are tried again.
            self.pass(Duration::from_secs(20));
        }
        panic!("never at rest: {:?} {:?} {:?}", self.status, self.world.services, self.world.endpoints);
    }

    /// At rest, and again once what no read has shown is old enough to be believed gone.
    pub fn rest_until_released(&mut self) {
        self.rest();
        if !self.released {
            self.pass(Duration::from_mins(6));
            self.rest();
        }
    }

    pub fn settle_world(&mut self) {
        while let Some(due) = progress(&self.world).first() {
            self.world = advance(&self.world, *due);
        }
    }

    /// A sweep: what lists show is read again.
    pub fn sweep(&mut self) {
        self.pass(Duration::from_mins(5));
        let mut read = BTreeSet::new();
        while let Some(facet) = R::swept(&self.snapshot).into_iter().find(|facet| !read.contains(facet)) {
            self.read(&facet);
            read.insert(facet);
        }
    }

    pub fn ready(&self) -> Option<(Truth, Reason, String)> {
        self.said(ConditionType::Ready)
    }

    pub fn said(&self, condition: ConditionType) -> Option<(Truth, Reason, String)> {
        let conditions = &R::said(&self.status).conditions;
        let found = conditions.iter().find(|one| one.condition == condition)?;
        Some((found.truth, found.reason, found.message.clone()))
    }

    pub fn the_service(&self) -> &world::Service {
        assert_eq!(self.world.services.len(), 1, "{:?}", self.world.services.keys());
        self.world.services.values().next().expect("one service")
    }

    /// Somebody else's call.
    pub fn elsewhere(&mut self, actor: Actor, call: Call) -> Result<world::Answer, Refusal> {
        let (next, answer) = apply(&self.world, actor, &Request { region: HERE, token: None, call })?;
        self.world = next;
        Ok(answer)
    }
}

fn place(account: AccountId) -> Place {
    Place { cloud: Cloud::Alibaba, account: account.0.to_string().into(), region: "cn-hangzhou".into() }
}

/// A call without an answer.
pub fn lost() -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        code: "<timeout>".into(),
        message: "no answer".into(),
        request_id: None,
        retry_after: None,
        maybe_done: true,
    }
}

/// The status says that the object is ready.
pub fn is_ready<R: Role>(stage: &Stage<R>) {
    let (truth, reason, message) = stage.ready().expect("something is said");
    assert_eq!((truth, reason), (Truth::True, Reason::Ready), "{message}");
}

/// The status says that the object is not ready, for this reason; gives the message.
pub fn says<R: Role>(stage: &Stage<R>, reason: Reason) -> String {
    let (truth, said, message) = stage.ready().expect("something is said");
    assert_eq!((truth, said), (Truth::False, reason), "{message}");
    message
}
