//! The codec against the simulated cloud, which was written without it: which load balancer serves a zone, and how it
//! is replaced by another.

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{EndpointId, ServiceId};
use privatelink_core::observed::{ResourceKind, ZoneLeg};
use privatelink_core::state::ZoneState;
use privatelink_core::step::{MigrationMode, Replacement, Step, Traffic};
use privatelink_sim::world::{AccountId, Variants};

use super::dialect::{PROVIDER, Stage};
use super::dialect_of_connections::{F, endpoint, service};
use super::key;

/// A service with two load balancers in one zone, and a connection there that nobody has accepted.
fn waiting() -> (Stage, ServiceId, EndpointId) {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Clb, &[("lb-hot", F), ("lb-spare", F)]);
    let endpoint = endpoint(&mut stage, &id, &[("vsw-tenant-f", F)]);
    (stage, id, endpoint)
}

fn leg(stage: &mut Stage, id: &ServiceId) -> ZoneLeg {
    stage.connection(id).zones[&F.into()].clone()
}

fn assign(id: &ServiceId, endpoint: &EndpointId, to: &str) -> Step {
    Step::AssignResource(id.clone(), endpoint.clone(), F.into(), to.into(), ResourceKind::Clb)
}

fn replace(id: &ServiceId, endpoint: &EndpointId, to: &str, mode: MigrationMode) -> Step {
    let replacement = Replacement { to: to.into(), kind: ResourceKind::Clb, mode };
    Step::ReplaceResource(id.clone(), endpoint.clone(), F.into(), replacement)
}

fn refusal(stage: &mut Stage, step: &Step) -> Failure {
    stage.execute_with(step, &PROVIDER).expect_err("refused")
}

/// Connected on the first of the two, which the cloud gives to nobody else any more.
fn connected() -> (Stage, ServiceId, EndpointId) {
    let (mut stage, id, endpoint) = waiting();
    stage.execute(&assign(&id, &endpoint, "lb-hot"));
    stage.execute(&Step::AcceptConnection(id.clone(), endpoint.clone(), Traffic::default()));
    stage.execute(&Step::SetAutoAllocate(id.clone(), key("lb-hot", F), false));
    (stage, id, endpoint)
}

#[test]
fn a_zone_is_given_a_load_balancer_before_its_connection_is_accepted() {
    let (mut stage, id, endpoint) = waiting();
    for to in ["lb-spare", "lb-hot", "lb-spare"] {
        stage.execute(&assign(&id, &endpoint, to));
        assert_eq!(leg(&mut stage, &id).resource, Some(to.into()));
    }
    stage.execute(&Step::AcceptConnection(id.clone(), endpoint.clone(), Traffic::default()));
    let leg = leg(&mut stage, &id);
    assert_eq!((leg.state, leg.resource), (ZoneState::Connected, Some("lb-spare".into())));
    let late = refusal(&mut stage, &assign(&id, &endpoint, "lb-hot"));
    assert_eq!(late.meaning, Meaning::InTransition, "{late}");
}

#[test]
fn a_smooth_migration_keeps_the_old_side_until_it_is_closed() {
    let (mut stage, id, endpoint) = connected();
    let before = leg(&mut stage, &id);
    stage.execute(&replace(&id, &endpoint, "lb-spare", MigrationMode::Smooth));
    let both = leg(&mut stage, &id);
    assert_eq!((both.state, both.resource), (ZoneState::Migrated, Some("lb-spare".into())));
    assert_eq!((both.replaced_resource, both.replaced_interface), (Some("lb-hot".into()), before.interface));
    stage.execute(&Step::CloseReplaced(id.clone(), endpoint.clone(), F.into()));
    let after = leg(&mut stage, &id);
    assert_eq!((after.state, after.resource), (ZoneState::Connected, Some("lb-spare".into())));
    assert_eq!((after.interface, after.replaced_resource), (both.interface, None));
    let none = refusal(&mut stage, &Step::CloseReplaced(id, endpoint, F.into()));
    assert_eq!(none.meaning, Meaning::Waiting(Reason::Degraded), "{none}");
}

#[test]
fn a_forced_migration_leaves_one_side() {
    let (mut stage, id, endpoint) = connected();
    stage.execute(&replace(&id, &endpoint, "lb-spare", MigrationMode::Forced));
    let leg = leg(&mut stage, &id);
    assert_eq!((leg.state, leg.resource), (ZoneState::Connected, Some("lb-spare".into())));
    assert_eq!(leg.replaced_resource, None);
}

#[test]
fn what_stands_in_the_way_of_a_replacement_is_named() {
    let (mut stage, id, endpoint) = connected();
    stage.execute(&Step::SetAutoAllocate(id.clone(), key("lb-hot", F), true));
    for (to, meaning, told) in [
        ("lb-spare", Meaning::UserMustAct(Reason::ResourceStillAutoAllocated), "autoAllocate: false"),
        ("lb-none", Meaning::Waiting(Reason::ReferenceNotFound), "spec.resources of the EndpointService"),
    ] {
        let refused = refusal(&mut stage, &replace(&id, &endpoint, to, MigrationMode::Smooth));
        assert_eq!(refused.meaning, meaning, "{refused}");
        assert!(refused.message.contains(told), "{refused}");
    }
}

#[test]
fn a_network_load_balancer_cannot_be_assigned() {
    let mut stage = Stage::new();
    let id = service(&mut stage, ResourceKind::Nlb, &[("nlb-hot", F)]);
    let endpoint = endpoint(&mut stage, &id, &[("vsw-tenant-f", F)]);
    let refused =
        refusal(&mut stage, &Step::AssignResource(id, endpoint, F.into(), "nlb-hot".into(), ResourceKind::Clb));
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::UnsupportedByCloud), "{refused}");
}

/// The vendor does not say which code an account gets that lacks the feature: each of them names it.
#[test]
fn an_account_without_the_feature_is_told_so_whatever_the_code() {
    for code in ["NoPermission", "QuotaMisMatched", "OperationDenied.FeatureNotEnabled", "ZoneOperationDenied"] {
        let (mut stage, id, endpoint) = waiting();
        let mut world = stage.cloud.state().clone();
        world.variants = Variants::default().with("assignmentNotGrantedCode", code).expect("a variant");
        let owner = AccountId(1_001_000_000_000_001);
        world.accounts.get_mut(&owner).expect("the provider's").may_assign_resources = false;
        stage.cloud.set_state(world);
        let refused = refusal(&mut stage, &assign(&id, &endpoint, "lb-spare"));
        assert_eq!(refused.code, code);
        let lacks = [Meaning::UserMustAct(Reason::FeatureNotEnabled), Meaning::Waiting(Reason::FeatureNotEnabled)];
        assert!(lacks.contains(&refused.meaning), "{refused}: {:?}", refused.meaning);
        assert!(refused.message.contains("privatelink_whitelist/svc_res_mgt_uat"), "{refused}");
    }
}
