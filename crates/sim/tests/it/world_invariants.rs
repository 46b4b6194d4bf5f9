//! Each invariant notices a state that breaks it: states no call leads to, made by hand.

use privatelink_sim::world::object::{
    ConnectionStatus, EndpointStatus, LegStatus, Membership, ReplacedSide, ServiceStatus,
};
use privatelink_sim::world::{EndpointId, ServiceId, State, ZoneId, invariant};

use crate::small_land::{BASIC, CONSUMER, COOL, F, G, HOT, IN_G, PROVIDER, SWITCH_F, SWITCH_G, Stage};

const SERVICE: ServiceId = ServiceId { maker: PROVIDER.account, number: 1 };
const ENDPOINT: EndpointId = EndpointId { maker: CONSUMER.account, number: 1 };

/// Breaks a world in one place.
type Corruption = fn(&mut State);

fn leg(state: &mut State, zone: ZoneId) -> &mut privatelink_sim::world::Leg {
    state.endpoints.get_mut(&ENDPOINT).and_then(|one| one.zones.get_mut(&zone)).expect("the stage has it")
}

const CORRUPTIONS: &[(&str, Corruption)] = &[
    ("has no automatically allocated resource", |state| {
        let service = state.services.get_mut(&SERVICE).expect("the stage has it");
        service.resources.values_mut().for_each(|resource| resource.auto_allocate = false);
    }),
    ("not a load balancer of its kind, owner and zone", |state| {
        let service = state.services.get_mut(&SERVICE).expect("the stage has it");
        let resource = service.resources[&(HOT, F)];
        service.resources.insert((HOT, G), resource);
    }),
    ("is being replaced while the service is Active", |state| {
        let leg = leg(state, F);
        leg.status = LegStatus::Replacing;
    }),
    ("is being deleted and still serves an endpoint", |state| {
        state.services.get_mut(&SERVICE).expect("the stage has it").status = ServiceStatus::Deleting;
    }),
    ("to a service that does not exist", |state| {
        state.services.remove(&SERVICE);
    }),
    ("is in no security group", |state| {
        let endpoint = state.endpoints.get_mut(&ENDPOINT).expect("the stage has it");
        endpoint.groups.insert(BASIC, Membership::Detaching);
    }),
    ("is being deleted with zones", |state| {
        state.endpoints.get_mut(&ENDPOINT).expect("the stage has it").status = EndpointStatus::Deleting;
    }),
    ("has a resource that is not attached", |state| {
        state.services.get_mut(&SERVICE).expect("the stage has it").resources.remove(&(IN_G, G));
    }),
    ("has a replaced side whose resource is not attached", |state| {
        let leg = leg(state, G);
        leg.status = LegStatus::Migrated;
        leg.replaced = Some(ReplacedSide { interface: leg.interface, ip: leg.ip, resource: COOL, served_in: None });
    }),
    ("2408:4005:1:1::7 is taken twice", |state| {
        for zone in [F, G] {
            let leg = leg(state, zone);
            (leg.switch, leg.ipv6) = (SWITCH_F, "2408:4005:1:1::7".parse().ok());
        }
    }),
    ("is served from another zone of its own region", |state| leg(state, F).served_in = Some(G)),
    ("carries without a resource", |state| leg(state, F).resource = None),
    ("carries on a connection that is Disconnected", |state| {
        let endpoint = state.endpoints.get_mut(&ENDPOINT).expect("the stage has it");
        endpoint.connection.status = ConnectionStatus::Disconnected;
    }),
    ("do not belong together", |state| leg(state, F).status = LegStatus::Migrated),
    ("same resource or interface on both sides", |state| {
        let leg = leg(state, F);
        leg.status = LegStatus::Migrated;
        leg.replaced = Some(ReplacedSide {
            interface: leg.interface,
            ip: leg.ip,
            resource: leg.resource.expect("connected"),
            served_in: None,
        });
    }),
    ("lies in a vSwitch of another zone or VPC", |state| leg(state, F).switch = SWITCH_G),
    ("is taken twice", |state| {
        let ip = leg(state, F).ip;
        let leg = leg(state, G);
        leg.switch = SWITCH_F;
        leg.ip = ip;
    }),
    ("has made more than it has counted", |state| {
        state.accounts.get_mut(&PROVIDER.account).expect("the stage has it").services_made = 0;
    }),
    ("one of its zones holds two endpoints of one service", |state| {
        let mut twin = state.endpoints[&ENDPOINT].clone();
        twin.id.number += 1;
        state.endpoints.insert(twin.id, twin);
    }),
];

fn connected() -> State {
    let mut stage = Stage::new();
    let service = stage.service(&[HOT, COOL, IN_G]);
    stage.connected(service, &[SWITCH_F, SWITCH_G]);
    stage.state
}

#[test]
fn a_state_that_calls_lead_to_breaks_none() {
    assert_eq!(invariant::broken(&connected()), Vec::<String>::new());
}

#[test]
fn each_invariant_notices_the_state_that_breaks_it() {
    for (says, corrupt) in CORRUPTIONS {
        let mut state = connected();
        corrupt(&mut state);
        let broken = invariant::broken(&state);
        assert!(broken.iter().any(|sentence| sentence.contains(says)), "{says:?} is not among {broken:?}");
    }
}

/// One corruption for each sentence that the invariants can say.
#[test]
fn every_sentence_is_covered() {
    let source = include_str!("../../src/world/invariant.rs");
    let sentences = source.matches("found.push(").count();
    assert_eq!(CORRUPTIONS.len(), sentences);
}
