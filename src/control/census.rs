//! What the objects themselves say, counted at the moment of a scrape.

use std::collections::BTreeMap;
use std::fmt;

use privatelink_core::moment::Moment;
use privatelink_core::report::service::waits_long;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::api::parse::moment;
use crate::cloud::claim::Claimed;
use crate::runtime::clock;

use super::relate::{self, Ward as _};
use super::watch::Stores;

/// Counts over what is watched.
pub struct Census {
    stores: Stores,
    claimed: Claimed,
}

impl Census {
    /// Of these objects, as long as this process is the one that writes: one that stands by says nothing.
    #[must_use]
    pub const fn new(stores: Stores, claimed: Claimed) -> Self {
        Self { stores, claimed }
    }

    /// Connections that nobody decides on and that have waited for long, by `CloudAccount`.
    fn undecided(&self, now: Moment) -> BTreeMap<String, usize> {
        let waiting = Stores::each(&self.stores.services, |service| {
            let unclaimed = &service.status.as_ref()?.unclaimed;
            let since = |one: &crate::api::service::UnclaimedConnection| {
                one.since.as_ref().is_some_and(|since| waits_long(&one.state, moment(since.0), now))
            };
            let count = unclaimed.iter().filter(|one| since(one)).count();
            Some((relate::account_of(&service.spec.placement).to_owned(), count))
        });
        summed(waiting)
    }

    /// Connections that someone else has cut, and that are left so, by the `CloudAccount` of their service.
    fn held(&self) -> BTreeMap<String, usize> {
        let accounts: BTreeMap<_, _> = Stores::each(&self.stores.services, |service| {
            Some((super::context::name(service), relate::account_of(&service.spec.placement).to_owned()))
        })
        .into_iter()
        .collect();
        summed(Stores::each(&self.stores.entries, |entry| {
            let account = accounts.get(&entry.service())?.clone();
            Some((account, entry.status.as_ref()?.held.len()))
        }))
    }
}

fn summed(counts: Vec<(String, usize)>) -> BTreeMap<String, usize> {
    let mut sums = BTreeMap::new();
    for (account, count) in counts {
        *sums.entry(account).or_default() += count;
    }
    sums
}

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Census").finish_non_exhaustive()
    }
}

impl Collector for Census {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = |count: &dyn Fn() -> BTreeMap<String, usize>| {
            if self.claimed.holds() { count() } else { BTreeMap::new() }
        };
        let help = "Connections that no WhitelistEntry decides on and that have waited to be accepted for an hour.";
        let mut family = encoder.encode_descriptor("connections_undecided", help, None, MetricType::Gauge)?;
        for (account, count) in counts(&|| self.undecided(clock::now())) {
            family.encode_family(&[("account", account)])?.encode_gauge(&count)?;
        }
        let help = "Connections that someone else has cut and that are left so until a person asks.";
        let mut family = encoder.encode_descriptor("connections_held", help, None, MetricType::Gauge)?;
        for (account, count) in counts(&|| self.held()) {
            family.encode_family(&[("account", account)])?.encode_gauge(&count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kube::core::DeserializeGuard;
    use kube::runtime::reflector::store::Writer;
    use kube::runtime::watcher::Event;
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::*;
    use crate::cloud::claim::Claim;
    use crate::control::watch::{Guarded, stores};

    fn put<K>(writer: &mut Writer<Guarded<K>>, object: Value)
    where
        K: DeserializeOwned + kube::Resource<DynamicType = ()> + Clone + 'static,
    {
        let object: K = serde_json::from_value(object).expect("an object");
        writer.apply_watcher_event(&Event::Apply(DeserializeGuard(Ok(object))));
    }

    #[test]
    fn connections_are_counted_by_account_while_this_process_writes() {
        let (stores, mut writers) = stores();
        let waiting = |endpoint: &str, since: &str| json!({"endpointId": endpoint, "state": "AwaitingAcceptance", "since": since});
        for (name, account) in [("a", "prod"), ("b", "prod"), ("c", "test")] {
            put(
                &mut writers.services,
                json!({
                    "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
                    "metadata": {"name": name, "namespace": "team"},
                    "spec": {"accountRef": {"name": account}},
                    "status": {"unclaimed": [
                        waiting("ep-1", "2026-01-02T03:04:05Z"),
                        waiting("ep-2", "2999-01-02T03:04:05Z"),
                        {"endpointId": "ep-3", "state": "Connected", "since": "2026-01-02T03:04:05Z"},
                    ]},
                }),
            );
        }
        put(
            &mut writers.entries,
            json!({
                "apiVersion": "privatelink.dev/v1alpha1", "kind": "WhitelistEntry",
                "metadata": {"name": "tenant", "namespace": "team"},
                "spec": {"serviceRef": {"name": "c"}, "principal": "12345"},
                "status": {"held": ["ep-1", "ep-2"]},
            }),
        );
        let (grant, claim) = watch::channel(Claim::Sole);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Census::new(stores, Claimed::new(claim))));
        let samples = || {
            let mut written = String::new();
            text::encode(&mut written, &registry).expect("it is written");
            written.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            samples(),
            [
                r#"connections_undecided{account="prod"} 2"#,
                r#"connections_undecided{account="test"} 1"#,
                r#"connections_held{account="test"} 2"#,
            ]
        );
        grant.send_replace(Claim::No);
        assert_eq!(samples(), Vec::<String>::new());
    }
}
