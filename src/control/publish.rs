//! Hand-over data for applications: one ConfigMap an object, ours by its owner, and nobody else's ever touched.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Resource, ResourceExt as _};
use privatelink_core::condition::Reason;
use privatelink_core::place::Cloud;
use privatelink_core::status::ServiceStatus;

use crate::api::EndpointServiceSpec;
use crate::api::service::Protocol;

use super::context::Context;
use super::error::{Error, call};
use super::status::MANAGER;

/// The label of all that is published; its value is the name of the object that published it.
pub const LABEL: &str = "privatelink.dev/published-by";

/// Why nothing is published: a sentence for the object's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// Why.
    pub reason: Reason,
    /// What is in the way, and the remedy.
    pub message: String,
}

/// What a consumer of a service must know. The keys are part of the API.
#[must_use]
pub fn handover(cloud: Cloud, spec: &EndpointServiceSpec, status: &ServiceStatus) -> BTreeMap<String, String> {
    let handover = spec.handover.as_ref();
    let zones: Vec<&str> = status.zones.iter().map(privatelink_core::id::Zone::as_str).collect();
    let mut ports = String::new();
    for port in handover.and_then(|handover| handover.ports.as_ref()).into_iter().flatten() {
        let protocol = match port.protocol {
            Some(Protocol::UDP) => "UDP",
            Some(Protocol::TCP) | None => "TCP",
        };
        writeln!(ports, "{}:{}/{protocol}", port.name, port.port).expect("a String takes all that is written to it");
    }
    let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        ("cloud", cloud.as_str().to_owned()),
        ("region", of(status.region.as_ref().map(privatelink_core::id::Region::as_str))),
        ("accountId", of(status.account.as_ref().map(privatelink_core::id::AccountId::as_str))),
        ("serviceId", of(status.service_id.as_ref().map(privatelink_core::id::ServiceId::as_str))),
        ("serviceName", of(status.service_name.as_deref())),
        ("serviceDomain", of(status.service_domain.as_deref())),
        ("zones", zones.join(",")),
        ("ports", ports.trim_end().to_owned()),
        ("notes", of(handover.and_then(|handover| handover.notes.as_deref()))),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Makes the object's ConfigMap hold `data` under `name`, and removes one of another name; without a name none
/// is left. Nothing is published before there is something to hand over.
///
/// # Errors
/// With the reason and the remedy, where it cannot be.
pub async fn config_map<K>(
    context: &Context,
    kind: &'static str,
    object: &K,
    name: Option<&str>,
    data: BTreeMap<String, String>,
) -> Result<(), Unpublished>
where
    K: Resource<DynamicType = ()> + Sync,
{
    let Some(store) = &context.published else {
        return match name {
            None => Ok(()),
            Some(_) => Err(unpublished(
                Reason::InvalidSpec,
                "publish: the operator does not publish: ask its administrator to start it with --publish, or remove publish",
            )),
        };
    };
    let namespace = object.namespace().unwrap_or_default();
    let api = Api::<ConfigMap>::namespaced(context.client.clone(), &namespace);
    let is_ours =
        |one: &ConfigMap| one.owner_references().iter().any(|owner| Some(&owner.uid) == object.meta().uid.as_ref());
    for stale in store.state() {
        if stale.namespace().as_ref() == Some(&namespace) && is_ours(&stale) && Some(stale.name_any().as_str()) != name
        {
            remove(context, &api, &stale).await?;
        }
    }
    let Some(name) = name else { return Ok(()) };
    if data.get("serviceId").is_none_or(String::is_empty) {
        return Ok(());
    }
    let stored = store.get(&ObjectRef::new(name).within(&namespace));
    let mut wanted = wanted(kind, object, name, data);
    context.may_write().map_err(|error| failed(&error))?;
    match stored {
        Some(stored) if !is_ours(&stored) => Err(taken(name)),
        Some(stored) if holds(&stored, &wanted) => Ok(()),
        Some(stored) => {
            wanted.metadata.resource_version = stored.resource_version();
            let parameters = PatchParams::apply(MANAGER).force();
            let applied = call("publish", api.patch(name, &parameters, &Patch::Apply(&wanted))).await;
            settled(applied.map(drop))
        }
        // A create never writes over what is there already.
        None => match call(
            "publish",
            api.create(&PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }, &wanted),
        )
        .await
        {
            Ok(_) => Ok(()),
            Err(Error::Kube { source, .. }) if already_exists(&source) => not_ours_yet(&api, name, is_ours).await,
            Err(Error::Changed) => not_ours_yet(&api, name, is_ours).await,
            Err(error) => settled(Err(error)),
        },
    }
}

