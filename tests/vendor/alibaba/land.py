"""The world that the tests start from: two companies, their networks, and accounts that lack something."""

from dataclasses import dataclass

REGION = "cn-hangzhou"
FAR_REGION = "eu-central-1"
ZONE_F, ZONE_G, ZONE_H = "cn-hangzhou-f", "cn-hangzhou-g", "cn-hangzhou-h"
FAR_ZONE = "eu-central-1a"

PROVIDER, CONSUMER, STRANGER, NEWCOMER, SMALL, BARRED, POOR = range(1000000000000001, 1000000000000008)
CONSUMER_ARN, STRANGER_ARN = f"acs:ram:*:{CONSUMER}", f"acs:ram:*:{STRANGER}"

ISSUER, SUBJECT = "https://kubernetes.default.svc", "system:serviceaccount:privatelink-system:privatelink-operator"
OIDC_PROVIDER = f"acs:ram::{PROVIDER}:oidc-provider/cluster"
ROLE, CROSS_ROLE = f"acs:ram::{PROVIDER}:role/operator", f"acs:ram::{CONSUMER}:role/cross"
EXTERNAL_ID = "cross-external-id"

VPC, VPC_2, FAR_VPC = "vpc-tenant", "vpc-tenant-2", "vpc-tenant-far"
PROVIDER_VPC, STRANGER_VPC, SMALL_VPC = "vpc-provider", "vpc-stranger", "vpc-small"
GROUP, GROUP_2, ENTERPRISE_GROUP, MANAGED_GROUP = "sg-tenant", "sg-tenant-2", "sg-enterprise", "sg-managed"
FAR_GROUP = "sg-tenant-far"
SWITCHES = {ZONE_F: "vsw-tenant-f", ZONE_G: "vsw-tenant-g", ZONE_H: "vsw-tenant-h"}
SWITCH_FULL, SWITCH_NEW, SWITCH_OF_VPC_2, SWITCH_FAR = "vsw-full", "vsw-new", "vsw-tenant-2-f", "vsw-far"
FREE_ADDRESS_G = "10.1.1.77"

CLB_F1, CLB_F2, CLB_G1, CLB_G2 = "lb-f1", "lb-f2", "lb-g1", "lb-g2"
CLBS = (CLB_F1, CLB_F2, CLB_G1, CLB_G2)
CLB_PUBLIC, CLB_F3, ALB, NLB, NLB_V6, GWLB = "lb-public", "lb-f3", "alb-1", "nlb-1", "nlb-v6", "gwlb-1"
SMALL_CLBS = ("lb-small-f1", "lb-small-f2", "lb-small-g1")
SECOND_GROUP_OF_RESOURCES = "rg-second"


@dataclass(frozen=True)
class Key:
    """An access key, as the SDKs take it."""

    id: str
    secret: str
    token: str | None = None


KEYS = {
    "provider": Key("LTAI-provider", "provider-secret"),
    "provider session": Key("STS.provider", "provider-session-secret", "provider-session-token"),
    "provider's old session": Key("STS.provider-old", "old-session-secret", "old-session-token"),
    "consumer": Key("LTAI-consumer", "consumer-secret"),
    "consumer's session": Key("STS.consumer", "consumer-session-secret", "consumer-session-token"),
    "consumer's other session": Key("STS.consumer-2", "consumer-secret-2", "consumer-token-2"),
    "user": Key("LTAI-user", "user-secret"),
    "reader": Key("LTAI-reader", "reader-secret"),
    "stranger": Key("LTAI-stranger", "stranger-secret"),
    "newcomer": Key("LTAI-newcomer", "newcomer-secret"),
    "small": Key("LTAI-small", "small-secret"),
    "barred": Key("LTAI-barred", "barred-secret"),
    "poor": Key("LTAI-poor", "poor-secret"),
}


