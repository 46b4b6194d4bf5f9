//! The provider's calls on a service: its life, its resources, its allow-list.

use super::call::{ResourceForm, ServiceChange, ServiceForm};
use super::id::{AccountId, BalancerId, EndpointId, RegionId, ServiceId, ZoneId};
use super::object::{
    BalancerKind, ConnectionStatus, ConsumerRegion, Endpoint, IpVersion, Leg, Payer, Principal, Resource, Service,
    ServiceStatus,
};
use super::variant::{SUCCESS, Variant};
use super::{Actor, Answer, Refusal, State, Text};

/// Tags on one object at the most.
pub(super) const MAX_TAGS: usize = 20;

pub(super) fn open_product(state: &mut State, actor: Actor) -> Result<Answer, Refusal> {
    let account = state.accounts.get_mut(&actor.account).ok_or(Refusal::ProductNotOpen)?;
    if account.product_open {
        return Err(Refusal::ProductAlreadyOpen);
    }
    if let Some(block) = account.may_not_open {
        return Err(Refusal::MayNotOpen(block));
    }
    account.product_open = true;
    Ok(Answer::Done)
}

pub(super) fn create(state: &mut State, actor: Actor, at: RegionId, form: &ServiceForm) -> Result<Answer, Refusal> {
    let account = state.accounts.get(&actor.account).ok_or(Refusal::ProductNotOpen)?;
    if !account.product_open {
        return Err(Refusal::ProductNotOpen);
    }
    let owned = state.services.values().filter(|service| service.owner == actor.account).count();
    if owned >= usize::from(account.max_services) {
        return Err(Refusal::TooManyServices);
    }
    let payer = form.payer.unwrap_or(Payer::Endpoint);
    if payer == Payer::Service && !account.may_pay_for_consumers {
        return Err(Refusal::PayerForbidden);
    }
    if form.tags.len() > MAX_TAGS {
        return Err(Refusal::TooManyTags);
    }
    let id = ServiceId { maker: actor.account, number: account.services_made + 1 };
    let resource_group = resource_group(account, form.resource_group.as_ref())?;
    let kind = form.kind.or_else(|| form.resources.first().and_then(|first| first.kind)).unwrap_or(BalancerKind::Clb);
    let ip_version = form.ip_version.unwrap_or(IpVersion::V4);
    speaks(kind, ip_version)?;
    let mut service = Service {
        id,
        owner: actor.account,
        region: at,
        kind,
        status: ServiceStatus::Creating,
        auto_accept: form.auto_accept,
        connect_bandwidth_mbps: None,
        payer,
        description: form.description.clone(),
        zone_affinity: form.zone_affinity,
        ip_version,
        support_ipv6: form.support_ipv6,
        resource_group,
        consumer_regions: std::collections::BTreeMap::new(),
        resources: std::collections::BTreeMap::new(),
        principals: [Principal::Account(actor.account)].into(),
        tags: form.tags.clone(),
    };
    open_regions(state, &mut service, &form.consumer_regions)?;
    for resource in &form.resources {
        add_resource(state, &mut service, resource)?;
    }
    if let Some(account) = state.accounts.get_mut(&actor.account) {
        account.services_made = id.number;
    }
    state.services.insert(id, service);
    Ok(Answer::Service(id))
}

pub(super) fn update(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    change: &ServiceChange,
) -> Result<Answer, Refusal> {
    let mut service = changeable(state, actor, at, id)?.clone();
    if let Some(bandwidth) = change.connect_bandwidth_mbps {
        if !matches!(service.kind, BalancerKind::Clb | BalancerKind::Alb) {
            return Err(Refusal::BandwidthUnsupported);
        }
        if !BalancerKind::CONNECT_BANDWIDTH_MBPS.contains(&bandwidth) {
            return Err(Refusal::BandwidthOutOfRange);
        }
        service.connect_bandwidth_mbps = Some(bandwidth);
    }
    if let Some(version) = change.ip_version {
        if version < service.ip_version {
            return Err(Refusal::Downgrade);
        }
        speaks(service.kind, version)?;
        service.ip_version = version;
    }
    if let Some(support) = change.support_ipv6 {
        service.support_ipv6 = support;
    }
    if service.support_ipv6 || service.ip_version == IpVersion::DualStack {
        let all_speak = service.resources.keys().all(|(id, _)| state.land.balancer(*id).is_some_and(|one| one.ipv6));
        if !all_speak {
            return Err(Refusal::NoIpv6);
        }
    }
    service.auto_accept = change.auto_accept.unwrap_or(service.auto_accept);
    service.zone_affinity = change.zone_affinity.unwrap_or(service.zone_affinity);
    if change.description.is_some() {
        service.description.clone_from(&change.description);
    }
    open_regions(state, &mut service, &change.open_regions)?;
    for region in &change.close_regions {
        match service.consumer_regions.get_mut(region) {
            Some(standing) if *standing != ConsumerRegion::Closed => *standing = ConsumerRegion::Deleting,
            Some(_) => {}
            None => return Err(Refusal::NoRegion),
        }
    }
    if !change.open_regions.is_empty() || !change.close_regions.is_empty() {
        service.status = ServiceStatus::Pending;
    }
    state.services.insert(id, service);
    Ok(Answer::Done)
}

