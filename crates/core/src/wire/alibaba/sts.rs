//! Sessions of the security token service: the calls that ask for one, and what they answer.
//!
//! `AssumeRole` is signed like any call; `AssumeRoleWithOIDC` is not signed at all, its token is the proof. The
//! token goes in the body of a POST, so that it stands in no URL that a proxy may log.

use std::collections::BTreeMap;

use super::action::{ASSUME, Action, FEDERATE};
use super::{Product, Unsigned, decode, session};
use crate::error::Failure;
use crate::id::Region;
use crate::moment::Moment;
use crate::wire::{Request, Response, percent, utc};

pub use super::session::Session;

/// The name of every session that is asked for here. It never changes: an endpoint that is protected may be changed
/// by the session alone that made it.
pub const SESSION_NAME: &str = "privatelink-operator";

/// How long a session is asked for, in seconds: the vendor's default, which every role allows.
const DURATION_SECONDS: u32 = 3_600;

/// Host of the service in a region: the public one, or the one that answers within a VPC alone.
#[must_use]
pub fn host(region: &Region, within_vpc: bool) -> String {
    format!("{}{}.{region}.aliyuncs.com", Product::Sts.as_str(), if within_vpc { "-vpc" } else { "" })
}

/// The call that turns the credentials it is signed with into a session of the role `arn`.
#[must_use]
pub fn assume_role(arn: &str, external_id: Option<&str>, host: String) -> Unsigned {
    let mut parameters = asked(arn, SESSION_NAME);
    parameters.extend(external_id.map(|id| ("ExternalId".to_owned(), id.to_owned())));
    let product = Product::Sts;
    Unsigned { product, host, action: ASSUME.name, version: product.version(), parameters, form: false }
}

/// Who asks for a session with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebIdentity<'a> {
    /// ARN of the role.
    pub role: &'a str,
    /// ARN of the provider that the token is from, in the role's account.
    pub provider: &'a str,
    /// Name of the session.
    pub session: &'a str,
}

/// The request that turns `token` into a session, dated `date`.
#[must_use]
pub fn assume_role_with_oidc(identity: &WebIdentity<'_>, token: &str, host: String, date: Moment) -> Request {
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let common = [("Action", FEDERATE.name), ("Version", Product::Sts.version()), ("Format", "JSON")];
    let mut query = BTreeMap::from(common.map(text));
    query.insert("Timestamp".to_owned(), utc::iso(date));
    let mut form = asked(identity.role, identity.session);
    form.extend([("OIDCProviderArn", identity.provider), ("OIDCToken", token)].map(text));
    let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    Request {
        method: "POST",
        host,
        path: "/".into(),
        query: percent::pairs(&query),
        headers: headers.map(text).into(),
        body: percent::pairs(&form).into_bytes(),
    }
}

fn asked(role: &str, session: &str) -> BTreeMap<String, String> {
    let seconds = DURATION_SECONDS.to_string();
    [("RoleArn", role), ("RoleSessionName", session), ("DurationSeconds", &seconds)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The session that `action` answered with at `now`, and how long it lasts by the cloud's own clock.
///
/// # Errors
/// What the cloud refused; an answer that cannot be read, or a session that is over already.
pub fn session(action: Action, response: Response, now: Moment) -> Result<Session, Failure> {
    if !response.is_success() {
        return Err(decode::failure(action.name, &response));
    }
    session::read(response, now, |root| root.object("Credentials")).map_err(|malformed| session::unread(&malformed))
}
