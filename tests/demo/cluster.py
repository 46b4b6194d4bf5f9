"""The cluster of the demo: a control plane of its own, or the one that KUBECONFIG names."""

import json
import os
import pathlib
import shutil
import subprocess

from bell import PATIENCE, NotTrue
from child import Child

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CRDS = ROOT / "crds"
RIGHTS = ROOT / "deploy" / "rights"
#: Lets the operator publish, which the shipped installation leaves to whoever wants it.
PUBLISHING = ROOT / "tests" / "demo" / "publishing.yaml"
#: Where the shipped installation has the operator, and as whom it runs.
NAMESPACE = "privatelink-system"
ACCOUNT = "privatelink-operator"
#: How long the operator's token is good for; a demo that is left alone ends with it.
TOKEN = "24h"


class Cluster:
    """Where manifests are applied to. Whoever uses one ends it."""

    def __init__(self, kubeconfig, kubectl, launcher=None, folder=None):
        self.kubeconfig, self.program = kubeconfig, kubectl
        self._launcher, self._folder = launcher, folder
        # It may be a list of files, which only the environment takes.
        self._environment = {**os.environ, "KUBECONFIG": kubeconfig}

    @classmethod
    def start(cls, bell):
        """A control plane of its own, of which nothing is left when it has ended."""
        command = [pathlib.Path(os.environ["CONTROL_PLANE"]) / "controlplane", "up"]
        launcher = Child("the control plane", command, lifeline=True, dies=bell.breaks)
        try:
            line = launcher.out.readline()
            if not line:
                raise NotTrue(f"the control plane does not start: {launcher.wait()}\n{launcher.last_words()}")
            ready = json.loads(line)
            return cls(ready["kubeconfig"], ready["kubectl"], launcher, pathlib.Path(ready["dir"]))
        except BaseException:
            launcher.end()
            raise

    @classmethod
    def existing(cls):
        """The one that KUBECONFIG names, with the kubectl of the PATH, or that of a control plane that is built."""
        files = os.environ["KUBECONFIG"].split(os.pathsep)
        kubectl = shutil.which("kubectl") or pathlib.Path(os.environ.get("CONTROL_PLANE", ""), "kubectl")
        return cls(os.pathsep.join(os.path.abspath(file) for file in files if file), str(kubectl))

    @property
    def is_own(self):
        """Nobody else uses it, and it goes with the demo."""
        return self._launcher is not None

    def end(self):
        """Ends a control plane of its own."""
        if self._launcher is None:
            return
        status = self._launcher.end()
        if status != 0 or self._folder.exists():
            raise NotTrue(f"the control plane did not end well: status {status}\n{self._launcher.last_words()}")

    def watch(self, *words, **how):
        """A kubectl that goes on for ever."""
        return Child("a watch", [self.program, *words], cwd=ROOT, env=self._environment, **how)

    def kubectl(self, *words, stdin=None, patience=PATIENCE):
        """What kubectl answers; NotTrue with what it says when it fails."""
        try:
            done = subprocess.run(
                [self.program, *map(str, words)],
                input=stdin if stdin is not None else "",
                capture_output=True,
                cwd=ROOT,
                env=self._environment,
                text=True,
                timeout=patience,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise NotTrue("KUBECONFIG is set, but there is no kubectl in the PATH: add one, or unset it") from None
        except subprocess.TimeoutExpired:
            raise NotTrue(f"kubectl {' '.join(map(str, words))} has not ended in {patience} s") from None
        if done.returncode != 0:
            raise NotTrue(f"kubectl {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def table(self, *words):
        """The same for people: where there is nothing, kubectl says so elsewhere."""
        return self.kubectl(*words) or "No resources found"

    def installed(self):
        """What is there of the CRDs and the shipped rights."""
        return [name for source in (CRDS, RIGHTS, PUBLISHING) for name in self._present(source)]

    def install(self):
        """The CRDs and the shipped rights, as the README says."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", CRDS)
        self.kubectl("wait", "--for=condition=Established", f"--timeout={PATIENCE}s", "-f", CRDS)
        self.kubectl("apply", "--server-side", "--force-conflicts", "-k", RIGHTS)
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", PUBLISHING)

    def remove_all_but(self, before):
        """Takes away what `install` has brought, the last first."""
        for kind, namespace, name in reversed([name for name in self.installed() if name not in before]):
            place = ["--namespace", namespace] if namespace else []
            self.kubectl("delete", "--ignore-not-found", kind, name, *place)

    def _present(self, source):
        option = "-k" if source == RIGHTS else "-f"
        listed = self.kubectl("get", option, source, "--ignore-not-found", "-o", "json")
        if not listed.strip():
            return []
        found = json.loads(listed)
        return [named(one) for one in found.get("items", [found])]

    def operator_kubeconfig(self):
        """A kubeconfig of the operator: its ServiceAccount's token, and nothing of an administrator's credentials."""
        token = self.kubectl("create", "token", ACCOUNT, "--namespace", NAMESPACE, "--duration", TOKEN).strip()
        admin = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        context = {"cluster": admin["clusters"][0]["name"], "user": "operator", "namespace": NAMESPACE}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "operator",
                "contexts": [{"name": "operator", "context": context}],
                "clusters": admin["clusters"],
                "users": [{"name": "operator", "user": {"token": token}}],
            }
        )


def named(item):
    """The kind, namespace and name of an object."""
    group = item["apiVersion"].rpartition("/")[0]
    kind = f"{item['kind']}.{group}" if group else item["kind"]
    return kind, item["metadata"].get("namespace"), item["metadata"]["name"]
