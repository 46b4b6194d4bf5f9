//! The operator is killed at every point of an endpoint's life: there is one endpoint in the world as long as there
//! is one object, and nothing after it.

use futures::future::join_all;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use privatelink_operator::api::Endpoint;
use privatelink_sim::{fixture::Fixture, world::EndpointId};
use serde_json::json;

use crate::killing::{is_a_write, killed_at, tagged};
use crate::kube_door::{Asked, Door, When};
use crate::link::{REGION, offered, second_tenant, tenant};
use crate::objects::{Objects, id, is_settled, said};
use crate::operator::{Operator, becomes};
use crate::past::{CONSUMER, PROVIDER};

/// More requests than an endpoint needs for any part of its life: a loop that comes so far does not end.
const MOST: usize = 60;

/// An operator with the consumer's account alone, and what it declares.
async fn consumer(what: &str, behind_doors: bool) -> (Operator, Objects<Endpoint>) {
    let mut operator = if behind_doors {
        Operator::start_behind_doors(what, Fixture::built_in()).await
    } else {
        Operator::start(what).await
    };
    let account = what.replace(' ', "-");
    let namespace = operator.cluster.namespace("killed").await;
    operator.account_with(&account, &[&namespace], CONSUMER, REGION).await;
    let tenant = operator.cluster.tenant_client(&namespace).await;
    let endpoints = Objects::of(tenant, &namespace, &account);
    (operator, endpoints)
}

fn created(operator: &Operator) -> usize {
    operator.writes().get("CreateVpcEndpoint").copied().unwrap_or_default()
}

/// Calls to the cloud of which each may be the last, those that ask who calls left out.
fn is_a_call(asked: &Asked) -> bool {
    asked.action != "GetCallerIdentity"
}

