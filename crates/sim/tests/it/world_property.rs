//! No sequence of calls and transitions reaches a state that breaks the world's invariants.

use std::net::Ipv6Addr;

use proptest::prelude::*;

use privatelink_sim::world::call::{
    AcceptForm, Assignment, ConnectionKey, EndpointChange, EndpointForm, ObjectId, ResourceForm, ServiceChange,
    ServiceForm, Side, UntagKeys, ZoneForm,
};
use privatelink_sim::world::object::{BalancerKind, IpVersion, LegStatus, Principal};
use privatelink_sim::world::variant::TABLE;
use privatelink_sim::world::{
    Actor, Answer, BalancerId, Call, EndpointId, GroupId, Refusal, RegionId, Request, ServiceId, State, SwitchId,
    Variants, VpcId, ZoneId, advance, apply, carry_out, invariant, progress, rehearse,
};

use crate::small_land::{
    ABROAD, CONSUMER, CONSUMERS_COLLEAGUE, HERE, PROVIDER, STRANGER, V6_OF_SWITCH_F, VPC_ABROAD, ZONE_ABROAD, empty,
    endpoint_form, form_abroad,
};

/// What happens next in a run.
#[derive(Clone, Debug)]
enum Event {
    Call(Actor, Option<u8>, Call),
    /// The transition at this place of the open ones, counted round.
    Due(usize),
}

fn services() -> impl Strategy<Value = ServiceId> {
    (1_u32..3).prop_map(|number| ServiceId { maker: PROVIDER.account, number })
}

fn endpoints() -> impl Strategy<Value = EndpointId> {
    (1_u32..4).prop_map(|number| EndpointId { maker: CONSUMER.account, number })
}

fn keys() -> impl Strategy<Value = ConnectionKey> {
    (services(), endpoints()).prop_map(|(service, endpoint)| ConnectionKey { service, endpoint })
}

fn zones() -> impl Strategy<Value = ZoneId> {
    (0_u16..3).prop_map(ZoneId)
}

fn resources() -> impl Strategy<Value = ResourceForm> {
    let kinds = prop_oneof![
        4 => Just(Some(BalancerKind::Clb)),
        1 => Just(Some(BalancerKind::Nlb)),
        1 => Just(None),
    ];
    (0_u16..8, kinds, prop::option::of(zones())).prop_map(|(balancer, kind, zone)| ResourceForm {
        balancer: BalancerId(balancer),
        kind,
        zone,
    })
}

/// Few addresses, so that some are asked for twice.
fn addresses_v6() -> impl Strategy<Value = Option<Ipv6Addr>> {
    let hosts = (0x0100_u32..0x0108).prop_map(|host| Ipv6Addr::from(u128::from(V6_OF_SWITCH_F) + u128::from(host)));
    prop::option::weighted(0.3, hosts)
}

fn zone_forms() -> impl Strategy<Value = ZoneForm> {
    (0_u16..6, prop::option::weighted(0.2, 0_u8..255), addresses_v6()).prop_map(|(switch, host, ipv6)| ZoneForm {
        zone: None,
        switch: SwitchId(switch),
        ip: host.map(|host| std::net::Ipv4Addr::new(10, 0, 1, host)),
        ipv6,
    })
}

fn actors(usual: Actor) -> impl Strategy<Value = Actor> {
    prop_oneof![12 => Just(usual), 1 => Just(STRANGER), 1 => Just(CONSUMERS_COLLEAGUE)]
}

fn accept_forms() -> impl Strategy<Value = AcceptForm> {
    prop::option::of(50_u32..20_000).prop_map(|bandwidth_mbps| AcceptForm { bandwidth_mbps, traffic_control: None })
}

