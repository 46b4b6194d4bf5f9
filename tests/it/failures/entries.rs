//! What goes wrong where a tenant is let in: an entry of the provider's, and endpoints that a consumer has made.

use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::DeleteParams;
use privatelink_operator::api::{EndpointService, WhitelistEntry};
use privatelink_sim::alibaba::name;
use privatelink_sim::fault::{Faults, Rates};
use privatelink_sim::world::Call;
use privatelink_sim::world::call::ConnectionKey;
use privatelink_sim::world::object::Principal;
use serde_json::{Value, json};

use super::entry_rows::{CONNECTING, LISTING};
use super::stage::Stage;
use super::table::Row;
use crate::link;
use crate::operator::{apply, becomes};
use crate::past::{self, CONSUMER, PROVIDER};

const REGION: &str = "cn-hangzhou";

/// A stage with a service that accepts by hand, and those whom it may let in.
struct Tenancy {
    stage: Stage,
    entries: Api<WhitelistEntry>,
}

/// Accepting, with these fields of `connections` too.
fn accepting(fields: Value) -> Value {
    json!({"connections": link::with(json!({"action": "Accept"}), fields)})
}

/// What the cloud may answer with.
fn refused(code: &str, status: u16) -> Value {
    json!({"refuse": {"code": code, "status": status}})
}

/// A service in two zones.
fn two_zones() -> Value {
    let one = |id: &str, zone: &str| json!({"id": id, "type": "CLB", "zone": zone});
    json!({"resources": [one("lb-hot", "cn-hangzhou-f"), one("lb-hot-g", "cn-hangzhou-g")]})
}

impl Tenancy {
    async fn start(what: &str, rows: &'static [Row]) -> Self {
        let stage = Stage::start(what, rows).await;
        stage.apply("gateway", "lb-hot", json!({})).await;
        stage.mended(&stage.services, "gateway").await;
        let entries = Api::namespaced(stage.operator.admin().await, &stage.namespace);
        Self { stage, entries }
    }

    async fn apply(&self, name: &str, more: Value) {
        let entry = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "WhitelistEntry",
            "metadata": {"name": name, "namespace": self.stage.namespace},
            "spec": link::lets_in(more),
        });
        apply(&self.entries, name, &entry).await;
    }

    /// Applies the entry, and reads the next row on it; nothing is written meanwhile.
    async fn refused(&self, wrong: &str, more: Value) {
        let writes = self.stage.operator.writes();
        self.apply("tenant", more).await;
        self.stage.reads(wrong, &self.entries, "tenant").await;
        assert_eq!(self.stage.operator.writes(), writes, "{wrong}: nothing is written");
    }

    /// Applies the entry, and reads the next row on it; nothing is accepted meanwhile.
    async fn unaccepted(&self, wrong: &str, more: Value) {
        let accepted = || self.stage.operator.writes().get("EnableVpcEndpointConnection").copied();
        let before = accepted();
        self.apply("tenant", more).await;
        self.stage.reads(wrong, &self.entries, "tenant").await;
        assert_eq!(accepted(), before, "{wrong}: nothing is accepted");
    }

    async fn mended(&self) {
        self.stage.mended(&self.entries, "tenant").await;
    }

    async fn goes(&self) {
        self.stage.goes(&self.entries, "tenant").await;
    }

    /// What is immutable is corrected by making the object anew: it goes without having done anything.
    async fn gone_undone(&self) {
        let writes = self.stage.operator.writes();
        self.goes().await;
        assert_eq!(self.stage.operator.writes(), writes, "nothing was done");
    }

    /// Every call of this action goes wrong.
    fn fails(&self, action: &str, fault: &Value) {
        self.stage.operator.fault(json!({"action": action, "times": 1_000_000, "do": fault}));
    }

    fn lift(&self) {
        self.stage.operator.sim.with(|cloud| cloud.faults = Faults::new(Rates::default(), 0));
    }

    /// The provider's key may not make these calls.
    fn deny(&self, action: Option<&str>) {
        self.stage.operator.sim.with(|cloud| {
            let key = cloud.keys.get_mut("provider-key").expect("a key of the world");
            key.denied = action.map(str::to_owned).into_iter().collect();
        });
    }

    /// An endpoint that waits for acceptance on the only service, in the consumer's first VPC; the service has seen it.
    async fn has_come(&self) -> ConnectionKey {
        let service = self.stage.operator.world()["services"][0]["id"].as_str().expect("an id").to_owned();
        let (service, consumer) = (name::service(&service), Principal::Account(CONSUMER.account));
        let sim = &self.stage.operator.sim;
        let listed = sim.with(|cloud| cloud.state().services[&service].principals.contains(&consumer));
        if !listed {
            past::call(sim, PROVIDER, REGION, |_| Call::AllowPrincipal(service, consumer));
        }
        let key = past::joins(sim, CONSUMER, REGION, service, ("vpc-tenant", "vsw-tenant-f", "sg-tenant"));
        self.stage.ask(&self.stage.services, "gateway").await;
        key
    }

    /// The consumer takes it away again.
    fn leaves(&self, key: ConnectionKey) {
        let sim = &self.stage.operator.sim;
        let zone = |state: &privatelink_sim::world::State| {
            *state.endpoints[&key.endpoint].zones.keys().next().expect("it has a zone")
        };
        past::call(sim, CONSUMER, REGION, |state| Call::RemoveZone(key.endpoint, zone(state)));
        past::call(sim, CONSUMER, REGION, |_| Call::DeleteEndpoint(key.endpoint));
    }

    async fn stop(self) {
        self.stage.stop().await;
    }
}

