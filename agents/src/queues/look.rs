//! Looks at jobs. Nothing leaves here that has not been through the [`Redactor`].

use ops_bullmq::{Error, Job, Listed, Order, Queue, State};
use ops_contract::{JobState, MOST_JOBS, QueueJob, QueueOutcome, Timestamp};
use serde_json::Value;

use super::redact::Redactor;

/// Longest field of a job that is read, in bytes.
const LONGEST_FIELD: u64 = 256 * 1024;
/// Most characters of a name, of a reason in a list and of a job, and of one stack trace.
const NAME: usize = 200;
const REASON_IN_LIST: usize = 300;
const REASON: usize = 1_000;
const TRACE: usize = 4_000;
/// Most stack traces, the newest.
const TRACES: usize = 5;

/// A page of the jobs of a state.
pub(super) async fn list(
    redactor: &Redactor,
    queue: &Queue,
    state: JobState,
    from: u64,
    limit: u32,
) -> Result<QueueOutcome, Error> {
    let Some(key) = stands_in(queue, state).await? else { return Ok(QueueOutcome::default()) };
    let limit = u64::from(limit.clamp(1, MOST_JOBS));
    let page = queue.page(key, from, limit, Order::NewestFirst).await?;
    let more = from + limit < page.total;
    // A job may go between the line and its reading; then its id is all there is.
    let jobs = page.jobs.into_iter().map(|job| listed(redactor, state, job)).collect();
    Ok(QueueOutcome { done: 0, jobs, more })
}

/// One job; nothing when it is not there.
pub(super) async fn one(redactor: &Redactor, queue: &Queue, id: &str) -> Result<Option<QueueOutcome>, Error> {
    let Some((job, left_out)) = queue.job_within(id, LONGEST_FIELD).await? else { return Ok(None) };
    let state = queue.state(id).await?.map_or(JobState::Unknown, in_contract);
    let job = whole(redactor, state, &job, &left_out);
    Ok(Some(QueueOutcome { done: 0, jobs: vec![job], more: false }))
}

fn listed(redactor: &Redactor, state: JobState, job: Listed) -> QueueJob {
    let opts: Value = serde_json::from_str(&job.opts).unwrap_or_default();
    let reason = Some(job.failed_reason).filter(|it| !it.is_empty());
    QueueJob {
        id: redactor.text(&job.id, NAME),
        name: redactor.text(&job.name, NAME),
        state,
        attempts_made: job.attempts_made,
        attempts: opts["attempts"].as_u64().and_then(|it| it.try_into().ok()),
        added_at: job.timestamp.map(moment),
        started_at: job.processed_on.map(moment),
        finished_at: job.finished_on.map(moment),
        failed_reason: reason.map(|it| redactor.text(&it, REASON_IN_LIST)),
        stack: Vec::new(),
        data: None,
    }
}

fn whole(redactor: &Redactor, state: JobState, job: &Job, left_out: &[&str]) -> QueueJob {
    let too_long = |field: &str| left_out.contains(&field);
    let long = || format!("‹longer than {LONGEST_FIELD} bytes›");
    let traces = &job.stack_trace[job.stack_trace.len().saturating_sub(TRACES)..];
    let mut stack: Vec<String> = traces.iter().map(|it| redactor.text(it, TRACE)).collect();
    if too_long("stacktrace") {
        stack.push(long());
    }
    let reason = job.failed_reason.as_ref().map(|it| redactor.text(it, REASON));
    QueueJob {
        id: redactor.text(&job.id, NAME),
        name: redactor.text(&job.name, NAME),
        state,
        attempts_made: job.attempts_made,
        attempts: job.opts.attempts,
        added_at: Some(moment(job.timestamp)),
        started_at: job.processed_on.map(moment),
        finished_at: job.finished_on.map(moment),
        failed_reason: if too_long("failedReason") { Some(long()) } else { reason },
        stack,
        data: Some(if too_long("data") { Value::from(long()).to_string() } else { redactor.data(&job.data) }),
    }
}

/// Where jobs of a state are. A paused queue keeps its line elsewhere.
async fn stands_in(queue: &Queue, state: JobState) -> Result<Option<State>, Error> {
    Ok(Some(match state {
        JobState::Waiting if queue.is_paused().await? => State::Paused,
        JobState::Waiting => State::Waiting,
        JobState::Prioritized => State::Prioritized,
        JobState::Active => State::Active,
        JobState::Delayed => State::Delayed,
        JobState::WaitingChildren => State::WaitingChildren,
        JobState::Completed => State::Completed,
        JobState::Failed => State::Failed,
        JobState::Unknown => return Ok(None),
    }))
}

fn in_contract(state: State) -> JobState {
    match state {
        State::Waiting | State::Paused => JobState::Waiting,
        State::Prioritized => JobState::Prioritized,
        State::Active => JobState::Active,
        State::Delayed => JobState::Delayed,
        State::WaitingChildren => JobState::WaitingChildren,
        State::Completed => JobState::Completed,
        State::Failed => JobState::Failed,
    }
}

fn moment(ms: i64) -> Timestamp {
    Timestamp(ms.saturating_mul(1_000))
}
