//! Many endpoints: what a restart and a look at all of them cost when all is settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Instant,
};

use futures::{StreamExt as _, stream};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::{WatchStreamExt as _, watcher},
};
use privatelink_operator::api::{CloudAccount, Endpoint};
use privatelink_sim::fixture::{BUILT_IN, Fixture};
use serde_json::{Value, json};

use crate::cluster::PATIENCE;
use crate::link::{REGION, offered};
use crate::objects::{Objects, RECONCILE, handled, is_settled};
use crate::operator::Operator;
use crate::past::{CONSUMER, PROVIDER};

/// Services, and the VPCs that each has an endpoint in: a VPC has one of a service at most.
const SERVICES: usize = 40;
const VPCS: usize = 25;
/// Endpoints of the test.
const MANY: usize = SERVICES * VPCS;
/// Objects that are applied or deleted together.
const TOGETHER: usize = 16;
/// Calls a second that the account may make.
const RATE: usize = 1_000;

/// The built-in world, in which the provider has a load balancer for each service and the consumer so many VPCs.
fn large_world() -> Fixture {
    let balancers: Vec<String> = (0..SERVICES)
        .map(|number| {
            format!("{{id: lb-{number}, kind: slb, zones: [cn-hangzhou-f], address: 10.3.0.{}}}", number + 10)
        })
        .collect();
    let provider = format!(
        "
      - id: vpc-large
        region: {REGION}
        switches:
          - {{id: vsw-large, zone: cn-hangzhou-f, range: 10.3.0.0/16}}
        balancers: [{}]",
        balancers.join(", ")
    );
    let consumer: Vec<String> = (0..VPCS)
        .map(|number| {
            format!(
                "
      - id: vpc-{number}
        region: {REGION}
        switches:
          - {{id: vsw-{number}, zone: cn-hangzhou-f, range: 10.4.{number}.0/24}}
        groups:
          - {{id: sg-{number}}}"
            )
        })
        .collect();
    let consumer = consumer.concat();
    let first = "    vpcs:";
    let second = "    vpcs:\n      - id: vpc-tenant\n";
    assert!(BUILT_IN.contains(second));
    let world = BUILT_IN.replacen(second, &second.replacen(first, &format!("{first}{consumer}"), 1), 1);
    Fixture::parse(&world.replacen(first, &format!("{first}{provider}"), 1))
        .expect("the built-in world with more of the same")
}

/// How often each action was called since `sequence`.
fn calls(operator: &Operator, since: u64) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    operator.sim.with(|cloud| {
        for call in cloud.journal.calls().filter(|call| call.sequence >= since) {
            *counted.entry(call.action.clone()).or_default() += 1;
        }
    });
    counted
}

fn now(operator: &Operator) -> u64 {
    operator.sim.with(|cloud| cloud.journal.next_sequence())
}

