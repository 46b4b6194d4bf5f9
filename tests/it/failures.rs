//! What goes wrong, what a person then reads, and that all is well by itself once it is mended: each row of
//! docs/reference/failures.md, brought about in front of the real operator.

mod endpoint_rows;
mod endpoints;
mod entries;
mod entry_rows;
mod identities;
mod stage;
mod table;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, Patch, PatchParams};
use privatelink_operator::api::CloudAccount;
use privatelink_sim::clock::Clock;
use privatelink_sim::fault::{Faults, Rates};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::stage::Stage;
use self::table::{ACCOUNTS, CREDENTIALS, PARTS, REFUSED, WAY};
use crate::cluster::repository;

/// The load balancer that a service can be made of.
const GOOD: &str = "lb-hot";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_fail_are_said_once_at_the_account() {
    let stage = Stage::start("credentials", CREDENTIALS).await;
    let (account, accounts, services) = (&*stage.account, &stage.accounts, &stage.services);
    stage.apply("settled", GOOD, json!({})).await;
    stage.mended(services, "settled").await;
    let writes = stage.operator.writes();
    let told = stage.events("CloudAccount", account, "CredentialsInvalid").await;

    stage.secret(json!({"accessKeySecret": "wrong"})).await;
    stage.reads("The secret does not belong to the access key", accounts, account).await;
    stage.apply("late", "lb-spare", json!({})).await;
    stage.reads("The credentials of its account fail", services, "late").await;
    assert_eq!(stage.events("CloudAccount", account, "CredentialsInvalid").await, told + 1, "it is told once");
    assert_eq!(stage.events("EndpointService", "settled", "CredentialsInvalid").await, 0, "and not by what is ready");
    assert_eq!(stage.operator.writes(), writes);
    stage.mend_secret().await;
    stage.mended(accounts, account).await;
    stage.mended(services, "late").await;
    let writes = stage.operator.writes();

    for (wrong, secret) in [
        ("There is no such access key", json!({"accessKeyId": "nobodys-key"})),
        (
            "A temporary key comes without its security token",
            json!({"accessKeyId": "provider-role-key", "accessKeySecret": "provider-role-secret"}),
        ),
        (
            "The security token belongs to another key",
            json!({
                "accessKeyId": "provider-role-key", "accessKeySecret": "provider-role-secret", "securityToken": "other",
            }),
        ),
    ] {
        stage.secret(secret).await;
        stage.reads(wrong, accounts, account).await;
        stage.mend_secret().await;
        stage.mended(accounts, account).await;
    }

    // Nothing changes in Kubernetes when a token expires: the first call that is refused tells the account.
    stage
        .secret(json!({
            "accessKeyId": "provider-role-key",
            "accessKeySecret": "provider-role-secret",
            "securityToken": "provider-role-token",
        }))
        .await;
    stage.ask(accounts, account).await;
    stage.mended(accounts, account).await;
    stage.operator.sim.with(|cloud| {
        let now = cloud.clock.wall();
        cloud.keys.get_mut("provider-role-key").expect("a key of the world").expires = Some(now);
    });
    stage.wish(services, "settled").await;
    stage.reads("The security token has expired", accounts, account).await;
    stage.mend_secret().await;
    stage.mended(accounts, account).await;

    for (wrong, secret) in [
        ("The Secret lacks a key", json!({"accessKeySecret": null})),
        ("A key of the Secret is empty", json!({"accessKeyId": ""})),
        ("A key of the Secret holds a blank", json!({"accessKeySecret": "two words"})),
    ] {
        stage.secret(secret).await;
        stage.reads(wrong, accounts, account).await;
        stage.mend_secret().await;
        stage.mended(accounts, account).await;
    }

    let secrets = stage.secrets().await;
    secrets.delete(account, &DeleteParams::default()).await.expect("it is deleted");
    stage.reads("There is no such Secret", accounts, account).await;
    stage.operator.secret(account, "provider-key", "provider-secret").await;
    stage.mended(accounts, account).await;

    stage.secret(json!({"accessKeyId": "consumer-key", "accessKeySecret": "consumer-secret"})).await;
    stage.reads("The Secret holds a key of another account", accounts, account).await;
    stage.apply("settled", GOOD, json!({"description": "changed meanwhile"})).await;
    stage.reads("A service is changed while its account's key is another's", services, "settled").await;
    let others = stage.called_by(1_002_000_000_000_002);
    assert!(others.iter().all(|action| action == "GetCallerIdentity"), "nothing is read or written: {others:?}");
    assert_eq!(stage.operator.writes(), writes);
    stage.mend_secret().await;
    stage.mended(accounts, account).await;
    stage.mended(services, "settled").await;
    assert_eq!(stage.operator.world()["services"][0]["description"], "changed meanwhile");

    let ahead = Timestamp::now() + SignedDuration::from_hours(1);
    stage.operator.sim.with(|cloud| cloud.clock = Clock::new(ahead, 20.0));
    stage.ask(accounts, account).await;
    stage.reads("A clock is wrong by more than 15 minutes", accounts, account).await;
    stage.operator.sim.with(|cloud| cloud.clock = Clock::new(Timestamp::now(), 20.0));
    stage.ask(accounts, account).await;
    stage.mended(accounts, account).await;

    for service in ["settled", "late"] {
        stage.goes(services, service).await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_account_is_said_by_its_field() {
    let stage = Stage::start("accounts", ACCOUNTS).await;
    let (accounts, services) = (&stage.accounts, &stage.services);
    let secret = json!({"namespace": "privatelink-system", "name": stage.account});
    let elsewhere = json!({"namespace": stage.namespace, "name": "key"});
    stage.mask("failures-wrong", "prod");
    stage.apply_account("failures-wrong", json!({"credentials": {"secretRef": elsewhere}})).await;
    let wrong = "The Secret is in a namespace that the operator does not read";
    stage.reads(wrong, accounts, "failures-wrong").await;
    stage.apply_account("failures-wrong", json!({"credentials": {"secretRef": secret}})).await;
    stage.mended(accounts, "failures-wrong").await;

    let row = stage.row("A plain `http://` endpoint on another machine");
    let plain = json!({"spec": {"alibaba": {"endpoints": {"privatelink": "http://privatelink.example.com"}}}});
    let patched = accounts.patch("failures-wrong", &PatchParams::default(), &Patch::Merge(&plain)).await;
    let Err(kube::Error::Api(refused)) = patched else { panic!("it is not refused: {patched:?}") };
    assert_eq!(refused.reason, row.reason);
    stage.compare(row, "refused by the API server", &refused.message);

    stage.mask("failures-aws", "prod");
    stage.apply_account("failures-aws", json!({"alibaba": null, "aws": {}, "region": "eu-west-1"})).await;
    stage.reads("A cloud that this version does not speak to", accounts, "failures-aws").await;

    stage.mask("failures-other", "prod");
    stage.apply_account("failures-other", json!({"accountId": "1002000000000002"})).await;
    stage.reads("`accountId` is not the credentials' account", accounts, "failures-other").await;

    stage.mask("failures-nowhere", "prod");
    stage.apply_account("failures-nowhere", json!({"region": "cn-nowhere"})).await;
    let nowhere = json!({"accountRef": {"name": "failures-nowhere"}});
    stage.apply("nowhere", GOOD, nowhere).await;
    stage.reads("The account's region does not exist", services, "nowhere").await;
    // Nobody can tell whether something was made there: a person says that it may stay.
    stage.change(services, "nowhere", json!({"spec": {"deletionPolicy": "Retain"}})).await;
    stage.goes(services, "nowhere").await;

    // An account that is being deleted serves what it has, takes nothing new, and is as good as new when it is back.
    let refers = json!({"accountRef": {"name": "failures-wrong"}});
    stage.apply("settled", GOOD, refers.clone()).await;
    stage.mended(services, "settled").await;
    accounts.delete("failures-wrong", &DeleteParams::default()).await.expect("it is deleted");
    stage.reads("The account is being deleted while objects need it", accounts, "failures-wrong").await;
    let writes = stage.operator.writes();
    stage.apply("late", "lb-spare", refers).await;
    stage.reads("The account is being deleted", services, "late").await;
    assert_eq!(stage.operator.writes(), writes);
    stage.goes(services, "settled").await;
    let gone = |account: Option<&CloudAccount>| account.is_none();
    stage.operator.becomes(accounts.clone(), "failures-wrong", "gone", gone).await;
    stage.reads("There is no such account", services, "late").await;
    let names = json!({"from": "Names", "names": ["somebody-else"]});
    stage.apply_account("failures-wrong", json!({"allowedNamespaces": names})).await;
    stage.mended(accounts, "failures-wrong").await;
    stage.reads("The account does not let the namespace in", services, "late").await;
    stage.apply_account("failures-wrong", json!({})).await;
    stage.mended(services, "late").await;
    stage.goes(services, "late").await;

    for account in ["failures-wrong", "failures-aws", "failures-other", "failures-nowhere"] {
        stage.goes(accounts, account).await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_does_not_answer_is_asked_again_until_it_does() {
    let stage = Stage::start("way", WAY).await;
    let (accounts, services) = (&stage.accounts, &stage.services);
    // A port on which nobody listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let closed = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let unreachable = |sts: &str| json!({"alibaba": {"endpoints": {"privatelink": closed, "sts": sts}}});
    let refers = json!({"accountRef": {"name": "failures-away"}});

    stage.mask("failures-away", "prod");
    stage.apply_account("failures-away", unreachable(&closed)).await;
    stage.reads("The cloud cannot be reached", accounts, "failures-away").await;
    stage.apply("away", GOOD, refers).await;
    stage.reads("The cloud cannot be reached for its account", services, "away").await;
    stage.apply_account("failures-away", json!({})).await;
    stage.mended(accounts, "failures-away").await;
    stage.mended(services, "away").await;
    stage.goes(services, "away").await;
    stage.goes(accounts, "failures-away").await;

    // A region in which nobody has looked at anything yet: a list that is fresh need not be read before a service is
    // made.
    let elsewhere = |mut spec: Value| {
        spec["region"] = json!("cn-shanghai");
        spec
    };
    stage.apply_account("failures-away", elsewhere(unreachable(&stage.cloud))).await;
    stage.mended(accounts, "failures-away").await;
    let resources = json!([{"id": "lb-shanghai", "type": "CLB", "zone": "cn-shanghai-b"}]);
    let refers = json!({"accountRef": {"name": "failures-away"}, "resources": resources});
    stage.apply("away", GOOD, refers).await;
    stage.reads("PrivateLink cannot be reached", services, "away").await;
    stage.apply_account("failures-away", elsewhere(json!({}))).await;
    stage.mended(services, "away").await;
    stage.goes(services, "away").await;
    stage.goes(accounts, "failures-away").await;

    let always = |action: &str, fault: Value| json!({"action": action, "times": 1_000_000, "do": fault});
    let lift = || stage.operator.sim.with(|cloud| cloud.faults = Faults::new(Rates::default(), 0));
    stage.operator.fault(always("GetCallerIdentity", json!("throttle")));
    stage.apply_account("failures-away", json!({})).await;
    stage.reads("The cloud throttles the account's calls", accounts, "failures-away").await;
    lift();
    stage.mended(accounts, "failures-away").await;
    stage.goes(accounts, "failures-away").await;

    let refuse = |code: &str, status: u16| json!({"refuse": {"code": code, "status": status}});
    for (wrong, action, fault) in [
        ("The cloud throttles reads", "ListVpcEndpointServices", json!("throttle")),
        ("The cloud throttles writes", "CreateVpcEndpointService", json!("throttle")),
        ("The cloud fails", "CreateVpcEndpointService", refuse("ServiceUnavailable", 503)),
    ] {
        let writes = stage.operator.writes();
        stage.operator.fault(always(action, fault));
        stage.apply("away", GOOD, json!({})).await;
        stage.reads(wrong, services, "away").await;
        // A list that is fresh enough need not be read again before a service is made.
        assert!(action != "CreateVpcEndpointService" || stage.operator.writes() == writes, "{wrong}");
        lift();
        stage.mended(services, "away").await;
        stage.goes(services, "away").await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cloud_refuses_is_said_with_its_code_and_what_to_do() {
    let stage = Stage::start("refused", REFUSED).await;
    let services = &stage.services;
    let refused = async |wrong: &str, resource: &str, more: Value| {
        let writes = stage.operator.writes();
        stage.apply("gateway", resource, more).await;
        stage.reads(wrong, services, "gateway").await;
        assert_eq!(stage.operator.writes(), writes, "{wrong}: nothing is written");
    };
    let mended = async || {
        stage.mended(services, "gateway").await;
        stage.goes(services, "gateway").await;
    };

    stage.provider(|account| account.product_open = false);
    refused("PrivateLink is not switched on for the account", GOOD, json!({})).await;
    stage.provider(|account| account.product_open = true);
    stage.ask(services, "gateway").await;
    mended().await;

    // The right is given in the cloud, of which Kubernetes hears nothing; other credentials are used at once.
    let deny = |action: Option<&str>| {
        stage.operator.sim.with(|cloud| {
            let key = cloud.keys.get_mut("provider-key").expect("a key of the world");
            key.denied = action.map(str::to_owned).into_iter().collect();
        });
    };
    deny(Some("CreateVpcEndpointService"));
    refused("The credentials may not create services", GOOD, json!({})).await;
    stage.secret(json!({"accessKeyId": "provider-user-key", "accessKeySecret": "provider-user-secret"})).await;
    mended().await;
    deny(None);
    stage.mend_secret().await;
    stage.mended(&stage.accounts, &stage.account).await;
    stage.apply("gateway", GOOD, json!({})).await;
    stage.mended(services, "gateway").await;
    deny(Some("ListVpcEndpointServices"));
    stage.wish(services, "gateway").await;
    stage.reads("The credentials may not read services", services, "gateway").await;
    deny(None);
    stage.ask(services, "gateway").await;
    mended().await;

    stage.provider(|account| account.max_services = 0);
    refused("A quota is used up", GOOD, json!({})).await;
    stage.provider(|account| account.max_services = 50);
    stage.ask(services, "gateway").await;
    mended().await;

    stage.provider(|account| account.may_pay_for_consumers = false);
    refused("The account may not pay for its consumers", GOOD, json!({"payer": "Provider"})).await;
    stage.provider(|account| account.may_pay_for_consumers = true);
    stage.ask(services, "gateway").await;
    mended().await;

    let of = |id: &str, kind: &str, zone: &str| json!({"resources": [{"id": id, "type": kind, "zone": zone}]});
    for (wrong, id, more) in [
        ("The load balancer does not exist", "lb-nowhere", json!({})),
        ("The load balancer is of another kind", GOOD, of(GOOD, "NLB", "cn-hangzhou-f")),
        ("PrivateLink does not take the load balancer", "lb-public", json!({})),
    ] {
        refused(wrong, id, more).await;
        stage.apply("gateway", GOOD, json!({})).await;
        mended().await;
    }

    // Only the cloud knows the zone of a CLB, and it says so once the service is made.
    stage.apply("gateway", GOOD, of(GOOD, "CLB", "cn-hangzhou-g")).await;
    stage.reads("The load balancer is in another zone", services, "gateway").await;
    stage.apply("gateway", GOOD, json!({})).await;
    stage.mended(services, "gateway").await;
    let both = ["lb-hot", "lb-nowhere"].map(|id| json!({"id": id, "type": "CLB", "zone": "cn-hangzhou-f"}));
    refused("A load balancer added later does not exist", GOOD, json!({"resources": both})).await;
    stage.apply("gateway", GOOD, json!({})).await;
    stage.mended(services, "gateway").await;
    refused("A region for consumers does not exist", GOOD, json!({"supportedRegions": ["cn-nowhere"]})).await;
    stage.apply("gateway", GOOD, json!({})).await;
    stage.mended(services, "gateway").await;
    refused("The resource group does not exist", GOOD, json!({"resourceGroupId": "rg-nowhere"})).await;
    stage.apply("gateway", GOOD, json!({"resourceGroupId": "rg-provider"})).await;
    stage.mended(services, "gateway").await;

    stage.provider(|account| account.locked = true);
    stage.ask(services, "gateway").await;
    stage.reads("The account owes money", services, "gateway").await;
    stage.provider(|account| account.locked = false);
    stage.ask(services, "gateway").await;
    mended().await;

    let refuse = json!({"refuse": {"code": "SomethingNew.Strange", "status": 400}});
    stage.operator.fault(json!({"action": "CreateVpcEndpointService", "do": refuse}));
    refused("A code that nobody knows", GOOD, json!({})).await;
    mended().await;

    assert!(stage.operator.world()["services"].as_array().is_some_and(Vec::is_empty));
    stage.stop().await;
}

/// The page, made of the rows that the tests show.
fn page() -> String {
    let mut page = String::from(
        "# What goes wrong, and what you read then\n\n\
         Each row is shown by a test with the real operator: what is wrong is brought about, the words are read from the \
         object's status, nothing more is written in the cloud, and where it can be mended the object is then ready by \
         itself. \
         `kubectl describe` shows the conditions; `status.lastError` has the cloud's request id. The names are examples: \
         the account `prod`, the namespace `team-a`; … stands for what differs.\n\n\
         What is wrong with credentials is said once, at the CloudAccount: an object that is ready stays so, and one that \
         is not says where to look. Reasons are explained in [conditions.md](conditions.md).\n",
    );
    for (heading, rows) in PARTS {
        let _infallible = write!(
            page,
            "\n## {heading}\n\n| what is wrong | object | conditions, reason | message | what to do |\n\
             | --- | --- | --- | --- | --- |\n"
        );
        for row in rows {
            let conditions: Vec<_> = row.conditions.split(", ").map(|one| format!("`{one}`")).collect();
            let _infallible = writeln!(
                page,
                "| {} | {} | {}: `{}` | {} | {} |",
                row.wrong,
                row.object,
                conditions.join(", ").replace("`refused by the API server`", "refused by the API server"),
                row.reason,
                row.message.replace('|', "\\|").replace('<', "&lt;").replace('>', "&gt;"),
                row.remedy
            );
        }
    }
    page
}

#[test]
fn the_page_says_what_the_tests_read() {
    let path = repository().join("docs/reference/failures.md");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let page = page();
    assert!(written == page, "{} is not what the tests show; it must be:\n\n{page}", path.display());
}
