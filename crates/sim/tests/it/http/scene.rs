//! A cloud with callers, and the steps that most tests begin with.

use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::{AccountId, Variants};
use serde_json::Value;

use super::client::{Client, START};

pub const PROVIDER: &str = "1001000000000001";
pub const CONSUMER: &str = "1002000000000002";

pub struct Scene {
    pub simulator: Simulator,
    pub provider: Client,
    pub consumer: Client,
    pub vendor: Client,
    pub restricted: Client,
}

pub fn options() -> Options {
    Options::standing(START.parse().expect("a time"))
}

impl Scene {
    pub fn new() -> Self {
        Self::with(Variants::default(), options())
    }

    pub fn with(variants: Variants, options: Options) -> Self {
        let mut fixture = Fixture::built_in();
        fixture.state.variants = variants;
        let simulator = Simulator::new(Cloud::new(fixture, options));
        let seen = std::sync::Arc::default();
        let client = |name: &str| Client {
            seen: std::sync::Arc::clone(&seen),
            ..Client::new(&simulator, &format!("{name}-key"), &format!("{name}-secret"))
        };
        Self {
            provider: client("provider"),
            consumer: client("consumer"),
            vendor: client("vendor"),
            restricted: client("restricted"),
            simulator,
        }
    }

    /// Time passes until nothing moves by itself.
    pub fn settle(&self) {
        self.simulator.with(Cloud::settle);
        let broken = self.simulator.with(|cloud| privatelink_sim::world::invariant::broken(cloud.state()));
        assert_eq!(broken, Vec::<String>::new());
    }

    pub fn set_account(&self, uid: &str, change: impl FnOnce(&mut privatelink_sim::world::Account)) {
        let id = AccountId(uid.parse().expect("an account number"));
        self.simulator.with(|cloud| {
            let mut state = cloud.state().clone();
            change(state.accounts.get_mut(&id).expect("an account of the built-in world"));
            cloud.set_state(state);
        });
    }

    /// An active service of two load balancers in zone f and two in zone g, open to the consumer.
    pub async fn service(&self, extra: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("ServiceResourceType", "slb"),
            ("Resource.1.ResourceId", "lb-hot"),
            ("Resource.1.ResourceType", "slb"),
            ("Resource.1.ZoneId", "cn-hangzhou-f"),
            ("Resource.2.ResourceId", "lb-spare"),
            ("Resource.2.ResourceType", "slb"),
            ("Resource.2.ZoneId", "cn-hangzhou-f"),
            ("Resource.3.ResourceId", "lb-hot-g"),
            ("Resource.3.ResourceType", "slb"),
            ("Resource.4.ResourceId", "lb-spare-g"),
            ("Resource.4.ResourceType", "slb"),
        ];
        parameters.extend_from_slice(extra);
        let made = self.provider.call("CreateVpcEndpointService", &parameters).await.ok();
        let service = text(&made, "ServiceId");
        self.settle();
        let call = [("ServiceId", service.as_str()), ("UserId", CONSUMER)];
        self.provider.call("AddUserToVpcEndpointService", &call).await.ok();
        self.settle();
        service
    }

    /// A settled endpoint of the consumer to `service`, in zones f and g.
    pub async fn endpoint(&self, service: &str, extra: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("ServiceId", service),
            ("VpcId", "vpc-tenant"),
            ("SecurityGroupId.1", "sg-tenant"),
            ("Zone.1.ZoneId", "cn-hangzhou-f"),
            ("Zone.1.VSwitchId", "vsw-tenant-f"),
            ("Zone.2.ZoneId", "cn-hangzhou-g"),
            ("Zone.2.VSwitchId", "vsw-tenant-g"),
        ];
        parameters.extend_from_slice(extra);
        let made = self.consumer.call("CreateVpcEndpoint", &parameters).await.ok();
        self.settle();
        text(&made, "EndpointId")
    }

    /// A connected endpoint, with its service.
    pub async fn connected(&self) -> (String, String) {
        let service = self.service(&[]).await;
        let endpoint = self.endpoint(&service, &[]).await;
        self.provider
            .call("EnableVpcEndpointConnection", &[("ServiceId", &service), ("EndpointId", &endpoint)])
            .await
            .ok();
        self.settle();
        (service, endpoint)
    }

    /// The zone of the connection, as its provider sees it.
    pub async fn leg(&self, service: &str, endpoint: &str, zone: &str) -> Value {
        let call = [("ServiceId", service), ("EndpointId", endpoint)];
        let listed = self.provider.call("ListVpcEndpointConnections", &call).await.ok();
        let zones = listed["Connections"][0]["Zones"].as_array().cloned().unwrap_or_default();
        zones.into_iter().find(|one| one["ZoneId"] == zone).unwrap_or(Value::Null)
    }
}

/// A text field of an answer.
#[track_caller]
pub fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} is a text of {answer}")).to_owned()
}
