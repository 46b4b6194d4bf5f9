//! The door before a service that answers as a test says.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response as Answered, Uri};
use http_body_util::{BodyExt as _, Full};
use privatelink_core::condition::Reason;
use privatelink_core::error::Meaning;
use privatelink_core::id::ServiceId;
use tokio::sync::watch;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::*;
use crate::cloud::claim::Claim;
use crate::cloud::credentials::Credentials;
use crate::cloud::endpoint::Base;
use crate::cloud::identity::{Instance, Origin, Role, WebIdentity};
use crate::runtime::clock;

/// What was asked for, and what is answered, first to last.
#[derive(Default)]
struct Script {
    asked: Vec<(Uri, HeaderMap)>,
    bodies: Vec<String>,
    answers: VecDeque<Answered<Full<Bytes>>>,
}

type Shared = Arc<Mutex<Script>>;

fn transport(exchange: &Shared) -> Transport {
    let exchange = Arc::clone(exchange);
    Transport::over(tower::service_fn(move |request: Request<Full<Bytes>>| {
        let exchange = Arc::clone(&exchange);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut exchange = exchange.lock().unwrap();
            exchange.asked.push((head.uri, head.headers));
            exchange.bodies.push(String::from_utf8(body.to_vec()).unwrap());
            Ok::<_, Infallible>(exchange.answers.pop_front().expect("no more is asked than is answered"))
        }
    }))
}

fn given() -> Identity {
    let parts = [("accessKeyId", "LTAI5t"), ("accessKeySecret", "s3cr3t"), ("securityToken", "t0k3n")];
    let contents = parts.map(|(key, value)| (key.to_owned(), Zeroizing::new(value.as_bytes().to_vec())));
    let origin = Origin::Given(Credentials::from_secret("ops/key", &contents.into()).unwrap());
    Identity { origin, role: None }
}

fn endpoints(declared: &[(&str, &str)]) -> Endpoints {
    let declared: BTreeMap<_, _> = declared.iter().map(|(key, url)| ((*key).to_owned(), (*url).to_owned())).collect();
    Endpoints::parse(&declared, false, Base::of_machine("http://100.100.100.200").unwrap()).unwrap()
}

fn door(exchange: &Shared, claim: Claim, declared: &[(&str, &str)]) -> Alibaba {
    door_of(exchange, claim, &given(), endpoints(declared))
}

fn door_of(exchange: &Shared, claim: Claim, identity: &Identity, endpoints: Endpoints) -> Alibaba {
    let (_, claim) = watch::channel(claim);
    Alibaba::new(transport(exchange), Region::from("cn-hangzhou"), identity, endpoints, Claimed::new(claim))
}

fn answering(answers: impl IntoIterator<Item = Answered<Full<Bytes>>>) -> Shared {
    Arc::new(Mutex::new(Script { answers: answers.into_iter().collect(), ..Script::default() }))
}

fn ok(body: &'static str) -> Answered<Full<Bytes>> {
    Answered::new(Full::new(Bytes::from_static(body.as_bytes())))
}

