//! A watch: what changes from a version on, as it changes, until its time is over or it is dropped.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::refusal::Refusal;
use super::request::{Kind, Watching};
use super::store::{Change, has_label, metadata_of};
use super::{ApiServer, Body};

/// How often a watch that has nothing to tell says up to where that is so.
const BOOKMARK: Duration = Duration::from_mins(1);
/// So long before its end it says so too.
const BEFORE_END: Duration = Duration::from_secs(2);
/// How long a watch runs of which nobody says how long.
const LONGEST: Duration = Duration::from_mins(30);

struct Watch {
    server: ApiServer,
    kind: &'static Kind,
    namespace: String,
    label: Option<String>,
    metadata_only: bool,
    bookmarks: bool,
    /// All up to here has been told.
    position: u64,
    untold: VecDeque<Value>,
    end: Instant,
    next_bookmark: Option<Instant>,
    versions: watch::Receiver<u64>,
    drops: watch::Receiver<u64>,
    still: watch::Receiver<bool>,
    over: bool,
}

/// Begins a watch.
pub fn answer(
    server: &ApiServer,
    kind: &'static Kind,
    namespace: String,
    watching: Watching,
    metadata_only: bool,
) -> Response<Body> {
    let end = Instant::now() + watching.patience.unwrap_or(LONGEST);
    let (mut versions, mut drops) = (server.0.version.subscribe(), server.0.drops.subscribe());
    versions.mark_changed();
    drops.mark_unchanged();
    let mut watch = Watch {
        server: server.clone(),
        kind,
        namespace,
        label: watching.label,
        metadata_only,
        bookmarks: watching.bookmarks,
        position: watching.from,
        untold: VecDeque::new(),
        end,
        next_bookmark: bookmark_after(Instant::now(), end),
        versions,
        drops,
        still: server.0.still.subscribe(),
        over: false,
    };
    if !server.store().remembers(watching.from) {
        watch.untold.push_back(json!({"type": "ERROR", "object": Refusal::expired().status()}));
        watch.over = true;
    }
    let frames = stream::unfold(watch, |mut watch| async move { Some((watch.next().await?, watch)) });
    Response::new(StreamBody::new(frames).boxed_unsync())
}

impl Watch {
    async fn next(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        loop {
            let still = *self.still.borrow_and_update();
            if let Some(event) = self.untold.pop_front() {
                return Some(Ok(Frame::data(Bytes::from(format!("{event}\n")))));
            }
            if self.over {
                return None;
            }
            let bookmark = self.next_bookmark.filter(|_| self.bookmarks);
            tokio::select! {
                biased;
                _ = self.drops.changed() => {
                    self.over = true;
                    return Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the watch was dropped")));
                }
                // The server is here: its senders are not gone.
                Ok(()) = self.still.changed() => {}
                Ok(()) = self.versions.changed(), if !still => self.catch_up(),
                () = tokio::time::sleep_until(self.end) => self.over = true,
                () = tokio::time::sleep_until(bookmark.unwrap_or(self.end)), if bookmark.is_some() && !still => {
                    self.next_bookmark = bookmark_after(Instant::now(), self.end);
                    let object = json!({
                        "apiVersion": self.kind.api_version(), "kind": self.kind.name,
                        "metadata": {"resourceVersion": self.position.to_string()},
                    });
                    let object = if self.metadata_only { metadata_of(&object) } else { object };
                    self.untold.push_back(json!({"type": "BOOKMARK", "object": object}));
                }
            }
        }
    }

    fn catch_up(&mut self) {
        let store = self.server.store();
        let of_these = |change: &&Change| change.is_of(self.kind, &self.namespace);
        let events: Vec<Value> =
            store.since(self.position).iter().filter(of_these).filter_map(|change| self.event(change)).collect();
        let version = store.version();
        drop(store);
        self.position = self.position.max(version);
        self.untold.extend(events);
    }

    /// What a change is for those who see only objects with a label.
    fn event(&self, change: &Change) -> Option<Value> {
        let matches = |object: &Value| has_label(object, self.label.as_deref());
        let before = change.before.as_ref().is_some_and(matches);
        let now = !change.gone && matches(&change.object);
        let what = match (before, now) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        let mut object = change.object.clone();
        if let (false, false, Some(last)) = (now, change.gone, &change.before) {
            // Whoever asked for those with the label alone sees it as it was when it had it.
            object.clone_from(last);
            object["metadata"]["resourceVersion"] = change.version.to_string().into();
        }
        let object = if self.metadata_only { metadata_of(&object) } else { object };
        Some(json!({"type": what, "object": object}))
    }
}

/// When the next bookmark is due: regularly, and once more before the end.
fn bookmark_after(now: Instant, end: Instant) -> Option<Instant> {
    let last = end - BEFORE_END;
    (now < last).then(|| last.min(now + BOOKMARK))
}
