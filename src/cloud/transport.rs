//! The one way to a cloud: HTTP with TLS, bounded in time and size, that follows no redirect.

/// The one client; clones share its connections.
#[derive(Clone)]
pub struct Transport {}
