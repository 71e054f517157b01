use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{NowView, Operator, SystemState};

use super::caller::Viewer;
use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/now", get(now)).route("/state", get(state)).route("/me", get(me))
}

/// What the first page shows. Answers from memory, whatever the store does.
#[utoipa::path(get, path = "/api/now", responses((status = 200, body = NowView)))]
pub(super) async fn now(_: Viewer, State(app): State<Arc<App>>) -> Json<NowView> {
    Json(app.now_view())
}

/// All that is known.
#[utoipa::path(get, path = "/api/state", responses((status = 200, body = SystemState)))]
pub(super) async fn state(_: Viewer, State(app): State<Arc<App>>) -> Json<SystemState> {
    Json(SystemState::clone(&app.state()))
}

/// Who asks.
#[utoipa::path(get, path = "/api/me", responses((status = 200, body = Operator)))]
pub(super) async fn me(Viewer(operator): Viewer) -> Json<Operator> {
    Json(operator)
}
