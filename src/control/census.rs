//! What the objects themselves say, counted at the moment of a scrape.

mod connections;
mod links;
mod migrations;
mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use privatelink_core::moment::Moment;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::cloud::claim::Claimed;
use crate::runtime::clock;

use super::context::{self, Name};
use super::relate;
use super::watch::Stores;

/// The `CloudAccount` of each service.
type Accounts = BTreeMap<Name, String>;

/// Counts over what is watched.
pub struct Census {
    stores: Stores,
    claimed: Claimed,
    seen: migrations::Seen,
}

impl Census {
    /// Of these objects, as long as this process is the one that writes: one that stands by says nothing.
    #[must_use]
    pub fn new(stores: Stores, claimed: Claimed) -> Self {
        Self { stores, claimed, seen: migrations::Seen::default() }
    }
}

fn summed(counts: Vec<(String, usize)>) -> BTreeMap<String, usize> {
    let mut sums = BTreeMap::new();
    for (account, count) in counts {
        *sums.entry(account).or_default() += count;
    }
    sums
}

fn earliest(moments: impl Iterator<Item = (String, Moment)>) -> BTreeMap<String, Moment> {
    let mut first = BTreeMap::<String, Moment>::new();
    for (account, at) in moments {
        first.entry(account).and_modify(|known| *known = at.min(*known)).or_insert(at);
    }
    first
}

/// Seconds since 1970.
fn seconds(at: Moment) -> i64 {
    at.0.div_euclid(1_000)
}

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Census").finish_non_exhaustive()
    }
}

