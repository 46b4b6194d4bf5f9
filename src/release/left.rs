//! What stays in the cloud of an object that goes without a call: told from its status, since nobody asks the cloud.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use kube::api::DynamicObject;
use privatelink_core::owner;
use privatelink_core::state::ClaimState;
use serde::de::DeserializeOwned;

use crate::api::shared::{CommonStatus, CreationStatus};
use crate::api::whitelist::ConnectionStatus;
use crate::api::zone::ZoneSide;
use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// What stays, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The account in the cloud; empty, if nobody has written it down.
    pub account: String,
    /// The region; empty, if nobody has written it down.
    pub region: String,
    /// What stays there.
    pub stays: String,
}

/// What others have to say of an object: an entry and an assignment are parts of a service.
#[derive(Clone, Debug, Default)]
pub struct Around {
    services: BTreeMap<(String, String), EndpointService>,
    endpoints: BTreeMap<(String, String), Endpoint>,
}

impl Around {
    /// Remembers what is there; what cannot be read says nothing.
    pub fn learn(&mut self, kind: &str, object: &DynamicObject) {
        let key = (object.namespace().unwrap_or_default(), object.name_any());
        match kind {
            "EndpointService" => {
                if let Ok(service) = read(object) {
                    self.services.insert(key, service);
                }
            }
            "Endpoint" => {
                if let Ok(endpoint) = read(object) {
                    self.endpoints.insert(key, endpoint);
                }
            }
            _ => {}
        }
    }

    /// The service of this name: how it is called, and where it is.
    fn service(&self, namespace: &str, name: &str) -> (String, Left) {
        let status = self.services.get(&(namespace.to_owned(), name.to_owned())).and_then(|one| one.status.as_ref());
        let id = status.and_then(|status| status.service_id.clone());
        let place = status.map_or_else(Left::default, |status| at(&status.creation));
        (id.unwrap_or_else(|| format!("the service of EndpointService {namespace}/{name}")), place)
    }

    /// The id of the endpoint of this name, or how else it is called.
    fn endpoint(&self, namespace: &str, name: &str) -> String {
        let key = (namespace.to_owned(), name.to_owned());
        let id = self.endpoints.get(&key).and_then(|one| one.status.as_ref()?.endpoint_id.clone());
        id.unwrap_or_else(|| format!("the endpoint of Endpoint {namespace}/{name}"))
    }
}

/// What stays of an object of this kind.
#[must_use]
pub fn of(kind: &str, object: &DynamicObject, around: &Around) -> Left {
    let told = match kind {
        "EndpointService" => read(object).map(|one| of_service(object, &one)),
        "Endpoint" => read(object).map(|one| of_endpoint(object, &one)),
        "WhitelistEntry" => read(object).map(|one| of_entry(object, &one, around)),
        "ZoneResourceAssignment" => read(object).map(|one| of_assignment(object, &one, around)),
        _ => read(object).map(|one| of_account(&one)),
    };
    told.unwrap_or_else(|error| Left {
        stays: format!("it cannot be read ({error}): {}", by_tag(object)),
        ..Left::default()
    })
}

fn of_service(object: &DynamicObject, service: &EndpointService) -> Left {
    let Some(status) = &service.status else { return unlooked(object) };
    let Some(id) = &status.service_id else { return unmade(object, &status.common, &status.creation) };
    let mut stays = vec![id.clone()];
    let attached = status.resources.iter().map(|one| within(&one.id, one.zone.as_deref()));
    stays.extend(list("attached: ", attached));
    if let Some(counts) = status.connection_counts.filter(|counts| counts.total > 0) {
        stays.push(format!("connections: {}", counts.total));
    }
    Left { stays: stays.join("; "), ..at(&status.creation) }
}

fn of_endpoint(object: &DynamicObject, endpoint: &Endpoint) -> Left {
    let Some(status) = &endpoint.status else { return unlooked(object) };
    let Some(id) = &status.endpoint_id else { return unmade(object, &status.common, &status.creation) };
    let service = status.service_id.as_ref().map_or_else(String::new, |service| format!(" of {service}"));
    let mut stays = vec![format!("{id}{service}")];
    let interfaces =
        status.zones.iter().filter_map(|one| Some(within(one.interface_id.as_ref()?, one.zone.as_deref())));
    stays.extend(list("interfaces: ", interfaces));
    Left { stays: stays.join("; "), ..at(&status.creation) }
}

fn of_entry(object: &DynamicObject, entry: &WhitelistEntry, around: &Around) -> Left {
    let (service, place) = around.service(&object.namespace().unwrap_or_default(), &entry.spec.service_ref.name);
    let principal = &entry.spec.principal;
    let Some(status) = &entry.status else { return Left { stays: unlooked(object).stays, ..place } };
    if status.claim == Some(ClaimState::Waiting) {
        return Left { stays: format!("nothing of its own: another entry decides on {principal}"), ..place };
    }
    let allowed = match status.allowed {
        Some(true) => format!("{principal} on the list of {service}"),
        Some(false) => format!("{principal} is not on the list of {service}"),
        None => format!("{principal}, if it is on the list of {service}"),
    };
    let connection = |one: &ConnectionStatus| format!("{} ({})", one.endpoint_id, one.state);
    let mut stays = vec![allowed];
    stays.extend(list("connections: ", status.connections.iter().map(connection)));
    if status.truncated == Some(true) {
        stays.push("and more connections".to_owned());
    }
    Left { stays: stays.join("; "), ..place }
}

