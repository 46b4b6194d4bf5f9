//! The consumer's part: one endpoint object, and the provider whose service it joins.

use std::collections::BTreeMap;

use privatelink_core::desired::{DesiredEndpoint, Target};
use privatelink_core::id::CloudId;
use privatelink_core::observed::{EndpointKind, Snapshot};
use privatelink_core::plan::endpoint::{Input, plan};
use privatelink_core::plan::{Ground, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report::endpoint::report;
use privatelink_core::status::{self, EndpointStatus};
use privatelink_core::step::InterfaceForm;
use privatelink_sim::world::call::{AcceptForm, ConnectionKey, ResourceForm, ServiceForm, Side};
use privatelink_sim::world::object::Principal;
use privatelink_sim::world::{self, AccountId, Actor, Call, Variants, ZoneId};

use super::eyes::{endpoint_id, wire_id};
use super::provider::{PROVIDER, common};
use super::{Role, Stage};

pub const CONSUMER: Actor = Actor { account: AccountId(2), identity: 0, session: true };

/// Zones of the land.
pub const ZONES: [&str; 3] = ["cn-hangzhou-f", "cn-hangzhou-g", "cn-hangzhou-h"];
/// Subnets of the consumer: one or two in each zone.
pub const SUBNETS: [&str; 5] = ["vsw-f", "vsw-f2", "vsw-g", "vsw-h", "vsw-a"];
/// Security groups of the consumer.
pub const GROUPS: [&str; 3] = ["sg-a", "sg-b", "sg-c"];

pub fn zone_of_subnet(subnet: &str) -> &'static str {
    match subnet {
        "vsw-g" | "vsw-a" => ZONES[1],
        "vsw-h" => ZONES[2],
        _ => ZONES[0],
    }
}

/// An interface in a subnet, with the address that the cloud picks.
pub fn form(subnet: &str) -> InterfaceForm {
    InterfaceForm { zone: zone_of_subnet(subnet).into(), ip: None, ipv6: None }
}

/// What a spec asks for when it says little: interfaces in these subnets, and one security group.
pub fn declared(subnets: &[&str]) -> DesiredEndpoint {
    DesiredEndpoint {
        common: common("Endpoint", "db"),
        target: Target::Known { id: Some("epsrv-1-1".into()), name: None, region: None },
        kind: EndpointKind::Interface,
        name: Some("db".into()),
        description: None,
        vpc: "vpc-consumer".into(),
        zones: Some(subnets.iter().map(|subnet| ((*subnet).into(), form(subnet))).collect()),
        groups: Some(["sg-a".into()].into()),
        family: None,
        zone_affinity: None,
        policy: None,
        protected: None,
        cross_region_bandwidth_mbps: None,
    }
}

impl Role for DesiredEndpoint {
    type Status = EndpointStatus;
    const ACTOR: Actor = CONSUMER;

    fn uid(&self) -> &str {
        &self.common.owner.uid
    }

    fn deleting(&self) -> bool {
        self.common.deleting
    }

    fn generation(&self) -> i64 {
        self.common.generation
    }

    fn generation_mut(&mut self) -> &mut i64 {
        &mut self.common.generation
    }

    fn said(status: &EndpointStatus) -> &status::Common {
        &status.common
    }

    fn id(status: &EndpointStatus) -> Option<CloudId> {
        status.endpoint_id.clone().map(CloudId::from)
    }

    fn plan(&self, status: &EndpointStatus, ground: Ground<'_>) -> (Plan, EndpointStatus) {
        let input = Input { ground, desired: self, status };
        let plan = plan(&input);
        let next = report(&input, &plan);
        (plan, next)
    }

    fn swept(_: &Snapshot) -> Vec<FacetKey> {
        vec![FacetKey::Endpoints]
    }
}

impl Stage<DesiredEndpoint> {
    /// A provider with these load balancers who has listed the consumer, and the consumer's object.
    pub fn offered(balancers: &[&str], desired: DesiredEndpoint) -> Self {
        Self::offered_with(balancers, desired, Variants::default())
    }

    pub fn offered_with(balancers: &[&str], desired: DesiredEndpoint, variants: Variants) -> Self {
        let mut stage = Self::with(desired, variants);
        stage.offer(balancers);
        stage.allow();
        stage
    }

