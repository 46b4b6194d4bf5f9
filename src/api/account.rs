//! `CloudAccount`: one account on one cloud in one region, and who may use it for what.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use privatelink_core::{limit, state::CapabilityState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rule,
    shared::{CommonStatus, NamespaceSelector},
};

/// What an administrator declares about an account.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "privatelink.dev",
    version = "v1alpha1",
    kind = "CloudAccount",
    plural = "cloudaccounts",
    shortname = "pla",
    category = "privatelink",
    status = "CloudAccountStatus",
    derive = "PartialEq",
    doc = "One account on one cloud in one region: credentials, limits, and who may use it for what.",
    printcolumn(name = "READY", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "ACCOUNT-ID", type_ = "string", json_path = ".status.accountId"),
    printcolumn(name = "REGION", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "REASON", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = rule::short_object_name()
)]
#[x_kube(
    validation = rule::exactly_one("", &["alibaba", "aws", "tencent"]),
    validation = Rule::new(
        "has(self.alibaba) == has(oldSelf.alibaba) && has(self.aws) == has(oldSelf.aws) && \
         has(self.tencent) == has(oldSelf.tencent)",
    )
    .message("the cloud of an account is immutable: put the old member back, or create another CloudAccount")
    .reason(Reason::FieldValueForbidden),
    validation = rule::immutable("region"),
    validation = rule::immutable_optional("accountId"),
    validation = (
        "!has(self.aws) || !has(self.accountId) || self.accountId.size() == 12",
        "accountId must be the 12 digits of an AWS account, such as 123456789012",
    ),
    validation = no_plain_http()
)]
#[serde(rename_all = "camelCase")]
pub struct CloudAccountSpec {
    /// The account is one of Alibaba Cloud. Set exactly one of alibaba, aws, tencent; the choice
    /// is immutable. Write {} for the cloud's own endpoints and no role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alibaba: Option<AlibabaOptions>,

    /// The account is one of AWS. Set exactly one of alibaba, aws, tencent; the choice is
    /// immutable. Write {} for the cloud's own endpoints and no role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsOptions>,

    /// The account is one of Tencent Cloud. Set exactly one of alibaba, aws, tencent; the choice
    /// is immutable. Write {} for the cloud's own endpoints and no role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tencent: Option<TencentOptions>,

    /// The region in which the account is used, as the cloud writes it, such as cn-hangzhou or
    /// us-east-1. Immutable: another region is another `CloudAccount`. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::REGION))]
    #[x_kube(validation = rule::region("region"))]
    pub region: String,

    /// The account that the credentials must belong to: UID on Alibaba, 12 digits on AWS, UIN on
    /// Tencent. Not set: the account of the first answer is pinned in the status. Immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::ACCOUNT_ID_MIN, max = limit::ACCOUNT_ID))]
    #[x_kube(validation = rule::format("accountId", "^[0-9]+$", r#"a number in quotes, such as "1234567890123456""#))]
    pub account_id: Option<String>,

    /// Where the credentials come from; exactly one of secretRef, workloadIdentity, instanceRole
    /// and environment. All clouds.
    pub credentials: Credentials,

    /// How fast the cloud is called. The smallest limits of all `CloudAccounts` of one account and
    /// region hold. Not set: 10 requests a second, bursts of 20. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<RequestLimits>,

    /// The namespaces whose objects may use this account. Not set: none. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = rule::namespaces_selector("allowedNamespaces"),
        validation = rule::namespaces_names("allowedNamespaces")
    )]
    pub allowed_namespaces: Option<AllowedNamespaces>,

    /// The namespaces whose objects may set adopt, that is, take over what exists in this account.
    /// Not set: none. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = rule::namespaces_selector("adoption"),
        validation = rule::namespaces_names("adoption")
    )]
    pub adoption: Option<AllowedNamespaces>,

    /// What is dangerous and therefore off unless it is switched on here. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<AccountPermissions>,

    /// Which DNS names may be written with this account. Not set: none. AWS; Alibaba and Tencent
    /// once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<AccountDns>,
}

/// What can be set for an account of Alibaba Cloud.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AlibabaOptions {
    /// URLs that replace the cloud's own API endpoints, by product: privatelink, pvtz, sts. Alibaba
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "endpoints_schema")]
    #[x_kube(validation = products("alibaba", &["privatelink", "pvtz", "sts"]), validation = urls("alibaba"))]
    pub endpoints: Option<BTreeMap<String, String>>,

    /// A RAM role to assume with the credentials; every call is made as that role. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = role(
        "alibaba",
        "^acs:ram::[0-9]{5,20}:role/[A-Za-z0-9._/-]+$",
        "acs:ram::1234567890123456:role/privatelink",
    ))]
    pub assume_role: Option<AssumeRole>,

    /// Whether to switch the PrivateLink product on for the account when it is not. Not set: it is
    /// reported and left to a person. Alibaba only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_product: Option<bool>,
}

