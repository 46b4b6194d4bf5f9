//! The stage of stories of both sides: an operator with the account of a provider and that of a consumer, each with
//! a namespace of its own, and those who call the cloud past the operator.

use std::collections::BTreeMap;

use privatelink_core::state::Decision;
use privatelink_operator::api::whitelist::ConnectionStatus;
use privatelink_operator::api::{Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};
use privatelink_sim::{
    alibaba::name,
    fixture::{BUILT_IN, Fixture},
    world::{
        self, AccountId, Answer, Call, State,
        call::{AcceptForm, ConnectionKey, ResourceForm, ServiceForm, Side},
        object::Principal,
    },
};
use serde_json::{Value, json};

use crate::objects::{Objects, id, looked_at};
use crate::operator::Operator;
use crate::past::{self, CONSUMER, Key, Ledger, PROVIDER};

/// The region of both.
pub const REGION: &str = "cn-hangzhou";

/// A story of both sides.
pub struct Link {
    /// The operator, its cluster and its cloud.
    pub operator: Operator,
    /// The provider's services.
    pub provider: Objects<EndpointService>,
    /// Whom the provider lets in.
    pub entries: Objects<WhitelistEntry>,
    /// Which of the provider's load balancers serves which zone.
    pub assignments: Objects<ZoneResourceAssignment>,
    /// The consumer's endpoints.
    pub consumer: Objects<Endpoint>,
    /// The consumer's key.
    key: Key,
    ledger: Ledger,
}

/// An interface as a consumer uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    pub subnet: String,
    pub zone: String,
    pub interface: String,
    pub ip: String,
    pub ipv6: Option<String>,
    pub domain: String,
}

impl Link {
    /// Both sides in accounts and namespaces of their own.
    pub async fn start(what: &str) -> Self {
        Self::start_as(what, CONSUMER).await
    }

    /// The same with another key of the consumer's.
    pub async fn start_as(what: &str, key: Key) -> Self {
        Self::before(Operator::start_with(what, Fixture::built_in()).await, what, key).await
    }

    /// The same before a world of its own.
    pub async fn start_with(what: &str, world: Fixture) -> Self {
        Self::before(Operator::start_with(what, world).await, what, CONSUMER).await
    }

    /// The same where Helm has installed the chart.
    pub async fn charted(what: &str) -> Self {
        Self::before(Operator::charted(what).await, what, CONSUMER).await
    }

    /// The same as with the built-in world, behind doors.
    pub async fn behind_doors(what: &str) -> Self {
        Self::before(Operator::start_behind_doors(what, Fixture::built_in()).await, what, CONSUMER).await
    }

    /// The same with an operator of the test's own.
    pub async fn before(mut operator: Operator, what: &str, key: Key) -> Self {
        let name = what.replace(' ', "-");
        let [here, there] = ["provider", "consumer"].map(|side| operator.cluster.namespace(side));
        let (here, there) = (here.await, there.await);
        let [provider, consumer] = ["provider", "consumer"].map(|side| format!("{name}-{side}"));
        operator.account(&provider, &[&here]).await;
        operator.account_with(&consumer, &[&there], key, REGION).await;
        let tenant = operator.cluster.tenant_client(&here).await;
        let entries = Objects::of(tenant.clone(), &here, &provider);
        let assignments = Objects::of(tenant.clone(), &here, &provider);
        let provider = Objects::of(tenant, &here, &provider);
        let consumer = Objects::of(operator.cluster.tenant_client(&there).await, &there, &consumer);
        Self { operator, provider, entries, assignments, consumer, key, ledger: Ledger::default() }
    }

    /// Both sides in the provider's account and in one namespace.
    pub async fn in_one_account(what: &str) -> Self {
        let mut operator = Operator::start_with(what, with_two_groups()).await;
        let account = what.replace(' ', "-");
        let namespace = operator.cluster.namespace("both").await;
        operator.account(&account, &[&namespace]).await;
        let tenant = operator.cluster.tenant_client(&namespace).await;
        let provider = Objects::of(tenant.clone(), &namespace, &account);
        let entries = Objects::of(tenant.clone(), &namespace, &account);
        let assignments = Objects::of(tenant.clone(), &namespace, &account);
        let consumer = Objects::of(tenant, &namespace, &account);
        Self { operator, provider, entries, assignments, consumer, key: PROVIDER, ledger: Ledger::default() }
    }

