"""Calls of a provider on a connection, its zones and the resources behind them that the cloud refuses."""

import land
from land import CLB_F1, CLB_F2, CLB_G2, ZONE_F, ZONE_G, ZONE_H
from refusal_row import (
    LEG,
    LINK,
    asking,
    automatic,
    beside,
    connecting,
    consumer_owes,
    cut,
    disconnecting,
    joining,
    migrating,
    of_kind,
    provider_owes,
    row_by,
    small_connected,
    waiting_while_provider_owes,
    without_resources,
)
from scene import clb, connected, empty, migrated, served, waiting, zone_cut

row = row_by("provider")

ACCEPT = "EnableVpcEndpointConnection"
CUT = "DisableVpcEndpointConnection"
TUNE = "UpdateVpcEndpointConnectionAttribute"
CONNECT_ZONE = "EnableVpcEndpointZoneConnection"
CUT_ZONE = "DisableVpcEndpointZoneConnection"
ASSIGN = "UpdateVpcEndpointZoneConnectionResourceAttribute"

NO_ENDPOINT = {"ServiceId": "{service}", "EndpointId": "ep-none"}
NO_SERVICE = {"ServiceId": "epsrv-none", "EndpointId": "ep-none"}
GRACEFUL = {"ResourceReplaceMode": "Graceful"}
MANUAL = {"ResourceAllocateMode": "Manual"}

CONNECTIONS = [
    row("EndpointServiceNotFound", "accepted on none", empty, ACCEPT, NO_SERVICE),
    row("EndpointServiceNotFound", "accepted by its consumer", waiting, ACCEPT, LINK, who="consumer"),
    row("EndpointConnectionNotFound", "none accepted", served, ACCEPT, NO_ENDPOINT),
    row("EndpointConnectionNotFound", "another service's accepted", beside, ACCEPT, LINK),
    row("EndpointConnectionNotFound", "none cut", served, CUT, NO_ENDPOINT),
    row("EndpointConnectionNotFound", "none changed", served, TUNE, {**NO_ENDPOINT, "Bandwidth": 200}),
    row("EndpointServiceNotFound", "cut on none", empty, CUT, NO_SERVICE),
    row("EndpointConnectionOperationDenied", "accepted while it connects", connecting, ACCEPT, LINK),
    row("EndpointConnectionOperationDenied", "accepted while it stands", connected, ACCEPT, LINK),
    row("EndpointOperationDenied", "accepted while its endpoint is made", asking, ACCEPT, LINK),
    row("OperationDenied.NoAvailableServiceResource", "nothing to serve", without_resources, ACCEPT, LINK),
    row("EndpointConnectionOperationDenied", "cut while it connects", connecting, CUT, LINK),
    row("EndpointConnectionOperationDenied", "cut twice", disconnecting, CUT, LINK),
    row(
        "EndpointConnectionOperationDenied",
        "refused twice, where that is refused",
        cut,
        CUT,
        LINK,
        variants={"rejectDisconnectedRefused": "true"},
    ),
    row(
        "EndpointConnectionOperationDenied",
        "changed before it stands",
        waiting,
        TUNE,
        {**LINK, "Bandwidth": 200},
    ),
    row(
        "UpdateBandWidthUnSupported",
        "an NLB's bandwidth, where it has none",
        of_kind("nlb", land.NLB),
        TUNE,
        {**LINK, "Bandwidth": 200, "TrafficControlMode": "BandwidthLimit"},
        variants={"nlbTakesBandwidth": "false"},
    ),
    row(
        "UpdateBandWidthUnSupported",
        "a CLB made elastic",
        connected,
        TUNE,
        {**LINK, "TrafficControlMode": "Scalability"},
    ),
    row("InvalidParameter.Bandwidth", "accepted with too little", waiting, ACCEPT, {**LINK, "Bandwidth": 99}),
    row("InvalidParameter.Bandwidth", "changed to too much", connected, TUNE, {**LINK, "Bandwidth": 10241}),
    row("EndpointServiceLocked", "accepted by a debtor", waiting_while_provider_owes, ACCEPT, LINK),
]

ZONES = [
    row("IncorrectStatus.VpcEndpointZone", "connected twice", connected, CONNECT_ZONE, LEG),
    row("IncorrectStatus.VpcEndpointZone", "cut twice", zone_cut, CUT_ZONE, LEG),
    row(
        "IncorrectStatus.VpcEndpointZone",
        "an old side closed that is not there",
        connected,
        CUT_ZONE,
        {**LEG, "ReplacedResource": True},
    ),
    row(
        "IncorrectStatus.VpcEndpointZone",
        "cut without naming the old side, where that is refused",
        migrated,
        CUT_ZONE,
        LEG,
        variants={"cutOfMigratedHitsCurrent": "false"},
    ),
    row("IncorrectStatus.VpcEndpointConnection", "connected before acceptance", waiting, CONNECT_ZONE, LEG),
    row("IncorrectStatus.VpcEndpointConnection", "cut before acceptance", waiting, CUT_ZONE, LEG),
    row(
        "IncorrectStatus.VpcEndpointService",
        "cut while a leg migrates",
        migrating,
        CUT_ZONE,
        {**LINK, "ZoneId": ZONE_G},
    ),
    row("IncorrectStatus.VpcEndpoint", "cut while the endpoint changes", joining, CUT_ZONE, LEG),
    row("IncorrectBusinessStatus.VpcEndpoint", "cut, the consumer owes", consumer_owes, CUT_ZONE, LEG),
    row("IncorrectBusinessStatus.VpcEndpointService", "cut, the provider owes", provider_owes, CUT_ZONE, LEG),
    row(
        "ResourceNotFound.VpcEndpointService",
        "connected, no service",
        empty,
        CONNECT_ZONE,
        {**NO_SERVICE, "ZoneId": ZONE_F},
        status=404,
    ),
    row(
        "ResourceNotFound.VpcEndpointConnection",
        "cut, no connection",
        served,
        CUT_ZONE,
        {**NO_ENDPOINT, "ZoneId": ZONE_F},
        status=404,
    ),
    row(
        "ResourceNotFound.VpcEndpointZone",
        "cut, no zone",
        connected,
        CUT_ZONE,
        {**LINK, "ZoneId": ZONE_H},
        status=404,
    ),
]

