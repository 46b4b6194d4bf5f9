//! The story of a load balancer that is taken off its service: its connections move one after the other, what an
//! assignment keeps there is named, putting it back stops it, and it is detached once nobody uses it, with no instant
//! without a leg.

use jiff::SignedDuration;
use privatelink_operator::api::EndpointService;
use privatelink_operator::api::service::Evacuation;
use privatelink_sim::alibaba::name;
use privatelink_sim::fixture::Fixture;
use privatelink_sim::world::Call;
use privatelink_sim::world::call::AcceptForm;
use serde_json::{Value, json};

use crate::link::{Link, REGION, lets_in, offer, second_tenant, tenant};
use crate::objects::{id, is_settled, looked_at, said};
use crate::past::{self, PROVIDER, calls};
use crate::zone_life::{is_in, pinned};

const ASSIGN: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
const CLOSE: &str = "DisableVpcEndpointZoneConnection";
/// Changes whether new connections get a load balancer.
const GIVE: &str = "UpdateVpcEndpointServiceResourceAttribute";
const DETACH: &str = "DetachResourceFromVpcEndpointService";
const ZONE: &str = "cn-hangzhou-f";

/// The provider's side with these load balancers in one zone.
fn with_balancers(ids: &[&str]) -> Value {
    let one = |id: &&str| json!({"id": id, "type": "CLB", "zone": ZONE, "autoAllocate": true});
    let removal = json!({"migration": "Smooth", "drainSeconds": 3, "maxMigrating": 1});
    offer(&[], json!({"resources": ids.iter().map(one).collect::<Vec<_>>(), "removal": removal}))
}

/// A world in which a zone moves for longer than any story takes, until the story lets it arrive.
fn slow() -> Fixture {
    let mut world = Fixture::built_in();
    world.durations.replacement = SignedDuration::from_hours(24);
    world
}

/// What is told of the load balancer that is left, and of no other.
fn leaving(service: &EndpointService) -> Option<&Evacuation> {
    let rows = service.status.as_ref().map(|status| status.evacuation.as_slice()).unwrap_or_default();
    assert!(rows.len() < 2, "one alone is left: {rows:#?}");
    rows.first()
}

/// How many move, and how many drain.
fn on_the_way(service: &EndpointService) -> (usize, usize) {
    let rows = leaving(service).map(|row| row.in_flight.as_slice()).unwrap_or_default();
    let drain = rows.iter().filter(|one| one.migrated_at.is_some()).count();
    (rows.len() - drain, drain)
}

/// Settled with nothing that leaves.
fn is_left_alone(service: &EndpointService) -> bool {
    is_settled(service) && leaving(service).is_none() && said(service, "Evacuating").is_none()
}

