//! Two replicas of the real binary before one API server and one cloud: who writes, and that nobody else does. That the
//! other one takes over from one that is killed is told among the [crashes](crate::service_crashes).

use std::time::{Duration, Instant};

use privatelink_operator::runtime::lease::TIME_TO_LIVE;
use privatelink_sim::fixture::Fixture;
use serde_json::Value;

use crate::killing::{is_a_write, tagged};
use crate::kube_door::{Asked, When};
use crate::operator::Operator;
use crate::service::{becomes_ready, goes, offered};

const CREATE: &str = "CreateVpcEndpointService";

/// Whether a request to the cloud reads.
fn reads(asked: &Asked) -> bool {
    ["List", "Get", "Describe"].iter().any(|word| asked.action.starts_with(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_for_longer_than_its_claim_writes_nothing_when_it_goes_on() {
    let mut operator = Operator::start_behind_doors("hanging replica", Fixture::built_in()).await;
    let namespace = operator.cluster.namespace("hanging").await;
    operator.account("hanging-replica", &[&namespace]).await;
    let services = offered(&operator, &namespace, "hanging-replica", "before").await;
    becomes_ready(&operator, &services, "before").await;
    operator.stand_by("the-other-replica").await;

    // It hangs while its create call is on its way; the cloud has done it, and the answer waits for whoever reads it.
    let hold = operator.cloud_door().hold(When::Answered, 1, |asked| asked.action == CREATE);
    offered(&operator, &namespace, "hanging-replica", "during").await;
    hold.has_come().await;
    operator.hangs();
    let hung = Instant::now();
    drop(hold);
    operator.is_taken_over().await;
    let silent = hung.elapsed();
    println!("a replica that hangs: the other one makes turns {:.1} s after that", silent.as_secs_f64());
    assert!(silent < TIME_TO_LIVE + Duration::from_secs(10), "{silent:?}");
    becomes_ready(&operator, &services, "during").await;
    operator.has_looked_at("during").await;
    operator.has_looked_at("before").await;

    operator.cluster_door().forget();
    operator.cloud_door().forget();
    let made = operator.writes();
    let (status, said) = operator.goes_on_and_ends().await;
    assert!(!status.success(), "it ends, so that it is started as one that stands by");
    // It has seen the other one's name in the Lease, or that it could not renew it in time.
    let why = "this replica ends, and is started again as one that stands by";
    assert!(said.iter().any(|line| line.to_string().contains(why)), "{said:#?}");
    let steps: Vec<&Value> = said.iter().filter(|line| line["action"].is_string()).collect();
    println!("what it has heard of the cloud since: {steps:#?}");
    let cloud = operator.cloud_door().asked();
    assert!(cloud.iter().all(reads), "{cloud:#?}");
    let writes: Vec<Asked> = operator.cluster_door().asked().into_iter().filter(is_a_write).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert_eq!(operator.writes(), made);
    assert_eq!(made.get(CREATE), Some(&2), "no call had a second effect: {made:?}");
    assert_eq!(tagged(&operator, "services", &namespace, "during").len(), 1);

    goes(&operator, &services, "before").await;
    goes(&operator, &services, "during").await;
    operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_told_to_end_hands_over_at_once() {
    let mut operator = Operator::start("handed over").await;
    let namespace = operator.cluster.namespace("handed").await;
    operator.account("handed-over", &[&namespace]).await;
    let services = offered(&operator, &namespace, "handed-over", "gateway").await;
    becomes_ready(&operator, &services, "gateway").await;
    operator.stand_by("the-other-replica").await;
    let asked = Instant::now();
    let status = operator.end().await;
    assert!(status.success(), "{status}");
    operator.is_taken_over().await;
    let silent = asked.elapsed();
    println!("told to end: the other replica makes turns {:.1} s after that", silent.as_secs_f64());
    assert!(silent < TIME_TO_LIVE / 3, "{silent:?}: nobody waits for the Lease to run out");
    assert_eq!(operator.writes().get(CREATE), Some(&1), "what is settled is left alone");
    goes(&operator, &services, "gateway").await;
    operator.stop().await;
}
