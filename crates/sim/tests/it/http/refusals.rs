//! Each precondition broken once on the wire: the vendor's status and code for it.

use privatelink_sim::world::{Variants, object::OpenBlock};

use super::client::Client;
use super::scene::{CONSUMER, PROVIDER, Scene, options, text};

type Call<'c> = (&'c Client, &'c str, Vec<(&'c str, &'c str)>, &'c str);

/// Every call is refused by its code; a code in front of which stands `404 ` has that status, any other 400.
async fn refuse_all(calls: Vec<Call<'_>>) {
    for (caller, action, parameters, expected) in calls {
        let answered = caller.call(action, &parameters).await;
        let (status, code) = expected.strip_prefix("404 ").map_or((400, expected), |code| (404, code));
        assert_eq!(answered.refused(), (status, code), "{action} {parameters:?}");
    }
}

#[tokio::test]
async fn services_are_refused() {
    let scene = Scene::new();
    let provider = &scene.provider;
    let create = "CreateVpcEndpointService";
    let resource = |id, kind| vec![("Resource.1.ResourceId", id), ("Resource.1.ResourceType", kind)];
    let mut twice = resource("lb-hot", "slb");
    twice.extend([("Resource.2.ResourceId", "lb-hot"), ("Resource.2.ResourceType", "slb")]);
    let mut elsewhere = resource("lb-hot", "slb");
    elsewhere.push(("Resource.1.ZoneId", "cn-hangzhou-g"));
    refuse_all(vec![
        (provider, create, resource("lb-nowhere", "slb"), "LoadBalancerNotFound"),
        (provider, create, resource("alb-nowhere", "alb"), "AlbNotFound"),
        (provider, create, resource("lb-tenant", "slb"), "LoadBalancerNotFound"),
        (provider, create, resource("lb-shanghai", "slb"), "LoadBalancerNotFound"),
        (provider, create, resource("lb-public", "slb"), "LoadBalancerNotSupportPrivateLink"),
        (provider, create, resource("lb-hot", "alb"), "Mismatch.ResourceType"),
        (
            provider,
            create,
            [resource("lb-hot", "slb"), vec![("ServiceResourceType", "nlb")]].concat(),
            "Mismatch.ResourceType",
        ),
        (provider, create, resource("alb-hot", "alb"), "MissingParam.ZoneId"),
        (provider, create, elsewhere, "EndpointServiceNotSupportedZone"),
        (provider, create, twice, "EndpointServiceResourceExist"),
        (provider, create, vec![("SupportedRegionList.1", "moon-1")], "UnsupportedRegion"),
        (provider, create, vec![("ResourceGroupId", "rg-nowhere")], "IllegalParamFormat.ResourceGroupId"),
        (provider, create, vec![("AddressIpVersion", "DualStack")], "EndpointServiceNotSupportIpv6"),
        (&scene.consumer, create, vec![("Payer", "EndpointService")], "EndpointServicePayerForbidden"),
        (&scene.restricted, create, vec![], "NeedOpenProduct"),
    ])
    .await;
    scene.restricted.call("OpenPrivateLinkService", &[]).await.ok();
    scene.restricted.call(create, &[]).await.ok();
    refuse_all(vec![(&scene.restricted, create, vec![], "QuotaMisMatched")]).await;
    scene.set_account("1004000000000004", |account| {
        account.product_open = false;
        account.may_not_open = Some(OpenBlock::AccountType);
    });
    refuse_all(vec![(&scene.restricted, "OpenPrivateLinkService", vec![], "AccountTypeRestricted")]).await;
    scene.set_account("1004000000000004", |account| account.may_not_open = Some(OpenBlock::Balance));
    let balance = "InvalidAccountStatus.NotEnoughBalance";
    refuse_all(vec![(&scene.restricted, "OpenPrivateLinkService", vec![], balance)]).await;
}

