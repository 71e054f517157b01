//! What is around every request: its deadline, panics, problem details, the headers that browsers heed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures::FutureExt;
use ops_contract::Problem;

use super::error::ApiError;
use super::page::html;
use crate::auth;

/// Longest time to an answer's head. Streams have theirs at once.
const DEADLINE: Duration = Duration::from_secs(30);
/// A long poll may wait 30 s of its own.
const LONG_POLL: Duration = Duration::from_secs(40);
/// An expression may take two minutes of its own.
const QUERY: Duration = Duration::from_secs(130);

pub(super) async fn shell(request: Request, next: Next) -> Response {
    let browser = wants_html(request.headers());
    let path = request.uri().path().to_owned();
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let deadline = match path.as_str() {
        "/agent/lease" => LONG_POLL,
        _ if path.starts_with("/prometheus/") => QUERY,
        _ => DEADLINE,
    };

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => ApiError::Internal(anyhow::anyhow!("a handler panicked")).into_response(),
        Err(_) => ApiError::Deadline.into_response(),
    };
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = id;
        response = render(&problem, response, browser && !path.starts_with("/api"));
    }
    protect(response.headers_mut());
    response
}

fn render(problem: &Problem, mut response: Response, page: bool) -> Response {
    if page && problem.status == StatusCode::UNAUTHORIZED.as_u16() {
        return Redirect::to("/login").into_response();
    }
    if page {
        let nonce = auth::random();
        let status = response.status();
        return (status, html(ops_dashboard::problem_page(problem, &nonce), &nonce)).into_response();
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(serde_json::to_vec(problem).unwrap_or_default());
    response
}

/// Whether a person looks: navigation asks for HTML by name.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn protect(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Not `no-referrer`: under it browsers send `Origin: null` with our own forms, which then look foreign.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}
