//! The operator as it is shipped: the real binary as the shipped `ServiceAccount` before the real API server, and
//! the simulated cloud on a port of this machine, with a world of its own.
//!
//! ```no_run
//! let operator = Operator::start("my story").await;
//! operator.account("prod", &namespace).await;           // a CloudAccount and its Secret
//! operator.sim.with(|cloud| …);                          // the world, between two calls
//! operator.stop().await;                                 // SIGTERM, and a clean end
//! ```

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{StreamExt as _, future::select_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::{WatchStreamExt as _, watcher},
};
use privatelink_operator::api::{CloudAccount, Endpoint, EndpointService, WhitelistEntry, ZoneResourceAssignment};
use privatelink_sim::{
    cloud::{Cloud, Options},
    control, dump,
    fault::Rule,
    fixture::Fixture,
    inbound::Inbound,
    server::Simulator,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{MutexGuard, oneshot},
    task::JoinHandle,
};

use crate::cluster::{self, Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, PATIENCE, STANDS};
use crate::kube_door::Door;
use crate::past::{Key, PROVIDER};
use crate::process::{Log, Process};

/// One operator at a time in each cluster: two would be two replicas of one.
static ALONE: [tokio::sync::Mutex<()>; STANDS] = [const { tokio::sync::Mutex::const_new(()) }; STANDS];
/// Whether the last story in each cluster has not come to its end, and has left what it made.
static LEFT: [AtomicBool; STANDS] = [const { AtomicBool::new(false) }; STANDS];
/// The same in the cluster from which everything is taken away, and in that of the chart.
static APART: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// See [`APART`].
static CHARTED: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// The name of the replica, the same after a restart: it goes on at once.
const IDENTITY: &str = "operator-under-test";
/// How many times as fast as the wall's the world's time runs.
pub const TIME_SCALE: u8 = 20;
/// What the process logs, where a test wants nothing else.
const LOG: &str = "info,privatelink_operator=debug";
/// The variable that says where the metadata service of the machine is.
pub const METADATA: &str = "PRIVATELINK_ALIBABA_METADATA_ENDPOINT";

/// A running operator, its cluster and its cloud. All of it ends with the test, however that ends.
pub struct Operator {
    /// The cluster.
    pub cluster: &'static Cluster,
    /// The cloud.
    pub sim: Simulator,
    cloud: SocketAddr,
    process: Option<Process>,
    standby: Option<Process>,
    stopped: Option<Process>,
    doors: Option<Doors>,
    kubeconfig: PathBuf,
    /// Variables of its process.
    environment: BTreeMap<&'static str, String>,
    /// What its kubeconfig says of the cluster in place of the administrator's.
    cluster_entry: BTreeMap<&'static str, Value>,
    accounts: Vec<String>,
    _serving: Serving,
    /// Which of the clusters that stories share; none, where the story has one of its own.
    stand: Option<usize>,
    _alone: MutexGuard<'static, ()>,
}

/// What the operator has to go through, where a test wants that.
struct Doors {
    cluster: Door,
    cloud: Door,
}

/// The simulated cloud's server; it ends when this is dropped.
struct Serving {
    _stop: oneshot::Sender<()>,
    _task: JoinHandle<()>,
}

/// A cluster in which no operator runs, as soon as there is one.
async fn stand() -> (usize, MutexGuard<'static, ()>) {
    let stands = if cluster::existing().is_some() { &ALONE[..1] } else { &ALONE[..] };
    let waiting = stands.iter().enumerate().map(|(at, alone)| Box::pin(async move { (at, alone.lock().await) }));
    let (free, ..) = select_all(waiting).await;
    free
}

impl Operator {
    /// Starts an operator that has not begun its turns before this returns.
    pub async fn start(what: &str) -> Self {
        Self::start_with(what, Fixture::built_in()).await
    }

    /// Starts an operator before a world of its own.
    pub async fn start_with(what: &str, world: Fixture) -> Self {
        Self::start_before(what, world, false).await
    }

    /// Starts an operator that speaks to the API server and to the cloud through a [`Door`] each.
    pub async fn start_behind_doors(what: &str, world: Fixture) -> Self {
        Self::start_before(what, world, true).await
    }