#[tokio::test]
async fn changes_of_a_service_are_refused() {
    let scene = Scene::new();
    let service = scene.service(&[]).await;
    let of_service = ("ServiceId", service.as_str());
    let provider = &scene.provider;
    let (update, attach) = ("UpdateVpcEndpointServiceAttribute", "AttachResourceToVpcEndpointService");
    let (detach, delete) = ("DetachResourceFromVpcEndpointService", "DeleteVpcEndpointService");
    let switch = "UpdateVpcEndpointServiceResourceAttribute";
    let slb = |id| vec![of_service, ("ResourceId", id), ("ResourceType", "slb")];
    let off = |id| vec![of_service, ("ResourceId", id), ("AutoAllocatedEnabled", "false")];
    refuse_all(vec![
        (provider, update, vec![of_service, ("ConnectBandwidth", "99999")], "IllegalParamFormat.ConnectBandwidth"),
        (provider, update, vec![of_service, ("AddSupportedRegionSet.1", "moon-1")], "UnsupportedRegion"),
        (provider, update, vec![of_service, ("DeleteSupportedRegionSet.1", "cn-shanghai")], "UnsupportedRegion"),
        (provider, update, vec![of_service, ("ServiceSupportIPv6", "true")], "ServiceResourceNotSupportIpv6"),
        (provider, attach, slb("lb-nowhere"), "LoadBalancerNotFound"),
        (provider, attach, slb("lb-hot"), "EndpointServiceResourceExist"),
        (provider, attach, slb("lb-public"), "LoadBalancerNotSupportPrivateLink"),
        (provider, attach, slb("alb-hot"), "Mismatch.ResourceType"),
        (
            provider,
            attach,
            vec![of_service, ("ResourceId", "nlb-hot"), ("ResourceType", "nlb"), ("ZoneId", "cn-hangzhou-f")],
            "EndpointServiceResourceTypeNotEqual",
        ),
        (
            provider,
            attach,
            vec![of_service, ("ResourceId", "x"), ("ResourceType", "x")],
            "EndpointServiceResourceTypeNotSupport",
        ),
        (provider, detach, slb("lb-third"), "EndpointServiceResourceNotFound"),
        (provider, switch, off("lb-third"), "EndpointServiceResourceNotFound"),
        (provider, delete, vec![of_service], "EndpointServiceDependenceViolation"),
    ])
    .await;
    provider.call(switch, &off("lb-hot")).await.ok();
    refuse_all(vec![
        (provider, switch, off("lb-spare"), "ResourceAutoAllocateViolation"),
        (provider, detach, slb("lb-spare"), "EndpointServiceResourceCannotRemove"),
    ])
    .await;
    provider.call(attach, &slb("lb-third")).await.ok();
    refuse_all(vec![
        (provider, attach, slb("lb-hot-h"), "EndpointServiceOperationDenied"),
        (provider, detach, slb("lb-hot"), "EndpointServiceOperationDenied"),
        (provider, update, vec![of_service, ("AutoAcceptEnabled", "true")], "EndpointServiceOperationDenied"),
        (provider, "AddUserToVpcEndpointService", vec![of_service, ("UserId", "7")], "EndpointServiceOperationDenied"),
        (provider, delete, vec![of_service], "EndpointServiceOperationDenied"),
    ])
    .await;
    scene.settle();
    scene.set_account(PROVIDER, |account| account.locked = true);
    refuse_all(vec![
        (provider, attach, slb("lb-hot-h"), "EndpointServiceLocked"),
        (provider, update, vec![of_service, ("AutoAcceptEnabled", "true")], "EndpointServiceLocked"),
    ])
    .await;
    scene.set_account(PROVIDER, |account| {
        account.locked = false;
        account.max_resources = 5;
    });
    refuse_all(vec![(provider, attach, slb("lb-hot-h"), "QuotaMisMatched")]).await;
}

