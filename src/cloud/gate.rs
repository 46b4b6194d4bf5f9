//! The order in which writes of one place leave: one at a time for each thing that the cloud excludes.
//!
//! A place in a queue is a ticket, not a call. Who is told [`Turn::Queued`] reports and returns; when its ticket
//! comes to the head, its object is named in [`Gate::heads`], is planned again, and finds its turn held for it
//! for [`limit::HOLD`](super::limit::HOLD).

use std::time::Duration;

use privatelink_core::step::{Exclusion, Lane};

use super::claim::Claimed;
use crate::object::ObjectKey;
use crate::wakes::Woken;

/// The gate of one place; clones are the same gate.
#[derive(Clone)]
pub struct Gate {}

/// Whether a step may be made now.
#[derive(Debug)]
pub enum Turn {
    /// It may, as long as the permit lives.
    Now(Permit),
    /// Others are first; the object is named in [`Gate::heads`] when its turn comes.
    Queued,
}

/// The right to make one call. Dropped unused, it is given back at once.
#[derive(Debug)]
pub struct Permit {}

impl Gate {
    /// A gate without queues.
    #[must_use]
    pub fn new() -> Self {
        todo!()
    }

    /// Asks for a turn; takes a ticket, or keeps the one it has, where others are first. Tickets of one lane go
    /// round-robin over the objects' namespaces.
    #[must_use]
    pub fn turn(&self, object: &ObjectKey, exclusion: &Exclusion, lane: Lane) -> Turn {
        todo!()
    }

    /// Drops the tickets of the object for all that is not in `wanted`: the new plan does not need them.
    pub fn retain(&self, object: &ObjectKey, wanted: &[Exclusion]) {
        todo!()
    }

    /// The objects whose tickets have come to the head, from now on.
    #[must_use]
    pub fn heads(&self) -> Woken<ObjectKey> {
        todo!()
    }
}

impl Permit {
    /// How long the turn was waited for.
    #[must_use]
    pub fn waited(&self) -> Duration {
        todo!()
    }
}
