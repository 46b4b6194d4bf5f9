//! What the provider's calls on a service need and lead to; tokens, scopes and tags beside them.

use privatelink_sim::world::call::{AcceptForm, ObjectId, ResourceForm, ServiceChange, ServiceForm, UntagKeys};
use privatelink_sim::world::object::{
    BalancerKind, ConnectionStatus, ConsumerRegion, IpVersion, OpenBlock, Payer, Principal, ServiceStatus,
};
use privatelink_sim::world::{
    Account, AccountId, Answer, BalancerId, Call, Progress, Refusal, Request, ServiceId, advance, apply, carry_out,
    progress, rehearse,
};

use crate::small_land::{
    ABROAD, CONSUMER, COOL, F, G, HERE, HOT, IN_G, NLB, PROVIDER, STRANGER, STRANGERS, SWITCH_F, SWITCH_G, Stage,
    UNFIT, account, clb, endpoint_form, resource_of, zone_form,
};

fn service_form(resources: &[ResourceForm]) -> ServiceForm {
    ServiceForm { kind: Some(BalancerKind::Clb), resources: resources.to_vec(), ..ServiceForm::default() }
}

fn create(resources: &[ResourceForm]) -> Call {
    Call::CreateService(service_form(resources))
}

#[test]
fn a_service_is_made_becomes_active_and_lists_its_owner() {
    let mut stage = Stage::new();
    let Answer::Service(id) = stage.done(PROVIDER, create(&[clb(HOT)])) else { panic!("no service") };
    assert_eq!(stage.state.services[&id].status, ServiceStatus::Creating);
    stage.settle();
    let service = &stage.state.services[&id];
    assert_eq!(service.status, ServiceStatus::Active);
    assert!(service.principals.contains(&Principal::Account(PROVIDER.account)));
    assert!(service.resources[&(HOT, F)].auto_allocate);
}

#[test]
fn creating_a_service_names_what_is_wrong_with_it() {
    let alb = ResourceForm { balancer: BalancerId::NOWHERE, kind: Some(BalancerKind::Alb), zone: Some(F) };
    let cases = [
        (vec![clb(BalancerId::NOWHERE)], Refusal::NoBalancer { alb: false }),
        (vec![alb], Refusal::NoBalancer { alb: true }),
        (vec![clb(STRANGERS)], Refusal::NoBalancer { alb: false }),
        (vec![clb(UNFIT)], Refusal::BalancerUnsupported),
        (vec![clb(NLB)], Refusal::KindMismatch),
        (vec![resource_of(BalancerKind::Nlb, NLB)], Refusal::KindNotOfService),
        (vec![ResourceForm { zone: Some(G), ..clb(HOT) }], Refusal::ZoneNotServed),
        (vec![clb(HOT), clb(HOT)], Refusal::ResourceAttached),
    ];
    for (resources, refusal) in cases {
        assert_eq!(Stage::new().refused(PROVIDER, create(&resources)), refusal, "{resources:?}");
    }
    let forms = [
        (ServiceForm { ip_version: Some(IpVersion::DualStack), ..service_form(&[]) }, Refusal::NoIpv6),
        (ServiceForm { resource_group: Some("rg-none".into()), ..service_form(&[]) }, Refusal::NoResourceGroup),
        (ServiceForm { consumer_regions: vec![HERE], ..service_form(&[]) }, Refusal::NoRegion),
        (
            ServiceForm {
                kind: Some(BalancerKind::Nlb),
                resources: vec![ResourceForm { balancer: NLB, kind: None, zone: None }],
                ..ServiceForm::default()
            },
            Refusal::ZoneMissing,
        ),
        (
            ServiceForm { tags: (0..21).map(|n| (format!("k{n}").into(), "v".into())).collect(), ..service_form(&[]) },
            Refusal::TooManyTags,
        ),
    ];
    for (form, refusal) in forms {
        assert_eq!(Stage::new().refused(PROVIDER, Call::CreateService(form.clone())), refusal, "{form:?}");
    }
}

