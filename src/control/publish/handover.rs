//! What is published, key by key. The keys are part of the API.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use privatelink_core::place::Cloud;
use privatelink_core::state::ConnectionState;
use privatelink_core::status::{Creation, EndpointStatus, ServiceStatus};

use crate::api::EndpointServiceSpec;
use crate::api::service::Protocol;

/// What a consumer of a service must know; nothing, before there is a service.
#[must_use]
pub fn of_service(
    cloud: Cloud,
    spec: &EndpointServiceSpec,
    status: &ServiceStatus,
) -> Option<BTreeMap<String, String>> {
    let id = status.service_id.as_ref()?;
    let handover = spec.handover.as_ref();
    let zones: Vec<&str> = status.zones.iter().map(privatelink_core::id::Zone::as_str).collect();
    let mut ports = String::new();
    for port in handover.and_then(|handover| handover.ports.as_ref()).into_iter().flatten() {
        let protocol = match port.protocol {
            Some(Protocol::UDP) => "UDP",
            Some(Protocol::TCP) | None => "TCP",
        };
        writeln!(ports, "{}:{}/{protocol}", port.name, port.port).expect("a String takes all that is written to it");
    }
    let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let mut data = place(cloud, &status.creation);
    data.extend(
        [
            ("serviceId", id.to_string()),
            ("serviceName", of(status.service_name.as_deref())),
            ("serviceDomain", of(status.service_domain.as_deref())),
            ("zones", zones.join(",")),
            ("ports", ports.trim_end().to_owned()),
            ("notes", of(handover.and_then(|handover| handover.notes.as_deref()))),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    Some(data)
}

/// What a user of an endpoint must know; nothing, before there is an endpoint.
#[must_use]
pub fn of_endpoint(cloud: Cloud, status: &EndpointStatus) -> Option<BTreeMap<String, String>> {
    let id = status.endpoint_id.as_ref()?;
    let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let zones: Vec<&str> = status.zones.values().map(|one| one.zone.as_str()).collect();
    let mut data = place(cloud, &status.creation);
    data.extend(
        [
            ("endpointId", id.to_string()),
            ("serviceId", of(status.service_id.as_ref().map(privatelink_core::id::ServiceId::as_str))),
            ("serviceName", of(status.service_name.as_deref())),
            ("domain", of(status.domain.as_deref())),
            ("connection", of(status.connection.as_ref().map(ConnectionState::as_str))),
            ("zones", zones.join(",")),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    for one in status.zones.values() {
        let addresses = [
            ("domain", one.domain.clone()),
            ("ip", one.ip.map(|ip| ip.to_string())),
            ("ipv6", one.ipv6.map(|ip| ip.to_string())),
        ];
        for (what, value) in addresses {
            if let Some(value) = value {
                data.insert(format!("zone.{}.{what}", one.zone), value);
            }
        }
    }
    Some(data)
}

fn place(cloud: Cloud, creation: &Creation) -> BTreeMap<String, String> {
    let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        ("cloud", cloud.as_str().to_owned()),
        ("region", of(creation.region.as_ref().map(privatelink_core::id::Region::as_str))),
        ("accountId", of(creation.account.as_ref().map(privatelink_core::id::AccountId::as_str))),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use privatelink_core::id::{AccountId, EndpointId, Region, ServiceId, Zone};
    use privatelink_core::observed::Interface;
    use privatelink_core::state::ZoneState;
    use serde_json::json;

    fn creation() -> Creation {
        Creation {
            account: Some(AccountId::from("1")),
            region: Some(Region::from("cn-hangzhou")),
            ..Creation::default()
        }
    }

    fn texts<const N: usize>(expected: [(&str, &str); N]) -> BTreeMap<String, String> {
        expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_services_keys_are_those_of_the_api_whether_filled_or_not() {
        let spec: EndpointServiceSpec = serde_json::from_value(json!({
            "handover": {
                "ports": [{"name": "mqtt", "port": 1883}, {"name": "dns", "port": 53, "protocol": "UDP"}],
                "notes": "ask first",
            },
        }))
        .expect("a spec");
        let status = ServiceStatus {
            creation: creation(),
            service_id: Some(ServiceId::from("epsrv-1")),
            service_name: Some("com.example".to_owned()),
            zones: [Zone::from("b"), Zone::from("a")].into(),
            ..ServiceStatus::default()
        };
        let expected = [
            ("accountId", "1"),
            ("cloud", "alibaba"),
            ("notes", "ask first"),
            ("ports", "mqtt:1883/TCP\ndns:53/UDP"),
            ("region", "cn-hangzhou"),
            ("serviceDomain", ""),
            ("serviceId", "epsrv-1"),
            ("serviceName", "com.example"),
            ("zones", "a,b"),
        ];
        assert_eq!(of_service(Cloud::Alibaba, &spec, &status), Some(texts(expected)));
        assert_eq!(of_service(Cloud::Alibaba, &spec, &ServiceStatus::default()), None);
    }

    #[test]
    fn an_endpoints_keys_name_each_zone() {
        let one = Interface {
            zone: Zone::from("cn-hangzhou-f"),
            id: None,
            ip: "10.0.0.9".parse().ok(),
            ipv6: None,
            domain: Some("f.example.com".to_owned()),
            state: ZoneState::Connected,
        };
        let status = EndpointStatus {
            creation: creation(),
            endpoint_id: Some(EndpointId::from("ep-1")),
            connection: Some(ConnectionState::Connected),
            domain: Some("ep-1.example.com".to_owned()),
            zones: [("vsw-1".into(), one)].into(),
            ..EndpointStatus::default()
        };
        let expected = [
            ("accountId", "1"),
            ("cloud", "alibaba"),
            ("connection", "Connected"),
            ("domain", "ep-1.example.com"),
            ("endpointId", "ep-1"),
            ("region", "cn-hangzhou"),
            ("serviceId", ""),
            ("serviceName", ""),
            ("zone.cn-hangzhou-f.domain", "f.example.com"),
            ("zone.cn-hangzhou-f.ip", "10.0.0.9"),
            ("zones", "cn-hangzhou-f"),
        ];
        assert_eq!(of_endpoint(Cloud::Alibaba, &status), Some(texts(expected)));
        assert_eq!(of_endpoint(Cloud::Alibaba, &EndpointStatus::default()), None);
    }
}
