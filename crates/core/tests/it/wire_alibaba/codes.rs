//! The table of codes is complete and holds nothing else, and each code means what it must.

use std::collections::BTreeSet;

use privatelink_core::condition::Reason;
use privatelink_core::error::Meaning;
use privatelink_core::limit;
use privatelink_core::wire::alibaba::classify;
use serde_json::Value;

use super::{calls, descriptions};

/// Every code that an action in use documents, and those common to all actions.
fn documented() -> BTreeSet<String> {
    let descriptions = descriptions();
    let mut codes = BTreeSet::new();
    for call in calls() {
        let description = &descriptions[call.product.as_str()];
        let own = description["actions"][call.action]["errors"].as_array().expect("errors");
        // An error is written as status and code.
        codes.extend(
            own.iter().filter_map(Value::as_str).filter_map(|error| error.split(' ').nth(1)).map(str::to_owned),
        );
        let common = description["common_errors"].as_array().expect("errors");
        codes.extend(common.iter().filter_map(|error| error["code"].as_str()).map(str::to_owned));
    }
    codes
}

fn gateway() -> BTreeSet<String> {
    let lines = include_str!("../../data/alibaba-gateway-codes.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_documented_code_has_a_row_and_every_row_a_code() {
    let rows: Vec<&str> = classify::codes().collect();
    let distinct: BTreeSet<String> = rows.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(distinct.len(), rows.len(), "one class a code");
    let documented = documented();
    assert!(documented.len() > 50, "{documented:?}");
    assert!(documented.is_disjoint(&gateway()), "the gateway's codes are those that no action documents");
    let known: BTreeSet<String> = documented.union(&gateway()).cloned().collect();
    let without_row: Vec<_> = known.difference(&distinct).collect();
    let without_code: Vec<_> = distinct.difference(&known).collect();
    assert_eq!((without_row, without_code), (vec![], vec![]));
}

#[test]
fn codes_mean_what_is_done_next() {
    let must = Meaning::UserMustAct;
    for (code, meaning) in [
        ("EndpointServiceNotFound", Meaning::Gone),
        ("EndpointServiceResourceExist", Meaning::Done),
        ("OrderOpend", Meaning::Done),
        ("ConcurrentCallNotSupported", Meaning::InTransition),
        ("EndpointServiceOperationDenied", Meaning::InTransition),
        ("IdempotenceSignatureMismatch", Meaning::TokenReused),
        ("DryRunOperation", Meaning::DryRun),
        ("Throttling", Meaning::Throttled),
        ("Throttling.User", Meaning::Throttled),
        ("Rejected.Throttling", Meaning::Throttled),
        ("ServiceUnavailable", Meaning::Unavailable),
        ("SystemBusy", Meaning::Unavailable),
        ("EndpointServiceConnectionDependence", Meaning::Waiting(Reason::BlockedByConnections)),
        ("DeleteFailedDueToEndpointExist", Meaning::Waiting(Reason::BlockedByConnections)),
        ("NeedOpenProduct", must(Reason::FeatureNotEnabled)),
        ("NoPermission", must(Reason::PermissionDenied)),
        ("NoPermission.ChangeResourceGroup", must(Reason::PermissionDenied)),
        ("Forbidden.RAM", must(Reason::PermissionDenied)),
        ("LoadBalancerNotFound", must(Reason::ReferenceNotFound)),
        ("LoadBalancerNotSupportPrivateLink", must(Reason::InvalidSpec)),
        ("Mismatch.ResourceType", must(Reason::InvalidSpec)),
        ("QuotaMisMatched", Meaning::Waiting(Reason::QuotaExceeded)),
        ("ResourceAutoAllocateViolation", must(Reason::LastAutoAllocatedInZone)),
        ("EndpointServicePayerForbidden", must(Reason::FeatureNotEnabled)),
        ("InvalidAccountStatus.NotEnoughBalance", must(Reason::BillingLocked)),
        // Of two beginnings the longer one counts, and an exact row before both.
        ("IllegalParamFormat.ServiceDescription", must(Reason::InvalidSpec)),
        ("MissingZoneId", must(Reason::InvalidSpec)),
        ("MissingParameter.ResourceId", Meaning::Unexpected),
        ("MissingSecurityToken", Meaning::Credentials(Reason::CredentialsInvalid)),
        ("InvalidAccessKeyId.NotFound", Meaning::Credentials(Reason::CredentialsInvalid)),
        ("InvalidSecurityToken.Expired", Meaning::Credentials(Reason::CredentialsInvalid)),
        ("SignatureDoesNotMatch", Meaning::Credentials(Reason::CredentialsInvalid)),
        ("InvalidTimeStamp.Expired", Meaning::Credentials(Reason::ClockSkew)),
        ("SomethingNew", Meaning::Unexpected),
        ("throttling", Meaning::Unexpected),
        ("", Meaning::Unexpected),
    ] {
        assert_eq!(classify::meaning(code), meaning, "{code}");
    }
}

#[test]
fn an_explanation_says_what_happened_what_to_do_and_what_the_cloud_said() {
    for code in classify::codes() {
        let text = classify::explain("AttachResourceToVpcEndpointService", code, "No such thing.");
        assert!(text.ends_with(". The cloud says: No such thing."), "{text}");
        assert!(text.contains(": ") && !text.contains('{') && !text.contains("%s"), "{text}");
        assert!(text.len() <= limit::MESSAGE as usize);
    }
    assert_eq!(
        classify::explain("CreateVpcEndpointService", "NoPermission", ""),
        "the credentials may not call CreateVpcEndpointService: allow CreateVpcEndpointService to the user or role of \
         the CloudAccount"
    );
    let unknown =
        classify::explain("CreateVpcEndpointService", "SomethingNew", "id 0B0C5B7E-1111-4A2F-9D33-ABCDEF012345");
    assert!(unknown.starts_with("CreateVpcEndpointService was refused") && unknown.ends_with("id …"), "{unknown}");
    let hostile = classify::explain("A", "NoPermission", &"{action} ".repeat(1_000));
    assert!(hostile.chars().count() <= limit::MESSAGE as usize);
    assert!(hostile.contains("{action}"), "what the cloud says is no template: {hostile}");
}
