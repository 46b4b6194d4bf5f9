"""Lists of more than a hundred items come whole, page after page, whatever the page's size."""

import pytest

import land
from land import GROUP, VPC, ZONE_F
from scene import refusal, served, zone

MANY = 103
#: As many load balancers in one zone, which one service may hold.
BALANCERS = [f"lb-many-{number:03}" for number in range(MANY)]


@pytest.fixture
def crowded(start):
    """Where a VPC may hold many endpoints of one service, and a zone many load balancers."""
    return start(world=land.world(many=BALANCERS), variants={"oneEndpointPer": "nothing"})


def whole(cloud, action, items, name, total=None, sizes=(None, 50, 7), **form):
    """Reads a list with several page sizes; each must give the same items, none twice."""
    answers = []
    for size in sizes:
        limit = {} if size is None else {"MaxResults": size}
        found, pages = cloud.pages(action, items, **form, **limit)
        names = [item[name] for item in found]
        assert len(set(names)) == len(names)
        assert all(page == (size or 50) for page in pages[:-1]), pages
        answers.append(names)
        first = cloud(action, **form, **limit)
        assert first["MaxResults"] == (size or 50)
        if total is not None:
            assert first["TotalCount"] == total(len(names))
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def test_endpoints_and_connections(crowded):
    served(crowded)
    form = {"ServiceId": crowded.service, "VpcId": VPC}
    made = {crowded.consumer("CreateVpcEndpoint", **form)["EndpointId"] for _ in range(MANY)}
    crowded.settle()
    seen = whole(
        crowded.consumer, "ListVpcEndpoints", "Endpoints", "EndpointId", total=int, sizes=(None, 7, 1000)
    )
    assert set(seen) == made and len(seen) == MANY
    by = {"ServiceId": crowded.service}
    seen = whole(crowded.provider, "ListVpcEndpointConnections", "Connections", "EndpointId", total=str, **by)
    assert set(seen) == made


def test_services_of_the_owner_and_of_the_consumer(crowded):
    made = {crowded.provider("CreateVpcEndpointService")["ServiceId"] for _ in range(MANY)}
    crowded.settle()
    for service in made:
        crowded.provider("AddUserToVpcEndpointService", ServiceId=service, UserId=land.CONSUMER)
    seen = whole(crowded.provider, "ListVpcEndpointServices", "Services", "ServiceId", total=int)
    assert set(seen) == made
    seen = whole(crowded.consumer, "ListVpcEndpointServicesByEndUser", "Services", "ServiceId", total=str)
    assert set(seen) == made


def test_users_by_account_and_by_arn(crowded):
    served(crowded)
    accounts = range(5_000_000_000_000_000, 5_000_000_000_000_000 + MANY)
    for account in accounts:
        crowded.provider("AddUserToVpcEndpointService", ServiceId=crowded.service, UserId=account)
        crowded.provider(
            "AddUserToVpcEndpointService", ServiceId=crowded.service, UserARN=f"acs:ram:*:{account}"
        )
    by = {"ServiceId": crowded.service}
    action = "ListVpcEndpointServiceUsers"
    seen = whole(crowded.provider, action, "Users", "UserId", total=str, UserListType="Users", **by)
    assert set(accounts) <= set(seen)
    seen = whole(crowded.provider, action, "UserARNs", "UserARN", total=str, UserListType="UserARNs", **by)
    assert seen == [f"acs:ram:*:{account}" for account in accounts]


def test_resources_of_a_service(crowded):
    resources = [{"ResourceId": name, "ResourceType": "slb"} for name in BALANCERS]
    # One call makes at most ten.
    by = {"ServiceId": crowded.provider("CreateVpcEndpointService", Resource=resources[:10])["ServiceId"]}
    for resource in resources[10:]:
        crowded.settle()
        crowded.provider("AttachResourceToVpcEndpointService", **by, **resource)
    seen = whole(crowded.provider, "ListVpcEndpointServiceResources", "Resources", "ResourceId", **by)
    assert set(seen) == set(BALANCERS)