/// Kills the operator at the first request of an endpoint's making, then at the second, and so on to the last; and
/// each of these endpoints again at the requests of its deletion.
async fn is_killed_everywhere(what: &str, door: fn(&Operator) -> &Door, test: fn(&Asked) -> bool, when: When) {
    let (mut operator, endpoints) = consumer(what, true).await;
    let service = offered(&operator, PROVIDER, CONSUMER.account, &["lb-hot", "lb-hot-g"], true);
    let spec = tenant(&json!({"id": service}), &["f", "g"]);
    let (mut makings, mut deletions) = (0, 0);
    for nth in 1..=MOST {
        let name = format!("db-{nth}");
        let hold = door(&operator).hold(when, nth, test);
        endpoints.apply(&name, &spec).await;
        let settled = becomes(endpoints.api.clone(), &name, "settled", |one| one.is_some_and(is_settled));
        let making = killed_at(&mut operator, hold, async { drop(settled.await) }).await;
        let ready = endpoints.becomes(&name, "settled", is_settled).await;
        let made = tagged(&operator, "endpoints", &endpoints.namespace, &name);
        assert_eq!(made.len(), 1, "killed at {nth}: {made:#?}");
        assert_eq!(made[0]["id"], id(&ready), "killed at {nth}");
        assert_eq!(made[0]["zones"].as_array().map(Vec::len), Some(2), "killed at {nth}");
        assert_eq!(created(&operator), nth, "killed at {nth}: each is made once");

        let hold = door(&operator).hold(when, nth, test);
        endpoints.delete(&name).await;
        let gone = becomes(endpoints.api.clone(), &name, "gone", |one| one.is_none());
        let deletion = killed_at(&mut operator, hold, async { drop(gone.await) }).await;
        endpoints.is_gone(&name).await;
        assert_eq!(operator.world()["endpoints"], json!([]), "killed at {nth} of its deletion");
        makings += usize::from(making);
        deletions += usize::from(deletion);
        if !making && !deletion {
            break;
        }
        assert!(nth < MOST, "there is no end to its requests");
    }
    println!("{what}: killed at {makings} requests of a making and {deletions} of a deletion, {when:?}");
    // The fewest that an endpoint takes: finalizer, pin, id and Ready; deleting, finalizer off. Or the calls.
    assert!(makings >= 4 && deletions >= 2, "{makings} {deletions}");
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_write_to_kubernetes_an_endpoint_ends_as_declared() {
    is_killed_everywhere("endpoint before writes", Operator::cluster_door, is_a_write, When::Asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_to_kubernetes_an_endpoint_ends_as_declared() {
    is_killed_everywhere("endpoint after writes", Operator::cluster_door, is_a_write, When::Answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_call_to_the_cloud_and_its_answer_an_endpoint_ends_as_declared() {
    is_killed_everywhere("endpoint after calls", Operator::cloud_door, is_a_call, When::Answered).await;
}

/// Takes an object's whole status away, as a restore without statuses does.
async fn lose_status(operator: &Operator, endpoints: &Objects<Endpoint>, name: &str) {
    let api = Api::<Endpoint>::namespaced(operator.admin().await, &endpoints.namespace);
    let nothing = json!([{"op": "remove", "path": "/status"}]);
    let patch = Patch::Json::<()>(serde_json::from_value(nothing).expect("a patch"));
    api.patch_status(name, &PatchParams::default(), &patch).await.expect("the status is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_lost_all_endpoints_are_found_by_tag_and_of_two_matches_none_is_touched() {
    let (mut operator, endpoints) = consumer("endpoint statuses", false).await;
    let mut names = Vec::new();
    for (number, balancer) in ["lb-hot", "lb-spare", "lb-third"].iter().enumerate() {
        let service = json!({"id": offered(&operator, PROVIDER, CONSUMER.account, &[balancer], true)});
        for (which, spec) in [("one", tenant(&service, &["f"])), ("two", second_tenant(&service, &["f"]))] {
            names.push(format!("db-{which}-{number}"));
            endpoints.apply(&names[names.len() - 1], &spec).await;
        }
    }
    let settled = join_all(names.iter().map(|name| endpoints.becomes(name, "settled", is_settled))).await;
    let ids: Vec<String> = settled.iter().map(|one| id(one).to_owned()).collect();
    let writes = operator.writes();
    assert_eq!(writes.get("CreateVpcEndpoint"), Some(&names.len()));

    operator.kill();
    for name in &names {
        lose_status(&operator, &endpoints, name).await;
    }
    operator.run(&[]).await;
    for (name, known) in names.iter().zip(&ids) {
        let found = endpoints.becomes(name, "settled", is_settled).await;
        assert_eq!(id(&found), known, "{name}");
    }
    assert_eq!(operator.writes(), writes, "nothing is made or changed");

    // Two that carry the tags of the first: its own, and a copy.
    operator.kill();
    let copy = operator.sim.with(|cloud| {
        let mut state = cloud.state().clone();
        let own = state.endpoints.values().find(|one| one.tags.values().any(|value| **value == *names[0]));
        let mut own = own.expect("the first one's endpoint").clone();
        let last = *state.endpoints.keys().next_back().expect("there are endpoints");
        let copy = EndpointId { number: last.number + 1, ..last };
        own.id = copy;
        state.endpoints.insert(copy, own);
        cloud.set_state(state);
        copy
    });
    lose_status(&operator, &endpoints, &names[0]).await;
    operator.run(&[]).await;
    // Its status does not say that the spec was looked at: it must not pass for one that was never lost.
    let says = |one: &Endpoint| said(one, "Ready").is_some_and(|(_, why, _)| why == "AmbiguousMatch");
    let stuck = endpoints.becomes(&names[0], "AmbiguousMatch", says).await;
    assert_eq!(stuck.status.and_then(|status| status.endpoint_id), None);
    assert_eq!(operator.writes(), writes, "nothing is done");
    assert_eq!(tagged(&operator, "endpoints", &endpoints.namespace, &names[0]).len(), 2);

    // One of them taken away, the other is it.
    operator.sim.with(|cloud| {
        let mut state = cloud.state().clone();
        state.endpoints.remove(&copy);
        cloud.set_state(state);
    });
    let found = endpoints.looks_again(&names[0], "one is gone").await;
    assert_eq!(id(&found), ids[0]);
    join_all(names.iter().map(|name| endpoints.goes(name))).await;
    assert_eq!(operator.world()["endpoints"], json!([]));
    operator.stop().await;
}
