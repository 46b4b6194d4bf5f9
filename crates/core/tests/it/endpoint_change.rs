//! An endpoint that stands is made as declared, whatever is edited and whatever other hands do to it, in sentences.

use std::net::Ipv4Addr;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::DesiredEndpoint;
use privatelink_core::plan::{Next, Truth};
use privatelink_sim::world::call::{
    AcceptForm, Assignment, EndpointChange, ObjectId, ResourceForm, UntagKeys, ZoneForm,
};
use privatelink_sim::world::object::LegStatus;
use privatelink_sim::world::{Answer, Call, Refusal};

use crate::stage::{CONSUMER, PROVIDER, Stage, Trouble, ZONES, form, is_ready, says};

fn subnets(list: &[&str]) -> impl FnOnce(&mut DesiredEndpoint) {
    let zones = list.iter().map(|subnet| ((*subnet).into(), form(subnet))).collect();
    move |desired| desired.zones = Some(zones)
}

/// The consumer's own hand, behind the operator's back.
fn behind(stage: &mut Stage<DesiredEndpoint>, call: Call) -> Result<Answer, Refusal> {
    let answer = stage.elsewhere(CONSUMER, call);
    stage.settle_world();
    answer
}

fn degraded(stage: &Stage<DesiredEndpoint>) -> String {
    let (truth, reason, message) = stage.ready().expect("said");
    assert_eq!((truth, reason), (Truth::True, Reason::Degraded), "{message}");
    message
}

