//! Who may be let in: as a spec and a cloud's list write it, and whom that means.

use crate::id::AccountId;
use crate::place::Cloud;

/// A principal as it is written: an account number, an ARN, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(String);

/// Whom a principal means: two that are written differently and mean the same are one principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// Everybody.
    Everybody,
    /// All of one account.
    Account(AccountId),
    /// A user or a role of one account, with the whole text.
    Part(AccountId, String),
    /// A text that this version does not understand.
    Unknown(String),
}

impl Principal {
    /// The text as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account number, where it is written as a bare one.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        is_number(&self.0).then_some(self.0.as_str())
    }

    /// Whom it means.
    #[must_use]
    pub fn whom(&self) -> Whom {
        let text = self.0.as_str();
        if text == "*" {
            return Whom::Everybody;
        }
        if is_number(text) {
            return Whom::Account(text.into());
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let (account, of) = match parts.as_slice() {
            ["acs", "ram", _, account] => (*account, ""),
            ["acs", "ram", _, account, of @ ..] => (*account, of[0]),
            ["arn", _, "iam", _, account, of] => (*account, *of),
            _ => return Whom::Unknown(text.to_owned()),
        };
        match (account, of) {
            ("*", _) => Whom::Everybody,
            (account, "" | "*" | "root") if is_number(account) => Whom::Account(account.into()),
            (account, _) if is_number(account) => Whom::Part(account.into(), text.to_owned()),
            _ => Whom::Unknown(text.to_owned()),
        }
    }

    /// Why a cloud cannot take a principal that is written so; with what to write instead.
    #[must_use]
    pub fn refused_by(&self, cloud: Cloud) -> Option<String> {
        let text = self.0.as_str();
        let (fits, instead) = match cloud {
            Cloud::Alibaba => (
                self.number().is_some() || text.starts_with("acs:"),
                "a UID such as \"1234567890123456\", or acs:ram:*:1234567890123456",
            ),
            Cloud::Aws => (
                text == "*" || text.starts_with("arn:") || self.number().is_some_and(|number| number.len() == 12),
                "an account number of 12 digits, or the ARN of an account's root, a role or a user",
            ),
            Cloud::Tencent => (self.number().is_some(), "a UIN such as \"100012345678\""),
        };
        (!fits || matches!(self.whom(), Whom::Unknown(_)))
            .then(|| format!("principal: {text} means nobody on {cloud}: create the entry again with {instead}"))
    }
}

impl From<&str> for Principal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Principal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&self.0)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_is_one_principal_however_it_is_written() {
        let account = |number: &str| Whom::Account(number.into());
        for (text, whom) in [
            ("1234567890123456", account("1234567890123456")),
            ("acs:ram:*:1234567890123456", account("1234567890123456")),
            ("acs:ram:*:1234567890123456:*", account("1234567890123456")),
            ("acs:ram:*:1234567890123456:root", account("1234567890123456")),
            ("arn:aws:iam::123456789012:root", account("123456789012")),
            ("arn:aws-cn:iam::123456789012:root", account("123456789012")),
            ("*", Whom::Everybody),
            ("acs:ram:*:*", Whom::Everybody),
            ("acs:ram:*:1:role/a", Whom::Part("1".into(), "acs:ram:*:1:role/a".into())),
            ("arn:aws:iam::123456789012:user/a:b", {
                Whom::Part("123456789012".into(), "arn:aws:iam::123456789012:user/a:b".into())
            }),
            ("acs:ram:*:", Whom::Unknown("acs:ram:*:".into())),
            ("somebody", Whom::Unknown("somebody".into())),
        ] {
            assert_eq!(Principal::from(text).whom(), whom, "{text}");
        }
    }

    #[test]
    fn each_cloud_takes_its_own() {
        let clouds = [Cloud::Alibaba, Cloud::Aws, Cloud::Tencent];
        for (text, taken) in [
            ("1234567890123456", [true, false, true]),
            ("123456789012", [true, true, true]),
            ("acs:ram:*:1234567890123456", [true, false, false]),
            ("acs:ram:*:*", [true, false, false]),
            ("*", [false, true, false]),
            ("arn:aws:iam::123456789012:role/a", [false, true, false]),
        ] {
            let principal = Principal::from(text);
            assert_eq!(clouds.map(|cloud| principal.refused_by(cloud).is_none()), taken, "{text}");
        }
        let message = Principal::from("*").refused_by(Cloud::Alibaba).expect("refused");
        assert!(message.starts_with("principal: * means nobody on alibaba: create the entry again with"), "{message}");
    }
}
