//! Places and their accounts, before the simulated cloud in the same process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use privatelink_core::id::{ServiceId, Zone};
use privatelink_core::observed::{ResourceKey, ResourceKind};
use privatelink_core::overlay::Effect;
use privatelink_core::read::{FacetKey, Look};
use privatelink_core::step::{ServiceChange, ServiceForm};
use privatelink_sim::cloud::{Cloud as World, Options};
use privatelink_sim::fault::{Fault, Rule};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use super::*;
use crate::cloud::claim::Claim;
use crate::cloud::credentials::Credentials;
use crate::cloud::endpoint::Base;
use crate::cloud::gate::Turn;
use crate::cloud::identity::Origin;
use crate::cloud::limit::LONGEST_CALL;
use crate::object::ObjectKey;
use crate::runtime::clock;

/// The account whose keys the built-in world has.
const PROVIDER: &str = "1001000000000001";

struct Stage {
    world: Simulator,
    pool: Pool,
    claim: watch::Sender<Claim>,
    meter: Meter,
}

fn stage() -> Stage {
    let start = jiff::Timestamp::from_millisecond(clock::now().0).unwrap();
    let world = Simulator::new(World::new(Fixture::built_in(), Options::standing(start)));
    let (claim, claimed) = watch::channel(Claim::Sole);
    let meter = Meter::default();
    let pool = Pool::new(Transport::over(world.clone()), Claimed::new(claimed), meter.clone());
    Stage { world, pool, claim, meter }
}

fn access(id: &str, secret: &str) -> Access {
    let parts = [("accessKeyId", id), ("accessKeySecret", secret)];
    let contents = parts.map(|(key, value)| (key.to_owned(), Zeroizing::new(value.as_bytes().to_vec())));
    let origin = Origin::Given(Credentials::from_secret("ops/key", &contents.into()).unwrap());
    let metadata = Base::of_machine("http://100.100.100.200").unwrap();
    Access {
        cloud: Cloud::Alibaba,
        region: Region::from("cn-hangzhou"),
        identity: Identity { origin, role: None },
        endpoints: Endpoints { privatelink: None, sts: None, metadata },
    }
}

fn right() -> Access {
    access("provider-key", "provider-secret")
}

fn wrong() -> Access {
    access("provider-key", "wrong")
}

fn place(region: &str) -> Place {
    Place { cloud: Cloud::Alibaba, account: AccountId::from(PROVIDER), region: Region::from(region) }
}

fn object() -> ObjectKey {
    ObjectKey { kind: "EndpointService", namespace: "team".into(), name: "gateway".into(), uid: "u1".into() }
}

fn permit(site: &Site, step: &Step) -> Permit {
    match site.gate().turn(&object(), &step.exclusion(), step.lane()) {
        Turn::Now(permit) => permit,
        Turn::Queued => panic!("others are first"),
    }
}

/// No two calls have the same token.
static TOKENS: AtomicU32 = AtomicU32::new(0);

/// One step as a turn makes it: permit, call, effect.
async fn make(site: &Site, account: &str, step: &Step) -> Result<Done, Failure> {
    let mut permit = permit(site, step);
    let token = format!("token-{}", TOKENS.fetch_add(1, Ordering::Relaxed));
    let done = site.execute(account, &mut permit, step, &token).await?;
    site.observer().record(Effect { at: clock::now(), step: step.clone(), done: done.clone() });
    Ok(done)
}

async fn create(site: &Site) -> ServiceId {
    let form = ServiceForm {
        kind: ResourceKind::Clb,
        resources: [ResourceKey { id: "lb-hot".into(), zone: Zone::from("cn-hangzhou-f") }].into(),
        description: None,
        auto_accept: false,
        payer: None,
        zone_affinity: None,
        family: None,
        regions: [].into(),
        resource_group: None,
        tags: [("team".to_owned(), "a".to_owned())].into(),
    };
    match make(site, "main", &Step::CreateService(form)).await.unwrap() {
        Done::CreatedService(service) => service.id.clone(),
        other => panic!("a create answers with what was made: {other:?}"),
    }
}

fn describe(id: &ServiceId, text: &str) -> Step {
    let change = ServiceChange { description: Some(text.to_owned()), ..ServiceChange::default() };
    Step::UpdateService(id.clone(), change)
}

const LIMITS: Limits = Limits { per_second: 10, burst: 20 };

