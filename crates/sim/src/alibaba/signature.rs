//! Is this call signed by the key it names? Everything is recomputed from what arrived, in both styles
//! that real clients use: ACS3-HMAC-SHA256 in headers, and RPC 1.0 HMAC-SHA1 in parameters.

use std::collections::{BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::gateway::Failure;
use crate::inbound::Inbound;
use crate::keys::{Key, Keys};
use crate::world::{Variant, Variants};

/// How far a call's date may be from the cloud's clock. The vendor documents a limit but not its size.
#[must_use]
pub fn skew(variants: &Variants) -> SignedDuration {
    SignedDuration::from_mins(variants.value(Variant::ClockSkewMinutes).parse().unwrap_or(15))
}

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A call whose signature is right.
#[derive(Debug)]
pub struct Signed<'k> {
    /// Id of the key that signed.
    pub key_id: String,
    /// The key.
    pub key: &'k Key,
    /// What makes the call unrepeatable.
    pub nonce: String,
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A part of the signature is not there.
    #[error("the signature lacks {0}")]
    Incomplete(String),
    /// No such key.
    #[error("Specified access key is not found.")]
    UnknownKey,
    /// The signature is not the one that the key gives.
    #[error("The request signature does not conform to Aliyun standards. server string to sign is: {0}")]
    Mismatch(String),
    /// A call of the older style goes to another path than the one it is signed for.
    #[error("A call that is signed in its parameters goes to the path /, which is what is signed, not to {0}.")]
    Path(String),
    /// The date is too far from now.
    #[error("Specified time stamp or date value is expired.")]
    Expired,
    /// The nonce was used before.
    #[error("Specified signature nonce was used already.")]
    NonceUsed,
    /// The key is one of a session and its token is not there.
    #[error("SecurityToken is mandatory for this key.")]
    TokenMissing,
    /// The token is not the key's.
    #[error("Specified SecurityToken mismatch with the AccessKey.")]
    TokenMismatch,
    /// The session is over.
    #[error("Specified SecurityToken is expired.")]
    TokenExpired,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (status, code) = match &refused {
            Refused::Incomplete(_) => (400, "IncompleteSignature"),
            Refused::UnknownKey => (404, "InvalidAccessKeyId.NotFound"),
            Refused::Mismatch(_) | Refused::Path(_) => (400, "SignatureDoesNotMatch"),
            Refused::Expired => (400, "InvalidTimeStamp.Expired"),
            Refused::NonceUsed => (400, "SignatureNonceUsed"),
            Refused::TokenMissing => (400, "MissingSecurityToken"),
            Refused::TokenMismatch => (400, "InvalidSecurityToken.MismatchWithAccessKey"),
            Refused::TokenExpired => (400, "InvalidSecurityToken.Expired"),
        };
        Self::new(status, code, refused.to_string())
    }
}

/// Checks the signature of `call` against `keys`, and that its date is no further than `skew` from `now`. Whether the nonce was used before
/// is for [`Nonces`] to say.
///
/// # Errors
/// [`Refused`], the first thing that is wrong.
pub fn verify<'k>(call: &Inbound, keys: &'k Keys, now: Timestamp, skew: SignedDuration) -> Result<Signed<'k>, Refused> {
    let claim = match call.header("authorization") {
        Some(header) => Claim::of_headers(call, &header)?,
        None => Claim::of_parameters(call)?,
    };
    let key = keys.get(&claim.key_id).ok_or(Refused::UnknownKey)?;
    let date: Timestamp = claim.date.parse().map_err(|_| Refused::Expired)?;
    if now.duration_since(date).abs() > skew {
        return Err(Refused::Expired);
    }
    let right = claim.style.sign(key.secret.reveal(), &claim.string_to_sign);
    if !bool::from(right.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Err(Refused::Mismatch(claim.string_to_sign));
    }
    match (&key.token, &claim.token) {
        (None, None) => {}
        (Some(_), None) => return Err(Refused::TokenMissing),
        (Some(own), Some(sent)) if bool::from(own.reveal().as_bytes().ct_eq(sent.as_bytes())) => {}
        _ => return Err(Refused::TokenMismatch),
    }
    if key.expires.is_some_and(|end| end <= now) {
        return Err(Refused::TokenExpired);
    }
    Ok(Signed { key_id: claim.key_id, key, nonce: claim.nonce })
}

/// The id of the key that `call` names, whether or not its signature is right.
#[must_use]
pub fn named_key(call: &Inbound) -> Option<String> {
    let Some(header) = call.header("authorization") else { return call.parameter("AccessKeyId") };
    let parts = header.strip_prefix(ALGORITHM)?;
    let named = parts.split(',').find_map(|part| part.trim().strip_prefix("Credential="));
    named.map(str::to_owned)
}

/// What a call says of its signature.
struct Claim {
    style: Style,
    key_id: String,
    token: Option<String>,
    date: String,
    nonce: String,
    string_to_sign: String,
    signature: String,
}

#[derive(Clone, Copy)]
enum Style {
    Acs3,
    Rpc,
}

