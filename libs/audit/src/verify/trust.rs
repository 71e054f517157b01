//! What the verifier is told from elsewhere than the log.

use std::collections::BTreeSet;

use crate::anchor::{Anchor, HighWater};
use crate::key::PublicKey;

/// What the verifier is told from elsewhere than the log. Each part that is left out leaves something unproven.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Name that the log must have.
    pub origin: Option<String>,
    /// Keys of the log: at least the first one it had. Others become known by their handover.
    pub keys: Vec<PublicKey>,
    /// Anchors as they were fetched from outside; none that came with the log.
    pub anchors: Vec<Anchor>,
    /// Places that were searched for anchors: one that the log speaks of must lie there.
    pub searched: BTreeSet<String>,
    /// The newest anchor outside must be at most so old, milliseconds.
    pub anchor_every_ms: Option<i64>,
    /// What this host saw last.
    pub high_water: Option<HighWater>,
    /// Time between two checkpoints at most, milliseconds, pauses of the writer included that are still in order.
    pub max_gap_ms: i64,
    /// The time now, for a log that is live; else that of the export counts. Unix milliseconds.
    pub as_of_ms: Option<i64>,
}

impl Default for Trust {
    /// Trusts nothing, and takes checkpoints that are at most five minutes apart.
    fn default() -> Self {
        Self {
            origin: None,
            keys: Vec::new(),
            anchors: Vec::new(),
            searched: BTreeSet::new(),
            anchor_every_ms: None,
            high_water: None,
            max_gap_ms: 5 * 60 * 1000,
            as_of_ms: None,
        }
    }
}
