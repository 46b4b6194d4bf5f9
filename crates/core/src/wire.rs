//! What goes over the wire to a cloud and what comes back, as plain values: nothing here opens a socket.
//!
//! Per cloud, `encode` turns a step or a read into parameters, `sign` turns those into a request, `decode` turns
//! the body of an answer into words, and `classify` says what a code means for what is done next.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Failure, Meaning};
use crate::moment::Moment;

pub mod alibaba;
mod digest;
mod percent;
pub(crate) mod utc;

/// A request, complete but for the scheme: whoever sends it adds nothing that is signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: &'static str,
    /// Host with its port if it has one: signed, so the `Host` header must be sent exactly so.
    pub host: String,
    /// Path.
    pub path: Cow<'static, str>,
    /// Query without the question mark, encoded as it was signed; empty if there is none.
    pub query: String,
    /// All headers but `Host` and `Content-Length`, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// The query and the body hold what people wrote and may hold tokens; headers hold the signature and the
/// session token. Debug shows none of their values.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// What was answered, as it came.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// The body may hold keys that were asked for: Debug shows its length alone.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The answer says that the call was carried out; what else there is to know is in the body.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// When it was answered, by the clock of whoever did, if he says so.
    #[must_use]
    pub fn date(&self) -> Option<Moment> {
        utc::of_http(self.header("date")?)
    }

    /// The first header of that name, whatever the case of its letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An answer of success that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which field, as a path from the root such as `Services[3].ServiceId`, and what is wrong with it.
    pub what: String,
}

impl Malformed {
    /// The code of a [`Failure`] that comes from such an answer.
    pub const CODE: &'static str = "<malformed>";

    /// What it means for the one who made the call: the call was carried out, and nothing is known of its effect.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure {
            meaning: Meaning::Unexpected,
            code: Self::CODE.to_owned(),
            message: crate::scrub::scrub(&format!(
                "the answer of success cannot be read: {}; check that no proxy answers in the cloud's place, \
                 then report it",
                self.what
            )),
            request_id: None,
            retry_after: None,
            maybe_done: true,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Malformed {}
