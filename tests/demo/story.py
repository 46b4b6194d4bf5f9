"""The story, step by step. Each step does something, waits until the operator says that it is so, and looks in the
cloud whether that is true."""

import legs
import readback
import watched
from bell import NotTrue
from simulated import CONSUMER, FOURTH, PROVIDER, THIRD
from stage import expect

PROVIDERS_ACCOUNT = ("CloudAccount", "", "demo-provider")
CONSUMERS_ACCOUNT = ("CloudAccount", "", "demo-consumer")
SERVICE = ("EndpointService", "demo-gateway", "gateway")
OWN = ("Endpoint", "demo-gateway", "own")
TENANT = ("Endpoint", "demo-tenant", "tenant")
#: Entries: of the service's own account, of the tenant, and of two more companies.
OWN_ENTRY = ("WhitelistEntry", "demo-gateway", "own")
TENANTS_ENTRY = ("WhitelistEntry", "demo-gateway", "tenant")
THIRD_ENTRY = ("WhitelistEntry", "demo-gateway", "third")
FOURTH_ENTRY = ("WhitelistEntry", "demo-gateway", "fourth")
#: Which load balancer serves the tenant's zone.
TENANTS_ZONE = ("ZoneResourceAssignment", "demo-gateway", "tenant-f")
ZONE = "cn-hangzhou-f"
#: What the operator tries again by itself is tried at least every two and a half minutes; waited for in seconds.
RETRIED = 180
#: Both sides of the link, as kubectl gets them.
LINK = ("endpointservices", "privateendpoints")
#: Who is let in, and what is decided on each connection.
DECISIONS = (
    "{{range .items}}{{$entry := .metadata.name}}{{range .status.connections}}"
    "{{$entry}}\t{{.endpointId}}\t{{.state}}\t{{.decision}}: {{.reason}}{{\"\\n\"}}{{end}}{{end}}"
)

#: What became of the migrations of a zone, and which load balancers are being left.
HISTORY = (
    "{{range .status.history}}{{.mode}}, {{.from}} to {{.to}}: {{.outcome}}, gap {{.gapSeconds}} s{{\"\\n\"}}{{end}}"
)
LEAVING = (
    "{{range .status.evacuation}}{{.resourceId}}: {{.remaining}} use it, {{.moved}} have left, kept by {{.blockedBy}}"
    "{{range .inFlight}}{{\"\\n\"}}  {{.endpointId}} to {{.to}}, open until {{.drainUntil}}{{end}}{{end}}"
)


def a_cluster(stage):
    """A control plane with the CRDs and the shipped rights"""
    stage.start_cluster()
    cluster = stage.cluster
    what = "a control plane of its own" if cluster.is_own else f"the cluster of KUBECONFIG={cluster.kubeconfig}"
    stage.narrator.demo(f"uses {what}; crds/ and deploy/rights are applied")


def a_cloud_and_the_operator(stage):
    """A simulated cloud, and the operator as its ServiceAccount"""
    stage.start_cloud()
    stage.narrator.demo(f"simulates Alibaba Cloud PrivateLink at http://{stage.simulated.address}")
    stage.start_operator()
    stage.narrator.demo("runs the operator with the token of ServiceAccount privatelink-system/privatelink-operator")
    use(stage)


def two_accounts(stage):
    """Two accounts of the cloud"""
    stage.apply("1-accounts.yaml")
    for key, uid in ((PROVIDERS_ACCOUNT, PROVIDER), (CONSUMERS_ACCOUNT, CONSUMER)):
        account = stage.becomes("Ready", key, lambda one: watched.holds(one, "Ready"))
        expect(f"{key[2]} is account {uid}", account["status"]["accountId"] == str(uid))
    stage.show("cloudaccounts")


