//! Judges a log from its first entry on, and trusts no hash that is stored in it.
//!
//! Everything is computed again: leaf hashes from bodies, links from the origin on, the tree, and every signature. A
//! stored hash only serves to say where things went wrong: after a fault the verifier goes on from it, so that one
//! change is one finding, and the log stays broken whatever follows. Memory does not grow with the log.
//!
//! What cannot be known is not green: without anchors from outside, completeness is unknown, and integrity is unproven
//! when the only keys are those that the file brought.

mod anchors;
mod entries;
mod finding;
mod keys;
mod order;
mod retention;
mod seals;
mod trust;
mod verdict;

pub use finding::{Finding, Kind, MAX_FINDINGS, Severity};
pub use trust::Trust;
pub use verdict::{Completeness, Integrity, Verdict};

use crate::chain;
use crate::export::{self, Header, Line, Row, Split, Splitter};
use anchors::Outside;
use entries::Chain;
use finding::Findings;
use keys::Keys;
use order::Order;
use retention::Retention;
use seals::Seals;

/// Verifies one log. Feed it an export in pieces, or its parts one by one, then [`finish`](Self::finish).
pub struct Verifier {
    trust: Trust,
    lines: Splitter,
    header: Option<Header>,
    end: Option<u64>,
    /// An export has a header and an end; parts that are fed one by one have neither.
    is_export: bool,
    started: bool,
    findings: Findings,
    keys: Keys,
    keys_are_own: bool,
    origin: String,
    order: Order,
    chain: Chain,
    seals: Seals,
    outside: Outside,
    retention: Retention,
}

impl Verifier {
    /// Verifies an export: [`feed`](Self::feed) it.
    #[must_use]
    pub fn of_export(trust: Trust) -> Self {
        Self { is_export: true, ..Self::of_store(trust) }
    }

    /// Verifies a log that is read from its store: [`row`](Self::row), [`checkpoint`](Self::checkpoint) and
    /// [`anchor`](Self::anchor), in the order of an export. `trust` must name the log.
    #[must_use]
    pub fn of_store(trust: Trust) -> Self {
        let origin = trust.origin.clone().unwrap_or_default();
        Self {
            lines: Splitter::default(),
            header: None,
            end: None,
            is_export: false,
            started: false,
            findings: Findings::default(),
            keys: Keys::new(&trust.keys),
            keys_are_own: !trust.keys.is_empty(),
            chain: Chain::new(chain::genesis(&origin)),
            order: Order::default(),
            seals: Seals::default(),
            outside: Outside::new(&trust.anchors, trust.high_water),
            retention: Retention::default(),
            origin,
            trust,
        }
    }

    /// Takes the next bytes of an export.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line| self.split(line));
        self.lines = lines;
    }

    fn split(&mut self, line: Split<'_>) {
        match line {
            Split::Line([]) => {}
            Split::Line(line) => match export::parse(line) {
                Ok(line) => self.line(line),
                Err(error) => {
                    let why = std::error::Error::source(&error).map(|why| format!(": {why}"));
                    self.malformed(format!("{error}{}", why.unwrap_or_default()));
                }
            },
            Split::TooLong => self.malformed(export::LineError::TooLong.to_string()),
        }
    }

    fn malformed(&mut self, detail: String) {
        self.findings.fault(Kind::Malformed, self.order.next, detail);
    }

    /// Takes the next line of an export.
    pub fn line(&mut self, line: Line) {
        if self.end.is_some() {
            return self.malformed("a line follows the end line".to_owned());
        }
        match line {
            Line::Header(header) => self.header(header),
            Line::Row(row) => self.row(row),
            Line::Checkpoint(text) => self.checkpoint(&text),
            Line::Anchor(anchor) => self.anchor(&anchor),
            Line::End(end) => self.end = Some(end.entries),
        }
    }

    /// Takes the header of an export.
    pub fn header(&mut self, header: Header) {
        if self.started || self.header.is_some() {
            return self.malformed("a header that is not the first line".to_owned());
        }
        match &self.trust.origin {
            None => {
                self.origin.clone_from(&header.origin);
                self.chain = Chain::new(chain::genesis(&self.origin));
            }
            Some(origin) if *origin != header.origin => {
                let detail = format!("it is of the log {}, not of {origin}", header.origin);
                self.findings.fault(Kind::WrongOrigin, 0, detail);
            }
            Some(_) => {}
        }
        if !self.keys_are_own {
            self.keys = Keys::new(&header.keys);
        }
        self.header = Some(header);
    }

    /// Takes the next entry.
    pub fn row(&mut self, row: Row) {
        self.started = true;
        if self.order.is_next(row.seq) {
            self.take(row);
        } else {
            self.disordered(row);
        }
    }

    /// Ends the log and judges it.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.split(line));
        self.settle();
        self.leave();
        let as_of = self
            .trust
            .as_of_ms
            .or_else(|| self.header.as_ref().map(|header| header.exported_ms))
            .unwrap_or(i64::MIN)
            .max(self.chain.floor_ms);
        self.judge_file();
        self.judge_missing();
        self.judge_tail(as_of);
        self.judge_outside(as_of);
        self.judge_retention();
        self.verdict(as_of)
    }

    fn judge_file(&mut self) {
        if self.is_export {
            if self.header.is_none() {
                self.malformed("no header".to_owned());
            }
            let entries = self.order.next;
            match self.end {
                None => self.findings.fault(
                    Kind::Truncated,
                    entries,
                    "the file has no end line: it did not come whole",
                ),
                Some(end) if end != entries => {
                    let detail = format!("the end line speaks of {end} entries, there are {entries}");
                    self.findings.fault(Kind::Truncated, entries, detail);
                }
                Some(_) => {}
            }
        }
        if !self.keys_are_own {
            let detail = "whoever can change the file can put his own there: verify with keys kept elsewhere";
            self.findings.notice(Kind::KeysFromExport, 0, detail);
        }
    }

    fn verdict(self, as_of: i64) -> Verdict {
        let anchored = self.outside.covered();
        let seconds = |from: i64| u64::try_from(as_of.saturating_sub(from) / 1000).unwrap_or(0);
        Verdict {
            integrity: if self.findings.integrity_broken {
                Integrity::Broken
            } else if self.keys_are_own && self.seals.good > 0 {
                Integrity::Intact
            } else {
                Integrity::Unproven
            },
            completeness: if self.findings.completeness_broken {
                Completeness::Broken
            } else if anchored.is_some() && self.keys_are_own {
                Completeness::Complete
            } else {
                Completeness::Unknown
            },
            not_covered_seconds: anchored.map(|(_, time_ms)| seconds(time_ms)),
            findings: self.findings.kept,
            found: self.findings.by_kind,
            entries: self.order.next,
            sealed: self.seals.sealed,
            anchored: anchored.map_or(0, |(size, _)| size),
            checkpoints: self.seals.good,
            last_checkpoint_ms: self.seals.last.as_ref().map(|last| last.time_ms),
            bodies_dropped: self.retention.dropped,
            bodies_dropped_before_ms: self.retention.before_ms.filter(|_| self.retention.dropped > 0),
            root: self.chain.tree.as_ref().map(crate::merkle::Frontier::root),
            head: self.chain.link,
        }
    }
}
