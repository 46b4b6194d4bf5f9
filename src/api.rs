//! The five kinds of `privatelink.dev/v1alpha1`, as Rust types from which the CRDs are made.
//!
//! A spec holds exactly what its author wrote: what may be left out is an `Option`, and no value is
//! invented on reading beyond the four defaults that every cloud shares. What the API server can
//! judge alone (formats, unions, immutability, list rules) is refused there, by CEL rules whose
//! messages name the field and say what to write instead; what needs the account's cloud or another
//! object is left to conditions.

pub mod account;
pub mod crd;
pub mod endpoint;
pub mod memory;
pub mod parse;
pub mod service;
pub mod shared;
pub mod whitelist;
pub mod zone;

mod rule;

pub use account::{CloudAccount, CloudAccountSpec, CloudAccountStatus};
pub use endpoint::{Endpoint, EndpointSpec, EndpointStatus};
pub use service::{EndpointService, EndpointServiceSpec, EndpointServiceStatus};
pub use whitelist::{WhitelistEntry, WhitelistEntrySpec, WhitelistEntryStatus};
pub use zone::{ZoneResourceAssignment, ZoneResourceAssignmentSpec, ZoneResourceAssignmentStatus};

/// The API group of all five kinds.
pub const GROUP: &str = "privatelink.dev";
/// The one version of the API that is served.
pub const VERSION: &str = "v1alpha1";
