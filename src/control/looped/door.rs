//! The two ways out of a process of the operator, to the API server and to the cloud: what goes through is written
//! down, and a judge says of each request what becomes of it. A process that has died asks nothing any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use privatelink_sim::server::Simulator;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::apiserver::ApiServer;
use crate::cloud::transport::Transport;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the API server.
    Kube,
    /// To the cloud.
    Cloud,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where it leads.
    pub way: Way,
    /// What it asks for: method and path, or the cloud's action.
    pub what: String,
    /// Whether it may change anything.
    pub writes: bool,
    /// When it left.
    pub at: Instant,
}

impl Asked {
    /// Whether it is an Event.
    pub fn tells(&self) -> bool {
        self.what.ends_with("/events")
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Pass,
    /// The process dies before it leaves.
    DieBefore,
    /// The process dies once it is carried out, without the answer.
    DieAfter,
    /// It is carried out, and the answer is lost.
    LoseAnswer,
    /// It does not arrive.
    LoseRequest,
    /// The object that it writes is changed by somebody else first.
    Overtake,
    /// It is refused, with this HTTP status and nothing else.
    Refuse(u16),
}

/// Says what becomes of each request.
pub type Judge = Box<dyn FnMut(&Asked) -> Fate + Send>;

/// What all processes of a test share.
#[derive(Clone)]
pub struct Board(Arc<Mutex<Noted>>);

struct Noted {
    asked: Vec<Asked>,
    judge: Judge,
}

impl Default for Board {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Noted { asked: Vec::new(), judge: Box::new(|_| Fate::Pass) })))
    }
}

impl Board {
    /// From now on this judge judges.
    pub fn judged_by(&self, judge: impl FnMut(&Asked) -> Fate + Send + 'static) {
        self.lock().judge = Box::new(judge);
    }

    /// All requests since the list was taken the last time.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    fn judge(&self, asked: Asked) -> Fate {
        let mut noted = self.lock();
        let fate = (noted.judge)(&asked);
        noted.asked.push(asked);
        fate
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ways out of one process; clones are the same process's.
#[derive(Clone)]
pub struct Door {
    board: Board,
    dead: Arc<watch::Sender<bool>>,
}

impl Door {
    /// Of a process that lives.
    pub fn new(board: Board) -> Self {
        Self { board, dead: Arc::new(watch::Sender::new(false)) }
    }

    /// Nothing goes through any more.
    pub fn close(&self) {
        self.dead.send_replace(true);
    }

    /// Waits until the process has died.
    pub async fn closed(&self) {
        // The sender is here: it cannot be gone.
        let _dead = self.dead.subscribe().wait_for(|dead| *dead).await.is_ok();
    }

    /// The way to the API server.
    pub fn client(&self, api: &ApiServer, namespace: &str) -> Client {
        let (door, api) = (self.clone(), api.clone());
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let (door, api) = (door.clone(), api.clone());
            async move {
                let (parts, body) = request.into_parts();
                let asked = asked_of_kube(&parts);
                let path = parts.uri.path().to_owned();
                let overtake = || overtake(&api, &path);
                let request = Request::from_parts(parts, body.collect_bytes().await?);
                let refuse = |code| {
                    let refused = Response::builder().status(code);
                    refused.body(http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync())
                };
                let answer = async { Ok(api.answer(request)) };
                door.pass(asked, answer, overtake, refuse).await
            }
        });
        Client::new(service, namespace)
    }

    /// The way to the cloud.
    pub fn transport(&self, cloud: &Simulator) -> Transport {
        let (door, cloud) = (self.clone(), cloud.clone());
        Transport::over(tower::service_fn(move |request: Request<http_body_util::Full<Bytes>>| {
            let (door, cloud) = (door.clone(), cloud.clone());
            async move {
                let action = request.headers().get("x-acs-action").and_then(|action| action.to_str().ok());
                let what = action.unwrap_or_default().to_owned();
                let reads = ["Get", "List", "Describe"].iter().any(|verb| what.starts_with(verb));
                let asked = Asked { way: Way::Cloud, what, writes: !reads, at: Instant::now() };
                let refuse = |code| Response::builder().status(code).body(http_body_util::Full::default());
                let answer = async { Ok(cloud.oneshot(request).await?) };
                door.pass(asked, answer, || {}, refuse).await
            }
        }))
    }

    async fn pass<B>(
        self,
        asked: Asked,
        answer: impl Future<Output = Result<Response<B>, BoxError>>,
        overtake: impl FnOnce(),
        refuse: impl FnOnce(u16) -> http::Result<Response<B>>,
    ) -> Result<Response<B>, BoxError> {
        if *self.dead.borrow() {
            return std::future::pending().await;
        }
        match self.board.judge(asked) {
            Fate::Pass => answer.await,
            Fate::DieBefore => {
                self.close();
                std::future::pending().await
            }
            Fate::DieAfter => {
                // What it came to, nobody learns.
                let _unheard = answer.await;
                self.close();
                std::future::pending().await
            }
            Fate::LoseAnswer => {
                let _unheard = answer.await;
                Err("the answer was lost on purpose".into())
            }
            Fate::Overtake => {
                overtake();
                answer.await
            }
            Fate::LoseRequest => Err("the request was lost on purpose".into()),
            Fate::Refuse(code) => Ok(refuse(code)?),
        }
    }
}

/// Somebody else changes the object that this path leads to.
fn overtake(api: &ApiServer, path: &str) {
    let path = path.strip_suffix("/status").unwrap_or(path);
    let version = api.changes().borrow().to_string();
    let change = serde_json::json!({"metadata": {"annotations": {"example.com/overtaken": version}}});
    let request = Request::patch(path).header("content-type", "application/merge-patch+json");
    let request = request.body(Bytes::from(change.to_string())).expect("a request");
    let answer = api.answer(request);
    assert!(answer.status().is_success(), "{path} is not overtaken: {}", answer.status());
}

fn asked_of_kube(parts: &http::request::Parts) -> Asked {
    let watches = parts.uri.query().is_some_and(|query| query.contains("watch=true"));
    let method = if watches { "WATCH" } else { parts.method.as_str() };
    let what = format!("{method} {}", parts.uri.path());
    Asked { way: Way::Kube, what, writes: parts.method != Method::GET, at: Instant::now() }
}
