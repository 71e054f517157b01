use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;

use super::caller::Viewer;
use super::error::{ApiError, ApiResult};
use super::{
    actions, agent, alerts, audit, audit_import, changes, decisions, departed, devices, findings, heartbeats,
    incidents, live, logs, now, operators, queue_commands, queues, receivers, rotations, scale, scaling,
    secrets, services, silences, stack, tasks,
};
use crate::App;

/// Every operation that programs may use.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "InsightDesk Ops",
        description = "The control plane of the InsightDesk stack. Send a token as `Authorization: Bearer …`. Faults \
                       are `application/problem+json`."
    ),
    paths(
        actions::list,
        agent::hello,
        agent::lease,
        agent::logs,
        agent::queue_command,
        agent::report,
        agent::signals,
        alerts::history,
        alerts::now,
        audit::export,
        audit::list,
        audit::receipt,
        audit::rotate_key,
        audit::verify,
        audit_import::import,
        changes::list,
        decisions::list,
        departed::depart,
        devices::take,
        findings::close,
        findings::list,
        heartbeats::beat,
        incidents::acknowledge,
        incidents::list,
        incidents::notification,
        incidents::notifications,
        incidents::one,
        receivers::events,
        receivers::test,
        live::live,
        logs::read,
        now::me,
        now::now,
        now::state,
        operators::add,
        operators::link,
        operators::list,
        queue_commands::drain,
        queue_commands::job,
        queue_commands::jobs,
        queue_commands::list,
        queue_commands::pause,
        queue_commands::promote,
        queue_commands::resume,
        queue_commands::retry,
        queues::list,
        scaling::list,
        scaling::decisions,
        scaling::one,
        scaling::recordings,
        rotations::abort,
        rotations::begin,
        rotations::end_grace,
        rotations::list,
        rotations::rotated,
        secrets::approve,
        secrets::for_agent,
        secrets::list,
        secrets::read,
        secrets::set,
        services::exits,
        services::list,
        services::one,
        services::restart,
        scale::scale,
        silences::expire,
        silences::list,
        silences::make,
        silences::one,
        stack::start,
        stack::stop,
        tasks::list,
    )
)]
struct Document;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/openapi.json", get(document))
}

/// The OpenAPI document of the HTTP interface, as JSON.
///
/// # Errors
///
/// When it cannot be written as JSON.
pub fn openapi() -> serde_json::Result<String> {
    Document::openapi().to_pretty_json().map(|text| text + "\n")
}

async fn document(_: Viewer) -> ApiResult<Response> {
    let text = openapi().map_err(|error| ApiError::Internal(error.into()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
