//! Rubbish neither panics nor grows what is remembered, and the same log gives the same findings.

use std::collections::BTreeSet;

use ops_contract::{AuditActorKind, AuditEntry, AuditOutcome, Finding, Timestamp};

use crate::findings::limits::{NETWORKS_EACH, PRINCIPALS, SECRETS, SECRETS_EACH};
use crate::findings::testing::*;
use crate::findings::{Habits, observe, tick};

/// The same numbers every time, by a multiplicative congruential generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }

    fn of<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

#[test]
fn ten_thousand_names_do_not_push_out_whom_we_know() {
    let mut scene = Scene::new();
    for day in 0..20 {
        scene.observe(read("alice", "s0", MONDAY + day * DAY));
    }
    for number in 0..10_000 {
        scene.observe(read(&format!("p{number}"), "s0", MONDAY + 20 * DAY));
    }
    assert_eq!(scene.habits.principals(), PRINCIPALS);
    let found = scene.by("R1", read("alice", "s1", MONDAY + 20 * DAY));
    assert!(!found[0].learning, "alice is known still");
}

#[test]
fn one_principal_is_remembered_within_limits() {
    let mut scene = Scene::new();
    for number in 0_i64..5_000 {
        let address = format!("10.{}.{}.1", number / 256, number % 256);
        scene.observe(from(&address, read("alice", &format!("secret/data/{number}"), MONDAY + number)));
    }
    let alice = &scene.habits.principals["alice"];
    assert_eq!((alice.secrets.len(), alice.networks.len()), (SECRETS_EACH, NETWORKS_EACH));
    assert_eq!(scene.habits.values().len(), SECRETS);
}

#[test]
fn rubbish_neither_panics_nor_grows() {
    let mut scene = Scene::new();
    scene.deploys = Some(Vec::new());
    scene.departed.insert(String::new(), Timestamp(i64::MIN));
    let mut numbers = Numbers(7);
    let long = "x".repeat(100_000);
    let texts =
        ["", " ", "|", "/", "\u{0}", "ä", "root", "-1", "1e999", "NaN", "18446744073709551615", &long];
    let actions = ["secret.read", "vault.read", "vault.update", "vault.login", ".", "", &long];
    let names =
        ["request_id", "phase", "token_hmac", "value_hmac", "version", "policies", "lat", "lon", "error"];
    let times = [i64::MIN, -1, 0, 1, MONDAY * 1_000_000, i64::MAX];
    let mut size = 0;
    for round in 0..60_000 {
        let entry = AuditEntry {
            at: Timestamp(*numbers.of(&times.each_ref())),
            actor_kind: [AuditActorKind::Person, AuditActorKind::External][numbers.below(2) as usize],
            actor: format!("{}{}", numbers.of(&texts), numbers.below(10_000)),
            address: Some(format!("{}{}", numbers.of(&texts), numbers.below(256))),
            subject: format!("{}{}", numbers.below(10_000), numbers.of(&texts)),
            outcome: [AuditOutcome::Allowed, AuditOutcome::Denied][numbers.below(2) as usize],
            device: (numbers.below(2) == 0).then(|| format!("{}{}", numbers.below(500), numbers.of(&texts))),
            details: names.iter().map(|it| ((*it).to_owned(), numbers.of(&texts).to_owned())).collect(),
            ..device(numbers.of(&actions), "", "", 0, &[])
        };
        for finding in scene.observe(entry) {
            assert!(finding.evidence.len() <= 20 && finding.key.len() < 500);
        }
        if round == 30_000 {
            size = serde_json::to_vec(&scene.habits).unwrap().len();
        }
    }
    for now in times {
        scene.tick(now / 1_000_000);
    }
    let grown = serde_json::to_vec(&scene.habits).unwrap().len();
    assert!(scene.habits.principals() <= PRINCIPALS);
    assert!(grown < size + size / 4, "{size} bytes after half of it, {grown} after all");
}

/// Two hundred people and programs over 40 days, with refusals, root, tokens, versions and silence.
fn log() -> Vec<AuditEntry> {
    let mut numbers = Numbers(42);
    let entry = |seq: u64| {
        let seconds = MONDAY + (seq as i64) * 40 * DAY / 200_000;
        let (who, secret) = (format!("p{}", numbers.below(200)), format!("s{}", numbers.below(9).pow(3)));
        let id = seq.to_string();
        let details = [
            ("request_id", id.as_str()),
            ("phase", numbers.of(&["request", "response", "response", "response"])),
            ("token_hmac", numbers.of(&["t1", "t2", "t3"])),
            ("version", numbers.of(&["3", "4", "4", "4"])),
            ("value_hmac", numbers.of(&["h1", "h2"])),
            ("policies", if numbers.below(5_000) == 0 { "root" } else { "default" }),
            ("lat", numbers.of(&["52.5", "48.1"])),
            ("lon", "13.4"),
        ];
        let of_device = device("vault.read", &who, &secret, seconds, &details);
        let made = match numbers.below(20) {
            0 => refused(&who, &secret, seconds),
            1..10 => read(&who, &secret, seconds),
            10..14 => service(read(&who, &secret, seconds)),
            _ => from(&format!("10.0.{}.9", numbers.below(60)), of_device),
        };
        AuditEntry { seq, ..made }
    };
    (0..200_000).map(entry).collect()
}

fn fold(habits: &mut Habits, entries: &[AuditEntry], scene: &Scene) -> Vec<Finding> {
    let mut found = Vec::new();
    for entry in entries {
        found.extend(observe(habits, entry, &scene.world()));
        if entry.seq % 50 == 0 {
            found.extend(tick(habits, entry.at, &scene.world()));
        }
    }
    found
}

#[test]
fn two_hundred_thousand_entries_give_the_same_findings_in_one_go_and_in_two() {
    let (log, mut scene) = (log(), Scene::new());
    scene.deploys = Some(Vec::new());
    scene.departed.insert("p7".to_owned(), at(MONDAY + 30 * DAY));
    let (mut habits, mut again, mut halves) = (Habits::default(), Habits::default(), Habits::default());
    let found = fold(&mut habits, &log, &scene);
    assert_eq!(fold(&mut again, &log, &scene), found);
    assert_eq!(again, habits);
    let (first, second) = log.split_at(100_000);
    let mut in_two = fold(&mut halves, first, &scene);
    let kept = serde_json::to_string(&halves).unwrap();
    let mut halves: Habits = serde_json::from_str(&kept).unwrap();
    assert_eq!(halves.next_seq(), 100_000);
    assert!(
        fold(&mut halves, first, &scene).iter().all(|it| it.rule == "R10"),
        "observed entries are passed over"
    );
    halves = serde_json::from_str(&kept).unwrap();
    in_two.extend(fold(&mut halves, second, &scene));
    assert_eq!((in_two == found, halves == habits), (true, true));
    let rules: BTreeSet<&str> = found.iter().map(|it| it.rule.as_str()).collect();
    for rule in ["R1", "R2", "R5", "R7", "R8", "R9", "R10"] {
        assert!(rules.contains(rule), "the log shows no {rule}, but {rules:?}");
    }
    assert!(kept.len() < 8_000_000, "{} bytes", kept.len());
}
