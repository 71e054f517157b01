//! Compares the log with what lies outside it: anchors and the high-water mark.

use std::collections::BTreeSet;

use super::Verifier;
use super::finding::{Kind, Severity};
use crate::anchor::{Anchor, HighWater};
use crate::checkpoint::Signed;

/// Contradictions that are remembered until the next checkpoint tells what they are.
const MAX_CONTRADICTIONS: usize = 16;

pub(super) struct Outside {
    /// By size and time, the next one last.
    waiting: Vec<(Anchor, Signed)>,
    /// Anchors without a checkpoint in them.
    unreadable: Vec<(String, String)>,
    high_water: Option<HighWater>,
    /// Size and time of the last one that agreed.
    agreed: Option<(u64, i64)>,
    /// Time of the newest one that a key in force signed, whether or not it could be compared.
    newest_ms: Option<i64>,
    /// Those that did not: size and place.
    pub(super) contradictions: Vec<(u64, String)>,
    is_lost: bool,
    /// All that were found outside: place and text of the checkpoint.
    lies: BTreeSet<(String, String)>,
}

impl Outside {
    pub(super) fn new(anchors: &[Anchor], high_water: Option<HighWater>) -> Self {
        let (mut waiting, mut unreadable, mut lies) = (Vec::new(), Vec::new(), BTreeSet::new());
        for anchor in anchors {
            match anchor.open() {
                Ok(signed) => {
                    lies.insert((anchor.place.clone(), signed.note.text().to_owned()));
                    waiting.push((anchor.clone(), signed));
                }
                Err(error) => unreadable.push((anchor.place.clone(), error.to_string())),
            }
        }
        let place = |(_, signed): &(Anchor, Signed)| (signed.checkpoint.size, signed.checkpoint.time_ms);
        waiting.sort_by_key(|anchor| std::cmp::Reverse(place(anchor)));
        Self {
            waiting,
            unreadable,
            high_water,
            agreed: None,
            newest_ms: None,
            contradictions: Vec::new(),
            is_lost: false,
            lies,
        }
    }

    pub(super) const fn covered(&self) -> Option<(u64, i64)> {
        self.agreed
    }
}

impl Verifier {
    /// Before the log grows beyond its present size: what lies outside of that size must be the same.
    pub(super) fn leave(&mut self) {
        let next = self.order.next;
        if self.outside.high_water.is_some_and(|mark| mark.size == next) {
            let mark = self.outside.high_water.take();
            if mark.is_some_and(|mark| mark.head != self.chain.link) {
                let detail = "this host saw another last entry at this length";
                self.findings.fault(Kind::HighWaterMismatch, next.saturating_sub(1), detail);
            }
        }
        while let Some((anchor, signed)) =
            self.outside.waiting.pop_if(|(_, signed)| signed.checkpoint.size <= next)
        {
            self.meet(&anchor, &signed);
        }
    }

    fn meet(&mut self, anchor: &Anchor, signed: &Signed) {
        let checkpoint = &signed.checkpoint;
        if let Err(detail) = self.reliable(signed) {
            let detail = format!("at {}: {detail}", anchor.place);
            return self.findings.fault(Kind::BadAnchor, checkpoint.size, detail);
        }
        self.outside.newest_ms = self.outside.newest_ms.max(Some(checkpoint.time_ms));
        // Of a size that a gap went over, or after the tree was lost: nothing can be said, and nothing is covered.
        let Some(tree) = &self.chain.tree else { return };
        if checkpoint.size != tree.size() || self.outside.is_lost {
            return;
        }
        let fits =
            tree.root() == checkpoint.root && (checkpoint.head == self.chain.link || self.chain.damaged);
        if fits {
            self.outside.agreed = Some((checkpoint.size, checkpoint.time_ms));
            return;
        }
        self.outside.is_lost = true;
        if self.chain.damaged {
            return;
        }
        if self.outside.contradictions.len() < MAX_CONTRADICTIONS {
            self.outside.contradictions.push((checkpoint.size, anchor.place.clone()));
        }
        if self.seals.last.as_ref().is_some_and(|last| last.size == checkpoint.size)
            && self.seals.sealed == checkpoint.size
        {
            self.contradicted(Kind::SplitView);
        }
    }

