//! Secrets: how they stand, and their values for those who may have them. Each value that is asked for is an entry of the
//! audit log before it is handed out, and each refusal is one too.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use ops_contract::{Concealed, SecretReadWaits, SecretRequest, SecretValues, SecretsRequest, SecretsView};
use secrecy::SecretString;

use super::body::Body;
use super::caller::{Admin, Agent, Remote, Viewer};
use super::error::{ApiError, ApiResult};
use super::handed;
use super::paging::At;
use crate::App;
use crate::secrets::approval::{self, Gate};
use crate::secrets::stores::StoreError;
use crate::secrets::{self, Asker, Denied, Set};

/// Most secrets that are asked for at once.
const MOST: usize = 100;
/// Longest value and longest reason, bytes.
const LONGEST: usize = 64 * 1024;
const REASON: usize = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/secrets", get(list))
        .route("/secrets/{name}/read", post(read))
        .route("/secrets/{name}", put(set))
        .route("/secrets/requests/{id}/approve", post(approve))
}

/// What the page `/secrets` posts.
pub(super) fn page_routes() -> Router<Arc<App>> {
    Router::new().route("/secrets/requests/{id}/approve", post(approve_on_page))
}

pub(super) fn agent_routes() -> Router<Arc<App>> {
    Router::new().route("/secrets", post(for_agent))
}

/// Why a value is read.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Reading {
    /// 1 to 500 characters; stands in the audit log.
    pub(super) reason: String,
    /// The request that a second admin has approved, where a read takes one.
    #[serde(default)]
    request: Option<String>,
}

/// What became of a value that was set.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(super) struct Renewed {
    /// Whether it is another than before: the same again is no renewal.
    renewed: bool,
}

/// A new value.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Setting {
    /// The value, 64 KiB at most.
    value: Concealed,
    /// 1 to 500 characters; stands in the audit log.
    reason: String,
}

/// All secrets as they stand, the most urgent first. No values.
#[utoipa::path(get, path = "/api/secrets", responses((status = 200, body = SecretsView)))]
pub(super) async fn list(_: Viewer, State(app): State<Arc<App>>) -> ApiResult<Json<SecretsView>> {
    Ok(Json(secrets::view(&app).await?))
}

/// The value of a secret, for who may read it. Recorded before it is answered. With `approval`, the first call makes a
/// request (202); called again once a second admin has approved it, it is answered, once.
#[utoipa::path(post, path = "/api/secrets/{name}/read", params(("name" = String, Path)), request_body = Reading,
    responses((status = 200, body = SecretValues), (status = 202, body = SecretReadWaits), (status = 403),
        (status = 404), (status = 503)))]
pub(super) async fn read(
    Viewer(operator): Viewer,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(reading): Body<Reading>,
) -> ApiResult<Response> {
    let reason = reason(&reading.reason)?;
    let id = reading.request.as_deref();
    let request = match approval::gate(&app, &operator, remote.0, &name, reason, id).await? {
        Gate::Open(request) => request,
        Gate::Waits(waits) => return Ok((StatusCode::ACCEPTED, Json(waits)).into_response()),
    };
    let names = BTreeSet::from([name]);
    let asker = Asker::Person(&operator, reason, request.as_ref());
    handed::answer(secrets::hand_out(&app, &asker, remote.0, &names).await?)
}

/// Agrees that somebody reads a secret: any admin but who asks.
#[utoipa::path(post, path = "/api/secrets/requests/{id}/approve", params(("id" = String, Path)),
    responses((status = 200, body = SecretRequest), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn approve(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Json<SecretRequest>> {
    Ok(Json(approval::approve(&app, &operator, remote.0, &id).await?))
}

async fn approve_on_page(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Redirect> {
    approval::approve(&app, &operator, remote.0, &id).await?;
    Ok(Redirect::to("/secrets"))
}

/// Gives a secret a new value, where its store can be written.
#[utoipa::path(put, path = "/api/secrets/{name}", params(("name" = String, Path)), request_body = Setting,
    responses((status = 200, body = Renewed), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn set(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(setting): Body<Setting>,
) -> ApiResult<Json<Renewed>> {
    let reason = reason(&setting.reason)?;
    let value = SecretString::from(setting.value.0.as_str());
    if setting.value.0.is_empty() || setting.value.0.len() > LONGEST {
        return Err(ApiError::Unprocessable(format!("a value has 1 to {LONGEST} bytes")));
    }
    let set = secrets::set(&app, &operator, remote.0, &name, value, reason).await?;
    Ok(Json(Renewed { renewed: set == Set::Renewed }))
}

/// Values for a start that was asked of the agent, or for a store that it looks at.
#[utoipa::path(post, path = "/agent/secrets", request_body = SecretsRequest,
    responses((status = 200, body = SecretValues), (status = 403), (status = 404), (status = 503)))]
pub(super) async fn for_agent(
    Agent(agent): Agent,
    remote: Remote,
    State(app): State<Arc<App>>,
    Body(request): Body<SecretsRequest>,
) -> ApiResult<Response> {
    if request.names.len() > MOST {
        return Err(ApiError::Unprocessable(format!("at most {MOST} secrets at once")));
    }
    let names: BTreeSet<String> = request.names.into_iter().collect();
    let asker = Asker::Agent(&agent, &request.purpose);
    handed::answer(secrets::hand_out(&app, &asker, remote.0, &names).await?)
}

pub(super) fn reason(text: &str) -> ApiResult<&str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON {
        return Err(ApiError::Unprocessable(format!("reason must say in 1 to {REASON} characters what for")));
    }
    Ok(text)
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let text = denied.to_string();
        match denied {
            Denied::Policy(_) => Self::Forbidden(text),
            Denied::Busy(_) => Self::Conflict(text),
            Denied::NoRequest(_) | Denied::Unknown(_) | Denied::Store(_, StoreError::Missing(_)) => {
                Self::NotFound(text)
            }
            Denied::Store(_, StoreError::ReadOnly(_)) => Self::Conflict(text),
            Denied::Store(..) => Self::Unavailable(text),
            Denied::Unrecorded(refused) => refused.into(),
            Denied::Database(error) => error.into(),
        }
    }
}
