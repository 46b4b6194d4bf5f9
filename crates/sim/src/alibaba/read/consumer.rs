//! What consumers see: their endpoints, the zones and security groups of each.

use serde_json::{Value, json};

use super::shared::{has_tags, tag_filters, tags};
use super::{Failure, Fields, Params, Table, View, all_of, fields, filters, matches, name, one_of, page, time, word};
use crate::world::{Endpoint, Refusal, Variant};

impl View<'_> {
    pub(super) fn endpoint_attribute(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let payer = self.state.services.get(&endpoint.service).map(|service| word::of_payer(service.payer));
        let mut shown = self.endpoint(endpoint);
        shown.extend(fields([("Payer", json!(payer)), ("ZonePrivateIpAddressCount", json!(1))]));
        Ok(shown)
    }

    pub(super) fn endpoints(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let wanted = tag_filters(params);
        let filters = filters(
            params,
            &[
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
            ],
        );
        let own = self.all_endpoints().filter(|endpoint| {
            endpoint.owner == self.actor.account && endpoint.region == self.region && has_tags(&wanted, &endpoint.tags)
        });
        let items = own.filter(|endpoint| matches(&filters, |name| one_of(self, ENDPOINT, endpoint, name)));
        let items = items.map(|endpoint| ((endpoint.id.maker, endpoint.id.number), endpoint)).collect();
        page::of(params, "Endpoints", items, |endpoint| {
            let mut item = self.endpoint(endpoint);
            item.insert("Tags".to_owned(), tags(&endpoint.tags));
            Value::Object(item)
        })
    }

    pub(super) fn endpoint_zones(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let zones = endpoint.zones.iter().map(|(zone, leg)| (name::zone(self.state, *zone).to_owned(), (*zone, leg)));
        page::of(params, "Zones", zones.collect(), |(zone, leg)| {
            // Addresses are shown to the consumer alone, resources to the provider alone.
            Value::Object(fields([
                ("EniId", json!(name::of_interface(endpoint.id, leg.interface))),
                ("EniIp", json!(leg.ip.to_string())),
                ("RegionId", json!(self.region(endpoint.region))),
                ("VSwitchId", json!(self.state.land.switch(leg.switch).map(|switch| &switch.name))),
                ("ZoneDomain", json!(name::zone_domain(self.state, endpoint, zone))),
                ("ZoneId", json!(name::zone(self.state, zone))),
                ("ZoneIpv6Address", json!(leg.ipv6.map(|address| address.to_string()))),
                ("ZoneStatus", json!(word::of_leg_for_consumer(leg, &self.state.variants))),
            ]))
        })
    }

    pub(super) fn endpoint_groups(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let endpoint = self.endpoint_or_refuse(params)?;
        let named = |id| self.state.land.group(id).map(|group| group.name.clone());
        let groups = endpoint.groups.iter().filter_map(|(id, membership)| Some((named(*id)?, (*id, *membership))));
        page::of(
            params,
            "SecurityGroups",
            groups.collect(),
            |(id, membership)| json!({"SecurityGroupId": named(id), "SecurityGroupStatus": word::of_membership(membership)}),
        )
    }

    /// Every attribute of an endpoint that its owner is shown, in lists too.
    pub(crate) fn endpoint(&self, endpoint: &Endpoint) -> Fields {
        all_of(self, ENDPOINT, endpoint)
    }

    /// The endpoint, of the caller or, in some worlds, of whoever is joined to the caller's service.
    fn endpoint_or_refuse(&self, params: &Params<'_>) -> Result<&Endpoint, Failure> {
        let found = self.endpoint_of(name::endpoint(params.need("EndpointId")?));
        let variants = &self.state.variants;
        let own = found.filter(|endpoint| {
            let provider = self.state.services.get(&endpoint.service).map(|service| service.owner);
            let either = endpoint.answers_in(self.region, variants);
            let reads_too = variants.is_on(Variant::ProviderReadsEndpoints) && provider == Some(self.actor.account);
            endpoint.owner == self.actor.account && (endpoint.region == self.region || either)
                || reads_too && (endpoint.service_region == self.region || either)
        });
        own.ok_or_else(|| self.refuse(params, Refusal::NoEndpoint))
    }
}

/// What is shown of an endpoint.
const ENDPOINT: &Table<Endpoint> = &[
    ("AddressIpVersion", |_, endpoint| json!(word::of_ip_version(endpoint.ip_version))),
    ("Bandwidth", |_, endpoint| json!(endpoint.connection.bandwidth_mbps)),
    ("ConnectionStatus", |_, endpoint| json!(word::of_connection(endpoint.connection.status))),
    ("CreateTime", |view, endpoint| time(view.journal.endpoint_created(endpoint.id))),
    ("CrossRegionBandwidth", |_, endpoint| json!(endpoint.cross_region_bandwidth_mbps)),
    ("EndpointBusinessStatus", |view, endpoint| {
        json!(word::of_billing(view.state.accounts.get(&endpoint.owner).is_some_and(|owner| owner.locked)))
    }),
    ("EndpointDescription", |_, endpoint| json!(endpoint.description.as_deref().unwrap_or_default())),
    ("EndpointDomain", |view, endpoint| json!(name::endpoint_domain(view.state, endpoint))),
    ("EndpointId", |_, endpoint| json!(name::of_endpoint(endpoint.id))),
    ("EndpointName", |_, endpoint| json!(endpoint.name.as_deref().unwrap_or_default())),
    ("EndpointStatus", |_, endpoint| json!(word::of_endpoint(endpoint.status))),
    ("EndpointType", |_, endpoint| json!(word::of_endpoint_kind(endpoint.kind))),
    ("PolicyDocument", |_, endpoint| json!(endpoint.policy.as_deref())),
    ("ProtectedEnabled", |_, endpoint| json!(endpoint.protected)),
    ("RegionId", |view, endpoint| json!(view.region(endpoint.region))),
    ("ResourceGroupId", |_, endpoint| json!(&*endpoint.resource_group)),
    ("ResourceOwner", |view, endpoint| {
        let provider = view.state.services.get(&endpoint.service).map(|service| service.owner);
        json!(provider == Some(endpoint.owner))
    }),
    ("ServiceId", |_, endpoint| json!(name::of_service(endpoint.service))),
    ("ServiceName", |view, endpoint| json!(name::service_name(view.region(endpoint.service_region), endpoint.service))),
    ("ServiceRegionId", |view, endpoint| json!(view.region(endpoint.service_region))),
    ("VpcId", |view, endpoint| json!(view.state.land.vpc(endpoint.vpc).map(|vpc| &vpc.name))),
    ("ZoneAffinityEnabled", |_, endpoint| json!(endpoint.zone_affinity)),
];
