//! One worker a queue, with its concurrency and its rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ops_bullmq::{Job, JobError, Worker, WorkerHandle};
use ops_program::jobs;
use ops_telemetry::propagation;
use serde_json::Value;
use tokio::time::Instant;
use tracing::{Instrument, info_span};

use crate::app::App;
use crate::handlers;

/// How long one attempt may take. The lock is renewed meanwhile, so only this ends a job that hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Starts to take jobs.
pub(crate) fn start(app: &Arc<App>) -> anyhow::Result<Vec<WorkerHandle>> {
    jobs::QUEUES.into_iter().map(|queue| worker(app, queue)).collect()
}

fn worker(app: &Arc<App>, queue: &'static str) -> anyhow::Result<WorkerHandle> {
    let (concurrency, per_second) = match queue {
        jobs::SLA_CHECK | jobs::SLA_BREACHED => (10, Some(100)),
        jobs::NOTIFICATION => (20, Some(50)),
        jobs::EMAIL | jobs::ANALYTICS => (5, None),
        _ => (1, None),
    };
    let mut builder = Worker::builder(&app.client, queue).concurrency(concurrency).name(app.name.clone());
    if let Some(jobs) = per_second {
        builder = builder.limit(jobs, Duration::from_secs(1));
    }
    let app = app.clone();
    Ok(builder.run(move |job| {
        let app = app.clone();
        async move {
            let _in_progress = InProgress::begin(&app.in_progress);
            process(&app, queue, job).await
        }
    })?)
}

/// Counts a job for as long as it is worked on, however that ends.
struct InProgress(Arc<AtomicU64>);

impl InProgress {
    fn begin(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs one attempt inside the trace that the job came with.
async fn process(app: &App, queue: &'static str, job: Job) -> Result<Value, JobError> {
    let span = info_span!("process job", otel.kind = "consumer", queue.name = queue, job.id = %job.id, job.name = %job.name);
    if let Some(carrier) = &job.telemetry {
        propagation::set_parent(&span, propagation::from_job(carrier));
    }
    let started = Instant::now();
    let attempt =
        tokio::time::timeout(DEADLINE, handlers::run(app, queue, &job)).instrument(span.clone()).await;
    app.durations.record(queue, &job.name, started.elapsed());
    let error = match attempt {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(_) => JobError::retry("took too long"),
    };
    span.in_scope(
        || tracing::warn!(queue.name = queue, job.id = %job.id, error = error.message(), "a job failed"),
    );
    Err(error)
}
