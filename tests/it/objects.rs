//! The objects of one kind in one namespace: as their tenant applies, awaits and deletes them, and what they say.

use std::fmt::Debug;

use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams},
    core::NamespaceResourceScope,
};
use privatelink_operator::api::{
    CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment, shared::CommonStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::operator::{apply, becomes};

/// The annotation that asks for a look at once.
pub const RECONCILE: &str = "privatelink.dev/reconcile-requested-at";

/// An object with the status that all have.
pub trait Told: Resource<DynamicType = ()> + Clone + Debug + Send + Serialize + DeserializeOwned + 'static {
    fn common(&self) -> Option<&CommonStatus>;
}

/// An object of a tenant, in a namespace.
pub trait InNamespace: Told + Resource<Scope = NamespaceResourceScope> {
    /// It names its account; if not, that is the account of what it refers to.
    const NAMES_ACCOUNT: bool;
}

/// An object that stands for one in a cloud.
pub trait InCloud: InNamespace {
    /// The id that its status holds.
    fn held(&self) -> Option<&str>;
}

impl Told for CloudAccount {
    fn common(&self) -> Option<&CommonStatus> {
        self.status.as_ref().map(|status| &status.common)
    }
}

impl Told for EndpointService {
    fn common(&self) -> Option<&CommonStatus> {
        self.status.as_ref().map(|status| &status.common)
    }
}

impl Told for Endpoint {
    fn common(&self) -> Option<&CommonStatus> {
        self.status.as_ref().map(|status| &status.common)
    }
}

impl Told for WhitelistEntry {
    fn common(&self) -> Option<&CommonStatus> {
        self.status.as_ref().map(|status| &status.common)
    }
}

impl Told for ZoneResourceAssignment {
    fn common(&self) -> Option<&CommonStatus> {
        self.status.as_ref().map(|status| &status.common)
    }
}

impl InNamespace for EndpointService {
    const NAMES_ACCOUNT: bool = true;
}

impl InNamespace for Endpoint {
    const NAMES_ACCOUNT: bool = true;
}

impl InNamespace for WhitelistEntry {
    const NAMES_ACCOUNT: bool = false;
}

impl InNamespace for ZoneResourceAssignment {
    const NAMES_ACCOUNT: bool = false;
}

impl InCloud for EndpointService {
    fn held(&self) -> Option<&str> {
        self.status.as_ref()?.service_id.as_deref()
    }
}

impl InCloud for Endpoint {
    fn held(&self) -> Option<&str> {
        self.status.as_ref()?.endpoint_id.as_deref()
    }
}

/// The objects of one kind in one namespace, all of one account.
pub struct Objects<K> {
    /// Where they are, with the rights of their tenant.
    pub api: Api<K>,
    /// The namespace.
    pub namespace: String,
    /// The account's name.
    pub account: String,
}

impl<K: InNamespace> Objects<K> {
    /// Those that `client` may see in this namespace.
    pub fn of(client: Client, namespace: &str, account: &str) -> Self {
        let api = Api::namespaced(client, namespace);
        Self { api, namespace: namespace.to_owned(), account: account.to_owned() }
    }

