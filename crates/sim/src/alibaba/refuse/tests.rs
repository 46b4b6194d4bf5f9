//! Every refusal that the world can give to an action goes out with a code that the vendor documents for it.

use std::collections::BTreeSet;

use super::{Failure, UNDOCUMENTED, failure};
use crate::alibaba::description::PRIVATELINK;
use crate::world::object::OpenBlock;
use crate::world::{Refusal, Variants};
use Refusal as R;

/// What the world can refuse of each action that changes it, beside what it can refuse of any
/// (`ANY` and, for actions with a scope, `ConcurrentCall`).
const POSSIBLE: &[(&str, &[Refusal])] = &[
    (
        "OpenPrivateLinkService",
        &[
            R::ProductNotOpen,
            R::ProductAlreadyOpen,
            R::MayNotOpen(OpenBlock::AccountType),
            R::MayNotOpen(OpenBlock::Balance),
        ],
    ),
    (
        "CreateVpcEndpointService",
        &[
            R::ProductNotOpen,
            R::TooManyServices,
            R::PayerForbidden,
            R::TooManyTags,
            R::NoResourceGroup,
            R::NoIpv6,
            R::NoRegion,
            R::NoBalancer { alb: true },
            R::NoBalancer { alb: false },
            R::KindMismatch,
            R::KindNotOfService,
            R::BalancerUnsupported,
            R::ZoneMissing,
            R::ZoneNotServed,
            R::ResourceAttached,
            R::TooManyResources,
        ],
    ),
    (
        "UpdateVpcEndpointServiceAttribute",
        &[
            R::NoService,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::BandwidthUnsupported,
            R::BandwidthOutOfRange,
            R::Downgrade,
            R::NoIpv6,
            R::NoRegion,
        ],
    ),
    (
        "DeleteVpcEndpointService",
        &[R::NoService, R::ServiceNotActive, R::ServiceHasConnections, R::ServiceHasResources, R::ServiceHasEndpoints],
    ),
    (
        "AttachResourceToVpcEndpointService",
        &[
            R::NoService,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::NoBalancer { alb: true },
            R::NoBalancer { alb: false },
            R::KindMismatch,
            R::KindNotOfService,
            R::BalancerUnsupported,
            R::ZoneMissing,
            R::ZoneNotServed,
            R::NoIpv6,
            R::ResourceAttached,
            R::TooManyResources,
        ],
    ),
    (
        "DetachResourceFromVpcEndpointService",
        &[
            R::NoService,
            R::ServiceNotActive,
            R::ResourceNotAttached,
            R::ZoneMissing,
            R::ResourceInUse,
            R::LastAutoAllocated,
        ],
    ),
    (
        "UpdateVpcEndpointServiceResourceAttribute",
        &[
            R::NoService,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::ResourceNotAttached,
            R::ZoneMissing,
            R::LastAutoAllocated,
        ],
    ),
    (
        "AddUserToVpcEndpointService",
        &[R::NoService, R::ServiceLocked, R::ServiceNotActive, R::NoPrincipal, R::PrincipalMismatch],
    ),
    ("RemoveUserFromVpcEndpointService", &[R::NoService, R::ServiceNotActive, R::NoPrincipal, R::PrincipalMismatch]),
    (
        "EnableVpcEndpointConnection",
        &[
            R::NoService,
            R::NoConnection,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::ConnectionState,
            R::ConnectionInTransition,
            R::EndpointNotActive,
            R::EndpointLocked,
            R::BandwidthUnsupported,
            R::BandwidthOutOfRange,
            R::NoAvailableResource,
        ],
    ),
    ("DisableVpcEndpointConnection", &[R::NoService, R::NoConnection, R::ConnectionInTransition, R::ConnectionState]),
    (
        "UpdateVpcEndpointConnectionAttribute",
        &[
            R::NoService,
            R::NoConnection,
            R::ConnectionInTransition,
            R::ConnectionState,
            R::BandwidthUnsupported,
            R::BandwidthOutOfRange,
        ],
    ),
    (
        "EnableVpcEndpointZoneConnection",
        &[
            R::NoService,
            R::NoConnection,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::ConnectionInTransition,
            R::ConnectionState,
            R::EndpointNotActive,
            R::EndpointLocked,
            R::NoZone,
            R::ZoneState,
            R::NoAvailableResource,
        ],
    ),
    (
        "DisableVpcEndpointZoneConnection",
        &[
            R::NoService,
            R::NoConnection,
            R::ServiceLocked,
            R::ServiceNotActive,
            R::ConnectionInTransition,
            R::ConnectionState,
            R::EndpointNotActive,
            R::EndpointLocked,
            R::NoZone,
            R::ZoneState,
        ],
    ),
    (
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        &[
            R::NoService,
            R::NoConnection,
            R::NoZone,
            R::AssignmentNotGranted,
            R::ServiceLocked,
            R::ServiceBusy,
            R::EndpointNotActive,
            R::EndpointLocked,
            R::ConnectionInTransition,
            R::ConnectionState,
            R::ZoneNotReplaceable,
            R::KindNotAssignable,
            R::ResourceInOtherZone,
            R::ResourceNotAttached,
            R::StillAutoAllocated,
        ],
    ),
    (
        "CreateVpcEndpoint",
        &[
            R::ProductNotOpen,
            R::NoVpc,
            R::NoService,
            R::ServiceDeleted,
            R::ServiceNotActive,
            R::NotAuthorized,
            R::EndpointKindMismatch,
            R::PolicyUnsupported,
            R::NotCrossRegion,
            R::NoIpv6,
            R::TooManyEndpoints,
            R::EndpointDuplicated,
            R::TooManyTags,
            R::NoResourceGroup,
            R::LastGroup,
            R::TooManyGroups,
            R::GroupKindsMixed,
            R::NoGroup,
            R::GroupUnsupported,
            R::NoSwitch,
            R::SwitchNotAvailable,
            R::ZoneDuplicated,
            R::TooManyZones,
            R::ZoneWithoutResource,
            R::NoFreeAddress,
            R::AddressUnavailable,
        ],
    ),
    (
        "UpdateVpcEndpointAttribute",
        &[
            R::NoEndpoint,
            R::EndpointProtected,
            R::EndpointLocked,
            R::EndpointNotActive,
            R::ServiceDeleted,
            R::PolicyUnsupported,
            R::NotCrossRegion,
            R::NoIpv6,
            R::Downgrade,
        ],
    ),
    ("DeleteVpcEndpoint", &[R::NoEndpoint, R::EndpointProtected, R::EndpointNotActive, R::EndpointHasZones]),
    (
        "AddZoneToVpcEndpoint",
        &[
            R::NoEndpoint,
            R::EndpointProtected,
            R::EndpointLocked,
            R::EndpointNotActive,
            R::ServiceDeleted,
            R::ConnectionInTransition,
            R::NoSwitch,
            R::SwitchNotAvailable,
            R::ZoneDuplicated,
            R::TooManyZones,
            R::ZoneWithoutResource,
            R::NoFreeAddress,
            R::AddressUnavailable,
        ],
    ),
    (
        "RemoveZoneFromVpcEndpoint",
        &[R::NoEndpoint, R::EndpointProtected, R::EndpointNotActive, R::ConnectionInTransition, R::NoZone],
    ),
    (
        "AttachSecurityGroupToVpcEndpoint",
        &[
            R::NoEndpoint,
            R::EndpointProtected,
            R::EndpointLocked,
            R::EndpointNotActive,
            R::ServiceDeleted,
            R::ConnectionInTransition,
            R::NoGroup,
            R::GroupUnsupported,
            R::NoGroupsEver,
            R::GroupJoined,
            R::GroupKindsMixed,
            R::TooManyGroups,
        ],
    ),
    (
        "DetachSecurityGroupFromVpcEndpoint",
        &[
            R::NoEndpoint,
            R::EndpointProtected,
            R::EndpointLocked,
            R::EndpointNotActive,
            R::ServiceDeleted,
            R::ConnectionInTransition,
            R::NoGroup,
            R::LastGroup,
        ],
    ),
    ("TagResources", &[R::NoObject, R::TooManyTags]),
    ("UntagResources", &[R::NoObject, R::NoTag]),
    ("ChangeResourceGroup", &[R::NoObject, R::NoResourceGroup]),
];

