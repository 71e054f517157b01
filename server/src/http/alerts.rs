use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{Alert, AlertsView, Page, Timestamp};

use super::caller::Viewer;
use super::error::{ApiError, ApiResult};
use super::paging::{Params, Window, page};
use crate::{App, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/alerts", get(now)).route("/alerts/history", get(history))
}

/// What fires, since when, and whether every rule works. Answers from memory.
#[utoipa::path(get, path = "/api/alerts", responses((status = 200, body = AlertsView)))]
pub(super) async fn now(_: Viewer, State(app): State<Arc<App>>) -> Json<AlertsView> {
    Json(app.alerts_view())
}

/// Resolved alerts, newest first.
#[utoipa::path(get, path = "/api/alerts/history", params(Window), responses((status = 200, body = Page<Alert>)))]
pub(super) async fn history(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<Alert>>> {
    let limit = window.limit();
    let before = window.before.as_deref().map(read_key).transpose()?;
    let mut db = app.store.connection().await?;
    let alerts = store::alerts::history(&mut db, before, limit + 1).await?;
    let key = |it: &Alert| format!("{}-{}", it.resolved_at.map_or(0, |at| at.0), it.id);
    Ok(Json(page(alerts, limit, key)))
}

fn read_key(key: &str) -> ApiResult<(Timestamp, &str)> {
    let (time, id) = key
        .split_once('-')
        .and_then(|(time, id)| Some((time.parse().ok()?, id)))
        .ok_or_else(|| ApiError::BadRequest("before must be the `next` of a page".to_owned()))?;
    Ok((Timestamp(time), id))
}
