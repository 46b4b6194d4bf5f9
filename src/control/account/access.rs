//! How an account speaks to its cloud, as its spec, its Secret and the environment say.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt as _};
use privatelink_core::condition::Reason;
use privatelink_core::id::Region;
use privatelink_core::place::Cloud;
use zeroize::Zeroizing;

use super::Trouble;
use crate::api::account::{AssumeRole, CloudAccountSpec, SecretRef};
use crate::cloud::credentials::Credentials;
use crate::cloud::endpoint::{Base, Endpoints};
use crate::cloud::identity::{Identity, Origin, Role, Variables};
use crate::cloud::pool::Access;
use crate::control::context::Context;
use crate::control::error::{Error, call};

/// How the account speaks to its cloud, and which version of the credentials that is.
pub(super) async fn access(
    context: &Context,
    spec: &CloudAccountSpec,
) -> Result<Result<(Access, String), Trouble>, Error> {
    let Some(options) = &spec.alibaba else {
        let field = if spec.aws.is_some() { "aws" } else { "tencent" };
        let message = format!("{field}: this version speaks to Alibaba Cloud only: use an account with alibaba");
        return Ok(Err(Trouble::Spec(Reason::UnsupportedByCloud, message)));
    };
    let insecure = spec.allow.and_then(|allow| allow.insecure_endpoints).unwrap_or_default();
    let (region, variables) = (Region::from(spec.region.as_str()), Variables(|name: &str| std::env::var(name).ok()));
    let metadata = context.alibaba_metadata.clone();
    let mut endpoints = match Endpoints::parse(&options.endpoints.clone().unwrap_or_default(), insecure, metadata) {
        Ok(endpoints) => endpoints,
        Err(refused) => return Ok(Err(Trouble::Spec(Reason::InvalidSpec, format!("alibaba.{refused}")))),
    };
    if let Some(host) = variables.sts_host(&region).filter(|_| endpoints.sts.is_none()) {
        endpoints.sts = Base::own(&host);
        if endpoints.sts.is_none() {
            let message = format!("{host} is no host: correct ALIBABA_CLOUD_STS_REGION on the operator's container");
            return Ok(Err(Trouble::Spec(Reason::InvalidSpec, message)));
        }
    }
    let origin = if let Some(secret) = &spec.credentials.secret_ref {
        secret_credentials(context, secret).await?
    } else {
        let found = if spec.credentials.workload_identity.is_some() {
            variables.web_identity()
        } else if spec.credentials.instance_role.is_some() {
            variables.instance()
        } else {
            variables.any()
        };
        // The environment of a process does not change.
        found.map(|found| (found, String::new())).map_err(|missing| Trouble::NoCredentials(missing.to_string()))
    };
    if let (Ok((Origin::WebIdentity(_), _)), Some(sts)) = (&origin, &endpoints.sts)
        && sts.is_open_to_listeners()
    {
        // Unlike a signature, a token is of use to whoever reads it.
        let message = "alibaba.endpoints.sts: the ServiceAccount's token is sent by https:// alone, whatever \
                       allow.insecureEndpoints says: write https://, or leave it out";
        return Ok(Err(Trouble::Spec(Reason::InvalidSpec, message.to_owned())));
    }
    let role = options.assume_role.clone().map(|AssumeRole { arn, external_id }| Role { arn, external_id });
    Ok(origin.map(|(origin, version)| {
        let identity = Identity { origin, role };
        (Access { cloud: Cloud::Alibaba, region, identity, endpoints }, version)
    }))
}

/// Reads a Secret now; its contents are kept nowhere but in what signs.
async fn secret_credentials(context: &Context, secret: &SecretRef) -> Result<Result<(Origin, String), Trouble>, Error> {
    let SecretRef { namespace, name } = secret;
    if !context.credential_namespaces.contains(namespace) {
        let allowed: Vec<&str> = context.credential_namespaces.iter().map(String::as_str).collect();
        let message = format!(
            "credentials.secretRef.namespace: the operator reads credentials in {} only: move the Secret there, or add \
             {namespace} to --credential-namespaces",
            allowed.join(", ")
        );
        return Ok(Err(Trouble::Spec(Reason::InvalidSpec, message)));
    }
    let api = Api::<Secret>::namespaced(context.client.clone(), namespace);
    let found = match call("read the Secret of the credentials", api.get(name)).await {
        Ok(found) => found,
        Err(Error::Gone) => {
            let message = format!("credentials.secretRef: there is no Secret {namespace}/{name}: create it");
            return Ok(Err(Trouble::NoCredentials(message)));
        }
        Err(error) => return Err(error),
    };
    let version = format!("{}/{}", found.uid().unwrap_or_default(), found.resource_version().unwrap_or_default());
    let contents: BTreeMap<String, Zeroizing<Vec<u8>>> =
        found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, Zeroizing::new(value.0))).collect();
    Ok(Credentials::from_secret(&format!("{namespace}/{name}"), &contents)
        .map(|credentials| (Origin::Given(credentials), version))
        .map_err(|missing| Trouble::Refused(Reason::CredentialsInvalid, missing.to_string(), None)))
}
