"""The story, step by step. Each step does something, waits until the operator says that it is so, and looks in the
cloud whether that is true."""

import time

import watched
from bell import NotTrue
from simulated import CONSUMER, PROVIDER
from stage import expect

PROVIDERS_ACCOUNT = ("CloudAccount", "", "demo-provider")
CONSUMERS_ACCOUNT = ("CloudAccount", "", "demo-consumer")
SERVICE = ("EndpointService", "demo-gateway", "gateway")
OWN = ("Endpoint", "demo-gateway", "own")
TENANT = ("Endpoint", "demo-tenant", "tenant")
#: What the operator tries again by itself is tried at least every two and a half minutes; waited for in seconds.
RETRIED = 180
#: Both sides of the link, as kubectl gets them.
LINK = ("endpointservices", "privateendpoints")
#: Asks the operator for a look at once.
RECONCILE = "privatelink.dev/reconcile-requested-at"


def a_cluster(stage):
    """A control plane with the CRDs and the shipped rights"""
    stage.start_cluster()
    cluster = stage.cluster
    what = "a control plane of its own" if cluster.is_own else f"the cluster of KUBECONFIG={cluster.kubeconfig}"
    stage.narrator.demo(f"uses {what}; crds/ and deploy/base are applied")


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
    expect("the cloud accepts by itself, with 200 Mbit/s", terms == (True, 200))
    stage.show("endpointservices")


def an_endpoint(stage):
    """An endpoint in the same account, handed over to applications"""
    stage.narrator.demo("WhitelistEntry is not acted on by this version yet: the vendor's SDK stands in for it")
    whitelist(stage, PROVIDER)
    stage.apply("3-endpoint.yaml")
    endpoint = stage.becomes("Ready", OWN, settled)
    held = stage.simulated.endpoint(endpoint["status"]["endpointId"])
    addresses = {leg["zone"]: leg["ip"] for leg in held["zones"] if leg["carries"]}
    expect("both zones carry traffic", set(addresses) == {"cn-hangzhou-f", "cn-hangzhou-g"})
    expect("zone F has its fixed address", addresses["cn-hangzhou-f"] == "10.1.1.100")
    expect("the connection has the service's bandwidth", held["connection"]["bandwidthMbps"] == 200)
    data = "{{range $key, $value := .data}}{{$key}}: {{$value}}{{\"\\n\"}}{{end}}"
    published = stage.ask("get", "configmap", "gateway-link", "-n", "demo-gateway", "-o", f"go-template={data}")
    handed = dict(line.split(": ", 1) for line in published.splitlines())
    expect("the ConfigMap has the endpoint's id", handed.get("endpointId") == held["id"])
    expect("the ConfigMap has the fixed address", handed.get("zone.cn-hangzhou-f.ip") == "10.1.1.100")
    alias = stage.ask("get", "service", "gateway-link", "-n", "demo-gateway")
    expect("the Service leads to the endpoint's domain", endpoint["status"]["domain"] in alias)
    stage.show("privateendpoints")


def a_tenant(stage):
    """Another account's endpoint: Ready by itself once the provider lets it in"""
    stage.apply("4-endpoint-of-a-tenant.yaml")
    told = stage.becomes("NotWhitelisted", TENANT, lambda one: reason(one) == "NotWhitelisted")
    message = watched.condition(told, "Ready")["message"]
    expect(f"it says which account to let in, {CONSUMER}: {message}", str(CONSUMER) in message)
    stage.show("privateendpoints")
    whitelist(stage, CONSUMER)
    stage.narrator.demo("nobody tells the operator: it tries again by itself, at first after a quarter of a minute")
    endpoint = stage.becomes("Ready", TENANT, settled, patience=RETRIED)
    expect("its zone carries traffic", carrying(stage, endpoint) == {"cn-hangzhou-f"})
    stage.show("privateendpoints")


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
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    words = ["annotate", "privateendpoint", "own", "-n", "demo-gateway", "--overwrite", f"{RECONCILE}={when}"]
    stage.ask(*words)
    looked = lambda one: one["status"].get("lastHandledReconcileAt") == when and settled(one)  # noqa: E731
    stage.becomes("looked at again", OWN, looked)
    expect("it is as declared again", stage.simulated.endpoint(held)["description"] == endpoint["spec"]["description"])
    stage.show()


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
]
LAST = the_end


def settled(found):
    """An endpoint is as declared, and traffic flows in every zone of it."""
    return watched.holds(found, "Ready", "Provisioned", "Connected", "ZonesReady")


def reason(found):
    """Why an object is Ready or is not."""
    said = watched.condition(found, "Ready")
    return said and said["reason"]


def connected(found):
    """How many connections a service knows to be connected."""
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


def whitelist(stage, account):
    """The provider lets an account in, past the operator."""
    (service,) = stage.simulated.world()["services"]
    stage.narrator.cloud(f"AddUserToVpcEndpointService: account {account} is on the whitelist of {service['id']}")
    stage.simulated.provider("AddUserToVpcEndpointService", ServiceId=service["id"], UserId=account)


def use(stage):
    """How the running cluster is used from another terminal."""
    lines = [f"export KUBECONFIG={stage.cluster.kubeconfig}"]
    if stage.cluster.is_own:
        lines.append(f"alias kubectl={stage.cluster.program}")
    lines += ["kubectl get privatelink -A", f"curl http://{stage.simulated.address}/_sim/world"]
    stage.narrator.block("", "From another terminal:", *(f"  {line}" for line in lines))
