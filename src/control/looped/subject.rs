//! The two kinds as the tests see them: one object, and what stands for it in the cloud.

use std::fmt::Debug;

use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use privatelink_sim::alibaba::name;
use privatelink_sim::world::call::{EndpointChange, ResourceForm, ServiceChange, ServiceForm};
use privatelink_sim::world::object::{BalancerKind, Principal};
use privatelink_sim::world::{Answer, Call, State};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::api::shared::CommonStatus;
use crate::api::{Endpoint, EndpointService};

/// The name of the one object.
pub const NAME: &str = "gateway";

/// A kind.
pub trait Subject:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// Where the world lists what stands for it.
    const LIST: &'static str;
    /// The call that makes it.
    const CREATES: &'static str;

    /// The account that owns it.
    const ACCOUNT: &'static str;

    /// Its spec, in a world that is prepared for it.
    fn declared(stage: &Stage) -> Value;

    /// The call by which somebody else changes the description of the only one in the world.
    fn drift(world: &State, description: &str) -> Call;

    /// What its status says that all kinds say.
    fn common(&self) -> Option<&CommonStatus>;

    /// The id that its status holds.
    fn id(&self) -> Option<&str>;
}

impl Subject for EndpointService {
    const LIST: &'static str = "services";
    const CREATES: &'static str = "CreateVpcEndpointService";
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

    fn drift(world: &State, description: &str) -> Call {
        let change = ServiceChange { description: Some(description.into()), ..ServiceChange::default() };
        Call::UpdateService(*world.services.keys().next().expect("there is one"), change)
    }

    fn common(&self) -> Option<&CommonStatus> {
        Some(&self.status.as_ref()?.common)
    }

    fn id(&self) -> Option<&str> {
        self.status.as_ref()?.service_id.as_deref()
    }
}

impl Subject for Endpoint {
    const LIST: &'static str = "endpoints";
    const CREATES: &'static str = "CreateVpcEndpoint";
    const ACCOUNT: &'static str = "consumer";

    /// Reaches a service that was made past the operator and accepts whoever is on its list.
    fn declared(stage: &Stage) -> Value {
        let (land, consumer) =
            stage.cloud.with(|cloud| (cloud.state().land.clone(), cloud.keys["consumer-key"].actor.account));
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
        stage.past_the_operator("provider", |_| Call::AllowPrincipal(id, Principal::Account(consumer)));
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

    fn drift(world: &State, description: &str) -> Call {
        let change = EndpointChange { description: Some(description.into()), ..EndpointChange::default() };
        Call::UpdateEndpoint(*world.endpoints.keys().next().expect("there is one"), change)
    }

    fn common(&self) -> Option<&CommonStatus> {
        Some(&self.status.as_ref()?.common)
    }

    fn id(&self) -> Option<&str> {
        self.status.as_ref()?.endpoint_id.as_deref()
    }
}

/// What a condition of the object says: its status and reason.
pub fn said<'s, S: Subject>(object: &'s S, condition: &str) -> Option<(&'s str, &'s str)> {
    let found = object.common()?.conditions.iter().find(|one| one.type_ == condition)?;
    Some((&found.status, &found.reason))
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

    /// Somebody changes the description in the cloud, past the operator.
    pub fn drifts<S: Subject>(&self, description: &str) {
        self.past_the_operator(S::ACCOUNT, |world| S::drift(world, description));
    }

    /// There is one thing in the world for the one object, made once.
    pub fn has_one<S: Subject>(&self, object: &S, when: &str) {
        let world = self.world(S::LIST);
        assert_eq!(world.len(), 1, "{when}: {world:#?}");
        assert_eq!(world[0]["id"].as_str(), object.id(), "{when}");
        assert_eq!(world[0]["tags"]["privatelink.dev/name"], NAME, "{when}");
        let made = self.effects().iter().filter(|action| *action == S::CREATES).count();
        assert_eq!(made, 1, "{when}: {:?}", self.effects());
    }

    /// Nothing is left of the object.
    pub fn has_none<S: Subject>(&self, when: &str) {
        let world = self.world(S::LIST);
        assert!(world.is_empty(), "{when}: {world:#?}");
    }
}
