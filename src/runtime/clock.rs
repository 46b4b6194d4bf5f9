//! The process's clock: wall time as of the start, carried on by the monotonic clock.
//!
//! What is read and what is written is ordered by these moments, so they never run backwards, whatever
//! happens to the machine's wall clock. They follow tokio's time: where a test pauses or moves that, they
//! stand or move with it.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use privatelink_core::moment::Moment;
use tokio::time::Instant;

struct Anchor {
    wall: Moment,
    instant: std::time::Instant,
}

static ANCHOR: OnceLock<Anchor> = OnceLock::new();

/// Now.
#[must_use]
pub fn now() -> Moment {
    let anchor = ANCHOR.get_or_init(|| Anchor { wall: wall(), instant: std::time::Instant::now() });
    let instant = Instant::now().into_std();
    // A paused clock may stand before the moment in which another test set the anchor.
    match instant.checked_duration_since(anchor.instant) {
        Some(after) => anchor.wall + after,
        None => anchor.wall - anchor.instant.duration_since(instant),
    }
}

fn wall() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Moment::default() + since
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
    fn it_starts_with_the_wall_s_time() {
        assert!(wall().since(now()) < Duration::from_mins(1));
        assert!(now().since(wall()) < Duration::from_mins(1));
    }
}