    /// Applies one with this whole spec; what the last apply had and this one has not is removed.
    pub async fn apply(&self, name: &str, spec: &Value) {
        let mut spec = spec.clone();
        if K::NAMES_ACCOUNT {
            spec["accountRef"] = json!({"name": self.account});
        }
        let object = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": K::kind(&()),
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        });
        apply(&self.api, name, &object).await;
    }

    /// Applies one and waits until it is settled.
    pub async fn settled(&self, name: &str, spec: &Value) -> K {
        self.apply(name, spec).await;
        self.becomes(name, "settled", is_settled).await
    }

    /// Sets an annotation, or removes it.
    pub async fn annotate(&self, name: &str, key: &str, value: Option<&str>) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        self.api.patch(name, &PatchParams::default(), &patch).await.expect("it is annotated");
    }

    /// Changes one field of a spec by a patch, as a person does to an object that is being deleted.
    pub async fn patch(&self, name: &str, spec: &Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api.patch(name, &PatchParams::default(), &patch).await.expect("it is patched");
    }

    /// Waits until `test` holds for one that is there.
    pub async fn becomes(&self, name: &str, what: &str, test: impl Fn(&K) -> bool + Send) -> K {
        let held = becomes(self.api.clone(), name, what, move |object: Option<&K>| object.is_some_and(&test));
        held.await.expect("it is there")
    }

    /// Waits until its Ready condition says this; gives the message.
    pub async fn says(&self, name: &str, reason: &str) -> String {
        self.says_of(name, "Ready", reason).await
    }

    /// Waits until its Ready condition says this for a reason that others share: `test` holds for the message.
    pub async fn says_where(&self, name: &str, reason: &str, test: impl Fn(&str) -> bool + Send + Sync) {
        let says =
            |one: &K| looked_at(one) && said(one, "Ready").is_some_and(|(_, why, told)| why == reason && test(told));
        self.becomes(name, reason, says).await;
    }

    /// Waits until a condition says this of the spec of now; gives the message.
    pub async fn says_of(&self, name: &str, condition: &str, reason: &str) -> String {
        let says = |one: &K| looked_at(one) && said(one, condition).is_some_and(|(_, why, _)| why == reason);
        let held = self.becomes(name, reason, says).await;
        said(&held, condition).expect("it says so").2.to_owned()
    }

    /// Asks for a look at once, and waits until what came of it is settled.
    pub async fn looks_again(&self, name: &str, when: &str) -> K {
        self.annotate(name, RECONCILE, Some(when)).await;
        self.becomes(name, "looked at again", |one| handled(one) == Some(when) && is_settled(one)).await
    }

    /// Asks for a look at once, and waits until it was made, whatever came of it.
    pub async fn is_looked_at(&self, name: &str, when: &str) -> K {
        self.annotate(name, RECONCILE, Some(when)).await;
        self.becomes(name, "looked at", |one| handled(one) == Some(when)).await
    }

    /// Deletes one, without waiting for its end.
    pub async fn delete(&self, name: &str) {
        self.api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// Waits until one is gone.
    pub async fn is_gone(&self, name: &str) {
        becomes(self.api.clone(), name, "gone", |object: Option<&K>| object.is_none()).await;
    }

    /// Asks for a look at once at one that is being deleted, and waits until it is gone.
    pub async fn is_gone_soon(&self, name: &str) {
        self.annotate(name, RECONCILE, Some("the last has left")).await;
        self.is_gone(name).await;
    }

    /// Deletes one and waits until it is gone.
    pub async fn goes(&self, name: &str) {
        self.delete(name).await;
        self.is_gone(name).await;
    }
}

/// The id that a status holds.
pub fn id<K: InCloud>(object: &K) -> &str {
    object.held().expect("it has an id")
}

/// What a condition says: its status, reason and message.
pub fn said<'a, K: Told>(object: &'a K, condition: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let found = object.common()?.conditions.iter().find(|one| one.type_ == condition)?;
    Some((&found.status, &found.reason, &found.message))
}

/// The last request for a look that was acted on.
pub fn handled<K: Told>(object: &K) -> Option<&str> {
    object.common()?.last_handled_reconcile_at.as_deref()
}

/// The status speaks of the spec of now.
pub fn looked_at<K: Told>(object: &K) -> bool {
    object.common().map(|common| common.observed_generation) == object.meta().generation
}

/// Ready for the spec of now, with nothing under way.
pub fn is_settled<K: Told>(object: &K) -> bool {
    let ready = said(object, "Ready").is_some_and(|(status, ..)| status == "True");
    looked_at(object) && ready && said(object, "Reconciling").is_none()
}