/// What can be set for an account of AWS.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = Rule::new(
    "has(self.partition) == has(oldSelf.partition) && (!has(self.partition) || self.partition == oldSelf.partition)",
)
.message("aws.partition is immutable and can be neither added nor removed later: put the old state back, or create another CloudAccount")
.reason(Reason::FieldValueForbidden))]
#[serde(rename_all = "camelCase")]
pub struct AwsOptions {
    /// URLs that replace the cloud's own API endpoints, by product: ec2, route53, sts. AWS only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "endpoints_schema")]
    #[x_kube(validation = products("aws", &["ec2", "route53", "sts"]), validation = urls("aws"))]
    pub endpoints: Option<BTreeMap<String, String>>,

    /// An IAM role to assume with the credentials; every call is made as that role. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = role(
        "aws",
        "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
        "arn:aws:iam::123456789012:role/privatelink",
    ))]
    pub assume_role: Option<AssumeRole>,

    /// The partition: aws, aws-cn or aws-us-gov. Not set: the one that the region belongs to.
    /// Immutable. AWS only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<AwsPartition>,
}

/// A partition of AWS: a world of accounts and regions of its own.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum AwsPartition {
    /// The commercial regions.
    #[serde(rename = "aws")]
    Aws,
    /// The regions in China.
    #[serde(rename = "aws-cn")]
    AwsCn,
    /// The regions of the government of the United States.
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
}

/// What can be set for an account of Tencent Cloud.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TencentOptions {
    /// URLs that replace the cloud's own API endpoints, by product: privatedns, sts, vpc. Tencent
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "endpoints_schema")]
    #[x_kube(validation = products("tencent", &["privatedns", "sts", "vpc"]), validation = urls("tencent"))]
    pub endpoints: Option<BTreeMap<String, String>>,

    /// A CAM role to assume with the credentials; every call is made as that role. Tencent only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = role(
        "tencent",
        "^qcs::cam::uin/[0-9]{5,20}:(role|roleName)/[A-Za-z0-9+=,.@_/-]+$",
        "qcs::cam::uin/100001234567:roleName/privatelink",
    ))]
    pub assume_role: Option<AssumeRole>,
}

/// A role to assume.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AssumeRole {
    /// The role: `acs:ram::`<uid>:role/<name> on Alibaba, `arn:aws:iam::`<id>:role/<name> on AWS,
    /// `qcs::cam::uin`/<uin>:roleName/<name> on Tencent.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::ARN))]
    pub arn: String,

    /// The external id that the role demands of who assumes it, 2 to 1224 characters. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::EXTERNAL_ID_MIN, max = limit::EXTERNAL_ID))]
    #[x_kube(validation = rule::format(
        "assumeRole.externalId",
        "^[A-Za-z0-9+=,.@:/_-]+$",
        "made of letters, digits and + = , . @ : / _ -",
    ))]
    pub external_id: Option<String>,
}

/// Where the credentials come from.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = rule::exactly_one("credentials", &["secretRef", "workloadIdentity", "instanceRole", "environment"]))]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// A Secret with the keys accessKeyId, accessKeySecret, securityToken (Alibaba), accessKeyId,
    /// secretAccessKey, sessionToken (AWS) or secretId, secretKey, token (Tencent); the last of
    /// each is optional. A change is used at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretRef>,

    /// The identity of the operator's own `ServiceAccount`: RRSA on Alibaba, IRSA or Pod Identity on
    /// AWS, OIDC of TKE on Tencent. Write {}.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,

    /// The role of the machine on which the operator runs, from the cloud's metadata service. Write
    /// {}. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_role: Option<InstanceRole>,

    /// The environment variables of the operator's process, named as the cloud's own tools name
    /// them. Write {}. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// The choice of the operator's own workload identity; it has no options.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkloadIdentity {}

/// The choice of the machine's role; it has no options.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceRole {}

/// The choice of the process's environment; it has no options.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Environment {}

/// A reference to a Secret.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The namespace of the Secret; one of those from which the operator may read credentials. All
    /// clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::NAMESPACE))]
    #[x_kube(validation = rule::namespace("credentials.secretRef.namespace"))]
    pub namespace: String,

    /// The name of the Secret, at most 253 characters. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_SUBDOMAIN))]
    #[x_kube(validation = rule::object_name("credentials.secretRef.name"))]
    pub name: String,
}

/// How fast the cloud is called.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct RequestLimits {
    /// Requests per second over time, 1 to 1000. Not set: 10. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limit::REQUEST_RATE))]
    pub requests_per_second: Option<u32>,

    /// Requests that may be made at once after a pause, 1 to 1000. Not set: 20. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limit::REQUEST_RATE))]
    pub burst: Option<u32>,
}

