use serde::{Deserialize, Serialize};

use crate::{
    Change, DependencyState, ReplicaBounds, ReplicaState, ServiceName, ServiceRole, ServiceStatus, Timestamp,
    Verdict,
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
