//! The gate by itself, on a clock that stands until a test moves it.

use futures::StreamExt as _;
use privatelink_core::id::ServiceId;

use super::*;

fn object(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey { kind: "EndpointService", namespace: namespace.into(), name: name.into(), uid: name.into() }
}

fn now(turn: Turn) -> Permit {
    match turn {
        Turn::Now(permit) => permit,
        Turn::Queued => panic!("others are first"),
    }
}

fn ordinary(gate: &Gate, object: &ObjectKey) -> Turn {
    gate.turn(object, &Exclusion::Account, Lane::Ordinary)
}

/// Lets everything that waits come to the head, one after the other, and says in which order.
async fn order(gate: &Gate, first: Permit) -> Vec<String> {
    let mut heads = gate.heads();
    let mut order = Vec::new();
    let mut permit = Some(first);
    while gate.waiting() > 0 {
        drop(permit.take());
        let head = heads.next().await.expect("the gate lives");
        permit = Some(now(gate.turn(&head, &Exclusion::Account, Lane::Ordinary)));
        order.push(format!("{}/{}", head.namespace, head.name));
    }
    order
}

#[tokio::test(start_paused = true)]
async fn one_call_for_each_exclusion() {
    let gate = Gate::default();
    let (a, b) = (object("x", "a"), object("x", "b"));
    let account = now(ordinary(&gate, &a));
    assert!(matches!(ordinary(&gate, &b), Turn::Queued));
    let service = |id: &str| Exclusion::Service(ServiceId::from(id));
    let one = now(gate.turn(&b, &service("1"), Lane::Ordinary));
    let _two = now(gate.turn(&b, &service("2"), Lane::Ordinary));
    assert!(matches!(gate.turn(&a, &service("1"), Lane::Ordinary), Turn::Queued));
    let _free =
        (now(gate.turn(&a, &Exclusion::None, Lane::Ordinary)), now(gate.turn(&b, &Exclusion::None, Lane::Ordinary)));
    assert_eq!(gate.waiting(), 2);
    drop((account, one));
    assert_eq!(gate.waiting(), 0, "both tickets have come to the head");
    now(gate.turn(&a, &service("1"), Lane::Ordinary));
}

#[tokio::test(start_paused = true)]
async fn namespaces_take_turns_and_what_ends_exposure_goes_first() {
    let gate = Gate::default();
    let first = now(ordinary(&gate, &object("x", "0")));
    for (namespace, name) in [("x", "1"), ("x", "2"), ("x", "3"), ("y", "1"), ("z", "1"), ("z", "2")] {
        assert!(matches!(ordinary(&gate, &object(namespace, name)), Turn::Queued));
    }
    for name in ["cut", "cut too"] {
        let turn = gate.turn(&object("z", name), &Exclusion::Account, Lane::EndsExposure);
        assert!(matches!(turn, Turn::Queued));
    }
    let expected = ["z/cut", "z/cut too", "x/1", "y/1", "z/1", "x/2", "z/2", "x/3"];
    assert_eq!(order(&gate, first).await, expected);
}

