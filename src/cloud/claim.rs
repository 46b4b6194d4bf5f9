//! The right to write: until when this process is the one writer.

use tokio::sync::watch;
use tokio::time::Instant;

/// Until when this process may start calls that write.
///
/// Whoever renews the claim has taken the longest call off: a call that starts in time also ends in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody else can be the writer.
    Sole,
    /// Until this moment of the monotonic clock.
    Until(Instant),
    /// Not at all.
    No,
}

impl Claim {
    /// Whether a write may start now.
    #[must_use]
    pub fn holds(self) -> bool {
        match self {
            Self::Sole => true,
            Self::Until(until) => Instant::now() < until,
            Self::No => false,
        }
    }
}

/// The claim as whoever renews it last said.
#[derive(Clone, Debug)]
pub struct Claimed(watch::Receiver<Claim>);

impl Claimed {
    /// Follows `claim`.
    #[must_use]
    pub const fn new(claim: watch::Receiver<Claim>) -> Self {
        Self(claim)
    }

    /// Whether a write may start now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.0.borrow().holds()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_claim_ends_by_the_monotonic_clock_and_by_what_is_said_last() {
        let (said, claimed) = watch::channel(Claim::Until(Instant::now() + Duration::from_secs(1)));
        let claimed = Claimed::new(claimed);
        assert!(claimed.holds());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!claimed.holds());
        said.send_replace(Claim::Sole);
        assert!(claimed.holds());
        said.send_replace(Claim::No);
        drop(said);
        assert!(!claimed.holds(), "the last word holds when nobody renews any more");
    }
}
