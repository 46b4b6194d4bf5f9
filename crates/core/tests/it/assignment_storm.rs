//! Random sequences of manifests (assignments that come, go, move, are forced, cut, paused and handed over; a service
//! whose load balancers come and go), of the world's own moves, of tenants and other hands, of crashes and lost answers:
//! at the end each zone is as is declared, or its assignment says truly what it waits for, and nothing is left open. No
//! call makes a gap that nobody has declared; that is looked at with each of them.

use std::time::Duration;

use proptest::prelude::*;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Departure, Policy, Removal};
use privatelink_core::id::EndpointId;
use privatelink_core::plan::Truth;
use privatelink_core::step::MigrationMode;
use privatelink_sim::world::call::{AcceptForm, Assignment, ConnectionKey, ResourceForm, Side};
use privatelink_sim::world::object::{ConnectionStatus, LegStatus};
use privatelink_sim::world::variant::Variant;
use privatelink_sim::world::{Call, Leg, ZoneId, advance, invariant, progress};

use crate::stage::{HOMES, PROVIDER, Tenants, Trouble, ZONES, assignment, endpoint_id, entry, key, variants};

/// The load balancers of the zone in which everything happens.
const SERVING: [&str; 3] = ["lb-hot", "lb-cool", "lb-spare"];
/// Assignments by name, and the tenant whose zone each is for: two for one.
const NAMES: [(&str, usize); 3] = [("one", 0), ("rival", 0), ("other", 2)];

#[derive(Clone, Debug)]
enum Event {
    /// A turn of an assignment, of an entry or of the service; which call meets which trouble.
    Turn(usize, usize, Trouble),
    /// Everybody has so many turns, and something of the world moves between them.
    Rounds(usize),
    Restart,
    Due(usize),
    Pass(u64),
    Sweep,
    Apply(usize, usize),
    Delete(usize),
    Edit(usize, Edit),
    Service(Service),
    Entry(usize, bool),
    Join(usize, bool),
    Leave(usize),
    Hand(usize, Hand),
}

#[derive(Clone, Debug)]
enum Edit {
    Resource(usize),
    Connected(bool),
    Rules { forced: bool, drain: u64, approval: bool },
    Approved,
    Paused(bool),
}

#[derive(Clone, Debug)]
enum Service {
    /// The load balancer is declared, so or not at all.
    Declared(usize, Option<bool>),
    /// It alone is given to new connections.
    Alone(usize),
    Removal(Option<Departure>, u64),
    Paused(bool),
}

#[derive(Clone, Debug)]
enum Hand {
    Accept,
    Reject,
    Cut,
    Connect,
    Replace(usize, bool),
    Close,
}

fn turns() -> impl Strategy<Value = Event> {
    let trouble = prop_oneof![
        8 => Just(Trouble::None),
        1 => Just(Trouble::LostAnswer),
        1 => Just(Trouble::CrashAfter),
        1 => Just(Trouble::CrashBefore),
    ];
    (0_usize..6, 0_usize..2, trouble).prop_map(|(who, call, trouble)| Event::Turn(who, call, trouble))
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (0..SERVING.len()).prop_map(Edit::Resource),
        2 => any::<bool>().prop_map(Edit::Connected),
        3 => (any::<bool>(), 0_u64..900, any::<bool>())
            .prop_map(|(forced, drain, approval)| Edit::Rules { forced, drain, approval }),
        2 => Just(Edit::Approved),
        1 => any::<bool>().prop_map(Edit::Paused),
    ]
}