    /// The calls of the operator that have changed the world since this was asked the last time.
    pub fn spent(&mut self) -> BTreeMap<String, usize> {
        self.ledger.spent(&self.operator)
    }

    /// The same, in their order.
    pub fn actions(&mut self) -> Vec<String> {
        self.ledger.actions(&self.operator)
    }

    /// The only endpoint of the world.
    pub fn the_endpoint(&self) -> Value {
        let world = self.operator.world();
        let endpoints = world["endpoints"].as_array().expect("endpoints");
        assert_eq!(endpoints.len(), 1, "{endpoints:#?}");
        endpoints[0].clone()
    }

    /// How many endpoints there are in the world.
    pub fn endpoints_in_the_cloud(&self) -> usize {
        self.operator.world()["endpoints"].as_array().expect("endpoints").len()
    }

    /// A call of the provider, past the operator.
    pub fn as_provider(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        past::call(&self.operator.sim, PROVIDER, REGION, call)
    }

    /// A call of the consumer, past the operator.
    pub fn as_consumer(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        past::call(&self.operator.sim, self.key, REGION, call)
    }

    /// The provider puts the consumer's account on the list of its service.
    pub fn lists(&self, service: &str) {
        let (service, account) = (name::service(service), Principal::Account(self.key.account));
        self.as_provider(|_| Call::AllowPrincipal(service, account));
    }

    /// A service of the provider's that no object stands for, with the consumer on its list.
    pub fn offered(&self, balancers: &[&str], auto_accept: bool) -> String {
        offered(&self.operator, PROVIDER, self.key.account, balancers, auto_accept)
    }

    /// Waits until an entry, of its spec of now, says that this was decided on the connection of an endpoint that is in
    /// this state; gives what it says.
    pub async fn decides(&self, entry: &str, endpoint: &str, decision: &str, state: &str) -> ConnectionStatus {
        let decided = |one: &WhitelistEntry| {
            let said = json!({"decision": decision, "state": state});
            looked_at(one)
                && of_connection(one, endpoint)
                    .is_some_and(|one| json!({"decision": one.decision, "state": one.state}) == said)
        };
        let what = format!("{decision} for {endpoint}, {state}");
        let decided = self.entries.becomes(entry, &what, decided).await;
        of_connection(&decided, endpoint).expect("it says so").clone()
    }

    /// Waits until an entry lets an endpoint's connection wait for this reason: while the cloud makes the zones of one
    /// that has just come, it waits for that.
    pub async fn lets_wait(&self, entry: &str, endpoint: &str, why: &str) -> WhitelistEntry {
        let waits = |one: &WhitelistEntry| {
            let told = of_connection(one, endpoint).filter(|one| one.decision == Some(Decision::Wait));
            told.is_some_and(|one| one.reason.as_deref().is_some_and(|reason| reason.contains(why)))
        };
        self.entries.becomes(entry, &format!("waiting with {endpoint}: {why}"), waits).await
    }

    /// Deletes an entry as a person does at the command line, who waits until it is gone.
    pub async fn deletes_by_hand(&self, entry: &str) {
        let (cluster, namespace, entry) = (self.operator.cluster, self.entries.namespace.clone(), entry.to_owned());
        let deleted = tokio::task::spawn_blocking(move || {
            cluster.kubectl(&["delete", "plw", &entry, "-n", &namespace, "--wait=true", "--timeout=80s"])
        });
        let deleted = deleted.await.expect("kubectl is waited for");
        assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    }

