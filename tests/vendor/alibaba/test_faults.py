"""What goes wrong on the way, as the vendor's SDK sees it: it retries nothing by itself."""

import pytest
from alibabacloud_tea_openapi.exceptions import ServerException, ThrottlingException

from land import CLB_F1
from scene import clb, refusal, served

CREATE = "CreateVpcEndpointService"
LIST = "ListVpcEndpointServices"
FORM = {"Resource": [clb(CLB_F1)], "ClientToken": "once"}


def unanswered(cloud, action, **form):
    """The SDK finds no answer, and says so with something that is not the cloud's refusal."""
    with pytest.raises(Exception) as caught:
        cloud(action, **form)
    assert getattr(caught.value, "status_code", None) is None, caught.value


def test_a_lost_answer_is_repeated_without_a_second_object(scene):
    scene.simulator.fault(action=CREATE, do="loseAnswer")
    unanswered(scene.provider, CREATE, **FORM)
    (made,) = scene.provider(LIST)["Services"]
    scene.settle()
    assert scene.provider(CREATE, **FORM)["ServiceId"] == made["ServiceId"]
    assert len(scene.provider(LIST)["Services"]) == 1


def test_a_lost_answer_without_a_token_makes_a_second_object(scene):
    scene.simulator.fault(action=CREATE, do="loseAnswer")
    unanswered(scene.provider, CREATE)
    scene.provider(CREATE)
    assert len(scene.provider(LIST)["Services"]) == 2


def test_a_lost_request_changes_nothing(scene):
    scene.simulator.fault(action=CREATE, do="loseRequest")
    unanswered(scene.provider, CREATE, **FORM)
    assert scene.provider(LIST)["Services"] == []


def test_throttling_says_when_to_come_again(scene):
    scene.simulator.fault(action=LIST, do="throttle")
    refused = refusal(scene.provider, LIST)
    assert isinstance(refused, ThrottlingException)
    assert (refused.code, refused.status_code) == ("Throttling.User", 400)
    assert refused.retry_after > 0
    assert scene.provider(LIST)["Services"] == []


@pytest.mark.parametrize("code", ["Throttling", "Throttling.Api", "Rejected.Throttling"])
def test_throttling_has_the_code_that_the_world_chose(start, code):
    scene = start(variants={"throttlingCode": code}, faults="throttle=1")
    assert refusal(scene.provider, LIST).code == code


def test_a_cloud_that_is_down_for_a_moment(scene):
    scene.simulator.fault(nth=2, do={"refuse": {"code": "ServiceUnavailable", "status": 503}})
    assert scene.provider(LIST)["Services"] == []
    refused = refusal(scene.provider, LIST)
    assert isinstance(refused, ServerException)
    assert (refused.code, refused.status_code) == ("ServiceUnavailable", 503)
    assert scene.provider(LIST)["Services"] == []


def test_a_busy_cloud_refuses_as_often_as_it_was_told(scene):
    served(scene)
    before = scene.simulator.world()
    scene.simulator.fault(
        action="UpdateVpcEndpointServiceAttribute", times=2, do={"refuse": {"code": "SystemBusy"}}
    )
    form = {"ServiceId": scene.service, "ServiceDescription": "at last"}
    for _ in range(2):
        assert refusal(scene.provider, "UpdateVpcEndpointServiceAttribute", **form).code == "SystemBusy"
    assert scene.simulator.world() == before
    scene.provider("UpdateVpcEndpointServiceAttribute", **form)


def test_a_stale_read_shows_what_was(scene):
    served(scene)
    scene.provider("UpdateVpcEndpointServiceAttribute", ServiceId=scene.service, ServiceDescription="new")
    by = {"ServiceId": scene.service}
    assert scene.provider("GetVpcEndpointServiceAttribute", **by)["ServiceDescription"] == "new"
    scene.simulator.fault(action="GetVpcEndpointServiceAttribute", times=20, do="stale")
    seen = set()
    for _ in range(20):
        try:
            seen.add(scene.provider("GetVpcEndpointServiceAttribute", **by)["ServiceDescription"])
        except Exception as refused:
            seen.add(refused.code)
    assert seen <= {"", "new", "EndpointServiceNotFound"} and seen != {"new"}
    assert scene.provider("GetVpcEndpointServiceAttribute", **by)["ServiceDescription"] == "new"
