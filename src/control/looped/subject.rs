//! The kinds as the tests see them: one object, and what comes of it in the cloud.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use privatelink_sim::alibaba::name;
use privatelink_sim::world::call::{
    AcceptForm, ConnectionKey, EndpointChange, EndpointForm, ResourceForm, ServiceChange, ServiceForm, ZoneForm,
};
use privatelink_sim::world::object::{BalancerKind, Principal};
use privatelink_sim::world::{AccountId, Answer, Call, EndpointId, ServiceId, State};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::api::shared::CommonStatus;
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

/// The name of the one object.
pub const NAME: &str = "gateway";

/// The account of the consumer.
pub const CONSUMER: AccountId = AccountId(1_002_000_000_000_002);

/// A kind.
pub trait Subject:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// The account with which its calls are made.
    const ACCOUNT: &'static str;

    /// Its spec, in a world that is prepared for it.
    fn declared(stage: &Stage) -> Value;

    /// What has to be there before it and takes an operator that runs.
    async fn preceded(_: &Stage) {}

    /// Its spec, declared otherwise: the `nth` time, which is from 1 to 9.
    fn changed(spec: &Value, nth: u16) -> Value {
        let mut spec = spec.clone();
        spec["description"] = described(nth).into();
        spec
    }

    /// The call by which somebody else does the same to the only one in the world.
    fn drift(world: &State, nth: u16) -> Call;

    /// What its status says that all kinds say.
    fn common(&self) -> Option<&CommonStatus>;

    /// The world has what the object declares, made once.
    fn is_there(&self, stage: &Stage, when: &str);

    /// It is there as it was declared the `nth` time.
    fn is_changed(stage: &Stage, nth: u16);

    /// Nothing is left of it.
    fn is_gone(stage: &Stage, when: &str);
}

/// A kind whose objects stand for cloud objects of their own.
pub trait Standing: Subject {
    /// Where the world lists what stands for it.
    const LIST: &'static str;
    /// The call that makes it.
    const CREATES: &'static str;

    /// The id that its status holds.
    fn id(&self) -> Option<&str>;
}

fn described(nth: u16) -> String {
    format!("the words of {nth}")
}

fn stands<S: Standing>(object: &S, stage: &Stage, when: &str) {
    let world = stage.world(S::LIST);
    assert_eq!(world.len(), 1, "{when}: {world:#?}");
    assert_eq!(world[0]["id"].as_str(), object.id(), "{when}");
    assert_eq!(world[0]["tags"]["privatelink.dev/name"], NAME, "{when}");
    stage.happened_once(S::CREATES, when);
}

fn is_described<S: Standing>(stage: &Stage, nth: u16) {
    assert_eq!(stage.world(S::LIST)[0]["description"], described(nth));
}

fn stands_no_more<S: Standing>(stage: &Stage, when: &str) {
    let world = stage.world(S::LIST);
    assert!(world.is_empty(), "{when}: {world:#?}");
}

impl Subject for EndpointService {
    const ACCOUNT: &'static str = "provider";

    fn declared(_: &Stage) -> Value {
        json!({
            "accountRef": {"name": "provider"},
            "resources": [
                {"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"},
                {"id": "lb-hot-g", "type": "CLB", "zone": "cn-hangzhou-g"},
            ],
            "description": "the gateway",
        })
    }

    fn drift(world: &State, nth: u16) -> Call {
        let description = described(nth);
        let change = ServiceChange { description: Some(description.as_str().into()), ..ServiceChange::default() };
        Call::UpdateService(*world.services.keys().next().expect("there is one"), change)
    }

    fn common(&self) -> Option<&CommonStatus> {
        Some(&self.status.as_ref()?.common)
    }

    fn is_there(&self, stage: &Stage, when: &str) {
        stands(self, stage, when);
    }

    fn is_changed(stage: &Stage, nth: u16) {
        is_described::<Self>(stage, nth);
    }

    fn is_gone(stage: &Stage, when: &str) {
        stands_no_more::<Self>(stage, when);
    }
}

impl Standing for EndpointService {
    const LIST: &'static str = "services";
    const CREATES: &'static str = "CreateVpcEndpointService";

    fn id(&self) -> Option<&str> {
        self.status.as_ref()?.service_id.as_deref()
    }
}

impl Subject for Endpoint {
    const ACCOUNT: &'static str = "consumer";

