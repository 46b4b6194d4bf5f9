"""A whole life of a link, driven by the vendor's own SDK from an account's first call to an empty world."""

import land
from land import CLB_F1, CLB_F2, CLB_G1, GROUP, GROUP_2, ZONE_F, ZONE_G
from scene import clb, refusal, replace, served, switch_off, zone


def test_a_whole_life(scene):
    make_the_service(scene)
    ask_for_a_connection(scene)
    assign_and_accept(scene)
    change_the_bandwidth(scene)
    migrate_smoothly(scene)
    clean_up(scene)
    replace_by_force(scene)
    cut_and_connect_a_zone(scene)
    change_zones_and_groups(scene)
    delete_in_order(scene)


def make_the_service(scene):
    cloud = scene.provider
    assert cloud("CheckProductOpen")["Success"] is True
    made = cloud(
        "CreateVpcEndpointService",
        ServiceDescription="a database for tenants",
        ServiceResourceType="slb",
        Resource=[clb(CLB_F1)],
        AutoAcceptEnabled=False,
        ClientToken="make-the-service",
    )
    scene.service = made["ServiceId"]
    assert made["ServiceStatus"] == "Creating"
    assert made["ServiceDescription"] == "a database for tenants"
    assert made["ServiceDomain"] == f"{scene.service}.{land.REGION}.privatelink.aliyuncs.com"
    scene.settle()
    assert scene.status() == "Active"

    for name in (CLB_F2, CLB_G1, land.CLB_G2):
        cloud("AttachResourceToVpcEndpointService", ServiceId=scene.service, **clb(name))
        scene.settle()
    resources = cloud("ListVpcEndpointServiceResources", ServiceId=scene.service)["Resources"]
    assert {resource["ResourceId"] for resource in resources} == set(land.CLBS)
    assert all(resource["AutoAllocatedEnabled"] for resource in resources)

    cloud(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId=scene.service,
        ConnectBandwidth=200,
        ZoneAffinityEnabled=True,
    )
    scene.settle()
    service = cloud("GetVpcEndpointServiceAttribute", ServiceId=scene.service)
    assert (service["ConnectBandwidth"], service["ZoneAffinityEnabled"]) == (200, True)

    cloud("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
    cloud("AddUserToVpcEndpointService", ServiceId=scene.service, UserARN=land.STRANGER_ARN)
    users = cloud("ListVpcEndpointServiceUsers", ServiceId=scene.service)
    assert {"UserId": land.CONSUMER} in users["Users"]
    arns = cloud("ListVpcEndpointServiceUsers", ServiceId=scene.service, UserListType="UserARNs")
    assert arns["UserARNs"] == [{"UserARN": land.STRANGER_ARN}]
    cloud("RemoveUserFromVpcEndpointService", ServiceId=scene.service, UserARN=land.STRANGER_ARN)
    arns = cloud("ListVpcEndpointServiceUsers", ServiceId=scene.service, UserListType="UserARNs")
    assert arns["UserARNs"] == []


def ask_for_a_connection(scene):
    made = scene.consumer(
        "CreateVpcEndpoint",
        ServiceId=scene.service,
        VpcId=land.VPC,
        SecurityGroupId=[GROUP],
        Zone=[zone(ZONE_F), zone(ZONE_G)],
        EndpointName="tenant",
        ClientToken="make-the-endpoint",
    )
    scene.endpoint = made["EndpointId"]
    assert (made["EndpointStatus"], made["ConnectionStatus"]) == ("Creating", "Disconnected")
    assert made["ServiceId"] == scene.service
    scene.settle()
    endpoint = scene.consumer("GetVpcEndpointAttribute", EndpointId=scene.endpoint)
    assert (endpoint["EndpointStatus"], endpoint["ConnectionStatus"]) == ("Active", "Disconnected")
    assert (endpoint["EndpointName"], endpoint["VpcId"]) == ("tenant", land.VPC)
    connection = scene.connection()
    assert connection["ConnectionStatus"] == "Disconnected"
    assert (connection["EndpointOwnerId"], connection["EndpointVpcId"]) == (land.CONSUMER, land.VPC)
    assert connection["ResourceGroupId"] == "rg-consumer"
    assert {leg["ZoneId"]: leg["ZoneStatus"] for leg in connection["Zones"]} == {
        ZONE_F: "Wait",
        ZONE_G: "Wait",
    }


def assign_and_accept(scene):
    for zone_id, name in ((ZONE_F, CLB_F1), (ZONE_G, CLB_G1)):
        scene.provider(
            "UpdateVpcEndpointZoneConnectionResourceAttribute",
            **scene.link,
            ZoneId=zone_id,
            ResourceAllocateMode="Manual",
            **clb(name),
        )
        assert scene.status() == "Pending"
        scene.settle()
        assert scene.status() == "Active"
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    assert scene.connection()["ConnectionStatus"] == "Connecting"
    scene.settle()
    connection = scene.connection()
    assert connection["ConnectionStatus"] == "Connected"
    assert {leg["ZoneId"]: leg["ResourceId"] for leg in connection["Zones"]} == {
        ZONE_F: CLB_F1,
        ZONE_G: CLB_G1,
    }
    assert (
        scene.consumer("GetVpcEndpointAttribute", EndpointId=scene.endpoint)["ConnectionStatus"]
        == "Connected"
    )
    assert scene.resource(CLB_F1)["RelatedEndpointCount"] == 1
    # The consumer sees addresses and no load balancers; the provider the reverse.
    assert {"EniIp", "ZoneDomain"} <= scene.seen_by_consumer(ZONE_F).keys()
    assert "ResourceId" not in scene.seen_by_consumer(ZONE_F)
    assert "EniIp" not in scene.leg(ZONE_F)


def change_the_bandwidth(scene):
    assert scene.connection()["Bandwidth"] == 200
    scene.provider("UpdateVpcEndpointConnectionAttribute", **scene.link, Bandwidth=400)
    assert scene.connection()["ConnectionStatus"] == "Pending"
    scene.settle()
    connection = scene.connection()
    assert (connection["ConnectionStatus"], connection["Bandwidth"]) == ("Connected", 400)
    assert scene.consumer("GetVpcEndpointAttribute", EndpointId=scene.endpoint)["Bandwidth"] == 400


def migrate_smoothly(scene):
    before = scene.leg(ZONE_F)
    switch_off(scene, CLB_F1)
    assert scene.resource(CLB_F1)["AutoAllocatedEnabled"] is False
    replace(scene, ZONE_F, CLB_F2, "Graceful")
    assert scene.status() == "Pending"
    assert scene.leg(ZONE_F)["ZoneStatus"] == "Migrating"
    scene.settle()
    assert scene.status() == "Active"
    leg = scene.leg(ZONE_F)
    assert (leg["ZoneStatus"], leg["ResourceId"]) == ("Migrated", CLB_F2)
    assert (leg["ReplacedResourceId"], leg["ReplacedEniId"]) == (CLB_F1, before["EniId"])
    assert leg["EniId"] != before["EniId"]
    old, new = scene.resource(CLB_F1), scene.resource(CLB_F2)
    assert (old["RelatedEndpointCount"], old["RelatedDeprecatedEndpointCount"]) == (0, 1)
    assert (new["RelatedEndpointCount"], new["RelatedDeprecatedEndpointCount"]) == (1, 0)
    found = scene.provider("ListVpcEndpointConnections", ServiceId=scene.service, ReplacedResourceId=CLB_F1)
    assert [connection["EndpointId"] for connection in found["Connections"]] == [scene.endpoint]
    assert scene.connection()["ConnectionStatus"] == "Connected"
    assert scene.gaps(ZONE_F) == 0


def clean_up(scene):
    current = scene.leg(ZONE_F)["EniId"]
    form = {**scene.link, "ZoneId": ZONE_F, "ReplacedResource": True}
    scene.provider("DisableVpcEndpointZoneConnection", **form)
    scene.settle()
    leg = scene.leg(ZONE_F)
    assert (leg["ZoneStatus"], leg["ResourceId"], leg["EniId"]) == ("Connected", CLB_F2, current)
    assert not leg.get("ReplacedResourceId") and not leg.get("ReplacedEniId")
    assert scene.gaps(ZONE_F) == 0
    old = scene.resource(CLB_F1)
    assert (old["RelatedEndpointCount"], old["RelatedDeprecatedEndpointCount"]) == (0, 0)
    scene.provider("DetachResourceFromVpcEndpointService", ServiceId=scene.service, **clb(CLB_F1))
    scene.settle()
    resources = scene.provider("ListVpcEndpointServiceResources", ServiceId=scene.service)["Resources"]
    assert CLB_F1 not in {resource["ResourceId"] for resource in resources}


def replace_by_force(scene):
    switch_off(scene, CLB_G1)
    replace(scene, ZONE_G, land.CLB_G2, "Force")
    assert scene.status() == "Pending"
    scene.settle()
    leg = scene.leg(ZONE_G)
    assert (leg["ZoneStatus"], leg["ResourceId"]) == ("Connected", land.CLB_G2)
    assert not leg.get("ReplacedResourceId") and not leg.get("ReplacedEniId")
    assert scene.resource(CLB_G1)["RelatedDeprecatedEndpointCount"] == 0
    assert scene.gaps(ZONE_G) == 1


def cut_and_connect_a_zone(scene):
    form = {**scene.link, "ZoneId": ZONE_G}
    scene.provider("DisableVpcEndpointZoneConnection", **form)
    assert scene.leg(ZONE_G)["ZoneStatus"] == "Disconnecting"
    scene.settle()
    assert scene.leg(ZONE_G)["ZoneStatus"] == "Disconnected"
    assert scene.leg(ZONE_F)["ZoneStatus"] == "Connected"
    assert scene.connection()["ConnectionStatus"] == "Connected"
    scene.provider("EnableVpcEndpointZoneConnection", **form)
    assert scene.leg(ZONE_G)["ZoneStatus"] == "Connecting"
    scene.settle()
    assert scene.leg(ZONE_G)["ZoneStatus"] == "Connected"


def change_zones_and_groups(scene):
    cloud, endpoint = scene.consumer, {"EndpointId": scene.endpoint}
    cloud("AttachSecurityGroupToVpcEndpoint", **endpoint, SecurityGroupId=GROUP_2)
    groups = cloud("ListVpcEndpointSecurityGroups", **endpoint)["SecurityGroups"]
    assert {"SecurityGroupId": GROUP_2, "SecurityGroupStatus": "Attaching"} in groups
    scene.settle()
    cloud("DetachSecurityGroupFromVpcEndpoint", **endpoint, SecurityGroupId=GROUP)
    scene.settle()
    groups = cloud("ListVpcEndpointSecurityGroups", **endpoint)["SecurityGroups"]
    assert groups == [{"SecurityGroupId": GROUP_2, "SecurityGroupStatus": "Attached"}]

    cloud("RemoveZoneFromVpcEndpoint", **endpoint, ZoneId=ZONE_G)
    assert scene.seen_by_consumer(ZONE_G)["ZoneStatus"] == "Deleting"
    scene.settle()
    zones = cloud("ListVpcEndpointZones", **endpoint)["Zones"]
    assert [leg["ZoneId"] for leg in zones] == [ZONE_F]
    cloud("AddZoneToVpcEndpoint", **endpoint, **zone(ZONE_G), ip=land.FREE_ADDRESS_G)
    assert scene.seen_by_consumer(ZONE_G)["ZoneStatus"] == "Creating"
    scene.settle()
    leg = scene.seen_by_consumer(ZONE_G)
    assert (leg["ZoneStatus"], leg["EniIp"]) == ("Connected", land.FREE_ADDRESS_G)
    assert leg["ZoneDomain"].startswith(scene.endpoint)


def delete_in_order(scene):
    service, endpoint = {"ServiceId": scene.service}, {"EndpointId": scene.endpoint}
    scene.provider("DisableVpcEndpointConnection", **scene.link)
    assert scene.connection()["ConnectionStatus"] == "Disconnecting"
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Disconnected"
    for zone_id in (ZONE_F, ZONE_G):
        scene.consumer("RemoveZoneFromVpcEndpoint", **endpoint, ZoneId=zone_id)
        scene.settle()
    scene.consumer("DeleteVpcEndpoint", **endpoint)
    assert scene.consumer("GetVpcEndpointAttribute", **endpoint)["EndpointStatus"] == "Deleting"
    scene.settle()
    assert refusal(scene.consumer, "GetVpcEndpointAttribute", **endpoint).code == "EndpointNotFound"
    for name in (CLB_F2, CLB_G1, land.CLB_G2):
        # The last automatic resource of a zone goes last: G2 became the only one.
        scene.provider("DetachResourceFromVpcEndpointService", **service, **clb(name))
        scene.settle()
    scene.provider("DeleteVpcEndpointService", **service)
    assert scene.status() == "Deleting"
    scene.settle()
    assert (
        refusal(scene.provider, "GetVpcEndpointServiceAttribute", **service).code == "EndpointServiceNotFound"
    )
    world = scene.simulator.world()
    assert not world["services"] and not world["endpoints"]


def test_a_life_across_regions(scene):
    """An endpoint abroad: its zone is none of the service's, and any of the service's resources serves it."""
    served(scene)
    open_abroad(scene)
    far = scene.by("consumer", land.FAR_REGION)
    join_from_abroad(scene, far)
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Connected"
    first = scene.leg(land.FAR_ZONE)
    assert first["ZoneStatus"] == "Connected"
    assert scene.resource(first["ResourceId"])["RelatedEndpointCount"] == 1

    other = next(name for name in (CLB_G1, CLB_F1) if name != first["ResourceId"])
    switch_off(scene, first["ResourceId"])
    replace(scene, land.FAR_ZONE, other, "Graceful")
    scene.settle()
    leg = scene.leg(land.FAR_ZONE)
    assert (leg["ZoneStatus"], leg["ResourceId"]) == ("Migrated", other)
    assert leg["ReplacedResourceId"] == first["ResourceId"]
    in_use = refusal(
        scene.provider, "DetachResourceFromVpcEndpointService", ServiceId=scene.service, **clb(other)
    )
    assert in_use.code == "EndpointServiceConnectionDependence"

    form = {**scene.link, "ZoneId": land.FAR_ZONE}
    scene.provider("DisableVpcEndpointZoneConnection", **form, ReplacedResource=True)
    scene.settle()
    assert scene.leg(land.FAR_ZONE)["ZoneStatus"] == "Connected"
    assert scene.gaps(land.FAR_ZONE) == 0
    scene.provider("DisableVpcEndpointConnection", **scene.link)
    scene.settle()
    far("RemoveZoneFromVpcEndpoint", EndpointId=scene.endpoint, ZoneId=land.FAR_ZONE)
    scene.settle()
    far("DeleteVpcEndpoint", EndpointId=scene.endpoint)
    scene.settle()
    assert far("ListVpcEndpoints")["Endpoints"] == []


def test_a_service_that_accepts_by_itself_serves_another_region(scene):
    served(scene)
    scene.provider("UpdateVpcEndpointServiceAttribute", ServiceId=scene.service, AutoAcceptEnabled=True)
    scene.settle()
    open_abroad(scene)
    join_from_abroad(scene, scene.by("consumer", land.FAR_REGION))
    assert scene.connection()["ConnectionStatus"] == "Connected"
    assert scene.leg(land.FAR_ZONE)["ZoneStatus"] == "Connected"


def open_abroad(scene):
    scene.provider(
        "UpdateVpcEndpointServiceAttribute", ServiceId=scene.service, AddSupportedRegionSet=[land.FAR_REGION]
    )
    scene.settle()


def join_from_abroad(scene, far):
    made = far(
        "CreateVpcEndpoint",
        ServiceId=scene.service,
        ServiceRegionId=land.REGION,
        VpcId=land.FAR_VPC,
        SecurityGroupId=[land.FAR_GROUP],
        Zone=[{"ZoneId": land.FAR_ZONE, "VSwitchId": land.SWITCH_FAR}],
    )
    scene.endpoint = made["EndpointId"]
    scene.settle()
