//! The observer before a cloud that is a map in memory, on a clock that stands until a test moves it.

mod endpoints;
mod tenants;

use futures::StreamExt as _;
use privatelink_core::id::{AccountId, CloudId, Region, ServiceId};
use privatelink_core::observed::{
    AddressFamily, Connection, Endpoint, Payer, Resource, ResourceKey, ResourceKind, Service, Tags,
};
use privatelink_core::place::Cloud;
use privatelink_core::principal::Principal;
use privatelink_core::rate::Limits;
use privatelink_core::read::{Answer, Done, Page, Read};
use privatelink_core::state::LifeState;
use privatelink_core::step::{ServiceForm, Step};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::list::Shown;
use super::sweep::{LONGEST, PERIOD};
use super::*;

/// A cloud that holds services and their resources, and answers as a test lets it.
struct Fake {
    held: Mutex<Held>,
    /// A read is answered when there is a permit for it.
    answers: Semaphore,
    /// How many reads there were.
    asked: watch::Sender<usize>,
}

#[derive(Default)]
struct Held {
    services: BTreeMap<ServiceId, Service>,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    resources: BTreeMap<ServiceId, BTreeMap<ResourceKey, Resource>>,
    connections: BTreeMap<ServiceId, Vec<Connection>>,
    principals: BTreeMap<ServiceId, BTreeSet<Principal>>,
    page: usize,
    reads: Vec<Read>,
    /// Answers that are given instead of what is held, first to last.
    instead: Vec<Result<Answer, Failure>>,
}

impl Fake {
    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.held.lock().unwrap())
    }

    fn reads(&self) -> Vec<Read> {
        self.with(|held| std::mem::take(&mut held.reads))
    }

    /// The reads, as soon as there are as many.
    async fn next_reads(&self, count: usize) -> Vec<Read> {
        let before = *self.asked.borrow() - self.with(|held| held.reads.len());
        self.asked.subscribe().wait_for(|asked| *asked >= before + count).await.unwrap();
        self.reads()
    }

    fn add(&self, name: &str) -> ServiceId {
        let service = service(name);
        let id = service.id.clone();
        self.with(|held| held.services.insert(id.clone(), service));
        id
    }

    fn change(&self, id: &ServiceId, change: impl FnOnce(&mut Service)) {
        self.with(|held| change(held.services.get_mut(id).unwrap()));
    }

    fn instead(&self, answer: Result<Answer, Failure>) {
        self.with(|held| held.instead.push(answer));
    }
}

impl Door for Fake {
    fn read(&self, read: Read) -> BoxFuture<'_, Result<Answer, Failure>> {
        async move {
            // What is answered is what was held when the request came in.
            let answer = self.with(|held| {
                held.reads.push(read.clone());
                if held.instead.is_empty() { held.answer(&read) } else { held.instead.remove(0) }
            });
            self.asked.send_modify(|asked| *asked += 1);
            self.answers.acquire().await.unwrap().forget();
            self.answers.add_permits(usize::from(self.answers.available_permits() >= FREELY / 2));
            answer
        }
        .boxed()
    }

    fn execute<'a>(&'a self, _: &'a Step, _: &'a str) -> BoxFuture<'a, Result<Done, Failure>> {
        panic!("an observer executes nothing")
    }
}

