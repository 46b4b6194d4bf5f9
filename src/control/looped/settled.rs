//! From apply to Ready and back to nothing, and what a world costs in which nothing happens.

use std::time::Duration;

use super::door::{Asked, Way};
use super::stage::Stage;
use super::subject::{NAME, Subject};
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

/// For how long nothing happens.
const HOURS: u64 = 6;

/// What is written to Kubernetes, without Events, and to the cloud, until an object is settled.
async fn writes_of_a_making<S: Subject>() -> (Vec<String>, Vec<String>) {
    let (stage, api, spec) = Stage::ready_for::<S>().await;
    drop(stage.asked());
    stage.apply(&api, NAME, &spec).await;
    stage.settled(&api).await;
    let written: Vec<_> = stage.asked().into_iter().filter(|asked| asked.writes).collect();
    let of = |way| {
        let written = written.iter().filter(move |asked| asked.way == way && !asked.tells());
        written.map(|asked| asked.what.rsplit_once("/team/").map_or(asked.what.as_str(), |(_, what)| what).to_owned())
    };
    (of(Way::Kube).collect(), of(Way::Cloud).collect())
}

#[tokio::test(start_paused = true)]
async fn a_service_is_made_with_four_writes_and_one_call() {
    let (writes, calls) = writes_of_a_making::<EndpointService>().await;
    let status = "endpointservices/gateway/status";
    assert_eq!(writes, ["endpointservices/gateway", status, status, status], "finalizer, place, id, Ready");
    assert_eq!(calls, ["CreateVpcEndpointService"]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_made_with_two_writes_more_for_what_people_see_on_the_way_and_one_call() {
    let (writes, calls) = writes_of_a_making::<Endpoint>().await;
    let (own, published): (Vec<_>, Vec<_>) = writes.iter().partition(|what| what.starts_with("privateendpoints/"));
    let status = "privateendpoints/gateway/status";
    let expected = ["privateendpoints/gateway", status, status, status, status, status];
    assert_eq!(own, expected, "finalizer, place, id, the connection, its zones, Ready");
    // The second and third time because the connection and the addresses are part of what is published.
    assert_eq!(published, ["configmaps", "services", "configmaps/gateway", "configmaps/gateway"]);
    assert_eq!(calls, ["CreateVpcEndpoint"]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_lets_a_tenant_in_with_four_writes_and_two_calls() {
    let (writes, calls) = writes_of_a_making::<WhitelistEntry>().await;
    let status = "whitelistentries/gateway/status";
    // What its service says of its connections is the service's own.
    let own: Vec<_> = writes.iter().filter(|what| !what.starts_with("endpointservices/")).collect();
    assert_eq!(own, ["whitelistentries/gateway", status, status, status], "finalizer, bandwidth, on the list, Ready");
    assert_eq!(writes.len(), own.len() + 1, "{writes:?}");
    assert_eq!(calls, ["AddUserToVpcEndpointService", "EnableVpcEndpointConnection"]);
}

/// For hours nothing is written anywhere, and of the cloud no more is read than sweeps read: `reads` in an hour.
async fn nothing_is_written<S: Subject>(reads: usize) {
    let (stage, api, _) = Stage::with_settled::<S>().await;
    // What came of the last write is on its way at most for a sweep.
    stage.later(Duration::from_mins(10)).await;
    let before = stage.until(&api, NAME, "there", |object| object.is_some()).await.expect("it is there");
    drop(stage.asked());
    for hour in 1..=HOURS {
        stage.later(Duration::from_hours(1)).await;
        let asked = stage.asked();
        let written: Vec<_> = asked.iter().filter(|asked| asked.writes).collect();
        // Whose the credentials are is asked of each account, whatever it holds.
        let is_read = |asked: &&Asked| asked.way == Way::Cloud && asked.what != "GetCallerIdentity";
        let read = asked.iter().filter(is_read).count();
        assert!(written.is_empty(), "hour {hour}: {written:#?}");
        assert!(read <= reads, "hour {hour}: {read} reads");
        assert!(read > 0, "hour {hour}: nobody has looked");
        let lists = asked.iter().filter(|asked| asked.what.starts_with("GET ") && !asked.what.contains("/secrets/"));
        assert_eq!(lists.map(|asked| &asked.what).collect::<Vec<_>>(), Vec::<&String>::new(), "watches go on");
    }
    let after = stage.until(&api, NAME, "there", |object| object.is_some()).await.expect("it is there");
    assert_eq!(before.meta().resource_version, after.meta().resource_version);
}

#[tokio::test(start_paused = true)]
async fn a_settled_service_costs_one_list_and_its_two_parts_a_sweep() {
    nothing_is_written::<EndpointService>(12 * 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_settled_endpoint_costs_one_list_a_sweep_and_its_two_parts_as_often_at_most() {
    nothing_is_written::<Endpoint>(12 * 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_settled_entry_costs_what_its_service_does_and_both_lists_of_principals() {
    nothing_is_written::<WhitelistEntry>(12 * 5).await;
}
