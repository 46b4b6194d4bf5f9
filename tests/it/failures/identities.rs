//! What is wrong with who an account is, and with what it opens.

use privatelink_sim::world::object::OpenBlock;
use serde_json::json;

use super::stage::Stage;
use super::table::IDENTITIES;
use crate::cluster::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::federation::{self, CLUSTER, PROVIDER_ARN, ROLE, ROLE_ARN, TOKEN_FILE, TokenFile};

/// The account that is somebody else in each row.
const SOMEBODY: &str = "failures-somebody";
/// The role of the consumer's that the provider may assume with the right word.
const CROSS: &str = "acs:ram::1002000000000002:role/cross";

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_cannot_be_had_is_said_at_the_account() {
    let begun = [(ROLE_ARN, ROLE), (PROVIDER_ARN, CLUSTER), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "half a key")];
    let mut stage = Stage::start_with("identities", IDENTITIES, &begun).await;
    let accounts = stage.accounts.clone();
    let token = TokenFile::of("somebody");
    federation::trust(&stage.operator).await;
    stage.mask(SOMEBODY, "prod");
    stage.mask(&token.path(), "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token");

    for (wrong, credentials) in [
        ("`credentials.workloadIdentity`, and a variable of RRSA is missing", json!({"workloadIdentity": {}})),
        ("`credentials.environment`, and half a key is set", json!({"environment": {}})),
    ] {
        stage.apply_account(SOMEBODY, json!({"credentials": credentials})).await;
        stage.reads(wrong, &accounts, SOMEBODY).await;
        stage.apply_account(SOMEBODY, json!({})).await;
        stage.mended(&accounts, SOMEBODY).await;
    }
    let asked = stage.called();
    assert!(asked.iter().all(|action| !action.contains("Instance")), "nobody asks the machine: {asked:?}");

    stage.operator.kill();
    stage.operator.set(TOKEN_FILE, token.path());
    stage.operator.run(&[]).await;
    stage.apply_account(SOMEBODY, json!({"credentials": {"workloadIdentity": {}}})).await;
    stage.reads("The file with the token of the ServiceAccount is not there", &accounts, SOMEBODY).await;
    stage.operator.cluster.tenant_client(&stage.namespace).await;
    token.holds(&stage.operator, &stage.namespace, "tenant").await;
    stage.ask(&accounts, SOMEBODY).await;
    stage.reads("The token is one of another ServiceAccount", &accounts, SOMEBODY).await;
    token.holds(&stage.operator, OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await;
    stage.ask(&accounts, SOMEBODY).await;
    stage.mended(&accounts, SOMEBODY).await;

    let role = |name: Option<&str>| {
        stage.operator.sim.with(|cloud| {
            cloud.identities.instance.as_mut().expect("there is a machine").role = name.map(str::to_owned);
        });
    };
    role(None);
    stage.apply_account(SOMEBODY, json!({"credentials": {"instanceRole": {}}})).await;
    stage.reads("`credentials.instanceRole`, and the machine has no role", &accounts, SOMEBODY).await;
    role(Some("node"));
    stage.ask(&accounts, SOMEBODY).await;
    stage.mended(&accounts, SOMEBODY).await;
    stage.goes(&accounts, SOMEBODY).await;

    // Keys of an account itself may not assume a role: these are a user's.
    stage.secret(json!({"accessKeyId": "provider-user-key", "accessKeySecret": "provider-user-secret"})).await;
    stage.mended(&accounts, &stage.account).await;
    let assuming = |arn: &str, word: &str| {
        let endpoints = json!({"privatelink": stage.cloud, "sts": stage.cloud});
        json!({"alibaba": {"endpoints": endpoints, "assumeRole": {"arn": arn, "externalId": word}}})
    };
    for (wrong, arn, word) in [
        (
            "`alibaba.assumeRole`, and there is no such role",
            "acs:ram::1002000000000002:role/nobody",
            "cross-external-id",
        ),
        ("`alibaba.assumeRole`, and the role wants another external id", CROSS, "another"),
    ] {
        stage.apply_account(SOMEBODY, assuming(arn, word)).await;
        stage.reads(wrong, &accounts, SOMEBODY).await;
    }
    stage.apply_account(SOMEBODY, assuming(CROSS, "cross-external-id")).await;
    stage.mended(&accounts, SOMEBODY).await;
    stage.goes(&accounts, SOMEBODY).await;

    stage.provider(|account| {
        account.product_open = false;
        account.may_not_open = Some(OpenBlock::Balance);
    });
    let endpoints = json!({"privatelink": stage.cloud, "sts": stage.cloud});
    stage.apply_account(SOMEBODY, json!({"alibaba": {"endpoints": endpoints, "openProduct": true}})).await;
    let wrong = "`alibaba.openProduct`, and the account may not open the product";
    stage.reads(wrong, &accounts, SOMEBODY).await;
    assert!(stage.operator.writes().is_empty(), "nothing is written: {:?}", stage.operator.writes());
    stage.provider(|account| account.may_not_open = None);
    stage.ask(&accounts, SOMEBODY).await;
    stage.mended(&accounts, SOMEBODY).await;
    assert_eq!(stage.operator.writes(), [("OpenPrivateLinkService".to_owned(), 1)].into());
    stage.goes(&accounts, SOMEBODY).await;
    stage.stop().await;
}
