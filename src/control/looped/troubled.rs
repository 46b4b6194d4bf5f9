//! What goes wrong around the loop: watches that end, writes that are overtaken, answers that are lost, an API
//! server and a cloud that answer nothing for a while, a status that is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt as _};
use serde_json::Value;
use tokio::time::Instant;

use super::door::{Asked, Fate, Way};
use super::stage::Stage;
use super::subject::{NAME, Subject, has_no_credentials, is_settled, said};
use crate::api::{Endpoint, EndpointService, WhitelistEntry};

fn writes_a_status(asked: &Asked) -> bool {
    asked.way == Way::Kube && asked.what.ends_with(&format!("/{NAME}/status"))
}

/// Makes an object, changes it and takes it away, each time by what was declared and with one thing in the world.
async fn lives_through<S: Subject>(stage: &Stage, api: &Api<S>, spec: &Value, between: impl Fn(&Stage)) {
    stage.apply(api, NAME, spec).await;
    between(stage);
    let made = stage.settled(api).await;
    made.is_there(stage, "made");
    stage.apply(api, NAME, &S::changed(spec, 1)).await;
    between(stage);
    let changed = stage.settled(api).await;
    changed.is_there(stage, "changed");
    S::is_changed(stage, 1);
    stage.delete(api, NAME).await;
    between(stage);
    stage.gone(api, NAME).await;
    S::is_gone(stage, "deleted");
}