fn services() -> impl Strategy<Value = Service> {
    let departure = prop_oneof![
        Just(None),
        Just(Some(Departure::Wait)),
        Just(Some(Departure::Move(MigrationMode::Smooth))),
        Just(Some(Departure::Move(MigrationMode::Forced))),
    ];
    prop_oneof![
        3 => (0..SERVING.len(), prop::option::weighted(0.6, any::<bool>()))
            .prop_map(|(one, auto)| Service::Declared(one, auto)),
        4 => (0..SERVING.len()).prop_map(Service::Alone),
        2 => (departure, 0_u64..900).prop_map(|(departure, drain)| Service::Removal(departure, drain)),
        1 => any::<bool>().prop_map(Service::Paused),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let (home, one) = (0..HOMES.len(), 0..NAMES.len());
    let hand = prop_oneof![
        Just(Hand::Accept),
        Just(Hand::Reject),
        Just(Hand::Cut),
        Just(Hand::Connect),
        (0..SERVING.len(), any::<bool>()).prop_map(|(to, forced)| Hand::Replace(to, forced)),
        Just(Hand::Close),
    ];
    prop_oneof![
        16 => turns(),
        12 => (1_usize..5).prop_map(Event::Rounds),
        1 => Just(Event::Restart),
        8 => (0_usize..6).prop_map(Event::Due),
        3 => (1_u64..1_200).prop_map(Event::Pass),
        6 => Just(Event::Sweep),
        5 => (one.clone(), 0..SERVING.len()).prop_map(|(one, to)| Event::Apply(one, to)),
        1 => one.clone().prop_map(Event::Delete),
        6 => (one, edits()).prop_map(|(one, edit)| Event::Edit(one, edit)),
        5 => services().prop_map(Event::Service),
        1 => (0_usize..2, any::<bool>()).prop_map(|(one, accepts)| Event::Entry(one, accepts)),
        5 => (home.clone(), any::<bool>()).prop_map(|(home, both)| Event::Join(home, both)),
        1 => home.clone().prop_map(Event::Leave),
        3 => (home, hand).prop_map(|(home, hand)| Event::Hand(home, hand)),
    ]
}

fn key_of(tenants: &Tenants, home: usize) -> Option<ConnectionKey> {
    let (actor, vpc) = HOMES[home];
    let vpc = tenants.stage.world.land.vpc_named(vpc);
    let mut all = tenants.stage.world.endpoints.values();
    let found = all.find(|one| one.owner == actor.account && one.vpc == vpc)?;
    Some(ConnectionKey { service: found.service, endpoint: found.id })
}

fn zone(tenants: &Tenants) -> ZoneId {
    tenants.stage.world.land.zone_named(ZONES[0])
}

fn happen(tenants: &mut Tenants, event: &Event) {
    match event {
        Event::Turn(who, call, trouble) => {
            let who = [None, Some("two"), Some("three"), Some("one"), Some("rival"), Some("other")][*who];
            tenants.turn_of(who, (*call, *trouble));
        }
        Event::Rounds(rounds) => {
            for _ in 0..*rounds {
                for who in [None, Some("two"), Some("three"), Some("one"), Some("rival"), Some("other")] {
                    tenants.turn_of(who, (0, Trouble::None));
                }
                tenants.stage.pass(Duration::from_secs(10));
                if let Some(due) = progress(&tenants.stage.world).first() {
                    tenants.stage.world = advance(&tenants.stage.world, *due);
                }
            }
        }
        Event::Restart => tenants.restart(),
        Event::Due(place) => {
            let open = progress(&tenants.stage.world);
            if !open.is_empty() {
                tenants.stage.world = advance(&tenants.stage.world, open[place % open.len()]);
            }
        }
        Event::Pass(seconds) => tenants.stage.pass(Duration::from_secs(*seconds)),
        Event::Sweep => tenants.stage.sweep(),
        Event::Apply(one, to) => {
            let (name, home) = NAMES[*one];
            if let Some(key) = key_of(tenants, home).filter(|_| !tenants.zones.contains_key(name)) {
                tenants.assign(name, assignment(&endpoint_id(key.endpoint), SERVING[*to]));
            }
        }
        Event::Delete(one) => tenants.touch_zone(NAMES[*one].0, |zone| zone.deleting = true),
        Event::Edit(one, edit) => change(tenants, NAMES[*one].0, edit),
        Event::Service(service) => tenants.edit_service(|one| match service {
            Service::Declared(at, Some(auto)) => one.resources.extend([(key(SERVING[*at]), *auto)]),
            Service::Declared(at, None) => one.resources.retain(|held, _| *held != key(SERVING[*at])),
            Service::Alone(at) => one.resources.extend(SERVING.map(|name| (key(name), name == SERVING[*at]))),
            Service::Removal(departure, drain) => {
                one.removal = Removal { departure: *departure, drain: Duration::from_secs(*drain), ..Removal::WAIT };
            }
            Service::Paused(on) => one.common.annotations.paused = *on,
        }),
        Event::Entry(one, accepts) => tenants.edit(["two", "three"][*one], |one| {
            one.policy = if *accepts { entry("2").policy } else { Policy::Reject };
        }),
        Event::Join(home, both) => {
            if key_of(tenants, *home).is_none() {
                tenants.try_join(*home, if *both { &[0, 1] } else { &[0] });
            }
        }
        Event::Leave(home) => leave(tenants, *home),
        // Nobody can see what is done in the very moment between a look and a call.
        Event::Hand(home, hand) => {
            tenants.stage.pass(Duration::from_secs(6));
            meddle(tenants, *home, hand);
        }
    }
}

fn change(tenants: &mut Tenants, name: &str, edit: &Edit) {
    match edit {
        Edit::Paused(on) => return tenants.touch_zone(name, |one| one.paused = *on),
        Edit::Approved => {
            let open = tenants.zones.get(name).and_then(|slot| slot.status.assignment.migration.clone());
            return tenants.touch_zone(name, |one| one.drain_approved = open.map(|open| open.id));
        }
        _ => {}
    }
    tenants.edit_zone(name, |one| match edit {
        Edit::Resource(to) => one.resource = SERVING[*to].into(),
        Edit::Connected(on) => one.connected = *on,
        Edit::Rules { forced, drain, approval } => {
            one.migration.mode = if *forced { MigrationMode::Forced } else { MigrationMode::Smooth };
            one.migration.drain = Duration::from_secs(*drain);
            one.migration.approval = *approval;
        }
        Edit::Approved | Edit::Paused(_) => {}
    });
}

fn leave(tenants: &mut Tenants, home: usize) {
    let Some(key) = key_of(tenants, home) else { return };
    let zones: Vec<_> = tenants.connection(key).zones.keys().copied().collect();
    for zone in zones {
        let _ = tenants.stage.elsewhere(HOMES[home].0, Call::RemoveZone(key.endpoint, zone));
    }
    tenants.stage.settle_world();
    let _ = tenants.stage.elsewhere(HOMES[home].0, Call::DeleteEndpoint(key.endpoint));
}

/// What others do may be refused by the cloud: then nothing has happened.
fn meddle(tenants: &mut Tenants, home: usize, hand: &Hand) {
    let Some(key) = key_of(tenants, home) else { return };
    let zone = zone(tenants);
    let call = match hand {
        Hand::Accept => Call::AcceptConnection(key, AcceptForm::default()),
        Hand::Reject => Call::RejectConnection(key),
        Hand::Cut => Call::DisconnectZone(key, zone, Side::Current),
        Hand::Connect => Call::ConnectZone(key, zone),
        Hand::Close => Call::DisconnectZone(key, zone, Side::Replaced),
        Hand::Replace(to, forced) => {
            let balancer = tenants.stage.world.land.balancer_named(SERVING[*to]);
            let form = ResourceForm { balancer, kind: None, zone: None };
            let how = if *forced { Assignment::ReplaceForcibly(form) } else { Assignment::ReplaceGracefully(form) };
            Call::AssignZoneResource(key, zone, how)
        }
    };
    let _ = tenants.stage.elsewhere(PROVIDER, call);
}

fn check(tenants: &Tenants) -> Result<(), TestCaseError> {
    let broken = invariant::broken(&tenants.stage.world);
    prop_assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

/// Nobody is asked for anything more, and everything that is due comes.
fn calm(tenants: &mut Tenants) {
    tenants.edit_service(|one| one.common.annotations.paused = false);
    for (name, _) in NAMES {
        tenants.touch_zone(name, |one| one.paused = false);
        tenants.edit_zone(name, |one| one.migration.approval = false);
    }
    tenants.stage.settle_world();
    tenants.restart();
    tenants.rest();
    // One migration may have to end before another begins, and each is drained.
    for _ in 0..6 {
        tenants.stage.pass(Duration::from_mins(16));
        tenants.sweep_and_rest();
    }
}

/// Every hurdle is taken away that people can take away: all load balancers are there, and the one that is given to new
/// connections is none that a zone is to leave; every connection is accepted.
fn help(tenants: &mut Tenants) {
    let zone = zone(tenants);
    let land = &tenants.stage.world.land;
    let legs =
        tenants.stage.world.endpoints.values().filter_map(|one| Some((endpoint_id(one.id), one.zones.get(&zone)?)));
    let on: Vec<(_, String)> =
        legs.filter_map(|(endpoint, leg)| Some((endpoint, land.balancer(leg.resource?)?.name.clone()))).collect();
    let wanted =
        |endpoint: &EndpointId| tenants.claims().pin(endpoint, &ZONES[0].into()).map(|pin| pin.resource.to_string());
    let leaves = |name: &str| on.iter().any(|(id, has)| has == name && wanted(id).is_some_and(|to| to != name));
    let free = SERVING.into_iter().find(|name| !leaves(name)).expect("one more than zones that move");
    tenants.edit_service(|one| {
        one.removal = Removal { departure: None, ..Removal::WAIT };
        one.resources.extend(SERVING.map(|name| (key(name), name == free)));
    });
    for name in ["two", "three"] {
        tenants.edit(name, |one| one.policy = entry("2").policy);
    }
    tenants.stage.sweep();
}

/// Each zone is as is declared, or its assignment says truly what it waits for.
fn as_declared(tenants: &Tenants) -> Result<(), TestCaseError> {
    let (claims, zone) = (tenants.claims(), zone(tenants));
    let world = &tenants.stage.world;
    let service = world.services.values().next().expect("it is made");
    let attached = |name: &str| {
        let balancer = world.land.balancer_named(name);
        service.resources.get(&(balancer, zone)).map(|one| one.auto_allocate)
    };
    for (name, _) in NAMES {
        let Some(slot) = tenants.zones.get(name) else { continue };
        let one = tenants.assigned(name);
        let endpoint = one.endpoint().expect("known").clone();
        let (truth, reason, message) = tenants.zone_ready(name);
        let pin = claims.pin(&endpoint, &one.zone).expect("somebody decides");
        if pin.uid != one.uid {
            prop_assert_eq!(reason, Reason::OwnershipConflict, "{}", message);
            continue;
        }
        prop_assert!(slot.status.assignment.history.len() <= 10);
        let connection = world.endpoints.values().find(|one| endpoint_id(one.id) == endpoint);
        let leg = connection.and_then(|one| one.zones.get(&zone));
        let (Some(connection), Some(leg)) = (connection, leg) else {
            prop_assert_eq!(reason, Reason::WaitingForConsumer, "{}", message);
            continue;
        };
        let stands = connection.connection.status == ConnectionStatus::Connected;
        let has = leg.resource.and_then(|id| world.land.balancer(id)).map(|one| one.name.clone());
        let served = has.as_deref() == Some(one.resource.as_str());
        let told = format!("{name}: {leg:?} {has:?} {stands}: {truth:?} {reason} {message}");
        prop_assert!(slot.status.assignment.migration.is_none(), "{told}");
        prop_assert!(leg.replaced.is_none(), "{told}");
        let up = stands && leg.status == LegStatus::Connected;
        if truth == Truth::True {
            let unserved = !one.connected && has.is_none();
            prop_assert!(up == one.connected && (served || unserved), "{told}");
            continue;
        }
        let auto = has.as_deref().and_then(attached);
        let takes = |variant| world.variants.is_on(variant);
        let true_word = match reason {
            Reason::WaitingForAcceptance | Reason::RejectedByProvider => !stands && served && one.connected,
            Reason::ReferenceNotFound => !served && attached(one.resource.as_str()).is_none(),
            Reason::ResourceStillAutoAllocated | Reason::LastAutoAllocatedInZone => {
                !served && stands && auto == Some(true)
            }
            // Some worlds have no way to connect a zone that waits, or to replace anything in one that is cut.
            Reason::Degraded => leg.status == LegStatus::Wait && !takes(Variant::ConnectZoneTakesWait),
            Reason::NoResourceInZone => leg.status == LegStatus::Wait && has.is_none(),
            Reason::FeatureNotEnabled => !up && !one.connected && !served && !takes(Variant::ReplaceTakesDisconnected),
            _ => false,
        };
        prop_assert!(true_word, "{told}");
    }
    Ok(())
}

/// Nothing is left open that nobody closes, and what was taken off the spec is left, or it is told why not.
fn is_left(tenants: &Tenants) -> Result<(), TestCaseError> {
    let world = &tenants.stage.world;
    let open = |leg: &Leg| leg.replaced.is_some();
    for endpoint in world.endpoints.values() {
        prop_assert!(!endpoint.zones.values().any(open), "{endpoint:?}");
    }
    let status = &tenants.service.status.service;
    let service = world.services.values().next().expect("it is made");
    let declared = &tenants.the_service().resources;
    let named = |id| world.land.balancer(id).map(|one| one.name.clone()).unwrap_or_default();
    let left: Vec<String> = service.resources.keys().map(|(id, _)| named(*id)).collect();
    let left = left.iter().filter(|name| !declared.contains_key(&key(name)));
    let said = status.common.conditions.iter().find(|one| one.condition == ConditionType::Evacuating);
    for name in left {
        let used = status.leaving.iter().any(|row| row.resource == key(name));
        let told = said.is_some_and(|said| {
            said.message.contains(name.as_str()) && !matches!(said.reason, Reason::Migrating | Reason::Draining)
        });
        prop_assert!(!used || told, "{name}: {said:?} {:?}", status.leaving);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_is_as_declared(
        variants in variants(), events in prop::collection::vec(events(), 1..90)
    ) {
        let mut tenants = Tenants::with(variants);
        tenants.add("two", entry("2"));
        tenants.add("three", entry("3"));
        tenants.edit_service(|one| {
            one.resources = [(key("lb-hot"), false), (key("lb-cool"), true), (key("lb-spare"), false), (key("lb-g"), true)].into();
        });
        tenants.rest();
        let endpoints = [0, 1, 2].map(|home| tenants.join(home, &[0, 1]).1);
        tenants.sweep_and_rest();
        happen(&mut tenants, &Event::Service(Service::Alone(2)));
        tenants.rest();
        for (name, home) in [NAMES[0], NAMES[2]] {
            tenants.assign(name, assignment(&endpoints[home], "lb-hot"));
        }
        for event in &events {
            happen(&mut tenants, event);
            check(&tenants)?;
        }
        calm(&mut tenants);
        check(&tenants)?;
        as_declared(&tenants)?;
        is_left(&tenants)?;
        help(&mut tenants);
        calm(&mut tenants);
        check(&tenants)?;
        as_declared(&tenants)?;
        is_left(&tenants)?;
        for (name, _) in NAMES.into_iter().filter(|(name, _)| tenants.zones.contains_key(*name)) {
            let (truth, reason, message) = tenants.zone_ready(name);
            // What other objects, tenants and the cloud itself have to lift.
            let lifted = matches!(
                reason,
                Reason::OwnershipConflict | Reason::WaitingForConsumer | Reason::Degraded | Reason::FeatureNotEnabled
            );
            prop_assert!(truth == Truth::True || lifted, "{name}: {reason} {message}");
        }
    }
}
