"""The stage of the story: cluster, cloud and operator, and what people do to them."""

import contextlib
import json
import os
import pathlib
import shlex
import time

from bell import PATIENCE, Bell, NotTrue
from cluster import ROOT, Cluster
from shipped import Operator
from simulated import Simulated
from watched import Watched

MANIFESTS = pathlib.Path(__file__).resolve().parent / "manifests"
#: What stands in the manifests for the address of the simulated cloud.
PLACEHOLDER = "simulated-cloud"
#: Asks the operator for a look at once.
RECONCILE = "privatelink.dev/reconcile-requested-at"
#: Longest that all objects may take to go, in seconds. Nobody waits for a sweep of the operator in that, which comes
#: every five minutes: who is gone wakes who has waited for that.
GOING = 60


class Stage:
    """All that the demo has started. It ends in the order opposite to the one it began in, however the demo ends."""

    def __init__(self, narrator):
        self.narrator, self.bell = narrator, Bell()
        self.cluster = self.simulated = self.operator = self.watched = None
        self._generations = {}
        self._past = []
        self._to_end = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        return self._to_end.__exit__(*failure)

    # What the demo starts.

    def start_cluster(self):
        """The control plane with the CRDs and the shipped rights."""
        if os.environ.get("KUBECONFIG"):
            self.cluster = Cluster.existing()
            self._refuse_a_second_demo()
            self._to_end.callback(self.cluster.remove_all_but, self.cluster.installed())
        else:
            self.cluster = Cluster.start(self.bell)
            self._to_end.callback(self.cluster.end)
        self.cluster.install()

    def start_cloud(self):
        """The simulated cloud with its built-in world."""
        self.simulated = Simulated(self.bell)
        self._to_end.callback(self._end_well, "the simulated cloud", self.simulated)

    def start_operator(self):
        """The operator, and the watches that show what it says."""
        self.watched = Watched(self.cluster, self.bell, self.narrator)
        self._to_end.callback(self.watched.end)
        self.operator = Operator(self.cluster.operator_kubeconfig(), self.bell, self.narrator)
        self._to_end.callback(self._end_well, "the operator", self.operator)
        if not self.cluster.is_own:
            # The operator has to live for that.
            self._to_end.callback(self._delete_all)
        self.operator.starts()

    def _refuse_a_second_demo(self):
        found = self.cluster.kubectl("get", "namespace", "demo-gateway", "demo-tenant", "--ignore-not-found", "-o", "name")
        if found:
            raise NotTrue(
                f"the cluster of KUBECONFIG has {', '.join(found.split())} already: another demo runs there, or one was"
                f" killed: kubectl delete -f {shown(MANIFESTS)} while an operator runs there"
            )

    @staticmethod
    def _end_well(name, what):
        status = what.end()
        if status != 0:
            raise NotTrue(f"{name} did not end well: status {status}")

    def _delete_all(self):
        """What a story that ended early has left in a cluster that stays."""
        self.narrator.demo("takes away what it has applied")
        self._delete_past()
        self.cluster.kubectl(*delete_words(), patience=GOING + PATIENCE)

    # What people do.

    def apply(self, name):
        """Applies a manifest, as somebody with kubectl does; gives the keys of its objects."""
        path = MANIFESTS / name
        text = path.read_text()
        address = " with the simulated cloud's address in it" if PLACEHOLDER in text else ""
        self.narrator.you(f"kubectl apply -f {shown(path)}{address}")
        text = text.replace(PLACEHOLDER, self.simulated.address)
        applied = json.loads(self.cluster.kubectl("apply", "-f", "-", "-o", "json", stdin=text))
        keys = []
        for found in applied.get("items", [applied]):
            key = (found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"])
            self._generations[key] = found["metadata"].get("generation", 0)
            keys.append(key)
        return keys

    def becomes(self, what, key, test, patience=PATIENCE):
        """Waits until the operator says this of an object as it was applied last."""
        return self.watched.becomes(what, key, test, self._generations.get(key, 0), patience)

    def delete(self, plural, key):
        """Deletes one object, and waits until it is gone."""
        _, namespace, name = key
        words = ["delete", plural, name, "-n", namespace]
        self.narrator.you(f"kubectl {shlex.join(words)}")
        self.narrator.answer(self.cluster.kubectl(*words, f"--timeout={GOING}s", patience=GOING + PATIENCE))

    def look_at_once(self, plural, key):
        """Asks the operator for a look at an object; gives what the object is marked with."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        _, namespace, name = key
        self.ask("annotate", plural, name, "-n", namespace, "--overwrite", f"{RECONCILE}={when}")
        return when

    def make_past(self, account, **form):
        """Makes an endpoint past the operator, which goes with the demo; gives its id."""
        made = self.simulated.accounts[account]("CreateVpcEndpoint", **form)["EndpointId"]
        self._past.append((account, made))
        self.narrator.cloud(f"CreateVpcEndpoint: account {account} makes {made} in {form['VpcId']}")
        return made

    def _delete_past(self):
        past, self._past = self._past, []
        for account, made in past:
            for leg in self.simulated.endpoint(made)["zones"]:
                words = {"EndpointId": made, "ZoneId": leg["zone"]}
                self.simulated.accounts[account]("RemoveZoneFromVpcEndpoint", **words)
        if past:
            self.simulated.settle()
        for account, made in past:
            self.narrator.cloud(f"RemoveZoneFromVpcEndpoint, DeleteVpcEndpoint: account {account} deletes {made}")
            self.simulated.accounts[account]("DeleteVpcEndpoint", EndpointId=made)

    def delete_all(self):
        """Deletes what was made past the operator and all manifests at once, and waits until all is gone."""
        self._delete_past()
        self.narrator.you(f"kubectl {' '.join(delete_words())}")
        self.narrator.answer(self.cluster.kubectl(*delete_words(), patience=GOING + PATIENCE))

    def ask(self, *words):
        """Asks kubectl something, and shows question and answer; gives the answer."""
        self.narrator.you(f"kubectl {shlex.join(words)}")
        answer = self.cluster.table(*words)
        self.narrator.answer(answer)
        return answer

    def show(self, *kinds):
        """All objects of these kinds, or of all of privatelink.dev."""
        self.ask("get", ",".join(kinds or ["privatelink"]), "--all-namespaces")


def delete_words():
    """The arguments of kubectl that delete all that the story has applied."""
    return ["delete", "-f", f"{shown(MANIFESTS)}/", "--ignore-not-found", f"--timeout={GOING}s"]


def shown(path):
    """A path as somebody in the checkout writes it."""
    return os.path.relpath(path, ROOT)


def expect(what, held):
    """What has to be the case in the cloud, whatever the operator says."""
    if not held:
        raise NotTrue(f"it is not so that {what}")
