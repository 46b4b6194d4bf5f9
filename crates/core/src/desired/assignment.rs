//! An assignment as declared: which load balancer serves one zone of one connection, and how it moves to another.

use std::time::Duration;

use super::Parent;
use crate::claims;
use crate::id::{EndpointId, ResourceId, Zone};
use crate::moment::Moment;
use crate::step::MigrationMode;

/// The endpoint whose zone is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// This one.
    Known(EndpointId),
    /// There is none in the cloud yet; with a sentence that says which.
    Awaited(String),
    /// The reference leads to no endpoint that may be seen from here; with a sentence that says which.
    Missing(String),
}

/// How a zone moves from one load balancer to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationRules {
    /// With both sides open for a while, or at once.
    pub mode: MigrationMode,
    /// How long the replaced side stays open after a smooth migration.
    pub drain: Duration,
    /// A person must agree before the replaced side is closed.
    pub approval: bool,
}

impl MigrationRules {
    /// How long the replaced side stays open where nothing is said of it.
    pub const DRAIN: Duration = Duration::from_mins(10);
}

impl Default for MigrationRules {
    fn default() -> Self {
        Self { mode: MigrationMode::Smooth, drain: Self::DRAIN, approval: false }
    }
}

/// An assignment as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredAssignment {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Generation of the spec.
    pub generation: i64,
    /// When it was created.
    pub created: Moment,
    /// It is being deleted.
    pub deleting: bool,
    /// Nothing is done, deletion included.
    pub paused: bool,
    /// The id of the migration whose replaced side may be closed now.
    pub drain_approved: Option<String>,
    /// The service.
    pub parent: Parent,
    /// The endpoint.
    pub endpoint: Served,
    /// The zone.
    pub zone: Zone,
    /// The load balancer that is to serve it.
    pub resource: ResourceId,
    /// The zone is to be connected.
    pub connected: bool,
    /// How it moves.
    pub migration: MigrationRules,
}

impl DesiredAssignment {
    /// The endpoint, where it is known.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&EndpointId> {
        match &self.endpoint {
            Served::Known(endpoint) => Some(endpoint),
            Served::Awaited(_) | Served::Missing(_) => None,
        }
    }

    /// The zone of a connection that it speaks of, and whether it decides on it already; none while its endpoint is
    /// not known.
    #[must_use]
    pub fn claim(&self, holds: bool) -> Option<claims::Assignment> {
        Some(claims::Assignment {
            uid: self.uid.clone(),
            name: self.name.clone(),
            created: self.created,
            endpoint: self.endpoint()?.clone(),
            zone: self.zone.clone(),
            resource: self.resource.clone(),
            holds,
            // One that is paused keeps what it holds, also while it waits to be deleted.
            deleting: self.deleting && !self.paused,
        })
    }
}