/// Waits until `test` has held for each of the endpoints.
async fn all_become(api: &Api<Endpoint>, what: &str, test: impl Fn(&Endpoint) -> bool) {
    let mut left: BTreeSet<String> = (0..MANY).map(|number| format!("db-{number}")).collect();
    let mut seen = std::pin::pin!(watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects());
    let all = async {
        while !left.is_empty() {
            let endpoint = seen.next().await.expect("a watch does not end").expect("it is watched");
            if test(&endpoint) {
                left.remove(&endpoint.name_any());
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, all).await;
    assert!(waited.is_ok(), "{} of {MANY} have not become {what}", left.len());
}

/// Waits until this process has made a turn of each endpoint after it had listed them.
async fn have_had_a_turn(operator: &Operator) {
    let progress = Mutex::new((0, false, BTreeSet::new()));
    operator
        .logs("a turn of each endpoint", |lines| {
            let mut progress = progress.lock().expect("nobody else");
            let (seen, listed, turned) = &mut *progress;
            for line in &lines[*seen..] {
                *listed |= line["message"] == "answered" && line["action"] == "ReadEndpoints";
                if *listed && line["message"] == "a turn is over" && line["span"]["kind"] == "Endpoint" {
                    turned.insert(line["span"]["object"].as_str().unwrap_or_default().to_owned());
                }
            }
            *seen = lines.len();
            turned.len() >= MANY
        })
        .await;
}

async fn versions(api: &Api<Endpoint>) -> BTreeMap<String, Option<String>> {
    let all = api.list(&ListParams::default()).await.expect("they are listed");
    all.items.iter().map(|endpoint| (endpoint.name_any(), endpoint.resource_version())).collect()
}

/// The calls without those that read what no list shows; these were no more than their tenth of the rate.
fn shallow(mut counted: BTreeMap<String, usize>, span: Instant) -> BTreeMap<String, usize> {
    let deep: usize =
        ["ListVpcEndpointZones", "ListVpcEndpointSecurityGroups"].iter().filter_map(|deep| counted.remove(*deep)).sum();
    let seconds = usize::try_from(span.elapsed().as_secs()).expect("it is small") + 1;
    println!("deep reads: {deep} in {seconds} s");
    assert!(deep <= seconds * RATE / 10, "{deep} deep reads in {seconds} s");
    counted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_settled_endpoints_cost_a_few_pages_and_no_write() {
    let mut operator = Operator::start_behind_doors("many endpoints", large_world()).await;
    let namespace = operator.cluster.namespace("many").await;
    operator.account_with("many-endpoints", &[&namespace], CONSUMER, REGION).await;
    let limits = json!({"spec": {"limits": {"requestsPerSecond": RATE, "burst": RATE}}});
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let faster = accounts.patch("many-endpoints", &PatchParams::default(), &Patch::Merge(&limits)).await;
    faster.expect("its limits are changed");
    let services: Vec<String> = (0..SERVICES)
        .map(|number| offered(&operator, PROVIDER, CONSUMER.account, &[&format!("lb-{number}")], true))
        .collect();

    let began = Instant::now();
    let endpoints = Objects::<Endpoint>::of(operator.admin().await, &namespace, "many-endpoints");
    let applied = stream::iter(0..MANY).for_each_concurrent(TOGETHER, |number| {
        let (endpoints, service, vpc) = (&endpoints, &services[number / VPCS], number % VPCS);
        async move {
            let spec = json!({
                "service": {"id": service}, "vpcId": format!("vpc-{vpc}"),
                "zones": [{"subnetId": format!("vsw-{vpc}"), "zone": "cn-hangzhou-f"}],
                "securityGroupIds": [format!("sg-{vpc}")],
            });
            endpoints.apply(&format!("db-{number}"), &spec).await;
        }
    });
    applied.await;
    let (applied, before) = (began.elapsed(), Instant::now());
    all_become(&endpoints.api, "settled", is_settled).await;
    let ready = before.elapsed();
    println!("{MANY} endpoints: applied in {:.1} s, settled {:.1} s later", applied.as_secs_f64(), ready.as_secs_f64());
    println!("calls to be settled: {:?}", calls(&operator, 0));
    let writes = operator.writes();
    assert_eq!(writes, crate::past::calls([("CreateVpcEndpoint", MANY)]));

    // A restart: every endpoint has its turn by what the list shows.
    operator.kill();
    let settled = versions(&endpoints.api).await;
    let since = now(&operator);
    operator.cluster_door().forget();
    let restarted = Instant::now();
    operator.run(&[]).await;
    have_had_a_turn(&operator).await;
    println!("restarted: each had its turn within {:.1} s", restarted.elapsed().as_secs_f64());
    let counted = shallow(calls(&operator, since), restarted);
    println!("by {counted:?}");
    let pages = ["GetCallerIdentity", "ListVpcEndpoints"];
    assert!(counted.keys().all(|action| pages.contains(&action.as_str())), "{counted:?}");
    assert!(counted.values().sum::<usize>() <= 20, "{counted:?}");
    assert_eq!(operator.writes(), writes, "no write in the cloud");
    assert_eq!(versions(&endpoints.api).await, settled, "nor in Kubernetes");
    let written: Vec<_> =
        operator.cluster_door().asked().into_iter().filter(|asked| asked.writes() && !asked.is_of_lease()).collect();
    assert!(written.is_empty(), "{written:?}");

    // A person who asks for one of them reads that one and the list.
    let since = now(&operator);
    let asked = Instant::now();
    endpoints.annotate("db-7", RECONCILE, Some("one of many")).await;
    endpoints.becomes("db-7", "looked at", |one| handled(one) == Some("one of many")).await;
    let mut counted = shallow(calls(&operator, since), asked);
    assert_eq!(counted.remove("GetVpcEndpointAttribute"), Some(1));
    assert!(counted.get("ListVpcEndpoints").is_some_and(|pages| *pages <= 2), "{counted:?}");

    // They go without the operator, which is then told.
    operator.kill();
    let released = stream::iter(0..MANY).for_each_concurrent(TOGETHER, |number| {
        let endpoints = &endpoints;
        async move {
            let (name, none) = (format!("db-{number}"), json!({"metadata": {"finalizers": null}}));
            let patched = endpoints.api.patch(&name, &PatchParams::default(), &Patch::Merge(&none)).await;
            patched.expect("its finalizer is taken off");
        }
    });
    released.await;
    let all = ListParams::default();
    endpoints.api.delete_collection(&DeleteParams::default(), &all).await.expect("they are deleted");
    let left: Vec<Value> =
        endpoints.api.list(&all).await.expect("they are listed").items.iter().map(|one| json!(one)).collect();
    assert_eq!(left, [] as [Value; 0]);
    operator.run(&[]).await;
    operator.stop().await;
}
