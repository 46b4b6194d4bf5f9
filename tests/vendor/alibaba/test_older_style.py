"""The vendor's older client, which signs as its Terraform provider does: RPC 1.0 with HMAC-SHA1."""

import json

import pytest
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

import land
from cloud import VERSION


class OlderCloud:
    """One key of one account; parameters go in the query or in the form, the region always in the query."""

    def __init__(self, scene, key, place="query"):
        self._address = scene.simulator.address
        self._place = place
        if key.token:
            credential = StsTokenCredential(key.id, key.secret, key.token)
            self._client = AcsClient(region_id=land.REGION, credential=credential, auto_retry=False)
        else:
            self._client = AcsClient(key.id, key.secret, land.REGION, auto_retry=False)

    def __call__(self, action, method="POST", **form):
        request = CommonRequest(domain=self._address, version=VERSION, action_name=action)
        request.set_protocol_type("http")
        request.set_method(method)
        request.set_accept_format("JSON")
        add = request.add_query_param if self._place == "query" else request.add_body_params
        for name, value in form.items():
            add(name, value)
        return json.loads(self._client.do_action_with_exception(request))


@pytest.mark.parametrize("place", ["query", "form"])
def test_create_list_and_delete(scene, place):
    cloud = OlderCloud(scene, land.KEYS["provider"], place)
    made = cloud(
        "CreateVpcEndpointService",
        ServiceDescription="older style: 100 % & ~more* ü",
        AutoAcceptEnabled="true",
        **{"Resource.1.ResourceId": land.CLB_F1, "Resource.1.ResourceType": "slb"},
        ClientToken="TF-CreateVpcEndpointService-1",
    )
    scene.settle()
    (service,) = cloud("ListVpcEndpointServices")["Services"]
    assert service["ServiceId"] == made["ServiceId"]
    assert service["ServiceDescription"] == "older style: 100 % & ~more* ü"
    assert service["AutoAcceptEnabled"] is True
    by = {"ServiceId": made["ServiceId"]}
    cloud("DetachResourceFromVpcEndpointService", **by, ResourceId=land.CLB_F1, ResourceType="slb")
    scene.settle()
    cloud("DeleteVpcEndpointService", **by)
    scene.settle()
    assert cloud("ListVpcEndpointServices")["Services"] == []


def test_a_read_with_get(scene):
    cloud = OlderCloud(scene, land.KEYS["provider"])
    made = cloud("CreateVpcEndpointService")
    read = cloud("GetVpcEndpointServiceAttribute", method="GET", ServiceId=made["ServiceId"])
    assert read["ServiceId"] == made["ServiceId"]


def test_both_styles_see_one_world(scene):
    made = OlderCloud(scene, land.KEYS["provider"])("CreateVpcEndpointService")
    scene.settle()
    seen = scene.provider("GetVpcEndpointServiceAttribute", ServiceId=made["ServiceId"])
    assert seen["ServiceId"] == made["ServiceId"]


def test_with_a_session_token(scene):
    cloud = OlderCloud(scene, land.KEYS["provider session"])
    assert cloud("CheckProductOpen")["Success"] is True


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (land.Key(land.KEYS["provider"].id, "another-secret"), "SignatureDoesNotMatch"),
        (land.Key("LTAI-nobody", "secret"), "InvalidAccessKeyId.NotFound"),
        (
            land.Key(land.KEYS["provider session"].id, land.KEYS["provider session"].secret, "stale"),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
    ],
)
def test_a_wrong_key_is_refused(scene, key, code):
    with pytest.raises(ServerException) as refused:
        OlderCloud(scene, key)("ListVpcEndpointServices")
    assert refused.value.get_error_code() == code


def test_a_refusal_has_the_same_code_in_both_styles(scene):
    with pytest.raises(ServerException) as refused:
        OlderCloud(scene, land.KEYS["provider"])("GetVpcEndpointServiceAttribute", ServiceId="epsrv-none")
    assert refused.value.get_error_code() == "EndpointServiceNotFound"
    assert refused.value.get_http_status() == 400
    assert refused.value.get_request_id()
