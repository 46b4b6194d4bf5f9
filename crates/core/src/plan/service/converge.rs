//! Making an existing service as declared, one call at a time: its ownership, its attributes, its load
//! balancers.

use std::collections::BTreeSet;

use crate::condition::{ConditionType, Reason};
use crate::desired::{Adoption, DesiredService, Management};
use crate::id::{Region, ServiceId};
use crate::observed::{AddressFamily, Payer, RegionState, Resource, ResourceKey, ResourceKind, Service};
use crate::owner::Ownership;
use crate::plan::attempt::attempt;
use crate::plan::case::{ANY, confirmed, moving, stale, written_first};
use crate::plan::service::{Input, detachable, evacuate, exits, resources, view};
use crate::plan::tags::TagDifferences;
use crate::plan::{Next, Plan, Saying, Truth, ready, say};
use crate::read::FacetKey;
use crate::state::LifeState;
use crate::step::{ServiceChange, Step};

/// What a bandwidth that was declared once returns to.
const CLOUD_DEFAULT_BANDWIDTH_MBPS: u32 = 3_072;

/// What is done with the service that is this object's.
pub(crate) fn plan(input: &Input<'_>, id: &ServiceId) -> Plan {
    let service = view(input, id).and_then(|view| view.service.value()).and_then(Option::as_ref);
    let Some(service) = service else { return Plan::looking(stale(input, &[FacetKey::Services], input.ground.now)) };
    let Some(held) = resources(input, id) else {
        let facets = [FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())];
        return Plan::looking(stale(input, &facets, ANY));
    };
    if service.locked {
        let message = format!("{id} is locked because its account owes money: settle the bill in the cloud's console");
        return Plan::stuck(Reason::BillingLocked, message);
    }
    if let Some(message) = immutable_difference(input.desired, service) {
        return Plan::stuck(Reason::InvalidSpec, message);
    }
    if let Some(message) = elsewhere(input.desired, held) {
        return Plan::stuck(Reason::InvalidSpec, message);
    }
    match service.state {
        LifeState::Creating => {
            return moving(
                input,
                &[FacetKey::Services],
                &format!("{id} is being created"),
                not_provisioned(id, "being created"),
            );
        }
        LifeState::Deleting => {
            return moving(
                input,
                &[FacetKey::Services],
                &format!("{id} is being deleted by someone else"),
                not_provisioned(id, "being deleted by someone else"),
            );
        }
        _ => {}
    }
    let differences = differences(input, service, held);
    if input.desired.common.management == Management::Observe {
        return observed(input, service, held, &differences);
    }
    if let Some(plan) = unapproved(input, service, held, &differences) {
        return plan;
    }
    let facts = facts(input, service, held, &differences);
    if let Some(step) = differences.next(service) {
        if let Some(plan) = written_first(input, &facts) {
            return plan;
        }
        let doing = step_message(&step);
        let plan = attempt(input, step, None, facts, &doing);
        // What leaves a load balancer goes on where something else is refused.
        let refused = plan.steps.is_empty() && plan.looks.is_empty();
        let leaving = if refused { evacuate::plan(input, service, held, &plan.sayings) } else { None };
        return match leaving {
            Some(leaving) => Plan { next: plan.next.or_sooner(leaving.next), ..leaving },
            None => plan,
        };
    }
    if let Some(plan) = evacuate::plan(input, service, held, &facts) {
        return plan;
    }
    settle(input, service, &differences, facts)
}

/// No step is left: what moves is awaited, what is unconfirmed is read again, what is used is waited for.
fn settle(input: &Input<'_>, service: &Service, differences: &Differences, facts: Vec<Saying>) -> Plan {
    let id = &service.id;
    if service.state == LifeState::Modifying {
        let both = [FacetKey::Services, FacetKey::Resources(id.clone())];
        return moving(input, &both, &format!("{id} is being changed"), facts);
    }
    if let Some(plan) = confirmed(input, &id.clone().into(), &facts) {
        return plan;
    }
    if region_moves(input, service) {
        return moving(input, &[FacetKey::Services], &format!("regions of {id} are being opened or closed"), facts);
    }
    if !differences.in_use.is_empty() {
        return Plan::saying(Next::Others, facts);
    }
    let next = if failed_region(input.desired, service).is_some() { Next::Person } else { Next::Settled };
    Plan::saying(next, facts)
}

