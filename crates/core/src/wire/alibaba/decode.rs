//! Bodies of answers as words of ours. Unknown fields are not looked at, new words of the cloud are kept or left
//! out, numbers may be strings; an id that is missing makes the whole answer [`Malformed`], naming the field.

mod endpoint;

use std::collections::BTreeMap;

use serde_json::Value;

use super::encode::{ACCOUNTS, ARNS};
use super::fields::Fields;
pub use super::refused::{failure, request_id};
use crate::id::{AccountId, EndpointId, InterfaceId, Region, ResourceId, ServiceId, VpcId, Zone};
use crate::observed::{
    AddressFamily, Connection, Endpoint, Payer, RegionState, Resource, ResourceKey, ResourceKind, Service, Tags,
    TrafficControl, ZoneLeg,
};
use crate::principal::Principal;
use crate::read::{Answer, Done, Page, Read};
use crate::state::{ConnectionState, LifeState, ZoneState};
use crate::step::{ServiceForm, Step};
use crate::wire::Malformed;

/// What a read was answered.
///
/// # Errors
/// The body is not JSON, an id is missing, or the answer is about something else.
pub fn read(read: &Read, body: &[u8]) -> Result<Answer, Malformed> {
    let value = json(body)?;
    let root = Fields::root(&value)?;
    match read {
        Read::CallerIdentity => Ok(Answer::CallerIdentity(AccountId::from(root.id("AccountId")?))),
        Read::Product => Ok(Answer::Product(root.told("Success")?)),
        Read::Services(_) => {
            let items = root.items("Services")?;
            let services = items.iter().map(|item| Ok(Service { tags: Some(tags(item)?), ..service(item)? }));
            Ok(Answer::Services(services.collect::<Result<_, _>>()?, root.next()))
        }
        Read::Service(id) => {
            let service = service(&root)?;
            if service.id != *id {
                return Err(Malformed { what: format!("ServiceId is {}, not {id}", service.id) });
            }
            Ok(Answer::Service(Box::new(service)))
        }
        Read::Resources(..) => {
            let items = root.items("Resources")?;
            let resources = items.iter().filter_map(|item| resource(item).transpose());
            Ok(Answer::Resources(resources.collect::<Result<_, _>>()?, root.next()))
        }
        Read::Connections(id, _) => {
            let items = root.items("Connections")?;
            let about = |item: &&Fields<'_>| item.text("ServiceId").is_none_or(|said| said == id.as_str());
            let connections = items.iter().filter(about).map(connection);
            Ok(Answer::Connections(connections.collect::<Result<_, _>>()?, root.next()))
        }
        Read::Principals(_, page) => principals(&root, page),
        Read::Endpoints(_) => {
            let items = root.items("Endpoints")?;
            let endpoints = items.iter().map(|item| Ok(Endpoint { tags: Some(tags(item)?), ..endpoint::whole(item)? }));
            Ok(Answer::Endpoints(endpoints.collect::<Result<_, _>>()?, root.next()))
        }
        Read::Endpoint(id) => {
            let endpoint = endpoint::whole(&root)?;
            if endpoint.id != *id {
                return Err(Malformed { what: format!("EndpointId is {}, not {id}", endpoint.id) });
            }
            Ok(Answer::Endpoint(Box::new(endpoint)))
        }
        Read::Interfaces(..) => {
            let items = root.items("Zones")?;
            let interfaces = items.iter().map(endpoint::interface);
            Ok(Answer::Interfaces(interfaces.collect::<Result<_, _>>()?, root.next()))
        }
        Read::Groups(..) => {
            let items = root.items("SecurityGroups")?;
            let groups = items.iter().map(endpoint::group);
            Ok(Answer::Groups(groups.collect::<Result<_, _>>()?, root.next()))
        }
    }
}

/// What a step that succeeded was answered. What the answer to a create lacks (kind, payer, tags) is as the form
/// asked for it; without a payer in the form, the consumer pays, as is the cloud's default.
///
/// # Errors
/// The body is no JSON object, or the id of the service that was made is missing.
pub fn step(step: &Step, body: &[u8]) -> Result<Done, Malformed> {
    let value = json(body)?;
    let root = Fields::root(&value)?;
    match step {
        Step::CreateService(form) => Ok(Done::CreatedService(Box::new(created(&root, form)?))),
        Step::CreateEndpoint(form) => Ok(Done::CreatedEndpoint(Box::new(endpoint::created(&root, form)?))),
        _ => Ok(Done::Accepted),
    }
}

