//! The numbers that bound the API, each with the sentence that says where it comes from.
//!
//! Lengths are in characters, counts in items, bandwidths in Mbit/s. Where clouds differ, the
//! widest stands here; what is narrower is refused by the account's cloud, by name.

/// Shortest text of a field that is given at all: an empty string is no way to say "not set".
pub const NOT_EMPTY: u32 = 1;

/// Longest name of an object, and of the account or service it refers to: it must fit into a label.
pub const OBJECT_NAME: u32 = 63;
/// Longest name of a Secret, `ConfigMap` or Service: Kubernetes' own bound on such names.
pub const DNS_SUBDOMAIN: u32 = 253;
/// Longest name of a namespace: Kubernetes' own bound on a DNS label.
pub const NAMESPACE: u32 = 63;
/// Most namespaces that a list by name holds; beyond it, a selector is the better tool.
pub const NAMESPACE_NAMES: u32 = 100;
/// Most labels or expressions in one namespace selector.
pub const SELECTOR_TERMS: u32 = 16;
/// Most values in one expression of a namespace selector.
pub const SELECTOR_VALUES: u32 = 64;
/// Longest label key: a prefix of 253, a slash and a name of 63.
pub const LABEL_KEY: u32 = 317;
/// Longest label value: Kubernetes' own bound.
pub const LABEL_VALUE: u32 = 63;

/// Most tags a user may declare: Alibaba allows 20 on an object, and our own ownership tags need
/// their place.
pub const TAGS: u32 = 14;
/// Longest tag key: AWS's bound, the widest; Alibaba takes 64.
pub const TAG_KEY: u32 = 128;
/// Longest tag value: AWS's bound, the widest; Alibaba takes 128.
pub const TAG_VALUE: u32 = 256;

/// Longest id of a cloud object that is not an ARN; the clouds' own are below 40.
pub const CLOUD_ID: u32 = 128;
/// Longest ARN or role description: AWS's 512 characters of path and name, with room for the rest.
pub const ARN: u32 = 1024;
/// Longest region or zone name; the clouds' own are below 30.
pub const REGION: u32 = 64;
/// Shortest account number: below it, a slip of the hand is likelier than an account.
pub const ACCOUNT_ID_MIN: u32 = 5;
/// Longest account number; Alibaba's have 16 digits, AWS's 12, Tencent's 12.
pub const ACCOUNT_ID: u32 = 20;
/// Longest DNS name: RFC 1035.
pub const DNS_NAME: u32 = 253;
/// Longest text form of an IP address: an IPv6 address with an embedded IPv4 one.
pub const IP: u32 = 45;
/// Longest URL of an API endpoint override.
pub const URL: u32 = 512;
/// Most API endpoint overrides of one account; no cloud has as many products that are used here.
pub const URLS: u32 = 8;

/// Shortest external id of a role: the clouds' own bound.
pub const EXTERNAL_ID_MIN: u32 = 2;
/// Longest external id of a role: AWS's and Alibaba's bound.
pub const EXTERNAL_ID: u32 = 1224;

/// Highest rate of requests per second, and largest burst, that an account may be given.
pub const REQUEST_RATE: u32 = 1000;
/// Most DNS suffixes that an account may open.
pub const DNS_SUFFIXES: u32 = 50;

/// Shortest description: Alibaba's bound.
pub const DESCRIPTION_MIN: u32 = 2;
/// Longest description: Alibaba's bound.
pub const DESCRIPTION: u32 = 256;
/// Shortest service name: one character names nothing.
pub const SERVICE_NAME_MIN: u32 = 2;
/// Longest service name: Tencent's bound.
pub const SERVICE_NAME: u32 = 60;
/// Shortest endpoint name: Alibaba's bound.
pub const ENDPOINT_NAME_MIN: u32 = 2;
/// Longest endpoint name: Alibaba's bound.
pub const ENDPOINT_NAME: u32 = 128;
/// Longest full name of a service as a cloud writes it, such as `com.amazonaws.vpce.…`.
pub const CLOUD_SERVICE_NAME: u32 = 256;