impl Held {
    fn answer(&self, read: &Read) -> Result<Answer, Failure> {
        match read {
            Read::Services(page) => {
                let (shown, next) = self.page_of(&self.services, page);
                Ok(Answer::Services(shown, next))
            }
            Read::Endpoints(page) => {
                let (shown, next) = self.page_of(&self.endpoints, page);
                Ok(Answer::Endpoints(shown, next))
            }
            Read::Endpoint(id) => match self.endpoints.get(id) {
                Some(endpoint) => Ok(Answer::Endpoint(Box::new(Endpoint { tags: None, ..endpoint.clone() }))),
                None => Err(gone()),
            },
            Read::Interfaces(id, _) | Read::Groups(id, _) if !self.endpoints.contains_key(id) => Err(gone()),
            Read::Interfaces(..) => Ok(Answer::Interfaces(BTreeMap::new(), Page::None)),
            Read::Groups(..) => Ok(Answer::Groups(BTreeMap::new(), Page::None)),
            // As at Alibaba, a read by id shows no tags.
            Read::Service(id) => match self.services.get(id) {
                Some(service) => Ok(Answer::Service(Box::new(Service { tags: None, ..service.clone() }))),
                None => Err(gone()),
            },
            Read::Resources(id, _) | Read::Connections(id, _) | Read::Principals(id, _)
                if !self.services.contains_key(id) =>
            {
                Err(gone())
            }
            Read::Resources(id, _) => {
                Ok(Answer::Resources(self.resources.get(id).cloned().unwrap_or_default(), Page::None))
            }
            Read::Connections(id, _) => {
                Ok(Answer::Connections(self.connections.get(id).cloned().unwrap_or_default(), Page::None))
            }
            Read::Principals(id, _) => {
                Ok(Answer::Principals(self.principals.get(id).cloned().unwrap_or_default(), Page::None))
            }
            Read::CallerIdentity | Read::Product => panic!("an observer looks at objects"),
        }
    }

    /// What is held of one page, and the next page's token.
    fn page_of<K, V: Clone>(&self, held: &BTreeMap<K, V>, page: &Page) -> (Vec<V>, Page) {
        let from = page.as_ref().map_or(0, |token| token.parse().unwrap());
        let shown = held.values().skip(from).take(self.page).cloned().collect();
        let next = from + self.page;
        (shown, (next < held.len()).then(|| next.to_string()))
    }
}

/// So many answers that no test uses them up.
const FREELY: usize = 1 << 20;

fn gone() -> Failure {
    Failure { meaning: Meaning::Gone, code: "EndpointServiceNotFound".into(), ..unavailable() }
}

fn unavailable() -> Failure {
    Failure {
        meaning: Meaning::Unavailable,
        code: "<timeout>".into(),
        message: String::new(),
        request_id: None,
        retry_after: None,
        maybe_done: false,
    }
}

fn service(name: &str) -> Service {
    Service {
        id: ServiceId::from(name),
        name: name.into(),
        domain: None,
        state: LifeState::Active,
        cloud_state: "Active".into(),
        locked: false,
        kind: Some(ResourceKind::Nlb),
        description: None,
        auto_accept: false,
        payer: Payer::Consumer,
        zone_affinity: false,
        default_bandwidth_mbps: None,
        bandwidth_mbps: None,
        family: AddressFamily::V4,
        regions: BTreeMap::new(),
        resource_group: None,
        tags: Some(tags("team", "a")),
    }
}

fn form() -> ServiceForm {
    ServiceForm {
        kind: ResourceKind::Nlb,
        resources: BTreeSet::new(),
        description: None,
        auto_accept: false,
        payer: None,
        zone_affinity: None,
        family: None,
        regions: BTreeSet::new(),
        resource_group: None,
        tags: tags("team", "a"),
    }
}

fn tags(key: &str, value: &str) -> Tags {
    [(key.to_owned(), value.to_owned())].into()
}

fn place() -> Place {
    Place { cloud: Cloud::Alibaba, account: AccountId::from("1"), region: Region::from("cn-hangzhou") }
}

fn all(services: &[ServiceId]) -> BTreeSet<CloudId> {
    services.iter().cloned().map(CloudId::from).collect()
}

/// A cloud that answers `answers` reads, and its observer.
fn observed(answers: usize) -> (Arc<Fake>, Observer) {
    let held = Mutex::new(Held { page: 1_000, ..Held::default() });
    let fake = Arc::new(Fake { held, answers: Semaphore::new(answers), asked: watch::Sender::new(0) });
    (Arc::clone(&fake), Observer::new(place(), fake, Meter::default(), Pace::new(Limits { per_second: 10, burst: 20 })))
}

fn now(facet: FacetKey) -> Look {
    Look { facet, not_older_than: clock::now() }
}

