//! The codec against the simulated cloud, which was written without it: the whole life of an endpoint, as its consumer
//! leads it.

use std::collections::BTreeSet;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{EndpointId, GroupId, ServiceId, SubnetId};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{
    AddressFamily, Endpoint, EndpointKind, EndpointView, Facet, Groups, Interface, Interfaces, ResourceKind,
};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::state::{ConnectionState, GroupState, LifeState, ZoneState};
use privatelink_core::step::{EndpointChange, EndpointForm, InterfaceForm, ServiceChange, ServiceForm, Step};
use privatelink_core::wire::alibaba::sign::Key;
use privatelink_core::wire::alibaba::{decode, encode};
use privatelink_sim::world::{AccountId as Account, Variants};

use super::dialect::{PROVIDER, Stage};
use super::{bare_endpoint_form, bare_form, key, region};

const TENANT: Key<'static> = Key { id: "consumer-key", secret: "consumer-secret", token: None };
const TENANTS_ROLE: Key<'static> =
    Key { id: "consumer-role-key", secret: "consumer-role-secret", token: Some("consumer-role-token") };
const VENDOR: Key<'static> = Key { id: "vendor-key", secret: "vendor-secret", token: None };
const TENANTS_NUMBER: &str = "1002000000000002";

const F: &str = "cn-hangzhou-f";
const G: &str = "cn-hangzhou-g";

/// A service of these load balancers, which the tenant may join.
fn published(stage: &mut Stage, owner: &Key<'_>, form: &ServiceForm) -> ServiceId {
    let made = stage.execute_with(&Step::CreateService(form.clone()), owner).expect("a service");
    let Done::CreatedService(service) = made else { panic!("a service") };
    stage.by_hand(
        "AddUserToVpcEndpointService",
        owner,
        &[("ServiceId", service.id.as_str()), ("UserId", TENANTS_NUMBER)],
    );
    service.id
}

fn of(kind: ResourceKind, resources: &[(&str, &str)]) -> ServiceForm {
    let resources = resources.iter().map(|(id, zone)| key(id, zone)).collect();
    ServiceForm { resources, ..bare_form(kind) }
}

fn clb_in_two_zones() -> ServiceForm {
    of(ResourceKind::Clb, &[("lb-hot", F), ("lb-hot-g", G)])
}

fn open(zone: &str) -> InterfaceForm {
    InterfaceForm { zone: zone.into(), ip: None, ipv6: None }
}

/// An endpoint of the tenant's VPC in one zone and one group.
fn form(service: &ServiceId) -> EndpointForm {
    EndpointForm {
        service: Some(service.clone()),
        vpc: "vpc-tenant".into(),
        zones: [("vsw-tenant-f".into(), open(F))].into(),
        groups: ["sg-tenant".into()].into(),
        ..bare_endpoint_form()
    }
}

fn create(stage: &mut Stage, form: &EndpointForm) -> Endpoint {
    match stage.execute_with(&Step::CreateEndpoint(form.clone()), &TENANT) {
        Ok(Done::CreatedEndpoint(made)) => *made,
        other => panic!("{form:?}: {other:?}"),
    }
}

fn run(stage: &mut Stage, step: &Step) {
    assert_eq!(stage.execute_with(step, &TENANT), Ok(Done::Accepted), "{step:?}");
}

fn refusal(stage: &mut Stage, step: &Step) -> Failure {
    stage.execute_with(step, &TENANT).expect_err("refused")
}

fn read(stage: &mut Stage, read: &Read) -> Answer {
    stage.read_with(read, &TENANT).unwrap_or_else(|failure| panic!("{read:?}: {failure}"))
}

/// The endpoint as the list shows it, which must be as the read by id shows it but for its tags.
fn endpoint(stage: &mut Stage, id: &EndpointId) -> Endpoint {
    let Answer::Endpoints(all, None) = read(stage, &Read::Endpoints(None)) else { panic!("one page") };
    let listed = all.into_iter().find(|endpoint| endpoint.id == *id).expect("listed");
    let Answer::Endpoint(whole) = read(stage, &Read::Endpoint(id.clone())) else { panic!("an endpoint") };
    assert_eq!(*whole, Endpoint { tags: None, ..listed.clone() });
    listed
}