pub(super) fn json(body: &[u8]) -> Result<Value, Malformed> {
    serde_json::from_slice(body).map_err(|_| Malformed { what: "the answer is not JSON".to_owned() })
}

/// A service as reads show it. Reads by id do not show its tags, so none are taken from here.
fn service(from: &Fields<'_>) -> Result<Service, Malformed> {
    let cloud_state = from.text("ServiceStatus").unwrap_or_default();
    let kind = from.text("ServiceResourceType").and_then(|word| resource_kind(&word));
    let bandwidth_counts = matches!(kind, Some(ResourceKind::Clb | ResourceKind::Alb));
    Ok(Service {
        id: ServiceId::from(from.id("ServiceId")?),
        name: from.text("ServiceName").unwrap_or_default(),
        domain: from.text("ServiceDomain"),
        state: life_state(&cloud_state),
        cloud_state,
        locked: from.text("ServiceBusinessStatus").is_some_and(|status| status != "Normal"),
        kind,
        description: from.text("ServiceDescription"),
        auto_accept: from.truth("AutoAcceptEnabled"),
        payer: payer(from.text("Payer").as_deref()),
        zone_affinity: from.truth("ZoneAffinityEnabled"),
        default_bandwidth_mbps: from.number("ConnectBandwidth").filter(|_| bandwidth_counts),
        bandwidth_mbps: from.number("MinBandwidth").zip(from.number("MaxBandwidth")),
        family: family(from.text("AddressIpVersion").as_deref()),
        regions: regions(from)?,
        resource_group: from.text("ResourceGroupId"),
        tags: None,
    })
}

fn created(from: &Fields<'_>, form: &ServiceForm) -> Result<Service, Malformed> {
    let shown = service(from)?;
    Ok(Service {
        kind: Some(form.kind),
        payer: form.payer.unwrap_or(Payer::Consumer),
        tags: Some(form.tags.clone()),
        ..shown
    })
}

/// Consumer regions but for those that are closed, which stay listed for ever; the service's own is none of them.
fn regions(from: &Fields<'_>) -> Result<BTreeMap<Region, RegionState>, Malformed> {
    let own = from.text("RegionId");
    let mut regions = BTreeMap::new();
    for item in from.objects("SupportedRegionSet")? {
        let region = item.id("SupportedRegionId")?;
        let status = item.text("RegionServiceStatus");
        let state = match status.as_deref() {
            Some("Closed") => continue,
            Some("Available") => RegionState::Open,
            Some("Deleting") => RegionState::Closing,
            Some("Failed") => RegionState::Failed,
            // A word of tomorrow is no promise that endpoints can be made there.
            _ => RegionState::Opening,
        };
        let is_own = own.as_ref().or(item.text("ServiceRegionId").as_ref()) == Some(&region);
        if !is_own {
            regions.insert(Region::from(region), state);
        }
    }
    Ok(regions)
}

fn tags(from: &Fields<'_>) -> Result<Tags, Malformed> {
    let tag = |item: &Fields<'_>| Ok((item.id("Key")?, item.text("Value").unwrap_or_default()));
    from.objects("Tags")?.iter().map(tag).collect()
}

/// A load balancer of a service, or nothing if it is of a kind that no spec can declare: what nobody declares,
/// nobody touches, and the cloud itself refuses to delete a service that still has it.
fn resource(from: &Fields<'_>) -> Result<Option<(ResourceKey, Resource)>, Malformed> {
    let Some(kind) = resource_kind(&from.id("ResourceType")?) else { return Ok(None) };
    let key = ResourceKey { id: ResourceId::from(from.id("ResourceId")?), zone: Zone::from(from.id("ZoneId")?) };
    let resource = Resource {
        kind,
        auto_allocate: from.truth("AutoAllocatedEnabled"),
        connections: from.number("RelatedEndpointCount").unwrap_or(0),
        deprecated_connections: from.number("RelatedDeprecatedEndpointCount").unwrap_or(0),
    };
    Ok(Some((key, resource)))
}

