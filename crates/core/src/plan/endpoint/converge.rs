//! Making an existing endpoint as declared, one call at a time: its ownership, its attributes, its security
//! groups, its interfaces.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::condition::{ConditionType, Reason};
use crate::desired::{Adoption, DesiredEndpoint, Management, Target};
use crate::id::{EndpointId, GroupId, SubnetId};
use crate::observed::{AddressFamily, Endpoint, EndpointKind, EndpointView, Facet, Groups, Interface, Interfaces};
use crate::owner::Ownership;
use crate::plan::case::{FRESH, confirmed, moving, since, stale, written_first};
use crate::plan::endpoint::choice::{Choice, choose};
use crate::plan::endpoint::connection::{self, PATIENCE};
use crate::plan::endpoint::zones::ZoneDifferences;
use crate::plan::endpoint::{DEEP, Input, deep, view};
use crate::plan::tags::TagDifferences;
use crate::plan::{Next, Plan, Saying, Truth, ready, say, was_ready};
use crate::read::{FacetKey, Look};
use crate::state::{ConnectionState, GroupState, LifeState};
use crate::step::{EndpointChange, Step};

/// How old a look at the interfaces may be while something about them is for others to mend.
const RELOOK: Duration = Duration::from_mins(5);

/// What is done with the endpoint that is this object's.
pub(super) fn plan(input: &Input<'_>, id: &EndpointId) -> Plan {
    let seen = view(input, id).and_then(|view| Some((view, view.endpoint.value()?.as_ref()?)));
    let Some((view, endpoint)) = seen else {
        return Plan::looking(stale(input, &[FacetKey::Endpoints], input.ground.now));
    };
    if let Some(plan) = unusable(input, endpoint) {
        return plan;
    }
    if let Some(plan) = passing(input, endpoint) {
        return plan;
    }
    if is_settled_by_memory(input, view, endpoint) {
        return Plan::saying(Next::Settled, []);
    }
    let looks = deep(input, id, view);
    let (Some(interfaces), Some(groups)) = (view.interfaces.value(), view.groups.value()) else {
        return Plan::looking(looks);
    };
    let looks = if looks.is_empty() { contradicted(input, view) } else { looks };
    if !looks.is_empty() {
        return Plan::looking(looks);
    }
    let held = Held { view, endpoint, interfaces, groups };
    let differences = Differences::of(input, &held);
    let facts = facts(input, &held, &differences);
    if input.desired.common.management == Management::Observe {
        return observed(input, &held, &differences, facts);
    }
    if let Some(plan) = unapproved(input, &held, &differences, &facts) {
        return plan;
    }
    let steps = differences.steps(&held);
    if !steps.is_empty()
        && let Some(plan) = written_first(input, &facts)
    {
        return plan;
    }
    match choose(input, steps, &facts) {
        Choice::Made(plan) => plan,
        Choice::Refused(refused) => refused.laid_over(settle(input, &held, &differences, facts)),
        Choice::Nothing => settle(input, &held, &differences, facts),
    }
}

/// The list and interfaces that were read after it say different things of the connection: it does not stand, and
/// they have got beyond waiting, since it was cut or since it was accepted meanwhile; or it stands, and none of them
/// does. A list as young as they are tells which.
fn contradicted(input: &Input<'_>, view: &EndpointView) -> Vec<Look> {
    let Facet::Seen { at, value: interfaces } = &view.interfaces else { return Vec::new() };
    let differs = match view.connection() {
        Some(ConnectionState::Disconnected) => true,
        Some(ConnectionState::Connected) => !interfaces.values().any(Interface::is_connected),
        _ => false,
    };
    if differs { stale(input, &[FacetKey::Endpoints], *at) } else { Vec::new() }
}

/// An endpoint with all that was read of it.
struct Held<'a> {
    view: &'a EndpointView,
    endpoint: &'a Endpoint,
    interfaces: &'a Interfaces,
    groups: &'a Groups,
}

impl Held<'_> {
    fn connection(&self) -> ConnectionState {
        self.view.connection().unwrap_or_else(|| self.endpoint.connection.clone())
    }

    /// Calls that change it are refused until this has passed.
    fn is_in_transition(&self) -> bool {
        let connection = matches!(
            self.endpoint.connection,
            ConnectionState::Connecting | ConnectionState::Modifying | ConnectionState::Disconnecting
        );
        connection || self.endpoint.state != LifeState::Active
    }
}

