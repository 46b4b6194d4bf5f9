//! What the consumer's calls need and lead to.

use std::net::{Ipv4Addr, Ipv6Addr};

use privatelink_sim::world::call::{
    AcceptForm, Assignment, ConnectionKey, EndpointChange, EndpointForm, ServiceChange, Side, ZoneForm,
};
use privatelink_sim::world::invariant;
use privatelink_sim::world::object::{
    BalancerKind, ConnectionStatus, EndpointKind, EndpointStatus, IpVersion, LegStatus, Principal,
};
use privatelink_sim::world::{Actor, Answer, Call, GroupId, Refusal, ServiceId, SwitchId, VpcId};

use crate::small_land::{
    ABROAD, BASIC, BASIC_TOO, CONSUMER, CONSUMERS_COLLEAGUE, COOL, ENTERPRISE, F, G, GWLB, HOT, IN_G, MANAGED,
    PROVIDER, PROVIDER_VPC, SECOND_VPC, STRANGER, SWITCH_F, SWITCH_G, Stage, TIGHT_SWITCH, UNFIT, UNMADE_SWITCH,
    V6_OF_SWITCH_F, ZONE_ABROAD, clb, endpoint_form, form_abroad, zone_form,
};

fn accept() -> AcceptForm {
    AcceptForm::default()
}

#[test]
fn an_endpoint_needs_a_place_on_the_list() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let form = || Call::CreateEndpoint(endpoint_form(id, &[SWITCH_F]));
    let listed = |principal: Principal| Call::AllowPrincipal(id, principal);
    stage.done(PROVIDER, Call::DisallowPrincipal(id, Principal::Account(CONSUMER.account)));
    assert_eq!(stage.refused(CONSUMER, form()), Refusal::NotAuthorized);
    for arn in ["acs:ram:*:*", "acs:ram:*:2", "acs:ram::2:root"] {
        let principal = Principal::Arn(arn.into());
        let mut branch = stage.clone();
        branch.done(PROVIDER, listed(principal));
        branch.done(CONSUMER, form());
    }
    for arn in ["acs:ram:*:3", "nonsense", "acs:oss:*:*"] {
        stage.done(PROVIDER, listed(Principal::Arn(arn.into())));
    }
    assert_eq!(stage.refused(CONSUMER, form()), Refusal::NotAuthorized);
}

#[test]
fn creating_an_endpoint_names_what_is_wrong_with_it() {
    type Change = fn(&mut EndpointForm);
    let cases: [(Change, Refusal); 19] = [
        (|form| form.vpc = VpcId::NOWHERE, Refusal::NoVpc),
        (|form| form.vpc = PROVIDER_VPC, Refusal::NoVpc),
        (|form| form.service = ServiceId::NOWHERE, Refusal::NoService),
        (|form| form.service_region = Some(ABROAD), Refusal::NoService),
        (|form| form.kind = Some(EndpointKind::GatewayLoadBalancer), Refusal::EndpointKindMismatch),
        (|form| form.kind = Some(EndpointKind::Reverse), Refusal::EndpointKindMismatch),
        (|form| form.policy = Some("{}".into()), Refusal::PolicyUnsupported),
        (|form| form.cross_region_bandwidth_mbps = Some(100), Refusal::NotCrossRegion),
        (|form| form.ip_version = Some(IpVersion::DualStack), Refusal::NoIpv6),
        (|form| form.groups = vec![GroupId::NOWHERE], Refusal::NoGroup),
        (|form| form.groups = vec![MANAGED], Refusal::GroupUnsupported),
        (|form| form.groups = vec![BASIC, ENTERPRISE], Refusal::GroupKindsMixed),
        (|form| form.groups = vec![BASIC; 11], Refusal::TooManyGroups),
        (|form| form.zones = vec![zone_form(SwitchId::NOWHERE)], Refusal::NoSwitch),
        (|form| form.zones = vec![ZoneForm { zone: Some(G), ..zone_form(SWITCH_F) }], Refusal::NoSwitch),
        (|form| form.zones = vec![zone_form(UNMADE_SWITCH)], Refusal::SwitchNotAvailable),
        (|form| form.zones = vec![zone_form(SWITCH_F), zone_form(TIGHT_SWITCH)], Refusal::ZoneDuplicated),
        (|form| form.zones = vec![zone_form(SWITCH_G)], Refusal::ZoneWithoutResource),
        (
            |form| form.zones = vec![ZoneForm { ip: Some([10, 9, 9, 9].into()), ..zone_form(SWITCH_F) }],
            Refusal::AddressUnavailable,
        ),
    ];
    for (change, refusal) in cases {
        let mut stage = Stage::new();
        let id = stage.service(&[HOT]);
        let mut form = endpoint_form(id, &[SWITCH_F]);
        change(&mut form);
        assert_eq!(stage.refused(CONSUMER, Call::CreateEndpoint(form.clone())), refusal, "{form:?}");
    }
}

