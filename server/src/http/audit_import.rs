//! Files of other systems, brought by an admin into the audit log.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use axum::{Json, Router};
use ops_contract::AuditImported;
use sha2::{Digest, Sha256};

use super::caller::{Admin, Remote};
use super::error::{ApiError, ApiResult};
use super::paging::Params;
use crate::audit::sources::cloudtrail;
use crate::{App, audit};

/// Longest file as it arrives.
const PACKED: usize = 16 * 1024 * 1024;
/// Entries of one transaction.
const BATCH: usize = 256;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/audit/import", post(import)).layer(DefaultBodyLimit::max(PACKED))
}

/// What the file is.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Ask {
    /// `cloudtrail`: a file of AWS CloudTrail, packed with gzip or not.
    from: String,
}

/// Takes the events of a file into the audit log. What was brought before is passed over.
#[utoipa::path(post, path = "/api/audit/import", params(Ask), request_body = Vec<u8>,
    responses((status = 200, body = AuditImported), (status = 413), (status = 422), (status = 503)))]
pub(super) async fn import(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    Params(ask): Params<Ask>,
    body: Bytes,
) -> ApiResult<Json<AuditImported>> {
    if ask.from != "cloudtrail" {
        return Err(ApiError::Unprocessable("from must be cloudtrail".to_owned()));
    }
    let sum: String = Sha256::digest(&body).iter().map(|it| format!("{it:02x}")).collect();
    let secrets = app.stack.secrets.clone();
    let read = tokio::task::spawn_blocking(move || cloudtrail::read(&body, &secrets));
    let found = read.await.map_err(anyhow::Error::from)?;
    let found = found.map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    let entry = audit::of_operator(&operator, remote.0, "audit.import", cloudtrail::DEVICE)
        .detail("file_sha256", sum)
        .detail("entries", found.drafts.len().to_string());
    app.audit.append(vec![entry.draft()]).await?;
    let mut imported = AuditImported { entries: 0, known: 0, others: found.others };
    let mut drafts = found.drafts.into_iter().filter(audit::is_taken).peekable();
    while drafts.peek().is_some() {
        let batch: Vec<_> = drafts.by_ref().take(BATCH).collect();
        let count = batch.len() as u64;
        let new = app.audit.append(batch).await?.len() as u64;
        imported.entries += new;
        imported.known += count - new;
    }
    Ok(Json(imported))
}
