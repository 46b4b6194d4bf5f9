//! Who refers to whom, and who may: pure questions to what the stores hold.

use std::collections::{BTreeMap, BTreeSet};

use kube::core::{Expression, ObjectMeta, Selector, SelectorExt as _};
use kube::{Resource, ResourceExt as _};
use privatelink_core::claims::{self, Claimant};
use privatelink_core::desired::{Adoption, Served, Target};
use privatelink_core::id::{AccountId, EndpointId, Region, ServiceId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::state::LifeState;

use crate::api::account::{AllowedFrom, AllowedNamespaces};
use crate::api::endpoint::ServiceTarget;
use crate::api::parse::moment;
use crate::api::service::ConsumersFrom;
use crate::api::shared::{LabelOperator, NamespaceSelector, Placement};
use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};
use crate::object::ObjectKey;

use super::context::{self, Name};
use super::finalizer;

/// The account that is meant where none is named.
const DEFAULT_ACCOUNT: &str = "default";

/// Objects that are named in a message at most.
const NAMED: usize = 10;

/// Name of the account that an object refers to.
#[must_use]
pub fn account_of(placement: &Placement) -> &str {
    placement.account_ref.as_ref().map_or(DEFAULT_ACCOUNT, |account| &account.name)
}

/// Whether a namespace with these labels is let in; one that is not known has no labels.
#[must_use]
pub fn is_let_in(allowed: Option<&AllowedNamespaces>, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let Some(allowed) = allowed else { return false };
    match allowed.from {
        AllowedFrom::None => false,
        AllowedFrom::All => true,
        AllowedFrom::Names => allowed.names.iter().flatten().any(|name| name == namespace),
        AllowedFrom::Selector => allowed.selector.as_ref().is_some_and(|wanted| selector(wanted).matches(labels)),
    }
}

fn selector(wanted: &NamespaceSelector) -> Selector {
    let labels = wanted.match_labels.iter().flatten().map(|(key, value)| Expression::Equal(key.clone(), value.clone()));
    let expressions = wanted.match_expressions.iter().flatten().map(|expression| {
        let (key, values) = (expression.key.clone(), expression.values.iter().flatten().cloned().collect());
        match expression.operator {
            LabelOperator::In => Expression::In(key, values),
            LabelOperator::NotIn => Expression::NotIn(key, values),
            LabelOperator::Exists => Expression::Exists(key),
            LabelOperator::DoesNotExist => Expression::DoesNotExist(key),
        }
    });
    labels.chain(expressions).collect()
}

/// An object of ours.
pub trait Ours: Resource<DynamicType = ()> {
    /// The kind as manifests write it.
    const KIND: &'static str;
}

impl Ours for EndpointService {
    const KIND: &'static str = "EndpointService";
}

impl Ours for Endpoint {
    const KIND: &'static str = "Endpoint";
}

impl Ours for WhitelistEntry {
    const KIND: &'static str = "WhitelistEntry";
}

impl Ours for ZoneResourceAssignment {
    const KIND: &'static str = "ZoneResourceAssignment";
}

/// This very object, and no namesake that comes after it.
#[must_use]
pub fn key<K: Ours>(meta: &ObjectMeta) -> ObjectKey {
    ObjectKey {
        kind: K::KIND,
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
    }
}

/// An object that stands for a cloud object of an account.
pub trait Placed: Ours {
    /// The sort of the cloud object.
    const SORT: Sort;

    /// What every such object declares.
    fn placement(&self) -> &Placement;

    /// The id of the cloud object, as the status holds it.
    fn held(&self) -> Option<&str>;
}

impl Placed for EndpointService {
    const SORT: Sort = Sort::Service;

    fn placement(&self) -> &Placement {
        &self.spec.placement
    }

    fn held(&self) -> Option<&str> {
        self.status.as_ref()?.service_id.as_deref()
    }
}

impl Placed for Endpoint {
    const SORT: Sort = Sort::Endpoint;

    fn placement(&self) -> &Placement {
        &self.spec.placement
    }

    fn held(&self) -> Option<&str> {
        self.status.as_ref()?.endpoint_id.as_deref()
    }
}

