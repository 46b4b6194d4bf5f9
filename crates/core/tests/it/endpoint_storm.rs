//! Random sequences of edits, crashes, lost answers, the world's own moves, the provider's mind and other people's
//! hands: at the end the world holds what the manifest says, or the object says what it waits for, and on the way no
//! object ever has two endpoints, and none loses its only connected interface by us.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::prelude::*;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Deletion, DesiredEndpoint};
use privatelink_core::owner;
use privatelink_core::plan::Truth;
use privatelink_core::status::EndpointStatus;
use privatelink_sim::world::call::{
    AcceptForm, Assignment, ConnectionKey, EndpointChange, ObjectId, ResourceForm, ServiceChange, Side, ZoneForm,
};
use privatelink_sim::world::object::{ConnectionStatus, LegStatus, Principal};
use privatelink_sim::world::{self, Call, Variant, Variants, advance, invariant, progress};

use crate::stage::{BALANCERS, CONSUMER, GROUPS, PROVIDER, SUBNETS, Stage, Trouble, ZONES, declared, form, variants};

#[derive(Clone, Debug)]
enum Event {
    Turn(usize, Trouble),
    Restart,
    /// A status write was lost, or the object was restored without its status.
    LoseStatus,
    Due(usize),
    Pass(u64),
    Sweep,
    LookDeep,
    Edit(Edit),
    Provider(Provider),
    Hand(Hand),
    AllowRecreate,
}

#[derive(Clone, Debug)]
enum Edit {
    /// A subnet or none in each zone, and the last part of the address that it shall have.
    Zones(Vec<(usize, Option<u8>)>),
    Groups(BTreeSet<usize>),
    Affinity(Option<bool>),
    Policy(bool),
    Description(Option<u8>),
    Tag(Option<u8>),
}

#[derive(Clone, Debug)]
enum Provider {
    Allow(bool),
    AutoAccept(bool),
    Accept,
    Reject,
    Cut(usize),
    Connect(usize),
    Assign(usize),
    Attach(usize),
    Detach(usize),
    Migrate(usize),
    CleanUp(usize),
    DeleteService,
}

#[derive(Clone, Debug)]
enum Hand {
    Add(usize),
    Remove(usize),
    Join(usize),
    Leave(usize),
    Change(bool),
    Tag(u8),
    Lock(bool),
    Delete,
}

fn edits() -> impl Strategy<Value = Edit> {
    let address = prop::option::weighted(0.3, 40_u8..44);
    prop_oneof![
        4 => prop::collection::vec((0..SUBNETS.len(), address), 1..4).prop_map(Edit::Zones),
        2 => prop::collection::btree_set(0..GROUPS.len(), 1..3).prop_map(Edit::Groups),
        1 => any::<Option<bool>>().prop_map(Edit::Affinity),
        1 => any::<bool>().prop_map(Edit::Policy),
        1 => prop::option::of(0_u8..3).prop_map(Edit::Description),
        1 => prop::option::of(0_u8..3).prop_map(Edit::Tag),
    ]
}

fn provider() -> impl Strategy<Value = Provider> {
    let zone = 0..ZONES.len();
    let balancer = 0..BALANCERS.len();
    prop_oneof![
        2 => prop::bool::weighted(0.7).prop_map(Provider::Allow),
        1 => any::<bool>().prop_map(Provider::AutoAccept),
        6 => Just(Provider::Accept),
        1 => Just(Provider::Reject),
        3 => zone.clone().prop_map(Provider::Cut),
        3 => zone.clone().prop_map(Provider::Connect),
        2 => zone.clone().prop_map(Provider::Assign),
        2 => balancer.clone().prop_map(Provider::Attach),
        1 => balancer.clone().prop_map(Provider::Detach),
        1 => balancer.prop_map(Provider::Migrate),
        1 => zone.prop_map(Provider::CleanUp),
    ]
}

fn hands() -> impl Strategy<Value = Hand> {
    prop_oneof![
        2 => (0..SUBNETS.len()).prop_map(Hand::Add),
        2 => (0..ZONES.len()).prop_map(Hand::Remove),
        1 => (0..GROUPS.len()).prop_map(Hand::Join),
        1 => (0..GROUPS.len()).prop_map(Hand::Leave),
        1 => any::<bool>().prop_map(Hand::Change),
        1 => (0_u8..3).prop_map(Hand::Tag),
        1 => any::<bool>().prop_map(Hand::Lock),
    ]
}

