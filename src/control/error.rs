//! What can go wrong between us and the API server, named by what to do next.

use std::time::Duration;

/// How long one call to the API server may take, watches aside: its own bound on a request is a minute, and
/// most calls are over in milliseconds.
const LONGEST_CALL: Duration = Duration::from_secs(15);

/// Why a turn of an object ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or could not be reached: tried again, ever more slowly.
    #[error("{what}: {source}")]
    Kube {
        /// What was tried.
        what: &'static str,
        /// What came back.
        source: Box<kube::Error>,
    },
    /// No answer came in time: tried again, ever more slowly.
    #[error("{0}: no answer within {seconds} s", seconds = LONGEST_CALL.as_secs())]
    Late(&'static str),
    /// The object has changed since it was read: looked at again at once.
    #[error("the object has changed meanwhile")]
    Changed,
    /// The object is gone, or another of its name is in its place: nothing is left to do.
    #[error("the object is gone")]
    Gone,
    /// Its namespace is being deleted and takes nothing new: the object's own deletion follows.
    #[error("the namespace is being deleted")]
    Terminating,
    /// This process is not the one that writes: whoever is looks at the object itself.
    #[error("another replica writes")]
    NotTheWriter,
}

/// Makes one call to the API server, bounded in time.
///
/// # Errors
/// [`Error`], with `what` was tried.
pub async fn call<T>(what: &'static str, call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(LONGEST_CALL, call).await {
        Ok(answer) => answer.map_err(|source| Error::of(what, source)),
        Err(_) => Err(Error::Late(what)),
    }
}

impl Error {
    /// What came of a turn that ended so, as one word of a closed list.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Kube { .. } | Self::Late(_) => "failed",
            Self::Changed => "overtaken",
            Self::Gone | Self::Terminating => "gone",
            Self::NotTheWriter => "not_the_writer",
        }
    }

    fn of(what: &'static str, source: kube::Error) -> Self {
        if let kube::Error::Api(status) = &source {
            if status.is_not_found() {
                return Self::Gone;
            }
            if status.is_conflict() {
                return Self::Changed;
            }
            if is_terminating(status) {
                return Self::Terminating;
            }
        }
        Self::Kube { what, source: Box::new(source) }
    }
}

/// The API server refuses what is new in a namespace that is being deleted, with this cause.
fn is_terminating(status: &kube::core::Status) -> bool {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    status.is_forbidden() && causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(status: serde_json::Value) -> Error {
        let status = serde_json::from_value(status).expect("a Status");
        Error::of("a write", kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn refusals_are_told_apart_by_what_to_do_next() {
        let plain =
            |reason: &str, code: u16| json!({"status": "Failure", "reason": reason, "code": code, "message": ""});
        assert!(matches!(refused(plain("Conflict", 409)), Error::Changed));
        assert!(matches!(refused(plain("NotFound", 404)), Error::Gone));
        assert!(matches!(refused(plain("Forbidden", 403)), Error::Kube { .. }));
        let mut terminating = plain("Forbidden", 403);
        terminating["details"] = json!({"causes": [{"reason": "NamespaceTerminating", "message": "", "field": ""}]});
        assert!(matches!(refused(terminating), Error::Terminating));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends() {
        let never = std::future::pending::<kube::Result<()>>();
        let error = call("a look", never).await.expect_err("late");
        assert_eq!(error.to_string(), "a look: no answer within 15 s");
    }
}
