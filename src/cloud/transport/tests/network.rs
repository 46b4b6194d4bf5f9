//! The transport where a proxy or a private authority stands before the cloud.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::*;
use crate::cloud::authority::{Authority, Terminator};
use crate::cloud::connect_proxy::{Asked, ConnectProxy, Manner, Plan};

/// A host that only the proxy knows.
const CLOUD: &str = "cloud.example.com";
/// What a proxy is told of operator:pa@ss:w%rd/1.
const AUTHORIZATION: &str = "Basic b3BlcmF0b3I6cGFAc3M6dyVyZC8x";
/// The same as a URL has it before the host.
const USER: &str = "operator:pa%40ss%3Aw%25rd%2F1@";

/// A cloud that answers by TLS with a certificate of its own authority.
struct Cloud {
    authority: Authority,
    terminator: Terminator,
    received: Received,
}

impl Cloud {
    async fn start() -> Self {
        let authority = Authority::new();
        let (plain, received) = serve(|| Some(answer("{}"))).await;
        let tls = authority.certify(&[CLOUD, "127.0.0.1", "0.0.0.0"]);
        let terminator = Terminator::before(plain.authority().parse().unwrap(), tls).await;
        Self { authority, terminator, received }
    }

    /// The proxy before it.
    async fn proxy(&self, wants: Option<&'static str>, manner: Manner) -> ConnectProxy {
        ConnectProxy::start(Plan { wants, manner, hosts: hosts(self.terminator.address), tls: None }).await
    }

    fn extra(&self) -> Extra {
        let file =
            std::env::temp_dir().join(format!("privatelink-{}-{}.pem", std::process::id(), self.address().port()));
        std::fs::write(&file, self.authority.pem()).unwrap();
        let extra = Extra::read(&file);
        std::fs::remove_file(&file).unwrap();
        extra.unwrap()
    }

    const fn address(&self) -> SocketAddr {
        self.terminator.address
    }

    /// How many calls have come.
    fn calls(&mut self) -> usize {
        std::iter::from_fn(|| self.received.try_recv().ok()).count()
    }
}

fn hosts(cloud: SocketAddr) -> BTreeMap<String, SocketAddr> {
    [(format!("{CLOUD}:443"), cloud)].into()
}

fn proxies(url: &str, exempt: &str) -> Proxies {
    let variables = [("HTTPS_PROXY", url), ("NO_PROXY", exempt)];
    let read = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
    Proxies::from_environment(read).unwrap()
}

/// One call to `url`.
async fn call(url: &str, proxies: Proxies, extra: Extra) -> Result<wire::Response, Failure> {
    let base = base(url);
    Transport::new(&Surroundings { proxies, extra }).unwrap().send(&base, request(&base), limit::READ).await
}