fn provider_calls() -> impl Strategy<Value = Call> {
    let kinds = prop_oneof![3 => Just(BalancerKind::Clb), 1 => Just(BalancerKind::Nlb)];
    let create =
        (prop::collection::vec(resources(), 0..3), kinds, any::<bool>()).prop_map(|(resources, kind, auto_accept)| {
            let (kind, consumer_regions) = (Some(kind), vec![ABROAD]);
            Call::CreateService(ServiceForm {
                kind,
                resources,
                auto_accept,
                consumer_regions,
                ..ServiceForm::default()
            })
        });
    let assignments = prop_oneof![
        1 => Just(Assignment::Automatic),
        2 => resources().prop_map(Assignment::Manual),
        4 => resources().prop_map(Assignment::ReplaceGracefully),
        2 => resources().prop_map(Assignment::ReplaceForcibly),
    ];
    let sides = prop_oneof![Just(Side::Current), Just(Side::Replaced)];
    prop_oneof![
        2 => create,
        1 => (services(), any::<bool>()).prop_map(|(id, on)| {
            Call::UpdateService(id, ServiceChange { auto_accept: Some(on), ..ServiceChange::default() })
        }),
        1 => services().prop_map(Call::DeleteService),
        6 => (services(), resources()).prop_map(|(id, form)| Call::AttachResource(id, form)),
        4 => (services(), resources()).prop_map(|(id, form)| Call::DetachResource(id, form)),
        6 => (services(), resources(), any::<bool>()).prop_map(|(id, form, on)| Call::SetAutoAllocate(id, form, on)),
        4 => services().prop_map(|id| Call::AllowPrincipal(id, Principal::Account(CONSUMER.account))),
        1 => services().prop_map(|id| Call::DisallowPrincipal(id, Principal::Account(CONSUMER.account))),
        6 => (keys(), accept_forms()).prop_map(|(key, form)| Call::AcceptConnection(key, form)),
        2 => keys().prop_map(Call::RejectConnection),
        1 => (keys(), accept_forms()).prop_map(|(key, form)| Call::UpdateConnection(key, form)),
        2 => (keys(), zones()).prop_map(|(key, zone)| Call::ConnectZone(key, zone)),
        4 => (keys(), zones(), sides).prop_map(|(key, zone, side)| Call::DisconnectZone(key, zone, side)),
        12 => (keys(), zones(), assignments).prop_map(|(key, zone, how)| Call::AssignZoneResource(key, zone, how)),
    ]
}