#[tokio::test]
async fn a_dual_stack_service_stays_one_and_an_nlb_has_no_default_bandwidth() {
    let scene = Scene::new();
    let dual = [
        ("ServiceResourceType", "nlb"),
        ("AddressIpVersion", "DualStack"),
        ("Resource.1.ResourceId", "nlb-hot"),
        ("Resource.1.ResourceType", "nlb"),
        ("Resource.1.ZoneId", "cn-hangzhou-f"),
    ];
    let service = text(&scene.provider.call("CreateVpcEndpointService", &dual).await.ok(), "ServiceId");
    scene.settle();
    let of_service = ("ServiceId", service.as_str());
    let update = "UpdateVpcEndpointServiceAttribute";
    let unfit = vec![of_service, ("ResourceId", "nlb-spare"), ("ResourceType", "nlb"), ("ZoneId", "cn-hangzhou-f")];
    refuse_all(vec![
        (&scene.provider, update, vec![of_service, ("AddressIpVersion", "IPv4")], "EndpointServiceDowngradeNotAllowed"),
        (
            &scene.provider,
            update,
            vec![of_service, ("ConnectBandwidth", "1000")],
            "IllegalParamFormat.ConnectBandwidth",
        ),
        (&scene.provider, "AttachResourceToVpcEndpointService", unfit, "ServiceResourceNotSupportIpv6"),
    ])
    .await;
}

#[tokio::test]
async fn endpoints_are_refused() {
    let scene = Scene::new();
    let service = scene.service(&[]).await;
    let consumer = &scene.consumer;
    let create = "CreateVpcEndpoint";
    let with = |extra: &[(&'static str, &'static str)]| {
        let mut parameters: Vec<(&str, &str)> = vec![("ServiceId", &service), ("VpcId", "vpc-tenant")];
        parameters.extend_from_slice(extra);
        parameters
    };
    let zone = |switch| ("Zone.1.VSwitchId", switch);
    refuse_all(vec![
        (consumer, create, vec![("VpcId", "vpc-tenant")], "MissingServiceId"),
        (consumer, create, vec![("ServiceId", "epsrv-1"), ("VpcId", "vpc-tenant")], "EndpointServiceNotFound"),
        (consumer, create, vec![("ServiceId", &service), ("VpcId", "vpc-provider")], "VpcNotFound"),
        (&scene.vendor, create, vec![("ServiceId", &service), ("VpcId", "vpc-vendor")], "EndpointServiceNotAuthorized"),
        (&scene.restricted, create, vec![("ServiceId", &service), ("VpcId", "vpc-restricted")], "NeedOpenProduct"),
        (consumer, create, with(&[("EndpointType", "GatewayLoadBalancer")]), "Mismatch.EndpointType"),
        (consumer, create, with(&[("PolicyDocument", "{}")]), "OperationDenied.EndpointPolicyNotSupport"),
        (consumer, create, with(&[("CrossRegionBandwidth", "100")]), "InvalidParameter.CrossRegionBandwidth"),
        (consumer, create, with(&[("AddressIpVersion", "DualStack")]), "EndpointServiceNotSupportIpv6"),
        (consumer, create, with(&[("ResourceGroupId", "rg-nowhere")]), "InvalidParameter.ResourceGroupId"),
        (consumer, create, with(&[("SecurityGroupId.1", "sg-provider")]), "SecurityGroupNotFound"),
        (consumer, create, with(&[("SecurityGroupId.1", "sg-tenant-managed")]), "SecurityGroupTypeNotSupport"),
        (
            consumer,
            create,
            with(&[("SecurityGroupId.1", "sg-tenant"), ("SecurityGroupId.2", "sg-tenant-enterprise")]),
            "SecurityGroupTypeOnlySingleTypeSupporteded",
        ),
        (consumer, create, with(&[zone("vsw-provider-f")]), "VSwitchNotFound"),
        (consumer, create, with(&[zone("vsw-tenant-new")]), "VSwitchStatusNotAllowed"),
        (consumer, create, with(&[zone("vsw-tenant-full")]), "ResourceNotEnough.VSwitchIp"),
        (consumer, create, with(&[zone("vsw-tenant-h")]), "EndpointServiceNotSupportedZone"),
        (consumer, create, with(&[zone("vsw-tenant-f"), ("Zone.1.ip", "10.0.0.1")]), "EniIpUnavailable"),
        (
            consumer,
            create,
            with(&[zone("vsw-tenant-f"), ("Zone.2.VSwitchId", "vsw-tenant-f")]),
            "EndpointZoneDuplicated",
        ),
    ])
    .await;
    scene.endpoint(&service, &[]).await;
    refuse_all(vec![(consumer, create, with(&[]), "EndpointDuplicated")]).await;
    scene.set_account(CONSUMER, |account| account.max_endpoints_per_vpc = 1);
    refuse_all(vec![(consumer, create, with(&[]), "QuotaExceeded.totalEpPerVpc")]).await;
    let groups = Variants::default().with("groupsRequired", "true").expect("a variant");
    let strict = Scene::with(groups, options());
    let service = strict.service(&[]).await;
    let bare = vec![("ServiceId", service.as_str()), ("VpcId", "vpc-tenant")];
    refuse_all(vec![(&strict.consumer, create, bare.clone(), "EndpointMustContainSecurityGroup")]).await;
    let attach = [("ServiceId", service.as_str()), ("ResourceId", "lb-third"), ("ResourceType", "slb")];
    strict.provider.call("AttachResourceToVpcEndpointService", &attach).await.ok();
    refuse_all(vec![(&strict.consumer, create, bare, "IncorrectStatus.VpcEndpointService")]).await;
}

