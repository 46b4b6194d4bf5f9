//! The metadata service of machines: its tokens, and the credentials of the machine's role.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use jiff::SignedDuration;
use privatelink_sim::alibaba::metadata::{CREATE_TOKEN, GET_CREDENTIALS, GET_ROLE};
use privatelink_sim::cloud::Cloud;
use privatelink_sim::identity::Instance;
use privatelink_sim::journal::Proof;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::Variants;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::control::control;
use super::scene::{PROVIDER, Scene, options};
use super::sessions::owner;

const ROLES: &str = "meta-data/ram/security-credentials/";

async fn ask(simulator: &Simulator, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request =
        Request::builder().method(method).uri(format!("/latest/{path}")).header("host", "100.100.100.200");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request: Request<Full<Bytes>> = request.body(Full::default()).expect("a request");
    let (parts, body) = simulator.clone().oneshot(request).await.expect("an answer").into_parts();
    assert_eq!(parts.headers["content-type"], "text/plain;charset=utf-8");
    let bytes = body.collect().await.expect("a body").to_bytes();
    (parts.status.as_u16(), String::from_utf8(bytes.to_vec()).expect("text"))
}

/// A token of `seconds`.
async fn token(scene: &Scene, seconds: &str) -> String {
    let ttl = [("X-aliyun-ecs-metadata-token-ttl-seconds", seconds)];
    let (status, token) = ask(&scene.simulator, "PUT", "api/token", &ttl).await;
    assert_eq!(status, 200, "{token}");
    token
}

async fn get(scene: &Scene, path: &str, token: Option<&str>) -> (u16, String) {
    let header = token.map(|token| ("X-aliyun-ecs-metadata-token", token));
    ask(&scene.simulator, "GET", path, header.as_slice()).await
}

