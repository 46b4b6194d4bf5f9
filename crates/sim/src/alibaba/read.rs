//! The calls that read: what each side of a connection may see, in the vendor's words.

mod consumer;
mod provider;
mod shared;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::gateway::Failure;
use super::params::Params;
use super::{name, page, refuse, word};
use crate::cloud::Cloud;
use crate::journal::Journal;
use crate::world::{Actor, Endpoint, EndpointId, Refusal, RegionId, Service, ServiceId, State, Variant};

/// For how long reads do not show a fresh object, in worlds where they lag behind.
const LAG: SignedDuration = SignedDuration::from_millis(500);

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
    /// What was made after this is not shown; `None`: all is.
    shows_until: Option<Timestamp>,
}

impl<'v> View<'v> {
    /// `state`, the present one or an earlier one, as `cloud` shows it now to `actor`, who asks `region`.
    #[must_use]
    pub fn of(cloud: &'v Cloud, state: &'v State, actor: Actor, region: RegionId) -> Self {
        let lags = state.variants.is_on(Variant::FreshObjectsLag);
        let shows_until = lags.then(|| cloud.clock.now().checked_sub(LAG).unwrap_or(Timestamp::MIN));
        Self { state, journal: &cloud.journal, actor, region, shows_until }
    }
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
    fn service_of(&self, id: ServiceId) -> Option<&Service> {
        self.state.services.get(&id).filter(|service| self.shows_service(service))
    }

    fn endpoint_of(&self, id: EndpointId) -> Option<&Endpoint> {
        self.state.endpoints.get(&id).filter(|endpoint| self.shows_endpoint(endpoint))
    }

    fn all_services(&self) -> impl Iterator<Item = &Service> {
        self.state.services.values().filter(|service| self.shows_service(service))
    }

    fn all_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.state.endpoints.values().filter(|endpoint| self.shows_endpoint(endpoint))
    }

    fn shows_service(&self, service: &Service) -> bool {
        self.shows_until.is_none_or(|until| self.journal.service_created(service.id).is_none_or(|made| made <= until))
    }

    fn shows_endpoint(&self, endpoint: &Endpoint) -> bool {
        self.shows_until.is_none_or(|until| self.journal.endpoint_created(endpoint.id).is_none_or(|made| made <= until))
    }

    fn refuse(&self, params: &Params<'_>, refusal: Refusal) -> Failure {
        refuse::failure(params.action, refusal, &self.state.variants)
    }

    fn region(&self, id: RegionId) -> &str {
        name::region(self.state, id)
    }
}

/// Keeps what has a value.
fn fields<'n>(all: impl IntoIterator<Item = (&'n str, Value)>) -> Fields {
    all.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `2026-01-02T03:04:05Z`, to the second.
fn time(at: Option<Timestamp>) -> Value {
    at.and_then(|at| at.round(jiff::Unit::Second).ok()).map_or(Value::Null, |at| json!(at.to_string()))
}

/// Name and wanted text of each of these filters that the call sets.
fn filters<'p>(params: &'p Params<'_>, names: &[&'static str]) -> Vec<(&'static str, &'p str)> {
    names.iter().filter_map(|name| params.text(name).map(|wanted| (*name, wanted))).collect()
}

/// Every filter equals what `shown` says of the field of its name: no other field is made.
fn matches(filters: &[(&'static str, &str)], shown: impl Fn(&str) -> Value) -> bool {
    filters.iter().all(|(name, wanted)| match shown(name) {
        Value::Bool(shown) => wanted.eq_ignore_ascii_case(&shown.to_string()),
        Value::String(shown) => *wanted == shown,
        Value::Number(shown) => shown.as_u64() == wanted.parse().ok(),
        _ => false,
    })
}

/// What is shown of a thing: each field's name, and how its value is made.
type Table<T> = [(&'static str, fn(&View<'_>, &T) -> Value)];

/// Every field of `thing` that has a value.
fn all_of<T>(view: &View<'_>, table: &Table<T>, thing: &T) -> Fields {
    fields(table.iter().map(|(name, show)| (*name, show(view, thing))))
}

/// One field of `thing`; null where it has none of this name.
fn one_of<T>(view: &View<'_>, table: &Table<T>, thing: &T, name: &str) -> Value {
    table.iter().find(|(other, _)| *other == name).map_or(Value::Null, |(_, show)| show(view, thing))
}
