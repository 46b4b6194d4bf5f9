//! Whether the cluster's CRDs know every field that this version writes. Those of an older version do not: the API server
//! would refuse a status with a new field or drop the field, and an object would go on saying what is no longer true. So a
//! process that is newer than the CRDs is not ready and leaves the work to the one before it. Whether a field is there is
//! all that is compared: a new word or a wider bound is not seen.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::time::sleep;

use super::error::{Error, call};
use crate::api::{GROUP, VERSION, crd};
use crate::runtime::admin::Health;

/// What is waited for, as readiness says it.
pub(super) const WHAT: &str = "CRDs of this version";
/// Pause before the API server is asked again: it tells of a CRD some seconds after it has taken it.
const AGAIN: Duration = Duration::from_secs(3);
/// How many fields are named; more say no more.
const NAMED: usize = 5;

/// Waits until the cluster serves every field of ours, and tells `health` so; where nothing can be known, at once.
pub(super) async fn wait(client: Client, health: Health) {
    let path = format!("/openapi/v3/apis/{GROUP}/{VERSION}");
    let documents = crd::documents();
    let mut told = String::new();
    loop {
        let request = http::Request::get(&path).body(Vec::new()).expect("a path of ours is one");
        let why = match call("read the schemas of our kinds", client.request::<Value>(request)).await {
            Ok(served) => {
                let missing = missing(&documents, &served);
                if missing.is_empty() {
                    break;
                }
                lacking(&missing)
            }
            Err(Error::Kube { source, .. }) if is_forbidden(&source) => {
                tracing::warn!(
                    "the API server does not let the operator read schemas: whether its CRDs are of this version is not known"
                );
                break;
            }
            Err(Error::Gone) => format!("the API server tells of no schemas at {path}: are the CRDs applied?"),
            Err(error) => format!("whether the CRDs are of this version is not known yet: {error}"),
        };
        if why != told {
            tracing::warn!("{why}");
            told = why;
        }
        sleep(AGAIN).await;
    }
    health.filled(WHAT);
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403))
}

fn lacking(missing: &BTreeSet<String>) -> String {
    let named: Vec<&str> = missing.iter().take(NAMED).map(String::as_str).collect();
    let more = if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() };
    format!(
        "the CRDs of the cluster are older than this operator, and do not have {}{more}: apply those of this version (crds/, or the chart); nothing is done before",
        named.join(", ")
    )
}

/// The fields of ours that the API server does not serve, each as `Kind.path.to.field`; of one that is missing nothing
/// below it is named.
fn missing(documents: &[Value], served: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for document in documents {
        let kind = document.pointer("/spec/names/kind").and_then(Value::as_str).unwrap_or_default();
        let theirs = served.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten();
        let theirs = theirs.map(|(_, schema)| schema).find(|schema| is_of(schema, kind));
        match theirs {
            Some(theirs) => compare(crd::schema(document), theirs, kind, &mut found),
            None => drop(found.insert(kind.to_owned())),
        }
    }
    found
}

fn is_of(schema: &Value, kind: &str) -> bool {
    let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(|one| one["kind"] == kind))
}

fn compare(ours: &Value, theirs: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, ours) in ours.get("properties").and_then(Value::as_object).into_iter().flatten() {
        // The API server's own fields, which it tells of in its own way.
        if !at.contains('.') && !matches!(name.as_str(), "spec" | "status") {
            continue;
        }
        let at = format!("{at}.{name}");
        match theirs.get("properties").and_then(|theirs| theirs.get(name)) {
            Some(theirs) => compare(ours, theirs, &at, found),
            None => drop(found.insert(at)),
        }
    }
    for below in ["items", "additionalProperties"] {
        if let (Some(ours), Some(theirs)) = (ours.get(below), theirs.get(below)) {
            compare(ours, theirs, at, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What an API server would tell of these CRDs.
    fn served(documents: &[Value]) -> Value {
        let schema = |document: &Value| {
            let kind = document["spec"]["names"]["kind"].clone();
            let mut schema = crd::schema(document).clone();
            schema["properties"]["metadata"] = json!({"allOf": [{"$ref": "#/components/schemas/ObjectMeta"}]});
            schema["x-kubernetes-group-version-kind"] = json!([{"group": GROUP, "version": VERSION, "kind": kind}]);
            (format!("dev.privatelink.{VERSION}.{}", kind.as_str().unwrap()), schema)
        };
        let schemas: serde_json::Map<String, Value> = documents.iter().map(schema).collect();
        json!({"openapi": "3.0.0", "components": {"schemas": schemas}})
    }

    #[test]
    fn crds_of_this_version_lack_nothing_and_of_older_ones_each_field_is_named() {
        let documents = crd::documents();
        assert_eq!(missing(&documents, &served(&documents)), BTreeSet::new());
        let mut older = documents.clone();
        let properties = "/spec/versions/0/schema/openAPIV3Schema/properties";
        let within = |path: &str| format!("{properties}/{path}");
        let cut = |document: &mut Value, path: &str, field: &str| {
            let there = document.pointer_mut(&within(path)).and_then(Value::as_object_mut).expect("it is there");
            assert!(there.remove(field).is_some(), "{path} has no {field}");
        };
        let service = older.iter_mut().find(|one| one["spec"]["names"]["kind"] == "EndpointService").expect("one");
        cut(service, "status/properties", "evacuation");
        cut(service, "status/properties/resources/items/properties", "zone");
        older.retain(|one| one["spec"]["names"]["kind"] != "ZoneResourceAssignment");
        let found = missing(&documents, &served(&older));
        let expected =
            ["EndpointService.status.evacuation", "EndpointService.status.resources.zone", "ZoneResourceAssignment"];
        assert_eq!(found, expected.map(str::to_owned).into());
        let told = lacking(&found);
        assert!(told.contains(&format!("do not have {}: apply those of this version", expected.join(", "))), "{told}");
        let many: BTreeSet<String> = (0..7).map(|number| format!("Endpoint.status.f{number}")).collect();
        assert!(lacking(&many).contains("Endpoint.status.f4 and 2 more: "), "{}", lacking(&many));
    }
}