#[test]
fn a_vpc_holds_one_endpoint_of_a_service_and_so_many_in_all() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    stage.endpoint(id, &[]);
    let again = || Call::CreateEndpoint(endpoint_form(id, &[]));
    assert_eq!(stage.refused(CONSUMER, again()), Refusal::EndpointDuplicated);
    let mut elsewhere = endpoint_form(id, &[]);
    elsewhere.vpc = SECOND_VPC;
    elsewhere.groups.clear();
    stage.done(CONSUMER, Call::CreateEndpoint(elsewhere));

    let mut lax = Stage::flipped("oneEndpointPer", "nothing");
    let id = lax.service(&[HOT]);
    for _ in 0..4 {
        lax.done(CONSUMER, Call::CreateEndpoint(endpoint_form(id, &[])));
    }
    assert_eq!(lax.refused(CONSUMER, Call::CreateEndpoint(endpoint_form(id, &[]))), Refusal::TooManyEndpoints);
}

#[test]
fn a_zone_of_a_vpc_holds_one_endpoint_of_a_service_or_more() {
    for (value, one_in_zone) in [("zone", true), ("nothing", false)] {
        let mut stage = Stage::flipped("oneEndpointPer", value);
        let id = stage.service(&[HOT, IN_G]);
        stage.endpoint(id, &[SWITCH_F]);
        let key = stage.endpoint(id, &[SWITCH_G]);
        let again = || Call::CreateEndpoint(endpoint_form(id, &[SWITCH_F]));
        let add = || Call::AddZone(key.endpoint, zone_form(SWITCH_F));
        if one_in_zone {
            assert_eq!(stage.refused(CONSUMER, again()), Refusal::EndpointDuplicated);
            assert_eq!(stage.refused(CONSUMER, add()), Refusal::EndpointDuplicated);
        } else {
            stage.done(CONSUMER, again());
            stage.done(CONSUMER, add());
        }
        assert_eq!(invariant::broken(&stage.state), Vec::<String>::new());
    }
}

#[test]
fn addresses_are_given_once_and_run_out() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.endpoint(id, &[TIGHT_SWITCH]);
    let taken = stage.leg(key.endpoint, F).ip;
    let mut form = endpoint_form(id, &[]);
    form.zones = vec![zone_form(TIGHT_SWITCH)];
    let mut lax = Stage { state: stage.state.clone() };
    lax.state.variants = lax.state.variants.with("oneEndpointPer", "nothing").expect("a variant");
    assert_eq!(lax.refused(CONSUMER, Call::CreateEndpoint(form.clone())), Refusal::NoFreeAddress);
    form.zones = vec![ZoneForm { ip: Some(taken), ..zone_form(TIGHT_SWITCH) }];
    assert_eq!(lax.refused(CONSUMER, Call::CreateEndpoint(form)), Refusal::AddressUnavailable);
    let chosen = std::net::Ipv4Addr::new(10, 0, 1, 77);
    let mut fixed = endpoint_form(id, &[]);
    fixed.zones = vec![ZoneForm { ip: Some(chosen), ..zone_form(SWITCH_F) }];
    let Answer::Endpoint(endpoint) = lax.done(CONSUMER, Call::CreateEndpoint(fixed)) else { panic!("no endpoint") };
    assert_eq!(lax.leg(endpoint, F).ip, chosen);
}

