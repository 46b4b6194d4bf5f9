//! `Endpoint`: the consumer's side, interfaces in a VPC that reach a service.

use kube::{CustomResource, KubeSchema};
use privatelink_core::{
    limit,
    state::{ConnectionState, DnsState, LifeState, ZoneState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    rule,
    shared::{AddressFamily, CommonStatus, CreationStatus, ObjectRef, Placement, PublishedName},
};

/// What a consumer declares about an endpoint.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privatelink.dev",
    version = "v1alpha1",
    kind = "Endpoint",
    plural = "privateendpoints",
    singular = "privateendpoint",
    namespaced,
    shortname = "ple",
    category = "privatelink",
    status = "EndpointStatus",
    derive = "PartialEq",
    doc = "The consumer's side of a private link: interfaces in a VPC that reach one service.",
    printcolumn(name = "READY", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "ENDPOINT-ID", type_ = "string", json_path = ".status.endpointId"),
    printcolumn(name = "CONNECTION", type_ = "string", json_path = ".status.connection"),
    printcolumn(
        name = "ZONES",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="ZonesReady")].status"#,
        description = "Whether every declared zone is connected."
    ),
    printcolumn(name = "REASON", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = rule::short_object_name(),
    validation = rule::adopt_until("endpointId")
)]
#[x_kube(
    validation = rule::immutable("service"),
    validation = rule::immutable("type"),
    validation = rule::immutable("vpcId"),
    validation = rule::immutable_optional("protected"),
    validation = (
        "has(self.zones) || self.managementPolicy == 'Observe'",
        "zones is required unless managementPolicy is Observe: list at least one subnet",
    ),
    validation = (
        "self.type != 'GatewayLoadBalancer' || !has(self.zones) || self.zones.size() == 1",
        "zones: an endpoint of type GatewayLoadBalancer has exactly one: make one Endpoint for each zone",
    ),
    validation = (
        "!has(self.addressFamily) || self.addressFamily != 'IPv4' || !has(self.zones) || !self.zones.exists(z, has(z.ipv6))",
        "zones.ipv6 needs an addressFamily with IPv6: set addressFamily to DualStack, or remove ipv6",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSpec {
    /// What every object in a cloud has.
    #[serde(flatten)]
    pub placement: Placement,

    /// The service to reach: exactly one of ref, id and name, and its region where it is elsewhere.
    /// Immutable. All clouds.
    pub service: ServiceTarget,

    /// Interface: addresses in subnets. `GatewayLoadBalancer`: a next hop for routes. Reverse: for
    /// Alibaba's own services that connect back. Immutable. Alibaba has all three, AWS the first
    /// two, Tencent Interface.
    #[serde(default, rename = "type")]
    pub endpoint_type: EndpointType,

    /// The endpoint's name for people, 2 to 128 characters: a letter first, then letters, digits, -
    /// and _; Tencent takes 60. Not set: metadata.name where it fits. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::ENDPOINT_NAME_MIN, max = limit::ENDPOINT_NAME))]
    #[x_kube(validation = rule::format(
        "endpointName",
        r"^[A-Za-z\p{Han}][A-Za-z0-9\p{Han}_-]*$",
        "a letter first, then letters, digits, - and _, such as db-prod",
    ))]
    pub endpoint_name: Option<String>,

    /// A description, 2 to 256 characters, not starting with a link. Once removed here it stays as
    /// it is in the cloud. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::DESCRIPTION_MIN, max = limit::DESCRIPTION))]
    #[x_kube(validation = rule::trimmed("description"), validation = rule::description())]
    pub description: Option<String>,

    /// The VPC in which the endpoint's interfaces are, such as vpc-1a2b3c4d. Immutable. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("vpcId", "vpc-1a2b3c4d"))]
    pub vpc_id: String,

    /// The subnets in which the endpoint has an interface, 1 to 10, one each. An item cannot change:
    /// remove it, apply, and add it again. Tencent: exactly one. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::ZONES))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["subnetId".into()]),
        validation = (
            "self.all(z, !has(z.zone) || self.exists_one(o, has(o.zone) && o.zone == z.zone))",
            "zones: two items have the same zone, and an endpoint has one interface in each: remove one of the two",
        ),
        validation = (
            "self.all(z, !has(z.ip) || self.exists_one(o, has(o.ip) && o.ip == z.ip))",
            "zones: two items have the same ip: give each an address of its own subnet, or leave ip out",
        ),
        validation = (
            "self.all(z, !has(z.ipv6) || !isIP(z.ipv6) || \
             self.exists_one(o, has(o.ipv6) && isIP(o.ipv6) && ip(o.ipv6) == ip(z.ipv6)))",
            "zones: two items have the same ipv6: give each an address of its own subnet, or leave ipv6 out",
        )
    )]
    pub zones: Option<Vec<EndpointZone>>,

    /// The security groups of every interface, 1 to 10; one always stays. Once removed here they stay
    /// as they are in the cloud. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::SECURITY_GROUPS), inner(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = (
            "self.all(g, g.matches('^[A-Za-z0-9][A-Za-z0-9._-]*$'))",
            "securityGroupIds must be ids that the cloud gave, such as sg-1a2b3c4d",
        )
    )]
    pub security_group_ids: Option<Vec<String>>,

    /// The addresses of the interfaces: IPv4, IPv6 or DualStack. Not set: the cloud's default, IPv4;
    /// once removed here it stays as it is. All clouds, each with those values that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_family: Option<AddressFamily>,

    /// Whether the endpoint's domain answers with the caller's own zone first. Once removed here it
    /// returns to false. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_affinity: Option<bool>,

    /// The policy document that says who may do what through the endpoint, as an object, not as
    /// text. Once removed here the cloud's own policy returns. Alibaba, AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "policy_schema")]
    pub policy: Option<Map<String, Value>>,

    /// Whether the service's own domain answers with this endpoint in the VPC; takes effect once
    /// the connection is accepted. Once removed here it returns to false. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_dns: Option<bool>,

    /// Whether only the identity that created the endpoint may change or delete it. Immutable.
    /// Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,

    /// The resource group of the endpoint, rg-…. Once removed here it stays as it is in the cloud.
    /// Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("resourceGroupId", "rg-acfm1example"))]
    pub resource_group_id: Option<String>,

    /// The bandwidth to a service in another region, in Mbit/s, 100 to 100000 and no more than the
    /// account's quota. Once removed here it stays as it is in the cloud. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = limit::BANDWIDTH_MIN, max = limit::CROSS_REGION_BANDWIDTH))]
    pub cross_region_bandwidth_mbps: Option<u32>,

    /// Records in a private zone that lead to the endpoint. Needs the account's permission for the
    /// name. AWS; Alibaba and Tencent once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<EndpointDns>,

    /// Where the endpoint's id, domain and addresses are written, in this namespace. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<EndpointPublish>,
}

