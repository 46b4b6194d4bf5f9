//! What an error code means: by code, and for a few codes by action, never by HTTP status, which is 400 for nearly
//! everything.

use super::codes::{Row, rows};
use crate::error::Meaning;
use crate::scrub::{bounded, scrub};

/// What to do next about `code`, which `action` was refused with. An unknown code is `Unexpected`, never ignored.
#[must_use]
pub fn meaning(action: &str, code: &str) -> Meaning {
    find(action, code).map_or(Meaning::Unexpected, |row| row.meaning)
}

/// The code is in the table, whatever the action.
#[must_use]
pub fn is_known(code: &str) -> bool {
    rows().any(|row| row.stands_for(code))
}

/// What the reader of a message with this code of this action can do about it.
#[must_use]
pub fn remedy(action: &str, code: &str) -> &'static str {
    find(action, code).map_or("read the cloud's own description of the code; it is tried again", |row| row.remedy)
}

/// What happened, what the reader can do, and what the cloud said, scrubbed: the text that stands behind the code
/// in a message.
#[must_use]
pub fn explain(action: &str, code: &str, said: &str) -> String {
    let mut text = match find(action, code) {
        Some(row) => format!("{}: {}", row.what, row.remedy),
        None => format!("{{action}} was refused for a reason that is in no table of ours: {}", remedy(action, code)),
    };
    text = text.replace("{action}", action);
    let said = scrub(said);
    if !said.is_empty() {
        text = format!("{text}. The cloud says: {said}");
    }
    bounded(&text)
}

/// The codes of the table, with `%s` where it stands for any ending, and the actions that a row is for: none for
/// the row of all actions that have none of their own.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    rows().map(|row| (row.code, row.actions))
}

/// An exact row before a beginning, a longer beginning before a shorter one, the action's own before that of all.
fn find(action: &str, code: &str) -> Option<&'static Row> {
    rows()
        .filter(|row| row.stands_for(code) && (row.actions.is_empty() || row.actions.contains(&action)))
        .max_by_key(|row| (row.code == code, row.code.len(), !row.actions.is_empty()))
}
