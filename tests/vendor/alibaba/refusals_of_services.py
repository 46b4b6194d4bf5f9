"""Calls on a service that the cloud refuses."""

import land
from land import CLB_F1, CLB_F2, ZONE_F, ZONE_G
from refusal_row import (
    SERVICE,
    being_deleted,
    being_made,
    dual_stack,
    migrating,
    provider_owes,
    row_by,
    served_by_alb,
    small_service,
    tagged,
    without_resources,
)
from scene import clb, connected, empty, migrated, served

row = row_by("provider")

CREATE = "CreateVpcEndpointService"
UPDATE = "UpdateVpcEndpointServiceAttribute"
DELETE = "DeleteVpcEndpointService"
GET = "GetVpcEndpointServiceAttribute"
ATTACH = "AttachResourceToVpcEndpointService"
DETACH = "DetachResourceFromVpcEndpointService"
SWITCH = "UpdateVpcEndpointServiceResourceAttribute"
ALLOW = "AddUserToVpcEndpointService"
FORBID = "RemoveUserFromVpcEndpointService"

NONE = {"ServiceId": "epsrv-none"}


def resource(name, kind="slb", **more):
    """A service to be made with one resource."""
    return {"Resource": [{"ResourceId": name, "ResourceType": kind, **more}]}


PRODUCT = [
    row("NeedOpenProduct", "asked before it is opened", empty, "CheckProductOpen", {}, who="newcomer"),
    row("NeedOpenProduct", "a service before it is opened", empty, CREATE, {}, who="newcomer"),
    row("OrderOpend", "opened twice", empty, "OpenPrivateLinkService", {}),
    row(
        "AccountTypeRestricted",
        "an account of the wrong type",
        empty,
        "OpenPrivateLinkService",
        {},
        who="barred",
    ),
    row("InvalidAccountStatus.NotEnoughBalance", "no money", empty, "OpenPrivateLinkService", {}, who="poor"),
]

CREATION = [
    row("QuotaMisMatched", "one service too many", small_service, CREATE, {}, who="small"),
    row("EndpointServicePayerForbidden", "may not pay", empty, CREATE, {"Payer": "EndpointService"}),
    row("LoadBalancerNotFound", "no such CLB", empty, CREATE, resource("lb-none")),
    row("LoadBalancerNotFound", "another account's CLB", empty, CREATE, resource(CLB_F1), who="stranger"),
    row(
        "LoadBalancerNotFound",
        "another region's CLB",
        empty,
        CREATE,
        resource(CLB_F1),
        region=land.FAR_REGION,
    ),
    row("AlbNotFound", "no such ALB", empty, CREATE, resource("alb-none", "alb", ZoneId=ZONE_F)),
    row("LoadBalancerNotSupportPrivateLink", "a public CLB", empty, CREATE, resource(land.CLB_PUBLIC)),
    row("Mismatch.ResourceType", "an ALB called CLB", empty, CREATE, resource(land.ALB)),
    row("EndpointServiceNotSupportedZone", "not its zone", empty, CREATE, resource(CLB_F1, ZoneId=ZONE_G)),
    row("MissingParam.ZoneId", "an ALB without zone", empty, CREATE, resource(land.ALB, "alb")),
    row(
        "MissingParam.ResourceId",
        "a nameless resource",
        empty,
        CREATE,
        {"Resource": [{"ResourceType": "slb"}]},
    ),
    row("EndpointServiceNotSupportIpv6", "a CLB in IPv6", empty, CREATE, {"AddressIpVersion": "DualStack"}),
    row(
        "IllegalParamFormat.ServiceResourceType",
        "no such kind",
        empty,
        CREATE,
        {"ServiceResourceType": "clb"},
    ),
    row("UnsupportedRegion", "no such consumer region", empty, CREATE, {"SupportedRegionList": ["mars"]}),
    row(
        "IllegalParamFormat.ResourceGroupId",
        "no such resource group",
        empty,
        CREATE,
        {"ResourceGroupId": "rg-none"},
    ),
    row(
        "IllegalParamFormat.ServiceDescription", "too long", empty, CREATE, {"ServiceDescription": "x" * 257}
    ),
    row("IllegalParamFormat.Payer", "no such payer", empty, CREATE, {"Payer": "Nobody"}),
    row(
        "IllegalParamFormat.AddressIpVersion", "no such protocol", empty, CREATE, {"AddressIpVersion": "IPv5"}
    ),
]