/// Whether an object may take over what `adopt` names, where `account` lets it and no other object of the same
/// cloud account holds it.
#[must_use]
pub fn adoption<K: Placed>(
    object: &K,
    account: &CloudAccount,
    labels: &BTreeMap<String, String>,
    claimants: &[Claimant],
) -> Adoption {
    let Some(adopt) = &object.placement().adopt else { return Adoption::No };
    let id = K::SORT.with(&adopt.id);
    let has_it = object.held() == Some(adopt.id.as_str());
    let namespace = object.namespace().unwrap_or_default();
    if !has_it && !is_let_in(account.spec.adoption.as_ref(), &namespace, labels) {
        return Adoption::NotPermitted(id);
    }
    match claims::waiting(claimants).get(object.uid().unwrap_or_default().as_str()) {
        Some(holder) => Adoption::ClaimedBy(id, (*holder).to_owned()),
        None => Adoption::Yes(id),
    }
}

/// What an object claims of the account with this id: the cloud object that its status holds, or that it wants to
/// take over.
#[must_use]
pub fn claimant<K: Placed>(object: &K, account: AccountId) -> Option<Claimant> {
    let held = object.held();
    let wanted = object.placement().adopt.as_ref().map(|adopt| adopt.id.as_str());
    Some(Claimant {
        uid: object.uid()?,
        name: named(K::KIND, object),
        created: object.creation_timestamp().map_or(Moment::default(), |time| moment(time.0)),
        account,
        holds: held.is_some(),
        object: K::SORT.with(held.or(wanted)?),
    })
}

/// Whether the owner of a service lets objects of this namespace refer to it.
#[must_use]
pub fn lets_in(service: &EndpointService, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let own = service.namespace().as_deref() == Some(namespace);
    let Some(consumers) = &service.spec.consumer_namespaces else { return own };
    match consumers.from {
        ConsumersFrom::Same => own,
        ConsumersFrom::All => true,
        ConsumersFrom::Names => own || consumers.names.iter().flatten().any(|name| name == namespace),
        ConsumersFrom::Selector => {
            own || consumers.selector.as_ref().is_some_and(|wanted| selector(wanted).matches(labels))
        }
    }
}

/// Whether an endpoint is to reach this service of the cluster: by reference, or by the id or name that the cloud
/// gave it, which counts as one.
#[must_use]
pub fn refers_to(endpoint: &Endpoint, service: &EndpointService) -> bool {
    let target = &endpoint.spec.service;
    if let Some(reference) = &target.reference {
        let namespace = reference.namespace.clone().or_else(|| endpoint.namespace());
        return namespace == service.namespace() && reference.name == service.name_any();
    }
    let Some(status) = &service.status else { return false };
    let same = |wanted: &Option<String>, held: &Option<String>| wanted.is_some() && wanted == held;
    same(&target.id, &status.service_id) || same(&target.name, &status.service_name)
}

/// The service that an endpoint of `region` is to reach, as far as it is known. `service` is the one of this
/// cluster that is meant, if there is one.
#[must_use]
pub fn target(wanted: &ServiceTarget, service: Option<&EndpointService>, region: &Region) -> Target {
    let elsewhere = |other: Option<&str>| other.filter(|other| *other != region.as_str()).map(Region::from);
    let Some(reference) = &wanted.reference else {
        return Target::Known {
            id: wanted.id.as_deref().map(ServiceId::from),
            name: wanted.name.clone(),
            region: elsewhere(wanted.region.as_deref()),
        };
    };
    let Some(service) = service else {
        let place = reference.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        return Target::Awaited(format!("service.ref: there is no EndpointService {}{place} yet", reference.name));
    };
    let name = named("EndpointService", service);
    let status = service.status.as_ref();
    let Some(id) = status.and_then(|status| status.service_id.as_deref()) else {
        return Target::Awaited(format!("{name} has no service in the cloud yet: its own Ready condition says why"));
    };
    if service.meta().deletion_timestamp.is_some() {
        return Target::Awaited(format!("{name} is being deleted"));
    }
    let usable = matches!(status.and_then(|status| status.state.as_ref()), Some(LifeState::Active));
    if !usable {
        return Target::Awaited(format!("{name} is not active yet: its own Ready condition says why"));
    }
    let at = status.and_then(|status| status.creation.region.as_deref());
    Target::Known { id: Some(ServiceId::from(id)), name: None, region: elsewhere(at) }
}

/// An object that stands under a service of its namespace.
pub trait Ward: Ours + Sized {
    /// Name of the service, as the spec refers to it.
    fn service_ref(&self) -> &str;

    /// The service, by namespace and name.
    fn service(&self) -> Name {
        (self.namespace().unwrap_or_default(), self.service_ref().to_owned())
    }
}

impl Ward for WhitelistEntry {
    fn service_ref(&self) -> &str {
        &self.spec.service_ref.name
    }
}

