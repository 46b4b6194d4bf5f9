//! Keys that last for a while, as two services answer them.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::decode::json;
use super::fields::Fields;
use crate::error::Failure;
use crate::moment::Moment;
use crate::wire::{Malformed, Response, utc};

/// An access key that lasts for a while. Its parts are wiped when it is dropped, and Debug shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Id of the key.
    pub id: Zeroizing<String>,
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// The token that goes with it.
    pub token: Zeroizing<String>,
    /// How long it lasts from the answer on, by the cloud's clock.
    pub lasts: Duration,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

/// Reads the key at the place that `find` gives, and wipes the answer. Without a date in the answer, the cloud's
/// clock is taken to show `now`.
pub(super) fn read(
    mut response: Response,
    now: Moment,
    find: impl for<'a> FnOnce(Fields<'a>) -> Result<Fields<'a>, Malformed>,
) -> Result<Session, Malformed> {
    let answered = response.date().unwrap_or(now);
    let value = json(&response.body);
    response.body.zeroize();
    let mut value = value?;
    let session = Fields::root(&value).and_then(find).and_then(|found| key(&found, answered));
    wipe(&mut value);
    session
}

fn key(from: &Fields<'_>, answered: Moment) -> Result<Session, Malformed> {
    let part = |name| from.id(name).map(Zeroizing::new);
    let ends = utc::of_iso(&from.id("Expiration")?).ok_or_else(|| from.wrong("Expiration", "is no date"))?;
    let lasts = ends.since(answered);
    if lasts.is_zero() {
        return Err(from.wrong("Expiration", "has passed"));
    }
    Ok(Session { id: part("AccessKeyId")?, secret: part("AccessKeySecret")?, token: part("SecurityToken")?, lasts })
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An answer that cannot be read has given nothing.
pub(super) fn unread(malformed: &Malformed) -> Failure {
    Failure { maybe_done: false, ..malformed.failure() }
}
