//! The provider's side from manifest to cloud and back, step by step, in sentences.

use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Adoption, Deletion, Management};
use privatelink_core::id::Sort;
use privatelink_core::observed::{RegionState, ResourceKey};
use privatelink_core::owner::{self, Owner};
use privatelink_core::plan::{Next, Truth};
use privatelink_sim::world::call::{ObjectId, ResourceForm, ServiceForm, UntagKeys};
use privatelink_sim::world::{Answer, Call, Progress, ServiceId as WorldId, advance, progress};

use crate::stage::{BALANCERS, PROVIDER, Stage, Trouble, desired, is_ready, key, says, wire_id};

#[test]
fn a_declared_service_is_made_by_one_call_and_becomes_ready() {
    let mut stage = Stage::new(desired(&["lb-hot", "lb-g"]));
    let first = stage.turn();
    assert_eq!(stage.calls, ["CreateService"]);
    assert!(matches!(first.next, Next::Moving { .. }));
    assert_eq!(says(&stage, Reason::Provisioning), "epsrv-1-1 is being created");
    let plan = stage.rest();
    is_ready(&stage);
    assert_eq!(plan.next, Next::Settled);
    assert_eq!(stage.calls, ["CreateService"]);
    assert_eq!(stage.status.service_id, Some("epsrv-1-1".into()));
    assert_eq!(stage.status.creation.creating, None);
    assert_eq!(stage.the_service().resources.len(), 2);
    assert_eq!(stage.said(ConditionType::Reconciling), None, "present only while true");
}

#[test]
fn an_object_that_is_settled_costs_no_call_and_changes_no_status() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.sweep();
    stage.turn();
    let (calls, status) = (stage.calls.len(), stage.status.clone());
    for _ in 0..3 {
        stage.sweep();
        stage.turn();
    }
    stage.restart();
    stage.turn();
    assert_eq!((stage.calls.len(), &stage.status), (calls, &status));
}

#[test]
fn what_is_to_be_made_is_written_down_before_it_is_made() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    assert!(stage.turn_with((0, Trouble::CrashBefore)).is_none());
    assert!(stage.world.services.is_empty());
    let creating = stage.status.creation.creating.clone().expect("written before the call");
    assert_eq!(stage.status.creation.account, Some("1".into()));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    assert_eq!(stage.world.services.len(), 1);
    assert_eq!(stage.status.creation.creating, Some(creating), "the same attempt goes on");
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.world.services.len(), 1);
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.turn_with((0, Trouble::LostAnswer));
    assert_eq!(stage.world.services.len(), 1);
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.world.services.len(), 1);
}

#[test]
fn a_spec_edited_after_a_lost_create_finds_what_was_made() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.edit(|desired| desired.description = Some("another form".into()));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.the_service().description.as_deref(), Some("another form"));
}

#[test]
fn a_lost_status_is_found_again_by_tag() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let before = stage.calls.len();
    stage.status = privatelink_core::status::ServiceStatus::default();
    stage.restart();
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls.len(), before, "nothing is written");
    assert_eq!(stage.world.services.len(), 1);
}

#[test]
fn two_services_with_its_tags_are_both_left_alone() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let tags = stage.the_service().tags.clone();
    stage.elsewhere(PROVIDER, Call::CreateService(ServiceForm { tags, ..ServiceForm::default() })).expect("made");
    stage.settle_world();
    stage.status = privatelink_core::status::ServiceStatus::default();
    stage.restart();
    let calls = stage.calls.len();
    stage.rest();
    let message = says(&stage, Reason::AmbiguousMatch);
    assert!(message.contains("epsrv-1-1, epsrv-1-2"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert_eq!(stage.calls.len(), calls);
}

#[test]
fn each_mutable_field_is_changed_by_one_call_and_returns_when_it_is_removed() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.calls.clear();
    stage.edit(|desired| {
        desired.description = Some("for tenants".into());
        desired.auto_accept = true;
        desired.default_bandwidth_mbps = Some(200);
        desired.zone_affinity = Some(true);
        desired.regions = Some(["cn-shanghai".into()].into());
    });
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateService"], "all attributes in one call");
    let service = stage.the_service();
    assert!(service.auto_accept && service.zone_affinity);
    assert_eq!(service.connect_bandwidth_mbps, Some(200));
    assert_eq!(service.consumer_regions.len(), 1);

    stage.calls.clear();
    stage.edit(|desired| {
        desired.description = None;
        desired.auto_accept = false;
        desired.default_bandwidth_mbps = None;
        desired.zone_affinity = None;
        desired.regions = None;
    });
    stage.restart();
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateService"]);
    let service = stage.the_service();
    assert!(!service.auto_accept && !service.zone_affinity);
    assert_eq!(service.connect_bandwidth_mbps, Some(3_072), "the cloud's default");
    assert_eq!(service.description.as_deref(), Some("for tenants"), "a description is left as it is");
    let standing = service.consumer_regions.values().next().expect("listed");
    assert_eq!(*standing, privatelink_sim::world::object::ConsumerRegion::Closed);
    assert_eq!(stage.status.common.declared_fields, std::collections::BTreeSet::new());
}

