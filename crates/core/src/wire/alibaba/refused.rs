//! Answers that are no success: a code with its meaning, from whatever shape the refusal came in.
//!
//! The product answers JSON; the gateway may answer JSON with lower-case keys or XML; what stands between may
//! answer HTML or nothing at all.

use std::time::Duration;

use serde_json::Value;

use super::classify;
use crate::error::{Failure, Meaning};
use crate::wire::Response;

/// Longest code and longest request id that are kept; the cloud's own are below 64.
const WORD: usize = 128;
/// Longest wait that an answer can ask for: whoever is wrong about it must not silence a place.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What an answer that is no success means for the one who called `action`.
///
/// A code decides by itself. Where it is unknown, or there is none, the HTTP status says whether the cloud was
/// overrun or has failed, and everything else is unexpected.
#[must_use]
pub fn failure(action: &str, response: &Response) -> Failure {
    let said = said(&response.body);
    let retry_after = retry_after(response);
    let Some(code) = said.code else {
        let code = format!("<http {}>", response.status);
        let message = format!(
            "{action} was answered with status {} and no code of the cloud's: check the network, the proxy and \
             the endpoints of the CloudAccount",
            response.status
        );
        return Failure {
            meaning: by_status(response, retry_after),
            code,
            message,
            request_id: said.request_id,
            retry_after,
            maybe_done: is_unclear(response.status),
        };
    };
    Failure {
        meaning: if classify::is_known(&code) {
            classify::meaning(action, &code)
        } else {
            by_status(response, retry_after)
        },
        message: classify::explain(action, &code, &said.message),
        request_id: said.request_id,
        retry_after,
        maybe_done: is_unclear(response.status) || code == "IdempotenceProcessing",
        code,
    }
}

/// For an unknown code alone. The header that asks for a wait marks throttling whatever the code.
fn by_status(response: &Response, retry_after: Option<Duration>) -> Meaning {
    match response.status {
        429 => Meaning::Throttled,
        408 | 500..=599 => Meaning::Unavailable,
        _ if retry_after.is_some() => Meaning::Throttled,
        _ => Meaning::Unexpected,
    }
}

const fn is_unclear(status: u16) -> bool {
    matches!(status, 408 | 500..=599)
}

/// The vendor's header is in milliseconds, HTTP's own in seconds (or a date, which is not read).
fn retry_after(response: &Response) -> Option<Duration> {
    let number = |name| response.header(name)?.trim().parse::<u64>().ok().filter(|number| *number > 0);
    let wait = number("x-acs-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))?;
    Some(wait.min(LONGEST_WAIT))
}

#[derive(Default)]
struct Said {
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

/// The cloud's id of a request, as the answer to it says, whatever the answer is.
#[must_use]
pub fn request_id(body: &[u8]) -> Option<String> {
    said(body).request_id
}

fn said(body: &[u8]) -> Said {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return from_json(&value);
    }
    from_xml(&String::from_utf8_lossy(body))
}

fn from_json(value: &Value) -> Said {
    let text = |names: [&str; 2]| names.iter().find_map(|name| value.get(*name)?.as_str());
    let detail = value.get("AccessDeniedDetail").or_else(|| value.get("accessDeniedDetail"));
    let denied = detail.and_then(|detail| detail.get("AuthAction")).and_then(Value::as_str);
    let mut message = text(["Message", "message"]).unwrap_or_default().to_owned();
    if let Some(denied) = denied {
        message = format!("{message} Missing permission: {denied}");
    }
    Said {
        code: text(["Code", "code"]).and_then(word),
        message,
        request_id: text(["RequestId", "requestId"]).and_then(word),
    }
}

/// The few elements that count, wherever they stand: this is no parser, and whatever is no such document has none
/// of them.
fn from_xml(body: &str) -> Said {
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        let (text, _) = rest.split_once(&format!("</{name}>"))?;
        Some(unescaped(text.trim()))
    };
    if !body.contains("<Error>") {
        return Said::default();
    }
    Said {
        code: element("Code").as_deref().and_then(word),
        message: element("Message").unwrap_or_default(),
        request_id: element("RequestId").as_deref().and_then(word),
    }
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// A code or an id: printable, of a bounded length, not empty.
fn word(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(WORD).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}
