use serde::{Deserialize, Serialize};

/// What a queue needs of the replicas that work on it. Fractions of a replica; rounded when they are acted on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueNeed {
    /// Replicas beyond those that are coming, or jobs will wait too long.
    pub(super) more: f64,
    /// Replicas that must not go.
    pub(super) stay: f64,
    /// Replicas that should stand for what may come.
    pub(super) floor: f64,
    /// Replicas for jobs that are scheduled.
    pub(super) scheduled: Scheduled,
    /// More than this could not do more: a rate limit or a global concurrency stands before them.
    pub(super) cap: Option<f64>,
    pub(super) paused: bool,
    pub(super) binding: Binding,
    pub(super) figures: QueueFigures,
}

/// Replicas for jobs that are scheduled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Scheduled {
    pub(super) replicas: f64,
    pub(super) jobs: f64,
    pub(super) in_s: f64,
}

/// The moment at which more replicas are needed most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum Binding {
    /// None.
    #[default]
    Steady,
    /// `jobs` must have been started within `in_s`, and only `started` will have been.
    Deadline { in_s: f64, jobs: f64, started: f64 },
}

/// What a queue's need rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueFigures {
    pub(super) waiting: f64,
    pub(super) active: f64,
    pub(super) oldest_s: f64,
    pub(super) arrivals_per_s: f64,
    pub(super) run_s: f64,
    pub(super) concurrency: f64,
    pub(super) reserve: f64,
}