/// What no call can mend.
fn unusable(input: &Input<'_>, endpoint: &Endpoint) -> Option<Plan> {
    let id = &endpoint.id;
    if endpoint.locked {
        let message = format!("{id} is locked because its account owes money: settle the bill in the cloud's console");
        return Some(Plan::stuck(Reason::BillingLocked, message));
    }
    if let Some(message) = replaced(input.desired, endpoint) {
        return Some(Plan::stuck(Reason::ServiceReplaced, message));
    }
    if let Some(message) = immutable_difference(input.desired, endpoint) {
        return Some(Plan::stuck(Reason::InvalidSpec, message));
    }
    if endpoint.connection == ConnectionState::ServiceDeleted {
        let down = connection::of_connection(id, &endpoint.connection)?;
        return Some(connection::stuck(down.reason, &down.message));
    }
    if endpoint.state == LifeState::Failed {
        let message = format!(
            "the cloud could not create or change {id}: delete this object and create it again, or ask the cloud's support"
        );
        return Some(connection::stuck(Reason::UnexpectedError, &message));
    }
    None
}

/// The endpoint is coming or going.
fn passing(input: &Input<'_>, endpoint: &Endpoint) -> Option<Plan> {
    let id = &endpoint.id;
    let what = match endpoint.state {
        LifeState::Creating => "being created",
        LifeState::Deleting => "being deleted by someone else",
        _ => return None,
    };
    let message = format!("{id} is {what}");
    let facts = connection::nothing_flows(Reason::Provisioning, &message);
    Some(moving(input, &[FacetKey::Endpoints], &message, facts))
}

/// All that lists show is as it was when the status said that everything was in place: what no list shows need not
/// be read again for that, as long as nothing has stirred it. It is read now and then, whoever asks.
fn is_settled_by_memory(input: &Input<'_>, view: &EndpointView, endpoint: &Endpoint) -> bool {
    let status = input.status;
    let unread = view.interfaces.value().is_none() && view.groups.value().is_none() && view.stirred.is_none();
    let recent = input.ground.now.since(input.ground.started) < DEEP;
    let confirmed = input.ground.laid.unconfirmed_of(&endpoint.id.clone().into()).is_empty();
    let settled = was_ready(&status.common)
        && status.common.observed_generation == input.desired.common.generation
        && !status.common.conditions.iter().any(|one| {
            one.truth != Truth::True || matches!(one.condition, ConditionType::Reconciling | ConditionType::Stalled)
        });
    let same = endpoint.state == LifeState::Active
        && status.state.as_ref() == Some(&endpoint.state)
        && status.connection.as_ref() == Some(&endpoint.connection)
        && status.domain == endpoint.domain;
    unread
        && recent
        && confirmed
        && settled
        && same
        && attributes(input, endpoint).is_none()
        && status.common.declared_fields == input.desired.declared_fields()
}

/// The attributes and tags that are not as declared.
#[derive(Debug, Default)]
struct Attributes {
    change: Option<EndpointChange>,
    group: Option<String>,
    tags: TagDifferences,
}

impl Attributes {
    fn is_none(&self) -> bool {
        self.change.is_none() && self.group.is_none() && self.tags.is_none()
    }
}

fn attributes(input: &Input<'_>, endpoint: &Endpoint) -> Attributes {
    let group = input.desired.common.resource_group.clone();
    Attributes {
        change: change(input, endpoint),
        group: group.filter(|group| endpoint.resource_group.as_ref() != Some(group)),
        tags: TagDifferences::of(input, endpoint.tags.as_ref()),
    }
}

/// The attributes that are not as declared; one that was declared once and is not any more returns to the cloud's
/// default, where the cloud has one.
fn change(input: &Input<'_>, endpoint: &Endpoint) -> Option<EndpointChange> {
    let desired = input.desired;
    let removed = |field: &str| input.status.common.declared_fields.contains(field);
    let affinity = desired.zone_affinity.or_else(|| removed("zoneAffinity").then_some(false));
    let differs = |policy: &&String| !endpoint.policy.as_ref().is_some_and(|held| same_document(held, policy));
    let change = EndpointChange {
        name: desired.name.clone().filter(|name| endpoint.name.as_ref() != Some(name)),
        description: desired.description.clone().filter(|text| endpoint.description.as_ref() != Some(text)),
        family: desired.family.filter(|family| endpoint.family != *family),
        zone_affinity: affinity.filter(|on| endpoint.zone_affinity != *on),
        policy: desired.policy.as_ref().filter(differs).cloned(),
        reset_policy: desired.policy.is_none()
            && removed("policy")
            && endpoint.policy.is_some()
            && !input.ground.tries.has_reset_policy(),
        cross_region_bandwidth_mbps: desired
            .cross_region_bandwidth_mbps
            .filter(|mbps| endpoint.cross_region_bandwidth_mbps != Some(*mbps)),
    };
    (change != EndpointChange::default()).then_some(change)
}