    /// The consumer's object on a service with load balancers in zones f and g, accepted and at rest.
    pub fn standing(subnets: &[&str]) -> Self {
        let mut stage = Self::offered(&["lb-hot", "lb-g"], declared(subnets));
        stage.rest();
        stage.accept();
        stage.sweep();
        stage.rest();
        super::is_ready(&stage);
        stage.calls.clear();
        stage
    }

    /// The provider makes a service.
    pub fn offer(&mut self, balancers: &[&str]) -> world::ServiceId {
        let resources = balancers.iter().map(|name| ResourceForm {
            balancer: self.world.land.balancer_named(name),
            kind: None,
            zone: None,
        });
        let form = ServiceForm { resources: resources.collect(), ..ServiceForm::default() };
        let Ok(world::Answer::Service(id)) = self.elsewhere(PROVIDER, Call::CreateService(form)) else {
            panic!("no service")
        };
        self.settle_world();
        id
    }

    /// The provider lists the consumer.
    pub fn allow(&mut self) {
        let service = self.the_service().id;
        let principal = Principal::Account(CONSUMER.account);
        self.elsewhere(PROVIDER, Call::AllowPrincipal(service, principal)).expect("listed");
    }

    pub fn the_endpoint(&self) -> &world::Endpoint {
        assert_eq!(self.world.endpoints.len(), 1, "{:?}", self.world.endpoints.keys());
        self.world.endpoints.values().next().expect("one endpoint")
    }

    pub fn connection(&self) -> ConnectionKey {
        ConnectionKey { service: self.the_endpoint().service, endpoint: self.the_endpoint().id }
    }

    /// The provider accepts, and all that follows from it happens.
    pub fn accept(&mut self) {
        self.provide(Call::AcceptConnection(self.connection(), AcceptForm::default()));
    }

    /// The provider refuses or cuts the connection.
    pub fn reject(&mut self) {
        self.provide(Call::RejectConnection(self.connection()));
    }

    /// The provider cuts one zone.
    pub fn cut(&mut self, zone: &str) {
        self.provide(Call::DisconnectZone(self.connection(), self.zone(zone), Side::Current));
    }

    /// The provider connects one zone.
    pub fn connect(&mut self, zone: &str) {
        self.provide(Call::ConnectZone(self.connection(), self.zone(zone)));
    }

    /// A call of the provider that is carried out to its end.
    pub fn provide(&mut self, call: Call) {
        self.elsewhere(PROVIDER, call).expect("the provider may");
        self.settle_world();
    }

    pub fn zone(&self, name: &str) -> ZoneId {
        self.world.land.zone_named(name)
    }

    /// Subnets of the interfaces that the endpoint has, each with its state and address.
    pub fn interfaces(&self) -> BTreeMap<String, (world::object::LegStatus, String)> {
        let legs = self.the_endpoint().zones.values();
        legs.map(|leg| {
            let subnet = self.world.land.switch(leg.switch).expect("on the land").name.clone();
            (subnet, (leg.status, leg.ip.to_string()))
        })
        .collect()
    }

    /// Subnets of the interfaces that the endpoint has.
    pub fn subnets(&self) -> Vec<String> {
        self.interfaces().into_keys().collect()
    }

    /// Names of the security groups that the endpoint is in.
    pub fn groups(&self) -> Vec<String> {
        let groups = self.the_endpoint().groups.keys();
        groups.map(|id| self.world.land.group(*id).expect("on the land").name.clone()).collect()
    }

    /// The provider's list of connections is read, as it is where both are in one account.
    pub fn watch_provider(&mut self) {
        let service = wire_id(self.the_service().id);
        self.pass(std::time::Duration::from_mins(5));
        self.read(&FacetKey::Connections(service));
    }

    /// Somebody wants to know of the endpoint by its id.
    pub fn read_by_id(&mut self) {
        let id = endpoint_id(self.the_endpoint().id);
        self.pass(std::time::Duration::from_secs(1));
        self.read(&FacetKey::Endpoint(id));
    }

    /// What no list shows is read, as it is now and then.
    pub fn look_deep(&mut self) {
        self.pass(std::time::Duration::from_mins(5));
        let ids: Vec<_> = self.snapshot.endpoints.keys().cloned().collect();
        for id in ids {
            self.read(&FacetKey::Interfaces(id.clone()));
            self.read(&FacetKey::Groups(id));
        }
    }
}
