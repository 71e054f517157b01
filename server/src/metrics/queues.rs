//! `ops_queue_*`: queues as last seen. What is too old vanishes instead of being repeated; only its age stays.

use std::sync::atomic::{AtomicU64, Ordering};

use ops_contract::QueueSample;
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::{App, clock};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    store: String,
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    store: String,
    queue: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    store: String,
}

type Seconds = Gauge<f64, AtomicU64>;

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    jobs: Family<JobLabels, Gauge>,
    oldest_age: Family<Labels, Seconds>,
    arrivals: Family<Labels, Counter>,
    finished: Family<Labels, Counter>,
    failed: Family<Labels, Counter>,
    stalled: Family<Labels, Counter>,
    workers: Family<Labels, Gauge>,
    data_age: Family<StoreLabels, Seconds>,
}

impl Queues {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_queue_jobs", "Jobs by state; delayed_due are also delayed", it.jobs);
            registry.register(
                "ops_queue_oldest_age_seconds",
                "How long the oldest claimable job could have been taken; 0 when none waits",
                it.oldest_age,
            );
            registry.register("ops_queue_arrivals", "Jobs that became claimable, retries not", it.arrivals);
            registry.register("ops_queue_finished", "Jobs that ended, well or for good", it.finished);
            registry.register("ops_queue_failed", "Jobs that failed for good", it.failed);
            registry.register("ops_queue_stalled", "Jobs found without a living worker", it.stalled);
            registry.register("ops_queue_workers", "Worker programs that are connected", it.workers);
            registry.register(
                "ops_queue_data_age_seconds",
                "Age of what is known of a store's queues; the queues vanish when it is too old",
                it.data_age,
            );
        });
        own
    }

    /// Writes what mirrors the state.
    pub(super) fn refresh(&self, app: &App) {
        self.clear();
        let now = clock::now();
        for (store, known) in &app.state().queues {
            let Some(last) = &known.last else { continue };
            let labels = StoreLabels { store: store.clone() };
            self.data_age.get_or_create(&labels).set(now.since(known.seen_at).as_secs_f64());
            if ops_engine::queues_fresh(known, now) {
                for (queue, sample) in &last.queues {
                    self.write(Labels { store: store.clone(), queue: queue.clone() }, sample);
                }
            }
        }
    }

    fn clear(&self) {
        self.jobs.clear();
        self.oldest_age.clear();
        self.arrivals.clear();
        self.finished.clear();
        self.failed.clear();
        self.stalled.clear();
        self.workers.clear();
        self.data_age.clear();
    }

    fn write(&self, labels: Labels, it: &QueueSample) {
        let states = [
            ("waiting", it.waiting),
            ("prioritized", it.prioritized),
            ("active", it.active),
            ("delayed", it.delayed),
            ("delayed_due", it.delayed_due),
            ("waiting_children", it.waiting_children),
            ("completed", it.completed),
            ("failed", it.failed),
        ];
        for (state, count) in states {
            let labels = JobLabels { store: labels.store.clone(), queue: labels.queue.clone(), state };
            self.jobs.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.oldest_age.get_or_create(&labels).set(it.oldest_age_s.unwrap_or(0.0));
        self.workers.get_or_create(&labels).set(it.workers.into());
        // The agent counts: its numbers are told as they are, and begin anew with its epoch.
        let counters = [
            (&self.arrivals, it.arrivals_total),
            (&self.finished, it.finished_total()),
            (&self.failed, it.failed_total),
            (&self.stalled, it.stalled_total),
        ];
        for (family, total) in counters {
            family.get_or_create(&labels).inner().store(total, Ordering::Relaxed);
        }
    }
}
