//! What RRSA gives the operator's pod: a role and a provider in its environment, and a token in a file. The token is
//! one that the real API server has signed, and the cloud knows that API server's own keys.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::cluster::Cluster;
use crate::operator::Operator;

/// The variable that names the role.
pub const ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
/// The variable that names the provider.
pub const PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
/// The variable that names the token's file.
pub const TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
/// The role of the built-in world that trusts the operator's `ServiceAccount`.
pub const ROLE: &str = "acs:ram::1001000000000001:role/operator";
/// The provider of the built-in world that stands for the cluster.
pub const CLUSTER: &str = "acs:ram::1001000000000001:oidc-provider/cluster";
/// Whom the token is meant for.
const AUDIENCE: &str = "sts.aliyuncs.com";

/// The file that the kubelet keeps the token in; it is gone with this.
pub struct TokenFile(PathBuf);

impl TokenFile {
    /// A file of a test's own that is not written yet.
    pub fn of(what: &str) -> Self {
        let name = format!("{}-{}.token", what.replace(' ', "-"), std::process::id());
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    /// Its path.
    pub fn path(&self) -> String {
        self.0.display().to_string()
    }

    /// Puts a fresh token of this `ServiceAccount` into it, in place of the one before at once, as the kubelet does.
    pub async fn holds(&self, cluster: &Cluster, namespace: &str, account: &str) {
        let next = self.0.with_extension("next");
        let token = cluster.token_for(namespace, account, &[AUDIENCE]).await;
        fs::write(&next, token).expect("the token is written");
        fs::rename(next, &self.0).expect("it takes its place");
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _gone_or_never_written = fs::remove_file(&self.0);
    }
}

/// Registers the cluster in the cloud: its issuer, and what its API server publishes of its keys.
pub async fn register(operator: &Operator) {
    let configuration = operator.cluster.published("/.well-known/openid-configuration").await;
    let keys = operator.cluster.published("/openid/v1/jwks").await;
    assert!(keys["keys"].as_array().is_some_and(|keys| !keys.is_empty()), "{keys}");
    operator.control(
        "oidc",
        &json!({"account": 1_001_000_000_000_001_u64, "provider": "cluster", "issuer": configuration["issuer"], "keys": keys}),
    );
}