/// The service that an endpoint reaches.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = rule::exactly_one("service", &["ref", "id", "name"]),
    validation = (
        "!has(self.ref) || !has(self.region)",
        "service.region goes with service.id or service.name: a ref knows its region, so remove region",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTarget {
    /// An `EndpointService` of this cluster. Of another namespace only if the service's
    /// consumerNamespaces lets this one in. All clouds.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<ObjectRef>,

    /// The id of the service, from its provider: epsrv-… on Alibaba, vpcsvc-… on Tencent; on AWS use
    /// name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("service.id", "epsrv-bp1example"))]
    pub id: Option<String>,

    /// The full name of the service, from its provider: com.amazonaws.vpce.… on AWS,
    /// com.aliyuncs.privatelink.… on Alibaba; Tencent uses id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_SERVICE_NAME))]
    #[x_kube(validation = rule::format(
        "service.name",
        r"^[A-Za-z0-9-]+(\.[A-Za-z0-9_-]+)+$",
        "the full name of a service, such as com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
    ))]
    pub name: Option<String>,

    /// The region of the service, where it is another than the account's; a ref knows its own.
    /// Alibaba, AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::region("service.region"))]
    pub region: Option<String>,
}

/// The kind of an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum EndpointType {
    /// Addresses in subnets.
    #[default]
    Interface,
    /// A next hop for routes.
    GatewayLoadBalancer,
    /// For the cloud's own services that connect back.
    Reverse,
}

