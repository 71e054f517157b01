//! Jobs that report in: who does not within its time is told of (`HeartbeatMissed`).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;

use super::caller::Writer;
use super::error::{ApiError, ApiResult};
use super::paging::At;
use crate::{App, clock, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/heartbeats/{name}", post(beat))
}

/// A job is done, or still there.
#[utoipa::path(post, path = "/api/heartbeats/{name}", params(("name" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn beat(
    _: Writer,
    State(app): State<Arc<App>>,
    At(name): At<String>,
) -> ApiResult<StatusCode> {
    if !app.stack.alerts.heartbeats.contains_key(&name) {
        let known: Vec<&str> = app.stack.alerts.heartbeats.keys().map(String::as_str).take(50).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let problem =
            format!("there is no heartbeat {name}; [alerts] heartbeats of the stack file has {known}");
        return Err(ApiError::NotFound(problem));
    }
    let now = clock::now();
    let mut db = app.store.connection().await?;
    store::heartbeats::put(&mut db, &name, now).await?;
    app.paging.heard(&name, now);
    app.measure.activate();
    Ok(StatusCode::NO_CONTENT)
}
