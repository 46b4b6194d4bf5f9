//! Random sequences of what people declare of all five kinds, of other hands, of processes that die, of watches that end
//! and requests that go wrong; then quiet. Every object is as declared or names what it waits for; what is declared after
//! that comes about to the letter; nothing was made twice; and where nobody has declared a gap, traffic never stopped.
//!
//! `STORM_CASES` and `STORM_SEED` say how many cases and from which seed on.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use privatelink_sim::alibaba::name;
use privatelink_sim::random::Random;
use privatelink_sim::world::call::{AcceptForm, ConnectionKey, Side};
use privatelink_sim::world::{self, Call, EndpointId, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::door::{Fate, Way};
use super::stage::{HOME, Stage, now};
use super::subject::{CONSUMER, NAME};
use super::zoned::{ASSIGNMENT, DRAIN, ENTRY, OTHER, ZONE, assignment, endpoint, entry, service};
use crate::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};

/// Cases, where nobody says how many.
const CASES: u64 = 4;
/// Things that happen in each.
const EVENTS: usize = 30;
/// The load balancers of the zone.
const SERVING: [&str; 3] = ["lb-hot", "lb-spare", "lb-third"];
/// The second entry of the same tenant, and the second assignment of the same zone.
const RIVAL: &str = "rival";
/// What an object may wait for that somebody else has to do.
const WAITS: [&str; 14] = [
    "WaitingForAcceptance",
    "WaitingForAssignment",
    "WaitingForConsumer",
    "NotWhitelisted",
    "RejectedByProvider",
    "DisconnectedOutside",
    "OwnershipConflict",
    "ReferenceNotFound",
    "ResourceStillAutoAllocated",
    "LastAutoAllocatedInZone",
    "NoResourceInZone",
    "Degraded",
    "FeatureNotEnabled",
    "Expired",
];

/// One case.
struct Storm {
    stage: Stage,
    random: Random,
    /// Nobody declares a gap, and nobody cuts anything.
    gentle: bool,
    /// What has happened, for whoever reads of a failure.
    told: Vec<String>,
    service: Value,
    /// Endpoints that were told to go: those lose their traffic.
    gone: BTreeSet<EndpointId>,
    /// How many objects of the endpoint there have been.
    objects: usize,
}

impl Storm {
    async fn begins(seed: u64) -> Self {
        let gentle = seed.is_multiple_of(2);
        let service = service(&[("lb-hot", true), ("lb-spare", false)]);
        let stage = Stage::with_connection(&service, &entry("Automatic")).await;
        let random = Random::new(seed);
        Self { stage, random, gentle, told: Vec::new(), service, gone: BTreeSet::new(), objects: 1 }
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.random.below(one_in) == 0
    }

    fn tell(&mut self, what: impl Debug) {
        self.told.push(format!("{} {what:?}", now()));
    }

    async fn happens(&mut self) {
        match self.random.below(20) {
            0..=3 => self.declares_the_service().await,
            4 | 5 => self.declares_the_endpoint().await,
            6..=8 => self.declares_an_entry().await,
            9..=12 => self.declares_an_assignment().await,
            13 => self.pauses().await,
            14 => self.keys().await,
            15 => self.meddles(),
            16 => {
                self.tell("the process is killed");
                self.stage.kill().await;
                self.stage.start();
            }
            17 => self.dies().await,
            18 => {
                self.tell("watches end");
                self.stage.api.drop_watches();
            }
            _ => self.requests_go_wrong().await,
        }
        let seconds = self.one_of(&[0, 0, 1, 3, 10, 60, 400]);
        self.stage.later(Duration::from_secs(seconds)).await;
        self.carries();
    }

