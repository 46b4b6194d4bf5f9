//! Points in time as values: a decision is given the time and never reads a clock.

use std::ops::{Add, Sub};
use std::time::Duration;

/// Milliseconds since the Unix epoch, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub i64,
);

impl Moment {
    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment without its fraction of a second, as Kubernetes keeps times.
    #[must_use]
    pub fn whole_second(self) -> Self {
        Self(self.0.div_euclid(1_000) * 1_000)
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(span)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_since_an_earlier_one_and_never_negative() {
        let early = Moment(1_500);
        assert_eq!((early + Duration::from_secs(2)).since(early), Duration::from_secs(2));
        assert_eq!(early.since(early + Duration::from_secs(2)), Duration::ZERO);
        assert_eq!((early - Duration::from_secs(3)).whole_second(), Moment(-2_000));
    }
}
