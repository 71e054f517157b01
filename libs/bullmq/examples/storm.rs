//! A worker in a process of its own, to be killed at any moment: URL QUEUE CONCURRENCY LOCK_MS STALLED_MS. Prints {ready}.
//!
//! Every run is noted in the server before anything else happens; tests/node/bull_storm.mjs does the same with npm's worker.

use std::{io::Write, time::Duration};

use anyhow::Context;
use ops_bullmq::{Client, DEFAULT_PREFIX, Job, JobError, Worker};
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name: &'static str| arguments.next().context(name);
    let (url, queue) = (argument("the url")?, argument("the queue")?);
    let concurrency = argument("the concurrency")?.parse()?;
    let lock = Duration::from_millis(argument("the lock's duration")?.parse()?);
    let stalled = Duration::from_millis(argument("the interval")?.parse()?);
    let notes = redis::Client::open(url.replacen("valkey:", "redis:", 1))?;
    let notes = notes.get_multiplexed_async_connection().await?;
    let client = Client::connect(&url, DEFAULT_PREFIX).await?;
    let worker = Worker::builder(&client, &queue)
        .concurrency(concurrency)
        .lock_duration(lock)
        .stalled_interval(stalled)
        .max_stalled(1000)
        .run(move |job| obey(notes.clone(), job))?;
    writeln!(std::io::stdout(), "{}", json!({ "ready": true }))?;
    std::future::pending::<()>().await;
    drop(worker);
    Ok(())
}

async fn obey(mut notes: MultiplexedConnection, job: Job) -> Result<Value, JobError> {
    let note = format!("ours {} {}", job.id, job.attempts_made);
    redis::cmd("RPUSH").arg(format!("{}-runs", job.queue)).arg(note).exec_async(&mut notes).await?;
    if let Some(pause) = job.data["sleep_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    if job.data["never"] == true {
        return Err(JobError::unrecoverable("never"));
    }
    if job.data["fail_times"].as_u64().unwrap_or(0) > u64::from(job.attempts_made) {
        return Err(JobError::retry(format!("told to fail {}", job.attempts_made)));
    }
    if job.data["report"] == true {
        return Ok(json!({ "children": job.children_values().await?.len() }));
    }
    Ok(json!({}))
}