/// One interface of an endpoint.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("zones: an item is immutable: put the old values back, or remove the item, apply, and add it again")
    .reason(Reason::FieldValueForbidden))]
#[serde(rename_all = "camelCase")]
pub struct EndpointZone {
    /// The subnet in which the interface is made: vsw-… on Alibaba, subnet-… on AWS and Tencent.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("zones.subnetId", "vsw-bp1example"))]
    pub subnet_id: String,

    /// The zone of the subnet, such as cn-hangzhou-f. Alibaba needs it; AWS and Tencent know it from
    /// the subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::zone("zones.zone"))]
    pub zone: Option<String>,

    /// The IPv4 address of the interface, one of the subnet's. Not set: the cloud picks one. All
    /// clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::IP))]
    #[x_kube(validation = (
        "isIP(self) && ip(self).family() == 4",
        "zones.ip must be an IPv4 address, such as 10.0.0.9",
    ))]
    pub ip: Option<String>,

    /// The IPv6 address of the interface, one of the subnet's. Not set: the cloud picks one, where
    /// addressFamily asks for one. Alibaba, AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::IP))]
    #[x_kube(validation = (
        "isIP(self) && ip(self).family() == 6",
        "zones.ipv6 must be an IPv6 address, such as 2001:db8::9",
    ))]
    pub ipv6: Option<String>,
}

/// The DNS records that lead to an endpoint.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDns {
    /// The private zone: one that exists, by id, or one by name that is found or made. AWS; Alibaba
    /// and Tencent once their private DNS is supported.
    pub zone: PrivateZone,

    /// The records to write, 1 to 20. AWS; Alibaba and Tencent once their private DNS is supported.
    #[schemars(length(min = 1, max = limit::DNS_RECORDS))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into(), "type".into()]),
        validation = (
            "self.all(r, !(r.name == '@' && r.type == 'CNAME'))",
            "dns.records: the zone's own name @ cannot be a CNAME: use type: Alias, or another name",
        ),
        validation = (
            "self.all(r, self.exists_one(o, o.name == r.name))",
            "dns.records: a name has either a CNAME or an Alias: remove one of the two",
        )
    )]
    pub records: Vec<DnsRecord>,
}

/// A private zone.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = rule::exactly_one("dns.zone", &["id", "name"]),
    validation = (
        "!has(self.extraVpcs) || has(self.name)",
        "dns.zone.extraVpcs goes with dns.zone.name: a zone given by id keeps the VPCs it has",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct PrivateZone {
    /// The id of a zone that exists, Z…. It is used, never deleted. AWS; Alibaba and Tencent once
    /// their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("dns.zone.id", "Z0123456789EXAMPLE"))]
    pub id: Option<String>,

    /// The name of a zone that is found by our tag or created, and deleted with its last Endpoint.
    /// AWS; Alibaba and Tencent once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_NAME))]
    #[x_kube(validation = rule::dns_name("dns.zone.name"))]
    pub name: Option<String>,

    /// Further VPCs that the zone answers in, beside the endpoint's own; at most 20. Goes with name.
    /// AWS; Alibaba and Tencent once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::EXTRA_VPCS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["vpcId".into()]))]
    pub extra_vpcs: Option<Vec<ExtraVpc>>,
}

/// A VPC that a private zone answers in.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExtraVpc {
    /// The VPC, such as vpc-1a2b3c4d. AWS; Alibaba and Tencent once their private DNS is supported.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("dns.zone.extraVpcs.vpcId", "vpc-1a2b3c4d"))]
    pub vpc_id: String,

    /// The region of the VPC. Not set: the account's. AWS; Alibaba and Tencent once their private
    /// DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::region("dns.zone.extraVpcs.region"))]
    pub region: Option<String>,
}

