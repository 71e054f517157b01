use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context;
use http::{Request, Response};
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry::{KeyValue, StringValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tokio::runtime::{Builder, Runtime};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::Config;
use crate::scrub::Scrubber;

/// Spans that wait for export; more are dropped.
const QUEUE: usize = 4_096;
const BATCH: usize = 512;
const DELAY: Duration = Duration::from_secs(1);
/// Less than the deadline of a shutdown, so that one lost export does not use it up.
const EXPORT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Makes spans; exports them when an endpoint is configured.
///
/// Without an endpoint spans still get ids: logs, errors and job data carry them.
pub(crate) fn provider(config: &Config, scrubber: &Scrubber) -> anyhow::Result<SdkTracerProvider> {
    let builder = SdkTracerProvider::builder().with_resource(resource(config));
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(builder.build()) };

    let exporter = OtlpExporter::builder()
        .with_http()
        .with_http_client(BlockingClient::new()?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .context("could not set up the export of traces")?;
    let exporter = ScrubbingExporter { inner: exporter, scrubber: scrubber.clone() };
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(DELAY)
        .build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    Ok(builder.with_span_processor(processor).build())
}

/// The layer that turns tracing spans into OpenTelemetry spans, errors on them included.
pub(crate) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let wanted = filter_fn(|metadata| {
        let least = if metadata.is_span() { Level::INFO } else { Level::ERROR };
        *metadata.level() <= least && !metadata.target().starts_with("opentelemetry")
    });
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("insightdesk"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(wanted)
}

fn resource(config: &Config) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.version", config.service_version.clone()),
        KeyValue::new("deployment.environment", config.environment.clone()),
        KeyValue::new("deployment.environment.name", config.environment.clone()),
    ];
    attributes.extend(config.replica.iter().map(|id| KeyValue::new("service.instance.id", id.clone())));
    Resource::builder().with_service_name(config.service_name.clone()).with_attributes(attributes).build()
}

/// Sends from the batch processor's own thread, which has no runtime: one that runs only while it sends.
struct BlockingClient {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: reqwest::Client,
}

impl BlockingClient {
    fn new() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("could not start a runtime for the export of traces")?;
        let client = reqwest::Client::builder()
            .timeout(EXPORT_TIMEOUT)
            // Nobody drives an idle connection between two exports, so none is kept.
            .pool_max_idle_per_host(0)
            .build()
            .context("could not build the client for the export of traces")?;
        Ok(Self { runtime: Some(runtime), client })
    }
}

impl fmt::Debug for BlockingClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockingClient")
    }
}

// The trait is an `async_trait`; this is what its macro would write.
impl HttpClient for BlockingClient {
    fn send_bytes<'life, 'result>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'result>>
    where
        'life: 'result,
        Self: 'result,
    {
        let result = match &self.runtime {
            Some(runtime) => runtime.block_on(self.client.send_bytes(request)),
            None => Err("the client has ended".into()),
        };
        Box::pin(std::future::ready(result))
    }
}

impl Drop for BlockingClient {
    /// A runtime that is dropped inside another one would panic; this one has nothing left to wait for.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Removes secrets from spans before they leave the process.
#[derive(Debug)]
struct ScrubbingExporter<E> {
    inner: E,
    scrubber: Scrubber,
}

impl<E: SpanExporter> SpanExporter for ScrubbingExporter<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            self.scrub(&mut span.attributes);
            for event in &mut span.events.events {
                self.scrub(&mut event.attributes);
                if let Cow::Owned(name) = self.scrubber.text(&event.name) {
                    event.name = name.into();
                }
            }
            if let Status::Error { description } = &mut span.status
                && let Cow::Owned(scrubbed) = self.scrubber.text(description)
            {
                *description = scrubbed.into();
            }
        }
        self.inner.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E> ScrubbingExporter<E> {
    fn scrub(&self, attributes: &mut [KeyValue]) {
        for attribute in attributes {
            if let Value::String(text) = &attribute.value
                && let Cow::Owned(scrubbed) = self.scrubber.text(text.as_str())
            {
                attribute.value = Value::String(StringValue::from(scrubbed));
            }
        }
    }
}
