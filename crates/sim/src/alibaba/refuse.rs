//! From the world's refusals to the vendor's codes: of the codes that can mean a refusal, the first that the
//! action documents; where it documents none, the last of the list, for a reason that [`UNDOCUMENTED`] names.

pub mod possible;

use super::description::Action;
use super::gateway::Failure;
use crate::world::object::OpenBlock;
use crate::world::variant::SUCCESS;
use crate::world::{Refusal, Variant, Variants};

/// How the vendor answers a call that the world refused.
#[must_use]
pub fn failure(action: &Action, refusal: Refusal, variants: &Variants) -> Failure {
    if let Some((name, must)) = parameter(action, refusal) {
        return match must {
            Some(must) => Failure::illegal(action, name, must),
            None => Failure::missing(action, name),
        };
    }
    let (codes, message) = codes(refusal);
    let documented = codes.iter().find(|code| action.documented(code).is_some());
    let usual = documented.or_else(|| codes.last()).copied().unwrap_or("SystemError");
    let code = chosen(action, refusal, usual, variants).unwrap_or(usual);
    Failure::new(action.documented(code).unwrap_or(400), code, message)
}

/// The code that the world chooses for a refusal in place of the `usual` one, where the documents leave it open.
fn chosen(action: &Action, refusal: Refusal, usual: &str, variants: &Variants) -> Option<&'static str> {
    let value = |variant| Some(variants.value(variant));
    match (refusal, usual) {
        (Refusal::AssignmentNotGranted, _) => value(Variant::AssignmentNotGrantedCode),
        (Refusal::PrincipalListed, _) => value(Variant::PresentPrincipal).filter(|code| *code != SUCCESS),
        (Refusal::PrincipalNotListed, _) => value(Variant::AbsentPrincipal).filter(|code| *code != SUCCESS),
        (Refusal::NoEndpoint, "EndpointNotFound") => {
            value(Variant::AbsentEndpointCode).filter(|code| action.documented(code).is_some())
        }
        (Refusal::ConnectionState, "EndpointConnectionOperationDenied") => {
            value(Variant::WrongStateCode).filter(|code| action.documented(code).is_some())
        }
        _ => None,
    }
}

/// The refusals that speak of one parameter: its name, and what it must be; without that, it is missing.
fn parameter(action: &Action, refusal: Refusal) -> Option<(&'static str, Option<&'static str>)> {
    let bandwidth = if action.parameter("ConnectBandwidth").is_some() { "ConnectBandwidth" } else { "Bandwidth" };
    match refusal {
        Refusal::BandwidthOutOfRange => Some((bandwidth, Some("it is within what this kind of service can have"))),
        Refusal::BandwidthUnsupported if bandwidth == "ConnectBandwidth" => {
            Some((bandwidth, Some("only services of slb and alb have one")))
        }
        Refusal::NotCrossRegion => {
            Some(("CrossRegionBandwidth", Some("only an endpoint to a service of another region has one")))
        }
        Refusal::ZoneMissing => Some(("ZoneId", None)),
        Refusal::NoResourceGroup if action.documented("InvalidResourceGroup").is_none() => {
            Some(("ResourceGroupId", Some("it is a resource group of the account")))
        }
        _ => None,
    }
}