#[test]
fn what_an_account_may_not_do_is_refused() {
    let provider = |change: fn(&mut Account)| {
        let mut stage = Stage::new();
        let mut held = account();
        change(&mut held);
        stage.state.accounts.insert(PROVIDER.account, held);
        stage
    };
    let mut closed = provider(|account| account.product_open = false);
    assert_eq!(closed.refused(PROVIDER, create(&[])), Refusal::ProductNotOpen);
    closed.done(PROVIDER, Call::OpenProduct);
    closed.done(PROVIDER, create(&[]));
    assert_eq!(closed.refused(PROVIDER, Call::OpenProduct), Refusal::ProductAlreadyOpen);

    let mut barred = provider(|account| {
        account.product_open = false;
        account.may_not_open = Some(OpenBlock::Balance);
    });
    assert_eq!(barred.refused(PROVIDER, Call::OpenProduct), Refusal::MayNotOpen(OpenBlock::Balance));

    let mut unpaid = provider(|account| account.may_pay_for_consumers = false);
    let paying = ServiceForm { payer: Some(Payer::Service), ..service_form(&[]) };
    assert_eq!(unpaid.refused(PROVIDER, Call::CreateService(paying)), Refusal::PayerForbidden);

    let mut small = provider(|account| account.max_services = 1);
    small.done(PROVIDER, create(&[]));
    assert_eq!(small.refused(PROVIDER, create(&[])), Refusal::TooManyServices);

    let mut narrow = provider(|account| account.max_resources_per_zone = 1);
    assert_eq!(narrow.refused(PROVIDER, create(&[clb(HOT), clb(COOL)])), Refusal::TooManyResources);
}

#[test]
fn changes_of_a_service_wait_until_it_is_active() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    stage.done(PROVIDER, Call::AttachResource(id, clb(COOL)));
    assert_eq!(stage.state.services[&id].status, ServiceStatus::Pending);
    let calls = [
        Call::UpdateService(id, ServiceChange::default()),
        Call::AttachResource(id, clb(IN_G)),
        Call::DetachResource(id, clb(HOT)),
        Call::SetAutoAllocate(id, clb(HOT), false),
        Call::AllowPrincipal(id, Principal::Account(STRANGER.account)),
        Call::DisallowPrincipal(id, Principal::Account(CONSUMER.account)),
        Call::DeleteService(id),
        Call::CreateEndpoint(endpoint_form(id, &[])),
    ];
    for call in &calls[..7] {
        assert_eq!(stage.refused(PROVIDER, call.clone()), Refusal::ServiceNotActive, "{call:?}");
    }
    assert_eq!(stage.refused(CONSUMER, calls[7].clone()), Refusal::ServiceNotActive);
    stage.settle();
    assert_eq!(stage.refused(PROVIDER, Call::AttachResource(id, clb(COOL))), Refusal::ResourceAttached);
}

#[test]
fn a_service_is_seen_only_by_its_owner_in_its_region() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    assert_eq!(stage.refused(STRANGER, Call::DeleteService(id)), Refusal::NoService);
    let abroad = Request { region: ABROAD, token: None, call: Call::DeleteService(id) };
    assert_eq!(apply(&stage.state, PROVIDER, &abroad).map(|_| ()), Err(Refusal::NoService));
    assert_eq!(stage.refused(PROVIDER, Call::DeleteService(ServiceId::NOWHERE)), Refusal::NoService);
}

