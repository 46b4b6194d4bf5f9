//! A service and the endpoint that refers to it, declared at once and taken away at once.

use serde_json::json;

use super::door::{Fate, Way};
use super::stage::Stage;
use super::subject::{NAME, Subject, is_settled};
use crate::api::{Endpoint, EndpointService};

/// More calls than both take.
const MOST: usize = 80;

/// Both of one account, which is on its own service's list by itself, and the endpoint first.
async fn declares_both(stage: &Stage) {
    let mut service = EndpointService::declared(stage);
    service["acceptance"] = "Automatic".into();
    let endpoint = json!({
        "accountRef": {"name": "provider"},
        "service": {"ref": {"name": NAME}},
        "type": "Interface",
        "vpcId": "vpc-provider",
        "zones": [{"subnetId": "vsw-provider-f", "zone": "cn-hangzhou-f"}],
        "securityGroupIds": ["sg-provider"],
    });
    stage.apply(&stage.of::<Endpoint>(), NAME, &endpoint).await;
    stage.apply(&stage.of::<EndpointService>(), NAME, &service).await;
}

async fn both_are_settled(stage: &Stage) -> (EndpointService, Endpoint) {
    let service = stage.until(&stage.of(), NAME, "settled", is_settled::<EndpointService>).await;
    let endpoint = stage.until(&stage.of(), NAME, "settled", is_settled::<Endpoint>).await;
    (service.expect("it is there"), endpoint.expect("it is there"))
}

async fn both_are_gone(stage: &Stage) {
    stage.gone(&stage.of::<Endpoint>(), NAME).await;
    stage.gone(&stage.of::<EndpointService>(), NAME).await;
}

#[tokio::test(start_paused = true)]
async fn both_come_and_go_though_the_process_dies_after_any_call() {
    let (mut makings, mut deletions) = (0, 0);
    for nth in 1..=MOST {
        let mut stage = Stage::dark().await;
        stage.start();
        stage.accounts_are_ready().await;
        stage.dies_at(nth, Fate::DieAfter, |asked| asked.way == Way::Cloud);
        declares_both(&stage).await;
        let making = stage.dies_before(async |stage| drop(both_are_settled(stage).await)).await;
        let (service, endpoint) = both_are_settled(&stage).await;
        service.is_there(&stage, &format!("at {nth}"));
        endpoint.is_there(&stage, &format!("at {nth}"));

        stage.dies_at(nth, Fate::DieAfter, |asked| asked.way == Way::Cloud);
        stage.delete(&stage.of::<EndpointService>(), NAME).await;
        stage.delete(&stage.of::<Endpoint>(), NAME).await;
        let deletion = stage.dies_before(async |stage| both_are_gone(stage).await).await;
        both_are_gone(&stage).await;
        assert_eq!(stage.whole_world(), json!({"services": [], "endpoints": []}), "at {nth}");
        makings += usize::from(making);
        deletions += usize::from(deletion);
        if !making && !deletion {
            break;
        }
        assert!(nth < MOST, "there is no end to its calls");
    }
    assert!(makings >= 4 && deletions >= 4, "{makings} {deletions}");
}
