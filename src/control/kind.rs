//! What one kind fills in so that the loop in [`super::reconcile`] can serve it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::core::NamespaceResourceScope;
use kube::runtime::reflector::Store;
use kube::{Api, Resource};
use privatelink_core::condition::Reason;
use privatelink_core::desired::Deletion;
use privatelink_core::id::{CloudId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::overlay::Laid;
use privatelink_core::plan::{Ground, Plan, Tries};
use privatelink_core::read::FacetKey;
use privatelink_core::status::{Common, Creation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::parse::Invalid;

use super::context::Context;
use super::events::Happening;
use super::own::Own;
use super::reach::Reached;
use super::relate::{Ours, Placed};
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
    /// Nobody's: others have yet to make it, and the object says that it waits for them.
    Awaited,
    /// Nobody's: it is being looked at, and the object is woken then.
    Soon,
    /// Nobody's: the object is being deleted, and nothing is to be done for it in the cloud.
    Moot,
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
            place: &K::reached(self.around).place,
            laid: self.laid,
            tries: self.tries,
            living: self.living,
            started: self.started,
            now: self.now,
        }
    }
}

/// A kind of objects that are brought about in a cloud.
pub trait Kind: Sized + Debug + Send + Sync + 'static {
    /// The object in Kubernetes.
    type Object: Ours
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

    /// The sort of cloud object that an object of this kind stands for; none, if it speaks of a part of another's.
    const STANDS_FOR: Option<Sort>;
    /// The sort of cloud objects whose lists show whether anything has changed for it.
    const SEEN_AMONG: Sort;

    /// What is watched of this kind.
    fn store(context: &Context) -> &Store<Guarded<Self::Object>>;

    /// Our own last writes of this kind.
    fn own(context: &Context) -> &Own<Self::Object>;

    /// Finds what the object refers to, in the stores and in what is known of its account.
    ///
    /// # Errors
    /// With what is missing, and for whom.
    fn dereference(context: &Context, object: &Self::Object, memory: &Self::Memory) -> Result<Self::Around, Unmet>;

    /// The object's account, and where it leads.
    fn reached(around: &Self::Around) -> &Reached;

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

    /// Whether something in the cloud is known to be as the object wants it, which goes on whatever becomes of the
    /// object's account.
    #[must_use]
    fn stands(memory: &Self::Memory) -> bool {
        Self::id(memory).is_some()
    }

    /// Whether a call for the object may ever have left, as far as was written down.
    fn may_exist(object: &Self::Object, memory: &Self::Memory) -> bool;

    /// Whether a status that was lost says again what may be in the cloud.
    fn is_found(object: &Self::Object, memory: &Self::Memory) -> bool {
        Self::may_exist(object, memory)
    }

    /// What happens in the cloud when the object is deleted.
    fn deletion(object: &Self::Object) -> Deletion;

    /// What stays in the cloud where the object goes without a call.
    fn left_behind(object: &Self::Object, memory: &Self::Memory) -> String;

    /// Decides. Pure.
    fn plan(turn: &Turn<'_, Self>) -> Plan;

    /// Says what is the case. Pure.
    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> Self::Memory;

    /// The parts that the status tells of, that no decision needs, and that nobody has looked at yet: they are
    /// looked at before the status is written, not after.
    #[must_use]
    fn untold(_: &Self::Memory, _: &Laid) -> Vec<FacetKey> {
        Vec::new()
    }

    /// The parts that a person who asks for a look wants to see as they are now.
    fn parts(around: &Self::Around, memory: &Self::Memory) -> Vec<FacetKey>;

    /// The parts on which the first decision under a new spec is not made from what was seen minutes ago.
    #[must_use]
    fn anew(_: &Self::Around) -> Vec<FacetKey> {
        Vec::new()
    }

    /// The status as the API has it, over the one that is there.
    fn status(memory: &Self::Memory, object: &Self::Object) -> Self::Status;

    /// The status that is there.
    fn current(object: &Self::Object) -> Option<&Self::Status>;

    /// The status without what merely counts: two that are equal so need not be told apart at once.
    fn without_counts(status: &Self::Status) -> Self::Status {
        status.clone()
    }

    /// What has happened between two statuses, beside what their conditions say.
    #[must_use]
    fn happenings(_: &Self::Memory, _: &Self::Memory) -> Vec<Happening> {
        Vec::new()
    }

    /// When what is declared ends by itself.
    #[must_use]
    fn ends(_: &Self::Desired) -> Option<Moment> {
        None
    }

    /// Whether a turn has decided what a person who asks for one wants decided.
    #[must_use]
    fn has_decided(_: &Plan) -> bool {
        true
    }

    /// When the status says something else although nothing has changed but the time.
    #[must_use]
    fn due(_: &Self::Memory, _: Moment) -> Option<Moment> {
        None
    }

    /// Where objects of this kind are written.
    fn api(context: &Context, namespace: &str) -> Api<Self::Object> {
        Api::namespaced(context.client.clone(), namespace)
    }

    /// The object's published data: written, or removed where it is no longer asked for. A message, where it
    /// cannot be.
    #[must_use]
    fn publish(
        _: &Context,
        _: &Self::Object,
        _: &Self::Memory,
    ) -> impl Future<Output = Result<(), super::publish::Unpublished>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A kind of objects that stand for cloud objects of their own.
pub trait Made: Kind<Object: Placed> {
    /// Where the cloud object was made, and how, as was written down.
    fn creation(memory: &Self::Memory) -> &Creation;
}

/// What stays in the cloud of an object that stood for this.
pub(super) fn left_tagged(id: Option<&impl std::fmt::Display>) -> String {
    let kept = id.map_or_else(|| "what was made".to_owned(), ToString::to_string);
    format!("{kept} stays in the cloud with our tags")
}
