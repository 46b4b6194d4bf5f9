//! What a planner decides in one turn, and what it is told.
//!
//! Plans are level-triggered: the steps that are ready now, what must be looked at first, what is waited for
//! and why. Then the world is looked at again. What must survive a crash is in the cloud or in the status.

pub mod account;
pub mod assignment;
mod attempt;
pub(crate) mod case;
mod creation;
pub mod endpoint;
pub mod entry;
mod identity;
mod leave;
pub(crate) mod outcome;
mod parent;
pub mod service;
mod tags;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::error::{Failure, Meaning};
use crate::id::{AccountId, CloudId, EndpointId, Region, Zone};
use crate::moment::Moment;
use crate::overlay::{self, Effect};
use crate::read::{Done, FacetKey, Look};
use crate::status::Common;
use crate::step::Step;

pub use case::Ground;

/// What one turn decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What must stand in the status before any step is made; no step is in a plan that pins.
    pub pin: Option<Pin>,
    /// Steps that are ready now; more than one only where they do not touch each other.
    pub steps: Vec<Planned>,
    /// Reads without which nothing more can be decided.
    pub looks: Vec<Look>,
    /// What is to be said of each condition; one that is not said keeps its last word.
    pub sayings: Vec<Saying>,
    /// When to look again, if nothing wakes the object before.
    pub next: Next,
    /// The cloud object that was found to be this object's, to be remembered in the status.
    pub identity: Option<CloudId>,
    /// Nothing of the object is left in the cloud, or what is left shall stay: the finalizer goes.
    pub released: bool,
}

impl Plan {
    /// Nothing is done; this is said.
    #[must_use]
    pub fn saying(next: Next, sayings: impl IntoIterator<Item = Saying>) -> Self {
        Self {
            pin: None,
            steps: Vec::new(),
            looks: Vec::new(),
            sayings: sayings.into_iter().collect(),
            next,
            identity: None,
            released: false,
        }
    }

    /// Nothing can be decided before this has been read; what was said stays said.
    #[must_use]
    pub fn looking(looks: impl IntoIterator<Item = Look>) -> Self {
        Self { looks: looks.into_iter().collect(), ..Self::saying(Next::Moving { since: None }, []) }
    }

    /// A person must act.
    #[must_use]
    pub fn stuck(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        let stalled = say(ConditionType::Stalled, Truth::True, reason, message.clone());
        Self::saying(Next::Person, [ready(Truth::False, reason, message), stalled])
    }

    /// Nothing of the object is left to be done: its finalizer goes.
    #[must_use]
    pub fn released(reason: Reason, message: impl Into<String>) -> Self {
        Self { released: true, ..Self::saying(Next::Settled, [ready(Truth::False, reason, message)]) }
    }

    /// One step, and what is said meanwhile.
    #[must_use]
    pub fn doing(step: Step, token: Option<String>, sayings: Vec<Saying>, since: Option<Moment>) -> Self {
        Self { steps: vec![Planned { step, token }], ..Self::saying(Next::Moving { since }, sayings) }
    }

    /// The plan says this of a condition.
    #[must_use]
    pub fn says(&self, condition: ConditionType, truth: Truth) -> bool {
        self.sayings.iter().any(|saying| saying.condition == condition && saying.truth == truth)
    }

    /// Others must act; it is not an error.
    #[must_use]
    pub fn waiting(reason: Reason, message: impl Into<String>) -> Self {
        Self::saying(Next::Others, [ready(Truth::False, reason, message)])
    }

    /// A read that the plan needs failed. What was ready stays ready for a while, since nothing is known to have
    /// changed; what was not says why.
    #[must_use]
    pub fn unreadable(failure: &Failure, previous: &Common, failing_since: Moment, now: Moment) -> Self {
        let account = matches!(failure.meaning, Meaning::Credentials(_));
        let told =
            format!("the cloud cannot be read: {failure}{}", if account { "; see the CloudAccount" } else { "" });
        let reason = match failure.meaning {
            Meaning::UserMustAct(reason) | Meaning::Credentials(reason) | Meaning::Waiting(reason) => reason,
            Meaning::Throttled => Reason::Throttled,
            Meaning::Unavailable | Meaning::InTransition => Reason::CloudUnavailable,
            Meaning::Gone | Meaning::Done | Meaning::TokenReused | Meaning::DryRun | Meaning::Unexpected => {
                Reason::UnexpectedError
            }
        };
        if matches!(failure.meaning, Meaning::UserMustAct(_)) {
            return Self::stuck(reason, told);
        }
        let lasting = now.since(failing_since) >= GRACE;
        // What is wrong with credentials is said once, at the account.
        let silent = was_ready(previous) && (account || !lasting);
        let sayings = if silent { Vec::new() } else { vec![ready(Truth::False, reason, told)] };
        Self::saying(Next::Moving { since: Some(failing_since) }, sayings)
    }
}

