//! The stage: an API server, a cloud, and one process of the operator after the other between them.

use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::dump;
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::{self, Answer, Call, Request, State};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::apiserver::ApiServer;
use super::door::{Asked, Board, Door, Fate};
use crate::api::CloudAccount;
use crate::cloud::claim::{Claim, Claimed};
use crate::cloud::endpoint::Base;
use crate::cloud::metered::Meter;
use crate::cloud::pool::Pool;
use crate::control::events::Teller;
use crate::control::run::{Means, begin, caches, serve};
use crate::runtime::admin::Health;
use crate::runtime::clock;
use crate::runtime::shutdown::{self, Stopper};
use crate::runtime::telemetry::LogFormat;
use crate::settings::Settings;

/// The operator's namespace.
pub const HOME: &str = "privatelink-system";
/// The tenant's namespace.
pub const TENANT: &str = "team";
/// How long anything may take, in the time of the test: what takes longest is to believe that sweeps fail.
const PATIENCE: Duration = Duration::from_mins(30);

/// The stage.
pub struct Stage {
    /// The API server.
    pub api: ApiServer,
    /// The cloud.
    pub cloud: Simulator,
    /// What goes through the operator's doors.
    pub board: Board,
    /// What people say to the API server.
    pub people: Client,
    process: Option<Process>,
}

/// One process of the operator.
struct Process {
    door: Door,
    stopper: Stopper,
    inside: JoinHandle<()>,
}

/// The time of the stage.
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(clock::now().0).expect("a moment of this century")
}

impl Stage {
    /// A stage with the built-in world, and an account of its provider and one of its consumer, which the tenant's
    /// namespace may use; before an operator has started.
    pub async fn dark() -> Self {
        Self::dark_in(Fixture::built_in()).await
    }

    /// The same in a world of its own, which has what the built-in one has.
    pub async fn dark_in(world: Fixture) -> Self {
        let options = Options { time_scale: 1.0, ..Options::standing(now()) };
        let cloud = Simulator::new(Cloud::new(world, options));
        let api = ApiServer::new(now);
        let people = Door::new(Board::default()).client(&api, TENANT);
        let stage = Self { api, cloud, board: Board::default(), people, process: None };
        let namespaces = Api::<k8s_openapi::api::core::v1::Namespace>::all(stage.people.clone());
        for name in [HOME, TENANT] {
            let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
            let namespace = k8s_openapi::api::core::v1::Namespace { metadata, ..Default::default() };
            namespaces.create(&PostParams::default(), &namespace).await.expect("it is new");
        }
        stage.account("provider").await;
        stage.account("consumer").await;
        stage
    }

    /// Waits until both accounts are ready.
    pub async fn accounts_are_ready(&self) {
        let accounts = Api::<CloudAccount>::all(self.people.clone());
        for name in ["provider", "consumer"] {
            let is_ready = |account: Option<&CloudAccount>| {
                let conditions = account.and_then(|account| account.status.as_ref()).map(|one| &one.common.conditions);
                conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True")
            };
            self.until(&accounts, name, "ready", is_ready).await;
        }
    }

