//! What is exposed, before the simulated cloud in the same process.

use privatelink_core::error::Failure;
use privatelink_core::id::AccountId;
use privatelink_core::moment::Moment;
use privatelink_core::place::Place;
use privatelink_core::rate::Limits;
use privatelink_core::step::Lane;
use privatelink_sim::cloud::{Cloud as World, Options};
use privatelink_sim::fault::{Fault, Rule};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::*;
use crate::cloud::claim::{Claim, Claimed};
use crate::cloud::credentials::Credentials;
use crate::cloud::endpoint::{Base, Endpoints};
use crate::cloud::identity::{Identity, Origin, Role};
use crate::cloud::metered::class;
use crate::cloud::pool::Access;
use crate::cloud::transport::Transport;
use crate::control::census::Census;
use crate::control::watch::stores;
use crate::runtime::clock;

const DOCUMENTED: &str = include_str!("../../../docs/metrics.md");
/// All families, as they are called in the documentation.
const FAMILIES: [(&str, &str); 19] = [
    ("privatelink_reconciles", "counter"),
    ("privatelink_reconcile_duration_seconds", "histogram"),
    ("privatelink_drift_corrected", "counter"),
    ("privatelink_build", "info"),
    ("privatelink_leader", "gauge"),
    ("privatelink_cloud_requests", "counter"),
    ("privatelink_gate_waits_seconds", "histogram"),
    ("privatelink_writes_unshown", "gauge"),
    ("privatelink_snapshot_timestamp_seconds", "gauge"),
    ("privatelink_credentials_expiry_timestamp_seconds", "gauge"),
    ("privatelink_credentials_renewal_failing", "gauge"),
    ("privatelink_objects", "gauge"),
    ("privatelink_connections", "gauge"),
    ("privatelink_connections_pending_since_timestamp_seconds", "gauge"),
    ("privatelink_connections_undecided", "gauge"),
    ("privatelink_connections_held", "gauge"),
    ("privatelink_links_down", "gauge"),
    ("privatelink_migrations", "gauge"),
    ("privatelink_migrations_oldest_timestamp_seconds", "gauge"),
];

/// No sample of either family of credentials.
const NONE: [Vec<String>; 2] = [const { Vec::new() }; 2];

pub struct Stage {
    world: Simulator,
    meter: Meter,
    pool: Pool,
    tally: Tally,
    pub metrics: Metrics,
}

pub fn stage() -> Stage {
    let start = jiff::Timestamp::from_millisecond(clock::now().0).unwrap();
    let world = Simulator::new(World::new(Fixture::built_in(), Options::standing(start)));
    let meter = Meter::default();
    let claimed = Claimed::new(watch::channel(Claim::Sole).1);
    let pool = Pool::new(Transport::over(world.clone()), claimed.clone(), meter.clone());
    let (census, tally) = (Census::new(stores().0, claimed.clone()), Tally::default());
    let metrics = Metrics::new(meter.clone(), pool.clone(), claimed, tally.clone(), Box::new(census));
    Stage { world, meter, pool, tally, metrics }
}

impl Stage {
    /// The samples of a family, each as it is written behind the family's name.
    fn samples(&self, family: &str) -> Vec<String> {
        let text = self.metrics.text().unwrap();
        text.lines().filter_map(|line| line.strip_prefix(family)).map(str::to_owned).collect()
    }

    /// When the session of each account ends, and whether its renewal fails.
    fn credentials(&self) -> [Vec<String>; 2] {
        ["privatelink_credentials_expiry_timestamp_seconds", "privatelink_credentials_renewal_failing"]
            .map(|family| self.samples(family))
    }

    async fn identify(&self, account: &str, access: &Access) -> Result<AccountId, Failure> {
        let answer = self.pool.identify(account, access).await;
        self.pool.look_after(account).await;
        answer
    }
}

fn access(role: Option<&str>) -> Access {
    let parts = [("accessKeyId", "provider-user-key"), ("accessKeySecret", "provider-user-secret")];
    let contents = parts.map(|(key, value)| (key.to_owned(), Zeroizing::new(value.as_bytes().to_vec())));
    let origin = Origin::Given(Credentials::from_secret("ops/key", &contents.into()).unwrap());
    let role = role.map(|name| Role { arn: format!("acs:ram::1001000000000001:role/{name}"), external_id: None });
    let metadata = Base::of_machine("http://100.100.100.200").unwrap();
    Access {
        cloud: Cloud::Alibaba,
        region: Region::from("cn-hangzhou"),
        identity: Identity { origin, role },
        endpoints: Endpoints { privatelink: None, sts: None, metadata },
    }
}

