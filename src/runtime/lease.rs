//! One writer among several replicas: a Lease, and the claim that it gives as a value.
//!
//! The decision is pure ([`decide`]); the write is a replace that carries the resourceVersion it was
//! decided on, so that of two who decide the same only one succeeds. A claim ends earlier than the Lease:
//! a call that leaves at the last moment of the claim is over before anybody else may begin.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::shutdown::Stop;
use crate::cloud::claim::Claim;
use crate::cloud::limit::LONGEST_CALL;

/// Name of the Lease in the operator's namespace; the shipped Role names it too.
pub const NAME: &str = "privatelink-operator";
/// How long a holder that says nothing keeps the Lease.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(45);
/// How often the holder renews, and the others look.
const PERIOD: Duration = Duration::from_secs(3);
/// How long one look or renewal may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be done about the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is none: make it.
    Create,
    /// It is ours: renew it.
    Renew,
    /// Nobody holds it, or its holder has been silent for too long: take it.
    Take,
    /// Somebody else holds it.
    Follow,
}

/// What `me` does about a Lease that has not changed for `unchanged`, by this machine's own clock: clocks of
/// two machines are never compared.
#[must_use]
pub fn decide(lease: Option<&LeaseSpec>, me: &str, unchanged: Duration) -> Decision {
    let Some(spec) = lease else { return Decision::Create };
    match spec.holder_identity.as_deref() {
        None | Some("") => Decision::Take,
        Some(holder) if holder == me => Decision::Renew,
        Some(_) => {
            let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            let lives = seconds.map_or(TIME_TO_LIVE, Duration::from_secs);
            if unchanged >= lives { Decision::Take } else { Decision::Follow }
        }
    }
}