fn of_assignment(object: &DynamicObject, assignment: &ZoneResourceAssignment, around: &Around) -> Left {
    let (spec, namespace) = (&assignment.spec, object.namespace().unwrap_or_default());
    let (_, place) = around.service(&namespace, &spec.service_ref.name);
    let Some(status) = &assignment.status else { return Left { stays: unlooked(object).stays, ..place } };
    if status.claim == Some(ClaimState::Waiting) {
        return Left { stays: format!("nothing of its own: another one decides on {}", spec.zone), ..place };
    }
    let named = spec.endpoint.reference.as_ref().map(|of| {
        let namespace = of.namespace.as_deref().unwrap_or(&namespace);
        around.endpoint(namespace, &of.name)
    });
    let endpoint = status.endpoint_id.clone().or_else(|| spec.endpoint.id.clone()).or(named).unwrap_or_default();
    let side = |side: &ZoneSide| Some(within(side.resource_id.as_ref()?, side.interface_id.as_deref()));
    let mut stays = vec![format!("{} of {endpoint}", spec.zone)];
    stays.extend(list("served by ", status.current.iter().filter_map(side)));
    stays.extend(list("still open: ", status.replaced.iter().filter_map(side)));
    Left { stays: stays.join("; "), ..place }
}

fn of_account(account: &CloudAccount) -> Left {
    let id = account.status.as_ref().and_then(|status| status.account_id.clone());
    Left {
        account: id.unwrap_or_default(),
        region: account.spec.region.clone(),
        stays: "nothing of its own".to_owned(),
    }
}

/// Nothing is known to be in the cloud.
fn unmade(object: &DynamicObject, common: &CommonStatus, creation: &CreationStatus) -> Left {
    let stays = match &creation.creating {
        Some(begun) => format!("perhaps what was asked for at {}: {}", begun.at.0, by_tag(object)),
        None if common.observed_generation < 0 => return unlooked(object),
        None => "nothing: none was made".to_owned(),
    };
    Left { stays, ..at(creation) }
}

fn unlooked(object: &DynamicObject) -> Left {
    Left { stays: format!("its status says nothing: {}", by_tag(object)), ..Left::default() }
}

/// How whatever belongs to the object is found in the cloud.
fn by_tag(object: &DynamicObject) -> String {
    format!("look in the cloud for the tag {}={}", owner::UID, object.uid().unwrap_or_default())
}

fn at(creation: &CreationStatus) -> Left {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Left { account: text(&creation.account_id), region: text(&creation.region), stays: String::new() }
}

fn within(what: &str, place: Option<&str>) -> String {
    place.map_or_else(|| what.to_owned(), |place| format!("{what} ({place})"))
}

fn list(what: &str, of: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = of.collect();
    (!all.is_empty()).then(|| format!("{what}{}", all.join(", ")))
}

