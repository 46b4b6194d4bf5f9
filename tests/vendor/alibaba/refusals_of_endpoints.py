"""Calls of a consumer that the cloud refuses."""

import land
from land import (
    ENTERPRISE_GROUP,
    FAR_REGION,
    GROUP,
    GROUP_2,
    MANAGED_GROUP,
    REGION,
    VPC,
    ZONE_F,
    ZONE_G,
    ZONE_H,
)
from refusal_row import (
    ENDPOINT,
    SERVICE,
    asking,
    being_deleted,
    being_made,
    connecting,
    consumer_owes,
    full_vpc,
    gateway_service,
    joining,
    of_kind,
    orphaned,
    protected,
    row_by,
    without_groups,
)
from scene import connected, empty, served, waiting, zone

row = row_by("consumer")

CREATE = "CreateVpcEndpoint"
UPDATE = "UpdateVpcEndpointAttribute"
DELETE = "DeleteVpcEndpoint"
GET = "GetVpcEndpointAttribute"
ADD = "AddZoneToVpcEndpoint"
REMOVE = "RemoveZoneFromVpcEndpoint"
JOIN = "AttachSecurityGroupToVpcEndpoint"
LEAVE = "DetachSecurityGroupFromVpcEndpoint"

NONE = {"EndpointId": "ep-none"}
#: An endpoint that would be made.
GOOD = {**SERVICE, "VpcId": VPC, "SecurityGroupId": [GROUP]}


def in_switch(switch, zone_id=ZONE_F, **more):
    """The good endpoint, with an interface in this vSwitch."""
    return {**GOOD, "Zone": [{"VSwitchId": switch, "ZoneId": zone_id, **more}]}


CREATION = [
    row("EndpointServiceNotFound", "no service", empty, CREATE, {"ServiceId": "epsrv-none", "VpcId": VPC}),
    row(
        "EndpointServiceNotFound",
        "a service of another region that does not serve this one",
        served,
        CREATE,
        {**SERVICE, "VpcId": land.FAR_VPC, "ServiceRegionId": REGION},
        region=FAR_REGION,
    ),
    row(
        "EndpointServiceNotAuthorized",
        "not allowed",
        served,
        CREATE,
        {**SERVICE, "VpcId": land.STRANGER_VPC},
        who="stranger",
    ),
    row("EndpointServiceDeleted", "a service that is going", being_deleted, CREATE, GOOD),
    row(
        "IncorrectStatus.VpcEndpointService",
        "a service that is coming",
        being_made,
        CREATE,
        {**SERVICE, "VpcId": land.PROVIDER_VPC},
        who="provider",
    ),
    row("VpcNotFound", "no VPC", served, CREATE, {**GOOD, "VpcId": "vpc-none"}),
    row("VpcNotFound", "another account's VPC", served, CREATE, {**GOOD, "VpcId": land.PROVIDER_VPC}),
    row("VpcNotFound", "another region's VPC", served, CREATE, {**GOOD, "VpcId": land.FAR_VPC}),
    row("VSwitchNotFound", "no vSwitch", served, CREATE, in_switch("vsw-none")),
    row("VSwitchNotFound", "another VPC's vSwitch", served, CREATE, in_switch(land.SWITCH_OF_VPC_2)),
    row(
        "VSwitchNotFound", "another zone's vSwitch", served, CREATE, in_switch(land.SWITCHES[ZONE_F], ZONE_G)
    ),
    row("VSwitchStatusNotAllowed", "a vSwitch that is made", served, CREATE, in_switch(land.SWITCH_NEW)),
    row("ResourceNotEnough.VSwitchIp", "a full vSwitch", served, CREATE, in_switch(land.SWITCH_FULL)),
    row(
        "EniIpUnavailable", "not its address", served, CREATE, in_switch(land.SWITCHES[ZONE_F], ip="10.9.9.9")
    ),
    row(
        "EndpointServiceNotSupportedZone",
        "an unserved zone",
        served,
        CREATE,
        in_switch(land.SWITCHES[ZONE_H], ZONE_H),
    ),
    row(
        "EndpointZoneDuplicated",
        "one zone twice",
        served,
        CREATE,
        {**GOOD, "Zone": [zone(ZONE_F), zone(ZONE_F)]},
    ),
    row("SecurityGroupNotFound", "no group", served, CREATE, {**GOOD, "SecurityGroupId": ["sg-none"]}),
    row(
        "SecurityGroupNotFound",
        "another VPC's group",
        served,
        CREATE,
        {**GOOD, "SecurityGroupId": [land.FAR_GROUP]},
    ),
    row(
        "SecurityGroupTypeNotSupport",
        "a managed group",
        served,
        CREATE,
        {**GOOD, "SecurityGroupId": [MANAGED_GROUP]},
    ),
    row(
        "SecurityGroupTypeOnlySingleTypeSupporteded",
        "groups of two types",
        served,
        CREATE,
        {**GOOD, "SecurityGroupId": [GROUP, ENTERPRISE_GROUP]},
    ),
    row(
        "EndpointMustContainSecurityGroup",
        "without a group, where one is needed",
        served,
        CREATE,
        {**SERVICE, "VpcId": VPC},
        variants={"groupsRequired": "true"},
    ),
    row("EndpointDuplicated", "twice in a VPC", waiting, CREATE, GOOD),
    row(
        "Mismatch.EndpointType",
        "another type",
        served,
        CREATE,
        {**GOOD, "EndpointType": "GatewayLoadBalancer"},
    ),
    row("Mismatch.EndpointType", "a reverse endpoint", served, CREATE, {**GOOD, "EndpointType": "Reverse"}),
    row(
        "OperationDenied.EndpointPolicyNotSupport",
        "a policy",
        served,
        CREATE,
        {**GOOD, "PolicyDocument": '{{"Version": "1", "Statement": []}}'},
    ),
    row(
        "EndpointServiceNotSupportIpv6",
        "IPv6 where the service has none",
        served,
        CREATE,
        {**GOOD, "AddressIpVersion": "DualStack"},
    ),
    row(
        "InvalidParameter.CrossRegionBandwidth",
        "crosses no region",
        served,
        CREATE,
        {**GOOD, "CrossRegionBandwidth": 100},
    ),
    row(
        "InvalidParameter.EndpointName",
        "a name with a space",
        served,
        CREATE,
        {**GOOD, "EndpointName": "two words"},
    ),
    row(
        "InvalidParameter.EndpointName", "a name of one letter", served, CREATE, {**GOOD, "EndpointName": "n"}
    ),
    row(
        "InvalidParameter.ResourceGroupId",
        "no such resource group",
        served,
        CREATE,
        {**GOOD, "ResourceGroupId": "rg-none"},
    ),
    row("MissingServiceId", "neither id nor name", empty, CREATE, {"VpcId": VPC}),
    row("QuotaMisMatched", "eleven groups", served, CREATE, {**GOOD, "SecurityGroupId": [GROUP] * 11}),
    row(
        "QuotaExceeded.epZonePerEndpoint",
        "a gateway endpoint in two zones",
        gateway_service,
        CREATE,
        {
            **SERVICE,
            "VpcId": VPC,
            "EndpointType": "GatewayLoadBalancer",
            "Zone": [zone(ZONE_F), zone(ZONE_G)],
        },
    ),
    row(
        "QuotaExceeded.totalEpPerVpc",
        "one too many",
        full_vpc,
        CREATE,
        {**SERVICE, "VpcId": land.SMALL_VPC},
        who="small",
    ),
]

