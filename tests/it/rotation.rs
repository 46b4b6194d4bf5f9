//! Keys that change while work goes on: no turn fails for it, and nothing that the operator says or writes holds one.
//!
//! `make soak` runs it for longer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Event;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Resource};
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::keys::Secret;
use serde_json::{Value, json};

use crate::federation;
use crate::objects::{is_settled, said};
use crate::operator::{Operator, apply};
use crate::past::{Key, PROVIDER};
use crate::service::{goes, service};

/// The account whose Secret is rotated, the one that assumes a role, and the one that is the pod's.
const ACCOUNTS: [&str; 3] = ["rotating-secret", "rotating-role", "rotating-pod"];
/// The load balancers of each account's services, in a zone each.
const BALANCERS: [[(&str, &str); 2]; 3] = [
    [("lb-hot", "cn-hangzhou-f"), ("lb-hot-g", "cn-hangzhou-g")],
    [("lb-spare", "cn-hangzhou-f"), ("lb-spare-g", "cn-hangzhou-g")],
    [("lb-third", "cn-hangzhou-f"), ("lb-hot-h", "cn-hangzhou-h")],
];
const USER: Key = Key { id: "provider-user-key", secret: "provider-user-secret", ..PROVIDER };
const ROLE: &str = "acs:ram::1001000000000001:role/operator";
const ISSUER: &str = "acs:ram::1001000000000001:oidc-provider/cluster";
/// How long sessions live: they are renewed when a quarter of that is left.
const SESSION: SignedDuration = SignedDuration::from_secs(6);
/// How often each kind of key changes at least, where the environment does not say otherwise.
const ROTATIONS: u64 = 5;
/// How soon a Secret that was changed is used.
const AT_ONCE: Duration = Duration::from_secs(5);
/// All that any part of the process has to say.
const EVERYTHING: &str = "trace,kube_client=trace";

/// Everything that proves somebody's identity, as it was seen in use.
#[derive(Default)]
struct Used(BTreeSet<String>);

impl Used {
    /// All keys that the cloud knows now, with their tokens; it forgets those that have ended.
    fn look(&mut self, operator: &Operator) {
        let mut seen = Vec::new();
        operator.sim.with(|cloud| {
            for (id, key) in &cloud.keys {
                seen.extend([id.clone(), key.secret.reveal().to_owned()]);
                seen.extend(key.token.as_ref().map(|token| token.reveal().to_owned()));
            }
        });
        self.0.extend(seen);
    }

    /// Fails where a text holds any of them, as it is or as the API server writes Secrets.
    fn are_not_in(&self, what: &str, texts: &[String]) {
        for used in &self.0 {
            for form in [used.clone(), STANDARD.encode(used)] {
                let told = texts.iter().find(|text| text.contains(&form));
                assert_eq!(told, None, "{form} is in {what}");
            }
        }
    }
}

fn token_file() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rotation-{}.token", std::process::id()))
}

/// The operator with an account of each kind, and a service of each load balancer.
struct Load {
    operator: Operator,
    services: Api<EndpointService>,
    /// Account, load balancer and zone of each service by its name.
    offered: BTreeMap<String, (String, Value)>,
    edits: u64,
}

