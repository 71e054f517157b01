//! Entries edited, cut out, put in, exchanged and repeated. Each is named, at its number.

use ops_audit::entry::{ActorKind, Entry, Outcome, Source};
use ops_audit::export::{Body, Line, Row};
use ops_audit::hash;
use ops_audit::verify::Kind;

use crate::clean::{drop_bodies, retained};
use crate::log::*;

#[test]
fn one_bit_of_any_field_is_found() {
    let log = Log::usual();
    let edits: [fn(&mut Entry); 11] = [
        |e| e.salt[0] ^= 1,
        |e| e.actor.kind = ActorKind::Service,
        |e| e.actor.via = None,
        |e| e.actor.address = Some("10.0.0.1".to_owned()),
        |e| e.action = "secret.reae".to_owned(),
        |e| e.subject = "secret_6".to_owned(),
        |e| e.purpose = None,
        |e| e.outcome = Outcome::Denied,
        |e| e.source = Source::External { device: "vault".to_owned(), event_id: "1".to_owned() },
        |e| drop(e.details.insert("version".to_owned(), "2".to_owned())),
        |e| drop(e.details.remove("version")),
    ];
    for edit in edits {
        assert_only(&log.after(|lines| edit(entry(lines, 7))), Kind::Edited, 7);
    }
}

#[test]
fn a_changed_time_is_found() {
    assert_only(&Log::usual().after(|lines| entry(lines, 7).time_ms ^= 1), Kind::Edited, 7);
}

#[test]
fn a_changed_actor_is_found() {
    let verdict = Log::usual().after(|lines| entry(lines, 7).actor.name = "mallory".to_owned());
    assert_only(&verdict, Kind::Edited, 7);
}

#[test]
fn an_edit_that_is_hashed_again_does_not_follow_from_the_link_before() {
    let verdict = Log::usual().after(|lines| {
        entry(lines, 7).actor.name = "mallory".to_owned();
        let bytes = entry(lines, 7).encode().unwrap();
        row(lines, 7).leaf = hash::leaf(&bytes);
    });
    assert_only(&verdict, Kind::Edited, 7);
}

#[test]
fn a_changed_hash_or_link_is_found() {
    let log = Log::usual();
    assert_only(&log.after(|lines| row(lines, 7).leaf.0[0] ^= 1), Kind::Edited, 7);
    assert_only(&log.after(|lines| row(lines, 7).link.0[0] ^= 1), Kind::Edited, 7);
    let both = log.after(|lines| (row(lines, 7).leaf.0[0], row(lines, 7).link.0[0]) = (1, 1));
    assert_red(&both, Kind::Edited, 7);
}

#[test]
fn a_body_that_is_no_entry_is_found() {
    let forged = vec![
        Body::Bytes(Vec::new()),
        Body::Bytes(vec![0xff; 300]),
        Body::Bytes([hash::empty_root().0; 2].concat()),
    ];
    for body in forged {
        let verdict = Log::usual().after(|lines| {
            // With the hash that it has: two hashes as a leaf are the second preimage of a tree without prefixes.
            let Body::Bytes(bytes) = &body else { unreachable!() };
            row(lines, 7).leaf = hash::leaf(bytes);
            row(lines, 7).body = body;
        });
        assert_only(&verdict, Kind::NotCanonical, 7);
    }
}

#[test]
fn deleting_the_first_entry_is_found() {
    let verdict = Log::usual().after(|lines| drop(lines.remove(at(lines, 0))));
    assert_only(&verdict, Kind::Missing, 0);
}

#[test]
fn deleting_in_the_middle_is_found() {
    let log = Log::usual();
    assert_only(&log.after(|lines| drop(lines.remove(at(lines, 7)))), Kind::Missing, 7);
    let three = log.after(|lines| drop(lines.drain(at(lines, 6)..=at(lines, 8))));
    assert_only(&three, Kind::Missing, 6);
    assert_eq!(three.findings[0].last, 8);
    assert_eq!((three.root, three.entries, three.sealed), (None, 23, 5));
    let beside_a_seal = log.after(|lines| drop(lines.remove(at(lines, 9))));
    assert_only(&beside_a_seal, Kind::Missing, 9);
}

#[test]
fn deleting_the_last_entries_is_found() {
    let verdict = Log::usual().after(|lines| drop(lines.drain(at(lines, 21)..=at(lines, 22))));
    assert_red(&verdict, Kind::Truncated, 21);
    assert_red(&verdict, Kind::HighWaterBeyondLog, 21);
}

#[test]
fn two_exchanged_lines_are_found() {
    let log = Log::usual();
    let near = log.after(|lines| {
        let place = at(lines, 7);
        lines.swap(place, place + 1);
    });
    assert_only(&near, Kind::Reordered, 8);
    let far = log.after(|lines| {
        let (one, other) = (at(lines, 7), at(lines, 18));
        lines.swap(one, other);
    });
    assert_red(&far, Kind::Reordered, 7);
    assert_red(&far, Kind::Reordered, 18);
    assert!(!far.found.contains_key(&Kind::Missing), "{far:#?}");
}