    async fn declares_the_service(&mut self) {
        let sets: [&[(&str, bool)]; 7] = [
            &[("lb-hot", true), ("lb-spare", false)],
            &[("lb-hot", false), ("lb-spare", true)],
            &[("lb-hot", false), ("lb-spare", false), ("lb-third", true)],
            &[("lb-hot", false), ("lb-spare", true), ("lb-third", false)],
            &[("lb-spare", true)],
            &[("lb-third", true)],
            &[("lb-hot", true)],
        ];
        let set = self.one_of(&sets);
        let mut spec = service(set);
        let migration = self.one_of(&[None, Some("Smooth"), Some("Wait"), Some("Forced")]);
        match migration {
            Some("Forced") if self.gentle => {}
            Some("Forced") => spec["removal"] = json!({"migration": "Forced"}),
            Some(word) => spec["removal"]["migration"] = word.into(),
            None => {}
        }
        spec["description"] = self.one_of(&["the gateway", "another gateway"]).into();
        if self.chance(6) {
            spec["managementPolicy"] = "Observe".into();
        }
        self.tell(("service", set, migration, &spec["managementPolicy"]));
        self.stage.apply(&self.stage.of::<EndpointService>(), NAME, &spec).await;
        self.service = spec;
    }

    async fn declares_the_endpoint(&mut self) {
        let endpoints = self.stage.of::<Endpoint>();
        let there = endpoints.get_opt(NAME).await.expect("people are answered");
        if there.is_some() && self.chance(3) {
            self.tell("the endpoint is deleted");
            self.carries();
            self.gone
                .extend(self.stage.cloud.with(|cloud| cloud.state().endpoints.keys().copied().collect::<Vec<_>>()));
            self.stage.delete(&endpoints, NAME).await;
            return;
        }
        let mut spec = endpoint();
        if self.chance(2) {
            spec["zones"].as_array_mut().expect("zones").pop();
        }
        self.objects += usize::from(there.is_none());
        self.tell(("endpoint", &spec["zones"].as_array().map(Vec::len)));
        self.stage.apply(&endpoints, NAME, &spec).await;
    }

    async fn declares_an_entry(&mut self) {
        let entries = self.stage.of::<WhitelistEntry>();
        let which = self.one_of(&[ENTRY, RIVAL]);
        if self.chance(4) {
            self.tell(("entry is deleted", which));
            return self.deletes(&entries, which).await;
        }
        let mut spec = entry("Automatic");
        if which == RIVAL {
            spec["principal"] = format!("acs:ram:*:{}", CONSUMER.0).into();
        }
        let action = if self.gentle { "Accept" } else { self.one_of(&["Accept", "Accept", "Reject", "Leave"]) };
        if action != "Accept" {
            spec["connections"] = json!({"action": action});
        }
        let revocation = if self.gentle { "KeepConnections" } else { self.one_of(&["KeepConnections", "Disconnect"]) };
        spec["revocation"] = revocation.into();
        if self.chance(3) {
            let end = now() + Duration::from_secs(self.one_of(&[30, 300]));
            spec["expiresAt"] = Timestamp::from_second(end.as_second()).expect("a moment").to_string().into();
        }
        self.tell((which, action, revocation, &spec["expiresAt"]));
        self.stage.apply(&entries, which, &spec).await;
    }

    async fn declares_an_assignment(&mut self) {
        let zones = self.stage.of::<ZoneResourceAssignment>();
        let which = self.one_of(&[ASSIGNMENT, ASSIGNMENT, RIVAL]);
        if self.chance(5) {
            self.tell(("assignment is deleted", which));
            return self.deletes(&zones, which).await;
        }
        let to = self.one_of(&SERVING);
        let mut spec = assignment(to);
        if !self.gentle && self.chance(4) {
            spec["connected"] = false.into();
        }
        if !self.gentle && self.chance(3) {
            spec["migration"] = json!({"mode": "Forced"});
        }
        self.tell((which, to, &spec["connected"], &spec["migration"]["mode"]));
        self.stage.apply(&zones, which, &spec).await;
    }

