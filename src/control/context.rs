//! What every turn of every object can reach.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use kube::core::ObjectMeta;
use kube::{Client, Resource, ResourceExt as _};
use privatelink_core::condition::Reason;
use privatelink_core::id::{CloudId, EndpointId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::observed::Facet;
use privatelink_core::place::Place;
use privatelink_core::plan::Tries;
use tokio::time::Instant;

use crate::api::shared::Placement;
use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};
use crate::cloud::claim::Claimed;
use crate::cloud::endpoint::Base;
use crate::cloud::pool::Pool;
use crate::object::ObjectKey;
use crate::runtime::clock;
use crate::runtime::shutdown::Stop;
use crate::wakes::Wakes;

use super::account::Answered;
use super::error::Error;
use super::events::{Teller, Told};
use super::own::Own;
use super::publish::Published;
use super::relate::{self, Ours as _};
use super::tally::Tally;
use super::tenancy::Tenancies;
use super::watch::Stores;

/// Namespace and name of an object; the namespace is empty for a kind that has none.
pub type Name = (String, String);

/// Namespace and name of this object.
#[must_use]
pub fn name<K: Resource>(object: &K) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// What every turn can reach; one a process.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What is watched.
    pub stores: Stores,
    /// What was published, where publishing is enabled.
    pub published: Option<Published>,
    /// The cluster's id, for ownership tags.
    pub cluster: String,
    /// Namespaces from which credentials may be read.
    pub credential_namespaces: BTreeSet<String>,
    /// Where the metadata service of an Alibaba Cloud machine answers.
    pub alibaba_metadata: Base,
    /// All places.
    pub pool: Pool,
    /// The right to write.
    pub claimed: Claimed,
    /// Since when this process has been the writer: set once, before the first turn.
    pub writes_since: OnceLock<Moment>,
    /// Whether the process is to end.
    pub stop: Stop,
    /// Writes Events.
    pub teller: Teller,
    /// Which credentials have answered.
    pub answered: Answered,
    /// What is known of each account in this process.
    pub standings: Standings,
    /// Uids of all objects that live.
    pub living: Living,
    /// Which cloud object belongs to which object.
    pub managed: Managed,
    /// Who decides on what touches each service.
    pub tenancies: Tenancies,
    /// What this process remembers of each object.
    pub minds: Minds,
    /// Our own last writes.
    pub own: Owns,
    /// Who is to be looked at again.
    pub wakes: Wake,
    /// What turns come to.
    pub tally: Tally,
}

/// Our own last writes, by kind.
#[derive(Default)]
pub struct Owns {
    /// Accounts.
    pub accounts: Own<CloudAccount>,
    /// Services.
    pub services: Own<EndpointService>,
    /// Endpoints.
    pub endpoints: Own<Endpoint>,
    /// Whitelist entries.
    pub entries: Own<WhitelistEntry>,
    /// Assignments of load balancers to zones.
    pub assignments: Own<ZoneResourceAssignment>,
}

/// Who is to be looked at again, by kind.
#[derive(Default)]
pub struct Wake {
    /// Accounts.
    pub accounts: Wakes<Name>,
    /// Services.
    pub services: Wakes<Name>,
    /// Endpoints.
    pub endpoints: Wakes<Name>,
    /// Whitelist entries.
    pub entries: Wakes<Name>,
    /// Assignments of load balancers to zones.
    pub assignments: Wakes<Name>,
}

impl Wake {
    /// The object that waits at a gate.
    pub fn one(&self, key: ObjectKey) {
        let wakes = match key.kind {
            Endpoint::KIND => &self.endpoints,
            EndpointService::KIND => &self.services,
            WhitelistEntry::KIND => &self.entries,
            ZoneResourceAssignment::KIND => &self.assignments,
            _ => &self.accounts,
        };
        wakes.wake([(key.namespace, key.name)]);
    }

    /// The objects that stand for cloud objects of this sort.
    #[must_use]
    pub const fn of(&self, sort: Sort) -> &Wakes<Name> {
        match sort {
            Sort::Service => &self.services,
            Sort::Endpoint => &self.endpoints,
        }
    }
}

impl Context {
    /// Whether writes may be made: this process is the writer, and is not ending.
    ///
    /// # Errors
    /// [`Error::NotTheWriter`]
    pub fn may_write(&self) -> Result<(), Error> {
        if self.claimed.holds() { Ok(()) } else { Err(Error::NotTheWriter) }
    }

    /// Since when this process has been the writer; now, where it is not yet.
    #[must_use]
    pub fn started(&self) -> Moment {
        self.writes_since.get().copied().unwrap_or_else(clock::now)
    }