fn turns() -> impl Strategy<Value = Event> {
    let trouble = prop_oneof![
        6 => Just(Trouble::None),
        1 => Just(Trouble::LostAnswer),
        1 => Just(Trouble::CrashAfter),
        1 => Just(Trouble::CrashBefore),
    ];
    (0_usize..3, trouble).prop_map(|(call, trouble)| Event::Turn(call, trouble))
}

/// What happens around an object whose spec stays as it is.
fn surroundings() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => turns(),
        1 => Just(Event::Restart),
        6 => (0_usize..6).prop_map(Event::Due),
        1 => (1_u64..4_000).prop_map(Event::Pass),
        2 => Just(Event::Sweep),
        1 => Just(Event::LookDeep),
        6 => provider().prop_map(Event::Provider),
        2 => hands().prop_map(Event::Hand),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![6 => surroundings(), 1 => edits().prop_map(Event::Edit)]
}

/// And what no manifest asks for and few people do.
fn mishaps() -> impl Strategy<Value = Event> {
    prop_oneof![
        20 => events(),
        1 => Just(Event::LoseStatus),
        1 => Just(Event::AllowRecreate),
        1 => Just(Event::Hand(Hand::Delete)),
        1 => Just(Event::Provider(Provider::DeleteService)),
    ]
}

fn happen(stage: &mut Stage<DesiredEndpoint>, event: &Event) {
    match event {
        Event::Turn(call, trouble) => {
            stage.turn_with((*call, *trouble));
        }
        Event::Restart => stage.restart(),
        Event::LoseStatus => {
            stage.status = EndpointStatus::default();
            stage.restart();
        }
        Event::Due(place) => {
            let open = progress(&stage.world);
            if !open.is_empty() {
                stage.world = advance(&stage.world, open[place % open.len()]);
            }
        }
        Event::Pass(seconds) => stage.pass(Duration::from_secs(*seconds)),
        Event::Sweep => stage.sweep(),
        Event::LookDeep => stage.look_deep(),
        Event::Edit(edit) => stage.edit(|desired| change(desired, edit)),
        // Nobody can see what is done in the very moment between a look and a call.
        Event::Provider(act) => {
            stage.pass(Duration::from_secs(6));
            provide(stage, act);
        }
        Event::Hand(act) => {
            stage.pass(Duration::from_secs(6));
            meddle(stage, act);
        }
        Event::AllowRecreate => {
            stage.desired.common.annotations.allow_recreate =
                stage.status.endpoint_id.as_ref().map(|id| id.as_str().to_owned());
        }
    }
}

