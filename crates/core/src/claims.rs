//! Who decides where several objects speak of one cloud object: pure, from all of them at once.
//!
//! The holder is the one whose status says so, else the oldest by creation time and uid. The others wait, and
//! the next of them takes over in the turn in which the holder goes, without any removal in the cloud.

mod tenancy;

use std::collections::BTreeMap;

use crate::id::{AccountId, CloudId};
use crate::moment::Moment;

pub use tenancy::{Assignment, Claims, Concerned, Entry, Holder, Pin, Say, settle};

/// An object that has a cloud object, or asks to take one over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Its uid.
    pub uid: String,
    /// Its namespace and name, for the others' messages.
    pub name: String,
    /// When it was created.
    pub created: Moment,
    /// The account that it speaks of.
    pub account: AccountId,
    /// The cloud object that it speaks of.
    pub object: CloudId,
    /// Its status holds the id of that.
    pub holds: bool,
}

/// For each claimant that has to wait, by uid: the name of the one that holds what it asks for.
#[must_use]
pub fn waiting(claimants: &[Claimant]) -> BTreeMap<&str, &str> {
    let mut holders: BTreeMap<(&AccountId, &CloudId), &Claimant> = BTreeMap::new();
    for claimant in claimants {
        let holder = holders.entry((&claimant.account, &claimant.object)).or_insert(claimant);
        if rank(claimant) < rank(holder) {
            *holder = claimant;
        }
    }
    claimants
        .iter()
        .filter_map(|claimant| {
            let holder = holders.get(&(&claimant.account, &claimant.object))?;
            (holder.uid != claimant.uid).then_some((claimant.uid.as_str(), holder.name.as_str()))
        })
        .collect()
}

fn rank(claimant: &Claimant) -> (bool, Moment, &str) {
    (!claimant.holds, claimant.created, &claimant.uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(uid: &str, created: i64, service: &str, holds: bool) -> Claimant {
        Claimant {
            uid: uid.into(),
            name: format!("team/{uid}"),
            created: Moment(created),
            account: "1".into(),
            object: crate::id::ServiceId::from(service).into(),
            holds,
        }
    }

    #[test]
    fn the_oldest_holds_until_a_status_says_otherwise() {
        let mut claimants =
            vec![claimant("b", 2, "s", false), claimant("a", 1, "s", false), claimant("c", 1, "t", false)];
        assert_eq!(waiting(&claimants), [("b", "team/a")].into());
        claimants[0].holds = true;
        assert_eq!(waiting(&claimants), [("a", "team/b")].into());
        claimants.remove(0);
        assert_eq!(waiting(&claimants), BTreeMap::new());
    }

    #[test]
    fn of_the_same_age_the_first_uid_holds() {
        let claimants = [claimant("b", 1, "s", false), claimant("a", 1, "s", false)];
        assert_eq!(waiting(&claimants), [("b", "team/a")].into());
    }

    #[test]
    fn the_same_id_in_another_account_is_another_service() {
        let mut claimants = vec![claimant("a", 1, "s", false), claimant("b", 2, "s", false)];
        claimants[1].account = "2".into();
        assert_eq!(waiting(&claimants), BTreeMap::new());
    }
}
