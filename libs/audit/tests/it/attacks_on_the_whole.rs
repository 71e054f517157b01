//! The log cut, emptied, rolled back and rewritten: sound in itself, and found by what lies outside.

use ops_audit::export::Line;
use ops_audit::verify::{Completeness, Integrity, Kind, Trust};

use crate::log::*;

/// What lies outside of `log`, but not the high-water mark.
fn anchors_only(log: &Log) -> Trust {
    Trust { high_water: None, ..log.trust() }
}

/// Leaves what stood there when the log had this size.
fn cut_to(lines: &mut Vec<Line>, size: u64) {
    let end = lines.len() - 1;
    lines.drain(at(lines, size)..end);
}

#[test]
fn a_cut_tail_with_its_checkpoints_is_found_by_an_anchor() {
    let log = Log::usual();
    let lines = log.attacked(|lines| cut_to(lines, 17));
    let verdict = verify(&lines, anchors_only(&log));
    assert_red(&verdict, Kind::AnchorBeyondLog, 17);
    assert_red(&verdict, Kind::Truncated, 17);
    assert_eq!((verdict.integrity, verdict.completeness), (Integrity::Intact, Completeness::Broken));
}

#[test]
fn a_tail_cut_between_two_anchors_is_found_by_the_high_water_mark() {
    let log = Log::usual();
    let lines = log.attacked(|lines| cut_to(lines, 22));
    assert!(verify(&lines, anchors_only(&log)).is_good(), "no anchor can know of it");
    assert_red(&verify(&lines, log.trust()), Kind::HighWaterBeyondLog, 22);
}

#[test]
fn an_emptied_log_is_found() {
    let log = Log::usual();
    let emptied = log.attacked(|lines| drop(lines.drain(1..lines.len() - 1)));
    assert_red(&verify(&emptied, log.trust()), Kind::Emptied, 0);
    assert_red(&verify(&emptied, anchors_only(&log)), Kind::Emptied, 0);
    let without_entries = log.after(|lines| lines.retain(|line| !matches!(line, Line::Row(_))));
    assert_red(&without_entries, Kind::Emptied, 0);
    // Not even the header is left.
    for nothing in ["", "\n"] {
        let verdict = verify_text(nothing.as_bytes(), Trust::default());
        assert_red(&verdict, Kind::Malformed, 0);
    }
    // With nothing outside, an empty log is not said to be good.
    let verdict =
        verify(&emptied, Trust { anchors: Vec::new(), anchor_every_ms: None, ..anchors_only(&log) });
    assert_eq!((verdict.integrity, verdict.completeness), (Integrity::Unproven, Completeness::Unknown));
}

#[test]
fn an_older_backup_is_found() {
    let mut log = Log::new();
    log.entries(10);
    let backup = log.export();
    log.entries(13);
    log.seal();
    for trust in [anchors_only(&log), log.trust()] {
        assert_red(&verify(&backup, trust), Kind::RolledBack, 10);
    }
}

#[test]
fn a_log_that_was_cut_and_goes_on_with_its_key_is_found() {
    let mut log = Log::new();
    log.entries(7);
    let (head, lines) = (log.head.clone(), log.lines.clone());
    log.entries(16);
    let (anchors, mark) = (log.anchors.clone(), log.high_water());
    // The server starts again on the shorter log and does not notice.
    log.head = head;
    log.lines = lines;
    log.append(draft("secret.read", "something_else"));
    log.entries(20);
    log.seal();
    let trust = Trust { anchors, high_water: None, searched: [].into(), ..log.trust() };
    let verdict = verify(&log.export(), trust.clone());
    assert_red(&verdict, Kind::SplitView, 0);
    let verdict =
        verify(&log.export(), Trust { anchors: log.anchors.clone(), high_water: Some(mark), ..trust });
    assert_red(&verdict, Kind::HighWaterMismatch, 22);
}

#[test]
fn a_log_that_was_cut_and_goes_on_without_its_key_is_found() {
    let log = Log::usual();
    let mut forged = Log::new();
    forged.entries(17);
    for _ in 0..20 {
        forged.append(draft("secret.read", "harmless"));
    }
    // No checkpoints, since he cannot sign: the hole of the systemd journal.
    assert_red(&verify(&forged.export(), log.trust()), Kind::Unsealed, 15);
}

#[test]
fn a_stolen_key_cannot_rewrite_what_is_anchored() {
    let log = Log::usual();
    let mut forged = Log::new();
    for _ in 0..2 {
        forged.append(draft("secret.read", "harmless"));
    }
    forged.entries(21);
    forged.seal();
    let verdict = verify(&forged.export(), anchors_only(&log));
    assert_red(&verdict, Kind::SplitView, 0);
    assert_eq!((verdict.integrity, verdict.found[&Kind::SplitView]), (Integrity::Broken, 1));
}

