//! What is wrong with a log, and what attack or damage that looks like.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entry::deceives;

/// Findings that are kept; the others are counted.
pub const MAX_FINDINGS: usize = 100;

/// Characters of a finding's detail at most.
const MAX_QUOTE: usize = 300;

/// One thing that is wrong, or that must be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it looks like.
    pub kind: Kind,
    /// How bad.
    pub severity: Severity,
    /// The first entry that it is about.
    pub seq: u64,
    /// The last entry that it is about.
    pub last: u64,
    /// In words, with the evidence.
    pub detail: String,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To be known; has an explanation that is no attack.
    Notice,
    /// The log is not as it was written.
    Fault,
}

/// What it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A line that is none, or not where it belongs.
    Malformed,
    /// An entry that does not have its hash or its link.
    Edited,
    /// A body that no writer of ours made.
    NotCanonical,
    /// Numbers that are not there.
    Missing,
    /// A second entry under a number.
    Inserted,
    /// An entry twice.
    Duplicated,
    /// An entry in another's place.
    Reordered,
    /// Hashes that fit each other and not what was signed.
    Rechained,
    /// Less than was signed.
    Truncated,
    /// Nothing, where there was something.
    Emptied,
    /// An older state that is sound in itself.
    RolledBack,
    /// Entries that no checkpoint covers, for too long.
    Unsealed,
    /// A time in which nothing was sealed.
    CheckpointGap,
    /// A checkpoint that does not stand where its size says.
    CheckpointOutOfPlace,
    /// A time before an earlier one.
    ClockBackwards,
    /// A checkpoint that its key did not sign.
    BadSignature,
    /// A checkpoint by nobody we know.
    UnknownKey,
    /// A checkpoint by a key that was not in force.
    RetiredKey,
    /// A piece of another log.
    WrongOrigin,
    /// Two signed histories.
    SplitView,
    /// A handover or retention that the key in force did not sign.
    BadStatement,
    /// A body that was dropped without leave.
    BodyMissing,
    /// An anchor that should lie outside does not.
    AnchorMissing,
    /// An anchor of more than there is.
    AnchorBeyondLog,
    /// An anchor that cannot be relied on.
    BadAnchor,
    /// No anchor was given to compare with.
    NoAnchor,
    /// This host once saw more than there is.
    HighWaterBeyondLog,
    /// This host once saw another entry there.
    HighWaterMismatch,
    /// The only keys are those in the file itself.
    KeysFromExport,
}

/// Which verdicts a fault spoils.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spoils {
    pub(super) integrity: bool,
    pub(super) completeness: bool,
}

impl Kind {
    /// What it looks like, for people.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Malformed => "not a line of a log",
            Self::Edited => "edited",
            Self::NotCanonical => "damaged or forged body",
            Self::Missing => "entries missing",
            Self::Inserted => "inserted",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Rechained => "linked again without the key",
            Self::Truncated => "tail cut off",
            Self::Emptied => "emptied",
            Self::RolledBack => "rolled back to an older state",
            Self::Unsealed => "unsealed stretch",
            Self::CheckpointGap => "gap in the times of checkpoints",
            Self::CheckpointOutOfPlace => "checkpoint out of place",
            Self::ClockBackwards => "clock went backwards",
            Self::BadSignature => "forged checkpoint",
            Self::UnknownKey => "signed by an unknown key",
            Self::RetiredKey => "signed by a key that was not in force",
            Self::WrongOrigin => "of another log",
            Self::SplitView => "split view: two signed histories",
            Self::BadStatement => "forged handover or retention",
            Self::BodyMissing => "body missing without leave",
            Self::AnchorMissing => "anchor missing",
            Self::AnchorBeyondLog => "anchor beyond the log",
            Self::BadAnchor => "anchor that cannot be relied on",
            Self::NoAnchor => "no anchor outside the log",
            Self::HighWaterBeyondLog => "high-water mark beyond the log",
            Self::HighWaterMismatch => "high-water mark of another history",
            Self::KeysFromExport => "no key but those in the file itself",
        }
    }

    pub(super) const fn spoils(self) -> Spoils {
        let (integrity, completeness) = match self {
            Self::Truncated
            | Self::Emptied
            | Self::RolledBack
            | Self::AnchorMissing
            | Self::AnchorBeyondLog
            | Self::BadAnchor
            | Self::NoAnchor
            | Self::HighWaterBeyondLog => (false, true),
            Self::Missing
            | Self::Rechained
            | Self::CheckpointGap
            | Self::WrongOrigin
            | Self::SplitView
            | Self::HighWaterMismatch
            | Self::Malformed => (true, true),
            _ => (true, false),
        };
        Spoils { integrity, completeness }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = self.kind.says();
        if self.seq == self.last {
            write!(f, "{says} at entry {}: {}", self.seq, self.detail)
        } else {
            write!(f, "{says} at entries {} to {}: {}", self.seq, self.last, self.detail)
        }
    }
}

/// What a log says may be long, and may be meant for a terminal.
fn quotable(detail: &str) -> String {
    detail.chars().take(MAX_QUOTE).map(|c| if deceives(c) { '\u{fffd}' } else { c }).collect()
}

/// Collects findings: keeps the first, counts all.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<Finding>,
    pub(super) by_kind: BTreeMap<Kind, u64>,
    pub(super) integrity_broken: bool,
    pub(super) completeness_broken: bool,
}

impl Findings {
    pub(super) fn fault(&mut self, kind: Kind, seq: u64, detail: impl Into<String>) {
        self.add(kind, Severity::Fault, (seq, seq), detail.into());
    }

    pub(super) fn notice(&mut self, kind: Kind, seq: u64, detail: impl Into<String>) {
        self.add(kind, Severity::Notice, (seq, seq), detail.into());
    }

    pub(super) fn add(&mut self, kind: Kind, severity: Severity, (seq, last): (u64, u64), detail: String) {
        *self.by_kind.entry(kind).or_default() += 1;
        if severity == Severity::Fault {
            let spoils = kind.spoils();
            self.integrity_broken |= spoils.integrity;
            self.completeness_broken |= spoils.completeness;
        }
        if self.kept.len() < MAX_FINDINGS {
            self.kept.push(Finding { kind, severity, seq, last, detail: quotable(&detail) });
        }
    }
}
