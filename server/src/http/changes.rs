use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use ops_contract::{Change, Page};

use super::caller::Viewer;
use super::error::ApiResult;
use super::paging::{Params, Window, page};
use crate::{App, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/changes", get(list))
}

/// Whose changes.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct About {
    /// A service (its replicas are taken in), a replica such as `api/0`, a data store, or `stack`.
    subject: Option<String>,
}

/// What changed, newest first.
#[utoipa::path(get, path = "/api/changes", params(Window, About), responses((status = 200, body = Page<Change>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
    Params(about): Params<About>,
) -> ApiResult<Json<Page<Change>>> {
    let mut db = app.store.connection().await?;
    let (before, subject) = (window.before.as_deref(), about.subject.as_deref());
    let items = store::changes::list(&mut db, before, subject, window.limit() + 1).await?;
    Ok(Json(page(items, window.limit(), |change| change.id.clone())))
}
