//! What Prometheus answers, for Grafana, promtool and all that can ask one: the series, and what rules make of them.
//!
//! The answers have Prometheus' form, faults too; `docs/prometheus-api.md` says what differs. To add an address: one
//! function, one line in [`routes`].

mod error;
mod json;
mod labels;
mod params;
mod query;
mod rules;
mod status;

use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};
use tokio::sync::Semaphore;

use crate::App;

pub(super) fn routes() -> Router<Arc<App>> {
    let turns = query::Turns(Arc::new(Semaphore::new(query::AT_ONCE)));
    let api = Router::new()
        .route("/query", get(query::instant).post(query::instant))
        .route("/query_range", get(query::range).post(query::range))
        .route("/query_exemplars", get(status::none).post(status::none))
        .route("/format_query", get(status::format).post(status::format))
        .route("/series", get(labels::series).post(labels::series))
        .route("/labels", get(labels::names).post(labels::names))
        .route("/label/{name}/values", get(labels::values))
        .route("/metadata", get(labels::metadata))
        .route("/rules", get(rules::rules))
        .route("/alerts", get(rules::alerts))
        .route("/targets", get(status::targets))
        .route("/status/buildinfo", get(status::build))
        .route("/status/runtimeinfo", get(status::runtime))
        .route("/status/tsdb", get(status::tsdb))
        .route("/status/flags", get(status::flags))
        .layer(Extension(turns));
    Router::new()
        .nest("/api/v1", api)
        .route("/-/healthy", get(status::healthy))
        .route("/-/ready", get(status::ready))
}
