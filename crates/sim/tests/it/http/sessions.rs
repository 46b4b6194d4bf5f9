//! Sessions of roles, got with a key: who may have one, what it may do, and that it ends.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use jiff::SignedDuration;
use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::journal::Proof;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::Variants;
use serde_json::Value;

use super::client::{Client, Style};
use super::scene::{PROVIDER, Scene, options, text};

const OPERATOR: &str = "acs:ram::1001000000000001:role/operator";
const CROSS: &str = "acs:ram::1002000000000002:role/cross";
const CROSS_ID: (&str, &str) = ("ExternalId", "cross-external-id");
const NAMED: (&str, &str) = ("RoleSessionName", "pod-1");

fn user(scene: &Scene) -> Client {
    Client::new(&scene.simulator, "provider-user-key", "provider-user-secret")
}

/// Who signs with the credentials in `answer`.
pub fn owner(scene: &Scene, answer: &Value) -> Client {
    let part = |name: &str| text(&answer["Credentials"], name);
    let token = Some(part("SecurityToken"));
    Client { token, ..Client::new(&scene.simulator, &part("AccessKeyId"), &part("AccessKeySecret")) }
}

async fn assume(caller: &Client, role: &str, more: &[(&str, &str)]) -> super::client::Answered {
    caller.sts("AssumeRole", &[&[("RoleArn", role), NAMED], more].concat()).await
}