#[tokio::test]
async fn changes_of_an_endpoint_are_refused() {
    let mut scene = Scene::new();
    // Protection takes effect only for what a role's session makes.
    let session = Client::new(&scene.simulator, "consumer-role-key", "consumer-role-secret");
    scene.consumer = Client { token: Some("consumer-role-token".into()), ..session };
    let service = scene.service(&[]).await;
    let endpoint = scene.endpoint(&service, &[("ProtectedEnabled", "true")]).await;
    let of_endpoint = ("EndpointId", endpoint.as_str());
    let consumer = &scene.consumer;
    let colleague = Client::new(&scene.simulator, "consumer-user-key", "consumer-user-secret");
    let (update, delete) = ("UpdateVpcEndpointAttribute", "DeleteVpcEndpoint");
    let (add, remove) = ("AddZoneToVpcEndpoint", "RemoveZoneFromVpcEndpoint");
    let (join, leave) = ("AttachSecurityGroupToVpcEndpoint", "DetachSecurityGroupFromVpcEndpoint");
    let zone = |zone, switch| vec![of_endpoint, ("ZoneId", zone), ("VSwitchId", switch)];
    let group = |id| vec![of_endpoint, ("SecurityGroupId", id)];
    let protected = "OperationDenied.EndpointProtected";
    refuse_all(vec![
        (&colleague, update, vec![of_endpoint, ("EndpointName", "theirs")], protected),
        (&colleague, delete, vec![of_endpoint], protected),
        (&colleague, add, zone("cn-hangzhou-h", "vsw-tenant-h"), protected),
        (&colleague, remove, vec![of_endpoint, ("ZoneId", "cn-hangzhou-f")], protected),
        (consumer, update, vec![of_endpoint, ("PolicyDocument", "{}")], "OperationDenied.EndpointPolicyNotSupport"),
        (consumer, delete, vec![of_endpoint], "EndpointDependenceViolation"),
        (consumer, add, zone("cn-hangzhou-f", "vsw-tenant-f"), "EndpointZoneDuplicated"),
        (consumer, add, zone("cn-hangzhou-h", "vsw-tenant-h"), "EndpointServiceNotSupportedZone"),
        (consumer, add, zone("cn-hangzhou-h", "vsw-tenant-f"), "VSwitchNotFound"),
        (consumer, remove, vec![of_endpoint, ("ZoneId", "cn-hangzhou-h")], "EndpointZoneNotFound"),
        (consumer, join, group("sg-nowhere"), "SecurityGroupNotFound"),
        (consumer, join, group("sg-tenant"), "SecurityGroupExist"),
        (consumer, join, group("sg-tenant-managed"), "SecurityGroupTypeNotSupport"),
        (consumer, join, group("sg-tenant-enterprise"), "SecurityGroupTypeOnlySingleTypeSupporteded"),
        (consumer, leave, group("sg-tenant-second"), "SecurityGroupNotFound"),
        (consumer, leave, group("sg-tenant"), "EndpointMustContainSecurityGroup"),
    ])
    .await;
    consumer.call(join, &group("sg-tenant-second")).await.ok();
    refuse_all(vec![
        (consumer, join, group("sg-tenant-second"), "EndpointOperationDenied"),
        (consumer, update, vec![of_endpoint, ("EndpointName", "busy")], "EndpointOperationDenied"),
        (consumer, delete, vec![of_endpoint], "EndpointOperationDenied"),
    ])
    .await;
    scene.settle();
    scene.set_account(CONSUMER, |account| account.locked = true);
    refuse_all(vec![
        (consumer, update, vec![of_endpoint, ("EndpointName", "poor")], "EndpointLocked"),
        (consumer, add, zone("cn-hangzhou-h", "vsw-tenant-h"), "EndpointLocked"),
    ])
    .await;
    scene.set_account(CONSUMER, |account| account.locked = false);
    let accept = [("ServiceId", service.as_str()), of_endpoint];
    scene.provider.call("EnableVpcEndpointConnection", &accept).await.ok();
    refuse_all(vec![
        (consumer, add, zone("cn-hangzhou-h", "vsw-tenant-h"), "EndpointConnectionOperationDenied"),
        (consumer, remove, vec![of_endpoint, ("ZoneId", "cn-hangzhou-f")], "EndpointConnectionOperationDenied"),
    ])
    .await;

    let ungrouped = [("ServiceId", service.as_str()), ("VpcId", "vpc-tenant-second")];
    let ungrouped = text(&consumer.call("CreateVpcEndpoint", &ungrouped).await.ok(), "EndpointId");
    scene.settle();
    let late = vec![("EndpointId", ungrouped.as_str()), ("SecurityGroupId", "sg-tenant-other")];
    refuse_all(vec![(consumer, join, late, "AddSecurityGroupNotSupportWhenHaveNoSg")]).await;
}