/// Which namespaces are let in.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// None, All, those that the selector matches, or those that names lists. All clouds.
    pub from: AllowedFrom,

    /// The labels that a namespace must carry; goes with from: Selector. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,

    /// The namespaces by name, 1 to 100; goes with from: Names. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::NAMESPACE_NAMES), inner(length(min = limit::NOT_EMPTY, max = limit::NAMESPACE)))]
    #[x_kube(merge_strategy = ListMerge::Set, validation = rule::namespace_list("names"))]
    pub names: Option<Vec<String>>,
}

/// How the namespaces that are let in are told.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum AllowedFrom {
    /// No namespace.
    None,
    /// Every namespace.
    All,
    /// Those whose labels match.
    Selector,
    /// Those that are listed.
    Names,
}

/// What is dangerous and off unless switched on.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct AccountPermissions {
    /// Whether a `WhitelistEntry` may name a wildcard as its principal, which lets every account of
    /// the cloud in. Not set: false. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wildcard_principals: Option<bool>,

    /// Whether an endpoint override may start with http:// for a host that is not this machine.
    /// Credentials then cross the network in the clear. Not set: false. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_endpoints: Option<bool>,
}

/// Which DNS names may be written.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AccountDns {
    /// The suffixes under which records may be written, 1 to 50. AWS; Alibaba and Tencent once
    /// their private DNS is supported.
    #[schemars(length(min = 1, max = limit::DNS_SUFFIXES))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["suffix".into()]))]
    pub zones: Vec<DnsSuffix>,
}

/// One suffix under which DNS records may be written.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DnsSuffix {
    /// The suffix, such as db.example.com: that name and all below it. AWS; Alibaba and Tencent
    /// once their private DNS is supported.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::DNS_NAME))]
    #[x_kube(validation = rule::dns_name("dns.zones.suffix"))]
    pub suffix: String,

    /// Whether a private zone may be created for it, and deleted with its last Endpoint. Not set:
    /// false. AWS; Alibaba and Tencent once their private DNS is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<bool>,
}

/// What is known of an account.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CloudAccountStatus {
    /// What every status says.
    #[serde(flatten)]
    pub common: CommonStatus,

    /// The account that the credentials belong to, learnt once and never overwritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub account_id: Option<String>,

    /// Features that the cloud enables one account at a time, as far as calls have shown them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::CAPABILITIES))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub capabilities: Vec<Capability>,
}

/// One feature of an account.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Capability {
    /// The name of the feature.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub name: String,
    /// Available or Unavailable.
    #[schemars(with = "String")]
    pub state: CapabilityState,
    /// When it was found out.
    pub checked_at: Time,
    /// What the cloud said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::MESSAGE))]
    pub message: Option<String>,
}

/// An override may use `http://` only for this machine, unless the account says otherwise.
fn no_plain_http() -> kube::core::Rule {
    let overrides: Vec<String> = ["alibaba", "aws", "tencent"]
        .iter()
        .map(|cloud| {
            format!(
                "(!has(self.{cloud}) || !has(self.{cloud}.endpoints) || \
                 self.{cloud}.endpoints.all(p, self.{cloud}.endpoints[p].matches(\
                 r'^(https:|http://(localhost|127(\\.[0-9]{{1,3}}){{3}}|\\[::1\\])(:[0-9]{{1,5}})?(/|$))')))"
            )
        })
        .collect();
    kube::core::Rule::new(format!(
        "(has(self.allow) && has(self.allow.insecureEndpoints) && self.allow.insecureEndpoints) || ({})",
        overrides.join(" && ")
    ))
    .message("endpoints: http:// goes to this machine only: write https://, or set allow.insecureEndpoints: true")
}

fn products(cloud: &str, known: &[&str]) -> kube::core::Rule {
    let quoted: Vec<String> = known.iter().map(|product| format!("'{product}'")).collect();
    kube::core::Rule::new(format!("self.all(k, k in [{}])", quoted.join(", ")))
        .message(&*format!("{cloud}.endpoints: a key must be one of {}", known.join(", ")))
}

fn urls(cloud: &str) -> kube::core::Rule {
    let label = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
    let port = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]";
    kube::core::Rule::new(format!(
        r"self.all(k, self[k].matches(r'^https?://({label}(\.{label})*|\[[0-9A-Fa-f:]+\])(:({port}))?/?$'))",
    ))
    .message(&*format!(
        "{cloud}.endpoints: a value must be a URL without user, path, query or fragment, such as https://example.com:8443"
    ))
}

fn role(cloud: &str, pattern: &str, example: &str) -> kube::core::Rule {
    kube::core::Rule::new(format!("self.arn.matches(r'{pattern}')"))
        .message(&*format!("{cloud}.assumeRole.arn must be a role as this cloud writes it, such as {example}"))
}

fn endpoints_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": limit::URLS,
        "additionalProperties": {
            "type": "string",
            "minLength": limit::NOT_EMPTY,
            "maxLength": limit::URL,
        },
    })
}
