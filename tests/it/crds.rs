//! The CRDs: accepted by the newest and the oldest API server, documented to the last field, free
//! of defaults that no cloud shares, and the same in `crds/` as in the code.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
    runtime::{conditions, wait::await_condition},
};
use privatelink_core::{limit, state};
use privatelink_operator::{
    api::{
        Endpoint,
        crd::{self, Field},
    },
    manifests, reference,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cluster::{self, Cluster, PATIENCE};

/// The only fields that have a default, and what it is.
pub const DEFAULTS: [(&str, &str, &str); 7] = [
    ("EndpointService", "spec.managementPolicy", "Manage"),
    ("EndpointService", "spec.type", "Interface"),
    ("EndpointService", "spec.acceptance", "Manual"),
    ("Endpoint", "spec.managementPolicy", "Manage"),
    ("Endpoint", "spec.type", "Interface"),
    ("WhitelistEntry", "spec.connections.action", "Leave"),
    ("every kind", "status.observedGeneration", "-1"),
];

/// The fields of one part of each kind's schema, with the kind.
fn fields_of<T>(part: &str, look: impl Fn(&str, &Field) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for document in crd::documents() {
        let kind = document["spec"]["names"]["kind"].as_str().expect("a CRD has a kind").to_owned();
        let schema = &crd::schema(&document)["properties"][part];
        found.extend(crd::fields(part, schema).iter().filter_map(|field| look(&kind, field)));
    }
    found
}

#[test]
fn every_spec_field_is_described_in_20_to_400_characters() {
    let lengths = fields_of("spec", |kind, field| {
        let text = field.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        Some((format!("{kind} {}", field.path), text.chars().count()))
    });
    let wrong: Vec<_> = lengths.iter().filter(|(_, length)| !(20..=400).contains(length)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(lengths.len() >= 140, "only {} fields were found", lengths.len());
    println!("{} fields of specs are described", lengths.len());
}

#[test]
fn every_kind_says_what_its_spec_and_status_are() {
    for document in crd::documents() {
        let schema = crd::schema(&document);
        for part in [schema, &schema["properties"]["spec"], &schema["properties"]["status"]] {
            let text = part["description"].as_str().unwrap_or_default();
            assert!((20..=400).contains(&text.chars().count()), "{}: {text:?}", document["metadata"]["name"]);
        }
    }
}

#[test]
fn every_spec_field_names_the_clouds_that_have_it() {
    let clouds = ["All clouds", "Alibaba", "AWS", "Tencent"];
    let wrong = fields_of("spec", |kind, field| {
        let text = field.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let named = clouds.iter().any(|cloud| text.contains(cloud) || text.contains(&cloud.to_lowercase()));
        (!named).then(|| format!("{kind} {}: {text}", field.path))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What the numbers of specs count. A number that counts something else adds its word here.
const UNITS: [&str; 6] = ["mbit/s", "seconds", "requests", "connections", "zones", "port"];

/// What is missing in the description of a number: the word for what it counts, or its range as the schema has it.
fn unsaid(text: &str, schema: &serde_json::Map<String, Value>) -> Option<String> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '/').collect();
    let unit = UNITS.iter().any(|unit| words.contains(unit));
    let range = |least: i64, most: i64| {
        let range = [least.to_string(), "to".to_owned(), most.to_string()];
        words.windows(3).any(|words| words == range)
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) if unit && range(least, most) => None,
        (Some(least), Some(most)) => Some(format!("one of {UNITS:?}, and {least} to {most}")),
        _ => Some("minimum and maximum".to_owned()),
    }
}

#[test]
fn every_number_names_its_unit_and_its_range() {
    let numbers = fields_of("spec", |kind, field| {
        let number = field.schema.get("type").and_then(Value::as_str) == Some("integer");
        let text = field.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        number.then(|| (format!("{kind} {}: {text}", field.path), unsaid(text, field.schema)))
    });
    let wrong: Vec<_> = numbers.iter().filter(|(_, missing)| missing.is_some()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(numbers.len() >= 10, "only {} numbers were found", numbers.len());
}

#[test]
fn a_number_without_its_unit_or_with_another_range_is_found() {
    let schema = json!({ "minimum": 1, "maximum": 50 });
    let schema = schema.as_object().expect("an object");
    assert_eq!(unsaid("How long, in seconds, 1 to 50.", schema), None);
    for text in
        ["How long, 1 to 50.", "How long, in seconds, 1 to 500.", "IPv4 in seconds.", "", "What is important, 1 to 50."]
    {
        assert!(unsaid(text, schema).is_some(), "{text}");
    }
    assert!(unsaid("In seconds, 1 to 50.", &serde_json::Map::new()).is_some());
}

#[test]
fn every_status_field_is_described() {
    let wrong = fields_of("status", |kind, field| {
        let text = field.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        (text.chars().count() < 8).then(|| format!("{kind} {}: {text:?}", field.path))
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_text_list_and_map_of_a_spec_is_bounded() {
    fn unbounded(path: &str, schema: &Value, found: &mut Vec<String>) {
        let kind = schema.get("type").and_then(Value::as_str);
        let has = |key: &str| schema.get(key).is_some();
        let fine = match kind {
            Some("string") => has("enum") || has("format") || (has("minLength") && has("maxLength")),
            Some("array") => has("minItems") && has("maxItems") && has("x-kubernetes-list-type"),
            Some("object") if has("additionalProperties") => has("minProperties") && has("maxProperties"),
            _ => true,
        };
        if !fine {
            found.push(path.to_owned());
        }
        for inner in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(inner) {
                unbounded(&format!("{path}[]"), inner, found);
            }
        }
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            unbounded(&format!("{path}.{name}"), inner, found);
        }
    }
    let mut found = Vec::new();
    for document in crd::documents() {
        unbounded("spec", &crd::schema(&document)["properties"]["spec"], &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_list_of_a_status_is_bounded() {
    let wrong = fields_of("status", |kind, field| {
        let list = field.schema.get("type").and_then(Value::as_str) == Some("array");
        let bounded = field.schema.contains_key("maxItems") && field.schema.contains_key("x-kubernetes-list-type");
        (list && !bounded).then(|| format!("{kind} {}", field.path))
    });
    // Kubernetes' own condition has no list in it, so no exception is needed.
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_word_of_a_status_is_fixed_by_the_schema() {
    let wrong = fields_of("status", |kind, field| {
        // The status of a condition is Kubernetes' own: True, False or Unknown.
        let ours = !field.path.starts_with("status.conditions[]");
        (ours && field.schema.contains_key("enum")).then(|| format!("{kind} {}", field.path))
    });
    assert!(wrong.is_empty(), "a word of a newer version would be refused: {wrong:#?}");
}

#[test]
fn the_words_of_a_state_stand_in_its_description() {
    fn words<T: std::fmt::Display>(known: &[T]) -> Vec<String> {
        known.iter().map(ToString::to_string).collect()
    }
    let expected = [
        ("EndpointService", "status.state", words(state::LifeState::KNOWN)),
        ("EndpointService", "status.resources[].state", words(state::ResourceState::KNOWN)),
        ("EndpointService", "status.unclaimed[].state", words(state::ConnectionState::KNOWN)),
        ("EndpointService", "status.privateDnsVerification.state", words(state::VerificationState::KNOWN)),
        ("Endpoint", "status.state", words(state::LifeState::KNOWN)),
        ("Endpoint", "status.connection", words(state::ConnectionState::KNOWN)),
        ("Endpoint", "status.zones[].state", words(state::ZoneState::KNOWN)),
        ("Endpoint", "status.dns.state", words(state::DnsState::KNOWN)),
        ("WhitelistEntry", "status.claim", words(state::ClaimState::KNOWN)),
        ("WhitelistEntry", "status.connections[].state", words(state::ConnectionState::KNOWN)),
        ("WhitelistEntry", "status.connections[].decision", words(state::Decision::KNOWN)),
        ("WhitelistEntry", "status.connections[].zones[].state", words(state::ZoneState::KNOWN)),
        ("ZoneResourceAssignment", "status.state", words(state::ZoneState::KNOWN)),
        ("ZoneResourceAssignment", "status.claim", words(state::ClaimState::KNOWN)),
        ("ZoneResourceAssignment", "status.migration.outcome", words(state::MigrationOutcome::KNOWN)),
        ("CloudAccount", "status.capabilities[].state", words(state::CapabilityState::KNOWN)),
    ];
    let described = fields_of("status", |kind, field| {
        let text = field.schema.get("description").and_then(Value::as_str).unwrap_or_default();
        Some((kind.to_owned(), field.path.clone(), text.to_owned()))
    });
    for (kind, path, words) in expected {
        let (_, _, text) =
            described.iter().find(|(k, p, _)| k == kind && p == path).unwrap_or_else(|| panic!("{kind} has no {path}"));
        let missing: Vec<_> = words.iter().filter(|word| !text.contains(*word)).collect();
        assert!(missing.is_empty(), "{kind} {path} does not name {missing:?}");
    }
}

#[test]
fn defaults_stand_only_where_every_cloud_has_the_value() {
    let mut found: BTreeSet<(String, String, String)> = BTreeSet::new();
    for part in ["spec", "status"] {
        found.extend(fields_of(part, |kind, field| {
            let default = field.schema.get("default")?;
            let kind = if part == "status" { "every kind" } else { kind };
            Some((kind.to_owned(), field.path.clone(), default.to_string().trim_matches('"').to_owned()))
        }));
    }
    let allowed = DEFAULTS.map(|(kind, path, value)| (kind.to_owned(), path.to_owned(), value.to_owned()));
    assert_eq!(found, BTreeSet::from(allowed));
    for document in crd::documents() {
        let properties = &crd::schema(&document)["properties"];
        assert_eq!(properties["status"]["default"], json!({ "observedGeneration": -1 }));
        assert_eq!(properties["spec"].get("default"), None);
    }
}

#[test]
fn the_names_are_those_of_the_contract() {
    let names: Vec<_> = crd::documents()
        .iter()
        .map(|document| {
            let names = &document["spec"]["names"];
            assert_eq!(names["categories"], json!(["privatelink"]));
            assert!(document["spec"]["versions"][0]["subresources"]["status"].is_object());
            [&names["kind"], &names["plural"], &names["shortNames"][0], &document["spec"]["scope"]]
                .map(|name| name.as_str().expect("a name").to_owned())
        })
        .collect();
    assert_eq!(
        names,
        [
            ["CloudAccount", "cloudaccounts", "pla", "Cluster"],
            ["EndpointService", "endpointservices", "pls", "Namespaced"],
            ["Endpoint", "privateendpoints", "ple", "Namespaced"],
            ["WhitelistEntry", "whitelistentries", "plw", "Namespaced"],
            ["ZoneResourceAssignment", "zoneresourceassignments", "plz", "Namespaced"],
        ]
    );
}

#[test]
fn the_yaml_files_say_what_the_code_says() {
    let files = manifests::files();
    assert_eq!(files.len(), 5);
    for (file, document) in files.iter().zip(crd::documents()) {
        let read: Value = serde_saphyr::from_str(&file.text).expect("YAML");
        assert_eq!(read, document, "{}", file.name);
    }
}

/// The command that writes the files, and the same with `--check`, in a folder of its own.
struct Generator {
    subcommand: &'static str,
    folder: PathBuf,
}

impl Generator {
    fn run(&self, check: bool) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privatelink-operator"));
        command.arg(self.subcommand).arg("--output-dir").arg(&self.folder);
        if check {
            command.arg("--check");
        }
        let output = command.output().expect("the binary was built for this test");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn the_committed_files_are_those_that_the_commands_write() {
    for (subcommand, folder) in [("crds", "crds"), ("docs", "docs/reference")] {
        let committed = Generator { subcommand, folder: cluster::repository().join(folder) };
        let (equal, said) = committed.run(true);
        assert!(equal, "{said}");
    }
    assert_eq!(reference::files().len(), 9);
}

#[test]
fn a_changed_a_missing_and_a_left_over_file_are_each_named() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("generated-{}", std::process::id()));
    let generator = Generator { subcommand: "crds", folder: folder.clone() };
    assert_eq!(generator.run(false), (true, String::new()));
    assert_eq!(generator.run(true), (true, String::new()));
    let changed = folder.join("privateendpoints.yaml");
    let text = fs::read_to_string(&changed).expect("it was written");
    fs::write(&changed, text.replace("Interface", "interface")).expect("it is changed");
    fs::rename(folder.join("cloudaccounts.yaml"), folder.join("accounts.yaml")).expect("it is renamed");
    let (equal, said) = generator.run(true);
    fs::remove_dir_all(&folder).expect("it is taken away");
    assert!(!equal);
    for part in [
        "privateendpoints.yaml (differs from line",
        "cloudaccounts.yaml (missing)",
        "accounts.yaml (no longer generated: delete it)",
        "write them anew with: privatelink-operator crds --output-dir crds",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// Waits until every CRD is established, and fails with what the API server says of one that is not.
async fn established(cluster: &Cluster) {
    let api = Api::<CustomResourceDefinition>::all(cluster.admin_client().await);
    for definition in crd::definitions() {
        let name = definition.metadata.name.expect("a CRD has a name");
        // Applied once more from the code: this must be no change, and be accepted.
        let document = crd::documents()
            .into_iter()
            .find(|document| document["metadata"]["name"] == name.as_str())
            .expect("the same CRD as JSON");
        let strict = PatchParams::apply("it").force().validation_strict();
        let applied = api.patch(&name, &strict, &Patch::Apply(&document)).await;
        applied.unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_established = await_condition(api.clone(), &name, conditions::is_crd_established());
        timeout(PATIENCE, is_established).await.expect("established in time").expect("watched");
        let found = api.get(&name).await.expect("it is there");
        let said = found.status.and_then(|status| status.conditions).unwrap_or_default();
        let structural = said.iter().find(|condition| condition.type_ == "NonStructuralSchema");
        assert!(structural.is_none(), "{name}: {structural:?}");
    }
}

#[tokio::test]
async fn the_newest_api_server_establishes_the_crds() {
    established(cluster::shared()).await;
}

#[tokio::test]
async fn the_oldest_api_server_establishes_the_crds() {
    let oldest = cluster::oldest();
    established(oldest).await;
    // A rule that needs functions of the newer CEL libraries is judged there too.
    let namespace = oldest.namespace("oldest").await;
    let refused = oldest.kubectl_with(
        &["create", "--dry-run=server", "-n", &namespace, "-f", "-"],
        r#"{"apiVersion": "privatelink.dev/v1alpha1", "kind": "Endpoint", "metadata": {"name": "db"},
            "spec": {"service": {"id": "epsrv-1"}, "vpcId": "vpc-1", "zones": [{"subnetId": "vsw-1", "ip": "10.0.0"}]}}"#,
    );
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("zones.ip must be an IPv4 address"), "{said}");
}

#[tokio::test]
async fn a_field_that_is_not_in_the_schema_is_dropped_or_refused_as_the_user_asks() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("pruned").await;
    let entry = r#"{"apiVersion": "privatelink.dev/v1alpha1", "kind": "WhitelistEntry", "metadata": {"name": "a"},
        "spec": {"serviceRef": {"name": "s"}, "principal": "12345678", "autoAccept": true}}"#;
    let create =
        |validate: &str| cluster.kubectl_with(&["create", validate, "-n", &namespace, "-f", "-", "-o", "json"], entry);
    let strict = create("--validate=strict");
    let said = String::from_utf8_lossy(&strict.stderr);
    assert!(said.contains("unknown field \"spec.autoAccept\""), "{said}");
    let loose = create("--validate=false");
    let made: Value = serde_json::from_slice(&loose.stdout).expect("what was created");
    assert_eq!(made["spec"].get("autoAccept"), None);
    assert_eq!(made["spec"]["principal"], "12345678");
}

#[tokio::test]
async fn explain_tells_of_a_nested_field() {
    let cluster = cluster::shared();
    for (path, part) in [
        ("ple.spec.zones.ip", "The IPv4 address of the interface"),
        ("pls.spec.removal.drainSeconds", "in seconds, 0 to 604800"),
        ("plw.spec.connections.assignment", "ENUM: Automatic Manual"),
        ("pla.spec.credentials.secretRef", "accessKeySecret"),
        ("plz.status.migration.gapSeconds", "carried no traffic"),
    ] {
        let output = cluster.kubectl(&["explain", path]);
        let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(part), "{path}: {said}");
    }
}

#[tokio::test]
async fn a_status_with_words_of_a_newer_version_is_kept() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("words").await;
    let api = Api::<Endpoint>::namespaced(cluster.admin_client().await, &namespace);
    let endpoint: Endpoint = serde_json::from_value(json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "Endpoint", "metadata": { "name": "db" },
        "spec": { "service": { "id": "epsrv-1" }, "vpcId": "vpc-1", "zones": [{ "subnetId": "vsw-1" }] },
    }))
    .expect("an Endpoint");
    api.create(&PostParams::default(), &endpoint).await.expect("created");
    let status =
        json!({ "status": { "connection": "Quarantined", "zones": [{ "subnetId": "vsw-1", "state": "Parked" }] } });
    let written = api.patch_status("db", &PatchParams::default(), &Patch::Merge(&status)).await.expect("written");
    let status = written.status.expect("a status");
    assert_eq!(status.connection, Some(state::ConnectionState::Unknown("Quarantined".to_owned())));
    assert_eq!(status.zones[0].state, Some(state::ZoneState::Unknown("Parked".to_owned())));
    assert_eq!(status.common.observed_generation, -1);
}

#[test]
fn the_numbers_of_the_contract_stand_in_the_schemas() {
    let bound = |kind: &str, path: &str, key: &str| {
        let found = fields_of(path.split('.').next().expect("a part"), |of, field| {
            (of == kind && field.path == path).then(|| field.schema.get(key).cloned()).flatten()
        });
        assert_eq!(found.len(), 1, "{kind} {path} {key}");
        found[0].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number")
    };
    for (kind, path, key, number) in [
        ("EndpointService", "spec.resources", "maxItems", 100),
        ("EndpointService", "spec.tags", "maxProperties", 14),
        ("EndpointService", "spec.serviceName", "maxLength", 60),
        ("EndpointService", "status.resources", "maxItems", 100),
        ("EndpointService", "status.unclaimed", "maxItems", 50),
        ("EndpointService", "status.evacuation[].inFlight", "maxItems", 50),
        ("EndpointService", "status.deletion.blockedBy", "maxItems", 20),
        ("Endpoint", "spec.zones", "maxItems", 10),
        ("Endpoint", "spec.securityGroupIds", "maxItems", 10),
        ("Endpoint", "spec.endpointName", "maxLength", 128),
        ("WhitelistEntry", "spec.connections.bandwidthMbps", "maximum", 50_000),
        ("WhitelistEntry", "status.connections", "maxItems", 100),
        ("WhitelistEntry", "status.held", "maxItems", 1000),
        ("WhitelistEntry", "status.reconnect", "maxItems", 1000),
        ("ZoneResourceAssignment", "status.history", "maxItems", 10),
        ("ZoneResourceAssignment", "status.lastError.message", "maxLength", limit::MESSAGE),
    ] {
        assert_eq!(bound(kind, path, key), number, "{kind} {path} {key}");
    }
}
