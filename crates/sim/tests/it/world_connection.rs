//! What the provider's calls on a connection and its zones need and lead to.

use privatelink_sim::world::call::{AcceptForm, Assignment, ConnectionKey, EndpointChange, ServiceChange, Side};
use privatelink_sim::world::invariant;
use privatelink_sim::world::object::{
    BalancerKind, ConnectionStatus, LegStatus, Principal, ServiceStatus, TrafficControl,
};
use privatelink_sim::world::{Call, EndpointId, Progress, Refusal, progress};

use crate::small_land::{
    ABROAD, CONSUMER, COOL, F, G, HERE, HOT, IN_G, NLB, NLB_TOO, PROVIDER, STRANGER, SWITCH_F, SWITCH_G, Stage, UNFIT,
    clb, resource_of, zone_form,
};

fn accept() -> AcceptForm {
    AcceptForm::default()
}

#[test]
fn a_connection_waits_is_accepted_changed_and_cut() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, IN_G]);
    let key = stage.endpoint(id, &[SWITCH_F, SWITCH_G]);
    let status = |stage: &Stage| stage.state.endpoints[&key.endpoint].connection.status;
    assert_eq!(status(&stage), ConnectionStatus::Disconnected);
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Wait);

    stage.done(PROVIDER, Call::AcceptConnection(key, AcceptForm { bandwidth_mbps: Some(200), ..accept() }));
    assert_eq!(status(&stage), ConnectionStatus::Connecting);
    assert_eq!(stage.refused(PROVIDER, Call::RejectConnection(key)), Refusal::ConnectionInTransition);
    assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::ConnectionInTransition);
    stage.settle();
    assert_eq!(status(&stage), ConnectionStatus::Connected);
    assert_eq!(stage.leg(key.endpoint, G).resource, Some(IN_G));
    assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::ConnectionState);

    let faster = AcceptForm { bandwidth_mbps: Some(300), traffic_control: None };
    stage.done(PROVIDER, Call::UpdateConnection(key, faster));
    assert_eq!(status(&stage), ConnectionStatus::Pending);
    assert_eq!(stage.refused(PROVIDER, Call::UpdateConnection(key, faster)), Refusal::ConnectionInTransition);
    stage.settle();
    assert_eq!(stage.state.endpoints[&key.endpoint].connection.bandwidth_mbps, 300);
    let too_fast = AcceptForm { bandwidth_mbps: Some(10_241), traffic_control: None };
    assert_eq!(stage.refused(PROVIDER, Call::UpdateConnection(key, too_fast)), Refusal::BandwidthOutOfRange);
    let elastic = AcceptForm { bandwidth_mbps: None, traffic_control: Some(TrafficControl::Scalability) };
    assert_eq!(stage.refused(PROVIDER, Call::UpdateConnection(key, elastic)), Refusal::BandwidthUnsupported);

    stage.done(PROVIDER, Call::RejectConnection(key));
    assert_eq!(status(&stage), ConnectionStatus::Disconnecting);
    stage.settle();
    assert_eq!(status(&stage), ConnectionStatus::Disconnected);
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Disconnected);
    assert_eq!(stage.refused(PROVIDER, Call::UpdateConnection(key, faster)), Refusal::ConnectionState);
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    stage.settle();
    assert_eq!(status(&stage), ConnectionStatus::Connected);
}

#[test]
fn an_unknown_connection_is_not_there() {
    let mut stage = Stage::new();
    let first = stage.service(&[HOT]);
    let second = stage.service(&[]);
    let key = stage.endpoint(first, &[]);
    let wrong = ConnectionKey { service: second, ..key };
    let nowhere = ConnectionKey { endpoint: EndpointId::NOWHERE, ..key };
    for key in [wrong, nowhere] {
        assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::NoConnection);
        assert_eq!(stage.refused(PROVIDER, Call::RejectConnection(key)), Refusal::NoConnection);
    }
}