#[tokio::test]
async fn connections_are_refused() {
    let scene = Scene::new();
    let service = scene.service(&[]).await;
    let endpoint = scene.endpoint(&service, &[]).await;
    let provider = &scene.provider;
    let key = |extra: &[(&'static str, &'static str)]| {
        let mut parameters: Vec<(&str, &str)> = vec![("ServiceId", &service), ("EndpointId", &endpoint)];
        parameters.extend_from_slice(extra);
        parameters
    };
    let (accept, reject) = ("EnableVpcEndpointConnection", "DisableVpcEndpointConnection");
    let update = "UpdateVpcEndpointConnectionAttribute";
    let wrong = vec![("ServiceId", service.as_str()), ("EndpointId", "ep-1")];
    refuse_all(vec![
        (provider, accept, wrong.clone(), "EndpointConnectionNotFound"),
        (provider, reject, wrong.clone(), "EndpointConnectionNotFound"),
        (provider, update, wrong, "EndpointConnectionNotFound"),
        (&scene.consumer, accept, key(&[]), "EndpointServiceNotFound"),
        (provider, update, key(&[("Bandwidth", "200")]), "EndpointConnectionOperationDenied"),
        (provider, accept, key(&[("Bandwidth", "99")]), "InvalidParameter.Bandwidth"),
        (provider, accept, key(&[("TrafficControlMode", "Scalability")]), "UpdateBandWidthUnSupported"),
    ])
    .await;
    provider.call(accept, &key(&[])).await.ok();
    refuse_all(vec![
        (provider, accept, key(&[]), "EndpointConnectionOperationDenied"),
        (provider, reject, key(&[]), "EndpointConnectionOperationDenied"),
    ])
    .await;
    scene.settle();
    refuse_all(vec![
        (provider, accept, key(&[]), "EndpointConnectionOperationDenied"),
        (provider, update, key(&[("Bandwidth", "20000")]), "InvalidParameter.Bandwidth"),
        (provider, update, key(&[("TrafficControlMode", "Scalability")]), "UpdateBandWidthUnSupported"),
        (provider, "DeleteVpcEndpointService", vec![("ServiceId", &service)], "EndpointServiceConnectionDependence"),
        (
            provider,
            "DetachResourceFromVpcEndpointService",
            vec![("ServiceId", &service), ("ResourceId", "lb-hot"), ("ResourceType", "slb")],
            "EndpointServiceConnectionDependence",
        ),
    ])
    .await;

    let manual = Variants::default().with("autoAssignOnEnable", "false").expect("a variant");
    let scene = Scene::with(manual, options());
    let service = scene.service(&[]).await;
    let endpoint = scene.endpoint(&service, &[]).await;
    let key = vec![("ServiceId", service.as_str()), ("EndpointId", endpoint.as_str())];
    refuse_all(vec![(&scene.provider, accept, key, "OperationDenied.NoAvailableServiceResource")]).await;
}

