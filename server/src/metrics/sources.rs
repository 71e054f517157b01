//! `ops_audit_source_*` and `ops_audit_vault_devices`: what other systems tell of accesses, and whether they can.

use std::sync::atomic::Ordering;

use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::App;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VaultLabels {
    vault: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    taken: Family<SourceLabels, Counter>,
    refused: Family<SourceLabels, Counter>,
    rubbish: Family<SourceLabels, Counter>,
    in_clear: Family<SourceLabels, Counter>,
    devices: Family<VaultLabels, Gauge>,
    unknown: Family<VaultLabels, Gauge>,
}

impl Sources {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_audit_source_entries", "Lines of a source that are in the log", it.taken);
            registry.register("ops_audit_source_refused", "Lines that could not be recorded", it.refused);
            registry.register("ops_audit_source_rubbish", "What was no line of a device", it.rubbish);
            registry.register("ops_audit_source_in_clear", "Lines with values in clear", it.in_clear);
            registry.register("ops_audit_vault_devices", "Audit devices that the vault has on", it.devices);
            registry.register(
                "ops_audit_vault_unknown",
                "1: the vault does not say which it has",
                it.unknown,
            );
        });
        own
    }

    /// Writes what mirrors the sources.
    pub(super) fn refresh(&self, app: &App) {
        for (source, counts) in app.sources.counts() {
            let labels = SourceLabels { source: source.to_owned() };
            let families = [&self.taken, &self.refused, &self.rubbish, &self.in_clear];
            for (family, count) in families.into_iter().zip(counts) {
                family.get_or_create(&labels).inner().store(count, Ordering::Relaxed);
            }
        }
        let Some((vault, devices)) = app.sources.vault_devices() else { return };
        let labels = VaultLabels { vault };
        self.unknown.get_or_create(&labels).set(i64::from(devices.is_none()));
        // What is unknown has no number.
        match devices {
            Some(count) => {
                self.devices.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
            None => {
                self.devices.remove(&labels);
            }
        }
    }
}