/// The service itself can be used again; what moves beside it moves on.
fn is_active_again(stage: &mut Stage) {
    let due = progress(&stage.world).into_iter().find(|due| matches!(due, Progress::Service(_)));
    stage.world = advance(&stage.world, due.expect("it is being changed"));
    stage.pass(Duration::from_secs(5));
}

#[test]
fn a_service_is_ready_once_each_of_its_regions_is_open_and_settled_once_the_others_are_closed() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.edit(|desired| desired.regions = Some(["cn-shanghai".into()].into()));
    stage.turn();
    is_active_again(&mut stage);
    let plan = stage.turn();
    assert_eq!(says(&stage, Reason::Provisioning), "epsrv-1-1 is not open in cn-shanghai yet");
    assert!(matches!(plan.next, Next::Moving { .. }), "{plan:?}");
    stage.rest();
    is_ready(&stage);

    stage.calls.clear();
    stage.edit(|desired| desired.regions = Some([].into()));
    stage.turn();
    is_active_again(&mut stage);
    let plan = stage.turn();
    is_ready(&stage);
    assert!(matches!(plan.next, Next::Moving { .. }), "{plan:?}");
    // What is declared again while it is being closed is opened once it is closed.
    stage.edit(|desired| desired.regions = Some(["cn-shanghai".into()].into()));
    stage.turn();
    assert_eq!(stage.calls, ["UpdateService"]);
    says(&stage, Reason::Provisioning);
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateService", "UpdateService"]);
}

#[test]
fn a_region_that_the_cloud_could_not_open_is_a_persons_business_and_nobodys_where_it_is_not_declared() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.desired.regions = Some(["cn-shanghai".into()].into());
    stage.rest();
    is_ready(&stage);
    stage.calls.clear();
    let service = stage.snapshot.service_mut(&"epsrv-1-1".into()).service.value_mut();
    let regions = &mut service.and_then(Option::as_mut).expect("it was read").regions;
    assert_eq!(regions.insert("cn-shanghai".into(), RegionState::Failed), Some(RegionState::Open));
    let plan = stage.turn();
    let message = says(&stage, Reason::Degraded);
    assert!(message.contains("could not open cn-shanghai for epsrv-1-1: close it in the cloud's console"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert_eq!((plan.next, stage.calls.len()), (Next::Person, 0), "it is not asked for again and again");
    assert_eq!(stage.said(ConditionType::Provisioned).map(|(truth, ..)| truth), Some(Truth::False));
    stage.edit(|desired| desired.regions = None);
    let plan = stage.turn();
    is_ready(&stage);
    assert_eq!((plan.next, stage.calls.len()), (Next::Settled, 0), "nor closed again and again");
}

#[test]
fn tags_and_resource_group_follow_the_spec() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.elsewhere(PROVIDER, tag(&stage, "billing", "theirs")).expect("tagged by someone else");
    stage.sweep();
    stage.edit(|desired| {
        desired.common.tags.insert("team".into(), "a".into());
        desired.common.resource_group = Some("rg-other".into());
    });
    stage.rest();
    let value = |stage: &Stage, key: &str| stage.the_service().tags.get(key).map(ToString::to_string);
    assert_eq!(value(&stage, "team"), Some("a".into()));
    assert_eq!(&*stage.the_service().resource_group, "rg-other");
    stage.edit(|desired| {
        desired.common.tags.clear();
        desired.common.resource_group = None;
    });
    stage.rest();
    assert_eq!(value(&stage, "team"), None, "what was declared and is not any more is removed");
    assert_eq!(value(&stage, "billing"), Some("theirs".into()), "what nobody declared nobody removes");
    assert_eq!(&*stage.the_service().resource_group, "rg-other", "left as it is");
}