fn interfaces(stage: &mut Stage, id: &EndpointId) -> Interfaces {
    let Answer::Interfaces(all, None) = read(stage, &Read::Interfaces(id.clone(), None)) else { panic!("one page") };
    all
}

fn groups(stage: &mut Stage, id: &EndpointId) -> Groups {
    let Answer::Groups(all, None) = read(stage, &Read::Groups(id.clone(), None)) else { panic!("one page") };
    all
}

/// What a consumer makes of all that it reads.
fn connection(stage: &mut Stage, id: &EndpointId) -> ConnectionState {
    let view = EndpointView {
        endpoint: Facet::seen(Moment(0), Some(endpoint(stage, id))),
        interfaces: Facet::seen(Moment(0), interfaces(stage, id)),
        ..EndpointView::default()
    };
    view.connection().expect("read")
}

fn accept(stage: &mut Stage, service: &ServiceId, id: &EndpointId) {
    let at = [("ServiceId", service.as_str()), ("EndpointId", id.as_str())];
    stage.by_hand("EnableVpcEndpointConnection", &PROVIDER, &at);
}

fn joined(ids: &[&str]) -> Groups {
    ids.iter().map(|id| (GroupId::from(*id), GroupState::Attached)).collect()
}

#[test]
fn an_endpoint_is_made_as_its_form_says_and_connected_once_its_provider_accepts() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let fixed = "192.168.1.77".parse().expect("an address");
    let form = EndpointForm {
        zones: [
            ("vsw-tenant-f".into(), InterfaceForm { ip: Some(fixed), ..open(F) }),
            ("vsw-tenant-g".into(), open(G)),
        ]
        .into(),
        groups: ["sg-tenant".into(), "sg-tenant-second".into()].into(),
        name: Some("db-中".into()),
        description: Some("a b+c*d~e/f&g=h 中".into()),
        family: Some(AddressFamily::V4),
        zone_affinity: Some(true),
        resource_group: Some("rg-consumer".into()),
        tags: [("owner".to_owned(), "team a".to_owned()), ("empty".to_owned(), String::new())].into(),
        ..form(&service)
    };
    let made = create(&mut stage, &form);
    assert_eq!((&made.state, &made.connection), (&LifeState::Creating, &ConnectionState::Disconnected));
    let id = made.id.clone();
    let shown = endpoint(&mut stage, &id);
    // What the answer to the create said still holds, but for the state.
    assert_eq!(shown, Endpoint { state: LifeState::Active, cloud_state: "Active".into(), ..made });
    assert_eq!((&shown.name, &shown.description), (&form.name, &form.description));
    assert_eq!((&shown.vpc, &shown.service), (&Some(form.vpc.clone()), &form.service));
    assert_eq!((shown.kind, shown.family, shown.zone_affinity), (Some(form.kind), AddressFamily::V4, true));
    assert_eq!((&shown.resource_group, shown.tags.as_ref()), (&form.resource_group, Some(&form.tags)));
    assert_eq!((shown.policy, shown.protected, shown.locked), (None, false, false));
    assert_eq!(shown.service_region, Some(region()));
    assert!(shown.domain.expect("a domain").starts_with(&format!("{id}.{service}.")));
    assert_eq!(groups(&mut stage, &id), joined(&["sg-tenant", "sg-tenant-second"]));

    let waiting = interfaces(&mut stage, &id);
    assert_eq!(waiting.keys().cloned().collect::<BTreeSet<_>>(), form.zones.keys().cloned().collect());
    for (subnet, one) in &waiting {
        assert_eq!((&one.zone, &one.state), (&form.zones[subnet].zone, &ZoneState::Waiting));
        assert!(one.id.is_some() && one.ip.is_some() && one.ipv6.is_none() && one.domain.is_some(), "{one:?}");
    }
    assert_eq!(waiting[&SubnetId::from("vsw-tenant-f")].ip, Some(fixed));
    assert_eq!(connection(&mut stage, &id), ConnectionState::AwaitingAcceptance);

    accept(&mut stage, &service, &id);
    assert_eq!(connection(&mut stage, &id), ConnectionState::Connected);
    assert!(interfaces(&mut stage, &id).values().all(|one| one.state == ZoneState::Connected));
    stage.execute(&Step::RejectConnection(service, id.clone()));
    assert_eq!(connection(&mut stage, &id), ConnectionState::Disconnected, "cut, not waiting");
}

