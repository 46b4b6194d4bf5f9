//! STS: who a caller is, and sessions of roles for whom the roles trust.
//!
//! Codes and statuses are those that the vendor documents for each action. Not documented, and settled here or by
//! a [`Variant`]: in which order a call with several mistakes is refused, and the status of tokens of a wrong
//! issuer or without known keys (401, as all other refusals of tokens). A `Policy` is checked for its form and
//! narrows nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::gateway::Failure;
use super::params::Params;
use crate::cloud::Cloud;
use crate::identity::jwt::{self, Claims};
use crate::identity::session::{Asked, Credentials};
use crate::identity::{Named, Role, arn};
use crate::keys::{Identity, Key};
use crate::world::{AccountId, Variant};

type Fields = Map<String, Value>;

/// Shortest session that may be asked for, in seconds.
const SHORTEST: i64 = 900;
/// Session where nothing is asked for, in seconds.
const USUAL: i64 = 3_600;
/// Longest policy, in characters.
const POLICY: usize = 2_048;

/// The answer of `GetCallerIdentity` to a call that `key` signed.
#[must_use]
pub fn caller_identity(key: &Key) -> Fields {
    let account = key.actor.account.0;
    let fields = match &key.identity {
        Identity::Root => json!({
            "IdentityType": "Account",
            "Arn": format!("acs:ram::{account}:root"),
            "PrincipalId": account.to_string(),
            "UserId": account.to_string(),
        }),
        Identity::User(name) => json!({
            "IdentityType": "RAMUser",
            "Arn": format!("acs:ram::{account}:user/{name}"),
            "PrincipalId": number_of(account, name),
            "UserId": number_of(account, name),
        }),
        Identity::Role { role, session } => json!({
            "IdentityType": "AssumedRoleUser",
            "Arn": format!("acs:ram::{account}:assumed-role/{role}/{session}"),
            "PrincipalId": format!("{}:{session}", number_of(account, role)),
            "RoleId": number_of(account, role),
        }),
    };
    let mut fields = fields.as_object().cloned().unwrap_or_default();
    fields.insert("AccountId".to_owned(), account.to_string().into());
    fields
}

/// The answer of `AssumeRole` to a call that `key` signed.
///
/// # Errors
/// The vendor's refusal.
pub fn assume_role(cloud: &mut Cloud, key: &Key, params: &Params<'_>) -> Result<Fields, Failure> {
    if key.identity == Identity::Root {
        return Err(refusal(params, "NoPermission", "Roles may not be assumed by root accounts."));
    }
    let wanted = Wanted::read(params)?;
    let external_id = params.text("ExternalId");
    if external_id.is_some_and(|id| !is_external_id(id)) {
        return Err(params.illegal("ExternalId", "it has 2 to 1224 letters, digits and + = , . @ : / - _"));
    }
    let role = wanted.role(cloud, params)?;
    if !role.trusts(key.actor.account, &key.identity, external_id) {
        let message = "You are not authorized to do this action. You should be authorized by RAM.";
        return Err(refusal(params, "NoPermission", message));
    }
    let mut fields = wanted.open(cloud, &role, params)?;
    if let Some(source) = params.text("SourceIdentity") {
        fields.insert("SourceIdentity".to_owned(), source.into());
    }
    Ok(fields)
}

/// The answer of `AssumeRoleWithOIDC`.
///
/// # Errors
/// The vendor's refusal.
pub fn assume_role_with_oidc(cloud: &mut Cloud, params: &Params<'_>) -> Result<Fields, Failure> {
    let wanted = Wanted::read(params)?;
    let named = arn(params.need("OIDCProviderArn")?, "oidc-provider");
    let named = named.ok_or_else(|| params.illegal("OIDCProviderArn", "it is acs:ram::ACCOUNT:oidc-provider/NAME"))?;
    let named: Named = (named.0, named.1.to_owned());
    let provider = cloud
        .identities
        .providers
        .get(&named)
        .ok_or_else(|| refusal(params, "AuthenticationFail.NoPermission", "No such OIDC Provider registered."))?;
    let claims = jwt::verify(params.need("OIDCToken")?, provider, cloud.clock.wall())
        .map_err(|refused| refusal(params, code_of(&refused, params), &refused.to_string()))?;
    let info = token_info(&provider.issuer, &claims);
    let role = wanted.role(cloud, params)?;
    if named.0 != wanted.name.0 || !role.trusts_subject(&named.1, &claims.subject) {
        return Err(refusal(params, "AuthenticationFail.NoPermission", "There is no permission."));
    }
    let mut fields = wanted.open(cloud, &role, params)?;
    fields.insert("OIDCTokenInfo".to_owned(), info);
    Ok(fields)
}

/// The account whose role is asked for, if that can be read.
#[must_use]
pub fn account_asked(params: &Params<'_>) -> Option<AccountId> {
    params.text("RoleArn").and_then(|text| arn(text, "role")).map(|(account, _)| account)
}

