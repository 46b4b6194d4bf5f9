//! Whom news of a service concerns: one of its tenants, or all of them.

use privatelink_core::owner;
use privatelink_core::principal::Whom;
use privatelink_core::state::ConnectionState;
use privatelink_core::step::Traffic;

use super::*;

/// Tenants of one service.
const MANY: usize = 1_000;

fn account(number: usize) -> AccountId {
    AccountId::from(format!("{number:012}").as_str())
}

fn endpoint(number: usize) -> EndpointId {
    EndpointId::from(format!("ep-{number:04}").as_str())
}

fn connection(number: usize) -> Connection {
    Connection {
        endpoint: endpoint(number),
        owner: Some(account(number)),
        vpc: None,
        region: None,
        state: ConnectionState::AwaitingAcceptance,
        cloud_state: String::new(),
        bandwidth_mbps: None,
        traffic: None,
        zones: BTreeMap::new(),
    }
}

fn resource() -> Resource {
    Resource { kind: ResourceKind::Nlb, auto_allocate: false, connections: 0, deprecated_connections: 0 }
}

fn key(zone: &str) -> ResourceKey {
    ResourceKey { id: "nlb-1".into(), zone: zone.into() }
}

/// A service of a cloud, the reads of it, and what they show to be new.
struct Watched {
    fake: Arc<Fake>,
    observer: Observer,
    touched: Woken<News>,
    id: ServiceId,
}

impl Watched {
    fn new() -> Self {
        let (fake, observer) = observed(FREELY);
        let (touched, id) = (observer.touched(), fake.add("epsrv-1"));
        Self { fake, observer, touched, id }
    }

    /// What is new by now.
    fn heard(&mut self) -> Vec<News> {
        std::iter::from_fn(|| self.touched.next().now_or_never().flatten()).collect()
    }

    /// What a read of a part shows to be new.
    async fn read(&mut self, part: fn(ServiceId) -> FacetKey) -> Vec<News> {
        tokio::time::advance(TICK).await;
        self.observer.look(&[now(part(self.id.clone()))]).await.unwrap();
        self.heard()
    }

    /// What a read shows to be new once the connections are so.
    async fn connections(&mut self, change: impl FnOnce(&mut Vec<Connection>)) -> Vec<News> {
        self.fake.with(|held| change(held.connections.entry(self.id.clone()).or_default()));
        self.read(FacetKey::Connections).await
    }

    /// What a read shows to be new once the list is so.
    async fn listed(&mut self, texts: &[&str]) -> Vec<News> {
        let list = texts.iter().copied().map(Principal::from).collect();
        self.fake.with(|held| held.principals.insert(self.id.clone(), list));
        self.read(FacetKey::Principals).await
    }

    /// What a read shows to be new once the load balancers are so.
    async fn resources(&mut self, all: &[(ResourceKey, Resource)]) -> Vec<News> {
        self.fake.with(|held| held.resources.insert(self.id.clone(), all.iter().cloned().collect()));
        self.read(FacetKey::Resources).await
    }

    /// What a read shows to be new once the service is so.
    async fn service(&mut self, change: impl FnOnce(&mut Service)) -> Vec<News> {
        self.fake.change(&self.id, change);
        self.read(FacetKey::Service).await
    }

    fn itself(&self) -> News {
        News::Object(self.id.clone().into())
    }

    fn tenants(&self) -> News {
        News::Tenants(self.id.clone())
    }

    fn of(&self, number: usize) -> News {
        News::Connection(self.id.clone(), endpoint(number), Some(account(number)))
    }

