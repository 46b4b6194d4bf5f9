//! The control plane of the tests is a real one of the pinned version, and leaves nothing behind.

use std::{collections::BTreeMap, fmt::Debug, fs, process::Command, time::Duration};

use k8s_openapi::{
    api::core::v1::{ConfigMap, Namespace},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ObjectMeta, PostParams},
    runtime::{conditions, wait::await_condition},
};
use serde::de::DeserializeOwned;
use tokio::time::{interval, timeout};

use crate::cluster::{self, OLDEST_VERSION, PATIENCE};

/// The version that the Go module pins, as `v1.37.2`.
fn pinned_version() -> String {
    let path = cluster::repository().join("tests/controlplane/go.mod");
    let module = fs::read_to_string(&path).expect("the Go module is part of the repository");
    let line = module.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    line.expect("go.mod requires k8s.io/kubernetes").trim().to_owned()
}

/// Whether programs or a cluster of the user's choice are used.
fn chosen_by_user() -> bool {
    ["KUBECONFIG", "KUBEBUILDER_ASSETS"].iter().any(|name| std::env::var_os(name).is_some())
}

fn config_map(name: &str, owner: Option<&ConfigMap>) -> ConfigMap {
    let owner_references = owner.map(|owner| {
        vec![OwnerReference {
            api_version: ConfigMap::api_version(&()).into_owned(),
            kind: ConfigMap::kind(&()).into_owned(),
            name: owner.name_any(),
            uid: owner.uid().expect("the owner was read from the server"),
            ..OwnerReference::default()
        }]
    });
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), owner_references, ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

/// The uid of an object that exists.
async fn uid_of<K>(api: &Api<K>, name: &str) -> String
where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    api.get(name).await.expect("it was made").uid().expect("the server gave it a uid")
}

/// Waits until this very object is no more.
async fn deleted<K>(api: Api<K>, name: &str, uid: &str)
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let gone = timeout(PATIENCE, await_condition(api, name, conditions::is_deleted(uid))).await;
    gone.unwrap_or_else(|_| panic!("{name} is still there after {PATIENCE:?}"))
        .unwrap_or_else(|error| panic!("the watch of {name} ended: {error}"));
}

#[tokio::test]
async fn answers_with_the_pinned_version() {
    let cluster = cluster::shared();
    let client = cluster.admin_client().await;
    let answer = client.apiserver_version().await.expect("the server tells its version");
    if !chosen_by_user() {
        assert_eq!(answer.git_version, pinned_version());
    }
    if let Some(ready) = cluster.ready() {
        println!("{} ready after {:.1} s", ready.version, ready.seconds);
        assert_eq!(ready.version, answer.git_version, "the launcher tells another version");
    }
}

