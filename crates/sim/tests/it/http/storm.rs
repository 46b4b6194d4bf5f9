//! Random calls over HTTP from several accounts while time passes and answers get lost: every answer fits
//! the description, every refusal is documented or explained, and the world's invariants hold throughout.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use privatelink_sim::alibaba::description::{Field, Kind, PRIVATELINK};
use privatelink_sim::alibaba::refuse::possible::{ANY, POSSIBLE};
use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::fault::Faults;
use privatelink_sim::fixture::Limits;
use privatelink_sim::random::Random;
use privatelink_sim::throttle::Throttle;
use privatelink_sim::world::invariant::broken;
use privatelink_sim::world::{Variants, progress};
use serde_json::Value;

use super::client::{Client, Style};
use super::scene::{CONSUMER, PROVIDER, Scene, options};

/// What is there to be named.
struct Names {
    pools: BTreeMap<&'static str, Vec<String>>,
    /// Endpoint with its owner, its service with its owner, of each connection.
    connections: Vec<[String; 4]>,
}

/// What one call turns about, so that more calls go well than not.
#[derive(Default)]
struct Focus {
    values: BTreeMap<&'static str, String>,
    caller: Option<String>,
}

impl Names {
    fn new() -> Self {
        let fixed: &[(&str, &[&str])] = &[
            ("VpcId", &["vpc-tenant", "vpc-tenant-second", "vpc-provider", "vpc-restricted"]),
            ("VSwitchId", &["vsw-tenant-f", "vsw-tenant-g", "vsw-tenant-h", "vsw-provider-f", "vsw-tenant-second-f"]),
            ("ZoneId", &["cn-hangzhou-f", "cn-hangzhou-g", "cn-hangzhou-h"]),
            ("SecurityGroupId", &["sg-tenant", "sg-tenant-second", "sg-tenant-enterprise", "sg-provider"]),
            ("balancer", &["lb-hot", "lb-spare", "lb-third", "lb-hot-g", "lb-spare-g", "lb-tenant", "nlb-hot"]),
            ("ResourceGroupId", &["rg-provider", "rg-consumer", "rg-provider-second"]),
            ("UserId", &["1001000000000001", "1002000000000002", "1003000000000003"]),
            ("UserARN", &["acs:ram:*:*", "acs:ram:*:1002000000000002"]),
            ("region", &["cn-shanghai", "cn-hangzhou"]),
            ("Bandwidth", &["100", "3072", "99999"]),
            ("text", &["some", "other"]),
        ];
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let pools = fixed.iter().map(|(name, words)| (*name, owned(words))).collect();
        Self { pools, connections: Vec::new() }
    }