/// One page of one of the two lists of principals; after the last page of account numbers come the ARNs.
fn principals(root: &Fields<'_>, page: &Page) -> Result<Answer, Malformed> {
    let (list, item) = match page.as_deref().and_then(|cursor| cursor.split_once(':')) {
        Some((ARNS, _)) => (ARNS, "UserARN"),
        _ => (ACCOUNTS, "UserId"),
    };
    let listed = root.items(list)?.iter().map(|one| one.id(item).map(Principal::from)).collect::<Result<_, _>>()?;
    let next = match root.next() {
        Some(token) => Some(format!("{list}:{token}")),
        None => (list == ACCOUNTS).then(|| format!("{ARNS}:")),
    };
    Ok(Answer::Principals(listed, next))
}

fn connection(from: &Fields<'_>) -> Result<Connection, Malformed> {
    let legs = from.objects("Zones")?;
    let zones: BTreeMap<Zone, ZoneLeg> = legs.iter().map(zone).collect::<Result<_, Malformed>>()?;
    let cloud_state = from.text("ConnectionStatus").unwrap_or_default();
    Ok(Connection {
        endpoint: EndpointId::from(from.id("EndpointId")?),
        owner: from.text("EndpointOwnerId").map(AccountId::from),
        vpc: from.text("EndpointVpcId").map(VpcId::from),
        region: from.text("EndpointRegionId").map(Region::from),
        state: connection_state(&cloud_state, &zones),
        cloud_state,
        bandwidth_mbps: from.number("Bandwidth"),
        traffic: from.text("TrafficControlMode").and_then(|word| traffic(&word)),
        zones,
    })
}

fn zone(from: &Fields<'_>) -> Result<(Zone, ZoneLeg), Malformed> {
    let leg = ZoneLeg {
        state: zone_state(from),
        resource: from.text("ResourceId").map(ResourceId::from),
        interface: from.text("EniId").map(InterfaceId::from),
        replaced_resource: from.text("ReplacedResourceId").map(ResourceId::from),
        replaced_interface: from.text("ReplacedEniId").map(InterfaceId::from),
    };
    Ok((Zone::from(from.id("ZoneId")?), leg))
}

fn zone_state(from: &Fields<'_>) -> ZoneState {
    match from.text("ZoneStatus").unwrap_or_default().as_str() {
        "Wait" => ZoneState::Waiting,
        other => ZoneState::from(other),
    }
}

fn life_state(word: &str) -> LifeState {
    match word {
        "Pending" => LifeState::Modifying,
        other => LifeState::from(other),
    }
}

/// The cloud has one word, Disconnected, for a connection that was never accepted, refused or cut. It is taken
/// for one that awaits acceptance while no zone has got beyond waiting. The vendor documents no other hint, and
/// this one is inferred: a refused connection whose zones wait again would look the same.
fn connection_state(word: &str, zones: &BTreeMap<Zone, ZoneLeg>) -> ConnectionState {
    let untouched = |leg: &ZoneLeg| leg.state.is_untouched();
    match word {
        "Disconnected" if zones.values().all(untouched) => ConnectionState::AwaitingAcceptance,
        "Pending" => ConnectionState::Modifying,
        other => ConnectionState::from(other),
    }
}

fn traffic(word: &str) -> Option<TrafficControl> {
    match word {
        "Scalability" => Some(TrafficControl::Elastic),
        "BandwidthLimit" => Some(TrafficControl::Limited),
        _ => None,
    }
}

fn resource_kind(word: &str) -> Option<ResourceKind> {
    match word {
        "slb" => Some(ResourceKind::Clb),
        "alb" => Some(ResourceKind::Alb),
        "nlb" => Some(ResourceKind::Nlb),
        "gwlb" => Some(ResourceKind::Gwlb),
        _ => None,
    }
}

fn payer(word: Option<&str>) -> Payer {
    if word == Some("EndpointService") { Payer::Provider } else { Payer::Consumer }
}

fn family(word: Option<&str>) -> AddressFamily {
    if word == Some("DualStack") { AddressFamily::DualStack } else { AddressFamily::V4 }
}
