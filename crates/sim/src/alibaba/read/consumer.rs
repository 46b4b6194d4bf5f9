//! What consumers see: their endpoints, the zones and security groups of each.

use serde_json::{Value, json};

use super::provider::sort_key;
use super::shared::{has_tags, tags};
use super::{Failure, Fields, Params, View, fields, matches, name, page, time, word};
use crate::world::{Endpoint, Refusal};

impl View<'_> {
    pub(super) fn endpoint_attribute(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let payer = self.state.services.get(&endpoint.service).map(|service| word::of_payer(service.payer));
        let mut shown = self.endpoint(endpoint);
        shown.extend(fields([("Payer", json!(payer)), ("ZonePrivateIpAddressCount", json!(1))]));
        Ok(shown)
    }

    pub(super) fn endpoints(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let own = self.state.endpoints.values().filter(|endpoint| {
            endpoint.owner == self.actor.account && endpoint.region == self.region && has_tags(params, &endpoint.tags)
        });
        let filters = [
            "AddressIpVersion",
            "ConnectionStatus",
            "EndpointId",
            "EndpointName",
            "EndpointStatus",
            "EndpointType",
            "ResourceGroupId",
            "ServiceName",
            "ServiceRegionId",
            "VpcId",
        ];
        let mut items = Vec::new();
        for endpoint in own {
            let mut item = self.endpoint(endpoint);
            if matches(params, &item, filters) {
                item.insert("Tags".to_owned(), tags(&endpoint.tags));
                items.push((sort_key(endpoint.id.maker, endpoint.id.number), Value::Object(item)));
            }
        }
        page::of(params, "Endpoints", items)
    }

    pub(super) fn endpoint_zones(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let mut items = Vec::new();
        for (zone, leg) in &endpoint.zones {
            // Addresses are shown to the consumer alone, resources to the provider alone.
            let item = fields([
                ("EniId", json!(name::of_interface(endpoint.id, leg.interface))),
                ("EniIp", json!(leg.ip.to_string())),
                ("RegionId", json!(self.region(endpoint.region))),
                ("VSwitchId", json!(self.state.land.switch(leg.switch).map(|switch| &switch.name))),
                ("ZoneDomain", json!(name::zone_domain(self.state, endpoint, *zone))),
                ("ZoneId", json!(name::zone(self.state, *zone))),
                ("ZoneIpv6Address", json!(leg.ipv6.map(|address| address.to_string()))),
                ("ZoneStatus", json!(word::of_leg_for_consumer(leg, &self.state.variants))),
            ]);
            items.push((name::zone(self.state, *zone).to_owned(), Value::Object(item)));
        }
        page::of(params, "Zones", items)
    }

    pub(super) fn endpoint_groups(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let mut items = Vec::new();
        for (id, membership) in &endpoint.groups {
            let Some(group) = self.state.land.group(*id) else { continue };
            let status = word::of_membership(*membership);
            items.push((group.name.clone(), json!({"SecurityGroupId": group.name, "SecurityGroupStatus": status})));
        }
        page::of(params, "SecurityGroups", items)
    }

    /// Every attribute of an endpoint that its owner is shown, in lists too.
    pub(crate) fn endpoint(&self, endpoint: &Endpoint) -> Fields {
        let locked = self.state.accounts.get(&endpoint.owner).is_some_and(|owner| owner.locked);
        let provider = self.state.services.get(&endpoint.service).map(|service| service.owner);
        fields([
            ("AddressIpVersion", json!(word::of_ip_version(endpoint.ip_version))),
            ("Bandwidth", json!(endpoint.connection.bandwidth_mbps)),
            ("ConnectionStatus", json!(word::of_connection(endpoint.connection.status))),
            ("CreateTime", time(self.journal.endpoint_created(endpoint.id))),
            ("CrossRegionBandwidth", json!(endpoint.cross_region_bandwidth_mbps)),
            ("EndpointBusinessStatus", json!(word::of_billing(locked))),
            ("EndpointDescription", json!(endpoint.description.as_deref().unwrap_or_default())),
            ("EndpointDomain", json!(name::endpoint_domain(self.state, endpoint))),
            ("EndpointId", json!(name::of_endpoint(endpoint.id))),
            ("EndpointName", json!(endpoint.name.as_deref().unwrap_or_default())),
            ("EndpointStatus", json!(word::of_endpoint(endpoint.status))),
            ("EndpointType", json!(word::of_endpoint_kind(endpoint.kind))),
            ("PolicyDocument", json!(endpoint.policy.as_deref())),
            ("ProtectedEnabled", json!(endpoint.protected)),
            ("RegionId", json!(self.region(endpoint.region))),
            ("ResourceGroupId", json!(&*endpoint.resource_group)),
            ("ResourceOwner", json!(provider == Some(endpoint.owner))),
            ("ServiceId", json!(name::of_service(endpoint.service))),
            ("ServiceName", json!(name::service_name(self.region(endpoint.service_region), endpoint.service))),
            ("ServiceRegionId", json!(self.region(endpoint.service_region))),
            ("VpcId", json!(self.state.land.vpc(endpoint.vpc).map(|vpc| &vpc.name))),
            ("ZoneAffinityEnabled", json!(endpoint.zone_affinity)),
        ])
    }

    fn endpoint_or_refuse(&self, params: &Params<'_>) -> Result<&Endpoint, Failure> {
        let found = self.state.endpoints.get(&name::endpoint(params.need("EndpointId")?));
        let own = found.filter(|endpoint| endpoint.owner == self.actor.account && endpoint.region == self.region);
        own.ok_or_else(|| self.refuse(params, Refusal::NoEndpoint))
    }
}
