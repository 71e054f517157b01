use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use ops_contract::{ChangeKind, NowView};

use super::caller::Admin;
use super::error::ApiResult;
use super::services::replan;
use crate::{App, clock, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/stack/start", post(start)).route("/stack/stop", post(stop))
}

/// Has everything started. Failures so far no longer count.
#[utoipa::path(post, path = "/api/stack/start", responses((status = 202, body = NowView)))]
pub(super) async fn start(
    Admin(operator): Admin,
    State(app): State<Arc<App>>,
) -> ApiResult<(StatusCode, Json<NowView>)> {
    intend(&app, &operator.name, "running", "the stack is started").await
}

/// Has everything stopped, in order; data stores last.
#[utoipa::path(post, path = "/api/stack/stop", responses((status = 202, body = NowView)))]
pub(super) async fn stop(
    Admin(operator): Admin,
    State(app): State<Arc<App>>,
) -> ApiResult<(StatusCode, Json<NowView>)> {
    intend(&app, &operator.name, "stopped", "the stack is stopped").await
}

async fn intend(app: &App, by: &str, intent: &str, summary: &str) -> ApiResult<(StatusCode, Json<NowView>)> {
    let now = clock::now();
    let mut db = app.store.begin().await?;
    let before = store::meta::get(&mut db, store::meta::INTENT).await?;
    if before.as_deref().unwrap_or("running") != intent {
        let change = store::changes::new(ChangeKind::Stack, "stack", by, summary, now);
        store::meta::set(&mut db, store::meta::INTENT, intent).await?;
        store::changes::insert(&mut db, &change).await?;
        store::rolling::clear(&mut db).await?;
        store::actions::cancel_requested(&mut db, None, now).await?;
        if intent == "running" {
            store::slots::reset_all(&mut db).await?;
        }
        db.commit().await?;
        app.remember(&[change]);
        replan(app).await;
    }
    Ok((StatusCode::ACCEPTED, Json(app.now_view())))
}
