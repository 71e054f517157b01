use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AgentName, DependencyKind, Exit, QueueStoreState, ServiceName, Timestamp};

/// Everything that is known now, folded from signals. Kept in memory; rebuilt from the agents' next reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SystemState {
    /// Services by name.
    pub services: BTreeMap<ServiceName, ServiceState>,
    /// Data stores by name.
    pub dependencies: BTreeMap<String, DependencyState>,
    /// BullMQ queues by store (`valkey.main`).
    #[serde(default)]
    pub queues: BTreeMap<String, QueueStoreState>,
    /// When each agent was last heard.
    pub agents: BTreeMap<AgentName, Timestamp>,
}

/// A service, seen from all its replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceState {
    /// Judged from the replicas, the wanted count and the deep check.
    pub status: ServiceStatus,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words; empty when serving.
    pub reason: String,
    /// How many replicas are wanted.
    pub desired: u16,
    /// Replicas by slot.
    pub replicas: BTreeMap<u16, ReplicaState>,
    /// What the read path last answered, if there is one: good, and what was seen.
    pub deep_check: Option<(bool, String)>,
}

/// How a service does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceStatus {
    /// Cannot be told. Never green.
    #[default]
    Unknown,
    /// All wanted replicas are ready.
    Serving,
    /// Coming up for the first time, nothing wrong so far.
    Starting,
    /// Some wanted replicas are not ready, or the deep check fails.
    Degraded,
    /// No replica is ready.
    Down,
    /// Stopped on purpose.
    Stopped,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaState {
    /// The agent that has it.
    pub agent: AgentName,
    /// Counts the starts of the slot.
    pub generation: i64,
    /// Where in its life it is.
    pub phase: ReplicaPhase,
    /// Since when.
    pub since: Timestamp,
    /// Process id.
    pub pid: Option<u32>,
    /// Port.
    pub port: Option<u16>,
    /// When the program was started.
    pub started_at: Option<Timestamp>,
    /// Why it is not ready, in words.
    pub detail: Option<String>,
    /// Whether liveness has failed.
    pub unresponsive: bool,
    /// What it uses.
    pub usage: Option<ReplicaUsage>,
    /// How the generation before this one ended, or this one if it is over.
    pub last_exit: Option<Exit>,
    /// Failures inside the restart window, of at most `restart.max`.
    pub failures: u16,
    /// When it will be started again, while backing off.
    pub retry_at: Option<Timestamp>,
    /// When it was last reported.
    pub seen_at: Timestamp,
}

/// Where in its life a replica is. The agent reports all but the last three, which the server judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplicaPhase {
    /// Started, no good answer yet.
    Starting,
    /// Its last answer was good.
    Ready,
    /// It was ready, and its last answer was bad or missing.
    NotReady,
    /// Out of the balancer, on its way to a stop.
    Draining,
    /// Ended as asked.
    Stopped,
    /// Ended by itself.
    Exited,
    /// Waits for its next start.
    BackingOff,
    /// Failed too often; a person must look.
    GaveUp,
    /// Not reported for too long, or cannot be told. Never green.
    #[default]
    Unknown,
}

impl ReplicaPhase {
    /// Whether a process of it may be alive.
    pub fn may_be_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Ready | Self::NotReady | Self::Draining | Self::Unknown)
    }
}

/// What a replica uses, from `/proc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaUsage {
    /// Share of one core over the last look, 1.0 = a whole core.
    pub cpu_cores: f64,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// Established connections to its port; counted for services that scale by them.
    #[serde(default)]
    pub connections: Option<u64>,
    /// Jobs that it works on now, by the `active_jobs` of its health answer; absent when it does not say.
    #[serde(default)]
    pub active_jobs: Option<u32>,
}

/// A data store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DependencyState {
    /// What it is.
    pub kind: DependencyKind,
    /// How it does.
    pub status: DependencyStatus,
    /// Since when.
    pub since: Timestamp,
    /// What was last seen, in words.
    pub detail: String,
    /// How long the last answer took.
    pub latency_ms: Option<f64>,
    /// When it was last reported.
    pub seen_at: Timestamp,
}

/// Whether a data store serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DependencyStatus {
    /// Cannot be told. Never green.
    #[default]
    Unknown,
    /// It answers.
    Up,
    /// It refuses or fails.
    Down,
}
