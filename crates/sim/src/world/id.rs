//! Small ids: what a client makes is numbered by its maker and kind, so that two runs in which the makers
//! take turns differently still give each thing the same id; what the fixtures made is an index into them.

/// Account number (the UID that the cloud shows).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

macro_rules! fixture_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// An id that nothing has: what a text that names no fixture is turned into.
            pub const NOWHERE: Self = Self(u16::MAX);
        }
    )*};
}

fixture_ids! {
    /// Region, by its place in [`super::Land::regions`].
    RegionId,
    /// Zone, by its place in [`super::Land::zones`].
    ZoneId,
    /// VPC, by its place in [`super::Land::vpcs`].
    VpcId,
    /// vSwitch, by its place in [`super::Land::switches`].
    SwitchId,
    /// Security group, by its place in [`super::Land::groups`].
    GroupId,
    /// Load balancer, by its place in [`super::Land::balancers`].
    BalancerId,
}

macro_rules! made_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// Account that made it.
            pub maker: AccountId,
            /// 1 for the first of its kind that this account made; never used twice.
            pub number: u32,
        }

        impl $name {
            /// An id that nothing has: what a text of the wrong form is turned into.
            pub const NOWHERE: Self = Self { maker: AccountId(0), number: 0 };
        }
    )*};
}

made_ids! {
    /// Endpoint service.
    ServiceId,
    /// Endpoint.
    EndpointId,
}

/// Network interface of an endpoint: numbered within it, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u16);
