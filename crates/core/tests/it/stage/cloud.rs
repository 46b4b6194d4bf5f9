//! The cloud's door: steps as calls of the world, and its refusals as the failures that their codes stand for.

use std::collections::BTreeSet;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{CloudId, EndpointId, ResourceId, ServiceId, Zone};
use privatelink_core::observed::{AddressFamily, Endpoint, EndpointKind, Payer, ResourceKey, TrafficControl};
use privatelink_core::read::Done;
use privatelink_core::state::{ConnectionState, LifeState};
use privatelink_core::step::{
    EndpointChange, EndpointForm, InterfaceForm, MigrationMode, ServiceChange, ServiceForm, Step, Traffic,
};
use privatelink_sim::world::call::{self, ConnectionKey, ObjectId, ResourceForm, UntagKeys, ZoneForm};
use privatelink_sim::world::object::{self, BalancerKind, ConnectionStatus, IpVersion};
use privatelink_sim::world::{self, Answer, Call, Refusal, Request, apply};

use super::eyes::{endpoint, endpoint_id, service, service_name, world_id, world_principal};
use super::land::HERE;
use super::{Role, Stage};

impl<R: Role> Stage<R> {
    pub(super) fn execute(&mut self, step: &Step, token: Option<&str>) -> Result<Done, Failure> {
        let forbidden = self.forbidden(step);
        assert_eq!(forbidden, None, "{step:?} of {:?}", self.desired);
        self.carry_out(step, token)
    }

    /// The cloud carries the step out, or refuses it.
    pub fn carry_out(&mut self, step: &Step, token: Option<&str>) -> Result<Done, Failure> {
        let result = self.call(step).and_then(|call| {
            let request = Request { region: HERE, token: token.map(Into::into), call };
            apply(&self.world, R::ACTOR, &request).map_err(|refusal| failure(refusal, step))
        });
        let (next, answer) = result.inspect_err(|_| self.refusals += 1)?;
        let (before, after) = (carrying(&self.world), carrying(&next));
        let stands = |key: &(world::EndpointId, world::ZoneId)| next.endpoints.get(&key.0).is_some_and(stands);
        if before.difference(&after).any(stands) {
            let by_force =
                |step: &Step| matches!(step, Step::ReplaceResource(.., how) if how.mode == MigrationMode::Forced);
            assert!(
                by_force(step) || matches!(step, Step::DisconnectZone(..) | Step::RemoveZone(..)),
                "a gap that nobody declared: {step:?}"
            );
            self.gaps.push(step.verb());
        }
        self.world = next;
        self.calls.push(step.verb());
        Ok(match answer {
            Answer::Service(id) => {
                let made = self.world.services.get(&id).map(|one| service(&self.world, one, true));
                made.map_or(Done::Accepted, |made| Done::CreatedService(Box::new(made)))
            }
            Answer::Endpoint(id) => {
                let made = self.world.endpoints.get(&id).map(|one| endpoint(&self.world, one, true));
                Done::CreatedEndpoint(Box::new(made.unwrap_or_else(|| unseen(endpoint_id(id), step))))
            }
            Answer::Done => Done::Accepted,
            Answer::Rehearsed => panic!("nobody asks for a dry run"),
        })
    }

