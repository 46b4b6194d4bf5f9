//! Who decides on what touches each service: kept as entries come, change and go, because every turn of the service
//! and of each of its entries wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::Resource;
use kube::runtime::reflector::Store;
use privatelink_core::claims::{self, Claims};
use privatelink_core::condition::ConditionType;
use privatelink_core::desired::{Parent, Served};
use privatelink_core::id::{AccountId, EndpointId, ServiceId};
use privatelink_core::principal::{Principal, Whom};
use privatelink_core::state::ClaimState;

use crate::api::{WhitelistEntry, ZoneResourceAssignment, parse};
use crate::runtime::clock;

use super::context::{Context, Name};
use super::relate::{self, Ward as _};
use super::ward;
use super::watch::{Guarded, Stores};

/// Who decides, by service.
#[derive(Debug, Default)]
pub struct Tenancies(Mutex<BTreeMap<Name, Tenancy>>);

/// What stands under one service, and what comes of it.
#[derive(Debug, Default)]
struct Tenancy {
    /// What entries claim, by uid.
    entries: BTreeMap<String, claims::Entry>,
    /// Names of assignments, and what each claims once its endpoint is known; by uid.
    assignments: BTreeMap<String, (String, Option<claims::Assignment>)>,
    settled: Arc<Claims>,
    /// A row has changed since it was settled.
    stale: bool,
}

/// Who decides, and who is to be looked at again because that has changed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settled {
    claims: Arc<Claims>,
    /// Names of entries.
    entries: Vec<String>,
    /// Endpoints, of whose connections somebody else decides on a zone.
    endpoints: BTreeSet<EndpointId>,
    /// Names of the assignments of these.
    assignments: Vec<String>,
    /// Somebody else decides on something, or for another reason nobody does.
    changed: bool,
}

impl Tenancies {
    /// Whether what this entry claims is news.
    fn put(&self, service: &Name, row: claims::Entry) -> bool {
        let mut all = lock(&self.0);
        let tenancy = all.entry(service.clone()).or_default();
        let before = tenancy.entries.get(&row.uid);
        if before == Some(&row) {
            return false;
        }
        let holds = || tenancy.settled.holder(&row.whom).is_some_and(|holder| holder.uid == row.uid);
        // That whoever decides has written it down changes nothing.
        let is_news = tenancy.stale
            || !holds()
            || before.is_none_or(|before| claims::Entry { holds: row.holds, ..before.clone() } != row);
        tenancy.stale |= is_news;
        tenancy.entries.insert(row.uid.clone(), row);
        is_news
    }

    /// Whether what this assignment claims is news.
    fn assign(&self, service: &Name, uid: &str, name: String, row: Option<claims::Assignment>) -> bool {
        let mut all = lock(&self.0);
        let tenancy = all.entry(service.clone()).or_default();
        let row = (name, row);
        let is_news = tenancy.assignments.get(uid) != Some(&row);
        tenancy.stale |= is_news;
        tenancy.assignments.insert(uid.to_owned(), row);
        is_news
    }

    /// An entry or an assignment is gone: its service, if it claimed anything there.
    fn remove(&self, uid: &str) -> Option<Name> {
        let mut all = lock(&self.0);
        let has = |tenancy: &Tenancy| tenancy.entries.contains_key(uid) || tenancy.assignments.contains_key(uid);
        let (service, tenancy) = all.iter_mut().find(|(_, tenancy)| has(tenancy))?;
        let service = service.clone();
        tenancy.entries.remove(uid);
        tenancy.assignments.remove(uid);
        tenancy.stale = true;
        if tenancy.entries.is_empty() && tenancy.assignments.is_empty() {
            all.remove(&service);
        }
        Some(service)
    }

    fn settle(&self, service: &Name) -> Settled {
        let mut all = lock(&self.0);
        let Some(tenancy) = all.get_mut(service) else { return Settled::default() };
        if !tenancy.stale {
            return Settled { claims: Arc::clone(&tenancy.settled), ..Settled::default() };
        }
        let entries: Vec<claims::Entry> = tenancy.entries.values().cloned().collect();
        let assignments: Vec<claims::Assignment> =
            tenancy.assignments.values().filter_map(|(_, row)| row.clone()).collect();
        let after = Arc::new(claims::settle(&entries, &assignments));
        let before = std::mem::replace(&mut tenancy.settled, Arc::clone(&after));
        tenancy.stale = false;
        let concerned = before.concerned(&after);
        let entries = concerned.entries.iter().filter_map(|uid| Some(tenancy.entries.get(uid)?.name.clone()));
        let moved = assignments.iter().filter(|one| concerned.endpoints.contains(&one.endpoint));
        Settled {
            entries: entries.collect(),
            assignments: moved.map(|one| one.name.clone()).collect(),
            endpoints: concerned.endpoints,
            changed: before != after,
            claims: after,
        }
    }

