//! The control plane of this test binary: started once, shared by all its tests, gone with it.
//!
//! ```no_run
//! let cluster = cluster::shared();
//! let namespace = cluster.namespace("whitelist").await;
//! let tenant = cluster.tenant_client(&namespace).await;     // what users may do
//! let operator = cluster.operator_client().await;           // exactly the shipped RBAC
//! cluster.kubectl(&["get", "pls", "-n", &namespace]);
//! ```
//!
//! With `KUBECONFIG` that cluster is used and nothing is started; with `KUBEBUILDER_ASSETS` the
//! programs of that folder are. Clients belong to the runtime of the test that makes them, so each
//! test makes its own; only addresses are shared.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject},
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DeleteParams, ObjectMeta, PostParams},
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use serde::Deserialize;

/// The namespace of the shipped installation.
pub const OPERATOR_NAMESPACE: &str = "privatelink-system";
/// The shipped `ServiceAccount`, which the operator runs as.
pub const OPERATOR_ACCOUNT: &str = "privatelink-operator";
/// The oldest Kubernetes that is served.
pub const OLDEST_VERSION: &str = "1.34";

/// Bounds every wait for the cluster; what is waited for takes seconds on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The `ServiceAccount` of [`Cluster::tenant_client`], in the tenant's own namespace.
const TENANT_ACCOUNT: &str = "tenant";
/// How long a token is good for; more than any test takes.
const TOKEN_SECONDS: i64 = 3_600;

/// A control plane that answers.
#[derive(Debug)]
pub struct Cluster {
    kubeconfig: PathBuf,
    kubectl: PathBuf,
    /// Keeps the launcher: closing its stdin ends all that it started, as does our own death.
    launched: Option<Launched>,
}

/// The line that the launcher prints when it is ready.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The program that belongs to this version.
    pub kubectl: PathBuf,
    /// The folder of data, keys and logs.
    pub dir: PathBuf,
    /// What the API server calls itself, as `v1.37.2`.
    pub version: String,
    /// Whether there is a controller manager.
    pub controller_manager: bool,
    /// The process ids of what was started, by name.
    pub pids: BTreeMap<String, u32>,
    /// From start to ready.
    pub seconds: f64,
}

/// A launcher that runs, with its stdin held open.
#[derive(Debug)]
pub struct Launched {
    /// What it said.
    pub ready: Ready,
    /// The process that was started: the launcher, or what started it.
    pub child: Child,
    /// The end that keeps the control plane running.
    pub stdin: ChildStdin,
}

/// The control plane of all tests, of the newest version, with the CRDs and the shipped RBAC.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
    once(&SHARED, || existing().map_or_else(|| Cluster::launch(&[]), |path| Ok(Cluster::existing(path))))
}

/// How many control planes there are for tests in which the operator runs.
pub const STANDS: usize = 2;

/// A control plane of its own for tests in which the operator runs: what others write there for other reasons
/// would be looked after too. One of them runs in each at a time: the Lease sees to it.
pub fn operated(stand: usize) -> &'static Cluster {
    static OPERATED: [OnceLock<Result<Cluster, String>>; STANDS] = [const { OnceLock::new() }; STANDS];
    once(&OPERATED[stand], || existing().map_or_else(|| Cluster::launch(&[]), |path| Ok(Cluster::existing(path))))
}

/// A control plane of its own that has nothing but what Helm has installed with the chart's default values, and that
/// writes down what the operator asks of it ([`Cluster::audited`]). It is always started here, whatever `KUBECONFIG`
/// says: what is installed is taken away again.
pub fn charted() -> &'static Cluster {
    static CHARTED: OnceLock<Result<Cluster, String>> = OnceLock::new();
    let user = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}");
    // On many clusters, who names an owner needs rights for it.
    let options = ["--audit-user", &user, "--admission-plugins", "OwnerReferencesPermissionEnforcement"];
    installed_once(&CHARTED, || Cluster::launch(&options), Cluster::install_chart)
}