#[test]
fn each_attribute_is_changed_by_one_call_and_returns_to_its_default_when_it_is_removed() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.world.accounts.get_mut(&PROVIDER.account).expect("the provider").vendor = true;
    let service = stage.the_service().id;
    stage.world.services.get_mut(&service).expect("there").ip_version =
        privatelink_sim::world::object::IpVersion::DualStack;
    stage.edit(|desired| {
        desired.name = Some("database".into());
        desired.description = Some("for the team".into());
        desired.zone_affinity = Some(true);
        desired.policy = Some(r#"{"Version": "1"}"#.into());
        desired.family = Some(privatelink_core::observed::AddressFamily::DualStack);
    });
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateEndpoint"], "all attributes in one call");
    let endpoint = stage.the_endpoint();
    assert!(endpoint.zone_affinity);
    assert_eq!(endpoint.name.as_deref(), Some("database"));
    assert_eq!(endpoint.policy.as_deref(), Some(r#"{"Version": "1"}"#));

    stage.calls.clear();
    stage.edit(|desired| desired.policy = Some(r#"{ "Version" : "1" }"#.into()));
    stage.rest();
    assert!(stage.calls.is_empty(), "the same document, written otherwise");

    stage.edit(|desired| {
        desired.name = None;
        desired.description = None;
        desired.zone_affinity = None;
        desired.policy = None;
        desired.family = None;
        desired.groups = None;
    });
    stage.restart();
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["UpdateEndpoint"], "the policy is reset once, although the cloud shows its own");
    let endpoint = stage.the_endpoint();
    assert!(!endpoint.zone_affinity);
    assert_eq!(endpoint.policy, None);
    assert_eq!(endpoint.description.as_deref(), Some("for the team"), "a description is left as it is");
    assert_eq!(endpoint.name.as_deref(), Some("database"), "so is a name");
    assert_eq!(endpoint.ip_version, privatelink_sim::world::object::IpVersion::DualStack, "and the protocols");
    assert_eq!(stage.groups(), ["sg-a"], "and the groups");
    assert_eq!(stage.status.common.declared_fields, std::collections::BTreeSet::new());
    stage.restart();
    stage.sweep();
    stage.rest();
    assert_eq!(stage.calls.len(), 1, "nor is it reset after a restart");
}

#[test]
fn a_policy_is_reset_once_whatever_else_is_changed_while_the_endpoint_waits() {
    let mut stage = Stage::offered(&["lb-hot", "lb-g"], crate::stage::declared(&["vsw-f"]));
    stage.world.accounts.get_mut(&PROVIDER.account).expect("the provider").vendor = true;
    stage.desired.policy = Some(r#"{"Version":"1"}"#.into());
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    stage.edit(|desired| desired.policy = None);
    stage.rest();
    assert_eq!(stage.the_endpoint().policy, None);
    stage.calls.clear();
    let id = stage.the_endpoint().id;
    stage.edit(|desired| desired.description = Some("later".into()));
    let own = EndpointChange { policy: Some("theirs".into()), ..EndpointChange::default() };
    behind(&mut stage, Call::UpdateEndpoint(id, own)).expect("set by hand");
    stage.sweep();
    stage.rest();
    assert_eq!(stage.calls, ["UpdateEndpoint"]);
    assert_eq!(stage.the_endpoint().policy.as_deref(), Some("theirs"), "what nobody declares is not compared");
}

#[test]
fn what_the_cloud_refuses_to_change_is_said_and_stops_no_traffic() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| {
        desired.policy = Some("{}".into());
        subnets(&["vsw-f", "vsw-g"])(desired);
    });
    let plan = stage.rest();
    let message = degraded(&stage);
    assert_eq!(message, "traffic can flow, but: UpdateEndpoint of ep-1: PolicyUnsupported: PolicyUnsupported");
    let (truth, reason, _) = stage.said(ConditionType::Provisioned).expect("said");
    assert_eq!((truth, reason), (Truth::False, Reason::InvalidSpec));
    let (_, reason, _) = stage.said(ConditionType::Stalled).expect("stalled");
    assert_eq!(reason, Reason::InvalidSpec);
    assert_eq!(plan.next, Next::Person);
    assert_eq!(stage.subnets(), ["vsw-f", "vsw-g"], "an interface needs no policy");
    stage.edit(|desired| desired.policy = None);
    stage.rest();
    is_ready(&stage);
}

#[test]
fn tags_and_resource_group_follow_the_spec() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let object = ObjectId::Endpoint(stage.the_endpoint().id);
    behind(&mut stage, Call::Tag(vec![object], [("billing".into(), "theirs".into())].into())).expect("tagged");
    stage.sweep();
    stage.edit(|desired| {
        desired.common.tags.insert("team".into(), "a".into());
        desired.common.resource_group = Some("rg-other".into());
    });
    stage.rest();
    assert_eq!(stage.calls, ["TagEndpoint", "MoveEndpoint"]);
    let value = |stage: &Stage<DesiredEndpoint>, key: &str| stage.the_endpoint().tags.get(key).map(ToString::to_string);
    assert_eq!(value(&stage, "team"), Some("a".into()));
    assert_eq!(&*stage.the_endpoint().resource_group, "rg-other");
    stage.edit(|desired| {
        desired.common.tags.clear();
        desired.common.resource_group = None;
    });
    stage.rest();
    is_ready(&stage);
    assert_eq!(value(&stage, "team"), None, "what was declared and is not any more is removed");
    assert_eq!(value(&stage, "billing"), Some("theirs".into()), "what nobody declared nobody removes");
    assert_eq!(&*stage.the_endpoint().resource_group, "rg-other", "left as it is");
}

#[test]
fn an_interface_is_added_and_removed() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    let plan = stage.turn();
    assert_eq!(stage.calls, ["AddZone"]);
    assert!(matches!(plan.next, Next::Moving { .. }));
    degraded(&stage);
    assert_eq!(stage.said(ConditionType::ZonesReady).expect("said").0, Truth::False);
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.subnets(), ["vsw-f", "vsw-g"]);
    stage.calls.clear();
    stage.edit(subnets(&["vsw-g"]));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["RemoveZone"]);
    assert_eq!(stage.subnets(), ["vsw-g"]);
    assert_eq!(stage.status.zones.len(), 1);
}

