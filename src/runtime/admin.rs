//! The door for those who run the process: whether it lives, whether it is ready, and what it measures.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::metrics::{self, Metrics};
use super::shutdown::Stop;
use crate::cloud::claim::Claim;

/// What is said in words.
const PLAIN: &str = "text/plain; charset=utf-8";
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
            return (false, format!("not ready: waiting for {}", waiting.join(", ")));
        }
        let role = if self.claim.borrow().holds() { "this replica writes" } else { "standing by for the Lease" };
        (true, format!("ready: caches are filled, {role}"))
    }
}

/// Answers until `stop`.
///
/// # Errors
/// That of the listener.
pub async fn serve(listener: TcpListener, health: Health, metrics: Metrics, stop: Stop) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.requested() => return Ok(()),
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted?.0,
        };
        let (health, metrics) = (health.clone(), metrics.clone());
        connections.spawn(async move {
            let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
                let response = answer(request.method(), request.uri().path(), &health, &metrics);
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

fn answer(method: &Method, path: &str, health: &Health, metrics: &Metrics) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, PLAIN, "alive\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") => {
            let (ready, why) = health.readiness();
            (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, PLAIN, why + "\n")
        }
        (&Method::GET | &Method::HEAD, "/metrics") => match metrics.text() {
            Ok(text) => (StatusCode::OK, metrics::CONTENT_TYPE, text),
            Err(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("the metrics cannot be written: {error}\n"))
            }
        },
        _ => (StatusCode::NOT_FOUND, PLAIN, "there are GET /healthz, GET /readyz and GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http_body_util::{BodyExt as _, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    use super::super::lease::unclaimed;
    use super::super::metrics::tests::stage;
    use super::super::shutdown;
    use super::*;

    #[test]
    fn readiness_says_what_is_missing_and_which_role_it_has() {
        let (_grant, claim) = unclaimed();
        let health = Health::new(vec!["accounts", "services"], claim);
        assert_eq!(health.readiness(), (false, "not ready: waiting for accounts, services".to_owned()));
        health.filled("accounts");
        health.filled("services");
        assert_eq!(health.readiness(), (true, "ready: caches are filled, standing by for the Lease".to_owned()));
        let health = Health::new(Vec::new(), watch::channel(Claim::Sole).1);
        assert_eq!(health.readiness(), (true, "ready: caches are filled, this replica writes".to_owned()));
    }

    /// Asks the door; gives the status, the type and the text.
    async fn ask(address: SocketAddr, method: Method, path: &str) -> (u16, String, String) {
        let door = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        let answer = door.request(request.body(Empty::new()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        (head.status.as_u16(), head.headers[CONTENT_TYPE].to_str().unwrap().to_owned(), text)
    }

    #[tokio::test]
    async fn the_door_answers_what_there_is_and_tells_others_so_until_it_is_closed() {
        let health = Health::new(vec!["accounts"], watch::channel(Claim::Sole).1);
        let metrics = stage().metrics;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, stop) = shutdown::pair();
        let door = tokio::spawn(serve(listener, health, metrics.clone(), stop));

        let plain = |status, text: &str| (status, PLAIN.to_owned(), format!("{text}\n"));
        assert_eq!(ask(address, Method::GET, "/healthz").await, plain(200, "alive"));
        let waiting = "not ready: waiting for accounts";
        assert_eq!(ask(address, Method::GET, "/readyz").await, plain(503, waiting));
        let there_is = "there are GET /healthz, GET /readyz and GET /metrics";
        assert_eq!(ask(address, Method::POST, "/metrics").await, plain(404, there_is));
        assert_eq!(ask(address, Method::GET, "/").await, plain(404, there_is));
        let measured = |text| (200, metrics::CONTENT_TYPE.to_owned(), text);
        assert_eq!(ask(address, Method::GET, "/metrics").await, measured(metrics.text().unwrap()));
        assert_eq!(ask(address, Method::HEAD, "/metrics").await, measured(String::new()));

        stopper.stop();
        door.await.unwrap().unwrap();
    }
}
