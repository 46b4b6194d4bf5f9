//! Agreement with requests that the vendor's own SDKs signed, and refusal of everything close to them.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Nonces, Refused, canonical_request, hex, skew, verify};
use crate::inbound::Inbound;
use crate::keys::{Identity, Key, Keys, Secret};
use crate::world::{AccountId, Actor, Variants};

use sha2::{Digest as _, Sha256};

const VECTORS: &str = include_str!("../../../tests/data/golden/vectors.json");
const NOW: &str = "2026-01-02T03:04:05Z";

macro_rules! golden {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../tests/data/golden/alibaba/", $name)))),*]
    };
}

const RAW: &[(&str, &str)] = golden![
    "go-CreateVpcEndpointService.http",
    "go-ListVpcEndpointConnections-next.http",
    "go-UpdateVpcEndpointZoneConnectionResourceAttribute.http",
    "python-CreateVpcEndpoint-dryrun.http",
    "python-CreateVpcEndpointService.http",
    "python-ListVpcEndpointConnections-first.http",
    "python-ListVpcEndpointConnections-next.http",
    "python-UpdateVpcEndpointZoneConnectionResourceAttribute.http",
];
const RECORDED: &[(&str, &str)] = golden![
    "python-CreateVpcEndpoint-dryrun.json",
    "python-CreateVpcEndpointService.json",
    "python-ListVpcEndpointConnections-first.json",
    "python-ListVpcEndpointConnections-next.json",
    "python-UpdateVpcEndpointZoneConnectionResourceAttribute.json",
];
const ASSUME_ROLE: &str = include_str!("../../../tests/data/golden/alibaba/python-AssumeRole.http");
const UNSIGNED: &str = include_str!("../../../tests/data/golden/alibaba/python-AssumeRoleWithOIDC.http");
const PUBLISHED: &str = include_str!("../../../tests/data/golden/alibaba/vendor-published.json");

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// How far a date may be off in the default world.
fn usual() -> SignedDuration {
    skew(&Variants::default())
}

fn key(secret: &str) -> Key {
    Key {
        secret: Secret::new(secret),
        token: None,
        expires: None,
        actor: Actor { account: AccountId(1), identity: 0, session: false },
        role: 0,
        identity: Identity::Root,
        denied: BTreeSet::new(),
    }
}

fn keys() -> Keys {
    Keys::from([("testid".to_owned(), key("testsecret"))])
}

fn with_target(method: &str, target: &str) -> Inbound {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Inbound { method: method.into(), path: path.into(), query: query.into(), ..Inbound::default() }
}

/// The request in the bytes of a `.http` file.
fn raw(text: &str) -> Inbound {
    let (head, body) = text.split_once("\r\n\r\n").expect("a blank line ends the head");
    let mut lines = head.split("\r\n");
    let mut first = lines.next().expect("a request line").split(' ');
    let mut call = with_target(first.next().expect("a method"), first.next().expect("a target"));
    call.headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    call.body = Bytes::copy_from_slice(body.as_bytes());
    call
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the golden files are JSON")
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is a text")).to_owned()
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let members = value["headers"].as_object().expect("headers");
    members.iter().map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect()
}

fn set(call: &mut Inbound, name: &str, value: String) {
    call.headers.retain(|(other, _)| other != name);
    call.headers.push((name.to_owned(), value));
}

fn authorization(id: &str, signed: &str, signature: &str) -> String {
    format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={signed},Signature={signature}")
}

/// A recorded request, signed over the headers that must be signed and no others.
fn minimal(text_of: &str) -> Inbound {
    let recorded = json(text_of);
    let mut call = with_target(&text(&recorded, "method"), &text(&recorded, "target"));
    call.headers = headers(&recorded);
    call.headers.retain(|(name, _)| name != "x-acs-credentials-provider");
    let minimal = &recorded["minimal"];
    let proof = authorization("testid", &text(minimal, "signed_headers"), &text(minimal, "signature"));
    set(&mut call, "authorization", proof);
    call
}

#[test]
fn every_recorded_request_is_accepted() {
    for (name, bytes) in RAW {
        let signed = verify(&raw(bytes), &keys(), now(), usual()).map(|signed| signed.nonce);
        assert_eq!(signed, Ok("0123456789abcdef0123456789abcdef".to_owned()), "{name}");
    }
    for (name, bytes) in RECORDED {
        assert!(verify(&minimal(bytes), &keys(), now(), usual()).is_ok(), "{name}, minimal");
    }
}

