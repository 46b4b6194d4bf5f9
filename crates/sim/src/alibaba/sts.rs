//! STS, as far as callers ask it who they are.

use serde_json::{Map, Value, json};

use crate::keys::{Identity, Key};

/// The answer of `GetCallerIdentity` to a call that `key` signed.
#[must_use]
pub fn caller_identity(key: &Key) -> Map<String, Value> {
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

/// A number for a user or role, always the same one.
fn number_of(account: u64, name: &str) -> String {
    let start = account.wrapping_mul(31);
    let mixed = name.bytes().fold(start, |sum, byte| sum.wrapping_mul(1_099_511_628_211).wrapping_add(u64::from(byte)));
    format!("3{:017}", mixed % 100_000_000_000_000_000)
}
