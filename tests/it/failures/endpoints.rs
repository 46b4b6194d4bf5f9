//! What goes wrong on the consumer's side: an endpoint of a second account, on a service of the first.

use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use privatelink_operator::api::Endpoint;
use privatelink_sim::alibaba::name;
use privatelink_sim::fault::{Faults, Rates};
use privatelink_sim::world::Call;
use privatelink_sim::world::object::{Account, Principal};
use serde_json::{Value, json};

use super::endpoint_rows::{ENDPOINTS, JOINING};
use super::stage::Stage;
use super::table::Row;
use crate::operator::apply;
use crate::past::{self, CONSUMER, PROVIDER};

/// A stage with a service of the provider's account, and an account of the consumer.
struct Sides {
    stage: Stage,
    consumer: String,
    endpoints: Api<Endpoint>,
}

impl Sides {
    async fn start(what: &str, rows: &'static [Row]) -> Self {
        let mut stage = Stage::start(what, rows).await;
        let consumer = format!("consumer-of-{what}");
        stage.mask(&consumer, "prod");
        let account = stage.operator.account_with(&consumer, &[&stage.namespace], CONSUMER, "cn-hangzhou").await;
        assert_eq!(account.status.expect("a status").account_id.as_deref(), Some("1002000000000002"));
        let balancers = [("lb-hot", "cn-hangzhou-f"), ("lb-hot-g", "cn-hangzhou-g")];
        let resources: Vec<_> =
            balancers.iter().map(|(id, zone)| json!({"id": id, "type": "CLB", "zone": zone})).collect();
        stage.apply("gateway", "lb-hot", json!({"resources": resources, "acceptance": "Automatic"})).await;
        stage.mended(&stage.services, "gateway").await;
        let endpoints = Api::namespaced(stage.operator.admin().await, &stage.namespace);
        let sides = Self { stage, consumer, endpoints };
        sides.listed(true);
        sides
    }

    /// The consumer's account comes onto the service's whitelist, or off it.
    fn listed(&self, on: bool) {
        past::call(&self.stage.operator.sim, PROVIDER, "cn-hangzhou", |state| {
            let service = *state.services.keys().next().expect("a service");
            let consumer = Principal::Account(CONSUMER.account);
            if on { Call::AllowPrincipal(service, consumer) } else { Call::DisallowPrincipal(service, consumer) }
        });
    }

    /// Changes what the consumer's account is, owes or may.
    fn account(&self, change: impl FnOnce(&mut Account)) {
        self.stage.world(|state| change(state.accounts.get_mut(&CONSUMER.account).expect("it is in the world")));
    }

    /// The spec of an endpoint that works, and what else is given; null takes a field away.
    fn spec(&self, more: Value) -> Value {
        let mut spec = json!({
            "accountRef": {"name": self.consumer},
            "service": {"ref": {"name": "gateway"}},
            "vpcId": "vpc-tenant",
            "zones": [{"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"}],
            "securityGroupIds": ["sg-tenant"],
        });
        let Value::Object(more) = more else { panic!("no fields: {more}") };
        for (field, value) in more {
            spec[field] = value;
        }
        spec.as_object_mut().expect("fields").retain(|_, value| !value.is_null());
        spec
    }

