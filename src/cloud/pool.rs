//! All places that are spoken to, and what belongs to each: one gate, one rate, one observer, and the doors of
//! the accounts that share it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{AccountId, Region};
use privatelink_core::place::{Cloud, Place};
use privatelink_core::rate::Limits;
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::step::Step;
use tokio::task::AbortHandle;

use super::Door;
use super::alibaba::{Alibaba, not_the_writer};
use super::claim::Claimed;
use super::endpoint::Endpoints;
use super::gate::{Gate, Permit};
use super::identity::Identity;
use super::metered::{Meter, Metered};
use super::pace::{Pace, Paced};
use super::renewal::{Keys, Outlook};
use super::transport::{Transport, failure, is_unanswered};
use crate::observe::Observer;
use crate::wakes::{Wakes, Woken};

/// How one `CloudAccount` speaks to its cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: Region,
    /// Who it is.
    pub identity: Identity,
    /// Where the cloud answers, where that is not its own place.
    pub endpoints: Endpoints,
}

/// All places; clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    transport: Transport,
    claimed: Claimed,
    meter: Meter,
    sites: Mutex<BTreeMap<Place, Site>>,
    /// What was opened, by the names of `CloudAccount`s: sessions last longer than the question whose they are.
    opened: Mutex<BTreeMap<String, Opened>>,
    begun: Wakes<Place>,
}

/// The way that one access opens; clones are the same one.
#[derive(Clone)]
struct Opened {
    access: Access,
    door: Arc<dyn Door>,
    keys: Option<Keys>,
}

/// One place; clones are the same site.
#[derive(Clone)]
pub struct Site(Arc<Ground>);

struct Ground {
    place: Place,
    claimed: Claimed,
    meter: Meter,
    gate: Gate,
    pace: Pace,
    doors: Doors,
    observer: Observer,
    /// Ends the observer's sweeps and polls.
    watch: AbortHandle,
}

/// The doors of one place by the names of their `CloudAccount`s; clones are the same.
#[derive(Clone, Default)]
struct Doors(Arc<Mutex<BTreeMap<String, Entrance>>>);

struct Entrance {
    limits: Limits,
    door: Arc<dyn Door>,
}

impl Pool {
    /// An empty pool.
    #[must_use]
    pub fn new(transport: Transport, claimed: Claimed, meter: Meter) -> Self {
        let (sites, opened, begun) = (Mutex::default(), Mutex::default(), Wakes::default());
        Self(Arc::new(Inner { transport, claimed, meter, sites, opened, begun }))
    }

    /// Whose the credentials are that the `CloudAccount` of this name is given. What it spoke with before stays in
    /// use until [`Pool::put`].
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came.
    pub async fn identify(&self, account: &str, access: &Access) -> Result<AccountId, Failure> {
        match self.ask(self.open(account, access), Read::CallerIdentity).await? {
            Answer::CallerIdentity(account) => Ok(account),
            _ => Err(Failure {
                meaning: Meaning::Unexpected,
                ..failure("<wrong answer>", "the answer is one to another question", false)
            }),
        }
    }

    /// Whether the product is switched on, asked with the credentials of the `CloudAccount` of this name.
    ///
    /// # Errors
    /// What the cloud refused: also that it is not. `<no account>` where nothing is spoken with that name.
    pub async fn product(&self, account: &str) -> Result<Answer, Failure> {
        let opened = self.opened_mut().get(account).cloned().ok_or_else(|| no_account(account))?;
        self.ask(opened, Read::Product).await
    }

    async fn ask(&self, opened: Opened, read: Read) -> Result<Answer, Failure> {
        let Opened { access: Access { cloud, region, .. }, door, .. } = opened;
        let place = Place { cloud, account: AccountId::from("unknown"), region };
        Metered::new(door, place, self.0.meter.clone()).read(read).await
    }

    /// Renews the keys of the `CloudAccount` of this name where that is due, and says what is ahead of them.
    pub async fn look_after(&self, account: &str) -> Outlook {
        let keys = self.opened_mut().get(account).and_then(|opened| opened.keys.clone());
        let Some(keys) = keys else { return Outlook::default() };
        // Why there are none is said by the outlook.
        let _keys_or_none = keys.look_after().await;
        keys.outlook()
    }

