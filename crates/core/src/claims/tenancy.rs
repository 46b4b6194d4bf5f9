//! Who decides on what touches one service: on each principal and its connections an entry, on each leg that is
//! pinned an assignment.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AccountId, EndpointId, ResourceId, Zone};
use crate::moment::Moment;
use crate::principal::Whom;

/// How far an entry still has a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// It is to be followed; one that is paused keeps what it holds.
    Live,
    /// It is expired: it yields to any that is live, which takes over without any removal in the cloud.
    Ending,
    /// It is being deleted, and yields as one that is expired. It may have been let go already: nobody leaves anything
    /// to it.
    Leaving,
}

/// A whitelist entry of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its uid.
    pub uid: String,
    /// Its name, for others' messages.
    pub name: String,
    /// When it was created.
    pub created: Moment,
    /// Whom it names.
    pub whom: Whom,
    /// How far it still has a say.
    pub say: Say,
    /// Its status says that it holds.
    pub holds: bool,
    /// Why it decides on no connection, where it does not: what a person reads who looks for whoever does.
    pub idle: Option<String>,
    /// The endpoints whose connection someone else has cut, and which it leaves so.
    pub held: BTreeSet<EndpointId>,
}

impl Entry {
    /// The same where its spec is refused, for this reason: then it decides on no connection while it is live.
    #[must_use]
    pub fn refused(mut self, why: Option<&str>) -> Self {
        if let Some(why) = why.filter(|_| self.say == Say::Live && self.idle.is_none()) {
            self.idle = Some(format!("cannot be acted on: {why}"));
        }
        self
    }
}

/// An assignment that is valid, for one zone of one connection of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Its uid.
    pub uid: String,
    /// Its name, for others' messages.
    pub name: String,
    /// When it was created.
    pub created: Moment,
    /// Endpoint of the connection.
    pub endpoint: EndpointId,
    /// Zone.
    pub zone: Zone,
    /// Load balancer that is to serve it.
    pub resource: ResourceId,
    /// Its status says that it holds.
    pub holds: bool,
    /// It is being deleted, and pins nothing any more.
    pub deleting: bool,
}

/// The entry that decides on a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// How far it still has a say.
    pub say: Say,
    /// Why it decides on no connection, where it does not.
    pub idle: Option<String>,
}

/// The assignment that decides on a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Load balancer that is to serve the zone.
    pub resource: ResourceId,
}

/// Who decides on what touches one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    holders: BTreeMap<Whom, Holder>,
    /// By uid: whom an entry names, so that changes of its row are seen.
    rows: BTreeMap<String, Whom>,
    pins: BTreeMap<(EndpointId, Zone), Pin>,
    held: BTreeSet<EndpointId>,
}

/// Whom and what a change of claims concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// Entries, by uid.
    pub entries: BTreeSet<String>,
    /// Endpoints, one of whose legs is pinned otherwise.
    pub endpoints: BTreeSet<EndpointId>,
}

/// Settles who decides, from all that speak of one service.
#[must_use]
pub fn settle(entries: &[Entry], assignments: &[Assignment]) -> Claims {
    let mut first: BTreeMap<&Whom, &Entry> = BTreeMap::new();
    for entry in entries {
        let holder = first.entry(&entry.whom).or_insert(entry);
        if rank(entry) < rank(holder) {
            *holder = entry;
        }
    }
    let mut pinning: BTreeMap<(&EndpointId, &Zone), &Assignment> = BTreeMap::new();
    for one in assignments.iter().filter(|one| !one.deleting) {
        let pin = pinning.entry((&one.endpoint, &one.zone)).or_insert(one);
        let order = |one: &Assignment| (!one.holds, one.created, one.uid.clone());
        if order(one) < order(pin) {
            *pin = one;
        }
    }
    let holder = |one: &Entry| {
        let (uid, name, idle) = (one.uid.clone(), one.name.clone(), one.idle.clone());
        Holder { uid, name, say: one.say, idle }
    };
    Claims {
        holders: first.into_iter().map(|(whom, one)| (whom.clone(), holder(one))).collect(),
        rows: entries.iter().map(|one| (one.uid.clone(), one.whom.clone())).collect(),
        held: entries.iter().flat_map(|one| one.held.iter().cloned()).collect(),
        pins: pinning
            .into_iter()
            .map(|((endpoint, zone), one)| {
                let pin = Pin { uid: one.uid.clone(), name: one.name.clone(), resource: one.resource.clone() };
                ((endpoint.clone(), zone.clone()), pin)
            })
            .collect(),
    }
}