fn consumer_calls() -> impl Strategy<Value = Call> {
    let create = (services(), prop::collection::vec(0_u16..6, 0..3), 0_u16..3, any::<bool>()).prop_map(
        |(service, switches, vpc, protected)| {
            let switches: Vec<SwitchId> = switches.into_iter().map(SwitchId).collect();
            let mut form = endpoint_form(service, &switches);
            form.vpc = VpcId(vpc);
            form.protected = protected;
            if vpc != 1 {
                form.groups.clear();
            }
            Call::CreateEndpoint(form)
        },
    );
    let create_abroad = (services(), any::<bool>()).prop_map(|(service, with_zone)| {
        let mut form = form_abroad(service);
        form.zones.truncate(usize::from(with_zone));
        Call::CreateEndpoint(form)
    });
    let create_v6 = (services(), addresses_v6()).prop_map(|(service, ipv6)| {
        let zones = vec![ZoneForm { zone: None, switch: SwitchId(0), ip: None, ipv6 }];
        let ip_version = Some(IpVersion::DualStack);
        Call::CreateEndpoint(EndpointForm { ip_version, zones, ..endpoint_form(service, &[]) })
    });
    prop_oneof![
        4 => create,
        2 => create_abroad,
        2 => create_v6,
        1 => endpoints().prop_map(|id| {
            Call::UpdateEndpoint(id, EndpointChange { zone_affinity: Some(true), ..EndpointChange::default() })
        }),
        2 => endpoints().prop_map(Call::DeleteEndpoint),
        4 => (endpoints(), zone_forms()).prop_map(|(id, form)| Call::AddZone(id, form)),
        2 => (endpoints(), zones()).prop_map(|(id, zone)| Call::RemoveZone(id, zone)),
        1 => (endpoints(), 0_u16..6).prop_map(|(id, group)| Call::AttachGroup(id, GroupId(group))),
        1 => (endpoints(), 0_u16..6).prop_map(|(id, group)| Call::DetachGroup(id, GroupId(group))),
        1 => endpoints().prop_map(|id| Call::Tag(vec![ObjectId::Endpoint(id)], [("k".into(), "v".into())].into())),
        1 => endpoints().prop_map(|id| Call::Untag(vec![ObjectId::Endpoint(id)], UntagKeys::All)),
        1 => endpoints().prop_map(|id| Call::ChangeResourceGroup(ObjectId::Endpoint(id), "rg-other".into())),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let tokens = || prop::option::weighted(0.1, 0_u8..4);
    prop_oneof![
        5 => (0_usize..8).prop_map(Event::Due),
        4 => (actors(PROVIDER), tokens(), provider_calls()).prop_map(|(actor, token, call)| Event::Call(actor, token, call)),
        3 => (actors(CONSUMER), tokens(), consumer_calls()).prop_map(|(actor, token, call)| Event::Call(actor, token, call)),
    ]
}

fn variants() -> impl Strategy<Value = Variants> {
    prop::collection::vec(any::<prop::sample::Index>(), TABLE.len()).prop_map(|choices| {
        TABLE.iter().zip(choices).fold(Variants::default(), |world, (row, choice)| {
            world.with(row.name, row.values[choice.index(row.values.len())]).expect("a value of the table")
        })
    })
}

/// Whether a leg carried before and does not now, though nobody cut it: `Replacing` is the declared gap.
fn dropped_by_itself(before: &State, after: &State) -> Option<String> {
    for (id, endpoint) in before.endpoints.iter() {
        for (zone, leg) in &endpoint.zones {
            let now = after.endpoints.get(id).and_then(|endpoint| endpoint.zones.get(zone));
            if leg.carries() && !now.is_some_and(privatelink_sim::world::Leg::carries) {
                return Some(format!("{zone:?} of {id:?} was {:?} and is {:?}", leg.status, now.map(|leg| leg.status)));
            }
        }
    }
    None
}

fn may_cut(call: &Call) -> bool {
    matches!(
        call,
        Call::RejectConnection(_)
            | Call::DisconnectZone(_, _, Side::Current)
            | Call::RemoveZone(..)
            | Call::AssignZoneResource(_, _, Assignment::ReplaceForcibly(_))
    )
}

/// Where a call belongs: an endpoint's where the endpoint is, all else here.
fn region_of(state: &State, call: &Call) -> RegionId {
    match call {
        Call::CreateEndpoint(form) if form.vpc == VPC_ABROAD => ABROAD,
        Call::UpdateEndpoint(id, _)
        | Call::DeleteEndpoint(id)
        | Call::AddZone(id, _)
        | Call::RemoveZone(id, _)
        | Call::AttachGroup(id, _)
        | Call::DetachGroup(id, _) => state.endpoints.get(id).map_or(HERE, |endpoint| endpoint.region),
        _ => HERE,
    }
}

/// What a run did, to show that random calls do reach the interesting states.
#[derive(Debug, Default)]
struct Reached {
    carried_out: usize,
    refused: usize,
    connected: bool,
    migrated: bool,
    migrated_abroad: bool,
    addresses_v6: usize,
}

fn run(start: State, events: &[Event]) -> Result<Reached, TestCaseError> {
    let mut state = start;
    let mut reached = Reached::default();
    for event in events {
        let before = state.clone();
        match event {
            Event::Due(place) => {
                let open = progress(&state);
                if !open.is_empty() {
                    state = advance(&state, open[place % open.len()]);
                    prop_assert_eq!(dropped_by_itself(&before, &state), None);
                }
            }
            Event::Call(actor, token, call) => {
                let token = token.map(|number| format!("token-{number}").into());
                let request = Request { region: region_of(&state, call), token, call: call.clone() };
                match apply(&state, *actor, &request) {
                    Ok((next, answer)) => {
                        reached.carried_out += 1;
                        check_answer(&next, answer, &before)?;
                        check_repeat(&next, *actor, &request, answer)?;
                        if !may_cut(call) {
                            prop_assert_eq!(dropped_by_itself(&before, &next), None, "by {:?}", call);
                        }
                        state = next;
                    }
                    Err(refusal) => {
                        reached.refused += 1;
                        check_refusal(&state, *actor, &request, refusal)?;
                    }
                }
            }
        }
        let broken = invariant::broken(&state);
        prop_assert!(broken.is_empty(), "after {event:?}: {broken:?}");
        check_loads(&state)?;
        let legs = || state.endpoints.values().flat_map(|endpoint| endpoint.zones.values());
        reached.connected |= legs().any(|leg| leg.status == LegStatus::Connected);
        reached.migrated |= legs().any(|leg| leg.status == LegStatus::Migrated);
        let abroad = |status| {
            let mut far = state.endpoints.values().filter(|endpoint| endpoint.is_cross_region());
            far.any(|endpoint| endpoint.zones.values().any(|leg| leg.status == status))
        };
        reached.migrated_abroad |= abroad(LegStatus::Migrated);
        reached.addresses_v6 = reached.addresses_v6.max(legs().filter(|leg| leg.ipv6.is_some()).count());
    }
    comes_to_rest(state)?;
    Ok(reached)
}

/// What a create call answered is there and was not there before, unless its token was used already.
fn check_answer(after: &State, answer: Answer, before: &State) -> Result<(), TestCaseError> {
    let repeated = after.tokens.len() == before.tokens.len() && *after == *before;
    match answer {
        Answer::Service(id) => {
            prop_assert!(repeated || (after.services.contains_key(&id) && !before.services.contains_key(&id)));
        }
        Answer::Endpoint(id) => {
            prop_assert!(repeated || (after.endpoints.contains_key(&id) && !before.endpoints.contains_key(&id)));
        }
        Answer::Done => {}
        Answer::Rehearsed => prop_assert!(false, "no call was rehearsed"),
    }
    Ok(())
}

/// A call that is refused leaves the world that it was made on as it was, and a dry run of it is refused alike.
fn check_refusal(state: &State, actor: Actor, request: &Request, refusal: Refusal) -> Result<(), TestCaseError> {
    let mut same = state.clone();
    prop_assert_eq!(carry_out(&mut same, actor, request), Err(refusal));
    prop_assert_eq!(rehearse(&mut same, actor, request), Err(refusal));
    prop_assert_eq!(&same, state);
    Ok(())
}

/// The loads of all resources are those of each.
fn check_loads(state: &State) -> Result<(), TestCaseError> {
    let loads = state.loads();
    for service in state.services.values() {
        for resource in service.resources.keys() {
            let load = loads.get(&(service.id, *resource)).copied().unwrap_or_default();
            prop_assert_eq!(load, state.load_of(service.id, *resource));
        }
    }
    Ok(())
}

/// The same call with the same token answers the same and changes nothing.
fn check_repeat(state: &State, actor: Actor, request: &Request, answer: Answer) -> Result<(), TestCaseError> {
    if request.token.is_some() {
        let (again, same) =
            apply(state, actor, request).map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
        prop_assert_eq!(same, answer);
        prop_assert_eq!(&again, state);
    }
    Ok(())
}

/// Left alone, the world comes to rest, and in no more steps than it has things that can move.
fn comes_to_rest(mut state: State) -> Result<(), TestCaseError> {
    for _ in 0..200 {
        let Some(first) = progress(&state).last().copied() else { return Ok(()) };
        state = advance(&state, first);
        let broken = invariant::broken(&state);
        prop_assert!(broken.is_empty(), "after {first:?}: {broken:?}");
    }
    Err(TestCaseError::fail(format!("still moving: {:?}", progress(&state))))
}

/// A stage set for the rarer things: a service with two resources in zone F and a consumer on its list.
fn with_service(variants: Variants) -> State {
    let mut stage = crate::small_land::Stage::with(variants);
    stage.service(&[crate::small_land::HOT, crate::small_land::COOL, crate::small_land::IN_G]);
    stage.state
}

/// The same with a connected endpoint whose resource in zone F may be replaced.
fn with_connection(variants: Variants) -> State {
    use crate::small_land::{COOL, F, HOT, IN_G, SWITCH_F, SWITCH_G, Stage, clb};
    let mut stage = Stage::with(variants);
    let service = stage.service(&[HOT, COOL, IN_G]);
    let key = stage.endpoint(service, &[SWITCH_F, SWITCH_G]);
    for zone in [F, crate::small_land::G] {
        stage.done(PROVIDER, Call::AssignZoneResource(key, zone, Assignment::Automatic));
        stage.settle();
    }
    stage.done(PROVIDER, Call::AcceptConnection(key, AcceptForm::default()));
    stage.settle();
    let current = stage.leg(key.endpoint, F).resource.expect("a connected leg has one");
    stage.done(PROVIDER, Call::SetAutoAllocate(service, clb(current), false));
    stage.state
}

/// An NLB service that speaks IPv6, and no endpoint.
fn with_service_v6(variants: Variants) -> State {
    let mut stage = crate::small_land::Stage::with(variants);
    stage.service_v6();
    stage.state
}

/// A service with three resources and a connected endpoint abroad whose resource may be replaced.
fn with_connection_abroad(variants: Variants) -> State {
    use crate::small_land::{COOL, HOT, IN_G, Stage, clb};
    let mut stage = Stage::with(variants);
    let service = stage.service(&[HOT, COOL, IN_G]);
    let key = stage.endpoint_abroad(service);
    stage.done(PROVIDER, Call::AssignZoneResource(key, ZONE_ABROAD, Assignment::Automatic));
    stage.settle();
    stage.done(PROVIDER, Call::AcceptConnection(key, AcceptForm::default()));
    stage.settle();
    let current = stage.leg(key.endpoint, ZONE_ABROAD).resource.expect("a connected leg has one");
    stage.done(PROVIDER, Call::SetAutoAllocate(service, clb(current), false));
    stage.state
}

const CASES: u32 = 1_500;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_breaks_an_invariant_from_an_empty_world(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        run(empty(variants), &events)?;
    }

    #[test]
    fn no_sequence_breaks_an_invariant_from_a_world_with_a_service(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        run(with_service(variants), &events)?;
    }

    #[test]
    fn no_sequence_breaks_an_invariant_from_a_world_with_a_connection(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        run(with_connection(variants), &events)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES / 2, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_breaks_an_invariant_from_a_world_with_a_connection_abroad(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        run(with_connection_abroad(variants), &events)?;
    }

    #[test]
    fn no_sequence_breaks_an_invariant_from_a_world_with_ipv6(
        variants in variants(), events in prop::collection::vec(events(), 1..60)
    ) {
        run(with_service_v6(variants), &events)?;
    }
}

/// The generators do reach connected and migrated legs, carried-out and refused calls.
#[test]
fn random_sequences_reach_what_matters() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut total = Reached::default();
    for _ in 0..300 {
        let events = prop::collection::vec(events(), 60).new_tree(&mut runner).expect("generates").current();
        let default = Variants::default();
        let lax = default.with("oneEndpointPer", "nothing").expect("a variant of the table");
        for start in [empty(default), with_connection(default), with_connection_abroad(default), with_service_v6(lax)] {
            let reached = run(start, &events).expect("no invariant breaks");
            total.carried_out += reached.carried_out;
            total.refused += reached.refused;
            total.connected |= reached.connected;
            total.migrated |= reached.migrated;
            total.addresses_v6 = total.addresses_v6.max(reached.addresses_v6);
            total.migrated_abroad |= reached.migrated_abroad;
        }
    }
    assert!(total.connected && total.migrated, "{total:?}");
    assert!(total.addresses_v6 > 1, "{total:?}");
    assert!(total.migrated_abroad, "{total:?}");
    assert!(total.carried_out > 1_000 && total.refused > 1_000, "{total:?}");
}