#[tokio::test(start_paused = true)]
async fn credentials_say_whose_they_are() {
    let Stage { pool, meter, .. } = stage();
    assert_eq!(pool.identify("main", &right()).await, Ok(AccountId::from(PROVIDER)));
    let failure = pool.identify("main", &wrong()).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::CredentialsInvalid));
    assert!(!format!("{failure} {failure:?} {:?}", wrong()).contains("wrong\""), "{failure:?}");
    let outcomes: Vec<_> = meter.calls().into_iter().map(|(call, count)| (call.action, call.outcome, count)).collect();
    assert_eq!(outcomes, [("ReadCallerIdentity", "credentials", 1), ("ReadCallerIdentity", "ok", 1)]);
    let other = Access { cloud: Cloud::Aws, ..right() };
    let failure = pool.identify("main", &other).await.unwrap_err();
    assert!(failure.message.starts_with("aws is not supported by this version"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_seen_and_confirmed() {
    let Stage { pool, world, .. } = stage();
    let site = pool.put("main", &place("cn-hangzhou"), &right(), LIMITS);
    let id = create(&site).await;
    let laid = site.observer().laid();
    assert!(laid.snapshot.service(&id).is_some() && !laid.unconfirmed_of(&id.clone().into()).is_empty());
    world.with(privatelink_sim::cloud::Cloud::settle);
    let parts = [FacetKey::Services, FacetKey::Service(id.clone()), FacetKey::Resources(id.clone())];
    let since = laid.unconfirmed.values().max().copied().unwrap();
    site.observer().look(&parts.map(|facet| Look { facet, not_older_than: since })).await.unwrap();
    let laid = site.observer().laid();
    assert!(laid.unconfirmed.is_empty(), "{:?}", laid.unconfirmed);
    let seen = laid.snapshot.service(&id).unwrap();
    assert_eq!(seen.service.value().unwrap().as_ref().unwrap().cloud_state, "Active");
    assert_eq!(seen.resources.value().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn accounts_that_share_a_place_share_its_gate_and_keep_to_the_smallest_limits() {
    let Stage { pool, .. } = stage();
    let mut begun = pool.begun();
    let here = place("cn-hangzhou");
    let site = pool.put("main", &here, &right(), LIMITS);
    let again = pool.put("other", &here, &right(), Limits { per_second: 5, burst: 50 });
    assert_eq!(site.limits(), Some(Limits { per_second: 5, burst: 20 }));
    assert_eq!(begun.next().await, Some(here.clone()));
    let step = describe(&"epsrv-1".into(), "new");
    let held = permit(&site, &step);
    let stranger = ObjectKey { uid: "u2".into(), ..object() };
    assert!(matches!(again.gate().turn(&stranger, &step.exclusion(), step.lane()), Turn::Queued));
    again.gate().retain(&stranger, &[]);
    drop(held);
    let there = place("cn-shanghai");
    pool.put("other", &there, &right(), LIMITS);
    assert_eq!(site.limits(), Some(LIMITS), "the other account has moved");
    assert_eq!(begun.next().await, Some(there.clone()));
    pool.remove("other");
    assert!(pool.site(&there).is_none());
    assert_eq!(pool.sites().len(), 1);
    pool.remove("main");
    assert!(pool.site(&here).is_none());
    let failure = make(&again, "main", &step).await.map(|_| ()).unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<no account>", false));
}

#[tokio::test(start_paused = true)]
async fn credentials_are_swapped_for_the_next_call_and_not_for_one_on_its_way() {
    let Stage { pool, world, .. } = stage();
    let here = place("cn-hangzhou");
    let site = pool.put("main", &here, &right(), LIMITS);
    let id = create(&site).await;
    world.with(|world| {
        world.settle();
        world.latency = Duration::from_secs(1);
    });
    let call = tokio::spawn({
        let (site, step) = (site.clone(), describe(&id, "on its way"));
        async move { make(&site, "main", &step).await }
    });
    tokio::task::yield_now().await;
    pool.put("main", &here, &wrong(), LIMITS);
    assert_eq!(call.await.unwrap(), Ok(Done::Accepted));
    world.with(privatelink_sim::cloud::Cloud::settle);
    let failure = make(&site, "main", &describe(&id, "next")).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::CredentialsInvalid));
    pool.put("main", &here, &right(), LIMITS);
    make(&site, "main", &describe(&id, "next")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_has_run_out_stops_a_step_at_the_gate_and_at_the_hand_over() {
    let Stage { pool, world, claim, .. } = stage();
    let site = pool.put("main", &place("cn-hangzhou"), &right(), Limits { per_second: 1, burst: 1 });
    let id = create(&site).await;
    world.with(privatelink_sim::cloud::Cloud::settle);
    let calls = || world.with(|world| world.journal.calls().count());
    let before = calls();
    // The rate lets the call leave in a second; the claim ends before.
    claim.send_replace(Claim::Until(Instant::now() + Duration::from_millis(500)));
    let began = Instant::now();
    let failure = make(&site, "main", &describe(&id, "late")).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<not the writer>", false));
    assert!(began.elapsed() >= Duration::from_millis(900), "refused at the hand-over");
    let began = Instant::now();
    let failure = make(&site, "main", &describe(&id, "late")).await.unwrap_err();
    assert_eq!((&*failure.code, began.elapsed()), ("<not the writer>", Duration::ZERO), "refused at the gate");
    assert_eq!(calls(), before);
    claim.send_replace(Claim::Sole);
    make(&site, "main", &describe(&id, "in time")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_keeps_the_turn_until_the_cloud_cannot_be_busy_any_more() {
    let Stage { pool, world, .. } = stage();
    let site = pool.put("main", &place("cn-hangzhou"), &right(), LIMITS);
    let id = create(&site).await;
    world.with(|world| {
        world.settle();
        let rule = Rule { action: None, nth: 1, times: 1, fault: Fault::LoseAnswer };
        world.faults.add(rule);
    });
    let step = describe(&id, "lost");
    let failure = make(&site, "main", &step).await.unwrap_err();
    assert_eq!((&*failure.code, failure.maybe_done), ("<broken>", true));
    let lost = Instant::now();
    assert!(matches!(site.gate().turn(&object(), &step.exclusion(), step.lane()), Turn::Queued));
    assert_eq!(site.gate().heads().next().await, Some(object()));
    assert_eq!(lost.elapsed().as_secs(), LONGEST_CALL.as_secs());
    world.with(privatelink_sim::cloud::Cloud::settle);
    make(&site, "main", &step).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_all_calls_of_the_place_down() {
    let Stage { pool, world, meter, .. } = stage();
    let site = pool.put("main", &place("cn-hangzhou"), &right(), Limits { per_second: 10, burst: 1 });
    world.with(|world| world.faults.add(Rule { action: None, nth: 1, times: 1, fault: Fault::Throttle }));
    let look = || Look { facet: FacetKey::Services, not_older_than: clock::now() };
    let failure = site.observer().look(&[look()]).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Throttled);
    let began = Instant::now();
    site.observer().look(&[look()]).await.unwrap();
    // Half of ten a second, and of that the polls' half: one in 400 ms instead of one in 200;
    // and nothing at all is read twice before it is believed.
    assert!(began.elapsed() >= Duration::from_millis(790), "{:?}", began.elapsed());
    assert!(meter.calls().iter().any(|(call, count)| call.outcome == "throttled" && *count == 1));
}

#[tokio::test(start_paused = true)]
async fn a_place_without_accounts_and_a_pool_that_is_dropped_observe_nothing_any_more() {
    let Stage { pool, world, meter, .. } = stage();
    let forgotten = pool.put("main", &place("cn-hangzhou"), &right(), LIMITS);
    pool.remove("main");
    pool.put("other", &place("cn-shanghai"), &right(), LIMITS);
    drop(pool);
    let calls = || world.with(|world| world.journal.calls().count());
    let pending = std::future::pending::<()>();
    assert!(timeout(Duration::from_mins(11), pending).await.is_err());
    assert_eq!((calls(), meter.calls().len()), (0, 0), "not even an attempt");
    assert!(forgotten.observer().laid().snapshot.listed_services.value().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_keys_are_dead_blinds_no_other_of_its_place() {
    let Stage { pool, .. } = stage();
    let here = place("cn-hangzhou");
    pool.put("a", &here, &wrong(), LIMITS);
    let site = pool.put("b", &here, &right(), LIMITS);
    let look = Look { facet: FacetKey::Services, not_older_than: clock::now() };
    site.observer().look(std::slice::from_ref(&look)).await.unwrap();
    pool.remove("b");
    let look = Look { not_older_than: clock::now() + Duration::from_secs(1), ..look };
    let failure = site.observer().look(&[look]).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::CredentialsInvalid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_begin_at_once_do_not_take_each_other_s_place_away() {
    let Stage { pool, .. } = stage();
    let places = ["cn-hangzhou", "cn-shanghai"].map(place);
    for round in 0..2_000 {
        let begin = Arc::new(std::sync::Barrier::new(places.len()));
        let puts = places.each_ref().map(|place| {
            let (pool, place, begin) = (pool.clone(), place.clone(), Arc::clone(&begin));
            tokio::task::spawn_blocking(move || {
                begin.wait();
                pool.put(place.region.as_str(), &place, &right(), Limits::default());
            })
        });
        for put in puts {
            put.await.unwrap();
        }
        for place in &places {
            assert!(pool.site(place).is_some(), "round {round}: {place} is spoken to");
            pool.remove(place.region.as_str());
        }
    }
}
