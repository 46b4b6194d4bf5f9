"""The vendor's own library of credentials: sessions by key, by OIDC token and from the metadata service of machines."""

import base64
import json
import time
import urllib.parse

import pytest
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.provider import (
    EcsRamRoleCredentialsProvider,
    OIDCRoleArnCredentialsProvider,
    RamRoleArnCredentialsProvider,
)
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.utils_models import Config
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from Tea.core import TeaCore

import land
from cloud import AlibabaCloudException, Cloud, mismatches

SIGNING_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOKEN_PATH, ROLE_PATH = "CreateMetadataToken", "GetInstanceRole"
CREDENTIALS_PATH = "GetInstanceCredentials"


def encoded(raw):
    """The base64 of tokens."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value):
    """A number, as public keys are published."""
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwks():
    """What the identity provider publishes."""
    public = SIGNING_KEY.public_key().public_numbers()
    return {"keys": [{"kty": "RSA", "use": "sig", "kid": "one", "n": number(public.n), "e": number(public.e)}]}


def token(**changes):
    """A token of an hour."""
    now = int(time.time())
    claims = {"iss": land.ISSUER, "sub": land.SUBJECT, "aud": ["sts.aliyuncs.com"], "iat": now, "nbf": now}
    claims = {**claims, "exp": now + 3600, **changes}
    parts = [encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, claims)]
    message = ".".join(parts)
    signature = SIGNING_KEY.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{message}.{encoded(signature)}"


@pytest.fixture
def redirected(monkeypatch, scene):
    """The library speaks to the vendor's hosts by name; its connections lead to the simulated cloud all the same."""
    scene.simulator.set_provider(land.PROVIDER, "cluster", keys=jwks())
    send_to(monkeypatch, scene)
    return scene


def send_to(monkeypatch, scene):
    """Leads the library's connections to the scene's cloud."""
    compose = TeaCore.compose_url

    def to_simulator(request):
        parts = urllib.parse.urlsplit(compose(request))
        return urllib.parse.urlunsplit(parts._replace(scheme="http", netloc=scene.simulator.address))

    monkeypatch.setattr(TeaCore, "compose_url", staticmethod(to_simulator))


def by_key(**parts):
    """The library's provider of sessions by key."""
    key = land.KEYS["user"]
    whole = {"access_key_id": key.id, "access_key_secret": key.secret, "role_arn": land.ROLE, **parts}
    return RamRoleArnCredentialsProvider(role_session_name="vendor", sts_region_id="cn-hangzhou", **whole)


def by_token(path, written, **parts):
    """The library's provider of sessions by OIDC token."""
    file = path / "token"
    file.write_text(written)
    whole = {"role_arn": land.ROLE, "oidc_provider_arn": land.OIDC_PROVIDER, **parts}
    return OIDCRoleArnCredentialsProvider(oidc_token_file_path=str(file), role_session_name="vendor", **whole)


def of_machine(**parts):
    """The library's provider of sessions of a machine."""
    return EcsRamRoleCredentialsProvider(async_update_enabled=False, **parts)


def cloud_of(scene, credentials):
    """The cloud as the owner of `credentials` sees it."""
    key = land.Key(
        credentials.get_access_key_id(), credentials.get_access_key_secret(), credentials.get_security_token()
    )
    return Cloud(scene.simulator.address, key, land.REGION)


def works(scene, credentials):
    """Whether PrivateLink takes the credentials, by a call that their journal names."""
    assert cloud_of(scene, credentials)("CheckProductOpen")["Success"] is True
    last = scene.simulator.journal()["calls"][-1]
    return last["key"] == credentials.get_access_key_id() and last["account"]


def last_call(scene):
    """The last call of the token service, as the journal has it."""
    calls = [call for call in scene.simulator.journal()["calls"] if call["action"].startswith("AssumeRole")]
    return calls[-1]


def test_a_session_by_key(redirected):
    credentials = by_key().get_credentials()
    assert works(redirected, credentials) == land.PROVIDER
    call = last_call(redirected)
    assert (call["method"], call["proof"], call["key"]) == ("GET", "query", land.KEYS["user"].id)


def test_a_session_by_session_in_another_account(redirected):
    chained = by_key(
        access_key_id=None,
        access_key_secret=None,
        credentials_provider=by_key(),
        role_arn=land.CROSS_ROLE,
        external_id=land.EXTERNAL_ID,
    )
    assert works(redirected, chained.get_credentials()) == land.CONSUMER


def test_a_session_by_token(redirected, tmp_path):
    credentials = by_token(tmp_path, token()).get_credentials()
    assert works(redirected, credentials) == land.PROVIDER
    call = last_call(redirected)
    assert (call["method"], call["proof"], call["key"]) == ("GET", "query", None)


