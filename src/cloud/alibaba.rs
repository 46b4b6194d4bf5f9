//! Alibaba Cloud's door: encodes, signs, sends and decodes, each by a function of `privatelink-core`.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::Region;
use privatelink_core::moment::Moment;
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;
use privatelink_core::wire::alibaba::{Product, Unsigned, decode, encode, sign};
use privatelink_core::wire::{Malformed, Response};

use super::Door;
use super::claim::Claimed;
use super::credentials::Credentials;
use super::endpoint::{Base, Endpoints};
use super::limit;
use super::transport::{Transport, failure};
use crate::runtime::clock;

/// One access key's way to one region.
pub struct Alibaba {
    transport: Transport,
    region: Region,
    credentials: Credentials,
    endpoints: Endpoints,
    claimed: Claimed,
    /// How far the cloud's clock is ahead of ours, in milliseconds.
    ahead: AtomicI64,
}

impl Alibaba {
    /// A door that writes as long as `claimed` holds.
    #[must_use]
    pub const fn new(
        transport: Transport,
        region: Region,
        credentials: Credentials,
        endpoints: Endpoints,
        claimed: Claimed,
    ) -> Self {
        Self { transport, region, credentials, endpoints, claimed, ahead: AtomicI64::new(0) }
    }

    /// Makes one call; a second time, with a corrected date, where the cloud takes the first for too old.
    async fn call(&self, mut call: Unsigned, patience: Duration, writes: bool) -> Result<Response, Failure> {
        let base = self.base(&call)?;
        base.authority().clone_into(&mut call.host);
        let answer = self.send(&call, &base, patience, writes).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let refused = decode::failure(call.action, &answer);
        if refused.meaning != Meaning::Credentials(Reason::ClockSkew) || !self.learn(&answer) {
            return Err(refused);
        }
        let answer = self.send(&call, &base, patience, writes).await?;
        if answer.is_success() { Ok(answer) } else { Err(decode::failure(call.action, &answer)) }
    }

    async fn send(&self, call: &Unsigned, base: &Base, patience: Duration, writes: bool) -> Result<Response, Failure> {
        let key =
            sign::Key { id: self.credentials.id(), secret: self.credentials.secret(), token: self.credentials.token() };
        let request = sign::sign(call, &key, self.date(), &nonce()?);
        if writes && !self.claimed.holds() {
            return Err(not_the_writer());
        }
        self.transport.send(base, request, patience).await
    }

    fn base(&self, call: &Unsigned) -> Result<Base, Failure> {
        let declared = match call.product {
            Product::PrivateLink => &self.endpoints.privatelink,
            Product::Sts => &self.endpoints.sts,
        };
        match declared {
            Some(base) => Ok(base.clone()),
            None => Base::own(&call.host).ok_or_else(|| {
                let told = format!("{} is no host: check spec.region of the CloudAccount", call.host);
                Failure { meaning: Meaning::UserMustAct(Reason::InvalidSpec), ..failure("<unsendable>", told, false) }
            }),
        }
    }

    /// The date that the cloud's clock shows, as far as is known.
    fn date(&self) -> Moment {
        Moment(clock::now().0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Learns from an answer how far the cloud's clock is from ours; says whether another try is worth it.
    fn learn(&self, answer: &Response) -> bool {
        let date = answer.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some(date) = date else { return false };
        let ahead = date.timestamp().as_millisecond() - clock::now().0;
        if ahead.unsigned_abs() > u64::try_from(limit::CLOCK_SKEW.as_millis()).unwrap_or(u64::MAX) {
            return false;
        }
        self.ahead.store(ahead, Ordering::Relaxed);
        true
    }
}

impl Door for Alibaba {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        async move {
            let answer = self.call(encode::read(&read, &self.region), limit::READ, false).await?;
            decode::read(&read, &answer.body).map_err(|malformed| unread(&malformed))
        }
        .boxed()
    }

    fn execute<'a>(&'a self, step: &'a Step, token: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        async move {
            let answer = self.call(encode::step(step, &self.region, token), limit::WRITE, true).await?;
            decode::step(step, &answer.body).map_err(|malformed| malformed.failure())
        }
        .boxed()
    }
}

/// A read that cannot be understood has done nothing.
fn unread(malformed: &Malformed) -> Failure {
    Failure { maybe_done: false, ..malformed.failure() }
}

/// The claim has run out: nothing was sent.
pub(super) fn not_the_writer() -> Failure {
    let told = "this replica is not the one that writes, or cannot be sure that it still is; nothing was sent";
    failure("<not the writer>", told, false)
}

/// 32 hexadecimal digits that no other call has.
fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(format!("{:032x}", u128::from_be_bytes(bytes))),
        Err(error) => Err(failure("<no randomness>", format!("the machine gives no random numbers: {error}"), false)),
    }
}
