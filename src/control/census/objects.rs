//! Objects by kind, and what they say of being ready.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource;
use kube::runtime::reflector::Store;
use privatelink_core::condition::{ConditionType, Reason};

use crate::api::shared::CommonStatus;
use crate::control::watch::{Guarded, Stores};

/// Kind, whether it is ready, and why: each a word of a closed list.
pub type State = [(&'static str, &'static str); 3];

/// How many objects are in each state.
pub fn count(stores: &Stores) -> BTreeMap<State, usize> {
    let mut counts = BTreeMap::new();
    let mut add = |kind, states: Vec<(&'static str, &'static str)>| {
        for (ready, reason) in states {
            *counts.entry([("kind", kind), ("ready", ready), ("reason", reason)]).or_default() += 1;
        }
    };
    add("CloudAccount", states(&stores.accounts, |one| one.status.as_ref().map(|status| &status.common)));
    add("EndpointService", states(&stores.services, |one| one.status.as_ref().map(|status| &status.common)));
    add("Endpoint", states(&stores.endpoints, |one| one.status.as_ref().map(|status| &status.common)));
    add("WhitelistEntry", states(&stores.entries, |one| one.status.as_ref().map(|status| &status.common)));
    add("ZoneResourceAssignment", states(&stores.assignments, |one| one.status.as_ref().map(|status| &status.common)));
    counts
}

fn states<K>(store: &Store<Guarded<K>>, status: fn(&K) -> Option<&CommonStatus>) -> Vec<(&'static str, &'static str)>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let state = |guarded: &Guarded<K>| match &guarded.0 {
        Ok(object) => said(ready(status(object))),
        Err(_) => ("unknown", Reason::InvalidSpec.as_str()),
    };
    store.state().iter().map(|guarded| state(guarded)).collect()
}

/// What a status says of being ready.
pub fn ready(status: Option<&CommonStatus>) -> Option<&Condition> {
    status?.conditions.iter().find(|condition| condition.type_ == ConditionType::Ready.as_str())
}

/// The reason of a status for not being ready, or for being it.
pub fn reason(status: &CommonStatus) -> Option<Reason> {
    ready(Some(status))?.reason.parse().ok()
}

fn said(ready: Option<&Condition>) -> (&'static str, &'static str) {
    // Nobody has looked at it yet.
    let Some(ready) = ready else { return ("unknown", "") };
    let truth = match ready.status.as_str() {
        "True" => "true",
        "False" => "false",
        _ => "unknown",
    };
    // A word of another version is none of the list.
    (truth, ready.reason.parse().map_or("other", Reason::as_str))
}
