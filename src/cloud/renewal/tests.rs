//! Keys over time: who fetches, who waits, and what a failure leaves.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt as _;
use futures::future::join_all;

use super::*;
use crate::cloud::identity::Variables;

/// Answers with keys numbered from 1, each of which lasts for `lasts`, or fails.
#[derive(Default)]
struct Stage {
    fetched: AtomicU32,
    fails: Mutex<Option<Failure>>,
}

const LASTS: Duration = Duration::from_hours(1);
/// From their begin until they are due.
const UNTIL_DUE: Duration = Duration::from_mins(45);
const FETCH: Duration = Duration::from_secs(2);

struct Numbered(Arc<Stage>);

impl Source for Numbered {
    fn fetch(&self) -> BoxFuture<'_, Result<(Credentials, Duration), Failure>> {
        async move {
            tokio::time::sleep(FETCH).await;
            let number = self.0.fetched.fetch_add(1, Ordering::Relaxed) + 1;
            match self.0.fails.lock().unwrap().clone() {
                Some(failure) => Err(failure),
                None => Ok((key(number), LASTS)),
            }
        }
        .boxed()
    }
}

fn key(number: u32) -> Credentials {
    let named = |name: &str| Some(format!("{name}-{number}"));
    match Variables(named).any().expect("all variables are set") {
        crate::cloud::identity::Origin::Given(credentials) => credentials,
        other => panic!("keys come first: {other:?}"),
    }
}

fn stage() -> (Arc<Stage>, Keys) {
    let stage = Arc::new(Stage::default());
    (Arc::clone(&stage), Keys::from(Numbered(stage)))
}

impl Stage {
    fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::Relaxed)
    }

    fn fail(&self, meaning: Option<Meaning>) {
        let failure = |meaning| Failure { meaning, ..super::super::transport::failure("<no>", "not now", true) };
        *self.fails.lock().unwrap() = meaning.map(failure);
    }
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn many_who_come_at_once_wait_for_one_fetch() {
    let (stage, keys) = stage();
    let all = join_all((0..50).map(|_| keys.get())).await;
    assert!(all.iter().all(|got| *got == Ok(key(1))));
    assert_eq!(stage.fetched(), 1);
    pass(UNTIL_DUE / 2).await;
    assert_eq!(keys.get().await, Ok(key(1)));
    assert_eq!(stage.fetched(), 1, "they are not due");
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_due_serve_on_while_one_renews_them() {
    let (stage, keys) = stage();
    keys.get().await.unwrap();
    pass(UNTIL_DUE).await;
    let before = clock::now();
    let all = join_all((0..50).map(|_| keys.get())).await;
    assert!(all.iter().all(|got| *got == Ok(key(1))));
    assert_eq!(clock::now(), before, "nobody waits");
    pass(FETCH * 2).await;
    assert_eq!((keys.get().await, stage.fetched()), (Ok(key(2)), 2));
    let outlook = keys.outlook();
    assert!(outlook.lasts(clock::now()) && outlook.failure.is_none());
    assert_eq!(outlook.ends.unwrap() - MARGIN, outlook.due.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_keeps_the_keys_while_they_last() {
    let (stage, keys) = stage();
    keys.get().await.unwrap();
    pass(UNTIL_DUE).await;
    stage.fail(Some(Meaning::UserMustAct(Reason::PermissionDenied)));
    assert_eq!(keys.look_after().await, Ok(key(1)));
    let outlook = keys.outlook();
    let failure = outlook.failure.clone().unwrap();
    assert_eq!((failure.meaning, failure.maybe_done), (Meaning::Credentials(Reason::PermissionDenied), false));
    assert!(outlook.lasts(clock::now()));
    let tries = stage.fetched();
    for _ in 0..10 {
        assert_eq!(keys.look_after().await, Ok(key(1)));
    }
    assert_eq!(stage.fetched(), tries, "not before it is due again");
    pass(BETWEEN.1).await;
    assert_eq!(keys.get().await, Ok(key(1)));
    pass(FETCH * 2).await;
    assert_eq!(stage.fetched(), tries + 1);
    pass(MARGIN).await;
    let failure = keys.get().await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Credentials(Reason::PermissionDenied));
    assert!(!keys.outlook().lasts(clock::now()));
    stage.fail(None);
    pass(BETWEEN.1).await;
    assert!(keys.get().await.is_ok());
    assert_eq!(keys.outlook().failure, None);
}

#[tokio::test(start_paused = true)]
async fn without_keys_a_failure_is_shared_and_what_passes_by_itself_stays_so() {
    let (stage, keys) = stage();
    stage.fail(Some(Meaning::Unavailable));
    let all = join_all((0..50).map(|_| keys.get())).await;
    assert!(all.iter().all(|got| got.as_ref().unwrap_err().meaning == Meaning::Unavailable));
    assert_eq!(stage.fetched(), 1);
    assert!(keys.get().await.is_err());
    assert_eq!(stage.fetched(), 1, "not at once again");
    stage.fail(None);
    pass(BETWEEN.0).await;
    assert_eq!((keys.get().await, stage.fetched()), (Ok(key(2)), 2));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_refused_are_renewed_unless_they_are_new() {
    let (stage, keys) = stage();
    let first = keys.get().await.unwrap();
    assert_eq!(keys.instead_of(&first).await, None, "they were refused for another reason");
    pass(SETTLED).await;
    assert_eq!(keys.instead_of(&first).await, Some(key(2)));
    assert_eq!(keys.instead_of(&first).await, Some(key(2)), "whoever comes later gets the same");
    assert_eq!(stage.fetched(), 2);
    pass(SETTLED).await;
    stage.fail(Some(Meaning::Unavailable));
    assert_eq!(keys.instead_of(&key(2)).await, None);
    assert_eq!(keys.get().await, Ok(key(2)), "a refusal alone takes nothing away");
    assert_eq!(Keys::Given(key(1)).instead_of(&key(1)).await, None);
}

#[tokio::test(start_paused = true)]
async fn one_who_gives_up_waiting_leaves_the_fetch_to_the_next() {
    let (stage, keys) = stage();
    assert!(tokio::time::timeout(FETCH / 2, keys.get()).await.is_err());
    assert_eq!((keys.get().await, stage.fetched()), (Ok(key(1)), 1));
}
