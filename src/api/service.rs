//! `EndpointService`: the provider's side, load balancers offered as a service.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use privatelink_core::{
    limit,
    state::{ConnectionState, LifeState, ResourceState, VerificationState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rule,
    shared::{
        AddressFamily, Approval, CommonStatus, ConnectionCounts, CreationStatus, NamespaceSelector, Placement,
        PublishedName,
    },
};

/// What a provider declares about a service.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privatelink.dev",
    version = "v1alpha1",
    kind = "EndpointService",
    plural = "endpointservices",
    namespaced,
    shortname = "pls",
    category = "privatelink",
    status = "EndpointServiceStatus",
    derive = "PartialEq",
    doc = "The provider's side of private links: load balancers offered as a service.",
    printcolumn(name = "READY", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "SERVICE-ID", type_ = "string", json_path = ".status.serviceId"),
    printcolumn(name = "STATE", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "CONNECTED", type_ = "integer", json_path = ".status.connectionCounts.connected"),
    printcolumn(name = "AWAITING", type_ = "integer", json_path = ".status.connectionCounts.awaiting"),
    printcolumn(name = "REASON", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = rule::short_object_name(),
    validation = rule::adopt_until("serviceId")
)]
#[x_kube(
    validation = rule::immutable("type"),
    validation = rule::immutable_optional("payer"),
    validation = (
        "has(self.resources) || self.managementPolicy == 'Observe'",
        "resources is required unless managementPolicy is Observe: list at least one load balancer",
    ),
    validation = (
        "!has(self.resources) || (self.type == 'GatewayLoadBalancer') == (self.resources[0].type == 'GWLB')",
        "type: GatewayLoadBalancer goes with resources of type GWLB, and Interface with all others: change one of the two",
    ),
    validation = (
        "!has(self.dns) || has(self.privateDnsName)",
        "dns goes with privateDnsName, whose proof it carries: set privateDnsName, or remove dns",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct EndpointServiceSpec {
    /// What every object in a cloud has.
    #[serde(flatten)]
    pub placement: Placement,

    /// The service's name for people, 2 to 60 characters: Tencent's own name, AWS's Name tag;
    /// Alibaba has none. Not set: metadata.name where it fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::SERVICE_NAME_MIN, max = limit::SERVICE_NAME))]
    #[x_kube(validation = rule::trimmed("serviceName"))]
    pub service_name: Option<String>,

    /// A description, 2 to 256 characters, not starting with a link. Once removed here it stays as
    /// it is in the cloud. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::DESCRIPTION_MIN, max = limit::DESCRIPTION))]
    #[x_kube(validation = rule::trimmed("description"), validation = rule::description())]
    pub description: Option<String>,

    /// Interface: consumers get addresses in their subnets. `GatewayLoadBalancer`: consumers route
    /// through appliances behind a GWLB. Immutable. All clouds.
    #[serde(default, rename = "type")]
    pub service_type: ServiceType,

    /// The load balancers behind the service, 1 to 100, all of one type, each once per zone. One
    /// taken off the list is evacuated first, as removal says. Tencent: exactly one. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::RESOURCES))]
    #[x_kube(
        merge_strategy = ListMerge::Atomic,
        validation = (
            "self.all(r, self.exists_one(o, o.id == r.id && (has(o.zone) ? o.zone : '') == (has(r.zone) ? r.zone : '')))",
            "resources: the same id and zone stand there twice: remove one of the two",
        ),
        validation = (
            "self.all(r, r.type == self[0].type)",
            "resources: all must have one type: offer load balancers of another type as another EndpointService",
        ),
        validation = (
            "self.all(r, !has(r.zone) || self.exists(o, (!has(o.zone) || o.zone == r.zone) && (!has(o.autoAllocate) || o.autoAllocate)))",
            "resources: each zone keeps one load balancer with autoAllocate: true: leave one of the zone's allowed",
        ),
        validation = (
            "self.exists(r, !has(r.autoAllocate) || r.autoAllocate)",
            "resources: one load balancer at least keeps autoAllocate: true: set it on one, or leave it out there",
        ),
        validation = (
            "self.all(r, r.type != 'CLB' || self.exists_one(o, o.id == r.id))",
            "resources: a CLB serves in one zone and stands here once: keep the item with its primary zone",
        )
    )]
    pub resources: Option<Vec<ServiceResource>>,

    /// The VPC of the load balancer, vpc-…; needed on Tencent, where a service lives in a VPC.
    /// Tencent only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("vpcId", "vpc-1a2b3c4d"))]
    pub vpc_id: Option<String>,

    /// Manual: each connection waits until a `WhitelistEntry` or a person accepts it. Automatic: the
    /// cloud accepts every whitelisted account by itself. All clouds.
    #[serde(default)]
    pub acceptance: Acceptance,

    /// The bandwidth of a new connection, in Mbit/s, 100 to 10240; for CLB and ALB. Once removed
    /// here it returns to the cloud's default. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = limit::BANDWIDTH_MIN, max = limit::DEFAULT_BANDWIDTH))]
    pub default_bandwidth_mbps: Option<u32>,

    /// Whether the service's domain answers with the consumer's own zone first. Once removed here
    /// it returns to false. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_affinity: Option<bool>,

    /// Who pays for the connections: Consumer or Provider. Not set: the cloud's default, the
    /// consumer. Immutable. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,

    /// The addresses that consumers can get: IPv4, IPv6 or DualStack. Not set: the cloud's default,
    /// IPv4. All clouds, each with those values that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_family: Option<AddressFamily>,

    /// Further regions from which consumers may connect, 1 to 50; Ready waits until each is open. Not set: the
    /// service's own region only. Alibaba, AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::SUPPORTED_REGIONS), inner(length(min = limit::NOT_EMPTY, max = limit::REGION)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = (
            "self.all(r, r.matches('^[a-z]{2,}(-[a-z0-9]+)+$'))",
            "supportedRegions must be regions as the cloud writes them, such as cn-shanghai or us-east-1",
        )
    )]
    pub supported_regions: Option<Vec<String>>,

    /// A DNS name of yours under which consumers reach the service, once you have proved that it is
    /// yours. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_NAME))]
    #[x_kube(validation = rule::dns_name("privateDnsName"))]
    pub private_dns_name: Option<String>,

    /// The public zone into which the record that proves privateDnsName is written. Not set: write
    /// the record in status.privateDnsVerification yourself. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<ServiceDns>,

    /// The resource group of the service, rg-…. Once removed here it stays as it is in the cloud.
    /// Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("resourceGroupId", "rg-acfm1example"))]
    pub resource_group_id: Option<String>,

    /// The namespaces of this cluster whose Endpoints may refer to this service. Not set: its own
    /// namespace only. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_namespaces: Option<ConsumerNamespaces>,

    /// How connections leave a load balancer that was taken off resources. All clouds; what a cloud
    /// or this version cannot do is refused by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,

    /// When this object is deleted while connections are live: Wait for the consumers, or Reject
    /// cuts them. May be changed while deleting. Not set: Wait. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_on_delete: Option<ConnectionsOnDelete>,

    /// What a consumer must know and no cloud tells: ports and notes, put into the published
    /// ConfigMap. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,

    /// Where the ids and names that a consumer needs are written, in this namespace. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<ServicePublish>,
}

