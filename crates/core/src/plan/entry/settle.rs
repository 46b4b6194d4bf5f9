//! What is done and said while an entry is live: the principal on the list, and each connection as was decided.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::desired::Policy;
use crate::moment::Moment;
use crate::plan::case::{FRESH, Subject, moving_since, stale};
use crate::plan::entry::Scene;
use crate::plan::entry::decide::{self, Decided};
use crate::plan::outcome::{self, Outcome, Stand};
use crate::plan::{Next, Pin, Plan, Planned, Saying, Truth, ready, say, was_ready};
use crate::principal::Principal;
use crate::read::{FacetKey, Look};
use crate::state::LifeState;
use crate::step::{Part, Step, Traffic};

/// Connections that are named in a message at most.
const NAMED: usize = 5;

/// One turn of an entry that is live and decides.
pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    let decided = decide::all(scene);
    let principal = principal(scene);
    let mut tally = Tally::default();
    tally.add(None, &principal.outcome);
    let outcomes: Vec<Outcome> =
        decided.iter().map(|one| outcome::of(scene.input, scene.service, &one.stand, &one.reason)).collect();
    for (one, outcome) in decided.iter().zip(&outcomes) {
        tally.add(Some(one), outcome);
    }
    let sayings = sayings(scene, principal.saying, &decided, &tally);
    tally.plan(scene, &decided, sayings)
}

/// The principal and what comes of it.
struct Listed {
    saying: Saying,
    outcome: Outcome,
}

/// The forms in which the list names whom the entry names.
pub(super) fn listed<'a>(scene: &Scene<'a>) -> Vec<&'a Principal> {
    let whom = scene.input.desired.principal.whom();
    scene.view.principals.value().into_iter().flatten().filter(|one| one.whom() == whom).collect()
}

/// How old the list may be when it is asked for again: a long one takes many calls, and whoever waits for it shares
/// them.
pub(super) fn pace(scene: &Scene<'_>) -> Duration {
    let listed = scene.view.principals.value().map_or(0, BTreeSet::len);
    FRESH * u32::try_from(listed / A_PAGE).unwrap_or(u32::MAX)
}

/// Principals that one call shows, roughly.
const A_PAGE: usize = 50;

/// A look at the list, which must have left at `since` or later, unless the last one is too young for that.
pub(super) fn list_looks(scene: &Scene<'_>, since: Moment) -> Vec<Look> {
    let young = scene.view.principals.at().is_some_and(|at| at + pace(scene) > scene.input.ground.now);
    if young { Vec::new() } else { stale(scene.input, &[FacetKey::Principals(scene.parent.id.clone())], since) }
}

/// The principal is let in by the list, in whatever form.
pub(super) fn is_listed(scene: &Scene<'_>) -> bool {
    let as_written = scene.view.principals.value().is_some_and(|all| all.contains(&scene.input.desired.principal));
    as_written || !listed(scene).is_empty()
}

/// The service's own account needs no place on its list, and is never taken off it.
pub(super) fn is_own_account(scene: &Scene<'_>) -> bool {
    scene.input.desired.principal.whom() == crate::principal::Whom::Account(scene.place().account.clone())
}

/// Since when a read confirms what we did to the list, where none has yet.
pub(super) fn list_unconfirmed(scene: &Scene<'_>) -> Option<Moment> {
    let whom = scene.input.desired.principal.whom();
    let ours = |part: &Part| matches!(part, Part::Principal(id, principal) if *id == scene.parent.id && principal.whom() == whom);
    let parts = &scene.input.ground.laid.unconfirmed_parts;
    parts.iter().filter(|(part, _)| ours(part)).map(|(_, since)| *since).max()
}

fn principal(scene: &Scene<'_>) -> Listed {
    let (id, principal) = (&scene.parent.id, &scene.input.desired.principal);
    let allowed = |message: String| say(ConditionType::Allowed, Truth::True, Reason::Ready, message);
    let not_yet = |reason, message: String| say(ConditionType::Allowed, Truth::False, reason, message);
    if is_own_account(scene) {
        let message = format!("{principal} is the service's own account, which needs no place on its list");
        return Listed { saying: allowed(message), outcome: Outcome::Settled };
    }
    if let Some(since) = list_unconfirmed(scene) {
        let saying = not_yet(Reason::Provisioning, format!("{principal} is being put on the list of {id}"));
        let looks = list_looks(scene, since);
        return Listed { saying, outcome: if looks.is_empty() { Outcome::MOVES } else { Outcome::Looks(looks) } };
    }
    if is_listed(scene) {
        return Listed { saying: allowed(format!("{principal} is on the list of {id}")), outcome: Outcome::Settled };
    }
    if scene.parent.deleting {
        let message = format!("{id} is being deleted, and nobody is let in any more");
        let outcome = Outcome::Waits(Reason::WaitingForService, message.clone(), None);
        return Listed { saying: not_yet(Reason::WaitingForService, message), outcome };
    }
    let stand = Stand::needs(Step::AllowPrincipal(id.clone(), principal.clone()));
    let outcome = outcome::of(scene.input, scene.service, &stand, "");
    let saying = match &outcome {
        Outcome::Person(reason, told)
        | Outcome::Waits(reason, told, _)
        | Outcome::Moves { reason, told: Some(told), .. } => not_yet(*reason, told.clone()),
        _ => not_yet(Reason::Provisioning, format!("{principal} is being put on the list of {id}")),
    };
    Listed { saying, outcome }
}

