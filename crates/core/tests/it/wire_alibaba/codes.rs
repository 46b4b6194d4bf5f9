//! The table of codes is complete and holds nothing else, and each code means what it must.

use std::collections::BTreeSet;

use privatelink_core::condition::Reason;
use privatelink_core::error::Meaning;
use privatelink_core::id::Sort;
use privatelink_core::limit;
use privatelink_core::step::Step;
use privatelink_core::wire::alibaba::{action, classify, encode};
use serde_json::Value;

use super::{TOKEN, calls, descriptions, region, steps};

/// The codes that an action documents of its own. An error is written as status and code.
fn own(product: &Value, action: &str) -> BTreeSet<String> {
    let errors = product["actions"][action]["errors"].as_array().expect("errors");
    errors.iter().filter_map(Value::as_str).filter_map(|error| error.split(' ').nth(1)).map(str::to_owned).collect()
}

/// Those that any action of the product may answer.
fn common(product: &Value) -> BTreeSet<String> {
    let errors = product["common_errors"].as_array().expect("errors");
    errors.iter().filter_map(|error| error["code"].as_str()).map(str::to_owned).collect()
}

/// Every code that an action in use documents, and those common to all actions.
fn documented() -> BTreeSet<String> {
    let descriptions = descriptions();
    let mut codes = BTreeSet::new();
    for call in calls() {
        let product = &descriptions[call.product.as_str()];
        codes.extend(own(product, call.action));
        codes.extend(common(product));
    }
    codes
}

