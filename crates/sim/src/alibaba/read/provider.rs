//! What providers see: their services, the resources and users of each, the connections to them; and what
//! is shown of a service to those who may connect to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shared::{has_tags, tags};
use super::{Failure, Fields, Params, View, fields, matches, name, page, time, word};
use crate::world::object::{BalancerKind, ConsumerRegion, Principal};
use crate::world::{AccountId, BalancerId, Endpoint, Leg, Service, ZoneId, allows};

impl View<'_> {
    pub(super) fn service_attribute(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let mut shown = self.service(service);
        shown.insert("Zones".to_owned(), self.zones_of(service));
        Ok(shown)
    }

    pub(super) fn services(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let own = self.state.services.values().filter(|service| {
            service.owner == self.actor.account
                && service.region == self.region
                && has_tags(params, &service.tags)
                && params.text("ResourceId").is_none_or(|wanted| self.holds(service, wanted))
        });
        let filters = [
            "AddressIpVersion",
            "AutoAcceptEnabled",
            "ResourceGroupId",
            "ServiceBusinessStatus",
            "ServiceId",
            "ServiceName",
            "ServiceResourceType",
            "ServiceStatus",
            "ZoneAffinityEnabled",
        ];
        let mut items = Vec::new();
        for service in own {
            let mut item = self.service(service);
            if matches(params, &item, filters) {
                item.insert("Tags".to_owned(), tags(&service.tags));
                items.push((sort_key(service.id.maker, service.id.number), Value::Object(item)));
            }
        }
        page::of(params, "Services", items)
    }

    pub(super) fn services_by_end_user(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let from = params.text("ServiceRegionId").map_or(self.region, |name| self.state.land.region_named(name));
        let reachable = self.state.services.values().filter(|service| {
            let here = service.region == self.region
                || service.consumer_regions.get(&self.region) == Some(&ConsumerRegion::Available);
            service.region == from && here && allows(service, self.actor.account)
        });
        let mut items = Vec::new();
        for service in reachable {
            let shown = self.service(service);
            let is_kept = |name: &str| BY_END_USER.contains(&name);
            let mut item: Fields = shown.into_iter().filter(|(name, _)| is_kept(name)).collect();
            item.insert("Zones".to_owned(), self.zones_of(service));
            let vendors = self.state.accounts.get(&service.owner).is_some_and(|owner| owner.vendor);
            item.insert("VpcEndpointPolicySupported".to_owned(), json!(vendors));
            let own = service.owner == self.actor.account;
            // Tags and resource groups are the owner's alone.
            if own {
                item.insert("Tags".to_owned(), tags(&service.tags));
            } else {
                item.remove("ResourceGroupId");
            }
            let no_tags = crate::world::object::Tags::new();
            let has_tags = has_tags(params, if own { &service.tags } else { &no_tags });
            if has_tags && matches(params, &item, ["ResourceGroupId", "ServiceId", "ServiceName", "ServiceType"]) {
                items.push((sort_key(service.id.maker, service.id.number), Value::Object(item)));
            }
        }
        page::of(params, "Services", items)
    }

    pub(super) fn service_resources(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let mut items = Vec::new();
        for ((id, zone), resource) in &service.resources {
            let Some(balancer) = self.state.land.balancer(*id) else { continue };
            let load = self.state.load_of(service.id, (*id, *zone));
            let switch =
                self.state.land.switches.iter().find(|switch| switch.vpc == balancer.vpc && switch.zone == *zone);
            let item = fields([
                ("AutoAllocatedEnabled", json!(resource.auto_allocate)),
                ("Ip", json!(balancer.address.to_string())),
                ("RegionId", json!(self.region(service.region))),
                ("RelatedDeprecatedEndpointCount", json!(load.replaced)),
                ("RelatedEndpointCount", json!(load.current)),
                ("ResourceId", json!(balancer.name)),
                ("ResourceSupportIPv6", json!(balancer.ipv6)),
                ("ResourceType", json!(word::of_balancer(balancer.kind))),
                ("VSwitchId", json!(switch.map(|switch| &switch.name))),
                ("VpcId", json!(self.state.land.vpc(balancer.vpc).map(|vpc| &vpc.name))),
                ("ZoneId", json!(name::zone(self.state, *zone))),
            ]);
            items.push((format!("{} {}", balancer.name, name::zone(self.state, *zone)), Value::Object(item)));
        }
        page::of(params, "Resources", items)
    }

    pub(super) fn service_users(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let arns = params.text("UserListType") == Some("UserARNs");
        let wanted: Option<u64> = params.number("UserId")?;
        let listed = service.principals.iter().filter_map(|principal| match principal {
            Principal::Account(account) if !arns && wanted.is_none_or(|wanted| wanted == account.0) => {
                Some((sort_key(*account, 0), json!({ "UserId": account.0 })))
            }
            Principal::Arn(arn) if arns => Some((arn.to_string(), json!({ "UserARN": &**arn }))),
            _ => None,
        });
        page::of(params, if arns { "UserARNs" } else { "Users" }, listed.collect())
    }

    pub(super) fn connections(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let only = match params.text("ServiceId") {
            Some(id) => Some(self.service_or_refuse(params, name::service(id))?.id),
            None => None,
        };
        let filters = ["ConnectionStatus", "EndpointId", "EndpointOwnerId", "ResourceGroupId"];
        let mut items = Vec::new();
        for endpoint in self.state.endpoints.values() {
            let Some(service) = self.state.services.get(&endpoint.service) else { continue };
            let own = service.owner == self.actor.account && service.region == self.region;
            if !own || only.is_some_and(|only| only != service.id) || !self.has_leg(params, endpoint) {
                continue;
            }
            let item = self.connection(service, endpoint);
            if matches(params, &item, filters) {
                items.push((sort_key(endpoint.id.maker, endpoint.id.number), Value::Object(item)));
            }
        }
        page::of(params, "Connections", items)
    }

    /// Every attribute of a service that its owner is shown.
    pub(crate) fn service(&self, service: &Service) -> Fields {
        let range = service.kind.bandwidth_mbps();
        let locked = self.state.accounts.get(&service.owner).is_some_and(|owner| owner.locked);
        let gateway = service.kind == BalancerKind::Gwlb;
        let takes_default = matches!(service.kind, BalancerKind::Clb | BalancerKind::Alb);
        let bandwidth = service.connect_bandwidth_mbps.unwrap_or(BalancerKind::DEFAULT_BANDWIDTH_MBPS);
        let regions: Vec<Value> = service
            .consumer_regions
            .iter()
            .map(|(region, standing)| {
                json!({
                    "RegionBusinessStatus": word::of_billing(locked),
                    "RegionServiceStatus": word::of_consumer_region(*standing),
                    "ServiceRegionId": self.region(service.region),
                    "SupportedRegionId": self.region(*region),
                })
            })
            .collect();
        fields([
            ("AddressIpVersion", json!(word::of_ip_version(service.ip_version))),
            ("AutoAcceptEnabled", json!(service.auto_accept)),
            ("ConnectBandwidth", json!(takes_default.then_some(bandwidth))),
            ("CreateTime", time(self.journal.service_created(service.id))),
            ("MaxBandwidth", json!(range.end())),
            ("MinBandwidth", json!(range.start())),
            ("Payer", json!(word::of_payer(service.payer))),
            ("RegionId", json!(self.region(service.region))),
            ("ResourceGroupId", json!(&*service.resource_group)),
            ("ServiceBusinessStatus", json!(word::of_billing(locked))),
            ("ServiceDescription", json!(service.description.as_deref().unwrap_or_default())),
            ("ServiceDomain", json!(name::service_domain(self.state, service))),
            ("ServiceId", json!(name::of_service(service.id))),
            ("ServiceName", json!(name::of_service_in(self.state, service))),
            ("ServiceResourceType", json!(word::of_balancer(service.kind))),
            ("ServiceStatus", json!(word::of_service(service.status))),
            ("ServiceSupportIPv6", json!(service.support_ipv6)),
            ("ServiceType", json!(if gateway { "GatewayLoadBalancer" } else { "Interface" })),
            ("SupportedRegionSet", Value::Array(regions)),
            ("ZoneAffinityEnabled", json!(service.zone_affinity)),
        ])
    }

    fn connection(&self, service: &Service, endpoint: &Endpoint) -> Fields {
        let zones: Vec<Value> =
            endpoint.zones.iter().map(|(zone, leg)| Value::Object(self.leg(endpoint, *zone, leg))).collect();
        fields([
            ("Bandwidth", json!(endpoint.connection.bandwidth_mbps)),
            ("ConnectionStatus", json!(word::of_connection(endpoint.connection.status))),
            ("EndpointId", json!(name::of_endpoint(endpoint.id))),
            ("EndpointOwnerId", json!(endpoint.owner.0)),
            ("EndpointRegionId", json!(self.region(endpoint.region))),
            ("EndpointVpcId", json!(self.state.land.vpc(endpoint.vpc).map(|vpc| &vpc.name))),
            ("ModifiedTime", time(self.journal.connection_modified(endpoint.id))),
            ("ResourceGroupId", json!(&*endpoint.resource_group)),
            ("ResourceOwner", json!(endpoint.owner == service.owner)),
            ("ServiceId", json!(name::of_service(service.id))),
            ("ServiceRegionId", json!(self.region(service.region))),
            ("TrafficControlMode", json!(word::of_traffic(endpoint.connection.traffic_control))),
            ("Zones", Value::Array(zones)),
        ])
    }

    /// A zone as its provider sees it: with both sides of a migration, without addresses.
    fn leg(&self, endpoint: &Endpoint, zone: ZoneId, leg: &Leg) -> Fields {
        let interface = |id| json!(name::of_interface(endpoint.id, id));
        fields([
            ("EniId", interface(leg.interface)),
            ("ReplacedEniId", leg.replaced.map_or(Value::Null, |side| interface(side.interface))),
            ("ReplacedResourceId", leg.replaced.map_or(Value::Null, |side| self.balancer_name(side.resource))),
            ("ResourceId", leg.resource.map_or(Value::Null, |resource| self.balancer_name(resource))),
            ("VSwitchId", json!(self.state.land.switch(leg.switch).map(|switch| &switch.name))),
            ("ZoneDomain", json!(name::zone_domain(self.state, endpoint, zone))),
            ("ZoneId", json!(name::zone(self.state, zone))),
            ("ZoneStatus", json!(word::of_leg_for_provider(leg, &self.state.variants))),
        ])
    }

    fn balancer_name(&self, id: BalancerId) -> Value {
        json!(self.state.land.balancer(id).map(|balancer| &balancer.name))
    }

    /// The filters on zones hold for at least one zone, each by itself.
    fn has_leg(&self, params: &Params<'_>, endpoint: &Endpoint) -> bool {
        ["EniId", "ResourceId", "ReplacedResourceId"].into_iter().filter(|name| params.text(name).is_some()).all(
            |name| endpoint.zones.iter().any(|(zone, leg)| matches(params, &self.leg(endpoint, *zone, leg), [name])),
        )
    }

    fn holds(&self, service: &Service, balancer: &str) -> bool {
        let wanted = self.state.land.balancer_named(balancer);
        service.resources.keys().any(|(held, _)| *held == wanted)
    }

    fn zones_of(&self, service: &Service) -> Value {
        let zones: BTreeSet<_> = service.resources.keys().map(|(_, zone)| name::zone(self.state, *zone)).collect();
        json!(zones)
    }
}

/// What is shown of a service to those who may connect to it.
const BY_END_USER: &[&str] = &[
    "AddressIpVersion",
    "AutoAcceptEnabled",
    "Payer",
    "ResourceGroupId",
    "ServiceDomain",
    "ServiceId",
    "ServiceName",
    "ServiceResourceType",
    "ServiceSupportIPv6",
    "ServiceType",
    "ZoneAffinityEnabled",
];

/// Text that sorts as the ids do.
pub(super) fn sort_key(maker: AccountId, number: u32) -> String {
    format!("{:020}{number:010}", maker.0)
}
