//! Our own writes to Kubernetes, laid over the store: the answer of the last one is used until the watch has
//! delivered it or something newer, so that no turn forgets what the turn before wrote down.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::Resource;

/// The answers of our last writes, by uid.
#[derive(Debug)]
pub struct Own<K> {
    answers: Mutex<HashMap<String, K>>,
}

impl<K> Default for Own<K> {
    fn default() -> Self {
        Self { answers: Mutex::default() }
    }
}

impl<K: Resource + Clone> Own<K> {
    /// Remembers the answer of a write.
    pub fn wrote(&self, answer: &K) {
        if let Some(uid) = &answer.meta().uid {
            self.lock().insert(uid.clone(), answer.clone());
        }
    }

    /// The object as it is: what the store has, or our own last write where that is newer.
    #[must_use]
    pub fn latest(&self, stored: K) -> K {
        let Some(uid) = stored.meta().uid.clone() else { return stored };
        let mut answers = self.lock();
        let Some(own) = answers.get(&uid) else { return stored };
        if is_newer(own, &stored) {
            return own.clone();
        }
        answers.remove(&uid);
        stored
    }

    /// The object with this uid is gone.
    pub fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, K>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Versions of one object are numbers that grow. Should one not be, the store is believed: a status is never
/// written over a newer one, whatever it was computed from.
fn is_newer<K: Resource>(own: &K, stored: &K) -> bool {
    let version = |object: &K| object.meta().resource_version.as_deref().and_then(|text| text.parse::<u128>().ok());
    matches!((version(own), version(stored)), (Some(own), Some(stored)) if own > stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    fn object(uid: &str, version: &str) -> ConfigMap {
        let metadata = ObjectMeta {
            uid: Some(uid.to_owned()),
            resource_version: Some(version.to_owned()),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    #[test]
    fn our_own_write_counts_until_the_watch_has_it_or_something_newer() {
        let own = Own::default();
        own.wrote(&object("u1", "10"));
        assert_eq!(own.latest(object("u1", "9")), object("u1", "10"));
        assert_eq!(own.latest(object("u1", "10")), object("u1", "10"));
        own.wrote(&object("u1", "100"));
        assert_eq!(own.latest(object("u1", "101")), object("u1", "101"));
        assert_eq!(own.latest(object("u1", "99")), object("u1", "99"), "what was delivered is forgotten");
    }

    #[test]
    fn another_object_of_the_same_name_has_nothing_of_it() {
        let own = Own::default();
        own.wrote(&object("u1", "10"));
        assert_eq!(own.latest(object("u2", "9")), object("u2", "9"));
        own.forget("u1");
        assert_eq!(own.latest(object("u1", "9")), object("u1", "9"));
    }

    #[test]
    fn a_version_that_is_no_number_is_the_stores() {
        let own = Own::default();
        own.wrote(&object("u1", "b"));
        assert_eq!(own.latest(object("u1", "a")), object("u1", "a"));
    }
}