CHANGES = [
    row("EndpointServiceNotFound", "changed, none there", empty, UPDATE, NONE),
    row("EndpointServiceNotFound", "read, none there", empty, GET, NONE),
    row("EndpointServiceNotFound", "another account's", served, GET, SERVICE, who="consumer"),
    row("EndpointServiceNotFound", "another region's", served, GET, SERVICE, region=land.FAR_REGION),
    row("EndpointServiceNotFound", "users, none there", empty, "ListVpcEndpointServiceUsers", NONE),
    row("EndpointServiceNotFound", "resources, none there", empty, "ListVpcEndpointServiceResources", NONE),
    row(
        "EndpointServiceOperationDenied",
        "changed while it is made",
        being_made,
        UPDATE,
        {**SERVICE, "ServiceDescription": "new"},
    ),
    row(
        "EndpointServiceOperationDenied",
        "changed while a leg migrates",
        migrating,
        UPDATE,
        {**SERVICE, "ServiceDescription": "new"},
    ),
    row(
        "EndpointServiceLocked",
        "changed by a debtor",
        provider_owes,
        UPDATE,
        {**SERVICE, "AutoAcceptEnabled": True},
    ),
    row(
        "IllegalParamFormat.ConnectBandwidth",
        "too small",
        served,
        UPDATE,
        {**SERVICE, "ConnectBandwidth": 99},
    ),
    row(
        "IllegalParamFormat.ConnectBandwidth",
        "too large",
        served,
        UPDATE,
        {**SERVICE, "ConnectBandwidth": 10241},
    ),
    row(
        "IllegalParamFormat.ConnectBandwidth",
        "too large for an ALB service too",
        served_by_alb,
        UPDATE,
        {**SERVICE, "ConnectBandwidth": 10241},
    ),
    row(
        "UnsupportedRegion",
        "closed, never open",
        served,
        UPDATE,
        {**SERVICE, "DeleteSupportedRegionSet": [land.FAR_REGION]},
    ),
    row(
        "IllegalParamFormat.ConnectBandwidth",
        "an NLB service has none",
        dual_stack,
        UPDATE,
        {**SERVICE, "ConnectBandwidth": 200},
    ),
    row(
        "EndpointServiceDowngradeNotAllowed",
        "IPv6 taken away",
        dual_stack,
        UPDATE,
        {**SERVICE, "AddressIpVersion": "IPv4"},
    ),
    row(
        "ServiceResourceNotSupportIpv6",
        "IPv6 over load balancers without",
        served,
        UPDATE,
        {**SERVICE, "ServiceSupportIPv6": True},
    ),
]