#[test]
fn each_attribute_is_changed_alone() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let tags = [("owner".to_owned(), "a".to_owned())].into();
    let made = create(&mut stage, &EndpointForm { tags, name: Some("first".into()), ..form(&service) });
    let id = made.id;
    let object = || id.clone().into();
    let update = |change| Step::UpdateEndpoint(id.clone(), change);
    let none = EndpointChange::default;
    let mut expected = endpoint(&mut stage, &id);
    let mut check = |stage: &mut Stage, step: &Step, change: &dyn Fn(&mut Endpoint)| {
        run(stage, step);
        change(&mut expected);
        assert_eq!(endpoint(stage, &id), expected, "{step:?}");
    };
    check(&mut stage, &update(EndpointChange { name: Some("other".into()), ..none() }), &|one| {
        one.name = Some("other".into());
    });
    check(&mut stage, &update(EndpointChange { description: Some("what it is".into()), ..none() }), &|one| {
        one.description = Some("what it is".into());
    });
    check(&mut stage, &update(EndpointChange { zone_affinity: Some(true), ..none() }), &|one| one.zone_affinity = true);
    check(&mut stage, &update(EndpointChange { zone_affinity: Some(false), ..none() }), &|one| {
        one.zone_affinity = false;
    });
    check(&mut stage, &Step::Move(object(), "rg-consumer-second".into()), &|one| {
        one.resource_group = Some("rg-consumer-second".into());
    });
    let more = [("new".to_owned(), "ü+ %&=".to_owned())];
    check(&mut stage, &Step::Tag(object(), more.clone().into()), &|one| {
        one.tags.as_mut().expect("listed").extend(more.clone());
    });
    check(&mut stage, &Step::Untag(object(), ["owner".to_owned()].into()), &|one| {
        one.tags.as_mut().expect("listed").remove("owner");
    });
}

#[test]
fn zones_and_groups_come_and_go_and_then_the_endpoint() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let id = create(&mut stage, &form(&service)).id;
    accept(&mut stage, &service, &id);
    let fixed = InterfaceForm { ip: Some("192.168.2.9".parse().expect("an address")), ..open(G) };
    let add = Step::AddZone(id.clone(), "vsw-tenant-g".into(), fixed.clone());
    run(&mut stage, &add);
    let shown = interfaces(&mut stage, &id);
    let added = &shown[&"vsw-tenant-g".into()];
    assert_eq!((shown.len(), added.ip, &added.state), (2, fixed.ip, &ZoneState::Connected));
    let again = refusal(&mut stage, &add);
    assert_eq!((again.code.as_str(), again.meaning), ("EndpointZoneDuplicated", Meaning::Gone));

    let second = || GroupId::from("sg-tenant-second");
    run(&mut stage, &Step::AttachSecurityGroup(id.clone(), second()));
    assert_eq!(groups(&mut stage, &id), joined(&["sg-tenant", "sg-tenant-second"]));
    let again = refusal(&mut stage, &Step::AttachSecurityGroup(id.clone(), second()));
    assert_eq!((again.code.as_str(), again.meaning), ("SecurityGroupExist", Meaning::Gone));
    run(&mut stage, &Step::DetachSecurityGroup(id.clone(), "sg-tenant".into()));
    assert_eq!(groups(&mut stage, &id), joined(&["sg-tenant-second"]));
    let again = refusal(&mut stage, &Step::DetachSecurityGroup(id.clone(), "sg-tenant".into()));
    assert_eq!((again.code.as_str(), again.meaning), ("SecurityGroupNotFound", Meaning::Gone));
    let last = refusal(&mut stage, &Step::DetachSecurityGroup(id.clone(), second()));
    assert_eq!(last.meaning, Meaning::UserMustAct(Reason::InvalidSpec), "{last}");

    let early = refusal(&mut stage, &Step::DeleteEndpoint(id.clone()));
    assert_eq!(early.meaning, Meaning::Waiting(Reason::BlockedByDependents), "{early}");
    for (subnet, zone) in [("vsw-tenant-f", F), ("vsw-tenant-g", G)] {
        let remove = Step::RemoveZone(id.clone(), subnet.into(), zone.into());
        run(&mut stage, &remove);
        assert!(!interfaces(&mut stage, &id).contains_key(&subnet.into()));
        let again = refusal(&mut stage, &remove);
        assert_eq!((again.code.as_str(), again.meaning), ("EndpointZoneNotFound", Meaning::Gone));
    }
    run(&mut stage, &Step::DeleteEndpoint(id.clone()));
    for gone in [Read::Endpoint(id.clone()), Read::Interfaces(id.clone(), None), Read::Groups(id.clone(), None)] {
        assert_eq!(stage.read_with(&gone, &TENANT).expect_err("gone").meaning, Meaning::Gone, "{gone:?}");
    }
    assert_eq!(read(&mut stage, &Read::Endpoints(None)), Answer::Endpoints(vec![], None));
    for step in [
        Step::DeleteEndpoint(id.clone()),
        Step::UpdateEndpoint(id.clone(), EndpointChange::default()),
        Step::Tag(id.clone().into(), [("a".to_owned(), "b".to_owned())].into()),
        Step::Move(id.into(), "rg-consumer".into()),
    ] {
        assert_eq!(refusal(&mut stage, &step).meaning, Meaning::Gone, "{step:?}");
    }
}

