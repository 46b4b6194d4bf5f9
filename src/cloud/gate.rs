//! The order in which writes of one place leave: one at a time for each thing that the cloud excludes.
//!
//! A place in a queue is a ticket, not a call. Who is told [`Turn::Queued`] reports and returns; when its ticket
//! comes to the head, its object is named in [`Gate::heads`], is planned again, and finds its turn held for it
//! for [`HOLD`]. A head that does not come in time has lost its ticket, and takes a new one when it comes.

mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use privatelink_core::step::{Exclusion, Lane};
use tokio::time::Instant;

use self::queue::{Queue, Ticket};
use super::limit::{HOLD, LONGEST_CALL};
use crate::object::ObjectKey;
use crate::wakes::{Wakes, Woken};

/// The gate of one place; clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    heads: Wakes<ObjectKey>,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<Exclusion, Queued>,
    offers: u64,
}

/// One exclusion that is in use.
#[derive(Debug)]
struct Queued {
    slot: Slot,
    queue: Queue,
}

#[derive(Debug)]
enum Slot {
    /// A permit is out, or the cloud may still be busy with a call whose caller has gone.
    Busy,
    /// The head is waited for.
    Held { head: Ticket, offer: u64 },
}

/// Whether a step may be made now.
#[derive(Debug)]
pub enum Turn {
    /// It may.
    Now(Permit),
    /// Others are first; the object is named in [`Gate::heads`] when its turn comes.
    Queued,
}

/// The right to make one call; dropped, the turn is the next one's.
///
/// A call that was started and whose answer never came in, because its caller was cancelled or its answer was
/// lost, may still keep the cloud busy: its turn then ends only after [`LONGEST_CALL`], so that no other call of
/// ours meets it there.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    exclusion: Exclusion,
    lane: Lane,
    waited: Duration,
    unanswered: bool,
}

impl Gate {
    /// Asks for a turn; takes a ticket, or keeps the one it has, where others are first. Of the lanes, that which
    /// ends exposure goes first; tickets of one lane go round-robin over the objects' namespaces.
    #[must_use]
    pub fn turn(&self, object: &ObjectKey, exclusion: &Exclusion, lane: Lane) -> Turn {
        let mut state = self.lock();
        let waited = match (exclusion, state.queues.get_mut(exclusion)) {
            (Exclusion::None, _) => Duration::ZERO,
            (_, None) => {
                state.queues.insert(exclusion.clone(), Queued { slot: Slot::Busy, queue: Queue::default() });
                Duration::ZERO
            }
            (_, Some(queued)) => match &queued.slot {
                Slot::Held { head, .. } if head.object == *object => {
                    let waited = head.since.elapsed();
                    queued.slot = Slot::Busy;
                    waited
                }
                _ => {
                    queued.queue.take_ticket(object, lane, Instant::now());
                    return Turn::Queued;
                }
            },
        };
        drop(state);
        Turn::Now(Permit { gate: self.clone(), exclusion: exclusion.clone(), lane, waited, unanswered: false })
    }

    /// Drops the object's tickets for all that is not in `wanted`: its new plan does not need them. With nothing
    /// wanted, the object leaves all queues.
    pub fn retain(&self, object: &ObjectKey, wanted: &[Exclusion]) {
        let mut state = self.lock();
        let unwanted: Vec<Exclusion> =
            state.queues.keys().filter(|exclusion| !wanted.contains(exclusion)).cloned().collect();
        for exclusion in unwanted {
            let Some(queued) = state.queues.get_mut(&exclusion) else { continue };
            queued.queue.drop_ticket(object);
            if matches!(&queued.slot, Slot::Held { head, .. } if head.object == *object) {
                self.offer(&mut state, &exclusion);
            }
        }
    }

    /// The objects whose tickets come to the head, from now on.
    #[must_use]
    pub fn heads(&self) -> Woken<ObjectKey> {
        self.0.heads.listen()
    }

    /// How many tickets wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().queues.values().map(|queued| queued.queue.len()).sum()
    }

    /// The slot is free: it is held for the next ticket, if there is one.
    fn offer(&self, state: &mut State, exclusion: &Exclusion) {
        let Some(queued) = state.queues.get_mut(exclusion) else { return };
        let Some(head) = queued.queue.next() else {
            state.queues.remove(exclusion);
            return;
        };
        self.0.heads.wake([head.object.clone()]);
        state.offers += 1;
        let offer = state.offers;
        queued.slot = Slot::Held { head, offer };
        let exclusion = exclusion.clone();
        self.after(HOLD, move |gate| gate.expire(&exclusion, offer));
    }

    fn expire(&self, exclusion: &Exclusion, expired: u64) {
        let mut state = self.lock();
        let slot = state.queues.get(exclusion).map(|queued| &queued.slot);
        if let Some(Slot::Held { head, offer }) = slot
            && *offer == expired
        {
            tracing::debug!(object = %head.object, ?exclusion, "did not come for its turn");
            self.offer(&mut state, exclusion);
        }
    }

    fn free(&self, exclusion: &Exclusion) {
        self.offer(&mut self.lock(), exclusion);
    }

    /// Does `act` after `pause`, if the gate still exists then. Where no runtime is left, the process is ending
    /// and nobody waits any more.
    fn after(&self, pause: Duration, act: impl FnOnce(&Self) + Send + 'static) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let gate: Weak<Inner> = Arc::downgrade(&self.0);
        let until = Instant::now() + pause;
        runtime.spawn(async move {
            tokio::time::sleep_until(until).await;
            if let Some(inner) = gate.upgrade() {
                act(&Self(inner));
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// How long the turn was waited for.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// The lane in which it was waited for.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        self.lane
    }

    /// A call is about to be handed over.
    pub(super) const fn start(&mut self) {
        self.unanswered = true;
    }

    /// The answer is in, or nothing was sent: the cloud is not busy with the call any more.
    pub(super) const fn answered(&mut self) {
        self.unanswered = false;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.exclusion == Exclusion::None {
            return;
        }
        if self.unanswered {
            let exclusion = self.exclusion.clone();
            self.gate.after(LONGEST_CALL, move |gate| gate.free(&exclusion));
        } else {
            self.gate.free(&self.exclusion);
        }
    }
}
