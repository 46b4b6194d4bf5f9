//! Who has written which field: what an apply removes are the fields that it applied before, names no longer, and
//! nobody else has written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::refusal::Unknown;

type Path = Vec<String>;

/// Fields of the metadata that are the API server's own, or say which object it is.
const SYSTEM: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Who writes, and how: an apply and another write of the same manager are two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// Manager.
    pub manager: String,
    /// By an apply.
    pub applies: bool,
    /// To the status.
    pub status: bool,
}

/// The fields of each writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners(BTreeMap<Writer, BTreeSet<Path>>);

impl Owners {
    /// A write that is no apply: what it changed is its own, and nobody else's.
    pub fn wrote(&mut self, writer: &Writer, before: &Value, after: &Value) {
        let (before, after) = (leaves(before), leaves(after));
        let paths: BTreeSet<&Path> = before.keys().chain(after.keys()).collect();
        for path in paths.into_iter().filter(|path| before.get(*path) != after.get(*path)) {
            for owned in self.0.values_mut() {
                owned.remove(path);
            }
            if after.contains_key(path) {
                self.0.entry(writer.clone()).or_default().insert(path.clone());
            }
        }
        self.0.retain(|_, owned| !owned.is_empty());
    }

    /// `object` with what is applied; by force, so that a field of another becomes this writer's.
    ///
    /// # Errors
    /// For a list that others have a part in: which items are whose is not known here.
    pub fn apply(&mut self, writer: &Writer, object: &Value, applied: &Value) -> Result<Value, Unknown> {
        let (now, wanted) = (leaves(object), leaves(applied));
        let mut next = object.clone();
        let mine = self.0.remove(writer).unwrap_or_default();
        let others = |owners: &Self, path: &Path| owners.0.values().any(|owned| owned.contains(path));
        for path in mine.iter().filter(|path| !wanted.contains_key(*path) && !others(self, path)) {
            remove(&mut next, path);
        }
        for (path, value) in &wanted {
            if value.is_null() {
                return Err(Unknown::new(format!("null is applied to {}", path.join("."))));
            }
            if now.get(path) == Some(value) {
                continue;
            }
            let lists = value.is_array() || now.get(path).is_some_and(Value::is_array);
            if others(self, path) && lists {
                return Err(Unknown::new(format!("the list {} has several writers", path.join("."))));
            }
            for owned in self.0.values_mut() {
                owned.remove(path);
            }
            set(&mut next, path, value);
        }
        self.0.insert(writer.clone(), wanted.into_keys().collect());
        self.0.retain(|_, owned| !owned.is_empty());
        Ok(next)
    }
}

/// All fields that somebody writes; lists are one field each.
fn leaves(object: &Value) -> BTreeMap<Path, Value> {
    let mut all = BTreeMap::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if !SYSTEM.contains(&name.as_str()) {
                        collect(&mut all, vec!["metadata".to_owned(), name.clone()], value);
                    }
                }
            }
            _ => collect(&mut all, vec![name.clone()], value),
        }
    }
    all
}

fn collect(all: &mut BTreeMap<Path, Value>, path: Path, value: &Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                collect(all, path.iter().cloned().chain([name.clone()]).collect(), value);
            }
        }
        _ => {
            all.insert(path, value.clone());
        }
    }
}

fn set(object: &mut Value, path: &[String], value: &Value) {
    let [first, rest @ ..] = path else {
        object.clone_from(value);
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(fields) = object {
        set(fields.entry(first).or_insert(Value::Null), rest, value);
    }
}

/// Removes a field, and what then holds nothing any more.
fn remove(object: &mut Value, path: &[String]) {
    let (Value::Object(fields), [first, rest @ ..]) = (object, path) else { return };
    if let Some(inner) = fields.get_mut(first).filter(|_| !rest.is_empty()) {
        remove(inner, rest);
        if inner.as_object().is_some_and(|inner| !inner.is_empty()) {
            return;
        }
    }
    fields.remove(first);
}
