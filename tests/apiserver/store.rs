//! What the API server holds: objects, and every change that led there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::owners::{Owners, Writer};
use super::patch::{Unpatched, merge, stepwise};
use super::refusal::{Failure, Refusal, Unknown};
use super::request::{Kind, Listing, Target, Verb};

/// Which object it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    resource: (&'static str, &'static str),
    namespace: String,
    name: String,
}

#[derive(Clone, Debug)]
struct Held {
    object: Value,
    owners: Owners,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its version.
    pub version: u64,
    key: Key,
    /// As it was before, if it was.
    pub before: Option<Value>,
    /// As it is now, or was last.
    pub object: Value,
    /// It is gone.
    pub gone: bool,
}

impl Change {
    /// Whether it is one of these objects.
    pub fn is_of(&self, kind: &Kind, namespace: &str) -> bool {
        self.key.is_in(kind, namespace)
    }
}

/// The objects and their history.
#[derive(Debug, Default)]
pub struct Store {
    version: u64,
    objects: BTreeMap<Key, Held>,
    history: Vec<Change>,
    /// What happened before is forgotten.
    oldest: u64,
}

impl Key {
    fn of(target: &Target) -> Self {
        let Target { kind, namespace, name, .. } = target;
        Self { resource: (kind.group, kind.plural), namespace: namespace.clone(), name: name.clone() }
    }

    fn is_in(&self, kind: &Kind, namespace: &str) -> bool {
        self.resource == (kind.group, kind.plural) && (namespace.is_empty() || self.namespace == namespace)
    }
}

impl Store {
    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether changes after `version` are still known.
    pub fn remembers(&self, version: u64) -> bool {
        version >= self.oldest
    }

    /// From now on only what happens from now on is known.
    pub fn forget_history(&mut self) {
        // Versions are counted for all kinds together: the last one that anybody has seen is before this one.
        self.version += 1;
        self.oldest = self.version;
    }

    /// The changes after `version`, first to last.
    pub fn since(&self, version: u64) -> &[Change] {
        let at = self.history.partition_point(|change| change.version <= version);
        &self.history[at..]
    }

    /// One page.
    pub fn list(&self, target: &Target, listing: &Listing, metadata_only: bool) -> Result<Value, Failure> {
        let (version, after) = match &listing.token {
            None => (self.version, None),
            Some(token) => {
                let unknown = || Unknown::new(format!("the page {token}"));
                let (version, after) = token.split_once(':').ok_or_else(unknown)?;
                let version: u64 = version.parse().map_err(|_| unknown())?;
                if !self.remembers(version) {
                    return Err(Refusal::expired().into());
                }
                let (namespace, name) = after.split_once('/').ok_or_else(unknown)?;
                (version, Some((namespace.to_owned(), name.to_owned())))
            }
        };
        let all = self.at(version);
        let wanted = |(key, object): &(&Key, &Value)| {
            key.is_in(target.kind, &target.namespace)
                && after.as_ref().is_none_or(|after| (&key.namespace, &key.name) > (&after.0, &after.1))
                && listing.name.as_ref().is_none_or(|name| *name == key.name)
                && has_label(object, listing.label.as_deref())
        };
        let mut found: Vec<(&Key, &Value)> = all.into_iter().filter(wanted).collect();
        let mut metadata = json!({"resourceVersion": version.to_string()});
        let limit = listing.limit.unwrap_or(usize::MAX);
        if found.len() > limit {
            found.truncate(limit);
            let last = found.last().map(|(key, _)| format!("{version}:{}/{}", key.namespace, key.name));
            metadata["continue"] = last.into();
        }
        let shown = |(_, object): &(&Key, &Value)| {
            if metadata_only { metadata_of(object) } else { (*object).clone() }
        };
        let (version, kind) = if metadata_only {
            ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata")
        } else {
            (target.kind.api_version(), target.kind.name)
        };
        let items: Vec<Value> = found.iter().map(shown).collect();
        Ok(json!({"apiVersion": version, "kind": format!("{kind}List"), "metadata": metadata, "items": items}))
    }

    /// The objects as they were at `version`.
    fn at(&self, version: u64) -> BTreeMap<&Key, &Value> {
        let mut all = BTreeMap::new();
        for change in self.history.iter().take_while(|change| change.version <= version) {
            if change.gone {
                all.remove(&change.key);
            } else {
                all.insert(&change.key, &change.object);
            }
        }
        all
    }

    /// One object.
    pub fn get(&self, target: &Target) -> Result<Value, Failure> {
        Ok(self.held(target)?.object.clone())
    }

    fn held(&self, target: &Target) -> Result<&Held, Refusal> {
        self.objects.get(&Key::of(target)).ok_or_else(|| Refusal::not_found(target))
    }

    /// Makes an object.
    pub fn create(&mut self, at: &Target, object: Value, manager: &str, now: Timestamp) -> Result<Value, Failure> {
        let name = object["metadata"]["name"].as_str().ok_or_else(|| Unknown::new("an object without a name"))?;
        let target = Target { name: name.to_owned(), ..at.clone() };
        let writer = Writer { manager: manager.to_owned(), applies: false, status: false };
        let mut owners = Owners::default();
        let made = self.made(&target, object, now)?;
        owners.wrote(&writer, &Value::Null, &made);
        Ok(self.put(&target, made, owners))
    }