CHANGES = [
    row("EndpointNotFound", "read, none there", empty, GET, NONE),
    row("EndpointNotFound", "read by the provider", waiting, GET, ENDPOINT, who="provider"),
    row("EndpointNotFound", "zones, none there", empty, "ListVpcEndpointZones", NONE),
    row("EndpointNotFound", "groups, none there", empty, "ListVpcEndpointSecurityGroups", NONE),
    row("EndpointNotFound", "changed, none there", empty, UPDATE, {**NONE, "EndpointName": "new"}),
    row(
        "EndpointNotFound",
        "in another region",
        waiting,
        UPDATE,
        {**ENDPOINT, "EndpointName": "new"},
        region=FAR_REGION,
    ),
    row(
        "EndpointOperationDenied",
        "changed while it is made",
        asking,
        UPDATE,
        {**ENDPOINT, "EndpointName": "new"},
    ),
    row("EndpointLocked", "changed by a debtor", consumer_owes, UPDATE, {**ENDPOINT, "EndpointName": "new"}),
    row(
        "EndpointServiceDeleted",
        "changed, its service gone",
        orphaned,
        UPDATE,
        {**ENDPOINT, "EndpointName": "new"},
    ),
    row(
        "OperationDenied.EndpointPolicyNotSupport",
        "given a policy",
        waiting,
        UPDATE,
        {**ENDPOINT, "PolicyDocument": '{{"Version": "1", "Statement": []}}'},
    ),
    row(
        "OperationDenied.EndpointProtected",
        "changed by another session",
        protected,
        UPDATE,
        {**ENDPOINT, "EndpointName": "new"},
        who="consumer's other session",
    ),
]

