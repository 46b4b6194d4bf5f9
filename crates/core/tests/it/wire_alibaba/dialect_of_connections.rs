//! The codec against the simulated cloud, which was written without it: who is let in, and the whole life of a
//! connection, as its provider leads it.

use std::collections::BTreeSet;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{EndpointId, ServiceId};
use privatelink_core::observed::{ResourceKind, TrafficControl};
use privatelink_core::principal::Principal;
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::state::{ConnectionState, ZoneState};
use privatelink_core::step::{EndpointForm, InterfaceForm, ServiceForm, Step, Traffic};
use privatelink_core::wire::alibaba::sign::Key;
use privatelink_sim::world::Variants;

use super::dialect::{PROVIDER, Stage};
use super::{bare_endpoint_form, bare_form, key};

const TENANT: Key<'static> = Key { id: "consumer-key", secret: "consumer-secret", token: None };
const TENANTS_NUMBER: &str = "1002000000000002";
/// The provider's own number, which its services list from the beginning.
const OWN: &str = "1001000000000001";
pub const F: &str = "cn-hangzhou-f";
const G: &str = "cn-hangzhou-g";

fn principals(stage: &mut Stage, service: &ServiceId) -> BTreeSet<Principal> {
    let (mut all, mut page) = (BTreeSet::new(), None);
    loop {
        let read = Read::Principals(service.clone(), page);
        let answer = stage.read_with(&read, &PROVIDER).expect("a page");
        let Answer::Principals(shown, next) = answer else { panic!("principals") };
        all.extend(shown);
        match next {
            Some(next) => page = Some(next),
            None => return all,
        }
    }
}

fn listed(principals: &[&str]) -> BTreeSet<Principal> {
    principals.iter().map(|one| Principal::from(*one)).collect()
}

fn refusal(stage: &mut Stage, step: &Step) -> Failure {
    stage.execute_with(step, &PROVIDER).expect_err("refused")
}

pub fn service(stage: &mut Stage, kind: ResourceKind, balancers: &[(&str, &str)]) -> ServiceId {
    let resources = balancers.iter().map(|(id, zone)| key(id, zone)).collect();
    stage.create(&ServiceForm { resources, ..bare_form(kind) })
}

/// An endpoint of the tenant's in these subnets and their zones.
pub fn endpoint(stage: &mut Stage, service: &ServiceId, zones: &[(&str, &str)]) -> EndpointId {
    stage.execute(&Step::AllowPrincipal(service.clone(), TENANTS_NUMBER.into()));
    let open = |zone: &str| InterfaceForm { zone: zone.into(), ip: None, ipv6: None };
    let form = EndpointForm {
        service: Some(service.clone()),
        vpc: "vpc-tenant".into(),
        zones: zones.iter().map(|(subnet, zone)| ((*subnet).into(), open(zone))).collect(),
        groups: ["sg-tenant".into()].into(),
        ..bare_endpoint_form()
    };
    match stage.execute_with(&Step::CreateEndpoint(form), &TENANT) {
        Ok(Done::CreatedEndpoint(made)) => made.id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn accounts_and_arns_are_listed_together_and_go_as_they_came() {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Clb, &[("lb-hot", F)]);
    assert_eq!(principals(&mut stage, &id), listed(&[OWN]));
    let arn = "acs:ram:*:1002000000000002";
    for principal in [TENANTS_NUMBER, arn, "*"] {
        stage.execute(&Step::AllowPrincipal(id.clone(), principal.into()));
    }
    assert_eq!(principals(&mut stage, &id), listed(&[OWN, TENANTS_NUMBER, arn, "acs:ram:*:*"]));
    for principal in [TENANTS_NUMBER, arn, "*"] {
        stage.execute(&Step::DisallowPrincipal(id.clone(), principal.into()));
    }
    assert_eq!(principals(&mut stage, &id), listed(&[OWN]));
    let gone = refusal(&mut stage, &Step::AllowPrincipal("epsrv-none".into(), TENANTS_NUMBER.into()));
    assert_eq!(gone.meaning, Meaning::Gone);
}

#[test]
fn more_principals_than_a_page_holds_are_all_listed() {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Clb, &[("lb-hot", F)]);
    let mut all = listed(&[OWN]);
    for number in 0..120_u64 {
        let account = (1_003_000_000_000_000 + number).to_string();
        let arn = format!("acs:ram:*:{}", 1_004_000_000_000_000 + number);
        for principal in [Principal::from(account), Principal::from(arn)].into_iter().take(1 + usize::from(number < 60))
        {
            stage.execute(&Step::AllowPrincipal(id.clone(), principal.clone()));
            all.insert(principal);
        }
    }
    assert_eq!(principals(&mut stage, &id), all);
    assert_eq!(all.len(), 181);
}