    /// The entries of a service.
    #[must_use]
    pub fn entries(&self, service: &Name) -> Vec<Name> {
        let all = lock(&self.0);
        let rows = all.get(service).into_iter().flat_map(|tenancy| tenancy.entries.values());
        rows.map(|row| (service.0.clone(), row.name.clone())).collect()
    }

    /// The assignments of a service.
    #[must_use]
    pub fn assignments(&self, service: &Name) -> Vec<Name> {
        let all = lock(&self.0);
        let rows = all.get(service).into_iter().flat_map(|tenancy| tenancy.assignments.values());
        rows.map(|(name, _)| (service.0.clone(), name.clone())).collect()
    }
}

/// Who decides on what touches a service of this name. Whom it concerns that this has changed is looked at again.
#[must_use]
pub fn of(context: &Context, service: &Name) -> Arc<Claims> {
    let Settled { claims, entries, endpoints, assignments, changed } = context.tenancies.settle(service);
    let named = |name: String| (service.0.clone(), name);
    context.wakes.entries.wake(entries.into_iter().map(named));
    context.wakes.assignments.wake(assignments.into_iter().map(named));
    if !endpoints.is_empty() {
        let deciders = owners(context, service, &endpoints).into_iter().filter_map(|owner| {
            let decider = claims.decider(owner.as_ref())?;
            Some(named(decider.name.clone()))
        });
        context.wakes.entries.wake(deciders);
    }
    if changed {
        context.wakes.services.wake([service.clone()]);
    }
    claims
}

/// Whose these endpoints are, as far as the connections of the service show it.
fn owners(context: &Context, service: &Name, endpoints: &BTreeSet<EndpointId>) -> BTreeSet<Option<AccountId>> {
    let seen = || {
        let service = ward::service(context, service)?;
        let id = ServiceId::from(service.status.as_ref()?.service_id.as_deref()?);
        let site = context.pool.site(&context.place_of(&service.spec.placement)?)?;
        let laid = site.observer().laid();
        let connections = laid.snapshot.service(&id)?.connections.value()?;
        let meant = connections.iter().filter(|one| endpoints.contains(&one.endpoint));
        Some(meant.map(|one| one.owner.clone()).collect())
    };
    seen().unwrap_or_default()
}

/// An entry is there, as this says; where what it claims is news, its service is looked at again.
pub fn is(context: &Context, entry: &WhitelistEntry) {
    let service = entry.service();
    let desired = parse::entry::parse(entry, Parent::Absent(String::new()), everybody_permitted(context, entry));
    let status = entry.status.as_ref();
    let holds = status.is_some_and(|status| status.claim == Some(ClaimState::Held));
    let held = status.into_iter().flat_map(|status| &status.held);
    let conditions = status.into_iter().flat_map(|status| &status.common.conditions);
    let refused = conditions
        .filter(|one| one.type_ == ConditionType::Valid.as_str() && one.status == "False")
        .map(|one| one.message.as_str())
        .next();
    let row = claims::Entry {
        held: held.map(|endpoint| EndpointId::from(endpoint.as_str())).collect(),
        ..desired.claim(holds, clock::now()).refused(refused)
    };
    if context.tenancies.put(&service, row) {
        context.wakes.services.wake([service]);
    }
    unless_gone(context, &context.stores.entries, entry);
}

/// An assignment is there, as this says; where what it claims is news, its service is looked at again.
pub fn assigns(context: &Context, assignment: &ZoneResourceAssignment) {
    let service = assignment.service();
    let desired = parse::assignment::parse(assignment, Parent::Absent(String::new()), served(context, assignment));
    let claim = assignment.status.as_ref().and_then(|status| status.claim.as_ref());
    let row = desired.claim(claim == Some(&ClaimState::Held));
    if context.tenancies.assign(&service, &desired.uid, desired.name, row) {
        context.wakes.services.wake([service]);
    }
    unless_gone(context, &context.stores.assignments, assignment);
}

/// A turn that has begun before its object went must not have it claim anything for ever.
fn unless_gone<W>(context: &Context, store: &Store<Guarded<W>>, ward: &W)
where
    W: Resource<DynamicType = ()> + Clone + 'static,
{
    if !Stores::has(store, ward.meta()) {
        gone(context, ward.meta().uid.as_deref().unwrap_or_default());
    }
}

