use std::collections::BTreeMap;

use ops_contract::{ManualScale, ReplicaBounds, ScaleSpec, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Fleet, QueueLook};

/// Everything that a scaling decision may depend on. Recorded as it is, so that a day can be replayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleInput {
    /// The moment of the decision.
    pub now: Timestamp,
    /// Fewest and most replicas.
    pub bounds: ReplicaBounds,
    /// What the service follows.
    pub spec: ScaleSpec,
    /// Replicas that were last asked for.
    pub desired: u16,
    /// Its replicas.
    pub fleet: Fleet,
    /// What each ready replica uses; `None` where it is not known.
    pub usage: Vec<Option<ReplicaUse>>,
    /// Its queues by full name. One that is missing here was never seen.
    pub queues: BTreeMap<String, QueueInput>,
    /// How long replicas took from being asked for to ready, of those that became ready since the last decision.
    pub start_delays_s: Vec<f64>,
    /// Why no replica may be taken away now, such as a deploy.
    pub frozen: Option<String>,
    /// The number that an operator set.
    pub manual: Option<ManualScale>,
}

/// What is known of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueInput {
    /// The last good look.
    pub look: QueueLook,
    /// Its age in seconds.
    pub age_s: f64,
    /// Why it cannot be read now.
    pub fault: Option<String>,
}

/// What a replica uses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaUse {
    /// Cores.
    pub cpu_cores: f64,
    /// Established connections.
    pub connections: Option<u64>,
}
