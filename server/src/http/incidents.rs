//! Incidents and what was told of them; who looks after one says so here, or by a link that works once.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_contract::{
    AcknowledgeRequest, Incident, IncidentView, IncidentsView, NotificationView, NotificationsView, Timestamp,
};

use super::body::Body;
use super::caller::{Doer, Viewer};
use super::error::{ApiError, ApiResult};
use super::paging::{At, Params, Window};
use crate::paging::{self, Refused};
use crate::{App, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/incidents", get(list))
        .route("/incidents/{id}", get(one))
        .route("/incidents/{id}/ack", post(acknowledge))
        .route("/notifications", get(notifications))
        .route("/notifications/{id}", get(notification))
}

/// What is broken, who looks after it, and what was it lately.
#[utoipa::path(get, path = "/api/incidents", params(Window), responses((status = 200, body = IncidentsView)))]
pub(super) async fn list(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<IncidentsView>> {
    let before = window.before.as_deref().map(read_key).transpose()?;
    Ok(Json(paging::incidents_view(&app, before, window.limit()).await?))
}

/// One incident with all that was told of it.
#[utoipa::path(get, path = "/api/incidents/{id}", params(("id" = String, Path)),
    responses((status = 200, body = IncidentView), (status = 404)))]
pub(super) async fn one(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Json<IncidentView>> {
    let view = paging::incident_view(&app, &id).await?;
    view.map(Json).ok_or_else(|| ApiError::NotFound(format!("there is no incident {id}")))
}

/// Says that you look after an incident: it is not escalated and not told again until that ends.
#[utoipa::path(post, path = "/api/incidents/{id}/ack", params(("id" = String, Path)), request_body = AcknowledgeRequest,
    responses((status = 200, body = Incident), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn acknowledge(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Body(request): Body<AcknowledgeRequest>,
) -> ApiResult<Json<Incident>> {
    Ok(Json(paging::acknowledge(&app, &id, &operator.name, &request.reason, request.for_s).await?))
}

/// Who was told what, when, and whether it arrived; newest first.
#[utoipa::path(get, path = "/api/notifications", params(Window), responses((status = 200, body = NotificationsView)))]
pub(super) async fn notifications(
    _: Viewer,
    State(app): State<Arc<App>>,
    Params(window): Params<Window>,
) -> ApiResult<Json<NotificationsView>> {
    let before = window.before.as_deref().map(read_key).transpose()?;
    Ok(Json(paging::notifications_view(&app, before, window.limit()).await?))
}

/// One notification with every attempt to deliver it.
#[utoipa::path(get, path = "/api/notifications/{id}", params(("id" = String, Path)),
    responses((status = 200, body = NotificationView), (status = 404)))]
pub(super) async fn notification(
    _: Viewer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
) -> ApiResult<Json<NotificationView>> {
    let mut db = app.store.connection().await?;
    let Some(notification) = store::notifications::get(&mut db, &id).await? else {
        return Err(ApiError::NotFound(format!("there is no notification {id}")));
    };
    let deliveries = store::deliveries::of(&mut db, &id).await?;
    Ok(Json(NotificationView { notification, deliveries }))
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown(_) => Self::NotFound(refused.to_string()),
            Refused::Resolved => Self::Conflict(refused.to_string()),
            Refused::Reason | Refused::Length => Self::Unprocessable(refused.to_string()),
            Refused::Store(error) => error.into(),
        }
    }
}

/// The `next` of a page: time and id of its last item.
pub(super) fn read_key(key: &str) -> ApiResult<(Timestamp, &str)> {
    let (time, id) = key
        .split_once('-')
        .and_then(|(time, id)| Some((time.parse().ok()?, id)))
        .ok_or_else(|| ApiError::BadRequest("before must be the `next` of a page".to_owned()))?;
    Ok((Timestamp(time), id))
}
