"""What the vendor's gateway refuses before an action sees the call: keys, signatures, dates, parameters."""

import datetime
import json
import urllib.error
import urllib.request

import pytest

import land
from cloud import AlibabaCloudException, Cloud
from scene import refusal, served

LIST = "ListVpcEndpointServices"
HERE = {"RegionId": land.REGION}


def refused_raw(cloud, action, **how):
    """The exception for a call that no model would let pass."""
    with pytest.raises(AlibabaCloudException) as caught:
        cloud.raw(action, **how)
    return caught.value


def with_key(scene, **parts):
    """The cloud with the provider's key, parts of it replaced."""
    key = land.KEYS["provider"]
    parts = {"id": key.id, "secret": key.secret, "token": key.token, **parts}
    return Cloud(scene.simulator.address, land.Key(**parts), land.REGION)


@pytest.mark.parametrize(
    ("parts", "code", "status"),
    [
        ({"id": "LTAI-nobody"}, "InvalidAccessKeyId.NotFound", 404),
        ({"secret": "another"}, "SignatureDoesNotMatch", 400),
        ({"token": "not-a-session"}, "InvalidSecurityToken.MismatchWithAccessKey", 400),
    ],
)
def test_a_wrong_key(scene, parts, code, status):
    refused = refusal(with_key(scene, **parts), LIST)
    assert (refused.code, refused.status_code) == (code, status)


@pytest.mark.parametrize(
    ("who", "token", "code"),
    [
        ("provider session", "another-token", "InvalidSecurityToken.MismatchWithAccessKey"),
        ("provider session", None, "MissingSecurityToken"),
        ("provider's old session", "old-session-token", "InvalidSecurityToken.Expired"),
    ],
)
def test_a_wrong_session_token(scene, who, token, code):
    key = land.KEYS[who]
    cloud = Cloud(scene.simulator.address, land.Key(key.id, key.secret, token), land.REGION)
    assert refusal(cloud, LIST).code == code


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_date_far_from_now(scene, minutes):
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    headers = {"x-acs-date": when.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert refused_raw(scene.provider, LIST, query=HERE, headers=headers).code == "InvalidTimeStamp.Expired"


def test_the_virtual_clock_does_not_make_honest_dates_old(scene):
    scene.simulator.advance(86_400)
    assert scene.provider(LIST)["Services"] == []


def test_a_nonce_serves_once(scene):
    headers = {"x-acs-signature-nonce": "0123456789abcdef0123456789abcdef"}
    assert scene.provider.raw(LIST, query=HERE, headers=headers)["Services"] == []
    assert refused_raw(scene.provider, LIST, query=HERE, headers=headers).code == "SignatureNonceUsed"


def test_a_key_without_the_right_to_an_action(scene):
    assert scene.by("reader")(LIST)["Services"] == []
    before = scene.simulator.world()
    refused = refusal(scene.by("reader"), "CreateVpcEndpointService")
    assert (refused.code, refused.status_code) == ("NoPermission", 400)
    assert scene.simulator.world() == before


def test_a_key_without_the_right_as_the_gateway_may_say_it(start):
    refused = refusal(
        start(variants={"permissionCode": "Forbidden.RAM"}).by("reader"), "CreateVpcEndpointService"
    )
    assert (refused.code, refused.status_code) == ("Forbidden.RAM", 403)


@pytest.mark.parametrize("shape", ["json", "lowerCase", "xml"])
def test_a_refusal_is_understood_however_it_is_written(start, shape):
    scene = start(variants={"errorShape": shape})
    refused = refusal(scene.provider, "GetVpcEndpointServiceAttribute", ServiceId="epsrv-nowhere")
    assert (refused.code, refused.status_code) == ("EndpointServiceNotFound", 400)


@pytest.mark.parametrize(
    ("action", "version", "code", "status"),
    [
        ("ListVpcEndpointGhosts", "2020-04-15", "InvalidAction.NotFound", 404),
        (LIST, "1999-01-01", "InvalidVersion", 400),
        (LIST, "2015-04-01", "InvalidAction.NotFound", 404),
    ],
)
def test_no_such_action(scene, action, version, code, status):
    refused = refused_raw(scene.provider, action, query=HERE, version=version)
    assert (refused.code, refused.status_code) == (code, status)


def test_a_method_that_no_client_uses(scene):
    refused = refused_raw(scene.provider, LIST, query=HERE, method="PUT")
    assert (refused.code, refused.status_code) == ("UnsupportedHTTPMethod", 405)


def test_a_call_that_nobody_signed(scene):
    address = f"http://{scene.simulator.address}/?Action={LIST}&Version=2020-04-15&RegionId={land.REGION}"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=10)
    assert caught.value.code == 400
    assert json.load(caught.value)["Code"] == "IncompleteSignature"


def test_a_read_with_get_and_one_with_its_parameters_in_the_form(scene):
    served(scene)
    form = {**HERE, "ServiceId": scene.service}
    for how in ({"query": form, "method": "GET"}, {"form": form}, {"query": form}):
        assert scene.provider.raw("GetVpcEndpointServiceAttribute", **how)["ServiceId"] == scene.service


@pytest.mark.parametrize(
    ("action", "query", "code"),
    [
        (LIST, {}, "MissingRegionId"),
        (LIST, {"RegionId": ""}, "MissingRegionId"),
        (LIST, {"RegionId": "cn-atlantis"}, "RegionNotFound"),
        (LIST, {**HERE, "Colour": "red"}, "InvalidParameter.Colour"),
        (LIST, {**HERE, "serviceid": "epsrv-x"}, "InvalidParameter.serviceid"),
        (LIST, {**HERE, "Tag.1.Colour": "red"}, "InvalidParameter.Colour"),
        (LIST, {**HERE, "MaxResults": "many"}, "InvalidParameter.MaxResults"),
        (LIST, {**HERE, "AutoAcceptEnabled": "perhaps"}, "InvalidParameter.AutoAcceptEnabled"),
        (LIST, {**HERE, "ServiceStatus": "Sleeping"}, "InvalidParameter.ServiceStatus"),
        ("GetVpcEndpointServiceAttribute", HERE, "MissingServiceId"),
        (
            "AddUserToVpcEndpointService",
            {**HERE, "ServiceId": "epsrv-x", "UserId": "me"},
            "InvalidParameter.UserId",
        ),
        (
            "CreateVpcEndpointService",
            {**HERE, "AutoAcceptEnabled": "1"},
            "IllegalParamFormat.AutoAcceptEnabled",
        ),
        ("CreateVpcEndpointService", {**HERE, "Resource.1.ResourceType": "slb"}, "MissingParam.ResourceId"),
        ("CreateVpcEndpoint", {**HERE, "ServiceId": "epsrv-x"}, "MissingVpcId"),
    ],
)
def test_parameters_that_the_description_does_not_allow(scene, action, query, code):
    refused = refused_raw(scene.provider, action, query=query)
    assert (refused.code, refused.status_code) == (code, 400)
    assert refused.data["HostId"]


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "false", "False"])
def test_booleans_in_any_case(scene, text):
    made = scene.provider.raw("CreateVpcEndpointService", query={**HERE, "AutoAcceptEnabled": text})
    assert made["AutoAcceptEnabled"] is (text.lower() == "true")