    /// Names the contradictions, now that it is known whether the other history is signed as well.
    pub(super) fn contradicted(&mut self, kind: Kind) {
        for (size, place) in std::mem::take(&mut self.outside.contradictions) {
            let detail = format!("another history of {size} entries is anchored at {place}");
            self.findings.add(kind, Severity::Fault, (0, size.saturating_sub(1)), detail);
        }
    }

    fn reliable(&self, signed: &Signed) -> Result<(), String> {
        if signed.checkpoint.origin != self.origin {
            return Err(format!("it is of the log {}", signed.checkpoint.origin));
        }
        self.keys.check(&signed.note, signed.checkpoint.size).map_err(|(_, detail)| detail)
    }

    /// Takes an anchor that the log says was laid down. It proves nothing, but it must lie where it says.
    pub fn anchor(&mut self, anchor: &Anchor) {
        self.started = true;
        let Some(checkpoint) = self.signed(&anchor.checkpoint) else { return };
        let size = checkpoint.size;
        if size > self.order.next {
            self.seals.early.get_or_insert(size);
        } else if size < self.order.next {
            let detail = format!("an anchor of {size} entries stands after {}", self.order.next);
            self.findings.fault(Kind::CheckpointOutOfPlace, size, detail);
        }
        let is_there = self.outside.lies.contains(&(anchor.place.clone(), checkpoint.text()));
        if self.trust.searched.contains(&anchor.place) && !is_there {
            let detail = format!("one of {size} entries was laid down at {} and is not there", anchor.place);
            self.findings.fault(Kind::AnchorMissing, size, detail);
        }
    }

    pub(super) fn judge_outside(&mut self, as_of: i64) {
        let next = self.order.next;
        self.contradicted(Kind::Rechained);
        for (place, error) in std::mem::take(&mut self.outside.unreadable) {
            self.findings.fault(Kind::BadAnchor, next, format!("at {place}: {error}"));
        }
        let mut beyond = None;
        // The farthest first: it says the most.
        for (anchor, signed) in std::mem::take(&mut self.outside.waiting) {
            let size = signed.checkpoint.size;
            match self.reliable(&signed) {
                Ok(()) => {
                    self.outside.newest_ms = self.outside.newest_ms.max(Some(signed.checkpoint.time_ms));
                    let detail = format!("{size} entries are anchored at {}, there are {next}", anchor.place);
                    self.findings.fault(Kind::AnchorBeyondLog, next, detail);
                    beyond.get_or_insert(size);
                }
                Err(error) => {
                    self.findings.fault(Kind::BadAnchor, size, format!("at {}: {error}", anchor.place));
                }
            }
        }
        if let Some(mark) = self.outside.high_water.filter(|mark| mark.size > next) {
            let detail = format!("this host saw {} entries, there are {next}", mark.size);
            self.findings.fault(Kind::HighWaterBeyondLog, next, detail);
            beyond = beyond.max(Some(mark.size));
        }
        if let Some(size) = beyond {
            self.name_what_is_cut(size);
        }
        self.judge_age(as_of);
    }

    fn name_what_is_cut(&mut self, size: u64) {
        let next = self.order.next;
        let (kind, detail) = if next == 0 {
            (Kind::Emptied, format!("there were at least {size} entries"))
        } else if self.seals.sealed == next {
            (
                Kind::RolledBack,
                format!("sound up to its end, as an older backup is; at least {size} entries were"),
            )
        } else {
            (Kind::Truncated, format!("at least {size} entries were"))
        };
        self.findings.fault(kind, next, detail);
    }

    fn judge_age(&mut self, as_of: i64) {
        let next = self.order.next;
        let age = self.outside.newest_ms.map(|time_ms| as_of.saturating_sub(time_ms));
        match (age, self.trust.anchor_every_ms) {
            (Some(age), Some(every)) if age > every => {
                let detail = format!("the newest one is {} s old", age / 1000);
                self.findings.fault(Kind::AnchorMissing, next, detail);
            }
            (None, Some(_)) => {
                self.findings.fault(Kind::AnchorMissing, next, "there is none, and some were due")
            }
            (None, None) => {
                let detail = "nothing shows whether the newest entries were cut away";
                self.findings.notice(Kind::NoAnchor, next, detail);
            }
            _ => {}
        }
    }
}