/// One DNS record that leads to an endpoint.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = (
    "self.type != 'Alias' || !has(self.ttlSeconds)",
    "dns.records.ttlSeconds goes with type: CNAME, since an Alias has none of its own: remove ttlSeconds",
))]
#[serde(rename_all = "camelCase")]
pub struct DnsRecord {
    /// The name within the zone: @ for the zone's own name, a name such as db, or *. for all below
    /// one. AWS; Alibaba and Tencent once their private DNS is supported.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_NAME))]
    #[x_kube(validation = rule::format(
        "dns.records.name",
        r"^(@|\*|(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*)$",
        "@ or a name below the zone in lower case, such as db or *.db",
    ))]
    pub name: String,

    /// Alias: the cloud's own pointer to the endpoint. CNAME: to the endpoint's domain; not for @.
    /// AWS has both; Alibaba and Tencent CNAME, once their private DNS is supported.
    #[serde(rename = "type")]
    pub record_type: DnsRecordType,

    /// How long an answer may be kept, in seconds, 1 to 604800; for a CNAME, since an Alias has none
    /// of its own. Not set: 60. AWS; Alibaba and Tencent once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limit::DNS_TTL))]
    pub ttl_seconds: Option<u32>,
}

/// How a record points to an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum DnsRecordType {
    /// The cloud's own pointer.
    Alias,
    /// The endpoint's domain.
    CNAME,
}

/// What is written about an endpoint.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct EndpointPublish {
    /// The ConfigMap that gets the endpoint's id, domain, connection, zones and addresses. All
    /// clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<PublishedName>,

    /// The Service of type `ExternalName` that leads to the endpoint's domain. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<PublishedName>,
}

/// What is known of an endpoint.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointStatus {
    /// What every status says.
    #[serde(flatten)]
    pub common: CommonStatus,

    /// Where the endpoint was created, and how.
    #[serde(flatten)]
    pub creation: CreationStatus,

    /// The id of the endpoint, to be given to the provider: ep-… on Alibaba, vpce-… on AWS and
    /// Tencent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub endpoint_id: Option<String>,

    /// The id of the service that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub service_id: Option<String>,

    /// The full name of the service that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_SERVICE_NAME))]
    pub service_name: Option<String>,

    /// Creating, Active, Modifying, Deleting or Failed; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<LifeState>,

    /// The cloud's own word for the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub cloud_state: Option<String>,

    /// The state of the connection: `AwaitingAcceptance`, Connecting, Connected, Modifying,
    /// Disconnecting, Disconnected, Rejected, Failed, Expired, Deleting, `ServiceDeleted` or Unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub connection: Option<ConnectionState>,

    /// The domain that answers with the endpoint's addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::DNS_NAME))]
    pub domain: Option<String>,

    /// The interfaces of the endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::STATUS_ZONES))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub zones: Vec<EndpointZoneStatus>,

    /// The DNS records of the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<EndpointDnsStatus>,
}

/// One interface of an endpoint as the cloud has it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointZoneStatus {
    /// The subnet of the interface.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub subnet_id: String,
    /// The zone of the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::REGION))]
    pub zone: Option<String>,
    /// The id of the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub interface_id: Option<String>,
    /// Its IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::IP))]
    pub ip: Option<String>,
    /// Its IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::IP))]
    pub ipv6: Option<String>,
    /// The domain that answers with this interface alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::DNS_NAME))]
    pub domain: Option<String>,
    /// The state of the zone: Creating, Waiting, Connecting, Connected, Migrating, Migrated,
    /// Disconnecting, Disconnected or Deleting; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<ZoneState>,
}

/// The DNS records of an endpoint as the cloud has them.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndpointDnsStatus {
    /// The id of the zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub zone_id: Option<String>,
    /// Whether the zone was created for an Endpoint, and goes with the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// The records that were written, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::DNS_RECORDS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub records: Vec<WrittenRecord>,
    /// Pending, `InSync`, Conflict or Removing; a word of another version is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub state: Option<DnsState>,
}

/// A DNS record that was written.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct WrittenRecord {
    /// The name within the zone.
    #[schemars(length(max = limit::DNS_NAME))]
    pub name: String,
    /// The type, as in the spec.
    #[serde(rename = "type")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub record_type: String,
}

fn policy_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": limit::POLICY_MEMBERS,
        "x-kubernetes-preserve-unknown-fields": true,
    })
}
