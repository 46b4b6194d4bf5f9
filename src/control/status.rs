//! Writes statuses: whole, by server-side apply, and only over the copy that they were computed from.

use std::fmt::Debug;

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::error::{Error, call};

/// The field manager of all that the operator writes.
pub const MANAGER: &str = "privatelink-operator";

/// Writes the whole status over `object`; the answer is the object with it.
///
/// The resourceVersion goes with it, and is the only guard there is: a uid is not compared on `/status`. What
/// the status leaves out is removed, so a status computed from an old copy would erase what a newer one holds.
///
/// # Errors
/// [`Error::Changed`] where the object is not the copy any more; then nothing was written.
pub async fn write<K, S>(api: &Api<K>, object: &K, status: &S) -> Result<K, Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    S: Serialize + Sync,
{
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": object.name_any(), "resourceVersion": object.resource_version()},
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    call("write the status", api.patch_status(&object.name_any(), &parameters, &Patch::Apply(&patch))).await
}