#[test]
fn both_protocols_are_asked_for_and_shown() {
    let mut stage = Stage::new();
    let resources = of(ResourceKind::Nlb, &[("nlb-hot", F), ("nlb-hot", G)]);
    let both = ServiceForm { family: Some(AddressFamily::DualStack), ..resources };
    let service = published(&mut stage, &PROVIDER, &both);
    let id = create(&mut stage, &form(&service)).id;
    assert_eq!(endpoint(&mut stage, &id).family, AddressFamily::V4);
    let change = EndpointChange { family: Some(AddressFamily::DualStack), ..EndpointChange::default() };
    run(&mut stage, &Step::UpdateEndpoint(id.clone(), change));
    assert_eq!(endpoint(&mut stage, &id).family, AddressFamily::DualStack);
    let ipv6 = Some("2408:4005:2:2::99".parse().expect("an address"));
    run(&mut stage, &Step::AddZone(id.clone(), "vsw-tenant-g".into(), InterfaceForm { ipv6, ..open(G) }));
    assert_eq!(interfaces(&mut stage, &id)[&"vsw-tenant-g".into()].ipv6, ipv6);
    let back = EndpointChange { family: Some(AddressFamily::V4), ..EndpointChange::default() };
    let refused = refusal(&mut stage, &Step::UpdateEndpoint(id, back));
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::InvalidSpec), "{refused}");
    assert!(refused.message.contains("spec.addressFamily"), "{refused}");

    let made = create(
        &mut stage,
        &EndpointForm {
            vpc: "vpc-tenant-second".into(),
            zones: [].into(),
            groups: ["sg-tenant-other".into()].into(),
            family: Some(AddressFamily::DualStack),
            ..form(&service)
        },
    );
    assert_eq!(endpoint(&mut stage, &made.id).family, AddressFamily::DualStack);
}

#[test]
fn an_endpoint_joins_a_service_of_another_region() {
    let mut stage = Stage::new();
    let resources = of(ResourceKind::Clb, &[("lb-hot", F)]);
    let service =
        published(&mut stage, &PROVIDER, &ServiceForm { regions: ["cn-shanghai".into()].into(), ..resources });
    stage.region = "cn-shanghai".into();
    let form = EndpointForm {
        service_region: Some(region()),
        vpc: "vpc-tenant-shanghai".into(),
        zones: [("vsw-tenant-b".into(), open("cn-shanghai-b"))].into(),
        groups: ["sg-tenant-shanghai".into()].into(),
        cross_region_bandwidth_mbps: Some(100),
        ..form(&service)
    };
    let made = create(&mut stage, &form);
    let id = made.id.clone();
    let shown = endpoint(&mut stage, &id);
    assert_eq!((&shown.service_region, shown.cross_region_bandwidth_mbps), (&Some(region()), Some(100)));
    assert_eq!((&made.service_region, made.cross_region_bandwidth_mbps), (&Some(region()), Some(100)));
    let change = EndpointChange { cross_region_bandwidth_mbps: Some(250), ..EndpointChange::default() };
    run(&mut stage, &Step::UpdateEndpoint(id.clone(), change));
    assert_eq!(endpoint(&mut stage, &id).cross_region_bandwidth_mbps, Some(250));

    // Its provider sees it where the service is, where the consumer does not.
    stage.region = region();
    assert_eq!(stage.connection(&service).endpoint, id);
    let elsewhere = stage.read_with(&Read::Endpoint(id.clone()), &TENANT).expect_err("not here");
    assert_eq!(elsewhere.meaning, Meaning::Gone);
    accept(&mut stage, &service, &id);
    stage.region = "cn-shanghai".into();
    assert_eq!(connection(&mut stage, &id), ConnectionState::Connected);
    run(&mut stage, &Step::RemoveZone(id.clone(), "vsw-tenant-b".into(), "cn-shanghai-b".into()));
    run(&mut stage, &Step::DeleteEndpoint(id));

    // A region that the service is not offered in does not know it.
    stage.region = region();
    let closed = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-spare", F)]));
    stage.region = "cn-shanghai".into();
    let refused = refusal(&mut stage, &Step::CreateEndpoint(EndpointForm { service: Some(closed), ..form }));
    assert_eq!(refused.meaning, Meaning::Waiting(Reason::WaitingForService), "{refused}");
}