/// The consumer regions as they are to be: none, where they were declared until now; nothing, where nobody decides.
fn wanted_regions(input: &Input<'_>) -> Option<BTreeSet<Region>> {
    let removed = || input.status.common.declared_fields.contains("supportedRegions");
    input.desired.regions.clone().or_else(|| removed().then(BTreeSet::new))
}

/// The cloud opens a consumer region as declared, or closes one.
pub(super) fn region_moves(input: &Input<'_>, service: &Service) -> bool {
    let Some(wanted) = wanted_regions(input) else { return false };
    service.regions.iter().any(|(region, state)| match state {
        RegionState::Opening => wanted.contains(region),
        RegionState::Closing => true,
        RegionState::Open | RegionState::Failed => false,
    })
}

/// What is said of a declared consumer region that the cloud could not open.
fn failed_region(desired: &DesiredService, service: &Service) -> Option<String> {
    let declared = desired.regions.iter().flatten();
    let failed = |region: &&Region| service.regions.get(*region) == Some(&RegionState::Failed);
    let region = declared.into_iter().find(failed)?;
    Some(format!(
        "the cloud could not open {region} for {}: close it in the cloud's console, after which it is opened again, or take it off spec.supportedRegions; if it fails again, ask the cloud's support",
        service.id
    ))
}

/// What of a service is not as declared.
#[derive(Debug, Default)]
struct Differences {
    change: Option<ServiceChange>,
    group: Option<String>,
    tags: TagDifferences,
    attach: Vec<ResourceKey>,
    allow: Vec<ResourceKey>,
    forbid: Vec<ResourceKey>,
    detach: Vec<ResourceKey>,
    in_use: Vec<ResourceKey>,
    kind: Option<crate::observed::ResourceKind>,
}

impl Differences {
    fn none(&self) -> bool {
        self.change.is_none()
            && self.group.is_none()
            && self.tags.is_none()
            && self.resources_settled()
            && self.detach.is_empty()
            && self.in_use.is_empty()
    }

    /// Declared load balancers are attached, each with its autoAllocate.
    fn resources_settled(&self) -> bool {
        self.attach.is_empty() && self.allow.is_empty() && self.forbid.is_empty()
    }

    /// The next call: first what says whose it is, then what opens, then what closes.
    fn next(&self, service: &Service) -> Option<Step> {
        let id = || service.id.clone();
        if let Some(step) = self.tags.next(id().into()) {
            return Some(step);
        }
        if let Some(group) = &self.group {
            return Some(Step::Move(id().into(), group.clone()));
        }
        if service.state != LifeState::Active {
            // What follows needs a service that is not being changed.
            return None;
        }
        if let Some(change) = &self.change {
            return Some(Step::UpdateService(id(), change.clone()));
        }
        let kind = self.kind?;
        if let Some(key) = self.attach.first() {
            return Some(Step::AttachResource(id(), key.clone(), kind));
        }
        if let Some(key) = self.allow.first() {
            return Some(Step::SetAutoAllocate(id(), key.clone(), true));
        }
        if let Some(key) = self.forbid.first() {
            return Some(Step::SetAutoAllocate(id(), key.clone(), false));
        }
        self.detach.first().map(|key| Step::DetachResource(id(), key.clone(), kind))
    }

