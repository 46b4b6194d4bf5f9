//! Settings from a file: YAML with the names of the flags, and nothing nested but lists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction};
use serde_json::Value;

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error("--config {file}: {source}; name a file that the process may read", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no YAML, or not one of names and values.
    #[error("--config {file}: {what}; write lines such as publish: true", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What the parser said, with the line.
        what: String,
    },
    /// A setting says nothing that is understood.
    #[error("--config {file}: {name}: {what}", file = .file.display())]
    Setting {
        /// The file.
        file: PathBuf,
        /// The setting.
        name: String,
        /// What is wrong with it, and what to write.
        what: String,
    },
}

/// What a file says, as arguments of the command line that has these `flags`; what `is_set` already is left out.
///
/// # Errors
/// [`Refused`]
pub fn arguments(file: &Path, flags: &[Arg], is_set: impl Fn(&Arg) -> bool) -> Result<Vec<OsString>, Refused> {
    let text = std::fs::read_to_string(file).map_err(|source| Refused::Unreadable { file: file.to_owned(), source })?;
    let said: Option<BTreeMap<String, Value>> = serde_saphyr::from_str(&text)
        .map_err(|error| Refused::Malformed { file: file.to_owned(), what: error.to_string() })?;
    let mut arguments = Vec::new();
    for (name, value) in said.unwrap_or_default() {
        let refused = |what: String| Refused::Setting { file: file.to_owned(), name: name.clone(), what };
        let Some(flag) = flags.iter().find(|flag| flag.get_long() == Some(&name)) else {
            let names: Vec<&str> = flags.iter().filter_map(Arg::get_long).collect();
            return Err(refused(format!("it is no setting: write one of {}", names.join(", "))));
        };
        let argument = argument(flag, &name, &value).map_err(refused)?;
        arguments.extend(argument.filter(|_| !is_set(flag)));
    }
    Ok(arguments)
}

/// One setting as an argument; none, where it switches off what is off anyway.
fn argument(flag: &Arg, name: &str, value: &Value) -> Result<Option<OsString>, String> {
    if matches!(flag.get_action(), ArgAction::SetTrue) {
        let on = value.as_bool().ok_or_else(|| format!("{value} is neither true nor false: write one of the two"))?;
        return Ok(on.then(|| format!("--{name}").into()));
    }
    let text = match value {
        Value::Array(values) if values.is_empty() => return Ok(None),
        Value::Array(values) => values.iter().map(plain).collect::<Option<Vec<String>>>().map(|all| all.join(",")),
        other => plain(other),
    };
    let text = text.ok_or_else(|| {
        format!("{value} is a number, nested, or nothing: write one value in quotes, or a list of such")
    })?;
    Ok(Some(format!("--{name}={text}").into()))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) => Some(value.to_string()),
        // It would be written otherwise than it stands there: 1.10 as 1.1.
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