#[test]
fn interfaces_move_to_other_zones_without_a_moment_in_which_none_is_connected() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(subnets(&["vsw-g"]));
    for _ in 0..40 {
        stage.turn();
        assert!(stage.the_endpoint().zones.values().any(privatelink_sim::world::Leg::carries));
        if let Some(due) = privatelink_sim::world::progress(&stage.world).first() {
            stage.world = privatelink_sim::world::advance(&stage.world, *due);
        }
        stage.pass(std::time::Duration::from_secs(20));
    }
    is_ready(&stage);
    assert_eq!(stage.calls, ["AddZone", "RemoveZone"]);
    assert_eq!(stage.subnets(), ["vsw-g"]);
}

#[test]
fn the_only_connected_interface_is_not_taken_away_and_it_says_what_to_do() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(subnets(&["vsw-f2"]));
    stage.rest();
    let message = degraded(&stage);
    assert_eq!(
        message,
        "zones: the interface in vsw-f is the only connected one and is not taken away: declare an interface in another zone first, so that it can give way to vsw-f2"
    );
    let (truth, _, same) = stage.said(ConditionType::ZonesReady).expect("said");
    assert_eq!((truth, &same), (Truth::False, &message));
    assert!(stage.said(ConditionType::Stalled).is_some());
    assert!(stage.calls.is_empty());
    stage.edit(subnets(&["vsw-f2", "vsw-g"]));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["AddZone", "RemoveZone", "AddZone"]);
    assert_eq!(stage.subnets(), ["vsw-f2", "vsw-g"]);
}

#[test]
fn of_two_that_are_not_declared_the_one_that_is_in_the_way_gives_way_first() {
    for held in [["vsw-a", "vsw-f"], ["vsw-f", "vsw-g"]] {
        let mut stage = Stage::standing(&held);
        stage.edit(subnets(&["vsw-f2"]));
        stage.rest();
        is_ready(&stage);
        assert_eq!(stage.calls, ["RemoveZone", "AddZone", "RemoveZone"]);
        assert_eq!(stage.subnets(), ["vsw-f2"]);
    }
}

#[test]
fn what_is_edited_while_the_provider_changes_the_connection_follows_at_once() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let key = stage.connection();
    let wider = AcceptForm { bandwidth_mbps: Some(500), ..AcceptForm::default() };
    stage.elsewhere(PROVIDER, Call::UpdateConnection(key, wider)).expect("widened");
    stage.sweep();
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    let plan = stage.turn();
    assert!(matches!(plan.next, Next::Moving { .. }) && stage.calls.is_empty(), "{plan:?}");
    let (truth, ..) = stage.ready().expect("said");
    assert_eq!(truth, Truth::True, "traffic flows meanwhile");
    stage.rest();
    is_ready(&stage);
    assert_eq!((stage.calls.as_slice(), stage.refusals), (&["AddZone"][..], 0));
}

/// While it is connected an interface keeps what address it has: it may have come with another load balancer.
#[test]
fn an_interface_whose_address_differs_is_made_anew_once_it_is_not_connected() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    let address = |last| {
        move |desired: &mut DesiredEndpoint| {
            let zones = desired.zones.as_mut().expect("zones");
            zones.get_mut(&"vsw-g".into()).expect("declared").ip = Some(Ipv4Addr::new(10, 0, 3, last));
        }
    };
    let has = stage.interfaces()["vsw-g"].1.clone();
    stage.edit(address(99));
    stage.rest();
    assert!(stage.calls.is_empty(), "{:?}", stage.calls);
    assert_eq!(
        degraded(&stage),
        format!(
            "zones: the interface in vsw-g has {has} and not 10.0.3.99, and is not taken away for that while it is connected, since the provider may have replaced its load balancer: to have the declared address, remove the item from spec.zones, apply, and add it again"
        )
    );
    assert!(stage.said(ConditionType::Stalled).is_some(), "a person decides");
    stage.cut(ZONES[1]);
    stage.look_deep();
    stage.rest();
    assert_eq!(stage.calls, ["RemoveZone", "AddZone"]);
    assert_eq!(stage.interfaces()["vsw-g"].1, "10.0.3.99");
    is_ready(&stage);

    // What the message says.
    stage.calls.clear();
    stage.edit(subnets(&["vsw-f"]));
    stage.rest();
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    stage.edit(address(98));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.interfaces()["vsw-g"].1, "10.0.3.98");
    assert_eq!(stage.calls, ["RemoveZone", "AddZone"]);
}

