//! Doors that the operator has to go through: one before the API server, which passes every request on as the
//! operator's own `ServiceAccount` and streams what is answered, watches too, and one before the simulated cloud.
//! They keep a list of what went through. A request can be held back before it is asked or before it is answered,
//! and watches can be kept from delivering.
//!
//! ```no_run
//! let held = door.hold(When::Answered, 1, |asked| asked.is_status_of("endpointservices", "gateway"));
//! held.has_come().await;                 // the write is made, and the operator does not know it yet
//! held.lose();                           // and never will: the connection ends
//! door.hold_watch("endpointservices");   // what changes from now on is not delivered
//! door.release_watches();
//! ```

use std::{
    collections::BTreeSet,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture, stream};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use kube::{Client, client::Body};
use privatelink_sim::server::Simulator;
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt as _;

use crate::cluster::PATIENCE;

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// The door; it closes when this is dropped.
pub struct Door {
    address: SocketAddr,
    board: Arc<Board>,
    serving: JoinHandle<()>,
}

/// What leads on behind a door.
type Way = Box<dyn Fn(Request<Bytes>) -> BoxFuture<'static, io::Result<Answer>> + Send + Sync>;

/// What went through the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How.
    pub method: Method,
    /// What for, without the query.
    pub path: String,
    /// The query.
    pub query: String,
    /// What the cloud calls it; empty before the API server.
    pub action: String,
    /// When it came in.
    pub at: Instant,
}

/// At which moment of a request it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The API server has not seen it.
    Asked,
    /// The API server has done what was asked, and the operator has no answer.
    Answered,
}

/// What becomes of a request that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Held,
    Passed,
    Lost,
}

struct Board {
    way: Way,
    asked: Mutex<Vec<Asked>>,
    rules: Mutex<Vec<Arc<Rule>>>,
    /// Plurals whose watches do not deliver.
    still: watch::Sender<BTreeSet<String>>,
}

struct Rule {
    when: When,
    test: Box<dyn Fn(&Asked) -> bool + Send + Sync>,
    /// Requests that still come before the one that is held.
    before: Mutex<usize>,
    /// Whether it is under way, and is going to come to where it is held.
    met: AtomicBool,
    come: watch::Sender<bool>,
    fate: watch::Sender<Fate>,
    /// The status of the answer, once there is one.
    answered: watch::Sender<Option<StatusCode>>,
}

/// One request that is held back; dropped, it passes.
pub struct Hold {
    board: Arc<Board>,
    rule: Arc<Rule>,
}

impl Asked {
    /// Whether it may change anything.
    pub fn writes(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether it writes an object of our own group, or its status.
    pub fn writes_ours(&self) -> bool {
        self.writes() && self.path.starts_with("/apis/privatelink.dev/")
    }

    /// Whether it looks after the Lease, which goes on whatever else happens.
    pub fn is_of_lease(&self) -> bool {
        self.path.starts_with("/apis/coordination.k8s.io/")
    }

    /// Whether it writes the status of this object.
    pub fn is_status_of(&self, plural: &str, name: &str) -> bool {
        self.writes() && self.path.ends_with(&format!("/{plural}/{name}/status"))
    }

    /// The plural that it watches, if it does.
    fn watched(&self) -> Option<&str> {
        let watches = self.query.split('&').any(|part| part == "watch=true");
        self.path.rsplit('/').next().filter(|_| watches)
    }
}

impl Door {
    /// Opens a door before the API server, through which `client` speaks.
    pub async fn before_cluster(client: Client) -> Self {
        let send = move |request: Request<Bytes>| {
            let client = client.clone();
            async move {
                let answer = client.send(request.map(Body::from)).await.map_err(io::Error::other)?;
                Ok(answer.map(|body| body.map_err(io::Error::other).boxed_unsync()))
            }
            .boxed()
        };
        Self::open(Box::new(send)).await
    }

    /// Opens a door before a simulated cloud.
    pub async fn before_cloud(simulator: Simulator) -> Self {
        let send = move |request: Request<Bytes>| {
            let simulator = simulator.clone();
            async move {
                let answer = simulator.oneshot(request.map(Full::new)).await.map_err(io::Error::other)?;
                Ok(answer.map(|body| body.map_err(|never: Infallible| match never {}).boxed_unsync()))
            }
            .boxed()
        };
        Self::open(Box::new(send)).await
    }

