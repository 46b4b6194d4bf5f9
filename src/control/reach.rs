//! From an object to the account that it may use, and to where that leads.

use kube::{Resource, ResourceExt as _};
use privatelink_core::claims::Claimant;
use privatelink_core::condition::Reason;
use privatelink_core::desired::Adoption;
use privatelink_core::place::Place;

use crate::api::CloudAccount;
use crate::api::parse::Surroundings;

use super::context::Context;
use super::kind::{Fault, Made, Unmet};
use super::relate::{self, Placed};
use super::watch::Stores;

/// An account, and where it leads.
#[derive(Debug)]
pub struct Reached {
    /// Name of the `CloudAccount`.
    pub account: String,
    /// The place.
    pub place: Place,
    /// How often the account's credentials have changed.
    pub epoch: u64,
}

/// Finds where an object's account leads, if it may use it and it can be used, and what the manifest alone does not
/// say.
///
/// # Errors
/// With what is missing, and whose fault that is.
pub fn reach<K: Made>(
    context: &Context,
    object: &K::Object,
    memory: &K::Memory,
) -> Result<(Reached, Surroundings), Unmet> {
    let exists = K::may_exist(object, memory);
    let account = account(context, relate::account_of(object.placement()), object, exists)?;
    let reached = lead(context, &account, object.meta().deletion_timestamp.is_some())?;
    let place = &reached.place;
    let adoption = if object.placement().adopt.is_some() {
        let labels = context.labels(&object.namespace().unwrap_or_default());
        relate::adoption(object, &account, &labels, &claimants::<K>(context))
    } else {
        Adoption::No
    };
    let surroundings =
        Surroundings { cluster: context.cluster.clone(), cloud: place.cloud, region: place.region.clone(), adoption };
    Ok((reached, surroundings))
}

/// Where an account leads, if it can be used; what is being deleted is served wherever it still does.
///
/// # Errors
/// With what is missing, and whose fault that is.
pub fn lead(context: &Context, account: &CloudAccount, deleting: bool) -> Result<Reached, Unmet> {
    let name = account.name_any();
    let standing = context.standings.of(&name).ok_or_else(|| Unmet::soon("its CloudAccount is being looked at"))?;
    let place = match (standing.place, standing.trouble) {
        (Some(place), None) => place,
        (Some(place), Some(_)) if deleting => place,
        (_, Some((reason, _))) => {
            return Err(Unmet {
                reason,
                // The account says it once for all its objects, and to those who may mend it.
                message: format!("CloudAccount {name} is not usable: its own Ready condition says why"),
                fault: Fault::Others,
            });
        }
        (None, None) => return Err(Unmet::soon("its CloudAccount is being looked at")),
    };
    Ok(Reached { account: name, place, epoch: standing.epoch })
}

/// What all objects of a kind claim, of the accounts that their `CloudAccounts` lead to.
fn claimants<K: Made>(context: &Context) -> Vec<Claimant> {
    Stores::each(K::store(context), |object| {
        let place = context.place_of(object.placement())?;
        relate::claimant(&K::own(context).latest(object.clone()), place.account)
    })
}

/// The account of this name, if the object, for which a call may have left (`exists`), may use it: a namespace that is
/// not let in has its objects frozen, and an account that is being deleted takes no new one; both serve deletions.
///
/// # Errors
/// With what is missing, and whose fault that is.
pub fn account<O: Resource>(context: &Context, name: &str, object: &O, exists: bool) -> Result<CloudAccount, Unmet> {
    let own = |reason, message| Unmet { reason, message, fault: Fault::Own };
    let account = Stores::get(&context.stores.accounts, "", name).ok_or_else(|| {
        let message = format!("accountRef: there is no CloudAccount {name}: create it, or correct the name");
        own(Reason::ReferenceNotFound, message)
    })?;
    if object.meta().deletion_timestamp.is_some() {
        return Ok(account);
    }
    let namespace = object.namespace().unwrap_or_default();
    if !relate::is_let_in(account.spec.allowed_namespaces.as_ref(), &namespace, &context.labels(&namespace)) {
        let message = format!(
            "accountRef: CloudAccount {name} does not let namespace {namespace} use it: ask its administrator to add it \
             to allowedNamespaces"
        );
        return Err(own(Reason::AccountNotPermitted, message));
    }
    if account.meta().deletion_timestamp.is_some() && !exists {
        let message = format!(
            "accountRef: CloudAccount {name} is being deleted and takes no new object: create the object with another \
             account, or the account again once it is gone"
        );
        return Err(own(Reason::AccountNotPermitted, message));
    }
    Ok(account)
}