/// What the world can refuse of any action.
const ANY: &[Refusal] = &[R::ConcurrentCall, R::TokenReused];

fn is_documented(name: &str, failure: &Failure) -> bool {
    let common = PRIVATELINK.common_errors.iter().any(|one| one.code == failure.code && one.http == failure.status);
    common || PRIVATELINK.actions[name].documented(&failure.code) == Some(failure.status)
}

fn reason(name: &str, code: &str) -> Option<&'static str> {
    let row = UNDOCUMENTED.iter().find(|(other, actions, _)| *other == code && actions.contains(&name));
    row.map(|(_, _, reason)| *reason)
}

fn all_pairs() -> Vec<(&'static str, Refusal)> {
    let any = POSSIBLE.iter().flat_map(|(action, _)| ANY.iter().map(|refusal| (*action, *refusal)));
    let own = POSSIBLE.iter().flat_map(|(action, refusals)| refusals.iter().map(|refusal| (*action, *refusal)));
    own.chain(any).collect()
}

#[test]
fn every_refusal_has_a_documented_code_or_a_reason() {
    let pairs = all_pairs();
    for (name, refusal) in &pairs {
        let failure = failure(&PRIVATELINK.actions[*name], *refusal, &Variants::default());
        let explained = is_documented(name, &failure) || reason(name, &failure.code).is_some();
        assert!(explained, "{name}: {refusal:?} answers {} {}", failure.status, failure.code);
        assert!(failure.message.ends_with('.'), "{name}: {refusal:?} says {:?}", failure.message);
    }
    assert!(pairs.len() > 220, "{}", pairs.len());
}

