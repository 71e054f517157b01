//! One file per kind of job. To add one: a file, an arm in [`run`].

mod count;
mod email;
mod housekeeping;
mod notify;
mod sla;

use ops_bullmq::{Job, JobError};
use ops_program::jobs;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;

/// Runs one attempt of a job.
pub(crate) async fn run(app: &App, queue: &str, job: &Job) -> Result<Value, JobError> {
    match queue {
        jobs::NOTIFICATION => notify::run(app, &job.id, data(job)?).await.map_err(retry),
        jobs::SLA_CHECK => sla::check(app, &job.id, data(job)?).await.map_err(retry),
        jobs::SLA_BREACHED => sla::breached(app, &job.id, data(job)?).await.map_err(retry),
        jobs::EMAIL => email::run(app, &job.id, data(job)?).await,
        jobs::SCHEDULED => housekeeping::run(app, &job.id, &job.name).await.map_err(retry),
        jobs::ANALYTICS => count::run(app, &job.id, data(job)?).await.map_err(retry),
        _ => Err(JobError::unrecoverable("nobody knows this queue")),
    }
}

/// Data of another shape will not be of the right one next time.
fn data<T: DeserializeOwned>(job: &Job) -> Result<T, JobError> {
    job.data_as().map_err(|error| JobError::unrecoverable(format!("{:#}", anyhow::Error::from(error))))
}

fn retry(error: anyhow::Error) -> JobError {
    JobError::retry(format!("{error:#}"))
}
