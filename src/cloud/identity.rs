//! Who an account is to the cloud: where its keys come from, and as which role it calls with them.
//!
//! What an account does not declare is read from the environment by the vendor's own names. A set of variables that
//! is there in part is an error, never a reason to go on to the next: a pod that was given an identity must not act
//! with that of the machine it happens to run on.

use std::path::PathBuf;

use privatelink_core::id::Region;
use privatelink_core::wire::alibaba::sts;

use super::credentials::{Credentials, Fault, Missing};

const ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
const OIDC_PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
const OIDC_TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
const ROLE_SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";
const STS_REGION: &str = "ALIBABA_CLOUD_STS_REGION";
const VPC_ENDPOINT_ENABLED: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";
const ECS_METADATA: &str = "ALIBABA_CLOUD_ECS_METADATA";
const ECS_METADATA_DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
const IMDSV1_DISABLED: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";

/// Who an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Where the first keys come from.
    pub origin: Origin,
    /// The role that they are used to assume, if any: every call is made as that one.
    pub role: Option<Role>,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are given, by a Secret or by the environment.
    Given(Credentials),
    /// A token of the pod's own service account is exchanged for a session.
    WebIdentity(WebIdentity),
    /// The metadata service of the machine hands them out.
    Instance(Instance),
}

/// A role that is assumed with keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// ARN.
    pub arn: String,
    /// What the role demands of who assumes it.
    pub external_id: Option<String>,
}

/// A role that is assumed with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity {
    /// ARN of the role.
    pub role: String,
    /// ARN of the provider of the token.
    pub provider: String,
    /// File that holds the token; it changes, and is read again whenever a session is asked for.
    pub token_file: PathBuf,
    /// Name of the session.
    pub session: String,
}

/// The role of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Name of the role; the metadata service knows it too.
    pub role: Option<String>,
    /// Only the hardened mode is spoken.
    pub hardened_only: bool,
}