def world(many=()):
    """The world file, as the simulator reads it; `many` names more CLBs of the provider in zone F."""
    return {
        "regions": [
            {"id": REGION, "zones": [ZONE_F, ZONE_G, ZONE_H]},
            {"id": FAR_REGION, "zones": [FAR_ZONE]},
        ],
        "accounts": [
            {
                "uid": PROVIDER,
                "mayAssignResources": True,
                "resourceGroups": ["rg-default", SECOND_GROUP_OF_RESOURCES],
                "quotas": {"resourcesPerZone": 200},
                "keys": [
                    key("provider"),
                    key("provider session", identity="role/operator/session"),
                    key(
                        "provider's old session", identity="role/operator/old", expires="2001-01-01T00:00:00Z"
                    ),
                    key("user", identity="user/operator"),
                    key("reader", identity="user/reader", deniedActions=["CreateVpcEndpointService"]),
                ],
                "vpcs": [provider_vpc(many)],
                "oidcProviders": [{"name": "cluster", "issuer": ISSUER}],
                "roles": [
                    {
                        "name": "operator",
                        "trusts": {
                            "principals": [f"acs:ram::{PROVIDER}:user/operator"],
                            "oidc": [{"provider": "cluster", "subject": SUBJECT}],
                        },
                    },
                    {"name": "node", "trusts": {"services": ["ecs"]}},
                ],
            },
            {
                "uid": CONSUMER,
                "resourceGroups": ["rg-consumer", SECOND_GROUP_OF_RESOURCES],
                "keys": [
                    key("consumer"),
                    key("consumer's session", identity="role/operator/one"),
                    key("consumer's other session", identity="role/operator/two"),
                ],
                "vpcs": consumer_vpcs(),
                "roles": [
                    {
                        "name": "cross",
                        "externalId": EXTERNAL_ID,
                        "trusts": {"principals": [f"acs:ram::{PROVIDER}:root"]},
                    }
                ],
            },
            {"uid": STRANGER, "keys": [key("stranger")], "vpcs": [{"id": STRANGER_VPC, "region": REGION}]},
            {"uid": NEWCOMER, "keys": [key("newcomer")], "productOpen": False},
            {"uid": BARRED, "keys": [key("barred")], "productOpen": False, "mayNotOpen": "accountType"},
            {"uid": POOR, "keys": [key("poor")], "productOpen": False, "mayNotOpen": "balance"},
            {
                "uid": SMALL,
                "keys": [key("small")],
                "quotas": {"services": 1, "resources": 2, "resourcesPerZone": 1, "endpointsPerVpc": 1},
                "vpcs": [
                    {
                        "id": SMALL_VPC,
                        "region": REGION,
                        "switches": [
                            {"id": "vsw-small-f", "zone": ZONE_F, "range": "10.3.0.0/24"},
                            {"id": "vsw-small-g", "zone": ZONE_G, "range": "10.3.1.0/24"},
                        ],
                        "balancers": [
                            balancer(SMALL_CLBS[0], "slb", ZONE_F),
                            balancer(SMALL_CLBS[1], "slb", ZONE_F),
                            balancer(SMALL_CLBS[2], "slb", ZONE_G),
                        ],
                    }
                ],
            },
        ],
        "instance": {"account": PROVIDER, "role": "node"},
        "limits": {"requestsPerSecond": 100_000.0, "burst": 100_000},
    }


def provider_vpc(many):
    """Where the load balancers are."""
    return {
        "id": PROVIDER_VPC,
        "region": REGION,
        "switches": [
            {"id": "vsw-provider-f", "zone": ZONE_F, "range": "10.2.0.0/24"},
            {"id": "vsw-provider-g", "zone": ZONE_G, "range": "10.2.1.0/24"},
        ],
        "balancers": [
            balancer(CLB_F1, "slb", ZONE_F),
            balancer(CLB_F2, "slb", ZONE_F),
            balancer(CLB_F3, "slb", ZONE_F),
            balancer(CLB_G1, "slb", ZONE_G),
            balancer(CLB_G2, "slb", ZONE_G),
            balancer(CLB_PUBLIC, "slb", ZONE_F, supportsPrivateLink=False),
            balancer(ALB, "alb", ZONE_F, ZONE_G),
            balancer(NLB, "nlb", ZONE_F, ZONE_G),
            balancer(NLB_V6, "nlb", ZONE_F, ZONE_G, ipv6=True),
            balancer(GWLB, "gwlb", ZONE_F, ZONE_G),
            *(balancer(name, "slb", ZONE_F) for name in many),
        ],
    }


def consumer_vpcs():
    """Where the endpoints are."""
    return [
        {
            "id": VPC,
            "region": REGION,
            "switches": [
                {"id": SWITCHES[ZONE_F], "zone": ZONE_F, "range": "10.1.0.0/24"},
                {"id": SWITCHES[ZONE_G], "zone": ZONE_G, "range": "10.1.1.0/24"},
                {"id": SWITCHES[ZONE_H], "zone": ZONE_H, "range": "10.1.2.0/24"},
                {"id": SWITCH_FULL, "zone": ZONE_F, "range": "10.1.3.0/24", "free": 0},
                {"id": SWITCH_NEW, "zone": ZONE_F, "range": "10.1.4.0/24", "available": False},
            ],
            "groups": [
                {"id": GROUP},
                {"id": GROUP_2},
                {"id": ENTERPRISE_GROUP, "enterprise": True},
                {"id": MANAGED_GROUP, "managed": True},
            ],
        },
        {
            "id": VPC_2,
            "region": REGION,
            "switches": [{"id": SWITCH_OF_VPC_2, "zone": ZONE_F, "range": "10.4.0.0/24"}],
        },
        {
            "id": FAR_VPC,
            "region": FAR_REGION,
            "switches": [{"id": SWITCH_FAR, "zone": FAR_ZONE, "range": "10.5.0.0/24"}],
            "groups": [{"id": FAR_GROUP}],
        },
    ]


def key(who, **more):
    """An access key in the world file."""
    own = KEYS[who]
    token = {} if own.token is None else {"token": own.token}
    return {"id": own.id, "secret": own.secret, **token, **more}


def balancer(name, kind, *zones, **more):
    """A load balancer in the world file."""
    return {"id": name, "kind": kind, "zones": list(zones), "address": "10.2.9.9", **more}