fn refused(code: &str, ahead: Duration) -> Answered<Full<Bytes>> {
    let date = jiff::Timestamp::from_millisecond((clock::now() + ahead).0).unwrap();
    Answered::builder()
        .status(400)
        .header("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .body(Full::new(Bytes::from(format!(r#"{{"Code":"{code}","Message":"no","RequestId":"1"}}"#))))
        .unwrap()
}

const IDENTITY: &str = r#"{"AccountId":"1001","RequestId":"1"}"#;

fn delete() -> Step {
    Step::DeleteService(ServiceId::from("epsrv-1"))
}

fn asked(exchange: &Shared) -> Vec<(Uri, HeaderMap)> {
    std::mem::take(&mut exchange.lock().unwrap().asked)
}

#[tokio::test(start_paused = true)]
async fn calls_go_to_the_product_s_own_host_or_to_the_declared_one() {
    let exchange = answering([ok(IDENTITY), ok("{}"), ok(IDENTITY)]);
    let own = door(&exchange, Claim::Sole, &[]);
    assert_eq!(own.read(Read::CallerIdentity).await, Ok(Answer::CallerIdentity("1001".into())));
    assert_eq!(own.execute(&delete(), "token").await, Ok(Done::Accepted));
    let declared = door(&exchange, Claim::Sole, &[("sts", "http://127.0.0.1:8081")]);
    declared.read(Read::CallerIdentity).await.unwrap();
    let hosts: Vec<_> = asked(&exchange)
        .iter()
        .map(|(uri, headers)| (uri.scheme_str().unwrap().to_owned(), headers["host"].to_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("https", "sts.cn-hangzhou.aliyuncs.com"),
        ("https", "privatelink.cn-hangzhou.aliyuncs.com"),
        ("http", "127.0.0.1:8081"),
    ];
    assert_eq!(hosts, expected.map(|(scheme, host)| (scheme.to_owned(), host.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_write_leaves_only_while_the_claim_holds_and_a_read_always() {
    let exchange = answering([ok(IDENTITY), ok("{}")]);
    for claim in [Claim::No, Claim::Until(Instant::now())] {
        let failure = door(&exchange, claim, &[]).execute(&delete(), "token").await.unwrap_err();
        assert_eq!((&*failure.code, failure.maybe_done), ("<not the writer>", false));
    }
    assert_eq!(asked(&exchange).len(), 0);
    door(&exchange, Claim::No, &[]).read(Read::CallerIdentity).await.unwrap();
    let until = Claim::Until(Instant::now() + Duration::from_secs(1));
    door(&exchange, until, &[]).execute(&delete(), "token").await.unwrap();
    assert_eq!(asked(&exchange).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_is_corrected_by_the_cloud_s_and_the_call_signed_again() {
    let ahead = Duration::from_mins(10);
    let exchange = answering([refused("InvalidTimeStamp.Expired", ahead), ok(IDENTITY), ok(IDENTITY)]);
    let door = door(&exchange, Claim::Sole, &[]);
    door.read(Read::CallerIdentity).await.unwrap();
    door.read(Read::CallerIdentity).await.unwrap();
    let asked = asked(&exchange);
    let date = |at: usize| asked[at].1["x-acs-date"].to_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let apart = (date(1) - date(0)).total(jiff::Unit::Second).unwrap();
    assert!((599.0..=601.0).contains(&apart), "{apart}");
    assert_eq!(date(2), date(1), "what was learnt holds for later calls");
    let nonces: std::collections::BTreeSet<_> =
        asked.iter().map(|(_, head)| &head["x-acs-signature-nonce"]).map(|nonce| nonce.to_str().unwrap()).collect();
    assert_eq!(nonces.len(), 3);
    assert!(nonces.iter().all(|nonce| nonce.len() == 32));
}

#[tokio::test(start_paused = true)]
async fn beyond_fifteen_minutes_the_clock_is_for_a_person_to_mend() {
    let exchange = answering([refused("InvalidTimeStamp.Expired", Duration::from_mins(16))]);
    let failure = door(&exchange, Claim::Sole, &[]).read(Read::CallerIdentity).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::ClockSkew));
    assert_eq!(asked(&exchange).len(), 1);
    let twice = [(); 2].map(|()| refused("InvalidTimeStamp.Expired", Duration::from_mins(10)));
    let exchange = answering(twice);
    let failure = door(&exchange, Claim::Sole, &[]).read(Read::CallerIdentity).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::ClockSkew));
    assert_eq!(asked(&exchange).len(), 2, "signed again once and no more");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_may_hide_a_write_and_never_a_read() {
    let exchange = answering([ok("<html>"), ok("<html>")]);
    let door = door(&exchange, Claim::Sole, &[]);
    assert!(!door.read(Read::CallerIdentity).await.unwrap_err().maybe_done);
    assert!(door.execute(&delete(), "token").await.unwrap_err().maybe_done);
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_failure() {
    let exchange = answering([refused("SignatureDoesNotMatch", Duration::ZERO)]);
    let failure = door(&exchange, Claim::Sole, &[]).read(Read::CallerIdentity).await.unwrap_err();
    let printed = format!("{failure} {failure:?} {:?}", asked(&exchange));
    assert!(!printed.contains("s3cr3t") && !printed.contains("t0k3n"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_no_part_of_a_host_is_the_account_s_fault() {
    let exchange = answering([]);
    let (_, claim) = watch::channel(Claim::Sole);
    let region = Region::from("cn hangzhou/");
    let door = Alibaba::new(transport(&exchange), region, &given(), endpoints(&[]), Claimed::new(claim));
    let failure = door.read(Read::CallerIdentity).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::UserMustAct(Reason::InvalidSpec));
    assert!(failure.message.contains("spec.region"), "{failure}");
}

/// A session's parts, that lasts for an hour.
fn parts(id: &str) -> String {
    let ends = jiff::Timestamp::from_millisecond((clock::now() + Duration::from_hours(1)).0).unwrap();
    let ends = ends.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#""AccessKeyId":"{id}","AccessKeySecret":"s3ss10n","SecurityToken":"t1ck3t","Expiration":"{ends}","Code":"Success""#
    )
}

fn session(id: &str) -> Answered<Full<Bytes>> {
    Answered::new(Full::new(Bytes::from(format!(r#"{{"RequestId":"1","Credentials":{{{}}}}}"#, parts(id)))))
}

fn handed_out() -> Answered<Full<Bytes>> {
    Answered::new(Full::new(Bytes::from(format!("{{{}}}", parts("STS.1")))))
}

fn pod(token_file: &std::path::Path) -> Identity {
    let (role, provider) = ("acs:ram::1001:role/operator".to_owned(), "acs:ram::1001:oidc-provider/cluster".to_owned());
    let (token_file, session) = (token_file.to_owned(), "privatelink-operator".to_owned());
    Identity { origin: Origin::WebIdentity(WebIdentity { role, provider, token_file, session }), role: None }
}

fn token_file(name: &str, token: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    std::fs::write(&path, token).unwrap();
    path
}

/// Each request as its method's target and the header of the key that it names.
fn told(exchange: &Shared) -> Vec<(String, Option<String>)> {
    let key = |headers: &HeaderMap| {
        let authorization = headers.get("authorization")?.to_str().unwrap();
        Some(authorization.split_once("Credential=")?.1.split_once(',')?.0.to_owned())
    };
    asked(exchange).iter().map(|(uri, headers)| (uri.to_string(), key(headers))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_exchanged_for_a_session_that_signs() {
    let file = token_file("exchanged", "eyJ.first.jwt\n");
    let exchange = answering([session("STS.1"), ok(IDENTITY), ok(IDENTITY)]);
    let door = door_of(&exchange, Claim::Sole, &pod(&file), endpoints(&[]));
    for _ in 0..2 {
        door.read(Read::CallerIdentity).await.unwrap();
    }
    let bodies = std::mem::take(&mut exchange.lock().unwrap().bodies);
    assert!(bodies[0].contains("OIDCToken=eyJ.first.jwt&"), "{}", bodies[0]);
    assert!(bodies[0].contains("RoleSessionName=privatelink-operator"), "{}", bodies[0]);
    let headers: Vec<HeaderMap> = exchange.lock().unwrap().asked.iter().map(|(_, headers)| headers.clone()).collect();
    assert_eq!(headers[1]["x-acs-security-token"], "t1ck3t");
    let told = told(&exchange);
    assert!(!told[0].0.contains("eyJ"), "the token stands in no URL: {}", told[0].0);
    let keys: Vec<_> = told.iter().map(|(_, key)| key.as_deref()).collect();
    assert_eq!(keys, [None, Some("STS.1"), Some("STS.1")]);
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_token_s_file_is_read_at_each_renewal_and_named_where_it_is_missing() {
    let file = token_file("rotated", "first");
    let exchange = answering([session("STS.1"), ok(IDENTITY)]);
    let door = door_of(&exchange, Claim::Sole, &pod(&file), endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    std::fs::write(&file, "second").unwrap();
    let ends = door.keys().outlook().ends.unwrap();
    tokio::time::advance(ends.since(clock::now())).await;
    exchange.lock().unwrap().answers.extend([session("STS.2"), ok(IDENTITY)]);
    door.read(Read::CallerIdentity).await.unwrap();
    let bodies = std::mem::take(&mut exchange.lock().unwrap().bodies);
    assert!(bodies[0].contains("OIDCToken=first") && bodies[2].contains("OIDCToken=second"), "{bodies:?}");
    std::fs::write(&file, " ").unwrap();
    for what in ["is empty", "cannot be read"] {
        let door = door_of(&answering([]), Claim::Sole, &pod(&file), endpoints(&[]));
        let failure = door.read(Read::CallerIdentity).await.unwrap_err();
        assert_eq!(failure.meaning, Meaning::Credentials(Reason::CredentialsInvalid));
        for part in [what, "ALIBABA_CLOUD_OIDC_TOKEN_FILE", &file.display().to_string()] {
            assert!(failure.message.contains(part), "{failure}");
        }
        let _gone = std::fs::remove_file(&file);
    }
}

fn machine(role: Option<&str>, hardened_only: bool) -> Identity {
    let instance = Instance { role: role.map(str::to_owned), hardened_only };
    Identity { origin: Origin::Instance(instance), role: None }
}

fn refusal(status: u16) -> Answered<Full<Bytes>> {
    Answered::builder().status(status).body(Full::default()).unwrap()
}

const ROLES: &str = "http://100.100.100.200/latest/meta-data/ram/security-credentials/";

#[tokio::test(start_paused = true)]
async fn the_machine_is_asked_in_the_hardened_mode_first() {
    let exchange = answering([ok("t0ken=="), ok("node"), handed_out(), ok(IDENTITY)]);
    let door = door_of(&exchange, Claim::Sole, &machine(None, true), endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    let asked = exchange.lock().unwrap().asked.clone();
    assert_eq!(asked[0].1["x-aliyun-ecs-metadata-token-ttl-seconds"], "21600");
    assert!(asked[1..3].iter().all(|(_, headers)| headers["x-aliyun-ecs-metadata-token"] == "t0ken=="));
    let urls: Vec<_> = told(&exchange).into_iter().map(|(url, _)| url).collect();
    assert_eq!(
        urls[..3],
        ["http://100.100.100.200/latest/api/token".to_owned(), ROLES.to_owned(), format!("{ROLES}node")]
    );
}

#[tokio::test(start_paused = true)]
async fn the_older_mode_serves_where_it_is_not_forbidden() {
    let exchange = answering([refusal(404), handed_out(), ok(IDENTITY)]);
    let door = door_of(&exchange, Claim::Sole, &machine(Some("node"), false), endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    let asked = exchange.lock().unwrap().asked.clone();
    assert!(!asked[1].1.contains_key("x-aliyun-ecs-metadata-token"));
    let door = door_of(&answering([refusal(403)]), Claim::Sole, &machine(None, true), endpoints(&[]));
    let failure = door.read(Read::CallerIdentity).await.unwrap_err();
    assert!(failure.message.contains("ALIBABA_CLOUD_IMDSV1_DISABLED"), "{failure}");
    let door = door_of(&answering([ok("t0ken=="), refusal(404)]), Claim::Sole, &machine(None, false), endpoints(&[]));
    let failure = door.read(Read::CallerIdentity).await.unwrap_err();
    assert!(failure.message.contains("has no RAM role"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_with_the_keys_that_were_given() {
    let exchange = answering([session("STS.1"), ok(IDENTITY)]);
    let role = Role { arn: "acs:ram::1002:role/cross".to_owned(), external_id: Some("ext".to_owned()) };
    let identity = Identity { role: Some(role), ..given() };
    let door = door_of(&exchange, Claim::Sole, &identity, endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    let told = told(&exchange);
    for part in ["RoleArn=acs%3Aram%3A%3A1002%3Arole%2Fcross", "ExternalId=ext", "RoleSessionName=privatelink-operator"]
    {
        assert!(told[0].0.contains(part), "{}", told[0].0);
    }
    assert_eq!((told[0].1.as_deref(), told[1].1.as_deref()), (Some("LTAI5t"), Some("STS.1")));
    let exchange = answering([refused("EntityNotExist.Role", Duration::ZERO)]);
    let failure =
        door_of(&exchange, Claim::Sole, &identity, endpoints(&[])).read(Read::CallerIdentity).await.unwrap_err();
    assert!(matches!(failure.meaning, Meaning::Credentials(_)), "it is the account's business: {failure:?}");
    let printed = format!("{failure:?} {failure}");
    assert!(!printed.contains("s3cr3t") && !printed.contains("t0k3n"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_cloud_no_longer_knows_is_replaced_and_the_call_made_again() {
    let gone = || refused("InvalidSecurityToken.Expired", Duration::ZERO);
    let exchange = answering([session("STS.1"), ok(IDENTITY), gone(), session("STS.2"), ok("{}"), gone()]);
    let role = Role { arn: "acs:ram::1002:role/cross".to_owned(), external_id: None };
    let door = door_of(&exchange, Claim::Sole, &Identity { role: Some(role), ..given() }, endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(door.execute(&delete(), "token").await, Ok(Done::Accepted));
    let failure = door.execute(&delete(), "token").await.unwrap_err();
    assert_eq!(failure.code, "InvalidSecurityToken.Expired", "a new one that is refused is not replaced again");
    let keys: Vec<_> = told(&exchange).into_iter().filter_map(|(_, key)| key).collect();
    assert_eq!(keys, ["LTAI5t", "STS.1", "STS.1", "LTAI5t", "STS.2", "STS.2"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_repeats_of_the_keys_is_not_told() {
    let body =
        r#"{"Code":"SignatureDoesNotMatch","Message":"canonical: x-acs-security-token:t0k3n s3cr3t","RequestId":"1"}"#;
    let answer = Answered::builder().status(400).body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
    let exchange = answering([answer]);
    let failure = door(&exchange, Claim::Sole, &[]).read(Read::CallerIdentity).await.unwrap_err();
    assert!(failure.message.contains("<hidden>"), "{failure}");
    assert!(!failure.message.contains("t0k3n") && !failure.message.contains("s3cr3t"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_for_a_token_s_call_too() {
    let file = token_file("skewed", "first");
    let ahead = Duration::from_mins(10);
    let exchange = answering([refused("InvalidTimeStamp.Expired", ahead), session("STS.1"), ok(IDENTITY)]);
    let door = door_of(&exchange, Claim::Sole, &pod(&file), endpoints(&[]));
    door.read(Read::CallerIdentity).await.unwrap();
    std::fs::remove_file(file).unwrap();
    assert_eq!(asked(&exchange).len(), 3);
}