#[test]
fn two_logs_of_one_origin_are_a_split_view() {
    let (mut one, mut other) = (Log::new(), Log::new());
    other.append(draft("secret.read", "another"));
    one.entries(20);
    other.entries(19);
    one.seal();
    other.seal();
    // Both good by their own anchors, and each a lie by those of the other.
    for (log, witness) in [(&one, &other), (&other, &one)] {
        assert!(verify(&log.export(), log.trust()).is_good());
        let trust = Trust { searched: [].into(), ..anchors_only(witness) };
        assert_red(&verify(&log.export(), trust), Kind::SplitView, 0);
    }
}

#[test]
fn a_missing_anchor_is_found() {
    let log = Log::usual();
    // The log says that it laid one down; it is not there any more.
    let trust = Trust { anchors: log.anchors[1..].to_vec(), ..log.trust() };
    assert_only(&verify(&log.export(), trust), Kind::AnchorMissing, 10);
    // One was due.
    let trust = Trust { anchor_every_ms: Some(2000), ..log.trust() };
    assert_only(&verify(&log.export(), trust), Kind::AnchorMissing, 23);
    let trust = Trust { anchors: Vec::new(), searched: [].into(), ..log.trust() };
    assert_only(&verify(&log.export(), trust), Kind::AnchorMissing, 23);
}

#[test]
fn an_anchor_contradicts_also_what_nobody_signed() {
    let log = Log::usual();
    let mut forged = Log::new();
    for _ in 0..12 {
        forged.append(draft("secret.read", "harmless"));
    }
    let trust = Trust { max_gap_ms: 60_000, ..anchors_only(&log) };
    assert_red(&verify(&forged.export(), trust), Kind::Rechained, 0);
}

#[test]
fn an_anchor_of_another_log_by_the_same_key_proves_nothing() {
    let log = Log::usual();
    let mut other = log.anchors[1].open().unwrap().checkpoint;
    other.origin = "other.example.com/audit".to_owned();
    let mut trust = Trust { searched: [].into(), ..log.trust() };
    trust.anchors[1].checkpoint = other.sign(&log.key).unwrap().to_string();
    let verdict = verify(&log.export(), trust);
    assert_only(&verdict, Kind::BadAnchor, 20);
    assert_eq!(verdict.anchored, 10);
}

#[test]
fn a_second_header_and_what_follows_the_end_are_found() {
    let log = Log::usual();
    let second = log.after(|lines| lines.insert(5, lines[0].clone()));
    assert_red(&second, Kind::Malformed, 4);
    let mut lines = log.export();
    lines.push(lines[1].clone());
    assert_red(&verify(&lines, log.trust()), Kind::Malformed, 23);
}

#[test]
fn an_anchor_that_nobody_signed_is_found() {
    let log = Log::usual();
    for bad in [
        log.anchors[1].checkpoint.replacen("\n20\n", "\n21\n", 1),
        "rubbish".to_owned(),
        ops_audit::checkpoint::Signed::parse(&log.anchors[1].checkpoint)
            .unwrap()
            .checkpoint
            .sign(&key(66))
            .unwrap()
            .to_string(),
    ] {
        let mut trust = Trust { searched: [].into(), ..log.trust() };
        trust.anchors[1].checkpoint = bad;
        let verdict = verify(&log.export(), trust);
        assert_eq!(faults(&verdict), [Kind::BadAnchor], "{verdict:#?}");
        assert_eq!(verdict.anchored, 10);
    }
}

#[test]
fn a_file_that_did_not_come_whole_is_found() {
    let log = Log::usual();
    let text = text(&log.export());
    let trust = || Trust { high_water: None, anchor_every_ms: None, anchors: Vec::new(), ..log.trust() };
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    for end in &ends[..ends.len() - 1] {
        let verdict = verify_text(&text.as_bytes()[..=*end], trust());
        assert!(verdict.found.contains_key(&Kind::Truncated), "{verdict:#?}");
    }
}

#[test]
fn many_faults_are_counted_and_the_first_kept() {
    let mut log = Log::new();
    log.entries(400);
    log.seal();
    let verdict = log.after(|lines| (0..400).for_each(|seq| entry(lines, seq).time_ms += 1));
    assert_eq!(verdict.findings.len(), ops_audit::verify::MAX_FINDINGS);
    assert_eq!(verdict.found[&Kind::Edited], 400);
    assert_eq!(verdict.first_fault().unwrap().seq, 0);
}
