//! People who leave: what they could know is renewed, one after the other.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use ops_contract::{Departure, Timestamp};

use super::body::Body;
use super::caller::{Admin, Remote};
use super::error::{ApiError, ApiResult};
use crate::{App, clock, secrets};

/// Longest name, characters.
const LONGEST: usize = 128;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/secrets/departed", post(depart))
}

/// Somebody left.
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct Departed {
    /// By the name in the audit log and in `owner`.
    person: String,
    /// When; now unless told, and not later than now.
    at: Option<Timestamp>,
}

/// Notes that somebody left, and tells what is to be renewed because of it, the most dangerous first.
#[utoipa::path(post, path = "/api/secrets/departed", request_body = Departed,
    responses((status = 200, body = Departure), (status = 422), (status = 503)))]
pub(super) async fn depart(
    Admin(operator): Admin,
    remote: Remote,
    State(app): State<Arc<App>>,
    Body(told): Body<Departed>,
) -> ApiResult<Json<Departure>> {
    let now = clock::now();
    let person = told.person.trim();
    if person.is_empty() || person.chars().count() > LONGEST || person.chars().any(char::is_control) {
        return Err(ApiError::Unprocessable(format!("person must be a name of 1 to {LONGEST} characters")));
    }
    let at = told.at.unwrap_or(now);
    if at > now || at < Timestamp(0) {
        return Err(ApiError::Unprocessable("at must not be later than now, nor before 1970".to_owned()));
    }
    Ok(Json(secrets::depart(&app, &operator, remote.0, person, at).await?))
}
