use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{Action, Page};

use super::caller::Viewer;
use super::error::ApiResult;
use super::paging::{Params, Window, page};
use crate::{App, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/actions", get(list))
}

/// Actions, newest first.
#[utoipa::path(get, path = "/api/actions", params(Window), responses((status = 200, body = Page<Action>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<Action>>> {
    let mut db = app.store.connection().await?;
    let items = store::actions::list(&mut db, window.before.as_deref(), window.limit() + 1).await?;
    Ok(Json(page(items, window.limit(), |action| action.id.clone())))
}
