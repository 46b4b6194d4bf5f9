//! The operator is killed, or told late, at every point of a service's life: there is one service in the world as
//! long as there is one object, and none after it.

use futures::future::join_all;
use http::StatusCode;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use privatelink_operator::api::{CloudAccount, EndpointService};
use privatelink_sim::{fixture::Fixture, world::ServiceId};
use serde_json::{Value, json};

use crate::killing::{is_a_write, killed_at, tagged};
use crate::kube_door::{Asked, Door, When};
use crate::operator::{Operator, is_ready};
use crate::service::{becomes_ready, goes, lose_status, offered};

const PLURAL: &str = "endpointservices";
/// More requests than a service needs for any part of its life: a loop that comes so far does not end.
const MOST: usize = 40;

fn created(operator: &Operator) -> usize {
    operator.writes().get("CreateVpcEndpointService").copied().unwrap_or_default()
}

fn id(service: &EndpointService) -> Option<String> {
    service.status.as_ref()?.service_id.clone()
}

/// Kills the operator at the first request of a service's making, then at the second, and so on to the last; and
/// each of these services again at the requests of its deletion.
async fn is_killed_everywhere(what: &str, door: fn(&Operator) -> &Door, test: fn(&Asked) -> bool, when: When) {
    let mut operator = Operator::start_behind_doors(what, Fixture::built_in()).await;
    let account = what.replace(' ', "-");
    let namespace = operator.cluster.namespace("killed").await;
    operator.account(&account, &[&namespace]).await;
    let (mut makings, mut deletions) = (0, 0);
    for nth in 1..=MOST {
        let name = format!("gateway-{nth}");
        let hold = door(&operator).hold(when, nth, test);
        let services = offered(&operator, &namespace, &account, &name).await;
        let watched =
            kube::runtime::wait::await_condition(services.clone(), &name, |service: Option<&EndpointService>| {
                service.is_some_and(|service| is_ready(service.status.as_ref().map(|status| &status.common)))
            });
        let making = killed_at(&mut operator, hold, async { drop(watched.await.expect("it is watched")) }).await;
        let ready = becomes_ready(&operator, &services, &name).await;
        let made = tagged(&operator, "services", &namespace, &name);
        assert_eq!(made.len(), 1, "killed at {nth}: {made:#?}");
        assert_eq!(made[0]["id"].as_str(), id(&ready).as_deref(), "killed at {nth}");
        assert_eq!(created(&operator), nth, "killed at {nth}: each is made once");

        let hold = door(&operator).hold(when, nth, test);
        services.delete(&name, &DeleteParams::default()).await.expect("it is deleted");
        let watched =
            kube::runtime::wait::await_condition(services.clone(), &name, |service: Option<&EndpointService>| {
                service.is_none()
            });
        let deletion = killed_at(&mut operator, hold, async { drop(watched.await.expect("it is watched")) }).await;
        operator.becomes(services.clone(), &name, "gone", |service| service.is_none()).await;
        assert_eq!(operator.world()["services"], json!([]), "killed at {nth} of its deletion");
        makings += usize::from(making);
        deletions += usize::from(deletion);
        if !making && !deletion {
            break;
        }
        assert!(nth < MOST, "there is no end to its requests");
    }
    println!("{what}: killed at {makings} requests of a making and {deletions} of a deletion, {when:?}");
    // The fewest that a service takes: finalizer, pin, id and Ready; deleting, finalizer off. Or the calls.
    assert!(makings >= 4 && deletions >= 2, "{makings} {deletions}");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_write_to_kubernetes_it_ends_as_declared() {
    is_killed_everywhere("killed before writes", Operator::cluster_door, is_a_write, When::Asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_to_kubernetes_it_ends_as_declared() {
    is_killed_everywhere("killed after writes", Operator::cluster_door, is_a_write, When::Answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_call_to_the_cloud_and_its_answer_it_ends_as_declared() {
    is_killed_everywhere("killed after calls", Operator::cloud_door, |_| true, When::Answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_write_that_comes_late_does_not_reach_the_next_object_of_the_same_name() {
    let mut operator = Operator::start_behind_doors("late status", Fixture::built_in()).await;
    let namespace = operator.cluster.namespace("late").await;
    operator.account("late-status", &[&namespace]).await;
    // The first write pins the place, the second holds the id.
    let hold = operator.cluster_door().hold(When::Asked, 2, |asked| asked.is_status_of(PLURAL, "gateway"));
    let services = offered(&operator, &namespace, "late-status", "gateway").await;
    hold.has_come().await;
    let old = tagged(&operator, "services", &namespace, "gateway")[0]["id"].as_str().map(str::to_owned);
    assert!(old.is_some(), "it is made before its id is written");
    // The operator gives the write up after a while and does without it; the network does not.
    goes(&operator, &services, "gateway").await;
    offered(&operator, &namespace, "late-status", "gateway").await;
    let ready = becomes_ready(&operator, &services, "gateway").await;
    assert_ne!(id(&ready), old);
    assert_eq!(hold.answered().await, StatusCode::CONFLICT);
    let after = services.get("gateway").await.expect("it is there");
    assert_eq!(id(&after), id(&ready));
    assert_eq!(tagged(&operator, "services", &namespace, "gateway").len(), 1);
    assert_eq!(operator.world()["services"].as_array().map(Vec::len), Some(1));
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn woken_before_the_watch_has_its_own_writes_a_service_keeps_its_id() {
    let mut operator = Operator::start_behind_doors("late watch", Fixture::built_in()).await;
    let namespace = operator.cluster.namespace("watch").await;
    operator.account("late-watch", &[&namespace]).await;
    let hold =
        operator.cluster_door().hold(When::Asked, 1, |asked| asked.writes_ours() && asked.path.ends_with("/gateway"));
    let services = offered(&operator, &namespace, "late-watch", "gateway").await;
    // The object is known; none of our own writes will be.
    hold.has_come().await;
    operator.cluster_door().hold_watch(PLURAL);
    drop(hold);
    let ready = becomes_ready(&operator, &services, "gateway").await;

    let turns = |lines: &[Value]| {
        let over = |line: &&Value| line["message"] == "a turn is over" && line["span"]["object"] == "gateway";
        lines.iter().filter(over).count()
    };
    let before = turns(&operator.log());
    operator.cluster_door().forget();
    let accounts = Api::<CloudAccount>::all(operator.admin().await);
    poke(&accounts, "late-watch", "1").await;
    operator.logs("a turn of a service that is woken", |lines| turns(lines) > before).await;
    let after = services.get("gateway").await.expect("it is there");
    assert_eq!(id(&after), id(&ready));
    assert_eq!(created(&operator), 1);
    let pins = operator.cluster_door().asked().into_iter().filter(|asked| asked.path.ends_with("/gateway"));
    assert_eq!(pins.count(), 0, "its finalizer is not put on again");

    // And woken by a change of the object itself, with all that was held back delivered before it.
    poke(&services, "gateway", "2").await;
    operator.cluster_door().release_watches();
    let handled = |service: &EndpointService| service.status.as_ref()?.common.last_handled_reconcile_at.clone();
    let poked = operator
        .becomes(services.clone(), "gateway", "looked at", |service| service.and_then(handled).as_deref() == Some("2"))
        .await
        .expect("it is there");
    assert_eq!(id(&poked), id(&ready));
    assert_eq!(created(&operator), 1);
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}

/// Asks for a look.
async fn poke<K>(api: &Api<K>, name: &str, value: &str)
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let patch = json!({"metadata": {"annotations": {"privatelink.dev/reconcile-requested-at": value}}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.expect("it is annotated");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_lost_all_services_are_found_by_tag_and_of_two_matches_none_is_touched() {
    let mut operator = Operator::start("lost statuses").await;
    let namespace = operator.cluster.namespace("lost").await;
    operator.account("lost-statuses", &[&namespace]).await;
    let names: Vec<String> = (0..8).map(|number| format!("gateway-{number}")).collect();
    let mut ids = Vec::new();
    let mut services = None;
    for name in &names {
        services = Some(offered(&operator, &namespace, "lost-statuses", name).await);
    }
    let services = services.expect("there is at least one");
    for ready in join_all(names.iter().map(|name| becomes_ready(&operator, &services, name))).await {
        ids.push(id(&ready).expect("an id"));
    }
    let writes = operator.writes();

    operator.kill();
    for name in &names {
        lose_status(&operator, &namespace, name).await;
    }
    operator.run(&[]).await;
    for (name, known) in names.iter().zip(&ids) {
        let found = becomes_ready(&operator, &services, name).await;
        assert_eq!(id(&found).as_ref(), Some(known), "{name}");
    }
    assert_eq!(operator.writes(), writes, "nothing is made or changed");

    // Two that carry the tags of the first: its own, and a copy.
    operator.kill();
    let copy = operator.sim.with(|cloud| {
        let mut state = cloud.state().clone();
        let first = names[0].as_str();
        let own = state.services.values().find(|service| service.tags.values().any(|value| &**value == first));
        let mut own = own.expect("the first one's service").clone();
        let last = *state.services.keys().next_back().expect("there are services");
        let copy = ServiceId { number: last.number + 1, ..last };
        own.id = copy;
        state.services.insert(copy, own);
        cloud.set_state(state);
        copy
    });
    lose_status(&operator, &namespace, &names[0]).await;
    operator.run(&[]).await;
    let says = |service: &EndpointService| {
        let conditions = &service.status.as_ref()?.common.conditions;
        conditions.iter().find(|condition| condition.type_ == "Ready").map(|condition| condition.reason.clone())
    };
    let stuck = operator
        .becomes(services.clone(), &names[0], "AmbiguousMatch", |service| {
            service.and_then(says).as_deref() == Some("AmbiguousMatch")
        })
        .await
        .expect("it is there");
    assert_eq!(id(&stuck), None);
    assert_eq!(operator.writes(), writes, "nothing is done");
    assert_eq!(tagged(&operator, "services", &namespace, &names[0]).len(), 2);

    // One of them taken away, the other is it.
    operator.sim.with(|cloud| {
        let mut state = cloud.state().clone();
        state.services.remove(&copy);
        cloud.set_state(state);
    });
    poke(&services, &names[0], "again").await;
    let found = becomes_ready(&operator, &services, &names[0]).await;
    assert_eq!(id(&found).as_ref(), Some(&ids[0]));
    join_all(names.iter().map(|name| goes(&operator, &services, name))).await;
    assert_eq!(operator.world()["services"], json!([]));
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_writer_is_killed_the_other_replica_goes_on_with_its_work() {
    let mut operator = Operator::start_behind_doors("two replicas", Fixture::built_in()).await;
    let namespace = operator.cluster.namespace("replicas").await;
    operator.account("two-replicas", &[&namespace]).await;
    let services = offered(&operator, &namespace, "two-replicas", "before").await;
    let before = becomes_ready(&operator, &services, "before").await;
    operator.stand_by("the-other-replica").await;

    // Killed while its create call is on its way.
    let creates = |asked: &Asked| asked.action == "CreateVpcEndpointService";
    let hold = operator.cloud_door().hold(When::Answered, 1, creates);
    offered(&operator, &namespace, "two-replicas", "during").await;
    hold.has_come().await;
    operator.kill();
    let killed = std::time::Instant::now();
    hold.lose();
    operator.is_taken_over().await;
    let silent = killed.elapsed();
    let during = becomes_ready(&operator, &services, "during").await;
    println!("two replicas: the other one makes turns {:.1} s after the writer was killed", silent.as_secs_f64());
    let bound = privatelink_operator::runtime::lease::TIME_TO_LIVE + std::time::Duration::from_secs(10);
    assert!(silent < bound, "{silent:?}: the Lease runs out, and is taken within seconds of that");
    assert_eq!(tagged(&operator, "services", &namespace, "during").len(), 1);
    assert_eq!(tagged(&operator, "services", &namespace, "during")[0]["id"].as_str(), id(&during).as_deref());
    let kept = services.get("before").await.expect("it is there");
    assert_eq!(kept.metadata.resource_version, before.metadata.resource_version, "what is settled is left alone");
    assert_eq!(created(&operator), 2, "no call had a second effect");
    goes(&operator, &services, "before").await;
    goes(&operator, &services, "during").await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_deleted_at_once_by_kubectl_and_a_namespace_end_clean_and_without_errors() {
    let mut operator = Operator::start("kubectl at once").await;
    let [one, other] = ["folder", "namespace"].map(|name| operator.cluster.namespace(name));
    let (one, other) = (one.await, other.await);
    let account = operator.account("kubectl-at-once", &[&one, &other]).await;
    let resources = json!([{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]);
    let mut folder = vec![
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": "kubectl-at-once", "namespace": crate::cluster::OPERATOR_NAMESPACE,
        }}),
        json!({"apiVersion": "privatelink.dev/v1alpha1", "kind": "CloudAccount",
            "metadata": {"name": "kubectl-at-once"}, "spec": account.spec}),
    ];
    folder.push(crate::service::service(&one, "gateway", "kubectl-at-once", &resources));
    let folder = json!({"apiVersion": "v1", "kind": "List", "items": folder}).to_string();
    let services = offered(&operator, &one, "kubectl-at-once", "gateway").await;
    becomes_ready(&operator, &services, "gateway").await;
    let others = offered(&operator, &other, "kubectl-at-once", "gateway").await;
    becomes_ready(&operator, &others, "gateway").await;

    let cluster = operator.cluster;
    let kubectl = move |arguments: Vec<String>, input: String| {
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = cluster.kubectl_with(&arguments, &input);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "kubectl {arguments:?}: {said}");
        })
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let namespace = kubectl(words(&["delete", "namespace", &other, "--wait=true", "--timeout=80s"]), String::new());
    namespace.await.expect("the namespace is gone");
    assert_eq!(operator.world()["services"].as_array().map(Vec::len), Some(1));
    let deleted = kubectl(words(&["delete", "-f", "-", "--wait=true", "--timeout=80s"]), folder);
    deleted.await.expect("the folder is gone");
    operator.leave_account("kubectl-at-once");
    assert_eq!(operator.world()["services"], json!([]));

    let bad: Vec<Value> =
        operator.log().into_iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    operator.stop().await;
}
