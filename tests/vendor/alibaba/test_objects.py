"""What else the vendor's SDK can do with services and endpoints: attributes, tags, groups, regions, views."""

import pytest
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.utils_models import Config

import land
from cloud import Cloud
from land import CLB_F1, CLB_F2, GROUP, REGION, ZONE_F, ZONE_G
from refusal_row import of_kind, protected
from scene import clb, connected, migrated, refusal, served, waiting, zone, zone_cut


def test_an_account_opens_the_product_once(scene):
    newcomer = scene.by("newcomer")
    assert refusal(newcomer, "CheckProductOpen").code == "NeedOpenProduct"
    assert refusal(newcomer, "CreateVpcEndpointService").code == "NeedOpenProduct"
    assert newcomer("OpenPrivateLinkService")["OrderId"]
    assert newcomer("CheckProductOpen")["Success"] is True
    assert refusal(newcomer, "OpenPrivateLinkService").code == "OrderOpend"
    assert newcomer("CreateVpcEndpointService")["ServiceId"].startswith("epsrv-")


def test_both_sides_can_be_renamed_and_described(scene):
    waiting(scene)
    scene.provider(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId=scene.service,
        ServiceDescription="new words",
        AutoAcceptEnabled=True,
        ConnectBandwidth=300,
    )
    scene.settle()
    service = scene.provider("GetVpcEndpointServiceAttribute", ServiceId=scene.service)
    assert (service["ServiceDescription"], service["AutoAcceptEnabled"]) == ("new words", True)
    assert service["ConnectBandwidth"] == 300
    scene.consumer(
        "UpdateVpcEndpointAttribute",
        EndpointId=scene.endpoint,
        EndpointName="renamed",
        EndpointDescription="möglich & nötig: 100 %",
    )
    scene.settle()
    endpoint = scene.consumer("GetVpcEndpointAttribute", EndpointId=scene.endpoint)
    assert (endpoint["EndpointName"], endpoint["EndpointDescription"]) == (
        "renamed",
        "möglich & nötig: 100 %",
    )


def test_an_automatic_service_connects_by_itself(scene):
    resources = [clb(CLB_F1), clb(land.CLB_G1)]
    scene.service = scene.provider("CreateVpcEndpointService", AutoAcceptEnabled=True, Resource=resources)[
        "ServiceId"
    ]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserARN="acs:ram:*:*")
    form = {"ServiceId": scene.service, "VpcId": land.VPC, "SecurityGroupId": [GROUP], "Zone": [zone(ZONE_F)]}
    scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Connected"
    assert scene.leg(ZONE_F)["ResourceId"] == CLB_F1
    scene.consumer("AddZoneToVpcEndpoint", EndpointId=scene.endpoint, **zone(ZONE_G))
    scene.settle()
    assert scene.seen_by_consumer(ZONE_G)["ZoneStatus"] == "Connected"
    assert scene.leg(ZONE_G)["ResourceId"] == land.CLB_G1


def test_acceptance_alone_picks_a_resource_for_each_zone(scene):
    waiting(scene)
    assert "ResourceId" not in scene.leg(ZONE_F) or not scene.leg(ZONE_F)["ResourceId"]
    scene.provider("EnableVpcEndpointConnection", **scene.link, Bandwidth=150)
    scene.settle()
    assert scene.leg(ZONE_F)["ResourceId"] in (CLB_F1, CLB_F2)
    assert scene.connection()["Bandwidth"] == 150


def test_where_acceptance_does_not_pick_automatic_assignment_does(start):
    scene = waiting(start(variants={"autoAssignOnEnable": "false"}))
    refused = refusal(scene.provider, "EnableVpcEndpointConnection", **scene.link)
    assert refused.code == "OperationDenied.NoAvailableServiceResource"
    for zone_id in (ZONE_F, ZONE_G):
        form = {**scene.link, "ZoneId": zone_id, "ResourceAllocateMode": "Auto"}
        scene.provider("UpdateVpcEndpointZoneConnectionResourceAttribute", **form)
        scene.settle()
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Connected"


