use std::collections::BTreeMap;

use ops_audit::entry::{Draft, Outcome, Source};
use ops_contract::{SecretSource, SecretSpec};

use super::samples::{CLEAR, TEST, by_alice, denied, hmac, line, read, write};
use super::{Places, Told};

/// `PASSWORD` (tier 0) and `USER` at `secret/db/primary`, `KEY` at `team/kv/api/keys`.
pub(super) fn places() -> Places {
    let mut secrets = BTreeMap::new();
    for (name, mount, path, field, tier) in [
        ("PASSWORD", "secret", "db/primary", "password", 0),
        ("USER", "secret", "db/primary", "user", 2),
        ("KEY", "team/kv", "api/keys", "key", 1),
    ] {
        let source = SecretSource::Vault { mount: mount.into(), path: path.into(), field: field.into() };
        secrets.insert(name.to_owned(), SecretSpec { tier, ..SecretSpec::new(source) });
    }
    Places::new(&secrets, None)
}

fn told(text: &str) -> Told {
    super::read("bao", text.as_bytes(), &places()).unwrap()
}

/// Action, subject and outcome of each entry, with the details.
fn entries(text: &str) -> Vec<(String, String, Outcome, BTreeMap<String, String>)> {
    let drafts = told(text).drafts;
    drafts.into_iter().map(|it| (it.action, it.subject, it.outcome, it.details)).collect()
}

