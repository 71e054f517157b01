use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::audit::{Ask as Entries, look};
use super::caller::{Doer, Remote, Viewer};
use super::error::{ApiError, ApiResult};
use super::incidents::read_key;
use super::paging::{At, Params, Window};
use crate::{App, auth, paging};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(now))
        .route("/queues", get(queues))
        .route("/scaling", get(scaling))
        .route("/alerts", get(alerts))
        .route("/explore", get(explore))
        .route("/incidents", get(incidents))
        .route("/incidents/{id}", get(incident))
        .route("/notifications", get(notifications))
        .route("/audit", get(audit))
        .route("/secrets", get(secrets))
}

async fn now(_: Viewer, State(app): State<Arc<App>>) -> Response {
    let nonce = auth::random();
    html(ops_dashboard::now_page(&app.now_view(), &nonce), &nonce)
}

async fn queues(_: Viewer, State(app): State<Arc<App>>) -> Response {
    let nonce = auth::random();
    html(ops_dashboard::queues_page(&app.queues_view(), &nonce), &nonce)
}

async fn scaling(_: Viewer, State(app): State<Arc<App>>) -> Response {
    let nonce = auth::random();
    html(ops_dashboard::scaling_page(&app.scaling_view().await, &nonce), &nonce)
}

async fn alerts(_: Viewer, State(app): State<Arc<App>>) -> Response {
    let nonce = auth::random();
    html(ops_dashboard::alerts_page(&app.alerts_view(), &nonce), &nonce)
}

/// What the form of `/explore` asks.
#[derive(Debug, Default, serde::Deserialize)]
struct Ask {
    #[serde(default)]
    expr: String,
    range: Option<String>,
}

async fn explore(_: Viewer, State(app): State<Arc<App>>, Params(ask): Params<Ask>) -> Response {
    let nonce = auth::random();
    let range_s = match ask.range.as_deref() {
        Some("5m") => 300,
        Some("15m") => 900,
        Some("6h") => 21_600,
        Some("1d") => 86_400,
        _ => 3_600,
    };
    let view = crate::alerting::explore(&app, ask.expr, range_s).await;
    html(ops_dashboard::explore_page(&view, &nonce), &nonce)
}

async fn incidents(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Response> {
    let nonce = auth::random();
    let before = window.before.as_deref().map(read_key).transpose()?;
    let view = paging::incidents_view(&app, before, window.limit()).await?;
    Ok(html(ops_dashboard::incidents_page(&view, &nonce), &nonce))
}

async fn incident(_: Viewer, State(app): State<Arc<App>>, At(id): At<String>) -> ApiResult<Response> {
    let nonce = auth::random();
    let view = paging::incident_view(&app, &id).await?;
    let view = view.ok_or_else(|| ApiError::NotFound(format!("there is no incident {id}")))?;
    Ok(html(ops_dashboard::incident_page(&view, &nonce), &nonce))
}

async fn notifications(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Response> {
    let nonce = auth::random();
    let before = window.before.as_deref().map(read_key).transpose()?;
    let view = paging::notifications_view(&app, before, window.limit()).await?;
    Ok(html(ops_dashboard::notifications_page(&view, &nonce), &nonce))
}

async fn secrets(_: Viewer, State(app): State<Arc<App>>) -> ApiResult<Response> {
    let nonce = auth::random();
    let view = crate::secrets::view(&app).await?;
    Ok(html(ops_dashboard::secrets_page(&view, &nonce), &nonce))
}

async fn audit(
    Doer(operator): Doer,
    remote: Remote,
    State(app): State<Arc<App>>,
    Params(ask): Params<Entries>,
) -> ApiResult<Response> {
    let nonce = auth::random();
    let view = look(&app, &operator, remote, ask).await?;
    Ok(html(ops_dashboard::audit_page(&view, &nonce), &nonce))
}

/// A page of ours; nothing but what carries the nonce is heeded in it.
pub(super) fn html(page: String, nonce: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let kind = "text/html; charset=utf-8";
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, &policy)], page).into_response()
}