def a_service(stage):
    """A service with a load balancer in each of two zones"""
    stage.apply("2-service.yaml")
    service = stage.becomes("Ready", SERVICE, lambda one: watched.holds(one, "Ready", "ResourcesAttached"))
    (held,) = stage.simulated.world()["services"]
    expect("the status has the cloud's id", service["status"]["serviceId"] == held["id"])
    attached = {(one["resourceId"], one["zone"]) for one in held["resources"]}
    expect("both are attached", attached == {("lb-hot", "cn-hangzhou-f"), ("lb-hot-g", "cn-hangzhou-g")})
    terms = (held["autoAccept"], held["connectBandwidthMbps"])
    expect("nobody is connected without being accepted, and then with 200 Mbit/s", terms == (False, 200))
    stage.show("endpointservices")


def an_endpoint(stage):
    """An endpoint in the same account, accepted by an entry and handed over to applications"""
    stage.apply("3-endpoint.yaml")
    endpoint = stage.becomes("Ready", OWN, settled)
    held = stage.simulated.endpoint(endpoint["status"]["endpointId"])
    addresses = {leg["zone"]: leg["ip"] for leg in held["zones"] if leg["carries"]}
    expect("both zones carry traffic", set(addresses) == {"cn-hangzhou-f", "cn-hangzhou-g"})
    expect("zone F has its fixed address", addresses["cn-hangzhou-f"] == "10.1.1.100")
    expect("the connection has the service's bandwidth", held["connection"]["bandwidthMbps"] == 200)
    stage.becomes("Ready", OWN_ENTRY, entry_settled)
    data = "{{range $key, $value := .data}}{{$key}}: {{$value}}{{\"\\n\"}}{{end}}"
    published = stage.ask("get", "configmap", "gateway-link", "-n", "demo-gateway", "-o", f"go-template={data}")
    handed = dict(line.split(": ", 1) for line in published.splitlines())
    expect("the ConfigMap has the endpoint's id", handed.get("endpointId") == held["id"])
    expect("the ConfigMap has the fixed address", handed.get("zone.cn-hangzhou-f.ip") == "10.1.1.100")
    alias = stage.ask("get", "service", "gateway-link", "-n", "demo-gateway")
    expect("the Service leads to the endpoint's domain", endpoint["status"]["domain"] in alias)
    stage.show("privateendpoints")


def a_tenant(stage):
    """Another account's endpoint: Ready by itself once the platform team lets it in"""
    stage.apply("4-endpoint-of-a-tenant.yaml")
    told = stage.becomes("NotWhitelisted", TENANT, lambda one: reason(one) == "NotWhitelisted")
    message = watched.condition(told, "Ready")["message"]
    expect(f"it says which account to let in, {CONSUMER}: {message}", str(CONSUMER) in message)
    stage.show("privateendpoints")
    stage.apply("5-entry-of-the-tenant.yaml")
    entry = stage.becomes("Ready, and waits for its consumer", TENANTS_ENTRY, lambda one: watched.holds(one, "Ready"))
    expect("the account is on the list", entry["status"]["allowed"] and str(CONSUMER) in principals(stage))
    stage.narrator.demo("nobody tells the tenant's endpoint: it is tried again, at first after a quarter of a minute")
    endpoint = stage.becomes("Ready", TENANT, settled, patience=RETRIED)
    expect("its zone carries traffic", carrying(stage, endpoint) == {"cn-hangzhou-f"})
    held = stage.simulated.endpoint(endpoint["status"]["endpointId"])
    expect("it has the bandwidth of its entry", held["connection"]["bandwidthMbps"] == 100)
    stage.becomes("aware of its connection", TENANTS_ENTRY, lambda one: entry_settled(one) and connected(one) == 1)
    stage.show("whitelistentries", "privateendpoints")


def a_second_zone(stage):
    """The tenant adds a zone"""
    stage.apply("changes/a-second-zone.yaml")
    endpoint = stage.becomes("Ready in both zones", TENANT, settled)
    expect("both zones carry traffic", carrying(stage, endpoint) == {"cn-hangzhou-f", "cn-hangzhou-g"})
    never_interrupted(stage, endpoint)
    zones = "{{range .status.zones}}{{.zone}} {{.subnetId}} {{.ip}} {{.state}}{{\"\\n\"}}{{end}}"
    stage.ask("get", "privateendpoint", "tenant", "-n", "demo-tenant", "-o", f"go-template={zones}")
    # Counts alone are written every ten seconds at most.
    stage.becomes("aware of both connections", SERVICE, lambda one: connected(one) == 2)
    stage.show(*LINK)


