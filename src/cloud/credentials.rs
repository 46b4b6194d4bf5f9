//! What proves who calls: read from a Secret's contents, the process's environment or the answer of a cloud, never
//! shown, and wiped when it is no longer used.

use std::collections::BTreeMap;
use std::sync::Arc;

use privatelink_core::wire::alibaba::sts::Session;
use zeroize::Zeroizing;

/// Names of the keys of a Secret for Alibaba Cloud.
const SECRET_KEYS: [&str; 3] = ["accessKeyId", "accessKeySecret", "securityToken"];

/// An access key; clones share the one copy in memory. Equal if all parts are.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    id: Arc<str>,
    secret: Arc<Zeroizing<String>>,
    token: Option<Arc<Zeroizing<String>>>,
}

/// Why there are no credentials: a sentence for the one who has to mend it, without any part of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A key of the Secret.
    #[error("Secret {secret}: key {key} {fault}: {remedy}")]
    Key {
        /// Namespace and name of the Secret.
        secret: String,
        /// Key.
        key: &'static str,
        /// What is wrong with it.
        fault: Fault,
        /// What to do.
        remedy: &'static str,
    },
    /// A variable of the environment.
    #[error(
        "environment variable {variable} {fault}: set it on the operator's container, or use credentials.secretRef"
    )]
    Variable {
        /// Variable.
        variable: &'static str,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A variable of the environment by which a pod is told its identity.
    #[error(
        "environment variable {variable} {fault}: annotate the operator's service account for RRSA so that its pods \
         get the variables, or set all three of them, or use credentials.secretRef"
    )]
    WebIdentity {
        /// Variable.
        variable: &'static str,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The environment forbids to ask the machine.
    #[error(
        "environment variable {variable} forbids to ask the machine for its role: unset it on the operator's \
         container, or use another of spec.credentials"
    )]
    Forbidden {
        /// Variable.
        variable: &'static str,
    },
}

/// What is wrong with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not there.
    #[error("is missing")]
    Absent,
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It holds bytes that no access key has.
    #[error("holds a space, a line break or another character that no access key has")]
    Unprintable,
}

impl Fault {
    const fn remedy(self) -> &'static str {
        match self {
            Self::Absent | Self::Empty => "add it with the value that the RAM console shows",
            Self::Unprintable => {
                "write it again without quotes and line breaks, for example with printf instead of echo"
            }
        }
    }
}

impl Credentials {
    /// Names of the environment's variables for Alibaba Cloud, as the vendor's own tools have them.
    pub const VARIABLES: [&str; 3] =
        ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"];

    /// From the contents of the Secret `namespace/name`.
    ///
    /// # Errors
    /// With the Secret, the key and the remedy, where a key is missing, empty or not that of an access key.
    pub fn from_secret(secret: &str, contents: &BTreeMap<String, Zeroizing<Vec<u8>>>) -> Result<Self, Missing> {
        Self::from_parts(SECRET_KEYS, |key| contents.get(key).cloned()).map_err(|(key, fault)| Missing::Key {
            secret: secret.to_owned(),
            key,
            fault,
            remedy: fault.remedy(),
        })
    }

    /// From the environment, of which `variable` gives one by its name.
    ///
    /// # Errors
    /// With the variable that is missing, empty or not that of an access key.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Missing> {
        Self::from_parts(Self::VARIABLES, |name| variable(name).map(|text| Zeroizing::new(text.into_bytes())))
            .map_err(|(variable, fault)| Missing::Variable { variable, fault })
    }

    /// The parts of `session`.
    ///
    /// # Errors
    /// One of them holds what no key holds, and could not be sent.
    pub fn from_session(session: &Session) -> Result<Self, Fault> {
        let checked = |part: &str| text(part.as_bytes());
        Ok(Self {
            id: Arc::from(checked(&session.id)?.as_str()),
            secret: Arc::new(checked(&session.secret)?),
            token: Some(Arc::new(checked(&session.token)?)),
        })
    }

    fn from_parts(
        names: [&'static str; 3],
        part: impl Fn(&str) -> Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Self, (&'static str, Fault)> {
        let [id, secret, token] = names;
        let read = |name| match part(name) {
            None => Err((name, Fault::Absent)),
            Some(bytes) => text(&bytes).map_err(|fault| (name, fault)),
        };
        // A token that is there but empty is one that somebody meant to leave out.
        let token = match read(token) {
            Ok(token) => Some(Arc::new(token)),
            Err((_, Fault::Absent | Fault::Empty)) => None,
            Err(fault) => return Err(fault),
        };
        Ok(Self { id: Arc::from(read(id)?.as_str()), secret: Arc::new(read(secret)?), token })
    }

    /// The access key's id, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The secret. For signing alone.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// The session token, where the key is a temporary one. For signing alone.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |shown| if shown { "<hidden>" } else { "<none>" };
        formatter
            .debug_struct("Credentials")
            .field("id", &hidden(true))
            .field("secret", &hidden(true))
            .field("token", &hidden(self.token.is_some()))
            .finish()
    }
}

