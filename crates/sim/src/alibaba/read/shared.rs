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
        let mut items = Vec::new();
        for (object, id, tags) in self.own_tags(is_service) {
            if !(wanted.is_empty() || wanted.contains(&object)) || !has_tags(params, tags) {
                continue;
            }
            for (key, value) in tags {
                let item = json!({"ResourceId": id, "ResourceType": kind, "TagKey": &**key, "TagValue": &**value});
                items.push((format!("{id} {key}"), item));
            }
        }
        page::of(params, "TagResources", items)
    }

    pub(super) fn service_or_refuse(&self, params: &Params<'_>, id: ServiceId) -> Result<&Service, Failure> {
        let found = self.state.services.get(&id);
        let own = found.filter(|service| service.owner == self.actor.account && service.region == self.region);
        own.ok_or_else(|| self.refuse(params, Refusal::NoService))
    }

    fn own_tags(&self, services: bool) -> Vec<(ObjectId, String, &Tags)> {
        let (account, region) = (self.actor.account, self.region);
        if services {
            let own = self.state.services.values().filter(|one| one.owner == account && one.region == region);
            own.map(|one| (ObjectId::Service(one.id), name::of_service(one.id), &one.tags)).collect()
        } else {
            let own = self.state.endpoints.values().filter(|one| one.owner == account && one.region == region);
            own.map(|one| (ObjectId::Endpoint(one.id), name::of_endpoint(one.id), &one.tags)).collect()
        }
    }
}

/// Every `Tag` filter of the call holds; one without a value asks for the key alone.
pub(super) fn has_tags(params: &Params<'_>, tags: &Tags) -> bool {
    params.items("Tag").iter().all(|filter| {
        let held = filter.text("Key").and_then(|key| tags.get(key));
        held.is_some_and(|held| filter.text("Value").is_none_or(|value| value == &**held))
    })
}

/// Tags as lists show them.
pub(super) fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": &**key, "Value": &**value})).collect()
}
