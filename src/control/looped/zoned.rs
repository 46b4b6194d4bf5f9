//! A tenant's connection to a service that has several load balancers in one zone, and what decides which of them
//! serves it.

use privatelink_core::state::MigrationOutcome;
use privatelink_sim::journal::witness::Track;
use serde_json::{Value, json};

use super::stage::Stage;
use super::subject::{CONSUMER, NAME, is_settled};
use crate::api::zone::{MigrationRecord, ZoneResourceAssignmentStatus};
use crate::api::{Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// The zone in which all load balancers are that a connection moves between.
pub const ZONE: &str = "cn-hangzhou-f";
/// The other zone of the endpoint, with the one load balancer that serves it.
pub const OTHER: (&str, &str) = ("cn-hangzhou-g", "lb-hot-g");
/// How long a replaced side stays open, in seconds.
pub const DRAIN: i64 = 30;
/// The names of the entry and of the assignment.
pub const ENTRY: &str = "tenant";
/// See [`ENTRY`].
pub const ASSIGNMENT: &str = "f";

/// A service with these load balancers in the zone, and whether each is given to new connections; and with one in the
/// other zone.
pub fn service(in_zone: &[(&str, bool)]) -> Value {
    let row = |id: &str, zone: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": zone, "autoAllocate": auto});
    let mut resources: Vec<Value> = in_zone.iter().map(|(id, auto)| row(id, ZONE, *auto)).collect();
    resources.push(row(OTHER.1, OTHER.0, true));
    json!({
        "accountRef": {"name": "provider"},
        "resources": resources,
        "removal": {"drainSeconds": DRAIN},
    })
}

/// An entry that lets the tenant in, and either way of giving its zones load balancers.
pub fn entry(assignment: &str) -> Value {
    json!({
        "serviceRef": {"name": NAME},
        "principal": CONSUMER.0.to_string(),
        "connections": {"action": "Accept", "assignment": assignment},
    })
}

/// The tenant's endpoint in both zones.
pub fn endpoint() -> Value {
    json!({
        "accountRef": {"name": "consumer"},
        "service": {"ref": {"name": NAME}},
        "type": "Interface",
        "vpcId": "vpc-tenant",
        "zones": [
            {"subnetId": "vsw-tenant-f", "zone": ZONE},
            {"subnetId": "vsw-tenant-g", "zone": OTHER.0},
        ],
        "securityGroupIds": ["sg-tenant"],
    })
}

/// An assignment of this load balancer to the zone of the tenant's endpoint.
pub fn assignment(resource: &str) -> Value {
    json!({
        "serviceRef": {"name": NAME},
        "endpoint": {"ref": {"name": NAME}},
        "zone": ZONE,
        "resourceId": resource,
        "migration": {"drainSeconds": DRAIN},
    })
}

/// A record of a migration as a test sees it: from, to, mode, outcome and gap.
pub fn told(record: &MigrationRecord) -> (&str, &str, &str, Option<&str>, Option<u32>) {
    let outcome = record.outcome.as_ref().map(MigrationOutcome::as_str);
    (&record.from, &record.to, &record.mode, outcome, record.gap_seconds)
}

/// Whether an assignment says this of the spec of now.
pub fn says(one: Option<&ZoneResourceAssignment>, truth: &str, reason: &str) -> bool {
    let status = one.and_then(|one| Some((one.status.as_ref()?, one.metadata.generation?)));
    status.is_some_and(|(status, generation)| {
        let ready = status.common.conditions.iter().find(|one| one.type_ == "Ready");
        status.common.observed_generation == generation
            && ready.is_some_and(|one| one.status == truth && one.reason == reason)
    })
}

/// What of the cloud a connection is about.
impl Stage {
    /// A stage with a service, an entry and an endpoint that are settled, all declared by these specs.
    pub async fn with_connection(service: &Value, entry: &Value) -> Self {
        let mut stage = Self::dark().await;
        stage.start();
        stage.accounts_are_ready().await;
        stage.declares_connection(service, entry).await;
        stage.connection_is_settled().await;
        stage
    }

    /// A stage on which an assignment has given the zone `lb-hot`, and one the other zone, and the connection stands; `lb-spare` is there, and
    /// so is `lb-third`.
    pub async fn with_assignment(declared: &Value) -> Self {
        let mut stage = Self::dark().await;
        stage.start();
        stage.accounts_are_ready().await;
        stage
            .declares_connection(
                &service(&[("lb-hot", false), ("lb-spare", false), ("lb-third", true)]),
                &entry("Manual"),
            )
            .await;
        stage.assigns(declared).await;
        stage.assigns_the_other().await;
        stage.zone_becomes("True", "Ready").await;
        stage.connection_is_settled().await;
        stage
    }

    /// An assignment of the load balancer that serves the other zone.
    pub async fn assigns_the_other(&self) {
        let mut other = assignment(OTHER.1);
        other["zone"] = OTHER.0.into();
        self.apply(&self.of::<ZoneResourceAssignment>(), "g", &other).await;
    }

    /// Applies a service, an entry and the endpoint.
    pub async fn declares_connection(&self, service: &Value, entry: &Value) {
        self.apply(&self.of::<EndpointService>(), NAME, service).await;
        self.apply(&self.of::<WhitelistEntry>(), ENTRY, entry).await;
        self.apply(&self.of::<Endpoint>(), NAME, &endpoint()).await;
    }

    /// Waits until all three are.
    pub async fn connection_is_settled(&self) {
        self.until(&self.of(), NAME, "settled", is_settled::<EndpointService>).await;
        self.until(&self.of(), NAME, "settled", is_settled::<Endpoint>).await;
        self.until(&self.of(), ENTRY, "settled", is_settled::<WhitelistEntry>).await;
    }

    /// Applies the assignment.
    pub async fn assigns(&self, declared: &Value) {
        self.apply(&self.of::<ZoneResourceAssignment>(), ASSIGNMENT, declared).await;
    }

    /// Waits until the assignment says this.
    pub async fn zone_becomes(&self, truth: &str, reason: &str) -> ZoneResourceAssignmentStatus {
        let what = format!("{truth} for {reason}");
        let zone = self.until(&self.of(), ASSIGNMENT, &what, |one| says(one, truth, reason)).await;
        zone.and_then(|zone| zone.status).expect("it has one")
    }

    /// The zone of the only endpoint, as the cloud has it: its state, what serves it, and what it has left but for the
    /// connections that are open.
    pub fn leg(&self) -> (String, Option<String>, Option<String>) {
        let endpoint = &self.world("endpoints")[0];
        let mut zones = endpoint["zones"].as_array().expect("a list").iter();
        let leg = zones.find(|leg| leg["zone"] == ZONE).expect("it is there");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (text(&leg["status"]).expect("a word"), text(&leg["resourceId"]), text(&leg["replaced"]["resourceId"]))
    }

    /// How often a zone or a whole endpoint carried no traffic while its connection stood, and for how many
    /// milliseconds the longest of them did in sum.
    pub fn gaps(&self) -> (u32, i128) {
        self.cloud.with(|cloud| {
            cloud.catch_up();
            let now = cloud.clock.now();
            let tracks = || cloud.journal.witness().tracks().map(|(_, track)| track);
            (tracks().map(Track::gaps).sum(), tracks().map(|one| one.gap(now).as_millis()).max().unwrap_or_default())
        })
    }

    /// The calls that changed zones.
    pub fn moves(&self) -> Vec<String> {
        let mut effects = self.effects();
        effects.retain(|call| call.contains("ZoneConnection"));
        effects
    }
}