/// The kind of endpoints that a service serves.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ServiceType {
    /// Consumers get addresses in their subnets.
    #[default]
    Interface,
    /// Consumers route through appliances.
    GatewayLoadBalancer,
}

/// One load balancer behind a service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceResource {
    /// The load balancer: its id, such as lb-… or nlb-…, on Alibaba and Tencent, its ARN on AWS.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::ARN))]
    #[x_kube(validation = rule::format(
        "resources.id",
        "^[A-Za-z0-9][A-Za-z0-9._/:-]*$",
        "the id of a load balancer, such as lb-bp1example, or on AWS its ARN",
    ))]
    pub id: String,

    /// The kind of load balancer: CLB, ALB, NLB or GWLB; CDB and CRS are databases on Tencent, which
    /// has CLB, GWLB, CDB and CRS. Alibaba has CLB, ALB, NLB and GWLB, AWS NLB and GWLB.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,

    /// The zone in which the load balancer serves, such as cn-hangzhou-f; for a CLB its primary
    /// zone. Needed on Alibaba; the other clouds have no such field. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::zone("resources.zone"))]
    pub zone: Option<String>,

    /// Whether the cloud may give this load balancer to new connections by itself. Each zone keeps
    /// one that allows it. Not set: true. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_allocate: Option<bool>,
}

/// The kind of what stands behind a service.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ResourceType {
    /// Classic load balancer.
    CLB,
    /// Application load balancer.
    ALB,
    /// Network load balancer.
    NLB,
    /// Gateway load balancer.
    GWLB,
    /// A database of Tencent.
    CDB,
    /// A Redis instance of Tencent.
    CRS,
}

/// Who accepts a connection.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Acceptance {
    /// An entry or a person.
    #[default]
    Manual,
    /// The cloud, by itself.
    Automatic,
}

/// Who pays for the connections.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Payer {
    /// Each consumer, for its own.
    Consumer,
    /// The provider, for all.
    Provider,
}