#[tokio::test(start_paused = true)]
async fn a_session_is_had_in_every_style_and_works_in_every_style() {
    let scene = Scene::new();
    let styles = [Style::Acs3, Style::Acs3Form, Style::RpcGet, Style::RpcForm];
    for style in styles {
        let made = assume(&user(&scene).styled(style), OPERATOR, &[]).await.ok();
        assert_eq!(made["Credentials"]["Expiration"], "2026-01-02T04:04:05Z");
        assert_eq!(made["AssumedRoleUser"]["Arn"], format!("{OPERATOR}/pod-1"));
        let session = owner(&scene, &made);
        assert!(session.id.starts_with("STS."));
        for style in styles {
            let session = session.styled(style);
            let who = session.sts("GetCallerIdentity", &[]).await.ok();
            assert_eq!(who["Arn"], "acs:ram::1001000000000001:assumed-role/operator/pod-1");
            assert_eq!((&who["IdentityType"], &who["AccountId"]), (&"AssumedRoleUser".into(), &PROVIDER.into()));
            assert_eq!(who["PrincipalId"], made["AssumedRoleUser"]["AssumedRoleId"]);
            session.call("DescribeRegions", &[]).await.ok();
        }
        let bare = Client { token: None, ..session.clone() };
        assert_eq!(bare.call("DescribeRegions", &[]).await.refused(), (400, "MissingSecurityToken"));
    }
    let made = owner(&scene, &assume(&user(&scene), OPERATOR, &[]).await.ok());
    let service = made.call("CreateVpcEndpointService", &[]).await.ok();
    scene.settle();
    let shown = [("ServiceId", service["ServiceId"].as_str().expect("an id"))];
    assert_eq!(scene.provider.call("GetVpcEndpointServiceAttribute", &shown).await.ok()["ServiceStatus"], "Active");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_by_the_wall_clock() {
    let scene = Scene::new();
    for (seconds, end) in [("900", "2026-01-02T03:19:05Z"), ("3600", "2026-01-02T04:04:05Z")] {
        let made = assume(&user(&scene), OPERATOR, &[("DurationSeconds", seconds)]).await.ok();
        assert_eq!(made["Credentials"]["Expiration"], end);
        let session = owner(&scene, &made);
        let before: SignedDuration = SignedDuration::from_secs(seconds.parse().expect("a number"));
        let at = |offset| scene.simulator.with(|cloud| cloud.clock.set_offset(offset));
        at(before - SignedDuration::from_secs(60));
        let dated = |date: &str| Client { date: date.to_owned(), ..session.clone() };
        dated(end).call("DescribeRegions", &[]).await.ok();
        at(before);
        let over = dated(end).call("DescribeRegions", &[]).await;
        assert_eq!(over.refused(), (400, "InvalidSecurityToken.Expired"));
        at(SignedDuration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_no_longer_than_the_world_lets_it() {
    let mut fixture = Fixture::built_in();
    fixture.durations.session = SignedDuration::from_secs(20);
    let simulator = Simulator::new(Cloud::new(fixture, options()));
    let user = Client::new(&simulator, "provider-user-key", "provider-user-secret");
    let made = assume(&user, OPERATOR, &[("DurationSeconds", "3600")]).await.ok();
    assert_eq!(made["Credentials"]["Expiration"], "2026-01-02T03:04:25Z");
}

#[tokio::test(start_paused = true)]
async fn a_session_assumes_another_role_in_another_account() {
    let scene = Scene::new();
    let first = owner(&scene, &assume(&user(&scene), OPERATOR, &[]).await.ok());
    for style in [Style::Acs3, Style::RpcGet] {
        let made = assume(&first.styled(style), CROSS, &[CROSS_ID]).await.ok();
        let who = owner(&scene, &made).sts("GetCallerIdentity", &[]).await.ok();
        assert_eq!(who["Arn"], "acs:ram::1002000000000002:assumed-role/cross/pod-1");
        owner(&scene, &made).call("ListVpcEndpoints", &[]).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_not_trusted_gets_no_session() {
    let scene = Scene::new();
    let (user, root) = (user(&scene), &scene.provider);
    let reader = Client::new(&scene.simulator, "provider-read-key", "provider-read-secret");
    let stranger = Client::new(&scene.simulator, "consumer-user-key", "consumer-user-secret");
    let no_role = "acs:ram::1001000000000001:role/nobody";
    let node = "acs:ram::1001000000000001:role/node";
    let long = "x".repeat(2_049);
    for (caller, role, more, refused) in [
        (root, OPERATOR, vec![], (403, "NoPermission")),
        (&reader, OPERATOR, vec![], (403, "NoPermission")),
        (&stranger, OPERATOR, vec![], (403, "NoPermission")),
        (&user, node, vec![], (403, "NoPermission")),
        (&user, CROSS, vec![], (403, "NoPermission")),
        (&user, CROSS, vec![("ExternalId", "another")], (403, "NoPermission")),
        (&user, CROSS, vec![("ExternalId", "x")], (400, "InvalidParameter.ExternalId")),
        (&user, no_role, vec![], (404, "EntityNotExist.Role")),
        (&user, "operator", vec![], (400, "InvalidParameter.RoleArn")),
        (&user, OPERATOR, vec![("DurationSeconds", "899")], (400, "InvalidParameter.DurationSeconds")),
        (&user, OPERATOR, vec![("DurationSeconds", "3601")], (400, "InvalidParameter.DurationSeconds")),
        (&user, OPERATOR, vec![("DurationSeconds", "hour")], (400, "InvalidParameter.DurationSeconds")),
        (&user, OPERATOR, vec![("Policy", "[]")], (400, "InvalidParameter.PolicyGrammar")),
        (&user, OPERATOR, vec![("Policy", &long)], (400, "InvalidParameter.PolicySize")),
        (&user, OPERATOR, vec![("Colour", "red")], (400, "InvalidParameter.Colour")),
    ] {
        assert_eq!(assume(caller, role, &more).await.refused(), refused, "{role} {more:?}");
    }
    let long = "x".repeat(65);
    for (name, refused) in [
        ("x", "InvalidParameter.RoleSessionName"),
        (&long, "InvalidParameter.RoleSessionName"),
        ("two words", "InvalidParameter.RoleSessionName"),
        ("", "MissingRoleSessionName"),
    ] {
        let call = [("RoleArn", OPERATOR), ("RoleSessionName", name)];
        assert_eq!(user.sts("AssumeRole", &call).await.refused(), (400, refused), "{name:?}");
    }
    assert_eq!(user.sts("AssumeRole", &[NAMED]).await.refused(), (400, "MissingRoleArn"));
    for more in
        [vec![("Policy", r#"{"Version":"1"}"#)], vec![("ExternalId", "any:1/2")], vec![("SourceIdentity", "me")]]
    {
        assume(&user, OPERATOR, &more).await.ok();
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_may_not_do_what_its_role_may_not() {
    let yaml = privatelink_sim::fixture::BUILT_IN.replace(
        "      - name: operator\n",
        "      - name: operator\n        deniedActions: [DescribeZones, AssumeRole]\n",
    );
    let fixture = Fixture::parse(&yaml).expect("a world");
    let scene = Scene { simulator: Simulator::new(Cloud::new(fixture, options())), ..Scene::new() };
    let session = owner(&scene, &assume(&user(&scene), OPERATOR, &[]).await.ok());
    session.call("DescribeRegions", &[]).await.ok();
    assert_eq!(session.call("DescribeZones", &[]).await.refused(), (400, "NoPermission"));
    assert_eq!(assume(&session, CROSS, &[CROSS_ID]).await.refused(), (403, "NoPermission"));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_protected_for_the_session_that_made_it() {
    let scene = Scene::new();
    let service = scene.service(&[("AutoAcceptEnabled", "true")]).await;
    let consumer = Client::new(&scene.simulator, "provider-user-key", "provider-user-secret");
    let named = async |name: &str| {
        let call = [("RoleArn", CROSS), ("RoleSessionName", name), CROSS_ID];
        owner(&scene, &consumer.sts("AssumeRole", &call).await.ok())
    };
    let (one, other, again) = (named("one").await, named("other").await, named("one").await);
    let by_one = Scene { consumer: one, ..Scene { simulator: scene.simulator.clone(), ..Scene::new() } };
    let endpoint = by_one.endpoint(&service, &[("ProtectedEnabled", "true")]).await;
    let change = [("EndpointId", endpoint.as_str()), ("EndpointName", "new-name")];
    let refused = other.call("UpdateVpcEndpointAttribute", &change).await;
    assert_eq!(refused.refused(), (400, "OperationDenied.EndpointProtected"));
    again.call("UpdateVpcEndpointAttribute", &change).await.ok();
}

#[tokio::test(start_paused = true)]
async fn sessions_come_from_the_seed() {
    let id = async |seed| {
        let scene = Scene::with(Variants::default(), Options { seed, ..options() });
        text(&assume(&user(&scene), OPERATOR, &[]).await.ok()["Credentials"], "SecurityToken")
    };
    assert_eq!(id(7).await, id(7).await);
    assert_ne!(id(7).await, id(8).await);
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_how_a_call_was_signed_and_holds_no_secret() {
    let scene = Scene::new();
    let mut secrets = vec!["provider-user-secret".to_owned()];
    for style in [Style::Acs3, Style::RpcGet, Style::RpcForm] {
        let made = assume(&user(&scene).styled(style), OPERATOR, &[]).await.ok();
        let session = owner(&scene, &made).styled(style);
        session.call("DescribeRegions", &[]).await.ok();
        let wrong = Client { secret: "wrong".to_owned(), ..session.clone() };
        assert_eq!(wrong.call("DescribeRegions", &[]).await.refused(), (400, "SignatureDoesNotMatch"));
        let unknown = Client { id: "nobody".to_owned(), ..session.clone() };
        assert_eq!(unknown.call("DescribeRegions", &[]).await.refused(), (404, "InvalidAccessKeyId.NotFound"));
        secrets.extend(["AccessKeySecret", "SecurityToken"].map(|name| text(&made["Credentials"], name)));
        scene.simulator.with(|cloud| {
            let calls: Vec<_> = cloud.journal.calls().rev().take(4).collect();
            let keys =
                [None, Some(&session.id), Some(&session.id), Some(&user(&scene).id)].map(Option::<&String>::cloned);
            assert_eq!(calls.iter().map(|call| call.key.clone()).collect::<Vec<_>>(), keys);
            let (proof, method) = match style {
                Style::RpcGet => (Proof::Query, "GET"),
                Style::RpcForm => (Proof::Body, "POST"),
                _ => (Proof::Headers, "POST"),
            };
            assert!(calls.iter().all(|call| call.proof == proof && call.method == method), "{calls:?}");
        });
    }
    let shown = scene.simulator.with(|cloud| privatelink_sim::dump::journal(cloud).to_string());
    assert!(shown.contains("\"AssumeRole\"") && shown.contains("\"proof\":\"headers\""));
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret}");
    }
}

/// A world of one role, as the recorded calls name it.
pub fn recorded_world() -> Simulator {
    let yaml = "
regions: [{id: cn-hangzhou, zones: [cn-hangzhou-f]}]
accounts:
  - uid: 123456789012
    keys: [{id: testid, secret: testsecret, identity: user/golden}]
    oidcProviders: [{name: ack-rrsa-c, issuer: 'https://issuer'}]
    roles:
      - name: r
        externalId: ext
        trusts: {principals: ['acs:ram::123456789012:user/golden']}
";
    Simulator::new(Cloud::new(Fixture::parse(yaml).expect("a world"), options()))
}

/// The request in the bytes of a `.http` file without a body.
pub fn recorded(raw: &str) -> Request<Full<Bytes>> {
    let mut lines = raw.split("\r\n");
    let mut first = lines.next().expect("a request line").split(' ');
    let mut request = Request::builder().method(first.next().expect("a method")).uri(first.next().expect("a target"));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    request.body(Full::default()).expect("a request")
}

#[tokio::test(start_paused = true)]
async fn the_vendors_own_call_for_a_session_is_answered() {
    let simulator = recorded_world();
    let client = Client::new(&simulator, "testid", "testsecret");
    let raw = include_str!("../../data/golden/alibaba/python-AssumeRole.http");
    let made = client.send(recorded(raw)).await.expect("an answer").ok();
    assert_eq!(made["AssumedRoleUser"]["Arn"], "acs:ram::123456789012:role/r/golden");
}
