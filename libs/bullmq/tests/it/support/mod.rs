//! A server of one's own per test, a real npm `bullmq`, and a handler that does what the job's data says.

mod npm;
mod server;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use ops_bullmq::{Client, DEFAULT_PREFIX, Job, JobError, JobOptions, NewJob, Worker, WorkerBuilder};
use serde_json::{Value, json};

pub(crate) use npm::Npm;
pub(crate) use server::Server;

/// Waits until the question has an answer, and fails with what was asked for when it takes too long.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "did not happen in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn client(server: &Server) -> Client {
    Client::connect(&server.url(), DEFAULT_PREFIX).await.expect("the server was just started")
}

pub(crate) fn job(name: &str, data: Value, options: JobOptions) -> NewJob {
    NewJob::new(name, data, options).expect("json is json")
}

/// One run of a job by our worker.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) queue: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) attempts_made: u32,
    pub(crate) at: i64,
    pub(crate) data: Value,
    pub(crate) telemetry: Option<String>,
}

pub(crate) type Runs = Arc<Mutex<Vec<Run>>>;

/// A builder and the handler to run with it; the handler keeps a list of its runs.
pub(crate) fn worker(client: &Client, queue: &str) -> (WorkerBuilder, Runs) {
    (Worker::builder(client, queue).concurrency(4), Runs::default())
}

/// Does what the job's data says, as the handler in `bullmq.mjs` does.
pub(crate) async fn obey(runs: Runs, job: Job) -> Result<Value, JobError> {
    runs.lock().expect("no test panics with it").push(Run {
        queue: job.queue.clone(),
        id: job.id.clone(),
        name: job.name.clone(),
        attempts_made: job.attempts_made,
        at: jiff::Timestamp::now().as_millisecond(),
        data: job.data.clone(),
        telemetry: job.telemetry.clone(),
    });
    for line in job.data.get("lines").and_then(Value::as_array).into_iter().flatten() {
        job.log(line.as_str().unwrap_or_default()).await?;
    }
    if job.data.get("never").is_some() {
        return Err(JobError::unrecoverable("never"));
    }
    if job.attempts_started == 1 {
        step_aside(&job).await?;
    }
    if let Some(progress) = job.data.get("progress") {
        job.update_progress(progress.clone()).await?;
    }
    if let Some(pause) = job.data.get("sleep_ms").and_then(Value::as_u64) {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    if job.data.get("panic").is_some() {
        panic!("told to panic");
    }
    if job.data.get("fail_times").and_then(Value::as_u64).unwrap_or(0) > u64::from(job.attempts_made) {
        return Err(JobError::Retry(format!("told to fail {}", job.attempts_made)));
    }
    if job.data.get("report").is_some() {
        let values = job.children_values().await?;
        let mut children: Vec<i64> =
            values.values().filter_map(|value| value["data"]["n"].as_i64()).collect();
        children.sort_unstable();
        let failures: Vec<String> = job.child_failures().await?.into_values().collect();
        return Ok(json!({ "by": "ours", "children": children, "failures": failures }));
    }
    Ok(json!({ "by": "ours", "data": job.data }))
}

/// The ways of a first attempt to end without success or failure.
async fn step_aside(job: &Job) -> Result<(), JobError> {
    let millis = |name: &str| job.data.get(name).and_then(Value::as_u64).map(Duration::from_millis);
    if let Some(wait) = millis("put_off_ms") {
        return Err(JobError::Delay(wait));
    }
    if let Some(wait) = millis("hold_ms") {
        return Err(JobError::RateLimited(wait));
    }
    if let Some(queue) = job.data.get("late_child").and_then(Value::as_str) {
        // Not done before its parent has made up its mind to wait.
        let delay = Some(Duration::from_millis(200));
        let options = JobOptions { parent: Some(job.as_parent()), delay, ..JobOptions::default() };
        job.sibling_queue(queue)?.add("late", json!({}), options).await?;
        return Err(JobError::WaitForChildren);
    }
    Ok(())
}

pub(crate) fn of(runs: &Runs, id: &str) -> Vec<Run> {
    runs.lock().expect("no test panics with it").iter().filter(|run| run.id == id).cloned().collect()
}

/// The waits between the runs of one job, in ms.
pub(crate) fn waits(at: &[i64]) -> Vec<i64> {
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}
