//! The door for those who run the process: whether it lives, and whether it is ready.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::shutdown::Stop;
use crate::cloud::claim::Claim;

/// How long a caller may take to send the head of its request.
const HEAD: Duration = Duration::from_secs(10);

/// What the answers are made from. Clones are of the same process.
#[derive(Clone, Debug)]
pub struct Health {
    waiting: Arc<watch::Sender<Vec<&'static str>>>,
    claim: watch::Receiver<Claim>,
}

impl Health {
    /// A process that waits for the caches named in `waiting`.
    #[must_use]
    pub fn new(waiting: Vec<&'static str>, claim: watch::Receiver<Claim>) -> Self {
        Self { waiting: Arc::new(watch::channel(waiting).0), claim }
    }

    /// A cache has been filled.
    pub fn filled(&self, cache: &'static str) {
        self.waiting.send_modify(|waiting| waiting.retain(|other| *other != cache));
    }

    /// Waits until all caches are filled.
    pub async fn all_filled(&self) {
        // The sender is here: it cannot be gone.
        let _all = self.waiting.subscribe().wait_for(Vec::is_empty).await.is_ok();
    }

    /// Whether the process is ready, and a line that says why.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        let waiting = self.waiting.borrow();
        if !waiting.is_empty() {
            return (false, format!("not ready: waiting for the first list of {}", waiting.join(", ")));
        }
        let role = if self.claim.borrow().holds() { "this replica writes" } else { "standing by for the Lease" };
        (true, format!("ready: caches are filled, {role}"))
    }
}

/// Answers until `stop`.
///
/// # Errors
/// That of the listener.
pub async fn serve(listener: TcpListener, health: Health, stop: Stop) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.requested() => return Ok(()),
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted?.0,
        };
        let health = health.clone();
        connections.spawn(async move {
            let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
                let response = answer(request.method(), request.uri().path(), &health);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD);
            if let Err(error) = http.serve_connection(TokioIo::new(stream), answer).await {
                tracing::debug!(%error, "an admin connection ended early");
            }
        });
    }
}

fn answer(method: &Method, path: &str, health: &Health) -> Response<Full<Bytes>> {
    let (status, text) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "alive".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") => match health.readiness() {
            (true, why) => (StatusCode::OK, why),
            (false, why) => (StatusCode::SERVICE_UNAVAILABLE, why),
        },
        _ => (StatusCode::NOT_FOUND, "there are GET /healthz and GET /readyz".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text + "\n")));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::super::lease::unclaimed;
    use super::*;

    #[test]
    fn readiness_says_what_is_missing_and_which_role_it_has() {
        let (_grant, claim) = unclaimed();
        let health = Health::new(vec!["accounts", "services"], claim);
        assert_eq!(
            health.readiness(),
            (false, "not ready: waiting for the first list of accounts, services".to_owned())
        );
        health.filled("accounts");
        health.filled("services");
        assert_eq!(health.readiness(), (true, "ready: caches are filled, standing by for the Lease".to_owned()));
        let health = Health::new(Vec::new(), watch::channel(Claim::Sole).1);
        assert_eq!(health.readiness(), (true, "ready: caches are filled, this replica writes".to_owned()));
    }

    #[test]
    fn other_paths_and_methods_are_told_what_there_is() {
        let health = Health::new(Vec::new(), watch::channel(Claim::Sole).1);
        for (method, path, status) in [
            (Method::GET, "/healthz", 200),
            (Method::GET, "/readyz", 200),
            (Method::POST, "/healthz", 404),
            (Method::GET, "/", 404),
        ] {
            assert_eq!(answer(&method, path, &health).status(), status, "{method} {path}");
        }
    }
}
