//! What several kinds have in common: references, ownership, namespaces, and the part of every
//! status that tools read.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use privatelink_core::limit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule;

/// What `EndpointService` and `Endpoint` have in common: both exist in a cloud, under an account.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(
    validation = Rule::new(
        "(has(self.accountRef) ? self.accountRef.name : 'default') == \
         (has(oldSelf.accountRef) ? oldSelf.accountRef.name : 'default')",
    )
    .message("accountRef is immutable: put the old name back (not set means default), or delete this object and create another")
    .reason(Reason::FieldValueForbidden),
    validation = (
        "self.managementPolicy != 'Observe' || has(self.adopt)",
        "managementPolicy: Observe needs adopt: set adopt.id to the id of the cloud object to observe",
    )
)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// The `CloudAccount` with which this object is created and read. Not set: the `CloudAccount`
    /// named default. Immutable. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<AccountRef>,

    /// Take over a cloud object that exists, instead of creating one. Needs the account's
    /// permission (`adoption`); can change only until an id is in the status. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,

    /// Manage: the cloud is made equal to this object. Observe: nothing is written in the cloud,
    /// the status alone is kept; needs `adopt`. All clouds.
    #[serde(default)]
    pub management_policy: ManagementPolicy,

    /// What happens to the cloud object when this object is deleted: Delete, or Retain it. Not
    /// set: Retain if it was adopted, else Delete. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Tags on the cloud object, at most 14, beside the operator's own. A key is at most 128
    /// characters (Alibaba: 64) and does not start with privatelink.dev; a value is at most 256
    /// (Alibaba: 128). All clouds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tags_schema")]
    #[x_kube(
        validation = (
            "self.all(k, !k.startsWith('privatelink.dev'))",
            "tags: a key must not start with privatelink.dev, which is the operator's own: choose another key",
        ),
        validation = Rule::new(format!("self.all(k, k.size() >= 1 && k.size() <= {})", limit::TAG_KEY))
            .message(&*format!("tags: a key must be 1 to {} characters long", limit::TAG_KEY))
    )]
    pub tags: Option<BTreeMap<String, String>>,
}

/// A reference to a `CloudAccount`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AccountRef {
    /// The name of the `CloudAccount`, at most 63 characters. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::OBJECT_NAME))]
    #[x_kube(validation = rule::object_name("accountRef.name"))]
    pub name: String,
}

/// The cloud object to take over.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Adopt {
    /// The id of the cloud object: epsrv-… or ep-… on Alibaba, vpce-svc-… or vpce-… on AWS,
    /// vpcsvc-… or vpce-… on Tencent.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::CLOUD_ID))]
    #[x_kube(validation = rule::cloud_id("adopt.id", "epsrv-bp1example"))]
    pub id: String,
}

/// Whether the cloud is written to.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum ManagementPolicy {
    /// The cloud is made equal to the object.
    #[default]
    Manage,
    /// Nothing is written in the cloud.
    Observe,
}

/// What happens to the cloud object when the Kubernetes object is deleted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum DeletionPolicy {
    /// It is deleted too.
    Delete,
    /// It stays, without our ownership tags.
    Retain,
}

/// The kind of addresses that a service or endpoint has.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum AddressFamily {
    /// IPv4 addresses only.
    IPv4,
    /// IPv6 addresses only.
    IPv6,
    /// Both.
    DualStack,
}

/// Whether a person must agree before an old side is closed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum Approval {
    /// Nobody is asked: the drain time decides.
    None,
    /// The annotation `privatelink.dev/drain-approved` decides.
    Required,
}

/// A reference to an object in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRef {
    /// The name of the `EndpointService`, in the same namespace; at most 63 characters. All
    /// clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::OBJECT_NAME))]
    #[x_kube(validation = rule::object_name("serviceRef.name"))]
    pub name: String,
}

/// A reference to an object that may be in another namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// The name of the object, at most 63 characters. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::OBJECT_NAME))]
    #[x_kube(validation = rule::object_name("ref.name"))]
    pub name: String,

    /// The namespace of the object. Not set: the namespace of the object that refers. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::NAMESPACE))]
    #[x_kube(validation = rule::namespace("ref.namespace"))]
    pub namespace: Option<String>,
}

/// The name of a `ConfigMap` or Service that is written in the object's own namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PublishedName {
    /// The name of the object to write, in the same namespace; at most 63 characters. One that
    /// exists and is not the operator's own is not touched. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::OBJECT_NAME))]
    #[x_kube(validation = rule::format(
        "publish: name",
        "^[a-z]([-a-z0-9]*[a-z0-9])?$",
        "a name of lower-case letters, digits and - that begins with a letter, such as tenant-gateway",
    ))]
    pub name: String,
}