#[test]
fn refusing_a_connection_that_was_never_accepted_marks_its_zones_or_leaves_them() {
    for (value, status) in [("true", LegStatus::Disconnected), ("false", LegStatus::Wait)] {
        let mut stage = Stage::flipped("refusalMarksZones", value);
        let id = stage.service(&[HOT]);
        let key = stage.endpoint(id, &[SWITCH_F]);
        stage.done(PROVIDER, Call::RejectConnection(key));
        assert_eq!(stage.leg(key.endpoint, F).status, status);
    }
    let mut strict = Stage::flipped("rejectDisconnectedRefused", "true");
    let id = strict.service(&[HOT]);
    let key = strict.endpoint(id, &[SWITCH_F]);
    strict.done(PROVIDER, Call::RejectConnection(key));
    assert_eq!(strict.refused(PROVIDER, Call::RejectConnection(key)), Refusal::ConnectionState);
}

#[test]
fn accepting_twice_is_refused_or_nothing() {
    let mut lax = Stage::flipped("acceptConnectedRefused", "false");
    let id = lax.service(&[HOT]);
    let key = lax.connected(id, &[SWITCH_F]);
    let before = lax.state.clone();
    lax.done(PROVIDER, Call::AcceptConnection(key, accept()));
    assert_eq!(lax.state, before);
}

#[test]
fn without_automatic_assignment_each_zone_is_assigned_first() {
    let mut stage = Stage::flipped("autoAssignOnEnable", "false");
    let id = stage.service(&[HOT]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::NoAvailableResource);
    stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::Automatic));
    stage.settle();
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Connected);
}

#[test]
fn a_service_that_accepts_by_itself_connects_a_fresh_endpoint_with_its_zones() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let automatic = ServiceChange { auto_accept: Some(true), ..ServiceChange::default() };
    stage.done(PROVIDER, Call::UpdateService(id, automatic));
    let key = stage.endpoint(id, &[SWITCH_F]);
    assert_eq!(stage.state.endpoints[&key.endpoint].connection.status, ConnectionStatus::Connected);
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Connected);
}

#[test]
fn a_zone_added_later_joins_or_waits() {
    for (value, status) in [("false", LegStatus::Connected), ("true", LegStatus::Wait)] {
        let mut stage = Stage::flipped("addedZoneWaits", value);
        let id = stage.service(&[HOT, IN_G]);
        let key = stage.connected(id, &[SWITCH_F]);
        stage.done(CONSUMER, Call::AddZone(key.endpoint, zone_form(SWITCH_G)));
        stage.settle();
        assert_eq!(stage.leg(key.endpoint, G).status, status);
        if status == LegStatus::Wait {
            stage.done(PROVIDER, Call::ConnectZone(key, G));
            stage.settle();
            assert_eq!(stage.leg(key.endpoint, G).status, LegStatus::Connected);
        }
    }
}

#[test]
fn a_chosen_resource_is_kept_until_automatic_forgets_it() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL, IN_G]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    let assign = |how| Call::AssignZoneResource(key, F, how);
    assert_eq!(stage.refused(PROVIDER, assign(Assignment::Manual(clb(IN_G)))), Refusal::ResourceInOtherZone);
    assert_eq!(stage.refused(PROVIDER, assign(Assignment::Manual(clb(UNFIT)))), Refusal::ResourceNotAttached);
    let unknown_zone = Call::AssignZoneResource(key, G, Assignment::Automatic);
    assert_eq!(stage.refused(PROVIDER, unknown_zone), Refusal::NoZone);
    let early = assign(Assignment::ReplaceGracefully(clb(COOL)));
    assert_eq!(stage.refused(PROVIDER, early), Refusal::ConnectionState);
    stage.done(PROVIDER, assign(Assignment::Manual(clb(COOL))));
    assert_eq!(stage.state.services[&id].status, ServiceStatus::Pending);
    assert_eq!(stage.refused(PROVIDER, assign(Assignment::Automatic)), Refusal::ServiceBusy);
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).resource, Some(COOL));
    stage.done(PROVIDER, assign(Assignment::Automatic));
    assert_eq!(stage.leg(key.endpoint, F).resource, Some(HOT));
    stage.settle();
    stage.done(PROVIDER, assign(Assignment::Manual(clb(COOL))));
    stage.settle();
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).resource, Some(COOL));
    assert_eq!(stage.refused(PROVIDER, assign(Assignment::Manual(clb(HOT)))), Refusal::ConnectionState);
}