    /// Where the account of an object leads, as far as this process knows.
    #[must_use]
    pub fn place_of(&self, placement: &Placement) -> Option<Place> {
        self.standings.of(relate::account_of(placement))?.place
    }

    /// Labels of a namespace, as they are now.
    #[must_use]
    pub fn labels(&self, namespace: &str) -> BTreeMap<String, String> {
        let found = self.stores.namespaces.get(&kube::runtime::reflector::ObjectRef::new(namespace));
        found.and_then(|found| found.metadata.labels.clone()).unwrap_or_default()
    }
}

/// What this process knows of an account. Nothing of it is read from a status: an account counts for nothing
/// until its credentials have answered in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where it leads, once credentials have answered for it.
    pub place: Option<Place>,
    /// What keeps objects from being made or changed with it; those that are being deleted are served
    /// wherever `place` leads.
    pub trouble: Option<(Reason, String)>,
    /// How often its credentials have changed: refusals from before count no longer.
    pub epoch: u64,
}

/// What this process knows of each account, by name.
#[derive(Debug, Default)]
pub struct Standings(Mutex<BTreeMap<String, Standing>>);

impl Standings {
    /// What is known of this account; nothing, before its first turn.
    #[must_use]
    pub fn of(&self, account: &str) -> Option<Standing> {
        lock(&self.0).get(account).cloned()
    }

    /// Whether what is known of the account has changed by this.
    pub fn set(&self, account: &str, standing: &Standing) -> bool {
        let before = lock(&self.0).insert(account.to_owned(), standing.clone());
        before.as_ref() != Some(standing)
    }

    /// The account is gone.
    pub fn remove(&self, account: &str) -> bool {
        lock(&self.0).remove(account).is_some()
    }
}

/// Uids of all objects that live, by the sort of what they stand for. They are kept as objects come and go, because
/// every turn wants them.
#[derive(Debug, Default)]
pub struct Living(Mutex<BTreeMap<Sort, Arc<BTreeSet<String>>>>);

impl Living {
    /// Those of one sort, as they are now.
    #[must_use]
    pub fn of(&self, sort: Sort) -> Arc<BTreeSet<String>> {
        lock(&self.0).get(&sort).cloned().unwrap_or_default()
    }

    /// An object is there.
    pub fn is(&self, sort: Sort, uid: &str) {
        let mut all = lock(&self.0);
        let living = all.entry(sort).or_default();
        if !living.contains(uid) {
            Arc::make_mut(living).insert(uid.to_owned());
        }
    }

    /// An object is gone.
    pub fn gone(&self, sort: Sort, uid: &str) {
        if let Some(living) = lock(&self.0).get_mut(&sort) {
            Arc::make_mut(living).remove(uid);
        }
    }
}

/// Which cloud object belongs to which object, by place: for what a list shows, and to say what is listed.
#[derive(Debug, Default)]
pub struct Managed(Mutex<BTreeMap<Place, BTreeMap<CloudId, Name>>>);

impl Managed {
    /// The object that has this cloud object.
    #[must_use]
    pub fn owner(&self, place: &Place, id: &CloudId) -> Option<Name> {
        lock(&self.0).get(place)?.get(id).cloned()
    }

    /// The place in which an object has this endpoint: its provider may be seen from another one.
    #[must_use]
    pub fn place_of(&self, id: &EndpointId) -> Option<Place> {
        let id = CloudId::from(id.clone());
        lock(&self.0).iter().find(|(_, ids)| ids.contains_key(&id)).map(|(place, _)| place.clone())
    }

    /// The object `name` of this sort has `id` in this place and no other; gives all ids of the place, if that is
    /// new.
    pub fn put(&self, place: &Place, sort: Sort, id: Option<&CloudId>, name: &Name) -> Option<BTreeSet<CloudId>> {
        let mut places = lock(&self.0);
        let ids = places.entry(place.clone()).or_default();
        if id.is_some_and(|id| ids.get(id) == Some(name)) {
            return None;
        }
        let has = |(held, other): (&CloudId, &Name)| held.sort() == sort && other == name;
        if id.is_none() && !ids.iter().any(has) {
            return None;
        }
        ids.retain(|held, other| !has((held, other)));
        if let Some(id) = id {
            ids.insert(id.clone(), name.clone());
        }
        Some(ids.keys().cloned().collect())
    }

    /// Sets all ids of a place at once.
    pub fn set(&self, place: &Place, ids: BTreeMap<CloudId, Name>) {
        lock(&self.0).insert(place.clone(), ids);
    }

