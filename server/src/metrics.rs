//! The server's own metrics, `ops_*`. Those that mirror the state are written anew at each scrape.

mod queues;
mod scaling;

use std::sync::atomic::AtomicU64;

use ops_contract::{ActionKind, ActionStatus, DependencyStatus, ReplicaPhase};
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use crate::App;
use crate::store::word;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    service: String,
    slot: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    service: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DependencyLabels {
    dependency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    kind: String,
    status: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    pub(crate) signals: Counter,
    actions: Family<ActionLabels, Counter>,
    replica_up: Family<SlotLabels, Gauge>,
    service_ready: Family<ServiceLabels, Gauge>,
    dependency_up: Family<DependencyLabels, Gauge>,
    store_up: Gauge,
    memory: Gauge<u64, AtomicU64>,
    queues: queues::Queues,
    scaling: scaling::Scaling,
}

impl Own {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self {
            queues: queues::Queues::register(metrics),
            scaling: scaling::Scaling::register(metrics),
            ..Self::default()
        };
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_signals", "Signals received from agents", it.signals);
            registry.register("ops_actions", "Actions by kind and how they stand", it.actions);
            registry.register("ops_replica_up", "Whether a wanted replica is ready", it.replica_up);
            registry.register("ops_service_ready", "Ready replicas of a service", it.service_ready);
            registry.register("ops_dependency_up", "Whether a data store answers", it.dependency_up);
            registry.register("ops_store_up", "Whether the server can use its own store", it.store_up);
            registry.register("process_resident_memory_bytes", "Resident memory of the server", it.memory);
        });
        own
    }

    /// Counts an action that came to `status`.
    pub(crate) fn action(&self, kind: ActionKind, status: ActionStatus) {
        let labels =
            ActionLabels { kind: word(&kind).unwrap_or_default(), status: word(&status).unwrap_or_default() };
        self.actions.get_or_create(&labels).inc();
    }

    /// Writes what mirrors the state.
    pub(crate) fn refresh(&self, app: &App) {
        let state = app.state();
        self.replica_up.clear();
        self.service_ready.clear();
        self.dependency_up.clear();
        for (name, service) in &state.services {
            let mut ready = 0;
            for (slot, replica) in ops_engine::wanted_replicas(service) {
                let up = replica.is_some_and(|it| it.phase == ReplicaPhase::Ready);
                ready += i64::from(up);
                let labels = SlotLabels { service: name.to_string(), slot: u32::from(slot) };
                self.replica_up.get_or_create(&labels).set(i64::from(up));
            }
            self.service_ready.get_or_create(&ServiceLabels { service: name.to_string() }).set(ready);
        }
        for (name, store) in &state.dependencies {
            let up = store.status == DependencyStatus::Up;
            self.dependency_up
                .get_or_create(&DependencyLabels { dependency: name.clone() })
                .set(i64::from(up));
        }
        self.queues.refresh(app);
        self.scaling.refresh(app);
        self.store_up.set(i64::from(app.store_fault().is_none()));
        if let Some(bytes) = resident_memory() {
            self.memory.set(bytes);
        }
    }
}

/// Resident memory of this process, where the system tells it.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
