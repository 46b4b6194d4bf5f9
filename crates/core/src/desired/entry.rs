//! A whitelist entry as declared, and the service that it is for.

use std::collections::BTreeSet;

use super::Deletion;
use crate::claims::{self, Say};
use crate::id::{AccountId, EndpointId, Region, ServiceId, VpcId};
use crate::moment::Moment;
use crate::principal::{Principal, Whom};

/// Who picks the load balancer of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// The cloud, where no assignment does.
    Automatic,
    /// An assignment, for every zone, before the connection is accepted.
    Manual,
}

/// Which connections are accepted, and how. Filters decide on nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Who picks load balancers.
    pub allocation: Allocation,
    /// Bandwidth of each, Mbit/s; not compared where unset and never set.
    pub bandwidth_mbps: Option<u32>,
    /// Only these endpoints.
    pub endpoints: Option<BTreeSet<EndpointId>>,
    /// Only endpoints in these VPCs.
    pub vpcs: Option<BTreeSet<VpcId>>,
    /// At most so many.
    pub max: Option<u32>,
}

/// What happens to a principal's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// They are left to others.
    Leave,
    /// They are refused and cut.
    Reject,
    /// They are accepted.
    Accept(Acceptance),
}

/// What happens to live connections when a principal is no longer allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// They are kept.
    KeepConnections,
    /// They are cut.
    Disconnect,
}

/// The service that an entry is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// There is no object of that name; with a sentence that says which.
    Absent(String),
    /// It is not in the cloud yet, as far as its object says; with a sentence that says which.
    Awaited(String),
    /// This one.
    Service(ParentService),
}

/// A service of this cluster that exists in the cloud, as far as its own object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentService {
    /// Its id.
    pub id: ServiceId,
    /// Where it was made: account.
    pub account: AccountId,
    /// Where it was made: region.
    pub region: Region,
    /// Its object is only observed.
    pub observed: bool,
    /// Its object is paused.
    pub paused: bool,
    /// Its object is being deleted.
    pub deleting: bool,
    /// Why its own object does not take the id for its own, where it does not.
    pub disowned: Option<String>,
    /// The uid of its own object, where that adopts the service and no person has approved of it: nothing is taken
    /// away before the service's tags have this uid.
    pub unapproved: Option<String>,
}

/// A whitelist entry as declared.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, said by another")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredEntry {
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
    /// A person has asked for a reconcile that was not handled yet.
    pub asked: bool,
    /// The service.
    pub parent: Parent,
    /// Who is let in.
    pub principal: Principal,
    /// The account lets entries name everybody.
    pub everybody_permitted: bool,
    /// What happens to connections.
    pub policy: Policy,
    /// Until when the principal is let in.
    pub expires_at: Option<Moment>,
    /// What happens to live connections afterwards.
    pub revocation: Revocation,
    /// Whether the principal goes off the list when the object goes.
    pub deletion: Deletion,
}

impl DesiredEntry {
    /// The optional fields that are set and have an effect of their own in the cloud, by their names in the spec.
    #[must_use]
    pub fn declared_fields(&self) -> BTreeSet<String> {
        self.bandwidth_mbps().map(|_| BANDWIDTH.to_owned()).into_iter().collect()
    }

    /// The declared bandwidth of connections, Mbit/s.
    #[must_use]
    pub fn bandwidth_mbps(&self) -> Option<u32> {
        match &self.policy {
            Policy::Accept(acceptance) => acceptance.bandwidth_mbps,
            Policy::Leave | Policy::Reject => None,
        }
    }

    /// Its time is over.
    #[must_use]
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whom the entry names, how far it still has a say, and whether it holds already; what it leaves cut is not
    /// declared.
    #[must_use]
    pub fn claim(&self, holds: bool, now: Moment) -> claims::Entry {
        let say = if !self.paused && self.deleting {
            Say::Leaving
        } else if !self.paused && self.is_expired(now) {
            Say::Ending
        } else {
            Say::Live
        };
        claims::Entry {
            uid: self.uid.clone(),
            name: self.name.clone(),
            created: self.created,
            whom: self.principal.whom(),
            say,
            holds,
            idle: self.idle(now),
            held: BTreeSet::new(),
        }
    }

    /// Why it decides on no connection, where it does not.
    fn idle(&self, now: Moment) -> Option<String> {
        let why = if self.paused {
            "is paused"
        } else if self.deleting && (self.revocation == Revocation::KeepConnections || self.deletion == Deletion::Retain)
        {
            "is being deleted and keeps its connections as they are"
        } else if self.is_expired(now) && self.revocation == Revocation::KeepConnections {
            "has expired and keeps its connections as they are"
        } else if matches!(self.principal.whom(), Whom::Everybody) && !self.everybody_permitted {
            "names everybody, which the CloudAccount does not let it"
        } else if self.policy == Policy::Leave && !(self.deleting || self.is_expired(now)) {
            "leaves its connections to others: set connections.action"
        } else {
            return None;
        };
        Some(why.to_owned())
    }
}

/// The field of the bandwidth, as `status.declaredFields` names it.
pub(crate) const BANDWIDTH: &str = "connections.bandwidthMbps";