/// The codes that can mean a refusal, the most telling first, and what a person is told.
#[expect(clippy::too_many_lines, reason = "one table, a row for each refusal")]
fn codes(refusal: Refusal) -> (&'static [&'static str], &'static str) {
    match refusal {
        Refusal::ConcurrentCall => {
            (&["ConcurrentCallNotSupported"], "Another call of the same scope is being processed.")
        }
        Refusal::TokenReused => (
            &["IdempotenceSignatureMismatch"],
            "The client token was used for a call with other parameters; use a new one.",
        ),
        Refusal::ProductNotOpen => (&["NeedOpenProduct"], "PrivateLink has not been activated for the account."),
        Refusal::ProductAlreadyOpen => (&["OrderOpend"], "PrivateLink is active already."),
        Refusal::MayNotOpen(OpenBlock::AccountType) => {
            (&["AccountTypeRestricted"], "This type of account cannot activate PrivateLink.")
        }
        Refusal::MayNotOpen(OpenBlock::Balance) => {
            (&["InvalidAccountStatus.NotEnoughBalance"], "The account has not enough balance.")
        }
        Refusal::TooManyServices => (&["QuotaMisMatched"], "The account may own no more endpoint services."),
        Refusal::PayerForbidden => {
            (&["EndpointServicePayerForbidden"], "The account may not pay for its endpoints' owners.")
        }
        Refusal::NoResourceGroup => (&["InvalidResourceGroup"], "The specified resource group does not exist."),
        Refusal::NoRegion => (&["UnsupportedRegion"], "The specified region is not supported."),
        Refusal::NoService => (
            &["ResourceNotFound.VpcEndpointService", "EndpointServiceNotFound"],
            "The specified endpoint service does not exist.",
        ),
        Refusal::ServiceDeleted => (
            &["EndpointServiceDeleted", "EndpointServiceOperationDenied"],
            "The endpoint service has been deleted or is being deleted.",
        ),
        Refusal::ServiceNotActive => (
            &[
                "IncorrectStatus.VpcEndpointService",
                "EndpointServiceOperationDenied",
                "EndpointConnectionOperationDenied",
                "EndpointServiceOperationDenied",
            ],
            "The endpoint service is being changed; wait until it is Active.",
        ),
        Refusal::ServiceBusy => (
            &["IncorrectStatus.VpcEndpointService", "EndpointServiceLocked"],
            "Another zone of the endpoint service is being changed.",
        ),
        Refusal::ServiceLocked => (
            &["IncorrectBusinessStatus.VpcEndpointService", "EndpointServiceLocked"],
            "The endpoint service is locked because of overdue payments.",
        ),
        Refusal::ServiceHasConnections => (
            &["EndpointServiceConnectionDependence"],
            "Endpoints are still connected to the endpoint service; disconnect them first.",
        ),
        Refusal::ServiceHasResources => (
            &["EndpointServiceDependenceViolation"],
            "Resources are still attached to the endpoint service; detach them first.",
        ),
        Refusal::ServiceHasEndpoints => {
            (&["DeleteFailedDueToEndpointExist"], "Endpoints of the endpoint service still exist.")
        }
        Refusal::PrincipalListed => (&["EndpointServiceUserExist"], "The principal is on the allow-list already."),
        Refusal::PrincipalNotListed => {
            (&["EndpointServiceUserNotFound"], "The specified principal is not on the allow-list.")
        }
        Refusal::BandwidthOutOfRange => (&["UpdateBandWidthUnSupported"], "The bandwidth is out of range."),
        Refusal::BandwidthUnsupported => {
            (&["UpdateBandWidthUnSupported"], "The bandwidth of this kind of endpoint service cannot be set.")
        }
        Refusal::NoBalancer { alb: true } => {
            (&["AlbNotFound", "LoadBalancerNotFound"], "The specified application load balancer does not exist.")
        }
        Refusal::NoBalancer { alb: false } => {
            (&["LoadBalancerNotFound"], "The specified load balancer does not exist.")
        }
        Refusal::BalancerUnsupported => {
            (&["LoadBalancerNotSupportPrivateLink"], "The specified load balancer cannot be used with PrivateLink.")
        }
        Refusal::KindMismatch => (
            &["Mismatch.ResourceType", "EndpointServiceResourceTypeNotSupport"],
            "ResourceType is not the type of the specified resource.",
        ),
        Refusal::KindNotOfService => (
            &["EndpointServiceResourceTypeNotEqual", "Mismatch.ResourceType"],
            "The resource's type is not that of the endpoint service.",
        ),
        Refusal::ZoneMissing => (&["MissingZoneId"], "ZoneId is mandatory for this type of resource."),
        Refusal::ZoneNotServed => (
            &["EndpointServiceNotSupportedZone", "EndpointServiceResourceNotFound"],
            "The resource does not serve the specified zone.",
        ),
        Refusal::Downgrade => {
            (&["EndpointServiceDowngradeNotAllowed"], "An IP version that has been offered cannot be taken away.")
        }
        Refusal::NoIpv6 => (
            &["ServiceResourceNotSupportIpv6", "EndpointServiceNotSupportIpv6"],
            "The endpoint service or its resource does not support IPv6.",
        ),
        Refusal::ResourceAttached => {
            (&["EndpointServiceResourceExist"], "The resource is attached to the endpoint service already.")
        }
        Refusal::TooManyResources => (&["QuotaMisMatched"], "The endpoint service may have no more resources."),
        Refusal::ResourceNotAttached => {
            (&["EndpointServiceResourceNotFound"], "The resource is not attached to the endpoint service.")
        }
        Refusal::ResourceInUse => {
            (&["EndpointServiceConnectionDependence"], "Endpoint connections still depend on the resource.")
        }
        Refusal::LastAutoAllocated => (
            &["ResourceAutoAllocateViolation", "EndpointServiceResourceCannotRemove"],
            "Each zone must keep at least one automatically allocated resource.",
        ),
        Refusal::NoEndpoint => {
            (&["ResourceNotFound.VpcEndpoint", "EndpointNotFound"], "The specified endpoint does not exist.")
        }
        Refusal::EndpointNotActive => (
            &[
                "IncorrectStatus.VpcEndpoint",
                "EndpointOperationDenied",
                "EndpointLocked",
                "EndpointConnectionOperationDenied",
            ],
            "The endpoint is being changed; wait until it is Active.",
        ),
        Refusal::EndpointLocked => (
            &["IncorrectBusinessStatus.VpcEndpoint", "EndpointLocked", "EndpointOperationDenied", "EndpointLocked"],
            "The endpoint is locked because of overdue payments.",
        ),
        Refusal::EndpointProtected => (
            &["OperationDenied.EndpointProtected"],
            "The endpoint is protected; only the identity that created it may change or delete it.",
        ),
        Refusal::EndpointHasZones => {
            (&["EndpointDependenceViolation"], "The endpoint still has zones; remove them first.")
        }
        Refusal::NotAuthorized => {
            (&["EndpointServiceNotAuthorized"], "The account is not on the whitelist of the endpoint service.")
        }
        Refusal::EndpointKindMismatch => {
            (&["Mismatch.EndpointType"], "The endpoint service does not take this type of endpoint.")
        }
        Refusal::EndpointDuplicated => {
            (&["EndpointDuplicated"], "The VPC has an endpoint of that endpoint service already.")
        }
        Refusal::TooManyEndpoints => (&["QuotaExceeded.totalEpPerVpc"], "The VPC may hold no more endpoints."),
        Refusal::TooManyZones => {
            (&["QuotaExceeded.epZonePerEndpoint", "QuotaMisMatched"], "The endpoint may have no more zones.")
        }
        Refusal::PolicyUnsupported => {
            (&["OperationDenied.EndpointPolicyNotSupport"], "The endpoint service does not support endpoint policies.")
        }
        Refusal::NotCrossRegion => (&["UnsupportedRegion"], "The endpoint and its service are in the same region."),
        Refusal::NoVpc => (&["VpcNotFound"], "The specified VPC does not exist."),
        Refusal::NoSwitch => (&["VSwitchNotFound"], "The specified vSwitch does not exist in the VPC and zone."),
        Refusal::SwitchNotAvailable => (&["VSwitchStatusNotAllowed"], "The vSwitch is not available."),
        Refusal::NoFreeAddress => (&["ResourceNotEnough.VSwitchIp"], "The vSwitch has no free IP address."),
        Refusal::AddressUnavailable => {
            (&["EniIpUnavailable"], "The specified IP address is taken or not of the vSwitch.")
        }
        Refusal::ZoneDuplicated => (&["EndpointZoneDuplicated"], "The endpoint has the specified zone already."),
        Refusal::ZoneWithoutResource => {
            (&["EndpointServiceNotSupportedZone"], "The endpoint service has no resource in the specified zone.")
        }
        Refusal::NoGroup => (&["SecurityGroupNotFound"], "The specified security group does not exist."),
        Refusal::GroupUnsupported => {
            (&["SecurityGroupTypeNotSupport"], "Endpoints cannot join this type of security group.")
        }
        Refusal::GroupKindsMixed => {
            (&["SecurityGroupTypeOnlySingleTypeSupporteded"], "All security groups of an endpoint are of one type.")
        }
        Refusal::GroupJoined => (&["SecurityGroupExist"], "The endpoint is in the specified security group already."),
        Refusal::LastGroup => (&["EndpointMustContainSecurityGroup"], "An endpoint is in at least one security group."),
        Refusal::NoGroupsEver => (
            &["AddSecurityGroupNotSupportWhenHaveNoSg"],
            "An endpoint that was created without security groups cannot join one.",
        ),
        Refusal::TooManyGroups => (&["QuotaMisMatched"], "The endpoint may join no more security groups."),
        Refusal::NoConnection => (
            &["ResourceNotFound.VpcEndpointConnection", "EndpointConnectionNotFound"],
            "The specified endpoint connection does not exist.",
        ),
        Refusal::ConnectionInTransition => (
            &["IncorrectStatus.VpcEndpointConnection", "EndpointConnectionOperationDenied", "EndpointOperationDenied"],
            "The endpoint connection is being changed; wait until it has settled.",
        ),
        Refusal::ConnectionState => (
            &["IncorrectStatus.VpcEndpointConnection", "EndpointConnectionOperationDenied", "EndpointOperationDenied"],
            "The endpoint connection is not in a state that allows the operation.",
        ),
        Refusal::NoAvailableResource => (
            &[
                "OperationDenied.NoAvailableServiceResource",
                "EndpointServiceResourceNotFound",
                "EndpointOperationDenied",
            ],
            "A zone of the endpoint has no available resource of the endpoint service.",
        ),
        Refusal::NoZone => (
            &["ResourceNotFound.VpcEndpointZone", "EndpointZoneNotFound"],
            "The endpoint does not have the specified zone.",
        ),
        Refusal::ZoneState => (
            &["IncorrectStatus.VpcEndpointZone", "ZoneOperationDenied", "EndpointOperationDenied"],
            "The zone is not in a state that allows the operation.",
        ),
        Refusal::AssignmentNotGranted => {
            (&["NoPermission"], "The account is not allowed to manage the resources of connections (svc_res_mgt_uat).")
        }
        Refusal::KindNotAssignable => {
            (&["EndpointServiceResourceTypeNotSupport"], "Resources of this type cannot be assigned or replaced.")
        }
        Refusal::ResourceInOtherZone => (&["Mismatch.ZoneId"], "The resource is in another zone."),
        Refusal::ZoneNotReplaceable => {
            (&["ZoneOperationDenied"], "The zone is not in a state in which its resource can be changed.")
        }
        Refusal::StillAutoAllocated => (
            &["OperationDenied.CurrentResourceAutoAllocated"],
            "Automatic allocation of the current resource must be switched off first.",
        ),
        Refusal::NoTag => (&["TagInfoNotExist"], "The object does not have the specified tag."),
        Refusal::TooManyTags => (&["QuotaExceed.TagsPerResource"], "An object has at most 20 tags."),
        Refusal::NoObject => {
            (&["InvalidResourceId.NotFound", "ResourceNotFound"], "The specified object does not exist.")
        }
    }
}