def another_security_group(stage):
    """The tenant swaps its security group: the new one is joined before the old one is left"""
    before = len(stage.operator.steps)
    stage.apply("changes/another-security-group.yaml")
    endpoint = stage.becomes("in the new group", TENANT, settled)
    groups = stage.simulated.endpoint(endpoint["status"]["endpointId"])["groups"]
    expect("it is in the new group alone", set(groups) == {"sg-tenant-second"})
    steps = [(step, subject) for who, step, subject in stage.operator.steps[before:] if who == TENANT]
    order = [("AttachSecurityGroup", "sg-tenant-second"), ("DetachSecurityGroup", "sg-tenant")]
    expect("it joined before it left", [one for one in steps if one in order] == order)
    never_interrupted(stage, endpoint)
    stage.show("privateendpoints")


def drift(stage):
    """Somebody changes the endpoint in the cloud, and the operator puts it back"""
    endpoint = stage.becomes("Ready", OWN, settled)
    held = endpoint["status"]["endpointId"]
    stage.narrator.cloud(f"UpdateVpcEndpointAttribute: the description of {held} is now \"changed by hand\"")
    stage.simulated.provider("UpdateVpcEndpointAttribute", EndpointId=held, EndpointDescription="changed by hand")
    expect("it is changed", stage.simulated.endpoint(held)["description"] == "changed by hand")
    stage.narrator.demo("the operator looks at everything every five minutes; the annotation asks for a look at once")
    when = stage.look_at_once("privateendpoint", OWN)
    stage.becomes("looked at again", OWN, lambda one: handled(one) == when and settled(one))
    expect("it is as declared again", stage.simulated.endpoint(held)["description"] == endpoint["spec"]["description"])
    stage.show()


def others_come(stage):
    """More endpoints come, past the operator: each connection is decided on as an entry says, and says why"""
    stage.apply("6-entries-of-others.yaml")
    for key in (THIRD_ENTRY, FOURTH_ENTRY):
        stage.becomes("Ready: the account is on the list", key, lambda one: one["status"].get("allowed"))
    stage.narrator.cloud(f"OpenPrivateLinkService: account {FOURTH} switches the product on")
    stage.simulated.accounts[FOURTH]("OpenPrivateLinkService")
    where = {
        CONSUMER: ("vpc-tenant-second", "vsw-tenant-second-f", ["sg-tenant-other"]),
        THIRD: ("vpc-vendor", "vsw-vendor-f", None),
        FOURTH: ("vpc-restricted", "vsw-restricted-f", ["sg-restricted"]),
    }
    (service,) = stage.simulated.world()["services"]
    made = {}
    for account, (vpc, subnet, groups) in where.items():
        form = {"ServiceId": service["id"], "VpcId": vpc, "Zone": [{"ZoneId": "cn-hangzhou-f", "VSwitchId": subnet}]}
        made[account] = stage.make_past(account, **form, **({"SecurityGroupId": groups} if groups else {}))
    look_at_the_service(stage)
    decided = {
        TENANTS_ENTRY: (CONSUMER, "Leave", "connections.vpcIds does not name vpc-tenant-second"),
        THIRD_ENTRY: (THIRD, "Wait", "connections.assignment is Manual"),
        FOURTH_ENTRY: (FOURTH, "Reject", "it is refused"),
    }
    for key, (account, decision, why) in decided.items():
        endpoint = made[account]
        wanted = (endpoint, decision, why)
        stage.becomes(f"decided on {endpoint}: {decision}, {why}", key, lambda one: has_decided(one, *wanted))
        expect(f"{endpoint} is not connected", connection(stage, endpoint) != "Connected")
    stage.ask("get", "whitelistentries", "-n", "demo-gateway", "-o", f"go-template={DECISIONS}")


