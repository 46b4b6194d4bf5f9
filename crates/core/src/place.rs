//! Where reads, writes and rates belong: a cloud, an account and a region, whatever objects name them.

use crate::id::{AccountId, Region};

/// A cloud that this project speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Alibaba Cloud.
    Alibaba,
    /// Amazon Web Services.
    Aws,
    /// Tencent Cloud.
    Tencent,
}

impl Cloud {
    /// The word that specs and published documents use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alibaba => "alibaba",
            Self::Aws => "aws",
            Self::Tencent => "tencent",
        }
    }
}

impl std::fmt::Display for Cloud {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// One place: the cloud's own concurrency rules and rates are the account's, in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Cloud.
    pub cloud: Cloud,
    /// Account.
    pub account: AccountId,
    /// Region.
    pub region: Region,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}/{}", self.cloud, self.account, self.region)
    }
}
