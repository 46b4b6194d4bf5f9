//! The operator's process under a story: signals, its end, what it answers to Prometheus, and what it logs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStderr, Command, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::PATIENCE;

/// How many lines of the log are shown when a test fails.
const SHOWN: usize = 200;

/// The operator's process; it is killed when this is dropped.
pub struct Process {
    /// The process.
    pub child: Child,
    /// Its log.
    pub log: Log,
}

/// What the process has logged, line by line.
#[derive(Clone)]
pub struct Log {
    /// All lines so far.
    pub lines: Arc<Mutex<Vec<Value>>>,
    count: watch::Receiver<usize>,
}

impl Process {
    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let asked = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(asked.expect("there is a kill command").success());
    }

    /// Waits until it has ended, and all that it has said is read.
    pub async fn ends(mut self) -> ExitStatus {
        let mut read = self.log.count.clone();
        let ended = tokio::task::spawn_blocking(move || self.child.wait().expect("it is our child"));
        let status = tokio::time::timeout(PATIENCE, ended).await;
        while read.changed().await.is_ok() {}
        status.expect("it ends").expect("it is waited for")
    }

    /// The most memory that it has had so far, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let told = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|kib| kib.parse::<u64>().ok()).expect("the kernel counts it in KiB") / 1024
    }

    /// What it answers at its own door: the status and the text.
    pub async fn answers(&self, path: &str) -> (u16, String) {
        let log = self.log.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answering = |line: &&Value| line["message"] == "answering /healthz, /readyz and /metrics";
        let address = log.iter().find(answering).expect("it says where it answers")["address"].as_str();
        let caller = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let page = format!("http://{}{path}", address.expect("an address")).parse().expect("a URL");
        let answer = caller.get(page).await.expect("the door is open");
        let status = answer.status().as_u16();
        let text = answer.into_body().collect().await.expect("an answer that is whole").to_bytes();
        (status, String::from_utf8(text.to_vec()).expect("it is text"))
    }

    /// What it answers to Prometheus.
    pub async fn scraped(&self) -> String {
        let (status, text) = self.answers("/metrics").await;
        assert_eq!(status, 200);
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill, and it is still waited for.
        let _killed_or_ended = self.child.kill();
        let _waited_for = self.child.wait();
    }
}

impl Log {
    /// Follows what it says until it ends.
    pub fn read(stderr: ChildStderr) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (counter, count) = watch::channel(0);
        let written = Arc::clone(&lines);
        // A thread of its own: reading a pipe waits.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                written.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                counter.send_modify(|count| *count += 1);
            }
        });
        Self { lines, count }
    }

    /// Waits until `test` holds; it is asked again after each line.
    pub async fn wait(&self, what: &str, test: impl Fn(&[Value]) -> bool) {
        let holds = || test(&self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let mut count = self.count.clone();
        let waited = tokio::time::timeout(PATIENCE, async {
            while !holds() {
                if count.changed().await.is_err() {
                    return holds();
                }
            }
            true
        });
        if !waited.await.unwrap_or(false) {
            self.show();
            panic!("waited in vain for {what:?} of the operator");
        }
    }

    /// Shows the last lines to whoever reads why a story has failed.
    pub fn show(&self) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in &lines[lines.len().saturating_sub(SHOWN)..] {
            let _nobody_reads = writeln!(std::io::stderr(), "operator: {line}");
        }
    }
}
