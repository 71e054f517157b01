use serde::{Deserialize, Serialize};

use crate::{
    DependencyKind, DependencyStatus, Exit, QueueReport, ReplicaId, ReplicaPhase, ReplicaUsage, ServiceName,
    Timestamp,
};

/// One observation of an agent. Told at least once; folding it twice changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// What a replica looks like now.
    Replica(ReplicaReport),
    /// A replica ended.
    ReplicaExited(Exit),
    /// Every replica that the agent has; one it no longer names is gone.
    Inventory {
        /// All of them.
        replicas: Vec<ReplicaReport>,
    },
    /// What a data store looks like now.
    Dependency(DependencyReport),
    /// What the queues of a Valkey look like now.
    Queues(QueueReport),
    /// The read path of a service answered, or did not.
    DeepCheck {
        /// The service.
        service: ServiceName,
        /// Whether it answered under 500.
        good: bool,
        /// What was seen, in words.
        detail: String,
        /// When.
        at: Timestamp,
    },
}

/// What a replica looks like to its agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaReport {
    /// Which.
    pub replica: ReplicaId,
    /// Counts the starts of this slot; given by the server with each start.
    pub generation: i64,
    /// Where in its life it is.
    pub phase: ReplicaPhase,
    /// Since when it is in that phase.
    pub since: Timestamp,
    /// Process id of the program.
    pub pid: Option<u32>,
    /// The port that it was handed.
    pub port: Option<u16>,
    /// When the program was started.
    pub started_at: Option<Timestamp>,
    /// Why it is not ready, in words.
    pub detail: Option<String>,
    /// Whether its last answers say that only a restart helps (liveness has failed).
    pub unresponsive: bool,
    /// What it uses.
    pub usage: Option<ReplicaUsage>,
    /// When the agent looked.
    pub at: Timestamp,
}

/// What a data store looks like to its agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DependencyReport {
    /// Name, such as `postgres.main`, `postgres.main.replica-0` or `valkey.main`.
    pub name: String,
    /// What it is.
    pub kind: DependencyKind,
    /// Up, down, or could not tell.
    pub status: DependencyStatus,
    /// What was seen, in words.
    pub detail: String,
    /// How long the answer took.
    pub latency_ms: Option<f64>,
    /// When the agent looked.
    pub at: Timestamp,
}
