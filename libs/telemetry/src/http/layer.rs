use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::MatchedPath;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use sentry::SentryFutureExt;
use tower::{Layer, Service};
use tracing::{Instrument, Span, debug, field, info, info_span};
use uuid::Uuid;

use super::context;
use super::measure::{Measurement, RequestMetrics, known_method};
use crate::{Metrics, propagation};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_REQUEST_ID: usize = 64;
/// The route of every request that no route matches.
const UNMATCHED: &str = "unmatched";

/// Observes requests; put it on an axum `Router` with `layer`, outermost.
#[derive(Clone, Debug)]
pub struct RequestLayer {
    metrics: RequestMetrics,
}

/// A service whose requests are observed.
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    metrics: RequestMetrics,
}

impl RequestLayer {
    /// Registers `{prefix}_http_…`; make one layer for each prefix and clone it.
    pub fn new(metrics: &Metrics, prefix: &str) -> Self {
        Self { metrics: RequestMetrics::register(metrics, prefix) }
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> RequestService<S> {
        RequestService { inner, metrics: self.metrics.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for RequestService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    R: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or(UNMATCHED, MatchedPath::as_str).to_owned();
        let method = known_method(request.method());
        let (id_text, id) = request_id(request.headers());
        request.headers_mut().insert(REQUEST_ID, id.clone());

        let span = server_span(method, &route, &id_text);
        propagation::set_parent(&span, propagation::extract_headers(request.headers()));
        let hub = context::hub(method, &route, &id_text, request.headers());
        let measurement = self.metrics.start(request.method(), route);
        let answer = span.in_scope(|| self.inner.call(request));

        let observed = observe(answer, measurement, id, span.clone()).instrument(span);
        match hub {
            Some(hub) => Box::pin(observed.bind_hub(hub)),
            None => Box::pin(observed),
        }
    }
}

fn server_span(method: &str, route: &str, request_id: &str) -> Span {
    info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        request.id = request_id,
    )
}

async fn observe<F, R, E>(
    answer: F,
    mut measurement: Measurement,
    id: HeaderValue,
    span: Span,
) -> Result<Response<R>, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    let mut answer = answer.await;
    let status = answer.as_ref().map_or(500, |response| response.status().as_u16());
    measurement.status = status;
    span.record("http.response.status_code", status);
    let took_ms = measurement.took_ms();
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
        info!(status, took_ms, "request failed");
    } else {
        debug!(status, took_ms, "request answered");
    }
    if let Ok(response) = &mut answer {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

/// The caller's id where it is a harmless one, else a new one.
fn request_id(headers: &HeaderMap) -> (String, HeaderValue) {
    let harmless = |id: &&str| {
        (1..=LONGEST_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(harmless);
    let text = given.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"));
    (text, value)
}
