//! The one table of error codes: what each means for what is done next, what has happened in plain words, and
//! what the reader can do about it.
//!
//! A code ending in `%s` stands for all that begin as it does; an exact row comes first, then the longest
//! beginning. The vendor documents most codes action by action; the rest come from its gateway, whatever the
//! action. A few codes say one thing to a provider and another to a consumer: they have a row more, for the
//! actions of one of them. `{action}` in a text is the action that was refused.

mod connection;
mod session;

use crate::condition::Reason;
use crate::error::Meaning;

/// What is known of one code.
pub(super) struct Row {
    /// Code, or its beginning and `%s`.
    pub code: &'static str,
    /// Actions that the row is for; none: all that have no row of their own.
    pub actions: &'static [&'static str],
    /// Class.
    pub meaning: Meaning,
    /// What has happened.
    pub what: &'static str,
    /// What the reader can do.
    pub remedy: &'static str,
}

const fn row(code: &'static str, meaning: Meaning, what: &'static str, remedy: &'static str) -> Row {
    Row { code, actions: &[], meaning, what, remedy }
}

impl Row {
    const fn of(self, actions: &'static [&'static str]) -> Self {
        Self { actions, ..self }
    }

    /// It is the row of this code, or of a beginning of it.
    pub(super) fn stands_for(&self, code: &str) -> bool {
        self.code == code || self.code.strip_suffix("%s").is_some_and(|beginning| code.starts_with(beginning))
    }
}

const fn person(reason: Reason) -> Meaning {
    Meaning::UserMustAct(reason)
}

const WAIT: &str = "wait: it is tried again";
/// The address is the one that the vendor's page on reaching the VPC's own API over PrivateLink gives for switching
/// the product on. The international pages give none: there, it is offered to who creates the first endpoint.
const SWITCH_ON: &str = "switch it on at https://common-buy.aliyun.com/?commodityCode=privatelink_postpay_public_cn (international \
     accounts: in the VPC console, under Endpoints), or set alibaba.openProduct: true on the CloudAccount";
const NOTHING: &str = "nothing is asked of you";
const RESOURCE_ID: &str = "correct the load balancer's id in spec.resources, or create it in the account's region";
const PRIVATE_DOMAIN: &str =
    "have its owner take the private domain off the service in the cloud's console, or ask the cloud's support";
const REPORT: &str = "report it with this code";
const TAGS: &str =
    "correct spec.tags: keys of 1 to 64 characters that do not start with aliyun or acs:, values of up to 128";
const KEY: &str = "correct the credentials that spec.credentials of the CloudAccount names";
const ALLOW: &str = "allow {action} to the user or role of the CloudAccount";

const SERVICES_ZONE: &str = "ask the service's owner to add a load balancer there, or take the zone off spec.zones";
const PROTECTED: &str = "give the CloudAccount the credentials of the user or role that made the endpoint";

/// The actions that join a service, or do so in one more zone.
const JOINING: &[&str] = &["CreateVpcEndpoint", "AddZoneToVpcEndpoint"];
const CREATING: &[&str] = &["CreateVpcEndpoint"];
const ADDING: &[&str] = &["AddZoneToVpcEndpoint"];
const LEAVING: &[&str] = &["DetachSecurityGroupFromVpcEndpoint"];
const SETTING: &[&str] = &["CreateVpcEndpoint", "UpdateVpcEndpointAttribute"];

/// Every row there is.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().chain(connection::ROWS).chain(session::TABLE)
}

