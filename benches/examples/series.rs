//! Prometheus, VictoriaMetrics and ours one after the other: the same series, the same queries, the same machine.
//! `benches/series.sh` builds and starts it. Prints a Markdown table, and JSON into the file that `OUT` names.
//!
//! `PEERS=prometheus,ours SECONDS_RUN=180 TARGETS=10 SERIES=10000 RUNS=20 series INSIGHTDESK_PROGRAM`

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use ops_benches::generator::Generator;
use ops_benches::peers::{Kind, Peer};
use ops_benches::questions;
use ops_benches::table::{Measured, json, markdown};

/// How long the start of a peer is left out of its steady costs.
const START: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]
async fn main() -> anyhow::Result<()> {
    let plan = Plan::read()?;
    let wanted = std::env::var("PEERS").unwrap_or_else(|_| "prometheus,victoria-metrics,ours".to_owned());
    let folder = tempfile::Builder::new().prefix("series-").tempdir()?;
    let mut all = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|it| wanted.split(',').any(|name| name == it.name())) {
        let program = match kind {
            Kind::Prometheus => PathBuf::from("prometheus"),
            Kind::VictoriaMetrics => PathBuf::from("victoria-metrics"),
            Kind::Ours => std::env::args().nth(1).context("which insightdesk program?")?.into(),
        };
        eprintln!("{} …", kind.name());
        all.push(measure(kind, &program, &folder.path().join(kind.name()), &plan).await?);
    }
    println!("{}", markdown(&all));
    if let Ok(path) = std::env::var("OUT") {
        std::fs::write(path, serde_json::to_vec_pretty(&json(&all))?)?;
    }
    Ok(())
}

struct Plan {
    run: Duration,
    targets: u16,
    series: usize,
    runs: usize,
    first_port: u16,
}

impl Plan {
    fn read() -> anyhow::Result<Self> {
        let number = |name: &str, usual: u64| match std::env::var(name) {
            Ok(text) => text.parse().with_context(|| format!("{name} is no number")),
            Err(_) => Ok(usual),
        };
        Ok(Self {
            run: Duration::from_secs(number("SECONDS_RUN", 180)?),
            targets: number("TARGETS", 10)?.try_into()?,
            series: number("SERIES", 10_000)?.try_into()?,
            runs: number("RUNS", 20)?.try_into()?,
            first_port: number("FIRST_PORT", 19_400)?.try_into()?,
        })
    }
}

async fn measure(kind: Kind, program: &Path, folder: &Path, plan: &Plan) -> anyhow::Result<Measured> {
    let ports: Vec<u16> = (plan.first_port + 1..).take(plan.targets.into()).collect();
    let mut peer = Peer::start(kind, program, folder, plan.first_port, &ports).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let empty = peer.cost()?;

    let generator = Generator::start(&ports, 1, plan.series).await?;
    let begun = Instant::now();
    tokio::time::sleep(START.min(plan.run / 3)).await;
    let (steady, first, since) = (peer.cost()?, generator.served().samples(), Instant::now());
    tokio::time::sleep(plan.run.saturating_sub(begun.elapsed())).await;
    let (end, samples, cores_s) = (peer.cost()?, generator.served().samples(), since.elapsed().as_secs_f64());
    anyhow::ensure!(samples > first, "{} does not scrape", kind.name());

    let active = f64::from(plan.targets) * plan.series as f64;
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    let cpu = end.cpu_s - steady.cpu_s;
    let mut measured = Measured { peer: kind.name(), ..Measured::default() };
    measured.put("CPU s per million samples, steady", cpu / (samples - first) as f64 * 1e6);
    measured.put("CPU s per million samples, start included", end.cpu_s / samples as f64 * 1e6);
    measured.put("RSS MiB before any series", mib(empty.resident_bytes));
    measured.put("RSS MiB at the end", mib(end.resident_bytes));
    measured.put("of it not mapped from files", mib(end.anonymous_bytes));
    measured.put("RSS MiB at most", mib(end.peak_bytes));
    measured.put("RSS bytes per active series", end.resident_bytes as f64 / active);
    let added = end.resident_bytes.saturating_sub(empty.resident_bytes);
    measured.put("the same without what it takes empty", added as f64 / active);

    measured.answers = questions::ask_all(&peer, plan.runs, cpu / cores_s).await?;
    measured.put("RSS MiB after the queries", mib(peer.cost()?.resident_bytes));
    let samples = generator.served().samples() as f64;
    let parts = peer.disk().await?;
    let kept: u64 = parts.iter().filter(|(part, _)| *part != "log").map(|(_, bytes)| bytes).sum();
    measured.put("bytes per sample on disk, values and index", kept as f64 / samples);
    for (part, bytes) in parts {
        measured.put(&format!("bytes per sample on disk: {part}"), bytes as f64 / samples);
    }
    let (took, cpu_s) = peer.restart().await?;
    measured.put("start with this data, s", took.as_secs_f64());
    measured.put("start with this data, CPU s", cpu_s);
    measured.put("samples per series on disk (not to be compared)", samples / active);
    peer.stop().await?;
    Ok(measured)
}
