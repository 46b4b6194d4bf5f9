//! Making a service: all that one call can say.

use std::collections::BTreeSet;

use crate::desired::DesiredService;
use crate::plan::service::Input;
use crate::plan::{Plan, creation};
use crate::step::{ServiceForm, Step};
use crate::token::service_form_hash;

/// What is done while there is no service.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    let form = form(input.desired);
    let hash = service_form_hash(&form);
    creation::plan(input, Step::CreateService(form), hash)
}

/// The form of the create call: all that one call can say.
fn form(desired: &DesiredService) -> ServiceForm {
    let resources: BTreeSet<_> = desired.resources.keys().take(ServiceForm::MAX_RESOURCES).cloned().collect();
    let mut tags = desired.common.tags.clone();
    tags.extend(desired.common.owner.tags());
    ServiceForm {
        kind: desired.kind,
        resources,
        description: desired.description.clone(),
        auto_accept: desired.auto_accept,
        payer: desired.payer,
        zone_affinity: desired.zone_affinity,
        family: desired.family,
        regions: desired.regions.clone().unwrap_or_default(),
        resource_group: desired.common.resource_group.clone(),
        tags,
    }
}
