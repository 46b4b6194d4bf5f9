//! How a principal is let out, when its entry is deleted or has expired. In this order, or it could come back in
//! between: nothing is accepted any more; it goes off the list; what is connected is cut, where the entry asks for
//! it; and then it is looked at once more, until nothing is connected.

use crate::condition::{ConditionType, Reason};
use crate::desired::{Deletion, Revocation};
use crate::moment::Moment;
use crate::plan::case::{ANY, FRESH, stale};
use crate::plan::entry::Scene;
use crate::plan::entry::decide::{Decided, own, reject};
use crate::plan::entry::settle::{Tally, is_listed, is_own_account, list_looks, list_unconfirmed, listed, pace};
use crate::plan::outcome::{self, Outcome, Stand};
use crate::plan::{Plan, Saying, Truth, ready, say};
use crate::principal::{Principal, Whom};
use crate::read::FacetKey;
use crate::state::Decision;
use crate::step::Step;

/// What is done with an entry that is deleted or has expired, and decides on its principal.
pub(super) fn plan(scene: &Scene<'_>) -> Plan {
    if let Some(why) = scene.unapproved() {
        let mut plan = Plan::waiting(Reason::AdoptionApprovalNeeded, why.clone());
        plan.sayings.push(say(ConditionType::ConnectionsSettled, Truth::False, Reason::AdoptionApprovalNeeded, why));
        return plan;
    }
    let (input, id) = (scene.input, &scene.parent.id);
    let principal = &input.desired.principal;
    let mut tally = Tally::default();
    if let Some(since) = list_unconfirmed(scene) {
        let looks = list_looks(scene, since);
        tally.add(None, &if looks.is_empty() { Outcome::MOVES } else { Outcome::Looks(looks) });
        return tally.plan(
            scene,
            &[],
            sayings(scene, false, &format!("{principal} is being taken off the list of {id}")),
        );
    }
    // Before the object goes, the list is read once more.
    let fresh =
        if input.desired.deleting && !is_listed(scene) { input.ground.now - pace(scene).max(FRESH) } else { ANY };
    let looks = stale(input, &[FacetKey::Principals(id.clone())], fresh);
    if !looks.is_empty() {
        return Plan::looking(looks);
    }
    // What was put on its list by whomever means the same account lets it in all the same.
    let listed: Vec<&Principal> = if is_own_account(scene) { Vec::new() } else { listed(scene) };
    if let Some(first) = listed.first() {
        let stand = Stand::needs(Step::DisallowPrincipal(id.clone(), (*first).clone()));
        tally.add(None, &outcome::of(scene.input, scene.service, &stand, ""));
        let message = format!("{principal} is being taken off the list of {id}");
        return tally.plan(scene, &[], sayings(scene, true, &message));
    }
    let cut = if input.desired.revocation == Revocation::Disconnect { cut(scene) } else { Ok(Vec::new()) };
    let decided = match cut {
        Ok(decided) => decided,
        Err(plan) => return *plan,
    };
    for one in &decided {
        tally.add(Some(one), &outcome::of(scene.input, scene.service, &one.stand, &one.reason));
    }
    let open = decided.iter().filter(|one| one.stand != Stand::Settled).count();
    if open > 0 {
        let message = format!("{principal} is off the list of {id}; {open} of its connections are being cut");
        return tally.plan(scene, &decided, sayings(scene, false, &message));
    }
    let message = match input.desired.revocation {
        Revocation::Disconnect if matches!(principal.whom(), Whom::Part(..)) => format!(
            "{principal} is off the list of {id}; connections show their account alone, so none of a user or role was cut"
        ),
        Revocation::Disconnect => format!("{principal} is off the list of {id}, and nothing of it is connected"),
        Revocation::KeepConnections => format!("{principal} is off the list of {id}; its connections stay as they are"),
    };
    if input.desired.deleting {
        return Plan::released(Reason::Deleting, message);
    }
    let mut sayings = sayings(scene, false, &message);
    let told = format!("expiresAt has passed: {message}; set a later one, or delete this object");
    sayings.retain(|saying| saying.condition != ConditionType::Ready);
    sayings.push(ready(Truth::False, Reason::Expired, told.clone()));
    sayings.push(say(ConditionType::Stalled, Truth::True, Reason::Expired, told));
    tally.plan(scene, &decided, sayings)
}

/// What is to be done with each of its connections. They are read after the list was: whatever was let in while the
/// principal still stood on it shows.
fn cut<'a>(scene: &Scene<'a>) -> Result<Vec<Decided<'a>>, Box<Plan>> {
    let (input, id) = (scene.input, &scene.parent.id);
    let listed_at = scene.view.principals.at().unwrap_or(ANY);
    let looks = stale(input, &[FacetKey::Connections(id.clone())], listed_at);
    if !looks.is_empty() {
        return Err(Box::new(Plan::looking(looks)));
    }
    let since = Moment::default();
    Ok(own(scene)
        .into_iter()
        .map(|connection| {
            let (decision, stand, reason) = reject(scene, connection);
            Decided { connection, since, decision, stand, reason }
        })
        .collect())
}

/// What is said while a principal is let out.
fn sayings(scene: &Scene<'_>, still: bool, message: &str) -> Vec<Saying> {
    let reason = if scene.input.desired.deleting { Reason::Deleting } else { Reason::Expired };
    let truth = if still { Truth::True } else { Truth::False };
    vec![
        ready(Truth::False, reason, message),
        say(ConditionType::Allowed, truth, reason, message),
        say(ConditionType::ConnectionsSettled, Truth::False, reason, message),
    ]
}

/// What is decided on its connections, for the status.
pub(crate) fn all<'a>(scene: &Scene<'a>) -> Vec<Decided<'a>> {
    let disconnects = scene.input.desired.revocation == Revocation::Disconnect
        && !(scene.input.desired.deleting && scene.input.desired.deletion == Deletion::Retain);
    own(scene)
        .into_iter()
        .map(|connection| {
            let (decision, stand, reason) = if disconnects {
                reject(scene, connection)
            } else {
                (Decision::Leave, Stand::Settled, "the entry ends and keeps its connections".to_owned())
            };
            Decided { connection, since: Moment::default(), decision, stand, reason }
        })
        .collect()
}
