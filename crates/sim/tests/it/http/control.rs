//! The control paths: the dump, the journal, and what only a test may move.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use super::client::Client;
use super::scene::Scene;

pub async fn control(scene: &Scene, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(format!("/_sim/{path}")).body(Full::new(Bytes::from(body)));
    let answered = scene.provider.send(request.expect("a request")).await.expect("an answer");
    (answered.status.as_u16(), answered.body)
}

#[tokio::test]
async fn the_journal_stays_small_whatever_callers_send() {
    let scene = Scene::new();
    for number in 0..1_000 {
        let name = format!("{number}{}", "x".repeat(100_000));
        let unsigned = [
            Request::post("/").header("authorization", "none").header("x-acs-action", &name),
            Request::post("/")
                .header("authorization", "none")
                .header("x-acs-action", &name)
                .header("x-acs-version", "2020-04-15"),
            Request::get(format!("/?Action={}&Version={number}&Signature=none", &name[..50_000])),
        ];
        let [one, two, three] = unsigned.map(|request| request.body(Full::default()).expect("a request"));
        for request in [one, two, three] {
            assert_ne!(scene.provider.send(request).await.expect("an answer").status, 200);
        }
        let made_up = &name[..1_000];
        let refused = scene.provider.call("DescribeRegions", &[(made_up, "1")]).await;
        assert_eq!(refused.body["Code"], format!("InvalidParameter.{made_up}"));
    }
    scene.simulator.with(|cloud| {
        let counters: Vec<_> = cloud.journal.counters().collect();
        assert_eq!(
            counters,
            [
                ("<unknown>", "InvalidAction.NotFound", 1_000),
                ("<unknown>", "InvalidVersion", 2_000),
                ("DescribeRegions", "InvalidParameter.<unknown>", 1_000),
            ]
        );
        let kept: usize = cloud.journal.calls().map(|call| serde_json::json!(call).to_string().len()).sum();
        assert!(kept < 2_000_000, "{kept} bytes");
    });
}

