use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use ops_telemetry::metrics_response;

use super::caller::Viewer;
use super::error::{ApiError, ApiResult};
use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// Whether the process answers. Open.
async fn alive() -> &'static str {
    "ok"
}

/// Whether the server can use its store. Open; says no more than that.
async fn ready(State(app): State<Arc<App>>) -> ApiResult<&'static str> {
    match app.store_fault() {
        None => Ok("ok"),
        Some(_) => Err(ApiError::Unavailable("the store cannot be used".to_owned())),
    }
}

async fn metrics(_: Viewer, State(app): State<Arc<App>>) -> Response {
    app.own.refresh(&app);
    metrics_response(&app.metrics)
}