fn tag(stage: &Stage, key: &str, value: &str) -> Call {
    Call::Tag(vec![ObjectId::Service(stage.the_service().id)], [(key.into(), value.into())].into())
}

#[test]
fn load_balancers_come_before_others_go_and_a_used_one_is_waited_for() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let consumer = stage.connected();
    stage.sweep();
    stage.calls.clear();
    stage.edit(|desired| desired.resources = [(key("lb-cool"), true)].into());
    let plan = stage.rest();
    assert_eq!(stage.calls, ["AttachResource", "SetAutoAllocate"], "no new connections on the one that leaves");
    assert_eq!(plan.next, Next::Others);
    is_ready(&stage);
    let (_, reason, message) = stage.said(ConditionType::Evacuating).expect("while it is so");
    assert_eq!(reason, Reason::BlockedByConnections);
    assert!(message.contains("lb-hot"), "{message}");
    assert_eq!(stage.status.leaving.len(), 1);

    stage.elsewhere(PROVIDER, Call::RejectConnection(consumer)).expect("cut by a person");
    stage.settle_world();
    stage.sweep();
    stage.rest();
    assert_eq!(stage.calls.last(), Some(&"DetachResource"));
    assert_eq!(stage.the_service().resources.len(), 1);
    assert!(stage.status.leaving.is_empty());
    assert_eq!(stage.said(ConditionType::Evacuating), None);
}

#[test]
fn automatic_allocation_moves_without_breaking_the_rule_of_one_in_each_zone() {
    let mut stage = Stage::new(desired(&["lb-hot", "lb-cool"]));
    stage.edit(|desired| {
        desired.resources.insert(key("lb-cool"), false);
    });
    stage.rest();
    is_ready(&stage);
    stage.edit(|desired| {
        desired.resources.insert(key("lb-cool"), true);
        desired.resources.insert(key("lb-hot"), false);
    });
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["CreateService", "SetAutoAllocate", "SetAutoAllocate", "SetAutoAllocate"]);
}

#[test]
fn more_load_balancers_than_one_create_takes_are_attached_one_by_one() {
    let mut stage = Stage::new(desired(&BALANCERS));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.the_service().resources.len(), BALANCERS.len());
    assert_eq!(stage.calls, ["CreateService"]);
}

#[test]
fn drift_is_corrected() {
    let mut stage = Stage::new(desired(&["lb-hot", "lb-cool"]));
    stage.rest();
    let id = stage.the_service().id;
    let hot = ResourceForm { balancer: stage.world.land.balancer_named("lb-hot"), kind: None, zone: None };
    let spare = ResourceForm { balancer: stage.world.land.balancer_named("lb-spare"), kind: None, zone: None };
    stage.elsewhere(PROVIDER, Call::DetachResource(id, hot)).expect("detached behind its back");
    stage.settle_world();
    stage.elsewhere(PROVIDER, Call::AttachResource(id, spare)).expect("attached behind its back");
    stage.settle_world();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
    let names: Vec<_> = stage.status.resources.iter().map(|(key, ..)| key.id.as_str().to_owned()).collect();
    assert_eq!(names, ["lb-cool", "lb-hot"]);
}