    /// What exists now, by the dump.
    fn learn(&mut self, simulator: &privatelink_sim::server::Simulator) {
        let world = simulator.with(|cloud| privatelink_sim::dump::world(cloud));
        for (pool, list) in [("ServiceId", "services"), ("EndpointId", "endpoints")] {
            let ids = world[list].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str());
            let mut ids: Vec<String> = ids.map(str::to_owned).collect();
            ids.push(format!("{}-nowhere", if pool == "ServiceId" { "epsrv" } else { "ep" }));
            self.pools.insert(pool, ids);
        }
        let services = world["services"].as_array().cloned().unwrap_or_default();
        let owners: BTreeMap<_, _> =
            services.iter().map(|one| (one["id"].to_string(), one["owner"].to_string())).collect();
        let endpoints = world["endpoints"].as_array().into_iter().flatten();
        let plain = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let connections = endpoints.filter_map(|one| {
            let owner = owners.get(&one["service"].to_string())?;
            Some([plain(&one["id"]), one["owner"].to_string(), plain(&one["service"]), owner.clone()])
        });
        self.connections = connections.collect();
        let lone = services.iter().filter(|one| self.connections.iter().all(|known| known[2] != plain(&one["id"])));
        let lone: Vec<_> =
            lone.map(|one| [String::new(), String::new(), plain(&one["id"]), one["owner"].to_string()]).collect();
        self.connections.extend(lone);
    }

    /// A connection, or a service without one, and who may call `action` on it; often none.
    fn focus(&self, random: &mut Random, action: &str) -> Focus {
        let takes = |name| PRIVATELINK.actions[action].parameter(name).is_some();
        let fits = |known: &&[String; 4]| !takes("EndpointId") || !known[0].is_empty();
        let fitting: Vec<_> = self.connections.iter().filter(fits).collect();
        if fitting.is_empty() || random.below(10) == 0 {
            return Focus::default();
        }
        let [endpoint, consumer, service, provider] = fitting[random.below(fitting.len())].clone();
        let caller = match (takes("EndpointId"), takes("ServiceId")) {
            (_, true) if action != "CreateVpcEndpoint" => Some(provider),
            (true, false) => Some(consumer),
            _ => None,
        };
        let mut values = BTreeMap::from([("ServiceId", service)]);
        if !endpoint.is_empty() {
            values.insert("EndpointId", endpoint);
        }
        Focus { values, caller }
    }

    fn pick(&self, random: &mut Random, pool: &str) -> String {
        let words = &self.pools[pool];
        words[random.below(words.len())].clone()
    }

    fn value(&self, random: &mut Random, focus: &Focus, action: &str, field: &Field) -> String {
        if let Some(value) = focus.values.get(field.name.as_str()) {
            return value.clone();
        }
        if !field.values.is_empty() {
            return field.values[random.below(field.values.len())].clone();
        }
        match (field.kind, field.name.as_str()) {
            (Kind::Boolean, _) => if random.below(2) == 0 { "true" } else { "False" }.to_owned(),
            (_, "ResourceId")
                if action == "TagResources" || action == "UntagResources" || action == "ListTagResources" =>
            {
                let pool = if random.below(2) == 0 { "ServiceId" } else { "EndpointId" };
                self.pick(random, pool)
            }
            (_, "ResourceId" | "ReplacedResourceId") => self.pick(random, "balancer"),
            (_, "RegionId") => "cn-hangzhou".to_owned(),
            (_, name) if name.contains("Region") && name.contains("Bandwidth") => "100".to_owned(),
            (_, name) if name.contains("Region") => self.pick(random, "region"),
            (_, "ConnectBandwidth" | "Bandwidth") => self.pick(random, "Bandwidth"),
            (_, "MaxResults") => "10".to_owned(),
            (_, "ZonePrivateIpAddressCount") => "1".to_owned(),
            (_, "PolicyDocument") => "{}".to_owned(),
            (_, "ip") => "192.168.1.50".to_owned(),
            (_, "Ipv6Address") => "2408:4005:2:1::50".to_owned(),
            (_, name) if self.pools.contains_key(name) => self.pick(random, name),
            _ => self.pick(random, "text"),
        }
    }
}

/// A call that names what exists more often than not: all that is required, and a few of the rest.
fn call(random: &mut Random, names: &Names, focus: &Focus, name: &str) -> Vec<(String, String)> {
    let skipped = ["NextToken", "OwnerId", "ClientToken", "DryRun"];
    let mut parameters = Vec::new();
    for field in &PRIVATELINK.actions[name].request {
        let telling = matches!(field.name.as_str(), "ServiceId" | "Zone" | "Resource" | "UserId" | "ResourceId");
        let wanted = field.required || random.below(if telling { 2 } else { 8 }) == 0;
        if !wanted || skipped.contains(&field.name.as_str()) {
            continue;
        }
        match field.kind {
            Kind::Array if field.fields.is_empty() => {
                parameters.push((format!("{}.1", field.name), names.value(random, focus, name, field)));
            }
            Kind::Array => {
                for inner in field.fields.iter().filter(|inner| !matches!(inner.name.as_str(), "ip" | "Ipv6Address")) {
                    parameters
                        .push((format!("{}.1.{}", field.name, inner.name), names.value(random, focus, name, inner)));
                }
            }
            _ => parameters.push((field.name.clone(), names.value(random, focus, name, field))),
        }
    }
    match random.below(10) {
        0 if PRIVATELINK.actions[name].is_write() => parameters.push(("DryRun".to_owned(), "true".to_owned())),
        1 if PRIVATELINK.actions[name].is_write() => {
            parameters.push(("ClientToken".to_owned(), format!("token-{}", random.below(50))));
        }
        _ => {}
    }
    parameters
}