def test_an_nlb_connection_is_elastic_until_it_is_limited(scene):
    of_kind("nlb", land.NLB)(scene)
    assert scene.connection()["TrafficControlMode"] == "Scalability"
    limit = {"TrafficControlMode": "BandwidthLimit", "Bandwidth": 50_000}
    scene.provider("UpdateVpcEndpointConnectionAttribute", **scene.link, **limit)
    scene.settle()
    connection = scene.connection()
    assert {name: connection[name] for name in limit} == limit


def test_a_connection_of_a_clb_or_an_alb_has_a_bandwidth_from_the_start(scene):
    of_kind("alb", land.ALB)(scene)
    connection = scene.connection()
    assert (connection["TrafficControlMode"], connection["Bandwidth"]) == ("BandwidthLimit", 3072)


def test_a_gwlb_connection_is_always_elastic(scene):
    of_kind("gwlb", land.GWLB)(scene)
    assert scene.connection()["TrafficControlMode"] == "Scalability"
    form = {**scene.link, "TrafficControlMode": "BandwidthLimit", "Bandwidth": 200}
    assert (
        refusal(scene.provider, "UpdateVpcEndpointConnectionAttribute", **form).code
        == "UpdateBandWidthUnSupported"
    )


def test_a_refused_connection_can_be_accepted_later(scene):
    waiting(scene)
    scene.provider("DisableVpcEndpointConnection", **scene.link)
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Disconnected"
    assert {leg["ZoneStatus"] for leg in scene.connection()["Zones"]} == {"Disconnected"}
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Connected"
    assert {leg["ZoneStatus"] for leg in scene.connection()["Zones"]} == {"Connected"}


def test_the_consumer_sees_no_migration_in_its_own_list(scene):
    migrated(scene)
    assert scene.leg(ZONE_F)["ZoneStatus"] == "Migrated"
    seen = scene.seen_by_consumer(ZONE_F)
    assert seen["ZoneStatus"] == "Connected"
    assert seen["EniId"] == scene.leg(ZONE_F)["EniId"]


def test_cutting_a_migrated_zone_without_naming_the_old_side_hits_the_current_one(scene):
    migrated(scene)
    scene.provider("DisableVpcEndpointZoneConnection", **scene.link, ZoneId=ZONE_F)
    scene.settle()
    assert scene.leg(ZONE_F)["ZoneStatus"] == "Disconnected"
    assert scene.resource(CLB_F1)["RelatedDeprecatedEndpointCount"] == 0


def test_a_protected_endpoint_obeys_the_session_that_made_it(scene):
    protected(scene)
    own, by = scene.by("consumer's session"), {"EndpointId": scene.endpoint}
    assert own("GetVpcEndpointAttribute", **by)["ProtectedEnabled"] is True
    own("UpdateVpcEndpointAttribute", **by, EndpointName="renamed")
    own("RemoveZoneFromVpcEndpoint", **by, ZoneId=ZONE_F)
    scene.settle()
    own("DeleteVpcEndpoint", **by)


def test_protection_needs_a_session(scene):
    served(scene)
    form = {"ServiceId": scene.service, "VpcId": land.VPC, "ProtectedEnabled": True}
    scene.endpoint = scene.consumer("CreateVpcEndpoint", **form)["EndpointId"]
    scene.settle()
    by = {"EndpointId": scene.endpoint}
    assert scene.consumer("GetVpcEndpointAttribute", **by)["ProtectedEnabled"] is False
    scene.by("consumer's session")("DeleteVpcEndpoint", **by)


