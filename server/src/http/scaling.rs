use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{ScalingSignal, ScalingView, ServiceName};

use super::caller::Viewer;
use super::error::ApiResult;
use super::paging::At;
use super::services::unknown;
use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/scaling", get(list)).route("/scaling/{service}", get(one))
}

/// Every service of which there may be more than one: why this many?
#[utoipa::path(get, path = "/api/scaling", responses((status = 200, body = ScalingView)))]
pub(super) async fn list(_: Viewer, State(app): State<Arc<App>>) -> Json<ScalingView> {
    Json(app.scaling_view().await)
}

/// How many replicas a service should have, for any autoscaler. Where `state` is `unknown`, or after `valid_until`, keep
/// what runs and never scale down. Answers from memory.
#[utoipa::path(get, path = "/api/scaling/{service}", params(("service" = String, Path)),
    responses((status = 200, body = ScalingSignal), (status = 404)))]
pub(super) async fn one(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(service): At<ServiceName>,
) -> ApiResult<Json<ScalingSignal>> {
    app.scaling_signal(&service).map(Json).ok_or_else(|| unknown(&app, &service))
}