/// Where the proof of a private DNS name is written.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDns {
    /// The public zone that answers for privateDnsName, by id or by name. AWS only.
    pub zone: VerificationZone,
}

/// A zone that exists.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = rule::exactly_one("dns.zone", &["id", "name"]))]
#[serde(rename_all = "camelCase")]
pub struct VerificationZone {
    /// The id of the zone, Z…. It is used, never deleted. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("dns.zone.id", "Z0123456789EXAMPLE"))]
    pub id: Option<String>,

    /// The name of the zone, such as example.com. It is used, never deleted. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_NAME))]
    #[x_kube(validation = rule::dns_name("dns.zone.name"))]
    pub name: Option<String>,
}

/// Which namespaces may refer to a service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = rule::namespaces_selector("consumerNamespaces"),
    validation = rule::namespaces_names("consumerNamespaces")
)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerNamespaces {
    /// Same (the service's own), All, those that the selector matches, or those that names lists.
    /// All clouds.
    pub from: ConsumersFrom,

    /// The labels that a namespace must carry; goes with from: Selector. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,

    /// The namespaces by name, 1 to 100; goes with from: Names. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::NAMESPACE_NAMES), inner(length(min = limit::NOT_EMPTY, max = limit::NAMESPACE)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rule::namespace_list("consumerNamespaces.names"))]
    pub names: Option<Vec<String>>,
}

/// How the namespaces that may refer are told.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ConsumersFrom {
    /// The service's own namespace.
    Same,
    /// Every namespace.
    All,
    /// Those whose labels match.
    Selector,
    /// Those that are listed.
    Names,
}

/// How connections leave a load balancer.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[x_kube(
    validation = (
        "!has(self.migration) || self.migration != 'Wait' || \
         !(has(self.drainSeconds) || has(self.approval) || has(self.maxMigrating))",
        "removal: drainSeconds, approval and maxMigrating go with a migration that moves connections: \
         set migration to Smooth, or remove them",
    ),
    validation = (
        "!has(self.migration) || self.migration != 'Forced' || !(has(self.drainSeconds) || has(self.approval))",
        "removal: drainSeconds and approval go with migration: Smooth, since Forced closes at once: set Smooth, or remove them",
    )
)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    /// Wait until consumers leave, Smooth (both sides stay until drained) or Forced (a gap in
    /// traffic). Not set: Smooth where cloud and load balancer can, else Wait. Alibaba has all
    /// three, AWS and Tencent Wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<RemovalMigration>,

    /// How long the replaced side stays open after a smooth migration, in seconds, 0 to 604800. Not
    /// set: 600. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = limit::DRAIN_SECONDS))]
    pub drain_seconds: Option<u32>,

    /// Whether a person must agree, by annotation, before the replaced side is closed: None or
    /// Required. Not set: None. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,

    /// How many zones of connections move at once, 1 to 50; those that drain are not counted. Not
    /// set: 1. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limit::MAX_MIGRATING))]
    pub max_migrating: Option<u32>,
}

/// How connections leave a load balancer that was taken off the list.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum RemovalMigration {
    /// They are waited for.
    Wait,
    /// They are moved with both sides open until drained.
    Smooth,
    /// They are moved at once, with a gap.
    Forced,
}

/// What happens to live connections when a service is deleted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ConnectionsOnDelete {
    /// They are waited for.
    Wait,
    /// They are cut.
    Reject,
}

/// What a consumer must know and no cloud tells.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// The ports that the service answers on, 1 to 50, each with a name of its own. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::HANDOVER_PORTS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub ports: Option<Vec<HandoverPort>>,

    /// Anything else that a consumer must know, at most 2048 characters. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::HANDOVER_NOTES))]
    #[x_kube(validation = rule::not_blank("handover.notes"))]
    pub notes: Option<String>,
}

/// One port that a service answers on.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct HandoverPort {
    /// The name of the port, such as mqtt; at most 63 characters. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::PORT_NAME))]
    #[x_kube(validation = rule::format(
        "handover.ports.name",
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "a name of lower-case letters, digits and -, such as mqtt",
    ))]
    pub name: String,

    /// The number of the port, 1 to 65535. All clouds.
    #[schemars(range(min = 1, max = limit::PORT))]
    pub port: u32,

    /// TCP or UDP. Not set: TCP. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// The protocol of a port.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Protocol {
    /// TCP.
    TCP,
    /// UDP.
    UDP,
}

/// What is written for consumers of a service.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServicePublish {
    /// The ConfigMap that gets region, account, service id, name, domain, zones, ports and notes.
    /// All clouds.
    pub config_map: PublishedName,
}

