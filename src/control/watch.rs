//! What is watched: one store a kind, filled by pages and followed from there. Lists are as new as the API
//! server can give them, and an object that does not parse never ends a watch.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::core::{DeserializeGuard, ObjectMeta, PartialObjectMeta};
use kube::runtime::reflector::{self, ObjectRef, Store, store::Writer};
use kube::runtime::watcher::{Config, Event, ListSemantic};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// An object, or what is wrong with it.
pub type Guarded<K> = DeserializeGuard<K>;

/// The stores. Clones read the same.
#[derive(Clone)]
pub struct Stores {
    /// Accounts.
    pub accounts: Store<Guarded<CloudAccount>>,
    /// Services.
    pub services: Store<Guarded<EndpointService>>,
    /// Endpoints.
    pub endpoints: Store<Guarded<Endpoint>>,
    /// Whitelist entries.
    pub entries: Store<Guarded<WhitelistEntry>>,
    /// Assignments of load balancers to zones.
    pub assignments: Store<Guarded<ZoneResourceAssignment>>,
    /// Namespaces; of each the metadata alone.
    pub namespaces: Store<PartialObjectMeta<Namespace>>,
}

/// Where the stores are written.
pub struct Writers {
    /// Accounts.
    pub accounts: Writer<Guarded<CloudAccount>>,
    /// Services.
    pub services: Writer<Guarded<EndpointService>>,
    /// Endpoints.
    pub endpoints: Writer<Guarded<Endpoint>>,
    /// Whitelist entries.
    pub entries: Writer<Guarded<WhitelistEntry>>,
    /// Assignments of load balancers to zones.
    pub assignments: Writer<Guarded<ZoneResourceAssignment>>,
    /// Namespaces.
    pub namespaces: Writer<PartialObjectMeta<Namespace>>,
}

/// Empty stores.
#[must_use]
pub fn stores() -> (Stores, Writers) {
    let (accounts, accounts_writer) = reflector::store();
    let (services, services_writer) = reflector::store();
    let (endpoints, endpoints_writer) = reflector::store();
    let (entries, entries_writer) = reflector::store();
    let (assignments, assignments_writer) = reflector::store();
    let (namespaces, namespaces_writer) = reflector::store();
    let writers = Writers {
        accounts: accounts_writer,
        services: services_writer,
        endpoints: endpoints_writer,
        entries: entries_writer,
        assignments: assignments_writer,
        namespaces: namespaces_writer,
    };
    (Stores { accounts, services, endpoints, entries, assignments, namespaces }, writers)
}

impl Stores {
    /// The object of a store, if there is one that parses.
    #[must_use]
    pub fn get<K>(store: &Store<Guarded<K>>, namespace: &str, name: &str) -> Option<K>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + 'static,
    {
        let reference = ObjectRef::new(name);
        let reference = if namespace.is_empty() { reference } else { reference.within(namespace) };
        store.get(&reference)?.0.clone().ok()
    }

    /// Whether a store has this very object, and no namesake that came after it.
    #[must_use]
    pub fn has<K>(store: &Store<Guarded<K>>, meta: &ObjectMeta) -> bool
    where
        K: Resource<DynamicType = ()> + Clone + 'static,
    {
        let reference = ObjectRef::new(meta.name.as_deref().unwrap_or_default());
        let namespace = meta.namespace.as_deref();
        let reference = namespace.map_or_else(|| reference.clone(), |namespace| reference.clone().within(namespace));
        store.get(&reference).is_some_and(|held| held.meta().uid == meta.uid)
    }

    /// What is picked from each object of a store that parses.
    pub fn each<K, T>(store: &Store<Guarded<K>>, mut pick: impl FnMut(&K) -> Option<T>) -> Vec<T>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + 'static,
    {
        store.state().iter().filter_map(|guarded| pick(guarded.0.as_ref().ok()?)).collect()
    }
}

/// How everything is listed and watched.
fn config() -> Config {
    Config { list_semantic: ListSemantic::MostRecent, ..Config::default() }
}

/// Follows all objects that `api` gives into `writer`, telling `seen` of each change once the store has it, and
/// `filled` once all that were there at first are in it, or, of what a selector picks, once the right to list it is
/// known to be missing: only publishing needs that right. Ends never by itself: what fails is tried again, ever more
/// slowly.
///
/// Nobody waits for a store itself: it wakes only the last of those who do.
pub async fn follow<K>(
    what: &'static str,
    api: Api<K>,
    selector: Option<&str>,
    mut writer: Writer<K>,
    filled: impl Fn(),
    mut seen: impl FnMut(&Change<'_, K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    let config = Config { label_selector: selector.map(str::to_owned), ..config() };
    let reader = writer.as_reader();
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(what, %error, "the watch is interrupted and begins again");
                if selector.is_some() && is_forbidden(&error) {
                    // Whoever asks to publish is told; nobody else waits for it.
                    filled();
                }
                continue;
            }
        };
        let reference = |object: &K| ObjectRef::from_obj_with(object, K::DynamicType::default());
        match &event {
            Event::Apply(object) => {
                let before = reader.get(&reference(object));
                writer.apply_watcher_event(&event);
                seen(&Change::Is { before: before.as_deref(), now: object });
            }
            Event::Delete(object) => {
                writer.apply_watcher_event(&event);
                seen(&Change::Gone(object));
            }
            Event::Init | Event::InitApply(_) => writer.apply_watcher_event(&event),
            Event::InitDone => {
                let mut before: HashMap<Option<String>, Arc<K>> =
                    reader.state().into_iter().map(|object| (object.meta().uid.clone(), object)).collect();
                writer.apply_watcher_event(&event);
                for object in reader.state() {
                    let known = before.remove(&object.meta().uid);
                    seen(&Change::Is { before: known.as_deref(), now: &object });
                }
                // What was deleted while nobody watched.
                for object in before.values() {
                    seen(&Change::Gone(object));
                }
                filled();
            }
        }
    }
}

/// The right to list is missing.
fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.is_forbidden())
}

/// What a watch has delivered.
#[derive(Debug)]
pub enum Change<'a, K> {
    /// The object is there, and was so before, if it was.
    Is {
        /// As it was.
        before: Option<&'a K>,
        /// As it is.
        now: &'a K,
    },
    /// The object is gone.
    Gone(&'a K),
}

impl<'a, K> Change<'a, K> {
    /// The object, as it is or was last.
    #[must_use]
    pub const fn object(&self) -> &'a K {
        match self {
            Self::Is { now, .. } => now,
            Self::Gone(object) => object,
        }
    }
}

/// Follows the metadata of the Secrets of one namespace, which are not kept; `seen` gets the name of each that
/// has come, changed or gone.
pub async fn follow_secrets(client: Client, namespace: String, mut seen: impl FnMut(&str, String)) {
    let api = Api::<PartialObjectMeta<Secret>>::namespaced(client, &namespace);
    let mut events = std::pin::pin!(watcher(api, config()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) => {
                seen(&namespace, secret.metadata.name.unwrap_or_default());
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => tracing::warn!(namespace, %error, "the watch of Secrets is interrupted and begins again"),
        }
    }
}