#[test]
fn choosing_a_resource_needs_the_grant_and_a_kind_that_can_be_chosen() {
    let mut stage = Stage::new();
    let id = stage.service_of(BalancerKind::Nlb, &[NLB, NLB_TOO]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    let nlb = Call::AssignZoneResource(key, F, Assignment::Manual(resource_of(BalancerKind::Nlb, NLB)));
    assert_eq!(stage.refused(PROVIDER, nlb.clone()), Refusal::KindNotAssignable);
    stage.state.accounts.get_mut(&PROVIDER.account).expect("the provider").may_assign_resources = false;
    assert_eq!(stage.refused(PROVIDER, nlb), Refusal::AssignmentNotGranted);
}

/// A connected leg on HOT, which is not picked any more, beside COOL.
fn ready_to_migrate(mut stage: Stage) -> (Stage, ConnectionKey) {
    let id = stage.service(&[HOT, COOL]);
    let key = stage.connected(id, &[SWITCH_F]);
    assert_eq!(stage.leg(key.endpoint, F).resource, Some(HOT));
    let early = Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL)));
    assert_eq!(stage.refused(PROVIDER, early), Refusal::StillAutoAllocated);
    stage.done(PROVIDER, Call::SetAutoAllocate(id, clb(HOT), false));
    (stage, key)
}

#[test]
fn a_smooth_migration_keeps_both_sides_until_the_old_one_is_closed() {
    let (mut stage, key) = ready_to_migrate(Stage::new());
    let before = stage.leg(key.endpoint, F);
    let same = Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(HOT)));
    assert_eq!(stage.refused(PROVIDER, same), Refusal::ZoneNotReplaceable);
    stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL))));
    assert_eq!(stage.state.services[&key.service].status, ServiceStatus::Pending);
    assert_eq!(stage.refused(PROVIDER, Call::SetAutoAllocate(key.service, clb(HOT), true)), Refusal::ServiceNotActive);
    assert_eq!(stage.refused(PROVIDER, Call::RejectConnection(key)), Refusal::ConnectionInTransition);
    assert!(!progress(&stage.state).contains(&Progress::Service(key.service)), "the service waits for the leg");
    stage.settle();

    let migrated = stage.leg(key.endpoint, F);
    assert_eq!((migrated.status, migrated.resource), (LegStatus::Migrated, Some(COOL)));
    let old = migrated.replaced.expect("the old side stays");
    assert_eq!((old.resource, old.interface, old.ip), (HOT, before.interface, before.ip));
    assert_ne!(migrated.interface, before.interface);
    let load = stage.state.load_of(key.service, (HOT, F));
    assert_eq!((load.current, load.replaced), (0, 1));
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(key.service, clb(HOT))), Refusal::ResourceInUse);
    let again = Call::AssignZoneResource(key, F, Assignment::ReplaceForcibly(clb(HOT)));
    assert_eq!(stage.refused(PROVIDER, again), Refusal::ZoneNotReplaceable);

    stage.done(PROVIDER, Call::DisconnectZone(key, F, Side::Replaced));
    assert!(stage.leg(key.endpoint, F).carries());
    stage.settle();
    let closed = stage.leg(key.endpoint, F);
    assert_eq!((closed.status, closed.resource, closed.replaced), (LegStatus::Connected, Some(COOL), None));
    stage.done(PROVIDER, Call::DetachResource(key.service, clb(HOT)));
}

