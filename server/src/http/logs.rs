use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::get;
use axum::{Json, Router};
use futures::stream::unfold;
use ops_contract::{LogChunk, LogSubscription, ReplicaId, ServiceName};
use tokio::sync::mpsc::Receiver;

use super::caller::Viewer;
use super::error::{ApiError, ApiResult};
use super::paging::{At, Params};
use super::services::spec;
use crate::App;

/// Longest wait for an agent to send what it has.
const WAIT: Duration = Duration::from_secs(10);
const USUAL_LINES: u32 = 200;
const MOST_LINES: u32 = 5_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/services/{name}/replicas/{slot}/logs", get(read))
}

/// Which part of a log.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// How many of the last lines; 200 unless told, 5,000 at most.
    lines: Option<u32>,
    /// Which start of the replica; absent: the latest.
    generation: Option<i64>,
    /// Whether new lines follow, as server-sent events.
    follow: Option<bool>,
}

/// Lines that a replica wrote; with `follow=true` as events `log`, each a `LogChunk`.
#[utoipa::path(get, path = "/api/services/{name}/replicas/{slot}/logs",
    params(("name" = String, Path), ("slot" = u16, Path), Part), responses((status = 200, body = LogChunk)))]
pub(super) async fn read(
    _: Viewer,
    State(app): State<Arc<App>>,
    At((name, slot)): At<(ServiceName, u16)>,
    Params(part): Params<Part>,
) -> ApiResult<Response> {
    spec(&app, &name)?;
    let state = app.state();
    let known = state.services.get(&name).and_then(|service| service.replicas.get(&slot));
    let agent = known.map(|replica| replica.agent.clone()).or_else(|| app.agent());
    let agent = agent.ok_or_else(|| {
        ApiError::Unavailable("no agent has reported, so nobody can read the log".to_owned())
    })?;
    let follow = part.follow.unwrap_or(false);
    let chunks = app.relay.subscribe(agent, |id| LogSubscription {
        id,
        replica: ReplicaId { service: name, slot },
        generation: part.generation,
        lines: part.lines.unwrap_or(USUAL_LINES).min(MOST_LINES),
        follow,
    });
    let chunks = chunks.ok_or_else(|| ApiError::Unavailable("too many logs are being read".to_owned()))?;
    app.work.notify_waiters();
    if follow {
        Ok(stream(app, chunks))
    } else {
        whole(chunks).await.map(|chunk| Json(chunk).into_response())
    }
}

/// Everything up to the log's end.
async fn whole(mut chunks: Receiver<LogChunk>) -> ApiResult<LogChunk> {
    let mut all = LogChunk { lines: Vec::new(), end: true, error: None };
    let read = async {
        while let Some(chunk) = chunks.recv().await {
            all.lines.extend(chunk.lines);
            all.error = chunk.error.or(all.error.take());
            if chunk.end {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(WAIT, read).await {
        Ok(true) => Ok(all),
        _ => Err(ApiError::Unavailable("the agent did not send the log in time".to_owned())),
    }
}

fn stream(app: Arc<App>, chunks: Receiver<LogChunk>) -> Response {
    let events = unfold((app, chunks, false), |(app, mut chunks, ended)| async move {
        if ended {
            return None;
        }
        let chunk = app.shutdown.run_until_cancelled(chunks.recv()).await??;
        let end = chunk.end;
        let event = Event::default().event("log").json_data(chunk).ok()?;
        Some((Ok::<_, Infallible>(event), (app, chunks, end)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
