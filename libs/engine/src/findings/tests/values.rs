//! What keyed hashes show.

use crate::findings::testing::*;
use crate::findings::{Value, merge};

const READ: &str = "vault.read";
const WRITE: &str = "vault.update";

/// Entries as `(action, secret, version, hash)`; an empty part is not told.
fn after(entries: &[(&str, &str, &str, &str)]) -> Scene {
    let mut scene = Scene::new();
    for (second, (action, secret, version, hash)) in (0..).zip(entries) {
        let details = [("version", *version), ("value_hmac", *hash)];
        scene.observe(device(action, "approle", secret, MONDAY + second, &details));
    }
    scene
}

fn of(entries: &[(&str, &str, &str, &str)]) -> Value {
    after(entries).habits.values().of("s0").cloned().unwrap_or_default()
}

#[test]
fn a_rotation_is_proved_by_another_hash() {
    let rotated = of(&[(READ, "s0", "1", "h1"), (WRITE, "s0", "2", "h2"), (READ, "s0", "2", "h2")]);
    assert_eq!(
        (rotated.version, rotated.changed_at, rotated.changed_seq),
        (Some(2), Some(at(MONDAY + 1)), Some(1))
    );
    assert!(!rotated.is_same);
    let first = of(&[(READ, "s0", "1", "h1"), (READ, "s0", "1", "h1")]);
    assert_eq!((first.changed_at, first.is_same), (None, false), "nothing was renewed");
    let blind = of(&[(READ, "s0", "1", "h1"), (WRITE, "s0", "2", "")]);
    assert_eq!((blind.version, blind.changed_at, blind.is_same), (Some(2), None, false), "nothing shows it");
}

#[test]
fn a_rotation_to_the_same_value_is_seen_until_the_next() {
    let same = [(WRITE, "s0", "1", "h1"), (WRITE, "s0", "2", "h1"), (READ, "s0", "2", "h1")];
    assert!(of(&same).is_same);
    assert!(
        of(&[(READ, "s0", "1", "h1"), (READ, "s0", "2", "h1")]).is_same,
        "also when nobody saw the write"
    );
    let unseen = [(READ, "s0", "1", "h1"), (WRITE, "s0", "2", ""), (READ, "s0", "2", "h1")];
    assert!(of(&unseen).is_same, "or when its hash was not told");
    let mended = [&same[..], &[(WRITE, "s0", "3", "h3")]].concat();
    assert!(!of(&mended).is_same);
    assert_eq!(of(&mended).changed_at, Some(at(MONDAY + 3)));
}

#[test]
fn a_write_that_does_not_tell_its_version_is_no_rotation_of_its_own() {
    let entries = [(READ, "s0", "1", "h1"), (WRITE, "s0", "", "h2"), (READ, "s0", "2", "h2")];
    let value = of(&entries);
    assert_eq!((value.changed_at, value.is_same, value.version), (Some(at(MONDAY + 1)), false, Some(2)));
}

#[test]
fn an_old_version_says_nothing_of_the_newest() {
    let value = of(&[(WRITE, "s0", "2", "h2"), (READ, "s0", "1", "h1"), (READ, "s0", "2", "h2")]);
    assert_eq!((value.version, value.changed_at, value.is_same), (Some(2), None, false));
}

#[test]
fn two_devices_of_one_store_do_not_disturb_each_other() {
    let mut scene = Scene::new();
    for (version, device_name, hmac) in [
        ("1", "a", "a1"),
        ("1", "b", "b1"),
        ("2", "a", "a2"),
        ("2", "b", "b2"),
        ("3", "b", "b2"),
        ("3", "a", "a2"),
    ] {
        let details = [("version", version), ("value_hmac", hmac), ("request_id", version)];
        let entry = device(READ, "approle", "s0", MONDAY, &details);
        scene.observe(ops_contract::AuditEntry { device: Some(device_name.to_owned()), ..entry });
        let value = scene.habits.values().of("s0").unwrap();
        assert_eq!(
            (value.is_same, value.changed_at.is_some()),
            (version == "3", version != "1"),
            "{version}"
        );
    }
}

#[test]
fn one_value_at_two_places_is_seen_within_one_device() {
    let mut scene = after(&[(READ, "s0", "1", "h"), (READ, "s1", "4", "h"), (READ, "s2", "1", "other")]);
    assert_eq!(scene.habits.values().shared(), [["s0", "s1"]]);
    let entry = device(READ, "api", "s3", MONDAY, &[("value_hmac", "other")]);
    scene.observe(ops_contract::AuditEntry { device: Some("vault2".into()), ..entry });
    assert_eq!(scene.habits.values().shared().len(), 1, "another device's hash means nothing here");
}

#[test]
fn who_read_which_version_last() {
    let mut scene = after(&[(READ, "s0", "1", "h1"), (WRITE, "s0", "2", "h2")]);
    scene.observe(read("alice", "s0", MONDAY + 50));
    scene.observe(refused("bob", "s0", MONDAY + 51));
    let readers = &scene.habits.values().of("s0").unwrap().readers;
    assert_eq!(readers.keys().collect::<Vec<_>>(), ["alice", "approle"]);
    assert_eq!((readers["approle"].version, readers["approle"].at), (Some(1), at(MONDAY)));
    assert_eq!((readers["alice"].version, readers["alice"].seq), (None, 2));
}

#[test]
fn what_is_found_again_is_the_same_finding_with_more_evidence() {
    let mut scene = Scene::new();
    let mut known = scene.by("R7", read("mallory", "s0", MONDAY)).remove(0);
    for second in 1..40 {
        let again = scene.by("R7", read("mallory", "s0", MONDAY + second)).remove(0);
        assert_eq!(again.key, known.key);
        merge(&mut known, &again);
    }
    assert_eq!((known.evidence.len(), known.evidence[0], known.at), (20, 0, at(MONDAY)));
    let later = scene.by("R7", read("mallory", "s0", MONDAY + HOUR)).remove(0);
    assert_ne!(later.key, known.key, "the next hour is another");
    let paths = ["secret/data/a/x", "secret/data/a/y", "secret/data/b/x"];
    let folders = paths.map(|it| scene.by("R1", read("mallory", it, MONDAY)).remove(0).key);
    assert!(folders[0] == folders[1] && folders[1] != folders[2], "unknown places go by their folder");
}