/// The kubeconfig of the cluster that is to be used instead of our own.
pub fn existing() -> Option<PathBuf> {
    std::env::var_os("KUBECONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// A second control plane, which emulates the oldest version that is served. It is always started
/// here, whatever `KUBECONFIG` says: an existing cluster has the version it has.
pub fn oldest() -> &'static Cluster {
    static OLDEST: OnceLock<Result<Cluster, String>> = OnceLock::new();
    once(&OLDEST, || Cluster::launch(&["--emulated-version", OLDEST_VERSION]))
}

/// A control plane of its own for the test that takes away all that is installed. It is always started here.
pub fn apart() -> &'static Cluster {
    static APART: OnceLock<Result<Cluster, String>> = OnceLock::new();
    once(&APART, || Cluster::launch(&[]))
}

fn once(
    cell: &'static OnceLock<Result<Cluster, String>>,
    start: impl FnOnce() -> Result<Cluster, String>,
) -> &'static Cluster {
    installed_once(cell, start, Cluster::install)
}

/// A failed start is remembered: the other tests say the same at once.
fn installed_once(
    cell: &'static OnceLock<Result<Cluster, String>>,
    start: impl FnOnce() -> Result<Cluster, String>,
    install: impl FnOnce(&Cluster) -> Result<(), String>,
) -> &'static Cluster {
    let started = cell.get_or_init(|| {
        let cluster = start()?;
        install(&cluster)?;
        Ok(cluster)
    });
    match started {
        Ok(cluster) => cluster,
        Err(why) => panic!("no control plane for tests: {why}"),
    }
}

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with the launcher and what it starts.
pub fn built() -> Result<PathBuf, String> {
    let build = repository().join("tests/controlplane/build");
    let output =
        Command::new(&build).arg("--where").output().map_err(|error| format!("{}: {error}", build.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Runs a command that ends up as the launcher, and returns once the control plane is ready.
pub fn launch(command: &mut Command) -> Result<Launched, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let stdin = child.stdin.take().expect("stdin is piped");
    let stdout = child.stdout.take().expect("stdout is piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).map_err(|error| format!("read from {command:?}: {error}"))?;
    match serde_json::from_str(&line) {
        Ok(ready) => Ok(Launched { ready, child, stdin }),
        Err(error) => {
            drop(stdin);
            let status = child.wait().map_err(|error| error.to_string())?;
            Err(format!("the launcher is not ready ({status}, {error}); it said why on stderr"))
        }
    }
}

impl Cluster {
    fn launch(options: &[&str]) -> Result<Self, String> {
        let launched = launch(Command::new(built()?.join("controlplane")).arg("up").args(options))?;
        Ok(Self {
            kubeconfig: launched.ready.kubeconfig.clone(),
            kubectl: launched.ready.kubectl.clone(),
            launched: Some(launched),
        })
    }

    fn existing(kubeconfig: PathBuf) -> Self {
        eprintln!("tests use the cluster of KUBECONFIG={}", kubeconfig.display());
        let assets = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let kubectl = assets
            .into_iter()
            .chain(built().ok())
            .map(|folder| folder.join("kubectl"))
            .find(|path| path.exists())
            .unwrap_or_else(|| "kubectl".into());
        Self { kubeconfig, kubectl, launched: None }
    }

    /// The CRDs and the shipped rights, as the README tells a user to install them who runs the operator by hand.
    pub fn install(&self) -> Result<(), String> {
        let crds = repository().join("crds");
        let has_crds = fs::read_dir(&crds)
            .map_err(|error| format!("{}: {error}", crds.display()))?
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|extension| extension == "yaml"));
        if !has_crds {
            return Err(format!("{} has no CRD", crds.display()));
        }
        let crds = crds.display().to_string();
        let rights = repository().join("deploy/rights").display().to_string();
        for arguments in [
            &["apply", "--server-side", "--force-conflicts", "-f", &crds][..],
            &["wait", "--for=condition=Established", "--timeout=60s", "-f", &crds],
            &["apply", "--server-side", "--force-conflicts", "-k", &rights],
        ] {
            let output = self.kubectl(arguments);
            if !output.status.success() {
                return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        Ok(())
    }

    /// Installs the chart with its default values; its CRDs are served when this returns.
    fn install_chart(&self) -> Result<(), String> {
        self.helm(&["install", OPERATOR_ACCOUNT, "charts/privatelink-operator", "--create-namespace"])?;
        let established = [
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            "-l",
            "app.kubernetes.io/name=privatelink-operator",
        ];
        let output = self.kubectl(&established);
        if !output.status.success() {
            return Err(format!("{established:?}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(())
    }

    /// Runs the Helm that is built with the control plane from the repository's root, as the cluster's administrator in
    /// the operator's namespace; gives what it prints.
    pub fn helm(&self, arguments: &[&str]) -> Result<String, String> {
        let program = self.kubectl.with_file_name("helm");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
        let mut command = Command::new(&program);
        command.current_dir(repository());
        command.args(arguments).args(["--namespace", OPERATOR_NAMESPACE, "--kubeconfig"]).arg(&self.kubeconfig);
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, &home);
        }
        let output = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
        if !output.status.success() {
            return Err(format!("helm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What the operator has asked of the API server so far, as its audit log has it; of [`charted`] alone.
    pub fn audited(&self) -> Vec<serde_json::Value> {
        let log = self.ready().expect("it was started here").dir.join("audit.log");
        let log = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        log.lines().map(|line| serde_json::from_str(line).expect("a line is one request")).collect()
    }

    /// What the launcher said, where this cluster was started here.
    pub fn ready(&self) -> Option<&Ready> {
        self.launched.as_ref().map(|launched| &launched.ready)
    }

    /// Fails where nothing collects what deleted objects leave: a folder of `KUBEBUILDER_ASSETS`
    /// may lack the controller manager.
    pub fn needs_controller_manager(&self) {
        assert!(
            self.ready().is_none_or(|ready| ready.controller_manager),
            "this test needs kube-controller-manager: add it to KUBEBUILDER_ASSETS, or unset that",
        );
    }

    /// Runs kubectl as the cluster's administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_command(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}: `make controlplane` builds it", self.kubectl.display()))
    }

    /// Runs kubectl as the cluster's administrator with `input` on its stdin, for `apply -f -`.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .kubectl_command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: `make controlplane` builds it", self.kubectl.display()));
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // kubectl may refuse its arguments and be gone before it reads.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("kubectl was started")
    }

    fn kubectl_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        command
    }

    /// The administrator's kubeconfig, and the program that belongs to the cluster's version.
    pub fn for_people(&self) -> (&Path, &Path) {
        (&self.kubeconfig, &self.kubectl)
    }

    /// A client of the cluster's administrator: for what surrounds a test, never for what is tested.
    pub async fn admin_client(&self) -> Client {
        client(self.admin_config().await)
    }

    /// A client that is the operator: its `ServiceAccount`'s token, and so exactly the shipped RBAC.
    pub async fn operator_client(&self) -> Client {
        self.account_client(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
    }

    /// A client of somebody who may edit in this namespace and nowhere else.
    pub async fn tenant_client(&self, namespace: &str) -> Client {
        // Both: `edit` holds `privatelink-edit` only where a controller manager aggregates roles.
        for role in ["edit", "privatelink-edit"] {
            self.bind(namespace, TENANT_ACCOUNT, role).await;
        }
        self.account_client(namespace, TENANT_ACCOUNT).await
    }

    /// Gives the operator a `ClusterRole` everywhere, as an administrator does who enables publishing.
    pub async fn bind_operator(&self, role: &str) {
        let bindings = Api::<ClusterRoleBinding>::all(self.admin_client().await);
        let wanted = ClusterRoleBinding {
            metadata: ObjectMeta { name: Some(role.to_owned()), ..ObjectMeta::default() },
            role_ref: RoleRef {
                api_group: "rbac.authorization.k8s.io".to_owned(),
                kind: "ClusterRole".to_owned(),
                name: role.to_owned(),
            },
            subjects: Some(vec![Subject {
                kind: "ServiceAccount".to_owned(),
                name: OPERATOR_ACCOUNT.to_owned(),
                namespace: Some(OPERATOR_NAMESPACE.to_owned()),
                ..Subject::default()
            }]),
        };
        made(bindings.create(&PostParams::default(), &wanted).await);
    }

    /// Takes away what [`Cluster::bind_operator`] gave.
    pub async fn unbind_operator(&self, role: &str) {
        let bindings = Api::<ClusterRoleBinding>::all(self.admin_client().await);
        bindings.delete(role, &DeleteParams::default()).await.expect("it was bound");
    }

    /// Makes a `ServiceAccount` if there is none, and gives it a `ClusterRole` in its namespace.
    pub async fn bind(&self, namespace: &str, account: &str, role: &str) {
        let admin = self.admin_client().await;
        let metadata = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let wanted = ServiceAccount { metadata: metadata(account), ..ServiceAccount::default() };
        let accounts = Api::<ServiceAccount>::namespaced(admin.clone(), namespace);
        made(accounts.create(&PostParams::default(), &wanted).await);
        let wanted = RoleBinding {
            metadata: metadata(&format!("{account}-{role}")),
            role_ref: RoleRef {
                api_group: "rbac.authorization.k8s.io".to_owned(),
                kind: "ClusterRole".to_owned(),
                name: role.to_owned(),
            },
            subjects: Some(vec![Subject {
                kind: "ServiceAccount".to_owned(),
                name: account.to_owned(),
                namespace: Some(namespace.to_owned()),
                ..Subject::default()
            }]),
        };
        let bindings = Api::<RoleBinding>::namespaced(admin, namespace);
        made(bindings.create(&PostParams::default(), &wanted).await);
    }

    /// A client with a fresh token of a `ServiceAccount`, which has to exist.
    pub async fn account_client(&self, namespace: &str, account: &str) -> Client {
        let token = self.account_token(namespace, account).await;
        let mut config = self.admin_config().await;
        // Nothing of the administrator's own credentials is left in it.
        config.auth_info = AuthInfo { token: Some(token.into()), ..AuthInfo::default() };
        client(config)
    }

    async fn account_token(&self, namespace: &str, account: &str) -> String {
        let accounts = Api::<ServiceAccount>::namespaced(self.admin_client().await, namespace);
        let wanted = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &wanted)
            .await
            .unwrap_or_else(|error| panic!("token of {namespace}/{account}: {error}"));
        answer.status.expect("a granted token request has a status").token
    }

    /// A kubeconfig, as text, of the operator: with a fresh token of its `ServiceAccount`, and nothing of the
    /// administrator's credentials.
    pub async fn operator_kubeconfig(&self) -> String {
        let token = self.account_token(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await;
        let admin = Kubeconfig::read_from(&self.kubeconfig)
            .unwrap_or_else(|error| panic!("{}: {error}", self.kubeconfig.display()));
        let context = admin.current_context.as_deref();
        let named = admin.contexts.iter().find(|one| Some(one.name.as_str()) == context);
        let cluster = named.and_then(|one| one.context.as_ref()).map(|context| context.cluster.clone());
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "operator",
            "contexts": [{"name": "operator", "context": {
                "cluster": cluster, "user": "operator", "namespace": OPERATOR_NAMESPACE,
            }}],
            "clusters": admin.clusters,
            "users": [{"name": "operator", "user": {"token": token}}],
        })
        .to_string()
    }

    /// Makes a namespace that no other test uses; `name` says whose it is. A cluster started here
    /// ends with it; on a cluster of `KUBECONFIG` it stays, labelled `privatelink.dev/test`.
    pub async fn namespace(&self, name: &str) -> String {
        let namespaces = Api::<Namespace>::all(self.admin_client().await);
        let wanted = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("it-{name}-")),
                labels: Some([("privatelink.dev/test".to_owned(), name.to_owned())].into()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let made = namespaces.create(&PostParams::default(), &wanted).await;
        made.unwrap_or_else(|error| panic!("namespace for {name}: {error}")).name_any()
    }

    async fn admin_config(&self) -> Config {
        let file = Kubeconfig::read_from(&self.kubeconfig)
            .unwrap_or_else(|error| panic!("{}: {error}", self.kubeconfig.display()));
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.kubeconfig.display()));
        if self.launched.is_some() {
            // It is on this machine, whatever proxy the environment has.
            config.proxy_url = None;
        }
        config
    }
}

fn client(mut config: Config) -> Client {
    // An answer that a test did not expect is to be seen, not to be hidden by a second try.
    config.default_retry = false;
    Client::try_from(config).expect("a kubeconfig that was read makes a client")
}

fn made<T>(result: kube::Result<T>) {
    match result {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        Err(error) => panic!("{error}"),
    }
}