    /// What may never be asked for, whatever has happened before.
    fn forbidden(&self, step: &Step) -> Option<&'static str> {
        if let Step::RemoveZone(id, subnet, _) = step
            && !self.desired.deleting()
            && let Some(endpoint) = self.endpoint_of(id)
        {
            let switch = self.world.land.switch_named(subnet.as_str());
            let carrying: Vec<_> = endpoint.zones.values().filter(|leg| leg.carries()).collect();
            if !carrying.is_empty() && carrying.iter().all(|leg| leg.switch == switch) {
                return Some("the only connected interface is taken away");
            }
        }
        self.desired.forbids(step, self.now)
    }

    fn call(&self, step: &Step) -> Result<Call, Failure> {
        let gone = |refusal| failure(refusal, step);
        let service = |id: &ServiceId| self.service_of(id).map(|one| one.id).ok_or_else(|| gone(Refusal::NoService));
        let endpoint =
            |id: &EndpointId| self.endpoint_of(id).map(|one| one.id).ok_or_else(|| gone(Refusal::NoEndpoint));
        let object = |object: &CloudId| match object {
            CloudId::Service(id) => self.service_of(id).map(|one| ObjectId::Service(one.id)),
            CloudId::Endpoint(id) => self.endpoint_of(id).map(|one| ObjectId::Endpoint(one.id)),
        };
        let object = |id: &CloudId| object(id).ok_or_else(|| gone(Refusal::NoObject));
        let connection = |id: &ServiceId, one: &EndpointId| {
            let endpoint = endpoint(one).map_err(|_| gone(Refusal::NoConnection))?;
            Ok(ConnectionKey { service: service(id)?, endpoint })
        };
        let zone = |at: &Zone| self.world.land.zone_named(at.as_str());
        Ok(match step {
            Step::OpenProduct => Call::OpenProduct,
            Step::CreateService(form) => Call::CreateService(self.service_form(form)),
            Step::UpdateService(id, change) => Call::UpdateService(service(id)?, self.service_change(change)),
            Step::DeleteService(id) => Call::DeleteService(service(id)?),
            Step::AttachResource(id, key, _) => Call::AttachResource(service(id)?, self.resource(key)),
            Step::DetachResource(id, key, _) => Call::DetachResource(service(id)?, self.resource(key)),
            Step::SetAutoAllocate(id, key, on) => Call::SetAutoAllocate(service(id)?, self.resource(key), *on),
            Step::AllowPrincipal(id, principal) => Call::AllowPrincipal(service(id)?, world_principal(principal)),
            Step::DisallowPrincipal(id, principal) => Call::DisallowPrincipal(service(id)?, world_principal(principal)),
            Step::AcceptConnection(id, one, asked) => Call::AcceptConnection(connection(id, one)?, traffic(*asked)),
            Step::RejectConnection(id, one) => Call::RejectConnection(connection(id, one)?),
            Step::SetTraffic(id, one, asked) => Call::UpdateConnection(connection(id, one)?, traffic(*asked)),
            Step::PickResource(id, one, at) => {
                Call::AssignZoneResource(connection(id, one)?, zone(at), call::Assignment::Automatic)
            }
            Step::ConnectZone(id, one, at) => Call::ConnectZone(connection(id, one)?, zone(at)),
            Step::DisconnectZone(id, one, at) => {
                Call::DisconnectZone(connection(id, one)?, zone(at), call::Side::Current)
            }
            Step::AssignResource(id, one, at, to, _) => {
                Call::AssignZoneResource(connection(id, one)?, zone(at), call::Assignment::Manual(self.balancer(to)))
            }
            Step::ReplaceResource(id, one, at, replacement) => {
                let to = self.balancer(&replacement.to);
                let assignment = match replacement.mode {
                    MigrationMode::Smooth => call::Assignment::ReplaceGracefully(to),
                    MigrationMode::Forced => call::Assignment::ReplaceForcibly(to),
                };
                Call::AssignZoneResource(connection(id, one)?, zone(at), assignment)
            }
            Step::CloseReplaced(id, one, at) => {
                Call::DisconnectZone(connection(id, one)?, zone(at), call::Side::Replaced)
            }
            Step::CreateEndpoint(form) => Call::CreateEndpoint(self.endpoint_form(form)),
            Step::UpdateEndpoint(id, change) => Call::UpdateEndpoint(endpoint(id)?, endpoint_change(change)),
            Step::DeleteEndpoint(id) => Call::DeleteEndpoint(endpoint(id)?),
            Step::AddZone(id, subnet, form) => Call::AddZone(endpoint(id)?, self.zone_form(subnet.as_str(), form)),
            Step::RemoveZone(id, _, zone) => Call::RemoveZone(endpoint(id)?, self.world.land.zone_named(zone.as_str())),
            Step::AttachSecurityGroup(id, group) => {
                Call::AttachGroup(endpoint(id)?, self.world.land.group_named(group.as_str()))
            }
            Step::DetachSecurityGroup(id, group) => {
                Call::DetachGroup(endpoint(id)?, self.world.land.group_named(group.as_str()))
            }
            Step::Tag(of, tags) => {
                let tags = tags.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
                Call::Tag(vec![object(of)?], tags)
            }
            Step::Untag(of, keys) => {
                let keys = keys.iter().map(|key| key.as_str().into()).collect();
                Call::Untag(vec![object(of)?], UntagKeys::These(keys))
            }
            Step::Move(of, group) => Call::ChangeResourceGroup(object(of)?, group.as_str().into()),
        })
    }

    fn resource(&self, key: &ResourceKey) -> ResourceForm {
        self.balancer(&key.id)
    }

    fn balancer(&self, id: &ResourceId) -> ResourceForm {
        let balancer = self.world.land.balancer_named(id.as_str());
        ResourceForm { balancer, kind: Some(BalancerKind::Clb), zone: None }
    }

    fn service_form(&self, form: &ServiceForm) -> call::ServiceForm {
        call::ServiceForm {
            kind: Some(BalancerKind::Clb),
            resources: form.resources.iter().map(|key| self.resource(key)).collect(),
            payer: form.payer.map(|payer| match payer {
                Payer::Consumer => object::Payer::Endpoint,
                Payer::Provider => object::Payer::Service,
            }),
            auto_accept: form.auto_accept,
            zone_affinity: form.zone_affinity.unwrap_or_default(),
            ip_version: None,
            support_ipv6: false,
            description: form.description.as_deref().map(Into::into),
            resource_group: form.resource_group.as_deref().map(Into::into),
            consumer_regions: form.regions.iter().map(|one| self.world.land.region_named(one.as_str())).collect(),
            tags: form.tags.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        }
    }

    fn service_change(&self, change: &ServiceChange) -> call::ServiceChange {
        let region = |one: &privatelink_core::id::Region| self.world.land.region_named(one.as_str());
        call::ServiceChange {
            auto_accept: change.auto_accept,
            connect_bandwidth_mbps: change.default_bandwidth_mbps,
            zone_affinity: change.zone_affinity,
            ip_version: None,
            support_ipv6: None,
            description: change.description.as_deref().map(Into::into),
            open_regions: change.open_regions.iter().map(region).collect(),
            close_regions: change.close_regions.iter().map(region).collect(),
        }
    }

    fn endpoint_form(&self, form: &EndpointForm) -> call::EndpointForm {
        let named =
            |one: &&world::Service| form.service_name.as_ref().is_some_and(|name| service_name(one.id) == *name);
        let by_name = self.world.services.values().find(named).map(|one| one.id);
        let service = form.service.as_ref().map_or(by_name, world_id).unwrap_or(world::ServiceId::NOWHERE);
        call::EndpointForm {
            service,
            service_region: form.service_region.as_ref().map(|one| self.world.land.region_named(one.as_str())),
            kind: Some(match form.kind {
                EndpointKind::Interface => object::EndpointKind::Interface,
                EndpointKind::GatewayLoadBalancer => object::EndpointKind::GatewayLoadBalancer,
                EndpointKind::Reverse => object::EndpointKind::Reverse,
            }),
            vpc: self.world.land.vpc_named(form.vpc.as_str()),
            zones: form.zones.iter().map(|(subnet, zone)| self.zone_form(subnet.as_str(), zone)).collect(),
            groups: form.groups.iter().map(|one| self.world.land.group_named(one.as_str())).collect(),
            name: form.name.as_deref().map(Into::into),
            description: form.description.as_deref().map(Into::into),
            policy: form.policy.as_deref().map(Into::into),
            protected: form.protected.unwrap_or_default(),
            ip_version: form.family.map(ip_version),
            zone_affinity: form.zone_affinity.unwrap_or_default(),
            cross_region_bandwidth_mbps: form.cross_region_bandwidth_mbps,
            resource_group: form.resource_group.as_deref().map(Into::into),
            tags: form.tags.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        }
    }

    fn zone_form(&self, subnet: &str, form: &InterfaceForm) -> ZoneForm {
        ZoneForm {
            zone: Some(self.world.land.zone_named(form.zone.as_str())),
            switch: self.world.land.switch_named(subnet),
            ip: form.ip,
            ipv6: form.ipv6,
        }
    }
}