def test_a_service_that_goes_leaves_its_endpoint_orphaned(scene):
    waiting(scene)
    for name in land.CLBS:
        scene.provider("DetachResourceFromVpcEndpointService", ServiceId=scene.service, **clb(name))
        scene.settle()
    scene.provider("DeleteVpcEndpointService", ServiceId=scene.service)
    scene.settle()
    endpoint = scene.consumer("GetVpcEndpointAttribute", EndpointId=scene.endpoint)
    assert endpoint["ConnectionStatus"] == "ServiceDeleted"
    for zone_id in (ZONE_F, ZONE_G):
        scene.consumer("RemoveZoneFromVpcEndpoint", EndpointId=scene.endpoint, ZoneId=zone_id)
        scene.settle()
    scene.consumer("DeleteVpcEndpoint", EndpointId=scene.endpoint)
    scene.settle()
    assert not scene.simulator.world()["endpoints"]


def test_consumer_regions_open_and_close(scene):
    made = scene.provider("CreateVpcEndpointService", SupportedRegionList=[land.FAR_REGION])
    scene.service = made["ServiceId"]
    scene.settle()

    def standing():
        service = scene.provider("GetVpcEndpointServiceAttribute", ServiceId=scene.service)
        return {
            region["SupportedRegionId"]: region["RegionServiceStatus"]
            for region in service["SupportedRegionSet"]
            if region["SupportedRegionId"] != REGION
        }

    assert standing() == {land.FAR_REGION: "Available"}
    scene.provider(
        "UpdateVpcEndpointServiceAttribute",
        ServiceId=scene.service,
        DeleteSupportedRegionSet=[land.FAR_REGION],
    )
    scene.settle()
    assert standing() == {land.FAR_REGION: "Closed"}
    scene.provider(
        "UpdateVpcEndpointServiceAttribute", ServiceId=scene.service, AddSupportedRegionSet=[land.FAR_REGION]
    )
    scene.settle()
    assert standing() == {land.FAR_REGION: "Available"}


def test_an_endpoint_in_another_region_than_its_service(scene):
    resources = [clb(CLB_F1)]
    form = {"Resource": resources, "SupportedRegionList": [land.FAR_REGION]}
    scene.service = scene.provider("CreateVpcEndpointService", **form)["ServiceId"]
    scene.settle()
    scene.provider("AddUserToVpcEndpointService", ServiceId=scene.service, UserId=land.CONSUMER)
    far = scene.by("consumer", land.FAR_REGION)
    made = far(
        "CreateVpcEndpoint",
        ServiceId=scene.service,
        ServiceRegionId=REGION,
        VpcId=land.FAR_VPC,
        SecurityGroupId=[land.FAR_GROUP],
        CrossRegionBandwidth=100,
    )
    scene.endpoint = made["EndpointId"]
    scene.settle()
    assert made["ServiceRegionId"] == REGION
    endpoint = far("GetVpcEndpointAttribute", EndpointId=scene.endpoint)
    assert (endpoint["RegionId"], endpoint["ServiceRegionId"]) == (land.FAR_REGION, REGION)
    assert endpoint["CrossRegionBandwidth"] == 100
    # The provider's calls go to the service's region, the consumer's to the endpoint's.
    connection = scene.connection()
    assert (connection["EndpointRegionId"], connection["ServiceRegionId"]) == (land.FAR_REGION, REGION)
    assert (
        refusal(scene.consumer, "GetVpcEndpointAttribute", EndpointId=scene.endpoint).code
        == "EndpointNotFound"
    )