async fn credentials(scene: &Scene) -> Value {
    let (status, text) = get(scene, &format!("{ROLES}node"), Some(&token(scene, "60").await)).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn at(scene: &Scene, minutes: i64) {
    scene.simulator.with(|cloud| cloud.clock.set_offset(SignedDuration::from_mins(minutes)));
}

/// A scene whose machine is another.
fn machine(role: Option<&str>, imdsv1: bool) -> Scene {
    let scene = Scene::new();
    scene.simulator.with(|cloud| {
        let account = cloud.identities.instance.as_ref().expect("the built-in world has one").account;
        cloud.identities.instance = Some(Instance { account, role: role.map(str::to_owned), imdsv1 });
    });
    scene
}

#[tokio::test(start_paused = true)]
async fn a_machine_gets_the_credentials_of_its_role() {
    let scene = Scene::new();
    let token = token(&scene, "21600").await;
    for token in [Some(token.as_str()), None] {
        for path in [ROLES, ROLES.trim_end_matches('/')] {
            assert_eq!(get(&scene, path, token).await, (200, "node".to_owned()));
        }
    }
    let got = credentials(&scene).await;
    assert_eq!((&got["Code"], &got["LastUpdated"]), (&"Success".into(), &"2026-01-02T03:04:05Z".into()));
    assert_eq!(got["Expiration"], "2026-01-02T04:04:05Z");
    let session = owner(&scene, &json!({ "Credentials": got }));
    let who = session.sts("GetCallerIdentity", &[]).await.ok();
    assert_eq!(who["Arn"], "acs:ram::1001000000000001:assumed-role/node/i-simulated");
    session.call("DescribeRegions", &[]).await.ok();
    assert_eq!(credentials(&scene).await, got, "the same for a while");
}

#[tokio::test(start_paused = true)]
async fn credentials_are_renewed_before_they_end() {
    for (value, kept, renewed) in [("half", 29, 30), ("lastQuarter", 44, 45), ("end", 59, 60)] {
        let scene = Scene::with(Variants::default().with("instanceRenewal", value).expect("a value"), options());
        let first = credentials(&scene).await;
        at(&scene, kept);
        assert_eq!(credentials(&scene).await, first, "{value}");
        at(&scene, renewed);
        let second = credentials(&scene).await;
        assert_ne!(second["AccessKeyId"], first["AccessKeyId"], "{value}");
        let dated = |minutes: i64| {
            let start: jiff::Timestamp = super::client::START.parse().expect("a time");
            (start + SignedDuration::from_mins(minutes)).to_string()
        };
        let old = super::client::Client { date: dated(renewed), ..owner(&scene, &json!({ "Credentials": first })) };
        let answered = old.call("DescribeRegions", &[]).await;
        if value == "end" {
            assert_eq!(answered.refused(), (400, "InvalidSecurityToken.Expired"));
        } else {
            answered.ok();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hardened_machine_answers_to_its_tokens_only() {
    for (imdsv1, without) in [(true, 200), (false, 403)] {
        let scene = machine(Some("node"), imdsv1);
        for path in [ROLES.to_owned(), format!("{ROLES}node")] {
            assert_eq!(get(&scene, &path, None).await.0, without);
            assert_eq!(get(&scene, &path, Some("made-up")).await, (401, "401 - Unauthorized".to_owned()));
            let short = token(&scene, "60").await;
            assert_eq!(get(&scene, &path, Some(&short)).await.0, 200);
            at(&scene, 1);
            assert_eq!(get(&scene, &path, Some(&short)).await.0, 401, "its time is over");
            at(&scene, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_for_at_most_six_hours_and_not_for_others() {
    let scene = Scene::new();
    let name = "X-aliyun-ecs-metadata-token-ttl-seconds";
    for headers in [vec![], vec![(name, "0")], vec![(name, "21601")], vec![(name, "-1")], vec![(name, "soon")]] {
        let refused = ask(&scene.simulator, "PUT", "api/token", &headers).await;
        assert_eq!(refused, (400, "400 - MissingOrInvalidParameters".to_owned()), "{headers:?}");
    }
    let forwarded = [(name, "60"), ("x-forwarded-for", "10.0.0.1")];
    assert_eq!(ask(&scene.simulator, "PUT", "api/token", &forwarded).await.0, 403);
    for seconds in ["1", "21600"] {
        assert!(!token(&scene, seconds).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_not_is_not_found() {
    let bare = machine(None, true);
    assert_eq!(get(&bare, ROLES, None).await, (404, "404 - NotFound".to_owned()));
    assert_eq!(get(&bare, &format!("{ROLES}node"), None).await.0, 404);
    let scene = Scene::new();
    assert_eq!(get(&scene, &format!("{ROLES}operator"), None).await.0, 404);
    assert_eq!(get(&scene, "meta-data/instance-id", None).await.0, 404);
    assert_eq!(get(&scene, "api/token", None).await.0, 404);
    scene.simulator.with(|cloud| cloud.identities.instance = None);
    assert_eq!(get(&scene, ROLES, None).await.0, 404);
    let ttl = [("X-aliyun-ecs-metadata-token-ttl-seconds", "60")];
    assert_eq!(ask(&scene.simulator, "PUT", "api/token", &ttl).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn its_calls_are_written_down_without_what_they_hand_out() {
    let scene = Scene::new();
    let token = token(&scene, "60").await;
    get(&scene, ROLES, Some(&token)).await;
    get(&scene, &format!("{ROLES}node"), None).await;
    get(&scene, "elsewhere", None).await;
    let got = credentials(&scene).await;
    scene.simulator.with(|cloud| {
        let calls: Vec<_> = cloud.journal.calls().take(4).collect();
        let told: Vec<_> = calls.iter().map(|call| (call.action.as_str(), call.code.as_str(), call.proof)).collect();
        let expected = [
            (CREATE_TOKEN, "OK", Proof::None),
            (GET_ROLE, "OK", Proof::Headers),
            (GET_CREDENTIALS, "OK", Proof::None),
            ("<unknown>", "NotFound", Proof::None),
        ];
        assert_eq!(told, expected);
        assert!(calls.iter().all(|call| call.account.to_string() == PROVIDER));
        assert_eq!((calls[0].method.as_str(), calls[1].method.as_str()), ("PUT", "GET"));
        let shown = privatelink_sim::dump::journal(cloud).to_string();
        for secret in
            [&token, got["AccessKeySecret"].as_str().expect("text"), got["SecurityToken"].as_str().expect("text")]
        {
            assert!(!shown.contains(secret));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn it_can_fail_as_other_calls_can() {
    let scene = Scene::new();
    for (fault, status) in [
        (json!("throttle"), 429),
        (json!({"refuse": {"code": "InternalError", "status": 500}}), 500),
        (json!("stale"), 200),
    ] {
        let rule = json!({"action": GET_ROLE, "do": fault});
        assert_eq!(control(&scene, "POST", "fault", rule).await.0, 200);
        assert_eq!(get(&scene, ROLES, None).await.0, status);
        assert_eq!(get(&scene, ROLES, None).await.0, 200);
    }
    let rule = json!({"action": GET_ROLE, "do": "loseAnswer"});
    assert_eq!(control(&scene, "POST", "fault", rule).await.0, 200);
    let request: Request<Full<Bytes>> =
        Request::get(format!("/latest/{ROLES}")).body(Full::default()).expect("a request");
    assert!(scene.simulator.clone().oneshot(request).await.is_err());
    assert_eq!(scene.simulator.with(|cloud: &mut Cloud| cloud.journal.count(GET_ROLE, "OK")), 5);
}
