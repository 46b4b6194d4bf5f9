//! How often one place is called: token buckets as arithmetic.
//!
//! All calls share one rate; polls may take at most half of it, so that writes always find the other half.
//! A throttled call halves the rate, each answered one gives a hundredth of the declared rate back.

use std::time::Duration;

use crate::moment::Moment;

/// Tokens are counted in millionths, so that a rate in thousandths a second adds whole numbers each millisecond.
const TOKEN: u64 = 1_000_000;

/// Calls that were on their way together are throttled together: within this time they count as one.
const ONE_THROTTLING: Duration = Duration::from_secs(1);

/// However often it is throttled, a place is called once in this time: otherwise nobody learns that it is over.
const SLOWEST: Duration = Duration::from_secs(10);

/// How often a place may be called, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limits {
    /// Calls a second over time; at least 1.
    pub per_second: u32,
    /// Calls at once after a pause; at least 1.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 10, burst: 20 }
    }
}

impl Limits {
    /// The smaller of each: what holds where several accounts share a place.
    #[must_use]
    pub fn smallest(self, other: Self) -> Self {
        Self { per_second: self.per_second.min(other.per_second), burst: self.burst.min(other.burst) }
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// It changes something.
    Write,
    /// It looks.
    Poll,
}

/// Whether a call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Now; its token is taken.
    Now,
    /// Not before this moment; nothing is taken.
    NotBefore(Moment),
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// Thousandths of a token a second, which is millionths a millisecond.
    rate: u64,
    /// Most millionths of a token that it holds.
    burst: u64,
    /// Millionths of a token in it at `at`.
    level: u64,
    at: Moment,
}

impl Bucket {
    fn fill(&mut self, now: Moment) {
        let millis = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_add(millis.saturating_mul(self.rate)).min(self.burst);
        self.at = self.at.max(now);
    }

    /// When it holds a whole token, if nobody takes one before.
    fn full_token(&self) -> Moment {
        let missing = TOKEN.saturating_sub(self.level);
        self.at + Duration::from_millis(missing.div_ceil(self.rate))
    }
}

/// How often one place is called, at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    limits: Limits,
    all: Bucket,
    polls: Bucket,
    not_before: Moment,
    throttled: Option<Moment>,
}

impl Rate {
    /// A rate that has not been used for long.
    #[must_use]
    pub fn new(limits: Limits, now: Moment) -> Self {
        let empty = Bucket { rate: 1, burst: 0, level: 0, at: now };
        let mut rate = Self { limits, all: empty, polls: empty, not_before: now, throttled: None };
        rate.set(limits, now);
        (rate.all.level, rate.polls.level) = (rate.all.burst, rate.polls.burst);
        rate
    }

    /// Other limits hold from now on; a rate that was slowed down is as declared again.
    pub fn set(&mut self, limits: Limits, now: Moment) {
        self.fill(now);
        self.limits = Limits { per_second: limits.per_second.max(1), burst: limits.burst.max(1) };
        self.all.burst = u64::from(self.limits.burst) * TOKEN;
        self.polls.burst = (self.all.burst / 2).max(TOKEN);
        self.run_at(self.declared());
        self.fill(now);
    }

    /// The declared limits.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Thousandths of a call a second at which it runs now.
    #[must_use]
    pub const fn per_thousand_seconds(&self) -> u64 {
        self.all.rate
    }

    /// Takes a token for one call, if there is one.
    pub fn take(&mut self, purpose: Purpose, now: Moment) -> Taken {
        self.fill(now);
        let ready = match purpose {
            Purpose::Write => self.all.full_token(),
            Purpose::Poll => self.all.full_token().max(self.polls.full_token()),
        };
        let ready = ready.max(self.not_before);
        if ready > now {
            return Taken::NotBefore(ready);
        }
        self.all.level = self.all.level.saturating_sub(TOKEN);
        if purpose == Purpose::Poll {
            self.polls.level = self.polls.level.saturating_sub(TOKEN);
        }
        Taken::Now
    }

    /// A call was throttled, and the cloud asks to wait for `retry_after`.
    pub fn throttled(&mut self, now: Moment, retry_after: Option<Duration>) {
        self.fill(now);
        self.not_before = self.not_before.max(now + retry_after.unwrap_or_default());
        if self.throttled.is_some_and(|before| now.since(before) < ONE_THROTTLING) {
            return;
        }
        self.throttled = Some(now);
        (self.all.level, self.polls.level) = (0, 0);
        self.run_at(self.all.rate / 2);
    }

