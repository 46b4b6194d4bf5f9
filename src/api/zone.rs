//! `ZoneResourceAssignment`: which load balancer serves one zone of one connection, and how it is
//! moved to another.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use privatelink_core::{
    limit,
    state::{ClaimState, MigrationOutcome, ZoneState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rule,
    shared::{Approval, CommonStatus, ObjectRef, ServiceRef},
};

/// What a provider declares about one zone of one connection.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privatelink.dev",
    version = "v1alpha1",
    kind = "ZoneResourceAssignment",
    plural = "zoneresourceassignments",
    namespaced,
    shortname = "plz",
    category = "privatelink",
    status = "ZoneResourceAssignmentStatus",
    derive = "PartialEq",
    doc = "Which load balancer serves one zone of one connection, and how it is moved to another. Alibaba only.",
    printcolumn(name = "READY", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "ENDPOINT", type_ = "string", json_path = ".spec.endpoint['id','ref.name']"),
    printcolumn(name = "ZONE", type_ = "string", json_path = ".spec.zone"),
    printcolumn(name = "RESOURCE", type_ = "string", json_path = ".spec.resourceId"),
    printcolumn(name = "STATE", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "REASON", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = rule::short_object_name()
)]
#[x_kube(
    validation = rule::immutable("serviceRef"),
    validation = rule::immutable("endpoint"),
    validation = rule::immutable("zone")
)]
#[serde(rename_all = "camelCase")]
pub struct ZoneResourceAssignmentSpec {
    /// The service whose load balancers are assigned. Immutable. Alibaba only.
    pub service_ref: ServiceRef,

    /// The endpoint whose zone is served: exactly one of id and ref. Immutable. Alibaba only.
    pub endpoint: EndpointTarget,

    /// The zone of the connection, such as cn-hangzhou-f. Immutable. Alibaba only.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::zone("zone"))]
    pub zone: String,

    /// The load balancer that shall serve the zone, lb-…; one of the service's, in that zone. A
    /// change moves the zone, as migration says. Alibaba only.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("resourceId", "lb-bp1example"))]
    pub resource_id: String,

    /// Whether the zone shall be connected; false disconnects this zone and keeps the rest. Not set:
    /// true. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,

    /// How the zone moves when resourceId changes. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// The endpoint whose zone is served.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = rule::exactly_one("endpoint", &["id", "ref"]))]
#[serde(rename_all = "camelCase")]
pub struct EndpointTarget {
    /// The id of the endpoint, ep-…, as the service's connections list it. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("endpoint.id", "ep-bp1example"))]
    pub id: Option<String>,

    /// An Endpoint of this cluster; of another namespace only if it joins this very service. Alibaba
    /// only.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<ObjectRef>,
}

/// How a zone moves to another load balancer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[x_kube(validation = (
    "!has(self.mode) || self.mode != 'Forced' || !(has(self.drainSeconds) || has(self.approval))",
    "migration: drainSeconds and approval go with mode: Smooth, since Forced closes at once: set Smooth, or remove them",
))]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// Smooth: both sides stay until drained. Forced: at once, with a gap in traffic. Not set:
    /// Smooth. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<MigrationMode>,

    /// How long the replaced side stays open after a smooth migration, in seconds, 0 to 604800. Not
    /// set: 600. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = limit::DRAIN_SECONDS))]
    pub drain_seconds: Option<u32>,

    /// Whether a person must agree, by annotation, before the replaced side is closed: None or
    /// Required. Not set: None. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// How a zone moves.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum MigrationMode {
    /// Both sides stay until drained.
    Smooth,
    /// At once, with a gap.
    Forced,
}

/// What is known of a zone of a connection.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ZoneResourceAssignmentStatus {
    /// What every status says.
    #[serde(flatten)]
    pub common: CommonStatus,

    /// The id of the endpoint, once it was known: a reference leads to it also while the Endpoint's own
    /// status does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub endpoint_id: Option<String>,

    /// The state of the zone: Creating, Waiting, Connecting, Connected, Migrating, Migrated,
    /// Disconnecting, Disconnected or Deleting; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<ZoneState>,

    /// Held: this assignment decides on the zone. Waiting: another one does. A word of another
    /// version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub claim: Option<ClaimState>,

    /// What serves the zone now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<ZoneSide>,

    /// What served the zone before and is still open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<ZoneSide>,

    /// The migration that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationRecord>,

    /// The last migrations, at most 10, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::HISTORY))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub history: Vec<MigrationRecord>,
}

/// One side of a zone: a load balancer and the interface that leads to it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ZoneSide {
    /// The load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::ARN))]
    pub resource_id: Option<String>,
    /// The interface in the consumer's VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub interface_id: Option<String>,
}

/// One migration of a zone.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MigrationRecord {
    /// The id of the migration, from, to and start joined by hyphens; an approval names it.
    #[schemars(length(max = limit::MESSAGE))]
    pub id: String,
    /// The load balancer that it moves from.
    #[schemars(length(max = limit::ARN))]
    pub from: String,
    /// The load balancer that it moves to.
    #[schemars(length(max = limit::ARN))]
    pub to: String,
    /// Smooth or Forced; a word of another version is kept.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub mode: String,
    /// When it was started.
    pub started_at: Time,
    /// When the zone was seen to have moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrated_at: Option<Time>,
    /// Until when the replaced side stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_until: Option<Time>,
    /// When the replaced side was cleaned up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// Succeeded, Aborted or Failed; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub outcome: Option<MigrationOutcome>,
    /// How long the zone carried no traffic, in seconds; 0 after a smooth migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_seconds: Option<u32>,
}