/// Whose business it is that something is not as declared; what comes first is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Person,
    Others,
    Cloud,
    Ours,
}

/// All that comes of the decisions of one turn.
#[derive(Default)]
pub(super) struct Tally {
    steps: Vec<Planned>,
    looks: Vec<Look>,
    /// Something moves that no time is known for.
    moves: bool,
    due: Option<Moment>,
    /// What is not told of an object that was ready.
    silent: bool,
    /// What keeps the connections from being as declared.
    unsettled: Vec<(Rank, Reason, String)>,
    /// What keeps the principal from being on the list.
    barred: Option<(Rank, Reason, String)>,
}

impl Tally {
    pub(super) fn add(&mut self, one: Option<&Decided<'_>>, outcome: &Outcome) {
        let mut due_at = |due: Option<Moment>| self.due = [self.due, due].into_iter().flatten().min();
        let why = one.map_or("", |one| one.reason.as_str());
        let (rank, reason, told) = match outcome {
            Outcome::Settled => return,
            Outcome::Step(step) => {
                self.steps.push(Planned { step: (**step).clone(), token: None });
                (Rank::Ours, Reason::Provisioning, why.to_owned())
            }
            Outcome::Looks(looks) => {
                self.looks.extend(looks.iter().cloned());
                self.moves = true;
                (Rank::Ours, Reason::Provisioning, why.to_owned())
            }
            Outcome::Moves { reason, told, due, silent } => {
                due_at(*due);
                self.moves |= due.is_none();
                self.silent |= silent;
                (Rank::Cloud, *reason, told.clone().unwrap_or_else(|| why.to_owned()))
            }
            Outcome::Waits(reason, told, due) => {
                due_at(*due);
                (Rank::Others, *reason, told.clone())
            }
            Outcome::Person(reason, told) => (Rank::Person, *reason, told.clone()),
        };
        match one {
            None => self.barred = Some((rank, reason, told)),
            Some(one) => {
                let endpoint = one.connection.endpoint.as_str();
                let told = if told.contains(endpoint) { told } else { format!("{endpoint}: {told}") };
                self.unsettled.push((rank, reason, told));
            }
        }
    }

    /// The gravest reason, and the connections that are not as declared.
    fn gravest(&self) -> Option<(Reason, String)> {
        let mut all: Vec<&(Rank, Reason, String)> = self.unsettled.iter().collect();
        all.sort_by_key(|(rank, ..)| *rank);
        let (_, reason, _) = all.first()?;
        let named: Vec<&str> = all.iter().take(NAMED).map(|(.., told)| told.as_str()).collect();
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Some((*reason, format!("{}{more}", named.join("; "))))
    }

    /// Something is the business of these.
    fn has(&self, rank: Rank) -> bool {
        self.unsettled.iter().chain(&self.barred).any(|(one, ..)| *one == rank)
    }

    /// Something is being done, or awaited of the cloud.
    const fn is_moving(&self) -> bool {
        self.moves || !self.steps.is_empty()
    }

    /// The turn: what must be written first, what is done, when it is looked at again.
    pub(super) fn plan(self, scene: &Scene<'_>, decided: &[Decided<'_>], mut sayings: Vec<Saying>) -> Plan {
        let input = scene.input;
        let since = moving_since(input);
        let (waits, persons) = (self.has(Rank::Others), self.has(Rank::Person));
        let next = match self.due {
            _ if self.is_moving() => Next::Moving { since },
            Some(due) => Next::At(due),
            None if waits => Next::Others,
            None if persons => Next::Person,
            None => Next::Settled,
        };
        if self.is_moving() || (self.due.is_some() && !waits && !persons) {
            let doing = self.steps.first().map_or("the cloud is changing something", |planned| doing(&planned.step));
            sayings.push(say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, doing));
        } else if persons && let Some((reason, message)) = self.stalled() {
            sayings.push(say(ConditionType::Stalled, Truth::True, reason, message));
        }
        if self.silent && !waits && !persons && was_ready(&input.status.common) {
            sayings.retain(|saying| saying.condition != ConditionType::Ready);
        }
        let mut plan = Plan::saying(next, sayings);
        if is_written_first(scene, &self.steps) {
            let place = scene.place();
            let (account, region) = (place.account.clone(), place.region.clone());
            plan.pin = Some(Pin { account, region, incarnation: 0, creating: None });
            return plan;
        }
        plan.steps = self.steps;
        if plan.steps.is_empty() {
            plan.looks = self.looks;
            plan.looks.extend(looks(scene, decided, self.moves));
            plan.looks.sort();
            plan.looks.dedup();
        }
        plan
    }

    fn stalled(&self) -> Option<(Reason, String)> {
        match &self.barred {
            Some((Rank::Person, reason, told)) => Some((*reason, told.clone())),
            _ => self.gravest(),
        }
    }
}