    fn describe(&self) -> String {
        let mut parts = Vec::new();
        let keys = |keys: &[ResourceKey]| keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join(", ");
        for (what, list) in [("attach", &self.attach), ("detach", &self.detach), ("leave", &self.in_use)] {
            if !list.is_empty() {
                parts.push(format!("{what} {}", keys(list)));
            }
        }
        if !self.allow.is_empty() || !self.forbid.is_empty() {
            parts.push("change autoAllocate".to_owned());
        }
        if self.change.is_some() || self.group.is_some() {
            parts.push("change attributes".to_owned());
        }
        if !self.tags.is_none() {
            parts.push("change tags".to_owned());
        }
        parts.join("; ")
    }
}

fn differences(
    input: &Input<'_>,
    service: &Service,
    held: &std::collections::BTreeMap<ResourceKey, Resource>,
) -> Differences {
    let desired = input.desired;
    let mut found = Differences { kind: Some(service.kind.unwrap_or(desired.kind)), ..Differences::default() };
    found.change = change(input, service);
    found.group = desired.common.resource_group.clone().filter(|group| service.resource_group.as_ref() != Some(group));
    found.tags = TagDifferences::of(input, service.tags.as_ref());
    if desired.common.management == Management::Observe && desired.resources.is_empty() {
        return found;
    }
    for (key, auto) in &desired.resources {
        match held.get(key) {
            None => found.attach.push(key.clone()),
            Some(resource) if *auto && !resource.auto_allocate => found.allow.push(key.clone()),
            Some(resource) if !*auto && resource.auto_allocate => found.forbid.push(key.clone()),
            Some(_) => {}
        }
    }
    let undeclared: Vec<_> = held.iter().filter(|(key, _)| !desired.resources.contains_key(*key)).collect();
    let legs = if undeclared.is_empty() { Vec::new() } else { exits::legs(input, &service.id) };
    for (key, resource) in undeclared {
        if detachable(held, key) && !exits::is_used(&legs, key) {
            found.detach.push(key.clone());
        } else {
            found.in_use.push(key.clone());
        }
        let others_stay = desired.resources.iter().any(|(other, auto)| *auto && other.zone == key.zone);
        let used = resource.connections > 0 || legs.iter().any(|leg| leg.is_on(key));
        if used && resource.auto_allocate && others_stay {
            // What is to be left gets no new connections; its zone has another that may take them.
            found.forbid.push(key.clone());
        }
    }
    found
}

/// The attributes that are not as declared; one that was declared once and is not any more returns to the
/// cloud's default.
fn change(input: &Input<'_>, service: &Service) -> Option<ServiceChange> {
    let desired = input.desired;
    let removed = |field: &str| input.status.common.declared_fields.contains(field);
    let description = desired.description.clone().filter(|text| service.description.as_ref() != Some(text));
    let auto_accept = Some(desired.auto_accept).filter(|on| service.auto_accept != *on);
    let mut change = ServiceChange { description, auto_accept, ..ServiceChange::default() };
    let affinity = desired.zone_affinity.or_else(|| removed("zoneAffinity").then_some(false));
    change.zone_affinity = affinity.filter(|on| service.zone_affinity != *on);
    let bandwidth = desired
        .default_bandwidth_mbps
        .or_else(|| removed("defaultBandwidthMbps").then_some(CLOUD_DEFAULT_BANDWIDTH_MBPS));
    change.default_bandwidth_mbps = bandwidth.filter(|mbps| service.default_bandwidth_mbps != Some(*mbps));
    change.family = desired.family.filter(|family| service.family != *family);
    if let Some(regions) = wanted_regions(input) {
        // One that is being closed is opened again once it is closed; one that the cloud could not open is not asked
        // for, nor closed, again and again.
        change.open_regions = regions.iter().filter(|region| !service.regions.contains_key(*region)).cloned().collect();
        let is_open = |state: &RegionState| matches!(state, RegionState::Opening | RegionState::Open);
        let open = service.regions.iter().filter(|(_, state)| is_open(state));
        change.close_regions =
            open.map(|(region, _)| region).filter(|open| !regions.contains(*open)).cloned().collect();
    }
    (change != ServiceChange::default()).then_some(change)
}

