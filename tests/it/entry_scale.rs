//! Many tenants of one service: what it costs to let them all in, and what a restart costs when all are in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::{WatchStreamExt as _, watcher},
};
use privatelink_operator::api::{CloudAccount, EndpointService, WhitelistEntry};
use privatelink_sim::{
    alibaba::name,
    fixture::{BUILT_IN, Fixture},
    journal::{Call as Called, Effect},
    world::{
        self, AccountId, Answer, Call, Request,
        call::{EndpointForm, ZoneForm},
        object::{ConnectionStatus, Principal},
    },
};
use serde_json::json;

use crate::link::REGION;
use crate::objects::{Objects, id};
use crate::operator::{Operator, TIME_SCALE, apply, is_ready};
use crate::past::PROVIDER;

/// Tenants of the test, each with an account of its own and an endpoint.
const MANY: usize = 1_000;
/// How many of them stand on the list before their entries are there.
const LISTED: usize = MANY - 200;
/// Objects that are applied or deleted together.
const TOGETHER: usize = 16;
/// The provider's account.
const ACCOUNT: &str = "many-tenants";
/// Calls a second that the account may make.
const RATE: usize = 1_000;
/// How long the cloud takes to answer, by the wall's clock.
const ANSWER: Duration = Duration::from_millis(5);
/// How long it may take until all are in: their calls leave one after the other, with a turn between two of them.
const LET_IN: Duration = Duration::from_mins(5);
/// Counts alone are written so often at most.
const COUNTS: Duration = Duration::from_secs(10);
/// How much memory the chart lets the operator have, in MiB.
const MEMORY: u64 = 512;
const VALUES: &str = include_str!("../../charts/privatelink-operator/values.yaml");
/// By how much what comes in may come in earlier or later than it left.
const JITTER: Duration = Duration::from_millis(500);
/// What reads of the provider are: pages of lists, none of a single object.
const PAGES: [&str; 4] = [
    "ListVpcEndpointConnections",
    "ListVpcEndpointServiceResources",
    "ListVpcEndpointServiceUsers",
    "ListVpcEndpointServices",
];

fn account(number: usize) -> AccountId {
    AccountId(2_000_000_000_000_000 + u64::try_from(number).expect("it is small"))
}

fn name_of(number: usize) -> String {
    format!("tenant-{number}")
}

/// The built-in world with an account for each tenant, which has a VPC.
fn large_world() -> Fixture {
    let tenants = (0..MANY).map(|number| {
        format!(
            "
  - uid: {}
    keys: [{{id: tenant-{number}-key, secret: tenant-{number}-secret}}]
    vpcs:
      - id: vpc-{number}
        region: {REGION}
        switches: [{{id: vsw-{number}, zone: cn-hangzhou-f, range: 10.4.0.0/29}}]
        groups: [{{id: sg-{number}}}]",
            account(number).0
        )
    });
    let accounts = "accounts:";
    assert!(BUILT_IN.contains(accounts));
    let tenants: String = tenants.collect();
    let world = BUILT_IN.replacen(accounts, &format!("{accounts}{tenants}"), 1);
    Fixture::parse(&world).expect("the built-in world with more of the same")
}

/// All tenants ask to be let in, of whom some were on the list of the service when they made their endpoints and are
/// not any more.
fn all_ask(operator: &Operator, service: &str) {
    let service = name::service(service);
    operator.sim.with(|cloud| {
        cloud.catch_up();
        let mut state = cloud.state().clone();
        let region = state.land.region_named(REGION);
        let everybody = Principal::Arn("acs:ram:*:*".into());
        let mut call = |key: &str, call: &dyn Fn(&world::State) -> Call| {
            let request = Request { region, token: None, call: call(&state) };
            let (next, answer) = world::apply(&state, cloud.keys[key].actor, &request).expect("it may");
            state = next;
            answer
        };
        call(PROVIDER.id, &|_| Call::AllowPrincipal(service, everybody.clone()));
        for number in 0..MANY {
            let made = call(&format!("tenant-{number}-key"), &|state| {
                Call::CreateEndpoint(EndpointForm {
                    service,
                    service_region: None,
                    kind: None,
                    vpc: state.land.vpc_named(&format!("vpc-{number}")),
                    zones: vec![ZoneForm {
                        zone: None,
                        switch: state.land.switch_named(&format!("vsw-{number}")),
                        ip: None,
                        ipv6: None,
                    }],
                    groups: vec![state.land.group_named(&format!("sg-{number}"))],
                    name: None,
                    description: None,
                    policy: None,
                    protected: false,
                    ip_version: None,
                    zone_affinity: false,
                    cross_region_bandwidth_mbps: None,
                    resource_group: None,
                    tags: BTreeMap::new(),
                })
            });
            assert!(matches!(made, Answer::Endpoint(_)), "{made:?}");
        }
        call(PROVIDER.id, &|_| Call::DisallowPrincipal(service, everybody.clone()));
        for number in 0..LISTED {
            call(PROVIDER.id, &|_| Call::AllowPrincipal(service, Principal::Account(account(number))));
        }
        cloud.set_state(state);
        cloud.settle();
    });
}