    async fn deletes<K>(&self, api: &Api<K>, name: &str)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        if api.get_opt(name).await.expect("people are answered").is_some() {
            api.delete(name, &DeleteParams::default()).await.expect("it was there");
        }
    }

    async fn pauses(&mut self) {
        let (kind, on) = (self.random.below(4), self.one_of(&["true", "false"]));
        self.tell(("paused", kind, on));
        match kind {
            0 => self.annotates::<EndpointService>(NAME, on).await,
            1 => self.annotates::<Endpoint>(NAME, on).await,
            2 => self.annotates::<WhitelistEntry>(ENTRY, on).await,
            _ => self.annotates::<ZoneResourceAssignment>(ASSIGNMENT, on).await,
        }
    }

    async fn annotates<K>(&self, name: &str, on: &str)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let api = self.stage.of::<K>();
        if api.get_opt(name).await.expect("people are answered").is_some() {
            self.stage.annotate(&api, name, "privatelink.dev/paused", on).await;
        }
    }

    /// The key of an account is broken or mended.
    async fn keys(&mut self) {
        let (account, works) = (self.one_of(&["provider", "consumer"]), self.chance(2));
        self.tell((account, works));
        self.sets_key(account, works).await;
    }

    async fn sets_key(&self, account: &str, works: bool) {
        let secret = if works { format!("{account}-secret") } else { "wrong".to_owned() };
        let patch = json!({"data": {"accessKeySecret": ByteString(secret.into_bytes())}});
        let secrets = Api::<Secret>::namespaced(self.stage.people.clone(), HOME);
        secrets.patch(account, &PatchParams::default(), &Patch::Merge(patch)).await.expect("it is there");
    }

    /// What others do may be refused by the cloud: then nothing has happened.
    fn meddles(&mut self) {
        let kind = self.random.below(if self.gentle { 2 } else { 4 });
        self.tell(("somebody else", kind));
        self.stage.cloud.with(|cloud| {
            cloud.catch_up();
            let state = cloud.state();
            let Some(endpoint) = state.endpoints.values().next() else { return };
            let key = ConnectionKey { service: endpoint.service, endpoint: endpoint.id };
            let zone = state.land.zone_named(ZONE);
            let call = match kind {
                0 => Call::AcceptConnection(key, AcceptForm::default()),
                1 => Call::DisconnectZone(key, zone, Side::Replaced),
                2 => Call::RejectConnection(key),
                _ => Call::DisconnectZone(key, zone, Side::Current),
            };
            let request = Request { region: state.land.region_named("cn-hangzhou"), token: None, call };
            if let Ok((next, _)) = world::apply(state, cloud.keys["provider-key"].actor, &request) {
                cloud.set_state(next);
                cloud.settle();
            }
        });
    }

    async fn dies(&mut self) {
        let (nth, fate) = (1 + self.random.below(4), self.one_of(&[Fate::DieBefore, Fate::DieAfter]));
        self.tell((nth, fate));
        self.stage.dies_at(nth, fate, |asked| asked.writes);
        self.stage.dies_before(async |stage| stage.later(Duration::from_mins(1)).await).await;
    }

    async fn requests_go_wrong(&mut self) {
        self.tell("requests go wrong");
        let mut random = Random::new(self.random.bits());
        self.stage.board.judged_by(move |asked| match (random.below(20), asked.way) {
            (0, _) => Fate::LoseAnswer,
            (1, _) => Fate::LoseRequest,
            (2, Way::Kube) if asked.writes => Fate::Overtake,
            (3, _) => Fate::Refuse(503),
            _ => Fate::Pass,
        });
        self.stage.later(Duration::from_mins(1)).await;
        self.stage.board.judged_by(|_| Fate::Pass);
    }

    /// Where nobody has declared a gap, the endpoint as a whole and its zone have had none.
    fn carries(&self) {
        if !self.gentle {
            return;
        }
        let gaps = self.stage.cloud.with(|cloud| {
            cloud.catch_up();
            let zone = cloud.state().land.zone_named(ZONE);
            let tracks = cloud.journal.witness().tracks();
            let of_it = tracks.filter(|((id, of), _)| !self.gone.contains(id) && of.is_none_or(|of| of == zone));
            of_it.map(|(_, track)| track.gaps()).sum::<u32>()
        });
        assert_eq!(gaps, 0, "traffic stopped: {:#?}\n{:#?}", self.told, self.stage.world("endpoints"));
    }

    /// Nothing goes wrong any more, and nobody is kept from acting.
    async fn quiet(&mut self) {
        self.tell("quiet");
        for account in ["provider", "consumer"] {
            self.sets_key(account, true).await;
        }
        self.service["managementPolicy"] = "Manage".into();
        self.stage.apply(&self.stage.of::<EndpointService>(), NAME, &self.service).await;
        self.annotates::<EndpointService>(NAME, "false").await;
        self.annotates::<Endpoint>(NAME, "false").await;
        self.annotates::<WhitelistEntry>(ENTRY, "false").await;
        self.annotates::<ZoneResourceAssignment>(ASSIGNMENT, "false").await;
        self.stage.accounts_are_ready().await;
        self.stage.later(Duration::from_hours(1)).await;
        let mut reasons = Vec::new();
        reasons.extend(ready::<EndpointService>(&self.stage, NAME).await);
        reasons.extend(ready::<Endpoint>(&self.stage, NAME).await);
        for name in [ENTRY, RIVAL] {
            reasons.extend(ready::<WhitelistEntry>(&self.stage, name).await);
        }
        for name in [ASSIGNMENT, RIVAL] {
            reasons.extend(ready::<ZoneResourceAssignment>(&self.stage, name).await);
        }
        for (what, truth, reason, message) in &reasons {
            let fine = truth == "True" || WAITS.contains(&reason.as_str());
            assert!(fine, "{what}: {truth} {reason} {message}\n{:#?}\n{:#?}", self.told, self.stage.whole_world());
        }
        let open = self
            .stage
            .world("endpoints")
            .iter()
            .filter_map(|one| one["zones"].as_array().cloned())
            .flatten()
            .any(|leg| !leg["replaced"].is_null());
        assert!(!open, "what was replaced is closed: {:#?}\n{reasons:#?}\n{:#?}", self.told, self.stage.whole_world());
        self.carries();
    }

    /// What takes every hurdle away is declared, and comes about.
    async fn ends_well(&mut self) {
        self.tell("all is declared anew");
        let stage = &self.stage;
        let (entries, zones) = (stage.of::<WhitelistEntry>(), stage.of::<ZoneResourceAssignment>());
        self.deletes(&entries, RIVAL).await;
        self.deletes(&zones, RIVAL).await;
        stage.gone(&entries, RIVAL).await;
        stage.gone(&zones, RIVAL).await;
        let mut held = entry("Automatic");
        held["connections"]["bandwidthMbps"] = 300.into();
        let mut all = Vec::new();
        // A zone whose load balancer was detached while it was cut is connected where the cloud pleases, and moves in
        // the second round: a load balancer that is given to new connections is not replaced.
        for round in ["once", "again"] {
            let on = stage.world("endpoints").first().and_then(|_| stage.leg().1);
            let auto = if on.as_deref() == Some("lb-third") { "lb-hot" } else { "lb-third" };
            all = SERVING.iter().map(|id| (*id, *id == auto)).collect::<Vec<_>>();
            stage.declares_connection(&service(&all), &held).await;
            stage.annotate(&entries, ENTRY, "privatelink.dev/reconcile-requested-at", round).await;
            stage.assigns(&assignment("lb-spare")).await;
            stage.later(Duration::from_mins(40)).await;
        }
        let mut reasons = Vec::new();
        reasons.extend(ready::<EndpointService>(stage, NAME).await);
        reasons.extend(ready::<Endpoint>(stage, NAME).await);
        reasons.extend(ready::<WhitelistEntry>(stage, ENTRY).await);
        reasons.extend(ready::<ZoneResourceAssignment>(stage, ASSIGNMENT).await);
        let world = stage.whole_world();
        let told = format!("{:#?}\n{reasons:#?}\n{world:#?}", self.told);
        assert!(reasons.len() == 4 && reasons.iter().all(|(_, truth, ..)| truth == "True"), "{told}");
        assert_eq!(
            (world["services"].as_array().map(Vec::len), world["endpoints"].as_array().map(Vec::len)),
            (Some(1), Some(1))
        );
        let (one, tenant) = (&world["services"][0], &world["endpoints"][0]);
        let has = one["resources"].as_array().expect("a list").iter();
        let has: BTreeSet<_> =
            has.map(|one| (one["resourceId"].as_str().unwrap_or_default(), one["autoAllocated"] == true)).collect();
        assert_eq!(has, all.iter().copied().chain([(OTHER.1, true)]).collect(), "{told}");
        // In the form in which it was let in first.
        let let_in = stage.let_in();
        let named = let_in.iter().map(|one| one.trim_start_matches("acs:ram:*:")).collect::<Vec<_>>();
        assert_eq!(named, [CONSUMER.0.to_string()], "{told}");
        assert_eq!(
            (&tenant["connection"]["status"], &tenant["connection"]["bandwidthMbps"]),
            (&"Connected".into(), &300.into()),
            "{told}"
        );
        assert_eq!(stage.leg(), ("Connected".to_owned(), Some("lb-spare".to_owned()), None), "{told}");
        assert_eq!(tenant["zones"].as_array().map(Vec::len), Some(2), "{told}");
        assert_eq!(one["id"].as_str().map(name::service), tenant["service"].as_str().map(name::service), "{told}");
        let effects = stage.effects();
        let times = |action: &str| effects.iter().filter(|effect| *effect == action).count();
        assert_eq!(times("CreateVpcEndpointService"), 1, "{told}");
        assert!(times("CreateVpcEndpoint") <= self.objects + 1, "{} objects: {told}", self.objects);
        self.carries();
        let before = stage.effects().len();
        stage.later(Duration::from_hours(1)).await;
        assert_eq!(stage.effects().len(), before, "a world that is as declared is left alone: {told}");
        let status = zones.get(ASSIGNMENT).await.expect("it is there").status.expect("it has one");
        let smooth = status.history.iter().filter(|one| one.mode == "Smooth");
        assert!(smooth.into_iter().all(|one| one.gap_seconds.is_none_or(|gap| gap == 0)), "{:#?}", status.history);
        assert!(DRAIN > 0 && status.migration.is_none());
    }
}

