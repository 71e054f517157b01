use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ops_contract::{ChangeKind, Operator};

use super::body::Fields;
use super::caller::{self, COOKIE, by_token, cookie};
use super::error::{ApiError, ApiResult};
use super::page::html;
use crate::auth::{Door, Identity};
use crate::{App, auth, clock, store};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/login", get(show).post(sign_in)).route("/logout", post(sign_out))
}

/// The code of a one-time link.
#[derive(serde::Deserialize)]
struct Code {
    code: Option<String>,
}

/// What the pages post: a token, or the code of a link.
#[derive(serde::Deserialize)]
struct Given {
    token: Option<String>,
    code: Option<String>,
}

/// Asks for a token; for a link it asks whether to use it, so that previews of links do not use them up.
async fn show(code: Result<Query<Code>, axum::extract::rejection::QueryRejection>) -> Response {
    let nonce = auth::random();
    let page = match code.ok().and_then(|Query(code)| code.code) {
        Some(code) => ops_dashboard::confirm_link_page(&code, &nonce),
        None => ops_dashboard::login_page(None, &nonce),
    };
    html(page, &nonce)
}

async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>,
    method: Method,
    headers: HeaderMap,
    Fields(given): Fields<Given>,
) -> ApiResult<Response> {
    // A page elsewhere must not sign people in as somebody else. Programs send none of these headers.
    if headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN) {
        caller::same_site(&method, &headers, &app.external_url)?;
    }
    let operator = match (given.token, given.code) {
        (Some(token), _) => by_posted_token(&app, token.trim(), peer.ip()).await?,
        (None, Some(code)) => by_code(&app, &code, peer.ip()).await?,
        (None, None) => {
            return Err(ApiError::Unprocessable("the form has neither `token` nor `code`".to_owned()));
        }
    };
    let Some(operator) = operator else {
        let nonce = auth::random();
        let page = ops_dashboard::login_page(Some("That token or link is not good (any more)."), &nonce);
        return Ok((StatusCode::UNAUTHORIZED, html(page, &nonce)).into_response());
    };
    let id = begin_session(&app, &operator).await?;
    let secure = if app.external_url.starts_with("https://") { "; Secure" } else { "" };
    let age = auth::SESSION.as_secs();
    let cookie = format!("{COOKIE}={id}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

async fn by_posted_token(app: &App, token: &str, address: std::net::IpAddr) -> ApiResult<Option<Operator>> {
    if token.is_empty() || token.len() > 512 {
        return Ok(None);
    }
    match by_token(app, token, address, Door::Login).await {
        Ok(Identity::Operator(operator)) => Ok(Some(operator)),
        Ok(Identity::Agent(_)) | Err(ApiError::Unauthorized) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn by_code(app: &App, code: &str, address: std::net::IpAddr) -> ApiResult<Option<Operator>> {
    let now = clock::now();
    if let Some(wait) = app.auth.brake.wait(address, Door::Login, now) {
        return Err(ApiError::TooMany(wait));
    }
    let mut db = app.store.connection().await?;
    match store::links::take(&mut db, &auth::fingerprint(code), now).await? {
        Some(name) => Ok(store::operators::by_name(&mut db, &name).await?),
        None => {
            app.auth.brake.count(address, Door::Login, now);
            Ok(None)
        }
    }
}

async fn begin_session(app: &App, operator: &Operator) -> ApiResult<String> {
    let (id, now) = (auth::random(), clock::now());
    let summary = format!("{} signed in", operator.name);
    let change =
        store::changes::new(ChangeKind::Access, operator.name.clone(), operator.name.clone(), summary, now);
    let mut db = app.store.begin().await?;
    store::sessions::insert(&mut db, &auth::fingerprint(&id), &operator.name, now + auth::SESSION).await?;
    store::changes::insert(&mut db, &change).await?;
    db.commit().await?;
    app.remember(&[change]);
    Ok(id)
}

async fn sign_out(State(app): State<Arc<App>>, method: Method, headers: HeaderMap) -> ApiResult<Response> {
    if let Some(id) = cookie(&headers) {
        caller::same_site(&method, &headers, &app.external_url)?;
        app.auth.forget(&id);
        let mut db = app.store.connection().await?;
        store::sessions::remove(&mut db, &auth::fingerprint(&id)).await?;
    }
    let gone = format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response())
}