#[test]
fn an_ipv6_address_is_given_once() {
    let mut stage = Stage::flipped("oneEndpointPer", "nothing");
    let id = stage.service_v6();
    let form = |ip: Option<Ipv4Addr>, ipv6| {
        let mut form = endpoint_form(id, &[]);
        form.ip_version = Some(IpVersion::DualStack);
        form.zones = vec![ZoneForm { ip, ipv6, ..zone_form(SWITCH_F) }];
        Call::CreateEndpoint(form)
    };
    let v6 = |host: u128| Ipv6Addr::from(u128::from(V6_OF_SWITCH_F) + host);
    let asked = v6(0x0109);
    stage.done(CONSUMER, form(None, Some(asked)));
    assert_eq!(stage.refused(CONSUMER, form(None, Some(asked))), Refusal::AddressUnavailable);
    let elsewhere = Ipv6Addr::new(0x2408, 1, 1, 1, 0, 0, 0, 9);
    assert_eq!(stage.refused(CONSUMER, form(None, Some(elsewhere))), Refusal::AddressUnavailable);
    // The address that 10.0.1.9 would bring along is taken.
    let made = stage.done(CONSUMER, form(Some(Ipv4Addr::new(10, 0, 1, 9)), None));
    let Answer::Endpoint(endpoint) = made else { panic!("no endpoint") };
    assert_eq!(stage.leg(endpoint, F).ipv6, Some(v6(4)));
    assert_eq!(invariant::broken(&stage.state), Vec::<String>::new());
}

#[test]
fn an_endpoint_is_not_changed_while_its_connection_is() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    let rename = || {
        let change = EndpointChange { name: Some("db".into()), ..EndpointChange::default() };
        Call::UpdateEndpoint(key.endpoint, change)
    };
    assert_eq!(stage.refused(CONSUMER, rename()), Refusal::ConnectionInTransition);
    stage.settle();
    stage.done(CONSUMER, rename());
}

#[test]
fn a_gateway_endpoint_has_one_zone() {
    let mut stage = Stage::new();
    let id = stage.service_of(BalancerKind::Gwlb, &[GWLB]);
    let mut form = endpoint_form(id, &[SWITCH_F, SWITCH_G]);
    assert_eq!(stage.refused(CONSUMER, Call::CreateEndpoint(form.clone())), Refusal::EndpointKindMismatch);
    form.kind = Some(EndpointKind::GatewayLoadBalancer);
    assert_eq!(stage.refused(CONSUMER, Call::CreateEndpoint(form.clone())), Refusal::TooManyZones);
    form.zones.truncate(1);
    form.groups.clear();
    stage.done(CONSUMER, Call::CreateEndpoint(form));
}

#[test]
fn in_a_stricter_world_an_endpoint_is_made_with_a_group() {
    let mut stage = Stage::flipped("groupsRequired", "true");
    let id = stage.service(&[HOT]);
    let mut form = endpoint_form(id, &[]);
    form.groups.clear();
    assert_eq!(stage.refused(CONSUMER, Call::CreateEndpoint(form)), Refusal::LastGroup);
}