/// Two documents say the same, however they are written.
fn same_document(one: &str, other: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parsed(one).is_some_and(|value| parsed(other) == Some(value))
}

/// What of an endpoint is not as declared.
#[derive(Debug, Default)]
struct Differences {
    attributes: Attributes,
    join: Vec<GroupId>,
    leave: Vec<GroupId>,
    zones: ZoneDifferences,
}

impl Differences {
    fn of(input: &Input<'_>, held: &Held<'_>) -> Self {
        let declared = input.desired.groups.as_ref();
        let held_groups: BTreeSet<&GroupId> =
            held.groups.iter().filter(|(_, state)| **state != GroupState::Detaching).map(|(group, _)| group).collect();
        let join = declared.into_iter().flatten().filter(|group| !held_groups.contains(group)).cloned().collect();
        let undeclared = held_groups.iter().filter(|group| declared.is_some_and(|all| !all.contains(**group)));
        Self {
            attributes: attributes(input, held.endpoint),
            join,
            leave: undeclared.map(|group| (*group).clone()).collect(),
            zones: ZoneDifferences::of(input.desired.zones.as_ref(), held.interfaces),
        }
    }

    fn is_none(&self) -> bool {
        self.attributes.is_none() && self.groups_settled() && self.zones.is_none()
    }

    const fn groups_settled(&self) -> bool {
        self.join.is_empty() && self.leave.is_empty()
    }

    /// The calls that can be made now: first what says whose it is, then what opens, then what closes. None of
    /// them needs another.
    fn steps(&self, held: &Held<'_>) -> Vec<Step> {
        let id = || held.endpoint.id.clone();
        let mut steps: Vec<Step> = self.attributes.tags.next(id().into()).into_iter().collect();
        steps.extend(self.attributes.group.iter().map(|group| Step::Move(id().into(), group.clone())));
        if held.is_in_transition() {
            return steps;
        }
        steps.extend(self.attributes.change.iter().map(|change| Step::UpdateEndpoint(id(), change.clone())));
        if self.join.is_empty() {
            steps.extend(self.leave.iter().map(|group| Step::DetachSecurityGroup(id(), group.clone())));
        } else {
            steps.extend(self.join.iter().map(|group| Step::AttachSecurityGroup(id(), group.clone())));
        }
        steps.extend(self.zones.steps(&id()));
        steps
    }

    fn describe(&self) -> String {
        let mut parts = Vec::new();
        let names = |groups: &[GroupId]| groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ");
        if self.attributes.change.is_some() || self.attributes.group.is_some() {
            parts.push("change attributes".to_owned());
        }
        if !self.attributes.tags.is_none() {
            parts.push("change tags".to_owned());
        }
        if !self.join.is_empty() {
            parts.push(format!("join {}", names(&self.join)));
        }
        if !self.leave.is_empty() {
            parts.push(format!("leave {}", names(&self.leave)));
        }
        self.zones.describe(&mut parts);
        parts.join("; ")
    }
}

/// The service that the reference leads to is not the endpoint's any more.
fn replaced(desired: &DesiredEndpoint, endpoint: &Endpoint) -> Option<String> {
    let Target::Known { id, name, .. } = &desired.target else { return None };
    let other = |wanted: &str, held: &str| {
        format!(
            "{} belongs to {held}, but the reference now leads to {wanted}: delete this object and create it again to join {wanted}",
            endpoint.id
        )
    };
    if let (Some(wanted), Some(held)) = (id, &endpoint.service) {
        return (wanted != held).then(|| other(wanted.as_str(), held.as_str()));
    }
    let (wanted, held) = (name.as_ref()?, endpoint.service_name.as_ref()?);
    (wanted != held).then(|| other(wanted, held))
}

