//! The states that a status shows, one list of words for all clouds.
//!
//! These lists are open: a status written by a newer version, or a cloud's new word, is kept as
//! read. Decisions must therefore have an arm for `Unknown`, and may never take it for a wish.

use crate::vocabulary::open_vocabulary;

open_vocabulary! {
    /// The state of one connection between an endpoint and a service.
    pub enum ConnectionState {
        AwaitingAcceptance: "The provider has neither accepted nor refused it.";
        Connecting: "It was accepted and is being set up.";
        Connected: "It carries traffic.";
        Modifying: "It is connected, and an attribute is being changed.";
        Disconnecting: "It is being cut.";
        Disconnected: "It was cut, or a cloud that cannot tell calls a refused one so.";
        Rejected: "The provider refused it.";
        Failed: "The cloud could not set it up.";
        Expired: "Nobody accepted it in the time the cloud gives.";
        Deleting: "The consumer deletes the endpoint.";
        ServiceDeleted: "The service is gone; the endpoint leads nowhere.";
    }
}

open_vocabulary! {
    /// The state of one zone of a connection: one leg from an interface to a load balancer.
    pub enum ZoneState {
        Creating: "The interface is being made.";
        Waiting: "The connection has not been accepted yet.";
        Connecting: "The leg is being set up.";
        Connected: "The leg carries traffic.";
        Migrating: "The leg is moving to another load balancer.";
        Migrated: "The leg has moved, and the replaced side is still open.";
        Disconnecting: "The leg is being cut.";
        Disconnected: "The leg is cut.";
        Deleting: "The interface is being removed.";
    }
}

impl ZoneState {
    /// The cloud is changing it, by a word that is known.
    #[must_use]
    pub const fn is_moving(&self) -> bool {
        matches!(self, Self::Creating | Self::Connecting | Self::Migrating | Self::Disconnecting | Self::Deleting)
    }

    /// The zone has not got beyond waiting: nobody has accepted its connection yet, as far as it shows.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        matches!(self, Self::Creating | Self::Waiting)
    }
}

open_vocabulary! {
    /// The state of a service, or of an endpoint apart from its connection.
    pub enum LifeState {
        Creating: "It is being created.";
        Active: "It can be used and changed.";
        Modifying: "The cloud is changing it; writes have to wait.";
        Deleting: "It is being deleted.";
        Failed: "The cloud could not create or change it.";
    }
}

open_vocabulary! {
    /// The state of an endpoint in a security group.
    pub enum GroupState {
        Attaching: "It is joining the group.";
        Attached: "The group's rules hold for it.";
        Detaching: "It is leaving the group.";
    }
}

open_vocabulary! {
    /// The state of a load balancer on a service.
    pub enum ResourceState {
        Attaching: "It is declared and being attached.";
        Attached: "It serves the service.";
        Evacuating: "It was taken off the spec, and connections are leaving it.";
        Detaching: "It is being detached.";
    }
}

open_vocabulary! {
    /// Who decides on a cloud object when several Kubernetes objects speak of it.
    pub enum ClaimState {
        Held: "This object decides.";
        Waiting: "Another object decides; this one takes over when that one goes.";
    }
}

open_vocabulary! {
    /// What a whitelist entry decided on one connection.
    pub enum Decision {
        Accept: "It is accepted, or being accepted.";
        Reject: "It is refused or cut.";
        Leave: "It is left to others.";
        Wait: "It is accepted once what its reason names is there.";
        Held: "It was cut by someone else's hand and is not connected again by itself.";
        Kept: "It no longer matches the filters, and stays because filters never cut.";
    }
}

open_vocabulary! {
    /// The state of the DNS records of an endpoint.
    pub enum DnsState {
        Pending: "The zone or records are being written.";
        InSync: "All declared records are answered by the zone.";
        Conflict: "A record or zone of that name belongs to someone else.";
        Removing: "The records are being removed.";
    }
}

open_vocabulary! {
    /// The state of the proof that a service's private DNS name is its owner's.
    pub enum VerificationState {
        Pending: "The cloud has not seen the record yet.";
        Verified: "The cloud has seen the record.";
        Failed: "The cloud has given up; it must be started again.";
    }
}

open_vocabulary! {
    /// How a migration ended.
    pub enum MigrationOutcome {
        Succeeded: "The zone is served by the new load balancer, and the old side is cleaned up.";
        Aborted: "The connection was cut meanwhile.";
        Failed: "The cloud refused it, or ended it on the old load balancer.";
    }
}

open_vocabulary! {
    /// Whether an account has a feature that clouds enable one account at a time.
    pub enum CapabilityState {
        Available: "A call that needs it was accepted.";
        Unavailable: "A call that needs it was refused for want of it.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_reads_back_as_itself() {
        for state in ConnectionState::KNOWN {
            assert_eq!(&ConnectionState::from(state.as_str()), state);
        }
        for state in ZoneState::KNOWN {
            assert_eq!(&ZoneState::from(state.as_str().to_owned()), state);
        }
    }

    #[test]
    fn the_word_of_a_newer_version_is_kept() {
        let state: ConnectionState = serde_json::from_str("\"Quarantined\"").expect("any word");
        assert_eq!(state, ConnectionState::Unknown("Quarantined".to_owned()));
        assert_eq!(serde_json::to_string(&state).expect("a string"), "\"Quarantined\"");
    }

    #[test]
    fn the_word_unknown_itself_is_an_unknown_state() {
        assert_eq!(ConnectionState::from("Unknown"), ConnectionState::Unknown("Unknown".to_owned()));
    }
}
