//! Every manifest of `tests/corpus` meets a real API server, which says no with the words that the
//! case expects, or lets it through; and every rule of the CRDs is met by a case.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Request},
    core::GroupVersionKind,
};
use privatelink_operator::api::crd;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::{self, Cluster};

/// As many cases as there are at least; raise it with the corpus.
const RECORDED: usize = 446;

/// The files of the corpus, a kind each.
pub const FILES: [&str; 5] =
    ["cloudaccounts", "endpointservices", "privateendpoints", "whitelistentries", "zoneresourceassignments"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    kind: String,
    base: Value,
    refused: Vec<Case>,
    accepted: Vec<Case>,
    changes: Vec<Change>,
}

/// An object that is created.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "nothing")]
    set: Value,
    #[serde(default = "nothing")]
    metadata: Value,
    expect: Option<String>,
}

/// An object that is created and then changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    name: String,
    #[serde(default = "nothing")]
    from: Value,
    status: Option<Value>,
    to: Value,
    expect: Option<String>,
}

fn nothing() -> Value {
    json!({})
}

fn corpus(plural: &str) -> Corpus {
    let path = cluster::repository().join(format!("tests/corpus/{plural}.yaml"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The objects that a file of the corpus wants let through, with the names of their cases.
pub fn accepted(plural: &str) -> Vec<(String, Value)> {
    let corpus = corpus(plural);
    let object = |case: &Case| {
        let mut spec = corpus.base.clone();
        merge(&mut spec, &case.set);
        let object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": corpus.kind, "metadata": { "name": "case" }, "spec": spec,
        });
        (case.name.clone(), object)
    };
    corpus.accepted.iter().map(object).collect()
}

/// JSON merge patch (RFC 7396): what is `null` in `patch` goes, objects are merged, all else is
/// replaced. Long values, as the corpus abbreviates them, are written out.
fn merge(target: &mut Value, patch: &Value) {
    let Some(members) = patch.as_object().filter(|_| written_out(patch).is_none()) else {
        *target = written_out(patch).unwrap_or_else(|| patch.clone());
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let object = target.as_object_mut().expect("it is one now");
    for (key, value) in members {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// `{repeat: "a", times: 64}`, `{list: …, times: 11}` and `{map: …, times: 15}` as what they stand
/// for; `None` for anything else.
fn written_out(value: &Value) -> Option<Value> {
    let object = value.as_object().filter(|object| object.len() == 2)?;
    let times = usize::try_from(object.get("times")?.as_u64()?).ok()?;
    if let Some(text) = object.get("repeat").and_then(Value::as_str) {
        return Some(text.repeat(times).into());
    }
    if let Some(item) = object.get("list") {
        let text = item.to_string();
        let numbered = |number: usize| text.replace('#', &number.to_string());
        let items = (0..times).map(|number| serde_json::from_str::<Value>(&numbered(number)).expect("JSON"));
        return Some(items.collect());
    }
    let value = object.get("map")?;
    Some(Value::Object((0..times).map(|number| (format!("k{number}"), value.clone())).collect()))
}

/// Where the objects of one file go, and as whom.
struct Place {
    client: Client,
    /// The administrator, who writes a status in the operator's stead.
    admin: Client,
    resource: ApiResource,
    namespace: Option<String>,
}

impl Place {
    async fn of(cluster: &Cluster, kind: &str, plural: &str) -> Self {
        let gvk = GroupVersionKind::gvk("privatelink.dev", "v1alpha1", kind);
        let admin = cluster.admin_client().await;
        let (client, namespace) = if kind == "CloudAccount" {
            (admin.clone(), None)
        } else {
            let namespace = cluster.namespace("corpus").await;
            (cluster.tenant_client(&namespace).await, Some(namespace))
        };
        Self { client, admin, resource: ApiResource::from_gvk_with_plural(&gvk, plural), namespace }
    }

    fn api(&self, client: &Client) -> Api<DynamicObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.resource),
            None => Api::all_with(client.clone(), &self.resource),
        }
    }

    fn object(&self, name: &str, base: &Value, set: &Value, metadata: &Value) -> Value {
        let mut spec = base.clone();
        merge(&mut spec, set);
        let mut meta = json!({ "name": name });
        merge(&mut meta, metadata);
        json!({
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": meta,
            "spec": spec,
        })
    }

    /// Asks for an object to be created, with unknown and doubled fields refused, and nothing kept.
    async fn try_create(&self, object: &Value) -> Result<(), String> {
        let place = self.namespace.as_ref().map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        let url = format!("/apis/{}{place}/{}", self.resource.api_version, self.resource.plural);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let mut request = Request::new(url)
            .create(&dry, serde_json::to_vec(object).expect("JSON"))
            .expect("a request that can be made");
        *request.uri_mut() =
            format!("{}&fieldValidation=Strict", request.uri()).parse().expect("a URI with one more parameter");
        said(self.client.request::<Value>(request).await.map(drop))
    }

    /// Creates an object, gives it a status, and asks for a change of its spec that is not kept.
    async fn try_change(&self, number: usize, base: &Value, change: &Change) -> Result<(), String> {
        let name = format!("it-{}-{number}", self.namespace.as_deref().unwrap_or("corpus"));
        let before = self.object(&name, base, &change.from, &nothing());
        let api = self.api(&self.client);
        let made = serde_json::from_value(before.clone()).expect("an object");
        let made = api.create(&PostParams::default(), &made).await;
        made.unwrap_or_else(|error| panic!("{}: before the change: {error}", change.name));
        if let Some(status) = &change.status {
            let patch = Patch::Merge(json!({ "status": status }));
            let written = self.api(&self.admin).patch_status(&name, &PatchParams::default(), &patch).await;
            written.unwrap_or_else(|error| panic!("{}: status: {error}", change.name));
        }
        let dry = PatchParams { dry_run: true, ..PatchParams::default() };
        let answer = said(api.patch(&name, &dry, &Patch::Merge(json!({ "spec": change.to }))).await.map(drop));
        let gone = api.delete(&name, &DeleteParams::default()).await;
        gone.unwrap_or_else(|error| panic!("{}: deleting: {error}", change.name));
        answer
    }
}

/// What the API server said no with. Anything but a judgement of the object ends the test.
fn said(answer: kube::Result<()>) -> Result<(), String> {
    match answer {
        Ok(()) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 422 || status.code == 400 => Err(status.message),
        Err(error) => panic!("{error}"),
    }
}

/// What of a case went otherwise than expected.
fn verdict(expected: Option<&str>, answer: Result<(), String>) -> Option<String> {
    match (expected, answer) {
        (None, Ok(())) => None,
        (Some(expected), Err(said)) if said.contains(expected) => None,
        (None, Err(said)) => Some(format!("want it let through\n  got  {said}")),
        (Some(expected), Ok(())) => Some(format!("want {expected}\n  got  it was let through")),
        (Some(expected), Err(said)) => Some(format!("want {expected}\n  got  {said}")),
    }
}

#[tokio::test]
async fn every_manifest_of_the_corpus_is_judged_as_it_expects() {
    let cluster = cluster::shared();
    let (mut tried, mut refused, mut wrong) = (0, 0, String::new());
    for plural in FILES {
        let corpus = corpus(plural);
        let place = Place::of(cluster, &corpus.kind, plural).await;
        let base = place.object("base", &corpus.base, &nothing(), &nothing());
        place.try_create(&base).await.unwrap_or_else(|said| panic!("{plural}: the base is refused: {said}"));
        for case in corpus.refused.iter().chain(&corpus.accepted) {
            let object = place.object("case", &corpus.base, &case.set, &case.metadata);
            let answer = place.try_create(&object).await;
            tried += 1;
            refused += usize::from(case.expect.is_some());
            if let Some(what) = verdict(case.expect.as_deref(), answer) {
                writeln!(wrong, "{plural}: {}\n  {what}", case.name).expect("a String takes it");
            }
        }
        for (number, change) in corpus.changes.iter().enumerate() {
            let answer = place.try_change(number, &corpus.base, change).await;
            tried += 1;
            refused += usize::from(change.expect.is_some());
            if let Some(what) = verdict(change.expect.as_deref(), answer) {
                writeln!(wrong, "{plural}: {}\n  {what}", change.name).expect("a String takes it");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(tried >= RECORDED, "only {tried} cases ran, {RECORDED} are recorded");
    println!("{tried} manifests: {refused} refused, {} let through", tried - refused);
}

#[test]
fn every_rule_of_the_crds_is_met_by_a_case() {
    let mut unmet = Vec::new();
    let mut rules = 0;
    for document in crd::documents() {
        let plural = document["spec"]["names"]["plural"].as_str().expect("a CRD has a plural");
        let corpus = corpus(plural);
        let expected: Vec<&str> = corpus
            .refused
            .iter()
            .filter_map(|case| case.expect.as_deref())
            .chain(corpus.changes.iter().filter_map(|change| change.expect.as_deref()))
            .collect();
        let messages: BTreeSet<String> = privatelink_operator::reference::rules("", crd::schema(&document))
            .into_iter()
            .map(|(_, message)| message)
            .collect();
        rules += messages.len();
        // A case may quote the beginning of a message only; the middle of one may be another.
        unmet.extend(
            messages
                .into_iter()
                .filter(|message| !expected.iter().any(|part| message.starts_with(part)))
                .map(|message| format!("{plural}: {message}")),
        );
    }
    assert!(unmet.is_empty(), "no case expects:\n{}", unmet.join("\n"));
    assert!(rules >= 100, "only {rules} rules were found");
    println!("{rules} rules are each met by a case");
}

#[test]
fn the_cases_of_a_file_have_names_of_their_own() {
    for plural in FILES {
        let corpus = corpus(plural);
        let names = corpus
            .refused
            .iter()
            .chain(&corpus.accepted)
            .map(|case| case.name.as_str())
            .chain(corpus.changes.iter().map(|change| change.name.as_str()));
        let mut seen = BTreeMap::new();
        for name in names {
            *seen.entry(name).or_insert(0) += 1;
        }
        let twice: Vec<_> = seen.into_iter().filter(|(_, count)| *count > 1).collect();
        assert!(twice.is_empty(), "{plural}: {twice:?}");
        assert!(corpus.refused.iter().all(|case| case.expect.is_some()), "{plural}: refused without a message");
        assert!(corpus.accepted.iter().all(|case| case.expect.is_none()), "{plural}: accepted with a message");
    }
}