#[test]
fn cutting_a_migrated_zone_without_naming_the_old_side_cuts_the_current_one_or_is_refused() {
    for (value, cuts) in [("true", true), ("false", false)] {
        let (mut stage, key) = ready_to_migrate(Stage::flipped("cutOfMigratedHitsCurrent", value));
        stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL))));
        stage.settle();
        let cut = Call::DisconnectZone(key, F, Side::Current);
        if cuts {
            stage.done(PROVIDER, cut);
            assert!(!stage.leg(key.endpoint, F).carries(), "nothing carries any more");
        } else {
            assert_eq!(stage.refused(PROVIDER, cut), Refusal::ZoneState);
        }
    }
}

#[test]
fn a_forced_replacement_leaves_a_gap_and_no_old_side() {
    let (mut stage, key) = ready_to_migrate(Stage::new());
    stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceForcibly(clb(COOL))));
    assert!(!stage.leg(key.endpoint, F).carries());
    stage.settle();
    let leg = stage.leg(key.endpoint, F);
    assert_eq!((leg.status, leg.resource, leg.replaced), (LegStatus::Connected, Some(COOL), None));
}

#[test]
fn while_a_forced_replacement_runs_the_old_resource_is_named_or_not() {
    for (value, named) in [("false", None), ("true", Some(HOT))] {
        let (mut stage, key) = ready_to_migrate(Stage::flipped("forceShowsReplaced", value));
        stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceForcibly(clb(COOL))));
        let leg = stage.leg(key.endpoint, F);
        assert_eq!((leg.status, leg.replaced.map(|side| side.resource)), (LegStatus::Replacing, named));
        assert_eq!(leg.replaced_apart(), None, "there is one interface");
        assert_eq!(invariant::broken(&stage.state), Vec::<String>::new());
        stage.settle();
        let leg = stage.leg(key.endpoint, F);
        assert_eq!((leg.status, leg.resource, leg.replaced), (LegStatus::Connected, Some(COOL), None));
    }
}

#[test]
fn a_replaced_side_keeps_its_resource_or_goes_with_it() {
    for (value, keeps) in [("true", true), ("false", false)] {
        let (mut stage, key) = ready_to_migrate(Stage::flipped("replacedSideBlocksDetach", value));
        // Calls pass by the migration, so that one of them could take the old side away while it still carries.
        stage.state.variants = stage.state.variants.with("migrationBlocksService", "false").expect("a variant");
        stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL))));
        let detach = || Call::DetachResource(key.service, clb(HOT));
        assert_eq!(stage.refused(PROVIDER, detach()), Refusal::ResourceInUse, "it still carries");
        stage.settle();
        if keeps {
            assert_eq!(stage.refused(PROVIDER, detach()), Refusal::ResourceInUse);
            continue;
        }
        stage.done(PROVIDER, detach());
        let leg = stage.leg(key.endpoint, F);
        assert_eq!((leg.status, leg.resource, leg.replaced), (LegStatus::Connected, Some(COOL), None));
        assert_eq!(invariant::broken(&stage.state), Vec::<String>::new());
    }
}

#[test]
fn the_region_of_an_endpoint_answers_its_services_calls_or_not() {
    for (value, answers) in [("false", false), ("true", true)] {
        let mut stage = Stage::flipped("eitherRegionServes", value);
        let id = stage.service(&[HOT]);
        let key = stage.endpoint_abroad(id);
        let accept = || Call::AcceptConnection(key, accept());
        let rename = || {
            let change = EndpointChange { name: Some("db".into()), ..EndpointChange::default() };
            Call::UpdateEndpoint(key.endpoint, change)
        };
        if answers {
            stage.call_in(HERE, CONSUMER, rename()).expect("the service's region takes it");
            assert_eq!(stage.call_in(ABROAD, STRANGER, accept()), Err(Refusal::NoService));
            stage.call_in(ABROAD, PROVIDER, accept()).expect("the endpoint's region takes it");
        } else {
            assert_eq!(stage.call_in(HERE, CONSUMER, rename()), Err(Refusal::NoEndpoint));
            assert_eq!(stage.call_in(ABROAD, PROVIDER, accept()), Err(Refusal::NoService));
        }
    }
}