    /// The principals on the list of the only service, beside its owner.
    pub fn listed(&self) -> Vec<String> {
        let world = self.operator.world();
        let services = world["services"].as_array().expect("services");
        assert_eq!(services.len(), 1, "{services:#?}");
        let mut listed: Vec<String> = serde_json::from_value(services[0]["principals"].clone()).expect("a list");
        let owner = services[0]["owner"].to_string();
        assert!(listed.contains(&owner), "its owner always stands on it");
        listed.retain(|one| *one != owner);
        listed
    }

    /// The state of the connection of the endpoint with this id, as the cloud has it.
    pub fn state_of(&self, endpoint: &str) -> String {
        let world = self.operator.world();
        let endpoints = world["endpoints"].as_array().expect("endpoints");
        let one = endpoints.iter().find(|one| one["id"] == endpoint).expect("it is there");
        one["connection"]["status"].as_str().expect("a word").to_owned()
    }

    /// The zones of the endpoint with this id: the load balancer that serves each, and the one that is still open.
    pub fn legs(&self, endpoint: &str) -> BTreeMap<String, (String, Option<String>)> {
        let world = self.operator.world();
        let endpoints = world["endpoints"].as_array().expect("endpoints");
        let one = endpoints.iter().find(|one| one["id"] == endpoint).expect("it is there");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let zones = one["zones"].as_array().expect("zones").iter();
        let leg = |leg: &Value| (text(&leg["resourceId"]).unwrap_or_default(), text(&leg["replaced"]["resourceId"]));
        zones.map(|one| (text(&one["zone"]).expect("a zone"), leg(one))).collect()
    }

    /// How often, by the cloud's own witness, a zone of the endpoint with this id (`""`: the endpoint as a whole) could
    /// carry nothing while its connection stood, and for how many seconds of the cloud's.
    pub fn gaps(&self, endpoint: &str) -> BTreeMap<String, (u32, f64)> {
        let wanted = name::endpoint(endpoint);
        let gaps: BTreeMap<String, (u32, f64)> = self.operator.sim.with(|cloud| {
            cloud.catch_up();
            let (state, now) = (cloud.state(), cloud.clock.now());
            let tracks = cloud.journal.witness().tracks().filter(|((of, _), _)| *of == wanted);
            let named = |zone: &Option<world::ZoneId>| zone.map_or("", |zone| name::zone(state, zone)).to_owned();
            tracks.map(|((_, zone), track)| (named(zone), (track.gaps(), track.gap(now).as_secs_f64()))).collect()
        });
        assert!(gaps.len() > 1, "{endpoint} was watched, and each zone of it");
        gaps
    }

    /// By the cloud's own witness, each zone of the endpoint with this id, which carries traffic, has done so at every
    /// instant since it first did.
    pub fn never_stopped(&self, endpoint: &str) {
        let gaps = self.gaps(endpoint);
        assert!(gaps.values().all(|(times, _)| *times == 0), "{endpoint} could carry nothing: {gaps:?}");
        let up = self.operator.sim.with(|cloud| {
            let track = cloud.journal.witness().of(name::endpoint(endpoint), None);
            track.is_some_and(privatelink_sim::journal::witness::Track::is_up)
        });
        assert!(up, "{endpoint} carries traffic");
    }

    /// What moves in the cloud is over.
    pub fn settles(&self) {
        self.operator.control("advance", &json!({"settle": true}));
    }

    /// The provider accepts an endpoint.
    pub fn accepts(&self, endpoint: &Endpoint) {
        let key = connection(endpoint);
        self.as_provider(|_| Call::AcceptConnection(key, AcceptForm::default()));
    }

    /// The provider cuts an endpoint off.
    pub fn cuts(&self, endpoint: &Endpoint) {
        let key = connection(endpoint);
        self.as_provider(|_| Call::RejectConnection(key));
    }

    /// The provider cuts one zone of an endpoint off.
    pub fn cuts_zone(&self, endpoint: &Endpoint, zone: &str) {
        let key = connection(endpoint);
        self.as_provider(|state| Call::DisconnectZone(key, state.land.zone_named(zone), Side::Current));
    }

