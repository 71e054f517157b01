//! A small log, and what one can do to it.

use std::collections::BTreeMap;

use ops_audit::anchor::{Anchor, HighWater};
use ops_audit::chain::{self, Head};
use ops_audit::checkpoint::Signed;
use ops_audit::entry::{Actor, ActorKind, Draft, Entry, Outcome, Source};
use ops_audit::export::{Body, End, Header, Line, Row};
use ops_audit::hash;
use ops_audit::key::{LocalKey, PublicKey, Signer};
use ops_audit::statement::Statement;
use ops_audit::verify::{Kind, Severity, Trust, Verdict, Verifier};

pub(crate) const ORIGIN: &str = "ops.example.com/audit";
pub(crate) const PLACE: &str = "s3://elsewhere/audit";
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// A log with its writer: it has the key and tells the truth.
pub(crate) struct Log {
    pub(crate) head: Head,
    pub(crate) key: LocalKey,
    pub(crate) first_key: PublicKey,
    pub(crate) now_ms: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) anchors: Vec<Anchor>,
}

pub(crate) fn key(seed: u8) -> LocalKey {
    LocalKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

pub(crate) fn actor(name: &str) -> Actor {
    Actor { kind: ActorKind::Person, name: name.to_owned(), via: Some("session-7".to_owned()), address: None }
}

pub(crate) fn draft(action: &str, subject: &str) -> Draft {
    Draft {
        salt: [7; 16],
        actor: actor("alice"),
        action: action.to_owned(),
        subject: subject.to_owned(),
        purpose: Some("ticket 4711".to_owned()),
        outcome: Outcome::Allowed,
        source: Source::Own,
        details: BTreeMap::from([("version".to_owned(), "3".to_owned())]),
    }
}

impl Log {
    pub(crate) fn new() -> Self {
        let key = key(1);
        Self {
            head: Head::new(ORIGIN).unwrap(),
            first_key: key.public().clone(),
            key,
            now_ms: START_MS,
            lines: Vec::new(),
            anchors: Vec::new(),
        }
    }

    /// Twenty-three entries a second apart, sealed every five seconds and at the end, anchored at 10 and 20.
    pub(crate) fn usual() -> Self {
        let mut log = Self::new();
        log.entries(23);
        log.seal();
        log
    }

    pub(crate) fn entries(&mut self, count: u64) {
        for _ in 0..count {
            self.append(draft("secret.read", &format!("secret_{}", self.head.size())));
            if self.head.size().is_multiple_of(5) {
                let signed = self.seal();
                if self.head.size().is_multiple_of(10) {
                    self.anchor(&signed);
                }
            }
        }
    }

    pub(crate) fn append(&mut self, draft: Draft) -> Entry {
        self.now_ms += 1000;
        let appended = self.head.append(draft, self.now_ms).unwrap();
        let seq = appended.entry.seq;
        self.lines.push(Line::Row(Row::stored(seq, appended.leaf, appended.link, Some(&appended.bytes))));
        appended.entry
    }

    pub(crate) fn state(&mut self, statement: &Statement) {
        let draft = statement.draft(&self.head, &self.key, actor("root"), [8; 16]).unwrap();
        self.append(draft);
    }

    pub(crate) fn seal(&mut self) -> Signed {
        let signed = self.head.checkpoint(self.now_ms).sign(&self.key).unwrap();
        self.lines.push(Line::Checkpoint(signed.to_string()));
        signed
    }

    pub(crate) fn anchor(&mut self, signed: &Signed) {
        let anchor =
            Anchor { place: PLACE.to_owned(), written_ms: self.now_ms, checkpoint: signed.to_string() };
        self.lines.push(Line::Anchor(anchor.clone()));
        self.anchors.push(anchor);
    }

    /// All that an operator can know from elsewhere.
    pub(crate) fn trust(&self) -> Trust {
        Trust {
            origin: Some(ORIGIN.to_owned()),
            keys: vec![self.first_key.clone()],
            anchors: self.anchors.clone(),
            searched: [PLACE.to_owned()].into(),
            anchor_every_ms: Some(60_000),
            high_water: Some(self.high_water()),
            max_gap_ms: 10_000,
            as_of_ms: None,
        }
    }

    pub(crate) fn high_water(&self) -> HighWater {
        HighWater { size: self.head.size(), head: self.head.link, time_ms: self.now_ms }
    }

    /// The lines of an export, header and end line included.
    pub(crate) fn export(&self) -> Vec<Line> {
        let header = Header::new(ORIGIN, vec![self.first_key.clone()], self.now_ms);
        let mut lines = vec![Line::Header(header)];
        lines.extend(self.lines.iter().cloned());
        lines.push(Line::End(End { entries: self.head.size() }));
        lines
    }

    /// The verdict on the log after somebody did something to its export.
    pub(crate) fn after(&self, attack: impl FnOnce(&mut Vec<Line>)) -> Verdict {
        verify(&self.attacked(attack), self.trust())
    }

    pub(crate) fn attacked(&self, attack: impl FnOnce(&mut Vec<Line>)) -> Vec<Line> {
        let mut lines = self.export();
        attack(&mut lines);
        // Whoever can change a file can also change its last line.
        let entries = lines.iter().filter_map(row_of).map(|row| row.seq + 1).max().unwrap_or(0);
        if let Some(Line::End(end)) = lines.last_mut() {
            end.entries = entries;
        }
        lines
    }
}

pub(crate) fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

pub(crate) fn verify(lines: &[Line], trust: Trust) -> Verdict {
    verify_text(text(lines).as_bytes(), trust)
}

pub(crate) fn verify_text(text: &[u8], trust: Trust) -> Verdict {
    let mut verifier = Verifier::of_export(trust);
    for chunk in text.chunks(1000) {
        verifier.feed(chunk);
    }
    verifier.finish()
}

/// Asserts that the log is broken and that this was said of that entry.
#[track_caller]
pub(crate) fn assert_red(verdict: &Verdict, kind: Kind, seq: u64) {
    assert!(verdict.is_faulty() && !verdict.is_good(), "{verdict:#?}");
    assert!(is_found(verdict, kind, seq), "no {kind:?} at {seq} in {verdict:#?}");
}

/// As [`assert_red`], and nothing else was found.
#[track_caller]
pub(crate) fn assert_only(verdict: &Verdict, kind: Kind, seq: u64) {
    assert_red(verdict, kind, seq);
    assert_eq!(faults(verdict), [kind], "{verdict:#?}");
}

pub(crate) fn is_found(verdict: &Verdict, kind: Kind, seq: u64) -> bool {
    verdict
        .findings
        .iter()
        .any(|found| found.kind == kind && found.severity == Severity::Fault && found.seq == seq)
}

pub(crate) fn faults(verdict: &Verdict) -> Vec<Kind> {
    let faults = verdict.findings.iter().filter(|found| found.severity == Severity::Fault);
    faults.map(|found| found.kind).collect()
}

pub(crate) fn row_of(line: &Line) -> Option<&Row> {
    if let Line::Row(row) = line { Some(row) } else { None }
}

/// Where the line of this entry is.
pub(crate) fn at(lines: &[Line], seq: u64) -> usize {
    lines.iter().position(|line| row_of(line).is_some_and(|row| row.seq == seq)).unwrap()
}

/// Where the first checkpoint of this size is.
pub(crate) fn sealed_at(lines: &[Line], size: u64) -> usize {
    let is_it = |line: &Line| match line {
        Line::Checkpoint(text) => Signed::parse(text).unwrap().checkpoint.size == size,
        _ => false,
    };
    lines.iter().position(is_it).unwrap()
}

pub(crate) fn row(lines: &mut [Line], seq: u64) -> &mut Row {
    let at = at(lines, seq);
    let Line::Row(row) = &mut lines[at] else { unreachable!() };
    row
}

pub(crate) fn entry(lines: &mut [Line], seq: u64) -> &mut Entry {
    let Body::Entry(entry) = &mut row(lines, seq).body else { panic!("{seq} has no body") };
    entry
}

/// Numbers all entries again and computes every hash, as somebody does who knows everything but the key.
pub(crate) fn rechain(lines: &mut [Line]) {
    let mut link = chain::genesis(ORIGIN);
    let rows = lines.iter_mut().filter_map(|line| if let Line::Row(row) = line { Some(row) } else { None });
    for (seq, row) in (0..).zip(rows) {
        row.seq = seq;
        if let Body::Entry(entry) = &mut row.body {
            entry.seq = seq;
            row.leaf = hash::leaf(&entry.encode().unwrap());
        }
        link = chain::link(seq, &link, &row.leaf);
        row.link = link;
    }
}

/// Moves every checkpoint and anchor behind the last entry that it covers.
pub(crate) fn seals_in_place(lines: &mut Vec<Line>) {
    let size = |line: &Line| match line {
        Line::Checkpoint(text) | Line::Anchor(Anchor { checkpoint: text, .. }) => {
            Some(Signed::parse(text).unwrap().checkpoint.size)
        }
        _ => None,
    };
    let (seals, rest): (Vec<Line>, Vec<Line>) = lines.drain(..).partition(|line| size(line).is_some());
    *lines = rest;
    for seal in seals.into_iter().rev() {
        let size = size(&seal).unwrap();
        let last = lines.iter().position(|line| row_of(line).is_some_and(|row| row.seq + 1 == size));
        let end = lines.len() - 1;
        lines.insert(last.map_or(end, |last| last + 1), seal);
    }
}
