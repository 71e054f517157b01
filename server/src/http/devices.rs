//! Where audit devices of OpenBao or Vault post what they record. What is answered with 200 is on the disk.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;

use super::error::{ApiError, ApiResult};
use super::paging::At;
use crate::App;
use crate::audit::Refused;
use crate::audit::sources::vault_http::{self, NotTaken, Welcome};

/// Longest line. A store takes values of up to 1 MiB; numbers among them stand in lines as they are.
const LINE: usize = 4 * 1024 * 1024;
/// Longest time for a line to arrive.
const ARRIVAL: Duration = Duration::from_secs(1);
/// Longest token.
const TOKEN: usize = 4_096;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/audit/devices/{name}", post(take))
}

/// An entry of the audit device `name` of OpenBao or Vault: one JSON line. Answered with 200 when it is in the audit log.
#[utoipa::path(post, path = "/audit/devices/{name}", params(("name" = String, Path)), request_body = serde_json::Value,
    responses((status = 200), (status = 400), (status = 401), (status = 404), (status = 413), (status = 503)))]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    At(name): At<String>,
    request: Request,
) -> ApiResult<StatusCode> {
    match vault_http::welcome(&app, &name, token(request.headers())).await {
        Welcome::Yes => {}
        Welcome::Unknown => {
            return Err(ApiError::NotFound(format!(
                "there is no audit device {name}: add [audit.sources.{name}]"
            )));
        }
        Welcome::Wrong => return Err(ApiError::Unauthorized),
        Welcome::Closed => {
            return Err(ApiError::Unavailable("the device's own token cannot be read".to_owned()));
        }
    }
    let line = body(request.into_body()).await?;
    match vault_http::take(&app, &name, &line).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(NotTaken::Rubbish(error)) => Err(ApiError::BadRequest(error.to_string())),
        Err(NotTaken::Refused(Refused::Entry(error))) => Err(ApiError::BadRequest(error.to_string())),
        Err(NotTaken::Refused(error)) => {
            tracing::error!(%error, device = name, "an entry of an audit device is not in the log");
            Err(ApiError::Unavailable("the audit log cannot be written".to_owned()))
        }
    }
}

/// The bearer token.
fn token(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(given.strip_prefix("Bearer ")?.trim()).filter(|it| !it.is_empty() && it.len() <= TOKEN)
}

async fn body(body: Body) -> ApiResult<axum::body::Bytes> {
    match tokio::time::timeout(ARRIVAL, to_bytes(body, LINE)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The only other cause is a sender who went away, and hears nothing.
        Ok(Err(_)) => Err(ApiError::TooLarge),
        Err(_) => Err(ApiError::NotInTime("the entry did not arrive in time".to_owned())),
    }
}
