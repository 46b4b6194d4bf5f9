//! The binary: it says where it listens, answers there, and ends when it is told to.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::client::{Client, Style};
use super::scene::Scene;

struct Running {
    child: Child,
    address: String,
}

/// Starts the binary; it ends with this process, because its standard input then closes.
async fn start(arguments: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_privatelink-sim"))
        .args(["--until-stdin-closes"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("readable").expect("a line before the end");
    let said: Value = serde_json::from_str(&line).expect("a line of JSON");
    let address = said["address"].as_str().expect("an address").to_owned();
    Running { child, address }
}

async fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it takes requests");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

#[tokio::test]
async fn it_answers_on_its_address_and_ends_with_its_standard_input() {
    let mut running = start(&["--variant", "oneEndpointPer=nothing", "--time-scale", "0"]).await;
    let world = get(&running.address, "/_sim/world").await;
    assert!(world.starts_with("HTTP/1.1 200 OK\r\n"), "{world}");
    let (_, body) = world.split_once("\r\n\r\n").expect("a body");
    let world: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(world["variants"]["oneEndpointPer"], "nothing");
    let refused = get(&running.address, "/?Action=DescribeRegions&Version=2020-04-15").await;
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("IncompleteSignature"), "{refused}");
    drop(running.child.stdin.take());
    assert!(running.child.wait().await.expect("it ends").success());
}

/// A signed call, as bytes; the signer of the other tests makes it.
async fn signed(address: &str) -> String {
    let signer = Client { date: now(), style: Style::RpcGet, ..Scene::new().provider };
    let request = signer.request("DescribeRegions", "2020-04-15", vec![]);
    get(address, &request.uri().to_string()).await
}

fn now() -> String {
    let now = jiff::Timestamp::now().round(jiff::Unit::Second).expect("a second of today");
    now.to_string()
}

#[tokio::test]
async fn a_signed_call_is_answered_and_a_lost_answer_closes_the_connection() {
    for (faults, begins) in [("", "HTTP/1.1 200 OK"), ("lost=1,seed=1", "")] {
        let mut running = start(&["--faults", faults, "--latency", "0ms"]).await;
        let answer = signed(&running.address).await;
        assert!(answer.starts_with(begins) && answer.is_empty() == begins.is_empty(), "{faults}: {answer}");
        drop(running.child.stdin.take());
        assert!(running.child.wait().await.expect("it ends").success());
    }
}

#[tokio::test]
async fn its_wall_clock_is_as_wrong_as_asked() {
    for (offset, minutes, begins) in
        [("20m", 20, "HTTP/1.1 400 "), ("-20m", -20, "HTTP/1.1 400 "), ("1m", 1, "HTTP/1.1 200 ")]
    {
        let running = start(&["--clock-offset", offset, "--latency", "0ms"]).await;
        let answer = signed(&running.address).await;
        assert!(answer.starts_with(begins), "{offset}: {answer}");
        let date = answer.lines().find_map(|line| line.strip_prefix("date: ")).expect("a date");
        let date = jiff::fmt::rfc2822::parse(date).expect("a date").timestamp();
        let off = date.duration_since(jiff::Timestamp::now()).as_secs() - minutes * 60;
        assert!((-10..10).contains(&off), "{offset}: {off}");
    }
}

#[tokio::test]
async fn it_ends_when_it_is_asked_to() {
    for signal in ["-TERM", "-INT"] {
        let mut running = start(&[]).await;
        let id = running.child.id().expect("it runs").to_string();
        let sent =
            Command::new("sh").args(["-c", &format!("kill {signal} {id}")]).status().await.expect("a shell is there");
        assert!(sent.success());
        assert!(running.child.wait().await.expect("it ends").success(), "{signal}");
    }
}

async fn fails(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_privatelink-sim"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the binary starts");
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn wrong_arguments_are_named_with_their_remedy() {
    for (arguments, told) in [
        (vec!["--world", "/nowhere/world.yaml"], "--world /nowhere/world.yaml: No such file"),
        (vec!["--variant", "autoAssignOnEnable"], "write it as name=value"),
        (vec!["--variant", "autoAssignOnEnable=maybe"], "it can be: true, false"),
        (vec!["--faults", "lost=2"], "is not from 0 to 1"),
        (vec!["--latency", "soon"], "write it as 20ms or 1s"),
        (vec!["--time-scale", "-1"], "it is 0 or more"),
        (vec!["--clock-offset", "later"], "write it as 20m or -20m"),
    ] {
        let told_by = fails(&arguments).await;
        assert!(told_by.contains(told), "{arguments:?}: {told_by}");
    }
}

#[tokio::test]
async fn it_prints_its_variants_and_its_world() {
    let print = async |argument: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_privatelink-sim")).arg(argument).output().await;
        String::from_utf8(output.expect("the binary starts").stdout).expect("text")
    };
    let variants = print("--list-variants").await;
    assert!(variants.starts_with("autoAssignOnEnable = true (or false)\n    rules.md:"));
    for row in privatelink_sim::world::variant::TABLE {
        let line =
            format!("{} = {} (or {})\n    {}\n", row.name, row.values[0], row.values[1..].join(", "), row.source);
        assert!(variants.contains(&line), "{line}");
        assert!(row.source.split_once(": ").is_some_and(|(place, _)| place.contains(".md:")), "{line}");
    }
    assert!(privatelink_sim::fixture::Fixture::parse(&print("--print-world").await).is_ok());
    assert!(print("--help").await.contains("/_sim/advance"));
}
