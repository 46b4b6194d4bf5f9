//! When to look again: pauses as arithmetic, with jitter that is seeded by the object and thus repeatable.

use std::time::Duration;

use crate::error::Meaning;
use crate::moment::Moment;
use crate::plan::Next;

/// First pause while something moves in the cloud; most changes of the clouds take a few seconds.
const MOVING_FIRST: Duration = Duration::from_secs(1);
/// Longest pause while something moves: what takes minutes need not be asked for every second.
const MOVING_LONGEST: Duration = Duration::from_secs(15);
/// First pause after a failure that passes.
const RETRY_FIRST: Duration = Duration::from_secs(2);
/// Longest pause after a failure that passes.
const RETRY_LONGEST: Duration = Duration::from_mins(5);
/// First pause after a refusal that others must lift: often they are about to.
const WAITING_FIRST: Duration = Duration::from_secs(15);
/// Pause while others must act: sweeps wake the object when they see a change, this is for what they miss.
const OTHERS: Duration = Duration::from_mins(2);
/// Pause while the account must be mended; a changed Secret wakes its objects at once.
const ACCOUNT: Duration = Duration::from_mins(1);
/// Pause while a person must act; a changed spec wakes the object at once.
const PERSON: Duration = Duration::from_hours(1);

/// How long after a refusal the same step may be tried again.
#[must_use]
pub fn pause(meaning: Meaning, attempts: u32, at_least: Option<Duration>, seed: &str) -> Duration {
    let pause = match meaning {
        Meaning::Done | Meaning::DryRun | Meaning::TokenReused => Duration::ZERO,
        Meaning::InTransition | Meaning::Gone => growing(MOVING_FIRST, MOVING_LONGEST, attempts),
        Meaning::Throttled | Meaning::Unavailable | Meaning::Unexpected => {
            growing(RETRY_FIRST, RETRY_LONGEST, attempts)
        }
        Meaning::Waiting(_) => growing(WAITING_FIRST, OTHERS, attempts),
        Meaning::Credentials(_) => ACCOUNT,
        Meaning::UserMustAct(_) => PERSON,
    };
    jittered(pause, seed).max(at_least.unwrap_or_default())
}

/// How long after `now` the object is looked at again, if nothing wakes it before; `None`: not by itself.
#[must_use]
pub fn after(next: Next, now: Moment, seed: &str) -> Option<Duration> {
    match next {
        Next::Moving { since } => {
            // The longer it has moved, the longer it may be left alone: a quarter of its age.
            let age = since.map_or(Duration::ZERO, |since| now.since(since));
            Some(jittered((age / 4).clamp(MOVING_FIRST, MOVING_LONGEST), seed))
        }
        Next::At(moment) => Some(moment.since(now).max(MOVING_FIRST)),
        Next::Others => Some(jittered(OTHERS, seed)),
        Next::Person => Some(jittered(PERSON, seed)),
        Next::Settled => None,
    }
}

fn growing(first: Duration, longest: Duration, attempts: u32) -> Duration {
    first.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(longest)
}

/// Up to a quarter longer, by a hash of the seed: objects that failed together do not return together.
fn jittered(pause: Duration, seed: &str) -> Duration {
    let hash = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let part = u32::try_from(hash % 1_000).unwrap_or(0);
    pause + pause / 4 * part / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Reason;

    #[test]
    fn pauses_grow_to_their_bound() {
        let of = |attempts| pause(Meaning::Unavailable, attempts, None, "");
        assert!(of(1) >= RETRY_FIRST && of(1) < of(2) && of(2) < of(5));
        assert!(of(60) >= RETRY_LONGEST && of(60) <= RETRY_LONGEST * 5 / 4);
    }

    #[test]
    fn what_others_must_lift_is_tried_again_soon_and_then_ever_less_often() {
        let of = |attempts| pause(Meaning::Waiting(Reason::NotWhitelisted), attempts, None, "");
        assert!(of(1) >= WAITING_FIRST && of(1) < of(2) && of(2) < of(4));
        assert!(of(60) >= OTHERS && of(60) <= OTHERS * 5 / 4);
    }

    #[test]
    fn the_clouds_own_wish_is_a_lower_bound() {
        let wish = Duration::from_secs(400);
        assert_eq!(pause(Meaning::Throttled, 1, Some(wish), "a"), wish);
    }

    #[test]
    fn jitter_differs_by_object_and_is_repeatable() {
        let of = |seed| after(Next::Others, Moment(0), seed);
        assert_eq!(of("a"), of("a"));
        assert_ne!(of("a"), of("b"));
        for seed in ["a", "b", "c"] {
            let pause = of(seed).expect("others are polled");
            assert!(pause >= OTHERS && pause <= OTHERS * 5 / 4, "{pause:?}");
        }
    }

    #[test]
    fn what_has_moved_for_long_is_asked_for_less_often() {
        let since = Some(Moment(0));
        let at = |seconds: i64| after(Next::Moving { since }, Moment(seconds * 1_000), "").expect("polled");
        assert!(at(0) < at(20) && at(20) < at(600));
        assert!(at(600) <= MOVING_LONGEST * 5 / 4);
    }
}