    /// Makes an account with the key of this name, and its Secret.
    async fn account(&self, name: &str) {
        let secrets = Api::<Secret>::namespaced(self.people.clone(), HOME);
        let data = [("accessKeyId", format!("{name}-key")), ("accessKeySecret", format!("{name}-secret"))];
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            data: Some(data.map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes()))).into()),
            ..Secret::default()
        };
        secrets.create(&PostParams::default(), &secret).await.expect("it is new");
        let spec = json!({
            "alibaba": {},
            "region": "cn-hangzhou",
            "credentials": {"secretRef": {"namespace": HOME, "name": name}},
            "limits": {"requestsPerSecond": 200, "burst": 200},
            "allowedNamespaces": {"from": "Names", "names": [TENANT]},
        });
        self.apply(&Api::<CloudAccount>::all(self.people.clone()), name, &spec).await;
    }

    /// Starts a process of the operator.
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "one runs already");
        let door = Door::new(self.board.clone());
        let client = door.client(&self.api, HOME);
        let (stopper, stop) = shutdown::pair();
        let (grant, claim) = tokio::sync::watch::channel(Claim::Sole);
        let settings = settings();
        let health = Health::new(caches(&settings), claim.clone());
        let pool = Pool::new(door.transport(&self.cloud), Claimed::new(claim.clone()), Meter::default());
        let means = Means {
            client: client.clone(),
            cluster: "cluster-1".to_owned(),
            namespace: HOME.to_owned(),
            pool,
            teller: Teller::new(client, "the-operator"),
            claim: claim.clone(),
            stop: stop.clone(),
        };
        let inside = tokio::spawn(async move {
            let _granted = grant;
            let (context, _watches) = begin(&settings, means, &health);
            serve(context, health, claim, stop).await;
        });
        self.process = Some(Process { door, stopper, inside });
    }

    /// Kills the process: nothing of it goes through its doors any more.
    pub async fn kill(&mut self) {
        let process = self.process.take().expect("one runs");
        process.door.close();
        process.inside.abort();
        // Aborted on purpose: how it ended says nothing.
        let _aborted = process.inside.await;
    }

    /// Asks the process to end, and waits until it has.
    pub async fn end(&mut self) {
        let process = self.process.take().expect("one runs");
        process.stopper.stop();
        process.inside.await.expect("it ends well");
    }

    /// Waits until the process has died of a judge's word, and starts the next one; or until `over` is. Whether it
    /// has died. Nothing more goes wrong from then on.
    pub async fn dies_before(&mut self, over: impl AsyncFnOnce(&Self)) -> bool {
        let door = self.process.as_ref().expect("one runs").door.clone();
        let died = tokio::select! {
            () = door.closed() => true,
            () = over(self) => false,
        };
        self.board.judged_by(|_| Fate::Pass);
        if died {
            self.kill().await;
            self.start();
        }
        died
    }

    /// Applies an object with this whole spec.
    pub async fn apply<K>(&self, api: &Api<K>, name: &str, spec: &Value)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let object = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}, "spec": spec,
        });
        let parameters = PatchParams::apply("people").force();
        api.patch(name, &parameters, &Patch::Apply(&object)).await.expect("it is applied");
    }

    /// Objects of the tenant.
    pub fn of<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.people.clone(), TENANT)
    }

    /// Deletes an object.
    pub async fn delete<K>(&self, api: &Api<K>, name: &str)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        api.delete(name, &DeleteParams::default()).await.expect("it is there");
    }

    /// Takes an object's status away, as one does who restores a backup without statuses.
    pub async fn loses_status<K>(&self, api: &Api<K>, name: &str)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let nothing = serde_json::from_value(json!([{"op": "remove", "path": "/status"}])).expect("a patch");
        let lost = api.patch_status(name, &PatchParams::default(), &Patch::Json::<()>(nothing)).await;
        lost.expect("it is removed");
    }

    /// Deletes the Secret of an account, which cannot be used from then on.
    pub async fn loses_keys(&self, account: &str) -> Secret {
        let secrets = Api::<Secret>::namespaced(self.people.clone(), HOME);
        let secret = secrets.get(account).await.expect("it is there");
        self.delete(&secrets, account).await;
        secret
    }

    /// Makes the Secret of an account anew.
    pub async fn has_keys_again(&self, secret: Secret) {
        let secrets = Api::<Secret>::namespaced(self.people.clone(), HOME);
        let again = Secret { metadata: ObjectMeta { name: secret.metadata.name, ..ObjectMeta::default() }, ..secret };
        secrets.create(&PostParams::default(), &again).await.expect("it is made again");
    }

    /// Annotates an object.
    pub async fn annotate<K>(&self, api: &Api<K>, name: &str, key: &str, value: &str)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        api.patch(name, &PatchParams::default(), &patch).await.expect("it is annotated");
    }

    /// Waits until `test` holds of an object, or of its absence; gives what it is then.
    pub async fn until<K>(&self, api: &Api<K>, name: &str, what: &str, test: impl Fn(Option<&K>) -> bool) -> Option<K>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let mut changes = self.api.changes();
        let began = Instant::now();
        loop {
            changes.mark_unchanged();
            let object = api.get_opt(name).await.expect("people are answered");
            if test(object.as_ref()) {
                return object;
            }
            let waited = tokio::time::timeout_at(began + PATIENCE, changes.changed()).await;
            assert!(waited.is_ok(), "{name} has not become {what}; {:#?}\n{object:#?}", self.last_requests());
        }
    }

    /// Waits until an object is gone.
    pub async fn gone<K>(&self, api: &Api<K>, name: &str)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        self.until(api, name, "gone", |object| object.is_none()).await;
    }

    fn last_requests(&self) -> Vec<String> {
        let asked = self.board.take();
        asked.iter().rev().take(30).rev().map(|asked| asked.what.clone()).collect()
    }

    /// Lets time go by.
    pub async fn later(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }

    /// All services and endpoints of the cloud.
    pub fn whole_world(&self) -> Value {
        let world = self.cloud.with(|cloud| {
            cloud.catch_up();
            dump::world(cloud)
        });
        json!({"services": world["services"], "endpoints": world["endpoints"]})
    }

    /// What exists in the cloud: services or endpoints.
    pub fn world(&self, what: &str) -> Vec<Value> {
        self.whole_world()[what].as_array().expect("a list").clone()
    }

    /// A call with an account's key, past the operator; it stands in no journal, and what begins with it is over
    /// when this returns.
    pub fn past_the_operator(&self, account: &str, call: impl FnOnce(&State) -> Call) -> Answer {
        self.cloud.with(|cloud| {
            cloud.catch_up();
            let actor = cloud.keys[&format!("{account}-key")].actor;
            let state = cloud.state();
            let request = Request { region: state.land.region_named("cn-hangzhou"), token: None, call: call(state) };
            let (next, answer) = world::apply(state, actor, &request)
                .unwrap_or_else(|refusal| panic!("{:?} is refused: {refusal:?}", request.call));
            cloud.set_state(next);
            cloud.settle();
            answer
        })
    }

    /// Calls that changed the world, by action.
    pub fn effects(&self) -> Vec<String> {
        let journal = self.cloud.with(|cloud| dump::journal(cloud));
        let calls = journal["calls"].as_array().expect("the journal has calls");
        let applied = calls.iter().filter(|call| call["effect"] == "applied");
        applied.map(|call| call["action"].as_str().expect("a name").to_owned()).collect()
    }

    /// The requests since this was asked last.
    pub fn asked(&self) -> Vec<Asked> {
        self.board.take()
    }

    /// Lets the process die at the `nth` request that `test` is true of.
    pub fn dies_at(&self, nth: usize, fate: Fate, test: impl Fn(&Asked) -> bool + Send + 'static) {
        let mut count = 0;
        self.board.judged_by(move |asked| {
            count += usize::from(test(asked));
            if count == nth && test(asked) { fate } else { Fate::Pass }
        });
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            process.inside.abort();
        }
        let unknown = self.api.unknown();
        if !std::thread::panicking() {
            assert!(unknown.is_empty(), "the API server of the tests does not know: {unknown:#?}");
        }
    }
}

fn settings() -> Settings {
    Settings {
        config: None,
        cluster_id: None,
        namespace: None,
        credential_namespaces: Vec::new(),
        publish: true,
        extra_ca: None,
        identity: None,
        alibaba_metadata_endpoint: Base::of_machine("http://127.0.0.1:1").expect("a URL"),
        admin_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        log_format: LogFormat::Text,
        log: String::new(),
    }
}