/// Codes that the vendor does not document for the action, with the actions and why they are
/// answered all the same.
pub const UNDOCUMENTED: &[(&str, &[&str], &str)] = &[
    (
        "AddSecurityGroupNotSupportWhenHaveNoSg",
        &["AttachSecurityGroupToVpcEndpoint"],
        "the behaviour notes name it, the published list is older",
    ),
    (
        "EndpointServiceOperationDenied",
        &["DetachResourceFromVpcEndpointService", "AddUserToVpcEndpointService", "RemoveUserFromVpcEndpointService"],
        "the vendor asks for an active service; the Terraform provider repeats the call on this code",
    ),
    (
        "EndpointServiceUserExist",
        &["AddUserToVpcEndpointService"],
        "no code is documented for a principal that is there: made like EndpointServiceResourceExist",
    ),
    (
        "EndpointServiceUserNotFound",
        &["RemoveUserFromVpcEndpointService"],
        "no code is documented for a principal that is not there: made like EndpointServiceResourceNotFound",
    ),
    (
        "MissingZoneId",
        &[
            "AttachResourceToVpcEndpointService",
            "DetachResourceFromVpcEndpointService",
            "UpdateVpcEndpointServiceResourceAttribute",
        ],
        "the gateway's code for a missing parameter: no template is documented for these actions",
    ),
    (
        "InvalidParameter.Bandwidth",
        &["EnableVpcEndpointConnection", "UpdateVpcEndpointConnectionAttribute"],
        "the gateway's code for a value out of range: no template is documented for these actions",
    ),
    (
        "InvalidParameter.CrossRegionBandwidth",
        &["CreateVpcEndpoint", "UpdateVpcEndpointAttribute"],
        "the gateway's code: the published list is older than cross-region endpoints",
    ),
    (
        "InvalidParameter.ResourceGroupId",
        &["CreateVpcEndpoint"],
        "the gateway's code: none is documented for a resource group that does not exist",
    ),
    (
        "UpdateBandWidthUnSupported",
        &["EnableVpcEndpointConnection"],
        "documented for the same parameter of UpdateVpcEndpointConnectionAttribute",
    ),
    (
        "EndpointServiceNotSupportIpv6",
        &["CreateVpcEndpoint", "UpdateVpcEndpointAttribute"],
        "documented for CreateVpcEndpointService; the endpoint's actions have none for IPv6",
    ),
    (
        "EndpointServiceDowngradeNotAllowed",
        &["UpdateVpcEndpointAttribute"],
        "documented for the same parameter of UpdateVpcEndpointServiceAttribute",
    ),
    (
        "QuotaExceed.TagsPerResource",
        &["CreateVpcEndpointService", "CreateVpcEndpoint"],
        "documented for TagResources, of which Tag of the create calls is the short form",
    ),
    (
        "EndpointServiceResourceExist",
        &["CreateVpcEndpointService"],
        "documented for AttachResourceToVpcEndpointService; naming a resource twice is the same mistake",
    ),
    (
        "OperationDenied.EndpointProtected",
        &["AttachSecurityGroupToVpcEndpoint", "DetachSecurityGroupFromVpcEndpoint"],
        "documented for all other actions that change an endpoint",
    ),
    ("QuotaMisMatched", &["AttachSecurityGroupToVpcEndpoint"], "documented for the same limit of CreateVpcEndpoint"),
];

#[cfg(test)]
mod tests;
