use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::QueuesView;

use super::caller::Viewer;
use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/queues", get(list))
}

/// Every queue, the worst first: will users notice, and will it clear? Answers from memory.
#[utoipa::path(get, path = "/api/queues", responses((status = 200, body = QueuesView)))]
pub(super) async fn list(_: Viewer, State(app): State<Arc<App>>) -> Json<QueuesView> {
    Json(app.queues_view())
}
