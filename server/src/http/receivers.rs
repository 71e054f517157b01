//! Receivers: a test page to one, and what one says to us by itself.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use ops_alerts::receivers::NotHeard;
use ops_contract::NotificationView;

use super::caller::{Doer, Viewer};
use super::error::{ApiError, ApiResult};
use super::incidents::notification;
use super::paging::At;
use crate::{App, paging};

/// Longest body of a receiver in bytes: PagerDuty's events have some 5 kB.
const LARGEST: usize = 256 * 1024;
/// How PagerDuty signs.
const SIGNATURE: &str = "x-pagerduty-signature";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/receivers/{name}/test", post(test))
        .route("/receivers/{name}/events", post(events).layer(DefaultBodyLimit::max(LARGEST)))
}

/// Sends a marked test page to a receiver, through the whole path. What became of it stands in the notification.
#[utoipa::path(post, path = "/api/receivers/{name}/test", params(("name" = String, Path)),
    responses((status = 202, body = NotificationView), (status = 404)))]
pub(super) async fn test(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(name): At<String>,
) -> ApiResult<(StatusCode, Json<NotificationView>)> {
    let begun = paging::begin_trial(&app, &name, &operator.name).await.map_err(ApiError::Internal)?;
    let id = begun.ok_or_else(|| unknown(&app, &name))?;
    let Json(view) = notification(Viewer(operator), State(app), At(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// What a receiver says by itself: PagerDuty's webhook of version 3 acknowledges here what is acknowledged there. Needs no
/// token: it is signed with one of the receiver's `ack_secrets`.
#[utoipa::path(post, path = "/api/receivers/{name}/events", params(("name" = String, Path)),
    responses((status = 204), (status = 401), (status = 404), (status = 422)))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    At(name): At<String>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<StatusCode> {
    let signatures = headers.get(SIGNATURE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let heard = paging::hear(&app, &name, signatures, &body).await.map_err(ApiError::Internal)?;
    match heard {
        Some(Ok(_)) => Ok(StatusCode::NO_CONTENT),
        Some(Err(NotHeard::Unsigned)) => Err(ApiError::Unauthorized),
        Some(Err(why @ NotHeard::Deaf)) => Err(ApiError::NotFound(why.to_string())),
        Some(Err(why @ NotHeard::NoSecret(_))) => Err(ApiError::Unavailable(why.to_string())),
        Some(Err(why @ NotHeard::Unreadable(_))) => Err(ApiError::Unprocessable(why.to_string())),
        // Without a token nobody learns which receivers there are.
        None => Err(ApiError::NotFound(NotHeard::Deaf.to_string())),
    }
}

fn unknown(app: &App, name: &str) -> ApiError {
    let config = app.paging.config();
    let names: Vec<&str> = config.routing.receivers.iter().map(|it| it.name.as_str()).take(50).collect();
    ApiError::NotFound(format!("there is no receiver {name}; there are {}", names.join(", ")))
}
