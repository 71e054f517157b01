//! Checkpoints forged, removed, moved, by the wrong key or of the wrong log.

use ops_audit::checkpoint::Signed;
use ops_audit::export::{Body, Line};
use ops_audit::key::{LocalKey, Signer};
use ops_audit::statement::Statement;
use ops_audit::verify::{Kind, Trust};

use crate::clean::rotated;
use crate::log::*;

/// Replaces the checkpoint of this size by one that says something else, signed by `key`.
fn resign(lines: &mut [Line], size: u64, key: &dyn Signer, change: fn(&mut Signed)) {
    let at = sealed_at(lines, size);
    let Line::Checkpoint(text) = &mut lines[at] else { unreachable!() };
    let mut signed = Signed::parse(text).unwrap();
    change(&mut signed);
    *text = signed.checkpoint.sign(key).unwrap().to_string();
}

#[test]
fn a_checkpoint_with_a_changed_text_is_found() {
    let log = Log::usual();
    for (from, to) in [("\n10\n", "\n11\n"), ("time 17", "time 18"), ("head ", "head A"), (ORIGIN, "other")] {
        let verdict = log.after(|lines| {
            let at = sealed_at(lines, 10);
            let Line::Checkpoint(text) = &mut lines[at] else { unreachable!() };
            *text = text.replacen(from, to, 1);
        });
        assert!(verdict.is_faulty(), "{from}: {verdict:#?}");
    }
    let verdict = log.after(|lines| {
        let at = sealed_at(lines, 10);
        let Line::Checkpoint(text) = &mut lines[at] else { unreachable!() };
        *text = text.replacen("\n10\n", "\n11\n", 1);
    });
    assert_red(&verdict, Kind::BadSignature, 11);
}

#[test]
fn a_checkpoint_of_one_more_than_there_is_is_found_even_if_the_key_signed_it() {
    let log = Log::usual();
    let verdict = log.after(|lines| resign(lines, 23, &log.key, |signed| signed.checkpoint.size += 1));
    assert_red(&verdict, Kind::Truncated, 23);
    let verdict = log.after(|lines| resign(lines, 10, &log.key, |signed| signed.checkpoint.size += 1));
    assert!(verdict.is_faulty(), "{verdict:#?}");
}

#[test]
fn a_checkpoint_of_another_chain_over_the_same_tree_is_found() {
    let log = Log::usual();
    let verdict = log.after(|lines| resign(lines, 10, &log.key, |signed| signed.checkpoint.head.0[0] ^= 1));
    assert_red(&verdict, Kind::Rechained, 5);
}

#[test]
fn a_checkpoint_of_another_log_is_found() {
    let log = Log::usual();
    let verdict = log.after(|lines| {
        resign(lines, 10, &log.key, |signed| signed.checkpoint.origin = "other.example.com/audit".to_owned());
    });
    assert_only(&verdict, Kind::WrongOrigin, 10);
}

#[test]
fn a_log_under_another_name_is_found() {
    let log = Log::usual();
    let verdict = verify(&log.export(), Trust { origin: Some("other".to_owned()), ..log.trust() });
    assert_red(&verdict, Kind::WrongOrigin, 0);
    // And its entries do not continue another log's genesis.
    assert_red(&verdict, Kind::Edited, 0);
}

#[test]
fn an_unknown_key_is_found() {
    let log = Log::usual();
    let verdict = log.after(|lines| resign(lines, 10, &key(66), |_| ()));
    assert_only(&verdict, Kind::UnknownKey, 10);
}

#[test]
fn a_log_that_was_rewritten_and_signed_anew_by_its_thief_is_found() {
    let thief = key(66);
    let (mut forged, log) = (Log::new(), Log::usual());
    forged.first_key = thief.public().clone();
    forged.key = thief;
    forged.entries(23);
    let verdict = verify(&forged.export(), log.trust());
    assert_red(&verdict, Kind::UnknownKey, 5);
    // Nobody who brings keys of his own sees green with those of the file, either.
    assert!(!verify(&forged.export(), Trust { keys: Vec::new(), ..forged.trust() }).is_good());
}

#[test]
fn the_old_key_after_the_handover_is_found() {
    let log = rotated();
    let verdict = log.after(|lines| resign(lines, 25, &key(1), |_| ()));
    assert_only(&verdict, Kind::RetiredKey, 25);
    let verdict = log.after(|lines| resign(lines, 24, &key(1), |_| ()));
    assert_only(&verdict, Kind::RetiredKey, 24);
}

#[test]
fn a_handover_that_the_key_in_force_did_not_sign_is_found() {
    let mut log = Log::usual();
    let thief = key(66);
    let to = Box::new(thief.public().clone());
    let draft = Statement::Handover { to }.draft(&log.head, &thief, actor("root"), [0; 16]).unwrap();
    log.append(draft);
    log.key = thief;
    log.seal();
    let verdict = log.after(|_| ());
    assert_red(&verdict, Kind::BadStatement, 23);
    assert_red(&verdict, Kind::UnknownKey, 24);
}

