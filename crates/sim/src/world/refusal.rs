//! Why a call is not carried out, in the world's words; a dialect turns each into the code that its cloud
//! documents for the action.

use super::object::OpenBlock;

/// A precondition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Another call of the same scope is on its way.
    ConcurrentCall,
    /// The client token was used for another call.
    TokenReused,
    /// The account has not opened the product.
    ProductNotOpen,
    /// The product is open already.
    ProductAlreadyOpen,
    /// The account cannot open the product.
    MayNotOpen(OpenBlock),
    /// The account may own no more services.
    TooManyServices,
    /// The account may not pay for its consumers.
    PayerForbidden,
    /// A resource group that does not exist.
    NoResourceGroup,
    /// No such region.
    NoRegion,

    /// No such service for this account in this region.
    NoService,
    /// The service is being deleted.
    ServiceDeleted,
    /// The service is being made or changed.
    ServiceNotActive,
    /// Another change of the service's legs runs.
    ServiceBusy,
    /// The account that pays for the service owes money.
    ServiceLocked,
    /// The service still has a connection that is not cut.
    ServiceHasConnections,
    /// The service still has a resource.
    ServiceHasResources,
    /// The service still has an endpoint.
    ServiceHasEndpoints,
    /// The principal is on the allow-list already.
    PrincipalListed,
    /// The principal is not on the allow-list.
    PrincipalNotListed,
    /// A bandwidth that this kind of service cannot have.
    BandwidthOutOfRange,
    /// This kind of service has no bandwidth to set.
    BandwidthUnsupported,

    /// No such load balancer for this account in this region; `alb`: an ALB was asked for.
    NoBalancer {
        /// An ALB was asked for.
        alb: bool,
    },
    /// A load balancer that PrivateLink does not take.
    BalancerUnsupported,
    /// The kind named is not the kind it is.
    KindMismatch,
    /// Not the kind that the service has.
    KindNotOfService,
    /// A kind whose zone must be named.
    ZoneMissing,
    /// The load balancer is not in that zone.
    ZoneNotServed,
    /// Protocols cannot be taken away again.
    Downgrade,
    /// IPv6 is asked of a load balancer or service without it.
    NoIpv6,
    /// Attached already.
    ResourceAttached,
    /// More resources than the account may attach.
    TooManyResources,
    /// Not attached.
    ResourceNotAttached,
    /// A connection depends on it.
    ResourceInUse,
    /// It is the last that may be picked automatically in its zone while others stay there.
    LastAutoAllocated,

    /// No such endpoint for this account in this region.
    NoEndpoint,
    /// The endpoint is being made, changed or deleted.
    EndpointNotActive,
    /// The account that pays for the endpoint owes money.
    EndpointLocked,
    /// Protected, and the caller did not make it.
    EndpointProtected,
    /// The endpoint still has zones.
    EndpointHasZones,
    /// The consumer is not on the service's allow-list.
    NotAuthorized,
    /// The service takes another kind of endpoint.
    EndpointKindMismatch,
    /// The VPC has an endpoint of that service already.
    EndpointDuplicated,
    /// The VPC may hold no more endpoints.
    TooManyEndpoints,
    /// More zones than one endpoint may have.
    TooManyZones,
    /// Policies exist only on endpoints of the cloud's own services.
    PolicyUnsupported,
    /// Cross-region bandwidth on an endpoint that crosses none.
    NotCrossRegion,
    /// No such VPC for this account in this region.
    NoVpc,
    /// No such vSwitch in the VPC and zone.
    NoSwitch,
    /// The vSwitch is still being made.
    SwitchNotAvailable,
    /// The vSwitch has no free address.
    NoFreeAddress,
    /// The address is taken or not of the vSwitch.
    AddressUnavailable,
    /// The endpoint has that zone.
    ZoneDuplicated,
    /// The service has no resource in that zone.
    ZoneWithoutResource,
    /// No such security group in the VPC.
    NoGroup,
    /// A security group that endpoints may not join.
    GroupUnsupported,
    /// Basic and enterprise security groups together.
    GroupKindsMixed,
    /// A member already.
    GroupJoined,
    /// The last group cannot be left.
    LastGroup,
    /// An endpoint made without groups can never join one.
    NoGroupsEver,
    /// More groups than one endpoint may join.
    TooManyGroups,

    /// No such connection on the service.
    NoConnection,
    /// The connection is being made, changed or cut.
    ConnectionInTransition,
    /// The connection is not in the state that the call needs.
    ConnectionState,
    /// A zone of the endpoint has no resource that could serve it.
    NoAvailableResource,
    /// The endpoint has no such zone.
    NoZone,
    /// The zone is not in the state that the call needs.
    ZoneState,

    /// The account is not allow-listed to choose resources.
    AssignmentNotGranted,
    /// The kind cannot be chosen or replaced.
    KindNotAssignable,
    /// The resource is in another zone.
    ResourceInOtherZone,
    /// The zone is not in a state in which its resource can be chosen or replaced, or has it already.
    ZoneNotReplaceable,
    /// The resource to be replaced may still be picked automatically.
    StillAutoAllocated,

    /// A tag that an object does not have.
    NoTag,
    /// More tags than one object may have.
    TooManyTags,
    /// No such object.
    NoObject,
}
