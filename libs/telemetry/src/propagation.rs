//! Carries the trace across processes: in HTTP headers and in job data (W3C `traceparent`).
//!
//! The form in job data is the one of npm `bullmq-otel`: `opts.tm` is a JSON text of the carrier. What comes in
//! is never trusted beyond being a trace context: anything else starts a new trace.

use std::collections::HashMap;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Longest carrier text that is read.
const LONGEST_CARRIER: usize = 4 * 1024;

/// Writes the current span's context into a carrier.
pub fn inject_into(carrier: &mut HashMap<String, String>) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), carrier);
}

/// Reads a context from a carrier; an empty context when it holds none.
pub fn extract_from(carrier: &HashMap<String, String>) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), carrier)
}

/// Writes the current span's context into the headers of a request that goes out.
pub fn inject_headers(headers: &mut HeaderMap) {
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
}

/// Reads a context from the headers of a request that came in.
pub fn extract_headers(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers))
}

/// The current span's context as a job's `opts.tm`; `None` outside any trace.
pub fn to_job() -> Option<String> {
    let mut carrier = HashMap::new();
    inject_into(&mut carrier);
    carrier.contains_key("traceparent").then(|| serde_json::to_string(&carrier).ok())?
}

/// Reads a context from a job's `opts.tm`; an empty context when it holds none.
pub fn from_job(carrier: &str) -> Context {
    if carrier.len() > LONGEST_CARRIER {
        return Context::new();
    }
    match serde_json::from_str::<HashMap<String, String>>(carrier) {
        Ok(carrier) => extract_from(&carrier),
        Err(_) => Context::new(),
    }
}

/// Makes `span` a child of `parent`. Call it before the span is entered for the first time.
pub fn set_parent(span: &Span, parent: Context) {
    if parent.span().span_context().is_valid() {
        // Fails only without a subscriber, when there is no span to give a parent to.
        let _ = span.set_parent(parent);
    }
}

/// The current trace's id, for error pages and answers; `None` outside any trace.
pub fn current_trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}