/// The endpoints whose zone this load balancer serves.
fn served_by<'e>(link: &Link, endpoints: &[&'e str], balancer: &str) -> Vec<&'e str> {
    endpoints.iter().filter(|one| link.legs(one)[ZONE].0 == balancer).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_leave_one_after_the_other_but_for_the_one_that_is_pinned_and_putting_it_back_stops_that() {
    let mut link = Link::start_with("zone evacuation", slow()).await;
    let service = link.provider.settled("gateway", &with_balancers(&["lb-hot"])).await;
    link.entries.settled("tenant", &lets_in(json!({"connections": {"action": "Accept"}}))).await;
    let by_id = json!({"id": id(&service)});
    let first = link.consumer.settled("db", &tenant(&by_id, &["f"])).await;
    let second = link.consumer.settled("second", &second_tenant(&by_id, &["f"])).await;
    // One of the provider's own, which nobody has declared and no entry decides on.
    let at = ("vpc-provider", "vsw-provider-f", "sg-provider");
    let third = past::joins(&link.operator.sim, PROVIDER, REGION, name::service(id(&service)), at);
    link.as_provider(|_| Call::AcceptConnection(third, AcceptForm::default()));
    let third_id = name::of_endpoint(third.endpoint);
    let (first, second) = (id(&first).to_owned(), id(&second).to_owned());
    let all = [first.as_str(), second.as_str(), third_id.as_str()];
    link.assignments.settled("second-f", &pinned(&second, ZONE, "lb-hot", json!({}))).await;
    link.provider.settled("gateway", &with_balancers(&["lb-hot", "lb-spare"])).await;
    link.provider.looks_again("gateway", "the third has come").await;
    link.spent();

    // It moves one, and no second one meanwhile.
    link.provider.apply("gateway", &with_balancers(&["lb-spare"])).await;
    let moves = |one: &EndpointService| looked_at(one) && on_the_way(one) == (1, 0);
    let leaves = link.provider.becomes("gateway", "moving one", moves).await;
    let row = leaving(&leaves).expect("it is told").clone();
    assert_eq!((row.resource_id.as_str(), row.zone.as_deref()), ("lb-hot", Some(ZONE)));
    assert_eq!((row.blocked_by.as_slice(), row.moved), (&["second-f".to_owned()][..], 0));
    assert_eq!(row.in_flight[0].to, "lb-spare");
    assert_ne!(row.in_flight[0].endpoint_id, second, "the one that is pinned stays");
    assert_eq!(said(&leaves, "Evacuating").map(|(status, ..)| status), Some("True"));
    link.provider.is_looked_at("gateway", "one moves").await;
    assert_eq!(link.spent(), calls([(GIVE, 1), (ASSIGN, 1)]), "removal.maxMigrating is 1");

    // Put back: what has set out arrives and is closed, and nobody else sets out.
    link.provider.apply("gateway", &with_balancers(&["lb-hot", "lb-spare"])).await;
    link.provider.becomes("gateway", "looked at", looked_at).await;
    link.settles();
    link.provider.becomes("gateway", "left alone", is_left_alone).await;
    link.provider.looks_again("gateway", "it was put back").await;
    assert_eq!(link.spent(), calls([(GIVE, 1), (CLOSE, 1)]));
    assert_eq!(served_by(&link, &all, "lb-spare"), [row.in_flight[0].endpoint_id.as_str()]);
    for endpoint in all {
        link.never_stopped(endpoint);
    }

    // Taken off again, the other one moves too, drains and is closed.
    link.provider.apply("gateway", &with_balancers(&["lb-spare"])).await;
    link.provider.becomes("gateway", "moving the other", moves).await;
    assert_eq!(link.spent(), calls([(GIVE, 1), (ASSIGN, 1)]));
    link.settles();
    let drains = |one: &EndpointService| looked_at(one) && on_the_way(one) == (0, 1);
    let drains = link.provider.becomes("gateway", "draining", drains).await;
    let flight = leaving(&drains).expect("it is told").in_flight[0].clone();
    let (at, until) = (flight.migrated_at.expect("a time"), flight.drain_until.expect("a time"));
    assert_eq!(until.0.duration_since(at.0), SignedDuration::from_secs(3));
    let blocked = |one: &EndpointService| {
        leaving(one).is_some_and(|row| row.in_flight.is_empty() && row.moved == 1 && row.remaining == 1)
            && said(one, "Evacuating").is_some_and(|(_, why, _)| why == "BlockedByDependents")
    };
    let blocked = link.provider.becomes("gateway", "kept by one", blocked).await;
    let (_, _, message) = said(&blocked, "Evacuating").expect("it is said");
    assert!(message.contains("ZoneResourceAssignment second-f keeps connections on lb-hot"), "{message}");
    assert_eq!(link.spent(), calls([(CLOSE, 1)]));
    assert_eq!(served_by(&link, &all, "lb-hot"), [second.as_str()]);

    // Whoever pins it moves it, and the load balancer goes.
    let soon = json!({"migration": {"drainSeconds": 0}});
    link.assignments.apply("second-f", &pinned(&second, ZONE, "lb-spare", soon)).await;
    link.assignments.says("second-f", "Migrating").await;
    link.operator.has_written(ASSIGN).await;
    link.assignments.becomes("second-f", "migrating", is_in("Migrating")).await;
    link.settles();
    link.assignments.becomes("second-f", "settled", is_settled).await;
    link.provider.becomes("gateway", "rid of it", is_left_alone).await;
    assert_eq!(link.spent(), calls([(ASSIGN, 1), (CLOSE, 1), (DETACH, 1)]));
    assert_eq!(served_by(&link, &all, "lb-spare"), all);
    for endpoint in all {
        link.never_stopped(endpoint);
    }
    let world = link.operator.world();
    let attached: Vec<_> = world["services"][0]["resources"].as_array().expect("a list").iter().collect();
    assert_eq!(attached.len(), 1, "{attached:#?}");
    assert_eq!(attached[0]["resourceId"], "lb-spare");

    link.assignments.goes("second-f").await;
    past::call(&link.operator.sim, PROVIDER, REGION, |state| {
        Call::RemoveZone(third.endpoint, *state.endpoints[&third.endpoint].zones.keys().next().expect("it has a zone"))
    });
    past::call(&link.operator.sim, PROVIDER, REGION, |_| Call::DeleteEndpoint(third.endpoint));
    for endpoint in ["db", "second"] {
        link.consumer.goes(endpoint).await;
    }
    link.entries.goes("tenant").await;
    link.provider.looks_again("gateway", "all have left").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}