/// The calls since `sequence`.
fn called(operator: &Operator, since: u64) -> Vec<Called> {
    operator.sim.with(|cloud| cloud.journal.calls().filter(|call| call.sequence >= since).cloned().collect())
}

fn counted<'c>(calls: impl IntoIterator<Item = &'c Called>) -> BTreeMap<String, usize> {
    calls.into_iter().fold(BTreeMap::new(), |mut counted, call| {
        *counted.entry(call.action.clone()).or_default() += 1;
        counted
    })
}

fn now(operator: &Operator) -> u64 {
    operator.sim.with(|cloud| cloud.journal.next_sequence())
}

/// No two of these calls were on their way at the same time.
fn one_at_a_time(calls: &[Called]) {
    let writes: Vec<&Called> = calls.iter().filter(|call| !PAGES.contains(&call.action.as_str())).collect();
    // The world's time runs faster than the wall's, by which answers are held back.
    let until = |call: &Called| call.at + Duration::from_millis(call.latency_ms) * TIME_SCALE.into();
    let overlap = writes.windows(2).find(|two| until(two[0]) > two[1].at);
    assert!(overlap.is_none(), "{overlap:#?}");
}

/// Waits until `test` has held for each of the entries.
async fn all_become(api: &Api<WhitelistEntry>, what: &str, test: impl Fn(&WhitelistEntry) -> bool) {
    let mut left: BTreeSet<String> = (0..MANY).map(name_of).collect();
    let mut seen = std::pin::pin!(watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects());
    let all = async {
        while !left.is_empty() {
            let entry = seen.next().await.expect("a watch does not end").expect("it is watched");
            if test(&entry) {
                left.remove(&entry.name_any());
            }
        }
    };
    let waited = tokio::time::timeout(LET_IN, all).await;
    assert!(waited.is_ok(), "{} of {MANY} have not become {what}", left.len());
}

/// Waits until this process has made a turn of each entry after it had read whom the service lets in and who is
/// connected.
async fn have_had_a_turn(operator: &Operator) {
    let progress = Mutex::new((0, BTreeSet::new(), BTreeSet::new()));
    operator
        .logs("a turn of each entry", |lines| {
            let mut progress = progress.lock().expect("nobody else");
            let (seen, read, turned) = &mut *progress;
            for line in &lines[*seen..] {
                let action = line["action"].as_str().unwrap_or_default();
                if line["message"] == "answered" && ["ReadPrincipals", "ReadConnections"].contains(&action) {
                    read.insert(action.to_owned());
                }
                if read.len() == 2 && line["message"] == "a turn is over" && line["span"]["kind"] == "WhitelistEntry" {
                    turned.insert(line["span"]["object"].as_str().unwrap_or_default().to_owned());
                }
            }
            *seen = lines.len();
            turned.len() >= MANY
        })
        .await;
}

async fn versions(api: &Api<WhitelistEntry>) -> BTreeMap<String, Option<String>> {
    let all = api.list(&ListParams::default()).await.expect("they are listed");
    all.items.iter().map(|entry| (entry.name_any(), entry.resource_version())).collect()
}

/// A restart among entries that are settled reads pages and writes nothing.
async fn costs_nothing_to_start_among(operator: &mut Operator, entries: &Api<WhitelistEntry>) {
    operator.kill();
    operator.sim.with(|cloud| cloud.latency = Duration::ZERO);
    let settled = versions(entries).await;
    let since = now(operator);
    operator.cluster_door().forget();
    let restarted = Instant::now();
    operator.run(&[]).await;
    have_had_a_turn(operator).await;
    let calls = called(operator, since);
    let counted = counted(&calls);
    println!("restarted: each had its turn within {:.1} s, by {counted:?}", restarted.elapsed().as_secs_f64());
    let others: Vec<_> = counted.keys().filter(|action| !PAGES.contains(&action.as_str())).collect();
    assert_eq!(others, ["GetCallerIdentity"], "{counted:?}");
    assert!(calls.len() <= 60, "{counted:?}");
    assert_eq!(versions(entries).await, settled, "nothing is written to Kubernetes");
    let written: Vec<_> =
        operator.cluster_door().asked().into_iter().filter(|asked| asked.writes() && !asked.is_of_lease()).collect();
    assert!(written.is_empty(), "{written:#?}");
}