/// What is known of a service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointServiceStatus {
    /// What every status says.
    #[serde(flatten)]
    pub common: CommonStatus,

    /// Where the service was created, and how.
    #[serde(flatten)]
    pub creation: CreationStatus,

    /// The id of the service, to be given to consumers: epsrv-… on Alibaba, vpce-svc-… on AWS,
    /// vpcsvc-… on Tencent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub service_id: Option<String>,

    /// The full name of the service, such as com.amazonaws.vpce.….
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_SERVICE_NAME))]
    pub service_name: Option<String>,

    /// The domain of the service, where the cloud has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::DNS_NAME))]
    pub service_domain: Option<String>,

    /// Creating, Active, Modifying, Deleting or Failed; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<LifeState>,

    /// The cloud's own word for the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub cloud_state: Option<String>,

    /// The zones in which the service has a load balancer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::STATUS_ZONES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub zones: Vec<String>,

    /// The bandwidths that a connection of this service can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<BandwidthRange>,

    /// The load balancers as the cloud has them, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::RESOURCES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub resources: Vec<ResourceStatus>,

    /// How many connections the service has, by what they are doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_counts: Option<ConnectionCounts>,

    /// Connections that no `WhitelistEntry` decides on, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::UNCLAIMED))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub unclaimed: Vec<UnclaimedConnection>,

    /// Load balancers that were taken off the spec, and what still uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::RESOURCES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub evacuation: Vec<Evacuation>,

    /// The DNS record that proves spec.privateDnsName, and whether the cloud has seen it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_dns_verification: Option<PrivateDnsVerification>,

    /// What is in the way of the service's deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
}

/// The bandwidths that a connection can have.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BandwidthRange {
    /// The lowest, in Mbit/s.
    pub min: u32,
    /// The highest, in Mbit/s.
    pub max: u32,
}

/// A load balancer as the cloud has it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// Its id or ARN.
    #[schemars(length(max = limit::ARN))]
    pub id: String,
    /// Its kind, as in the spec.
    #[serde(rename = "type")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub resource_type: String,
    /// The zone in which it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::REGION))]
    pub zone: Option<String>,
    /// Whether the cloud may give it to new connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_allocate: Option<bool>,
    /// How many connections it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u32>,
    /// How many replaced sides are still open on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated_connections: Option<u32>,
    /// Attaching, Attached, Evacuating or Detaching; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<ResourceState>,
}

/// A connection that no entry decides on.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct UnclaimedConnection {
    /// The endpoint on the other side.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub endpoint_id: String,
    /// The account of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub owner: Option<String>,
    /// The VPC of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub vpc_id: Option<String>,
    /// The state of the connection: `AwaitingAcceptance`, Connecting, Connected, Modifying,
    /// Disconnecting, Disconnected, Rejected, Failed, Expired, Deleting, `ServiceDeleted` or Unknown.
    #[schemars(with = "String")]
    pub state: ConnectionState,
    /// When it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Why nobody decides on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::MESSAGE))]
    pub reason: Option<String>,
}

/// A load balancer that connections are leaving.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Evacuation {
    /// The load balancer.
    #[schemars(length(max = limit::ARN))]
    pub resource_id: String,
    /// The zone that is evacuated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::REGION))]
    pub zone: Option<String>,
    /// How many connections still use it.
    pub remaining: u32,
    /// How many connections have left it.
    pub moved: u32,
    /// What is in the way: objects that pin a connection to it, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::BLOCKERS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub blocked_by: Vec<String>,
    /// Connections that are moving or draining, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::IN_FLIGHT))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub in_flight: Vec<LegInFlight>,
}

/// A zone of a connection that is leaving a load balancer.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LegInFlight {
    /// The endpoint on the other side.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub endpoint_id: String,
    /// The zone of the endpoint; where it is not set, the zone that is evacuated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::REGION))]
    pub zone: Option<String>,
    /// The load balancer that it moves to.
    #[schemars(length(max = limit::ARN))]
    pub to: String,
    /// When it was seen to have moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migrated_at: Option<Time>,
    /// Until when the replaced side stays open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_until: Option<Time>,
}

/// The DNS record that proves a private DNS name.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PrivateDnsVerification {
    /// Pending, Verified or Failed; a word of another version is kept.
    #[schemars(with = "String")]
    pub state: VerificationState,
    /// The name of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::DNS_NAME))]
    pub name: Option<String>,
    /// The type of the record, such as TXT.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub record_type: Option<String>,
    /// The value of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::MESSAGE))]
    pub value: Option<String>,
}

/// What is in the way of a deletion.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The endpoints that are still connected, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::BLOCKERS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub blocked_by: Vec<String>,
    /// How many endpoints are still connected.
    pub total: u32,
}
