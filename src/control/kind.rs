//! What one kind fills in so that the loop in [`super::reconcile`] can serve it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::Store;
use kube::{Api, Resource};
use privatelink_core::condition::Reason;
use privatelink_core::id::CloudId;
use privatelink_core::moment::Moment;
use privatelink_core::overlay::Laid;
use privatelink_core::place::Place;
use privatelink_core::plan::{Ground, Plan, Tries};
use privatelink_core::read::FacetKey;
use privatelink_core::status::{Common, Creation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::parse::Invalid;

use super::context::Context;
use super::own::Own;
use super::relate::Placed;
use super::watch::Guarded;

/// What an object refers to and cannot have now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Why.
    pub reason: Reason,
    /// What is missing, and who can mend it.
    pub message: String,
    /// Whose fault it is.
    pub fault: Fault,
}

/// Whose fault it is that an object cannot have what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The object's own, such as a name that nobody has, or a permission that it lacks.
    Own,
    /// Another's, such as credentials that fail: it is said there, and not again in every object.
    Others,
    /// Nobody's: it is being looked at, and the object is woken then.
    Soon,
}

impl Unmet {
    /// It is being looked at.
    #[must_use]
    pub fn soon(message: &str) -> Self {
        Self { reason: Reason::Provisioning, message: message.to_owned(), fault: Fault::Soon }
    }
}

/// All that one turn of an object is decided from.
#[derive(Debug)]
pub struct Turn<'a, K: Kind> {
    /// What is declared.
    pub desired: &'a K::Desired,
    /// What was written down.
    pub memory: &'a K::Memory,
    /// What it refers to.
    pub around: &'a K::Around,
    /// What the cloud holds.
    pub laid: &'a Laid,
    /// What became of earlier steps.
    pub tries: &'a Tries,
    /// Uids of all objects of the kind that live.
    pub living: &'a BTreeSet<String>,
    /// Since when this process is the one that writes.
    pub started: Moment,
    /// Now.
    pub now: Moment,
}

impl<K: Kind> Turn<'_, K> {
    /// What every planner is told.
    pub(super) fn ground(&self) -> Ground<'_> {
        Ground {
            place: K::place(self.around),
            laid: self.laid,
            tries: self.tries,
            living: self.living,
            started: self.started,
            now: self.now,
        }
    }
}

/// A kind of objects that exist in a cloud.
pub trait Kind: Sized + Debug + Send + Sync + 'static {
    /// The object in Kubernetes.
    type Object: Placed
        + Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static;
    /// What it refers to, as far as planning needs it.
    type Around: Debug + Send + Sync;
    /// What it declares, parsed.
    type Desired: Debug + Send + Sync;
    /// Its status, as core has it.
    type Memory: Debug + Clone + Send + Sync;
    /// Its status, as the API has it.
    type Status: PartialEq + Clone + Serialize + Send + Sync;

    /// What is watched of this kind.
    fn store(context: &Context) -> &Store<Guarded<Self::Object>>;

    /// Our own last writes of this kind.
    fn own(context: &Context) -> &Own<Self::Object>;

    /// Finds what the object refers to, in the stores and in what is known of its account.
    ///
    /// # Errors
    /// With what is missing, and for whom.
    fn dereference(context: &Context, object: &Self::Object, memory: &Self::Memory) -> Result<Self::Around, Unmet>;

    /// Where the object's account leads.
    fn place(around: &Self::Around) -> &Place;

    /// How often the account's credentials have changed.
    fn epoch(around: &Self::Around) -> u64;

    /// Parses the spec.
    ///
    /// # Errors
    /// With the field and the remedy.
    fn parse(object: &Self::Object, around: &Self::Around) -> Result<Self::Desired, Invalid>;

    /// What was written down.
    fn memory(object: &Self::Object) -> Self::Memory;

    /// What was written down, in the part that all kinds have.
    fn common(memory: &mut Self::Memory) -> &mut Common;

    /// The cloud object that was written down.
    fn id(memory: &Self::Memory) -> Option<CloudId>;

    /// Where it was made, and how, as was written down.
    fn creation(memory: &Self::Memory) -> &Creation;

    /// Whether a call that makes something for the object may ever have left, as far as was written down.
    fn may_exist(memory: &Self::Memory) -> bool {
        let creation = Self::creation(memory);
        Self::id(memory).is_some() || creation.creating.is_some() || creation.account.is_some()
    }

    /// Decides. Pure.
    fn plan(turn: &Turn<'_, Self>) -> Plan;

    /// Says what is the case. Pure.
    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> Self::Memory;

    /// The parts that the status tells of, that no decision needs, and that nobody has looked at yet: they are
    /// looked at before the status is written, not after.
    fn untold(memory: &Self::Memory, laid: &Laid) -> Vec<FacetKey>;

    /// The parts that a person who asks for a look wants to see as they are now.
    fn parts(memory: &Self::Memory) -> Vec<FacetKey>;

    /// The status as the API has it, over the one that is there.
    fn status(memory: &Self::Memory, object: &Self::Object) -> Self::Status;

    /// The status that is there.
    fn current(object: &Self::Object) -> Option<&Self::Status>;

    /// The status without what merely counts: two that are equal so need not be told apart at once.
    fn without_counts(status: &Self::Status) -> Self::Status;

    /// Where objects of this kind are written.
    fn api(context: &Context, namespace: &str) -> Api<Self::Object> {
        Api::namespaced(context.client.clone(), namespace)
    }

    /// The object's published data: written, or removed where it is no longer asked for. A message, where it
    /// cannot be.
    fn publish(
        context: &Context,
        object: &Self::Object,
        memory: &Self::Memory,
    ) -> impl Future<Output = Result<(), super::publish::Unpublished>> + Send;
}