#[test]
fn rows_moved_out_of_a_gap_and_repeated_within_one_are_told_apart() {
    let log = Log::usual();
    let verdict = log.after(|lines| {
        let moved = lines[at(lines, 12)].clone();
        lines.drain(at(lines, 11)..=at(lines, 13));
        lines.insert(at(lines, 18), moved);
    });
    assert_red(&verdict, Kind::Reordered, 12);
    assert_red(&verdict, Kind::Missing, 11);
    assert_red(&verdict, Kind::Missing, 13);
    let verdict = log.after(|lines| {
        lines.remove(at(lines, 11));
        lines.insert(at(lines, 12), lines[at(lines, 12)].clone());
    });
    assert_red(&verdict, Kind::Missing, 11);
    assert_red(&verdict, Kind::Duplicated, 12);
    assert_eq!(verdict.findings_total(), 2);
}

#[test]
fn two_exchanged_bodies_are_found() {
    let verdict = Log::usual().after(|lines| {
        let (one, other) = (row(lines, 7).body.clone(), row(lines, 18).body.clone());
        row(lines, 7).body = other;
        row(lines, 18).body = one;
    });
    assert_eq!(faults(&verdict), [Kind::Reordered, Kind::Reordered]);
    assert_red(&verdict, Kind::Reordered, 7);
    assert_red(&verdict, Kind::Reordered, 18);
}

#[test]
fn a_repeated_entry_is_found() {
    let log = Log::usual();
    let verdict = log.after(|lines| {
        let copy = lines[at(lines, 7)].clone();
        lines.insert(at(lines, 8), copy);
    });
    assert_only(&verdict, Kind::Duplicated, 7);
    let verdict = log.after(|lines| {
        let copy = lines[at(lines, 7)].clone();
        lines.insert(at(lines, 18), copy);
    });
    assert_only(&verdict, Kind::Duplicated, 7);
}

#[test]
fn an_inserted_entry_is_found() {
    let forged = |lines: &[Line]| {
        let mut lines = vec![lines[at(lines, 7)].clone()];
        entry(&mut lines, 7).actor.name = "mallory".to_owned();
        let bytes = entry(&mut lines, 7).encode().unwrap();
        let Row { seq, link, .. } = *row(&mut lines, 7);
        Line::Row(Row::stored(seq, hash::leaf(&bytes), link, Some(&bytes)))
    };
    let log = Log::usual();
    let after = log.after(|lines| lines.insert(at(lines, 8), forged(lines)));
    assert_only(&after, Kind::Inserted, 7);
    let before = log.after(|lines| lines.insert(at(lines, 7), forged(lines)));
    assert_red(&before, Kind::Inserted, 7);
}

#[test]
fn linking_the_rest_again_without_the_key_is_found() {
    let log = Log::usual();
    let edited = log.after(|lines| {
        entry(lines, 7).actor.name = "mallory".to_owned();
        rechain(lines);
    });
    // Between the last checkpoint that fits and the first that does not.
    assert_red(&edited, Kind::Rechained, 5);
    assert_eq!(faults(&edited), [Kind::Rechained, Kind::HighWaterMismatch]);
    assert_eq!((edited.findings[0].last, edited.sealed), (9, 5));
    let removed = log.after(|lines| {
        lines.remove(at(lines, 7));
        rechain(lines);
        seals_in_place(lines);
    });
    assert_red(&removed, Kind::Rechained, 5);
    let inserted = log.after(|lines| {
        let copy = lines[at(lines, 7)].clone();
        lines.insert(at(lines, 8), copy);
        rechain(lines);
        seals_in_place(lines);
    });
    assert_red(&inserted, Kind::Rechained, 5);
    // An edit that is found for itself does not hide one that only the key shows.
    let two = log.after(|lines| {
        entry(lines, 17).actor.name = "mallory".to_owned();
        rechain(lines);
        entry(lines, 7).actor.name = "mallory".to_owned();
    });
    assert_red(&two, Kind::Edited, 7);
    assert_red(&two, Kind::Rechained, 15);
    // Even who forgets to move the checkpoints gains nothing.
    let forgotten = log.after(|lines| {
        lines.remove(at(lines, 7));
        rechain(lines);
    });
    assert_red(&forgotten, Kind::CheckpointOutOfPlace, 10);
}

#[test]
fn a_body_that_was_dropped_without_leave_is_found() {
    let (log, below) = retained();
    let more = log.after(|lines| drop_bodies(lines, below + 2));
    assert_only(&more, Kind::BodyMissing, below);
    assert_eq!(more.findings[0].last, below + 1);
    let chosen = log.after(|lines| row(lines, 3).body = Body::Dropped);
    assert_only(&chosen, Kind::BodyMissing, 3);
    let without = Log::usual().after(|lines| drop_bodies(lines, 4));
    assert_only(&without, Kind::BodyMissing, 0);
}

#[test]
fn a_clock_that_goes_back_is_found_although_everything_fits() {
    let mut log = Log::new();
    log.entries(12);
    // A writer whose head was tampered with: it forgot the time.
    log.head.time_ms = i64::MIN;
    log.now_ms -= 4000;
    log.append(draft("secret.read", "backdated"));
    log.now_ms += 4000;
    log.entries(4);
    log.seal();
    let verdict = log.after(|_| ());
    assert_only(&verdict, Kind::ClockBackwards, 12);
}