#[test]
fn an_endpoint_goes_after_its_zones() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.connected(id, &[SWITCH_F]);
    assert_eq!(stage.refused(CONSUMER, Call::DeleteEndpoint(key.endpoint)), Refusal::EndpointHasZones);
    assert_eq!(stage.refused(CONSUMER, Call::RemoveZone(key.endpoint, G)), Refusal::NoZone);
    stage.done(CONSUMER, Call::RemoveZone(key.endpoint, F));
    assert_eq!(stage.refused(CONSUMER, Call::RemoveZone(key.endpoint, F)), Refusal::NoZone);
    stage.settle();
    stage.done(CONSUMER, Call::DeleteEndpoint(key.endpoint));
    assert_eq!(stage.state.endpoints[&key.endpoint].connection.status, ConnectionStatus::Deleting);
    assert_eq!(stage.refused(PROVIDER, Call::DeleteService(id)), Refusal::ServiceHasConnections);
    stage.settle();
    assert!(stage.state.endpoints.is_empty());
}

#[test]
fn zones_are_added_to_an_active_endpoint_whose_connection_stands_still() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, IN_G]);
    let Answer::Endpoint(endpoint) = stage.done(CONSUMER, Call::CreateEndpoint(endpoint_form(id, &[SWITCH_F]))) else {
        panic!("no endpoint")
    };
    let add = || Call::AddZone(endpoint, zone_form(SWITCH_G));
    assert_eq!(stage.refused(CONSUMER, add()), Refusal::EndpointNotActive);
    assert_eq!(stage.refused(CONSUMER, Call::RemoveZone(endpoint, F)), Refusal::EndpointNotActive);
    stage.settle();
    let key = ConnectionKey { service: id, endpoint };
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    assert_eq!(stage.refused(CONSUMER, add()), Refusal::ConnectionInTransition);
    stage.settle();
    stage.done(CONSUMER, add());
    stage.settle();
    assert_eq!(stage.refused(CONSUMER, add()), Refusal::ZoneDuplicated);
}

#[test]
fn security_groups_are_joined_before_the_last_is_left() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.endpoint(id, &[SWITCH_F]);
    let join = |group| Call::AttachGroup(key.endpoint, group);
    let leave = |group| Call::DetachGroup(key.endpoint, group);
    assert_eq!(stage.refused(CONSUMER, leave(BASIC)), Refusal::LastGroup);
    assert_eq!(stage.refused(CONSUMER, leave(BASIC_TOO)), Refusal::NoGroup);
    assert_eq!(stage.refused(CONSUMER, join(BASIC)), Refusal::GroupJoined);
    assert_eq!(stage.refused(CONSUMER, join(ENTERPRISE)), Refusal::GroupKindsMixed);
    assert_eq!(stage.refused(CONSUMER, join(MANAGED)), Refusal::GroupUnsupported);
    assert_eq!(stage.refused(CONSUMER, join(GroupId::NOWHERE)), Refusal::NoGroup);
    stage.done(CONSUMER, join(BASIC_TOO));
    assert_eq!(stage.state.endpoints[&key.endpoint].status, EndpointStatus::Pending);
    assert_eq!(stage.refused(CONSUMER, leave(BASIC)), Refusal::EndpointNotActive);
    stage.settle();
    stage.done(CONSUMER, leave(BASIC));
    stage.settle();
    assert_eq!(stage.state.endpoints[&key.endpoint].groups.keys().copied().collect::<Vec<_>>(), [BASIC_TOO]);
}

#[test]
fn an_endpoint_made_without_groups_never_joins_one() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let mut form = endpoint_form(id, &[]);
    form.groups.clear();
    let Answer::Endpoint(endpoint) = stage.done(CONSUMER, Call::CreateEndpoint(form)) else { panic!("no endpoint") };
    stage.settle();
    assert_eq!(stage.refused(CONSUMER, Call::AttachGroup(endpoint, BASIC)), Refusal::NoGroupsEver);
}