#[test]
fn a_service_is_joined_by_its_name_too() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let name = format!("com.aliyuncs.privatelink.cn-hangzhou.{service}");
    let made = create(&mut stage, &EndpointForm { service: None, service_name: Some(name.clone()), ..form(&service) });
    assert_eq!((&made.service, made.service_name.as_deref()), (&Some(service), Some(name.as_str())));
}

#[test]
fn an_endpoint_of_a_gateway_load_balancer_has_no_groups() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Gwlb, &[("gwlb-hot", F)]));
    let kind = EndpointKind::GatewayLoadBalancer;
    let form = EndpointForm { kind, groups: [].into(), ..form(&service) };
    let id = create(&mut stage, &form).id;
    assert_eq!(endpoint(&mut stage, &id).kind, Some(kind));
    assert_eq!((groups(&mut stage, &id), interfaces(&mut stage, &id).len()), ([].into(), 1));
    let joins = refusal(&mut stage, &Step::AttachSecurityGroup(id.clone(), "sg-tenant".into()));
    assert_eq!(joins.meaning, Meaning::UserMustAct(Reason::InvalidSpec), "{joins}");
    assert!(joins.message.contains("spec.securityGroupIds"), "{joins}");
    let zones = [].into();
    let other = EndpointForm { kind: EndpointKind::Interface, vpc: "vpc-tenant-second".into(), zones, ..form };
    let refused = refusal(&mut stage, &Step::CreateEndpoint(other));
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::InvalidSpec), "{refused}");
    assert!(refused.message.contains("spec.type"), "{refused}");
}

#[test]
fn the_clouds_own_services_take_policies_and_connect_back() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &VENDOR, &of(ResourceKind::Clb, &[("lb-vendor", F)]));
    let policy = |effect: &str| Some(format!(r#"{{"Version":"1","Statement":[{{"Effect":"{effect}"}}]}}"#));
    let kind = EndpointKind::Reverse;
    let made = create(&mut stage, &EndpointForm { kind, policy: policy("Allow"), ..form(&service) });
    let id = made.id;
    let shown = endpoint(&mut stage, &id);
    assert_eq!((shown.kind, shown.policy), (Some(kind), policy("Allow")));
    let set = EndpointChange { policy: policy("Deny"), ..EndpointChange::default() };
    run(&mut stage, &Step::UpdateEndpoint(id.clone(), set));
    assert_eq!(endpoint(&mut stage, &id).policy, policy("Deny"));
    let reset = EndpointChange { reset_policy: true, ..EndpointChange::default() };
    run(&mut stage, &Step::UpdateEndpoint(id.clone(), reset));
    assert_eq!(endpoint(&mut stage, &id).policy, None, "this cloud does not show its own policy");

    let others = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let refused = refusal(&mut stage, &Step::CreateEndpoint(EndpointForm { policy: policy("Allow"), ..form(&others) }));
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::InvalidSpec), "{refused}");
    assert!(refused.message.contains("spec.policy"), "{refused}");
    let reverse = refusal(&mut stage, &Step::CreateEndpoint(EndpointForm { kind, ..form(&others) }));
    assert!(reverse.message.contains("spec.type"), "{reverse}");
}

