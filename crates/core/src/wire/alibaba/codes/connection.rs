//! The rows of what a provider does with principals and connections.

use super::{REPORT, Row, WAIT, person, row};
use crate::condition::Reason;
use crate::error::Meaning;

/// The actions that accept a connection or one of its zones.
const ACCEPTING: &[&str] = &["EnableVpcEndpointConnection", "EnableVpcEndpointZoneConnection"];
/// The action that decides which load balancer serves a zone.
const ASSIGNING: &[&str] = &["UpdateVpcEndpointZoneConnectionResourceAttribute"];

const PRINCIPAL: &str = "delete this object and create it again with a principal that the cloud knows";
const BANDWIDTH: &str = "remove connections.bandwidthMbps";
const BILL: &str = "have the bill paid: it is tried again every hour";
const FEATURE: &str = "assign load balancers in the cloud's console, or ask the cloud's support for the quota item \
                       privatelink_whitelist/svc_res_mgt_uat";

/// Codes that only these actions document, and what some codes mean to them.
pub(super) const ROWS: &[Row] = &[
    // Principals.
    row("MissingParam.UserArn", person(Reason::InvalidSpec), "the cloud needs a principal", PRINCIPAL),
    row(
        "Mismatch.UserIdAndUserArn",
        person(Reason::InvalidSpec),
        "the cloud takes the principal for two different ones",
        PRINCIPAL,
    ),
    // Connections and their zones.
    row(
        "OperationDenied.NoAvailableServiceResource",
        Meaning::Waiting(Reason::NoResourceInZone),
        "a zone of the endpoint has no load balancer that takes connections",
        "add one with autoAllocate: true in that zone to spec.resources of the EndpointService",
    )
    .of(ACCEPTING),
    row(
        "UpdateBandWidthUnSupported",
        person(Reason::UnsupportedByCloud),
        "the connections of this service have no bandwidth that could be set",
        BANDWIDTH,
    ),
    row(
        "OperationDenied.VpcNatServiceResourceTypeNotSupportBandwidth",
        person(Reason::UnsupportedByCloud),
        "connections to this type of load balancer have no bandwidth that could be set",
        BANDWIDTH,
    ),
    row(
        "IncorrectBusinessStatus.VpcEndpoint",
        person(Reason::BillingLocked),
        "the endpoint is locked because its account owes money",
        BILL,
    ),
    row(
        "IncorrectBusinessStatus.VpcEndpointService",
        person(Reason::BillingLocked),
        "the service is locked because its account owes money",
        BILL,
    ),
    row(
        "IncorrectStatus.VpcEndpointZone",
        Meaning::Waiting(Reason::Degraded),
        "the zone is in a state in which it can neither be connected nor cut",
        "cut the connection and accept it again, or ask the consumer to make the zone anew",
    ),
    row("ResourceNotFound.VpcEndpoint", Meaning::Gone, "the endpoint does not exist", WAIT),
    row("ResourceNotFound.VpcEndpointConnection", Meaning::Gone, "the connection does not exist", WAIT),
    row("ResourceNotFound.VpcEndpointService", Meaning::Gone, "the service does not exist", WAIT),
    row("ResourceNotFound.VpcEndpointZone", Meaning::Gone, "the connection has no such zone", WAIT),
    // Which load balancer serves a zone. The vendor does not say which code an account gets that may not decide it.
    row(
        "NoPermission",
        person(Reason::FeatureNotEnabled),
        "the account or its credentials may not assign load balancers to zones",
        FEATURE,
    )
    .of(ASSIGNING),
    row(
        "QuotaMisMatched",
        Meaning::Waiting(Reason::FeatureNotEnabled),
        "the account may not assign load balancers to zones",
        FEATURE,
    )
    .of(ASSIGNING),
    row(
        "ZoneOperationDenied",
        Meaning::Waiting(Reason::FeatureNotEnabled),
        "the load balancer of the zone cannot be changed now, or not by this account",
        FEATURE,
    ),
    row(
        "OperationDenied.%s",
        person(Reason::InvalidSpec),
        "the cloud does not do this for what the object declares or for this account",
        "correct what the cloud names, or ask its support",
    ),
    row(
        "OperationDenied.%s",
        Meaning::Waiting(Reason::FeatureNotEnabled),
        "the account may not assign load balancers to zones",
        FEATURE,
    )
    .of(ASSIGNING),
    row(
        "EndpointServiceResourceNotFound",
        Meaning::Waiting(Reason::ReferenceNotFound),
        "the load balancer is not one of the service's",
        "add it to spec.resources of the EndpointService, or name another one",
    )
    .of(ASSIGNING),
    row(
        "EndpointServiceResourceTypeNotSupport",
        person(Reason::UnsupportedByCloud),
        "load balancers of this type cannot be assigned to zones",
        "delete this object: the cloud picks the load balancers of such a service itself",
    )
    .of(ASSIGNING),
    row(
        "OperationDenied.CurrentResourceAutoAllocated",
        person(Reason::ResourceStillAutoAllocated),
        "the load balancer that is to be replaced is still given to new connections",
        "set autoAllocate: false on it in spec.resources of the EndpointService",
    ),
    row(
        "Mismatch.ZoneId",
        person(Reason::InvalidSpec),
        "the load balancer is in another zone than the connection's",
        "name one of that zone",
    ),
    row("IllegalParam.ResourceAllocateMode", Meaning::Unexpected, "the cloud does not know this way to assign", REPORT),
    row("IllegalParam.ResourceReplaceMode", Meaning::Unexpected, "the cloud does not know this way to replace", REPORT),
    row("MissingParam.ResourceId", Meaning::Unexpected, "the cloud needs the id of a load balancer", REPORT),
    row("MissingParam.ResourceAllocateMode", Meaning::Unexpected, "the cloud needs a way to assign", REPORT),
];