RESOURCES = [
    row("EndpointServiceNotFound", "attached to none", empty, ATTACH, {**NONE, **clb(CLB_F1)}),
    row(
        "EndpointServiceOperationDenied",
        "attached while it is made",
        being_made,
        ATTACH,
        {**SERVICE, **clb(CLB_F2)},
    ),
    row(
        "EndpointServiceOperationDenied",
        "attached while a leg migrates",
        migrating,
        ATTACH,
        {**SERVICE, **clb(land.CLB_F3)},
    ),
    row("EndpointServiceResourceExist", "attached twice", served, ATTACH, {**SERVICE, **clb(CLB_F1)}),
    row("LoadBalancerNotFound", "attached, none there", served, ATTACH, {**SERVICE, **clb("lb-none")}),
    row(
        "AlbNotFound",
        "attached, no such ALB",
        served,
        ATTACH,
        {**SERVICE, "ResourceId": "alb-none", "ResourceType": "alb", "ZoneId": ZONE_F},
    ),
    row(
        "LoadBalancerNotSupportPrivateLink",
        "attached, public",
        served,
        ATTACH,
        {**SERVICE, **clb(land.CLB_PUBLIC)},
    ),
    row("Mismatch.ResourceType", "attached, an ALB called CLB", served, ATTACH, {**SERVICE, **clb(land.ALB)}),
    row(
        "EndpointServiceResourceTypeNotEqual",
        "attached, an ALB beside CLBs",
        served,
        ATTACH,
        {**SERVICE, "ResourceId": land.ALB, "ResourceType": "alb", "ZoneId": ZONE_F},
    ),
    row(
        "EndpointServiceResourceTypeNotSupport",
        "attached, no such kind",
        served,
        ATTACH,
        {**SERVICE, "ResourceId": CLB_F1, "ResourceType": "clb"},
    ),
    row(
        "EndpointServiceNotSupportedZone",
        "attached, not its zone",
        served,
        ATTACH,
        {**SERVICE, **clb(land.CLB_F3), "ZoneId": ZONE_G},
    ),
    row(
        "ServiceResourceNotSupportIpv6",
        "attached to dual stack",
        dual_stack,
        ATTACH,
        {**SERVICE, "ResourceId": land.NLB, "ResourceType": "nlb", "ZoneId": ZONE_F},
    ),
    row(
        "QuotaMisMatched",
        "attached, one too many in its zone",
        small_service,
        ATTACH,
        {**SERVICE, **clb(land.SMALL_CLBS[1])},
        who="small",
    ),
    row(
        "EndpointServiceConnectionDependence",
        "detached while it serves",
        connected,
        DETACH,
        {**SERVICE, **clb(CLB_F1)},
    ),
    row(
        "EndpointServiceConnectionDependence",
        "detached while its replaced side stands",
        migrated,
        DETACH,
        {**SERVICE, **clb(CLB_F1)},
    ),
    row(
        "EndpointServiceResourceCannotRemove",
        "detached, the last that may be picked",
        connected,
        DETACH,
        {**SERVICE, **clb(CLB_F2)},
    ),
    row(
        "EndpointServiceResourceNotFound",
        "detached, not attached",
        served,
        DETACH,
        {**SERVICE, **clb(land.CLB_F3)},
    ),
    row(
        "EndpointServiceOperationDenied",
        "detached while a leg migrates",
        migrating,
        DETACH,
        {**SERVICE, **clb(land.CLB_F3)},
    ),
    row("EndpointServiceNotFound", "detached from none", empty, DETACH, {**NONE, **clb(CLB_F1)}),
    row("MissingResourceType", "attached, of no kind", served, ATTACH, {**SERVICE, "ResourceId": CLB_F1}),
    row(
        "MissingZoneId",
        "attached, an NLB without its zone",
        dual_stack,
        ATTACH,
        {**SERVICE, "ResourceId": land.NLB_V6, "ResourceType": "nlb"},
    ),
    row(
        "MissingZoneId",
        "switched off, an NLB without its zone",
        dual_stack,
        SWITCH,
        {**SERVICE, "ResourceId": land.NLB_V6, "AutoAllocatedEnabled": False},
    ),
    row(
        "ResourceAutoAllocateViolation",
        "switched off, the last of its zone",
        connected,
        SWITCH,
        {**SERVICE, "ResourceId": CLB_F2, "AutoAllocatedEnabled": False},
    ),
    row(
        "EndpointServiceResourceNotFound",
        "switched off, not attached",
        served,
        SWITCH,
        {**SERVICE, "ResourceId": land.CLB_F3, "AutoAllocatedEnabled": False},
    ),
    row(
        "EndpointServiceOperationDenied",
        "switched on while a leg migrates",
        migrating,
        SWITCH,
        {**SERVICE, "ResourceId": CLB_F1, "AutoAllocatedEnabled": True},
    ),
    row(
        "EndpointServiceLocked",
        "switched on by a debtor",
        provider_owes,
        SWITCH,
        {**SERVICE, "ResourceId": CLB_F1, "AutoAllocatedEnabled": True},
    ),
]

PRINCIPALS = [
    row("MissingParam.UserArn", "nobody allowed", served, ALLOW, SERVICE),
    row("MissingParam.UserArn", "nobody forbidden", served, FORBID, SERVICE),
    row(
        "Mismatch.UserIdAndUserArn",
        "two allowed at once",
        served,
        ALLOW,
        {**SERVICE, "UserId": land.CONSUMER, "UserARN": land.STRANGER_ARN},
    ),
    row(
        "Mismatch.UserIdAndUserArn",
        "two forbidden at once",
        served,
        FORBID,
        {**SERVICE, "UserId": land.CONSUMER, "UserARN": land.STRANGER_ARN},
    ),
    row("EndpointServiceNotFound", "allowed on none", empty, ALLOW, {**NONE, "UserId": land.CONSUMER}),
    row(
        "EndpointServiceNotFound",
        "forbidden on another's",
        served,
        FORBID,
        {**SERVICE, "UserId": land.CONSUMER},
        who="stranger",
    ),
]

DELETION = [
    row("EndpointServiceNotFound", "deleted, none there", empty, DELETE, NONE),
    row("EndpointServiceNotFound", "deleted by another account", served, DELETE, SERVICE, who="consumer"),
    row("EndpointServiceDependenceViolation", "deleted with resources", served, DELETE, SERVICE),
    row("EndpointServiceConnectionDependence", "deleted with a connection", connected, DELETE, SERVICE),
    row("EndpointServiceOperationDenied", "deleted while it is made", being_made, DELETE, SERVICE),
    row("EndpointServiceOperationDenied", "deleted twice", being_deleted, DELETE, SERVICE),
    row(
        "DeleteFailedDueToEndpointExist",
        "deleted with an endpoint, where that is refused",
        without_resources,
        DELETE,
        SERVICE,
        variants={"endpointBlocksServiceDelete": "true"},
    ),
]

