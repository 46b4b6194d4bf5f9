//! Time: a standing clock, a running one, and what is due when.

use std::time::Duration;

use jiff::SignedDuration;
use privatelink_sim::cloud::Options;
use privatelink_sim::world::Variants;

use super::client::Client;
use super::scene::{Scene, options, text};

#[tokio::test]
async fn a_standing_clock_moves_by_hand_only() {
    let scene = Scene::new();
    let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    assert_eq!((&made["ServiceStatus"], &made["CreateTime"]), (&"Creating".into(), &"2026-01-02T03:04:05Z".into()));
    let service = text(&made, "ServiceId");
    let status = async || {
        let shown = scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &service)]).await.ok();
        text(&shown, "ServiceStatus")
    };
    let advance = |millis| scene.simulator.with(|cloud| cloud.advance(SignedDuration::from_millis(millis)));
    advance(999);
    assert_eq!(status().await, "Creating");
    advance(1);
    assert_eq!(status().await, "Active");
}

#[tokio::test(start_paused = true)]
async fn a_running_clock_is_scaled_and_callers_dates_are_not() {
    let fast = Options { time_scale: 3_600.0, ..options() };
    let scene = Scene::with(Variants::default(), fast);
    let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    tokio::time::advance(Duration::from_mins(1)).await;
    let later = Client { date: "2026-01-02T03:05:05Z".into(), ..scene.provider.clone() };
    let call = [("ServiceId", made["ServiceId"].as_str().expect("an id"))];
    let shown = later.call("GetVpcEndpointServiceAttribute", &call).await;
    assert_eq!(shown.headers["date"], "Fri, 02 Jan 2026 03:05:05 GMT");
    assert_eq!(shown.ok()["ServiceStatus"], "Active");
    scene.simulator.with(|cloud| assert_eq!(cloud.clock.now().to_string(), "2026-01-04T15:04:05Z"));
    tokio::time::advance(Duration::from_mins(15)).await;
    assert_eq!(scene.provider.call("DescribeRegions", &[]).await.refused(), (400, "InvalidTimeStamp.Expired"));
}

#[tokio::test]
async fn transitions_run_in_the_order_in_which_they_are_due() {
    let scene = Scene::new();
    let service = scene.service(&[("AutoAcceptEnabled", "true")]).await;
    let endpoint = scene.endpoint(&service, &[]).await;
    scene.simulator.with(|cloud| {
        let track = cloud.journal.witness().of(privatelink_sim::alibaba::name::endpoint(&endpoint), None);
        let changes: Vec<_> = track.expect("a watched endpoint").changes().copied().collect();
        assert_eq!(changes.len(), 1, "up once and never down: {changes:?}");
        let created = cloud.journal.endpoint_created(privatelink_sim::alibaba::name::endpoint(&endpoint));
        let waited = changes[0].0.duration_since(created.expect("made"));
        assert_eq!(waited, SignedDuration::from_secs(3), "endpoint, interface, zone: a second each");
    });
}
