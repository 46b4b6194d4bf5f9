//! Who is looked at again when something changes: each watch, list and queue names those whom it touches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt as _};
use privatelink_core::id::{AccountId, CloudId, EndpointId};
use privatelink_core::place::Place;
use privatelink_core::principal::Whom;
use privatelink_core::read::FacetKey;
use tokio::task::JoinSet;

use crate::api::parse;
use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};
use crate::object::ObjectKey;
use crate::observe::News;
use crate::wakes::Wakes;

use super::account::wake_objects;
use super::context::{Context, Name, name};
use super::endpoint::Endpoint as EndpointKind;
use super::kind::Made;
use super::relate::{self, Ours, Placed, Ward};
use super::service::Service as ServiceKind;
use super::tenancy;
use super::watch::{Change, Guarded, Stores};

/// An account has come, changed or gone. Its objects are concerned where its spec or its life has changed; a
/// changed standing wakes them by itself.
pub fn by_account(context: &Context, change: &Change<'_, Guarded<CloudAccount>>) {
    let account = change.object();
    context.wakes.accounts.wake([name(account)]);
    let concerns = match change {
        Change::Gone(gone) => {
            let uid = gone.uid().unwrap_or_default();
            context.own.accounts.forget(&uid);
            context.minds.forget(&uid);
            context.pool.remove(&gone.name_any());
            context.standings.remove(&gone.name_any());
            true
        }
        Change::Is { before, now } => before.is_none_or(|before| {
            before.meta().generation != now.meta().generation
                || before.meta().deletion_timestamp != now.meta().deletion_timestamp
        }),
    };
    if concerns {
        wake_objects(context, &account.name_any());
    }
}

/// A service has come, changed or gone. Those that want to adopt the same are concerned too, the endpoints that are
/// to reach it, and an account that is being deleted and kept by it.
pub fn by_service(context: &Context, change: &Change<'_, Guarded<EndpointService>>) {
    by_placed(context, change, &context.own.services, &context.stores.services);
    let Ok(service) = &change.object().0 else { return };
    let before = match change {
        Change::Is { before: Some(before), .. } => before.0.as_ref().ok(),
        _ => None,
    };
    let same = before.is_some_and(|before| says_the_same(before, service));
    if !same {
        let changed = name(service);
        // Whether an Endpoint of another namespace joins it is what their claims hang on.
        claim_anew(context, |assignment| {
            let afar = relate::assigned(assignment).is_some_and(|(namespace, _)| namespace != changed.0);
            afar && assignment.service() == changed
        });
        wake_wards(context, &changed);
    }
    let state = |service: &EndpointService| service.status.as_ref().and_then(|status| status.state.clone());
    if same && before.is_some_and(|before| state(before) == state(service)) {
        return;
    }
    let refers = |endpoint: &Endpoint| {
        let refers = relate::refers_to(endpoint, service) || before.is_some_and(|one| relate::refers_to(endpoint, one));
        refers.then(|| name(endpoint))
    };
    context.wakes.endpoints.wake(Stores::each(&context.stores.endpoints, refers));
}

/// Two versions of a service say the same to those who stand under it, and, but for its state, to endpoints that are to
/// reach it.
fn says_the_same(before: &EndpointService, after: &EndpointService) -> bool {
    let of = |service: &EndpointService| {
        let status = service.status.clone().unwrap_or_default();
        let known = (status.service_id, status.service_name, status.creation.region);
        let spec = (service.spec.consumer_namespaces.clone(), service.spec.placement.account_ref.clone());
        (known, spec, parse::parent::parent(service))
    };
    of(before) == of(after)
}