/// The zones that carry traffic.
fn carrying(world: &world::State) -> BTreeSet<(world::EndpointId, world::ZoneId)> {
    let of = |one: &world::Endpoint| {
        let id = one.id;
        let zones: Vec<_> = one.zones.iter().filter(|(_, leg)| leg.carries()).map(|(zone, _)| (id, *zone)).collect();
        zones
    };
    world.endpoints.values().filter(|one| stands(one)).flat_map(of).collect()
}

fn stands(endpoint: &world::Endpoint) -> bool {
    matches!(endpoint.connection.status, ConnectionStatus::Connected | ConnectionStatus::Pending)
}

fn endpoint_change(change: &EndpointChange) -> call::EndpointChange {
    call::EndpointChange {
        name: change.name.as_deref().map(Into::into),
        description: change.description.as_deref().map(Into::into),
        policy: change.policy.as_deref().map(Into::into),
        reset_policy: change.reset_policy,
        ip_version: change.family.map(ip_version),
        zone_affinity: change.zone_affinity,
        cross_region_bandwidth_mbps: change.cross_region_bandwidth_mbps,
    }
}

fn traffic(asked: Traffic) -> call::AcceptForm {
    let control = asked.control.map(|control| match control {
        TrafficControl::Elastic => object::TrafficControl::Scalability,
        TrafficControl::Limited => object::TrafficControl::BandwidthLimit,
    });
    call::AcceptForm { bandwidth_mbps: asked.bandwidth_mbps, traffic_control: control }
}

