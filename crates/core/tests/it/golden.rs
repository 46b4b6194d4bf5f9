//! Our signatures are those that the vendor's own libraries put on the same requests, and the vendor's example's.
#![expect(clippy::disallowed_methods, reason = "this test reads the recorded requests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use privatelink_core::moment::Moment;
use privatelink_core::observed::EndpointKind;
use privatelink_core::step::{EndpointForm, InterfaceForm, Step};
use privatelink_core::wire::Request;
use privatelink_core::wire::alibaba::sign::{Key, authorization, canonical, sign, string_to_sign};
use privatelink_core::wire::alibaba::{Product, Unsigned};
use privatelink_core::wire::alibaba::{encode, sts};
use serde_json::Value;

/// When all requests were recorded: 2026-01-02T03:04:05Z.
const RECORDED: Moment = Moment(1_767_323_045_000);
const NONCE: &str = "0123456789abcdef0123456789abcdef";
const RECORDER: Key<'static> = Key { id: "testid", secret: "testsecret", token: None };

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).expect("recorded JSON")
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is a string"))
}

/// Parameters of a query as a library wrote it, with `+` for a space.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').expect("name=value")).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

/// A call of these parameters, as only the recordings make it.
fn call(action: &str, version: &str, host: &str, parameters: BTreeMap<String, String>, form: bool) -> Unsigned {
    let (action, version) = (action.to_owned().leak(), version.to_owned().leak());
    Unsigned { product: Product::PrivateLink, host: host.to_owned(), action, version, parameters, form }
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str()).expect(name)
}

fn signature(authorization: &str) -> &str {
    authorization.rsplit_once("Signature=").expect("a signature").1
}

/// Target and headers of a recorded request.
fn recorded(http: &str) -> (String, Vec<(String, String)>) {
    let mut lines = http.split("\r\n\r\n").next().expect("a head").lines().map(str::trim_end);
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a request line").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    (target, headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect())
}

#[test]
fn every_recorded_request_gets_the_signature_it_was_recorded_with() {
    let vectors = json("vectors.json");
    let vectors = vectors.as_array().expect("a list");
    for vector in vectors {
        let file = string(vector, "file");
        let (target, headers) = recorded(&text(file));
        let found = |name: &str| headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone());
        let sent = found("authorization").expect("an authorization");
        let names = sent.split_once("SignedHeaders=").and_then(|(_, rest)| rest.split(',').next()).expect("names");
        let signed: Vec<_> = names.split(';').map(|name| (name.to_owned(), found(name).expect(name))).collect();

        let (path, query) = target.split_once('?').expect("a query");
        let unsigned = call("-", "-", "-", parameters(query), false);
        let query = sign(&unsigned, &RECORDER, RECORDED, NONCE).query;
        let text = canonical("POST", path, &query, &signed, b"");
        assert_eq!(text, string(vector, "canonical_request"), "{file}");
        assert_eq!(string_to_sign(&text), string(vector, "string_to_sign"), "{file}");
        let ours = authorization(&RECORDER, &signed, &text);
        assert_eq!(ours, sent, "{file}");
        assert_eq!(signature(&ours), string(vector, "signature"), "{file}");
    }
    assert_eq!(vectors.len(), 8);
}

#[test]
fn our_own_requests_are_the_recorded_ones_signed_over_what_must_be_signed() {
    let files = [
        "CreateVpcEndpoint-dryrun",
        "CreateVpcEndpointService",
        "ListVpcEndpointConnections-first",
        "ListVpcEndpointConnections-next",
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
    ];
    for file in files {
        let recorded = json(&format!("alibaba/python-{file}.json"));
        let query = string(&recorded, "target").trim_start_matches("/?");
        let headers = &recorded["headers"];
        let action = string(headers, "x-acs-action");
        let version = string(headers, "x-acs-version");
        let unsigned = call(action, version, string(headers, "host"), parameters(query), false);
        let request = sign(&unsigned, &RECORDER, RECORDED, NONCE);

        let minimal = &recorded["minimal"];
        assert_eq!(signature(header(&request, "authorization")), string(minimal, "signature"), "{file}");
        let names = format!("SignedHeaders={},", string(minimal, "signed_headers"));
        assert!(header(&request, "authorization").contains(&names), "{file}");
        for name in ["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"] {
            assert_eq!(header(&request, name), string(headers, name), "{file}");
        }
        assert_eq!((request.method, &*request.path, request.body.as_slice()), ("POST", "/", &b""[..]));
        assert_eq!(request.host, string(headers, "host"));
        // What is sent is what was signed, and says what the library's request says.
        assert!(string(minimal, "canonical_request").contains(&format!("\n{}\n", request.query)), "{file}");
        assert_eq!(parameters(&request.query), parameters(query), "{file}");
    }
}