    /// What is ahead of all keys that are renewed, by the names of their `CloudAccount`s, as of now.
    #[must_use]
    pub fn outlooks(&self) -> BTreeMap<String, Outlook> {
        let all = self.opened_mut();
        let keys = all.iter().filter_map(|(account, opened)| Some((account, opened.keys.as_ref()?)));
        keys.filter(|(_, keys)| matches!(keys, Keys::Renewed(_)))
            .map(|(account, keys)| (account.clone(), keys.outlook()))
            .collect()
    }

    /// Lets the `CloudAccount` of this name speak to `place` by `access`, from the next call on; calls that are on
    /// their way end as they began. The place begins to be observed with its first account. An account that
    /// spoke to another place before no longer does.
    ///
    /// # Panics
    /// Outside of a tokio runtime, where nothing can be observed.
    pub fn put(&self, account: &str, place: &Place, access: &Access, limits: Limits) -> Site {
        let entrance = Entrance { limits, door: self.open(account, access).door };
        let mut sites = self.sites_mut();
        let elsewhere: Vec<Place> = sites.keys().filter(|other| *other != place).cloned().collect();
        for other in elsewhere {
            leave(&mut sites, &other, account);
        }
        let begins = !sites.contains_key(place);
        let site = sites.entry(place.clone()).or_insert_with(|| self.begin(place, limits)).clone();
        // Before anybody else sees the place: one without an account is forgotten by whoever comes by.
        site.0.doors.put(account, entrance);
        site.keep_to_limits();
        drop(sites);
        if begins {
            self.0.begun.wake([place.clone()]);
        }
        site
    }

    /// The `CloudAccount` of this name no longer speaks to any place; a place without an account is forgotten.
    pub fn remove(&self, account: &str) {
        self.opened_mut().remove(account);
        let mut sites = self.sites_mut();
        let places: Vec<Place> = sites.keys().cloned().collect();
        for place in places {
            leave(&mut sites, &place, account);
        }
    }

    /// What belongs to a place, if an account speaks to it.
    #[must_use]
    pub fn site(&self, place: &Place) -> Option<Site> {
        self.sites_mut().get(place).cloned()
    }

    /// All places.
    #[must_use]
    pub fn sites(&self) -> Vec<Site> {
        self.sites_mut().values().cloned().collect()
    }

    /// The places that begin to be observed, from now on: whoever follows [`Gate::heads`] and
    /// [`Observer::touched`] of each learns of new ones here.
    #[must_use]
    pub fn begun(&self) -> Woken<Place> {
        self.0.begun.listen()
    }

    fn begin(&self, place: &Place, limits: Limits) -> Site {
        let Inner { claimed, meter, .. } = &*self.0;
        let doors = Doors::default();
        let shared = Pace::new(limits);
        let reader = Metered::new(Paced::new(Reader(doors.clone()), shared.clone()), place.clone(), meter.clone());
        let observer = Observer::new(place.clone(), Arc::new(reader), meter.clone(), shared.clone());
        meter.begins(place);
        let watch = tokio::spawn(observer.clone().run()).abort_handle();
        let (place, claimed, meter) = (place.clone(), claimed.clone(), meter.clone());
        Site(Arc::new(Ground { place, claimed, meter, gate: Gate::default(), pace: shared, doors, observer, watch }))
    }

    /// The way that `access` opens: the one that is open already, where it is for the same.
    fn open(&self, account: &str, access: &Access) -> Opened {
        let mut all = self.opened_mut();
        if let Some(opened) = all.get(account).filter(|opened| opened.access == *access) {
            return opened.clone();
        }
        let Access { cloud, region, identity, endpoints } = access.clone();
        let (door, keys): (Arc<dyn Door>, _) = match cloud {
            Cloud::Alibaba => {
                let Inner { transport, claimed, .. } = &*self.0;
                let door = Alibaba::new(transport.clone(), region, &identity, endpoints, claimed.clone());
                let keys = door.keys().clone();
                (Arc::new(door), Some(keys))
            }
            Cloud::Aws | Cloud::Tencent => (Arc::new(Unknown(cloud)), None),
        };
        let opened = Opened { access: access.clone(), door, keys };
        all.insert(account.to_owned(), opened.clone());
        opened
    }

    fn opened_mut(&self) -> MutexGuard<'_, BTreeMap<String, Opened>> {
        self.0.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sites_mut(&self) -> MutexGuard<'_, BTreeMap<Place, Site>> {
        self.0.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for site in self.sites.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            site.0.watch.abort();
        }
    }
}