impl Style {
    fn sign(self, secret: &str, text: &str) -> String {
        match self {
            Self::Acs3 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
                mac.update(text.as_bytes());
                hex(&mac.finalize().into_bytes())
            }
            Self::Rpc => {
                let key = format!("{secret}&");
                let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any length is a key");
                mac.update(text.as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }
        }
    }
}

impl Claim {
    fn of_headers(call: &Inbound, authorization: &str) -> Result<Self, Refused> {
        let lacks = |what: &str| Refused::Incomplete(what.to_owned());
        let parts = authorization
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| lacks("the algorithm ACS3-HMAC-SHA256"))?;
        let part = |name: &str| {
            let mut values = parts.split(',').filter_map(|part| part.trim().split_once('='));
            values.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).ok_or_else(|| lacks(name))
        };
        let (key_id, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
        let header = |name: &str| call.header(name).ok_or_else(|| lacks(name));
        let (date, nonce) = (header("x-acs-date")?, header("x-acs-signature-nonce")?);
        let digest = hex(&Sha256::digest(&call.body));
        if header("x-acs-content-sha256")? != digest {
            return Err(Refused::Incomplete("the right x-acs-content-sha256 of the body".to_owned()));
        }
        if call.header("x-acs-accesskey-id").is_some_and(|id| id != key_id) {
            return Err(Refused::Incomplete("an x-acs-accesskey-id that is the Credential's".to_owned()));
        }
        let string_to_sign = format!("{ALGORITHM}\n{}", {
            let canonical = canonical_request(call, &signed, &digest)?;
            hex(&Sha256::digest(canonical.as_bytes()))
        });
        let token = call.header("x-acs-security-token");
        Ok(Self { style: Style::Acs3, key_id, token, date, nonce, string_to_sign, signature })
    }

    fn of_parameters(call: &Inbound) -> Result<Self, Refused> {
        if call.path != "/" {
            return Err(Refused::Path(call.path.clone()));
        }
        let mut all = call.parameters();
        let take = |name: &str| {
            let found = all.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            found.ok_or_else(|| Refused::Incomplete(name.to_owned()))
        };
        let (key_id, signature) = (take("AccessKeyId")?, take("Signature")?);
        let (date, nonce) = (take("Timestamp")?, take("SignatureNonce")?);
        if take("SignatureMethod")? != "HMAC-SHA1" || take("SignatureVersion")? != "1.0" {
            return Err(Refused::Incomplete("SignatureMethod HMAC-SHA1 and SignatureVersion 1.0".to_owned()));
        }
        let token = take("SecurityToken").ok();
        all.retain(|(name, _)| name != "Signature");
        let string_to_sign = format!("{}&{}&{}", call.method, encode("/"), encode(&canonical_pairs(all)));
        Ok(Self { style: Style::Rpc, key_id, token, date, nonce, string_to_sign, signature })
    }
}

fn canonical_request(call: &Inbound, signed: &str, digest: &str) -> Result<String, Refused> {
    let names: Vec<&str> = signed.split(';').collect();
    let must_be_signed = |name: &str| name == "host" || name == "content-type" || name.starts_with("x-acs-");
    let needed = call.headers.iter().map(|(name, _)| name.as_str()).filter(|name| must_be_signed(name));
    if let Some(unsigned) = std::iter::once("host").chain(needed).find(|name| !names.contains(name)) {
        return Err(Refused::Incomplete(format!("the header {unsigned} among SignedHeaders")));
    }
    let mut headers = String::new();
    for name in &names {
        let value = call.header(name).ok_or_else(|| Refused::Incomplete(format!("the signed header {name}")))?;
        headers.extend([name, ":", &value, "\n"]);
    }
    let pairs = form_urlencoded::parse(call.query.as_bytes());
    let query = canonical_pairs(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect());
    Ok(format!("{}\n{}\n{query}\n{headers}\n{signed}\n{digest}", call.method, call.path))
}

fn canonical_pairs(mut pairs: Vec<(String, String)>) -> String {
    pairs.sort();
    let encoded: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    encoded.join("&")
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Nonces that were used lately: each serves once.
#[derive(Clone, Debug, Default)]
pub struct Nonces {
    known: BTreeSet<(String, String)>,
    by_age: VecDeque<(Timestamp, (String, String))>,
}

impl Nonces {
    /// Uses up `nonce` of the key `key_id`. A nonce is remembered for as long as a call that bears it could
    /// still be dated right by `skew`.
    ///
    /// # Errors
    /// [`Refused::NonceUsed`] the second time.
    pub fn spend(&mut self, key_id: &str, nonce: &str, now: Timestamp, skew: SignedDuration) -> Result<(), Refused> {
        while self.by_age.front().is_some_and(|(used, _)| now.duration_since(*used) > skew * 2) {
            if let Some((_, forgotten)) = self.by_age.pop_front() {
                self.known.remove(&forgotten);
            }
        }
        let entry = (key_id.to_owned(), nonce.to_owned());
        if !self.known.insert(entry.clone()) {
            return Err(Refused::NonceUsed);
        }
        self.by_age.push_back((now, entry));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
