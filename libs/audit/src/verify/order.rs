//! Puts rows in the order of their numbers, as far as one row held back can, and says what that looks like.

use super::Verifier;
use super::finding::{Kind, Severity};
use crate::export::Row;

/// Gaps that are remembered, so that a row that comes later is called reordered and not duplicated.
const MAX_GAPS: usize = 256;

#[derive(Default)]
pub(super) struct Order {
    /// The number that comes next.
    pub(super) next: u64,
    /// A row that came too early.
    held: Option<Row>,
    /// Numbers that were skipped: first and last.
    missing: Vec<(u64, u64)>,
    /// Gaps beyond those that are remembered.
    more: u64,
}

impl Order {
    pub(super) fn is_next(&self, seq: u64) -> bool {
        self.held.is_none() && seq == self.next
    }

    pub(super) fn skip(&mut self, to: u64) {
        self.miss(self.next, to.saturating_sub(1));
        self.next = to;
    }

    fn miss(&mut self, first: u64, last: u64) {
        if self.missing.len() < MAX_GAPS {
            self.missing.push((first, last));
        } else {
            self.more += 1;
        }
    }

    /// Whether `seq` was missing; it no longer is.
    fn fill(&mut self, seq: u64) -> bool {
        let Some(at) = self.missing.iter().position(|(first, last)| (*first..=*last).contains(&seq)) else {
            return false;
        };
        let (first, last) = self.missing.swap_remove(at);
        if first < seq {
            self.miss(first, seq - 1);
        }
        if seq < last {
            self.miss(seq + 1, last);
        }
        true
    }
}

impl Verifier {
    /// A row that is not the next one, or comes while one is held.
    pub(super) fn disordered(&mut self, row: Row) {
        let next = self.order.next;
        if row.seq < next {
            return self.late(&row);
        }
        match self.order.held.take() {
            // Wait for one more: if that is the missing one, the two were exchanged.
            None => self.order.held = Some(row),
            Some(held) if row.seq < held.seq => {
                self.take(row);
                self.order.held = Some(held);
                self.release();
            }
            // Both are beyond: there is a gap. The row may still be the one that was held, once more.
            Some(held) => {
                self.take(held);
                self.row(row);
            }
        }
    }

    /// Takes the row that is held, if its turn came: it stood too early.
    fn release(&mut self) {
        let next = self.order.next;
        if let Some(held) = self.order.held.take_if(|held| held.seq == next) {
            self.findings.fault(Kind::Reordered, held.seq, "it stood before an entry with a lower number");
            self.take(held);
        }
    }

    /// Gives up waiting for what would come before the row that is held.
    pub(super) fn settle(&mut self) {
        if let Some(held) = self.order.held.take() {
            self.take(held);
        }
    }

    /// A row whose number is over.
    fn late(&mut self, row: &Row) {
        if self.order.fill(row.seq) {
            self.findings.fault(Kind::Reordered, row.seq, "it stands after entries with higher numbers");
        } else {
            let same = row.seq + 1 != self.order.next || self.chain.last_leaf == Some(row.leaf);
            self.twice(row, same);
        }
    }

    fn twice(&mut self, row: &Row, same: bool) {
        if same {
            self.findings.fault(Kind::Duplicated, row.seq, "its number came before");
        } else {
            self.findings.fault(Kind::Inserted, row.seq, "another entry has its number");
        }
    }

    pub(super) fn judge_missing(&mut self) {
        for (first, last) in std::mem::take(&mut self.order.missing) {
            let detail = format!("{} numbers are not there", last - first + 1);
            self.findings.add(Kind::Missing, Severity::Fault, (first, last), detail);
        }
        if self.order.more > 0 {
            let detail = format!("and {} more gaps", self.order.more);
            self.findings.fault(Kind::Missing, self.order.next, detail);
        }
    }
}
