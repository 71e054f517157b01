use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TraceContextExt;
use secrecy::ExposeSecret;
use sentry::protocol::{Breadcrumb, Context, Event, Level, SpanId, TraceContext, TraceId};
use sentry::types::Dsn;
use sentry::{ClientInitGuard, ClientOptions};

use crate::Config;
use crate::scrub::Scrubber;

/// Starts error reports; `None` when there is nowhere to send them.
///
/// A DSN that cannot be read (the example file has one) means the same as none: reporting must not stop work.
pub(crate) fn start(config: &Config, scrubber: &Scrubber, deadline: Duration) -> Option<ClientInitGuard> {
    let dsn: Dsn = config.sentry_dsn.as_ref()?.expose_secret().parse().ok()?;
    let (events, breadcrumbs) = (scrubber.clone(), scrubber.clone());
    let mut options = ClientOptions::default();
    options.dsn = Some(dsn);
    options.release = Some(format!("{}@{}", config.service_name, config.service_version).into());
    options.environment = Some(Cow::Owned(config.environment.clone()));
    options.server_name = config.replica.clone().map(Cow::Owned);
    options.send_default_pii = false;
    options.max_breadcrumbs = 30;
    options.shutdown_timeout = deadline;
    options.before_send = Some(Arc::new(move |event| Some(scrub(&events, with_trace(event)))));
    options.before_breadcrumb = Some(Arc::new(move |breadcrumb| scrub_breadcrumb(&breadcrumbs, breadcrumb)));
    Some(sentry::init(options))
}

/// Names the trace that the error happened in.
fn with_trace(mut event: Event<'static>) -> Event<'static> {
    let current = opentelemetry::Context::current();
    let span = current.span().span_context().clone();
    if span.is_valid() {
        let trace = TraceContext {
            trace_id: TraceId::from(span.trace_id().to_bytes()),
            span_id: SpanId::from(span.span_id().to_bytes()),
            ..TraceContext::default()
        };
        event.contexts.insert("trace".into(), Context::Trace(Box::new(trace)));
    }
    event
}

/// Scrubs the event as the document that is sent, so that no field of it is forgotten.
fn scrub(scrubber: &Scrubber, event: Event<'static>) -> Event<'static> {
    let scrubbed = serde_json::to_value(&event).and_then(|mut document| {
        scrubber.value(&mut document);
        serde_json::from_value(document)
    });
    scrubbed.unwrap_or_else(|_| Event {
        level: Level::Error,
        message: Some("an event that could not be scrubbed was withheld".into()),
        ..Event::default()
    })
}

fn scrub_breadcrumb(scrubber: &Scrubber, breadcrumb: Breadcrumb) -> Option<Breadcrumb> {
    let mut document = serde_json::to_value(&breadcrumb).ok()?;
    scrubber.value(&mut document);
    serde_json::from_value(document).ok()
}