def a_cut_by_hand(stage):
    """Somebody cuts the tenant's connection past the operator: it is held, and an Event says so"""
    endpoint = stage.becomes("Ready", TENANT, settled)["status"]["endpointId"]
    (service,) = stage.simulated.world()["services"]
    stage.narrator.cloud(f"DisableVpcEndpointConnection: {endpoint} is cut from {service['id']}")
    stage.simulated.provider("DisableVpcEndpointConnection", ServiceId=service["id"], EndpointId=endpoint)
    look_at_the_service(stage)
    held = lambda one: reason(one) == "DisconnectedOutside" and one["status"].get("held") == [endpoint]  # noqa: E731
    stage.becomes("aware that it was somebody else's hand", TENANTS_ENTRY, held)
    event = stage.watched.event(TENANTS_ENTRY)
    expect(f"the Event is a warning of {endpoint}", event["type"] == "Warning" and endpoint in event["message"])
    words = ["-n", "demo-gateway", "--field-selector", "involvedObject.kind=WhitelistEntry,type=Warning"]
    stage.ask("get", "events", *words, "-o", "custom-columns=OBJECT:.involvedObject.name,REASON:.reason,NOTE:.message")
    stage.show("whitelistentries")


def read_back(stage):
    """The vendor's SDK reads the same as the statuses say: connected, waiting, left, refused and held"""
    (service,) = stage.simulated.world()["services"]
    calls = "ListVpcEndpointServiceUsers, ListVpcEndpointConnections"
    stage.narrator.cloud(f"{calls}: whom {service['id']} lets in, and every connection, zone by zone")
    cloud = readback.in_cloud(stage.simulated.provider, service["id"])

    def statuses():
        (told,) = stage.watched.all("EndpointService", "demo-gateway")
        return readback.in_statuses(told, stage.watched.all("WhitelistEntry", "demo-gateway"))

    # Counts alone are written every ten seconds at most.
    the_same = lambda: cloud == statuses()  # noqa: E731
    apart = lambda: f":\n{readback.difference(cloud, statuses())}"  # noqa: E731
    stage.bell.until("the statuses say what the cloud has", the_same, instead=apart)
    again = readback.in_cloud(stage.simulated.provider, service["id"])
    expect("nothing has moved meanwhile", again == cloud)
    found = sorted((one["account"], one["state"]) for one in cloud["connections"].values())
    wanted = [(str(PROVIDER), "Connected")]
    wanted += [(str(one), "AwaitingAcceptance") for one in (CONSUMER, THIRD)]
    wanted += [(str(one), "Disconnected") for one in (CONSUMER, FOURTH)]
    expect(f"they are in the states that the story tells of: {found}", found == sorted(wanted))
    stage.narrator.demo(f"{len(cloud['principals'])} accounts and {len(found)} connections are told as they are")


def connected_again(stage):
    """The platform team wants the tenant back: an annotation connects what is held"""
    when = stage.look_at_once("whitelistentry", TENANTS_ENTRY)
    back = lambda one: handled(one) == when and entry_settled(one) and not one["status"].get("held")  # noqa: E731
    stage.becomes("as declared again", TENANTS_ENTRY, back)
    endpoint = stage.becomes("Ready", TENANT, settled)
    expect("both zones carry traffic", carrying(stage, endpoint) == {"cn-hangzhou-f", "cn-hangzhou-g"})
    stage.show("whitelistentries", "privateendpoints")


