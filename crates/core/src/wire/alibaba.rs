//! Alibaba Cloud: RPC style, signed by ACS3-HMAC-SHA256.

use std::collections::BTreeMap;

pub mod action;
pub mod classify;
mod codes;
pub mod decode;
pub mod encode;
mod fields;
pub mod metadata;
mod refused;
mod session;
pub mod sign;
pub mod sts;

/// Products that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// `PrivateLink`.
    PrivateLink,
    /// Security token service: it knows whose credentials these are.
    Sts,
}

impl Product {
    /// The word that hosts and overrides of endpoints use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrivateLink => "privatelink",
            Self::Sts => "sts",
        }
    }

    /// Version of the product's API that is spoken here.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::PrivateLink => "2020-04-15",
            Self::Sts => "2015-04-01",
        }
    }
}

/// A call before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// Product.
    pub product: Product,
    /// Host: the product's own in the region, unless whoever sends it puts another here, with its port if any.
    pub host: String,
    /// Action.
    pub action: &'static str,
    /// Version of the product's API.
    pub version: &'static str,
    /// Parameters, flattened.
    pub parameters: BTreeMap<String, String>,
    /// Parameters go in a form body instead of the query.
    pub form: bool,
}