fn gateway() -> BTreeSet<String> {
    let lines = include_str!("../../data/alibaba-gateway-codes.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_documented_code_has_a_row_and_every_row_a_code() {
    let of_all: Vec<&str> = classify::codes().filter(|(_, actions)| actions.is_empty()).map(|(code, _)| code).collect();
    let distinct: BTreeSet<String> = of_all.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(distinct.len(), of_all.len(), "one row a code for the actions that have none of their own");
    let documented = documented();
    assert!(documented.len() > 90, "{documented:?}");
    assert!(documented.is_disjoint(&gateway()), "the gateway's codes are those that no action documents");
    let known: BTreeSet<String> = documented.union(&gateway()).cloned().collect();
    let without_row: Vec<_> = known.difference(&distinct).collect();
    let without_code: Vec<_> = distinct.difference(&known).collect();
    assert_eq!((without_row, without_code), (vec![], vec![]));
}

#[test]
fn a_row_for_some_actions_stands_beside_one_for_the_others() {
    let sessions = [action::ASSUME.name, action::FEDERATE.name];
    let in_use: BTreeSet<&str> = calls().iter().map(|call| call.action).chain(sessions).collect();
    let of_all: BTreeSet<&str> =
        classify::codes().filter(|(_, actions)| actions.is_empty()).map(|(code, _)| code).collect();
    let mut seen = BTreeSet::new();
    for (code, actions) in classify::codes() {
        for action in actions {
            assert!(in_use.contains(action), "{code}: no step or read calls {action}");
            assert!(of_all.contains(code), "{code} has no row for the other actions");
            assert!(seen.insert((code, *action)), "{code} has two rows for {action}");
            let others = classify::explain("DeleteVpcEndpointService", code, "");
            assert_ne!(classify::explain(action, code, ""), others, "{code} needs no row for {action}");
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}

/// The fields that a reader's object has: a remedy that names another's is none.
#[test]
fn a_remedy_speaks_of_the_readers_own_object() {
    let of_provider = ["spec.resources", "spec.supportedRegions", "spec.payer"];
    let of_consumer = ["spec.zones", "spec.vpcId", "spec.securityGroupIds", "spec.service", "spec.policy"];
    let descriptions = descriptions();
    let product = &descriptions["privatelink"];
    let mut told = 0;
    for step in steps() {
        let call = encode::step(&step, &region(), TOKEN);
        let foreign: &[&str] = match step.object().map(|object| object.sort()).or(step.makes()) {
            Some(Sort::Service) => &of_consumer,
            Some(Sort::Endpoint) => &of_provider,
            None => continue,
        };
        let mut codes = own(product, call.action);
        if matches!(step, Step::CreateEndpoint(_) | Step::CreateService(_) | Step::AttachResource(..)) {
            // The rest of these speak of regions and zones, which only what makes something names.
            codes.extend(common(product));
        }
        for code in codes {
            let text = classify::explain(call.action, &code, "");
            let wrong = foreign.iter().find(|field| text.contains(**field));
            assert_eq!(wrong, None, "{} {code}: {text}", call.action);
            told += 1;
        }
    }
    assert!(told > 200, "{told}");
}

#[test]
fn a_providers_codes_mean_what_is_done_next() {
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
        assert_eq!(classify::meaning("CreateVpcEndpointService", code), meaning, "{code}");
    }
}

/// What the consumer's calls are refused with, what is done next, and what the reader must be told.
#[test]
fn an_endpoints_refusals_mean_what_is_done_next() {
    let must = Meaning::UserMustAct;
    let waiting = Meaning::Waiting;
    let (create, add) = ("CreateVpcEndpoint", "AddZoneToVpcEndpoint");
    let (attach, detach) = ("AttachSecurityGroupToVpcEndpoint", "DetachSecurityGroupFromVpcEndpoint");
    for (action, code, meaning, names) in [
        (create, "EndpointServiceNotAuthorized", waiting(Reason::NotWhitelisted), "the service's owner"),
        (create, "EndpointServiceNotFound", waiting(Reason::WaitingForService), "spec.service"),
        ("DeleteVpcEndpointService", "EndpointServiceNotFound", Meaning::Gone, ""),
        ("GetVpcEndpointServiceAttribute", "EndpointServiceNotFound", Meaning::Gone, ""),
        (create, "EndpointServiceDeleted", must(Reason::ReferenceNotFound), "delete this object"),
        (create, "EndpointServiceNotSupportedZone", waiting(Reason::NoResourceInZone), "spec.zones"),
        (add, "EndpointServiceNotSupportedZone", waiting(Reason::NoResourceInZone), "spec.zones"),
        (
            "AttachResourceToVpcEndpointService",
            "EndpointServiceNotSupportedZone",
            must(Reason::InvalidSpec),
            "spec.resources",
        ),
        (create, "EndpointServiceResourceNotFound", waiting(Reason::NoResourceInZone), "spec.zones"),
        (add, "EndpointServiceResourceNotFound", waiting(Reason::NoResourceInZone), "spec.zones"),
        ("DetachResourceFromVpcEndpointService", "EndpointServiceResourceNotFound", Meaning::Gone, ""),
        (create, "OperationDenied.NoAvailableServiceResource", waiting(Reason::NoResourceInZone), "spec.zones"),
        (add, "UnsupportedZone", must(Reason::InvalidSpec), "spec.zones"),
        (create, "RegionNotFound", must(Reason::InvalidSpec), "spec.service.region"),
        (create, "UnsupportedRegion", must(Reason::InvalidSpec), "spec.service.region"),
        (create, "Mismatch.EndpointType", must(Reason::InvalidSpec), "spec.type"),
        (create, "OperationDenied.EndpointPolicyNotSupport", must(Reason::InvalidSpec), "spec.policy"),
        (
            "UpdateVpcEndpointAttribute",
            "EndpointServiceNotSupportIpv6",
            must(Reason::InvalidSpec),
            "spec.addressFamily",
        ),
        (create, "EndpointDuplicated", must(Reason::OwnershipConflict), "spec.adopt"),
        (create, "EndpointExist", must(Reason::OwnershipConflict), "adopt"),
        (create, "VpcNotFound", must(Reason::ReferenceNotFound), "spec.vpcId"),
        (create, "VpcTunnelNotFound", must(Reason::ReferenceNotFound), "spec.vpcId"),
        (create, "VSwitchNotFound", must(Reason::ReferenceNotFound), "subnetId and zone in spec.zones"),
        (add, "VSwitchNotFound", must(Reason::ReferenceNotFound), "subnetId and zone in spec.zones"),
        ("CreateVpcEndpointService", "VSwitchNotFound", must(Reason::ReferenceNotFound), "spec.resources"),
        (add, "VSwitchStatusNotAllowed", Meaning::InTransition, "spec.zones"),
        (add, "ResourceNotEnough.VSwitchIp", waiting(Reason::QuotaExceeded), "spec.zones"),
        (add, "EniIpUnavailable", must(Reason::InvalidSpec), "ip or ipv6 in spec.zones"),
        (create, "EndpointZoneDuplicated", must(Reason::InvalidSpec), "spec.zones"),
        (add, "EndpointZoneDuplicated", Meaning::Gone, ""),
        ("RemoveZoneFromVpcEndpoint", "EndpointZoneNotFound", Meaning::Gone, ""),
        (add, "VpcNatServiceException", Meaning::Unavailable, ""),
        (create, "SecurityGroupNotFound", must(Reason::ReferenceNotFound), "spec.securityGroupIds"),
        (attach, "SecurityGroupNotFound", must(Reason::ReferenceNotFound), "spec.securityGroupIds"),
        (detach, "SecurityGroupNotFound", Meaning::Gone, ""),
        (attach, "SecurityGroupExist", Meaning::Gone, ""),
        (attach, "SecurityGroupTypeNotSupport", must(Reason::InvalidSpec), "spec.securityGroupIds"),
        (attach, "SecurityGroupTypeOnlySingleTypeSupporteded", must(Reason::InvalidSpec), "spec.securityGroupIds"),
        (attach, "AddSecurityGroupNotSupportWhenHaveNoSg", must(Reason::InvalidSpec), "spec.securityGroupIds"),
        (detach, "EndpointMustContainSecurityGroup", must(Reason::InvalidSpec), "spec.securityGroupIds"),
        (create, "QuotaExceeded.totalEpPerVpc", waiting(Reason::QuotaExceeded), "of the VPC"),
        (create, "QuotaExceeded.totalIdleEndpoint", waiting(Reason::QuotaExceeded), "providers"),
        (create, "QuotaExceeded.epZonePerEndpoint", must(Reason::QuotaExceeded), "spec.zones"),
        (create, "QuotaExceeded.IpQuotaPerEp", must(Reason::QuotaExceeded), "spec.zones"),
        (create, "CheckServiceLinkRoleError", must(Reason::PermissionDenied), "AliyunServiceRoleForPrivatelink"),
        (add, "OperationDenied.EndpointProtected", must(Reason::PermissionDenied), "user or role that made"),
        ("DeleteVpcEndpoint", "EndpointProtected", must(Reason::PermissionDenied), "user or role that made"),
        ("DeleteVpcEndpoint", "EndpointDependenceViolation", waiting(Reason::BlockedByDependents), ""),
        ("DeleteVpcEndpoint", "EndpointNotFound", Meaning::Gone, ""),
        ("GetVpcEndpointAttribute", "EndpointNotFound", Meaning::Gone, ""),
        ("GetVpcEndpointAttribute", "EndpointConnectionNotFound", Meaning::Gone, ""),
        ("DisableVpcEndpointConnection", "EndpointConnectionNotFound", Meaning::Gone, ""),
        ("DeleteVpcEndpoint", "EndpointOperationDenied", Meaning::InTransition, ""),
        (add, "EndpointLocked", Meaning::InTransition, ""),
        (add, "EndpointConnectionOperationDenied", Meaning::InTransition, ""),
    ] {
        assert_eq!(classify::meaning(action, code), meaning, "{action} {code}");
        let text = classify::explain(action, code, "");
        assert!(text.contains(names), "{action} {code}: {text}");
    }
}

/// What a session is refused with, which is never a matter of the objects, and what the administrator must be told.
#[test]
fn a_refused_session_names_what_has_to_be_corrected() {
    let (assume, federate) = (action::ASSUME.name, action::FEDERATE.name);
    let invalid = Meaning::Credentials(Reason::CredentialsInvalid);
    let denied = Meaning::Credentials(Reason::PermissionDenied);
    for (action, code, meaning, names) in [
        (assume, "NoPermission", denied, ["alibaba.assumeRole.arn", "externalId", "trust policy"]),
        (assume, "EntityNotExist.Role", invalid, ["alibaba.assumeRole.arn", "", ""]),
        (assume, "InvalidParameter.ExternalId", invalid, ["alibaba.assumeRole.externalId", "", ""]),
        (assume, "InvalidParameter.RoleArn", invalid, ["alibaba.assumeRole.arn", "acs:ram::", ""]),
        (assume, "InvalidParameter.DurationSeconds", invalid, ["alibaba.assumeRole", "", ""]),
        (assume, "MissingParameter.RoleArn", invalid, ["alibaba.assumeRole", "", ""]),
        (assume, "MissingSecurityToken", invalid, ["spec.credentials", "", ""]),
        (assume, "InvalidAccessKeyId.NotFound", invalid, ["spec.credentials", "", ""]),
        (federate, "NoPermission", denied, ["ALIBABA_CLOUD_ROLE_ARN", "trust policy", "oidc:sub"]),
        (
            federate,
            "EntityNotExist.RoleArn",
            invalid,
            ["ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", ""],
        ),
        (federate, "InvalidParameter.RoleArn", invalid, ["ALIBABA_CLOUD_ROLE_ARN", "", ""]),
        (federate, "InvalidParameter.RoleSessionName", invalid, ["ALIBABA_CLOUD_ROLE_SESSION_NAME", "", ""]),
        (federate, "MissingParameter.OIDCToken", invalid, ["ALIBABA_CLOUD_*", "", ""]),
        (federate, "AuthenticationFail.NoPermission", denied, ["trust policy", "oidc:sub", "ALIBABA_CLOUD_ROLE_ARN"]),
        (federate, "AuthenticationFail.SomethingNew", invalid, ["ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "", ""]),
        (federate, "AuthenticationFail.OIDCToken.Invalid", invalid, ["ALIBABA_CLOUD_OIDC_TOKEN_FILE", "", ""]),
        (federate, "AuthenticationFail.OIDCToken.Expired", invalid, ["ALIBABA_CLOUD_OIDC_TOKEN_FILE", "clocks", ""]),
        (federate, "AuthenticationFail.OIDCToken.AudienceNotMatch", invalid, ["sts.aliyuncs.com", "client id", ""]),
        (federate, "AuthenticationFail.OIDCToken.InvalidSignature", invalid, ["issuer", "", ""]),
        (federate, "AuthenticationFail.OIDCToken.HttpsUrlInvalid", invalid, ["issuer", "", ""]),
        (federate, "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch", invalid, ["fingerprint", "", ""]),
        (assume, "InternalError", Meaning::Unavailable, ["", "", ""]),
        (assume, "Throttling.User", Meaning::Throttled, ["", "", ""]),
        // For all other actions these are matters of the objects.
        ("CreateVpcEndpoint", "NoPermission", Meaning::UserMustAct(Reason::PermissionDenied), ["CloudAccount", "", ""]),
        ("CreateVpcEndpoint", "InvalidParameter.Ip", Meaning::UserMustAct(Reason::InvalidSpec), ["spec", "", ""]),
    ] {
        assert_eq!(classify::meaning(action, code), meaning, "{action} {code}");
        let text = classify::explain(action, code, "");
        assert!(names.iter().all(|name| text.contains(name)), "{action} {code}: {text}");
    }
}

/// What is done about a refusal of what a provider does with principals and connections.
#[test]
fn a_connections_refusals_mean_what_is_done_next() {
    let must = Meaning::UserMustAct;
    let waiting = Meaning::Waiting;
    let (allow, disallow) = ("AddUserToVpcEndpointService", "RemoveUserFromVpcEndpointService");
    let (accept, set) = ("EnableVpcEndpointConnection", "UpdateVpcEndpointConnectionAttribute");
    let (connect, pick) = ("EnableVpcEndpointZoneConnection", "UpdateVpcEndpointZoneConnectionResourceAttribute");
    for (action, code, meaning, names) in [
        (allow, "EndpointServiceNotFound", Meaning::Gone, ""),
        (allow, "MissingParam.UserArn", must(Reason::InvalidSpec), "principal"),
        (disallow, "Mismatch.UserIdAndUserArn", must(Reason::InvalidSpec), "principal"),
        (accept, "EndpointConnectionOperationDenied", Meaning::InTransition, ""),
        (accept, "EndpointConnectionNotFound", Meaning::Gone, ""),
        (accept, "OperationDenied.NoAvailableServiceResource", waiting(Reason::NoResourceInZone), "spec.resources"),
        (connect, "OperationDenied.NoAvailableServiceResource", waiting(Reason::NoResourceInZone), "spec.resources"),
        (accept, "NoPermission", must(Reason::PermissionDenied), "allow EnableVpcEndpointConnection"),
        (set, "UpdateBandWidthUnSupported", must(Reason::UnsupportedByCloud), "connections.bandwidthMbps"),
        (accept, "UpdateBandWidthUnSupported", must(Reason::UnsupportedByCloud), "connections.bandwidthMbps"),
        (
            set,
            "OperationDenied.VpcNatServiceResourceTypeNotSupportBandwidth",
            must(Reason::UnsupportedByCloud),
            "connections.bandwidthMbps",
        ),
        (connect, "IncorrectBusinessStatus.VpcEndpoint", must(Reason::BillingLocked), "every hour"),
        (connect, "IncorrectBusinessStatus.VpcEndpointService", must(Reason::BillingLocked), "every hour"),
        (connect, "IncorrectStatus.VpcEndpointConnection", Meaning::InTransition, ""),
        (connect, "IncorrectStatus.VpcEndpointZone", waiting(Reason::Degraded), "consumer"),
        (connect, "ResourceNotFound.VpcEndpoint", Meaning::Gone, ""),
        (connect, "ResourceNotFound.VpcEndpointConnection", Meaning::Gone, ""),
        (connect, "ResourceNotFound.VpcEndpointService", Meaning::Gone, ""),
        (connect, "ResourceNotFound.VpcEndpointZone", Meaning::Gone, ""),
        (pick, "NoPermission", must(Reason::FeatureNotEnabled), "svc_res_mgt_uat"),
        (pick, "QuotaMisMatched", waiting(Reason::FeatureNotEnabled), "svc_res_mgt_uat"),
        (pick, "ZoneOperationDenied", waiting(Reason::FeatureNotEnabled), "svc_res_mgt_uat"),
        (
            pick,
            "OperationDenied.CurrentResourceAutoAllocated",
            must(Reason::ResourceStillAutoAllocated),
            "autoAllocate",
        ),
        (pick, "OperationDenied.SomethingNew", waiting(Reason::FeatureNotEnabled), "svc_res_mgt_uat"),
        (connect, "OperationDenied.SomethingNew", must(Reason::InvalidSpec), "ask its support"),
        (pick, "EndpointServiceResourceNotFound", waiting(Reason::ReferenceNotFound), "spec.resources"),
        (pick, "EndpointServiceResourceTypeNotSupport", must(Reason::UnsupportedByCloud), "of this type"),
        (pick, "Mismatch.ZoneId", must(Reason::InvalidSpec), "zone"),
        (pick, "IllegalParam.ResourceAllocateMode", Meaning::Unexpected, "report"),
        (pick, "IllegalParam.ResourceReplaceMode", Meaning::Unexpected, "report"),
        (pick, "MissingParam.ResourceId", Meaning::Unexpected, "report"),
        (pick, "MissingParam.ResourceAllocateMode", Meaning::Unexpected, "report"),
    ] {
        assert_eq!(classify::meaning(action, code), meaning, "{action} {code}");
        let text = classify::explain(action, code, "");
        assert!(text.contains(names), "{action} {code}: {text}");
    }
}

#[test]
fn an_explanation_says_what_happened_what_to_do_and_what_the_cloud_said() {
    for (code, actions) in classify::codes() {
        for action in actions.iter().copied().chain(["AttachResourceToVpcEndpointService"]) {
            let text = classify::explain(action, code, "No such thing.");
            assert!(text.ends_with(". The cloud says: No such thing."), "{text}");
            assert!(text.contains(": ") && !text.contains('{') && !text.contains("%s"), "{text}");
            assert!(text.len() <= limit::MESSAGE as usize);
        }
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
