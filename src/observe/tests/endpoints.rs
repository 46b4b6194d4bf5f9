//! What looking after many endpoints costs: few pages, and in turn what no page shows.

use privatelink_core::observed::EndpointKind;
use privatelink_core::state::ConnectionState;

use super::*;

/// As many as one account may have in one VPC.
const MANY: usize = 1_000;
/// The smallest page that a cloud gives.
const PAGE: usize = 50;

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        id: EndpointId::from(name),
        state: LifeState::Active,
        cloud_state: "Active".into(),
        connection: ConnectionState::Connected,
        locked: false,
        kind: Some(EndpointKind::Interface),
        name: None,
        description: None,
        vpc: None,
        service: None,
        service_name: None,
        service_region: None,
        domain: None,
        family: AddressFamily::V4,
        zone_affinity: false,
        cross_region_bandwidth_mbps: None,
        policy: None,
        protected: false,
        resource_group: None,
        tags: Some(tags("team", "a")),
    }
}

/// A cloud with many endpoints, all of which objects manage.
fn many() -> (Arc<Fake>, Observer) {
    let (fake, observer) = observed(FREELY);
    let ids: Vec<EndpointId> = (0..MANY).map(|number| EndpointId::from(format!("ep-{number:04}").as_str())).collect();
    fake.with(|held| {
        held.page = PAGE;
        held.endpoints = ids.iter().map(|id| (id.clone(), endpoint(id.as_str()))).collect();
    });
    observer.manage(ids.into_iter().map(CloudId::from).collect());
    (fake, observer)
}

fn is_deep(read: &Read) -> bool {
    matches!(read, Read::Interfaces(..) | Read::Groups(..))
}

#[tokio::test(start_paused = true)]
async fn a_sweep_of_a_thousand_reads_their_pages_and_nothing_else() {
    let (fake, observer) = many();
    assert!(observer.sweep_once().await.is_empty());
    let reads = fake.reads();
    assert_eq!(reads.len(), MANY / PAGE, "{reads:?}");
    assert!(reads.iter().all(|read| matches!(read, Read::Endpoints(_))), "{reads:?}");
    assert_eq!(observer.laid().snapshot.listed_endpoints.value().map(BTreeSet::len), Some(MANY));
}

#[tokio::test(start_paused = true)]
async fn what_no_list_shows_is_read_in_turn_within_a_tenth_of_the_rate() {
    let (fake, observer) = many();
    let began = Instant::now();
    let running = tokio::spawn(observer.clone().run());
    // Each of them once, and the first of them a second time.
    let mut deep: Vec<Read> = Vec::new();
    while deep.len() < 2 * MANY + 2 {
        deep.extend(fake.next_reads(1).await.into_iter().filter(is_deep));
        let (seconds, per_second) = (began.elapsed().as_secs_f64(), f64::from(observer.0.rate.limits().per_second));
        let reads = f64::from(u32::try_from(deep.len()).unwrap());
        assert!(reads <= seconds * per_second / 10.0 + 2.0, "{reads} in {seconds} s");
    }
    running.abort();
    let of = |read: &Read| match read {
        Read::Interfaces(id, _) | Read::Groups(id, _) => id.clone(),
        other => panic!("{other:?} is not deep"),
    };
    let each: BTreeSet<EndpointId> = deep[..2 * MANY].iter().map(of).collect();
    assert_eq!(each.len(), MANY, "none is read again before all have been");
    assert_eq!(of(&deep[2 * MANY]), of(&deep[0]));
}

#[tokio::test(start_paused = true)]
async fn few_are_read_no_more_often_than_everything_else() {
    let (fake, observer) = many();
    observer.manage([CloudId::from(EndpointId::from("ep-0000"))].into());
    let deepening = tokio::spawn({
        let observer = observer.clone();
        async move { observer.deepen().await }
    });
    let began = Instant::now();
    assert!(fake.next_reads(2).await.iter().all(is_deep));
    assert!(fake.next_reads(2).await.iter().all(is_deep));
    assert!(began.elapsed() >= PERIOD * 2, "{:?}", began.elapsed());
    deepening.abort();
}
