//! The access keys that callers sign with, and whom each speaks for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::world::{AccountId, Actor};

/// Keys by id.
pub type Keys = BTreeMap<String, Key>;

/// A secret; it shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// This text, kept out of logs.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it signs with.
    pub secret: Secret,
    /// Session token, for keys that an assumed role got.
    pub token: Option<Secret>,
    /// When the session ends; refused from then on.
    pub expires: Option<Timestamp>,
    /// Account and identity that it speaks for.
    pub actor: Actor,
    /// The identity that it shares with every session of its role, where worlds tell roles and not sessions apart.
    pub role: u8,
    /// Who that is, for the caller-identity call.
    pub identity: Identity,
    /// Actions that it may not call.
    pub denied: BTreeSet<String>,
}

/// Who a key belongs to within its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// The account itself.
    Root,
    /// A user of the account.
    User(String),
    /// A role, with the session that assumed it.
    Role {
        /// Role.
        role: String,
        /// Session.
        session: String,
    },
}

impl Identity {
    /// The same identity, or another session of the same role.
    #[must_use]
    pub fn is_of_role(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Role { role, .. }, Self::Role { role: other, .. }) => role == other,
            _ => self == other,
        }
    }

    /// A role's session, as the security token service makes them.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(self, Self::Role { .. })
    }

    /// `root`, `user/NAME` or `role/NAME/SESSION`; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let parsed = match (parts.next()?, parts.next(), parts.next()) {
            ("root", None, None) => Self::Root,
            ("user", Some(name), None) if !name.is_empty() => Self::User(name.to_owned()),
            ("role", Some(role), Some(session)) if !role.is_empty() && !session.is_empty() => {
                Self::Role { role: role.to_owned(), session: session.to_owned() }
            }
            _ => return None,
        };
        parts.next().is_none().then_some(parsed)
    }
}

/// The number of `identity` within `account`, and the one that it shares with every session of its role; new ones
/// where it has none yet. `None`: the account has no number left.
#[must_use]
pub fn places(keys: &Keys, account: AccountId, identity: &Identity) -> Option<(u8, u8)> {
    let own = || keys.values().filter(|key| key.actor.account == account);
    let known = own().find(|key| key.identity == *identity).map(|key| key.actor.identity);
    let role = own().find(|key| key.identity.is_of_role(identity)).map(|key| key.role);
    let taken: BTreeSet<u8> = own().flat_map(|key| [key.actor.identity, key.role]).collect();
    let place = known.or_else(|| (0..=u8::MAX).find(|place| !taken.contains(place)))?;
    Some((place, role.unwrap_or(place)))
}

#[cfg(test)]
mod tests {
    use super::{Identity, Secret};

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("top")), "***");
    }

    #[test]
    fn identities_have_three_forms() {
        assert_eq!(Identity::parse("root"), Some(Identity::Root));
        assert_eq!(Identity::parse("user/ann"), Some(Identity::User("ann".to_owned())));
        let role = Identity::Role { role: "operator".to_owned(), session: "pod".to_owned() };
        assert_eq!(Identity::parse("role/operator/pod").as_ref(), Some(&role));
        let of_role = |text| role.is_of_role(&Identity::parse(text).expect("an identity"));
        assert!(of_role("role/operator/other") && !of_role("role/other/pod") && !of_role("user/operator"));
        for wrong in ["", "root/x", "user", "user/", "role/operator", "role/a/b/c", "ann"] {
            assert_eq!(Identity::parse(wrong), None, "{wrong}");
        }
    }
}