#[test]
fn every_intermediate_text_is_the_recorded_one() {
    let vectors = json(VECTORS);
    let of_alibaba =
        vectors.as_array().expect("a list").iter().filter(|entry| text(entry, "file").starts_with("alibaba/"));
    let mut compared = 0;
    for entry in of_alibaba {
        let name = text(entry, "file");
        let (_, bytes) = RAW.iter().find(|(file, _)| name.ends_with(file)).expect("each vector has its file");
        let call = raw(bytes);
        let proof = call.header("authorization").expect("signed");
        let signed = proof.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).expect("a list");
        let canonical = canonical_request(&call, signed, &hex(&Sha256::digest(&call.body))).expect("complete");
        assert_eq!(canonical, text(entry, "canonical_request"), "{name}");
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        assert_eq!(format!("ACS3-HMAC-SHA256\n{digest}"), text(entry, "string_to_sign"), "{name}");
        assert!(proof.ends_with(&text(entry, "signature")), "{name}");
        compared += 1;
    }
    assert_eq!(compared, RAW.len());
    for (name, bytes) in RECORDED {
        let recorded = json(bytes);
        let minimal_text = &recorded["minimal"];
        let call = minimal(bytes);
        let canonical = canonical_request(&call, &text(minimal_text, "signed_headers"), &hex(&Sha256::digest([])));
        assert_eq!(canonical.expect("complete"), text(minimal_text, "canonical_request"), "{name}");
    }
}

#[test]
fn the_vendors_published_example_is_accepted() {
    let example = json(PUBLISHED);
    let query = example["query"].as_object().expect("a query");
    let pairs = query.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text")));
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut call = with_target("POST", &format!("/?{encoded}"));
    call.headers = headers(&example);
    let names: BTreeSet<_> = call.headers.iter().map(|(name, _)| name.clone()).collect();
    let signed = names.into_iter().collect::<Vec<_>>().join(";");
    set(&mut call, "authorization", authorization("YourAccessKeyId", &signed, &text(&example, "signature")));
    let keys = Keys::from([("YourAccessKeyId".to_owned(), key("YourAccessKeySecret"))]);
    let date = "2023-10-26T10:22:32Z".parse().expect("a time");
    assert!(verify(&call, &keys, date, usual()).is_ok());
}

#[test]
fn the_older_style_is_accepted_in_query_and_form() {
    let call = raw(ASSUME_ROLE);
    assert!(verify(&call, &keys(), now(), usual()).is_ok());
    let mut posted = call.clone();
    posted.method = "POST".to_owned();
    let wrong_method = verify(&posted, &keys(), now(), usual()).expect_err("the method is signed");
    let Refused::Mismatch(string_to_sign) = wrong_method else { panic!("{wrong_method:?}") };
    let signature = super::Style::Rpc.sign("testsecret", &string_to_sign);
    let mut pairs = posted.parameters();
    pairs.retain(|(name, _)| name != "Signature");
    pairs.push(("Signature".to_owned(), signature));
    posted.query.clear();
    posted.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into();
    set(&mut posted, "content-type", "application/x-www-form-urlencoded".to_owned());
    assert!(verify(&posted, &keys(), now(), usual()).is_ok());
}

/// `bytes` with the byte at `at` made another one.
fn mutated(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
    changed
}

fn mutations(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).filter_map(|at| String::from_utf8(mutated(text.as_bytes(), at)).ok())
}

#[test]
fn any_changed_byte_of_a_signed_part_is_refused() {
    let mut tried = 0;
    let mut refused = |call: &Inbound, what: &str| {
        assert!(verify(call, &keys(), now(), usual()).is_err(), "{what} was changed and accepted: {call:?}");
        tried += 1;
    };
    let acs3 = RAW.iter().map(|(_, bytes)| raw(bytes)).chain(RECORDED.iter().map(|(_, bytes)| minimal(bytes)));
    for call in acs3 {
        let proof = call.header("authorization").expect("signed");
        let signed = proof.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).expect("a list");
        for query in mutations(&call.query) {
            refused(&Inbound { query, ..call.clone() }, "the query");
        }
        for method in mutations(&call.method) {
            refused(&Inbound { method, ..call.clone() }, "the method");
        }
        for path in mutations(&call.path) {
            refused(&Inbound { path, ..call.clone() }, "the path");
        }
        refused(&Inbound { body: Bytes::from_static(b"x"), ..call.clone() }, "the body");
        for name in signed.split(';') {
            for value in mutations(&call.header(name).expect("a signed header is there")) {
                let mut changed = call.clone();
                set(&mut changed, name, value);
                refused(&changed, name);
            }
        }
        for value in mutations(&proof) {
            let mut changed = call.clone();
            set(&mut changed, "authorization", value);
            refused(&changed, "the authorization");
        }
        let mut added = call.clone();
        set(&mut added, "x-acs-unsigned", "1".to_owned());
        refused(&added, "an unsigned header of the vendor");
    }
    let older = raw(ASSUME_ROLE);
    for query in mutations(&older.query) {
        refused(&Inbound { query, ..older.clone() }, "the query");
    }
    refused(&Inbound { path: "/elsewhere".to_owned(), ..older.clone() }, "the path");
    refused(&Inbound { path: "//".to_owned(), ..older.clone() }, "the path");
    assert!(tried > 9_000, "{tried}");
}

