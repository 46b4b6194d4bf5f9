"""Each precondition broken once: the vendor's code, the documented status, and a world that stays as it was."""

import json

import pytest

import refusals_of_connections
import refusals_of_endpoints
import refusals_of_services
from scene import refusal

ROWS = [*refusals_of_services.ROWS, *refusals_of_connections.ROWS, *refusals_of_endpoints.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.action}-{row}")
def test_a_broken_precondition(start, row):
    scene = start(variants=row.variants)
    row.situation(scene)
    before = scene.simulator.world()
    refused = refusal(scene.by(row.who, row.region), row.action, **row.filled(scene))
    assert (refused.code, refused.status_code) == (row.code, row.status), refused.message
    assert scene.simulator.world() == before
    # The shape of every refusal on the wire.
    assert refused.data["RequestId"] == refused.request_id
    assert refused.data["HostId"] == scene.simulator.address
    assert refused.data["Message"] and refused.data["Recommend"].startswith("https://")
    assert refused.retry_after is None, json.dumps(refused.data)


def test_no_row_is_there_twice():
    rows = [(row.code, row.what, row.action) for row in ROWS]
    assert len(set(rows)) == len(rows)