#[test]
fn a_protected_endpoint_obeys_only_its_maker() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let mut form = endpoint_form(id, &[]);
    form.protected = true;
    let Answer::Endpoint(endpoint) = stage.done(CONSUMER, Call::CreateEndpoint(form)) else { panic!("no endpoint") };
    stage.settle();
    let delete = || Call::DeleteEndpoint(endpoint);
    assert_eq!(stage.refused(STRANGER, delete()), Refusal::NoEndpoint);
    assert_eq!(stage.refused(CONSUMERS_COLLEAGUE, delete()), Refusal::EndpointProtected);
    stage.state.variants = stage.state.variants.with("protectedFor", "account").expect("a variant");
    stage.done(CONSUMERS_COLLEAGUE, delete());
}

#[test]
fn an_account_that_owes_money_changes_nothing_but_may_clean_up() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL]);
    let key = stage.connected(id, &[SWITCH_F]);
    let lock = |stage: &mut Stage, actor: Actor, locked| {
        stage.state.accounts.get_mut(&actor.account).expect("an account").locked = locked;
    };
    lock(&mut stage, PROVIDER, true);
    let change = Call::UpdateService(id, ServiceChange::default());
    assert_eq!(stage.refused(PROVIDER, change), Refusal::ServiceLocked);
    stage.done(PROVIDER, Call::RejectConnection(key));
    stage.settle();
    assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::ServiceLocked);
    lock(&mut stage, PROVIDER, false);
    lock(&mut stage, CONSUMER, true);
    assert_eq!(stage.refused(PROVIDER, Call::AcceptConnection(key, accept())), Refusal::EndpointLocked);
    let rename = EndpointChange { name: Some("db".into()), ..EndpointChange::default() };
    assert_eq!(stage.refused(CONSUMER, Call::UpdateEndpoint(key.endpoint, rename)), Refusal::EndpointLocked);
    stage.done(CONSUMER, Call::RemoveZone(key.endpoint, F));
}

#[test]
fn an_endpoints_attributes_change_and_its_policy_goes_back() {
    let mut stage = Stage::new();
    stage.state.accounts.get_mut(&PROVIDER.account).expect("the provider").vendor = true;
    let id = stage.service(&[HOT]);
    let mut form = endpoint_form(id, &[]);
    form.kind = Some(EndpointKind::Reverse);
    form.policy = Some("{}".into());
    let Answer::Endpoint(endpoint) = stage.done(CONSUMER, Call::CreateEndpoint(form)) else { panic!("no endpoint") };
    stage.settle();
    let change = EndpointChange { name: Some("db".into()), reset_policy: true, ..EndpointChange::default() };
    stage.done(CONSUMER, Call::UpdateEndpoint(endpoint, change));
    let held = &stage.state.endpoints[&endpoint];
    assert_eq!((held.name.as_deref(), held.policy.as_deref()), (Some("db"), None));
    let crossing = EndpointChange { cross_region_bandwidth_mbps: Some(100), ..EndpointChange::default() };
    assert_eq!(stage.refused(CONSUMER, Call::UpdateEndpoint(endpoint, crossing)), Refusal::NotCrossRegion);
}

#[test]
fn a_vpc_of_another_region_reaches_a_service_that_is_open_there() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let mut form = form_abroad(id);
    form.cross_region_bandwidth_mbps = Some(100);
    let made = stage.call_in(ABROAD, CONSUMER, Call::CreateEndpoint(form));
    assert_eq!(made, Err(Refusal::NoService), "not open there");
    stage.endpoint_abroad(id);
    assert_eq!(stage.state.endpoints.len(), 1);
    let mut bare = Stage::new();
    let id = bare.service(&[]);
    let open = ServiceChange { open_regions: vec![ABROAD], ..ServiceChange::default() };
    bare.done(PROVIDER, Call::UpdateService(id, open));
    bare.settle();
    let made = bare.call_in(ABROAD, CONSUMER, Call::CreateEndpoint(form_abroad(id)));
    assert_eq!(made, Err(Refusal::ZoneWithoutResource));
}

