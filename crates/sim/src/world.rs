//! The simulated cloud as a value: what exists, which call is legal when, and what moves by itself.
//!
//! [`State`] is `Clone + Eq + Hash`, has no clock and no journal, and only two things change it:
//! a call ([`apply`]) and time ([`advance`], one of the [`progress`] choices that are open). Both are
//! pure, so the same value serves an HTTP server, a property test and a model checker. What a person
//! wants to know beside it (when, how often, by whom) lives in [`crate::journal`].
//!
//! The rules are those of Alibaba Cloud PrivateLink 2020-04-15. Where the vendor documents a rule, it
//! is coded plainly; where a rule is only inferred, it is a named [`Variant`] that can be flipped.

pub mod call;
mod connection;
mod endpoint;
pub mod id;
pub mod invariant;
pub mod land;
pub mod object;
mod progress;
pub mod refusal;
mod service;
pub mod shared;
mod tag;
pub mod variant;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use call::{Actor, Answer, Call, Request, Scope};
pub use id::{AccountId, BalancerId, EndpointId, GroupId, RegionId, ServiceId, SwitchId, VpcId, ZoneId};
pub use land::Land;
pub use object::{Account, Connection, Endpoint, Leg, Resource, Service};
pub use progress::{Progress, advance, progress, settle};
pub use refusal::Refusal;
pub use service::allows;
pub use shared::Shared;
pub use variant::{Variant, Variants};

/// Text that many states share.
pub type Text = Arc<str>;

/// What a client token is known by: each account has its own, and each region's cloud knows its own alone.
pub type TokenKey = (AccountId, RegionId, Text);

/// All that the cloud holds at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What was there before the first call and never changes: networks and load balancers.
    pub land: Arc<Land>,
    /// How the world settles each statement that the vendor leaves open.
    pub variants: Variants,
    /// Accounts, with what they may do.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Endpoint services that exist.
    pub services: Shared<ServiceId, Service>,
    /// Endpoints that exist, each with its connection and its zones.
    pub endpoints: Shared<EndpointId, Endpoint>,
    /// Client tokens that were used, with the call and the answer. Nothing in the world forgets one; whoever
    /// drives it may.
    pub tokens: Shared<TokenKey, (Call, Answer)>,
    /// Calls that are on their way, by what they exclude.
    pub in_flight: BTreeSet<Scope>,
}

impl State {
    /// An empty world on `land`, in which every account is as its fixture says.
    #[must_use]
    pub fn new(land: Land, accounts: BTreeMap<AccountId, Account>, variants: Variants) -> Self {
        Self {
            land: Arc::new(land),
            variants,
            accounts,
            services: Shared::default(),
            endpoints: Shared::default(),
            tokens: Shared::default(),
            in_flight: BTreeSet::new(),
        }
    }

    /// The call takes its place in the cloud's queue of one; a second call of that scope before
    /// [`State::leave`] is refused.
    ///
    /// # Errors
    /// [`Refusal::ConcurrentCall`] while another call of the same scope is on its way.
    pub fn enter(&mut self, scope: Option<Scope>) -> Result<(), Refusal> {
        match scope {
            Some(scope) if !self.in_flight.insert(scope) => Err(Refusal::ConcurrentCall),
            _ => Ok(()),
        }
    }

    /// The call is over; its scope is free again.
    pub fn leave(&mut self, scope: Option<Scope>) {
        if let Some(scope) = scope {
            self.in_flight.remove(&scope);
        }
    }

    /// The endpoints joined to `service`, whatever their connection's state.
    pub fn endpoints_of(&self, service: ServiceId) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.values().filter(move |endpoint| endpoint.service == service)
    }

    /// Endpoints that `resource` of `service` serves now, and endpoints whose replaced side it still serves.
    #[must_use]
    pub fn load_of(&self, service: ServiceId, resource: (BalancerId, ZoneId)) -> Load {
        let mut load = Load::default();
        self.endpoints_of(service).for_each(|endpoint| load.add(endpoint, resource));
        load
    }

    /// The load of every resource that an endpoint leans on, in one look at all of them.
    #[must_use]
    pub fn loads(&self) -> Loads {
        let mut loads = Loads::new();
        for endpoint in self.endpoints.values() {
            let sides = endpoint.zones.iter().flat_map(|(zone, leg)| {
                let replaced = leg.replaced.map(|side| side.served_by(*zone));
                leg.served_by(*zone).into_iter().chain(replaced)
            });
            for resource in sides.collect::<BTreeSet<_>>() {
                loads.entry((endpoint.service, resource)).or_default().add(endpoint, resource);
            }
        }
        loads
    }
}

/// The load of each resource of each service.
pub type Loads = BTreeMap<(ServiceId, (BalancerId, ZoneId)), Load>;

/// How many endpoints lean on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Endpoints served now.
    pub current: usize,
    /// Endpoints whose replaced side has not been closed yet.
    pub replaced: usize,
    /// Endpoints of these whose replacement still runs.
    pub moving: usize,
}

