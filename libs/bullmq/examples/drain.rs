//! Drains a backlog of jobs that do nothing, and prints jobs a second and CPU time a job: URL [JOBS] [CONCURRENCY].

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ops_bullmq::{Client, DEFAULT_PREFIX, JobError, JobOptions, NewJob, Queue, Worker};
use serde_json::{Value, json};
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned());
    let jobs: usize = arguments.next().map_or(Ok(20_000), |text| text.parse())?;
    let concurrency: usize = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let client = Client::connect(&url, DEFAULT_PREFIX).await?;
    let name = format!("drain-{}", std::process::id());
    let queue = Queue::new(&client, &name)?;
    let adding = Instant::now();
    let backlog = (0..jobs).map(|n| NewJob::new("nothing", json!({ "n": n }), JobOptions::default()));
    queue.add_bulk(backlog.collect::<Result<Vec<_>, _>>()?).await?;
    let added = adding.elapsed();

    let (left, done) = (Arc::new(AtomicUsize::new(jobs)), Arc::new(Notify::new()));
    let (count, finished) = (left, done.clone());
    let (cpu, began) = (cpu_seconds()?, Instant::now());
    let worker = Worker::builder(&client, &name).concurrency(concurrency).run(move |_| {
        if count.fetch_sub(1, Ordering::Relaxed) == 1 {
            finished.notify_one();
        }
        async { Ok::<_, JobError>(Value::Null) }
    })?;
    done.notified().await;
    worker.close(Duration::from_secs(5)).await;
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let result = json!({
        "jobs": jobs,
        "concurrency": concurrency,
        "added_per_s": (jobs as f64 / added.as_secs_f64()).round(),
        "jobs_per_s": (jobs as f64 / took).round(),
        "cpu_ms_per_job": cpu * 1000.0 / jobs as f64,
    });
    writeln!(std::io::stdout(), "{result}")?;
    Ok(())
}

/// User and system time of this process, in the kernel's ticks of 10 ms.
fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}
