use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::caller::Viewer;
use super::paging::Params;
use crate::{App, auth};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(now))
        .route("/queues", get(queues))
        .route("/scaling", get(scaling))
        .route("/alerts", get(alerts))
        .route("/explore", get(explore))
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

/// A page of ours; nothing but what carries the nonce is heeded in it.
pub(super) fn html(page: String, nonce: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let kind = "text/html; charset=utf-8";
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, &policy)], page).into_response()
}