impl Ward for ZoneResourceAssignment {
    fn service_ref(&self) -> &str {
        &self.spec.service_ref.name
    }
}

/// The Endpoint that an assignment refers to, by namespace and name.
#[must_use]
pub fn assigned(assignment: &ZoneResourceAssignment) -> Option<Name> {
    let reference = assignment.spec.endpoint.reference.as_ref()?;
    let namespace = reference.namespace.clone().or_else(|| assignment.namespace()).unwrap_or_default();
    Some((namespace, reference.name.clone()))
}

/// The endpoint, a zone of whose connection is assigned. `found` is the Endpoint that is referred to, if there is one,
/// and `service` the service of the assignment. Whether an Endpoint of another namespace exists is not told, unless it
/// joins this very service.
#[must_use]
pub fn served(
    assignment: &ZoneResourceAssignment,
    found: Option<&Endpoint>,
    service: Option<&EndpointService>,
) -> Served {
    if let Some(id) = &assignment.spec.endpoint.id {
        return Served::Known(EndpointId::from(id.as_str()));
    }
    let (namespace, name) = assigned(assignment).unwrap_or_default();
    let own = assignment.namespace().is_some_and(|own| own == namespace);
    let joins = |endpoint: &&Endpoint| service.is_some_and(|service| refers_to(endpoint, service));
    let Some(endpoint) = found.filter(|endpoint| own || joins(endpoint)) else {
        let what = format!("endpoint.ref: there is no Endpoint {namespace}/{name}");
        return if own {
            Served::Awaited(format!("{what} yet"))
        } else {
            Served::Missing(format!(
                "{what} that joins this service: correct the reference, or name the endpoint by id"
            ))
        };
    };
    // An Endpoint that has lost its status finds its endpoint again, and what is pinned of that stays so meanwhile.
    let remembered = || assignment.status.as_ref()?.endpoint_id.as_deref();
    match endpoint.held().or_else(remembered) {
        Some(id) => Served::Known(EndpointId::from(id)),
        None => Served::Awaited(format!(
            "{} has no endpoint in the cloud yet: its own Ready condition says why",
            named(Endpoint::KIND, endpoint)
        )),
    }
}

/// The objects that keep an account: those that refer to it and carry our finalizer, since something of theirs
/// may be in the cloud; what stands under a service refers to the account of that.
#[must_use]
pub fn holders(
    account: &str,
    services: &[EndpointService],
    endpoints: &[Endpoint],
    entries: &[WhitelistEntry],
    assignments: &[ZoneResourceAssignment],
) -> Vec<String> {
    let refers = |placement: &Placement| account_of(placement) == account;
    let own: BTreeSet<Name> =
        services.iter().filter(|service| refers(&service.spec.placement)).map(context::name).collect();
    let mut holders: Vec<String> = services
        .iter()
        .filter(|service| refers(&service.spec.placement) && finalizer::is_on(*service))
        .map(|service| named("EndpointService", service))
        .collect();
    let endpoints = endpoints.iter().filter(|one| refers(&one.spec.placement) && finalizer::is_on(*one));
    holders.extend(endpoints.map(|one| named("Endpoint", one)));
    holders.extend(wards(entries, &own));
    holders.extend(wards(assignments, &own));
    holders.sort();
    holders
}

fn wards<W: Ward>(all: &[W], services: &BTreeSet<Name>) -> Vec<String> {
    let kept = all.iter().filter(|ward| finalizer::is_on(*ward) && services.contains(&ward.service()));
    kept.map(|ward| named(W::KIND, ward)).collect()
}