/// Labels that a namespace must carry.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[schemars(extend("minProperties" = 1))]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels that the namespace must carry with exactly these values; at most 16. All clouds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "match_labels_schema")]
    #[x_kube(
        validation = (
            "self.all(k, !format.qualifiedName().validate(k).hasValue())",
            "selector.matchLabels: a key must be that of a label, such as example.com/team",
        ),
        validation = (
            "self.all(k, !format.labelValue().validate(self[k]).hasValue())",
            "selector.matchLabels: a value must be that of a label: letters, digits, -, _ and ., such as team-a",
        )
    )]
    pub match_labels: Option<BTreeMap<String, String>>,

    /// Demands on labels of the namespace, all of which must hold; at most 16. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::SELECTOR_TERMS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub match_expressions: Option<Vec<LabelExpression>>,
}

/// One demand on a label.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(validation = (
    "(self.operator in ['In', 'NotIn']) == has(self.values)",
    "selector.matchExpressions: values go with operator In or NotIn: set them there, and leave them out for Exists and DoesNotExist",
))]
#[serde(rename_all = "camelCase")]
pub struct LabelExpression {
    /// The key of the label, such as kubernetes.io/metadata.name. All clouds.
    #[schemars(length(min = limit::NOT_EMPTY, max = limit::LABEL_KEY))]
    #[x_kube(validation = (
        "!format.qualifiedName().validate(self).hasValue()",
        "selector.matchExpressions: a key must be that of a label, such as example.com/team",
    ))]
    pub key: String,

    /// In, `NotIn`, Exists or `DoesNotExist`, as in every label selector of Kubernetes. All clouds.
    pub operator: LabelOperator,

    /// The values for In and `NotIn`, at most 64; left out for the others. All clouds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = limit::SELECTOR_VALUES), inner(length(max = limit::LABEL_VALUE, min = limit::NOT_EMPTY)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = (
            "self.all(v, !format.labelValue().validate(v).hasValue())",
            "selector.matchExpressions: a value must be that of a label: letters, digits, -, _ and ., such as team-a",
        )
    )]
    pub values: Option<Vec<String>>,
}

/// How a label is compared.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = rule::undescribed)]
pub enum LabelOperator {
    /// The label has one of the values.
    In,
    /// The label has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

/// Numbers of connections, by what they are doing.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionCounts {
    /// All connections.
    pub total: u32,
    /// Those that carry traffic.
    pub connected: u32,
    /// Those that the provider has neither accepted nor refused.
    pub awaiting: u32,
    /// Those that someone else cut and that are not connected again by themselves.
    pub held: u32,
    /// All others.
    pub other: u32,
}

/// What every status says, whatever the kind: the part that tools read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CommonStatus {
    /// The generation of the spec that this status speaks of; -1 while nobody has looked at the
    /// object yet.
    #[serde(default = "not_looked_at")]
    pub observed_generation: i64,

    /// What is the case, by type; the words are listed in the reference page on conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::CONDITIONS))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The last value of the annotation `privatelink.dev/reconcile-requested-at` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::MESSAGE))]
    pub last_handled_reconcile_at: Option<String>,

    /// The last error of the cloud; written once for each distinct error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,

    /// The optional fields of the spec that were set when it was last acted on, so that a removal
    /// is seen after a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = limit::DECLARED_FIELDS))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub declared_fields: Vec<String>,
}

impl Default for CommonStatus {
    fn default() -> Self {
        Self {
            observed_generation: not_looked_at(),
            conditions: Vec::new(),
            last_handled_reconcile_at: None,
            last_error: None,
            declared_fields: Vec::new(),
        }
    }
}

/// An error as the cloud gave it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LastError {
    /// The cloud's code for the error.
    #[schemars(length(max = limit::DNS_NAME))]
    pub code: String,
    /// What the cloud said.
    #[schemars(length(max = limit::MESSAGE))]
    pub message: String,
    /// The cloud's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::DNS_NAME))]
    pub request_id: Option<String>,
    /// When it was first answered.
    pub at: Time,
}

/// What the status of an object that is created in a cloud remembers, so that it is never created
/// twice and never in another place.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CreationStatus {
    /// The account in which the object lives, pinned before the first write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::CLOUD_ID))]
    pub account_id: Option<String>,

    /// The region in which the object lives, pinned before the first write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = limit::REGION))]
    pub region: Option<String>,

    /// How often the object has been created anew; part of the create token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,

    /// The create call that may be under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creating: Option<Creating>,
}

/// A create call that may be under way: what a restart needs to know of it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Creating {
    /// When the attempt was written down, before it was made.
    pub at: Time,
    /// A hash of the form that was sent.
    #[schemars(length(max = limit::CLOUD_ID))]
    pub form: String,
}

const fn not_looked_at() -> i64 {
    -1
}

fn tags_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": limit::TAGS,
        "additionalProperties": {
            "type": "string",
            "minLength": limit::NOT_EMPTY,
            "maxLength": limit::TAG_VALUE,
        },
    })
}

fn match_labels_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": limit::SELECTOR_TERMS,
        "additionalProperties": {
            "type": "string",
            "minLength": limit::NOT_EMPTY,
            "maxLength": limit::LABEL_VALUE,
        },
    })
}