REPLACEMENTS = [
    row(
        "OperationDenied.CurrentResourceAutoAllocated",
        "still picked",
        automatic,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(CLB_F2)},
    ),
    row(
        "Mismatch.ZoneId", "a resource of another zone", connected, ASSIGN, {**LEG, **GRACEFUL, **clb(CLB_G2)}
    ),
    row("Mismatch.ZoneId", "chosen, of another zone", waiting, ASSIGN, {**LEG, **MANUAL, **clb(CLB_G2)}),
    row(
        "EndpointZoneNotFound",
        "no such zone",
        connected,
        ASSIGN,
        {**LINK, "ZoneId": ZONE_H, **GRACEFUL, **clb(CLB_F2)},
    ),
    row(
        "EndpointServiceNotFound",
        "no service",
        empty,
        ASSIGN,
        {**NO_SERVICE, "ZoneId": ZONE_F, **GRACEFUL, **clb(CLB_F2)},
    ),
    row(
        "EndpointServiceNotFound",
        "by the consumer",
        connected,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(CLB_F2)},
        who="consumer",
    ),
    row(
        "EndpointConnectionNotFound",
        "no connection",
        served,
        ASSIGN,
        {**NO_ENDPOINT, "ZoneId": ZONE_F, **GRACEFUL, **clb(CLB_F2)},
    ),
    row(
        "IllegalParam.ResourceAllocateMode",
        "no such mode",
        waiting,
        ASSIGN,
        {**LEG, "ResourceAllocateMode": "Random", **clb(CLB_F1)},
    ),
    row(
        "IllegalParam.ResourceReplaceMode",
        "no such mode",
        connected,
        ASSIGN,
        {**LEG, "ResourceReplaceMode": "SmoothMigration", **clb(CLB_F2)},
    ),
    row(
        "IllegalParam.ResourceReplaceMode",
        "both modes at once",
        connected,
        ASSIGN,
        {**LEG, **GRACEFUL, **MANUAL, **clb(CLB_F2)},
    ),
    row(
        "MissingParam.ResourceId",
        "replaced by nothing",
        connected,
        ASSIGN,
        {**LEG, **GRACEFUL, "ResourceType": "slb"},
    ),
    row(
        "MissingParam.ResourceId", "nothing chosen", waiting, ASSIGN, {**LEG, **MANUAL, "ResourceType": "slb"}
    ),
    row("MissingParam.ResourceAllocateMode", "no mode", waiting, ASSIGN, {**LEG, **clb(CLB_F1)}),
    row(
        "EndpointServiceResourceTypeNotSupport",
        "an NLB replaced",
        of_kind("nlb", land.NLB),
        ASSIGN,
        {**LEG, **GRACEFUL, "ResourceId": land.NLB_V6, "ResourceType": "nlb"},
    ),
    row(
        "EndpointServiceResourceNotFound",
        "not attached",
        connected,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(land.CLB_F3)},
    ),
    row("ZoneOperationDenied", "replaced by itself", connected, ASSIGN, {**LEG, **GRACEFUL, **clb(CLB_F1)}),
    row(
        "ZoneOperationDenied",
        "replaced again before the old side is closed",
        migrated,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(CLB_F1)},
    ),
    row(
        "EndpointConnectionOperationDenied",
        "replaced before acceptance",
        waiting,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(CLB_F1)},
    ),
    row(
        "EndpointConnectionOperationDenied",
        "chosen after acceptance",
        connected,
        ASSIGN,
        {**LEG, **MANUAL, **clb(CLB_F2)},
    ),
    row(
        "EndpointConnectionOperationDenied",
        "left to the cloud after acceptance",
        connected,
        ASSIGN,
        {**LEG, "ResourceAllocateMode": "Auto"},
    ),
    row(
        "EndpointServiceLocked",
        "while another leg migrates",
        migrating,
        ASSIGN,
        {**LINK, "ZoneId": ZONE_G, **GRACEFUL, **clb(CLB_G2)},
    ),
    row(
        "EndpointServiceLocked",
        "the provider owes",
        provider_owes,
        ASSIGN,
        {**LEG, **GRACEFUL, **clb(CLB_F2)},
    ),
    row("EndpointLocked", "the consumer owes", consumer_owes, ASSIGN, {**LEG, **GRACEFUL, **clb(CLB_F2)}),
    row(
        "NoPermission",
        "not granted",
        small_connected,
        ASSIGN,
        {**LEG, **MANUAL, **clb(land.SMALL_CLBS[0])},
        who="small",
    ),
    row(
        "OperationDenied.FeatureNotEnabled",
        "not granted, said otherwise",
        small_connected,
        ASSIGN,
        {**LEG, **MANUAL, **clb(land.SMALL_CLBS[0])},
        who="small",
        variants={"assignmentNotGrantedCode": "OperationDenied.FeatureNotEnabled"},
    ),
]

ROWS = [*CONNECTIONS, *ZONES, *REPLACEMENTS]