/// The value without the line break that many editors leave behind it.
fn text(bytes: &[u8]) -> Result<Zeroizing<String>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Unprintable)?;
    match text.trim() {
        "" => Err(Fault::Empty),
        text if text.chars().all(|character| character.is_ascii_graphic()) => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(Fault::Unprintable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(parts: &[(&str, &str)]) -> BTreeMap<String, Zeroizing<Vec<u8>>> {
        parts.iter().map(|(key, value)| ((*key).to_owned(), Zeroizing::new(value.as_bytes().to_vec()))).collect()
    }

    const WHOLE: [(&str, &str); 3] =
        [("accessKeyId", "LTAI5t"), ("accessKeySecret", "s3cr3t/+="), ("securityToken", "t0k3n")];

    #[test]
    fn a_whole_secret_is_read_and_its_token_is_optional() {
        let whole = Credentials::from_secret("ops/key", &secret(&WHOLE)).expect("whole");
        assert_eq!((whole.id(), whole.secret(), whole.token()), ("LTAI5t", "s3cr3t/+=", Some("t0k3n")));
        let without = Credentials::from_secret("ops/key", &secret(&WHOLE[..2])).expect("no token");
        assert_eq!(without.token(), None);
        assert_ne!(whole, without);
        let empty = secret(&[WHOLE[0], WHOLE[1], ("securityToken", "\n")]);
        assert_eq!(Credentials::from_secret("ops/key", &empty), Ok(without));
    }

    #[test]
    fn a_line_break_at_the_end_is_no_part_of_a_key() {
        let broken = secret(&[("accessKeyId", "LTAI5t\n"), ("accessKeySecret", " s3cr3t/+=\r\n")]);
        assert_eq!(Credentials::from_secret("a/b", &broken), Credentials::from_secret("a/b", &secret(&WHOLE[..2])));
    }

    #[test]
    fn what_is_missing_is_named_with_the_remedy_and_without_the_secret() {
        for (parts, expected) in [
            (vec![WHOLE[1]], "Secret ops/key: key accessKeyId is missing: add it"),
            (vec![WHOLE[0]], "Secret ops/key: key accessKeySecret is missing: add it"),
            (vec![WHOLE[0], ("accessKeySecret", "")], "Secret ops/key: key accessKeySecret is empty: add it"),
            (vec![WHOLE[0], ("accessKeySecret", " \n")], "Secret ops/key: key accessKeySecret is empty: add it"),
            (
                vec![WHOLE[0], ("accessKeySecret", "s3cr3t s3cr3t")],
                "Secret ops/key: key accessKeySecret holds a space, a line break or another character that no access \
                 key has: write it again",
            ),
            (vec![WHOLE[0], WHOLE[1], ("securityToken", "tö")], "Secret ops/key: key securityToken holds a space"),
        ] {
            let error = Credentials::from_secret("ops/key", &secret(&parts)).expect_err("not whole");
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
        }
    }

    #[test]
    fn the_environment_is_read_by_the_vendor_s_names() {
        let variables: BTreeMap<_, _> =
            [("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5t"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t/+=")].into();
        let get = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        let read = Credentials::from_environment(get).expect("whole");
        assert_eq!((read.id(), read.secret(), read.token()), ("LTAI5t", "s3cr3t/+=", None));
        let error = Credentials::from_environment(|_| None).expect_err("nothing is set");
        assert_eq!(
            error.to_string(),
            "environment variable ALIBABA_CLOUD_ACCESS_KEY_ID is missing: set it on the operator's container, or use \
             credentials.secretRef"
        );
    }

    #[test]
    fn no_secret_is_in_what_is_printed() {
        let whole = Credentials::from_secret("ops/key", &secret(&WHOLE)).expect("whole");
        let printed = format!("{whole:?} {whole:#?}");
        for part in ["LTAI5t", "s3cr3t", "t0k3n"] {
            assert!(!printed.contains(part), "{printed}");
        }
    }
}