@pytest.mark.parametrize("kind", ["service", "endpoint"])
def test_tags_are_set_listed_found_by_and_removed(scene, kind):
    waiting(scene)
    cloud, id, resource_type, action, items, id_name = {
        "service": (
            scene.provider,
            scene.service,
            "vpcendpointservice",
            "ListVpcEndpointServices",
            "Services",
            "ServiceId",
        ),
        "endpoint": (
            scene.consumer,
            scene.endpoint,
            "vpcendpoint",
            "ListVpcEndpoints",
            "Endpoints",
            "EndpointId",
        ),
    }[kind]
    target = {"ResourceType": resource_type, "ResourceId": [id]}
    tags = [
        {"Key": "team", "Value": "data & ai"},
        {"Key": "größe", "Value": ""},
        {"Key": "env", "Value": "a=b/c+d*e~f"},
    ]
    cloud("TagResources", **target, Tag=tags)

    def listed():
        rows = cloud("ListTagResources", **target)["TagResources"]
        assert all(row["ResourceId"] == id for row in rows)
        return {row["TagKey"]: row["TagValue"] for row in rows}

    assert listed() == {tag["Key"]: tag["Value"] for tag in tags}
    found = cloud("ListTagResources", ResourceType=resource_type, Tag=[tags[2]])["TagResources"]
    assert {row["ResourceId"] for row in found} == {id}
    (item,) = cloud(action, Tag=[tags[0]])[items]
    assert item[id_name] == id
    assert {(tag["Key"], tag["Value"]) for tag in item["Tags"]} == {
        (tag["Key"], tag["Value"]) for tag in tags
    }
    assert cloud(action, Tag=[{"Key": "team", "Value": "other"}])[items] == []

    cloud("TagResources", **target, Tag=[{"Key": "env", "Value": "changed"}])
    assert listed()["env"] == "changed"
    cloud("UntagResources", **target, TagKey=["env"])
    assert listed().keys() == {"team", "größe"}
    cloud("UntagResources", **target, All=True)
    assert listed() == {}


def test_objects_are_made_with_tags_and_in_a_resource_group(scene):
    tag, group = {"Key": "made", "Value": "with"}, land.SECOND_GROUP_OF_RESOURCES
    scene.service = scene.provider("CreateVpcEndpointService", Tag=[tag], ResourceGroupId=group)["ServiceId"]
    scene.settle()
    (service,) = scene.provider("ListVpcEndpointServices", Tag=[tag], ResourceGroupId=group)["Services"]
    assert (service["ServiceId"], service["ResourceGroupId"]) == (scene.service, group)


@pytest.mark.parametrize("kind", ["service", "endpoint"])
def test_objects_move_to_another_resource_group(scene, kind):
    waiting(scene)
    cloud, id, resource_type, read, id_name = {
        "service": (
            scene.provider,
            scene.service,
            "VpcEndpointService",
            "GetVpcEndpointServiceAttribute",
            "ServiceId",
        ),
        "endpoint": (scene.consumer, scene.endpoint, "VpcEndpoint", "GetVpcEndpointAttribute", "EndpointId"),
    }[kind]
    group = land.SECOND_GROUP_OF_RESOURCES
    assert cloud(read, **{id_name: id})["ResourceGroupId"] != group
    form = {"ResourceId": id, "ResourceGroupId": group, "ResourceType": resource_type}
    cloud("ChangeResourceGroup", **form)
    assert cloud(read, **{id_name: id})["ResourceGroupId"] == group


def test_regions_and_zones_are_described(scene):
    regions = scene.consumer("DescribeRegions")["Regions"]["Region"]
    assert {REGION, land.FAR_REGION} <= {region["RegionId"] for region in regions}
    assert all(
        region["RegionEndpoint"] == f"privatelink.{region['RegionId']}.aliyuncs.com" for region in regions
    )
    assert scene.consumer("DescribeRegions", ServiceResourceType="ALL")["Regions"]["Region"] == regions
    zones = scene.consumer("DescribeZones")["Zones"]["Zone"]
    assert {zone["ZoneId"] for zone in zones} == {ZONE_F, ZONE_G, land.ZONE_H}


def test_the_consumer_sees_the_services_that_it_may_use(scene):
    served(scene)
    hidden = scene.provider("CreateVpcEndpointService")["ServiceId"]
    scene.settle()
    seen = scene.consumer("ListVpcEndpointServicesByEndUser")
    (service,) = seen["Services"]
    assert service["ServiceId"] == scene.service != hidden
    assert service["ServiceDomain"] == f"{scene.service}.{REGION}.privatelink.aliyuncs.com"
    assert (service["ServiceResourceType"], service["ServiceType"]) == ("slb", "Interface")
    assert seen["TotalCount"] == "1"
    assert scene.consumer("ListVpcEndpointServicesByEndUser", ServiceName=service["ServiceName"])["Services"]
    assert not scene.consumer("ListVpcEndpointServicesByEndUser", ServiceId=hidden)["Services"]
    assert not scene.by("stranger")("ListVpcEndpointServicesByEndUser")["Services"]


