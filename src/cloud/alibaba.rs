//! Alibaba Cloud's door: encodes, signs, sends and decodes, each by a function of `privatelink-core`.

mod exchange;
mod login;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::error::Failure;
use privatelink_core::id::Region;
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;
use privatelink_core::wire::alibaba::{Unsigned, decode, encode};
use privatelink_core::wire::{Malformed, Response};

use self::exchange::Exchange;
use super::Door;
use super::claim::Claimed;
use super::endpoint::Endpoints;
use super::identity::Identity;
use super::limit;
use super::renewal::Keys;
use super::transport::{Transport, failure};

/// One identity's way to one region.
pub struct Alibaba {
    region: Region,
    exchange: Arc<Exchange>,
    keys: Keys,
    claimed: Claimed,
}

impl Alibaba {
    /// A door that writes as long as `claimed` holds.
    #[must_use]
    pub fn new(
        transport: Transport,
        region: Region,
        identity: &Identity,
        endpoints: Endpoints,
        claimed: Claimed,
    ) -> Self {
        let exchange = Arc::new(Exchange::new(transport, endpoints));
        let keys = login::keys(identity, &region, &exchange);
        Self { region, exchange, keys, claimed }
    }

    /// The keys that its calls are signed with.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    async fn call(&self, call: Unsigned, patience: Duration, writes: bool) -> Result<Response, Failure> {
        let may = || if writes && !self.claimed.holds() { Err(not_the_writer()) } else { Ok(()) };
        let key = self.keys.get().await?;
        self.exchange.signed(call, &self.keys, key, patience, may).await
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