/// What its service, and the account of that, have to do with it.
async fn the_service_stands_in_its_way(tenancy: &Tenancy) {
    let (stage, entries) = (&tenancy.stage, &tenancy.entries);
    tenancy.refused("There is no service of this name", json!({"serviceRef": {"name": "nowhere"}})).await;
    tenancy.gone_undone().await;
    tenancy.fails("CreateVpcEndpointService", &refused("ServiceUnavailable", 503));
    stage.apply("late", "lb-spare", json!({})).await;
    tenancy.refused("The service is not in the cloud yet", json!({"serviceRef": {"name": "late"}})).await;
    tenancy.lift();
    tenancy.mended().await;
    tenancy.goes().await;
    stage.goes(&stage.services, "late").await;

    tenancy.apply("settled", json!({"principal": "1003000000000003"})).await;
    stage.mended(entries, "settled").await;
    stage.secret(json!({"accessKeySecret": "wrong"})).await;
    stage.ask(&stage.accounts, &stage.account).await;
    tenancy.refused("The credentials of the service's account fail", json!({})).await;
    stage.mended(entries, "settled").await;
    let told = stage.events("WhitelistEntry", "settled", "CredentialsInvalid").await;
    assert_eq!(told, 0, "it is not told by what is ready");
    stage.mend_secret().await;
    tenancy.mended().await;
    stage.goes(entries, "settled").await;
    stage.secret(json!({"accessKeySecret": "wrong"})).await;
    stage.ask(&stage.accounts, &stage.account).await;
    entries.delete("tenant", &DeleteParams::default()).await.expect("it is deleted");
    stage.reads("The credentials fail as the entry is deleted", entries, "tenant").await;
    stage.mend_secret().await;
    becomes(entries.clone(), "tenant", "gone", |one| one.is_none()).await;

    let paused = |value: Value| json!({"metadata": {"annotations": {"privatelink.dev/paused": value}}});
    stage.change(&stage.services, "gateway", paused(json!("true"))).await;
    tenancy.refused("The service is paused", json!({})).await;
    stage.change(&stage.services, "gateway", paused(Value::Null)).await;
    tenancy.mended().await;
    stage.change(entries, "tenant", paused(json!("true"))).await;
    stage.reads("The entry is paused", entries, "tenant").await;
    stage.change(entries, "tenant", paused(Value::Null)).await;
    tenancy.mended().await;
    tenancy.goes().await;

    let watched = link::offered(&stage.operator, PROVIDER, CONSUMER.account, &["lb-third"], false);
    stage.apply("watched", "lb-third", json!({"adopt": {"id": watched}, "managementPolicy": "Observe"})).await;
    stage.mended(&stage.services, "watched").await;
    tenancy.refused("The service is only observed", json!({"serviceRef": {"name": "watched"}})).await;
    tenancy.gone_undone().await;
    stage.goes(&stage.services, "watched").await;
}

