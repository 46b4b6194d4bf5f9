//! The API server in memory, which the loop's tests use, answers as the real one does: the same exchanges are
//! played against both, and what matters of the answers has to be equal.
//!
//! A path or a body may hold `{one.rv}`, `{one.old}` and `{one.uid}`: the version of the object `one` as it was
//! answered last and before, and its uid; `{ns}` is the namespace and `{page}` the token of the next page.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, join, join_all};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::{apiserver::ApiServer, cluster};

const OURS: &str = "/apis/privatelink.dev/v1alpha1/namespaces/{ns}/endpointservices";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const JSON: &str = "application/json";
const STEPS: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const FORCED: &str = "?force=true&fieldManager=people";
/// How long watches run: all that they tell has happened before they begin.
const WATCHED: Duration = Duration::from_secs(3);

/// A request, and what it is for.
struct Exchange {
    what: &'static str,
    method: &'static str,
    path: String,
    media: &'static str,
    body: Value,
}

fn ask(what: &'static str, method: &'static str, path: String, media: &'static str, body: Value) -> Exchange {
    Exchange { what, method, path, media, body }
}

/// A service with every field that has a default.
fn service(name: &str, spec: &Value) -> Value {
    let mut whole = json!({
        "resources": [{"id": "lb-1", "type": "CLB"}], "acceptance": "Manual", "managementPolicy": "Manage",
        "type": "Interface",
    });
    let (whole_fields, fields) = (whole.as_object_mut().expect("an object"), spec.as_object().expect("an object"));
    whole_fields.extend(fields.clone());
    json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService", "metadata": {"name": name}, "spec": whole,
    })
}

fn status(name: &str, metadata: &Value, status: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService", "metadata": metadata, "status": status,
    });
    object["metadata"]["name"] = name.into();
    object
}

fn map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"l": "1"}}, "data": data})
}

/// Making, reading and the finalizers.
fn makings() -> Vec<Exchange> {
    let one = format!("{OURS}/one");
    let steps = |what, steps: Value| ask(what, "PATCH", format!("{OURS}/one"), STEPS, steps);
    let uid = json!({"op": "test", "path": "/metadata/uid", "value": "{one.uid}"});
    let kept = "/metadata/finalizers";
    vec![
        ask("make one", "POST", OURS.to_owned(), JSON, service("one", &json!({}))),
        ask("make one again", "POST", OURS.to_owned(), JSON, service("one", &json!({}))),
        ask("make one nowhere", "POST", OURS.replace("{ns}", "nowhere"), JSON, service("one", &json!({}))),
        ask("read it", "GET", one.clone(), JSON, Value::Null),
        ask("read another", "GET", format!("{OURS}/none"), JSON, Value::Null),
        steps(
            "put the first finalizer on",
            json!([uid, {"op": "test", "path": "/metadata/resourceVersion", "value": "{one.rv}"},
                   {"op": "add", "path": kept, "value": ["a.dev/a"]}]),
        ),
        steps(
            "put one on the version before",
            json!([{"op": "test", "path": "/metadata/resourceVersion", "value": "{one.old}"},
                   {"op": "add", "path": kept, "value": []}]),
        ),
        steps("put a second one on", json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "b.dev/b"}])),
        steps(
            "a namesake's",
            json!([{"op": "test", "path": "/metadata/uid", "value": "0"}, {"op": "remove", "path": kept}]),
        ),
        steps("take off what is not there", json!([{"op": "remove", "path": "/metadata/finalizers/7"}])),
        steps("change nothing", json!([uid])),
        ask(
            "tell of it",
            "POST",
            "/apis/events.k8s.io/v1/namespaces/{ns}/events".to_owned(),
            JSON,
            json!({
                "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "told"}, "type": "Normal",
                "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Reconcile", "reason": "Ready", "note": "it is",
                "reportingController": "privatelink-operator", "reportingInstance": "one",
                "regarding": {"kind": "EndpointService", "namespace": "{ns}", "name": "one"},
            }),
        ),
        ask("patch another", "PATCH", format!("{OURS}/none"), STEPS, json!([])),
    ]
}