/// Takes an object away without the operator.
async fn is_taken_away<K>(api: &Api<K>, name: &str)
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let none = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    api.patch(name, &PatchParams::default(), &none).await.expect("its finalizer is taken off");
    api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tenants_are_let_in_one_after_the_other_and_cost_nothing_then() {
    let mut operator = Operator::start_behind_doors("many tenants", large_world()).await;
    let namespace = operator.cluster.namespace("many").await;
    operator.account(ACCOUNT, &[&namespace]).await;
    let limits = json!({"spec": {"limits": {"requestsPerSecond": RATE, "burst": RATE}}});
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let faster = accounts.patch(ACCOUNT, &PatchParams::default(), &Patch::Merge(&limits)).await;
    faster.expect("its limits are changed");
    let services = Objects::<EndpointService>::of(operator.admin().await, &namespace, ACCOUNT);
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let service = services.settled("gateway", &json!({"resources": resources})).await;
    // Whoever starts next finds all of them asking.
    operator.kill();
    all_ask(&operator, id(&service));
    operator.run(&[]).await;
    operator.has_looked_at("gateway").await;

    operator.sim.with(|cloud| cloud.latency = ANSWER);
    let (since, began) = (now(&operator), Instant::now());
    operator.cluster_door().forget();
    let entries = Api::<WhitelistEntry>::namespaced(operator.admin().await, &namespace);
    let applied = stream::iter(0..MANY).for_each_concurrent(TOGETHER, |number| {
        let entries = &entries;
        async move {
            let entry = json!({
                "apiVersion": "privatelink.dev/v1alpha1",
                "kind": "WhitelistEntry",
                "metadata": {"name": name_of(number)},
                "spec": {
                    "serviceRef": {"name": "gateway"},
                    "principal": account(number).0.to_string(),
                    "connections": {"action": "Accept"},
                },
            });
            apply(entries, &name_of(number), &entry).await;
        }
    });
    applied.await;
    let applied = began.elapsed();
    all_become(&entries, "ready and connected", |entry| {
        let status = entry.status.as_ref();
        let connected = status.and_then(|status| status.connection_counts).map(|counts| counts.connected);
        connected == Some(1) && is_ready(status.map(|status| &status.common))
    })
    .await;
    let calls = called(&operator, since);
    println!(
        "{MANY} tenants: applied in {:.1} s, all let in after {:.1} s, by {:?}",
        applied.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        counted(&calls)
    );
    let applied = counted(calls.iter().filter(|call| call.effect == Effect::Applied));
    let once = [("AddUserToVpcEndpointService", MANY - LISTED), ("EnableVpcEndpointConnection", MANY)];
    assert_eq!(applied, crate::service::counted(&once), "each is let in once");
    let refused: Vec<_> = calls.iter().filter(|call| call.code != "OK").collect();
    assert!(refused.is_empty(), "nobody is in anybody's way: {refused:#?}");
    let others: Vec<_> = counted(&calls)
        .into_keys()
        .filter(|action| !PAGES.contains(&action.as_str()) && !applied.contains_key(action))
        .collect();
    assert!(others.is_empty(), "pages of lists are read, and nothing one by one: {others:?}");
    one_at_a_time(&calls);
    let connected = |cloud: &mut privatelink_sim::cloud::Cloud| {
        let endpoints = cloud.state().endpoints.values();
        endpoints.filter(|endpoint| endpoint.connection.status == ConnectionStatus::Connected).count()
    };
    assert_eq!(operator.sim.with(connected), MANY);

    // What they cost the node.
    let peak = operator.peak_memory();
    println!("the operator has had {peak} MiB of memory at most");
    assert!(VALUES.contains(&format!("limits: {{memory: {MEMORY}Mi}}")), "the chart's default is another one");
    assert!(peak < MEMORY / 2, "{peak} MiB of {MEMORY} for {MANY} entries");

    // What they cost Kubernetes.
    let counts = |one: &EndpointService| one.status.as_ref().and_then(|status| status.connection_counts);
    let all = |one: &EndpointService| counts(one).map(|counts| counts.connected) == u32::try_from(MANY).ok();
    services.becomes("gateway", "all connected", all).await;
    let asked = operator.cluster_door().asked();
    let told: Vec<Instant> =
        asked.iter().filter(|asked| asked.is_status_of("endpointservices", "gateway")).map(|asked| asked.at).collect();
    let statuses = asked.iter().filter(|asked| asked.writes_ours() && asked.path.contains("/whitelistentries/"));
    println!(
        "the service's status was written {} times, the entries and theirs {} times",
        told.len(),
        statuses.count()
    );
    let early = told.windows(2).find(|two| two[1] - two[0] + JITTER < COUNTS);
    assert!(early.is_none(), "counts are gathered for ten seconds: {told:?}");

    // How many each load balancer serves was read when not all were in yet.
    let before = services.looks_again("gateway", "all are in").await;
    let load = before.status.as_ref().and_then(|status| status.resources[0].connections);
    assert_eq!(load, u32::try_from(MANY).ok());

    costs_nothing_to_start_among(&mut operator, &entries).await;

    // They go without the operator, which is then told.
    operator.kill();
    stream::iter(0..MANY)
        .for_each_concurrent(TOGETHER, |number| {
            let entries = &entries;
            async move { is_taken_away(entries, &name_of(number)).await }
        })
        .await;
    is_taken_away(&services.api, "gateway").await;
    operator.run(&[]).await;
    operator.stop().await;
}
