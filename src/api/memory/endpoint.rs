//! An endpoint's status as the API has it, and as core does.

use privatelink_core::id::{EndpointId, InterfaceId, ServiceId, SubnetId, Zone};
use privatelink_core::observed::Interface;
use privatelink_core::state::ZoneState;
use privatelink_core::status;

use super::{common, common_status, creation, creation_status};
use crate::api::endpoint::{EndpointStatus, EndpointZoneStatus};

/// An endpoint's status as core has it.
#[must_use]
pub fn remembered(status: &EndpointStatus) -> status::EndpointStatus {
    status::EndpointStatus {
        common: common(&status.common),
        creation: creation(&status.creation),
        endpoint_id: status.endpoint_id.as_deref().map(EndpointId::from),
        service_id: status.service_id.as_deref().map(ServiceId::from),
        service_name: status.service_name.clone(),
        state: status.state.clone(),
        cloud_state: status.cloud_state.clone(),
        connection: status.connection.clone(),
        domain: status.domain.clone(),
        zones: status
            .zones
            .iter()
            .filter_map(|zone| Some((SubnetId::from(&*zone.subnet_id), interface(zone)?)))
            .collect(),
    }
}

fn interface(status: &EndpointZoneStatus) -> Option<Interface> {
    Some(Interface {
        zone: Zone::from(status.zone.as_deref()?),
        id: status.interface_id.as_deref().map(InterfaceId::from),
        ip: status.ip.as_ref().and_then(|ip| ip.parse().ok()),
        ipv6: status.ipv6.as_ref().and_then(|ip| ip.parse().ok()),
        domain: status.domain.clone(),
        state: status.state.clone().unwrap_or_else(|| ZoneState::Unknown(String::new())),
    })
}

/// An endpoint's status as the API has it. What core does not speak of is kept as `previous` had it.
#[must_use]
pub fn written(status: &status::EndpointStatus, previous: Option<&EndpointStatus>) -> EndpointStatus {
    EndpointStatus {
        common: common_status(&status.common),
        creation: creation_status(&status.creation),
        endpoint_id: status.endpoint_id.as_ref().map(ToString::to_string),
        service_id: status.service_id.as_ref().map(ToString::to_string),
        service_name: status.service_name.clone(),
        state: status.state.clone(),
        cloud_state: status.cloud_state.clone(),
        connection: status.connection.clone(),
        domain: status.domain.clone(),
        zones: status.zones.iter().map(|(subnet, one)| zone(subnet, one)).collect(),
        dns: previous.and_then(|previous| previous.dns.clone()),
    }
}

fn zone(subnet: &SubnetId, one: &Interface) -> EndpointZoneStatus {
    EndpointZoneStatus {
        subnet_id: subnet.to_string(),
        zone: Some(one.zone.to_string()),
        interface_id: one.id.as_ref().map(ToString::to_string),
        ip: one.ip.map(|ip| ip.to_string()),
        ipv6: one.ipv6.map(|ip| ip.to_string()),
        domain: one.domain.clone(),
        state: Some(one.state.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_is_the_same_after_being_remembered_and_written() {
        let status: EndpointStatus = serde_json::from_value(json!({
            "observedGeneration": 4,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Degraded", "message": "one zone is down",
                "observedGeneration": 4, "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
            "declaredFields": ["description"],
            "accountId": "1", "region": "cn-hangzhou",
            "endpointId": "ep-1", "serviceId": "epsrv-1", "serviceName": "com.aliyuncs.x",
            "state": "Active", "cloudState": "Active", "connection": "Connected", "domain": "ep-1.example.com",
            "zones": [{
                "subnetId": "vsw-1", "zone": "cn-hangzhou-f", "interfaceId": "eni-1", "ip": "10.0.0.9",
                "ipv6": "2001:db8::9", "domain": "f.example.com", "state": "Connected",
            }],
            "dns": {"zoneId": "Z1", "state": "InSync"},
        }))
        .expect("a status");
        let memory = remembered(&status);
        assert_eq!(memory.zones.len(), 1);
        assert_eq!(written(&memory, Some(&status)), status);
    }
}
