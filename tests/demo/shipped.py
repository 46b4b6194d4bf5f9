"""The operator as it is shipped: the real binary, as its ServiceAccount; what it logs is told."""

import json
import os

from child import Child
from watched import titled

#: What each of its steps is called in the story.
STEPS = {
    "OpenProduct": "switched on {}",
    "CreateService": "made {}",
    "UpdateService": "changed {}",
    "DeleteService": "deleted {}",
    "AttachResource": "attached {}",
    "DetachResource": "detached {}",
    "SetAutoAllocate": "changed whether the cloud gives out {}",
    "AllowPrincipal": "let in {}",
    "DisallowPrincipal": "lets in no more {}",
    "AcceptConnection": "accepted the connection of {}",
    "RejectConnection": "refused the connection of {}",
    "SetTraffic": "changed the bandwidth of {}",
    "PickResource": "let the cloud pick a load balancer for {}",
    "AssignResource": "gave a load balancer to {}",
    "ReplaceResource": "moves {}",
    "CloseReplaced": "closed the replaced side of {}",
    "ConnectZone": "connected {}",
    "DisconnectZone": "disconnected {}",
    "CreateEndpoint": "made {}",
    "UpdateEndpoint": "changed attributes of {}",
    "DeleteEndpoint": "deleted {}",
    "AddZone": "added an interface in {}",
    "RemoveZone": "removed the interface in {}",
    "AttachSecurityGroup": "joined {}",
    "DetachSecurityGroup": "left {}",
    "TagService": "changed the tags of {}",
    "TagEndpoint": "changed the tags of {}",
    "UntagService": "took tags off {}",
    "UntagEndpoint": "took tags off {}",
    "MoveService": "moved {} to its resource group",
    "MoveEndpoint": "moved {} to its resource group",
}


class Operator:
    """One running operator."""

    def __init__(self, kubeconfig, bell, narrator):
        self._bell, self._narrator = bell, narrator
        self._turns = False
        self.steps = []
        # The kubeconfig holds a token: it is in memory alone, and gone with the process.
        held = os.memfd_create("kubeconfig")
        command = [os.environ["OPERATOR_BINARY"], "run", "--publish"]
        command += ["--admin-listen", "127.0.0.1:0", "--log-format", "json"]
        try:
            os.write(held, kubeconfig.encode())
            self._process = Child(
                "the operator",
                command,
                hears=self._hear,
                dies=bell.breaks,
                pass_fds=[held],
                env={"KUBECONFIG": f"/proc/self/fd/{held}"},
            )
        finally:
            os.close(held)

    def starts(self):
        """Waits until it makes turns."""
        self._bell.until("the operator makes turns; another one may hold its Lease", lambda: self._turns)

    def end(self):
        """Ends it as Kubernetes does; gives its status."""
        return self._process.end()

    def last_words(self):
        """The end of its log."""
        return self._process.last_words()

    def _hear(self, text):
        try:
            line = json.loads(text)
        except ValueError:
            line = {"message": text}
        with self._bell:
            self._turns = self._turns or line.get("message") == "turns begin"
            if "step" not in line:
                return
            turn = line.get("span", {})
            key = (turn.get("kind"), turn.get("namespace"), turn.get("object"))
            self.steps.append((key, line["step"], line["subject"]))
        if line["message"] == "done":
            what = STEPS.get(line["step"], line["step"] + " of {}").format(line["subject"])
        else:
            what = f"{line['step']} of {line['subject']} was refused: {line['code']}"
        self._narrator.operator(f"{titled(*key)}: {what}")
