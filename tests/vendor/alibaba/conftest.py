"""Fixtures: simulated clouds that are always stopped, and the actions that were called in all of them."""

import json
import os

import pytest

import land
from scene import Scene
from simulator import Simulator

# The SDKs look here for keys and proxies; a test names its own.
for name in list(os.environ):
    if name.startswith(("ALIBABA_CLOUD_", "ALIBABACLOUD_")) or name.lower().endswith("_proxy"):
        del os.environ[name]


@pytest.fixture(scope="session")
def called():
    """Every action that was carried out in some simulated cloud so far, for the test that comes last."""
    return set()


def starter(folder, called):
    """Starts simulated clouds, each on a port of its own; stops all of them when it is closed."""
    running = []

    def start(world=None, **how):
        world_file = folder / f"world-{len(running)}.json"
        world_file.write_text(json.dumps(world or land.world()))
        simulator = Simulator(world_file, **how)
        running.append(simulator)
        return Scene(simulator)

    yield start
    statuses = []
    for simulator in running:
        try:
            called.update(simulator.actions())
        finally:
            statuses.append(simulator.stop())
    assert statuses == [0] * len(running), "a simulated cloud did not end by itself"


@pytest.fixture
def start(tmp_path, called):
    """Starts simulated clouds for one test."""
    yield from starter(tmp_path, called)


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory, called):
    """Starts simulated clouds for all tests of a file."""
    yield from starter(tmp_path_factory.mktemp("worlds"), called)


@pytest.fixture
def scene(start):
    """One simulated cloud in which nothing has been made."""
    return start()


def pytest_collection_modifyitems(config, items):
    """The test that looks back on all others comes last, and only where no other was left out."""
    looks_back = [item for item in items if item.get_closest_marker("looks_back")]
    others = [item for item in items if not item.get_closest_marker("looks_back")]
    chosen = config.option.keyword or config.option.markexpr or any("test_" in place for place in config.args)
    items[:] = others if chosen else others + looks_back
    if chosen and looks_back:
        config.hook.pytest_deselected(items=looks_back)
