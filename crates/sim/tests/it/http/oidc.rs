//! Sessions of roles, got with a token of an identity provider.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use jiff::SignedDuration;
use privatelink_sim::fixture::Limits;
use privatelink_sim::journal::Proof;
use privatelink_sim::throttle::Throttle;
use privatelink_sim::world::Variants;
use serde_json::{Value, json};

use super::super::issuer::{BEGIN, ISSUER, RECORDED, SUBJECT, changed, claims, jwks, signed, token};
use super::client::{Answered, Client, START, check_sts};
use super::control::control;
use super::scene::{PROVIDER, Scene, options};
use super::sessions::{owner, recorded, recorded_world};

const ROLE: &str = "acs:ram::1001000000000001:role/operator";
const PROVIDER_ARN: &str = "acs:ram::1001000000000001:oidc-provider/cluster";
const ACTION: &str = "AssumeRoleWithOIDC";

/// How the token is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// All in the query of a GET, as the vendor's Python library.
    Query,
    /// The call in the query and the rest in a form, as the vendor's Go library.
    Form,
    /// The call in headers that nobody signs, as the vendor's newer SDKs.
    Headers,
}

const WAYS: [Way; 3] = [Way::Query, Way::Form, Way::Headers];

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn send(scene: &Scene, way: Way, parameters: &[(&str, &str)]) -> Answered {
    let call = [("Action", ACTION), ("Version", "2015-04-01"), ("Format", "JSON"), ("Timestamp", START)];
    let form = "application/x-www-form-urlencoded";
    let host = "sts.cn-hangzhou.aliyuncs.com";
    let request = match way {
        Way::Query => Request::get(format!("/?{}", encoded(&[&call[..], parameters].concat()))).body(Full::default()),
        Way::Form => Request::post(format!("/?{}", encoded(&call)))
            .header("content-type", form)
            .body(Full::new(Bytes::from(encoded(parameters)))),
        Way::Headers => Request::post("/")
            .header("x-acs-action", ACTION)
            .header("x-acs-version", "2015-04-01")
            .header("x-acs-date", START)
            .header("content-type", form)
            .body(Full::new(Bytes::from(encoded(parameters)))),
    };
    let mut request = request.expect("a request");
    request.headers_mut().insert("host", host.parse().expect("a header"));
    let answered = scene.provider.send(request).await.expect("an answer");
    check_sts(ACTION, &answered);
    answered
}

async fn assume(scene: &Scene, way: Way, token: &str, more: &[(&str, &str)]) -> Answered {
    let mut all =
        vec![("RoleArn", ROLE), ("OIDCProviderArn", PROVIDER_ARN), ("OIDCToken", token), ("RoleSessionName", "pod-1")];
    all.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    all.extend_from_slice(more);
    send(scene, way, &all).await
}

/// A scene whose cloud knows the keys of the issuer.
async fn scene(variants: Variants) -> Scene {
    let scene = Scene::with(variants, options());
    let account: u64 = PROVIDER.parse().expect("a number");
    let keys = json!({"account": account, "provider": "cluster", "keys": jwks()});
    assert_eq!(control(&scene, "POST", "oidc", keys).await, (200, json!({})));
    scene
}