impl Site {
    /// The place.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The order in which its writes leave.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// What is known of it.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        &self.0.observer
    }

    /// The rate that holds: the smallest of its accounts.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        self.0.doors.limits()
    }

    /// Makes the one call that `step` is with the credentials of the `CloudAccount` of this name. The permit is
    /// dropped by the caller, once it has recorded the effect: who is next then plans with it.
    ///
    /// # Errors
    /// What the cloud refused, or why no answer came; a code in angle brackets is ours: `<not the writer>` where
    /// the claim has run out and `<no account>` where the account no longer speaks to this place, both before
    /// anything was sent.
    pub async fn execute(&self, account: &str, permit: &mut Permit, step: &Step, token: &str) -> Result<Done, Failure> {
        let Ground { place, claimed, meter, pace, doors, .. } = &*self.0;
        meter.waited(place.cloud, permit.lane(), permit.waited());
        let door = doors.of(account).ok_or_else(|| no_account(account))?;
        if !claimed.holds() {
            return Err(not_the_writer());
        }
        permit.start();
        let door = Metered::new(Paced::new(door, pace.clone()), place.clone(), meter.clone());
        let result = door.execute(step, token).await;
        if !matches!(&result, Err(failure) if is_unanswered(failure)) {
            permit.answered();
        }
        result
    }

    fn keep_to_limits(&self) {
        if let Some(limits) = self.limits() {
            self.0.pace.set(limits);
        }
    }
}

/// The account no longer speaks to this place; a place without an account is no longer observed.
fn leave(sites: &mut BTreeMap<Place, Site>, place: &Place, account: &str) {
    let Some(site) = sites.get(place) else { return };
    site.0.doors.remove(account);
    if site.limits().is_some() {
        site.keep_to_limits();
    } else {
        site.0.watch.abort();
        site.0.meter.ends(place);
        sites.remove(place);
    }
}

impl Doors {
    fn put(&self, account: &str, entrance: Entrance) {
        self.lock().insert(account.to_owned(), entrance);
    }

    fn remove(&self, account: &str) {
        self.lock().remove(account);
    }

    fn limits(&self) -> Option<Limits> {
        self.lock().values().map(|entrance| entrance.limits).reduce(Limits::smallest)
    }

    fn of(&self, account: &str) -> Option<Arc<dyn Door>> {
        self.lock().get(account).map(|entrance| Arc::clone(&entrance.door))
    }

    fn all(&self) -> Vec<Arc<dyn Door>> {
        self.lock().values().map(|entrance| Arc::clone(&entrance.door)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entrance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a place with the credentials of whichever of its accounts is first by name, or of the next where the cloud
/// does not take those: what a place holds does not depend on who looks. Writes go with the credentials of the object's own account.
struct Reader(Doors);

impl Door for Reader {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        let doors = self.0.all();
        async move {
            let mut first = None;
            for door in doors {
                match door.read(read.clone()).await {
                    Err(failure) if matches!(failure.meaning, Meaning::Credentials(_)) => {
                        first.get_or_insert(failure);
                    }
                    read => return read,
                }
            }
            Err(first.unwrap_or_else(|| no_account("any")))
        }
        .boxed()
    }

    fn execute<'a>(&'a self, _: &'a Step, _: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        async { Err(no_account("any")) }.boxed()
    }
}

impl Door for Arc<dyn Door> {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        (**self).read(read)
    }

    fn execute<'a>(&'a self, step: &'a Step, token: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        (**self).execute(step, token)
    }
}

/// A cloud that this version does not speak to.
struct Unknown(Cloud);

impl Unknown {
    fn refuse(&self) -> Failure {
        let told = format!("{} is not supported by this version: use a CloudAccount with spec.alibaba", self.0);
        Failure { meaning: Meaning::UserMustAct(Reason::UnsupportedByCloud), ..failure("<unsupported>", told, false) }
    }
}

impl Door for Unknown {
    fn read(&self, _: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        let failure = self.refuse();
        async { Err(failure) }.boxed()
    }

    fn execute<'a>(&'a self, _: &'a Step, _: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        let failure = self.refuse();
        async { Err(failure) }.boxed()
    }
}

fn no_account(account: &str) -> Failure {
    failure("<no account>", format!("CloudAccount {account} does not speak to this place at the moment"), false)
}
