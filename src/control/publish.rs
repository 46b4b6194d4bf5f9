//! Hand-over data for applications: one ConfigMap an object and, for an endpoint, one Service that leads to its
//! domain; ours by their owner, and nobody else's ever touched.

pub mod handover;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceSpec};
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Resource, ResourceExt as _};
use privatelink_core::condition::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::context::Context;
use super::error::{Error, call};
use super::relate::Placed;
use super::status::MANAGER;

/// The label of all that is published; its value is the name of the object that published it.
pub const LABEL: &str = "privatelink.dev/published-by";

/// What was published, as it is watched.
#[derive(Clone)]
pub struct Published {
    /// `ConfigMaps`.
    pub config_maps: Store<ConfigMap>,
    /// Services.
    pub services: Store<Service>,
}

/// Why nothing is published: a sentence for the object's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// Why.
    pub reason: Reason,
    /// What is in the way, and the remedy.
    pub message: String,
    /// It passes by itself.
    pub passes: bool,
}

/// Makes the object's ConfigMap hold `data` under `name`, and removes one of another name; without a name none
/// is left. Nothing is published before there is something to hand over.
///
/// # Errors
/// With the reason and the remedy, where it cannot be.
pub async fn config_map<K: Placed + Sync>(
    context: &Context,
    object: &K,
    name: Option<&str>,
    data: Option<BTreeMap<String, String>>,
) -> Result<(), Unpublished> {
    let wanted = name.zip(data).map(|(name, data)| ConfigMap {
        metadata: meta(object, name),
        data: Some(data),
        ..ConfigMap::default()
    });
    let same = |stored: &ConfigMap, wanted: &ConfigMap| stored.data == wanted.data;
    let store = context.published.as_ref().map(|published| &published.config_maps);
    publish(context, object, store, name, wanted, same).await
}

/// Makes the object's Service of type `ExternalName` lead to `domain` under `name`, as [`config_map`] does.
///
/// # Errors
/// With the reason and the remedy, where it cannot be.
pub async fn external_name<K: Placed + Sync>(
    context: &Context,
    object: &K,
    name: Option<&str>,
    domain: Option<&str>,
) -> Result<(), Unpublished> {
    let wanted = name.zip(domain).map(|(name, domain)| Service {
        metadata: meta(object, name),
        spec: Some(ServiceSpec {
            type_: Some("ExternalName".to_owned()),
            external_name: Some(domain.to_owned()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    });
    let leads = |service: &Service| service.spec.as_ref().map(|spec| (spec.type_.clone(), spec.external_name.clone()));
    let same = |stored: &Service, wanted: &Service| leads(stored) == leads(wanted);
    let store = context.published.as_ref().map(|published| &published.services);
    publish(context, object, store, name, wanted, same).await
}

/// Makes what is published of one sort equal to `wanted`.
async fn publish<K, P>(
    context: &Context,
    object: &K,
    store: Option<&Store<P>>,
    name: Option<&str>,
    wanted: Option<P>,
    same: impl Fn(&P, &P) -> bool,
) -> Result<(), Unpublished>
where
    K: Placed + Sync,
    P: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let Some(store) = store else {
        return match name {
            None => Ok(()),
            Some(_) => Err(unpublished(
                Reason::InvalidSpec,
                "publish: the operator does not publish: ask its administrator to start it with --publish, or remove publish",
            )),
        };
    };
    let namespace = object.namespace().unwrap_or_default();
    let api = Api::<P>::namespaced(context.client.clone(), &namespace);
    let is_ours = |one: &P| one.owner_references().iter().any(|owner| Some(&owner.uid) == object.meta().uid.as_ref());
    for stale in store.state() {
        if stale.namespace().as_ref() == Some(&namespace) && is_ours(&stale) && Some(stale.name_any().as_str()) != name
        {
            remove(context, &api, &*stale).await?;
        }
    }
    let (Some(name), Some(wanted)) = (name, wanted) else { return Ok(()) };
    let stored = store.get(&ObjectRef::new(name).within(&namespace));
    context.may_write().map_err(|error| failed(&error))?;
    let stored = match stored {
        Some(stored) => stored,
        // A create never writes over what is there already.
        None => match call("publish", api.create(&written_by_us(), &wanted)).await {
            Ok(_) => return Ok(()),
            Err(error) if already_exists(&error) => match found(&api, name).await? {
                Some(found) => Arc::new(found),
                None => return Ok(()),
            },
            Err(error) => return settled(Err(error)),
        },
    };
    if !is_ours(&stored) {
        return Err(taken::<P>(name));
    }
    if same(&stored, &wanted) && stored.labels().get(LABEL) == wanted.labels().get(LABEL) {
        return Ok(());
    }
    let change = change(&*stored, &wanted).map_err(|error| failed(&error))?;
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    settled(call("publish", api.patch(name, &parameters, &Patch::Merge(&change))).await.map(drop))
}

fn written_by_us() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

/// What makes one that is ours as it is wanted: what others have added to its data goes, its owners stay.
fn change<P: Resource<DynamicType = ()> + Serialize>(stored: &P, wanted: &P) -> Result<Value, Error> {
    let json = |one: &P| {
        serde_json::to_value(one).map_err(|error| {
            let source = Box::new(kube::Error::SerdeError(error));
            Error::Kube { what: "publish", source }
        })
    };
    let (held, mut change) = (json(stored)?, json(wanted)?);
    change["metadata"] = json!({"resourceVersion": stored.resource_version(), "labels": wanted.labels()});
    let keys = held["data"].as_object().into_iter().flat_map(|data| data.keys());
    for key in keys {
        if change["data"].get(key).is_none() {
            change["data"][key] = Value::Null;
        }
    }
    Ok(change)
}

/// What is there under this name: another's, or ours, which the watch has not delivered yet or which has lost its
/// label.
async fn found<P>(api: &Api<P>, name: &str) -> Result<Option<P>, Unpublished>
where
    P: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let selected = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = call("look for what is published", api.list(&selected)).await.map_err(|error| failed(&error))?;
    Ok(found.items.into_iter().next())
}

async fn remove<P>(context: &Context, api: &Api<P>, stale: &P) -> Result<(), Unpublished>
where
    P: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    context.may_write().map_err(|error| failed(&error))?;
    let this_one = Preconditions { uid: stale.uid(), resource_version: None };
    let parameters = DeleteParams { preconditions: Some(this_one), ..DeleteParams::default() };
    settled(call("remove what was published", api.delete(&stale.name_any(), &parameters)).await.map(drop))
}

