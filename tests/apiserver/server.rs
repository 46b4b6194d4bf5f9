//! A Kubernetes API server in memory, as far as the operator speaks to one.
//!
//! It lists by pages, watches with bookmarks and 410, patches, applies whole objects and whole statuses, guards by
//! resourceVersion and keeps objects for their finalizers. It has no defaults, no CEL and no rights. What it is
//! asked and does not know it answers with 501 and remembers: no test passes on an answer that was made up. The
//! same exchanges are played against it and against the real API server, and have to be equal.
//!
//! It is part of two programs: the loop's tests, beside the code, and those with a real control plane.

mod owners;
mod patch;
pub mod refusal;
pub mod request;
mod store;
mod watched;

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use refusal::{Failure, Refusal, Unknown};
use request::{Ask, Verb};
use store::Store;

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The API server; clones are the same one.
#[derive(Clone)]
pub struct ApiServer(Arc<Inner>);

struct Inner {
    store: Mutex<Store>,
    now: fn() -> Timestamp,
    /// The version that was written last.
    version: watch::Sender<u64>,
    /// How often all watches were dropped.
    drops: watch::Sender<u64>,
    /// Whether watches deliver nothing for now.
    still: watch::Sender<bool>,
    unknown: Mutex<Vec<String>>,
}

impl ApiServer {
    /// An empty one, with this clock.
    pub fn new(now: fn() -> Timestamp) -> Self {
        let (store, unknown) = (Mutex::new(Store::default()), Mutex::default());
        let (version, drops, still) = (watch::Sender::new(0), watch::Sender::new(0), watch::Sender::new(false));
        Self(Arc::new(Inner { store, now, version, drops, still, unknown }))
    }

    /// Ends all watches that run, without a word.
    pub fn drop_watches(&self) {
        self.0.drops.send_modify(|drops| *drops += 1);
    }

    /// Keeps all watches from delivering, or lets them deliver again.
    pub fn hold_watches(&self, still: bool) {
        self.0.still.send_replace(still);
    }

    /// Forgets what happened up to now: watches that begin before are answered with 410.
    pub fn forget_history(&self) {
        self.store().forget_history();
    }

    /// What was asked and is not known here.
    pub fn unknown(&self) -> Vec<String> {
        lock(&self.0.unknown).clone()
    }

    /// Sees each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Answers one request; one that nobody knows has an answer too.
    pub fn answer(&self, request: Request<Bytes>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let asked = format!("{} {}", parts.method, parts.uri);
        let answered = Ask::read(&parts, &body).map_err(Failure::from).and_then(|ask| self.act(ask));
        match answered {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) => whole(refusal.code, &refusal.status()),
            Err(Failure::Unknown(Unknown(what))) => {
                lock(&self.0.unknown).push(format!("{asked}: {what}"));
                whole(501, &json!({"kind": "Status", "status": "Failure", "code": 501, "message": what}))
            }
        }
    }

    fn act(&self, ask: Ask) -> Result<Response<Body>, Failure> {
        if let Verb::Watch(watching) = ask.verb {
            return Ok(watched::answer(self, ask.target.kind, ask.target.namespace, watching, ask.metadata_only));
        }
        let mut store = self.store();
        let now = (self.0.now)();
        let Ask { target, verb, body, manager, metadata_only } = ask;
        let (code, answer) = match verb {
            Verb::List(listing) => (200, store.list(&target, &listing, metadata_only)?),
            Verb::Get => (200, store.get(&target)?),
            Verb::Create => (201, store.create(&target, body, &manager, now)?),
            Verb::Replace => (200, store.replace(&target, body, &manager)?),
            Verb::JsonPatch | Verb::MergePatch => (200, store.patch(&target, &verb, &body, &manager)?),
            Verb::Apply => store.apply(&target, &body, &manager, now)?,
            Verb::Delete => (200, store.delete(&target, &body, now)?),
            Verb::Watch(_) => return Err(Unknown::new("a watch of one object").into()),
        };
        let version = store.version();
        drop(store);
        self.0.version.send_if_modified(|last| std::mem::replace(last, version) != version);
        Ok(whole(code, &answer))
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.0.store)
    }
}

fn whole(code: u16, answer: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(answer.to_string())).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