/// Every code that an action in use documents, and the gateway's, but for those of principals and connections.
const TABLE: &[Row] = &[
    // Common to all actions.
    row("DryRunOperation", Meaning::DryRun, "the call would have succeeded", NOTHING),
    row("NoPermission", person(Reason::PermissionDenied), "the credentials may not call {action}", ALLOW),
    row(
        "NeedOpenProduct",
        person(Reason::FeatureNotEnabled),
        "PrivateLink is not switched on for the account",
        SWITCH_ON,
    ),
    row("SystemBusy", Meaning::Unavailable, "the cloud is busy", WAIT),
    row("ConcurrentCallNotSupported", Meaning::InTransition, "another call of this scope is on its way", WAIT),
    row("IdempotenceProcessing", Meaning::InTransition, "the first try of this call is still on its way", WAIT),
    row(
        "IdempotenceSignatureMismatch",
        Meaning::TokenReused,
        "the client token was used for another form",
        "wait: what it made is looked for, and a new token follows",
    ),
    row(
        "RegionNotFound",
        person(Reason::InvalidSpec),
        "the region does not exist",
        "correct the region that the spec names: spec.region of the CloudAccount, or spec.supportedRegions",
    ),
    row(
        "RegionNotFound",
        person(Reason::InvalidSpec),
        "the region does not exist",
        "delete this object and create it again with a spec.service.region that exists, or without",
    )
    .of(CREATING),
    row(
        "UnsupportedRegion",
        person(Reason::InvalidSpec),
        "PrivateLink does not offer this in the region",
        "use an account in another region, or take the region off spec.supportedRegions",
    ),
    row(
        "UnsupportedRegion",
        person(Reason::InvalidSpec),
        "PrivateLink does not offer this in the region",
        "delete this object and create it again with another account or spec.service.region",
    )
    .of(CREATING),
    row(
        "UnsupportedZone",
        person(Reason::InvalidSpec),
        "PrivateLink is not offered in the zone",
        "use load balancers in another zone in spec.resources",
    ),
    row(
        "UnsupportedZone",
        person(Reason::InvalidSpec),
        "PrivateLink is not offered in the zone",
        "use a subnet of another zone in spec.zones",
    )
    .of(JOINING),
    row("GenerateResourceIdFailed", Meaning::Unavailable, "the cloud could not make an id", WAIT),
    row("EndpointServiceLocked", Meaning::InTransition, "the service is locked by a change or by an unpaid bill", WAIT),
    row("EndpointLocked", Meaning::InTransition, "the endpoint is locked by a change or by an unpaid bill", WAIT),
    row("IncorrectStatus.VpcEndpoint", Meaning::InTransition, "the endpoint is in another state", WAIT),
    row("IncorrectStatus.VpcEndpointConnection", Meaning::InTransition, "the connection is in another state", WAIT),
    row("IncorrectStatus.VpcEndpointService", Meaning::InTransition, "the service is in another state", WAIT),
    // A service and its attributes.
    row("EndpointServiceNotFound", Meaning::Gone, "the service does not exist", WAIT),
    row(
        "EndpointServiceNotFound",
        // Its provider may be about to make it, or to open it for this region.
        Meaning::Waiting(Reason::WaitingForService),
        "the service does not exist, or is not offered in this region",
        "ask its owner; if spec.service is not the one that is meant, delete this object and create it again",
    )
    .of(CREATING),
    row(
        "EndpointServiceExist",
        // Its answer names no id, and a service of ours would have been found by its tags before.
        person(Reason::OwnershipConflict),
        "the cloud says that this service exists already",
        "find it in the cloud's console and adopt or delete it",
    ),
    row("EndpointServiceOperationDenied", Meaning::InTransition, "the service is being changed", WAIT),
    row(
        "EndpointServiceDependenceViolation",
        Meaning::Waiting(Reason::BlockedByDependents),
        "the service still has load balancers",
        "wait until they are detached, or detach those that the cloud's console still shows",
    ),
    row(
        "EndpointServiceConnectionDependence",
        Meaning::Waiting(Reason::BlockedByConnections),
        "connections still depend on it",
        "ask the consumers to delete their endpoints, or cut the connections",
    ),
    row(
        "DeleteFailedDueToEndpointExist",
        Meaning::Waiting(Reason::BlockedByConnections),
        "endpoints of the service still exist",
        "ask the consumers to delete their endpoints",
    ),
    row(
        "EndpointServicePayerForbidden",
        person(Reason::FeatureNotEnabled),
        "the account may not choose who pays",
        "ask the cloud's support to enable it for the account, or make the service anew without spec.payer",
    ),
    row(
        "EndpointServiceNotSupportIpv6",
        person(Reason::InvalidSpec),
        "the service cannot have IPv6",
        "set spec.addressFamily to IPv4, or use NLB or GWLB",
    ),
    row(
        "EndpointServiceNotSupportIpv6",
        person(Reason::InvalidSpec),
        "the service has no IPv6",
        "set spec.addressFamily to IPv4, or ask the service's owner to offer both",
    )
    .of(SETTING),
    row(
        "ServiceResourceNotSupportIpv6",
        person(Reason::InvalidSpec),
        "a load balancer has no IPv6",
        "enable IPv6 on every load balancer of spec.resources, or set spec.addressFamily to IPv4",
    ),
    row(
        "EndpointServiceDowngradeNotAllowed",
        person(Reason::InvalidSpec),
        "what has both protocols cannot go back to one",
        "set spec.addressFamily to DualStack",
    ),
    row(
        "EndpointServiceNotSupportedZone",
        person(Reason::InvalidSpec),
        "the service cannot be in the zone",
        "use load balancers in another zone in spec.resources",
    ),
    row(
        "EndpointServiceNotSupportedZone",
        Meaning::Waiting(Reason::NoResourceInZone),
        "the service is not in a zone of spec.zones",
        SERVICES_ZONE,
    )
    .of(JOINING),
    // What stands behind a service.
    row("AlbNotFound", person(Reason::ReferenceNotFound), "an ALB does not exist", RESOURCE_ID),
    row("LoadBalancerNotFound", person(Reason::ReferenceNotFound), "a load balancer does not exist", RESOURCE_ID),
    row("ResourceNotFound.NatGateway", person(Reason::ReferenceNotFound), "a NAT gateway does not exist", RESOURCE_ID),
    row(
        "VSwitchNotFound",
        person(Reason::ReferenceNotFound),
        "the vSwitch of a load balancer does not exist",
        "check the load balancer in the cloud's console, or take it off spec.resources",
    ),
    row(
        "VSwitchNotFound",
        person(Reason::ReferenceNotFound),
        "a vSwitch does not exist in the VPC and its zone",
        "correct subnetId and zone in spec.zones",
    )
    .of(JOINING),
    row(
        "LoadBalancerNotSupportPrivateLink",
        person(Reason::InvalidSpec),
        "a load balancer cannot serve PrivateLink",
        "use one that can in spec.resources: a CLB must be internal and pay-as-you-go",
    ),
    row(
        "Mismatch.ResourceType",
        person(Reason::InvalidSpec),
        "a load balancer is of another type than declared",
        "correct its type in spec.resources",
    ),
    row(
        "EndpointServiceResourceTypeNotSupport",
        person(Reason::InvalidSpec),
        "the service takes no load balancer of this type",
        "use another type in spec.resources",
    ),
    row(
        "EndpointServiceResourceTypeNotEqual",
        person(Reason::InvalidSpec),
        "all load balancers of a service must be of one type",
        "use one type in spec.resources, the one the service was created with",
    ),
    row("EndpointServiceResourceExist", Meaning::Done, "the load balancer is attached already", NOTHING),
    row("EndpointServiceResourceNotFound", Meaning::Gone, "the load balancer is not attached", WAIT),
    row(
        "EndpointServiceResourceNotFound",
        Meaning::Waiting(Reason::NoResourceInZone),
        "the service has no load balancer in a zone of spec.zones",
        SERVICES_ZONE,
    )
    .of(JOINING),
    row(
        "OperationDenied.NoAvailableServiceResource",
        Meaning::Waiting(Reason::NoResourceInZone),
        "the service has no load balancer in a zone that takes connections",
        SERVICES_ZONE,
    ),
    row(
        "EndpointServiceResourceCannotRemove",
        Meaning::Waiting(Reason::BlockedByConnections),
        "connections still use the load balancer",
        "wait until they have left it, or cut them",
    ),
    row(
        "ResourceAutoAllocateViolation",
        person(Reason::LastAutoAllocatedInZone),
        "each zone must keep one load balancer that allows automatic allocation",
        "add another to the zone with autoAllocate: true in spec.resources",
    ),
    row(
        "QuotaMisMatched",
        Meaning::Waiting(Reason::QuotaExceeded),
        "a quota is used up",
        "ask the cloud for a larger quota, or delete what is no longer used",
    ),
    // Connections.
    row("EndpointConnectionNotFound", Meaning::Gone, "the connection does not exist", WAIT),
    row("EndpointConnectionOperationDenied", Meaning::InTransition, "the connection is being changed", WAIT),
    // An endpoint and its attributes.
    row("EndpointNotFound", Meaning::Gone, "the endpoint does not exist", WAIT),
    row("EndpointOperationDenied", Meaning::InTransition, "the endpoint is being changed", WAIT),
    row(
        "EndpointExist",
        // Its answer names no id, and an endpoint of ours would have been found by its tags before.
        person(Reason::OwnershipConflict),
        "the cloud says that this endpoint exists already",
        "find it in the cloud's console and adopt or delete it",
    ),
    row(
        "EndpointDuplicated",
        person(Reason::OwnershipConflict),
        "an endpoint of this service exists already in the VPC, or in the zone",
        "adopt that one with spec.adopt, or delete it; else create this object again for another VPC",
    ),
    row(
        "EndpointServiceDeleted",
        person(Reason::ReferenceNotFound),
        "the service is being deleted, or was",
        "delete this object: its endpoint leads nowhere",
    ),
    row(
        "EndpointServiceNotAuthorized",
        Meaning::Waiting(Reason::NotWhitelisted),
        "the service does not list the account that asks",
        "ask the service's owner to list it: it is tried again",
    ),
    row(
        "Mismatch.EndpointType",
        person(Reason::InvalidSpec),
        "the service takes no endpoint of this type",
        "delete this object and create it again with the spec.type that the service takes: GatewayLoadBalancer for \
         one of GWLB, Reverse for one of the cloud's own that connects back, Interface for all others",
    ),
    row(
        "OperationDenied.EndpointPolicyNotSupport",
        person(Reason::InvalidSpec),
        "the service takes no endpoint policy",
        "remove spec.policy: only services of the cloud itself take one",
    ),
    row(
        "OperationDenied.EndpointProtected",
        person(Reason::PermissionDenied),
        "the endpoint is protected, and only the identity that made it may change or delete it",
        PROTECTED,
    ),
    row(
        "EndpointProtected",
        person(Reason::PermissionDenied),
        "the endpoint is protected, and only the identity that made it may change or delete it",
        PROTECTED,
    ),
    row(
        "EndpointDependenceViolation",
        Meaning::Waiting(Reason::BlockedByDependents),
        "the endpoint still has interfaces",
        "wait until they are removed",
    ),
    row(
        "CheckServiceLinkRoleError",
        person(Reason::PermissionDenied),
        "the account lacks PrivateLink's service-linked role",
        "create AliyunServiceRoleForPrivatelink in the RAM console, or allow ram:CreateServiceLinkedRole to the user \
         or role of the CloudAccount",
    ),
    row(
        "QuotaExceeded.totalEpPerVpc",
        Meaning::Waiting(Reason::QuotaExceeded),
        "the VPC holds as many endpoints as it may",
        "ask the cloud for a larger quota, or delete endpoints of the VPC that are no longer used",
    ),
    row(
        "QuotaExceeded.totalIdleEndpoint",
        Meaning::Waiting(Reason::QuotaExceeded),
        "the account has as many endpoints without a connection as it may",
        "have their providers accept them, delete those that are no longer used, or ask the cloud for a larger quota",
    ),
    // The network of an endpoint.
    row(
        "VpcNotFound",
        person(Reason::ReferenceNotFound),
        "the VPC does not exist in the account and region",
        "delete this object and create it again with the right spec.vpcId",
    ),
    row(
        "VpcTunnelNotFound",
        person(Reason::ReferenceNotFound),
        "the cloud does not find the network behind the VPC of spec.vpcId",
        "look at the VPC in the cloud's console, then ask the cloud's support: it is tried again every hour",
    ),
    row(
        "VSwitchStatusNotAllowed",
        Meaning::InTransition,
        "a vSwitch of spec.zones is being made or changed",
        "wait: it is tried again; if it stays so, use another in spec.zones",
    ),
    row(
        "ResourceNotEnough.VSwitchIp",
        Meaning::Waiting(Reason::QuotaExceeded),
        "a vSwitch of spec.zones has no free address",
        "free one, or use another vSwitch of the zone in spec.zones",
    ),
    row(
        "EniIpUnavailable",
        person(Reason::InvalidSpec),
        "an address is in use, or is none of its vSwitch, which may have no IPv6",
        "free it, or use another ip or ipv6 in spec.zones, or none: the cloud then picks one",
    ),
    row(
        "EndpointZoneDuplicated",
        person(Reason::InvalidSpec),
        "two vSwitches of spec.zones are in one zone",
        "declare one in each zone in spec.zones",
    ),
    row(
        "EndpointZoneDuplicated",
        // Which vSwitch has it is not said, and it may be another than the one that was asked for: a look tells.
        Meaning::Gone,
        "the endpoint has an interface in the zone already",
        WAIT,
    )
    .of(ADDING),
    row("EndpointZoneNotFound", Meaning::Gone, "the endpoint has no interface in the zone", WAIT),
    row(
        "QuotaExceeded.epZonePerEndpoint",
        person(Reason::QuotaExceeded),
        "the endpoint would have more zones than it may",
        "take zones off spec.zones, or ask the cloud for a larger quota",
    ),
    row(
        "QuotaExceeded.IpQuotaPerEp",
        person(Reason::QuotaExceeded),
        "the endpoint would have more addresses than it may",
        "take zones off spec.zones, or ask the cloud for a larger quota",
    ),
    row("VpcNatServiceException", Meaning::Unavailable, "the network behind the service is busy", WAIT),
    row(
        "SecurityGroupNotFound",
        person(Reason::ReferenceNotFound),
        "a security group does not exist in the VPC",
        "correct spec.securityGroupIds: all of them are groups of the endpoint's VPC",
    ),
    row("SecurityGroupNotFound", Meaning::Gone, "the endpoint is not in the security group", WAIT).of(LEAVING),
    // What was read did not show it: a look tells, where an effect laid over that would have the call made again.
    row("SecurityGroupExist", Meaning::Gone, "the endpoint is in the security group already", WAIT),
    row(
        "SecurityGroupTypeNotSupport",
        person(Reason::InvalidSpec),
        "an endpoint cannot be in a security group of this type",
        "use others in spec.securityGroupIds: none that another product of the cloud manages",
    ),
    row(
        "SecurityGroupTypeOnlySingleTypeSupporteded",
        person(Reason::InvalidSpec),
        "the security groups of an endpoint are all basic ones, or all enterprise ones",
        "use one type in spec.securityGroupIds, the one that the endpoint has",
    ),
    row(
        "EndpointMustContainSecurityGroup",
        person(Reason::InvalidSpec),
        "an endpoint must be in a security group",
        "set at least one in spec.securityGroupIds",
    ),
    row(
        "AddSecurityGroupNotSupportWhenHaveNoSg",
        person(Reason::InvalidSpec),
        "an endpoint that was made without security groups cannot join one",
        "remove spec.securityGroupIds, or delete this object and create it again with them",
    ),
    // Private domains: nothing here asks for one, yet a service may have been given one elsewhere.
    row(
        "OperationDenied.PrivateDomainNotSupport",
        person(Reason::FeatureNotEnabled),
        "private domains are not enabled for the account",
        PRIVATE_DOMAIN,
    ),
    row(
        "OperationDenied.PrivateDomainStatusNotSupport",
        person(Reason::InvalidSpec),
        "the service's private domain is in a state that forbids the change",
        PRIVATE_DOMAIN,
    ),
    row(
        "OperationDenied.PrivateServiceDomainBusinessStatus",
        person(Reason::BillingLocked),
        "the service's private domain is locked by an unpaid bill",
        "pay the bill: it is tried again every hour",
    ),
    row(
        "DependencyViolation.PrivateDnsName",
        Meaning::Waiting(Reason::BlockedByDependents),
        "the service's private domain is in use",
        PRIVATE_DOMAIN,
    ),
    row(
        "InvalidParam.PrivateDnsName",
        person(Reason::InvalidSpec),
        "the service's private domain is not valid",
        PRIVATE_DOMAIN,
    ),
    row(
        "Conflict.ServiceName",
        person(Reason::OwnershipConflict),
        "another service has this name",
        "free the name in the cloud's console, or ask the cloud's support",
    ),
    // Parameters.
    row(
        "IllegalParamFormat.%s",
        person(Reason::InvalidSpec),
        "the cloud refuses a value",
        "correct the field of the spec that sets the parameter named by the code",
    ),
    row(
        "MissingParam.%s",
        person(Reason::InvalidSpec),
        "the cloud needs a value that is not set",
        "set the field of the spec that gives the parameter named by the code",
    ),
    // Tags.
    row("MissingTagKeyParam", person(Reason::InvalidSpec), "a tag has no key", TAGS),
    row("MissingTagValueParam", person(Reason::InvalidSpec), "a tag has no value", TAGS),
    row("IllegalTagKeyParam", person(Reason::InvalidSpec), "the cloud refuses the key of a tag", TAGS),
    row("IllegalTagValueParam", person(Reason::InvalidSpec), "the cloud refuses the value of a tag", TAGS),
    row("DuplicatedTagKey", person(Reason::InvalidSpec), "two tags have the same key", TAGS),
    row(
        "QuotaExceed.TagsPerResource",
        person(Reason::QuotaExceeded),
        "there would be more than 20 tags",
        "remove some from spec.tags, or those that others have set in the cloud",
    ),
    row("TagInfoNotExist", Meaning::Done, "the tag is not there", NOTHING),
    row("InvalidResourceId.NotFound", Meaning::Gone, "what is to be tagged does not exist", WAIT),
    // Resource groups.
    row(
        "NoPermission.ChangeResourceGroup",
        person(Reason::PermissionDenied),
        "the credentials may not move it to the resource group",
        ALLOW,
    ),
    row(
        "InvalidResourceGroup",
        person(Reason::ReferenceNotFound),
        "the resource group does not exist",
        "correct spec.resourceGroupId",
    ),
    row("ResourceNotFound", Meaning::Gone, "what is to be moved does not exist", WAIT),
    row(
        "MissingParameter.ResourceRegionId",
        Meaning::Unexpected,
        "the cloud needs the region of what is moved",
        REPORT,
    ),
    row("MissingParameter.ResourceId", Meaning::Unexpected, "the cloud needs the id of what is moved", REPORT),
    row("MissingParameter.ResourceGroupId", Meaning::Unexpected, "the cloud needs a resource group", REPORT),
    row("SystemError", Meaning::Unavailable, "the cloud has failed", WAIT),
    // Switching the product on.
    row("OrderOpend", Meaning::Done, "the product is switched on already", NOTHING),
    row(
        "AccountTypeRestricted",
        person(Reason::FeatureNotEnabled),
        "an account of this type cannot switch the product on",
        "switch it on with the account that pays, or ask the cloud's support",
    ),
    row(
        "InvalidAccountStatus.NotEnoughBalance",
        person(Reason::BillingLocked),
        "the account's balance is too low",
        "charge the account: it is tried again every hour",
    ),
    // The gateway's: who calls.
    row(
        "InvalidAccessKeyId.%s",
        Meaning::Credentials(Reason::CredentialsInvalid),
        "the access key does not exist, or is not in use",
        KEY,
    ),
    row(
        "InvalidSecurityToken.%s",
        Meaning::Credentials(Reason::CredentialsInvalid),
        "the security token has expired, or does not belong to the key",
        KEY,
    ),
    row(
        "MissingSecurityToken",
        Meaning::Credentials(Reason::CredentialsInvalid),
        "the key needs a security token",
        KEY,
    ),
    row(
        "SignatureDoesNotMatch",
        Meaning::Credentials(Reason::CredentialsInvalid),
        "the secret does not belong to the access key",
        KEY,
    ),
    row(
        "IncompleteSignature",
        Meaning::Credentials(Reason::CredentialsInvalid),
        "the cloud cannot read the signature",
        "check that no proxy changes the headers of requests, and that the access key holds no blanks",
    ),
    row(
        "InvalidTimeStamp.Expired",
        Meaning::Credentials(Reason::ClockSkew),
        "the clock of this machine is more than 15 minutes away from the cloud's",
        "synchronise the clock of the node",
    ),
    row("SignatureNonceUsed", Meaning::Unavailable, "the cloud has seen this request before", WAIT),
    row("Forbidden.RAM", person(Reason::PermissionDenied), "the credentials may not call {action}", ALLOW),
    row("Forbidden", person(Reason::PermissionDenied), "the credentials may not call {action}", ALLOW),
    // The gateway's: how often, and whether it is there.
    row("Throttling", Meaning::Throttled, "the cloud asks to be called less often", WAIT),
    row("Throttling.%s", Meaning::Throttled, "the cloud asks to be called less often", WAIT),
    row("Rejected.Throttling", Meaning::Throttled, "the cloud asks to be called less often", WAIT),
    row("QPS Limit Exceeded", Meaning::Throttled, "the cloud asks to be called less often", WAIT),
    row("ServiceUnavailable", Meaning::Unavailable, "the cloud does not answer", WAIT),
    row("ServiceUnavailableTemporary", Meaning::Unavailable, "the cloud does not answer", WAIT),
    row("InternalError", Meaning::Unavailable, "the cloud has failed", WAIT),
    row("InternalError.%s", Meaning::Unavailable, "the cloud has failed", WAIT),
    row("InternalFailure", Meaning::Unavailable, "the cloud has failed", WAIT),
    // The gateway's: what is called.
    row(
        "InvalidParameter.%s",
        person(Reason::InvalidSpec),
        "the cloud refuses a value",
        "correct the field of the spec that sets the parameter named by the code",
    ),
    row(
        "Missing%s",
        person(Reason::InvalidSpec),
        "the cloud needs a value that is not set",
        "set the field of the spec that gives the parameter named by the code",
    ),
    row("InvalidAction.NotFound", Meaning::Unexpected, "the cloud does not know {action}", REPORT),
    row("InvalidVersion", Meaning::Unexpected, "the cloud does not know this version of its API", REPORT),
    row("UnsupportedHTTPMethod", Meaning::Unexpected, "the cloud does not take POST", REPORT),
];