#[test]
fn a_clb_declared_in_another_zone_than_its_own_is_said_and_not_attached_again() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    let own: Vec<_> = stage.desired.resources.keys().cloned().collect();
    let key = |zone: &str| privatelink_core::observed::ResourceKey { id: "lb-hot".into(), zone: zone.into() };
    stage.rest();
    assert!(stage.said(ConditionType::Stalled).is_none());
    stage.edit(|desired| desired.resources = [(key("cn-hangzhou-g"), true)].into());
    let calls = stage.calls.len();
    stage.rest();
    let message = says(&stage, Reason::InvalidSpec);
    assert_eq!(
        message,
        "resources: lb-hot is in cn-hangzhou-f, not in cn-hangzhou-g: correct its zone in spec.resources"
    );
    assert_eq!(stage.calls.len(), calls, "nothing is called");
    assert_eq!(own, [key("cn-hangzhou-f")]);
}

#[test]
fn a_missing_load_balancer_is_said_and_tried_again_only_when_the_spec_changes() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.edit(|desired| {
        desired.resources.insert(ResourceKey { id: "lb-none".into(), zone: "cn-hangzhou-f".into() }, true);
    });
    stage.rest();
    let message = says(&stage, Reason::ReferenceNotFound);
    assert!(message.starts_with("CreateService of the service with lb-hot, lb-none: NoBalancer"), "{message}");
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert!(stage.world.services.is_empty());
    assert_eq!(
        stage.status.common.last_error.as_ref().map(|error| error.code.as_str()),
        Some("NoBalancer { alb: false }")
    );
    stage.edit(|desired| desired.resources = [(key("lb-hot"), true)].into());
    stage.rest();
    is_ready(&stage);
}

#[test]
fn a_service_deleted_by_someone_else_is_not_made_again_by_itself() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let id = wire_id(stage.the_service().id);
    stage.world.services.clear();
    stage.sweep();
    stage.rest();
    let message = says(&stage, Reason::ExternallyDeleted);
    assert!(message.contains("privatelink.dev/allow-recreate"), "{message}");
    assert!(stage.world.services.is_empty());
    assert_eq!(stage.status.service_id, Some(id.clone()), "the lost id stays for the annotation");
    stage.desired.common.annotations.allow_recreate = Some("epsrv-other".into());
    stage.rest();
    assert!(stage.world.services.is_empty());
    stage.desired.common.annotations.allow_recreate = Some(id.as_str().into());
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.status.creation.incarnation, 1);
    assert_eq!(stage.status.service_id, Some("epsrv-1-2".into()));
}

#[test]
fn the_absence_of_a_young_service_is_believed_when_a_second_read_misses_it_too() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.desired.common.created = stage.now;
    stage.world.services.clear();
    // Read again, as a person who asks for it has it read.
    stage.restart();
    let first = stage.turn();
    assert!(matches!(first.next, Next::Moving { .. }), "{first:?}");
    is_ready(&stage);
    stage.now = stage.now + std::time::Duration::from_secs(2);
    stage.turn();
    says(&stage, Reason::ExternallyDeleted);
}

#[test]
fn a_service_that_no_read_has_shown_yet_is_not_left_behind_by_a_deletion() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.turn();
    stage.desired.common.created = stage.now;
    let made = std::mem::take(&mut stage.world.services);
    stage.restart();
    stage.desired.common.deleting = true;
    stage.now = stage.now + std::time::Duration::from_secs(10);
    let plan = stage.turn();
    assert!(matches!(plan.next, Next::Moving { .. }) && !stage.released, "{plan:?}");
    stage.world.services = made;
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

/// The cloud may have answered nothing meanwhile: what was missed before says nothing of today.
#[test]
fn a_service_that_was_missed_when_it_was_young_is_read_again_before_it_is_believed_gone() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.turn();
    let made = std::mem::take(&mut stage.world.services);
    stage.restart();
    stage.desired.common.deleting = true;
    stage.now = stage.now + std::time::Duration::from_secs(10);
    stage.turn();
    stage.world.services = made;
    stage.now = stage.now + std::time::Duration::from_mins(10);
    stage.turn();
    assert!(!stage.released || stage.world.services.is_empty());
    stage.rest();
    assert!(stage.released && stage.world.services.is_empty());
}

#[test]
fn nothing_is_concluded_when_everything_vanishes_at_once() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.elsewhere(PROVIDER, Call::CreateService(ServiceForm::default())).expect("another's");
    stage.settle_world();
    stage.sweep();
    stage.world.services.clear();
    stage.sweep();
    stage.turn();
    let (truth, reason, _) = stage.ready().expect("something is said");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::CloudUnavailable));
    assert_eq!(stage.calls, ["CreateService"]);
}

