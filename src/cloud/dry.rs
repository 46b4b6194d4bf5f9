//! A door that reads, and writes down what it is asked to execute instead of doing it.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;

use super::Door;

/// A door that executes nothing.
pub struct Dry<D> {
    door: D,
    recorded: Mutex<Vec<Step>>,
}

impl<D> Dry<D> {
    /// Reads through `door`.
    pub const fn new(door: D) -> Self {
        Self { door, recorded: Mutex::new(Vec::new()) }
    }

    /// What it was asked to execute, oldest first.
    pub fn recorded(&self) -> Vec<Step> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<D: Door> Door for Dry<D> {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        self.door.read(read)
    }

    /// Always fails, with [`Meaning::DryRun`]: nothing that was not done may be taken for an effect.
    fn execute<'a>(&'a self, step: &'a Step, _: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(step.clone());
        let failure = Failure {
            meaning: Meaning::DryRun,
            code: "<dry>".to_owned(),
            message: format!("{} would be made; nothing was sent", step.verb()),
            request_id: None,
            retry_after: None,
            maybe_done: false,
        };
        async move { Err(failure) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use privatelink_core::id::{AccountId, ServiceId};

    use super::*;

    struct Whoever;

    impl Door for Whoever {
        fn read(&self, _: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
            async { Ok(Answer::CallerIdentity(AccountId::from("1"))) }.boxed()
        }

        fn execute<'a>(&'a self, _: &'a Step, _: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
            panic!("nothing may be executed")
        }
    }

    #[tokio::test]
    async fn steps_are_written_down_and_reads_made() {
        let dry = Dry::new(Whoever);
        let step = Step::DeleteService(ServiceId::from("epsrv-1"));
        let failure = dry.execute(&step, "token").await.unwrap_err();
        assert_eq!((failure.meaning, failure.maybe_done), (Meaning::DryRun, false));
        assert_eq!(dry.recorded(), [step]);
        assert_eq!(dry.read(Read::CallerIdentity).await, Ok(Answer::CallerIdentity(AccountId::from("1"))));
    }
}
