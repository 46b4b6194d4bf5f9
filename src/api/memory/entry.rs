//! An entry's status as the API has it, and as core does.

use privatelink_core::id::{EndpointId, ResourceId, VpcId, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::observed::ZoneLeg;
use privatelink_core::state::Decision;
use privatelink_core::status::{EntryConnection, EntryStatus};

use super::{common, common_status, counts, counts_status, time};
use crate::api::parse::moment;
use crate::api::whitelist::{ConnectionStatus, ConnectionZoneStatus, WhitelistEntryStatus};

/// An entry's status as core has it.
#[must_use]
pub fn remembered(status: &WhitelistEntryStatus) -> EntryStatus {
    EntryStatus {
        common: common(&status.common),
        allowed: status.allowed,
        claim: status.claim.clone(),
        counts: status.connection_counts.map(counts),
        truncated: status.truncated.unwrap_or_default(),
        connections: status.connections.iter().map(connection).collect(),
        held: status.held.iter().map(|id| EndpointId::from(id.as_str())).collect(),
        reconnect: status.reconnect.iter().map(|id| EndpointId::from(id.as_str())).collect(),
    }
}

fn connection(status: &ConnectionStatus) -> EntryConnection {
    EntryConnection {
        endpoint: EndpointId::from(status.endpoint_id.as_str()),
        vpc: status.vpc_id.as_deref().map(VpcId::from),
        state: status.state.clone(),
        bandwidth_mbps: status.bandwidth_mbps,
        since: status.since.as_ref().map_or(Moment::default(), |since| moment(since.0)),
        decision: status.decision.clone().unwrap_or_else(|| Decision::Unknown(String::new())),
        reason: status.reason.clone().unwrap_or_default(),
        zones: status.zones.iter().map(|zone| (Zone::from(zone.zone.as_str()), leg(zone))).collect(),
    }
}

/// A status tells of no interfaces: they are the consumer's.
fn leg(status: &ConnectionZoneStatus) -> ZoneLeg {
    ZoneLeg {
        state: status.state.clone(),
        resource: status.resource_id.as_deref().map(ResourceId::from),
        interface: None,
        replaced_resource: status.replaced_resource_id.as_deref().map(ResourceId::from),
        replaced_interface: None,
    }
}

/// An entry's status as the API has it. Core speaks of all that it holds, so that nothing of the previous one is kept.
#[must_use]
pub fn written(status: &EntryStatus, _previous: Option<&WhitelistEntryStatus>) -> WhitelistEntryStatus {
    WhitelistEntryStatus {
        common: common_status(&status.common),
        allowed: status.allowed,
        claim: status.claim.clone(),
        connection_counts: status.counts.map(counts_status),
        truncated: status.truncated.then_some(true),
        connections: status.connections.iter().map(connection_status).collect(),
        held: status.held.iter().map(ToString::to_string).collect(),
        reconnect: status.reconnect.iter().map(ToString::to_string).collect(),
    }
}

fn connection_status(connection: &EntryConnection) -> ConnectionStatus {
    ConnectionStatus {
        endpoint_id: connection.endpoint.to_string(),
        vpc_id: connection.vpc.as_ref().map(ToString::to_string),
        state: connection.state.clone(),
        bandwidth_mbps: connection.bandwidth_mbps,
        since: Some(time(connection.since)),
        decision: Some(connection.decision.clone()),
        reason: Some(connection.reason.clone()),
        zones: connection.zones.iter().map(|(zone, leg)| zone_status(zone, leg)).collect(),
    }
}

fn zone_status(zone: &Zone, leg: &ZoneLeg) -> ConnectionZoneStatus {
    ConnectionZoneStatus {
        zone: zone.to_string(),
        state: leg.state.clone(),
        resource_id: leg.resource.as_ref().map(ToString::to_string),
        replaced_resource_id: leg.replaced_resource.as_ref().map(ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use privatelink_core::state::ConnectionState;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_the_same_after_being_remembered_and_written() {
        let json = json!({
            "observedGeneration": 4,
            "conditions": [{
                "type": "ConnectionsSettled", "status": "False", "reason": "DisconnectedOutside",
                "message": "ep-2 was cut", "observedGeneration": 4, "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
            "lastHandledReconcileAt": "now",
            "lastError": {"code": "Throttling", "message": "slower", "requestId": "r", "at": "2026-01-02T03:04:05Z"},
            "declaredFields": ["connections.bandwidthMbps"],
            "allowed": true, "claim": "Held",
            "connectionCounts": {"total": 15, "connected": 5, "awaiting": 4, "held": 3, "other": 2},
            "truncated": true,
            "connections": [{
                "endpointId": "ep-1", "vpcId": "vpc-1", "state": "Connected", "bandwidthMbps": 200,
                "since": "2026-01-02T03:04:05Z", "decision": "Kept", "reason": "it stays",
                "zones": [{
                    "zone": "cn-hangzhou-f", "state": "Migrated", "resourceId": "lb-2", "replacedResourceId": "lb-1",
                }],
            }],
            "held": ["ep-2", "ep-3"],
            "reconnect": ["ep-4", "ep-5"],
        });
        let status: WhitelistEntryStatus = serde_json::from_value(json.clone()).expect("a status");
        let memory = remembered(&status);
        assert_eq!(memory.common.conditions.len(), 1);
        assert_eq!(memory.connections[0].since, Moment(1_767_323_045_000));
        assert_eq!(memory.held, ["ep-2".into(), "ep-3".into()].into());
        assert_eq!(memory.reconnect, ["ep-4".into(), "ep-5".into()].into());
        let written = written(&memory, Some(&status));
        assert_eq!(written, status);
        assert_eq!(serde_json::to_value(written).expect("it can be written"), json);
    }

    #[test]
    fn what_a_status_leaves_out_is_no_wish() {
        let status: WhitelistEntryStatus =
            serde_json::from_value(json!({"connections": [{"endpointId": "ep-1", "state": "Sparkling"}]}))
                .expect("a status");
        let memory = remembered(&status);
        let connection = &memory.connections[0];
        assert_eq!(connection.decision, Decision::Unknown(String::new()));
        assert_eq!(connection.state, ConnectionState::Unknown("Sparkling".to_owned()));
        assert_eq!((memory.allowed, memory.claim, memory.counts, memory.truncated), (None, None, None, false));
    }

    #[test]
    fn what_was_before_is_not_kept() {
        let before: WhitelistEntryStatus = serde_json::from_value(json!({
            "allowed": true, "claim": "Held", "truncated": true, "held": ["ep-2"], "reconnect": ["ep-3"],
        }))
        .expect("a status");
        assert_eq!(written(&EntryStatus::default(), Some(&before)), written(&EntryStatus::default(), None));
    }
}
