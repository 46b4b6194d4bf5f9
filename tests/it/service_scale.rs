//! Many services: what a restart costs when all is settled, and how many writes one service costs Kubernetes.

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
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_sim::fixture::{BUILT_IN, Fixture};
use serde_json::{Value, json};

use crate::cluster::PATIENCE;
use crate::operator::{Operator, apply, is_ready};
use crate::service::{becomes_ready, goes, offered};

/// Services of the test.
const MANY: usize = 500;
/// How many of them the operator deletes.
const FEW: usize = 50;
/// Objects that are applied or deleted together.
const TOGETHER: usize = 16;

/// The built-in world, in which the provider has a load balancer for each service and may have so many services.
fn large_world() -> Fixture {
    let balancers: Vec<String> = (0..MANY)
        .map(|number| {
            let address = format!("10.3.{}.{}", number / 250, number % 250 + 1);
            format!("{{id: lb-{number}, kind: slb, zones: [cn-hangzhou-f], address: {address}}}")
        })
        .collect();
    let vpc = format!(
        "
      - id: vpc-large
        region: cn-hangzhou
        switches:
          - {{id: vsw-large, zone: cn-hangzhou-f, range: 10.3.0.0/16}}
        balancers: [{}]",
        balancers.join(", ")
    );
    let provider = "mayPayForConsumers: true\n";
    let quota = format!("{provider}    quotas: {{services: {}}}\n", MANY + 1);
    let first = "    vpcs:";
    Fixture::parse(&BUILT_IN.replacen(provider, &quota, 1).replacen(first, &format!("{first}{vpc}"), 1))
        .expect("the built-in world with more of the same")
}

/// How often each action was called since `sequence`.
fn calls(operator: &Operator, since: u64) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    operator.sim.with(|cloud| {
        for call in cloud.journal.calls() {
            let call = json!(call);
            if call["sequence"].as_u64().expect("a number") >= since {
                *counted.entry(call["action"].as_str().expect("a name").to_owned()).or_default() += 1;
            }
        }
    });
    counted
}

