//! Settings that come from a file: the real binary takes them, those that are set nearer count, and it does not start
//! with what it does not understand.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How the binary ends that is run with this file, these flags and this environment: what it says at last. It is sent
/// nowhere: it ends before it asks a cluster.
fn ends_with(name: &str, file: &str, flags: &[&str], environment: &[(&str, &str)]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.yaml", std::process::id()));
    std::fs::write(&path, file).expect("it is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_privatelink-operator"));
    command.arg("run").args(flags).env_clear().envs(environment.iter().copied()).env("PRIVATELINK_CONFIG", &path);
    let ended = command.stdin(Stdio::null()).output().expect("it is run");
    std::fs::remove_file(&path).expect("it is there");
    assert!(!ended.status.success(), "it cannot start");
    String::from_utf8(ended.stderr).expect("it is text")
}

#[test]
fn what_is_set_nearer_counts() {
    // Which authorities are to be trusted is looked at before anything is asked: a file that is missing is named.
    let file = "# no such file\nextra-ca: /missing/of-the-file\n";
    let of_environment = [("PRIVATELINK_EXTRA_CA", "/missing/of-the-environment")];
    let flag = ["--extra-ca", "/missing/of-the-flag"];
    for (flags, environment, wanted) in [
        (&[][..], &[][..], "/missing/of-the-file"),
        (&[], &of_environment, "/missing/of-the-environment"),
        (&flag, &of_environment, "/missing/of-the-flag"),
        (&flag, &[], "/missing/of-the-flag"),
    ] {
        let said = ends_with("nearer", file, flags, environment);
        assert!(said.contains(wanted), "{wanted}: {said}");
        assert_eq!(said.matches("/missing/").count(), 1, "{said}");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (file, wanted) in [
        ("cluster: prod\n", "cluster: it is no setting: write one of cluster-id, namespace, credential-namespaces, "),
        ("config: other.yaml\n", "config: it is no setting"),
        ("\npublish true\n", "write lines such as publish: true"),
        ("publish: maybe\n", "publish: \"maybe\" is neither true nor false"),
        (
            "cluster-id: {a: b}\n",
            "cluster-id: {\"a\":\"b\"} is a number, nested, or nothing: write one value in quotes",
        ),
        ("cluster-id: 1.10\n", "is a number, nested, or nothing: write one value in quotes"),
        ("cluster-id: a\ncluster-id: b\n", "cluster-id"),
        ("admin-listen: everywhere\n", "--admin-listen <ADDRESS>"),
        ("log-format: xml\n", "[possible values: text, json]"),
    ] {
        let said = ends_with("refused", file, &[], &[]);
        assert!(said.contains(wanted) && said.contains("refused-"), "{wanted}: {said}");
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_privatelink-operator"))
        .args(["run", "--config", "/missing/config.yaml"])
        .env_clear()
        .output()
        .expect("it is run");
    let said = String::from_utf8_lossy(&missing.stderr);
    assert!(said.contains("--config /missing/config.yaml: ") && !missing.status.success(), "{said}");
}

#[test]
fn the_file_that_is_documented_is_understood() {
    let page = include_str!("../../docs/operation.md");
    let shown = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it shows one");
    let said = ends_with("documented", shown, &["--extra-ca", "/missing/of-the-flag"], &[]);
    assert!(said.contains("/missing/of-the-flag") && !said.contains("documented-"), "{said}");
}
