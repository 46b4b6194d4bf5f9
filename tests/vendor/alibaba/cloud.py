"""The vendor's own SDK, called by the names of the wire, and strict about what comes back.

`cloud("CreateVpcEndpoint", VpcId="vpc-tenant", ...)` fills the SDK's request model, calls the SDK's method
and gives the answer as a dictionary in the names of the wire. Each answer on the way is held against the
SDK's response model: a field that the model lacks, or one of another type, fails the test.
"""

import functools
import inspect
import re
import sys
import typing

from alibabacloud_privatelink20200415 import models
from alibabacloud_privatelink20200415.client import Client
from alibabacloud_tea_openapi import utils_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from darabonba.model import DaraModel
from darabonba.runtime import ExtendsParameters, RuntimeOptions

VERSION = "2020-04-15"

#: Every action that the SDK knows, by the name of its method.
ACTIONS = sorted(
    "".join(part.capitalize() for part in name.removesuffix("_with_options").split("_"))
    for name in vars(Client)
    if name.endswith("_with_options")
)


class Cloud:
    """One key of one account, in one region."""

    def __init__(self, address, key, region, host_region=None):
        self.region = region
        self._client = StrictClient(
            utils_models.Config(
                access_key_id=key.id,
                access_key_secret=key.secret,
                security_token=key.token,
                endpoint=address,
                protocol="http",
                region_id=host_region or region,
            )
        )

    def __call__(self, action, headers=None, **form):
        """Calls `action` and gives its answer; raises the SDK's exception when it is refused."""
        runtime = options(headers)
        method = getattr(self._client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower() + "_with_options")
        model = getattr(models, action + "Request", None)
        if model is None:
            assert not form, f"{action} takes no parameter"
            return method(runtime).body.to_map()
        if "region_id" in wire_names(model).values():
            form = {"RegionId": self.region, **form}
        wrong = list(mismatches(model, form, action))
        assert not wrong, f"the SDK cannot send this: {wrong}"
        request = model().from_map(form)
        return method(request, runtime).body.to_map()

    def raw(self, action, query=None, form=None, headers=None, version=VERSION, method="POST"):
        """Sends what no model would let pass, signed as the SDK signs."""
        shape = utils_models.Params(
            action=action,
            version=version,
            protocol="HTTP",
            pathname="/",
            method=method,
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        request = utils_models.OpenApiRequest(query=query, body=form)
        return self._client.call_api(shape, request, options(headers))["body"]

    def pages(self, action, items, **form):
        """Every item of a list, page after page, with the sizes of the pages."""
        found, sizes, token = [], [], None
        while True:
            more = {} if token is None else {"NextToken": token}
            answer = self(action, **form, **more)
            found += answer[items]
            sizes.append(len(answer[items]))
            token = answer.get("NextToken")
            if not token:
                return found, sizes


class StrictClient(Client):
    """The SDK's client; an answer must be one that the SDK's own models can hold."""

    def call_api(self, params, request, runtime):
        answer = super().call_api(params, request, runtime)
        model = getattr(models, params.action + "ResponseBody", None)
        if model is not None and params.version == VERSION:
            wrong = list(mismatches(model, answer["body"], params.action))
            assert not wrong, f"the SDK's models cannot hold this answer: {wrong}"
        return answer


def options(headers):
    """The SDK's options for one call, with headers that replace its own."""
    if headers is None:
        return RuntimeOptions()
    return RuntimeOptions(extends_parameters=ExtendsParameters(headers=headers))


def mismatches(model, value, path):
    """Where `value`, as it came over the wire, is not what `model` declares."""
    if not isinstance(value, dict):
        yield f"{path} is not an object"
        return
    names = wire_names(model)
    kinds = attribute_kinds(model)
    for name, item in value.items():
        if name not in names:
            yield f"{path}.{name} is not in the model"
            continue
        yield from type_mismatches(kinds[names[name]], item, f"{path}.{name}")


def type_mismatches(kind, item, path):
    """Where one value is not of the type that its model declares."""
    origin = typing.get_origin(kind)
    if origin is list:
        if not isinstance(item, list):
            yield f"{path} is not a list"
            return
        (inner,) = typing.get_args(kind)
        for place, element in enumerate(item):
            yield from type_mismatches(inner, element, f"{path}[{place}]")
    elif isinstance(kind, type) and issubclass(kind, DaraModel):
        yield from mismatches(kind, item, path)
    elif isinstance(kind, type) and type(item) is not kind:
        yield f"{path} is {item!r}, not of type {kind.__name__}"


@functools.cache
def attribute_kinds(model):
    """The type of each attribute of a model, as its constructor declares it."""
    beside = sys.modules[model.__module__.rpartition(".")[0]]
    return typing.get_type_hints(model.__init__, {"main_models": beside, **vars(typing)})


@functools.cache
def wire_names(model):
    """The attribute of a model behind each name of the wire, as its own `from_map` reads them."""
    source = inspect.getsource(model.from_map)
    pairs = re.findall(
        r"m\.get\('(\w+)'\) is not None:\s+(?:self\.(\w+) = |for \w+ in |temp_model = )", source
    )
    names = {wire: attribute for wire, attribute in pairs if attribute}
    attributes = list(inspect.signature(model.__init__).parameters)[1:]
    for wire, attribute in pairs:
        if not attribute:
            wanted = wire.replace("_", "").lower()
            names[wire] = next(name for name in attributes if name.replace("_", "") == wanted)
    assert sorted(names.values()) == sorted(attributes), f"{model.__name__} was not understood"
    return names
