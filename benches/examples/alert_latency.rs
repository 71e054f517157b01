//! From a sample's arrival to the row of its alert: 10,000 series, 200 rules, the real server on SQLite.
//!
//! `alert_latency INSIGHTDESK_PROGRAM [ROUNDS]`, a release build for figures that mean something. Each time one sample that makes
//! one rule fire is sent by remote write; the clock runs from before the request until the row is seen by another connection
//! that reads without pause. Then the same for the sample that resolves it. A second run is disturbed by writes of all series.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use ops_benches::peers::Peer;
use ops_benches::questions::now_s;
use ops_benches::remote_write::{TimeSeries, body};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};

const RULES: usize = 200;
const SERIES_PER_RULE: usize = 50;
/// Between two writes of all series in the disturbed run.
const EVERY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn main() -> anyhow::Result<()> {
    let program: PathBuf = std::env::args().nth(1).context("which insightdesk program?")?.into();
    let rounds: usize = std::env::args().nth(2).map_or(Ok(3), |it| it.parse())?;
    let folder = tempfile::Builder::new().prefix("latency-").tempdir()?;
    std::fs::write(folder.path().join("rules.yml"), rules())?;
    let stack = "[alerts]\nbuiltin = false\nrules = [\"rules.yml\"]\n";
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let peer = Peer::start_ours(&program, folder.path(), port, stack).await?;
    let mut store = SqliteConnectOptions::new()
        .filename(folder.path().join(".insightdesk/state.db"))
        .read_only(true)
        .connect()
        .await?;
    write_all(&peer).await?;
    let names = learn(&peer, &mut store).await?;

    println!("| run | n | p50 ms | p99 ms | slowest ms |\n| --- | --- | --- | --- | --- |");
    for disturbed in [false, true] {
        let (mut fired, mut resolved) = (Vec::new(), Vec::new());
        let mut disturbance = Instant::now();
        for (rule, name) in (0..rounds).flat_map(|_| names.iter().enumerate()) {
            if disturbed && disturbance.elapsed() > EVERY {
                disturbance = Instant::now();
                write_all(&peer).await?;
            }
            fired.push(flip(&peer, &mut store, rule, name, true).await?);
            resolved.push(flip(&peer, &mut store, rule, name, false).await?);
        }
        let name = if disturbed { "all series written every 5 s" } else { "quiet" };
        for (what, mut took) in [("fires", fired), ("resolves", resolved)] {
            took.sort_unstable();
            let at = |share: f64| {
                let place = (took.len() as f64 * share).ceil() as usize;
                took.get(place.saturating_sub(1)).copied().unwrap_or_default().as_secs_f64() * 1_000.0
            };
            println!(
                "| {what}, {name} | {} | {:.2} | {:.2} | {:.2} |",
                took.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
    }
    println!("\nresident: {:.1} MiB", peer.cost()?.resident_bytes as f64 / 1_048_576.0);
    peer.stop().await
}

/// Half of the rules look at each series, the others at sums and at ratios.
fn rules() -> String {
    let mut text = "groups:\n  - name: bench\n    rules:\n".to_owned();
    for rule in 0..RULES {
        let metric = format!("bench_{rule}");
        let expr = match rule % 4 {
            0 | 1 => format!("{metric} > 100"),
            2 => format!("sum by (job) ({metric}) > 500"),
            _ => format!("max by (job) ({metric}) / on (job) count by (job) ({metric}) > 10"),
        };
        text += &format!(
            "      - alert: Bench{rule}\n        expr: {expr}\n        labels: {{severity: critical}}\n        annotations: {{summary: \"{{{{ $labels.job }}}} is at {{{{ $value }}}}\"}}\n"
        );
    }
    text
}

fn sample(rule: usize, series: usize, value: f64) -> TimeSeries {
    let (metric, instance) = (format!("bench_{rule}"), format!("host-{series}"));
    let labels = [("__name__", metric.as_str()), ("instance", instance.as_str()), ("job", "bench")];
    TimeSeries::one(&labels, value, (now_s() * 1_000.0) as i64)
}

async fn write_all(peer: &Peer) -> anyhow::Result<()> {
    for rule in 0..RULES {
        peer.write(body((0..SERIES_PER_RULE).map(|series| sample(rule, series, 1.0)).collect())?).await?;
    }
    Ok(())
}

/// Lets every rule fire and resolve once, which nobody measures, and says what the store calls them.
async fn learn(peer: &Peer, store: &mut SqliteConnection) -> anyhow::Result<Vec<String>> {
    for rule in 0..RULES {
        peer.write(body(vec![sample(rule, 0, 1_000.0)])?).await?;
    }
    let mut names = Vec::new();
    for rule in 0..RULES {
        let begun = Instant::now();
        let name = loop {
            let row = sqlx::query("SELECT rule FROM alerts WHERE rule LIKE $1 LIMIT 1")
                .bind(format!("%/Bench{rule}#%"))
                .fetch_optional(&mut *store)
                .await?;
            if let Some(row) = row {
                break row.try_get::<String, _>(0)?;
            }
            anyhow::ensure!(begun.elapsed() < PATIENCE, "Bench{rule} does not fire");
        };
        flip(peer, store, rule, &name, false).await?;
        names.push(name);
    }
    Ok(names)
}

/// Sends the sample that makes the rule fire or resolve, and says how long it took until its alert stood so in the store.
async fn flip(
    peer: &Peer,
    store: &mut SqliteConnection,
    rule: usize,
    name: &str,
    fires: bool,
) -> anyhow::Result<Duration> {
    // It takes less than a millisecond, and a series has one sample in each.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let body = body(vec![sample(rule, 0, if fires { 1_000.0 } else { 1.0 })])?;
    let begun = Instant::now();
    let seen = async {
        while living(store, name).await? != i64::from(fires) {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{name} fires: {} instead of {fires}", !fires);
        }
        anyhow::Ok(begun.elapsed())
    };
    let (seen, written) = tokio::join!(seen, peer.write(body));
    written?;
    seen
}

/// Firing alerts of a rule; an index has the living ones.
async fn living(store: &mut SqliteConnection, name: &str) -> anyhow::Result<i64> {
    let row = sqlx::query(
        "SELECT count(*) FROM alerts WHERE rule = $1 AND state <> 'resolved' AND state = 'firing'",
    )
    .bind(name)
    .fetch_one(store)
    .await?;
    Ok(row.try_get(0)?)
}
