//! Making a service: first it is written down what is about to be made, then it is made, and whoever repeats
//! the call repeats its token.

use std::collections::BTreeSet;

use crate::condition::{ConditionType, Reason};
use crate::desired::DesiredService;
use crate::error::Meaning;
use crate::plan::service::identity::creates_over;
use crate::plan::service::{Input, attempt, stale};
use crate::plan::{Creating, Next, Pin, Plan, Saying, Truth, ready, say};
use crate::read::FacetKey;
use crate::step::{ServiceForm, Step};
use crate::token::{create_token, form_hash};

/// What is done while there is no service.
pub(crate) fn plan(input: &Input<'_>) -> Plan {
    let form = form(input.desired);
    let hash = form_hash(&form);
    // A lost id that may be replaced is still in the status: the next incarnation begins.
    let incarnation = input.status.incarnation + u32::from(input.status.service_id.is_some());
    let same_life = input.status.service_id.is_none();
    match input.status.creating.as_ref().filter(|_| same_life) {
        None => pin(input, incarnation, hash),
        Some(creating) if creating.form == hash => make(input, form, creating),
        Some(creating) => {
            // The spec was edited while a create call of the old form may have been on its way.
            let over = creates_over(input, creating.at);
            if input.now < over {
                return Plan { next: Next::At(over), ..Plan::saying(Next::Settled, provisioning()) };
            }
            let looks = stale(input, &[FacetKey::Services], over);
            if looks.is_empty() { pin(input, incarnation, hash) } else { Plan::looking(looks) }
        }
    }
}

fn make(input: &Input<'_>, form: ServiceForm, creating: &Creating) -> Plan {
    let step = Step::CreateService(form);
    let owner = &input.desired.owner;
    let incarnation = input.status.incarnation;
    let refused = input.tries.refusal(&step, input.desired.generation, input.now);
    if let Some(refused) = refused.filter(|refused| refused.failure.meaning == Meaning::TokenReused) {
        // The token belongs to another form, which was sent and forgotten: what it made is found by tag.
        let looks = stale(input, &[FacetKey::Services], refused.at);
        return if looks.is_empty() {
            pin(input, incarnation + 1, creating.form.clone())
        } else {
            Plan::looking(looks)
        };
    }
    let token = create_token(&owner.kind, &owner.uid, incarnation, &creating.form);
    attempt(input, step, Some(token), provisioning(), "the service is being created")
}

fn pin(input: &Input<'_>, incarnation: u32, form: String) -> Plan {
    let place = input.place;
    let creating = Some(Creating { at: input.now.whole_second(), form });
    let pin = Pin { account: place.account.clone(), region: place.region.clone(), incarnation, creating };
    let reconciling =
        say(ConditionType::Reconciling, Truth::True, Reason::Provisioning, "the service is being created");
    let mut sayings = provisioning();
    sayings.push(reconciling);
    Plan { pin: Some(pin), ..Plan::saying(Next::Moving { since: None }, sayings) }
}

fn provisioning() -> Vec<Saying> {
    let message = "the service does not exist yet";
    vec![
        ready(Truth::False, Reason::Provisioning, message),
        say(ConditionType::Provisioned, Truth::False, Reason::Provisioning, message),
    ]
}

/// The form of the create call: all that one call can say.
fn form(desired: &DesiredService) -> ServiceForm {
    let resources: BTreeSet<_> = desired.resources.keys().take(ServiceForm::MAX_RESOURCES).cloned().collect();
    let mut tags = desired.tags.clone();
    tags.extend(desired.owner.tags());
    ServiceForm {
        kind: desired.kind,
        resources,
        description: desired.description.clone(),
        auto_accept: desired.auto_accept,
        payer: desired.payer,
        zone_affinity: desired.zone_affinity,
        family: desired.family,
        regions: desired.regions.clone().unwrap_or_default(),
        resource_group: desired.resource_group.clone(),
        tags,
    }
}
