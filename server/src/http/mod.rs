//! The only place that knows axum. One file per resource; `error` alone maps faults to answers.
//!
//! To add a resource: one file with `routes()`, one line in [`router`], its operations in `openapi`. A handler takes
//! who asks ([`caller`]) as its first argument: without it, it is open to the world.

mod actions;
mod agent;
mod body;
mod caller;
mod changes;
mod decisions;
mod error;
mod health;
mod live;
mod login;
mod logs;
mod now;
mod openapi;
mod operators;
mod page;
mod paging;
mod services;
mod shell;
mod stack;
mod tasks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use ops_telemetry::http::RequestLayer;

use crate::App;
use error::ApiError;

pub use openapi::openapi;

/// Longest body of all but an agent's report.
const BODY: usize = 1024 * 1024;

/// All routes.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let api = Router::new()
        .merge(actions::routes())
        .merge(changes::routes())
        .merge(decisions::routes())
        .merge(live::routes())
        .merge(logs::routes())
        .merge(now::routes())
        .merge(openapi::routes())
        .merge(operators::routes())
        .merge(services::routes())
        .merge(stack::routes())
        .merge(tasks::routes());
    Router::new()
        .nest("/api", api)
        .nest("/agent", agent::routes())
        .merge(health::routes())
        .merge(login::routes())
        .merge(page::routes())
        .fallback(|| async { ApiError::NotFound("there is nothing at this address".to_owned()) })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(axum::middleware::from_fn(shell::shell))
        .layer(RequestLayer::new(&app.metrics, "ops"))
        .with_state(app.clone())
}
