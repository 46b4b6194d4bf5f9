//! Reads that belong to no side: tags, regions, zones, whether the product is open.

use serde_json::{Value, json};

use super::{Failure, Fields, Params, View, fields, page};
use crate::alibaba::{decode, name, word};
use crate::world::call::ObjectId;
use crate::world::object::{BalancerKind, Tags};
use crate::world::{Refusal, Service, ServiceId};

impl View<'_> {
    pub(super) fn product_open(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        match self.state.accounts.get(&self.actor.account) {
            Some(account) if account.product_open => Ok(fields([("Success", json!(true))])),
            _ => Err(self.refuse(params, Refusal::ProductNotOpen)),
        }
    }

    pub(super) fn regions(&self) -> Fields {
        let kinds = [BalancerKind::Clb, BalancerKind::Alb, BalancerKind::Nlb, BalancerKind::Gwlb];
        let regions: Vec<Value> = self
            .state
            .land
            .regions
            .iter()
            .map(|region| {
                json!({
                    "RegionId": region.name,
                    "LocalName": region.name,
                    "RegionEndpoint": format!("privatelink.{}.aliyuncs.com", region.name),
                    "ServiceResourceTypes": {"ServiceResourceType": kinds.map(word::of_balancer)},
                })
            })
            .collect();
        fields([("Regions", json!({ "Region": regions }))])
    }

    pub(super) fn zones(&self, _: &Params<'_>) -> Fields {
        let zones = self.state.land.zones.iter().filter(|zone| zone.region == self.region);
        let zones: Vec<Value> = zones.map(|zone| json!({"ZoneId": zone.name, "LocalName": zone.name})).collect();
        fields([("Zones", json!({ "Zone": zones }))])
    }

    pub(super) fn tag_resources(&self, params: &Params<'_>) -> Result<Fields, Failure> {
        let ids = params.list("ResourceId");
        let filters = params.items("Tag");
        if ids.is_empty() && filters.is_empty() {
            let message = "ResourceId.N or Tag.N.Key is needed.";
            return Err(Failure::new(400, "MissingResourceIdOrTagParam", message));
        }
        for filter in &filters {
            filter.need("Key")?;
        }
        let is_service = params.need("ResourceType")?.eq_ignore_ascii_case("vpcendpointservice");
        let kind = if is_service { "vpcendpointservice" } else { "vpcendpoint" };
        let wanted: Vec<ObjectId> = ids.iter().map(|id| decode::object(id, is_service)).collect();
        let filters = tag_filters(params);
        let own = self
            .own_tags(is_service)
            .into_iter()
            .filter(|(object, _, tags)| (wanted.is_empty() || wanted.contains(object)) && has_tags(&filters, tags));
        let items = own.flat_map(|(_, id, tags)| {
            tags.iter().map(move |(key, value)| (format!("{id} {key}"), (id.clone(), key, value)))
        });
        page::of(
            params,
            "TagResources",
            items.collect(),
            |(id, key, value)| json!({"ResourceId": id, "ResourceType": kind, "TagKey": &**key, "TagValue": &**value}),
        )
    }

    pub(super) fn service_or_refuse(&self, params: &Params<'_>, id: ServiceId) -> Result<&Service, Failure> {
        let found = self.service_of(id);
        let own = found.filter(|service| service.owner == self.actor.account && service.region == self.region);
        own.ok_or_else(|| self.refuse(params, Refusal::NoService))
    }

    fn own_tags(&self, services: bool) -> Vec<(ObjectId, String, &Tags)> {
        let (account, region) = (self.actor.account, self.region);
        if services {
            let own = self.all_services().filter(|one| one.owner == account && one.region == region);
            own.map(|one| (ObjectId::Service(one.id), name::of_service(one.id), &one.tags)).collect()
        } else {
            let own = self.all_endpoints().filter(|one| one.owner == account && one.region == region);
            own.map(|one| (ObjectId::Endpoint(one.id), name::of_endpoint(one.id), &one.tags)).collect()
        }
    }
}

/// Key and value of each `Tag` filter of the call; one without a value asks for the key alone.
pub(super) fn tag_filters<'p>(params: &'p Params<'_>) -> Vec<(Option<&'p str>, Option<&'p str>)> {
    params.items("Tag").iter().map(|filter| (filter.text("Key"), filter.text("Value"))).collect()
}

/// Every filter holds.
pub(super) fn has_tags(filters: &[(Option<&str>, Option<&str>)], tags: &Tags) -> bool {
    filters.iter().all(|(key, value)| {
        let held = key.and_then(|key| tags.get(key));
        held.is_some_and(|held| value.is_none_or(|value| value == &**held))
    })
}

/// Tags as lists show them.
pub(super) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": &**key, "Value": &**value})).collect()
}
