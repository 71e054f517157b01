use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SdkTracerProvider;
use sentry::ClientInitGuard;
use sentry::integrations::tracing::{BreadcrumbLayer, ErrorLayer};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::scrub::Scrubber;
use crate::{Config, errors, logs, traces};

/// How long the end of a program waits for collectors that do not answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Keeps telemetry running; flushes it when dropped, within two seconds.
#[must_use = "telemetry ends when the guard is dropped"]
#[derive(Debug)]
pub struct Guard {
    provider: SdkTracerProvider,
    sentry: Option<SentryGuard>,
    ended: bool,
}

struct SentryGuard(ClientInitGuard);

impl std::fmt::Debug for SentryGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentryGuard")
    }
}

/// Installs telemetry for the whole process. Call once, first thing in `main`.
///
/// # Errors
///
/// When it was called before, or the OTLP endpoint cannot be used.
pub fn init(config: Config) -> anyhow::Result<Guard> {
    let (subscriber, guard) = config.build()?;
    subscriber.try_init()?;
    Ok(guard)
}

impl Config {
    /// Makes the subscriber without installing it, for tests inside one process. Error reports are started.
    ///
    /// # Errors
    ///
    /// When the OTLP endpoint cannot be used.
    pub fn build(self) -> anyhow::Result<(impl Subscriber + Send + Sync + 'static, Guard)> {
        // Every TLS client of the process uses it. Someone else's choice, made earlier, is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let scrubber = Scrubber::new(self.secrets.iter().chain(&self.sentry_dsn));
        let provider = traces::provider(&self, &scrubber)?;
        let sentry = errors::start(&self, &scrubber, DEADLINE);
        let before = filter_fn(|metadata| matches!(*metadata.level(), Level::WARN | Level::INFO));
        let breadcrumbs = sentry.is_some().then(|| BreadcrumbLayer::new().with_filter(before));
        let reports = sentry.is_some().then(|| ErrorLayer::new().with_filter(LevelFilter::ERROR));
        let subscriber = tracing_subscriber::registry()
            .with(traces::layer(&provider))
            .with(breadcrumbs)
            .with(reports)
            .with(logs::layer(&self, &scrubber));
        let guard = Guard { provider, sentry: sentry.map(SentryGuard), ended: false };
        Ok((subscriber, guard))
    }
}

impl Guard {
    /// Sends what is still queued, for at most two seconds. Blocks the thread meanwhile.
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // Both at once: two collectors that are away cost one deadline, not two. On threads of their own: a full
        // queue makes Sentry's flush wait without any deadline, and such a thread is left to the process's end.
        let (done, ended) = mpsc::channel();
        let (provider, traces_done) = (self.provider.clone(), done.clone());
        let mut waiting = 0;
        let traces = move || {
            // What did not get out in time is lost, and there is nobody left to tell.
            let _ = provider.shutdown_with_timeout(DEADLINE);
            let _ = traces_done.send(());
        };
        waiting += usize::from(thread::Builder::new().spawn(traces).is_ok());
        if let Some(SentryGuard(client)) = self.sentry.take() {
            let reports = move || {
                client.close(Some(DEADLINE));
                // Dropping it would close it once more and wait once more.
                std::mem::forget(client);
                let _ = done.send(());
            };
            waiting += usize::from(thread::Builder::new().spawn(reports).is_ok());
        }
        let deadline = Instant::now() + DEADLINE;
        for _ in 0..waiting {
            let _ = ended.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
