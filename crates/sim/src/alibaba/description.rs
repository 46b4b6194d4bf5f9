//! The vendor's API description: what each action takes, what it answers, and which codes it documents.
//!
//! The facts are in `data/*.json`; nothing in the dialect names a parameter's type or an action's codes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::world::{Variant, Variants};

/// PrivateLink 2020-04-15.
pub static PRIVATELINK: LazyLock<Product> =
    LazyLock::new(|| Product::parse(include_str!("../../data/alibaba-privatelink.json")));

/// The part of STS 2015-04-01 that tells callers who they are, and makes them somebody else.
pub static STS: LazyLock<Product> = LazyLock::new(|| Product::parse(include_str!("../../data/alibaba-sts.json")));

/// The product that answers to `version`, if one does.
#[must_use]
pub fn product(version: &str) -> Option<&'static Product> {
    [&*PRIVATELINK, &*STS].into_iter().find(|product| product.version == version)
}

/// One product of the cloud.
#[derive(Debug, Deserialize)]
pub struct Product {
    /// Version, which also tells products on one listener apart.
    pub version: String,
    /// Codes that any action may answer.
    pub common_errors: Vec<CommonCode>,
    /// Actions by name.
    pub actions: BTreeMap<String, Action>,
}

impl Product {
    fn parse(json: &str) -> Self {
        serde_json::from_str(json).expect("the API descriptions are part of the program and tested")
    }
}

/// A code that any action may answer.
#[derive(Debug, Deserialize)]
pub struct CommonCode {
    /// HTTP status.
    pub http: u16,
    /// Code.
    pub code: String,
}

/// One action.
#[derive(Debug, Deserialize)]
pub struct Action {
    /// Nobody signs it: what proves its caller is among its parameters.
    #[serde(default)]
    pub anonymous: bool,
    /// Parameters.
    pub request: Vec<Field>,
    /// Fields of a successful answer.
    pub response: Vec<Field>,
    /// Documented codes, some of them templates ending in `%s`.
    pub errors: Vec<Code>,
    /// Page sizes, for actions that take one.
    pub page: Option<PageSizes>,
}

impl Action {
    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Field> {
        self.request.iter().find(|field| field.name == name)
    }

    /// The HTTP status that is documented for `code`, where the action documents it, by a template or in full.
    #[must_use]
    pub fn documented(&self, code: &str) -> Option<u16> {
        self.errors.iter().find(|documented| documented.covers(code)).map(|documented| documented.status)
    }

    /// Whether repeating the call could change anything.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.parameter("DryRun").is_some()
    }
}

/// Bounds of `MaxResults`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct PageSizes {
    /// Smallest.
    pub min: u32,
    /// Largest.
    pub max: u32,
    /// Largest by the API metadata, whose smallest is 0.
    pub metadata_max: u32,
    /// Where none is asked for.
    pub default: u32,
}

impl PageSizes {
    /// The bounds that hold in the world.
    #[must_use]
    pub fn bounds(&self, variants: &Variants) -> RangeInclusive<u32> {
        match variants.value(Variant::PageBounds) {
            "metadata" => 0..=self.metadata_max,
            _ => self.min..=self.max,
        }
    }
}

/// A documented code.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Code {
    /// HTTP status.
    pub status: u16,
    /// Code, or a template of codes that ends in `%s`.
    pub text: String,
}

impl Code {
    fn covers(&self, code: &str) -> bool {
        match self.text.strip_suffix("%s") {
            Some(stem) => code.strip_prefix(stem).is_some_and(|rest| !rest.is_empty()),
            None => self.text == code,
        }
    }
}

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(line: String) -> Result<Self, String> {
        let (status, text) = line.split_once(' ').ok_or_else(|| format!("{line:?}: a status and a code are needed"))?;
        let status = status.parse().map_err(|_| format!("{line:?}: {status:?} is no HTTP status"))?;
        Ok(Self { status, text: text.to_owned() })
    }
}

/// JSON types, as the description names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    String,
    /// Whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// List of texts, or of objects with [`Field::fields`].
    Array,
    /// Object with [`Field::fields`].
    Object,
}

