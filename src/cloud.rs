//! A cloud as the rest of the process sees it: a door through which one account reads and writes in one place.
//!
//! What a call looks like on the wire and what its answer means is decided in `privatelink-core`; here are the
//! sockets ([`transport`], below it [`tunnel`] and [`trust`]), the secrets ([`identity`], [`credentials`],
//! [`renewal`]), the order in which calls leave ([`gate`], [`pace`], [`claim`]), and what belongs together
//! ([`pool`]). [`metered`] and [`dry`] are doors before a door.

pub mod alibaba;
#[cfg(test)]
#[path = "../tests/network/authority.rs"]
mod authority;
pub mod claim;
#[cfg(test)]
#[path = "../tests/network/connect_proxy.rs"]
mod connect_proxy;
pub mod credentials;
pub mod dry;
pub mod endpoint;
pub mod gate;
pub mod identity;
pub mod limit;
pub mod metered;
pub mod pace;
pub mod pool;
pub mod renewal;
pub mod transport;
pub mod trust;
pub mod tunnel;

use futures::future::BoxFuture;
use privatelink_core::error::Failure;
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;

/// One account's way to one place of a cloud.
pub trait Door: Send + Sync {
    /// Makes one call that reads.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came.
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>>;

    /// Makes the one call that `step` is, under `token`, the client token.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came; [`Failure::maybe_done`] says whether the step may have had
    /// its effect all the same.
    fn execute<'a>(&'a self, step: &'a Step, token: &'a str) -> BoxFuture<'a, Result<Done, Failure>>;
}