#[test]
fn a_zone_abroad_is_served_from_any_zone_of_the_service() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL, IN_G]);
    let near = stage.connected(id, &[SWITCH_F, SWITCH_G]);
    let key = stage.endpoint_abroad(id);
    stage.done(PROVIDER, Call::AcceptConnection(key, accept()));
    stage.settle();
    let leg = stage.leg(key.endpoint, ZONE_ABROAD);
    assert_eq!((leg.status, leg.served_by(ZONE_ABROAD)), (LegStatus::Connected, Some((COOL, F))), "the least loaded");
    assert_eq!(stage.leg(near.endpoint, F).served_in, None);
    assert_eq!(stage.state.load_of(id, (COOL, F)).current, 1);
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(COOL))), Refusal::ResourceInUse);

    stage.done(PROVIDER, Call::SetAutoAllocate(id, clb(COOL), false));
    let move_to = |one| Call::AssignZoneResource(key, ZONE_ABROAD, Assignment::ReplaceGracefully(clb(one)));
    assert_eq!(stage.refused(PROVIDER, move_to(COOL)), Refusal::ZoneNotReplaceable);
    assert_eq!(stage.refused(PROVIDER, move_to(UNFIT)), Refusal::ResourceNotAttached);
    stage.done(PROVIDER, move_to(IN_G));
    stage.settle();
    let leg = stage.leg(key.endpoint, ZONE_ABROAD);
    assert_eq!((leg.status, leg.served_by(ZONE_ABROAD)), (LegStatus::Migrated, Some((IN_G, G))));
    assert_eq!(leg.replaced.map(|side| side.served_by(ZONE_ABROAD)), Some((COOL, F)));
    let load = |stage: &Stage, resource| {
        let load = stage.state.load_of(id, resource);
        (load.current, load.replaced)
    };
    assert_eq!((load(&stage, (COOL, F)), load(&stage, (IN_G, G))), ((0, 1), (2, 0)));
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(COOL))), Refusal::ResourceInUse);
    stage.done(PROVIDER, Call::DisconnectZone(key, ZONE_ABROAD, Side::Replaced));
    stage.settle();
    stage.done(PROVIDER, Call::DetachResource(id, clb(COOL)));
    stage.settle();
    assert_eq!(invariant::broken(&stage.state), Vec::<String>::new());

    stage.done(PROVIDER, Call::DisconnectZone(key, ZONE_ABROAD, Side::Current));
    stage.settle();
    assert_eq!(load(&stage, (IN_G, G)), (1, 0));
    stage.done(PROVIDER, Call::ConnectZone(key, ZONE_ABROAD));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, ZONE_ABROAD).served_by(ZONE_ABROAD), Some((IN_G, G)));
}

#[test]
fn a_zone_abroad_forgets_a_resource_that_leaves() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL]);
    let key = stage.endpoint_abroad(id);
    stage.done(PROVIDER, Call::AssignZoneResource(key, ZONE_ABROAD, Assignment::Manual(clb(COOL))));
    stage.settle();
    assert_eq!(stage.leg(key.endpoint, ZONE_ABROAD).served_by(ZONE_ABROAD), Some((COOL, F)));
    stage.done(PROVIDER, Call::DetachResource(id, clb(COOL)));
    stage.settle();
    let leg = stage.leg(key.endpoint, ZONE_ABROAD);
    assert_eq!((leg.resource, leg.served_in), (None, None));
}

#[test]
fn an_endpoint_abroad_of_a_service_that_accepts_by_itself_connects() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let accepts = ServiceChange { auto_accept: Some(true), ..ServiceChange::default() };
    stage.done(PROVIDER, Call::UpdateService(id, accepts));
    let key = stage.endpoint_abroad(id);
    assert_eq!(stage.state.endpoints[&key.endpoint].connection.status, ConnectionStatus::Connected);
    let leg = stage.leg(key.endpoint, ZONE_ABROAD);
    assert_eq!((leg.status, leg.served_by(ZONE_ABROAD)), (LegStatus::Connected, Some((HOT, F))));
}
