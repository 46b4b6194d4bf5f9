"""How tests get to the situation they are about: one simulated cloud, its accounts, and the ways there."""

import functools

import land
from cloud import AlibabaCloudException, Cloud


class Scene:
    """One simulated cloud, and what has been made in it so far."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.service = None
        self.endpoint = None

    def by(self, who, region=land.REGION):
        """The cloud as the key named `who` in the land sees it."""
        return Cloud(self.simulator.address, land.KEYS[who], region)

    @functools.cached_property
    def provider(self):
        """The cloud as the service's owner sees it."""
        return self.by("provider")

    @functools.cached_property
    def consumer(self):
        """The cloud as the endpoint's owner sees it."""
        return self.by("consumer")

    @property
    def link(self):
        """The connection, as a provider's call names it."""
        return {"ServiceId": self.service, "EndpointId": self.endpoint}

    def settle(self):
        """Lets everything that moves by itself arrive."""
        self.simulator.settle()
        return self

    def connection(self):
        """The connection, as the provider's list shows it."""
        (connection,) = self.provider("ListVpcEndpointConnections", **self.link)["Connections"]
        return connection

    def leg(self, zone):
        """One zone of the connection, as the provider's list shows it."""
        (leg,) = [leg for leg in self.connection()["Zones"] if leg["ZoneId"] == zone]
        return leg

    def seen_by_consumer(self, zone):
        """The same zone, as the consumer's list shows it."""
        zones = self.consumer("ListVpcEndpointZones", EndpointId=self.endpoint)["Zones"]
        (leg,) = [leg for leg in zones if leg["ZoneId"] == zone]
        return leg

    def resource(self, name):
        """A resource of the service, as the provider's list shows it."""
        resources = self.provider("ListVpcEndpointServiceResources", ServiceId=self.service)["Resources"]
        (resource,) = [resource for resource in resources if resource["ResourceId"] == name]
        return resource

    def gaps(self, zone):
        """How often one zone, once connected, could carry nothing while its connection stood."""
        (track,) = [
            track
            for track in self.simulator.journal()["witness"]
            if (track["endpoint"], track["zone"]) == (self.endpoint, zone)
        ]
        return track["gaps"]

    def status(self):
        """The service's status."""
        return self.provider("GetVpcEndpointServiceAttribute", ServiceId=self.service)["ServiceStatus"]


def refusal(cloud, action, **form):
    """The exception that the SDK raises for a call that is refused."""
    try:
        answer = cloud(action, **form)
    except AlibabaCloudException as refused:
        return refused
    raise AssertionError(f"{action} was not refused; it answered {answer}")


def clb(name):
    """A CLB as a call names it."""
    return {"ResourceId": name, "ResourceType": "slb"}


def zone(zone_id):
    """A zone of the consumer's VPC as a call names it."""
    return {"ZoneId": zone_id, "VSwitchId": land.SWITCHES[zone_id]}


# Ways to a situation; each takes a scene and leaves it settled.


def empty(scene):
    """Nothing has been made."""
    return scene


def served(scene):
    """A service with two CLBs in each of two zones, which the consumer may use."""
    resources = [clb(name) for name in land.CLBS]
    scene.service = scene.provider("CreateVpcEndpointService", Resource=resources)["ServiceId"]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
    return scene.settle()


def waiting(scene):
    """And an endpoint in both zones, which nobody has accepted yet."""
    served(scene)
    scene.endpoint = scene.consumer(
        "CreateVpcEndpoint",
        ServiceId=scene.service,
        VpcId=land.VPC,
        SecurityGroupId=[land.GROUP],
        Zone=[zone(land.ZONE_F), zone(land.ZONE_G)],
    )["EndpointId"]
    return scene.settle()


def connected(scene):
    """And the connection is accepted; zone F is served by the first CLB, which is no longer picked."""
    waiting(scene)
    assign(scene, land.ZONE_F, land.CLB_F1)
    assign(scene, land.ZONE_G, land.CLB_G1)
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    scene.settle()
    for name in (land.CLB_F1, land.CLB_G1):
        switch_off(scene, name)
    return scene


def migrated(scene):
    """And zone F has been moved to the second CLB smoothly; its old side still stands."""
    connected(scene)
    replace(scene, land.ZONE_F, land.CLB_F2, "Graceful")
    return scene.settle()


def zone_cut(scene):
    """Connected, but for zone F."""
    connected(scene)
    scene.provider("DisableVpcEndpointZoneConnection", **scene.link, ZoneId=land.ZONE_F)
    return scene.settle()


def assign(scene, zone_id, name):
    """Chooses the resource of a zone before acceptance."""
    scene.provider(
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        **scene.link,
        ZoneId=zone_id,
        ResourceAllocateMode="Manual",
        **clb(name),
    )
    scene.settle()


def replace(scene, zone_id, name, mode):
    """Begins to replace the resource of a connected zone."""
    scene.provider(
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        **scene.link,
        ZoneId=zone_id,
        ResourceReplaceMode=mode,
        **clb(name),
    )


def switch_off(scene, name):
    """Forbids the cloud to pick a resource by itself."""
    scene.provider(
        "UpdateVpcEndpointServiceResourceAttribute",
        ServiceId=scene.service,
        ResourceId=name,
        AutoAllocatedEnabled=False,
    )
    scene.settle()