pub(super) fn delete(state: &mut State, actor: Actor, at: RegionId, id: ServiceId) -> Result<Answer, Refusal> {
    let service = owned(state, actor, at, id)?;
    require_active(state, service)?;
    if state.endpoints_of(id).any(|endpoint| endpoint.connection.status != ConnectionStatus::Disconnected) {
        return Err(Refusal::ServiceHasConnections);
    }
    if !service.resources.is_empty() {
        return Err(Refusal::ServiceHasResources);
    }
    if state.endpoints_of(id).next().is_some() && state.variants.is_on(Variant::EndpointBlocksServiceDelete) {
        return Err(Refusal::ServiceHasEndpoints);
    }
    if let Some(service) = state.services.get_mut(&id) {
        service.status = ServiceStatus::Deleting;
    }
    Ok(Answer::Done)
}

pub(super) fn attach(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    form: &ResourceForm,
) -> Result<Answer, Refusal> {
    let mut service = changeable(state, actor, at, id)?.clone();
    add_resource(state, &mut service, form)?;
    service.status = ServiceStatus::Pending;
    state.services.insert(id, service);
    Ok(Answer::Done)
}

pub(super) fn detach(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    form: &ResourceForm,
) -> Result<Answer, Refusal> {
    let service = owned(state, actor, at, id)?;
    require_active(state, service)?;
    let key = attached(service, form)?;
    let load = state.load_of(id, key);
    let held = if state.variants.is_on(Variant::ReplacedSideBlocksDetach) { load.replaced } else { load.moving };
    if load.current + held > 0 {
        return Err(Refusal::ResourceInUse);
    }
    let others: Vec<&Resource> =
        service.resources.iter().filter(|(other, _)| **other != key && other.1 == key.1).map(|(_, one)| one).collect();
    if !others.is_empty() && !others.iter().any(|other| other.auto_allocate) {
        return Err(Refusal::LastAutoAllocated);
    }
    for endpoint in leaning_on(state, id, key) {
        let Some(endpoint) = state.endpoints.get_mut(&endpoint) else { continue };
        for (zone, leg) in &mut endpoint.zones {
            // A leg that is not connected keeps no resource on the service: it forgets the one that leaves.
            if leg.served_by(*zone) == Some(key) {
                *leg = leg.given(*zone, None);
            }
            // Only a world in which a replaced side holds nothing gets here with one.
            if leg.leaves(*zone, key) {
                *leg = leg.without_replaced_side();
            }
        }
    }
    if let Some(service) = state.services.get_mut(&id) {
        service.resources.remove(&key);
        service.status = ServiceStatus::Pending;
    }
    Ok(Answer::Done)
}

/// The endpoints of the service with a leg of which one side is served by `resource`.
fn leaning_on(state: &State, id: ServiceId, resource: (BalancerId, ZoneId)) -> Vec<EndpointId> {
    let leans = |(zone, leg): (&ZoneId, &Leg)| leg.served_by(*zone) == Some(resource) || leg.leaves(*zone, resource);
    state.endpoints_of(id).filter(|endpoint| endpoint.zones.iter().any(leans)).map(|endpoint| endpoint.id).collect()
}

pub(super) fn set_auto_allocate(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    form: &ResourceForm,
    on: bool,
) -> Result<Answer, Refusal> {
    let service = changeable(state, actor, at, id)?;
    let key = attached(service, form)?;
    let another =
        service.resources.iter().any(|(other, resource)| *other != key && other.1 == key.1 && resource.auto_allocate);
    if !on && !another {
        return Err(Refusal::LastAutoAllocated);
    }
    if let Some(resource) = state.services.get_mut(&id).and_then(|service| service.resources.get_mut(&key)) {
        resource.auto_allocate = on;
    }
    Ok(Answer::Done)
}

