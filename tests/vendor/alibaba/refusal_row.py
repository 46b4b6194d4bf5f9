"""What a row of the tables of refusals says, and the situations that only they need."""

from dataclasses import dataclass, field
from typing import Any, Callable

import land
import scene as situations
from scene import Scene, clb, zone


@dataclass(frozen=True)
class Row:
    """In `situation`, the call of `who` is refused with `code`; texts may name `{service}` and `{endpoint}`."""

    code: str
    what: str
    situation: Callable[[Scene], Any]
    who: str
    action: str
    form: dict
    status: int = 400
    region: str = land.REGION
    variants: dict = field(default_factory=dict)

    def filled(self, scene):
        """The form, with the ids of this scene."""
        return fill(self.form, {"service": scene.service, "endpoint": scene.endpoint})

    def __str__(self):
        return f"{self.code}: {self.what}"


def row_by(usual):
    """Makes rows whose calls are made with the key `usual` unless a row says otherwise."""

    def row(code, what, situation, action, form, who=usual, **more):
        return Row(code, what, situation, who, action, form, **more)

    return row


def fill(value, ids):
    """`value` with the names of `ids` replaced, however deep they are."""
    if isinstance(value, str):
        return value.format(**ids)
    if isinstance(value, list):
        return [fill(item, ids) for item in value]
    if isinstance(value, dict):
        return {name: fill(item, ids) for name, item in value.items()}
    return value


LINK = {"ServiceId": "{service}", "EndpointId": "{endpoint}"}
LEG = {**LINK, "ZoneId": land.ZONE_F}
SERVICE = {"ServiceId": "{service}"}
ENDPOINT = {"EndpointId": "{endpoint}"}


# Ways to situations in which something is refused. All that end in "ing" are left unsettled on purpose.


def being_made(scene):
    """A service that the cloud still makes."""
    scene.service = scene.provider("CreateVpcEndpointService", Resource=[clb(land.CLB_F1)])["ServiceId"]


def being_deleted(scene):
    """A service that the cloud still deletes."""
    scene.service = scene.provider("CreateVpcEndpointService")["ServiceId"]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
    scene.settle()
    scene.provider("DeleteVpcEndpointService", ServiceId=scene.service)


def asking(scene):
    """An endpoint that the cloud still makes."""
    situations.served(scene)
    form = {
        "ServiceId": scene.service,
        "VpcId": land.VPC,
        "SecurityGroupId": [land.GROUP],
        "Zone": [zone(land.ZONE_F)],
    }
    scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]


def beside(scene):
    """An endpoint that waits, and another service of the same owner."""
    situations.waiting(scene)
    scene.service = scene.provider("CreateVpcEndpointService")["ServiceId"]
    scene.settle()


def connecting(scene):
    """A connection that has just been accepted."""
    situations.waiting(scene)
    scene.provider("EnableVpcEndpointConnection", **scene.link)


def disconnecting(scene):
    """A connection that has just been cut."""
    situations.connected(scene)
    scene.provider("DisableVpcEndpointConnection", **scene.link)


def cut(scene):
    """A connection that was cut."""
    disconnecting(scene)
    scene.settle()


def migrating(scene):
    """A smooth replacement that runs."""
    situations.connected(scene)
    situations.replace(scene, land.ZONE_F, land.CLB_F2, "Graceful")


def joining(scene):
    """A connected endpoint that is just joining a security group."""
    situations.connected(scene)
    form = {"EndpointId": scene.endpoint, "SecurityGroupId": land.GROUP_2}
    scene.consumer("AttachSecurityGroupToVpcEndpoint", **form)


def provider_owes(scene):
    """Connected, and the provider's account is locked."""
    situations.connected(scene)
    scene.simulator.set_account(land.PROVIDER, locked=True)


def consumer_owes(scene):
    """Connected, and the consumer's account is locked."""
    situations.connected(scene)
    scene.simulator.set_account(land.CONSUMER, locked=True)


def waiting_while_provider_owes(scene):
    """Not accepted yet, and the provider's account is locked."""
    situations.waiting(scene)
    scene.simulator.set_account(land.PROVIDER, locked=True)


def automatic(scene):
    """Connected, and every resource may be picked by the cloud."""
    situations.waiting(scene)
    situations.assign(scene, land.ZONE_F, land.CLB_F1)
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    scene.settle()