    async fn apply(&self, more: Value) {
        let endpoint = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "Endpoint",
            "metadata": {"name": "db", "namespace": self.stage.namespace},
            "spec": self.spec(more),
        });
        apply(&self.endpoints, "db", &endpoint).await;
    }

    /// Applies the endpoint, and reads the next row on it; nothing is written meanwhile.
    async fn refused(&self, wrong: &str, more: Value) {
        let writes = self.stage.operator.writes();
        self.apply(more).await;
        self.stage.reads(wrong, &self.endpoints, "db").await;
        assert_eq!(self.stage.operator.writes(), writes, "{wrong}: nothing is written");
    }

    /// Waits until the endpoint is ready by itself, then deletes it.
    async fn mended(&self) {
        self.stage.mended(&self.endpoints, "db").await;
        self.goes().await;
    }

    async fn goes(&self) {
        self.stage.goes(&self.endpoints, "db").await;
    }

    /// What is immutable is corrected by making the object anew: it goes without having made anything.
    async fn gone_unmade(&self) {
        let writes = self.stage.operator.writes();
        self.goes().await;
        assert_eq!(self.stage.operator.writes(), writes, "nothing was made");
    }

    async fn stop(mut self) {
        self.stage.goes(&self.stage.services, "gateway").await;
        let world = self.stage.operator.world();
        assert_eq!((&world["services"], &world["endpoints"]), (&json!([]), &json!([])));
        self.stage.operator.leave_account(&self.consumer);
        self.stage.goes(&self.stage.accounts, &self.consumer).await;
        let secrets = self.stage.secrets().await;
        secrets.delete(&self.consumer, &DeleteParams::default()).await.expect("its Secret is deleted");
        self.stage.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_an_endpoint_from_being_made_is_said_and_passes_by_itself() {
    let sides = Sides::start("endpoints", ENDPOINTS).await;
    let (stage, endpoints) = (&sides.stage, &sides.endpoints);

    let account = |secret: &'static str| stage.operator.secret(&sides.consumer, "consumer-key", secret);
    account("wrong").await;
    stage.ask(&stage.accounts, &sides.consumer).await;
    sides.refused("The credentials of the endpoint's account fail", json!({})).await;
    account("consumer-secret").await;
    sides.mended().await;

    sides.refused("The endpoint's account does not exist", json!({"accountRef": {"name": "nobody"}})).await;
    sides.gone_unmade().await;

    let always = |action: &str, fault: Value| json!({"action": action, "times": 1_000_000, "do": fault});
    let lift = || stage.operator.sim.with(|cloud| cloud.faults = Faults::new(Rates::default(), 0));
    let refuse = |code: &str, status: u16| json!({"refuse": {"code": code, "status": status}});
    for (wrong, action, fault) in [
        ("The cloud throttles the making of an endpoint", "CreateVpcEndpoint", json!("throttle")),
        ("The cloud fails when an endpoint is made", "CreateVpcEndpoint", refuse("ServiceUnavailable", 503)),
    ] {
        stage.operator.fault(always(action, fault));
        sides.refused(wrong, json!({})).await;
        lift();
        sides.mended().await;
    }

    sides.account(|account| account.product_open = false);
    sides.refused("PrivateLink is not switched on for the consumer", json!({})).await;
    sides.account(|account| account.product_open = true);
    stage.ask(endpoints, "db").await;
    sides.mended().await;

    let deny = |action: Option<&str>| {
        stage.operator.sim.with(|cloud| {
            let key = cloud.keys.get_mut("consumer-key").expect("a key of the world");
            key.denied = action.map(str::to_owned).into_iter().collect();
        });
    };
    deny(Some("CreateVpcEndpoint"));
    sides.refused("The credentials may not create endpoints", json!({})).await;
    deny(None);
    stage.ask(endpoints, "db").await;
    stage.mended(endpoints, "db").await;
    deny(Some("ListVpcEndpoints"));
    stage.wish(endpoints, "db").await;
    stage.reads("The credentials may not read endpoints", endpoints, "db").await;
    deny(None);
    stage.ask(endpoints, "db").await;
    sides.mended().await;

    sides.account(|account| account.max_endpoints_per_vpc = 0);
    sides.refused("The VPC may hold no more endpoints", json!({})).await;
    sides.account(|account| account.max_endpoints_per_vpc = 50);
    stage.ask(endpoints, "db").await;
    sides.mended().await;

    sides.apply(json!({})).await;
    stage.mended(endpoints, "db").await;
    sides.account(|account| account.locked = true);
    stage.ask(endpoints, "db").await;
    stage.reads("The consumer's account owes money", endpoints, "db").await;
    sides.account(|account| account.locked = false);
    stage.ask(endpoints, "db").await;
    sides.mended().await;

    stage.operator.fault(json!({"action": "CreateVpcEndpoint", "do": refuse("SomethingNew.Strange", 400)}));
    sides.refused("A code that nobody knows, for an endpoint", json!({})).await;
    sides.mended().await;
    sides.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_endpoint_asks_for_and_cannot_have_is_said_by_its_field() {
    let sides = Sides::start("joining", JOINING).await;
    let (stage, endpoints) = (&sides.stage, &sides.endpoints);
    let zone = |subnet: &str, zone: &str| json!([{"subnetId": subnet, "zone": zone}]);
    let of = |more: Value| {
        let mut one = zone("vsw-tenant-f", "cn-hangzhou-f");
        for (field, value) in more.as_object().expect("fields") {
            one[0][field] = value.clone();
        }
        json!({"zones": one})
    };

    let nowhere = json!({"service": {"ref": {"name": "nowhere"}}});
    sides.refused("There is no such EndpointService", nowhere).await;
    sides.gone_unmade().await;
    let stranger = json!({"service": {"id": "epsrv-nowhere"}});
    sides.refused("There is no service with this id", stranger).await;
    sides.gone_unmade().await;

    sides.listed(false);
    sides.refused("The service does not list the account", json!({})).await;
    sides.listed(true);
    stage.ask(endpoints, "db").await;
    sides.mended().await;

    for (wrong, more) in [
        ("The vSwitch does not exist", json!({"zones": zone("vsw-nowhere", "cn-hangzhou-f")})),
        ("The vSwitch has no free address", json!({"zones": zone("vsw-tenant-full", "cn-hangzhou-f")})),
        ("The vSwitch is not available yet", json!({"zones": zone("vsw-tenant-new", "cn-hangzhou-f")})),
        ("The service has no load balancer in the zone", json!({"zones": zone("vsw-tenant-h", "cn-hangzhou-h")})),
        ("The security group does not exist", json!({"securityGroupIds": ["sg-nowhere"]})),
        ("The security group is managed by the cloud", json!({"securityGroupIds": ["sg-tenant-managed"]})),
        ("Security groups of two kinds", json!({"securityGroupIds": ["sg-tenant", "sg-tenant-enterprise"]})),
        ("The endpoint's resource group does not exist", json!({"resourceGroupId": "rg-nowhere"})),
        ("The service takes no endpoint policy", json!({"policy": {"Version": "1", "Statement": []}})),
        ("The service has no IPv6", json!({"addressFamily": "DualStack"})),
        ("A field that Alibaba Cloud does not have", json!({"privateDns": true})),
    ] {
        sides.refused(wrong, more).await;
        sides.apply(json!({})).await;
        sides.mended().await;
    }
    // What cannot be changed is corrected by an object of its own.
    for (wrong, more) in [
        ("The vSwitch is in another zone", json!({"zones": zone("vsw-tenant-f", "cn-hangzhou-g")})),
        ("The address is not one of the vSwitch's", of(json!({"ip": "10.99.0.1"}))),
        ("The VPC does not exist", json!({"vpcId": "vpc-nowhere"})),
        ("The service is for endpoints of another type", json!({"type": "GatewayLoadBalancer"})),
    ] {
        sides.refused(wrong, more).await;
        sides.gone_unmade().await;
    }

    // One that somebody else has made stands in the way until it goes.
    sides.apply(json!({})).await;
    stage.mended(endpoints, "db").await;
    let keep = json!({"spec": {"deletionPolicy": "Retain"}});
    endpoints.patch("db", &PatchParams::default(), &Patch::Merge(&keep)).await.expect("it is patched");
    sides.goes().await;
    let kept = stage.operator.world()["endpoints"][0]["id"].as_str().expect("it stays").to_owned();
    sides.refused("The VPC has an endpoint of this service already", json!({})).await;
    stage.world(|state| {
        state.endpoints.remove(&name::endpoint(&kept));
    });
    stage.ask(endpoints, "db").await;
    stage.mended(endpoints, "db").await;

    // What is added later and cannot be had stops no traffic.
    let both = json!([
        {"subnetId": "vsw-tenant-f", "zone": "cn-hangzhou-f"}, {"subnetId": "vsw-tenant-h", "zone": "cn-hangzhou-h"},
    ]);
    sides.refused("A zone added later has no load balancer", json!({"zones": both})).await;
    sides.apply(json!({})).await;
    stage.mended(endpoints, "db").await;
    let other = json!([{"subnetId": "vsw-tenant-new", "zone": "cn-hangzhou-f"}]);
    sides.refused("The only connected interface is to be replaced", json!({"zones": other})).await;
    sides.apply(json!({})).await;
    sides.mended().await;
    sides.stop().await;
}