    /// Reaches a service that was made past the operator and accepts whoever is on its list.
    fn declared(stage: &Stage) -> Value {
        let land = stage.cloud.with(|cloud| cloud.state().land.clone());
        let resource = |balancer, zone| ResourceForm {
            balancer: land.balancer_named(balancer),
            kind: Some(BalancerKind::Clb),
            zone: Some(land.zone_named(zone)),
        };
        let form = ServiceForm {
            kind: Some(BalancerKind::Clb),
            resources: vec![resource("lb-hot", "cn-hangzhou-f"), resource("lb-hot-g", "cn-hangzhou-g")],
            auto_accept: true,
            ..ServiceForm::default()
        };
        let made = stage.past_the_operator("provider", |_| Call::CreateService(form));
        let Answer::Service(id) = made else { panic!("{made:?} is no service") };
        stage.past_the_operator("provider", |_| Call::AllowPrincipal(id, Principal::Account(CONSUMER)));
        let service = name::of_service(id);
        json!({
            "accountRef": {"name": "consumer"},
            "service": {"id": service},
            "type": "Interface",
            "vpcId": "vpc-tenant",
            "zones": [
                {"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"},
                {"subnetId": "vsw-tenant-g", "zone": "cn-hangzhou-g"},
            ],
            "securityGroupIds": ["sg-tenant"],
            "description": "the gateway",
            "publish": {"configMap": {"name": "gateway"}, "service": {"name": "gateway"}},
        })
    }

    fn drift(world: &State, nth: u16) -> Call {
        let description = described(nth);
        let change = EndpointChange { description: Some(description.as_str().into()), ..EndpointChange::default() };
        Call::UpdateEndpoint(*world.endpoints.keys().next().expect("there is one"), change)
    }

    fn common(&self) -> Option<&CommonStatus> {
        Some(&self.status.as_ref()?.common)
    }

    fn is_there(&self, stage: &Stage, when: &str) {
        stands(self, stage, when);
    }

    fn is_changed(stage: &Stage, nth: u16) {
        is_described::<Self>(stage, nth);
    }

    fn is_gone(stage: &Stage, when: &str) {
        stands_no_more::<Self>(stage, when);
    }
}

impl Standing for Endpoint {
    const LIST: &'static str = "endpoints";
    const CREATES: &'static str = "CreateVpcEndpoint";

    fn id(&self) -> Option<&str> {
        self.status.as_ref()?.endpoint_id.as_deref()
    }
}

impl Subject for WhitelistEntry {
    const ACCOUNT: &'static str = "provider";

    fn declared(_: &Stage) -> Value {
        json!({
            "serviceRef": {"name": NAME},
            "principal": CONSUMER.0.to_string(),
            "connections": {"action": "Accept", "bandwidthMbps": bandwidth(0)},
            "revocation": "Disconnect",
        })
    }

    /// The service, and an endpoint of the consumer's that asks to be let in: it was on the list when it was made.
    async fn preceded(stage: &Stage) {
        let services = stage.of::<EndpointService>();
        stage.apply(&services, NAME, &EndpointService::declared(stage)).await;
        let service = stage.settled(&services).await;
        stage.asks_to_be_let_in(&service, CONSUMER, "consumer", "tenant");
        // Until the next sweep the list of connections that was read last holds.
        stage.later(Duration::from_mins(6)).await;
    }

    fn changed(spec: &Value, nth: u16) -> Value {
        let mut spec = spec.clone();
        spec["connections"]["bandwidthMbps"] = bandwidth(nth).into();
        spec
    }

    fn drift(world: &State, nth: u16) -> Call {
        let endpoint = world.endpoints.values().next().expect("there is one");
        let key = ConnectionKey { service: endpoint.service, endpoint: endpoint.id };
        Call::UpdateConnection(key, AcceptForm { bandwidth_mbps: Some(bandwidth(nth)), ..AcceptForm::default() })
    }

    fn common(&self) -> Option<&CommonStatus> {
        Some(&self.status.as_ref()?.common)
    }

    fn is_there(&self, stage: &Stage, when: &str) {
        assert_eq!(stage.let_in(), [CONSUMER.0.to_string()], "{when}");
        assert_eq!(stage.world("endpoints")[0]["connection"]["status"], "Connected", "{when}");
        stage.happened_once("AddUserToVpcEndpointService", when);
        stage.happened_once("EnableVpcEndpointConnection", when);
    }

    fn is_changed(stage: &Stage, nth: u16) {
        assert_eq!(stage.world("endpoints")[0]["connection"]["bandwidthMbps"], bandwidth(nth));
    }