TAGS = [
    row(
        "InvalidResourceId.NotFound",
        "none there",
        empty,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["epsrv-none"],
            "Tag": [{"Key": "k", "Value": "v"}],
        },
    ),
    row(
        "InvalidResourceId.NotFound",
        "another account's",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "k", "Value": "v"}],
        },
        who="consumer",
    ),
    row(
        "QuotaExceed.TagsPerResource",
        "the twenty-first",
        tagged,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "more", "Value": "v"}],
        },
    ),
    row(
        "DuplicatedTagKey",
        "one key twice",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "k", "Value": "v"}, {"Key": "k", "Value": "w"}],
        },
    ),
    row(
        "MissingTagKeyParam",
        "a value without key",
        served,
        "TagResources",
        {"ResourceType": "vpcendpointservice", "ResourceId": ["{service}"], "Tag": [{"Value": "v"}]},
    ),
    row(
        "MissingTagValueParam",
        "a key without value",
        served,
        "TagResources",
        {"ResourceType": "vpcendpointservice", "ResourceId": ["{service}"], "Tag": [{"Key": "k"}]},
    ),
    row(
        "IllegalTagKeyParam",
        "a key of the cloud's own",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "aliyun-x", "Value": "v"}],
        },
    ),
    row(
        "IllegalTagKeyParam",
        "a key with an address",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "see-https://x", "Value": "v"}],
        },
    ),
    row(
        "IllegalTagValueParam",
        "a value of the cloud's own",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "k", "Value": "acs:x"}],
        },
    ),
    row(
        "IllegalTagValueParam",
        "a value with an address",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "k", "Value": "see http://x"}],
        },
    ),
    row(
        "IllegalTagValueParam",
        "a long value",
        served,
        "TagResources",
        {
            "ResourceType": "vpcendpointservice",
            "ResourceId": ["{service}"],
            "Tag": [{"Key": "k", "Value": "v" * 129}],
        },
    ),
    row(
        "DuplicatedTagKey",
        "removed twice at once",
        served,
        "UntagResources",
        {"ResourceType": "vpcendpointservice", "ResourceId": ["{service}"], "TagKey": ["k", "k"]},
    ),
    row(
        "TagInfoNotExist",
        "removed, not there",
        served,
        "UntagResources",
        {"ResourceType": "vpcendpointservice", "ResourceId": ["{service}"], "TagKey": ["none"]},
    ),
    row(
        "InvalidResourceId.NotFound",
        "removed from none",
        empty,
        "UntagResources",
        {"ResourceType": "vpcendpoint", "ResourceId": ["ep-none"], "All": True},
    ),
    row(
        "MissingResourceIdOrTagParam",
        "listed of nothing",
        empty,
        "ListTagResources",
        {"ResourceType": "vpcendpointservice"},
    ),
    row(
        "MissingTagKeyParam",
        "listed by a value without its key",
        served,
        "ListTagResources",
        {"ResourceType": "vpcendpointservice", "Tag": [{"Value": "v"}]},
    ),
]

GROUPS = [
    row(
        "InvalidResourceGroup",
        "moved to none",
        served,
        "ChangeResourceGroup",
        {
            "ResourceId": "{service}",
            "ResourceGroupId": "rg-none",
            "ResourceType": "VpcEndpointService",
        },
    ),
    row(
        "ResourceNotFound",
        "none moved",
        empty,
        "ChangeResourceGroup",
        {
            "ResourceId": "epsrv-none",
            "ResourceGroupId": land.SECOND_GROUP_OF_RESOURCES,
            "ResourceType": "VpcEndpointService",
        },
    ),
    row(
        "MissingParameter.ResourceId",
        "nothing moved",
        empty,
        "ChangeResourceGroup",
        {"ResourceGroupId": land.SECOND_GROUP_OF_RESOURCES},
    ),
    row(
        "MissingParameter.ResourceGroupId",
        "moved nowhere",
        served,
        "ChangeResourceGroup",
        {"ResourceId": "{service}"},
    ),
]

ROWS = [*PRODUCT, *CREATION, *CHANGES, *RESOURCES, *PRINCIPALS, *DELETION, *TAGS, *GROUPS]
