//! The keys of the built-in world, those who call the cloud with them past the operator, and what the operator's
//! own calls have changed.

use std::collections::BTreeMap;

use privatelink_sim::{
    journal::Effect,
    server::Simulator,
    world::{
        self, AccountId, Answer, Call, Request, ServiceId, State,
        call::{ConnectionKey, EndpointForm, ZoneForm},
    },
};

use crate::operator::Operator;

/// A key of the built-in world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: &'static str,
    /// Its secret.
    pub secret: &'static str,
    /// The token of a session.
    pub token: Option<&'static str>,
    /// The account that it speaks for.
    pub account: AccountId,
}

/// The provider's.
pub const PROVIDER: Key =
    Key { id: "provider-key", secret: "provider-secret", token: None, account: AccountId(1_001_000_000_000_001) };
/// The consumer's.
pub const CONSUMER: Key =
    Key { id: "consumer-key", secret: "consumer-secret", token: None, account: AccountId(1_002_000_000_000_002) };
/// A session of a role of the consumer's.
pub const CONSUMER_SESSION: Key = Key {
    id: "consumer-role-key",
    secret: "consumer-role-secret",
    token: Some("consumer-role-token"),
    account: CONSUMER.account,
};
/// The cloud's own.
pub const VENDOR: Key =
    Key { id: "vendor-key", secret: "vendor-secret", token: None, account: AccountId(1_003_000_000_000_003) };

/// Makes a call past the operator, and waits until what it begins is over; it stands in no journal.
pub fn call(sim: &Simulator, key: Key, region: &str, call: impl FnOnce(&State) -> Call) -> Answer {
    sim.with(|cloud| {
        cloud.catch_up();
        let actor = cloud.keys[key.id].actor;
        let state = cloud.state();
        let request = Request { region: state.land.region_named(region), token: None, call: call(state) };
        let (state, answer) = world::apply(state, actor, &request)
            .unwrap_or_else(|refusal| panic!("{:?} is refused: {refusal:?}", request.call));
        cloud.set_state(state);
        // What begins with it is over before anybody looks.
        cloud.settle();
        answer
    })
}

/// Makes an endpoint of a service past the operator, with one interface; where it is: VPC, vSwitch and security group.
pub fn joins(sim: &Simulator, key: Key, region: &str, service: ServiceId, at: (&str, &str, &str)) -> ConnectionKey {
    let (vpc, switch, group) = at;
    let made = call(sim, key, region, |state| {
        let switch = state.land.switch_named(switch);
        Call::CreateEndpoint(EndpointForm {
            service,
            service_region: None,
            kind: None,
            vpc: state.land.vpc_named(vpc),
            zones: vec![ZoneForm { zone: None, switch, ip: None, ipv6: None }],
            groups: vec![state.land.group_named(group)],
            name: None,
            description: None,
            policy: None,
            protected: false,
            ip_version: None,
            zone_affinity: false,
            cross_region_bandwidth_mbps: None,
            resource_group: None,
            tags: BTreeMap::new(),
        })
    });
    let Answer::Endpoint(endpoint) = made else { panic!("{made:?} is no endpoint") };
    ConnectionKey { service, endpoint }
}

/// Reads the operator's calls that have changed the world, each once.
#[derive(Debug, Default)]
pub struct Ledger {
    read: u64,
}

impl Ledger {
    /// The actions that have changed the world since this was asked the last time, in their order.
    pub fn actions(&mut self, operator: &Operator) -> Vec<String> {
        operator.sim.with(|cloud| {
            let applied =
                cloud.journal.calls().filter(|call| call.sequence > self.read && call.effect == Effect::Applied);
            let actions = applied.map(|call| call.action.clone()).collect();
            self.read = cloud.journal.next_sequence() - 1;
            actions
        })
    }

    /// How often each of them.
    pub fn spent(&mut self, operator: &Operator) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for action in self.actions(operator) {
            *counted.entry(action).or_default() += 1;
        }
        counted
    }
}

/// These actions, so often each.
pub fn calls<const N: usize>(pairs: [(&str, usize); N]) -> BTreeMap<String, usize> {
    pairs.into_iter().map(|(action, count)| (action.to_owned(), count)).collect()
}
