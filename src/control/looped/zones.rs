//! A zone of a tenant's connection, moved from one load balancer to another: by its assignment, smoothly or with a gap,
//! and with its service, which leaves a load balancer.

use std::time::Duration;

use privatelink_core::state::{ClaimState, Decision};
use serde_json::json;

use super::stage::Stage;
use super::subject::{NAME, Subject as _, has_no_credentials, is_settled, said};
use super::zoned::{ASSIGNMENT, DRAIN, ENTRY, OTHER, ZONE, assignment, entry, says, service, told};
use crate::api::{Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// Assigns, replaces or moves.
const CHANGES: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
/// Disconnects, or closes what was replaced.
const CLOSES: &str = "DisableVpcEndpointZoneConnection";
/// Connects.
const CONNECTS: &str = "EnableVpcEndpointZoneConnection";

fn leg(state: &str, resource: &str, replaced: Option<&str>) -> (String, Option<String>, Option<String>) {
    (state.to_owned(), Some(resource.to_owned()), replaced.map(str::to_owned))
}

#[tokio::test(start_paused = true)]
async fn a_zone_moves_smoothly_and_its_old_side_is_closed_once_it_is_drained() {
    let stage = Stage::with_assignment(&assignment("lb-hot")).await;
    assert_eq!(
        (stage.leg(), stage.moves()),
        (leg("Connected", "lb-hot", None), vec![CHANGES.to_owned(), CHANGES.to_owned()])
    );
    stage.assigns(&assignment("lb-spare")).await;
    let drains = stage.zone_becomes("False", "Draining").await;
    let open = drains.migration.expect("it is open");
    assert_eq!(stage.leg(), leg("Migrated", "lb-spare", Some("lb-hot")));
    let replaced = drains.replaced.and_then(|side| side.resource_id);
    assert_eq!(replaced.as_deref(), Some("lb-hot"));
    let status = stage.zone_becomes("True", "Ready").await;
    let record = &status.history[0];
    assert_eq!(told(record), ("lb-hot", "lb-spare", "Smooth", Some("Succeeded"), Some(0)));
    assert_eq!((status.history.len(), &record.id), (1, &open.id));
    assert_eq!((status.migration, status.replaced), (None, None));
    let [migrated, completed] =
        [&record.migrated_at, &record.completed_at].map(|time| time.as_ref().expect("a time").0);
    assert!(completed.duration_since(migrated).as_secs() >= DRAIN, "{record:?}");
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));
    assert_eq!(stage.moves()[2..], [CHANGES, CLOSES], "replaced, closed");
    assert_eq!(stage.gaps(), (0, 0));
    let zones = stage.of::<ZoneResourceAssignment>();
    stage.delete(&zones, ASSIGNMENT).await;
    stage.gone(&zones, ASSIGNMENT).await;
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None), "what it has assigned stays");
    assert_eq!((stage.moves().len(), stage.gaps()), (4, (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_forced_moves_at_once_and_its_gap_is_told() {
    let mut forced = assignment("lb-hot");
    forced["migration"] = json!({"mode": "Forced"});
    let stage = Stage::with_assignment(&forced).await;
    forced["resourceId"] = "lb-spare".into();
    stage.assigns(&forced).await;
    let status = stage.zone_becomes("True", "Ready").await;
    let record = &status.history[0];
    let gap = record.gap_seconds.expect("it has one");
    assert_eq!(told(record), ("lb-hot", "lb-spare", "Forced", Some("Succeeded"), Some(gap)));
    // The other zone carried on: there is one gap, and what is told of it is no shorter than it was.
    let (gaps, longest) = stage.gaps();
    assert_eq!(gaps, 1);
    assert!(longest > 0 && i128::from(gap) * 1_000 >= longest, "{gap} s are told of {longest} ms");
    assert!(i128::from(gap) * 1_000 < longest + 10_000, "{gap} s are told of {longest} ms");
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));
    assert_eq!(stage.moves()[2..], [CHANGES], "replaced, and nothing is left to close");
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_needs_approval_waits_until_the_annotation_names_the_migration() {
    let mut asks = assignment("lb-hot");
    asks["migration"] = json!({"approval": "Required"});
    let stage = Stage::with_assignment(&asks).await;
    asks["resourceId"] = "lb-spare".into();
    stage.assigns(&asks).await;
    let waits = stage.zone_becomes("False", "DrainApprovalNeeded").await;
    let open = waits.migration.expect("it is open");
    assert_eq!(open.drain_until, None);
    let zones = stage.of::<ZoneResourceAssignment>();
    for word in ["true", "lb-hot", ""] {
        stage.annotate(&zones, ASSIGNMENT, "privatelink.dev/drain-approved", word).await;
        stage.later(Duration::from_hours(1)).await;
        assert_eq!(stage.leg(), leg("Migrated", "lb-spare", Some("lb-hot")), "{word:?} names no migration");
    }
    stage.annotate(&zones, ASSIGNMENT, "privatelink.dev/drain-approved", &open.id).await;
    let status = stage.zone_becomes("True", "Ready").await;
    assert_eq!(told(&status.history[0]), ("lb-hot", "lb-spare", "Smooth", Some("Succeeded"), Some(0)));
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));

    // The word was for that migration: the next one asks for its own.
    asks["resourceId"] = "lb-hot".into();
    stage.assigns(&asks).await;
    let waits = stage.zone_becomes("False", "DrainApprovalNeeded").await;
    assert_ne!(waits.migration.expect("it is open").id, open.id);
    assert_eq!(stage.leg(), leg("Migrated", "lb-hot", Some("lb-spare")));
    assert_eq!(stage.gaps(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_zone_is_disconnected_and_connected_and_the_other_carries_on() {
    let mut cut = assignment("lb-hot");
    let stage = Stage::with_assignment(&cut).await;
    cut["connected"] = false.into();
    stage.assigns(&cut).await;
    stage.zone_becomes("True", "Ready").await;
    assert_eq!(stage.leg(), leg("Disconnected", "lb-hot", None));
    let endpoint = &stage.world("endpoints")[0];
    let other = endpoint["zones"].as_array().expect("a list").iter().find(|leg| leg["zone"] == OTHER.0);
    assert_eq!(other.expect("it is there")["status"], "Connected");
    assert_eq!(endpoint["connection"]["status"], "Connected");
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.moves()[2..], [CLOSES], "and nobody connects it");

    cut["connected"] = true.into();
    stage.assigns(&cut).await;
    stage.zone_becomes("True", "Ready").await;
    stage.connection_is_settled().await;
    assert_eq!(stage.leg(), leg("Connected", "lb-hot", None));
    assert_eq!(stage.moves()[2..], [CLOSES, CONNECTS]);
    assert_eq!(stage.gaps().0, 1, "the one that was declared");
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_zones_are_assigned_by_hand_is_accepted_once_they_are() {
    let mut stage = Stage::dark().await;
    stage.start();
    stage.accounts_are_ready().await;
    stage.declares_connection(&service(&[("lb-hot", true), ("lb-spare", false)]), &entry("Manual")).await;
    let entries = stage.of::<WhitelistEntry>();
    let waits = |one: Option<&WhitelistEntry>| {
        let connections = one.and_then(|one| one.status.as_ref()).map(|status| status.connections.as_slice());
        connections.is_some_and(|all| all.len() == 1 && all[0].decision == Some(Decision::Wait))
    };
    stage.until(&entries, ENTRY, "one that waits", waits).await;
    stage.later(Duration::from_hours(1)).await;
    let accepts = |stage: &Stage| stage.effects().iter().filter(|call| *call == "EnableVpcEndpointConnection").count();
    assert_eq!(accepts(&stage), 0);
    assert!(!is_settled(stage.of::<Endpoint>().get_opt(NAME).await.expect("it is read").as_ref()));

    // One zone is not enough where the endpoint has two.
    stage.assigns(&assignment("lb-spare")).await;
    let assigned = stage.zone_becomes("False", "WaitingForAcceptance").await;
    assert_eq!(assigned.claim, Some(ClaimState::Held));
    stage.later(Duration::from_hours(1)).await;
    assert_eq!((stage.leg().1.as_deref(), accepts(&stage)), (Some("lb-spare"), 0));
    stage.assigns_the_other().await;
    stage.connection_is_settled().await;
    stage.zone_becomes("True", "Ready").await;
    stage.until(&stage.of(), "g", "ready", |one| says(one, "True", "Ready")).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));
    let effects = stage.effects();
    assert_eq!(effects[effects.len() - 3..], [CHANGES, CHANGES, "EnableVpcEndpointConnection"], "{effects:?}");
    assert_eq!(stage.gaps(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_is_taken_off_the_spec_is_left_smoothly_and_detached() {
    let stage = Stage::with_connection(&service(&[("lb-hot", true), ("lb-spare", false)]), &entry("Automatic")).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-hot", None));
    let services = stage.of::<EndpointService>();
    stage.apply(&services, NAME, &service(&[("lb-spare", true)])).await;
    let drains =
        |one: Option<&EndpointService>| one.is_some_and(|one| said(one, "Evacuating") == Some(("True", "Draining")));
    let draining =
        stage.until(&services, NAME, "draining", drains).await.and_then(|one| one.status).expect("it has one");
    let row = &draining.evacuation[0];
    assert_eq!((row.resource_id.as_str(), row.zone.as_deref(), row.in_flight.len()), ("lb-hot", Some(ZONE), 1));
    assert_eq!((row.in_flight[0].to.as_str(), stage.leg()), ("lb-spare", leg("Migrated", "lb-spare", Some("lb-hot"))));
    let gone = |one: Option<&EndpointService>| {
        is_settled(one) && one.is_some_and(|one| said(one, "Evacuating").is_none_or(|(truth, _)| truth == "False"))
    };
    stage.until(&services, NAME, "left", gone).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));
    assert_eq!(attached(&stage), ["lb-spare", OTHER.1]);
    assert_eq!(stage.gaps(), (0, 0));
    stage.connection_is_settled().await;
    // It costs one move and one close, whatever is looked at later.
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.moves(), [CHANGES, CLOSES]);
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_an_assignment_keeps_is_left_once_that_names_another() {
    let stage = Stage::with_assignment(&assignment("lb-hot")).await;
    let services = stage.of::<EndpointService>();
    stage.apply(&services, NAME, &service(&[("lb-spare", false), ("lb-third", true)])).await;
    stage.until(&services, NAME, "blocked", is_blocked).await;
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-hot", None));
    stage.assigns(&assignment("lb-spare")).await;
    stage.zone_becomes("True", "Ready").await;
    let without =
        |one: Option<&EndpointService>| is_settled(one) && attached(&stage) == ["lb-spare", "lb-third", OTHER.1];
    stage.until(&services, NAME, "left", without).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-spare", None));
    assert_eq!(stage.gaps(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_zone_stays_pinned_while_its_endpoint_has_lost_its_status() {
    let mut stage = Stage::with_assignment(&assignment("lb-hot")).await;
    stage.kill().await;
    let endpoints = stage.of::<Endpoint>();
    stage.loses_status(&endpoints, NAME).await;
    let secret = stage.loses_keys(Endpoint::ACCOUNT).await;
    stage.start();
    stage.until(&endpoints, NAME, "lost", has_no_credentials).await;
    let services = stage.of::<EndpointService>();
    stage.apply(&services, NAME, &service(&[("lb-spare", false), ("lb-third", true)])).await;
    stage.until(&services, NAME, "blocked", is_blocked).await;
    stage.later(Duration::from_hours(1)).await;
    assert_eq!(stage.leg(), leg("Connected", "lb-hot", None));
    stage.has_keys_again(secret).await;
    stage.until(&endpoints, NAME, "found again", is_settled).await;
    assert_eq!((stage.leg(), stage.moves().len()), (leg("Connected", "lb-hot", None), 2), "those that made it");
}

/// The assignment keeps the service from leaving a load balancer.
fn is_blocked(service: Option<&EndpointService>) -> bool {
    let rows = service.and_then(|one| one.status.as_ref()).map(|status| status.evacuation.as_slice());
    rows.is_some_and(|rows| rows.len() == 1 && rows[0].blocked_by == [ASSIGNMENT])
}

/// The load balancers that the service has.
fn attached(stage: &Stage) -> Vec<String> {
    let service = &stage.world("services")[0];
    let all = service["resources"].as_array().expect("a list").iter();
    all.map(|one| one["resourceId"].as_str().expect("a name").to_owned()).collect()
}
