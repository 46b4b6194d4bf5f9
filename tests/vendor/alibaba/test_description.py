"""The simulator's copy of the API description and the vendor's SDK know the same actions and names."""

import json
import pathlib
import typing

import pytest

from alibabacloud_sts20150401 import models as sts_models

from cloud import ACTIONS, attribute_kinds, models, wire_names

DATA = pathlib.Path(__file__).parents[3] / "crates/sim/data"
DESCRIBED = json.loads((DATA / "alibaba-privatelink.json").read_text())["actions"]
OF_STS = json.loads((DATA / "alibaba-sts.json").read_text())["actions"]

KINDS = {"string": str, "integer": int, "boolean": bool, "array": typing.List[str]}


def test_the_actions_are_the_sdks():
    assert sorted(DESCRIBED) == ACTIONS
    assert len(ACTIONS) == 39


@pytest.mark.parametrize("action", ACTIONS)
def test_the_names_and_types_are_the_sdks(action):
    described = DESCRIBED[action]
    request = getattr(models, action + "Request", None)
    if request is None:
        assert described["request"] == []
    else:
        compare(described["request"], request, action)
    compare(described["response"], getattr(models, action + "ResponseBody"), action)


@pytest.mark.parametrize("action", sorted(OF_STS))
def test_the_names_and_types_of_the_token_service_are_the_sdks(action):
    request = getattr(sts_models, action + "Request", None)
    if request is None:
        assert OF_STS[action]["request"] == []
    else:
        compare(OF_STS[action]["request"], request, action)
    compare(OF_STS[action]["response"], getattr(sts_models, action + "ResponseBody"), action)


def compare(fields, model, path):
    names, kinds = wire_names(model), attribute_kinds(model)
    assert {field["name"] for field in fields} == set(names), path
    for field in fields:
        kind = kinds[names[field["name"]]]
        if inner := field.get("fields"):
            (element,) = typing.get_args(kind) or (kind,)
            compare(inner, element, f"{path}.{field['name']}")
        else:
            assert KINDS[field["type"]] == kind, f"{path}.{field['name']}"


@pytest.mark.looks_back
def test_every_action_was_carried_out_by_some_test(called):
    assert sorted(set(ACTIONS) - called) == []