/// The cloud refuses to change the list, or to show it.
async fn the_cloud_stands_in_its_way(tenancy: &Tenancy) {
    let (stage, entries) = (&tenancy.stage, &tenancy.entries);
    for (wrong, fault) in [
        ("A quota of the cloud is used up", refused("QuotaMisMatched", 400)),
        ("The cloud throttles the change of the list", json!("throttle")),
        ("The cloud fails when the list is changed", refused("ServiceUnavailable", 503)),
        ("A code that nobody knows, for a list", refused("SomethingNew.Strange", 400)),
    ] {
        tenancy.fails("AddUserToVpcEndpointService", &fault);
        tenancy.refused(wrong, json!({})).await;
        tenancy.lift();
        tenancy.mended().await;
        tenancy.goes().await;
    }
    tenancy.deny(Some("AddUserToVpcEndpointService"));
    tenancy.refused("The credentials may not change the list", json!({})).await;
    tenancy.deny(None);
    stage.ask(entries, "tenant").await;
    tenancy.mended().await;
    // What was read lately need not be read again before the list is changed.
    tenancy.deny(Some("ListVpcEndpointServiceUsers"));
    stage.wish(entries, "tenant").await;
    stage.reads("The credentials may not read the list", entries, "tenant").await;
    tenancy.deny(None);
    stage.ask(entries, "tenant").await;
    tenancy.mended().await;
    tenancy.goes().await;
    stage.provider(|account| account.locked = true);
    stage.ask(&stage.services, "gateway").await;
    tenancy.refused("The service's account owes money", json!({})).await;
    stage.provider(|account| account.locked = false);
    stage.ask(&stage.services, "gateway").await;
    tenancy.mended().await;
    tenancy.goes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_tenant_off_the_list_is_said_by_its_field_and_passes_by_itself() {
    let tenancy = Tenancy::start("entries", LISTING).await;
    let (stage, entries) = (&tenancy.stage, &tenancy.entries);
    the_service_stands_in_its_way(&tenancy).await;

    for (wrong, more) in [
        ("Everybody is named, and the account does not allow it", json!({"principal": "acs:ram:*:*"})),
        ("The principal is one of another cloud", json!({"principal": "arn:aws:iam::123456789012:root"})),
    ] {
        tenancy.refused(wrong, more).await;
        tenancy.gone_undone().await;
    }
    let role = json!({"principal": "acs:ram:*:1002000000000002:role/tenant"});
    tenancy
        .refused("A role is named, and its connections are to be accepted", link::with(accepting(json!({})), role))
        .await;
    tenancy.gone_undone().await;

    stage.apply("gateway", "lb-hot", json!({"acceptance": "Automatic"})).await;
    stage.mended(&stage.services, "gateway").await;
    tenancy.refused("The service accepts by itself, and a limit is set", accepting(json!({"max": 1}))).await;
    stage.apply("gateway", "lb-hot", json!({})).await;
    tenancy.mended().await;
    tenancy.goes().await;
    let fast = accepting(json!({"bandwidthMbps": 20_000}));
    tenancy.refused("The service cannot give so much bandwidth", fast).await;
    tenancy.apply("tenant", accepting(json!({"bandwidthMbps": 200}))).await;
    tenancy.mended().await;

    let writes = stage.operator.writes();
    tenancy.apply("twin", json!({"principal": "acs:ram:*:1002000000000002"})).await;
    stage.reads("Another entry decides on the same account", entries, "twin").await;
    tenancy.goes().await;
    stage.mended(entries, "twin").await;
    assert_eq!(stage.operator.writes(), writes);
    stage.goes(entries, "twin").await;

    the_cloud_stands_in_its_way(&tenancy).await;
    let past = Timestamp::now() - SignedDuration::from_hours(1);
    let expired = json!({"expiresAt": past.to_string(), "revocation": "Disconnect"});
    tenancy.refused("The time of the entry is over", expired).await;
    tenancy.apply("tenant", json!({})).await;
    tenancy.mended().await;
    tenancy.goes().await;
    stage.goes(&stage.services, "gateway").await;
    tenancy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_connection_from_being_as_declared_is_said_with_the_endpoint_that_it_is() {
    let tenancy = Tenancy::start("connecting", CONNECTING).await;
    let (stage, entries, services) = (&tenancy.stage, &tenancy.entries, &tenancy.stage.services);

    for (wrong, fault) in [
        ("The cloud throttles the acceptance", json!("throttle")),
        ("The cloud fails to accept", refused("ServiceUnavailable", 503)),
        ("A code that nobody knows, for a connection", refused("SomethingNew.Strange", 400)),
    ] {
        let key = tenancy.has_come().await;
        tenancy.fails("EnableVpcEndpointConnection", &fault);
        tenancy.unaccepted(wrong, accepting(json!({}))).await;
        tenancy.lift();
        tenancy.mended().await;
        tenancy.leaves(key);
        stage.ask(services, "gateway").await;
        tenancy.goes().await;
    }
    let key = tenancy.has_come().await;
    tenancy.deny(Some("EnableVpcEndpointConnection"));
    tenancy.unaccepted("The credentials may not accept", accepting(json!({}))).await;
    tenancy.deny(None);
    stage.ask(entries, "tenant").await;
    tenancy.mended().await;

    past::call(&stage.operator.sim, PROVIDER, REGION, |_| Call::RejectConnection(key));
    stage.ask(services, "gateway").await;
    stage.reads("Someone else has cut the connection", entries, "tenant").await;
    stage.ask(entries, "tenant").await;
    tenancy.mended().await;
    tenancy.leaves(key);
    stage.ask(services, "gateway").await;
    tenancy.goes().await;

    // The zone of an endpoint loses its load balancer before it is accepted.
    stage.apply("gateway", "lb-hot", two_zones()).await;
    stage.mended(services, "gateway").await;
    let key = tenancy.has_come().await;
    let elsewhere = json!({"resources": [{"id": "lb-hot-g", "type": "CLB", "zone": "cn-hangzhou-g"}]});
    stage.apply("gateway", "lb-hot", elsewhere).await;
    stage.mended(services, "gateway").await;
    tenancy.unaccepted("No load balancer is in the endpoint's zone", accepting(json!({}))).await;
    stage.apply("gateway", "lb-hot", two_zones()).await;
    tenancy.mended().await;
    tenancy.leaves(key);
    tenancy.apply("tenant", json!({})).await;
    tenancy.mended().await;
    let key = tenancy.has_come().await;
    let by_hand = accepting(json!({"assignment": "Manual"}));
    tenancy.unaccepted("Load balancers are assigned by hand, and none is", by_hand).await;
    tenancy.apply("tenant", accepting(json!({}))).await;
    tenancy.mended().await;

    services.delete("gateway", &DeleteParams::default()).await.expect("it is deleted");
    stage.reads("The service is being deleted", entries, "tenant").await;
    tenancy.gone_undone().await;
    tenancy.leaves(key);
    stage.wish(services, "gateway").await;
    becomes(services.clone(), "gateway", "gone", |one: Option<&EndpointService>| one.is_none()).await;
    tenancy.stop().await;
}