/// What we ask for an endpoint is what the vendor's own library asks, but for what only we or only it says.
#[test]
fn an_endpoint_is_asked_for_as_the_vendors_library_does() {
    let zone = |zone: &str, ip: Option<&str>| InterfaceForm {
        zone: zone.into(),
        ip: ip.map(|ip| ip.parse().expect("an address")),
        ipv6: None,
    };
    let form = EndpointForm {
        kind: EndpointKind::Interface,
        service: Some("epsrv-1".into()),
        service_name: None,
        service_region: None,
        vpc: "vpc-1".into(),
        zones: [
            ("vsw-1".into(), zone("cn-hangzhou-h", Some("192.168.0.10"))),
            ("vsw-2".into(), zone("cn-hangzhou-i", None)),
        ]
        .into(),
        groups: ["sg-1".into(), "sg-2".into()].into(),
        name: Some("test".into()),
        description: None,
        family: None,
        zone_affinity: None,
        policy: None,
        protected: Some(false),
        cross_region_bandwidth_mbps: None,
        resource_group: None,
        tags: BTreeMap::new(),
    };
    let recorded = json("alibaba/python-CreateVpcEndpoint-dryrun.json");
    let mut theirs = parameters(string(&recorded, "target").trim_start_matches("/?"));
    assert_eq!(theirs.remove("DryRun").as_deref(), Some("True"));
    // Python writes truth values with a capital, Go as we do; the cloud takes both.
    theirs.values_mut().filter(|value| *value == "False").for_each(|value| *value = "false".to_owned());
    let mut ours = encode::step(&Step::CreateEndpoint(form), &"cn-hangzhou".into(), &theirs["ClientToken"]);
    assert_eq!(ours.parameters.remove("EndpointType").as_deref(), Some("Interface"));
    assert_eq!(ours.parameters, theirs);
    let headers = &recorded["headers"];
    assert_eq!((ours.action, ours.version), (string(headers, "x-acs-action"), string(headers, "x-acs-version")));
    assert_eq!((ours.host.as_str(), ours.form), (string(headers, "host"), false));
}

/// A role is assumed as the vendor's own library does it, in the style of signing that we use for all calls.
#[test]
fn a_role_is_asked_for_as_the_vendors_library_does() {
    let (target, headers) = recorded(&text("alibaba/python-AssumeRole.http"));
    let mut theirs = parameters(target.trim_start_matches("/?"));
    let host = headers.iter().find(|(name, _)| name == "host").expect("a host").1.clone();
    let ours = sts::assume_role("acs:ram::123456789012:role/r", Some("ext"), sts::host(&"cn-hangzhou".into(), false));
    assert_eq!(ours.host, host);
    assert_eq!(theirs.remove("Action").as_deref(), Some(ours.action));
    assert_eq!(theirs.remove("Version").as_deref(), Some(ours.version));
    // What the older style puts into parameters and ours into headers.
    for name in
        ["SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature", "AccessKeyId", "Timestamp", "Format"]
    {
        assert!(theirs.remove(name).is_some(), "{name}");
    }
    // The one thing that each caller chooses.
    assert_eq!(theirs.insert("RoleSessionName".to_owned(), sts::SESSION_NAME.to_owned()).as_deref(), Some("golden"));
    assert_eq!(ours.parameters, theirs);
}

