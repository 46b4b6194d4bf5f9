//! The stories of a hot load balancer, zone by zone: one is pinned before its connection is accepted, moves to another
//! load balancer with no instant without one or with a gap that is told, waits for a person, is cut and connected
//! again, with no call more than that needs.

use jiff::SignedDuration;
use privatelink_operator::api::ZoneResourceAssignment;
use privatelink_operator::api::zone::MigrationRecord;
use privatelink_sim::fixture::Fixture;
use serde_json::{Value, json};

use crate::link::{Link, lets_in, offer, tenant, with};
use crate::objects::{id, is_settled, looked_at, said};
use crate::operator::TIME_SCALE;
use crate::past::calls;

const ALLOW: &str = "AddUserToVpcEndpointService";
const ACCEPT: &str = "EnableVpcEndpointConnection";
const CREATE: &str = "CreateVpcEndpoint";
/// Gives a zone a load balancer, and another one.
const ASSIGN: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
/// Closes one side of a zone.
const CLOSE: &str = "DisableVpcEndpointZoneConnection";
const CONNECT: &str = "EnableVpcEndpointZoneConnection";
const ZONE: &str = "cn-hangzhou-f";
const OTHER_ZONE: &str = "cn-hangzhou-g";
const DRAIN_APPROVED: &str = "privatelink.dev/drain-approved";

/// A world in which a zone moves for longer than any story takes, until the story lets it arrive.
fn slow() -> Fixture {
    let mut world = Fixture::built_in();
    world.durations.replacement = SignedDuration::from_hours(24);
    world
}

/// The provider's side in two zones, with a second load balancer in the first, which new connections get.
pub fn two_balancers() -> Value {
    let one = |id: &str, zone: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": zone, "autoAllocate": auto});
    let resources = [one("lb-hot", ZONE, false), one("lb-spare", ZONE, true), one("lb-hot-g", OTHER_ZONE, true)];
    offer(&[], json!({"resources": resources}))
}

/// A zone of the endpoint with this id, with these fields too.
pub fn pinned(endpoint: &str, zone: &str, resource: &str, fields: Value) -> Value {
    let spec = json!({
        "serviceRef": {"name": "gateway"}, "endpoint": {"id": endpoint}, "zone": zone, "resourceId": resource,
    });
    with(spec, fields)
}

/// The zone and its open side, as the status says.
fn sides(one: &ZoneResourceAssignment) -> (Option<&str>, Option<&str>) {
    let status = one.status.as_ref();
    let current = status.and_then(|status| status.current.as_ref()?.resource_id.as_deref());
    (current, status.and_then(|status| status.replaced.as_ref()?.resource_id.as_deref()))
}

/// The state of the zone, as the status of the spec of now says.
pub fn is_in(state: &'static str) -> impl Fn(&ZoneResourceAssignment) -> bool + Send {
    move |one| looked_at(one) && one.status.as_ref().is_some_and(|status| json!(status.state) == state)
}

/// The migration that is open.
fn open(one: &ZoneResourceAssignment) -> &MigrationRecord {
    one.status.as_ref().and_then(|status| status.migration.as_ref()).expect("a migration is open")
}

/// The migrations that have ended.
pub fn history(one: &ZoneResourceAssignment) -> &[MigrationRecord] {
    one.status.as_ref().map(|status| status.history.as_slice()).unwrap_or_default()
}

/// How a migration ended: from, to, mode, outcome and gap.
pub fn ended(one: &MigrationRecord) -> (&str, &str, &str, Value, Option<u32>) {
    (&one.from, &one.to, &one.mode, json!(one.outcome), one.gap_seconds)
}

/// A tenant in both zones that is accepted, with its first zone pinned to the hot load balancer; the endpoint's id.
pub async fn accepted(link: &mut Link) -> String {
    let service = link.provider.settled("gateway", &two_balancers()).await;
    let by_hand = json!({"connections": {"action": "Accept", "assignment": "Manual"}});
    link.entries.settled("tenant", &lets_in(by_hand)).await;
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f", "g"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let endpoint = id(&link.consumer.api.get("db").await.expect("it is there")).to_owned();
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-hot", json!({}))).await;
    link.assignments.apply("db-g", &pinned(&endpoint, OTHER_ZONE, "lb-hot-g", json!({}))).await;
    link.decides("tenant", &endpoint, "Accept", "Connected").await;
    for name in ["db-f", "db-g"] {
        link.assignments.becomes(name, "settled", is_settled).await;
    }
    link.consumer.becomes("db", "settled", is_settled).await;
    link.spent();
    endpoint
}

