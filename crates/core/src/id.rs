//! Ids as types, so that one cannot be given for another.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as the cloud writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }
    )*};
}

ids! {
    /// An account of a cloud: UID, account id or UIN.
    AccountId,
    /// A region, such as `cn-hangzhou`.
    Region,
    /// An availability zone, such as `cn-hangzhou-f`.
    Zone,
    /// An endpoint service, such as `epsrv-…`.
    ServiceId,
    /// An endpoint, such as `ep-…`.
    EndpointId,
    /// What stands behind a service, such as `lb-…`.
    ResourceId,
    /// A VPC, such as `vpc-…`.
    VpcId,
    /// A network interface, such as `eni-…`.
    InterfaceId,
}
