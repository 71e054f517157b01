//! Secrets: how they stand, and their values for those who may have them. Each value that is asked for is an entry of the
//! audit log before it is handed out, and each refusal is one too.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use ops_contract::{Concealed, SecretValues, SecretsRequest, SecretsView};
use secrecy::SecretString;

use super::body::Body;
use super::caller::{Admin, Agent, Remote, Viewer};
use super::error::{ApiError, ApiResult};
use super::paging::At;
use crate::App;
use crate::secrets::stores::StoreError;
use crate::secrets::{self, Asker, Denied};

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
}

pub(super) fn agent_routes() -> Router<Arc<App>> {
    Router::new().route("/secrets", post(for_agent))
}

/// Why a value is read.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Reading {
    /// 1 to 500 characters; stands in the audit log.
    reason: String,
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

/// The value of a secret, for who may read it. Recorded before it is answered.
#[utoipa::path(post, path = "/api/secrets/{name}/read", params(("name" = String, Path)), request_body = Reading,
    responses((status = 200, body = SecretValues), (status = 403), (status = 404), (status = 503)))]
pub(super) async fn read(
    Viewer(operator): Viewer,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(reading): Body<Reading>,
) -> ApiResult<Json<SecretValues>> {
    let reason = reason(&reading.reason)?;
    let names = BTreeSet::from([name]);
    let asker = Asker::Person(&operator, reason);
    Ok(Json(secrets::hand_out(&app, &asker, remote.0, &names).await?))
}

/// Gives a secret a new value, where its store can be written.
#[utoipa::path(put, path = "/api/secrets/{name}", params(("name" = String, Path)), request_body = Setting,
    responses((status = 204), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn set(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    At(name): At<String>,
    Body(setting): Body<Setting>,
) -> ApiResult<StatusCode> {
    let reason = reason(&setting.reason)?;
    let value = SecretString::from(setting.value.0.as_str());
    if setting.value.0.is_empty() || setting.value.0.len() > LONGEST {
        return Err(ApiError::Unprocessable(format!("a value has 1 to {LONGEST} bytes")));
    }
    secrets::set(&app, &operator, remote.0, &name, value, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Values for a start that was asked of the agent, or for a store that it looks at.
#[utoipa::path(post, path = "/agent/secrets", request_body = SecretsRequest,
    responses((status = 200, body = SecretValues), (status = 403), (status = 404), (status = 503)))]
pub(super) async fn for_agent(
    Agent(agent): Agent,
    remote: Remote,
    State(app): State<Arc<App>>,
    Body(request): Body<SecretsRequest>,
) -> ApiResult<Json<SecretValues>> {
    if request.names.len() > MOST {
        return Err(ApiError::Unprocessable(format!("at most {MOST} secrets at once")));
    }
    let names: BTreeSet<String> = request.names.into_iter().collect();
    let asker = Asker::Agent(&agent, &request.purpose);
    Ok(Json(secrets::hand_out(&app, &asker, remote.0, &names).await?))
}

fn reason(text: &str) -> ApiResult<&str> {
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
            Denied::Unknown(_) | Denied::Store(_, StoreError::Missing(_)) => Self::NotFound(text),
            Denied::Store(_, StoreError::ReadOnly(_)) => Self::Conflict(text),
            Denied::Store(..) => Self::Unavailable(text),
            Denied::Unrecorded(refused) => refused.into(),
            Denied::Database(error) => error.into(),
        }
    }
}