#[tokio::test(start_paused = true)]
async fn a_token_makes_a_session_whichever_way_it_is_sent() {
    let scene = scene(Variants::default()).await;
    for way in WAYS {
        for token in [token(&claims()), RECORDED[0].trim().to_owned(), RECORDED[1].trim().to_owned()] {
            let made = assume(&scene, way, &token, &[("DurationSeconds", "900")]).await.ok();
            assert_eq!(made["Credentials"]["Expiration"], "2026-01-02T03:19:05Z");
            assert_eq!(made["AssumedRoleUser"]["Arn"], format!("{ROLE}/pod-1"));
            let info = &made["OIDCTokenInfo"];
            assert_eq!((&info["Issuer"], &info["Subject"]), (&ISSUER.into(), &SUBJECT.into()));
            assert_eq!(
                (&info["IssuanceTime"], &info["ExpirationTime"]),
                (&"2026-01-02T03:04:05Z".into(), &"2026-01-02T04:04:05Z".into())
            );
            let session = owner(&scene, &made);
            let who = session.sts("GetCallerIdentity", &[]).await.ok();
            assert_eq!(who["Arn"], "acs:ram::1001000000000001:assumed-role/operator/pod-1");
            session.call("DescribeRegions", &[]).await.ok();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_where_the_token_was_and_does_not_hold_it() {
    let scene = scene(Variants::default()).await;
    let token = token(&claims());
    for (way, method, proof) in
        [(Way::Query, "GET", Proof::Query), (Way::Form, "POST", Proof::Body), (Way::Headers, "POST", Proof::Body)]
    {
        let made = assume(&scene, way, &token, &[]).await.ok();
        let secret = made["Credentials"]["AccessKeySecret"].as_str().expect("a secret").to_owned();
        scene.simulator.with(|cloud| {
            let call = cloud.journal.calls().next_back().expect("a call");
            assert_eq!((call.action.as_str(), call.code.as_str()), (ACTION, "OK"));
            assert_eq!((call.method.as_str(), call.proof, call.key.as_deref()), (method, proof, None), "{way:?}");
            assert_eq!(call.account.to_string(), PROVIDER);
            let shown = privatelink_sim::dump::journal(cloud).to_string();
            for held in token.split('.').chain([token.as_str(), &secret]) {
                assert!(!shown.contains(held), "{held}");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_right_makes_none() {
    let scene = scene(Variants::default()).await;
    let of = |name: &str, value: Value| token(&changed(name, value));
    for (token, code) in [
        (of("exp", json!(BEGIN)), "Expired"),
        (of("aud", json!(["api"])), "AudienceNotMatch"),
        (of("iss", json!("https://elsewhere")), "IssuerNotMatch"),
        (of("nbf", json!(BEGIN + 60)), "Invalid"),
        (of("sub", Value::Null), "Invalid"),
        (signed(&json!({"alg": "HS256"}), &claims()), "Invalid"),
        (signed(&json!({"alg": "RS256", "kid": "third"}), &claims()), "InvalidSignature"),
        (format!("{}AA", token(&claims())), "InvalidSignature"),
        ("a.b".to_owned(), "Invalid"),
        (String::new(), "Invalid"),
    ] {
        for way in WAYS {
            let code = format!("AuthenticationFail.OIDCToken.{code}");
            assert_eq!(assume(&scene, way, &token, &[]).await.refused(), (401, code.as_str()), "{way:?} {token}");
        }
    }
    let later = scene.simulator.with(|cloud| {
        cloud.clock.set_offset(SignedDuration::from_hours(1));
        token(&claims())
    });
    let refused = assume(&scene, Way::Form, &later, &[]).await;
    assert_eq!(refused.refused(), (401, "AuthenticationFail.OIDCToken.Expired"), "by the cloud's wall clock");
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_not_known_yet_make_none() {
    let scene = Scene::new();
    let refused = assume(&scene, Way::Form, &token(&claims()), &[]).await;
    assert_eq!(refused.refused(), (401, "AuthenticationFail.OIDCToken.IssuerConfigurationBroken"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_for_what_there_is_not_is_refused() {
    let scene = scene(Variants::default()).await;
    let stranger = token(&changed("sub", json!("system:serviceaccount:default:default")));
    let right = token(&claims());
    let (no_provider, no_role) = (format!("{PROVIDER_ARN}s"), format!("{ROLE}s"));
    let cross = "acs:ram::1002000000000002:role/cross";
    for (token, more, refused) in [
        (&stranger, ("RoleArn", ROLE), (401, "AuthenticationFail.NoPermission")),
        (&right, ("RoleArn", cross), (401, "AuthenticationFail.NoPermission")),
        (&right, ("OIDCProviderArn", no_provider.as_str()), (401, "AuthenticationFail.NoPermission")),
        (&right, ("RoleArn", no_role.as_str()), (404, "EntityNotExist.Role")),
        (&right, ("RoleArn", "r"), (400, "InvalidParameter.RoleArn")),
        (&right, ("OIDCProviderArn", "p"), (400, "InvalidParameter.OIDCProviderArn")),
        (&right, ("RoleSessionName", "x"), (400, "InvalidParameter.RoleSessionName")),
        (&right, ("DurationSeconds", "899"), (400, "InvalidParameter.DurationSeconds")),
        (&right, ("DurationSeconds", "3601"), (400, "InvalidParameter.DurationSeconds")),
        (&right, ("RoleSessionName", ""), (400, "MissingRoleSessionName")),
        (&right, ("RoleArn", ""), (400, "MissingRoleArn")),
        (&right, ("OIDCProviderArn", ""), (400, "MissingOIDCProviderArn")),
    ] {
        assert_eq!(assume(&scene, Way::Form, token, &[more]).await.refused(), refused, "{more:?}");
    }
    let without = [("RoleArn", ROLE), ("OIDCProviderArn", PROVIDER_ARN), ("RoleSessionName", "pod-1")];
    assert_eq!(send(&scene, Way::Form, &without).await.refused(), (400, "MissingOIDCToken"));
    let last = scene.simulator.with(|cloud| cloud.journal.calls().next_back().cloned()).expect("a call");
    assert_eq!((last.account, last.proof), (0, Proof::None));
}

#[tokio::test(start_paused = true)]
async fn only_this_action_needs_no_signature() {
    let scene = scene(Variants::default()).await;
    for (action, version) in [("AssumeRole", "2015-04-01"), ("DescribeRegions", "2020-04-15")] {
        let unsigned = Request::post("/").header("x-acs-action", action).header("x-acs-version", version);
        let answered = scene.provider.send(unsigned.body(Full::default()).expect("a request")).await;
        assert_eq!(answered.expect("an answer").refused(), (400, "IncompleteSignature"), "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn codes_and_checks_that_are_not_documented_are_the_worlds_choice() {
    let choose = |name: &str, value: &str| Variants::default().with(name, value).expect("a value of the table");
    let early = token(&changed("nbf", json!(BEGIN + 60)));
    let unknown = signed(&json!({"alg": "RS256", "kid": "third"}), &claims());
    for (name, values, token) in [
        ("earlyTokenCode", ["Invalid", "Expired"], &early),
        ("unknownTokenKeyCode", ["InvalidSignature", "Invalid"], &unknown),
    ] {
        for code in values.map(|value| format!("AuthenticationFail.OIDCToken.{value}")) {
            let scene = scene(choose(name, &code)).await;
            assert_eq!(assume(&scene, Way::Form, token, &[]).await.refused(), (401, code.as_str()));
        }
    }
    let (right, off) = (token(&changed("exp", json!(BEGIN + 7_200))), SignedDuration::from_mins(20));
    for (value, refused) in [("false", false), ("true", true)] {
        let scene = scene(choose("unsignedCallsDated", value)).await;
        assume(&scene, Way::Headers, &right, &[]).await.ok();
        scene.simulator.with(|cloud| cloud.clock.set_offset(off));
        for way in WAYS {
            let answered = assume(&scene, way, &right, &[]).await;
            if refused {
                assert_eq!(answered.refused(), (400, "InvalidTimeStamp.Expired"), "{way:?}");
            } else {
                answered.ok();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_the_roles_account_and_faults_hold_for_it_too() {
    let scene = scene(Variants::default()).await;
    let limits = Limits { requests_per_second: 1.0, burst: 2 };
    scene.simulator.with(|cloud| cloud.throttle = Throttle::new(limits, [].into()));
    let fault = json!({"action": ACTION, "do": {"refuse": {"code": "InternalError", "status": 500}}});
    assert_eq!(control(&scene, "POST", "fault", fault).await.0, 200);
    let token = token(&claims());
    assert_eq!(assume(&scene, Way::Form, &token, &[]).await.refused(), (500, "InternalError"));
    let refused = assume(&scene, Way::Query, "a.b.c", &[]).await;
    assert_eq!(refused.refused(), (401, "AuthenticationFail.OIDCToken.Invalid"));
    assume(&scene, Way::Form, &token, &[]).await.ok();
    assert_eq!(assume(&scene, Way::Form, &token, &[]).await.refused(), (400, "Throttling.User"));
    assert_eq!(scene.provider.call("DescribeRegions", &[]).await.refused(), (400, "Throttling.User"));
}

#[tokio::test(start_paused = true)]
async fn the_vendors_own_call_is_refused_for_its_token_alone() {
    let client = Client::new(&recorded_world(), "testid", "testsecret");
    let raw = include_str!("../../data/golden/alibaba/python-AssumeRoleWithOIDC.http");
    let answered = client.send(recorded(raw)).await.expect("an answer");
    assert_eq!(answered.refused(), (401, "AuthenticationFail.OIDCToken.Invalid"));
}