const fn ip_version(family: AddressFamily) -> IpVersion {
    match family {
        AddressFamily::V4 => IpVersion::V4,
        AddressFamily::DualStack => IpVersion::DualStack,
    }
}

/// What the answer to a repeated token says of an endpoint that has gone since: its id, and what was asked for.
fn unseen(id: EndpointId, step: &Step) -> Endpoint {
    let tags = match step {
        Step::CreateEndpoint(form) => Some(form.tags.clone()),
        _ => None,
    };
    Endpoint {
        id,
        state: LifeState::Creating,
        cloud_state: "Creating".into(),
        connection: ConnectionState::Disconnected,
        locked: false,
        kind: None,
        name: None,
        description: None,
        vpc: None,
        service: None,
        service_name: None,
        service_region: None,
        domain: None,
        family: AddressFamily::V4,
        zone_affinity: false,
        cross_region_bandwidth_mbps: None,
        policy: None,
        protected: false,
        resource_group: None,
        tags,
    }
}

fn failure(refusal: Refusal, step: &Step) -> Failure {
    let meaning = match refusal {
        // Of what is there already or joined, a look tells whether it is what was asked for.
        Refusal::NoService
        | Refusal::ZoneDuplicated
        | Refusal::GroupJoined
        | Refusal::NoConnection
        | Refusal::NoEndpoint
        | Refusal::NoZone
        | Refusal::NoObject => Meaning::Gone,
        // Who leaves a group that it is not in has what it wants; who wants to join it has not.
        Refusal::NoGroup if matches!(step, Step::DetachSecurityGroup(..)) => Meaning::Gone,
        Refusal::ResourceNotAttached if matches!(step, Step::AssignResource(..) | Step::ReplaceResource(..)) => {
            Meaning::Waiting(Reason::ReferenceNotFound)
        }
        Refusal::ResourceAttached | Refusal::ResourceNotAttached | Refusal::NoTag => Meaning::Done,
        Refusal::BandwidthUnsupported | Refusal::KindNotAssignable => Meaning::UserMustAct(Reason::UnsupportedByCloud),
        Refusal::ZoneState => Meaning::Waiting(Reason::Degraded),
        Refusal::StillAutoAllocated => Meaning::UserMustAct(Reason::ResourceStillAutoAllocated),
        Refusal::ZoneNotReplaceable => Meaning::Waiting(Reason::FeatureNotEnabled),
        Refusal::ServiceNotActive
        | Refusal::ConcurrentCall
        | Refusal::ServiceBusy
        | Refusal::ServiceLocked
        | Refusal::ConnectionState
        | Refusal::ConnectionInTransition
        | Refusal::EndpointNotActive
        | Refusal::EndpointLocked => Meaning::InTransition,
        Refusal::TokenReused => Meaning::TokenReused,
        Refusal::ServiceHasConnections | Refusal::ResourceInUse => Meaning::Waiting(Reason::BlockedByConnections),
        Refusal::EndpointHasZones => Meaning::Waiting(Reason::BlockedByDependents),
        Refusal::NotAuthorized => Meaning::Waiting(Reason::NotWhitelisted),
        Refusal::ZoneWithoutResource | Refusal::NoAvailableResource => Meaning::Waiting(Reason::NoResourceInZone),
        Refusal::LastAutoAllocated => Meaning::UserMustAct(Reason::LastAutoAllocatedInZone),
        Refusal::ServiceDeleted | Refusal::NoBalancer { .. } | Refusal::NoGroup | Refusal::NoSwitch => {
            Meaning::UserMustAct(Reason::ReferenceNotFound)
        }
        Refusal::ProductNotOpen | Refusal::AssignmentNotGranted => Meaning::UserMustAct(Reason::FeatureNotEnabled),
        Refusal::EndpointProtected => Meaning::UserMustAct(Reason::PermissionDenied),
        Refusal::EndpointDuplicated => Meaning::UserMustAct(Reason::OwnershipConflict),
        Refusal::PolicyUnsupported
        | Refusal::ResourceInOtherZone
        | Refusal::AddressUnavailable
        | Refusal::NoFreeAddress
        | Refusal::NoGroupsEver
        | Refusal::LastGroup
        | Refusal::NoIpv6
        | Refusal::Downgrade
        | Refusal::TooManyZones => Meaning::UserMustAct(Reason::InvalidSpec),
        _ => Meaning::Unexpected,
    };
    let code = format!("{refusal:?}");
    Failure { meaning, message: code.clone(), code, request_id: None, retry_after: None, maybe_done: false }
}