#[tokio::test]
async fn the_world_and_the_journal_are_shown() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    let (status, world) = control(&scene, "GET", "world", Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!((&world["services"][0]["id"], &world["endpoints"][0]["id"]), (&json!(service), &json!(endpoint)));
    let leg = &world["endpoints"][0]["zones"][0];
    assert_eq!(
        (&leg["zone"], &leg["status"], &leg["carries"]),
        (&json!("cn-hangzhou-f"), &json!("Connected"), &json!(true))
    );
    assert_eq!(world["services"][0]["resources"][0]["endpoints"], 1);
    assert_eq!(world, control(&scene, "GET", "world", Value::Null).await.1);
    let (_, journal) = control(&scene, "GET", "journal", Value::Null).await;
    let first = &journal["calls"][0];
    assert_eq!((&first["action"], &first["code"]), (&json!("CreateVpcEndpointService"), &json!("OK")));
    assert!(!journal.to_string().contains("provider-secret"));
    let counted =
        journal["counters"].as_array().expect("a list").iter().find(|one| one["action"] == "CreateVpcEndpoint");
    assert_eq!(counted.expect("counted")["count"], 1);
    assert_eq!(journal["witness"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn time_accounts_keys_and_faults_move() {
    let scene = Scene::new();
    scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    let (_, moved) = control(&scene, "POST", "advance", json!({"seconds": 0.5})).await;
    assert_eq!((&moved["now"], &moved["openTransitions"]), (&json!("2026-01-02T03:04:05.5Z"), &json!(1)));
    let (_, settled) = control(&scene, "POST", "advance", json!({"settle": true})).await;
    assert_eq!((&settled["settled"], &settled["openTransitions"]), (&json!(1), &json!(0)));

    let account = json!({"id": 1_001_000_000_000_001_u64, "locked": true});
    assert_eq!(control(&scene, "POST", "account", account).await.0, 200);
    let shown = scene.provider.call("ListVpcEndpointServices", &[]).await.ok();
    assert_eq!(shown["Services"][0]["ServiceBusinessStatus"], "FinancialLocked");

    let key = json!({"id": "new", "secret": "s", "account": 1_002_000_000_000_002_u64, "identity": "user/new"});
    assert_eq!(control(&scene, "POST", "key", key).await.0, 200);
    let caller = Client::new(&scene.simulator, "new", "s");
    caller.call("DescribeRegions", &[]).await.ok();
    assert_eq!(control(&scene, "POST", "key", json!({"id": "new", "remove": true})).await.0, 200);
    assert_eq!(caller.call("DescribeRegions", &[]).await.refused(), (404, "InvalidAccessKeyId.NotFound"));

    let fault = json!({"action": "DescribeRegions", "do": {"refuse": {"code": "SystemBusy"}}});
    assert_eq!(control(&scene, "POST", "fault", fault).await.0, 200);
    assert_eq!(scene.provider.call("DescribeRegions", &[]).await.refused(), (400, "SystemBusy"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let scene = Scene::new();
    for (path, body, error) in [
        ("advance", json!({"seconds": -1}), "seconds: it is 0 or more"),
        ("account", json!({"id": 1}), "id: there is no account 1; add it to the world file"),
        (
            "oidc",
            json!({"account": 1_001_000_000_000_001_u64, "provider": "other"}),
            "provider: account 1001000000000001 has no OIDC provider \"other\"; add it to the world file",
        ),
        (
            "oidc",
            json!({"account": 1, "provider": "cluster", "keys": {"keys": [{"kty": "oct"}]}}),
            "keys.keys[0]: it is no RSA key with n and e, and no EC key of P-256 with x and y; copy the provider's JWKS \
             as it is",
        ),
        ("key", json!({"id": "k", "secret": "s"}), "account: the account number is needed"),
        ("key", json!({"id": "k", "remove": true}), "id: there is no key \"k\""),
    ] {
        assert_eq!(control(&scene, "POST", path, body).await, (400, json!({ "error": error })));
    }
    let (status, unknown) = control(&scene, "POST", "advance", json!({"minutes": 1})).await;
    assert!(status == 400 && unknown["error"].as_str().is_some_and(|error| error.contains("minutes")), "{unknown}");
    assert_eq!(control(&scene, "GET", "nothing", Value::Null).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn an_oidc_provider_and_the_wall_clock_move() {
    let scene = Scene::new();
    let whose = json!({"account": 1_001_000_000_000_001_u64, "provider": "cluster"});
    let change = async |name: &str, value: Value| {
        let mut body = whose.clone();
        body[name] = value;
        assert_eq!(control(&scene, "POST", "oidc", body).await, (200, json!({})));
    };
    change("issuer", json!("https://new")).await;
    change("audiences", json!(["api"])).await;
    change("keys", super::super::issuer::jwks()).await;
    scene.simulator.with(|cloud| {
        let provider = cloud.identities.providers.values().next().expect("the built-in world has one");
        assert_eq!(provider.issuer, "https://new", "what is not named stays");
        assert!(provider.audiences.contains("api") && provider.keys.keys.len() == 2);
    });

    for (offset, shown) in
        [("20m", "2026-01-02T03:24:05"), ("-20m", "2026-01-02T02:44:05"), ("0s", "2026-01-02T03:04:05")]
    {
        let (status, set) = control(&scene, "POST", "clock", json!({ "offset": offset })).await;
        assert_eq!(status, 200, "{set}");
        let wall = set["wall"].as_str().expect("a time");
        assert!(wall.starts_with(shown), "{wall}");
        let answered = scene.provider.call("DescribeRegions", &[]).await;
        let date = answered.headers["date"].to_str().expect("a date").to_owned();
        assert!(date.contains(&shown[11..]), "{date}");
        if offset == "0s" {
            answered.ok();
        } else {
            assert_eq!(answered.refused(), (400, "InvalidTimeStamp.Expired"));
        }
    }
    assert_eq!(control(&scene, "POST", "clock", json!({"offset": "soon"})).await.0, 400);
}
