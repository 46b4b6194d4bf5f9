//! The operator in a network of its own kind: a proxy that wants credentials before the cloud and before the API
//! server, and certificates that a private authority has issued.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use kube::Api;
use kube::config::Kubeconfig;
use privatelink_operator::api::{CloudAccount, EndpointService};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::authority::{Authority, Terminator};
use crate::cluster::repository;
use crate::connect_proxy::{Asked, ConnectProxy, Manner, Plan};
use crate::kube_door::Door;
use crate::objects::{is_settled, said};
use crate::operator::Operator;
use crate::past::PROVIDER;
use crate::service::{becomes_ready, goes, offered};

/// The cloud's own hosts, which only the proxy knows.
const HOSTS: [&str; 2] = ["privatelink.cn-hangzhou.aliyuncs.com:443", "sts.cn-hangzhou.aliyuncs.com:443"];
/// What the certificate is for.
const NAMES: &str = "*.cn-hangzhou.aliyuncs.com";
/// What the proxy is told of operator:pa@ss:w%rd/1.
const AUTHORIZATION: &str = "Basic b3BlcmF0b3I6cGFAc3M6dyVyZC8x";
/// The same as a URL has it before the host.
const USER: &str = "operator:pa%40ss%3Aw%25rd%2F1@";
/// All that any part of the process has to say.
const EVERYTHING: &str = "trace,kube_client=trace";
/// The API server's name that only the proxy knows.
const API_SERVER: &str = "kubernetes.example.com:6443";

/// An operator that is not started yet, and between it and the cloud a proxy and a private authority.
struct Stage {
    operator: Operator,
    /// What the simulated cloud is asked passes here.
    door: Door,
    _terminator: Terminator,
    proxy: ConnectProxy,
    bundle: Bundle,
}

/// The authority's certificate in a file, which is gone with this.
struct Bundle(PathBuf);

impl Stage {
    async fn set(what: &str) -> Self {
        let mut operator = Operator::unstarted(what).await;
        let door = Door::before_cloud(operator.sim.clone()).await;
        let authority = Authority::new();
        let terminator = Terminator::before(door.address(), authority.certify(&[NAMES])).await;
        let hosts = HOSTS.map(|host| (host.to_owned(), terminator.address)).into();
        let proxy = proxy(hosts).await;
        let file = format!("{}-{}.pem", what.replace(' ', "-"), std::process::id());
        let bundle = Bundle(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file));
        fs::write(&bundle.0, authority.pem()).expect("the bundle is written");
        operator.set("HTTPS_PROXY", format!("http://{USER}{}", proxy.address));
        Self { operator, door, _terminator: terminator, proxy, bundle }
    }

    /// The bundle's path.
    fn bundle(&self) -> String {
        self.bundle.0.display().to_string()
    }

    /// An account that says nothing of endpoints, and so speaks to the cloud's own hosts.
    async fn declare(&mut self, name: &str, namespaces: &[&str]) -> Api<CloudAccount> {
        self.operator.declare(name, namespaces, PROVIDER, "cn-hangzhou", &json!({})).await;
        Api::all(self.operator.admin().await)
    }

    /// Waits until the account is not ready and says why with these words.
    async fn says(&self, accounts: &Api<CloudAccount>, name: &str, words: &[&str]) {
        let says = |account: &CloudAccount| {
            said(account, "Ready").is_some_and(|(status, reason, message)| {
                (status, reason) == ("False", "CloudUnavailable") && words.iter().all(|word| message.contains(word))
            })
        };
        let what = format!("{words:?}");
        let account = self.operator.becomes(accounts.clone(), name, &what, |account| account.is_some_and(says)).await;
        let (_, _, message) = account.as_ref().and_then(|account| said(account, "Ready")).expect("it says so");
        let read = message.replace(&self.proxy.address.to_string(), "proxy.example.com:3128");
        let page = fs::read_to_string(repository().join("docs/network.md")).expect("there is a page");
        assert!(page.contains(&format!("`{read}`")), "docs/network.md says what is read: {read}");
    }

    async fn is_ready(&self, accounts: &Api<CloudAccount>, name: &str) {
        self.operator.becomes(accounts.clone(), name, "Ready", |account| account.is_some_and(is_settled)).await;
    }

    /// Starts the operator again, in a network that has changed.
    async fn again(&mut self, variable: &'static str, value: String) {
        self.operator.kill();
        self.operator.set(variable, value);
        self.operator.run(&[]).await;
    }

    /// How many calls the cloud has had.
    fn calls(&self) -> usize {
        self.operator.sim.with(|cloud| privatelink_sim::dump::journal(cloud)["calls"].as_array().map_or(0, Vec::len))
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// A proxy that wants its credentials and knows these hosts.
async fn proxy(hosts: BTreeMap<String, SocketAddr>) -> ConnectProxy {
    ConnectProxy::start(Plan { wants: Some(AUTHORIZATION), manner: Manner::Leads, hosts, tls: None }).await
}

/// The URL of a proxy that has gone.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    format!("http://{USER}{}", listener.local_addr().expect("a bound address"))
}

