//! What the operator can be told when it is started: a flag, an environment variable and a line of a file each.

pub mod file;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use privatelink_core::limit;
use privatelink_core::wire::alibaba::metadata::ADDRESS;

use crate::cloud::endpoint::Base;
use crate::runtime::telemetry::LogFormat;

/// Settings of `privatelink-operator run`.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// YAML file that settings are read from, a line `name: value` each, with the names of the flags here. Flags and
    /// the environment count before it.
    #[arg(long, env = "PRIVATELINK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Says in the tags of cloud objects whose they are, at most 63 characters. Default: the uid of the namespace
    /// kube-system, which is printed at start. Keep it when a cluster is restored from a backup, and never give
    /// two clusters the same.
    #[arg(long, env = "PRIVATELINK_CLUSTER_ID", value_name = "ID", value_parser = cluster_id)]
    pub cluster_id: Option<String>,

    /// Namespace that the operator runs in: its Lease is there, and the Secrets that hold credentials. Default:
    /// the namespace of its service account, or outside of a cluster that of the kubeconfig's context.
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// Namespaces from which the secretRef of an account may read, separated by commas; each needs the Role
    /// privatelink-operator-credentials. Default: the operator's own namespace alone.
    #[arg(long, env = "PRIVATELINK_CREDENTIAL_NAMESPACES", value_name = "NAMESPACES", value_delimiter = ',')]
    pub credential_namespaces: Vec<String>,

    /// Write the objects that spec.publish asks for; needs the cluster role privatelink-operator-publishing to be
    /// bound to the operator.
    #[arg(long, env = "PRIVATELINK_PUBLISH")]
    pub publish: bool,

    /// PEM file with certificates of authorities that are trusted for calls to clouds, beside those that the machine
    /// trusts: for a proxy that looks into TLS, and for endpoints of one's own. It is read at the start; after a
    /// change the operator is to be started anew.
    #[arg(long, env = "PRIVATELINK_EXTRA_CA", value_name = "FILE")]
    pub extra_ca: Option<PathBuf>,

    /// Name of this replica in the Lease and in Events. A process that starts again under the name that the Lease
    /// holds goes on at once; any other waits until the Lease is given back or runs out. Default: a name that no
    /// other process has.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub identity: Option<String>,

    /// Where the metadata service of an Alibaba Cloud machine answers, for credentials.instanceRole and
    /// credentials.environment. It is asked directly, never through a proxy.
    #[arg(
        long,
        env = "PRIVATELINK_ALIBABA_METADATA_ENDPOINT",
        value_name = "URL",
        default_value = ADDRESS,
        value_parser = Base::of_machine
    )]
    pub alibaba_metadata_endpoint: Base,

    /// Where /healthz, /readyz and /metrics are answered.
    #[arg(long, env = "PRIVATELINK_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub admin_listen: SocketAddr,

    /// How log lines are written, to the standard error.
    #[arg(long, env = "PRIVATELINK_LOG_FORMAT", value_enum, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Which log lines are written: error, warn, info, debug or trace, also for one module as in
    /// `info,privatelink_operator=debug`.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// A cluster's id stands in tags, and so is short and plain.
fn cluster_id(text: &str) -> Result<String, String> {
    let fits = (1..=limit::OBJECT_NAME as usize).contains(&text.len())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("it has 1 to {} letters, digits, -, _ and .", limit::OBJECT_NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_id_fits_into_a_tag() {
        assert_eq!(cluster_id("prod-1"), Ok("prod-1".to_owned()));
        for bad in ["", "a b", &"x".repeat(64)] {
            assert!(cluster_id(bad).expect_err("refused").contains("1 to 63"), "{bad:?}");
        }
    }
}