/// What an object says of itself for the spec of now; nothing, where it is not there.
async fn ready<K>(stage: &Stage, name: &str) -> Option<(String, String, String, String)>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize,
{
    let object = stage.of::<K>().get_opt(name).await.expect("people are answered")?;
    let object = serde_json::to_value(&object).expect("it is an object");
    let what = format!("{} {name}", K::kind(&()));
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let observed = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let said = conditions.into_iter().find(|one| one["type"] == "Ready" && observed);
    let text = |field: &str| said.as_ref().and_then(|one| one[field].as_str()).unwrap_or("nothing").to_owned();
    Some((what, text("status"), text("reason"), text("message")))
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().expect("a number"))
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_the_end_is_as_declared() {
    let (first, cases) = (number("STORM_SEED", 1), number("STORM_CASES", CASES));
    let began = std::time::Instant::now();
    for seed in first..first + cases {
        println!("STORM_SEED={seed}");
        let mut storm = Storm::begins(seed).await;
        for _ in 0..EVENTS {
            storm.happens().await;
        }
        storm.quiet().await;
        storm.ends_well().await;
        let accounts = Api::<CloudAccount>::all(storm.stage.people.clone());
        assert_eq!(accounts.list(&kube::api::ListParams::default()).await.expect("they are listed").items.len(), 2);
    }
    println!("{cases} cases from seed {first} on within {:.1} s", began.elapsed().as_secs_f64());
}