    /// The places in which an object of this sort and name has something.
    #[must_use]
    pub fn places_of(&self, sort: Sort, name: &Name) -> Vec<Place> {
        let places = lock(&self.0);
        let has = |ids: &BTreeMap<CloudId, Name>| ids.iter().any(|(id, other)| id.sort() == sort && other == name);
        places.iter().filter(|(_, ids)| has(ids)).map(|(place, _)| place.clone()).collect()
    }
}

/// What this process remembers of one object, and may lose: it costs at most one refused call, or one Event
/// more.
#[derive(Debug, Default)]
pub struct Mind {
    /// What became of its steps.
    pub tries: Tries,
    /// Tokens of calls that may have to be repeated, by the step.
    pub tokens: BTreeMap<String, String>,
    /// The account's credentials of which the tries speak.
    pub epoch: u64,
    /// Events it has had.
    pub told: Told,
    /// Of an account: whether its product is switched on.
    pub product: Facet<bool>,
    /// Of an account: since when that cannot be read.
    pub unopened_since: Option<Moment>,
    /// Since when the cloud cannot be read for it.
    pub unreadable_since: Option<Moment>,
    /// When its status was written last for the sake of counts.
    pub counted: Option<Instant>,
    /// Turns in a row in which the cloud did not answer for the account.
    pub silences: u32,
    /// Failed turns in a row.
    pub failures: u32,
    /// The request to look again that is being handled.
    pub requested: Option<String>,
    /// Its finalizer was taken off: nothing is left to do for it.
    pub released: bool,
    /// Whether any of its turns has ended well in this process.
    pub looked_at: bool,
    /// It was Ready under its spec of now when its turn began.
    pub settled: bool,
    /// Steps that put right what somebody has changed, as they are written, until they are made.
    pub drift: BTreeSet<String>,
}

/// What this process remembers of each object, by uid.
#[derive(Debug, Default)]
pub struct Minds(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Mind>>>>);

impl Minds {
    /// What is remembered of an object.
    #[must_use]
    pub fn of(&self, object: &ObjectMeta) -> Arc<tokio::sync::Mutex<Mind>> {
        lock(&self.0).entry(object.uid.clone().unwrap_or_default()).or_default().clone()
    }

    /// The object with this uid is gone.
    pub fn forget(&self, uid: &str) {
        lock(&self.0).remove(uid);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use privatelink_core::place::Cloud;

    #[test]
    fn a_cloud_object_belongs_to_one_object_and_an_object_has_one() {
        let managed = Managed::default();
        let place = Place { cloud: Cloud::Alibaba, account: "1".into(), region: "r".into() };
        let name = |name: &str| ("team".to_owned(), name.to_owned());
        let (one, other) = (Sort::Service.with("epsrv-1"), Sort::Service.with("epsrv-2"));
        let put = |id: Option<&CloudId>, sort| managed.put(&place, sort, id, &name("a"));
        assert_eq!(put(None, Sort::Service), None);
        assert_eq!(put(Some(&one), Sort::Service), Some([one.clone()].into()));
        assert_eq!(put(Some(&one), Sort::Service), None);
        assert_eq!(managed.owner(&place, &one), Some(name("a")));
        assert_eq!(put(Some(&other), Sort::Service), Some([other.clone()].into()));
        let endpoint = Sort::Endpoint.with("ep-1");
        assert_eq!(put(Some(&endpoint), Sort::Endpoint), Some([other.clone(), endpoint.clone()].into()));
        assert_eq!(managed.place_of(&"ep-1".into()).as_ref(), Some(&place));
        assert_eq!(managed.places_of(Sort::Service, &name("a")), std::slice::from_ref(&place));
        assert_eq!(put(None, Sort::Service), Some([endpoint].into()), "an endpoint of the same name keeps its own");
        assert_eq!(managed.owner(&place, &other), None);
    }

    #[test]
    fn who_lives_is_kept_apart_by_sort_and_a_turn_keeps_what_it_has_seen() {
        let living = Living::default();
        living.is(Sort::Endpoint, "a");
        let seen = living.of(Sort::Endpoint);
        living.is(Sort::Endpoint, "b");
        living.gone(Sort::Endpoint, "a");
        living.gone(Sort::Service, "b");
        assert_eq!(*seen, ["a".to_owned()].into());
        assert_eq!(*living.of(Sort::Endpoint), ["b".to_owned()].into());
        assert_eq!(*living.of(Sort::Service), BTreeSet::new());
    }

    #[test]
    fn a_standing_is_news_once() {
        let standings = Standings::default();
        assert_eq!(standings.of("a"), None);
        assert!(standings.set("a", &Standing::default()));
        assert!(!standings.set("a", &Standing::default()));
        assert!(standings.set("a", &Standing { epoch: 1, ..Standing::default() }));
        assert!(standings.remove("a") && !standings.remove("a"));
    }
}