/// The cloud gives a zone that moves another interface, with another address; the consumer's own wish for a fixed one
/// does not undo that, and breaks no migration.
#[test]
fn a_zone_with_a_fixed_address_is_left_alone_when_its_load_balancer_is_replaced() {
    let mut stage = Stage::offered(&["lb-hot", "lb-g"], crate::stage::declared(&["vsw-f", "vsw-g"]));
    stage.edit(|desired| {
        let zones = desired.zones.as_mut().expect("zones");
        zones.get_mut(&"vsw-f".into()).expect("declared").ip = Some(Ipv4Addr::new(10, 0, 1, 77));
    });
    stage.rest();
    stage.accept();
    stage.sweep();
    stage.rest();
    is_ready(&stage);
    stage.calls.clear();
    let (of, land) = (stage.connection(), stage.world.land.clone());
    let balancer = |name| ResourceForm { balancer: land.balancer_named(name), kind: None, zone: None };
    stage.provide(Call::AttachResource(of.service, balancer("lb-cool")));
    stage.provide(Call::SetAutoAllocate(of.service, balancer("lb-cool"), true));
    stage.provide(Call::SetAutoAllocate(of.service, balancer("lb-hot"), false));
    let to = balancer("lb-cool");
    stage.provide(Call::AssignZoneResource(of, stage.zone(ZONES[0]), Assignment::ReplaceGracefully(to)));
    stage.look_deep();
    stage.rest();
    assert!(stage.calls.is_empty(), "{:?}", stage.calls);
    assert_ne!(stage.interfaces()["vsw-f"].1, "10.0.1.77");
    let message = degraded(&stage);
    assert!(message.contains("and not 10.0.1.77, and is not taken away for that"), "{message}");
}

#[test]
fn what_was_read_of_the_others_long_ago_is_read_again_before_one_is_taken_away() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    // No list shows it.
    stage.cut(ZONES[0]);
    stage.pass(std::time::Duration::from_hours(1));
    stage.edit(subnets(&["vsw-f"]));
    stage.rest();
    assert!(stage.calls.is_empty());
    assert_eq!(stage.interfaces()["vsw-g"].0, LegStatus::Connected);
    let message = degraded(&stage);
    assert!(message.contains("vsw-g is the only connected one") && message.contains("once another"), "{message}");
    stage.connect(ZONES[0]);
    stage.pass(std::time::Duration::from_mins(6));
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.subnets(), ["vsw-f"]);
}

#[test]
fn an_interface_that_nobody_has_accepted_yet_is_made_anew_at_once() {
    let mut stage = Stage::offered(&["lb-hot", "lb-g"], crate::stage::declared(&["vsw-f"]));
    stage.rest();
    stage.edit(subnets(&["vsw-f2"]));
    stage.rest();
    says(&stage, Reason::WaitingForAcceptance);
    assert_eq!(stage.subnets(), ["vsw-f2"]);
}

#[test]
fn a_subnet_that_is_declared_again_while_its_interface_goes_gets_a_new_one() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.edit(subnets(&["vsw-f"]));
    stage.turn();
    assert_eq!(stage.calls, ["RemoveZone"]);
    assert_eq!(stage.interfaces()["vsw-g"].0, LegStatus::Deleting);
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    stage.turn();
    assert_eq!(stage.calls, ["RemoveZone"], "one thing after the other");
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["RemoveZone", "AddZone"]);
}

#[test]
fn an_interface_that_is_being_made_is_waited_for_before_it_is_removed_again() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    stage.turn();
    stage.edit(subnets(&["vsw-f"]));
    stage.turn();
    assert_eq!((stage.calls.as_slice(), stage.refusals), (&["AddZone"][..], 0));
    stage.rest();
    is_ready(&stage);
    assert_eq!((stage.calls.as_slice(), stage.refusals), (&["AddZone", "RemoveZone"][..], 0));
}

