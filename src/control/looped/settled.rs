//! From apply to Ready and back to nothing, and what a world costs in which nothing happens.

use std::time::Duration;

use serde_json::json;

use super::stage::Stage;

#[tokio::test(start_paused = true)]
async fn a_service_is_made_and_taken_away() {
    let stage = Stage::set().await;
    let services = stage.services();
    let spec = json!({"accountRef": {"name": "provider"}, "resources": [{"id": "lb-hot", "type": "CLB", "zone": "cn-hangzhou-f"}]});
    stage.apply(&services, "gateway", &spec).await;
    let ready = |object: Option<&crate::api::EndpointService>| {
        object.and_then(|one| one.status.as_ref()).is_some_and(|status| {
            status.common.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
        })
    };
    stage.until(&services, "gateway", "Ready", ready).await;
    println!("{:#?}", stage.asked().iter().map(|asked| asked.what.clone()).collect::<Vec<_>>());
    println!("{:#?}", stage.world("services"));
    stage.later(Duration::from_secs(3600)).await;
    println!("{:#?}", stage.asked().iter().map(|asked| asked.what.clone()).collect::<Vec<_>>());
    stage.delete(&services, "gateway").await;
    stage.gone(&services, "gateway").await;
    println!("{:#?}", stage.world("services"));
}