def test_connections_are_found_by_state_owner_and_resource(scene):
    connected(scene)

    def found(**by):
        connections = scene.provider("ListVpcEndpointConnections", **by)["Connections"]
        return [connection["EndpointId"] for connection in connections]

    for by in (
        {"ServiceId": scene.service},
        {"EndpointId": scene.endpoint},
        {"EndpointOwnerId": land.CONSUMER},
        {"ConnectionStatus": "Connected"},
        {"ResourceId": CLB_F1},
        {"EniId": scene.leg(ZONE_F)["EniId"]},
    ):
        assert found(**by) == [scene.endpoint], by
    for by in (
        {"EndpointOwnerId": land.STRANGER},
        {"ConnectionStatus": "Disconnected"},
        {"ResourceId": CLB_F2},
        {"ReplacedResourceId": CLB_F1},
        {"EniId": "eni-none"},
    ):
        assert found(**by) == [], by


def test_endpoints_and_services_are_found_by_what_they_are(scene):
    waiting(scene)
    name = scene.provider("GetVpcEndpointServiceAttribute", ServiceId=scene.service)["ServiceName"]
    lists = {
        ("consumer", "ListVpcEndpoints", "Endpoints"): (
            [
                {"EndpointId": scene.endpoint},
                {"VpcId": land.VPC},
                {"ServiceName": name},
                {"EndpointStatus": "Active"},
            ],
            [
                {"EndpointId": "ep-none"},
                {"VpcId": land.VPC_2},
                {"ConnectionStatus": "Connected"},
                {"EndpointType": "Reverse"},
            ],
        ),
        ("provider", "ListVpcEndpointServices", "Services"): (
            [
                {"ServiceId": scene.service},
                {"ServiceName": name},
                {"ResourceId": CLB_F1},
                {"ServiceResourceType": "slb"},
            ],
            [{"ServiceStatus": "Deleting"}, {"ResourceId": land.NLB}, {"AutoAcceptEnabled": True}],
        ),
    }
    for (who, action, items), (hits, misses) in lists.items():
        for by in hits:
            assert len(scene.by(who)(action, **by)[items]) == 1, by
        for by in misses:
            assert scene.by(who)(action, **by)[items] == [], by


def test_a_zone_that_was_cut_stays_cut_beside_one_that_serves(scene):
    zone_cut(scene)
    assert scene.leg(ZONE_F)["ZoneStatus"] == "Disconnected"
    assert scene.leg(ZONE_G)["ZoneStatus"] == "Connected"
    assert scene.resource(CLB_F1)["RelatedEndpointCount"] == 0


def test_a_key_says_whose_it_is(scene):
    key = land.KEYS["provider"]
    config = Config(access_key_id=key.id, access_key_secret=key.secret, protocol="http")
    config.endpoint = scene.simulator.address
    who = StsClient(config).get_caller_identity().body
    assert who.account_id == str(land.PROVIDER)
    assert str(land.PROVIDER) in who.arn


def test_a_session_token_belongs_to_its_key(scene):
    served(scene)
    session = scene.by("provider session")
    assert session("GetVpcEndpointServiceAttribute", ServiceId=scene.service)["ServiceId"] == scene.service


def test_the_sdk_reads_the_region_from_the_call_not_from_the_host(scene):
    served(scene)
    far_host = Cloud(scene.simulator.address, land.KEYS["provider"], REGION, host_region=land.FAR_REGION)
    assert far_host("GetVpcEndpointServiceAttribute", ServiceId=scene.service)["RegionId"] == REGION