def a_smooth_migration(stage):
    """A zone of the tenant's connection moves to another load balancer, with no instant without one"""
    endpoint = stage.becomes("Ready", TENANT, settled)["status"]["endpointId"]
    stage.apply("7-zone-of-the-tenant.yaml")
    stage.becomes("Ready, and nothing has changed", TENANTS_ZONE, zone_settled)
    before = legs.gaps(stage, endpoint)
    stage.apply("changes/another-load-balancer.yaml")
    told = stage.becomes("told what is missing", TENANTS_ZONE, lambda one: reason(one) == "ReferenceNotFound")
    message = watched.condition(told, "Ready")["message"]
    expect(f"it says what to change: {message}", "add it to spec.resources of the EndpointService" in message)
    stage.apply("changes/more-load-balancers.yaml")
    sides = ("Migrated", "lb-spare", "lb-hot")
    is_open = lambda one: legs.station(one) == sides  # noqa: E731
    both = stage.becomes("served by the one, with the other still open", TENANTS_ZONE, is_open)
    expect("both sides are there in the cloud", legs.leg(stage, endpoint, ZONE) == ("lb-spare", "lb-hot"))
    open_one = both["status"]["migration"]
    stage.narrator.demo(f"the old side drains until {open_one['drainUntil']}")
    stage.show("zoneresourceassignments")
    ended = stage.becomes("Ready", TENANTS_ZONE, lambda one: zone_settled(one) and latest(one)["id"] == open_one["id"])
    expect("the old side is closed in the cloud", legs.leg(stage, endpoint, ZONE) == ("lb-spare", None))
    stations = [one for one, *_ in stage.watched.stations(TENANTS_ZONE)]
    way = ["Connected", "Migrating", "Migrated", "Connected"]
    expect(f"it went its way step by step: {stations}", in_order(stations, way))
    expect("it has ended well, without a gap", outcome(ended) == ("Smooth", "lb-hot", "lb-spare", "Succeeded", 0))
    drained = open_one["drainUntil"] <= latest(ended)["completedAt"]
    expect("the old side was open for as long as was declared", drained)
    unbroken(stage, endpoint, before)
    history(stage)


def a_forced_migration(stage):
    """The zone goes back by force: a gap in its traffic, which is measured"""
    endpoint = stage.becomes("Ready", TENANT, settled)["status"]["endpointId"]
    before = legs.gaps(stage, endpoint)
    stage.apply("changes/back-by-force.yaml")
    ended = stage.becomes("Ready", TENANTS_ZONE, lambda one: zone_settled(one) and latest(one)["mode"] == "Forced")
    expect("it is back in the cloud", legs.leg(stage, endpoint, ZONE) == ("lb-hot", None))
    *done, gap = outcome(ended)
    expect(f"it has ended well: {done}", done == ["Forced", "lb-spare", "lb-hot", "Succeeded"])
    (once, seconds), (gaps, sum_before) = legs.gaps(stage, endpoint)[ZONE], before[ZONE]
    expect(f"the cloud has seen one gap: {once - gaps}", once - gaps == 1)
    seconds -= sum_before
    expect(f"the history tells of {gap} s, and no less than the cloud's {seconds:.1f} s", gap >= seconds > 0)
    stage.narrator.demo(f"the cloud has seen {ZONE} carry nothing for {seconds:.1f} s, and the history says {gap} s")
    others = {zone: held for zone, held in legs.gaps(stage, endpoint).items() if zone != ZONE}
    unharmed = all(before[zone] == held for zone, held in others.items())
    expect("the other zone has carried traffic all the while", unharmed)
    history(stage)


