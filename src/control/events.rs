//! Tells people what has changed: one Event for each transition, and no flood for an object that never rests.

use std::collections::VecDeque;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::plan::Truth;
use privatelink_core::status::{Common, Condition};
use tokio::time::Instant;

use super::error::call;
use super::status::MANAGER;

/// Events that one object may have in [`WINDOW`]; what is beyond is in its conditions and in the log.
const MOST: usize = 20;
/// See [`MOST`].
const WINDOW: Duration = Duration::from_mins(10);
/// Longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1_024;

/// Something that has happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// It is as it should be, or on the way; else it is a warning.
    pub normal: bool,
    /// One word.
    pub reason: &'static str,
    /// What happened, in a sentence.
    pub note: String,
}

/// How many Events an object has had lately.
#[derive(Clone, Debug, Default)]
pub struct Told(VecDeque<Instant>);

impl Told {
    /// Whether one more may be told now; then it counts.
    fn one_more(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            self.0.pop_front();
        }
        let may = self.0.len() < MOST;
        if may {
            self.0.push_back(now);
        }
        may
    }
}

/// Writes Events.
#[derive(Clone)]
pub struct Teller {
    client: Client,
    reporter: Reporter,
}

impl Teller {
    /// Writes as the replica of this name.
    #[must_use]
    pub fn new(client: Client, replica: &str) -> Self {
        Self { client, reporter: Reporter { controller: MANAGER.to_owned(), instance: Some(replica.to_owned()) } }
    }

    /// Tells what has happened to `object`. An Event that cannot be written is logged and not tried again: it
    /// is news, and the conditions say the same.
    pub async fn tell(&self, object: &ObjectReference, told: &mut Told, happenings: &[Happening]) {
        for happening in happenings {
            if !told.one_more(Instant::now()) {
                tracing::debug!(reason = happening.reason, "no Event: this object has had enough of them lately");
                continue;
            }
            let event = Event {
                type_: if happening.normal { EventType::Normal } else { EventType::Warning },
                reason: happening.reason.to_owned(),
                note: Some(shortened(&happening.note)),
                action: "Reconcile".to_owned(),
                secondary: None,
            };
            // A recorder of its own for each: one that is kept sends the first note again for every later Event
            // of the same reason.
            let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
            if let Err(error) = call("write an Event", recorder.publish(&event, object)).await {
                tracing::debug!(reason = happening.reason, %error, "no Event");
            }
        }
    }
}

fn shortened(note: &str) -> String {
    let end = (0..=LONGEST_NOTE.min(note.len())).rev().find(|end| note.is_char_boundary(*end)).unwrap_or(0);
    note[..end].to_owned()
}

/// What has happened between two statuses of an object: its readiness has another reason, or its spec began or
/// ceased to fit.
#[must_use]
pub fn transitions(before: &Common, after: &Common) -> Vec<Happening> {
    let told = [ConditionType::Valid, ConditionType::Ready];
    told.into_iter().filter_map(|condition| transition(of(before, condition), of(after, condition)?)).collect()
}

fn of(common: &Common, condition: ConditionType) -> Option<&Condition> {
    common.conditions.iter().find(|one| one.condition == condition)
}

fn transition(before: Option<&Condition>, after: &Condition) -> Option<Happening> {
    let unchanged = before.is_some_and(|before| (before.truth, before.reason) == (after.truth, after.reason));
    let fits = after.condition == ConditionType::Valid && after.truth == Truth::True;
    // That a spec fits is news only where it did not; what Ready says too is said once.
    let repeats = after.condition == ConditionType::Valid && after.truth != Truth::True;
    if unchanged || fits || repeats {
        return None;
    }
    let on_the_way = matches!(
        after.reason,
        Reason::Ready
            | Reason::Provisioning
            | Reason::Deleting
            | Reason::Paused
            | Reason::WaitingForService
            | Reason::WaitingForConsumer
            | Reason::WaitingForAcceptance
    );
    Some(Happening { normal: on_the_way, reason: after.reason.as_str(), note: after.message.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use privatelink_core::moment::Moment;

    fn said(truth: Truth, reason: Reason, message: &str) -> Common {
        let condition = Condition {
            condition: ConditionType::Ready,
            truth,
            reason,
            message: message.to_owned(),
            generation: 1,
            since: Moment(0),
        };
        Common { conditions: vec![condition], ..Common::default() }
    }

    #[test]
    fn one_event_a_transition_and_none_for_another_message() {
        let ready = said(Truth::True, Reason::Ready, "a");
        let mut blocked = said(Truth::False, Reason::BlockedByConnections, "by ep-1");
        let happening = |normal, reason, note: &str| Happening { normal, reason, note: note.to_owned() };
        assert_eq!(transitions(&Common::default(), &ready), [happening(true, "Ready", "a")]);
        assert_eq!(transitions(&ready, &said(Truth::True, Reason::Ready, "b")), []);
        assert_eq!(transitions(&ready, &blocked), [happening(false, "BlockedByConnections", "by ep-1")]);
        let before = blocked.clone();
        blocked.conditions[0].message = "by ep-2".to_owned();
        assert_eq!(transitions(&before, &blocked), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_never_rests_is_told_of_now_and_then() {
        let mut told = Told::default();
        assert!((0..MOST).all(|_| told.one_more(Instant::now())));
        assert!(!told.one_more(Instant::now()));
        tokio::time::advance(WINDOW).await;
        assert!(told.one_more(Instant::now()));
    }

    #[test]
    fn a_long_note_is_cut_between_two_letters() {
        let note = "é".repeat(LONGEST_NOTE);
        assert_eq!(shortened(&note).len(), LONGEST_NOTE);
        assert_eq!(shortened("short"), "short");
    }
}