/// An endpoint has come, changed or gone. Those that want to adopt the same are concerned too, an account that is
/// being deleted and kept by it, and the service that it reaches: its owner need not wait for a sweep to see who is
/// connected, and a service that is being deleted goes once the last has left.
pub fn by_endpoint(context: &Context, change: &Change<'_, Guarded<Endpoint>>) {
    by_placed(context, change, &context.own.endpoints, &context.stores.endpoints);
    let Ok(endpoint) = &change.object().0 else { return };
    let changed = name(endpoint);
    let assigned = claim_anew(context, |assignment| relate::assigned(assignment).as_ref() == Some(&changed));
    context.wakes.assignments.wake(assigned);
    let connection = |one: &Endpoint| one.status.as_ref().and_then(|status| status.connection.clone());
    let concerns = match change {
        Change::Gone(_) => true,
        Change::Is { before: Some(before), .. } => {
            before.0.as_ref().is_ok_and(|before| connection(before) != connection(endpoint))
        }
        // All are listed when the process starts, and then everything is read anyway.
        Change::Is { before: None, .. } => false,
    };
    if !concerns {
        return;
    }
    let reached = Stores::each(&context.stores.services, |service| {
        let service = context.own.services.latest(service.clone());
        let place = context.place_of(&service.spec.placement)?;
        let id = service.status.as_ref()?.service_id.as_deref()?;
        relate::refers_to(endpoint, &service).then(|| (place, FacetKey::Connections(id.into())))
    });
    for (place, connections) in reached {
        if let Some(site) = context.pool.site(&place) {
            site.observer().renew(connections);
        }
    }
}

/// What these assignments claim once what they refer to has changed, before any of them has had a turn: when all is
/// listed, nobody decides on a zone that one of them decides on, in whatever order it was listed. Their names.
fn claim_anew(context: &Context, meant: impl Fn(&ZoneResourceAssignment) -> bool) -> Vec<Name> {
    let meant = Stores::each(&context.stores.assignments, |one| meant(one).then(|| one.clone()));
    let claim = |one: ZoneResourceAssignment| {
        tenancy::assigns(context, &context.own.assignments.latest(one.clone()));
        name(&one)
    };
    meant.into_iter().map(claim).collect()
}

fn by_placed<K>(context: &Context, change: &Change<'_, Guarded<K>>, own: &super::own::Own<K>, store: &Store<Guarded<K>>)
where
    K: Placed + Clone + Debug + 'static,
{
    let guarded = change.object();
    let uid = guarded.uid().unwrap_or_default();
    context.living.is(K::SORT, &uid);
    if matches!(change, Change::Gone(_)) {
        context.living.gone(K::SORT, &uid);
        forget(context, &relate::key::<K>(guarded.meta()), own);
        for place in context.managed.places_of(K::SORT, &name(guarded)) {
            // A namesake may have come by now, and has what it has.
            let followed = context.managed.put(&place, K::SORT, None, &name(guarded));
            if let (Some(ids), Some(site)) = (followed, context.pool.site(&place)) {
                site.observer().manage(ids);
            }
        }
    }
    context.wakes.of(K::SORT).wake([name(guarded)]);
    let Ok(object) = &guarded.0 else { return };
    if let Some(adopt) = &object.placement().adopt {
        context.wakes.of(K::SORT).wake(those_that_adopt(store, &adopt.id));
    }
    wake_if_going(context, relate::account_of(object.placement()));
}

/// The object is gone: nothing of it is remembered, nothing is polled for it, and it waits at no gate.
pub fn forget<K: Resource + Clone>(context: &Context, gone: &ObjectKey, own: &super::own::Own<K>) {
    own.forget(&gone.uid);
    context.minds.forget(&gone.uid);
    for site in context.pool.sites() {
        site.observer().follow(gone, BTreeSet::new());
        site.gate().retain(gone, &[]);
    }
}

fn those_that_adopt<K: Placed + Clone + Debug + 'static>(store: &Store<Guarded<K>>, id: &str) -> Vec<Name> {
    Stores::each(store, |object| {
        object.placement().adopt.as_ref().is_some_and(|adopt| adopt.id == id).then(|| name(object))
    })
}

/// An account that is being deleted goes once nothing keeps it.
fn wake_if_going(context: &Context, account: &str) {
    let kept = Stores::get(&context.stores.accounts, "", account);
    if kept.is_some_and(|account| account.meta().deletion_timestamp.is_some()) {
        context.wakes.accounts.wake([(String::new(), account.to_owned())]);
    }
}

