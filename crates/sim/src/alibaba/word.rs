//! The wire's words for what the world knows as enums.

use crate::world::object::{
    BalancerKind, ConnectionStatus, ConsumerRegion, EndpointKind, EndpointStatus, IpVersion, LegStatus, Membership,
    Payer, ServiceStatus, TrafficControl,
};
use crate::world::{Leg, Variant, Variants};

macro_rules! words {
    ($($(#[$doc:meta])* $to:ident, $from:ident: $kind:ident { $($word:literal = $value:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $to(value: $kind) -> &'static str {
            match value { $($kind::$value => $word),* }
        }

        /// What the word means, if it is one of them.
        #[must_use]
        pub fn $from(word: &str) -> Option<$kind> {
            match word { $($word => Some($kind::$value),)* _ => None }
        }
    )*};
}

words! {
    /// Kind of load balancer.
    of_balancer, balancer: BalancerKind { "slb" = Clb, "alb" = Alb, "nlb" = Nlb, "gwlb" = Gwlb }
    /// Who pays.
    of_payer, payer: Payer { "Endpoint" = Endpoint, "EndpointService" = Service }
    /// Protocols.
    of_ip_version, ip_version: IpVersion { "IPv4" = V4, "DualStack" = DualStack }
    /// Kind of endpoint.
    of_endpoint_kind, endpoint_kind: EndpointKind {
        "Interface" = Interface, "Reverse" = Reverse, "GatewayLoadBalancer" = GatewayLoadBalancer,
    }
    /// Traffic control.
    of_traffic, traffic: TrafficControl { "Scalability" = Scalability, "BandwidthLimit" = BandwidthLimit }
    /// State of a service.
    of_service, service: ServiceStatus {
        "Creating" = Creating, "Active" = Active, "Pending" = Pending, "Deleting" = Deleting,
    }
    /// State of an endpoint.
    of_endpoint, endpoint: EndpointStatus {
        "Creating" = Creating, "Active" = Active, "Pending" = Pending, "Deleting" = Deleting,
    }
    /// State of a connection.
    of_connection, connection: ConnectionStatus {
        "Disconnected" = Disconnected, "Connecting" = Connecting, "Connected" = Connected, "Pending" = Pending,
        "Disconnecting" = Disconnecting, "Deleting" = Deleting, "ServiceDeleted" = ServiceDeleted,
    }
    /// Standing in a security group.
    of_membership, membership: Membership {
        "Attaching" = Attaching, "Attached" = Attached, "Detaching" = Detaching,
    }
    /// Standing of a service in a consumer region.
    of_consumer_region, consumer_region: ConsumerRegion {
        "Pending" = Pending, "Available" = Available, "Deleting" = Deleting, "Closed" = Closed,
    }
}

/// State of a zone, as its provider is shown it.
#[must_use]
pub fn of_leg_for_provider(leg: &Leg, variants: &Variants) -> &'static str {
    match leg.status {
        LegStatus::Replacing if variants.is_on(Variant::ForceShowsMigrating) => "Migrating",
        LegStatus::Closing if variants.is_on(Variant::CleanUpShowsDisconnecting) => "Disconnecting",
        LegStatus::Creating => "Creating",
        LegStatus::Wait => "Wait",
        LegStatus::Connecting | LegStatus::Replacing => "Connecting",
        LegStatus::Connected => "Connected",
        LegStatus::Migrating => "Migrating",
        LegStatus::Migrated | LegStatus::Closing => "Migrated",
        LegStatus::Disconnecting => "Disconnecting",
        LegStatus::Disconnected => "Disconnected",
        LegStatus::Deleting => "Deleting",
    }
}

/// State of a zone, as its consumer is shown it: its documented words lack the migration's.
#[must_use]
pub fn of_leg_for_consumer(leg: &Leg, variants: &Variants) -> &'static str {
    match of_leg_for_provider(leg, variants) {
        "Migrating" | "Migrated" => "Connected",
        word => word,
    }
}

/// Billing state.
#[must_use]
pub fn of_billing(locked: bool) -> &'static str {
    if locked { "FinancialLocked" } else { "Normal" }
}
