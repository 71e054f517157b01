//! What verifying came to: two answers, because sound in itself is not the same as whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Kind, Severity};
use crate::hash::Hash;

/// Whether what is there is what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// Every entry up to the last checkpoint is as it was signed.
    Intact,
    /// Nothing speaks against it and nothing proves it: no checkpoint, or no key but those in the file.
    Unproven,
    /// It is not.
    Broken,
}

/// Whether all that was written is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// All up to the last anchor; what is newer is not covered.
    Complete,
    /// Nothing outside the log was there to compare with.
    Unknown,
    /// It is not.
    Broken,
}

/// What verifying came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether what is there is what was written.
    pub integrity: Integrity,
    /// Whether all that was written is there.
    pub completeness: Completeness,
    /// The newest seconds that no anchor outside covers; none when no anchor covers anything.
    pub not_covered_seconds: Option<u64>,
    /// What was found, the first hundred.
    pub findings: Vec<Finding>,
    /// How often each kind was found.
    pub found: BTreeMap<Kind, u64>,
    /// Entries up to the highest number.
    pub entries: u64,
    /// Entries that are covered by a checkpoint which was found good.
    pub sealed: u64,
    /// Entries that are covered by an anchor outside which was found good.
    pub anchored: u64,
    /// Checkpoints that were found good.
    pub checkpoints: u64,
    /// Time of the last of them, Unix milliseconds.
    pub last_checkpoint_ms: Option<i64>,
    /// Bodies that retention dropped.
    pub bodies_dropped: u64,
    /// All of them older than this, Unix milliseconds.
    pub bodies_dropped_before_ms: Option<i64>,
    /// Root over all entries; none when numbers are missing.
    pub root: Option<Hash>,
    /// Link of the last entry.
    pub head: Hash,
}

impl Verdict {
    /// Whether both answers are good. What is unknown is not.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.integrity == Integrity::Intact && self.completeness == Completeness::Complete
    }

    /// Whether something is wrong; a log can be neither good nor faulty.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.integrity == Integrity::Broken || self.completeness == Completeness::Broken
    }

    /// The fault with the lowest number.
    #[must_use]
    pub fn first_fault(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Fault)
            .min_by_key(|finding| finding.seq)
    }

    /// How many findings there were, those included that were not kept.
    #[must_use]
    pub fn findings_total(&self) -> u64 {
        self.found.values().sum()
    }
}