#[test]
fn a_protected_endpoint_yields_to_its_maker_alone() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let form = EndpointForm { protected: Some(true), ..form(&service) };
    let made = stage.execute_with(&Step::CreateEndpoint(form), &TENANTS_ROLE).expect("an endpoint");
    let Done::CreatedEndpoint(made) = made else { panic!("an endpoint") };
    assert!(endpoint(&mut stage, &made.id).protected);
    let remove = Step::RemoveZone(made.id.clone(), "vsw-tenant-f".into(), F.into());
    let delete = Step::DeleteEndpoint(made.id.clone());
    for step in [&remove, &Step::UpdateEndpoint(made.id.clone(), EndpointChange::default()), &delete] {
        let refused = refusal(&mut stage, step);
        assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::PermissionDenied), "{refused}");
        assert!(refused.message.contains("credentials of the user or role that made"), "{refused}");
    }
    for step in [&remove, &delete] {
        assert_eq!(stage.execute_with(step, &TENANTS_ROLE), Ok(Done::Accepted), "{step:?}");
    }
}

#[test]
fn an_unpaid_bill_is_seen() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let id = create(&mut stage, &form(&service)).id;
    let mut world = stage.cloud.state().clone();
    world.accounts.get_mut(&Account(1_002_000_000_000_002)).expect("the tenant").locked = true;
    stage.cloud.set_state(world);
    assert!(endpoint(&mut stage, &id).locked);
    let refused = refusal(&mut stage, &Step::AttachSecurityGroup(id, "sg-tenant-second".into()));
    assert_eq!(refused.meaning, Meaning::InTransition, "{refused}");
}

#[test]
fn a_service_that_goes_leaves_its_endpoints_behind() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-hot", F)]));
    let id = create(&mut stage, &form(&service)).id;
    stage.execute(&Step::DetachResource(service.clone(), key("lb-hot", F), ResourceKind::Clb));
    stage.execute(&Step::DeleteService(service));
    assert_eq!(connection(&mut stage, &id), ConnectionState::ServiceDeleted);
    let refused = refusal(&mut stage, &Step::AttachSecurityGroup(id.clone(), "sg-tenant-second".into()));
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::ReferenceNotFound), "{refused}");
    run(&mut stage, &Step::RemoveZone(id.clone(), "vsw-tenant-f".into(), F.into()));
    run(&mut stage, &Step::DeleteEndpoint(id));
}

#[test]
fn pages_follow_each_other() {
    let mut stage = Stage::new();
    for balancer in ["lb-hot", "lb-spare", "lb-third"] {
        let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[(balancer, F)]));
        create(&mut stage, &EndpointForm { zones: [].into(), ..form(&service) });
    }
    let mut call = encode::read(&Read::Endpoints(None), &region());
    call.parameters.insert("MaxResults".into(), "2".into());
    let first = stage.send(&call, &TENANT);
    let Ok(Answer::Endpoints(two, Some(next))) = decode::read(&Read::Endpoints(None), &first.body) else {
        panic!("a first page")
    };
    let Answer::Endpoints(last, None) = read(&mut stage, &Read::Endpoints(Some(next))) else { panic!("the last page") };
    let ids: BTreeSet<_> = two.iter().chain(&last).map(|endpoint| endpoint.id.clone()).collect();
    assert_eq!((two.len(), last.len(), ids.len()), (2, 1, 3));
}

/// What is wrong with a form, what its refusal means and what its message must name.
type Wrong<'a> = (&'a dyn Fn(&mut EndpointForm), Meaning, &'a str);