/// An entry has come, changed or gone.
pub fn by_entry(context: &Context, change: &Change<'_, Guarded<WhitelistEntry>>) {
    by_ward(context, change, &context.own.entries, &context.wakes.entries, tenancy::is);
}

/// An assignment has come, changed or gone.
pub fn by_assignment(context: &Context, change: &Change<'_, Guarded<ZoneResourceAssignment>>) {
    by_ward(context, change, &context.own.assignments, &context.wakes.assignments, tenancy::assigns);
}

/// What stands under a service has come, changed or gone. Where that changes who decides on what, those whom it concerns
/// are looked at too; and so is an account that is being deleted and kept by it.
fn by_ward<W: Ward + Clone>(
    context: &Context,
    change: &Change<'_, Guarded<W>>,
    own: &super::own::Own<W>,
    wakes: &Wakes<Name>,
    claims: impl FnOnce(&Context, &W),
) {
    let guarded = change.object();
    wakes.wake([name(guarded)]);
    if matches!(change, Change::Gone(_)) {
        tenancy::gone(context, &guarded.uid().unwrap_or_default());
        forget(context, &relate::key::<W>(guarded.meta()), own);
    }
    let Ok(ward) = &guarded.0 else { return };
    if matches!(change, Change::Is { .. }) {
        // A watch may lag behind what was written since.
        claims(context, &own.latest(ward.clone()));
    }
    let (namespace, service) = ward.service();
    if let Some(service) = Stores::get(&context.stores.services, &namespace, &service) {
        wake_if_going(context, relate::account_of(&service.spec.placement));
    }
}

/// A namespace has other labels: accounts may let it in, or no longer.
pub fn by_namespace(context: &Context, change: &Change<'_, PartialObjectMeta<Namespace>>) {
    let namespace = change.object();
    let same = matches!(change, Change::Is { before: Some(before), .. } if before.labels() == namespace.labels());
    if same {
        return;
    }
    let inside = namespace.name_any();
    let services = Stores::each(&context.stores.services, |one| is_in(one, &inside).then(|| name(one)));
    let endpoints = Stores::each(&context.stores.endpoints, |one| is_in(one, &inside).then(|| name(one)));
    let entries = Stores::each(&context.stores.entries, |one| is_in(one, &inside).then(|| name(one)));
    let assignments = Stores::each(&context.stores.assignments, |one| is_in(one, &inside).then(|| name(one)));
    context.wakes.services.wake(services);
    context.wakes.endpoints.wake(endpoints);
    context.wakes.entries.wake(entries);
    context.wakes.assignments.wake(assignments);
}

fn is_in<K: Resource>(object: &K, namespace: &str) -> bool {
    object.meta().namespace.as_deref() == Some(namespace)
}

/// A Secret has come, changed or gone: the accounts that name it are verified.
pub fn by_secret(context: &Context, namespace: &str, secret: &str) {
    let named = Stores::each(&context.stores.accounts, |account| {
        let reference = account.spec.credentials.secret_ref.as_ref()?;
        (reference.namespace == namespace && reference.name == secret).then(|| name(account))
    });
    context.wakes.accounts.wake(named);
}

/// Something that was published has changed or gone: its owner puts it right.
pub fn by_published<P: Resource>(context: &Context, change: &Change<'_, P>) {
    let published = change.object();
    let namespace = published.namespace().unwrap_or_default();
    let owners = |kind: &str| -> Vec<Name> {
        let owners = published.owner_references().iter().filter(|owner| owner.kind == kind);
        owners.map(|owner| (namespace.clone(), owner.name.clone())).collect()
    };
    context.wakes.services.wake(owners(EndpointService::KIND));
    context.wakes.endpoints.wake(owners(Endpoint::KIND));
}

/// Follows every place that is spoken to: what a list shows, and whose turn has come at its gate. Ends with the
/// pool.
pub async fn by_places(context: Arc<Context>) {
    let mut begun = context.pool.begun();
    let mut followed = JoinSet::new();
    loop {
        tokio::select! {
            place = begun.next() => match place {
                Some(place) => {
                    manage(&context, &place);
                    followed.spawn(by_place(Arc::clone(&context), place));
                }
                None => return,
            },
            Some(_) = followed.join_next() => {}
        }
    }
}

