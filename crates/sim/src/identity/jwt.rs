//! OIDC tokens: what an identity provider signs, checked against its public keys. RS256 and ES256 are read.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Provider;

/// Public keys, as providers publish them (RFC 7517).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<PublicKey>,
}

/// A public key. Members that are not here are for others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PublicKey {
    /// `RSA` or `EC`.
    pub kty: String,
    /// Name, which tokens may give.
    pub kid: Option<String>,
    /// Modulus of an RSA key.
    pub n: String,
    /// Exponent of an RSA key.
    pub e: String,
    /// Curve of an EC key: `P-256`.
    pub crv: String,
    /// Point of an EC key.
    pub x: String,
    /// Point of an EC key.
    pub y: String,
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not three parts.
    #[error("A token has 3 parts, divided by '.'.")]
    Parts,
    /// A part is not base64 of JSON of the right shape.
    #[error("The {0} of the token cannot be decoded.")]
    Unreadable(&'static str),
    /// An algorithm that is not read.
    #[error("The algorithm {0} in the token's header is unknown.")]
    Algorithm(String),
    /// Another provider's.
    #[error("The issuer in the OIDC token does not match the registered OIDC provider.")]
    Issuer,
    /// The provider's keys are not known.
    #[error("The public keys of the OIDC provider cannot be got; the issuer is {0}.")]
    NoKeys(String),
    /// The provider has no key of the token's name.
    #[error("The OIDC token names a key that the OIDC provider does not have.")]
    UnknownKey,
    /// The signature is not one of the provider's keys.
    #[error("The signature of the OIDC token is not right.")]
    Signature,
    /// Its time is over.
    #[error("The OIDC token is expired.")]
    Expired,
    /// Its time has not come.
    #[error("The OIDC token is not valid yet.")]
    Early,
    /// Meant for others.
    #[error("The audience of the OIDC token is none of the registered client ids.")]
    Audience,
}

/// What a token that is right says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who it is about.
    pub subject: String,
    /// Whom it is meant for.
    pub audiences: Vec<String>,
    /// When its time is over.
    pub expires: Timestamp,
    /// When it was issued, where it says so.
    pub issued: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Checks `token` as one of `provider`, at `now`.
///
/// # Errors
/// [`Refused`], the first thing that is wrong: form, issuer, key, signature, time, audience.
pub fn verify(token: &str, provider: &Provider, now: Timestamp) -> Result<Claims, Refused> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, proof] = parts[..] else { return Err(Refused::Parts) };
    let header: Header = read(head).ok_or(Refused::Unreadable("header"))?;
    let kty = match header.alg.as_str() {
        "RS256" => "RSA",
        "ES256" => "EC",
        _ => return Err(Refused::Algorithm(header.alg)),
    };
    let payload: Payload = read(body).ok_or(Refused::Unreadable("content"))?;
    let proof = URL_SAFE_NO_PAD.decode(proof).map_err(|_| Refused::Unreadable("signature"))?;
    if payload.iss != provider.issuer {
        return Err(Refused::Issuer);
    }
    if provider.keys.keys.is_empty() {
        return Err(Refused::NoKeys(payload.iss));
    }
    let named = |key: &&PublicKey| key.kty == kty && (header.kid.is_none() || header.kid == key.kid);
    let mut keys = provider.keys.keys.iter().filter(named).peekable();
    keys.peek().ok_or(Refused::UnknownKey)?;
    let signed = &token.as_bytes()[..head.len() + 1 + body.len()];
    if !keys.any(|key| key.signed(signed, &proof)) {
        return Err(Refused::Signature);
    }
    let expires = moment(payload.exp);
    if expires <= now {
        return Err(Refused::Expired);
    }
    if payload.nbf.is_some_and(|start| moment(start) > now) {
        return Err(Refused::Early);
    }
    let audiences = match payload.aud {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    };
    if !audiences.iter().any(|audience| provider.audiences.contains(audience)) {
        return Err(Refused::Audience);
    }
    Ok(Claims { subject: payload.sub, audiences, expires, issued: payload.iat.map(moment) })
}

fn read<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Seconds since 1970, as tokens count; what no clock can show is the begin or the end of time.
fn moment(seconds: f64) -> Timestamp {
    let beyond = if seconds < 0.0 { Timestamp::MIN } else { Timestamp::MAX };
    let since = SignedDuration::try_from_secs_f64(seconds).ok();
    since.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok()).unwrap_or(beyond)
}

impl KeySet {
    /// Whether every key can be used.
    ///
    /// # Errors
    /// The first key that cannot: its place, what is wrong and what to do.
    pub fn check(&self) -> Result<(), (String, String)> {
        for (at, key) in self.keys.iter().enumerate() {
            let place = format!("keys[{at}]");
            if key.rsa().is_none() && key.point().is_none() {
                return Err((place, "it is no RSA key with n and e, and no EC key of P-256 with x and y".to_owned()));
            }
        }
        let names: Vec<_> = self.keys.iter().filter_map(|key| key.kid.as_ref()).collect();
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            return Err(("keys".to_owned(), "two keys have one kid".to_owned()));
        }
        Ok(())
    }
}

impl PublicKey {
    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        if let Some((n, e)) = self.rsa() {
            return RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok();
        }
        let point = self.point();
        point.is_some_and(|it| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, it).verify(message, signature).is_ok())
    }

    /// Modulus and exponent, without leading zeros.
    fn rsa(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let number = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let start = bytes.iter().position(|byte| *byte != 0)?;
            Some(bytes[start..].to_vec())
        };
        let is_rsa = self.kty == "RSA";
        is_rsa.then(|| Some((number(&self.n)?, number(&self.e)?))).flatten()
    }

    /// The point, uncompressed.
    fn point(&self) -> Option<Vec<u8>> {
        let half = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32);
        let is_p256 = self.kty == "EC" && self.crv == "P-256";
        is_p256.then(|| Some([vec![4], half(&self.x)?, half(&self.y)?].concat())).flatten()
    }
}
