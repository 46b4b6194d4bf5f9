"""Dry runs change nothing, and a repeated client token makes nothing twice."""

import pytest

import land
from land import CLB_F1, CLB_F2, ZONE_F
from refusal_row import fill
from scene import clb, connected, empty, refusal, served, waiting

CREATE = "CreateVpcEndpointService"


def test_the_same_token_and_form_make_one_object(scene):
    form = {"ServiceDescription": "once", "Resource": [clb(CLB_F1)], "ClientToken": "the-same"}
    first = scene.provider(CREATE, **form)
    again = scene.provider(CREATE, **form)
    scene.settle()
    late = scene.provider(CREATE, **form)
    assert first["ServiceId"] == again["ServiceId"] == late["ServiceId"]
    assert len({answer["RequestId"] for answer in (first, again, late)}) == 3
    assert len(scene.provider("ListVpcEndpointServices")["Services"]) == 1


def test_a_token_is_its_accounts_own(scene):
    mine = scene.provider(CREATE, ClientToken="shared-by-chance")["ServiceId"]
    theirs = scene.by("stranger")(CREATE, ClientToken="shared-by-chance")["ServiceId"]
    assert mine != theirs


def test_another_token_makes_another_object(scene):
    ids = {scene.provider(CREATE, ClientToken=token)["ServiceId"] for token in ("one", "two")}
    assert len(ids) == 2


def test_a_token_cannot_be_used_for_another_form(scene):
    scene.provider(CREATE, ServiceDescription="one", ClientToken="used")
    before = scene.simulator.world()
    for form in ({"ServiceDescription": "another"}, {"ServiceDescription": "one", "Resource": [clb(CLB_F1)]}):
        refused = refusal(scene.provider, CREATE, **form, ClientToken="used")
        assert (refused.code, refused.status_code) == ("IdempotenceSignatureMismatch", 400)
    assert scene.simulator.world() == before


def test_a_token_cannot_be_used_for_another_action(scene):
    served(scene)
    form = {"ServiceId": scene.service, "UserId": land.STRANGER, "ClientToken": "used"}
    scene.provider("AddUserToVpcEndpointService", **form)
    refused = refusal(scene.provider, "RemoveUserFromVpcEndpointService", **form)
    assert refused.code == "IdempotenceSignatureMismatch"


def test_a_repeated_write_is_answered_from_memory(scene):
    connected(scene)
    accept, cut = "EnableVpcEndpointConnection", "DisableVpcEndpointConnection"
    scene.provider(cut, **scene.link, ClientToken="cut")
    scene.settle()
    scene.provider(accept, **scene.link)
    scene.settle()
    scene.provider(cut, **scene.link, ClientToken="cut")
    scene.settle()
    assert scene.connection()["ConnectionStatus"] == "Connected"


def test_a_refused_call_does_not_use_its_token_up(scene):
    form = {"Resource": [clb("lb-none")], "ClientToken": "later"}
    assert refusal(scene.provider, CREATE, **form).code == "LoadBalancerNotFound"
    assert scene.provider(CREATE, Resource=[clb(CLB_F1)], ClientToken="later")["ServiceId"]


#: Situation, key, action and form of writes that would succeed.
WRITES = [
    (empty, "provider", CREATE, {"Resource": [clb(CLB_F1)]}),
    (
        served,
        "provider",
        "UpdateVpcEndpointServiceAttribute",
        {"ServiceId": "{service}", "ServiceDescription": "no"},
    ),
    (served, "provider", "AddUserToVpcEndpointService", {"ServiceId": "{service}", "UserId": land.STRANGER}),
    (
        served,
        "provider",
        "RemoveUserFromVpcEndpointService",
        {"ServiceId": "{service}", "UserId": land.CONSUMER},
    ),
    (served, "provider", "DetachResourceFromVpcEndpointService", {"ServiceId": "{service}", **clb(CLB_F1)}),
    (
        served,
        "provider",
        "UpdateVpcEndpointServiceResourceAttribute",
        {"ServiceId": "{service}", "ResourceId": CLB_F1, "AutoAllocatedEnabled": False},
    ),
    (served, "consumer", "CreateVpcEndpoint", {"ServiceId": "{service}", "VpcId": land.VPC}),
    (waiting, "consumer", "UpdateVpcEndpointAttribute", {"EndpointId": "{endpoint}", "EndpointName": "new"}),
    (waiting, "consumer", "RemoveZoneFromVpcEndpoint", {"EndpointId": "{endpoint}", "ZoneId": ZONE_F}),
    (
        waiting,
        "consumer",
        "AttachSecurityGroupToVpcEndpoint",
        {"EndpointId": "{endpoint}", "SecurityGroupId": land.GROUP_2},
    ),
    (
        waiting,
        "provider",
        "EnableVpcEndpointConnection",
        {"ServiceId": "{service}", "EndpointId": "{endpoint}"},
    ),
    (
        connected,
        "provider",
        "DisableVpcEndpointConnection",
        {"ServiceId": "{service}", "EndpointId": "{endpoint}"},
    ),
    (
        connected,
        "provider",
        "DisableVpcEndpointZoneConnection",
        {"ServiceId": "{service}", "EndpointId": "{endpoint}", "ZoneId": ZONE_F},
    ),
    (
        connected,
        "provider",
        "UpdateVpcEndpointZoneConnectionResourceAttribute",
        {
            "ServiceId": "{service}",
            "EndpointId": "{endpoint}",
            "ZoneId": ZONE_F,
            "ResourceReplaceMode": "Graceful",
            **clb(CLB_F2),
        },
    ),
]


@pytest.mark.parametrize(("situation", "who", "action", "form"), WRITES, ids=[write[2] for write in WRITES])
def test_a_dry_run_says_that_it_would_succeed_and_changes_nothing(scene, situation, who, action, form):
    situation(scene)
    form = fill(form, {"service": scene.service, "endpoint": scene.endpoint})
    before = scene.simulator.world()
    dry = refusal(scene.by(who), action, **form, DryRun=True)
    assert (dry.code, dry.status_code) == ("DryRunOperation", 400)
    assert scene.simulator.world() == before
    scene.by(who)(action, **form, DryRun=False)
    assert scene.simulator.world() != before


def test_a_dry_run_says_what_would_be_refused(scene):
    connected(scene)
    form = {"ServiceId": scene.service, **clb(CLB_F1), "DryRun": True}
    refused = refusal(scene.provider, "DetachResourceFromVpcEndpointService", **form)
    assert refused.code == "EndpointServiceConnectionDependence"


@pytest.mark.parametrize(
    ("kept", "then"), [("spent", "IdempotenceSignatureMismatch"), ("shared", "DryRunOperation"), ("apart", None)]
)
def test_a_dry_run_spends_its_token_shares_it_or_leaves_it_alone(start, kept, then):
    scene = start(variants={"dryRunToken": kept})
    form = {"ServiceDescription": "tried", "ClientToken": "tried"}
    dry = refusal(scene.provider, CREATE, **form, DryRun=True)
    assert dry.code == "DryRunOperation"
    if then:
        assert refusal(scene.provider, CREATE, **form).code == then
        form["ClientToken"] = "for-real"
    assert scene.provider(CREATE, **form)["ServiceId"]