def an_evacuation(stage):
    """A load balancer is taken off the service: its connections move by themselves, and then it is detached"""
    ours = stage.becomes("Ready", OWN, settled)["status"]["endpointId"]
    tenants = stage.becomes("Ready", TENANT, settled)["status"]["endpointId"]
    before = {one: legs.gaps(stage, one) for one in (ours, tenants)}
    stage.apply("changes/without-the-hot-one.yaml")
    kept = stage.becomes("told who keeps a connection there", SERVICE, lambda one: blockers(one) == ["tenant-f"])
    message = watched.condition(kept, "Evacuating")["message"]
    expect(f"it says what to change: {message}", "set another resourceId" in message)
    stage.ask("get", "endpointservice", "gateway", "-n", "demo-gateway", "-o", f"go-template={LEAVING}")
    stage.narrator.demo("nobody has to decide on the tenant's zone any more: without the assignment the service does")
    stage.delete("zoneresourceassignment", TENANTS_ZONE)
    stage.becomes("rid of it", SERVICE, lambda one: watched.holds(one, "Ready", "ResourcesAttached") and evacuated(one))
    (held,) = stage.simulated.world()["services"]
    attached = {one["resourceId"] for one in held["resources"]}
    expect(f"it is detached in the cloud: {attached}", attached == {"lb-spare", "lb-third", "lb-hot-g"})
    for endpoint in (ours, tenants):
        expect(f"{endpoint} is served by another", legs.leg(stage, endpoint, ZONE) == ("lb-third", None))
        unbroken(stage, endpoint, before[endpoint])
    left = [row for rows in stage.watched.stations(SERVICE) for row in rows]
    expect("one after the other", all(sum(not drains for *_, drains in moves) <= 1 for *_, moves in left))
    expect("the status has told of both", {one for *_, moves in left for one, *_ in moves} == {ours, tenants})
    moved = stage.becomes("told of its new address", OWN, lambda one: reason(one) == "Degraded")
    message = watched.condition(moved, "Ready")["message"]
    expect(f"the fixed address is missed, and nothing is cut for it: {message}", "and not 10.1.1.100" in message)
    stage.show("endpointservices", "privateendpoints")


def let_out(stage):
    """The tenant's entry is deleted: its account leaves the whitelist before its connections are cut"""
    endpoint = stage.becomes("Ready", TENANT, settled)["status"]["endpointId"]
    before = len(stage.operator.steps)
    calls = len(stage.simulated.journal()["calls"])
    stage.delete("whitelistentry", TENANTS_ENTRY)
    expect("the account is off the list", str(CONSUMER) not in principals(stage))
    expect("its endpoint is cut", connection(stage, endpoint) == "Disconnected")
    steps = [(step, subject) for who, step, subject in stage.operator.steps[before:] if who == TENANTS_ENTRY]
    (service,) = stage.simulated.world()["services"]
    order = [("DisallowPrincipal", f"{CONSUMER} on {service['id']}"), ("RejectConnection", endpoint)]
    expect(f"it left the list before it was cut: {steps}", [one for one in steps if one in order] == order)
    done = [one["action"] for one in stage.simulated.journal()["calls"][calls:] if one["effect"] == "applied"]
    # The endpoint in the tenant's other VPC, which nobody has accepted, is refused too.
    cuts = ["DisableVpcEndpointConnection"] * 2
    expect(f"the cloud has seen it in this order: {done}", done == ["RemoveUserFromVpcEndpointService", *cuts])
    stage.becomes("told that it was cut", TENANT, lambda one: not watched.holds(one, "Ready"))
    stage.show("whitelistentries", "privateendpoints")


def the_end(stage):
    """All is deleted at once, and the cloud is empty"""
    stage.delete_all()
    world = stage.simulated.world()
    expect("no endpoint is left in the cloud", not world["endpoints"])
    expect("no service is left in the cloud", not world["services"])
    left = stage.ask("get", "privatelink", "--all-namespaces", "-o", "name")
    expect("no object is left in the cluster", left.startswith("No resources found"))


#: What is told in every demo, and what is left for people to play with unless the demo ends by itself.
STEPS = [
    a_cluster,
    a_cloud_and_the_operator,
    two_accounts,
    a_service,
    an_endpoint,
    a_tenant,
    a_second_zone,
    another_security_group,
    drift,
    others_come,
    a_cut_by_hand,
    read_back,
    connected_again,
    a_smooth_migration,
    a_forced_migration,
    an_evacuation,
    let_out,
]
LAST = the_end


def settled(found):
    """An endpoint is as declared, and traffic flows in every zone of it."""
    return watched.holds(found, "Ready", "Provisioned", "Connected", "ZonesReady")


def entry_settled(found):
    """An entry's account is on the list, and all its connections are as declared."""
    return watched.holds(found, "Ready", "Allowed", "ConnectionsSettled")


