//! The status of an object in words of our own: what the last turn wrote, and what the next one remembers.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::{ConditionType, Reason};
use crate::id::{AccountId, EndpointId, InterfaceId, Region, ResourceId, ServiceId, VpcId, Zone};
use crate::moment::Moment;
use crate::observed::{Interfaces, Resource, ResourceKey, ZoneLeg};
use crate::plan::{Creating, Truth};
use crate::state::{ClaimState, ConnectionState, Decision, LifeState, MigrationOutcome, ResourceState, ZoneState};
use crate::step::MigrationMode;

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Type.
    pub condition: ConditionType,
    /// Whether it holds.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// Message.
    pub message: String,
    /// Generation it speaks of.
    pub generation: i64,
    /// When its truth changed last, in whole seconds.
    pub since: Moment,
}

/// An error as the cloud gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// Code.
    pub code: String,
    /// Message.
    pub message: String,
    /// Request id.
    pub request_id: Option<String>,
    /// When it was first answered, in whole seconds.
    pub at: Moment,
}

/// What every status has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Common {
    /// Generation that the status speaks of.
    pub observed_generation: i64,
    /// Conditions.
    pub conditions: Vec<Condition>,
    /// The reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// The last error.
    pub last_error: Option<LastError>,
    /// Optional fields that were set when the spec was last acted on.
    pub declared_fields: BTreeSet<String>,
}

/// Where something was made for an object, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creation {
    /// Account, pinned before the first write.
    pub account: Option<AccountId>,
    /// Region, pinned before the first write.
    pub region: Option<Region>,
    /// How often it has been made anew.
    pub incarnation: u32,
    /// The create call that may be on its way.
    pub creating: Option<Creating>,
}

impl Creation {
    /// A call that makes something may have left.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.account.is_some() || self.creating.is_some()
    }
}

/// Connections by what they are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub total: u32,
    /// Carry traffic.
    pub connected: u32,
    /// Wait for acceptance.
    pub awaiting: u32,
    /// Cut by someone else's hand and left so.
    pub held: u32,
    /// All others.
    pub other: u32,
}

/// A connection that no entry decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// Endpoint.
    pub endpoint: EndpointId,
    /// Account of the endpoint.
    pub owner: Option<AccountId>,
    /// VPC of the endpoint.
    pub vpc: Option<VpcId>,
    /// State.
    pub state: ConnectionState,
    /// When it was first seen, in whole seconds.
    pub since: Moment,
    /// Why nobody decides.
    pub reason: String,
}

/// A load balancer that connections leave: it was taken off the spec, or has a replaced side that nobody closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Load balancer and zone.
    pub resource: ResourceKey,
    /// Connections that still use it.
    pub remaining: u32,
    /// Connections that were moved away from it.
    pub moved: u32,
    /// Assignments that keep a connection on it, by name.
    pub blocked_by: Vec<String>,
    /// Connections that are moving away from it, or have moved and drain: memory.
    pub in_flight: Vec<InFlight>,
}

/// A zone of a connection that leaves a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Endpoint.
    pub endpoint: EndpointId,
    /// Its zone.
    pub zone: Zone,
    /// Load balancer that it moves to.
    pub to: ResourceId,
    /// When it was seen to have moved, in whole seconds.
    pub migrated_at: Option<Moment>,
    /// Until when its replaced side stays open, in whole seconds; unset where a person has to agree.
    pub drain_until: Option<Moment>,
}

/// The status of an endpoint service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceStatus {
    /// What every status has.
    pub common: Common,
    /// Where it was made, and how.
    pub creation: Creation,
    /// Id.
    pub service_id: Option<ServiceId>,
    /// Full name.
    pub service_name: Option<String>,
    /// Domain.
    pub service_domain: Option<String>,
    /// State.
    pub state: Option<LifeState>,
    /// The cloud's own word for the state.
    pub cloud_state: Option<String>,
    /// Zones with a load balancer.
    pub zones: BTreeSet<Zone>,
    /// Lowest and highest bandwidth of a connection, Mbit/s.
    pub bandwidth_mbps: Option<(u32, u32)>,
    /// Load balancers as the cloud has them, and what is happening to each.
    pub resources: Vec<(ResourceKey, Resource, ResourceState)>,
    /// Connections by what they are doing.
    pub counts: Option<Counts>,
    /// Connections that no entry decides on.
    pub unclaimed: Vec<Unclaimed>,
    /// Load balancers that connections leave.
    pub leaving: Vec<Leaving>,
    /// Endpoints that are in the way of deletion, and how many there are.
    pub blocked_by: Option<(Vec<EndpointId>, u32)>,
}

