//! R10: silence, and requests that nobody answered.

use ops_contract::AuditEntry;
use ops_contract::FindingSeverity::Warning;

use crate::findings::testing::*;

fn line(phase: &str, id: &str, seconds: i64) -> AuditEntry {
    device("vault.read", "api", "s0", seconds, &[("request_id", id), ("phase", phase)])
}

#[test]
fn r10_tells_a_device_that_is_silent_for_longer_than_five_minutes() {
    let mut scene = Scene::new();
    scene.observe(device("vault.list", "api", "secret/metadata", MONDAY, &[]));
    assert!(scene.tick(MONDAY + 300).is_empty());
    let found = scene.tick(MONDAY + 301);
    assert_eq!((found.len(), found[0].rule.as_str(), found[0].severity), (1, "R10", Warning));
    assert_eq!(found[0].summary, "the device bao has said nothing for 5 minutes; the limit is 5 minutes");
    assert_eq!((found[0].principal.as_str(), found[0].evidence.as_slice()), ("bao", &[0][..]));
    let later = scene.tick(MONDAY + 5 * HOUR);
    assert_eq!(later[0].key, found[0].key, "one silence is one finding");
    scene.spec.off.insert("R10".to_owned());
    assert!(scene.tick(MONDAY + 5 * HOUR).is_empty());
}

#[test]
fn r10_waits_for_five_times_the_usual_pause() {
    let mut scene = Scene::new();
    let mut now = MONDAY;
    for burst in 0..200 {
        now = MONDAY + burst * 10 * MINUTE;
        for line in 0..50 {
            let entry = device("vault.read", "api", "s0", now, &[("request_id", &format!("{burst}-{line}"))]);
            scene.observe(AuditEntry { at: ops_contract::Timestamp(entry.at.0 + line * 1_000), ..entry });
        }
    }
    assert!(
        scene.tick(now + 50 * MINUTE).is_empty(),
        "ten minutes are usual, though most lines come at once"
    );
    assert_eq!(scene.tick(now + 57 * MINUTE).len(), 1, "an eighth more than five times");
}

#[test]
fn r10_tells_requests_without_a_response_once() {
    let mut scene = Scene::new();
    for id in ["a", "b", "c"] {
        assert!(scene.observe(line("request", id, MONDAY)).is_empty());
    }
    scene.observe(line("response", "b", MONDAY + 1));
    assert!(scene.tick(MONDAY + 60).is_empty());
    let found = scene.tick(MONDAY + 61);
    assert_eq!((found.len(), found[0].evidence.as_slice()), (1, &[0, 2][..]));
    assert!(
        found[0].summary.starts_with("2 requests to bao have no response after 60 s"),
        "{}",
        found[0].summary
    );
    assert!(scene.tick(MONDAY + 62).is_empty(), "it was told");
}

#[test]
fn a_request_and_its_response_are_one_access() {
    let mut scene = Scene::new();
    let asked = AuditEntry { actor: "mallory".to_owned(), ..line("request", "a", MONDAY) };
    assert!(scene.observe(asked).is_empty());
    let answered = AuditEntry { actor: "mallory".to_owned(), ..line("response", "a", MONDAY) };
    assert_eq!(scene.by("R7", answered).len(), 1);
}

#[test]
fn two_devices_that_tell_of_one_request_count_once() {
    let mut scene = Scene::new();
    let mut found = Vec::new();
    for number in 0..4 {
        let id = number.to_string();
        let entry = device("vault.read", "alice", "s0", MONDAY + number, &[("request_id", &id)]);
        let refused = AuditEntry { outcome: ops_contract::AuditOutcome::Denied, ..entry };
        found.extend(scene.by("R6", refused.clone()));
        found.extend(scene.by("R6", AuditEntry { device: Some("bao-file".to_owned()), ..refused }));
    }
    assert!(found.is_empty(), "four refusals are not eight");
}

#[test]
fn r10_tells_what_was_done_to_a_device() {
    let mut scene = Scene::new();
    let of_system = |action: &str, details: &[(&str, &str)]| AuditEntry {
        actor_kind: ops_contract::AuditActorKind::System,
        actor: "control plane".to_owned(),
        device: None,
        outcome: ops_contract::AuditOutcome::Failed,
        ..device(action, "", "bao:8200", MONDAY, details)
    };
    let details = [("gone", "file"), ("devices", "ops (http)")];
    let found = scene.observe(of_system("audit.devices", &details));
    assert_eq!((found.len(), found[0].severity), (1, ops_contract::FindingSeverity::Critical));
    assert_eq!(
        found[0].summary,
        "bao:8200 has too few audit devices, or lost one; gone: file; left: ops (http)"
    );
    for action in ["audit.source_cut", "audit.source_lost", "audit.source_fault"] {
        assert_eq!(scene.by("R10", of_system(action, &[])).len(), 1, "{action}");
    }
    let good = AuditEntry { outcome: ops_contract::AuditOutcome::Allowed, ..of_system("audit.devices", &[]) };
    assert!(scene.observe(good).is_empty());
    assert!(scene.observe(of_system("audit.read", &[])).is_empty());
    let forged = AuditEntry { device: Some("bao".to_owned()), ..of_system("audit.source_cut", &[]) };
    assert!(scene.by("R10", forged).is_empty(), "what a device says of itself is no evidence");
}

#[test]
fn what_is_brought_in_files_is_not_waited_for_and_is_judged_by_its_own_time() {
    let mut scene = Scene::new();
    let week_ago = ((MONDAY - 7 * DAY) * 1_000).to_string();
    let entry = device("aws.get_secret_value", "alice", "s0", MONDAY, &[("time_ms", &week_ago)]);
    scene.observe(AuditEntry { device: Some("cloudtrail".to_owned()), ..entry.clone() });
    assert!(scene.tick(MONDAY + DAY).is_empty(), "nobody expects a file at any time");
    assert_eq!(scene.habits.values().of("s0").unwrap().readers["alice"].at, at(MONDAY - 7 * DAY));
    let reads = crate::findings::last_reads("alice", [&entry]);
    assert_eq!(reads["s0"].at, at(MONDAY - 7 * DAY));
    let later = device("vault.read", "alice", "s1", MONDAY, &[("time_ms", "99999999999999999")]);
    let reads = crate::findings::last_reads("alice", [&later]);
    assert_eq!(reads["s1"].at, at(MONDAY), "nothing happens after it was told");
}