#[test]
fn a_running_migration_blocks_the_service_or_lets_calls_pass() {
    let (mut stage, key) = ready_to_migrate(Stage::flipped("migrationBlocksService", "false"));
    stage.done(PROVIDER, Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL))));
    assert_eq!(stage.state.services[&key.service].status, ServiceStatus::Pending);
    stage.done(PROVIDER, Call::AllowPrincipal(key.service, Principal::Account(STRANGER.account)));
}

#[test]
fn a_zone_is_cut_and_connected_again() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    assert_eq!(stage.refused(PROVIDER, Call::ConnectZone(key, F)), Refusal::ConnectionState);
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    stage.settle();
    assert_eq!(stage.refused(PROVIDER, Call::ConnectZone(key, F)), Refusal::ZoneState);
    assert_eq!(stage.refused(PROVIDER, Call::DisconnectZone(key, F, Side::Replaced)), Refusal::ZoneState);
    assert_eq!(stage.refused(PROVIDER, Call::DisconnectZone(key, G, Side::Current)), Refusal::NoZone);
    stage.done(PROVIDER, Call::DisconnectZone(key, F, Side::Current));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Disconnected);
    stage.done(PROVIDER, Call::ConnectZone(key, F));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).status, LegStatus::Connected);
}

#[test]
fn a_detached_resource_is_forgotten_by_the_legs_it_no_longer_serves() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL]);
    let key = stage.connected(id, &[SWITCH_F]);
    stage.done(PROVIDER, Call::DisconnectZone(key, F, Side::Current));
    stage.settle();
    stage.done(PROVIDER, Call::DetachResource(id, clb(HOT)));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, F).resource, None);
    stage.done(PROVIDER, Call::ConnectZone(key, F));
    assert_eq!(stage.leg(key.endpoint, F).resource, Some(COOL));
}

#[test]
fn a_waiting_zone_is_connected_or_refused() {
    for (value, taken) in [("true", true), ("false", false)] {
        let mut stage = Stage::flipped("connectZoneTakesWait", value);
        stage.state.variants = stage.state.variants.with("addedZoneWaits", "true").expect("a variant");
        let id = stage.service(&[HOT, IN_G]);
        let key = stage.connected(id, &[SWITCH_F]);
        stage.done(CONSUMER, Call::AddZone(key.endpoint, zone_form(SWITCH_G)));
        stage.settle();
        let connect = Call::ConnectZone(key, G);
        if taken {
            stage.done(PROVIDER, connect);
        } else {
            assert_eq!(stage.refused(PROVIDER, connect), Refusal::ZoneState);
        }
    }
}

#[test]
fn the_resource_of_a_cut_zone_is_replaced_or_kept() {
    for (value, taken) in [("true", true), ("false", false)] {
        let (mut stage, key) = ready_to_migrate(Stage::flipped("replaceTakesDisconnected", value));
        stage.done(PROVIDER, Call::DisconnectZone(key, F, Side::Current));
        stage.settle();
        let replace = Call::AssignZoneResource(key, F, Assignment::ReplaceGracefully(clb(COOL)));
        if taken {
            stage.done(PROVIDER, replace);
            assert_eq!(stage.leg(key.endpoint, F).resource, Some(COOL));
        } else {
            assert_eq!(stage.refused(PROVIDER, replace), Refusal::ZoneNotReplaceable);
        }
    }
}
