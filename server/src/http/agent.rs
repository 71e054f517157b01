//! What agents send and ask for. No person's token opens it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use ops_contract::{
    ActionReport, ActionStatus, AgentName, ChangeKind, Exit, Hello, Lease, LeaseRequest, LogChunk,
    QueueReply, Report, Signal, Welcome,
};
use tokio::time::Instant;

use super::body::Body;
use super::caller::Agent;
use super::error::{ApiError, ApiResult};
use super::paging::At;
use ops_engine::Intent;

use crate::{App, clock, queue_commands, store};

/// An exit carries up to 200 lines, a report many exits.
const REPORT: usize = 4 * 1024 * 1024;
const MOST_SIGNALS: usize = 1_000;
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(60);
/// How often the store is asked again without a word from the plan, which may be made by another server.
const ASK_AGAIN: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/hello", post(hello))
        .route("/signals", post(signals).layer(DefaultBodyLimit::max(REPORT)))
        .route("/lease", post(lease))
        .route("/actions/{id}", put(report))
        .route("/queue-commands/{id}", put(queue_command))
        .route("/logs/{id}", post(logs))
}

/// The first word of an agent.
#[utoipa::path(post, path = "/agent/hello", request_body = Hello, responses((status = 200, body = Welcome)))]
pub(super) async fn hello(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    Body(hello): Body<Hello>,
) -> ApiResult<Json<Welcome>> {
    tracing::info!(%agent, host = hello.host, pid = hello.pid, "agent says hello");
    app.greet(&agent);
    Ok(Json(Welcome { agent, stack: app.stack.clone() }))
}

/// What an agent saw, oldest first.
#[utoipa::path(post, path = "/agent/signals", request_body = Report, responses((status = 204)))]
pub(super) async fn signals(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    Body(report): Body<Report>,
) -> ApiResult<StatusCode> {
    if report.signals.len() > MOST_SIGNALS {
        return Err(ApiError::Unprocessable(format!("a report has at most {MOST_SIGNALS} signals")));
    }
    let exits: Vec<&Exit> = report
        .signals
        .iter()
        .filter_map(|signal| match signal {
            Signal::ReplicaExited(exit) => Some(exit),
            _ => None,
        })
        .collect();
    let kept = keep(&app, &agent, &exits).await;
    // What is seen now is shown even when the store is away; the agent tells the exits again until they are kept.
    app.observe(&agent, &report.signals);
    kept?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps the exits before they are planned on.
async fn keep(app: &App, agent: &AgentName, exits: &[&Exit]) -> ApiResult<()> {
    if exits.is_empty() {
        return Ok(());
    }
    let mut changes = Vec::new();
    let mut db = app.store.begin().await?;
    for exit in exits {
        if !store::exits::insert(&mut db, exit).await? {
            continue;
        }
        // What was asked for is on the timeline as a stop already.
        if exit.reason == ops_contract::ExitReason::Asked {
            continue;
        }
        let subject = exit.replica.to_string();
        let summary = format!("{subject} {}", exit.meaning);
        let change = store::changes::new(ChangeKind::Exit, subject, agent.to_string(), summary, clock::now());
        store::changes::insert(&mut db, &change).await?;
        changes.push(change);
    }
    db.commit().await?;
    app.remember(&changes);
    Ok(())
}

/// Asks for work and waits for it.
#[utoipa::path(post, path = "/agent/lease", request_body = LeaseRequest, responses((status = 200, body = Lease)))]
pub(super) async fn lease(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    Body(request): Body<LeaseRequest>,
) -> ApiResult<Json<Lease>> {
    let wait = Duration::from_millis(request.wait_ms).min(LONGEST_WAIT);
    let end = Instant::now() + wait;
    loop {
        // Registered before the store is read, so that a word in between is heard.
        let work = app.work.notified();
        tokio::pin!(work);
        work.as_mut().enable();
        let lease = take(&app, &agent, &request.session).await?;
        let now = Instant::now();
        let nothing = lease.actions.is_empty() && lease.logs.is_empty() && lease.queue_commands.is_empty();
        if !nothing || lease.stopping != request.stopping || now >= end {
            return Ok(Json(lease));
        }
        tokio::select! {
            () = &mut work => {}
            () = tokio::time::sleep_until(end.min(now + ASK_AGAIN)) => {}
            () = app.shutdown.cancelled() => return Ok(Json(Lease::default())),
        }
    }
}

async fn take(app: &App, agent: &AgentName, session: &str) -> ApiResult<Lease> {
    let now = clock::now();
    let mut db = app.store.connection().await?;
    let actions = store::actions::lease(&mut db, agent, session, now, now + LEASE).await?;
    for action in &actions {
        app.own.action(action.kind, ActionStatus::Leased);
    }
    let terms = queue_commands::terms(now);
    let queue_commands = store::queue_commands::lease(&mut db, agent, session, terms).await?;
    let logs = app.relay.hand_out(agent, session);
    Ok(Lease { actions, logs, queue_commands, stopping: app.intent() == Intent::Stopped })
}

/// How an action went.
#[utoipa::path(put, path = "/agent/actions/{id}", params(("id" = String, Path)), request_body = ActionReport,
    responses((status = 204), (status = 404), (status = 422)))]
pub(super) async fn report(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Body(report): Body<ActionReport>,
) -> ApiResult<StatusCode> {
    let now = clock::now();
    let mut db = app.store.connection().await?;
    let open = match report.status {
        ActionStatus::Leased => store::actions::extend(&mut db, &id, &agent, now + LEASE).await?,
        ActionStatus::Succeeded | ActionStatus::Failed => {
            let error = report.error.as_deref();
            let ended = store::actions::finish(&mut db, &id, &agent, report.status, error, now).await?;
            if let Some(action) = &ended {
                app.own.action(action.kind, report.status);
                app.plan.activate();
            }
            ended.is_some()
        }
        ActionStatus::Requested | ActionStatus::Cancelled => {
            return Err(ApiError::Unprocessable("an agent may say leased, succeeded or failed".to_owned()));
        }
    };
    // Said twice, or said of what is over: nothing is to be done about it.
    if open || store::actions::exists(&mut db, &id, &agent).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::NotFound(format!("there is no action {id}")))
}

/// How a command to a queue goes or went.
#[utoipa::path(put, path = "/agent/queue-commands/{id}", params(("id" = String, Path)), request_body = QueueReply,
    responses((status = 204), (status = 404)))]
pub(super) async fn queue_command(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Body(reply): Body<QueueReply>,
) -> ApiResult<StatusCode> {
    // Said twice, or said of what is over: nothing is to be done about it.
    if queue_commands::settle(&app, &agent, &id, reply).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::NotFound(format!("there is no queue command {id}")))
}

/// Lines that somebody wants to read.
#[utoipa::path(post, path = "/agent/logs/{id}", params(("id" = String, Path)), request_body = LogChunk,
    responses((status = 204), (status = 410)))]
pub(super) async fn logs(
    Agent(agent): Agent,
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Body(chunk): Body<LogChunk>,
) -> ApiResult<StatusCode> {
    if app.relay.pass(&agent, &id, chunk).await { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::Gone) }
}