fn refused_of_each(stage: &mut Stage, good: &EndpointForm, wrongs: &[Wrong<'_>]) {
    for (spoil, meaning, says) in wrongs {
        let mut form = good.clone();
        spoil(&mut form);
        let refused = refusal(stage, &Step::CreateEndpoint(form));
        assert_eq!(refused.meaning, *meaning, "{refused}");
        assert!(refused.message.contains(says), "{says}: {refused}");
    }
    create(stage, good);
}

#[test]
fn a_form_is_refused_for_what_is_wrong_with_it() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-hot", F)]));
    let unlisted = stage.create(&of(ResourceKind::Clb, &[("lb-spare", F)]));
    let (must, waiting) = (Meaning::UserMustAct, Meaning::Waiting);
    let groups = |ids: &[&str]| ids.iter().map(|id| GroupId::from(*id)).collect::<BTreeSet<_>>();
    let in_groups = "spec.securityGroupIds";
    refused_of_each(
        &mut stage,
        &form(&service),
        &[
            (&|form| form.service = Some(unlisted.clone()), waiting(Reason::NotWhitelisted), "list it"),
            (&|form| form.service = Some("epsrv-x".into()), waiting(Reason::WaitingForService), "spec.service"),
            (&|form| form.vpc = "vpc-provider".into(), must(Reason::ReferenceNotFound), "spec.vpcId"),
            (&|form| form.groups = groups(&["sg-x"]), must(Reason::ReferenceNotFound), in_groups),
            (&|form| form.groups = groups(&["sg-tenant-managed"]), must(Reason::InvalidSpec), in_groups),
            (
                &|form| form.groups = groups(&["sg-tenant", "sg-tenant-enterprise"]),
                must(Reason::InvalidSpec),
                in_groups,
            ),
            (&|form| form.family = Some(AddressFamily::DualStack), must(Reason::InvalidSpec), "spec.addressFamily"),
            (&|form| form.cross_region_bandwidth_mbps = Some(100), must(Reason::InvalidSpec), "field of the spec"),
            (&|form| form.resource_group = Some("rg-x".into()), must(Reason::InvalidSpec), "field of the spec"),
        ],
    );
}

#[test]
fn a_zone_is_refused_for_what_is_wrong_with_it() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-hot", F)]));
    let (must, waiting) = (Meaning::UserMustAct, Meaning::Waiting);
    let zones = |subnet: &str, zone: &str| [(SubnetId::from(subnet), open(zone))].into();
    let ip = Some("10.0.0.1".parse().expect("an address"));
    let in_zones = "spec.zones";
    refused_of_each(
        &mut stage,
        &form(&service),
        &[
            (&|form| form.zones = zones("vsw-nowhere", F), must(Reason::ReferenceNotFound), in_zones),
            (&|form| form.zones = zones("vsw-tenant-f", G), must(Reason::ReferenceNotFound), in_zones),
            (&|form| form.zones = zones("vsw-tenant-g", G), waiting(Reason::NoResourceInZone), in_zones),
            (&|form| form.zones = zones("vsw-tenant-full", F), waiting(Reason::QuotaExceeded), in_zones),
            (&|form| form.zones = zones("vsw-tenant-new", F), Meaning::InTransition, in_zones),
            (
                &|form| form.zones = [("vsw-tenant-f".into(), InterfaceForm { ip, ..open(F) })].into(),
                must(Reason::InvalidSpec),
                "ip or ipv6 in spec.zones",
            ),
            (
                &|form| drop(form.zones.insert("vsw-tenant-full".into(), open(F))),
                must(Reason::InvalidSpec),
                "one in each zone",
            ),
        ],
    );
}

#[test]
fn what_an_endpoint_has_stands_in_the_way_of_what_is_asked_for() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-hot", F)]));
    let id = create(&mut stage, &form(&service)).id;
    let must = Meaning::UserMustAct;
    let again = EndpointForm { zones: [].into(), ..form(&service) };
    for (step, code, meaning) in [
        (Step::CreateEndpoint(again), "EndpointDuplicated", must(Reason::OwnershipConflict)),
        (
            Step::AttachSecurityGroup(id.clone(), "sg-tenant-enterprise".into()),
            "SecurityGroupTypeOnlySingleTypeSupporteded",
            must(Reason::InvalidSpec),
        ),
        (
            Step::AddZone(id.clone(), "vsw-tenant-g".into(), open(G)),
            "EndpointServiceNotSupportedZone",
            Meaning::Waiting(Reason::NoResourceInZone),
        ),
        // Another vSwitch of a zone that has an interface: no reason to believe that this one has it.
        (Step::AddZone(id.clone(), "vsw-tenant-full".into(), open(F)), "EndpointZoneDuplicated", Meaning::Gone),
        (Step::Move(id.into(), "rg-x".into()), "InvalidResourceGroup", must(Reason::ReferenceNotFound)),
    ] {
        let refused = refusal(&mut stage, &step);
        assert_eq!((refused.code.as_str(), refused.meaning), (code, meaning), "{refused}");
    }
}

