use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::Page;

use super::caller::Viewer;
use super::error::ApiResult;
use super::paging::{Params, Window, page};
use crate::store::decisions::Recorded;
use crate::{App, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/decisions", get(list))
}

/// Decisions with their reasons and inputs, newest first.
#[utoipa::path(get, path = "/api/decisions", params(Window), responses((status = 200, body = Page<Recorded>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<Recorded>>> {
    let mut db = app.store.connection().await?;
    let items = store::decisions::list(&mut db, window.before.as_deref(), window.limit() + 1).await?;
    Ok(Json(page(items, window.limit(), |decision| decision.id.clone())))
}
