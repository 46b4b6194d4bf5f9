//! The stage of a provider's stories: an operator with one account, a tenant who applies services to it, and
//! the people who call the cloud past both.

use std::collections::BTreeMap;

use privatelink_operator::api::EndpointService;
use privatelink_sim::{
    alibaba::name,
    fixture::Fixture,
    world::{
        Answer, Call, State,
        call::{AcceptForm, ConnectionKey},
        object::Principal,
    },
};
use serde_json::Value;

use crate::objects::Objects;
pub use crate::objects::{handled, id, is_settled, said};
use crate::operator::Operator;
pub use crate::past::calls;
use crate::past::{self, CONSUMER, Ledger, PROVIDER};

/// The tag of what was retained.
pub const RETAINED: &str = "privatelink.dev/retained";
/// Where endpoints of the consumer are, one of a service in each VPC: VPC, vSwitch and security group.
const CONSUMERS: [(&str, &str, &str); 2] =
    [("vpc-tenant", "vsw-tenant-f", "sg-tenant"), ("vpc-tenant-second", "vsw-tenant-second-f", "sg-tenant-other")];

/// A provider's story.
pub struct Story {
    /// The operator, its cluster and its cloud.
    pub operator: Operator,
    /// The tenant's namespace.
    pub namespace: String,
    /// The account's name.
    pub account: String,
    /// The tenant's services.
    pub services: Objects<EndpointService>,
    ledger: Ledger,
}

impl Story {
    /// An operator before the built-in world, and an account that is ready.
    pub async fn start(what: &str) -> Self {
        Self::start_with(what, Fixture::built_in()).await
    }

    /// The same before a world of its own.
    pub async fn start_with(what: &str, world: Fixture) -> Self {
        let mut operator = Operator::start_with(what, world).await;
        let account = what.replace(' ', "-");
        let namespace = operator.cluster.namespace(&account).await;
        operator.account(&account, &[&namespace]).await;
        let tenant = operator.cluster.tenant_client(&namespace).await;
        let services = Objects::of(tenant, &namespace, &account);
        Self { operator, namespace, account, services, ledger: Ledger::default() }
    }

    /// The calls that have changed the world since this was asked the last time.
    pub fn spent(&mut self) -> BTreeMap<String, usize> {
        self.ledger.spent(&self.operator)
    }

    /// The only service of the world.
    pub fn the_service(&self) -> Value {
        let world = self.operator.world();
        let services = world["services"].as_array().expect("services");
        assert_eq!(services.len(), 1, "{services:#?}");
        services[0].clone()
    }

    /// How many services there are in the world.
    pub fn services_in_the_cloud(&self) -> usize {
        self.operator.world()["services"].as_array().expect("services").len()
    }

    /// A call of the provider, past the operator; it stands in no journal.
    pub fn provider(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        past::call(&self.operator.sim, PROVIDER, "cn-hangzhou", call)
    }

    /// A call of the consumer.
    pub fn consumer(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        past::call(&self.operator.sim, CONSUMER, "cn-hangzhou", call)
    }

    /// A connection of the consumer that waits for acceptance, on the service with this id; each comes from
    /// another of its VPCs.
    pub fn awaiting(&self, service: &str) -> ConnectionKey {
        let service = name::service(service);
        self.provider(|state| {
            let owner = state.land.vpc(state.land.vpc_named("vpc-tenant")).expect("it is built in").account;
            Call::AllowPrincipal(service, Principal::Account(owner))
        });
        let nth = self.operator.sim.with(|cloud| cloud.state().endpoints_of(service).count());
        past::joins(&self.operator.sim, CONSUMER, "cn-hangzhou", service, CONSUMERS[nth])
    }

    /// A connection of the consumer that serves.
    pub fn connected(&self, service: &str) -> ConnectionKey {
        let key = self.awaiting(service);
        self.provider(|_| Call::AcceptConnection(key, AcceptForm::default()));
        key
    }

    /// The consumer takes its endpoint away.
    pub fn leaves(&self, key: ConnectionKey) {
        let zone = |state: &State| *state.endpoints[&key.endpoint].zones.keys().next().expect("it has a zone");
        self.consumer(|state| Call::RemoveZone(key.endpoint, zone(state)));
        self.consumer(|_| Call::DeleteEndpoint(key.endpoint));
    }

    /// Ends the operator, after all services are gone.
    pub async fn stop(self) {
        self.operator.stop().await;
    }
}

/// The id of a connection's endpoint, as people read it.
pub fn endpoint_id(key: ConnectionKey) -> String {
    name::of_endpoint(key.endpoint)
}