fn rank(entry: &Entry) -> (bool, bool, Moment, &str) {
    (entry.say != Say::Live, !entry.holds, entry.created, &entry.uid)
}

impl Claims {
    /// The entry that decides on a principal.
    #[must_use]
    pub fn holder(&self, whom: &Whom) -> Option<&Holder> {
        self.holders.get(whom)
    }

    /// The entry that decides on the connections of an account: one that names the account comes before one that
    /// names everybody, and one that names a part of it decides on none.
    #[must_use]
    pub fn decider(&self, owner: Option<&AccountId>) -> Option<&Holder> {
        let named = owner.and_then(|owner| self.holders.get(&Whom::Account(owner.clone())));
        named.or_else(|| self.holders.get(&Whom::Everybody))
    }

    /// Why nobody decides on the connections of an account; nothing, if somebody does.
    #[must_use]
    pub fn undecided(&self, owner: Option<&AccountId>) -> Option<String> {
        if let Some(decider) = self.decider(owner) {
            return decider.idle.as_ref().map(|idle| format!("WhitelistEntry {} {idle}", decider.name));
        }
        let Some(owner) = owner else { return Some("the cloud does not say whose it is".to_owned()) };
        let of_it = |whom: &Whom| matches!(whom, Whom::Part(account, _) if account == owner);
        let part = self.holders.iter().find(|(whom, _)| of_it(whom)).map(|(_, holder)| holder.name.as_str());
        Some(match part {
            Some(name) => format!(
                "WhitelistEntry {name} names a user or role of account {owner}, and connections show their account alone: add one that names the account"
            ),
            None => format!("no WhitelistEntry of this service names account {owner}"),
        })
    }

    /// Whoever decides on this endpoint's connection leaves it cut, as someone else has cut it.
    #[must_use]
    pub fn is_held(&self, endpoint: &EndpointId) -> bool {
        self.held.contains(endpoint)
    }

    /// The assignment that decides on one zone of a connection.
    #[must_use]
    pub fn pin(&self, endpoint: &EndpointId, zone: &Zone) -> Option<&Pin> {
        // A key is built only where there is anything to be found.
        if self.pins.is_empty() {
            return None;
        }
        self.pins.get(&(endpoint.clone(), zone.clone()))
    }

    /// The assignments that decide on zones of a connection.
    pub fn pins(&self, endpoint: &EndpointId) -> impl Iterator<Item = &Pin> {
        let from = (endpoint.clone(), Zone::from(""));
        self.pins.range(from..).take_while(move |((of, _), _)| of == endpoint).map(|(_, pin)| pin)
    }

    /// Whom and what the change to `after` concerns: those whose own row differs, and the one that names everybody
    /// where the accounts that others name do.
    #[must_use]
    pub fn concerned(&self, after: &Self) -> Concerned {
        let changed: BTreeSet<&Whom> = self
            .holders
            .keys()
            .chain(after.holders.keys())
            .filter(|whom| self.holders.get(*whom).map(|one| &one.uid) != after.holders.get(*whom).map(|one| &one.uid))
            .collect();
        let mut entries: BTreeSet<String> = self
            .rows
            .iter()
            .chain(&after.rows)
            .filter(|(uid, whom)| changed.contains(whom) || self.rows.get(*uid) != after.rows.get(*uid))
            .map(|(uid, _)| uid.clone())
            .collect();
        let accounts = |claims: &Self| -> BTreeSet<AccountId> {
            let of = |whom: &Whom| if let Whom::Account(account) = whom { Some(account.clone()) } else { None };
            claims.holders.keys().filter_map(of).collect()
        };
        if accounts(self) != accounts(after) {
            let everybody = [self, after].into_iter().filter_map(|claims| claims.holders.get(&Whom::Everybody));
            entries.extend(everybody.map(|holder| holder.uid.clone()));
        }
        let moved = self.pins.keys().chain(after.pins.keys()).filter(|key| self.pins.get(*key) != after.pins.get(*key));
        Concerned { entries, endpoints: moved.map(|(endpoint, _)| endpoint.clone()).collect() }
    }
}
