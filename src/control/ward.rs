//! What stands under a service: from an entry or an assignment to its service, and to where that lives.

use kube::Resource;
use privatelink_core::condition::Reason;
use privatelink_core::desired::Parent;

use crate::api::EndpointService;
use crate::api::parse;

use super::context::{Context, Name};
use super::finalizer;
use super::kind::{Fault, Unmet};
use super::reach::{self, Reached};
use super::relate;
use super::watch::Stores;

/// The service of this name, with our own last write of it.
#[must_use]
pub fn service(context: &Context, (namespace, name): &Name) -> Option<EndpointService> {
    let stored = Stores::get(&context.stores.services, namespace, name)?;
    Some(context.own.services.latest(stored))
}

/// What stands under a service as far as its object says, and where its account leads. `left_alone` says why an object
/// that is deleted goes without a call.
///
/// # Errors
/// With what is missing, and whose fault that is.
pub fn home<O: Resource>(
    context: &Context,
    object: &O,
    name: &Name,
    left_alone: impl FnOnce(&Parent) -> Option<String>,
) -> Result<(Reached, Parent), Unmet> {
    let deleting = object.meta().deletion_timestamp.is_some();
    let service = service(context, name);
    let absent = || format!("serviceRef: there is no EndpointService {} yet", name.1);
    let parent = service.as_ref().map_or_else(|| Parent::Absent(absent()), parse::parent::parent);
    if deleting && let Some(why) = left_alone(&parent) {
        let message = format!("nothing is changed in the cloud: {why}");
        return Err(Unmet { reason: Reason::Deleting, message, fault: Fault::Moot });
    }
    let Some(service) = service else {
        return Err(Unmet { reason: Reason::WaitingForService, message: absent(), fault: Fault::Awaited });
    };
    let account = relate::account_of(&service.spec.placement);
    // A call may leave before the status says anything of it, but not before the finalizer is on.
    let account = reach::account(context, account, object, finalizer::is_on(object))?;
    Ok((reach::lead(context, &account, deleting)?, parent))
}
