//! What is asked of the API server, read from an HTTP request; whatever is not understood whole is unknown.

use std::collections::BTreeMap;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde_json::Value;

use super::refusal::Unknown;

/// A kind of objects.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; the core's has no name.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// As paths have it.
    pub plural: &'static str,
    /// As objects have it.
    pub name: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Defined by a CRD: its objects have a generation, and a status that is written apart.
    pub custom: bool,
}

const fn ours(plural: &'static str, name: &'static str, namespaced: bool) -> Kind {
    Kind { group: "privatelink.dev", version: "v1alpha1", plural, name, namespaced, custom: true }
}

const fn theirs(group: &'static str, plural: &'static str, name: &'static str, namespaced: bool) -> Kind {
    Kind { group, version: "v1", plural, name, namespaced, custom: false }
}

/// All that is known.
static KINDS: [Kind; 10] = [
    ours("cloudaccounts", "CloudAccount", false),
    ours("endpointservices", "EndpointService", true),
    ours("privateendpoints", "Endpoint", true),
    ours("whitelistentries", "WhitelistEntry", true),
    ours("zoneresourceassignments", "ZoneResourceAssignment", true),
    theirs("", "namespaces", "Namespace", false),
    theirs("", "secrets", "Secret", true),
    theirs("", "configmaps", "ConfigMap", true),
    theirs("", "services", "Service", true),
    theirs("events.k8s.io", "events", "Event", true),
];

impl Kind {
    /// As objects have it.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// As messages have it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// The object, or the collection where it has no name.
#[derive(Clone, Debug)]
pub struct Target {
    /// Kind.
    pub kind: &'static Kind,
    /// Namespace; empty for all, or where there is none.
    pub namespace: String,
    /// Name; empty for all.
    pub name: String,
    /// The status alone.
    pub status: bool,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Verb {
    /// One page.
    List(Listing),
    /// What changes.
    Watch(Watching),
    /// One object.
    Get,
    /// Make it.
    Create,
    /// Write it whole.
    Replace,
    /// Change it step by step.
    JsonPatch,
    /// Change what is named.
    MergePatch,
    /// Make it so, and remove what this manager has applied before and does not any more.
    Apply,
    /// Take it away.
    Delete,
}

/// Which page, of which objects.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// How many at most.
    pub limit: Option<usize>,
    /// After what.
    pub token: Option<String>,
    /// Of those that have this label.
    pub label: Option<String>,
    /// Of the one with this name.
    pub name: Option<String>,
}

/// What is watched.
#[derive(Clone, Debug)]
pub struct Watching {
    /// From which version on.
    pub from: u64,
    /// Of those that have this label.
    pub label: Option<String>,
    /// For how long.
    pub patience: Option<Duration>,
    /// Whether versions of other kinds are told too.
    pub bookmarks: bool,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Of what.
    pub target: Target,
    /// What.
    pub verb: Verb,
    /// Who asks.
    pub manager: String,
    /// Only metadata is answered.
    pub metadata_only: bool,
    /// What was sent.
    pub body: Value,
}

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// With the first thing that is not known.
    pub fn read(parts: &Parts, body: &[u8]) -> Result<Self, Unknown> {
        let target = Target::read(parts.uri.path())?;
        let mut query = pairs(parts.uri.query().unwrap_or_default())?;
        let verb = verb(parts, &target, &mut query)?;
        let manager = query.remove("fieldManager").unwrap_or_else(|| "unnamed".to_owned());
        if matches!(verb, Verb::Apply) && query.remove("force").as_deref() != Some("true") {
            return Err(Unknown::new("an apply without force"));
        }
        if let Some((name, value)) = query.first_key_value() {
            return Err(Unknown::new(format!("the parameter {name}={value}")));
        }
        let metadata_only = metadata_only(&parts.headers)?;
        if metadata_only && !matches!(verb, Verb::List(_) | Verb::Watch(_)) {
            return Err(Unknown::new("the metadata of one object"));
        }
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        let body = body.map_err(|error| Unknown::new(format!("the body: {error}")))?;
        Ok(Self { target, verb, manager, metadata_only, body })
    }
}