#[test]
fn a_services_attributes_change_within_their_rules() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let nlb = stage.service_of(BalancerKind::Nlb, &[NLB]);
    let bandwidth = |mbps| ServiceChange { connect_bandwidth_mbps: Some(mbps), ..ServiceChange::default() };
    assert_eq!(stage.refused(PROVIDER, Call::UpdateService(id, bandwidth(99))), Refusal::BandwidthOutOfRange);
    assert_eq!(stage.refused(PROVIDER, Call::UpdateService(nlb, bandwidth(200))), Refusal::BandwidthUnsupported);
    let alb = stage.service_of(BalancerKind::Alb, &[]);
    for service in [id, alb] {
        let too_fast = Call::UpdateService(service, bandwidth(10_241));
        assert_eq!(stage.refused(PROVIDER, too_fast), Refusal::BandwidthOutOfRange);
        stage.done(PROVIDER, Call::UpdateService(service, bandwidth(10_240)));
    }
    stage.done(PROVIDER, Call::UpdateService(id, bandwidth(200)));
    assert_eq!(stage.state.services[&id].connect_bandwidth_mbps, Some(200));
    assert_eq!(stage.state.services[&id].status, ServiceStatus::Active);
    let six = ServiceChange { support_ipv6: Some(true), ..ServiceChange::default() };
    assert_eq!(stage.refused(PROVIDER, Call::UpdateService(id, six)), Refusal::NoIpv6);

    let open = ServiceChange { open_regions: vec![ABROAD], ..ServiceChange::default() };
    let close = ServiceChange { close_regions: vec![ABROAD], ..ServiceChange::default() };
    assert_eq!(stage.refused(PROVIDER, Call::UpdateService(id, close.clone())), Refusal::NoRegion);
    stage.done(PROVIDER, Call::UpdateService(id, open));
    assert_eq!(stage.state.services[&id].status, ServiceStatus::Pending);
    stage.settle();
    stage.done(PROVIDER, Call::UpdateService(id, close));
    stage.settle();
    let standing = stage.state.services[&id].consumer_regions[&ABROAD];
    assert_eq!(standing, ConsumerRegion::Closed, "a closed region stays listed");
}

#[test]
fn each_zone_keeps_a_resource_that_may_be_picked() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT, COOL, IN_G]);
    assert_eq!(stage.refused(PROVIDER, Call::SetAutoAllocate(id, clb(IN_G), false)), Refusal::LastAutoAllocated);
    stage.done(PROVIDER, Call::SetAutoAllocate(id, clb(HOT), false));
    assert_eq!(stage.refused(PROVIDER, Call::SetAutoAllocate(id, clb(COOL), false)), Refusal::LastAutoAllocated);
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(COOL))), Refusal::LastAutoAllocated);
    stage.done(PROVIDER, Call::DetachResource(id, clb(HOT)));
    stage.settle();
    stage.done(PROVIDER, Call::DetachResource(id, clb(COOL)));
    stage.settle();
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(COOL))), Refusal::ResourceNotAttached);
    assert_eq!(stage.refused(PROVIDER, Call::SetAutoAllocate(id, clb(HOT), true)), Refusal::ResourceNotAttached,);
}

#[test]
fn a_service_goes_only_when_nothing_hangs_on_it() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    let key = stage.connected(id, &[SWITCH_F]);
    assert_eq!(stage.refused(PROVIDER, Call::DeleteService(id)), Refusal::ServiceHasConnections);
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(HOT))), Refusal::ResourceInUse);
    stage.done(PROVIDER, Call::RejectConnection(key));
    assert_eq!(stage.refused(PROVIDER, Call::DetachResource(id, clb(HOT))), Refusal::ResourceInUse);
    stage.settle();
    assert_eq!(stage.refused(PROVIDER, Call::DeleteService(id)), Refusal::ServiceHasResources);
    stage.done(PROVIDER, Call::DetachResource(id, clb(HOT)));
    stage.settle();
    stage.done(PROVIDER, Call::DeleteService(id));
    assert_eq!(stage.refused(CONSUMER, Call::AddZone(key.endpoint, zone_form(SWITCH_G))), Refusal::ServiceDeleted);
    assert_eq!(stage.refused(CONSUMER, Call::CreateEndpoint(endpoint_form(id, &[]))), Refusal::ServiceDeleted,);
    stage.settle();
    assert!(stage.state.services.is_empty());
    assert_eq!(stage.state.endpoints[&key.endpoint].connection.status, ConnectionStatus::ServiceDeleted);
}

