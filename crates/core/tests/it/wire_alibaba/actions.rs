//! The list of actions is what the codec calls, no more and no less.

use std::collections::BTreeSet;

use privatelink_core::read::Read;
use privatelink_core::step::Step;
use privatelink_core::wire::alibaba::action::{ACTIONS, ASSUME, Access, Action, FEDERATE};
use privatelink_core::wire::alibaba::{Product, Unsigned, encode};

use super::{TOKEN, descriptions, reads, region, steps};

/// The steps by number. Whoever adds one adds it here and to the steps that the tests know.
const fn number_of(step: &Step) -> usize {
    match step {
        Step::OpenProduct => 0,
        Step::CreateService(_) => 1,
        Step::UpdateService(..) => 2,
        Step::DeleteService(_) => 3,
        Step::AttachResource(..) => 4,
        Step::DetachResource(..) => 5,
        Step::SetAutoAllocate(..) => 6,
        Step::RejectConnection(..) => 7,
        Step::CreateEndpoint(_) => 8,
        Step::UpdateEndpoint(..) => 9,
        Step::DeleteEndpoint(_) => 10,
        Step::AddZone(..) => 11,
        Step::RemoveZone(..) => 12,
        Step::AttachSecurityGroup(..) => 13,
        Step::DetachSecurityGroup(..) => 14,
        Step::Tag(..) => 15,
        Step::Untag(..) => 16,
        Step::Move(..) => 17,
        Step::AllowPrincipal(..) => 18,
        Step::DisallowPrincipal(..) => 19,
        Step::AcceptConnection(..) => 20,
        Step::SetTraffic(..) => 21,
        Step::PickResource(..) => 22,
        Step::ConnectZone(..) => 23,
        Step::DisconnectZone(..) => 24,
        Step::AssignResource(..) => 25,
        Step::ReplaceResource(..) => 26,
        Step::CloseReplaced(..) => 27,
    }
}
const STEPS: usize = 28;

/// The reads by number, likewise.
const fn number_of_read(read: &Read) -> usize {
    match read {
        Read::CallerIdentity => 0,
        Read::Product => 1,
        Read::Services(_) => 2,
        Read::Service(_) => 3,
        Read::Resources(..) => 4,
        Read::Connections(..) => 5,
        Read::Endpoints(_) => 6,
        Read::Endpoint(_) => 7,
        Read::Interfaces(..) => 8,
        Read::Groups(..) => 9,
        Read::Principals(..) => 10,
    }
}
const READS: usize = 11;

fn listed(call: &Unsigned) -> &'static Action {
    let found = ACTIONS.iter().find(|action| (action.product, action.name) == (call.product, call.action));
    found.unwrap_or_else(|| panic!("{} is called and not in the list", call.action))
}

#[test]
fn every_step_writes_and_every_read_reads_by_an_action_of_the_list() {
    let mut called: BTreeSet<Action> = [ASSUME, FEDERATE].into();
    let mut numbers = BTreeSet::new();
    for step in steps() {
        let action = listed(&encode::step(&step, &region(), TOKEN));
        assert_eq!(action.access, Access::Write, "{}", action.name);
        called.insert(*action);
        numbers.insert(number_of(&step));
    }
    assert_eq!(numbers, (0..STEPS).collect(), "every step is tried");
    let mut numbers = BTreeSet::new();
    for read in reads() {
        let action = listed(&encode::read(&read, &region()));
        assert_eq!(action.access, Access::Read, "{}", action.name);
        called.insert(*action);
        numbers.insert(number_of_read(&read));
    }
    assert_eq!(numbers, (0..READS).collect(), "every read is tried");
    let list: BTreeSet<Action> = ACTIONS.iter().copied().collect();
    assert_eq!(list.len(), ACTIONS.len(), "none is listed twice");
    assert_eq!(list, called, "what is not called is not allowed");
}

#[test]
fn the_list_is_sorted_and_knows_only_what_the_vendor_describes() {
    let names: Vec<_> = ACTIONS.iter().map(|action| (action.product, action.name)).collect();
    assert!(names.is_sorted(), "{names:?}");
    let described = descriptions();
    for action in ACTIONS.iter().filter(|action| action.product == Product::PrivateLink) {
        assert!(described["privatelink"]["actions"][action.name].is_object(), "{}", action.name);
    }
}

#[test]
fn what_a_field_asks_for_is_only_called_with_it() {
    let only = |field| {
        let with = ACTIONS.iter().filter(move |action| action.only_with == Some(field));
        with.map(Action::permission).collect::<Vec<_>>()
    };
    assert_eq!(only("alibaba.openProduct"), ["privatelink:CheckProductOpen", "privatelink:OpenPrivateLinkService"]);
    assert_eq!(only("spec.resourceGroupId"), ["privatelink:ChangeResourceGroup"]);
    assert_eq!(only("alibaba.assumeRole"), ["sts:AssumeRole"]);
    assert_eq!(only("connections.bandwidthMbps"), ["privatelink:UpdateVpcEndpointConnectionAttribute"]);
}
