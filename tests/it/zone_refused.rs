//! What keeps a zone from another load balancer is told before the cloud is asked, by the words of docs/zones.md, and
//! the zone moves by itself once it is mended.

use serde_json::{Value, json};

use crate::link::{Link, lets_in, offer, tenant};
use crate::objects::{id, is_settled, said};
use crate::past::{PROVIDER, calls};
use crate::zone_life::pinned;

const ASSIGN: &str = "UpdateVpcEndpointZoneConnectionResourceAttribute";
const CLOSE: &str = "DisableVpcEndpointZoneConnection";
/// Changes whether new connections get a load balancer.
const GIVE: &str = "UpdateVpcEndpointServiceResourceAttribute";
const ZONE: &str = "cn-hangzhou-f";

/// Two load balancers in one zone, as far as new connections get each, and one in another zone.
fn given(hot: bool, spare: bool) -> Value {
    let one = |id: &str, zone: &str, auto: bool| json!({"id": id, "type": "CLB", "zone": zone, "autoAllocate": auto});
    let resources = [one("lb-hot", ZONE, hot), one("lb-spare", ZONE, spare), one("lb-hot-g", "cn-hangzhou-g", true)];
    offer(&[], json!({"resources": resources}))
}

/// The provider may say which load balancer serves a zone, or may not.
fn may_assign(link: &Link, may: bool) {
    link.operator.sim.with(|cloud| {
        cloud.catch_up();
        let mut state = cloud.state().clone();
        state.accounts.get_mut(&PROVIDER.account).expect("it is in the world").may_assign_resources = may;
        cloud.set_state(state);
    });
}

/// Declares this load balancer for the zone of the endpoint; it is told why that cannot be, and nothing is changed.
async fn refused(link: &mut Link, endpoint: &str, resource: &str, reason: &str, message: &str) {
    let at_once = json!({"migration": {"drainSeconds": 0}});
    link.assignments.apply("db-f", &pinned(endpoint, ZONE, resource, at_once)).await;
    link.assignments.says_where("db-f", reason, |told| told.starts_with(message)).await;
    let before = link.assignments.api.get("db-f").await.expect("it is there");
    assert_eq!(said(&before, "Connected").map(|(status, ..)| status), Some("True"), "what is connected stays so");
    assert_eq!(before.status.and_then(|status| status.migration), None, "no migration has begun");
    assert_eq!(link.spent(), calls([]), "{reason}");
}

/// The zone is served by this load balancer, by these calls.
async fn moves_by_itself<const N: usize>(link: &mut Link, endpoint: &str, to: &str, by: [(&str, usize); N]) {
    link.assignments.becomes("db-f", "settled", is_settled).await;
    assert_eq!(link.legs(endpoint)[ZONE], (to.to_owned(), None));
    link.provider.becomes("gateway", "settled", is_settled).await;
    assert_eq!(link.spent(), calls(by));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_the_cloud_would_refuse_is_not_asked_for_and_made_once_it_can_be() {
    let mut link = Link::start("zone refused").await;
    let service = link.provider.settled("gateway", &given(true, false)).await;
    link.entries.settled("tenant", &lets_in(json!({"connections": {"action": "Accept"}}))).await;
    let endpoint = link.consumer.settled("db", &tenant(&json!({"id": id(&service)}), &["f"])).await;
    let endpoint = id(&endpoint).to_owned();
    link.assignments.settled("db-f", &pinned(&endpoint, ZONE, "lb-hot", json!({}))).await;
    link.provider.settled("gateway", &given(true, true)).await;
    link.spent();

    let nowhere = "lb-third is not one of the load balancers of ";
    refused(&mut link, &endpoint, "lb-third", "ReferenceNotFound", nowhere).await;
    let elsewhere = "lb-hot-g does not serve cn-hangzhou-f: set resourceId to one of that zone: lb-hot, lb-spare";
    refused(&mut link, &endpoint, "lb-hot-g", "InvalidSpec", elsewhere).await;
    let given_out = "lb-hot is still given to new connections, and the cloud replaces no such load balancer";
    refused(&mut link, &endpoint, "lb-spare", "ResourceStillAutoAllocated", given_out).await;
    link.provider.apply("gateway", &given(false, true)).await;
    moves_by_itself(&mut link, &endpoint, "lb-spare", [(GIVE, 1), (ASSIGN, 1), (CLOSE, 1)]).await;

    let last = "lb-spare is the last load balancer in cn-hangzhou-f that is given to new connections";
    refused(&mut link, &endpoint, "lb-hot", "LastAutoAllocatedInZone", last).await;
    link.provider.apply("gateway", &given(true, false)).await;
    moves_by_itself(&mut link, &endpoint, "lb-hot", [(GIVE, 2), (ASSIGN, 1), (CLOSE, 1)]).await;

    link.provider.settled("gateway", &given(false, true)).await;
    link.spent();
    may_assign(&link, false);
    let at_once = json!({"migration": {"drainSeconds": 0}});
    link.assignments.apply("db-f", &pinned(&endpoint, ZONE, "lb-spare", at_once)).await;
    link.assignments
        .says_where("db-f", "FeatureNotEnabled", |told| told.contains("may not assign load balancers to zones"))
        .await;
    assert_eq!(link.spent(), calls([]));
    may_assign(&link, true);
    link.assignments.is_looked_at("db-f", "the account may now").await;
    moves_by_itself(&mut link, &endpoint, "lb-spare", [(ASSIGN, 1), (CLOSE, 1)]).await;
    link.never_stopped(&endpoint);
    link.assignments.goes("db-f").await;
    link.consumer.goes("db").await;
    link.entries.goes("tenant").await;
    link.provider.goes("gateway").await;

    let network = json!({"resources": [{"id": "nlb-hot", "type": "NLB", "zone": ZONE}]});
    link.provider.settled("gateway", &offer(&[], network)).await;
    link.spent();
    link.assignments.apply("db-f", &pinned("ep-anybody", ZONE, "nlb-hot", json!({}))).await;
    link.assignments
        .says_where("db-f", "UnsupportedByCloud", |told| {
            told.contains("of type NLB, and the cloud lets those of type CLB and ALB alone be assigned")
        })
        .await;
    assert_eq!(link.spent(), calls([]));
    link.assignments.goes("db-f").await;
    link.provider.goes("gateway").await;
    link.stop().await;
}