#[test]
fn a_copied_status_does_not_give_another_objects_service_away() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let mut thief = stage.clone();
    thief.desired.common.owner = Owner { name: "thief".into(), uid: "uid-2".into(), ..thief.desired.common.owner };
    thief.restart();
    thief.rest();
    let message = says(&thief, Reason::OwnershipConflict);
    assert!(message.contains("team/gateway"), "{message}");
    thief.desired.common.deleting = true;
    thief.rest();
    assert!(thief.released);
    assert_eq!(thief.world.services.len(), 1, "what is not ours is left");
}

#[test]
fn a_namesake_takes_over_only_when_the_old_object_is_gone() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let mut heir = stage.clone();
    heir.desired.common.owner.uid = "uid-2".into();
    heir.status = privatelink_core::status::ServiceStatus::default();
    heir.restart();
    heir.living = ["uid-1".to_owned(), "uid-2".to_owned()].into();
    heir.rest();
    says(&heir, Reason::OwnershipConflict);
    heir.living = ["uid-2".to_owned()].into();
    heir.rest();
    is_ready(&heir);
    assert_eq!(heir.the_service().tags.get(owner::UID).map(ToString::to_string), Some("uid-2".into()));
    assert_eq!(heir.world.services.len(), 1);
}

#[test]
fn lost_ownership_tags_are_not_guessed() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    let id = stage.the_service().id;
    stage.elsewhere(PROVIDER, Call::Untag(vec![ObjectId::Service(id)], UntagKeys::All)).expect("untagged");
    stage.sweep();
    stage.edit(|desired| desired.description = Some("changed".into()));
    stage.rest();
    let message = says(&stage, Reason::OwnershipConflict);
    assert!(message.contains("set adopt.id"), "{message}");
    assert_eq!(stage.the_service().description, None);
}

fn foreign(stage: &mut Stage, resources: &[&str]) -> WorldId {
    let forms = resources.iter().map(|name| ResourceForm {
        balancer: stage.world.land.balancer_named(name),
        kind: None,
        zone: None,
    });
    let form = ServiceForm { resources: forms.collect(), ..ServiceForm::default() };
    let Ok(Answer::Service(id)) = stage.elsewhere(PROVIDER, Call::CreateService(form)) else { panic!("no service") };
    stage.settle_world();
    id
}

#[test]
fn an_adopted_service_is_tagged_and_made_as_declared_once_a_person_agrees_to_what_it_loses() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    let id = wire_id(foreign(&mut stage, &["lb-hot", "lb-cool"]));
    stage.desired.common.adoption = Adoption::Yes(id.clone().into());
    stage.desired.common.deletion = Deletion::Retain;
    stage.rest();
    let message = says(&stage, Reason::AdoptionApprovalNeeded);
    assert!(message.contains("detach lb-cool"), "{message}");
    assert!(stage.calls.is_empty(), "nothing is written before");
    stage.desired.common.annotations.adoption_approved = Some(id.as_str().into());
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["TagService", "DetachResource"]);
    stage.calls.clear();
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released);
    assert_eq!(stage.calls, ["TagService", "UntagService"]);
    let tags: Vec<String> = stage.the_service().tags.keys().map(ToString::to_string).collect();
    assert_eq!(tags, [owner::RETAINED]);
}

#[test]
fn adoption_needs_an_id_that_exists_and_a_right() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.desired.common.adoption = Adoption::Yes(Sort::Service.with("epsrv-1-9"));
    stage.rest();
    says(&stage, Reason::ReferenceNotFound);
    stage.desired.common.adoption = Adoption::NotPermitted(Sort::Service.with("epsrv-1-9"));
    stage.rest();
    says(&stage, Reason::AccountNotPermitted);
    stage.desired.common.adoption = Adoption::ClaimedBy(Sort::Service.with("epsrv-1-9"), "team/first".into());
    stage.rest();
    assert!(says(&stage, Reason::OwnershipConflict).contains("team/first"));
    assert!(stage.calls.is_empty());
}