/// Writes of the status and of the spec.
fn writings() -> Vec<Exchange> {
    let (one, two) = (format!("{OURS}/one"), format!("{OURS}/two"));
    let door = |name: &str| format!("{OURS}/{name}/status?force=true&fieldManager=operator");
    let current = json!({"resourceVersion": "{one.rv}"});
    let said = json!({"observedGeneration": 1, "serviceId": "epsrv-1", "serviceName": "n"});
    let less = json!({"observedGeneration": 1, "serviceId": "epsrv-1"});
    let tags = |tags: Value| service("two", &json!({"tags": tags}));
    let merge = |what, path: &str, body: Value| ask(what, "PATCH", path.to_owned(), MERGE, body);
    let apply = |what, path: String, body: Value| ask(what, "PATCH", path, APPLY, body);
    vec![
        apply("write the status", door("one"), status("one", &current, &said)),
        apply("write it again", door("one"), status("one", &current, &said)),
        apply(
            "write it over the version before",
            door("one"),
            status("one", &json!({"resourceVersion": "{one.old}"}), &less),
        ),
        apply("write less of it", door("one"), status("one", &current, &less)),
        apply(
            "write it for another uid",
            door("one"),
            status("one", &json!({"resourceVersion": "{one.rv}", "uid": "0"}), &said),
        ),
        apply("write the status of another", door("none"), status("none", &json!({}), &said)),
        merge("write the status by the door of the spec", &one, json!({"status": {"serviceId": "other"}})),
        ask(
            "take the status away",
            "PATCH",
            format!("{OURS}/one/status"),
            STEPS,
            json!([{"op": "remove", "path": "/status"}]),
        ),
        merge("annotate it", &one, json!({"metadata": {"annotations": {"a": "1", "b": "2"}}})),
        merge("take an annotation away", &one, json!({"metadata": {"annotations": {"a": null}}})),
        merge("change the spec", &one, json!({"spec": {"description": "about it"}})),
        merge(
            "change it over the version before",
            &one,
            json!({"metadata": {"resourceVersion": "{one.old}"}, "spec": {"description": "other"}}),
        ),
        // Not the same twice at first: with defaults, the first apply after the one that made it is a write.
        apply("apply a new one", format!("{two}{FORCED}"), tags(json!({"a": "1"}))),
        apply("apply more", format!("{two}{FORCED}"), tags(json!({"a": "1", "b": "2"}))),
        apply("apply it again", format!("{two}{FORCED}"), tags(json!({"a": "1", "b": "2"}))),
        apply("apply less", format!("{two}{FORCED}"), tags(json!({"a": "1"}))),
        apply("apply as another", format!("{two}?force=true&fieldManager=others"), tags(json!({"a": "3"}))),
        apply("apply as before", format!("{two}{FORCED}"), service("two", &json!({}))),
        apply(
            "apply a version that is past",
            format!("{two}{FORCED}"),
            json!({"apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
                   "metadata": {"name": "two", "resourceVersion": "{two.old}"}, "spec": {"description": "other"}}),
        ),
    ]
}

/// What is published: made, then applied by the same manager.
fn published() -> Vec<Exchange> {
    let path = format!("{MAPS}/map?force=true&fieldManager=operator");
    let uid = |uid: &str| json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
    vec![
        ask("publish", "POST", format!("{MAPS}?fieldManager=operator"), JSON, map("map", &json!({"a": "1", "b": "2"}))),
        ask("publish less", "PATCH", path.clone(), APPLY, map("map", &json!({"a": "1"}))),
        ask("publish other", "PATCH", path.clone(), APPLY, map("map", &json!({"a": "2", "c": "3"}))),
        ask("and less of it", "PATCH", path, APPLY, map("map", &json!({"a": "2"}))),
        ask("write it whole", "PUT", format!("{MAPS}/map"), JSON, {
            let mut map = map("map", &json!({"z": "1"}));
            map["metadata"]["resourceVersion"] = "{map.rv}".into();
            map
        }),
        ask("write it whole over the version before", "PUT", format!("{MAPS}/map"), JSON, {
            let mut map = map("map", &json!({"z": "2"}));
            map["metadata"]["resourceVersion"] = "{map.old}".into();
            map
        }),
        ask(
            "publish by an apply",
            "PATCH",
            format!("{MAPS}/applied{FORCED}"),
            APPLY,
            map("applied", &json!({"a": "1"})),
        ),
        ask("and again", "PATCH", format!("{MAPS}/applied{FORCED}"), APPLY, map("applied", &json!({"a": "1"}))),
        ask("and other", "PATCH", format!("{MAPS}/applied{FORCED}"), APPLY, map("applied", &json!({"b": "1"}))),
        ask("take another's away", "DELETE", format!("{MAPS}/map"), JSON, uid("0")),
        ask("take the label off", "PATCH", format!("{MAPS}/map"), MERGE, json!({"metadata": {"labels": {"l": null}}})),
        ask("take it away", "DELETE", format!("{MAPS}/map"), JSON, uid("{map.uid}")),
        ask("take it away again", "DELETE", format!("{MAPS}/map"), JSON, json!({})),
    ]
}

