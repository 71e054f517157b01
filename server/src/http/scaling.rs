use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{Page, ScalingDecision, ScalingSignal, ScalingView, ServiceName};
use serde_json::value::RawValue;

use super::caller::Viewer;
use super::error::ApiResult;
use super::paging::{At, Params, Window, page};
use super::services::{spec, unknown};
use crate::{App, store};

/// Recordings in one answer: each is up to a minute of everything that was seen.
const RECORDINGS: u32 = 20;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/scaling", get(list))
        .route("/scaling/{service}", get(one))
        .route("/scaling/{service}/decisions", get(decisions))
        .route("/scaling/{service}/recordings", get(recordings))
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

/// Decisions on a service, newest first: those that changed its number, and those that held it for another reason.
#[utoipa::path(get, path = "/api/scaling/{service}/decisions", params(("service" = String, Path), Window),
    responses((status = 200, body = Page<ScalingDecision>), (status = 404)))]
pub(super) async fn decisions(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(service): At<ServiceName>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<ScalingDecision>>> {
    spec(&app, &service)?;
    let limit = window.limit();
    let mut db = app.store.connection().await?;
    let items = store::scaling::decisions(&mut db, &service, window.before.as_deref(), limit + 1).await?;
    Ok(Json(page(items, limit, |decision| decision.id.clone())))
}

/// From which recording on.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// The `next` of the page before; absent: from the oldest on.
    after: Option<String>,
}

/// All that decisions rested on, oldest first: what `insightdesk scale replay --recorded` decides again.
#[utoipa::path(get, path = "/api/scaling/{service}/recordings", params(("service" = String, Path), After),
    responses((status = 200, description = "a page of recordings"), (status = 404)))]
pub(super) async fn recordings(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(service): At<ServiceName>,
    Params(window): Params<After>,
) -> ApiResult<Json<Page<Box<RawValue>>>> {
    spec(&app, &service)?;
    let mut db = app.store.connection().await?;
    let after = window.after.unwrap_or_default();
    let mut rows = store::scaling::recordings(&mut db, &service, &after, RECORDINGS + 1).await?;
    let more = rows.len() > RECORDINGS as usize;
    rows.truncate(RECORDINGS as usize);
    let next = rows.last().filter(|_| more).map(|(id, _)| id.clone());
    let items = rows.into_iter().map(|(_, json)| RawValue::from_string(json)).collect::<Result<_, _>>();
    let items = items.map_err(|error| anyhow::anyhow!("a recording is not JSON: {error}"))?;
    Ok(Json(Page { items, next }))
}
