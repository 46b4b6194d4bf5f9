//! Maps whose copies share what is alike in them: a world is copied for nearly every call, and a call changes
//! one thing in it.

use std::collections::BTreeMap;
use std::collections::btree_map::Keys;
use std::ops::Index;
use std::sync::Arc;

/// A map in the order of its keys. A copy costs nothing until one of the two is changed, and then a pointer for
/// each entry and the one value that changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shared<K, V> {
    entries: Arc<BTreeMap<K, Arc<V>>>,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self { entries: Arc::default() }
    }
}

impl<K: Ord, V> Shared<K, V> {
    /// The value of `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|value| &**value)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every key, in order.
    pub fn keys(&self) -> Keys<'_, K, Arc<V>> {
        self.entries.keys()
    }

    /// Every value, in the order of the keys.
    #[must_use]
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.entries.values().map(|value| &**value)
    }

    /// Every key with its value, in order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }
}

impl<K: Clone + Ord, V: Clone> Shared<K, V> {
    /// The value of `key`, to be changed in this copy alone, if there is one.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        // Asked first, so that a key without a value copies nothing.
        if !self.entries.contains_key(key) {
            return None;
        }
        Arc::make_mut(&mut self.entries).get_mut(key).map(Arc::make_mut)
    }

    /// Gives `key` this value, in this copy alone.
    pub fn insert(&mut self, key: K, value: V) {
        Arc::make_mut(&mut self.entries).insert(key, Arc::new(value));
    }

    /// Takes every key away, in this copy alone.
    pub fn clear(&mut self) {
        self.entries = Arc::default();
    }

    /// Takes `key` away, in this copy alone; gives the value it had.
    pub fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        self.entries.contains_key(key).then(|| Arc::make_mut(&mut self.entries).remove(key)).flatten()
    }
}

impl<K: Ord, V> Index<&K> for Shared<K, V> {
    type Output = V;

    /// The value of `key`.
    ///
    /// # Panics
    /// Where there is none.
    fn index(&self, key: &K) -> &V {
        &self.entries[key]
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;

    #[test]
    fn a_copy_shares_all_but_what_is_changed_in_it() {
        let mut first = Shared::default();
        for key in 0..3 {
            first.insert(key, format!("value {key}"));
        }
        let mut second = first.clone();
        let same = |one: &Shared<i32, String>, other: &Shared<i32, String>, key| {
            std::ptr::eq(&raw const one[&key], &raw const other[&key])
        };
        *second.get_mut(&1).expect("it is there") = "another".to_owned();
        assert!(same(&first, &second, 0) && same(&first, &second, 2));
        assert_eq!((first[&1].as_str(), second[&1].as_str()), ("value 1", "another"));
        assert_ne!(first, second);
        *second.get_mut(&1).expect("it is there") = "value 1".to_owned();
        assert_eq!(first, second, "equal by what they hold");
        assert_eq!(second.remove(&2).as_deref(), Some(&"value 2".to_owned()));
        assert_eq!((first.len(), second.len()), (3, 2));
        assert_eq!((second.get_mut(&2).is_none(), second.remove(&2)), (true, None));
        second.clear();
        assert_eq!((first.len(), second.len()), (3, 0));
    }
}
