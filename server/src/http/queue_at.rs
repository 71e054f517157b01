//! Which queue a request is about, and whether it still looks as the caller was shown.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ops_contract::{QueueOperation, QueueSample};
use ops_engine::STALE_AFTER;
use serde::Deserialize;

use super::error::{ApiError, ApiResult};
use super::paging::At;
use crate::{App, clock};

/// Longest name of a queue, and longest id of a job, in bytes.
const LONGEST: usize = 256;

/// A queue of a Valkey whose queues are watched.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct QueueAt {
    /// The Valkey: `valkey.main`.
    pub(super) store: String,
    /// The queue's name.
    pub(super) queue: String,
}

impl FromRequestParts<Arc<App>> for QueueAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let At(at) = At::<Self>::from_request_parts(parts, app).await?;
        let name = at.store.strip_prefix("valkey.").unwrap_or_default();
        match app.stack.valkey.get(name) {
            Some(spec) if spec.queues.is_some() => {}
            Some(_) => {
                return Err(ApiError::NotFound(format!(
                    "the queues of {} are not watched; the stack file says which are",
                    at.store
                )));
            }
            None => {
                let known: Vec<String> = app.stack.valkey.keys().map(|it| format!("valkey.{it}")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(ApiError::NotFound(format!(
                    "the stack has no such store of queues; it has {known}"
                )));
            }
        }
        check(&at.queue, "a queue's name")?;
        // What follows a colon is another key: a queue's own, or another queue's.
        if at.queue.contains(':') {
            return Err(ApiError::BadRequest("a queue's name has no colon".to_owned()));
        }
        Ok(at)
    }
}

/// The id of a job, if it can be one.
pub(super) fn job_id(id: String) -> ApiResult<String> {
    check(&id, "a job's id").map(|()| id)
}

fn check(name: &str, what: &str) -> ApiResult<()> {
    if name.is_empty() || name.len() > LONGEST {
        return Err(ApiError::BadRequest(format!("{what} has 1 to {LONGEST} bytes")));
    }
    // Dots alone are steps of a path to some clients, and reach another address than was meant.
    if name.chars().any(char::is_control) || name == "." || name == ".." {
        return Err(ApiError::BadRequest(format!("{what} has no control characters and is not . or ..")));
    }
    Ok(())
}

/// Refuses to act on far more or far fewer jobs than the caller was shown.
pub(super) fn expected(
    app: &App,
    at: &QueueAt,
    operation: &QueueOperation,
    shown: Option<u64>,
) -> ApiResult<()> {
    let Some(shown) = shown else { return Ok(()) };
    let state = app.state();
    let seen = state.queues.get(&at.store);
    let seen = seen.filter(|it| it.fault.is_none() && clock::now().since(it.seen_at) < STALE_AFTER);
    let Some(last) = seen.and_then(|it| it.last.as_ref()) else {
        return Err(ApiError::Unavailable(format!(
            "how many jobs there are cannot be told now: {} has not been read lately; leave `expect` out to go on without",
            at.store
        )));
    };
    let now = last.queues.get(&at.queue).map_or(0, |sample| touched(sample, operation));
    if now.abs_diff(shown) <= shown / 10 + 10 {
        return Ok(());
    }
    Err(ApiError::Conflict(format!(
        "{} has {now} such jobs by now, not {shown}; look again, and ask with `expect` {now} to go on",
        at.queue
    )))
}

/// How many jobs an operation would touch.
fn touched(sample: &QueueSample, operation: &QueueOperation) -> u64 {
    match operation {
        QueueOperation::RetryFailed { .. } => sample.failed,
        QueueOperation::Drain { delayed: false } => sample.waiting + sample.prioritized,
        QueueOperation::Drain { delayed: true } => sample.waiting + sample.prioritized + sample.delayed,
        QueueOperation::PromoteDelayed { .. } => sample.delayed,
        QueueOperation::Pause
        | QueueOperation::Resume
        | QueueOperation::ListJobs { .. }
        | QueueOperation::LookAt { .. } => 0,
    }
}
