//! The calls that read: what each side of a connection may see, in the vendor's words.

mod consumer;
mod provider;
mod shared;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::gateway::Failure;
use super::params::Params;
use super::{name, page, refuse, word};
use crate::journal::Journal;
use crate::world::{Actor, Refusal, RegionId, State};

/// What a reading call looks at, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    /// The world.
    pub state: &'v State,
    /// When things were made.
    pub journal: &'v Journal,
    /// Who asks.
    pub actor: Actor,
    /// Region that is asked.
    pub region: RegionId,
}

type Fields = Map<String, Value>;

/// The answer to the reading action `action`; `None`: it is none.
///
/// # Errors
/// The vendor's refusal.
#[must_use]
pub fn answer(view: &View<'_>, action: &str, params: &Params<'_>) -> Option<Result<Fields, Failure>> {
    Some(match action {
        "GetVpcEndpointServiceAttribute" => view.service_attribute(params),
        "ListVpcEndpointServices" => view.services(params),
        "ListVpcEndpointServicesByEndUser" => view.services_by_end_user(params),
        "ListVpcEndpointServiceResources" => view.service_resources(params),
        "ListVpcEndpointServiceUsers" => view.service_users(params),
        "ListVpcEndpointConnections" => view.connections(params),
        "GetVpcEndpointAttribute" => view.endpoint_attribute(params),
        "ListVpcEndpoints" => view.endpoints(params),
        "ListVpcEndpointZones" => view.endpoint_zones(params),
        "ListVpcEndpointSecurityGroups" => view.endpoint_groups(params),
        "ListTagResources" => view.tag_resources(params),
        "DescribeRegions" => Ok(view.regions()),
        "DescribeZones" => Ok(view.zones(params)),
        "CheckProductOpen" => view.product_open(params),
        _ => return None,
    })
}

impl View<'_> {
    fn refuse(&self, params: &Params<'_>, refusal: Refusal) -> Failure {
        refuse::failure(params.action, refusal, &self.state.variants)
    }

    fn region(&self, id: RegionId) -> &str {
        name::region(self.state, id)
    }
}

/// Keeps what has a value.
fn fields<const N: usize>(all: [(&str, Value); N]) -> Fields {
    all.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `2026-01-02T03:04:05Z`, to the second.
fn time(at: Option<Timestamp>) -> Value {
    at.and_then(|at| at.round(jiff::Unit::Second).ok()).map_or(Value::Null, |at| json!(at.to_string()))
}

/// Every filter that is set equals what the item shows.
fn matches<const N: usize>(params: &Params<'_>, item: &Fields, filters: [&str; N]) -> bool {
    filters.into_iter().all(|name| match (params.text(name), item.get(name)) {
        (None, _) => true,
        (Some(wanted), Some(Value::Bool(shown))) => wanted.eq_ignore_ascii_case(&shown.to_string()),
        (Some(wanted), Some(Value::String(shown))) => wanted == shown,
        (Some(wanted), Some(Value::Number(shown))) => shown.as_u64() == wanted.parse().ok(),
        (Some(_), _) => false,
    })
}
