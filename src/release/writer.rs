//! Whether an operator still writes: it holds its Lease, and renews it before our eyes. Clocks of two machines are
//! never compared, so of a Lease that is held it is seen only by waiting.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, sleep};

use crate::control::error::{Error, call};
use crate::runtime::lease::{Decision, NAME, TIME_TO_LIVE, decide};

/// How often a Lease is looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// An operator that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The namespace of its Lease.
    pub namespace: String,
    /// The replica that holds it.
    pub holder: String,
}

/// Looks for operators by their Leases.
pub struct Lookout {
    client: Client,
    namespace: Option<String>,
    /// Versions of Leases whose holders have been silent for too long.
    silent: BTreeSet<(String, String)>,
}

impl Lookout {
    /// Looks in one namespace, or in all of them.
    #[must_use]
    pub fn new(client: Client, namespace: Option<String>) -> Self {
        Self { client, namespace, silent: BTreeSet::new() }
    }

    /// The first operator that writes. `wait` is told before a Lease is watched that may run out.
    ///
    /// # Errors
    /// Where Leases cannot be read.
    pub async fn find(&mut self, mut wait: impl FnMut(&Writer, Duration)) -> Result<Option<Writer>, Error> {
        for lease in self.leases().await? {
            let Some(writer) = held(&lease, Duration::ZERO) else { continue };
            if self.silent.contains(&version(&lease)) {
                continue;
            }
            wait(&writer, lifetime(&lease));
            if let Some(writer) = self.watch(lease).await? {
                return Ok(Some(writer));
            }
        }
        Ok(None)
    }

    /// Waits until a Lease is renewed, which gives who does, or is given back, gone, or out of date.
    async fn watch(&mut self, first: Lease) -> Result<Option<Writer>, Error> {
        let (seen, since) = (version(&first), Instant::now());
        let api = Api::<Lease>::namespaced(self.client.clone(), &seen.0);
        while held(&first, since.elapsed()).is_some() {
            sleep(PERIOD).await;
            let Some(now) = call("look at the Lease", api.get_opt(NAME)).await? else { return Ok(None) };
            if version(&now) != seen {
                return Ok(held(&now, Duration::ZERO));
            }
        }
        self.silent.insert(seen);
        Ok(None)
    }

    async fn leases(&self) -> Result<Vec<Lease>, Error> {
        let what = "look for Leases";
        if let Some(namespace) = &self.namespace {
            let api = Api::<Lease>::namespaced(self.client.clone(), namespace);
            return Ok(call(what, api.get_opt(NAME)).await?.into_iter().collect());
        }
        let named = ListParams::default().fields(&format!("metadata.name={NAME}"));
        Ok(call(what, Api::<Lease>::all(self.client.clone()).list(&named)).await?.items)
    }
}

/// Who holds a Lease that has not changed for so long, as any other replica judges it.
fn held(lease: &Lease, unchanged: Duration) -> Option<Writer> {
    match decide(lease.spec.as_ref(), "", unchanged) {
        Decision::Follow => {
            let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
            Some(Writer { namespace: lease.namespace().unwrap_or_default(), holder })
        }
        Decision::Create | Decision::Renew | Decision::Take => None,
    }
}

/// How long a Lease is held without being renewed.
fn lifetime(lease: &Lease) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(TIME_TO_LIVE, Duration::from_secs)
}

fn version(lease: &Lease) -> (String, String) {
    (lease.namespace().unwrap_or_default(), lease.resource_version().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn lease(spec: &Value) -> Lease {
        serde_json::from_value(json!({"metadata": {"name": NAME, "namespace": "system"}, "spec": spec}))
            .expect("a Lease")
    }

    #[test]
    fn a_lease_is_held_until_it_runs_out_or_is_given_back() {
        let lease_of_a = lease(&json!({"holderIdentity": "a", "leaseDurationSeconds": 20}));
        let writer = Writer { namespace: "system".into(), holder: "a".into() };
        assert_eq!(held(&lease_of_a, Duration::ZERO), Some(writer));
        assert_eq!(lifetime(&lease_of_a), Duration::from_secs(20));
        assert_eq!(held(&lease_of_a, Duration::from_secs(20)), None);
        assert_eq!(held(&lease(&json!({"holderIdentity": ""})), Duration::ZERO), None);
        assert_eq!(held(&Lease::default(), Duration::ZERO), None);
        assert_eq!(lifetime(&Lease::default()), TIME_TO_LIVE);
    }
}
