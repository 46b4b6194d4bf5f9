//! Whose endpoint it is: found by tag, adopted, observed, retained, left to others; in sentences.

use std::collections::BTreeMap;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Adoption, Deletion, DesiredEndpoint, Management, Target};
use privatelink_core::id::{EndpointId, Sort};
use privatelink_core::owner::{self, Owner};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::status::EndpointStatus;
use privatelink_sim::world::call::{AcceptForm, EndpointForm, ZoneForm};
use privatelink_sim::world::{Answer, Call, Variants};

use crate::stage::{CONSUMER, PROVIDER, Stage, declared, endpoint_id, is_ready, says};

/// Somebody's endpoint on the service, with interfaces in these subnets and these groups, accepted.
fn foreign(stage: &mut Stage<DesiredEndpoint>, subnets: &[&str], groups: &[&str]) -> EndpointId {
    let land = stage.world.land.clone();
    let zone = |subnet: &&str| ZoneForm { zone: None, switch: land.switch_named(subnet), ip: None, ipv6: None };
    let form = EndpointForm {
        service: stage.the_service().id,
        service_region: None,
        kind: None,
        vpc: land.vpc_named("vpc-consumer"),
        zones: subnets.iter().map(zone).collect(),
        groups: groups.iter().map(|name| land.group_named(name)).collect(),
        name: Some("by-hand".into()),
        description: None,
        policy: None,
        protected: false,
        ip_version: None,
        zone_affinity: false,
        cross_region_bandwidth_mbps: None,
        resource_group: None,
        tags: BTreeMap::new(),
    };
    let Ok(Answer::Endpoint(id)) = stage.elsewhere(CONSUMER, Call::CreateEndpoint(form)) else { panic!("none") };
    stage.settle_world();
    stage.accept();
    endpoint_id(id)
}

fn adopting(subnets: &[&str], held: &[&str], groups: &[&str]) -> Stage<DesiredEndpoint> {
    let mut stage = Stage::offered(&["lb-hot", "lb-g"], declared(subnets));
    let id = foreign(&mut stage, held, groups);
    stage.desired.common.adoption = Adoption::Yes(id.into());
    stage.desired.common.deletion = Deletion::Retain;
    stage
}

#[test]
fn a_lost_status_is_found_again_by_tag() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.status = EndpointStatus::default();
    stage.restart();
    stage.rest();
    is_ready(&stage);
    assert!(stage.calls.is_empty(), "nothing is written");
    assert_eq!(stage.status.creation.account, Some("2".into()));
    assert_eq!(stage.world.endpoints.len(), 1);
}

#[test]
fn a_status_that_somebody_takes_away_is_found_again_although_a_read_by_id_shows_no_tags() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.read_by_id();
    stage.status = EndpointStatus::default();
    stage.rest();
    is_ready(&stage);
    assert!(stage.calls.is_empty() && stage.refusals == 0, "{:?}", stage.calls);
    stage.read_by_id();
    stage.status = EndpointStatus::default();
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.world.endpoints.is_empty(), "it is not left behind");
}