    async fn start_before(what: &str, world: Fixture, behind_doors: bool) -> Self {
        let mut operator = Self::prepare(what, world, behind_doors).await;
        operator.run(&[]).await;
        operator
    }

    /// An operator that is not started yet, in a cluster that no other test sees: all of it may be taken away.
    pub async fn apart(what: &str) -> Self {
        let alone = APART.lock().await;
        Self::set_up(what, Fixture::built_in(), false, cluster::apart(), None, alone).await
    }

    /// An operator before the built-in world that is not started yet: the test sets what surrounds it.
    pub async fn unstarted(what: &str) -> Self {
        Self::unstarted_with(what, Fixture::built_in()).await
    }

    /// The same before a world of its own.
    pub async fn unstarted_with(what: &str, world: Fixture) -> Self {
        Self::prepare(what, world, false).await
    }

    /// Starts an operator where Helm has installed the chart: with the rights that this gave it, and no others.
    pub async fn charted(what: &str) -> Self {
        let alone = CHARTED.lock().await;
        let mut operator = Self::set_up(what, Fixture::built_in(), false, cluster::charted(), None, alone).await;
        operator.run(&[]).await;
        operator
    }

    async fn prepare(what: &str, world: Fixture, behind_doors: bool) -> Self {
        let (stand, alone) = stand().await;
        let cluster = cluster::operated(stand);
        // In a cluster of somebody's own nothing is taken away that no story has made.
        if LEFT[stand].swap(true, Ordering::Relaxed) && cluster::existing().is_none() {
            let admin = cluster.admin_client().await;
            let within = |namespace: &str| Api::namespaced(admin.clone(), namespace);
            take_away(Api::<ZoneResourceAssignment>::all(admin.clone()), within).await;
            let within = |namespace: &str| Api::namespaced(admin.clone(), namespace);
            take_away(Api::<WhitelistEntry>::all(admin.clone()), within).await;
            let within = |namespace: &str| Api::namespaced(admin.clone(), namespace);
            take_away(Api::<Endpoint>::all(admin.clone()), within).await;
            let within = |namespace: &str| Api::namespaced(admin.clone(), namespace);
            take_away(Api::<EndpointService>::all(admin.clone()), within).await;
            take_away(Api::<CloudAccount>::all(admin.clone()), |_| Api::all(admin.clone())).await;
        }
        Self::set_up(what, world, behind_doors, cluster, Some(stand), alone).await
    }

    async fn set_up(
        what: &str,
        world: Fixture,
        behind_doors: bool,
        cluster: &'static Cluster,
        stand: Option<usize>,
        alone: MutexGuard<'static, ()>,
    ) -> Self {
        let options = Options { time_scale: TIME_SCALE.into(), ..Options::standing(Timestamp::now()) };
        let sim = Simulator::new(Cloud::new(world, options));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let cloud = listener.local_addr().expect("a bound address");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = sim.clone().serve(listener, async move {
            let _ended = stopped.await;
        });
        let task = tokio::spawn(async move { served.await.expect("the simulated cloud is served") });
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let kubeconfig = folder.join(format!("{}-{}.kubeconfig", what.replace(' ', "-"), std::process::id()));
        let doors = if behind_doors {
            let client = cluster.account_client(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await;
            Some(Doors { cluster: Door::before_cluster(client).await, cloud: Door::before_cloud(sim.clone()).await })
        } else {
            None
        };
        let cloud = doors.as_ref().map_or(cloud, |doors| doors.cloud.address());
        // The machine's metadata service is the simulated one, whatever machine the test runs on.
        let environment = [("RUST_LOG", LOG.to_owned()), (METADATA, format!("http://{cloud}"))].into();
        Self {
            cluster,
            sim,
            cloud,
            process: None,
            standby: None,
            stopped: None,
            doors,
            kubeconfig,
            environment,
            cluster_entry: BTreeMap::new(),
            accounts: Vec::new(),
            _serving: Serving { _stop: stop, _task: task },
            stand,
            _alone: alone,
        }
    }

    /// Where the cloud answers.
    pub fn cloud(&self) -> String {
        format!("http://{}", self.cloud)
    }

    /// Sets a variable of the process from its next start on.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.environment.insert(variable, value.into());
    }

