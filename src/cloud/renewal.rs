//! Keys that last for a while: renewed before they end, by one at a time, and kept as long as they last.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::moment::Moment;

use super::credentials::Credentials;
use crate::runtime::clock;

/// Which part of their life keys have left when they are renewed: one in so many.
const LAST_PART: u32 = 4;
/// The longest time before their end at which keys are renewed. The vendor's Python library takes as long.
const MARGIN: Duration = Duration::from_mins(15);
/// Time between two tries to renew, at least and at most.
const BETWEEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// How old keys are that a refusal makes us renew: younger ones were refused for another reason.
const SETTLED: Duration = Duration::from_secs(15);

/// Where keys that last for a while are fetched.
pub trait Source: Send + Sync {
    /// Fetches keys, and how long they last.
    ///
    /// # Errors
    /// Why there are none.
    fn fetch(&self) -> BoxFuture<'_, Result<(Credentials, Duration), Failure>>;
}

/// Keys as those who sign want them; clones are the same keys.
#[derive(Clone)]
pub enum Keys {
    /// Keys that last.
    Given(Credentials),
    /// Keys that are renewed.
    Renewed(Arc<Renewal>),
}

/// What is ahead of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When they end; nothing of keys that do not, as far as is known, and before the first are fetched.
    pub ends: Option<Moment>,
    /// When they are to be renewed, or, where that failed, when it is tried again.
    pub due: Option<Moment>,
    /// Why the last try to renew them failed.
    pub failure: Option<Failure>,
}

/// Keys that are renewed.
pub struct Renewal {
    source: Box<dyn Source>,
    /// Held by the one who fetches.
    flight: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Clone, Default)]
struct Known {
    current: Option<Current>,
    failed: Option<Failed>,
}

#[derive(Clone)]
struct Current {
    credentials: Credentials,
    since: Moment,
    renews: Moment,
    ends: Moment,
}

#[derive(Clone)]
struct Failed {
    failure: Failure,
    at: Moment,
    again: Moment,
}

impl Keys {
    /// Keys from a source; none are fetched before they are needed.
    pub fn from(source: impl Source + 'static) -> Self {
        let (flight, known) = (tokio::sync::Mutex::default(), Mutex::default());
        Self::Renewed(Arc::new(Renewal { source: Box::new(source), flight, known }))
    }

    /// Keys to sign with now. Those that are to be renewed serve on meanwhile; nobody waits but for the first.
    ///
    /// # Errors
    /// There are none that last, and none can be fetched.
    pub async fn get(&self) -> Result<Credentials, Failure> {
        let renewal = match self {
            Self::Given(credentials) => return Ok(credentials.clone()),
            Self::Renewed(renewal) => renewal,
        };
        let now = clock::now();
        let known = renewal.known().clone();
        match known.current {
            Some(current) if now < current.renews => Ok(current.credentials),
            Some(current) if now < current.ends => {
                let renewal = Arc::clone(renewal);
                if known.failed.is_none_or(|failed| failed.again <= now) && renewal.flight.try_lock().is_ok() {
                    tokio::spawn(async move { renewal.renew().await });
                }
                Ok(current.credentials)
            }
            _ => renewal.renew().await,
        }
    }

    /// Keys to sign with now, renewed first if that is due: for the one who looks after them.
    ///
    /// # Errors
    /// There are none that last, and none can be fetched.
    pub async fn look_after(&self) -> Result<Credentials, Failure> {
        match self {
            Self::Given(credentials) => Ok(credentials.clone()),
            Self::Renewed(renewal) => renewal.renew().await,
        }
    }

    /// Other keys than these, which the cloud has refused; nothing if there are none to be had.
    pub async fn instead_of(&self, refused: &Credentials) -> Option<Credentials> {
        let Self::Renewed(renewal) = self else { return None };
        {
            let mut known = renewal.known();
            let now = clock::now();
            if let Some(current) = known.current.as_mut().filter(|current| current.credentials == *refused) {
                if now.since(current.since) < SETTLED {
                    return None;
                }
                current.renews = now;
            }
        }
        renewal.renew().await.ok().filter(|credentials| credentials != refused)
    }

    /// What is ahead of them.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let Self::Renewed(renewal) = self else { return Outlook::default() };
        let known = renewal.known().clone();
        let ends = known.current.as_ref().map(|current| current.ends);
        match known.failed {
            Some(Failed { failure, again, .. }) => Outlook { ends, due: Some(again), failure: Some(failure) },
            None => Outlook { ends, due: known.current.map(|current| current.renews), failure: None },
        }
    }
}

impl Outlook {
    /// There are keys at this moment, as far as is known.
    #[must_use]
    pub fn lasts(&self, now: Moment) -> bool {
        self.ends.is_some_and(|ends| now < ends)
    }
}

impl Renewal {
    /// Keys that last, fetched anew if that is due: by the first who comes; who waited for him takes what he got.
    async fn renew(&self) -> Result<Credentials, Failure> {
        let came = clock::now();
        let _flight = self.flight.lock().await;
        let now = clock::now();
        let Known { current, failed } = self.known().clone();
        let lasting = current.filter(|current| now < current.ends);
        if let Some(current) = lasting.as_ref().filter(|current| now < current.renews) {
            return Ok(current.credentials.clone());
        }
        let recent = failed.filter(|failed| failed.at >= came || now < failed.again);
        let failure = match recent {
            Some(failed) => failed.failure,
            None => match self.source.fetch().await {
                Ok((credentials, lasts)) => return Ok(self.keep(credentials, now, lasts)),
                Err(failure) => self.miss(ours(failure), lasting.as_ref()),
            },
        };
        lasting.map(|current| current.credentials).ok_or(failure)
    }

    fn keep(&self, credentials: Credentials, since: Moment, lasts: Duration) -> Credentials {
        let ends = since + lasts;
        let renews = ends - (lasts / LAST_PART).min(MARGIN);
        tracing::debug!(seconds = lasts.as_secs(), "a session has begun");
        let current = Current { credentials: credentials.clone(), since, renews, ends };
        *self.known() = Known { current: Some(current), failed: None };
        credentials
    }

    fn miss(&self, failure: Failure, lasting: Option<&Current>) -> Failure {
        let now = clock::now();
        let left = lasting.map(|current| current.ends.since(now)).unwrap_or_default();
        let (shortest, longest) = BETWEEN;
        tracing::warn!(%failure, seconds_left = left.as_secs(), "no new session");
        let again = now + (left / LAST_PART).clamp(shortest, longest);
        self.known().failed = Some(Failed { failure: failure.clone(), at: now, again });
        failure
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever keeps keys from coming is the account's business, whoever needed them; what passes by itself stays so.
fn ours(failure: Failure) -> Failure {
    let meaning = match failure.meaning {
        Meaning::Throttled | Meaning::Unavailable | Meaning::InTransition | Meaning::Unexpected => failure.meaning,
        Meaning::UserMustAct(reason) | Meaning::Waiting(reason) | Meaning::Credentials(reason) => {
            Meaning::Credentials(reason)
        }
        Meaning::Gone | Meaning::Done | Meaning::TokenReused | Meaning::DryRun => {
            Meaning::Credentials(Reason::CredentialsInvalid)
        }
    };
    Failure { meaning, maybe_done: false, ..failure }
}
