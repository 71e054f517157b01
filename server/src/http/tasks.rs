use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::caller::Viewer;
use super::error::{ApiError, ApiResult};
use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/tasks", get(list))
}

/// What the server's own tasks did last, by name.
#[utoipa::path(get, path = "/api/tasks", responses((status = 200, body = Object)))]
pub(super) async fn list(_: Viewer, State(app): State<Arc<App>>) -> ApiResult<Json<serde_json::Value>> {
    let statuses = serde_json::to_value(app.supervisor.statuses());
    statuses.map(Json).map_err(|error| ApiError::Internal(error.into()))
}