pub(super) fn allow(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    principal: &Principal,
) -> Result<Answer, Refusal> {
    let service = changeable(state, actor, at, id)?;
    let principal = canonical(state, principal);
    if service.principals.contains(&principal) && state.variants.value(Variant::PresentPrincipal) != SUCCESS {
        return Err(Refusal::PrincipalListed);
    }
    if let Some(service) = state.services.get_mut(&id) {
        service.principals.insert(principal);
    }
    Ok(Answer::Done)
}

pub(super) fn disallow(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    id: ServiceId,
    principal: &Principal,
) -> Result<Answer, Refusal> {
    let service = owned(state, actor, at, id)?;
    require_active(state, service)?;
    let principal = canonical(state, principal);
    if !service.principals.contains(&principal) && state.variants.value(Variant::AbsentPrincipal) != SUCCESS {
        return Err(Refusal::PrincipalNotListed);
    }
    if let Some(service) = state.services.get_mut(&id) {
        service.principals.remove(&principal);
    }
    Ok(Answer::Done)
}

/// The service that `actor` owns in the call's region.
pub(super) fn owned(state: &State, actor: Actor, at: RegionId, id: ServiceId) -> Result<&Service, Refusal> {
    state
        .services
        .get(&id)
        .filter(|service| service.owner == actor.account && service.region == at)
        .ok_or(Refusal::NoService)
}

/// The service, if a call may change it now.
fn changeable(state: &State, actor: Actor, at: RegionId, id: ServiceId) -> Result<&Service, Refusal> {
    let service = owned(state, actor, at, id)?;
    solvent(state, service)?;
    require_active(state, service)?;
    Ok(service)
}

/// The owner of the service owes nothing.
pub(super) fn solvent(state: &State, service: &Service) -> Result<(), Refusal> {
    match state.accounts.get(&service.owner) {
        Some(account) if account.locked => Err(Refusal::ServiceLocked),
        _ => Ok(()),
    }
}

/// The service is active, or is pending only for a migration that this world lets calls pass by.
pub(super) fn require_active(state: &State, service: &Service) -> Result<(), Refusal> {
    let passes = match service.status {
        ServiceStatus::Active => true,
        ServiceStatus::Pending => !state.variants.is_on(Variant::MigrationBlocksService) && migrates(state, service.id),
        ServiceStatus::Creating | ServiceStatus::Deleting => false,
    };
    if passes { Ok(()) } else { Err(Refusal::ServiceNotActive) }
}

/// A replacement runs on one of the service's legs.
pub(super) fn migrates(state: &State, id: ServiceId) -> bool {
    state.endpoints_of(id).flat_map(|endpoint| endpoint.zones.values()).any(Leg::is_moving)
}

/// The resource that the cloud picks for a zone of `endpoint`: the least loaded one that may be picked.
pub(super) fn pick(
    state: &State,
    service: &Service,
    endpoint: &Endpoint,
    zone: ZoneId,
) -> Option<(BalancerId, ZoneId)> {
    service
        .resources
        .iter()
        .filter(|((_, at), resource)| (*at == zone || endpoint.is_cross_region()) && resource.auto_allocate)
        .map(|(key, _)| *key)
        .min_by_key(|key| (state.load_of(service.id, *key).current, *key))
}

/// `account` is on the service's allow-list, by number, by its ARN, or by a wildcard.
#[must_use]
pub fn allows(service: &Service, account: AccountId) -> bool {
    service.principals.iter().any(|principal| match principal {
        Principal::Account(listed) => *listed == account,
        Principal::Arn(arn) => match account_of(arn) {
            Some(Whom::Everybody) => true,
            Some(Whom::Account(listed)) => listed == account,
            None => false,
        },
    })
}

enum Whom {
    Everybody,
    Account(AccountId),
}

/// Whom an ARN of the form `acs:ram:<region>:<account>[:...]` speaks of.
fn account_of(arn: &str) -> Option<Whom> {
    let mut parts = arn.split(':');
    if (parts.next(), parts.next()) != (Some("acs"), Some("ram")) {
        return None;
    }
    let _region = parts.next()?;
    match parts.next()? {
        "*" => Some(Whom::Everybody),
        number => number.parse().ok().map(|number| Whom::Account(AccountId(number))),
    }
}

