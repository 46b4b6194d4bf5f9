"""Zones of connections on their way from one load balancer to another, as statuses tell of them."""


def station(found):
    """Where an object's zones are on their way, to be held against other stations; None where nothing can move."""
    status = found.get("status", {})
    if found["kind"] == "ZoneResourceAssignment":
        sides = (status.get(side, {}).get("resourceId") for side in ("current", "replaced"))
        return (status["state"], *sides) if "state" in status else None
    if found["kind"] == "EndpointService":
        return tuple(leaving(row) for row in status.get("evacuation", []))
    return None


def leaving(row):
    """How far a load balancer is from having been left."""
    moves = tuple((one["endpointId"], one["to"], "migratedAt" in one) for one in row.get("inFlight", []))
    return row["resourceId"], row.get("remaining", 0), row.get("moved", 0), tuple(row.get("blockedBy", [])), moves


def sentences(found, reached):
    """A station for people, one line for each zone or load balancer."""
    if found["kind"] == "EndpointService":
        yield from map(evacuation, reached)
        return
    state, current, replaced = reached
    served = f", served by {current}" if current else ""
    still = f", and {replaced} is still open" if replaced else ""
    yield f"{found['spec']['zone']} is {state}{served}{still}"


def evacuation(row):
    """One load balancer that is being left, for people."""
    resource, remaining, moved, blockers, moves = row
    told = [f"connections leave {resource}: {remaining} to go, {moved} gone"]
    told += [f"{endpoint} {'drains, served by' if drains else 'moves to'} {to}" for endpoint, to, drains in moves]
    told += [f"kept by ZoneResourceAssignment {name}" for name in blockers]
    return "; ".join(told)


def gaps(stage, endpoint):
    """How often each zone of an endpoint, and the endpoint as a whole, could carry nothing while its connection stood,
    and for how many seconds: as the simulated cloud has watched it at every instant."""
    tracks = [one for one in stage.simulated.journal()["witness"] if one["endpoint"] == endpoint]
    return {one["zone"]: (one["gaps"], one["gapSeconds"]) for one in tracks}


def leg(stage, endpoint, zone):
    """The load balancers of both sides of a zone, as the cloud has it: what serves it, and what is still open."""
    (held,) = [one for one in stage.simulated.endpoint(endpoint)["zones"] if one["zone"] == zone]
    return held["resourceId"], held["replaced"] and held["replaced"]["resourceId"]
