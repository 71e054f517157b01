//! The routes. One file per noun; `problem` alone maps failures to answers.
//!
//! Limits, in the order in which a request meets them: address (rate limit), size of the body, time, token, fields.

mod auth;
mod body;
mod caller;
mod limit;
mod problem;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, extract::Request};
use ops_telemetry::Metrics;
use ops_telemetry::http::RequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::Config;
use crate::app::App;
use problem::Problem;

/// The largest body.
const MOST_BYTES: usize = 1 << 20;

/// How long one request may take, its body included.
const DEADLINE: Duration = Duration::from_secs(15);

/// Hands a write's position on, for reads elsewhere.
pub(crate) const READ_AFTER: HeaderName = HeaderName::from_static("x-read-after");

/// Tells where an answer was read.
pub(crate) const READ_FROM: HeaderName = HeaderName::from_static("x-read-from");

/// Every route of the product, without health and metrics.
pub(crate) fn router(app: Arc<App>, config: &Config, metrics: &Metrics) -> Router {
    let limit = config.rate_limit.map(|rate| Arc::new(limit::Limit::new(app.valkey.clone(), rate)));
    Router::new()
        .route("/v1/auth/sign-in", post(auth::sign_in))
        .route("/v1/auth/refresh", post(auth::refresh))
        .route("/v1/tickets", get(tickets::list).post(tickets::create))
        .route("/v1/tickets/{id}", get(tickets::get).patch(tickets::update))
        .route("/v1/tickets/{id}/messages", post(tickets::reply))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this route has other methods")
        })
        .fallback(async || Problem::not_found("there is no such route"))
        .with_state(app)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(limit, limited))
        .layer(CatchPanicLayer::custom(|_| Problem::internal("a handler panicked").into_response()))
        .layer(cors(&config.cors_origins))
        .layer(RequestLayer::new(metrics, "insightdesk"))
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the request took too long").into_response(),
    }
}

async fn limited(State(limit): State<Option<Arc<limit::Limit>>>, request: Request, next: Next) -> Response {
    let Some(limit) = limit else { return next.run(request).await };
    match limit.admit(limit::address(&request)).await {
        Ok(()) => next.run(request).await,
        Err(retry_after) => {
            let mut response =
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests from this address")
                    .into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
            response
        }
    }
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PATCH])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            READ_AFTER,
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([READ_AFTER])
        .max_age(Duration::from_secs(3600))
}
