//! `WhitelistEntry`: one principal allowed on one service, and what happens to its connections.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use privatelink_core::{
    limit,
    state::{ClaimState, ConnectionState, Decision, ZoneState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rule,
    shared::{CommonStatus, ConnectionCounts, DeletionPolicy, ServiceRef},
};

/// What a provider declares about one principal.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privatelink.dev",
    version = "v1alpha1",
    kind = "WhitelistEntry",
    plural = "whitelistentries",
    namespaced,
    shortname = "plw",
    category = "privatelink",
    status = "WhitelistEntryStatus",
    derive = "PartialEq",
    doc = "One principal allowed on one service, and what happens to its connections.",
    printcolumn(name = "READY", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "PRINCIPAL", type_ = "string", json_path = ".spec.principal"),
    printcolumn(name = "SERVICE", type_ = "string", json_path = ".spec.serviceRef.name"),
    printcolumn(name = "CONNECTED", type_ = "integer", json_path = ".status.connectionCounts.connected"),
    printcolumn(name = "AWAITING", type_ = "integer", json_path = ".status.connectionCounts.awaiting"),
    printcolumn(name = "REASON", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = rule::short_object_name()
)]
#[x_kube(
    validation = rule::immutable("serviceRef"),
    validation = rule::immutable("principal"),
    validation = (
        "!has(self.expiresAt) || has(self.revocation)",
        "expiresAt needs revocation: set revocation to KeepConnections or Disconnect",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct WhitelistEntrySpec {
    /// The service that the principal is allowed on. Immutable. All clouds.
    pub service_ref: ServiceRef,

    /// Who is allowed: a UID or `acs:ram:*:`<uid> on Alibaba; on AWS 12 digits or the ARN of an
    /// account's root, role or user; a UIN on Tencent. A wildcard (* on AWS, `acs:ram:*:*` on Alibaba)
    /// needs the account's allow.wildcardPrincipals. Immutable.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::ARN))]
    #[x_kube(validation = rule::format(
        "principal",
        concat!(
            r"^(\*|[0-9]{5,20}",
            r"|acs:ram:(\*|[a-z0-9-]*):(\*|[0-9]{5,20})(:[A-Za-z0-9*@._/-]+)?",
            r"|arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9+=,.@_/-]+))$",
        ),
        concat!(
            r#"an account number in quotes, such as "1234567890123456"; on Alibaba also acs:ram:*:1234567890123456, "#,
            "on AWS also arn:aws:iam::123456789012:root, :role/name or :user/name; or * for everybody",
        ),
    ))]
    pub principal: String,

    /// A description of the principal, 2 to 256 characters, not starting with a link. Tencent keeps
    /// it in the cloud; Alibaba and AWS have no such field, and it stays here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::DESCRIPTION_MIN, max = limit::DESCRIPTION))]
    #[x_kube(validation = rule::trimmed("description"), validation = rule::description())]
    pub description: Option<String>,

    /// What happens to the principal's connections. Not set: they are left to others, and only the
    /// whitelist is written. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<ConnectionPolicy>,

    /// Until when the principal is allowed, as a time such as 2027-01-01T00:00:00Z; needs
    /// revocation. Not set: without end. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// What happens to live connections when the entry is deleted or expires: `KeepConnections`, or
    /// Disconnect cuts them. Not set: they are kept. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,

    /// What happens to the principal on the whitelist when this object is deleted: Delete takes it
    /// off, Retain leaves it. Not set: Delete. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What happens to a principal's connections.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = (
    "self.action == 'Accept' || !(has(self.assignment) || has(self.bandwidthMbps) || has(self.endpointIds) || has(self.vpcIds) || has(self.max))",
    "connections: assignment, bandwidthMbps, endpointIds, vpcIds and max go with action: Accept: set it, or remove them",
))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionPolicy {
    /// Accept, Reject (and cut) or Leave to others, which writes the whitelist only. All clouds.
    #[serde(default)]
    pub action: ConnectionAction,

    /// Automatic: the cloud picks a load balancer for each zone. Manual: each zone waits until a
    /// `ZoneResourceAssignment` has assigned one. Not set: Automatic. Alibaba has both, AWS and
    /// Tencent Automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,

    /// The bandwidth of each accepted connection, in Mbit/s, 100 to 50000, narrowed by what the
    /// service can. Once removed here it returns to the service's default. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = limit::BANDWIDTH_MIN, max = limit::BANDWIDTH))]
    pub bandwidth_mbps: Option<u32>,

    /// Accept only these endpoints, 1 to 100 ids. Never cuts one that is connected. Not set: any
    /// endpoint of the principal. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::FILTER_IDS), inner(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = (
            "self.all(i, i.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$'))",
            "connections.endpointIds must be ids that the cloud gave, such as ep-bp1example",
        )
    )]
    pub endpoint_ids: Option<Vec<String>>,

    /// Accept only endpoints in these VPCs, 1 to 100 ids. Never cuts one that is connected. Not set:
    /// any VPC. Alibaba, Tencent; AWS does not tell the provider the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::FILTER_IDS), inner(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = (
            "self.all(i, i.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$'))",
            "connections.vpcIds must be ids that the cloud gave, such as vpc-1a2b3c4d",
        )
    )]
    pub vpc_ids: Option<Vec<String>>,

    /// Accept at most so many connections, 1 to 1000, counting those that are connected. Never cuts
    /// one that is connected. Not set: any number. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limit::MAX_CONNECTIONS))]
    pub max: Option<u32>,
}