fn code_of(refused: &jwt::Refused, params: &Params<'_>) -> &'static str {
    use jwt::Refused as R;
    match refused {
        R::Parts | R::Unreadable(_) | R::Algorithm(_) => "AuthenticationFail.OIDCToken.Invalid",
        R::Issuer => "AuthenticationFail.OIDCToken.IssuerNotMatch",
        R::NoKeys(_) => "AuthenticationFail.OIDCToken.IssuerConfigurationBroken",
        R::UnknownKey => params.variants.value(Variant::UnknownTokenKeyCode),
        R::Signature => "AuthenticationFail.OIDCToken.InvalidSignature",
        R::Expired => "AuthenticationFail.OIDCToken.Expired",
        R::Early => params.variants.value(Variant::EarlyTokenCode),
        R::Audience => "AuthenticationFail.OIDCToken.AudienceNotMatch",
    }
}

fn token_info(issuer: &str, claims: &Claims) -> Value {
    let mut info = json!({
        "Issuer": issuer,
        "Subject": claims.subject,
        "ClientIds": claims.audiences.join(","),
        "ExpirationTime": on_wire(claims.expires),
        "VerificationInfo": "Success",
    });
    if let Some(issued) = claims.issued {
        info["IssuanceTime"] = on_wire(issued).into();
    }
    info
}

/// The session that is asked for.
struct Wanted {
    name: Named,
    session: String,
    seconds: i64,
}

impl Wanted {
    fn read(params: &Params<'_>) -> Result<Self, Failure> {
        let role = arn(params.need("RoleArn")?, "role");
        let role = role.ok_or_else(|| params.illegal("RoleArn", "it is acs:ram::ACCOUNT:role/NAME"))?;
        let session = params.need("RoleSessionName")?;
        let plain = |one: char| one.is_ascii_alphanumeric() || ".@-_".contains(one);
        if !(2..=64).contains(&session.len()) || !session.chars().all(plain) {
            return Err(params.illegal("RoleSessionName", "it has 2 to 64 letters, digits, ., @, - and _"));
        }
        if let Some(policy) = params.text("Policy") {
            if policy.chars().count() > POLICY {
                let message = format!("The size of Policy must be at most {POLICY} characters.");
                return Err(refusal(params, "InvalidParameter.PolicySize", &message));
            }
            if serde_json::from_str::<Map<String, Value>>(policy).is_err() {
                let message = "The parameter Policy has not passed grammar check: it is a JSON object.";
                return Err(refusal(params, "InvalidParameter.PolicyGrammar", message));
            }
        }
        let seconds = params.number("DurationSeconds")?.unwrap_or(USUAL);
        Ok(Self { name: (role.0, role.1.to_owned()), session: session.to_owned(), seconds })
    }

    fn role(&self, cloud: &Cloud, params: &Params<'_>) -> Result<Role, Failure> {
        let role = cloud.identities.roles.get(&self.name).cloned();
        role.ok_or_else(|| {
            let (account, name) = &self.name;
            let message = format!("The role not exists: acs:ram::{}:role/{name}.", account.0);
            refusal(params, "EntityNotExist.Role", &message)
        })
    }

    fn open(&self, cloud: &mut Cloud, role: &Role, params: &Params<'_>) -> Result<Fields, Failure> {
        let longest = role.max_session.as_secs();
        if !(SHORTEST..=longest).contains(&self.seconds) {
            return Err(params.illegal("DurationSeconds", &format!("it is {SHORTEST} to {longest}")));
        }
        let (account, name) = &self.name;
        let asked =
            Asked { account: *account, role: name.clone(), session: self.session.clone(), denied: role.denied.clone() };
        let lasting = SignedDuration::from_secs(self.seconds);
        let wall = cloud.clock.wall();
        let made = cloud.sessions.open(&mut cloud.keys, &asked, lasting, wall);
        let made = made.ok_or_else(|| {
            let message = "The account has more identities than this cloud can tell apart; use fewer session names.";
            refusal(params, "InternalError", message)
        })?;
        let fields = json!({
            "Credentials": credentials(&made),
            "AssumedRoleUser": {
                "Arn": format!("acs:ram::{}:role/{name}/{}", account.0, self.session),
                "AssumedRoleId": format!("{}:{}", number_of(account.0, name), self.session),
            },
        });
        Ok(fields.as_object().cloned().unwrap_or_default())
    }
}

/// A session as its owner gets it, here and from the metadata service.
#[must_use]
pub fn credentials(session: &Credentials) -> Value {
    json!({
        "AccessKeyId": session.key_id,
        "AccessKeySecret": session.secret.reveal(),
        "SecurityToken": session.token.reveal(),
        "Expiration": on_wire(session.expires),
    })
}

/// A time in whole seconds.
#[must_use]
pub fn on_wire(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn refusal(params: &Params<'_>, code: &str, message: &str) -> Failure {
    Failure::new(params.action.documented(code).unwrap_or(400), code, message)
}

fn is_external_id(text: &str) -> bool {
    let plain = |one: char| one.is_alphanumeric() || "_+=,.@:/-".contains(one);
    (2..=1_224).contains(&text.chars().count()) && text.chars().all(plain)
}

/// A number for a user or role, always the same one.
fn number_of(account: u64, name: &str) -> String {
    let start = account.wrapping_mul(31);
    let mixed = name.bytes().fold(start, |sum, byte| sum.wrapping_mul(1_099_511_628_211).wrapping_add(u64::from(byte)));
    format!("3{:017}", mixed % 100_000_000_000_000_000)
}
