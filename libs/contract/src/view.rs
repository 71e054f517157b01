use serde::{Deserialize, Serialize};

use crate::{
    Change, DependencyState, QueueRates, QueueSample, ReplicaBounds, ReplicaState, ScalingDecision,
    ScalingPoint, ScalingSignal, ServiceName, ServiceRole, ServiceStatus, Timestamp, Tone, Verdict,
};

/// `GET /api/now`, and what the first page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NowView {
    /// Name of the stack.
    pub stack: String,
    /// The one sentence.
    pub verdict: Verdict,
    /// Services, users' first.
    pub services: Vec<ServiceView>,
    /// Data stores by name.
    pub dependencies: Vec<(String, DependencyState)>,
    /// The latest changes, newest first, at most 20.
    pub changes: Vec<Change>,
    /// Set when the store could not be read: changes are then what memory holds.
    pub history_unavailable: Option<String>,
    /// When this was put together.
    pub at: Timestamp,
    /// Age of the oldest report that it rests on, in seconds; absent when no agent has reported.
    pub data_age_s: Option<f64>,
}

/// One service as pages, API and CLI show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceView {
    /// Its name.
    pub name: ServiceName,
    /// What it is to users.
    pub role: ServiceRole,
    /// How it does.
    pub status: ServiceStatus,
    /// Since when.
    pub since: Timestamp,
    /// Why, in words; empty when serving.
    pub reason: String,
    /// Ready replicas.
    pub ready: u16,
    /// Wanted replicas.
    pub desired: u16,
    /// Fewest and most.
    pub bounds: ReplicaBounds,
    /// Its replicas by slot.
    pub replicas: Vec<ReplicaView>,
    /// The latest change that touched it.
    pub last_change: Option<Change>,
}

/// One replica as pages, API and CLI show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaView {
    /// The slot.
    pub slot: u16,
    /// All that is known. The last lines of its last exit are left out here; ask for the exits.
    #[serde(flatten)]
    pub state: ReplicaState,
}

/// `GET /api/queues`, and what `/queues` shows: will users notice, and will it clear?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueuesView {
    /// Every Valkey whose queues are watched.
    pub stores: Vec<QueueStoreView>,
    /// Every queue, the worst first.
    pub queues: Vec<QueueView>,
    /// When this was put together.
    pub at: Timestamp,
}

/// One Valkey whose queues are watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueStoreView {
    /// `valkey.main`.
    pub name: String,
    /// How it does; `unknown` when its data is old.
    pub tone: Tone,
    /// What is to be said about it, the worst first; empty when all is well.
    pub findings: Vec<String>,
    /// Age of the last good look in seconds; absent when there was none.
    pub age_s: Option<f64>,
    /// What it does when its memory is full.
    pub maxmemory_policy: Option<String>,
}

/// One queue as pages, API and CLI show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueView {
    /// The Valkey: `valkey.main`.
    pub store: String,
    /// Its name.
    pub name: String,
    /// How it does; `unknown` when its data is old.
    pub tone: Tone,
    /// One sentence: will users notice, and will it clear?
    pub summary: String,
    /// What was last seen.
    #[serde(flatten)]
    pub sample: QueueSample,
    /// What changes per second.
    pub rates: QueueRates,
    /// When the backlog is worked off at the present rates, in seconds; absent when there is none or it grows.
    pub clears_in_s: Option<f64>,
    /// Services that work on it and follow it.
    pub services: Vec<ServiceName>,
    /// The wait that is aimed at, in seconds, where a service scales by it.
    pub target_wait_s: Option<f64>,
    /// Age of the data in seconds.
    pub age_s: f64,
}

/// `GET /api/scaling`, and what `/scaling` shows: why this many replicas?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingView {
    /// Every service of which there may be more than one.
    pub services: Vec<ScalingServiceView>,
    /// Set when the store could not be read: decisions are then missing.
    pub history_unavailable: Option<String>,
    /// When this was put together.
    pub at: Timestamp,
}

/// One service on `/scaling`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingServiceView {
    /// What is wanted now.
    #[serde(flatten)]
    pub signal: ScalingSignal,
    /// Ready replicas.
    pub ready: u16,
    /// The latest decisions, newest first, at most 20.
    pub decisions: Vec<ScalingDecision>,
    /// The last hour, oldest first, at most 360 points.
    pub history: Vec<ScalingPoint>,
}