    /// Sets what the kubeconfig says of the cluster from the next start on.
    pub fn set_cluster(&mut self, field: &'static str, value: impl Into<Value>) {
        self.cluster_entry.insert(field, value.into());
    }

    /// Starts the process, again after it was killed or stopped, and waits until its turns begin.
    pub async fn run(&mut self, arguments: &[&str]) {
        self.begin(arguments).await;
        self.makes_turns().await;
    }

    /// Starts the process, whatever comes of it.
    pub async fn begin(&mut self, arguments: &[&str]) {
        let process = self.spawn(IDENTITY, arguments).await;
        assert!(self.process.replace(process).is_none(), "it runs already");
    }

    /// Waits until its turns begin.
    pub async fn makes_turns(&self) {
        self.logs("turns begin", |lines| lines.iter().any(|line| line["message"] == "turns begin")).await;
    }

    /// Starts a second replica, which stands by when this returns.
    pub async fn stand_by(&mut self, identity: &str) {
        let process = self.spawn(identity, &[]).await;
        let log = process.log.clone();
        self.standby = Some(process);
        log.wait("standing by", |lines| lines.iter().any(|line| line["message"] == "standing by")).await;
    }

    /// Waits until the replica that stood by makes turns; it is the one that is asked from then on.
    pub async fn is_taken_over(&mut self) {
        let process = self.standby.take().expect("a replica stands by");
        assert!(self.process.replace(process).is_none(), "the one before was killed");
        self.makes_turns().await;
    }

    /// The way to the API server.
    pub fn cluster_door(&self) -> &Door {
        &self.doors.as_ref().expect("it was started behind doors").cluster
    }

    /// The way to the cloud.
    pub fn cloud_door(&self) -> &Door {
        &self.doors.as_ref().expect("it was started behind doors").cloud
    }

