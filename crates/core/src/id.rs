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
    /// A subnet, such as `vsw-…`.
    SubnetId,
    /// A security group, such as `sg-…`.
    GroupId,
}

/// A sort of cloud objects, each of which belongs to one Kubernetes object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// Endpoint services.
    Service,
    /// Endpoints.
    Endpoint,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Service, Self::Endpoint];

    /// What one is called in a message.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Endpoint => "endpoint",
        }
    }

    /// The cloud object of this sort with this id.
    #[must_use]
    pub fn with(self, id: &str) -> CloudId {
        match self {
            Self::Service => CloudId::Service(id.into()),
            Self::Endpoint => CloudId::Endpoint(id.into()),
        }
    }
}

/// A cloud object that belongs to one Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudId {
    /// An endpoint service.
    Service(ServiceId),
    /// An endpoint.
    Endpoint(EndpointId),
}

impl CloudId {
    /// What it is.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Service(_) => Sort::Service,
            Self::Endpoint(_) => Sort::Endpoint,
        }
    }

    /// The id as the cloud writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Service(id) => id.as_str(),
            Self::Endpoint(id) => id.as_str(),
        }
    }
}

impl From<ServiceId> for CloudId {
    fn from(id: ServiceId) -> Self {
        Self::Service(id)
    }
}

impl From<EndpointId> for CloudId {
    fn from(id: EndpointId) -> Self {
        Self::Endpoint(id)
    }
}

impl std::fmt::Display for CloudId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}
