//! Random sequences of manifests (entries that come, go, flip, expire and are handed over; a service that is paused,
//! observed and deleted), of the world's own moves, of tenants and other hands, of crashes and lost answers: at the
//! end the world is as the manifests say, and whoever was let out has no live connection. What may never be asked for
//! on the way is checked at each call.

use std::time::Duration;

use proptest::prelude::*;

use privatelink_core::claims::Claims;
use privatelink_core::desired::{Management, OnDelete, Policy, Revocation};
use privatelink_core::plan::Truth;
use privatelink_core::principal::{Principal, Whom};
use privatelink_core::state::Decision;
use privatelink_sim::world::call::{AcceptForm, ConnectionKey, Side};
use privatelink_sim::world::object::{self, ConnectionStatus, LegStatus};
use privatelink_sim::world::{AccountId, Call, Variants, advance, invariant, progress};

use crate::stage::{HOMES, PROVIDER, Tenants, Trouble, ZONES, entry, variants};

/// Entries by name, and whom each names: two for one account in two forms, one for another, one for everybody.
const NAMES: [(&str, &str); 4] = [("first", "2"), ("second", "acs:ram:*:2"), ("third", "3"), ("all", "acs:ram:*:*")];

#[derive(Clone, Debug)]
enum Event {
    /// A turn of an entry, or of the service; which call meets which trouble.
    Turn(Option<usize>, usize, Trouble),
    Restart,
    Due(usize),
    Pass(u64),
    Sweep,
    Apply(usize),
    Delete(usize),
    Edit(usize, Edit),
    Service(Service),
    Join(usize, Vec<usize>),
    Leave(usize),
    AddZone(usize, usize),
    Hand(Hand),
}

#[derive(Clone, Debug)]
enum Edit {
    Accept { max: Option<u32>, vpc: Option<bool>, bandwidth: Option<u32> },
    Reject,
    Leave,
    Expires(Option<u64>),
    Revocation(bool),
    Paused(bool),
    Asked,
}

#[derive(Clone, Debug)]
enum Service {
    Paused(bool),
    Observed(bool),
    AutoAccept(bool),
}

#[derive(Clone, Debug)]
enum Hand {
    Allow(usize),
    Disallow(usize),
    Accept(usize),
    Reject(usize),
    Cut(usize, usize),
}

fn edits() -> impl Strategy<Value = Edit> {
    let (max, vpc) = (prop::option::weighted(0.3, 1_u32..3), prop::option::weighted(0.3, any::<bool>()));
    let bandwidth = prop::option::weighted(0.3, 100_u32..104);
    prop_oneof![
        5 => (max, vpc, bandwidth).prop_map(|(max, vpc, bandwidth)| Edit::Accept { max, vpc, bandwidth }),
        3 => Just(Edit::Reject),
        1 => Just(Edit::Leave),
        2 => prop::option::of(1_u64..2_000).prop_map(Edit::Expires),
        1 => any::<bool>().prop_map(Edit::Revocation),
        1 => any::<bool>().prop_map(Edit::Paused),
        1 => Just(Edit::Asked),
    ]
}

fn turns() -> impl Strategy<Value = Event> {
    let trouble = prop_oneof![
        8 => Just(Trouble::None),
        1 => Just(Trouble::LostAnswer),
        1 => Just(Trouble::CrashAfter),
        1 => Just(Trouble::CrashBefore),
    ];
    (prop::option::weighted(0.9, 0..NAMES.len()), 0_usize..3, trouble)
        .prop_map(|(who, call, trouble)| Event::Turn(who, call, trouble))
}

fn events() -> impl Strategy<Value = Event> {
    let home = 0..HOMES.len();
    let one = 0..NAMES.len();
    let service = prop_oneof![
        any::<bool>().prop_map(Service::Paused),
        any::<bool>().prop_map(Service::Observed),
        any::<bool>().prop_map(Service::AutoAccept),
    ];
    let hand = prop_oneof![
        one.clone().prop_map(Hand::Allow),
        one.clone().prop_map(Hand::Disallow),
        home.clone().prop_map(Hand::Accept),
        home.clone().prop_map(Hand::Reject),
        (home.clone(), 0_usize..2).prop_map(|(home, zone)| Hand::Cut(home, zone)),
    ];
    prop_oneof![
        24 => turns(),
        1 => Just(Event::Restart),
        12 => (0_usize..6).prop_map(Event::Due),
        2 => (1_u64..2_000).prop_map(Event::Pass),
        6 => Just(Event::Sweep),
        4 => one.clone().prop_map(Event::Apply),
        2 => one.clone().prop_map(Event::Delete),
        6 => (one, edits()).prop_map(|(one, edit)| Event::Edit(one, edit)),
        1 => service.prop_map(Event::Service),
        5 => (home.clone(), prop::sample::subsequence(vec![0, 1], 1..=2)).prop_map(|(home, zones)| Event::Join(home, zones)),
        1 => home.clone().prop_map(Event::Leave),
        1 => (home, 0_usize..2).prop_map(|(home, zone)| Event::AddZone(home, zone)),
        3 => hand.prop_map(Event::Hand),
    ]
}

