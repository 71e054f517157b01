use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_contract::{
    JobState, MOST_JOBS, Operator, Page, QueueCommandRecord, QueueJob, QueueOperation, QueueOutcome,
};

use super::body::Body;
use super::caller::{Doer, Viewer};
use super::error::{ApiError, ApiResult};
use super::paging::{At, Params, Window, page};
use super::queue_ask::ask;
use super::queue_at::{QueueAt, expected, job_id};
use super::services::reason;
use crate::queue_commands::ALL;
use crate::{App, store};

const USUAL_JOBS: u32 = 25;
/// Jobs that may be passed over in a list.
const DEEPEST: u64 = 10_000_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/queues/{store}/{queue}/pause", post(pause))
        .route("/queues/{store}/{queue}/resume", post(resume))
        .route("/queues/{store}/{queue}/retry", post(retry))
        .route("/queues/{store}/{queue}/drain", post(drain))
        .route("/queues/{store}/{queue}/promote", post(promote))
        .route("/queues/{store}/{queue}/jobs", get(jobs))
        .route("/queues/{store}/{queue}/jobs/{id}", get(job))
        .route("/queues/{store}/{queue}/commands", get(list))
}

/// Why a queue is paused or resumed.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Why {
    /// Why, for the timeline.
    reason: Option<String>,
}

/// Which jobs are moved, and why.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Move {
    /// How many at most; absent: all.
    limit: Option<u64>,
    /// How many the caller was shown: refused when there are far more or far fewer by now.
    expect: Option<u64>,
    /// Why, for the timeline.
    reason: Option<String>,
}

/// Which jobs are removed, and why.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Remove {
    /// Those that are not due yet, too.
    #[serde(default)]
    delayed: bool,
    /// How many the caller was shown: refused when there are far more or far fewer by now.
    expect: Option<u64>,
    /// Why, for the timeline.
    reason: Option<String>,
}

/// Which jobs.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Jobs {
    /// In which state; failed unless told.
    state: Option<JobState>,
    /// The `next` of the page before.
    before: Option<String>,
    /// How many at most; 25 unless told, 100 at most.
    limit: Option<u32>,
}

/// Keeps workers from taking jobs. Running ones go on.
#[utoipa::path(post, path = "/api/queues/{store}/{queue}/pause", params(QueueAt), request_body = Why,
    responses((status = 200, body = QueueOutcome), (status = 404), (status = 409), (status = 504)))]
pub(super) async fn pause(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Body(why): Body<Why>,
) -> ApiResult<Json<QueueOutcome>> {
    act(&app, operator, at, QueueOperation::Pause, why.reason).await
}

/// Lets workers take jobs again.
#[utoipa::path(post, path = "/api/queues/{store}/{queue}/resume", params(QueueAt), request_body = Why,
    responses((status = 200, body = QueueOutcome), (status = 404), (status = 409), (status = 504)))]
pub(super) async fn resume(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Body(why): Body<Why>,
) -> ApiResult<Json<QueueOutcome>> {
    act(&app, operator, at, QueueOperation::Resume, why.reason).await
}

/// Puts failed jobs back in line.
#[utoipa::path(post, path = "/api/queues/{store}/{queue}/retry", params(QueueAt), request_body = Move,
    responses((status = 200, body = QueueOutcome), (status = 404), (status = 409), (status = 504)))]
pub(super) async fn retry(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Body(wanted): Body<Move>,
) -> ApiResult<Json<QueueOutcome>> {
    let operation = QueueOperation::RetryFailed { limit: limit(wanted.limit)? };
    expected(&app, &at, &operation, wanted.expect)?;
    act(&app, operator, at, operation, wanted.reason).await
}

/// Removes jobs that wait.
#[utoipa::path(post, path = "/api/queues/{store}/{queue}/drain", params(QueueAt), request_body = Remove,
    responses((status = 200, body = QueueOutcome), (status = 404), (status = 409), (status = 504)))]
