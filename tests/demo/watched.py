"""The objects of the cluster as they change: what the operator says of them is told, and waited for."""

import json
import threading

import legs
from bell import PATIENCE

#: The kinds that something acts on, as kubectl and as manifests name them.
KINDS = {
    "cloudaccounts": "CloudAccount",
    "endpointservices": "EndpointService",
    "privateendpoints": "Endpoint",
    "whitelistentries": "WhitelistEntry",
    "zoneresourceassignments": "ZoneResourceAssignment",
}
#: The Events that the story waits for; a cluster that stays has many others.
EVENTS = {"events": "Event"}
OF_EVENTS = ["--field-selector", "reason=DisconnectedOutside"]
#: Pause before a watch that failed is started again, in seconds.
AGAIN = 1


class Watched:
    """All objects of privatelink.dev, and Events of them, by kind, namespace and name."""

    def __init__(self, cluster, bell, narrator):
        self._cluster, self._bell, self._narrator = cluster, bell, narrator
        self._objects, self._told, self._watches = {}, {}, {}
        self._stations = {}
        self._stop = threading.Event()
        watches = [(kind, name, []) for kind, name in KINDS.items()]
        watches += [(kind, name, OF_EVENTS) for kind, name in EVENTS.items()]
        self._threads = [threading.Thread(target=self._watch, args=watch, daemon=True) for watch in watches]
        for thread in self._threads:
            thread.start()

    def becomes(self, what, key, test, generation=0, patience=PATIENCE):
        """Waits until `test` holds for the status of this object, and gives the object.

        A status that speaks of a spec from before `generation` counts for nothing.
        """

        def held():
            found = self._objects.get(key)
            if found and found.get("status", {}).get("observedGeneration", -1) >= generation and test(found):
                return found
            return None

        def instead():
            found = self._objects.get(key)
            return f"; it last said: {sentence(condition(found, 'Ready'))}" if found else "; it is not there"

        kind, namespace, name = key
        return self._bell.until(f"{kind} {namespace}/{name} is {what}", held, patience, instead)

    def event(self, key, patience=PATIENCE):
        """Waits until an Event tells of this object what the story waits for, and gives the Event."""
        kind, namespace, name = key

        def told():
            regarding = {"kind": kind, "namespace": namespace, "name": name}
            found = (one for one_key, one in self._objects.items() if one_key[0] == "Event")
            return next((one for one in found if regarding.items() <= one["involvedObject"].items()), None)

        return self._bell.until(f"an Event tells of {kind} {namespace}/{name}", told, patience)

    def all(self, kind, namespace):
        """The objects of a kind in a namespace. Whoever asks holds the bell, or is asked by it."""
        return [found for key, found in sorted(self._objects.items()) if key[:2] == (kind, namespace)]

    def stations(self, key):
        """Where the zones of an object have been on their way, one after the other."""
        with self._bell:
            return list(self._stations.get(key, []))

    def end(self):
        """Ends the watches."""
        with self._bell:
            self._stop.set()
            watches = list(self._watches.values())
        for watch in watches:
            watch.end()
        for thread in self._threads:
            thread.join()

    def _watch(self, kind, name, chosen):
        while True:
            with self._bell:
                if self._stop.is_set():
                    return
                # What has gone while nobody watched is not there when all is listed again.
                for key in [key for key in self._objects if key[0] == name]:
                    del self._objects[key]
                words = ["get", kind, "--all-namespaces", "--watch", "--output-watch-events", "--output", "json"]
                self._watches[kind] = watch = self._cluster.watch(*words, *chosen)
            for line in watch.out:
                # The last line of one that was ended may be half a line.
                if line.endswith("\n"):
                    self._take(json.loads(line))
            watch.wait()
            # Watches end now and then, and so does an API server that is not there.
            self._stop.wait(AGAIN)

    def _take(self, event):
        if event["type"] == "ERROR":
            return
        found = event["object"]
        key = (found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"])
        with self._bell:
            if event["type"] == "DELETED":
                self._objects.pop(key, None)
                self._told.pop(key, None)
                self._stations.pop(key, None)
                if found["kind"] not in EVENTS.values():
                    self._narrator.operator(f"{titled(*key)} is gone")
            else:
                self._objects[key] = found
                self._tell(key, condition(found, "Ready"))
                self._follow(key, found)

    def _tell(self, key, ready):
        """What Ready says, when it says something new."""
        if ready is None:
            return
        news = (ready["status"], ready["reason"], None if ready["status"] == "True" else ready["message"])
        if self._told.get(key) != news:
            self._told[key] = news
            self._narrator.operator(f"{titled(*key)} is {sentence(ready)}")


    def _follow(self, key, found):
        """Where its zones are on their way, when they have come farther."""
        reached, before = legs.station(found), self._stations.setdefault(key, [])
        if reached is None or before[-1:] == [reached]:
            return
        before.append(reached)
        for sentence in legs.sentences(found, reached):
            self._narrator.operator(f"{titled(*key)}: {sentence}")


def titled(kind, namespace, name):
    """An object, as it is called in the story."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def condition(found, kind):
    """A condition of an object; None where it does not have it."""
    for one in found.get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return one
    return None


def sentence(said):
    """A Ready condition for people."""
    if said is None:
        return "not looked at yet"
    state = "Ready" if said["status"] == "True" else "not Ready"
    reason = "" if said["reason"] == "Ready" else f", {said['reason']}"
    return f"{state}{reason}: {said['message']}"


def holds(found, *conditions):
    """Whether all of these conditions are true, and nothing is under way."""
    states = {one["type"]: one["status"] for one in found.get("status", {}).get("conditions", [])}
    return all(states.get(one) == "True" for one in conditions) and "Reconciling" not in states