#[test]
fn every_reason_is_needed() {
    for (code, actions, _) in UNDOCUMENTED {
        for name in *actions {
            let needed = all_pairs().into_iter().filter(|(other, _)| other == name).any(|(_, refusal)| {
                let failure = failure(&PRIVATELINK.actions[*name], refusal, &Variants::default());
                failure.code == *code && !is_documented(name, &failure)
            });
            assert!(needed, "{name} never answers {code} undocumented");
        }
    }
}

#[test]
fn every_writing_action_is_in_the_table() {
    let listed: BTreeSet<_> = POSSIBLE.iter().map(|(name, _)| *name).collect();
    let writes = PRIVATELINK.actions.iter().filter(|(_, action)| action.is_write()).map(|(name, _)| name.as_str());
    for name in writes.chain(["OpenPrivateLinkService", "ChangeResourceGroup"]) {
        assert!(listed.contains(name), "{name}");
    }
}

#[test]
fn a_zone_connection_speaks_its_own_codes() {
    let code = |action: &str, refusal| {
        let failure = failure(&PRIVATELINK.actions[action], refusal, &Variants::default());
        (failure.status, failure.code)
    };
    let zone = "DisableVpcEndpointZoneConnection";
    for (refusal, status, right) in [
        (R::NoService, 404, "ResourceNotFound.VpcEndpointService"),
        (R::NoConnection, 404, "ResourceNotFound.VpcEndpointConnection"),
        (R::NoZone, 404, "ResourceNotFound.VpcEndpointZone"),
        (R::ConnectionState, 400, "IncorrectStatus.VpcEndpointConnection"),
        (R::ZoneState, 400, "IncorrectStatus.VpcEndpointZone"),
        (R::EndpointNotActive, 400, "IncorrectStatus.VpcEndpoint"),
        (R::ServiceNotActive, 400, "IncorrectStatus.VpcEndpointService"),
        (R::ServiceLocked, 400, "IncorrectBusinessStatus.VpcEndpointService"),
        (R::EndpointLocked, 400, "IncorrectBusinessStatus.VpcEndpoint"),
    ] {
        assert_eq!(code(zone, refusal), (status, right.to_owned()), "{refusal:?}");
    }
    let accept = "EnableVpcEndpointConnection";
    assert_eq!(code(accept, R::NoConnection), (400, "EndpointConnectionNotFound".to_owned()));
    assert_eq!(code(accept, R::ConnectionState), (400, "EndpointConnectionOperationDenied".to_owned()));
    assert_eq!(
        code("DetachResourceFromVpcEndpointService", R::LastAutoAllocated),
        (400, "EndpointServiceResourceCannotRemove".to_owned())
    );
}

#[test]
fn the_code_of_a_missing_grant_is_the_worlds_choice() {
    let action = &PRIVATELINK.actions["UpdateVpcEndpointZoneConnectionResourceAttribute"];
    for code in ["NoPermission", "QuotaMisMatched", "OperationDenied.FeatureNotEnabled", "ZoneOperationDenied"] {
        let variants = Variants::default().with("assignmentNotGrantedCode", code).expect("a value of the variant");
        assert_eq!(failure(action, R::AssignmentNotGranted, &variants).code, code);
    }
}