ZONES = [
    row("EndpointNotFound", "added to none", empty, ADD, {**NONE, **zone(ZONE_F)}),
    row("EndpointZoneDuplicated", "added twice", waiting, ADD, {**ENDPOINT, **zone(ZONE_F)}),
    row(
        "EndpointServiceNotSupportedZone",
        "added where nothing serves",
        waiting,
        ADD,
        {**ENDPOINT, **zone(ZONE_H)},
    ),
    row(
        "VSwitchNotFound",
        "added, no vSwitch",
        without_groups,
        ADD,
        {**ENDPOINT, "ZoneId": ZONE_F, "VSwitchId": "vsw-none"},
    ),
    row(
        "VSwitchStatusNotAllowed",
        "added, vSwitch is made",
        without_groups,
        ADD,
        {**ENDPOINT, "ZoneId": ZONE_F, "VSwitchId": land.SWITCH_NEW},
    ),
    row(
        "ResourceNotEnough.VSwitchIp",
        "added, vSwitch is full",
        without_groups,
        ADD,
        {**ENDPOINT, "ZoneId": ZONE_F, "VSwitchId": land.SWITCH_FULL},
    ),
    row(
        "EniIpUnavailable",
        "added, not its address",
        without_groups,
        ADD,
        {**ENDPOINT, **zone(ZONE_F), "ip": "10.9.9.9"},
    ),
    row("EndpointOperationDenied", "added while it is made", asking, ADD, {**ENDPOINT, **zone(ZONE_G)}),
    row(
        "EndpointConnectionOperationDenied",
        "added while it connects",
        connecting,
        ADD,
        {**ENDPOINT, **zone(ZONE_H)},
    ),
    row("EndpointLocked", "added by a debtor", consumer_owes, ADD, {**ENDPOINT, **zone(ZONE_H)}),
    row("EndpointServiceDeleted", "added, its service gone", orphaned, ADD, {**ENDPOINT, **zone(ZONE_H)}),
    row(
        "OperationDenied.EndpointProtected",
        "added by another session",
        protected,
        ADD,
        {**ENDPOINT, **zone(ZONE_G)},
        who="consumer's other session",
    ),
    row(
        "QuotaMisMatched",
        "a gateway endpoint's second zone",
        of_kind("gwlb", land.GWLB),
        ADD,
        {**ENDPOINT, **zone(ZONE_G)},
    ),
    row("EndpointNotFound", "removed from none", empty, REMOVE, {**NONE, "ZoneId": ZONE_F}),
    row("EndpointZoneNotFound", "removed, not there", waiting, REMOVE, {**ENDPOINT, "ZoneId": ZONE_H}),
    row(
        "EndpointConnectionOperationDenied",
        "removed while it connects",
        connecting,
        REMOVE,
        {**ENDPOINT, "ZoneId": ZONE_F},
    ),
    row(
        "EndpointOperationDenied", "removed while it is made", asking, REMOVE, {**ENDPOINT, "ZoneId": ZONE_F}
    ),
    row(
        "OperationDenied.EndpointProtected",
        "removed by another session",
        protected,
        REMOVE,
        {**ENDPOINT, "ZoneId": ZONE_F},
        who="consumer's other session",
    ),
]

GROUPS = [
    row("EndpointNotFound", "joined by none", empty, JOIN, {**NONE, "SecurityGroupId": GROUP}),
    row(
        "SecurityGroupNotFound",
        "joined, none there",
        waiting,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": "sg-none"},
    ),
    row("SecurityGroupExist", "joined twice", waiting, JOIN, {**ENDPOINT, "SecurityGroupId": GROUP}),
    row(
        "SecurityGroupTypeNotSupport",
        "joined, managed",
        waiting,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": MANAGED_GROUP},
    ),
    row(
        "SecurityGroupTypeOnlySingleTypeSupporteded",
        "joined, of another type",
        waiting,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": ENTERPRISE_GROUP},
    ),
    row(
        "AddSecurityGroupNotSupportWhenHaveNoSg",
        "joined, made without any",
        without_groups,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": GROUP},
    ),
    row(
        "EndpointOperationDenied",
        "joined while it joins another",
        joining,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": GROUP_2},
    ),
    row(
        "EndpointLocked", "joined by a debtor", consumer_owes, JOIN, {**ENDPOINT, "SecurityGroupId": GROUP_2}
    ),
    row(
        "EndpointServiceDeleted",
        "joined, its service gone",
        orphaned,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": GROUP_2},
    ),
    row(
        "EndpointConnectionOperationDenied",
        "joined while it connects",
        connecting,
        JOIN,
        {**ENDPOINT, "SecurityGroupId": GROUP_2},
    ),
    row(
        "EndpointMustContainSecurityGroup",
        "the last left",
        waiting,
        LEAVE,
        {**ENDPOINT, "SecurityGroupId": GROUP},
    ),
    row("SecurityGroupNotFound", "left, no member", waiting, LEAVE, {**ENDPOINT, "SecurityGroupId": GROUP_2}),
    row("EndpointNotFound", "left by none", empty, LEAVE, {**NONE, "SecurityGroupId": GROUP}),
]

DELETION = [
    row("EndpointNotFound", "deleted, none there", empty, DELETE, NONE),
    row("EndpointNotFound", "deleted by the provider", waiting, DELETE, ENDPOINT, who="provider"),
    row("EndpointDependenceViolation", "deleted with zones", waiting, DELETE, ENDPOINT),
    row("EndpointDependenceViolation", "deleted while it serves", connected, DELETE, ENDPOINT),
    row("EndpointOperationDenied", "deleted while it is made", asking, DELETE, ENDPOINT),
    row(
        "OperationDenied.EndpointProtected",
        "deleted by another session",
        protected,
        DELETE,
        ENDPOINT,
        who="consumer's other session",
    ),
]

ROWS = [*CREATION, *CHANGES, *ZONES, *GROUPS, *DELETION]
