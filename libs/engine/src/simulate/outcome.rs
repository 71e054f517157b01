//! What one simulated run came to.

use serde::Serialize;

/// A policy's record on one trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Jobs of the trace.
    pub jobs: u64,
    /// Jobs that waited longer than the target, those that never started among them.
    pub late: u64,
    /// Late jobs as a share of all.
    pub late_share: f64,
    /// Median of the waits from due to taken up, in seconds.
    pub p50_wait_s: f64,
    /// 95 of 100 jobs waited no longer, in seconds.
    pub p95_wait_s: f64,
    /// 99 of 100 jobs waited no longer, in seconds.
    pub p99_wait_s: f64,
    /// The longest wait, in seconds.
    pub max_wait_s: f64,
    /// What was paid for: each replica from being asked for to its exit, start and drain included.
    pub replica_seconds: f64,
    /// What a fluid clairvoyant would have paid; see `bound`.
    pub lower_bound_replica_seconds: f64,
    /// `replica_seconds` over the bound.
    pub cost_ratio: f64,
    /// Decisions that changed the number asked for.
    pub actions: u64,
    /// `actions` per hour of the trace.
    pub actions_per_hour: f64,
    /// Actions against the direction of the one before, within ten minutes of it.
    pub flips: u64,
    /// Replicas that were sent away.
    pub scaled_down: u64,
    /// Jobs that a scale-down killed.
    pub killed: u64,
    /// Jobs that had not ended when the run was over.
    pub unfinished: u64,
    /// The run over time, for a plot.
    pub timeline: Vec<Point>,
}

/// One moment of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Point {
    /// Seconds since the trace began.
    pub at_s: f64,
    /// Jobs that wait.
    pub waiting: u64,
    /// Replicas that take jobs.
    pub ready: u32,
    /// Replicas asked for.
    pub desired: u32,
    /// For how long the oldest job has waited, in seconds.
    pub oldest_wait_s: f64,
}