/// Watches are dropped at each change, and what happened meanwhile is forgotten.
async fn lives_without_watches<S: Subject>() {
    for forgets in [false, true] {
        let (stage, api, spec) = Stage::ready_for::<S>().await;
        drop(stage.asked());
        let dropped = |stage: &Stage| {
            stage.api.drop_watches();
            if forgets {
                stage.api.forget_history();
            }
        };
        lives_through(&stage, &api, &spec, dropped).await;
        let listed =
            stage.asked().iter().any(|asked| asked.what.starts_with("GET ") && asked.what.ends_with("/namespaces"));
        assert_eq!(listed, forgets, "all is listed again where the history is forgotten, and nothing where it is not");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_follows_its_manifest_though_watches_are_dropped() {
    lives_without_watches::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_follows_its_manifest_though_watches_are_dropped() {
    lives_without_watches::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_follows_its_manifest_though_watches_are_dropped() {
    lives_without_watches::<WhitelistEntry>().await;
}

/// No watch delivers anything after the operator's first write: what it wrote itself it knows all the same.
async fn lives_without_news<S: Subject>() {
    let (stage, api, spec) = Stage::ready_for::<S>().await;
    let held = stage.api.clone();
    stage.board.judged_by(move |asked| {
        if asked.way == Way::Kube && asked.writes {
            held.hold_watches(true);
        }
        Fate::Pass
    });
    stage.apply(&api, NAME, &spec).await;
    let made = stage.settled(&api).await;
    made.is_there(&stage, "made");
    // Sweeps go on, and each shows drift, which is a turn of an object that is known as it was at first.
    stage.board.judged_by(|_| Fate::Pass);
    let effects = stage.effects().len();
    stage.drifts::<S>(2);
    stage.later(Duration::from_mins(10)).await;
    assert_eq!(stage.effects().len(), effects + 1, "drift is corrected once: {:?}", stage.effects());
    stage.api.hold_watches(false);
    stage.later(Duration::from_mins(1)).await;
    let known = stage.settled(&api).await;
    known.is_there(&stage, "known again");
    assert_eq!(stage.effects().len(), effects + 1);
    stage.delete(&api, NAME).await;
    stage.gone(&api, NAME).await;
    S::is_gone(&stage, "deleted");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_no_watch_shows_keeps_what_was_written_down() {
    lives_without_news::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_no_watch_shows_keeps_what_was_written_down() {
    lives_without_news::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_no_watch_shows_keeps_what_was_written_down() {
    lives_without_news::<WhitelistEntry>().await;
}

/// Somebody else changes the object before each write of its status, once.
async fn lives_through_conflicts<S: Subject>() {
    let (stage, api, spec) = Stage::ready_for::<S>().await;
    drop(stage.asked());
    let mut overtaken = false;
    stage.board.judged_by(move |asked| {
        overtaken = writes_a_status(asked) && !overtaken;
        if overtaken { Fate::Overtake } else { Fate::Pass }
    });
    lives_through(&stage, &api, &spec, |_| {}).await;
    let writes = stage.asked().iter().filter(|asked| writes_a_status(asked)).count();
    assert!(writes >= 8, "each write is made twice: {writes}");
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_a_conflict_at_each_write_of_its_status() {
    lives_through_conflicts::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_a_conflict_at_each_write_of_its_status() {
    lives_through_conflicts::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_a_conflict_at_each_write_of_its_status() {
    lives_through_conflicts::<WhitelistEntry>().await;
}

/// The first call of each action that writes goes wrong in this way.
async fn lives_through_losses<S: Subject>(fate: Fate) {
    let (stage, api, spec) = Stage::ready_for::<S>().await;
    let mut struck = BTreeSet::new();
    stage.board.judged_by(move |asked| {
        let strikes = asked.way == Way::Cloud && asked.writes && struck.insert(asked.what.clone());
        if strikes { fate } else { Fate::Pass }
    });
    lives_through(&stage, &api, &spec, |_| {}).await;
    let asked = stage.asked();
    let actions: Vec<&str> =
        asked.iter().filter(|asked| asked.way == Way::Cloud && asked.writes).map(|asked| asked.what.as_str()).collect();
    let distinct: BTreeSet<&str> = actions.iter().copied().collect();
    assert!(distinct.len() >= 3, "made, changed, deleted: {distinct:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_lost_answers_of_all_its_writes() {
    lives_through_losses::<EndpointService>(Fate::LoseAnswer).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_lost_answers_of_all_its_writes() {
    lives_through_losses::<Endpoint>(Fate::LoseAnswer).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_lost_answers_of_all_its_writes() {
    lives_through_losses::<WhitelistEntry>(Fate::LoseAnswer).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_calls_that_never_arrive() {
    lives_through_losses::<EndpointService>(Fate::LoseRequest).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_calls_that_never_arrive() {
    lives_through_losses::<Endpoint>(Fate::LoseRequest).await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_calls_that_never_arrive() {
    lives_through_losses::<WhitelistEntry>(Fate::LoseRequest).await;
}

/// After the `nth` request to the API server, for minutes none is answered.
async fn lives_through_silence<S: Subject>(nth: usize, fate: Fate) {
    let (stage, api, spec) = Stage::ready_for::<S>().await;
    let (mut count, mut until) = (0, None);
    stage.board.judged_by(move |asked| {
        count += usize::from(asked.way == Way::Kube && asked.writes);
        if count < nth || asked.way == Way::Cloud {
            return Fate::Pass;
        }
        let until = *until.get_or_insert(asked.at + Duration::from_mins(6));
        if asked.at < until { fate } else { Fate::Pass }
    });
    let began = Instant::now();
    lives_through(&stage, &api, &spec, |stage| stage.api.drop_watches()).await;
    assert!(began.elapsed() > Duration::from_mins(6), "the API server was silent: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_service_outlives_an_api_server_that_refuses_everything_for_a_while() {
    for nth in 1..=5 {
        lives_through_silence::<EndpointService>(nth, Fate::Refuse(503)).await;
        lives_through_silence::<EndpointService>(nth, Fate::LoseAnswer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_outlives_an_api_server_that_refuses_everything_for_a_while() {
    for nth in 1..=5 {
        lives_through_silence::<Endpoint>(nth, Fate::Refuse(500)).await;
        lives_through_silence::<Endpoint>(nth, Fate::LoseRequest).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_outlives_an_api_server_that_refuses_everything_for_a_while() {
    for nth in 1..=5 {
        lives_through_silence::<WhitelistEntry>(nth, Fate::Refuse(503)).await;
        lives_through_silence::<WhitelistEntry>(nth, Fate::LoseAnswer).await;
    }
}

/// While the cloud answers nothing, the object says so after minutes, and no sooner; it is ready again once
/// something is seen.
async fn says_that_it_is_blind<S: Subject>() {
    let (stage, api, _) = Stage::with_settled::<S>().await;
    stage.later(Duration::from_mins(10)).await;
    let effects = stage.effects();
    stage.board.judged_by(|asked| if asked.way == Way::Cloud { Fate::LoseRequest } else { Fate::Pass });
    let began = Instant::now();
    let blind =
        |object: Option<&S>| object.is_some_and(|one| said(one, "Ready") == Some(("False", "CloudUnavailable")));
    stage.until(&api, NAME, "blind", blind).await;
    let after = began.elapsed();
    assert!(after >= Duration::from_mins(2) && after < Duration::from_mins(10), "{after:?}");
    stage.board.judged_by(|_| Fate::Pass);
    let began = Instant::now();
    let seen = stage.settled(&api).await;
    assert!(began.elapsed() <= Duration::from_mins(2), "{:?}", began.elapsed());
    seen.is_there(&stage, "seen again");
    assert_eq!(stage.effects(), effects, "nothing is written for that");
}

#[tokio::test(start_paused = true)]
async fn a_service_says_that_nothing_is_seen_until_something_is() {
    says_that_it_is_blind::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_says_that_nothing_is_seen_until_something_is() {
    says_that_it_is_blind::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_says_that_nothing_is_seen_until_something_is() {
    says_that_it_is_blind::<WhitelistEntry>().await;
}

/// The status is lost, the account cannot be used, and the object is deleted: what was made is not left behind.
async fn is_not_let_go_without_its_status<S: Subject>() {
    let (mut stage, api, _) = Stage::with_settled::<S>().await;
    let world = stage.whole_world();
    stage.kill().await;
    stage.loses_status(&api, NAME).await;
    let secret = stage.loses_keys(S::ACCOUNT).await;
    stage.start();
    stage.until(&api, NAME, "stuck", has_no_credentials).await;
    stage.delete(&api, NAME).await;
    stage.later(Duration::from_hours(1)).await;
    let kept = stage.until(&api, NAME, "kept", |object| object.is_some()).await.expect("it is there");
    assert!(kept.meta().deletion_timestamp.is_some());
    assert_eq!(stage.whole_world(), world);
    stage.has_keys_again(secret).await;
    stage.gone(&api, NAME).await;
    S::is_gone(&stage, "deleted");
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_status_and_account_are_lost_is_not_let_go() {
    is_not_let_go_without_its_status::<EndpointService>().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_whose_status_and_account_are_lost_is_not_let_go() {
    is_not_let_go_without_its_status::<Endpoint>().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_status_and_account_are_lost_is_not_let_go() {
    is_not_let_go_without_its_status::<WhitelistEntry>().await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_asked_to_end_in_the_midst_of_a_making_ends_and_the_next_goes_on() {
    let (mut stage, api, spec) = Stage::ready_for::<EndpointService>().await;
    stage.apply(&api, NAME, &spec).await;
    let pinned = |one: Option<&EndpointService>| one.is_some_and(|one| one.status.is_some());
    stage.until(&api, NAME, "pinned", pinned).await;
    stage.end().await;
    assert!(!is_settled(api.get_opt(NAME).await.expect("it is read").as_ref()), "it has ended before the making has");
    stage.start();
    let ready = stage.settled(&api).await;
    ready.is_there(&stage, "started again");
}

#[tokio::test(start_paused = true)]
async fn what_a_zone_that_has_left_was_published_with_leaves_too() {
    let (stage, api, mut spec) = Stage::with_settled::<Endpoint>().await;
    let maps = stage.of::<ConfigMap>();
    let keys = |map: Option<&ConfigMap>, zone: &str| {
        map.into_iter().flat_map(|map| map.data.iter().flatten()).any(|(key, _)| key.contains(zone))
    };
    let both = |map: Option<&ConfigMap>| keys(map, "cn-hangzhou-f") && keys(map, "cn-hangzhou-g");
    stage.until(&maps, NAME, "published", both).await;
    stage.annotate(&maps, NAME, "example.com/anothers", "1").await;
    spec["zones"].as_array_mut().expect("zones").pop();
    stage.apply(&api, NAME, &spec).await;
    let one = |map: Option<&ConfigMap>| keys(map, "cn-hangzhou-f") && !keys(map, "cn-hangzhou-g");
    let map = stage.until(&maps, NAME, "published anew", one).await.expect("it is there");
    assert!(map.annotations().contains_key("example.com/anothers"), "what others wrote stays");
    stage.settled(&api).await;
    drop(stage.asked());
    stage.later(Duration::from_hours(1)).await;
    let written: Vec<_> = stage.asked().into_iter().filter(|asked| asked.writes).collect();
    assert!(written.is_empty(), "{written:#?}");
}