/// Nothing that a log holds tells how the proxy or the cloud is convinced.
fn holds_no_secret(log: &[Value]) {
    let log: Vec<String> = log.iter().map(Value::to_string).collect();
    assert!(log.iter().any(|line| line.contains("TRACE")), "everything is told");
    for secret in ["pa@ss", "pa%40ss", "b3BlcmF0b3I6", "operator:pa", PROVIDER.secret] {
        let told = log.iter().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret} is in the log");
    }
}

fn led(asked: &Asked, hosts: &[&str]) -> bool {
    let known = hosts.contains(&asked.target.as_str());
    known && asked.method == "CONNECT" && asked.authorization.as_deref() == Some(AUTHORIZATION) && asked.answered == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_and_a_private_authority_a_service_is_made_ready_and_no_secret_is_logged() {
    let mut stage = Stage::set("behind a proxy").await;
    stage.operator.set("RUST_LOG", EVERYTHING);
    let trusting = ["--extra-ca", &stage.bundle()];
    stage.operator.run(&trusting).await;
    let namespace = stage.operator.cluster.namespace("behind-a-proxy").await;
    let accounts = stage.declare("behind-a-proxy", &[&namespace]).await;
    stage.is_ready(&accounts, "behind-a-proxy").await;
    let services: Api<EndpointService> = offered(&stage.operator, &namespace, "behind-a-proxy", "gateway").await;
    becomes_ready(&stage.operator, &services, "gateway").await;
    goes(&stage.operator, &services, "gateway").await;
    assert_eq!(stage.operator.world()["services"], json!([]));

    let log = stage.operator.log();
    holds_no_secret(&log);
    let started = log.iter().find(|line| line["message"] == "starting").expect("it says that it starts");
    assert_eq!(
        (started["proxy"].as_str(), started["extra_ca"].as_u64()),
        (Some(&*stage.proxy.address.to_string()), Some(1))
    );

    stage.operator.kill();
    // All calls came this way, and nothing else did: the API server of this machine is no business of the proxy.
    assert_eq!(stage.calls(), stage.door.asked().len());
    assert!(stage.calls() > 0);
    let asked = stage.proxy.asked();
    assert!(asked.iter().all(|asked| led(asked, &HOSTS)), "{asked:#?}");
    assert!(HOSTS.iter().all(|host| asked.iter().any(|asked| asked.target == *host)), "{asked:#?}");
    stage.operator.run(&trusting).await;
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_not_accept_the_credentials_is_named_by_the_account_with_what_to_do() {
    let mut stage = Stage::set("proxy refuses").await;
    stage.operator.set("RUST_LOG", EVERYTHING);
    let right = format!("http://{USER}{}", stage.proxy.address);
    stage.operator.set("HTTPS_PROXY", right.replace("w%25rd", "wr0ng"));
    stage.operator.set("PRIVATELINK_EXTRA_CA", stage.bundle());
    stage.operator.run(&[]).await;
    let accounts = stage.declare("proxy-refuses", &["default"]).await;
    let named = format!("the proxy {} ", stage.proxy.address);
    let listed = "list sts.cn-hangzhou.aliyuncs.com in NO_PROXY";
    stage.says(&accounts, "proxy-refuses", &[&named, "HTTP 407", "into HTTPS_PROXY", listed]).await;
    holds_no_secret(&stage.operator.log());
    assert!(stage.proxy.asked().iter().all(|asked| asked.answered == 407), "{:#?}", stage.proxy.asked());
    assert_eq!(stage.calls(), 0);

    stage.again("HTTPS_PROXY", right).await;
    stage.is_ready(&accounts, "proxy-refuses").await;
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_is_said_by_the_account_with_what_to_do() {
    let mut stage = Stage::set("not trusted").await;
    stage.operator.run(&[]).await;
    let accounts = stage.declare("not-trusted", &["default"]).await;
    stage.says(&accounts, "not-trusted", &["the certificate is not trusted", "--extra-ca"]).await;
    assert_eq!(stage.calls(), 0);

    stage.again("PRIVATELINK_EXTRA_CA", stage.bundle()).await;
    stage.is_ready(&accounts, "not-trusted").await;
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_proxy_keeps_nobody_from_this_machine() {
    let mut operator = Operator::unstarted("dead proxy").await;
    operator.set("HTTPS_PROXY", dead().await);
    operator.run(&[]).await;
    operator.account("dead-proxy", &["default"]).await;
    operator.stop().await;
}

/// An operator whose API server has a name that only a proxy knows.
async fn afar(what: &str) -> (Operator, ConnectProxy) {
    let mut operator = Operator::unstarted(what).await;
    let text = operator.cluster.operator_kubeconfig().await;
    let kubeconfig: Kubeconfig = serde_json::from_str(&text).expect("a kubeconfig");
    let cluster = kubeconfig.clusters[0].cluster.as_ref().expect("it says how it is reached");
    let server: http::Uri = cluster.server.as_deref().expect("a server").parse().expect("a URL");
    let host = server.host().expect("a host").to_owned();
    let port = server.port_u16().unwrap_or(443);
    let address = tokio::net::lookup_host((&*host, port)).await.expect("it is found").next().expect("an address");
    operator.set_cluster("server", format!("https://{API_SERVER}"));
    operator.set_cluster("tls-server-name", host);
    (operator, proxy([(API_SERVER.to_owned(), address)].into()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_is_reached_through_the_proxy_of_the_environment() {
    let (mut operator, proxy) = afar("cluster afar").await;
    operator.set("HTTPS_PROXY", format!("http://{USER}{}", proxy.address));
    operator.set("RUST_LOG", EVERYTHING);
    operator.run(&[]).await;
    holds_no_secret(&operator.log());
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| led(asked, &[API_SERVER])), "{asked:#?}");
    operator.account("cluster-afar", &["default"]).await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_kubeconfig_counts_before_that_of_the_environment() {
    let (mut operator, proxy) = afar("proxy of kubeconfig").await;
    operator.set_cluster("proxy-url", format!("http://{USER}{}", proxy.address));
    operator.set("HTTPS_PROXY", dead().await);
    operator.set("NO_PROXY", "kubernetes.example.com,127.0.0.0/8");
    operator.set("RUST_LOG", EVERYTHING);
    operator.run(&[]).await;
    holds_no_secret(&operator.log());
    let asked = proxy.asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| led(asked, &[API_SERVER])), "{asked:#?}");
    operator.account("proxy-of-kubeconfig", &["default"]).await;
    operator.stop().await;
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start_by_its_name_and_never_repeated() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let kubeconfig = folder.join(format!("refused-at-the-start-{}.kubeconfig", std::process::id()));
    let text = |fields: Value| {
        let mut cluster = json!({"server": "https://kubernetes.example.com"});
        cluster.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "some",
            "contexts": [{"name": "some", "context": {"cluster": "some", "user": "some"}}],
            "clusters": [{"name": "some", "cluster": cluster}],
            "users": [{"name": "some", "user": {}}],
        })
        .to_string()
    };
    let socks = "socks5://operator:s3cret@proxy:1080";
    for (variables, cluster, said) in [
        (vec![("HTTPS_PROXY", "http://operator:s3cret@proxy:port")], json!({}), "HTTPS_PROXY: it is no URL of a proxy"),
        (vec![("https_proxy", socks)], json!({}), "https_proxy: SOCKS is not supported"),
        (vec![], json!({"proxy-url": socks}), "proxy-url of the kubeconfig: SOCKS is not supported"),
        (
            vec![("HTTPS_PROXY", "proxy:1"), ("NO_PROXY", "one,,two")],
            json!({}),
            "NO_PROXY: comma-separated value is empty",
        ),
        (vec![("PRIVATELINK_EXTRA_CA", "/nowhere/ca.pem")], json!({}), "--extra-ca /nowhere/ca.pem: No such file"),
    ] {
        fs::write(&kubeconfig, text(cluster)).expect("the kubeconfig is written");
        let output = Command::new(env!("CARGO_BIN_EXE_privatelink-operator"))
            .args(["run", "--admin-listen", "127.0.0.1:0"])
            .env_clear()
            .env("KUBECONFIG", &kubeconfig)
            .env("RUST_LOG", EVERYTHING)
            .envs(variables)
            .output()
            .expect("it is started");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(&format!("privatelink-operator: {said}")), "{said}: {told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
    fs::remove_file(&kubeconfig).expect("it was written");
}