    /// The provider connects one zone of an endpoint again.
    pub fn connects_zone(&self, endpoint: &Endpoint, zone: &str) {
        let key = connection(endpoint);
        self.as_provider(|state| Call::ConnectZone(key, state.land.zone_named(zone)));
    }

    /// An endpoint of a service, made past the operator by a consumer whom nobody lists any more; its id.
    pub fn has_come(&self, service: &str) -> String {
        self.lists(service);
        let (service, account) = (name::service(service), Principal::Account(self.key.account));
        let at = ("vpc-tenant", "vsw-tenant-f", "sg-tenant");
        let made = past::joins(&self.operator.sim, self.key, REGION, service, at);
        self.as_provider(|_| Call::DisallowPrincipal(service, account));
        name::of_endpoint(made.endpoint)
    }

    /// The endpoint's interfaces are taken away, and then itself, past the operator.
    pub fn loses(&self, endpoint: &Endpoint) {
        self.leaves(id(endpoint));
    }

    /// The same of the endpoint with this id.
    pub fn leaves(&self, endpoint: &str) {
        let endpoint = name::endpoint(endpoint);
        let zones = |state: &State| state.endpoints[&endpoint].zones.keys().copied().collect::<Vec<_>>();
        for zone in self.operator.sim.with(|cloud| zones(cloud.state())) {
            self.as_consumer(|_| Call::RemoveZone(endpoint, zone));
        }
        self.as_consumer(|_| Call::DeleteEndpoint(endpoint));
    }

    /// The domain of an endpoint and its interfaces, as the cloud has them.
    pub fn truth(&self, endpoint: &Endpoint) -> (String, Vec<Leg>) {
        truth(&self.operator, id(endpoint))
    }

    /// The status says what the cloud has.
    pub fn is_true(&self, endpoint: &Endpoint) {
        let status = endpoint.status.as_ref().expect("a status");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let legs: Vec<Leg> = status
            .zones
            .iter()
            .map(|one| Leg {
                subnet: one.subnet_id.clone(),
                zone: text(&one.zone),
                interface: text(&one.interface_id),
                ip: text(&one.ip),
                ipv6: one.ipv6.clone(),
                domain: text(&one.domain),
            })
            .collect();
        assert_eq!((text(&status.domain), legs), self.truth(endpoint));
    }

    /// Ends the operator, after all objects are gone.
    pub async fn stop(self) {
        self.operator.stop().await;
    }
}

/// The domain of the endpoint with this id and its interfaces, as the cloud has them.
pub fn truth(operator: &Operator, endpoint: &str) -> (String, Vec<Leg>) {
    let wanted = name::endpoint(endpoint);
    operator.sim.with(|cloud| {
        cloud.catch_up();
        let state = cloud.state();
        let one = &state.endpoints[&wanted];
        let leg = |(zone, leg): (&world::ZoneId, &world::Leg)| Leg {
            subnet: state.land.switch(leg.switch).expect("it is built in").name.clone(),
            zone: name::zone(state, *zone).to_owned(),
            interface: name::of_interface(one.id, leg.interface),
            ip: leg.ip.to_string(),
            ipv6: leg.ipv6.map(|ip| ip.to_string()),
            domain: name::zone_domain(state, one, *zone),
        };
        let mut legs: Vec<Leg> = one.zones.iter().map(leg).collect();
        legs.sort_by(|one, other| one.subnet.cmp(&other.subnet));
        (name::endpoint_domain(state, one), legs)
    })
}

/// A service that no object stands for, with this account on its list.
pub fn offered(operator: &Operator, key: Key, to: AccountId, balancers: &[&str], auto_accept: bool) -> String {
    let made = past::call(&operator.sim, key, REGION, |state| {
        let one = |name: &&str| {
            let balancer = state.land.balancer_named(name);
            let of = state.land.balancer(balancer).expect("it is built in");
            ResourceForm { balancer, kind: Some(of.kind), zone: of.zones.first().copied() }
        };
        let resources: Vec<ResourceForm> = balancers.iter().map(one).collect();
        Call::CreateService(ServiceForm {
            kind: resources.first().and_then(|first| first.kind),
            resources,
            auto_accept,
            ..ServiceForm::default()
        })
    });
    let Answer::Service(made) = made else { panic!("{made:?} is no service") };
    past::call(&operator.sim, key, REGION, |_| Call::AllowPrincipal(made, Principal::Account(to)));
    name::of_service(made)
}