impl Load {
    fn add(&mut self, endpoint: &Endpoint, resource: (BalancerId, ZoneId)) {
        let any = |leans: fn(&Leg, ZoneId, (BalancerId, ZoneId)) -> bool| {
            usize::from(endpoint.zones.iter().any(|(zone, leg)| leans(leg, *zone, resource)))
        };
        self.current += any(Leg::depends_on);
        self.replaced += any(Leg::leaves);
        self.moving += any(|leg, zone, resource| leg.is_moving() && leg.leaves(zone, resource));
    }
}

/// The world after `request`, with the cloud's answer.
///
/// A refused call changes nothing. A repeated client token answers what it answered first, without effect.
///
/// # Errors
/// A [`Refusal`] that names the precondition which does not hold.
pub fn apply(state: &State, actor: Actor, request: &Request) -> Result<(State, Answer), Refusal> {
    let mut next = state.clone();
    let answer = carry_out(&mut next, actor, request)?;
    Ok((next, answer))
}

/// The same, in place: for whoever drives a large world and needs no copy of it.
///
/// # Errors
/// As [`apply`]; the world is as it was then.
pub fn carry_out(state: &mut State, actor: Actor, request: &Request) -> Result<Answer, Refusal> {
    let token = request.token.as_ref().map(|token| (actor.account, request.region, token.clone()));
    if let Some((call, answer)) = token.as_ref().and_then(|token| state.tokens.get(token)) {
        let spent = *answer == Answer::Rehearsed && state.variants.value(Variant::DryRunToken) == "spent";
        return if *call == request.call && !spent { Ok(*answer) } else { Err(Refusal::TokenReused) };
    }
    let answer = perform(state, actor, request)?;
    if let Some(token) = token {
        state.tokens.insert(token, (request.call.clone(), answer));
    }
    Ok(answer)
}

/// A dry run of `request`, in place: whether the call would be refused. It touches nothing but its client token;
/// where [`Variant::DryRunToken`] keeps the two apart, it comes without one.
///
/// # Errors
/// As [`apply`].
pub fn rehearse(state: &mut State, actor: Actor, request: &Request) -> Result<Answer, Refusal> {
    let kept = state.variants.value(Variant::DryRunToken);
    let token = request.token.as_ref().map(|token| (actor.account, request.region, token.clone()));
    if let Some((call, answer)) = token.as_ref().and_then(|token| state.tokens.get(token)) {
        // To a world that tells a dry run by its parameters, the call itself is another call.
        let another = *answer != Answer::Rehearsed && kept == "spent";
        return if *call == request.call && !another { Ok(*answer) } else { Err(Refusal::TokenReused) };
    }
    perform(&mut state.clone(), actor, request)?;
    if let Some(token) = token {
        state.tokens.insert(token, (request.call.clone(), Answer::Rehearsed));
    }
    Ok(Answer::Rehearsed)
}

/// Sends the call to the room that knows its rules.
fn perform(state: &mut State, actor: Actor, request: &Request) -> Result<Answer, Refusal> {
    let at = request.region;
    match &request.call {
        Call::OpenProduct => service::open_product(state, actor),
        Call::CreateService(form) => service::create(state, actor, at, form),
        Call::UpdateService(id, form) => service::update(state, actor, at, *id, form),
        Call::DeleteService(id) => service::delete(state, actor, at, *id),
        Call::AttachResource(id, resource) => service::attach(state, actor, at, *id, resource),
        Call::DetachResource(id, resource) => service::detach(state, actor, at, *id, resource),
        Call::SetAutoAllocate(id, resource, on) => service::set_auto_allocate(state, actor, at, *id, resource, *on),
        Call::AllowPrincipal(id, principal) => service::allow(state, actor, at, *id, principal),
        Call::DisallowPrincipal(id, principal) => service::disallow(state, actor, at, *id, principal),
        Call::AcceptConnection(id, form) => connection::accept(state, actor, at, *id, form),
        Call::RejectConnection(id) => connection::reject(state, actor, at, *id),
        Call::UpdateConnection(id, form) => connection::update(state, actor, at, *id, *form),
        Call::ConnectZone(id, zone) => connection::connect_zone(state, actor, at, *id, *zone),
        Call::DisconnectZone(id, zone, side) => connection::disconnect_zone(state, actor, at, *id, *zone, *side),
        Call::AssignZoneResource(id, zone, assign) => connection::assign(state, actor, at, *id, *zone, assign),
        Call::CreateEndpoint(form) => endpoint::create(state, actor, at, form),
        Call::UpdateEndpoint(id, form) => endpoint::update(state, actor, at, *id, form),
        Call::DeleteEndpoint(id) => endpoint::delete(state, actor, at, *id),
        Call::AddZone(id, form) => endpoint::add_zone(state, actor, at, *id, form),
        Call::RemoveZone(id, zone) => endpoint::remove_zone(state, actor, at, *id, *zone),
        Call::AttachGroup(id, group) => endpoint::attach_group(state, actor, at, *id, *group),
        Call::DetachGroup(id, group) => endpoint::detach_group(state, actor, at, *id, *group),
        Call::Tag(objects, tags) => tag::tag(state, actor, at, objects, tags),
        Call::Untag(objects, keys) => tag::untag(state, actor, at, objects, keys),
        Call::ChangeResourceGroup(object, group) => tag::change_resource_group(state, actor, *object, group),
    }
}
