//! R6, R7, R9 and R11: what was declared, or needs no habits.

use ops_contract::FindingSeverity::{Critical, Warning};
use ops_contract::{AuditEntry, AuditOutcome};

use crate::findings::testing::*;

fn keys(found: &[ops_contract::Finding]) -> Vec<&str> {
    found.iter().filter_map(|it| it.key.split('|').next()).collect()
}

#[test]
fn r6_tells_five_refusals_in_five_minutes_and_not_four() {
    let mut scene = Scene::new();
    for second in [0, 10, 20, 30] {
        assert!(scene.by("R6", refused("alice", "s0", MONDAY + second)).is_empty());
    }
    let found = scene.by("R6", refused("alice", "s0", MONDAY + 299));
    assert_eq!((found.len(), found[0].severity), (2, Warning), "by the person and by the address");
    assert_eq!(found[0].summary, "alice was refused 5 times in 5 minutes");
    assert_eq!(found[0].evidence, [0, 1, 2, 3, 4]);
    assert!(scene.by("R6", refused("alice", "s0", MONDAY + 311)).is_empty(), "the first three are over");
}

#[test]
fn r6_tells_no_later_than_it_remembers() {
    let mut scene = Scene::new();
    scene.spec.denied = u32::MAX;
    let refusals = (0..64).map(|second| scene.by("R6", refused("alice", "s0", MONDAY + second)).len());
    assert_eq!(refusals.collect::<Vec<_>>(), [vec![0; 63], vec![2]].concat());
}

#[test]
fn r6_tells_a_search_by_its_third_secret() {
    let mut scene = Scene::new();
    assert!(scene.by("R6", refused("alice", "s0", MONDAY)).is_empty());
    assert!(scene.by("R6", refused("bob", "s1", MONDAY)).is_empty());
    let found = scene.by("R6", refused("carol", "s2", MONDAY));
    assert_eq!(keys(&found), ["R6.search"], "three people from one address");
    assert_eq!(found[0].summary, "address 10.1.2.3 was refused 3 different secrets in 5 minutes");
}

#[test]
fn r6_tells_a_guess_that_was_right() {
    let mut scene = Scene::new();
    scene.observe(refused("alice", "s0", MONDAY));
    scene.observe(refused("alice", "s0", MONDAY + 1));
    assert!(scene.by("R6", read("alice", "s0", MONDAY + 2)).is_empty(), "two are not three");
    scene.observe(refused("alice", "s0", MONDAY + 3));
    let found = scene.by("R6", read("alice", "s0", MONDAY + 4));
    assert_eq!((keys(&found), found[0].severity), (vec!["R6.success"], Critical));
    assert!(scene.by("R6", read("bob", "s0", MONDAY + 5)).is_empty(), "bob shares the office's address");
    assert!(scene.by("R6", read("alice", "s0", MONDAY + 304)).is_empty());
}

#[test]
fn r6_tells_passwords_that_were_tried_under_several_names() {
    let mut scene = Scene::new();
    let login = |who, error| device("vault.login", who, "auth/userpass/login/x", MONDAY, &[("error", error)]);
    for who in ["", "alice", ""] {
        let failed = AuditEntry { outcome: AuditOutcome::Failed, ..login(who, "invalid credentials") };
        assert!(scene.by("R6", failed).is_empty());
    }
    let found = scene.by("R6", login("bob", ""));
    assert_eq!((keys(&found), found[0].severity), (vec!["R6.success"], Critical));
}

#[test]
fn r7_tells_who_may_not_whatever_the_store_said() {
    let mut scene = Scene::new();
    let found = scene.by("R7", read("mallory", "s0", MONDAY));
    assert_eq!((keys(&found), found[0].severity, found[0].learning), (vec!["R7.allowed"], Critical, false));
    assert_eq!(found[0].summary, "mallory read s0 and is neither a consumer nor a reader of it");
    assert_eq!(scene.by("R7", refused("mallory", "s0", MONDAY))[0].severity, Warning);
    assert_eq!(scene.by("R7", refused("mallory", "root-key", MONDAY))[0].severity, Critical);
    let by_store = device("vault.read", "mallory", "s0", MONDAY, &[("role", "admin")]);
    assert_eq!(scene.by("R7", by_store)[0].severity, Critical, "another system's admin is not ours");
}

#[test]
fn r7_leaves_consumers_readers_and_admins_alone() {
    let mut scene = Scene::new();
    scene.consumers.entry("s0".to_owned()).or_default().insert("worker".to_owned());
    if let Some(spec) = scene.secrets.get_mut("s0") {
        spec.consumers.push("legacy".to_owned());
    }
    let mut admin = read("root-admin", "s0", MONDAY);
    admin.details.insert("role".to_owned(), "admin".to_owned());
    let entitled = [
        admin,
        read("alice", "s0", MONDAY),
        refused("alice", "s0", MONDAY),
        service(read("worker", "s0", MONDAY)),
        device("vault.read", "approle", "s0", MONDAY, &[("role_name", "legacy")]),
        device("vault.read", "userpass-alice", "s0", MONDAY, &[]),
        read("mallory", "not in the inventory", MONDAY),
    ];
    for entry in entitled {
        assert!(scene.by("R7", entry.clone()).is_empty(), "{}", entry.actor);
    }
    assert_eq!(scene.by("R7", service(read("worker", "s1", MONDAY))).len(), 1);
}

#[test]
fn r9_tells_each_use_of_root_in_another_system() {
    let mut scene = Scene::new();
    let by_policy = device("vault.list", "ops", "sys/auth", MONDAY, &[("policies", "default, root")]);
    let by_name = device("vault.read", "", "s0", MONDAY, &[("display_name", "root")]);
    for entry in [by_policy, by_name] {
        assert_eq!(scene.by("R9", entry)[0].severity, Critical);
    }
    let like = device("vault.read", "groot", "s0", MONDAY, &[("policies", "default,rootless")]);
    assert!(scene.by("R9", like).is_empty());
    assert!(scene.by("R9", read("root", "s0", MONDAY)).is_empty(), "that is a name of ours");
}

#[test]
fn r11_tells_any_read_of_a_canary() {
    let mut scene = Scene::new();
    if let Some(spec) = scene.secrets.get_mut("s0") {
        spec.canary = true;
    }
    for entry in [read("alice", "s0", MONDAY), refused("alice", "s0", MONDAY)] {
        assert_eq!(scene.by("R11", entry)[0].severity, Critical);
    }
    assert!(scene.by("R11", read("alice", "s1", MONDAY)).is_empty());
    let write = device("vault.update", "approle", "s0", MONDAY, &[]);
    assert!(scene.by("R11", write).is_empty(), "somebody has to lay the trap");
}

#[test]
fn a_rule_that_is_off_finds_nothing_and_an_entry_counts_once() {
    let mut scene = Scene::new();
    scene.spec.off.insert("R7".to_owned());
    assert!(scene.by("R7", read("mallory", "s0", MONDAY)).is_empty());
    scene.spec.off.clear();
    let entry = AuditEntry { seq: 0, ..read("mallory", "s0", MONDAY) };
    let mut habits = scene.habits.clone();
    assert!(
        crate::findings::observe(&mut habits, &entry, &scene.world()).is_empty(),
        "it was observed before"
    );
    assert_eq!(habits, scene.habits);
}