/// All of it goes, and no call is made for the assignments.
async fn ends(mut link: Link) {
    link.spent();
    for name in ["db-f", "db-g"] {
        link.assignments.goes(name).await;
    }
    assert_eq!(link.spent(), calls([]), "what is assigned stays so");
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_accepted_once_each_of_its_zones_is_assigned_by_hand() {
    let mut link = Link::start("zone by hand").await;
    let service = link.provider.settled("gateway", &two_balancers()).await;
    link.spent();
    let by_hand = json!({"connections": {"action": "Accept", "assignment": "Manual"}});
    link.entries.settled("tenant", &lets_in(by_hand)).await;
    // The assignment of an Endpoint that is not there yet waits for it.
    let of_db = json!({"ref": {"name": "db", "namespace": link.consumer.namespace}});
    link.consumer.apply("db", &tenant(&json!({"id": id(&service)}), &["f", "g"])).await;
    link.consumer.says("db", "WaitingForAcceptance").await;
    let endpoint = id(&link.consumer.api.get("db").await.expect("it is there")).to_owned();
    link.entries.says_where("tenant", "WaitingForAssignment", |message| message.contains(&endpoint)).await;
    assert_eq!(link.spent(), calls([(ALLOW, 1), (CREATE, 1)]));

    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-hot", json!({"endpoint": of_db}))).await;
    link.assignments
        .says_where("db-f", "WaitingForAcceptance", |message| message.starts_with("lb-hot is assigned"))
        .await;
    let one = link.assignments.api.get("db-f").await.expect("it is there");
    assert_eq!(said(&one, "Assigned").map(|(status, ..)| status), Some("True"));
    assert_eq!(said(&one, "Connected").map(|(status, ..)| status), Some("False"));
    link.entries.is_looked_at("tenant", "one zone is assigned").await;
    link.entries.says_where("tenant", "WaitingForAssignment", |message| message.contains(OTHER_ZONE)).await;
    assert_eq!(link.spent(), calls([(ASSIGN, 1)]), "one zone is not enough");

    link.assignments.apply("db-g", &pinned(&endpoint, OTHER_ZONE, "lb-hot-g", json!({}))).await;
    for name in ["db-f", "db-g"] {
        let one = link.assignments.becomes(name, "settled", is_settled).await;
        let status = one.status.as_ref().expect("a status");
        assert_eq!((json!(status.state), json!(status.claim)), (json!("Connected"), json!("Held")));
        assert_eq!((&status.migration, history(&one)), (&None, &[][..]), "nothing has moved");
    }
    let endpoint_object = link.consumer.becomes("db", "settled", is_settled).await;
    link.is_true(&endpoint_object);
    link.entries.becomes("tenant", "settled", is_settled).await;
    assert_eq!(link.spent(), calls([(ASSIGN, 1), (ACCEPT, 1)]));
    let zone = |resource: &str| (resource.to_owned(), None);
    let expected = [(ZONE.to_owned(), zone("lb-hot")), (OTHER_ZONE.to_owned(), zone("lb-hot-g"))];
    assert_eq!(link.legs(&endpoint), expected.into());
    let printed = link.operator.cluster.kubectl(&["get", "plz", "db-g", "-n", &link.assignments.namespace]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "ENDPOINT", "ZONE", "RESOURCE", "STATE", "REASON", "AGE"]);
    assert_eq!(lines[1][..7], ["db-g", "True", &endpoint, OTHER_ZONE, "lb-hot-g", "Connected", "Ready"]);
    link.never_stopped(&endpoint);
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_moves_smoothly_and_its_old_side_is_closed_once_it_is_drained() {
    let mut link = Link::start_with("zone smooth", slow()).await;
    let endpoint = accepted(&mut link).await;
    let smooth = json!({"migration": {"mode": "Smooth", "drainSeconds": 3}});
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", smooth)).await;
    let moving = link.assignments.becomes("db-f", "Migrating", is_in("Migrating")).await;
    assert_eq!(said(&moving, "Ready").map(|(status, why, _)| (status, why)), Some(("False", "Migrating")));
    assert_eq!(said(&moving, "Reconciling").map(|(status, ..)| status), Some("True"));
    assert_eq!(said(&moving, "Connected").map(|(status, ..)| status), Some("True"));
    assert_eq!(said(&moving, "Migrated").map(|(status, ..)| status), Some("False"));
    let begun = open(&moving).clone();
    assert_eq!((begun.from.as_str(), begun.to.as_str(), begun.mode.as_str()), ("lb-hot", "lb-spare", "Smooth"));
    assert!(begun.id.starts_with("lb-hot-lb-spare-"), "{}", begun.id);
    assert_eq!((&begun.migrated_at, &begun.drain_until, &begun.outcome), (&None, &None, &None));
    assert_eq!(link.spent(), calls([(ASSIGN, 1)]));
    // Nobody else minds: the consumer and the entry stay as they were.
    link.consumer.looks_again("db", "it moves").await;
    link.entries.looks_again("tenant", "it moves").await;

    link.settles();
    let moved = link.assignments.becomes("db-f", "Migrated", is_in("Migrated")).await;
    assert_eq!(sides(&moved), (Some("lb-spare"), Some("lb-hot")));
    let status = moved.status.as_ref().expect("a status");
    let interface = |side: &Option<privatelink_operator::api::zone::ZoneSide>| {
        side.as_ref().and_then(|side| side.interface_id.clone()).expect("an interface")
    };
    assert_ne!(interface(&status.current), interface(&status.replaced), "each side has its own");
    assert_eq!(said(&moved, "Ready").map(|(status, why, _)| (status, why)), Some(("False", "Draining")));
    assert_eq!(said(&moved, "Reconciling"), None, "a drain is nothing that we do");
    let open = open(&moved).clone();
    assert_eq!(open.id, begun.id);
    let (at, until) = (open.migrated_at.clone().expect("a time"), open.drain_until.clone().expect("a time"));
    assert_eq!(until.0.duration_since(at.0), SignedDuration::from_secs(3));
    assert_eq!(link.legs(&endpoint)[ZONE], ("lb-spare".to_owned(), Some("lb-hot".to_owned())));
    assert_eq!(link.spent(), calls([]), "nothing is closed before its time");

    let done = link.assignments.becomes("db-f", "settled", is_settled).await;
    assert_eq!(
        (sides(&done), done.status.as_ref().map(|one| one.migration.is_none())),
        ((Some("lb-spare"), None), Some(true))
    );
    let [last] = history(&done) else { panic!("{:#?}", history(&done)) };
    assert_eq!(last.id, begun.id);
    assert_eq!(ended(last), ("lb-hot", "lb-spare", "Smooth", json!("Succeeded"), Some(0)));
    assert!(last.completed_at.as_ref().is_some_and(|at| at.0 >= until.0), "it has drained for as long as is declared");
    assert_eq!(link.spent(), calls([(CLOSE, 1)]));
    assert_eq!(link.legs(&endpoint)[ZONE], ("lb-spare".to_owned(), None));
    let told = link.operator.tells(&link.assignments.namespace, "db-f", "MigrationEnded").await;
    assert_eq!(told, format!("migration {} (Smooth): Succeeded, with a gap of 0 s", last.id));
    link.assignments.looks_again("db-f", "nothing was changed").await;
    let endpoint_object = link.consumer.looks_again("db", "it has moved").await;
    link.is_true(&endpoint_object);
    assert_eq!(link.spent(), calls([]));
    link.never_stopped(&endpoint);
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_moves_by_force_tells_of_a_gap_no_shorter_than_it_was() {
    let mut world = Fixture::built_in();
    // Two seconds of ours.
    world.durations.replacement = SignedDuration::from_secs(2 * i64::from(TIME_SCALE));
    let mut link = Link::start_with("zone forced", world).await;
    let endpoint = accepted(&mut link).await;
    link.never_stopped(&endpoint);
    let forced = json!({"migration": {"mode": "Forced"}});
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", forced)).await;
    let done = link.assignments.becomes("db-f", "settled", is_settled).await;
    let [last] = history(&done) else { panic!("{:#?}", history(&done)) };
    let (from, to, mode, outcome, gap) = ended(last);
    assert_eq!((from, to, mode, outcome), ("lb-hot", "lb-spare", "Forced", json!("Succeeded")));
    assert_eq!(link.spent(), calls([(ASSIGN, 1)]), "there is no side to close");
    assert_eq!(link.legs(&endpoint)[ZONE], ("lb-spare".to_owned(), None));
    let gaps = link.gaps(&endpoint);
    let (times, seconds) = gaps[ZONE];
    assert_eq!((times, gaps[OTHER_ZONE].0, gaps[""].0), (1, 0, 0), "the other zone carried all the while");
    let seen = seconds / f64::from(TIME_SCALE);
    let gap = f64::from(gap.expect("a gap is told"));
    assert!(seen >= 2.0 && gap >= seen, "the cloud has seen {seen} s, and {gap} s are told");
    let told = link.operator.tells(&link.assignments.namespace, "db-f", "MigrationEnded").await;
    assert_eq!(told, format!("migration {} (Forced): Succeeded, with a gap of {gap} s", last.id));
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_side_stays_open_until_a_person_agrees_to_this_very_migration() {
    let mut link = Link::start("zone approval").await;
    let endpoint = accepted(&mut link).await;
    let careful = json!({"migration": {"approval": "Required"}});
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", careful)).await;
    let message = link.assignments.says("db-f", "DrainApprovalNeeded").await;
    let moved = link.assignments.api.get("db-f").await.expect("it is there");
    let id = open(&moved).id.clone();
    assert!(message.contains(&format!("{DRAIN_APPROVED} is {id}")), "{message}");
    assert_eq!(said(&moved, "Stalled").map(|(status, why, _)| (status, why)), Some(("True", "DrainApprovalNeeded")));
    assert_eq!(open(&moved).drain_until, None);
    assert_eq!(link.spent(), calls([(ASSIGN, 1)]));
    link.assignments.annotate("db-f", DRAIN_APPROVED, Some("lb-hot-lb-spare-20200101T000000Z")).await;
    let waits = link.assignments.is_looked_at("db-f", "another was approved").await;
    assert_eq!(sides(&waits), (Some("lb-spare"), Some("lb-hot")));
    assert_eq!(link.spent(), calls([]), "another one was agreed to");
    link.assignments.annotate("db-f", DRAIN_APPROVED, Some(&id)).await;
    let done = link.assignments.becomes("db-f", "settled", is_settled).await;
    assert_eq!(sides(&done), (Some("lb-spare"), None));
    assert_eq!(ended(&history(&done)[0]), ("lb-hot", "lb-spare", "Smooth", json!("Succeeded"), Some(0)));
    assert_eq!(link.spent(), calls([(CLOSE, 1)]));
    link.never_stopped(&endpoint);
    ends(link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_cut_and_connected_again_and_one_that_drains_is_closed_first() {
    let mut link = Link::start("zone cut").await;
    let endpoint = accepted(&mut link).await;
    let cut = |resource: &str| pinned(&endpoint, ZONE, resource, json!({"connected": false}));
    let is_cut = |one: &ZoneResourceAssignment| is_settled(one) && is_in("Disconnected")(one);
    link.assignments.apply("db-f", &cut("lb-hot")).await;
    let down = link.assignments.becomes("db-f", "cut", is_cut).await;
    assert_eq!(said(&down, "Connected").map(|(status, ..)| status), Some("False"));
    assert_eq!(link.spent(), calls([(CLOSE, 1)]));
    assert_eq!((link.gaps(&endpoint)[ZONE].0, link.gaps(&endpoint)[""].0), (1, 0), "this zone alone");
    link.consumer.becomes("db", "still ready", |one| said(one, "Ready").is_some_and(|(is, ..)| is == "True")).await;

    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-hot", json!({}))).await;
    let is_up = |one: &ZoneResourceAssignment| is_settled(one) && is_in("Connected")(one);
    link.assignments.becomes("db-f", "connected", is_up).await;
    assert_eq!(link.spent(), calls([(CONNECT, 1)]));

    // The cloud wants the old side closed before the zone is cut: the drain of ten minutes is not waited for.
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", json!({}))).await;
    link.assignments.says("db-f", "Draining").await;
    assert_eq!(link.spent(), calls([(ASSIGN, 1)]));
    link.assignments.apply("db-f", &cut("lb-spare")).await;
    let down = link.assignments.becomes("db-f", "cut", is_cut).await;
    assert_eq!(ended(&history(&down)[0]), ("lb-hot", "lb-spare", "Smooth", json!("Succeeded"), Some(0)));
    assert_eq!(link.spent(), calls([(CLOSE, 2)]));
    assert_eq!(link.legs(&endpoint)[ZONE], ("lb-spare".to_owned(), None));
    assert_eq!((link.gaps(&endpoint)[ZONE].0, link.gaps(&endpoint)[""].0), (2, 0), "twice, and both were declared");
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", json!({}))).await;
    link.assignments.becomes("db-f", "connected", is_up).await;
    assert_eq!(link.spent(), calls([(CONNECT, 1)]));
    ends(link).await;
}