async fn list(observer: &Observer) {
    let began = observer.lock().depart();
    tokio::time::advance(TICK).await;
    let look = Look { facet: FacetKey::Services, not_older_than: began + TICK };
    observer.look(&[look]).await.unwrap();
}

fn object(name: &str) -> ObjectKey {
    ObjectKey { kind: "EndpointService", namespace: "team".into(), name: name.into(), uid: name.into() }
}

fn effect(step: Step) -> Effect {
    Effect { at: clock::now(), step, done: Done::Accepted }
}

#[tokio::test(start_paused = true)]
async fn fifty_looks_are_one_read() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    let looks: Vec<_> = (0..50)
        .map(|_| {
            let (observer, look) = (observer.clone(), now(FacetKey::Service(id.clone())));
            tokio::spawn(async move { observer.look(&[look]).await })
        })
        .collect();
    tokio::task::yield_now().await;
    fake.answers.add_permits(FREELY);
    for look in looks {
        look.await.unwrap().unwrap();
    }
    assert_eq!(fake.reads(), [Read::Service(id.clone())]);
    observer.look(&[now(FacetKey::Service(id.clone()))]).await.unwrap();
    assert_eq!(fake.reads(), [], "no time has passed since");
    tokio::time::advance(TICK).await;
    observer.look(&[now(FacetKey::Service(id.clone()))]).await.unwrap();
    assert_eq!(fake.reads(), [Read::Service(id)]);
}

#[tokio::test(start_paused = true)]
async fn a_flight_that_left_too_early_is_not_ours() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    let early = tokio::spawn({
        let (observer, look) = (observer.clone(), now(FacetKey::Service(id.clone())));
        async move { observer.look(&[look]).await }
    });
    tokio::task::yield_now().await;
    tokio::time::advance(TICK).await;
    fake.change(&id, |service| service.description = Some("new".into()));
    let late: Vec<_> = (0..3)
        .map(|_| {
            let (observer, look) = (observer.clone(), now(FacetKey::Service(id.clone())));
            tokio::spawn(async move { observer.look(&[look]).await })
        })
        .collect();
    tokio::task::yield_now().await;
    fake.answers.add_permits(FREELY);
    early.await.unwrap().unwrap();
    for look in late {
        look.await.unwrap().unwrap();
    }
    assert_eq!(fake.reads().len(), 2, "the late ones share one");
    let laid = observer.laid();
    let seen = laid.snapshot.service(&id).unwrap().service.value().unwrap().as_ref().unwrap();
    assert_eq!(seen.description.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_read_lands_although_who_asked_has_gone() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    let look = tokio::spawn({
        let (observer, look) = (observer.clone(), now(FacetKey::Service(id.clone())));
        async move { observer.look(&[look]).await }
    });
    tokio::task::yield_now().await;
    look.abort();
    let mut touched = observer.touched();
    fake.answers.add_permits(FREELY);
    assert_eq!(touched.next().await, Some(News::Object(id.into())));
}

