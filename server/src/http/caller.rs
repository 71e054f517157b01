//! Who asks, as the first argument of a handler: [`Viewer`], [`Doer`], [`Admin`] or [`Agent`];
//! [`Reader`], [`Sender`] or [`Writer`] where programs come that cannot send a bearer token.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ops_contract::{AgentName, Operator, Role};

use super::error::ApiError;
use super::record::Witness;
use crate::auth::{Door, Identity};
use crate::{App, clock};

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "insightdesk_session";

/// Anybody who has signed in.
pub(super) struct Viewer(pub(super) Operator);

/// Who may restart and scale.
pub(super) struct Doer(pub(super) Operator);

/// Who may make tokens and stop the stack.
pub(super) struct Admin(pub(super) Operator);

/// An agent.
pub(super) struct Agent(pub(super) AgentName);

/// A [`Viewer`] who may also send the token as password of HTTP basic auth, which is what Grafana and promtool can do.
pub(super) struct Reader;

/// A [`Doer`] who may also send the token as password of HTTP basic auth, which is what Prometheus and amtool can do.
pub(super) struct Sender(pub(super) Operator);

/// Who brings samples: an operator or an agent; basic auth is taken too.
pub(super) struct Writer;

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        basic_as_bearer(parts);
        operator(parts, app, Role::Viewer).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        basic_as_bearer(parts);
        operator(parts, app, Role::Operator).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        basic_as_bearer(parts);
        match identity(parts, app, Door::Api).await? {
            Identity::Agent(_) => Ok(Self),
            Identity::Operator(_) => operator(parts, app, Role::Operator).await.map(|_| Self),
        }
    }
}

/// Puts the password of HTTP basic auth where a token is looked for; the name before it may be anything.
fn basic_as_bearer(parts: &mut Parts) {
    let given = parts.headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let pair = given.and_then(|it| it.strip_prefix("Basic ")).filter(|it| it.len() <= 2_048);
    let pair = pair.and_then(|it| STANDARD.decode(it.trim()).ok()).and_then(|it| String::from_utf8(it).ok());
    let token = pair.as_deref().and_then(|it| it.split_once(':')).map(|(_, password)| password);
    if let Some(bearer) = token.and_then(|it| HeaderValue::from_str(&format!("Bearer {it}")).ok()) {
        parts.headers.insert(header::AUTHORIZATION, bearer);
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        operator(parts, app, Role::Viewer).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Doer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        operator(parts, app, Role::Operator).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        operator(parts, app, Role::Admin).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match identity(parts, app, Door::Agent).await? {
            Identity::Agent(name) => Ok(Self(name)),
            Identity::Operator(_) => Err(ApiError::Forbidden("only agents may come here".to_owned())),
        }
    }
}

/// From where the request came.
pub(super) struct Remote(pub(super) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Remote {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(address(parts)))
    }
}

async fn operator(parts: &Parts, app: &App, least: Role) -> Result<Operator, ApiError> {
    let identity = identity(parts, app, Door::Api).await?;
    if let (Identity::Operator(operator), Some(witness)) = (&identity, parts.extensions.get::<Witness>()) {
        witness.saw(operator);
    }
    match identity {
        Identity::Operator(operator) if operator.role >= least => Ok(operator),
        Identity::Operator(operator) => Err(ApiError::Forbidden(format!(
            "{} may not do this: it takes the role {}",
            operator.name,
            format!("{least:?}").to_lowercase()
        ))),
        Identity::Agent(_) => Err(ApiError::Forbidden("an agent's token opens /agent only".to_owned())),
    }
}

async fn identity(parts: &Parts, app: &App, door: Door) -> Result<Identity, ApiError> {
    let now = clock::now();
    if let Some(given) = parts.headers.get(header::AUTHORIZATION) {
        let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
        let token = token.filter(|it| !it.is_empty() && it.len() <= 512).ok_or(ApiError::Unauthorized)?;
        return by_token(app, token, address(parts), door).await;
    }
    if let Some(id) = cookie(&parts.headers) {
        same_site(&parts.method, &parts.headers, &app.external_url)?;
        if let Some(operator) = app.auth.by_session(&app.store, &id, app.store_fault().is_some(), now).await?
        {
            return Ok(Identity::Operator(operator));
        }
    }
    Err(ApiError::Unauthorized)
}

/// Whose token it is. Wrong tries are counted and then refused; a token known to be good always passes.
pub(super) async fn by_token(
    app: &App,
    token: &str,
    address: IpAddr,
    door: Door,
) -> Result<Identity, ApiError> {
    let now = clock::now();
    if !app.auth.is_known(token)
        && let Some(wait) = app.auth.brake.wait(address, door, now)
    {
        return Err(ApiError::TooMany(wait));
    }
    match app.auth.by_token(&app.store, token, app.store_fault().is_some(), now).await? {
        Some(identity) => Ok(identity),
        None => {
            app.auth.brake.count(address, door, now);
            Err(ApiError::Unauthorized)
        }
    }
}

/// From where the request came.
pub(super) fn address(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip())
}

/// The session's id in the cookies.
pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == COOKIE && !value.is_empty() && value.len() <= 128)
        .map(|(_, value)| value.to_owned())
}

/// A browser sends the cookie along whoever made it ask; what changes something must come from our own pages.
pub(super) fn same_site(method: &Method, headers: &HeaderMap, external_url: &str) -> Result<(), ApiError> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text("host").unwrap_or_default();
            origin == external_url || origin.split_once("://").is_some_and(|(_, it)| it == host)
        }
        (None, None) => false,
    };
    if own { Ok(()) } else { Err(ApiError::Forbidden("this request came from another site".to_owned())) }
}
