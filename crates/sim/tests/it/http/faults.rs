//! What goes wrong on purpose, and that the same client token makes it good.

use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::fault::{Fault, Rule};
use privatelink_sim::journal::{Effect, Wire};
use privatelink_sim::server::Lost;
use privatelink_sim::world::{AccountId, Variants};

use super::scene::{Scene, options, text};

fn strike(scene: &Scene, action: &str, fault: Fault) {
    let rule = Rule { action: Some(action.to_owned()), nth: 1, times: 1, fault };
    scene.simulator.with(|cloud| cloud.faults.add(rule));
}

fn services(scene: &Scene) -> usize {
    scene.simulator.with(|cloud| cloud.state().services.len())
}

#[tokio::test]
async fn a_lost_answer_and_the_same_token_make_one_object() {
    let scene = Scene::new();
    let call = [("ClientToken", "create-1"), ("ServiceDescription", "one")];
    strike(&scene, "CreateVpcEndpointService", Fault::LoseAnswer);
    assert_eq!(scene.provider.try_call("CreateVpcEndpointService", &call).await.unwrap_err(), Lost);
    assert_eq!(services(&scene), 1);
    let again = scene.provider.call("CreateVpcEndpointService", &call).await.ok();
    assert_eq!(services(&scene), 1);
    let shown = scene.provider.call("ListVpcEndpointServices", &[]).await.ok();
    assert_eq!(text(&again, "ServiceId"), text(&shown["Services"][0], "ServiceId"));
    let other = [("ClientToken", "create-1"), ("ServiceDescription", "two")];
    let reused = scene.provider.call("CreateVpcEndpointService", &other).await;
    assert_eq!(reused.refused(), (400, "IdempotenceSignatureMismatch"));
    scene.simulator.with(|cloud| {
        let calls: Vec<_> = cloud.journal.calls().map(|call| (call.effect, call.wire)).collect();
        assert_eq!(calls[0], (Effect::Applied, Wire::AnswerLost));
        assert_eq!(calls[1], (Effect::Repeated, Wire::Answered));
        assert_eq!(cloud.journal.applied(AccountId(1_001_000_000_000_001), "CreateVpcEndpointService"), 1);
    });
}

#[tokio::test]
async fn a_lost_request_does_nothing() {
    let scene = Scene::new();
    strike(&scene, "CreateVpcEndpointService", Fault::LoseRequest);
    assert_eq!(scene.provider.try_call("CreateVpcEndpointService", &[]).await.unwrap_err(), Lost);
    assert_eq!(services(&scene), 0);
}

#[tokio::test]
async fn a_refusal_on_purpose_has_its_code_and_no_effect() {
    let scene = Scene::new();
    strike(&scene, "CreateVpcEndpointService", Fault::Refuse { code: "SystemBusy".into(), status: 400 });
    assert_eq!(scene.provider.call("CreateVpcEndpointService", &[]).await.refused(), (400, "SystemBusy"));
    strike(&scene, "CreateVpcEndpointService", Fault::Throttle);
    let throttled = scene.provider.call("CreateVpcEndpointService", &[]).await;
    assert_eq!(throttled.refused(), (400, "Throttling.User"));
    assert_eq!(throttled.headers["x-acs-retry-after"], "500");
    assert_eq!(services(&scene), 0);
}

#[tokio::test]
async fn a_stale_read_shows_an_earlier_state() {
    let scene = Scene::new();
    let made = scene.provider.call("CreateVpcEndpointService", &[]).await.ok();
    let id = text(&made, "ServiceId");
    strike(&scene, "GetVpcEndpointServiceAttribute", Fault::Stale);
    let stale = scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &id)]).await;
    assert_eq!(stale.refused(), (400, "EndpointServiceNotFound"));
    scene.provider.call("GetVpcEndpointServiceAttribute", &[("ServiceId", &id)]).await.ok();
}

#[tokio::test]
async fn a_dry_run_says_that_it_would_and_does_not() {
    let scene = Scene::new();
    let service = scene.service(&[]).await;
    let dry = [("ServiceId", service.as_str()), ("UserId", "77"), ("DryRun", "True"), ("ClientToken", "t")];
    let answer = scene.provider.call("AddUserToVpcEndpointService", &dry).await;
    assert_eq!(answer.refused(), (400, "DryRunOperation"));
    let users = scene.provider.call("ListVpcEndpointServiceUsers", &[("ServiceId", &service)]).await.ok();
    assert_eq!(users["TotalCount"], "2");
    let illegal = [("ServiceId", "epsrv-1"), ("UserId", "77"), ("DryRun", "true")];
    let answer = scene.provider.call("AddUserToVpcEndpointService", &illegal).await;
    assert_eq!(answer.refused(), (400, "EndpointServiceNotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_scope_is_shut_until_the_answer_leaves() {
    let slow = Options { latency: std::time::Duration::from_millis(20), ..options() };
    let scene = Scene::with(Variants::default(), slow);
    let service = scene.service(&[]).await;
    let add = async |user: &str| {
        let call = [("ServiceId", service.as_str()), ("UserId", user)];
        scene.provider.call("AddUserToVpcEndpointService", &call).await
    };
    let (first, second) = tokio::join!(add("71"), add("72"));
    first.ok();
    assert_eq!(second.refused(), (400, "ConcurrentCallNotSupported"));
    add("72").await.ok();

    let token = async || {
        let call = [("ClientToken", "same")];
        scene.provider.call("CreateVpcEndpointService", &call).await
    };
    let (first, second) = tokio::join!(token(), token());
    let made = text(&first.ok(), "ServiceId");
    assert_eq!(second.refused(), (400, "IdempotenceProcessing"));
    assert_eq!(text(&token().await.ok(), "ServiceId"), made);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_gives_its_place_back() {
    let slow = Options { latency: std::time::Duration::from_secs(5), ..options() };
    let scene = Scene::with(Variants::default(), slow);
    let service = scene.service(&[]).await;
    let call = [("ServiceId", service.as_str()), ("UserId", "71")];
    let hurried = scene.provider.call("AddUserToVpcEndpointService", &call);
    let given_up = tokio::time::timeout(std::time::Duration::from_secs(1), hurried).await;
    assert!(given_up.is_err());
    assert!(scene.simulator.with(|cloud| cloud.state().in_flight.is_empty()));
    scene.provider.call("AddUserToVpcEndpointService", &call).await.ok();
}

#[tokio::test]
async fn chance_strikes_from_the_seed_and_the_counters_are_exact() {
    let run = async |seed: u64| {
        let rates = "throttle=0.1,unavailable=0.1,busy=0.1,lost=0.2".parse().expect("rates");
        let scene = Scene::with(Variants::default(), Options { rates, seed, ..options() });
        for _ in 0..200 {
            let _answer_or_lost = scene.provider.try_call("DescribeRegions", &[]).await;
        }
        scene.simulator.with(|cloud: &mut Cloud| {
            let counters = cloud.journal.counters().map(|(_, code, count)| (code.to_owned(), count));
            counters.collect::<std::collections::BTreeMap<_, _>>()
        })
    };
    let counted = run(7).await;
    assert_eq!(counted, run(7).await);
    assert_ne!(counted, run(8).await);
    assert_eq!(counted.values().sum::<u64>(), 200);
    for code in ["OK", "Throttling.User", "ServiceUnavailable", "SystemBusy", "Lost"] {
        assert!(counted.contains_key(code), "{code} in {counted:?}");
    }
}
