//! The transport before real sockets on this machine.

mod network;

use std::collections::BTreeMap;
use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::cloud::endpoint::Endpoints;

type Received = mpsc::UnboundedReceiver<Request<Body>>;

/// A server on this machine that answers everything by `answer`, or never; it ends with the test's runtime.
async fn serve(answer: impl Fn() -> Option<Response<Full<Bytes>>> + Clone + Send + Sync + 'static) -> (Base, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = base(&format!("http://{}", listener.local_addr().unwrap()));
    let (note, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (answer, note) = (answer.clone(), note.clone());
            let service = service_fn(move |request: Request<Body>| {
                note.send(request).unwrap();
                let answer = answer();
                async move {
                    match answer {
                        Some(answer) => Ok::<_, Infallible>(answer),
                        None => std::future::pending().await,
                    }
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (base, received)
}

fn base(url: &str) -> Base {
    let declared: BTreeMap<_, _> = [("privatelink".to_owned(), url.to_owned())].into();
    Endpoints::parse(&declared, false, Base::of_machine("http://100.100.100.200").unwrap())
        .unwrap()
        .privatelink
        .unwrap()
}

fn request(base: &Base) -> wire::Request {
    wire::Request {
        method: "POST",
        host: base.authority().to_owned(),
        path: "/".into(),
        query: "ServiceId=epsrv-1&Text=a%20b".to_owned(),
        headers: vec![
            ("x-acs-action".to_owned(), "GetVpcEndpointServiceAttribute".to_owned()),
            ("x-acs-security-token".to_owned(), "t0k3n".to_owned()),
            ("authorization".to_owned(), "ACS3-HMAC-SHA256 Signature=5ign".to_owned()),
        ],
        body: Vec::new(),
    }
}

fn answer(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.into()))
}

fn transport() -> Transport {
    Transport::new(&Surroundings::default()).unwrap()
}

#[tokio::test]
async fn a_request_is_sent_as_it_was_signed_and_its_answer_read_whole() {
    let (base, mut received) = serve(|| {
        let mut answer = answer("{}");
        *answer.status_mut() = http::StatusCode::BAD_REQUEST;
        answer.headers_mut().insert("x-acs-request-id", HeaderValue::from_static("1"));
        Some(answer)
    })
    .await;
    let answer = transport().send(&base, request(&base), limit::READ).await.unwrap();
    assert_eq!((answer.status, answer.header("X-Acs-Request-Id"), &*answer.body), (400, Some("1"), &b"{}"[..]));
    let received = received.recv().await.unwrap();
    assert_eq!(received.method(), "POST");
    assert_eq!(received.uri().to_string(), "/?ServiceId=epsrv-1&Text=a%20b");
    let header = |name| received.headers()[name].to_str().unwrap();
    assert_eq!((header("host"), header("content-length")), (base.authority(), "0"));
    assert_eq!((header("x-acs-security-token"), header("authorization")), ("t0k3n", "ACS3-HMAC-SHA256 Signature=5ign"));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let (exact, _received) = serve(|| Some(answer(vec![b' '; limit::ANSWER]))).await;
    let whole = transport().send(&exact, request(&exact), limit::READ).await.unwrap();
    assert_eq!(whole.body.len(), limit::ANSWER);
    let (base, _received) = serve(|| Some(answer(vec![b' '; limit::ANSWER + 1]))).await;
    let failure = transport().send(&base, request(&base), limit::READ).await.unwrap_err();
    assert_eq!((&*failure.code, failure.meaning), ("<body too large>", Meaning::Unavailable));
    assert!(failure.maybe_done, "the call was answered");
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let (other, mut followed) = serve(|| Some(answer("{}"))).await;
    let leading = format!("http://{}/", other.authority());
    let (base, _received) = serve(move || {
        let mut answer = answer("");
        *answer.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
        answer.headers_mut().insert("location", HeaderValue::try_from(&leading).unwrap());
        Some(answer)
    })
    .await;
    let failure = transport().send(&base, request(&base), limit::READ).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<redirect>", false));
    assert!(failure.message.contains("HTTP 307"), "{failure}");
    assert!(followed.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_in_time() {
    let (base, mut received) = serve(|| None).await;
    for patience in [limit::READ, limit::WRITE] {
        let (transport, request, base) = (transport(), request(&base), base.clone());
        let call = tokio::spawn(async move { transport.send(&base, request, patience).await });
        let _arrived = received.recv().await.unwrap();
        tokio::time::pause();
        let began = tokio::time::Instant::now();
        let failure = call.await.unwrap().unwrap_err();
        assert_eq!((&*failure.code, failure.meaning), ("<timeout>", Meaning::Unavailable));
        assert!(failure.maybe_done);
        assert!(failure.message.contains(&format!("within {} seconds", patience.as_secs())), "{failure}");
        // The call began a moment before the clock was stopped, and timers tick in milliseconds.
        let late = began.elapsed().abs_diff(patience);
        assert!(late < Duration::from_secs(5), "{late:?}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn where_nothing_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = base(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let failure = transport().send(&base, request(&base), limit::READ).await.unwrap_err();
    assert_eq!((&*failure.code, failure.meaning, failure.maybe_done), ("<connect>", Meaning::Unavailable, false));
    assert!(failure.message.contains("refused"), "{failure}");
}

#[tokio::test]
async fn https_is_not_spoken_in_the_clear() {
    let (plain, mut received) = serve(|| Some(answer("{}"))).await;
    let base = base(&format!("https://{}", plain.authority()));
    let failure = transport().send(&base, request(&base), limit::READ).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<connect>", false));
    assert!(received.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_never_made_is_given_up_in_time() {
    let never = tower::service_fn(|_: Uri| std::future::pending::<Result<(), BoxError>>());
    let began = tokio::time::Instant::now();
    let error = Patient { connector: never, proxies: Proxies::default() }
        .oneshot(Uri::from_static("https://example.com"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "none within 5 seconds");
    assert_eq!(began.elapsed().as_secs(), limit::CONNECT.as_secs());
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_may_have_carried_the_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = base(&format!("http://{}", listener.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut read = [0; 16];
        while stream.try_read(&mut read).is_err() {
            stream.readable().await.unwrap();
        }
    });
    let failure = transport().send(&base, request(&base), limit::READ).await.unwrap_err();
    server.await.unwrap();
    assert_eq!((&*failure.code, failure.meaning), ("<broken>", Meaning::Unavailable));
    assert!(failure.maybe_done);
}

#[test]
fn no_secret_is_in_what_is_printed() {
    let base = base("https://example.com");
    let sent = outgoing(&base, request(&base)).unwrap();
    let printed = format!("{sent:?} {:?} {:?}", request(&base), sent.headers());
    assert!(!printed.contains("t0k3n") && !printed.contains("5ign"), "{printed}");
    let mut unsendable = request(&base);
    unsendable.headers[1].1.push('\n');
    let failure = outgoing(&base, unsendable).unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<unsendable>", false));
    assert!(!format!("{failure} {failure:?}").contains("t0k3n"), "{failure:?}");
}