/// The environment of the process, of which a function gives one variable by its name.
pub struct Variables<F>(pub F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// By the vendor's order: keys, else the pod's own identity, else the machine's.
    ///
    /// # Errors
    /// With the variable that is missing from a set of which others are there, and where nothing is left to try.
    pub fn any(&self) -> Result<Origin, Missing> {
        if Credentials::VARIABLES.iter().any(|name| self.get(name).is_some()) {
            return Credentials::from_environment(&self.0).map(Origin::Given);
        }
        if [ROLE_ARN, OIDC_PROVIDER_ARN, OIDC_TOKEN_FILE].iter().any(|name| self.get(name).is_some()) {
            return self.web_identity();
        }
        if self.is_on(ECS_METADATA_DISABLED) {
            return Credentials::from_environment(&self.0).map(Origin::Given);
        }
        self.instance()
    }

    /// The pod's own identity.
    ///
    /// # Errors
    /// With the variable that is missing.
    pub fn web_identity(&self) -> Result<Origin, Missing> {
        let needed = |variable| self.get(variable).ok_or(Missing::WebIdentity { variable, fault: Fault::Absent });
        let (role, provider, file) = (needed(ROLE_ARN)?, needed(OIDC_PROVIDER_ARN)?, needed(OIDC_TOKEN_FILE)?);
        let session = self.get(ROLE_SESSION_NAME).unwrap_or_else(|| sts::SESSION_NAME.to_owned());
        Ok(Origin::WebIdentity(WebIdentity { role, provider, token_file: file.into(), session }))
    }

    /// The machine's own identity.
    ///
    /// # Errors
    /// If the environment forbids to ask for it.
    pub fn instance(&self) -> Result<Origin, Missing> {
        if self.is_on(ECS_METADATA_DISABLED) {
            return Err(Missing::Forbidden { variable: ECS_METADATA_DISABLED });
        }
        Ok(Origin::Instance(Instance { role: self.get(ECS_METADATA), hardened_only: self.is_on(IMDSV1_DISABLED) }))
    }

    /// The host on which sessions are asked for, where the environment names another one than that of `region`.
    #[must_use]
    pub fn sts_host(&self, region: &Region) -> Option<String> {
        let (declared, within_vpc) = (self.get(STS_REGION), self.is_on(VPC_ENDPOINT_ENABLED));
        let named = declared.is_some() || within_vpc;
        named.then(|| sts::host(&declared.map_or_else(|| region.clone(), Region::from), within_vpc))
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const KEY: [(&str, &str); 2] =
        [("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5t"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t")];
    const POD: [(&str, &str); 3] = [
        (ROLE_ARN, "acs:ram::1001:role/operator"),
        (OIDC_PROVIDER_ARN, "acs:ram::1001:oidc-provider/cluster"),
        (OIDC_TOKEN_FILE, "/var/run/secrets/token"),
    ];

    fn variables(set: &[(&str, &str)]) -> Variables<impl Fn(&str) -> Option<String>> {
        let set: BTreeMap<String, String> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Variables(move |name: &str| set.get(name).cloned())
    }

    fn pod(session: &str) -> Origin {
        Origin::WebIdentity(WebIdentity {
            role: POD[0].1.to_owned(),
            provider: POD[1].1.to_owned(),
            token_file: POD[2].1.into(),
            session: session.to_owned(),
        })
    }

    fn machine(role: Option<&str>, hardened_only: bool) -> Origin {
        Origin::Instance(Instance { role: role.map(str::to_owned), hardened_only })
    }

    #[test]
    fn keys_come_before_the_pod_and_the_pod_before_the_machine() {
        let all = [&KEY[..], &POD[..]].concat();
        let given = Credentials::from_environment(&variables(&KEY).0).unwrap();
        assert_eq!(variables(&all).any(), Ok(Origin::Given(given)));
        assert_eq!(variables(&POD).any(), Ok(pod("privatelink-operator")));
        assert_eq!(variables(&[]).any(), Ok(machine(None, false)));
    }

    #[test]
    fn an_identity_that_is_there_in_part_never_falls_through() {
        for left_out in 0..2 {
            let part = [KEY[1 - left_out]];
            let error = variables(&part).any().expect_err("half a key").to_string();
            assert!(error.starts_with(&format!("environment variable {} is missing", KEY[left_out].0)), "{error}");
        }
        for (left_out, _) in POD {
            let part: Vec<_> = POD.into_iter().filter(|(name, _)| *name != left_out).collect();
            let error = variables(&part).any().expect_err("part of an identity").to_string();
            assert!(error.starts_with(&format!("environment variable {left_out} is missing")), "{error}");
            assert!(error.contains("RRSA"), "{error}");
        }
        let empty = [POD[0], POD[1], (OIDC_TOKEN_FILE, " ")];
        assert!(variables(&empty).any().is_err(), "an empty value is none");
    }

    #[test]
    fn the_machine_is_asked_only_where_that_is_not_forbidden() {
        let named = [(ECS_METADATA, "node"), (IMDSV1_DISABLED, "true")];
        assert_eq!(variables(&named).instance(), Ok(machine(Some("node"), true)));
        let forbidden = variables(&[(ECS_METADATA_DISABLED, "True")]);
        let error = forbidden.instance().expect_err("forbidden").to_string();
        assert!(error.contains(ECS_METADATA_DISABLED), "{error}");
        let error = forbidden.any().expect_err("nothing is left").to_string();
        assert!(error.contains("ALIBABA_CLOUD_ACCESS_KEY_ID is missing"), "{error}");
    }

    #[test]
    fn the_session_s_name_and_the_host_of_sessions_can_be_named() {
        let named = [&POD[..], &[(ROLE_SESSION_NAME, "blue")]].concat();
        assert_eq!(variables(&named).web_identity(), Ok(pod("blue")));
        let region = Region::from("cn-hangzhou");
        assert_eq!(variables(&[]).sts_host(&region), None);
        for (set, host) in [
            (&[(STS_REGION, "cn-beijing")][..], "sts.cn-beijing.aliyuncs.com"),
            (&[(VPC_ENDPOINT_ENABLED, "true")], "sts-vpc.cn-hangzhou.aliyuncs.com"),
            (&[(STS_REGION, "cn-beijing"), (VPC_ENDPOINT_ENABLED, "true")], "sts-vpc.cn-beijing.aliyuncs.com"),
        ] {
            assert_eq!(variables(set).sts_host(&region).as_deref(), Some(host));
        }
    }
}