#[test]
fn groups_are_joined_before_others_are_left_and_one_always_stays() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| desired.groups = Some(["sg-b".into(), "sg-c".into()].into()));
    stage.turn();
    assert_eq!(stage.calls, ["AttachSecurityGroup"]);
    let (truth, ..) = stage.ready().expect("said");
    assert_eq!(truth, Truth::True, "traffic flows meanwhile");
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.calls, ["AttachSecurityGroup", "AttachSecurityGroup", "DetachSecurityGroup"]);
    assert_eq!(stage.groups(), ["sg-b", "sg-c"]);
    assert_eq!(stage.refusals, 0);
}

#[test]
fn a_group_that_does_not_exist_is_said_and_nothing_is_left_for_it() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| desired.groups = Some(["sg-none".into()].into()));
    stage.rest();
    let message = degraded(&stage);
    assert!(message.contains("AttachSecurityGroup of sg-none: NoGroup"), "{message}");
    let (truth, reason, _) = stage.said(ConditionType::Provisioned).expect("said");
    assert_eq!((truth, reason), (Truth::False, Reason::ReferenceNotFound));
    assert_eq!(stage.groups(), ["sg-a"]);
    stage.edit(|desired| desired.groups = Some(["sg-a".into()].into()));
    stage.rest();
    is_ready(&stage);
}

#[test]
fn a_group_that_could_not_be_left_because_it_was_the_last_is_left_once_another_is_joined() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| desired.groups = Some(["sg-a".into(), "sg-b".into()].into()));
    stage.rest();
    let (id, sg_a) = (stage.the_endpoint().id, stage.world.land.group_named("sg-a"));
    behind(&mut stage, Call::DetachGroup(id, sg_a)).expect("left by hand");
    // What was read of the groups is old.
    stage.calls.clear();
    stage.edit(|desired| desired.groups = Some(["sg-a".into()].into()));
    stage.rest();
    is_ready(&stage);
    assert_eq!((stage.calls.as_slice(), stage.refusals), (&["AttachSecurityGroup", "DetachSecurityGroup"][..], 1));
    assert_eq!(stage.groups(), ["sg-a"]);
}

#[test]
fn an_interface_that_another_hand_has_made_already_is_taken_for_ours() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let id = stage.the_endpoint().id;
    let switch = stage.world.land.switch_named("vsw-g");
    behind(&mut stage, Call::AddZone(id, ZoneForm { zone: None, switch, ip: None, ipv6: None })).expect("added");
    stage.edit(subnets(&["vsw-f", "vsw-g"]));
    stage.rest();
    is_ready(&stage);
    assert_eq!((stage.calls.len(), stage.refusals), (0, 1));
}

#[test]
fn drift_of_each_kind_is_corrected() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.edit(|desired| {
        desired.zone_affinity = Some(true);
        desired.common.tags.insert("team".into(), "a".into());
        desired.groups = Some(["sg-a".into(), "sg-b".into()].into());
    });
    stage.rest();
    is_ready(&stage);
    let id = stage.the_endpoint().id;
    let group = |stage: &Stage<DesiredEndpoint>, name: &str| stage.world.land.group_named(name);
    let change = EndpointChange { zone_affinity: Some(false), name: Some("other".into()), ..EndpointChange::default() };
    let (sg_b, sg_c) = (group(&stage, "sg-b"), group(&stage, "sg-c"));
    behind(&mut stage, Call::UpdateEndpoint(id, change)).expect("changed");
    behind(&mut stage, Call::Tag(vec![ObjectId::Endpoint(id)], [("team".into(), "b".into())].into())).expect("tagged");
    behind(&mut stage, Call::AttachGroup(id, sg_c)).expect("joined");
    behind(&mut stage, Call::DetachGroup(id, sg_b)).expect("left");
    let zone = stage.zone(ZONES[1]);
    behind(&mut stage, Call::RemoveZone(id, zone)).expect("removed");
    stage.sweep();
    stage.look_deep();
    stage.rest();
    is_ready(&stage);
    let endpoint = stage.the_endpoint();
    assert!(endpoint.zone_affinity);
    assert_eq!(endpoint.name.as_deref(), Some("db"));
    assert_eq!(endpoint.tags.get("team").map(ToString::to_string), Some("a".into()));
    assert_eq!(stage.groups(), ["sg-a", "sg-b"]);
    assert_eq!(stage.subnets(), ["vsw-f", "vsw-g"]);
}

