use std::collections::HashMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use ops_telemetry::http::RequestLayer;
use ops_telemetry::{Config, Metrics, propagation};
use prost::Message;
use tracing::{Instrument, info_span};

use crate::support::{Sink, end, serve};

fn spans(sink: &Sink) -> (Vec<Span>, HashMap<String, String>) {
    let (mut spans, mut resource) = (Vec::new(), HashMap::new());
    for body in sink.bodies() {
        let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
        for group in request.resource_spans {
            for attribute in group.resource.into_iter().flat_map(|resource| resource.attributes) {
                resource.insert(attribute.key, format!("{:?}", attribute.value));
            }
            spans.extend(group.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    (spans, resource)
}

fn find<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} in {spans:?}"))
}

#[tokio::test]
async fn a_trace_goes_through_http_and_job_data_to_a_collector() {
    let sink = Sink::default();
    let mut config = Config::new("insightdesk-api").with_secrets(["planted-secret-1".into()]);
    config.otlp_endpoint = Some(format!("http://{}/", sink.start().await));
    config.replica = Some("api/1".into());
    config.log_level = "silent".into();
    let (subscriber, guard) = config.build().expect("telemetry");
    let _default = tracing::subscriber::set_default(subscriber);

    let tickets = post(async || {
        tracing::error!(reason = "planted-secret-1 is wrong", "could not reach planted-secret-1");
        propagation::to_job().expect("inside a trace")
    });
    let app = Router::new().route("/v1/tickets/{id}", tickets).layer(RequestLayer::new(&Metrics::new(), "t"));
    let server = serve(app).await;

    let carrier = async {
        let mut request = reqwest::Client::new().post(format!("http://{server}/v1/tickets/7?token=x"));
        let mut headers = http::HeaderMap::new();
        propagation::inject_headers(&mut headers);
        request = request.headers(headers);
        request.send().await.expect("an answer").text().await.expect("a text")
    }
    .instrument(info_span!("client"))
    .await;
    let job = info_span!("job");
    propagation::set_parent(&job, propagation::from_job(&carrier));
    job.in_scope(|| ());
    drop(job);
    end(guard).await;

    let (spans, resource) = spans(&sink);
    let (client, request, job) =
        (find(&spans, "client"), find(&spans, "POST /v1/tickets/{id}"), find(&spans, "job"));
    assert_eq!(request.trace_id, client.trace_id);
    assert_eq!(request.parent_span_id, client.span_id);
    assert_eq!(job.trace_id, client.trace_id);
    assert_eq!(job.parent_span_id, request.span_id);
    assert!(resource["service.name"].contains("insightdesk-api"));
    assert!(resource["service.instance.id"].contains("api/1"));
    assert!(resource.contains_key("service.version") && resource.contains_key("deployment.environment"));
    assert!(!format!("{spans:?}").contains("planted-secret-1"), "{spans:?}");
    assert!(!format!("{spans:?}").contains("token=x"), "{spans:?}");
}

#[tokio::test]
async fn collectors_that_never_answer_block_nothing() {
    // It takes connections and is silent, the worst that a collector can do.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("an address");
    let mut config = Config::new("x");
    config.otlp_endpoint = Some(format!("http://{address}"));
    config.sentry_dsn = Some(format!("http://publickey@{address}/1").into());
    config.log_level = "silent".into();
    let (subscriber, guard) = config.build().expect("telemetry");
    let _default = tracing::subscriber::set_default(subscriber);

    let began = Instant::now();
    for number in 0..20_000 {
        info_span!("work", number).in_scope(|| ());
        if number % 100 == 0 {
            tracing::error!(number, "could not work");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20), "spans waited for the collector");
    let ending = Instant::now();
    end(guard).await;
    // Two seconds for both together, and room for a busy machine.
    assert!(ending.elapsed() < Duration::from_secs(4), "shutdown took {:?}", ending.elapsed());
}

#[tokio::test]
async fn rubbish_starts_a_new_trace() {
    let mut config = Config::new("x");
    config.log_level = "silent".into();
    let (subscriber, _guard) = config.build().expect("telemetry");
    let _default = tracing::subscriber::set_default(subscriber);
    let long = format!(r#"{{"traceparent":"{}"}}"#, "0".repeat(100_000));
    for rubbish in ["", "{", "[]", r#"{"traceparent":1}"#, r#"{"traceparent":"00-zz-1-01"}"#, &long] {
        let span = info_span!("job");
        propagation::set_parent(&span, propagation::from_job(rubbish));
        assert!(span.in_scope(propagation::current_trace_id).is_some(), "{rubbish:.40}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_an_error() {
    let mut config = Config::new("x");
    config.otlp_endpoint = Some("not a url".into());
    let error = config.build().map(|_| ()).expect_err("it cannot be used");
    assert!(format!("{error:#}").starts_with("could not set up the export of traces"), "{error:#}");
}
