//! What was found in the audit log, and what became of it. Each look is an entry of the log, as is each closing.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_audit::entry::action;
use ops_contract::{FindingView, Page};

use super::body::Body;
use super::caller::{Doer, Remote};
use super::error::{ApiError, ApiResult};
use super::incidents::read_key;
use super::paging::{Params, Window, page};
use crate::findings::Closing;
use crate::{App, audit, findings};

/// Longest key and longest reason, bytes and characters.
const KEY: usize = 1_024;
const REASON: usize = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/audit/findings", get(list)).route("/audit/findings/close", post(close))
}

/// Which findings.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those only that nobody has closed.
    #[serde(default)]
    open: bool,
}

/// A finding that is dealt with.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Close {
    /// Its key.
    key: String,
    /// 1 to 500 characters; stands in the audit log.
    reason: String,
}

/// What was unusual or unauthorised, the one found last first.
#[utoipa::path(get, path = "/api/audit/findings", params(Window, Which),
    responses((status = 200, body = Page<FindingView>), (status = 503)))]
pub(super) async fn list(
    Doer(operator): Doer,
    remote: Remote,
    State(app): State<Arc<App>>,
    Params(which): Params<Which>,
    Params(window): Params<Window>,
) -> ApiResult<Json<Page<FindingView>>> {
    let before = window.before.as_deref().map(read_key).transpose()?;
    let entry = audit::of_operator(&operator, remote.0, action::READ, &app.audit.origin).why("its findings");
    app.audit.append(vec![entry.draft()]).await?;
    let limit = window.limit();
    let mut db = app.store.connection().await?;
    let found = findings::page(&mut db, which.open, before, limit).await?;
    Ok(Json(page(found, limit, |it: &FindingView| format!("{}-{}", it.last_at.0, it.finding.key))))
}

/// Says that a finding is dealt with: its alert ends. Found again later, it is open again.
#[utoipa::path(post, path = "/api/audit/findings/close", request_body = Close,
    responses((status = 200, body = FindingView), (status = 404), (status = 422), (status = 503)))]
pub(super) async fn close(
    Doer(operator): Doer,
    remote: Remote,
    State(app): State<Arc<App>>,
    Body(close): Body<Close>,
) -> ApiResult<Json<FindingView>> {
    let reason = close.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON {
        return Err(ApiError::Unprocessable(format!("reason must say in 1 to {REASON} characters why")));
    }
    if close.key.len() > KEY || close.key.chars().any(char::is_control) {
        return Err(ApiError::Unprocessable(format!("a key has at most {KEY} bytes")));
    }
    Ok(Json(findings::close(&app, &operator, remote.0, &close.key, reason).await?))
}

impl From<Closing> for ApiError {
    fn from(closing: Closing) -> Self {
        match closing {
            Closing::Unknown(_) => {
                Self::NotFound(format!("{closing}: `insightdesk audit findings` shows the keys"))
            }
            Closing::Unrecorded(refused) => refused.into(),
            Closing::Database(error) => error.into(),
            Closing::Other(error) => error.into(),
        }
    }
}
