//! Bodies may be dropped from the front on, as far as a signed entry permits. Hashes and links stay, so proofs hold.

use super::Verifier;
use super::finding::{Kind, Severity};

#[derive(Default)]
pub(super) struct Retention {
    /// Bodies that were dropped.
    pub(super) dropped: u64,
    /// All older than this.
    pub(super) before_ms: Option<i64>,
    /// Those below this number may be.
    permitted: u64,
    /// One more than the last that was.
    end: u64,
    /// The first body that is there, of those that need not be.
    kept: Option<u64>,
}

impl Retention {
    pub(super) fn kept(&mut self, seq: u64) {
        self.kept.get_or_insert(seq);
    }

    pub(super) fn permit(&mut self, below: u64, before_ms: i64) {
        self.permitted = self.permitted.max(below);
        self.before_ms = Some(self.before_ms.map_or(before_ms, |before| before.max(before_ms)));
    }
}

impl Verifier {
    pub(super) fn dropped(&mut self, seq: u64) {
        self.retention.dropped += 1;
        match self.retention.kept {
            Some(kept) => {
                let detail = format!("bodies are dropped from the front only, and that of {kept} is there");
                self.findings.fault(Kind::BodyMissing, seq, detail);
            }
            None => self.retention.end = seq.saturating_add(1),
        }
    }

    pub(super) fn judge_retention(&mut self) {
        let Retention { permitted, end, .. } = self.retention;
        if end > permitted {
            let detail = format!("signed entries permit to drop those below {permitted}");
            self.findings.add(Kind::BodyMissing, Severity::Fault, (permitted, end - 1), detail);
        }
    }
}
