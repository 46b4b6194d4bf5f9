//! Making an endpoint: all that one call can say.

use crate::condition::{ConditionType, Reason};
use crate::desired::{DesiredEndpoint, Target};
use crate::plan::endpoint::Input;
use crate::plan::{Plan, Truth, creation, say};
use crate::step::{EndpointForm, Step};
use crate::token::endpoint_form_hash;

/// What is done while there is no endpoint.
pub(super) fn plan(input: &Input<'_>) -> Plan {
    match form(input.desired) {
        Ok(form) => {
            let hash = endpoint_form_hash(&form);
            creation::plan(input, Step::CreateEndpoint(form), hash)
        }
        Err(message) => {
            let mut plan = Plan::waiting(Reason::WaitingForService, message);
            let message = "the endpoint does not exist yet";
            plan.sayings.push(say(ConditionType::Provisioned, Truth::False, Reason::WaitingForService, message));
            plan
        }
    }
}

fn form(desired: &DesiredEndpoint) -> Result<EndpointForm, &str> {
    let (service, service_name, service_region) = match &desired.target {
        Target::Known { id, name, region } => (id.clone(), name.clone(), region.clone()),
        Target::Awaited(message) => return Err(message),
    };
    let mut tags = desired.common.tags.clone();
    tags.extend(desired.common.owner.tags());
    Ok(EndpointForm {
        kind: desired.kind,
        service,
        service_name,
        service_region,
        vpc: desired.vpc.clone(),
        zones: desired
            .zones
            .iter()
            .flatten()
            .take(EndpointForm::MAX_ZONES)
            .map(|(at, zone)| (at.clone(), zone.clone()))
            .collect(),
        groups: desired.groups.clone().unwrap_or_default(),
        name: desired.name.clone(),
        description: desired.description.clone(),
        family: desired.family,
        zone_affinity: desired.zone_affinity,
        policy: desired.policy.clone(),
        protected: desired.protected,
        cross_region_bandwidth_mbps: desired.cross_region_bandwidth_mbps,
        resource_group: desired.common.resource_group.clone(),
        tags,
    })
}