/// How long trouble that passes by itself leaves a ready object ready.
const GRACE: Duration = Duration::from_mins(2);

/// What is said of readiness.
#[must_use]
pub fn ready(truth: Truth, reason: Reason, message: impl Into<String>) -> Saying {
    Saying { condition: ConditionType::Ready, truth, reason, message: message.into() }
}

/// What is said of a condition.
#[must_use]
pub fn say(condition: ConditionType, truth: Truth, reason: Reason, message: impl Into<String>) -> Saying {
    Saying { condition, truth, reason, message: message.into() }
}

/// The object was ready when its status was written last.
#[must_use]
pub fn was_ready(previous: &Common) -> bool {
    previous
        .conditions
        .iter()
        .any(|condition| condition.condition == ConditionType::Ready && condition.truth == Truth::True)
}

/// Where an object belongs and what is about to be made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Account.
    pub account: AccountId,
    /// Region.
    pub region: Region,
    /// How often the object has been made anew.
    pub incarnation: u32,
    /// The create call that is about to be made, or none where something is taken over.
    pub creating: Option<Creating>,
}

/// A create call that may be on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creating {
    /// When it was written down.
    pub at: Moment,
    /// Hash of the form.
    pub form: String,
}

/// A step with the token that its call carries; `None`: one that is new for each decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Step.
    pub step: Step,
    /// Token, where it is derived.
    pub token: Option<String>,
}

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// It is not known.
    Unknown,
}

/// What is said of one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// Condition.
    pub condition: ConditionType,
    /// Whether it holds.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// What happened, on which cloud object, and what the user can do.
    pub message: String,
}

/// When an object is looked at again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Something moves in the cloud: soon, and less often the longer it has moved.
    Moving {
        /// Since when, as far as the status knows.
        since: Option<Moment>,
    },
    /// At this moment: a step may be tried again then.
    At(Moment),
    /// Others must act: slowly.
    Others,
    /// A person must act: hourly.
    Person,
    /// Nothing is awaited: when something changes.
    Settled,
}

impl Next {
    /// The sooner of two.
    pub(crate) fn or_sooner(self, other: Self) -> Self {
        let haste = |next: Self| match next {
            Self::Moving { .. } => (0, Moment::default()),
            Self::At(at) => (1, at),
            Self::Others => (2, Moment::default()),
            Self::Person => (3, Moment::default()),
            Self::Settled => (4, Moment::default()),
        };
        if haste(other) < haste(self) { other } else { self }
    }
}

/// A step that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub failure: Failure,
    /// When it was refused last.
    pub at: Moment,
    /// How often in a row.
    pub attempts: u32,
    /// Generation of the spec that asked for it.
    pub generation: i64,
}

/// What became of the steps of one object, as far as this process knows. Lost in a crash, it costs at most
/// one refused call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    refused: Vec<(Step, Refused)>,
    /// When the connection of each of these endpoints was refused.
    rejected: BTreeMap<EndpointId, Moment>,
    doubts: BTreeMap<FacetKey, Moment>,
    lost_create: Option<Moment>,
    policy_reset: bool,
    closing: BTreeMap<(EndpointId, Zone), Moment>,
}

/// How long a replaced side may be shown as open after it was told to close.
const CLOSES: Duration = Duration::from_mins(2);

/// How long a refusal that a person must lift holds; then the step is tried once more.
const REFUSAL_HOLDS: Duration = Duration::from_hours(1);

/// How long it is known that we have refused a connection, at least: one that waits all the same after that is refused
/// once more.
const REJECTION_HOLDS: Duration = Duration::from_hours(24);

impl Tries {
    /// Remembers a refusal, and forgets those that have lost their meaning.
    fn refuse(&mut self, step: &Step, failure: Failure, at: Moment, generation: i64) {
        let before = self.refused.iter().find(|(tried, _)| tried == step);
        let attempts = before.map_or(0, |(_, refused)| refused.attempts) + 1;
        self.refused.retain(|(tried, refused)| {
            tried != step && refused.generation == generation && at.since(refused.at) < REFUSAL_HOLDS
        });
        self.refused.push((step.clone(), Refused { failure, at, attempts, generation }));
    }