#[test]
fn a_connection_is_accepted_given_a_bandwidth_cut_and_accepted_again() {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Clb, &[("lb-hot", F), ("lb-hot-g", G)]);
    let endpoint = endpoint(&mut stage, &id, &[("vsw-tenant-f", F), ("vsw-tenant-g", G)]);
    let traffic = |bandwidth| Traffic { bandwidth_mbps: Some(bandwidth), control: None };
    stage.execute(&Step::AcceptConnection(id.clone(), endpoint.clone(), traffic(200)));
    let shown = stage.connection(&id);
    assert_eq!((shown.state, shown.bandwidth_mbps), (ConnectionState::Connected, Some(200)));
    assert_eq!(shown.region, Some("cn-hangzhou".into()));
    assert_eq!(shown.zones.values().map(|leg| leg.state.clone()).collect::<Vec<_>>(), vec![ZoneState::Connected; 2]);

    stage.execute(&Step::SetTraffic(id.clone(), endpoint.clone(), traffic(300)));
    assert_eq!(stage.connection(&id).bandwidth_mbps, Some(300));
    stage.execute(&Step::DisconnectZone(id.clone(), endpoint.clone(), G.into()));
    assert_eq!(stage.connection(&id).zones[&G.into()].state, ZoneState::Disconnected);
    stage.execute(&Step::ConnectZone(id.clone(), endpoint.clone(), G.into()));
    assert_eq!(stage.connection(&id).zones[&G.into()].state, ZoneState::Connected);

    stage.execute(&Step::RejectConnection(id.clone(), endpoint.clone()));
    assert_eq!(stage.connection(&id).state, ConnectionState::Disconnected);
    let set = refusal(&mut stage, &Step::SetTraffic(id.clone(), endpoint.clone(), traffic(200)));
    assert_eq!(set.meaning, Meaning::InTransition, "{set}");
    let none = refusal(&mut stage, &Step::AcceptConnection(id.clone(), "ep-none".into(), Traffic::default()));
    assert_eq!(none.meaning, Meaning::Gone, "{none}");
    stage.execute(&Step::AcceptConnection(id.clone(), endpoint, Traffic::default()));
    let again = stage.connection(&id);
    assert_eq!((again.state, again.bandwidth_mbps), (ConnectionState::Connected, Some(300)));
}

#[test]
fn only_a_limited_connection_to_a_network_load_balancer_has_a_bandwidth() {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Nlb, &[("nlb-hot", F)]);
    let endpoint = endpoint(&mut stage, &id, &[("vsw-tenant-f", F)]);
    let limited = Traffic { bandwidth_mbps: Some(200), control: Some(TrafficControl::Limited) };
    stage.execute(&Step::AcceptConnection(id.clone(), endpoint.clone(), limited));
    let shown = stage.connection(&id);
    assert_eq!((shown.bandwidth_mbps, shown.traffic), (Some(200), Some(TrafficControl::Limited)));
    let elastic = Traffic { bandwidth_mbps: None, control: Some(TrafficControl::Elastic) };
    stage.execute(&Step::SetTraffic(id.clone(), endpoint, elastic));
    assert_eq!(stage.connection(&id).traffic, Some(TrafficControl::Elastic));
}

/// Where accepting alone picks no load balancers, each zone is given one first.
#[test]
fn zones_are_given_load_balancers_before_the_connection_is_accepted() {
    let mut stage = Stage::new();
    let mut world = stage.cloud.state().clone();
    world.variants = Variants::default().with("autoAssignOnEnable", "false").expect("a variant");
    stage.cloud.set_state(world);
    let id = service(&mut stage, ResourceKind::Clb, &[("lb-hot", F)]);
    let endpoint = endpoint(&mut stage, &id, &[("vsw-tenant-f", F)]);
    let accept = Step::AcceptConnection(id.clone(), endpoint.clone(), Traffic::default());
    let refused = refusal(&mut stage, &accept);
    assert_eq!(refused.meaning, Meaning::Waiting(Reason::NoResourceInZone));
    assert!(refused.message.contains("autoAllocate: true in that zone to spec.resources"), "{refused}");
    stage.execute(&Step::PickResource(id.clone(), endpoint, F.into()));
    assert_eq!(stage.connection(&id).zones[&F.into()].resource, Some("lb-hot".into()));
    stage.execute(&accept);
    assert_eq!(stage.connection(&id).state, ConnectionState::Connected);
}