/// What no call can change.
fn immutable_difference(desired: &DesiredEndpoint, endpoint: &Endpoint) -> Option<String> {
    let id = &endpoint.id;
    let unchangeable = |field: &str, is: &str, wanted: &str| {
        Some(format!(
            "{field}: {id} has {is}, which cannot be changed to {wanted}: declare {is}, or make another endpoint"
        ))
    };
    if let Some(is) = endpoint.vpc.as_ref().filter(|is| **is != desired.vpc) {
        return unchangeable("vpcId", is.as_str(), desired.vpc.as_str());
    }
    if let Some(is) = endpoint.kind.filter(|is| *is != desired.kind) {
        return unchangeable("type", is.as_str(), desired.kind.as_str());
    }
    if desired.family == Some(AddressFamily::V4) && endpoint.family == AddressFamily::DualStack {
        return unchangeable("addressFamily", "DualStack", "IPv4");
    }
    None
}

/// The first look at an adopted endpoint takes nothing away: it reports, and waits for a person.
fn unapproved(input: &Input<'_>, held: &Held<'_>, differences: &Differences, facts: &[Saying]) -> Option<Plan> {
    let Adoption::Yes(id) = &input.desired.common.adoption else { return None };
    let tags = held.endpoint.tags.as_ref()?;
    let first = input.desired.common.owner.of(tags) != Ownership::Ours;
    let takes_away = differences.zones.takes_away() || !differences.leave.is_empty();
    let approved = input.desired.common.annotations.adoption_approved.as_deref() == Some(id.as_str());
    if !first || !takes_away || approved {
        return None;
    }
    let message = format!(
        "adopting {id} would: {}; set the annotation privatelink.dev/adoption-approved to {id}, or declare what it has",
        differences.describe()
    );
    let mut sayings: Vec<Saying> =
        facts.iter().filter(|saying| saying.condition != ConditionType::Ready).cloned().collect();
    sayings.push(ready(Truth::False, Reason::AdoptionApprovalNeeded, message.clone()));
    sayings.push(say(ConditionType::Stalled, Truth::True, Reason::AdoptionApprovalNeeded, message));
    Some(Plan::saying(Next::Person, sayings))
}

/// Nothing is written: what differs is said, and what moves is followed.
fn observed(input: &Input<'_>, held: &Held<'_>, differences: &Differences, facts: Vec<Saying>) -> Plan {
    let moving = differences.zones.moving;
    let ours =
        Differences { zones: ZoneDifferences { moving, ..ZoneDifferences::default() }, ..Differences::default() };
    let mut plan = settle(input, held, &ours, facts);
    plan.sayings.retain(|saying| saying.condition != ConditionType::Reconciling);
    if !differences.is_none() && plan.says(ConditionType::Ready, Truth::True) {
        plan.sayings.retain(|saying| saying.condition != ConditionType::Ready);
        let message = format!(
            "{} is observed only, and differs; to make it as declared one would: {}",
            held.endpoint.id,
            differences.describe()
        );
        plan.sayings.push(ready(Truth::True, Reason::Degraded, message));
    }
    plan
}

/// What is true of the endpoint now.
fn facts(input: &Input<'_>, held: &Held<'_>, differences: &Differences) -> Vec<Saying> {
    let id = &held.endpoint.id;
    let settled = differences.attributes.is_none()
        && differences.groups_settled()
        && held.groups.values().all(|state| *state == GroupState::Attached);
    let mut sayings = connection::sayings(input, id, held.view, held.interfaces);
    sayings.push(if settled {
        say(ConditionType::Provisioned, Truth::True, Reason::Ready, format!("{id} exists as declared"))
    } else {
        let message = match differences.describe() {
            nothing if nothing.is_empty() => format!("{id} is being changed"),
            what => format!("{id} is not as declared yet: {what}"),
        };
        say(ConditionType::Provisioned, Truth::False, Reason::Provisioning, message)
    });
    sayings
}

/// No step is left: what moves is awaited, what is unconfirmed is read again, what others owe is waited for.
fn settle(input: &Input<'_>, held: &Held<'_>, differences: &Differences, facts: Vec<Saying>) -> Plan {
    let id = &held.endpoint.id;
    let groups_move = held.groups.values().any(|state| *state != GroupState::Attached);
    let mut parts = Vec::new();
    if held.is_in_transition() {
        parts.push(FacetKey::Endpoints);
    }
    if differences.zones.moving {
        parts.push(FacetKey::Interfaces(id.clone()));
    }
    if groups_move {
        parts.push(FacetKey::Groups(id.clone()));
    }
    if !parts.is_empty() {
        return moving(input, &parts, &format!("{id} is being changed"), facts);
    }
    if let Some(plan) = confirmed(input, &id.clone().into(), &facts) {
        return plan;
    }
    let mut plan = unsettled(input, held, differences, facts);
    if plan.next != Next::Settled && connection::of_connection(id, &held.connection()).is_none() {
        // What no list shows is not as it should be, and lists show nothing of it: it is looked at as often as they.
        plan.looks.extend(stale(input, &[FacetKey::Interfaces(id.clone())], input.ground.now - RELOOK));
    }
    plan
}

