//! The process: from settings to controllers that run, and to an end that leaves nothing half done.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{self, ConfigMap, Namespace};
use kube::runtime::Controller;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::JoinSet;

use crate::cloud::claim::{Claim, Claimed};
use crate::cloud::metered::Meter;
use crate::cloud::pool::Pool;
use crate::cloud::transport::{Surroundings, Transport, Untrusting};
use crate::cloud::trust::{self, Extra};
use crate::proxy::{self, Proxies};
use crate::runtime::admin::{self, Health};
use crate::runtime::metrics::Metrics;
use crate::runtime::shutdown::{self, Stop};
use crate::runtime::{clock, lease};
use crate::settings::Settings;
use crate::wakes::Woken;

use super::account;
use super::assignment::Assignment;
use super::census::Census;
use super::cluster;
use super::context::{Context, Name, Wake};
use super::endpoint::Endpoint;
use super::entry::Entry;
use super::error::call;
use super::events::Teller;
use super::publish::{self, Published};
use super::reconcile::reconcile;
use super::served;
use super::service::Service;
use super::wake;
use super::watch::{self, Guarded, Writers, follow, follow_secrets};

/// Turns that are made at the same time: enough that none waits for another's cloud, few enough that a start
/// with thousands of objects stays within the memory that the process is given.
const CONCURRENCY: u16 = 32;
/// Changes that come within this time of each other are looked at once.
const DEBOUNCE: Duration = Duration::from_millis(5);
/// How long what is on its way may take once the process is told to end; Kubernetes' own patience is as long.
const ENDING: Duration = Duration::from_secs(28);
/// The namespace whose uid is the cluster's id.
const CLUSTER: &str = "kube-system";

