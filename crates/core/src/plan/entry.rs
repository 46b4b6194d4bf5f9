//! The planner of tenants: what is to be done so that a principal is let in, or let out, and each of its connections
//! is as declared.
//!
//! One turn: may anything be done for this service at all, is it this entry that decides, does its say
//! end ([`revoke`]); else what is decided on the principal and on each connection ([`decide`]), which of the calls
//! that this takes are made now, and what is said of all of it ([`settle`]).

pub(crate) mod decide;
mod revoke;
mod settle;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::claims::{Claims, Pin, Say};
use crate::condition::{ConditionType, Reason};
use crate::desired::{Deletion, DesiredEntry, Parent, ParentService, Policy, Revocation};
use crate::id::{EndpointId, Zone};
use crate::observed::{Service, ServiceView};
use crate::place::Place;
use crate::plan::assignment::is_assignable;
use crate::plan::case::{ANY, Subject, doubtful, stale, with_valid};
use crate::plan::parent::{self, Home, Ward};
use crate::plan::{Ground, Next, Plan, Truth, ready, say};
use crate::principal::Whom;
use crate::read::FacetKey;
use crate::status::{self, EntryStatus};

/// Longest pause between two looks at what moves: what is due within it is due at its own time.
const POLL: Duration = Duration::from_secs(20);

/// What the planner is told.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is true of the turn, whatever is planned; the place is the service's.
    pub ground: Ground<'a>,
    /// What is declared.
    pub desired: &'a DesiredEntry,
    /// What the last turns wrote down.
    pub status: &'a EntryStatus,
    /// Who decides on what touches the service.
    pub claims: &'a Claims,
}

impl Subject for Input<'_> {
    fn ground(&self) -> &Ground<'_> {
        &self.ground
    }

    fn uid(&self) -> &str {
        &self.desired.uid
    }

    fn generation(&self) -> i64 {
        self.desired.generation
    }

    fn declared_fields(&self) -> BTreeSet<String> {
        self.desired.declared_fields()
    }

    fn status(&self) -> &status::Common {
        &self.status.common
    }
}

impl Ward for Input<'_> {
    const HINGES: ConditionType = ConditionType::Allowed;
    const NOWHERE: &'static str = "there is no service whose list could hold the principal";
    const STAYS: &'static str = "its list stays as it is";

    fn parent(&self) -> &Parent {
        &self.desired.parent
    }

    fn deleting(&self) -> bool {
        self.desired.deleting
    }

    fn has_acted(&self) -> bool {
        has_acted(self.status)
    }
}

fn has_acted(status: &EntryStatus) -> bool {
    status.allowed.is_some() || status.common.observed_generation < 0
}

/// Why an entry that is deleted goes without a call, where the object of its service is enough to say so. One that has
/// acted waits for an object that has lost its status.
#[must_use]
pub fn left_alone(parent: &Parent, status: &EntryStatus) -> Option<String> {
    parent::left_alone::<Input<'_>>(parent, has_acted(status))
}

/// A turn in which the service is there and this entry decides.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) parent: &'a ParentService,
    pub(crate) service: &'a Service,
    pub(crate) view: &'a ServiceView,
}

impl<'a> Scene<'a> {
    /// The scene, as far as it can be seen: the report tells of it even where nothing may be done.
    pub(crate) fn of(input: &'a Input<'a>) -> Option<Self> {
        let Home { parent, service, view } = parent::shown(&input.desired.parent, &input.ground.laid.snapshot)?;
        Some(Self { input, parent, service, view })
    }