#[tokio::test(start_paused = true)]
async fn asking_again_keeps_the_place_and_the_time_that_was_waited() {
    let gate = Gate::default();
    let (a, b, c) = (object("x", "a"), object("x", "b"), object("x", "c"));
    let permit = now(ordinary(&gate, &a));
    assert!(matches!(ordinary(&gate, &b), Turn::Queued));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(matches!(ordinary(&gate, &c), Turn::Queued));
    assert!(matches!(ordinary(&gate, &b), Turn::Queued));
    assert_eq!(gate.waiting(), 2);
    let urgent = gate.turn(&c, &Exclusion::Account, Lane::EndsExposure);
    assert!(matches!(urgent, Turn::Queued));
    assert_eq!(gate.waiting(), 2, "moved to the other lane");
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(permit);
    assert!(matches!(ordinary(&gate, &b), Turn::Queued), "the turn is held for the head");
    let permit = now(ordinary(&gate, &c));
    assert_eq!(permit.waited(), Duration::from_secs(1));
    drop(permit);
    assert_eq!(now(ordinary(&gate, &b)).waited(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_loses_its_turn() {
    let gate = Gate::default();
    let mut heads = gate.heads();
    let (a, b, c) = (object("x", "a"), object("x", "b"), object("x", "c"));
    let permit = now(ordinary(&gate, &a));
    let _ = (ordinary(&gate, &b), ordinary(&gate, &c));
    drop(permit);
    assert_eq!(heads.next().await, Some(b.clone()));
    let held = Instant::now();
    assert_eq!(heads.next().await, Some(c.clone()), "paused time goes on to the end of the hold");
    assert_eq!(held.elapsed().as_secs(), HOLD.as_secs());
    assert!(matches!(ordinary(&gate, &b), Turn::Queued), "a new ticket, behind");
    let permit = now(ordinary(&gate, &c));
    drop(permit);
    now(ordinary(&gate, &b));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_hold_does_not_end_a_later_one() {
    let gate = Gate::default();
    let (a, b, c) = (object("x", "a"), object("x", "b"), object("x", "c"));
    let permit = now(ordinary(&gate, &a));
    let _ = ordinary(&gate, &b);
    drop(permit);
    tokio::time::advance(HOLD / 2).await;
    let permit = now(ordinary(&gate, &b));
    let _ = (ordinary(&gate, &a), ordinary(&gate, &c));
    drop(permit);
    tokio::time::advance(HOLD / 2 + Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    assert!(matches!(ordinary(&gate, &c), Turn::Queued), "still held for the other");
    now(ordinary(&gate, &a));
}

#[tokio::test(start_paused = true)]
async fn tickets_that_the_new_plan_does_not_need_are_dropped() {
    let gate = Gate::default();
    let mut heads = gate.heads();
    let (a, b, c) = (object("x", "a"), object("x", "b"), object("x", "c"));
    let service = Exclusion::Service(ServiceId::from("1"));
    let permit = now(ordinary(&gate, &a));
    let other = now(gate.turn(&a, &service, Lane::Ordinary));
    let _ = (ordinary(&gate, &b), ordinary(&gate, &c), gate.turn(&b, &service, Lane::Ordinary));
    gate.retain(&b, std::slice::from_ref(&service));
    assert_eq!(gate.waiting(), 2);
    drop(permit);
    assert_eq!(heads.next().await, Some(c.clone()));
    gate.retain(&c, &[]);
    now(ordinary(&gate, &a));
    drop(other);
    assert_eq!(heads.next().await, Some(b.clone()));
    now(gate.turn(&b, &service, Lane::Ordinary));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_given_up_keeps_its_turn_until_no_call_can_last() {
    let gate = Gate::default();
    let mut heads = gate.heads();
    let (a, b) = (object("x", "a"), object("x", "b"));
    let mut permit = now(ordinary(&gate, &a));
    let _ = ordinary(&gate, &b);
    permit.start();
    let call = tokio::spawn(async move {
        let _permit = permit;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    call.abort();
    assert!(call.await.expect_err("aborted").is_cancelled());
    let cancelled = Instant::now();
    assert_eq!(heads.next().await, Some(b.clone()));
    assert_eq!(cancelled.elapsed().as_secs(), LONGEST_CALL.as_secs());
    let mut permit = now(ordinary(&gate, &b));
    permit.start();
    permit.answered();
    drop(permit);
    now(ordinary(&gate, &a));
}

#[tokio::test(start_paused = true)]
async fn a_namesake_with_another_uid_is_another_object() {
    let gate = Gate::default();
    let (a, b) = (object("x", "a"), object("x", "b"));
    let again = ObjectKey { uid: "another".into(), ..b.clone() };
    let permit = now(ordinary(&gate, &a));
    let _ = ordinary(&gate, &b);
    drop(permit);
    assert!(matches!(ordinary(&gate, &again), Turn::Queued));
    now(ordinary(&gate, &b));
}