    fn whom(&self, whom: Whom) -> News {
        News::Principal(self.id.clone(), whom)
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_connection_concerns_whose_it_is_and_no_other_of_a_thousand() {
    let mut watched = Watched::new();
    let first = watched.connections(|all| all.extend((0..MANY).map(connection))).await;
    let each = (0..MANY).map(|number| watched.of(number));
    let expected: Vec<News> = [watched.itself()].into_iter().chain(each).chain([watched.tenants()]).collect();
    assert!(first == expected, "all are new at first, and who has none is done: {}", first.len());
    assert_eq!(watched.connections(|_| ()).await, [], "nothing has changed");

    let news = watched.connections(|all| all[7].bandwidth_mbps = Some(100)).await;
    assert_eq!(news, [watched.itself(), watched.of(7)]);
    let news = watched.connections(|all| all[7].state = ConnectionState::Connecting).await;
    assert_eq!(news, [watched.itself(), News::Object(endpoint(7).into()), watched.of(7)], "the other side may be ours");
    let news = watched.connections(|all| drop(all.remove(8))).await;
    assert_eq!(news, [watched.itself(), watched.of(8)]);
    let news = watched.connections(|all| all.push(connection(8))).await;
    assert_eq!(news, [watched.itself(), News::Object(endpoint(8).into()), watched.of(8)]);

    let nobody = News::Connection(watched.id.clone(), endpoint(10), None);
    let news = watched.connections(|all| all[9].owner = None).await;
    assert_eq!(
        news,
        [watched.itself(), nobody.clone(), watched.of(10)],
        "it was one's and is nobody's, as far as is known"
    );
    let news = watched.connections(|all| all[9].bandwidth_mbps = Some(100)).await;
    assert_eq!(news, [watched.itself(), nobody]);
}

#[tokio::test(start_paused = true)]
async fn that_a_connection_is_as_we_made_it_concerns_whose_it_is() {
    let mut watched = Watched::new();
    watched.connections(|all| all.extend((0..3).map(connection))).await;
    let accept = Step::AcceptConnection(watched.id.clone(), endpoint(1), Traffic::default());
    watched.observer.record(effect(accept));
    let before = watched.observer.laid();
    let news = watched.connections(|all| all[1].state = ConnectionState::Connecting).await;
    let after = watched.observer.laid();
    let laid = |laid: &Laid| laid.snapshot.service(&watched.id).unwrap().connections.value().cloned();
    assert_eq!(laid(&before), laid(&after), "nothing but that it is known");
    assert_eq!(news, [watched.itself(), News::Object(endpoint(1).into()), watched.of(1)]);

    watched.observer.record(effect(Step::SetTraffic(watched.id.clone(), endpoint(2), Traffic::default())));
    let news = watched.connections(|_| ()).await;
    assert_eq!(news, [watched.itself(), watched.of(2)], "it did not last");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_was_picked_is_confirmed_by_the_read_that_comes_last() {
    let mut watched = Watched::new();
    watched.service(|_| ()).await;
    watched.connections(|all| all.extend((0..3).map(connection))).await;
    watched.observer.record(effect(Step::PickResource(watched.id.clone(), endpoint(1), "zone-a".into())));
    let news = watched.connections(|_| ()).await;
    assert_eq!(news, [watched.itself()], "the service has not been read since");
    let news = watched.service(|_| ()).await;
    assert_eq!(news, [watched.itself(), watched.of(1)], "that it was being changed concerns nobody else");
}

#[tokio::test(start_paused = true)]
async fn a_principal_that_comes_or_goes_is_named_alone_and_the_first_list_concerns_all() {
    let mut watched = Watched::new();
    let whom = |number: &str| Whom::Account(number.into());
    let news = watched.listed(&["1", "2"]).await;
    let (one, two, three) = (watched.whom(whom("1")), watched.whom(whom("2")), watched.whom(whom("3")));
    assert_eq!(news, [watched.itself(), one.clone(), two.clone(), watched.tenants()], "and who is not on it");
    assert_eq!(watched.listed(&["1", "2"]).await, []);
    assert_eq!(watched.listed(&["1", "2", "acs:ram:*:3"]).await, [watched.itself(), three]);
    assert_eq!(watched.listed(&["1", "*"]).await, {
        [watched.itself(), watched.whom(Whom::Everybody), two, watched.whom(whom("3"))]
    });

    for step in [Step::AllowPrincipal, Step::DisallowPrincipal] {
        watched.observer.record(effect(step(watched.id.clone(), "1".into())));
        assert_eq!(watched.listed(&["1", "*"]).await, [watched.itself(), one.clone()], "what we did is known");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_on_which_nobody_is_concerns_all_when_it_is_read_first() {
    let mut watched = Watched::new();
    assert_eq!(watched.listed(&[]).await, [watched.itself(), watched.tenants()]);
    assert_eq!(watched.connections(|_| ()).await, [watched.itself(), watched.tenants()]);
}

#[tokio::test(start_paused = true)]
async fn load_balancers_concern_all_tenants_but_not_how_many_connections_they_carry() {
    let mut watched = Watched::new();
    let both = [watched.itself(), watched.tenants()];
    assert_eq!(watched.resources(&[(key("zone-a"), resource())]).await, both);
    let busy = Resource { connections: 7, deprecated_connections: 1, ..resource() };
    assert_eq!(watched.resources(&[(key("zone-a"), busy)]).await, [watched.itself()]);
    let given = Resource { auto_allocate: true, ..busy };
    assert_eq!(watched.resources(&[(key("zone-a"), given)]).await, both);
    assert_eq!(watched.resources(&[(key("zone-a"), given), (key("zone-b"), busy)]).await, both);
    assert_eq!(watched.resources(&[(key("zone-a"), given)]).await, both);

    watched.observer.record(effect(Step::SetAutoAllocate(watched.id.clone(), key("zone-a"), false)));
    assert_eq!(watched.resources(&[(key("zone-a"), busy)]).await, both, "what its owner did reaches them");
    watched.observer.record(effect(Step::SetAutoAllocate(watched.id.clone(), key("zone-a"), true)));
    assert_eq!(watched.resources(&[(key("zone-a"), busy)]).await, both, "it did not last");
}

#[tokio::test(start_paused = true)]
async fn what_a_service_says_to_all_its_tenants_concerns_them() {
    let mut watched = Watched::new();
    let both = [watched.itself(), watched.tenants()];
    assert_eq!(watched.service(|_| ()).await, both, "it is seen for the first time");
    for state in [LifeState::Modifying, LifeState::Active] {
        let news = watched.service(|service| service.state = state).await;
        assert_eq!(news, [watched.itself()], "whoever waits for the end of a change looks at it");
    }
    let changes: [fn(&mut Service); 6] = [
        |service| service.state = LifeState::Failed,
        |service| service.locked = true,
        |service| service.auto_accept = true,
        |service| service.kind = Some(ResourceKind::Clb),
        |service| service.bandwidth_mbps = Some((1, 2)),
        |service| service.default_bandwidth_mbps = Some(1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(watched.service(change).await, both, "{number}");
        assert_eq!(watched.service(change).await, [], "{number}");
    }
    assert_eq!(watched.service(|service| service.description = Some("new".into())).await, [watched.itself()]);
    watched.read(|_| FacetKey::Services).await;
    watched.fake.change(&watched.id, |service| service.tags = Some(tags(owner::UID, "uid-1")));
    assert_eq!(watched.read(|_| FacetKey::Services).await, both, "its object has taken it over");
    watched.fake.with(|held| held.services.clear());
    assert_eq!(watched.read(FacetKey::Service).await, both, "it is gone");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_finds_that_a_list_has_drifted_where_somebody_has_asked_for_it() {
    let mut watched = Watched::new();
    let other = watched.fake.add("epsrv-2");
    watched.observer.manage(all(&[watched.id.clone(), other]));
    let lists = |watched: &Watched| -> Vec<Read> {
        let is_list = |read: &Read| matches!(read, Read::Principals(..));
        watched.fake.reads().into_iter().filter(is_list).collect()
    };
    assert!(watched.observer.sweep_once().await.is_empty());
    assert_eq!(lists(&watched), [], "nobody has asked for any");

    watched.listed(&["1", "2"]).await;
    watched.fake.reads();
    watched.fake.with(|held| held.principals.insert(watched.id.clone(), ["1".into()].into()));
    tokio::time::advance(TICK).await;
    assert!(watched.observer.sweep_once().await.is_empty());
    assert_eq!(lists(&watched), [Read::Principals(watched.id.clone(), None)]);
    assert_eq!(watched.heard(), [watched.itself(), watched.whom(Whom::Account("2".into()))]);
}

#[tokio::test(start_paused = true)]
async fn tenants_are_told_when_their_service_can_be_seen_no_more_and_when_it_can_again() {
    let mut watched = Watched::new();
    watched.observer.manage(all(std::slice::from_ref(&watched.id)));
    assert!(watched.observer.sweep_once().await.is_empty());
    watched.heard();
    // At once, and each minute: after two it counts.
    for _ in 0..3 {
        watched.fake.instead(Err(unavailable()));
    }
    let sweeping = tokio::spawn({
        let observer = watched.observer.clone();
        async move { observer.sweep().await }
    });
    let both = [watched.itself(), watched.tenants()];
    for blind in [true, false] {
        let heard = [watched.touched.next().await.unwrap(), watched.touched.next().await.unwrap()];
        assert_eq!(heard, both);
        assert_eq!(watched.observer.blind(Sort::Service).is_some(), blind);
    }
    sweeping.abort();
}
