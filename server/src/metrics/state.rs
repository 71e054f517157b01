//! `ops_replica_*`, `ops_service_*`, `ops_dependency_up`, `ops_agent_up`: the state as series. What is unknown is absent,
//! never 0: a rule must be able to tell the two apart.

use std::sync::atomic::{AtomicU64, Ordering};

use ops_contract::{DependencyStatus, ReplicaPhase, ReplicaState, ServiceState, ServiceStatus};
use ops_engine::STALE_AFTER;
use ops_telemetry::Metrics;
use ops_telemetry::prometheus_client::encoding::EncodeLabelSet;
use ops_telemetry::prometheus_client::metrics::counter::Counter;
use ops_telemetry::prometheus_client::metrics::family::Family;
use ops_telemetry::prometheus_client::metrics::gauge::Gauge;

use super::ServiceLabels;
use crate::{App, clock};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    service: String,
    slot: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DependencyLabels {
    dependency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgentLabels {
    agent: String,
}

/// Handles of the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    replica_up: Family<SlotLabels, Gauge>,
    replica_gave_up: Family<SlotLabels, Gauge>,
    replica_failures: Family<SlotLabels, Gauge>,
    replica_restarts: Family<SlotLabels, Counter>,
    replica_cpu: Family<SlotLabels, Gauge<f64, AtomicU64>>,
    replica_memory: Family<SlotLabels, Gauge<u64, AtomicU64>>,
    service_ready: Family<ServiceLabels, Gauge>,
    service_desired: Family<ServiceLabels, Gauge>,
    service_up: Family<ServiceLabels, Gauge>,
    dependency_up: Family<DependencyLabels, Gauge>,
    agent_up: Family<AgentLabels, Gauge>,
}

impl State {
    pub(super) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        let it = own.clone();
        metrics.with(|registry| {
            registry.register("ops_replica_up", "Whether a wanted replica is ready", it.replica_up);
            registry.register(
                "ops_replica_gave_up",
                "Whether a replica failed so often that it is no longer started",
                it.replica_gave_up,
            );
            registry.register(
                "ops_replica_failures",
                "Failures of a replica inside its restart window",
                it.replica_failures,
            );
            registry.register(
                "ops_replica_restarts",
                "Starts of a slot after its first, for whatever reason",
                it.replica_restarts,
            );
            registry.register("ops_replica_cpu_cores", "Cores that a replica uses", it.replica_cpu);
            registry.register("ops_replica_memory_bytes", "Resident memory of a replica", it.replica_memory);
            registry.register("ops_service_ready", "Ready replicas of a service", it.service_ready);
            registry.register("ops_service_desired", "Wanted replicas of a service", it.service_desired);
            registry.register("ops_service_up", "Whether users are served, fully or not", it.service_up);
            registry.register("ops_dependency_up", "Whether a data store answers", it.dependency_up);
            registry.register("ops_agent_up", "Whether an agent was heard a moment ago", it.agent_up);
        });
        own
    }

    /// Writes what mirrors the state.
    pub(super) fn refresh(&self, app: &App) {
        self.clear();
        let state = app.state();
        for (name, service) in &state.services {
            self.service(name.as_str(), service);
        }
        for (name, store) in &state.dependencies {
            let up = match store.status {
                DependencyStatus::Up => 1,
                DependencyStatus::Down => 0,
                DependencyStatus::Unknown => continue,
            };
            self.dependency_up.get_or_create(&DependencyLabels { dependency: name.clone() }).set(up);
        }
        let now = clock::now();
        for (agent, seen) in &state.agents {
            let up = i64::from(now.since(*seen) < STALE_AFTER);
            self.agent_up.get_or_create(&AgentLabels { agent: agent.to_string() }).set(up);
        }
    }

    fn clear(&self) {
        self.replica_up.clear();
        self.replica_gave_up.clear();
        self.replica_failures.clear();
        self.replica_restarts.clear();
        self.replica_cpu.clear();
        self.replica_memory.clear();
        self.service_ready.clear();
        self.service_desired.clear();
        self.service_up.clear();
        self.dependency_up.clear();
        self.agent_up.clear();
    }

    fn service(&self, name: &str, service: &ServiceState) {
        let labels = ServiceLabels { service: name.to_owned() };
        self.service_desired.get_or_create(&labels).set(service.desired.into());
        let up = match service.status {
            ServiceStatus::Serving | ServiceStatus::Degraded => Some(1),
            ServiceStatus::Down => Some(0),
            ServiceStatus::Unknown | ServiceStatus::Starting | ServiceStatus::Stopped => None,
        };
        if let Some(up) = up {
            self.service_up.get_or_create(&labels).set(up);
        }
        let mut ready = 0;
        for (slot, replica) in ops_engine::wanted_replicas(service) {
            let labels = SlotLabels { service: name.to_owned(), slot: u32::from(slot) };
            let Some(replica) = replica.filter(|it| it.phase != ReplicaPhase::Unknown) else { continue };
            if let Some(up) = serves(replica) {
                self.replica_up.get_or_create(&labels).set(i64::from(up));
            }
            ready += i64::from(replica.phase == ReplicaPhase::Ready);
            let gave_up = i64::from(replica.phase == ReplicaPhase::GaveUp);
            self.replica_gave_up.get_or_create(&labels).set(gave_up);
            self.replica(&labels, replica);
        }
        if service.status != ServiceStatus::Unknown {
            self.service_ready.get_or_create(&labels).set(ready);
        }
    }

    fn replica(&self, labels: &SlotLabels, replica: &ReplicaState) {
        self.replica_failures.get_or_create(labels).set(replica.failures.into());
        let restarts = u64::try_from(replica.generation.saturating_sub(1)).unwrap_or(0);
        self.replica_restarts.get_or_create(labels).inner().store(restarts, Ordering::Relaxed);
        if let Some(usage) = replica.usage.filter(|_| replica.phase.may_be_alive()) {
            self.replica_cpu.get_or_create(labels).set(usage.cpu_cores);
            self.replica_memory.get_or_create(labels).set(usage.memory_bytes);
        }
    }
}

/// Whether a replica serves; `None` while it comes up or goes as asked, which is no trouble.
fn serves(replica: &ReplicaState) -> Option<bool> {
    match replica.phase {
        ReplicaPhase::Ready => Some(true),
        ReplicaPhase::NotReady | ReplicaPhase::Exited | ReplicaPhase::BackingOff | ReplicaPhase::GaveUp => {
            Some(false)
        }
        ReplicaPhase::Starting if replica.failures > 0 => Some(false),
        ReplicaPhase::Starting | ReplicaPhase::Draining | ReplicaPhase::Stopped | ReplicaPhase::Unknown => {
            None
        }
    }
}