def without_resources(scene):
    """An endpoint waits, and the service has lost its load balancers."""
    situations.waiting(scene)
    for name in land.CLBS:
        scene.provider("DetachResourceFromVpcEndpointService", ServiceId=scene.service, **clb(name))
        scene.settle()


def orphaned(scene):
    """An endpoint whose service is gone."""
    without_resources(scene)
    scene.provider("DeleteVpcEndpointService", ServiceId=scene.service)
    scene.settle()


def without_groups(scene):
    """An endpoint that was made without a security group."""
    situations.served(scene)
    form = {"ServiceId": scene.service, "VpcId": land.VPC}
    scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]
    scene.settle()


def protected(scene):
    """An endpoint that only the session that made it may change."""
    situations.served(scene)
    form = {
        "ServiceId": scene.service,
        "VpcId": land.VPC,
        "ProtectedEnabled": True,
        "Zone": [zone(land.ZONE_F)],
    }
    scene.endpoint = scene.by("consumer's session")(
        "CreateVpcEndpoint", SecurityGroupId=[land.GROUP], **form
    )["EndpointId"]
    scene.settle()


def of_kind(kind, name):
    """A service of another kind, with one load balancer in zone F, and an endpoint that it has accepted."""

    def situation(scene):
        resource = {"ResourceId": name, "ResourceType": kind, "ZoneId": land.ZONE_F}
        scene.service = scene.provider("CreateVpcEndpointService", Resource=[resource])["ServiceId"]
        scene.settle()
        scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
        form = {"ServiceId": scene.service, "VpcId": land.VPC, "Zone": [zone(land.ZONE_F)]}
        kinds = {"gwlb": "GatewayLoadBalancer"}
        if kind in kinds:
            form["EndpointType"] = kinds[kind]
        else:
            form["SecurityGroupId"] = [land.GROUP]
        scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]
        scene.settle()
        scene.provider("EnableVpcEndpointConnection", **scene.link)
        scene.settle()

    return situation


def gateway_service(scene):
    """A service of a gateway load balancer."""
    resource = {"ResourceId": land.GWLB, "ResourceType": "gwlb", "ZoneId": land.ZONE_F}
    scene.service = scene.provider("CreateVpcEndpointService", Resource=[resource])["ServiceId"]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)


def dual_stack(scene):
    """A service that speaks IPv6 too."""
    resource = {"ResourceId": land.NLB_V6, "ResourceType": "nlb", "ZoneId": land.ZONE_F}
    form = {"Resource": [resource], "AddressIpVersion": "DualStack", "ServiceResourceType": "nlb"}
    scene.service = scene.provider("CreateVpcEndpointService", **form)["ServiceId"]
    scene.settle()


def served_by_alb(scene):
    """A service of application load balancers, none attached yet."""
    scene.service = scene.provider("CreateVpcEndpointService", ServiceResourceType="alb")["ServiceId"]
    scene.settle()


def small_service(scene):
    """The one service of an account that may own one, with as many resources in zone F as it may have."""
    form = {"Resource": [clb(land.SMALL_CLBS[0])]}
    scene.service = scene.by("small")("CreateVpcEndpointService", **form)["ServiceId"]
    scene.settle()


def small_connected(scene):
    """A connected endpoint of the provider on the service of an account without the grant to assign."""
    small_service(scene)
    small = scene.by("small")
    small("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
    form = {
        "ServiceId": scene.service,
        "VpcId": land.VPC,
        "SecurityGroupId": [land.GROUP],
        "Zone": [zone(land.ZONE_F)],
    }
    scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]
    scene.settle()


def full_vpc(scene):
    """A VPC that holds as many endpoints as its account may have there."""
    situations.served(scene)
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.SMALL)
    form = {"ServiceId": scene.service, "VpcId": land.SMALL_VPC}
    scene.endpoint = scene.by("small")("CreateVpcEndpoint", **form)["EndpointId"]
    scene.settle()
    scene.service = scene.provider("CreateVpcEndpointService")["ServiceId"]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.SMALL)
    scene.settle()


def tagged(scene):
    """A service with as many tags as it may have."""
    situations.served(scene)
    tags = [{"Key": f"key-{number}", "Value": "v"} for number in range(20)]
    form = {"ResourceType": "vpcendpointservice", "ResourceId": [scene.service]}
    scene.provider("TagResources", **form, Tag=tags)
