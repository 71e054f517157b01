//! The only place that knows axum. One file per resource; `error` alone maps faults to answers.
//!
//! To add a resource: one file with `routes()`, one line in [`router`], its operations in `openapi`. A handler takes
//! who asks ([`caller`]) as its first argument: without it, it is open to the world.

mod ack;
mod actions;
mod agent;
mod alertmanager;
mod alerts;
mod audit;
mod audit_import;
mod body;
mod caller;
mod changes;
mod decisions;
mod departed;
mod devices;
mod error;
mod findings;
mod handed;
mod health;
mod heartbeats;
mod incidents;
mod live;
mod login;
mod logs;
mod now;
mod openapi;
mod operators;
mod otlp;
mod page;
mod paging;
mod prometheus;
mod queue_ask;
mod queue_at;
mod queue_commands;
mod queues;
mod receivers;
mod record;
mod remote_write;
mod rotations;
mod samples;
mod scale;
mod scaling;
mod secrets;
mod services;
mod shell;
mod silences;
mod stack;
mod tasks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use ops_telemetry::http::RequestLayer;
use tokio::net::TcpListener;

use crate::App;
use error::ApiError;

pub use openapi::openapi;

/// Longest body of all but an agent's report.
const BODY: usize = 1024 * 1024;

/// Serves until the app shuts down; requests that then are under way have `grace` to end.
pub(crate) async fn serve(listener: TcpListener, app: &Arc<App>, grace: Duration) -> anyhow::Result<()> {
    let shutdown = app.shutdown.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = serving.into_future() => served.context("could not serve"),
        // A client that keeps its request open must not keep the server.
        () = patience => Ok(()),
    }
}

/// All routes, as axum describes them: so that a test sees one that nobody has said who may use.
#[doc(hidden)]
#[must_use]
pub fn described() -> String {
    format!("{:?}", routes())
}

fn routes() -> Router<Arc<App>> {
    let api = Router::new()
        .merge(actions::routes())
        .merge(alerts::routes())
        .merge(audit::routes())
        .merge(audit_import::routes())
        .merge(changes::routes())
        .merge(decisions::routes())
        .merge(departed::routes())
        .merge(findings::routes())
        .merge(heartbeats::routes())
        .merge(incidents::routes())
        .merge(live::routes())
        .merge(logs::routes())
        .merge(now::routes())
        .merge(openapi::routes())
        .merge(operators::routes())
        .merge(queue_commands::routes())
        .merge(queues::routes())
        .merge(receivers::routes())
        .merge(rotations::routes())
        .merge(scale::routes())
        .merge(scaling::routes())
        .merge(secrets::routes())
        .merge(services::routes())
        .merge(silences::routes())
        .merge(stack::routes())
        .merge(tasks::routes());
    Router::new()
        .nest("/api", api)
        .nest("/agent", agent::routes().merge(samples::routes()).merge(secrets::agent_routes()))
        .nest("/alertmanager", alertmanager::routes())
        .nest("/prometheus", prometheus::routes())
        .merge(ack::routes())
        .merge(devices::routes())
        .merge(health::routes())
        .merge(login::routes())
        .merge(otlp::routes())
        .merge(page::routes())
        .merge(remote_write::routes())
        .merge(secrets::page_routes())
}

fn router(app: &Arc<App>) -> Router {
    routes()
        .fallback(|| async { ApiError::NotFound("there is nothing at this address".to_owned()) })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(axum::middleware::from_fn_with_state(app.clone(), record::record))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(axum::middleware::from_fn(shell::shell))
        .layer(RequestLayer::new(&app.metrics, "ops"))
        .with_state(app.clone())
}
