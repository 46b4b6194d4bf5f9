//! An assignment's status as the API has it, and as core does.

use privatelink_core::id::{EndpointId, InterfaceId, ResourceId};
use privatelink_core::status::{AssignmentStatus, Migration, Side};
use privatelink_core::step::MigrationMode;

use super::{common, common_status, time};
use crate::api::parse::moment;
use crate::api::zone::{MigrationRecord, ZoneResourceAssignmentStatus, ZoneSide};

/// An assignment's status as core has it. A migration in a mode that this version does not know is left out.
#[must_use]
pub fn remembered(status: &ZoneResourceAssignmentStatus) -> AssignmentStatus {
    AssignmentStatus {
        common: common(&status.common),
        endpoint: status.endpoint_id.as_deref().map(EndpointId::from),
        state: status.state.clone(),
        claim: status.claim.clone(),
        current: status.current.as_ref().map(side),
        replaced: status.replaced.as_ref().map(side),
        migration: status.migration.as_ref().and_then(migration),
        history: status.history.iter().filter_map(migration).collect(),
    }
}

fn side(status: &ZoneSide) -> Side {
    Side {
        resource: status.resource_id.as_deref().map(ResourceId::from),
        interface: status.interface_id.as_deref().map(InterfaceId::from),
    }
}

fn migration(record: &MigrationRecord) -> Option<Migration> {
    let modes = [MigrationMode::Smooth, MigrationMode::Forced];
    Some(Migration {
        id: record.id.clone(),
        from: ResourceId::from(record.from.as_str()),
        to: ResourceId::from(record.to.as_str()),
        mode: modes.into_iter().find(|mode| mode.as_str() == record.mode)?,
        started_at: moment(record.started_at.0),
        migrated_at: record.migrated_at.as_ref().map(|time| moment(time.0)),
        drain_until: record.drain_until.as_ref().map(|time| moment(time.0)),
        completed_at: record.completed_at.as_ref().map(|time| moment(time.0)),
        outcome: record.outcome.clone(),
        gap_seconds: record.gap_seconds,
    })
}

/// An assignment's status as the API has it.
#[must_use]
pub fn written(status: &AssignmentStatus) -> ZoneResourceAssignmentStatus {
    ZoneResourceAssignmentStatus {
        common: common_status(&status.common),
        endpoint_id: status.endpoint.as_ref().map(ToString::to_string),
        state: status.state.clone(),
        claim: status.claim.clone(),
        current: status.current.as_ref().map(side_status),
        replaced: status.replaced.as_ref().map(side_status),
        migration: status.migration.as_ref().map(record),
        history: status.history.iter().map(record).collect(),
    }
}

fn side_status(side: &Side) -> ZoneSide {
    ZoneSide {
        resource_id: side.resource.as_ref().map(ToString::to_string),
        interface_id: side.interface.as_ref().map(ToString::to_string),
    }
}

fn record(migration: &Migration) -> MigrationRecord {
    MigrationRecord {
        id: migration.id.clone(),
        from: migration.from.to_string(),
        to: migration.to.to_string(),
        mode: migration.mode.as_str().to_owned(),
        started_at: time(migration.started_at),
        migrated_at: migration.migrated_at.map(time),
        drain_until: migration.drain_until.map(time),
        completed_at: migration.completed_at.map(time),
        outcome: migration.outcome.clone(),
        gap_seconds: migration.gap_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_is_the_same_after_being_remembered_and_written() {
        let status: ZoneResourceAssignmentStatus = serde_json::from_value(json!({
            "observedGeneration": 4,
            "conditions": [{
                "type": "Migrated", "status": "False", "reason": "Draining", "message": "until then",
                "observedGeneration": 4, "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
            "endpointId": "ep-1", "state": "Migrated", "claim": "Held",
            "current": {"resourceId": "lb-2", "interfaceId": "eni-2"}, "replaced": {"resourceId": "lb-1"},
            "migration": {
                "id": "lb-1-lb-2-1", "from": "lb-1", "to": "lb-2", "mode": "Smooth",
                "startedAt": "2026-01-02T03:04:05Z", "migratedAt": "2026-01-02T03:05:05Z",
                "drainUntil": "2026-01-02T03:15:05Z",
            },
            "history": [{
                "id": "lb-0-lb-1-1", "from": "lb-0", "to": "lb-1", "mode": "Forced",
                "startedAt": "2026-01-01T03:04:05Z", "completedAt": "2026-01-01T03:04:09Z",
                "outcome": "Succeeded", "gapSeconds": 4,
            }],
        }))
        .expect("a status");
        let memory = remembered(&status);
        assert_eq!((memory.history.len(), memory.migration.is_some()), (1, true));
        assert_eq!(written(&memory), status);
    }
}
