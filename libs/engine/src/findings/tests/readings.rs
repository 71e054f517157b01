//! How entries are read as accesses.

use ops_contract::{AuditActorKind, AuditEntry};

use crate::findings::access::{Access, Verb, Who};
use crate::findings::last_reads;
use crate::findings::testing::*;

#[test]
fn ours_are_reads_of_secrets_and_nothing_else() {
    let ours = read("alice", "s0", MONDAY);
    assert!(Access::of(&ours).is_some());
    for action in ["secret.set", "audit.read", "operator.login", ""] {
        assert!(Access::of(&AuditEntry { action: action.to_owned(), ..ours.clone() }).is_none(), "{action}");
    }
    assert!(Access::of(&AuditEntry { actor_kind: AuditActorKind::System, ..ours.clone() }).is_none());
    let stranger =
        AuditEntry { actor_kind: AuditActorKind::External, actor: "unknown".into(), ..ours.clone() };
    assert!(Access::of(&stranger).is_some_and(|it| !it.is_named()), "whoever is not known tries too");
    let dropped = AuditEntry { details: [("body".to_owned(), "dropped".to_owned())].into(), ..ours };
    assert!(Access::of(&dropped).is_none());
}

#[test]
fn what_another_system_did_stands_in_its_action_and_path() {
    for (action, subject, verb) in [
        ("vault.read", "s0", Verb::Read),
        ("vault.read", "secret/data/api/jwt", Verb::Read),
        ("vault.read", "secret/data/metadata/jwt", Verb::Read),
        ("vault.read", "secret/data/api/config", Verb::Read),
        ("vault.read", "database/creds/api", Verb::Read),
        ("vault.read", "secret/metadata/api/jwt", Verb::Other),
        ("vault.read", "secret/metadata/x/data/y", Verb::Other),
        ("vault.read", "sys/audit", Verb::Other),
        ("vault.update", "sys/audit/test", Verb::Other),
        ("vault.read", "/auth/token/lookup-self", Verb::Other),
        ("vault.update", "s0", Verb::Write),
        ("vault.delete", "s0", Verb::Write),
        ("vault.login", "auth/userpass/login/alice", Verb::Login),
        ("vault.list", "secret/metadata", Verb::Other),
        ("aws.get_secret_value", "prod/api", Verb::Read),
        ("", "", Verb::Other),
    ] {
        let entry = device(action, "alice", subject, MONDAY, &[]);
        assert_eq!(Access::of(&entry).map(|it| it.verb), Some(verb), "{action} {subject}");
    }
}

#[test]
fn people_and_programs_are_told_apart_by_how_they_logged_in() {
    for (name, who) in [
        ("userpass-alice", Who::Person),
        ("oidc-alice@insightdesk", Who::Person),
        ("approle", Who::Program),
        ("kubernetes-default-api", Who::Program),
        ("token", Who::Unknown),
    ] {
        let entry = device("vault.read", name, "s0", MONDAY, &[]);
        assert_eq!(Access::of(&entry).map(|it| it.who), Some(who), "{name}");
    }
    let entry = device("vault.read", "userpass-alice", "s0", MONDAY, &[("entity", "e-1")]);
    assert_eq!(Access::of(&entry).map(|it| it.names), Some(vec!["userpass-alice", "e-1", "alice"]));
}

#[test]
fn roles_that_share_a_name_are_known_by_their_own() {
    let entry = device("vault.read", "approle", "s0", MONDAY, &[("role_name", "api")]);
    let access = Access::of(&entry).unwrap();
    assert_eq!((access.principal, access.who), ("api", Who::Program));
    let bare = device("vault.read", "approle", "s0", MONDAY, &[]);
    assert_eq!(Access::of(&bare).unwrap().principal, "approle");
    for nobody in ["", "-", "unknown"] {
        assert!(!Access::of(&device("vault.read", nobody, "s0", MONDAY, &[])).unwrap().is_named());
    }
}

#[test]
fn names_are_cut_and_refusals_are_known_by_their_error() {
    let long = "ä".repeat(1_000);
    let mut entry = device("vault.read", &long, &long, MONDAY, &[("error", "1 error: permission denied")]);
    entry.outcome = ops_contract::AuditOutcome::Failed;
    let access = Access::of(&entry).unwrap();
    assert_eq!((access.principal.len(), access.secret.len(), access.is_denied()), (128, 128, true));
}

#[test]
fn what_a_person_read_last_is_gathered_under_all_their_names() {
    let response = device("vault.read", "userpass-alice", "s1", MONDAY, &[("phase", "response")]);
    let request = device("vault.read", "userpass-alice", "s2", MONDAY, &[("phase", "request")]);
    let log = [
        read("alice", "s0", MONDAY + 5),
        read("alice", "s0", MONDAY),
        refused("alice", "s3", MONDAY),
        read("bob", "s4", MONDAY),
        response,
        request,
        device("vault.update", "userpass-alice", "s5", MONDAY, &[]),
    ];
    let reads = last_reads("alice", &log);
    let told: Vec<_> = reads.iter().map(|(secret, read)| (secret.as_str(), read.at)).collect();
    assert_eq!(told, [("s0", at(MONDAY + 5)), ("s1", at(MONDAY))]);
    assert!(last_reads("", &log).is_empty() && last_reads("unknown", &log).is_empty());
}
