use std::collections::BTreeMap;

/// Every queue at one look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// The queues by name; at most [`MOST_QUEUES`](super::MOST_QUEUES).
    pub queues: BTreeMap<String, Sample>,
    /// Queues that were found beyond those, and are not read.
    pub unread: u32,
    /// What the server does when its memory is full; absent when it does not say.
    pub maxmemory_policy: Option<String>,
}

/// One queue at one look. `…_total` count since the watch began, and never fall.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// In line, whether the queue is paused or not.
    pub waiting: u64,
    /// In line by priority.
    pub prioritized: u64,
    /// Being worked on.
    pub active: u64,
    /// Delayed, due or not.
    pub delayed: u64,
    /// Of those, due already.
    pub delayed_due: u64,
    /// Waiting for the children of their flow.
    pub waiting_children: u64,
    /// Completed and kept.
    pub completed: u64,
    /// Failed and kept.
    pub failed: u64,
    /// Whether the queue is paused.
    pub paused: bool,
    /// For how long the oldest claimable job could have been taken already, in seconds. Looked for among the four next in
    /// line, the oldest of each of the two most and the two least urgent priorities, and the first of those due.
    pub oldest_age_s: Option<f64>,
    /// What was counted.
    pub totals: Totals,
    /// Whether the totals are exact: no event was trimmed, or is still unread.
    pub exact: bool,
    /// How long jobs ran that ended lately.
    pub run_time: Option<Spread>,
    /// How long jobs waited that were taken lately.
    pub wait_time: Option<Spread>,
    /// Workers that are connected, by the name of their connection.
    pub workers: u32,
    /// The global rate limit.
    pub limit: Option<RateLimit>,
    /// Most jobs at once over all workers.
    pub global_concurrency: Option<u32>,
    /// Delayed jobs of the next ten minutes by when they fall due.
    pub due: Vec<Due>,
    /// The first hundred job schedulers by key, in order of the key.
    pub schedulers: Vec<String>,
    /// Job schedulers that were there and are gone.
    pub vanished_schedulers: Vec<String>,
}

impl Sample {
    /// Jobs that a free worker could take now.
    pub fn claimable(&self) -> u64 {
        self.waiting + self.prioritized + self.delayed_due
    }
}

/// What was counted in the events of one queue since the watch began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Jobs that became claimable for the first time.
    pub arrivals: u64,
    /// Jobs that were taken up.
    pub started: u64,
    /// Jobs that ended well.
    pub completed: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Attempts that ended and are made again: after an error, by hand, or because the worker gave the job back.
    pub retries: u64,
    /// Jobs that were found without a living worker.
    pub stalled: u64,
}

/// How a figure spreads over the last jobs, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many jobs.
    pub count: u32,
    /// Mean.
    pub mean_s: f64,
    /// Half of them take at most this.
    pub p50_s: f64,
    /// 95 of 100 take at most this.
    pub p95_s: f64,
    /// The longest.
    pub max_s: f64,
    /// Variance over mean squared.
    pub cv2: f64,
}

/// At most `max` jobs in `per_s` seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Jobs.
    pub max: u32,
    /// Window.
    pub per_s: f64,
}

/// Delayed jobs that fall due at most `in_s` seconds from the look on, and after the entry before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    /// The latest.
    pub in_s: f64,
    /// How many.
    pub jobs: u64,
}
