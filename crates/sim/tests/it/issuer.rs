//! An identity provider: signs tokens, rightly or wrongly, and publishes its keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use privatelink_sim::identity::Provider;
use privatelink_sim::identity::jwt::KeySet;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://kubernetes.default.svc";
pub const SUBJECT: &str = "system:serviceaccount:privatelink-system:privatelink-operator";
pub const AUDIENCE: &str = "sts.aliyuncs.com";
/// When its tokens begin: what the clock of most tests shows.
pub const BEGIN: i64 = 1_767_323_045;
/// Tokens that another program signed.
pub const RECORDED: [&str; 2] = [include_str!("../data/oidc/rs256.jwt"), include_str!("../data/oidc/es256.jwt")];

/// Its public keys.
pub fn jwks() -> Value {
    serde_json::from_str(include_str!("../data/oidc/jwks.json")).expect("the keys are JSON")
}

/// It, as the cloud has it registered.
pub fn provider() -> Provider {
    let keys: KeySet = serde_json::from_value(jwks()).expect("the keys are a JWKS");
    Provider { issuer: ISSUER.to_owned(), audiences: [AUDIENCE.to_owned()].into(), keys }
}

/// What a token of an hour says.
pub fn claims() -> Value {
    json!({"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "iat": BEGIN, "nbf": BEGIN, "exp": BEGIN + 3_600})
}

/// [`claims`] with one of them changed; without it, where it becomes null.
pub fn changed(name: &str, value: Value) -> Value {
    let mut all = claims();
    if value.is_null() {
        all.as_object_mut().expect("claims").remove(name);
    } else {
        all[name] = value;
    }
    all
}

/// A token that says `claims`.
pub fn token(claims: &Value) -> String {
    signed(&json!({"alg": "RS256", "kid": "first"}), claims)
}

/// A token with this header, signed with the key `first`.
pub fn signed(header: &Value, claims: &Value) -> String {
    let text = include_str!("../data/oidc/rsa.pkcs8.base64").split_whitespace().collect::<String>();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(text).expect("base64")).expect("a key");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("it signs");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
