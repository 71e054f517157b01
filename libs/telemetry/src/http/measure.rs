use std::time::Instant;

use http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::Metrics;

/// Seconds; close together around the targets p50 100 ms, p95 300 ms, p99 500 ms.
const BUCKETS: [f64; 15] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 10.0];

/// What nginx calls a request whose client went away before the answer.
pub(super) const CLIENT_CLOSED: u16 = 499;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug)]
pub(super) struct RequestMetrics {
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

impl RequestMetrics {
    pub(super) fn register(metrics: &Metrics, prefix: &str) -> Self {
        let these = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
        };
        metrics.with(|registry| {
            let registry = registry.sub_registry_with_prefix(prefix);
            // The encoder adds `_total` itself.
            registry.register("http_requests", "Requests answered", these.requests.clone());
            let help = "Seconds until the answer's headers";
            registry.register("http_request_duration_seconds", help, these.durations.clone());
            registry.register("http_requests_in_flight", "Requests being answered", these.in_flight.clone());
        });
        these
    }

    pub(super) fn start(&self, method: &Method, route: String) -> Measurement {
        self.in_flight.inc();
        let method = known_method(method);
        Measurement { metrics: self.clone(), method, route, started: Instant::now(), status: CLIENT_CLOSED }
    }
}

/// One request; counted when dropped, so that a request whose client went away is counted too.
pub(super) struct Measurement {
    metrics: RequestMetrics,
    method: &'static str,
    route: String,
    started: Instant,
    pub(super) status: u16,
}

impl Measurement {
    pub(super) fn took_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        let route = std::mem::take(&mut self.route);
        let labels = Labels { method: self.method, route, status: self.status };
        self.metrics.in_flight.dec();
        self.metrics.requests.get_or_create(&labels).inc();
        self.metrics.durations.get_or_create(&labels).observe(self.started.elapsed().as_secs_f64());
    }
}

/// Clients may invent methods; labels must not.
pub(super) fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
