//! All places that are spoken to, and what belongs to each: one gate, one rate, one observer, and the doors of
//! the accounts that share it.

use std::collections::BTreeSet;
use std::sync::Arc;

use privatelink_core::error::Failure;
use privatelink_core::id::{AccountId, Region};
use privatelink_core::place::{Cloud, Place};
use privatelink_core::rate::Limits;
use privatelink_core::read::Done;
use privatelink_core::step::Step;

use super::claim::Claimed;
use super::credentials::Credentials;
use super::dry::Dry;
use super::endpoint::Endpoints;
use super::gate::{Gate, Permit};
use super::metered::Meter;
use super::transport::Transport;
use crate::observe::Observer;
use crate::wakes::Woken;

/// How one `CloudAccount` speaks to its cloud.
#[derive(Clone)]
pub struct Access {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: Region,
    /// Credentials.
    pub credentials: Credentials,
    /// Where the cloud answers, where that is not its own place.
    pub endpoints: Endpoints,
}

/// All places; clones are the same pool.
#[derive(Clone)]
pub struct Pool {}

/// One place; clones are the same site.
#[derive(Clone)]
pub struct Site {}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(transport: Transport, claimed: Claimed, meter: Meter) -> Self {
        todo!()
    }

    /// Whose credentials these are.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came.
    pub async fn identify(&self, access: &Access) -> Result<AccountId, Failure> {
        todo!()
    }

    /// Lets the `CloudAccount` of this name speak to `place` by `access`, from the next call on; calls that are on
    /// their way end as they began. The place begins to be observed with its first account. An account that
    /// spoke to another place before no longer does.
    pub fn put(&self, account: &str, place: &Place, access: Access, limits: Limits) -> Site {
        todo!()
    }

    /// The `CloudAccount` of this name no longer speaks to any place; a place without an account is forgotten.
    pub fn remove(&self, account: &str) {
        todo!()
    }

    /// What belongs to a place, if an account speaks to it.
    #[must_use]
    pub fn site(&self, place: &Place) -> Option<Site> {
        todo!()
    }

    /// All places.
    #[must_use]
    pub fn sites(&self) -> Vec<Site> {
        todo!()
    }

    /// The places that begin to be observed, from now on: whoever follows [`Gate::heads`] and
    /// [`Observer::touched`] of each learns of new ones here.
    #[must_use]
    pub fn begun(&self) -> Woken<Place> {
        todo!()
    }
}

impl Site {
    /// The place.
    #[must_use]
    pub fn place(&self) -> &Place {
        todo!()
    }

    /// The order in which its writes leave.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        todo!()
    }

    /// What is known of it.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        todo!()
    }

    /// Makes the one call that `step` is with the credentials of the `CloudAccount` of this name, and lays its
    /// effect over what is known before it gives the turn back. A refusal is the caller's to remember.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came; a code in angle brackets is ours: `<not the writer>` where
    /// the claim has run out and `<no account>` where the account no longer speaks to this place, both before
    /// anything was sent.
    pub async fn execute(&self, account: &str, permit: Permit, step: &Step, token: &str) -> Result<Done, Failure> {
        todo!()
    }
}
