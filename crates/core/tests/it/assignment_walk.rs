//! A zone of a connection from one load balancer to another, step by step, in sentences: assigned before it is
//! accepted, moved smoothly and by force, disconnected and connected again.

use std::collections::BTreeSet;
use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Allocation, Policy};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::report::assignment::newly_ended;
use privatelink_core::state::{MigrationOutcome, ZoneState};
use privatelink_core::step::MigrationMode;
use privatelink_sim::world::call::{ConnectionKey, Side};
use privatelink_sim::world::object::{LegStatus, Principal};
use privatelink_sim::world::{AccountId, Call, Variants, advance, progress};

use crate::stage::{Tenants, Trouble, ZONES, assignment, entry, key};

const DRAIN: Duration = Duration::from_mins(10);

/// A service with two load balancers in zone f and a connection on the first of them, which is given to no new one.
fn hot(variants: Variants) -> (Tenants, ConnectionKey) {
    let mut tenants = Tenants::with(variants);
    tenants.add("tenant", entry("2"));
    tenants.rest();
    let (key_of, _) = tenants.join(0, &[0, 1]);
    tenants.sweep_and_rest();
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), true);
        one.resources.insert(key("lb-hot"), false);
    });
    tenants.rest();
    assert_eq!(tenants.leg(key_of, ZONES[0]).1, Some("lb-hot"));
    tenants.stage.calls.clear();
    tenants.stage.gaps.clear();
    tenants.stage.refusals = 0;
    (tenants, key_of)
}

fn endpoint_of(key: ConnectionKey) -> privatelink_core::id::EndpointId {
    crate::stage::endpoint_id(key.endpoint)
}

fn moved(mode: MigrationMode) -> (Tenants, ConnectionKey) {
    let (mut tenants, of) = hot(Variants::default());
    let mut one = assignment(&endpoint_of(of), "lb-cool");
    one.migration.mode = mode;
    tenants.assign("zone", one);
    tenants.rest();
    (tenants, of)
}

fn is_ready(tenants: &Tenants, name: &str) {
    let (truth, reason, message) = tenants.zone_ready(name);
    assert_eq!((truth, reason), (Truth::True, Reason::Ready), "{message}");
}

fn says(tenants: &Tenants, name: &str, reason: Reason) -> String {
    let (truth, said, message) = tenants.zone_ready(name);
    assert_eq!((truth, said), (Truth::False, reason), "{message}");
    message
}

#[test]
fn a_zone_moves_smoothly_and_is_cleaned_up_once_it_is_drained() {
    let (mut tenants, of) = moved(MigrationMode::Smooth);
    assert_eq!(tenants.stage.calls, ["ReplaceResource"]);
    let (leg, current, replaced) = tenants.leg(of, ZONES[0]);
    assert_eq!((leg.status, current, replaced), (LegStatus::Migrated, Some("lb-cool"), Some("lb-hot")));
    let message = says(&tenants, "zone", Reason::Draining);
    let status = tenants.zone_status("zone").clone();
    let open = status.migration.expect("a migration is open");
    assert!(message.contains(&open.id) && message.contains("lb-hot"), "{message}");
    assert_eq!((open.from.as_str(), open.to.as_str(), open.mode), ("lb-hot", "lb-cool", MigrationMode::Smooth));
    assert!(open.id.starts_with("lb-hot-lb-cool-1970"), "{}", open.id);
    let migrated = open.migrated_at.expect("it has moved");
    assert!(migrated >= open.started_at);
    assert_eq!(open.drain_until, Some(migrated + DRAIN));
    assert_eq!(status.state, Some(ZoneState::Migrated));
    assert_eq!(status.current.expect("a side").resource, Some("lb-cool".into()));
    assert_eq!(status.replaced.expect("a side").resource, Some("lb-hot".into()));
    assert_eq!(tenants.zone_said("zone", ConditionType::Reconciling), None, "a drain is a wait");
    assert_eq!(tenants.zone_said("zone", ConditionType::Migrated).map(|said| said.1), Some(Reason::Draining));
    assert_eq!(tenants.turn("zone").next, Next::At(migrated + DRAIN));

    let before = tenants.zone_status("zone").clone();
    tenants.stage.pass(DRAIN);
    tenants.rest();
    assert_eq!(tenants.stage.calls, ["ReplaceResource", "CloseReplaced"]);
    let (leg, current, replaced) = tenants.leg(of, ZONES[0]);
    assert_eq!((leg.status, current, replaced), (LegStatus::Connected, Some("lb-cool"), None));
    is_ready(&tenants, "zone");
    let status = tenants.zone_status("zone");
    assert_eq!((&status.migration, status.history.len()), (&None, 1));
    let last = &status.history[0];
    assert_eq!((&last.outcome, last.gap_seconds), (&Some(MigrationOutcome::Succeeded), Some(0)));
    assert!(last.completed_at >= Some(migrated + DRAIN));
    assert_eq!(newly_ended(&before, status).collect::<Vec<_>>(), [last]);
    assert_eq!((tenants.stage.gaps.len(), tenants.stage.refusals), (0, 0));
}