impl Load {
    async fn begin() -> Self {
        let mut world = Fixture::built_in();
        world.durations.session = SESSION;
        let mut operator = Operator::unstarted_with("rotation", world).await;
        federation::trust(&operator).await;
        fs::write(token_file(), federation::token(&operator).await).expect("the token is written");
        for (variable, value) in [
            ("RUST_LOG", EVERYTHING),
            ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", ISSUER),
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", &token_file().display().to_string()),
        ] {
            operator.set(variable, value);
        }
        operator.run(&[]).await;
        let namespace = operator.cluster.namespace("rotation").await;
        let accounts = Api::<CloudAccount>::all(operator.admin().await);
        let [secret, role, pod] = ACCOUNTS;
        operator.account_with(secret, &[&namespace], PROVIDER, "cn-hangzhou").await;
        operator.account_with(role, &[&namespace], USER, "cn-hangzhou").await;
        operator.account_with(pod, &[&namespace], PROVIDER, "cn-hangzhou").await;
        for (name, change) in [
            (role, json!({"alibaba": {"assumeRole": {"arn": ROLE}}})),
            (pod, json!({"credentials": {"secretRef": null, "workloadIdentity": {}}})),
        ] {
            let patch = Patch::Merge(json!({ "spec": change }));
            accounts.patch(name, &PatchParams::default(), &patch).await.expect("the account is changed");
            let ready = |account: Option<&CloudAccount>| account.is_some_and(is_settled);
            operator.becomes(accounts.clone(), name, "Ready as somebody else", ready).await;
        }
        let tenant = operator.cluster.tenant_client(&namespace).await;
        let services = Api::namespaced(tenant, &namespace);
        let offered = ACCOUNTS.into_iter().zip(BALANCERS).flat_map(|(account, balancers)| {
            balancers.map(|(id, zone)| {
                let resources = json!([{"id": id, "type": "CLB", "zone": zone}]);
                (id.to_owned(), (account.to_owned(), service(&namespace, id, account, &resources)))
            })
        });
        Self { operator, services, offered: offered.collect(), edits: 0 }
    }

    /// Changes each service, and waits until each is in the cloud as it was changed.
    async fn edit(&mut self) {
        self.edits += 1;
        let described = format!("edit {}", self.edits);
        for (name, (_, manifest)) in &mut self.offered {
            manifest["spec"]["description"] = json!(described);
            apply(&self.services, name, manifest).await;
        }
        for name in self.offered.keys() {
            let settled = |service: Option<&EndpointService>| service.is_some_and(is_settled);
            self.operator.becomes(self.services.clone(), name, &described, settled).await;
        }
        let world = self.operator.world();
        let services = world["services"].as_array().expect("services");
        let edited = services.iter().filter(|service| service["description"] == json!(described)).count();
        assert_eq!(edited, self.offered.len(), "{services:#?}");
    }

    /// How often a session was given.
    fn given(&self, action: &str) -> u64 {
        self.operator.sim.with(|cloud| cloud.journal.count(action, "OK"))
    }

    /// Waits until a call was signed with this key; says how long that took.
    async fn uses(&self, key: &str) -> Duration {
        let begun = Instant::now();
        let used =
            || self.operator.sim.with(|cloud| cloud.journal.calls().any(|call| call.key.as_deref() == Some(key)));
        // Whatever the operator does after an answer, it says.
        self.operator.logs(key, |_| used()).await;
        begun.elapsed()
    }

    /// Every object that the operator writes, as it is.
    async fn written(&self) -> Vec<String> {
        async fn all<K>(api: Api<K>) -> Vec<String>
        where
            K: Resource + Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
        {
            let listed = api.list(&ListParams::default()).await.expect("it is listed");
            listed.items.iter().map(|object| serde_json::to_string(object).expect("an object")).collect()
        }
        let admin = self.operator.admin().await;
        let mut written = all(Api::<CloudAccount>::all(admin.clone())).await;
        written.extend(all(Api::<EndpointService>::all(admin.clone())).await);
        written.extend(all(Api::<Event>::all(admin.clone())).await);
        written
    }
}

/// How often each kind of key changes at least.
fn rotations() -> u64 {
    std::env::var("PRIVATELINK_SOAK_ROTATIONS").map_or(ROTATIONS, |text| text.parse().expect("a number of rotations"))
}

