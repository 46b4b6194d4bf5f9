//! Who is to be woken: a set with one reader, so that what is named twice before it is read is woken once, and
//! nothing is ever dropped for want of room.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures::Stream;

#[derive(Debug)]
struct Inbox<T> {
    named: BTreeSet<T>,
    reader: Option<Waker>,
    closed: bool,
}

/// Where wakes are named; every reader that listens gets all that are named from then on.
#[derive(Debug)]
pub struct Wakes<T> {
    readers: Mutex<Vec<Weak<Mutex<Inbox<T>>>>>,
}

/// A stream of what was named, each once however often it was named before it was read. It ends when the
/// [`Wakes`] are gone.
#[derive(Debug)]
pub struct Woken<T> {
    inbox: Arc<Mutex<Inbox<T>>>,
}

impl<T> Default for Wakes<T> {
    fn default() -> Self {
        Self { readers: Mutex::new(Vec::new()) }
    }
}

impl<T: Ord + Clone> Wakes<T> {
    /// A stream of what is named from now on.
    #[must_use]
    pub fn listen(&self) -> Woken<T> {
        let inbox = Arc::new(Mutex::new(Inbox { named: BTreeSet::new(), reader: None, closed: false }));
        lock(&self.readers).push(Arc::downgrade(&inbox));
        Woken { inbox }
    }

    /// Names who is to be woken.
    pub fn wake(&self, named: impl IntoIterator<Item = T>) {
        let named: BTreeSet<T> = named.into_iter().collect();
        if named.is_empty() {
            return;
        }
        lock(&self.readers).retain(|reader| {
            let Some(inbox) = reader.upgrade() else { return false };
            let mut inbox = lock(&inbox);
            inbox.named.extend(named.iter().cloned());
            if let Some(waker) = inbox.reader.take() {
                waker.wake();
            }
            true
        });
    }
}

impl<T> Drop for Wakes<T> {
    fn drop(&mut self) {
        for inbox in lock(&self.readers).iter().filter_map(Weak::upgrade) {
            let mut inbox = lock(&inbox);
            inbox.closed = true;
            if let Some(waker) = inbox.reader.take() {
                waker.wake();
            }
        }
    }
}

impl<T: Ord> Stream for Woken<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inbox = lock(&self.inbox);
        if let Some(named) = inbox.named.pop_first() {
            return Poll::Ready(Some(named));
        }
        if inbox.closed {
            return Poll::Ready(None);
        }
        inbox.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_named_twice_is_woken_once_and_by_every_reader() {
        let wakes = Wakes::default();
        let (mut one, mut other) = (wakes.listen(), wakes.listen());
        wakes.wake(["b", "a"]);
        wakes.wake(["b"]);
        assert_eq!((one.next().await, one.next().await), (Some("a"), Some("b")));
        assert_eq!(one.next().now_or_never(), None);
        wakes.wake(["b"]);
        drop(wakes);
        assert_eq!(one.collect::<Vec<_>>().await, ["b"]);
        assert_eq!(other.next().await, Some("a"));
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let wakes = Arc::new(Wakes::default());
        let mut woken = wakes.listen();
        let reader = tokio::spawn(async move { (woken.next().await, woken.next().await) });
        tokio::task::yield_now().await;
        wakes.wake([7]);
        tokio::task::yield_now().await;
        drop(wakes);
        assert_eq!(reader.await.expect("no panic"), (Some(7), None));
    }
}