fn read<K: DeserializeOwned>(object: &DynamicObject) -> Result<K, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(object)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, spec: &Value, status: &Value) -> DynamicObject {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": kind,
            "metadata": {"name": name, "namespace": "team", "uid": format!("uid-of-{name}")}, "spec": spec,
        });
        if !status.is_null() {
            object["status"] = status.clone();
        }
        serde_json::from_value(object).expect("an object")
    }

    fn service(status: &Value) -> DynamicObject {
        object("EndpointService", "gateway", &json!({}), status)
    }

    fn around() -> Around {
        let mut around = Around::default();
        let status = json!({"observedGeneration": 1, "accountId": "1001", "region": "cn-x", "serviceId": "epsrv-1"});
        around.learn("EndpointService", &service(&status));
        let spec = json!({"service": {"id": "epsrv-1"}, "vpcId": "vpc-1"});
        around.learn("Endpoint", &object("Endpoint", "db", &spec, &json!({"endpointId": "ep-1"})));
        around
    }

    fn stays(kind: &str, spec: &Value, status: &Value) -> Left {
        of(kind, &object(kind, "it", spec, status), &around())
    }

    fn left(account: &str, region: &str, stays: &str) -> Left {
        Left { account: account.into(), region: region.into(), stays: stays.into() }
    }

    #[test]
    fn a_service_stays_with_its_load_balancers_and_connections() {
        let status = json!({
            "accountId": "1001", "region": "cn-x", "serviceId": "epsrv-1",
            "resources": [{"id": "lb-1", "type": "CLB", "zone": "cn-x-f"}, {"id": "lb-2", "type": "CLB"}],
            "connectionCounts": {"total": 3, "connected": 2, "awaiting": 1, "held": 0, "other": 0},
        });
        let told = "epsrv-1; attached: lb-1 (cn-x-f), lb-2; connections: 3";
        assert_eq!(stays("EndpointService", &json!({}), &status), left("1001", "cn-x", told));
    }

    #[test]
    fn an_endpoint_stays_with_its_interfaces() {
        let spec = json!({"service": {"id": "epsrv-1"}, "vpcId": "vpc-1"});
        let status = json!({
            "accountId": "1002", "region": "cn-x", "endpointId": "ep-1", "serviceId": "epsrv-1",
            "zones": [{"subnetId": "vsw-1", "zone": "cn-x-f", "interfaceId": "eni-1"}, {"subnetId": "vsw-2"}],
        });
        let told = "ep-1 of epsrv-1; interfaces: eni-1 (cn-x-f)";
        assert_eq!(stays("Endpoint", &spec, &status), left("1002", "cn-x", told));
    }

    #[test]
    fn what_may_have_been_made_is_to_be_looked_for_and_what_was_not_is_not() {
        let of = |status: &Value| stays("EndpointService", &json!({}), status).stays;
        let looked = "look in the cloud for the tag privatelink.dev/uid=uid-of-it";
        assert_eq!(of(&Value::Null), format!("its status says nothing: {looked}"));
        assert_eq!(of(&json!({"observedGeneration": -1})), format!("its status says nothing: {looked}"));
        let begun = json!({"observedGeneration": 1, "creating": {"at": "2026-01-02T03:04:05Z", "form": "x"}});
        assert_eq!(of(&begun), format!("perhaps what was asked for at 2026-01-02T03:04:05Z: {looked}"));
        assert_eq!(of(&json!({"observedGeneration": 1})), "nothing: none was made");
        let broken = of(&json!({"observedGeneration": "one"}));
        assert!(broken.starts_with("it cannot be read (") && broken.ends_with(looked), "{broken}");
    }

    #[test]
    fn an_entry_leaves_its_principal_and_its_connections_where_its_service_is() {
        let spec = json!({"serviceRef": {"name": "gateway"}, "principal": "1002"});
        let status = json!({
            "allowed": true, "claim": "Held", "truncated": true,
            "connections": [{"endpointId": "ep-1", "state": "Connected"}, {"endpointId": "ep-2", "state": "Rejected"}],
        });
        let told = "1002 on the list of epsrv-1; connections: ep-1 (Connected), ep-2 (Rejected); and more connections";
        assert_eq!(stays("WhitelistEntry", &spec, &status), left("1001", "cn-x", told));
        let of = |status: Value| stays("WhitelistEntry", &spec, &status).stays;
        assert_eq!(of(json!({"allowed": false})), "1002 is not on the list of epsrv-1");
        assert_eq!(of(json!({})), "1002, if it is on the list of epsrv-1");
        assert_eq!(of(json!({"claim": "Waiting"})), "nothing of its own: another entry decides on 1002");
        let elsewhere = json!({"serviceRef": {"name": "gone"}, "principal": "1002"});
        let told = "1002 on the list of the service of EndpointService team/gone";
        assert_eq!(stays("WhitelistEntry", &elsewhere, &json!({"allowed": true})), left("", "", told));
    }

    #[test]
    fn an_assignment_leaves_its_zone_as_it_is_with_the_side_that_is_still_open() {
        let spec = |endpoint: Value| json!({"serviceRef": {"name": "gateway"}, "endpoint": endpoint, "zone": "cn-x-f", "resourceId": "lb-2"});
        let status = json!({
            "current": {"resourceId": "lb-2", "interfaceId": "eni-2"}, "replaced": {"resourceId": "lb-1"},
        });
        let told = "cn-x-f of ep-1; served by lb-2 (eni-2); still open: lb-1";
        for endpoint in [json!({"id": "ep-1"}), json!({"ref": {"name": "db"}})] {
            assert_eq!(stays("ZoneResourceAssignment", &spec(endpoint), &status), left("1001", "cn-x", told));
        }
        let unknown =
            stays("ZoneResourceAssignment", &spec(json!({"ref": {"name": "db", "namespace": "far"}})), &status);
        assert!(unknown.stays.starts_with("cn-x-f of the endpoint of Endpoint far/db; "), "{}", unknown.stays);
        let waits = stays("ZoneResourceAssignment", &spec(json!({"id": "ep-1"})), &json!({"claim": "Waiting"}));
        assert_eq!(waits.stays, "nothing of its own: another one decides on cn-x-f");
    }

    #[test]
    fn an_account_leaves_nothing_of_its_own() {
        let spec = json!({"alibaba": {}, "region": "cn-x", "credentials": {"instanceRole": {}}});
        let told = stays("CloudAccount", &spec, &json!({"accountId": "1001"}));
        assert_eq!(told, left("1001", "cn-x", "nothing of its own"));
    }
}
