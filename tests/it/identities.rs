//! Who the operator is to the cloud: each identity that an account can have, the calls that are made with it, and by
//! which key and which proof each of them came.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_sim::alibaba::metadata::{CREATE_TOKEN, GET_CREDENTIALS, GET_ROLE};
use privatelink_sim::fault::{Faults, Rates};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::journal::{Call, Proof};
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::federation::{self, CLUSTER, PROVIDER_ARN, ROLE, ROLE_ARN, TOKEN_FILE, TokenFile};
use crate::objects::{is_settled, said};
use crate::operator::{METADATA, Operator, apply};
use crate::past::{CONSUMER, Key, PROVIDER};
use crate::service::{becomes_ready, goes, service};

/// A session of a role of the provider's.
const SESSION: Key = Key {
    id: "provider-role-key",
    secret: "provider-role-secret",
    token: Some("provider-role-token"),
    account: PROVIDER.account,
};
/// A user of the provider's.
const USER: Key =
    Key { id: "provider-user-key", secret: "provider-user-secret", token: None, account: PROVIDER.account };
/// What the metadata service is asked.
const MACHINE: [&str; 3] = [CREATE_TOKEN, GET_ROLE, GET_CREDENTIALS];

/// An operator, the namespace of its tenant, and how much of the journal was read.
struct Stage {
    operator: Operator,
    namespace: String,
    accounts: Api<CloudAccount>,
    services: Api<EndpointService>,
    read: u64,
}

impl Stage {
    /// An operator that is not started yet.
    async fn set(what: &str) -> Self {
        Self::set_with(what, Fixture::built_in()).await
    }

    /// The same before a world of its own.
    async fn set_with(what: &str, world: Fixture) -> Self {
        let operator = Operator::unstarted_with(what, world).await;
        let namespace = operator.cluster.namespace(&what.replace(' ', "-")).await;
        let admin = operator.admin().await;
        let (accounts, services) = (Api::all(admin.clone()), Api::namespaced(admin, &namespace));
        Self { operator, namespace, accounts, services, read: 0 }
    }

    /// Applies an account with these credentials, which says this of Alibaba Cloud beside where it is.
    async fn declare(&self, name: &str, credentials: Value, more: &Value) {
        let cloud = self.operator.cloud();
        let mut alibaba = json!({"endpoints": {"privatelink": cloud, "sts": cloud}});
        alibaba.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        let account = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "CloudAccount",
            "metadata": {"name": name},
            "spec": {
                "alibaba": alibaba,
                "region": "cn-hangzhou",
                "credentials": credentials,
                "limits": {"requestsPerSecond": 200, "burst": 200},
                "allowedNamespaces": {"from": "Names", "names": [self.namespace]},
            },
        });
        apply(&self.accounts, name, &account).await;
    }

    /// Applies an account with a Secret that holds this key.
    async fn declare_with(&self, name: &str, key: Key, more: &Value) {
        self.operator.secret_of(name, key).await;
        self.declare(name, json!({"secretRef": {"namespace": OPERATOR_NAMESPACE, "name": name}}), more).await;
    }

    /// Waits until the account is ready, and has learnt whose its credentials are.
    async fn is_ready(&self, name: &str, of: Key) {
        let ready =
            self.operator.becomes(self.accounts.clone(), name, "Ready", |one| one.is_some_and(is_settled)).await;
        let learnt = ready.and_then(|account| account.status).and_then(|status| status.account_id);
        assert_eq!(learnt.as_deref(), Some(&*of.account.0.to_string()), "{name}");
    }

    /// Waits until the account says this; gives the message.
    async fn says(&self, name: &str, status: &str, reason: &str) -> String {
        let says =
            |account: &CloudAccount| said(account, "Ready").is_some_and(|(is, why, _)| (is, why) == (status, reason));
        let held = self.operator.becomes(self.accounts.clone(), name, reason, |one| one.is_some_and(says)).await;
        let (_, _, message) = held.as_ref().and_then(|account| said(account, "Ready")).expect("it says so");
        println!("{name}: Ready={status}, {reason}: {message}");
        message.to_owned()
    }

    /// Applies a service of the account.
    async fn offer(&self, account: &str, balancer: &str) {
        let resources = json!([{"id": balancer, "type": "CLB", "zone": "cn-hangzhou-f"}]);
        apply(&self.services, account, &service(&self.namespace, account, account, &resources)).await;
    }

    /// An account becomes ready, and a service that it owns is made and deleted through it.
    async fn serves(&self, name: &str, of: Key) {
        self.is_ready(name, of).await;
        self.offer(name, if of == CONSUMER { "lb-tenant" } else { "lb-hot" }).await;
        becomes_ready(&self.operator, &self.services, name).await;
        let world = self.operator.world();
        let owners: Vec<_> = world["services"].as_array().expect("services").iter().map(|one| &one["owner"]).collect();
        assert_eq!(owners, [&json!(of.account.0)], "{name}");
        goes(&self.operator, &self.services, name).await;
    }

    /// The calls since this was asked the last time.
    fn calls(&mut self) -> Vec<Call> {
        let read = self.read;
        let calls: Vec<_> = self
            .operator
            .sim
            .with(|cloud| cloud.journal.calls().filter(|call| call.sequence > read).cloned().collect());
        self.read = calls.last().map_or(read, |call: &Call| call.sequence);
        calls
    }

    /// Who has made these calls, as the cloud knows the owners of keys: the account, then who it is within it.
    fn callers(&self, calls: &[Call]) -> BTreeSet<String> {
        self.operator.sim.with(|cloud| {
            let owner = |id: &String| format!("{} {:?}", cloud.keys[id].actor.account.0, cloud.keys[id].identity);
            calls.iter().map(|call| call.key.as_ref().map_or_else(|| "nobody".to_owned(), owner)).collect()
        })
    }

    /// Deletes the account, and its Secret where it has one, and waits until it is gone.
    async fn leaves(&self, name: &str) {
        let account = self.accounts.get(name).await.expect("it is there");
        self.accounts.delete(name, &DeleteParams::default()).await.expect("it is deleted");
        self.operator.becomes(self.accounts.clone(), name, "gone", |account| account.is_none()).await;
        if account.spec.credentials.secret_ref.is_some() {
            let secrets = Api::<Secret>::namespaced(self.operator.admin().await, OPERATOR_NAMESPACE);
            secrets.delete(name, &DeleteParams::default()).await.expect("its Secret is deleted");
        }
    }

    /// Lets all calls go as they should again.
    fn lift_faults(&self) {
        self.operator.sim.with(|cloud| cloud.faults = Faults::new(Rates::default(), 0));
    }
}