/// One call to the cloud that only the proxy knows, which fails before anything has left.
async fn refused(proxies: Proxies, extra: Extra) -> String {
    let failure = call(&format!("https://{CLOUD}"), proxies, extra).await.unwrap_err();
    assert_eq!((&*failure.code, failure.meaning, failure.maybe_done), ("<connect>", Meaning::Unavailable, false));
    let printed = format!("{failure} {failure:?}");
    for secret in ["operator:", "pa@ss", "pa%40ss", "wrong", "b3BlcmF0b3I6", "t0k3n", "5ign"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    failure.message
}

fn asked(authorization: Option<&str>, answered: u16) -> Asked {
    Asked {
        method: "CONNECT".to_owned(),
        target: format!("{CLOUD}:443"),
        authorization: authorization.map(str::to_owned),
        answered,
    }
}

#[tokio::test]
async fn a_private_authority_is_believed_where_it_is_given_and_nowhere_else() {
    let mut cloud = Cloud::start().await;
    let url = format!("https://{}", cloud.address());
    let failure = call(&url, Proxies::default(), Extra::default()).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<connect>", false));
    for said in ["the certificate is not trusted", "--extra-ca"] {
        assert!(failure.message.contains(said), "{failure}");
    }
    let other = Cloud::start().await;
    let failure = call(&url, Proxies::default(), other.extra()).await.unwrap_err();
    assert!(failure.message.contains("the certificate is not trusted"), "{failure}");
    assert_eq!(cloud.calls(), 0);
    let answer = call(&url, Proxies::default(), cloud.extra()).await.unwrap();
    assert_eq!((answer.status, cloud.calls()), (200, 1));
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_believed() {
    let cloud = Cloud::start().await;
    let url = format!("https://localhost:{}", cloud.address().port());
    let failure = call(&url, Proxies::default(), cloud.extra()).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<connect>", false));
    assert!(failure.message.contains("check the network") && !failure.message.contains("--extra-ca"), "{failure}");
}

#[tokio::test]
async fn calls_pass_the_proxy_with_its_credentials_and_share_a_connection() {
    let mut cloud = Cloud::start().await;
    let proxy = cloud.proxy(Some(AUTHORIZATION), Manner::Leads).await;
    let proxies = proxies(&format!("http://{USER}{}", proxy.address), "");
    let transport = Transport::new(&Surroundings { proxies, extra: cloud.extra() }).unwrap();
    let base = base(&format!("https://{CLOUD}"));
    for _ in 0..2 {
        let answer = transport.send(&base, request(&base), limit::READ).await.unwrap();
        assert_eq!(answer.status, 200);
        let received = cloud.received.recv().await.unwrap();
        assert_eq!(received.headers()["host"], CLOUD, "what is signed is what is sent");
        assert_eq!(received.headers().get("proxy-authorization"), None, "the cloud is not told of the proxy");
    }
    assert_eq!(proxy.asked(), [asked(Some(AUTHORIZATION), 200)]);
}

#[tokio::test]
async fn a_proxy_that_misses_credentials_or_does_not_accept_them_is_named_with_what_to_do() {
    let mut cloud = Cloud::start().await;
    let proxy = cloud.proxy(Some(AUTHORIZATION), Manner::Leads).await;
    for (user, sent) in [("", None), ("operator:wrong@", Some("Basic b3BlcmF0b3I6d3Jvbmc="))] {
        let told = refused(proxies(&format!("http://{user}{}", proxy.address), ""), cloud.extra()).await;
        let name = format!("the proxy {} ", proxy.address);
        for said in [&name, "HTTP 407", "HTTPS_PROXY", &format!("list {CLOUD} in NO_PROXY"), "tried again"] {
            assert!(told.contains(said), "{said}: {told}");
        }
        assert_eq!(proxy.asked().last(), Some(&asked(sent, 407)));
    }
    assert_eq!(cloud.calls(), 0);
}

#[tokio::test]
async fn a_proxy_that_does_not_lead_there_is_named_with_its_answer() {
    let cloud = Cloud::start().await;
    for status in [403, 502, 302] {
        let proxy = cloud.proxy(None, Manner::Bars(status)).await;
        let told = refused(proxies(&proxy.address.to_string(), ""), cloud.extra()).await;
        let said = format!("the proxy {} does not lead to {CLOUD} (HTTP {status})", proxy.address);
        assert!(told.contains(&said) && told.contains("NO_PROXY"), "{told}");
        assert_eq!(proxy.asked(), [asked(None, status)], "it is asked once");
    }
}

#[tokio::test]
async fn a_proxy_that_closes_or_is_not_there_is_named() {
    let cloud = Cloud::start().await;
    let proxy = cloud.proxy(None, Manner::Closes).await;
    let told = refused(proxies(&proxy.address.to_string(), ""), cloud.extra()).await;
    assert!(told.contains(&format!("the proxy {} did not answer as a proxy does", proxy.address)), "{told}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let told = refused(proxies(&nobody.to_string(), ""), cloud.extra()).await;
    assert!(told.contains(&format!("the proxy {nobody} cannot be reached")) && told.contains("refused"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_hangs_or_leads_to_who_hangs_is_given_up_in_time() {
    let cloud = Cloud::start().await;
    // It takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hosts = hosts(silent.local_addr().unwrap());
    let leading = ConnectProxy::start(Plan { wants: None, manner: Manner::Leads, hosts, tls: None }).await;
    for proxy in [cloud.proxy(None, Manner::Hangs).await, leading] {
        let proxies = proxies(&proxy.address.to_string(), "");
        let called = tokio::spawn(refused(proxies, cloud.extra()));
        proxy.was_asked(1).await;
        tokio::time::pause();
        let began = tokio::time::Instant::now();
        let told = called.await.unwrap();
        let said = format!("there was none to {CLOUD} through the proxy {} within 5 seconds", proxy.address);
        assert!(told.contains(&said), "{told}");
        // The call began a moment before the clock was stopped.
        assert!(began.elapsed() <= limit::CONNECT + Duration::from_millis(1), "{:?}", began.elapsed());
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_proxy_may_be_spoken_to_by_tls_and_has_to_be_trusted_then() {
    let mut cloud = Cloud::start().await;
    let tls = Some(cloud.authority.certify(&["127.0.0.1"]));
    let plan = Plan { wants: Some(AUTHORIZATION), manner: Manner::Leads, hosts: hosts(cloud.address()), tls };
    let proxy = ConnectProxy::start(plan).await;
    let proxies = proxies(&format!("https://{USER}{}", proxy.address), "");
    let answer = call(&format!("https://{CLOUD}"), proxies.clone(), cloud.extra()).await.unwrap();
    assert_eq!((answer.status, cloud.calls()), (200, 1));
    let told = refused(proxies, Extra::default()).await;
    for said in [&*format!("the proxy {} cannot be reached", proxy.address), "not trusted", "--extra-ca"] {
        assert!(told.contains(said), "{told}");
    }
    assert_eq!(proxy.asked(), [asked(Some(AUTHORIZATION), 200)], "nothing is said to whom is not trusted");
}

#[tokio::test]
async fn who_is_exempt_is_reached_past_the_proxy() {
    let mut cloud = Cloud::start().await;
    let proxy = cloud.proxy(None, Manner::Leads).await;
    // This machine by an address that is not one of its own: a proxy would be asked for it.
    let (url, address) = (format!("https://0.0.0.0:{}", cloud.address().port()), proxy.address.to_string());
    for exempt in ["0.0.0.0", "10.0.0.0/8,0.0.0.0/8", "*"] {
        let answer = call(&url, proxies(&address, exempt), cloud.extra()).await.unwrap();
        assert_eq!((answer.status, proxy.asked().len()), (200, 0), "{exempt}");
    }
    // This machine is exempt, and so is what is spoken in the clear.
    let answer = call(&format!("https://{}", cloud.address()), proxies(&address, ""), cloud.extra()).await.unwrap();
    assert_eq!((answer.status, cloud.calls()), (200, 4));
    let (plain, _received) = serve(|| Some(super::answer("{}"))).await;
    let port = plain.authority().rsplit_once(':').unwrap().1;
    let plain = Base::of_machine(&format!("http://0.0.0.0:{port}")).unwrap();
    let surroundings = Surroundings { proxies: proxies(&address, ""), extra: Extra::default() };
    let answer = Transport::new(&surroundings).unwrap().send(&plain, request(&plain), limit::READ).await.unwrap();
    assert_eq!((answer.status, proxy.asked().len()), (200, 0));
    let failure = call(&url, proxies(&address, "10.0.0.0/8"), cloud.extra()).await.unwrap_err();
    assert!(failure.message.contains("does not lead to 0.0.0.0 (HTTP 502)"), "{failure}");
    assert_eq!(proxy.asked().len(), 1);
}
