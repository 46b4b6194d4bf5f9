//! What makes a cloud believe in the cluster: the API server's own tokens, the keys it publishes for them, and how a
//! pod is told of both.

use std::fs;
use std::path::PathBuf;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::operator::Operator;
use crate::past::PROVIDER;

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
/// Whom the cloud's token service wants tokens to be for.
const AUDIENCE: &str = "sts.aliyuncs.com";

/// The simulated cloud takes tokens of the cluster from now on.
pub async fn trust(operator: &Operator) {
    let published = |path: &'static str| async move {
        let request = http::Request::get(path).body(Vec::new()).expect("a request");
        let answer = operator.admin().await.request::<Value>(request).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let issuer = published("/.well-known/openid-configuration").await["issuer"].clone();
    let keys = published("/openid/v1/jwks").await;
    let body = json!({"account": PROVIDER.account.0, "provider": "cluster", "issuer": issuer, "keys": keys});
    operator.control("oidc", &body);
}

/// A new token of the operator's `ServiceAccount`.
pub async fn token(operator: &Operator) -> String {
    token_of(operator, OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
}

/// A new token of a `ServiceAccount`.
async fn token_of(operator: &Operator, namespace: &str, account: &str) -> String {
    let accounts = Api::<ServiceAccount>::namespaced(operator.admin().await, namespace);
    let spec = TokenRequestSpec { audiences: vec![AUDIENCE.to_owned()], ..TokenRequestSpec::default() };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts.create_token_request(account, &PostParams::default(), &request).await;
    answer.expect("a token is given").status.expect("a status").token
}

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
    pub async fn holds(&self, operator: &Operator, namespace: &str, account: &str) {
        let next = self.0.with_extension("next");
        let token = token_of(operator, namespace, account).await;
        fs::write(&next, token).expect("the token is written");
        fs::rename(next, &self.0).expect("it takes its place");
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _gone_or_never_written = fs::remove_file(&self.0);
    }
}