#[tokio::test]
async fn zones_of_connections_are_refused_with_codes_of_their_own() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    let provider = &scene.provider;
    let (on, off) = ("EnableVpcEndpointZoneConnection", "DisableVpcEndpointZoneConnection");
    let leg = |zone| vec![("ServiceId", service.as_str()), ("EndpointId", endpoint.as_str()), ("ZoneId", zone)];
    let f = || leg("cn-hangzhou-f");
    let no_endpoint = vec![("ServiceId", service.as_str()), ("EndpointId", "ep-1"), ("ZoneId", "cn-hangzhou-f")];
    let no_service = vec![("ServiceId", "epsrv-1"), ("EndpointId", endpoint.as_str()), ("ZoneId", "cn-hangzhou-f")];
    refuse_all(vec![
        (provider, on, no_service.clone(), "404 ResourceNotFound.VpcEndpointService"),
        (provider, off, no_service, "404 ResourceNotFound.VpcEndpointService"),
        (provider, on, no_endpoint.clone(), "404 ResourceNotFound.VpcEndpointConnection"),
        (provider, off, no_endpoint, "404 ResourceNotFound.VpcEndpointConnection"),
        (provider, off, leg("cn-hangzhou-h"), "404 ResourceNotFound.VpcEndpointZone"),
        (provider, on, f(), "IncorrectStatus.VpcEndpointZone"),
        (provider, off, [f(), vec![("ReplacedResource", "true")]].concat(), "IncorrectStatus.VpcEndpointZone"),
    ])
    .await;
    scene.set_account(PROVIDER, |account| account.locked = true);
    refuse_all(vec![(provider, off, f(), "IncorrectBusinessStatus.VpcEndpointService")]).await;
    scene.set_account(PROVIDER, |account| account.locked = false);
    scene.set_account(CONSUMER, |account| account.locked = true);
    refuse_all(vec![(provider, off, f(), "IncorrectBusinessStatus.VpcEndpoint")]).await;
    scene.set_account(CONSUMER, |account| account.locked = false);
    let group = [("EndpointId", endpoint.as_str()), ("SecurityGroupId", "sg-tenant-second")];
    scene.consumer.call("AttachSecurityGroupToVpcEndpoint", &group).await.ok();
    refuse_all(vec![(provider, off, f(), "IncorrectStatus.VpcEndpoint")]).await;
    scene.settle();
    let attach = [("ServiceId", service.as_str()), ("ResourceId", "lb-third"), ("ResourceType", "slb")];
    provider.call("AttachResourceToVpcEndpointService", &attach).await.ok();
    refuse_all(vec![(provider, off, f(), "IncorrectStatus.VpcEndpointService")]).await;
    scene.settle();
    provider.call("DisableVpcEndpointConnection", &[("ServiceId", &service), ("EndpointId", &endpoint)]).await.ok();
    refuse_all(vec![(provider, off, f(), "IncorrectStatus.VpcEndpointConnection")]).await;
    scene.settle();
    refuse_all(vec![(provider, on, f(), "IncorrectStatus.VpcEndpointConnection")]).await;
}

