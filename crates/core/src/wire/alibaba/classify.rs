//! What an error code means: by code alone, never by HTTP status, which is 400 for nearly everything.

use super::codes::{Row, TABLE};
use crate::error::Meaning;
use crate::scrub::{bounded, scrub};

/// What to do next about `code`. Every code has one class, whatever the action; an unknown one is `Unexpected`,
/// never ignored.
#[must_use]
pub fn meaning(code: &str) -> Meaning {
    find(code).map_or(Meaning::Unexpected, |row| row.meaning)
}

/// The code is in the table.
#[must_use]
pub fn is_known(code: &str) -> bool {
    find(code).is_some()
}

/// What the reader of a message with this code can do about it.
#[must_use]
pub fn remedy(code: &str) -> &'static str {
    find(code).map_or("read the cloud's own description of the code; it is tried again", |row| row.remedy)
}

/// What happened, what the reader can do, and what the cloud said, scrubbed: the text that stands behind the code
/// in a message.
#[must_use]
pub fn explain(action: &str, code: &str, said: &str) -> String {
    let mut text = match find(code) {
        Some(row) => format!("{}: {}", row.what, row.remedy),
        None => format!("{{action}} was refused for a reason that is in no table of ours: {}", remedy(code)),
    };
    text = text.replace("{action}", action);
    let said = scrub(said);
    if !said.is_empty() {
        text = format!("{text}. The cloud says: {said}");
    }
    bounded(&text)
}

/// The codes of the table, with `%s` where it stands for any ending.
pub fn codes() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.code)
}

fn find(code: &str) -> Option<&'static Row> {
    let beginning = |row: &&Row| row.code.strip_suffix("%s").is_some_and(|beginning| code.starts_with(beginning));
    TABLE
        .iter()
        .find(|row| row.code == code)
        .or_else(|| TABLE.iter().filter(beginning).max_by_key(|row| row.code.len()))
}