#[test]
fn in_a_stricter_world_any_endpoint_keeps_its_service() {
    let mut stage = Stage::flipped("endpointBlocksServiceDelete", "true");
    let id = stage.service(&[]);
    stage.endpoint(id, &[]);
    assert_eq!(stage.refused(PROVIDER, Call::DeleteService(id)), Refusal::ServiceHasEndpoints);
}

#[test]
fn an_account_and_its_arn_are_two_entries_or_one() {
    let arn = || Principal::Arn("acs:ram:*:2".into());
    for (value, entries) in [("false", 3), ("true", 2)] {
        let mut stage = Stage::flipped("accountAndArnAreOne", value);
        let id = stage.service(&[]);
        stage.done(PROVIDER, Call::AllowPrincipal(id, arn()));
        assert_eq!(stage.state.services[&id].principals.len(), entries);
    }
}

#[test]
fn a_principal_that_is_there_already_or_not_at_all_is_no_matter_or_refused() {
    let principal = || Principal::Account(CONSUMER.account);
    for (value, refused) in [("success", false), ("EndpointServiceUserExist", true)] {
        let mut stage = Stage::flipped("presentPrincipal", value);
        let id = stage.service(&[]);
        let entries = stage.state.services[&id].principals.clone();
        let again = stage.call(PROVIDER, Call::AllowPrincipal(id, principal()));
        assert_eq!(again.err(), refused.then_some(Refusal::PrincipalListed), "{value}");
        assert_eq!(stage.state.services[&id].principals, entries);
    }
    for (value, refused) in [("success", false), ("EndpointServiceUserNotFound", true)] {
        let mut stage = Stage::flipped("absentPrincipal", value);
        let id = stage.service(&[]);
        stage.done(PROVIDER, Call::DisallowPrincipal(id, principal()));
        let again = stage.call(PROVIDER, Call::DisallowPrincipal(id, principal()));
        assert_eq!(again.err(), refused.then_some(Refusal::PrincipalNotListed), "{value}");
    }
}

#[test]
fn a_dry_run_spends_its_token_shares_it_or_leaves_it_alone() {
    let known = Request { region: HERE, token: Some("token".into()), call: create(&[]) };
    let no_token = Request { token: None, ..known.clone() };
    let other = Request { call: create(&[clb(HOT)]), ..known.clone() };
    for (value, after_dry, after_call) in [
        // The call after its dry run; the dry run after the call.
        ("spent", Err(Refusal::TokenReused), Err(Refusal::TokenReused)),
        ("shared", Ok(Answer::Rehearsed), Ok(Answer::Service(ServiceId { maker: PROVIDER.account, number: 1 }))),
    ] {
        let empty = Stage::flipped("dryRunToken", value).state;
        let mut state = empty.clone();
        for _ in 0..2 {
            assert_eq!(rehearse(&mut state, PROVIDER, &known), Ok(Answer::Rehearsed), "{value}");
        }
        assert_eq!(rehearse(&mut state, PROVIDER, &other), Err(Refusal::TokenReused));
        assert_eq!(carry_out(&mut state, PROVIDER, &other), Err(Refusal::TokenReused));
        assert_eq!(carry_out(&mut state, PROVIDER, &known), after_dry, "{value}");
        assert!(state.services.is_empty());

        let mut state = empty;
        carry_out(&mut state, PROVIDER, &known).expect("it is new");
        assert_eq!(rehearse(&mut state, PROVIDER, &known), after_call, "{value}");
        assert_eq!(state.services.len(), 1);
    }
    // Kept apart, a dry run comes without its token.
    let mut state = Stage::flipped("dryRunToken", "apart").state;
    let before = state.clone();
    assert_eq!(rehearse(&mut state, PROVIDER, &no_token), Ok(Answer::Rehearsed));
    assert_eq!(state, before);
}

