"""The simulated cloud as a process: started on a port of its own, asked about itself, always stopped."""

import json
import os
import subprocess
import urllib.request


class Simulator:
    """One running `privatelink-sim`; it ends when its standard input closes, so also when this process dies."""

    def __init__(self, world_file, variants=None, latency="0s", faults=""):
        command = [os.environ["SIM_BINARY"], "--world", str(world_file), "--listen", "127.0.0.1:0"]
        command += ["--time-scale", "0", "--latency", latency, "--faults", faults, "--until-stdin-closes"]
        for name, value in (variants or {}).items():
            command += ["--variant", f"{name}={value}"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first_line = self._process.stdout.readline()
        if not first_line:
            raise RuntimeError(f"{command} ended with status {self._process.wait()} before it listened")
        self.address = json.loads(first_line)["address"]

    def stop(self):
        """Lets the process end by itself; kills it if it does not."""
        self._process.stdin.close()
        try:
            status = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process.stdout.close()
        return status

    def world(self):
        """What exists."""
        return self._ask("world")

    def journal(self):
        """What was called, how often and with which answer."""
        return self._ask("journal")

    def actions(self):
        """The actions that were carried out at least once."""
        return {counter["action"] for counter in self.journal()["counters"] if counter["code"] == "OK"}

    def settle(self):
        """Moves the virtual clock until nothing moves by itself any more."""
        return self._ask("advance", {"settle": True})

    def advance(self, seconds):
        """Moves the virtual clock."""
        return self._ask("advance", {"seconds": seconds})

    def set_account(self, account, **flags):
        """Changes what an account may do, as the cloud's support desk would."""
        return self._ask("account", {"id": account, **flags})

    def set_provider(self, account, provider, **parts):
        """Changes what the cloud knows of a provider of OIDC tokens: issuer, audiences, keys."""
        return self._ask("oidc", {"account": account, "provider": provider, **parts})

    def fault(self, **rule):
        """Lets coming calls go wrong."""
        return self._ask("fault", rule)

    def _ask(self, path, form=None):
        request = urllib.request.Request(
            f"http://{self.address}/_sim/{path}",
            data=None if form is None else json.dumps(form).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