    /// A call was answered and not throttled.
    pub fn answered(&mut self, now: Moment) {
        if self.all.rate < self.declared() {
            self.fill(now);
            self.run_at(self.all.rate + (self.declared() / 100).max(1));
        }
    }

    fn fill(&mut self, now: Moment) {
        self.all.fill(now);
        self.polls.fill(now);
    }

    fn declared(&self) -> u64 {
        u64::from(self.limits.per_second) * 1_000
    }

    fn run_at(&mut self, rate: u64) {
        let slowest = 1_000_000 / u64::try_from(SLOWEST.as_millis()).unwrap_or(u64::MAX).max(1);
        self.all.rate = rate.clamp(slowest.max(1), self.declared());
        self.polls.rate = (self.all.rate / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment(1_000_000);

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate::new(Limits { per_second, burst }, START)
    }

    fn after(millis: u64) -> Moment {
        START + Duration::from_millis(millis)
    }

    /// How many calls leave until `until`, each as soon as it may.
    fn calls(rate: &mut Rate, purpose: Purpose, from: Moment, until: Moment) -> u32 {
        let (mut now, mut calls) = (from, 0);
        while now <= until {
            match rate.take(purpose, now) {
                Taken::Now => calls += 1,
                Taken::NotBefore(then) => {
                    assert!(then > now, "waiting leads on");
                    now = then;
                }
            }
        }
        calls
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut rate = rate(10, 20);
        assert_eq!(calls(&mut rate, Purpose::Write, START, START), 20);
        assert_eq!(rate.take(Purpose::Write, START), Taken::NotBefore(after(100)));
        assert_eq!(calls(&mut rate, Purpose::Write, START, after(10_000)), 100);
    }

    #[test]
    fn polls_take_half_and_leave_half() {
        let mut rate = rate(10, 20);
        assert_eq!(calls(&mut rate, Purpose::Poll, START, after(10_000)), 10 + 50);
        assert!(calls(&mut rate, Purpose::Write, after(10_000), after(10_000)) >= 10, "writes find their half");
        let mut one = self::rate(1, 1);
        assert_eq!(calls(&mut one, Purpose::Poll, START, after(10_000)), 1 + 5);
    }

    #[test]
    fn writes_slow_polls_down_too() {
        let mut rate = rate(10, 20);
        calls(&mut rate, Purpose::Write, START, START);
        assert_eq!(rate.take(Purpose::Poll, START), Taken::NotBefore(after(100)));
    }

    #[test]
    fn throttling_halves_once_for_calls_that_left_together_and_success_restores() {
        let mut rate = rate(10, 20);
        rate.throttled(START, None);
        rate.throttled(after(10), None);
        assert_eq!(rate.per_thousand_seconds(), 5_000);
        assert_eq!(rate.take(Purpose::Write, START), Taken::NotBefore(after(200)), "the burst is gone");
        rate.throttled(after(1_010), None);
        assert_eq!(rate.per_thousand_seconds(), 2_500);
        for _ in 0..75 {
            rate.answered(after(2_000));
        }
        assert_eq!(rate.per_thousand_seconds(), 10_000);
        rate.answered(after(2_000));
        assert_eq!(rate.per_thousand_seconds(), 10_000, "never above what is declared");
    }

    #[test]
    fn the_cloud_s_own_pause_is_kept() {
        let mut rate = rate(10, 20);
        rate.throttled(START, Some(Duration::from_secs(7)));
        assert_eq!(rate.take(Purpose::Write, after(1_000)), Taken::NotBefore(after(7_000)));
        assert_eq!(rate.take(Purpose::Write, after(7_000)), Taken::Now);
    }

    #[test]
    fn it_never_stops_altogether() {
        let mut rate = rate(1, 1);
        for second in 0..60 {
            rate.throttled(after(second * 1_000), None);
        }
        assert_eq!(rate.per_thousand_seconds(), 100);
        assert_eq!(calls(&mut rate, Purpose::Write, after(60_000), after(120_000)), 6);
    }

    #[test]
    fn other_limits_hold_at_once() {
        let mut rate = rate(10, 20);
        rate.set(Limits { per_second: 1, burst: 2 }, START);
        assert_eq!(calls(&mut rate, Purpose::Write, START, after(3_000)), 2 + 3);
        let shared = Limits { per_second: 5, burst: 50 }.smallest(Limits { per_second: 10, burst: 20 });
        assert_eq!(shared, Limits { per_second: 5, burst: 20 });
    }
}
