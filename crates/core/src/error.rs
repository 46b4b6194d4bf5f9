//! Failures, named by what to do next.

use std::time::Duration;

use crate::condition::Reason;

/// What a cloud's error code means for the one who made the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// What the call speaks of does not exist; a confirming read decides whether it is absent.
    Gone,
    /// What the call asks for is so already.
    Done,
    /// Something is being changed, or another call of its scope is on its way: look again soon.
    InTransition,
    /// Too many calls: slower, then again with the same token.
    Throttled,
    /// The cloud or the way to it does not answer: again with the same token.
    Unavailable,
    /// The client token was used for another form: find by tag, then a new token.
    TokenReused,
    /// Others must act first; not an error.
    Waiting(Reason),
    /// A person must act; nothing is tried again until the spec or the credentials change, or an hour passes.
    UserMustAct(Reason),
    /// The credentials are at fault: the account's business, not the object's.
    Credentials(Reason),
    /// A dry run would have succeeded.
    DryRun,
    /// Nothing that was foreseen: shown with its code, tried again ever more slowly.
    Unexpected,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to do next.
    pub meaning: Meaning,
    /// The cloud's code, or a word of ours in angle brackets where the cloud gave none, such as `<timeout>`.
    pub code: String,
    /// What the cloud said, scrubbed of what differs from call to call.
    pub message: String,
    /// The cloud's id of the request, for its support; never part of a condition.
    pub request_id: Option<String>,
    /// How long the cloud asks to wait.
    pub retry_after: Option<Duration>,
    /// The call may have had its effect although no answer came.
    pub maybe_done: bool,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}