/// One form for an account and its ARN, in worlds where they are one entry.
fn canonical(state: &State, principal: &Principal) -> Principal {
    if let Principal::Arn(arn) = principal
        && state.variants.is_on(Variant::AccountAndArnAreOne)
        && let Some(Whom::Account(account)) = account_of(arn)
    {
        return Principal::Account(account);
    }
    principal.clone()
}

/// The resource group asked for, or the account's default one.
pub(super) fn resource_group(account: &super::Account, asked: Option<&Text>) -> Result<Text, Refusal> {
    match asked {
        Some(asked) if account.resource_groups.contains(asked) => Ok(asked.clone()),
        Some(_) => Err(Refusal::NoResourceGroup),
        None => account.resource_groups.first().cloned().ok_or(Refusal::NoResourceGroup),
    }
}

fn speaks(kind: BalancerKind, version: IpVersion) -> Result<(), Refusal> {
    let can = version == IpVersion::V4 || matches!(kind, BalancerKind::Nlb | BalancerKind::Gwlb);
    if can { Ok(()) } else { Err(Refusal::NoIpv6) }
}

fn open_regions(state: &State, service: &mut Service, regions: &[RegionId]) -> Result<(), Refusal> {
    for region in regions {
        if state.land.region(*region).is_none() || *region == service.region {
            return Err(Refusal::NoRegion);
        }
        let standing = service.consumer_regions.entry(*region).or_insert(ConsumerRegion::Pending);
        if *standing != ConsumerRegion::Available {
            *standing = ConsumerRegion::Pending;
        }
    }
    Ok(())
}

fn add_resource(state: &State, service: &mut Service, form: &ResourceForm) -> Result<(), Refusal> {
    let key = resolve(state, service, form)?;
    let Some(account) = state.accounts.get(&service.owner) else { return Err(Refusal::NoService) };
    if service.resources.contains_key(&key) {
        return Err(Refusal::ResourceAttached);
    }
    let in_zone = service.resources.keys().filter(|(_, zone)| *zone == key.1).count();
    if service.resources.len() >= usize::from(account.max_resources)
        || in_zone >= usize::from(account.max_resources_per_zone)
    {
        return Err(Refusal::TooManyResources);
    }
    service.resources.insert(key, Resource { auto_allocate: true });
    Ok(())
}

/// The load balancer and zone that `form` means on a service like `service`.
pub(super) fn resolve(state: &State, service: &Service, form: &ResourceForm) -> Result<(BalancerId, ZoneId), Refusal> {
    let balancer = state
        .land
        .balancer(form.balancer)
        .filter(|balancer| balancer.account == service.owner)
        .filter(|balancer| state.land.vpc(balancer.vpc).is_some_and(|vpc| vpc.region == service.region))
        .ok_or(Refusal::NoBalancer { alb: form.kind == Some(BalancerKind::Alb) })?;
    if form.kind.is_some_and(|kind| kind != balancer.kind) {
        return Err(Refusal::KindMismatch);
    }
    if balancer.kind != service.kind {
        return Err(Refusal::KindNotOfService);
    }
    if !balancer.supports_private_link {
        return Err(Refusal::BalancerUnsupported);
    }
    let zone = match (form.zone, balancer.kind) {
        (Some(zone), _) => zone,
        (None, BalancerKind::Clb) => *balancer.zones.first().ok_or(Refusal::ZoneNotServed)?,
        (None, _) => return Err(Refusal::ZoneMissing),
    };
    if !balancer.zones.contains(&zone) {
        return Err(Refusal::ZoneNotServed);
    }
    if (service.support_ipv6 || service.ip_version == IpVersion::DualStack) && !balancer.ipv6 {
        return Err(Refusal::NoIpv6);
    }
    Ok((form.balancer, zone))
}

/// The attached resource that `form` names.
pub(super) fn attached(service: &Service, form: &ResourceForm) -> Result<(BalancerId, ZoneId), Refusal> {
    if form.kind.is_some_and(|kind| kind != service.kind) {
        return Err(Refusal::ResourceNotAttached);
    }
    if form.zone.is_none() && service.kind != BalancerKind::Clb {
        return Err(Refusal::ZoneMissing);
    }
    service
        .resources
        .keys()
        .find(|(balancer, zone)| *balancer == form.balancer && form.zone.is_none_or(|asked| asked == *zone))
        .copied()
        .ok_or(Refusal::ResourceNotAttached)
}