/// The status of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointStatus {
    /// What every status has.
    pub common: Common,
    /// Where it was made, and how.
    pub creation: Creation,
    /// Id.
    pub endpoint_id: Option<EndpointId>,
    /// Service that it belongs to.
    pub service_id: Option<ServiceId>,
    /// Full name of that service.
    pub service_name: Option<String>,
    /// State, apart from the connection.
    pub state: Option<LifeState>,
    /// The cloud's own word for the state.
    pub cloud_state: Option<String>,
    /// State of the connection.
    pub connection: Option<ConnectionState>,
    /// Domain that answers with its addresses.
    pub domain: Option<String>,
    /// Interfaces as the cloud has them.
    pub zones: Interfaces,
}

/// One connection of a principal, and what was decided on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryConnection {
    /// Endpoint.
    pub endpoint: EndpointId,
    /// VPC of the endpoint.
    pub vpc: Option<VpcId>,
    /// State.
    pub state: ConnectionState,
    /// Bandwidth, Mbit/s.
    pub bandwidth_mbps: Option<u32>,
    /// When it was first seen, in whole seconds.
    pub since: Moment,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Zones.
    pub zones: BTreeMap<Zone, ZoneLeg>,
}

/// The status of a whitelist entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryStatus {
    /// What every status has.
    pub common: Common,
    /// The principal is on the service's list.
    pub allowed: Option<bool>,
    /// Who decides on the principal.
    pub claim: Option<ClaimState>,
    /// Connections by what they are doing.
    pub counts: Option<Counts>,
    /// There are more connections than are listed.
    pub truncated: bool,
    /// Connections, those that are not as declared first; for reading.
    pub connections: Vec<EntryConnection>,
    /// Endpoints whose connection someone else has cut; for reading.
    pub held: BTreeSet<EndpointId>,
    /// Endpoints whose connection was cut before the entry asked for it anew, and which are connected again: memory.
    /// Any other that is found to be cut was cut by someone else's hand.
    pub reconnect: BTreeSet<EndpointId>,
}

/// One side of a zone: a load balancer, and the interface that leads to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Load balancer.
    pub resource: Option<ResourceId>,
    /// Interface.
    pub interface: Option<InterfaceId>,
}

/// One migration of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its id: what an approval names.
    pub id: String,
    /// Load balancer that it leaves.
    pub from: ResourceId,
    /// Load balancer that it moves to.
    pub to: ResourceId,
    /// How.
    pub mode: MigrationMode,
    /// When it was started, in whole seconds; a forced one: when it was first seen to move.
    pub started_at: Moment,
    /// When the zone was seen to have moved, in whole seconds.
    pub migrated_at: Option<Moment>,
    /// Until when the replaced side stays open, in whole seconds; unset where a person has to agree.
    pub drain_until: Option<Moment>,
    /// When it ended, in whole seconds.
    pub completed_at: Option<Moment>,
    /// How it ended.
    pub outcome: Option<MigrationOutcome>,
    /// How long the zone carried no traffic, at most, in seconds.
    pub gap_seconds: Option<u32>,
}

/// The status of an assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignmentStatus {
    /// What every status has.
    pub common: Common,
    /// The endpoint whose zone it is, once it was known: memory.
    pub endpoint: Option<EndpointId>,
    /// State of the zone.
    pub state: Option<ZoneState>,
    /// Who decides on the zone.
    pub claim: Option<ClaimState>,
    /// What serves the zone now.
    pub current: Option<Side>,
    /// What served it before and is still open.
    pub replaced: Option<Side>,
    /// The migration that is open: memory.
    pub migration: Option<Migration>,
    /// Those that have ended, the latest first.
    pub history: Vec<Migration>,
}