def zone_settled(found):
    """A zone is served by the load balancer that is declared, and nothing of a migration is open."""
    return watched.holds(found, "Ready", "Assigned", "Connected", "Migrated")


def latest(assignment):
    """The migration that has ended last."""
    return assignment["status"].get("history", [{"id": None, "mode": None}])[0]


def outcome(assignment):
    """What came of the migration that has ended last."""
    return tuple(latest(assignment).get(one) for one in ("mode", "from", "to", "outcome", "gapSeconds"))


def history(stage):
    """Shows what has become of a zone's migrations."""
    stage.ask("get", "zoneresourceassignment", "tenant-f", "-n", "demo-gateway", "-o", f"go-template={HISTORY}")


def in_order(passed, wanted):
    """Whether `wanted` was passed in this order, whatever was passed between."""
    rest = iter(passed)
    return all(one in rest for one in wanted)


def unbroken(stage, endpoint, before):
    """The simulated cloud has watched an endpoint and each zone of it at every instant since it was read before."""
    gaps = {zone: held[0] - before[zone][0] for zone, held in legs.gaps(stage, endpoint).items()}
    expect(f"no zone of {endpoint} was ever interrupted: {gaps}", set(gaps) > {None} and not any(gaps.values()))
    stage.narrator.demo(f"the cloud has watched {endpoint} all the while: {sum(gaps.values())} instants without a leg")


def blockers(service):
    """The assignments that keep connections on a load balancer that was taken off the service."""
    return [name for row in service["status"].get("evacuation", []) for name in row.get("blockedBy", [])]


def evacuated(service):
    """Nothing leaves a load balancer of the service any more."""
    return not service["status"].get("evacuation") and watched.condition(service, "Evacuating") is None


def has_decided(entry, endpoint, decision, why):
    """Whether an entry has decided this on a connection, and says why."""
    told = [one for one in entry["status"].get("connections", []) if one["endpointId"] == endpoint]
    return any(one["decision"] == decision and why in one["reason"] for one in told)


def handled(found):
    """The last look at an object that somebody has asked for and had."""
    return found["status"].get("lastHandledReconcileAt")


def reason(found):
    """Why an object is Ready or is not."""
    said = watched.condition(found, "Ready")
    return said and said["reason"]


def connected(found):
    """How many connections a service or an entry knows to be connected."""
    return found["status"].get("connectionCounts", {}).get("connected")


def carrying(stage, endpoint):
    """The zones of an endpoint in which traffic can flow."""
    held = stage.simulated.endpoint(endpoint["status"]["endpointId"])
    return {leg["zone"] for leg in held["zones"] if leg["carries"]}


def never_interrupted(stage, endpoint):
    """The simulated cloud has watched each zone since it was connected first."""
    wanted = endpoint["status"]["endpointId"]
    tracks = [one for one in stage.simulated.journal()["witness"] if one["endpoint"] == wanted]
    if not tracks:
        raise NotTrue(f"the cloud has not watched {wanted}")
    expect("no zone was ever interrupted", all(one["up"] and one["gaps"] == 0 for one in tracks))


def connection(stage, endpoint):
    """The state of an endpoint's connection, in the cloud's own word."""
    return stage.simulated.endpoint(endpoint)["connection"]["status"]


def principals(stage):
    """Whom the service lets in, as the cloud has it."""
    (service,) = stage.simulated.world()["services"]
    return {str(one) for one in service["principals"]}


def look_at_the_service(stage):
    """The operator looks at everything every five minutes; here it is asked to look at the service at once."""
    stage.look_at_once("endpointservice", SERVICE)


def use(stage):
    """How the running cluster is used from another terminal."""
    lines = [f"export KUBECONFIG={stage.cluster.kubeconfig}"]
    if stage.cluster.is_own:
        lines.append(f"alias kubectl={stage.cluster.program}")
    lines += ["kubectl get privatelink -A", f"curl http://{stage.simulated.address}/_sim/world"]
    stage.narrator.block("", "From another terminal:", *(f"  {line}" for line in lines))