#[test]
fn a_call_copies_nothing_but_what_it_changes() {
    let mut stage = Stage::new();
    let (first, second) = (stage.service(&[HOT]), stage.service(&[COOL]));
    let key = stage.endpoint(first, &[SWITCH_F]);
    let before = stage.state.clone();
    stage.done(PROVIDER, Call::AllowPrincipal(first, Principal::Account(AccountId(9))));
    stage.done(PROVIDER, Call::DetachResource(second, clb(COOL)));
    stage.settle();
    let same = |id| std::ptr::eq(&raw const before.services[&id], &raw const stage.state.services[&id]);
    assert!(!same(first) && !same(second));
    assert!(std::ptr::eq(&raw const before.endpoints[&key.endpoint], &raw const stage.state.endpoints[&key.endpoint]));
    let middle = stage.state.clone();
    stage.done(PROVIDER, Call::AcceptConnection(key, AcceptForm::default()));
    assert!(std::ptr::eq(&raw const middle.services[&first], &raw const stage.state.services[&first]));
    assert_ne!(middle, stage.state);
}

#[test]
fn tags_change_on_all_objects_or_on_none() {
    let mut stage = Stage::new();
    let ids = [stage.service(&[]), stage.service(&[])];
    let objects = ids.map(ObjectId::Service).to_vec();
    let tags = |from: usize, to: usize| (from..to).map(|n| (format!("k{n}").into(), "v".into())).collect();
    stage.done(PROVIDER, Call::Tag(vec![objects[0]], tags(0, 1)));
    stage.done(PROVIDER, Call::Tag(vec![objects[1]], tags(0, 20)));
    let before = stage.state.clone();
    let mut held = before.clone();
    for (call, refusal) in [
        (Call::Tag(objects.clone(), tags(30, 31)), Refusal::TooManyTags),
        (Call::Untag(objects, UntagKeys::These(vec!["k0".into(), "k1".into()])), Refusal::NoTag),
    ] {
        let request = Request { region: HERE, token: None, call };
        assert_eq!(carry_out(&mut held, PROVIDER, &request), Err(refusal));
        assert_eq!(held, before);
    }
}

#[test]
fn tags_and_resource_groups_follow_the_object() {
    let mut stage = Stage::new();
    let id = stage.service(&[]);
    let object = ObjectId::Service(id);
    let tags = |from: usize, to: usize| (from..to).map(|n| (format!("k{n}").into(), "v".into())).collect();
    stage.done(PROVIDER, Call::Tag(vec![object], tags(0, 20)));
    assert_eq!(stage.refused(PROVIDER, Call::Tag(vec![object], tags(20, 21))), Refusal::TooManyTags);
    assert_eq!(stage.refused(STRANGER, Call::Tag(vec![object], tags(0, 1))), Refusal::NoObject);
    let untag =
        |keys: &[&str]| Call::Untag(vec![object], UntagKeys::These(keys.iter().map(|key| (*key).into()).collect()));
    stage.done(PROVIDER, untag(&["k0", "k1"]));
    assert_eq!(stage.refused(PROVIDER, untag(&["k0"])), Refusal::NoTag);
    assert_eq!(stage.state.services[&id].tags.len(), 18);
    stage.done(PROVIDER, Call::Untag(vec![object], UntagKeys::All));
    assert!(stage.state.services[&id].tags.is_empty());
    stage.done(PROVIDER, Call::ChangeResourceGroup(object, "rg-other".into()));
    assert_eq!(&*stage.state.services[&id].resource_group, "rg-other");
    let nowhere = Call::ChangeResourceGroup(object, "rg-none".into());
    assert_eq!(stage.refused(PROVIDER, nowhere), Refusal::NoResourceGroup);
    let unknown = Call::ChangeResourceGroup(ObjectId::Service(ServiceId::NOWHERE), "rg-other".into());
    assert_eq!(stage.refused(PROVIDER, unknown), Refusal::NoObject);
}

