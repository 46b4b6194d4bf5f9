//! The cloud's two times: the world's, which can be scaled, stopped and moved by hand, and the wall's, by
//! which callers date and sign their calls. Both run on tokio's clock, so that paused time holds for them too.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Timestamp,
    since: Instant,
    scale: f64,
    moved: SignedDuration,
    offset: SignedDuration,
}

impl Clock {
    /// A clock that shows `start` now. The world's time runs `scale` times as fast as the wall's; with 0 it
    /// stands until it is moved.
    #[must_use]
    pub fn new(start: Timestamp, scale: f64) -> Self {
        Self {
            start,
            since: Instant::now(),
            scale: scale.max(0.0),
            moved: SignedDuration::ZERO,
            offset: SignedDuration::ZERO,
        }
    }

    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn standing(start: Timestamp) -> Self {
        Self::new(start, 0.0)
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ran = SignedDuration::try_from_secs_f64(self.elapsed().as_secs_f64() * self.scale);
        let ran = ran.unwrap_or(SignedDuration::ZERO);
        self.start.checked_add(ran.saturating_add(self.moved)).unwrap_or(Timestamp::MAX)
    }

    /// The wall's time, as this cloud has it.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let since = self.elapsed().saturating_add(self.offset);
        let end = if since.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        self.start.checked_add(since).unwrap_or(end)
    }

    /// By how much the wall's time of this cloud is ahead of everybody else's.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        self.offset
    }

    /// Sets the wall's time ahead of everybody else's by `offset`, or back where that is negative. The world's time
    /// does not notice.
    pub fn set_offset(&mut self, offset: SignedDuration) {
        self.offset = offset;
    }

    /// Moves the world's time on by `by`.
    pub fn advance(&mut self, by: SignedDuration) {
        self.moved = self.moved.saturating_add(by);
    }

    fn elapsed(&self) -> SignedDuration {
        SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::Clock;

    #[test]
    fn the_walls_time_can_be_wrong_and_the_worlds_is_not() {
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let mut clock = Clock::standing(start);
        let shown = |clock: &Clock| clock.wall().as_second() - start.as_second();
        for minutes in [20, -20] {
            clock.set_offset(SignedDuration::from_mins(minutes));
            assert!((0..5).contains(&(shown(&clock) - minutes * 60)));
            assert_eq!((clock.now(), clock.offset()), (start, SignedDuration::from_mins(minutes)));
        }
        clock.set_offset(SignedDuration::MIN);
        assert_eq!(clock.wall(), Timestamp::MIN);
    }

    #[tokio::test(start_paused = true)]
    async fn the_worlds_time_is_scaled_and_the_walls_is_not() {
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let (mut running, mut standing) = (Clock::new(start, 60.0), Clock::standing(start));
        tokio::time::advance(Duration::from_secs(2)).await;
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        assert_eq!((running.now(), running.wall()), (after(120), after(2)));
        assert_eq!((standing.now(), standing.wall()), (start, after(2)));
        running.advance(SignedDuration::from_secs(5));
        standing.advance(SignedDuration::from_secs(5));
        assert_eq!((running.now(), running.wall()), (after(125), after(2)));
        assert_eq!((standing.now(), standing.wall()), (after(5), after(2)));
    }
}