#[test]
fn refusals_name_what_is_wrong() {
    let call = raw(RAW[0].1);
    let refusal = |call: &Inbound, keys: &Keys, now| verify(call, keys, now, usual()).map(|_| ()).expect_err("refused");
    assert_eq!(refusal(&call, &Keys::new(), now()), Refused::UnknownKey);
    let late = now() + SignedDuration::from_secs(15 * 60 + 1);
    assert_eq!(refusal(&call, &keys(), late), Refused::Expired);
    assert!(verify(&call, &keys(), now() - SignedDuration::from_mins(15), usual()).is_ok());
    assert!(matches!(refusal(&raw(UNSIGNED), &keys(), now()), Refused::Incomplete(_)));
    let other = Keys::from([("testid".to_owned(), key("testsecreu"))]);
    assert!(matches!(refusal(&call, &other, now()), Refused::Mismatch(_)));
    for name in ["x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"] {
        let mut changed = call.clone();
        changed.headers.retain(|(other, _)| other != name);
        assert!(matches!(refusal(&changed, &keys(), now()), Refused::Incomplete(_)), "{name}");
    }
}

#[test]
fn how_far_a_date_may_be_off_is_the_worlds_choice() {
    let call = raw(RAW[0].1);
    for minutes in [15, 5, 60] {
        let variants = Variants::default().with("clockSkewMinutes", &minutes.to_string()).expect("a value of it");
        let off = SignedDuration::from_mins(minutes);
        for now in [now() + off, now() - off] {
            assert!(verify(&call, &keys(), now, skew(&variants)).is_ok(), "{minutes}");
        }
        let second = SignedDuration::from_secs(1);
        for now in [now() + off + second, now() - off - second] {
            let refused = verify(&call, &keys(), now, skew(&variants)).map(|_| ()).expect_err("refused");
            assert_eq!(refused, Refused::Expired, "{minutes}");
        }
    }
}

#[test]
fn a_session_key_needs_its_token_and_its_time() {
    let session = |token: &str, end: Option<&str>| {
        let mut key = key("testsecret");
        key.token = Some(Secret::new(token));
        key.expires = end.map(|end| end.parse().expect("a time"));
        Keys::from([("testid".to_owned(), key)])
    };
    let call = raw(RAW[0].1);
    assert_eq!(verify(&call, &session("t", None), now(), usual()).map(|_| ()), Err(Refused::TokenMissing));
    let mut with_token = raw(ASSUME_ROLE);
    let mut pairs = with_token.parameters();
    pairs.retain(|(name, _)| name != "Signature");
    pairs.push(("SecurityToken".to_owned(), "t".to_owned()));
    let string_to_sign = format!("GET&%2F&{}", super::encode(&super::canonical_pairs(pairs.clone())));
    pairs.push(("Signature".to_owned(), super::Style::Rpc.sign("testsecret", &string_to_sign)));
    with_token.query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let outcome = |keys: &Keys| verify(&with_token, keys, now(), usual()).map(|_| ());
    assert_eq!(outcome(&session("t", None)), Ok(()));
    assert_eq!(outcome(&session("other", None)), Err(Refused::TokenMismatch));
    assert_eq!(outcome(&keys()), Err(Refused::TokenMismatch));
    assert_eq!(outcome(&session("t", Some(NOW))), Err(Refused::TokenExpired));
}

#[test]
fn a_nonce_serves_once_until_it_is_too_old_to_matter() {
    let mut nonces = Nonces::default();
    assert_eq!(nonces.spend("a", "n", now(), usual()), Ok(()));
    assert_eq!(nonces.spend("b", "n", now(), usual()), Ok(()));
    assert_eq!(nonces.spend("a", "n", now() + SignedDuration::from_mins(30), usual()), Err(Refused::NonceUsed));
    assert_eq!(nonces.spend("a", "n", now() + SignedDuration::from_mins(31), usual()), Ok(()));
    assert!(nonces.by_age.len() == nonces.known.len() && nonces.known.len() == 1);
}