fn named<K: Resource>(kind: &str, object: &K) -> String {
    format!("{kind} {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// A list for a message: the first few, and how many more there are.
#[must_use]
pub fn listed(names: &[String]) -> String {
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{first} and {} more", names.len() - NAMED) } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn allowed(value: Value) -> AllowedNamespaces {
        serde_json::from_value(value).expect("allowed namespaces")
    }

    fn service(name: &str, created: &str, spec: &Value, status: &Value, finalizers: &[&str]) -> EndpointService {
        serde_json::from_value(json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {
                "name": name, "namespace": "team", "uid": name, "creationTimestamp": created,
                "finalizers": finalizers,
            },
            "spec": spec, "status": status,
        }))
        .expect("a service")
    }

    fn account(adoption: &Value) -> CloudAccount {
        serde_json::from_value(json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": "prod"},
            "spec": {
                "alibaba": {}, "region": "cn-hangzhou", "credentials": {"environment": {}}, "adoption": adoption,
            },
        }))
        .expect("an account")
    }

    #[test]
    fn namespaces_are_let_in_by_name_or_by_their_labels_of_now() {
        let labels: BTreeMap<_, _> = [("tier".to_owned(), "gold".to_owned())].into();
        for (rule, expected) in [
            (json!({"from": "None"}), false),
            (json!({"from": "All"}), true),
            (json!({"from": "Names", "names": ["team"]}), true),
            (json!({"from": "Names", "names": ["other"]}), false),
            (json!({"from": "Selector", "selector": {"matchLabels": {"tier": "gold"}}}), true),
            (json!({"from": "Selector", "selector": {"matchLabels": {"tier": "tin"}}}), false),
            (
                json!({"from": "Selector", "selector": {"matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["gold", "tin"]},
                    {"key": "blocked", "operator": "DoesNotExist"},
                ]}}),
                true,
            ),
            (
                json!({"from": "Selector", "selector": {"matchExpressions": [
                    {"key": "tier", "operator": "NotIn", "values": ["gold"]},
                ]}}),
                false,
            ),
            (
                json!({"from": "Selector", "selector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}),
                true,
            ),
        ] {
            assert_eq!(is_let_in(Some(&allowed(rule.clone())), "team", &labels), expected, "{rule}");
        }
        assert!(!is_let_in(None, "team", &labels));
    }

    #[test]
    fn of_several_that_adopt_the_same_the_holder_decides_else_the_oldest() {
        let spec = json!({"accountRef": {"name": "prod"}, "adopt": {"id": "epsrv-1"}, "managementPolicy": "Observe"});
        let old = service("old", "2026-01-01T00:00:00Z", &spec, &Value::Null, &[]);
        let new = service("new", "2026-01-02T00:00:00Z", &spec, &Value::Null, &[]);
        let held = service("held", "2026-01-03T00:00:00Z", &spec, &json!({"serviceId": "epsrv-1"}), &[]);
        let prod = account(&json!({"from": "All"}));
        let labels = BTreeMap::new();
        let id = || Sort::Service.with("epsrv-1");
        let claim = |one: &EndpointService| claimant(one, AccountId::from("1")).expect("it claims something");
        let two = [claim(&old), claim(&new)];
        let three = [claim(&old), claim(&new), claim(&held)];
        assert_eq!(adoption(&old, &prod, &labels, &two), Adoption::Yes(id()));
        let claimed = |name: &str| Adoption::ClaimedBy(id(), format!("EndpointService team/{name}"));
        assert_eq!(adoption(&new, &prod, &labels, &two), claimed("old"));
        assert_eq!(adoption(&old, &prod, &labels, &three), claimed("held"));
        assert_eq!(adoption(&held, &prod, &labels, &three), Adoption::Yes(id()));
        let closed = account(&Value::Null);
        assert_eq!(adoption(&old, &closed, &labels, &two), Adoption::NotPermitted(id()));
        assert_eq!(adoption(&held, &closed, &labels, &three), Adoption::Yes(id()), "what is adopted stays so");
    }

    #[test]
    fn an_account_is_held_by_what_may_be_in_its_cloud() {
        let spec = json!({"accountRef": {"name": "prod"}, "managementPolicy": "Observe", "adopt": {"id": "epsrv-1"}});
        let services = [
            service("made", "2026-01-01T00:00:00Z", &spec, &Value::Null, &[finalizer::NAME]),
            service("planned", "2026-01-01T00:00:00Z", &spec, &Value::Null, &["example.com/other"]),
        ];
        let entry = |name: &str, of: &str| -> WhitelistEntry {
            serde_json::from_value(json!({
                "apiVersion": "privatelink.dev/v1alpha1", "kind": "WhitelistEntry",
                "metadata": {"name": name, "namespace": "team", "finalizers": [finalizer::NAME]},
                "spec": {"serviceRef": {"name": of}, "principal": "12345"},
            }))
            .expect("an entry")
        };
        let entries = [entry("a", "made"), entry("b", "elsewhere")];
        let held = holders("prod", &services, &[], &entries, &[]);
        assert_eq!(held, ["EndpointService team/made", "WhitelistEntry team/a"]);
        assert_eq!(holders("test", &services, &[], &entries, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..12).map(|at| at.to_string()).collect();
        assert_eq!(listed(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
        assert_eq!(listed(&names[..2]), "0, 1");
    }
}