    pub(crate) fn place(&self) -> &'a Place {
        self.input.ground.place
    }

    /// Why nothing is taken away yet: the service was adopted, and its own object has not taken it over.
    pub(crate) fn unapproved(&self) -> Option<String> {
        parent::is_unapproved(self.parent, self.service).then(|| {
            format!(
                "{} is being adopted: nobody is cut or taken off its list before its EndpointService has taken it over, and its Ready condition says what that waits for",
                self.parent.id
            )
        })
    }

    /// The assignment that decides on one zone of a connection. None does where the cloud lets nobody assign load
    /// balancers of the service's kind.
    pub(crate) fn pin(&self, endpoint: &EndpointId, zone: &Zone) -> Option<&'a Pin> {
        if self.service.kind.is_some_and(|kind| !is_assignable(kind)) {
            return None;
        }
        self.input.claims.pin(endpoint, zone)
    }

    /// The entry decides on its principal.
    pub(crate) fn holds(&self) -> bool {
        let holder = self.input.claims.holder(&self.input.desired.principal.whom());
        holder.is_some_and(|holder| holder.uid == self.input.desired.uid)
    }

    /// The principal is let in, as far as the list was read.
    pub(crate) fn is_listed(&self) -> Option<bool> {
        self.view.principals.value()?;
        Some(settle::is_own_account(self) || settle::is_listed(self))
    }

    /// What is decided on each connection of an entry that ends.
    pub(crate) fn revoked(&self) -> Vec<decide::Decided<'a>> {
        revoke::all(self)
    }
}

/// The entry is deleted or has expired.
pub(crate) fn ended(input: &Input<'_>) -> bool {
    input.desired.deleting || input.desired.is_expired(input.ground.now)
}

/// One turn of one object.
#[must_use]
pub fn plan(input: &Input<'_>) -> Plan {
    with_valid(in_time(input, turn(input)))
}

fn turn(input: &Input<'_>) -> Plan {
    if input.desired.paused {
        let what = if input.desired.deleting { "deletion waits" } else { "nothing is changed" };
        let message = format!("paused by the annotation privatelink.dev/paused: {what} until it is removed");
        return Plan::saying(Next::Settled, [ready(Truth::Unknown, Reason::Paused, message)]);
    }
    if retains(input.desired) {
        let message = format!("{} stays on the list, as deletionPolicy: Retain asks", input.desired.principal);
        return Plan::released(Reason::Deleting, message);
    }
    if let Some(plan) = parent::unusable(input) {
        return plan;
    }
    if let Some(plan) = doubtful(input) {
        return plan;
    }
    let scene = match parent::seen(input, &input.desired.parent, &input.ground.laid.snapshot) {
        Ok(Home { parent, service, view }) => Scene { input, parent, service, view },
        Err(plan) => return *plan,
    };
    let expired = input.desired.is_expired(input.ground.now);
    if !scene.holds() {
        return behind(&scene, expired);
    }
    if input.desired.deleting || expired {
        return revoke::plan(&scene);
    }
    if let Some(plan) = invalid(&scene) {
        return plan;
    }
    let id = &scene.parent.id;
    let mut facets = vec![FacetKey::Principals(id.clone()), FacetKey::Connections(id.clone())];
    if matches!(input.desired.policy, Policy::Accept(_)) {
        facets.push(FacetKey::Resources(id.clone()));
    }
    let looks = stale(input, &facets, ANY);
    if !looks.is_empty() {
        return Plan::looking(looks);
    }
    settle::plan(&scene)
}

/// The entry goes and leaves all as it is: nothing has to be read or written for that, wherever its account leads.
fn retains(desired: &DesiredEntry) -> bool {
    let may_go = match &desired.parent {
        Parent::Service(service) => !service.paused,
        Parent::Awaited(_) => true,
        // There it says that there is no list.
        Parent::Absent(_) => false,
    };
    desired.deleting && desired.deletion == Deletion::Retain && may_go
}

/// Another entry decides on the principal.
fn behind(scene: &Scene<'_>, expired: bool) -> Plan {
    let input = scene.input;
    if let Some(since) = settle::list_unconfirmed(scene).filter(|_| input.desired.deleting || expired) {
        // The other may have read the list before this one's last call: what is read now tells it.
        let looks = settle::list_looks(scene, since);
        return Plan { looks, ..Plan::saying(Next::Moving { since: None }, []) };
    }
    let principal = &input.desired.principal;
    let holder = input.claims.holder(&principal.whom());
    let is_leaving = holder.is_some_and(|holder| holder.say == Say::Leaving);
    let holder = holder.map_or("another entry", |holder| holder.name.as_str());
    if input.desired.deleting && is_leaving {
        // That one may have gone by now, and have left the principal to this one.
        let message =
            format!("WhitelistEntry {holder} decides on {principal} and is being deleted, too: this one goes after it");
        return Plan::waiting(Reason::Deleting, message);
    }
    if input.desired.deleting {
        let message = format!("WhitelistEntry {holder} decides on {principal}; nothing is changed in the cloud");
        return Plan::released(Reason::Deleting, message);
    }
    if expired {
        return Plan::stuck(Reason::Expired, format!("expiresAt has passed; WhitelistEntry {holder} decides now"));
    }
    let message = format!(
        "WhitelistEntry {holder} decides on {principal}, and this one takes over when that one goes: delete one of the two"
    );
    Plan::stuck(Reason::OwnershipConflict, message)
}