/// One family of gauges.
fn gauges<L: EncodeLabelSet, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, unit): (&str, Option<&Unit>),
    help: &str,
    samples: impl IntoIterator<Item = (L, V)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in samples {
        family.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

impl Collector for Census {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (encoder, now) = (&mut encoder, clock::now());
        // Two replicas see the same objects: one of them counts.
        let nothing = (!self.claimed.holds()).then(|| super::watch::stores().0);
        let stores = nothing.as_ref().unwrap_or(&self.stores);
        let accounts: Accounts = Stores::each(&stores.services, |service| {
            Some((context::name(service), relate::account_of(&service.spec.placement).to_owned()))
        })
        .into_iter()
        .collect();
        // What a tenant writes as an account's name is no label before there is such an account.
        let known: BTreeSet<String> =
            Stores::each(&stores.accounts, |one| one.metadata.name.clone()).into_iter().collect();
        let is_known = |account: &String| known.contains(account);
        let by_account = |(account, count): (String, usize)| ([("account", account)], count);
        let timestamp = Some(&Unit::Seconds);

        let help = "Objects by kind, whether they are ready, and the reason that they give.";
        gauges(encoder, ("objects", None), help, objects::count(stores))?;

        let help = "Connections of services by what they are doing.";
        let connections = connections::by_state(stores).into_iter().filter(|((account, _), _)| is_known(account));
        let connections =
            connections.map(|((account, state), count)| ([("account", account), ("state", state.to_owned())], count));
        gauges(encoder, ("connections", None), help, connections)?;
        let help = "Since when the connection waits to be accepted that has waited longest, in seconds since 1970.";
        let pending = connections::pending_since(stores, &accounts).into_iter();
        let pending = pending.filter(|(account, _)| is_known(account));
        let pending = pending.map(|(account, since)| ([("account", account)], seconds(since)));
        gauges(encoder, ("connections_pending_since_timestamp", timestamp), help, pending)?;
        let help = "Connections that no WhitelistEntry decides on and that have waited to be accepted for an hour.";
        let undecided = connections::undecided(stores, now).into_iter().filter(|(account, _)| is_known(account));
        let undecided = undecided.map(by_account);
        gauges(encoder, ("connections_undecided", None), help, undecided)?;
        let help = "Connections that someone else has cut and that are left so until a person asks.";
        let cut = connections::held(stores, &accounts).into_iter().filter(|(account, _)| is_known(account));
        let cut = cut.map(by_account);
        gauges(encoder, ("connections_held", None), help, cut)?;

        let help = "Objects that declare a link which was refused or cut, as a whole or in a zone.";
        let down = links::down(stores, &accounts).into_iter().filter(|((account, _), _)| is_known(account));
        let down = down.map(|((account, kind), count)| ([("account", account), ("kind", kind.to_owned())], count));
        gauges(encoder, ("links_down", None), help, down)?;

        let labels =
            |account: &str, state: &'static str| [("account", account.to_owned()), ("state", state.to_owned())];
        let mut open = migrations::open(stores, &accounts, &self.seen, now);
        open.retain(|(account, _), _| is_known(account));
        let help = "Zones of connections that move from one load balancer to another, by how far they are.";
        let counts = open.iter().map(|((account, state), (count, _))| (labels(account, state), *count));
        gauges(encoder, ("migrations", None), help, counts)?;
        let help = "Since when the oldest migration is as far as it is, in seconds since 1970.";
        let oldest = open.iter().map(|((account, state), (_, since))| (labels(account, state), seconds(*since)));
        gauges(encoder, ("migrations_oldest_timestamp", timestamp), help, oldest)
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

    /// What a census of these objects says, as long as it is not told to be silent.
    fn told(put: impl FnOnce(&mut crate::control::watch::Writers)) -> (Vec<String>, Vec<String>) {
        let (stores, mut writers) = stores();
        for name in ["prod", "test"] {
            let spec = json!({"alibaba": {}, "region": "cn-hangzhou", "credentials": {"environment": {}}});
            let account = json!({
                "apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": name}, "spec": spec,
            });
            self::put(&mut writers.accounts, account);
        }
        put(&mut writers);
        let (grant, claim) = watch::channel(Claim::Sole);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Census::new(stores, Claimed::new(claim))));
        let samples = || {
            let mut written = String::new();
            text::encode(&mut written, &registry).expect("it is written");
            written.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
        };
        let said = samples();
        grant.send_replace(Claim::No);
        (said, samples())
    }

    fn of(said: &[String], families: &[&str]) -> Vec<String> {
        let is = |line: &&String| families.iter().any(|family| line.split('{').next() == Some(family));
        said.iter().filter(is).cloned().collect()
    }

    fn service(name: &str, account: &str, status: &Value) -> Value {
        json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {"name": name, "namespace": "team"}, "spec": {"accountRef": {"name": account}}, "status": status,
        })
    }

    fn assignment(name: &str, connected: bool, status: &Value) -> Value {
        json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "ZoneResourceAssignment",
            "metadata": {"name": name, "namespace": "team"},
            "spec": {
                "serviceRef": {"name": "a"}, "endpoint": {"id": "ep-1"}, "zone": "z", "resourceId": "lb-1",
                "connected": connected,
            },
            "status": status,
        })
    }

    fn ready(status: &str, reason: &str) -> Value {
        json!([{
            "type": "Ready", "status": status, "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }])
    }

    const PAST: &str = "2026-01-02T03:04:05Z";
    const FUTURE: &str = "2999-01-02T03:04:05Z";

    #[test]
    fn connections_are_counted_by_account_while_this_process_writes() {
        let waiting = |endpoint: &str, since: &str| json!({"endpointId": endpoint, "state": "AwaitingAcceptance", "since": since});
        let (said, standing_by) = told(|writers| {
            for (name, account) in [("a", "prod"), ("b", "prod"), ("c", "test")] {
                let unclaimed = json!([
                    waiting("ep-1", PAST),
                    waiting("ep-2", FUTURE),
                    {"endpointId": "ep-3", "state": "Connected", "since": "2020-01-02T03:04:05Z"},
                ]);
                let counts = json!({"total": 7, "connected": 1, "awaiting": 2, "held": 3, "other": 1});
                put(
                    &mut writers.services,
                    service(name, account, &json!({"unclaimed": unclaimed, "connectionCounts": counts})),
                );
            }
            put(
                &mut writers.entries,
                json!({
                    "apiVersion": "privatelink.dev/v1alpha1", "kind": "WhitelistEntry",
                    "metadata": {"name": "tenant", "namespace": "team"},
                    "spec": {"serviceRef": {"name": "c"}, "principal": "12345"},
                    "status": {"held": ["ep-1", "ep-2"], "connections": [waiting("ep-4", "2026-01-01T00:00:00Z")]},
                }),
            );
        });
        let families = ["connections_undecided", "connections_held", "connections_pending_since_timestamp_seconds"];
        assert_eq!(
            of(&said, &families),
            [
                r#"connections_pending_since_timestamp_seconds{account="prod"} 1767323045"#,
                r#"connections_pending_since_timestamp_seconds{account="test"} 1767225600"#,
                r#"connections_undecided{account="prod"} 2"#,
                r#"connections_undecided{account="test"} 1"#,
                r#"connections_held{account="test"} 2"#,
            ]
        );
        assert_eq!(
            of(&said, &["connections"])[..4],
            [
                r#"connections{account="prod",state="awaiting"} 4"#,
                r#"connections{account="prod",state="connected"} 2"#,
                r#"connections{account="prod",state="held"} 6"#,
                r#"connections{account="prod",state="other"} 2"#,
            ]
        );
        assert_eq!(standing_by, Vec::<String>::new());
    }

    #[test]
    fn objects_are_counted_by_what_they_say_of_being_ready() {
        let (said, _) = told(|writers| {
            for (name, status) in [
                ("a", json!({"conditions": ready("True", "Ready")})),
                ("b", json!({"conditions": ready("True", "Ready")})),
                ("c", json!({"conditions": ready("False", "OfAnotherVersion")})),
                ("d", json!({})),
            ] {
                put(&mut writers.services, service(name, "prod", &status));
            }
        });
        assert_eq!(
            of(&said, &["objects"]),
            [
                r#"objects{kind="CloudAccount",ready="unknown",reason=""} 2"#,
                r#"objects{kind="EndpointService",ready="false",reason="other"} 1"#,
                r#"objects{kind="EndpointService",ready="true",reason="Ready"} 2"#,
                r#"objects{kind="EndpointService",ready="unknown",reason=""} 1"#,
            ]
        );
    }

    #[test]
    fn a_link_is_down_that_is_declared_and_was_cut() {
        let endpoint = |name: &str, status: Value| {
            json!({
                "apiVersion": "privatelink.dev/v1alpha1", "kind": "Endpoint",
                "metadata": {"name": name, "namespace": "team"},
                "spec": {
                    "accountRef": {"name": "prod"}, "service": {"id": "epsrv-1"}, "vpcId": "vpc-1",
                    "zones": [{"subnetId": "vsw-1", "zone": "z"}],
                },
                "status": status,
            })
        };
        let (said, _) = told(|writers| {
            put(&mut writers.services, service("a", "test", &json!({})));
            let zone = |state: &str| json!([{"subnetId": "vsw-1", "state": state}]);
            for (name, status) in [
                ("waits", json!({"connection": "AwaitingAcceptance"})),
                ("serves", json!({"connection": "Connected", "zones": zone("Connected")})),
                ("cut", json!({"connection": "Disconnected"})),
                ("in-part", json!({"connection": "Connected", "zones": zone("Disconnected")})),
                ("lost", json!({"conditions": ready("False", "ExternallyDeleted")})),
            ] {
                put(&mut writers.endpoints, endpoint(name, status));
            }
            // There is no such account, whoever names it.
            let mut of_nobody = endpoint("of-nobody", json!({"connection": "Disconnected"}));
            of_nobody["spec"]["accountRef"]["name"] = json!("nobody");
            put(&mut writers.endpoints, of_nobody);
            put(&mut writers.assignments, assignment("cut", true, &json!({"state": "Disconnected", "claim": "Held"})));
            put(
                &mut writers.assignments,
                assignment("wished", false, &json!({"state": "Disconnected", "claim": "Held"})),
            );
            put(
                &mut writers.assignments,
                assignment("anothers", true, &json!({"state": "Disconnected", "claim": "Waiting"})),
            );
        });
        assert_eq!(
            of(&said, &["links_down"]),
            [
                r#"links_down{account="prod",kind="Endpoint"} 3"#,
                r#"links_down{account="test",kind="ZoneResourceAssignment"} 1"#,
            ]
        );
    }

    #[test]
    fn migrations_are_told_by_how_far_they_are_and_since_when() {
        let record = |fields: Value| {
            let mut record = json!({"id": "m", "from": "lb-1", "to": "lb-2", "mode": "Smooth", "startedAt": PAST});
            for (name, value) in fields.as_object().expect("fields") {
                record[name] = value.clone();
            }
            json!({"migration": record})
        };
        let leg = |endpoint: &str, fields: Value| {
            let mut leg = fields;
            leg["endpointId"] = json!(endpoint);
            leg["to"] = json!("lb-2");
            leg
        };
        let before = clock::now();
        let (said, _) = told(|writers| {
            let legs = [
                leg("ep-1", json!({})),
                leg("ep-2", json!({"migratedAt": PAST, "drainUntil": FUTURE})),
                leg("ep-3", json!({"migratedAt": "2026-01-02T03:05:06Z"})),
            ];
            let evacuation = json!([{"resourceId": "lb-1", "zone": "z", "remaining": 2, "moved": 0, "inFlight": legs}]);
            put(&mut writers.services, service("a", "prod", &json!({"evacuation": evacuation})));
            let moved = json!({"migratedAt": "2026-01-02T03:05:05Z", "drainUntil": "2026-01-02T03:06:05Z"});
            let mut awaits = record(moved.clone());
            awaits["conditions"] = ready("False", "DrainApprovalNeeded");
            put(&mut writers.assignments, assignment("overdue", true, &record(moved)));
            put(&mut writers.assignments, assignment("awaits", true, &awaits));
        });
        let counted = of(&said, &["migrations"]);
        let so_many = |(state, count)| format!(r#"migrations{{account="prod",state="{state}"}} {count}"#);
        let expected = [("awaiting_approval", 2), ("draining", 1), ("moving", 1), ("overdue", 1)];
        assert_eq!(counted, expected.map(so_many));
        let oldest = of(&said, &["migrations_oldest_timestamp_seconds"]);
        let since = |state: &str| {
            let name = format!(r#"migrations_oldest_timestamp_seconds{{account="prod",state="{state}"}} "#);
            oldest.iter().find_map(|line| line.strip_prefix(&name)).and_then(|since| since.parse().ok())
        };
        assert_eq!(since("awaiting_approval"), Some(1_767_323_105));
        assert_eq!(since("draining"), Some(1_767_323_045));
        assert_eq!(since("overdue"), Some(1_767_323_165));
        assert!(since("moving").is_some_and(|since| since >= seconds(before)), "no status says since when: {oldest:?}");
    }
}