#[test]
fn what_is_settled_costs_no_call_and_changes_no_status() {
    let (mut tenants, _) = moved(MigrationMode::Smooth);
    tenants.stage.pass(DRAIN);
    tenants.rest();
    let (calls, status) = (tenants.stage.calls.len(), tenants.zone_status("zone").clone());
    for _ in 0..2 {
        tenants.stage.sweep();
        assert_eq!(tenants.turn("zone").next, Next::Settled);
        tenants.restart();
        tenants.turn("zone");
    }
    assert_eq!((tenants.stage.calls.len(), tenants.zone_status("zone")), (calls, &status));
}

#[test]
fn a_forced_migration_is_a_gap_that_is_measured() {
    for variant in ["true", "false"] {
        for replaced in ["true", "false"] {
            let variants = Variants::default().with("forceShowsMigrating", variant).expect("a variant");
            let variants = variants.with("forceShowsReplaced", replaced).expect("a variant");
            let (mut tenants, of) = hot(variants);
            let mut one = assignment(&endpoint_of(of), "lb-cool");
            one.migration.mode = MigrationMode::Forced;
            tenants.assign("zone", one);
            tenants.turn("zone");
            let gap_from = tenants.stage.now;
            assert!(says(&tenants, "zone", Reason::Migrating).contains("from lb-hot to lb-cool"));
            assert_eq!(tenants.stage.gaps, ["ReplaceResource"]);
            tenants.stage.pass(Duration::from_secs(30));
            tenants.turn("zone");
            tenants.stage.settle_world();
            let gap = tenants.stage.now.since(gap_from);
            tenants.rest();
            is_ready(&tenants, "zone");
            assert_eq!(tenants.stage.calls, ["ReplaceResource"]);
            assert_eq!(tenants.leg(of, ZONES[0]).1, Some("lb-cool"));
            let status = tenants.zone_status("zone");
            let [last] = status.history.as_slice() else { panic!("{:?}", status.history) };
            assert_eq!((&last.outcome, last.mode), (&Some(MigrationOutcome::Succeeded), MigrationMode::Forced));
            let told = Duration::from_secs(last.gap_seconds.expect("measured").into());
            assert!(told >= gap && told < gap + Duration::from_mins(1), "{told:?} for {gap:?}");
        }
    }
}

/// The gap is measured also where the process dies in the middle of it.
#[test]
fn a_forced_migration_is_in_the_history_after_a_crash() {
    let (mut tenants, of) = hot(Variants::default());
    let mut one = assignment(&endpoint_of(of), "lb-cool");
    one.migration.mode = MigrationMode::Forced;
    tenants.assign("zone", one);
    assert!(tenants.turn_of(Some("zone"), (0, Trouble::CrashAfter)).is_none());
    tenants.stage.pass(Duration::from_secs(40));
    tenants.stage.settle_world();
    tenants.rest();
    is_ready(&tenants, "zone");
    let last = &tenants.zone_status("zone").history[0];
    assert!(last.gap_seconds >= Some(40), "{last:?}");
    assert_eq!(tenants.stage.calls, ["ReplaceResource"], "made once");
}

#[test]
fn a_zone_is_assigned_before_its_connection_is_accepted() {
    let mut tenants = Tenants::new();
    let mut one = entry("2");
    if let Policy::Accept(acceptance) = &mut one.policy {
        acceptance.allocation = Allocation::Manual;
    }
    tenants.add("tenant", one);
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-cool"), true);
    });
    tenants.rest();
    let (of, endpoint) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let (_, reason, message) = tenants.ready("tenant");
    assert_eq!(reason, Reason::WaitingForAssignment, "{message}");
    tenants.stage.calls.clear();

    tenants.assign("zone", assignment(&endpoint, "lb-cool"));
    tenants.turn("zone");
    assert_eq!(tenants.stage.calls, ["AssignResource"]);
    tenants.stage.settle_world();
    tenants.turn("zone");
    tenants.turn("zone");
    let message = says(&tenants, "zone", Reason::WaitingForAcceptance);
    assert!(message.contains("has not been accepted yet"), "{message}");
    assert_eq!(tenants.zone_said("zone", ConditionType::Assigned).map(|said| said.0), Some(Truth::True));
    tenants.rest();
    assert_eq!(tenants.stage.calls, ["AssignResource", "AcceptConnection"]);
    let (leg, current, _) = tenants.leg(of, ZONES[0]);
    assert_eq!((leg.status, current), (LegStatus::Connected, Some("lb-cool")));
    is_ready(&tenants, "zone");
    assert_eq!(tenants.stage.refusals, 0);
    assert_eq!(tenants.ready("tenant").0, Truth::True);
}