#[test]
fn an_interface_added_by_another_hand_goes_again() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let id = stage.the_endpoint().id;
    let switch = stage.world.land.switch_named("vsw-g");
    behind(&mut stage, Call::AddZone(id, ZoneForm { zone: None, switch, ip: None, ipv6: None })).expect("added");
    stage.look_deep();
    stage.rest();
    is_ready(&stage);
    assert_eq!(stage.subnets(), ["vsw-f"]);
    assert_eq!(stage.calls, ["RemoveZone"]);
}

#[test]
fn a_call_without_an_answer_is_looked_for_before_anything_is_concluded() {
    for trouble in [Trouble::LostAnswer, Trouble::CrashAfter, Trouble::CrashBefore] {
        let mut stage = Stage::standing(&["vsw-f"]);
        stage.edit(|desired| {
            subnets(&["vsw-f", "vsw-g"])(desired);
            desired.groups = Some(["sg-a".into(), "sg-b".into()].into());
            desired.description = Some("new".into());
        });
        for call in 0..3 {
            stage.turn_with((call, trouble));
        }
        stage.rest();
        is_ready(&stage);
        assert_eq!(stage.subnets(), ["vsw-f", "vsw-g"]);
        assert_eq!(stage.groups(), ["sg-a", "sg-b"]);
    }
}

#[test]
fn a_doubt_about_an_endpoint_ends_when_the_endpoint_is_gone() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.edit(subnets(&["vsw-f"]));
    stage.turn_with((0, Trouble::LostForEver));
    stage.rest();
    says(&stage, Reason::ExternallyDeleted);
    stage.desired.common.deleting = true;
    stage.rest();
    assert!(stage.released);
}

#[test]
fn what_no_call_can_change_is_refused_by_name() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| desired.vpc = "vpc-other".into());
    stage.rest();
    let message = says(&stage, Reason::InvalidSpec);
    assert!(message.starts_with("vpcId: ep-1 has vpc-consumer, which cannot be changed to vpc-other"), "{message}");
    assert!(stage.calls.is_empty());
}

#[test]
fn a_tag_that_was_set_before_a_crash_is_not_forgotten() {
    let mut stage = Stage::standing(&["vsw-f"]);
    stage.edit(|desired| {
        desired.common.tags.insert("team".into(), "a".into());
    });
    assert!(stage.turn_with((0, Trouble::CrashAfter)).is_none());
    stage.edit(|desired| desired.common.tags.clear());
    stage.rest();
    assert!(!stage.the_endpoint().tags.contains_key("team"), "{:?}", stage.the_endpoint().tags);
}

#[test]
fn lost_ownership_tags_are_not_guessed() {
    let mut stage = Stage::standing(&["vsw-f"]);
    let id = stage.the_endpoint().id;
    behind(&mut stage, Call::Untag(vec![ObjectId::Endpoint(id)], UntagKeys::All)).expect("untagged");
    stage.sweep();
    stage.edit(|desired| desired.description = Some("changed".into()));
    stage.rest();
    let message = says(&stage, Reason::OwnershipConflict);
    assert!(message.contains("set adopt.id"), "{message}");
    assert!(stage.calls.is_empty());
}

#[test]
fn a_service_that_takes_a_load_balancer_away_keeps_no_interface_from_standing() {
    let mut stage = Stage::standing(&["vsw-f", "vsw-g"]);
    stage.cut(ZONES[1]);
    let service = stage.the_service().id;
    let balancer = stage.world.land.balancer_named("lb-g");
    stage.provide(Call::DetachResource(service, ResourceForm { balancer, kind: None, zone: None }));
    stage.look_deep();
    stage.rest();
    degraded(&stage);
    assert!(stage.calls.is_empty());
}