    /// A new object with what the API server adds.
    fn made(&self, target: &Target, mut object: Value, now: Timestamp) -> Result<Value, Failure> {
        let Target { kind, namespace, .. } = target;
        let theirs = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        let named = object["apiVersion"] == kind.api_version() && object["kind"] == kind.name && theirs == namespace;
        if !named || object["metadata"].get("deletionTimestamp").is_some() {
            return Err(Unknown::new("an object that is of another place").into());
        }
        if kind.namespaced {
            let place = Key { resource: ("", "namespaces"), namespace: String::new(), name: namespace.clone() };
            match self.objects.get(&place) {
                None => return Err(Refusal::not_found(target).into()),
                Some(held) if held.object["metadata"].get("deletionTimestamp").is_some() => {
                    return Err(Unknown::new("something new in a namespace that goes").into());
                }
                Some(_) => {}
            }
        }
        if self.objects.contains_key(&Key::of(target)) {
            return Err(Refusal::already_exists(target).into());
        }
        if kind.custom {
            remove(&mut object, "status");
            object["metadata"]["generation"] = json!(1);
        }
        let metadata = &mut object["metadata"];
        if kind.namespaced {
            metadata["namespace"] = namespace.clone().into();
        }
        metadata["uid"] = format!("00000000-0000-4000-8000-{:012x}", self.version + 1).into();
        metadata["creationTimestamp"] = second(now).into();
        tidy(metadata);
        Ok(object)
    }

    /// Writes an object whole.
    pub fn replace(&mut self, target: &Target, object: Value, manager: &str) -> Result<Value, Failure> {
        let held = self.held(target)?.clone();
        if object["metadata"].get("resourceVersion").is_none_or(Value::is_null) {
            return Err(Unknown::new("a replace of any version").into());
        }
        self.write(target, held, object, manager)
    }

    /// Changes an object by a patch.
    pub fn patch(&mut self, target: &Target, how: &Verb, patch: &Value, manager: &str) -> Result<Value, Failure> {
        let held = self.held(target)?.clone();
        let mut object = held.object.clone();
        if matches!(how, Verb::MergePatch) {
            merge(&mut object, patch);
        } else {
            stepwise(&mut object, patch).map_err(|unpatched| match unpatched {
                Unpatched::Refused(step) => Refusal::invalid(target, &step).into(),
                Unpatched::Unknown(unknown) => Failure::from(unknown),
            })?;
        }
        self.write(target, held, object, manager)
    }

    /// A write that is no apply.
    fn write(&mut self, target: &Target, mut held: Held, object: Value, manager: &str) -> Result<Value, Failure> {
        guard(target, &held.object, &object["metadata"])?;
        let next = settled(target, &held.object, object)?;
        let writer = Writer { manager: manager.to_owned(), applies: false, status: target.status };
        held.owners.wrote(&writer, &held.object, &next);
        Ok(self.put(target, next, held.owners))
    }

    /// Makes it so; whether it was made is the HTTP status.
    pub fn apply(
        &mut self,
        target: &Target,
        applied: &Value,
        manager: &str,
        now: Timestamp,
    ) -> Result<(u16, Value), Failure> {
        let named = applied["apiVersion"] == target.kind.api_version()
            && applied["kind"] == target.kind.name
            && applied["metadata"]["name"] == target.name.as_str();
        if !named || applied["metadata"].get("finalizers").is_some() {
            return Err(Unknown::new("an apply of another object, or of finalizers").into());
        }
        let writer = Writer { manager: manager.to_owned(), applies: true, status: target.status };
        let mut applied = applied.clone();
        let metadata = applied["metadata"].clone();
        if target.status {
            // Whatever else is applied to a status is let fall.
            applied = json!({"status": applied["status"]});
        } else if target.kind.custom {
            remove(&mut applied, "status");
        }
        let Some(mut held) = self.objects.get(&Key::of(target)).cloned() else {
            if target.status {
                return Err(Refusal::not_found(target).into());
            }
            if !metadata["resourceVersion"].is_null() || !metadata["uid"].is_null() {
                return Err(Unknown::new("an apply of one version of what is not there").into());
            }
            let mut owners = Owners::default();
            owners.apply(&writer, &Value::Null, &applied)?;
            let made = self.made(target, applied, now)?;
            return Ok((201, self.put(target, made, owners)));
        };
        guard(target, &held.object, &metadata)?;
        let next = held.owners.apply(&writer, &held.object, &applied)?;
        let next = settled(target, &held.object, next)?;
        Ok((200, self.put(target, next, held.owners)))
    }