    async fn open(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (asked, rules, still) = (Mutex::default(), Mutex::default(), watch::Sender::new(BTreeSet::new()));
        let board = Arc::new(Board { way, asked, rules, still });
        let serving = tokio::spawn(serve(listener, Arc::clone(&board)));
        Self { address, board, serving }
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig, as text, that leads through the door; `namespace` is the operator's own.
    pub fn kubeconfig(&self, namespace: &str) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "door",
            "contexts": [{"name": "door", "context": {"cluster": "door", "user": "door", "namespace": namespace}}],
            "clusters": [{"name": "door", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "door", "user": {}}],
        })
        .to_string()
    }

    /// All that was asked since the door was opened, or since the list was emptied.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.board.asked).clone()
    }

    /// Empties the list of what was asked.
    pub fn forget(&self) {
        lock(&self.board.asked).clear();
    }

    /// Holds back the `nth` request from now on that `test` is true of; the first is 1.
    pub fn hold(&self, when: When, nth: usize, test: impl Fn(&Asked) -> bool + Send + Sync + 'static) -> Hold {
        let rule = Arc::new(Rule {
            when,
            test: Box::new(test),
            before: Mutex::new(nth.saturating_sub(1)),
            met: AtomicBool::new(false),
            come: watch::Sender::new(false),
            fate: watch::Sender::new(Fate::Held),
            answered: watch::Sender::new(None),
        });
        lock(&self.board.rules).push(Arc::clone(&rule));
        Hold { board: Arc::clone(&self.board), rule }
    }

    /// Keeps the watches of a kind from delivering, those that begin later too.
    pub fn hold_watch(&self, plural: &str) {
        self.board.still.send_if_modified(|still| still.insert(plural.to_owned()));
    }

    /// Lets all watches deliver again.
    pub fn release_watches(&self) {
        self.board.still.send_modify(BTreeSet::clear);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Hold {
    /// Waits until the request has come.
    pub async fn has_come(&self) {
        let mut come = self.rule.come.subscribe();
        let waited = tokio::time::timeout(PATIENCE, come.wait_for(|come| *come)).await;
        waited.expect("the request to hold comes in time").expect("the hold has its rule");
    }

    /// Whether the request is under way: it is held already, or is going to be once it is answered. Whoever sees what a
    /// request has brought about asks this: the news of it may come before its answer.
    pub fn is_met(&self) -> bool {
        self.rule.met.load(Ordering::SeqCst)
    }

    /// Lets the request pass, even where nobody waits for its answer any more, and gives that answer's status.
    pub async fn answered(self) -> StatusCode {
        let mut answered = self.rule.answered.subscribe();
        drop(self);
        let waited = tokio::time::timeout(PATIENCE, answered.wait_for(Option::is_some)).await;
        let answered = waited.expect("an answer comes in time").expect("the request has its rule");
        answered.expect("it was waited for")
    }

    /// Ends the connection of the request: if it was not asked, it never is.
    pub fn lose(self) {
        self.rule.fate.send_replace(Fate::Lost);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.board.rules).retain(|rule| !Arc::ptr_eq(rule, &self.rule));
        self.rule.fate.send_if_modified(|fate| {
            let held = *fate == Fate::Held;
            if held {
                *fate = Fate::Passed;
            }
            held
        });
    }
}

impl Board {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Answer> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let action = parts.headers.get("x-acs-action").and_then(|action| action.to_str().ok());
        let asked = Asked {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            action: action.unwrap_or_default().to_owned(),
            at: Instant::now(),
        };
        lock(&self.asked).push(asked.clone());
        // What has come in goes on, whether or not the caller still waits: so do requests on a real network.
        tokio::spawn(self.pass_on(asked, Request::from_parts(parts, body))).await.map_err(io::Error::other)?
    }

    async fn pass_on(self: Arc<Self>, asked: Asked, mut request: Request<Bytes>) -> io::Result<Answer> {
        let rule = lock(&self.rules).iter().find(|rule| rule.holds(&asked)).cloned();
        if let Some(rule) = rule.as_ref().filter(|rule| rule.when == When::Asked) {
            rule.wait().await?;
        }
        for own in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
            // The cloud's signature speaks of its host.
            if own != header::HOST || asked.action.is_empty() {
                request.headers_mut().remove(own);
            }
        }
        let answered = (self.way)(request).await;
        if let Some(rule) = rule {
            let status = answered.as_ref().map_or(StatusCode::BAD_GATEWAY, Response::status);
            rule.answered.send_replace(Some(status));
            if rule.when == When::Answered {
                rule.wait().await?;
            }
        }
        Ok(self.stream(answered?, asked.watched()))
    }

    /// The answer, frame by frame; those of a watch only while it delivers.
    fn stream(&self, answer: Answer, watched: Option<&str>) -> Answer {
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(header::CONNECTION);
        parts.headers.remove(header::TRANSFER_ENCODING);
        let watched = watched.map(str::to_owned);
        let frames = stream::unfold((body, self.still.subscribe()), move |(mut body, mut still)| {
            let watched = watched.clone();
            async move {
                let frame = body.frame().await?;
                if let Some(plural) = &watched {
                    // The sender lives as long as the door, and without it nothing is delivered any more.
                    still.wait_for(|still| !still.contains(plural)).await.ok()?;
                }
                Some((frame, (body, still)))
            }
        });
        Response::from_parts(parts, StreamBody::new(frames).boxed_unsync())
    }
}

impl Rule {
    fn holds(&self, asked: &Asked) -> bool {
        if self.met.load(Ordering::SeqCst) || !(self.test)(asked) {
            return false;
        }
        let mut before = lock(&self.before);
        let holds = *before == 0;
        *before = before.saturating_sub(1);
        self.met.store(holds, Ordering::SeqCst);
        holds
    }

    /// Waits until it is said what becomes of the request.
    async fn wait(&self) -> io::Result<()> {
        self.come.send_replace(true);
        let mut fate = self.fate.subscribe();
        let fate = fate.wait_for(|fate| *fate != Fate::Held).await.map_err(io::Error::other)?;
        match *fate {
            Fate::Lost => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "lost on purpose")),
            Fate::Held | Fate::Passed => Ok(()),
        }
    }
}

async fn serve(listener: TcpListener, board: Arc<Board>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        // The caller went away before it was accepted.
        let Ok((connection, _)) = accepted else { continue };
        let board = Arc::clone(&board);
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |request| Arc::clone(&board).answer(request));
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new());
            // A connection that is lost on purpose, or whose caller was killed, ends with an error.
            let _ended_anyhow = http.serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
