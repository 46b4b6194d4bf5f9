//! OIDC tokens: what is right is read, whoever signed it, and what is not is refused for its own reason.

use jiff::{SignedDuration, Timestamp};
use privatelink_sim::identity::Provider;
use privatelink_sim::identity::jwt::{KeySet, Refused, verify};
use serde_json::{Value, json};

use super::issuer::{AUDIENCE, BEGIN, ISSUER, RECORDED, SUBJECT, changed, claims, jwks, provider, signed, token};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).expect("a time")
}

#[test]
fn tokens_that_another_program_signed_are_read() {
    for recorded in RECORDED {
        let read = verify(recorded.trim(), &provider(), at(0)).expect("it is right");
        assert_eq!((read.subject.as_str(), read.audiences), (SUBJECT, vec![AUDIENCE.to_owned()]));
        assert_eq!((read.issued, read.expires), (Some(at(0)), at(3_600)));
        assert_eq!(verify(recorded.trim(), &provider(), at(3_600)), Err(Refused::Expired));
    }
}

#[test]
fn any_changed_character_is_refused() {
    let mut tried = 0;
    for recorded in RECORDED.map(str::trim) {
        for place in 0..recorded.len() {
            let mut bytes = recorded.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).expect("it was ASCII");
            assert!(verify(&text, &provider(), at(0)).is_err(), "{place}: {text}");
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn what_is_wrong_is_told_apart() {
    let plain = json!({"alg": "RS256", "kid": "first"});
    for (text, refused) in [
        (token(&changed("iss", json!("https://elsewhere"))), Refused::Issuer),
        (token(&changed("aud", json!(["api"]))), Refused::Audience),
        (token(&changed("aud", json!([]))), Refused::Audience),
        (token(&changed("exp", json!(BEGIN))), Refused::Expired),
        (token(&changed("exp", json!(-1e300))), Refused::Expired),
        (token(&changed("nbf", json!(BEGIN + 1))), Refused::Early),
        (token(&changed("nbf", json!(1e300))), Refused::Early),
        (token(&changed("sub", Value::Null)), Refused::Unreadable("content")),
        (token(&changed("exp", Value::Null)), Refused::Unreadable("content")),
        (token(&changed("aud", json!(7))), Refused::Unreadable("content")),
        (signed(&json!({"alg": "HS256", "kid": "first"}), &claims()), Refused::Algorithm("HS256".to_owned())),
        (signed(&json!({"alg": "none"}), &claims()), Refused::Algorithm("none".to_owned())),
        (signed(&json!({"kid": "first"}), &claims()), Refused::Unreadable("header")),
        (signed(&json!({"alg": "RS256", "kid": "third"}), &claims()), Refused::UnknownKey),
        // A key of the other kind is not tried.
        (signed(&json!({"alg": "ES256", "kid": "first"}), &claims()), Refused::UnknownKey),
        (signed(&json!({"alg": "ES256", "kid": "second"}), &claims()), Refused::Signature),
        ("eyJhbGciOi.fake.jwt".to_owned(), Refused::Unreadable("header")),
        (format!("{}.x", signed(&plain, &claims())), Refused::Parts),
        ("x".to_owned(), Refused::Parts),
        (String::new(), Refused::Parts),
    ] {
        assert_eq!(verify(&text, &provider(), at(0)), Err(refused), "{text}");
    }
}

#[test]
fn what_may_be_left_out_or_written_in_two_ways_is_read() {
    let mut nameless = jwks();
    nameless["keys"].as_array_mut().expect("keys").iter_mut().for_each(|key| {
        key.as_object_mut().expect("a key").remove("kid");
    });
    let nameless: KeySet = serde_json::from_value(nameless).expect("a JWKS");
    for (text, keys) in [
        (token(&claims()), provider().keys),
        (token(&changed("aud", json!(AUDIENCE))), provider().keys),
        (token(&changed("aud", json!(["api", AUDIENCE]))), provider().keys),
        (token(&changed("nbf", Value::Null)), provider().keys),
        (token(&changed("iat", Value::Null)), provider().keys),
        (token(&changed("exp", json!(1e300))), provider().keys),
        (token(&changed("exp", json!(3_000_000_000.5))), provider().keys),
        (signed(&json!({"alg": "RS256"}), &claims()), provider().keys),
        (signed(&json!({"alg": "RS256"}), &claims()), nameless),
    ] {
        let provider = Provider { keys, ..provider() };
        assert_eq!(verify(&text, &provider, at(0)).map(|read| read.subject), Ok(SUBJECT.to_owned()));
    }
    assert_eq!(
        verify(&token(&claims()), &Provider { keys: KeySet::default(), ..provider() }, at(0)),
        Err(Refused::NoKeys(ISSUER.to_owned()))
    );
    let late = at(3_600) - SignedDuration::from_millis(1);
    assert!(verify(&token(&claims()), &provider(), late).is_ok());
}

#[test]
fn keys_that_nobody_can_use_are_named() {
    let problem = "it is no RSA key with n and e, and no EC key of P-256 with x and y";
    for (member, value, place, problem) in [
        ("kty", json!("oct"), "keys[0]", problem),
        ("n", json!("*"), "keys[0]", problem),
        ("e", json!(""), "keys[0]", problem),
        ("kid", json!("second"), "keys", "two keys have one kid"),
    ] {
        let mut wrong = jwks();
        wrong["keys"][0][member] = value;
        let wrong: KeySet = serde_json::from_value(wrong).expect("the shape is right");
        assert_eq!(wrong.check(), Err((place.to_owned(), problem.to_owned())), "{member}");
    }
    let mut wrong = jwks();
    wrong["keys"][1]["crv"] = json!("P-384");
    let wrong: KeySet = serde_json::from_value(wrong).expect("the shape is right");
    assert_eq!(wrong.check(), Err(("keys[1]".to_owned(), problem.to_owned())));
    assert_eq!(provider().keys.check(), Ok(()));
}
