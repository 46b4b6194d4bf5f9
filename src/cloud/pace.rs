//! How often calls leave for one place: whoever calls waits here until the rate has room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::rate::{Limits, Purpose, Rate, Taken};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;

use super::Door;
use crate::runtime::clock;

/// The rate of one place; clones are the same.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: Arc<Mutex<Rate>>,
    /// Whoever waits, first come first served; writes do not queue behind polls.
    writes: Arc<tokio::sync::Mutex<()>>,
    polls: Arc<tokio::sync::Mutex<()>>,
}

impl Pace {
    /// A pace that keeps to `limits`.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let rate = Arc::new(Mutex::new(Rate::new(limits, clock::now())));
        Self { rate, writes: Arc::default(), polls: Arc::default() }
    }

    /// Other limits hold from now on.
    pub fn set(&self, limits: Limits) {
        let mut rate = self.rate();
        if rate.limits() != limits {
            rate.set(limits, clock::now());
        }
    }

    /// The limits that hold.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.rate().limits()
    }

    /// Waits until one call may leave.
    pub async fn take(&self, purpose: Purpose) {
        let queue = match purpose {
            Purpose::Write => &self.writes,
            Purpose::Poll => &self.polls,
        };
        let _first = queue.lock().await;
        loop {
            let now = clock::now();
            let taken = self.rate().take(purpose, now);
            match taken {
                Taken::Now => return,
                Taken::NotBefore(moment) => tokio::time::sleep(moment.since(now)).await,
            }
        }
    }

    /// Learns from what came of a call.
    pub fn heard<T>(&self, result: &Result<T, Failure>) {
        let mut rate = self.rate();
        match result {
            Err(failure) if failure.meaning == Meaning::Throttled => rate.throttled(clock::now(), failure.retry_after),
            // No answer says nothing about how often the cloud wants to be called.
            Err(failure) if failure.meaning == Meaning::Unavailable => {}
            _ => rate.answered(clock::now()),
        }
    }

    fn rate(&self) -> MutexGuard<'_, Rate> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A door whose calls keep to a pace.
pub struct Paced<D> {
    door: D,
    pace: Pace,
}

impl<D> Paced<D> {
    /// Calls through `door` at `pace`.
    pub const fn new(door: D, pace: Pace) -> Self {
        Self { door, pace }
    }
}

impl<D: Door> Door for Paced<D> {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        async move {
            self.pace.take(Purpose::Poll).await;
            let result = self.door.read(read).await;
            self.pace.heard(&result);
            result
        }
        .boxed()
    }

    fn execute<'a>(&'a self, step: &'a Step, token: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        async move {
            self.pace.take(Purpose::Write).await;
            let result = self.door.execute(step, token).await;
            self.pace.heard(&result);
            result
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writes_do_not_wait_behind_polls() {
        let pace = Pace::new(Limits { per_second: 10, burst: 2 });
        let began = Instant::now();
        let polls: Vec<_> = (0..20)
            .map(|_| {
                let pace = pace.clone();
                tokio::spawn(async move { pace.take(Purpose::Poll).await })
            })
            .collect();
        tokio::task::yield_now().await;
        for _ in 0..5 {
            pace.take(Purpose::Write).await;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        for poll in polls {
            poll.await.unwrap();
        }
        assert!(began.elapsed() >= Duration::from_millis(3_700), "five a second: {:?}", began.elapsed());
    }
}
