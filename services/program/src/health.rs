//! `/health`, `/health/live`, `/health/ready` and `/metrics`, alike in every program.
//!
//! Alive means that the program answers. Ready means that what it needs answers too and that it is not draining. Checks are short
//! and remembered for a second, so that asking often costs nothing. What is down is named; why stays in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, join_all};
use ops_telemetry::Metrics;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// For how long good news is remembered.
const REMEMBERED: Duration = Duration::from_secs(1);
/// For how long bad news is: whoever waits for a start or a recovery asks often, and should not wait for us.
const DOUBTED: Duration = Duration::from_millis(50);
const DEADLINE: Duration = Duration::from_millis(800);

type Gauge = Box<dyn Fn() -> u64 + Send + Sync>;
type Probe = Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// What a program says of itself.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    name: &'static str,
    replica: String,
    draining: CancellationToken,
    checks: Vec<(&'static str, Probe)>,
    gauges: Vec<(&'static str, Gauge)>,
    metrics: Metrics,
    last: Mutex<Option<(Instant, Readiness)>>,
}

/// The answer of `/health/ready`.
#[derive(Clone, Debug, Serialize)]
struct Readiness {
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Clone, Debug, Serialize)]
struct Check {
    name: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
struct About<'a> {
    status: &'static str,
    service: &'a str,
    version: &'static str,
    replica: &'a str,
}

#[derive(Serialize)]
struct Answer<T> {
    #[serde(flatten)]
    answer: T,
    #[serde(flatten)]
    gauges: BTreeMap<&'static str, u64>,
}

impl Health {
    /// Health without checks; never ready again once `draining` is cancelled.
    pub fn builder(
        name: &'static str,
        replica: String,
        draining: CancellationToken,
        metrics: Metrics,
    ) -> HealthBuilder {
        let (checks, gauges) = (Vec::new(), Vec::new());
        HealthBuilder(Inner { name, replica, draining, checks, gauges, metrics, last: Mutex::default() })
    }

    /// The routes, to be merged outside of everything that limits or counts.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/health", get(about))
            .route("/health/live", get(about))
            .route("/health/ready", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self.clone())
    }

    async fn readiness(&self) -> Readiness {
        if self.0.draining.is_cancelled() {
            return Readiness { status: "draining", checks: Vec::new() };
        }
        let remembered = self.last().clone();
        if let Some((at, readiness)) = remembered
            && at.elapsed() < if readiness.status == "ready" { REMEMBERED } else { DOUBTED }
        {
            return readiness;
        }
        let checks = join_all(self.0.checks.iter().map(|(name, probe)| check(name, probe))).await;
        let status = if checks.iter().all(|check| check.status == "up") { "ready" } else { "not ready" };
        let readiness = Readiness { status, checks };
        *self.last() = Some((Instant::now(), readiness.clone()));
        readiness
    }

    /// Never remembered: a number of a second ago may be another one now.
    fn with_gauges<T: Serialize>(&self, answer: T) -> Json<Answer<T>> {
        let gauges = self.0.gauges.iter().map(|(name, gauge)| (*name, gauge())).collect();
        Json(Answer { answer, gauges })
    }

    fn last(&self) -> MutexGuard<'_, Option<(Instant, Readiness)>> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects the checks.
pub struct HealthBuilder(Inner);

impl HealthBuilder {
    /// Not ready while `probe` fails or takes too long.
    #[must_use]
    pub fn check<F>(mut self, name: &'static str, probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.0.checks.push((name, Box::new(move || Box::pin(probe()))));
        self
    }

    /// Tells a number beside the status, in the answers of `/health`, `/health/live` and `/health/ready`.
    #[must_use]
    pub fn gauge(mut self, name: &'static str, gauge: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.0.gauges.push((name, Box::new(gauge)));
        self
    }

    /// The health.
    pub fn build(self) -> Health {
        Health(Arc::new(self.0))
    }
}

async fn check(name: &'static str, probe: &Probe) -> Check {
    let status = match tokio::time::timeout(DEADLINE, probe()).await {
        Ok(Ok(())) => "up",
        Ok(Err(error)) => {
            tracing::debug!(check = name, error = format!("{error:#}"), "{name} is down");
            "down"
        }
        Err(_) => "timed out",
    };
    Check { name, status }
}

async fn about(State(health): State<Health>) -> Response {
    let about = About {
        status: "ok",
        service: health.0.name,
        version: env!("CARGO_PKG_VERSION"),
        replica: &health.0.replica,
    };
    health.with_gauges(about).into_response()
}

async fn ready(State(health): State<Health>) -> Response {
    let readiness = health.readiness().await;
    let status = if readiness.status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, health.with_gauges(readiness)).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    ops_telemetry::metrics_response(&health.0.metrics)
}