#[test]
fn a_handover_that_stood_elsewhere_is_found() {
    let mut log = Log::usual();
    let to = Box::new(key(2).public().clone());
    let draft = Statement::Handover { to }.draft(&log.head, &log.key, actor("root"), [0; 16]).unwrap();
    // Another server appended in between: it must be signed again.
    log.entries(1);
    log.append(draft);
    log.seal();
    assert_only(&log.after(|_| ()), Kind::BadStatement, 24);
}

#[test]
fn a_retention_that_nobody_signed_is_found() {
    let mut log = Log::usual();
    let statement = Statement::Retention { below: 9, before_ms: log.now_ms };
    let draft = statement.draft(&log.head, &key(66), actor("root"), [0; 16]).unwrap();
    log.append(draft);
    log.seal();
    let verdict = log.after(|lines| row(lines, 0).body = Body::Dropped);
    assert_red(&verdict, Kind::BadStatement, 23);
    assert_red(&verdict, Kind::BodyMissing, 0);
}

#[test]
fn a_stretch_without_checkpoints_is_found() {
    let mut log = Log::new();
    log.entries(40);
    log.seal();
    let verdict = log.after(|lines| {
        for size in [10, 15, 20] {
            lines.remove(sealed_at(lines, size));
        }
    });
    assert_only(&verdict, Kind::CheckpointGap, 5);
}

#[test]
fn an_earlier_start_of_the_server_explains_no_later_gap() {
    let mut log = Log::new();
    log.append(draft("audit.start", "server"));
    log.entries(8);
    log.seal();
    log.now_ms += 60_000;
    log.seal();
    assert_red(&log.after(|_| ()), Kind::CheckpointGap, 9);
}

#[test]
fn a_tail_that_nobody_seals_is_found() {
    let mut log = Log::usual();
    for _ in 0..12 {
        log.append(draft("secret.read", "x"));
    }
    let verdict = log.after(|_| ());
    assert_only(&verdict, Kind::Unsealed, 23);
    assert_eq!((verdict.findings[0].last, verdict.sealed), (34, 23));
}

#[test]
fn a_log_that_is_not_sealed_at_all_is_found() {
    let mut log = Log::new();
    log.entries(20);
    let verdict = log.after(|lines| lines.retain(|line| !matches!(line, Line::Checkpoint(_))));
    assert_red(&verdict, Kind::Unsealed, 0);
}

#[test]
fn a_log_that_fell_silent_is_found() {
    let log = Log::usual();
    let verdict = verify(&log.export(), Trust { as_of_ms: Some(log.now_ms + 11_000), ..log.trust() });
    assert_only(&verdict, Kind::CheckpointGap, 23);
}

#[test]
fn a_checkpoint_that_was_moved_is_found() {
    let log = Log::usual();
    let later = log.after(|lines| {
        let moved = lines.remove(sealed_at(lines, 10));
        lines.insert(at(lines, 12), moved);
    });
    assert_red(&later, Kind::CheckpointOutOfPlace, 10);
    let earlier = log.after(|lines| {
        let moved = lines.remove(sealed_at(lines, 10));
        lines.insert(at(lines, 8), moved);
    });
    assert!(earlier.is_faulty(), "{earlier:#?}");
}

#[test]
fn a_checkpoint_that_is_dated_back_is_found() {
    let log = Log::usual();
    let verdict = log.after(|lines| resign(lines, 10, &log.key, |signed| signed.checkpoint.time_ms -= 2000));
    assert_red(&verdict, Kind::ClockBackwards, 10);
}

#[test]
fn two_signed_checkpoints_of_one_size_are_a_split_view() {
    let log = Log::usual();
    let verdict = log.after(|lines| {
        let place = sealed_at(lines, 10);
        lines.insert(place + 1, lines[place].clone());
        resign(lines, 10, &log.key, |signed| signed.checkpoint.root.0[0] ^= 1);
    });
    assert_red(&verdict, Kind::SplitView, 10);
}

#[test]
fn a_key_with_the_same_name_and_id_does_not_help() {
    // The id is four bytes only; the signature decides.
    let log = Log::usual();
    let other: LocalKey = key(9);
    let verdict = log.after(|lines| {
        let place = sealed_at(lines, 10);
        let Line::Checkpoint(text) = &mut lines[place] else { unreachable!() };
        let mut signed = Signed::parse(text).unwrap().checkpoint.unsigned();
        let signature = other.sign(signed.note.text().as_bytes()).unwrap();
        signed.note.add(log.key.public(), &signature);
        *text = signed.to_string();
    });
    assert_only(&verdict, Kind::BadSignature, 10);
}
