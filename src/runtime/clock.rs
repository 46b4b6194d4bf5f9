//! The process's clock: wall time as of the start, carried on by the monotonic clock.
//!
//! What is read and what is written is ordered by these moments, so they never run backwards, whatever
//! happens to the machine's wall clock. They follow tokio's time: where a test pauses or moves that, they
//! stand or move with it.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use privatelink_core::moment::Moment;
use tokio::time::Instant;

/// Where the process's clock begins, in nanoseconds since the Unix epoch, and when that was.
struct Anchor {
    wall: i128,
    instant: std::time::Instant,
}

static ANCHOR: OnceLock<Anchor> = OnceLock::new();

/// Now.
#[must_use]
pub fn now() -> Moment {
    let anchor = ANCHOR.get_or_init(|| Anchor { wall: wall(), instant: std::time::Instant::now() });
    let instant = Instant::now().into_std();
    // A paused clock may stand before the moment in which another test set the anchor.
    let since = match instant.checked_duration_since(anchor.instant) {
        Some(after) => signed(after),
        None => -signed(anchor.instant.duration_since(instant)),
    };
    let millis = (anchor.wall + since).div_euclid(NANOS_A_MILLISECOND);
    Moment(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Now as the machine's wall clock shows it, also after somebody has set that: what calls are dated by.
#[must_use]
pub fn wall_now() -> Moment {
    let now = now();
    let Some(anchor) = ANCHOR.get() else { return now };
    let set_by = wall() - anchor.wall - signed(anchor.instant.elapsed());
    Moment(now.0.saturating_add(i64::try_from(set_by / NANOS_A_MILLISECOND).unwrap_or_default()))
}

const NANOS_A_MILLISECOND: i128 = 1_000_000;

fn wall() -> i128 {
    signed(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
}

fn signed(span: Duration) -> i128 {
    i128::try_from(span.as_nanos()).unwrap_or(i128::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_stands_and_moves_with_tokio_s_time() {
        let before = now();
        assert_eq!(now(), before);
        tokio::time::advance(Duration::from_millis(1_500)).await;
        assert_eq!(now(), before + Duration::from_millis(1_500));
    }

    #[test]
    fn calls_are_dated_by_the_wall_s_time() {
        let apart = i128::from(wall_now().0) * NANOS_A_MILLISECOND - wall();
        assert!(apart.abs() < signed(Duration::from_secs(1)), "{apart} ns");
    }

    #[test]
    fn it_starts_with_the_wall_s_time() {
        let apart = i128::from(now().0) * NANOS_A_MILLISECOND - wall();
        assert!(apart.abs() < signed(Duration::from_mins(1)), "{apart} ns");
    }
}
