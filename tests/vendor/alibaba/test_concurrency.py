"""The cloud takes one call of a scope at a time: the second is refused, calls of other scopes are not."""

import concurrent.futures
import threading

import pytest

import land
from cloud import AlibabaCloudException
from land import CLB_F2, CLB_G2, ZONE_F, ZONE_G
from scene import served, waiting

#: Each call stays in the cloud for this long: far longer than two threads need to pass a barrier.
SLOW = "400ms"
REFUSED = "ConcurrentCallNotSupported"


def together(*calls):
    """Makes all calls at once; gives `None` for each that was carried out, else its code."""
    barrier = threading.Barrier(len(calls))

    def make(call):
        cloud, action, form = call
        barrier.wait()
        try:
            cloud(action, **form)
        except AlibabaCloudException as refused:
            return refused.code
        return None

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


@pytest.fixture(scope="module")
def slow(start_for_module):
    """Two services of one account, one of them connected, in a cloud that takes its time."""
    scene = start_for_module(latency=SLOW)
    scene.other = scene.provider("CreateVpcEndpointService")["ServiceId"]
    scene.far = scene.by("provider", land.FAR_REGION)("CreateVpcEndpointService")["ServiceId"]
    waiting(scene)
    scene.provider("EnableVpcEndpointConnection", **scene.link)
    return scene.settle()


def allow(scene, service, who):
    return scene.provider, "AddUserToVpcEndpointService", {"ServiceId": service, "UserId": who}


def forbid(scene, service, who):
    return scene.provider, "RemoveUserFromVpcEndpointService", {"ServiceId": service, "UserId": who}


def describe(scene, service, words, region=land.REGION):
    form = {"ServiceId": service, "ServiceDescription": words}
    return scene.by("provider", region), "UpdateVpcEndpointServiceAttribute", form


def switch(scene, name, on):
    form = {"ServiceId": scene.service, "ResourceId": name, "AutoAllocatedEnabled": on}
    return scene.provider, "UpdateVpcEndpointServiceResourceAttribute", form


def rename(scene, name):
    return scene.consumer, "UpdateVpcEndpointAttribute", {"EndpointId": scene.endpoint, "EndpointName": name}


def cut_zone(scene, zone_id):
    return scene.provider, "DisableVpcEndpointZoneConnection", {**scene.link, "ZoneId": zone_id}


def connect_zone(scene, zone_id):
    return scene.provider, "EnableVpcEndpointZoneConnection", {**scene.link, "ZoneId": zone_id}


def test_two_calls_of_one_account_scope(slow):
    answers = together(allow(slow, slow.service, land.STRANGER), allow(slow, slow.other, land.STRANGER))
    assert sorted(map(str, answers)) == [REFUSED, "None"]
    answers = together(describe(slow, slow.service, "a"), describe(slow, slow.other, "b"))
    assert sorted(map(str, answers)) == [REFUSED, "None"]


def test_the_refused_call_left_no_trace(slow):
    slow.settle()
    words = {service: None for service in (slow.service, slow.other)}
    answers = together(*(describe(slow, service, "just now") for service in words))
    slow.settle()
    for service in words:
        words[service] = slow.provider("GetVpcEndpointServiceAttribute", ServiceId=service).get(
            "ServiceDescription"
        )
    assert [words[service] == "just now" for service in words] == [answer is None for answer in answers]


def test_two_calls_on_one_service(slow):
    slow.settle()
    answers = together(switch(slow, CLB_F2, True), switch(slow, CLB_G2, True))
    assert sorted(map(str, answers)) == [REFUSED, "None"]


def test_one_call_on_each_of_two_services(slow):
    answers = together(forbid(slow, slow.service, land.STRANGER), forbid(slow, slow.other, land.STRANGER))
    assert answers == [None, None]


def test_two_calls_on_one_endpoint(slow):
    slow.settle()
    answers = together(cut_zone(slow, ZONE_F), cut_zone(slow, ZONE_G))
    assert sorted(map(str, answers)) == [REFUSED, "None"]
    slow.settle()
    cut = ZONE_F if answers[0] is None else ZONE_G
    assert slow.leg(cut)["ZoneStatus"] == "Disconnected"
    assert slow.leg(ZONE_G if cut == ZONE_F else ZONE_F)["ZoneStatus"] == "Connected"
    assert together(connect_zone(slow, cut)) == [None]
    slow.settle()


def test_two_actions_of_one_account(slow):
    slow.settle()
    assert together(describe(slow, slow.service, "c"), allow(slow, slow.other, land.STRANGER)) == [None, None]


def test_two_accounts(slow):
    slow.settle()
    assert together(describe(slow, slow.service, "d"), rename(slow, "renamed")) == [None, None]


def test_two_regions_of_one_account(slow):
    slow.settle()
    far = describe(slow, slow.far, "e", land.FAR_REGION)
    assert together(describe(slow, slow.service, "e"), far) == [None, None]


def test_reads_exclude_nothing(slow):
    read = (slow.provider, "ListVpcEndpointServices", {})
    assert together(read, read, describe(slow, slow.service, "f")) == [None, None, None]


def test_creations_exclude_nothing(slow):
    make = (slow.provider, "CreateVpcEndpointService", {})
    assert together(make, make) == [None, None]


def test_one_token_twice_at_once_makes_one_object(slow):
    make = (slow.provider, "CreateVpcEndpointService", {"ClientToken": "at once"})
    answers = together(make, make)
    assert sorted(map(str, answers)) == ["IdempotenceProcessing", "None"]


def test_a_scope_that_covers_all_its_actions(start):
    scene = served(start(variants={"scopeCoversAllActions": "true"}, latency=SLOW))
    calls = describe(scene, scene.service, "g"), allow(scene, scene.service, land.STRANGER)
    assert sorted(map(str, together(*calls))) == [REFUSED, "None"]


def test_an_account_scope_that_covers_all_regions(start):
    scene = start(variants={"accountScopeIsRegional": "false"}, latency=SLOW)
    near = scene.provider("CreateVpcEndpointService")["ServiceId"]
    far = scene.by("provider", land.FAR_REGION)("CreateVpcEndpointService")["ServiceId"]
    scene.settle()
    calls = describe(scene, near, "h"), describe(scene, far, "h", land.FAR_REGION)
    assert sorted(map(str, together(*calls))) == [REFUSED, "None"]