/// The endpoint that an assignment refers to, with our own last write of it.
#[must_use]
pub fn served(context: &Context, assignment: &ZoneResourceAssignment) -> Served {
    let found = relate::assigned(assignment)
        .and_then(|(namespace, name)| Stores::get(&context.stores.endpoints, &namespace, &name))
        .map(|endpoint| context.own.endpoints.latest(endpoint));
    let service = ward::service(context, &assignment.service());
    relate::served(assignment, found.as_ref(), service.as_ref())
}

/// An entry or an assignment with this uid is gone: whoever takes over is looked at again.
pub fn gone(context: &Context, uid: &str) {
    let Some(service) = context.tenancies.remove(uid) else { return };
    let _settled = of(context, &service);
    context.wakes.services.wake([service]);
}

/// Whether the account of the entry's service lets entries name everybody; asked only of one that does.
#[must_use]
pub fn everybody_permitted(context: &Context, entry: &WhitelistEntry) -> bool {
    if Principal::from(entry.spec.principal.as_str()).whom() != Whom::Everybody {
        return false;
    }
    let account = ward::service(context, &entry.service())
        .and_then(|service| Stores::get(&context.stores.accounts, "", relate::account_of(&service.spec.placement)));
    let allow = account.and_then(|account| account.spec.allow);
    allow.and_then(|allow| allow.wildcard_principals).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use privatelink_core::claims::{Entry, Say};
    use privatelink_core::moment::Moment;

    use super::*;

    fn row(uid: &str, account: &str, created: i64) -> Entry {
        Entry {
            uid: uid.into(),
            name: format!("entry-{uid}"),
            created: Moment(created),
            whom: Whom::Account(account.into()),
            say: Say::Live,
            holds: false,
            idle: None,
            held: BTreeSet::new(),
        }
    }

    fn gateway() -> Name {
        ("team".to_owned(), "gateway".to_owned())
    }

    #[test]
    fn a_claim_is_news_once_and_that_its_holder_wrote_it_down_is_none() {
        let tenancies = Tenancies::default();
        assert!(tenancies.put(&gateway(), row("a", "1", 1)));
        let settled = tenancies.settle(&gateway());
        assert_eq!((settled.entries.as_slice(), settled.changed), (&["entry-a".to_owned()][..], true));
        assert!(!tenancies.put(&gateway(), row("a", "1", 1)));
        assert!(!tenancies.put(&gateway(), Entry { holds: true, ..row("a", "1", 1) }));
        let again = tenancies.settle(&gateway());
        assert_eq!((again.entries, again.changed), (Vec::new(), false));
        assert!(Arc::ptr_eq(&settled.claims, &again.claims), "nothing was settled anew");
    }

    #[test]
    fn what_an_entry_leaves_cut_is_news_to_its_service() {
        let tenancies = Tenancies::default();
        tenancies.put(&gateway(), row("a", "1", 1));
        assert!(!tenancies.settle(&gateway()).claims.is_held(&"ep-1".into()));
        assert!(tenancies.put(&gateway(), Entry { held: ["ep-1".into()].into(), ..row("a", "1", 1) }));
        let settled = tenancies.settle(&gateway());
        assert_eq!((settled.entries.len(), settled.changed), (0, true), "and to no entry");
        assert!(settled.claims.is_held(&"ep-1".into()));
    }

    #[test]
    fn whoever_waited_is_named_when_the_holder_ends_and_when_it_goes() {
        let tenancies = Tenancies::default();
        for row in [row("a", "1", 1), row("b", "1", 2), row("c", "2", 3)] {
            tenancies.put(&gateway(), row);
        }
        let holder = |settled: &Settled| settled.claims.holder(&Whom::Account("1".into())).map(|one| one.uid.clone());
        assert_eq!(holder(&tenancies.settle(&gateway())).as_deref(), Some("a"));
        tenancies.put(&gateway(), Entry { say: Say::Ending, ..row("a", "1", 1) });
        let settled = tenancies.settle(&gateway());
        assert_eq!(holder(&settled).as_deref(), Some("b"));
        assert_eq!(settled.entries, ["entry-a", "entry-b"], "and nobody else is woken");
        assert_eq!(tenancies.remove("b"), Some(gateway()));
        assert_eq!(holder(&tenancies.settle(&gateway())).as_deref(), Some("a"));
        assert_eq!(tenancies.entries(&gateway()).len(), 2);
    }

    #[test]
    fn a_service_without_entries_is_forgotten() {
        let tenancies = Tenancies::default();
        tenancies.put(&gateway(), row("a", "1", 1));
        assert_eq!((tenancies.remove("a"), tenancies.remove("a")), (Some(gateway()), None));
        assert_eq!(tenancies.settle(&gateway()), Settled::default());
        assert!(lock(&tenancies.0).is_empty());
    }
}
