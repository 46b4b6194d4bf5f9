//! `privatelink-sim`: a simulated cloud on a socket.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::control;
use privatelink_sim::fault::Rates;
use privatelink_sim::fixture::Fixture;
use privatelink_sim::server::Simulator;
use privatelink_sim::world::variant::TABLE;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// Simulates Alibaba Cloud PrivateLink (2020-04-15) over HTTP, with STS (2015-04-01) and the metadata service of
/// machines as far as callers get their credentials there.
///
/// It checks signatures (ACS3-HMAC-SHA256 and the older RPC 1.0 HMAC-SHA1), refuses what the real cloud
/// refuses, with its codes, and lets things take time. When it listens it prints one line of JSON,
/// {"address":"127.0.0.1:12345"}. Point a client at that address, by plain HTTP, with a key of the world file;
/// the built-in world has provider-key/provider-secret and consumer-key/consumer-secret in cn-hangzhou and cn-shanghai.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP.as_str())]
struct Arguments {
    /// World file in YAML: regions, accounts, keys, VPCs, load balancers. Without it, the built-in world
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Print the built-in world file, as a start for one of your own, and end
    #[arg(long)]
    print_world: bool,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How long every answer is held back, such as 20ms; meanwhile a second call of the same scope is refused
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = parse_latency)]
    latency: Duration,
    /// How many times as fast as the wall's the world's time runs; 0: it stands until POST /_sim/advance
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = parse_scale, allow_negative_numbers = true)]
    time_scale: f64,
    /// By how much the cloud's wall clock is wrong, such as 20m or -20m: dates, signatures and sessions go by it
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_offset, allow_hyphen_values = true)]
    clock_offset: SignedDuration,
    /// What goes wrong by chance, as fractions of all calls:
    /// throttle=0.05,unavailable=0.02,busy=0.01,lost=0.02,stale=0.05,seed=7
    #[arg(long, value_name = "RATES", default_value = "")]
    faults: Rates,
    /// How the world settles a statement that the vendor leaves open; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    variant: Vec<String>,
    /// Print every variant with its values and where the statement comes from, and end
    #[arg(long)]
    list_variants: bool,
    /// End when standard input closes, so that it does not outlive the program that started it
    #[arg(long)]
    until_stdin_closes: bool,
}

static AFTER_HELP: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!(
        "Control paths, for this machine only and never signed:\n{}\n\nIt ends on SIGINT and SIGTERM.",
        control::PATHS
    )
});

fn parse_latency(text: &str) -> Result<Duration, String> {
    let parsed: Option<SignedDuration> = text.parse().ok();
    parsed.and_then(|time| Duration::try_from(time).ok()).ok_or_else(|| "write it as 20ms or 1s".to_owned())
}

fn parse_offset(text: &str) -> Result<SignedDuration, String> {
    text.parse().map_err(|_| "write it as 20m or -20m".to_owned())
}

fn parse_scale(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale >= 0.0);
    parsed.ok_or_else(|| "it is 0 or more".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(io::stderr).init();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.list_variants {
        return say(&variants());
    }
    if arguments.print_world {
        return say(privatelink_sim::fixture::BUILT_IN);
    }
    let fixture = load(arguments)?;
    let start = Timestamp::now();
    let seed = arguments.faults.seed.unwrap_or_else(|| u64::try_from(start.as_nanosecond() & 0xFFFF_FFFF).unwrap_or(0));
    tracing::info!(seed, "all chance of this run comes from this seed");
    let (time_scale, clock_offset) = (arguments.time_scale, arguments.clock_offset);
    let (latency, rates) = (arguments.latency, arguments.faults);
    let cloud = Cloud::new(fixture, Options { start, time_scale, clock_offset, latency, rates, seed });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| format!("the runtime cannot start: {error}"))?.block_on(serve(arguments, cloud))
}

async fn serve(arguments: &Arguments, cloud: Cloud) -> Result<(), String> {
    let cannot = |error: io::Error| format!("--listen {}: {error}; choose another address", arguments.listen);
    let listener = TcpListener::bind(arguments.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let closed = stdin_closes(arguments.until_stdin_closes);
    say(&format!("{}\n", json!({ "address": address.to_string() })))?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = closed => {}
        }
    };
    Simulator::new(cloud).serve(listener, stop).await.map_err(|error| format!("the listener failed: {error}"))
}

/// Over when standard input closes; never, where that was not asked for.
async fn stdin_closes(asked: bool) {
    if !asked {
        return std::future::pending().await;
    }
    let (closed, wait) = oneshot::channel::<()>();
    // A thread of its own: a read of standard input cannot be given up.
    std::thread::spawn(move || {
        let mut ignored = [0; 1024];
        while io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        drop(closed);
    });
    let _ended = wait.await;
}

fn load(arguments: &Arguments) -> Result<Fixture, String> {
    let mut fixture = match &arguments.world {
        None => Fixture::built_in(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("--world {}: {error}", path.display()))?;
            Fixture::parse(&text).map_err(|error| format!("--world {}: {error}", path.display()))?
        }
    };
    for choice in &arguments.variant {
        let (name, value) =
            choice.split_once('=').ok_or_else(|| format!("--variant {choice:?}: write it as name=value"))?;
        let variants = fixture.state.variants.with(name, value);
        fixture.state.variants = variants.map_err(|error| format!("--variant: {error}"))?;
    }
    Ok(fixture)
}

fn variants() -> String {
    let row = |row: &privatelink_sim::world::variant::Description| {
        let (default, others) = row.values.split_first().unwrap_or((&"", &[]));
        format!("{} = {default} (or {})\n    {}\n", row.name, others.join(", "), row.source)
    };
    TABLE.iter().map(row).collect()
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| format!("standard output: {error}"))
}
