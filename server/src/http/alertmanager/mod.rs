//! What Alertmanager answers (its API v2), for Prometheus, amtool and all that can send to one or ask one.
//!
//! The answers have Alertmanager's form, faults too; `docs/alertmanager-api.md` says what differs. What is posted is stored
//! together with a row of the inbox before it is answered; the server that decides takes it from there.

mod alerts;
mod asked;
mod fault;
mod general;
mod groups;
mod post_alerts;
mod shapes;
mod silences;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use crate::App;

/// Longest body; some thousand alerts.
const BODY: usize = 10 * 1024 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    LazyLock::force(&general::STARTED);
    let api = Router::new()
        .route("/status", get(general::status))
        .route("/receivers", get(general::receivers))
        .route("/silences", get(silences::list).post(silences::post))
        .route("/silence/{id}", get(silences::one).delete(silences::expire))
        .route("/alerts", get(alerts::list).post(post_alerts::post))
        .route("/alerts/groups", get(groups::list))
        .layer(DefaultBodyLimit::max(BODY));
    Router::new()
        .nest("/api/v2", api)
        .route("/-/healthy", get(general::healthy))
        .route("/-/ready", get(general::ready))
}
