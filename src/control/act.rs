//! The only cloud writes: each step of a plan leaves when the gate lets it, under a token of its own.

use std::collections::BTreeSet;

use privatelink_core::error::Meaning;
use privatelink_core::plan::Planned;
use privatelink_core::step::Exclusion;

use crate::cloud::gate::Turn;
use crate::cloud::pool::Site;
use crate::object::ObjectKey;

use super::account::doubt;
use super::context::{Context, Mind};

/// Length of a token that is drawn, in bytes before they are written as hexadecimal digits.
const TOKEN: usize = 16;

/// Calls that one turn makes at most: what has become of the spec, of the service and of who decides meanwhile is seen
/// by the next one.
const MOST: usize = 8;

/// What became of a plan's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// At least one call was answered: the world is to be looked at again.
    pub answered: bool,
    /// At least one waits for its turn at the gate.
    pub queued: bool,
    /// At least one is left for the next turn.
    pub more: bool,
}

/// Makes the steps that may be made now. What the process is told to end for is not begun any more.
pub async fn act(
    context: &Context,
    site: &Site,
    account: &str,
    key: &ObjectKey,
    generation: i64,
    mind: &mut Mind,
    steps: &[Planned],
) -> Acted {
    let wanted: BTreeSet<Exclusion> = steps.iter().map(|planned| planned.step.exclusion()).collect();
    site.gate().retain(key, &wanted.into_iter().collect::<Vec<_>>());
    let names: BTreeSet<String> = steps.iter().map(|planned| format!("{:?}", planned.step)).collect();
    mind.tokens.retain(|step, _| names.contains(step));
    mind.drift.retain(|step| names.contains(step));
    if mind.settled {
        let restoring = steps.iter().filter(|planned| planned.step.restores());
        mind.drift.extend(restoring.map(|planned| format!("{:?}", planned.step)));
    }
    let mut acted = Acted::default();
    let mut made = 0;
    for Planned { step, token } in steps {
        if made == MOST {
            acted.more = true;
            break;
        }
        if context.stop.is_requested() || context.may_write().is_err() {
            break;
        }
        let Turn::Now(mut permit) = site.gate().turn(key, &step.exclusion(), step.lane()) else {
            acted.queued = true;
            continue;
        };
        made += 1;
        let name = format!("{step:?}");
        let token = match token {
            Some(token) => token.clone(),
            None => mind.tokens.entry(name.clone()).or_insert_with(draw).clone(),
        };
        let result = site.execute(account, &mut permit, step, &token).await;
        let (verb, subject) = (step.verb(), step.subject());
        match &result {
            Ok(_) => tracing::info!(step = verb, subject, account, "done"),
            Err(failure) => tracing::info!(
                step = verb,
                subject,
                account,
                code = failure.code,
                request_id = failure.request_id,
                meaning = ?failure.meaning,
                "refused: {}",
                failure.message
            ),
        }
        if matches!(&result, Err(failure) if matches!(failure.meaning, Meaning::Credentials(_))) {
            doubt(context, account);
        }
        // The same call is repeated with the same token; another decision is another token.
        let repeats =
            matches!(&result, Err(failure) if matches!(failure.meaning, Meaning::Throttled | Meaning::Unavailable));
        if !repeats {
            mind.tokens.remove(&name);
            if mind.drift.remove(&name) && result.is_ok() {
                context.tally.corrected(key.kind);
            }
        }
        acted.answered = true;
        // Before the permit goes: whoever is next at the gate plans with what was done here.
        // What was read before is no word on what it has done, nor on a call whose answer was lost.
        if let Some(effect) = mind.tries.settle(step, result, site.observer().written(), generation) {
            site.observer().record(effect);
        }
        drop(permit);
    }
    acted
}

/// A token that nobody else has.
fn draw() -> String {
    let mut bytes = [0_u8; TOKEN];
    // Where the system has no randomness, nothing that runs here is safe, TLS first of all.
    getrandom::fill(&mut bytes).expect("the system draws random numbers");
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_differ() {
        assert_ne!(draw(), draw());
        assert_eq!(draw().len(), 2 * TOKEN);
    }
}