#[test]
fn a_zone_is_disconnected_and_connected_again() {
    let (mut tenants, of) = hot(Variants::default());
    let mut one = assignment(&endpoint_of(of), "lb-hot");
    one.connected = false;
    tenants.assign("zone", one);
    tenants.rest();
    assert_eq!(tenants.stage.calls, ["DisconnectZone"]);
    assert_eq!(tenants.leg(of, ZONES[0]).0.status, LegStatus::Disconnected);
    is_ready(&tenants, "zone");
    assert_eq!(tenants.zone_said("zone", ConditionType::Connected).map(|said| said.0), Some(Truth::False));
    tenants.sweep_and_rest();
    assert_eq!(tenants.stage.calls, ["DisconnectZone"], "the entry leaves a zone alone that an assignment decides on");

    tenants.edit_zone("zone", |one| one.connected = true);
    tenants.rest();
    assert_eq!(tenants.stage.calls, ["DisconnectZone", "ConnectZone"]);
    assert_eq!(tenants.leg(of, ZONES[0]).0.status, LegStatus::Connected);
    is_ready(&tenants, "zone");
}

/// Where the cloud replaces nothing in a zone that is cut, the zone is connected first and moves then.
#[test]
fn a_zone_that_is_cut_is_given_another_load_balancer_in_both_ways_that_the_cloud_may_have() {
    for (variant, calls) in
        [("true", vec!["ReplaceResource", "ConnectZone"]), ("false", vec!["ConnectZone", "ReplaceResource"])]
    {
        let variants = Variants::default().with("replaceTakesDisconnected", variant).expect("a variant");
        let (mut tenants, of) = hot(variants);
        let zone = tenants.stage.world.land.zone_named(ZONES[0]);
        tenants.by_hand(Call::DisconnectZone(of, zone, Side::Current));
        tenants.assign("zone", assignment(&endpoint_of(of), "lb-cool"));
        tenants.sweep_and_rest();
        assert_eq!(tenants.stage.calls, calls);
        tenants.stage.pass(DRAIN);
        tenants.rest();
        let (leg, current, replaced) = tenants.leg(of, ZONES[0]);
        assert_eq!((leg.status, current, replaced), (LegStatus::Connected, Some("lb-cool"), None), "{variant}");
        is_ready(&tenants, "zone");
        assert_eq!(tenants.stage.gaps.len(), 0);
    }
}

/// A zone that appears on a connection that stands gets what the cloud picks, and moves to what is declared.
#[test]
fn the_clouds_own_pick_is_replaced() {
    for waits in ["true", "false"] {
        let variants = Variants::default().with("addedZoneWaits", waits).expect("a variant");
        let mut tenants = Tenants::with(variants);
        tenants.add("tenant", entry("2"));
        tenants.rest();
        let (of, endpoint) = tenants.join(0, &[1]);
        tenants.sweep_and_rest();
        tenants.edit_service(|one| {
            one.resources.insert(key("lb-cool"), true);
        });
        tenants.rest();
        tenants.assign("zone", assignment(&endpoint, "lb-cool"));
        tenants.rest();
        says(&tenants, "zone", Reason::WaitingForConsumer);
        tenants.add_zone(0, of, 0);
        tenants.stage.settle_world();
        tenants.sweep_and_rest();
        assert_eq!(tenants.leg(of, ZONES[0]).1, Some("lb-hot"), "the least loaded one");
        says(&tenants, "zone", Reason::ResourceStillAutoAllocated);
        tenants.edit_service(|one| {
            one.resources.insert(key("lb-hot"), false);
        });
        tenants.rest();
        tenants.stage.pass(DRAIN);
        tenants.rest();
        assert_eq!(tenants.leg(of, ZONES[0]).1, Some("lb-cool"));
        is_ready(&tenants, "zone");
    }
}

