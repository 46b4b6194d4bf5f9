//! What makes a cloud believe in the cluster: the API server's own tokens, and the keys it publishes for them.

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::PostParams;
use privatelink_sim::control;
use privatelink_sim::inbound::Inbound;
use serde_json::{Value, json};

use crate::cluster::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::operator::Operator;
use crate::past::PROVIDER;

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
    let (method, path) = ("POST".to_owned(), "/_sim/oidc".to_owned());
    let inbound = Inbound { method, path, body: body.to_string().into(), ..Inbound::default() };
    let (status, answer) = operator.sim.with(|cloud| control::answer(cloud, &inbound));
    assert_eq!(status, 200, "{answer}");
}

/// A new token of the operator's `ServiceAccount`.
pub async fn token(operator: &Operator) -> String {
    token_of(operator, OPERATOR_ACCOUNT).await
}

/// A new token of a `ServiceAccount` of the operator's namespace.
pub async fn token_of(operator: &Operator, account: &str) -> String {
    let accounts = Api::<ServiceAccount>::namespaced(operator.admin().await, OPERATOR_NAMESPACE);
    let spec = TokenRequestSpec { audiences: vec![AUDIENCE.to_owned()], ..TokenRequestSpec::default() };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts.create_token_request(account, &PostParams::default(), &request).await;
    answer.expect("a token is given").status.expect("a status").token
}