/// What no call can change.
fn immutable_difference(desired: &DesiredService, service: &Service) -> Option<String> {
    let id = &service.id;
    let unchangeable = |field: &str, is: &str, wanted: &str| {
        Some(format!(
            "{field}: {id} has {is}, which cannot be changed to {wanted}: declare {is}, or make another service"
        ))
    };
    let payer = |payer| if payer == Payer::Consumer { "Consumer" } else { "Provider" };
    if let Some(wanted) = desired.payer.filter(|wanted| *wanted != service.payer) {
        return unchangeable("payer", payer(service.payer), payer(wanted));
    }
    if desired.family == Some(AddressFamily::V4) && service.family == AddressFamily::DualStack {
        return unchangeable("addressFamily", "DualStack", "IPv4");
    }
    if let Some(kind) = service.kind.filter(|kind| *kind != desired.kind && !desired.resources.is_empty()) {
        return unchangeable("resources.type", kind.as_str(), desired.kind.as_str());
    }
    None
}

/// A CLB stands in one zone, and the cloud attaches it there whatever zone is declared.
fn elsewhere(desired: &DesiredService, held: &std::collections::BTreeMap<ResourceKey, Resource>) -> Option<String> {
    if desired.kind != ResourceKind::Clb {
        return None;
    }
    let wrong = desired.resources.keys().find_map(|wanted| {
        let attached = held.keys().find(|key| key.id == wanted.id && key.zone != wanted.zone)?;
        Some((wanted, attached))
    });
    let (wanted, attached) = wrong.filter(|(wanted, _)| !held.contains_key(*wanted))?;
    Some(format!(
        "resources: {} is in {}, not in {}: correct its zone in spec.resources",
        wanted.id, attached.zone, wanted.zone
    ))
}

/// The first look at an adopted service takes nothing away: it reports, and waits for a person.
fn unapproved(
    input: &Input<'_>,
    service: &Service,
    held: &std::collections::BTreeMap<ResourceKey, Resource>,
    differences: &Differences,
) -> Option<Plan> {
    let Adoption::Yes(id) = &input.desired.common.adoption else { return None };
    let tags = service.tags.as_ref()?;
    let first = input.desired.common.owner.of(tags) != Ownership::Ours;
    let takes_away = !differences.detach.is_empty() || !differences.in_use.is_empty();
    let approved = input.desired.common.annotations.adoption_approved.as_deref() == Some(id.as_str());
    if !first || !takes_away || approved {
        return None;
    }
    let message = format!(
        "adopting {id} would: {}; set the annotation privatelink.dev/adoption-approved to {id}, or declare what it has",
        differences.describe()
    );
    let mut sayings = facts(input, service, held, differences);
    sayings.retain(|saying| saying.condition != ConditionType::Ready);
    sayings.push(ready(Truth::False, Reason::AdoptionApprovalNeeded, message.clone()));
    sayings.push(say(ConditionType::Stalled, Truth::True, Reason::AdoptionApprovalNeeded, message));
    Some(Plan::saying(Next::Person, sayings))
}

/// Nothing is written: what differs is said.
fn observed(
    input: &Input<'_>,
    service: &Service,
    held: &std::collections::BTreeMap<ResourceKey, Resource>,
    differences: &Differences,
) -> Plan {
    let mut sayings = facts(input, service, held, differences);
    if !differences.none() {
        sayings.retain(|saying| saying.condition != ConditionType::Ready);
        let message = format!(
            "{} is observed only, and differs; to make it as declared one would: {}",
            service.id,
            differences.describe()
        );
        sayings.push(ready(Truth::False, Reason::Degraded, message));
    }
    Plan::saying(Next::Settled, sayings)
}

