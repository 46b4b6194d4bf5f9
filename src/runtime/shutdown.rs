//! The wish to end: one signal, seen by everybody who runs.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Sees whether the process is to end. Clones see the same wish.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Wishes that the process ends.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

/// A wish that nobody has yet.
#[must_use]
pub fn pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// From now on the process is to end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Wishes it on SIGTERM, which Kubernetes sends, or SIGINT, which a terminal does.
    ///
    /// # Errors
    /// That of the system, where signals cannot be listened to.
    pub fn on_signals(self) -> std::io::Result<impl Future<Output = ()>> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!(signal = name, "ending: what is on its way is finished, then the Lease is given back");
            self.stop();
        })
    }
}

impl Stop {
    /// Whether the process is to end.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the process is to end; also over when nobody is left to wish it.
    pub async fn requested(&self) {
        let mut receiver = self.0.clone();
        let _wished_or_nobody_left = receiver.wait_for(|stop| *stop).await.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_reaches_every_clone() {
        let (stopper, stop) = pair();
        let other = stop.clone();
        assert!(!other.is_requested());
        stopper.stop();
        other.requested().await;
        stop.requested().await;
        assert!(stop.is_requested());
    }
}
