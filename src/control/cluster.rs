//! How the API server is reached: by a kubeconfig or the pod's own settings, and through which proxy.
//!
//! Its client takes every proxy that the environment names for its own; here that is decided anew. In a pod it is
//! reached directly. A kubeconfig's own `proxy-url` counts always; else `HTTPS_PROXY` does, with all its exceptions,
//! as it does for kubectl.

use std::error::Error as _;
use std::path::Path;

use kube::Config;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError, NoProxyError};

use crate::proxy::{self, Proxies, Proxy};

/// Where a kubeconfig names its proxy.
const DECLARED: &str = "proxy-url of the kubeconfig";

/// Why it is not known how the cluster is reached.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The kubeconfig or the pod's own settings cannot be read.
    #[error("no cluster: {0}; run it in a pod, or set KUBECONFIG")]
    NoConfig(Box<InferConfigError>),
    /// The kubeconfig that a person has named, or its context, cannot be used.
    #[error("no cluster: {0}; correct --kubeconfig and --context, or set KUBECONFIG")]
    NoKubeconfig(Box<KubeconfigError>),
    /// The client of the API server is strict with what is exempt from a proxy.
    #[error("NO_PROXY: {0}; write hosts, addresses and networks, with one comma between two of them")]
    NoProxy(String),
    /// The kubeconfig names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] proxy::Refused),
}

/// The way to the API server.
///
/// # Errors
/// [`Unknown`]
pub async fn config(proxies: &Proxies) -> Result<Config, Unknown> {
    let declared = Kubeconfig::read().ok().as_ref().and_then(declared).map(|url| Proxy::parse(DECLARED, &url));
    let declared = declared.transpose()?;
    let mut config = Config::infer().await.map_err(unknown)?;
    let proxy = chosen(declared, proxies, &config);
    if let Some(proxy) = &proxy {
        tracing::info!(%proxy, "the API server is reached through a proxy");
    }
    config.proxy_url = proxy.map(Proxy::into_url);
    Ok(config)
}

/// The way of a person, who may name a kubeconfig and a context, to the API server; without them it is ours.
///
/// # Errors
/// [`Unknown`]
pub async fn of_person(proxies: &Proxies, file: Option<&Path>, context: Option<&str>) -> Result<Config, Unknown> {
    if file.is_none() && context.is_none() {
        return config(proxies).await;
    }
    let read = file.map_or_else(Kubeconfig::read, Kubeconfig::read_from);
    let mut kubeconfig = read.map_err(|error| Unknown::NoKubeconfig(Box::new(error)))?;
    if let Some(context) = context {
        kubeconfig.current_context = Some(context.to_owned());
    }
    let declared = declared(&kubeconfig).map(|url| Proxy::parse(DECLARED, &url)).transpose()?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| match error {
        KubeconfigError::ParseNoProxy(error) => Unknown::NoProxy(error.to_string()),
        error => Unknown::NoKubeconfig(Box::new(error)),
    })?;
    config.proxy_url = chosen(declared, proxies, &config).map(Proxy::into_url);
    Ok(config)
}

/// The proxy that counts, if the kubeconfig has this one.
fn chosen(declared: Option<Proxy>, proxies: &Proxies, config: &Config) -> Option<Proxy> {
    // The pod's own settings, and no others, name a file for the certificates.
    let in_a_pod = config.root_cert_file.is_some();
    declared.or_else(|| proxies.of(&config.cluster_url).cloned()).filter(|_| !in_a_pod)
}

/// The proxy that the kubeconfig names for the cluster of its current context.
fn declared(kubeconfig: &Kubeconfig) -> Option<String> {
    let context = kubeconfig.current_context.as_ref()?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == *context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.clone().filter(|url| !url.is_empty())
}

fn unknown(error: InferConfigError) -> Unknown {
    match error.source().and_then(<dyn std::error::Error>::downcast_ref::<KubeconfigError>) {
        Some(KubeconfigError::ParseNoProxy(error)) => Unknown::NoProxy(NoProxyError::to_string(error)),
        _ => Unknown::NoConfig(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxy that counts for this API server.
    fn counts(server: &'static str, declared: Option<&str>, exempt: &str, in_a_pod: bool) -> Option<String> {
        let variables = [("HTTPS_PROXY", "http://environment:1"), ("NO_PROXY", exempt)];
        let read = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
        let proxies = Proxies::from_environment(read).expect("a proxy");
        let declared = declared.map(|url| Proxy::parse(DECLARED, url).expect("a proxy"));
        let mut config = Config::new(http::Uri::from_static(server));
        config.root_cert_file = in_a_pod.then(|| "ca.crt".into());
        chosen(declared, &proxies, &config).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_proxy_of_the_environment_counts_with_its_exceptions() {
        let server = "https://kubernetes.example.com:6443";
        assert_eq!(counts(server, None, "", false).as_deref(), Some("environment:1"));
        for exempt in [server.trim_start_matches("https://"), ".example.com", "*"] {
            assert_eq!(counts(server, None, exempt, false), None, "{exempt}");
        }
        for here in ["https://127.0.0.1:6443", "https://localhost:6443", "http://kubernetes.example.com"] {
            assert_eq!(counts(here, None, "", false), None, "{here}");
        }
    }

    #[test]
    fn the_proxy_of_the_kubeconfig_counts_always() {
        for (server, exempt) in [("https://kubernetes.example.com", "*"), ("https://127.0.0.1:6443", "")] {
            assert_eq!(counts(server, Some("http://declared:1"), exempt, false).as_deref(), Some("declared:1"));
        }
    }

    #[test]
    fn in_a_pod_there_is_none() {
        assert_eq!(counts("https://10.96.0.1:443", None, "", true), None);
        assert_eq!(counts("https://10.96.0.1:443", Some("http://declared:1"), "", true), None);
    }

    #[test]
    fn the_kubeconfig_s_proxy_is_that_of_its_current_context() {
        let kubeconfig = |current: &str| -> Kubeconfig {
            serde_json::from_value(serde_json::json!({
                "current-context": current,
                "contexts": [
                    {"name": "far", "context": {"cluster": "one", "user": "any"}},
                    {"name": "near", "context": {"cluster": "two", "user": "any"}},
                    {"name": "empty", "context": {"cluster": "three", "user": "any"}},
                ],
                "clusters": [
                    {"name": "two", "cluster": {"server": "https://two"}},
                    {"name": "one", "cluster": {"server": "https://one", "proxy-url": "http://proxy:1"}},
                    {"name": "three", "cluster": {"server": "https://three", "proxy-url": ""}},
                ],
            }))
            .expect("a kubeconfig")
        };
        assert_eq!(declared(&kubeconfig("far")).as_deref(), Some("http://proxy:1"));
        for current in ["near", "empty", "unknown"] {
            assert_eq!(declared(&kubeconfig(current)), None, "{current}");
        }
    }
}