/// Nothing moves, and all is confirmed: what is still missing is for others to bring.
fn unsettled(input: &Input<'_>, held: &Held<'_>, differences: &Differences, mut facts: Vec<Saying>) -> Plan {
    match connection::of_connection(&held.endpoint.id, &held.connection()) {
        Some(down) if down.reason == Reason::WaitingForAcceptance => unaccepted(input, facts),
        Some(down) if down.passes => moving(input, &[FacetKey::Endpoints], &down.message, facts),
        Some(down) => {
            facts.push(say(ConditionType::Stalled, Truth::True, down.reason, down.message));
            Plan::saying(Next::Others, facts)
        }
        None => match &differences.zones.kept {
            Some(subnet) => kept(input, held, subnet, &differences.zones.displaced, facts),
            None if connection::of_zones(input, held.interfaces).is_some() => Plan::saying(Next::Others, facts),
            None if !differences.zones.astray.is_empty() => astray(&differences.zones.astray, facts),
            None => Plan::saying(Next::Settled, facts),
        },
    }
}

/// The only connected interface is not declared any more, or not so.
fn kept(input: &Input<'_>, held: &Held<'_>, subnet: &SubnetId, displaced: &[SubnetId], mut facts: Vec<Saying>) -> Plan {
    let zone = held.interfaces.get(subnet).map(|one| &one.zone);
    let another = input.desired.zones.iter().flatten().any(|(_, form)| Some(&form.zone) != zone);
    let displaced: Vec<&str> = displaced.iter().map(SubnetId::as_str).collect();
    let what = match displaced.join(", ") {
        nothing if nothing.is_empty() => "it is removed once another is connected".to_owned(),
        others if another => format!("it gives way to {others} once another is connected"),
        others if input.desired.kind == EndpointKind::GatewayLoadBalancer => {
            format!("delete this object and create it again with {others}")
        }
        others => format!("declare an interface in another zone first, so that it can give way to {others}"),
    };
    let message = format!("zones: the interface in {subnet} is the only connected one and is not taken away: {what}");
    facts.retain(|saying| !matches!(saying.condition, ConditionType::ZonesReady | ConditionType::Ready));
    facts.push(ready(Truth::True, Reason::Degraded, message.clone()));
    facts.push(say(ConditionType::ZonesReady, Truth::False, Reason::Degraded, message.clone()));
    if !another {
        facts.push(say(ConditionType::Stalled, Truth::True, Reason::Degraded, message));
    }
    Plan::saying(Next::Others, facts)
}

/// Traffic flows through addresses other than the declared ones.
fn astray(found: &[String], mut facts: Vec<Saying>) -> Plan {
    let message = format!(
        "zones: {}, and is not taken away for that while it is connected, since the provider may have replaced its load balancer: to have the declared address, remove the item from spec.zones, apply, and add it again",
        found.join("; ")
    );
    facts.retain(|saying| !matches!(saying.condition, ConditionType::ZonesReady | ConditionType::Ready));
    facts.push(ready(Truth::True, Reason::Degraded, message.clone()));
    facts.push(say(ConditionType::ZonesReady, Truth::False, Reason::Degraded, message.clone()));
    facts.push(say(ConditionType::Stalled, Truth::True, Reason::Degraded, message));
    Plan::saying(Next::Person, facts)
}

/// The provider has not accepted: the list of all endpoints, which all that wait share, tells when it has. After a
/// while somebody must be asked, and sweeps are enough.
fn unaccepted(input: &Input<'_>, mut facts: Vec<Saying>) -> Plan {
    let now = input.ground.now;
    let since = since(input, ConditionType::Connected, Truth::False).unwrap_or(now);
    if now.since(since) >= PATIENCE {
        let message = facts.iter().find(|saying| saying.condition == ConditionType::Ready);
        let message = message.map(|saying| saying.message.clone()).unwrap_or_default();
        facts.push(say(ConditionType::Stalled, Truth::True, Reason::WaitingForAcceptance, message));
        return Plan::saying(Next::Others, facts);
    }
    let mut plan = Plan::saying(Next::Moving { since: Some(since) }, facts);
    plan.looks = stale(input, &[FacetKey::Endpoints], now - FRESH);
    plan
}