/// Most load balancers of one service in a spec; Alibaba's quota of 500 a service and 100 a zone is
/// wider, but a rule that compares each with each must stay affordable.
pub const RESOURCES: u32 = 100;
/// Most consumer regions of one service.
pub const SUPPORTED_REGIONS: u32 = 50;
/// Most ports in a hand-over document.
pub const HANDOVER_PORTS: u32 = 50;
/// Longest name of a port: Kubernetes' bound on a DNS label.
pub const PORT_NAME: u32 = 63;
/// Highest TCP or UDP port.
pub const PORT: u32 = 65_535;
/// Longest notes in a hand-over document.
pub const HANDOVER_NOTES: u32 = 2048;

/// Most interfaces of one endpoint: Alibaba takes ten zones in one call.
pub const ZONES: u32 = 10;
/// Most security groups of one endpoint: Alibaba's bound.
pub const SECURITY_GROUPS: u32 = 10;
/// Most top-level members of a policy document; a RAM or IAM policy has three.
pub const POLICY_MEMBERS: u32 = 16;
/// Most DNS records of one endpoint.
pub const DNS_RECORDS: u32 = 20;
/// Most further VPCs that a created private zone is bound to.
pub const EXTRA_VPCS: u32 = 20;
/// Longest time to live of a DNS record, in seconds: one week.
pub const DNS_TTL: u32 = 604_800;

/// Lowest bandwidth of a connection, in Mbit/s, on every kind of Alibaba load balancer.
pub const BANDWIDTH_MIN: u32 = 100;
/// Highest bandwidth of a connection, in Mbit/s: Alibaba's for an NLB; CLB 10,240, ALB and GWLB
/// 25,000 are narrower and checked against the service.
pub const BANDWIDTH: u32 = 50_000;
/// Highest default bandwidth of a service, in Mbit/s: Alibaba's, for CLB and ALB services.
pub const DEFAULT_BANDWIDTH: u32 = 10_240;
/// Highest bandwidth of a cross-region endpoint, in Mbit/s; the account's quota is usually lower.
pub const CROSS_REGION_BANDWIDTH: u32 = 100_000;

/// Longest drain, in seconds: one week. Who needs longer asks for an approval instead.
pub const DRAIN_SECONDS: u32 = 604_800;
/// Most legs that migrate at once from one service: the list that remembers them holds no more.
pub const MAX_MIGRATING: u32 = 50;
/// Highest number of connections that an entry may let in: the list of held ones must cover it.
pub const MAX_CONNECTIONS: u32 = 1000;
/// Most endpoint ids, and most VPC ids, in an entry's filters.
pub const FILTER_IDS: u32 = 100;

/// Longest message in a status.
pub const MESSAGE: u32 = 1024;
/// Most conditions of one object; the closed list has fewer.
pub const CONDITIONS: u32 = 16;
/// Most entries of `status.declaredFields`: no spec has more optional fields.
pub const DECLARED_FIELDS: u32 = 64;
/// Most capabilities that an account's status remembers.
pub const CAPABILITIES: u32 = 64;
/// Most zones of a service in its status: no region has more.
pub const STATUS_ZONES: u32 = 20;
/// Most unclaimed connections listed in a service's status; the counts tell of the rest.
pub const UNCLAIMED: u32 = 50;
/// Most legs in flight listed for one load balancer that is evacuated.
pub const IN_FLIGHT: u32 = 50;
/// Most blockers named in a status; the total tells of the rest.
pub const BLOCKERS: u32 = 20;
/// Most connections listed in an entry's status; the counts tell of the rest.
pub const STATUS_CONNECTIONS: u32 = 100;
/// Most connections that an entry remembers as held: memory, never cut.
pub const HELD: u32 = 1000;
/// Most past migrations in an assignment's status.
pub const HISTORY: u32 = 10;
