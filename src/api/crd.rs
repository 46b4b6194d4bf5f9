//! The CRDs as they are installed: what the derive makes of the types, put into the form that a
//! person and an API server read best.
//!
//! Four things the derive does not do are done here, in one walk: descriptions become one line of
//! plain text; `null` is not a value of any field, so that "absent" has one form only; number
//! formats that Kubernetes does not know go, and bounds are whole numbers; and `status` has a
//! default, so that an object that nobody has looked at says so.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// The five CRDs as JSON, in the order in which a reader meets the kinds.
#[must_use]
pub fn documents() -> Vec<Value> {
    [CloudAccount::crd(), EndpointService::crd(), Endpoint::crd(), WhitelistEntry::crd(), ZoneResourceAssignment::crd()]
        .iter()
        .map(document)
        .collect()
}

/// The five CRDs as typed objects, for who installs them through a client.
///
/// # Panics
/// Never: each was made from the very type that it is read into.
#[must_use]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    documents()
        .into_iter()
        .map(|document| serde_json::from_value(document).expect("a CRD was made from the type it is read into"))
        .collect()
}

/// The schema of one version of a CRD document.
///
/// # Panics
/// Never for a document of [`documents`], all of which have one version with a schema.
#[must_use]
pub fn schema(document: &Value) -> &Value {
    document.pointer("/spec/versions/0/schema/openAPIV3Schema").expect("every CRD has one version with a schema")
}

fn document(crd: &CustomResourceDefinition) -> Value {
    let mut document = serde_json::to_value(crd).expect("a CRD is plain data");
    let schema = document
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
        .expect("every CRD has one version with a schema");
    tidy(schema);
    let status =
        schema.pointer_mut("/properties/status").and_then(Value::as_object_mut).expect("every kind has a status");
    status.insert("default".to_owned(), json!({"observedGeneration": -1}));
    document
}

/// Puts one schema, and all schemas in it, into the form described above.
fn tidy(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    schema.remove("nullable");
    schema.remove("title");
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && !matches!(format, "int32" | "int64" | "date-time")
    {
        schema.remove("format");
    }
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = one_line(text);
    }
    for bound in ["minimum", "maximum"] {
        if let Some(value) = schema.get_mut(bound) {
            whole(value);
        }
    }
    for below in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(below) {
            tidy(inner);
        }
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(tidy);
    }
}

/// A doc comment as one line of plain text: `kubectl explain` shows neither line ends nor back-ticks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "")
}

/// A bound such as `1.0`, which the derive writes as a fraction, as the whole number that it is.
#[expect(clippy::cast_possible_truncation, reason = "a bound without a fraction, far below 2^53")]
fn whole(value: &mut Value) {
    if let Some(number) = value.as_f64()
        && number.fract() == 0.0
    {
        *value = json!(number as i64);
    }
}

/// One field of a schema, as a walk over it meets it.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The path from the walk's root, with `[]` after a list and `{}` after a map.
    pub path: String,
    /// The schema of the field.
    pub schema: &'a Map<String, Value>,
    /// Whether the object that holds the field requires it.
    pub required: bool,
}

/// Every field below `schema`, at any depth, in the order of their names; items of lists and values
/// of maps are walked through, and are no fields of their own.
#[must_use]
pub fn fields<'a>(root: &str, schema: &'a Value) -> Vec<Field<'a>> {
    let mut found = Vec::new();
    walk(root, schema, &mut found);
    found
}

fn walk<'a>(path: &str, schema: &'a Value, found: &mut Vec<Field<'a>>) {
    if let Some(items) = schema.get("items") {
        walk(&format!("{path}[]"), items, found);
    }
    if let Some(values) = schema.get("additionalProperties") {
        walk(&format!("{path}{{}}"), values, found);
    }
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = format!("{path}.{name}");
        if let Some(map) = inner.as_object() {
            found.push(Field { path: path.clone(), schema: map, required: required.contains(&name.as_str()) });
        }
        walk(&path, inner, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_one_line_without_back_ticks() {
        assert_eq!(one_line("The `status`,\nin two  lines."), "The status, in two lines.");
    }

    #[test]
    fn a_walk_meets_the_fields_of_lists_and_maps() {
        let schema = json!({"properties": {"list": {"items": {"properties": {"inner": {}}}, "required": ["x"]}}, "required": ["list"]});
        let met: Vec<_> = fields("spec", &schema).into_iter().map(|f| (f.path, f.required)).collect();
        assert_eq!(met, [("spec.list".to_owned(), true), ("spec.list[].inner".to_owned(), false)]);
    }
}