/// The metadata of what an object publishes: it goes with its owner, and never keeps it.
fn meta<K: Placed>(object: &K, name: &str) -> ObjectMeta {
    let mut owner = object.owner_ref(&());
    if let Some(owner) = &mut owner {
        K::KIND.clone_into(&mut owner.kind);
        owner.block_owner_deletion = None;
    }
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: object.namespace(),
        labels: Some([(LABEL.to_owned(), object.name_any())].into()),
        owner_references: owner.map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

/// What is refused because the namespace goes, or has changed meanwhile, settles by itself.
fn settled(written: Result<(), Error>) -> Result<(), Unpublished> {
    match written {
        Ok(()) | Err(Error::Terminating | Error::Gone | Error::Changed | Error::NotTheWriter) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &Error) -> Unpublished {
    let denied = matches!(error, Error::Kube { source, .. } if matches!(&**source, kube::Error::Api(status) if status.code == 403));
    if !denied {
        return Unpublished {
            passes: true,
            ..unpublished(Reason::UnexpectedError, &format!("publish: {error}; it is tried again"))
        };
    }
    let remedy = "bind the ClusterRole privatelink-operator-publishing to the operator by a ClusterRoleBinding";
    unpublished(Reason::PermissionDenied, &format!("publish: {error}; {remedy}"))
}

fn taken<P: Resource<DynamicType = ()>>(name: &str) -> Unpublished {
    let kind = P::kind(&());
    let field = if kind == "Service" { "publish.service.name" } else { "publish.configMap.name" };
    let message = format!(
        "{field}: there is a {kind} {name} that this object did not publish, and it is not touched: choose another \
         name, or remove it"
    );
    unpublished(Reason::OwnershipConflict, &message)
}

fn unpublished(reason: Reason, message: &str) -> Unpublished {
    Unpublished { reason, message: message.to_owned(), passes: false }
}

fn already_exists(error: &Error) -> bool {
    match error {
        Error::Changed => true,
        Error::Kube { source, .. } => matches!(&**source, kube::Error::Api(status) if status.is_already_exists()),
        _ => false,
    }
}