fn key_of(tenants: &Tenants, home: usize) -> Option<ConnectionKey> {
    let (actor, vpc) = HOMES[home];
    let vpc = tenants.stage.world.land.vpc_named(vpc);
    let mut all = tenants.stage.world.endpoints.values();
    let found = all.find(|one| one.owner == actor.account && one.vpc == vpc)?;
    Some(ConnectionKey { service: found.service, endpoint: found.id })
}

fn happen(tenants: &mut Tenants, event: &Event) {
    match event {
        Event::Turn(who, call, trouble) => {
            tenants.turn_of(who.map(|who| NAMES[who].0), (*call, *trouble));
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
        Event::Apply(one) => {
            let (name, principal) = NAMES[*one];
            if !tenants.entries.contains_key(name) {
                tenants.add(name, entry(principal));
            }
        }
        Event::Delete(one) => tenants.touch(NAMES[*one].0, |entry| entry.deleting = true),
        Event::Edit(one, edit) => change(tenants, NAMES[*one].0, edit),
        Event::Service(service) => tenants.edit_service(|one| match service {
            Service::Paused(on) => one.common.annotations.paused = *on,
            Service::Observed(on) => {
                one.common.management = if *on { Management::Observe } else { Management::Manage };
            }
            Service::AutoAccept(on) => one.auto_accept = *on,
        }),
        Event::Join(home, zones) => {
            if key_of(tenants, *home).is_none() {
                tenants.try_join(*home, zones);
            }
        }
        Event::Leave(home) => leave(tenants, *home),
        Event::AddZone(home, zone) => {
            if let Some(key) = key_of(tenants, *home) {
                tenants.add_zone(*home, key, *zone);
            }
        }
        // Nobody can see what is done in the very moment between a look and a call.
        Event::Hand(hand) => {
            tenants.stage.pass(Duration::from_secs(6));
            meddle(tenants, hand);
        }
    }
}

fn change(tenants: &mut Tenants, name: &str, edit: &Edit) {
    let now = tenants.stage.now;
    match edit {
        Edit::Paused(on) => return tenants.touch(name, |entry| entry.paused = *on),
        Edit::Asked => return tenants.touch(name, |entry| entry.asked = true),
        _ => {}
    }
    tenants.edit(name, |one| match edit {
        Edit::Accept { max, vpc, bandwidth } => {
            one.policy = entry("2").policy;
            let Policy::Accept(acceptance) = &mut one.policy else { return };
            acceptance.max = *max;
            acceptance.vpcs = vpc.map(|second| [HOMES[usize::from(second)].1.into()].into());
            acceptance.bandwidth_mbps = *bandwidth;
        }
        Edit::Reject => one.policy = Policy::Reject,
        Edit::Leave => one.policy = Policy::Leave,
        Edit::Expires(after) => one.expires_at = after.map(|after| now + Duration::from_secs(after)),
        Edit::Revocation(cut) => {
            one.revocation = if *cut { Revocation::Disconnect } else { Revocation::KeepConnections };
        }
        Edit::Paused(_) | Edit::Asked => {}
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
fn meddle(tenants: &mut Tenants, hand: &Hand) {
    let Some(service) = tenants.stage.world.services.keys().next().copied() else { return };
    let principal = |one: usize| match Principal::from(NAMES[one].1).number() {
        Some(number) => object::Principal::Account(AccountId(number.parse().expect("a number"))),
        None => object::Principal::Arn(NAMES[one].1.into()),
    };
    let key = |home: usize| key_of(tenants, home);
    let call = match hand {
        Hand::Allow(one) => Some(Call::AllowPrincipal(service, principal(*one))),
        Hand::Disallow(one) => Some(Call::DisallowPrincipal(service, principal(*one))),
        Hand::Accept(home) => key(*home).map(|key| Call::AcceptConnection(key, AcceptForm::default())),
        Hand::Reject(home) => key(*home).map(Call::RejectConnection),
        Hand::Cut(home, zone) => {
            let zone = tenants.stage.world.land.zone_named(ZONES[*zone]);
            key(*home).map(|key| Call::DisconnectZone(key, zone, Side::Current))
        }
    };
    if let Some(call) = call {
        let _ = tenants.stage.elsewhere(PROVIDER, call);
    }
}

fn check(tenants: &Tenants) -> Result<(), TestCaseError> {
    let broken = invariant::broken(&tenants.stage.world);
    prop_assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

const fn is_live(status: ConnectionStatus) -> bool {
    matches!(status, ConnectionStatus::Connected | ConnectionStatus::Connecting | ConnectionStatus::Pending)
}

fn lists(tenants: &Tenants, whom: &Whom) -> bool {
    tenants.listed().into_iter().any(|text| Principal::from(text).whom() == *whom)
}

/// Each had its last turn no longer ago: what has expired since is not seen yet.
const SINCE_ITS_TURN: Duration = Duration::from_mins(1);

/// The world is as the manifests say, or an entry says what it waits for.
fn as_declared(tenants: &Tenants) -> Result<(), TestCaseError> {
    let claims: Claims = tenants.claims();
    for name in tenants.entries.keys() {
        let one = tenants.desired(name);
        let whom = one.principal.whom();
        let holds = claims.holder(&whom).is_some_and(|holder| holder.uid == one.uid);
        if one.paused || !holds {
            continue;
        }
        let (truth, reason, message) = tenants.ready(name);
        let expired = one.is_expired(tenants.stage.now);
        if expired && !one.is_expired(tenants.stage.now - SINCE_ITS_TURN) {
            continue;
        }
        if expired {
            prop_assert!(!lists(tenants, &whom), "{name} has expired and is listed");
            if one.revocation == Revocation::Disconnect {
                for endpoint in tenants.of_entry(name) {
                    prop_assert!(!is_live(endpoint.connection.status), "{name} has expired: {endpoint:?}");
                }
            }
            continue;
        }
        let invalid = tenants.said(name, privatelink_core::condition::ConditionType::Valid);
        if invalid.is_some_and(|said| said.0 == Truth::False) {
            continue;
        }
        prop_assert!(lists(tenants, &whom), "{name} is not listed: {reason} {message}");
        let mut waits = false;
        for endpoint in tenants.of_entry(name) {
            let id = crate::stage::endpoint_id(endpoint.id);
            let shown = tenants.status(name).connections.iter().find(|shown| shown.endpoint == id);
            let Some(shown) = shown else { return Err(TestCaseError::fail(format!("{name} shows no {id}"))) };
            let status = endpoint.connection.status;
            match &one.policy {
                Policy::Leave => {}
                Policy::Reject => prop_assert!(!is_live(status), "{name} rejects, and {id} is {status:?}"),
                Policy::Accept(acceptance) => match shown.decision {
                    Decision::Accept => {
                        let legs: Vec<LegStatus> = endpoint.zones.values().map(|leg| leg.status).collect();
                        let up = status == ConnectionStatus::Connected
                            && legs.iter().all(|leg| *leg == LegStatus::Connected);
                        // Some worlds have no way to connect a zone that waits, or lock the account out of choosing.
                        let told = truth == Truth::False && message.contains(id.as_str());
                        prop_assert!(up || told, "{name}: {id} is {status:?} {legs:?}: {truth:?} {message}");
                        waits |= !up;
                        if let Some(mbps) = acceptance.bandwidth_mbps.filter(|_| up) {
                            prop_assert_eq!(endpoint.connection.bandwidth_mbps, mbps);
                        }
                    }
                    Decision::Held | Decision::Leave | Decision::Wait => {
                        prop_assert!(!is_live(status), "{name}: {id} is {status:?}, {}", shown.reason);
                        waits |= shown.decision != Decision::Leave;
                    }
                    Decision::Kept => prop_assert_eq!(status, ConnectionStatus::Connected),
                    ref other => return Err(TestCaseError::fail(format!("{name} decided {other:?} on {id}"))),
                },
            }
        }
        prop_assert!(truth == Truth::True || waits, "{name}: {reason} {message}");
    }
    Ok(())
}

fn calm(tenants: &mut Tenants) {
    tenants.edit_service(|one| {
        one.common.annotations.paused = false;
        one.common.management = Management::Manage;
    });
    tenants.stage.settle_world();
    tenants.restart();
    tenants.rest();
    tenants.sweep_and_rest();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_is_as_declared(
        variants in variants(), events in prop::collection::vec(events(), 1..80)
    ) {
        let mut tenants = Tenants::with(variants);
        tenants.rest();
        for event in &events {
            happen(&mut tenants, event);
            check(&tenants)?;
        }
        calm(&mut tenants);
        check(&tenants)?;
        as_declared(&tenants)?;
    }

    #[test]
    fn whoever_is_let_out_has_no_live_connection(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        let mut tenants = Tenants::with(variants);
        tenants.rest();
        for event in &events {
            happen(&mut tenants, event);
        }
        for name in tenants.entries.keys().cloned().collect::<Vec<_>>() {
            tenants.touch(&name, |entry| {
                entry.revocation = Revocation::Disconnect;
                entry.paused = false;
                entry.deleting = true;
            });
        }
        let named: Vec<Whom> = tenants.entries.keys().map(|name| tenants.desired(name).principal.whom()).collect();
        calm(&mut tenants);
        prop_assert!(tenants.entries.is_empty(), "{:?}", tenants.entries.keys());
        for endpoint in tenants.stage.world.endpoints.values() {
            let owner = Whom::Account(endpoint.owner.0.to_string().into());
            let out = named.contains(&owner) || named.contains(&Whom::Everybody);
            prop_assert!(!out || !is_live(endpoint.connection.status), "{endpoint:?}");
        }
        for whom in &named {
            prop_assert!(!lists(&tenants, whom), "{whom:?} is still listed");
        }
    }

    #[test]
    fn a_service_goes_whatever_its_entries_do(
        variants in variants(),
        events in prop::collection::vec(events(), 1..40),
        after in prop::collection::vec(events(), 0..20),
    ) {
        let mut tenants = Tenants::with(variants);
        tenants.rest();
        for event in &events {
            happen(&mut tenants, event);
        }
        tenants.edit_service(|one| {
            one.common.annotations.paused = false;
            one.common.management = Management::Manage;
            one.common.deleting = true;
            one.on_delete = OnDelete::Reject;
        });
        for event in after.iter().filter(|event| !matches!(event, Event::Service(_) | Event::Hand(_))) {
            happen(&mut tenants, event);
        }
        tenants.stage.settle_world();
        tenants.restart();
        tenants.rest();
        let kept = tenants.stage.world.variants.value(privatelink_sim::world::Variant::EndpointBlocksServiceDelete) == "true"
            && !tenants.stage.world.endpoints.is_empty();
        prop_assert!(kept || tenants.service.released, "{:?}", tenants.service.status.service.common.conditions);
        for name in tenants.entries.keys() {
            prop_assert!(tenants.ready(name).0 != Truth::True, "{name}: {:?}", tenants.ready(name));
        }
    }
}

/// The same life in each world that the vendor leaves open.
#[test]
fn a_tenant_lives_in_every_world_that_the_vendor_leaves_open() {
    for (name, value, variants) in Variants::each_flipped() {
        let mut tenants = Tenants::with(variants);
        tenants.add("tenant", {
            let mut one = entry("2");
            one.revocation = Revocation::Disconnect;
            one
        });
        tenants.rest();
        let (key, _) = tenants.join(0, &[0, 1]);
        tenants.sweep_and_rest();
        let status = |tenants: &Tenants| tenants.connection(key).connection.status;
        assert_eq!(status(&tenants), ConnectionStatus::Connected, "{name} {value}");
        let accept = tenants.desired("tenant").policy.clone();
        tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
        tenants.rest();
        assert_eq!(status(&tenants), ConnectionStatus::Disconnected, "{name} {value}");
        tenants.edit("tenant", |entry| entry.policy = accept);
        tenants.rest();
        assert_eq!(status(&tenants), ConnectionStatus::Connected, "{name} {value}");
        assert_eq!(tenants.ready("tenant").0, Truth::True, "{name} {value}: {:?}", tenants.ready("tenant"));
        tenants.touch("tenant", |entry| entry.deleting = true);
        tenants.rest();
        assert!(tenants.entries.is_empty(), "{name} {value}");
        assert_eq!((status(&tenants), tenants.listed()), (ConnectionStatus::Disconnected, vec!["1".to_owned()]));
    }
}