/// A parameter, or a field of an answer.
#[derive(Debug, Deserialize)]
pub struct Field {
    /// Name on the wire.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A parameter that must be there.
    #[serde(default)]
    pub required: bool,
    /// The only values it takes; empty: any.
    #[serde(default)]
    pub values: Vec<String>,
    /// Fields of an object, or of each object of an array.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// What in `answer` does not fit `fields`, one line each; empty when it fits.
#[must_use]
pub fn misfits(fields: &[Field], answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(fields, answer, "", &mut found);
    found
}

fn compare(fields: &[Field], object: &Value, path: &str, found: &mut Vec<String>) {
    let Some(members) = object.as_object() else {
        found.push(format!("{path}: an object is described, {object} was answered"));
        return;
    };
    for (name, value) in members {
        let at = format!("{path}{name}");
        match fields.iter().find(|field| &field.name == name) {
            Some(field) => compare_one(field, value, &at, found),
            None => found.push(format!("{at}: not described")),
        }
    }
}

fn compare_one(field: &Field, value: &Value, at: &str, found: &mut Vec<String>) {
    let fits = match field.kind {
        Kind::String => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Boolean => value.is_boolean(),
        Kind::Array => value.is_array(),
        Kind::Object => value.is_object(),
    };
    if !fits {
        found.push(format!("{at}: {:?} is described, {value} was answered", field.kind));
        return;
    }
    match value {
        Value::String(text) if !field.values.is_empty() && !field.values.contains(text) => {
            found.push(format!("{at}: {text:?} is not one of {:?}", field.values));
        }
        Value::Array(items) if field.fields.is_empty() => {
            found.extend(items.iter().filter(|item| !item.is_string()).map(|item| format!("{at}: {item} is no text")));
        }
        Value::Array(items) => items.iter().for_each(|item| compare(&field.fields, item, &format!("{at}."), found)),
        Value::Object(_) => compare(&field.fields, value, &format!("{at}."), found),
        _ => {}
    }
}

/// The path of every field, such as `Zones.ZoneId`.
#[must_use]
pub fn paths(fields: &[Field]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for field in fields {
        all.insert(field.name.clone());
        all.extend(paths(&field.fields).into_iter().map(|inner| format!("{}.{inner}", field.name)));
    }
    all
}

/// The path of every field that `answer` has.
#[must_use]
pub fn paths_of(answer: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    match answer {
        Value::Object(members) => {
            for (name, value) in members {
                all.insert(name.clone());
                all.extend(paths_of(value).into_iter().map(|inner| format!("{name}.{inner}")));
            }
        }
        Value::Array(items) => all.extend(items.iter().flat_map(paths_of)),
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, PRIVATELINK, STS, misfits, paths, paths_of, product};

    #[test]
    fn both_products_are_described() {
        assert_eq!(PRIVATELINK.actions.len(), 39);
        assert_eq!(STS.actions.len(), 3);
        assert_eq!(product("2020-04-15").map(|product| product.actions.len()), Some(39));
        assert!(product("1999-01-01").is_none());
    }

    #[test]
    fn items_of_arrays_hold_texts_only() {
        for (name, action) in &PRIVATELINK.actions {
            for field in action.request.iter().flat_map(|field| &field.fields) {
                assert_eq!(field.kind, Kind::String, "{name}: {}", field.name);
            }
        }
    }

    #[test]
    fn templates_cover_their_codes_and_no_others() {
        let create = &PRIVATELINK.actions["CreateVpcEndpointService"];
        assert_eq!(create.documented("MissingParam.ResourceId"), Some(400));
        assert_eq!(create.documented("MissingParam."), None);
        assert_eq!(create.documented("EndpointNotFound"), None);
        let zone = &PRIVATELINK.actions["EnableVpcEndpointZoneConnection"];
        assert_eq!(zone.documented("ResourceNotFound.VpcEndpointZone"), Some(404));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let fields = &PRIVATELINK.actions["ListVpcEndpointZones"].response;
        let good = json!({"RequestId": "r", "TotalCount": 1, "Zones": [{"ZoneStatus": "Wait"}]});
        assert_eq!(misfits(fields, &good), Vec::<String>::new());
        let bad = json!({"TotalCount": "1", "Zones": [{"ZoneStatus": "Migrated", "ResourceId": "lb"}]});
        assert_eq!(
            misfits(fields, &bad),
            [
                "TotalCount: Integer is described, \"1\" was answered",
                "Zones.ResourceId: not described",
                "Zones.ZoneStatus: \"Migrated\" is not one of [\"Creating\", \"Wait\", \"Connecting\", \"Connected\", \
                 \"Disconnecting\", \"Disconnected\", \"Deleting\"]",
            ]
        );
        assert!(paths(fields).is_superset(&paths_of(&good)));
    }
}
