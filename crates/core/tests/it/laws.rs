//! The packages' laws hold, and breaking one is noticed.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "this test reads files and runs cargo")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What the package of decisions may be built from, directly or not: data, never sockets, clocks or chance.
const CORE_MAY_USE: &[&str] = &[
    // Values as text: JSON, and percent encoding for queries and forms.
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "itoa",
    "memchr",
    "zmij",
    "percent-encoding",
    // SHA-256 and HMAC, with the traits, arrays and constants they are written in.
    "sha2",
    "hmac",
    "digest",
    "block-buffer",
    "crypto-common",
    "const-oid",
    "hybrid-array",
    "typenum",
    "ctutils",
    "cmov",
    "cfg-if",
    // Wiping keys that were answered.
    "zeroize",
    // Which instructions the processor has: sha2 picks the fastest code, never another result. On some processors
    // it asks the system by way of libc.
    "cpufeatures",
    "libc",
];

/// What only macros run, at build time.
const AT_BUILD_TIME: &[&str] = &["proc-macro2", "quote", "syn", "unicode-ident"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cargo() -> Command {
    Command::new(env!("CARGO"))
}

/// Names of all packages that `package` needs when it is built for use, not for tests.
fn needs(package: &str) -> BTreeSet<String> {
    let output = cargo()
        .current_dir(workspace())
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--offline", "--locked"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.filter(|name| *name != package).map(str::to_owned).collect()
}

#[test]
fn the_decisions_are_built_from_data_alone() {
    let allowed: BTreeSet<&str> = CORE_MAY_USE.iter().chain(AT_BUILD_TIME).copied().collect();
    let used = needs("privatelink-core");
    let beyond: Vec<&String> = used.iter().filter(|name| !allowed.contains(name.as_str())).collect();
    assert!(beyond.is_empty(), "privatelink-core must stay pure, but needs {beyond:?}");
}

#[test]
fn the_simulated_clouds_depend_on_nothing_of_ours() {
    let ours: Vec<String> =
        needs("privatelink-sim").into_iter().filter(|name| name.starts_with("privatelink-")).collect();
    assert!(ours.is_empty(), "privatelink-sim must stay an independent witness, but needs {ours:?}");
}

/// A line of clippy's answer: which line of the lawbreaker, and what it says.
fn complaints(lawbreaker: &Path) -> Vec<(u64, String)> {
    let output = cargo()
        .current_dir(lawbreaker)
        .env("CLIPPY_CONF_DIR", env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", lawbreaker.join("target"))
        .args(["clippy", "--offline", "--message-format", "json", "--quiet"])
        .output()
        .expect("cargo clippy runs");
    let lines = String::from_utf8(output.stdout).expect("clippy writes UTF-8");
    let mut found = Vec::new();
    for line in lines.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let message = &message["message"];
        let code = message["code"]["code"].as_str().unwrap_or_default();
        assert_ne!(message["level"], "error", "the lawbreaker compiles: {}", message["rendered"]);
        if code.starts_with("clippy::disallowed_") {
            let at = message["spans"][0]["line_start"].as_u64().expect("a place");
            found.push((at, message["message"].as_str().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// Plants every crime that the rules name into a package of its own and has clippy read it by those rules.
#[test]
fn each_law_is_noticed_when_it_is_broken() {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lawbreaker");
    std::fs::create_dir_all(home.join("src")).expect("a folder for the lawbreaker");
    let manifest = "[package]\nname = \"lawbreaker\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
    let crimes = include_str!("lawbreaker.rs");
    std::fs::write(home.join("Cargo.toml"), manifest).expect("the manifest is written");
    std::fs::write(home.join("src/lib.rs"), crimes).expect("the crimes are written");

    let found = complaints(&home);
    // However they are laid out: a crime reaches from its first line to the next crime's.
    let begins: Vec<(u64, &str)> =
        (1_u64..).zip(crimes.lines()).filter(|(_, line)| line.starts_with("pub fn")).collect();
    for (number, (place, line)) in begins.iter().enumerate() {
        let end = begins.get(number + 1).map_or(u64::MAX, |(next, _)| *next);
        assert!(found.iter().any(|(at, _)| (*place..end).contains(at)), "no law forbids: {line}");
    }
    let rules = include_str!("../../clippy.toml");
    let named = rules.lines().filter_map(|line| line.split("path = \"").nth(1)?.split('"').next());
    let mut count = 0;
    for path in named {
        count += 1;
        assert!(found.iter().any(|(_, says)| says.contains(&format!("`{path}`"))), "no crime breaks the law on {path}");
    }
    assert!(count > 30, "the rules name {count} paths");
}