fn change(desired: &mut DesiredEndpoint, edit: &Edit) {
    match edit {
        Edit::Zones(list) => {
            let mut zones = std::collections::BTreeMap::new();
            for (place, address) in list {
                let mut form = form(SUBNETS[*place]);
                let net = u8::try_from(*place).expect("few") + 1;
                form.ip = address.map(|last| Ipv4Addr::new(10, 0, net, last));
                // One in each zone, as the schema demands.
                if !zones.values().any(|other: &privatelink_core::step::InterfaceForm| other.zone == form.zone) {
                    zones.insert(SUBNETS[*place].into(), form);
                }
            }
            desired.zones = Some(zones);
        }
        Edit::Groups(places) => desired.groups = Some(places.iter().map(|place| GROUPS[*place].into()).collect()),
        Edit::Affinity(value) => desired.zone_affinity = *value,
        Edit::Policy(on) => desired.policy = on.then(|| r#"{"Version":"1"}"#.to_owned()),
        Edit::Description(value) => desired.description = value.map(|value| format!("text {value}")),
        Edit::Tag(value) => {
            desired.common.tags = value.iter().map(|value| ("team".to_owned(), value.to_string())).collect();
        }
    }
}

fn key_of(stage: &Stage<DesiredEndpoint>) -> Option<ConnectionKey> {
    let endpoint = stage.world.endpoints.values().next()?;
    Some(ConnectionKey { service: endpoint.service, endpoint: endpoint.id })
}

fn balancer(stage: &Stage<DesiredEndpoint>, place: usize) -> ResourceForm {
    ResourceForm { balancer: stage.world.land.balancer_named(BALANCERS[place]), kind: None, zone: None }
}

/// What others do may be refused by the cloud: then nothing has happened.
fn provide(stage: &mut Stage<DesiredEndpoint>, act: &Provider) {
    let Some(service) = stage.world.services.keys().next().copied() else { return };
    let key = key_of(stage);
    let zone = |place: usize| stage.zone(ZONES[place]);
    let calls: Vec<Call> = match act {
        Provider::Allow(true) => vec![Call::AllowPrincipal(service, Principal::Account(CONSUMER.account))],
        Provider::Allow(false) => vec![Call::DisallowPrincipal(service, Principal::Account(CONSUMER.account))],
        Provider::AutoAccept(on) => {
            vec![Call::UpdateService(service, ServiceChange { auto_accept: Some(*on), ..ServiceChange::default() })]
        }
        Provider::Accept => key.map(|key| Call::AcceptConnection(key, AcceptForm::default())).into_iter().collect(),
        Provider::Reject => key.map(Call::RejectConnection).into_iter().collect(),
        Provider::Cut(place) => {
            key.map(|key| Call::DisconnectZone(key, zone(*place), Side::Current)).into_iter().collect()
        }
        Provider::Connect(place) => key.map(|key| Call::ConnectZone(key, zone(*place))).into_iter().collect(),
        Provider::Assign(place) => {
            key.map(|key| Call::AssignZoneResource(key, zone(*place), Assignment::Automatic)).into_iter().collect()
        }
        Provider::Attach(place) => vec![Call::AttachResource(service, balancer(stage, *place))],
        Provider::Detach(place) => vec![Call::DetachResource(service, balancer(stage, *place))],
        Provider::Migrate(place) => {
            let others = (0..BALANCERS.len()).filter(|other| other != place);
            let mut calls: Vec<Call> =
                others.map(|other| Call::SetAutoAllocate(service, balancer(stage, other), false)).collect();
            let to = Assignment::ReplaceGracefully(balancer(stage, *place));
            calls.extend(key.map(|key| Call::AssignZoneResource(key, zone(usize::from(*place == 3)), to)));
            calls
        }
        Provider::CleanUp(place) => {
            key.map(|key| Call::DisconnectZone(key, zone(*place), Side::Replaced)).into_iter().collect()
        }
        Provider::DeleteService => {
            let mut calls: Vec<Call> = key.map(Call::RejectConnection).into_iter().collect();
            calls.extend((0..BALANCERS.len()).map(|place| Call::DetachResource(service, balancer(stage, place))));
            calls.push(Call::DeleteService(service));
            calls
        }
    };
    let to_the_end = matches!(act, Provider::DeleteService);
    for call in calls {
        let _ = stage.elsewhere(PROVIDER, call);
        if to_the_end {
            stage.settle_world();
        }
    }
}

fn meddle(stage: &mut Stage<DesiredEndpoint>, act: &Hand) {
    if let Hand::Lock(on) = act {
        stage.world.accounts.get_mut(&CONSUMER.account).expect("the consumer").locked = *on;
        return;
    }
    let Some(id) = stage.world.endpoints.keys().next().copied() else { return };
    let group = |place: usize| stage.world.land.group_named(GROUPS[place]);
    let calls = match act {
        Hand::Add(place) => {
            let switch = stage.world.land.switch_named(SUBNETS[*place]);
            vec![Call::AddZone(id, ZoneForm { zone: None, switch, ip: None, ipv6: None })]
        }
        Hand::Remove(place) => vec![Call::RemoveZone(id, stage.zone(ZONES[*place]))],
        Hand::Join(place) => vec![Call::AttachGroup(id, group(*place))],
        Hand::Leave(place) => vec![Call::DetachGroup(id, group(*place))],
        Hand::Change(on) => {
            let change =
                EndpointChange { zone_affinity: Some(*on), name: Some("theirs".into()), ..EndpointChange::default() };
            vec![Call::UpdateEndpoint(id, change)]
        }
        Hand::Tag(value) => {
            let tags = [("team".into(), value.to_string().as_str().into())].into();
            vec![Call::Tag(vec![ObjectId::Endpoint(id)], tags)]
        }
        Hand::Delete => {
            stage.settle_world();
            let zones = stage.world.endpoints.get(&id).into_iter().flat_map(|endpoint| endpoint.zones.keys());
            zones.map(|zone| Call::RemoveZone(id, *zone)).chain([Call::DeleteEndpoint(id)]).collect()
        }
        Hand::Lock(_) => Vec::new(),
    };
    for call in calls {
        let last = matches!(call, Call::DeleteEndpoint(_));
        let _ = stage.elsewhere(CONSUMER, call);
        if matches!(act, Hand::Delete) && !last {
            stage.settle_world();
        }
    }
}

fn check(stage: &Stage<DesiredEndpoint>) -> Result<(), TestCaseError> {
    prop_assert!(stage.world.endpoints.len() <= 1, "two endpoints: {:?}", stage.world.endpoints.keys());
    let broken = invariant::broken(&stage.world);
    prop_assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

fn begin(vendor: bool, variants: Variants) -> Stage<DesiredEndpoint> {
    let mut stage = Stage::offered_with(&["lb-hot", "lb-g"], declared(&["vsw-f"]), variants);
    stage.world.accounts.get_mut(&PROVIDER.account).expect("the provider").vendor = vendor;
    stage
}

/// The provider does all that can be asked of one, and the bill is paid.
fn provider_is_kind(stage: &mut Stage<DesiredEndpoint>) {
    stage.world.accounts.get_mut(&CONSUMER.account).expect("the consumer").locked = false;
    stage.settle_world();
    let waits = stage.world.endpoints.values().any(|one| one.zones.values().any(|leg| leg.status == LegStatus::Wait));
    if waits && !stage.world.variants.is_on(Variant::ConnectZoneTakesWait) {
        // There is no other way to let a zone in that was added later.
        provide(stage, &Provider::Reject);
    }
    let acts = (0..ZONES.len())
        .map(Provider::CleanUp)
        .chain((0..BALANCERS.len()).map(Provider::Attach))
        .chain((0..ZONES.len()).map(Provider::Assign))
        .chain([Provider::Allow(true), Provider::Accept])
        .chain((0..ZONES.len()).map(Provider::Connect));
    for act in acts {
        stage.settle_world();
        provide(stage, &act);
    }
    stage.settle_world();
}

/// Refusals are forgotten, what lists show is read, and then the rest.
fn look_again(stage: &mut Stage<DesiredEndpoint>) {
    stage.settle_world();
    stage.pass(Duration::from_hours(1));
    stage.sweep();
    stage.look_deep();
    stage.rest();
}

/// Nothing is called and nothing is said any more, however often it is looked at.
fn is_quiet(stage: &mut Stage<DesiredEndpoint>) -> Result<(), TestCaseError> {
    look_again(stage);
    look_again(stage);
    let (calls, status) = (stage.calls.clone(), stage.status.clone());
    for _ in 0..3 {
        look_again(stage);
    }
    prop_assert_eq!(&stage.calls, &calls);
    prop_assert_eq!(&stage.status, &status);
    Ok(())
}

/// The endpoint is as the manifest says; what it says of itself is so.
fn as_declared(stage: &Stage<DesiredEndpoint>, vendor: bool) -> Result<(), TestCaseError> {
    let (endpoint, desired) = (stage.the_endpoint(), &stage.desired);
    let said = |condition| stage.said(condition).map(|(truth, ..)| truth);
    if let Some(team) = desired.common.tags.get("team") {
        prop_assert_eq!(endpoint.tags.get("team").map(ToString::to_string), Some(team.clone()));
    }
    prop_assert_eq!(endpoint.tags.get(owner::UID).map(ToString::to_string), Some("uid-1".to_owned()));
    let groups: BTreeSet<String> = stage.groups().into_iter().collect();
    let wanted: BTreeSet<String> = desired.groups.iter().flatten().map(ToString::to_string).collect();
    prop_assert_eq!(groups, wanted);
    // All attributes are changed by one call.
    let refused = desired.policy.is_some() && !vendor;
    if !refused {
        prop_assert_eq!(endpoint.name.as_deref(), desired.name.as_deref());
        prop_assert_eq!(Some(endpoint.zone_affinity), desired.zone_affinity.or(Some(endpoint.zone_affinity)));
        prop_assert_eq!(endpoint.policy.as_deref(), desired.policy.as_deref());
        prop_assert_eq!(said(ConditionType::Provisioned), Some(Truth::True), "{:?}", stage.status.common);
    }

    let held: BTreeSet<String> = stage.subnets().into_iter().collect();
    let zones = desired.zones.clone().unwrap_or_default();
    let wanted: BTreeSet<String> = zones.keys().map(ToString::to_string).collect();
    // No load balancer of the land serves the last zone.
    let unserved = wanted.contains("vsw-h") && !held.contains("vsw-h");
    let kept = stage.ready().is_some_and(|(_, _, message)| message.contains("is the only connected one"));
    let (truth, reason, message) = stage.ready().expect("said");
    let astray = message.contains("is not taken away for that");
    if unserved || kept || astray {
        prop_assert_eq!(said(ConditionType::ZonesReady), Some(Truth::False));
    } else {
        prop_assert_eq!(&held, &wanted, "{}", message);
        let connected = stage.interfaces().values().all(|(status, _)| *status == LegStatus::Connected);
        prop_assert!(connected, "{:?}", stage.interfaces());
        for (subnet, form) in &zones {
            if let Some(ip) = form.ip {
                prop_assert_eq!(&stage.interfaces()[subnet.as_str()].1, &ip.to_string());
            }
        }
        prop_assert_eq!(said(ConditionType::ZonesReady), Some(Truth::True));
    }
    let flows = stage.the_endpoint().zones.values().any(world::Leg::carries);
    prop_assert_eq!(truth == Truth::True, flows, "{}", message);
    let whole = !(unserved || kept || astray || refused);
    prop_assert_eq!(reason == Reason::Ready, whole, "{:?} {}", reason, message);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_is_as_declared(
        variants in variants(), vendor in any::<bool>(), anew in any::<bool>(),
        events in prop::collection::vec(events(), 1..50),
    ) {
        let mut stage = begin(vendor, variants);
        for event in &events {
            happen(&mut stage, event);
            check(&stage)?;
        }
        stage.settle_world();
        if anew {
            stage.restart();
        }
        let before = stage.calls.len();
        // Each may have to wait for the other once more: an interface for a load balancer, a zone for acceptance.
        for _ in 0..4 {
            provider_is_kind(&mut stage);
            look_again(&mut stage);
        }
        prop_assert!(stage.calls.len() - before <= 20, "{:?}", &stage.calls[before..]);
        check(&stage)?;
        if stage.world.endpoints.is_empty() {
            // The create call names a zone that has no load balancer, or a policy that the service does not take.
            let (_, reason, message) = stage.ready().expect("said");
            prop_assert!(matches!(reason, Reason::NoResourceInZone | Reason::InvalidSpec), "{}", message);
        } else {
            as_declared(&stage, vendor)?;
        }
        is_quiet(&mut stage)?;
    }

    #[test]
    fn whatever_mishap_there_is_one_endpoint_at_most_and_it_comes_to_rest(
        variants in variants(), vendor in any::<bool>(), anew in any::<bool>(),
        events in prop::collection::vec(mishaps(), 1..50),
    ) {
        let mut stage = begin(vendor, variants);
        for event in &events {
            happen(&mut stage, event);
            check(&stage)?;
        }
        stage.settle_world();
        if anew {
            stage.restart();
        }
        stage.rest();
        check(&stage)?;
        is_quiet(&mut stage)?;
        let (truth, reason, message) = stage.ready().expect("said");
        let endpoint = stage.world.endpoints.values().next();
        let flows = endpoint.is_some_and(|one| {
            one.connection.status == ConnectionStatus::Connected && one.zones.values().any(world::Leg::carries)
        });
        if flows {
            let locked = reason == Reason::BillingLocked;
            prop_assert!(truth == Truth::True || locked, "{}", message);
        } else {
            prop_assert_eq!(truth, Truth::False, "{}", message);
        }
    }

    #[test]
    fn whatever_happened_a_deletion_leaves_nothing(
        variants in variants(), anew in any::<bool>(),
        events in prop::collection::vec(mishaps(), 1..30),
        after in prop::collection::vec(surroundings(), 0..20),
    ) {
        let mut stage = begin(false, variants);
        for event in &events {
            happen(&mut stage, event);
        }
        stage.desired.common.deleting = true;
        for event in &after {
            if stage.released {
                break;
            }
            happen(&mut stage, event);
            check(&stage)?;
        }
        if !stage.released {
            stage.settle_world();
            if anew {
                stage.restart();
            }
            stage.rest_until_released();
        }
        prop_assert!(stage.released, "{:?} {:?}", stage.ready(), stage.world.endpoints);
        prop_assert!(stage.world.endpoints.is_empty(), "{:?}", stage.world.endpoints);
    }

    #[test]
    fn whatever_happened_a_retained_endpoint_stays_without_our_tags(
        events in prop::collection::vec(events(), 1..30)
    ) {
        let mut stage = begin(false, Variants::default());
        for event in &events {
            happen(&mut stage, event);
        }
        stage.settle_world();
        stage.rest();
        stage.desired.common.deletion = Deletion::Retain;
        stage.desired.common.deleting = true;
        stage.rest();
        prop_assert!(stage.released);
        for endpoint in stage.world.endpoints.values() {
            let tags: Vec<String> = endpoint.tags.keys().map(ToString::to_string).collect();
            prop_assert!(tags.contains(&owner::RETAINED.to_owned()) && !tags.contains(&owner::UID.to_owned()));
        }
    }
}