#[test]
fn kubectl_takes_the_version_for_a_released_one() {
    let output = cluster::shared().kubectl(&["version", "--output=json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for side in ["clientVersion", "serverVersion"] {
        let version = answer[side]["gitVersion"].as_str().unwrap_or_default();
        assert!(version.starts_with("v1."), "{side} is {version:?}");
        assert!(!version.contains("master"), "{side} is the placeholder {version:?}");
        if !chosen_by_user() {
            assert_eq!(version, pinned_version(), "{side}");
        }
    }
    if !chosen_by_user() {
        assert_eq!(stderr, "", "kubectl warns of a skew");
    }
}

#[tokio::test]
async fn emulates_the_oldest_version_with_the_crds_and_the_shipped_rbac() {
    let cluster = cluster::oldest();
    let output = cluster.kubectl(&["get", "--raw", "/version"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let part = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let emulated = format!("{}.{}", part("emulationMajor"), part("emulationMinor"));
    assert_eq!(emulated, OLDEST_VERSION, "{answer}");
    let namespaces = Api::<Namespace>::all(cluster.operator_client().await);
    namespaces.list(&kube::api::ListParams::default()).await.expect("the operator's RBAC is there");
}

#[tokio::test]
async fn a_deleted_namespace_goes_with_what_is_in_it() {
    let cluster = cluster::shared();
    cluster.needs_controller_manager();
    let name = cluster.namespace("goes").await;
    let client = cluster.admin_client().await;
    let manifest = serde_json::to_string(&config_map("inside", None)).expect("JSON");
    let created = cluster.kubectl_with(&["create", "-n", &name, "-f", "-"], &manifest);
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let config_maps = Api::<ConfigMap>::namespaced(client.clone(), &name);
    let inside = uid_of(&config_maps, "inside").await;
    let namespaces = Api::<Namespace>::all(client);
    let outside = uid_of(&namespaces, &name).await;
    namespaces.delete(&name, &DeleteParams::default()).await.expect("an administrator deletes it");
    deleted(config_maps, "inside", &inside).await;
    deleted(namespaces, &name, &outside).await;
}

#[tokio::test]
async fn what_a_deleted_object_owns_is_collected() {
    let cluster = cluster::shared();
    cluster.needs_controller_manager();
    let namespace = cluster.namespace("owned").await;
    let config_maps = Api::<ConfigMap>::namespaced(cluster.admin_client().await, &namespace);
    let create = PostParams::default();
    let owner = config_maps.create(&create, &config_map("owner", None)).await.expect("created");
    let dependant = config_maps.create(&create, &config_map("owned", Some(&owner))).await.expect("created");
    config_maps.delete("owner", &DeleteParams::default()).await.expect("deleted");
    deleted(config_maps, "owned", &dependant.uid().expect("the server gave it a uid")).await;
}

/// How a launcher and what it started are made to lose whoever started them.
#[derive(Debug, Clone, Copy)]
enum Killed {
    /// The process that started the launcher, which is not told.
    Parent,
    /// The launcher itself.
    Launcher,
}

#[tokio::test]
async fn nothing_survives_a_killed_parent() {
    nothing_survives(Killed::Parent).await;
}

#[tokio::test]
async fn nothing_survives_a_killed_launcher() {
    nothing_survives(Killed::Launcher).await;
}

async fn nothing_survives(killed: Killed) {
    let program = cluster::built().expect("built").join("controlplane");
    let mut command = match killed {
        Killed::Launcher => Command::new(&program),
        Killed::Parent => {
            let mut shell = Command::new("/bin/sh");
            // The second command keeps the shell from becoming the launcher.
            shell.args(["-c", "\"$0\" \"$1\"; true"]).arg(&program);
            shell
        }
    };
    // Its stdin stays open in this process: the end of it is not what ends the control plane here.
    let mut launched = cluster::launch(command.arg("up")).expect("a control plane of its own");
    let pids = launched.ready.pids.clone();
    assert!(pids.len() >= 2, "etcd and kube-apiserver at least: {pids:?}");
    for (name, &pid) in &pids {
        assert!(runs(pid), "{name} does not run");
    }
    launched.child.kill().expect("it ran until now");
    launched.child.wait().expect("it is ours to wait for");
    let survivors = timeout(Duration::from_secs(30), all_gone(&pids)).await;
    assert!(survivors.is_ok(), "after {killed:?} was killed: {:?}", left(&pids));
    drop(launched.stdin);
    if matches!(killed, Killed::Launcher) {
        // Who is killed cannot clean up: a later start would, in an hour.
        fs::remove_dir_all(&launched.ready.dir).expect("the folder is still there");
    }
}

async fn all_gone(pids: &BTreeMap<String, u32>) {
    // A process that is not our child cannot be waited for.
    let mut look = interval(Duration::from_millis(10));
    while !left(pids).is_empty() {
        look.tick().await;
    }
}

fn left(pids: &BTreeMap<String, u32>) -> Vec<&str> {
    pids.iter().filter(|(_, pid)| runs(**pid)).map(|(name, _)| name.as_str()).collect()
}

/// Whether a process runs; one that only waits to be collected does not.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}