/// Of each account with a session it is told when that ends, and that its renewal does not fail; of keys that last,
/// nothing.
fn are_measured(measured: &BTreeMap<String, f64>) {
    let of = |family: &str| -> BTreeMap<&str, f64> {
        let samples = measured.iter().filter_map(|(sample, value)| Some((sample.strip_prefix(family)?, *value)));
        samples.collect()
    };
    let [_, role, pod] = ACCOUNTS.map(|account| format!(r#"{{account="{account}"}}"#));
    let failing = of("privatelink_credentials_renewal_failing");
    assert_eq!(failing, [(role.as_str(), 0.0), (pod.as_str(), 0.0)].into());
    let ends = of("privatelink_credentials_expiry_timestamp_seconds");
    assert!(ends.keys().eq(failing.keys()), "{ends:?}");
    let now = jiff::Timestamp::now().as_duration().as_secs_f64();
    for (account, ends) in ends {
        assert!((ends - now).abs() < 2.0 * SESSION.as_secs_f64(), "{account}: {ends}, and it is {now}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_under_load_and_no_turn_fails_and_no_key_is_told() {
    let mut load = Load::begin().await;
    let mut used = Used::default();
    used.look(&load.operator);
    load.edit().await;
    let (mut key, mut round, mut slowest) = (PROVIDER.id.to_owned(), 0, Duration::ZERO);
    while round < rotations()
        || load.given("AssumeRole") < rotations()
        || load.given("AssumeRoleWithOIDC") < rotations()
    {
        round += 1;
        let (id, secret) = (format!("rotated-key-{round}"), format!("rotated-secret-of-{round}"));
        load.operator.sim.with(|cloud| {
            let mut next = cloud.keys[&key].clone();
            next.secret = Secret::new(secret.clone());
            cloud.keys.insert(id.clone(), next);
        });
        load.operator.secret(ACCOUNTS[0], &id, &secret).await;
        let token = federation::token(&load.operator).await;
        fs::write(token_file(), &token).expect("the token is written");
        used.0.insert(token);
        slowest = slowest.max(load.uses(&id).await);
        load.edit().await;
        used.look(&load.operator);
        // What was on its way with the key before is over: both of its services have been changed since.
        let before = std::mem::replace(&mut key, id);
        load.operator.sim.with(|cloud| cloud.keys.remove(&before));
        load.edit().await;
        used.look(&load.operator);
    }
    assert!(slowest < AT_ONCE, "a changed Secret was used after {slowest:?}");
    let (roles, pods) = (load.given("AssumeRole"), load.given("AssumeRoleWithOIDC"));
    println!(
        "{round} Secrets, {roles} roles, {pods} tokens, {} edits; the slowest Secret took {slowest:?}",
        load.edits
    );

    // Not one call was refused, whoever made it.
    let refused: Vec<_> = load.operator.sim.with(|cloud| {
        let counters = cloud.journal.counters().filter(|(_, code, _)| *code != "OK");
        counters.map(|(action, code, count)| format!("{action} {code} {count}")).collect()
    });
    let of_keys: Vec<_> = refused
        .iter()
        .filter(|one| {
            ["Token", "AccessKey", "Signature", "Permission", "Forbidden"].iter().any(|part| one.contains(part))
        })
        .collect();
    assert!(of_keys.is_empty(), "{of_keys:?}");
    let log: Vec<String> = load.operator.log().iter().map(Value::to_string).collect();
    for failed in ["the turn ended early", "no new session", "\"outcome\":\"credentials\""] {
        assert_eq!(log.iter().find(|line| line.contains(failed)), None);
    }
    let accounts = Api::<CloudAccount>::all(load.operator.admin().await);
    for name in ACCOUNTS {
        let account = accounts.get(name).await.expect("it is there");
        assert_eq!(said(&account, "Ready").map(|(status, reason, _)| (status, reason)), Some(("True", "Ready")));
    }

    assert!(log.iter().any(|line| line.contains("TRACE")), "everything is told");
    assert!(used.0.len() > 20, "{}", used.0.len());
    // The manifests of the test itself name the Secrets, not what is in them.
    used.are_not_in("the log", &log);
    used.are_not_in("what was written", &load.written().await);
    let measured = load.operator.measured().await;
    used.are_not_in("what is measured", &measured.keys().cloned().collect::<Vec<_>>());
    are_measured(&measured);

    for name in load.offered.keys() {
        goes(&load.operator, &load.services, name).await;
    }
    fs::remove_file(token_file()).expect("it was written");
    load.operator.stop().await;
}
