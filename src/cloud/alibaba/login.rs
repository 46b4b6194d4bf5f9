//! How an identity becomes keys: given, exchanged for a token, handed out by the machine, or those of a role that is
//! assumed with any of these.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::Region;
use privatelink_core::wire::alibaba::action::{ASSUME, FEDERATE};
use privatelink_core::wire::alibaba::metadata;
use privatelink_core::wire::alibaba::sts::{self, Session};
use zeroize::Zeroizing;

use super::exchange::Exchange;
use crate::cloud::credentials::Credentials;
use crate::cloud::identity::{Identity, Instance, Origin, Role, WebIdentity};
use crate::cloud::limit;
use crate::cloud::renewal::{Keys, Source};
use crate::cloud::transport::failure;
use crate::runtime::clock;

/// The keys of an identity.
pub fn keys(identity: &Identity, region: &Region, exchange: &Arc<Exchange>) -> Keys {
    let (exchange, host) = (Arc::clone(exchange), sts::host(region, false));
    let first = match identity.origin.clone() {
        Origin::Given(credentials) => Keys::Given(credentials),
        Origin::WebIdentity(identity) => {
            Keys::from(Exchanged { identity, host: host.clone(), exchange: Arc::clone(&exchange) })
        }
        Origin::Instance(instance) => Keys::from(HandedOut { instance, exchange: Arc::clone(&exchange) }),
    };
    match identity.role.clone() {
        None => first,
        Some(role) => Keys::from(Assumed { role, by: first, host, exchange }),
    }
}

/// A session for a token.
struct Exchanged {
    identity: WebIdentity,
    host: String,
    exchange: Arc<Exchange>,
}

/// A session of the machine's role.
struct HandedOut {
    instance: Instance,
    exchange: Arc<Exchange>,
}

/// A session of a role that other keys assume.
struct Assumed {
    role: Role,
    by: Keys,
    host: String,
    exchange: Arc<Exchange>,
}

type Fetched<'a> = BoxFuture<'a, Result<(Credentials, Duration), Failure>>;

impl Source for Exchanged {
    fn fetch(&self) -> Fetched<'_> {
        async move {
            let WebIdentity { role, provider, session, .. } = &self.identity;
            let identity = sts::WebIdentity { role, provider, session };
            let token = self.token()?;
            let request = |host, date| sts::assume_role_with_oidc(&identity, &token, host, date);
            let answer = self.exchange.unsigned(FEDERATE, &self.host, &token, request).await?;
            kept(&sts::session(FEDERATE, answer, clock::now())?)
        }
        .boxed()
    }
}

impl Exchanged {
    /// The token as the file holds it now: it is short and in memory, so reading it holds nobody up.
    fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let path = self.identity.token_file.display();
        let unusable = |what: &dyn std::fmt::Display| {
            let told = format!(
                "the token file {path}, which ALIBABA_CLOUD_OIDC_TOKEN_FILE names, {what}: mount the service account's \
                 token there, and let the operator's user read it"
            );
            refused("<no token>", told)
        };
        let read = std::fs::read_to_string(&self.identity.token_file).map(Zeroizing::new);
        let text = read.map_err(|error| unusable(&format_args!("cannot be read ({error})")))?;
        match text.trim() {
            "" => Err(unusable(&"is empty")),
            token => Ok(Zeroizing::new(token.to_owned())),
        }
    }
}

impl Source for HandedOut {
    fn fetch(&self) -> Fetched<'_> {
        async move {
            let token = self.token().await?;
            let token = token.as_ref().map(|token| token.as_str());
            let role = match &self.instance.role {
                Some(role) => role.clone(),
                None => metadata::role_answered(&self.exchange.metadata(|host| metadata::role(host, token)).await?)?,
            };
            let answer = self.exchange.metadata(|host| metadata::credentials(host, &role, token)).await?;
            kept(&metadata::session(answer, clock::now())?)
        }
        .boxed()
    }
}

impl HandedOut {
    /// A token of the hardened mode, first; none where the service gives none, or keeps silent as it does before pods
    /// that are too many hops away, and the older mode is not forbidden.
    async fn token(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let answer = self.exchange.metadata(metadata::token).await;
        match answer.and_then(|answer| metadata::token_answered(&answer)) {
            Ok(token) => Ok(Some(Zeroizing::new(token))),
            Err(failure) if self.instance.hardened_only => Err(failure),
            Err(failure) => {
                tracing::debug!(%failure, "the metadata service gives no token: asking without");
                Ok(None)
            }
        }
    }
}

impl Source for Assumed {
    fn fetch(&self) -> Fetched<'_> {
        async move {
            let Role { arn, external_id } = &self.role;
            let key = self.by.look_after().await?;
            let call = sts::assume_role(arn, external_id.as_deref(), self.host.clone());
            let answer = self.exchange.signed(call, &self.by, key, limit::READ, || Ok(())).await?;
            kept(&sts::session(ASSUME, answer, clock::now())?)
        }
        .boxed()
    }
}

/// A session as keys to sign with.
fn kept(session: &Session) -> Result<(Credentials, Duration), Failure> {
    let credentials = Credentials::from_session(session);
    let told = |fault| refused("<malformed>", format!("the session that was answered {fault}"));
    credentials.map(|credentials| (credentials, session.lasts)).map_err(told)
}

fn refused(code: &str, told: String) -> Failure {
    Failure { meaning: Meaning::Credentials(Reason::CredentialsInvalid), ..failure(code, told, false) }
}
