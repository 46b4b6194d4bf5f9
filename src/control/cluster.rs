//! How the API server is reached: by a kubeconfig or the pod's own settings, and through which proxy.
//!
//! Its client takes every proxy that the environment names for its own; here that is decided anew. In a pod it is
//! reached directly. A kubeconfig's own `proxy-url` counts always; else `HTTPS_PROXY` does, with all its exceptions,
//! as it does for kubectl.

use std::error::Error as _;

use kube::Config;
use kube::config::{InferConfigError, Kubeconfig, KubeconfigError, NoProxyError};

use crate::proxy::{self, Proxies, Proxy};

/// Where a kubeconfig names its proxy.
const DECLARED: &str = "proxy-url of the kubeconfig";

/// Why it is not known how the cluster is reached.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The kubeconfig or the pod's own settings cannot be read.
    #[error("no cluster: {0}; run it in a pod, or set KUBECONFIG")]
    NoConfig(Box<InferConfigError>),
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
    // The pod's own settings, and no others, name a file for the certificates.
    let in_a_pod = config.root_cert_file.is_some();
    let proxy = declared.or_else(|| proxies.of(&config.cluster_url).cloned()).filter(|_| !in_a_pod);
    if let Some(proxy) = &proxy {
        tracing::info!(%proxy, "the API server is reached through a proxy");
    }
    config.proxy_url = proxy.map(Proxy::into_url);
    Ok(config)
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