#[tokio::test(start_paused = true)]
async fn what_is_renewed_is_read_once_for_all_who_ask_and_touches_whom_it_concerns() {
    let (fake, observer) = observed(FREELY);
    let id = fake.add("epsrv-1");
    observer.look(&[now(FacetKey::Service(id.clone()))]).await.unwrap();
    fake.reads();
    tokio::time::advance(TICK).await;
    fake.change(&id, |service| service.description = Some("new".into()));
    let mut touched = observer.touched();
    for _ in 0..2 {
        observer.renew(FacetKey::Service(id.clone()));
    }
    assert_eq!(touched.next().await, Some(News::Object(id.clone().into())));
    assert_eq!(fake.reads(), [Read::Service(id)]);
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_read_and_pages_that_lead_in_a_circle_end_as_an_error() {
    let (fake, observer) = observed(FREELY);
    for number in 0..25 {
        fake.add(&format!("epsrv-{number:02}"));
    }
    fake.with(|held| held.page = 10);
    observer.look(&[now(FacetKey::Services)]).await.unwrap();
    let pages: Vec<_> = fake.reads();
    let expected = [None, Some("10"), Some("20")].map(|page| Read::Services(page.map(str::to_owned)));
    assert_eq!(pages, expected);
    assert_eq!(observer.laid().snapshot.present_services().count(), 25);
    tokio::time::advance(TICK).await;
    for page in ["a", "b", "a"] {
        fake.instead(Ok(Answer::Services(vec![service("epsrv-x")], Some(page.into()))));
    }
    let failure = observer.look(&[now(FacetKey::Services)]).await.unwrap_err();
    assert_eq!(failure.code, "<page loop>");
    assert_eq!(observer.laid().snapshot.present_services().count(), 25, "nothing is taken in");
    tokio::time::advance(TICK).await;
    fake.reads();
    fake.instead(Ok(Answer::Services(vec![service("epsrv-x")], Some(String::new()))));
    observer.look(&[now(FacetKey::Services)]).await.unwrap();
    assert_eq!(fake.reads().len(), 1, "an empty page token ends the list");
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_what_is_and_never_what_is_not() {
    let (fake, observer) = observed(FREELY);
    let (one, two) = (fake.add("epsrv-1"), fake.add("epsrv-2"));
    observer.manage(all(&[one.clone(), two.clone()]));
    list(&observer).await;
    fake.with(|held| held.services.remove(&one));
    let mut touched = observer.touched();
    list(&observer).await;
    assert_eq!(
        touched.next().await,
        Some(News::Object(one.clone().into())),
        "whoever manages it asks for it by its id"
    );
    let laid = observer.laid();
    assert!(!laid.snapshot.listed_services.value().unwrap().contains(&one));
    assert!(laid.snapshot.service(&one).unwrap().service.value().unwrap().is_some(), "still as it was last seen");
    assert!(laid.snapshot.vanished.is_empty());
    observer.look(&[now(FacetKey::Resources(one.clone()))]).await.unwrap();
    let laid = observer.laid();
    assert_eq!(laid.snapshot.service(&one).unwrap().service.value(), Some(&None), "asked for by its id, it is absent");
    assert_eq!(touched.next().await, Some(News::Object(one.into())));
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_is_believed_when_it_is_read_twice() {
    let (fake, observer) = observed(FREELY);
    list(&observer).await;
    assert_eq!(fake.reads().len(), 2, "nothing at first is read twice too: it decides on what is made");
    fake.add("epsrv-1");
    list(&observer).await;
    fake.reads();
    fake.instead(Ok(Answer::Services(Vec::new(), None)));
    list(&observer).await;
    assert_eq!(fake.reads().len(), 2);
    assert_eq!(observer.laid().snapshot.listed_services.value().unwrap().len(), 1, "it was there after all");
    fake.with(|held| held.services.clear());
    list(&observer).await;
    assert_eq!(fake.reads().len(), 2);
    assert_eq!(observer.laid().snapshot.listed_services.value().unwrap().len(), 0);
    list(&observer).await;
    assert_eq!(fake.reads().len(), 1, "nothing after nothing is no news");
}

#[tokio::test(start_paused = true)]
async fn when_all_of_two_or_more_vanish_nothing_is_concluded_until_a_person_asks() {
    let (fake, observer) = observed(FREELY);
    let vanished = |observer: &Observer| !observer.laid().snapshot.vanished.is_empty();
    let (one, two) = (fake.add("epsrv-1"), fake.add("epsrv-2"));
    observer.manage(all(&[one.clone(), two.clone()]));
    list(&observer).await;
    assert!(!vanished(&observer));
    let services = fake.with(|held| std::mem::take(&mut held.services));
    list(&observer).await;
    assert!(vanished(&observer));
    fake.add("epsrv-3");
    list(&observer).await;
    assert!(vanished(&observer), "another one is not one of them");
    fake.with(|held| held.services.extend(services));
    list(&observer).await;
    assert!(!vanished(&observer));
    fake.with(|held| held.services.clear());
    list(&observer).await;
    assert!(vanished(&observer));
    observer.believe_vanished();
    assert!(!vanished(&observer));
    list(&observer).await;
    assert!(!vanished(&observer), "what was given up is not missed again");
}

#[tokio::test(start_paused = true)]
async fn managed_services_that_were_never_seen_are_missed_too_and_those_that_we_delete_are_not() {
    let (fake, observer) = observed(FREELY);
    let ids: [ServiceId; 2] = ["epsrv-1".into(), "epsrv-2".into()];
    observer.manage(all(&ids));
    list(&observer).await;
    assert!(!observer.laid().snapshot.vanished.is_empty(), "after a restart, before the wrong cloud");
    for id in &ids {
        fake.add(id.as_str());
    }
    list(&observer).await;
    assert!(observer.laid().snapshot.vanished.is_empty());
    for id in &ids {
        observer.record(effect(Step::DeleteService(id.clone())));
    }
    fake.with(|held| held.services.clear());
    list(&observer).await;
    assert!(observer.laid().snapshot.vanished.is_empty(), "they go by our own hand");
}

#[tokio::test(start_paused = true)]
async fn services_that_we_have_just_made_are_not_missed() {
    let (fake, observer) = observed(0);
    let early = tokio::spawn({
        let (observer, look) = (observer.clone(), now(FacetKey::Services));
        async move { observer.look(&[look]).await }
    });
    tokio::task::yield_now().await;
    let made: Vec<_> = (1..=2).map(|number| service(&format!("epsrv-{number}"))).collect();
    for service in &made {
        let done = Done::CreatedService(Box::new(service.clone()));
        observer.record(Effect { at: clock::now(), step: Step::CreateService(form()), done });
    }
    observer.manage(made.iter().map(|service| service.id.clone().into()).collect());
    fake.answers.add_permits(FREELY);
    early.await.unwrap().unwrap();
    assert!(observer.laid().snapshot.vanished.is_empty(), "the list left before they were made");
}

#[test]
fn a_list_misses_only_what_it_must_show() {
    let ids: [ServiceId; 2] = ["epsrv-1".into(), "epsrv-2".into()];
    let shown = |at, state: LifeState| {
        let mut known = Known::default();
        known.manage(all(&ids));
        for id in &ids {
            let service = Service { state: state.clone(), ..service(id.as_str()) };
            known.apply(Moment(at), Shown::Service(id.clone(), Some(Box::new(service))), Moment(at));
        }
        known
    };
    let misses = |mut known: Known| {
        known.apply(Moment(10), Shown::Services(Vec::new()), Moment(10));
        !known.laid().snapshot.vanished.is_empty()
    };
    assert!(misses(shown(9, LifeState::Active)));
    assert!(!misses(shown(9, LifeState::Deleting)), "they were about to go");
    assert!(!misses(shown(11, LifeState::Active)), "seen since the list left");
    let mut one = shown(9, LifeState::Active);
    one.apply(Moment(9), Shown::Service(ids[1].clone(), None), Moment(9));
    assert!(!misses(one), "one may vanish by itself");
}

#[tokio::test(start_paused = true)]
async fn the_pause_between_polls_is_four_times_what_a_poll_takes() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    observer.follow(&object("a"), [FacetKey::Service(id)].into());
    let polling = tokio::spawn({
        let observer = observer.clone();
        async move { observer.poll().await }
    });
    fake.next_reads(1).await;
    tokio::time::advance(Duration::from_secs(8)).await;
    fake.answers.add_permits(1);
    let answered = Instant::now();
    fake.next_reads(1).await;
    assert!(answered.elapsed() >= Duration::from_secs(32), "{:?}", answered.elapsed());
    polling.abort();
}

#[tokio::test(start_paused = true)]
async fn a_read_that_left_earlier_does_not_undo_a_later_one() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    let early = tokio::spawn({
        let (observer, look) = (observer.clone(), now(FacetKey::Services));
        async move { observer.look(&[look]).await }
    });
    tokio::task::yield_now().await;
    tokio::time::advance(TICK).await;
    fake.change(&id, |service| service.description = Some("new".into()));
    let later = observer.lock().depart();
    let seen = Shown::Service(id.clone(), Some(Box::new(fake.with(|held| held.services[&id].clone()))));
    observer.lock().known.apply(later, seen, clock::now());
    fake.answers.add_permits(FREELY);
    early.await.unwrap().unwrap();
    let laid = observer.laid();
    let known = laid.snapshot.service(&id).unwrap().service.value().unwrap().as_ref().unwrap();
    assert_eq!(known.description.as_deref(), Some("new"));
    assert!(laid.snapshot.listed_services.value().unwrap().contains(&id));
}

#[tokio::test(start_paused = true)]
async fn a_write_covers_reads_that_left_before_its_answer_and_no_later_one() {
    let (fake, observer) = observed(0);
    let id = fake.add("epsrv-1");
    let key = ResourceKey { id: "nlb-1".into(), zone: "cn-hangzhou-f".into() };
    let resource = Resource { kind: ResourceKind::Nlb, auto_allocate: true, connections: 0, deprecated_connections: 0 };
    fake.with(|held| held.resources.insert(id.clone(), [(key.clone(), resource)].into()));
    let part = FacetKey::Resources(id.clone());
    let allocates = |observer: &Observer| {
        let laid = observer.laid();
        let resources = laid.snapshot.service(&id).unwrap().resources.value().unwrap()[&key];
        (resources.auto_allocate, laid.unconfirmed.contains_key(&FacetKey::Resources(id.clone())))
    };
    let early = tokio::spawn({
        let (observer, look) = (observer.clone(), now(part.clone()));
        async move { observer.look(&[look]).await }
    });
    tokio::task::yield_now().await;
    // The same tick of the clock: the read has left, then the write is answered.
    observer.record(effect(Step::SetAutoAllocate(id.clone(), key.clone(), false)));
    fake.with(|held| held.resources.get_mut(&id).unwrap().get_mut(&key).unwrap().auto_allocate = false);
    fake.answers.add_permits(FREELY);
    early.await.unwrap().unwrap();
    assert_eq!(allocates(&observer), (false, true), "covered, and not confirmed by itself");
    let mut touched = observer.touched();
    let unconfirmed = observer.laid().unconfirmed[&part];
    observer.look(&[Look { facet: part, not_older_than: unconfirmed }]).await.unwrap();
    assert_eq!(allocates(&observer), (false, false));
    assert_eq!(touched.next().await, Some(News::Object(id.clone().into())), "a confirmation is news");
}

#[tokio::test(start_paused = true)]
async fn tags_of_the_list_hold_until_we_write_them() {
    let (fake, observer) = observed(FREELY);
    let id = fake.add("epsrv-1");
    let seen_tags = |observer: &Observer| {
        let laid = observer.laid();
        laid.snapshot.service(&id).unwrap().service.value().unwrap().as_ref().unwrap().tags.clone()
    };
    list(&observer).await;
    let by_id = || now(FacetKey::Service(id.clone()));
    tokio::time::advance(TICK).await;
    observer.look(&[by_id()]).await.unwrap();
    assert_eq!(seen_tags(&observer), Some(tags("team", "a")));
    tokio::time::advance(TICK).await;
    observer.record(effect(Step::Tag(id.clone().into(), tags("team", "b"))));
    assert_eq!(seen_tags(&observer), Some(tags("team", "b")));
    fake.change(&id, |service| service.tags = Some(tags("team", "b")));
    tokio::time::advance(TICK).await;
    observer.look(&[by_id()]).await.unwrap();
    assert_eq!(seen_tags(&observer), None, "neither the old ones nor our own word for the new ones");
    list(&observer).await;
    assert_eq!(seen_tags(&observer), Some(tags("team", "b")));
}

#[tokio::test(start_paused = true)]
async fn only_what_differs_wakes() {
    let (fake, observer) = observed(FREELY);
    let (one, two) = (fake.add("epsrv-1"), fake.add("epsrv-2"));
    list(&observer).await;
    let mut touched = observer.touched();
    list(&observer).await;
    fake.change(&two, |service| service.description = Some("new".into()));
    list(&observer).await;
    assert_eq!(touched.next().await, Some(News::Object(two.into())));
    assert_eq!(touched.next().now_or_never(), None);
    fake.change(&one, |service| service.auto_accept = true);
    list(&observer).await;
    assert_eq!(touched.next().now_or_never(), Some(Some(News::Object(one.into()))));
}

#[tokio::test(start_paused = true)]
async fn a_failure_reaches_all_who_wait_and_leaves_what_is_known() {
    let (fake, observer) = observed(FREELY);
    let id = fake.add("epsrv-1");
    list(&observer).await;
    tokio::time::advance(TICK).await;
    fake.instead(Err(unavailable()));
    let looks = [now(FacetKey::Services), now(FacetKey::Resources(id.clone()))];
    assert_eq!(observer.look(&looks).await, Err(unavailable()));
    let laid = observer.laid();
    assert!(laid.snapshot.service(&id).unwrap().service.value().is_some());
    assert!(laid.snapshot.service(&id).unwrap().resources.value().is_some(), "the other look has landed");
    observer.look(&looks).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reads_the_list_and_what_is_managed() {
    let (fake, observer) = observed(FREELY);
    let (one, _two) = (fake.add("epsrv-1"), fake.add("epsrv-2"));
    observer.manage(all(std::slice::from_ref(&one)));
    let running = tokio::spawn(observer.clone().run());
    let sweep = [Read::Services(None), Read::Resources(one.clone(), None), Read::Connections(one, None)];
    let began = Instant::now();
    assert_eq!(fake.next_reads(3).await, sweep);
    assert!(began.elapsed() < PERIOD, "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(fake.next_reads(3).await, sweep);
    assert_eq!(began.elapsed().as_secs(), PERIOD.as_secs());
    fake.instead(Err(unavailable()));
    let failed = [Read::Services(None)];
    assert_eq!(fake.next_reads(4).await, [&failed[..], &sweep].concat(), "no list, no sweep");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_moves_is_polled_for_all_who_follow_ever_less_often() {
    let (fake, observer) = observed(FREELY);
    let id = fake.add("epsrv-1");
    let polling = tokio::spawn({
        let observer = observer.clone();
        async move { observer.poll().await }
    });
    let part = BTreeSet::from([FacetKey::Service(id.clone())]);
    for name in ["a", "b", "c"] {
        observer.follow(&object(name), part.clone());
    }
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let began = Instant::now();
        assert_eq!(fake.next_reads(1).await, [Read::Service(id.clone())], "one read for all three");
        pauses.push(began.elapsed());
    }
    assert!(pauses[0] < Duration::from_millis(1_300), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause < LONGEST * 5 / 4 + Duration::from_millis(20)), "{pauses:?}");
    assert!(pauses[11] >= LONGEST, "{pauses:?}");
    for name in ["a", "b", "c"] {
        observer.follow(&object(name), BTreeSet::new());
    }
    assert!(timeout(LONGEST * 4, fake.next_reads(1)).await.is_err(), "nobody follows any more");
    polling.abort();
}

#[tokio::test(start_paused = true)]
async fn many_that_move_are_read_by_pages() {
    let (fake, observer) = observed(FREELY);
    let ids: Vec<_> = (0..20).map(|number| fake.add(&format!("epsrv-{number:02}"))).collect();
    list(&observer).await;
    for id in &ids {
        observer.follow(&object(id.as_str()), [FacetKey::Service(id.clone())].into());
    }
    let lost = ids[7].clone();
    fake.with(|held| held.services.remove(&lost));
    fake.reads();
    tokio::time::advance(TICK).await;
    observer.poll_once().await;
    assert_eq!(fake.reads(), [Read::Services(None), Read::Service(lost.clone())]);
    assert_eq!(observer.laid().snapshot.service(&lost).unwrap().service.value(), Some(&None));
}