/// What is true of the service now.
fn facts(
    input: &Input<'_>,
    service: &Service,
    held: &std::collections::BTreeMap<ResourceKey, Resource>,
    differences: &Differences,
) -> Vec<Saying> {
    let id = &service.id;
    let mut sayings = Vec::new();
    let attributes_settled = differences.change.is_none() && differences.group.is_none();
    let is_open = |region: &&Region| service.regions.get(*region) == Some(&RegionState::Open);
    let shut = input.desired.regions.iter().flatten().find(|region| !is_open(region)).filter(|_| attributes_settled);
    let not_open = shut.map(|region| match failed_region(input.desired, service) {
        Some(message) => (Reason::Degraded, message),
        None => (Reason::Provisioning, format!("{id} is not open in {region} yet")),
    });
    if let Some((Reason::Degraded, message)) = &not_open {
        sayings.push(say(ConditionType::Stalled, Truth::True, Reason::Degraded, message.clone()));
    }
    sayings.push(if let Some((reason, message)) = &not_open {
        say(ConditionType::Provisioned, Truth::False, *reason, message.clone())
    } else if attributes_settled {
        say(ConditionType::Provisioned, Truth::True, Reason::Ready, format!("{id} exists as declared"))
    } else {
        say(
            ConditionType::Provisioned,
            Truth::False,
            Reason::Provisioning,
            format!("attributes of {id} are being changed"),
        )
    });
    let missing: Vec<&str> = differences.attach.iter().map(|key| key.id.as_str()).collect();
    sayings.push(if differences.resources_settled() {
        let count = input.desired.resources.len();
        say(
            ConditionType::ResourcesAttached,
            Truth::True,
            Reason::Ready,
            format!("{count} declared load balancers are attached"),
        )
    } else if missing.is_empty() {
        say(ConditionType::ResourcesAttached, Truth::False, Reason::Provisioning, "autoAllocate is being changed")
    } else {
        say(
            ConditionType::ResourcesAttached,
            Truth::False,
            Reason::Provisioning,
            format!("not attached yet: {}", missing.join(", ")),
        )
    });
    let used = |key: &&ResourceKey| held.get(*key).is_some_and(|one| one.connections + one.deprecated_connections > 0);
    let leaving: Vec<&ResourceKey> = differences.in_use.iter().filter(used).collect();
    if !leaving.is_empty() {
        let names: Vec<&str> = leaving.iter().map(|key| key.id.as_str()).collect();
        let message = format!(
            "connections still use load balancers that were taken off the spec, and are waited for: {}; status.evacuation counts them",
            names.join(", ")
        );
        sayings.push(say(ConditionType::Evacuating, Truth::True, Reason::BlockedByConnections, message));
    }
    let usable = matches!(service.state, LifeState::Active | LifeState::Modifying);
    sayings.push(if let Some((reason, message)) = not_open {
        ready(Truth::False, reason, message)
    } else if usable && attributes_settled && differences.resources_settled() {
        ready(Truth::True, Reason::Ready, format!("{id} is active with all declared load balancers"))
    } else {
        ready(Truth::False, Reason::Provisioning, format!("{id} is not as declared yet: {}", differences.describe()))
    });
    sayings
}

fn not_provisioned(id: &ServiceId, what: &str) -> Vec<Saying> {
    let message = format!("{id} is {what}");
    vec![
        ready(Truth::False, Reason::Provisioning, message.clone()),
        say(ConditionType::Provisioned, Truth::False, Reason::Provisioning, message),
    ]
}

fn step_message(step: &Step) -> String {
    let subject = step.subject();
    match step {
        Step::AttachResource(..) => format!("{subject} is being attached"),
        Step::DetachResource(..) => format!("{subject} is being detached"),
        Step::SetAutoAllocate(_, _, true) => format!("automatic allocation of {subject} is being allowed"),
        Step::SetAutoAllocate(..) => format!("automatic allocation of {subject} is being forbidden"),
        Step::Tag(..) | Step::Untag(..) => format!("tags of {subject} are being changed"),
        _ => format!("attributes of {subject} are being changed"),
    }
}
