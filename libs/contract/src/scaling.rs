use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ReplicaBounds, ServiceName, Timestamp};

/// How many replicas a service should have, and why: `GET /api/scaling/{service}`, for any autoscaler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingSignal {
    /// The service.
    pub service: ServiceName,
    /// How many replicas it should have.
    pub desired: u16,
    /// How many it has (alive, not draining).
    pub current: u16,
    /// Fewest and most.
    pub bounds: ReplicaBounds,
    /// What the decision rests on.
    pub state: ScalingState,
    /// Why, in one sentence.
    pub reason: String,
    /// What kept it from another number, in one sentence each.
    pub held: Vec<String>,
    /// The figures that it rests on.
    pub inputs: BTreeMap<String, f64>,
    /// The number that an operator set, if one did.
    pub manual: Option<ManualScale>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Until when it holds. After that nothing is known: keep what runs, never scale down on it.
    pub valid_until: Timestamp,
}

/// What a scaling decision rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScalingState {
    /// Data is missing or too old: the last number is held. Never green.
    #[default]
    Unknown,
    /// Fresh data.
    Measured,
    /// An operator's number.
    Manual,
    /// The service has a fixed number of replicas.
    Fixed,
}

/// A number of replicas that an operator set instead of the autoscaler's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ManualScale {
    /// How many.
    pub replicas: u16,
    /// Until when; absent: until it is withdrawn.
    pub until: Option<Timestamp>,
    /// Who set it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// One decision of the autoscaler as the store keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingDecision {
    /// UUIDv7 as text.
    pub id: String,
    /// The service.
    pub service: ServiceName,
    /// When.
    pub at: Timestamp,
    /// How many replicas were wanted before.
    pub from: u16,
    /// How many are wanted now; equal to `from` when something was held.
    pub to: u16,
    /// Why, in one sentence.
    pub reason: String,
    /// What kept it from another number.
    pub held: Vec<String>,
    /// The figures that it rests on.
    pub inputs: BTreeMap<String, f64>,
}

/// A service at one moment, for the chart of `/scaling`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScalingPoint {
    /// When.
    pub at: Timestamp,
    /// Wanted replicas.
    pub desired: u16,
    /// Ready replicas.
    pub ready: u16,
    /// Jobs that wait, over all its queues; absent when not known.
    pub backlog: Option<u64>,
    /// Age of the oldest of them in seconds.
    pub oldest_age_s: Option<f64>,
}
