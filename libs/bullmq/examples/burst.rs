//! A worker of jobs that do nothing and that others add: URL QUEUE JOBS [CONCURRENCY].
//!
//! Prints jobs a second, own CPU time a job, resident memory, and, for jobs with a time `t` in their data, how long each took from
//! being added to being run. `benches/queue.sh` runs it beside npm's workers, with a backlog and with bursts.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;
use ops_bullmq::{Client, DEFAULT_PREFIX, JobError, Queue, State, Worker};
use serde_json::{Value, json};
use tokio::sync::Notify;

fn main() -> anyhow::Result<()> {
    // One thread is enough for jobs that only wait, and leaves the rest of the machine to others.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("the url")?;
    let name = arguments.next().context("the queue")?;
    let jobs: usize = arguments.next().context("how many jobs")?.parse()?;
    let concurrency: usize = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let client = Client::connect(&url, DEFAULT_PREFIX).await?;
    let queue = Queue::new(&client, &name)?;
    let waits: Arc<Mutex<Vec<f64>>> = Arc::default();
    let all = Arc::new(Notify::new());
    let (noted, last) = (waits.clone(), all.clone());
    let (cpu, began) = (cpu_ms()?, Instant::now());
    let worker = Worker::builder(&client, &name).concurrency(concurrency).run(move |job| {
        let wait = job.data["t"].as_f64().map_or(-1.0, |added| now_ms() - added);
        if let Ok(mut waits) = noted.lock() {
            waits.push(wait);
            if waits.len() == jobs {
                last.notify_one();
            }
        }
        async { Ok::<_, JobError>(Value::Null) }
    })?;
    writeln!(std::io::stdout(), "{}", json!({ "ready": true }))?;
    all.notified().await;
    while queue.size(State::Active).await? > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_ms()? - cpu);
    worker.close(Duration::from_secs(5)).await;
    let mut waits = waits.lock().map(|waits| waits.clone()).unwrap_or_default();
    waits.sort_by(f64::total_cmp);
    let at = |part: f64| waits.get(((waits.len() - 1) as f64 * part) as usize).map(|wait| round(*wait));
    let result = json!({
        "runtime": "ours",
        "jobs": waits.len(),
        "wall_s": round(took),
        "jobs_per_s": (waits.len() as f64 / took).round(),
        "cpu_ms_per_job": (cpu / waits.len() as f64 * 10_000.0).round() / 10_000.0,
        "rss_mib": round(resident_mib()?),
        "lat_ms": { "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0) },
    });
    writeln!(std::io::stdout(), "{result}")?;
    Ok(())
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn now_ms() -> f64 {
    jiff::Timestamp::now().as_nanosecond() as f64 / 1e6
}

/// The time that all threads of this process have run, which the kernel counts in ns.
fn cpu_ms() -> anyhow::Result<f64> {
    let mut total = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let ran = std::fs::read_to_string(task?.path().join("schedstat"))?;
        total += ran.split_whitespace().next().context("no time")?.parse::<f64>()? / 1e6;
    }
    Ok(total)
}

fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
}