async fn storm(seed: u64, calls: usize, variants: Variants) -> BTreeMap<String, usize> {
    let scene = Scene::with(variants, Options { seed, ..options() });
    scene.set_account("1004000000000004", |account| account.product_open = true);
    let service = scene.simulator.clone();
    service.with(|cloud| {
        cloud.throttle = Throttle::new(Limits { requests_per_second: 1e9, burst: u32::MAX }, BTreeMap::new());
    });
    for accept in ["true", "false"] {
        let service = scene.service(&[("AutoAcceptEnabled", accept)]).await;
        scene.endpoint(&service, &[]).await;
    }
    let rates = "lost=0.02,stale=0.02,busy=0.02".parse().expect("rates");
    service.with(|cloud| cloud.faults = Faults::new(rates, seed));
    let mut random = Random::new(seed);
    let mut names = Names::new();
    let actions: Vec<&str> = PRIVATELINK.actions.keys().map(String::as_str).collect();
    let styles = [Style::Acs3, Style::Acs3Form, Style::RpcGet, Style::RpcForm];
    let callers: [(&str, &Client); 3] =
        [(PROVIDER, &scene.provider), (CONSUMER, &scene.consumer), ("", &scene.restricted)];
    let mut codes = BTreeMap::new();
    for number in 0..calls {
        if number % 4 == 0 {
            names.learn(&service);
        }
        let mut action = actions[random.below(actions.len())];
        // Things live long enough for something to happen to them.
        if action.starts_with("Delete") && random.below(4) > 0 {
            action = "CreateVpcEndpoint";
        }
        let focus = names.focus(&mut random, action);
        let parameters = call(&mut random, &names, &focus, action);
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let right = callers.iter().find(|(uid, _)| focus.caller.as_deref() == Some(uid));
        let (_, caller) = right.unwrap_or(&callers[random.below(callers.len())]);
        let caller = caller.styled(styles[random.below(styles.len())]);
        if let Ok(answered) = caller.try_call(action, &pairs).await {
            let code = answered.body["Code"].as_str().unwrap_or("OK");
            *codes.entry(code.to_owned()).or_insert(0) += 1;
        }
        let passes = i64::try_from(random.below(3_000)).expect("it is small");
        service.with(|cloud: &mut Cloud| {
            cloud.advance(SignedDuration::from_millis(passes));
            assert_eq!(cloud.open_transitions(), progress(cloud.state()).len(), "the timetable knows them all");
            assert_eq!(broken(cloud.state()), Vec::<String>::new(), "seed {seed}, after {action} {parameters:?}");
        });
    }
    let dump: Value = service.with(|cloud| privatelink_sim::dump::world(cloud));
    assert_eq!(dump["callsInFlight"], 0, "seed {seed}");
    service.with(|cloud| {
        for call in cloud.journal.calls() {
            let Some(refusal) = call.refusal else { continue };
            let row = POSSIBLE.iter().find(|(action, _)| *action == call.action);
            let known = row.is_some_and(|(_, refusals)| refusals.contains(&refusal)) || ANY.contains(&refusal);
            assert!(known, "{} meets {refusal:?}, which its row does not name", call.action);
        }
    });
    codes
}

#[tokio::test]
async fn random_calls_break_nothing() {
    let mut all: BTreeMap<String, usize> = BTreeMap::new();
    for seed in [1, 2] {
        for (code, count) in storm(seed, 2_000, Variants::default()).await {
            *all.entry(code).or_default() += count;
        }
    }
    assert!(all["OK"] > 1_000, "too little goes well to tell anything: {all:?}");
    assert!(all.len() > 40, "too few ways of going wrong: {all:?}");
}

#[tokio::test]
async fn nor_in_worlds_that_settle_one_statement_differently() {
    for (name, value, variants) in Variants::each_flipped() {
        let codes = storm(3, 300, variants).await;
        assert!(codes["OK"] > 30, "{name}={value}: {codes:?}");
    }
}
