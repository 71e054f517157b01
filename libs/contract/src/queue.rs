use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What an agent saw of all BullMQ queues of one Valkey in one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueReport {
    /// Name of the store: `valkey.main`.
    pub store: String,
    /// Made anew when the probe begins anew: counters of another epoch begin at 0 again.
    pub epoch: String,
    /// Every queue that was found, by name; at most 1,000. Empty when `fault` is set.
    pub queues: BTreeMap<String, QueueSample>,
    /// Queues beyond the first 1,000, which are not read.
    pub unread: u32,
    /// Why the queues could not be read. What was known before then stands and ages.
    pub fault: Option<String>,
    /// What the store does when its memory is full; anything but `noeviction` loses jobs.
    pub maxmemory_policy: Option<String>,
    /// How long the look took.
    pub took_us: u64,
    /// When the agent looked, by the agent's clock.
    pub at: Timestamp,
}

/// One queue at one look. Names of counts are BullMQ's. `…_total` count since the epoch began and never fall in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct QueueSample {
    /// In line, whether the queue is paused or not.
    pub waiting: u64,
    /// In line by priority.
    pub prioritized: u64,
    /// Being worked on.
    pub active: u64,
    /// Delayed, due or not. Only what is due is backlog.
    pub delayed: u64,
    /// Of those, due already.
    pub delayed_due: u64,
    /// Waiting for the children of their flow.
    pub waiting_children: u64,
    /// Completed and kept. Kept sets are capped: this is not what was done.
    pub completed: u64,
    /// Failed and kept.
    pub failed: u64,
    /// Whether the queue is paused.
    pub paused: bool,
    /// For how long the oldest claimable job could have been taken already; absent when none waits.
    pub oldest_age_s: Option<f64>,
    /// Jobs that became claimable for the first time: added, or delayed and now due. Retries are not demand.
    pub arrivals_total: u64,
    /// Jobs that were taken up by a worker.
    pub started_total: u64,
    /// Jobs that ended well.
    pub completed_total: u64,
    /// Jobs that failed for good.
    pub failed_total: u64,
    /// Attempts that failed and are tried again.
    pub retries_total: u64,
    /// Times that a job was found without a living worker.
    pub stalled_total: u64,
    /// Whether the counters are exact. False when events were trimmed before they were read: then they follow the
    /// counts and are too low.
    pub exact: bool,
    /// How long jobs ran that ended lately (at most the last 500).
    pub run_time: Option<Spread>,
    /// How long jobs waited that ended lately.
    pub wait_time: Option<Spread>,
    /// Worker programs that are connected to the queue.
    pub workers: u32,
    /// The queue's rate limit.
    pub limit: Option<RateLimit>,
    /// Most jobs at once over all workers.
    pub global_concurrency: Option<u32>,
    /// Delayed jobs by when they fall due.
    pub due: Vec<Due>,
    /// Job schedulers by key.
    pub schedulers: Vec<String>,
    /// Job schedulers that were there before in this epoch and are gone, by key; a store that was restarted without
    /// persistence loses them.
    pub vanished_schedulers: Vec<String>,
}

impl QueueSample {
    /// Jobs that a free worker could take now.
    pub fn claimable(&self) -> u64 {
        self.waiting + self.prioritized + self.delayed_due
    }

    /// Jobs that ended, well or for good.
    pub fn finished_total(&self) -> u64 {
        self.completed_total + self.failed_total
    }
}

/// How a figure spreads over recent jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Spread {
    /// How many jobs.
    pub count: u32,
    /// Mean in seconds.
    pub mean_s: f64,
    /// Half of them take at most this.
    pub p50_s: f64,
    /// 95 of 100 take at most this.
    pub p95_s: f64,
    /// The longest.
    pub max_s: f64,
    /// Squared coefficient of variation: variance over mean squared.
    pub cv2: f64,
}

/// At most `max` jobs in `per_s` seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RateLimit {
    /// Jobs.
    pub max: u32,
    /// Window in seconds.
    pub per_s: f64,
}

/// Delayed jobs that fall due within the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Due {
    /// They fall due at most this many seconds after the look (and after the entry before).
    pub in_s: f64,
    /// How many.
    pub jobs: u64,
}

/// All queues of one Valkey, as last seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueStoreState {
    /// The last good look. Absent: there was none yet.
    pub last: Option<QueueReport>,
    /// When that came in.
    pub seen_at: Timestamp,
    /// Why the store's queues cannot be read now, and since when.
    pub fault: Option<(String, Timestamp)>,
    /// What changed per second between the last two looks, by queue.
    pub rates: BTreeMap<String, QueueRates>,
}

/// What changed per second between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueueRates {
    /// Jobs that became claimable, smoothed over about 30 s.
    pub arrivals_per_s: f64,
    /// Jobs that ended, smoothed over about 30 s.
    pub finished_per_s: f64,
    /// Stalled jobs, per minute, smoothed over about 5 min.
    pub stalled_per_min: f64,
}