#[test]
fn two_endpoints_with_its_tags_are_both_left_alone() {
    let variants = Variants::default().with("oneEndpointPer", "nothing").expect("a variant");
    let mut stage = Stage::offered_with(&["lb-hot", "lb-g"], declared(&["vsw-f"]), variants);
    stage.rest();
    let mut twin = stage.the_endpoint().clone();
    twin.id.number = 2;
    twin.zones.clear();
    stage.world.endpoints.insert(twin.id, twin);
    stage.status = EndpointStatus::default();
    stage.restart();
    stage.calls.clear();
    stage.rest();
    let message = says(&stage, Reason::AmbiguousMatch);
    assert!(message.contains("ep-1, ep-2"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(!stage.released && stage.calls.is_empty());
    assert_eq!(stage.world.endpoints.len(), 2);
}

#[test]
fn a_copied_status_does_not_give_another_objects_endpoint_away() {
    let mut thief = Stage::standing(&["vsw-f"]);
    thief.desired.common.owner = Owner { name: "thief".into(), uid: "uid-2".into(), ..thief.desired.common.owner };
    thief.restart();
    thief.rest();
    let message = says(&thief, Reason::OwnershipConflict);
    assert!(message.contains("team/db"), "{message}");
    thief.desired.common.deleting = true;
    thief.rest();
    assert!(thief.released && thief.calls.is_empty());
    assert_eq!(thief.world.endpoints.len(), 1, "what is not ours is left");
}

#[test]
fn a_namesake_takes_over_only_when_the_old_object_is_gone() {
    let mut heir = Stage::standing(&["vsw-f"]);
    heir.desired.common.owner.uid = "uid-2".into();
    heir.status = EndpointStatus::default();
    heir.restart();
    heir.living = ["uid-1".to_owned(), "uid-2".to_owned()].into();
    heir.rest();
    says(&heir, Reason::OwnershipConflict);
    assert!(heir.calls.is_empty());
    heir.living = ["uid-2".to_owned()].into();
    heir.rest();
    is_ready(&heir);
    assert_eq!(heir.calls, ["TagEndpoint"]);
    assert_eq!(heir.the_endpoint().tags.get(owner::UID).map(ToString::to_string), Some("uid-2".into()));
    assert_eq!(heir.world.endpoints.len(), 1);
}

#[test]
fn an_adopted_endpoint_is_tagged_and_made_as_declared() {
    let mut stage = adopting(&["vsw-f", "vsw-g"], &["vsw-f"], &["sg-a"]);
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["TagEndpoint", "UpdateEndpoint", "AddZone"], "what takes nothing away needs nobody");
    assert_eq!(stage.the_endpoint().name.as_deref(), Some("db"));
    assert_eq!(stage.status.creation.account, Some("2".into()));
}

#[test]
fn what_an_adopted_endpoint_would_lose_needs_a_persons_word() {
    let mut stage = adopting(&["vsw-f"], &["vsw-f", "vsw-g"], &["sg-a", "sg-b"]);
    let plan = stage.rest();
    let message = says(&stage, Reason::AdoptionApprovalNeeded);
    assert_eq!(
        message,
        "adopting ep-1 would: change attributes; change tags; leave sg-b; remove the interface in vsw-g; set the annotation privatelink.dev/adoption-approved to ep-1, or declare what it has"
    );
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert_eq!(plan.next, Next::Person);
    assert!(stage.calls.is_empty(), "nothing is written before");
    stage.desired.common.annotations.adoption_approved = Some("ep-1".into());
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["TagEndpoint", "UpdateEndpoint", "DetachSecurityGroup", "RemoveZone"]);

    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released);
    assert_eq!(stage.calls, ["TagEndpoint", "UntagEndpoint"]);
    let tags: Vec<String> = stage.the_endpoint().tags.keys().map(ToString::to_string).collect();
    assert_eq!(tags, [owner::RETAINED]);
    assert_eq!(stage.subnets(), ["vsw-f"], "it stays as it is");
}

#[test]
fn adoption_needs_an_id_that_exists_and_a_right() {
    let mut stage = Stage::offered(&["lb-hot"], declared(&["vsw-f"]));
    stage.desired.common.adoption = Adoption::Yes(Sort::Endpoint.with("ep-9"));
    stage.rest();
    says(&stage, Reason::ReferenceNotFound);
    stage.desired.common.adoption = Adoption::NotPermitted(Sort::Endpoint.with("ep-9"));
    stage.rest();
    says(&stage, Reason::AccountNotPermitted);
    stage.desired.common.adoption = Adoption::ClaimedBy(Sort::Endpoint.with("ep-9"), "team/first".into());
    stage.rest();
    assert!(says(&stage, Reason::OwnershipConflict).contains("team/first"));
    assert!(stage.calls.is_empty());
}

#[test]
fn an_endpoint_of_another_service_is_not_adopted() {
    let mut stage = adopting(&["vsw-f"], &["vsw-f"], &["sg-a"]);
    stage.desired.target = Target::Known { id: Some("epsrv-1-7".into()), name: None, region: None };
    stage.rest();
    says(&stage, Reason::ServiceReplaced);
    assert!(stage.calls.is_empty());
}

#[test]
fn observing_writes_nothing() {
    let mut stage = adopting(&["vsw-f", "vsw-g"], &["vsw-f"], &["sg-a"]);
    stage.desired.common.management = Management::Observe;
    let plan = stage.rest();
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded), "traffic flows: {message}");
    assert!(message.contains("ep-1 is observed only, and differs"), "{message}");
    assert!(message.contains("add an interface in vsw-g"), "{message}");
    assert_ne!(plan.next, Next::Person);
    stage.edit(|desired| {
        desired.zones = None;
        desired.groups = None;
        desired.name = None;
    });
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.status.endpoint_id, Some("ep-1".into()));
    stage.reject();
    stage.sweep();
    stage.rest();
    says(&stage, Reason::RejectedByProvider);
    stage.accept();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.calls.is_empty());
    assert_eq!(stage.world.endpoints.len(), 1);
}

#[test]
fn an_observed_endpoint_that_moves_is_followed() {
    let mut stage = adopting(&["vsw-f"], &["vsw-f"], &["sg-a"]);
    stage.desired.common.management = Management::Observe;
    stage.desired.name = None;
    stage.reject();
    stage.sweep();
    stage.rest();
    let key = stage.connection();
    stage.elsewhere(PROVIDER, Call::AcceptConnection(key, AcceptForm::default())).expect("accepted");
    stage.sweep();
    let plan = stage.turn();
    assert!(matches!(plan.next, Next::Moving { .. }), "{plan:?}");
    stage.rest();
    is_ready(&stage);
}