@pytest.mark.parametrize("hardened", [False, True])
@pytest.mark.parametrize("role", [None, "node"])
def test_a_session_of_a_machine(monkeypatch, start, role, hardened):
    world = land.world()
    world["instance"]["imdsv1"] = not hardened
    scene = start(world)
    send_to(monkeypatch, scene)
    credentials = of_machine(role_name=role, disable_imds_v1=hardened).get_credentials()
    assert works(scene, credentials) == land.PROVIDER
    calls = [call["action"] for call in scene.simulator.journal()["calls"][:-1]]
    named = [] if role else [TOKEN_PATH, ROLE_PATH]
    assert calls == [*named, TOKEN_PATH, CREDENTIALS_PATH]


def test_a_machine_without_a_role(monkeypatch, start):
    world = land.world()
    del world["instance"]["role"]
    scene = start(world)
    send_to(monkeypatch, scene)
    with pytest.raises(CredentialException, match="HttpCode=404"):
        of_machine().get_credentials()


def test_a_short_session_is_renewed(monkeypatch, start):
    scene = start({**land.world(), "durations": {"session": "10m"}})
    send_to(monkeypatch, scene)
    provider = by_key()
    first, second = provider.get_credentials(), provider.get_credentials()
    assert first.get_access_key_id() != second.get_access_key_id()
    assert works(scene, first) and works(scene, second)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"role_arn": f"acs:ram::{land.PROVIDER}:role/nobody"}, "EntityNotExist.Role"),
        ({"role_arn": land.CROSS_ROLE}, "NoPermission"),
        ({"role_arn": land.CROSS_ROLE, "external_id": "another"}, "NoPermission"),
        ({"role_arn": "nobody"}, "InvalidParameter.RoleArn"),
        ({"duration_seconds": 43200}, "InvalidParameter.DurationSeconds"),
        ({"access_key_secret": "another"}, "SignatureDoesNotMatch"),
    ],
)
def test_no_session_by_key(redirected, parts, code):
    with pytest.raises(CredentialException, match=f'"Code":"{code}"'):
        by_key(**parts).get_credentials()


@pytest.mark.parametrize(
    ("claims", "parts", "code"),
    [
        ({"exp": 1}, {}, "AuthenticationFail.OIDCToken.Expired"),
        ({"aud": ["api"]}, {}, "AuthenticationFail.OIDCToken.AudienceNotMatch"),
        ({"iss": "https://elsewhere"}, {}, "AuthenticationFail.OIDCToken.IssuerNotMatch"),
        ({"sub": "system:serviceaccount:a:b"}, {}, "AuthenticationFail.NoPermission"),
        ({}, {"oidc_provider_arn": land.OIDC_PROVIDER + "s"}, "AuthenticationFail.NoPermission"),
        ({}, {"role_arn": land.ROLE + "s"}, "EntityNotExist.Role"),
    ],
)
def test_no_session_by_token(redirected, tmp_path, claims, parts, code):
    with pytest.raises(CredentialException, match=f'"Code":"{code}"'):
        by_token(tmp_path, token(**claims), **parts).get_credentials()


def sts(scene, key):
    """The SDK of the token service."""
    config = Config(access_key_id=key.id, access_key_secret=key.secret, protocol="http")
    config.endpoint = scene.simulator.address
    return StsClient(config)


def test_the_sdk_of_the_token_service_gets_sessions_too(redirected):
    client = sts(redirected, land.KEYS["user"])
    wanted = {"role_arn": land.ROLE, "role_session_name": "vendor", "duration_seconds": 900}
    signed = client.assume_role(sts_models.AssumeRoleRequest(policy='{"Version":"1"}', **wanted)).body
    request = sts_models.AssumeRoleWithOIDCRequest(oidcprovider_arn=land.OIDC_PROVIDER, oidctoken=token(), **wanted)
    unsigned = client.assume_role_with_oidc(request).body
    assert last_call(redirected)["method"] == "POST"
    for answer, model in [
        (signed, sts_models.AssumeRoleResponseBody),
        (unsigned, sts_models.AssumeRoleWithOIDCResponseBody),
    ]:
        assert list(mismatches(model, answer.to_map(), "answer")) == []
        made = answer.credentials
        session = land.Key(made.access_key_id, made.access_key_secret, made.security_token)
        assert Cloud(redirected.simulator.address, session, land.REGION)("CheckProductOpen")["Success"] is True
        assert answer.assumed_role_user.arn == f"{land.ROLE}/vendor"


def test_the_sdk_of_the_token_service_names_a_refusal(redirected):
    request = sts_models.AssumeRoleRequest(role_arn=land.ROLE, role_session_name="vendor")
    with pytest.raises(AlibabaCloudException) as refused:
        sts(redirected, land.KEYS["reader"]).assume_role(request)
    assert (refused.value.code, refused.value.status_code) == ("NoPermission", 403)


def test_nothing_that_proves_a_caller_is_in_the_journal(redirected, tmp_path):
    written = token()
    made = [by_key().get_credentials(), by_token(tmp_path, written).get_credentials(), of_machine().get_credentials()]
    shown = json.dumps(redirected.simulator.journal())
    for credentials in made:
        assert credentials.get_access_key_secret() not in shown
        assert credentials.get_security_token() not in shown
    assert written not in shown and land.KEYS["user"].secret not in shown