/// What to do with a connection.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ConnectionAction {
    /// It is accepted.
    Accept,
    /// It is refused, and cut if it is live.
    Reject,
    /// It is left to others.
    #[default]
    Leave,
}

/// Who picks the load balancer of a zone.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Assignment {
    /// The cloud.
    Automatic,
    /// A `ZoneResourceAssignment`, for every zone, before the connection is accepted.
    Manual,
}

/// What happens to live connections when a principal is no longer allowed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Revocation {
    /// They are kept.
    KeepConnections,
    /// They are cut.
    Disconnect,
}

/// What is known of a principal on a service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct WhitelistEntryStatus {
    /// What every status says.
    #[serde(flatten)]
    pub common: CommonStatus,

    /// Whether the principal is on the cloud's whitelist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,

    /// Held: this entry decides on the principal. Waiting: another entry does. A word of another
    /// version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub claim: Option<ClaimState>,

    /// How many connections the principal has, by what they are doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_counts: Option<ConnectionCounts>,

    /// Whether there are more connections than the list below holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,

    /// The principal's connections, at most 100, those that are not as declared first; for reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::STATUS_CONNECTIONS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub connections: Vec<ConnectionStatus>,

    /// The endpoints whose connection someone else cut, and which are not connected again by
    /// themselves; at most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::HELD))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub held: Vec<String>,

    /// The endpoints whose connection was cut before this entry asked for it anew, and which it
    /// connects again; at most 1000. The operator's memory: without it they count as held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::HELD))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub reconnect: Vec<String>,
}

/// One connection of a principal.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStatus {
    /// The endpoint on the other side.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub endpoint_id: String,
    /// The VPC of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub vpc_id: Option<String>,
    /// The state of the connection: `AwaitingAcceptance`, Connecting, Connected, Modifying,
    /// Disconnecting, Disconnected, Rejected, Failed, Expired, Deleting, `ServiceDeleted` or Unknown.
    #[schemars(with = "String")]
    pub state: ConnectionState,
    /// The bandwidth of the connection, in Mbit/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_mbps: Option<u32>,
    /// When the connection was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What was decided: Accept, Reject, Leave, Wait, Held or Kept; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub decision: Option<Decision>,
    /// Why it was decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::MESSAGE))]
    pub reason: Option<String>,
    /// The zones of the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::STATUS_ZONES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub zones: Vec<ConnectionZoneStatus>,
}

/// One zone of a connection, as the provider sees it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionZoneStatus {
    /// The zone.
    #[schemars(length(max = limit::REGION))]
    pub zone: String,
    /// Creating, Waiting, Connecting, Connected, Migrating, Migrated, Disconnecting, Disconnected or
    /// Deleting; a word of another version is kept.
    #[schemars(with = "String")]
    pub state: ZoneState,
    /// The load balancer that serves the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::ARN))]
    pub resource_id: Option<String>,
    /// The load balancer that served it before and is still open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::ARN))]
    pub replaced_resource_id: Option<String>,
}