/// What has to be read again: what moves, and what was done and no read has shown yet.
fn looks(scene: &Scene<'_>, decided: &[Decided<'_>], moves: bool) -> Vec<Look> {
    let (input, id) = (scene.input, &scene.parent.id);
    let fresh = input.ground().now - FRESH;
    let mut looks = Vec::new();
    // One read serves all that wait, and shows what was done since the last one.
    if decided.iter().any(|one| one.stand == Stand::Moves) {
        looks.extend(stale(input, &[FacetKey::Connections(id.clone())], fresh));
    }
    // Whatever moves may be a call that waits for the service, opening or closing.
    if scene.service.state != LifeState::Active && moves {
        looks.extend(stale(input, &[FacetKey::Services], fresh));
    }
    looks
}

/// What must stand in the status before a call is made: that a bandwidth was declared, so that its removal is seen
/// after a crash; and that we decide on connections, before the first is cut, so that it is known whose hand it was.
fn is_written_first(scene: &Scene<'_>, steps: &[Planned]) -> bool {
    let status = &scene.input.status.common;
    let cuts = steps.iter().any(|planned| matches!(planned.step, Step::RejectConnection(..)));
    let decided = status.conditions.iter().any(|one| one.condition == ConditionType::ConnectionsSettled);
    let sets = steps.iter().any(|planned| match &planned.step {
        Step::AcceptConnection(_, _, traffic) | Step::SetTraffic(_, _, traffic) => *traffic != Traffic::default(),
        _ => false,
    });
    cuts && !decided || sets && !scene.input.declared_fields().is_subset(&status.declared_fields)
}

const fn doing(step: &Step) -> &'static str {
    match step {
        Step::AllowPrincipal(..) => "the principal is being put on the list",
        Step::DisallowPrincipal(..) => "the principal is being taken off the list",
        Step::RejectConnection(..) => "connections are being cut",
        Step::SetTraffic(..) => "the bandwidth of connections is being changed",
        Step::ConnectZone(..) => "zones are being connected",
        _ => "connections are being accepted",
    }
}

/// What is true of the principal and its connections now.
fn sayings(scene: &Scene<'_>, allowed: Saying, decided: &[Decided<'_>], tally: &Tally) -> Vec<Saying> {
    let is_allowed = allowed.truth == Truth::True;
    let settled = match tally.gravest() {
        None => say(ConditionType::ConnectionsSettled, Truth::True, Reason::Ready, summary(scene, decided)),
        Some((reason, message)) => say(ConditionType::ConnectionsSettled, Truth::False, reason, message),
    };
    let readiness = if !is_allowed {
        ready(Truth::False, allowed.reason, allowed.message.clone())
    } else if scene.parent.deleting {
        let message = format!("{} is being deleted: nothing is accepted on it any more", scene.service.id);
        ready(Truth::False, Reason::WaitingForService, message)
    } else if settled.truth == Truth::True {
        let none = decided.is_empty() && scene.input.desired.policy != Policy::Reject;
        let reason = if none { Reason::WaitingForConsumer } else { Reason::Ready };
        ready(Truth::True, reason, format!("{}; {}", allowed.message, settled.message))
    } else {
        ready(Truth::False, settled.reason, settled.message.clone())
    };
    vec![allowed, settled, readiness]
}

fn summary(scene: &Scene<'_>, decided: &[Decided<'_>]) -> String {
    let whose = match scene.input.desired.policy {
        Policy::Leave => "its connections are left to others",
        Policy::Reject => "its connections are refused",
        Policy::Accept(_) => "its connections are as declared",
    };
    match decided.len() {
        0 if scene.input.desired.policy == Policy::Leave => whose.to_owned(),
        0 => "it has no connection yet".to_owned(),
        _ => whose.to_owned(),
    }
}
