//! Who may become whom: roles with their trust, providers of OIDC tokens, and the machine that the metadata
//! service knows. It says nothing about the wire, and who became somebody is for [`session`] to keep.

pub mod jwt;
pub mod session;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::keys::Identity;
use crate::world::AccountId;
use jwt::KeySet;

/// A name within an account.
pub type Named = (AccountId, String);

/// All roles and providers, and the machine.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// Roles.
    pub roles: BTreeMap<Named, Role>,
    /// Providers of OIDC tokens.
    pub providers: BTreeMap<Named, Provider>,
    /// The machine that asks the metadata service; unset: whoever asks is no machine of this cloud.
    pub instance: Option<Instance>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Who may assume it with a key.
    pub principals: Vec<Principal>,
    /// Who may assume it with an OIDC token: a provider of its account, and the subject.
    pub subjects: Vec<(String, String)>,
    /// Machines of its account may have it.
    pub of_machines: bool,
    /// What whoever assumes it with a key must know.
    pub external_id: Option<String>,
    /// Longest session that may be asked for.
    pub max_session: SignedDuration,
    /// Actions that its sessions may not call.
    pub denied: BTreeSet<String>,
}

/// Somebody with keys, as policies of trust name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Every user and role of an account.
    Account(AccountId),
    /// A user.
    User(AccountId, String),
    /// Every session of a role.
    Role(AccountId, String),
}

/// A provider of OIDC tokens.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its address, which its tokens name.
    pub issuer: String,
    /// Whom a token may be meant for; one of them is enough.
    pub audiences: BTreeSet<String>,
    /// What it signs with, as the public knows it.
    pub keys: KeySet,
}

/// The machine that asks the metadata service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Account that owns it.
    pub account: AccountId,
    /// Role that it has.
    pub role: Option<String>,
    /// Answers are given without a token of the metadata service too.
    pub imdsv1: bool,
}

impl Role {
    /// May `identity` of `account` assume it, knowing `external_id`?
    #[must_use]
    pub fn trusts(&self, account: AccountId, identity: &Identity, external_id: Option<&str>) -> bool {
        let knows = self.external_id.is_none() || self.external_id.as_deref() == external_id;
        knows && self.principals.iter().any(|principal| principal.covers(account, identity))
    }

    /// May `subject` assume it with a token of the provider `provider` of its account?
    #[must_use]
    pub fn trusts_subject(&self, provider: &str, subject: &str) -> bool {
        self.subjects.iter().any(|(own, trusted)| own == provider && trusted == subject)
    }
}

impl Principal {
    /// `acs:ram::ACCOUNT:root`, `acs:ram::ACCOUNT:user/NAME` or `acs:ram::ACCOUNT:role/NAME`; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let account = text.strip_suffix(":root").and_then(|rest| rest.strip_prefix("acs:ram::")?.parse().ok());
        let whole = account.map(|account| Self::Account(AccountId(account)));
        let user = || arn(text, "user").map(|(account, name)| Self::User(account, name.to_owned()));
        let role = || arn(text, "role").map(|(account, name)| Self::Role(account, name.to_owned()));
        whole.or_else(user).or_else(role)
    }

    /// Its account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Self::Account(account) | Self::User(account, _) | Self::Role(account, _) => *account,
        }
    }

    fn covers(&self, account: AccountId, identity: &Identity) -> bool {
        self.account() == account
            && match (self, identity) {
                (Self::Account(_), _) => true,
                (Self::User(_, name), Identity::User(user)) => name == user,
                (Self::Role(_, name), Identity::Role { role, .. }) => name == role,
                _ => false,
            }
    }
}

/// Account and name in `acs:ram::ACCOUNT:KIND/NAME`.
#[must_use]
pub fn arn<'t>(text: &'t str, kind: &str) -> Option<(AccountId, &'t str)> {
    let (account, rest) = text.strip_prefix("acs:ram::")?.split_once(':')?;
    let name = rest.strip_prefix(kind)?.strip_prefix('/')?;
    let plain = !name.is_empty() && !name.contains(['/', ':']);
    Some((AccountId(account.parse().ok()?), name)).filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Principal, Role, arn};
    use crate::keys::Identity;
    use crate::world::AccountId;

    fn identity(text: &str) -> Identity {
        Identity::parse(text).expect("an identity")
    }

    fn role(principals: &[&str], external_id: Option<&str>) -> Role {
        Role {
            principals: principals.iter().map(|text| Principal::parse(text).expect("a principal")).collect(),
            subjects: vec![("cluster".to_owned(), "system:serviceaccount:a:b".to_owned())],
            of_machines: false,
            external_id: external_id.map(str::to_owned),
            max_session: SignedDuration::from_hours(1),
            denied: [].into(),
        }
    }

    #[test]
    fn names_of_roles_have_one_form() {
        assert_eq!(arn("acs:ram::7:role/r", "role"), Some((AccountId(7), "r")));
        for wrong in ["acs:ram::7:role/", "acs:ram::7:user/r", "acs:ram::x:role/r", "acs:ram:7:role/r", "r", ""] {
            assert_eq!(arn(wrong, "role"), None, "{wrong}");
        }
        assert_eq!(arn("acs:ram::7:role/a/b", "role"), None);
        for wrong in ["acs:ram::7:group/g", "acs:ram::x:root", "7", "acs:ram::7:role/r/s"] {
            assert_eq!(Principal::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn trust_is_for_an_account_a_user_or_a_role() {
        let all = ["root", "user/ann", "user/bob", "role/r/one", "role/s/one"].map(identity);
        for (principals, trusted) in [
            (vec!["acs:ram::7:root"], vec![0, 1, 2, 3, 4]),
            (vec!["acs:ram::7:user/ann"], vec![1]),
            (vec!["acs:ram::7:role/r", "acs:ram::7:user/bob"], vec![2, 3]),
            (vec!["acs:ram::8:root"], vec![]),
            (vec![], vec![]),
        ] {
            let role = role(&principals, None);
            let found: Vec<_> = (0..all.len()).filter(|at| role.trusts(AccountId(7), &all[*at], None)).collect();
            assert_eq!(found, trusted, "{principals:?}");
        }
    }

    #[test]
    fn an_external_id_must_be_known_where_the_role_has_one() {
        let (ann, open) = (identity("user/ann"), role(&["acs:ram::7:root"], None));
        assert!(open.trusts(AccountId(7), &ann, Some("any")));
        let shut = role(&["acs:ram::7:root"], Some("word"));
        assert!(shut.trusts(AccountId(7), &ann, Some("word")));
        assert!(!shut.trusts(AccountId(7), &ann, Some("other")) && !shut.trusts(AccountId(7), &ann, None));
    }

    #[test]
    fn a_subject_is_trusted_with_its_provider_only() {
        let role = role(&[], None);
        assert!(role.trusts_subject("cluster", "system:serviceaccount:a:b"));
        assert!(!role.trusts_subject("other", "system:serviceaccount:a:b"));
        assert!(!role.trusts_subject("cluster", "system:serviceaccount:a:c"));
    }
}