#[tokio::test(start_paused = true)]
async fn every_family_is_there_from_the_start_and_explains_itself() {
    let text = stage().metrics.text().unwrap();
    let families: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert_eq!(families, FAMILIES);
    for (name, _) in families {
        let about = |what: &str| {
            let written = text.lines().find_map(|line| line.strip_prefix(&format!("# {what} {name} ")));
            written.map(str::to_owned)
        };
        let help = about("HELP").unwrap_or_default();
        assert!(help.ends_with('.') && help.len() > 20, "{name}: {help:?}");
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{name}");
        assert_eq!(about("UNIT").as_deref(), name.ends_with("_seconds").then_some("seconds"), "{name}");
        // A counter's sample ends in _total by its type: a name that does too would have it twice.
        assert!(!name.ends_with("_total"), "{name}");
    }
    assert!(text.ends_with("# EOF\n"));
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let version = concat!(r#"privatelink_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#);
    assert_eq!(samples, [version, "privatelink_leader 1"], "nothing has happened yet");
}

/// Each row of the table is a family, with its type, and leads to a section that speaks of it; and each family has one.
#[test]
fn the_table_in_the_documentation_has_each_family_and_no_other() {
    let rows = DOCUMENTED.lines().filter_map(|line| line.strip_prefix("| [`")).map(|row| {
        let (name, rest) = row.split_once("`](#").expect("a family leads to its section");
        let (anchor, rest) = rest.split_once(") | ").expect("a section and a type");
        (name, anchor, rest.split(' ').next().expect("a type"))
    });
    let rows: Vec<(&str, &str, &str)> = rows.collect();
    let named = FAMILIES.map(|(name, kind)| match kind {
        "counter" => (format!("{name}_total"), kind),
        "info" => (format!("{name}_info"), "gauge"),
        _ => (name.to_owned(), kind),
    });
    let mut documented: Vec<(String, &str)> = rows.iter().map(|(name, _, kind)| ((*name).to_owned(), *kind)).collect();
    let mut exposed = named.to_vec();
    documented.sort();
    exposed.sort();
    assert_eq!(documented, exposed, "the table of docs/metrics.md");
    for (name, anchor, _) in rows {
        let section = DOCUMENTED.split("\n## ").find(|section| {
            let title = section.lines().next().unwrap_or_default().to_lowercase();
            title.replace(' ', "-") == anchor
        });
        let section = section.unwrap_or_else(|| panic!("docs/metrics.md has no section #{anchor}"));
        assert!(section.contains(&format!("`{name}`")), "#{anchor} does not speak of {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn turns_are_counted_by_kind_and_what_came_of_them() {
    let stage = stage();
    stage.tally.turn("Endpoint", "ok", Duration::from_millis(30));
    stage.tally.turn("Endpoint", "ok", Duration::from_secs(2));
    stage.tally.corrected("Endpoint");
    assert_eq!(stage.samples("privatelink_reconciles"), [r#"_total{kind="Endpoint",outcome="ok"} 2"#]);
    assert_eq!(stage.samples("privatelink_drift_corrected"), [r#"_total{kind="Endpoint"} 1"#]);
    let took = stage.samples("privatelink_reconcile_duration_seconds");
    for sample in [r#"_count{kind="Endpoint"} 2"#, r#"_bucket{le="0.05",kind="Endpoint"} 1"#] {
        assert!(took.iter().any(|line| line == sample), "{sample} in {took:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_list_of_a_region_dates_what_is_known_of_it() {
    let stage = stage();
    let limits = Limits { per_second: 10, burst: 20 };
    let place = |account: &str| Place { cloud: Cloud::Alibaba, account: account.into(), region: "cn-hangzhou".into() };
    for account in ["1001", "1002"] {
        stage.pool.put(account, &place(account), &access(None), limits);
    }
    let dated = || stage.samples("privatelink_snapshot_timestamp_seconds");
    assert_eq!(dated(), Vec::<String>::new(), "what was never read has no date");
    stage.meter.listed(&place("1001"), Some(Moment(7_900)));
    stage.meter.listed(&place("1002"), Some(Moment(9_000)));
    assert_eq!(dated(), [r#"{cloud="alibaba",region="cn-hangzhou"} 7"#]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_what_came_of_them() {
    let stage = stage();
    stage.identify("main", &access(None)).await.unwrap();
    stage.identify("main", &access(None)).await.unwrap();
    stage.world.with(|world| world.faults.add(Rule { action: None, nth: 1, times: 1, fault: Fault::Throttle }));
    stage.identify("main", &access(None)).await.unwrap_err();
    assert_eq!(
        stage.samples("privatelink_cloud_requests"),
        [
            r#"_total{cloud="alibaba",action="ReadCallerIdentity",outcome="ok"} 2"#,
            r#"_total{cloud="alibaba",action="ReadCallerIdentity",outcome="throttled"} 1"#,
        ]
    );
}

#[test]
fn every_outcome_is_documented() {
    use privatelink_core::condition::Reason;
    use privatelink_core::error::Meaning;
    let meanings = [
        Meaning::Gone,
        Meaning::Done,
        Meaning::InTransition,
        Meaning::Throttled,
        Meaning::Unavailable,
        Meaning::TokenReused,
        Meaning::Waiting(Reason::Provisioning),
        Meaning::UserMustAct(Reason::Provisioning),
        Meaning::Credentials(Reason::Provisioning),
        Meaning::DryRun,
        Meaning::Unexpected,
    ];
    for outcome in meanings.map(class).iter().chain(&["ok"]) {
        assert!(DOCUMENTED.contains(&format!("| `{outcome}` |")), "docs/metrics.md does not have {outcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_add_up_bucket_by_bucket() {
    let stage = stage();
    for milliseconds in [0, 700, 700, 1_000_000] {
        stage.meter.waited(Cloud::Alibaba, Lane::Ordinary, Duration::from_millis(milliseconds));
    }
    stage.meter.waited(Cloud::Alibaba, Lane::EndsExposure, Duration::ZERO);
    let samples = stage.samples("privatelink_gate_waits_seconds");
    let ordinary: Vec<&str> =
        samples.iter().filter(|line| line.contains(r#"lane="ordinary""#)).map(String::as_str).collect();
    assert_eq!(
        ordinary,
        [
            r#"_sum{cloud="alibaba",lane="ordinary"} 1001.4"#,
            r#"_count{cloud="alibaba",lane="ordinary"} 4"#,
            r#"_bucket{le="0.1",cloud="alibaba",lane="ordinary"} 1"#,
            r#"_bucket{le="0.5",cloud="alibaba",lane="ordinary"} 1"#,
            r#"_bucket{le="1.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="5.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="15.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="30.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="60.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="300.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="900.0",cloud="alibaba",lane="ordinary"} 3"#,
            r#"_bucket{le="+Inf",cloud="alibaba",lane="ordinary"} 4"#,
        ]
    );
    assert!(samples.contains(&r#"_count{cloud="alibaba",lane="ends_exposure"} 1"#.to_owned()), "{samples:#?}");
}

#[tokio::test(start_paused = true)]
async fn unshown_writes_of_all_accounts_of_a_region_are_one_sample() {
    let stage = stage();
    let place = |account: &str, region: &str| Place {
        cloud: Cloud::Alibaba,
        account: AccountId::from(account),
        region: Region::from(region),
    };
    let places = [place("1001", "cn-hangzhou"), place("1002", "cn-hangzhou"), place("1001", "cn-shanghai")];
    let limits = Limits { per_second: 10, burst: 20 };
    for (at, place) in places.iter().enumerate() {
        stage.pool.put(&format!("account-{at}"), place, &access(None), limits);
    }
    let unshown = || stage.samples("privatelink_writes_unshown");
    let hangzhou = |writes| format!(r#"{{cloud="alibaba",region="cn-hangzhou"}} {writes}"#);
    let shanghai = |writes| format!(r#"{{cloud="alibaba",region="cn-shanghai"}} {writes}"#);
    assert_eq!(unshown(), [hangzhou(0), shanghai(0)]);
    for (place, writes) in places.iter().zip([1, 2, 4]) {
        stage.meter.left_unshown(place, writes);
    }
    assert_eq!(unshown(), [hangzhou(3), shanghai(4)]);
    stage.pool.remove("account-1");
    stage.pool.remove("account-2");
    assert_eq!(unshown(), [hangzhou(1)], "what is no longer observed has no sample");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_renewed_is_seen_before_it_ends() {
    let stage = stage();
    stage.identify("lasting", &access(None)).await.unwrap();
    assert_eq!(stage.credentials(), NONE, "keys that do not end have no sample");
    stage.identify("session", &access(Some("operator"))).await.unwrap();
    let ends = stage.pool.outlooks()["session"].ends.unwrap();
    let ends_at = |ends: Moment| vec![format!(r#"{{account="session"}} {}"#, ends.0 / 1_000)];
    let failing = |failing: u8| vec![format!(r#"{{account="session"}} {failing}"#)];
    assert_eq!(stage.credentials(), [ends_at(ends), failing(0)]);

    let refused = Fault::Refuse { code: "NoPermission".to_owned(), status: 403 };
    let action = Some("AssumeRole".to_owned());
    stage.world.with(|world| world.faults.add(Rule { action, nth: 1, times: 1, fault: refused }));
    tokio::time::advance(Duration::from_mins(50)).await;
    let outlook = stage.pool.look_after("session").await;
    assert!(outlook.failure.is_some() && outlook.lasts(clock::now()), "{outlook:?}");
    assert_eq!(stage.credentials(), [ends_at(ends), failing(1)]);

    tokio::time::advance(outlook.due.unwrap().since(clock::now())).await;
    let renewed = stage.pool.look_after("session").await.ends.unwrap();
    assert!(renewed > ends);
    assert_eq!(stage.credentials(), [ends_at(renewed), failing(0)]);

    stage.pool.remove("session");
    assert_eq!(stage.credentials(), NONE, "nor do those of an account that is gone");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_has_never_had_a_session_fails_without_an_end() {
    let stage = stage();
    stage.identify("nobody", &access(Some("not-there"))).await.unwrap_err();
    assert_eq!(stage.credentials(), [Vec::new(), vec![r#"{account="nobody"} 1"#.to_owned()]]);
}
