//! What is known of one place: lists and looks that all who wait share, with our own writes laid over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use privatelink_core::error::Failure;
use privatelink_core::id::ServiceId;
use privatelink_core::overlay::{Effect, Laid};
use privatelink_core::place::Place;
use privatelink_core::read::{FacetKey, Look};

use crate::cloud::Door;
use crate::object::ObjectKey;
use crate::wakes::Woken;

/// What is known of one place; clones are the same observer.
#[derive(Clone)]
pub struct Observer {}

impl Observer {
    /// Knows nothing yet, and reads through `door`.
    #[must_use]
    pub fn new(place: Place, door: Arc<dyn Door>) -> Self {
        todo!()
    }

    /// What is known, with our own writes laid over it.
    #[must_use]
    pub fn laid(&self) -> Arc<Laid> {
        todo!()
    }

    /// Reads what is asked for unless it is known from then or later; readers of one part share one flight. That
    /// a service is gone is no error but an answer: its view then says so.
    ///
    /// # Errors
    /// The first failure; the others were read all the same.
    pub async fn look(&self, looks: &[Look]) -> Result<(), Failure> {
        todo!()
    }

    /// Lays a write of ours over what is known, until a read that left later shows it.
    pub fn record(&self, effect: Effect) {
        todo!()
    }

    /// Sets the services that objects manage: sweeps read their resources and connections too.
    pub fn manage(&self, services: BTreeSet<ServiceId>) {
        todo!()
    }

    /// Polls these parts for the object until it says otherwise, together with all that other objects follow: for
    /// an object whose plan says that something moves. An empty set ends it.
    pub fn follow(&self, object: &ObjectKey, parts: BTreeSet<FacetKey>) {
        todo!()
    }

    /// A person has asked to look again: what has vanished all at once is believed to be gone.
    pub fn believe_vanished(&self) {
        todo!()
    }

    /// The services of which a read has shown something new, or has confirmed what our own writes said, or that
    /// have come into the list or left it; from now on.
    #[must_use]
    pub fn touched(&self) -> Woken<ServiceId> {
        todo!()
    }

    /// Sweeps and polls until it is dropped. The pool runs it.
    pub async fn run(self) {
        todo!()
    }
}