#[test]
fn an_account_without_the_product_joins_nothing() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &of(ResourceKind::Clb, &[("lb-hot", F)]));
    let closed = Key { id: "restricted-key", secret: "restricted-secret", token: None };
    let form = EndpointForm {
        vpc: "vpc-restricted".into(),
        zones: [].into(),
        groups: ["sg-restricted".into()].into(),
        ..form(&service)
    };
    let asks = |stage: &mut Stage| stage.execute_with(&Step::CreateEndpoint(form.clone()), &closed);
    let refused = asks(&mut stage).expect_err("not open");
    assert_eq!(refused.meaning, Meaning::UserMustAct(Reason::FeatureNotEnabled), "{refused}");
    assert_eq!(stage.execute_with(&Step::OpenProduct, &closed), Ok(Done::Accepted));
    let refused = asks(&mut stage).expect_err("not listed");
    assert_eq!(refused.meaning, Meaning::Waiting(Reason::NotWhitelisted), "{refused}");
}

#[test]
fn a_service_that_accepts_by_itself_connects_an_endpoint_at_once() {
    let mut stage = Stage::new();
    let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
    let change = ServiceChange { auto_accept: Some(true), ..ServiceChange::default() };
    stage.execute(&Step::UpdateService(service.clone(), change));
    let id = create(&mut stage, &form(&service)).id;
    assert_eq!(connection(&mut stage, &id), ConnectionState::Connected);
    assert!(interfaces(&mut stage, &id).values().all(Interface::is_connected));
}

/// What the vendor leaves open settles nothing of how an endpoint comes, changes and goes.
#[test]
fn an_endpoint_lives_in_every_world_that_the_vendor_leaves_open() {
    for (name, value, variants) in Variants::each_flipped() {
        let mut stage = Stage::new();
        let mut world = stage.cloud.state().clone();
        world.variants = variants;
        stage.cloud.set_state(world);
        let service = published(&mut stage, &PROVIDER, &clb_in_two_zones());
        let ungrouped = EndpointForm { groups: [].into(), vpc: "vpc-tenant-second".into(), ..form(&service) };
        let ungrouped = Step::CreateEndpoint(EndpointForm { zones: [].into(), ..ungrouped });
        let refused = stage.execute_with(&ungrouped, &TENANT).err().map(|failure| failure.meaning);
        let required = name == "groupsRequired";
        assert_eq!(refused, required.then_some(Meaning::UserMustAct(Reason::InvalidSpec)), "{name} {value}");

        let id = create(&mut stage, &form(&service)).id;
        assert_eq!(connection(&mut stage, &id), ConnectionState::AwaitingAcceptance, "{name} {value}");
        let again = Step::CreateEndpoint(EndpointForm { zones: [].into(), ..form(&service) });
        let refused = stage.execute_with(&again, &TENANT).err().map(|failure| failure.meaning);
        let alone = name != "oneEndpointPer";
        assert_eq!(refused, alone.then_some(Meaning::UserMustAct(Reason::OwnershipConflict)), "{name} {value}");
        for step in [
            Step::AddZone(id.clone(), "vsw-tenant-g".into(), open(G)),
            Step::AttachSecurityGroup(id.clone(), "sg-tenant-second".into()),
            Step::DetachSecurityGroup(id.clone(), "sg-tenant".into()),
            Step::UpdateEndpoint(id.clone(), EndpointChange { zone_affinity: Some(true), ..EndpointChange::default() }),
            Step::RemoveZone(id.clone(), "vsw-tenant-f".into(), F.into()),
        ] {
            run(&mut stage, &step);
        }
        assert_eq!(groups(&mut stage, &id), joined(&["sg-tenant-second"]), "{name} {value}");
        assert_eq!(interfaces(&mut stage, &id).into_keys().collect::<Vec<_>>(), ["vsw-tenant-g".into()]);
        run(&mut stage, &Step::RemoveZone(id.clone(), "vsw-tenant-g".into(), G.into()));
        run(&mut stage, &Step::DeleteEndpoint(id.clone()));
        let gone = stage.read_with(&Read::Endpoint(id), &TENANT).expect_err("gone");
        assert_eq!(gone.meaning, Meaning::Gone, "{name} {value}");
    }
}
