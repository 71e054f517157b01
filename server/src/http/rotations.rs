//! Renewals of secrets: begun, given up, told by hand.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_contract::{Page, SecretRotation};

use super::body::Body;
use super::caller::{Admin, Remote, Viewer};
use super::error::ApiResult;
use super::paging::{At, Params, Window, page};
use super::secrets::{Reading, reason};
use crate::App;
use crate::secrets::rotate;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/secret-rotations", get(list))
        .route("/secrets/{name}/rotate", post(begin))
        .route("/secrets/{name}/rotate/abort", post(abort))
        .route("/secrets/{name}/rotate/end-grace", post(end_grace))
        .route("/secrets/{name}/rotated", post(rotated))
}

/// What shows that a secret was renewed.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Evidence {
    /// 1 to 500 characters; stands in the audit log.
    evidence: String,
}

/// Renewals of secrets, newest first.
#[utoipa::path(get, path = "/api/secret-rotations", params(Window), responses((status = 200, body = Page<SecretRotation>)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<SecretRotation>>> {
    let limit = window.limit();
    let items = rotate::list(&app, window.before.as_deref().unwrap_or("~"), limit + 1).await?;
    Ok(Json(page(items, limit, |it: &SecretRotation| it.id.clone())))
}

/// Begins a renewal. It is carried out by itself, or by the steps that are answered.
#[utoipa::path(post, path = "/api/secrets/{name}/rotate", params(("name" = String, Path)), request_body = Reading,
    responses((status = 202, body = SecretRotation), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn begin(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(reading): Body<Reading>,
) -> ApiResult<(StatusCode, Json<SecretRotation>)> {
    let reason = reason(&reading.reason)?;
    let begun = rotate::begin(&app, &operator, remote.0, &name, reason).await?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// Gives a renewal up whose new value is not in force yet.
#[utoipa::path(post, path = "/api/secrets/{name}/rotate/abort", params(("name" = String, Path)), request_body = Reading,
    responses((status = 200, body = SecretRotation), (status = 409)))]
pub(super) async fn abort(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(reading): Body<Reading>,
) -> ApiResult<Json<SecretRotation>> {
    let reason = reason(&reading.reason)?;
    Ok(Json(rotate::abort(&app, &operator, remote.0, &name, reason).await?))
}

/// Ends the time in which the key before is still good: programs are restarted without it.
#[utoipa::path(post, path = "/api/secrets/{name}/rotate/end-grace", params(("name" = String, Path)),
    request_body = Reading, responses((status = 200, body = SecretRotation), (status = 409)))]
pub(super) async fn end_grace(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(reading): Body<Reading>,
) -> ApiResult<Json<SecretRotation>> {
    let reason = reason(&reading.reason)?;
    Ok(Json(rotate::end_grace(&app, &operator, remote.0, &name, reason).await?))
}

/// Says that a secret was renewed where the server cannot write, and what shows it.
#[utoipa::path(post, path = "/api/secrets/{name}/rotated", params(("name" = String, Path)), request_body = Evidence,
    responses((status = 204), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn rotated(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(given): Body<Evidence>,
) -> ApiResult<StatusCode> {
    let evidence = reason(&given.evidence)?;
    rotate::rotated(&app, &operator, remote.0, &name, evidence).await?;
    Ok(StatusCode::NO_CONTENT)
}
