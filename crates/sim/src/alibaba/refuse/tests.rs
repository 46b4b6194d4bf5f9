//! Every refusal that the world can give to an action goes out with a code that the vendor documents for it.

use std::collections::BTreeSet;

use super::possible::{ANY, POSSIBLE};
use super::{Failure, UNDOCUMENTED, failure};
use crate::alibaba::description::PRIVATELINK;
use crate::world::{Refusal, Variants};
use Refusal as R;

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

#[test]
fn codes_that_the_documents_leave_open_are_the_worlds_choice() {
    let (add, remove) = ("AddUserToVpcEndpointService", "RemoveUserFromVpcEndpointService");
    let (get, accept) = ("GetVpcEndpointAttribute", "EnableVpcEndpointConnection");
    let denied = "EndpointServiceOperationDenied";
    for (variant, codes, action, refusal) in [
        ("presentPrincipal", ["EndpointServiceUserExist", denied], add, R::PrincipalListed),
        ("absentPrincipal", ["EndpointServiceUserNotFound", denied], remove, R::PrincipalNotListed),
        ("absentEndpointCode", ["EndpointNotFound", "EndpointConnectionNotFound"], get, R::NoEndpoint),
        (
            "wrongStateCode",
            ["EndpointConnectionOperationDenied", "EndpointOperationDenied"],
            accept,
            R::ConnectionState,
        ),
    ] {
        for code in codes {
            let variants = Variants::default().with(variant, code).expect("a value of the variant");
            assert_eq!(failure(&PRIVATELINK.actions[action], refusal, &variants).code, code, "{variant}");
        }
    }
    // Only where the action documents it.
    let other = Variants::default().with("absentEndpointCode", "EndpointConnectionNotFound").expect("a value");
    assert_eq!(failure(&PRIVATELINK.actions["ListVpcEndpointZones"], R::NoEndpoint, &other).code, "EndpointNotFound");
    let other = Variants::default().with("wrongStateCode", "EndpointOperationDenied").expect("a value");
    let cut = &PRIVATELINK.actions["DisableVpcEndpointConnection"];
    assert_eq!(failure(cut, R::ConnectionState, &other).code, "EndpointConnectionOperationDenied");
}
