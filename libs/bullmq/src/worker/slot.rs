//! One slot of a worker: runs a job, ends it, and goes on with the job that the ending brought.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use serde_json::Value;

use super::{
    Running, Shared,
    calls::{Ended, Ending, Taken},
};
use crate::{BackoffKind, Error, Job, JobError};

/// The longest reason and stack text that are kept.
const LONGEST_TEXT: usize = 16 * 1024;
/// How often an error of the server itself (out of memory, say) is waited out; one of the connection always is.
const MOST_REFUSALS: u32 = 8;
/// The scripts' codes for a job that cannot end because its children have not, or have failed.
const PENDING: i64 = -4;
const FAILED: i64 = -9;

/// Runs jobs until none follows.
pub(super) async fn run(shared: Arc<Shared>, first: Box<Taken>) {
    let mut next = Some(first);
    while let Some(taken) = next {
        let running = Running { token: taken.token.clone(), name: taken.job.name.clone() };
        shared.running().insert(taken.job.id.clone(), running);
        let outcome = outcome(&shared, &taken).await;
        next = end(&shared, &taken, outcome).await;
        shared.running().remove(&taken.job.id);
    }
}

async fn outcome(shared: &Shared, taken: &Taken) -> Result<Value, JobError> {
    let job = &taken.job;
    if let Err(error) = shared.queue.make_next_iteration(job).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(
            queue.name = shared.queue.name(),
            job.id,
            error,
            "a scheduler's next job could not be made"
        );
    }
    if let Some(reason) = taken.fault.or(job.deferred_failure.as_deref()) {
        return Err(JobError::unrecoverable(reason));
    }
    // The call itself may panic as well as the future it returns.
    let handled = AssertUnwindSafe(async { (shared.handler)(job.clone()).await }).catch_unwind().await;
    handled.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(JobError::retry(format!("the handler panicked: {text}")))
    })
}

/// Ends the job as its handler said, or as failed when its children stand against that.
async fn end(shared: &Shared, taken: &Taken, outcome: Result<Value, JobError>) -> Option<Box<Taken>> {
    let reason = match record(shared, taken, outcome).await {
        Recorded::Next(following) => return following,
        Recorded::Children(PENDING) => format!("job {} has pending children", taken.job.id),
        Recorded::Children(_) => format!("job {} has failed children", taken.job.id),
    };
    match record(shared, taken, Err(JobError::retry(reason))).await {
        Recorded::Next(following) => following,
        Recorded::Children(_) => None,
    }
}

enum Recorded {
    Next(Option<Box<Taken>>),
    /// The script's code for what is wrong with the children.
    Children(i64),
}

/// Tells the server how the job ended, as often as it takes.
async fn record(shared: &Shared, taken: &Taken, outcome: Result<Value, JobError>) -> Recorded {
    let job = &taken.job;
    let (value, reason, stack);
    let ending = match &outcome {
        Ok(returned) => {
            value = returned.to_string();
            Ending::Completed { value: &value }
        }
        Err(JobError::Delay(wait)) => Ending::PutOff { wait: (*wait).max(Duration::from_millis(1)) },
        Err(JobError::RateLimited(wait)) => Ending::Limited { wait: *wait },
        Err(JobError::WaitForChildren) => Ending::WaitForChildren,
        Err(error) => {
            reason = shortened(error.message());
            stack = stack_trace(job, error);
            tracing::debug!(queue.name = shared.queue.name(), job.id, reason, "an attempt failed");
            match wait_before_retry(shared, job, error) {
                Some(wait) => Ending::Retry { reason: &reason, stack: &stack, wait },
                None => Ending::Failed { reason: &reason, stack: &stack },
            }
        }
    };
    let next = shared.new_token();
    let mut pause = Duration::from_millis(50);
    let (mut unsure, mut tries) = (false, 0);
    loop {
        let error = match shared.end(taken, &ending, &next).await {
            Ok(Ended::Next(following)) => return Recorded::Next(following),
            // The first call did its work and only its answer was lost.
            Ok(Ended::Refused(_)) if unsure => match shared.reclaim(&next).await {
                Ok(following) => return Recorded::Next(following),
                Err(error) => error,
            },
            Ok(Ended::Refused(code @ (PENDING | FAILED))) => return Recorded::Children(code),
            Ok(Ended::Refused(code)) => {
                tracing::warn!(
                    queue.name = shared.queue.name(),
                    job.id,
                    code,
                    "a job that ended was not ours any more"
                );
                return Recorded::Next(None);
            }
            Err(error) => error,
        };
        tries += 1;
        if !error.is_connection() && tries >= MOST_REFUSALS {
            log(shared, job, &error, "the end of a job could not be recorded, it will stall");
            return Recorded::Next(None);
        }
        if tries == 1 {
            log(shared, job, &error, "the end of a job could not be recorded yet");
        }
        unsure |= error.is_connection();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

/// How long to wait before the next attempt; nothing when there is none.
fn wait_before_retry(shared: &Shared, job: &Job, error: &JobError) -> Option<Duration> {
    let attempt = job.attempts_made + 1;
    if !error.is_retry() || attempt >= job.opts.attempts.unwrap_or(1) {
        return None;
    }
    let Some(backoff) = &job.opts.backoff else { return Some(Duration::ZERO) };
    match (&backoff.kind, &shared.settings.strategy) {
        (BackoffKind::Custom(name), Some(strategy)) => strategy.wait(attempt, name, error, job),
        _ => Some(backoff.wait(attempt, rand::random())),
    }
}

fn stack_trace(job: &Job, error: &JobError) -> String {
    let mut stacks = job.stack_trace.clone();
    stacks.push(shortened(&error.stack()));
    let keep = job.opts.stack_trace_limit.map_or(usize::MAX, |limit| limit as usize);
    let over = stacks.len().saturating_sub(keep);
    stacks.drain(..over);
    Value::from(stacks).to_string()
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn log(shared: &Shared, job: &Job, error: &Error, message: &'static str) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(queue.name = shared.queue.name(), job.id, error, "{message}");
}