impl Target {
    fn read(path: &str) -> Result<Self, Unknown> {
        let unknown = || Unknown::new(format!("the path {path}"));
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Err(unknown()),
        };
        let find = |plural: &str| {
            KINDS.iter().find(|kind| (kind.group, kind.version, kind.plural) == (group, version, plural))
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            _ => ("", rest),
        };
        let (plural, name, status) = match rest {
            [plural] => (plural, "", false),
            [plural, name] => (plural, *name, false),
            [plural, name, "status"] => (plural, *name, true),
            _ => return Err(unknown()),
        };
        let kind = find(plural).ok_or_else(unknown)?;
        let placed = kind.namespaced != namespace.is_empty() || (kind.namespaced && name.is_empty());
        if !placed || (status && !kind.custom) {
            return Err(unknown());
        }
        Ok(Self { kind, namespace: namespace.to_owned(), name: name.to_owned(), status })
    }
}

fn verb(parts: &Parts, target: &Target, query: &mut BTreeMap<String, String>) -> Result<Verb, Unknown> {
    let all = target.name.is_empty();
    let watches = query.remove("watch").is_some_and(|value| value == "true");
    let media = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(match (&parts.method, all) {
        (&Method::GET, true) if watches => Verb::Watch(watching(query)?),
        (&Method::GET, true) => Verb::List(listing(query)?),
        (&Method::GET, false) if !watches && !target.status => Verb::Get,
        (&Method::POST, true) => Verb::Create,
        (&Method::PUT, false) if !target.status => Verb::Replace,
        (&Method::PATCH, false) => match media {
            "application/json-patch+json" => Verb::JsonPatch,
            "application/merge-patch+json" => Verb::MergePatch,
            "application/apply-patch+yaml" => Verb::Apply,
            other => return Err(Unknown::new(format!("a patch of type {other:?}"))),
        },
        (&Method::DELETE, false) if !target.status => Verb::Delete,
        (method, _) => return Err(Unknown::new(format!("{method} here"))),
    })
}

fn listing(query: &mut BTreeMap<String, String>) -> Result<Listing, Unknown> {
    let limit = query.remove("limit").as_deref().map(number).transpose()?;
    let name = match query.remove("fieldSelector") {
        None => None,
        Some(selector) => match selector.strip_prefix("metadata.name=") {
            Some(name) if !name.contains([',', '=']) => Some(name.to_owned()),
            _ => return Err(Unknown::new(format!("the field selector {selector}"))),
        },
    };
    Ok(Listing { limit, token: query.remove("continue"), label: label(query)?, name })
}

fn watching(query: &mut BTreeMap<String, String>) -> Result<Watching, Unknown> {
    let from = query.remove("resourceVersion").as_deref().map(number).transpose()?.filter(|from| *from > 0);
    Ok(Watching {
        from: from.ok_or_else(|| Unknown::new("a watch from no version"))?,
        label: label(query)?,
        patience: query.remove("timeoutSeconds").as_deref().map(number).transpose()?.map(Duration::from_secs),
        bookmarks: query.remove("allowWatchBookmarks").is_some_and(|value| value == "true"),
    })
}

/// Selectors ask for a label alone, whatever its value is.
fn label(query: &mut BTreeMap<String, String>) -> Result<Option<String>, Unknown> {
    let selector = query.remove("labelSelector");
    match &selector {
        Some(text) if text.contains([',', '=', '!', ' ', '(']) => {
            Err(Unknown::new(format!("the label selector {text}")))
        }
        _ => Ok(selector),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Unknown> {
    text.parse().map_err(|_| Unknown::new(format!("{text:?} where a number was expected")))
}

fn metadata_only(headers: &HeaderMap) -> Result<bool, Unknown> {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match accepted {
        "" | "*/*" | "application/json" => Ok(false),
        wanted if wanted.starts_with("application/json;as=PartialObjectMetadata") => Ok(true),
        other => Err(Unknown::new(format!("an answer of type {other}"))),
    }
}

fn pairs(query: &str) -> Result<BTreeMap<String, String>, Unknown> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decoded(name)?, decoded(value)?))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> Result<String, Unknown> {
    let unknown = || Unknown::new(format!("the query text {text}"));
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (*first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).map_err(|_| unknown())?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| unknown())?);
                (bytes, after)
            }
            (b'%', _) => return Err(unknown()),
            (plain, after) => {
                bytes.push(if plain == b'+' { b' ' } else { plain });
                (bytes, after)
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| unknown())
}
