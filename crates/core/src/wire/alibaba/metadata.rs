//! The metadata service of a machine, as far as it hands out the keys of the machine's role.
//!
//! In the hardened mode a token is asked for first and shown with each question; the older mode does without.

use super::{decode, session};
use crate::condition::Reason;
use crate::error::{Failure, Meaning};
use crate::moment::Moment;
use crate::wire::{Request, Response};

pub use super::session::Session;

/// Where the service answers on every machine of the vendor's.
pub const ADDRESS: &str = "http://100.100.100.200";

/// How long a token of the hardened mode is asked for, in seconds: the longest that is given.
const TOKEN_SECONDS: &str = "21600";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
/// What failures of this service are told by; it knows no actions.
const ACTION: &str = "the machine's metadata service";

/// Asks for a token of the hardened mode.
#[must_use]
pub fn token(host: &str) -> Request {
    let headers = vec![("x-aliyun-ecs-metadata-token-ttl-seconds".to_owned(), TOKEN_SECONDS.to_owned())];
    Request { method: "PUT", headers, ..request(host, "/latest/api/token".to_owned(), None) }
}

/// Asks for the name of the machine's role.
#[must_use]
pub fn role(host: &str, token: Option<&str>) -> Request {
    request(host, ROLES.to_owned(), token)
}

/// Asks for a session of the machine's role of this name.
#[must_use]
pub fn credentials(host: &str, role: &str, token: Option<&str>) -> Request {
    request(host, format!("{ROLES}{role}"), token)
}

fn request(host: &str, path: String, token: Option<&str>) -> Request {
    let shown = token.map(|token| ("x-aliyun-ecs-metadata-token".to_owned(), token.to_owned()));
    Request {
        method: "GET",
        host: host.to_owned(),
        path: path.into(),
        query: String::new(),
        headers: shown.into_iter().collect(),
        body: Vec::new(),
    }
}

/// The token of the hardened mode that was answered; it may hold whatever a header may.
///
/// # Errors
/// The service refused, or answered something else than one word.
pub fn token_answered(response: &Response) -> Result<String, Failure> {
    word(response, "<")
}

/// The name of a role that was answered, which goes into a path.
///
/// # Errors
/// The service refused, or answered something else than a name.
pub fn role_answered(response: &Response) -> Result<String, Failure> {
    word(response, "</?#")
}

/// The one word that was answered, with none of the letters in `barred`.
fn word(response: &Response, barred: &str) -> Result<String, Failure> {
    let text = str::from_utf8(&response.body).unwrap_or_default().trim();
    let plain = |byte: u8| byte.is_ascii_graphic() && !barred.as_bytes().contains(&byte);
    match response.status {
        200 if !text.is_empty() && text.bytes().all(plain) => Ok(text.to_owned()),
        200 => Err(refused(
            "<malformed>",
            "the answer is not the one word that was asked for; check that no proxy answers in its place",
        )),
        _ => Err(no_role(response)),
    }
}

/// The session that was answered at `now`.
///
/// # Errors
/// The service refused, says that it has none, or answered something else.
pub fn session(response: Response, now: Moment) -> Result<Session, Failure> {
    if response.status != 200 {
        return Err(no_role(&response));
    }
    session::read(response, now, |root| match root.text("Code").as_deref() {
        Some("Success") => Ok(root),
        _ => Err(root.wrong("Code", "is not Success")),
    })
    .map_err(|malformed| session::unread(&malformed))
}

fn no_role(response: &Response) -> Failure {
    match response.status {
        404 => refused(
            "<http 404>",
            "the machine has no RAM role: attach one to the ECS instance, or correct ALIBABA_CLOUD_ECS_METADATA",
        ),
        401 | 403 => refused(
            &format!("<http {}>", response.status),
            "the token was not accepted: the hardened mode is asked for and the service is set up otherwise; unset \
             ALIBABA_CLOUD_IMDSV1_DISABLED, or set the instance's metadata to the hardened mode",
        ),
        _ => decode::failure(ACTION, response),
    }
}

fn refused(code: &str, message: &str) -> Failure {
    Failure {
        meaning: Meaning::Credentials(Reason::CredentialsInvalid),
        code: code.to_owned(),
        message: format!("{ACTION}: {message}"),
        request_id: None,
        retry_after: None,
        maybe_done: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Response {
        Response { status: 200, headers: Vec::new(), body: text.as_bytes().to_vec() }
    }

    #[test]
    fn a_token_may_hold_all_that_base64_has_and_the_name_of_a_role_may_not() {
        let token = "Ey/kA+dQ==";
        assert_eq!(token_answered(&answered(&format!("{token}\n"))), Ok(token.to_owned()));
        assert_eq!(role_answered(&answered("node\n")), Ok("node".to_owned()));
        for wrong in ["", "two words", "<html>", "a/b"] {
            assert!(role_answered(&answered(wrong)).is_err(), "{wrong}");
            assert!(wrong == "a/b" || token_answered(&answered(wrong)).is_err(), "{wrong}");
        }
    }
}