/// There is one already: ours, which the watch has not delivered yet, or another's.
async fn not_ours_yet(
    api: &Api<ConfigMap>,
    name: &str,
    is_ours: impl Fn(&ConfigMap) -> bool,
) -> Result<(), Unpublished> {
    let selected = kube::api::ListParams::default().fields(&format!("metadata.name={name}"));
    let found = call("look for the ConfigMap", api.list(&selected)).await.map_err(|error| failed(&error))?;
    if found.items.iter().all(is_ours) { Ok(()) } else { Err(taken(name)) }
}

async fn remove(context: &Context, api: &Api<ConfigMap>, stale: &ConfigMap) -> Result<(), Unpublished> {
    context.may_write().map_err(|error| failed(&error))?;
    let this_one = Preconditions { uid: stale.uid(), resource_version: None };
    let parameters = DeleteParams { preconditions: Some(this_one), ..DeleteParams::default() };
    settled(call("remove what was published", api.delete(&stale.name_any(), &parameters)).await.map(drop))
}

fn wanted<K: Resource<DynamicType = ()>>(
    kind: &'static str,
    object: &K,
    name: &str,
    data: BTreeMap<String, String>,
) -> ConfigMap {
    let mut owner = object.owner_ref(&());
    if let Some(owner) = &mut owner {
        kind.clone_into(&mut owner.kind);
        // It goes with its owner, and never keeps it.
        owner.block_owner_deletion = None;
    }
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: object.namespace(),
            labels: Some([(LABEL.to_owned(), object.name_any())].into()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..ConfigMap::default()
    }
}

fn holds(stored: &ConfigMap, wanted: &ConfigMap) -> bool {
    stored.data == wanted.data && stored.labels().get(LABEL) == wanted.labels().get(LABEL)
}

/// What is refused because the namespace goes, or has changed meanwhile, settles by itself.
fn settled(written: Result<(), Error>) -> Result<(), Unpublished> {
    match written {
        Ok(()) | Err(Error::Terminating | Error::Gone | Error::Changed | Error::NotTheWriter) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &Error) -> Unpublished {
    let remedy = "bind the ClusterRole privatelink-operator-publishing to the operator in this namespace";
    unpublished(Reason::PermissionDenied, &format!("publish: {error}; if a right is missing, {remedy}"))
}

fn taken(name: &str) -> Unpublished {
    let message = format!(
        "publish.configMap.name: there is a ConfigMap {name} that this object did not publish, and it is not touched: \
         choose another name, or remove it"
    );
    unpublished(Reason::OwnershipConflict, &message)
}

fn unpublished(reason: Reason, message: &str) -> Unpublished {
    Unpublished { reason, message: message.to_owned() }
}

fn already_exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_already_exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use privatelink_core::id::{AccountId, Region, ServiceId, Zone};
    use serde_json::json;

    #[test]
    fn the_keys_are_those_of_the_api_whether_filled_or_not() {
        let spec: EndpointServiceSpec = serde_json::from_value(json!({
            "handover": {
                "ports": [{"name": "mqtt", "port": 1883}, {"name": "dns", "port": 53, "protocol": "UDP"}],
                "notes": "ask first",
            },
        }))
        .expect("a spec");
        let status = ServiceStatus {
            account: Some(AccountId::from("1")),
            region: Some(Region::from("cn-hangzhou")),
            service_id: Some(ServiceId::from("epsrv-1")),
            service_name: Some("com.example".to_owned()),
            zones: [Zone::from("b"), Zone::from("a")].into(),
            ..ServiceStatus::default()
        };
        let data = handover(Cloud::Alibaba, &spec, &status);
        let expected = [
            ("accountId", "1"),
            ("cloud", "alibaba"),
            ("notes", "ask first"),
            ("ports", "mqtt:1883/TCP\ndns:53/UDP"),
            ("region", "cn-hangzhou"),
            ("serviceDomain", ""),
            ("serviceId", "epsrv-1"),
            ("serviceName", "com.example"),
            ("zones", "a,b"),
        ];
        assert_eq!(data, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }
}
