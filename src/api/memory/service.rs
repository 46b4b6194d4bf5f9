//! A service's status as the API has it, and as core does.

use privatelink_core::id::{AccountId, EndpointId, ResourceId, ServiceId, VpcId, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{Resource, ResourceKey, ResourceKind};
use privatelink_core::state::ResourceState;
use privatelink_core::status::{InFlight, Leaving, ServiceStatus, Unclaimed};

use super::{common, common_status, counts, counts_status, creation, creation_status, time};
use crate::api::parse::moment;
use crate::api::service::{
    BandwidthRange, Deletion, EndpointServiceStatus, Evacuation, LegInFlight, ResourceStatus, UnclaimedConnection,
};

/// A service's status as core has it.
#[must_use]
pub fn remembered(status: &EndpointServiceStatus) -> ServiceStatus {
    ServiceStatus {
        common: common(&status.common),
        creation: creation(&status.creation),
        service_id: status.service_id.as_deref().map(ServiceId::from),
        service_name: status.service_name.clone(),
        service_domain: status.service_domain.clone(),
        state: status.state.clone(),
        cloud_state: status.cloud_state.clone(),
        zones: status.zones.iter().map(|zone| Zone::from(zone.as_str())).collect(),
        bandwidth_mbps: status.bandwidth.map(|range| (range.min, range.max)),
        resources: status.resources.iter().filter_map(resource).collect(),
        counts: status.connection_counts.map(counts),
        unclaimed: status.unclaimed.iter().map(unclaimed).collect(),
        leaving: status.evacuation.iter().filter_map(leaving).collect(),
        blocked_by: status.deletion.as_ref().map(|deletion| {
            (deletion.blocked_by.iter().map(|id| EndpointId::from(id.as_str())).collect(), deletion.total)
        }),
    }
}

fn resource(status: &ResourceStatus) -> Option<(ResourceKey, Resource, ResourceState)> {
    let kinds = [ResourceKind::Clb, ResourceKind::Alb, ResourceKind::Nlb, ResourceKind::Gwlb];
    let key = ResourceKey { id: ResourceId::from(status.id.as_str()), zone: Zone::from(status.zone.as_deref()?) };
    let resource = Resource {
        kind: kinds.into_iter().find(|kind| kind.as_str() == status.resource_type)?,
        auto_allocate: status.auto_allocate.unwrap_or(true),
        connections: status.connections.unwrap_or_default(),
        deprecated_connections: status.deprecated_connections.unwrap_or_default(),
    };
    Some((key, resource, status.state.clone()?))
}

fn unclaimed(status: &UnclaimedConnection) -> Unclaimed {
    Unclaimed {
        endpoint: EndpointId::from(status.endpoint_id.as_str()),
        owner: status.owner.as_deref().map(AccountId::from),
        vpc: status.vpc_id.as_deref().map(VpcId::from),
        state: status.state.clone(),
        since: status.since.as_ref().map_or(Moment::default(), |since| moment(since.0)),
        reason: status.reason.clone().unwrap_or_default(),
    }
}

fn leaving(status: &Evacuation) -> Option<Leaving> {
    let zone = Zone::from(status.zone.as_deref()?);
    let resource = ResourceKey { id: ResourceId::from(status.resource_id.as_str()), zone };
    let in_flight = status.in_flight.iter().map(|leg| InFlight {
        endpoint: EndpointId::from(leg.endpoint_id.as_str()),
        zone: leg.zone.as_deref().map_or_else(|| resource.zone.clone(), Zone::from),
        to: ResourceId::from(leg.to.as_str()),
        migrated_at: leg.migrated_at.as_ref().map(|time| moment(time.0)),
        drain_until: leg.drain_until.as_ref().map(|time| moment(time.0)),
    });
    Some(Leaving {
        remaining: status.remaining,
        moved: status.moved,
        blocked_by: status.blocked_by.clone(),
        in_flight: in_flight.collect(),
        resource,
    })
}

/// A service's status as the API has it. What core does not speak of is kept as `previous` had it.
#[must_use]
pub fn written(status: &ServiceStatus, previous: Option<&EndpointServiceStatus>) -> EndpointServiceStatus {
    EndpointServiceStatus {
        common: common_status(&status.common),
        creation: creation_status(&status.creation),
        service_id: status.service_id.as_ref().map(ToString::to_string),
        service_name: status.service_name.clone(),
        service_domain: status.service_domain.clone(),
        state: status.state.clone(),
        cloud_state: status.cloud_state.clone(),
        zones: status.zones.iter().map(ToString::to_string).collect(),
        bandwidth: status.bandwidth_mbps.map(|(min, max)| BandwidthRange { min, max }),
        resources: status.resources.iter().map(resource_status).collect(),
        connection_counts: status.counts.map(counts_status),
        unclaimed: status.unclaimed.iter().map(unclaimed_status).collect(),
        evacuation: status.leaving.iter().map(evacuation).collect(),
        private_dns_verification: previous.and_then(|previous| previous.private_dns_verification.clone()),
        deletion: status
            .blocked_by
            .as_ref()
            .map(|(ids, total)| Deletion { blocked_by: ids.iter().map(ToString::to_string).collect(), total: *total }),
    }
}

fn resource_status((key, resource, state): &(ResourceKey, Resource, ResourceState)) -> ResourceStatus {
    ResourceStatus {
        id: key.id.to_string(),
        resource_type: resource.kind.as_str().to_owned(),
        zone: Some(key.zone.to_string()),
        auto_allocate: Some(resource.auto_allocate),
        connections: Some(resource.connections),
        deprecated_connections: Some(resource.deprecated_connections),
        state: Some(state.clone()),
    }
}

fn unclaimed_status(unclaimed: &Unclaimed) -> UnclaimedConnection {
    UnclaimedConnection {
        endpoint_id: unclaimed.endpoint.to_string(),
        owner: unclaimed.owner.as_ref().map(ToString::to_string),
        vpc_id: unclaimed.vpc.as_ref().map(ToString::to_string),
        state: unclaimed.state.clone(),
        since: Some(time(unclaimed.since)),
        reason: Some(unclaimed.reason.clone()),
    }
}

fn evacuation(leaving: &Leaving) -> Evacuation {
    let in_flight = leaving.in_flight.iter().map(|leg| LegInFlight {
        endpoint_id: leg.endpoint.to_string(),
        zone: Some(leg.zone.to_string()),
        to: leg.to.to_string(),
        migrated_at: leg.migrated_at.map(time),
        drain_until: leg.drain_until.map(time),
    });
    Evacuation {
        resource_id: leaving.resource.id.to_string(),
        zone: Some(leaving.resource.zone.to_string()),
        remaining: leaving.remaining,
        moved: leaving.moved,
        blocked_by: leaving.blocked_by.clone(),
        in_flight: in_flight.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_is_the_same_after_being_remembered_and_written() {
        let written: EndpointServiceStatus = serde_json::from_value(json!({
            "observedGeneration": 4,
            "conditions": [{
                "type": "Ready", "status": "False", "reason": "Provisioning", "message": "it is being made",
                "observedGeneration": 4, "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
            "lastHandledReconcileAt": "now",
            "lastError": {"code": "Throttling", "message": "slower", "requestId": "r", "at": "2026-01-02T03:04:05Z"},
            "declaredFields": ["description", "tags.team"],
            "accountId": "1", "region": "cn-hangzhou", "incarnation": 2,
            "creating": {"at": "2026-01-02T03:04:05Z", "form": "abc"},
            "serviceId": "epsrv-1", "serviceName": "com.aliyuncs.x", "serviceDomain": "x.example.com",
            "state": "Active", "cloudState": "Active", "zones": ["z"], "bandwidth": {"min": 100, "max": 1024},
            "resources": [{
                "id": "lb-1", "type": "CLB", "zone": "z", "autoAllocate": false, "connections": 3,
                "deprecatedConnections": 1, "state": "Evacuating",
            }],
            "connectionCounts": {"total": 5, "connected": 3, "awaiting": 1, "held": 0, "other": 1},
            "unclaimed": [{
                "endpointId": "ep-1", "owner": "2", "vpcId": "vpc-1", "state": "AwaitingAcceptance",
                "since": "2026-01-02T03:04:05Z", "reason": "nobody names it",
            }],
            "evacuation": [{
                "resourceId": "lb-1", "zone": "z", "remaining": 3, "moved": 2, "blockedBy": ["pin"],
                "inFlight": [{"endpointId": "ep-2", "zone": "z", "to": "lb-2"}],
            }],
            "deletion": {"blockedBy": ["ep-1"], "total": 1},
        }))
        .expect("a status");
        let memory = remembered(&written);
        assert_eq!(memory.resources.len(), 1);
        assert_eq!(super::written(&memory, Some(&written)), written);
    }

    #[test]
    fn a_word_of_another_version_is_made_anew() {
        let written: EndpointServiceStatus = serde_json::from_value(json!({
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Sparkling", "message": "",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
        }))
        .expect("a status");
        assert_eq!(remembered(&written).common.conditions, []);
    }
}