/// All cloud objects of a place whose ids are written down, before any of their objects has had a turn.
fn manage(context: &Context, place: &Place) {
    let services = written_down::<ServiceKind>(context, place);
    let endpoints = written_down::<EndpointKind>(context, place);
    let ids: BTreeMap<CloudId, Name> = services.into_iter().chain(endpoints).collect();
    if let Some(site) = context.pool.site(place) {
        site.observer().manage(ids.keys().cloned().collect());
    }
    context.managed.set(place, ids);
}

fn written_down<K: Made>(context: &Context, place: &Place) -> Vec<(CloudId, Name)> {
    Stores::each(K::store(context), |object| {
        let memory = K::memory(&K::own(context).latest(object.clone()));
        let made = K::creation(&memory);
        let here = made.account.as_ref() == Some(&place.account) && made.region.as_ref() == Some(&place.region);
        Some((K::id(&memory).filter(|_| here)?, name(object)))
    })
}

async fn by_place(context: Arc<Context>, place: Place) {
    let Some(site) = context.pool.site(&place) else { return };
    let mut heads = site.gate().heads();
    let mut touched = site.observer().touched();
    // Not kept: the streams end when the place is no longer spoken to.
    drop(site);
    tracing::info!(%place, "this place is spoken to");
    loop {
        tokio::select! {
            Some(key) = heads.next() => context.wakes.one(key),
            Some(news) = touched.next() => by_news(&context, &place, news),
            else => return,
        }
    }
}

/// A read has shown something new: of what an entry decides on, that entry is looked at.
fn by_news(context: &Context, place: &Place, news: News) {
    let (service, whom) = match news {
        News::Object(id) => return by_cloud(context, place, &id),
        News::Tenants(service) => (service, None),
        News::Connection(service, endpoint, owner) => (service, Some(Tenant::Owner(endpoint, owner))),
        News::Principal(service, whom) => (service, Some(Tenant::Named(whom))),
    };
    let Some(object) = context.managed.owner(place, &service.into()) else { return };
    let Some(tenant) = whom else {
        return wake_wards(context, &object);
    };
    let claims = tenancy::of(context, &object);
    let named = |name: &String| (object.0.clone(), name.clone());
    let holder = match &tenant {
        Tenant::Owner(endpoint, owner) => {
            context.wakes.assignments.wake(claims.pins(endpoint).map(|pin| named(&pin.name)));
            claims.decider(owner.as_ref())
        }
        Tenant::Named(whom) => claims.holder(whom),
    };
    context.wakes.entries.wake(holder.map(|holder| named(&holder.name)));
}

/// All that stands under a service is looked at.
fn wake_wards(context: &Context, service: &Name) {
    context.wakes.entries.wake(context.tenancies.entries(service));
    context.wakes.assignments.wake(context.tenancies.assignments(service));
}

/// Whose entry is meant.
enum Tenant {
    /// That which decides on this account's connections, and what assigns zones of this endpoint's.
    Owner(EndpointId, Option<AccountId>),
    /// That which names this principal.
    Named(Whom),
}

/// A cloud object has changed: its object is looked at, and whoever wants to adopt it. An endpoint may live in
/// another place than the service that has shown a change of it.
fn by_cloud(context: &Context, place: &Place, id: &CloudId) {
    if let Some(owner) = context.managed.owner(place, id) {
        context.wakes.of(id.sort()).wake([owner]);
        return;
    }
    match id {
        CloudId::Service(id) => {
            context.wakes.services.wake(those_that_adopt(&context.stores.services, id.as_str()));
        }
        CloudId::Endpoint(endpoint) => {
            let elsewhere = context.managed.place_of(endpoint).and_then(|place| {
                context.pool.site(&place)?.observer().stir(endpoint);
                context.managed.owner(&place, id)
            });
            context.wakes.endpoints.wake(elsewhere);
            context.wakes.endpoints.wake(those_that_adopt(&context.stores.endpoints, endpoint.as_str()));
        }
    }
}
