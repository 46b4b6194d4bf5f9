//! What comes of a decision now: a call, a look, a wait. A call that is refused holds back no other.

use crate::condition::Reason;
use crate::error::Meaning;
use crate::moment::Moment;
use crate::observed::Service;
use crate::plan::attempt::{Standing, standing};
use crate::plan::case::{Subject, moving_since};
use crate::plan::{GRACE, Refused};
use crate::read::Look;
use crate::state::LifeState;
use crate::step::Step;

/// How far something is from what was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It is so, or waits by what the spec asks for.
    Settled,
    /// The cloud is changing it, or what we did has not been seen yet.
    Moves,
    /// This call is next.
    Needs(Box<Step>),
    /// Others must act.
    Waits(Reason),
    /// A person must act.
    Person(Reason),
}

impl Stand {
    pub(crate) fn needs(step: Step) -> Self {
        Self::Needs(Box::new(step))
    }
}

/// What comes of one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is so.
    Settled,
    /// The call is made now.
    Step(Box<Step>),
    /// Something is looked at before anything is concluded.
    Looks(Vec<Look>),
    /// It moves, or passes by itself.
    Moves {
        /// What is said of it.
        reason: Reason,
        /// In a sentence, where there is more to say than that it moves.
        told: Option<String>,
        /// When the call may be made again, where it was refused.
        due: Option<Moment>,
        /// It is not told of an object that was ready: nothing is known to have changed.
        silent: bool,
    },
    /// Others must act; the call is tried again at `due`.
    Waits(Reason, String, Option<Moment>),
    /// A person must act.
    Person(Reason, String),
}

impl Outcome {
    pub(crate) const MOVES: Self = Self::Moves { reason: Reason::Provisioning, told: None, due: None, silent: false };
}

/// What comes of a decision about something of `service`, for which `why` was given.
pub(crate) fn of<S: Subject>(case: &S, service: &Service, stand: &Stand, why: &str) -> Outcome {
    match stand {
        Stand::Settled => Outcome::Settled,
        Stand::Moves => Outcome::MOVES,
        Stand::Waits(reason) => Outcome::Waits(*reason, why.to_owned(), None),
        Stand::Person(reason) => Outcome::Person(*reason, why.to_owned()),
        Stand::Needs(step) => of_step(case, service, step),
    }
}

fn of_step<S: Subject>(case: &S, service: &Service, step: &Step) -> Outcome {
    if service.locked && opens(step) {
        let told =
            format!("{} is locked because its account owes money: settle the bill in the cloud's console", service.id);
        return Outcome::Person(Reason::BillingLocked, told);
    }
    if service.state != LifeState::Active && needs_active(step) {
        return Outcome::MOVES;
    }
    match standing(case, step) {
        Standing::Free => Outcome::Step(Box::new(step.clone())),
        Standing::Looks(looks) => Outcome::Looks(looks),
        Standing::Refused { refused, meaning, due } => {
            if case.ground().now >= due || has_changed_since(step, refused) {
                return Outcome::Step(Box::new(step.clone()));
            }
            refusal(case, step, refused, meaning, due)
        }
    }
}

/// A connection that was refused for want of load balancers is only asked for again once each of its zones has one.
fn has_changed_since(step: &Step, refused: &Refused) -> bool {
    matches!(step, Step::AcceptConnection(..))
        && refused.failure.meaning == Meaning::Waiting(Reason::NoResourceInZone)
        && refused.attempts == 1
}

fn refusal<S: Subject>(case: &S, step: &Step, refused: &Refused, meaning: Meaning, due: Moment) -> Outcome {
    let failure = &refused.failure;
    let told = format!("{} of {}: {failure}", step.verb(), step.subject());
    let moves = |reason, silent| Outcome::Moves { reason, told: Some(told.clone()), due: Some(due), silent };
    match meaning {
        Meaning::UserMustAct(reason) => Outcome::Person(reason, told),
        Meaning::Waiting(reason) => Outcome::Waits(reason, told, Some(due)),
        // The account says it once.
        Meaning::Credentials(reason) => moves(reason, true),
        Meaning::Throttled | Meaning::Unavailable => {
            let since = moving_since(case).unwrap_or(refused.at);
            let lasting = refused.attempts > 1 && case.ground().now.since(since) >= GRACE;
            let throttled = meaning == Meaning::Throttled;
            moves(if throttled { Reason::Throttled } else { Reason::CloudUnavailable }, !lasting)
        }
        // Nothing of it is awaited.
        Meaning::Unexpected => Outcome::Waits(Reason::UnexpectedError, told, Some(due)),
        Meaning::InTransition | Meaning::Gone | Meaning::Done | Meaning::DryRun | Meaning::TokenReused => {
            moves(Reason::Provisioning, false)
        }
    }
}

const fn opens(step: &Step) -> bool {
    !matches!(step, Step::RejectConnection(..) | Step::DisallowPrincipal(..) | Step::DisconnectZone(..))
}

/// The cloud takes these calls only while the service is not being changed.
const fn needs_active(step: &Step) -> bool {
    matches!(
        step,
        Step::AllowPrincipal(..)
            | Step::DisallowPrincipal(..)
            | Step::PickResource(..)
            | Step::AssignResource(..)
            | Step::ReplaceResource(..)
            | Step::CloseReplaced(..)
            | Step::ConnectZone(..)
            | Step::DisconnectZone(..)
    )
}
