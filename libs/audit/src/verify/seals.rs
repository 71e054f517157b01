//! Checkpoints: who signed them, whether they are of these entries, and whether they come often enough.

use super::Verifier;
use super::finding::{Kind, Severity};
use crate::checkpoint::{Checkpoint, CheckpointError, Signed};

#[derive(Default)]
pub(super) struct Seals {
    /// The last checkpoint with a good signature.
    pub(super) last: Option<Checkpoint>,
    /// Entries that a good checkpoint covers.
    pub(super) sealed: u64,
    /// Checkpoints that were good.
    pub(super) good: u64,
    /// A start of the server since the last checkpoint: it explains a gap.
    pub(super) restarted: bool,
    /// The largest size that was signed.
    claimed: u64,
    /// Size of the first checkpoint that stands before its entries.
    pub(super) early: Option<u64>,
    /// Since when nothing was sealed.
    since_ms: Option<i64>,
}

impl Seals {
    /// Numbers from `next` up to `to` are missing: of these a checkpoint could not be in its place.
    pub(super) fn skip(&mut self, next: u64, to: u64) {
        self.early.take_if(|size| (next + 1..=to).contains(size));
    }

    /// An entry of this time waits to be sealed.
    pub(super) fn since(&mut self, time_ms: i64) {
        self.since_ms.get_or_insert(time_ms);
    }
}

impl Verifier {
    /// Takes the next signed checkpoint.
    pub fn checkpoint(&mut self, text: &str) {
        self.started = true;
        let Some(checkpoint) = self.signed(text) else { return };
        if checkpoint.size > self.order.next {
            self.settle();
        }
        self.pace(&checkpoint);
        self.compare(&checkpoint);
        self.seals.last = Some(checkpoint);
    }

    /// The checkpoint, if a key in force signed it for this log.
    pub(super) fn signed(&mut self, text: &str) -> Option<Checkpoint> {
        let next = self.order.next;
        let signed = match Signed::parse(text) {
            Ok(signed) => signed,
            Err(error) => {
                let kind = match error {
                    CheckpointError::WrongOrigin { .. } => Kind::WrongOrigin,
                    _ => Kind::Malformed,
                };
                self.findings.fault(kind, next, error.to_string());
                return None;
            }
        };
        if signed.checkpoint.origin != self.origin {
            let detail = format!("a checkpoint of the log {}", signed.checkpoint.origin);
            self.findings.fault(Kind::WrongOrigin, next, detail);
            return None;
        }
        if let Err((kind, detail)) = self.keys.check(&signed.note, signed.checkpoint.size) {
            let detail = format!("the checkpoint of {} entries: {detail}", signed.checkpoint.size);
            self.findings.fault(kind, signed.checkpoint.size, detail);
            return None;
        }
        Some(signed.checkpoint)
    }

    fn compare(&mut self, checkpoint: &Checkpoint) {
        let (size, next) = (checkpoint.size, self.order.next);
        self.seals.claimed = self.seals.claimed.max(size);
        if let Some(last) = &self.seals.last
            && last.size == size
            && (last.root, last.head) != (checkpoint.root, checkpoint.head)
        {
            self.findings.fault(Kind::SplitView, size, "two signed checkpoints of this size differ");
            return;
        }
        if size < next {
            let detail = format!("a checkpoint of {size} entries stands after {next}");
            return self.findings.fault(Kind::CheckpointOutOfPlace, size, detail);
        }
        // Of more than there is: judged at the end, when it is known whether that comes.
        if size > next {
            self.seals.early.get_or_insert(size);
            return;
        }
        let Some(tree) = &self.chain.tree else { return };
        let fits =
            tree.root() == checkpoint.root && (self.chain.link == checkpoint.head || self.chain.damaged);
        if fits {
            self.seals.good += 1;
            self.seals.sealed = size;
            self.chain.damaged = false;
            self.contradicted(Kind::SplitView);
            return;
        }
        if !self.chain.damaged {
            let detail = "these entries fit each other, and not the checkpoint that was signed of them";
            let range = (self.seals.sealed, size.saturating_sub(1).max(self.seals.sealed));
            self.findings.add(Kind::Rechained, Severity::Fault, range, detail.to_owned());
        }
        self.outside.contradictions.clear();
        self.chain.tree = None;
        self.chain.damaged = true;
    }

    /// Time since the last checkpoint.
    fn pace(&mut self, checkpoint: &Checkpoint) {
        let (size, time_ms) = (checkpoint.size, checkpoint.time_ms);
        if time_ms < self.chain.floor_ms {
            let back = self.chain.floor_ms.saturating_sub(time_ms);
            let detail = format!("the checkpoint is dated {back} ms before what stands before it");
            self.findings.fault(Kind::ClockBackwards, size, detail);
            return;
        }
        self.chain.floor_ms = time_ms;
        if let Some(since) = self.seals.since_ms.replace(time_ms) {
            self.gap(since, time_ms);
        }
        self.seals.restarted = false;
    }

    fn gap(&mut self, since: i64, until: i64) {
        let gap = until.saturating_sub(since);
        if gap <= self.trust.max_gap_ms {
            return;
        }
        let (severity, why) = if self.seals.restarted {
            (Severity::Notice, "the server started within")
        } else {
            (Severity::Fault, "no start of the server explains it")
        };
        let detail = format!("nothing was sealed for {} s; {why}", gap / 1000);
        let range = (self.seals.sealed, self.order.next.saturating_sub(1).max(self.seals.sealed));
        self.findings.add(Kind::CheckpointGap, severity, range, detail);
    }

    /// What stands after the last checkpoint.
    pub(super) fn judge_tail(&mut self, as_of: i64) {
        let next = self.order.next;
        if let Some(size) = self.seals.early.filter(|size| *size <= next) {
            let detail = format!("a checkpoint of {size} entries stands before the last of them");
            self.findings.fault(Kind::CheckpointOutOfPlace, size, detail);
        }
        let signed = self.seals.claimed;
        if self.seals.claimed > next {
            let kind = if next == 0 { Kind::Emptied } else { Kind::Truncated };
            let detail = format!("{} entries were signed, there are {next}", self.seals.claimed);
            self.findings.fault(kind, next, detail);
            return;
        }
        let age = self.seals.since_ms.map_or(0, |since| as_of.saturating_sub(since));
        if signed < next {
            let severity = if age > self.trust.max_gap_ms { Severity::Fault } else { Severity::Notice };
            let detail = format!("no checkpoint covers them; the oldest waits for {} s", age / 1000);
            self.findings.add(Kind::Unsealed, severity, (signed, next - 1), detail);
        } else if let Some(since) = self.seals.since_ms {
            self.seals.restarted = false;
            self.gap(since, as_of);
        }
    }
}
