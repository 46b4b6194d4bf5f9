//! What a user writes is read into our types and written again without a loss: the samples, and
//! objects that between them set every field of every spec.

use std::{collections::BTreeSet, fs};

use privatelink_operator::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment, crd};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{cluster, corpus, crds::DEFAULTS};

/// An object read into the type of its kind and written again.
fn read_and_written(object: &Value) -> Value {
    fn by_type<K: DeserializeOwned + Serialize>(object: &Value) -> Value {
        let read: K = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{object}: {error}"));
        serde_json::to_value(read).expect("it can be written")
    }
    match object["kind"].as_str().expect("an object has a kind") {
        "CloudAccount" => by_type::<CloudAccount>(object),
        "EndpointService" => by_type::<EndpointService>(object),
        "Endpoint" => by_type::<Endpoint>(object),
        "WhitelistEntry" => by_type::<WhitelistEntry>(object),
        "ZoneResourceAssignment" => by_type::<ZoneResourceAssignment>(object),
        other => panic!("{other} is none of our kinds"),
    }
}

/// The object with what the API server fills in before we read it.
fn with_defaults(object: &Value) -> Value {
    let mut filled = object.clone();
    for (kind, path, default) in DEFAULTS {
        let (parent, field) = path.rsplit_once('.').expect("a path below the spec");
        let parent = format!("/{}", parent.replace('.', "/"));
        if object["kind"] == kind
            && let Some(parent) = filled.pointer_mut(&parent).and_then(Value::as_object_mut)
        {
            parent.entry(field).or_insert_with(|| default.into());
        }
    }
    filled
}

/// The folder of samples, as the README names it.
const SAMPLES: &str = "deploy/samples/alibaba";

/// All samples of our kinds, with the name of their file.
fn samples() -> Vec<(String, Value)> {
    let folder = cluster::repository().join(SAMPLES);
    let files = fs::read_dir(&folder).expect("the folder of samples");
    let mut files: Vec<_> = files.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a sample");
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let ours = documents.into_iter().filter(|document| document["kind"] != "Namespace");
        found.extend(ours.map(|document| (path.display().to_string(), document)));
    }
    found
}

#[test]
fn the_samples_lose_nothing_in_our_types() {
    let samples = samples();
    for (file, sample) in &samples {
        assert_eq!(read_and_written(sample), with_defaults(sample), "{file}");
    }
    let kinds: BTreeSet<_> = samples.iter().filter_map(|(_, sample)| sample["kind"].as_str()).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    assert!(samples.len() >= 7);
}

#[test]
fn objects_that_set_every_field_lose_nothing_in_our_types() {
    let mut unset = Vec::new();
    for document in crd::documents() {
        let plural = document["spec"]["names"]["plural"].as_str().expect("a CRD has a plural");
        let mut set = BTreeSet::new();
        for (name, object) in corpus::accepted(plural) {
            assert_eq!(read_and_written(&object), with_defaults(&object), "{plural}: {name}");
            paths("spec", &object["spec"], &mut set);
        }
        let spec = &crd::schema(&document)["properties"]["spec"];
        let fields = crd::fields("spec", spec).into_iter().map(|field| field.path);
        unset.extend(fields.filter(|path| !set.contains(path)).map(|path| format!("{plural}: {path}")));
    }
    assert!(unset.is_empty(), "no accepted case of the corpus sets {unset:#?}");
}

/// The paths of all that is set in a value, as a walk over its schema names them.
fn paths(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                let path = format!("{path}.{name}");
                found.insert(path.clone());
                paths(&path, inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(&format!("{path}[]"), item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_samples_are_accepted() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("samples").await;
    for (file, mut sample) in samples() {
        if sample["metadata"].get("namespace").is_some() {
            sample["metadata"]["namespace"] = json!(namespace);
        }
        let arguments = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
        let output = cluster.kubectl_with(&arguments, &sample.to_string());
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{file} is accepted without a warning");
    }
}

/// What the README tells a user to type, on a cluster that has none of it. The real apply comes first: with it the
/// namespaces are there, as the dry run needs them, and it shows that they sort before what lives in them.
#[test]
fn the_folder_of_samples_is_applied_as_the_readme_says() {
    let cluster = cluster::oldest();
    let path = |part: &str| cluster::repository().join(part).display().to_string();
    let applied = |arguments: &[&str]| -> Vec<String> {
        let output = cluster.kubectl(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "kubectl {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    };
    let all_end_with = |lines: &[String], end: &str| lines.iter().all(|line| line.ends_with(end));
    let (crds, folder, namespaces) = (path("crds"), path(SAMPLES), path(&format!("{SAMPLES}/00-namespaces.yaml")));
    applied(&["apply", "--server-side", "-f", &crds]);

    let made = applied(&["apply", "-f", &folder]);
    assert!(all_end_with(&made, " created"), "{made:#?}");
    let again = applied(&["apply", "-f", &namespaces]);
    assert!(all_end_with(&again, " unchanged"), "{again:#?}");
    assert_eq!(made.len(), again.len() + samples().len());
    let dry = applied(&["apply", "--dry-run=server", "-f", &folder]);
    assert!(all_end_with(&dry, " unchanged (server dry run)"), "{dry:#?}");
    assert_eq!(dry.len(), made.len());
}