/// Lists, and the ends of objects.
fn endings() -> Vec<Exchange> {
    let one = format!("{OURS}/one");
    let steps = |what, steps: Value| ask(what, "PATCH", format!("{OURS}/one"), STEPS, steps);
    let list = |what, query: &str, media| ask(what, "GET", format!("{OURS}{query}"), media, Value::Null);
    vec![
        list("list all", "", JSON),
        list("the first page", "?limit=1", JSON),
        list("the next page", "?limit=1&continue={page}", JSON),
        list("list one by its name", "?fieldSelector=metadata.name%3Dtwo", JSON),
        list("list those with a label that none has", "?labelSelector=absent", JSON),
        list("list metadata", "", METADATA),
        ask("delete what is kept", "DELETE", one.clone(), JSON, json!({})),
        ask("delete it again", "DELETE", one.clone(), JSON, json!({})),
        steps("keep it more", json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "c.dev/c"}])),
        ask("change what goes", "PATCH", one.clone(), MERGE, json!({"spec": {"description": "it goes"}})),
        steps("take the first finalizer off", json!([{"op": "remove", "path": "/metadata/finalizers/0"}])),
        steps("take the last one off", json!([{"op": "remove", "path": "/metadata/finalizers/0"}])),
        ask("read what is gone", "GET", one.clone(), JSON, Value::Null),
        steps("keep what is gone", json!([{"op": "add", "path": "/metadata/finalizers", "value": []}])),
        ask("delete what is gone", "DELETE", one, JSON, json!({})),
        ask("delete what nothing keeps", "DELETE", format!("{OURS}/two"), JSON, json!({})),
    ]
}

/// What is watched at the end, from the version before everything, or from one that nobody remembers.
fn watches() -> Vec<Exchange> {
    let watch = |what, path: &str, query: &str, media| {
        let path = format!("{path}?watch=true&timeoutSeconds={}&{query}", WATCHED.as_secs());
        ask(what, "GET", path, media, Value::Null)
    };
    vec![
        watch("watch services", OURS, "allowWatchBookmarks=true&resourceVersion={first}", JSON),
        watch(
            "watch metadata",
            OURS,
            "resourceVersion={first}",
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
        ),
        watch("watch what has a label", MAPS, "allowWatchBookmarks=true&labelSelector=l&resourceVersion={first}", JSON),
        watch("watch from a version that nobody remembers", OURS, "resourceVersion=1", JSON),
    ]
}

/// Sends a request; gives the HTTP status and the whole body.
type Send = Box<dyn Fn(Request<Bytes>) -> BoxFuture<'static, (u16, Bytes)> + std::marker::Send + Sync>;

/// One of the two API servers, and what was learnt from it.
struct Player {
    send: Send,
    learnt: BTreeMap<String, String>,
    said: Vec<(String, Value)>,
}

impl Player {
    fn new(send: Send, namespace: &str) -> Self {
        Self { send, learnt: [("ns".to_owned(), namespace.to_owned())].into(), said: Vec::new() }
    }

    fn request(&self, exchange: &Exchange) -> Request<Bytes> {
        let fill = |text: &str| {
            let filled = self
                .learnt
                .iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            assert!(!["rv}", "old}", "uid}", "{page"].iter().any(|left| filled.contains(left)), "{filled}");
            filled
        };
        let body = if exchange.body.is_null() { String::new() } else { fill(&exchange.body.to_string()) };
        let (accept, content) = if body.is_empty() { (exchange.media, JSON) } else { (JSON, exchange.media) };
        let request = Request::builder().method(exchange.method).uri(fill(&exchange.path));
        let request = request.header("accept", accept).header("content-type", content);
        request.body(Bytes::from(body)).expect("a request")
    }

    async fn play(&mut self, exchange: &Exchange) {
        let (code, body) = (self.send)(self.request(exchange)).await;
        let answer: Value = serde_json::from_slice(&body).expect("the answer is JSON");
        let shown = self.shown(&answer);
        self.said.push((exchange.what.to_owned(), json!({"code": code, "answer": shown})));
    }