def test_tags_whose_list_takes_no_page_size(crowded):
    tags = [{"Key": f"key-{number:02}", "Value": str(number)} for number in range(20)]
    made = [crowded.provider("CreateVpcEndpointService", Tag=tags)["ServiceId"] for _ in range(6)]
    by = {"ResourceType": "vpcendpointservice", "ResourceId": made}
    rows, pages = crowded.provider.pages("ListTagResources", "TagResources", **by)
    assert len(pages) > 1
    assert {(row["ResourceId"], row["TagKey"]) for row in rows} == {
        (id, tag["Key"]) for id in made for tag in tags
    }
    assert len(rows) == 120


def test_zones_and_groups_of_an_endpoint_in_pages_of_one(crowded):
    served(crowded)
    crowded.endpoint = crowded.consumer(
        "CreateVpcEndpoint",
        ServiceId=crowded.service,
        VpcId=VPC,
        SecurityGroupId=[GROUP, land.GROUP_2],
        Zone=[zone(ZONE_F), zone(land.ZONE_G)],
    )["EndpointId"]
    crowded.settle()
    by = {"EndpointId": crowded.endpoint, "sizes": (1, 50)}
    assert len(whole(crowded.consumer, "ListVpcEndpointZones", "Zones", "ZoneId", total=int, **by)) == 2
    seen = whole(
        crowded.consumer,
        "ListVpcEndpointSecurityGroups",
        "SecurityGroups",
        "SecurityGroupId",
        total=int,
        **by,
    )
    assert set(seen) == {GROUP, land.GROUP_2}


def test_a_list_that_shrinks_between_pages_skips_nothing_that_stayed(crowded):
    for number in range(60):
        crowded.provider("CreateVpcEndpointService", ServiceDescription=str(number))
    crowded.settle()
    first = crowded.provider("ListVpcEndpointServices", MaxResults=30)
    kept = {
        service["ServiceId"] for service in crowded.provider.pages("ListVpcEndpointServices", "Services")[0]
    }
    gone = first["Services"][0]["ServiceId"]
    crowded.provider("DeleteVpcEndpointService", ServiceId=gone)
    crowded.settle()
    rest, token = [], first["NextToken"]
    while token:
        page = crowded.provider("ListVpcEndpointServices", MaxResults=30, NextToken=token)
        rest += page["Services"]
        token = page.get("NextToken")
    assert {service["ServiceId"] for service in [*first["Services"], *rest]} == kept


@pytest.mark.parametrize(
    ("action", "size"),
    [
        ("ListVpcEndpoints", 1001),
        ("ListVpcEndpoints", -1),
        ("ListVpcEndpointServices", 1001),
        ("ListVpcEndpointConnections", 1001),
        ("ListVpcEndpointServiceUsers", 51),
        ("ListVpcEndpointServiceResources", 51),
    ],
)
def test_a_page_size_out_of_bounds_is_refused(crowded, action, size):
    served(crowded)
    by = {"ServiceId": crowded.service} if action.startswith("ListVpcEndpointService") else {}
    by = {} if action == "ListVpcEndpointServices" else by
    assert refusal(crowded.provider, action, **by, MaxResults=size).code == "InvalidParameter.MaxResults"


def test_a_made_up_page_token_is_refused(crowded):
    refused = refusal(crowded.provider, "ListVpcEndpoints", NextToken="made up")
    assert refused.code == "InvalidParameter.NextToken"


@pytest.mark.parametrize("end", ["absent", "empty"])
def test_a_list_ends_without_a_cursor_or_with_an_empty_one(start, end):
    scene = start(variants={"lastCursor": end})
    made = {scene.provider("CreateVpcEndpointService")["ServiceId"] for _ in range(3)}
    found, pages = scene.provider.pages("ListVpcEndpointServices", "Services", MaxResults=2)
    assert ({service["ServiceId"] for service in found}, pages) == (made, [2, 1])