#[test]
fn a_token_repeats_its_answer_for_ever_and_belongs_to_one_call() {
    let stage = Stage::new();
    let request = |call| Request { region: HERE, token: Some("t".into()), call };
    let (first, made) = apply(&stage.state, PROVIDER, &request(create(&[clb(HOT)]))).expect("made");
    let Answer::Service(id) = made else { panic!("no service") };
    let settled = advance(&first, Progress::Service(id));
    let (same, again) = apply(&settled, PROVIDER, &request(create(&[clb(HOT)]))).expect("repeated");
    assert_eq!((again, &same), (made, &settled));
    let other = apply(&settled, PROVIDER, &request(create(&[clb(COOL)])));
    assert_eq!(other.map(|_| ()), Err(Refusal::TokenReused));
    let (elsewhere, _) = apply(&settled, STRANGER, &request(create(&[]))).expect("tokens are the account's own");
    assert_eq!(elsewhere.services.len(), 2);
    let abroad = Request { region: ABROAD, ..request(create(&[])) };
    let (abroad, _) = apply(&settled, PROVIDER, &abroad).expect("tokens are the region's own");
    assert_eq!(abroad.services.len(), 2);
}

#[test]
fn an_accounts_services_are_counted_in_all_regions() {
    let mut stage = Stage::new();
    for region in [HERE, ABROAD, HERE, ABROAD] {
        stage.call_in(region, PROVIDER, create(&[])).expect("within the quota of four");
    }
    for region in [HERE, ABROAD] {
        assert_eq!(stage.call_in(region, PROVIDER, create(&[])), Err(Refusal::TooManyServices));
    }
}

#[test]
fn a_refused_call_leaves_its_token_unused() {
    let stage = Stage::new();
    let request = Request { region: HERE, token: Some("t".into()), call: create(&[clb(UNFIT)]) };
    assert_eq!(apply(&stage.state, PROVIDER, &request).map(|_| ()), Err(Refusal::BalancerUnsupported));
    let corrected = Request { call: create(&[clb(HOT)]), ..request };
    assert!(apply(&stage.state, PROVIDER, &corrected).is_ok());
}

#[test]
fn one_call_of_a_scope_is_on_its_way_at_a_time() {
    let mut stage = Stage::new();
    let first = stage.service(&[HOT]);
    let second = stage.service(&[]);
    let scope = |call: Call, region, stage: &Stage| {
        Request { region, token: None, call }.scope(PROVIDER, &stage.state.variants)
    };
    let allow = |id| Call::AllowPrincipal(id, Principal::Account(AccountId(9)));
    let held = scope(allow(first), HERE, &stage);
    stage.state.enter(held).expect("the first");
    assert_eq!(stage.state.enter(scope(allow(second), HERE, &stage)), Err(Refusal::ConcurrentCall), "the account's");
    stage.state.enter(scope(allow(second), ABROAD, &stage)).expect("another region");
    stage.state.enter(scope(Call::DeleteService(second), HERE, &stage)).expect("another action");
    stage.state.leave(held);
    stage.state.enter(held).expect("free again");
    let attach = |id| scope(Call::AttachResource(id, clb(COOL)), HERE, &stage);
    let (on_first, on_second) = (attach(first), attach(second));
    stage.state.enter(on_first).expect("the first");
    stage.state.enter(on_second).expect("another service");

    let strict = Stage::flipped("scopeCoversAllActions", "true");
    assert_eq!(scope(allow(first), HERE, &strict), scope(Call::DeleteService(second), HERE, &strict));
    let global = Stage::flipped("accountScopeIsRegional", "false");
    assert_eq!(scope(allow(first), HERE, &global), scope(allow(first), ABROAD, &global));
}

#[test]
fn a_transition_that_is_not_open_changes_nothing() {
    let mut stage = Stage::new();
    let id = stage.service(&[HOT]);
    assert_eq!(advance(&stage.state, Progress::Service(id)), stage.state);
    assert_eq!(progress(&stage.state), []);
}
