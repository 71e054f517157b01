//! `ops_series_*` and `ops_remote_write_*`: what is kept, what was refused, what leaves.

use std::sync::atomic::Ordering;

use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::App;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabels {
    receiver: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    active: Gauge,
    limit: Gauge,
    accepted: Counter,
    refused: Family<ReasonLabels, Counter>,
    unlogged: Gauge,
    log: Gauge,
    segments: Gauge,
    sent: Family<ReceiverLabels, Counter>,
    unwanted: Family<ReceiverLabels, Counter>,
    failures: Family<ReceiverLabels, Counter>,
    waiting: Family<ReceiverLabels, Gauge>,
    dropped: Family<ReceiverLabels, Counter>,
    lost: Family<ReceiverLabels, Counter>,
}

impl Series {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_series_active", "Series that got samples lately", it.active);
            registry.register("ops_series_limit", "Most series that get samples", it.limit);
            registry.register("ops_series_samples", "Samples taken", it.accepted);
            registry.register("ops_series_samples_refused", "Samples not taken, by reason", it.refused);
            registry.register("ops_series_unlogged", "Samples that the log does not have yet", it.unlogged);
            registry.register("ops_series_log_bytes", "Bytes of the log of samples", it.log);
            registry.register("ops_series_segment_bytes", "Bytes of the segments", it.segments);
            registry.register("ops_remote_write_samples", "Samples that the receiver took", it.sent);
            registry.register("ops_remote_write_samples_refused", "Samples it did not want", it.unwanted);
            registry.register("ops_remote_write_failures", "Requests that are tried again", it.failures);
            registry.register("ops_remote_write_queue_bytes", "Bytes that wait for the receiver", it.waiting);
            registry.register("ops_remote_write_dropped_bytes", "Bytes dropped for want of room", it.dropped);
            registry.register("ops_remote_write_samples_lost", "Samples that could not be queued", it.lost);
        });
        own
    }

    /// Writes what mirrors the store and the queues.
    pub(super) fn refresh(&self, app: &App) {
        let stats = app.series.store.stats();
        self.active.set(i64::try_from(stats.series).unwrap_or(i64::MAX));
        self.limit.set(i64::try_from(app.stack.telemetry.max_series).unwrap_or(i64::MAX));
        self.accepted.inner().store(stats.accepted, Ordering::Relaxed);
        let reasons =
            [("duplicate", stats.duplicate), ("too_old", stats.too_old), ("too_many_series", stats.too_many)];
        for (reason, count) in reasons {
            let counter = self.refused.get_or_create(&ReasonLabels { reason });
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.unlogged.set(i64::try_from(stats.unlogged).unwrap_or(i64::MAX));
        self.log.set(i64::try_from(stats.log_bytes).unwrap_or(i64::MAX));
        self.segments.set(i64::try_from(stats.segment_bytes).unwrap_or(i64::MAX));
        for outlet in app.series.outlets() {
            let labels = ReceiverLabels { receiver: outlet.name.clone() };
            let (waiting, dropped) = outlet.queue.bytes();
            self.waiting.get_or_create(&labels).set(i64::try_from(waiting).unwrap_or(i64::MAX));
            self.dropped.get_or_create(&labels).inner().store(dropped, Ordering::Relaxed);
            for (family, count) in [
                (&self.sent, &outlet.sent),
                (&self.unwanted, &outlet.refused),
                (&self.failures, &outlet.failures),
                (&self.lost, &outlet.lost),
            ] {
                family.get_or_create(&labels).inner().store(count.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }
}
