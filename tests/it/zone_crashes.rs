//! The operator is killed at every point of a smooth migration. The zone ends where it is declared to be, by one call
//! that moves it and one that closes what it leaves, and there is no instant without a leg.

use privatelink_operator::api::ZoneResourceAssignment;
use serde_json::json;

use crate::killing::{is_a_write, killed_at};
use crate::kube_door::{Asked, Door, When};
use crate::link::{Link, lets_in, offer, tenant};
use crate::objects::{id, is_settled};
use crate::operator::{Operator, becomes};
use crate::past::calls;
use crate::zone_life::{ended, history, pinned};

const ASSIGN: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
const CLOSE: &str = "DisableVpcEndpointZoneConnection";
const ZONE: &str = "cn-hangzhou-f";
/// More requests than a migration needs: a loop that comes so far does not end.
const MOST: usize = 60;
/// The zone moves to and fro between these.
const BALANCERS: [&str; 2] = ["lb-hot", "lb-spare"];

/// The moments at which it is killed.
#[derive(Clone, Copy)]
struct Moments {
    door: fn(&Operator) -> &Door,
    test: fn(&Asked) -> bool,
    when: When,
}

/// Writes of the assignment, each of which is a moment to die at.
fn writes_assignment(asked: &Asked) -> bool {
    is_a_write(asked) && asked.path.contains("/zoneresourceassignments/")
}

/// Calls to the cloud of which each may be the last, those that ask who calls left out.
fn is_a_call(asked: &Asked) -> bool {
    asked.action != "GetCallerIdentity"
}

/// Settled on this load balancer.
fn serves(resource: &'static str) -> impl Fn(&ZoneResourceAssignment) -> bool + Send + Clone + 'static {
    move |one| {
        let current = one.status.as_ref().and_then(|status| status.current.as_ref()?.resource_id.as_deref());
        is_settled(one) && current == Some(resource)
    }
}

/// Kills the operator at the first of these moments of a migration, at the second of the next, and so on to the last.
async fn is_killed_everywhere(what: &str, moments: Moments) {
    let mut link = Link::behind_doors(what).await;
    let one = |id: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": ZONE, "autoAllocate": auto});
    let resources = [one("lb-hot", false), one("lb-spare", false), one("lb-third", true)];
    let service = link.provider.settled("gateway", &offer(&[], json!({"resources": resources}))).await;
    let by_hand = json!({"connections": {"action": "Accept", "assignment": "Manual"}});
    link.entries.settled("tenant", &lets_in(by_hand)).await;
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let endpoint = id(&link.consumer.api.get("db").await.expect("it is there")).to_owned();
    let at_once = json!({"migration": {"drainSeconds": 0}});
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, BALANCERS[0], at_once.clone())).await;
    let mut before = link.assignments.becomes("db-f", "settled", serves(BALANCERS[0])).await;
    link.consumer.becomes("db", "settled", is_settled).await;
    link.spent();

    let mut killed = 0;
    for nth in 1..=MOST {
        let (from, to) = (BALANCERS[(nth + 1) % 2], BALANCERS[nth % 2]);
        let hold = (moments.door)(&link.operator).hold(moments.when, nth, moments.test);
        link.assignments.apply("db-f", &pinned(&endpoint, ZONE, to, at_once.clone())).await;
        let test = serves(to);
        let moved = becomes(link.assignments.api.clone(), "db-f", "moved", move |one| one.is_some_and(&test));
        let now = killed_at(&mut link.operator, hold, async { drop(moved.await) }).await;
        let after = link.assignments.becomes("db-f", &format!("on {to} after it was killed"), serves(to)).await;
        assert_eq!(link.spent(), calls([(ASSIGN, 1), (CLOSE, 1)]), "killed at {nth}");
        assert_eq!(link.legs(&endpoint)[ZONE], (to.to_owned(), None), "killed at {nth}");
        let [last, rest @ ..] = history(&after) else { panic!("killed at {nth}: nothing is told of it") };
        assert_eq!(ended(last), (from, to, "Smooth", json!("Succeeded"), Some(0)), "killed at {nth}");
        let known = history(&before);
        assert_eq!(rest, &known[..rest.len()], "killed at {nth}: it is told of once");
        link.never_stopped(&endpoint);
        before = after;
        if !now {
            break;
        }
        killed += 1;
        assert!(nth < MOST, "there is no end to its requests");
    }
    println!("{what}: killed at {killed} requests of a migration");
    // The fewest that it takes: that it begins, moves, drains and has ended; or its two calls.
    assert!(killed >= 2, "{killed}");
    link.assignments.goes("db-f").await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_write_to_kubernetes_a_zone_moves_without_a_gap() {
    let moments = Moments { door: Operator::cluster_door, test: writes_assignment, when: When::Asked };
    is_killed_everywhere("zone before writes", moments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_write_to_kubernetes_a_zone_moves_without_a_gap() {
    let moments = Moments { door: Operator::cluster_door, test: writes_assignment, when: When::Answered };
    is_killed_everywhere("zone after writes", moments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_call_to_the_cloud_a_zone_moves_without_a_gap() {
    let moments = Moments { door: Operator::cloud_door, test: is_a_call, when: When::Asked };
    is_killed_everywhere("zone before calls", moments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_any_call_to_the_cloud_and_its_answer_a_zone_moves_without_a_gap() {
    let moments = Moments { door: Operator::cloud_door, test: is_a_call, when: When::Answered };
    is_killed_everywhere("zone after calls", moments).await;
}