    /// Takes an object away, or begins to where finalizers keep it.
    pub fn delete(&mut self, target: &Target, options: &Value, now: Timestamp) -> Result<Value, Failure> {
        let held = self.held(target)?.clone();
        for (name, value) in options.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("apiVersion" | "kind", _) | (_, Value::Null) => {}
                ("preconditions", asked) => {
                    let is = &held.object["metadata"];
                    for (field, wanted) in asked.as_object().into_iter().flatten() {
                        if !wanted.is_null() && is[field] != *wanted {
                            return Err(Refusal::conflict(target, &format!("is another: {field}")).into());
                        }
                    }
                }
                (other, _) => return Err(Unknown::new(format!("the option {other} of a deletion")).into()),
            }
        }
        if target.kind.plural == "namespaces" {
            return Err(Unknown::new("the end of a namespace").into());
        }
        if held.object["metadata"].get("finalizers").is_none() {
            self.remove(target, held.object.clone());
            let details = json!({
                "name": target.name, "group": target.kind.group, "kind": target.kind.plural,
                "uid": held.object["metadata"]["uid"],
            });
            return Ok(json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            }));
        }
        let mut object = held.object;
        let metadata = &mut object["metadata"];
        if metadata.get("deletionTimestamp").is_none() {
            metadata["deletionTimestamp"] = second(now).into();
            metadata["deletionGracePeriodSeconds"] = json!(0);
            if let Some(generation) = metadata["generation"].as_u64() {
                metadata["generation"] = json!(generation + 1);
            }
        }
        Ok(self.put(target, object, held.owners))
    }

    /// The object is now this, unless it was so before; without finalizers an object that goes is gone.
    fn put(&mut self, target: &Target, mut object: Value, owners: Owners) -> Value {
        let key = Key::of(target);
        let before = self.objects.get(&key);
        if before.is_some_and(|held| held.object == object && held.owners == owners) {
            return object;
        }
        let metadata = &object["metadata"];
        if metadata.get("deletionTimestamp").is_some() && metadata.get("finalizers").is_none() {
            return self.remove(target, object);
        }
        let before = before.map(|held| held.object.clone());
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let (version, shown) = (self.version, object.clone());
        self.history.push(Change { version, key: key.clone(), before, object: shown, gone: false });
        self.objects.insert(key, Held { object: object.clone(), owners });
        object
    }

    fn remove(&mut self, target: &Target, last: Value) -> Value {
        let key = Key::of(target);
        let before = self.objects.remove(&key).map(|held| held.object);
        self.version += 1;
        // Whoever watches sees it as it was held last, whatever the last write has changed.
        let mut object = before.clone().unwrap_or_default();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.history.push(Change { version: self.version, key, before, object, gone: true });
        last
    }
}

/// A write that names another version than there is, or on the object itself another uid, is not made.
fn guard(target: &Target, is: &Value, metadata: &Value) -> Result<(), Refusal> {
    let differs = |field: &str| !metadata[field].is_null() && metadata[field] != is["metadata"][field];
    if differs("resourceVersion") || (!target.status && differs("uid")) {
        return Err(Refusal::conflict(target, "has been modified"));
    }
    Ok(())
}

/// What becomes of a write: the API server's own fields stay, the status is written by its own door, and the
/// generation counts the changes of all else.
fn settled(target: &Target, before: &Value, written: Value) -> Result<Value, Failure> {
    let mut next = if target.status {
        let mut next = before.clone();
        replace(&mut next, "status", written.get("status"));
        next
    } else {
        let mut next = written;
        if target.kind.custom {
            replace(&mut next, "status", before.get("status"));
        }
        next
    };
    let is = &before["metadata"];
    let system = ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion"];
    for field in system.into_iter().chain(["deletionTimestamp", "deletionGracePeriodSeconds"]) {
        replace(&mut next["metadata"], field, is.get(field));
    }
    tidy(&mut next["metadata"]);
    let finalizers = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    if is.get("deletionTimestamp").is_some() {
        let before = finalizers(before);
        if finalizers(&next).iter().any(|one| !before.contains(one)) {
            return Err(Refusal::invalid(target, "no new finalizers can be added to what is being deleted").into());
        }
    }
    if let Some(generation) = is["generation"].as_u64() {
        let declared = |object: &Value| {
            let mut object = object.clone();
            remove(&mut object, "metadata");
            remove(&mut object, "status");
            object
        };
        if declared(before) != declared(&next) {
            next["metadata"]["generation"] = json!(generation + 1);
        }
    }
    Ok(next)
}

/// Lists and maps of the metadata that hold nothing are not there.
fn tidy(metadata: &mut Value) {
    for field in ["finalizers", "ownerReferences", "labels", "annotations"] {
        let empty = match &metadata[field] {
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            other => other.is_null(),
        };
        if empty {
            remove(metadata, field);
        }
    }
}

fn replace(object: &mut Value, field: &str, value: Option<&Value>) {
    match value {
        Some(value) => object[field] = value.clone(),
        None => remove(object, field),
    }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

/// As the API server writes a moment.
fn second(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or_default().to_string()
}

/// Whether an object has a label, where one is asked for.
pub fn has_label(object: &Value, label: Option<&str>) -> bool {
    label.is_none_or(|label| object["metadata"]["labels"].get(label).is_some())
}

/// The metadata of an object.
pub fn metadata_of(object: &Value) -> Value {
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
}
