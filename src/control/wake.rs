//! Who is looked at again when something changes: each watch, list and queue names those whom it touches.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::core::PartialObjectMeta;
use kube::{Resource, ResourceExt as _};
use privatelink_core::id::ServiceId;
use privatelink_core::place::Place;
use tokio::task::JoinSet;

use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry};

use super::account::wake_objects;
use super::context::{Context, Name};
use super::kind::Kind as _;
use super::relate;
use super::service::Service;
use super::watch::{Change, Guarded, Stores};

fn name<K: Resource>(object: &K) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// An account has come, changed or gone. Its objects are concerned where its spec or its life has changed; a
/// changed standing wakes them by itself.
pub fn by_account(context: &Context, change: &Change<'_, Guarded<CloudAccount>>) {
    let account = change.object();
    context.wakes.accounts.wake([name(account)]);
    let concerns = match change {
        Change::Gone(gone) => {
            forget(context, *gone, &context.own.accounts);
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

/// A service has come, changed or gone. Those that want to adopt the same are concerned too, and an account that
/// is being deleted and kept by it.
pub fn by_service(context: &Context, change: &Change<'_, Guarded<EndpointService>>) {
    let guarded = change.object();
    let gone = matches!(change, Change::Gone(_));
    if gone {
        forget(context, guarded, &context.own.services);
        for place in context.managed.places_of(&name(guarded)) {
            // A namesake may have come by now, and has what it has.
            let followed = context.managed.put(&place, None, &name(guarded));
            if let (Some(ids), Some(site)) = (followed, context.pool.site(&place)) {
                site.observer().manage(ids);
            }
        }
    }
    context.wakes.services.wake([name(guarded)]);
    let Ok(service) = &guarded.0 else { return };
    if let Some(adopt) = &service.spec.placement.adopt {
        wake_those_that_adopt(context, &adopt.id);
    }
    wake_if_going(context, relate::account_of(&service.spec.placement));
}

fn wake_those_that_adopt(context: &Context, id: &str) {
    let wanting = Stores::each(&context.stores.services, |service| {
        service.spec.placement.adopt.as_ref().is_some_and(|adopt| adopt.id == id).then(|| name(service))
    });
    context.wakes.services.wake(wanting);
}

/// An endpoint has come, changed or gone: an account that is being deleted may be kept by it.
pub fn by_endpoint(context: &Context, change: &Change<'_, Guarded<Endpoint>>) {
    let Ok(endpoint) = &change.object().0 else { return };
    wake_if_going(context, relate::account_of(&endpoint.spec.placement));
}

/// An account that is being deleted goes once nothing keeps it.
fn wake_if_going(context: &Context, account: &str) {
    let kept = Stores::get(&context.stores.accounts, "", account);
    if kept.is_some_and(|account| account.meta().deletion_timestamp.is_some()) {
        context.wakes.accounts.wake([(String::new(), account.to_owned())]);
    }
}

/// An entry has come, changed or gone: its service counts the connections that no entry names.
pub fn by_entry(context: &Context, change: &Change<'_, Guarded<WhitelistEntry>>) {
    let Ok(entry) = &change.object().0 else { return };
    let settled = matches!(change, Change::Is { before: Some(before), .. } if before.meta().generation == entry.meta().generation);
    if !settled {
        context.wakes.services.wake([(entry.namespace().unwrap_or_default(), entry.spec.service_ref.name.clone())]);
    }
}

/// A namespace has other labels: accounts may let it in, or no longer.
pub fn by_namespace(context: &Context, change: &Change<'_, PartialObjectMeta<Namespace>>) {
    let namespace = change.object();
    let same = matches!(change, Change::Is { before: Some(before), .. } if before.labels() == namespace.labels());
    if same {
        return;
    }
    let inside = Stores::each(&context.stores.services, |service| {
        (service.namespace().as_deref() == Some(namespace.name_any().as_str())).then(|| name(service))
    });
    context.wakes.services.wake(inside);
}

/// A Secret has come, changed or gone: the accounts that name it are verified.
pub fn by_secret(context: &Context, namespace: &str, secret: &str) {
    let named = Stores::each(&context.stores.accounts, |account| {
        let reference = account.spec.credentials.secret_ref.as_ref()?;
        (reference.namespace == namespace && reference.name == secret).then(|| name(account))
    });
    context.wakes.accounts.wake(named);
}

/// A published ConfigMap has changed or gone: its owner puts it right.
pub fn by_published(context: &Context, change: &Change<'_, ConfigMap>) {
    let map = change.object();
    let owners = map.owner_references().iter().filter(|owner| owner.kind == Service::NAME);
    let namespace = map.namespace().unwrap_or_default();
    context.wakes.services.wake(owners.map(|owner| (namespace.clone(), owner.name.clone())));
}

fn forget<K: Resource + Clone, G: Resource>(context: &Context, gone: &G, own: &super::own::Own<K>) {
    if let Some(uid) = &gone.meta().uid {
        own.forget(uid);
        context.minds.forget(uid);
    }
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

/// All services of a place whose ids are written down, before any of them has had a turn.
fn manage(context: &Context, place: &Place) {
    let ids: BTreeMap<ServiceId, Name> = Stores::each(&context.stores.services, |service| {
        let memory = Service::memory(&context.own.services.latest(service.clone()));
        let here = memory.account.as_ref() == Some(&place.account) && memory.region.as_ref() == Some(&place.region);
        Some((memory.service_id.filter(|_| here)?, name(service)))
    })
    .into_iter()
    .collect();
    if let Some(site) = context.pool.site(place) {
        site.observer().manage(ids.keys().cloned().collect());
    }
    context.managed.set(place, ids);
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
            Some(key) = heads.next() => context.wakes.services.wake([(key.namespace, key.name)]),
            Some(id) = touched.next() => by_cloud(&context, &place, &id),
            else => return,
        }
    }
}

/// A service in the cloud has changed: its object is looked at, and whoever wants to adopt it.
fn by_cloud(context: &Context, place: &Place, id: &ServiceId) {
    if let Some(owner) = context.managed.owner(place, id) {
        context.wakes.services.wake([owner]);
        return;
    }
    wake_those_that_adopt(context, id.as_str());
}