/// Waits until `test` has held for each of the services.
async fn all_become(api: &Api<EndpointService>, what: &str, test: impl Fn(&EndpointService) -> bool) {
    let mut left: BTreeSet<String> = (0..MANY).map(|number| format!("gateway-{number}")).collect();
    let mut seen = std::pin::pin!(watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects());
    let all = async {
        while !left.is_empty() {
            let service = seen.next().await.expect("a watch does not end").expect("it is watched");
            if test(&service) {
                left.remove(&service.name_any());
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, all).await;
    assert!(waited.is_ok(), "{} of {MANY} have not become {what}", left.len());
}

/// Waits until this process has looked at so many services whole.
async fn are_looked_at(operator: &Operator, many: usize) {
    // A turn that begins once the place has been listed ends when the service has been looked at whole.
    let progress = Mutex::new((0, false, 0, BTreeSet::new()));
    operator
        .logs("a turn of each service", |lines| {
            let mut progress = progress.lock().expect("nobody else");
            let (seen, listed, read, turned) = &mut *progress;
            for line in &lines[*seen..] {
                let action = line["action"].as_str().unwrap_or_default();
                let answered = line["message"] == "answered";
                *listed |= answered && action == "ReadServices";
                *read += usize::from(answered && ["ReadResources", "ReadConnections"].contains(&action));
                if *listed && line["message"] == "a turn is over" && line["span"]["kind"] == "EndpointService" {
                    turned.insert(line["span"]["object"].as_str().unwrap_or_default().to_owned());
                }
            }
            *seen = lines.len();
            *read >= 2 * many && turned.len() >= many
        })
        .await;
}

async fn versions(api: &Api<EndpointService>) -> BTreeMap<String, Option<String>> {
    let all = api.list(&ListParams::default()).await.expect("they are listed");
    all.items.iter().map(|service| (service.name_any(), service.resource_version())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_among_many_settled_services_reads_pages_and_writes_nothing() {
    let mut operator = Operator::start_behind_doors("many services", large_world()).await;
    let namespace = operator.cluster.namespace("many").await;
    operator.account("many-services", &[&namespace]).await;
    let limits = json!({"spec": {"limits": {"requestsPerSecond": 1000, "burst": 1000}}});
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let faster = accounts.patch("many-services", &PatchParams::default(), &Patch::Merge(&limits)).await;
    faster.expect("its limits are changed");

    let began = Instant::now();
    let services = Api::<EndpointService>::namespaced(operator.admin().await, &namespace);
    let applied = stream::iter(0..MANY).for_each_concurrent(TOGETHER, |number| {
        let (services, namespace) = (services.clone(), &namespace);
        async move {
            let name = format!("gateway-{number}");
            let resources = json!([{"id": format!("lb-{number}"), "type": "CLB", "zone": "cn-hangzhou-f"}]);
            let service = crate::service::service(namespace, &name, "many-services", &resources);
            apply(&services, &name, &service).await;
        }
    });
    applied.await;
    let (applied, before) = (began.elapsed(), Instant::now());
    all_become(&services, "ready and counted", |service| {
        let status = service.status.as_ref();
        let counted = status.is_some_and(|status| status.connection_counts.is_some());
        counted && is_ready(status.map(|status| &status.common))
    })
    .await;
    let ready = before.elapsed();
    println!("{MANY} services: applied in {:.1} s, ready {:.1} s later", applied.as_secs_f64(), ready.as_secs_f64());
    println!("calls to be ready: {:?}", calls(&operator, 0));
    let writes = operator.writes();
    assert_eq!(writes, crate::service::counted(&[("CreateVpcEndpointService", MANY)]));

    operator.kill();
    let settled = versions(&services).await;
    let since = operator.sim.with(|cloud| cloud.journal.next_sequence());
    operator.cluster_door().forget();
    let restarted = Instant::now();
    operator.run(&[]).await;
    are_looked_at(&operator, MANY).await;
    let counted = calls(&operator, since);
    println!("restarted: each was looked at within {:.1} s, by {counted:?}", restarted.elapsed().as_secs_f64());
    let pages = [
        "GetCallerIdentity",
        "ListVpcEndpointServices",
        "ListVpcEndpointServiceResources",
        "ListVpcEndpointConnections",
    ];
    let others: Vec<_> = counted.keys().filter(|action| !pages.contains(&action.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(counted["ListVpcEndpointServiceResources"] <= MANY, "{counted:?}");
    assert!(counted["ListVpcEndpointConnections"] <= MANY, "{counted:?}");
    assert_eq!(operator.writes(), writes, "no write in the cloud");
    assert_eq!(versions(&services).await, settled, "nor in Kubernetes");
    let written: Vec<_> =
        operator.cluster_door().asked().into_iter().filter(|asked| asked.writes() && !asked.is_of_lease()).collect();
    assert!(written.is_empty(), "{written:?}");

    // Most of them go without the operator: deletions leave one by one, as the cloud wants it.
    operator.kill();
    let released = stream::iter(FEW..MANY).for_each_concurrent(TOGETHER, |number| {
        let services = services.clone();
        async move {
            let (name, none) = (format!("gateway-{number}"), json!({"metadata": {"finalizers": null}}));
            let patched = services.patch(&name, &PatchParams::default(), &Patch::Merge(&none)).await;
            patched.expect("its finalizer is taken off");
            services.delete(&name, &DeleteParams::default()).await.expect("it is deleted");
        }
    });
    released.await;
    operator.run(&[]).await;
    are_looked_at(&operator, FEW).await;
    let since = operator.sim.with(|cloud| cloud.journal.next_sequence());
    let before = Instant::now();
    services.delete_collection(&DeleteParams::default(), &ListParams::default()).await.expect("they are deleted");
    let gone = async {
        let mut seen = std::pin::pin!(watcher(services.clone(), watcher::Config::default()).default_backoff());
        let (mut left, mut listed) = (BTreeSet::new(), false);
        while !listed || !left.is_empty() {
            match seen.next().await.expect("a watch does not end").expect("it is watched") {
                watcher::Event::Init => left.clear(),
                watcher::Event::InitApply(service) | watcher::Event::Apply(service) => {
                    left.insert(service.name_any());
                }
                watcher::Event::InitDone => listed = true,
                watcher::Event::Delete(service) => {
                    left.remove(&service.name_any());
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("all of them go");
    let counted = calls(&operator, since);
    println!("{FEW} services: deleted within {:.1} s, by {counted:?}", before.elapsed().as_secs_f64());
    assert_eq!(counted["DeleteVpcEndpointService"], FEW);
    let looked = counted.get("ListVpcEndpointConnections").copied().unwrap_or_default();
    assert!(looked <= 2 * FEW, "who waits for its turn is not polled: {counted:?}");
    assert_eq!(operator.world()["services"].as_array().map(Vec::len), Some(MANY - FEW));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_costs_kubernetes_four_writes_and_none_once_it_is_settled() {
    let mut operator = Operator::start_behind_doors("few writes", Fixture::built_in()).await;
    let namespace = operator.cluster.namespace("few").await;
    operator.account("few-writes", &[&namespace]).await;
    operator.cluster_door().forget();
    let services = offered(&operator, &namespace, "few-writes", "gateway").await;
    becomes_ready(&operator, &services, "gateway").await;
    operator.has_looked_at("gateway").await;
    let ours = || -> Vec<String> {
        let asked = operator.cluster_door().asked().into_iter().filter(crate::kube_door::Asked::writes_ours);
        asked.map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    };
    let written = ours();
    println!("writes to Ready: {written:#?}");
    assert!(written.len() <= 4, "{written:#?}");
    operator.cluster_door().forget();

    // A look at everything, which changes nothing.
    let turns = |lines: &[Value]| {
        let over = |line: &&Value| line["message"] == "a turn is over" && line["span"]["object"] == "gateway";
        lines.iter().filter(over).count()
    };
    let before = turns(&operator.log());
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let asks = json!({"metadata": {"annotations": {"privatelink.dev/reconcile-requested-at": "1"}}});
    accounts.patch("few-writes", &PatchParams::default(), &Patch::Merge(&asks)).await.expect("it is annotated");
    operator.logs("a turn of the settled service", |lines| turns(lines) > before).await;
    let written: Vec<String> = ours().into_iter().filter(|written| written.contains("endpointservices")).collect();
    assert_eq!(written, [""; 0]);
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}