/// The Lease as `me` writes it at `now`.
#[must_use]
pub fn claimed(before: Option<&LeaseSpec>, me: &str, now: Timestamp) -> LeaseSpec {
    let same = before.filter(|spec| spec.holder_identity.as_deref() == Some(me));
    let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(TIME_TO_LIVE.as_secs()).ok(),
        acquire_time: same.and_then(|spec| spec.acquire_time.clone()).or(Some(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(if same.is_some() || before.is_none() { transitions } else { transitions + 1 }),
        ..LeaseSpec::default()
    }
}

/// A claim that nobody has granted yet: where it is granted, and where it is followed.
#[must_use]
pub fn unclaimed() -> (watch::Sender<Claim>, watch::Receiver<Claim>) {
    watch::channel(Claim::No)
}

/// Waits until the claim is granted; for ever, where it never is.
pub async fn granted(claim: &watch::Receiver<Claim>) {
    if claim.clone().wait_for(|claim| claim.holds()).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Why the Lease is no longer kept.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another replica has taken it.
    #[error("another replica, {0}, has taken the Lease {NAME}")]
    Taken(String),
    /// It could not be renewed in time.
    #[error("the Lease {NAME} could not be renewed in time: {0}")]
    Late(String),
}

/// What one look at the Lease came to.
enum Round {
    Held,
    Follows(String),
}

struct Keeper {
    api: Api<Lease>,
    me: String,
    /// The resourceVersion that was seen last, and since when.
    seen: Option<(String, Instant)>,
}

/// Looks after the Lease until `stop`, then gives it back. What is still on its way has to be over by then.
///
/// # Errors
/// [`Lost`], once a claim that was granted has ended; the process must end then.
pub async fn keep(api: Api<Lease>, me: String, grant: watch::Sender<Claim>, stop: Stop) -> Result<(), Lost> {
    let mut keeper = Keeper { api, me, seen: None };
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut held_until: Option<Instant> = None;
    loop {
        tokio::select! {
            () = stop.requested() => break,
            _ = ticks.tick() => {}
        }
        let asked = Instant::now();
        let round = match tokio::time::timeout(PATIENCE, keeper.round()).await {
            Ok(round) => round.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        match round {
            Ok(Round::Held) => {
                let until = asked + TIME_TO_LIVE.saturating_sub(LONGEST_CALL);
                if held_until.is_none() {
                    tracing::info!(lease = NAME, identity = keeper.me, "this replica writes from now on");
                }
                held_until = Some(until);
                grant.send_replace(Claim::Until(until));
            }
            Ok(Round::Follows(holder)) if held_until.is_some() => {
                grant.send_replace(Claim::No);
                return Err(Lost::Taken(holder));
            }
            Ok(Round::Follows(holder)) => tracing::debug!(lease = NAME, holder, "standing by"),
            Err(error) => {
                tracing::warn!(lease = NAME, %error, "the Lease could not be looked after");
                if held_until.is_some_and(|until| Instant::now() >= until) {
                    grant.send_replace(Claim::No);
                    return Err(Lost::Late(error));
                }
            }
        }
    }
    grant.send_replace(Claim::No);
    if held_until.is_some() {
        keeper.give_back().await;
    }
    Ok(())
}

impl Keeper {
    async fn round(&mut self) -> kube::Result<Round> {
        let lease = self.api.get_opt(NAME).await?;
        let spec = lease.as_ref().and_then(|lease| lease.spec.as_ref());
        let version = lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone()).unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == version => *since,
            _ => Instant::now(),
        };
        self.seen = Some((version, since));
        let decision = match (&lease, decide(spec, &self.me, since.elapsed())) {
            // A Lease without a spec is nobody's, and is there already.
            (Some(_), Decision::Create) => Decision::Take,
            (_, decision) => decision,
        };
        let wanted = Lease {
            metadata: lease.as_ref().map_or_else(
                || ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
                |lease| ObjectMeta {
                    name: Some(NAME.to_owned()),
                    resource_version: lease.metadata.resource_version.clone(),
                    uid: lease.metadata.uid.clone(),
                    ..ObjectMeta::default()
                },
            ),
            spec: Some(claimed(spec, &self.me, Timestamp::now())),
        };
        let written = match decision {
            Decision::Follow => {
                let holder = spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
                return Ok(Round::Follows(holder));
            }
            Decision::Create => self.api.create(&PostParams::default(), &wanted).await,
            Decision::Renew | Decision::Take => self.api.replace(NAME, &PostParams::default(), &wanted).await,
        };
        match written {
            Ok(lease) => {
                self.seen = lease.metadata.resource_version.map(|version| (version, Instant::now()));
                Ok(Round::Held)
            }
            // Somebody was faster; the next look shows who.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
                if decision == Decision::Renew {
                    return Err(kube::Error::Api(status));
                }
                Ok(Round::Follows("another replica".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    async fn give_back(&self) {
        let given_back = async {
            let mut lease = self.api.get(NAME).await?;
            let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_deref() == Some(&self.me))
            else {
                return Ok(());
            };
            spec.holder_identity = None;
            self.api.replace(NAME, &PostParams::default(), &lease).await.map(drop)
        };
        match tokio::time::timeout(PATIENCE, given_back).await {
            Ok(Ok(())) => tracing::info!(lease = NAME, "the Lease is given back"),
            Ok(Err(error)) => {
                tracing::warn!(lease = NAME, %error, "the Lease was not given back; it runs out by itself");
            }
            Err(_) => tracing::warn!(lease = NAME, "the Lease was not given back in time; it runs out by itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_by(holder: &str) -> LeaseSpec {
        claimed(None, holder, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_lease_is_taken_only_from_nobody_or_the_silent() {
        let long = TIME_TO_LIVE;
        let short = TIME_TO_LIVE.saturating_sub(Duration::from_millis(1));
        assert_eq!(decide(None, "a", short), Decision::Create);
        assert_eq!(decide(Some(&LeaseSpec::default()), "a", Duration::ZERO), Decision::Take);
        assert_eq!(decide(Some(&held_by("")), "a", Duration::ZERO), Decision::Take);
        assert_eq!(decide(Some(&held_by("a")), "a", long), Decision::Renew);
        assert_eq!(decide(Some(&held_by("b")), "a", short), Decision::Follow);
        assert_eq!(decide(Some(&held_by("b")), "a", long), Decision::Take);
        let brief = LeaseSpec { lease_duration_seconds: Some(1), ..held_by("b") };
        assert_eq!(decide(Some(&brief), "a", Duration::from_secs(1)), Decision::Take);
    }

    #[test]
    fn a_change_of_hands_is_counted_and_a_renewal_keeps_its_beginning() {
        let later = Timestamp::from_second(60).expect("a time");
        let first = held_by("a");
        let renewed = claimed(Some(&first), "a", later);
        assert_eq!((renewed.acquire_time, renewed.lease_transitions), (first.acquire_time.clone(), Some(0)));
        assert_eq!(renewed.renew_time, Some(MicroTime(later)));
        let taken = claimed(Some(&first), "b", later);
        assert_eq!((taken.acquire_time, taken.lease_transitions), (Some(MicroTime(later)), Some(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_is_waited_for_and_ends_by_itself() {
        let (grant, claim) = unclaimed();
        assert!(!claim.borrow().holds());
        grant.send_replace(Claim::Until(Instant::now() + Duration::from_secs(2)));
        granted(&claim).await;
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!claim.borrow().holds());
    }

    #[test]
    fn a_call_that_leaves_under_a_claim_is_over_before_the_lease_is() {
        assert!(LONGEST_CALL + PERIOD < TIME_TO_LIVE);
    }
}
