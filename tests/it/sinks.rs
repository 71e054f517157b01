//! Where telemetry ends in a scenario: a real OTLP receiver and a Sentry endpoint, on a free port.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

/// A span as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) trace: String,
}

/// Everything that arrived.
#[derive(Clone, Default)]
pub(crate) struct Sinks {
    spans: Arc<Mutex<Vec<Span>>>,
    envelopes: Arc<Mutex<Vec<Vec<u8>>>>,
    exports: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Sinks {
    /// Listens on `port` until the runtime ends.
    pub(crate) async fn start(port: u16) -> Self {
        let sinks = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(take_spans))
            .route("/api/{project}/envelope/", post(take_envelope))
            .layer(DefaultBodyLimit::max(32 << 20))
            .with_state(sinks.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        sinks
    }

    /// Spans by trace.
    pub(crate) fn traces(&self) -> BTreeMap<String, Vec<Span>> {
        let mut traces: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for span in self.spans.lock().unwrap().iter() {
            traces.entry(span.trace.clone()).or_default().push(span.clone());
        }
        traces
    }

    /// Exports of traces as sent.
    pub(crate) fn exports(&self) -> Vec<Vec<u8>> {
        self.exports.lock().unwrap().clone()
    }

    /// Sentry envelopes as sent.
    pub(crate) fn envelopes(&self) -> Vec<Vec<u8>> {
        self.envelopes.lock().unwrap().clone()
    }
}

async fn take_spans(State(sinks): State<Sinks>, headers: HeaderMap, body: Bytes) {
    let bytes = unpack(&headers, &body);
    let request = ExportTraceServiceRequest::decode(&*bytes).unwrap();
    sinks.exports.lock().unwrap().push(bytes);
    for resource_spans in request.resource_spans {
        let attributes = resource_spans.resource.map(|it| it.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name");
        for span in resource_spans.scope_spans.into_iter().flat_map(|it| it.spans) {
            let trace = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
            sinks.spans.lock().unwrap().push(Span { service: service.clone(), name: span.name, trace });
        }
    }
}

async fn take_envelope(State(sinks): State<Sinks>, headers: HeaderMap, body: Bytes) -> &'static str {
    sinks.envelopes.lock().unwrap().push(unpack(&headers, &body));
    "{}"
}

fn unpack(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    if headers.get("content-encoding").is_none_or(|encoding| encoding != "gzip") {
        return body.to_vec();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let value = attributes
        .iter()
        .find(|it| it.key == key)
        .and_then(|it| it.value.as_ref())
        .and_then(|it| it.value.as_ref());
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        _ => String::new(),
    }
}
