//! ACS3-HMAC-SHA256: a call becomes a request that the cloud believes.
//!
//! Signed are the host and every `x-acs-` header, and the content type when there is a body. The date and the
//! nonce are given, never drawn; a nonce must be new for every attempt, so each retry is signed anew.

use std::fmt;

use super::Unsigned;
use crate::moment::Moment;
use crate::wire::digest::{hex, hmac_sha256, sha256_hex};
use crate::wire::{Request, percent, utc};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// An access key.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// Id.
    pub id: &'a str,
    /// Secret.
    pub secret: &'a str,
    /// Session token, of temporary credentials.
    pub token: Option<&'a str>,
}

/// Shows neither the secret nor the token, and of the id only that there is one.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("temporary", &self.token.is_some()).finish_non_exhaustive()
    }
}

/// The request that makes the call with the key at `date`, under a `nonce` that was never used before.
#[must_use]
pub fn sign(call: &Unsigned, key: &Key<'_>, date: Moment, nonce: &str) -> Request {
    let pairs = percent::pairs(&call.parameters);
    let (query, body) = if call.form { (String::new(), pairs) } else { (pairs, String::new()) };
    let mut headers = vec![
        ("x-acs-action".to_owned(), call.action.to_owned()),
        ("x-acs-content-sha256".to_owned(), sha256_hex(body.as_bytes())),
        ("x-acs-date".to_owned(), utc::iso(date)),
        ("x-acs-signature-nonce".to_owned(), nonce.to_owned()),
        ("x-acs-version".to_owned(), call.version.to_owned()),
    ];
    if let Some(token) = key.token {
        headers.push(("x-acs-accesskey-id".to_owned(), key.id.to_owned()));
        headers.push(("x-acs-security-token".to_owned(), token.to_owned()));
    }
    if call.form {
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    }
    let mut signed = headers.clone();
    signed.push(("host".to_owned(), call.host.clone()));
    let canonical = canonical("POST", "/", &query, &signed, body.as_bytes());
    headers.push(("authorization".to_owned(), authorization(key, &signed, &canonical)));
    headers.push(("accept".to_owned(), "application/json".to_owned()));
    Request { method: "POST", host: call.host.clone(), path: "/".into(), query, headers, body: body.into_bytes() }
}

/// The text that is signed of a request: `query` is encoded and sorted, `headers` are those to be signed, in any
/// order, names in lower case.
#[must_use]
pub fn canonical(method: &str, path: &str, query: &str, headers: &[(String, String)], body: &[u8]) -> String {
    let mut text = format!("{method}\n{path}\n{query}\n");
    for (name, value) in sorted(headers) {
        text.extend([name, ":", value.trim(), "\n"]);
    }
    text.extend(["\n", &names(headers), "\n", &sha256_hex(body)]);
    text
}

/// What the secret signs.
#[must_use]
pub fn string_to_sign(canonical: &str) -> String {
    format!("{ALGORITHM}\n{}", sha256_hex(canonical.as_bytes()))
}

/// The value of the `authorization` header for the headers to be signed and the canonical text made of them.
#[must_use]
pub fn authorization(key: &Key<'_>, headers: &[(String, String)], canonical: &str) -> String {
    let signature = hex(&hmac_sha256(key.secret.as_bytes(), string_to_sign(canonical).as_bytes()));
    format!("{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}", key.id, names(headers))
}

fn sorted(headers: &[(String, String)]) -> Vec<&(String, String)> {
    let mut sorted: Vec<_> = headers.iter().collect();
    sorted.sort();
    sorted
}

fn names(headers: &[(String, String)]) -> String {
    sorted(headers).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
}
