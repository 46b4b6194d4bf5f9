//! Tags as declared and as ours: what is missing, and what was declared once and is not any more.

use std::collections::BTreeSet;

use crate::desired::Management;
use crate::id::CloudId;
use crate::observed::Tags;
use crate::owner;
use crate::plan::case::Case;
use crate::step::Step;

/// What of the tags of a cloud object is not as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagDifferences {
    set: Tags,
    remove: BTreeSet<String>,
}

impl TagDifferences {
    /// Against the tags that were read; nothing differs where none were.
    pub(crate) fn of<C: Case>(case: &C, held: Option<&Tags>) -> Self {
        let Some(held) = held else { return Self::default() };
        let desired = case.desired();
        let ours = desired.management == Management::Manage;
        let mut wanted = desired.tags.clone();
        if ours {
            wanted.extend(desired.owner.tags());
        }
        let declared_before = case.status().declared_fields.iter().filter_map(|field| field.strip_prefix("tags."));
        let undeclared = declared_before.filter(|key| !wanted.contains_key(*key));
        let mut remove: BTreeSet<String> = undeclared.map(str::to_owned).collect();
        if ours {
            remove.insert(owner::RETAINED.to_owned());
        }
        remove.retain(|key| held.contains_key(key));
        wanted.retain(|key, value| held.get(key) != Some(value));
        Self { set: wanted, remove }
    }

    /// All is as declared.
    pub(crate) fn is_none(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// The next call.
    pub(crate) fn next(&self, id: CloudId) -> Option<Step> {
        if !self.set.is_empty() {
            return Some(Step::Tag(id, self.set.clone()));
        }
        (!self.remove.is_empty()).then(|| Step::Untag(id, self.remove.clone()))
    }
}
