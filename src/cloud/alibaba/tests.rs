//! The door before a service that answers as a test says.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response as Answered, Uri};
use http_body_util::Full;
use privatelink_core::id::ServiceId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::*;
use crate::cloud::claim::Claim;

/// What was asked for, and what is answered, first to last.
#[derive(Default)]
struct Exchange {
    asked: Vec<(Uri, HeaderMap)>,
    answers: VecDeque<Answered<Full<Bytes>>>,
}

type Shared = Arc<Mutex<Exchange>>;

fn transport(exchange: &Shared) -> Transport {
    let exchange = Arc::clone(exchange);
    Transport::over(tower::service_fn(move |request: Request<Full<Bytes>>| {
        let mut exchange = exchange.lock().unwrap();
        let (head, _) = request.into_parts();
        exchange.asked.push((head.uri, head.headers));
        let answer = exchange.answers.pop_front().expect("no more is asked than is answered");
        async move { Ok::<_, Infallible>(answer) }
    }))
}

fn credentials() -> Credentials {
    let parts = [("accessKeyId", "LTAI5t"), ("accessKeySecret", "s3cr3t"), ("securityToken", "t0k3n")];
    let contents = parts.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
    Credentials::from_secret("ops/key", &contents.into()).unwrap()
}

fn door(exchange: &Shared, claim: Claim, declared: &[(&str, &str)]) -> Alibaba {
    let declared: BTreeMap<_, _> = declared.iter().map(|(key, url)| ((*key).to_owned(), (*url).to_owned())).collect();
    let endpoints = Endpoints::parse(&declared, false).unwrap();
    let (_, claim) = watch::channel(claim);
    Alibaba::new(transport(exchange), Region::from("cn-hangzhou"), credentials(), endpoints, Claimed::new(claim))
}

fn answering(answers: impl IntoIterator<Item = Answered<Full<Bytes>>>) -> Shared {
    Arc::new(Mutex::new(Exchange { answers: answers.into_iter().collect(), ..Exchange::default() }))
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
    let door = Alibaba::new(transport(&exchange), region, credentials(), Endpoints::default(), Claimed::new(claim));
    let failure = door.read(Read::CallerIdentity).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::UserMustAct(Reason::InvalidSpec));
    assert!(failure.message.contains("spec.region"), "{failure}");
}
