//! What providers see: their services, the resources and users of each, the connections to them; and what
//! is shown of a service to those who may connect to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shared::{has_tags, tag_filters, tags};
use super::{Failure, Fields, Params, Table, View, all_of, fields, filters, matches, name, one_of, page, time, word};
use crate::world::object::{BalancerKind, ConsumerRegion, Principal};
use crate::world::{BalancerId, Endpoint, Leg, RegionId, Service, Variant, ZoneId, allows};

impl View<'_> {
    pub(super) fn service_attribute(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let mut shown = self.service(service);
        shown.insert("Zones".to_owned(), self.zones_of(service));
        Ok(shown)
    }

    pub(super) fn services(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let wanted = tag_filters(params);
        let resource = params.text("ResourceId").map(|name| self.state.land.balancer_named(name));
        let filters = filters(
            params,
            &[
                "AddressIpVersion",
                "AutoAcceptEnabled",
                "ResourceGroupId",
                "ServiceBusinessStatus",
                "ServiceId",
                "ServiceName",
                "ServiceResourceType",
                "ServiceStatus",
                "ZoneAffinityEnabled",
            ],
        );
        let own = self.all_services().filter(|service| {
            service.owner == self.actor.account
                && service.region == self.region
                && has_tags(&wanted, &service.tags)
                && resource.is_none_or(|wanted| service.resources.keys().any(|(held, _)| *held == wanted))
        });
        let items = own.filter(|service| matches(&filters, |name| one_of(self, SERVICE, service, name)));
        let items = items.map(|service| ((service.id.maker, service.id.number), service)).collect();
        page::of(params, "Services", items, |service| {
            let mut item = self.service(service);
            item.insert("Tags".to_owned(), tags(&service.tags));
            Value::Object(item)
        })
    }

    pub(super) fn services_by_end_user(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let from = params.text("ServiceRegionId").map_or(self.region, |name| self.state.land.region_named(name));
        let wanted = tag_filters(params);
        let filters = filters(params, &["ResourceGroupId", "ServiceId", "ServiceName", "ServiceType"]);
        let items = self.all_services().filter(|service| {
            let here = service.region == self.region
                || service.consumer_regions.get(&self.region) == Some(&ConsumerRegion::Available);
            // Tags and resource groups are the owner's alone.
            let own = service.owner == self.actor.account;
            let shown = |name: &str| {
                let hidden = name == "ResourceGroupId" && !own;
                if hidden { Value::Null } else { one_of(self, SERVICE, service, name) }
            };
            service.region == from
                && here
                && allows(service, self.actor.account)
                && if own { has_tags(&wanted, &service.tags) } else { wanted.is_empty() }
                && matches(&filters, shown)
        });
        let items = items.map(|service| ((service.id.maker, service.id.number), service)).collect();
        page::of(params, "Services", items, |service| {
            let is_kept = |name: &str| BY_END_USER.contains(&name);
            let shown = SERVICE.iter().filter(|(name, _)| is_kept(name));
            let mut item = fields(shown.map(|(name, show)| (*name, show(self, service))));
            item.insert("Zones".to_owned(), self.zones_of(service));
            let vendors = self.state.accounts.get(&service.owner).is_some_and(|owner| owner.vendor);
            item.insert("VpcEndpointPolicySupported".to_owned(), json!(vendors));
            if service.owner == self.actor.account {
                item.insert("Tags".to_owned(), tags(&service.tags));
            } else {
                item.remove("ResourceGroupId");
            }
            Value::Object(item)
        })
    }

    pub(super) fn service_resources(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let items = service.resources.iter().filter_map(|((id, zone), resource)| {
            let balancer = self.state.land.balancer(*id)?;
            let key = format!("{} {}", balancer.name, name::zone(self.state, *zone));
            Some((key, (balancer, (*id, *zone), resource)))
        });
        page::of(params, "Resources", items.collect(), |(balancer, (id, zone), resource)| {
            let load = self.state.load_of(service.id, (id, zone));
            let switch =
                self.state.land.switches.iter().find(|switch| switch.vpc == balancer.vpc && switch.zone == zone);
            Value::Object(fields([
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
                ("ZoneId", json!(name::zone(self.state, zone))),
            ]))
        })
    }

    pub(super) fn service_users(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let service = self.service_or_refuse(params, name::service(params.need("ServiceId")?))?;
        let wanted: Option<u64> = params.number("UserId")?;
        if params.text("UserListType") == Some("UserARNs") {
            let arns = service.principals.iter().filter_map(|principal| match principal {
                Principal::Arn(arn) => Some((arn.to_string(), arn)),
                Principal::Account(_) => None,
            });
            return page::of(params, "UserARNs", arns.collect(), |arn| json!({ "UserARN": &**arn }));
        }
        let accounts = service.principals.iter().filter_map(|principal| match principal {
            Principal::Account(account) if wanted.is_none_or(|wanted| wanted == account.0) => {
                Some(((*account, 0), account.0))
            }
            _ => None,
        });
        page::of(params, "Users", accounts.collect(), |account| json!({ "UserId": account }))
    }

    pub(super) fn connections(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let either = self.state.variants.is_on(Variant::EitherRegionServes);
        let only = match params.text("ServiceId").map(name::service) {
            // Not here, but perhaps at the other end of its connections.
            Some(id) if either && self.service_of(id).is_some_and(|one| one.owner == self.actor.account) => Some(id),
            Some(id) => Some(self.service_or_refuse(params, id)?.id),
            None => None,
        };
        let filters = filters(params, &["ConnectionStatus", "EndpointId", "EndpointOwnerId", "ResourceGroupId"]);
        let of_legs: Vec<_> = ["EniId", "ResourceId", "ReplacedResourceId"]
            .into_iter()
            .filter_map(|name| params.text(name).map(|wanted| (name, wanted)))
            .collect();
        let named = self.all_endpoints().filter(|endpoint| only.is_none_or(|only| only == endpoint.service));
        let items = named.filter(|endpoint| {
            let here = endpoint.service_region == self.region || endpoint.answers_in(self.region, &self.state.variants);
            let provider = self.state.services.get(&endpoint.service).map(|service| service.owner);
            here && provider == Some(self.actor.account)
                && of_legs.iter().all(|(name, wanted)| self.has_leg(endpoint, name, wanted))
                && matches(&filters, |name| one_of(self, CONNECTION, endpoint, name))
        });
        let items = items.map(|endpoint| ((endpoint.id.maker, endpoint.id.number), endpoint)).collect();
        page::of(params, "Connections", items, |endpoint| Value::Object(all_of(self, CONNECTION, endpoint)))
    }

    /// Every attribute of a service that its owner is shown.
    pub(crate) fn service(&self, service: &Service) -> Fields {
        all_of(self, SERVICE, service)
    }

    /// A zone as its provider sees it: with both sides of a migration, without addresses.
    fn leg(&self, endpoint: &Endpoint, zone: ZoneId, leg: &Leg) -> Fields {
        let interface = |id| json!(name::of_interface(endpoint.id, id));
        fields([
            ("EniId", interface(leg.interface)),
            ("ReplacedEniId", leg.replaced_apart().map_or(Value::Null, |side| interface(side.interface))),
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

    /// At least one zone of the endpoint shows `wanted` in its field `name`.
    fn has_leg(&self, endpoint: &Endpoint, name: &str, wanted: &str) -> bool {
        let is_wanted = |id: Option<BalancerId>| {
            id.and_then(|id| self.state.land.balancer(id)).is_some_and(|balancer| balancer.name == wanted)
        };
        endpoint.zones.values().any(|leg| match name {
            "EniId" => name::of_interface(endpoint.id, leg.interface) == wanted,
            "ResourceId" => is_wanted(leg.resource),
            _ => is_wanted(leg.replaced.map(|side| side.resource)),
        })
    }

    fn is_locked(&self, service: &Service) -> bool {
        self.state.accounts.get(&service.owner).is_some_and(|owner| owner.locked)
    }

    fn zones_of(&self, service: &Service) -> Value {
        let zones: BTreeSet<_> = service.resources.keys().map(|(_, zone)| name::zone(self.state, *zone)).collect();
        json!(zones)
    }
}

/// What is shown of a service to its owner.
const SERVICE: &Table<Service> = &[
    ("AddressIpVersion", |_, service| json!(word::of_ip_version(service.ip_version))),
    ("AutoAcceptEnabled", |_, service| json!(service.auto_accept)),
    ("ConnectBandwidth", |_, service| {
        let takes_default = matches!(service.kind, BalancerKind::Clb | BalancerKind::Alb);
        let bandwidth = service.connect_bandwidth_mbps.unwrap_or(BalancerKind::DEFAULT_BANDWIDTH_MBPS);
        json!(takes_default.then_some(bandwidth))
    }),
    ("CreateTime", |view, service| time(view.journal.service_created(service.id))),
    ("MaxBandwidth", |_, service| json!(service.kind.bandwidth_mbps().end())),
    ("MinBandwidth", |_, service| json!(service.kind.bandwidth_mbps().start())),
    ("Payer", |_, service| json!(word::of_payer(service.payer))),
    ("RegionId", |view, service| json!(view.region(service.region))),
    ("ResourceGroupId", |_, service| json!(&*service.resource_group)),
    ("ServiceBusinessStatus", |view, service| json!(word::of_billing(view.is_locked(service)))),
    ("ServiceDescription", |_, service| json!(service.description.as_deref().unwrap_or_default())),
    ("ServiceDomain", |view, service| json!(name::service_domain(view.state, service))),
    ("ServiceId", |_, service| json!(name::of_service(service.id))),
    ("ServiceName", |view, service| json!(name::of_service_in(view.state, service))),
    ("ServiceResourceType", |_, service| json!(word::of_balancer(service.kind))),
    ("ServiceStatus", |_, service| json!(word::of_service(service.status))),
    ("ServiceSupportIPv6", |_, service| json!(service.support_ipv6)),
    ("ServiceType", |_, service| {
        json!(if service.kind == BalancerKind::Gwlb { "GatewayLoadBalancer" } else { "Interface" })
    }),
    ("SupportedRegionSet", |view, service| {
        let shown = |(region, standing): (&RegionId, &ConsumerRegion)| {
            json!({
                "RegionBusinessStatus": word::of_billing(view.is_locked(service)),
                "RegionServiceStatus": word::of_consumer_region(*standing),
                "ServiceRegionId": view.region(service.region),
                "SupportedRegionId": view.region(*region),
            })
        };
        service.consumer_regions.iter().map(shown).collect()
    }),
    ("ZoneAffinityEnabled", |_, service| json!(service.zone_affinity)),
];

/// What is shown of an endpoint's connection to the provider.
const CONNECTION: &Table<Endpoint> = &[
    ("Bandwidth", |_, endpoint| json!(endpoint.connection.bandwidth_mbps)),
    ("ConnectionStatus", |_, endpoint| json!(word::of_connection(endpoint.connection.status))),
    ("EndpointId", |_, endpoint| json!(name::of_endpoint(endpoint.id))),
    ("EndpointOwnerId", |_, endpoint| json!(endpoint.owner.0)),
    ("EndpointRegionId", |view, endpoint| json!(view.region(endpoint.region))),
    ("EndpointVpcId", |view, endpoint| json!(view.state.land.vpc(endpoint.vpc).map(|vpc| &vpc.name))),
    ("ModifiedTime", |view, endpoint| time(view.journal.connection_modified(endpoint.id))),
    ("ResourceGroupId", |_, endpoint| json!(&*endpoint.resource_group)),
    ("ResourceOwner", |view, endpoint| {
        let provider = view.state.services.get(&endpoint.service).map(|service| service.owner);
        json!(provider == Some(endpoint.owner))
    }),
    ("ServiceId", |_, endpoint| json!(name::of_service(endpoint.service))),
    ("ServiceRegionId", |view, endpoint| json!(view.region(endpoint.service_region))),
    ("TrafficControlMode", |_, endpoint| json!(word::of_traffic(endpoint.connection.traffic_control))),
    ("Zones", |view, endpoint| {
        endpoint.zones.iter().map(|(zone, leg)| Value::Object(view.leg(endpoint, *zone, leg))).collect()
    }),
];

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
