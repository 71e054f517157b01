use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use ops_telemetry::http::RequestLayer;
use ops_telemetry::{Config, Metrics};
use sentry_types::protocol::v7::{Context, Envelope, EnvelopeItem, Event};
use tower::ServiceExt;

use crate::support::{Sink, end};

const SECRETS: [&str; 3] = ["planted-secret-1", "planted-secret-2", "planted-secret-3"];

/// The one event that arrived, in an envelope without secrets.
fn only_event(sink: &Sink) -> Event<'static> {
    let bodies = sink.bodies();
    for body in &bodies {
        let text = String::from_utf8_lossy(body);
        for secret in ["planted-secret", "never-listed"] {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
    let envelopes = bodies.iter().map(|body| Envelope::from_slice(body).expect("an envelope"));
    let items = envelopes.flat_map(|envelope| envelope.into_items().collect::<Vec<_>>());
    let mut events: Vec<_> = items
        .filter_map(|item| match item {
            EnvelopeItem::Event(event) => Some(*event),
            _ => None,
        })
        .collect();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

#[tokio::test]
async fn a_panic_is_reported_without_secrets() {
    let sink = Sink::default();
    let mut config = Config::new("insightdesk-worker").with_secrets(SECRETS.map(Into::into));
    config.sentry_dsn = Some(format!("http://publickey@{}/1", sink.start().await).into());
    config.log_level = "silent".into();
    let (_subscriber, guard) = config.build().expect("telemetry");
    let outcome = std::panic::catch_unwind(|| panic!("a bug with planted-secret-1"));
    assert!(outcome.is_err());
    end(guard).await;
    let event = only_event(&sink);
    let exception = event.exception.values.first().expect("an exception");
    assert_eq!(exception.value.as_deref(), Some("a bug with [redacted]"));
}

#[tokio::test]
async fn an_error_report_names_its_request_and_holds_no_secret() {
    let sink = Sink::default();
    let mut config = Config::new("insightdesk-api").with_secrets(SECRETS.map(Into::into));
    config.sentry_dsn = Some(format!("http://publickey@{}/1", sink.start().await).into());
    config.environment = "staging".into();
    config.log_level = "silent".into();
    let (subscriber, guard) = config.build().expect("telemetry");
    let _default = tracing::subscriber::set_default(subscriber);

    let broken = get(async || {
        tracing::info!(note = "planted-secret-1", "looking up planted-secret-2");
        sentry::configure_scope(|scope| {
            scope.set_extra("detail", "a planted-secret-1 inside".into());
            scope.set_extra("apiToken", "never-listed-4".into());
            scope.set_tag("session_token", "never-listed-5");
        });
        tracing::error!(
            password = "never-listed-6",
            detail = "planted-secret-3",
            "could not sign in with planted-secret-1 at postgres://desk:never-listed-7@db/x"
        );
    });
    let app = Router::new().route("/v1/auth/{way}", broken).layer(RequestLayer::new(&Metrics::new(), "t"));
    let request = Request::builder()
        .uri("/v1/auth/sign-in?token=never-listed-8")
        .header("authorization", "Bearer never-listed-9")
        .header("cookie", "session=never-listed-10")
        .header("x-request-id", "request-7")
        .header("user-agent", "test planted-secret-2")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .body(Body::empty())
        .expect("a request");
    app.oneshot(request).await.expect("infallible");
    end(guard).await;

    let event = only_event(&sink);
    let message = event.message.expect("a message");
    assert_eq!(message, "could not sign in with [redacted] at postgres://desk:[redacted]@db/x");
    assert_eq!(event.environment.as_deref(), Some("staging"));
    assert!(event.release.is_some_and(|release| release.starts_with("insightdesk-api@")));
    assert_eq!(event.transaction.as_deref(), Some("GET /v1/auth/{way}"));
    assert_eq!(event.tags.get("request_id").map(String::as_str), Some("request-7"));
    let request = event.request.expect("request context");
    assert_eq!(request.method.as_deref(), Some("GET"));
    assert!(request.headers.contains_key("user-agent") && !request.headers.contains_key("authorization"));
    let Some(Context::Trace(trace)) = event.contexts.get("trace") else { panic!("no trace context") };
    assert_eq!(trace.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert!(!event.breadcrumbs.values.is_empty(), "what happened before is told too");
}
