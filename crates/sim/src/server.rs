//! The cloud as a service: a tower service for callers in the same process, and an HTTP server on a socket.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::Service;

use crate::alibaba::answer::{Form, Reply};
use crate::alibaba::{Outcome, answer_call, metadata};
use crate::cloud::{Cloud, Held};
use crate::control;
use crate::inbound::Inbound;

/// Longest body of a request in bytes; the vendor's calls are far shorter.
const MAX_BODY: usize = 1 << 20;

/// A cloud that many callers share; clones are the same cloud.
#[derive(Clone, Debug)]
pub struct Simulator {
    cloud: Arc<Mutex<Cloud>>,
    controllable: bool,
}

/// The answer was lost on purpose: the caller sees a connection that ends without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was closed before an answer came")]
pub struct Lost;

impl Simulator {
    /// Shares `cloud`.
    #[must_use]
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud: Arc::new(Mutex::new(cloud)), controllable: true }
    }

    /// Looks at the cloud, or moves it, between two calls.
    pub fn with<T>(&self, look: impl FnOnce(&mut Cloud) -> T) -> T {
        look(&mut self.lock())
    }

    /// Serves HTTP on `listener` until `stop` is over; open connections end with it.
    ///
    /// # Errors
    /// That of the listener.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> io::Result<()> {
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                () = &mut stop => return Ok(()),
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    // The caller went away before it was accepted.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                    Err(error) => return Err(error),
                },
            };
            let simulator = Self { controllable: peer.ip().is_loopback(), ..self.clone() };
            connections.spawn(async move {
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new());
                let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(simulator));
                if let Err(error) = served.await {
                    tracing::debug!(%peer, %error, "a connection ended early");
                }
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self, inbound: Inbound) -> Result<Response<Full<Bytes>>, Lost> {
        if inbound.path.starts_with(control::PREFIX) {
            let (status, body) = if self.controllable {
                control::answer(&mut self.lock(), &inbound)
            } else {
                (403, json!({"error": "control paths answer to the simulator's own machine only"}))
            };
            return Ok(response(
                &Reply { form: Form::Json, status, body, retry_after: None },
                self.lock().clock.wall(),
            ));
        }
        let is_metadata = inbound.path.starts_with(metadata::PREFIX);
        let answer = if is_metadata { metadata::answer_call } else { answer_call };
        let Outcome { reply, delay, held } = answer(&mut self.lock(), &inbound);
        let places = Places { simulator: &self, held };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        drop(places);
        reply.map(|reply| response(&reply, self.lock().clock.wall())).ok_or(Lost)
    }
}

/// What a call keeps others from; given back also when its caller goes away before the answer.
struct Places<'s> {
    simulator: &'s Simulator,
    held: Held,
}

impl Drop for Places<'_> {
    fn drop(&mut self) {
        self.simulator.lock().leave(&self.held);
    }
}

impl<B> Service<Request<B>> for Simulator
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Lost;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Lost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let simulator = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match Limited::new(body, MAX_BODY).collect().await {
                Ok(body) => simulator.answer(Inbound::new(&parts, body.to_bytes())).await,
                Err(error) => {
                    let body =
                        json!({"Code": "InvalidRequest", "Message": format!("the body cannot be read: {error}")});
                    let wall = simulator.lock().clock.wall();
                    Ok(response(&Reply { form: Form::Json, status: 413, body, retry_after: None }, wall))
                }
            }
        })
    }
}

fn response(reply: &Reply, wall: Timestamp) -> Response<Full<Bytes>> {
    let (body, kind) = reply.written();
    let mut builder = Response::builder()
        .status(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header("content-type", kind)
        .header("date", wall.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let id = ["RequestId", "requestId"].iter().find_map(|name| reply.body.get(name)?.as_str());
    if let Some(id) = id {
        builder = builder.header("x-acs-request-id", id);
    }
    if let Some(wait) = reply.retry_after {
        builder = builder.header("x-acs-retry-after", wait.as_millis().max(1).to_string());
    }
    builder.body(Full::new(Bytes::from(body))).expect("all headers are made of plain ASCII")
}