/// Splits calls into those that were signed and those that were not, and shows all of it.
fn told(what: &str, calls: Vec<Call>) -> (Vec<Call>, Vec<Call>) {
    let counted: BTreeSet<_> = calls
        .iter()
        .map(|call| {
            format!("{} {} by {:?}, proof in {:?}: {}", call.method, call.action, call.key, call.proof, call.code)
        })
        .collect();
    println!("{what}: {counted:#?}");
    let (signed, unsigned): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.key.is_some());
    assert!(signed.iter().all(|call| call.proof == Proof::Headers && call.method == "POST"), "{what}: {signed:#?}");
    (signed, unsigned)
}

fn actions(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| &*call.action).collect()
}

fn role_of(key: Key, role: &str, session: &str) -> String {
    format!("{} Role {{ role: {role:?}, session: {session:?} }}", key.account.0)
}

fn only(who: &str) -> BTreeSet<String> {
    [who.to_owned()].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_session_the_role_of_the_machine_and_a_role_of_another_account_serve() {
    let mut stage = Stage::set("many identities").await;
    // The flag comes before the variable, which names a port on which nobody answers.
    stage.operator.set(METADATA, "http://127.0.0.1:1");
    let metadata = stage.operator.cloud();
    stage.operator.run(&["--alibaba-metadata-endpoint", &metadata]).await;

    stage.declare_with("identity-session", SESSION, &json!({})).await;
    stage.serves("identity-session", PROVIDER).await;
    stage.leaves("identity-session").await;
    let (signed, unsigned) = told("keys of a session", stage.calls());
    assert_eq!(unsigned, []);
    assert!(signed.iter().all(|call| call.key.as_deref() == Some(SESSION.id)), "{signed:#?}");
    assert_eq!(stage.callers(&signed), only(&role_of(PROVIDER, "operator", "pod")));

    // A machine that answers without a token too, one that does not, and one that knows no tokens.
    let hardened = [
        ("PUT", CREATE_TOKEN, Proof::None),
        ("GET", GET_ROLE, Proof::Headers),
        ("GET", GET_CREDENTIALS, Proof::Headers),
    ];
    let older =
        [("PUT", CREATE_TOKEN, Proof::None), ("GET", GET_ROLE, Proof::None), ("GET", GET_CREDENTIALS, Proof::None)];
    for (name, imdsv1, tokens, expected) in [
        ("identity-machine", true, true, hardened),
        ("identity-hardened", false, true, hardened),
        ("identity-older", true, false, older),
    ] {
        stage.operator.sim.with(|cloud| cloud.identities.instance.as_mut().expect("a machine").imdsv1 = imdsv1);
        if !tokens {
            let refuse = json!({"refuse": {"code": "NotFound", "status": 404}});
            stage.operator.fault(json!({"action": CREATE_TOKEN, "times": 1_000_000, "do": refuse}));
        }
        stage.declare(name, json!({"instanceRole": {}}), &json!({})).await;
        stage.serves(name, PROVIDER).await;
        stage.leaves(name).await;
        stage.lift_faults();
        let (signed, unsigned) = told(name, stage.calls());
        let asked: Vec<_> = unsigned.iter().map(|call| (&*call.method, &*call.action, call.proof)).collect();
        assert_eq!(asked, expected, "{name}: once, and by the token first");
        assert_eq!(stage.callers(&signed), only(&role_of(PROVIDER, "node", "i-simulated")));
    }

    let role = json!({"arn": "acs:ram::1002000000000002:role/cross", "externalId": "cross-external-id"});
    stage.declare_with("identity-chained", USER, &json!({"assumeRole": role})).await;
    stage.serves("identity-chained", CONSUMER).await;
    stage.leaves("identity-chained").await;
    let (signed, unsigned) = told("a chained role", stage.calls());
    assert_eq!(unsigned, []);
    let (first, rest) = signed.split_first().expect("there are calls");
    assert_eq!((&*first.action, first.key.as_deref()), ("AssumeRole", Some(USER.id)));
    assert_eq!(stage.callers(rest), only(&role_of(CONSUMER, "cross", "privatelink-operator")));
    assert!(!actions(rest).contains(&"AssumeRole"), "one session serves: {rest:#?}");
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_gives_keys_before_the_pod_s_identity_and_that_before_the_machine_s() {
    let mut stage = Stage::set("environment").await;
    let token = TokenFile::of("environment");
    federation::trust(&stage.operator).await;
    token.holds(&stage.operator, OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await;

    stage.operator.run(&[]).await;
    stage.declare("identity-environment", json!({"environment": {}}), &json!({})).await;
    stage.serves("identity-environment", PROVIDER).await;
    stage.operator.kill();
    let (signed, unsigned) = told("nothing is set", stage.calls());
    assert_eq!(actions(&unsigned), MACHINE);
    assert_eq!(stage.callers(&signed), only(&role_of(PROVIDER, "node", "i-simulated")));

    stage.operator.set(ROLE_ARN, ROLE);
    stage.operator.set(TOKEN_FILE, token.path());
    stage.operator.run(&[]).await;
    let message = stage.says("identity-environment", "False", "CredentialsInvalid").await;
    assert!(message.starts_with(&format!("environment variable {PROVIDER_ARN} is missing: ")), "{message}");
    stage.operator.kill();
    assert_eq!(stage.calls(), [], "nobody is asked, least of all the machine");

    stage.operator.set(PROVIDER_ARN, CLUSTER);
    stage.operator.run(&[]).await;
    stage.serves("identity-environment", PROVIDER).await;
    stage.operator.kill();
    let (signed, unsigned) = told("the pod has an identity", stage.calls());
    assert_eq!(actions(&unsigned), ["AssumeRoleWithOIDC"]);
    assert_eq!(stage.callers(&signed), only(&role_of(PROVIDER, "operator", "privatelink-operator")));

    stage.operator.set("ALIBABA_CLOUD_ACCESS_KEY_ID", USER.id);
    stage.operator.run(&[]).await;
    let message = stage.says("identity-environment", "False", "CredentialsInvalid").await;
    let missing = "environment variable ALIBABA_CLOUD_ACCESS_KEY_SECRET is missing: ";
    assert!(message.starts_with(missing), "{message}");
    stage.operator.kill();
    assert_eq!(stage.calls(), [], "half a key is nobody else's");

    stage.operator.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", USER.secret);
    stage.operator.run(&[]).await;
    stage.serves("identity-environment", PROVIDER).await;
    stage.leaves("identity-environment").await;
    let (signed, unsigned) = told("keys are set", stage.calls());
    assert_eq!(unsigned, []);
    assert!(signed.iter().all(|call| call.key.as_deref() == Some(USER.id)), "{signed:#?}");
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_api_server_has_signed_becomes_a_session_and_another_s_does_not() {
    let mut stage = Stage::set("workload identity").await;
    let token = TokenFile::of("workload identity");
    federation::trust(&stage.operator).await;
    for (variable, value) in [(ROLE_ARN, ROLE), (PROVIDER_ARN, CLUSTER), (TOKEN_FILE, &*token.path())] {
        stage.operator.set(variable, value);
    }
    stage.operator.cluster.tenant_client(&stage.namespace).await;
    token.holds(&stage.operator, &stage.namespace, "tenant").await;
    stage.operator.run(&[]).await;
    stage.declare("identity-pod", json!({"workloadIdentity": {}}), &json!({})).await;
    let message = stage.says("identity-pod", "False", "PermissionDenied").await;
    for word in ["AuthenticationFail.NoPermission", "oidc:sub system:serviceaccount:", ROLE_ARN, PROVIDER_ARN] {
        assert!(message.contains(word), "{word}: {message}");
    }
    let (signed, refused) = told("another's token", stage.calls());
    assert_eq!(signed, []);
    let oidc = |call: &Call| (&*call.action, &*call.method, call.proof) == ("AssumeRoleWithOIDC", "POST", Proof::Body);
    assert!(!refused.is_empty() && refused.iter().all(oidc), "{refused:#?}");

    token.holds(&stage.operator, OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await;
    stage.serves("identity-pod", PROVIDER).await;
    stage.leaves("identity-pod").await;
    let (signed, unsigned) = told("the operator's own token", stage.calls());
    assert!(unsigned.iter().all(oidc), "{unsigned:#?}");
    assert_eq!(unsigned.iter().filter(|call| call.code == "OK").count(), 1, "{unsigned:#?}");
    assert_eq!(stage.callers(&signed), only(&role_of(PROVIDER, "operator", "privatelink-operator")));
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_little_wrong_is_corrected_for_and_one_that_is_far_off_is_told() {
    let mut stage = Stage::set("clock").await;
    stage.operator.control("clock", &json!({"offset": "20m"}));
    stage.operator.run(&[]).await;
    stage.declare_with("identity-clock", PROVIDER, &json!({})).await;
    stage.offer("identity-clock", "lb-hot").await;
    let message = stage.says("identity-clock", "False", "ClockSkew").await;
    assert!(message.contains("synchronise the clock of the node"), "{message}");
    let waits = |service: Option<&EndpointService>| {
        service.and_then(|service| said(service, "Ready")).is_some_and(|(_, reason, _)| reason == "ClockSkew")
    };
    stage.operator.becomes(stage.services.clone(), "identity-clock", "ClockSkew", waits).await;
    assert_eq!(stage.operator.world()["services"], json!([]));
    stage.operator.control("clock", &json!({"offset": "0s"}));
    stage.serves("identity-clock", PROVIDER).await;
    stage.leaves("identity-clock").await;
    stage.calls();

    stage.operator.control("clock", &json!({"offset": "10m"}));
    stage.operator.sim.with(|cloud| {
        let mut stricter = cloud.state().clone();
        stricter.variants = stricter.variants.with("clockSkewMinutes", "5").expect("a variant");
        cloud.set_state(stricter);
    });
    let role = json!({"arn": "acs:ram::1002000000000002:role/cross", "externalId": "cross-external-id"});
    for (name, key, more, of) in [
        ("identity-learnt", PROVIDER, json!({}), PROVIDER),
        ("identity-learnt-chained", USER, json!({"assumeRole": role}), CONSUMER),
    ] {
        stage.declare_with(name, key, &more).await;
        stage.serves(name, of).await;
        stage.leaves(name).await;
        let (signed, unsigned) = told(name, stage.calls());
        assert_eq!(unsigned, []);
        let first: Vec<_> = signed[..2].iter().map(|call| (call.key.as_deref(), &*call.code)).collect();
        assert_eq!(first, [(Some(key.id), "InvalidTimeStamp.Expired"), (Some(key.id), "OK")]);
        assert_eq!(signed[0].action, signed[1].action, "the same call, signed once more");
        assert!(signed[2..].iter().all(|call| call.code != "InvalidTimeStamp.Expired"), "it is learnt: {signed:#?}");
    }
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_product_is_switched_on_once_where_the_account_asks_for_it() {
    let mut stage = Stage::set("open product").await;
    let closed = json!({"id": PROVIDER.account.0, "productOpen": false});
    stage.operator.control("account", &closed);
    stage.operator.run(&[]).await;
    stage.declare_with("identity-opens", PROVIDER, &json!({})).await;
    stage.is_ready("identity-opens", PROVIDER).await;
    stage.offer("identity-opens", "lb-hot").await;
    let says = |service: &EndpointService| said(service, "Ready").is_some_and(|(_, why, _)| why == "FeatureNotEnabled");
    let services = stage.services.clone();
    let held = stage.operator.becomes(services.clone(), "identity-opens", "refused", |one| one.is_some_and(says)).await;
    let (_, _, message) = held.as_ref().and_then(|service| said(service, "Ready")).expect("it says so");
    println!("the service: {message}");
    assert!(message.contains("https://common-buy.aliyun.com/"), "{message}");
    assert!(message.contains("alibaba.openProduct: true"), "{message}");
    let opened = |calls: &[Call]| calls.iter().filter(|call| call.action == "OpenPrivateLinkService").count();
    assert_eq!(opened(&stage.calls()), 0, "nobody has asked for it");

    let asks = Patch::Merge(json!({"spec": {"alibaba": {"openProduct": true}}}));
    stage.accounts.patch("identity-opens", &PatchParams::default(), &asks).await.expect("it is patched");
    stage.serves("identity-opens", PROVIDER).await;
    stage.leaves("identity-opens").await;
    let calls = stage.calls();
    assert_eq!(opened(&calls), 1, "{:?}", actions(&calls));
    println!("writes: {:?}", stage.operator.writes());
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_renewed_is_told_of_and_serves_on_until_it_can() {
    let mut world = Fixture::built_in();
    world.durations.session = SignedDuration::from_secs(60);
    let mut stage = Stage::set_with("renewal", world).await;
    stage.operator.run(&[]).await;
    let role = json!({"arn": ROLE});
    stage.declare_with("identity-renewed", USER, &json!({"assumeRole": role})).await;
    stage.is_ready("identity-renewed", PROVIDER).await;
    stage.offer("identity-renewed", "lb-hot").await;
    becomes_ready(&stage.operator, &stage.services, "identity-renewed").await;
    stage.calls();
    let refuse = json!({"refuse": {"code": "ServiceUnavailable", "status": 503}});
    stage.operator.fault(json!({"action": "AssumeRole", "times": 1_000_000, "do": refuse}));

    let message = stage.says("identity-renewed", "True", "CredentialsExpiring").await;
    let ends = stage.operator.sim.with(|cloud| {
        let sessions = cloud.keys.iter().filter(|(id, _)| id.starts_with("STS."));
        sessions.filter_map(|(_, key)| key.expires).max().expect("there is a session")
    });
    let told_of: Timestamp = message
        .split_once(" until ")
        .and_then(|(_, rest)| rest.split_once(' '))
        .and_then(|(time, _)| time.parse().ok())
        .unwrap_or_else(|| panic!("it says when the session ends: {message}"));
    assert!(ends.duration_since(told_of).abs() <= SignedDuration::from_secs(2), "{ends}: {message}");
    assert!(message.contains("ServiceUnavailable"), "{message}");
    let mut wanted = service(
        &stage.namespace,
        "identity-renewed",
        "identity-renewed",
        &json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]),
    );
    wanted["spec"]["description"] = json!("changed meanwhile");
    apply(&stage.services, "identity-renewed", &wanted).await;
    let changed = |service: Option<&EndpointService>| service.is_some_and(is_settled);
    stage.operator.becomes(stage.services.clone(), "identity-renewed", "changed", changed).await;
    assert_eq!(stage.operator.world()["services"][0]["description"], "changed meanwhile");
    let account = stage.accounts.get("identity-renewed").await.expect("it is there");
    assert_eq!(
        said(&account, "Ready").map(|(status, reason, _)| (status, reason)),
        Some(("True", "CredentialsExpiring"))
    );

    stage.lift_faults();
    stage.says("identity-renewed", "True", "Ready").await;
    let (signed, unsigned) = told("a renewal that fails, and one that does not", stage.calls());
    assert_eq!(unsigned, []);
    let tries: Vec<_> = signed.iter().filter(|call| call.action == "AssumeRole").map(|call| &*call.code).collect();
    let (last, before) = tries.split_last().expect("it was tried");
    assert_eq!(*last, "OK", "{tries:?}");
    assert!(!before.is_empty() && before.iter().all(|code| *code == "ServiceUnavailable"), "{tries:?}");
    assert!(signed.iter().all(|call| !call.code.contains("Expired")), "no call came too late: {signed:#?}");
    assert_eq!(stage.callers(&signed).len(), 2, "the user for the session, and the session for all else");
    goes(&stage.operator, &stage.services, "identity-renewed").await;
    stage.leaves("identity-renewed").await;
    stage.operator.stop().await;
}
