//! What nobody touched is good, and says what it does not know.

use ops_audit::export::{Body, Line};
use ops_audit::key::Signer as _;
use ops_audit::statement::{Statement, keeps_its_body};
use ops_audit::verify::{Completeness, Integrity, Kind, Severity, Trust, Verifier};

use crate::log::*;

#[test]
fn a_log_that_nobody_touched_is_intact_and_complete_up_to_its_last_anchor() {
    let log = Log::usual();
    let verdict = log.after(|_| ());
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.entries, verdict.sealed, verdict.anchored, verdict.checkpoints), (23, 23, 20, 5));
    assert_eq!(verdict.not_covered_seconds, Some(3));
    assert_eq!((verdict.root, verdict.head), (Some(log.head.tree.root()), log.head.link));
}

#[test]
fn the_parts_of_a_store_come_to_the_same_as_its_export() {
    let log = Log::usual();
    let mut verifier = Verifier::of_store(log.trust());
    for line in &log.lines {
        verifier.line(line.clone());
    }
    assert_eq!(verifier.finish(), log.after(|_| ()));
}

#[test]
fn without_anchors_completeness_is_unknown_and_nothing_is_covered() {
    let log = Log::usual();
    let trust = Trust { anchors: Vec::new(), searched: [].into(), anchor_every_ms: None, ..log.trust() };
    let verdict = verify(&log.export(), trust);
    assert_eq!(verdict.integrity, Integrity::Intact);
    assert_eq!(verdict.completeness, Completeness::Unknown);
    assert_eq!(verdict.not_covered_seconds, None);
    assert!(!verdict.is_good() && !verdict.is_faulty());
    assert_eq!(verdict.found.keys().collect::<Vec<_>>(), [&Kind::NoAnchor]);
}

#[test]
fn with_no_key_but_those_in_the_file_nothing_is_proven() {
    let log = Log::usual();
    let verdict = verify(&log.export(), Trust { keys: Vec::new(), ..log.trust() });
    assert_eq!((verdict.integrity, verdict.completeness), (Integrity::Unproven, Completeness::Unknown));
    assert!(verdict.found.contains_key(&Kind::KeysFromExport));
    assert_eq!(faults(&verdict), []);
}

#[test]
fn an_idle_log_is_sealed_all_the_same() {
    let mut log = Log::usual();
    for _ in 0..5 {
        log.now_ms += 9_000;
        log.seal();
    }
    let verdict = log.after(|_| ());
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!((verdict.checkpoints, verdict.not_covered_seconds), (10, Some(48)));
}

#[test]
fn a_start_of_the_server_explains_a_gap_and_stays_to_be_seen() {
    let mut log = Log::usual();
    log.now_ms += 3_600_000;
    log.append(draft("audit.start", "server"));
    log.entries(6);
    let signed = log.seal();
    log.anchor(&signed);
    let verdict = log.after(|_| ());
    assert!(verdict.is_good(), "{verdict:#?}");
    let [gap] = &verdict.findings[..] else { panic!("{verdict:#?}") };
    assert_eq!((gap.kind, gap.severity, gap.seq), (Kind::CheckpointGap, Severity::Notice, 23));
}

#[test]
fn a_young_tail_without_a_seal_is_to_be_known_and_no_fault() {
    let mut log = Log::usual();
    log.append(draft("secret.read", "x"));
    let verdict = log.after(|_| ());
    assert!(verdict.is_good(), "{verdict:#?}");
    let [tail] = &verdict.findings[..] else { panic!("{verdict:#?}") };
    assert_eq!((tail.kind, tail.severity, tail.seq, tail.last), (Kind::Unsealed, Severity::Notice, 23, 23));
}

/// A log with two handovers.
pub(crate) fn rotated() -> Log {
    let mut log = Log::usual();
    for seed in [2, 3] {
        let next = key(seed);
        log.state(&Statement::Handover { to: Box::new(next.public().clone()) });
        log.key = next;
        log.seal();
        log.entries(6);
    }
    log.seal();
    log
}

#[test]
fn a_log_whose_key_was_changed_verifies_from_its_first_key_on() {
    let log = rotated();
    let verdict = log.after(|_| ());
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!(verdict.findings, []);
}

/// A log that permits to drop what is below 12, and has a handover below that.
pub(crate) fn retained() -> (Log, u64) {
    let mut log = Log::new();
    log.entries(6);
    let next = key(2);
    log.state(&Statement::Handover { to: Box::new(next.public().clone()) });
    log.key = next;
    log.entries(16);
    log.state(&Statement::Retention { below: 12, before_ms: START_MS + 13_000 });
    log.seal();
    (log, 12)
}

pub(crate) fn drop_bodies(lines: &mut [Line], below: u64) {
    for line in lines {
        if let Line::Row(row) = line
            && row.seq < below
            && !matches!(&row.body, Body::Entry(entry) if keeps_its_body(&entry.action))
        {
            row.body = Body::Dropped;
        }
    }
}

#[test]
fn bodies_that_retention_dropped_are_counted_and_everything_else_still_verifies() {
    let (log, below) = retained();
    let verdict = log.after(|lines| drop_bodies(lines, below));
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.bodies_dropped, verdict.bodies_dropped_before_ms), (11, Some(START_MS + 13_000)));
    assert_eq!(verdict.root, Some(log.head.tree.root()));
}
