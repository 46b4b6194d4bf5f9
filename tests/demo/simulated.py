"""The simulated cloud: its process, its control paths, and the vendor's own SDK as whoever calls it by hand."""

import json
import os
import pathlib
import sys
import urllib.request

from bell import NotTrue
from child import Child

# The suite of the vendor's SDK has the client that calls by the names of the wire.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vendor" / "alibaba"))

# The SDK looks here for keys and proxies, and the simulated cloud is on this machine.
for _name in list(os.environ):
    if _name.startswith(("ALIBABA_CLOUD_", "ALIBABACLOUD_")) or _name.lower().endswith("_proxy"):
        del os.environ[_name]

from cloud import Cloud  # noqa: E402
from land import Key  # noqa: E402

REGION = "cn-hangzhou"
#: The accounts of the built-in world: the two that the story is about, and two more that come to the service.
PROVIDER, CONSUMER, THIRD, FOURTH = 1001000000000001, 1002000000000002, 1003000000000003, 1004000000000004
#: Their keys, by which somebody uses them past the operator.
KEYS = {
    PROVIDER: Key("provider-key", "provider-secret"),
    CONSUMER: Key("consumer-key", "consumer-secret"),
    THIRD: Key("vendor-key", "vendor-secret"),
    FOURTH: Key("restricted-key", "restricted-secret"),
}


class Simulated:
    """One simulated cloud with the built-in world, on a port of its own."""

    def __init__(self, bell):
        command = [os.environ["SIM_BINARY"], "--listen", "127.0.0.1:0", "--until-stdin-closes"]
        self._process = Child("the simulated cloud", command, lifeline=True, dies=bell.breaks)
        line = self._process.out.readline()
        if not line:
            raise NotTrue(f"the simulated cloud does not start: {self._process.wait()}\n{self._process.last_words()}")
        self.address = json.loads(line)["address"]
        #: Each account, as somebody with its key uses it past the operator.
        self.accounts = {account: Cloud(self.address, key, REGION) for account, key in KEYS.items()}
        self.provider = self.accounts[PROVIDER]

    def end(self):
        """Lets the process end by itself; gives its status."""
        return self._process.end()

    def world(self):
        """Everything that exists."""
        return self._ask("world")

    def journal(self):
        """What was called, how often, and when each zone carried traffic."""
        return self._ask("journal")

    def endpoint(self, wanted):
        """One endpoint of the world."""
        found = [one for one in self.world()["endpoints"] if one["id"] == wanted]
        if not found:
            raise NotTrue(f"the cloud has no endpoint {wanted}")
        return found[0]

    def settle(self):
        """Lets all that moves arrive at once."""
        self._ask("advance", {"settle": True})

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://{self.address}/_sim/{path}", data, timeout=10) as answer:
            return json.load(answer)