#[test]
fn observing_writes_nothing() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    let id = wire_id(foreign(&mut stage, &["lb-hot", "lb-cool"]));
    stage.desired.common.adoption = Adoption::Yes(id.clone().into());
    stage.desired.common.management = Management::Observe;
    stage.rest();
    let message = says(&stage, Reason::Degraded);
    assert!(message.contains("detach lb-cool"), "{message}");
    stage.edit(|desired| desired.resources.clear());
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.status.service_id, Some(id));
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released && stage.calls.is_empty());
    assert_eq!(stage.world.services.len(), 1);
}

#[test]
fn a_load_balancer_that_is_refused_to_go_because_it_is_used_is_looked_at_again() {
    let mut stage = Stage::new(desired(&["lb-hot", "lb-cool"]));
    stage.rest();
    stage.sweep();
    stage.connected();
    stage.calls.clear();
    let used =
        stage.the_service().resources.keys().find(|key| stage.world.load_of(stage.the_service().id, **key).current > 0);
    let used = BALANCERS[usize::from(used.expect("one is used").0.0)];
    let other = if used == "lb-hot" { "lb-cool" } else { "lb-hot" };
    stage.edit(|desired| desired.resources = [(key(other), true)].into());
    stage.turn();
    assert_eq!(stage.calls, ["SetAutoAllocate"], "it is looked at, and no new ones are let in");
    let message = stage.said(ConditionType::Evacuating).expect("it is waited for").2;
    assert!(message.contains(used), "{message}");
    stage.rest();
    is_ready(&stage);
}

#[test]
fn another_account_under_the_same_name_is_noticed() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.status.creation.account = Some("999".into());
    stage.rest();
    let message = says(&stage, Reason::AccountMismatch);
    assert!(message.contains("account 999"), "{message}");
}

#[test]
fn unclaimed_connections_are_listed_with_the_reason() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.endpoint();
    stage.sweep();
    stage.turn();
    let counts = stage.status.counts.expect("counted");
    assert_eq!((counts.total, counts.awaiting), (1, 1));
    let unclaimed = &stage.status.unclaimed[0];
    assert_eq!(unclaimed.reason, "no WhitelistEntry of this service names account 2");
    let since = unclaimed.since;
    stage.sweep();
    stage.turn();
    assert_eq!(stage.status.unclaimed[0].since, since);
}

#[test]
fn a_locked_account_is_told_to_pay() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.world.accounts.get_mut(&PROVIDER.account).expect("the provider").locked = true;
    stage.sweep();
    stage.turn();
    says(&stage, Reason::BillingLocked);
}

#[test]
fn what_no_call_can_change_is_refused_by_name() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.edit(|desired| desired.payer = Some(privatelink_core::observed::Payer::Provider));
    stage.rest();
    let message = says(&stage, Reason::InvalidSpec);
    assert!(message.starts_with("payer: epsrv-1-1 has Consumer"), "{message}");
}

#[test]
fn a_tag_whose_call_got_no_answer_is_not_forgotten() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.edit(|desired| {
        desired.common.tags.insert("team".into(), "a".into());
    });
    stage.turn_with((0, Trouble::LostAnswer));
    stage.edit(|desired| desired.common.tags.clear());
    stage.rest();
    assert!(!stage.the_service().tags.contains_key("team"), "{:?}", stage.the_service().tags);
}

#[test]
fn a_doubt_about_a_service_ends_when_the_service_is_gone() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.edit(|desired| {
        desired.resources.insert(key("lb-cool"), true);
    });
    stage.turn_with((0, Trouble::LostForEver));
    stage.rest();
    says(&stage, Reason::ExternallyDeleted);
}

#[test]
fn a_tag_that_was_set_before_a_crash_is_not_forgotten() {
    let mut stage = Stage::new(desired(&["lb-hot"]));
    stage.rest();
    stage.edit(|desired| {
        desired.common.tags.insert("team".into(), "a".into());
    });
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.edit(|desired| desired.common.tags.clear());
    stage.rest();
    assert!(!stage.the_service().tags.contains_key("team"), "{:?}", stage.the_service().tags);
}