pub(super) async fn drain(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Body(wanted): Body<Remove>,
) -> ApiResult<Json<QueueOutcome>> {
    let operation = QueueOperation::Drain { delayed: wanted.delayed };
    expected(&app, &at, &operation, wanted.expect)?;
    act(&app, operator, at, operation, wanted.reason).await
}

/// Lets delayed jobs run now.
#[utoipa::path(post, path = "/api/queues/{store}/{queue}/promote", params(QueueAt), request_body = Move,
    responses((status = 200, body = QueueOutcome), (status = 404), (status = 409), (status = 504)))]
pub(super) async fn promote(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Body(wanted): Body<Move>,
) -> ApiResult<Json<QueueOutcome>> {
    let operation = QueueOperation::PromoteDelayed { limit: limit(wanted.limit)? };
    expected(&app, &at, &operation, wanted.expect)?;
    act(&app, operator, at, operation, wanted.reason).await
}

/// Jobs of a state, newest first, without what they carry. A list moves while it is read: jobs may be missed or seen twice.
#[utoipa::path(get, path = "/api/queues/{store}/{queue}/jobs", params(QueueAt, Jobs),
    responses((status = 200, body = Page<QueueJob>), (status = 404), (status = 504)))]
pub(super) async fn jobs(
    Viewer(operator): Viewer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Params(wanted): Params<Jobs>,
) -> ApiResult<Json<Page<QueueJob>>> {
    let state = wanted.state.unwrap_or(JobState::Failed);
    if state == JobState::Unknown {
        return Err(ApiError::BadRequest("jobs of an unknown state cannot be listed".to_owned()));
    }
    let from: Option<u64> = wanted.before.as_deref().map(|before| before.parse().unwrap_or(u64::MAX));
    let from = from.unwrap_or(0);
    if from > DEEPEST {
        return Err(ApiError::BadRequest("`before` is not the `next` of a page".to_owned()));
    }
    let limit = wanted.limit.unwrap_or(USUAL_JOBS).clamp(1, MOST_JOBS);
    let operation = QueueOperation::ListJobs { state, from, limit };
    let outcome = ask(&app, operator, at, operation, "").await?;
    let next = from + outcome.jobs.len() as u64;
    Ok(Json(Page { next: outcome.more.then(|| next.to_string()), items: outcome.jobs }))
}

/// One job: how it went, its stack traces, and what it carries, redacted. Who looked is written down.
#[utoipa::path(get, path = "/api/queues/{store}/{queue}/jobs/{id}", params(QueueAt, ("id" = String, Path)),
    responses((status = 200, body = QueueJob), (status = 404), (status = 504)))]
pub(super) async fn job(
    Viewer(operator): Viewer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    At((_, _, id)): At<(String, String, String)>,
) -> ApiResult<Json<QueueJob>> {
    let job_id = job_id(id)?;
    let missing = ApiError::NotFound(format!("{} has no job {job_id}", at.queue));
    let outcome = ask(&app, operator, at, QueueOperation::LookAt { job_id }, "").await?;
    outcome.jobs.into_iter().next().map(Json).ok_or(missing)
}

/// Who asked what of a queue and what came of it, newest first.
#[utoipa::path(get, path = "/api/queues/{store}/{queue}/commands", params(QueueAt, Window),
    responses((status = 200, body = Page<QueueCommandRecord>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    at: QueueAt,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<QueueCommandRecord>>> {
    let mut db = app.store.connection().await?;
    let (before, limit) = (window.before.as_deref(), window.limit());
    let items = store::queue_commands::list(&mut db, &at.store, &at.queue, before, limit + 1).await?;
    Ok(Json(page(items, limit, |record| record.command.id.clone())))
}

async fn act(
    app: &App,
    operator: Operator,
    at: QueueAt,
    operation: QueueOperation,
    why: Option<String>,
) -> ApiResult<Json<QueueOutcome>> {
    ask(app, operator, at, operation, &reason(why)?).await.map(Json)
}

fn limit(limit: Option<u64>) -> ApiResult<u64> {
    match limit {
        Some(0) => Err(ApiError::Unprocessable("`limit` is 0: leave it out to take all".to_owned())),
        limit => Ok(limit.unwrap_or(ALL).min(ALL)),
    }
}