    fn is_gone(stage: &Stage, when: &str) {
        assert_eq!(stage.let_in(), [] as [&str; 0], "{when}");
        assert_eq!(stage.world("endpoints")[0]["connection"]["status"], "Disconnected", "{when}");
    }
}

/// What is declared of a connection, in Mbit/s.
fn bandwidth(nth: u16) -> u32 {
    200 + 100 * u32::from(nth)
}

/// What a condition of the object says: its status and reason.
pub fn said<'s, S: Subject>(object: &'s S, condition: &str) -> Option<(&'s str, &'s str)> {
    let found = object.common()?.conditions.iter().find(|one| one.type_ == condition)?;
    Some((&found.status, &found.reason))
}

/// It says that its account's credentials cannot be used.
pub fn has_no_credentials<S: Subject>(object: Option<&S>) -> bool {
    object.is_some_and(|one| said(one, "Ready").is_some_and(|(_, reason)| reason == "CredentialsInvalid"))
}

/// Ready for the spec of now, with nothing under way.
pub fn is_settled<S: Subject>(object: Option<&S>) -> bool {
    object.is_some_and(|object| {
        let observed = object.common().map(|common| common.observed_generation);
        observed == object.meta().generation
            && said(object, "Ready").is_some_and(|(status, _)| status == "True")
            && said(object, "Reconciling").is_none()
    })
}

/// The stage with one object of a kind.
impl Stage {
    /// A stage that is prepared for the kind, with an operator whose accounts are ready; and the object's spec.
    pub async fn ready_for<S: Subject>() -> (Self, Api<S>, Value) {
        let mut stage = Self::dark().await;
        let spec = S::declared(&stage);
        stage.start();
        stage.accounts_are_ready().await;
        S::preceded(&stage).await;
        let api = stage.of::<S>();
        (stage, api, spec)
    }

    /// The same with an object that is settled.
    pub async fn with_settled<S: Subject>() -> (Self, Api<S>, Value) {
        let (stage, api, spec) = Self::ready_for::<S>().await;
        stage.apply(&api, NAME, &spec).await;
        stage.settled(&api).await;
        (stage, api, spec)
    }

    /// Waits until the object is settled.
    pub async fn settled<S: Subject>(&self, api: &Api<S>) -> S {
        self.until(api, NAME, "settled", is_settled).await.expect("it is there")
    }

    /// Somebody changes in the cloud what the object declares, past the operator.
    pub fn drifts<S: Subject>(&self, nth: u16) {
        self.past_the_operator(S::ACCOUNT, |world| S::drift(world, nth));
    }

    /// Who stands on the list of the only service, beside the account that it is of.
    pub fn let_in(&self) -> Vec<String> {
        let service = &self.world("services")[0];
        let all = service["principals"].as_array().expect("a list").iter();
        let all = all.map(|one| one.as_str().expect("a principal").to_owned());
        let owner = service["owner"].to_string();
        all.filter(|one| *one != owner).collect()
    }

    /// A call has had an effect once.
    pub fn happened_once(&self, action: &str, when: &str) {
        let effects = self.effects();
        let times = effects.iter().filter(|effect| *effect == action).count();
        assert_eq!(times, 1, "{when}: {action} of {effects:?}");
    }

    /// An endpoint of this account, which has a key of that name, to the service: it waits for acceptance, and the
    /// account stands on no list any more. Its VPC is `vpc-<vpc>`.
    pub fn asks_to_be_let_in(&self, service: &EndpointService, account: AccountId, key: &str, vpc: &str) -> EndpointId {
        let id = name::service(service.id().expect("it has an id"));
        let principal = Principal::Account(account);
        self.past_the_operator("provider", |_| Call::AllowPrincipal(id, principal.clone()));
        let made = self.past_the_operator(key, |world| endpoint_in(world, id, vpc));
        self.past_the_operator("provider", |_| Call::DisallowPrincipal(id, principal));
        let Answer::Endpoint(made) = made else { panic!("{made:?} is no endpoint") };
        made
    }
}

/// The call that makes an endpoint in `vpc-<vpc>`.
pub fn endpoint_in(world: &State, service: ServiceId, vpc: &str) -> Call {
    let switch = world.land.switch_named(&format!("vsw-{vpc}-f"));
    Call::CreateEndpoint(EndpointForm {
        service,
        service_region: None,
        kind: None,
        vpc: world.land.vpc_named(&format!("vpc-{vpc}")),
        zones: vec![ZoneForm { zone: None, switch, ip: None, ipv6: None }],
        groups: vec![world.land.group_named(&format!("sg-{vpc}"))],
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
}
