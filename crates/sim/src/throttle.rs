//! How many calls an account may make: a bucket of tokens for each, filled at a steady rate.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::fixture::Limits;
use crate::world::AccountId;

/// The buckets of all accounts.
#[derive(Clone, Debug)]
pub struct Throttle {
    limits: Limits,
    limits_of: BTreeMap<AccountId, Limits>,
    buckets: BTreeMap<AccountId, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Timestamp,
}

impl Throttle {
    /// Full buckets: `limits` for all accounts that are not in `limits_of`.
    #[must_use]
    pub fn new(limits: Limits, limits_of: BTreeMap<AccountId, Limits>) -> Self {
        Self { limits, limits_of, buckets: BTreeMap::new() }
    }

    /// Takes a token of `account`.
    ///
    /// # Errors
    /// When there is none: how long it takes until there is one.
    pub fn take(&mut self, account: AccountId, now: Timestamp) -> Result<(), Duration> {
        let limits = self.limits_of.get(&account).copied().unwrap_or(self.limits);
        let full = f64::from(limits.burst);
        let bucket = self.buckets.entry(account).or_insert(Bucket { tokens: full, filled: now });
        let passed = now.duration_since(bucket.filled).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * limits.requests_per_second).min(full);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.tokens) / limits.requests_per_second;
        // A rate of nearly nothing would ask for a wait that no clock can hold.
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX).min(Duration::from_hours(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use jiff::{SignedDuration, Timestamp};

    use super::Throttle;
    use crate::fixture::Limits;
    use crate::world::AccountId;

    #[test]
    fn a_bucket_empties_and_fills_at_its_own_rate() {
        let slow = Limits { requests_per_second: 2.0, burst: 3 };
        let mut throttle = Throttle::new(Limits::default(), BTreeMap::from([(AccountId(1), slow)]));
        let start: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        for _ in 0..3 {
            assert_eq!(throttle.take(AccountId(1), start), Ok(()));
        }
        assert_eq!(throttle.take(AccountId(1), start), Err(Duration::from_millis(500)));
        assert_eq!(throttle.take(AccountId(2), start), Ok(()));
        let later = start + SignedDuration::from_millis(500);
        assert_eq!(throttle.take(AccountId(1), later), Ok(()));
        assert!(throttle.take(AccountId(1), later).is_err());
    }
}
