"""One truth, read twice: what the statuses of a service and its entries say, and what the vendor's SDK reads."""

import difflib
import json

#: What a status calls the cloud's words for a connection and for a zone of it; other words are the same in both.
CONNECTION, ZONE = {"Pending": "Modifying"}, {"Wait": "Waiting"}
#: Zones in these words were never connected.
UNTOUCHED = {"Creating", "Wait"}


def in_cloud(cloud, service):
    """Whom a service lets in, and each connection with its owner, as its owner's SDK reads them."""
    users, _ = cloud.pages("ListVpcEndpointServiceUsers", "Users", ServiceId=service)
    arns, _ = cloud.pages("ListVpcEndpointServiceUsers", "UserARNs", ServiceId=service, UserListType="UserARNs")
    listed, _ = cloud.pages("ListVpcEndpointConnections", "Connections", ServiceId=service)
    connections = {
        one["EndpointId"]: {
            "account": str(one["EndpointOwnerId"]),
            "vpcId": one["EndpointVpcId"],
            "state": state(one),
            "bandwidthMbps": one.get("Bandwidth"),
            "zones": {
                leg["ZoneId"]: {
                    "state": ZONE.get(leg["ZoneStatus"], leg["ZoneStatus"]),
                    "resourceId": leg.get("ResourceId") or None,
                    "replacedResourceId": leg.get("ReplacedResourceId") or None,
                }
                for leg in one["Zones"]
            },
        }
        for one in listed
    }
    principals = [str(one["UserId"]) for one in users] + [one["UserARN"] for one in arns]
    return whole(service, principals, connections, counts(connections))


def state(connection):
    """The word of a status for a connection. The cloud has one word for what was never accepted and what was cut."""
    word = connection["ConnectionStatus"]
    if word == "Disconnected" and all(leg["ZoneStatus"] in UNTOUCHED for leg in connection["Zones"]):
        return "AwaitingAcceptance"
    return CONNECTION.get(word, word)


def counts(connections):
    """How many connections each account has, and all together, by what they are doing."""
    found = {}
    for one in connections.values():
        for whose in (one["account"], "all"):
            row = found.setdefault(whose, {"total": 0, "connected": 0, "awaiting": 0, "rest": 0})
            kind = {"Connected": "connected", "Modifying": "connected", "AwaitingAcceptance": "awaiting"}
            row["total"] += 1
            row[kind.get(one["state"], "rest")] += 1
    return found


def in_statuses(service, entries):
    """The same, as the statuses of the service and of all its entries say it."""
    connections, counted = {}, {"all": told(service["status"])}
    # The owner is let in by the cloud itself.
    principals = {service["status"]["accountId"]}
    for entry in entries:
        principal, status = entry["spec"]["principal"], entry["status"]
        if status.get("allowed"):
            principals.add(principal)
        if status.get("connections"):
            counted[principal] = told(status)
        for one in status.get("connections", []):
            connections[one["endpointId"]] = {
                "account": principal,
                "vpcId": one.get("vpcId"),
                "state": one["state"],
                "bandwidthMbps": one.get("bandwidthMbps"),
                "zones": {
                    leg["zone"]: {
                        "state": leg["state"],
                        "resourceId": leg.get("resourceId"),
                        "replacedResourceId": leg.get("replacedResourceId"),
                    }
                    for leg in one.get("zones", [])
                },
            }
    return whole(service["status"]["serviceId"], principals, connections, counted)


def told(status):
    """The counts of a status. What is held is cut for whoever reads the cloud."""
    said = status.get("connectionCounts", {})
    row = {key: said.get(key) for key in ("total", "connected", "awaiting")}
    return {**row, "rest": said.get("held", 0) + said.get("other", 0)}


def whole(service, principals, connections, counted):
    """One reading."""
    return {"service": service, "principals": sorted(principals), "connections": connections, "counts": counted}


def difference(cloud, statuses):
    """Where two readings are not the same, line by line."""
    lines = [json.dumps(one, indent=2, sort_keys=True).splitlines() for one in (cloud, statuses)]
    return "\n".join(difflib.unified_diff(*lines, "what the vendor's SDK reads", "what the statuses say", lineterm=""))