    /// All that the process has logged.
    pub fn log(&self) -> Vec<Value> {
        let process = self.process.as_ref().expect("it runs");
        process.log.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `test` holds for what the process has logged.
    pub async fn logs(&self, what: &str, test: impl Fn(&[Value]) -> bool) {
        let log = self.process.as_ref().expect("it runs").log.clone();
        log.wait(what, test).await;
    }

    async fn spawn(&self, identity: &str, arguments: &[&str]) -> Process {
        let kubeconfig = match &self.doors {
            Some(doors) => doors.cluster.kubeconfig(OPERATOR_NAMESPACE),
            None => self.cluster.operator_kubeconfig().await,
        };
        let mut kubeconfig: Value = serde_json::from_str(&kubeconfig).expect("it is written as JSON");
        for (field, value) in &self.cluster_entry {
            kubeconfig["clusters"][0]["cluster"][field] = value.clone();
        }
        fs::write(&self.kubeconfig, kubeconfig.to_string()).expect("the kubeconfig is written");
        fs::set_permissions(&self.kubeconfig, fs::Permissions::from_mode(0o600)).expect("it is ours");
        // The kernel kills it when this process ends, however that ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_privatelink-operator"), "run"])
            .args(["--namespace", OPERATOR_NAMESPACE, "--identity", identity, "--admin-listen", "127.0.0.1:0"])
            .args(["--log-format", "json"])
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; it is in util-linux"));
        let log = Log::read(child.stderr.take().expect("stderr is piped"));
        Process { child, log }
    }

    /// Kills the process at once, as a node that fails does.
    pub fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Asks the process to end, as Kubernetes does; gives how it ended.
    pub async fn end(&mut self) -> ExitStatus {
        let process = self.process.take().expect("it runs");
        process.signal("-TERM");
        process.ends().await
    }

    /// Stops the process where it is, as a machine does that hangs.
    pub fn hangs(&mut self) {
        let process = self.process.take().expect("it runs");
        process.signal("-STOP");
        self.stopped = Some(process);
    }

    /// Lets the process go on that was stopped, and waits until it ends by itself; gives how, and what it has logged
    /// since.
    pub async fn goes_on_and_ends(&mut self) -> (ExitStatus, Vec<Value>) {
        let process = self.stopped.take().expect("it was stopped");
        let log = process.log.clone();
        let before = log.lines.lock().unwrap_or_else(PoisonError::into_inner).len();
        process.signal("-CONT");
        let status = process.ends().await;
        let lines = log.lines.lock().unwrap_or_else(PoisonError::into_inner)[before..].to_vec();
        (status, lines)
    }

    /// Makes a `CloudAccount` with the provider's credentials, which the given namespaces may use, and waits until
    /// it is ready.
    pub async fn account(&mut self, name: &str, namespaces: &[&str]) -> CloudAccount {
        self.account_with(name, namespaces, PROVIDER, "cn-hangzhou").await
    }

    /// The same with another key, or in another region.
    pub async fn account_with(&mut self, name: &str, namespaces: &[&str], key: Key, region: &str) -> CloudAccount {
        let cloud = self.cloud();
        let alibaba = json!({"endpoints": {"privatelink": cloud, "sts": cloud}});
        self.declare(name, namespaces, key, region, &alibaba).await;
        let api = Api::<CloudAccount>::all(self.cluster.admin_client().await);
        self.becomes(api, name, "Ready", |account| {
            account.is_some_and(|account| is_ready(account.status.as_ref().map(|status| &status.common)))
        })
        .await
        .expect("it is there")
    }

    /// Makes a `CloudAccount` with this key, which says this of Alibaba Cloud, and waits for nothing.
    pub async fn declare(&mut self, name: &str, namespaces: &[&str], key: Key, region: &str, alibaba: &Value) {
        self.secret_of(name, key).await;
        self.accounts.push(name.to_owned());
        let account = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "CloudAccount",
            "metadata": {"name": name},
            "spec": {
                "alibaba": alibaba,
                "region": region,
                "credentials": {"secretRef": {"namespace": OPERATOR_NAMESPACE, "name": name}},
                "limits": {"requestsPerSecond": 200, "burst": 200},
                "allowedNamespaces": {"from": "Names", "names": namespaces},
                "adoption": {"from": "Names", "names": namespaces},
            },
        });
        let api = Api::<CloudAccount>::all(self.cluster.admin_client().await);
        apply(&api, name, &account).await;
    }

    /// Writes the Secret of an account.
    pub async fn secret(&self, name: &str, id: &str, secret: &str) {
        self.secret_with(name, id, secret, None).await;
    }

    /// Writes the Secret of an account with all parts of a key.
    pub async fn secret_of(&self, name: &str, key: Key) {
        self.secret_with(name, key.id, key.secret, key.token).await;
    }

    async fn secret_with(&self, name: &str, id: &str, secret: &str, token: Option<&str>) {
        let api = Api::<Secret>::namespaced(self.cluster.admin_client().await, OPERATOR_NAMESPACE);
        let mut secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": OPERATOR_NAMESPACE},
            "stringData": {"accessKeyId": id, "accessKeySecret": secret},
        });
        if let Some(token) = token {
            secret["stringData"]["securityToken"] = json!(token);
        }
        apply(&api, name, &secret).await;
    }

    /// Waits until `test` holds for the object of this name, or for its absence.
    pub async fn becomes<K>(
        &self,
        api: Api<K>,
        name: &str,
        what: &str,
        test: impl Fn(Option<&K>) -> bool + Send,
    ) -> Option<K>
    where
        K: kube::Resource + Clone + std::fmt::Debug + Send + serde::Serialize + serde::de::DeserializeOwned + 'static,
    {
        becomes(api, name, what, test).await
    }

    /// Waits until an Event with this reason tells of an object; gives its note.
    pub async fn tells(&self, namespace: &str, name: &str, reason: &str) -> String {
        let events = Api::<Event>::namespaced(self.admin().await, namespace);
        let about = |event: &Event| event.regarding.as_ref().and_then(|of| of.name.as_deref()) == Some(name);
        let told = watcher(events, watcher::Config::default())
            .applied_objects()
            .filter_map(|event| async move { event.ok() })
            .filter(|event| std::future::ready(event.reason.as_deref() == Some(reason) && about(event)));
        let mut told = std::pin::pin!(told);
        let event = tokio::time::timeout(PATIENCE, told.next()).await;
        let event = event.unwrap_or_else(|_| panic!("no Event {reason} of {name}")).expect("the watch goes on");
        event.note.unwrap_or_default()
    }

    /// Everything that exists in the cloud.
    pub fn world(&self) -> Value {
        self.sim.with(|cloud| {
            cloud.catch_up();
            dump::world(cloud)
        })
    }

    /// How often each action has changed the world.
    pub fn writes(&self) -> BTreeMap<String, usize> {
        let journal = self.sim.with(|cloud| dump::journal(cloud));
        let mut writes = BTreeMap::new();
        for call in journal["calls"].as_array().expect("the journal has calls") {
            if call["effect"] == "applied" {
                *writes.entry(call["action"].as_str().expect("a name").to_owned()).or_default() += 1;
            }
        }
        writes
    }

    /// How often the cloud was asked for this action, however it answered.
    pub fn asked_for(&self, action: &str) -> u64 {
        let journal = self.sim.with(|cloud| dump::journal(cloud));
        let counters = journal["counters"].as_array().expect("the journal has counters");
        let of_action = counters.iter().filter(|counter| counter["action"] == action);
        of_action.map(|counter| counter["count"].as_u64().expect("a number")).sum()
    }

    /// What the process measures: its samples as it writes them.
    pub async fn measured(&self) -> BTreeMap<String, f64> {
        let text = self.scraped().await;
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .map(|line| {
                let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
                (sample.to_owned(), value.parse().expect("a number"))
            })
            .collect()
    }

    /// What the process answers at its own door: the status and the text.
    pub async fn answers(&self, path: &str) -> (u16, String) {
        self.process.as_ref().expect("it runs").answers(path).await
    }

    /// What the process measures, as it writes it.
    pub async fn scraped(&self) -> String {
        self.process.as_ref().expect("it runs").scraped().await
    }

    /// What the replica measures that stands by.
    pub async fn scraped_of_standby(&self) -> String {
        self.standby.as_ref().expect("a replica stands by").scraped().await
    }

    /// The most memory that the process has had so far, in MiB.
    pub fn peak_memory(&self) -> u64 {
        self.process.as_ref().expect("it runs").peak_memory()
    }

    /// Lets a call to the cloud go wrong, as the simulator's control path takes it.
    pub fn fault(&self, rule: Value) {
        let rule: Rule = serde_json::from_value(rule).expect("a rule that the simulator knows");
        self.sim.with(|cloud| cloud.faults.add(rule));
    }

    /// Moves what no caller of the cloud can, by one of the simulator's control paths.
    pub fn control(&self, path: &str, asked: &Value) {
        let path = format!("{}{path}", control::PREFIX);
        let asked = Inbound { method: "POST".to_owned(), path, body: asked.to_string().into(), ..Inbound::default() };
        let (status, answer) = self.sim.with(|cloud| control::answer(cloud, &asked));
        assert_eq!(status, 200, "{}: {answer}", asked.path);
    }

    /// Waits until this action has changed the world: each answer of the cloud is logged by the operator, or its
    /// absence is.
    pub async fn has_written(&self, action: &str) {
        let log = self.process.as_ref().expect("it runs").log.clone();
        log.wait(action, |_| self.writes().contains_key(action)).await;
    }

    /// Waits until this process has made a turn of the object with this name with all of it read from the cloud.
    pub async fn has_looked_at(&self, name: &str) {
        let read = |line: &Value| line["action"] == "ReadConnections" && line["message"] == "answered";
        let over = |line: &Value| line["message"] == "a turn is over" && line["span"]["object"] == name;
        let both = |lines: &[Value]| lines.iter().skip_while(|line| !read(line)).any(over);
        self.process.as_ref().expect("it runs").log.wait(name, both).await;
    }

    /// An account and its Secret are the test's own from now on.
    pub fn leave_account(&mut self, name: &str) {
        self.accounts.retain(|other| other != name);
    }

    /// Deletes the Secret of an account, which the test deletes itself.
    pub async fn forget_account(&mut self, name: &str) {
        self.accounts.retain(|other| other != name);
        let secrets = Api::<Secret>::namespaced(self.admin().await, OPERATOR_NAMESPACE);
        secrets.delete(name, &DeleteParams::default()).await.expect("its Secret is deleted");
    }

    /// A client of the cluster's administrator.
    pub async fn admin(&self) -> Client {
        self.cluster.admin_client().await
    }

    /// Deletes the accounts that were made, waits until they are gone, and ends the process, which must end well.
    pub async fn stop(mut self) {
        let api = Api::<CloudAccount>::all(self.admin().await);
        let secrets = Api::<Secret>::namespaced(self.admin().await, OPERATOR_NAMESPACE);
        for name in std::mem::take(&mut self.accounts) {
            api.delete(&name, &DeleteParams::default()).await.expect("it is deleted");
            self.becomes(api.clone(), &name, "gone", |account| account.is_none()).await;
            secrets.delete(&name, &DeleteParams::default()).await.expect("its Secret is deleted");
        }
        let status = self.end().await;
        assert!(status.success(), "it ends well: {status}");
        if let Some(stand) = self.stand {
            LEFT[stand].store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(process) = &self.process
        {
            process.log.show();
        }
        drop(self.process.take());
        drop(self.standby.take());
        drop(self.stopped.take());
        let _gone_or_never_written = fs::remove_file(&self.kubeconfig);
    }
}