/// The connection of an endpoint, as its provider names it.
fn connection(endpoint: &Endpoint) -> ConnectionKey {
    let service = endpoint.status.as_ref().and_then(|status| status.service_id.as_deref()).expect("its service");
    ConnectionKey { service: name::service(service), endpoint: name::endpoint(id(endpoint)) }
}

/// The built-in world, in which the provider has a second security group.
pub fn with_two_groups() -> Fixture {
    let one = "          - {id: sg-provider}\n";
    assert!(BUILT_IN.contains(one));
    let two = format!("{one}          - {{id: sg-provider-second}}\n");
    Fixture::parse(&BUILT_IN.replacen(one, &two, 1)).expect("a world")
}

/// The consumer's side of a link to a service, in these zones of its first VPC.
pub fn tenant(service: &Value, zones: &[&str]) -> Value {
    let zone = |zone: &&str| json!({"subnetId": format!("vsw-tenant-{zone}"), "zone": format!("cn-hangzhou-{zone}")});
    json!({
        "service": service, "vpcId": "vpc-tenant", "zones": zones.iter().map(zone).collect::<Vec<_>>(),
        "securityGroupIds": ["sg-tenant"],
    })
}

/// The same in the consumer's second VPC: a VPC has one endpoint of a service at most.
pub fn second_tenant(service: &Value, zones: &[&str]) -> Value {
    let zone =
        |zone: &&str| json!({"subnetId": format!("vsw-tenant-second-{zone}"), "zone": format!("cn-hangzhou-{zone}")});
    json!({
        "service": service, "vpcId": "vpc-tenant-second", "zones": zones.iter().map(zone).collect::<Vec<_>>(),
        "securityGroupIds": ["sg-tenant-other"],
    })
}

/// The provider's side, with a load balancer in each of these zones.
pub fn gateway(zones: &[&str], acceptance: &str) -> Value {
    let one = |zone: &&str| {
        let id = if *zone == "f" { "lb-hot".to_owned() } else { format!("lb-hot-{zone}") };
        json!({"id": id, "type": "CLB", "zone": format!("cn-hangzhou-{zone}")})
    };
    json!({"resources": zones.iter().map(one).collect::<Vec<_>>(), "acceptance": acceptance})
}

/// What an entry says of the connection of the endpoint with this id.
pub fn of_connection<'a>(entry: &'a WhitelistEntry, endpoint: &str) -> Option<&'a ConnectionStatus> {
    entry.status.as_ref()?.connections.iter().find(|one| one.endpoint_id == endpoint)
}

/// What an entry counts: all, connected, awaiting, held, other.
pub fn counted(entry: &WhitelistEntry) -> Option<[u32; 5]> {
    let counts = entry.status.as_ref()?.connection_counts?;
    Some([counts.total, counts.connected, counts.awaiting, counts.held, counts.other])
}

/// The consumer on the list of the service `gateway`, with these fields too.
pub fn lets_in(fields: Value) -> Value {
    with(json!({"serviceRef": {"name": "gateway"}, "principal": CONSUMER.account.0.to_string()}), fields)
}

/// The provider's side for consumers of every namespace, who are accepted by hand, with these fields too.
pub fn offer(zones: &[&str], fields: Value) -> Value {
    let open = with(gateway(zones, "Manual"), json!({"consumerNamespaces": {"from": "All"}}));
    with(open, fields)
}

/// A spec with these fields too.
pub fn with(mut spec: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("{fields} are no fields") };
    spec.as_object_mut().expect("a spec").extend(fields);
    spec
}