/// A token is shown with the parameters that the vendor's libraries send, in the body as the one in Go does.
#[test]
fn a_token_is_exchanged_as_the_vendors_library_does_and_stands_in_no_url() {
    let (target, _) = recorded(&text("alibaba/python-AssumeRoleWithOIDC.http"));
    let theirs = parameters(target.trim_start_matches("/?"));
    let identity = sts::WebIdentity {
        role: "acs:ram::123456789012:role/r",
        provider: "acs:ram::123456789012:oidc-provider/ack-rrsa-c",
        session: "golden",
    };
    let host = sts::host(&"cn-hangzhou".into(), false);
    let request = sts::assume_role_with_oidc(&identity, "eyJhbGciOi.fake.jwt", host, RECORDED);
    let body = String::from_utf8(request.body.clone()).expect("text");
    let (query, form) = (parameters(&request.query), parameters(&body));
    assert_eq!(query.keys().collect::<Vec<_>>(), ["Action", "Format", "Timestamp", "Version"]);
    assert_eq!(query.into_iter().chain(form).collect::<BTreeMap<_, _>>(), theirs);
    assert_eq!((request.method, &*request.path, &*request.host), ("POST", "/", "sts.cn-hangzhou.aliyuncs.com"));
    assert_eq!(header(&request, "content-type"), "application/x-www-form-urlencoded");
    let printed = format!("{request:?}");
    assert!(!printed.contains("fake"), "{printed}");
}

#[test]
fn the_vendors_published_example_holds() {
    let example = json("alibaba/vendor-published.json");
    let headers = &example["headers"];
    let query: BTreeMap<String, String> = serde_json::from_value(example["query"].clone()).expect("strings");
    let (action, version) = (string(headers, "x-acs-action"), string(headers, "x-acs-version"));
    let unsigned = call(action, version, string(&example, "host"), query, false);
    let key = Key { id: string(&example, "access_key_id"), secret: string(&example, "access_key_secret"), token: None };
    // 2023-10-26T10:22:32Z.
    let request = sign(&unsigned, &key, Moment(1_698_315_752_000), string(headers, "x-acs-signature-nonce"));
    assert_eq!(header(&request, "x-acs-date"), string(headers, "x-acs-date"));
    assert_eq!(signature(header(&request, "authorization")), string(&example, "signature"));
}

/// No recording has a form, a session token or a port. This one was computed from the rule by other code than ours.
#[test]
fn a_form_a_session_token_and_a_port_are_signed_too() {
    let parameters = [("ResourceId.1", "epsrv-1"), ("Tag.1.Key", "a b"), ("Tag.1.Value", "ü+&=*")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let unsigned = call("TagResources", "2020-04-15", "127.0.0.1:8443", parameters, true);
    let key = Key { token: Some("token/+="), ..RECORDER };
    let request = sign(&unsigned, &key, RECORDED, NONCE);
    let computed = json("alibaba/computed-form.json");
    assert_eq!(String::from_utf8(request.body.clone()).expect("text"), string(&computed, "body"));
    assert_eq!(header(&request, "authorization"), string(&computed, "authorization"));
    assert_eq!(header(&request, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(header(&request, "x-acs-security-token"), "token/+=");
    assert_eq!(header(&request, "x-acs-accesskey-id"), "testid");
    assert_eq!((request.query.as_str(), request.host.as_str()), ("", "127.0.0.1:8443"));
}

#[test]
fn nothing_secret_is_shown() {
    let key = Key { id: "the-id", secret: "the-secret", token: Some("the-token") };
    let unsigned = call("DeleteVpcEndpointService", "2020-04-15", "h", BTreeMap::new(), false);
    let request = sign(&unsigned, &key, RECORDED, NONCE);
    let shown = format!("{key:?} {request:?}");
    for secret in ["the-id", "the-secret", "the-token", signature(header(&request, "authorization"))] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("x-acs-security-token"), "names are shown: {shown}");
}