/// Why the operator could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no way to a cluster.
    #[error("no cluster: {0}; run it in a pod, or set KUBECONFIG")]
    NoCluster(Box<kube::Error>),
    /// Nothing says how the cluster is reached.
    #[error(transparent)]
    Unknown(#[from] cluster::Unknown),
    /// The cluster has no id.
    #[error("the uid of the namespace {CLUSTER}, which is the cluster's id: {0}; set --cluster-id, or bind the role")]
    NoClusterId(super::error::Error),
    /// The address of the admin door cannot be had.
    #[error("--admin-listen {address}: {source}; choose another address")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system does not deliver signals, or the admin door broke.
    #[error("the system: {0}")]
    System(#[from] std::io::Error),
    /// The right to write is gone.
    #[error("{0}; this replica ends, and is started again as one that stands by")]
    Lost(#[from] lease::Lost),
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] proxy::Refused),
    /// The authorities that are to be trusted cannot be read.
    #[error(transparent)]
    ExtraCa(#[from] trust::Refused),
    /// No cloud can be spoken to.
    #[error(transparent)]
    Untrusting(#[from] Untrusting),
    /// Something that never ends by itself has ended.
    #[error("{0} has ended unexpectedly; this replica ends, so that it is started anew")]
    Ended(&'static str),
}

/// Runs the operator until it is told to end.
///
/// # Errors
/// [`Error`]
pub async fn run(settings: Settings) -> Result<(), Error> {
    // Every TLS connection, the API server's and the clouds', is made by this one provider; a second call finds
    // the first one's and changes nothing.
    let _one_is_there = rustls::crypto::ring::default_provider().install_default();
    let surroundings = surroundings(&settings)?;
    let transport = Transport::new(&surroundings)?;
    let mut config = cluster::config(&surroundings.proxies).await?;
    // Every call is bounded and every turn repeated by us: retries in between would hide both.
    config.default_retry = false;
    let namespace = settings.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let lease_namespace = namespace.clone();
    let client = Client::try_from(config).map_err(|error| Error::NoCluster(Box::new(error)))?;
    let cluster = cluster_id(&client, settings.cluster_id.clone()).await?;
    let identity = settings.identity.clone().unwrap_or_else(own_name);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        cluster_id = cluster,
        namespace,
        identity,
        publish = settings.publish,
        proxy = surroundings.proxies.proxy().map(tracing::field::display),
        extra_ca = surroundings.extra.len(),
        "starting"
    );
    let (stopper, stop) = shutdown::pair();
    tokio::spawn(stopper.clone().on_signals()?);
    let (grant, claim) = lease::unclaimed();
    let waiting = caches(&settings).into_iter().chain([served::WHAT]).collect();
    let health = Health::new(waiting, claim.clone());
    let address = settings.admin_listen;
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    tracing::info!(address = %listener.local_addr()?, "answering /healthz, /readyz and /metrics");

    let meter = Meter::default();
    let pool = Pool::new(transport, Claimed::new(claim.clone()), meter.clone());
    let teller = Teller::new(client.clone(), &identity);
    let means = Means {
        client: client.clone(),
        cluster,
        namespace,
        pool: pool.clone(),
        teller,
        claim: claim.clone(),
        stop: stop.clone(),
    };
    let (context, mut watches) = begin(&settings, means, &health);
    let census = Census::new(context.stores.clone(), context.claimed.clone());
    let metrics = Metrics::new(meter, pool, context.claimed.clone(), context.tally.clone(), Box::new(census));

    // What is on its way ends under the claim: the Lease is kept until all turns are over.
    let (finish, finished) = shutdown::pair();
    tokio::spawn(served::wait(client.clone(), health.clone()));
    let leases = Api::<Lease>::namespaced(client, &lease_namespace);
    let mut kept = tokio::spawn(keep(health.clone(), leases, identity, grant, finished.clone()));
    let mut door = tokio::spawn(admin::serve(listener, health.clone(), metrics, finished));
    let ended = tokio::select! {
        () = serve(context, health, claim, stop) => Ok(()),
        lost = &mut kept => Err(lost.map_or(Error::Ended("the task that keeps the Lease"), |lost| match lost {
            Ok(()) => Error::Ended("the task that keeps the Lease"),
            Err(lost) => Error::Lost(lost),
        })),
        _ = watches.join_next() => Err(Error::Ended("a watch")),
        broken = &mut door => Err(match broken {
            Ok(Err(error)) => Error::System(error),
            Ok(Ok(())) | Err(_) => Error::Ended("the admin door"),
        }),
    };
    stopper.stop();
    finish.stop();
    if ended.is_ok() {
        let _given_back_or_silent = kept.await;
    }
    ended
}

/// Looks after the Lease, once this process could make use of it: until then it is left to others.
async fn keep(
    health: Health,
    leases: Api<Lease>,
    identity: String,
    grant: Sender<Claim>,
    stop: Stop,
) -> Result<(), lease::Lost> {
    tokio::select! {
        () = health.all_filled() => {}
        () = stop.requested() => return Ok(()),
    }
    lease::keep(leases, identity, grant, stop).await
}

/// What the environment and the settings say of the network around.
fn surroundings(settings: &Settings) -> Result<Surroundings, Error> {
    let proxies = Proxies::from_environment(|name| std::env::var_os(name))?;
    let extra = settings.extra_ca.as_deref().map(Extra::read).transpose()?.unwrap_or_default();
    Ok(Surroundings { proxies, extra })
}

/// The id of the cluster: as it is set, or the uid of a namespace that every cluster has and keeps.
async fn cluster_id(client: &Client, set: Option<String>) -> Result<String, Error> {
    if let Some(set) = set {
        return Ok(set);
    }
    let namespaces = Api::<Namespace>::all(client.clone());
    let found = call("read it", namespaces.get(CLUSTER)).await.map_err(Error::NoClusterId)?;
    Ok(found.uid().unwrap_or_default())
}

/// A name that no other process has: a machine may run two.
fn own_name() -> String {
    let machine = std::env::var("HOSTNAME").unwrap_or_else(|_| "operator".to_owned());
    format!("{machine}_{}_{}", std::process::id(), Timestamp::now().as_millisecond())
}

/// Names of what has to be listed before anything is decided.
pub(super) fn caches(settings: &Settings) -> Vec<&'static str> {
    let published = if settings.publish { &["published ConfigMaps", "published Services"][..] } else { &[] };
    ["CloudAccounts", "EndpointServices", "Endpoints", "WhitelistEntries", "ZoneResourceAssignments", "Namespaces"]
        .iter()
        .chain(published)
        .copied()
        .collect()
}

/// What the context is made of that does not come from a watch.
pub(super) struct Means {
    pub(super) client: Client,
    pub(super) cluster: String,
    pub(super) namespace: String,
    pub(super) pool: Pool,
    pub(super) teller: Teller,
    pub(super) claim: Receiver<Claim>,
    pub(super) stop: Stop,
}

/// Begins all watches; none of them ends by itself.
pub(super) fn begin(settings: &Settings, means: Means, health: &Health) -> (Arc<Context>, JoinSet<()>) {
    let Means { client, cluster, namespace, pool, teller, claim, stop } = means;
    let (stores, writers) = watch::stores();
    let (config_maps, maps_writer) = reflector::store();
    let (aliases, aliases_writer) = reflector::store();
    let own_namespace = settings.credential_namespaces.is_empty().then_some(namespace);
    let credential_namespaces: BTreeSet<String> =
        settings.credential_namespaces.iter().cloned().chain(own_namespace).collect();
    let context = Arc::new(Context {
        client: client.clone(),
        stores,
        published: settings.publish.then_some(Published { config_maps, services: aliases }),
        cluster,
        credential_namespaces: credential_namespaces.clone(),
        alibaba_metadata: settings.alibaba_metadata_endpoint.clone(),
        pool,
        claimed: Claimed::new(claim),
        writes_since: std::sync::OnceLock::new(),
        stop,
        teller,
        answered: account::Answered::default(),
        standings: super::context::Standings::default(),
        living: super::context::Living::default(),
        managed: super::context::Managed::default(),
        tenancies: super::tenancy::Tenancies::default(),
        minds: super::context::Minds::default(),
        own: super::context::Owns::default(),
        wakes: Wake::default(),
        tally: super::tally::Tally::default(),
    });
    let mut watches = JoinSet::new();
    let Writers { accounts, services, endpoints, entries, assignments, namespaces } = writers;
    // Whom a change concerns is told by the context, which every watch shares.
    macro_rules! following {
        ($what:literal, $api:expr, $selector:expr, $writer:expr, $by:expr) => {{
            let (health, context) = (health.clone(), Arc::clone(&context));
            let filled = move || health.filled($what);
            watches.spawn(follow($what, $api, $selector, $writer, filled, move |change| $by(&context, change)));
        }};
    }
    following!("CloudAccounts", Api::all(client.clone()), None, accounts, wake::by_account);
    following!("EndpointServices", Api::all(client.clone()), None, services, wake::by_service);
    following!("Endpoints", Api::all(client.clone()), None, endpoints, wake::by_endpoint);
    following!("WhitelistEntries", Api::all(client.clone()), None, entries, wake::by_entry);
    following!("ZoneResourceAssignments", Api::all(client.clone()), None, assignments, wake::by_assignment);
    following!("Namespaces", Api::all(client.clone()), None, namespaces, wake::by_namespace);
    if settings.publish {
        let api = Api::<ConfigMap>::all(client.clone());
        following!("published ConfigMaps", api, Some(publish::LABEL), maps_writer, wake::by_published);
        let api = Api::<v1::Service>::all(client.clone());
        following!("published Services", api, Some(publish::LABEL), aliases_writer, wake::by_published);
    }
    for namespace in credential_namespaces {
        let context = Arc::clone(&context);
        let seen = move |namespace: &str, secret: String| wake::by_secret(&context, namespace, &secret);
        watches.spawn(follow_secrets(client.clone(), namespace, seen));
    }
    (context, watches)
}

/// Runs the controllers once everything is listed and this replica is the writer, until `stop`; what is on its
/// way then is finished.
pub(super) async fn serve(context: Arc<Context>, health: Health, claim: Receiver<Claim>, stop: Stop) {
    let stores = context.stores.clone();
    // Asked for before anything is woken, so that nothing that is woken is missed.
    let (accounts, services) = (context.wakes.accounts.listen(), context.wakes.services.listen());
    let (endpoints, entries) = (context.wakes.endpoints.listen(), context.wakes.entries.listen());
    let assignments = context.wakes.assignments.listen();
    let ready = async {
        health.all_filled().await;
        tracing::info!("everything is listed");
        lease::granted(&claim).await;
    };
    tokio::select! {
        () = ready => {}
        () = stop.requested() => return,
    }
    context.writes_since.get_or_init(clock::now);
    tracing::info!("turns begin");
    // It ends with this, however this ends.
    let mut places = JoinSet::new();
    places.spawn(wake::by_places(Arc::clone(&context)));
    let accounts = controller(stores.accounts, accounts, &context, account::reconcile);
    let services = controller(stores.services, services, &context, reconcile::<Service>);
    let endpoints = controller(stores.endpoints, endpoints, &context, reconcile::<Endpoint>);
    let entries = controller(stores.entries, entries, &context, reconcile::<Entry>);
    let assignments = controller(stores.assignments, assignments, &context, reconcile::<Assignment>);
    let turns = async { tokio::join!(accounts, services, endpoints, entries, assignments) };
    let late = async {
        stop.requested().await;
        tokio::time::sleep(ENDING).await;
    };
    tokio::select! {
        _ = turns => tracing::info!("all turns are over"),
        () = late => tracing::warn!("turns are still on their way and are given up"),
    }
}

/// Runs turns of one kind, for whom the wakes name, until the process is to end.
async fn controller<K, F>(
    store: Store<Guarded<K>>,
    woken: Woken<Name>,
    context: &Arc<Context>,
    turn: impl FnMut(Arc<Guarded<K>>, Arc<Context>) -> F,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    F: Future<Output = Result<Action, Infallible>> + Send + 'static,
{
    let stop = context.stop.clone();
    let references = woken.map(|(namespace, name)| {
        let reference = ObjectRef::new(&name);
        if namespace.is_empty() { reference } else { reference.within(&namespace) }
    });
    let never = |_: Arc<Guarded<K>>, error: &Infallible, _: Arc<Context>| match *error {};
    Controller::for_shared_stream(stream::pending(), store)
        .reconcile_on(references)
        .with_config(controller::Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE))
        .graceful_shutdown_on(async move { stop.requested().await })
        .run(turn, never, Arc::clone(context))
        .for_each(|outcome| async move {
            // An object that went between its wake and its turn is no news.
            if let Err(error) = outcome {
                tracing::debug!(%error, "no turn");
            }
        })
        .await;
}
