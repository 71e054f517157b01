//! `ops_notifications_*`, `ops_deliveries*`: does what is told arrive?

use ops_contract::{AttemptOutcome, Timestamp};
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::store::deliveries::Waiting;
use crate::store::word;
use crate::{App, clock};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    receiver: String,
    integration: String,
    outcome: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    attempts: Family<Labels, Counter>,
    waiting: Gauge,
    oldest: Gauge,
    heartbeat_age: Family<JobLabels, Gauge>,
    heartbeat_longest: Family<JobLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    heartbeat: String,
}

impl Paging {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            let help = "Attempts to tell a receiver, by how they ended";
            registry.register("ops_delivery_attempts", help, it.attempts);
            registry.register("ops_deliveries_waiting", "Deliveries that have not arrived yet", it.waiting);
            let help = "Seconds since the oldest delivery waits that has not arrived yet; 0 without one";
            registry.register("ops_deliveries_oldest_age_seconds", help, it.oldest);
            let help = "Seconds since a job reported in last, or was first expected to";
            registry.register("ops_heartbeat_age_seconds", help, it.heartbeat_age);
            let help = "Longest pause between two reports of a job, in seconds, by the stack file";
            registry.register("ops_heartbeat_longest_pause_seconds", help, it.heartbeat_longest);
        });
        own
    }

    /// Counts an attempt.
    pub(crate) fn count(&self, it: &Waiting, outcome: AttemptOutcome) {
        let outcome = word(&outcome).unwrap_or_default();
        let labels = Labels { receiver: it.receiver.clone(), integration: it.integration.clone(), outcome };
        self.attempts.get_or_create(&labels).inc();
    }

    pub(super) fn refresh(&self, app: &App) {
        let (waiting, since) = app.paging.backlog();
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        let now = clock::now();
        let age = since.map_or(0, |at: Timestamp| now.since(at).as_secs());
        self.oldest.set(i64::try_from(age).unwrap_or(i64::MAX));
        for (name, at) in app.paging.heartbeats() {
            let Some(longest) = app.stack.alerts.heartbeats.get(&name) else { continue };
            let labels = JobLabels { heartbeat: name };
            let age = now.since(at).as_secs();
            self.heartbeat_age.get_or_create(&labels).set(i64::try_from(age).unwrap_or(i64::MAX));
            self.heartbeat_longest.get_or_create(&labels).set(i64::try_from(*longest).unwrap_or(i64::MAX));
        }
    }
}