    /// What became of a step: an effect to be laid over the snapshot, or a refusal that is remembered.
    pub fn settle(
        &mut self,
        step: &Step,
        result: Result<Done, Failure>,
        at: Moment,
        generation: i64,
    ) -> Option<Effect> {
        let done = match result {
            Ok(done) => done,
            Err(failure) if failure.meaning == Meaning::Done => Done::Accepted,
            Err(failure) => {
                if failure.maybe_done {
                    // No answer came: what was read before says nothing about what the call may have done.
                    if step.makes().is_some() {
                        self.lost_create = Some(at);
                    }
                    let object = step.object();
                    self.doubts.extend(overlay::touches(step, object.as_ref()).into_iter().map(|facet| (facet, at)));
                }
                self.refuse(step, failure, at, generation);
                return None;
            }
        };
        self.succeed(step, at);
        Some(Effect { at, step: step.clone(), done })
    }

    /// Remembers that a step was carried out: its refusals are over, and what stood in the way of others on the same
    /// object may stand there no more.
    fn succeed(&mut self, step: &Step, at: Moment) {
        let object = step.object();
        let moot = |tried: &Step, refused: &Refused| {
            let by_what_is_there = matches!(refused.failure.meaning, Meaning::UserMustAct(_) | Meaning::Waiting(_));
            // What was done to one connection or principal says nothing of another.
            let same = object.is_some() && tried.object() == object && tried.part() == step.part();
            // A load balancer for one zone is not yet one for each.
            by_what_is_there && same && !matches!(step, Step::PickResource(..))
        };
        self.refused.retain(|(tried, refused)| tried != step && !moot(tried, refused));
        match step {
            Step::RejectConnection(_, endpoint) => {
                self.rejected.retain(|_, since| at.since(*since) < REJECTION_HOLDS);
                self.rejected.insert(endpoint.clone(), at);
            }
            Step::AcceptConnection(_, endpoint, _) => {
                self.rejected.remove(endpoint);
            }
            Step::CloseReplaced(_, endpoint, zone) => {
                self.closing.retain(|_, since| at.since(*since) < CLOSES);
                self.closing.insert((endpoint.clone(), zone.clone()), at);
            }
            Step::ReplaceResource(_, endpoint, zone, _) => {
                self.closing.remove(&(endpoint.clone(), zone.clone()));
            }
            Step::UpdateEndpoint(_, change) => self.policy_reset = change.reset_policy,
            _ => {}
        }
    }

    /// What stands in the way of a step: its last refusal, unless the spec has changed since or it is old.
    #[must_use]
    pub fn refusal(&self, step: &Step, generation: i64, now: Moment) -> Option<&Refused> {
        self.refused
            .iter()
            .find(|(tried, _)| tried == step)
            .map(|(_, refused)| refused)
            .filter(|refused| refused.generation == generation && now.since(refused.at) < REFUSAL_HOLDS)
    }

    /// The parts of the cloud that a call without an answer may have changed, and since when they have to be
    /// read again.
    pub fn doubts(&self) -> impl Iterator<Item = (&FacetKey, Moment)> {
        self.doubts.iter().map(|(facet, at)| (facet, *at))
    }

    /// When a create call got no answer last.
    #[must_use]
    pub const fn lost_create(&self) -> Option<Moment> {
        self.lost_create
    }

    /// We have refused this endpoint's connection already.
    #[must_use]
    pub fn has_rejected(&self, endpoint: &EndpointId) -> bool {
        self.rejected.contains_key(endpoint)
    }

    /// The replaced side of this zone was told to close, and may still be shown as open.
    #[must_use]
    pub fn is_closing(&self, endpoint: &EndpointId, zone: &Zone, now: Moment) -> bool {
        // A key is built only where there is anything to be found.
        !self.closing.is_empty()
            && self.closing.get(&(endpoint.clone(), zone.clone())).is_some_and(|since| now.since(*since) < CLOSES)
    }

    /// The last change of the endpoint has returned it to the cloud's own policy, whatever that reads.
    #[must_use]
    pub const fn has_reset_policy(&self) -> bool {
        self.policy_reset
    }

    /// The last refusal of all, for the status.
    #[must_use]
    pub fn latest(&self) -> Option<&Refused> {
        let worth_telling = |refused: &&Refused| refused.failure.meaning != Meaning::InTransition;
        self.refused.iter().map(|(_, refused)| refused).filter(worth_telling).max_by_key(|refused| refused.at)
    }

    /// Forgets every refusal: the credentials have changed, or a person asks.
    pub fn forget(&mut self) {
        self.refused.clear();
    }
}
