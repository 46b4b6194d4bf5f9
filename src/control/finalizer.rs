//! The finalizer: it is on an object before anything is made for it, and goes when nothing is left.
//!
//! Both are JSON patches that test the uid first: an object of the same name that came after is not touched.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::error::{Error, call};

/// The one finalizer, on every kind.
pub const NAME: &str = "privatelink.dev/finalizer";

/// Whether the object carries it.
#[must_use]
pub fn is_on<K: Resource>(object: &K) -> bool {
    object.meta().finalizers.iter().flatten().any(|name| name == NAME)
}

/// Puts it on; the answer is the object with it.
///
/// # Errors
/// [`Error`]
pub async fn put_on<K>(api: &Api<K>, object: &K) -> Result<K, Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let add = if object.meta().finalizers.as_ref().is_none_or(Vec::is_empty) {
        json!({"op": "add", "path": "/metadata/finalizers", "value": [NAME]})
    } else {
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": NAME})
    };
    // The version, too: a list that somebody else has made or emptied meanwhile would be lost or refused.
    let version = json!({"op": "test", "path": "/metadata/resourceVersion", "value": object.resource_version()});
    patch(api, object, "add the finalizer", json!([version, add])).await
}

/// Takes it off; the object may be gone then.
///
/// # Errors
/// [`Error`]
pub async fn take_off<K>(api: &Api<K>, object: &K) -> Result<(), Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let Some(place) = object.meta().finalizers.iter().flatten().position(|name| name == NAME) else { return Ok(()) };
    let path = format!("/metadata/finalizers/{place}");
    let changes = json!([{"op": "test", "path": path, "value": NAME}, {"op": "remove", "path": path}]);
    match patch(api, object, "remove the finalizer", changes).await {
        Ok(_) | Err(Error::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn patch<K>(api: &Api<K>, object: &K, what: &'static str, changes: serde_json::Value) -> Result<K, Error>
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let mut all = vec![json!({"op": "test", "path": "/metadata/uid", "value": object.uid()})];
    all.extend(changes.as_array().cloned().unwrap_or_default());
    let operations = serde_json::from_value(all.into()).expect("these are operations of JSON Patch");
    let (name, parameters, patch) = (object.name_any(), PatchParams::default(), Patch::Json::<()>(operations));
    match call(what, api.patch(&name, &parameters, &patch)).await {
        // A test that fails: it is another object by now, or its list has moved.
        Err(Error::Kube { source, .. }) if is_invalid(&source) => Err(Error::Changed),
        answer => answer,
    }
}

fn is_invalid(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_invalid())
}