/// What of the spec does not fit its cloud, its service or its account.
fn invalid(scene: &Scene<'_>) -> Option<Plan> {
    let (desired, service) = (scene.input.desired, scene.service);
    let refuse = |reason, message: String| {
        let mut plan = Plan::stuck(reason, message.clone());
        plan.sayings.push(say(ConditionType::Valid, Truth::False, reason, message));
        Some(plan)
    };
    if let Some(message) = desired.principal.refused_by(scene.place().cloud) {
        return refuse(Reason::InvalidSpec, message);
    }
    let whom = desired.principal.whom();
    if whom == Whom::Everybody && !desired.everybody_permitted {
        let message = "principal: the CloudAccount lets no entry name everybody: set its allow.wildcardPrincipals, or name an account";
        return refuse(Reason::AccountNotPermitted, message.to_owned());
    }
    if matches!(whom, Whom::Part(..)) && desired.policy != Policy::Leave {
        let message = "connections.action: a connection shows its account alone, so an entry for a user or role can only Leave: name the account instead";
        return refuse(Reason::InvalidSpec, message.to_owned());
    }
    if matches!(whom, Whom::Part(..)) && desired.revocation == Revocation::Disconnect {
        let message = "revocation: a connection shows its account alone, so an entry for a user or role cuts none: set KeepConnections, or name the account instead";
        return refuse(Reason::InvalidSpec, message.to_owned());
    }
    let Policy::Accept(acceptance) = &desired.policy else { return None };
    if service.auto_accept {
        let by_hand = acceptance.allocation == crate::desired::Allocation::Manual;
        let fields = [
            ("connections.endpointIds", acceptance.endpoints.is_some()),
            ("connections.vpcIds", acceptance.vpcs.is_some()),
            ("connections.max", acceptance.max.is_some()),
            ("connections.assignment: Manual", by_hand),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, set)| *set) {
            let message = format!(
                "{field}: {} accepts connections by itself, whatever is declared here: set acceptance: Manual on the EndpointService, or remove the field",
                service.id
            );
            return refuse(Reason::NeedsManualAcceptance, message);
        }
    }
    let (mbps, (least, most)) = acceptance.bandwidth_mbps.zip(service.bandwidth_mbps)?;
    if (least..=most).contains(&mbps) {
        return None;
    }
    let message = format!("connections.bandwidthMbps: {} can give {least} to {most}, not {mbps}", service.id);
    refuse(Reason::InvalidSpec, message)
}

/// What ends at a time of its own is not left to chance.
fn in_time(input: &Input<'_>, plan: Plan) -> Plan {
    let (desired, now) = (input.desired, input.ground.now);
    let Some(end) = desired.expires_at.filter(|end| *end > now && !desired.paused) else { return plan };
    let next = match plan.next {
        Next::Moving { .. } if end.since(now) > POLL => plan.next,
        Next::At(at) => Next::At(at.min(end)),
        Next::Moving { .. } | Next::Others | Next::Person | Next::Settled => Next::At(end),
    };
    let next = match plan.next {
        // A slow poll that comes first finds the end still ahead.
        Next::Others if end.since(now) > OTHERS => Next::Others,
        Next::Person if end.since(now) > HOUR => Next::Person,
        _ => next,
    };
    Plan { next, ..plan }
}

/// The pause while others must act, and a little more.
const OTHERS: Duration = Duration::from_mins(3);
/// The pause while a person must act, and a little more.
const HOUR: Duration = Duration::from_mins(80);