/// From each point of a smooth migration at which the process may die it goes on, and each call has its effect once.
#[test]
fn a_smooth_migration_is_resumed_from_wherever_it_was() {
    let mut deaths = 0;
    for at in 0..40 {
        for trouble in [Trouble::CrashBefore, Trouble::CrashAfter, Trouble::LostAnswer] {
            for closing in ["true", "false"] {
                let variants = Variants::default().with("cleanUpShowsDisconnecting", closing).expect("a variant");
                let (mut tenants, of) = hot(variants);
                tenants.assign("zone", assignment(&endpoint_of(of), "lb-cool"));
                for turn in 0..60 {
                    let trouble = if turn == at { (0, trouble) } else { (0, Trouble::None) };
                    deaths += usize::from(tenants.turn_of(Some("zone"), trouble).is_none());
                    if turn % 3 == 2
                        && let Some(due) = progress(&tenants.stage.world).first()
                    {
                        tenants.stage.world = advance(&tenants.stage.world, *due);
                    }
                    tenants.stage.pass(Duration::from_secs(30));
                }
                tenants.rest();
                assert_eq!(tenants.stage.calls, ["ReplaceResource", "CloseReplaced"], "{at} {trouble:?}");
                is_ready(&tenants, "zone");
                assert_eq!(tenants.stage.gaps.len(), 0);
                let history = &tenants.zone_status("zone").history;
                assert_eq!(history.len(), 1, "{at} {trouble:?}: {history:?}");
                let last = &history[0];
                let drained = last.completed_at.expect("ended").since(last.migrated_at.expect("moved"));
                assert!(drained >= DRAIN, "a drain is never shortened: {drained:?}");
            }
        }
    }
    assert_eq!(deaths, 8, "before and after each of two calls, in two worlds");
}

/// A status that is lost costs a drain from the beginning, and nothing else.
#[test]
fn a_migration_that_was_forgotten_is_found_in_the_cloud() {
    let (mut tenants, _) = moved(MigrationMode::Smooth);
    tenants.stage.pass(DRAIN / 2);
    let slot = tenants.zones.get_mut("zone").expect("there");
    slot.status.assignment.migration = None;
    slot.status.assignment.state = None;
    tenants.restart();
    tenants.rest();
    let found = tenants.zone_status("zone").migration.clone().expect("found");
    assert_eq!((found.from.as_str(), found.to.as_str(), found.mode), ("lb-hot", "lb-cool", MigrationMode::Smooth));
    tenants.stage.pass(DRAIN / 2);
    tenants.rest();
    says(&tenants, "zone", Reason::Draining);
    tenants.stage.pass(DRAIN / 2);
    tenants.rest();
    is_ready(&tenants, "zone");
    assert_eq!(tenants.stage.calls, ["ReplaceResource", "CloseReplaced"]);
}

/// Whoever moves a zone by hand finds it moved to what is declared, once both sides have been open for a while.
#[test]
fn somebody_elses_migration_is_taken_over() {
    let (mut tenants, of) = hot(Variants::default());
    tenants.assign("zone", assignment(&endpoint_of(of), "lb-cool"));
    let zone = tenants.stage.world.land.zone_named(ZONES[0]);
    let to = privatelink_sim::world::call::ResourceForm {
        balancer: tenants.stage.world.land.balancer_named("lb-cool"),
        kind: None,
        zone: None,
    };
    let replace = privatelink_sim::world::call::Assignment::ReplaceGracefully(to);
    tenants.by_hand(Call::AssignZoneResource(of, zone, replace));
    tenants.sweep_and_rest();
    says(&tenants, "zone", Reason::Draining);
    tenants.stage.pass(DRAIN);
    tenants.rest();
    is_ready(&tenants, "zone");
    assert_eq!(tenants.stage.calls, ["CloseReplaced"]);
}

/// While one migration holds the service, everything else waits without a refused call and without a word of error.
#[test]
fn what_else_is_to_be_done_waits_for_a_migration_without_noise() {
    let (mut tenants, of) = hot(Variants::default());
    tenants.by_hand(Call::AllowPrincipal(of.service, Principal::Account(AccountId(3))));
    let (other, endpoint) = tenants.join(2, &[0]);
    tenants.assign("zone", assignment(&endpoint_of(of), "lb-cool"));
    tenants.turn("zone");
    assert_eq!(tenants.stage.calls, ["ReplaceResource"]);
    tenants.add("other", entry("4"));
    tenants.edit_service(|one| {
        one.resources.insert(key("lb-spare"), true);
    });
    tenants.assign("second", assignment(&endpoint, "lb-cool"));
    for _ in 0..20 {
        for name in [None, Some("tenant"), Some("other"), Some("zone"), Some("second")] {
            tenants.turn_of(name, (0, Trouble::None));
        }
        assert!(!progress(&tenants.stage.world).is_empty(), "it moves");
        tenants.stage.pass(Duration::from_secs(5));
    }
    assert_eq!((tenants.stage.calls.as_slice(), tenants.stage.refusals), (&["ReplaceResource"][..], 0));
    assert_eq!(tenants.ready("tenant").0, Truth::True, "{:?}", tenants.ready("tenant"));
    let service = &tenants.service.status.service.common;
    assert_eq!(service.last_error, None);
    tenants.stage.settle_world();
    tenants.rest();
    let calls: BTreeSet<&str> = tenants.stage.calls.iter().copied().collect();
    assert!(calls.is_superset(&["AllowPrincipal", "AttachResource", "AssignResource"].into()), "{calls:?}");
    assert_eq!(tenants.leg(other, ZONES[0]).1, Some("lb-cool"));
    assert_eq!(tenants.stage.refusals, 0);
}