fn one(text: &str) -> (String, String, Outcome, BTreeMap<String, String>) {
    let mut all = entries(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A response to something at a path.
fn at(operation: &str, path: &str, rest: &str) -> String {
    let request = format!(r#""operation":"{operation}","path":"{path}""#);
    line("response", &by_alice(true), &request, rest)
}

#[test]
fn a_read_is_one_entry_for_each_secret_at_its_place() {
    let told = told(&read());
    assert!(told.in_clear);
    let names: Vec<&str> = told.drafts.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(names, ["PASSWORD", "USER"]);
    let Draft { actor, action, outcome, details, source, .. } = &told.drafts[0];
    assert_eq!((actor.name.as_str(), actor.address.as_deref()), ("userpass-alice", Some("127.0.0.1")));
    assert_eq!((action.as_str(), *outcome), ("vault.read", Outcome::Allowed));
    let id = "b1886ae9-6e15-33fb-41b3-7a48ded2a043";
    assert_eq!(*source, Source::External { device: "bao".into(), event_id: format!("{id}:response") });
    for (name, value) in [
        ("phase", "response"),
        ("request_id", id),
        ("time_ms", "1795472499992"),
        ("path", "secret/data/db/primary"),
        ("mount", "secret/"),
        ("username", "alice"),
        ("entity", "d19ad2d9-b984-6e79-757a-2c2f089ac38c"),
        ("policies", "default,reader"),
        ("token_hmac", &hmac(101)),
        ("version", "3"),
        ("value_hmac", &hmac(1)),
        ("clear_fields", "n"),
    ] {
        assert_eq!(details.get(name).map(String::as_str), Some(value), "{name}");
    }
    let other = &told.drafts[1];
    assert_eq!(other.details["value_hmac"], hmac(2));
    assert_eq!(other.details["request_id"], format!("{id}/USER"), "a request counts once by its id");
    assert!(!told.drafts.iter().any(|it| format!("{it:?}").contains("7311")), "a number is not taken over");
}

#[test]
fn a_write_tells_what_was_written_and_as_which_version() {
    let all = entries(&write());
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].0.as_str(), all[0].3["version"].as_str()), ("vault.update", "4"));
    assert_eq!((&all[0].3["value_hmac"], &all[1].3["value_hmac"]), (&hmac(1), &hmac(2)));
    let patch = write().replace("update", "patch").replace(&format!(r#","user":"{}""#, hmac(2)), "");
    assert_eq!(one(&patch).1, "PASSWORD", "what a patch does not name was not changed by it");
}

#[test]
fn a_refusal_is_one_entry_of_the_most_dangerous() {
    let (action, subject, outcome, details) = one(&denied());
    assert_eq!((action.as_str(), subject.as_str(), outcome), ("vault.read", "PASSWORD", Outcome::Denied));
    assert_eq!(
        (details["error"].as_str(), details["secrets"].as_str()),
        ("permission denied", "PASSWORD,USER")
    );
}

#[test]
fn how_it_ended_is_told_in_words_of_ours() {
    let read = |rest: &str| {
        let (_, _, outcome, details) = one(&at("read", "secret/data/db/primary", rest));
        (outcome, details.get("error").cloned().unwrap_or_default())
    };
    let error = |words: &str| read(&format!(r#","response":{{}},"error":"{words} {CLEAR}""#));
    for (rest, outcome, words) in [
        (error("1 error: permission denied"), Outcome::Denied, "permission denied"),
        (error("invalid credentials"), Outcome::Denied, "invalid credentials"),
        (error("invalid role or secret ID"), Outcome::Denied, "invalid credentials"),
        (error("control group: permission denied"), Outcome::Failed, "waits for approval"),
        (error("request needs further approval"), Outcome::Failed, "waits for approval"),
        (error("the disk burns"), Outcome::Failed, "the store tells a fault"),
        (read(r#","response":{"mount_type":"kv"}"#), Outcome::Failed, "nothing lies there"),
        (read(r#","response":{"data":{"http_status_code":404}}"#), Outcome::Failed, "nothing lies there"),
        (read(r#","response":{"wrap_info":{"ttl":60}}"#), Outcome::Failed, "waits for approval"),
    ] {
        assert_eq!(rest, (outcome, words.to_owned()));
    }
    let wrapped = at("read", "secret/data/db/primary", r#","response":{"wrap_info":{"ttl":60}}"#)
        .replace(r#""operation""#, r#""wrap_ttl":60,"operation""#);
    let all = entries(&wrapped);
    assert!(all.iter().all(|it| it.2 == Outcome::Allowed && it.3["wrapped"] == "true"), "{all:?}");
    assert_eq!(all.len(), 2, "whoever asked can unwrap both");
}

#[test]
fn what_is_done_to_a_secret_is_known_by_its_path() {
    let versions = r#","response":{"mount_type":"kv"}"#;
    for (operation, path, action, subject) in [
        ("delete", "secret/data/db/primary", "vault.delete", "PASSWORD"),
        ("update", "secret/delete/db/primary", "vault.delete", "PASSWORD"),
        ("update", "secret/destroy/db/primary", "vault.delete", "PASSWORD"),
        ("update", "secret/undelete/db/primary", "vault.undelete", "PASSWORD"),
        ("delete", "secret/metadata/db/primary", "vault.delete", "PASSWORD"),
        ("read", "secret/metadata/db/primary", "vault.read", "secret/metadata/db/primary"),
        ("list", "secret/metadata/db/", "vault.list", "secret/metadata/db"),
        ("read", "secret/subkeys/db/primary", "vault.read", "secret/subkeys/db/primary"),
        ("read", "secret/data/db/primary/x", "vault.read", "secret/data/db/primary/x"),
        ("read", "team/kv/data/api/keys", "vault.read", "KEY"),
        ("update", "sys/mounts/x", "vault.update", "sys/mounts/x"),
        ("alias-lookahead", "auth/x/login", "vault.other", "auth/x/login"),
        ("EVIL;\u{202e}", "a", "vault.other", "a"),
    ] {
        let (told, about, ..) = entries(&at(operation, path, versions)).remove(0);
        assert_eq!((told.as_str(), about.as_str()), (action, subject), "{operation} {path}");
    }
    let elsewhere = read().replace(r#""id":"root""#, r#""id":"x1","path":"team/""#);
    let (_, subject, _, details) = one(&elsewhere);
    assert_eq!((subject.as_str(), details["namespace"].as_str()), ("secret/data/db/primary", "team"));
}

#[test]
fn logins_tell_who_came_and_who_tried() {
    let mounted = |name: &str| format!(r#""mount_point":"auth/{name}/""#);
    let login = |auth: &str, path: &str, rest: &str| {
        let request = format!(r#""operation":"update","path":"{path}""#);
        let mount = path.split('/').nth(1).unwrap_or_default();
        line("response", auth, &request, rest)
            .replace(r#""mount_point":"secret/""#, &mounted(mount))
            .replace(r#""mount_type":"kv""#, r#""mount_type":"userpass""#)
    };
    let wrong = r#","response":{"data":{"error":"x"}},"error":"invalid credentials""#;
    let draft = told(&login("", "auth/userpass/login/bob", wrong)).drafts.remove(0);
    assert_eq!((draft.action.as_str(), draft.outcome), ("vault.login", Outcome::Denied));
    assert_eq!((draft.actor.name.as_str(), draft.details["username"].as_str()), ("unknown", "bob"));
    let role = r#""display_name":"approle","metadata":{"role_name":"worker"}"#;
    let draft = told(&login(role, "auth/approle/login", r#","response":{"auth":{}}"#)).drafts.remove(0);
    assert_eq!((draft.action.as_str(), draft.outcome), ("vault.login", Outcome::Allowed));
    assert_eq!((draft.actor.name.as_str(), draft.details["role_name"].as_str()), ("approle", "worker"));
    for path in ["auth/approle/role/login", "auth/token/create", "auth/approle/role/x/secret-id"] {
        assert_eq!(one(&login(role, path, r#","response":{"auth":{}}"#)).0, "vault.update", "{path}");
    }
}

#[test]
fn a_device_that_is_switched_on_is_told_and_no_answer_is_waited_for() {
    let (action, subject, outcome, details) = one(TEST);
    assert_eq!((action.as_str(), subject.as_str(), outcome), ("vault.device_test", "bao", Outcome::Allowed));
    assert!(!details.contains_key("phase") && !details.contains_key("request_id"));
    let (action, ..) = one(&at("update", "sys/audit/test", ""));
    assert_eq!(action, "vault.update", "what somebody asks there is no test");
}

#[test]
fn a_device_that_shows_everything_in_clear_gives_nothing_away() {
    let raw = read().replace(&hmac(1), CLEAR).replace(&hmac(2), CLEAR).replace(&hmac(101), CLEAR);
    let told = told(&raw);
    assert!(told.in_clear);
    for draft in &told.drafts {
        assert!(!format!("{draft:?}").contains(CLEAR), "{draft:?}");
        assert_eq!(draft.details["clear_fields"], "n,password,user");
        assert!(!draft.details.contains_key("value_hmac") && !draft.details.contains_key("token_hmac"));
    }
}

#[test]
fn a_store_without_versions_is_understood_too() {
    let data = format!(r#","response":{{"mount_type":"kv","data":{{"k":"{}","n":3}}}}"#, hmac(4));
    let (action, subject, outcome, details) = one(&at("read", "secret/a", &data));
    assert_eq!((action.as_str(), subject.as_str(), outcome), ("vault.read", "secret/a", Outcome::Allowed));
    assert_eq!(details["clear_fields"], "n");
    let single = data.replace(r#","n":3"#, "");
    assert_eq!(one(&at("read", "secret/a", &single)).3["value_hmac"], hmac(4), "its one field is the secret");
}
