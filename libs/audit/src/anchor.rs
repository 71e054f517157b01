//! Checkpoints that lie where nobody who can change the log can change them.
//!
//! A log that watches itself proves nothing: its newest state can always be cut away together with its checkpoints.
//! An anchor outside shows that. What is newer than the newest anchor is not covered.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError, Signed};
use crate::hash::Hash;
use crate::merkle;

/// Bytes of a place's name at most.
pub const MAX_PLACE: usize = 512;

/// A checkpoint that was laid down somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Where: a bucket, a file on another host, a webhook, a report.
    pub place: String,
    /// When it was written there, Unix milliseconds.
    pub written_ms: i64,
    /// The signed note.
    pub checkpoint: String,
}

impl Anchor {
    /// Its checkpoint. Nothing in it is true until its signature was checked.
    ///
    /// # Errors
    /// When there is none in it.
    pub fn open(&self) -> Result<Signed, CheckpointError> {
        Signed::parse(&self.checkpoint)
    }
}

/// Newest state that this host itself saw, kept outside the store: finds the tail cut between two anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HighWater {
    /// Number of entries.
    pub size: u64,
    /// Link of the last one.
    pub head: Hash,
    /// When, Unix milliseconds.
    pub time_ms: i64,
}

/// How an anchor and the log go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The log continues what was anchored.
    Continues,
    /// The log is shorter than what was anchored.
    BeyondLog,
    /// Same length, another root: two histories were signed.
    SplitView,
    /// The log does not continue what was anchored.
    Rewritten,
    /// It is of another log.
    WrongOrigin,
}

/// Judges an anchored checkpoint by the state of the log and a consistency proof between the two. Both signatures are
/// the caller's to check.
#[must_use]
pub fn judge(anchored: &Checkpoint, log: &Checkpoint, proof: &[Hash]) -> Judgement {
    if anchored.origin != log.origin {
        return Judgement::WrongOrigin;
    }
    if anchored.size > log.size {
        return Judgement::BeyondLog;
    }
    match merkle::check_consistency(anchored.size, log.size, &anchored.root, &log.root, proof) {
        Ok(()) => Judgement::Continues,
        Err(_) if anchored.size == log.size && anchored.root != log.root => Judgement::SplitView,
        Err(_) => Judgement::Rewritten,
    }
}