#[tokio::test]
async fn assignments_are_refused() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    let provider = &scene.provider;
    let assign = "UpdateVpcEndpointZoneConnectionResourceAttribute";
    let old = text(&scene.leg(&service, &endpoint, "cn-hangzhou-f").await, "ResourceId");
    let new = if old == "lb-hot" { "lb-spare" } else { "lb-hot" };
    let with = |extra: &[(&'static str, &'static str)]| {
        let mut parameters =
            vec![("ServiceId", service.as_str()), ("EndpointId", endpoint.as_str()), ("ZoneId", "cn-hangzhou-f")];
        parameters.extend_from_slice(extra);
        parameters
    };
    let smooth = |id, kind| with(&[("ResourceReplaceMode", "Graceful"), ("ResourceId", id), ("ResourceType", kind)]);
    let manual = |id| with(&[("ResourceAllocateMode", "Manual"), ("ResourceId", id), ("ResourceType", "slb")]);
    refuse_all(vec![
        (provider, assign, with(&[]), "MissingParam.ResourceAllocateMode"),
        (provider, assign, with(&[("ResourceAllocateMode", "Manual")]), "MissingParam.ResourceId"),
        (provider, assign, with(&[("ResourceReplaceMode", "Graceful")]), "MissingParam.ResourceId"),
        (provider, assign, with(&[("ResourceAllocateMode", "Mannual")]), "IllegalParam.ResourceAllocateMode"),
        (provider, assign, with(&[("ResourceReplaceMode", "Smooth")]), "IllegalParam.ResourceReplaceMode"),
        (provider, assign, smooth(new, "nlb"), "EndpointServiceResourceTypeNotSupport"),
        (provider, assign, smooth(new, "alb"), "EndpointServiceResourceTypeNotSupport"),
        (provider, assign, smooth("lb-third", "slb"), "EndpointServiceResourceNotFound"),
        (provider, assign, smooth("lb-hot-g", "slb"), "Mismatch.ZoneId"),
        (provider, assign, smooth(new, "slb"), "OperationDenied.CurrentResourceAutoAllocated"),
        (provider, assign, manual(new), "EndpointConnectionOperationDenied"),
        (provider, assign, with(&[("ResourceAllocateMode", "Auto")]), "EndpointConnectionOperationDenied"),
    ])
    .await;
    let off = [("ServiceId", service.as_str()), ("ResourceId", &old), ("AutoAllocatedEnabled", "false")];
    provider.call("UpdateVpcEndpointServiceResourceAttribute", &off).await.ok();
    provider.call(assign, &smooth(new, "slb")).await.ok();
    refuse_all(vec![(provider, assign, smooth(new, "slb"), "EndpointServiceLocked")]).await;
    scene.settle();
    refuse_all(vec![(provider, assign, smooth(new, "slb"), "ZoneOperationDenied")]).await;
    for code in ["NoPermission", "QuotaMisMatched", "OperationDenied.FeatureNotEnabled", "ZoneOperationDenied"] {
        let variants = Variants::default().with("assignmentNotGrantedCode", code).expect("a variant");
        let scene = Scene::with(variants, options());
        scene.set_account(PROVIDER, |account| account.may_assign_resources = false);
        let (service, endpoint) = scene.connected().await;
        let auto = vec![
            ("ServiceId", service.as_str()),
            ("EndpointId", endpoint.as_str()),
            ("ZoneId", "cn-hangzhou-f"),
            ("ResourceAllocateMode", "Auto"),
        ];
        refuse_all(vec![(&scene.provider, assign, auto, code)]).await;
    }
}

