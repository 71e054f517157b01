//! The audit log. Each look at it is an entry of it, written before anything is shown.

use std::sync::Arc;

use axum::body::Body as Answer;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::TryStreamExt;
use ops_audit::entry::action;
use ops_contract::{AuditFilter, AuditVerified, AuditView, Operator};

use super::caller::{Admin, Doer, Remote};
use super::error::{ApiError, ApiResult};
use super::paging::{At, Params};
use crate::App;
use crate::audit::{self, Refused};

const USUAL: u32 = 100;
const MOST: u32 = 500;
/// Longest text of a filter.
const LONGEST: usize = 256;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/audit", get(list))
        .route("/audit/export", get(export))
        .route("/audit/rotate-key", post(rotate_key))
        .route("/audit/verify", post(verify))
        .route("/audit/{seq}/receipt", get(receipt))
}

/// Which entries.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Ask {
    /// Who.
    actor: String,
    /// What: `secret.read`, or what it begins with up to a dot: `secret`.
    action: String,
    /// To what.
    subject: String,
    /// `allowed`, `denied` or `failed`.
    outcome: String,
    /// The `next` of the page before: numbers below this.
    below: Option<u64>,
    /// How many at most; 100 unless told, 500 at most.
    limit: Option<u32>,
}

/// How the log stands, and its entries, newest first.
#[utoipa::path(get, path = "/api/audit", params(Ask), responses((status = 200, body = AuditView), (status = 503)))]
pub(super) async fn list(
    Doer(operator): Doer,
    remote: Remote,
    State(app): State<Arc<App>>,
    Params(ask): Params<Ask>,
) -> ApiResult<Json<AuditView>> {
    Ok(Json(look(&app, &operator, remote, ask).await?))
}

/// Records the look, and looks.
pub(super) async fn look(app: &App, operator: &Operator, remote: Remote, ask: Ask) -> ApiResult<AuditView> {
    for text in [&ask.actor, &ask.action, &ask.subject, &ask.outcome] {
        if text.len() > LONGEST {
            return Err(ApiError::Unprocessable(format!("a filter has at most {LONGEST} bytes")));
        }
    }
    let entry = audit::of_operator(operator, remote.0, action::READ, &app.audit.origin)
        .detail("actor", ask.actor.clone())
        .detail("action", ask.action.clone())
        .detail("subject", ask.subject.clone())
        .detail("outcome", ask.outcome.clone());
    app.audit.append(vec![entry.draft()]).await?;
    let filter =
        AuditFilter { actor: ask.actor, action: ask.action, subject: ask.subject, outcome: ask.outcome };
    let limit = ask.limit.unwrap_or(USUAL).clamp(1, MOST);
    Ok(audit::view(app, filter, ask.below, limit).await?)
}

/// The whole log as lines of JSON, to be verified elsewhere by `insightdesk audit verify`.
#[utoipa::path(get, path = "/api/audit/export", responses((status = 200, content_type = "application/x-ndjson")))]
pub(super) async fn export(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
) -> ApiResult<Response> {
    let entry = audit::of_operator(&operator, remote.0, action::EXPORT, &app.audit.origin);
    app.audit.append(vec![entry.draft()]).await?;
    let lines = audit::export(&app).await?.map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), "an export of the audit log broke off");
        std::io::Error::other("the audit log could not be read to its end")
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Answer::from_stream(lines)).into_response())
}

/// Verifies the whole log as the server has it, with what it keeps outside of its store.
#[utoipa::path(post, path = "/api/audit/verify", responses((status = 200, body = AuditVerified)))]
pub(super) async fn verify(
    Doer(operator): Doer,
    remote: Remote,
    State(app): State<Arc<App>>,
) -> ApiResult<Json<AuditVerified>> {
    let entry = audit::of_operator(&operator, remote.0, action::READ, &app.audit.origin).why("to verify it");
    app.audit.append(vec![entry.draft()]).await?;
    Ok(Json(audit::verify(&app).await?.1))
}

/// The key that signs the log now.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SigningKey {
    /// `name+id+key`.
    key: String,
}

/// Has another key sign the log from now on. The old one says so in the log, and nothing else is ever signed by it.
#[utoipa::path(post, path = "/api/audit/rotate-key", responses((status = 200, body = SigningKey)))]
pub(super) async fn rotate_key(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
) -> ApiResult<Json<SigningKey>> {
    let actor = audit::of_operator(&operator, remote.0, action::HANDOVER, &app.audit.origin).actor();
    let key = app.audit.hand_over(&app.store, actor).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "the key of the audit log was not changed");
        ApiError::Unavailable(format!("the key was not changed: {error}"))
    })?;
    Ok(Json(SigningKey { key: key.to_string() }))
}

/// Proof that an entry is in the log, checked with the public key and nothing else.
#[utoipa::path(get, path = "/api/audit/{seq}/receipt", params(("seq" = u64, Path)),
    responses((status = 200), (status = 404)))]
pub(super) async fn receipt(
    _: Doer,
    State(app): State<Arc<App>>,
    At(seq): At<u64>,
) -> ApiResult<Json<ops_audit::receipt::Receipt>> {
    let receipt = audit::receipt(&app, seq).await?;
    receipt.map(Json).ok_or_else(|| ApiError::NotFound(format!("the audit log has no sealed entry {seq}")))
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Entry(error) => Self::Unprocessable(error.to_string()),
            Refused::Store(_) | Refused::Busy(_) | Refused::Foreign(_) => {
                tracing::error!(error = %refused, "the audit log cannot be written");
                Self::Unavailable(format!("{refused}; nothing is shown that is not recorded"))
            }
        }
    }
}
