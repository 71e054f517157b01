//! What server and agent cost while a stack runs: resident memory and CPU over a minute.
//!
//! `cargo run -p ops-benches --example footprint -- .insightdesk 60`
//!
//! The peer figures stand in the research (Prometheus, Alertmanager and four exporters together: 177 MiB, 0.8 % of a core).

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let state = arguments.next().unwrap_or_else(|| ".insightdesk".to_owned());
    let seconds: u64 = arguments
        .next()
        .map_or(Ok(60), |it| it.parse())
        .context("the second argument is a number of seconds")?;
    let up: Value = serde_json::from_slice(
        &std::fs::read(Path::new(&state).join("up.json")).context("is the stack up?")?,
    )?;
    let parts = ["server", "agent"].map(|name| (name, up[format!("{name}_pid")].as_u64().unwrap_or(0)));

    let before = parts.map(|(_, pid)| cpu_seconds(pid));
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let elapsed = started.elapsed().as_secs_f64();

    let mut total = (0.0, 0.0);
    for ((name, pid), before) in parts.into_iter().zip(before) {
        let cpu = (cpu_seconds(pid)? - before?) / elapsed * 100.0;
        let resident = resident_mib(pid)?;
        total = (total.0 + resident, total.1 + cpu);
        println!("{}", json!({ "part": name, "resident_mib": resident, "cpu_percent_of_a_core": cpu }));
    }
    println!("{}", json!({ "part": "both", "resident_mib": total.0, "cpu_percent_of_a_core": total.1 }));
    Ok(())
}

/// User and system time of a process so far.
fn cpu_seconds(pid: u64) -> anyhow::Result<f64> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

fn resident_mib(pid: u64) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
}