#[tokio::test]
async fn tags_and_resource_groups_are_refused() {
    let scene = Scene::new();
    let service = scene.service(&[]).await;
    let provider = &scene.provider;
    let of = |extra: &[(&'static str, &'static str)]| {
        let mut parameters = vec![("ResourceType", "vpcendpointservice"), ("ResourceId.1", service.as_str())];
        parameters.extend_from_slice(extra);
        parameters
    };
    let other = vec![
        ("ResourceType", "vpcendpoint"),
        ("ResourceId.1", service.as_str()),
        ("Tag.1.Key", "a"),
        ("Tag.1.Value", "b"),
    ];
    let many: Vec<(String, &str)> = (1..=21)
        .flat_map(|n| [(format!("Tag.{n}.Key"), n), (format!("Tag.{n}.Value"), 0)])
        .map(|(name, n)| (name, NUMBERS[n]))
        .collect();
    let mut too_many = of(&[]);
    too_many.extend(many.iter().map(|(name, value)| (name.as_str(), *value)));
    let (tag, untag, list, group) = ("TagResources", "UntagResources", "ListTagResources", "ChangeResourceGroup");
    refuse_all(vec![
        (provider, tag, of(&[("Tag.1.Value", "b")]), "MissingTagKeyParam"),
        (provider, tag, of(&[("Tag.1.Key", "a")]), "MissingTagValueParam"),
        (provider, tag, of(&[("Tag.1.Key", "aliyun"), ("Tag.1.Value", "b")]), "IllegalTagKeyParam"),
        (
            provider,
            tag,
            of(&[("Tag.1.Key", "a"), ("Tag.1.Value", "b"), ("Tag.2.Key", "a"), ("Tag.2.Value", "c")]),
            "DuplicatedTagKey",
        ),
        (provider, tag, other, "InvalidResourceId.NotFound"),
        (provider, tag, too_many, "QuotaExceed.TagsPerResource"),
        (&scene.consumer, tag, of(&[("Tag.1.Key", "a"), ("Tag.1.Value", "b")]), "InvalidResourceId.NotFound"),
        (provider, untag, of(&[("TagKey.1", "a")]), "TagInfoNotExist"),
        (provider, untag, of(&[("TagKey.1", "a"), ("TagKey.2", "a")]), "DuplicatedTagKey"),
        (provider, list, vec![("ResourceType", "vpcendpoint")], "MissingResourceIdOrTagParam"),
        (provider, list, vec![("ResourceType", "vpcendpoint"), ("Tag.1.Value", "b")], "MissingTagKeyParam"),
        (
            provider,
            group,
            vec![("ResourceId", &service), ("ResourceType", "VpcEndpointService")],
            "MissingParameter.ResourceGroupId",
        ),
        (
            provider,
            group,
            vec![("ResourceId", &service), ("ResourceType", "VpcEndpointService"), ("ResourceGroupId", "rg-nowhere")],
            "InvalidResourceGroup",
        ),
        (provider, group, vec![("ResourceId", "ep-1"), ("ResourceGroupId", "rg-provider")], "ResourceNotFound"),
    ])
    .await;
}

const NUMBERS: [&str; 22] = [
    "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
    "v18", "v19", "v20", "v21",
];

#[tokio::test]
async fn what_belongs_to_others_does_not_exist() {
    let scene = Scene::new();
    let (service, endpoint) = scene.connected().await;
    let (of_service, of_endpoint) = (vec![("ServiceId", service.as_str())], vec![("EndpointId", endpoint.as_str())]);
    let shanghai = scene.provider.in_region("cn-shanghai");
    let mut calls: Vec<Call<'_>> = Vec::new();
    for action in ["GetVpcEndpointServiceAttribute", "ListVpcEndpointServiceResources", "ListVpcEndpointServiceUsers"] {
        calls.push((&scene.consumer, action, of_service.clone(), "EndpointServiceNotFound"));
        calls.push((&shanghai, action, of_service.clone(), "EndpointServiceNotFound"));
    }
    for action in
        ["GetVpcEndpointAttribute", "ListVpcEndpointZones", "ListVpcEndpointSecurityGroups", "DeleteVpcEndpoint"]
    {
        calls.push((&scene.provider, action, of_endpoint.clone(), "EndpointNotFound"));
    }
    calls.push((&scene.consumer, "ListVpcEndpointConnections", of_service.clone(), "EndpointServiceNotFound"));
    calls.push((&scene.consumer, "DeleteVpcEndpointService", of_service, "EndpointServiceNotFound"));
    refuse_all(calls).await;
}
