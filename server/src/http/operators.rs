use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use ops_contract::{ChangeKind, Operator, Page, Timestamp};

use super::body::Body;
use super::caller::Admin;
use super::error::{ApiError, ApiResult};
use crate::{App, auth, clock, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/operators", get(list).post(add)).route("/links", post(link))
}

/// An operator and the token that they sign in with; the token is shown once.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Added {
    operator: Operator,
    token: String,
}

/// A one-time sign-in link.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Link {
    /// To be opened in a browser, once.
    url: String,
    /// When it ends unused.
    expires_at: Timestamp,
}

/// For whom a link is.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
pub(super) struct LinkFor {
    /// An operator's name; absent: who asks.
    #[serde(default)]
    operator: Option<String>,
}

/// All operators by name.
#[utoipa::path(get, path = "/api/operators", responses((status = 200, body = Page<Operator>)))]
pub(super) async fn list(_: Admin, State(app): State<Arc<App>>) -> ApiResult<Json<Page<Operator>>> {
    let mut db = app.store.connection().await?;
    let items = store::operators::list(&mut db).await?;
    Ok(Json(Page { items, next: None }))
}

/// Adds an operator.
#[utoipa::path(post, path = "/api/operators", request_body = Operator,
    responses((status = 201, body = Added), (status = 409), (status = 422)))]
pub(super) async fn add(
    Admin(by): Admin,
    State(app): State<Arc<App>>,
    Body(operator): Body<Operator>,
) -> ApiResult<(StatusCode, Json<Added>)> {
    let fits = |it: char| it.is_ascii_alphanumeric() || "-_.@".contains(it);
    if operator.name.is_empty() || operator.name.len() > 64 || !operator.name.chars().all(fits) {
        return Err(ApiError::Unprocessable(
            "a name has 1 to 64 letters, digits and the signs - _ . @".to_owned(),
        ));
    }
    if operator.name == "engine" || app.state().agents.keys().any(|agent| agent.as_str() == operator.name) {
        return Err(ApiError::Conflict(format!("{} is a part of the system", operator.name)));
    }
    let token = auth::random_token();
    let hash = auth::hash(&token).await?;
    let now = clock::now();
    let summary = format!("{} may sign in as {:?}", operator.name, operator.role).to_lowercase();
    let change = store::changes::new(ChangeKind::Access, operator.name.clone(), by.name, summary, now);
    let mut db = app.store.begin().await?;
    if !store::operators::insert(&mut db, &operator, &auth::lookup_id(&token), &hash, now).await? {
        return Err(ApiError::Conflict(format!("there is an operator {}", operator.name)));
    }
    store::changes::insert(&mut db, &change).await?;
    db.commit().await?;
    app.remember(&[change]);
    Ok((StatusCode::CREATED, Json(Added { operator, token })))
}

/// Makes a link that signs in once, within 15 minutes.
#[utoipa::path(post, path = "/api/links", request_body = Option<LinkFor>, responses((status = 201, body = Link)))]
pub(super) async fn link(
    Admin(by): Admin,
    State(app): State<Arc<App>>,
    body: Result<Body<LinkFor>, ApiError>,
) -> ApiResult<(StatusCode, Json<Link>)> {
    // Without a body it is for who asks.
    let wanted = match body {
        Ok(Body(wanted)) => wanted,
        Err(ApiError::NotJson) => LinkFor::default(),
        Err(error) => return Err(error),
    };
    let name = wanted.operator.unwrap_or_else(|| by.name.clone());
    let code = auth::random();
    let now = clock::now();
    let expires_at = now + auth::LINK;
    let mut db = app.store.begin().await?;
    if store::operators::by_name(&mut db, &name).await?.is_none() {
        return Err(ApiError::NotFound(format!("there is no operator {name}")));
    }
    store::links::insert(&mut db, &auth::fingerprint(&code), &name, expires_at).await?;
    let change = store::changes::new(
        ChangeKind::Access,
        name.clone(),
        by.name,
        format!("a sign-in link was made for {name}"),
        now,
    );
    store::changes::insert(&mut db, &change).await?;
    db.commit().await?;
    app.remember(&[change]);
    let url = format!("{}/login?code={code}", app.external_url);
    Ok((StatusCode::CREATED, Json(Link { url, expires_at })))
}