    /// What matters of an answer.
    fn shown(&mut self, answer: &Value) -> Value {
        let metadata = &answer["metadata"];
        if answer["kind"] == "Status" {
            return json!({"status": answer["status"], "reason": answer["reason"], "code": answer["code"]});
        }
        if let Some(items) = answer["items"].as_array() {
            if let Some(token) = metadata["continue"].as_str().filter(|token| !token.is_empty()) {
                self.learnt.insert("page".to_owned(), token.to_owned());
            }
            let more = metadata["continue"].as_str().is_some_and(|token| !token.is_empty());
            let same = self.learnt.insert("list".to_owned(), metadata["resourceVersion"].to_string())
                == Some(metadata["resourceVersion"].to_string());
            let items: Vec<Value> = items.iter().map(object).collect();
            return json!({"kind": answer["kind"], "more": more, "same version as the last list": same, "items": items});
        }
        let name = metadata["name"].as_str().unwrap_or_default();
        let version = metadata["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let before = self.learnt.get(&format!("{name}.rv")).cloned();
        let moved = before.as_ref() != Some(&version);
        if moved {
            self.learnt.insert(format!("{name}.rv"), version.clone());
            self.learnt.insert(format!("{name}.old"), before.unwrap_or_default());
            self.learnt.insert(format!("{name}.uid"), metadata["uid"].as_str().unwrap_or_default().to_owned());
        }
        json!({"moved": moved, "object": object(answer)})
    }

    /// Plays watches at the same time; of each, what came and in which order.
    async fn watch(&mut self, exchanges: &[Exchange]) {
        let answers = join_all(exchanges.iter().map(|exchange| (self.send)(self.request(exchange)))).await;
        for (exchange, (code, body)) in exchanges.iter().zip(answers) {
            let lines = serde_json::Deserializer::from_slice(&body).into_iter::<Value>();
            let mut last = 0;
            let mut events = Vec::new();
            for event in lines {
                let event = event.expect("an event is JSON");
                let metadata = &event["object"]["metadata"];
                let version = metadata["resourceVersion"].as_str().and_then(|text| text.parse::<u64>().ok());
                let grows = version.map(|version| version >= std::mem::replace(&mut last, version));
                let object = match event["type"].as_str() {
                    Some("ERROR") => json!({"reason": event["object"]["reason"], "code": event["object"]["code"]}),
                    Some("BOOKMARK") => {
                        // When one comes is the API server's own affair; what it is, is not.
                        assert!(grows == Some(true) && event["object"]["kind"].is_string(), "{event}");
                        assert_eq!(event["object"]["spec"], Value::Null, "{event}");
                        continue;
                    }
                    _ => object(&event["object"]),
                };
                events.push(json!({"type": event["type"], "grows": grows, "object": object}));
            }
            self.said.push((exchange.what.to_owned(), json!({"code": code, "events": events})));
        }
    }

    async fn play_all(mut self) -> Vec<(String, Value)> {
        // The version before everything.
        let first = ask("first", "GET", MAPS.to_owned(), JSON, Value::Null);
        let (_, body) = (self.send)(self.request(&first)).await;
        let listed: Value = serde_json::from_slice(&body).expect("the answer is JSON");
        let version = listed["metadata"]["resourceVersion"].as_str().expect("a list has a version");
        self.learnt.insert("first".to_owned(), version.to_owned());
        for exchange in makings().iter().chain(&writings()).chain(&published()).chain(&endings()) {
            self.play(exchange).await;
        }
        self.watch(&watches()).await;
        self.said
    }
}

/// What matters of an object. A status that says that nobody has looked yet is the CRD's default, and the API
/// server in memory has no defaults.
fn object(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let status = Some(&object["status"]).filter(|status| status["observedGeneration"] != -1);
    json!({
        "kind": object["kind"], "name": metadata["name"], "generation": metadata["generation"],
        "finalizers": metadata["finalizers"], "labels": metadata["labels"], "annotations": metadata["annotations"],
        "going": metadata.get("deletionTimestamp").is_some(), "grace": metadata["deletionGracePeriodSeconds"],
        "spec": object["spec"], "status": status, "data": object["data"],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_in_memory_answers_as_the_real_one() {
    let cluster = cluster::shared();
    let namespace = cluster.namespace("conformity").await;
    let client = cluster.admin_client().await;
    let real: Send = Box::new(move |request| {
        let client = client.clone();
        async move {
            let answer = client.send(request.map(kube::client::Body::from)).await.expect("it answers");
            (answer.status().as_u16(), answer.into_body().collect().await.expect("a whole answer").to_bytes())
        }
        .boxed()
    });
    let api = ApiServer::new(jiff::Timestamp::now);
    let memory = api.clone();
    let in_memory: Send = Box::new(move |request| {
        let memory = memory.clone();
        async move {
            let answer = memory.answer(request);
            (answer.status().as_u16(), answer.into_body().collect().await.expect("a whole answer").to_bytes())
        }
        .boxed()
    });
    for name in ["team", "other"] {
        // What the first of them is made with is forgotten; the real one has forgotten its first version, too.
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).to_string();
        let request = Request::post("/api/v1/namespaces").body(Bytes::from(body)).expect("a request");
        assert_eq!((in_memory)(request).await.0, 201);
        api.forget_history();
    }
    let (real, memory) =
        join(Player::new(real, &namespace).play_all(), Player::new(in_memory, "team").play_all()).await;
    assert_eq!(api.unknown(), Vec::<String>::new());
    assert!(real.len() >= 20, "only {} exchanges", real.len());
    let differ: Vec<String> = real
        .iter()
        .zip(&memory)
        .filter(|(real, memory)| real != memory)
        .map(|(real, memory)| format!("{}\n  real:      {}\n  in memory: {}", real.0, real.1, memory.1))
        .collect();
    assert_eq!(real.len(), memory.len());
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), real.len(), differ.join("\n"));
    println!("conformity: {} exchanges are equal", real.len());
}