/// Applies an object as the cluster's administrator.
pub async fn apply<K>(api: &Api<K>, name: &str, object: &Value)
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let parameters = PatchParams::apply("test").force();
    let applied = api.patch(name, &parameters, &Patch::Apply(object)).await;
    applied.unwrap_or_else(|error| panic!("apply {name}: {error}"));
}

/// Takes away what a story that failed has left: the next one has another cloud, in which none of it exists.
async fn take_away<K>(all: Api<K>, of: impl Fn(&str) -> Api<K>)
where
    K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let left = all.list(&ListParams::default()).await.expect("what is there is listed");
    for object in left.items {
        let meta = object.meta();
        let (api, name) = (of(meta.namespace.as_deref().unwrap_or_default()), meta.name.as_deref().unwrap_or_default());
        eprintln!("left by a story that failed: {name}");
        let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        api.patch(name, &PatchParams::default(), &free).await.expect("nothing keeps it");
        let deleted = api.delete(name, &DeleteParams::default()).await;
        assert!(
            deleted.is_ok() || matches!(&deleted, Err(kube::Error::Api(status)) if status.is_not_found()),
            "{name}: {deleted:?}"
        );
    }
}

/// Waits until `test` holds for the object of this name, or for its absence.
pub async fn becomes<K>(api: Api<K>, name: &str, what: &str, test: impl Fn(Option<&K>) -> bool + Send) -> Option<K>
where
    K: kube::Resource + Clone + std::fmt::Debug + Send + serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    let seen = Mutex::new(None);
    let held = kube::runtime::wait::await_condition(api, name, |object: Option<&K>| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = object.cloned();
        test(object)
    });
    if let Ok(held) = tokio::time::timeout(PATIENCE, held).await {
        return held.unwrap_or_else(|error| panic!("{name}, {what}: {error}"));
    }
    let mut last = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(last) = &mut last {
        last.meta_mut().managed_fields = None;
    }
    // What it says of itself comes first, in one line: whoever prints this may cut off the end.
    let mut last = json!(last);
    let status = last.as_object_mut().and_then(|last| last.remove("status")).unwrap_or_default();
    panic!("{name} has not become {what}; its status was last {status}\nof {last}");
}

/// Whether a status says that its object is ready, and speaks of the spec of now.
pub fn is_ready(status: Option<&privatelink_operator::api::shared::CommonStatus>) -> bool {
    status.is_some_and(|status| {
        status.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}
