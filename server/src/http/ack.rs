//! Forms by which somebody says that he looks after an incident: on our own pages, and by a link that works once.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ops_contract::{Incident, IncidentState};
use ops_dashboard::AckLink;

use super::body::Fields;
use super::caller::{self, Doer};
use super::error::{ApiError, ApiResult};
use super::page::html;
use super::paging::At;
use crate::paging::{self, Link, Refused};
use crate::store::incidents;
use crate::{App, auth, clock};

/// Longest form in bytes: a reason and the names around it.
const FORM: usize = 16 * 1024;
/// Who acknowledges by a link: it does not say in whose hand it is.
const BY_LINK: &str = "link";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/incidents/{id}/ack", post(acknowledge))
        .route("/ack/{token}", get(ask).post(use_link))
        .layer(DefaultBodyLimit::max(FORM))
}

/// What the form on our pages posts.
#[derive(serde::Deserialize)]
struct Given {
    #[serde(default)]
    reason: String,
    for_s: Option<u64>,
}

async fn acknowledge(
    Doer(operator): Doer,
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Fields(given): Fields<Given>,
) -> ApiResult<Redirect> {
    paging::acknowledge(&app, &id, &operator.name, &given.reason, given.for_s).await?;
    Ok(Redirect::to("/incidents"))
}

/// What a link is good for.
enum Standing {
    Good(Link, Incident),
    Used(Option<Incident>),
    Expired,
    Resolved(Incident),
    Unknown,
}

/// Shows what the link would do, and does nothing: mail programs look at links before people do.
async fn ask(State(app): State<Arc<App>>, At(token): At<String>) -> ApiResult<Response> {
    Ok(tell(&standing(&app, &token).await?))
}

/// What the form of a link posts.
#[derive(serde::Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// Acknowledges by a link: that it was used and what it did are stored together or not at all.
async fn use_link(
    State(app): State<Arc<App>>,
    At(token): At<String>,
    method: Method,
    headers: HeaderMap,
    Fields(given): Fields<Reason>,
) -> ApiResult<Response> {
    // The link itself is the right to do it; still no page elsewhere needs to post it. Programs send none of these headers.
    if headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN) {
        caller::same_site(&method, &headers, &app.external_url)?;
    }
    let (link, incident) = match standing(&app, &token).await? {
        Standing::Good(link, incident) => (link, incident),
        other => return Ok(tell(&other)),
    };
    let mut db = app.store.begin().await?;
    if !incidents::use_link(&mut db, &link.id, link.expires_at).await? {
        return Ok(tell(&Standing::Used(incidents::get(&mut db, &link.incident).await?)));
    }
    match paging::acknowledge_in(&mut db, &app, &link.incident, BY_LINK, &given.reason, None).await {
        Ok(done) => {
            db.commit().await?;
            let incident = done.announce(&app);
            Ok(show(StatusCode::OK, AckLink::Done(&incident)))
        }
        // Nothing is committed: the link stays good.
        Err(error @ (Refused::Reason | Refused::Length)) => {
            let error = error.to_string();
            let page = AckLink::Ready { incident: &incident, error: Some(&error) };
            Ok(show(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
        Err(Refused::Resolved) => Ok(tell(&Standing::Resolved(incident))),
        Err(error) => Err(error.into()),
    }
}

async fn standing(app: &App, token: &str) -> ApiResult<Standing> {
    let read =
        paging::read_link(app, token).await.map_err(|error| match error.downcast::<sqlx::Error>() {
            Ok(of_store) => ApiError::from(of_store),
            Err(other) => other.into(),
        })?;
    let Some(link) = read else { return Ok(Standing::Unknown) };
    if link.expires_at <= clock::now() {
        return Ok(Standing::Expired);
    }
    let mut db = app.store.connection().await?;
    let incident = incidents::get(&mut db, &link.incident).await?;
    if incidents::is_used(&mut db, &link.id).await? {
        return Ok(Standing::Used(incident));
    }
    Ok(match incident {
        Some(incident) if incident.state == IncidentState::Resolved => Standing::Resolved(incident),
        Some(incident) => Standing::Good(link, incident),
        // It is forgotten: it ended long ago.
        None => Standing::Expired,
    })
}

fn tell(standing: &Standing) -> Response {
    match standing {
        Standing::Good(_, incident) => show(StatusCode::OK, AckLink::Ready { incident, error: None }),
        Standing::Used(incident) => show(StatusCode::GONE, AckLink::Used(incident.as_ref())),
        Standing::Expired => show(StatusCode::GONE, AckLink::Expired),
        Standing::Resolved(incident) => show(StatusCode::CONFLICT, AckLink::Resolved(incident)),
        Standing::Unknown => show(StatusCode::NOT_FOUND, AckLink::Unknown),
    }
}

fn show(status: StatusCode, link: AckLink<'_>) -> Response {
    let nonce = auth::random();
    (status, html(ops_dashboard::acknowledge_page(link, clock::now(), &nonce), &nonce)).into_response()
}
