//! Many endpoints: what a restart and a look at all of them cost when all is settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Instant,
};

use futures::{StreamExt as _, stream};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use privatelink_operator::api::{CloudAccount, Endpoint, endpoint::EndpointStatus};
use privatelink_sim::{
    alibaba::name,
    fixture::{BUILT_IN, Fixture},
    world::{
        self, Answer, Call, Request,
        call::{EndpointForm, ZoneForm},
    },
};
use serde_json::{Value, json};

use crate::link::{REGION, offered, truth};
use crate::objects::{Objects, RECONCILE, handled, id};
use crate::operator::Operator;
use crate::past::{CONSUMER, PROVIDER};

/// Services, and the VPCs that each has an endpoint in: a VPC has one of a service at most.
const SERVICES: usize = 40;
const VPCS: usize = 25;
/// Endpoints of the test.
const MANY: usize = SERVICES * VPCS;
/// Objects that are applied or deleted together.
const TOGETHER: usize = 16;
/// The consumer's account.
const ACCOUNT: &str = "many-endpoints";
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

/// What the endpoint of this number declares.
fn spec(services: &[String], number: usize) -> Value {
    let (service, vpc) = (&services[number / VPCS], number % VPCS);
    json!({
        "service": {"id": service}, "vpcId": format!("vpc-{vpc}"),
        "zones": [{"subnetId": format!("vsw-{vpc}"), "zone": "cn-hangzhou-f"}],
        "securityGroupIds": [format!("sg-{vpc}")], "accountRef": {"name": ACCOUNT},
    })
}

fn name_of(number: usize) -> String {
    format!("db-{number}")
}

/// Makes all others than the first as the operator has left that one: their objects, themselves, and their statuses.
async fn leaves_alike(operator: &Operator, api: &Api<Endpoint>, services: &[String], first: &Endpoint) {
    let objects = stream::iter(1..MANY).map(|number| async move {
        let object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "Endpoint",
            "metadata": {"name": name_of(number), "finalizers": first.metadata.finalizers},
            "spec": spec(services, number),
        });
        let object = serde_json::from_value(object).expect("an endpoint");
        api.create(&PostParams::default(), &object).await.expect("it is created")
    });
    let objects: Vec<Endpoint> = objects.buffered(TOGETHER).collect().await;
    let ids = made_alike(operator, services, first, &objects);
    let (example, served) = (json!(first.status).to_string(), &services[0]);
    let written = stream::iter((1..MANY).zip(ids)).for_each_concurrent(TOGETHER, |(number, made)| {
        let (api, example) = (api.clone(), &example);
        async move {
            let text = example.replace(id(first), &made).replace(served.as_str(), &services[number / VPCS]);
            let mut status: EndpointStatus = serde_json::from_str(&text).expect("a status");
            let (_, legs) = truth(operator, &made);
            for (zone, leg) in status.zones.iter_mut().zip(legs) {
                zone.subnet_id = leg.subnet;
                (zone.ip, zone.interface_id) = (Some(leg.ip), Some(leg.interface));
            }
            let patch = Patch::Merge(json!({"status": status}));
            api.patch_status(&name_of(number), &PatchParams::default(), &patch).await.expect("it is written");
        }
    });
    written.await;
}

/// The endpoints of these objects in the cloud, with the tags that the operator gives them; gives their ids.
fn made_alike(operator: &Operator, services: &[String], first: &Endpoint, objects: &[Endpoint]) -> Vec<String> {
    let (uid, own) = (first.uid().expect("a uid"), name_of(0));
    operator.sim.with(|cloud| {
        cloud.catch_up();
        let (actor, mut state) = (cloud.keys[CONSUMER.id].actor, cloud.state().clone());
        let region = state.land.region_named(REGION);
        let tags = state.endpoints[&name::endpoint(id(first))].tags.clone();
        let mut ids = Vec::new();
        for (number, object) in (1..MANY).zip(objects) {
            let of = |value: &str| match value {
                value if value == uid => object.uid().expect("a uid").as_str().into(),
                value if value == own => object.name_any().as_str().into(),
                value => value.into(),
            };
            let vpc = number % VPCS;
            let switch = state.land.switch_named(&format!("vsw-{vpc}"));
            let call = Call::CreateEndpoint(EndpointForm {
                service: name::service(&services[number / VPCS]),
                service_region: None,
                kind: None,
                vpc: state.land.vpc_named(&format!("vpc-{vpc}")),
                zones: vec![ZoneForm { zone: None, switch, ip: None, ipv6: None }],
                groups: vec![state.land.group_named(&format!("sg-{vpc}"))],
                name: Some(name_of(number).as_str().into()),
                description: None,
                policy: None,
                protected: false,
                ip_version: None,
                zone_affinity: false,
                cross_region_bandwidth_mbps: None,
                resource_group: None,
                tags: tags.iter().map(|(key, value)| (key.clone(), of(value))).collect(),
            });
            let made = world::apply(&state, actor, &Request { region, token: None, call });
            let (next, Answer::Endpoint(made)) = made.expect("it is made") else { panic!("it is an endpoint") };
            ids.push(name::of_endpoint(made));
            state = next;
        }
        cloud.set_state(state);
        cloud.settle();
        ids
    })
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
    operator.account_with(ACCOUNT, &[&namespace], CONSUMER, REGION).await;
    let limits = json!({"spec": {"limits": {"requestsPerSecond": RATE, "burst": RATE}}});
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    let faster = accounts.patch(ACCOUNT, &PatchParams::default(), &Patch::Merge(&limits)).await;
    faster.expect("its limits are changed");
    let services: Vec<String> = (0..SERVICES)
        .map(|number| offered(&operator, PROVIDER, CONSUMER.account, &[&format!("lb-{number}")], true))
        .collect();

    let began = Instant::now();
    let endpoints = Objects::<Endpoint>::of(operator.admin().await, &namespace, ACCOUNT);
    let first = endpoints.settled(&name_of(0), &spec(&services, 0)).await;
    let writes = operator.writes();
    operator.kill();
    leaves_alike(&operator, &endpoints.api, &services, &first).await;
    println!("{MANY} endpoints are there after {:.1} s", began.elapsed().as_secs_f64());

    // A restart: every endpoint has its turn by what the list shows.
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
